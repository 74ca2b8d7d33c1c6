// A station without a central system: nobody will ever fetch its messages, so nothing that has
// ended waits for one. What is open keeps its start, so that a central system that is set later
// hears of it; what ended is a receipt for people. Each message leaves in one batch with what
// belongs to it: a power cut leaves either. A start goes before its stop; should a central system
// be set in between, the rest of that charge carries transactionId -1, as after a start refused for
// good.
#include "journal/parts.h"

#include <string.h>

enum {
    PAUSE_MS = 100,       // while the disk is behind
    IN_TROUBLE_MS = 1000, // after it refused
    SLICE = 32,           // messages looked at in one call
};

size_t pw_journal_end_alone(const struct pw_journal *journal, const struct pw_transaction *ended,
                            struct pw_journal_key keys[2], struct pw_signed_keys *signatures,
                            struct pw_store_change *changes)
{
    uint64_t start = journal->start[ended->connector - 1];
    const struct pw_sample *const samples[] = {&ended->first, &ended->last};
    size_t count = 1;
    keys[0] = pw_journal_key("tx/", ended->seq);
    changes[0] = pw_journal_take_away(&keys[0]);
    if (start != 0) {
        keys[1] = pw_journal_key("q/", start);
        changes[1] = pw_journal_take_away(&keys[1]);
        count = 2;
    }
    return count + pw_signed_leave_with(samples, PW_COUNT(samples), signatures, changes + count);
}

int pw_journal_meter_alone(struct pw_journal *journal, const struct pw_sample *sample)
{
    struct pw_signed_keys signatures;
    struct pw_store_change changes[PW_SIGNED_KEYS_MAX];
    // The first reading is its transaction's too.
    size_t samples = sample->reading == PW_READING_BEGIN ? 0 : 1;
    size_t count = pw_signed_leave_with(&sample, samples, &signatures, changes);
    int64_t ticket = count > 0 ? pw_journal_write(journal, changes, count) : 0;
    return ticket < 0 ? (int)ticket : PW_OK;
}

// ---------------------------------------------------------------------------------------------
// What waited when the central system was taken out of the settings.

static bool is_open(const struct pw_journal *journal, uint32_t transaction)
{
    bool found = false;
    for (unsigned i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        found = found || (transaction != 0 && journal->open[i].seq == transaction);
    }
    return found;
}

static bool read_ended(const struct pw_journal *journal, const struct pw_journal_key *key,
                       struct pw_transaction *transaction)
{
    struct pw_record record;
    if (pw_journal_load(journal, key, &record) != PW_OK) {
        return false;
    }
    pw_record_get_transaction(&record, transaction);
    return pw_record_end(&record) == PW_OK;
}

// The message with this key, one whose transaction is not open. What the store says.
static int64_t take_out(struct pw_journal *journal, const struct pw_journal_key *key,
                        struct pw_message *message, uint32_t transaction)
{
    struct pw_journal_key of = pw_journal_key("tx/", transaction);
    struct pw_signed_keys signatures;
    struct pw_record record;
    struct pw_store_change changes[2 + PW_SIGNED_KEYS_MAX] = {pw_journal_take_away(key)};
    bool known = message->kind != PW_MESSAGE_METER && transaction != 0 &&
                 read_ended(journal, &of, &message->transaction);
    size_t count = 1;
    if (known && message->kind == PW_MESSAGE_START) {
        message->transaction.id_state = PW_ID_REFUSED;
        message->transaction.transaction_id = -1;
        pw_transaction_record(&record, &message->transaction);
        changes[count++] = pw_journal_put(&of, &record);
    } else if (message->kind == PW_MESSAGE_STOP) {
        changes[count++] = pw_journal_take_away(&of);
    }
    count += pw_signed_leave(message, &signatures, changes + count);
    int64_t ticket = pw_journal_write(journal, changes, count);
    journal->sweep = journal->sweep || message->kind == PW_MESSAGE_STOP;
    return ticket;
}

static int trim_one(struct pw_journal *journal, const struct pw_journal_key *key,
                    struct pw_record *record)
{
    struct pw_message message;
    uint32_t transaction = 0;
    memset(&message, 0, sizeof(message));
    bool good = pw_message_read(record, &message.kind, &transaction, &message.connector);
    if (good && message.kind == PW_MESSAGE_METER) {
        pw_record_get_sample(record, &message.sample);
    }
    if (!good || pw_record_end(record) != PW_OK) {
        int err = pw_journal_set_aside(journal, key);
        journal->waiting -= err == PW_OK ? 1 : 0;
        return err;
    }
    if (message.kind == PW_MESSAGE_START && is_open(journal, transaction)) {
        return PW_OK;
    }
    int64_t ticket = take_out(journal, key, &message, transaction);
    if (ticket < 0) {
        return (int)ticket;
    }
    journal->must_ticket = ticket;
    journal->waiting--;
    return PW_OK;
}

// Looks at one more. PW_ERR_UNKNOWN: there is none.
static int trim_next(struct pw_journal *journal)
{
    char bytes[PW_RECORD_MAX];
    uint64_t seq = 0;
    struct pw_journal_key found;
    struct pw_record record = {.bad = true};
    struct pw_journal_key after = pw_journal_key("q/", journal->trim_at);
    int len = journal->store->next(journal->store->context, PW_STR("q/"), pw_str_of(after.text),
                                   found.text, bytes, sizeof(bytes));
    if (len < 0) {
        return len;
    }
    if (!pw_journal_number(found.text + strlen("q/"), &seq)) {
        return PW_ERR_UNKNOWN;
    }
    if (pw_record_load(&record, bytes, (size_t)len) != PW_OK) {
        record = (struct pw_record){.bad = true};
    }
    int err = trim_one(journal, &found, &record);
    journal->trim_at = err == PW_OK ? seq : journal->trim_at;
    return err == PW_ERR_UNKNOWN ? PW_ERR_STORE : err;
}

pw_ms pw_journal_trim(struct pw_journal *journal, pw_ms now)
{
    if (journal->trimmed && !journal->sweep) {
        return PW_NEVER;
    }
    // What was taken away may be read until that is durable.
    if (pw_journal_durable(journal, journal->must_ticket) != 1) {
        return pw_after(now, PAUSE_MS);
    }
    if (journal->sweep) {
        pw_journal_sweep_notes(journal);
        journal->sweep = false;
    }
    for (int i = 0; i < SLICE && !journal->trimmed; i++) {
        int err = trim_next(journal);
        journal->trimmed = err == PW_ERR_UNKNOWN;
        if (err != PW_OK && !journal->trimmed) {
            return pw_after(now, IN_TROUBLE_MS);
        }
    }
    return journal->trimmed && !journal->sweep ? PW_NEVER : pw_after(now, 1);
}
