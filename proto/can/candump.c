#include "can/candump.h"

#include <string.h>

enum { MICRO_DIGITS = 6 };

// "(1700000000.123456)"
static int parse_stamp(struct pw_str text, uint64_t *at_us)
{
    int64_t value;
    if (text.len < 3 || text.at[0] != '(' || text.at[1] == '-' || text.at[text.len - 1] != ')') {
        return PW_ERR_PEER;
    }
    struct pw_str number = {.at = text.at + 1, .len = text.len - 2};
    int err = pw_parse_fixed(number, MICRO_DIGITS, &value);
    if (err == PW_OK) {
        *at_us = (uint64_t)value;
    }
    return err;
}

// An error frame is written with its flag in the id: "20000040#0000000000000000".
static int parse_error(struct pw_str text, struct pw_candump_line *read)
{
    char plain[PW_CAN_TEXT_MAX];
    struct pw_can_frame frame;
    if (pw_str_copy(plain, sizeof(plain), text) != PW_OK) {
        return PW_ERR_PEER;
    }
    plain[0] = plain[0] == '2' ? '0' : '1';
    int err = pw_can_parse(pw_str_of(plain), &frame);
    if (err != PW_OK) {
        return err;
    }
    if (frame.remote || frame.len != PW_CAN_DATA_MAX) {
        return PW_ERR_PEER;
    }
    read->is_error = true;
    read->error.classes = frame.id;
    memcpy(read->error.data, frame.data, sizeof(frame.data));
    return PW_OK;
}

static int parse_frame(struct pw_str text, struct pw_candump_line *read)
{
    struct pw_str rest = text;
    struct pw_str id = pw_str_cut(&rest, '#');
    if (rest.len > 0 && rest.at[0] == '#') {
        return PW_ERR_UNKNOWN;
    }
    if (id.len == 8 && (id.at[0] == '2' || id.at[0] == '3')) {
        return parse_error(text, read);
    }
    return pw_can_parse(text, &read->frame);
}

int pw_candump_parse(struct pw_str text, struct pw_candump_line *to)
{
    struct pw_candump_line read = {0};
    struct pw_str rest = pw_str_trim(text);
    struct pw_str stamp = pw_str_cut(&rest, ' ');
    rest = pw_str_trim(rest);
    read.device = pw_str_cut(&rest, ' ');
    rest = pw_str_trim(rest);
    struct pw_str frame = pw_str_cut(&rest, ' ');
    struct pw_str direction = pw_str_trim(rest);
    int err = parse_stamp(stamp, &read.at_us);
    if (err != PW_OK) {
        return err;
    }
    if (read.device.len == 0 || frame.len == 0 ||
        (direction.len > 0 && !pw_str_is(direction, "R") && !pw_str_is(direction, "T"))) {
        return PW_ERR_PEER;
    }
    err = parse_frame(frame, &read);
    if (err == PW_OK) {
        *to = read;
    }
    return err;
}
