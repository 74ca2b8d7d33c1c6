// pilotwire-sim: joins the simulated world of one dc connector to CAN wires, standard input, a
// control socket and a card reader, at the pace of the shared clock.
#include "can/wire.h"
#include "lines.h"
#include "log.h"
#include "options.h"
#include "reader.h"
#include "scenario/scenario.h"
#include "tell.h"

#include <stdlib.h>
#include <unistd.h>

#define RESTART_MS 100 // a controller is off the bus at least this long before it may come back

struct bus {
    struct sim *sim;
    struct pw_can_wire *wire; // NULL: there is no such bus
    struct pw_watch watch;
    enum pw_can_state told; // what the others on the wire have been told
    pw_ms told_at;
    bool lost;
};

struct sim {
    struct pw_sim_options options;
    struct pw_clock clock;
    struct pw_logger logger;
    struct pw_loop loop;
    struct pw_sim_lines lines;
    struct pw_sim_reader reader;
    struct bus bus[PW_WORLD_DC_BUSES];
    struct pw_world_dc world;
    pw_ms status_at;
    int32_t soc_start_permille;
};

static void lose(struct bus *bus)
{
    struct pw_line line;
    pw_watch_end(&bus->watch);
    bus->lost = true;
    pw_line(&line, &bus->sim->logger.log, PW_LOG_ERROR, "sim", "wire-lost");
    pw_line_s(&line, "url", pw_can_wire_url(bus->wire));
    pw_line_end(&line);
    pw_loop_end(&bus->sim->loop);
}

static void read_wire(void *context, unsigned events)
{
    (void)events;
    struct bus *bus = context;
    unsigned number = (unsigned)(bus - bus->sim->bus);
    struct pw_can_event event;
    int got = 1;
    while (!bus->lost &&
           (got = pw_can_wire_read(bus->wire, pw_clock_now(&bus->sim->clock), &event)) == 1) {
        if (event.kind != PW_CAN_EVENT_FRAME) {
            continue;
        }
        if (bus->sim->world.bus[number] == PW_CAN_OFF) {
            bus->told = PW_CAN_ACTIVE; // somebody came back onto a broken bus: off again
        }
        pw_world_dc_can(&bus->sim->world, number, &event.frame);
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
static pw_ms tell(struct bus *bus, enum pw_can_state state, pw_ms now)
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

static void send_frames(struct sim *sim)
{
    unsigned number = 0;
    struct pw_can_frame frame;
    while (pw_world_dc_take_can(&sim->world, &number, &frame)) {
        struct bus *bus = &sim->bus[number];
        // What a full queue refuses is lost, as on any bus; the wire counts it.
        if (bus->wire != NULL && !bus->lost && pw_can_wire_send(bus->wire, &frame) == PW_ERR_PEER) {
            lose(bus);
        }
    }
}

static void present_card(struct sim *sim)
{
    char id[PW_WORLD_DC_CARD_MAX];
    struct pw_line line;
    if (!pw_world_dc_take_card(&sim->world, id, sizeof(id))) {
        return;
    }
    int err = pw_sim_reader_send(&sim->reader, pw_str_of(id));
    pw_line(&line, &sim->logger.log, err == PW_OK ? PW_LOG_INFO : PW_LOG_WARN, "sim", "card");
    pw_line_s(&line, "id", id);
    pw_line_s(&line, "result", err == PW_OK ? "sent" : pw_err_name(err));
    pw_line_end(&line);
}

static void show_status(struct sim *sim)
{
    struct pw_world_dc_truth truth = pw_world_dc_truth(&sim->world);
    struct pw_line line;
    pw_line(&line, &sim->logger.log, PW_LOG_INFO, "sim", "status");
    pw_line_s(&line, "vehicle", truth.plugged ? sim->world.scooter.kind->word : "none");
    pw_line_fixed(&line, "soc", truth.soc_permille, 1);
    pw_line_fixed(&line, "v", truth.connector_mv, 3);
    pw_line_fixed(&line, "a", truth.connector_ma, 3);
    pw_line_fixed(&line, "wh", truth.energy_mwh, 3);
    pw_line_s(&line, "contactor", truth.contactor_closed ? "closed" : "open");
    pw_line_s(&line, "bms", pw_world_bms_state_name(truth.bms));
    pw_line_s(&line, "rectifier", pw_world_rectifier_state_name(truth.rectifier));
    pw_line_end(&line);
}

static pw_ms turn(void *context, pw_ms now)
{
    struct sim *sim = context;
    pw_ms next = pw_world_dc_step(&sim->world, now);
    for (size_t i = 0; i < PW_WORLD_DC_BUSES; i++) {
        next = pw_earlier(next, tell(&sim->bus[i], sim->world.bus[i], now));
    }
    send_frames(sim);
    present_card(sim);
    if (sim->options.status_s > 0) {
        if (now >= sim->status_at) {
            show_status(sim);
            sim->status_at = now + (pw_ms)sim->options.status_s * 1000U;
        }
        next = pw_earlier(next, sim->status_at);
    }
    return next;
}

static void run_line(void *context, struct pw_str text, struct pw_out *answer)
{
    struct sim *sim = context;
    (void)pw_world_dc_step(&sim->world, pw_clock_now(&sim->clock));
    char refused[PW_SCENARIO_ANSWER_MAX];
    struct pw_out out = PW_OUT(refused);
    int err = pw_scenario_run(&sim->world, text, &out);
    if (err != PW_OK) {
        pw_put_s(answer, "error: ");
    }
    pw_put(answer, pw_str_trim(pw_out_str(&out)));
}

static int open_bus(struct sim *sim, size_t number, struct pw_out *reason)
{
    struct bus *bus = &sim->bus[number];
    *bus = (struct bus){.sim = sim, .told = PW_CAN_ACTIVE};
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

static int open_all(struct sim *sim, struct pw_out *reason)
{
    int err = pw_sim_reader_open(&sim->reader, sim->options.card_reader, reason);
    for (size_t i = 0; i < PW_WORLD_DC_BUSES && err == PW_OK; i++) {
        err = open_bus(sim, i, reason);
    }
    if (err == PW_OK) {
        sim->lines.run = run_line;
        sim->lines.context = sim;
        err = pw_sim_lines_open(&sim->lines, &sim->loop, sim->options.control, reason);
    }
    return err;
}

static void close_all(struct sim *sim)
{
    if (sim->lines.loop != NULL) {
        pw_sim_lines_close(&sim->lines);
    }
    for (size_t i = 0; i < PW_WORLD_DC_BUSES; i++) {
        pw_watch_end(&sim->bus[i].watch);
        pw_can_wire_close(sim->bus[i].wire);
    }
    pw_sim_reader_close(&sim->reader);
    pw_loop_close(&sim->loop);
}

static void print_result(const struct sim *sim)
{
    struct pw_world_dc_truth truth = pw_world_dc_truth(&sim->world);
    char text[256] = "";
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "{\"energy_wh_physical\":");
    pw_put_fixed(&out, truth.energy_mwh, 3);
    pw_put_s(&out, ",\"soc_start\":");
    pw_put_fixed(&out, sim->soc_start_permille, 1);
    pw_put_s(&out, ",\"soc_end\":");
    pw_put_fixed(&out, truth.soc_permille, 1);
    pw_put_s(&out, ",\"vehicle_model\":\"");
    pw_put_s(&out, sim->world.scooter.kind->name);
    pw_put_s(&out, "\"}\n");
    (void)fputs(text, stdout);
}

static int run(struct sim *sim)
{
    char text[512] = "";
    struct pw_out reason = PW_OUT(text);
    if (pw_clock_init(&sim->clock, getenv("PILOTWIRE_CLOCK")) != PW_OK) {
        (void)fputs("pilotwire-sim: PILOTWIRE_CLOCK must be "
                    "<real_unix_ms>:<virtual_unix_ms>:<speed 0.1..1000>\n",
                    stderr);
        return EXIT_FAILURE;
    }
    pw_logger_init(&sim->logger, &sim->clock, STDERR_FILENO, PW_LOG_INFO);
    if (pw_loop_init(&sim->loop, &sim->clock) != PW_OK) {
        (void)fputs("pilotwire-sim: no event loop to be had\n", stderr);
        return EXIT_FAILURE;
    }
    pw_ms now = pw_clock_now(&sim->clock);
    pw_world_dc_init(&sim->world, &sim->options.world, now);
    sim->soc_start_permille = pw_world_dc_truth(&sim->world).soc_permille;
    sim->status_at = now;
    if (open_all(sim, &reason) != PW_OK) {
        (void)fprintf(stderr, "pilotwire-sim: %s\n", text);
        close_all(sim);
        return EXIT_FAILURE;
    }
    pw_loop_on_turn(&sim->loop, turn, sim);
    pw_loop_run(&sim->loop);
    bool lost = sim->bus[0].lost || sim->bus[1].lost;
    (void)pw_world_dc_step(&sim->world, pw_clock_now(&sim->clock));
    close_all(sim);
    print_result(sim);
    return lost ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct sim sim; // large, and one a program
    char text[512] = "";
    struct pw_out reason = PW_OUT(text);
    if (argc > 1 && pw_str_is(pw_str_of(argv[1]), "tell")) {
        return pw_sim_tell(argc - 2, argv + 2);
    }
    if (pw_sim_options_read(&sim.options, argc - 1, argv + 1, &reason) != PW_OK) {
        (void)fprintf(stderr, "pilotwire-sim: %s\n", text);
        return 2;
    }
    if (sim.options.help) {
        pw_sim_options_help(stdout);
        return EXIT_SUCCESS;
    }
    return run(&sim);
}
