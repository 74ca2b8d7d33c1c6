// candump: one line of a candump log: "(1700000000.123456) can0 1806E5F4#035C0410000263FF". A third
// column R or T (can-utils) may follow. Source: facts/dc-can.md §5.2.
#ifndef PW_CAN_CANDUMP_H
#define PW_CAN_CANDUMP_H

#include "can/can.h"

struct pw_candump_line {
    uint64_t at_us;       // since 1970, or since any start
    struct pw_str device; // view into the text
    bool is_error;
    struct pw_can_frame frame;
    struct pw_can_error error;
};

// `text` without its line end. PW_ERR_PEER when it is no such line, PW_ERR_RANGE for an id or
// length out of range, PW_ERR_UNKNOWN for a CAN FD frame.
PW_MUST_USE int pw_candump_parse(struct pw_str text, struct pw_candump_line *to);

#endif
