// Infypower messages.
//
// id   b28-26 result | b25-22 device | b21-16 command | b15-8 destination | b7-0 source
// data by command, big-endian; a question carries eight zero bytes:
//   01 03     0-3 volts float       4-7 amperes float
//   02        2 modules of the group
//   04        2 group  4 ambient degC (signed)  5-7 status bits
//   06        0-1 2-3 4-5 mains 0.1 V
//   08 09     0-3 mV                4-7 mA                 1B 1C the same, as orders
//   0A        0-1 highest V  2-3 lowest V  4-5 highest 0.1 A  6-7 rated 10 W
//   0C        0-1 external 0.1 V    2-3 available 0.1 A
//   0F        0-1 sub-command       7 value
//   13 14 16 19 1A 1F   0 value
//   07 0B 23 24 and others          0-7 as they are
#include "can/infypower.h"

#include "can/fields.h"

#include <string.h>

enum { STEP = 100, CONTROLLERS = 0xF0 };

// The bounds are a pair: SIGNED_MAX, PLAIN_MAX or WIDTH (as wide as the field).
#define ROW(name, at_, size_, kind_, scale_, bounds)                                               \
    {                                                                                              \
        .at = (at_), .size = (size_), .kind = PW_CAN_FIELD_##kind_, .scale = (scale_), bounds,     \
        .member = offsetof(struct pw_infypower_message, name)                                      \
    }
#define SIGNED_MAX .min = -PW_INFYPOWER_VALUE_MAX, .max = PW_INFYPOWER_VALUE_MAX
#define PLAIN_MAX  .min = 0, .max = PW_INFYPOWER_VALUE_MAX
#define WIDTH      .min = 0, .max = 0

static const struct pw_can_field float_fields[] = {
    ROW(voltage_mv, 0, 4, FLOAT, 1, SIGNED_MAX),
    ROW(current_ma, 4, 4, FLOAT, 1, SIGNED_MAX),
};
static const struct pw_can_field milli_fields[] = {
    ROW(voltage_mv, 0, 4, UNSIGNED, 1, PLAIN_MAX),
    ROW(current_ma, 4, 4, UNSIGNED, 1, PLAIN_MAX),
};
static const struct pw_can_field count_fields[] = {ROW(count, 2, 1, UNSIGNED, 1, WIDTH)};
static const struct pw_can_field status_fields[] = {
    ROW(group, 2, 1, UNSIGNED, 1, WIDTH),
    ROW(ambient_dc, 4, 1, SIGNED, 10, WIDTH),
    ROW(status, 5, 3, UNSIGNED, 1, WIDTH),
};
static const struct pw_can_field input_fields[] = {
    ROW(input_mv[0], 0, 2, UNSIGNED, STEP, WIDTH),
    ROW(input_mv[1], 2, 2, UNSIGNED, STEP, WIDTH),
    ROW(input_mv[2], 4, 2, UNSIGNED, STEP, WIDTH),
};
static const struct pw_can_field capability_fields[] = {
    ROW(voltage_max_mv, 0, 2, UNSIGNED, 1000, WIDTH),
    ROW(voltage_min_mv, 2, 2, UNSIGNED, 1000, WIDTH),
    ROW(current_max_ma, 4, 2, UNSIGNED, STEP, WIDTH),
    ROW(power_w, 6, 2, UNSIGNED, 10, WIDTH),
};
static const struct pw_can_field output_fields[] = {
    ROW(voltage_mv, 0, 2, UNSIGNED, STEP, WIDTH),
    ROW(current_ma, 2, 2, UNSIGNED, STEP, WIDTH),
};
static const struct pw_can_field composite_fields[] = {
    ROW(sub_command, 0, 2, UNSIGNED, 1, WIDTH),
    ROW(argument, 7, 1, UNSIGNED, 1, WIDTH),
};
static const struct pw_can_field argument_fields[] = {ROW(argument, 0, 1, UNSIGNED, 1, WIDTH)};

#define FIELDS(rows) (rows), PW_COUNT(rows)

// One row a command. A command that is read is a question on its way to the module; the others
// carry their data both ways (orders, and their echo).
static const struct command {
    uint8_t command;
    bool read;
    const struct pw_can_field *fields;
    size_t count;
} commands[] = {
    {PW_INFYPOWER_SYSTEM_FLOAT, true, FIELDS(float_fields)},
    {PW_INFYPOWER_COUNT, true, FIELDS(count_fields)},
    {PW_INFYPOWER_MODULE_FLOAT, true, FIELDS(float_fields)},
    {PW_INFYPOWER_STATUS, true, FIELDS(status_fields)},
    {PW_INFYPOWER_INPUT, true, FIELDS(input_fields)},
    {PW_INFYPOWER_SYSTEM_MILLI, true, FIELDS(milli_fields)},
    {PW_INFYPOWER_MODULE_MILLI, true, FIELDS(milli_fields)},
    {PW_INFYPOWER_CAPABILITY, true, FIELDS(capability_fields)},
    {PW_INFYPOWER_OUTPUT, true, FIELDS(output_fields)},
    {PW_INFYPOWER_COMPOSITE, false, FIELDS(composite_fields)},
    {PW_INFYPOWER_WALK_IN, false, FIELDS(argument_fields)},
    {PW_INFYPOWER_BLINK, false, FIELDS(argument_fields)},
    {PW_INFYPOWER_SET_GROUP, false, FIELDS(argument_fields)},
    {PW_INFYPOWER_SLEEP, false, FIELDS(argument_fields)},
    {PW_INFYPOWER_ON_OFF, false, FIELDS(argument_fields)},
    {PW_INFYPOWER_SET_SYSTEM, false, FIELDS(milli_fields)},
    {PW_INFYPOWER_SET_MODULE, false, FIELDS(milli_fields)},
    {PW_INFYPOWER_ADDRESS_MODE, false, FIELDS(argument_fields)},
};

static const struct command *find(uint8_t command)
{
    for (size_t i = 0; i < PW_COUNT(commands); i++) {
        if (commands[i].command == command) {
            return &commands[i];
        }
    }
    return NULL;
}

struct pw_infypower_message pw_infypower_ask(uint8_t module, enum pw_infypower_command command)
{
    const struct command *row = find((uint8_t)command);
    return (struct pw_infypower_message){
        .device = PW_INFYPOWER_SINGLE,
        .command = (uint8_t)command,
        .destination = module,
        .source = PW_INFYPOWER_CONTROLLER,
        .reading = row != NULL && row->read,
    };
}

struct pw_infypower_message pw_infypower_answer(const struct pw_infypower_message *asked)
{
    struct pw_infypower_message answer = *asked;
    answer.result = PW_INFYPOWER_OK;
    answer.destination = asked->source;
    answer.source = asked->destination;
    answer.reading = false;
    return answer;
}

int pw_infypower_pack(const struct pw_infypower_message *from, struct pw_can_frame *frame)
{
    const struct command *row = find(from->command);
    if (from->result > 7 || from->device > 0xF || from->command > 0x3F) {
        return PW_ERR_RANGE;
    }
    struct pw_can_frame made = pw_can_frame_29(
        (uint32_t)from->result << 26 | (uint32_t)from->device << 22 |
            (uint32_t)from->command << 16 | (uint32_t)from->destination << 8 | from->source,
        8);
    if (row == NULL) {
        memcpy(made.data, from->raw, sizeof(made.data));
    } else if (!from->reading &&
               pw_can_fields_pack(row->fields, row->count, from, made.data) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *frame = made;
    return PW_OK;
}

int pw_infypower_unpack(const struct pw_can_frame *frame, struct pw_infypower_message *to)
{
    uint8_t device = frame->id >> 22 & 0xFU;
    if (!pw_can_is_29(frame) || (device != PW_INFYPOWER_SINGLE && device != PW_INFYPOWER_GROUP)) {
        return PW_ERR_UNKNOWN;
    }
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    struct pw_infypower_message read = {
        .result = (uint8_t)(frame->id >> 26),
        .device = device,
        .command = frame->id >> 16 & 0x3FU,
        .destination = frame->id >> 8 & 0xFFU,
        .source = frame->id & 0xFFU,
    };
    const struct command *row = find(read.command);
    memcpy(read.raw, frame->data, sizeof(read.raw));
    read.reading = row != NULL && row->read && read.destination < CONTROLLERS;
    if (row != NULL && !read.reading &&
        pw_can_fields_unpack(row->fields, row->count, frame->data, &read) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *to = read;
    return PW_OK;
}

// clang-format off
static const struct pw_can_alarm alarms[] = {
    { 0, PW_CAN_FAILS, "short_circuit"},
    { 4, PW_CAN_CALM,  "sleeping"},
    { 5, PW_CAN_WARNS, "discharge"},
    { 8, PW_CAN_CALM,  "off"},
    { 9, PW_CAN_FAILS, "fault"},
    {10, PW_CAN_FAILS, "protection"},
    {11, PW_CAN_FAILS, "fan"},
    {12, PW_CAN_FAILS, "hot"},
    {13, PW_CAN_FAILS, "output_over_voltage"},
    {14, PW_CAN_CALM,  "walking_in"},
    {15, PW_CAN_WARNS, "comm_lost"}, // clears by itself once the controller is heard again
    {16, PW_CAN_CALM,  "power_limited"},
    {17, PW_CAN_WARNS, "address_conflict"},
    {18, PW_CAN_WARNS, "sharing"},
    {19, PW_CAN_WARNS, "phase_loss"},
    {20, PW_CAN_WARNS, "input_imbalance"},
    {21, PW_CAN_WARNS, "input_under_voltage"},
    {22, PW_CAN_WARNS, "input_over_voltage"},
    {23, PW_CAN_CALM,  "pfc_off"},
};
// clang-format on

const struct pw_can_alarm *pw_infypower_worst_alarm(uint32_t status)
{
    return pw_can_worst_alarm(alarms, PW_COUNT(alarms), status);
}
