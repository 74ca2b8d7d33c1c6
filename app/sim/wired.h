// wired: a simulated meter on a real line: TCP, or a serial device of its own (a pty).
#ifndef PW_SIM_WIRED_H
#define PW_SIM_WIRED_H

#include "modbus/server.h"
#include "pty.h"

struct pw_sim_wired {
    struct pw_modbus_server *server; // NULL: there is none
    const struct pw_modbus_map *map; // NULL likewise
    struct pw_sim_pty pty;
};

// `url` as a station's `meter` names it: modbus:tcp:127.0.0.1:1502/1/sdm630 listens there,
// modbus:rtu:PATH@9600/1/abb makes PATH a link to a terminal. NULL: no meter. On an error `reason`
// says what failed.
PW_MUST_USE int pw_sim_wired_open(struct pw_sim_wired *wired, const char *url,
                                  struct pw_out *reason);
void pw_sim_wired_close(struct pw_sim_wired *wired);

#endif
