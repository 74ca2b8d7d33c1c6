// The local list. An update is decided by one record; before it nothing counts, after it all does.
//
//   full          its entries go under a new generation, the last batch makes that the one in
//                 force, then the old generation is swept away
//   differential  up to 15 changes: one batch. More: they are promised under "ld/", the last batch
//                 of the promise puts the list in force, then the entries are changed
//
// A power cut before the deciding batch leaves rests of no meaning, which the next start sweeps
// away; after it the next start makes the promised changes again, which does no harm. The store
// keeps the order of batches.
#include "tags/parts.h"

#include <string.h>

static const struct pw_str head_key = {.at = "list", .len = 4};

enum stage {
    REST,
    WRITE_FULL,    // entries of the new generation, then the head
    WRITE_FEW,     // all changes and the head in one batch
    PROMISE,       // changes under "ld/", then the head
    AWAIT,         // the head is on its way to the disk: then the update is in force
    CHANGE,        // the promised changes, one after the other
    FULFILLED,     // the head without its promise
    CLEAN_PROMISE, // what was under "ld/" goes
};

enum { FEW = PW_STORE_BATCH_MAX - 1 }; // changes that fit into one batch with the head

// ---------------------------------------------------------------------------------------------
// Keys and records.

struct key {
    char text[PW_STORE_KEY_MAX + 1];
};

static struct key generation_key(uint32_t generation)
{
    struct key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, "l/");
    pw_put_hex(&out, generation, 8);
    pw_put_c(&out, '/');
    return key;
}

// idTags compare without case, keys with: they are lower case there.
static struct key entry_key(uint32_t generation, struct pw_str id_tag)
{
    struct key key = generation_key(generation);
    struct pw_out out = PW_OUT(key.text);
    out.len = strlen(key.text);
    for (size_t i = 0; i < id_tag.len; i++) {
        char c = id_tag.at[i];
        pw_put_c(&out, (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
    }
    return key;
}

static struct key promise_key(uint32_t number)
{
    struct key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, "ld/");
    pw_put_uint(&out, number);
    return key;
}

static void put_head(struct pw_tags_batch *batch, const struct pw_tags_list *list)
{
    struct pw_bin_out *bytes = pw_tags_batch_put(batch, head_key);
    pw_bin_put(bytes, (uint32_t)list->version, 4);
    pw_bin_put(bytes, list->count, 4);
    pw_bin_put(bytes, list->generation, 4);
    pw_bin_put(bytes, list->promised, 4);
}

static void put_entry(struct pw_tags_batch *batch, uint32_t generation,
                      const struct pw_tags_change *change)
{
    struct key key = entry_key(generation, pw_str_of(change->tag.id_tag));
    if (change->remove) {
        pw_tags_batch_remove(batch, pw_str_of(key.text));
    } else {
        pw_tags_put_tag(pw_tags_batch_put(batch, pw_str_of(key.text)), &change->tag);
    }
}

// ---------------------------------------------------------------------------------------------
// Looking up. While promised changes are being made, they count before what is in the store.

static const struct pw_tags_change *changed(const struct pw_tags *tags, struct pw_str id_tag)
{
    for (uint32_t i = 0; i < tags->changes; i++) {
        if (pw_str_eq_nocase(pw_str_of(tags->change[i].tag.id_tag), id_tag)) {
            return &tags->change[i];
        }
    }
    return NULL;
}

static bool is_changing(const struct pw_tags *tags)
{
    return tags->list.promised > 0;
}

static bool read_entry(const struct pw_tags *tags, struct pw_str id_tag, struct pw_tag *found)
{
    uint8_t room[PW_TAGS_RECORD_MAX];
    struct pw_bin_in bytes;
    struct key key = entry_key(tags->list.generation, id_tag);
    if (id_tag.len >= PW_TAG_SIZE ||
        pw_tags_load(tags, pw_str_of(key.text), room, &bytes) != PW_OK) {
        return false;
    }
    pw_tags_get_tag(&bytes, found);
    if (!pw_bin_end(&bytes)) {
        pw_tags_say_damaged(tags, pw_str_of(key.text));
        return false;
    }
    return true;
}

bool pw_tags_list_find(const struct pw_tags *tags, struct pw_str id_tag, struct pw_tag *found)
{
    const struct pw_tags_change *change = is_changing(tags) ? changed(tags, id_tag) : NULL;
    if (change != NULL) {
        *found = change->tag;
        return !change->remove;
    }
    return tags->list.count > 0 && read_entry(tags, id_tag, found);
}

int32_t pw_tags_version(const struct pw_tags *tags)
{
    if (pw_settings_int(tags->settings, PW_SET_LIST_ENABLED) == 0) {
        return -1;
    }
    return tags->list.count == 0 ? 0 : tags->list.version;
}

void pw_tags_after(const struct pw_tags *tags, struct pw_str id_tag, char *after)
{
    struct key key = {.text = ""};
    if (id_tag.len > 0 && id_tag.len < PW_TAG_SIZE) {
        key = entry_key(tags->list.generation, id_tag);
    }
    memcpy(after, key.text, sizeof(key.text));
}

int pw_tags_next(const struct pw_tags *tags, char *after, pw_unix_ms wall, struct pw_tag *tag)
{
    struct key prefix = generation_key(tags->list.generation);
    uint8_t room[PW_TAGS_RECORD_MAX];
    int len = tags->store->next(tags->store->context, pw_str_of(prefix.text), pw_str_of(after),
                                after, (char *)room, sizeof(room));
    if (len < 0) {
        return len;
    }
    return pw_tags_find(tags, pw_str_of(after + strlen(prefix.text)), wall, tag) == PW_TAGS_IN_LIST
               ? PW_OK
               : PW_ERR_AGAIN;
}

// ---------------------------------------------------------------------------------------------
// Stages of an update. Each writes one batch and says what follows.

static uint32_t take_entries(struct pw_tags *tags, struct pw_tags_batch *batch, size_t most)
{
    uint32_t at = tags->cursor;
    while (at < tags->changes && batch->count < most) {
        put_entry(batch, tags->next.generation, &tags->change[at++]);
    }
    return at;
}

static uint32_t take_promises(struct pw_tags *tags, struct pw_tags_batch *batch, bool remove)
{
    uint32_t at = tags->cursor;
    for (; at < tags->changes && batch->count < FEW; at++) {
        struct key key = promise_key(at);
        if (remove) {
            pw_tags_batch_remove(batch, pw_str_of(key.text));
            continue;
        }
        struct pw_bin_out *bytes = pw_tags_batch_put(batch, pw_str_of(key.text));
        pw_bin_put(bytes, tags->change[at].remove ? 1 : 0, 1);
        pw_tags_put_tag(bytes, &tags->change[at].tag);
    }
    return at;
}

struct step {
    enum stage next;
    uint32_t cursor;
    bool wait; // for this batch to be durable before the next stage
};

// What the stage writes next, into an empty batch.
static struct step write_stage(struct pw_tags *tags, struct pw_tags_batch *batch)
{
    enum stage stage = (enum stage)tags->stage;
    struct step same = {.next = stage};
    switch (stage) {
    case WRITE_FULL:
    case WRITE_FEW: same.cursor = take_entries(tags, batch, FEW); break;
    case PROMISE: same.cursor = take_promises(tags, batch, false); break;
    case CHANGE:
        same.cursor = take_entries(tags, batch, PW_STORE_BATCH_MAX);
        return same.cursor < tags->changes ? same : (struct step){.next = FULFILLED};
    case FULFILLED:
        tags->list.promised = 0;
        put_head(batch, &tags->list);
        tags->list.promised = tags->changes; // until the entries can be read
        return (struct step){.next = CLEAN_PROMISE, .wait = true};
    case CLEAN_PROMISE:
        same.cursor = take_promises(tags, batch, true);
        return same.cursor < tags->changes ? same : (struct step){.next = REST};
    case AWAIT:
    case REST: return same;
    }
    if (same.cursor < tags->changes) {
        return same;
    }
    put_head(batch, &tags->next);
    return (struct step){.next = AWAIT, .wait = true};
}

static void say_in_force(const struct pw_tags *tags)
{
    struct pw_line line;
    pw_line(&line, tags->log, PW_LOG_INFO, "tags", "list");
    pw_line_int(&line, "version", tags->list.version);
    pw_line_int(&line, "entries", tags->list.count);
    pw_line_end(&line);
}

// The deciding batch is safe.
static void put_in_force(struct pw_tags *tags)
{
    tags->sweeping = tags->sweeping || tags->list.generation != tags->next.generation;
    tags->list = tags->next;
    tags->outcome = is_changing(tags) ? PW_TAGS_UPDATING : PW_TAGS_UPDATED;
    tags->conflict = false;
    tags->cursor = 0;
    tags->stage = is_changing(tags) ? CHANGE : REST;
    say_in_force(tags);
}

static void give_up(struct pw_tags *tags)
{
    struct pw_line line;
    pw_line(&line, tags->log, PW_LOG_ERROR, "tags", "list-not-kept");
    pw_line_end(&line);
    // What was decided already, the next start carries through from the records.
    tags->outcome = PW_TAGS_FAILED;
    tags->stage = REST;
    tags->ticket = 0;
}

// Removes what is not of the generation in force, a batch at a time: the store shows what is
// durable, so each batch must be before the next look. Rests while an update writes the next one.
static void sweep(struct pw_tags *tags)
{
    struct pw_tags_batch batch = {.count = 0};
    struct key mine = generation_key(tags->list.generation);
    struct key key = {.text = ""};
    char value[PW_TAGS_RECORD_MAX];
    while (batch.count < PW_STORE_BATCH_MAX &&
           tags->store->next(tags->store->context, PW_STR("l/"), pw_str_of(key.text), key.text,
                             value, sizeof(value)) >= 0) {
        if (pw_str_starts(pw_str_of(key.text), mine.text)) {
            // Past all of ours at once: '0' sorts after '/'.
            key = mine;
            key.text[strlen(key.text) - 1] = '0';
        } else {
            pw_tags_batch_remove(&batch, pw_str_of(key.text));
        }
    }
    if (batch.count == 0) {
        tags->sweeping = false;
        return;
    }
    int64_t ticket = pw_tags_batch_write(tags, &batch);
    tags->swept = ticket > 0 ? ticket : 0;
}

// One batch of the update under way. False: not now.
static bool advance(struct pw_tags *tags)
{
    struct pw_tags_batch batch = {.count = 0};
    if (tags->stage == AWAIT) {
        put_in_force(tags);
        return true;
    }
    struct step step = write_stage(tags, &batch);
    if (tags->stage == CLEAN_PROMISE) {
        tags->list.promised = 0; // the head without it is durable: entries are read again
        tags->outcome = PW_TAGS_UPDATED;
    }
    int64_t ticket = batch.count > 0 ? pw_tags_batch_write(tags, &batch) : 0;
    if (ticket < 0) {
        if (ticket != PW_ERR_LIMIT) {
            give_up(tags);
        }
        return false;
    }
    tags->stage = (uint8_t)step.next;
    tags->cursor = step.cursor;
    tags->ticket = step.wait ? ticket : 0;
    return true;
}

// 1: nothing is waited for, 0: not yet; PW_ERR_STORE.
static int is_durable(const struct pw_tags *tags, int64_t ticket)
{
    int64_t durable = ticket == 0 ? 0 : tags->store->durable(tags->store->context);
    return durable < 0 ? PW_ERR_STORE : durable >= ticket ? 1 : 0;
}

bool pw_tags_step(struct pw_tags *tags)
{
    if (pw_settings_int(tags->settings, PW_SET_CACHE_ENABLED) == 0) {
        pw_tags_cache_switched_off(tags);
    }
    while (tags->stage != REST) {
        int durable = is_durable(tags, tags->ticket);
        if (durable < 0) {
            give_up(tags);
            return false;
        }
        if (durable == 0) {
            return true;
        }
        tags->ticket = 0;
        if (!advance(tags)) {
            return tags->stage != REST;
        }
    }
    if (tags->sweeping && is_durable(tags, tags->swept) > 0) {
        tags->swept = 0;
        sweep(tags);
    }
    return tags->sweeping;
}

// ---------------------------------------------------------------------------------------------
// An update.

int pw_tags_update_begin(struct pw_tags *tags)
{
    (void)pw_tags_step(tags);
    if (tags->stage != REST || is_changing(tags)) {
        return PW_ERR_BUSY;
    }
    tags->changes = 0;
    return PW_OK;
}

int pw_tags_update_add(struct pw_tags *tags, const struct pw_tags_change *change,
                       enum pw_tags_kind kind)
{
    if (tags->changes == PW_TAGS_SEND_MAX) {
        return PW_ERR_LIMIT;
    }
    if (change->tag.id_tag[0] == '\0' || (kind == PW_TAGS_FULL && change->remove) ||
        changed(tags, pw_str_of(change->tag.id_tag)) != NULL) {
        return PW_ERR_RANGE;
    }
    tags->change[tags->changes++] = *change;
    return PW_OK;
}

// How many entries the list has after the changes.
static uint32_t count_after(const struct pw_tags *tags)
{
    uint32_t count = tags->list.count;
    for (uint32_t i = 0; i < tags->changes; i++) {
        struct pw_tag found;
        bool there = count > 0 && read_entry(tags, pw_str_of(tags->change[i].tag.id_tag), &found);
        if (there && tags->change[i].remove) {
            count--;
        } else if (!there && !tags->change[i].remove) {
            count++;
        }
    }
    return count;
}

static void plan(struct pw_tags *tags, enum pw_tags_kind kind, int32_t version)
{
    tags->next = tags->list;
    tags->next.version = version;
    tags->cursor = 0;
    if (kind == PW_TAGS_FULL) {
        tags->next.count = tags->changes;
        tags->next.generation = ++tags->highest;
        tags->stage = WRITE_FULL;
    } else if (tags->changes <= FEW) {
        tags->next.count = count_after(tags);
        tags->stage = WRITE_FEW;
    } else {
        tags->next.count = count_after(tags);
        tags->next.promised = tags->changes;
        tags->stage = PROMISE;
    }
}

enum pw_tags_update pw_tags_update_commit(struct pw_tags *tags, enum pw_tags_kind kind,
                                          int32_t version)
{
    if (pw_settings_int(tags->settings, PW_SET_LIST_ENABLED) == 0) {
        return PW_TAGS_NOT_SUPPORTED;
    }
    // 0 and -1 say something else (erratum 3.52), and no version counts down from there.
    if (version < 1) {
        return PW_TAGS_FAILED;
    }
    if (kind == PW_TAGS_DIFFERENTIAL && version <= pw_tags_version(tags)) {
        return PW_TAGS_VERSION_MISMATCH;
    }
    plan(tags, kind, version);
    if (tags->next.count > PW_TAGS_LIST_MAX) {
        tags->stage = REST;
        return PW_TAGS_FAILED;
    }
    tags->outcome = PW_TAGS_UPDATING;
    (void)pw_tags_step(tags);
    return tags->outcome;
}

enum pw_tags_update pw_tags_updated(const struct pw_tags *tags)
{
    return tags->outcome;
}

// ---------------------------------------------------------------------------------------------
// The start.

static bool read_head(struct pw_tags *tags, struct pw_bin_in *bytes)
{
    tags->list.version = (int32_t)(uint32_t)pw_bin_get(bytes, 4);
    tags->list.count = (uint32_t)pw_bin_get(bytes, 4);
    tags->list.generation = (uint32_t)pw_bin_get(bytes, 4);
    tags->list.promised = (uint32_t)pw_bin_get(bytes, 4);
    return pw_bin_end(bytes) && tags->list.promised <= PW_TAGS_SEND_MAX &&
           tags->list.count <= PW_TAGS_LIST_MAX;
}

static bool read_promise(struct pw_tags *tags, uint32_t number)
{
    uint8_t room[PW_TAGS_RECORD_MAX];
    struct pw_bin_in bytes;
    struct key key = promise_key(number);
    struct pw_tags_change *change = &tags->change[number];
    if (pw_tags_load(tags, pw_str_of(key.text), room, &bytes) != PW_OK) {
        return false;
    }
    change->remove = pw_bin_get(&bytes, 1) != 0;
    pw_tags_get_tag(&bytes, &change->tag);
    return pw_bin_end(&bytes);
}

// Rests of an update that a power cut ended may lie under a generation that never was in force.
static uint32_t highest_generation(const struct pw_tags *tags)
{
    uint32_t highest = tags->list.generation;
    struct key key = {.text = ""};
    char value[64];
    while (tags->store->next(tags->store->context, PW_STR("l/"), pw_str_of(key.text), key.text,
                             value, sizeof(value)) >= 0) {
        uint8_t bytes[4] = {0};
        const struct pw_str digits = {.at = key.text + 2, .len = 8};
        bool good = pw_parse_hex(digits, bytes, sizeof(bytes)) == (int)sizeof(bytes);
        highest = good && pw_be32(bytes) > highest ? pw_be32(bytes) : highest;
        key.text[2 + 8] = '0'; // past all of it at once: '0' sorts after '/'
        key.text[2 + 8 + 1] = '\0';
    }
    return highest;
}

// Without its head, or with a broken promise, nobody knows what the list was: the central system
// sees version 0 and sends it anew.
static void forget(struct pw_tags *tags)
{
    pw_tags_say_damaged(tags, head_key);
    tags->list.generation = 0;
    tags->list = (struct pw_tags_list){.generation = highest_generation(tags) + 1};
    tags->changes = 0;
    tags->stage = REST;
}

static bool has_promises(const struct pw_tags *tags)
{
    struct key key;
    char value[64];
    return tags->store->next(tags->store->context, PW_STR("ld/"), PW_STR(""), key.text, value,
                             sizeof(value)) >= 0;
}

int pw_tags_list_init(struct pw_tags *tags)
{
    uint8_t room[PW_TAGS_RECORD_MAX];
    struct pw_bin_in bytes;
    tags->list.generation = 1;
    tags->outcome = PW_TAGS_UPDATED;
    int err = pw_tags_load(tags, head_key, room, &bytes);
    if (err == PW_ERR_STORE) {
        return err;
    }
    if (err == PW_ERR_PEER || (err == PW_OK && !read_head(tags, &bytes))) {
        forget(tags);
    }
    for (uint32_t i = 0; i < tags->list.promised; i++) {
        if (!read_promise(tags, i)) {
            forget(tags);
            break;
        }
        tags->changes = i + 1;
    }
    if (tags->list.promised > 0) {
        tags->next = tags->list;
        tags->stage = CHANGE;
    } else if (has_promises(tags)) {
        tags->changes = PW_TAGS_SEND_MAX; // decided otherwise, or kept: they go
        tags->stage = CLEAN_PROMISE;
    }
    tags->highest = highest_generation(tags);
    tags->sweeping = true; // whatever a power cut left
    return PW_OK;
}
