// The journal's queue when it is full, the readings kept for a StopTransaction, times that were not
// known when they were taken, and ids that come late.
#include "journal/journal.h"
#include "journal/record.h"
#include "simstore.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60000 };
static const pw_unix_ms noon = 1790000000000;

static struct pw_sim_store store;
static struct pw_journal journal;

static void open_journal(void)
{
    assert_int_equal(pw_journal_open(&journal, &store.port, NULL), PW_OK);
}

static void settle(void)
{
    for (int i = 0; i < 4; i++) {
        (void)store.port.durable(store.port.context);
    }
}

static struct pw_sample sample_at(pw_ms mono, enum pw_reading reading, int64_t wh)
{
    struct pw_sample it = {.reading = reading, .has = 1U << PW_ENERGY_WH};
    it.at = (struct pw_stamp){.wall = noon + (pw_unix_ms)mono, .mono = mono, .boot = journal.boot};
    it.value[PW_ENERGY_WH] = wh;
    return it;
}

static int64_t begin(unsigned connector, pw_ms mono, int64_t wh)
{
    struct pw_transaction transaction = {.connector = (uint8_t)connector, .id_tag = "TAG"};
    transaction.first = sample_at(mono, PW_READING_BEGIN, wh);
    return pw_journal_begin(&journal, &transaction);
}

static void end(unsigned connector, pw_ms mono, int64_t wh)
{
    struct pw_sample last = sample_at(mono, PW_READING_END, wh);
    assert_true(pw_journal_end(&journal, connector, 1, PW_STR(""), &last) > 0);
}

static void meter(unsigned connector, pw_ms mono, enum pw_reading reading, int64_t wh)
{
    struct pw_sample value = sample_at(mono, reading, wh);
    (void)!pw_journal_meter(&journal, connector, &value);
}

static void thin(void)
{
    for (int i = 0; i < 100000 && pw_journal_step(&journal, 1000) != PW_NEVER; i++) {
        settle();
    }
    settle();
}

static bool take(struct pw_message *message, int32_t id)
{
    settle();
    if (pw_journal_head(&journal, message) != PW_OK) {
        return false;
    }
    assert_int_equal(pw_journal_answered(&journal, message, id), PW_OK);
    return true;
}

static int open_store(void **state)
{
    (void)state;
    pw_sim_store_init(&store);
    open_journal();
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    pw_sim_store_free(&store);
    return 0;
}

// ---------------------------------------------------------------------------------------------

// Reason: days without a central system. What is left must still draw the curve of every charge,
// the early ones as well as the last; and a meter's quarter hours are what somebody bills.
static void days_offline_are_thinned_evenly_and_keep_the_quarter_hours(void **state)
{
    (void)state;
    enum { ROOM = 1000, CHARGES = 4, MINUTES = 1440 };
    journal.room = ROOM;
    pw_ms now = MINUTE_MS;
    for (int charge = 0; charge < CHARGES; charge++) {
        int64_t base = (charge + 1) * 1000000;
        assert_true(begin(1, now, base) > 0);
        for (int minute = 1; minute < MINUTES; minute++) {
            now += MINUTE_MS;
            meter(1, now, PW_READING_PERIODIC, base + minute);
            if (minute % 15 == 0) {
                meter(1, now, PW_READING_CLOCK, base + minute);
            }
            thin();
        }
        now += MINUTE_MS;
        end(1, now, base + MINUTES);
    }
    assert_true(pw_journal_waiting(&journal) <= ROOM);
    assert_true(pw_journal_waiting(&journal) >= ROOM / 3);
    assert_int_equal(journal.dropped, 0);
    assert_true(journal.thinned > 4000);

    struct pw_message message;
    for (int charge = 0; charge < CHARGES; charge++) {
        int64_t base = (charge + 1) * 1000000;
        int64_t before = 0;
        int64_t widest = 0;
        unsigned aligned = 0;
        assert_true(take(&message, charge + 1));
        assert_int_equal(message.kind, PW_MESSAGE_START);
        while (take(&message, 0) && message.kind == PW_MESSAGE_METER) {
            int64_t minute = message.sample.value[PW_ENERGY_WH] - base;
            assert_int_equal(message.transaction.transaction_id, charge + 1);
            if (message.sample.reading == PW_READING_CLOCK) {
                aligned++;
                continue;
            }
            assert_true(before == 0 ? minute == 1 : minute > before);
            widest = pw_max(widest, minute - before);
            before = minute;
        }
        assert_int_equal(message.kind, PW_MESSAGE_STOP);
        assert_int_equal(before, MINUTES - 1);
        assert_int_equal(aligned, MINUTES / 15 - 1);
        // 1,000 places less 380 quarter hours for 5,756 minutes: one of ten fits, one of 32 is
        // least.
        assert_in_range(widest, 8, 32);
    }
}

// Reason: an operator who would rather have no charge than one without its values says so.
static void no_charge_begins_when_nothing_is_left_to_thin_and_the_policy_says_so(void **state)
{
    (void)state;
    journal.room = 10;
    pw_ms now = MINUTE_MS;
    for (int charge = 0; charge < 5; charge++) {
        assert_true(begin(1, now, charge * 100) > 0);
        end(1, now + 1000, charge * 100 + 10);
        now += MINUTE_MS;
    }
    thin();
    assert_true(journal.thinning.exhausted);
    journal.policy = PW_JOURNAL_NO_START;
    assert_int_equal(begin(1, now, 1000), PW_ERR_LIMIT);
    assert_null(pw_journal_open_on(&journal, 1));
    struct pw_message message;
    assert_true(take(&message, 1));
    assert_true(take(&message, 0));
    assert_true(begin(1, now, 1000) > 0);
    journal.policy = PW_JOURNAL_THIN;
    assert_true(begin(2, now, 1000) > 0);
}

// Reason: clock-aligned values outside a charge are transaction-related messages too (§3.7).
static void a_value_outside_any_charge_waits_in_its_turn(void **state)
{
    (void)state;
    meter(2, MINUTE_MS, PW_READING_CLOCK, 42);
    assert_true(begin(1, 2 * MINUTE_MS, 100) > 0);
    settle();
    store.lag = 0;
    open_journal();
    struct pw_message message;
    assert_true(take(&message, 0));
    assert_int_equal(message.kind, PW_MESSAGE_METER);
    assert_int_equal(message.connector, 2);
    assert_int_equal(message.transaction.seq, 0);
    assert_true(take(&message, 7));
    assert_int_equal(message.kind, PW_MESSAGE_START);
}

// ---------------------------------------------------------------------------------------------

static unsigned walk_notes(uint32_t transaction, int64_t *first, int64_t *last, int64_t *widest)
{
    struct pw_note_walk walk = {.transaction = transaction};
    struct pw_sample sample;
    unsigned count = 0;
    *widest = 0;
    while (pw_journal_next_note(&journal, &walk, &sample)) {
        int64_t wh = sample.value[PW_ENERGY_WH];
        *first = count == 0 ? wh : *first;
        assert_true(count == 0 || wh >= *last);
        *widest = count == 0 ? 0 : pw_max(*widest, wh - *last);
        *last = wh;
        count++;
    }
    return count;
}

// Reason: erratum 3.91: of too many readings every second one goes, over a restart as well, and the
// clock-aligned ones are not those that pay for it.
static void readings_for_the_stop_are_halved_and_survive_a_restart(void **state)
{
    (void)state;
    enum { READINGS = 1000 };
    int64_t first = 0;
    int64_t last = 0;
    int64_t widest = 0;
    assert_true(begin(1, 0, 1) > 0);
    for (int i = 1; i <= READINGS; i++) {
        struct pw_sample value = sample_at((pw_ms)i * MINUTE_MS,
                                           i % 50 == 0 ? PW_READING_CLOCK : PW_READING_PERIODIC, i);
        assert_int_equal(pw_journal_note(&journal, 1, &value), PW_OK);
        settle();
        if (i % 333 == 0) {
            open_journal();
            assert_non_null(pw_journal_open_on(&journal, 1));
        }
    }
    uint32_t transaction = pw_journal_open_on(&journal, 1)->seq;
    unsigned count = walk_notes(transaction, &first, &last, &widest);
    assert_in_range(count, PW_JOURNAL_NOTES / 2, PW_JOURNAL_NOTES);
    assert_int_equal(first, 1);
    assert_true(last > READINGS - 20);
    assert_true(widest <= 20);
    assert_int_equal(journal.notes[0].shift[PW_NOTE_ALIGNED], 0);

    end(1, 2000 * MINUTE_MS, READINGS + 1);
    struct pw_message message;
    assert_true(take(&message, 9));
    assert_true(take(&message, 0));
    assert_int_equal(message.kind, PW_MESSAGE_STOP);
    settle();
    assert_int_equal(pw_sim_store_count(&store, "note/"), 0);
}

// ---------------------------------------------------------------------------------------------

// Reason: a charge that begins before the clock is set has its time later, and the same one after a
// restart; no 1970 and no future.
static void a_time_taken_without_a_clock_is_worked_out_later(void **state)
{
    (void)state;
    struct pw_stamp early = {.mono = 5000, .boot = journal.boot};
    assert_int_equal(pw_journal_wall(&journal, early), 0);
    pw_journal_clock(&journal, noon);
    assert_int_equal(pw_journal_wall(&journal, early), noon + 5000);
    settle();
    // The machine starts again; its own time begins anew, an hour of the world later.
    open_journal();
    journal.started = 100;
    assert_int_equal(pw_journal_wall(&journal, early), 0);
    pw_journal_clock(&journal, noon + 3600000);
    assert_int_equal(pw_journal_wall(&journal, early), noon + 5000);
}

// Reason: the power goes before the clock was ever known. The charge was before the next start, and
// lasted as long as it lasted.
static void a_start_that_never_knew_its_clock_ended_before_the_next_one(void **state)
{
    (void)state;
    journal.started = 1000;
    struct pw_transaction transaction = {.connector = 1, .id_tag = "TAG"};
    transaction.first = sample_at(20000, PW_READING_BEGIN, 1);
    transaction.first.at.wall = 0;
    assert_true(pw_journal_begin(&journal, &transaction) > 0);
    struct pw_sample value = sample_at(80000, PW_READING_PERIODIC, 2);
    value.at.wall = 0;
    assert_int_equal(pw_journal_meter(&journal, 1, &value), PW_OK);
    settle();
    open_journal(); // nor did this one
    journal.started = 2000;
    settle();
    open_journal();
    journal.started = 3000;
    pw_journal_clock(&journal, noon);
    pw_unix_ms began = pw_journal_wall(&journal, transaction.first.at);
    pw_unix_ms read = pw_journal_wall(&journal, value.at);
    assert_int_equal(read - began, 60000);
    assert_true(read <= noon + 3000);
    assert_true(began > noon - 120000);
}

// Reason: a clock that is set during a charge must neither stretch nor reverse it.
static void a_clock_set_during_a_charge_does_not_change_its_length(void **state)
{
    (void)state;
    static const int64_t steps_ms[] = {3600000, -3600000, -86400000};
    for (size_t i = 0; i < PW_COUNT(steps_ms); i++) {
        pw_ms from = (i + 1) * 100 * MINUTE_MS;
        struct pw_message message;
        assert_true(begin(1, from, 1) > 0);
        struct pw_sample last = sample_at(from + 10 * MINUTE_MS, PW_READING_END, 2);
        last.at.wall += steps_ms[i];
        assert_true(pw_journal_end(&journal, 1, 1, PW_STR(""), &last) > 0);
        assert_true(take(&message, 1));
        assert_true(take(&message, 0));
        assert_int_equal(message.transaction.last.at.wall - message.transaction.first.at.wall,
                         10 * MINUTE_MS);
    }
}

// ---------------------------------------------------------------------------------------------

// Reason: B 17: the answer to StartTransaction comes after it was given up; the stop must not go
// out under -1, and the start that did arrive is not set aside any more.
static void a_late_answer_replaces_minus_one(void **state)
{
    (void)state;
    struct pw_message message;
    assert_true(begin(1, 1000, 1) > 0);
    settle();
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    assert_int_equal(pw_journal_refused(&journal, &message), PW_OK);
    settle();
    assert_int_equal(journal.parked, 1);
    assert_int_equal(pw_journal_open_on(&journal, 1)->transaction_id, -1);
    assert_int_equal(pw_journal_connector_of(&journal, -1), 0);
    assert_int_equal(pw_journal_identified(&journal, message.transaction.seq, 77), PW_OK);
    assert_int_equal(journal.parked, 0);
    assert_int_equal(pw_journal_connector_of(&journal, 77), 1);
    end(1, 9000, 2);
    assert_true(take(&message, 0));
    assert_int_equal(message.transaction.transaction_id, 77);
    settle();
    assert_int_equal(pw_journal_identified(&journal, message.transaction.seq, 78), PW_ERR_UNKNOWN);
}

// Reason: erratum 3.54: 0 and negative ids are ids like any other.
static void zero_and_minus_one_are_ids_when_they_were_given(void **state)
{
    (void)state;
    struct pw_message message;
    assert_true(begin(1, 1000, 1) > 0);
    assert_true(begin(2, 1000, 1) > 0);
    assert_int_equal(pw_journal_connector_of(&journal, 0), 0);
    assert_true(take(&message, 0));
    assert_true(take(&message, -1));
    assert_int_equal(pw_journal_connector_of(&journal, 0), 1);
    assert_int_equal(pw_journal_connector_of(&journal, -1), 2);
    settle();
    open_journal();
    assert_int_equal(pw_journal_connector_of(&journal, -1), 2);
}

// Reason: a message that was set aside is for a person to look at; one that comes after a restart
// must not take its place.
static void what_was_set_aside_stays_over_restarts(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct pw_message message;
        assert_true(begin(1, 1000, 1) > 0);
        end(1, 2000, 2);
        for (int part = 0; part < 2; part++) {
            settle();
            assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
            assert_int_equal(pw_journal_refused(&journal, &message), PW_OK);
        }
        settle();
        open_journal();
        assert_int_equal(journal.parked, 2 * (i + 1));
    }
    assert_int_equal(pw_sim_store_count(&store, "park/"), 6);
}

// Reason: an update must find the charges that wait; up to version 3 an id said by itself whether
// it had been given.
static void a_transaction_of_version_3_is_read(void **state)
{
    (void)state;
    static const struct {
        int32_t id;
        enum pw_transaction_id state;
    } rows[] = {{0, PW_ID_AWAITED}, {-1, PW_ID_REFUSED}, {31, PW_ID_GIVEN}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_record record;
        struct pw_transaction transaction;
        // version, seq, connector, idTag, first (stamp, reading, has), id, stopped
        uint8_t old[1 + 4 + 1 + 2 + 20 + 1 + 4 + 4 + 1] = {3, 0, 0, 0, 9, 2, 1, 'A'};
        pw_set_be32(old + sizeof(old) - 5, (uint32_t)rows[i].id);
        assert_int_equal(pw_record_load(&record, (const char *)old, sizeof(old)), PW_OK);
        pw_record_get_transaction(&record, &transaction);
        assert_int_equal(pw_record_end(&record), PW_OK);
        assert_int_equal(transaction.seq, 9);
        assert_int_equal(transaction.id_state, rows[i].state);
        assert_int_equal(transaction.transaction_id, rows[i].id);
        assert_false(transaction.reserved);
    }
}

// Reason: a register that was lost must not send the next charge's start below the last one's stop.
static void a_lost_register_goes_on_from_the_last_charge(void **state)
{
    (void)state;
    struct pw_register reg = {.counter = -1};
    reg.energy.energy_mwh = 5000000;
    assert_true(begin(1, 1000, 4000) > 0);
    end(1, 2000, 5000);
    assert_int_equal(pw_journal_save_register(&journal, 1, &reg), PW_OK);
    settle();
    for (size_t i = 0; i < store.count; i++) {
        if (strncmp(store.records[i].key, "reg/", 4) == 0) {
            store.records[i].value[0] = 99;
        }
    }
    assert_int_equal(pw_journal_read_register(&journal, 1, &reg), PW_OK);
    assert_int_equal(reg.energy.energy_mwh, 5000000);
    assert_int_equal(journal.damaged, 1);
}

// Reason: a meter that was replaced during a charge counts from zero; a stop below its start would
// be refused for ever, or worse, paid out.
static void a_stop_is_not_below_its_start(void **state)
{
    (void)state;
    struct pw_message message;
    assert_true(begin(1, 1000, 4000) > 0);
    end(1, 2000, 12);
    assert_true(take(&message, 1));
    assert_true(take(&message, 0));
    assert_int_equal(message.transaction.last.value[PW_ENERGY_WH], 4000);
}

static int able(void *context)
{
    return *(int *)context;
}

static int64_t taken(void *context, const struct pw_store_change *changes, size_t count)
{
    (void)context;
    (void)changes;
    (void)count;
    return 1;
}

static int64_t durable(void *context)
{
    (void)context;
    return 0;
}

// Reason: a disk that is full takes batches it may never write. Nobody may be told that a setting
// is kept, and no charge may begin; but one that ends is tried.
static void on_a_full_disk_nothing_is_promised(void **state)
{
    (void)state;
    int health = PW_OK;
    struct pw_store full = {.context = &health, .write = taken, .durable = durable, .able = able};
    assert_true(begin(1, 1000, 4000) > 0);
    journal.store = &full;
    static const int troubles[] = {PW_ERR_LIMIT, PW_ERR_STORE};
    for (size_t i = 0; i < PW_COUNT(troubles); i++) {
        health = troubles[i];
        assert_int_equal(pw_journal_keeps(&journal), health);
        assert_int_equal(begin(2, 1000, 1), health);
        assert_null(pw_journal_open_on(&journal, 2));
        assert_int_equal(pw_journal_save_setting(&journal, PW_STR("a.b"), PW_STR("1")), health);
    }
    end(1, 2000, 4100);
    assert_null(pw_journal_open_on(&journal, 1));
}

// ---------------------------------------------------------------------------------------------
// No central system.

static size_t records(void)
{
    settle();
    return pw_sim_store_count(&store, "");
}

// Reason: a station at a home has no central system for years; whatever it kept for one would fill
// its disk. People still see what was charged.
static void without_a_central_system_years_of_charges_keep_the_store_small(void **state)
{
    (void)state;
    enum { CHARGES = 2000, VALUES = 20 };
    struct pw_transaction receipt;
    size_t most = 0;
    journal.alone = true;
    for (int i = 0; i < CHARGES; i++) {
        pw_ms from = (pw_ms)(i + 1) * 60 * MINUTE_MS;
        assert_true(begin(1, from, i * 1000) > 0);
        for (int n = 1; n <= VALUES; n++) {
            struct pw_sample value =
                sample_at(from + (pw_ms)n * MINUTE_MS, PW_READING_PERIODIC, i * 1000 + n);
            assert_int_equal(pw_journal_meter(&journal, 1, &value), PW_OK);
            assert_int_equal(pw_journal_note(&journal, 1, &value), PW_OK);
        }
        meter(2, from, PW_READING_CLOCK, i);
        assert_int_equal(pw_journal_waiting(&journal), 1);
        end(1, from + 30 * MINUTE_MS, i * 1000 + 500);
        assert_int_equal(pw_journal_waiting(&journal), 0);
        settle();
        (void)pw_journal_step(&journal, from);
        most = records() > most ? records() : most;
    }
    (void)printf("%d charges: never more than %zu records\n", CHARGES, most);
    assert_in_range(most, PW_JOURNAL_RECEIPTS, PW_JOURNAL_RECEIPTS + 10);
    assert_int_equal(pw_sim_store_count(&store, "q/") + pw_sim_store_count(&store, "tx/"), 0);
    for (unsigned back = 0; back < PW_JOURNAL_RECEIPTS; back++) {
        assert_int_equal(pw_journal_receipt(&journal, back, &receipt), PW_OK);
        assert_int_equal(receipt.seq, CHARGES - back);
        assert_int_equal(receipt.last.value[PW_ENERGY_WH] - receipt.first.value[PW_ENERGY_WH], 500);
    }
    assert_int_equal(journal.dropped + journal.thinned, 0);
}

// Reason: what a central system that is set later must hear of is what runs then, from its start,
// and nothing of the years before.
static void a_central_system_that_is_set_later_begins_with_what_is_open(void **state)
{
    (void)state;
    struct pw_message message;
    journal.alone = true;
    assert_true(begin(1, 1000, 100) > 0);
    end(1, 2000, 200);
    assert_true(begin(2, 3000, 5000) > 0);
    assert_true(begin(1, 4000, 300) > 0);
    meter(2, 5000, PW_READING_PERIODIC, 5100);
    end(1, 6000, 400);
    settle();
    pw_sim_store_restart(&store);
    open_journal(); // now there is one
    meter(2, 7000, PW_READING_PERIODIC, 5200);
    end(2, 8000, 5300);
    assert_int_equal(pw_journal_waiting(&journal), 3);
    assert_true(take(&message, 77));
    assert_int_equal(message.kind, PW_MESSAGE_START);
    assert_int_equal(message.transaction.first.value[PW_ENERGY_WH], 5000);
    assert_true(take(&message, 0));
    assert_int_equal(message.sample.value[PW_ENERGY_WH], 5200);
    assert_true(take(&message, 0));
    assert_int_equal(message.kind, PW_MESSAGE_STOP);
    assert_int_equal(message.transaction.transaction_id, 77);
    assert_false(take(&message, 0));
    assert_int_equal(journal.damaged, 0);
}

// Charges 1 to 4 have ended, their messages wait; 5 is open, with values.
static void leave_a_queue(void)
{
    for (int i = 1; i <= 4; i++) {
        assert_true(begin(1, (pw_ms)i * 10000, i * 1000) > 0);
        for (int n = 1; n <= 3; n++) {
            struct pw_sample value =
                sample_at((pw_ms)(i * 10000 + n * 100), PW_READING_PERIODIC, 1);
            assert_int_equal(pw_journal_meter(&journal, 1, &value), PW_OK);
            assert_int_equal(pw_journal_note(&journal, 1, &value), PW_OK);
        }
        meter(2, (pw_ms)i * 10000, PW_READING_CLOCK, 7);
        end(1, (pw_ms)i * 10000 + 5000, i * 1000 + 500);
    }
    assert_true(begin(1, 60000, 9000) > 0);
    meter(1, 61000, PW_READING_PERIODIC, 9010);
    settle();
}

// What a central system that is set again hears: the charge that is open, and of at most one other
// the rest, with -1.
static void hear_what_is_left(uint64_t cut_at)
{
    struct pw_message message;
    bool open_heard = false;
    uint32_t torn = 0;
    while (take(&message, 5)) {
        const struct pw_transaction *of = &message.transaction;
        if (of->seq == 0) {
            continue; // a value outside any charge
        }
        if (message.kind == PW_MESSAGE_START) {
            assert_int_equal(of->id_state, PW_ID_AWAITED);
            open_heard = open_heard || of->seq == 5;
        } else if (of->id_state == PW_ID_REFUSED) {
            assert_true(torn == 0 || torn == of->seq);
            torn = of->seq;
        } else {
            assert_int_equal(of->id_state, PW_ID_GIVEN);
        }
    }
    if (!open_heard || journal.damaged > 0) {
        fail_msg("cut at %llu: open charge %s, %u damaged", (unsigned long long)cut_at,
                 open_heard ? "heard" : "not heard", journal.damaged);
    }
}

static void trim(void)
{
    for (int i = 0; i < 100 && !store.cut; i++) {
        (void)pw_journal_step(&journal, 1000);
        settle();
    }
}

// False when there was nothing left to cut.
static bool cut_trimming(uint64_t at, uint32_t lag)
{
    (void)close_store(NULL);
    (void)open_store(NULL);
    leave_a_queue();
    journal.alone = true;
    store.lag = lag;
    store.cut_at = store.operations + at;
    trim();
    bool cut = store.cut;
    pw_sim_store_restart(&store);
    open_journal();
    return cut;
}

// Reason: the queue of a central system that was taken out of the settings goes, and the power may
// go at any operation of that.
static void what_an_old_central_system_left_goes_and_stands_a_cut_anywhere(void **state)
{
    (void)state;
    unsigned cuts = 0;
    for (uint32_t lag = 0; lag <= 2; lag += 2) {
        bool cut = true;
        for (uint64_t at = 1; cut; at++) {
            // Then there is a central system again, ...
            cut = cut_trimming(at, lag);
            cuts += cut ? 1 : 0;
            hear_what_is_left(at);
            // ... or there is not.
            (void)cut_trimming(at, lag);
            journal.alone = true;
            trim();
            assert_int_equal(pw_journal_waiting(&journal), 1);
            assert_int_equal(pw_sim_store_count(&store, "q/"), 1);
            assert_int_equal(pw_sim_store_count(&store, "tx/"), 1);
            assert_int_equal(pw_sim_store_count(&store, "note/"), 0);
            assert_int_equal(pw_sim_store_count(&store, "bad/"), 0);
        }
    }
    (void)printf("%u cuts\n", cuts);
    assert_true(cuts > 50);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)
    const struct CMUnitTest tests[] = {
        T(days_offline_are_thinned_evenly_and_keep_the_quarter_hours),
        T(no_charge_begins_when_nothing_is_left_to_thin_and_the_policy_says_so),
        T(a_value_outside_any_charge_waits_in_its_turn),
        T(readings_for_the_stop_are_halved_and_survive_a_restart),
        T(a_time_taken_without_a_clock_is_worked_out_later),
        T(a_start_that_never_knew_its_clock_ended_before_the_next_one),
        T(a_clock_set_during_a_charge_does_not_change_its_length),
        T(a_late_answer_replaces_minus_one),
        T(zero_and_minus_one_are_ids_when_they_were_given),
        T(what_was_set_aside_stays_over_restarts),
        T(a_transaction_of_version_3_is_read),
        T(a_lost_register_goes_on_from_the_last_charge),
        T(a_stop_is_not_below_its_start),
        T(on_a_full_disk_nothing_is_promised),
        T(without_a_central_system_years_of_charges_keep_the_store_small),
        T(a_central_system_that_is_set_later_begins_with_what_is_open),
        T(what_an_old_central_system_left_goes_and_stands_a_cut_anywhere),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
