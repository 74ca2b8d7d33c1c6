// What rectifiers say and are told: Huawei, Infypower, the Rivot terminal report, and the
// maker-neutral drivers over them. Frames from facts/dc-can.md §1.2–1.4.
#include "can/huawei.h"
#include "can/infypower.h"
#include "can/rectifier.h"
#include "can/rivot.h"
#include "dice.h"
#include "notation.h"

#include <string.h>

static const struct pw_rectifier_driver *const drivers[] = {&pw_rectifier_driver_huawei,
                                                            &pw_rectifier_driver_infypower};

// ---------------------------------------------------------------------------------------------
// Huawei

static void the_worked_huawei_orders_are_made(void **state)
{
    (void)state;
    struct pw_rectifier_config config = {0};
    struct pw_rectifier_command on = {.on = true, .voltage_mv = 84000, .current_ma = 30000};
    struct pw_rectifier_command off = {.on = false, .voltage_mv = 84000, .current_ma = 30000};
    static const char *const frames_on[] = {
        "068181FE#0100000000015000", "068181FE#0103000000000393", "068181FE#0132000000000000"};
    static const char *const frames_off[] = {
        "068181FE#0132000100000000", "068181FE#0103000000000393", "068181FE#0100000000015000"};
    for (unsigned n = 0; n < 3; n++) {
        struct pw_can_frame frame;
        assert_int_equal(pw_rectifier_control(&pw_rectifier_driver_huawei, &config, &on, n, &frame),
                         PW_OK);
        assert_frame(&frame, frames_on[n]);
        assert_int_equal(
            pw_rectifier_control(&pw_rectifier_driver_huawei, &config, &off, n, &frame), PW_OK);
        assert_frame(&frame, frames_off[n]);
    }
    struct pw_can_frame frame;
    assert_int_equal(pw_rectifier_poll(&pw_rectifier_driver_huawei, &config, 0, &frame), PW_OK);
    assert_frame(&frame, "068182FE#0184000000000000");
    config.voltage_signal = PW_HUAWEI_SIGNAL_OUTPUT_VOLTAGE;
    assert_int_equal(pw_rectifier_poll(&pw_rectifier_driver_huawei, &config, 0, &frame), PW_OK);
    assert_frame(&frame, "068182FE#0175000000000000");
}

static void huawei_ids_carry_their_parts(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        struct pw_huawei_message message;
    } rows[] = {
        {"0681817E#0100000000015000",
         {.protocol = 0x0D,
          .address = 1,
          .command = 0x81,
          .group = 0x1F,
          .software_address = true,
          .signal = 0x100,
          .value = 86016}},
        {"0681407F#018300AA00000001",
         {.protocol = 0x0D,
          .address = 1,
          .command = 0x40,
          .group = 0x1F,
          .software_address = true,
          .more = true,
          .signal = 0x183,
          .word = 0xAA,
          .value = 1}},
        {"108182FC#2175000000000000",
         {.protocol = 0x21,
          .address = 1,
          .command = 0x82,
          .from_controller = true,
          .group = 0x1F,
          .result = 2,
          .signal = 0x175}},
        {"06FF8083#F132FFFFFFFFFFFF",
         {.protocol = 0x0D,
          .address = 127,
          .command = 0x80,
          .from_controller = true,
          .software_address = true,
          .more = true,
          .result = 15,
          .signal = 0x132,
          .word = 0xFFFF,
          .value = 0xFFFFFFFF}},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame = frame_of(rows[i].frame);
        struct pw_huawei_message got;
        const struct pw_huawei_message *want = &rows[i].message;
        assert_int_equal(pw_huawei_unpack(&frame, &got), PW_OK);
        assert_int_equal(got.protocol, want->protocol);
        assert_int_equal(got.address, want->address);
        assert_int_equal(got.command, want->command);
        assert_int_equal(got.from_controller, want->from_controller);
        assert_int_equal(got.group, want->group);
        assert_int_equal(got.software_address, want->software_address);
        assert_int_equal(got.more, want->more);
        assert_int_equal(got.result, want->result);
        assert_int_equal(got.signal, want->signal);
        assert_int_equal(got.word, want->word);
        assert_int_equal(got.value, want->value);
        assert_int_equal(pw_huawei_pack(want, &frame), PW_OK);
        assert_frame(&frame, rows[i].frame);
    }
}

static void huawei_members_past_their_bits_are_not_packed(void **state)
{
    (void)state;
    static const struct pw_huawei_message messages[] = {
        {.protocol = 0x40}, {.address = 0x80},  {.group = 0x20},
        {.result = 0x10},   {.signal = 0x1000},
    };
    for (size_t i = 0; i < PW_COUNT(messages); i++) {
        struct pw_can_frame frame = frame_of("123#");
        assert_int_equal(pw_huawei_pack(&messages[i], &frame), PW_ERR_RANGE);
        assert_int_equal(frame.id, 0x123);
    }
}

static int read_huawei(const struct pw_can_frame *frame)
{
    struct pw_huawei_message message;
    return pw_huawei_unpack(frame, &message);
}

static int read_infypower(const struct pw_can_frame *frame)
{
    struct pw_infypower_message message;
    return pw_infypower_unpack(frame, &message);
}

static int read_terminal(const struct pw_can_frame *frame)
{
    struct pw_rivot_config config = {0};
    struct pw_rivot_terminal terminal;
    return pw_rivot_unpack_terminal(&config, frame, &terminal);
}

static int read_charging(const struct pw_can_frame *frame)
{
    struct pw_rivot_config config = {0};
    bool charging;
    return pw_rivot_unpack_charging(&config, frame, &charging);
}

static void other_shapes_are_not_read(void **state)
{
    (void)state;
    assert_refuses_other_shapes("0681827E#0184000000012C00", read_huawei);
    assert_refuses_other_shapes("0283F000#42A8000041F00000", read_infypower);
    assert_refuses_other_shapes("00433F01#42A8000041F00000", read_terminal);
    assert_refuses_other_shapes("00473F01#0000000000000302", read_charging);
    struct pw_can_frame frame = frame_of("1806E5F4#035C0410000263FF");
    assert_int_equal(read_huawei(&frame), PW_ERR_UNKNOWN);
    assert_int_equal(read_infypower(&frame), PW_ERR_UNKNOWN);
    assert_int_equal(read_terminal(&frame), PW_ERR_UNKNOWN);
    assert_int_equal(read_charging(&frame), PW_ERR_UNKNOWN);
}

static void huawei_quantities_are_scaled_by_1024(void **state)
{
    (void)state;
    int32_t milli;
    uint32_t value;
    assert_int_equal(pw_huawei_milli(86016, &milli), PW_OK);
    assert_int_equal(milli, 84000);
    assert_int_equal(pw_huawei_milli(0xFFFFD800, &milli), PW_OK); // -10 degC
    assert_int_equal(milli, -10000);
    assert_int_equal(pw_huawei_q10(-10000, &value), PW_OK);
    assert_int_equal(value, 0xFFFFD800);
    assert_int_equal(pw_huawei_q10(2097151999, &value), PW_OK);
    assert_int_equal(pw_huawei_q10(2097152000, &value), PW_ERR_RANGE);
    assert_int_equal(pw_huawei_q10(-2097152000, &value), PW_OK);
    assert_int_equal(pw_huawei_q10(-2097152001, &value), PW_ERR_RANGE);
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 50000; i++) {
        int32_t sent = dice_int(&dice, -2000000000, 2000000000);
        assert_int_equal(pw_huawei_q10(sent, &value), PW_OK);
        assert_int_equal(pw_huawei_milli(value, &milli), PW_OK);
        assert_int_equal(milli, sent); // 1024 steps a unit hold every thousandth
    }
}

// Rounding a limit up would let the module deliver more than was allowed.
static void huawei_limits_are_shares_of_the_rated_current(void **state)
{
    (void)state;
    uint32_t value;
    int32_t limit;
    assert_int_equal(pw_huawei_share(30000, 33570, &value), PW_OK);
    assert_int_equal(value, 0x393);
    for (int32_t ma = 0; ma <= 33570; ma += 7) {
        assert_int_equal(pw_huawei_share(ma, 33570, &value), PW_OK);
        assert_true((int64_t)value * 33570 <= (int64_t)ma * 1024);
        assert_int_equal(pw_huawei_share_ma(value, 33570, &limit), PW_OK);
        assert_in_range(limit, ma < 33 ? 0 : (uint32_t)ma - 33, (uint32_t)ma);
    }
    assert_int_equal(pw_huawei_share(-1, 33570, &value), PW_ERR_RANGE);
    assert_int_equal(pw_huawei_share(1, 0, &value), PW_ERR_RANGE);
    assert_int_equal(pw_huawei_share(160, 10, &value), PW_OK);
    assert_int_equal(pw_huawei_share(161, 10, &value), PW_ERR_RANGE);
    assert_int_equal(pw_huawei_share_ma(16384, 10, &limit), PW_OK);
    assert_int_equal(pw_huawei_share_ma(16385, 10, &limit), PW_ERR_RANGE);
    assert_int_equal(pw_huawei_share_ma(16384, INT32_MAX, &limit), PW_ERR_RANGE);
}

static void huawei_running_status_survives_the_wire(void **state)
{
    (void)state;
    struct pw_huawei_running sent = {
        .bits = PW_HUAWEI_RUN_CURRENT_LIMIT, .output_ma = 33500, .output_mv = 84000};
    struct pw_huawei_running got;
    struct pw_huawei_message message = pw_huawei_ask(1, PW_HUAWEI_QUERY, PW_HUAWEI_SIGNAL_RUNNING);
    struct pw_can_frame frame;
    assert_int_equal(pw_huawei_pack_running(&sent, &message), PW_OK);
    assert_int_equal(pw_huawei_pack(&message, &frame), PW_OK);
    assert_frame(&frame, "068182FE#01910008014F0348");
    pw_huawei_unpack_running(&message, &got);
    assert_int_equal(got.bits, sent.bits);
    assert_int_equal(got.output_ma, sent.output_ma);
    assert_int_equal(got.output_mv, sent.output_mv);
    sent.output_ma = 6553600;
    assert_int_equal(pw_huawei_pack_running(&sent, &message), PW_ERR_RANGE);
    sent = (struct pw_huawei_running){.output_mv = -1};
    assert_int_equal(pw_huawei_pack_running(&sent, &message), PW_ERR_RANGE);
}

static void the_worst_alarm_speaks_for_all(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *name; // NULL: calm
        enum pw_can_severity severity;
    } rows[] = {
        {0, NULL, PW_CAN_CALM},
        {1U << 28, NULL, PW_CAN_CALM},
        {1U << 11, NULL, PW_CAN_CALM}, // not in the list
        {1U << 9, NULL, PW_CAN_CALM},
        {1U << 1, "ambient_hot", PW_CAN_WARNS},
        {1U << 1 | 1U << 12, "internal_hot", PW_CAN_FAILS},
        {1U << 0 | 1U << 12, "over_voltage_latched", PW_CAN_FAILS},
        {(uint64_t)1 << 36, "comm_lost", PW_CAN_WARNS},
        {(uint64_t)1 << 42, "short_latched", PW_CAN_FAILS},
        {UINT64_MAX, "over_voltage_latched", PW_CAN_FAILS},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const struct pw_can_alarm *worst = pw_huawei_worst_alarm(rows[i].bits);
        if (rows[i].name == NULL) {
            assert_null(worst);
            continue;
        }
        assert_non_null(worst);
        assert_string_equal(worst->name, rows[i].name);
        assert_int_equal(worst->severity, rows[i].severity);
    }
    assert_null(pw_infypower_worst_alarm(PW_INFYPOWER_OFF | PW_INFYPOWER_POWER_LIMITED));
    assert_string_equal(pw_infypower_worst_alarm(PW_INFYPOWER_PHASE_LOST | PW_INFYPOWER_HOT)->name,
                        "hot");
}

// ---------------------------------------------------------------------------------------------
// Infypower

static void the_worked_infypower_frames_are_made(void **state)
{
    (void)state;
    struct pw_can_frame frame;
    struct pw_infypower_message message = pw_infypower_ask(0, PW_INFYPOWER_MODULE_FLOAT);
    assert_int_equal(pw_infypower_pack(&message, &frame), PW_OK);
    assert_frame(&frame, "028300F0#0000000000000000");
    message = pw_infypower_answer(&message);
    message.voltage_mv = 84000;
    message.current_ma = 30000;
    assert_int_equal(pw_infypower_pack(&message, &frame), PW_OK);
    assert_frame(&frame, "0283F000#42A8000041F00000");
    message = pw_infypower_ask(0, PW_INFYPOWER_SET_MODULE);
    message.voltage_mv = 84000;
    message.current_ma = 30000;
    assert_int_equal(pw_infypower_pack(&message, &frame), PW_OK);
    assert_frame(&frame, "029C00F0#0001482000007530");
    message = pw_infypower_ask(PW_INFYPOWER_BROADCAST, PW_INFYPOWER_ON_OFF);
    message.argument = 1;
    assert_int_equal(pw_infypower_pack(&message, &frame), PW_OK);
    assert_frame(&frame, "029A3FF0#0100000000000000");
    message = pw_infypower_ask(1, PW_INFYPOWER_COUNT);
    message.device = PW_INFYPOWER_GROUP;
    assert_int_equal(pw_infypower_pack(&message, &frame), PW_OK);
    assert_frame(&frame, "02C201F0#0000000000000000");
}

static struct pw_infypower_message random_infypower(struct dice *dice, uint8_t command)
{
    struct pw_infypower_message m = {
        .result = (uint8_t)dice_int(dice, 0, 7),
        .device = (uint8_t)dice_int(dice, 0x0A, 0x0B),
        .command = command,
        .destination = 0xF0,
        .source = (uint8_t)dice_int(dice, 0, 0x3F),
        .count = dice_int(dice, 0, 255),
        .group = dice_int(dice, 0, 255),
        .ambient_dc = dice_int(dice, -128, 127) * 10,
        .status = (uint32_t)dice_bits(dice) & 0xFFFFFFU,
        .voltage_max_mv = dice_int(dice, 0, 65535) * 1000,
        .voltage_min_mv = dice_int(dice, 0, 65535) * 1000,
        .current_max_ma = dice_int(dice, 0, 65535) * 100,
        .power_w = dice_int(dice, 0, 65535) * 10,
        .sub_command = dice_int(dice, 0, 65535),
        .argument = dice_int(dice, 0, 255),
    };
    bool output = command == PW_INFYPOWER_OUTPUT;
    m.voltage_mv = output ? dice_int(dice, 0, 65535) * 100 : dice_int(dice, 0, 2000000);
    m.current_ma = output ? dice_int(dice, 0, 65535) * 100 : dice_int(dice, 0, 2000000);
    for (unsigned i = 0; i < 3; i++) {
        m.input_mv[i] = dice_int(dice, 0, 65535) * 100;
    }
    for (unsigned i = 0; i < 8; i++) {
        m.raw[i] = (uint8_t)dice_bits(dice);
    }
    return m;
}

// Packed, read and packed again: no command may lose a bit on the way.
static void every_infypower_command_survives_the_wire(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned command = 0; command <= 0x3F; command++) {
        for (unsigned i = 0; i < 500; i++) {
            struct pw_infypower_message sent = random_infypower(&dice, (uint8_t)command);
            struct pw_infypower_message got;
            struct pw_can_frame frame;
            struct pw_can_frame again;
            assert_int_equal(pw_infypower_pack(&sent, &frame), PW_OK);
            assert_int_equal(pw_infypower_unpack(&frame, &got), PW_OK);
            assert_false(got.reading);
            assert_int_equal(got.command, command);
            assert_int_equal(got.result, sent.result);
            assert_int_equal(got.device, sent.device);
            assert_int_equal(got.source, sent.source);
            assert_int_equal(pw_infypower_pack(&got, &again), PW_OK);
            assert_memory_equal(again.data, frame.data, 8);
            if (command == PW_INFYPOWER_SET_SYSTEM || command == PW_INFYPOWER_MODULE_FLOAT) {
                assert_int_equal(got.voltage_mv, sent.voltage_mv);
                assert_int_equal(got.current_ma, sent.current_ma);
            }
        }
    }
}

static void infypower_status_bits_stand_where_the_maker_puts_them(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        uint32_t status;
    } rows[] = {
        {"0284F000#0000020019000001", PW_INFYPOWER_SHORT},
        {"0284F000#0000020019000010", PW_INFYPOWER_SLEEPING},
        {"0284F000#0000020019000100", PW_INFYPOWER_OFF},
        {"0284F000#0000020019008000", PW_INFYPOWER_COMM_LOST},
        {"0284F000#0000020019010000", PW_INFYPOWER_POWER_LIMITED},
        {"0284F000#0000020019800000", PW_INFYPOWER_PFC_OFF},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame = frame_of(rows[i].frame);
        struct pw_infypower_message message;
        assert_int_equal(pw_infypower_unpack(&frame, &message), PW_OK);
        assert_int_equal(message.status, rows[i].status);
        assert_int_equal(message.group, 2);
        assert_int_equal(message.ambient_dc, 250);
    }
}

static void infypower_nonsense_is_refused_both_ways(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "0283F000#7FC0000041F00000", // NaN
        "0283F000#42A800007F800000", // infinity
        "0283F000#4EEE6B2841F00000", // 2e9 V
        "0289F000#FFFFFFFF00000000", "029CF000#0000000080000000",
    };
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        struct pw_can_frame frame = frame_of(frames[i]);
        assert_int_equal(read_infypower(&frame), PW_ERR_RANGE);
    }
    static const struct pw_infypower_message messages[] = {
        {.result = 8},
        {.device = 16},
        {.command = 0x40},
        {.command = PW_INFYPOWER_SET_MODULE, .voltage_mv = -1},
        {.command = PW_INFYPOWER_SET_MODULE, .current_ma = 2000001},
        {.command = PW_INFYPOWER_MODULE_FLOAT, .voltage_mv = 2000001},
        {.command = PW_INFYPOWER_STATUS, .status = 0x1000000},
        {.command = PW_INFYPOWER_STATUS, .ambient_dc = 1280},
        {.command = PW_INFYPOWER_STATUS, .ambient_dc = -1281},
        {.command = PW_INFYPOWER_ON_OFF, .argument = 256},
        {.command = PW_INFYPOWER_INPUT, .input_mv = {0, 0, 6553600}},
    };
    for (size_t i = 0; i < PW_COUNT(messages); i++) {
        struct pw_can_frame frame = frame_of("123#");
        assert_int_equal(pw_infypower_pack(&messages[i], &frame), PW_ERR_RANGE);
        assert_int_equal(frame.id, 0x123);
    }
}

// ---------------------------------------------------------------------------------------------
// Terminal report

static void the_terminal_report_is_volts_and_amperes(void **state)
{
    (void)state;
    struct pw_rivot_config config = {0};
    struct pw_rivot_terminal terminal;
    struct pw_can_frame frame = frame_of("00433F01#4298666640200000");
    assert_int_equal(pw_rivot_unpack_terminal(&config, &frame, &terminal), PW_OK);
    assert_int_equal(terminal.voltage_mv, 76200);
    assert_int_equal(terminal.current_ma, 2500);
    config.scale_permille = 100; // a station that sends tenths
    assert_int_equal(pw_rivot_unpack_terminal(&config, &frame, &terminal), PW_OK);
    assert_int_equal(terminal.voltage_mv, 7620);
    config = (struct pw_rivot_config){.terminal_id = 0x00434001, .charging_id = 0x1FFFFFFF};
    assert_int_equal(pw_rivot_unpack_terminal(&config, &frame, &terminal), PW_ERR_UNKNOWN);
    frame.id = 0x00434001;
    assert_int_equal(pw_rivot_unpack_terminal(&config, &frame, &terminal), PW_OK);
    pw_rivot_pack_charging(&config, true, &frame);
    assert_frame(&frame, "1FFFFFFF#0000000000000302");
}

static void terminal_nonsense_is_refused_both_ways(void **state)
{
    (void)state;
    struct pw_rivot_config config = {0};
    struct pw_rivot_terminal terminal = {.voltage_mv = 7, .current_ma = 8};
    static const char *const frames[] = {"00433F01#7FC0000000000000", "00433F01#00000000FF800000",
                                         "00433F01#4479FFFF447A0400", "00433F01#C47A040000000000"};
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        struct pw_can_frame frame = frame_of(frames[i]);
        assert_int_equal(pw_rivot_unpack_terminal(&config, &frame, &terminal), PW_ERR_RANGE);
        assert_int_equal(terminal.voltage_mv, 7);
        assert_int_equal(terminal.current_ma, 8);
    }
    struct pw_can_frame frame = frame_of("123#");
    terminal.voltage_mv = 1000001;
    assert_int_equal(pw_rivot_pack_terminal(&config, &terminal, &frame), PW_ERR_RANGE);
    terminal.voltage_mv = 0;
    config.scale_permille = 10001;
    assert_int_equal(pw_rivot_pack_terminal(&config, &terminal, &frame), PW_ERR_RANGE);
    config = (struct pw_rivot_config){.terminal_id = 0x20000000};
    assert_int_equal(pw_rivot_pack_terminal(&config, &terminal, &frame), PW_ERR_RANGE);
    assert_int_equal(frame.id, 0x123);
    static const char *const states[] = {"00473F01#0000000000000300", "00473F01#0000000000000303",
                                         "00473F01#0000000000000002"};
    for (size_t i = 0; i < PW_COUNT(states); i++) {
        frame = frame_of(states[i]);
        assert_int_equal(read_charging(&frame), PW_ERR_RANGE);
    }
}

static void terminal_values_survive_every_scale(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 20000; i++) {
        struct pw_rivot_config config = {.scale_permille = (uint32_t)dice_int(&dice, 1, 10000)};
        struct pw_rivot_terminal sent = {.voltage_mv = dice_int(&dice, -1000000, 1000000),
                                         .current_ma = dice_int(&dice, -1000000, 1000000)};
        struct pw_rivot_terminal got;
        struct pw_can_frame frame;
        assert_int_equal(pw_rivot_pack_terminal(&config, &sent, &frame), PW_OK);
        assert_int_equal(pw_rivot_unpack_terminal(&config, &frame, &got), PW_OK);
        // a float has 24 bits, and a coarse scale steps in more than thousandths
        int32_t slack = 2 + (int32_t)config.scale_permille / 1000;
        assert_true(got.voltage_mv - sent.voltage_mv <= slack);
        assert_true(sent.voltage_mv - got.voltage_mv <= slack);
        assert_true(got.current_ma - sent.current_ma <= slack);
        assert_true(sent.current_ma - got.current_ma <= slack);
    }
}

// ---------------------------------------------------------------------------------------------
// Drivers

// Whatever the maker, the module ends up with the station's command, never with more current.
static void a_command_reaches_the_module_of_every_maker(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 20000; i++) {
        const struct pw_rectifier_driver *driver = drivers[i % PW_COUNT(drivers)];
        struct pw_rectifier_config config = {.address = (uint8_t)dice_int(&dice, 1, 59),
                                             .modules = (uint8_t)dice_int(&dice, 0, 16)};
        int32_t count = config.modules == 0 ? 1 : config.modules;
        struct pw_rectifier_command sent = {.on = dice_bits(&dice) % 2 == 0,
                                            .voltage_mv = dice_int(&dice, 0, 120000),
                                            .current_ma = dice_int(&dice, 0, 30000)};
        struct pw_rectifier_command got = {.on = !sent.on, .voltage_mv = -1, .current_ma = -1};
        for (unsigned n = 0; n < driver->control_count; n++) {
            struct pw_can_frame frame;
            assert_int_equal(pw_rectifier_control(driver, &config, &sent, n, &frame), PW_OK);
            assert_int_equal(driver->take(&config, &frame, &got), 1);
            // off is the first thing a module hears, on the last
            assert_int_equal(got.on == sent.on, !sent.on || n == driver->control_count - 1U);
        }
        assert_int_equal(got.voltage_mv, sent.voltage_mv);
        assert_true(got.current_ma <= sent.current_ma);
        assert_true(sent.current_ma - got.current_ma <= 34 * count);
    }
}

static void commands_out_of_range_make_no_frame(void **state)
{
    (void)state;
    static const struct pw_rectifier_command commands[] = {
        {.voltage_mv = -1}, {.voltage_mv = 1000001}, {.current_ma = -1}, {.current_ma = 1000001}};
    for (size_t d = 0; d < PW_COUNT(drivers); d++) {
        for (size_t i = 0; i < PW_COUNT(commands); i++) {
            struct pw_rectifier_config config = {0};
            struct pw_can_frame frame = frame_of("123#");
            assert_int_equal(pw_rectifier_control(drivers[d], &config, &commands[i], 0, &frame),
                             PW_ERR_RANGE);
            assert_int_equal(frame.id, 0x123);
        }
    }
    // 1000 A is far beyond what one module's share can say
    struct pw_rectifier_config config = {0};
    struct pw_rectifier_command command = {.on = true, .current_ma = 1000000};
    struct pw_can_frame frame;
    assert_int_equal(
        pw_rectifier_control(&pw_rectifier_driver_huawei, &config, &command, 1, &frame),
        PW_ERR_RANGE);
}

static void expect_report(const struct pw_rectifier_report *got,
                          const struct pw_rectifier_report *sent)
{
    assert_int_equal(got->has, PW_RECTIFIER_HAS_OUTPUT_MV | PW_RECTIFIER_HAS_OUTPUT_MA |
                                   PW_RECTIFIER_HAS_TEMP | PW_RECTIFIER_HAS_INPUT_MV |
                                   PW_RECTIFIER_HAS_ALARM | PW_RECTIFIER_HAS_ON);
    assert_int_equal(got->output_mv, sent->output_mv);
    assert_true(sent->output_ma - got->output_ma >= 0);
    assert_true(sent->output_ma - got->output_ma < 16);
    assert_int_equal(got->temp_dc, sent->temp_dc);
    assert_int_equal(got->input_mv, sent->input_mv);
    assert_int_equal(got->on, sent->on);
    assert_int_equal(got->alarm_bits & 1U, sent->alarm_bits & 1U);
    assert_int_equal(got->alarm, (sent->alarm_bits & 1U) != 0 ? PW_CAN_FAILS : PW_CAN_CALM);
    assert_int_equal(got->alarm_name != NULL, (sent->alarm_bits & 1U) != 0);
}

// One round of questions tells the station everything, whatever the maker.
static void a_round_of_polls_fills_the_report_of_every_maker(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 5000; i++) {
        const struct pw_rectifier_driver *driver = drivers[i % PW_COUNT(drivers)];
        struct pw_rectifier_config config = {.address = (uint8_t)dice_int(&dice, 1, 59),
                                             .modules = (uint8_t)dice_int(&dice, 0, 16)};
        struct pw_rectifier_report sent = {
            .has = 0xFFF,
            .output_mv = dice_int(&dice, 0, 120000),
            .output_ma = dice_int(&dice, 0, 100000),
            .temp_dc = dice_int(&dice, -40, 90) * 10,
            .input_mv = dice_int(&dice, 0, 5000) * 100,
            .alarm_bits = dice_bits(&dice) & 1U, // bit 0 is a fault in both lists
            .on = dice_bits(&dice) % 2 == 0,
        };
        struct pw_rectifier_report got = {0};
        for (unsigned n = 0; n < driver->poll_count; n++) {
            struct pw_can_frame question;
            struct pw_can_frame answer;
            assert_int_equal(pw_rectifier_poll(driver, &config, n, &question), PW_OK);
            assert_int_equal(pw_rectifier_read(driver, &config, &question, &got),
                             PW_RECTIFIER_HEARD_NOTHING);
            assert_int_equal(driver->answer(&config, &question, &sent, &answer), 1);
            assert_int_equal(pw_rectifier_read(driver, &config, &answer, &got),
                             PW_RECTIFIER_HEARD_MODULE);
        }
        expect_report(&got, &sent);
    }
}

static void limits_are_seen(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        bool limited;
        bool on;
    } rows[] = {
        {"0681827E#0183000010000000", true, false},  {"0681827E#0183000000000000", false, false},
        {"0681827E#0191000800000000", false, true},  {"0681827E#0191000100000000", false, false},
        {"0681827E#0191000200000000", false, false}, {"0681827E#0191000400000000", false, false},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_rectifier_config config = {0};
        struct pw_rectifier_report report = {0};
        struct pw_can_frame frame = frame_of(rows[i].frame);
        assert_int_equal(pw_rectifier_read(&pw_rectifier_driver_huawei, &config, &frame, &report),
                         PW_RECTIFIER_HEARD_MODULE);
        assert_int_equal(report.limited, rows[i].limited);
        assert_int_equal(report.on, rows[i].on);
    }
    struct pw_rectifier_config config = {0};
    struct pw_rectifier_report report = {0};
    struct pw_can_frame frame = frame_of("0284F000#0000000019010000");
    assert_int_equal(pw_rectifier_read(&pw_rectifier_driver_infypower, &config, &frame, &report),
                     PW_RECTIFIER_HEARD_MODULE);
    assert_true(report.limited && report.on);
}

// Who else speaks on the bus is nobody's module; an echo or a refusal proves life and nothing else.
static void only_the_own_module_is_heard(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        unsigned driver;
        int heard;
    } rows[] = {
        {"0682827E#0184000000012C00", 0, PW_RECTIFIER_HEARD_NOTHING}, // address 2
        {"068182FE#0184000000012C00", 0, PW_RECTIFIER_HEARD_NOTHING}, // a controller
        {"0681817E#0100000000015000", 0, PW_RECTIFIER_HEARD_MODULE},  // echo
        {"0681827E#2184000000012C00", 0, PW_RECTIFIER_HEARD_MODULE},  // refusal
        {"0681827E#0170000000012C00", 0, PW_RECTIFIER_HEARD_MODULE},  // unasked signal
        {"0283F002#42A8000041F00000", 1, PW_RECTIFIER_HEARD_NOTHING},
        {"0283F102#42A8000041F00000", 1, PW_RECTIFIER_HEARD_NOTHING},
        {"0E83F001#42A8000041F00000", 1, PW_RECTIFIER_HEARD_MODULE}, // result 3
        {"029CF001#0001482000007530", 1, PW_RECTIFIER_HEARD_MODULE},
        {"00433F01#42A8000041F00000", 1, PW_RECTIFIER_HEARD_NOTHING},
        {"1806E5F4#035C0410000263FF", 0, PW_RECTIFIER_HEARD_NOTHING},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_rectifier_config config = {.address = 1};
        struct pw_rectifier_report report = {0};
        struct pw_can_frame frame = frame_of(rows[i].frame);
        int heard = pw_rectifier_read(drivers[rows[i].driver], &config, &frame, &report);
        if (heard != rows[i].heard) {
            fail_msg("%s: %d", rows[i].frame, heard);
        }
        assert_int_equal(report.has, 0);
    }
}

static void the_terminal_report_belongs_to_any_maker(void **state)
{
    (void)state;
    for (size_t d = 0; d < PW_COUNT(drivers); d++) {
        struct pw_rectifier_config config = {.has_terminal = true};
        struct pw_rectifier_report report = {0};
        struct pw_can_frame frame = frame_of("00433F01#4298666640200000");
        assert_int_equal(pw_rectifier_read(drivers[d], &config, &frame, &report),
                         PW_RECTIFIER_HEARD_TERMINAL);
        assert_int_equal(report.terminal_mv, 76200);
        assert_int_equal(report.terminal_ma, 2500);
        frame = frame_of("00473F01#0000000000000302");
        assert_int_equal(pw_rectifier_read(drivers[d], &config, &frame, &report),
                         PW_RECTIFIER_HEARD_TERMINAL);
        assert_true(report.terminal_charging);
        assert_int_equal(report.has, PW_RECTIFIER_HAS_TERMINAL | PW_RECTIFIER_HAS_CHARGING);
        frame = frame_of("00433F01#7FC0000000000000");
        assert_int_equal(pw_rectifier_read(drivers[d], &config, &frame, &report), PW_ERR_RANGE);
        assert_int_equal(report.terminal_mv, 76200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_huawei_orders_are_made),
        cmocka_unit_test(huawei_ids_carry_their_parts),
        cmocka_unit_test(huawei_members_past_their_bits_are_not_packed),
        cmocka_unit_test(other_shapes_are_not_read),
        cmocka_unit_test(huawei_quantities_are_scaled_by_1024),
        cmocka_unit_test(huawei_limits_are_shares_of_the_rated_current),
        cmocka_unit_test(huawei_running_status_survives_the_wire),
        cmocka_unit_test(the_worst_alarm_speaks_for_all),
        cmocka_unit_test(the_worked_infypower_frames_are_made),
        cmocka_unit_test(every_infypower_command_survives_the_wire),
        cmocka_unit_test(infypower_status_bits_stand_where_the_maker_puts_them),
        cmocka_unit_test(infypower_nonsense_is_refused_both_ways),
        cmocka_unit_test(the_terminal_report_is_volts_and_amperes),
        cmocka_unit_test(terminal_nonsense_is_refused_both_ways),
        cmocka_unit_test(terminal_values_survive_every_scale),
        cmocka_unit_test(a_command_reaches_the_module_of_every_maker),
        cmocka_unit_test(commands_out_of_range_make_no_frame),
        cmocka_unit_test(a_round_of_polls_fills_the_report_of_every_maker),
        cmocka_unit_test(limits_are_seen),
        cmocka_unit_test(only_the_own_module_is_heard),
        cmocka_unit_test(the_terminal_report_belongs_to_any_maker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
