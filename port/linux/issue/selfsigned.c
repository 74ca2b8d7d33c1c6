#include "issue/selfsigned.h"

#include "issue/issue.h"
#include "peer/file.h"
#include "vault/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_MAX_LEN 64
#define DAY_MS       INT64_C(86400000)
#define BEFORE_MS    INT64_C(300000)        // clocks differ
#define FIRST_MS     INT64_C(1704067200000) // 2024-01-01: no clock that is set shows less
#define NAMES_LEN    (PW_SELFSIGNED_NAMES_MAX * (NAME_MAX_LEN + 5))

bool pw_selfsigned_is_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN &&
           (pw_issue_is_address(name) || strspn(name, letters) == len);
}

static X509 *read_certificate(const char *file)
{
    char text[256];
    struct pw_out unsaid = PW_OUT(text);
    size_t len = 0;
    char *pem = pw_peer_file(file, PW_PEER_PEM_MAX, &len, &unsaid);
    BIO *from = pem != NULL ? BIO_new_mem_buf(pem, (int)len) : NULL;
    X509 *read = from != NULL ? PEM_read_bio_X509(from, NULL, NULL, NULL) : NULL;
    BIO_free(from);
    free(pem);
    ERR_clear_error();
    return read;
}

static pw_unix_ms unix_of(const ASN1_TIME *time)
{
    struct tm to = {0};
    return ASN1_TIME_to_tm(time, &to) == 1 ? (pw_unix_ms)timegm(&to) * 1000 : 0;
}

static pw_unix_ms end_of(const X509 *certificate)
{
    return unix_of(X509_get0_notAfter(certificate));
}

static bool carries(X509 *certificate, const char *name)
{
    return pw_issue_is_address(name)
               ? X509_check_ip_asc(certificate, name, 0) == 1
               : X509_check_host(certificate, name, strlen(name), 0, NULL) == 1;
}

// Why the certificate that is there will not do; NULL: it will.
static const char *fault_of(const struct pw_selfsigned *wish, X509 *present, EVP_PKEY *key,
                            pw_unix_ms wall)
{
    if (present == NULL) {
        return "there was none";
    }
    if (X509_check_private_key(present, key) != 1) {
        ERR_clear_error();
        return "its key was another one";
    }
    for (size_t i = 0; i < wish->lasting; i++) {
        if (!carries(present, wish->names[i])) {
            return "a name of the station has changed";
        }
    }
    if (wall != 0 && wall < unix_of(X509_get0_notBefore(present))) {
        return "the one before begins later: the clock was ahead";
    }
    return wall != 0 && wall > end_of(present) - PW_SELFSIGNED_RENEW_DAYS * DAY_MS
               ? "the one before ends soon"
               : NULL;
}

static int refuse(struct pw_out *why, const char *file, const char *what)
{
    ERR_clear_error();
    pw_put_s(why, file);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    return PW_ERR_STORE;
}

static int make(const struct pw_selfsigned *wish, EVP_PKEY *key, pw_unix_ms wall,
                struct pw_out *why)
{
    char text[NAMES_LEN];
    struct pw_out alternative = PW_OUT(text);
    for (size_t i = 0; i < wish->count; i++) {
        pw_issue_put_name(&alternative, wish->names[i]);
    }
    const struct pw_issue_wish issue = {.common_name = pw_str_of(wish->names[0]),
                                        .key = key,
                                        .use = "critical,digitalSignature",
                                        .extended = "serverAuth",
                                        .alternative = text,
                                        .from = wall != 0 ? wall - BEFORE_MS : FIRST_MS,
                                        .seconds = PW_SELFSIGNED_DAYS * DAY_MS / 1000};
    X509 *made = pw_issue(&issue, NULL, key);
    int err = made == NULL ? refuse(why, wish->certificate, "OpenSSL cannot make a certificate")
              : !pw_issue_keep(wish->certificate, made)
                  ? refuse(why, wish->certificate, strerror(errno))
                  : PW_OK;
    X509_free(made);
    return err;
}

int pw_selfsigned_ready(const struct pw_selfsigned *wish, bool new_key, pw_unix_ms wall,
                        const char **made, struct pw_out *why)
{
    char text[256];
    struct pw_out unsaid = PW_OUT(text); // a key that cannot be opened gives way to a new one
    int err = PW_OK;
    *made = new_key ? "it was asked for" : NULL;
    EVP_PKEY *key = new_key ? NULL : pw_key_read(wish->key, wish->secret, &unsaid);
    X509 *present = key != NULL ? read_certificate(wish->certificate) : NULL;
    if (key != NULL) {
        *made = fault_of(wish, present, key, wall);
    } else {
        *made = new_key                        ? *made
                : access(wish->key, F_OK) == 0 ? "the key of the one before cannot be opened"
                                               : "there was none";
        key = EVP_EC_gen("P-256");
        err = key == NULL ? refuse(why, wish->key, "OpenSSL cannot make a key")
                          : pw_key_write(wish->key, key, wish->secret, why);
    }
    if (err == PW_OK && *made != NULL) {
        err = make(wish, key, wall, why);
    }
    X509_free(present);
    EVP_PKEY_free(key);
    return err;
}

int pw_certificate_look(const char *file, char fingerprint[PW_SELFSIGNED_FINGERPRINT],
                        pw_unix_ms *until)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct pw_out out = {.cap = PW_SELFSIGNED_FINGERPRINT};
    out.at = fingerprint;
    X509 *certificate = read_certificate(file);
    bool good = certificate != NULL && X509_digest(certificate, EVP_sha256(), digest, &len) == 1;
    for (unsigned i = 0; good && i < len; i++) {
        static const char digits[] = "0123456789ABCDEF";
        pw_put_s(&out, i > 0 ? ":" : "");
        pw_put_c(&out, digits[digest[i] >> 4]);
        pw_put_c(&out, digits[digest[i] & 15]);
    }
    *until = good ? end_of(certificate) : 0;
    X509_free(certificate);
    return good ? PW_OK : PW_ERR_STORE;
}
