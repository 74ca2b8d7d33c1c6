#include "blank.h"

#include <string.h>

static struct pw_str key_of(const struct pw_blank_record *record)
{
    return pw_str_of(record->key);
}

static struct pw_blank_record *find(const struct pw_blank_store *store, struct pw_str key)
{
    for (size_t i = 0; i < store->cap; i++) {
        if (pw_str_eq(key_of(&store->record[i]), key)) {
            return &store->record[i];
        }
    }
    return NULL;
}

// Whether the whole batch fits, what it removes not counted.
static bool fits(const struct pw_blank_store *store, const struct pw_store_change *changes,
                 size_t count)
{
    size_t room = 0;
    for (size_t i = 0; i < store->cap; i++) {
        room += store->record[i].key[0] == '\0' ? 1 : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (changes[i].remove || find(store, changes[i].key) != NULL) {
            continue;
        }
        if (room == 0) {
            return false;
        }
        room--;
    }
    return true;
}

static void apply(const struct pw_blank_store *store, const struct pw_store_change *change)
{
    struct pw_blank_record *record = find(store, change->key);
    if (change->remove) {
        if (record != NULL) {
            record->key[0] = '\0';
        }
        return;
    }
    if (record == NULL) {
        record = find(store, PW_STR(""));
        PW_ASSERT(record != NULL); // it fits
        (void)!pw_str_copy(record->key, sizeof(record->key), change->key);
    }
    memcpy(record->value, change->value.at, change->value.len);
    record->len = (uint16_t)change->value.len;
}

static int64_t write_batch(void *context, const struct pw_store_change *changes, size_t count)
{
    struct pw_blank_store *store = context;
    PW_ASSERT(count >= 1 && count <= PW_STORE_BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        PW_ASSERT(changes[i].key.len >= 1 && changes[i].key.len <= PW_STORE_KEY_MAX);
        PW_ASSERT(changes[i].remove || changes[i].value.len <= PW_STORE_VALUE_MAX);
    }
    if (!fits(store, changes, count)) {
        return PW_ERR_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        apply(store, &changes[i]);
    }
    return ++store->ticket;
}

static int64_t durable(void *context)
{
    const struct pw_blank_store *store = context;
    return store->ticket;
}

static int copy_value(const struct pw_blank_record *record, char *to, size_t cap)
{
    if (record == NULL) {
        return PW_ERR_UNKNOWN;
    }
    if (record->len > cap) {
        return PW_ERR_LIMIT;
    }
    memcpy(to, record->value, record->len);
    return record->len;
}

static int get(void *context, struct pw_str key, char *to, size_t cap)
{
    return copy_value(find(context, key), to, cap);
}

// Bytewise, a shorter text before the longer one that begins with it.
static bool is_before(struct pw_str a, struct pw_str b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order != 0 ? order < 0 : a.len < b.len;
}

static bool begins_with(struct pw_str key, struct pw_str prefix)
{
    return key.len >= prefix.len && memcmp(key.at, prefix.at, prefix.len) == 0;
}

static int next(void *context, struct pw_str prefix, struct pw_str after, char *key, char *to,
                size_t cap)
{
    const struct pw_blank_store *store = context;
    const struct pw_blank_record *best = NULL;
    for (size_t i = 0; i < store->cap; i++) {
        struct pw_str own = key_of(&store->record[i]);
        if (own.len > 0 && begins_with(own, prefix) && is_before(after, own) &&
            (best == NULL || is_before(own, key_of(best)))) {
            best = &store->record[i];
        }
    }
    int len = copy_value(best, to, cap);
    if (len >= 0 && best != NULL) {
        memcpy(key, best->key, sizeof(best->key));
    }
    return len;
}

void pw_blank_store_init(struct pw_blank_store *store, struct pw_blank_record *record, size_t cap)
{
    memset(record, 0, cap * sizeof(*record));
    *store = (struct pw_blank_store){.record = record, .cap = cap};
}

struct pw_store pw_blank_store(struct pw_blank_store *store)
{
    return (struct pw_store){
        .context = store, .write = write_batch, .durable = durable, .get = get, .next = next};
}
