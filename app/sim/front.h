// front: a simulated AC outlet and the line of its front-end, as doc/frontend.md has it.
#ifndef PW_SIM_FRONT_H
#define PW_SIM_FRONT_H

#include "acworld/acworld.h"
#include "frontend/frontend.h"
#include "line.h"

struct pw_sim;

struct pw_sim_ac {
    struct pw_world_ac world;
    struct pw_frontend_board board;
    struct pw_sim_line line;
    bool was_dead;  // the board had no supply at the last turn
    pw_ms mains_at; // last mains values sent
    int32_t soc_start_permille;
};

#endif
