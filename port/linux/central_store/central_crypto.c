#include "central_crypto.h"

#include "trust/openssl.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static int fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    PW_ASSERT(len <= INT_MAX);
    return RAND_bytes(to, (int)len) == 1 ? PW_OK : PW_ERR_BUG;
}

static int derive(void *context, struct pw_str password, const uint8_t salt[16], unsigned cost,
                  uint8_t to[32])
{
    (void)context;
    if (cost == 0) {
        return HMAC(EVP_sha256(), salt, 16,
                    (const uint8_t *)(password.at != NULL ? password.at : ""), password.len, to,
                    NULL) != NULL
                   ? PW_OK
                   : PW_ERR_BUG;
    }
    // r = 8: 1 kB a step (RFC 7914 §2); the limit is twice what this cost needs.
    uint64_t n = UINT64_C(1) << cost;
    return EVP_PBE_scrypt(password.at != NULL ? password.at : "", password.len, salt, 16, n, 8, 1,
                          n * 2048 + (1U << 20), to, 32) == 1
               ? PW_OK
               : PW_ERR_BUG;
}

static int signed_file(void *context, struct pw_str certificate, struct pw_str signature,
                       const uint8_t sha256[32], struct pw_out *why)
{
    (void)context;
    return pw_trust_signed_file(certificate, signature, sha256, why);
}

const struct pw_central_crypto pw_central_crypto_openssl = {
    .random = fill, .derive = derive, .signed_file = signed_file};
