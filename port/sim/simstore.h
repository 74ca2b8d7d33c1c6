// sim store: the store port in memory, with power cuts. Records are durable after as many later
// looks at `durable` as `lag` says; a cut loses every batch that was not durable yet, whole.
// Operations are counted, so that a test can cut at each one (facts/reliability.md F01, F19).
#ifndef PW_SIM_STORE_H
#define PW_SIM_STORE_H

#include "store/store.h"

struct pw_sim_record {
    char key[PW_STORE_KEY_MAX + 1];
    char value[PW_STORE_VALUE_MAX];
    uint16_t len;
};

struct pw_sim_batch; // a batch that is not durable yet

struct pw_sim_store {
    struct pw_store port; // what the station gets
    // Faults, set by the test.
    uint32_t lag;      // looks at `durable` before a batch is; 0: at once
    uint64_t cut_at;   // the power goes just before this operation (from 1); 0: never
    bool keep_pending; // on a cut the pending batches make it to the disk after all
    bool failed;       // writing fails for good
    // What happened.
    uint64_t operations;
    bool cut; // the power is gone: whatever is asked now is lost
    // Inside.
    struct pw_sim_record *records; // sorted by key
    size_t count;
    size_t room;
    struct pw_sim_batch *first; // oldest pending
    struct pw_sim_batch *last;
    int64_t ticket;
    int64_t durable;
};

void pw_sim_store_init(struct pw_sim_store *store);
// The power comes back: what was durable is there, the counters of faults are cleared.
void pw_sim_store_restart(struct pw_sim_store *store);
void pw_sim_store_free(struct pw_sim_store *store);
// Number of records whose key starts with `prefix`, durable ones only.
size_t pw_sim_store_count(const struct pw_sim_store *store, const char *prefix);

#endif
