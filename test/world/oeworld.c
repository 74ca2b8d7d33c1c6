// An OpenEVSE board with a car and a house around it: what was measured on a real controller
// (facts/ac-evse-rapi-load.md §2.7) and what its firmware's own defects are.
#include "oeworld/oeworld.h"

#include "scenario/oescenario.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 64, LINE_MAX = 100 };

static struct {
    struct pw_world_oe world;
    pw_ms now;
    char line[LINES_MAX][LINE_MAX]; // of the board since the last `forget`
    pw_ms at[LINES_MAX];
    size_t count;
    size_t len; // of the line being heard
} desk;

static void hear(void)
{
    uint8_t bytes[200];
    size_t len = pw_world_oe_take(&desk.world, bytes, sizeof(bytes));
    for (size_t i = 0; i < len && desk.count < LINES_MAX; i++) {
        if (bytes[i] == '\n') {
            continue;
        }
        if (bytes[i] != '\r') {
            desk.line[desk.count][desk.len++] = (char)bytes[i];
            assert_true(desk.len < LINE_MAX);
            continue;
        }
        desk.line[desk.count][desk.len] = '\0';
        if (desk.len > 0) {
            desk.at[desk.count++] = desk.now;
        }
        desk.len = 0;
    }
}

static void run_for(pw_ms ms)
{
    pw_ms end = desk.now + ms;
    for (;;) {
        pw_ms next = pw_world_oe_step(&desk.world, desk.now);
        hear();
        if (desk.now >= end) {
            return;
        }
        desk.now = pw_earlier(end, next > desk.now ? next : desk.now + 1);
    }
}

static void forget(void)
{
    desk.count = 0;
    desk.len = 0;
}

static void give(const char *line)
{
    pw_world_oe_hear(&desk.world, (const uint8_t *)line, strlen(line), desk.now);
    pw_world_oe_hear(&desk.world, (const uint8_t *)"\r", 1, desk.now);
}

// The answer to a command, without its checksum.
static const char *ask(const char *line)
{
    static char answer[LINE_MAX];
    forget();
    give(line);
    for (unsigned i = 0; i < 300; i++) {
        run_for(10);
        for (size_t k = 0; k < desk.count; k++) {
            if (desk.line[k][0] == '$' && strchr("ON", desk.line[k][1]) != NULL) {
                (void)snprintf(answer, sizeof(answer), "%s", desk.line[k]);
                answer[strcspn(answer, "^")] = '\0';
                return answer;
            }
        }
    }
    return "";
}

// The two numbers of "$OK 9900 240000".
static void two_numbers(const char *answer, long *first, long *second)
{
    char *rest = NULL;
    assert_memory_equal(answer, "$OK ", 4);
    *first = strtol(answer + 4, &rest, 10);
    assert_int_equal(*rest, ' ');
    *second = strtol(rest, &rest, 10);
    assert_int_equal(*rest, '\0');
}

static bool heard(const char *start)
{
    for (size_t k = 0; k < desk.count; k++) {
        if (strncmp(desk.line[k], start, strlen(start)) == 0) {
            return true;
        }
    }
    return false;
}

static pw_ms heard_at(const char *start)
{
    for (size_t k = 0; k < desk.count; k++) {
        if (strncmp(desk.line[k], start, strlen(start)) == 0) {
            return desk.at[k];
        }
    }
    fail_msg("nobody said \"%s\"", start);
    return 0;
}

static void happen(const char *line)
{
    char said[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out answer = PW_OUT(said);
    (void)pw_world_oe_step(&desk.world, desk.now);
    if (pw_oescenario_run(&desk.world, pw_str_of(line), &answer) != PW_OK) {
        fail_msg("%s: %s", line, said);
    }
}

static struct pw_world_oe_truth truth(void)
{
    return pw_world_oe_truth(&desk.world);
}

static void begin_as(const char *board)
{
    struct pw_world_oe_config config = pw_world_oe_defaults();
    config.board = pw_oeboard_named(pw_str_of(board));
    config.probe = true;
    assert_non_null(config.board);
    memset(&desk, 0, sizeof(desk));
    desk.now = 1000;
    pw_world_oe_init(&desk.world, &config, desk.now);
    run_for(5000);
}

static void charge_as(const char *board, const char *car)
{
    char line[40];
    begin_as(board);
    (void)snprintf(line, sizeof(line), "car %s", car);
    happen(line);
    happen("plug");
    run_for(15000);
    assert_int_equal(truth().state, PW_OEBOARD_C);
    assert_true(truth().any_closed);
}

// Reason: nobody holds this board back: it closes as soon as a car asks, at its configured maximum.
static void a_car_is_charged_as_soon_as_it_is_plugged(void **state)
{
    (void)state;
    charge_as("8.2.3", "honest");
    assert_in_range(truth().ma[0], 31000, 32000);
    assert_true(heard("$AB 00 8.2.3"));
    assert_true(heard("$AT 02 02 32 0700"));
    assert_true(heard("$AT 03 03 32 0540"));
    assert_string_equal(ask("$SC 10 V"), "$OK 10");
    run_for(5000);
    assert_in_range(truth().ma[0], 9700, 10000);
    // Its ammeter sees one conductor, and the house sees them all.
    long ma = 0;
    long mv = 0;
    two_numbers(ask("$GG"), &ma, &mv);
    assert_in_range(ma, 9600, 10000);
    assert_true(truth().grid_ma[1] > 9000 && truth().house_ma[1] < truth().grid_ma[1] - 8000);
}

// Reason: its watt seconds are of one phase: who counts energy from them must know the phases.
static void the_board_counts_one_phase_of_three(void **state)
{
    (void)state;
    charge_as("8.2.3-eu", "honest");
    (void)ask("$SC 16 V");
    int64_t before_mwh = truth().energy_mwh;
    long ws_before = 0;
    long ws = 0;
    long wh = 0;
    two_numbers(ask("$GU"), &ws_before, &wh);
    run_for(3600000);
    two_numbers(ask("$GU"), &ws, &wh);
    double board_wh = (double)(ws - ws_before) / 3600.0;
    double true_wh = (double)(truth().energy_mwh - before_mwh) / 1000.0;
    assert_true(board_wh * 3.0 > true_wh * 0.97 && board_wh * 3.0 < true_wh * 1.03);
    assert_int_equal(wh, 0); // added when the car leaves
    happen("unplug");
    run_for(2000);
    two_numbers(ask("$GU"), &ws, &wh);
    assert_true(labs(wh - ws / 3600) <= 1);
}

static void sleep_opens_after_the_car_has_let_go_or_after_three_seconds(void **state)
{
    (void)state;
    charge_as("8.2.3", "honest");
    (void)ask("$FS");
    pw_ms asked = desk.now;
    run_for(5000);
    assert_in_range(truth().opened_at - asked, 500, 1500);
    assert_int_equal(truth().wear.opened_loaded, 0);

    charge_as("8.2.3", "deaf");
    (void)ask("$FS");
    asked = desk.now;
    run_for(5000);
    assert_in_range(truth().opened_at - asked, 2900, 3100);
    assert_int_equal(truth().wear.opened_loaded, 1);
}

static void disable_opens_at_once_and_answers_late(void **state)
{
    (void)state;
    charge_as("8.2.3", "honest");
    forget();
    pw_ms asked = desk.now;
    give("$FD");
    run_for(1000);
    assert_true(truth().opened_at - asked < 80);
    assert_in_range(heard_at("$OK") - asked, 280, 360);
    assert_string_equal(ask("$G0"), "$OK 2");
}

// Reason: 63 bytes: whoever sends twelve commands at once gets nine answers.
static void the_ring_holds_nine_of_twelve_commands(void **state)
{
    (void)state;
    begin_as("8.2.3");
    forget();
    for (unsigned i = 0; i < 12; i++) {
        give("$GS^30");
    }
    run_for(500);
    assert_int_equal(desk.count, 9);
}

// Reason: a line of 31 characters is the longest it takes; a longer one is not even refused.
static void a_line_too_long_is_dropped_without_a_word(void **state)
{
    (void)state;
    begin_as("8.2.3");
    assert_string_equal(ask("$GV 7 7 7 7 7 7 777777777777777"), "$OK 8.2.3 5.2.1");
    assert_string_equal(ask("$GV 7 7 7 7 7 7 7777777777777777"), "");
    assert_string_equal(ask("$GV"), "$OK 8.2.3 5.2.1");
}

static void during_the_start_it_is_deaf_then_late(void **state)
{
    (void)state;
    begin_as("8.2.3-eu");
    happen("reboot");
    forget();
    pw_ms start = desk.now;
    run_for(200);
    give("$GV");
    run_for(1000);
    give("$GS");
    run_for(3500);
    assert_false(heard("$OK 8.2.3"));
    assert_true(heard("$OK 00 0 00 0200"));
    assert_in_range(heard_at("$AT 00 00 0 0200") - start, 2150, 2260);
    assert_in_range(heard_at("$AB 00 8.2.3.EU") - start, 3200, 3300);
    assert_true(heard_at("$OK 00") > heard_at("$AB"));
    assert_true(heard("relayCloseMs: 100") && heard("relayHoldPwm: 255"));
    assert_in_range(heard_at("$AT 01 01 32") - start, 3250, 3400);
}

static void a_restart_keeps_the_eeprom_and_nothing_else(void **state)
{
    (void)state;
    begin_as("8.2.3");
    assert_string_equal(ask("$SC 20"), "$OK 20");
    assert_string_equal(ask("$SC 10 V"), "$OK 10");
    assert_string_equal(ask("$SY 30 8"), "$OK 30 8 0");
    assert_string_equal(ask("$SV 231000"), "$OK");
    (void)ask("$FF E 1");
    (void)ask("$FS");
    unsigned writes = desk.world.board.eeprom.writes;
    happen("reboot");
    run_for(5000);
    assert_int_equal(desk.world.board.eeprom.writes, writes);
    assert_string_equal(ask("$GC"), "$OK 6 32 20 20");
    assert_false(heard("$GC"));
    assert_string_equal(ask("$GY"), "$OK 30 8 0");
    assert_string_equal(ask("$GG"), "$OK 0 240000");
    assert_string_equal(ask("$GS"), "$OK 01 0 01 0200");
    // Nobody feeds the heartbeat: throttled, until somebody says he knows.
    run_for(31000);
    assert_string_equal(ask("$SY"), "$NK 30 8 2");
    assert_string_equal(ask("$GC"), "$OK 6 32 8 20");
    assert_string_equal(ask("$SY 165"), "$OK 30 8 1");
    assert_string_equal(ask("$GC"), "$OK 6 32 20 20"); // the maximum, not what was before
}

static void restarting_by_command_answers_or_not_as_its_build_does(void **state)
{
    (void)state;
    begin_as("8.2.3");
    assert_string_equal(ask("$FR"), "$OK");
    run_for(5000);
    assert_true(heard("$AB 00"));

    charge_as("8.2.3-eu", "honest");
    forget();
    pw_ms asked = desk.now;
    give("$FR");
    run_for(9000);
    assert_false(heard("$OK"));
    assert_in_range(heard_at("$AB 00") - asked, 7200, 7500);
}

// What a fault says, whether it opens the relay, and what ends it.
static void every_fault_opens_and_lasts_as_long_as_it_should(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *back;
        const char *told;
        pw_ms within;
        bool after_unplug; // gone when the car has left
        bool retried;      // gone after five minutes
    } faults[] = {
        {"leak 25", "leak 0", "$AT 06", 100, true, true},
        {"earth lost", "earth good", "$AT 07", 1500, true, true},
        {"heat 60", "heat 0", "$AT 0a", 2000, true, false},
    };
    for (size_t i = 0; i < PW_COUNT(faults); i++) {
        for (int way = 0; way < 2; way++) {
            charge_as("8.2.3", "honest");
            forget();
            happen(faults[i].what);
            run_for(faults[i].within);
            assert_true(heard(faults[i].told));
            assert_false(truth().any_closed);
            happen(faults[i].back);
            run_for(way == 0 ? 2000 : PW_OEBOARD_RETRY_MS + 8000);
            if (way == 1) {
                assert_true(truth().any_closed == faults[i].retried ||
                            truth().state == PW_OEBOARD_C);
                continue;
            }
            happen("unplug");
            run_for(8000);
            assert_int_equal(truth().state, PW_OEBOARD_A);
        }
    }
}

static void a_trip_right_after_closing_is_hard(void **state)
{
    (void)state;
    begin_as("8.2.3");
    happen("plug");
    while (!truth().any_closed) {
        run_for(50);
    }
    run_for(1000);
    happen("leak 30");
    run_for(500);
    happen("leak 0");
    assert_int_equal(truth().state, PW_OEBOARD_GFI);
    run_for(PW_OEBOARD_RETRY_MS + 10000);
    assert_int_equal(truth().state, PW_OEBOARD_GFI);
    assert_string_equal(ask("$GF"), "$OK 1 0 0");
    // Put to sleep it hides its fault, and being woken counts as another.
    assert_string_equal(ask("$FS"), "$OK");
    assert_int_equal(truth().state, PW_OEBOARD_SLEEPING);
    assert_string_equal(ask("$FE"), "$OK");
    assert_int_equal(truth().state, PW_OEBOARD_GFI);
    assert_string_equal(ask("$GF"), "$OK 2 0 0");
}

static void a_weld_lasts_until_a_restart_that_finds_it_gone(void **state)
{
    (void)state;
    charge_as("8.2.3", "honest");
    happen("weld l2");
    happen("s2 open");
    run_for(4000);
    assert_int_equal(truth().state, PW_OEBOARD_STUCK);
    happen("unplug");
    run_for(3000);
    assert_int_equal(truth().state, PW_OEBOARD_STUCK);
    happen("reboot");
    run_for(5000);
    assert_true(heard("$AB 08"));
    assert_int_equal(truth().state, PW_OEBOARD_STUCK);
    happen("weld off");
    happen("reboot");
    run_for(5000);
    assert_int_equal(truth().state, PW_OEBOARD_A);
}

static void heat_halves_the_offer_before_it_stops(void **state)
{
    (void)state;
    charge_as("8.2.3", "single");
    happen("heat 42");
    run_for(3000);
    assert_int_equal(truth().offer_ma, 16000);
    assert_string_equal(ask("$SC 20 V"), "$NK 16");
    happen("heat 0");
    run_for(3000);
    assert_int_equal(truth().offer_ma, 32000);
}

static void too_much_current_trips_where_that_is_built_in(void **state)
{
    (void)state;
    static const char *const boards[] = {"8.2.3", "8.2.3-eu"};
    for (size_t i = 0; i < PW_COUNT(boards); i++) {
        begin_as(boards[i]);
        (void)ask("$SC 20"); // it draws 26 A
        happen("car greedy");
        happen("plug");
        forget();
        run_for(30000);
        assert_int_equal(truth().any_closed, i == 0);
        if (i > 0) {
            // Two windows of the ammeter, and the ramp of the car, after closing.
            assert_in_range(heard_at("$AT 0b") - truth().closed_at, 10000, 18000);
        }
    }
}

static void limits_end_in_sleep_and_a_new_plug_wakes(void **state)
{
    (void)state;
    charge_as("8.2.3", "honest");
    assert_string_equal(ask("$S3 1"), "$OK");
    run_for(905000);
    assert_int_equal(truth().state, PW_OEBOARD_SLEEPING);
    assert_false(truth().any_closed);
    happen("unplug");
    run_for(2000);
    assert_int_equal(truth().state, PW_OEBOARD_A);
    happen("plug");
    run_for(10000);
    assert_string_equal(ask("$SH 1"), "$OK");
    run_for(600000);
    assert_int_equal(truth().state, PW_OEBOARD_SLEEPING);
}

// Reason: boards are out there for ten years.
static void older_protocols_say_less(void **state)
{
    (void)state;
    static const struct {
        const char *board;
        const char *command;
        const char *answer;
    } cases[] = {
        {"rapi4", "$GS", "$OK 1 0"},
        {"rapi4", "$GC", "$OK 6 32"},
        {"rapi4", "$SY 5 6", "$NK"},
        {"rapi4", "$GV :0C", "$OK 5.0.0 4.0.0 :0C"},
        {"rapi3", "$G0", "$NK"},
        {"rapi2", "$GV :0C", "$OK 3.0.0 2.0.0"},
        {"rapi1", "$GS", "$OK 1 0"},
        {"9", "$SB", "$OK 0"},
        {"sparse", "$SC 16", "$OK"},
        {"sparse", "$G0", "$NK"},
        {"sparse", "$GV :01", "$OK 8.2.1 5.0.1"},
        {"8.2.3-eu", "$G3", "$NK"},
        {"8.2.3-eu", "$GG", "$OK 0 230000"},
    };
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        begin_as(cases[i].board);
        assert_string_equal(ask(cases[i].command), cases[i].answer);
    }
    begin_as("rapi1");
    (void)ask("$GS");
    assert_null(strchr(desk.line[0], '^'));
    begin_as("rapi4");
    forget();
    happen("plug");
    run_for(1000);
    assert_true(heard("$ST 02"));
    assert_false(heard("$AT"));
}

static void a_board_with_a_boot_lock_offers_nothing_before_it_is_cleared(void **state)
{
    (void)state;
    begin_as("9");
    happen("plug");
    run_for(10000);
    assert_int_equal(truth().offer_ma, 0);
    assert_false(truth().any_closed);
    assert_string_equal(ask("$SB"), "$OK 0");
    run_for(10000);
    assert_true(truth().any_closed);
}

// Reason: facts/reliability.md Appendix A: what a client must never send, because it is taken.
static void the_firmwares_defects_are_there(void **state)
{
    (void)state;
    begin_as("8.2.3");
    assert_string_equal(ask("$SC 4294967328"), "$OK 32");
    assert_string_equal(ask("$SC 3x"), "$NK 32");
    assert_string_equal(ask("$SC -5"), "$NK 32");
    assert_string_equal(ask("$SC 16.5"), "$NK 32");
    assert_string_equal(ask("$GS^zz"), "$NK"); // counts as 00, which is not this line's
    assert_string_equal(ask("$SK"), "$OK");
    assert_string_not_equal(ask("$GU"), "$OK 0 0");
    assert_string_equal(ask("$SY 70 6"), "$OK 70 6 0");
    run_for(5000);
    assert_string_equal(ask("$GY"), "$OK 70 6 2");
}

static void a_silent_a_hung_and_a_garbling_board(void **state)
{
    (void)state;
    charge_as("8.2.3", "honest");
    happen("board silent");
    assert_string_equal(ask("$SC 10 V"), "");
    assert_int_equal(truth().offer_ma, 10000);
    happen("board hung");
    assert_string_equal(ask("$SC 20 V"), "");
    assert_int_equal(truth().offer_ma, 10000);
    assert_true(truth().any_closed);
    happen("board garbles");
    forget();
    assert_string_equal(ask("$GS"), "");
    happen("board good");
    run_for(3000);
    assert_non_null(strstr(ask("$GS"), "$OK 03"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_car_is_charged_as_soon_as_it_is_plugged),
        cmocka_unit_test(the_board_counts_one_phase_of_three),
        cmocka_unit_test(sleep_opens_after_the_car_has_let_go_or_after_three_seconds),
        cmocka_unit_test(disable_opens_at_once_and_answers_late),
        cmocka_unit_test(the_ring_holds_nine_of_twelve_commands),
        cmocka_unit_test(a_line_too_long_is_dropped_without_a_word),
        cmocka_unit_test(during_the_start_it_is_deaf_then_late),
        cmocka_unit_test(a_restart_keeps_the_eeprom_and_nothing_else),
        cmocka_unit_test(restarting_by_command_answers_or_not_as_its_build_does),
        cmocka_unit_test(every_fault_opens_and_lasts_as_long_as_it_should),
        cmocka_unit_test(a_trip_right_after_closing_is_hard),
        cmocka_unit_test(a_weld_lasts_until_a_restart_that_finds_it_gone),
        cmocka_unit_test(heat_halves_the_offer_before_it_stops),
        cmocka_unit_test(too_much_current_trips_where_that_is_built_in),
        cmocka_unit_test(limits_end_in_sleep_and_a_new_plug_wakes),
        cmocka_unit_test(older_protocols_say_less),
        cmocka_unit_test(a_board_with_a_boot_lock_offers_nothing_before_it_is_cleared),
        cmocka_unit_test(the_firmwares_defects_are_there),
        cmocka_unit_test(a_silent_a_hung_and_a_garbling_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
