#include "central_ca.h"

#include "vault/pem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_LEN     512
#define NAME_LEN     65 // 64 bytes: the bound of X.520 for a commonName
#define SERIAL_BYTES 16
#define DAY_S        86400
#define BEFORE_S     300 // a certificate counts from a little before it was made: clocks differ

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

// Written beside and put in its place, so that a power cut leaves the old one or the new one.
static bool keep(const char *path, BIO *from, mode_t mode)
{
    char beside[PATH_LEN + 8];
    struct pw_out out = PW_OUT(beside);
    pw_put_s(&out, path);
    pw_put_s(&out, ".new");
    char *bytes = NULL;
    long len = BIO_get_mem_data(from, &bytes);
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return false;
    }
    bool good = write(fd, bytes, (size_t)len) == len && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good && rename(beside, path) == 0;
}

static bool keep_certificates(const char *path, X509 *first, X509 *second)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool good = text != NULL && PEM_write_bio_X509(text, first) == 1 &&
                (second == NULL || PEM_write_bio_X509(text, second) == 1) && keep(path, text, 0644);
    BIO_free(text);
    return good;
}

// --- Certificates.

static bool add_name(X509_NAME *name, const char *field, struct pw_str text)
{
    return text.len == 0 ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text.at,
                                      (int)text.len, -1, 0) == 1;
}

static bool add_extension(X509 *to, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, to, NULL, NULL, 0);
    context.db = NULL; // X509V3_set_ctx_nodb() without its semicolon
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension != NULL && X509_add_ext(to, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

struct wish {
    struct pw_str common_name;
    struct pw_str organisation;
    EVP_PKEY *key; // the public one
    const char *use;
    const char *extended;    // NULL: none
    const char *alternative; // NULL: none
    bool authority;
    pw_unix_ms now;
    int64_t seconds; // how long it is good for
};

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    bool good = RAND_bytes(bytes, sizeof(bytes)) == 1;
    bytes[0] = (unsigned char)((bytes[0] & 0x7F) | 0x40); // positive, and of one length
    BIGNUM *number = good ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
    good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return good;
}

static bool set_extensions(X509 *made, X509 *issuer, const struct wish *wish)
{
    return add_extension(made, issuer, NID_basic_constraints,
                         wish->authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           add_extension(made, issuer, NID_key_usage, wish->use) &&
           add_extension(made, issuer, NID_subject_key_identifier, "hash") &&
           (wish->authority ||
            add_extension(made, issuer, NID_authority_key_identifier, "keyid:always")) &&
           (wish->extended == NULL ||
            add_extension(made, issuer, NID_ext_key_usage, wish->extended)) &&
           (wish->alternative == NULL ||
            add_extension(made, issuer, NID_subject_alt_name, wish->alternative));
}

// A certificate; issued by itself without an issuer. NULL when OpenSSL fails.
static X509 *issue(const struct wish *wish, X509 *issuer, EVP_PKEY *signer)
{
    X509 *made = X509_new();
    if (made == NULL) {
        return NULL;
    }
    time_t from = (time_t)(wish->now / 1000) - BEFORE_S;
    time_t to = (time_t)(wish->now / 1000) + (time_t)wish->seconds;
    X509_NAME *name = X509_get_subject_name(made);
    X509 *by = issuer != NULL ? issuer : made;
    bool good = X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) &&
                ASN1_TIME_set(X509_getm_notBefore(made), from) != NULL &&
                ASN1_TIME_set(X509_getm_notAfter(made), to) != NULL &&
                add_name(name, "O", wish->organisation) &&
                add_name(name, "CN", wish->common_name) &&
                X509_set_issuer_name(made, X509_get_subject_name(by)) == 1 &&
                X509_set_pubkey(made, wish->key) == 1 && set_extensions(made, by, wish) &&
                X509_sign(made, signer, EVP_sha256()) > 0;
    if (!good) {
        X509_free(made);
        return NULL;
    }
    return made;
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
    const struct wish wish = {.common_name = PW_STR("Charge point authority"),
                              .organisation = organisation,
                              .key = pair,
                              .use = "critical,keyCertSign,cRLSign",
                              .authority = true,
                              .now = now,
                              .seconds = (int64_t)PW_CENTRAL_CA_YEARS * 365 * DAY_S};
    X509 *made = pair != NULL ? issue(&wish, NULL, pair) : NULL;
    int result = made == NULL ? refuse(why, PW_ERR_STORE, "OpenSSL cannot make a certificate")
                 : pw_key_write(key, pair, secret, why) != PW_OK ? PW_ERR_STORE
                 : !keep_certificates(certificate, made, NULL)
                     ? refuse(why, PW_ERR_STORE, strerror(errno))
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
    const struct wish wish = {.common_name = wanted->station,
                              .organisation = pw_str_of(ca->organisation),
                              .key = X509_REQ_get0_pubkey(request),
                              .use = "critical,digitalSignature",
                              .extended = "clientAuth",
                              .now = wanted->now,
                              .seconds = (int64_t)PW_CENTRAL_CA_DAYS * DAY_S};
    X509 *made = bad == NULL ? issue(&wish, ca->certificate, ca->key) : NULL;
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

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

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
        pw_put_s(&alternative, i > 0 ? "," : "");
        pw_put_s(&alternative, is_address(names[i]) ? "IP:" : "DNS:");
        pw_put_s(&alternative, names[i]);
    }
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    const struct wish wish = {.common_name = pw_str_of(names[0]),
                              .organisation = pw_str_of(ca->organisation),
                              .key = pair,
                              .use = "critical,digitalSignature",
                              .extended = "serverAuth",
                              .alternative = text,
                              .now = now,
                              .seconds = (int64_t)PW_CENTRAL_CA_DAYS * DAY_S};
    X509 *made = pair != NULL ? issue(&wish, ca->certificate, ca->key) : NULL;
    int result = made == NULL ? refuse(why, PW_ERR_STORE, "OpenSSL cannot make a certificate")
                 : pw_key_write(server->key, pair, server->secret, why) != PW_OK ? PW_ERR_STORE
                 : !keep_certificates(server->certificate, made, NULL)
                     ? refuse(why, PW_ERR_STORE, strerror(errno))
                     : PW_OK;
    X509_free(made);
    EVP_PKEY_free(pair);
    return result;
}
