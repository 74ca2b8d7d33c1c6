// What a certificate is and whether it leads to a root.
#include "parts.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

int trust_refuse(struct pw_out *why, int err, const char *sentence)
{
    ERR_clear_error();
    pw_put_s(why, sentence);
    return err;
}

// Only white space may stand between and behind certificates: what OpenSSL skips as a comment could
// be anything.
static bool is_pem(struct pw_str pem)
{
    pem = pw_str_trim(pem);
    while (pem.len > 0) {
        static const char end[] = "-----END CERTIFICATE-----";
        if (!pw_str_starts(pem, "-----BEGIN CERTIFICATE-----")) {
            return false;
        }
        const char *at = memmem(pem.at, pem.len, end, sizeof(end) - 1);
        if (at == NULL) {
            return false;
        }
        size_t skip = (size_t)(at - pem.at) + sizeof(end) - 1;
        pem = pw_str_trim((struct pw_str){.at = pem.at + skip, .len = pem.len - skip});
    }
    return true;
}

STACK_OF(X509) * trust_parse(struct pw_str pem, int most)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = is_pem(pem) && pem.len > 0 ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
    bool good = all != NULL && bio != NULL;
    for (size_t rest = pem.len; good && rest > 0; rest = BIO_ctrl_pending(bio)) {
        X509 *one = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (one == NULL) {
            // Nothing but white space behind the last one is its end.
            good = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            break;
        }
        good = sk_X509_num(all) < most && sk_X509_push(all, one) > 0;
        if (!good) {
            X509_free(one);
        }
    }
    BIO_free(bio);
    ERR_clear_error();
    if (!good || sk_X509_num(all) == 0) {
        sk_X509_pop_free(all, X509_free);
        return NULL;
    }
    return all;
}

void trust_fingerprint(const X509 *certificate, unsigned char to[32])
{
    unsigned len = 32;
    if (X509_digest(certificate, EVP_sha256(), to, &len) != 1) {
        memset(to, 0, 32);
    }
}

bool trust_same(const X509 *a, const X509 *b)
{
    return X509_cmp(a, b) == 0;
}

pw_unix_ms trust_time(const ASN1_TIME *time)
{
    int days = 0;
    int seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool good = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    return good ? ((pw_unix_ms)days * 86400 + seconds) * 1000 : 0;
}

bool trust_strong(const X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    int kind = key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
    int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;
    bool rsa = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    return rsa ? bits >= 2048 : kind == EVP_PKEY_EC ? bits >= 224 : kind == EVP_PKEY_ED25519;
}

struct path {
    X509 *certificate;
    STACK_OF(X509) * between;
    STACK_OF(X509) * roots;
    pw_unix_ms wall;
    int purpose; // 0: any
};

static bool set_up(X509_STORE_CTX *check, X509_STORE *store, const struct path *path)
{
    if (X509_STORE_CTX_init(check, store, path->certificate, path->between) != 1) {
        return false;
    }
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(check);
    X509_VERIFY_PARAM_set_time(rules, (time_t)(path->wall / 1000));
    X509_VERIFY_PARAM_set_depth(rules, TRUST_DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(rules, 2); // 112 bits, and no SHA-1 in a signature
    return X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
           (path->purpose == 0 || X509_VERIFY_PARAM_set_purpose(rules, path->purpose) == 1);
}

// To one of its roots, or to number `only` of them when that is none below 0.
static int path_to(const struct path *path, int only, struct pw_out *why)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    bool ready = store != NULL && check != NULL;
    for (int i = 0; ready && i < sk_X509_num(path->roots); i++) {
        ready = (only >= 0 && i != only) ||
                X509_STORE_add_cert(store, sk_X509_value(path->roots, i)) == 1;
    }
    ready = ready && set_up(check, store, path);
    bool good = ready && X509_verify_cert(check) == 1;
    if (!good) {
        pw_put_s(why, ready ? X509_verify_cert_error_string(X509_STORE_CTX_get_error(check))
                            : "OpenSSL is out of memory");
    }
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    ERR_clear_error();
    return good ? PW_OK : PW_ERR_RANGE;
}

int trust_path(X509 *certificate, STACK_OF(X509) * between, STACK_OF(X509) * roots, pw_unix_ms wall,
               int purpose, struct pw_out *why)
{
    char ignored[120];
    const struct path path = {.certificate = certificate,
                              .between = between,
                              .roots = roots,
                              .wall = wall,
                              .purpose = purpose};
    int err = path_to(&path, -1, why);
    // OpenSSL takes a root by its name, and looks no further when the key is another one: a root
    // that was renewed under its name lies beside the old one.
    for (int i = 0; err != PW_OK && sk_X509_num(roots) > 1 && i < sk_X509_num(roots); i++) {
        struct pw_out out = PW_OUT(ignored);
        err = path_to(&path, i, &out);
        why->len = err == PW_OK ? 0 : why->len;
    }
    return err;
}

int trust_put_pem(struct pw_out *out, X509 *certificate)
{
    char *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL && PEM_write_bio_X509(bio, certificate) == 1;
    long len = good ? BIO_get_mem_data(bio, &bytes) : 0;
    if (len > 0) {
        pw_put(out, (struct pw_str){.at = bytes, .len = (size_t)len});
    }
    BIO_free(bio);
    return len > 0 ? pw_out_err(out) : PW_ERR_BUG;
}

// ---------------------------------------------------------------------------------------------
// Names (6.1, RFC 6960 §4.1.1).

static void put_hash(char to[PW_TRUST_HASH_MAX], const unsigned char *bytes, unsigned len)
{
    struct pw_out out = {.cap = PW_TRUST_HASH_MAX};
    out.at = to;
    for (unsigned i = 0; i < len; i++) {
        pw_put_hex(&out, bytes[i], 2);
    }
}

static bool put_serial(const X509 *certificate, char to[PW_TRUST_SERIAL_MAX])
{
    struct pw_out out = {.cap = PW_TRUST_SERIAL_MAX};
    out.at = to;
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    if (hex != NULL) {
        const char *from = hex;
        while (from[0] == '0' && from[1] != '\0') {
            from++;
        }
        pw_put_s(&out, from);
    }
    bool good = hex != NULL && pw_out_err(&out) == PW_OK;
    OPENSSL_free(hex);
    BN_free(number);
    return good;
}

bool trust_id(const X509 *certificate, const X509 *issuer, enum pw_trust_hash hash,
              struct pw_trust_id *id)
{
    const EVP_MD *const kinds[PW_TRUST_HASHES] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    *id = (struct pw_trust_id){.hash = hash};
    if (X509_NAME_digest(X509_get_issuer_name(certificate), kinds[hash], digest, &len) != 1) {
        return false;
    }
    put_hash(id->issuer_name, digest, len);
    if (X509_pubkey_digest(issuer, kinds[hash], digest, &len) != 1) {
        return false;
    }
    put_hash(id->issuer_key, digest, len);
    return put_serial(certificate, id->serial);
}
