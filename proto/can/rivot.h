// rivot: the terminal reports of Rivot charging stations. Unsolicited, 29-bit ids, big-endian.
// Sources: facts/dc-can.md §0 (3), §1.2.
#ifndef PW_RIVOT_H
#define PW_RIVOT_H

#include "can/can.h"

#define PW_RIVOT_TERMINAL_ID 0x00433F01U
#define PW_RIVOT_CHARGING_ID 0x00473F01U
#define PW_RIVOT_VALUE_MAX   1000000 // mV and mA: anything beyond is refused as nonsense

struct pw_rivot_config {
    uint32_t terminal_id;    // 0 = 0x00433F01
    uint32_t charging_id;    // 0 = 0x00473F01
    uint32_t scale_permille; // of the floats, 1..10000; 0 = 1000 (volts and amperes)
};

struct pw_rivot_terminal {
    int32_t voltage_mv; // ±1000000
    int32_t current_ma; // ±1000000
};

PW_MUST_USE int pw_rivot_pack_terminal(const struct pw_rivot_config *config,
                                       const struct pw_rivot_terminal *from,
                                       struct pw_can_frame *frame);
// PW_ERR_UNKNOWN: another message. PW_ERR_PEER: wrong length. PW_ERR_RANGE: NaN, infinity or huge.
PW_MUST_USE int pw_rivot_unpack_terminal(const struct pw_rivot_config *config,
                                         const struct pw_can_frame *frame,
                                         struct pw_rivot_terminal *to);

void pw_rivot_pack_charging(const struct pw_rivot_config *config, bool charging,
                            struct pw_can_frame *frame);
// PW_ERR_RANGE: bytes 6 and 7 are neither 03 01 nor 03 02.
PW_MUST_USE int pw_rivot_unpack_charging(const struct pw_rivot_config *config,
                                         const struct pw_can_frame *frame, bool *charging);

#endif
