// release: what may be installed. A release file carries a manifest, signed offline by the maker,
// and the components it names; whoever delivers it is trusted with nothing. Reads the head of such
// a file, says whether this station may install it and why not, and follows the maker's root from
// one document to the next. doc/update.md is the format byte by byte.
// Sources: facts/reliability.md §6, T11–T13; RFC 8032 (Ed25519); TUF 1.0 §5.3 (roots).
#ifndef PW_RELEASE_H
#define PW_RELEASE_H

#include "base/base.h"
#include "hmac/hmac.h"

enum {
    PW_RELEASE_FIXED = 20,           // bytes of magic and lengths
    PW_RELEASE_ROOTS_MAX = 8192,     // bytes of all root documents in a file
    PW_RELEASE_MANIFEST_MAX = 16384, // bytes
    PW_RELEASE_SIGNATURES_MAX = 8,
    PW_RELEASE_SIGNATURE_LEN = 96, // key id and signature
    PW_RELEASE_HEAD_MAX = PW_RELEASE_FIXED + PW_RELEASE_ROOTS_MAX + PW_RELEASE_MANIFEST_MAX +
                          PW_RELEASE_SIGNATURES_MAX * PW_RELEASE_SIGNATURE_LEN,
    PW_RELEASE_COMPONENTS_MAX = 8,
    PW_RELEASE_HARDWARE_MAX = 16,
    PW_RELEASE_NAME_MAX = 32,    // characters of a name and its NUL: a-z 0-9 . - _, first a letter
    PW_RELEASE_VERSION_MAX = 24, // "1.20.3" or "1.20.3-rc1", and its NUL
    PW_RELEASE_NOTES_MAX = 200,  // characters of a URL and its NUL
    PW_RELEASE_KEY_LEN = 32,     // Ed25519 public key
    PW_RELEASE_KEYS_MAX = 8,     // of one role in a root
    PW_RELEASE_ROOT_MAX = 4096,  // bytes of one signed root document, its signatures included
    PW_RELEASE_ROOT_SIGNATURES_MAX = 2 * PW_RELEASE_KEYS_MAX,
    PW_RELEASE_ROOT_VERSION_MAX = 1000000,
};

#define PW_RELEASE_PROGRAM  "pilotwire-station" // the component that every release has
#define PW_RELEASE_SIZE_MAX (UINT64_C(1) << 40) // bytes of one component; sums cannot run over

// What is signed is one of these and, right behind it, the manifest or root document.
#define PW_RELEASE_LABEL      "pilotwire-release-1\n"
#define PW_RELEASE_ROOT_LABEL "pilotwire-root-1\n"

struct pw_release_component {
    char name[PW_RELEASE_NAME_MAX];
    uint64_t offset; // in the release file
    uint64_t size;   // 1 to PW_RELEASE_SIZE_MAX
    uint8_t sha256[PW_SHA256_LEN];
};

// A manifest, read. Texts are terminated.
struct pw_release {
    char product[PW_RELEASE_NAME_MAX];
    char hardware[PW_RELEASE_HARDWARE_MAX][PW_RELEASE_NAME_MAX];
    uint8_t hardware_count;
    char version[PW_RELEASE_VERSION_MAX];
    char min_from[PW_RELEASE_VERSION_MAX]; // the oldest version that can be updated to it; "": any
    uint32_t security_counter;
    pw_unix_ms expires; // 0: never
    char notes_url[PW_RELEASE_NOTES_MAX];
    struct pw_release_component component[PW_RELEASE_COMPONENTS_MAX];
    uint8_t components;
    uint64_t file_size; // of the whole file: head and components
};

// Keys stand in rising order, so that none stands twice.
struct pw_release_keys {
    uint8_t key[PW_RELEASE_KEYS_MAX][PW_RELEASE_KEY_LEN];
    uint8_t count;
    uint8_t threshold; // 1..count
};

// Whom a maker trusts: the keys that sign the next root, and those that sign releases.
struct pw_release_root {
    uint32_t version; // 1 to PW_RELEASE_ROOT_VERSION_MAX, each one more than the one before
    pw_unix_ms expires;
    struct pw_release_keys roots;
    struct pw_release_keys releases;
};

// How a signature is checked, and whether the test keys count: with them a build is for tests. The
// port's: ed25519/ed25519.h on Linux.
struct pw_release_crypto {
    void *context;
    // Ed25519 over label and message, one right behind the other.
    bool (*verify)(void *context, const uint8_t key[PW_RELEASE_KEY_LEN], struct pw_str label,
                   struct pw_str message, const uint8_t signature[64]);
    bool test_keys; // the well-known test keys count
};

// The keys that everybody has: their private halves are the SHA-256 of "pilotwire test root 1" to 3
// and "pilotwire test release 1" to 3.
bool pw_release_is_test_key(const uint8_t key[PW_RELEASE_KEY_LEN]);

// What a release must satisfy here and now.
struct pw_release_rules {
    const struct pw_release_crypto *crypto;
    const struct pw_release_root *root; // the newest verified one
    struct pw_str product;
    struct pw_str hardware; // what this machine is
    struct pw_str running;  // version of the program that runs; "": not looked at
    bool again;             // the running version may be installed once more: a person asked for it
    uint32_t counter;       // the least security counter that may be installed
    uint64_t most_bytes;    // of a whole file
    pw_unix_ms wall; // 0: not known; then what expires is not taken as expired, and the log says so
};

// Why a release was refused; PW_RELEASE_FINE: it was not.
enum pw_release_verdict {
    PW_RELEASE_FINE,
    PW_RELEASE_MALFORMED, // not a release file, or a head that breaks a rule of the format
    PW_RELEASE_UNSIGNED,  // too few good signatures of keys that count
    PW_RELEASE_TEST_KEY,  // signed with test keys
    PW_RELEASE_EXPIRED,   // manifest or root
    PW_RELEASE_DOWNGRADE, // its security counter is lower
    PW_RELEASE_FOREIGN,   // other product or hardware
    PW_RELEASE_TOO_FAR,   // the running version is older than min_from
    PW_RELEASE_TOO_LARGE,
    PW_RELEASE_SAME, // the version that runs, and nobody asked for it again
    PW_RELEASE_VERDICTS
};
const char *pw_release_verdict_name(enum pw_release_verdict verdict);

// From the first PW_RELEASE_FIXED bytes of a file: how long its head is, all told. PW_ERR_RANGE:
// not a release file, or lengths outside the format.
PW_MUST_USE int pw_release_head_len(const uint8_t fixed[PW_RELEASE_FIXED], uint32_t *len);

// Reads a whole head: format only, nobody's trust. PW_OK or PW_ERR_RANGE with *why.
PW_MUST_USE int pw_release_read(struct pw_str head, struct pw_release *release, struct pw_out *why);

// Reads a head and judges it; what is wrong first in this order is the verdict: format, roots,
// signatures, expiry, product and hardware, security counter, min_from, same version, size. On FINE
// `release` is filled in; else *why is one sentence. Root documents in the head are followed first,
// from rules->root: `newest` gets the last good one (rules->root's copy without any), also when the
// release itself is refused.
enum pw_release_verdict pw_release_judge(struct pw_str head, const struct pw_release_rules *rules,
                                         struct pw_release *release, struct pw_release_root *newest,
                                         struct pw_out *why);

// A signed root document: u32 length, the document, u8 count, count × (key id, signature). The next
// one of a row is cut off *rest. PW_ERR_RANGE with *why.
struct pw_release_root_text {
    struct pw_str document;
    const uint8_t *signature; // `signatures` × PW_RELEASE_SIGNATURE_LEN, key ids in rising order
    uint8_t signatures;       // 0..PW_RELEASE_ROOT_SIGNATURES_MAX
    struct pw_str whole;      // with its length and signatures
};
PW_MUST_USE int pw_release_root_cut(struct pw_str *rest, struct pw_release_root_text *text,
                                    struct pw_out *why);
// Reads a document without its signatures: format only, nobody's trust. PW_OK or PW_ERR_RANGE.
PW_MUST_USE int pw_release_root_parse(struct pw_str document, struct pw_release_root *root,
                                      struct pw_out *why);

// Reads a signed root document on its own, checking its own threshold only: for the one that the
// maker put into the station. PW_OK or PW_ERR_RANGE with *why.
PW_MUST_USE int pw_release_root_read(struct pw_str signed_root,
                                     const struct pw_release_crypto *crypto,
                                     struct pw_release_root *root, struct pw_out *why);
// The next root after `now`: signed by both thresholds, version one more. PW_OK or PW_ERR_RANGE.
PW_MUST_USE int pw_release_root_follow(struct pw_str signed_root,
                                       const struct pw_release_crypto *crypto,
                                       const struct pw_release_root *now,
                                       struct pw_release_root *next, struct pw_out *why);

// "1.2.10" > "1.2.9" > "1.2.9-rc1". Negative, 0 or positive; PW_RELEASE_VERSION_BAD when either is
// none.
enum { PW_RELEASE_VERSION_BAD = 99 };
int pw_release_version_compare(struct pw_str a, struct pw_str b);

// Canonical text of a manifest: what is signed. Offsets and file_size are not in it. False when
// `out` is too small.
bool pw_release_write(const struct pw_release *release, struct pw_out *out);
bool pw_release_root_write(const struct pw_release_root *root, struct pw_out *out);

// Where the parts of a head are. PW_OK or PW_ERR_RANGE with *why: the lengths do not fit `head`.
struct pw_release_parts {
    struct pw_str roots;
    struct pw_str manifest;
    const uint8_t *signature; // `signatures` × PW_RELEASE_SIGNATURE_LEN, key ids in rising order
    uint8_t signatures;
};
PW_MUST_USE int pw_release_parts(struct pw_str head, struct pw_release_parts *parts,
                                 struct pw_out *why);
// What was signed, and by whom as it says. How many keys of `keys` have a good signature over label
// and message; each counts once. Test keys are not counted unless crypto->test_keys; *test (may be
// NULL) counts those that were left out.
struct pw_release_signed {
    const char *label; // PW_RELEASE_LABEL or PW_RELEASE_ROOT_LABEL
    struct pw_str message;
    const uint8_t *signature; // `signatures` × PW_RELEASE_SIGNATURE_LEN
    uint8_t signatures;
};
uint8_t pw_release_count(const struct pw_release_crypto *crypto, const struct pw_release_keys *keys,
                         const struct pw_release_signed *what, uint8_t *test);

#endif
