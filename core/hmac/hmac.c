// SHA-256 and HMAC over it.
#include "hmac/hmac.h"

#include <string.h>

enum { BLOCK = 64, ROUNDS = 64, LENGTH_AT = 56, INNER = 0x36, OUTER = 0x5C };

// The first 32 bits of the fractions of the cube roots of the first 64 primes.
static const uint32_t round_constant[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turned(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

// The message schedule of one block.
static void schedule(const uint8_t *block, uint32_t w[ROUNDS])
{
    for (unsigned i = 0; i < 16; i++) {
        w[i] = pw_be32(block + (size_t)4 * i);
    }
    for (unsigned i = 16; i < ROUNDS; i++) {
        uint32_t a = w[i - 15];
        uint32_t b = w[i - 2];
        uint32_t s0 = turned(a, 7) ^ turned(a, 18) ^ a >> 3;
        uint32_t s1 = turned(b, 17) ^ turned(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[ROUNDS];
    uint32_t v[8];
    schedule(block, w);
    memcpy(v, state, sizeof(v));
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t s1 = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + choice + round_constant[i] + w[i];
        uint32_t s0 = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, sizeof(v) - sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (unsigned i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void pw_sha256_begin(struct pw_sha256 *hash)
{
    // The same of the square roots of the first 8 primes.
    *hash = (struct pw_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                         0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void pw_sha256_add(struct pw_sha256 *hash, const void *at, size_t len)
{
    const uint8_t *byte = at;
    for (size_t i = 0; i < len; i++) {
        hash->block[hash->len % BLOCK] = byte[i];
        hash->len++;
        if (hash->len % BLOCK == 0) {
            compress(hash->state, hash->block);
        }
    }
}

void pw_sha256_end(struct pw_sha256 *hash, uint8_t digest[PW_SHA256_LEN])
{
    static const uint8_t first = 0x80;
    static const uint8_t zero = 0;
    uint64_t bits = hash->len * 8;
    uint8_t length[8];
    pw_sha256_add(hash, &first, 1);
    while (hash->len % BLOCK != LENGTH_AT) {
        pw_sha256_add(hash, &zero, 1);
    }
    pw_set_be32(length, (uint32_t)(bits >> 32));
    pw_set_be32(length + 4, (uint32_t)bits);
    pw_sha256_add(hash, length, sizeof(length));
    for (unsigned i = 0; i < 8; i++) {
        pw_set_be32(digest + (size_t)4 * i, hash->state[i]);
    }
}

static void begin_padded(struct pw_sha256 *hash, const uint8_t key[BLOCK], uint8_t pad)
{
    uint8_t block[BLOCK];
    for (unsigned i = 0; i < BLOCK; i++) {
        block[i] = key[i] ^ pad;
    }
    pw_sha256_begin(hash);
    pw_sha256_add(hash, block, sizeof(block));
}

void pw_hmac_begin(struct pw_hmac *hmac, const void *key, size_t len)
{
    uint8_t block[BLOCK] = {0};
    if (len > BLOCK) {
        pw_sha256_begin(&hmac->inner);
        pw_sha256_add(&hmac->inner, key, len);
        pw_sha256_end(&hmac->inner, block);
    } else if (len > 0) {
        memcpy(block, key, len);
    }
    begin_padded(&hmac->inner, block, INNER);
    begin_padded(&hmac->outer, block, OUTER);
}

void pw_hmac_add(struct pw_hmac *hmac, const void *at, size_t len)
{
    pw_sha256_add(&hmac->inner, at, len);
}

void pw_hmac_end(struct pw_hmac *hmac, uint8_t digest[PW_SHA256_LEN])
{
    uint8_t inner[PW_SHA256_LEN];
    pw_sha256_end(&hmac->inner, inner);
    pw_sha256_add(&hmac->outer, inner, sizeof(inner));
    pw_sha256_end(&hmac->outer, digest);
}

bool pw_hmac_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    unsigned differs = 0;
    for (size_t i = 0; i < len; i++) {
        differs |= (unsigned)(a[i] ^ b[i]);
    }
    return differs == 0;
}
