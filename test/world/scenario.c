// Every scenario command does what its help line says, and a wrong one is refused with words that
// tell what would be right, changing nothing.
#include "scenario/scenario.h"

#include "can/cia401.h"
#include "desk.h"
#include "test.h"

#include <string.h>

static char said[PW_SCENARIO_ANSWER_MAX];

static int run(struct desk *desk, const char *line)
{
    struct pw_out answer = PW_OUT(said);
    int err = pw_scenario_run(&desk->world, pw_str_of(line), &answer);
    (void)pw_world_dc_step(&desk->world, desk->world.now);
    return err;
}

static void must(struct desk *desk, const char *line)
{
    if (run(desk, line) != PW_OK) {
        fail_msg("%s: %s", line, said);
    }
    assert_string_equal(said, "ok");
}

static void start_charging(struct desk *desk)
{
    struct pw_world_dc_config config = pw_world_dc_defaults();
    config.plugged = true;
    config.scooter.soc = 0.5;
    desk_init(desk, &config);
    desk_charge(desk);
    desk_run(desk, 5000);
    assert_in_range(desk_truth(desk).connector_ma, 29000, 31000);
}

static void plug_and_unplug(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "unplug");
    assert_false(desk_truth(&desk).plugged);
    must(&desk, "plug");
    assert_true(desk_truth(&desk).plugged);
}

static void bms_commands(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "bms stop");
    desk_run(&desk, 2500);
    assert_false(desk.request.charge);
    assert_int_equal(desk.request.limit_ma, 0);
    assert_in_range(desk_truth(&desk).connector_ma + 100, 0, 200);
    must(&desk, "bms resume");
    desk_run(&desk, 2500);
    assert_true(desk.request.charge);
    must(&desk, "bms silent");
    unsigned requests = desk.requests;
    desk_run(&desk, 5000);
    assert_int_equal(desk.requests, requests);
    must(&desk, "bms talk");
    desk_run(&desk, 2500);
    assert_true(desk.requests > requests);
    must(&desk, "bms lie");
    desk_run(&desk, 2500);
    assert_int_equal(desk.request.limit_mv, 95000);
    assert_int_equal(desk.request.limit_ma, 400000);
}

static void rectifier_commands(void **state)
{
    (void)state;
    for (int maker = 0; maker < 2; maker++) {
        for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
            struct pw_world_dc_config config = pw_world_dc_defaults();
            config.rectifier.maker = (enum pw_world_rectifier_maker)maker;
            struct desk desk;
            desk_init(&desk, &config);
            desk.on = true; // Infypower modules forget some alarms when they are switched off
            desk.set_mv = 60000;
            desk.set_ma = 1000;
            desk_run(&desk, 2000); // the capacitors are full: no current limit any more
            uint32_t calm = desk.alarm_value;
            char line[64];
            struct pw_out out = PW_OUT(line);
            pw_put_s(&out, "rectifier alarm ");
            pw_put_s(&out, pw_world_rectifier_alarm_word((enum pw_world_rectifier_alarm)i));
            must(&desk, line);
            desk_run(&desk, 500);
            assert_true(desk.alarm_value != calm);
            must(&desk, "rectifier alarm clear");
            desk_run(&desk, 500);
            assert_true(desk.alarm_value == calm);
        }
    }
}

static void a_silent_rectifier_obeys(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "rectifier silent");
    desk_run(&desk, 1000);
    pw_ms reported_at = desk.reported_at;
    desk_run(&desk, 5000);
    assert_true(desk.reported_at == reported_at);
    assert_in_range(desk_truth(&desk).connector_ma, 29000, 31000);
    must(&desk, "rectifier talk");
    desk_run(&desk, 1000);
    assert_true(desk.reported_at > reported_at);
}

static void bus_commands(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "bus off");
    assert_int_equal(desk.world.bus[0], PW_CAN_OFF);
    must(&desk, "bus off 1");
    assert_int_equal(desk.world.bus[1], PW_CAN_OFF);
    must(&desk, "bus on 0");
    assert_int_equal(desk.world.bus[0], PW_CAN_ACTIVE);
    must(&desk, "bus passive 0");
    assert_int_equal(desk.world.bus[0], PW_CAN_PASSIVE);
    assert_int_equal(desk.world.bus[1], PW_CAN_OFF);
    must(&desk, "bus on 1");
    assert_int_equal(desk.world.bus[1], PW_CAN_ACTIVE);
}

static void heat_and_cold(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "overtemp");
    assert_true(desk_truth(&desk).rectifier_temp_dc > 700);
    must(&desk, "overtemp off");
    assert_true(desk_truth(&desk).rectifier_temp_dc < 400);
    must(&desk, "temperature -12.5");
    assert_int_equal(desk_truth(&desk).pack_temp_dc, -125);
}

static void emergency_stop(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "estop press");
    desk_run(&desk, 200);
    assert_int_equal(desk.inputs, PW_CIA401_IN_ESTOP);
    assert_false(desk_truth(&desk).contactor_closed);
    desk.coil = false;
    must(&desk, "estop release");
    desk_run(&desk, 200);
    assert_int_equal(desk.inputs, 0);
}

static void welding(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    must(&desk, "weld on");
    desk.coil = false;
    desk_run(&desk, 500);
    assert_true(desk_truth(&desk).contactor_closed);
    assert_int_equal(desk.inputs, PW_CIA401_IN_CONTACTOR);
    must(&desk, "weld off");
    desk_run(&desk, 500);
    assert_false(desk_truth(&desk).contactor_closed);
}

static void cards(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    char id[PW_WORLD_DC_CARD_MAX];
    assert_false(pw_world_dc_take_card(&desk.world, id, sizeof(id)));
    must(&desk, "card 04A1B2C3");
    assert_true(pw_world_dc_take_card(&desk.world, id, sizeof(id)));
    assert_string_equal(id, "04A1B2C3");
    assert_false(pw_world_dc_take_card(&desk.world, id, sizeof(id)));
}

static void another_vehicle(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    assert_int_equal(run(&desk, "vehicle max"), PW_ERR_BUSY);
    assert_non_null(strstr(said, "unplug it first"));
    must(&desk, "unplug");
    static const struct {
        const char *line;
        uint32_t imax_ma;
    } models[] = {{"vehicle max", 90000}, {"vehicle pro", 60000}, {"vehicle classic", 30000}};
    for (size_t i = 0; i < PW_COUNT(models); i++) {
        must(&desk, models[i].line);
        assert_int_equal(desk.world.scooter.kind->imax_ma, models[i].imax_ma);
    }
    must(&desk, "soc 37.5");
    assert_int_equal(desk_truth(&desk).soc_permille, 375);
}

static void status_is_one_json_line(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    assert_int_equal(run(&desk, "status"), PW_OK);
    assert_int_equal(said[0], '{');
    assert_int_equal(said[strlen(said) - 1], '}');
    assert_null(strchr(said, '\n'));
    assert_non_null(strstr(said, "\"contactor_closed\":true"));
    assert_non_null(strstr(said, "\"vehicle\":\"NX-100 Classic\""));
}

static void help_names_every_command(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "plug",     "unplug",       "vehicle classic", "vehicle pro",      "vehicle max",
        "soc",      "card",         "bms stop",        "bms resume",       "bms silent",
        "bms talk", "bms lie",      "rectifier alarm", "rectifier silent", "rectifier talk",
        "overtemp", "overtemp off", "temperature",     "bus off",          "bus passive",
        "bus on",   "estop press",  "estop release",   "weld on",          "weld off",
        "status",   "help"};
    struct desk desk;
    start_charging(&desk);
    assert_int_equal(run(&desk, "help"), PW_OK);
    for (size_t i = 0; i < PW_COUNT(commands); i++) {
        char line[64];
        struct pw_out out = PW_OUT(line);
        pw_put_s(&out, "  ");
        pw_put_s(&out, commands[i]);
        pw_put_s(&out, " ");
        if (strstr(said, line) == NULL) {
            fail_msg("help does not name %s", commands[i]);
        }
    }
}

static void wrong_commands_are_refused_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int err;
        const char *says;
    } wrong[] = {
        {"explode", PW_ERR_UNKNOWN, "unknown command \"explode\"; commands are plug, unplug"},
        {"plug in", PW_ERR_RANGE, "plug \"in\": must be nothing"},
        {"bms", PW_ERR_RANGE, "bms \"\": must be stop, resume, silent, talk, lie"},
        {"bms sleep", PW_ERR_RANGE, "bms \"sleep\": must be stop, resume, silent, talk, lie"},
        {"bms stop now", PW_ERR_RANGE, "bms stop \"now\": must be nothing"},
        {"rectifier alarm fire", PW_ERR_RANGE, "must be ovp, ambient, fan"},
        {"rectifier alarm", PW_ERR_RANGE, "must be ovp, ambient, fan"},
        {"bus off 2", PW_ERR_RANGE, "bus off \"2\": must be 0..1"},
        {"soc 100.1", PW_ERR_RANGE, "soc \"100.1\": must be 0..100"},
        {"soc -1", PW_ERR_RANGE, "must be 0..100"},
        {"soc half", PW_ERR_RANGE, "must be 0..100"},
        {"soc", PW_ERR_RANGE, "must be 0..100"},
        {"temperature 81", PW_ERR_RANGE, "temperature \"81\": must be -30..80"},
        {"overtemp on", PW_ERR_RANGE, "overtemp \"on\": must be nothing, off"},
        {"vehicle truck", PW_ERR_RANGE, "vehicle \"truck\": must be classic, pro, max"},
        {"card", PW_ERR_RANGE, "must be a text"},
        {"card 0123456789012345678901234567890123456789012345678901234567890123", PW_ERR_RANGE,
         "1..63 characters, got 64"},
    };
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        struct desk desk;
        start_charging(&desk);
        struct desk before = desk;
        struct pw_out answer = PW_OUT(said);
        int err = pw_scenario_run(&desk.world, pw_str_of(wrong[i].line), &answer);
        assert_int_equal(err, wrong[i].err);
        if (strstr(said, wrong[i].says) == NULL) {
            fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i].line, said, wrong[i].says);
        }
        assert_memory_equal(&before.world, &desk.world, sizeof(desk.world));
    }
}

static void blanks_and_empty_lines_do_no_harm(void **state)
{
    (void)state;
    struct desk desk;
    start_charging(&desk);
    assert_int_equal(run(&desk, ""), PW_OK);
    assert_int_equal(run(&desk, "   \r\n"), PW_OK);
    must(&desk, "  bms   stop \r");
    must(&desk, "soc  40 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plug_and_unplug),
        cmocka_unit_test(bms_commands),
        cmocka_unit_test(rectifier_commands),
        cmocka_unit_test(a_silent_rectifier_obeys),
        cmocka_unit_test(bus_commands),
        cmocka_unit_test(heat_and_cold),
        cmocka_unit_test(emergency_stop),
        cmocka_unit_test(welding),
        cmocka_unit_test(cards),
        cmocka_unit_test(another_vehicle),
        cmocka_unit_test(status_is_one_json_line),
        cmocka_unit_test(help_names_every_command),
        cmocka_unit_test(wrong_commands_are_refused_with_what_would_be_right),
        cmocka_unit_test(blanks_and_empty_lines_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
