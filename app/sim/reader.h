// reader: the simulated card reader, a serial line that says one card id a line. Either a
// pseudo-terminal whose other end a station opens like any serial device, or a plain file.
#ifndef PW_SIM_READER_H
#define PW_SIM_READER_H

#include "pty.h"

struct pw_sim_reader {
    int fd; // -1: there is none
    struct pw_sim_pty pty;
};

// `where` is "pty:PATH" (PATH becomes a link to the terminal; an old link there is replaced) or
// "file:PATH" (appended to); NULL for no reader. On an error `reason` says what failed.
PW_MUST_USE int pw_sim_reader_open(struct pw_sim_reader *reader, const char *where,
                                   struct pw_out *reason);

// Sends `id` and CR LF. PW_ERR_AGAIN when nobody has read for so long that the line is full.
PW_MUST_USE int pw_sim_reader_send(struct pw_sim_reader *reader, struct pw_str id);

void pw_sim_reader_close(struct pw_sim_reader *reader);

#endif
