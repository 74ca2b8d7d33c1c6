#include "program.h"

#include "boards.h"
#include "buses.h"
#include "certificate.h"
#include "files.h"
#include "front.h"
#include "gateway.h"
#include "link.h"
#include "meters.h"
#include "mqtt.h"
#include "network.h"
#include "panic.h"
#include "peer/authorities.h"
#include "people.h"
#include "proxy.h"
#include "secrets.h"
#include "service.h"
#include "store.h"
#include "trust/openssl.h"
#include "uplink.h"
#include "wires.h"
#include "zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define STOP_MAX_MS   30000 // for an orderly end of all charges
#define TELL_MAX_MS   5000  // for the last messages to the central system
#define LEAVE_MAX_MS  3000  // for the closing handshake, real time
#define STATUS_MS     10000 // between lines for the service manager
#define LOG_RING_SIZE 65536 // bytes of log lines for the page and the uplink
#define DATABASE_NAME "station.db"
#define TRUST_NAME    "trust"

// One way only.
enum phase { RUNNING, STOPPING, LEAVING };

struct program {
    const struct options *options;
    const struct pw_clock *clock;
    struct pw_clock pace; // real time, for what the outside measures in it
    struct pw_logger *logger;
    struct pw_loop loop;
    struct pw_sqlite *sqlite;
    struct pw_store store;
    struct secrets secrets;
    struct pw_trust_keeper *keeper;
    struct pw_trust trust;
    struct pw_proxy proxy;
    struct files files;
    struct pw_station station;
    struct buses buses;
    struct boards boards;
    struct meters meters;
    struct wires wires;
    struct link link;
    struct uplink uplink;
    struct mqtt mqtt;
    struct network network;
    struct pw_logring lines;
    uint8_t line_bytes[LOG_RING_SIZE];
    struct people people;
    struct certificate certificate;
    struct front front;
    struct gateway gateway;
    struct pw_service service;
    enum phase phase;
    pw_ms stop_by;
    pw_ms tell_by;
    pw_ms leave_by; // at `pace`
    pw_ms status_at;
    bool again;
    bool updated; // the next start is another program's
    bool factory; // everything is to be forgotten before it
};

static const char *const phase_names[] = {"running", "stopping", "leaving"};

static void enter(struct program *program, enum phase phase, const char *why)
{
    struct pw_line line;
    pw_line(&line, &program->logger->log, PW_LOG_INFO, "program", "phase");
    pw_line_s(&line, "from", phase_names[program->phase]);
    pw_line_s(&line, "to", phase_names[phase]);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
    program->phase = phase;
}

// ---------------------------------------------------------------------------------------------
// The turn. Frames have been stored by now (their descriptors come first); charger control decides
// before anything of the central system or of people is looked at.

static pw_ms decide(struct program *program, pw_ms now)
{
    pw_station_clock(&program->station, pw_clock_wall(program->clock), now);
    pw_ms at = pw_station_step(&program->station, now);
    buses_flush(&program->buses, now);
    wires_flush(&program->wires, now);
    return pw_earlier(at, boards_flush(&program->boards, now));
}

// Switches everything off without asking the station: the panic hook.
static void switch_off(void *context)
{
    struct program *program = context;
    boards_off(&program->boards);
    wires_off(&program->wires);
    buses_off(&program->buses);
}

static void follow_log_level(struct program *program)
{
    static const enum pw_level levels[] = {PW_LOG_INFO, PW_LOG_ERROR, PW_LOG_WARN, PW_LOG_DEBUG};
    size_t choice = (size_t)pw_settings_int(&program->station.settings, PW_SET_LOG_LEVEL);
    program->logger->level = choice < PW_COUNT(levels) ? levels[choice] : PW_LOG_INFO;
}

static pw_ms tell_service(struct program *program, pw_ms now)
{
    if (now >= program->status_at) {
        char text[4096] = "";
        struct pw_out out = PW_OUT(text);
        (void)!pw_station_command(&program->station, PW_STR("status"), &out, now);
        text[strcspn(text, "\n")] = '\0';
        pw_service_status(text);
        program->status_at = pw_after(now, STATUS_MS);
    }
    pw_service_alive(&program->service);
    return program->status_at;
}

static bool has_told_all(const struct program *program, pw_ms now)
{
    return !program->link.up || now >= program->tell_by ||
           (pw_journal_waiting(&program->station.journal) == 0 &&
            pw_station_out(&program->station).len == 0);
}

// How far an end has come. Returns when to look again.
static pw_ms step_end(struct program *program, pw_ms now)
{
    if (program->phase == RUNNING &&
        pw_station_wants_restart(&program->station) != PW_RESTART_NONE) {
        program->again = true;
        program->updated = pw_station_wants_restart(&program->station) == PW_RESTART_UPDATE;
        program->factory = pw_station_wants_restart(&program->station) == PW_RESTART_FACTORY;
        program->leave_by = pw_after(pw_clock_now(&program->pace), LEAVE_MAX_MS);
        enter(program, LEAVING, "restart asked for");
    }
    if (program->phase == STOPPING) {
        bool at_rest = pw_station_at_rest(&program->station);
        if (!at_rest) {
            program->tell_by = pw_after(now, TELL_MAX_MS);
        }
        if ((at_rest && has_told_all(program, now)) || now >= program->stop_by) {
            program->leave_by = pw_after(pw_clock_now(&program->pace), LEAVE_MAX_MS);
            enter(program, LEAVING, at_rest ? "at rest" : "no rest in time");
        }
    }
    if (program->phase == LEAVING &&
        (link_leave(&program->link) || pw_clock_now(&program->pace) >= program->leave_by)) {
        pw_loop_end(&program->loop);
    }
    return program->phase == RUNNING ? PW_NEVER : pw_after(now, 100);
}

static pw_ms turn(void *context, pw_ms now)
{
    struct program *program = context;
    bool busy = false;
    pw_ms at = buses_step(&program->buses, now);
    at = pw_earlier(at, boards_step(&program->boards, now));
    at = pw_earlier(at, wires_step(&program->wires, now, &busy));
    at = pw_earlier(at, meters_step(&program->meters, now));
    pw_ms decided = decide(program, now);
    if (program->phase != LEAVING) {
        busy = link_step(&program->link, now) || busy;
        busy = uplink_step(&program->uplink, now) || busy;
    }
    at = pw_earlier(at, mqtt_step(&program->mqtt, now, &busy));
    at = pw_earlier(at, network_step(&program->network, now, &busy));
    at = pw_earlier(at, people_step(&program->people, now, &busy));
    if (busy) {
        decided = decide(program, now);
    }
    if (program->phase != LEAVING) {
        link_flush(&program->link, now);
        uplink_flush(&program->uplink, now);
        mqtt_flush(&program->mqtt, now);
    }
    meters_flush(&program->meters);
    at = pw_earlier(at, network_flush(&program->network, now));
    at = pw_earlier(at, people_flush(&program->people, now));
    at = pw_earlier(at, certificate_step(&program->certificate, now));
    at = pw_earlier(at, front_step(&program->front, now));
    at = pw_earlier(at, gateway_step(&program->gateway, now));
    pw_sqlite_report(program->sqlite, &program->logger->log);
    secrets_step(&program->secrets, program->keeper);
    follow_log_level(program);
    at = pw_earlier(at, tell_service(program, now));
    at = pw_earlier(at, step_end(program, now));
    return pw_earlier(at, decided);
}

static void on_signal(void *context, int number)
{
    struct program *program = context;
    (void)number;
    program->again = false; // who asks for an end gets one, even in the middle of a restart
    if (program->phase != RUNNING) {
        switch_off(program);
        enter(program, LEAVING, "second signal");
        pw_loop_end(&program->loop);
        return;
    }
    pw_ms now = pw_clock_now(program->clock);
    enter(program, STOPPING, "signal");
    pw_service_stopping();
    pw_station_stop(&program->station, now);
    program->stop_by = pw_after(now, STOP_MAX_MS);
    program->tell_by = pw_after(now, TELL_MAX_MS);
}

static void on_durable(void *context)
{
    struct program *program = context;
    pw_loop_wake(&program->loop);
}

// ---------------------------------------------------------------------------------------------

static int open_store(struct program *program, struct pw_out *why)
{
    char path[512];
    const char *folder = program->options->data;
    if (mkdir(folder, 0750) != 0 && errno != EEXIST) {
        pw_put_s(why, folder);
        pw_put_s(why, ": data folder: ");
        pw_put_s(why, strerror(errno));
        return PW_ERR_STORE;
    }
    int len = snprintf(path, sizeof(path), "%s/%s", folder, DATABASE_NAME);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        pw_put_s(why, "--data: the path is too long");
        return PW_ERR_LIMIT;
    }
    program->sqlite = pw_sqlite_open(path, on_durable, program, &program->logger->log, why);
    if (program->sqlite == NULL) {
        return PW_ERR_STORE;
    }
    program->store = pw_sqlite_store(program->sqlite);
    return PW_OK;
}

// A list still counts then, for what is on it (peer/authorities.h).
static void warn_of_lists(const struct program *program, const struct pw_settings *settings)
{
    static const enum pw_setting_id files[] = {PW_SET_OCPP_CA, PW_SET_UPLINK_CA, PW_SET_MQTT_CA};
    for (size_t i = 0; i < PW_COUNT(files); i++) {
        const char *path = pw_settings_text(settings, files[i]);
        struct pw_line line;
        if (path[0] == '\0' || !pw_authorities_stale(path)) {
            continue;
        }
        pw_line(&line, &program->logger->log, PW_LOG_WARN, "trust", "list-out-of-date");
        pw_line_s(&line, "file", path);
        pw_line_end(&line);
    }
}

static int open_trust(struct program *program, const struct pw_settings *settings,
                      struct pw_out *why)
{
    char folder[512];
    int len = snprintf(folder, sizeof(folder), "%s/%s", program->options->data, TRUST_NAME);
    if (len < 0 || (size_t)len >= sizeof(folder)) {
        pw_put_s(why, "--data: the path is too long");
        return PW_ERR_LIMIT;
    }
    program->keeper =
        pw_trust_open(folder, pw_settings_text(settings, PW_SET_OCPP_CA),
                      pw_settings_int(settings, PW_SET_ROOT_CHECK) != 0,
                      pw_vault_port(program->secrets.vault), &program->logger->log, why);
    warn_of_lists(program, settings);
    program->trust = pw_trust_port(program->keeper);
    program->link.keeper = program->keeper;
    program->uplink.keeper = program->keeper;
    return program->keeper != NULL ? PW_OK : PW_ERR_STORE;
}

static uint32_t random_seed(void)
{
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
        seed = 1; // jitter that is the same everywhere is better than none
    }
    return seed;
}

static int open_station(struct program *program, const struct pw_settings *settings,
                        struct pw_out *why)
{
    const struct pw_station_start start = {
        .settings = settings,
        .store = &program->secrets.sealed.port,
        .log = &program->logger->log,
        .firmware = PW_VERSION,
        .seed = random_seed(),
        .logring = &program->lines,
        .zones = &station_zones,
        .network = &network_port,
        .trust = &program->trust,
        .transfer = pw_carrier_port(program->files.carrier),
        .install = pw_slots_port(program->files.slots),
        .crypto = &program->files.crypto,
        .hardware = PW_HARDWARE,
        .now = pw_clock_now(program->clock),
        .wall = pw_clock_wall(program->clock),
    };
    int err = pw_station_init(&program->station, &start);
    if (err != PW_OK) {
        pw_put_s(why, "the station cannot start (");
        pw_put_s(why, pw_err_name(err));
        pw_put_s(why, "): see the log");
    }
    return err;
}

// Whom each part works for; none is open yet.
static void introduce(struct program *program)
{
    struct pw_station *station = &program->station;
    const struct pw_log *log = &program->logger->log;
    program->buses = (struct buses){.loop = &program->loop, .station = station, .log = log};
    program->wires = (struct wires){.loop = &program->loop, .station = station, .log = log};
    program->boards = (struct boards){.loop = &program->loop, .station = station, .log = log};
    program->meters = (struct meters){.loop = &program->loop, .station = station, .log = log};
    program->link = (struct link){.station = station, .log = log, .proxy = &program->proxy};
    program->uplink = (struct uplink){.station = station, .proxy = &program->proxy};
    program->mqtt.loop = &program->loop;
    program->mqtt.station = station;
    program->mqtt.logger = program->logger;
    program->mqtt.seed = random_seed();
    program->network = (struct network){.station = station};
    program->people.loop = &program->loop;
    program->people.station = station;
    program->people.logger = program->logger;
    program->people.version = PW_VERSION;
    program->certificate =
        (struct certificate){.station = station, .log = log, .clock = program->clock};
    program->front.certificate = &program->certificate;
    program->gateway.certificate = &program->certificate;
    program->front.loop = &program->loop;
    program->front.station = station;
    program->front.log = log;
    program->front.lines = &program->lines;
    program->gateway.loop = &program->loop;
    program->gateway.station = station;
    program->gateway.log = log;
}

static int open_all(struct program *program, const struct pw_settings *settings, struct pw_out *why)
{
    const struct pw_settings *kept = &program->station.settings;
    const struct pw_log *log = &program->logger->log;
    introduce(program);
    int err = open_store(program, why);
    if (err == PW_OK) {
        const struct pw_vault_options key = {.folder = program->options->data,
                                             .tpm = program->options->tpm,
                                             .credentials = program->options->credentials};
        err = secrets_open(&program->secrets, &key, &program->store, log, why);
    }
    if (err == PW_OK) {
        err = open_trust(program, settings, why);
    }
    if (err == PW_OK) {
        char trust[512];
        (void)snprintf(trust, sizeof(trust), "%s/%s", program->options->data, TRUST_NAME);
        program->files.proxy = &program->proxy;
        err = files_open(&program->files, &program->loop, settings, program->options->data, trust,
                         why);
    }
    if (err == PW_OK) {
        err = open_station(program, settings, why);
    }
    if (err == PW_OK) {
        err = proxy_read(kept, &program->proxy, why);
    }
    if (err == PW_OK) {
        err = people_open(&program->people, program->options->control,
                          program->options->control_mode, why);
    }
    if (err == PW_OK) {
        char trust[512];
        (void)snprintf(trust, sizeof(trust), "%s/%s", program->options->data, TRUST_NAME);
        program->certificate.secret = pw_vault_port(program->secrets.vault);
        certificate_open(&program->certificate, trust, pw_clock_now(program->clock));
        front_open(&program->front, pw_clock_now(program->clock));
        gateway_open(&program->gateway, pw_clock_now(program->clock));
        err = link_open(&program->link, &program->loop, &program->pace, why);
    }
    if (err == PW_OK) {
        err = uplink_open(&program->uplink, &program->loop, &program->pace, why);
    }
    if (err == PW_OK) {
        mqtt_init(&program->mqtt, pw_clock_now(program->clock));
        err = meters_join(&program->meters, kept, &program->mqtt.topics, why);
    }
    if (err == PW_OK) {
        mqtt_open(&program->mqtt, pw_clock_now(program->clock));
        err = network_open(&program->network, &program->loop, log, why);
    }
    if (err == PW_OK) {
        pw_panic_hook(switch_off, program);
        err = buses_open(&program->buses, kept, why);
    }
    if (err == PW_OK) {
        err = boards_open(&program->boards, kept, program->options->config, why);
    }
    if (err == PW_OK) {
        err = wires_open(&program->wires, kept, why);
    }
    if (err == PW_OK) {
        err = meters_open(&program->meters, kept, program->options->config, why);
    }
    return err;
}

static void close_all(struct program *program)
{
    switch_off(program); // whatever happened: nothing stays on behind us
    pw_panic_hook(NULL, NULL);
    boards_close(&program->boards);
    wires_close(&program->wires);
    meters_close(&program->meters);
    buses_close(&program->buses);
    link_close(&program->link);
    pw_trust_close(program->keeper);
    uplink_close(&program->uplink);
    mqtt_close(&program->mqtt);
    network_close(&program->network);
    files_close(&program->files);
    front_close(&program->front);
    gateway_close(&program->gateway);
    if (program->people.control != NULL) {
        people_close(&program->people);
    }
    if (program->sqlite != NULL) {
        pw_sqlite_close(program->sqlite);
    }
    secrets_close(&program->secrets);
    pw_service_close(&program->service);
    pw_loop_close(&program->loop);
}

static void log_start(const struct program *program)
{
    struct pw_line line;
    pw_line(&line, &program->logger->log, PW_LOG_INFO, "program", "start");
    pw_line_s(&line, "version", PW_VERSION);
    pw_line_s(&line, "station", pw_settings_text(&program->station.settings, PW_SET_STATION_ID));
    pw_line_s(&line, "control", program->options->control);
    pw_line_end(&line);
}

enum outcome program_run(const struct options *options, const struct pw_settings *settings,
                         const struct pw_clock *clock, struct pw_logger *logger, struct pw_out *why)
{
    struct program *program = calloc(1, sizeof(*program));
    if (program == NULL) {
        pw_put_s(why, "out of memory");
        return OUTCOME_FAILED;
    }
    program->options = options;
    program->clock = clock;
    program->logger = logger;
    pw_logring_init(&program->lines, program->line_bytes, sizeof(program->line_bytes));
    logger->ring = &program->lines;
    if (pw_clock_init(&program->pace, NULL) != PW_OK ||
        pw_loop_init(&program->loop, clock) != PW_OK) {
        pw_put_s(why, "no event loop is to be had");
        free(program);
        return OUTCOME_FAILED;
    }
    pw_service_init(&program->service, &program->loop, &program->pace);
    enum outcome outcome = OUTCOME_FAILED;
    int err = open_all(program, settings, why);
    if (err == PW_ERR_PEER || err == PW_ERR_RANGE) {
        outcome = OUTCOME_SETTINGS;
    }
    if (err == PW_OK) {
        pw_loop_on_turn(&program->loop, turn, program);
        pw_loop_on_signal(&program->loop, on_signal, program);
        log_start(program);
        pw_service_ready();
        pw_loop_run(&program->loop);
        outcome = !program->again    ? OUTCOME_END
                  : program->updated ? OUTCOME_UPDATED
                  : program->factory ? OUTCOME_FACTORY
                                     : OUTCOME_AGAIN;
    }
    close_all(program);
    logger->ring = NULL;
    pw_secret_wipe(program, sizeof(*program)); // settings, sessions, passwords
    free(program);
    return outcome;
}
