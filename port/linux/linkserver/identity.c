#include "identity.h"

#include "issue/issue.h"
#include "peer/peer.h"
#include "vault/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

static int refuse(struct pw_out *why, const char *file, const char *what)
{
    pw_put_s(why, file);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    return PW_ERR_STORE;
}

static int refuse_openssl(struct pw_out *why, const char *file, const char *what)
{
    char text[160];
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
    ERR_clear_error();
    (void)refuse(why, file, what);
    pw_put_s(why, " (");
    pw_put_s(why, text);
    pw_put_c(why, ')');
    return PW_ERR_STORE;
}

// --- Making one.

// The key goes last: a certificate alone is refused and can be removed, a key alone might be
// somebody's.
static int keep(X509 *made, EVP_PKEY *pair, const char *certificate, const char *key,
                const struct pw_secret *secret, struct pw_out *why)
{
    if (!pw_issue_keep(certificate, made)) {
        return refuse(why, certificate, strerror(errno));
    }
    int result = pw_key_write(key, pair, secret, why);
    if (result != PW_OK) {
        (void)unlink(certificate);
    }
    return result;
}

// Nobody reads these names: stations know the key. The dates are the widest there are, because the
// clock of a station may be anything.
static int make_pair(const char *certificate, const char *key, const struct pw_secret *secret,
                     struct pw_out *why)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    const struct pw_issue_wish wish = {.common_name = PW_STR("pilotwire-central"),
                                       .key = pair,
                                       .use = "critical,digitalSignature",
                                       .extended = "serverAuth",
                                       .from = 0,
                                       .seconds = PW_ISSUE_NO_END_S};
    X509 *made = pair != NULL ? pw_issue(&wish, NULL, pair) : NULL;
    int result = made != NULL ? keep(made, pair, certificate, key, secret, why)
                              : refuse_openssl(why, certificate, "cannot make a certificate");
    X509_free(made);
    EVP_PKEY_free(pair);
    return result;
}

// --- Using one.

static int write_pin(const X509 *certificate, char pin[PW_IDENTITY_PIN_MAX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    int result = PW_ERR_BUG;
    if (size > 0 && EVP_Digest(der, (size_t)size, hash, &len, EVP_sha256(), NULL) == 1) {
        for (size_t i = 0; i < 32; i++) {
            pin[2 * i] = digits[hash[i] >> 4];
            pin[2 * i + 1] = digits[hash[i] & 15];
        }
        pin[64] = '\0';
        result = PW_OK;
    }
    OPENSSL_free(der);
    return result;
}

int pw_identity_load(SSL_CTX *context, const struct pw_identity_files *files,
                     char pin[PW_IDENTITY_PIN_MAX], struct pw_out *why)
{
    const char *certificate = files->certificate;
    const char *key = files->key;
    bool make = files->make;
    bool has_certificate = access(certificate, F_OK) == 0;
    bool has_key = access(key, F_OK) == 0;
    if (make && !has_certificate && !has_key) {
        int made = make_pair(certificate, key, files->secret, why);
        if (made != PW_OK) {
            return made;
        }
    } else if (!has_certificate || !has_key) {
        return refuse(why, has_key ? certificate : key,
                      make ? "is missing although its counterpart is there; remove that too to "
                             "have both made again (stations then need the new pin)"
                           : "is missing");
    }
    EVP_PKEY *pair = pw_key_read(key, files->secret, why);
    if (pair == NULL) {
        return PW_ERR_STORE;
    }
    int result = pw_peer_reload(context, certificate, pair, why);
    EVP_PKEY_free(pair);
    if (result != PW_OK) {
        return result;
    }
    return write_pin(SSL_CTX_get0_certificate(context), pin) == PW_OK
               ? PW_OK
               : refuse_openssl(why, certificate, "its public key cannot be read");
}
