// The notation of frames and logs, wire floats, and what error frames say about a controller.
#include "can/can.h"
#include "can/candump.h"
#include "can/float32.h"
#include "dice.h"
#include "notation.h"

#include <math.h>
#include <string.h>

// A frame pasted from candump, or typed for cansend, is the frame it names.
static void frames_are_read_as_candump_writes_them(void **state)
{
    (void)state;
    struct pw_can_frame frame = frame_of("1806E5F4#035C0410000263FF");
    assert_true(frame.extended && !frame.remote);
    assert_int_equal(frame.id, 0x1806E5F4);
    assert_int_equal(frame.len, 8);
    assert_int_equal(frame.data[7], 0xFF);
    frame = frame_of("123#R8");
    assert_true(frame.remote && !frame.extended && frame.len == 8);
    frame = frame_of("7FF#");
    assert_true(frame.len == 0 && frame.id == 0x7FF);
    frame = frame_of("00000001#11.22.33");
    assert_true(frame.extended && frame.id == 1 && frame.len == 3 && frame.data[2] == 0x33);
    frame = frame_of("1abcdef0#aBcD");
    assert_int_equal(frame.data[0], 0xAB);
}

static void what_is_no_frame_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"", PW_ERR_PEER},           {"123", PW_ERR_PEER},
        {"#11", PW_ERR_PEER},        {"12#11", PW_ERR_PEER},
        {"1234#11", PW_ERR_PEER},    {"123456789#11", PW_ERR_PEER},
        {"12G#11", PW_ERR_PEER},     {"123#1", PW_ERR_PEER},
        {"123#1122X3", PW_ERR_PEER}, {"123#11 22", PW_ERR_PEER},
        {"123#.11", PW_ERR_PEER},    {"123#R11", PW_ERR_PEER},
        {"123#R-1", PW_ERR_PEER},    {"123##311", PW_ERR_PEER},
        {"800#", PW_ERR_RANGE},      {"20000000#", PW_ERR_RANGE},
        {"123#R9", PW_ERR_RANGE},    {"123#112233445566778899", PW_ERR_RANGE},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame;
        struct pw_can_frame before;
        memset(&frame, 0x5A, sizeof(frame));
        before = frame;
        int err = pw_can_parse(pw_str_of(rows[i].text), &frame);
        if (err != rows[i].err) {
            fail_msg("\"%s\": %s", rows[i].text, pw_err_name(err));
        }
        assert_memory_equal(&frame, &before, sizeof(frame));
    }
}

static void every_frame_survives_its_own_notation(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 20000; i++) {
        struct pw_can_frame frame = {.extended = dice_bits(&dice) % 2 == 0,
                                     .remote = dice_bits(&dice) % 4 == 0,
                                     .len = (uint8_t)(dice_bits(&dice) % 9)};
        frame.id =
            (uint32_t)dice_bits(&dice) & (frame.extended ? PW_CAN_ID_29_MAX : PW_CAN_ID_11_MAX);
        for (unsigned b = 0; b < frame.len && !frame.remote; b++) {
            frame.data[b] = (uint8_t)dice_bits(&dice);
        }
        char text[PW_CAN_TEXT_MAX];
        struct pw_out out = PW_OUT(text);
        pw_can_print(&out, &frame);
        assert_false(out.full);
        struct pw_can_frame again = frame_of(text);
        assert_int_equal(again.id, frame.id);
        assert_int_equal(again.extended, frame.extended);
        assert_int_equal(again.remote, frame.remote);
        assert_int_equal(again.len, frame.len);
        assert_memory_equal(again.data, frame.data, sizeof(frame.data));
    }
}

// Charging is switched off at bus-off and back on only after the controller said it restarted: a
// chatty error frame in between must not end bus-off.
static void error_frames_move_the_state(void **state)
{
    (void)state;
    static const struct {
        enum pw_can_state from;
        struct pw_can_error error;
        enum pw_can_state to;
    } rows[] = {
        {PW_CAN_ACTIVE, {.classes = 0x40}, PW_CAN_OFF},
        {PW_CAN_PASSIVE, {.classes = 0x44, .data = {0, 0x40}}, PW_CAN_OFF},
        {PW_CAN_OFF, {.classes = 0x100}, PW_CAN_ACTIVE},
        {PW_CAN_OFF, {.classes = 0x4, .data = {0, 0x40}}, PW_CAN_ACTIVE},
        {PW_CAN_OFF, {.classes = 0x4, .data = {0, 0x08}}, PW_CAN_OFF},
        {PW_CAN_OFF, {.classes = 0x4, .data = {0, 0x20}}, PW_CAN_OFF},
        {PW_CAN_OFF, {.classes = 0x200}, PW_CAN_OFF},
        {PW_CAN_OFF, {.classes = 0x20}, PW_CAN_OFF},
        {PW_CAN_ACTIVE, {.classes = 0x4, .data = {0, 0x04}}, PW_CAN_WARNING},
        {PW_CAN_ACTIVE, {.classes = 0x4, .data = {0, 0x08}}, PW_CAN_WARNING},
        {PW_CAN_WARNING, {.classes = 0x4, .data = {0, 0x10}}, PW_CAN_PASSIVE},
        {PW_CAN_WARNING, {.classes = 0x4, .data = {0, 0x28}}, PW_CAN_PASSIVE},
        {PW_CAN_WARNING, {.classes = 0x4, .data = {0, 0x01}}, PW_CAN_WARNING},
        {PW_CAN_PASSIVE, {.classes = 0x4, .data = {0, 0x40}}, PW_CAN_ACTIVE},
        {PW_CAN_ACTIVE, {.classes = 0x200, .data = {[6] = 95, [7] = 0}}, PW_CAN_ACTIVE},
        {PW_CAN_ACTIVE, {.classes = 0x200, .data = {[6] = 96, [7] = 0}}, PW_CAN_WARNING},
        {PW_CAN_ACTIVE, {.classes = 0x200, .data = {[6] = 0, [7] = 127}}, PW_CAN_WARNING},
        {PW_CAN_ACTIVE, {.classes = 0x200, .data = {[6] = 0, [7] = 128}}, PW_CAN_PASSIVE},
        {PW_CAN_PASSIVE, {.classes = 0x200, .data = {[6] = 10, [7] = 10}}, PW_CAN_ACTIVE},
        {PW_CAN_WARNING, {.classes = 0x20}, PW_CAN_WARNING},
        {PW_CAN_WARNING, {.classes = 0x88}, PW_CAN_WARNING},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        enum pw_can_state to = pw_can_state_after(rows[i].from, &rows[i].error);
        if (to != rows[i].to) {
            fail_msg("row %zu: %s", i, pw_can_state_name(to));
        }
    }
    assert_string_equal(pw_can_state_name(PW_CAN_OFF), "bus-off");
}

// ---------------------------------------------------------------------------------------------

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

// The machine's own arithmetic judges ours.
static void wire_floats_round_to_the_nearest_thousandth(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)dice_bits(&dice);
        float value;
        int32_t milli = -7;
        memcpy(&value, &bits, sizeof(value));
        int err = pw_float32_milli(bits, 1000000, &milli);
        double exact = (double)value * 1000.0;
        if (isnan(exact) || fabs(exact) >= 1000000.5) {
            assert_int_equal(err, PW_ERR_RANGE);
            assert_int_equal(milli, -7);
        } else {
            assert_int_equal(err, PW_OK);
            assert_int_equal(milli, (int32_t)lround(exact));
        }
    }
}

static void thousandths_become_the_nearest_float(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 200000; i++) {
        int32_t milli = (int32_t)dice_bits(&dice) >> dice_bits(&dice) % 31;
        uint32_t bits = pw_float32_of_milli(milli);
        assert_int_equal(bits, bits_of((float)((double)milli / 1000.0)));
    }
    assert_int_equal(pw_float32_of_milli(84000), 0x42A80000);
    assert_int_equal(pw_float32_of_milli(INT32_MIN), bits_of(-2147483.648F));
    assert_int_equal(pw_float32_of_milli(0), 0);
}

static void nonsense_floats_are_refused(void **state)
{
    (void)state;
    static const uint32_t nonsense[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001,
                                        0x7F7FFFFF, 0xFF7FFFFF, 0x49742410};
    int32_t milli = 5;
    for (size_t i = 0; i < PW_COUNT(nonsense); i++) {
        assert_int_equal(pw_float32_milli(nonsense[i], 1000000, &milli), PW_ERR_RANGE);
        assert_int_equal(milli, 5);
    }
    assert_int_equal(pw_float32_milli(bits_of(1000.0F), 1000000, &milli), PW_OK);
    assert_int_equal(milli, 1000000);
    assert_int_equal(pw_float32_milli(0x80000000, 1000000, &milli), PW_OK); // minus zero
    assert_int_equal(milli, 0);
    assert_int_equal(pw_float32_milli(0x00000001, 1000000, &milli), PW_OK); // denormal
    assert_int_equal(milli, 0);
}

// ---------------------------------------------------------------------------------------------

static void candump_lines_are_read(void **state)
{
    (void)state;
    struct pw_candump_line line;
    assert_int_equal(
        pw_candump_parse(PW_STR("(1700000000.123456) can1 1806E5F4#035C0410000263FF"), &line),
        PW_OK);
    assert_true(line.at_us == 1700000000123456U);
    assert_true(pw_str_is(line.device, "can1"));
    assert_false(line.is_error);
    assert_frame(&line.frame, "1806E5F4#035C0410000263FF");
    assert_int_equal(pw_candump_parse(PW_STR("(0.000000) vcan0 123#R8 T\r"), &line), PW_OK);
    assert_frame(&line.frame, "123#R8");
    assert_int_equal(pw_candump_parse(PW_STR("(1.5)  can0   20000040#0000000000000000"), &line),
                     PW_OK);
    assert_true(line.is_error);
    assert_int_equal(line.error.classes, PW_CAN_ERROR_BUS_OFF);
    assert_int_equal(line.at_us, 1500000);
}

static void candump_lines_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"", PW_ERR_PEER},
        {"(1.0)", PW_ERR_PEER},
        {"(1.0) can0", PW_ERR_PEER},
        {"1.0 can0 123#", PW_ERR_PEER},
        {"(-1.0) can0 123#", PW_ERR_PEER},
        {"(x) can0 123#", PW_ERR_PEER},
        {"(1.0000001) can0 123#", PW_ERR_RANGE},
        {"(1.0) can0 123#11 X", PW_ERR_PEER},
        {"(1.0) can0 123##111", PW_ERR_UNKNOWN},
        {"(1.0) can0 20000040#00", PW_ERR_PEER},
        {"(1.0) can0 40000000#", PW_ERR_RANGE},
        {"(1.0) can0 20000040#00000000000000000", PW_ERR_PEER},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_candump_line line;
        int err = pw_candump_parse(pw_str_of(rows[i].text), &line);
        if (err != rows[i].err) {
            fail_msg("\"%s\": %s", rows[i].text, pw_err_name(err));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_as_candump_writes_them),
        cmocka_unit_test(what_is_no_frame_is_refused_and_changes_nothing),
        cmocka_unit_test(every_frame_survives_its_own_notation),
        cmocka_unit_test(error_frames_move_the_state),
        cmocka_unit_test(wire_floats_round_to_the_nearest_thousandth),
        cmocka_unit_test(thousandths_become_the_nearest_float),
        cmocka_unit_test(nonsense_floats_are_refused),
        cmocka_unit_test(candump_lines_are_read),
        cmocka_unit_test(candump_lines_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
