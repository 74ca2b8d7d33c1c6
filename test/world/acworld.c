// The world of an AC outlet behaves as wires, contactors and cars do, each temperament as its row
// says, and costs next to nothing while nothing happens.
#include "acworld/acworld.h"

#include "acdesk.h"
#include "scenario/acscenario.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct acdesk desk;

static void begin(const char *car)
{
    acdesk_init(&desk, NULL);
    if (car != NULL) {
        char line[40];
        (void)snprintf(line, sizeof(line), "car %s", car);
        acdesk_do(&desk, line);
    }
    acdesk_run(&desk, 1000);
}

// Reason: IEC 61851-1 Annex A: 12, 9, 6, 3 V at the station; the low half stays at -12 V only with
// a diode in the car.
static void the_pilot_has_the_levels_of_the_norm(void **state)
{
    (void)state;
    static const struct {
        const char *car;
        const char *then;
        int32_t high_mv;
        int32_t low_mv;
    } cases[] = {
        {NULL, NULL, 12000, -12000},         {"honest", "s2 open", 9000, -12000},
        {"honest", NULL, 6000, -12000},      {"ventilated", NULL, 3000, -12000},
        {"nodiode", "s2 open", 8790, -8790}, {"short", NULL, 235, -235},
    };
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        begin(cases[i].car);
        if (cases[i].car != NULL) {
            acdesk_do(&desk, "plug");
        }
        if (cases[i].then != NULL) {
            acdesk_do(&desk, cases[i].then);
        }
        acdesk_offer(&desk, 16000);
        acdesk_run(&desk, 3000);
        assert_in_range(desk.senses.cp_high_mv - cases[i].high_mv + 150, 0, 300);
        assert_in_range(desk.senses.cp_low_mv - cases[i].low_mv + 150, 0, 300);
        acdesk_offer(&desk, 0);
        acdesk_run(&desk, 3000);
        assert_int_equal(desk.senses.cp_low_mv, PW_BOARD_UNKNOWN);
    }
}

// Reason: a change of the pilot must reach the station at its very millisecond.
static void an_edge_of_the_pilot_is_reported_at_once(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_run(&desk, 5037);
    unsigned before = desk.reports;
    acdesk_do(&desk, "plug");
    acdesk_run(&desk, 0);
    assert_int_equal(desk.reports, before + 1);
    assert_in_range(desk.senses.cp_high_mv, 8800, 9200);
    assert_int_equal(desk.senses.at, desk.now);
}

static void a_charge_draws_what_is_offered_and_the_meter_agrees(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_charge(&desk, 16000);
    struct pw_world_ac_truth truth = acdesk_truth(&desk);
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        assert_in_range(truth.ma[i], 15700, 16000);
        assert_true(truth.closed[i]);
    }
    desk.meter_j = 0.0;
    int64_t before = truth.energy_uj;
    acdesk_run(&desk, 600000);
    double true_j = (double)(acdesk_truth(&desk).energy_uj - before) / 1e6;
    assert_true(true_j > 6.4e6);
    assert_true(desk.meter_j > 0.998 * true_j && desk.meter_j < 1.002 * true_j);
    assert_in_range(desk.widest_ms, 90, 150);
}

// Reason: the norm gives a car 5 s to follow; the slowest still does, and not much sooner.
static void every_car_follows_a_lower_offer_within_five_seconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < pw_accar_kinds(); i++) {
        const struct pw_accar_kind *kind = pw_accar_kind(i);
        if (kind->most_ma <= 10000 || kind->shorted || kind->pulled_ms != 0) {
            continue;
        }
        begin(kind->word);
        acdesk_charge(&desk, 16000);
        assert_true(acdesk_truth(&desk).ma[0] > 15000);
        acdesk_offer(&desk, 8000);
        acdesk_run(&desk, kind->react_ms / 2);
        assert_true(acdesk_truth(&desk).ma[0] > 15000);
        acdesk_run(&desk, 5000 - kind->react_ms / 2);
        int32_t fair = 8000 * kind->taken_permille / 1000;
        assert_in_range(acdesk_truth(&desk).ma[0], fair - 300, fair + 300);
    }
}

// Reason: at the end of the offer S2 opens within 3 s, without current, but for the deaf one.
static void every_car_but_the_deaf_one_stops_within_three_seconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < pw_accar_kinds(); i++) {
        const struct pw_accar_kind *kind = pw_accar_kind(i);
        if (kind->shorted || kind->simplified) {
            continue;
        }
        begin(kind->word);
        acdesk_charge(&desk, 10000);
        acdesk_offer(&desk, 0);
        acdesk_run(&desk, 3000);
        struct pw_world_ac_truth truth = acdesk_truth(&desk);
        bool ready = truth.level == PW_WORLD_AC_C || truth.level == PW_WORLD_AC_D;
        assert_int_equal(ready, kind->stop_ms == 0);
        assert_int_equal(truth.ma[0] > 1000, kind->stop_ms == 0);
    }
}

static void the_temperaments_do_what_their_rows_say(void **state)
{
    (void)state;
    begin("greedy");
    acdesk_charge(&desk, 16000);
    assert_in_range(acdesk_truth(&desk).ma[0], 20500, 21000);

    begin("simple");
    acdesk_do(&desk, "plug");
    acdesk_run(&desk, 10);
    assert_int_equal(acdesk_truth(&desk).level, PW_WORLD_AC_C);

    begin("runaway");
    acdesk_charge(&desk, 16000);
    acdesk_run(&desk, 20000);
    assert_false(acdesk_truth(&desk).plugged);
    assert_int_equal(acdesk_truth(&desk).wear.pulled_loaded, 1);

    begin("single");
    acdesk_charge(&desk, 16000);
    assert_true(acdesk_truth(&desk).ma[0] > 15000);
    assert_int_equal(acdesk_truth(&desk).ma[1], 0);

    begin("fewer");
    acdesk_charge(&desk, 16000);
    assert_true(acdesk_truth(&desk).ma[2] > 15000);
    acdesk_run(&desk, 60000);
    assert_int_equal(acdesk_truth(&desk).ma[2], 0);
    assert_true(acdesk_truth(&desk).ma[0] > 15000);

    begin("sated");
    acdesk_do(&desk, "soc 49.9");
    acdesk_charge(&desk, 16000);
    acdesk_run(&desk, 60000);
    assert_int_equal(acdesk_truth(&desk).level, PW_WORLD_AC_B);
}

// Reason: cars that sleep are why chargers stay dark after a pause; two ways to wake them exist.
static void sleepers_wake_by_what_their_rows_say(void **state)
{
    (void)state;
    static const struct {
        const char *car;
        bool by_pulse;
    } cases[] = {{"sleepy", false}, {"dormant", true}};
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        begin(cases[i].car);
        acdesk_do(&desk, "plug");
        acdesk_run(&desk, 65000);
        assert_true(acdesk_truth(&desk).asleep);
        acdesk_offer(&desk, 16000);
        acdesk_run(&desk, 20000);
        assert_int_equal(acdesk_truth(&desk).level, PW_WORLD_AC_B);
        acdesk_offer(&desk, 0);
        desk.drive.cp = cases[i].by_pulse ? PW_BOARD_CP_FAULT : PW_BOARD_CP_STEADY;
        acdesk_run(&desk, 4000);
        acdesk_offer(&desk, 16000);
        acdesk_run(&desk, 4000);
        assert_int_equal(acdesk_truth(&desk).level, PW_WORLD_AC_C);
    }
}

// Reason: contacts chatter; the station must see it and not fall for it.
static void a_bouncing_plug_chatters_and_settles(void **state)
{
    (void)state;
    begin("bouncing");
    unsigned before = desk.reports;
    acdesk_do(&desk, "plug");
    acdesk_run(&desk, 60);
    assert_true(desk.reports - before >= 10);
    acdesk_run(&desk, 100);
    assert_int_equal(acdesk_truth(&desk).level, PW_WORLD_AC_B);
}

static void contactor_lock_and_rcd_take_their_time(void **state)
{
    (void)state;
    begin(NULL);
    desk.drive.contactor = desk.drive.lock = true;
    acdesk_run(&desk, PW_ACPATH_CLOSE_MS - 1);
    assert_false(acdesk_truth(&desk).any_closed);
    assert_int_equal(acdesk_truth(&desk).lock, PW_BOARD_LOCK_MOVING);
    acdesk_run(&desk, 400);
    assert_true(acdesk_truth(&desk).any_closed);
    assert_int_equal(acdesk_truth(&desk).lock, PW_BOARD_LOCK_CLOSED);
    assert_int_equal(desk.senses.load_mv[2], 230000);
    desk.drive.contactor = false;
    acdesk_run(&desk, PW_ACPATH_OPEN_MS + 1);
    assert_false(acdesk_truth(&desk).any_closed);
    desk.drive.rcd_test = true;
    acdesk_run(&desk, 50);
    assert_int_equal(desk.senses.rcd, PW_BOARD_RCD_TRIPPED);
    desk.drive.rcd_test = false;
    acdesk_run(&desk, 50);
    assert_int_equal(desk.senses.rcd, PW_BOARD_RCD_OK);
    acdesk_do(&desk, "rcd deaf");
    desk.drive.rcd_test = true;
    acdesk_run(&desk, 200);
    assert_int_equal(desk.senses.rcd, PW_BOARD_RCD_OK);
}

static void a_leakage_opens_the_contactor_by_wire(void **state)
{
    (void)state;
    static const char *const leaks[] = {"leak ac 30", "leak dc 6"};
    for (size_t i = 0; i < PW_COUNT(leaks); i++) {
        begin(NULL);
        acdesk_charge(&desk, 16000);
        acdesk_do(&desk, leaks[i]);
        acdesk_run(&desk, PW_ACPATH_RCD_DC_MS + PW_ACPATH_OPEN_MS + 1);
        assert_false(acdesk_truth(&desk).any_closed);
        assert_true(acdesk_truth(&desk).commanded);
        assert_true(acdesk_truth(&desk).tripped_at != PW_NEVER);
    }
}

static void one_welded_pole_keeps_its_phase_and_the_mirror_closed(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_do(&desk, "weld l2");
    acdesk_charge(&desk, 16000);
    acdesk_offer(&desk, 0);
    acdesk_run(&desk, 3000);
    desk.drive.contactor = false;
    acdesk_run(&desk, 100);
    assert_int_equal(desk.senses.load_mv[0], 0);
    assert_int_equal(desk.senses.load_mv[1], 230000);
    assert_int_equal(desk.senses.contact, PW_BOARD_CONTACT_CLOSED);
    acdesk_do(&desk, "weld off");
    acdesk_run(&desk, 10);
    assert_int_equal(desk.senses.contact, PW_BOARD_CONTACT_OPEN);
}

// Reason: a station that hangs must not go on charging; the board's own watchdog sees to it.
static void a_board_without_a_drive_opens_after_half_a_second(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_charge(&desk, 16000);
    desk.mute = true;
    acdesk_run(&desk, 350);
    assert_true(acdesk_truth(&desk).any_closed);
    acdesk_run(&desk, 170);
    assert_false(acdesk_truth(&desk).any_closed);
    assert_int_equal(acdesk_truth(&desk).cp, PW_BOARD_CP_FAULT);
    assert_int_equal(acdesk_truth(&desk).lock, PW_BOARD_LOCK_CLOSED);
    acdesk_run(&desk, 1000);
    assert_in_range(desk.senses.cp_high_mv + 12000, 0, 150);
    assert_true(desk.senses.opened);
    desk.mute = false; // says what it said before
    acdesk_run(&desk, 3000);
    assert_false(acdesk_truth(&desk).any_closed);
    desk.drive.contactor = false;
    acdesk_run(&desk, 500);
    assert_false(desk.senses.opened);
    desk.drive.contactor = true;
    acdesk_run(&desk, 500);
    assert_true(acdesk_truth(&desk).any_closed);
}

// Reason: a cable in a locked socket comes out at the car's end only.
static void a_locked_cable_stays_until_the_lock_opens(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_charge(&desk, 16000);
    acdesk_do(&desk, "unplug");
    acdesk_run(&desk, 1000);
    assert_in_range(desk.senses.pp_ohm, 205, 235);
    desk.drive.lock = desk.drive.contactor = false;
    acdesk_run(&desk, 1000);
    assert_int_equal(desk.senses.pp_ohm, PW_BOARD_OPEN_OHM);
}

static void contacts_warm_and_sensors_lie(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_do(&desk, "soc 5");
    acdesk_charge(&desk, 32000);
    acdesk_run(&desk, 3600000);
    assert_in_range(desk.senses.temp_dc[0], 540, 575);
    acdesk_do(&desk, "probe broken");
    acdesk_run(&desk, 1500);
    assert_true(desk.senses.temp_dc[0] < -400);
    acdesk_do(&desk, "probe shorted");
    acdesk_run(&desk, 1500);
    assert_true(desk.senses.temp_dc[0] > 1900);
}

// Reason: boards that leave the arithmetic to us send samples; their sums must be the truth.
static void blocks_of_samples_are_the_truth_to_core_analog(void **state)
{
    (void)state;
    struct pw_world_ac_config config = pw_world_ac_defaults();
    config.board.raw = true;
    acdesk_init(&desk, &config);
    acdesk_charge(&desk, 16000);
    static struct pw_analog analog;
    struct pw_analog_config calibration = pw_acboard_calibration();
    assert_int_equal(pw_analog_init(&analog, &calibration), PW_OK);
    unsigned before = desk.blocks;
    for (int i = 0; i < 200; i++) {
        acdesk_run(&desk, 5);
        assert_true(pw_analog_block(&analog, &desk.block, desk.now) >= 0);
    }
    assert_in_range(desk.blocks - before, 199, 201);
    struct pw_world_ac_truth truth = acdesk_truth(&desk);
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        assert_in_range(analog.mains.mv[i], 229500, 230500);
        assert_in_range(analog.mains.ma[i], truth.ma[i] - 50, truth.ma[i] + 50);
        assert_in_range(analog.mains.mw[i], truth.mw / 3 - 10000, truth.mw / 3 + 10000);
    }
    assert_in_range(analog.mains.mhz, 49950, 50050);
    assert_in_range(analog.cp_high_mv, 5850, 6150);
    assert_in_range(analog.pp_ohm, 210, 230);
    assert_int_equal(desk.senses.cp_high_mv, PW_BOARD_UNKNOWN);
}

static void a_board_without_supply_is_dark_and_opens(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_charge(&desk, 16000);
    acdesk_do(&desk, "power off");
    unsigned before = desk.reports;
    acdesk_run(&desk, 2000);
    assert_int_equal(desk.reports, before);
    assert_false(acdesk_truth(&desk).any_closed);
    assert_int_equal(acdesk_truth(&desk).lock, PW_BOARD_LOCK_OPEN);
    desk.drive.contactor = false;
    acdesk_do(&desk, "power on");
    acdesk_run(&desk, 500);
    assert_true(desk.reports > before);
}

static void a_missing_phase_carries_nothing(void **state)
{
    (void)state;
    begin(NULL);
    acdesk_charge(&desk, 16000);
    acdesk_do(&desk, "grid l3 0");
    acdesk_run(&desk, 500);
    assert_int_equal(acdesk_truth(&desk).ma[2], 0);
    assert_true(acdesk_truth(&desk).ma[0] > 15000);
    assert_int_equal(desk.senses.mains.mv[2], 0);
}

// Reason: same seed and same inputs, same reports; otherwise no failure could be replayed.
static void the_same_seed_gives_the_same_reports(void **state)
{
    (void)state;
    uint64_t hash[3];
    for (int i = 0; i < 3; i++) {
        struct pw_world_ac_config config = pw_world_ac_defaults();
        config.seed = i == 2 ? 8 : 7;
        acdesk_init(&desk, &config);
        acdesk_do(&desk, "car bouncing");
        acdesk_charge(&desk, 16000);
        acdesk_run(&desk, 60000);
        hash[i] = desk.hash;
    }
    assert_true(hash[0] == hash[1]);
    assert_true(hash[0] != hash[2]);
}

// Reason: a street of many outlets for a week is only possible when a quiet one sleeps: ten reports
// a second, and nothing between them.
static void a_quiet_hour_is_ten_reports_a_second(void **state)
{
    (void)state;
    begin(NULL);
    desk.mute = true;
    acdesk_run(&desk, 2000);
    pw_ms end = desk.now + 3600000;
    unsigned steps = 0;
    struct pw_board_senses senses;
    while (desk.now < end) {
        desk.now = pw_world_ac_step(&desk.world, desk.now);
        (void)pw_world_ac_take_senses(&desk.world, &senses);
        steps++;
    }
    assert_in_range(steps, 36000, 73000);
}

static void every_command_is_listed_and_a_wrong_one_explained(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *reason;
    } cases[] = {
        {"dance", "unknown command"},
        {"car fast", "honest, slow, greedy"},
        {"weld l4", "off, l1, l2, l3, all"},
        {"leak", "ac, dc"},
        {"leak ac 1001", "0..1000"},
        {"soc 100.1", "0..100"},
        {"plug in", "nothing"},
        {"grid hertz 39", "40..70"},
        {"card", "a text"},
    };
    char said[PW_SCENARIO_ANSWER_MAX] = "";
    begin(NULL);
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        struct pw_out answer = PW_OUT(said);
        assert_int_not_equal(pw_acscenario_run(&desk.world, pw_str_of(cases[i].line), &answer),
                             PW_OK);
        assert_non_null(strstr(said, cases[i].reason));
    }
    struct pw_out help = PW_OUT(said);
    pw_acscenario_help(&help);
    assert_false(help.full);
    assert_non_null(strstr(said, "runaway"));
    struct pw_out status = PW_OUT(said);
    assert_int_equal(pw_acscenario_run(&desk.world, PW_STR("status"), &status), PW_OK);
    assert_non_null(strstr(said, "\"level\":\"A\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pilot_has_the_levels_of_the_norm),
        cmocka_unit_test(an_edge_of_the_pilot_is_reported_at_once),
        cmocka_unit_test(a_charge_draws_what_is_offered_and_the_meter_agrees),
        cmocka_unit_test(every_car_follows_a_lower_offer_within_five_seconds),
        cmocka_unit_test(every_car_but_the_deaf_one_stops_within_three_seconds),
        cmocka_unit_test(the_temperaments_do_what_their_rows_say),
        cmocka_unit_test(sleepers_wake_by_what_their_rows_say),
        cmocka_unit_test(a_bouncing_plug_chatters_and_settles),
        cmocka_unit_test(contactor_lock_and_rcd_take_their_time),
        cmocka_unit_test(a_leakage_opens_the_contactor_by_wire),
        cmocka_unit_test(one_welded_pole_keeps_its_phase_and_the_mirror_closed),
        cmocka_unit_test(a_board_without_a_drive_opens_after_half_a_second),
        cmocka_unit_test(a_locked_cable_stays_until_the_lock_opens),
        cmocka_unit_test(contacts_warm_and_sensors_lie),
        cmocka_unit_test(blocks_of_samples_are_the_truth_to_core_analog),
        cmocka_unit_test(a_board_without_supply_is_dark_and_opens),
        cmocka_unit_test(a_missing_phase_carries_nothing),
        cmocka_unit_test(the_same_seed_gives_the_same_reports),
        cmocka_unit_test(a_quiet_hour_is_ten_reports_a_second),
        cmocka_unit_test(every_command_is_listed_and_a_wrong_one_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
