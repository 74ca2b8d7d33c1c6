// store: the port contract for what must last. Ordered keys to small records, atomic batches.
// Writing never waits for the disk: a batch is taken with a ticket, and `durable` says how far the
// disk has come. A machine that must not act before a record is safe waits for its ticket.
// Sources: facts/reliability.md §3.1, §3.2 F01–F04.
#ifndef PW_STORE_H
#define PW_STORE_H

#include "base/base.h"

#define PW_STORE_KEY_MAX   48   // bytes in a key
#define PW_STORE_VALUE_MAX 1024 // bytes in a value
#define PW_STORE_BATCH_MAX 16   // changes in one batch
#define PW_STORE_QUEUE_MAX 1024 // batches taken and not yet durable

struct pw_store_change {
    struct pw_str key;
    struct pw_str value; // ignored when `remove`
    bool remove;
};

struct pw_store {
    void *context;

    // Takes 1..PW_STORE_BATCH_MAX changes as one batch: after a power cut all of them are there or
    // none. Copies keys and values before it returns. Batches keep their order. Returns the batch's
    // ticket (>= 1, each larger than the last), PW_ERR_LIMIT when PW_STORE_QUEUE_MAX batches wait,
    // or PW_ERR_STORE once writing has failed for good. Never blocks on the disk.
    int64_t (*write)(void *context, const struct pw_store_change *changes, size_t count);

    // The highest ticket that, with all before it, survives a power cut; 0 when there is none yet;
    // PW_ERR_STORE once writing has failed. The port wakes its loop when this advances.
    int64_t (*durable)(void *context);

    // Whether what is written now will last, as far as is known: PW_OK; PW_ERR_LIMIT when room is
    // running out, so that only what ends something should be written; PW_ERR_STORE when batches
    // do not reach the disk at present (they are tried again) or any more. NULL: always PW_OK.
    int (*able)(void *context);

    // Reads one record: its length, PW_ERR_UNKNOWN without one, PW_ERR_LIMIT when it does not fit
    // (nothing is copied). Sees every durable batch; whether it sees later ones is not said.
    int (*get)(void *context, struct pw_str key, char *to, size_t cap);

    // Reads the first record whose key sorts after `after` (bytewise) and starts with `prefix`.
    // Copies the key, terminated, to `key` (PW_STORE_KEY_MAX + 1 bytes) and the value to `to`.
    // Returns the value's length or an error as `get` does.
    int (*next)(void *context, struct pw_str prefix, struct pw_str after, char *key, char *to,
                size_t cap);
};

#endif
