// sealed: a store that seals what is secret, before another store. Whoever uses it reads and writes
// plain values; below it, the values of secret keys are sealed under "store/<key>"
// (secret/secret.h). The rest passes as it is. Pure, no heap.
#ifndef PW_SEALED_H
#define PW_SEALED_H

#include "secret/secret.h"
#include "store/store.h"

// What a secret reads as that cannot be opened: one byte that no password is. It is no value, and
// no reason to act as if there were none.
#define PW_SEALED_LOCKED  "\x01"
#define PW_SEALED_MOST    (PW_STORE_VALUE_MAX - PW_SECRET_EXTRA) // bytes of a secret
#define PW_SEALED_SECRETS 4                                      // in one batch

struct pw_sealed {
    struct pw_store port; // what the rooms get
    // Inside.
    struct pw_store below;
    const struct pw_secret *secret;
    bool (*is_secret)(struct pw_str key);
    char room[PW_STORE_VALUE_MAX];
    char batch[PW_SEALED_SECRETS][PW_STORE_VALUE_MAX];
};

// `below` is copied; what it and `secret` point to outlives this. A batch with a secret that cannot
// be sealed is not written: PW_ERR_STORE (no key), PW_ERR_LIMIT (too long, or too many in a batch).
void pw_sealed_init(struct pw_sealed *sealed, const struct pw_store *below,
                    const struct pw_secret *secret, bool (*is_secret)(struct pw_str key));

struct pw_sealed_walk {
    unsigned secrets; // that are there
    unsigned locked;  // of them cannot be opened; each is one line of the log
    unsigned renewed; // of them were sealed again, with the new key
    int64_t ticket;   // once it is durable, they are all renewed; below 0: one could not be written
};

// Looks at all secrets under `prefix` and seals again those whose key is on its way out.
struct pw_sealed_walk pw_sealed_walk(struct pw_sealed *sealed, struct pw_str prefix,
                                     const struct pw_log *log);

#endif
