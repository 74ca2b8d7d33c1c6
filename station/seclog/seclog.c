#include "seclog/seclog.h"

#include <string.h>

// Bytes of a record: version, number, wall, mono, boot, kind, length, detail, before, hash. The
// hash is over `before` and everything ahead of it.
enum {
    VERSION = 1,
    FIXED_LEN = 1 + 4 + 8 + 8 + 4 + 1 + 1,
    RECORD_MAX = FIXED_LEN + PW_SECLOG_DETAIL_MAX + 2 * PW_SHA256_LEN,
    HEAD_LEN = 1 + 4 + 4 + 4 + PW_SHA256_LEN,
};

static const struct {
    const char *word;
    bool critical;
} kinds[PW_SECURITY_KINDS] = {
#define PW_SECURITY_EVENT_ROW(name, word, critical) {word, critical},
    PW_SECURITY_EVENTS(PW_SECURITY_EVENT_ROW)
#undef PW_SECURITY_EVENT_ROW
};

const char *pw_security_event_name(enum pw_security_event_kind kind)
{
    PW_ASSERT(kind < PW_SECURITY_KINDS);
    return kinds[kind].word;
}

bool pw_security_event_critical(enum pw_security_event_kind kind)
{
    PW_ASSERT(kind < PW_SECURITY_KINDS);
    return kinds[kind].critical;
}

// ---------------------------------------------------------------------------------------------
// Keys.

struct key {
    char text[PW_STORE_KEY_MAX + 1];
};

static struct key key_of(uint32_t number)
{
    struct key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, "sec/");
    pw_put_hex(&out, number % PW_SECLOG_RECORDS, 4);
    return key;
}

// ---------------------------------------------------------------------------------------------
// Records.

// `whole` also gets the hash.
static struct pw_str encode(const struct pw_seclog_record *record, uint8_t to[RECORD_MAX],
                            bool whole)
{
    struct pw_bin_out pack = {.cap = RECORD_MAX};
    pack.at = to;
    pw_bin_put(&pack, VERSION, 1);
    pw_bin_put(&pack, record->number, 4);
    pw_bin_put(&pack, (uint64_t)record->wall, 8);
    pw_bin_put(&pack, record->mono, 8);
    pw_bin_put(&pack, record->boot, 4);
    pw_bin_put(&pack, (uint64_t)record->kind, 1);
    pw_bin_put_text(&pack, record->detail, 1);
    pw_bin_put_bytes(&pack, record->before, PW_SHA256_LEN);
    if (whole) {
        pw_bin_put_bytes(&pack, record->hash, PW_SHA256_LEN);
    }
    return pw_bin_str(&pack);
}

static int decode(struct pw_bin_in *from, struct pw_seclog_record *record)
{
    memset(record, 0, sizeof(*record));
    uint64_t version = pw_bin_get(from, 1);
    record->number = (uint32_t)pw_bin_get(from, 4);
    record->wall = (pw_unix_ms)pw_bin_get(from, 8);
    record->mono = pw_bin_get(from, 8);
    record->boot = (uint32_t)pw_bin_get(from, 4);
    uint64_t kind = pw_bin_get(from, 1);
    pw_bin_get_text(from, record->detail, sizeof(record->detail), 1);
    pw_bin_get_bytes(from, record->before, PW_SHA256_LEN);
    pw_bin_get_bytes(from, record->hash, PW_SHA256_LEN);
    if (!pw_bin_end(from) || version != VERSION || kind >= PW_SECURITY_KINDS) {
        return PW_ERR_STORE;
    }
    record->kind = (enum pw_security_event_kind)kind;
    return PW_OK;
}

static void hash_of(const struct pw_seclog_record *record, uint8_t hash[PW_SHA256_LEN])
{
    uint8_t bytes[RECORD_MAX];
    struct pw_sha256 sha;
    struct pw_str body = encode(record, bytes, false);
    pw_sha256_begin(&sha);
    pw_sha256_add(&sha, body.at, body.len);
    pw_sha256_end(&sha, hash);
}

static struct pw_str encode_head(const struct pw_seclog *seclog, uint8_t to[HEAD_LEN])
{
    struct pw_bin_out pack = {.cap = HEAD_LEN};
    pack.at = to;
    pw_bin_put(&pack, VERSION, 1);
    pw_bin_put(&pack, seclog->newest, 4);
    pw_bin_put(&pack, seclog->told, 4);
    pw_bin_put(&pack, seclog->lost, 4);
    pw_bin_put_bytes(&pack, seclog->hash, PW_SHA256_LEN);
    return pw_bin_str(&pack);
}

static int load(const struct pw_store *store, struct pw_str key, uint8_t room[RECORD_MAX],
                struct pw_bin_in *from)
{
    int len = store->get(store->context, key, (char *)room, RECORD_MAX);
    *from = (struct pw_bin_in){.at = room, .left = len > 0 ? (size_t)len : 0};
    return len < 0 ? len : PW_OK;
}

// ---------------------------------------------------------------------------------------------

static void log_line(const struct pw_seclog *seclog, const char *event, int err)
{
    struct pw_line line;
    pw_line(&line, seclog->log, PW_LOG_ERROR, "seclog", event);
    pw_line_s(&line, "reason", pw_err_name(err));
    pw_line_end(&line);
}

void pw_seclog_open(struct pw_seclog *seclog, const struct pw_store *store,
                    const struct pw_log *log)
{
    uint8_t bytes[RECORD_MAX];
    struct pw_bin_in from;
    *seclog = (struct pw_seclog){.store = store, .log = log};
    int err = load(store, PW_STR("sec/h"), bytes, &from);
    if (err == PW_ERR_UNKNOWN) {
        return;
    }
    struct pw_seclog read = *seclog;
    uint64_t version = pw_bin_get(&from, 1);
    read.newest = (uint32_t)pw_bin_get(&from, 4);
    read.told = (uint32_t)pw_bin_get(&from, 4);
    read.lost = (uint32_t)pw_bin_get(&from, 4);
    pw_bin_get_bytes(&from, read.hash, PW_SHA256_LEN);
    if (err == PW_OK && pw_bin_end(&from) && version == VERSION) {
        *seclog = read;
        return;
    }
    log_line(seclog, "head-unreadable", PW_ERR_STORE);
    struct pw_seclog_record first = {.kind = PW_SECURITY_LOG_CLEARED,
                                     .detail = "the head of the log could not be read"};
    // If that is not kept either, the next one says so.
    (void)!pw_seclog_add(seclog, &first);
}

int pw_seclog_add(struct pw_seclog *seclog, struct pw_seclog_record *record)
{
    uint8_t body[RECORD_MAX];
    uint8_t head[HEAD_LEN];
    struct pw_seclog next = *seclog;
    next.newest++;
    record->number = next.newest;
    memcpy(record->before, seclog->hash, PW_SHA256_LEN);
    hash_of(record, record->hash);
    memcpy(next.hash, record->hash, PW_SHA256_LEN);
    if (next.newest > PW_SECLOG_RECORDS && next.told < next.newest - PW_SECLOG_RECORDS) {
        next.told = next.newest - PW_SECLOG_RECORDS; // the one that goes was never told
        next.lost++;
    }
    struct key key = key_of(record->number);
    const struct pw_store_change changes[2] = {
        {.key = pw_str_of(key.text), .value = encode(record, body, true)},
        {.key = PW_STR("sec/h"), .value = encode_head(&next, head)}};
    int64_t ticket = seclog->store->write(seclog->store->context, changes, PW_COUNT(changes));
    if (ticket < 0) {
        log_line(seclog, "not-kept", (int)ticket);
        return (int)ticket;
    }
    *seclog = next;
    seclog->ticket = ticket;
    return PW_OK;
}

int pw_seclog_read(const struct pw_seclog *seclog, uint32_t number, struct pw_seclog_record *record)
{
    uint8_t bytes[RECORD_MAX];
    struct pw_bin_in from;
    struct key key = key_of(number);
    if (number == 0 || number > seclog->newest || number < pw_seclog_oldest(seclog)) {
        return PW_ERR_UNKNOWN;
    }
    int err = load(seclog->store, pw_str_of(key.text), bytes, &from);
    if (err == PW_OK) {
        err = decode(&from, record);
    }
    // What is not durable yet may still show the record that it replaces.
    return err == PW_OK && record->number != number ? PW_ERR_UNKNOWN : err;
}

uint32_t pw_seclog_oldest(const struct pw_seclog *seclog)
{
    return seclog->newest == 0                  ? 0
           : seclog->newest > PW_SECLOG_RECORDS ? seclog->newest - PW_SECLOG_RECORDS + 1
                                                : 1;
}

// ---------------------------------------------------------------------------------------------
// What has still to be told.

int pw_seclog_untold(struct pw_seclog *seclog, struct pw_seclog_record *record)
{
    if (seclog->told >= seclog->newest ||
        seclog->store->durable(seclog->store->context) < seclog->ticket) {
        return PW_ERR_UNKNOWN;
    }
    int err = pw_seclog_read(seclog, seclog->told + 1, record);
    if (err != PW_OK) {
        // A damaged record cannot be told; the check of the chain shows it.
        log_line(seclog, "record-unreadable", err);
        seclog->lost++;
        pw_seclog_said(seclog, seclog->told + 1);
        return PW_ERR_UNKNOWN;
    }
    return PW_OK;
}

void pw_seclog_said(struct pw_seclog *seclog, uint32_t number)
{
    uint8_t head[HEAD_LEN];
    if (number <= seclog->told || number > seclog->newest) {
        return;
    }
    seclog->told = number;
    const struct pw_store_change change = {.key = PW_STR("sec/h"),
                                           .value = encode_head(seclog, head)};
    int64_t ticket = seclog->store->write(seclog->store->context, &change, 1);
    if (ticket < 0) {
        log_line(seclog, "not-kept", (int)ticket); // it is told once more after a start
        return;
    }
    seclog->ticket = ticket;
}

// ---------------------------------------------------------------------------------------------
// The check.

void pw_seclog_check_begin(const struct pw_seclog *seclog, struct pw_seclog_check *check)
{
    *check = (struct pw_seclog_check){.next = pw_seclog_oldest(seclog)};
}

// The oldest record says itself what was before it, the first one ever: nothing.
static bool fits(const struct pw_seclog_check *check, const struct pw_seclog_record *record)
{
    static const uint8_t nothing[PW_SHA256_LEN];
    uint8_t hash[PW_SHA256_LEN];
    hash_of(record, hash);
    const uint8_t *before = record->number == 1 ? nothing : check->hash;
    bool first = check->records == 0 && record->number != 1;
    return memcmp(hash, record->hash, PW_SHA256_LEN) == 0 &&
           (first || memcmp(before, record->before, PW_SHA256_LEN) == 0);
}

bool pw_seclog_check_step(const struct pw_seclog *seclog, struct pw_seclog_check *check,
                          unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        struct pw_seclog_record record;
        if (check->next != 0 && check->next < pw_seclog_oldest(seclog)) {
            // Overwritten meanwhile: what is there now begins later.
            check->next = pw_seclog_oldest(seclog);
            check->records = 0;
        }
        if (check->next == 0 || check->next > seclog->newest || check->bad != 0) {
            break;
        }
        int err = pw_seclog_read(seclog, check->next, &record);
        if (err != PW_OK || !fits(check, &record)) {
            check->bad = check->next;
            break;
        }
        memcpy(check->hash, record.hash, PW_SHA256_LEN);
        check->records++;
        check->next++;
    }
    bool whole = check->next > seclog->newest || check->next == 0;
    if (whole && check->bad == 0 && check->records > 0 &&
        memcmp(check->hash, seclog->hash, PW_SHA256_LEN) != 0) {
        check->bad = seclog->newest; // the end was cut off and made anew
    }
    return !whole && check->bad == 0;
}

void pw_seclog_put(struct pw_out *out, const struct pw_seclog_record *record)
{
    pw_put_uint(out, record->number);
    pw_put_c(out, ' ');
    if (record->wall > 0) {
        pw_put_time(out, record->wall);
    } else {
        pw_put_s(out, "clock-unset+");
        pw_put_fixed(out, (int64_t)record->mono, 3);
    }
    pw_put_c(out, ' ');
    pw_put_s(out, pw_security_event_name(record->kind));
    pw_put_s(out, " boot=");
    pw_put_uint(out, record->boot);
    pw_put_c(out, ' ');
    for (size_t i = 0; i < 8; i++) {
        pw_put_hex(out, record->hash[i], 2);
    }
    if (record->detail[0] != '\0') {
        pw_put_s(out, " ");
    }
    for (const char *c = record->detail; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        pw_put_c(out, byte < ' ' || byte == 0x7F ? '?' : *c);
    }
}
