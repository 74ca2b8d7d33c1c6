// Rivot terminal reports. 29-bit id, 8 bytes, big-endian.
//
// 0x00433F01  0-3 volts at the terminals, float   4-7 amperes, float
// 0x00473F01  6-7 03 01 not charging, 03 02 charging; 0-5 unknown, sent as 0
#include "can/rivot.h"

#include "can/float32.h"

enum { SCALE_ONE = 1000, SCALE_MAX = 10000 };

static int64_t scale_of(const struct pw_rivot_config *config)
{
    return config->scale_permille == 0 ? SCALE_ONE : config->scale_permille;
}

static uint32_t terminal_id(const struct pw_rivot_config *config)
{
    return config->terminal_id == 0 ? PW_RIVOT_TERMINAL_ID : config->terminal_id;
}

static uint32_t charging_id(const struct pw_rivot_config *config)
{
    return config->charging_id == 0 ? PW_RIVOT_CHARGING_ID : config->charging_id;
}

static bool within(int64_t milli)
{
    return milli >= -PW_RIVOT_VALUE_MAX && milli <= PW_RIVOT_VALUE_MAX;
}

static int pack_value(int64_t scale, int32_t milli, uint8_t *at)
{
    int64_t sent = (int64_t)milli * SCALE_ONE / scale;
    if (!within(milli)) {
        return PW_ERR_RANGE;
    }
    pw_set_be32(at, pw_float32_of_milli((int32_t)sent));
    return PW_OK;
}

static int unpack_value(int64_t scale, const uint8_t *at, int32_t *milli)
{
    int32_t sent;
    if (pw_float32_milli(pw_be32(at), INT32_MAX, &sent) != PW_OK) {
        return PW_ERR_RANGE;
    }
    int64_t value = sent * scale / SCALE_ONE;
    if (!within(value)) {
        return PW_ERR_RANGE;
    }
    *milli = (int32_t)value;
    return PW_OK;
}

int pw_rivot_pack_terminal(const struct pw_rivot_config *config,
                           const struct pw_rivot_terminal *from, struct pw_can_frame *frame)
{
    int64_t scale = scale_of(config);
    struct pw_can_frame made = {.id = terminal_id(config), .extended = true, .len = 8};
    if (!pw_can_valid(&made) || scale > SCALE_MAX ||
        pack_value(scale, from->voltage_mv, made.data) != PW_OK ||
        pack_value(scale, from->current_ma, made.data + 4) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *frame = made;
    return PW_OK;
}

int pw_rivot_unpack_terminal(const struct pw_rivot_config *config, const struct pw_can_frame *frame,
                             struct pw_rivot_terminal *to)
{
    int64_t scale = scale_of(config);
    struct pw_rivot_terminal read;
    if (!pw_can_is_29(frame) || frame->id != terminal_id(config)) {
        return PW_ERR_UNKNOWN;
    }
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    if (scale > SCALE_MAX || unpack_value(scale, frame->data, &read.voltage_mv) != PW_OK ||
        unpack_value(scale, frame->data + 4, &read.current_ma) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *to = read;
    return PW_OK;
}

void pw_rivot_pack_charging(const struct pw_rivot_config *config, bool charging,
                            struct pw_can_frame *frame)
{
    *frame = pw_can_frame_29(charging_id(config), 8);
    frame->data[6] = 3;
    frame->data[7] = charging ? 2 : 1;
}

int pw_rivot_unpack_charging(const struct pw_rivot_config *config, const struct pw_can_frame *frame,
                             bool *charging)
{
    if (!pw_can_is_29(frame) || frame->id != charging_id(config)) {
        return PW_ERR_UNKNOWN;
    }
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    if (frame->data[6] != 3 || (frame->data[7] != 1 && frame->data[7] != 2)) {
        return PW_ERR_RANGE;
    }
    *charging = frame->data[7] == 2;
    return PW_OK;
}
