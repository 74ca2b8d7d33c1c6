// An AC outlet on the street: what drivers, cars, cables and accidents do to the real station, and
// what the central system hears. After every event an observer of the physical world checks the
// invariants I1 to I8 of facts/reliability.md §4.4.
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct street street;

static struct {
    uint64_t looks;
    uint64_t closings;
    uint64_t offers;
    pw_ms worst_open_ms;
    pw_ms worst_danger_ms;
    unsigned stories;
} seen;

static bool is_online(const struct street *s)
{
    return strcmp(book_status_of(&s->book, 1), "") != 0;
}

static bool is_preparing(const struct street *s)
{
    return street_view(s).status == PW_STATUS_PREPARING;
}

static bool is_finishing(const struct street *s)
{
    return street_view(s).status == PW_STATUS_FINISHING;
}

static bool is_faulted(const struct street *s)
{
    return street_view(s).status == PW_STATUS_FAULTED;
}

static bool is_open(const struct street *s)
{
    return !pw_world_ac_truth(&s->ac).any_closed;
}

static struct pw_world_ac_truth truth(void)
{
    return pw_world_ac_truth(&street.ac);
}

static void begin(const char *car)
{
    char line[40];
    street_open_ac(&street, NULL);
    street_set(&street, "metering.sample_interval_s", "10");
    (void)snprintf(line, sizeof(line), "car %s", car);
    street_do(&street, line);
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
    street_run(&street, 2000);
}

static void finish(void)
{
    if (street.watch.violations != 0) {
        fail_msg("%u violations; %s", street.watch.violations, street.watch.what);
    }
    seen.looks += street.watch.looks;
    seen.closings += street.watch.closings;
    seen.offers += street.watch.offers;
    seen.worst_open_ms =
        (pw_ms)pw_max((int64_t)seen.worst_open_ms, (int64_t)street.watch.worst_open_ms);
    seen.worst_danger_ms =
        (pw_ms)pw_max((int64_t)seen.worst_danger_ms, (int64_t)street.watch.worst_danger_ms);
    seen.stories++;
    street_close(&street);
}

static void plug_and_charge(const char *car)
{
    begin(car);
    street_do(&street, "plug");
    assert_true(street_until(&street, is_preparing, 3000));
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, street_is_charging, 30000));
}

static void check_receipt(const char *reason)
{
    const struct book_transaction *t = &street.book.transactions[0];
    int64_t billed_wh = t->meter_stop_wh - t->meter_start_wh;
    int64_t physical_wh = truth().energy_mwh / 1000;
    assert_int_equal(street.book.count, 1);
    assert_int_equal(t->starts, 1);
    assert_int_equal(t->stops, 1);
    assert_string_equal(t->reason, reason);
    // Within 0.5 % or 1 Wh of what physics says went through the contactor.
    int64_t off = llabs(billed_wh - physical_wh);
    assert_true(off <= 1 || off * 200 <= physical_wh);
}

// Reason: the whole point. Plug, card, charge, card, unplug, receipt.
static void a_plug_a_card_and_a_receipt(void **state)
{
    (void)state;
    plug_and_charge("honest");
    street_run(&street, 600000);
    assert_in_range(truth().ma[0], 15700, 16000);
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, is_finishing, 10000));
    assert_int_equal(truth().wear.opened_loaded, 0);
    street_do(&street, "unplug");
    assert_true(street_until(&street, street_is_idle, 5000));
    street_run(&street, 3000);
    check_receipt("Local");
    assert_int_equal(truth().lock, PW_BOARD_LOCK_OPEN);
    assert_int_equal(truth().pp_ohm, PW_BOARD_OPEN_OHM);
    finish();
}

static void a_card_first_then_the_plug(void **state)
{
    (void)state;
    begin("honest");
    street_card(&street, "CARD-1");
    street_run(&street, 5000);
    street_do(&street, "plug");
    assert_true(street_until(&street, street_is_charging, 30000));
    street_do(&street, "unplug");
    assert_true(street_until(&street, is_open, 200));
    street_run(&street, 10000);
    check_receipt("EVDisconnected");
    assert_int_equal(truth().wear.pulled_loaded, 1);
    finish();
}

static void the_operator_starts_and_stops(void **state)
{
    (void)state;
    begin("modest");
    street_do(&street, "plug");
    assert_true(street_until(&street, is_preparing, 3000));
    acwatch_leave(&street.watch, street.now);
    street_call(&street, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"FAR\"}");
    assert_true(street_until(&street, street_is_charging, 30000));
    street_run(&street, 60000);
    char stop[64];
    (void)snprintf(stop, sizeof(stop), "{\"transactionId\":%d}", street.book.transactions[0].id);
    street_call(&street, "RemoteStopTransaction", stop);
    assert_true(street_until(&street, is_finishing, 10000));
    street_run(&street, 3000);
    check_receipt("Remote");
    finish();
}

static void without_a_card_nothing_closes_and_free_charging_needs_none(void **state)
{
    (void)state;
    begin("honest");
    street_do(&street, "plug");
    street_run(&street, 300000);
    assert_int_equal(street.watch.closings, 0);
    assert_int_equal(truth().cp,
                     PW_BOARD_CP_STEADY); // B1: some cars dislike a PWM they may not use
    finish();

    street_open_ac(&street, NULL);
    street_set(&street, "session.free_id_tag", "FREE");
    street_set(&street, "charging.plug_and_charge", "true");
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
    acwatch_leave(&street.watch, street.now);
    street_do(&street, "plug");
    assert_true(street_until(&street, street_is_charging, 30000));
    finish();
}

// Reason: a fluent limit during the charge is what load sharing lives on; no stop, no contactor.
static void the_current_follows_every_limit_during_the_charge(void **state)
{
    (void)state;
    static const int32_t limits[] = {10000, 6000, 14500, 7300, 16000, 12000};
    plug_and_charge("honest");
    for (size_t i = 0; i < PW_COUNT(limits); i++) {
        assert_int_equal(street_load_limit(&street, limits[i], PW_NEVER), PW_OK);
        street_run(&street, 12000);
        assert_in_range(truth().offer_ma, limits[i] - 20, limits[i]);
        assert_in_range(truth().ma[1], limits[i] * 97 / 100, limits[i]);
    }
    assert_int_equal(street.watch.closings, 1);
    // Below 6 A is a pause; the charge goes on by itself afterwards.
    assert_int_equal(street_load_limit(&street, 5900, PW_NEVER), PW_OK);
    street_run(&street, 15000);
    assert_int_equal(truth().ma[0], 0);
    assert_true(is_open(&street));
    assert_int_equal(street_load_limit(&street, 9000, PW_NEVER), PW_OK);
    assert_true(street_until(&street, street_is_charging, 60000));
    assert_int_equal(street.watch.closings, 2);
    assert_int_equal(truth().wear.opened_loaded, 0);
    finish();
}

// Reason: contactors wear, and cars lock out after a flicker: a pause has a least length, raises
// have their distance, an hour has so many closings, whatever limits and cars do.
static void nervous_limits_and_cars_do_not_wear_the_contactor(void **state)
{
    (void)state;
    plug_and_charge("honest");
    for (int i = 0; i < 8; i++) {
        assert_int_equal(street_load_limit(&street, 0, PW_NEVER), PW_OK);
        street_run(&street, 1500);
        assert_int_equal(street_load_limit(&street, 16000, PW_NEVER), PW_OK);
        street_run(&street, 30000);
        for (int32_t ma = 7000; ma < 16000; ma += 1000) {
            assert_int_equal(street_load_limit(&street, ma, PW_NEVER), PW_OK);
            street_run(&street, 700);
        }
    }
    assert_true(street.watch.closings >= 5);
    for (int i = 0; i < 40; i++) {
        street_do(&street, "s2 open");
        street_run(&street, 5000);
        street_do(&street, "s2 close");
        street_run(&street, 20000);
    }
    assert_true(street.watch.closings >= street.watch.rules.closes_an_hour);
    finish();
}

static void a_lease_that_ends_gives_the_current_back(void **state)
{
    (void)state;
    plug_and_charge("honest");
    assert_int_equal(street_load_limit(&street, 7000, 60000), PW_OK);
    street_run(&street, 20000);
    assert_in_range(truth().ma[0], 6700, 7000);
    street_run(&street, 39000);
    acwatch_limit(&street.watch, INT32_MAX, street.now + 1000);
    street_run(&street, 15000);
    assert_in_range(truth().ma[0], 15700, 16000);
    finish();
}

static void a_small_cable_bounds_the_offer(void **state)
{
    (void)state;
    static const struct {
        const char *cable;
        int32_t ma;
    } cases[] = {{"cable 13", 13000}, {"cable 20", 16000}, {"cable 32", 16000}};
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        begin("honest");
        street_do(&street, cases[i].cable);
        street_do(&street, "plug");
        street_run(&street, 3000);
        street_card(&street, "CARD-1");
        assert_true(street_until(&street, street_is_charging, 30000));
        street_run(&street, 10000);
        assert_in_range(truth().offer_ma, cases[i].ma - 20, cases[i].ma);
        finish();
    }
}

// ---------------------------------------------------------------------------------------------
// Temperaments.

// What comes of each: whether it charges a minute after its card, and which fault is said.
static const struct {
    const char *car;
    bool charges;
    const char *vendor;
} temperaments[] = {
    {"honest", true, ""},
    {"slow", true, ""},
    {"greedy", false, "PW-OC"},
    {"bouncing", true, ""},
    {"nodiode", false, "PW-DIODE"},
    {"short", false, "PW-CP-E"},
    {"deaf", true, ""},
    {"sleepy", true, ""},
    {"dormant", true, ""},
    {"modest", true, ""},
    {"simple", true, ""},
    {"ventilated", false, ""},
    {"runaway", false, ""},
    {"sated", true, ""},
    {"noisy", true, ""},
    {"single", true, ""},
    {"fewer", true, ""},
};

static void each_temperament_has_its_result(void **state)
{
    (void)state;
    assert_int_equal(PW_COUNT(temperaments), pw_accar_kinds());
    for (size_t i = 0; i < PW_COUNT(temperaments); i++) {
        begin(temperaments[i].car);
        street_do(&street, "plug");
        street_run(&street, 3000);
        street_card(&street, "CARD-1");
        street_run(&street, 60000);
        bool charges = truth().ma[0] > 5000;
        if (charges != temperaments[i].charges) {
            fail_msg("%s: %d mA, %s", temperaments[i].car, truth().ma[0],
                     street_view(&street).info);
        }
        if (strcmp(street_view(&street).vendor_code, temperaments[i].vendor) != 0) {
            fail_msg("%s: %s", temperaments[i].car, street_view(&street).vendor_code);
        }
        street_card(&street, "CARD-1");
        street_run(&street, 20000);
        assert_true(is_open(&street));
        street_do(&street, "unplug");
        street_run(&street, 30000);
        // Whoever comes next charges: nobody's car disables an outlet.
        street_do(&street, "car honest");
        street_do(&street, "plug");
        street_run(&street, 3000);
        street_card(&street, "CARD-2");
        if (!street_until(&street, street_is_charging, 60000)) {
            fail_msg("after %s: %s", temperaments[i].car, street_view(&street).info);
        }
        finish();
    }
}

// Reason: a car that has no S2 may have 10 A at most (IEC 61851-1 A.2.3).
static void a_car_without_s2_gets_ten_ampere(void **state)
{
    (void)state;
    plug_and_charge("simple");
    street_run(&street, 20000);
    assert_in_range(truth().offer_ma, 9900, 10000);
    finish();
}

static void a_car_that_wants_ventilation_charges_where_there_is_some(void **state)
{
    (void)state;
    street_open_ac(&street, NULL);
    street_set(&street, "connectors[0].ventilation", "relay");
    street_do(&street, "car ventilated");
    street_power_on(&street);
    street.watch.rules.ventilated = true;
    assert_true(street_until(&street, is_online, 10000));
    street_run(&street, 2000);
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, street_is_charging, 30000));
    assert_true(street.drive.ventilation);
    finish();
}

// Reason: a car that ignores the end of the offer is cut off under load, not earlier than 6 s after
// and not much later (IEC 61851-1 Table A.6, 10.2).
static void a_car_that_ignores_the_stop_is_cut_off(void **state)
{
    (void)state;
    plug_and_charge("deaf");
    street_run(&street, 20000);
    street_card(&street, "CARD-1");
    street_run(&street, 5500);
    assert_true(truth().ma[0] > 10000);
    street_run(&street, 2000);
    assert_true(is_open(&street));
    assert_int_equal(truth().wear.opened_loaded, 1);
    finish();
}

static void sleepers_are_woken_after_a_long_pause(void **state)
{
    (void)state;
    static const struct {
        const char *car;
        const char *wake;
    } cases[] = {{"sleepy", "pause"}, {"sleepy", "fault"}, {"dormant", "fault"}};
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        begin(cases[i].car);
        char line[64];
        (void)snprintf(line, sizeof(line), "set connectors[0].wake_up %s", cases[i].wake);
        assert_non_null(strstr(street_command(&street, line), "set"));
        street_do(&street, "plug");
        street_run(&street, 100000);
        assert_true(truth().asleep);
        street_card(&street, "CARD-1");
        assert_true(street_until(&street, street_is_charging, 90000));
        finish();
    }
}

static void a_full_car_ends_and_may_go_on(void **state)
{
    (void)state;
    begin("sated");
    street_do(&street, "soc 49.8");
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, street_is_charging, 30000));
    street_run(&street, 120000);
    assert_int_equal(truth().ma[0], 0);
    assert_true(is_open(&street));
    assert_string_equal(book_status_of(&street.book, 1), "SuspendedEV");
    street_do(&street, "soc 45");
    street_run(&street, 30000);
    assert_true(street_is_charging(&street));
    finish();
}

// ---------------------------------------------------------------------------------------------
// Faults.

static const struct {
    const char *number; // in facts/reliability.md §3.2
    const char *line;   // what happens during a charge
    const char *repair;
    const char *vendor;
    pw_ms open_ms; // contacts apart by then; 0: not at once
    bool hand;     // stays until somebody clears it
} faults[] = {
    {"F21", "stuck on", "stuck off", "PW-CLOSE", 0, true},
    {"F22", "leak ac 30", "leak ac 0", "PW-RCD", 150, true},
    {"F22", "leak dc 6", "leak dc 0", "PW-RCD", 420, true},
    {"F22", "rcd stuck", "rcd good", "PW-RCD", 150, true},
    {"F23", "earth lost", "earth good", "PW-PE", 120, false},
    {"F26", "probe shorted", "probe good", "", 3000, false},
    {"F26", "heat 60", "heat 0", "PW-OT", 3000, false},
    {"F28", "cable broken", "cable 32", "PW-PP", 250, false},
    {"F28", "cable short", "cable 32", "PW-PP", 250, false},
    {"-", "estop press", "estop release", "PW-ESTOP", 60, true},
    {"-", "grid all 150", "grid all 230", "PW-UV", 2000, false},
    {"-", "grid all 280", "grid all 230", "PW-OV", 2000, false},
    {"-", "board silent", "board good", "PW-BOARD", 800, false},
};

static void each_fault_opens_says_why_and_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(faults); i++) {
        plug_and_charge("honest");
        street_run(&street, 20000);
        if (faults[i].open_ms == 0) { // it shows at the next closing
            assert_int_equal(street_load_limit(&street, 0, PW_NEVER), PW_OK);
            street_run(&street, 20000);
            street_do(&street, faults[i].line);
            assert_int_equal(street_load_limit(&street, 16000, PW_NEVER), PW_OK);
            street_run(&street, 20000);
        } else {
            street_do(&street, faults[i].line);
            if (!street_until(&street, is_open, faults[i].open_ms)) {
                fail_msg("%s %s: still closed", faults[i].number, faults[i].line);
            }
            street_run(&street, 3000);
        }
        const char *vendor = street_view(&street).vendor_code;
        if (!is_faulted(&street) ||
            (faults[i].vendor[0] != '\0' && strcmp(vendor, faults[i].vendor) != 0)) {
            fail_msg("%s %s: %s", faults[i].number, faults[i].line, vendor);
        }
        assert_true(is_open(&street));
        street_do(&street, faults[i].repair);
        street_run(&street, 30000);
        assert_true(is_faulted(&street) || !faults[i].hand);
        if (faults[i].hand) {
            street_clear(&street);
        }
        street_do(&street, "unplug");
        street_run(&street, 120000);
        street_do(&street, "plug");
        street_run(&street, 3000);
        street_card(&street, "CARD-2");
        if (!street_until(&street, street_is_charging, 60000)) {
            fail_msg("%s %s repaired: %s", faults[i].number, faults[i].line,
                     street_view(&street).info);
        }
        finish();
    }
}

// F20: found within half a second of opening, latched, over a restart, and no charge after it.
static void a_welded_pole_is_found_and_stays_found(void **state)
{
    (void)state;
    static const char *const welds[] = {"weld l1", "weld l3", "weld all"};
    for (size_t i = 0; i < PW_COUNT(welds); i++) {
        plug_and_charge("honest");
        street_do(&street, welds[i]);
        street_run(&street, 5000);
        street_card(&street, "CARD-1");
        assert_true(street_until(&street, is_faulted, 5000));
        assert_string_equal(street_view(&street).vendor_code, "PW-WELD");
        pw_ms released = truth().released_at;
        assert_true(street.now - released <= 600);
        street_run(&street, 10000);
        assert_int_equal(truth().lock, PW_BOARD_LOCK_CLOSED); // a live plug is not for hands
        street_power_off(&street);
        street_run(&street, 3000);
        street_power_on(&street);
        street_run(&street, 10000);
        assert_true(is_faulted(&street));
        street_do(&street, "weld off");
        street_run(&street, 5000);
        assert_true(is_faulted(&street));
        street_clear(&street);
        street_do(&street, "unplug");
        street_run(&street, 30000);
        street_do(&street, "plug");
        street_run(&street, 3000);
        street_card(&street, "CARD-2");
        assert_true(street_until(&street, street_is_charging, 60000));
        finish();
    }
}

static void a_residual_current_device_that_fails_its_test_never_closes(void **state)
{
    (void)state;
    begin("honest");
    street_do(&street, "rcd deaf");
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    street_run(&street, 60000);
    assert_int_equal(street.watch.closings, 0);
    assert_string_equal(street_view(&street).vendor_code, "PW-RCD-TEST");
    finish();
}

static void a_lock_that_jams_means_no_charge(void **state)
{
    (void)state;
    begin("honest");
    street_do(&street, "jam on");
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    street_run(&street, 60000);
    assert_int_equal(street.watch.closings, 0);
    assert_string_equal(street_view(&street).vendor_code, "PW-LOCK");
    finish();
}

// Reason: hot contacts get less current before they get none.
static void heat_lowers_the_current_before_it_stops_it(void **state)
{
    (void)state;
    plug_and_charge("honest");
    street_do(&street, "heat 43"); // 68 degC: 60 and 70 are where it begins and ends
    street_run(&street, 60000);
    assert_in_range(truth().offer_ma, 6000, 15500);
    assert_true(truth().ma[0] > 5000);
    assert_int_equal(street_view(&street).limit_who, PW_LIMIT_TEMPERATURE);
    finish();
}

// Reason: noise on the pilot must neither stop a charge nor start one.
static void a_noisy_pilot_neither_stops_nor_starts_a_charge(void **state)
{
    (void)state;
    static const char *const noises[] = {"noise 100", "noise 200", "noise 300"};
    for (size_t i = 0; i < PW_COUNT(noises); i++) {
        plug_and_charge("noisy");
        street_do(&street, noises[i]);
        street_run(&street, 3600000);
        assert_true(truth().ma[0] > 10000);
        assert_int_equal(street.watch.closings, 1);
        finish();

        begin("noisy");
        street_do(&street, noises[i]);
        street_do(&street, "s2 open");
        street_do(&street, "plug");
        street_run(&street, 3000);
        street_card(&street, "CARD-1");
        street_run(&street, 3600000);
        assert_int_equal(street.watch.closings, 0);
        finish();
    }
}

// ---------------------------------------------------------------------------------------------
// The station itself.

// I8: a station that died, hangs or is not heard leaves nothing closed.
static void a_dead_station_leaves_nothing_closed(void **state)
{
    (void)state;
    plug_and_charge("honest");
    street_crash(&street);
    assert_true(street_until(&street, is_open, 560));
    street_run(&street, 5000);
    street_power_on(&street);
    street_run(&street, 20000);
    check_receipt("PowerLoss");
    finish();

    plug_and_charge("honest");
    street_do(&street, "board deaf");
    assert_true(street_until(&street, is_open, 560));
    street_run(&street, 3000);
    assert_true(is_faulted(&street));
    finish();
}

static void a_charge_goes_on_after_a_power_cut_where_the_owner_says_so(void **state)
{
    (void)state;
    street_open_ac(&street, NULL);
    street_set(&street, "session.after_power_loss", "resume");
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
    street_run(&street, 2000);
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, street_is_charging, 30000));
    street_run(&street, 60000);
    static const pw_ms cuts[] = {20000, 300};
    for (size_t i = 0; i < PW_COUNT(cuts); i++) {
        street_power_off(&street);
        street_run(&street, cuts[i]);
        street_power_on(&street);
        pw_ms from = street.now;
        assert_true(street_until(&street, street_is_charging, 60000));
        // However short the cut: the contactor opened, and has its least time off (10 s).
        assert_true(truth().commanded_at >= from + 10000);
        street_run(&street, 10000);
    }
    street_card(&street, "CARD-1");
    street_run(&street, 20000);
    street_do(&street, "unplug");
    street_run(&street, 10000);
    assert_int_equal(street.book.count, 1);
    assert_int_equal(street.book.transactions[0].stops, 1);
    finish();
}

// Reason: boards that leave the arithmetic to us are charged by the same stories.
static void a_board_of_raw_samples_charges_as_well(void **state)
{
    (void)state;
    struct pw_world_ac_config world = pw_world_ac_defaults();
    world.board.raw = true;
    street_open_ac(&street, &world);
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
    street_run(&street, 2000);
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, street_is_charging, 30000));
    street_run(&street, 300000);
    street_card(&street, "CARD-1");
    street_run(&street, 10000);
    street_do(&street, "unplug");
    street_run(&street, 5000);
    check_receipt("Local");
    finish();
}

static void one_phase_and_a_fixed_cable_charge_too(void **state)
{
    (void)state;
    struct pw_world_ac_config world = pw_world_ac_defaults();
    world.path.phases = 1;
    world.path.socket = false;
    street_open_ac(&street, &world);
    street_set(&street, "connectors[0].phases", "1");
    street_set(&street, "connectors[0].socket", "false");
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
    street_run(&street, 2000);
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    assert_true(street_until(&street, street_is_charging, 30000));
    street_run(&street, 300000);
    assert_int_equal(truth().ma[1], 0);
    street_do(&street, "unplug");
    street_run(&street, 10000);
    check_receipt("EVDisconnected");
    finish();
}

// Reason: same seed, same calls, same bytes; otherwise no failure could be replayed.
static void the_same_street_twice_is_the_same(void **state)
{
    (void)state;
    uint64_t hash[2];
    for (int i = 0; i < 2; i++) {
        plug_and_charge("bouncing");
        street_run(&street, 300000);
        hash[i] = street.hash;
        finish();
    }
    assert_true(hash[0] == hash[1]);
}

static int report(void **state)
{
    (void)state;
    (void)printf("%u stories: the observer looked %llu times at %llu closings and %llu offers; "
                 "slowest opening after the true edge %llu ms, in a fault %llu ms\n",
                 seen.stories, (unsigned long long)seen.looks, (unsigned long long)seen.closings,
                 (unsigned long long)seen.offers, (unsigned long long)seen.worst_open_ms,
                 (unsigned long long)seen.worst_danger_ms);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plug_a_card_and_a_receipt),
        cmocka_unit_test(a_card_first_then_the_plug),
        cmocka_unit_test(the_operator_starts_and_stops),
        cmocka_unit_test(without_a_card_nothing_closes_and_free_charging_needs_none),
        cmocka_unit_test(the_current_follows_every_limit_during_the_charge),
        cmocka_unit_test(nervous_limits_and_cars_do_not_wear_the_contactor),
        cmocka_unit_test(a_lease_that_ends_gives_the_current_back),
        cmocka_unit_test(a_small_cable_bounds_the_offer),
        cmocka_unit_test(each_temperament_has_its_result),
        cmocka_unit_test(a_car_without_s2_gets_ten_ampere),
        cmocka_unit_test(a_car_that_wants_ventilation_charges_where_there_is_some),
        cmocka_unit_test(a_car_that_ignores_the_stop_is_cut_off),
        cmocka_unit_test(sleepers_are_woken_after_a_long_pause),
        cmocka_unit_test(a_full_car_ends_and_may_go_on),
        cmocka_unit_test(each_fault_opens_says_why_and_ends),
        cmocka_unit_test(a_welded_pole_is_found_and_stays_found),
        cmocka_unit_test(a_residual_current_device_that_fails_its_test_never_closes),
        cmocka_unit_test(a_lock_that_jams_means_no_charge),
        cmocka_unit_test(heat_lowers_the_current_before_it_stops_it),
        cmocka_unit_test(a_noisy_pilot_neither_stops_nor_starts_a_charge),
        cmocka_unit_test(a_dead_station_leaves_nothing_closed),
        cmocka_unit_test(a_charge_goes_on_after_a_power_cut_where_the_owner_says_so),
        cmocka_unit_test(a_board_of_raw_samples_charges_as_well),
        cmocka_unit_test(one_phase_and_a_fixed_cable_charge_too),
        cmocka_unit_test(the_same_street_twice_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, report);
}
