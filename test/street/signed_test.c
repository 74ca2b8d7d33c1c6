// Signed readings of a whole charge in virtual time: what the meter signed is what the central
// system hears, byte for byte, whatever the power, the network and the meter do meanwhile, and
// nothing of it stays behind.
#include "signing.h"
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct street street;
static struct street_signing meter;
static struct book_signed heard[BOOK_SIGNED_MAX];

static bool is_online(const struct street *s)
{
    return strcmp(book_status_of(&s->book, 1), "") != 0;
}

static bool is_charging(const struct street *s)
{
    return pw_world_ac_truth(&s->ac).mw > 1000000;
}

static bool nothing_waits(const struct street *s)
{
    return s->station != NULL && pw_journal_waiting(&s->station->journal) == 0 &&
           pw_journal_open_on(&s->station->journal, 1) == NULL;
}

static void open_street(bool everything)
{
    struct pw_world_ac_config world = pw_world_ac_defaults();
    world.plugged = true;
    street_open_ac(&street, &world);
    street_signing_open(&street, &meter);
    street.book.signed_values = heard;
    street_set(&street, "metering.sign_sampled", "true");
    street_set(&street, "metering.sample_interval_s", "20");
    if (everything) {
        street_set(&street, "metering.sign_started", "true");
        street_set(&street, "metering.sign_updated", "true");
        street_set(&street, "metering.start_sampled_data", "Energy.Active.Import.Register");
    }
}

static void power_on(void)
{
    street_power_on(&street);
    (void)street_until(&street, is_online, 5000);
    street_run(&street, 3000);
}

static bool was_given(const struct book_signed *value)
{
    uint8_t text[PW_SIGNED_TEXT_MAX];
    int len = pw_parse_base64(pw_str_of(value->data), text, sizeof(text));
    for (unsigned i = 0; i < meter.count; i++) {
        if (len == meter.given[i].len && memcmp(text, meter.given[i].text, (size_t)len) == 0) {
            return true;
        }
    }
    return false;
}

// How many were heard with this context; all of them must be what the meter gave.
static unsigned count(const char *context, bool stop)
{
    unsigned found = 0;
    for (unsigned i = 0; i < street.book.signed_count; i++) {
        assert_true(was_given(&heard[i]));
        found += strcmp(heard[i].context, context) == 0 && heard[i].stop == stop ? 1U : 0U;
    }
    return found;
}

// Reason: the plain case, with everything signed that can be, and a store that is as empty after it
// as before.
static void a_charge_leaves_nothing_behind(void **state)
{
    (void)state;
    open_street(true);
    power_on();
    street_card(&street, "CARD-1");
    street_run(&street, 90000);
    assert_true(pw_sim_store_count(&street.store, "sig/") > 0);
    street_do(&street, "unplug");
    street_run(&street, 20000);
    assert_true(street_until(&street, nothing_waits, 60000));
    assert_int_equal(count("Transaction.Begin", false), 1);
    assert_int_equal(count("Transaction.Begin", true), 1);
    assert_int_equal(count("Transaction.End", true), 1);
    assert_in_range(count("Sample.Periodic", false), 3, 5);
    assert_int_equal(count("Sample.Periodic", true), 0);
    assert_int_equal(pw_sim_store_count(&street.store, "sig/"), 0);
    street_close(&street);
}

// Reason: the first reading must be of a contactor that is open, and the last of one that is open
// again: between them is what is paid.
static void begin_and_end_are_signed_while_nothing_flows(void **state)
{
    (void)state;
    open_street(false);
    power_on();
    meter.meter.latency_ms = 3000;
    street_card(&street, "CARD-1");
    while (meter.count == 0) {
        street_run(&street, 20);
        assert_false(pw_world_ac_truth(&street.ac).any_closed);
    }
    assert_true(street_until(&street, is_charging, 20000));
    street_run(&street, 30000);
    street_do(&street, "unplug");
    unsigned before = meter.count;
    while (meter.count == before) {
        street_run(&street, 20);
        assert_int_equal(street.book.transactions[0].stops, 0);
    }
    assert_false(pw_world_ac_truth(&street.ac).any_closed);
    assert_true(street_until(&street, nothing_waits, 60000));
    assert_int_equal(count("Transaction.Begin", true) + count("Transaction.End", true), 2);
    street_close(&street);
}

// Reason: a meter that takes too long gives up its begin; its answer, when it comes after all, must
// neither be taken for the end nor disturb anything.
static void an_answer_that_comes_too_late_is_no_answer(void **state)
{
    (void)state;
    open_street(false);
    power_on();
    meter.meter.latency_ms = 8000;
    pw_ms asked = street.now;
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, is_charging, 20000));
    assert_in_range(street.now - asked, 5000, 12000);
    street_run(&street, 20000);
    meter.meter.latency_ms = 400;
    street_do(&street, "unplug");
    street_run(&street, 10000);
    assert_true(street_until(&street, nothing_waits, 60000));
    assert_int_equal(count("Transaction.Begin", true), 0);
    assert_int_equal(count("Transaction.End", true), 1);
    street_close(&street);
}

// Reason: a sampled and a clock-aligned value are due at the same second four times an hour; the
// meter must not be asked twice, and each message must have its own copy to take along.
static void values_due_together_share_a_reading(void **state)
{
    (void)state;
    open_street(true);
    street_set(&street, "metering.sign_aligned", "true");
    street_set(&street, "metering.sign_aligned_updated", "true");
    street_set(&street, "metering.clock_aligned_interval_s", "20");
    power_on();
    street_card(&street, "CARD-1");
    street_run(&street, 70000);
    street_do(&street, "unplug");
    street_run(&street, 20000);
    assert_true(street_until(&street, nothing_waits, 60000));
    assert_in_range(count("Sample.Clock", false), 2, 5);
    assert_in_range(count("Sample.Periodic", false), 2, 5);
    assert_int_equal(pw_sim_store_count(&street.store, "sig/"), 0);
    street_close(&street);
}

// Reason: whoever is offline keeps every begin and end of several charges, in their order.
static void signatures_wait_while_nobody_listens(void **state)
{
    (void)state;
    open_street(false);
    street_set(&street, "charging.plug_and_charge", "true");
    street_set(&street, "session.free_id_tag", "CARD-1");
    street_do(&street, "unplug");
    power_on();
    street.reachable = false;
    street_cut_link(&street);
    street_do(&street, "plug");
    for (unsigned i = 0; i < 3; i++) {
        street_run(&street, 30000);
        street_do(&street, "unplug");
        street_run(&street, 20000);
        street_do(&street, "plug");
        street_run(&street, 5000);
    }
    street_do(&street, "unplug");
    street_run(&street, 20000);
    assert_int_equal(meter.count, 8); // the last plug was a charge too
    assert_true(pw_sim_store_count(&street.store, "sig/") >= meter.count);
    street.reachable = true;
    assert_true(street_until(&street, nothing_waits, 1500000));
    assert_int_equal(count("Transaction.Begin", true), 4);
    assert_int_equal(count("Transaction.End", true), 4);
    assert_int_equal(pw_sim_store_count(&street.store, "sig/"), 0);
    street_close(&street);
}

// One charge with the power going away before one operation of the store; true when it went.
static bool cut_charge(uint64_t at, uint32_t lag, bool keep_pending)
{
    open_street(true);
    street_set(&street, "metering.sample_interval_s", "5");
    street_power_on(&street);
    street.store.operations = 0;
    street.store.lag = lag;
    street.store.cut_at = at;
    street.store.keep_pending = keep_pending;
    (void)street_until(&street, is_online, 5000);
    street_run(&street, 3000);
    if (street.station != NULL) {
        street_card(&street, "CARD-1");
    }
    street_run(&street, 30000);
    street_do(&street, "unplug");
    street_run(&street, 20000);
    bool cut = street.station == NULL;
    if (cut) {
        street_run(&street, 2000);
        street_power_on(&street);
        street_run(&street, 20000);
    }
    assert_true(street_until(&street, nothing_waits, 120000));
    return cut;
}

// Reason: a reading lies in records of its own, and the power goes between any two of them. What is
// heard must be whole and be what the meter gave; what nobody names any more is at most one
// reading.
static void a_power_cut_anywhere_halves_no_signature(void **state)
{
    (void)state;
    static const struct {
        uint32_t lag;
        bool keep;
    } rows[] = {{0, false}, {2, false}, {2, true}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        unsigned cuts = 0;
        bool cut = true;
        for (uint64_t at = 1; cut && at < 2000; at++) {
            cut = cut_charge(at, rows[i].lag, rows[i].keep);
            cuts += cut ? 1U : 0U;
            (void)count("", false);
            assert_int_equal(street.book.bad, 0);
            assert_in_range(pw_sim_store_count(&street.store, "sig/"), 0, 2);
            for (unsigned t = 0; t < street.book.count; t++) {
                assert_int_equal(street.book.transactions[t].stops > 0, 1);
            }
            street_close(&street);
        }
        (void)printf("power cut at each of %u operations (lag %u, pending %s)\n", cuts, rows[i].lag,
                     rows[i].keep ? "kept" : "lost");
        assert_true(cuts > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_charge_leaves_nothing_behind),
        cmocka_unit_test(begin_and_end_are_signed_while_nothing_flows),
        cmocka_unit_test(an_answer_that_comes_too_late_is_no_answer),
        cmocka_unit_test(values_due_together_share_a_reading),
        cmocka_unit_test(signatures_wait_while_nobody_listens),
        cmocka_unit_test(a_power_cut_anywhere_halves_no_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
