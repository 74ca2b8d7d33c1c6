// How the buses stand, and how one comes back after it went off. Source: facts/dc-can.md §1.1
// (back-off 1 to 30 s, 500 ms of listening), §5.1.
#include "bay/parts.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS  30000
#define BACKOFF_CALM_MS  60000 // active this long: the next bus-off starts at the first back-off
#define LISTEN_MS        500

static bool carries(enum pw_can_state state)
{
    return state == PW_CAN_ACTIVE || state == PW_CAN_WARNING || state == PW_CAN_PASSIVE;
}

static void log_state(const struct pw_bay *bay, uint8_t bus, enum pw_can_state from,
                      enum pw_can_state to)
{
    struct pw_line line;
    pw_line(&line, bay->log, carries(to) ? PW_LOG_INFO : PW_LOG_WARN, "bay", "bus");
    pw_line_int(&line, "connector", bay->config.connector_id);
    pw_line_int(&line, "bus", bus);
    pw_line_s(&line, "from", pw_can_state_name(from));
    pw_line_s(&line, "to", pw_can_state_name(to));
    pw_line_end(&line);
}

void pw_bay_bus_state(struct pw_bay *bay, uint8_t bus, enum pw_can_state state, pw_ms now)
{
    PW_ASSERT(bus < PW_BAY_BUSES);
    struct pw_bay_bus *b = &bay->bus[bus];
    enum pw_can_state from = b->reported;
    if (state == from) {
        return;
    }
    b->reported = state;
    if (!carries(state)) {
        b->transmit = false;
        b->listen_until = PW_NEVER;
    } else if (!carries(from)) {
        // First hear what the bus is like, then speak.
        b->listen_until = pw_after(now, LISTEN_MS);
        b->calm_since = now;
    }
    b->restart_at = PW_NEVER;
    if (state == PW_CAN_OFF) {
        b->offs++;
        if (b->backoff_ms == 0 || pw_elapsed(b->calm_since, BACKOFF_CALM_MS, now)) {
            b->backoff_ms = BACKOFF_FIRST_MS;
        }
        b->restart_at = pw_after(now, b->backoff_ms);
        b->backoff_ms = (uint32_t)pw_min((int64_t)b->backoff_ms * 2, BACKOFF_MOST_MS);
    }
}

bool pw_bay_take_restart(struct pw_bay *bay, uint8_t bus, pw_ms now)
{
    PW_ASSERT(bus < PW_BAY_BUSES);
    struct pw_bay_bus *b = &bay->bus[bus];
    if (b->reported != PW_CAN_OFF || now < b->restart_at) {
        return false;
    }
    b->restart_at = pw_after(now, b->backoff_ms);
    b->backoff_ms = (uint32_t)pw_min((int64_t)b->backoff_ms * 2, BACKOFF_MOST_MS);
    return true;
}

// Silence is a finding only where somebody should speak: always on the power bus, on the vehicle's
// while one is plugged in.
static bool should_speak(const struct pw_bay *bay, uint8_t bus)
{
    return bus == bay->config.power_bus || (bus == bay->config.vehicle_bus && bay->dc.plugged);
}

static pw_ms step_bus(struct pw_bay *bay, uint8_t bus, pw_ms now)
{
    struct pw_bay_bus *b = &bay->bus[bus];
    pw_ms next = PW_NEVER;
    if (carries(b->reported) && !b->transmit) {
        b->transmit = now >= b->listen_until;
        next = b->transmit ? next : b->listen_until;
    }
    if (b->reported == PW_CAN_OFF && b->restart_at > now) {
        next = pw_earlier(next, b->restart_at); // once due, it waits to be taken
    }
    enum pw_can_state state = b->reported;
    if (carries(state) && should_speak(bay, bus)) {
        pw_ms since =
            b->heard_at == PW_NEVER || b->heard_at < b->calm_since ? b->calm_since : b->heard_at;
        pw_ms silence = (pw_ms)bay->config.bus_silence_ms;
        if (pw_elapsed(since, silence, now)) {
            state = PW_CAN_SILENT;
        } else {
            next = pw_earlier(next, pw_after(since, silence));
        }
    }
    if (state != b->state) {
        log_state(bay, bus, b->state, state);
        b->state = state;
    }
    return next;
}

pw_ms pw_bay_bus_step(struct pw_bay *bay, pw_ms now)
{
    pw_ms next = PW_NEVER;
    for (uint8_t i = 0; i < PW_BAY_BUSES; i++) {
        if (bay->bus[i].needed) {
            next = pw_earlier(next, step_bus(bay, i, now));
        }
    }
    return next;
}

bool pw_bay_bus_ok(const struct pw_bay *bay)
{
    for (uint8_t i = 0; i < PW_BAY_BUSES; i++) {
        const struct pw_bay_bus *b = &bay->bus[i];
        // Alone on the vehicle's bus nobody acknowledges our frames: error-passive is natural there
        // until somebody plugs in. Anywhere else it means that stopping could fail.
        bool alone = i != bay->config.power_bus && !bay->dc.plugged;
        bool well = b->reported != PW_CAN_PASSIVE || alone;
        if (b->needed && (!b->transmit || !well)) {
            return false;
        }
    }
    return true;
}
