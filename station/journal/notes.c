// Readings that a transaction's StopTransaction will carry (transactionData): every one at first;
// when there are too many every second one goes, as erratum 3.91 of OCPP 1.6 advises. Which ones
// are there follows from their numbers, so that thinning reads nothing.
#include "journal/parts.h"

#include <string.h>

static struct pw_journal_key note_key(uint32_t transaction, unsigned kind, uint32_t number)
{
    struct pw_journal_key key;
    struct pw_out out = PW_OUT(key.text);
    pw_put_s(&out, "note/");
    pw_put_hex(&out, transaction, 8);
    pw_put_c(&out, (char)('0' + kind));
    pw_put_hex(&out, number, 8);
    return key;
}

static uint32_t stored(const struct pw_journal_notes *notes, unsigned kind)
{
    uint32_t stride = 1U << notes->shift[kind];
    return (notes->seen[kind] + stride - 1) / stride;
}

static enum pw_note_kind kind_of(const struct pw_sample *sample)
{
    return sample->reading == PW_READING_CLOCK ? PW_NOTE_ALIGNED : PW_NOTE_SAMPLED;
}

// Every second of the kind with more of them goes.
static int halve(struct pw_journal *journal, uint32_t transaction, struct pw_journal_notes *notes)
{
    struct pw_journal_key keys[PW_STORE_BATCH_MAX];
    struct pw_store_change changes[PW_STORE_BATCH_MAX];
    size_t count = 0;
    unsigned kind = stored(notes, PW_NOTE_SAMPLED) >= stored(notes, PW_NOTE_ALIGNED)
                        ? PW_NOTE_SAMPLED
                        : PW_NOTE_ALIGNED;
    uint32_t stride = 1U << notes->shift[kind];
    for (uint32_t number = stride; number < notes->seen[kind]; number += 2 * stride) {
        keys[count] = note_key(transaction, kind, number);
        changes[count] = pw_journal_take_away(&keys[count]);
        count++;
        if (count == PW_STORE_BATCH_MAX || number + 2 * stride >= notes->seen[kind]) {
            int64_t ticket = pw_journal_write(journal, changes, count);
            if (ticket < 0) {
                return (int)ticket;
            }
            count = 0;
        }
    }
    notes->shift[kind]++;
    return PW_OK;
}

int pw_journal_note(struct pw_journal *journal, unsigned connector, const struct pw_sample *sample)
{
    const struct pw_transaction *open = pw_journal_open_on(journal, connector);
    PW_ASSERT(open != NULL);
    struct pw_journal_notes *notes = &journal->notes[connector - 1];
    enum pw_note_kind kind = kind_of(sample);
    uint32_t number = notes->seen[kind];
    bool full = stored(notes, PW_NOTE_SAMPLED) + stored(notes, PW_NOTE_ALIGNED) >= PW_JOURNAL_NOTES;
    if (full && number % (1U << notes->shift[kind]) == 0) {
        int err = halve(journal, open->seq, notes);
        if (err != PW_OK) {
            return err;
        }
    }
    if (number % (1U << notes->shift[kind]) != 0) {
        notes->seen[kind]++;
        return PW_OK;
    }
    struct pw_record record;
    struct pw_journal_key key = note_key(open->seq, kind, number);
    struct pw_sample note = *sample;
    // A signature goes with the sample's own message.
    note.has &= ~(1U << PW_SIGNED_NUMBER);
    pw_journal_on_its_clock(open, &note);
    pw_record_start(&record);
    pw_record_put(&record, notes->shift[kind], 1);
    pw_record_put_sample(&record, &note);
    int err = pw_journal_write_one(journal, &key, &record);
    if (err == PW_OK) {
        notes->seen[kind]++;
    }
    return err;
}

// A note as it is kept.
struct note {
    uint32_t number;
    uint8_t shift; // of its kind, when it was written
    struct pw_sample sample;
};

// The first note of a kind whose number is `from` or more.
static int next_of(const struct pw_journal *journal, uint32_t transaction, unsigned kind,
                   uint32_t from, struct note *note)
{
    char bytes[PW_RECORD_MAX];
    uint8_t digits[4];
    struct pw_journal_key found;
    struct pw_record record;
    struct pw_journal_key prefix = note_key(transaction, kind, 0);
    struct pw_journal_key after = note_key(transaction, kind, from - 1);
    prefix.text[strlen("note/") + 9] = '\0';
    for (;;) {
        int len = journal->store->next(journal->store->context, pw_str_of(prefix.text),
                                       from == 0 ? PW_STR("") : pw_str_of(after.text), found.text,
                                       bytes, sizeof(bytes));
        if (len < 0) {
            return len;
        }
        after = found;
        from = 1;
        if (pw_parse_hex(pw_str_of(found.text + strlen(prefix.text)), digits, sizeof(digits)) !=
                4 ||
            pw_record_load(&record, bytes, (size_t)len) != PW_OK) {
            continue;
        }
        note->number = pw_be32(digits);
        note->shift = (uint8_t)pw_record_get(&record, 1);
        pw_record_get_sample(&record, &note->sample);
        if (pw_record_end(&record) == PW_OK && note->shift < 32) {
            return PW_OK;
        }
    }
}

static bool is_before(const struct pw_sample *a, const struct pw_sample *b)
{
    return a->at.boot != b->at.boot ? a->at.boot < b->at.boot : a->at.mono < b->at.mono;
}

bool pw_journal_next_note(const struct pw_journal *journal, struct pw_note_walk *walk,
                          struct pw_sample *sample)
{
    unsigned best = PW_NOTE_KINDS;
    for (unsigned kind = 0; kind < PW_NOTE_KINDS; kind++) {
        if (!walk->of[kind].have && !walk->of[kind].over) {
            struct note note;
            int err = next_of(journal, walk->transaction, kind, walk->of[kind].next, &note);
            walk->of[kind].have = err == PW_OK;
            walk->of[kind].over = err != PW_OK;
            if (err == PW_OK) {
                walk->of[kind].next = note.number + 1;
                walk->of[kind].sample = note.sample;
            }
        }
        if (walk->of[kind].have &&
            (best == PW_NOTE_KINDS || is_before(&walk->of[kind].sample, &walk->of[best].sample))) {
            best = kind;
        }
    }
    if (best == PW_NOTE_KINDS) {
        return false;
    }
    *sample = walk->of[best].sample;
    walk->of[best].have = false;
    return true;
}

// ---------------------------------------------------------------------------------------------
// After a restart, and the end.

static void read_open(struct pw_journal *journal, unsigned index)
{
    struct pw_journal_notes *notes = &journal->notes[index];
    for (unsigned kind = 0; kind < PW_NOTE_KINDS; kind++) {
        struct note note;
        while (next_of(journal, journal->open[index].seq, kind, notes->seen[kind], &note) ==
               PW_OK) {
            notes->seen[kind] = note.number + 1;
            notes->shift[kind] = note.shift;
        }
    }
}

// The first note that sorts after those of `transaction`: whose it is. 0: there is none.
static uint32_t next_transaction(const struct pw_journal *journal, uint32_t transaction)
{
    char bytes[PW_RECORD_MAX];
    uint8_t digits[4];
    struct pw_journal_key found;
    struct pw_journal_key after = note_key(transaction, 9, 0);
    int len = journal->store->next(journal->store->context, PW_STR("note/"), pw_str_of(after.text),
                                   found.text, bytes, sizeof(bytes));
    struct pw_str name = {.at = found.text + strlen("note/"), .len = 8};
    return len >= 0 && strlen(found.text) > strlen("note/") + 8 &&
                   pw_parse_hex(name, digits, sizeof(digits)) == 4
               ? pw_be32(digits)
               : 0;
}

void pw_journal_drop_notes(const struct pw_journal *journal, uint32_t transaction)
{
    struct pw_journal_key keys[PW_STORE_BATCH_MAX];
    struct pw_store_change changes[PW_STORE_BATCH_MAX];
    for (unsigned kind = 0; kind < PW_NOTE_KINDS; kind++) {
        struct note note;
        size_t count = 0;
        uint32_t from = 0;
        bool more = true;
        while (more) {
            more = next_of(journal, transaction, kind, from, &note) == PW_OK;
            if (more) {
                keys[count] = note_key(transaction, kind, note.number);
                changes[count] = pw_journal_take_away(&keys[count]);
                count++;
                from = note.number + 1;
            }
            if (count == PW_STORE_BATCH_MAX || (!more && count > 0)) {
                // What stays because of a store in trouble goes at the next start.
                (void)!pw_journal_write(journal, changes, count);
                count = 0;
            }
        }
    }
}

void pw_journal_sweep_notes(const struct pw_journal *journal)
{
    uint32_t transaction = next_transaction(journal, 0);
    while (transaction != 0) {
        struct pw_record record;
        struct pw_journal_key key = pw_journal_key("tx/", transaction);
        if (pw_journal_load(journal, &key, &record) == PW_ERR_UNKNOWN) {
            pw_journal_drop_notes(journal, transaction);
        }
        transaction = next_transaction(journal, transaction);
    }
}

// Notes whose transaction has left go: a cut came between.
int pw_journal_read_notes(struct pw_journal *journal)
{
    for (unsigned i = 0; i < PW_JOURNAL_CONNECTORS; i++) {
        if (journal->open[i].seq != 0) {
            read_open(journal, i);
        }
    }
    pw_journal_sweep_notes(journal);
    return PW_OK;
}
