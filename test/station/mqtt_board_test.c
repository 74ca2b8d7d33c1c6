// mqtt with a board that answers as the recorded firmware does: the raw lines of people, the
// board's answers on their topics, and what is published of a charge. Source:
// facts/ac-evse-rapi-load.md §3.1.
#include "mqtt_desk.h"
#include "oeboard/oeboard.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct desk desk;
static struct pw_oeboard board;
static bool plugged;
static bool cut; // the line to the board

static void turn(void)
{
    struct pw_oeboard_drive drive = pw_oeboard_drive(&board);
    double offer = pw_oeboard_offer_ma(&board) / 1000.0;
    const struct pw_oeboard_senses senses = {
        .level = !plugged                      ? PW_OEBOARD_LEVEL_A
                 : drive.cp == PW_BOARD_CP_PWM ? PW_OEBOARD_LEVEL_C
                                               : PW_OEBOARD_LEVEL_B,
        .diode = true,
        .live = drive.relay,
        .ampere = drive.relay && plugged ? offer : 0,
        .temp_dc = 250,
    };
    uint8_t bytes[256];
    desk.now += 20;
    (void)pw_oeboard_step(&board, &senses, desk.now);
    size_t got = pw_oeboard_take(&board, bytes, sizeof(bytes), desk.now);
    if (got > 0 && !cut) {
        assert_int_equal(pw_station_wire_bytes(&desk.station, 1, bytes, got, desk.now), got);
    }
    desk_step(&desk);
    struct pw_str out = pw_station_wire_out(&desk.station, 1);
    if (!cut) {
        pw_oeboard_hear(&board, (const uint8_t *)out.at, out.len, desk.now);
    }
    pw_station_wire_out_sent(&desk.station, 1, out.len, desk.now);
}

static void run(pw_ms span)
{
    for (pw_ms until = desk.now + span; desk.now < until;) {
        turn();
    }
}

static void open_user(const char *user)
{
    memset(&desk, 0, sizeof(desk));
    plugged = false;
    cut = false;
    desk_open(&desk);
    desk_set(&desk, "mqtt.username", user, PW_BY_FILE);
    desk_set(&desk, "session.free_id_tag", "FREE", PW_BY_FILE);
    desk_restart(&desk);
    pw_oeboard_init(&board, pw_oeboard_named(PW_STR("8.2.3-eu")), 1, desk.now);
    pw_oeboard_power(&board, true, desk.now);
    pw_station_wire_up(&desk.station, 1, desk.now);
    pw_mqtt_up(&desk.mqtt, desk.now);
    run(20000);
    desk_forget(&desk);
}

static int open_board(void **state)
{
    (void)state;
    open_user("wallbox");
    return 0;
}

static int close_board(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void tell(const char *topic, const char *value)
{
    desk_tell(&desk, topic, pw_str_of(value));
}

static void assert_says(const char *topic, const char *payload)
{
    const struct desk_message *message = desk_find(&desk, topic);
    if (message == NULL) {
        fail_msg("nothing on %s", topic);
    } else if (strcmp(message->payload, payload) != 0) {
        fail_msg("%s says %s, not %s", topic, message->payload, payload);
    }
}

static void assert_begins(const char *topic, const char *with)
{
    const struct desk_message *message = desk_find(&desk, topic);
    if (message == NULL) {
        fail_msg("nothing on %s", topic);
    } else if (strncmp(message->payload, with, strlen(with)) != 0) {
        fail_msg("%s says %s, not %s...", topic, message->payload, with);
    }
}

// Reason: raw access is what the seed's owners know; it goes through our client, one line at a
// time.
static void a_raw_line_is_answered_on_its_topic(void **state)
{
    (void)state;
    tell("rapi_request", "GV");
    run(2000);
    assert_says("rapi_response", "$OK 8.2.3.EU 5.2.1");
    assert_null(desk_find(&desk, "error"));
}

// Reason: a line that would wear or endanger the board is nobody's, and the reason is said.
static void a_dangerous_line_is_refused(void **state)
{
    static const char *const lines[] = {"SC 16 M", "FF G 0", "FE", "SK 1", "XX", "S3 4"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(lines); i++) {
        tell("rapi_request", lines[i]);
        run(1000);
        assert_null(desk_find(&desk, "rapi_response"));
        assert_begins("error", "{\"topic\":\"rapi_request\"");
    }
}

// Reason: who did not even log in at the broker may read, and not change.
static void without_a_user_a_line_only_reads(void **state)
{
    (void)state;
    desk_close(&desk);
    open_user("");
    tell("rapi_request", "GS");
    run(2000);
    assert_begins("rapi_response", "$OK ");
    desk_forget(&desk);
    // A name set meanwhile counts from the next start on: nobody has logged in with it yet.
    desk_set(&desk, "mqtt.username", "wallbox", PW_BY_PERSON);
    tell("rapi_request", "F0 0");
    run(2000);
    assert_null(desk_find(&desk, "rapi_response"));
    assert_non_null(desk_find(&desk, "error"));
}

// Reason: two people at once must not get each other's answers.
static void a_second_line_waits_its_turn(void **state)
{
    (void)state;
    cut = true;
    tell("rapi_request", "GV");
    tell("rapi_request", "GS");
    assert_begins("error", "{\"topic\":\"rapi_request\",\"value\":\"GS\"");
}

// Reason: get_status shows what the board says, as the seed did.
static void get_status_brings_the_boards_answers(void **state)
{
    static const char *const topics[] = {"responseGC", "responseG0", "responseGG", "responseGS",
                                         "responseGU"};
    (void)state;
    tell("get_status", "1");
    run(5000);
    for (size_t i = 0; i < PW_COUNT(topics); i++) {
        assert_begins(topics[i], "$OK ");
    }
}

static void erase_lcd_is_answered(void **state)
{
    (void)state;
    tell("set_lcd", "Tonight 22:00");
    run(3000);
    tell("erase_lcd", "1");
    run(5000);
    assert_says("responseEraseLCD", "$OK");
    assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_RAPI_LCD_TEXT), "");
}

static void charge(void)
{
    char answer[200] = "";
    struct pw_out out = PW_OUT(answer);
    plugged = true;
    run(5000);
    assert_says("state", "1");
    if (pw_station_command(&desk.station, PW_STR("start 1"), &out, desk.now) != PW_OK) {
        fail_msg("%s", answer);
    }
    run(30000);
}

// Reason: what owners look at: it charges, with how much, since when, and what the board said.
static void a_charge_is_published(void **state)
{
    (void)state;
    assert_null(desk_find(&desk, "state_change"));
    charge();
    assert_begins("state_change", "$AT ");
    int64_t whole_a = strtol(desk_find(&desk, "charging_current")->payload, NULL, 10);
    assert_in_range(whole_a, 15, 16);
    assert_begins("responseFE", "$OK");
    assert_says("active_phases", "99");
    int64_t power = strtol(desk_find(&desk, "power")->payload, NULL, 10);
    assert_in_range(power, 3000, 12000);
    assert_true(strtol(desk_find(&desk, "energy")->payload, NULL, 10) > 5);
    char answer[200] = "";
    struct pw_out out = PW_OUT(answer);
    assert_int_equal(pw_station_command(&desk.station, PW_STR("limit 10 1"), &out, desk.now),
                     PW_OK);
    run(5000);
    assert_begins("responseSC", "$OK 10");
    pw_connector_phases(&desk.station.connector[0], 5, desk.now);
    run(3000);
    assert_says("active_phases", "13");
    assert_says("no_of_phases", "2");
}

// Reason: 1 is a quarter of an hour, and a kilowatt hour; the board's own limits are not used, they
// count one phase.
static void limits_of_the_running_charge_end_it(void **state)
{
    (void)state;
    charge();
    tell("set_t_limit", "1");
    assert_null(desk_find(&desk, "error"));
    assert_non_null(strstr(desk_find(&desk, "limits")->payload, "\"time_limit_s\":900"));
    run(840000);
    assert_true(board.relay);
    run(90000);
    assert_false(board.relay);
}

// Reason: a broken line is seen by those who look, and said with the command that got no answer.
static void a_silent_board_is_published(void **state)
{
    (void)state;
    cut = true;
    run(30000);
    assert_begins("connection", "CON_ERROR_FAILED_COM :");
    assert_true(strlen(desk_find(&desk, "connection")->payload) ==
                strlen("CON_ERROR_FAILED_COM :") + 2);
    assert_says("state", "2");
    tell("rapi_request", "GV");
    run(2000);
    assert_begins("error", "{\"topic\":\"rapi_request\"");
    cut = false;
    run(30000);
    assert_says("connection", "OK");
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, open_board, close_board)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(a_raw_line_is_answered_on_its_topic),
        BOARD_TEST(a_dangerous_line_is_refused),
        BOARD_TEST(without_a_user_a_line_only_reads),
        BOARD_TEST(a_second_line_waits_its_turn),
        BOARD_TEST(get_status_brings_the_boards_answers),
        BOARD_TEST(erase_lcd_is_answered),
        BOARD_TEST(a_charge_is_published),
        BOARD_TEST(limits_of_the_running_charge_end_it),
        BOARD_TEST(a_silent_board_is_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
