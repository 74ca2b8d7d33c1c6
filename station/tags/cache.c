// The authorisation cache: the last cards and what the central system said of them.
#include "tags/parts.h"

#include <string.h>

static const struct pw_str head_key = {.at = "cache", .len = 5};

struct slot_key {
    char text[8];
};

static struct slot_key key_of(unsigned slot)
{
    struct slot_key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, "c/");
    pw_put_uint(&out, slot);
    return key;
}

// *epoch is the record's.
static int read_slot(struct pw_tags *tags, unsigned slot, uint32_t *epoch)
{
    uint8_t room[PW_TAGS_RECORD_MAX];
    struct pw_bin_in bytes;
    struct slot_key key = key_of(slot);
    struct pw_tags_slot *to = &tags->cache[slot];
    int err = pw_tags_load(tags, pw_str_of(key.text), room, &bytes);
    *epoch = 0;
    if (err != PW_OK) {
        return err == PW_ERR_STORE ? err : PW_OK;
    }
    *epoch = (uint32_t)pw_bin_get(&bytes, 4);
    to->used = (uint32_t)pw_bin_get(&bytes, 4);
    pw_tags_get_tag(&bytes, &to->tag);
    if (!pw_bin_end(&bytes)) {
        pw_tags_say_damaged(tags, pw_str_of(key.text));
        *to = (struct pw_tags_slot){.used = 0};
    } else if (*epoch != tags->epoch) {
        *to = (struct pw_tags_slot){.used = 0}; // of a cache that was cleared
    }
    tags->uses = to->used > tags->uses ? to->used : tags->uses;
    return PW_OK;
}

// Of another epoch, every record of the cache is void at once.
static int64_t begin_epoch(struct pw_tags *tags)
{
    struct pw_tags_batch batch = {.count = 0};
    pw_bin_put(pw_tags_batch_put(&batch, head_key), tags->epoch + 1, 4);
    int64_t ticket = pw_tags_batch_write(tags, &batch);
    if (ticket > 0) {
        tags->epoch++;
        memset(tags->cache, 0, sizeof(tags->cache));
    }
    return ticket;
}

int pw_tags_cache_init(struct pw_tags *tags)
{
    uint8_t room[PW_TAGS_RECORD_MAX];
    struct pw_bin_in bytes;
    uint32_t highest = 0;
    int err = pw_tags_load(tags, head_key, room, &bytes);
    bool lost = err == PW_ERR_PEER;
    if (err == PW_OK) {
        tags->epoch = (uint32_t)pw_bin_get(&bytes, 4);
        lost = !pw_bin_end(&bytes);
    }
    err = err == PW_ERR_STORE ? err : PW_OK;
    for (unsigned i = 0; err == PW_OK && i < PW_TAGS_CACHE_MAX; i++) {
        uint32_t epoch = 0;
        err = read_slot(tags, i, &epoch);
        highest = epoch > highest ? epoch : highest;
    }
    if (lost && err == PW_OK) {
        // Which records were cleared nobody knows: none counts.
        pw_tags_say_damaged(tags, head_key);
        tags->epoch = highest;
        memset(tags->cache, 0, sizeof(tags->cache));
        err = begin_epoch(tags) < 0 ? PW_ERR_STORE : PW_OK;
    }
    return err;
}

// The slot of a card, or PW_TAGS_CACHE_MAX.
static unsigned slot_of(const struct pw_tags *tags, struct pw_str id_tag)
{
    unsigned i = 0;
    while (i < PW_TAGS_CACHE_MAX &&
           (tags->cache[i].tag.id_tag[0] == '\0' ||
            !pw_str_eq_nocase(pw_str_of(tags->cache[i].tag.id_tag), id_tag))) {
        i++;
    }
    return i;
}

bool pw_tags_cache_find(const struct pw_tags *tags, struct pw_str id_tag, struct pw_tag *found)
{
    unsigned slot = slot_of(tags, id_tag);
    if (slot == PW_TAGS_CACHE_MAX) {
        return false;
    }
    *found = tags->cache[slot].tag;
    return true;
}

// What cannot be written is still known until the program ends.
static void keep_slot(struct pw_tags *tags, unsigned slot)
{
    struct pw_tags_batch batch = {.count = 0};
    struct slot_key key = key_of(slot);
    struct pw_tags_slot *of = &tags->cache[slot];
    of->used = ++tags->uses;
    struct pw_bin_out *bytes = pw_tags_batch_put(&batch, pw_str_of(key.text));
    pw_bin_put(bytes, tags->epoch, 4);
    pw_bin_put(bytes, of->used, 4);
    pw_tags_put_tag(bytes, &of->tag);
    if (pw_tags_batch_write(tags, &batch) < 0) {
        struct pw_line line;
        pw_line(&line, tags->log, PW_LOG_WARN, "tags", "cache-not-kept");
        pw_line_end(&line);
    }
}

void pw_tags_cache_use(struct pw_tags *tags, struct pw_str id_tag)
{
    unsigned slot = slot_of(tags, id_tag);
    if (slot < PW_TAGS_CACHE_MAX) {
        keep_slot(tags, slot);
    }
}

// Cards that are refused go before valid ones (§3.5.1), among either what was not used for longest.
static bool goes_before(const struct pw_tags_slot *a, const struct pw_tags_slot *b)
{
    bool a_valid = pw_tags_is_valid(PW_TAGS_IN_CACHE, a->tag.status);
    bool b_valid = pw_tags_is_valid(PW_TAGS_IN_CACHE, b->tag.status);
    return a_valid != b_valid ? b_valid : a->used < b->used;
}

static unsigned make_room(const struct pw_tags *tags)
{
    unsigned least = 0;
    for (unsigned i = 0; i < PW_TAGS_CACHE_MAX; i++) {
        if (tags->cache[i].tag.id_tag[0] == '\0') {
            return i;
        }
        least = goes_before(&tags->cache[i], &tags->cache[least]) ? i : least;
    }
    return least;
}

void pw_tags_cache_learn(struct pw_tags *tags, const struct pw_tag *news)
{
    unsigned slot = slot_of(tags, pw_str_of(news->id_tag));
    slot = slot < PW_TAGS_CACHE_MAX ? slot : make_room(tags);
    tags->cache[slot].tag = *news;
    keep_slot(tags, slot);
}

uint32_t pw_tags_cached(const struct pw_tags *tags)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < PW_TAGS_CACHE_MAX; i++) {
        count += tags->cache[i].tag.id_tag[0] != '\0' ? 1 : 0;
    }
    return count;
}

int64_t pw_tags_clear_cache(struct pw_tags *tags)
{
    return pw_settings_int(tags->settings, PW_SET_CACHE_ENABLED) == 0 ? PW_ERR_BUSY
                                                                      : begin_epoch(tags);
}

void pw_tags_cache_switched_off(struct pw_tags *tags)
{
    if (pw_tags_cached(tags) > 0) {
        (void)!begin_epoch(tags);
    }
}
