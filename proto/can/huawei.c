// Huawei module messages.
//
// id   b28-23 protocol | b22-16 module address | b15-8 command | b7 1 = from the controller
//      b6-2 group | b1 0 hardware, 1 software address | b0 1 = more frames follow
// data 0-1 result (4 bits), signal (12 bits)   2-3 word   4-7 value
#include "can/huawei.h"

enum { Q10 = 1024, MILLI = 1000, SHARE_MAX = 16, STEP = 100 };

static const struct signal {
    uint16_t signal;
    enum pw_huawei_kind kind;
} signals[] = {
#define ROW(name_, number, kind_) {.signal = (number), .kind = PW_HUAWEI_##kind_},
    PW_HUAWEI_SIGNALS(ROW)
#undef ROW
};

static const struct signal *find(uint16_t number)
{
    for (size_t i = 0; i < PW_COUNT(signals); i++) {
        if (signals[i].signal == number) {
            return &signals[i];
        }
    }
    return NULL;
}

struct pw_huawei_message pw_huawei_ask(uint8_t address, enum pw_huawei_command command,
                                       uint16_t signal)
{
    return (struct pw_huawei_message){
        .protocol = PW_HUAWEI_CHARGING,
        .address = address,
        .command = (uint8_t)command,
        .from_controller = true,
        .group = PW_HUAWEI_NO_GROUP,
        .software_address = true,
        .signal = signal,
    };
}

struct pw_huawei_message pw_huawei_answer(const struct pw_huawei_message *asked)
{
    struct pw_huawei_message answer = *asked;
    answer.from_controller = false;
    answer.result = PW_HUAWEI_OK;
    return answer;
}

int pw_huawei_pack(const struct pw_huawei_message *from, struct pw_can_frame *frame)
{
    if (from->protocol > 0x3F || from->address > 0x7F || from->group > 0x1F || from->result > 0xF ||
        from->signal > 0xFFF) {
        return PW_ERR_RANGE;
    }
    *frame = pw_can_frame_29((uint32_t)from->protocol << 23 | (uint32_t)from->address << 16 |
                                 (uint32_t)from->command << 8 |
                                 (from->from_controller ? 0x80U : 0U) | (uint32_t)from->group << 2 |
                                 (from->software_address ? 2U : 0U) | (from->more ? 1U : 0U),
                             8);
    pw_set_be16(frame->data, (uint16_t)(from->result << 12 | from->signal));
    pw_set_be16(frame->data + 2, from->word);
    pw_set_be32(frame->data + 4, from->value);
    return PW_OK;
}

int pw_huawei_unpack(const struct pw_can_frame *frame, struct pw_huawei_message *to)
{
    uint8_t protocol = (uint8_t)(frame->id >> 23);
    if (!pw_can_is_29(frame) ||
        (protocol != PW_HUAWEI_CHARGING && protocol != PW_HUAWEI_RECTIFIER)) {
        return PW_ERR_UNKNOWN;
    }
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    uint16_t head = pw_be16(frame->data);
    *to = (struct pw_huawei_message){
        .protocol = protocol,
        .address = frame->id >> 16 & 0x7FU,
        .command = frame->id >> 8 & 0xFFU,
        .from_controller = (frame->id & 0x80U) != 0,
        .group = frame->id >> 2 & 0x1FU,
        .software_address = (frame->id & 2U) != 0,
        .more = (frame->id & 1U) != 0,
        .result = (uint8_t)(head >> 12),
        .signal = head & 0xFFFU,
        .word = pw_be16(frame->data + 2),
        .value = pw_be32(frame->data + 4),
    };
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------

static int64_t nearest(int64_t value, int64_t by)
{
    return (value >= 0 ? value + by / 2 : value - by / 2) / by;
}

int pw_huawei_q10(int32_t milli, uint32_t *value)
{
    int64_t scaled = nearest((int64_t)milli * Q10, MILLI);
    if (scaled < INT32_MIN || scaled > INT32_MAX) {
        return PW_ERR_RANGE;
    }
    *value = (uint32_t)scaled;
    return PW_OK;
}

int pw_huawei_milli(uint32_t value, int32_t *milli)
{
    int64_t read = value <= INT32_MAX ? (int64_t)value : (int64_t)value - ((int64_t)1 << 32);
    *milli = (int32_t)nearest(read * MILLI, Q10); // shrinks, so it fits
    return PW_OK;
}

int pw_huawei_share(int32_t limit_ma, int32_t rated_ma, uint32_t *value)
{
    if (rated_ma < 1 || limit_ma < 0 || limit_ma > (int64_t)rated_ma * SHARE_MAX) {
        return PW_ERR_RANGE;
    }
    *value = (uint32_t)((int64_t)limit_ma * Q10 / rated_ma);
    return PW_OK;
}

int pw_huawei_share_ma(uint32_t value, int32_t rated_ma, int32_t *limit_ma)
{
    if (rated_ma < 1 || value > Q10 * SHARE_MAX) {
        return PW_ERR_RANGE;
    }
    int64_t limit = nearest((int64_t)value * rated_ma, Q10);
    if (limit > INT32_MAX) {
        return PW_ERR_RANGE;
    }
    *limit_ma = (int32_t)limit;
    return PW_OK;
}

int pw_huawei_quantity(const struct pw_huawei_message *message, int32_t rated_ma, int32_t *milli)
{
    const struct signal *row = find(message->signal);
    switch (row == NULL ? PW_HUAWEI_RAW : row->kind) {
    case PW_HUAWEI_Q10: return pw_huawei_milli(message->value, milli);
    case PW_HUAWEI_SHARE: return pw_huawei_share_ma(message->value, rated_ma, milli);
    case PW_HUAWEI_RAW:
    case PW_HUAWEI_SWITCH:
    case PW_HUAWEI_BITS:
    case PW_HUAWEI_RUNNING: return PW_ERR_UNKNOWN;
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------

int pw_huawei_pack_running(const struct pw_huawei_running *from, struct pw_huawei_message *to)
{
    int32_t amps = from->output_ma / STEP;
    int32_t volts = from->output_mv / STEP;
    if (from->output_ma < 0 || amps > UINT16_MAX || from->output_mv < 0 || volts > UINT16_MAX) {
        return PW_ERR_RANGE;
    }
    to->signal = PW_HUAWEI_SIGNAL_RUNNING;
    to->word = from->bits;
    to->value = (uint32_t)amps << 16 | (uint32_t)volts;
    return PW_OK;
}

void pw_huawei_unpack_running(const struct pw_huawei_message *from, struct pw_huawei_running *to)
{
    to->bits = from->word;
    to->output_ma = (int32_t)(from->value >> 16) * STEP;
    to->output_mv = (int32_t)(from->value & 0xFFFFU) * STEP;
}

// clang-format off
static const struct pw_can_alarm alarms[] = {
    { 0, PW_CAN_FAILS, "over_voltage_latched"},
    { 1, PW_CAN_WARNS, "ambient_hot"},
    { 2, PW_CAN_FAILS, "fault_off"},
    { 3, PW_CAN_FAILS, "protection_off"},
    { 4, PW_CAN_FAILS, "fan"},
    { 5, PW_CAN_WARNS, "eeprom"},
    { 6, PW_CAN_FAILS, "output_over_current"},
    { 7, PW_CAN_FAILS, "output_under_voltage"},
    { 8, PW_CAN_WARNS, "ambient_cold"},
    { 9, PW_CAN_CALM,  "off"},
    {10, PW_CAN_CALM,  "fan_full"},
    {12, PW_CAN_FAILS, "internal_hot"},
    {13, PW_CAN_CALM,  "addressing"},
    {14, PW_CAN_CALM,  "auto_range"},
    {15, PW_CAN_WARNS, "can_bad"},
    {16, PW_CAN_CALM,  "sequential_start"},
    {17, PW_CAN_WARNS, "input_under_voltage"},
    {18, PW_CAN_WARNS, "input_imbalance"},
    {19, PW_CAN_WARNS, "phase_loss"},
    {20, PW_CAN_WARNS, "sharing_severe"},
    {21, PW_CAN_WARNS, "serial_repeated"},
    {22, PW_CAN_WARNS, "input_over_voltage"},
    {23, PW_CAN_FAILS, "pfc"},
    {24, PW_CAN_WARNS, "sharing"},
    {26, PW_CAN_FAILS, "internal_comm"},
    {27, PW_CAN_FAILS, "short_circuit_limiting"},
    {28, PW_CAN_CALM,  "current_limiting"},
    {29, PW_CAN_FAILS, "input_lost"},
    {30, PW_CAN_WARNS, "pfc_bus_imbalance"},
    {31, PW_CAN_FAILS, "pfc_bus_voltage"},
    // bits of the word
    {32, PW_CAN_FAILS, "not_seated"},
    {33, PW_CAN_CALM,  "range"},
    {34, PW_CAN_FAILS, "capacitor_over_voltage"},
    {35, PW_CAN_WARNS, "capacitor_imbalance"},
    {36, PW_CAN_WARNS, "comm_lost"}, // clears by itself once the controller is heard again
    {37, PW_CAN_WARNS, "sharing_off"},
    {38, PW_CAN_WARNS, "address_conflict"},
    {39, PW_CAN_WARNS, "address_bad"},
    {40, PW_CAN_WARNS, "discharge_circuit"},
    {42, PW_CAN_FAILS, "short_latched"},
    {43, PW_CAN_FAILS, "relay_circuit"},
    {44, PW_CAN_FAILS, "discharge"},
    {45, PW_CAN_FAILS, "output_relay"},
    {46, PW_CAN_WARNS, "load_oscillation"},
    {47, PW_CAN_WARNS, "test_mode"},
};
// clang-format on

uint64_t pw_huawei_alarm_bits(const struct pw_huawei_message *message)
{
    return (uint64_t)message->word << 32 | message->value;
}

const struct pw_can_alarm *pw_huawei_worst_alarm(uint64_t bits)
{
    return pw_can_worst_alarm(alarms, PW_COUNT(alarms), bits);
}
