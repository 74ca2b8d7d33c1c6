#include "central_ca.h"

#include "issue/issue.h"
#include "vault/pem.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_LEN     512
#define NAME_LEN     65 // 64 bytes: the bound of X.520 for a commonName
#define SERIAL_BYTES 16
#define DAY_S        86400
#define BEFORE_MS    300000 // a certificate counts from a little before it was made: clocks differ

struct pw_central_ca_openssl {
    X509 *certificate;
    EVP_PKEY *key;
    char organisation[NAME_LEN];
    char *pem;
    struct pw_central_ca port;
};

static int refuse(struct pw_out *why, int code, const char *what)
{
    ERR_clear_error();
    pw_put_s(why, what);
    return code;
}

// --- Files.

static bool path_of(char to[PATH_LEN], const char *folder, const char *name)
{
    struct pw_out out = {.cap = PATH_LEN};
    out.at = to;
    pw_put_s(&out, folder);
    pw_put_c(&out, '/');
    pw_put_s(&out, name);
    return !out.full;
}

// The one entry of this kind in a name, as UTF-8; empty without one, PW_ERR_RANGE for several, for
// one with a NUL or one too long.
static int entry_of(X509_NAME *name, int nid, char to[NAME_LEN])
{
    to[0] = '\0';
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) {
        return PW_OK;
    }
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    bool good = X509_NAME_get_index_by_NID(name, nid, at) < 0 && len >= 0 && len < NAME_LEN &&
                memchr(text, '\0', (size_t)len) == NULL;
    if (good) {
        memcpy(to, text, (size_t)len);
        to[len] = '\0';
    }
    OPENSSL_free(text);
    return good ? PW_OK : PW_ERR_RANGE;
}

// --- Making and opening.

int pw_central_ca_make(const char *folder, struct pw_str organisation,
                       const struct pw_secret *secret, pw_unix_ms now, struct pw_out *why)
{
    char certificate[PATH_LEN];
    char key[PATH_LEN];
    if (organisation.len == 0 || organisation.len >= NAME_LEN) {
        return refuse(why, PW_ERR_RANGE, "the organisation's name must have 1 to 64 bytes");
    }
    if (!path_of(certificate, folder, "ca.crt") || !path_of(key, folder, "ca.key")) {
        return refuse(why, PW_ERR_RANGE, "the folder's name is too long");
    }
    if (access(certificate, F_OK) == 0 || access(key, F_OK) == 0) {
        return refuse(why, PW_ERR_BUSY,
                      "there is an authority already; its certificates would be"
                      " worth nothing with a new one");
    }
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    const struct pw_issue_wish wish = {.common_name = PW_STR("Charge point authority"),
                                       .organisation = organisation,
                                       .key = pair,
                                       .use = "critical,keyCertSign,cRLSign",
                                       .authority = true,
                                       .from = now - BEFORE_MS,
                                       .seconds = (int64_t)PW_CENTRAL_CA_YEARS * 365 * DAY_S};
    X509 *made = pair != NULL ? pw_issue(&wish, NULL, pair) : NULL;
    int result = made == NULL ? refuse(why, PW_ERR_STORE, "OpenSSL cannot make a certificate")
                 : pw_key_write(key, pair, secret, why) != PW_OK ? PW_ERR_STORE
                 : !pw_issue_keep(certificate, made) ? refuse(why, PW_ERR_STORE, strerror(errno))
                                                     : PW_OK;
    X509_free(made);
    EVP_PKEY_free(pair);
    return result;
}

static int sign(void *context, const struct pw_central_request *wanted, struct pw_out *chain,
                struct pw_central_issued *issued, struct pw_out *why);

static bool load(struct pw_central_ca_openssl *ca, const char *certificate, const char *key,
                 const struct pw_secret *secret, struct pw_out *why)
{
    BIO *from = BIO_new_file(certificate, "r");
    ca->certificate = from != NULL ? PEM_read_bio_X509(from, NULL, NULL, NULL) : NULL;
    BIO_free(from);
    ca->key = pw_key_read(key, secret, why);
    if (ca->key == NULL) {
        return false;
    }
    bool good = ca->certificate != NULL && X509_check_private_key(ca->certificate, ca->key) == 1 &&
                entry_of(X509_get_subject_name(ca->certificate), NID_organizationName,
                         ca->organisation) == PW_OK;
    if (!good) {
        (void)refuse(why, PW_ERR_STORE,
                     "ca.crt and ca.key cannot be read, or do not belong together");
    }
    return good;
}

static bool write_pem(struct pw_central_ca_openssl *ca)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    bool good = text != NULL && PEM_write_bio_X509(text, ca->certificate) == 1;
    long len = good ? BIO_get_mem_data(text, &bytes) : 0;
    ca->pem = good ? calloc(1, (size_t)len + 1) : NULL;
    if (ca->pem != NULL) {
        memcpy(ca->pem, bytes, (size_t)len);
    }
    BIO_free(text);
    return ca->pem != NULL;
}

int pw_central_ca_open(struct pw_central_ca_openssl **ca, const char *folder,
                       const struct pw_secret *secret, struct pw_out *why)
{
    char certificate[PATH_LEN];
    char key[PATH_LEN];
    if (!path_of(certificate, folder, "ca.crt") || !path_of(key, folder, "ca.key")) {
        return refuse(why, PW_ERR_STORE, "the folder's name is too long");
    }
    if (access(certificate, F_OK) != 0 && access(key, F_OK) != 0) {
        return refuse(why, PW_ERR_UNKNOWN, "there is no authority; make one with ca init");
    }
    struct pw_central_ca_openssl *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return refuse(why, PW_ERR_STORE, "out of memory");
    }
    if (!load(made, certificate, key, secret, why) || !write_pem(made)) {
        pw_central_ca_close(made);
        return PW_ERR_STORE;
    }
    made->port =
        (struct pw_central_ca){.context = made, .certificate = pw_str_of(made->pem), .sign = sign};
    *ca = made;
    return PW_OK;
}

void pw_central_ca_close(struct pw_central_ca_openssl *ca)
{
    if (ca != NULL) {
        X509_free(ca->certificate);
        EVP_PKEY_free(ca->key);
        free(ca->pem);
        free(ca);
    }
}

const struct pw_central_ca *pw_central_ca_port(const struct pw_central_ca_openssl *ca)
{
    return &ca->port;
}

// --- Signing.

static const char *weakness(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    int kind = EVP_PKEY_get_base_id(key);
    if (kind == EVP_PKEY_EC) {
        return bits < PW_CENTRAL_CA_EC_BITS ? "its elliptic curve has less than 224 bits" : NULL;
    }
    if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS) {
        return bits < PW_CENTRAL_CA_RSA_BITS ? "its RSA key has less than 2048 bits" : NULL;
    }
    return "its key is neither RSA nor on an elliptic curve";
}

// NULL when the request may be signed for this station; else why not.
static const char *judge(const struct pw_central_ca_openssl *ca, X509_REQ *request,
                         struct pw_str station)
{
    char common_name[NAME_LEN];
    char organisation[NAME_LEN];
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    X509_NAME *name = X509_REQ_get_subject_name(request);
    if (key == NULL || X509_REQ_verify(request, key) != 1) {
        return "it is not signed with its own key";
    }
    const char *weak = weakness(key);
    if (weak != NULL) {
        return weak;
    }
    if (entry_of(name, NID_commonName, common_name) != PW_OK ||
        entry_of(name, NID_organizationName, organisation) != PW_OK) {
        return "its subject cannot be read";
    }
    if (!pw_str_is(station, common_name)) {
        return "its commonName is not the station's id";
    }
    return organisation[0] == '\0' || strcmp(organisation, ca->organisation) == 0
               ? NULL
               : "its organisation is not this authority's (the station's CpoName)";
}

static void describe(X509 *made, struct pw_central_issued *issued)
{
    struct tm from = {0};
    struct tm to = {0};
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SERIAL_BYTES] = {0};
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(made), NULL);
    int len = number != NULL ? BN_bn2binpad(number, bytes, sizeof(bytes)) : 0;
    BN_free(number);
    struct pw_out serial = PW_OUT(issued->serial);
    for (int i = 0; i < len; i++) {
        pw_put_c(&serial, digits[bytes[i] >> 4]);
        pw_put_c(&serial, digits[bytes[i] & 15]);
    }
    (void)X509_NAME_oneline(X509_get_subject_name(made), issued->subject, sizeof(issued->subject));
    (void)ASN1_TIME_to_tm(X509_get0_notBefore(made), &from);
    (void)ASN1_TIME_to_tm(X509_get0_notAfter(made), &to);
    issued->from = (pw_unix_ms)timegm(&from) * 1000;
    issued->to = (pw_unix_ms)timegm(&to) * 1000;
}

static bool put_certificate(struct pw_out *chain, X509 *made)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    bool good = text != NULL && PEM_write_bio_X509(text, made) == 1;
    if (good) {
        long len = BIO_get_mem_data(text, &bytes);
        pw_put(chain, (struct pw_str){.at = bytes, .len = (size_t)len});
    }
    BIO_free(text);
    return good && !chain->full;
}

static int sign(void *context, const struct pw_central_request *wanted, struct pw_out *chain,
                struct pw_central_issued *issued, struct pw_out *why)
{
    const struct pw_central_ca_openssl *ca = context;
    PW_ASSERT(wanted->csr.len <= INT_MAX);
    BIO *text = BIO_new_mem_buf(wanted->csr.at, (int)wanted->csr.len);
    X509_REQ *request = text != NULL ? PEM_read_bio_X509_REQ(text, NULL, NULL, NULL) : NULL;
    BIO_free(text);
    if (request == NULL) {
        return refuse(why, PW_ERR_PEER, "it is no certificate request in PEM form");
    }
    const char *bad = judge(ca, request, wanted->station);
    const struct pw_issue_wish wish = {.common_name = wanted->station,
                                       .organisation = pw_str_of(ca->organisation),
                                       .key = X509_REQ_get0_pubkey(request),
                                       .use = "critical,digitalSignature",
                                       .extended = "clientAuth",
                                       .from = wanted->now - BEFORE_MS,
                                       .seconds = (int64_t)PW_CENTRAL_CA_DAYS * DAY_S};
    X509 *made = bad == NULL ? pw_issue(&wish, ca->certificate, ca->key) : NULL;
    int result = PW_OK;
    if (bad != NULL) {
        result = refuse(why, PW_ERR_RANGE, bad);
    } else if (made == NULL || !put_certificate(chain, made)) {
        result = refuse(why, PW_ERR_STORE, "the authority cannot sign");
    } else {
        describe(made, issued);
    }
    X509_free(made);
    X509_REQ_free(request);
    ERR_clear_error();
    return result;
}

// --- The central's own.

int pw_central_ca_server(struct pw_central_ca_openssl *ca,
                         const struct pw_central_ca_server *server, pw_unix_ms now,
                         struct pw_out *why)
{
    char text[1024];
    struct pw_out alternative = PW_OUT(text);
    const char *const *names = server->names;
    if (server->count == 0 || server->count > PW_CENTRAL_CA_NAMES_MAX) {
        return refuse(why, PW_ERR_RANGE, "a server certificate has 1 to 8 names");
    }
    for (size_t i = 0; i < server->count; i++) {
        if (names[i][0] == '\0' || strlen(names[i]) >= NAME_LEN ||
            strpbrk(names[i], ",;\"\n ") != NULL) {
            return refuse(why, PW_ERR_RANGE, "a name has 1 to 64 characters without space");
        }
        pw_issue_put_name(&alternative, names[i]);
    }
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    const struct pw_issue_wish wish = {.common_name = pw_str_of(names[0]),
                                       .organisation = pw_str_of(ca->organisation),
                                       .key = pair,
                                       .use = "critical,digitalSignature",
                                       .extended = "serverAuth",
                                       .alternative = text,
                                       .from = now - BEFORE_MS,
                                       .seconds = (int64_t)PW_CENTRAL_CA_DAYS * DAY_S};
    X509 *made = pair != NULL ? pw_issue(&wish, ca->certificate, ca->key) : NULL;
    int result = made == NULL ? refuse(why, PW_ERR_STORE, "OpenSSL cannot make a certificate")
                 : pw_key_write(server->key, pair, server->secret, why) != PW_OK ? PW_ERR_STORE
                 : !pw_issue_keep(server->certificate, made)
                     ? refuse(why, PW_ERR_STORE, strerror(errno))
                     : PW_OK;
    X509_free(made);
    EVP_PKEY_free(pair);
    return result;
}
