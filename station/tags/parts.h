// parts: what the files of tags share among themselves. Nobody else includes this.
#ifndef PW_TAGS_PARTS_H
#define PW_TAGS_PARTS_H

#include "tags/tags.h"

#define PW_TAGS_RECORD_MAX 64 // bytes, the version in front

// status, date, id and group of a card
void pw_tags_put_tag(struct pw_bin_out *to, const struct pw_tag *tag);
void pw_tags_get_tag(struct pw_bin_in *from, struct pw_tag *tag);
// Reads the record of a key: PW_OK, PW_ERR_UNKNOWN or PW_ERR_STORE; PW_ERR_PEER, said in the log,
// for one of another version or too long.
PW_MUST_USE int pw_tags_load(const struct pw_tags *tags, struct pw_str key,
                             uint8_t room[PW_TAGS_RECORD_MAX], struct pw_bin_in *from);
void pw_tags_say_damaged(const struct pw_tags *tags, struct pw_str key);

// Changes of the store on their way into one batch, with the room they point into.
struct pw_tags_batch {
    struct pw_store_change change[PW_STORE_BATCH_MAX];
    char key[PW_STORE_BATCH_MAX][PW_STORE_KEY_MAX + 1];
    uint8_t room[PW_STORE_BATCH_MAX][PW_TAGS_RECORD_MAX];
    struct pw_bin_out record[PW_STORE_BATCH_MAX];
    size_t count;
};

// Adds a change of this key. The record is to be filled by the caller; NULL removes it.
struct pw_bin_out *pw_tags_batch_put(struct pw_tags_batch *batch, struct pw_str key);
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
