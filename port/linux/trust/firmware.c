// Who signs firmware, and whether a signature is his.
#include "parts.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static int check_use(X509 *signer, struct pw_out *why)
{
    if (!trust_strong(signer)) {
        return trust_refuse(why, PW_ERR_RANGE, "its key is weaker than RSA 2048 or EC 224");
    }
    if ((X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE) == 0) {
        return trust_refuse(why, PW_ERR_RANGE, "it is not made for signatures");
    }
    return PW_OK;
}

// L01: no certificates between the manufacturer's root and the signer.
static int check_signer(struct pw_trust_keeper *keeper, X509 *signer, pw_unix_ms wall,
                        struct pw_out *why)
{
    if (check_use(signer, why) != PW_OK) {
        return PW_ERR_RANGE;
    }
    if (wall == 0) {
        return trust_refuse(why, PW_ERR_RANGE, "the clock is not set");
    }
    STACK_OF(X509) *roots = trust_roots(keeper, PW_TRUST_MAKER);
    int err = sk_X509_num(roots) > 0
                  ? trust_path(signer, NULL, roots, wall, 0, why)
                  : trust_refuse(why, PW_ERR_RANGE, "no manufacturer root is installed");
    sk_X509_pop_free(roots, X509_free);
    return err;
}

int trust_port_check_signer(void *context, struct pw_str pem, pw_unix_ms wall, struct pw_out *why)
{
    STACK_OF(X509) *all = trust_parse(pem, 1);
    if (all == NULL) {
        return trust_refuse(why, PW_ERR_RANGE, "it is not one certificate in PEM form");
    }
    int err = check_signer(context, sk_X509_value(all, 0), wall, why);
    sk_X509_pop_free(all, X509_free);
    return err;
}

static bool verify(EVP_PKEY *key, const uint8_t *signature, size_t len, const uint8_t sha256[32])
{
    int kind = EVP_PKEY_get_base_id(key);
    bool rsa = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    EVP_PKEY_CTX *check = rsa || kind == EVP_PKEY_EC ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = check != NULL && EVP_PKEY_verify_init(check) == 1;
    if (rsa) {
        good = good && EVP_PKEY_CTX_set_rsa_padding(check, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(check, RSA_PSS_SALTLEN_AUTO) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(check, EVP_sha256()) == 1;
    }
    good = good && EVP_PKEY_CTX_set_signature_md(check, EVP_sha256()) == 1 &&
           EVP_PKEY_verify(check, signature, len, sha256, 32) == 1;
    EVP_PKEY_CTX_free(check);
    return good;
}

int trust_port_verify(void *context, struct pw_str signer_pem, struct pw_str signature,
                      const uint8_t sha256[32], struct pw_out *why)
{
    (void)context;
    uint8_t bytes[PW_TRUST_SIGNATURE_MAX];
    int len = pw_parse_base64(pw_str_trim(signature), bytes, sizeof(bytes));
    STACK_OF(X509) *all = trust_parse(signer_pem, 1);
    EVP_PKEY *key = all != NULL ? X509_get0_pubkey(sk_X509_value(all, 0)) : NULL;
    int err = PW_OK;
    if (len <= 0) {
        err = trust_refuse(why, PW_ERR_RANGE, "the signature is no base64");
    } else if (key == NULL) {
        err = trust_refuse(why, PW_ERR_RANGE, "the signing certificate cannot be read");
    } else if (!verify(key, bytes, (size_t)len, sha256)) {
        err = trust_refuse(why, PW_ERR_RANGE, "the signature is not the signer's over this file");
    }
    sk_X509_pop_free(all, X509_free);
    return err;
}

int pw_trust_signed_file(struct pw_str signer_pem, struct pw_str signature,
                         const uint8_t sha256[32], struct pw_out *why)
{
    STACK_OF(X509) *all = trust_parse(signer_pem, 1);
    if (all == NULL) {
        return trust_refuse(why, PW_ERR_RANGE,
                            "the signing certificate is not one certificate in PEM form");
    }
    char text[96];
    struct pw_out about = PW_OUT(text);
    int err = check_use(sk_X509_value(all, 0), &about);
    sk_X509_pop_free(all, X509_free);
    if (err != PW_OK) {
        pw_put_s(why, "the signing certificate: ");
        return trust_refuse(why, err, text);
    }
    return trust_port_verify(NULL, signer_pem, signature, sha256, why);
}
