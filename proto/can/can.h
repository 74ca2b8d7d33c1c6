// can: one frame of classic CAN, its text notation, the error frames a controller gives, and the
// state of a bus.
#ifndef PW_CAN_H
#define PW_CAN_H

#include "base/base.h"

#define PW_CAN_DATA_MAX  8
#define PW_CAN_ID_11_MAX 0x7FFU
#define PW_CAN_ID_29_MAX 0x1FFFFFFFU
#define PW_CAN_TEXT_MAX  26 // "18FF50E5#035C0410000263FF" and its NUL

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

// "down", "active", "warning", "passive", "bus-off", "silent".
const char *pw_can_state_name(enum pw_can_state state);

// Whether id, len and flags are within their ranges; every wire checks before it sends.
bool pw_can_valid(const struct pw_can_frame *frame);

// A data frame with 29 (11) bits of id and `len` bytes of zero. The id is ours, so it is asserted.
struct pw_can_frame pw_can_frame_29(uint32_t id, uint8_t len);
struct pw_can_frame pw_can_frame_11(uint32_t id, uint8_t len);

// True for a data frame of this id width.
bool pw_can_is_29(const struct pw_can_frame *frame);
bool pw_can_is_11(const struct pw_can_frame *frame);

// The notation of candump and cansend: "18FF50E5#035C0410000263FF", "123#R8" (8 hex digits of id
// mean 29 bits, 3 mean 11 bits). facts/dc-can.md §5.2.
void pw_can_print(struct pw_out *out, const struct pw_can_frame *frame);
// PW_ERR_PEER when it is no frame, PW_ERR_RANGE when the id or the length is out of range; *frame
// is left alone on error. '.' may stand between data bytes, as in cansend.
PW_MUST_USE int pw_can_parse(struct pw_str text, struct pw_can_frame *frame);

// ---------------------------------------------------------------------------------------------
// Error frames: what a controller says about itself, in the numbers of SocketCAN (class bits in the
// id, detail in the data; facts/dc-can.md §5.1).

#define PW_CAN_ERROR_TX_TIMEOUT  0x001U
#define PW_CAN_ERROR_ARBITRATION 0x002U
#define PW_CAN_ERROR_CONTROLLER  0x004U // data[1]
#define PW_CAN_ERROR_PROTOCOL    0x008U // data[2], data[3]
#define PW_CAN_ERROR_TRANSCEIVER 0x010U
#define PW_CAN_ERROR_NO_ACK      0x020U
#define PW_CAN_ERROR_BUS_OFF     0x040U
#define PW_CAN_ERROR_BUS         0x080U
#define PW_CAN_ERROR_RESTARTED   0x100U
#define PW_CAN_ERROR_COUNTERS    0x200U // data[6] transmit, data[7] receive

#define PW_CAN_CONTROLLER_RX_OVERFLOW 0x01U // of data[1]
#define PW_CAN_CONTROLLER_TX_OVERFLOW 0x02U
#define PW_CAN_CONTROLLER_RX_WARNING  0x04U
#define PW_CAN_CONTROLLER_TX_WARNING  0x08U
#define PW_CAN_CONTROLLER_RX_PASSIVE  0x10U
#define PW_CAN_CONTROLLER_TX_PASSIVE  0x20U
#define PW_CAN_CONTROLLER_ACTIVE      0x40U

struct pw_can_error {
    uint32_t classes; // PW_CAN_ERROR_*
    uint8_t data[PW_CAN_DATA_MAX];
};

// The state after this error frame. Bus-off wins over everything and is left only by RESTARTED or
// by an explicit "active again"; an error that says nothing about the state keeps it.
enum pw_can_state pw_can_state_after(enum pw_can_state state, const struct pw_can_error *error);

#endif
