// ed25519: signatures of releases through OpenSSL. A library of its own, for programs that need
// nothing else of the Linux port.
// Source: RFC 8032 §5.1.
#ifndef PW_LINUX_ED25519_H
#define PW_LINUX_ED25519_H

#include "release/release.h"

enum { PW_ED25519_SEED_LEN = 32, PW_ED25519_SIGNATURE_LEN = 64 };

// Checks signatures. The one place that says whether the well-known test keys count: they do in a
// build with PW_TEST_KEYS, and in no other.
struct pw_release_crypto pw_ed25519_crypto(void);

// For who signs, never for a daemon. `seed` is the private key. False: OpenSSL cannot.
PW_MUST_USE bool pw_ed25519_public(const uint8_t seed[PW_ED25519_SEED_LEN],
                                   uint8_t key[PW_RELEASE_KEY_LEN]);
PW_MUST_USE bool pw_ed25519_sign(const uint8_t seed[PW_ED25519_SEED_LEN], struct pw_str label,
                                 struct pw_str message,
                                 uint8_t signature[PW_ED25519_SIGNATURE_LEN]);

#endif
