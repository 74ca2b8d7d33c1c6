// The queue of transaction messages. Transaction records are only read back once their last change
// is durable, because a store may answer reads with what is durable and no more. Messages leave in
// the order of their numbers; some numbers are missing where values were thinned out.
#include "journal/parts.h"
#include "journal/signed.h"

#include <string.h>

void pw_message_record(struct pw_record *record, enum pw_message_kind kind, uint32_t transaction,
                       unsigned connector)
{
    pw_record_start(record);
    pw_record_put(record, kind, 1);
    pw_record_put(record, transaction, 4);
    pw_record_put(record, connector, 1);
}

bool pw_message_read(struct pw_record *record, enum pw_message_kind *kind, uint32_t *transaction,
                     uint8_t *connector)
{
    uint64_t word = pw_record_get(record, 1);
    *transaction = (uint32_t)pw_record_get(record, 4);
    *connector = pw_record_has_connector(record) ? (uint8_t)pw_record_get(record, 1) : 0;
    *kind = (enum pw_message_kind)word;
    return !record->bad && word >= PW_MESSAGE_START && word <= PW_MESSAGE_STOP &&
           *connector <= PW_JOURNAL_CONNECTORS;
}

struct pw_journal_stream *pw_journal_stream(struct pw_journal *journal, unsigned connector,
                                            bool outside)
{
    PW_ASSERT(connector >= 1 && connector <= PW_JOURNAL_CONNECTORS);
    return &journal->stream[connector - 1 + (outside ? PW_JOURNAL_CONNECTORS : 0)];
}

// ---------------------------------------------------------------------------------------------
// Reading back.

// Which values of open transactions, and of connectors without one, are the first and the last.
static void count_value(struct pw_journal *journal, uint64_t seq, uint32_t transaction,
                        uint8_t connector)
{
    struct pw_journal_stream *stream = NULL;
    for (unsigned i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        bool here = transaction != 0 && journal->open[i].seq == transaction;
        if (here || (transaction == 0 && connector == i + 1)) {
            stream = pw_journal_stream(journal, i + 1, !here);
        }
    }
    if (stream != NULL) {
        stream->transaction = transaction;
        stream->first = stream->count == 0 ? seq : stream->first;
        stream->last = seq;
        stream->count++;
    }
}

static void note_start(struct pw_journal *journal, uint64_t seq, uint32_t transaction)
{
    for (unsigned i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (transaction != 0 && journal->open[i].seq == transaction) {
            journal->start[i] = seq;
        }
    }
}

int pw_journal_read_queue(struct pw_journal *journal)
{
    struct pw_journal_key at = {.text = ""};
    char bytes[PW_RECORD_MAX];
    for (;;) {
        struct pw_journal_key found;
        struct pw_record record;
        uint64_t seq = 0;
        enum pw_message_kind kind = PW_MESSAGE_START;
        uint32_t transaction = 0;
        uint8_t connector = 0;
        int len = journal->store->next(journal->store->context, PW_STR("q/"), pw_str_of(at.text),
                                       found.text, bytes, sizeof(bytes));
        if (len == PW_ERR_UNKNOWN) {
            return PW_OK;
        }
        at = found;
        if (len < 0) {
            return len;
        }
        if (!pw_journal_number(found.text + strlen("q/"), &seq)) {
            int err = pw_journal_set_aside(journal, &found);
            if (err != PW_OK) {
                return err;
            }
            continue;
        }
        journal->head = journal->waiting == 0 ? seq : journal->head;
        journal->tail = seq + 1;
        journal->waiting++;
        // One that cannot be read is set aside when its turn comes.
        bool good = pw_record_load(&record, bytes, (size_t)len) == PW_OK &&
                    pw_message_read(&record, &kind, &transaction, &connector);
        if (good && kind == PW_MESSAGE_METER) {
            count_value(journal, seq, transaction, connector);
        } else if (good && kind == PW_MESSAGE_START) {
            note_start(journal, seq, transaction);
        }
    }
}

int pw_journal_read_parked(struct pw_journal *journal)
{
    struct pw_journal_key at = {.text = ""};
    char bytes[PW_RECORD_MAX];
    for (;;) {
        struct pw_journal_key found;
        int len = journal->store->next(journal->store->context, PW_STR("park/"), pw_str_of(at.text),
                                       found.text, bytes, sizeof(bytes));
        if (len < 0) {
            return len == PW_ERR_UNKNOWN ? PW_OK : len;
        }
        // Its number is not used again: a message parked later must not take its place.
        uint64_t seq = 0;
        if (pw_journal_number(found.text + strlen("park/"), &seq) && seq >= journal->tail) {
            journal->tail = seq + 1;
            journal->head = journal->waiting == 0 ? journal->tail : journal->head;
        }
        journal->parked++;
        at = found;
    }
}

// ---------------------------------------------------------------------------------------------
// Meter values.

// The queue is full: the newest value takes the place of the one before it, so that the last one
// is there. The first one, and one that may be under way, stay.
static size_t replace_last(const struct pw_journal *journal, const struct pw_journal_stream *stream,
                           struct pw_journal_key *key, struct pw_store_change *change)
{
    bool may = stream->last > stream->first && stream->last > journal->head;
    if (journal->waiting < journal->room || !may) {
        return 0;
    }
    *key = pw_journal_key("q/", stream->last);
    *change = pw_journal_take_away(key);
    return 1;
}

int pw_journal_meter(struct pw_journal *journal, unsigned connector, const struct pw_sample *sample)
{
    const struct pw_transaction *open = pw_journal_open_on(journal, connector);
    struct pw_journal_stream *stream = pw_journal_stream(journal, connector, open == NULL);
    struct pw_record records[2];
    struct pw_journal_key keys[3] = {pw_journal_key("q/", journal->tail)};
    struct pw_store_change changes[3];
    struct pw_sample value = *sample;
    bool is_signed = pw_sample_is_signed(sample);
    if (journal->alone) {
        return pw_journal_meter_alone(journal, sample);
    }
    if (open != NULL) {
        pw_journal_on_its_clock(open, &value);
    }
    pw_message_record(&records[0], PW_MESSAGE_METER, open != NULL ? open->seq : 0, connector);
    pw_record_put_sample(&records[0], &value);
    changes[0] = pw_journal_put(&keys[0], &records[0]);
    size_t replaced = is_signed ? 0 : replace_last(journal, stream, &keys[1], &changes[1]);
    bool full = journal->waiting >= journal->room && replaced == 0;
    if (full && open == NULL && !is_signed) {
        journal->dropped++;
        return PW_ERR_LIMIT;
    }
    size_t count = 1 + replaced;
    count += pw_journal_clock_change(journal, value.at, &keys[2], &records[1], &changes[count]);
    int64_t ticket = pw_journal_write(journal, changes, count);
    if (ticket < 0) {
        return (int)ticket;
    }
    stream->first =
        stream->count == 0 || stream->first < journal->head ? journal->tail : stream->first;
    stream->last = is_signed ? stream->first : journal->tail;
    stream->count++;
    journal->tail++;
    journal->waiting += replaced > 0 ? 0 : 1;
    journal->dropped += replaced > 0 ? 1 : 0;
    if (replaced > 0) {
        journal->must_ticket = ticket;
    }
    pw_journal_watch_room(journal);
    return replaced > 0 ? PW_ERR_LIMIT : PW_OK;
}

// ---------------------------------------------------------------------------------------------
// The head.

static int read_transaction(const struct pw_journal *journal, uint32_t seq,
                            struct pw_transaction *transaction)
{
    for (size_t i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (seq != 0 && journal->open[i].seq == seq) {
            *transaction = journal->open[i];
            return PW_OK;
        }
    }
    int safe = pw_journal_durable(journal, journal->must_ticket);
    if (safe <= 0) {
        return safe < 0 ? safe : PW_ERR_AGAIN;
    }
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("tx/", seq);
    int err = pw_journal_load(journal, &key, &record);
    if (err == PW_OK) {
        pw_record_get_transaction(&record, transaction);
        err = pw_record_end(&record);
        // Another one's record under this key is as good as none.
        err = err == PW_OK && transaction->seq != seq ? PW_ERR_STORE : err;
    }
    return err;
}

// Which message is the oldest: its record, and its number in journal->head.
static int find_head(struct pw_journal *journal, struct pw_journal_key *key,
                     struct pw_record *record)
{
    char bytes[PW_RECORD_MAX];
    struct pw_journal_key after = pw_journal_key("q/", journal->head - 1);
    if (journal->waiting == 0) {
        return PW_ERR_UNKNOWN;
    }
    int safe = pw_journal_durable(journal, journal->must_ticket);
    if (safe <= 0) {
        return safe < 0 ? safe : PW_ERR_AGAIN;
    }
    int len = journal->store->next(journal->store->context, PW_STR("q/"), pw_str_of(after.text),
                                   key->text, bytes, sizeof(bytes));
    if (len < 0) {
        return len == PW_ERR_UNKNOWN ? PW_ERR_AGAIN : len;
    }
    uint64_t seq = 0;
    if (!pw_journal_number(key->text + strlen("q/"), &seq)) {
        return PW_ERR_AGAIN;
    }
    journal->head = seq;
    return pw_record_load(record, bytes, (size_t)len) == PW_OK ? PW_OK : PW_ERR_PEER;
}

// PW_ERR_PEER: the record says nothing that can be used.
static int read_head(struct pw_journal *journal, struct pw_journal_key *key,
                     struct pw_message *message)
{
    struct pw_record record;
    uint32_t transaction = 0;
    memset(message, 0, sizeof(*message));
    int err = find_head(journal, key, &record);
    if (err != PW_OK) {
        return err;
    }
    message->seq = journal->head;
    bool good = pw_message_read(&record, &message->kind, &transaction, &message->connector);
    if (good && message->kind == PW_MESSAGE_METER) {
        pw_record_get_sample(&record, &message->sample);
    }
    if (!good || pw_record_end(&record) != PW_OK) {
        return PW_ERR_PEER;
    }
    if (transaction == 0) {
        return message->kind == PW_MESSAGE_METER && message->connector > 0 ? PW_OK : PW_ERR_PEER;
    }
    err = read_transaction(journal, transaction, &message->transaction);
    message->connector = message->transaction.connector;
    // Its transaction was set aside: the message says nothing without.
    return err == PW_ERR_UNKNOWN || (err == PW_ERR_STORE && pw_journal_durable(journal, 0) >= 0)
               ? PW_ERR_PEER
               : err;
}

int pw_journal_head(struct pw_journal *journal, struct pw_message *message)
{
    struct pw_journal_key key;
    int err = read_head(journal, &key, message);
    if (err != PW_ERR_PEER) {
        return err;
    }
    err = pw_journal_set_aside(journal, &key);
    if (err == PW_OK) {
        journal->head++;
        journal->waiting--;
    }
    return err == PW_OK ? PW_ERR_AGAIN : err;
}

// Takes the head off the queue together with what becomes of its transaction.
static int leave_queue(struct pw_journal *journal, const struct pw_message *message,
                       const struct pw_store_change *also, size_t count)
{
    PW_ASSERT(message->seq == journal->head && journal->waiting > 0 && count <= 3);
    struct pw_journal_key key = pw_journal_key("q/", message->seq);
    struct pw_signed_keys keys;
    struct pw_store_change changes[4 + PW_SIGNED_KEYS_MAX] = {pw_journal_take_away(&key)};
    for (size_t i = 0; i < count; i++) {
        changes[1 + i] = also[i];
    }
    // Two changes set a message aside: whoever looks into it may want its signatures.
    size_t taken = count < 2 ? pw_signed_leave(message, &keys, changes + 1 + count) : 0;
    int64_t ticket = pw_journal_write(journal, changes, 1 + count + taken);
    if (ticket < 0) {
        return (int)ticket;
    }
    // The next message leaves once that is durable: a start or a stop is repeated at most once, and
    // never after what follows it. A value may be: it says the same again.
    if (message->kind != PW_MESSAGE_METER) {
        journal->must_ticket = ticket;
    }
    journal->head++;
    journal->waiting--;
    journal->thinning.exhausted = false;
    if (journal->waiting == 0) {
        journal->thinning = (struct pw_journal_thinning){.running = false};
    }
    if (message->kind == PW_MESSAGE_STOP) {
        pw_journal_drop_notes(journal, message->transaction.seq);
    }
    return PW_OK;
}

static void remember_id(struct pw_journal *journal, const struct pw_transaction *transaction)
{
    for (size_t i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (journal->open[i].seq == transaction->seq) {
            journal->open[i].id_state = transaction->id_state;
            journal->open[i].transaction_id = transaction->transaction_id;
        }
    }
}

int pw_journal_answered(struct pw_journal *journal, const struct pw_message *message,
                        int32_t transaction_id)
{
    struct pw_transaction transaction = message->transaction;
    struct pw_journal_key key = pw_journal_key("tx/", transaction.seq);
    struct pw_record record;
    struct pw_store_change change = {.remove = false};
    int err = PW_OK;
    switch (message->kind) {
    case PW_MESSAGE_METER: return leave_queue(journal, message, NULL, 0);
    case PW_MESSAGE_STOP: change = pw_journal_take_away(&key); break;
    case PW_MESSAGE_START:
        // The transaction may have ended since the message was read: keep what is newest.
        err = read_transaction(journal, transaction.seq, &transaction);
        if (err != PW_OK) {
            return err;
        }
        transaction.id_state = PW_ID_GIVEN;
        transaction.transaction_id = transaction_id;
        pw_transaction_record(&record, &transaction);
        change = pw_journal_put(&key, &record);
        break;
    }
    err = leave_queue(journal, message, &change, 1);
    if (err == PW_OK && message->kind == PW_MESSAGE_START) {
        remember_id(journal, &transaction);
    }
    return err;
}

// ---------------------------------------------------------------------------------------------
// Refused for good.

// The oldest message set aside, or with `start_of` the start of that transaction.
static int find_parked(const struct pw_journal *journal, uint32_t start_of,
                       struct pw_journal_key *found)
{
    struct pw_journal_key at = {.text = ""};
    char bytes[PW_RECORD_MAX];
    for (;;) {
        struct pw_record record;
        enum pw_message_kind kind = PW_MESSAGE_START;
        uint32_t transaction = 0;
        uint8_t connector = 0;
        int len = journal->store->next(journal->store->context, PW_STR("park/"), pw_str_of(at.text),
                                       found->text, bytes, sizeof(bytes));
        if (len < 0) {
            return len;
        }
        at = *found;
        bool read = pw_record_load(&record, bytes, (size_t)len) == PW_OK &&
                    pw_message_read(&record, &kind, &transaction, &connector);
        if (start_of == 0 || (read && kind == PW_MESSAGE_START && transaction == start_of)) {
            return PW_OK;
        }
    }
}

int pw_journal_refused(struct pw_journal *journal, const struct pw_message *message)
{
    struct pw_record records[2];
    struct pw_journal_key park = pw_journal_key("park/", message->seq);
    struct pw_journal_key key = pw_journal_key("tx/", message->transaction.seq);
    struct pw_journal_key oldest;
    struct pw_transaction transaction = message->transaction;
    if (message->kind == PW_MESSAGE_METER) {
        return leave_queue(journal, message, NULL, 0);
    }
    if (message->kind == PW_MESSAGE_START) {
        int found = read_transaction(journal, transaction.seq, &transaction);
        if (found != PW_OK) {
            return found;
        }
        transaction.id_state = PW_ID_REFUSED;
        transaction.transaction_id = -1;
    }
    pw_message_record(&records[0], message->kind, transaction.seq, transaction.connector);
    pw_record_put_transaction(&records[0], &transaction);
    pw_transaction_record(&records[1], &transaction);
    struct pw_store_change also[3] = {pw_journal_put(&park, &records[0]),
                                      message->kind == PW_MESSAGE_START
                                          ? pw_journal_put(&key, &records[1])
                                          : pw_journal_take_away(&key)};
    bool full = journal->parked >= PW_JOURNAL_PARKED && find_parked(journal, 0, &oldest) == PW_OK;
    if (full) {
        struct pw_line line;
        pw_line(&line, journal->log, PW_LOG_WARN, "journal", "oldest-refused-message-gone");
        pw_line_s(&line, "key", oldest.text);
        pw_line_end(&line);
        also[2] = pw_journal_take_away(&oldest);
    }
    int err = leave_queue(journal, message, also, full ? 3 : 2);
    if (err == PW_OK) {
        journal->parked += full ? 0 : 1;
    }
    if (err == PW_OK && message->kind == PW_MESSAGE_START) {
        remember_id(journal, &transaction);
    }
    return err;
}

int pw_journal_identified(struct pw_journal *journal, uint32_t seq, int32_t transaction_id)
{
    struct pw_transaction transaction;
    struct pw_record record;
    struct pw_journal_key keys[2] = {pw_journal_key("tx/", seq)};
    int err = read_transaction(journal, seq, &transaction);
    if (err != PW_OK) {
        return err;
    }
    if (transaction.id_state != PW_ID_REFUSED) {
        return PW_ERR_UNKNOWN;
    }
    transaction.id_state = PW_ID_GIVEN;
    transaction.transaction_id = transaction_id;
    pw_transaction_record(&record, &transaction);
    struct pw_store_change changes[2] = {pw_journal_put(&keys[0], &record)};
    // The start did arrive: it is not set aside any more.
    bool parked = find_parked(journal, seq, &keys[1]) == PW_OK;
    changes[1] = parked ? pw_journal_take_away(&keys[1]) : changes[1];
    int64_t ticket = pw_journal_write(journal, changes, parked ? 2 : 1);
    if (ticket < 0) {
        return (int)ticket;
    }
    journal->must_ticket = ticket;
    journal->parked -= parked ? 1 : 0;
    remember_id(journal, &transaction);
    return PW_OK;
}

uint64_t pw_journal_waiting(const struct pw_journal *journal)
{
    return journal->waiting;
}
