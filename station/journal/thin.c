// Making room in a full queue: a walk over what waits takes meter values out where they lie closer
// together than a spacing, which doubles until there is room. So what stays is even over the time,
// whatever was thinned before. Starts, stops, the first and the last value of each transaction and
// signed readings stay; clock-aligned values go only when sampled ones do not suffice.
#include "journal/parts.h"

#include <string.h>

enum {
    PAUSE_MS = 100,                // while the disk is behind
    SLICE = 64,                    // records looked at in one call
    FULL_PART = 8,                 // a walk begins with this part of the room left
    WORTH_PART = 16,               // and was worth it when it gained this part
    SPACING_LEAST_MS = 1000,       //
    SPACING_SAMPLED_MS = 21600000, // beyond it clock-aligned values go too
    SPACING_MOST_MS = 604800000,   // beyond it there is nothing to gain
};

static void start_walk(struct pw_journal *journal)
{
    struct pw_journal_thinning *walk = &journal->thinning;
    memset(walk->trail, 0, sizeof(walk->trail));
    walk->running = true;
    walk->at = journal->head - 1;
    walk->until = journal->tail;
    walk->removed = 0;
}

static bool is_full(const struct pw_journal *journal)
{
    return journal->waiting >= journal->room - journal->room / FULL_PART;
}

void pw_journal_watch_room(struct pw_journal *journal)
{
    bool wanted = !journal->alone && journal->policy != PW_JOURNAL_DROP_NEW && is_full(journal);
    if (wanted && !journal->thinning.running && !journal->thinning.exhausted) {
        start_walk(journal);
    }
}

// The trail of a transaction; the one not met for longest makes place, and keeps its last value.
static struct pw_journal_trail *trail_of(struct pw_journal_thinning *walk, uint32_t transaction,
                                         uint8_t connector)
{
    struct pw_journal_trail *oldest = &walk->trail[0];
    for (size_t i = 0; i < PW_JOURNAL_TRAILS; i++) {
        struct pw_journal_trail *trail = &walk->trail[i];
        if (trail->used && trail->transaction == transaction &&
            (transaction != 0 || trail->connector == connector)) {
            return trail;
        }
        if (!trail->used || (oldest->used && trail->seen < oldest->seen)) {
            oldest = oldest->used ? trail : oldest;
        }
    }
    *oldest = (struct pw_journal_trail){.transaction = transaction, .connector = connector};
    return oldest;
}

// PW_NEVER when nobody knows.
static pw_ms gap(struct pw_stamp from, struct pw_stamp to)
{
    return from.boot == to.boot && to.mono >= from.mono ? to.mono - from.mono : PW_NEVER;
}

// A value follows the candidate: the candidate goes if it is too close to the last that stays.
// Its number, or 0.
static uint64_t decide(struct pw_journal *journal, struct pw_journal_trail *trail)
{
    struct pw_journal_thinning *walk = &journal->thinning;
    pw_ms apart = gap(trail->kept, trail->at);
    if (walk->spacing == 0 && apart != PW_NEVER) {
        walk->spacing = apart < SPACING_LEAST_MS / 2 ? SPACING_LEAST_MS : 2 * apart;
    }
    trail->candidate = false;
    if (apart < walk->spacing && trail->seq > journal->head) {
        return trail->seq;
    }
    trail->kept = trail->at;
    return 0;
}

// One record of the queue. The number of a message that goes, or 0.
static uint64_t examine(struct pw_journal *journal, uint64_t seq, struct pw_record *record)
{
    struct pw_journal_thinning *walk = &journal->thinning;
    enum pw_message_kind kind;
    uint32_t transaction;
    uint8_t connector;
    struct pw_sample sample;
    uint64_t goes = 0;
    if (!pw_message_read(record, &kind, &transaction, &connector) || kind != PW_MESSAGE_METER) {
        return 0;
    }
    pw_record_get_sample(record, &sample);
    if (pw_record_end(record) != PW_OK) {
        return 0;
    }
    struct pw_journal_trail *trail = trail_of(walk, transaction, connector);
    bool first = !trail->used;
    bool may = !first && !pw_sample_is_signed(&sample) && seq > journal->head &&
               (sample.reading != PW_READING_CLOCK || walk->aligned);
    if (trail->candidate) {
        goes = decide(journal, trail);
    }
    trail->used = true;
    trail->seen = seq;
    if (may) {
        trail->candidate = true;
        trail->seq = seq;
        trail->at = sample.at;
    } else {
        trail->kept = sample.at;
    }
    return goes;
}

static void end_walk(struct pw_journal *journal)
{
    struct pw_journal_thinning *walk = &journal->thinning;
    struct pw_line line;
    if (walk->removed > 0) {
        pw_line(&line, journal->log, PW_LOG_WARN, "journal", "queue-thinned");
        pw_line_int(&line, "removed", walk->removed);
        pw_line_int(&line, "waiting", journal->waiting);
        pw_line_int(&line, "spacing_s", (int64_t)(walk->spacing / 1000));
        pw_line_end(&line);
    }
    walk->running = false;
    if (walk->removed > 0 && walk->removed >= journal->room / WORTH_PART) {
        return;
    }
    walk->spacing = walk->spacing == 0 ? SPACING_LEAST_MS : 2 * walk->spacing;
    if (walk->spacing > SPACING_SAMPLED_MS && !walk->aligned) {
        walk->aligned = true;
        walk->spacing = 0;
    } else if (walk->spacing > SPACING_MOST_MS) {
        walk->exhausted = true;
        pw_line(&line, journal->log, PW_LOG_ERROR, "journal", "queue-full");
        pw_line_int(&line, "waiting", journal->waiting);
        pw_line_s(&line, "effect",
                  journal->policy == PW_JOURNAL_NO_START
                      ? "no charge begins, new meter values replace the last"
                      : "new meter values replace the last of their transaction");
        pw_line_end(&line);
    }
    pw_journal_watch_room(journal);
}

// Takes the messages with these numbers out of the queue. False when the store refuses.
static bool take_out(struct pw_journal *journal, const uint64_t *seq, size_t count)
{
    struct pw_journal_key keys[PW_STORE_BATCH_MAX];
    struct pw_store_change changes[PW_STORE_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        keys[i] = pw_journal_key("q/", seq[i]);
        changes[i] = pw_journal_take_away(&keys[i]);
    }
    int64_t ticket = count > 0 ? pw_journal_write(journal, changes, count) : journal->must_ticket;
    if (ticket < 0) {
        return false;
    }
    journal->must_ticket = ticket;
    journal->waiting -= (uint32_t)count;
    journal->thinned += (uint32_t)count;
    journal->thinning.removed += (uint32_t)count;
    return true;
}

pw_ms pw_journal_step(struct pw_journal *journal, pw_ms now)
{
    struct pw_journal_thinning *walk = &journal->thinning;
    uint64_t goes[PW_STORE_BATCH_MAX];
    size_t count = 0;
    bool over = false;
    if (journal->alone) {
        return pw_journal_trim(journal, now);
    }
    if (!walk->running) {
        return PW_NEVER;
    }
    // What was taken away may be read until that is durable.
    if (pw_journal_durable(journal, journal->must_ticket) != 1) {
        return pw_after(now, PAUSE_MS);
    }
    for (int i = 0; i < SLICE && count < PW_COUNT(goes) && !over; i++) {
        char bytes[PW_RECORD_MAX];
        uint64_t seq = 0;
        struct pw_journal_key found;
        struct pw_record record;
        walk->at = walk->at + 1 < journal->head ? journal->head - 1 : walk->at;
        struct pw_journal_key after = pw_journal_key("q/", walk->at);
        int len = journal->store->next(journal->store->context, PW_STR("q/"), pw_str_of(after.text),
                                       found.text, bytes, sizeof(bytes));
        bool read = len >= 0 && pw_journal_number(found.text + strlen("q/"), &seq);
        over = !read || seq >= walk->until;
        if (!over) {
            walk->at = seq;
            goes[count] = pw_record_load(&record, bytes, (size_t)len) == PW_OK
                              ? examine(journal, seq, &record)
                              : 0;
            count += goes[count] != 0 ? 1 : 0;
        }
    }
    if (!take_out(journal, goes, count)) {
        walk->running = false;
        return PW_NEVER;
    }
    if (over) {
        end_walk(journal);
    }
    return walk->running ? pw_after(now, 1) : PW_NEVER;
}
