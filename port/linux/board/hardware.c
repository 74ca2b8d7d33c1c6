#include "board/hardware.h"

#include "board/kind.h"

#include <stdlib.h>
#include <string.h>

void pw_hardware_say(struct pw_out *why, const char *what, int error)
{
    pw_put_s(why, what);
    pw_put_s(why, ": ");
    pw_put_s(why, strerror(error));
}

static const struct pw_hardware_ops *ops_of(enum pw_board_kind kind)
{
    switch (kind) {
    case PW_BOARD_KIND_FRONTEND: return &pw_hardware_frontend;
    case PW_BOARD_KIND_LINUX: return &pw_hardware_native;
    }
    PW_UNREACHABLE();
}

int pw_hardware_open(struct pw_hardware **hardware, const struct pw_board_file *file, pw_ms now,
                     struct pw_out *why)
{
    struct pw_hardware *made = calloc(1, sizeof(*made));
    *hardware = NULL;
    if (made == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    made->ops = ops_of(file->kind);
    made->file = *file;
    made->fd = -1;
    made->deadline = PW_NEVER;
    int err = made->ops->open(made, now, why);
    if (err != PW_OK) {
        free(made);
        return err;
    }
    *hardware = made;
    return PW_OK;
}

void pw_hardware_close(struct pw_hardware *hardware)
{
    if (hardware != NULL) {
        hardware->ops->off(hardware);
        hardware->ops->close(hardware);
        free(hardware);
    }
}

int pw_hardware_fd(const struct pw_hardware *hardware)
{
    return hardware->fd;
}

pw_ms pw_hardware_deadline(const struct pw_hardware *hardware)
{
    return hardware->deadline;
}

int pw_hardware_read(struct pw_hardware *hardware, pw_ms now, struct pw_hardware_event *event)
{
    *event = (struct pw_hardware_event){.kind = PW_HARDWARE_STATE};
    int got = hardware->lost ? (int)PW_ERR_PEER : hardware->ops->read(hardware, now, event);
    if (got == PW_ERR_PEER) {
        hardware->lost = true;
        hardware->deadline = PW_NEVER;
    }
    return got;
}

int pw_hardware_drive(struct pw_hardware *hardware, const struct pw_board_drive *drive, pw_ms now)
{
    int err = hardware->lost ? (int)PW_ERR_PEER : hardware->ops->drive(hardware, drive, now);
    hardware->lost = hardware->lost || err == PW_ERR_PEER;
    return err;
}

void pw_hardware_off(struct pw_hardware *hardware)
{
    hardware->ops->off(hardware);
}

bool pw_hardware_traits(const struct pw_hardware *hardware, struct pw_board_traits *traits)
{
    return hardware->ops->traits(hardware, traits);
}
