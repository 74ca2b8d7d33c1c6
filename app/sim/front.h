// front: the line of a simulated AC outlet's front-end, as doc/frontend.md has it: a pty, or a TCP
// port that takes one station at a time.
#ifndef PW_SIM_FRONT_H
#define PW_SIM_FRONT_H

#include "acworld/acworld.h"
#include "frontend/frontend.h"
#include "loop.h"
#include "pty.h"

#define PW_SIM_FRONT_OUT_MAX 8192

struct pw_sim;

struct pw_sim_ac {
    struct pw_world_ac world;
    struct pw_frontend_board board;
    struct pw_sim_pty pty;
    struct pw_watch watch;
    struct pw_watch listening;
    int listen_fd; // -1: a pty
    int fd;        // the line; -1: nobody is there
    bool was_dead; // the board had no supply at the last turn
    pw_ms heard_at;
    pw_ms mains_at; // last mains values sent
    uint8_t out[PW_SIM_FRONT_OUT_MAX];
    size_t out_len;
    uint32_t dropped; // frames that nobody took in time
    int32_t soc_start_permille;
};

#endif
