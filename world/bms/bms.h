// bms: the battery's own guardian. Asks the charger for a current (constant, then tapering), tells
// it to stop, warms a cold pack, and opens its charge MOSFET when it is not obeyed. Speaks Elcon/TC
// (0x1806E5F4, both forms of bytes 5-6) and answers Daly polls. It can be told to misbehave.
// Sources: facts/dc-can.md §1.2, §2.1, §2.2, §6.
#ifndef PW_WORLD_BMS_H
#define PW_WORLD_BMS_H

#include "can/can.h"
#include "pack/pack.h"

enum pw_world_bms_form {
    PW_WORLD_BMS_ELCON,     // byte 5: 0 charge, 1 heating
    PW_WORLD_BMS_ELCON_SOC, // bytes 5-6: SOC in 0.1 %, what the Rivot vehicles send
};

enum pw_world_bms_state {
    PW_WORLD_BMS_READY,   // may charge: constant current, then taper
    PW_WORLD_BMS_COLD,    // below 0 degC: no current, heater on
    PW_WORLD_BMS_HOT,     // above 55 degC: stop, until below 50
    PW_WORLD_BMS_FULL,    // stop, until some charge has been used
    PW_WORLD_BMS_TRIPPED, // overvoltage or overcurrent: charge MOSFET open
};

enum pw_world_bms_fault {
    PW_WORLD_BMS_HONEST,
    PW_WORLD_BMS_STOPS,  // says stop without a reason
    PW_WORLD_BMS_SILENT, // sends nothing, answers nothing
    PW_WORLD_BMS_LIES,   // asks for 95 V and 400 A, whatever the cells say
};

#define PW_WORLD_BMS_TX_MAX 8

PW_RING_DEF(pw_world_bms_tx, struct pw_can_frame, PW_WORLD_BMS_TX_MAX);

struct pw_world_bms_config {
    enum pw_world_bms_form form;
    uint32_t imax_ma;   // what the vehicle asks for in the constant-current phase
    uint32_t period_ms; // of 0x1806E5F4; 0 = 1000 (facts/dc-can.md §2.1)
};

struct pw_world_bms {
    struct pw_world_bms_config config;
    enum pw_world_bms_state state;
    enum pw_world_bms_fault fault;
    bool mosfet_closed;
    uint32_t ask_ma;    // current asked for now
    pw_ms disobeyed_at; // more current than asked since then; PW_NEVER while it is obeyed
    pw_ms release_at;   // a tripped MOSFET stays open at least until here
    pw_ms look_at;      // next look at the cells
    pw_ms frame_at;     // next 0x1806E5F4
    struct pw_world_bms_tx tx;
};

void pw_world_bms_init(struct pw_world_bms *bms, const struct pw_world_bms_config *config,
                       pw_ms now);

// Looks at the cells with `current_a` flowing and decides; sends what is due when `linked` (the
// plug is in). Returns when it wants to run next, 100 ms later at most.
pw_ms pw_world_bms_step(struct pw_world_bms *bms, struct pw_pack *pack, double current_a,
                        bool linked, pw_ms now);

// A frame on the vehicle's bus: Daly polls are answered, everything else is ignored.
void pw_world_bms_can(struct pw_world_bms *bms, const struct pw_pack *pack, double current_a,
                      const struct pw_can_frame *frame);

bool pw_world_bms_take_can(struct pw_world_bms *bms, struct pw_can_frame *frame);

const char *pw_world_bms_state_name(enum pw_world_bms_state state);

#endif
