// Frames: text notation, and the state of a controller from its error frames.
#include "can/can.h"

#include <string.h>

static const char *const state_names[] = {
    [PW_CAN_DOWN] = "down",       [PW_CAN_ACTIVE] = "active", [PW_CAN_WARNING] = "warning",
    [PW_CAN_PASSIVE] = "passive", [PW_CAN_OFF] = "bus-off",   [PW_CAN_SILENT] = "silent",
};

const char *pw_can_state_name(enum pw_can_state state)
{
    PW_ASSERT((size_t)state < PW_COUNT(state_names));
    return state_names[state];
}

bool pw_can_valid(const struct pw_can_frame *frame)
{
    return frame->len <= PW_CAN_DATA_MAX &&
           frame->id <= (frame->extended ? PW_CAN_ID_29_MAX : PW_CAN_ID_11_MAX);
}

static struct pw_can_frame blank(uint32_t id, bool extended, uint8_t len)
{
    struct pw_can_frame frame = {.id = id, .extended = extended, .len = len};
    PW_ASSERT(pw_can_valid(&frame));
    return frame;
}

struct pw_can_frame pw_can_frame_29(uint32_t id, uint8_t len)
{
    return blank(id, true, len);
}

struct pw_can_frame pw_can_frame_11(uint32_t id, uint8_t len)
{
    return blank(id, false, len);
}

bool pw_can_is_29(const struct pw_can_frame *frame)
{
    return frame->extended && !frame->remote;
}

bool pw_can_is_11(const struct pw_can_frame *frame)
{
    return !frame->extended && !frame->remote;
}

void pw_can_print(struct pw_out *out, const struct pw_can_frame *frame)
{
    PW_ASSERT(frame->len <= PW_CAN_DATA_MAX);
    pw_put_hex(out, frame->id, frame->extended ? 8 : 3);
    pw_put_c(out, '#');
    if (frame->remote) {
        pw_put_c(out, 'R');
        pw_put_uint(out, frame->len);
        return;
    }
    for (unsigned i = 0; i < frame->len; i++) {
        pw_put_hex(out, frame->data[i], 2);
    }
}

static int parse_id(struct pw_str text, struct pw_can_frame *frame)
{
    char digits[8] = "00000000";
    uint8_t bytes[4];
    if (text.len != 3 && text.len != 8) {
        return PW_ERR_PEER;
    }
    memcpy(digits + (sizeof(digits) - text.len), text.at, text.len);
    struct pw_str padded = {.at = digits, .len = sizeof(digits)};
    if (pw_parse_hex(padded, bytes, sizeof(bytes)) != (int)sizeof(bytes)) {
        return PW_ERR_PEER;
    }
    frame->id = pw_be32(bytes);
    frame->extended = text.len == 8;
    return pw_can_valid(frame) ? PW_OK : PW_ERR_RANGE;
}

// "R" or "R8".
static int parse_remote(struct pw_str text, struct pw_can_frame *frame)
{
    int64_t len = 0;
    frame->remote = true;
    if (text.len > 1) {
        struct pw_str digits = {.at = text.at + 1, .len = text.len - 1};
        int err = digits.len > 1 || digits.at[0] == '-'
                      ? PW_ERR_PEER
                      : pw_parse_int(digits, 0, PW_CAN_DATA_MAX, &len);
        if (err != PW_OK) {
            return err;
        }
    }
    frame->len = (uint8_t)len;
    return PW_OK;
}

static int parse_data(struct pw_str text, struct pw_can_frame *frame)
{
    while (text.len > 0) {
        struct pw_str pair = {.at = text.at, .len = text.len < 2 ? text.len : 2};
        if (frame->len == PW_CAN_DATA_MAX) {
            return PW_ERR_RANGE;
        }
        if (pw_parse_hex(pair, &frame->data[frame->len], 1) != 1) {
            return PW_ERR_PEER;
        }
        frame->len++;
        text.at += 2;
        text.len -= 2;
        if (text.len > 0 && text.at[0] == '.') {
            text.at++;
            text.len--;
        }
    }
    return PW_OK;
}

int pw_can_parse(struct pw_str text, struct pw_can_frame *frame)
{
    struct pw_can_frame read = {0};
    struct pw_str rest = text;
    struct pw_str id = pw_str_cut(&rest, '#');
    if (id.len == text.len) {
        return PW_ERR_PEER;
    }
    int err = parse_id(id, &read);
    if (err == PW_OK) {
        bool remote = rest.len > 0 && (rest.at[0] == 'R' || rest.at[0] == 'r');
        err = remote ? parse_remote(rest, &read) : parse_data(rest, &read);
    }
    if (err == PW_OK) {
        *frame = read;
    }
    return err;
}

// ---------------------------------------------------------------------------------------------

static enum pw_can_state from_counters(uint8_t transmit, uint8_t receive)
{
    uint8_t worst = transmit > receive ? transmit : receive;
    return worst >= 128 ? PW_CAN_PASSIVE : worst >= 96 ? PW_CAN_WARNING : PW_CAN_ACTIVE;
}

enum pw_can_state pw_can_state_after(enum pw_can_state state, const struct pw_can_error *error)
{
    uint8_t controller = error->data[1];
    if ((error->classes & PW_CAN_ERROR_BUS_OFF) != 0) {
        return PW_CAN_OFF;
    }
    if ((error->classes & PW_CAN_ERROR_RESTARTED) != 0) {
        return PW_CAN_ACTIVE;
    }
    if ((error->classes & PW_CAN_ERROR_CONTROLLER) != 0) {
        if ((controller & PW_CAN_CONTROLLER_ACTIVE) != 0) {
            return PW_CAN_ACTIVE;
        }
        if (state == PW_CAN_OFF) {
            return state;
        }
        if ((controller & (PW_CAN_CONTROLLER_RX_PASSIVE | PW_CAN_CONTROLLER_TX_PASSIVE)) != 0) {
            return PW_CAN_PASSIVE;
        }
        if ((controller & (PW_CAN_CONTROLLER_RX_WARNING | PW_CAN_CONTROLLER_TX_WARNING)) != 0) {
            return PW_CAN_WARNING;
        }
    }
    if ((error->classes & PW_CAN_ERROR_COUNTERS) != 0 && state != PW_CAN_OFF) {
        return from_counters(error->data[6], error->data[7]);
    }
    return state;
}
