// relay: the far end (proto/lora) between two lines in the loop: the board's and the modem's. A
// line that is lost is opened again every second.
#ifndef PW_APP_RELAY_H
#define PW_APP_RELAY_H

#include "loop.h"
#include "options.h"

struct relay {
    struct pw_loop *loop;
    const struct pw_log *log;
    struct pw_lora_far far;
    struct line {
        struct relay *relay;
        const char *device;
        bool modem;
        int fd; // -1: away
        bool connecting;
        bool complained; // about this loss
        pw_ms reopen_at;
        struct pw_watch watch;
    } line[2];
};

// PW_ERR_RANGE, PW_ERR_BUG (no random numbers) with one sentence in *why.
PW_MUST_USE int relay_open(struct relay *relay, const struct options *options, struct pw_loop *loop,
                           const struct pw_log *log, struct pw_out *why);
pw_ms relay_turn(void *context, pw_ms now);
void relay_close(struct relay *relay);

#endif
