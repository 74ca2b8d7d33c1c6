// lines: where scenario commands come from: standard input and a Unix socket for scripts. Bytes in,
// whole lines out, answers back to whom they concern.
#ifndef PW_SIM_LINES_H
#define PW_SIM_LINES_H

#include "loop.h"

#define PW_SIM_CLIENTS_MAX 4
#define PW_SIM_LINE_MAX    256
#define PW_SIM_CONTROL_MAX 100

struct pw_sim_lines;

// One place lines come from.
struct pw_sim_source {
    struct pw_sim_lines *lines;
    struct pw_watch watch;
    int in; // -1: free
    int out;
    char line[PW_SIM_LINE_MAX];
    size_t len;
    bool too_long; // the rest of this line is thrown away
};

struct pw_sim_lines {
    struct pw_loop *loop;
    // Runs one line and writes its answer, without a line end.
    void (*run)(void *context, struct pw_str line, struct pw_out *answer);
    void *context;
    struct pw_sim_source input;
    struct pw_sim_source client[PW_SIM_CLIENTS_MAX];
    struct pw_watch listen;
    int listen_fd; // -1: no control socket
    char path[PW_SIM_CONTROL_MAX];
};

// Watches standard input, and listens at `control` unless it is NULL (an old socket there is
// replaced; only the owner may connect). *lines must stay in place. On an error `reason` says what
// failed.
PW_MUST_USE int pw_sim_lines_open(struct pw_sim_lines *lines, struct pw_loop *loop,
                                  const char *control, struct pw_out *reason);
void pw_sim_lines_close(struct pw_sim_lines *lines);

#endif
