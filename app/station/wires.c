#include "wires.h"

#include "stream.h"

#include <string.h>
#include <unistd.h>

#define REASON_MAX 320

static void tell(const struct wire *wire, enum pw_level level, const char *event, struct pw_str why)
{
    struct pw_line line;
    pw_line(&line, wire->wires->log, level, "wire", event);
    pw_line_int(&line, "connector", wire->connector);
    pw_line_s(&line, "device", wire->device);
    if (why.len > 0) {
        pw_line_str(&line, "why", why);
    }
    pw_line_end(&line);
}

static void lose(struct wire *wire, struct pw_str why, pw_ms now)
{
    if (!wire->complained) {
        tell(wire, PW_LOG_WARN, "away", why);
    }
    wire->complained = true;
    if (wire->fd >= 0) {
        pw_watch_end(&wire->watch);
        (void)close(wire->fd);
        wire->fd = -1;
    }
    wire->in_len = 0;
    wire->reopen_at = pw_after(now, WIRES_REOPEN_MS);
    pw_station_wire_down(wire->wires->station, wire->connector, why, now);
}

// ---------------------------------------------------------------------------------------------
// Reading.

static bool hand_over(struct wire *wire, pw_ms now)
{
    size_t taken = pw_station_wire_bytes(wire->wires->station, wire->connector,
                                         wire->in + wire->in_at, wire->in_len - wire->in_at, now);
    wire->in_at += taken;
    return taken > 0;
}

static bool read_some(struct wire *wire, pw_ms now)
{
    bool any = false;
    for (unsigned i = 0; i < WIRES_READS_MAX; i++) {
        if (wire->in_at < wire->in_len) {
            any = hand_over(wire, now) || any;
        }
        if (wire->in_at < wire->in_len) {
            return any; // the station must step first
        }
        int got = pw_stream_read(wire->fd, wire->in, sizeof(wire->in));
        if (got < 0) {
            lose(wire, PW_STR("the line hung up"), now);
            return true;
        }
        wire->in_at = 0;
        wire->in_len = (size_t)got;
        if (got == 0) {
            return any;
        }
    }
    return any;
}

static void finish_connecting(struct wire *wire, pw_ms now)
{
    int there = pw_stream_connected(wire->fd);
    if (there < 0) {
        lose(wire, PW_STR("nobody answers there"), now);
    } else if (there > 0) {
        wire->connecting = false;
        wire->complained = false;
        pw_watch_change(&wire->watch, PW_LOOP_READ);
        tell(wire, PW_LOG_INFO, "open", PW_STR(""));
        pw_station_wire_up(wire->wires->station, wire->connector, now);
    }
}

// Only wakes the loop: wires_step reads in the turn that follows.
static void on_ready(void *context, unsigned events)
{
    (void)context;
    (void)events;
}

// ---------------------------------------------------------------------------------------------
// Opening.

static void try_open(struct wire *wire, pw_ms now)
{
    char text[REASON_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (pw_stream_open(pw_str_of(wire->device), &wire->fd, &why) != PW_OK) {
        wire->fd = -1;
        lose(wire, pw_out_str(&why), now);
        return;
    }
    wire->connecting = true;
    wire->watch = (struct pw_watch){.ready = on_ready, .context = wire};
    pw_watch_start(&wire->watch, wire->wires->loop, wire->fd, PW_LOOP_READ | PW_LOOP_WRITE,
                   PW_LOOP_CAN);
}

// The line of a connector; NULL for one of another kind.
static const char *device_of(const struct pw_settings *settings, unsigned index)
{
    if (index >= settings->connectors ||
        pw_settings_connector(settings, PW_SET_KIND, index) != PW_KIND_OF_CONNECTOR_OPENEVSE) {
        return NULL;
    }
    bool radio = pw_settings_connector(settings, PW_SET_RAPI_WIRE, index) != 0;
    return pw_settings_connector_text(settings, radio ? PW_SET_RAPI_LORA : PW_SET_RAPI_CABLE,
                                      index);
}

int wires_check(const struct pw_settings *settings, struct pw_out *why)
{
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        char text[REASON_MAX] = "";
        struct pw_out reason = PW_OUT(text);
        const char *device = device_of(settings, i);
        if (device == NULL || pw_stream_check(pw_str_of(device), &reason) == PW_OK) {
            continue;
        }
        bool radio = pw_settings_connector(settings, PW_SET_RAPI_WIRE, i) != 0;
        pw_put_s(why, "connectors[");
        pw_put_uint(why, i);
        pw_put_s(why, radio ? "].rapi_lora: \"" : "].rapi_cable: \"");
        pw_put_s(why, device);
        pw_put_s(why, "\": ");
        pw_put(why, pw_out_str(&reason));
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

int wires_open(struct wires *wires, const struct pw_settings *settings, struct pw_out *why)
{
    int err = wires_check(settings, why);
    pw_ms now = pw_clock_now(wires->loop->clock);
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        struct wire *wire = &wires->wire[i];
        const char *device = err == PW_OK ? device_of(settings, i) : NULL;
        *wire = (struct wire){.wires = wires, .fd = -1};
        if (device != NULL) {
            wire->connector = i + 1;
            wire->device = device;
            wire->cable = pw_settings_connector(settings, PW_SET_RAPI_WIRE, i) == 0;
            try_open(wire, now);
        }
    }
    return err;
}

void wires_close(struct wires *wires)
{
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        struct wire *wire = &wires->wire[i];
        if (wire->connector != 0 && wire->fd >= 0) {
            pw_watch_end(&wire->watch);
            (void)close(wire->fd);
            wire->fd = -1;
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The turn.

pw_ms wires_step(struct wires *wires, pw_ms now, bool *busy)
{
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        struct wire *wire = &wires->wire[i];
        if (wire->connector == 0) {
            continue;
        }
        if (wire->fd < 0 && now >= wire->reopen_at) {
            try_open(wire, now);
        }
        if (wire->fd >= 0 && wire->connecting) {
            finish_connecting(wire, now);
        }
        if (wire->fd >= 0 && !wire->connecting) {
            *busy = read_some(wire, now) || *busy;
        }
        if (wire->fd < 0) {
            at = pw_earlier(at, wire->reopen_at);
        }
    }
    return at;
}

void wires_flush(struct wires *wires, pw_ms now)
{
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        struct wire *wire = &wires->wire[i];
        if (wire->connector == 0 || wire->fd < 0 || wire->connecting) {
            continue;
        }
        struct pw_str out = pw_station_wire_out(wires->station, wire->connector);
        int sent = out.len == 0 ? 0 : pw_stream_write(wire->fd, out.at, out.len);
        if (sent < 0) {
            lose(wire, PW_STR("the line hung up"), now);
            continue;
        }
        if (sent > 0) {
            pw_station_wire_out_sent(wires->station, wire->connector, (size_t)sent, now);
        }
        bool more = pw_station_wire_out(wires->station, wire->connector).len > 0;
        pw_watch_change(&wire->watch, more ? PW_LOOP_READ | PW_LOOP_WRITE : PW_LOOP_READ);
    }
}

void wires_off(const struct wires *wires)
{
    // The first end drops what was half sent.
    static const char disable[] = "\r$FD^26\r";
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        const struct wire *wire = &wires->wire[i];
        if (wire->connector != 0 && wire->cable && wire->fd >= 0 && !wire->connecting) {
            (void)!pw_stream_write(wire->fd, disable, sizeof(disable) - 1);
        }
    }
}
