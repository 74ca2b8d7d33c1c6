// The client against the simulated board of the recorded firmware, of older ones and of a sparse
// one: what it wants is what comes about, whatever happens on the way.
#include "desk.h"
#include "test.h"

#include <string.h>

enum { BOOTED_MS = 8000 };

static struct desk desk;

static const struct pw_rapi_view *view(void)
{
    return pw_rapi_view(&desk.client);
}

static void settle(const char *kind, int32_t limit_ma)
{
    desk_init(&desk, kind);
    desk_want(&desk, PW_RAPI_ENABLED, limit_ma);
    desk_run(&desk, BOOTED_MS + 4000);
}

static void charge(int32_t limit_ma)
{
    settle(NULL, limit_ma);
    desk_car(&desk, PW_OEBOARD_LEVEL_B, 0.0);
    desk_run(&desk, 3000);
    desk_car(&desk, PW_OEBOARD_LEVEL_C, 10.0);
    desk_run(&desk, 10000);
    assert_true(view()->relay);
    assert_true(view()->settled);
    desk_watch(&desk);
}

// Reason: everything the station shows and decides about a board rests on what was read of it.
static void a_board_is_read_and_brought_to_what_is_wanted(void **state)
{
    (void)state;
    settle(NULL, 16700);
    assert_true(view()->ok && view()->settled && view()->limit_held);
    assert_string_equal(view()->firmware, "8.2.3");
    assert_int_equal(view()->rapi_version, PW_RAPI_VERSION(5, 2, 1));
    assert_int_equal(view()->state, PW_RAPI_STATE_A);
    assert_int_equal(view()->offered_ma, 16000);
    assert_int_equal(view()->min_ma, 6000);
    assert_int_equal(view()->config_ma, 32000);
    assert_int_equal(view()->heartbeat, PW_RAPI_HEARTBEAT_ARMED);
    assert_int_equal(desk.board.eeprom.beat_s, 10);
    assert_int_equal(desk.board.eeprom.beat_a, 6);
    assert_int_equal(view()->session_ws, 0);
    assert_false(view()->plugged);
    assert_int_equal(view()->bad, 0);
    assert_true(strchr(desk.last, ':') != NULL); // with ids
}

// Reason: `$SC n` without V wears out the board's memory and becomes its maximum (Appendix A 9).
static void limits_are_volatile_and_only_sent_when_they_change(void **state)
{
    (void)state;
    charge(10000);
    unsigned writes = desk.board.eeprom.writes;
    for (int32_t ma = 6000; ma <= 32000; ma += 1000) {
        desk_want(&desk, PW_RAPI_ENABLED, ma);
        desk_run(&desk, 2000);
        assert_int_equal(pw_oeboard_offer_ma(&desk.board), ma);
        assert_true(view()->limit_held && view()->offered_ma == ma);
    }
    assert_int_equal(desk.board.eeprom.writes, writes);
    desk_watch(&desk);
    desk_want(&desk, PW_RAPI_ENABLED, 32900);
    desk_run(&desk, 60000);
    assert_int_equal(desk_sent(&desk, "$SC"), 0);
}

// Reason: below the least a pilot can say there is only no charging, and the board would make 6 A
// of it (Appendix A 9).
static void less_than_the_least_is_sleep(void **state)
{
    (void)state;
    charge(16000);
    desk_want(&desk, PW_RAPI_ENABLED, 5999);
    desk_run(&desk, 5000);
    assert_int_equal(view()->state, PW_RAPI_STATE_SLEEPING);
    assert_false(pw_oeboard_drive(&desk.board).relay);
    assert_true(view()->plugged);
    desk_want(&desk, PW_RAPI_ENABLED, 6000);
    desk_run(&desk, 8000);
    assert_true(pw_oeboard_drive(&desk.board).relay);
    assert_int_equal(desk.highest_ma, 16000);
}

static void power_is_what_is_wanted(void **state)
{
    (void)state;
    charge(16000);
    desk_want(&desk, PW_RAPI_DISABLED, 16000);
    desk_run(&desk, 1500);
    assert_int_equal(view()->state, PW_RAPI_STATE_DISABLED);
    assert_false(pw_oeboard_drive(&desk.board).relay);
    // A disabled board does not see who plugs in; one that sleeps does.
    desk_want(&desk, PW_RAPI_SLEEP, 16000);
    desk_run(&desk, 1500);
    assert_int_equal(view()->state, PW_RAPI_STATE_SLEEPING);
    assert_true(view()->plugged);
    assert_false(pw_oeboard_drive(&desk.board).relay);
    desk_want(&desk, PW_RAPI_ENABLED, 16000);
    desk_run(&desk, 10000);
    assert_true(view()->settled);
    // Somebody presses the button: it sleeps, and is woken.
    desk_watch(&desk);
    pw_oeboard_button(&desk.board, false, desk.now);
    desk_run(&desk, 10000);
    assert_true(view()->settled);
    assert_true(desk_sent(&desk, "$FE") >= 1);
}

// Reason: a board comes up with the maximum of its memory; a house of 10 A must not wait for a poll
// (F30, §2.6 rule 4).
static void after_a_restart_limit_and_heartbeat_come_before_anything_charges(void **state)
{
    (void)state;
    charge(10000);
    uint32_t reboots = view()->reboots;
    pw_oeboard_power(&desk.board, false, desk.now);
    desk_run(&desk, 2000);
    pw_oeboard_power(&desk.board, true, desk.now);
    desk_run(&desk, 20000);
    assert_int_equal(view()->reboots, reboots + 1);
    assert_true(view()->ok && view()->settled);
    assert_int_equal(view()->offered_ma, 10000);
    assert_int_equal(desk.highest_ma, 10000);
}

static void a_restart_by_order_is_followed(void **state)
{
    (void)state;
    settle(NULL, 10000);
    uint32_t reboots = view()->reboots;
    uint32_t timeouts = view()->timeouts;
    assert_int_equal(pw_rapi_restart(&desk.client, desk.now), PW_OK);
    assert_int_equal(pw_rapi_restart(&desk.client, desk.now), PW_ERR_BUSY);
    desk_run(&desk, 20000);
    assert_int_equal(view()->reboots, reboots + 1);
    assert_int_equal(view()->timeouts, timeouts);
    assert_true(view()->settled);
}

// Reason: a board that missed its pulses stays at its fall-back until told, and then goes to its
// maximum (§2.4, Appendix A 7): both were bugs of others for years.
static void after_a_lost_wire_the_previous_limit_is_restored_and_never_the_maximum(void **state)
{
    (void)state;
    charge(10000);
    desk.cut = true;
    desk_run(&desk, 30000);
    assert_false(view()->ok);
    assert_string_not_equal(view()->failed, "");
    assert_int_equal(pw_oeboard_offer_ma(&desk.board), 6000); // by itself
    desk.cut = false;
    desk_watch(&desk);
    desk_run(&desk, 20000);
    assert_true(view()->ok && view()->settled);
    assert_int_equal(view()->heartbeats_missed, 1);
    assert_int_equal(pw_oeboard_offer_ma(&desk.board), 10000);
    unsigned ack = desk_place(&desk, "$SY 165");
    assert_string_equal(desk.saw[ack + 1], "$SC 10 V"); // at once
    assert_int_equal(desk_sent(&desk, "$SY 165"), 1);
}

// The maximum stands for no longer than one answer takes.
static void the_maximum_lasts_no_longer_than_a_round_trip(void **state)
{
    (void)state;
    charge(10000);
    desk.cut = true;
    desk_run(&desk, 12000);
    assert_int_equal(pw_oeboard_offer_ma(&desk.board), 6000);
    desk.cut = false;
    pw_ms above = 0;
    for (pw_ms ms = 0; ms < 30000; ms++) {
        desk_run(&desk, 1);
        above += pw_oeboard_offer_ma(&desk.board) > 10000 ? 1 : 0;
    }
    assert_in_range(above, 1, 100);
    assert_true(view()->settled);
}

// Reason: the far end of a radio has nobody to ask: then the board has to be left to itself.
static void let_go_means_no_pulses_and_no_more_than_the_fall_back(void **state)
{
    (void)state;
    charge(20000);
    struct pw_rapi_want want = {.power = PW_RAPI_ENABLED, .limit_ma = 20000, .let_go = true};
    pw_rapi_want(&desk.client, &want);
    desk_run(&desk, 500);
    assert_int_equal(pw_oeboard_offer_ma(&desk.board), 6000);
    desk_run(&desk, 20000);
    assert_int_equal(desk.board.beat_state, 2);
    assert_int_equal(desk_sent(&desk, "$SY"), 0);
    want.let_go = false;
    pw_rapi_want(&desk.client, &want);
    desk_run(&desk, 5000);
    assert_true(view()->settled);
    assert_int_equal(pw_oeboard_offer_ma(&desk.board), 20000);
}

// Reason: a board is deaf for 1.3 s while its relay closes, and 500 ms of patience made others
// believe their heartbeat had failed (§2.6 rule 2).
static void a_closing_relay_is_no_silence(void **state)
{
    (void)state;
    settle("8.2.3-eu", 16000);
    uint32_t timeouts = view()->timeouts;
    desk_car(&desk, PW_OEBOARD_LEVEL_C, 10.0);
    desk_run(&desk, 600000);
    assert_true(view()->settled);
    assert_int_equal(view()->timeouts, timeouts);
    assert_int_equal(view()->bad, 0);
    assert_int_equal(view()->heartbeats_missed, 0);
    assert_in_range(view()->ma, 9800, 10200);
}

static void faults_from_0a_on_are_seen_and_not_hidden_by_sleep(void **state)
{
    (void)state;
    charge(16000);
    desk.senses.temp_dc = 900;
    desk_run(&desk, 60000);
    if (view()->fault) {
        assert_int_equal(view()->state, PW_RAPI_STATE_OVER_TEMP);
    }
    desk.senses.temp_dc = PW_OEBOARD_NO_PROBE;
    charge(16000);
    desk.senses.leak = true;
    desk_run(&desk, 3000);
    assert_int_equal(view()->state, PW_RAPI_STATE_GFCI);
    assert_true(view()->fault);
    desk_watch(&desk);
    desk_want(&desk, PW_RAPI_SLEEP, 16000);
    desk_run(&desk, 10000);
    assert_int_equal(view()->state, PW_RAPI_STATE_GFCI);
    assert_int_equal(desk_sent(&desk, "$FS"), 0);
    desk_car(&desk, PW_OEBOARD_LEVEL_A, 0.0);
    desk.senses.leak = false;
    desk_run(&desk, 5000);
    assert_int_equal(view()->state, PW_RAPI_STATE_SLEEPING);
    assert_int_equal(view()->gfi_trips, 1);
}

// Reason: owners do not update the firmware of a box on a wall (§2.3, §2.6).
static void old_boards_and_a_sparse_one_are_driven_too(void **state)
{
    static const char *const kinds[] = {"8.2.3", "8.2.3-eu", "9",     "rapi4",
                                        "rapi3", "rapi2",    "rapi1", "sparse"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        settle(kinds[i], 16000);
        print_message("%s: state %d, %d mA, heartbeat %d\n", kinds[i], view()->state,
                      view()->offered_ma, (int)view()->heartbeat);
        uint32_t timeouts = view()->timeouts;
        assert_true(view()->ok);
        assert_int_equal(desk.board.amps, 16);
        assert_true(view()->limit_held);
        desk_car(&desk, PW_OEBOARD_LEVEL_C, 10.0);
        desk_run(&desk, 20000);
        assert_true(pw_oeboard_drive(&desk.board).relay);
        assert_true(view()->plugged && view()->state == PW_RAPI_STATE_C);
        desk_want(&desk, PW_RAPI_SLEEP, 16000);
        desk_run(&desk, 10000);
        assert_false(pw_oeboard_drive(&desk.board).relay);
        desk_run(&desk, 60000);
        assert_int_equal(view()->timeouts, timeouts);
    }
}

// Reason: what a person typed must not stand between the station and its board.
static void lines_of_people_wait_their_turn_and_get_their_answer(void **state)
{
    char answer[PW_RAPI_ANSWER_MAX + 1];
    uint32_t ticket[PW_RAPI_ASKS + 1];
    (void)state;
    settle(NULL, 16000);
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        assert_int_equal(
            pw_rapi_ask(&desk.client, PW_STR("GV"), PW_RAPI_ANYBODY, desk.now, &ticket[i], NULL),
            PW_OK);
        assert_int_equal(pw_rapi_answer(&desk.client, ticket[i], answer, sizeof(answer)),
                         PW_ERR_AGAIN);
    }
    assert_int_equal(
        pw_rapi_ask(&desk.client, PW_STR("$GV"), PW_RAPI_ANYBODY, desk.now, &ticket[4], NULL),
        PW_ERR_AGAIN);
    desk_run(&desk, 1000);
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        assert_int_equal(pw_rapi_answer(&desk.client, ticket[i], answer, sizeof(answer)), 15);
        assert_string_equal(answer, "$OK 8.2.3 5.2.1");
        assert_int_equal(pw_rapi_answer(&desk.client, ticket[i], answer, sizeof(answer)),
                         PW_ERR_UNKNOWN);
    }
    // A level of service sets the current to its maximum: the limit comes back.
    assert_int_equal(
        pw_rapi_ask(&desk.client, PW_STR("$SL 2"), PW_RAPI_ADMIN, desk.now, &ticket[0], NULL),
        PW_OK);
    desk_run(&desk, 2000);
    assert_true(pw_rapi_answer(&desk.client, ticket[0], answer, sizeof(answer)) > 0);
    assert_string_equal(answer, "$OK");
    assert_int_equal(desk.board.amps, 16);
    // Nobody there: nobody waits.
    assert_int_equal(
        pw_rapi_ask(&desk.client, PW_STR("$GS"), PW_RAPI_ADMIN, desk.now, &ticket[0], NULL), PW_OK);
    desk.cut = true;
    desk_run(&desk, 30000);
    assert_int_equal(pw_rapi_answer(&desk.client, ticket[0], answer, sizeof(answer)), PW_ERR_PEER);
    assert_int_equal(
        pw_rapi_ask(&desk.client, PW_STR("$GS"), PW_RAPI_ADMIN, desk.now, &ticket[0], NULL),
        PW_ERR_PEER);
}

static void text_on_the_display_comes_goes_and_survives_a_restart(void **state)
{
    struct pw_rapi_want want = {.power = PW_RAPI_ENABLED,
                                .limit_ma = 16000,
                                .lcd_on = true,
                                .lcd = {"a b c d e f g h", "$ 5 ^ \xE4"}};
    (void)state;
    settle(NULL, 16000);
    pw_rapi_want(&desk.client, &want);
    desk_run(&desk, 5000);
    assert_string_equal(desk.board.lcd[0], "a b c d e f g h ");
    assert_string_equal(desk.board.lcd[1], "? 5 ? ?         ");
    desk_watch(&desk);
    desk_run(&desk, 60000);
    assert_int_equal(desk_sent(&desk, "$FP"), 0);
    pw_oeboard_power(&desk.board, false, desk.now);
    desk_run(&desk, 1000);
    pw_oeboard_power(&desk.board, true, desk.now);
    desk_run(&desk, 20000);
    assert_int_equal(desk_sent(&desk, "$FP 0 0"), 1);
    want.lcd_on = false;
    pw_rapi_want(&desk.client, &want);
    desk_run(&desk, 1000);
    assert_int_equal(desk_sent(&desk, "$F0 1"), 1);
}

// Reason: F30, an hour of garbage on the line. Whatever gets through, no current above the limit
// flows but for the moment of an acknowledgement, and all is well when the line is.
static void a_noisy_line_never_leaves_more_than_the_limit(void **state)
{
    (void)state;
    for (unsigned ppm = 1000; ppm <= 100000; ppm *= 10) {
        charge(10000);
        desk.break_ppm = ppm;
        pw_ms above = 0;
        for (unsigned i = 0; i < 3600; i++) {
            desk_run(&desk, 1000);
            above += pw_oeboard_offer_ma(&desk.board) > 10000 ? 1 : 0;
        }
        print_message("%u ppm: %u bad, %u stray, %u time-outs, %u missed, above %u of 3600\n", ppm,
                      view()->bad, view()->stray, view()->timeouts, view()->heartbeats_missed,
                      (unsigned)above);
        desk.break_ppm = 0;
        desk_run(&desk, 40000);
        assert_true(view()->ok && view()->settled);
        assert_int_equal(pw_oeboard_offer_ma(&desk.board), 10000);
        assert_in_range(above, 0, 36);
    }
}

static void wrong_numbers_of_the_configuration_are_refused(void **state)
{
    char text[160];
    struct pw_out why = PW_OUT(text);
    struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
    (void)state;
    config.timeout_ms = 500;
    assert_int_equal(pw_rapi_init(&desk.client, &config, NULL, 0, &why), PW_ERR_RANGE);
    assert_string_equal(text, "timeout_ms is 500, must be 2500 to 500000");
    desk_init(&desk, NULL);
    config = PW_RAPI_CONFIG_DEFAULT;
    config.heartbeat_s = 4;
    assert_int_equal(pw_rapi_configure(&desk.client, &config, 0, NULL), PW_ERR_RANGE);
    config.heartbeat_s = 30;
    desk_want(&desk, PW_RAPI_ENABLED, 16000);
    desk_run(&desk, BOOTED_MS);
    assert_int_equal(desk.board.eeprom.beat_s, 10);
    assert_int_equal(pw_rapi_configure(&desk.client, &config, desk.now, NULL), PW_OK);
    desk_run(&desk, 1000);
    assert_int_equal(desk.board.eeprom.beat_s, 30);
    assert_true(sizeof(desk.client) <= 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_is_read_and_brought_to_what_is_wanted),
        cmocka_unit_test(limits_are_volatile_and_only_sent_when_they_change),
        cmocka_unit_test(less_than_the_least_is_sleep),
        cmocka_unit_test(power_is_what_is_wanted),
        cmocka_unit_test(after_a_restart_limit_and_heartbeat_come_before_anything_charges),
        cmocka_unit_test(a_restart_by_order_is_followed),
        cmocka_unit_test(after_a_lost_wire_the_previous_limit_is_restored_and_never_the_maximum),
        cmocka_unit_test(the_maximum_lasts_no_longer_than_a_round_trip),
        cmocka_unit_test(let_go_means_no_pulses_and_no_more_than_the_fall_back),
        cmocka_unit_test(a_closing_relay_is_no_silence),
        cmocka_unit_test(faults_from_0a_on_are_seen_and_not_hidden_by_sleep),
        cmocka_unit_test(old_boards_and_a_sparse_one_are_driven_too),
        cmocka_unit_test(lines_of_people_wait_their_turn_and_get_their_answer),
        cmocka_unit_test(text_on_the_display_comes_goes_and_survives_a_restart),
        cmocka_unit_test(a_noisy_line_never_leaves_more_than_the_limit),
        cmocka_unit_test(wrong_numbers_of_the_configuration_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
