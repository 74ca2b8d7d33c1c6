// pty: a pseudo-terminal that a station opens like any serial device, under a name of our choice.
#ifndef PW_SIM_PTY_H
#define PW_SIM_PTY_H

#include "base/base.h"

#define PW_SIM_PTY_PATH_MAX 200

struct pw_sim_pty {
    int fd;                         // our end, does not block; -1: there is none
    int slave;                      // kept open so that the line survives a station's restart
    char link[PW_SIM_PTY_PATH_MAX]; // removed at the end
};

#define PW_SIM_PTY_NONE ((struct pw_sim_pty){.fd = -1, .slave = -1})

// Makes it, raw, with a link at `path` (an old link there is replaced). On an error `reason` says
// what failed and names the command line's `option`.
PW_MUST_USE int pw_sim_pty_open(struct pw_sim_pty *pty, const char *option, const char *path,
                                struct pw_out *reason);
void pw_sim_pty_close(struct pw_sim_pty *pty);

// Throws away what was sent and nobody has read.
void pw_sim_pty_forget(const struct pw_sim_pty *pty);

#endif
