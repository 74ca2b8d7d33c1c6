// slcan: the Lawicel text protocol of serial CAN adapters, fed byte by byte.
// "T1806E5F48035C0410000263FF\r" is a frame, "\r" yes, "\a" no. Source: facts/dc-can.md §5.4 (e),
// facts/platform.md §1 for the status lines of the Linux driver.
#ifndef PW_CAN_SLCAN_H
#define PW_CAN_SLCAN_H

#include "can/can.h"

#define PW_SLCAN_LINE_MAX 32 // "T" + 8 + 1 + 16 + 4 of a time stamp, and its end

// The reader. Start from {0}.
struct pw_slcan {
    char line[PW_SLCAN_LINE_MAX];
    uint8_t len;
    bool too_long; // skip to the end of this line
    uint32_t bad;  // lines that were nothing known
};

enum pw_slcan_kind {
    PW_SLCAN_NOTHING, // the line is not finished, or was empty or unknown (then `bad` counts)
    PW_SLCAN_FRAME,
    PW_SLCAN_YES,    // "\r" after a command, "z\r" and "Z\r" after a frame
    PW_SLCAN_NO,     // "\a"
    PW_SLCAN_FLAGS,  // "Fxx\r"
    PW_SLCAN_STATUS, // the adapter's state line as the Linux driver knows it: "sb000256\r"
};

// Bits of the status flags (answer to "F\r", which also clears them).
#define PW_SLCAN_RX_FULL     0x01U
#define PW_SLCAN_TX_FULL     0x02U
#define PW_SLCAN_WARNING     0x04U
#define PW_SLCAN_OVERRUN     0x08U
#define PW_SLCAN_PASSIVE     0x20U
#define PW_SLCAN_ARBITRATION 0x40U
#define PW_SLCAN_BUS_ERROR   0x80U

struct pw_slcan_line {
    enum pw_slcan_kind kind;
    struct pw_can_frame frame; // FRAME
    uint8_t flags;             // FLAGS
    enum pw_can_state state;   // STATUS
};

// One byte in; *line says what it completed.
void pw_slcan_feed(struct pw_slcan *slcan, char byte, struct pw_slcan_line *line);

// "T1806E5F48035C0410000263FF\r". The frame must be valid (pw_can_valid).
void pw_slcan_print(struct pw_out *out, const struct pw_can_frame *frame);
// The state that status flags describe: passive, warning or active.
enum pw_can_state pw_slcan_flags_state(uint8_t flags);
// The digit of the S command: '5' for 250000. PW_ERR_RANGE for a rate the protocol has no digit
// for.
PW_MUST_USE int pw_slcan_bitrate(uint32_t bitrate, char *digit);

#endif
