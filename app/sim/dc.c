#include "scenario/scenario.h"
#include "sim.h"

#define RESTART_MS 100 // a controller is off the bus at least this long before it may come back

static void lose(struct pw_sim_bus *bus)
{
    struct pw_line line;
    pw_watch_end(&bus->watch);
    bus->lost = true;
    bus->sim->lost = true;
    pw_line(&line, &bus->sim->logger.log, PW_LOG_ERROR, "sim", "wire-lost");
    pw_line_s(&line, "url", pw_can_wire_url(bus->wire));
    pw_line_end(&line);
    pw_loop_end(&bus->sim->loop);
}

static void read_wire(void *context, unsigned events)
{
    (void)events;
    struct pw_sim_bus *bus = context;
    unsigned number = (unsigned)(bus - bus->sim->dc.bus);
    struct pw_can_event event;
    int got = 1;
    while (!bus->lost &&
           (got = pw_can_wire_read(bus->wire, pw_clock_now(&bus->sim->clock), &event)) == 1) {
        if (event.kind != PW_CAN_EVENT_FRAME) {
            continue;
        }
        if (bus->sim->dc.world.bus[number] == PW_CAN_OFF) {
            bus->told = PW_CAN_ACTIVE; // somebody came back onto a broken bus: off again
        }
        pw_world_dc_can(&bus->sim->dc.world, number, &event.frame);
    }
    if (got < 0 && !bus->lost) {
        lose(bus);
    }
}

// What a controller on the wire must be told when its bus goes from one state to another.
static struct pw_can_error news(enum pw_can_state from, enum pw_can_state to)
{
    struct pw_can_error error = {.classes = PW_CAN_ERROR_CONTROLLER};
    if (to == PW_CAN_OFF) {
        error.classes = PW_CAN_ERROR_BUS_OFF;
    } else if (from == PW_CAN_OFF) {
        error.classes = PW_CAN_ERROR_RESTARTED;
    } else {
        error.data[1] =
            to == PW_CAN_PASSIVE ? PW_CAN_CONTROLLER_TX_PASSIVE : PW_CAN_CONTROLLER_ACTIVE;
    }
    return error;
}

// Tells the others how the bus stands; returns when it wants to be called again.
static pw_ms tell(struct pw_sim_bus *bus, enum pw_can_state state, pw_ms now)
{
    if (bus->wire == NULL || bus->told == state) {
        return PW_NEVER;
    }
    pw_ms may_at = bus->told == PW_CAN_OFF ? bus->told_at + RESTART_MS : now;
    if (now < may_at) {
        return may_at;
    }
    // A bus that comes back passive is first restarted; the next turn says the rest.
    enum pw_can_state to = bus->told == PW_CAN_OFF ? PW_CAN_ACTIVE : state;
    struct pw_can_error error = news(bus->told, to);
    if (pw_can_wire_send_error(bus->wire, &error) != PW_OK) {
        struct pw_line line;
        pw_line(&line, &bus->sim->logger.log, PW_LOG_WARN, "sim", "bus-state-untold");
        pw_line_s(&line, "url", pw_can_wire_url(bus->wire));
        pw_line_s(&line, "state", pw_can_state_name(to));
        pw_line_end(&line);
    }
    bus->told = to;
    bus->told_at = now;
    return to == state ? PW_NEVER : now;
}

static void send_frames(struct pw_sim *sim)
{
    unsigned number = 0;
    struct pw_can_frame frame;
    while (pw_world_dc_take_can(&sim->dc.world, &number, &frame)) {
        struct pw_sim_bus *bus = &sim->dc.bus[number];
        // What a full queue refuses is lost, as on any bus; the wire counts it.
        if (bus->wire != NULL && !bus->lost && pw_can_wire_send(bus->wire, &frame) == PW_ERR_PEER) {
            lose(bus);
        }
    }
}

static int open_bus(struct pw_sim *sim, size_t number, struct pw_out *reason)
{
    struct pw_sim_bus *bus = &sim->dc.bus[number];
    *bus = (struct pw_sim_bus){.sim = sim, .told = PW_CAN_ACTIVE};
    if (sim->options.can[number] == NULL) {
        return PW_OK;
    }
    pw_ms now = pw_clock_now(&sim->clock);
    int err = pw_can_wire_open(&bus->wire, pw_str_of(sim->options.can[number]), now, reason);
    if (err != PW_OK) {
        return err;
    }
    int fd = pw_can_wire_fd(bus->wire);
    if (fd < 0) {
        pw_put_s(reason, sim->options.can[number]);
        pw_put_s(reason, ": nothing can be sent there");
        return PW_ERR_RANGE;
    }
    bus->watch = (struct pw_watch){.ready = read_wire, .context = bus};
    pw_watch_start(&bus->watch, &sim->loop, fd, PW_LOOP_READ, PW_LOOP_CAN);
    return PW_OK;
}

static int open_dc(struct pw_sim *sim, struct pw_out *reason)
{
    int err = PW_OK;
    pw_world_dc_init(&sim->dc.world, &sim->options.dc, pw_clock_now(&sim->clock));
    sim->dc.soc_start_permille = pw_world_dc_truth(&sim->dc.world).soc_permille;
    for (size_t i = 0; i < PW_WORLD_DC_BUSES && err == PW_OK; i++) {
        err = open_bus(sim, i, reason);
    }
    return err;
}

static void close_dc(struct pw_sim *sim)
{
    for (size_t i = 0; i < PW_WORLD_DC_BUSES; i++) {
        pw_watch_end(&sim->dc.bus[i].watch);
        pw_can_wire_close(sim->dc.bus[i].wire);
    }
}

static pw_ms turn_dc(struct pw_sim *sim, pw_ms now)
{
    pw_ms next = pw_world_dc_step(&sim->dc.world, now);
    for (size_t i = 0; i < PW_WORLD_DC_BUSES; i++) {
        next = pw_earlier(next, tell(&sim->dc.bus[i], sim->dc.world.bus[i], now));
    }
    send_frames(sim);
    return next;
}

static int line_dc(struct pw_sim *sim, struct pw_str text, struct pw_out *answer)
{
    return pw_scenario_run(&sim->dc.world, text, answer);
}

static bool take_card_dc(struct pw_sim *sim, char *to, size_t cap)
{
    return pw_world_dc_take_card(&sim->dc.world, to, cap);
}

static void status_dc(const struct pw_sim *sim, struct pw_line *line)
{
    struct pw_world_dc_truth truth = pw_world_dc_truth(&sim->dc.world);
    pw_line_s(line, "vehicle", truth.plugged ? sim->dc.world.scooter.kind->word : "none");
    pw_line_fixed(line, "soc", truth.soc_permille, 1);
    pw_line_fixed(line, "v", truth.connector_mv, 3);
    pw_line_fixed(line, "a", truth.connector_ma, 3);
    pw_line_fixed(line, "wh", truth.energy_mwh, 3);
    pw_line_s(line, "contactor", truth.contactor_closed ? "closed" : "open");
    pw_line_s(line, "bms", pw_world_bms_state_name(truth.bms));
    pw_line_s(line, "rectifier", pw_world_rectifier_state_name(truth.rectifier));
}

static void result_dc(const struct pw_sim *sim, struct pw_out *out)
{
    struct pw_world_dc_truth truth = pw_world_dc_truth(&sim->dc.world);
    pw_put_s(out, "{\"energy_wh_physical\":");
    pw_put_fixed(out, truth.energy_mwh, 3);
    pw_put_s(out, ",\"soc_start\":");
    pw_put_fixed(out, sim->dc.soc_start_permille, 1);
    pw_put_s(out, ",\"soc_end\":");
    pw_put_fixed(out, truth.soc_permille, 1);
    pw_put_s(out, ",\"vehicle_model\":\"");
    pw_put_s(out, sim->dc.world.scooter.kind->name);
    pw_put_s(out, "\"}");
}

const struct pw_sim_kind pw_sim_kind_dc = {
    .open = open_dc,
    .close = close_dc,
    .turn = turn_dc,
    .line = line_dc,
    .take_card = take_card_dc,
    .status = status_dc,
    .result = result_dc,
};
