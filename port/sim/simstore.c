#include "simstore.h"

#include <stdlib.h>
#include <string.h>

struct pw_sim_batch {
    struct pw_sim_batch *next;
    int64_t ticket;
    uint32_t looks; // left before it is durable
    size_t count;
    bool remove[PW_STORE_BATCH_MAX];
    struct pw_sim_record records[PW_STORE_BATCH_MAX];
};

// The position of `key`, or where it would stand.
static size_t position(const struct pw_sim_store *store, const char *key)
{
    size_t low = 0;
    size_t high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(store->records[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void grow(struct pw_sim_store *store)
{
    if (store->count == store->room) {
        store->room = store->room * 2 + 64;
        store->records = realloc(store->records, store->room * sizeof(store->records[0]));
        PW_ASSERT(store->records != NULL);
    }
}

static void apply(struct pw_sim_store *store, const struct pw_sim_record *record, bool remove)
{
    size_t at = position(store, record->key);
    bool there = at < store->count && strcmp(store->records[at].key, record->key) == 0;
    if (remove) {
        if (there) {
            store->count--;
            memmove(&store->records[at], &store->records[at + 1],
                    (store->count - at) * sizeof(store->records[0]));
        }
        return;
    }
    if (!there) {
        grow(store);
        memmove(&store->records[at + 1], &store->records[at],
                (store->count - at) * sizeof(store->records[0]));
        store->count++;
    }
    store->records[at] = *record;
}

static void land_first(struct pw_sim_store *store)
{
    struct pw_sim_batch *batch = store->first;
    for (size_t i = 0; i < batch->count; i++) {
        apply(store, &batch->records[i], batch->remove[i]);
    }
    store->durable = batch->ticket;
    store->first = batch->next;
    store->last = store->first == NULL ? NULL : store->last;
    free(batch);
}

static void drop_pending(struct pw_sim_store *store)
{
    while (store->first != NULL) {
        struct pw_sim_batch *next = store->first->next;
        free(store->first);
        store->first = next;
    }
    store->last = NULL;
}

static bool power_goes(struct pw_sim_store *store)
{
    store->operations++;
    if (store->cut_at != 0 && store->operations == store->cut_at) {
        while (store->keep_pending && store->first != NULL) {
            land_first(store);
        }
        drop_pending(store);
        store->cut = true;
    }
    return store->cut;
}

static void copy_change(struct pw_sim_record *record, const struct pw_store_change *change)
{
    int err = pw_str_copy(record->key, sizeof(record->key), change->key);
    PW_ASSERT(err == PW_OK);
    PW_ASSERT(change->remove || change->value.len <= PW_STORE_VALUE_MAX);
    record->len = 0;
    if (!change->remove && change->value.len > 0) {
        memcpy(record->value, change->value.at, change->value.len);
        record->len = (uint16_t)change->value.len;
    }
}

static int64_t sim_write(void *context, const struct pw_store_change *changes, size_t count)
{
    struct pw_sim_store *store = context;
    PW_ASSERT(count >= 1 && count <= PW_STORE_BATCH_MAX);
    if (store->failed) {
        return PW_ERR_STORE;
    }
    if (power_goes(store)) {
        return ++store->ticket;
    }
    struct pw_sim_batch *batch = calloc(1, sizeof(*batch));
    PW_ASSERT(batch != NULL);
    batch->ticket = ++store->ticket;
    batch->looks = store->lag;
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        copy_change(&batch->records[i], &changes[i]);
        batch->remove[i] = changes[i].remove;
    }
    if (store->last == NULL) {
        store->first = batch;
    } else {
        store->last->next = batch;
    }
    store->last = batch;
    return batch->ticket;
}

static int64_t sim_durable(void *context)
{
    struct pw_sim_store *store = context;
    if (store->failed) {
        return PW_ERR_STORE;
    }
    while (!store->cut && store->first != NULL) {
        if (store->first->looks > 0) {
            store->first->looks--;
            break;
        }
        if (power_goes(store)) {
            break;
        }
        land_first(store);
    }
    return store->durable;
}

static int copy_out(const struct pw_sim_record *record, char *to, size_t cap)
{
    if (record->len > cap) {
        return PW_ERR_LIMIT;
    }
    memcpy(to, record->value, record->len);
    return record->len;
}

// Reads see what is durable and no more: the contract allows it, and it is the hardest case.
static int sim_get(void *context, struct pw_str key, char *to, size_t cap)
{
    struct pw_sim_store *store = context;
    char name[PW_STORE_KEY_MAX + 1];
    int err = pw_str_copy(name, sizeof(name), key);
    PW_ASSERT(err == PW_OK);
    size_t at = position(store, name);
    if (at == store->count || strcmp(store->records[at].key, name) != 0) {
        return PW_ERR_UNKNOWN;
    }
    return copy_out(&store->records[at], to, cap);
}

static int sim_next(void *context, struct pw_str prefix, struct pw_str after, char *key, char *to,
                    size_t cap)
{
    struct pw_sim_store *store = context;
    char from[PW_STORE_KEY_MAX + 1];
    int err = pw_str_copy(from, sizeof(from), after);
    PW_ASSERT(err == PW_OK);
    size_t first = position(store, from);
    err = pw_str_copy(from, sizeof(from), prefix);
    PW_ASSERT(err == PW_OK);
    size_t second = position(store, from);
    for (size_t i = first > second ? first : second; i < store->count; i++) {
        const struct pw_sim_record *record = &store->records[i];
        struct pw_str name = pw_str_of(record->key);
        bool starts = name.len >= prefix.len && memcmp(name.at, prefix.at, prefix.len) == 0;
        size_t both = name.len < after.len ? name.len : after.len;
        int order = both == 0 ? 0 : memcmp(name.at, after.at, both);
        if (starts && (order > 0 || (order == 0 && name.len > after.len))) {
            memcpy(key, record->key, sizeof(record->key));
            return copy_out(record, to, cap);
        }
        if (!starts) {
            break;
        }
    }
    return PW_ERR_UNKNOWN;
}

void pw_sim_store_init(struct pw_sim_store *store)
{
    memset(store, 0, sizeof(*store));
    store->port = (struct pw_store){.context = store,
                                    .write = sim_write,
                                    .durable = sim_durable,
                                    .get = sim_get,
                                    .next = sim_next};
}

void pw_sim_store_restart(struct pw_sim_store *store)
{
    drop_pending(store);
    store->cut = false;
    store->cut_at = 0;
    store->operations = 0;
    store->durable = store->ticket;
}

void pw_sim_store_free(struct pw_sim_store *store)
{
    drop_pending(store);
    free(store->records);
    store->records = NULL;
    store->count = 0;
    store->room = 0;
}

size_t pw_sim_store_count(const struct pw_sim_store *store, const char *prefix)
{
    size_t found = 0;
    for (size_t i = 0; i < store->count; i++) {
        found += pw_str_starts(pw_str_of(store->records[i].key), prefix) ? 1U : 0U;
    }
    return found;
}
