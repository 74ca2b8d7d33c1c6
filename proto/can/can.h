// can: one frame of classic CAN, its text notation, and the state of a bus.
#ifndef PW_CAN_H
#define PW_CAN_H

#include "base/base.h"

#define PW_CAN_DATA_MAX 8

struct pw_can_frame {
    uint32_t id; // 11 or 29 bits, no flags
    bool extended;
    bool remote;
    uint8_t len; // 0..8
    uint8_t data[PW_CAN_DATA_MAX];
};

// How a controller stands on its bus (ISO 11898-1). SILENT is the station's own finding: the
// controller is well, but nobody speaks. DOWN: there is no wire at all.
enum pw_can_state {
    PW_CAN_DOWN,
    PW_CAN_ACTIVE,
    PW_CAN_WARNING,
    PW_CAN_PASSIVE,
    PW_CAN_OFF,
    PW_CAN_SILENT,
};

const char *pw_can_state_name(enum pw_can_state state);

// The notation of candump and cansend: "18FF50E5#035C0410000263FF", "123#R8" (8 hex digits of id
// mean 29 bits, 3 mean 11 bits). facts/dc-can.md §5.2.
void pw_can_print(struct pw_out *out, const struct pw_can_frame *frame);
PW_MUST_USE int pw_can_parse(struct pw_str text, struct pw_can_frame *frame);

#endif
