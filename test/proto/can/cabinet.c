// The CANopen I/O module in the station's cabinet. Ids and bytes from CiA 301 and CiA 401.
#include "can/cia401.h"
#include "dice.h"
#include "notation.h"

#include <string.h>

static void the_frames_of_node_32_are_these(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        struct pw_cia401_message message;
    } rows[] = {
        {"000#0120", {.kind = PW_CIA401_NMT, .node = 0x20, .nmt = PW_CIA401_START}},
        {"000#8100", {.kind = PW_CIA401_NMT, .node = 0, .nmt = PW_CIA401_RESET}},
        {"1A0#03", {.kind = PW_CIA401_INPUTS, .node = 0x20, .digital = 3}},
        {"220#01", {.kind = PW_CIA401_OUTPUTS, .node = 0x20, .digital = 1}},
        {"2A0#C41D",
         {.kind = PW_CIA401_ANALOGS, .node = 0x20, .analog_count = 1, .analog = {7620}}},
        {"2A0#C41DFFFF0080FF7F",
         {.kind = PW_CIA401_ANALOGS,
          .node = 0x20,
          .analog_count = 4,
          .analog = {7620, -1, INT16_MIN, INT16_MAX}}},
        {"720#05", {.kind = PW_CIA401_HEARTBEAT, .node = 0x20, .state = PW_CIA401_OPERATIONAL}},
        {"77F#00", {.kind = PW_CIA401_HEARTBEAT, .node = 127, .state = PW_CIA401_BOOT}},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame;
        struct pw_cia401_message got;
        assert_int_equal(pw_cia401_pack(&rows[i].message, &frame), PW_OK);
        assert_frame(&frame, rows[i].frame);
        assert_int_equal(pw_cia401_unpack(&frame, &got), PW_OK);
        assert_int_equal(got.kind, rows[i].message.kind);
        assert_int_equal(got.node, rows[i].message.node);
        assert_int_equal(got.nmt, rows[i].message.nmt);
        assert_int_equal(got.state, rows[i].message.state);
        assert_int_equal(got.digital, rows[i].message.digital);
        assert_int_equal(got.analog_count, rows[i].message.analog_count);
        assert_memory_equal(got.analog, rows[i].message.analog, sizeof(got.analog));
    }
}

// Every 11-bit id: it is either one message of one node, or none.
static void every_id_is_one_message_or_none(void **state)
{
    (void)state;
    for (uint32_t id = 0; id <= PW_CAN_ID_11_MAX; id++) {
        struct pw_can_frame frame = pw_can_frame_11(id, 2);
        struct pw_cia401_message got;
        frame.data[0] = 5;
        if (id == 0) {
            frame.data[0] = 1;
            frame.data[1] = 9;
        }
        frame.len = id >> 7 == 0x700 >> 7 ? 1 : 2;
        int err = pw_cia401_unpack(&frame, &got);
        uint32_t node = id & 0x7FU;
        uint32_t base = id - node;
        bool known =
            id == 0 ||
            (node != 0 && (base == 0x180 || base == 0x200 || base == 0x280 || base == 0x700));
        assert_int_equal(err, known ? PW_OK : PW_ERR_UNKNOWN);
        if (known && id != 0) {
            assert_int_equal(got.node, node);
        }
    }
}

static void malformed_frames_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        int err;
    } rows[] = {
        {"000#01", PW_ERR_PEER},    {"000#012000", PW_ERR_PEER}, {"000#0320", PW_ERR_RANGE},
        {"000#0180", PW_ERR_RANGE}, {"1A0#", PW_ERR_PEER},       {"1A0#R1", PW_ERR_UNKNOWN},
        {"1A0#0300FF", PW_OK},      {"2A0#C4", PW_ERR_PEER},     {"2A0#C41D00", PW_ERR_PEER},
        {"2A0#", PW_ERR_PEER},      {"720#", PW_ERR_PEER},       {"720#0500", PW_ERR_PEER},
        {"720#06", PW_ERR_RANGE},   {"720#85", PW_ERR_RANGE},    {"000001A0#03", PW_ERR_UNKNOWN},
        {"700#05", PW_ERR_UNKNOWN},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame = frame_of(rows[i].frame);
        struct pw_cia401_message got;
        struct pw_cia401_message before;
        memset(&got, 0x11, sizeof(got));
        before = got;
        int err = pw_cia401_unpack(&frame, &got);
        if (err != rows[i].err) {
            fail_msg("%s: %s", rows[i].frame, pw_err_name(err));
        }
        if (err != PW_OK) {
            assert_memory_equal(&got, &before, sizeof(got));
        }
    }
}

static void impossible_messages_make_no_frame(void **state)
{
    (void)state;
    static const struct pw_cia401_message messages[] = {
        {.kind = PW_CIA401_OUTPUTS, .node = 0},
        {.kind = PW_CIA401_OUTPUTS, .node = 128},
        {.kind = PW_CIA401_NMT, .node = 128, .nmt = PW_CIA401_START},
        {.kind = PW_CIA401_ANALOGS, .node = 1, .analog_count = 0},
        {.kind = PW_CIA401_ANALOGS, .node = 1, .analog_count = 5},
        {.kind = PW_CIA401_HEARTBEAT, .node = 0, .state = PW_CIA401_STOPPED},
        {.kind = PW_CIA401_NMT, .node = 1},
    };
    for (size_t i = 0; i < PW_COUNT(messages); i++) {
        struct pw_can_frame frame = frame_of("123#");
        assert_int_equal(pw_cia401_pack(&messages[i], &frame), PW_ERR_RANGE);
        assert_int_equal(frame.id, 0x123);
    }
}

static void the_connector_voltage_has_hundredths(void **state)
{
    (void)state;
    int16_t analog = 0;
    for (int32_t raw = INT16_MIN; raw <= INT16_MAX; raw++) {
        assert_int_equal(pw_cia401_analog_of_mv(pw_cia401_voltage_mv((int16_t)raw), &analog),
                         PW_OK);
        assert_int_equal(analog, raw);
    }
    assert_int_equal(pw_cia401_analog_of_mv(327680, &analog), PW_ERR_RANGE);
    assert_int_equal(pw_cia401_analog_of_mv(-327690, &analog), PW_ERR_RANGE);
    assert_int_equal(analog, INT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frames_of_node_32_are_these),
        cmocka_unit_test(every_id_is_one_message_or_none),
        cmocka_unit_test(malformed_frames_are_refused),
        cmocka_unit_test(impossible_messages_make_no_frame),
        cmocka_unit_test(the_connector_voltage_has_hundredths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
