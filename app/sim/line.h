// line: the serial line of a simulated board: a pty, or a TCP port that takes one station at a
// time.
#ifndef PW_SIM_LINE_H
#define PW_SIM_LINE_H

#include "loop.h"
#include "pty.h"

#define PW_SIM_LINE_OUT_MAX 8192

struct pw_sim_line {
    struct pw_loop *loop;
    void (*hear)(void *context, const uint8_t *bytes, size_t len);
    void *context;
    struct pw_sim_pty pty;
    struct pw_watch watch;
    struct pw_watch listening;
    int listen_fd; // -1: a pty, or none
    int fd;        // the line; -1: nobody is there
    pw_ms heard_at;
    uint8_t out[PW_SIM_LINE_OUT_MAX];
    size_t out_len;
    uint32_t dropped; // frames that nobody took in time
};

// Not open: nobody is there.
void pw_sim_line_init(struct pw_sim_line *line, struct pw_loop *loop,
                      void (*hear)(void *context, const uint8_t *bytes, size_t len), void *context);

// A pty linked at `link`, or a port at `listen`, "ADDRESS:PORT"; the other is NULL. `option` is the
// command line's word for it. On an error `reason` says what failed. *line must stay in place.
PW_MUST_USE int pw_sim_line_open(struct pw_sim_line *line, const char *option, const char *link,
                                 const char *listen, struct pw_out *reason);
// Harmless on one that was never initialised, only zeroed.
void pw_sim_line_close(struct pw_sim_line *line);

// Whether somebody reads what is sent: nobody reads a pty that nobody has open, and what would pile
// up there would be old when it is read. A station that has written nothing for `silence` is none.
// What was sent to nobody is forgotten.
bool pw_sim_line_is_heard(struct pw_sim_line *line, pw_ms silence, pw_ms now);

// A whole frame or line; what nobody takes in time is dropped, as on any serial line.
void pw_sim_line_send(struct pw_sim_line *line, const uint8_t *bytes, size_t len);
void pw_sim_line_flush(struct pw_sim_line *line);

#endif
