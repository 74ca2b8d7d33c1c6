// kind: what each kind of hardware gives to hardware.c. Private to this room.
#ifndef PW_LINUX_BOARD_KIND_H
#define PW_LINUX_BOARD_KIND_H

#include "board/hardware.h"

struct pw_hardware_ops {
    // Fills hardware->own and fd. On an error everything it took is given back and `why` says why.
    int (*open)(struct pw_hardware *hardware, pw_ms now, struct pw_out *why);
    void (*close)(struct pw_hardware *hardware);
    int (*read)(struct pw_hardware *hardware, pw_ms now, struct pw_hardware_event *event);
    int (*drive)(struct pw_hardware *hardware, const struct pw_board_drive *drive, pw_ms now);
    void (*off)(struct pw_hardware *hardware);
    bool (*traits)(const struct pw_hardware *hardware, struct pw_board_traits *traits);
};

struct pw_hardware {
    const struct pw_hardware_ops *ops;
    struct pw_board_file file;
    void *own; // the kind's own data
    int fd;
    pw_ms deadline;
    bool lost;
};

extern const struct pw_hardware_ops pw_hardware_frontend;
extern const struct pw_hardware_ops pw_hardware_native;

// "<what>: <system's words for errno>".
void pw_hardware_say(struct pw_out *why, const char *what, int error);

#endif
