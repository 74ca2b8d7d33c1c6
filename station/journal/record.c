#include "journal/record.h"

#include <string.h>

// Version 1 had two bytes of `has`, registers of version 2 had no counter, and version 3 knew an
// unanswered or refused start by its id alone: all are read.
enum { VERSION_OLD = 1, VERSION_NO_COUNTER = 2, VERSION_ID_ALONE = 3, VERSION = 4 };

enum { STOPPED = 1, RESERVED = 2 };

void pw_record_put(struct pw_record *record, uint64_t value, unsigned bytes)
{
    struct pw_bin_out to = {record->bytes, sizeof(record->bytes), record->len, record->bad};
    pw_bin_put(&to, value, bytes);
    record->len = to.len;
    record->bad = to.bad;
}

uint64_t pw_record_get(struct pw_record *record, unsigned bytes)
{
    struct pw_bin_in from = {record->bytes + record->at, record->len - record->at, record->bad};
    uint64_t value = pw_bin_get(&from, bytes);
    record->at = record->len - from.left;
    record->bad = from.bad;
    return value;
}

void pw_record_start(struct pw_record *record)
{
    record->len = 0;
    record->at = 0;
    record->bad = false;
    pw_record_put(record, VERSION, 1);
}

int pw_record_load(struct pw_record *record, const char *bytes, size_t len)
{
    if (len > sizeof(record->bytes)) {
        return PW_ERR_STORE;
    }
    memcpy(record->bytes, bytes, len);
    record->len = len;
    record->at = 0;
    record->bad = false;
    record->version = (uint8_t)pw_record_get(record, 1);
    return record->version >= VERSION_OLD && record->version <= VERSION ? PW_OK : PW_ERR_STORE;
}

bool pw_record_has_counter(const struct pw_record *record)
{
    return record->version > VERSION_NO_COUNTER;
}

bool pw_record_has_connector(const struct pw_record *record)
{
    return record->version > VERSION_ID_ALONE;
}

int pw_record_end(const struct pw_record *record)
{
    return record->bad || record->at != record->len ? PW_ERR_STORE : PW_OK;
}

struct pw_str pw_record_str(const struct pw_record *record)
{
    PW_ASSERT(!record->bad);
    return (struct pw_str){.at = (const char *)record->bytes, .len = record->len};
}

static void put_text(struct pw_record *record, const char *text)
{
    size_t len = strlen(text);
    pw_record_put(record, len, 1);
    for (size_t i = 0; i < len; i++) {
        pw_record_put(record, (unsigned char)text[i], 1);
    }
}

static void get_text(struct pw_record *record, char *text, size_t cap)
{
    size_t len = (size_t)pw_record_get(record, 1);
    if (len >= cap) {
        record->bad = true;
        len = 0;
    }
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)pw_record_get(record, 1);
    }
    text[len] = '\0';
}

void pw_record_put_stamp(struct pw_record *record, struct pw_stamp at)
{
    pw_record_put(record, (uint64_t)at.wall, 8);
    pw_record_put(record, at.mono, 8);
    pw_record_put(record, at.boot, 4);
}

struct pw_stamp pw_record_get_stamp(struct pw_record *record)
{
    struct pw_stamp at;
    at.wall = (pw_unix_ms)pw_record_get(record, 8);
    at.mono = pw_record_get(record, 8);
    at.boot = (uint32_t)pw_record_get(record, 4);
    return at;
}

void pw_record_put_sample(struct pw_record *record, const struct pw_sample *sample)
{
    pw_record_put_stamp(record, sample->at);
    pw_record_put(record, sample->reading, 1);
    pw_record_put(record, sample->has, 4);
    for (unsigned i = 0; i < PW_QUANTITIES; i++) {
        if ((sample->has >> i & 1U) != 0) {
            pw_record_put(record, (uint64_t)sample->value[i], 8);
        }
    }
}

void pw_record_get_sample(struct pw_record *record, struct pw_sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    sample->at = pw_record_get_stamp(record);
    uint64_t reading = pw_record_get(record, 1);
    sample->has = (uint32_t)pw_record_get(record, record->version == VERSION_OLD ? 2 : 4);
    if (reading >= PW_READINGS || sample->has >> PW_QUANTITIES != 0) {
        record->bad = true;
        return;
    }
    sample->reading = (enum pw_reading)reading;
    for (unsigned i = 0; i < PW_QUANTITIES; i++) {
        if ((sample->has >> i & 1U) != 0) {
            sample->value[i] = (int64_t)pw_record_get(record, 8);
        }
    }
}

void pw_record_put_transaction(struct pw_record *record, const struct pw_transaction *transaction)
{
    pw_record_put(record, transaction->seq, 4);
    pw_record_put(record, transaction->connector, 1);
    put_text(record, transaction->id_tag);
    pw_record_put_sample(record, &transaction->first);
    pw_record_put(record, (uint32_t)transaction->transaction_id, 4);
    pw_record_put(record, transaction->id_state, 1);
    pw_record_put(record,
                  (transaction->stopped ? (unsigned)STOPPED : 0U) |
                      (transaction->reserved ? (unsigned)RESERVED : 0U),
                  1);
    if (transaction->reserved) {
        pw_record_put(record, (uint32_t)transaction->reservation_id, 4);
    }
    if (transaction->stopped) {
        pw_record_put(record, transaction->reason, 1);
        put_text(record, transaction->stop_id_tag);
        pw_record_put_sample(record, &transaction->last);
    }
}

// Up to version 3 there was no state: 0 meant awaited, -1 refused.
static enum pw_transaction_id get_id_state(struct pw_record *record, int32_t id)
{
    if (record->version <= VERSION_ID_ALONE) {
        return id == 0 ? PW_ID_AWAITED : id == -1 ? PW_ID_REFUSED : PW_ID_GIVEN;
    }
    uint64_t state = pw_record_get(record, 1);
    if (state > PW_ID_REFUSED) {
        record->bad = true;
        return PW_ID_AWAITED;
    }
    return (enum pw_transaction_id)state;
}

void pw_record_get_transaction(struct pw_record *record, struct pw_transaction *transaction)
{
    memset(transaction, 0, sizeof(*transaction));
    transaction->seq = (uint32_t)pw_record_get(record, 4);
    transaction->connector = (uint8_t)pw_record_get(record, 1);
    get_text(record, transaction->id_tag, sizeof(transaction->id_tag));
    pw_record_get_sample(record, &transaction->first);
    transaction->transaction_id = (int32_t)(uint32_t)pw_record_get(record, 4);
    transaction->id_state = get_id_state(record, transaction->transaction_id);
    uint64_t bits = pw_record_get(record, 1);
    transaction->stopped = (bits & STOPPED) != 0;
    transaction->reserved = (bits & RESERVED) != 0;
    if (transaction->reserved) {
        transaction->reservation_id = (int32_t)(uint32_t)pw_record_get(record, 4);
    }
    if (transaction->stopped) {
        transaction->reason = (uint8_t)pw_record_get(record, 1);
        get_text(record, transaction->stop_id_tag, sizeof(transaction->stop_id_tag));
        pw_record_get_sample(record, &transaction->last);
    }
    if (transaction->connector < 1 || transaction->connector > PW_JOURNAL_CONNECTORS) {
        record->bad = true;
    }
}
