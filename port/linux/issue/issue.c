#include "issue/issue.h"

#include "whole.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define SERIAL_BYTES 16

bool pw_issue_keep(const char *path, X509 *certificate)
{
    char *bytes = NULL;
    BIO *text = BIO_new(BIO_s_mem());
    bool good = text != NULL && PEM_write_bio_X509(text, certificate) == 1;
    long len = good ? BIO_get_mem_data(text, &bytes) : 0;
    good = good && pw_whole_write(path, 0644, (struct pw_str){.at = bytes, .len = (size_t)len},
                                  true) == PW_OK;
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

static bool set_extensions(X509 *made, X509 *issuer, const struct pw_issue_wish *wish)
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

X509 *pw_issue(const struct pw_issue_wish *wish, X509 *issuer, EVP_PKEY *signer)
{
    X509 *made = X509_new();
    if (made == NULL) {
        return NULL;
    }
    time_t from = (time_t)(wish->from / 1000);
    time_t to = from + (time_t)wish->seconds;
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

bool pw_issue_is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

void pw_issue_put_name(struct pw_out *alternative, const char *name)
{
    pw_put_s(alternative, alternative->len > 0 ? "," : "");
    pw_put_s(alternative, pw_issue_is_address(name) ? "IP:" : "DNS:");
    pw_put_s(alternative, name);
}
