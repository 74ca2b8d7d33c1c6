// ionode: the CANopen generic I/O module (CiA 401) in the station's cabinet. Output bit 0 drives
// the contactor's coil; inputs are the mirror contact and the emergency stop; analog input 0 is the
// voltage at the connector. Starts by itself, falls back to "coil off" when its master stops
// talking. Sources: CiA 301 §7.2.8, CiA 401 §6.3.
#ifndef PW_IONODE_H
#define PW_IONODE_H

#include "can/cia401.h"

#define PW_IONODE_TX_MAX     8
#define PW_IONODE_TIMEOUT_MS 2000 // without an RPDO the outputs go to their error value: off

PW_RING_DEF(pw_ionode_tx, struct pw_can_frame, PW_IONODE_TX_MAX);

struct pw_ionode_inputs {
    bool contactor_closed;
    bool estop_pressed;
    int32_t connector_mv;
};

struct pw_ionode {
    uint8_t node;               // 1..127
    enum pw_cia401_state state; // only OPERATIONAL nodes move process data
    bool outputs;               // bit 0
    pw_ms heard_at;             // last RPDO; PW_NEVER before the first
    pw_ms digital_at;           // next TPDO1
    pw_ms analog_at;            // next TPDO2
    pw_ms heartbeat_at;
    uint8_t sent_inputs;
    bool booted;
    struct pw_ionode_tx tx;
};

void pw_ionode_init(struct pw_ionode *ionode, uint8_t node, pw_ms now);

// Sends what is due; returns when it next has something to do. The coil is `outputs`.
pw_ms pw_ionode_step(struct pw_ionode *ionode, const struct pw_ionode_inputs *in, pw_ms now);

void pw_ionode_can(struct pw_ionode *ionode, const struct pw_can_frame *frame, pw_ms now);
bool pw_ionode_take_can(struct pw_ionode *ionode, struct pw_can_frame *frame);

#endif
