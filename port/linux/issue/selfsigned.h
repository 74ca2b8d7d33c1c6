// selfsigned: the certificate of a server that has none from an authority. It is made once, and
// again when it would not do any more; whoever connects compares its fingerprint. The dates are
// those that browsers and telephones take.
#ifndef PW_LINUX_SELFSIGNED_H
#define PW_LINUX_SELFSIGNED_H

#include "base/base.h"
#include "secret/secret.h"

#define PW_SELFSIGNED_DAYS        800 // it is good for; Apple's systems take no more than 825
#define PW_SELFSIGNED_RENEW_DAYS  30  // before its end a new one is made
#define PW_SELFSIGNED_NAMES_MAX   16
#define PW_SELFSIGNED_FINGERPRINT 96 // 32 times two hex digits, colons between, and NUL

struct pw_selfsigned {
    const char *certificate;        // file, PEM
    const char *key;                // file
    const struct pw_secret *secret; // seals the key
    // Names and addresses of the server, the first is its commonName: 1 to PW_SELFSIGNED_NAMES_MAX,
    // as pw_selfsigned_is_name has it. The first `lasting` of them must be in the certificate: when
    // one is not, another is made. The others are put in when one is made, and may change.
    const char *const *names;
    size_t count;
    size_t lasting;
};

// Whether this can stand in a certificate: an address, or letters, digits, hyphens and dots, 1 to
// 64 bytes.
bool pw_selfsigned_is_name(const char *name);

// Makes the certificate unless the one that is there will do: there is none, it is not of its key,
// a lasting name is missing, it ends soon, or it begins after `wall` (while that is 0 dates are not
// looked at, and a new one counts from 2024 on). The key, on P-256, stays as long as it can be
// opened, unless `new_key`. *made says in a few words why, NULL: nothing was made. PW_OK, or
// PW_ERR_STORE with *why.
PW_MUST_USE int pw_selfsigned_ready(const struct pw_selfsigned *wish, bool new_key, pw_unix_ms wall,
                                    const char **made, struct pw_out *why);

// What people compare: SHA-256 of the first certificate in a PEM file, as browsers write it, and
// its last second. PW_ERR_STORE: the file has none.
PW_MUST_USE int pw_certificate_look(const char *file, char fingerprint[PW_SELFSIGNED_FINGERPRINT],
                                    pw_unix_ms *until);

#endif
