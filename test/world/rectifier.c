// The rectifier answers in both makers' languages and does what it is told, within what it can. The
// worked frames of facts/dc-can.md §1.3 and §1.4 are sent as bytes: no codec of ours in between.
#include "rectifier/rectifier.h"

#include "can/huawei.h"
#include "can/infypower.h"
#include "test.h"

#include <math.h>

static struct pw_world_rectifier made(enum pw_world_rectifier_maker maker)
{
    struct pw_world_rectifier rectifier;
    struct pw_world_rectifier_config config = pw_world_rectifier_defaults();
    config.maker = maker;
    config.address = maker == PW_WORLD_RECTIFIER_HUAWEI ? 1 : 0;
    pw_world_rectifier_init(&rectifier, &config, 0);
    return rectifier;
}

static void say(struct pw_world_rectifier *rectifier, const char *text)
{
    struct pw_can_frame frame;
    assert_int_equal(pw_can_parse(pw_str_of(text), &frame), PW_OK);
    pw_world_rectifier_can(rectifier, &frame, 0);
}

static void hear(struct pw_world_rectifier *rectifier, const char *text)
{
    struct pw_can_frame frame;
    char got[40] = "nothing";
    if (pw_world_rectifier_take_can(rectifier, &frame)) {
        struct pw_out out = PW_OUT(got);
        pw_can_print(&out, &frame);
    }
    assert_string_equal(got, text);
}

static struct pw_huawei_message ask_huawei(struct pw_world_rectifier *rectifier, uint16_t signal)
{
    struct pw_huawei_message message = pw_huawei_ask(1, PW_HUAWEI_QUERY, signal);
    struct pw_can_frame frame;
    assert_int_equal(pw_huawei_pack(&message, &frame), PW_OK);
    pw_world_rectifier_can(rectifier, &frame, 0);
    assert_true(pw_world_rectifier_take_can(rectifier, &frame));
    assert_int_equal(pw_huawei_unpack(&frame, &message), PW_OK);
    assert_int_equal(message.signal, signal);
    assert_false(message.from_controller);
    return message;
}

static double read_huawei(struct pw_world_rectifier *rectifier, uint16_t signal)
{
    struct pw_huawei_message message = ask_huawei(rectifier, signal);
    assert_int_equal(message.result, PW_HUAWEI_OK);
    return (double)(int32_t)message.value / 1024.0;
}

static void the_worked_frames_of_the_seed_are_obeyed(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
    say(&rectifier, "068181FE#0100000000015000");
    hear(&rectifier, "0681817E#0100000000015000");
    assert_int_equal(rectifier.set_mv, 84000);
    say(&rectifier, "068181FE#0103000000000393");
    hear(&rectifier, "0681817E#0103000000000393");
    // 915/1024 of 33.57 A in each of three modules.
    assert_in_range(rectifier.set_ma, 89900, 90000);
    say(&rectifier, "068181FE#0132000000000000");
    hear(&rectifier, "0681817E#0132000000000000");
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_ON);
    say(&rectifier, "068181FE#0132000100000000");
    hear(&rectifier, "0681817E#0132000100000000");
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_OFF);
}

static void the_worked_frames_of_infypower_are_obeyed(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_INFYPOWER);
    say(&rectifier, "029C00F0#0001482000007530"); // set module: 84 V, 30 A each
    assert_int_equal(rectifier.set_mv, 84000);
    assert_int_equal(rectifier.set_ma, 90000);
    say(&rectifier, "029A00F0#0000000000000000");
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_ON);
    say(&rectifier, "029A3FF0#0100000000000000"); // all off
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_OFF);
}

static void strangers_are_not_answered(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "068281FE#0100000000015000", // another address
        "0681817E#0100000000015000", // an answer, not an order
        "108181FE#0100000000015000", // the 48 V family
        "068181FE#01000000000150",   // short
        "1806E5F4#035C041000026300", // somebody else altogether
    };
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
        uint32_t before_mv = rectifier.set_mv;
        say(&rectifier, frames[i]);
        hear(&rectifier, "nothing");
        assert_int_equal(rectifier.set_mv, before_mv);
    }
}

static void nonsense_is_answered_as_invalid_and_changes_nothing(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
    uint32_t before_mv = rectifier.set_mv;
    say(&rectifier, "068181FE#010000007FFFFFFF"); // two million volts
    hear(&rectifier, "0681817E#210000007FFFFFFF");
    say(&rectifier, "068181FE#0132000700000000"); // neither on nor off
    hear(&rectifier, "0681817E#2132000700000000");
    say(&rectifier, "068182FE#0FFF000000000000"); // no such signal
    hear(&rectifier, "0681827E#2FFF000000000000");
    assert_int_equal(rectifier.set_mv, before_mv);
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_OFF);
}

static void telemetry_tells_the_output(void **state)
{
    (void)state;
    struct pw_world_rectifier huawei = made(PW_WORLD_RECTIFIER_HUAWEI);
    pw_world_rectifier_output(&huawei, 79.5, 60.0, 10);
    assert_true(fabs(read_huawei(&huawei, PW_HUAWEI_SIGNAL_OUTPUT_VOLTAGE) - 79.5) < 0.05);
    assert_true(fabs(read_huawei(&huawei, PW_HUAWEI_SIGNAL_TERMINAL_VOLTAGE) - 79.5) < 0.05);
    assert_true(fabs(read_huawei(&huawei, PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2) - 20.0) < 0.1);
    assert_true(fabs(read_huawei(&huawei, PW_HUAWEI_SIGNAL_INTAKE_TEMPERATURE) - 25.0) < 1.0);
    assert_true(fabs(read_huawei(&huawei, PW_HUAWEI_SIGNAL_LINE_UV) - 398.0) < 5.0);
    struct pw_world_rectifier infy = made(PW_WORLD_RECTIFIER_INFYPOWER);
    pw_world_rectifier_output(&infy, 79.5, 60.0, 10);
    static const struct {
        const char *question;
        int32_t ma;
    } reads[] = {
        {"028300F0#0000000000000000", 20000},
        {"028100F0#0000000000000000", 60000},
        {"028900F0#0000000000000000", 20000},
        {"028800F0#0000000000000000", 60000},
    };
    for (size_t i = 0; i < PW_COUNT(reads); i++) {
        struct pw_can_frame frame;
        struct pw_infypower_message message;
        say(&infy, reads[i].question);
        assert_true(pw_world_rectifier_take_can(&infy, &frame));
        assert_int_equal(pw_infypower_unpack(&frame, &message), PW_OK);
        assert_int_equal(message.destination, 0xF0);
        assert_true(fabs(message.voltage_mv - 79500.0) < 50.0);
        assert_true(fabs((double)message.current_ma - reads[i].ma) < reads[i].ma * 0.002);
    }
}

static void running_and_alarm_bits_follow_the_state(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
    struct pw_huawei_running running;
    struct pw_huawei_message message = ask_huawei(&rectifier, PW_HUAWEI_SIGNAL_RUNNING);
    pw_huawei_unpack_running(&message, &running);
    assert_int_equal(running.bits, PW_HUAWEI_RUN_OFF);
    say(&rectifier, "068181FE#0132000000000000");
    hear(&rectifier, "0681817E#0132000000000000");
    pw_world_rectifier_output(&rectifier, 60.0, 5.0, 10); // below its 72 V: it limits current
    message = ask_huawei(&rectifier, PW_HUAWEI_SIGNAL_RUNNING);
    pw_huawei_unpack_running(&message, &running);
    assert_int_equal(running.bits, PW_HUAWEI_RUN_CURRENT_LIMIT);
    message = ask_huawei(&rectifier, PW_HUAWEI_SIGNAL_ALARMS);
    assert_int_equal(message.value, 1U << 28);
    (void)pw_world_rectifier_step(&rectifier, 10000); // nobody spoke for ten seconds
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_LOST);
    struct pw_can_frame frame;
    while (pw_world_rectifier_take_can(&rectifier, &frame)) { // the terminal report
    }
    message = ask_huawei(&rectifier, PW_HUAWEI_SIGNAL_ALARMS);
    assert_int_equal(message.word, 1U << 4);
}

static void heat_takes_the_current_away_and_then_trips(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
    rectifier.set_ma = 100000;
    rectifier.amps = 100.0;
    say(&rectifier, "068181FE#0132000000000000");
    static const struct {
        double heat, amps;
    } able[] = {{0.0, 100.0}, {35.0, 100.0}, {45.0, 50.4}, {55.0, 0.0}};
    for (size_t i = 0; i < PW_COUNT(able); i++) {
        rectifier.forced_heat_c = able[i].heat;
        assert_true(fabs(pw_world_rectifier_drive(&rectifier, 10).amps - able[i].amps) < 0.5);
    }
    rectifier.forced_heat_c = 71.0;
    pw_world_rectifier_output(&rectifier, 76.0, 0.0, 10);
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_ALARMED);
    rectifier.forced_heat_c = 0.0;
    pw_world_rectifier_clear(&rectifier);
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_OFF); // off, until told to go on
}

static void a_lost_phase_leaves_half(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
    rectifier.set_ma = 100000;
    rectifier.amps = 100.0;
    say(&rectifier, "068181FE#0132000000000000");
    pw_world_rectifier_raise(&rectifier, PW_WORLD_RECTIFIER_PHASE);
    assert_int_equal(rectifier.state, PW_WORLD_RECTIFIER_ON);
    assert_true(fabs(pw_world_rectifier_drive(&rectifier, 10).amps - 50.4) < 0.5);
}

static void the_terminal_report_comes_five_times_a_second_unasked(void **state)
{
    (void)state;
    struct pw_world_rectifier rectifier = made(PW_WORLD_RECTIFIER_HUAWEI);
    pw_world_rectifier_output(&rectifier, 76.0, 1.8, 10);
    unsigned values = 0;
    unsigned charging = 0;
    for (pw_ms now = 0; now < 1000; now++) {
        (void)pw_world_rectifier_step(&rectifier, now);
        struct pw_can_frame frame;
        while (pw_world_rectifier_take_can(&rectifier, &frame)) {
            values += frame.id == 0x00433F01;
            charging += frame.id == 0x00473F01 && frame.data[6] == 3 && frame.data[7] == 2;
        }
    }
    assert_int_equal(values, 5);
    assert_int_equal(charging, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_frames_of_the_seed_are_obeyed),
        cmocka_unit_test(the_worked_frames_of_infypower_are_obeyed),
        cmocka_unit_test(strangers_are_not_answered),
        cmocka_unit_test(nonsense_is_answered_as_invalid_and_changes_nothing),
        cmocka_unit_test(telemetry_tells_the_output),
        cmocka_unit_test(running_and_alarm_bits_follow_the_state),
        cmocka_unit_test(heat_takes_the_current_away_and_then_trips),
        cmocka_unit_test(a_lost_phase_leaves_half),
        cmocka_unit_test(the_terminal_report_comes_five_times_a_second_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
