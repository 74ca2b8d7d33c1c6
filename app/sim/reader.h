// reader: the simulated card reader, a serial line that says one card id a line. Either a
// pseudo-terminal whose other end a station opens like any serial device, or a plain file.
#ifndef PW_SIM_READER_H
#define PW_SIM_READER_H

#include "base/base.h"

#define PW_SIM_READER_PATH_MAX 200

struct pw_sim_reader {
    int fd;    // -1: there is none
    int slave; // kept open so that the line survives a station's restart; -1 for a file
    char link[PW_SIM_READER_PATH_MAX]; // removed at the end; empty for a file
};

// `where` is "pty:PATH" (PATH becomes a link to the terminal; an old link there is replaced) or
// "file:PATH" (appended to); NULL for no reader. On an error `reason` says what failed.
PW_MUST_USE int pw_sim_reader_open(struct pw_sim_reader *reader, const char *where,
                                   struct pw_out *reason);

// Sends `id` and CR LF. PW_ERR_AGAIN when nobody has read for so long that the line is full.
PW_MUST_USE int pw_sim_reader_send(struct pw_sim_reader *reader, struct pw_str id);

void pw_sim_reader_close(struct pw_sim_reader *reader);

#endif
