// daly: the Daly BMS polls (0x90..0x98) and the Daly-family private counters of ampere hours.
// 250 kbit/s, 29-bit ids, big-endian. Sources: facts/dc-can.md §1.2, §2.2.
#ifndef PW_DALY_H
#define PW_DALY_H

#include "can/can.h"

#define PW_DALY_BMS 0x01
#define PW_DALY_PC  0x40 // the requester of 0x90..0x98
#define PW_DALY_APP 0x80 // the requester of the private counters

enum pw_daly_item {
    PW_DALY_PACK,        // 0x90
    PW_DALY_CELLS_RANGE, // 0x91
    PW_DALY_TEMP_RANGE,  // 0x92
    PW_DALY_SWITCHES,    // 0x93
    PW_DALY_SHAPE,       // 0x94
    PW_DALY_CELLS,       // 0x95
    PW_DALY_TEMPS,       // 0x96
    PW_DALY_BALANCE,     // 0x97
    PW_DALY_FAILURES,    // 0x98
    PW_DALY_CHARGED,     // 0x160B…: lifetime charge
    PW_DALY_DISCHARGED,  // 0x160D…: lifetime discharge
    PW_DALY_ITEMS,
};

enum pw_daly_work { PW_DALY_IDLE, PW_DALY_CHARGING, PW_DALY_DISCHARGING };

// One answer. Members by item; the rest stay as they were, so one struct may gather a whole cycle.
struct pw_daly_answer {
    // PACK
    int32_t pack_mv;      // 0..6553500, steps of 100
    int32_t gathered_mv;  // the sum of the cells
    int32_t pack_ma;      // -3000000..3553500; makes differ in whether charging is positive
    int32_t soc_permille; // 0..1000
    // CELLS_RANGE
    int32_t cell_max_mv;
    int32_t cell_max_number;
    int32_t cell_min_mv;
    int32_t cell_min_number;
    // TEMP_RANGE, 0.1 °C
    int32_t temp_max_dc;
    int32_t temp_max_number;
    int32_t temp_min_dc;
    int32_t temp_min_number;
    // SWITCHES
    int32_t work;          // enum pw_daly_work
    int32_t charge_switch; // 0 open, 1 closed
    int32_t discharge_switch;
    int32_t life;          // 0..255, counts
    int32_t remaining_mah; // 0..INT32_MAX
    // SHAPE
    int32_t cell_count;
    int32_t sensor_count;
    int32_t charger_connected; // 0 or 1
    int32_t load_connected;
    int32_t port_bits; // DI1-4 in bits 0-3, DO1-4 in bits 4-7
    int32_t cycles;
    // CELLS: three cells a frame, frame counts from 1
    int32_t cells_frame;
    int32_t cells_mv[3];
    // TEMPS: seven sensors a frame, frame counts from 1
    int32_t temps_frame;
    int32_t temps_dc[7];
    // BALANCE: bit n-1 of byte (n-1)/8 = cell n is being balanced. FAILURES: bits as sent.
    uint8_t balance[PW_CAN_DATA_MAX];
    uint8_t failures[PW_CAN_DATA_MAX];
    // CHARGED, DISCHARGED: 0..INT32_MAX
    int32_t charged_mah;
    int32_t discharged_mah;
};

// The question. Its eight data bytes are zero.
void pw_daly_pack_poll(enum pw_daly_item item, struct pw_can_frame *frame);
PW_MUST_USE int pw_daly_unpack_poll(const struct pw_can_frame *frame, enum pw_daly_item *item);

// The answer. PW_ERR_RANGE when a member does not fit its field; *frame is left alone.
PW_MUST_USE int pw_daly_pack_answer(enum pw_daly_item item, const struct pw_daly_answer *from,
                                    struct pw_can_frame *frame);
// PW_ERR_UNKNOWN: another message. PW_ERR_PEER: wrong length. PW_ERR_RANGE: SOC above 100 %, a work
// state or switch that does not exist, ampere hours beyond INT32_MAX mAh; *to is left alone then.
PW_MUST_USE int pw_daly_unpack_answer(const struct pw_can_frame *frame, enum pw_daly_item *item,
                                      struct pw_daly_answer *to);

// True if any failure bit is set.
bool pw_daly_failed(const struct pw_daly_answer *answer);

#endif
