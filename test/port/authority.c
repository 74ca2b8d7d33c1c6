#include "authority.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

static void set_date(ASN1_TIME *date, pw_unix_ms at)
{
    PW_ASSERT(ASN1_TIME_adj(date, (time_t)(at / 1000), 0, 0) != NULL);
}

static void set_serial(X509 *certificate)
{
    unsigned char bytes[8];
    PW_ASSERT(RAND_bytes(bytes, sizeof(bytes)) == 1);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    PW_ASSERT(number != NULL &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL);
    BN_free(number);
}

static void add(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    PW_ASSERT(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *begin(const X509_NAME *subject, EVP_PKEY *key, pw_unix_ms from, pw_unix_ms to)
{
    X509 *made = X509_new();
    PW_ASSERT(made != NULL && X509_set_version(made, X509_VERSION_3) == 1 &&
              X509_set_subject_name(made, subject) == 1 && X509_set_pubkey(made, key) == 1);
    set_serial(made);
    set_date(X509_getm_notBefore(made), from);
    set_date(X509_getm_notAfter(made), to);
    return made;
}

static void finish(X509 *made, const struct authority *issuer)
{
    PW_ASSERT(X509_set_issuer_name(made, X509_get_subject_name(issuer->certificate)) == 1 &&
              X509_sign(made, issuer->key, EVP_sha256()) > 0);
}

struct authority authority_make(const struct authority *issuer, enum authority_kind kind,
                                const char *cn, const char *names, int rsa_bits, pw_unix_ms from,
                                pw_unix_ms to)
{
    struct authority made = {.key = rsa_bits > 0 ? EVP_RSA_gen((unsigned)rsa_bits)
                                                 : EVP_EC_gen("P-256")};
    X509_NAME *name = X509_NAME_new();
    PW_ASSERT(made.key != NULL && name != NULL);
    PW_ASSERT(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                                         (const unsigned char *)"Operator", -1, -1, 0) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1,
                                         -1, 0) == 1);
    made.certificate = begin(name, made.key, from, to);
    add(made.certificate, NID_basic_constraints,
        kind == AUTHORITY_CA ? "critical,CA:TRUE" : "CA:FALSE");
    add(made.certificate, NID_key_usage,
        kind == AUTHORITY_CA ? "critical,keyCertSign,cRLSign" : "digitalSignature,keyEncipherment");
    if (names != NULL) {
        add(made.certificate, NID_subject_alt_name, names);
    }
    finish(made.certificate, issuer != NULL ? issuer : &made);
    X509_NAME_free(name);
    return made;
}

void authority_free(struct authority *authority)
{
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    *authority = (struct authority){.key = NULL};
}

X509 *authority_sign(const struct authority *authority, const char *csr, pw_unix_ms from,
                     pw_unix_ms to)
{
    BIO *bio = BIO_new_mem_buf(csr, -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    PW_ASSERT(request != NULL && X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1);
    X509 *made = begin(X509_REQ_get_subject_name(request), X509_REQ_get0_pubkey(request), from, to);
    add(made, NID_basic_constraints, "CA:FALSE");
    add(made, NID_ext_key_usage, "clientAuth");
    finish(made, authority);
    X509_REQ_free(request);
    BIO_free(bio);
    return made;
}

static void append(BIO *bio, char to[AUTHORITY_PEM_MAX])
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    size_t at = strlen(to);
    PW_ASSERT(len > 0 && at + (size_t)len < AUTHORITY_PEM_MAX);
    memcpy(to + at, bytes, (size_t)len);
    to[at + (size_t)len] = '\0';
    BIO_free(bio);
}

static void revoke(X509_CRL *list, const X509 *certificate, const ASN1_TIME *when)
{
    X509_REVOKED *row = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));
    PW_ASSERT(row != NULL && serial != NULL && X509_REVOKED_set_serialNumber(row, serial) == 1);
    ASN1_TIME *date = ASN1_STRING_dup(when);
    PW_ASSERT(date != NULL && X509_REVOKED_set_revocationDate(row, date) == 1 &&
              X509_CRL_add0_revoked(list, row) == 1);
    ASN1_TIME_free(date);
    ASN1_INTEGER_free(serial);
}

void authority_list(const struct authority *authority, const X509 *certificate, pw_unix_ms from,
                    pw_unix_ms to, char pem[AUTHORITY_PEM_MAX])
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *date = ASN1_TIME_new();
    BIO *bio = BIO_new(BIO_s_mem());
    PW_ASSERT(list != NULL && date != NULL && bio != NULL && X509_CRL_set_version(list, 1) == 1 &&
              X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate)) == 1);
    set_date(date, to);
    PW_ASSERT(X509_CRL_set1_nextUpdate(list, date) == 1);
    set_date(date, from);
    PW_ASSERT(X509_CRL_set1_lastUpdate(list, date) == 1);
    if (certificate != NULL) {
        revoke(list, certificate, date);
    }
    PW_ASSERT(X509_CRL_sort(list) == 1 && X509_CRL_sign(list, authority->key, EVP_sha256()) > 0 &&
              PEM_write_bio_X509_CRL(bio, list) == 1);
    append(bio, pem);
    ASN1_TIME_free(date);
    X509_CRL_free(list);
}

void authority_pem(X509 *certificate, char to[AUTHORITY_PEM_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    PW_ASSERT(bio != NULL && PEM_write_bio_X509(bio, certificate) == 1);
    append(bio, to);
}
