// The Lawicel text protocol.
//   tIIILDD..   frame, 11 bits of id   TIIIIIIIILDD..  29 bits   rIIIL RIIIIIIIIL  remote
//   Fxx         status flags           sXrrrttt        state a w p b (f) and counters
//   \r          yes                    \a              no        zz Z  frame taken
// A frame may end in four more digits: a time stamp.
#include "can/slcan.h"

#include <string.h>

enum { STAMP = 4, STATUS_LEN = 8 };

static const char rates[] = "012345678";
static const uint32_t rate_of[] = {10000,  20000,  50000,  100000, 125000,
                                   250000, 500000, 800000, 1000000};

int pw_slcan_bitrate(uint32_t bitrate, char *digit)
{
    for (size_t i = 0; i < PW_COUNT(rate_of); i++) {
        if (rate_of[i] == bitrate) {
            *digit = rates[i];
            return PW_OK;
        }
    }
    return PW_ERR_RANGE;
}

void pw_slcan_print(struct pw_out *out, const struct pw_can_frame *frame)
{
    PW_ASSERT(pw_can_valid(frame));
    if (frame->remote) {
        pw_put_c(out, frame->extended ? 'R' : 'r');
    } else {
        pw_put_c(out, frame->extended ? 'T' : 't');
    }
    pw_put_hex(out, frame->id, frame->extended ? 8 : 3);
    pw_put_hex(out, frame->len, 1);
    for (unsigned i = 0; i < frame->len && !frame->remote; i++) {
        pw_put_hex(out, frame->data[i], 2);
    }
    pw_put_c(out, '\r');
}

enum pw_can_state pw_slcan_flags_state(uint8_t flags)
{
    if ((flags & PW_SLCAN_PASSIVE) != 0) {
        return PW_CAN_PASSIVE;
    }
    return (flags & PW_SLCAN_WARNING) != 0 ? PW_CAN_WARNING : PW_CAN_ACTIVE;
}

// ---------------------------------------------------------------------------------------------

// `digits` hex digits from `at` on.
static bool hex(struct pw_str text, size_t at, size_t digits, uint32_t *value)
{
    char padded[8];
    uint8_t bytes[4];
    PW_ASSERT(digits >= 1 && digits <= sizeof(padded));
    if (at + digits > text.len) {
        return false;
    }
    memset(padded, '0', sizeof(padded));
    memcpy(padded + (sizeof(padded) - digits), text.at + at, digits);
    struct pw_str all = {.at = padded, .len = sizeof(padded)};
    if (pw_parse_hex(all, bytes, sizeof(bytes)) != (int)sizeof(bytes)) {
        return false;
    }
    *value = pw_be32(bytes);
    return true;
}

static bool read_frame(struct pw_str text, struct pw_can_frame *frame)
{
    struct pw_can_frame read = {.extended = text.at[0] == 'T' || text.at[0] == 'R',
                                .remote = text.at[0] == 'r' || text.at[0] == 'R'};
    size_t at = read.extended ? 9 : 4;
    uint32_t len;
    if (!hex(text, 1, at - 1, &read.id) || !hex(text, at, 1, &len) || len > PW_CAN_DATA_MAX) {
        return false;
    }
    at++;
    read.len = (uint8_t)len;
    struct pw_str data = {.at = text.at + at, .len = read.remote ? 0 : 2UL * len};
    if (!pw_can_valid(&read) || (text.len != at + data.len && text.len != at + data.len + STAMP) ||
        pw_parse_hex(data, read.data, sizeof(read.data)) < 0) {
        return false;
    }
    *frame = read;
    return true;
}

static bool read_status(struct pw_str text, enum pw_can_state *state)
{
    static const struct {
        char letter;
        enum pw_can_state state;
    } states[] = {
        {'a', PW_CAN_ACTIVE}, {'w', PW_CAN_WARNING}, {'p', PW_CAN_PASSIVE},
        {'b', PW_CAN_OFF},    {'f', PW_CAN_OFF},
    };
    for (size_t i = 0; i < PW_COUNT(states) && text.len == STATUS_LEN; i++) {
        if (states[i].letter == text.at[1]) {
            *state = states[i].state;
            return true;
        }
    }
    return false;
}

static enum pw_slcan_kind read_flags(struct pw_str text, uint8_t *flags)
{
    uint32_t value;
    if (text.len != 3 || !hex(text, 1, 2, &value)) {
        return PW_SLCAN_NOTHING;
    }
    *flags = (uint8_t)value;
    return PW_SLCAN_FLAGS;
}

// What a whole line is; NOTHING for an unknown one.
static enum pw_slcan_kind read_line(struct pw_str text, struct pw_slcan_line *line)
{
    switch (text.at[0]) {
    case 't':
    case 'T':
    case 'r':
    case 'R': return read_frame(text, &line->frame) ? PW_SLCAN_FRAME : PW_SLCAN_NOTHING;
    case 'F': return read_flags(text, &line->flags);
    case 's': return read_status(text, &line->state) ? PW_SLCAN_STATUS : PW_SLCAN_NOTHING;
    case 'z':
    case 'Z': return text.len == 1 ? PW_SLCAN_YES : PW_SLCAN_NOTHING;
    default: return PW_SLCAN_NOTHING; // versions, serial numbers, error details
    }
}

void pw_slcan_feed(struct pw_slcan *slcan, char byte, struct pw_slcan_line *line)
{
    *line = (struct pw_slcan_line){.kind = PW_SLCAN_NOTHING};
    PW_ASSERT(slcan->len <= sizeof(slcan->line));
    if (byte != '\r' && byte != '\a') {
        slcan->too_long = slcan->too_long || slcan->len == sizeof(slcan->line);
        if (!slcan->too_long && byte != '\n') {
            slcan->line[slcan->len++] = byte;
        }
        return;
    }
    struct pw_str text = {.at = slcan->line, .len = slcan->len};
    bool whole = !slcan->too_long;
    slcan->len = 0;
    slcan->too_long = false;
    if (byte == '\a') {
        line->kind = PW_SLCAN_NO;
    } else if (whole && text.len == 0) {
        line->kind = PW_SLCAN_YES;
    } else if (whole) {
        line->kind = read_line(text, line);
    }
    slcan->bad += line->kind == PW_SLCAN_NOTHING ? 1 : 0;
}
