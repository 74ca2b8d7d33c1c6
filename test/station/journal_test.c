// The journal: what a power cut may and may not take away.
#include "journal/journal.h"
#include "simstore.h"
#include "test.h"

#include <string.h>

static struct pw_sample sample(int64_t energy_wh, enum pw_reading reading)
{
    struct pw_sample it = {.reading = reading, .has = 1U << PW_ENERGY_WH};
    it.at = (struct pw_stamp){.wall = 1700000000000 + energy_wh, .mono = 5, .boot = 1};
    it.value[PW_ENERGY_WH] = energy_wh;
    return it;
}

static struct pw_journal open_journal(struct pw_sim_store *store)
{
    struct pw_journal journal;
    assert_int_equal(pw_journal_open(&journal, &store->port, NULL), PW_OK);
    return journal;
}

static int64_t begin(struct pw_journal *journal, unsigned connector, const char *tag)
{
    struct pw_transaction transaction = {.connector = (uint8_t)connector,
                                         .first = sample(1000, PW_READING_BEGIN)};
    assert_int_equal(pw_str_copy(transaction.id_tag, sizeof(transaction.id_tag), pw_str_of(tag)),
                     PW_OK);
    return pw_journal_begin(journal, &transaction);
}

static int64_t end(struct pw_journal *journal, unsigned connector)
{
    struct pw_sample last = sample(2500, PW_READING_END);
    return pw_journal_end(journal, connector, 4, PW_STR("CARD"), &last);
}

static void settle(struct pw_sim_store *store)
{
    for (int i = 0; i < 8; i++) {
        (void)store->port.durable(store->port.context);
    }
}

static void answer_head(struct pw_journal *journal, enum pw_message_kind kind, int32_t id)
{
    struct pw_message message;
    assert_int_equal(pw_journal_head(journal, &message), PW_OK);
    assert_int_equal(message.kind, kind);
    assert_int_equal(pw_journal_answered(journal, &message, id), PW_OK);
}

// Reason: OCPP wants start, values and stop of one transaction in the order they happened.
static void messages_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    struct pw_sample value = sample(1500, PW_READING_PERIODIC);
    assert_true(begin(&journal, 1, "A") > 0);
    assert_int_equal(pw_journal_meter(&journal, 1, &value), PW_OK);
    assert_true(begin(&journal, 2, "B") > 0);
    assert_true(end(&journal, 1) > 0);
    settle(&store);
    answer_head(&journal, PW_MESSAGE_START, 71);
    settle(&store);
    struct pw_message message;
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    assert_int_equal(message.kind, PW_MESSAGE_METER);
    // The id of the answer reached the transaction although it had ended before.
    assert_int_equal(message.transaction.transaction_id, 71);
    assert_int_equal(message.sample.value[PW_ENERGY_WH], 1500);
    assert_int_equal(pw_journal_answered(&journal, &message, 0), PW_OK);
    answer_head(&journal, PW_MESSAGE_START, 72);
    settle(&store);
    assert_int_equal(pw_journal_connector_of(&journal, 72), 2);
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    assert_int_equal(message.kind, PW_MESSAGE_STOP);
    assert_int_equal(message.transaction.transaction_id, 71);
    assert_string_equal(message.transaction.stop_id_tag, "CARD");
    assert_int_equal(message.transaction.last.value[PW_ENERGY_WH], 2500);
    assert_int_equal(pw_journal_answered(&journal, &message, 0), PW_OK);
    assert_int_equal(pw_journal_waiting(&journal), 0);
    settle(&store);
    assert_int_equal(pw_sim_store_count(&store, "q/"), 0);
    assert_int_equal(pw_sim_store_count(&store, "tx/"), 1); // connector 2 is still open
    pw_sim_store_free(&store);
}

// Reason: a message sent before its record is safe would be unknown to the station after a cut.
static void nothing_is_sent_before_it_is_durable(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    store.lag = 3;
    struct pw_journal journal = open_journal(&store);
    struct pw_message message;
    settle(&store);
    int64_t ticket = begin(&journal, 1, "A");
    assert_int_equal(pw_journal_durable(&journal, ticket), 0);
    assert_int_equal(pw_journal_head(&journal, &message), PW_ERR_AGAIN);
    settle(&store);
    assert_int_equal(pw_journal_durable(&journal, ticket), 1);
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    pw_sim_store_free(&store);
}

// Reason: erratum 3.18: what follows a start the central system never took carries id -1, and the
// refused start itself is set aside, not lost.
static void a_start_refused_for_good_leaves_minus_one(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    struct pw_message message;
    assert_true(begin(&journal, 1, "A") > 0);
    settle(&store);
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    assert_int_equal(pw_journal_refused(&journal, &message), PW_OK);
    assert_true(end(&journal, 1) > 0);
    settle(&store);
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    assert_int_equal(message.kind, PW_MESSAGE_STOP);
    assert_int_equal(message.transaction.transaction_id, -1);
    assert_int_equal(pw_sim_store_count(&store, "park/"), 1);
    assert_int_equal(journal.parked, 1);
    pw_sim_store_free(&store);
}

// Reason: the answer to a start may come just when the transaction ends; the stop must not be
// written over with the older record.
static void an_answer_while_the_end_is_being_written_waits(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    struct pw_message message;
    assert_true(begin(&journal, 1, "A") > 0);
    settle(&store);
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    store.lag = 2;
    assert_true(end(&journal, 1) > 0);
    assert_int_equal(pw_journal_answered(&journal, &message, 9), PW_ERR_AGAIN);
    settle(&store);
    assert_int_equal(pw_journal_answered(&journal, &message, 9), PW_OK);
    settle(&store);
    assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
    assert_int_equal(message.kind, PW_MESSAGE_STOP);
    assert_int_equal(message.transaction.transaction_id, 9);
    assert_true(message.transaction.stopped);
    pw_sim_store_free(&store);
}

// Reason: when the queue is full, values give way; starts, stops, the first and the last value
// never do.
static void a_full_queue_keeps_first_and_last_value_and_counts_the_rest(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    journal.room = 1;
    journal.policy = PW_JOURNAL_DROP_NEW;
    assert_true(begin(&journal, 1, "A") > 0);
    for (int64_t wh = 1500; wh < 1504; wh++) {
        struct pw_sample value = sample(wh, PW_READING_PERIODIC);
        assert_int_equal(pw_journal_meter(&journal, 1, &value), wh < 1502 ? PW_OK : PW_ERR_LIMIT);
    }
    assert_int_equal(journal.dropped, 2);
    assert_true(end(&journal, 1) > 0);
    assert_true(begin(&journal, 1, "B") > 0);
    settle(&store);
    assert_int_equal(pw_journal_waiting(&journal), 5);
    answer_head(&journal, PW_MESSAGE_START, 71);
    const int64_t expected_wh[] = {1500, 1503};
    for (size_t i = 0; i < PW_COUNT(expected_wh); i++) {
        struct pw_message message;
        settle(&store);
        assert_int_equal(pw_journal_head(&journal, &message), PW_OK);
        assert_int_equal(message.kind, PW_MESSAGE_METER);
        assert_int_equal(message.sample.value[PW_ENERGY_WH], expected_wh[i]);
        assert_int_equal(pw_journal_answered(&journal, &message, 0), PW_OK);
    }
    settle(&store);
    answer_head(&journal, PW_MESSAGE_STOP, 0);
    settle(&store);
    answer_head(&journal, PW_MESSAGE_START, 72);
    pw_sim_store_free(&store);
}

// Reason: a store that fails must be heard, never swallowed; no transaction is open then.
static void a_failing_store_refuses_the_start(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    store.failed = true;
    assert_int_equal(begin(&journal, 1, "A"), PW_ERR_STORE);
    assert_null(pw_journal_open_on(&journal, 1));
    assert_int_equal(pw_journal_durable(&journal, 1), PW_ERR_STORE);
    pw_sim_store_free(&store);
}

// ---------------------------------------------------------------------------------------------
// Every power cut. A script of begin, two values, end, with all answers, is cut before each
// operation of the store; after the restart the script's remaining messages are answered. The
// central system must have seen each start and stop at least once, in order, and nothing else.

struct seen {
    unsigned starts;
    unsigned stops;
    unsigned stops_before_start;
};

static void drain(struct pw_journal *journal, struct pw_sim_store *store, struct seen *seen)
{
    struct pw_message message;
    for (int i = 0; i < 100 && !store->cut; i++) {
        int err = pw_journal_head(journal, &message);
        if (err == PW_ERR_UNKNOWN) {
            return;
        }
        if (err != PW_OK) {
            continue;
        }
        seen->starts += message.kind == PW_MESSAGE_START ? 1U : 0U;
        seen->stops += message.kind == PW_MESSAGE_STOP ? 1U : 0U;
        seen->stops_before_start +=
            message.kind == PW_MESSAGE_STOP && message.transaction.transaction_id != 7 ? 1U : 0U;
        while (!store->cut && pw_journal_answered(journal, &message, 7) == PW_ERR_AGAIN) {
        }
    }
}

static void run_script(struct pw_sim_store *store, struct seen *seen, bool *end_safe)
{
    struct pw_journal journal;
    struct pw_sample value = sample(1500, PW_READING_PERIODIC);
    if (pw_journal_open(&journal, &store->port, NULL) != PW_OK) {
        return;
    }
    int64_t ticket = begin(&journal, 1, "A");
    settle(store);
    assert_true(store->cut || pw_journal_durable(&journal, ticket) == 1);
    (void)!pw_journal_meter(&journal, 1, &value);
    drain(&journal, store, seen);
    (void)!pw_journal_meter(&journal, 1, &value);
    ticket = end(&journal, 1);
    int64_t ended = 0;
    for (int i = 0; i < 10; i++) {
        ended = pw_journal_durable(&journal, ticket);
    }
    *end_safe = ended == 1 && !store->cut;
    drain(&journal, store, seen);
}

static unsigned cut_at_every_operation(uint32_t lag, bool keep_pending)
{
    unsigned cuts = 0;
    for (uint64_t cut = 1;; cut++) {
        struct pw_sim_store store;
        struct seen seen = {0};
        bool end_safe = false;
        pw_sim_store_init(&store);
        store.lag = lag;
        store.cut_at = cut;
        store.keep_pending = keep_pending;
        run_script(&store, &seen, &end_safe);
        bool was_cut = store.cut;
        pw_sim_store_restart(&store);
        struct pw_journal journal = open_journal(&store);
        if (pw_journal_open_on(&journal, 1) != NULL) {
            assert_true(end(&journal, 1) > 0);
        }
        settle(&store);
        drain(&journal, &store, &seen);
        assert_int_equal(pw_journal_waiting(&journal), 0);
        assert_int_equal(seen.stops_before_start, 0);
        // A stop is never heard without its start, nor a start without its stop.
        assert_true((seen.starts == 0) == (seen.stops == 0));
        assert_true(!end_safe || seen.stops >= 1);
        assert_true(seen.starts <= 2 && seen.stops <= 2);
        // A charge that was told to the central system has its receipt, whatever was cut.
        struct pw_transaction receipt;
        bool kept = pw_journal_receipt(&journal, 0, &receipt) == PW_OK;
        assert_true(kept == (seen.stops > 0));
        assert_true(!kept || (receipt.stopped && receipt.last.value[PW_ENERGY_WH] == 2500));
        pw_sim_store_free(&store);
        if (!was_cut) {
            return cuts;
        }
        cuts++;
    }
}

static void no_power_cut_loses_or_reorders_a_transaction(void **state)
{
    (void)state;
    unsigned cuts = 0;
    for (uint32_t lag = 0; lag < 4; lag++) {
        cuts += cut_at_every_operation(lag, false);
        cuts += cut_at_every_operation(lag, true);
    }
    assert_true(cuts > 80);
}

// ---------------------------------------------------------------------------------------------

// Reason: people ask what they charged last week long after the messages have left; and a list that
// grows for ever fills the disk.
static void the_last_fifty_charges_stay_to_be_looked_at(void **state)
{
    (void)state;
    struct pw_sim_store store;
    struct pw_transaction receipt;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    assert_int_equal(pw_journal_receipt(&journal, 0, &receipt), PW_ERR_RANGE);
    assert_true(begin(&journal, 2, "LONG") > 0);
    for (unsigned i = 0; i < 120; i++) {
        assert_true(begin(&journal, 1, i == 119 ? "LAST" : "CARD") > 0);
        settle(&store);
        assert_int_equal(pw_journal_receipt(&journal, 0, &receipt), PW_ERR_UNKNOWN);
        assert_true(end(&journal, 1) > 0);
        settle(&store);
        assert_int_equal(pw_journal_receipt(&journal, 0, &receipt), PW_OK);
    }
    assert_true(end(&journal, 2) > 0); // older than all that are shown: takes nobody's place
    settle(&store);
    journal = open_journal(&store); // and after a restart
    for (unsigned back = 0; back < PW_JOURNAL_RECEIPTS; back++) {
        assert_int_equal(pw_journal_receipt(&journal, back, &receipt), PW_OK);
        assert_int_equal(receipt.seq, 121 - back);
        assert_string_equal(receipt.id_tag, back == 0 ? "LAST" : "CARD");
        assert_int_equal(receipt.last.value[PW_ENERGY_WH] - receipt.first.value[PW_ENERGY_WH],
                         1500);
    }
    assert_int_equal(pw_journal_receipt(&journal, PW_JOURNAL_RECEIPTS, &receipt), PW_ERR_RANGE);
    pw_sim_store_free(&store);
}

static void registers_latches_and_settings_come_back(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    const struct pw_register reg = {.energy = {.energy_mwh = 123456789, .rest = 17},
                                    .counter = 4711,
                                    .at = {.wall = 1700000000000, .mono = 9, .boot = 1}};
    struct pw_keep keep = {.latched = 5,
                           .inoperative = true,
                           .charge_now = true,
                           .limit = {5000, 0, 0},
                           .limited = {true, false, true}};
    assert_int_equal(pw_journal_save_register(&journal, 2, &reg), PW_OK);
    assert_int_equal(pw_journal_save_keep(&journal, 2, keep), PW_OK);
    assert_int_equal(
        pw_journal_save_setting(&journal, PW_STR("metering.sample_interval_s"), PW_STR("10")),
        PW_OK);
    settle(&store);
    journal = open_journal(&store);
    assert_int_equal(journal.boot, 2);
    struct pw_register back;
    struct pw_keep keep_back;
    char path[PW_STORE_KEY_MAX + 1] = "";
    char value[32];
    assert_int_equal(pw_journal_read_register(&journal, 2, &back), PW_OK);
    assert_int_equal(back.energy.energy_mwh, 123456789);
    assert_int_equal(back.energy.rest, 17);
    assert_int_equal(back.counter, 4711);
    assert_int_equal(back.at.wall, 1700000000000);
    assert_int_equal(pw_journal_read_keep(&journal, 2, &keep_back), PW_OK);
    assert_int_equal(keep_back.latched, 5);
    assert_true(keep_back.inoperative);
    assert_true(keep_back.charge_now);
    assert_memory_equal(keep_back.limit, keep.limit, sizeof(keep.limit));
    assert_memory_equal(keep_back.limited, keep.limited, sizeof(keep.limited));
    assert_int_equal(pw_journal_next_setting(&journal, path, value, sizeof(value)), PW_OK);
    assert_string_equal(path, "metering.sample_interval_s");
    assert_string_equal(value, "10");
    assert_int_equal(pw_journal_next_setting(&journal, path, value, sizeof(value)), PW_ERR_UNKNOWN);
    pw_sim_store_free(&store);
}

// The records whose key begins so.
static unsigned records_of(const struct pw_sim_store *store, const char *prefix)
{
    unsigned count = 0;
    for (size_t i = 0; i < store->count; i++) {
        count += strncmp(store->records[i].key, prefix, strlen(prefix)) == 0 ? 1U : 0U;
    }
    return count;
}

static void shorten(struct pw_sim_store *store, const char *prefix, uint16_t len)
{
    for (size_t i = 0; i < store->count; i++) {
        if (strncmp(store->records[i].key, prefix, strlen(prefix)) == 0) {
            store->records[i].len = len;
            return;
        }
    }
    fail_msg("no record %s", prefix);
}

// Reason: an update must not forget what a station has delivered in its life.
static void a_register_of_the_version_before_is_read_and_has_no_counter(void **state)
{
    (void)state;
    struct pw_sim_store store;
    pw_sim_store_init(&store);
    struct pw_journal journal = open_journal(&store);
    struct pw_register reg = {.energy = {.energy_mwh = 5}, .counter = 9, .at = {.wall = 1}};
    assert_int_equal(pw_journal_save_register(&journal, 1, &reg), PW_OK);
    settle(&store);
    for (size_t i = 0; i < store.count; i++) {
        if (strncmp(store.records[i].key, "reg/", 4) == 0) {
            store.records[i].value[0] = 2;
            store.records[i].len = (uint16_t)(store.records[i].len - 8);
        }
    }
    journal = open_journal(&store);
    assert_int_equal(pw_journal_read_register(&journal, 1, &reg), PW_OK);
    assert_int_equal(reg.energy.energy_mwh, 5);
    assert_int_equal(reg.counter, -1);
    pw_sim_store_free(&store);
}

// Reason: own files are untrusted input after a crash (facts/reliability.md §2.1), F02 and F03: one
// bad record must not keep a station from charging, and must not vanish either.
static void a_damaged_record_is_set_aside_and_the_rest_goes_on(void **state)
{
    (void)state;
    static const char *const kinds[] = {"tx/", "q/", "n", "reg/", "keep/"};
    for (size_t kind = 0; kind < PW_COUNT(kinds); kind++) {
        for (uint16_t len = 0; len < 6; len++) { // the shortest record has six bytes
            struct pw_sim_store store;
            pw_sim_store_init(&store);
            struct pw_journal journal = open_journal(&store);
            assert_true(begin(&journal, 1, "A") > 0);
            assert_true(begin(&journal, 2, "B") > 0);
            assert_int_equal(pw_journal_save_keep(&journal, 1, (struct pw_keep){.latched = 1}),
                             PW_OK);
            struct pw_register reg = {.energy = {.energy_mwh = 5}, .at = {.wall = 1}};
            assert_int_equal(pw_journal_save_register(&journal, 1, &reg), PW_OK);
            settle(&store);
            shorten(&store, kinds[kind], len);
            journal = open_journal(&store);
            struct pw_keep keep;
            assert_int_equal(pw_journal_read_register(&journal, 1, &reg), PW_OK);
            assert_int_equal(pw_journal_read_keep(&journal, 1, &keep), PW_OK);
            assert_int_equal(keep.inoperative, strcmp(kinds[kind], "keep/") == 0);
            settle(&store);
            // Both starts wait, or one of them and nothing of the other.
            struct pw_message message;
            unsigned heads = 0;
            for (int tries = 0; tries < 20 && pw_journal_waiting(&journal) > 0; tries++) {
                int err = pw_journal_head(&journal, &message);
                if (err == PW_OK) {
                    heads++;
                    assert_int_equal(pw_journal_answered(&journal, &message, 7), PW_OK);
                } else {
                    assert_int_equal(err, PW_ERR_AGAIN);
                }
                settle(&store);
            }
            bool lost = kind < 2;
            assert_int_equal(heads, lost ? 1 : 2);
            assert_int_equal(journal.damaged, strcmp(kinds[kind], "tx/") == 0 ? 2 : 1);
            assert_int_equal(records_of(&store, "bad/"), journal.damaged);
            // No number is used twice, even when the counters are gone.
            struct pw_transaction third = {.connector = 3};
            assert_true(pw_journal_begin(&journal, &third) > 0);
            assert_int_equal(third.seq, 3);
            pw_sim_store_free(&store);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_leave_in_the_order_they_came),
        cmocka_unit_test(nothing_is_sent_before_it_is_durable),
        cmocka_unit_test(a_start_refused_for_good_leaves_minus_one),
        cmocka_unit_test(an_answer_while_the_end_is_being_written_waits),
        cmocka_unit_test(a_full_queue_keeps_first_and_last_value_and_counts_the_rest),
        cmocka_unit_test(a_failing_store_refuses_the_start),
        cmocka_unit_test(no_power_cut_loses_or_reorders_a_transaction),
        cmocka_unit_test(the_last_fifty_charges_stay_to_be_looked_at),
        cmocka_unit_test(registers_latches_and_settings_come_back),
        cmocka_unit_test(a_register_of_the_version_before_is_read_and_has_no_counter),
        cmocka_unit_test(a_damaged_record_is_set_aside_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
