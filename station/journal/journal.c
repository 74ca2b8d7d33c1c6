// Opening the journal, and transactions from begin to end. The queue of their messages is in
// queue.c, thin.c and alone.c, the readings for their StopTransaction in notes.c.
#include "journal/parts.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Reading back.

static int read_counters(struct pw_journal *journal)
{
    struct pw_record record;
    struct pw_journal_key key = {.text = "n"};
    int err = pw_journal_load(journal, &key, &record);
    journal->transaction_next = 1;
    journal->boot = 1;
    if (err == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (err != PW_OK) {
        return err == PW_ERR_STORE ? pw_journal_set_aside(journal, &key) : err;
    }
    uint32_t transaction_next = (uint32_t)pw_record_get(&record, 4);
    uint32_t boot = (uint32_t)pw_record_get(&record, 4) + 1;
    if (pw_record_end(&record) != PW_OK) {
        return pw_journal_set_aside(journal, &key);
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
    struct pw_journal_key at = {.text = ""};
    char bytes[PW_RECORD_MAX];
    for (;;) {
        struct pw_journal_key found;
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
            err = pw_journal_set_aside(journal, &found);
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

int pw_journal_open(struct pw_journal *journal, const struct pw_store *store,
                    const struct pw_log *log)
{
    memset(journal, 0, sizeof(*journal));
    journal->store = store;
    journal->log = log;
    journal->head = 1;
    journal->tail = 1;
    journal->room = PW_JOURNAL_MESSAGES;
    static int (*const parts[])(struct pw_journal * journal) = {
        read_counters,          read_open_transactions, pw_journal_read_queue,
        pw_journal_read_parked, pw_journal_read_notes,  pw_journal_read_clocks,
    };
    for (size_t i = 0; i < PW_COUNT(parts); i++) {
        int err = parts[i](journal);
        if (err != PW_OK) {
            return err;
        }
    }
    struct pw_record record;
    struct pw_journal_key key = {.text = "n"};
    counters_record(journal, &record);
    return pw_journal_write_one(journal, &key, &record);
}

// ---------------------------------------------------------------------------------------------
// Transactions.

void pw_transaction_record(struct pw_record *record, const struct pw_transaction *transaction)
{
    pw_record_start(record);
    pw_record_put_transaction(record, transaction);
    PW_ASSERT(!record->bad);
}

void pw_journal_on_its_clock(const struct pw_transaction *transaction, struct pw_sample *sample)
{
    const struct pw_stamp *first = &transaction->first.at;
    if (sample->reading == PW_READING_CLOCK || first->boot == 0 || sample->at.boot != first->boot ||
        sample->at.mono < first->mono) {
        return;
    }
    sample->at.wall =
        first->wall == 0 ? 0 : first->wall + (pw_unix_ms)(sample->at.mono - first->mono);
}

// As many places as receipts: the newest takes that of the oldest.
static struct pw_journal_key receipt_key(uint32_t seq)
{
    return pw_journal_key("done/", seq % PW_JOURNAL_RECEIPTS);
}

int pw_journal_receipt(const struct pw_journal *journal, unsigned back,
                       struct pw_transaction *receipt)
{
    struct pw_record record;
    if (back >= PW_JOURNAL_RECEIPTS || back + 1 >= journal->transaction_next) {
        return PW_ERR_RANGE;
    }
    uint32_t seq = journal->transaction_next - 1 - back;
    struct pw_journal_key key = receipt_key(seq);
    int err = pw_journal_load(journal, &key, &record);
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
    int able = pw_journal_keeps(journal);
    if (able != PW_OK) {
        return able;
    }
    if (journal->policy == PW_JOURNAL_NO_START && journal->waiting + 2 > journal->room &&
        journal->thinning.exhausted) {
        return PW_ERR_LIMIT;
    }
    transaction->seq = journal->transaction_next;
    transaction->id_state = PW_ID_AWAITED;
    transaction->transaction_id = 0;
    transaction->stopped = false;
    journal->transaction_next++;

    struct pw_record records[4];
    struct pw_journal_key keys[4] = {pw_journal_key("tx/", transaction->seq),
                                     pw_journal_key("q/", journal->tail),
                                     {.text = "n"}};
    pw_transaction_record(&records[0], transaction);
    pw_message_record(&records[1], PW_MESSAGE_START, transaction->seq, transaction->connector);
    counters_record(journal, &records[2]);
    struct pw_store_change changes[4] = {pw_journal_put(&keys[0], &records[0]),
                                         pw_journal_put(&keys[1], &records[1]),
                                         pw_journal_put(&keys[2], &records[2])};
    size_t count = 3 + pw_journal_clock_change(journal, transaction->first.at, &keys[3],
                                               &records[3], &changes[3]);
    int64_t ticket = pw_journal_write(journal, changes, count);
    if (ticket < 0) {
        return ticket;
    }
    journal->start[transaction->connector - 1] = journal->tail;
    journal->tail++;
    journal->waiting++;
    journal->must_ticket = ticket;
    journal->open[transaction->connector - 1] = *transaction;
    *pw_journal_stream(journal, transaction->connector, false) =
        (struct pw_journal_stream){.transaction = transaction->seq};
    journal->notes[transaction->connector - 1] = (struct pw_journal_notes){.seen = {0}};
    pw_journal_watch_room(journal);
    return ticket;
}

// A transaction's end is not before its beginning, nor its register below: a meter that was
// replaced, a register that was lost, a clock that was set back.
static void settle_last(const struct pw_journal *journal, struct pw_transaction *ended)
{
    pw_journal_on_its_clock(ended, &ended->last);
    int64_t *last = &ended->last.value[PW_ENERGY_WH];
    int64_t first = ended->first.value[PW_ENERGY_WH];
    if ((ended->last.has & 1U << PW_ENERGY_WH) == 0 || *last < first) {
        struct pw_line line;
        pw_line(&line, journal->log, PW_LOG_WARN, "journal", "register-went-back");
        pw_line_int(&line, "connector", ended->connector);
        pw_line_int(&line, "start_wh", first);
        pw_line_int(&line, "stop_wh", *last);
        pw_line_end(&line);
        ended->last.has |= 1U << PW_ENERGY_WH;
        *last = first;
    }
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
    settle_last(journal, &ended);

    struct pw_record records[3];
    struct pw_signed_keys signatures;
    struct pw_journal_key keys[4] = {pw_journal_key("tx/", ended.seq),
                                     pw_journal_key("q/", journal->tail), receipt_key(ended.seq)};
    struct pw_store_change changes[4 + PW_SIGNED_KEYS_MAX];
    pw_transaction_record(&records[0], &ended);
    pw_message_record(&records[1], PW_MESSAGE_STOP, ended.seq, connector);
    changes[0] = pw_journal_put(&keys[0], &records[0]);
    changes[1] = pw_journal_put(&keys[1], &records[1]);
    size_t count =
        journal->alone ? pw_journal_end_alone(journal, &ended, keys, &signatures, changes) : 2;
    // One that began before all that are shown would take a newer one's place.
    if (journal->transaction_next - ended.seq <= PW_JOURNAL_RECEIPTS) {
        changes[count] = pw_journal_put(&keys[2], &records[0]);
        count++;
    }
    count +=
        pw_journal_clock_change(journal, ended.last.at, &keys[3], &records[2], &changes[count]);
    int64_t ticket = pw_journal_write(journal, changes, count);
    if (ticket < 0) {
        return ticket;
    }
    journal->tail += journal->alone ? 0 : 1;
    journal->waiting += journal->alone ? 0 : 1;
    journal->waiting -= journal->alone && journal->start[connector - 1] != 0 ? 1 : 0;
    journal->start[connector - 1] = 0;
    journal->must_ticket = ticket;
    memset(open, 0, sizeof(*open));
    // Once they are durable, and can be read.
    journal->sweep = journal->alone;
    pw_journal_watch_room(journal);
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
            journal->open[i].id_state == PW_ID_GIVEN) {
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
