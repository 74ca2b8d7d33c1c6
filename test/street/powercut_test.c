// The station loses its power at every single operation of its store during a charge, from plug to
// receipt. After the restart nothing may be lost or doubled: the central system hears each start
// and each stop, under one id, with one energy.
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARGE_MS = 60000, DARK_MS = 2000, OPERATIONS_MOST = 2000 };

// What is charged: a scooter at a dc bay, a car at an outlet.
struct visit {
    const char *name;
    void (*open)(struct street *street);
    void (*leave)(struct street *street);
    void (*come)(struct street *street);
    int64_t (*physical_wh)(const struct street *street);
};

static void open_dc(struct street *street)
{
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.scooter.soc = 0.3;
    world.plugged = true;
    street_open(street, &world);
}

static void leave_dc(struct street *street)
{
    pw_world_dc_plug(&street->world, false);
}

static void come_dc(struct street *street)
{
    pw_world_dc_plug(&street->world, true);
}

static int64_t physical_dc(const struct street *street)
{
    return pw_world_dc_truth(&street->world).energy_mwh / 1000;
}

static void open_ac(struct street *street)
{
    struct pw_world_ac_config world = pw_world_ac_defaults();
    world.plugged = true;
    street_open_ac(street, &world);
}

static void leave_ac(struct street *street)
{
    street_do(street, "unplug");
}

static void come_ac(struct street *street)
{
    street_do(street, "plug");
}

static int64_t physical_ac(const struct street *street)
{
    return pw_world_ac_truth(&street->ac).energy_mwh / 1000;
}

static const struct visit scooter = {"scooter", open_dc, leave_dc, come_dc, physical_dc};
static const struct visit car = {"car", open_ac, leave_ac, come_ac, physical_ac};

struct outcome {
    uint64_t operations; // of the store in an undisturbed charge
    bool cut;
    int64_t physical_wh;
};

static bool is_online(const struct street *street)
{
    return strcmp(book_status_of(&street->book, 1), "") != 0;
}

static bool nothing_waits(const struct street *street)
{
    return street->station != NULL && pw_journal_waiting(&street->station->journal) == 0 &&
           pw_journal_open_on(&street->station->journal, 1) == NULL;
}

// The charge, with the power going away once, and coming back.
static struct outcome charge(struct street *street, const struct visit *visit, uint64_t cut_at,
                             uint32_t lag, bool keep_pending, const char *after)
{
    struct outcome outcome = {0};
    visit->open(street);
    street_set(street, "metering.sample_interval_s", "5");
    street_set(street, "session.after_power_loss", after);
    street_power_on(street);
    street->store.operations = 0;
    street->store.lag = lag;
    street->store.cut_at = cut_at;
    street->store.keep_pending = keep_pending;
    (void)street_until(street, is_online, 5000);
    street_run(street, 3000);
    if (street->station != NULL) {
        street_card(street, "CARD-1");
    }
    street_run(street, CHARGE_MS);
    if (street->station == NULL) {
        street_run(street, DARK_MS);
        outcome.cut = true;
        street_power_on(street);
        street_run(street, CHARGE_MS);
    }
    visit->leave(street);
    street_run(street, 30000);
    if (street->station == NULL) {
        outcome.cut = true;
        street_run(street, DARK_MS);
        street_power_on(street);
        street_run(street, 30000);
    }
    outcome.operations = street->store.operations;
    assert_true(street_until(street, nothing_waits, 120000));
    outcome.physical_wh = visit->physical_wh(street);
    return outcome;
}

static void check(const struct street *street, const struct outcome *outcome)
{
    int64_t billed_wh = 0;
    for (unsigned i = 0; i < street->book.count; i++) {
        const struct book_transaction *t = &street->book.transactions[i];
        assert_true(t->starts >= 1);
        assert_true(t->stops >= 1);
        assert_true(t->meter_stop_wh >= t->meter_start_wh);
        assert_true(strcmp(t->start_at, t->stop_at) <= 0);
        billed_wh += t->meter_stop_wh - t->meter_start_wh;
    }
    assert_int_equal(street->book.orphan_stops, 0);
    assert_int_equal(street->book.refused_stops, 0);
    assert_int_equal(street->book.bad, 0);
    // Never more than was delivered; at most a checkpoint (60 s or 100 Wh) less.
    assert_true(billed_wh <= outcome->physical_wh + 1);
    assert_true(billed_wh >= outcome->physical_wh - 101);
    if (street->watch.violations != 0) {
        fail_msg("%s", street->watch.what);
    }
    // One plug-in, at most one transaction more for the charge that the cut divided.
    assert_true(street->book.count <= 2);
}

static unsigned cut_everywhere(const struct visit *visit, uint32_t lag, bool keep_pending,
                               const char *after)
{
    struct street *street = calloc(1, sizeof(*street));
    unsigned cuts = 0;
    assert_non_null(street);
    for (uint64_t at = 1; at < OPERATIONS_MOST; at++) {
        struct outcome outcome = charge(street, visit, at, lag, keep_pending, after);
        check(street, &outcome);
        street_close(street);
        if (!outcome.cut) {
            break;
        }
        cuts++;
    }
    free(street);
    (void)printf("%s: power cut at each of %u operations (lag %u, pending %s, then %s)\n",
                 visit->name, cuts, lag, keep_pending ? "kept" : "lost", after);
    assert_true(cuts > 20);
    return cuts;
}

static void a_cut_anywhere_then_stop(void **state)
{
    (void)state;
    cut_everywhere(&scooter, 0, false, "stop");
    cut_everywhere(&scooter, 2, false, "stop");
    cut_everywhere(&scooter, 2, true, "stop");
    cut_everywhere(&car, 0, false, "stop");
    cut_everywhere(&car, 2, true, "stop");
}

static void a_cut_anywhere_then_resume(void **state)
{
    (void)state;
    cut_everywhere(&scooter, 0, false, "resume");
    cut_everywhere(&scooter, 2, true, "resume");
    cut_everywhere(&car, 0, false, "resume");
    cut_everywhere(&car, 2, true, "resume");
}

// Reason: what a stop has told was not on the disk yet as the register when the power went; the
// next charge began below it, and its driver paid for the same energy again.
static void a_charge_begins_where_the_last_one_ended(void **state)
{
    (void)state;
    static const struct visit *const visits[] = {&scooter, &car};
    for (unsigned i = 0; i < PW_COUNT(visits); i++) {
        struct street *street = calloc(1, sizeof(*street));
        assert_non_null(street);
        visits[i]->open(street);
        street_set(street, "metering.sample_interval_s", "0");
        street_power_on(street);
        assert_true(street_until(street, is_online, 5000));
        street_run(street, 3000);
        street_card(street, "CARD-1");
        street_run(street, 40000);
        street_card(street, "CARD-1");
        street_run(street, 5000);
        assert_true(street_until(street, nothing_waits, 120000));
        street_power_off(street);
        street_run(street, DARK_MS);
        street_power_on(street);
        visits[i]->leave(street);
        street_run(street, 30000);
        visits[i]->come(street);
        street_run(street, 5000);
        street_card(street, "CARD-2");
        street_run(street, 20000);
        assert_int_equal(street->book.count, 2);
        const struct book_transaction *t = street->book.transactions;
        assert_true(t[0].meter_stop_wh > t[0].meter_start_wh);
        assert_true(t[1].meter_start_wh >= t[0].meter_stop_wh);
        street_close(street);
        free(street);
    }
}

// Reason: a connector is taken out of the configuration while its charge is open. Its stop is owed
// all the same, whatever the settings say about going on.
static void a_charge_on_a_connector_that_is_gone_is_stopped(void **state)
{
    (void)state;
    struct street *street = calloc(1, sizeof(*street));
    assert_non_null(street);
    street_open(street, NULL);
    street_set(street, "session.after_power_loss", "resume");
    struct pw_journal journal;
    struct pw_transaction transaction = {.connector = 2, .id_tag = "04A1B2C3"};
    transaction.first.at = (struct pw_stamp){.wall = street->wall, .boot = 1};
    transaction.first.has = 1U << PW_ENERGY_WH;
    transaction.first.value[PW_ENERGY_WH] = 500;
    assert_int_equal(pw_journal_open(&journal, &street->store.port, NULL), PW_OK);
    int64_t ticket = pw_journal_begin(&journal, &transaction);
    assert_int_equal(pw_journal_durable(&journal, ticket), 1);

    street_power_on(street);
    assert_true(street_until(street, nothing_waits, 120000));
    assert_int_equal(street->book.count, 1);
    assert_int_equal(street->book.transactions[0].connector, 2);
    assert_int_equal(street->book.transactions[0].stops, 1);
    assert_int_equal(street->book.transactions[0].meter_stop_wh, 500);
    assert_string_equal(street->book.transactions[0].reason, "PowerLoss");
    street_close(street);
    free(street);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_anywhere_then_stop),
        cmocka_unit_test(a_cut_anywhere_then_resume),
        cmocka_unit_test(a_charge_begins_where_the_last_one_ended),
        cmocka_unit_test(a_charge_on_a_connector_that_is_gone_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
