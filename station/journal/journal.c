#include "journal/journal.h"

#include "journal/record.h"
#include "journal/signed.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Keys. Sequence numbers are in fixed-width hexadecimal, so that they sort as they count.

struct key {
    char text[PW_STORE_KEY_MAX + 1];
};

static struct key numbered_key(const char *prefix, uint64_t number)
{
    struct key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, prefix);
    pw_put_hex(&out, number, 16);
    return key;
}

static struct pw_store_change put(const struct key *key, const struct pw_record *record)
{
    return (struct pw_store_change){.key = pw_str_of(key->text), .value = pw_record_str(record)};
}

static struct pw_store_change take_away(const struct key *key)
{
    return (struct pw_store_change){.key = pw_str_of(key->text), .remove = true};
}

static int load(const struct pw_journal *journal, const struct key *key, struct pw_record *record)
{
    char bytes[PW_RECORD_MAX];
    int len =
        journal->store->get(journal->store->context, pw_str_of(key->text), bytes, sizeof(bytes));
    return len < 0 ? len : pw_record_load(record, bytes, (size_t)len);
}

static int64_t write(const struct pw_journal *journal, const struct pw_store_change *changes,
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
static int write_one(const struct pw_journal *journal, const struct key *key,
                     const struct pw_record *record)
{
    struct pw_store_change change = put(key, record);
    int64_t ticket = write(journal, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

// A record that cannot be read leaves its place and is kept as it is under "bad/": it must neither
// stop the station nor be lost to whoever looks into it.
static int set_aside(struct pw_journal *journal, const struct key *key)
{
    char bytes[PW_STORE_VALUE_MAX];
    struct key bad;
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
        {.key = pw_out_str(&out), .value = {.at = bytes, .len = (size_t)len}}, take_away(key)};
    int64_t ticket = write(journal, changes, 2);
    if (ticket < 0) {
        return (int)ticket;
    }
    journal->must_ticket = ticket;
    journal->damaged++;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Reading back.

static int read_counters(struct pw_journal *journal)
{
    struct pw_record record;
    struct key key = {.text = "n"};
    int err = load(journal, &key, &record);
    journal->transaction_next = 1;
    journal->boot = 1;
    if (err == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (err != PW_OK) {
        return err == PW_ERR_STORE ? set_aside(journal, &key) : err;
    }
    uint32_t transaction_next = (uint32_t)pw_record_get(&record, 4);
    uint32_t boot = (uint32_t)pw_record_get(&record, 4) + 1;
    if (pw_record_end(&record) != PW_OK) {
        return set_aside(journal, &key);
    }
    journal->transaction_next = transaction_next;
    journal->boot = boot;
    return PW_OK;
}

static void counters_record(const struct pw_journal *journal, struct pw_record *record)
{
    pw_record_start(record);
    pw_record_put(record, journal->transaction_next, 4);
    pw_record_put(record, journal->boot, 4);
}

static int read_open_transactions(struct pw_journal *journal)
{
    struct key at = {.text = ""};
    char bytes[PW_RECORD_MAX];
    for (;;) {
        struct key found;
        int len = journal->store->next(journal->store->context, PW_STR("tx/"), pw_str_of(at.text),
                                       found.text, bytes, sizeof(bytes));
        if (len == PW_ERR_UNKNOWN) {
            return PW_OK;
        }
        struct pw_record record;
        struct pw_transaction transaction;
        int err = len < 0 ? len : pw_record_load(&record, bytes, (size_t)len);
        if (err == PW_OK) {
            pw_record_get_transaction(&record, &transaction);
            err = pw_record_end(&record);
        }
        at = found;
        if (err != PW_OK) {
            err = set_aside(journal, &found);
            if (err != PW_OK) {
                return err;
            }
            continue;
        }
        // Whatever the counters say (they may have been damaged), no number is used twice.
        if (transaction.seq >= journal->transaction_next) {
            journal->transaction_next = transaction.seq + 1;
        }
        if (!transaction.stopped) {
            journal->open[transaction.connector - 1] = transaction;
        }
    }
}

// Messages carry consecutive numbers, so their first and last key say it all.
static int read_queue(struct pw_journal *journal)
{
    struct key at = {.text = ""};
    char bytes[PW_RECORD_MAX];
    bool any = false;
    for (;;) {
        struct key found;
        uint8_t seq[8];
        int len = journal->store->next(journal->store->context, PW_STR("q/"), pw_str_of(at.text),
                                       found.text, bytes, sizeof(bytes));
        if (len == PW_ERR_UNKNOWN) {
            return PW_OK;
        }
        at = found;
        if (len < 0) {
            return len;
        }
        if (pw_parse_hex(pw_str_of(found.text + 2), seq, sizeof(seq)) != 8) {
            int err = set_aside(journal, &found);
            if (err != PW_OK) {
                return err;
            }
            continue;
        }
        uint64_t number = (uint64_t)pw_be32(seq) << 32 | pw_be32(seq + 4);
        journal->head = any ? journal->head : number;
        journal->tail = number + 1;
        any = true;
    }
}

int pw_journal_open(struct pw_journal *journal, const struct pw_store *store,
                    const struct pw_log *log)
{
    memset(journal, 0, sizeof(*journal));
    journal->store = store;
    journal->log = log;
    journal->head = 1;
    journal->tail = 1;
    int err = read_counters(journal);
    if (err == PW_OK) {
        err = read_open_transactions(journal);
    }
    if (err == PW_OK) {
        err = read_queue(journal);
    }
    if (err != PW_OK) {
        return err;
    }
    struct pw_record record;
    struct key key = {.text = "n"};
    counters_record(journal, &record);
    return write_one(journal, &key, &record);
}

// ---------------------------------------------------------------------------------------------
// Transactions.

static void message_record(struct pw_record *record, enum pw_message_kind kind, uint32_t seq)
{
    pw_record_start(record);
    pw_record_put(record, kind, 1);
    pw_record_put(record, seq, 4);
}

static void transaction_record(struct pw_record *record, const struct pw_transaction *transaction)
{
    pw_record_start(record);
    pw_record_put_transaction(record, transaction);
    PW_ASSERT(!record->bad);
}

// As many places as receipts: the newest takes that of the oldest.
static struct key receipt_key(uint32_t seq)
{
    return numbered_key("done/", seq % PW_JOURNAL_RECEIPTS);
}

int pw_journal_receipt(const struct pw_journal *journal, unsigned back,
                       struct pw_transaction *receipt)
{
    struct pw_record record;
    if (back >= PW_JOURNAL_RECEIPTS || back + 1 >= journal->transaction_next) {
        return PW_ERR_RANGE;
    }
    uint32_t seq = journal->transaction_next - 1 - back;
    struct key key = receipt_key(seq);
    int err = load(journal, &key, &record);
    if (err != PW_OK) {
        return PW_ERR_UNKNOWN;
    }
    pw_record_get_transaction(&record, receipt);
    return pw_record_end(&record) == PW_OK && receipt->seq == seq ? PW_OK : PW_ERR_UNKNOWN;
}

int64_t pw_journal_begin(struct pw_journal *journal, struct pw_transaction *transaction)
{
    PW_ASSERT(transaction->connector >= 1 && transaction->connector <= PW_JOURNAL_CONNECTORS);
    PW_ASSERT(journal->open[transaction->connector - 1].seq == 0);
    transaction->seq = journal->transaction_next;
    transaction->transaction_id = PW_TRANSACTION_UNKNOWN;
    transaction->stopped = false;
    journal->transaction_next++;

    struct pw_record records[3];
    struct key keys[3] = {
        numbered_key("tx/", transaction->seq), numbered_key("q/", journal->tail), {.text = "n"}};
    transaction_record(&records[0], transaction);
    message_record(&records[1], PW_MESSAGE_START, transaction->seq);
    counters_record(journal, &records[2]);
    struct pw_store_change changes[3] = {put(&keys[0], &records[0]), put(&keys[1], &records[1]),
                                         put(&keys[2], &records[2])};
    int64_t ticket = write(journal, changes, 3);
    if (ticket < 0) {
        return ticket;
    }
    journal->tail++;
    journal->must_ticket = ticket;
    journal->open[transaction->connector - 1] = *transaction;
    return ticket;
}

int pw_journal_meter(struct pw_journal *journal, unsigned connector, const struct pw_sample *sample)
{
    const struct pw_transaction *open = pw_journal_open_on(journal, connector);
    struct pw_record record;
    struct key key = numbered_key("q/", journal->tail);
    PW_ASSERT(open != NULL);
    if (pw_journal_waiting(journal) >= PW_JOURNAL_MESSAGES) {
        journal->dropped++;
        return PW_ERR_LIMIT;
    }
    message_record(&record, PW_MESSAGE_METER, open->seq);
    pw_record_put_sample(&record, sample);
    int err = write_one(journal, &key, &record);
    if (err == PW_OK) {
        journal->tail++;
    }
    return err;
}

int64_t pw_journal_end(struct pw_journal *journal, unsigned connector, uint8_t reason,
                       struct pw_str stop_id_tag, const struct pw_sample *last)
{
    PW_ASSERT(pw_journal_open_on(journal, connector) != NULL);
    struct pw_transaction *open = &journal->open[connector - 1];
    struct pw_transaction ended = *open;
    ended.stopped = true;
    ended.reason = reason;
    ended.last = *last;
    int err = pw_str_copy(ended.stop_id_tag, sizeof(ended.stop_id_tag), stop_id_tag);
    PW_ASSERT(err == PW_OK);

    struct pw_record records[2];
    struct key keys[3] = {numbered_key("tx/", ended.seq), numbered_key("q/", journal->tail),
                          receipt_key(ended.seq)};
    transaction_record(&records[0], &ended);
    message_record(&records[1], PW_MESSAGE_STOP, ended.seq);
    struct pw_store_change changes[3] = {put(&keys[0], &records[0]), put(&keys[1], &records[1]),
                                         put(&keys[2], &records[0])};
    // One that began before all that are shown would take a newer one's place.
    bool shown = journal->transaction_next - ended.seq <= PW_JOURNAL_RECEIPTS;
    int64_t ticket = write(journal, changes, shown ? 3 : 2);
    if (ticket < 0) {
        return ticket;
    }
    journal->tail++;
    journal->must_ticket = ticket;
    memset(open, 0, sizeof(*open));
    return ticket;
}

const struct pw_transaction *pw_journal_open_on(const struct pw_journal *journal,
                                                unsigned connector)
{
    PW_ASSERT(connector >= 1 && connector <= PW_JOURNAL_CONNECTORS);
    const struct pw_transaction *open = &journal->open[connector - 1];
    return open->seq == 0 ? NULL : open;
}

unsigned pw_journal_connector_of(const struct pw_journal *journal, int32_t transaction_id)
{
    for (unsigned i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (journal->open[i].seq != 0 && journal->open[i].transaction_id == transaction_id &&
            transaction_id > 0) {
            return i + 1;
        }
    }
    return 0;
}

int pw_journal_durable(const struct pw_journal *journal, int64_t ticket)
{
    int64_t durable = journal->store->durable(journal->store->context);
    if (durable < 0) {
        return PW_ERR_STORE;
    }
    return durable >= ticket ? 1 : 0;
}

// ---------------------------------------------------------------------------------------------
// The queue. Transaction records are only read back once their last change is durable, because a
// store may answer reads with what is durable and no more.

static int read_transaction(const struct pw_journal *journal, uint32_t seq,
                            struct pw_transaction *transaction)
{
    for (size_t i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (journal->open[i].seq == seq) {
            *transaction = journal->open[i];
            return PW_OK;
        }
    }
    int safe = pw_journal_durable(journal, journal->must_ticket);
    if (safe <= 0) {
        return safe < 0 ? safe : PW_ERR_AGAIN;
    }
    struct pw_record record;
    struct key key = numbered_key("tx/", seq);
    int err = load(journal, &key, &record);
    if (err == PW_OK) {
        pw_record_get_transaction(&record, transaction);
        err = pw_record_end(&record);
    }
    return err;
}

static int read_head(const struct pw_journal *journal, const struct key *key,
                     struct pw_message *message)
{
    struct pw_record record;
    if (journal->head == journal->tail) {
        return PW_ERR_UNKNOWN;
    }
    int safe = pw_journal_durable(journal, journal->must_ticket);
    if (safe <= 0) {
        return safe < 0 ? safe : PW_ERR_AGAIN;
    }
    int err = load(journal, key, &record);
    if (err != PW_OK) {
        return err == PW_ERR_UNKNOWN ? PW_ERR_AGAIN : err;
    }
    memset(message, 0, sizeof(*message));
    message->seq = journal->head;
    message->kind = (enum pw_message_kind)pw_record_get(&record, 1);
    uint32_t seq = (uint32_t)pw_record_get(&record, 4);
    if (message->kind == PW_MESSAGE_METER) {
        pw_record_get_sample(&record, &message->sample);
    }
    err = pw_record_end(&record);
    return err == PW_OK ? read_transaction(journal, seq, &message->transaction) : err;
}

int pw_journal_head(struct pw_journal *journal, struct pw_message *message)
{
    struct key key = numbered_key("q/", journal->head);
    int err = read_head(journal, &key, message);
    // UNKNOWN is the transaction's: its record was set aside, and the message says nothing without.
    bool lost = journal->head != journal->tail && (err == PW_ERR_STORE || err == PW_ERR_UNKNOWN);
    if (!lost || pw_journal_durable(journal, 0) < 0) {
        return err;
    }
    err = set_aside(journal, &key);
    if (err == PW_OK) {
        journal->head++;
    }
    return err == PW_OK ? PW_ERR_AGAIN : err;
}

// Takes the head off the queue together with what becomes of its transaction.
static int leave_queue(struct pw_journal *journal, const struct pw_message *message,
                       const struct pw_store_change *also, size_t count)
{
    PW_ASSERT(message->seq == journal->head && journal->head < journal->tail && count <= 2);
    struct key key = numbered_key("q/", message->seq);
    struct pw_signed_keys keys;
    struct pw_store_change changes[3 + PW_SIGNED_KEYS_MAX] = {take_away(&key)};
    for (size_t i = 0; i < count; i++) {
        changes[1 + i] = also[i];
    }
    // Two changes set a message aside: whoever looks into it may want its signatures.
    size_t taken = count < 2 ? pw_signed_leave(message, &keys, changes + 1 + count) : 0;
    int64_t ticket = write(journal, changes, 1 + count + taken);
    if (ticket < 0) {
        return (int)ticket;
    }
    if (message->kind == PW_MESSAGE_START) {
        journal->must_ticket = ticket;
    }
    journal->head++;
    return PW_OK;
}

static void remember_id(struct pw_journal *journal, uint32_t seq, int32_t transaction_id)
{
    for (size_t i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (journal->open[i].seq == seq) {
            journal->open[i].transaction_id = transaction_id;
        }
    }
}

int pw_journal_answered(struct pw_journal *journal, const struct pw_message *message,
                        int32_t transaction_id)
{
    struct pw_transaction transaction = message->transaction;
    struct key key = numbered_key("tx/", transaction.seq);
    struct pw_record record;
    struct pw_store_change change = {.remove = false};
    int err = PW_OK;
    switch (message->kind) {
    case PW_MESSAGE_METER: return leave_queue(journal, message, NULL, 0);
    case PW_MESSAGE_STOP: change = take_away(&key); break;
    case PW_MESSAGE_START:
        // The transaction may have ended since the message was read: keep what is newest.
        err = read_transaction(journal, transaction.seq, &transaction);
        if (err != PW_OK) {
            return err;
        }
        transaction.transaction_id = transaction_id;
        transaction_record(&record, &transaction);
        change = put(&key, &record);
        break;
    }
    err = leave_queue(journal, message, &change, 1);
    if (err == PW_OK && message->kind == PW_MESSAGE_START) {
        remember_id(journal, transaction.seq, transaction_id);
    }
    return err;
}

int pw_journal_refused(struct pw_journal *journal, const struct pw_message *message)
{
    struct pw_record records[2];
    struct key park = numbered_key("park/", message->seq);
    struct key key = numbered_key("tx/", message->transaction.seq);
    struct pw_transaction transaction = message->transaction;
    if (message->kind == PW_MESSAGE_METER) {
        return leave_queue(journal, message, NULL, 0);
    }
    if (message->kind == PW_MESSAGE_START) {
        int found = read_transaction(journal, transaction.seq, &transaction);
        if (found != PW_OK) {
            return found;
        }
        transaction.transaction_id = PW_TRANSACTION_REFUSED;
    }
    message_record(&records[0], message->kind, transaction.seq);
    pw_record_put_transaction(&records[0], &transaction);
    transaction_record(&records[1], &transaction);
    struct pw_store_change also[2] = {put(&park, &records[0]), message->kind == PW_MESSAGE_START
                                                                   ? put(&key, &records[1])
                                                                   : take_away(&key)};
    int err = leave_queue(journal, message, also, 2);
    if (err == PW_OK) {
        journal->parked++;
    }
    if (err == PW_OK && message->kind == PW_MESSAGE_START) {
        remember_id(journal, transaction.seq, PW_TRANSACTION_REFUSED);
    }
    return err;
}

uint64_t pw_journal_waiting(const struct pw_journal *journal)
{
    return journal->tail - journal->head;
}

// ---------------------------------------------------------------------------------------------
// Registers, latches, settings.

int pw_journal_save_register(struct pw_journal *journal, unsigned connector,
                             const struct pw_register *reg)
{
    struct pw_record record;
    struct key key = numbered_key("reg/", connector);
    pw_record_start(&record);
    pw_record_put(&record, reg->energy.energy_mwh, 8);
    pw_record_put(&record, reg->energy.rest, 8);
    pw_record_put_stamp(&record, reg->at);
    pw_record_put(&record, (uint64_t)reg->counter, 8);
    return write_one(journal, &key, &record);
}

int pw_journal_read_register(struct pw_journal *journal, unsigned connector,
                             struct pw_register *reg)
{
    static const struct pw_register none = {.counter = -1};
    struct pw_record record;
    struct key key = numbered_key("reg/", connector);
    int err = load(journal, &key, &record);
    *reg = none;
    if (err == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (err == PW_OK) {
        reg->energy.energy_mwh = pw_record_get(&record, 8);
        reg->energy.rest = pw_record_get(&record, 8);
        reg->at = pw_record_get_stamp(&record);
        reg->counter = pw_record_has_counter(&record) ? (int64_t)pw_record_get(&record, 8) : -1;
        err = pw_record_end(&record);
    }
    if (err == PW_ERR_STORE) {
        *reg = none;
        err = set_aside(journal, &key);
    }
    return err;
}

// Bits of what is kept besides the latches. From KEEP_LIMIT on one for each limit that follows.
enum { KEEP_INOPERATIVE = 1, KEEP_CHARGE_NOW = 2, KEEP_LIMIT = 4 };

static unsigned keep_bits(const struct pw_keep *keep)
{
    unsigned bits =
        (keep->inoperative ? KEEP_INOPERATIVE : 0U) | (keep->charge_now ? KEEP_CHARGE_NOW : 0U);
    for (unsigned i = 0; i < PW_JOURNAL_LIMITS; i++) {
        bits |= keep->limited[i] ? (unsigned)KEEP_LIMIT << i : 0U;
    }
    return bits;
}

int pw_journal_save_keep(struct pw_journal *journal, unsigned connector, struct pw_keep keep)
{
    struct pw_record record;
    struct key key = numbered_key("keep/", connector);
    pw_record_start(&record);
    pw_record_put(&record, keep.latched, 4);
    pw_record_put(&record, keep_bits(&keep), 1);
    for (unsigned i = 0; i < PW_JOURNAL_LIMITS; i++) {
        if (keep.limited[i]) {
            pw_record_put(&record, (uint64_t)keep.limit[i], 8);
        }
    }
    return write_one(journal, &key, &record);
}

int pw_journal_read_keep(struct pw_journal *journal, unsigned connector, struct pw_keep *keep)
{
    struct pw_record record;
    struct key key = numbered_key("keep/", connector);
    int err = load(journal, &key, &record);
    *keep = (struct pw_keep){.latched = 0};
    if (err == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (err == PW_OK) {
        keep->latched = (uint32_t)pw_record_get(&record, 4);
        uint64_t bits = pw_record_get(&record, 1);
        keep->inoperative = (bits & KEEP_INOPERATIVE) != 0;
        keep->charge_now = (bits & KEEP_CHARGE_NOW) != 0;
        for (unsigned i = 0; i < PW_JOURNAL_LIMITS; i++) {
            keep->limited[i] = (bits >> i & KEEP_LIMIT) != 0;
            keep->limit[i] = keep->limited[i] ? (int64_t)pw_record_get(&record, 8) : 0;
        }
        err = pw_record_end(&record);
    }
    if (err == PW_ERR_STORE) {
        // Which faults were latched nobody knows: a person must look before it charges again.
        *keep = (struct pw_keep){.inoperative = true};
        err = set_aside(journal, &key);
    }
    return err;
}

// "set/<path>". PW_ERR_LIMIT when that is too long.
static int setting_key(struct pw_str path, struct key *key)
{
    struct pw_out out = PW_OUT(key->text);
    pw_put_s(&out, "set/");
    pw_put(&out, path);
    return pw_out_err(&out);
}

int pw_journal_save_setting(struct pw_journal *journal, struct pw_str path, struct pw_str value)
{
    struct key key;
    if (setting_key(path, &key) != PW_OK || value.len > PW_STORE_VALUE_MAX) {
        return PW_ERR_LIMIT;
    }
    struct pw_store_change change = {.key = pw_str_of(key.text), .value = value};
    int64_t ticket = write(journal, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

int pw_journal_drop_setting(struct pw_journal *journal, struct pw_str path)
{
    struct key key;
    if (setting_key(path, &key) != PW_OK) {
        return PW_ERR_LIMIT;
    }
    struct pw_store_change change = take_away(&key);
    int64_t ticket = write(journal, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

int pw_journal_next_setting(const struct pw_journal *journal, char *path, char *value, size_t cap)
{
    struct key after = {.text = ""};
    struct key found;
    struct pw_out out = PW_OUT(after.text);
    if (path[0] != '\0') {
        pw_put_s(&out, "set/");
        pw_put_s(&out, path);
    }
    PW_ASSERT(cap > 0);
    int len = journal->store->next(journal->store->context, PW_STR("set/"), pw_out_str(&out),
                                   found.text, value, cap - 1);
    if (len < 0) {
        return len;
    }
    value[len] = '\0';
    return pw_str_copy(path, PW_STORE_KEY_MAX + 1, pw_str_of(found.text + 4));
}
