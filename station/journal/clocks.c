// What is known of the clock of this and of past starts of the program, so that a stamp taken while
// the clock was not set gets its time later (facts/reliability.md F09; ocpp.md §3.4 B 9).
//
// "clk/<boot>": whether the clock became known in that start, and then wall - mono; otherwise how
// far the start's own time is known to have come.
#include "journal/parts.h"

#include <string.h>

struct clock {
    bool known;
    int64_t offset_ms; // known: wall - mono
    int64_t last_ms;   // not known: how far this start's time came
    int64_t started;   // its time when the program started
};

static void clock_record(struct pw_record *record, const struct pw_journal *journal, bool known,
                         int64_t value)
{
    pw_record_start(record);
    pw_record_put(record, known ? 1 : 0, 1);
    pw_record_put(record, (uint64_t)value, 8);
    pw_record_put(record, journal->started, 8);
}

static bool read_clock(const struct pw_journal *journal, uint32_t boot, struct clock *clock)
{
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("clk/", boot);
    if (pw_journal_load(journal, &key, &record) != PW_OK) {
        return false;
    }
    clock->known = pw_record_get(&record, 1) != 0;
    int64_t value = (int64_t)pw_record_get(&record, 8);
    clock->offset_ms = clock->known ? value : 0;
    clock->last_ms = clock->known ? 0 : value;
    clock->started = (int64_t)pw_record_get(&record, 8);
    return pw_record_end(&record) == PW_OK;
}

// Those of starts long past go: nothing waits for them any more.
int pw_journal_read_clocks(struct pw_journal *journal)
{
    struct pw_journal_key found;
    char bytes[PW_RECORD_MAX];
    if (journal->boot <= PW_JOURNAL_CLOCKS) {
        return PW_OK;
    }
    struct pw_journal_key newest = pw_journal_key("clk/", journal->boot - PW_JOURNAL_CLOCKS);
    int len = journal->store->next(journal->store->context, PW_STR("clk/"), PW_STR(""), found.text,
                                   bytes, sizeof(bytes));
    if (len == PW_ERR_UNKNOWN || (len >= 0 && strcmp(found.text, newest.text) > 0)) {
        return PW_OK;
    }
    if (len < 0) {
        return len;
    }
    // One at a start is enough: there is one more at a start.
    struct pw_store_change change = pw_journal_take_away(&found);
    int64_t ticket = pw_journal_write(journal, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

void pw_journal_clock(struct pw_journal *journal, int64_t offset_ms)
{
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("clk/", journal->boot);
    if (journal->clock_kept) {
        return;
    }
    clock_record(&record, journal, true, offset_ms);
    struct pw_store_change change = pw_journal_put(&key, &record);
    int64_t ticket = pw_journal_write(journal, &change, 1);
    if (ticket >= 0) {
        journal->must_ticket = ticket;
    }
    // Without the record the present start still goes by it.
    journal->clock_kept = true;
    journal->offset_ms = offset_ms;
}

size_t pw_journal_clock_change(const struct pw_journal *journal, struct pw_stamp at,
                               struct pw_journal_key *key, struct pw_record *record,
                               struct pw_store_change *change)
{
    if (journal->clock_kept || at.wall != 0 || at.boot != journal->boot) {
        return 0;
    }
    *key = pw_journal_key("clk/", journal->boot);
    clock_record(record, journal, false, (int64_t)at.mono);
    *change = pw_journal_put(key, record);
    return 1;
}

// The offset of a start whose clock never became known, from that of the next one. Its own time
// went on into the next one's (the program started again), or that began anew, right after (the
// machine did).
static int64_t offset_before(int64_t offset_ms, int64_t started, int64_t last_ms)
{
    return started >= last_ms ? offset_ms : offset_ms + started - last_ms;
}

pw_unix_ms pw_journal_wall(const struct pw_journal *journal, struct pw_stamp at)
{
    struct clock clock = {.known = false};
    uint32_t oldest = journal->boot > PW_JOURNAL_CLOCKS ? journal->boot - PW_JOURNAL_CLOCKS : 1;
    uint32_t boot = (uint32_t)pw_clamp(at.boot, oldest, journal->boot);
    if (at.wall != 0) {
        return at.wall;
    }
    if (!journal->clock_kept) {
        return 0;
    }
    // The first start from its own on whose clock became known; then back from there.
    while (boot < journal->boot && !(read_clock(journal, boot, &clock) && clock.known)) {
        boot++;
    }
    int64_t offset_ms = boot == journal->boot ? journal->offset_ms : clock.offset_ms;
    int64_t started = boot == journal->boot ? (int64_t)journal->started : clock.started;
    while (boot > at.boot && boot > oldest) {
        boot--;
        bool there = read_clock(journal, boot, &clock);
        int64_t last_ms = there ? clock.last_ms : 0;
        last_ms = boot == at.boot ? pw_max(last_ms, (int64_t)at.mono) : last_ms;
        offset_ms = offset_before(offset_ms, started, last_ms);
        started = there ? clock.started : started;
    }
    return offset_ms + (pw_unix_ms)at.mono;
}
