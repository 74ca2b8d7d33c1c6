// Which profiles are installed, and that they last.
#include "smart/smart.h"

#include <string.h>

#define ROOM "profiles"

struct key {
    char text[PW_STORE_KEY_MAX + 1];
};

static struct pw_str key_of(unsigned slot, struct key *key)
{
    struct pw_out out = PW_OUT(key->text);
    pw_put_s(&out, "prof/");
    pw_put_c(&out, (char)('0' + slot / 10));
    pw_put_c(&out, (char)('0' + slot % 10));
    return pw_out_str(&out);
}

static void say(const struct pw_smart *smart, enum pw_level level, const char *event,
                const struct pw_profile_slot *slot)
{
    struct pw_line line;
    pw_line(&line, smart->parts.log, level, ROOM, event);
    pw_line_int(&line, "id", slot->profile.id);
    pw_line_s(&line, "purpose",
              pw_profile_purpose_name((enum pw_profile_purpose)slot->profile.purpose));
    pw_line_int(&line, "level", slot->profile.level);
    pw_line_int(&line, "connector", slot->connector);
    pw_line_end(&line);
}

// ---------------------------------------------------------------------------------------------
// The store.

// What one request changes: it is kept whole or not at all, as far as one batch reaches.
struct batch {
    struct pw_store_change change[PW_STORE_BATCH_MAX];
    struct key key[PW_STORE_BATCH_MAX];
    char record[PW_SMART_RECORD_MAX];
    size_t count;
};

static void batch_remove(struct batch *batch, unsigned slot)
{
    PW_ASSERT(batch->count < PW_STORE_BATCH_MAX);
    struct pw_store_change *change = &batch->change[batch->count];
    *change =
        (struct pw_store_change){.key = key_of(slot, &batch->key[batch->count]), .remove = true};
    batch->count++;
}

// At most one in a batch.
static void batch_put(struct batch *batch, unsigned slot, const struct pw_profile_slot *value)
{
    PW_ASSERT(batch->count < PW_STORE_BATCH_MAX);
    size_t len = pw_smart_pack(value, batch->record);
    batch->change[batch->count] = (struct pw_store_change){
        .key = key_of(slot, &batch->key[batch->count]), .value = {.at = batch->record, .len = len}};
    batch->count++;
}

static int batch_write(struct pw_smart *smart, const struct batch *batch)
{
    const struct pw_store *store = smart->parts.store;
    if (batch->count == 0) {
        return PW_OK;
    }
    int64_t ticket = store->write(store->context, batch->change, batch->count);
    smart->ticket = ticket > 0 ? ticket : smart->ticket;
    return ticket < 0 ? (int)ticket : PW_OK;
}

// ---------------------------------------------------------------------------------------------
// The start.

static int set_aside(const struct pw_smart *smart, const char *key, struct pw_str bytes)
{
    struct key bad;
    struct pw_out out = PW_OUT(bad.text);
    pw_put_s(&out, "bad/");
    pw_put_s(&out, key);
    struct pw_line line;
    pw_line(&line, smart->parts.log, PW_LOG_ERROR, ROOM, "damaged-record");
    pw_line_s(&line, "key", key);
    pw_line_s(&line, "kept_as", bad.text);
    pw_line_end(&line);
    const struct pw_store_change changes[2] = {{.key = pw_out_str(&out), .value = bytes},
                                               {.key = pw_str_of(key), .remove = true}};
    const struct pw_store *store = smart->parts.store;
    int64_t ticket = store->write(store->context, changes, 2);
    return ticket < 0 ? (int)ticket : PW_OK;
}

static bool is_open(const struct pw_smart *smart, uint32_t transaction)
{
    for (unsigned i = 1; i <= smart->parts.connectors; i++) {
        const struct pw_transaction *open = pw_journal_open_on(smart->parts.journal, i);
        if (open != NULL && open->seq == transaction) {
            return true;
        }
    }
    return false;
}

static void take_away(struct pw_smart *smart, unsigned slot)
{
    struct batch batch = {.count = 0};
    say(smart, PW_LOG_INFO, "gone", &smart->set.slot[slot]);
    smart->set.slot[slot].used = false;
    batch_remove(&batch, slot);
    if (batch_write(smart, &batch) != PW_OK) {
        // The next start finds it without its transaction, and takes it away then.
        say(smart, PW_LOG_ERROR, "not-taken-away", &smart->set.slot[slot]);
    }
}

// A slot's number as its key has it; -1: it is none of ours.
static int slot_of(const char *key)
{
    int64_t slot = 0;
    struct key own;
    if (pw_parse_int(pw_str_of(key + sizeof("prof/") - 1), 0, PW_PROFILES_MAX - 1, &slot) !=
        PW_OK) {
        return -1;
    }
    return pw_str_is(key_of((unsigned)slot, &own), key) ? (int)slot : -1;
}

static int read_all(struct pw_smart *smart)
{
    const struct pw_store *store = smart->parts.store;
    struct key at = {.text = "prof/"};
    char bytes[PW_STORE_VALUE_MAX];
    for (;;) {
        struct key found;
        int len = store->next(store->context, PW_STR("prof/"), pw_str_of(at.text), found.text,
                              bytes, sizeof(bytes));
        if (len == PW_ERR_UNKNOWN) {
            return PW_OK;
        }
        if (len < 0) {
            return PW_ERR_STORE;
        }
        at = found;
        const struct pw_str text = {.at = bytes, .len = (size_t)len};
        int slot = slot_of(found.text);
        if (slot < 0 || pw_smart_unpack(text, &smart->set.slot[slot]) != PW_OK) {
            int err = set_aside(smart, found.text, text);
            if (err != PW_OK) {
                return err;
            }
        }
    }
}

int pw_smart_init(struct pw_smart *smart, const struct pw_smart_parts *parts)
{
    memset(smart, 0, sizeof(*smart));
    smart->parts = *parts;
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        smart->of[i].share_ma = INT32_MAX;
        smart->of[i].fading_until = PW_NEVER;
        smart->of[i].used_at = PW_NEVER;
    }
    int err = read_all(smart);
    for (unsigned i = 0; err == PW_OK && i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *slot = &smart->set.slot[i];
        bool lost = slot->used && slot->profile.purpose == PW_PROFILE_TX &&
                    !is_open(smart, slot->transaction);
        if (lost) {
            take_away(smart, i);
        }
    }
    return err;
}

// ---------------------------------------------------------------------------------------------
// Set.

static int refuse(struct pw_out *why, int err, const char *sentence)
{
    pw_put_s(why, sentence);
    return err;
}

// Whether what is installed gives way to what comes.
static bool gives_way(const struct pw_profile_slot *is, const struct pw_profile_slot *comes)
{
    const struct pw_profile *p = &is->profile;
    bool waits = is->transaction == PW_PROFILE_PENDING;
    if (!is->used || waits != (comes->transaction == PW_PROFILE_PENDING)) {
        return false;
    }
    bool same_place = is->connector == comes->connector &&
                      (p->purpose != PW_PROFILE_TX || is->transaction == comes->transaction);
    if (waits) {
        return is->connector == comes->connector; // one remote start at a time
    }
    return p->id == comes->profile.id ||
           (p->purpose == comes->profile.purpose && same_place && p->level == comes->profile.level);
}

// Puts it in the place of what gives way, or into a free one. `keep`: into the store too.
static int install(struct pw_smart *smart, const struct pw_profile_slot *comes, bool keep,
                   struct pw_out *why)
{
    struct batch batch = {.count = 0};
    bool goes[PW_PROFILES_MAX];
    int to = -1;
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        goes[i] = gives_way(&smart->set.slot[i], comes);
        to = to < 0 && goes[i] ? (int)i : to;
    }
    for (unsigned i = 0; i < PW_PROFILES_MAX && to < 0; i++) {
        to = smart->set.slot[i].used ? to : (int)i;
    }
    if (to < 0) {
        return refuse(why, PW_ERR_LIMIT, "there is no room for another profile");
    }
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        if (goes[i] && i != (unsigned)to) {
            batch_remove(&batch, i);
        }
    }
    batch_put(&batch, (unsigned)to, comes);
    int err = keep ? batch_write(smart, &batch) : PW_OK;
    if (err != PW_OK) {
        return refuse(why, err, "it cannot be kept");
    }
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        smart->set.slot[i].used = smart->set.slot[i].used && !goes[i];
    }
    smart->set.slot[to] = *comes;
    say(smart, PW_LOG_INFO, keep ? "set" : "waits", comes);
    return PW_OK;
}

// Which connectors a purpose may be set on (§3.13.1).
static int check_place(const struct pw_smart *smart, unsigned connector, uint32_t transaction,
                       const struct pw_profile *profile, struct pw_out *why)
{
    if (connector > smart->parts.connectors) {
        return refuse(why, PW_ERR_RANGE, "there is no such connector");
    }
    if (profile->purpose == PW_PROFILE_STATION && connector != 0) {
        return refuse(why, PW_ERR_RANGE, "a ChargePointMaxProfile belongs to connector 0");
    }
    if (profile->purpose == PW_PROFILE_TX && (connector == 0 || transaction == 0)) {
        return refuse(why, PW_ERR_RANGE, "a TxProfile belongs to a transaction on a connector");
    }
    bool needs = profile->kind != PW_PROFILE_RELATIVE && !profile->has_start;
    if (needs && pw_settings_int(smart->parts.settings, PW_SET_PROFILES_NEED_START) != 0) {
        return refuse(why, PW_ERR_RANGE, "startSchedule is missing (charging.profiles_need_start)");
    }
    return PW_OK;
}

static int admit(struct pw_smart *smart, const struct pw_profile_slot *slot, struct pw_out *why)
{
    int err = pw_profile_check(&slot->profile, why);
    if (err == PW_OK) {
        err = check_place(smart, slot->connector, slot->transaction, &slot->profile, why);
    }
    if (err == PW_OK && pw_settings_int(smart->parts.settings, PW_SET_REMOTE_ADJUST) == 0) {
        err = refuse(why, PW_ERR_BUSY,
                     "limits from outside do not count here (charging.remote_adjust)");
    }
    return err;
}

int pw_smart_set(struct pw_smart *smart, unsigned connector, uint32_t transaction,
                 const struct pw_profile *profile, pw_unix_ms wall, struct pw_out *why)
{
    const struct pw_profile_slot slot = {.used = true,
                                         .connector = (uint8_t)pw_min(connector, UINT8_MAX),
                                         .transaction =
                                             profile->purpose == PW_PROFILE_TX ? transaction : 0,
                                         .received = wall,
                                         .profile = *profile};
    int err = admit(smart, &slot, why);
    return err == PW_OK ? install(smart, &slot, true, why) : err;
}

int pw_smart_expect(struct pw_smart *smart, unsigned connector, const struct pw_profile *profile,
                    pw_unix_ms wall, struct pw_out *why)
{
    struct pw_profile_slot slot = {.used = true,
                                   .connector = (uint8_t)pw_min(connector, UINT8_MAX),
                                   .transaction = PW_PROFILE_PENDING,
                                   .received = wall};
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        bool waits = smart->set.slot[i].used &&
                     smart->set.slot[i].transaction == PW_PROFILE_PENDING &&
                     smart->set.slot[i].connector == slot.connector;
        smart->set.slot[i].used = smart->set.slot[i].used && !waits;
    }
    if (profile == NULL) {
        return PW_OK;
    }
    slot.profile = *profile;
    int err = slot.profile.purpose == PW_PROFILE_TX
                  ? admit(smart, &slot, why)
                  : refuse(why, PW_ERR_RANGE, "a remote start takes a TxProfile only");
    return err == PW_OK ? install(smart, &slot, false, why) : err;
}

int pw_smart_began(struct pw_smart *smart, unsigned connector, uint32_t transaction)
{
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        struct pw_profile_slot *slot = &smart->set.slot[i];
        if (!slot->used || slot->transaction != PW_PROFILE_PENDING ||
            slot->connector != connector) {
            continue;
        }
        char text[80];
        struct pw_out why = PW_OUT(text);
        struct pw_profile_slot bound = *slot;
        bound.transaction = transaction;
        slot->used = false;
        int err = install(smart, &bound, true, &why);
        if (err != PW_OK) {
            say(smart, PW_LOG_ERROR, "not-kept", &bound);
            *slot = bound; // it counts for as long as the program runs
        }
        return err;
    }
    return PW_OK;
}

void pw_smart_ended(struct pw_smart *smart, uint32_t transaction)
{
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *slot = &smart->set.slot[i];
        if (slot->used && slot->profile.purpose == PW_PROFILE_TX &&
            slot->transaction == transaction) {
            take_away(smart, i);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Clear.

static bool fits(const struct pw_profile_slot *slot, const struct pw_smart_filter *filter)
{
    const struct pw_profile *p = &slot->profile;
    return slot->used && slot->transaction != PW_PROFILE_PENDING &&
           (!filter->by_id || p->id == filter->id) &&
           (!filter->by_connector || slot->connector == filter->connector) &&
           (!filter->by_purpose || p->purpose == filter->purpose) &&
           (!filter->by_level || p->level == filter->level);
}

int pw_smart_clear(struct pw_smart *smart, const struct pw_smart_filter *filter)
{
    int gone = 0;
    // Two batches at most; who is told "Unknown" or an error asks again.
    for (unsigned from = 0; from < PW_PROFILES_MAX; from += PW_STORE_BATCH_MAX) {
        struct batch batch = {.count = 0};
        unsigned to = (unsigned)pw_min(from + PW_STORE_BATCH_MAX, PW_PROFILES_MAX);
        for (unsigned i = from; i < to; i++) {
            if (fits(&smart->set.slot[i], filter)) {
                batch_remove(&batch, i);
            }
        }
        int err = batch_write(smart, &batch);
        if (err != PW_OK) {
            return PW_ERR_STORE;
        }
        for (unsigned i = from; i < to; i++) {
            if (fits(&smart->set.slot[i], filter)) {
                say(smart, PW_LOG_INFO, "cleared", &smart->set.slot[i]);
                smart->set.slot[i].used = false;
                gone++;
            }
        }
    }
    return gone;
}

int pw_smart_purposes(struct pw_str list, unsigned *purposes, struct pw_out *why)
{
    unsigned found = 0;
    while (list.len > 0) {
        struct pw_str word = pw_str_trim(pw_str_cut(&list, ','));
        unsigned purpose = 0;
        while (purpose < PW_PROFILE_PURPOSE_ROWS &&
               !pw_str_is(word, pw_profile_purpose_name((enum pw_profile_purpose)purpose))) {
            purpose++;
        }
        if (purpose == PW_PROFILE_PURPOSE_ROWS) {
            if (why != NULL) {
                pw_put_s(why,
                         "only ChargePointMaxProfile, TxDefaultProfile and TxProfile are known");
            }
            return PW_ERR_RANGE;
        }
        found |= 1U << purpose;
    }
    *purposes = found;
    return PW_OK;
}
