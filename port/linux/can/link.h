// link: what each way to reach a bus gives to wire.c. Private to this room.
#ifndef PW_LINUX_CAN_LINK_H
#define PW_LINUX_CAN_LINK_H

#include "can/wire.h"

#define PW_CAN_LINK_POLL_MS 500 // how often a link that is down is looked at

struct pw_can_link_ops {
    const char *scheme; // "mcast"
    // `rest` is the url after the scheme. Fills wire->link, fd and state. On an error everything it
    // took is given back and `reason` says why.
    int (*open)(struct pw_can_wire *wire, struct pw_str rest, pw_ms now, struct pw_out *reason);
    void (*close)(struct pw_can_wire *wire);
    // As pw_can_wire_read, without the DOWN event of a lost wire.
    int (*read)(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event);
    // As pw_can_wire_send; the frame is valid and the state allows sending.
    int (*send)(struct pw_can_wire *wire, const struct pw_can_frame *frame);
    int (*send_error)(struct pw_can_wire *wire, const struct pw_can_error *error);
};

struct pw_can_wire {
    const struct pw_can_link_ops *ops;
    void *link; // the link's own data
    int fd;
    pw_ms deadline;
    enum pw_can_state state;
    bool lost;
    struct pw_can_wire_stats stats;
    char url[PW_CAN_WIRE_URL_MAX];
};

extern const struct pw_can_link_ops pw_can_link_socketcan;
extern const struct pw_can_link_ops pw_can_link_mcast;
extern const struct pw_can_link_ops pw_can_link_slcan;
extern const struct pw_can_link_ops pw_can_link_replay;

// Sets the state. 1 and a STATE event when it changed, else 0. `error` may be NULL.
int pw_can_link_state(struct pw_can_wire *wire, enum pw_can_state state,
                      const struct pw_can_error *error, struct pw_can_event *event);

// Counts the frame and makes it the event: always 1.
int pw_can_link_frame(struct pw_can_wire *wire, const struct pw_can_frame *frame,
                      struct pw_can_event *event);

// Counts the error frame and moves the state by it. 1 when that is an event.
int pw_can_link_error(struct pw_can_wire *wire, const struct pw_can_error *error,
                      struct pw_can_event *event);

// "<what>: <system's words for errno>".
void pw_can_link_say(struct pw_out *reason, const char *what, int error);

#endif
