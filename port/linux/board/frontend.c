// A front-end on a serial line, a pty or TCP: bytes between the line and proto/frontend.
#include "frontend/frontend.h"

#include "board/kind.h"
#include "stream.h"

#include <stdlib.h>
#include <unistd.h>

#define CONNECT_MS 20
#define RETRY_MS   2 // for a line that takes no more bytes now
#define READS_MAX  8 // without an event: a line full of rubbish keeps nobody else waiting

struct frontend {
    bool connecting;
    bool untold; // the board fell silent, and read has not said so yet
    struct pw_frontend_host host;
    size_t in_at;
    size_t in_len;
    uint8_t in[1024];
    size_t out_at;
    size_t out_len;
    uint8_t out[PW_FRONTEND_FRAME_MAX];
};

static int open_frontend(struct pw_hardware *hardware, pw_ms now, struct pw_out *why)
{
    struct frontend *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    pw_put_s(why, hardware->file.device);
    pw_put_s(why, ": ");
    int err = pw_stream_open(pw_str_of(hardware->file.device), &hardware->fd, why);
    if (err != PW_OK) {
        free(own);
        return err;
    }
    own->connecting = true;
    pw_frontend_host_init(&own->host, now);
    hardware->own = own;
    hardware->deadline = now;
    return PW_OK;
}

static void close_frontend(struct pw_hardware *hardware)
{
    (void)close(hardware->fd);
    free(hardware->own);
}

static int flush(struct pw_hardware *hardware)
{
    struct frontend *own = hardware->own;
    int sent = pw_stream_write(hardware->fd, own->out + own->out_at, own->out_len - own->out_at);
    if (sent < 0) {
        return PW_ERR_PEER;
    }
    own->out_at += (size_t)sent;
    return PW_OK;
}

static int say_state(const struct frontend *own, struct pw_hardware_event *event)
{
    event->kind = PW_HARDWARE_STATE;
    event->up = own->host.state == PW_FRONTEND_UP;
    event->why = own->host.why;
    return 1;
}

// Sends what is due. One frame at a time waits for the line: what came later replaces nothing that
// is half sent.
static int speak(struct pw_hardware *hardware, pw_ms now)
{
    struct frontend *own = hardware->own;
    enum pw_frontend_event what = PW_FRONTEND_NOTHING;
    do {
        if (flush(hardware) != PW_OK) {
            return PW_ERR_PEER;
        }
        if (own->out_at < own->out_len) {
            break;
        }
        own->out_at = 0;
        own->out_len = pw_frontend_host_put(&own->host, now, own->out, &what);
        own->untold = own->untold || what == PW_FRONTEND_STATE_NEW;
    } while (own->out_len > 0);
    hardware->deadline = own->out_at < own->out_len ? pw_after(now, RETRY_MS)
                                                    : pw_frontend_host_deadline(&own->host);
    return PW_OK;
}

// 1 when the byte completed something.
static int hear(struct frontend *own, uint8_t byte, pw_ms now, struct pw_hardware_event *event)
{
    switch (pw_frontend_host_feed(&own->host, byte, now)) {
    case PW_FRONTEND_NOTHING: return 0;
    case PW_FRONTEND_STATE_NEW: return say_state(own, event);
    case PW_FRONTEND_SENSES_NEW:
        event->kind = PW_HARDWARE_SENSES;
        event->senses = &own->host.senses;
        return 1;
    case PW_FRONTEND_BLOCK_NEW:
        event->kind = PW_HARDWARE_BLOCK;
        event->block = &own->host.block;
        return 1;
    }
    PW_UNREACHABLE();
}

static int connect_step(struct pw_hardware *hardware, pw_ms now)
{
    struct frontend *own = hardware->own;
    int stands = pw_stream_connected(hardware->fd);
    own->connecting = stands != 1;
    if (stands == 0) {
        hardware->deadline = pw_after(now, CONNECT_MS);
    }
    return stands;
}

static int hear_all(struct frontend *own, pw_ms now, struct pw_hardware_event *event)
{
    while (own->in_at < own->in_len) {
        if (hear(own, own->in[own->in_at++], now, event) == 1) {
            return 1;
        }
    }
    return 0;
}

// 1: a byte that was there completed an event. 0: nothing more now, or enough for one turn: what
// stays on the line makes it readable again at once.
static int listen_on(struct pw_hardware *hardware, pw_ms now, struct pw_hardware_event *event)
{
    struct frontend *own = hardware->own;
    int heard = hear_all(own, now, event);
    for (unsigned i = 0; heard == 0 && i < READS_MAX; i++) {
        int got = pw_stream_read(hardware->fd, own->in, sizeof(own->in));
        if (got <= 0) {
            return got;
        }
        own->in_at = 0;
        own->in_len = (size_t)got;
        heard = hear_all(own, now, event);
    }
    return heard;
}

static int read_frontend(struct pw_hardware *hardware, pw_ms now, struct pw_hardware_event *event)
{
    struct frontend *own = hardware->own;
    if (own->connecting) {
        int stands = connect_step(hardware, now);
        if (stands != 1) {
            return stands;
        }
    }
    int got = listen_on(hardware, now, event);
    if (got != 0) {
        return got;
    }
    if (speak(hardware, now) != PW_OK) {
        return PW_ERR_PEER;
    }
    bool untold = own->untold;
    own->untold = false;
    return untold ? say_state(own, event) : 0;
}

static int drive_frontend(struct pw_hardware *hardware, const struct pw_board_drive *drive,
                          pw_ms now)
{
    struct frontend *own = hardware->own;
    pw_frontend_host_drive(&own->host, drive);
    if (own->connecting) {
        return PW_OK; // goes out when the connection stands
    }
    int err = speak(hardware, now);
    if (own->untold) {
        hardware->deadline = now;
    }
    return err;
}

// A frame of its own, after a zero that ends whatever was under way.
static void off_frontend(struct pw_hardware *hardware)
{
    struct frontend *own = hardware->own;
    const struct pw_frontend_message message = {
        .kind = PW_FRONTEND_DRIVE,
        .seq = own->host.seq,
        .drive = {.cp = PW_BOARD_CP_FAULT,
                  .lock = own->host.drive.lock,
                  .lamp = PW_BOARD_LAMP_FAULT},
    };
    uint8_t frame[1 + PW_FRONTEND_FRAME_MAX] = {0};
    size_t len = pw_frontend_put(&message, 0, frame + 1);
    if (!own->connecting && own->host.state == PW_FRONTEND_UP) {
        (void)!pw_stream_write(hardware->fd, frame, 1 + len);
    }
}

static bool traits_frontend(const struct pw_hardware *hardware, struct pw_board_traits *traits)
{
    const struct frontend *own = hardware->own;
    if (own->host.state != PW_FRONTEND_UP) {
        return false;
    }
    *traits = pw_frontend_traits(&own->host.hello);
    return true;
}

const struct pw_hardware_ops pw_hardware_frontend = {
    .open = open_frontend,
    .close = close_frontend,
    .read = read_frontend,
    .drive = drive_frontend,
    .off = off_frontend,
    .traits = traits_frontend,
};
