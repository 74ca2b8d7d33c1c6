// make: release files and root documents in memory, signed with keys that come from their names:
// the seed of a key is the SHA-256 of its name, as of the well-known test keys (PW_MAKE_ROOT_1...).
// Any other name gives a key that nobody knows.
#ifndef PW_TEST_RELEASE_MAKE_H
#define PW_TEST_RELEASE_MAKE_H

#include "release/release.h"

#define PW_MAKE_ROOT_1    "pilotwire test root 1"
#define PW_MAKE_ROOT_2    "pilotwire test root 2"
#define PW_MAKE_ROOT_3    "pilotwire test root 3"
#define PW_MAKE_RELEASE_1 "pilotwire test release 1"
#define PW_MAKE_RELEASE_2 "pilotwire test release 2"
#define PW_MAKE_RELEASE_3 "pilotwire test release 3"

#define PW_MAKE_EXPIRES  INT64_C(4102444800000) // 2100-01-01
#define PW_MAKE_PRODUCT  "pilotwire-station"
#define PW_MAKE_HARDWARE "generic"

enum { PW_MAKE_SIGNERS_MAX = 8 };

struct pw_make_component {
    const char *name; // NULL: PW_RELEASE_PROGRAM
    const void *bytes;
    size_t len; // 0: the manifest's `bytes` are "program VERSION"
};

// What is left zero takes what is said behind it.
struct pw_make {
    const char *product;                           // PW_MAKE_PRODUCT
    const char *hardware[PW_RELEASE_HARDWARE_MAX]; // PW_MAKE_HARDWARE only
    const char *version;                           // "1.0.0"
    const char *min_from;                          // any
    uint32_t counter;
    pw_unix_ms expires;                                            // never
    struct pw_make_component component[PW_RELEASE_COMPONENTS_MAX]; // the program only
    const char *signer[PW_MAKE_SIGNERS_MAX];                       // PW_MAKE_RELEASE_1
    bool nobody;                                                   // not signed at all
    struct pw_str roots; // signed root documents one after another
};

// Private and public half of the key of a name; either may be NULL.
void pw_make_key(const char *name, uint8_t seed[32], uint8_t key[PW_RELEASE_KEY_LEN]);

// The head of a release with any manifest, signed by these names (NULL: by nobody). Its length.
size_t pw_make_head(struct pw_str roots, struct pw_str manifest, const char *const *signer,
                    uint8_t *to, size_t cap);

// A whole release file. Its length; asserts that it fits.
size_t pw_make_release(const struct pw_make *make, uint8_t *to, size_t cap);

// Adds the key of a name where it belongs in the order.
void pw_make_add(struct pw_release_keys *keys, const char *name);
// Version 1 of the test keys: two of three roots, one of three release keys, PW_MAKE_EXPIRES.
struct pw_release_root pw_make_root_1(void);
// A signed root document by these names, NULL at the end. Its length; asserts that it fits.
size_t pw_make_root(const struct pw_release_root *root, const char *const *signer, uint8_t *to,
                    size_t cap);
// pw_make_root_1 signed by two of its roots: what `update.root` holds in tests.
size_t pw_make_signed_root_1(uint8_t *to, size_t cap);

#endif
