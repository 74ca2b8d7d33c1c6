// openevse: a simulated OpenEVSE board with its car and the house around them. The board is a
// serial line (pty or TCP); the house's meter is offered on Modbus, on MQTT, and as current
// transformers behind a front-end's line. The kind `house` is the same without a line to the board.
#ifndef PW_SIM_OPENEVSE_H
#define PW_SIM_OPENEVSE_H

#include "frontend/frontend.h"
#include "line.h"
#include "mqtt/wire.h"
#include "oeworld/oeworld.h"

struct pw_sim_openevse {
    struct pw_world_oe world;
    struct pw_sim_line line; // RAPI
    struct pw_sim_line ct;   // of the transformers' front-end
    struct pw_frontend_board front;
    struct pw_world_clamps clamps;
    pw_ms block_at;
    struct pw_mqtt_wire *broker; // NULL: none
    char topic[PW_BROKER_TOPIC_MAX];
    struct pw_world_house_sample *trace; // of a file; NULL: none
    int32_t soc_start_permille;
};

#endif
