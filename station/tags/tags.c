// What list and cache have in common: looking a card up, and their records.
#include "tags/tags.h"

#include "tags/parts.h"

#include <string.h>

enum { VERSION = 1 };

int pw_tags_init(struct pw_tags *tags, const struct pw_settings *settings,
                 const struct pw_store *store, const struct pw_log *log)
{
    memset(tags, 0, sizeof(*tags));
    tags->settings = settings;
    tags->store = store;
    tags->log = log;
    int err = pw_tags_list_init(tags);
    return err == PW_OK ? pw_tags_cache_init(tags) : err;
}

// ---------------------------------------------------------------------------------------------
// Looking up.

static bool is_over(const struct pw_tag *tag, pw_unix_ms wall)
{
    return tag->expires != 0 && (wall == 0 || wall >= tag->expires);
}

enum pw_tags_place pw_tags_find(const struct pw_tags *tags, struct pw_str id_tag, pw_unix_ms wall,
                                struct pw_tag *found)
{
    enum pw_tags_place place = PW_TAGS_NOWHERE;
    if (pw_settings_int(tags->settings, PW_SET_LIST_ENABLED) != 0 &&
        pw_tags_list_find(tags, id_tag, found)) {
        place = PW_TAGS_IN_LIST;
    } else if (pw_settings_int(tags->settings, PW_SET_CACHE_ENABLED) != 0 &&
               pw_tags_cache_find(tags, id_tag, found)) {
        place = PW_TAGS_IN_CACHE;
    }
    if (place == PW_TAGS_NOWHERE) {
        *found = (struct pw_tag){.status = PW_TAG_INVALID};
    } else if (pw_tags_is_valid(place, found->status) && is_over(found, wall)) {
        found->status = PW_TAG_EXPIRED;
    }
    return place;
}

enum pw_tags_verdict pw_tags_decide(struct pw_tags *tags, struct pw_str id_tag, bool online,
                                    pw_unix_ms wall, struct pw_tag *known)
{
    const struct pw_settings *settings = tags->settings;
    struct pw_tags_question question = {
        .online = online,
        .pre_authorise = pw_settings_int(settings, PW_SET_LOCAL_PRE_AUTHORIZE) != 0,
        .authorise_offline = pw_settings_int(settings, PW_SET_LOCAL_AUTHORIZE_OFFLINE) != 0,
        .unknown_offline = pw_settings_int(settings, PW_SET_OFFLINE_UNKNOWN) != 0,
    };
    question.place = pw_tags_find(tags, id_tag, wall, known);
    question.status = known->status;
    enum pw_tags_verdict verdict = pw_tags_judge(&question);
    if (verdict == PW_TAGS_ACCEPT && question.place == PW_TAGS_IN_CACHE) {
        pw_tags_cache_use(tags, id_tag);
    }
    return verdict;
}

void pw_tags_learn(struct pw_tags *tags, const struct pw_tag *news, pw_unix_ms wall)
{
    struct pw_tag known;
    if (news->id_tag[0] == '\0') {
        return;
    }
    if (pw_settings_int(tags->settings, PW_SET_LIST_ENABLED) != 0 &&
        pw_tags_list_find(tags, pw_str_of(news->id_tag), &known)) {
        bool ours = pw_tags_is_valid(PW_TAGS_IN_LIST, known.status) && !is_over(&known, wall);
        // A card that charges elsewhere is a good card.
        bool theirs = pw_tags_is_valid(PW_TAGS_IN_LIST, news->status);
        tags->conflict = tags->conflict || ours != theirs;
        return;
    }
    if (pw_settings_int(tags->settings, PW_SET_CACHE_ENABLED) != 0) {
        pw_tags_cache_learn(tags, news);
    }
}

// ---------------------------------------------------------------------------------------------
// Records.

void pw_tags_put_tag(struct pw_bin_out *to, const struct pw_tag *tag)
{
    pw_bin_put(to, tag->status, 1);
    pw_bin_put(to, (uint64_t)tag->expires, 8);
    pw_bin_put_text(to, tag->id_tag, 1);
    pw_bin_put_text(to, tag->parent, 1);
}

void pw_tags_get_tag(struct pw_bin_in *from, struct pw_tag *tag)
{
    uint64_t status = pw_bin_get(from, 1);
    tag->expires = (pw_unix_ms)pw_bin_get(from, 8);
    pw_bin_get_text(from, tag->id_tag, sizeof(tag->id_tag), 1);
    pw_bin_get_text(from, tag->parent, sizeof(tag->parent), 1);
    from->bad = from->bad || status > PW_TAG_CONCURRENT_TX || tag->id_tag[0] == '\0';
    tag->status = from->bad ? PW_TAG_INVALID : (enum pw_tag_status)status;
}

void pw_tags_say_damaged(const struct pw_tags *tags, struct pw_str key)
{
    struct pw_line line;
    pw_line(&line, tags->log, PW_LOG_ERROR, "tags", "record-damaged");
    // The keys of the list end in a card's id.
    pw_line_str(&line, "of", pw_str_cut(&key, '/'));
    pw_line_end(&line);
}

int pw_tags_load(const struct pw_tags *tags, struct pw_str key, uint8_t room[PW_TAGS_RECORD_MAX],
                 struct pw_bin_in *from)
{
    int len = tags->store->get(tags->store->context, key, (char *)room, PW_TAGS_RECORD_MAX);
    if (len == PW_ERR_UNKNOWN || len == PW_ERR_STORE) {
        return len;
    }
    *from = (struct pw_bin_in){.at = room, .left = len < 0 ? 0 : (size_t)len};
    if (pw_bin_get(from, 1) != VERSION) {
        pw_tags_say_damaged(tags, key);
        return PW_ERR_PEER;
    }
    return PW_OK;
}

static struct pw_store_change *add(struct pw_tags_batch *batch, struct pw_str key)
{
    PW_ASSERT(batch->count < PW_STORE_BATCH_MAX);
    int err = pw_str_copy(batch->key[batch->count], PW_STORE_KEY_MAX + 1, key);
    PW_ASSERT(err == PW_OK);
    struct pw_store_change *change = &batch->change[batch->count];
    *change = (struct pw_store_change){.key = pw_str_of(batch->key[batch->count])};
    batch->count++;
    return change;
}

struct pw_bin_out *pw_tags_batch_put(struct pw_tags_batch *batch, struct pw_str key)
{
    struct pw_bin_out *record = &batch->record[batch->count];
    *record = (struct pw_bin_out){.at = batch->room[batch->count], .cap = PW_TAGS_RECORD_MAX};
    (void)add(batch, key);
    pw_bin_put(record, VERSION, 1);
    return record;
}

void pw_tags_batch_remove(struct pw_tags_batch *batch, struct pw_str key)
{
    add(batch, key)->remove = true;
}

int64_t pw_tags_batch_write(const struct pw_tags *tags, struct pw_tags_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->change[i].remove) {
            batch->change[i].value = pw_bin_str(&batch->record[i]);
        }
    }
    return tags->store->write(tags->store->context, batch->change, batch->count);
}
