// The power path must behave as the seed's station did: its terminals keep a high voltage for a
// minute after everything is off, which is why terminal voltage proves nothing (facts/dc-can.md
// §1.1), and contacts do not jump.
#include "charger/charger.h"

#include "test.h"

#include <math.h>

static const struct pw_world_rectifier_drive nothing_driven = {0};
static const struct pw_world_rectifier_drive driven_30_a = {.volts = 84.0, .amps = 30.0};
static const struct pw_charger_battery nothing = {.ohm = 0.06};
static const struct pw_charger_battery scooter = {
    .plugged = true, .charge_mosfet = true, .emf_v = 76.0, .ohm = 0.059};

static struct pw_charger closed_on(const struct pw_charger_battery *battery, double cap_v)
{
    struct pw_charger charger;
    pw_charger_init(&charger);
    charger.cap_v = cap_v;
    pw_charger_set_coil(&charger, true, 0);
    (void)pw_charger_move(&charger, battery, PW_CHARGER_CLOSE_MS);
    assert_true(charger.closed);
    return charger;
}

static void terminals_fall_from_83_to_56_volts_in_a_minute(void **state)
{
    (void)state;
    struct pw_charger charger;
    pw_charger_init(&charger);
    charger.cap_v = 83.0;
    for (int i = 0; i < 60; i++) {
        (void)pw_charger_flow(&charger, nothing_driven, &nothing, 1000);
    }
    assert_true(fabs(charger.cap_v - 56.0) < 1.0);
}

static void contacts_take_their_time(void **state)
{
    (void)state;
    struct pw_charger charger;
    pw_charger_init(&charger);
    pw_charger_set_coil(&charger, true, 1000);
    assert_int_equal(pw_charger_move(&charger, &nothing, 1000), 1000 + PW_CHARGER_CLOSE_MS);
    (void)pw_charger_move(&charger, &nothing, 1000 + PW_CHARGER_CLOSE_MS - 1);
    assert_false(charger.closed);
    (void)pw_charger_move(&charger, &nothing, 1000 + PW_CHARGER_CLOSE_MS);
    assert_true(charger.closed);
    pw_charger_set_coil(&charger, false, 2000);
    (void)pw_charger_move(&charger, &nothing, 2000 + PW_CHARGER_OPEN_MS - 1);
    assert_true(charger.closed);
    assert_int_equal(pw_charger_move(&charger, &nothing, 2000 + PW_CHARGER_OPEN_MS), PW_NEVER);
    assert_false(charger.closed);
}

static void a_short_pulse_on_the_coil_moves_nothing(void **state)
{
    (void)state;
    struct pw_charger charger;
    pw_charger_init(&charger);
    pw_charger_set_coil(&charger, true, 0);
    pw_charger_set_coil(&charger, false, 5);
    assert_int_equal(pw_charger_move(&charger, &nothing, 100), PW_NEVER);
    assert_false(charger.closed);
}

// The button breaks the coil's supply: no program is asked.
static void emergency_stop_opens_whatever_the_coil_says(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&scooter, 76.0);
    pw_charger_set_estop(&charger, true, 100);
    (void)pw_charger_move(&charger, &scooter, 100 + PW_CHARGER_OPEN_MS);
    assert_true(charger.coil);
    assert_false(charger.closed);
}

static void welded_contacts_stay_closed_until_replaced(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&scooter, 76.0);
    charger.weld = true;
    pw_charger_set_coil(&charger, false, 100);
    (void)pw_charger_move(&charger, &scooter, 60000);
    assert_true(charger.closed);
    charger.weld = false;
    (void)pw_charger_move(&charger, &scooter, 60001);
    (void)pw_charger_move(&charger, &scooter, 60001 + PW_CHARGER_OPEN_MS);
    assert_false(charger.closed);
}

static void current_follows_the_source_until_its_voltage_is_reached(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&scooter, 76.0);
    struct pw_world_rectifier_drive drive = {.volts = 84.0, .amps = 30.0};
    for (int i = 0; i < 10; i++) {
        assert_true(fabs(pw_charger_flow(&charger, drive, &scooter, 10) - 30.0) < 0.01);
    }
    assert_true(fabs(charger.amps - 30.0) < 0.02);
    assert_true(fabs(charger.cap_v - (76.0 + 30.0 * 0.060)) < 0.01);
    drive.volts = 77.2; // now the source limits voltage: 1.2 V over 60 mOhm
    for (int i = 0; i < 10; i++) {
        (void)pw_charger_flow(&charger, drive, &scooter, 10);
    }
    assert_true(fabs(charger.amps - 20.0) < 0.02);
}

static void energy_is_the_sum_of_volts_times_amperes(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&scooter, 76.0);
    double sum_j = 0.0;
    for (int i = 0; i < 10000; i++) {
        struct pw_world_rectifier_drive drive = {.volts = 84.0, .amps = 5.0 + i % 25};
        (void)pw_charger_flow(&charger, drive, &scooter, 10);
        sum_j += charger.conn_v * charger.amps * 0.010;
    }
    assert_true(fabs((double)charger.energy_nj * 1e-9 - sum_j) < 1e-3);
}

// The seed's signature of a battery that has switched itself off: the current is gone and the
// terminals float up to the set-point, while the plug is still in.
static void an_open_mosfet_lets_the_terminals_float_to_the_set_point(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&scooter, 77.35);
    struct pw_charger_battery off = scooter;
    off.charge_mosfet = false;
    struct pw_world_rectifier_drive drive = {.volts = 84.41, .amps = 1.85};
    for (int i = 0; i < 100; i++) {
        (void)pw_charger_flow(&charger, drive, &off, 10);
    }
    assert_true(fabs(charger.cap_v - 84.41) < 0.01);
    assert_true(fabs(charger.amps) < 1e-9);
    for (int i = 0; i < 600; i++) { // and its diode holds them up when the rectifier is off
        (void)pw_charger_flow(&charger, nothing_driven, &off, 1000);
    }
    assert_true(fabs(charger.cap_v - 75.3) < 0.01);
}

static void pulling_the_plug_under_load_is_seen_and_counted(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&scooter, 76.0);
    struct pw_world_rectifier_drive drive = {.volts = 84.0, .amps = 30.0};
    (void)pw_charger_flow(&charger, drive, &scooter, 10);
    (void)pw_charger_move(&charger, &nothing, 200);
    assert_int_equal(charger.wear.pulled_loaded, 1);
    for (int i = 0; i < 100; i++) {
        (void)pw_charger_flow(&charger, drive, &nothing, 10);
    }
    assert_true(fabs(charger.amps) < 1e-9);
    assert_true(fabs(charger.conn_v - 84.0) < 0.01); // live pins: the contactor is still closed
}

static void wear_counts_what_a_contactor_must_be_spared(void **state)
{
    (void)state;
    struct pw_charger gentle = closed_on(&scooter, 77.0);
    assert_int_equal(gentle.wear.closed_apart, 0);
    struct pw_charger rough = closed_on(&scooter, 84.0);
    assert_int_equal(rough.wear.closed_apart, 1);
    assert_true(fabs(rough.wear.worst_inrush_a - 8.0 / 0.060) < 0.1);
    (void)pw_charger_flow(&rough, driven_30_a, &scooter, 10);
    pw_charger_set_coil(&rough, false, 500);
    (void)pw_charger_move(&rough, &scooter, 500 + PW_CHARGER_OPEN_MS);
    assert_int_equal(rough.wear.opened_loaded, 1);
}

static void a_free_connector_is_dead_at_once(void **state)
{
    (void)state;
    struct pw_charger charger = closed_on(&nothing, 84.0);
    (void)pw_charger_flow(&charger, nothing_driven, &nothing, 10);
    assert_true(charger.conn_v > 80.0);
    pw_charger_set_coil(&charger, false, 100);
    (void)pw_charger_move(&charger, &nothing, 100 + PW_CHARGER_OPEN_MS);
    (void)pw_charger_flow(&charger, nothing_driven, &nothing, 1000);
    (void)pw_charger_flow(&charger, nothing_driven, &nothing, 1000);
    assert_true(charger.conn_v < 1.0);
    assert_true(charger.cap_v > 80.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminals_fall_from_83_to_56_volts_in_a_minute),
        cmocka_unit_test(contacts_take_their_time),
        cmocka_unit_test(a_short_pulse_on_the_coil_moves_nothing),
        cmocka_unit_test(emergency_stop_opens_whatever_the_coil_says),
        cmocka_unit_test(welded_contacts_stay_closed_until_replaced),
        cmocka_unit_test(current_follows_the_source_until_its_voltage_is_reached),
        cmocka_unit_test(energy_is_the_sum_of_volts_times_amperes),
        cmocka_unit_test(an_open_mosfet_lets_the_terminals_float_to_the_set_point),
        cmocka_unit_test(pulling_the_plug_under_load_is_seen_and_counted),
        cmocka_unit_test(wear_counts_what_a_contactor_must_be_spared),
        cmocka_unit_test(a_free_connector_is_dead_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
