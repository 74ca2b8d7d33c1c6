// How the journal reads and writes its records: keys, batches, and what becomes of a record that
// cannot be read.
#include "journal/parts.h"

struct pw_journal_key pw_journal_key(const char *prefix, uint64_t number)
{
    struct pw_journal_key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, prefix);
    pw_put_hex(&out, number, 16);
    return key;
}

bool pw_journal_number(const char *digits, uint64_t *number)
{
    uint8_t bytes[8];
    if (pw_parse_hex(pw_str_of(digits), bytes, sizeof(bytes)) != 8) {
        return false;
    }
    *number = (uint64_t)pw_be32(bytes) << 32 | pw_be32(bytes + 4);
    // Ours begin at 1 and never come far; there is always one before and one after.
    return *number >= 1 && *number <= INT64_MAX;
}

struct pw_store_change pw_journal_put(const struct pw_journal_key *key,
                                      const struct pw_record *record)
{
    return (struct pw_store_change){.key = pw_str_of(key->text), .value = pw_record_str(record)};
}

struct pw_store_change pw_journal_take_away(const struct pw_journal_key *key)
{
    return (struct pw_store_change){.key = pw_str_of(key->text), .remove = true};
}

int pw_journal_load(const struct pw_journal *journal, const struct pw_journal_key *key,
                    struct pw_record *record)
{
    char bytes[PW_RECORD_MAX];
    int len =
        journal->store->get(journal->store->context, pw_str_of(key->text), bytes, sizeof(bytes));
    return len < 0 ? len : pw_record_load(record, bytes, (size_t)len);
}

int64_t pw_journal_write(const struct pw_journal *journal, const struct pw_store_change *changes,
                         size_t count)
{
    int64_t ticket = journal->store->write(journal->store->context, changes, count);
    if (ticket < 0) {
        struct pw_line line;
        pw_line(&line, journal->log, PW_LOG_ERROR, "journal", "not-kept");
        pw_line_str(&line, "key", changes[0].key);
        pw_line_s(&line, "reason", pw_err_name((int)ticket));
        pw_line_end(&line);
    }
    return ticket;
}

// One record, no ticket wanted.
int pw_journal_write_one(const struct pw_journal *journal, const struct pw_journal_key *key,
                         const struct pw_record *record)
{
    struct pw_store_change change = pw_journal_put(key, record);
    int64_t ticket = pw_journal_write(journal, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

int pw_journal_set_aside(struct pw_journal *journal, const struct pw_journal_key *key)
{
    char bytes[PW_STORE_VALUE_MAX];
    struct pw_journal_key bad;
    struct pw_out out = PW_OUT(bad.text);
    pw_put_s(&out, "bad/");
    pw_put_s(&out, key->text);
    int len =
        journal->store->get(journal->store->context, pw_str_of(key->text), bytes, sizeof(bytes));
    struct pw_line line;
    pw_line(&line, journal->log, PW_LOG_ERROR, "journal", "damaged-record");
    pw_line_s(&line, "key", key->text);
    pw_line_s(&line, "kept_as", bad.text);
    pw_line_end(&line);
    if (len < 0 || pw_out_err(&out) != PW_OK) {
        return PW_ERR_STORE;
    }
    const struct pw_store_change changes[2] = {
        {.key = pw_out_str(&out), .value = {.at = bytes, .len = (size_t)len}},
        pw_journal_take_away(key)};
    int64_t ticket = pw_journal_write(journal, changes, 2);
    if (ticket < 0) {
        return (int)ticket;
    }
    journal->must_ticket = ticket;
    journal->damaged++;
    return PW_OK;
}

int pw_journal_keeps(const struct pw_journal *journal)
{
    const struct pw_store *store = journal->store;
    if (store->durable(store->context) < 0) {
        return PW_ERR_STORE;
    }
    return store->able == NULL ? PW_OK : store->able(store->context);
}
