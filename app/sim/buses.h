// buses: the CAN wires of a simulated dc connector.
#ifndef PW_SIM_BUSES_H
#define PW_SIM_BUSES_H

#include "can/wire.h"
#include "dcworld/dcworld.h"
#include "loop.h"

struct pw_sim;

struct pw_sim_bus {
    struct pw_sim *sim;
    struct pw_can_wire *wire; // NULL: there is no such bus
    struct pw_watch watch;
    enum pw_can_state told; // what the others on the wire have been told
    pw_ms told_at;
    bool lost;
};

struct pw_sim_dc {
    struct pw_world_dc world;
    struct pw_sim_bus bus[PW_WORLD_DC_BUSES];
    int32_t soc_start_permille;
};

#endif
