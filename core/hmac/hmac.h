// hmac: SHA-256 and HMAC-SHA-256, for frames that go over the air. Pure, no heap.
// Source: FIPS 180-4 §6.2; FIPS 198-1 §4; test vectors of RFC 4231.
#ifndef PW_HMAC_H
#define PW_HMAC_H

#include "base/base.h"

#define PW_SHA256_LEN 32

// Written only by the functions below.
struct pw_sha256 {
    uint32_t state[8];
    uint64_t len; // bytes so far
    uint8_t block[64];
};

void pw_sha256_begin(struct pw_sha256 *hash);
void pw_sha256_add(struct pw_sha256 *hash, const void *at, size_t len);
void pw_sha256_end(struct pw_sha256 *hash, uint8_t digest[PW_SHA256_LEN]);

struct pw_hmac {
    struct pw_sha256 inner;
    struct pw_sha256 outer;
};

// A key of any length; those over 64 bytes count by their digest. About 4 blocks of work for a
// short message.
void pw_hmac_begin(struct pw_hmac *hmac, const void *key, size_t len);
void pw_hmac_add(struct pw_hmac *hmac, const void *at, size_t len);
void pw_hmac_end(struct pw_hmac *hmac, uint8_t digest[PW_SHA256_LEN]);

// Compares without telling by its time where two differ.
bool pw_hmac_same(const uint8_t *a, const uint8_t *b, size_t len);

#endif
