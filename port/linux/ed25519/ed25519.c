#include "ed25519/ed25519.h"

#include <openssl/evp.h>
#include <string.h>

enum {
    LABEL_MAX = 64,
    TEXT_MAX = LABEL_MAX + PW_RELEASE_MANIFEST_MAX, // root documents are shorter
};

// Label and message as one; OpenSSL takes no two. 0: too long.
static size_t join(unsigned char to[TEXT_MAX], struct pw_str label, struct pw_str message)
{
    if (label.len > LABEL_MAX || message.len > PW_RELEASE_MANIFEST_MAX) {
        return 0;
    }
    memcpy(to, label.at, label.len);
    memcpy(to + label.len, message.at, message.len);
    return label.len + message.len;
}

static bool verify(void *context, const uint8_t key[PW_RELEASE_KEY_LEN], struct pw_str label,
                   struct pw_str message, const uint8_t signature[PW_ED25519_SIGNATURE_LEN])
{
    unsigned char text[TEXT_MAX];
    size_t len = join(text, label, message);
    EVP_PKEY *with = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, PW_RELEASE_KEY_LEN);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = len > 0 && with != NULL && digest != NULL &&
                EVP_DigestVerifyInit(digest, NULL, NULL, NULL, with) == 1 &&
                EVP_DigestVerify(digest, signature, PW_ED25519_SIGNATURE_LEN, text, len) == 1;
    (void)context;
    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(with);
    return good;
}

struct pw_release_crypto pw_ed25519_crypto(void)
{
#ifdef PW_TEST_KEYS
    const bool test_keys = true;
#else
    const bool test_keys = false;
#endif
    return (struct pw_release_crypto){.verify = verify, .test_keys = test_keys};
}

bool pw_ed25519_public(const uint8_t seed[PW_ED25519_SEED_LEN], uint8_t key[PW_RELEASE_KEY_LEN])
{
    size_t len = PW_RELEASE_KEY_LEN;
    EVP_PKEY *pair =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, PW_ED25519_SEED_LEN);
    bool ok = pair != NULL && EVP_PKEY_get_raw_public_key(pair, key, &len) == 1;
    EVP_PKEY_free(pair);
    return ok && len == PW_RELEASE_KEY_LEN;
}

bool pw_ed25519_sign(const uint8_t seed[PW_ED25519_SEED_LEN], struct pw_str label,
                     struct pw_str message, uint8_t signature[PW_ED25519_SIGNATURE_LEN])
{
    unsigned char text[TEXT_MAX];
    size_t made = PW_ED25519_SIGNATURE_LEN;
    size_t len = join(text, label, message);
    EVP_PKEY *with =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, PW_ED25519_SEED_LEN);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool ok = len > 0 && with != NULL && digest != NULL &&
              EVP_DigestSignInit(digest, NULL, NULL, NULL, with) == 1 &&
              EVP_DigestSign(digest, signature, &made, text, len) == 1;
    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(with);
    return ok && made == PW_ED25519_SIGNATURE_LEN;
}
