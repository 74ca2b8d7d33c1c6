// Frames on their way outside: python-can's multicast datagrams and the slcan text of serial
// adapters. facts/dc-can.md §5.4.
#include "can/mcast.h"
#include "can/slcan.h"
#include "dice.h"
#include "notation.h"

#include <string.h>

// 1806E5F4#035C0410000263FF at 1700000000.123456, as python-can 4.1 sends it.
static const char golden[] =
    "8ba974696d657374616d70cb41d954fc4007e6b4ae6172626974726174696f6e5f6964ce1806e5f4"
    "ae69735f657874656e6465645f6964c3af69735f72656d6f74655f6672616d65c2ae69735f657272"
    "6f725f6672616d65c2a76368616e6e656cc0a3646c6308a464617461c408035c0410000263ffa569"
    "735f6664c2ae626974726174655f737769746368c2b56572726f725f73746174655f696e64696361"
    "746f72c2";

static int bytes_of(const char *hex, uint8_t *to, size_t cap)
{
    int len = pw_parse_hex(pw_str_of(hex), to, cap);
    assert_true(len > 0);
    return len;
}

static void the_golden_datagram_is_read_and_written(void **state)
{
    (void)state;
    uint8_t bytes[PW_MCAST_MAX];
    uint8_t made[PW_MCAST_MAX];
    struct pw_mcast_datagram datagram;
    int len = bytes_of(golden, bytes, sizeof(bytes));
    assert_int_equal(len, 164);
    assert_int_equal(pw_mcast_unpack(bytes, (size_t)len, &datagram), PW_OK);
    assert_false(datagram.is_error);
    assert_frame(&datagram.frame, "1806E5F4#035C0410000263FF");
    assert_int_equal(pw_mcast_pack(&datagram, 1700000000123456U, made), len);
    assert_memory_equal(made, bytes, (size_t)len);
}

static void time_stamps_are_the_nearest_double(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 50000; i++) {
        uint64_t us = dice_bits(&dice) >> (dice_bits(&dice) % 50 + 8);
        uint8_t bytes[PW_MCAST_MAX];
        struct pw_mcast_datagram datagram = {.frame = {.id = 1}};
        assert_true(pw_mcast_pack(&datagram, us, bytes) > 0);
        uint64_t got = (uint64_t)pw_be32(bytes + 12) << 32 | pw_be32(bytes + 16);
        double exact = (double)us / 1e6;
        uint64_t want;
        memcpy(&want, &exact, sizeof(want));
        // us itself may round on its way into the double: one step at most
        assert_true(got - want + 1 <= 2);
    }
}

static void every_datagram_survives(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 20000; i++) {
        struct pw_mcast_datagram sent = {.is_error = i % 5 == 0};
        uint8_t bytes[PW_MCAST_MAX];
        if (sent.is_error) {
            sent.error.classes = (uint32_t)dice_bits(&dice) & PW_CAN_ID_29_MAX;
            memcpy(sent.error.data, &dice.state, sizeof(sent.error.data));
        } else {
            sent.frame.extended = i % 2 == 0;
            sent.frame.remote = i % 7 == 0;
            sent.frame.id = (uint32_t)dice_bits(&dice) &
                            (sent.frame.extended ? PW_CAN_ID_29_MAX : PW_CAN_ID_11_MAX);
            sent.frame.len = (uint8_t)(dice_bits(&dice) % 9);
            memcpy(sent.frame.data, &dice.state, sent.frame.remote ? 0 : sent.frame.len);
        }
        struct pw_mcast_datagram got;
        int len = pw_mcast_pack(&sent, dice_bits(&dice) >> 12, bytes);
        assert_true(len > 0);
        assert_int_equal(pw_mcast_unpack(bytes, (size_t)len, &got), PW_OK);
        assert_int_equal(got.is_error, sent.is_error);
        assert_int_equal(got.frame.id, sent.frame.id);
        assert_int_equal(got.frame.extended, sent.frame.extended);
        assert_int_equal(got.frame.remote, sent.frame.remote);
        assert_int_equal(got.frame.len, sent.frame.len);
        assert_memory_equal(got.frame.data, sent.frame.data, 8);
        assert_int_equal(got.error.classes, sent.error.classes);
        assert_memory_equal(got.error.data, sent.error.data, 8);
    }
}

// A datagram cut anywhere is refused; so is one with a byte too many.
static void cut_datagrams_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[PW_MCAST_MAX];
    struct pw_mcast_datagram datagram;
    size_t len = (size_t)bytes_of(golden, bytes, sizeof(bytes));
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(pw_mcast_unpack(bytes, cut, &datagram), PW_ERR_PEER);
    }
    bytes[len] = 0xC0;
    assert_int_equal(pw_mcast_unpack(bytes, len + 1, &datagram), PW_ERR_PEER);
}

// Single bytes of the golden datagram replaced: positions are those of the byte table in mcast.c.
static void wrong_datagrams_are_refused_by_their_fault(void **state)
{
    (void)state;
    static const struct {
        const char *from; // hex inside the golden datagram
        const char *to;
        int err;
    } rows[] = {
        {"a3646c6308", "a3646c6307", PW_ERR_RANGE},                  // data longer than dlc
        {"a3646c6308", "a3646c6309", PW_ERR_RANGE},                  // dlc 9
        {"a3646c6308", "a3646c64", PW_ERR_PEER},                     // key missing
        {"ce1806e5f4", "ce3806e5f4", PW_ERR_RANGE},                  // 30 bits of id
        {"ce1806e5f4", "cf000000011806e5f4", PW_ERR_RANGE},          // 33 bits of id
        {"ce1806e5f4", "cf000000001806e5f4", PW_OK},                 // any width of number
        {"ce1806e5f4", "d21806e5f4", PW_ERR_PEER},                   // a signed id
        {"ce1806e5f4", "c0", PW_ERR_PEER},                           // no number
        {"65645f6964c3", "65645f6964c2", PW_ERR_RANGE},              // 11 bits for this id
        {"65645f6964c3", "65645f6964c0", PW_ERR_PEER},               // nil is no bool
        {"735f6664c2", "735f6664c3", PW_ERR_UNKNOWN},                // CAN FD
        {"a76368616e6e656cc0", "a76368616e6e656ca476636130", PW_OK}, // channel "vca0"
        {"a76368616e6e656cc0", "a76368616e6e656cd1fffe", PW_OK},
        {"a76368616e6e656cc0", "a76368616e6e656cff", PW_OK},
        {"a76368616e6e656cc0", "a76368616e6e656c90", PW_ERR_PEER}, // a list
        {"a76368616e6e656cc0", "a76368616e6e656cc1", PW_ERR_PEER}, // never used in msgpack
        {"a76368616e6e656cc0", "a3646c6308", PW_ERR_PEER},         // dlc twice
        {"a76368616e6e656cc0", "a76f746865726573c3", PW_OK},       // another key
        {"cb41d954fc4007e6b4", "ca4e7de290", PW_OK},               // float32 time
        {"8ba9", "8aa9", PW_ERR_PEER},
        {"8ba9", "8ca9", PW_ERR_PEER},
        {"8ba9", "9ba9", PW_ERR_PEER},
        {"8ba974", "8b0074", PW_ERR_PEER}, // a number as key
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[512];
        uint8_t bytes[256];
        struct pw_out out = PW_OUT(text);
        const char *at = strstr(golden, rows[i].from);
        struct pw_mcast_datagram datagram;
        if (at == NULL) {
            fail_msg("row %zu is not in the datagram", i);
            return;
        }
        pw_put(&out, (struct pw_str){.at = golden, .len = (size_t)(at - golden)});
        pw_put_s(&out, rows[i].to);
        pw_put_s(&out, at + strlen(rows[i].from));
        int len = bytes_of(text, bytes, sizeof(bytes));
        int err = pw_mcast_unpack(bytes, (size_t)len, &datagram);
        if (err != rows[i].err) {
            fail_msg("row %zu: %s", i, pw_err_name(err));
        }
    }
}

static void invalid_frames_make_no_datagram(void **state)
{
    (void)state;
    uint8_t bytes[PW_MCAST_MAX];
    static const struct pw_mcast_datagram datagrams[] = {
        {.frame = {.id = 0x800}},
        {.frame = {.id = 0x20000000, .extended = true}},
        {.frame = {.len = 9}},
        {.is_error = true, .error = {.classes = 0x20000000}},
    };
    for (size_t i = 0; i < PW_COUNT(datagrams); i++) {
        assert_int_equal(pw_mcast_pack(&datagrams[i], 0, bytes), PW_ERR_RANGE);
    }
}

// ---------------------------------------------------------------------------------------------

// Feeds a text and returns what its last byte completed.
static struct pw_slcan_line feed(struct pw_slcan *slcan, const char *text)
{
    struct pw_slcan_line line = {.kind = PW_SLCAN_NOTHING};
    for (size_t i = 0; text[i] != '\0'; i++) {
        assert_int_equal(line.kind, PW_SLCAN_NOTHING);
        pw_slcan_feed(slcan, text[i], &line);
    }
    return line;
}

static void slcan_lines_are_read(void **state)
{
    (void)state;
    struct pw_slcan slcan = {0};
    struct pw_slcan_line line = feed(&slcan, "T1806E5F48035C0410000263FF\r");
    assert_int_equal(line.kind, PW_SLCAN_FRAME);
    assert_frame(&line.frame, "1806E5F4#035C0410000263FF");
    line = feed(&slcan, "t1233010203\r");
    assert_frame(&line.frame, "123#010203");
    line = feed(&slcan, "t1233010203ABCD\r"); // with a time stamp
    assert_frame(&line.frame, "123#010203");
    line = feed(&slcan, "r7FF8\r");
    assert_frame(&line.frame, "7FF#R8");
    line = feed(&slcan, "R1806e5f40\r");
    assert_frame(&line.frame, "1806E5F4#R0");
    assert_int_equal(feed(&slcan, "\r").kind, PW_SLCAN_YES);
    assert_int_equal(feed(&slcan, "z\r").kind, PW_SLCAN_YES);
    assert_int_equal(feed(&slcan, "Z\r").kind, PW_SLCAN_YES);
    assert_int_equal(feed(&slcan, "\a").kind, PW_SLCAN_NO);
    line = feed(&slcan, "F24\r");
    assert_int_equal(line.kind, PW_SLCAN_FLAGS);
    assert_int_equal(pw_slcan_flags_state(line.flags), PW_CAN_PASSIVE);
    assert_int_equal(pw_slcan_flags_state(PW_SLCAN_WARNING), PW_CAN_WARNING);
    assert_int_equal(pw_slcan_flags_state(PW_SLCAN_OVERRUN), PW_CAN_ACTIVE);
    assert_int_equal(slcan.bad, 0);
    static const struct {
        const char *text;
        enum pw_can_state state;
    } rows[] = {{"sa000000\r", PW_CAN_ACTIVE},
                {"sw100000\r", PW_CAN_WARNING},
                {"sp140000\r", PW_CAN_PASSIVE},
                {"sb000256\r", PW_CAN_OFF}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        line = feed(&slcan, rows[i].text);
        assert_int_equal(line.kind, PW_SLCAN_STATUS);
        assert_int_equal(line.state, rows[i].state);
    }
}

// An adapter that babbles, or a line cut by a bad contact, must cost no more than itself.
static void garbage_costs_one_line(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "V1013\r", "t12\r", "t1239\r", "t12330102\r", "t12330102030\r", "t8001FF\r",
        "T2000000000\r", "t123x\r", "t1232ZZZZ\r", "F1\r", "F123\r", "sx000000\r", "sb00025\r",
        "z1\r", "r1238FF\r", "T1806E5F4\r", "t\r", "tttttttttttttttttttttttttttttttttttttttt\r",
        // a line too long, whose end alone would be a frame
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxt1230\r", "t1233010203ABC\r"};
    struct pw_slcan slcan = {0};
    for (size_t i = 0; i < PW_COUNT(garbage); i++) {
        struct pw_slcan_line line = feed(&slcan, garbage[i]);
        if (line.kind != PW_SLCAN_NOTHING || slcan.bad != i + 1) {
            fail_msg("%s: %d", garbage[i], (int)line.kind);
        }
        line = feed(&slcan, "t1233010203\r");
        assert_int_equal(line.kind, PW_SLCAN_FRAME);
    }
    struct pw_slcan_line line;
    pw_slcan_feed(&slcan, 't', &line);
    assert_int_equal(feed(&slcan, "12\a").kind, PW_SLCAN_NO); // a refusal ends a line too
    assert_int_equal(feed(&slcan, "\n\r").kind, PW_SLCAN_YES);
}

static void frames_survive_slcan(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    struct pw_slcan slcan = {0};
    for (unsigned i = 0; i < 20000; i++) {
        struct pw_can_frame frame = {
            .extended = i % 2 == 0, .remote = i % 3 == 0, .len = (uint8_t)(dice_bits(&dice) % 9)};
        frame.id =
            (uint32_t)dice_bits(&dice) & (frame.extended ? PW_CAN_ID_29_MAX : PW_CAN_ID_11_MAX);
        memcpy(frame.data, &dice.state, frame.remote ? 0 : frame.len);
        char text[PW_SLCAN_LINE_MAX];
        struct pw_out out = PW_OUT(text);
        pw_slcan_print(&out, &frame);
        assert_false(out.full);
        struct pw_slcan_line line = feed(&slcan, text);
        assert_int_equal(line.kind, PW_SLCAN_FRAME);
        assert_int_equal(line.frame.id, frame.id);
        assert_int_equal(line.frame.extended, frame.extended);
        assert_int_equal(line.frame.remote, frame.remote);
        assert_int_equal(line.frame.len, frame.len);
        assert_memory_equal(line.frame.data, frame.data, 8);
    }
}

static void bit_rates_have_digits(void **state)
{
    (void)state;
    char digit = '?';
    assert_int_equal(pw_slcan_bitrate(125000, &digit), PW_OK);
    assert_int_equal(digit, '4');
    assert_int_equal(pw_slcan_bitrate(250000, &digit), PW_OK);
    assert_int_equal(digit, '5');
    assert_int_equal(pw_slcan_bitrate(1000000, &digit), PW_OK);
    assert_int_equal(digit, '8');
    assert_int_equal(pw_slcan_bitrate(83333, &digit), PW_ERR_RANGE);
    assert_int_equal(digit, '8');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_datagram_is_read_and_written),
        cmocka_unit_test(time_stamps_are_the_nearest_double),
        cmocka_unit_test(every_datagram_survives),
        cmocka_unit_test(cut_datagrams_are_refused),
        cmocka_unit_test(wrong_datagrams_are_refused_by_their_fault),
        cmocka_unit_test(invalid_frames_make_no_datagram),
        cmocka_unit_test(slcan_lines_are_read),
        cmocka_unit_test(garbage_costs_one_line),
        cmocka_unit_test(frames_survive_slcan),
        cmocka_unit_test(bit_rates_have_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
