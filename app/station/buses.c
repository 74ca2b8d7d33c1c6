#include "buses.h"

static void complain(struct bus *bus, struct pw_str reason)
{
    struct pw_line line;
    if (bus->complained) {
        return;
    }
    bus->complained = true;
    pw_line(&line, bus->buses->log, PW_LOG_WARN, "can", "wire-away");
    pw_line_int(&line, "bus", (int64_t)bus->index);
    pw_line_str(&line, "why", reason);
    pw_line_end(&line);
}

static void lose(struct bus *bus, pw_ms now)
{
    pw_watch_end(&bus->watch);
    pw_can_wire_close(bus->wire);
    bus->wire = NULL;
    bus->reopen_at = pw_after(now, BUSES_REOPEN_MS);
    pw_station_bus_state(bus->buses->station, bus->index, PW_CAN_DOWN, now);
}

static void read_some(struct bus *bus, pw_ms now)
{
    for (unsigned i = 0; i < BUSES_READ_MAX; i++) {
        struct pw_can_event event;
        int got = pw_can_wire_read(bus->wire, now, &event);
        if (got == 0) {
            return;
        }
        if (got < 0) {
            complain(bus, PW_STR("the wire is lost"));
            lose(bus, now);
            return;
        }
        if (event.kind == PW_CAN_EVENT_FRAME) {
            pw_station_can(bus->buses->station, bus->index, &event.frame, now);
        } else {
            pw_station_bus_state(bus->buses->station, bus->index, event.state, now);
        }
    }
}

static void on_ready(void *context, unsigned events)
{
    struct bus *bus = context;
    (void)events;
    read_some(bus, pw_clock_now(bus->buses->loop->clock));
}

static int open_bus(struct bus *bus, pw_ms now, struct pw_out *why)
{
    struct buses *buses = bus->buses;
    int err = pw_can_wire_open(&bus->wire, pw_str_of(bus->url), now, why);
    if (err != PW_OK) {
        bus->wire = NULL;
        bus->reopen_at = pw_after(now, BUSES_REOPEN_MS);
        return err;
    }
    bus->complained = false;
    bus->watch = (struct pw_watch){.ready = on_ready, .context = bus};
    int fd = pw_can_wire_fd(bus->wire);
    if (fd >= 0) {
        pw_watch_start(&bus->watch, buses->loop, fd, PW_LOOP_READ, PW_LOOP_CAN);
    }
    pw_station_bus_state(buses->station, bus->index, pw_can_wire_state(bus->wire), now);
    return PW_OK;
}

static void try_open(struct bus *bus, pw_ms now)
{
    char text[PW_CAN_WIRE_REASON_MAX];
    struct pw_out why = PW_OUT(text);
    if (open_bus(bus, now, &why) != PW_OK) {
        complain(bus, pw_out_str(&why));
    }
}

int buses_open(struct buses *buses, const struct pw_settings *settings, struct pw_out *why)
{
    const enum pw_setting_id urls[PW_STATION_BUSES] = {PW_SET_CAN_BUS0, PW_SET_CAN_BUS1};
    pw_ms now = pw_clock_now(buses->loop->clock);
    buses->off_count = pw_station_off_frames(settings, buses->off, PW_COUNT(buses->off));
    for (unsigned i = 0; i < PW_STATION_BUSES; i++) {
        struct bus *bus = &buses->bus[i];
        char text[PW_CAN_WIRE_REASON_MAX];
        struct pw_out reason = PW_OUT(text);
        *bus = (struct bus){.buses = buses, .index = i, .url = pw_settings_text(settings, urls[i])};
        if (bus->url[0] == '\0') {
            continue;
        }
        int err = open_bus(bus, now, &reason);
        if (err == PW_ERR_PEER || err == PW_ERR_RANGE) {
            pw_put(why, pw_out_str(&reason));
            return err;
        }
        if (err != PW_OK) {
            complain(bus, pw_out_str(&reason));
            pw_station_bus_state(buses->station, i, PW_CAN_DOWN, now);
        }
    }
    return PW_OK;
}

void buses_close(struct buses *buses)
{
    for (unsigned i = 0; i < PW_STATION_BUSES; i++) {
        pw_watch_end(&buses->bus[i].watch);
        pw_can_wire_close(buses->bus[i].wire);
        buses->bus[i].wire = NULL;
    }
}

pw_ms buses_step(struct buses *buses, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < PW_STATION_BUSES; i++) {
        struct bus *bus = &buses->bus[i];
        if (bus->url[0] == '\0') {
            continue;
        }
        if (bus->wire == NULL && now >= bus->reopen_at) {
            try_open(bus, now);
        }
        if (bus->wire != NULL && now >= pw_can_wire_deadline(bus->wire)) {
            read_some(bus, now);
        }
        at = pw_earlier(at, bus->wire == NULL ? bus->reopen_at : pw_can_wire_deadline(bus->wire));
    }
    return at;
}

void buses_flush(struct buses *buses, pw_ms now)
{
    struct pw_can_frame frame;
    unsigned index = 0;
    while (pw_station_take_can(buses->station, &index, &frame)) {
        struct bus *bus = &buses->bus[index];
        // A frame that does not leave is counted by the wire; the station repeats what matters.
        if (bus->wire != NULL && pw_can_wire_send(bus->wire, &frame) == PW_ERR_PEER) {
            complain(bus, PW_STR("the wire is lost"));
            lose(bus, now);
        }
    }
    while (pw_station_take_bus_restart(buses->station, &index, now)) {
        struct bus *bus = &buses->bus[index];
        if (bus->url[0] != '\0') {
            lose(bus, now);
            try_open(bus, now);
        }
    }
}

void buses_off(const struct buses *buses)
{
    for (size_t i = 0; i < buses->off_count; i++) {
        const struct bus *bus = &buses->bus[buses->off[i].bus];
        if (bus->wire != NULL) {
            (void)!pw_can_wire_send(bus->wire, &buses->off[i].frame);
        }
    }
}
