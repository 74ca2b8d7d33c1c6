// local: talking to a station over its control socket (port/linux/control.h has the protocol).
#ifndef PW_APP_PILOTWIRE_LOCAL_H
#define PW_APP_PILOTWIRE_LOCAL_H

#include "base/base.h"

#define LOCAL_LINE_MAX 4352 // as PW_CONTROL_LINE_MAX

struct local {
    int fd;
    size_t len; // bytes read ahead, in head
    char head[4096];
};

// One frame. `text` belongs to the caller, who frees it.
struct frame {
    char word[32]; // "ok", "event", or the name of an error
    char *text;    // terminated
    size_t len;
};

// PW_OK, or an error with a sentence in *why.
PW_MUST_USE int local_open(struct local *local, const char *path, struct pw_out *why);
void local_close(struct local *local);
PW_MUST_USE int local_ask(struct local *local, struct pw_str line, struct pw_out *why);
// Waits for the next frame. PW_ERR_PEER with *why when the station went away.
PW_MUST_USE int local_hear(struct local *local, struct frame *frame, struct pw_out *why);

#endif
