// cia401: a CANopen generic I/O module (CiA 301, CiA 401) seen from its master: digital outputs by
// RPDO1, digital inputs by TPDO1, analog inputs by TPDO2, heartbeat and NMT. 11-bit ids. The
// station drives its contactor and reads feedback, emergency stop and the connector's voltage this
// way.
#ifndef PW_CIA401_H
#define PW_CIA401_H

#include "can/can.h"

#define PW_CIA401_NODE_DEFAULT 0x20
#define PW_CIA401_NODE_MAX     127
#define PW_CIA401_ANALOG_MAX   4

#define PW_CIA401_OUT_CONTACTOR 0x01U // coil

#define PW_CIA401_IN_CONTACTOR 0x01U // mirror contact: closed
#define PW_CIA401_IN_ESTOP     0x02U // pressed

enum pw_cia401_kind {
    PW_CIA401_NMT,       // 0x000: command to one node or all
    PW_CIA401_INPUTS,    // 0x180+node, TPDO1
    PW_CIA401_OUTPUTS,   // 0x200+node, RPDO1
    PW_CIA401_ANALOGS,   // 0x280+node, TPDO2
    PW_CIA401_HEARTBEAT, // 0x700+node
};

// NMT commands (CiA 301 §7.2.8).
enum pw_cia401_nmt {
    PW_CIA401_START = 0x01,
    PW_CIA401_STOP = 0x02,
    PW_CIA401_ENTER_PREOPERATIONAL = 0x80,
    PW_CIA401_RESET = 0x81,
    PW_CIA401_RESET_COMMUNICATION = 0x82,
};

// States in heartbeats.
enum pw_cia401_state {
    PW_CIA401_BOOT = 0x00, // just started
    PW_CIA401_STOPPED = 0x04,
    PW_CIA401_OPERATIONAL = 0x05, // PDOs flow
    PW_CIA401_PREOPERATIONAL = 0x7F,
};

struct pw_cia401_message {
    enum pw_cia401_kind kind;
    enum pw_cia401_nmt nmt;               // NMT
    enum pw_cia401_state state;           // HEARTBEAT
    int16_t analog[PW_CIA401_ANALOG_MAX]; // ANALOGS: channel 0 = connector-side voltage in 0.01 V
    uint8_t analog_count;                 // ANALOGS: 1..4 channels
    uint8_t node;                         // 1..127; NMT: 0 = all nodes
    uint8_t digital;                      // INPUTS: PW_CIA401_IN_*. OUTPUTS: PW_CIA401_OUT_*
};

// PW_ERR_RANGE when a member is none of its values; *frame is left alone.
PW_MUST_USE int pw_cia401_pack(const struct pw_cia401_message *from, struct pw_can_frame *frame);
// PW_ERR_UNKNOWN: another message. PW_ERR_PEER: wrong length. PW_ERR_RANGE: an NMT command or state
// that does not exist. Digital PDOs may be longer than one byte (more channels): the first counts.
PW_MUST_USE int pw_cia401_unpack(const struct pw_can_frame *frame, struct pw_cia401_message *to);

// Channel 0 <-> millivolts; packing refuses what an int16 of 0.01 V cannot say (±327.67 V).
int32_t pw_cia401_voltage_mv(int16_t analog);
PW_MUST_USE int pw_cia401_analog_of_mv(int32_t mv, int16_t *analog);

#endif
