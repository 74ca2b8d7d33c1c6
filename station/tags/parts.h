// parts: what the files of tags share among themselves. Nobody else includes this.
#ifndef PW_TAGS_PARTS_H
#define PW_TAGS_PARTS_H

#include "tags/tags.h"

// The bytes of a record: big-endian integers and texts behind their length, after a version byte.
struct pw_tags_bytes {
    char at[64];
    size_t len;  // written, or there to read
    size_t next; // read so far
    bool bad;    // read past the end, or a text too long for its place
};

void pw_tags_bytes_start(struct pw_tags_bytes *bytes);
void pw_tags_bytes_put(struct pw_tags_bytes *bytes, uint64_t value, unsigned count);
void pw_tags_bytes_put_text(struct pw_tags_bytes *bytes, const char *text);
uint64_t pw_tags_bytes_get(struct pw_tags_bytes *bytes, unsigned count);
void pw_tags_bytes_get_text(struct pw_tags_bytes *bytes, char *to, size_t cap);
// status, date, id and group of a card
void pw_tags_bytes_put_tag(struct pw_tags_bytes *bytes, const struct pw_tag *tag);
void pw_tags_bytes_get_tag(struct pw_tags_bytes *bytes, struct pw_tag *tag);
// Whether all was there and nothing is left.
bool pw_tags_bytes_end(const struct pw_tags_bytes *bytes);
// Reads the record of a key: PW_OK, PW_ERR_UNKNOWN or PW_ERR_STORE; PW_ERR_PEER, said in the log,
// for one of another version or too long.
PW_MUST_USE int pw_tags_load(const struct pw_tags *tags, struct pw_str key,
                             struct pw_tags_bytes *bytes);
void pw_tags_say_damaged(const struct pw_tags *tags, struct pw_str key);

// Changes of the store on their way into one batch, with the room they point into.
struct pw_tags_batch {
    struct pw_store_change change[PW_STORE_BATCH_MAX];
    char key[PW_STORE_BATCH_MAX][PW_STORE_KEY_MAX + 1];
    struct pw_tags_bytes bytes[PW_STORE_BATCH_MAX];
    size_t count;
};

// Adds a change of this key. The record is to be filled by the caller; NULL removes it.
struct pw_tags_bytes *pw_tags_batch_put(struct pw_tags_batch *batch, struct pw_str key);
void pw_tags_batch_remove(struct pw_tags_batch *batch, struct pw_str key);
// The ticket, or the store's error.
PW_MUST_USE int64_t pw_tags_batch_write(const struct pw_tags *tags, struct pw_tags_batch *batch);

// cache.c
PW_MUST_USE int pw_tags_cache_init(struct pw_tags *tags);
bool pw_tags_cache_find(const struct pw_tags *tags, struct pw_str id_tag, struct pw_tag *found);
void pw_tags_cache_learn(struct pw_tags *tags, const struct pw_tag *news);
void pw_tags_cache_use(struct pw_tags *tags, struct pw_str id_tag);
// Nothing learnt is kept while AuthorizationCacheEnabled is false.
void pw_tags_cache_switched_off(struct pw_tags *tags);

// list.c
PW_MUST_USE int pw_tags_list_init(struct pw_tags *tags);
bool pw_tags_list_find(const struct pw_tags *tags, struct pw_str id_tag, struct pw_tag *found);

#endif
