// The common part of all wires: urls, state and counting.
#include "can/wire.h"

#include "link.h"

#include <stdlib.h>
#include <string.h>

static const struct pw_can_link_ops *const links[] = {
    &pw_can_link_socketcan,
    &pw_can_link_mcast,
    &pw_can_link_slcan,
    &pw_can_link_replay,
};

static const struct pw_can_link_ops *find(struct pw_str scheme)
{
    for (size_t i = 0; i < PW_COUNT(links); i++) {
        if (pw_str_is(scheme, links[i]->scheme)) {
            return links[i];
        }
    }
    return NULL;
}

int pw_can_wire_check(struct pw_str url, struct pw_out *reason)
{
    struct pw_str scheme = pw_str_cut(&url, ':');
    if (find(scheme) == NULL || url.len == 0) {
        pw_put_s(reason, "expected socketcan:can0, mcast:239.74.163.2:43113, "
                         "slcan:/dev/ttyUSB0@250000, slcan:tcp:address:port or replay:file");
        return PW_ERR_PEER;
    }
    return PW_OK;
}

static int open_link(struct pw_can_wire *wire, struct pw_str url, pw_ms now, struct pw_out *reason)
{
    int err = pw_can_wire_check(url, reason);
    if (err != PW_OK) {
        return err;
    }
    struct pw_str scheme = pw_str_cut(&url, ':');
    wire->ops = find(scheme);
    PW_ASSERT(wire->ops != NULL); // just checked
    return wire->ops->open(wire, url, now, reason);
}

int pw_can_wire_open(struct pw_can_wire **wire, struct pw_str url, pw_ms now, struct pw_out *reason)
{
    struct pw_can_wire *made = calloc(1, sizeof(*made));
    *wire = NULL;
    pw_put_s(reason, "CAN wire \"");
    pw_put(reason, url);
    pw_put_s(reason, "\": ");
    if (made == NULL) {
        pw_put_s(reason, "out of memory");
        return PW_ERR_LIMIT;
    }
    made->fd = -1;
    made->deadline = PW_NEVER;
    made->state = PW_CAN_ACTIVE;
    int err = pw_str_copy(made->url, sizeof(made->url), url);
    if (err != PW_OK) {
        pw_put_s(reason, "longer than 255 characters");
    } else {
        err = open_link(made, url, now, reason);
    }
    if (err != PW_OK) {
        free(made);
        return err;
    }
    *wire = made;
    return PW_OK;
}

void pw_can_wire_close(struct pw_can_wire *wire)
{
    if (wire != NULL) {
        wire->ops->close(wire);
        free(wire);
    }
}

int pw_can_wire_fd(const struct pw_can_wire *wire)
{
    return wire->fd;
}

pw_ms pw_can_wire_deadline(const struct pw_can_wire *wire)
{
    return wire->deadline;
}

int pw_can_wire_read(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    int got = wire->lost ? (int)PW_ERR_PEER : wire->ops->read(wire, now, event);
    if (got != PW_ERR_PEER) {
        return got;
    }
    wire->lost = true;
    wire->deadline = PW_NEVER;
    return pw_can_link_state(wire, PW_CAN_DOWN, NULL, event) == 1 ? 1 : (int)PW_ERR_PEER;
}

int pw_can_wire_send(struct pw_can_wire *wire, const struct pw_can_frame *frame)
{
    int err = PW_OK;
    if (!pw_can_valid(frame)) {
        err = PW_ERR_RANGE;
    } else if (wire->lost) {
        err = PW_ERR_PEER;
    } else if (wire->state == PW_CAN_OFF || wire->state == PW_CAN_DOWN) {
        err = PW_ERR_BUSY;
    } else {
        err = wire->ops->send(wire, frame);
    }
    wire->stats.sent += err == PW_OK ? 1 : 0;
    wire->stats.refused += err == PW_OK ? 0 : 1;
    return err;
}

int pw_can_wire_send_error(struct pw_can_wire *wire, const struct pw_can_error *error)
{
    if (error->classes > PW_CAN_ID_29_MAX) {
        return PW_ERR_RANGE;
    }
    return wire->lost ? (int)PW_ERR_PEER : wire->ops->send_error(wire, error);
}

enum pw_can_state pw_can_wire_state(const struct pw_can_wire *wire)
{
    return wire->state;
}

struct pw_can_wire_stats pw_can_wire_stats(const struct pw_can_wire *wire)
{
    return wire->stats;
}

const char *pw_can_wire_url(const struct pw_can_wire *wire)
{
    return wire->url;
}

// ---------------------------------------------------------------------------------------------
// For the links.

int pw_can_link_state(struct pw_can_wire *wire, enum pw_can_state state,
                      const struct pw_can_error *error, struct pw_can_event *event)
{
    if (state == wire->state) {
        return 0;
    }
    wire->state = state;
    *event = (struct pw_can_event){.kind = PW_CAN_EVENT_STATE, .state = state};
    if (error != NULL) {
        event->error = *error;
    }
    return 1;
}

int pw_can_link_frame(struct pw_can_wire *wire, const struct pw_can_frame *frame,
                      struct pw_can_event *event)
{
    wire->stats.received++;
    *event =
        (struct pw_can_event){.kind = PW_CAN_EVENT_FRAME, .frame = *frame, .state = wire->state};
    return 1;
}

int pw_can_link_error(struct pw_can_wire *wire, const struct pw_can_error *error,
                      struct pw_can_event *event)
{
    wire->stats.errors++;
    return pw_can_link_state(wire, pw_can_state_after(wire->state, error), error, event);
}

void pw_can_link_say(struct pw_out *reason, const char *what, int error)
{
    pw_put_s(reason, what);
    pw_put_s(reason, ": ");
    pw_put_s(reason, strerror(error));
}
