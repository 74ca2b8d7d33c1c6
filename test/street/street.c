#include "street.h"

#include "said.h"
#include "signing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPIN_MOST = 2000 }; // turns at one instant before the street says that somebody spins

static void log_line(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    const struct street *street = context;
    if (street->logring != NULL) {
        pw_logring_write(street->logring, level, room, text, street->now,
                         street->wall + (pw_unix_ms)street->now);
    }
    if (street->verbose) {
        (void)fprintf(stderr, "%8llu.%03llu %-5s %-8s %.*s\n",
                      (unsigned long long)(street->now / 1000),
                      (unsigned long long)(street->now % 1000), pw_level_name(level), room,
                      (int)text.len, text.at);
    }
}

void street_mix(struct street *street, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        street->hash = (street->hash ^ at[i]) * UINT64_C(1099511628211);
    }
}

static void post(struct street *street, bool to_station, struct pw_str text)
{
    PW_ASSERT(street->letter_count < STREET_TRANSIT_MAX && text.len < STREET_TEXT_MAX);
    struct street_letter *letter = &street->letters[street->letter_count++];
    letter->at = street->now + street->latency_ms;
    letter->to_station = to_station;
    memcpy(letter->text, text.at, text.len);
    letter->text[text.len] = '\0';
    street_mix(street, text.at, text.len);
    said(to_station ? SAID_TO_STATION : SAID_BY_STATION, (uintptr_t)street, text);
    if (street->verbose) {
        (void)fprintf(stderr, "%8llu.%03llu %s %s\n", (unsigned long long)(street->now / 1000),
                      (unsigned long long)(street->now % 1000), to_station ? "<-" : "->",
                      letter->text);
    }
}

void street_post(struct street *street, struct pw_str text)
{
    post(street, true, text);
}

// The book as the central system: takes everybody, answers at once.
static bool book_open(struct street *street)
{
    (void)street;
    return true;
}

static void book_hears(struct street *street, struct pw_str text)
{
    static char reply[STREET_TEXT_MAX];
    struct pw_out out = PW_OUT(reply);
    book_hear(&street->book, text, street->wall + (pw_unix_ms)street->now, &out);
    if (out.len > 0) {
        post(street, true, pw_out_str(&out));
    }
}

static void book_closed(struct street *street)
{
    (void)street;
}

static const struct street_central by_book = {
    .open = book_open, .hear = book_hears, .closed = book_closed};

static void open_street(struct street *street, const struct street_kind *kind)
{
    memset(street, 0, sizeof(*street));
    street->kind = kind;
    street->now = 1000;
    street->wall = 1767225600000; // 2026-01-01
    street->hash = UINT64_C(14695981039346656037);
    street->verbose = getenv("STREET_VERBOSE") != NULL;
    pw_sim_store_init(&street->store);
    book_init(&street->book);
    street->central = &by_book;
    street->reachable = true;
    street->link_at = PW_NEVER;
    street->latency_ms = 40;
    street->station_at = PW_NEVER;
    pw_settings_init(&street->settings);
    street_set(street, "station.id", "STREET-1");
    street_set(street, "ocpp.url", "ws://street/ocpp");
    street_set(street, "connectors[0].kind", kind->name);
    street_set(street, "station.model", "Street");
}

void street_open(struct street *street, const struct pw_world_dc_config *world)
{
    struct pw_world_dc_config config = world == NULL ? pw_world_dc_defaults() : *world;
    open_street(street, &street_kind_dc);
    street_set(street, "can.bus0", "sim");
    pw_world_dc_init(&street->world, &config, street->now);
}

void street_open_ac(struct street *street, const struct pw_world_ac_config *world)
{
    struct pw_world_ac_config config = world == NULL ? pw_world_ac_defaults() : *world;
    open_street(street, &street_kind_ac);
    street_set(street, "connectors[0].board", "street");
    pw_world_ac_init(&street->ac, &config, street->now);
    pw_world_ac_power(&street->ac, false);
    acwatch_init(&street->watch, street->now);
}

void street_open_oe(struct street *street, const struct pw_world_oe_config *world)
{
    struct pw_world_oe_config config = world == NULL ? pw_world_oe_defaults() : *world;
    open_street(street, &street_kind_oe);
    street_set(street, "connectors[0].rapi_cable", "tcp:street:1");
    street_set(street, "metering.house_meter", "modbus:tcp:127.0.0.1:1502/1/sdm630");
    pw_world_oe_init(&street->oe, &config, street->now);
    pw_world_oe_power(&street->oe, false);
    oewatch_init(&street->oewatch, street->now);
    street->wired = true;
    street->metered = true;
}

void street_do(struct street *street, const char *line)
{
    street->kind->act(street, line);
    street->world_at = street->now;
    if (street->verbose) {
        (void)fprintf(stderr, "%8llu.%03llu ** %s\n", (unsigned long long)(street->now / 1000),
                      (unsigned long long)(street->now % 1000), line);
    }
}

static void set_by(struct street *street, const char *path, const char *value,
                   enum pw_setting_by by)
{
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    struct pw_setting_at at;
    if (pw_settings_find(pw_str_of(path), &at) != PW_OK ||
        pw_settings_set(&street->settings, at, pw_str_of(value), by, &out) != PW_OK) {
        (void)fprintf(stderr, "street: %s: %s\n", path, why);
        abort();
    }
}

void street_set(struct street *street, const char *path, const char *value)
{
    set_by(street, path, value, PW_BY_FILE);
}

void street_secret(struct street *street, const char *path, const char *value)
{
    set_by(street, path, value, PW_BY_SECRETS);
}

static const char *start_files(void *context)
{
    struct pw_sim_files *files = context;
    pw_sim_files_start(files);
    return files->ran;
}

void street_files(struct street *street, struct pw_sim_files *files)
{
    street->computer = (struct street_computer){.context = files,
                                                .start = start_files,
                                                .transfer = &files->transfer,
                                                .install = &files->install};
}

void street_power_on(struct street *street)
{
    street->log = (struct pw_log){.context = street, .write = log_line};
    const struct street_computer *computer = &street->computer;
    const char *version = computer->start == NULL ? "street" : computer->start(computer->context);
    struct pw_station_start start = {
        .settings = &street->settings,
        .store = &street->store.port,
        .log = &street->log,
        .firmware = version,
        .seed = 7,
        .logring = street->logring,
        .trust = street->trust,
        .transfer = computer->transfer,
        .install = computer->install,
        .crypto = street->crypto,
        .now = street->now,
        .wall = street->clockless ? 0 : street->wall + (pw_unix_ms)street->now};
    pw_sim_store_restart(&street->store);
    street->station = calloc(1, sizeof(*street->station));
    PW_ASSERT(street->station != NULL);
    int err = pw_station_init(street->station, &start);
    PW_ASSERT(err == PW_OK);
    street->station_at = street->now;
    street->world_at = street->now;
    street->kind->power(street, true);
    if (street->signing != NULL) {
        street_signing_start(street);
    }
}

void street_crash(struct street *street)
{
    if (street->link) {
        street->central->closed(street);
    }
    free(street->station);
    street->station = NULL;
    street->station_at = PW_NEVER;
    street->link = false;
    street->link_at = PW_NEVER;
    street->letter_count = 0;
}

void street_power_off(struct street *street)
{
    street_crash(street);
    street->kind->power(street, false);
}

void street_close(struct street *street)
{
    street_power_off(street);
    pw_sim_store_free(&street->store);
}

// ---------------------------------------------------------------------------------------------
// The network.

void street_cut_link(struct street *street)
{
    street->letter_count = 0;
    street->link_at = PW_NEVER;
    if (street->link && street->station != NULL) {
        street->link = false;
        street->central->closed(street);
        pw_station_link_down(street->station, PW_STR("cut"), street->now);
        street->station_at = street->now;
    }
}

static void deliver(struct street *street)
{
    for (unsigned i = 0; i < street->letter_count;) {
        if (street->letters[i].at > street->now) {
            i++;
            continue;
        }
        static char text[STREET_TEXT_MAX];
        bool to_station = street->letters[i].to_station;
        memcpy(text, street->letters[i].text, sizeof(text));
        if (to_station) {
            if (pw_station_text(street->station, pw_str_of(text), street->now) == PW_ERR_AGAIN) {
                i++;
                continue;
            }
        }
        street->letter_count--;
        memmove(&street->letters[i], &street->letters[i + 1],
                (street->letter_count - i) * sizeof(street->letters[0]));
        if (!to_station) {
            street->central->hear(street, pw_str_of(text));
        }
    }
}

// A closing handshake goes behind what was sent before it; what is on its way to the station is not
// read any more.
static void close_link(struct street *street)
{
    static char text[STREET_TEXT_MAX];
    street->link = false;
    for (unsigned i = 0; i < street->letter_count; i++) {
        if (!street->letters[i].to_station) {
            memcpy(text, street->letters[i].text, sizeof(text));
            street->central->hear(street, pw_str_of(text));
        }
    }
    street->letter_count = 0;
    street->central->closed(street);
    pw_station_link_down(street->station, PW_STR("closed by the station"), street->now);
}

static void tend_link(struct street *street)
{
    bool wanted = pw_station_wants_link(street->station, street->now);
    if (street->link && !wanted) {
        close_link(street);
        wanted = pw_station_wants_link(street->station, street->now);
    }
    if (!street->link && wanted && street->link_at == PW_NEVER) {
        street->link_at = street->now + street->latency_ms;
    }
    if (!street->link && street->now >= street->link_at) {
        street->link_at = PW_NEVER;
        street->refused = PW_SECURITY_FAULT_NONE;
        (void)snprintf(street->why, sizeof(street->why), "unreachable");
        street->link = street->reachable && street->central->open(street);
        if (street->link) {
            pw_station_link_up(street->station, street->now);
        } else {
            pw_station_link_refused(street->station, street->refused, pw_str_of(street->why),
                                    street->now);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The turn.

static void turn_station(struct street *street)
{
    static char lines[2048];
    struct pw_out out = PW_OUT(lines);
    tend_link(street);
    deliver(street);
    street->station_at = pw_station_step(street->station, street->now);
    if (street->store.cut) {
        street_power_off(street);
        return;
    }
    street->kind->effects(street);
    if (pw_station_take_status(street->station, &out, street->now)) {
        street->station_at = street->now;
        if (street->verbose) {
            (void)fprintf(stderr, "%s", lines);
        }
    }
    struct pw_str text = pw_station_out(street->station);
    if (text.len > 0 && street->link) {
        post(street, false, text);
        pw_station_out_sent(street->station, street->now);
        street->station_at = street->now;
    }
}

pw_ms street_next(const struct street *street)
{
    pw_ms at = pw_earlier(street->station_at, street->world_at);
    at = pw_earlier(at, street->link_at);
    if (street->signing != NULL) {
        at = pw_earlier(at, street_signing_next(street));
    }
    for (unsigned i = 0; i < street->letter_count; i++) {
        at = pw_earlier(at, street->letters[i].at);
    }
    return at;
}

void street_turn(struct street *street)
{
    street->turns++;
    if (street->now >= street->world_at) {
        street->kind->world(street);
    }
    if (street->station != NULL) {
        turn_station(street);
    }
    if (street->signing != NULL) {
        street_signing_turn(street);
    }
    if (street->kind->observe != NULL) {
        street->kind->observe(street);
    }
}

void street_run(struct street *street, pw_ms span)
{
    pw_ms end = street->now + span;
    unsigned spins = 0;
    while (street->now < end) {
        pw_ms at = street_next(street);
        if (at > end) {
            at = end;
        }
        spins = at > street->now ? 0 : spins + 1;
        if (spins > SPIN_MOST) {
            (void)fprintf(stderr, "street: somebody spins at %llu ms\n",
                          (unsigned long long)street->now);
            abort();
        }
        street->now = at > street->now ? at : street->now;
        street_turn(street);
    }
}

bool street_until(struct street *street, bool (*done)(const struct street *street), pw_ms most)
{
    for (pw_ms ran = 0; ran < most; ran += 50) {
        if (done(street)) {
            return true;
        }
        street_run(street, 50);
    }
    return done(street);
}

void street_call(struct street *street, const char *action, const char *payload)
{
    static char call[STREET_TEXT_MAX];
    struct pw_out out = PW_OUT(call);
    book_call(&street->book, action, payload, &out);
    post(street, true, pw_out_str(&out));
}

void street_card(struct street *street, const char *id_tag)
{
    pw_station_card(street->station, 0, pw_str_of(id_tag), street->now);
    street->station_at = street->now;
    acwatch_leave(&street->watch, street->now);
    oewatch_leave(&street->oewatch);
}

void street_clear(struct street *street)
{
    (void)street_command(street, "clear");
    street->watch.cleared = true;
}

int street_load_limit(struct street *street, int32_t ma, pw_ms lease)
{
    pw_ms until = pw_after(street->now, lease);
    int err = pw_connector_limit(&street->station->connector[0], PW_LIMIT_LOAD, ma, "street", until,
                                 street->now);
    street->station_at = street->now;
    acwatch_limit(&street->watch, ma, street->now);
    oewatch_limit(&street->oewatch, ma, street->now);
    return err;
}

const char *street_command(struct street *street, const char *line)
{
    static char answer[16384];
    struct pw_out out = PW_OUT(answer);
    answer[0] = '\0';
    (void)!pw_station_command(street->station, pw_str_of(line), &out, street->now);
    street->station_at = street->now;
    return answer;
}

struct pw_connector_view street_view(const struct street *street)
{
    struct pw_connector_view view;
    PW_ASSERT(street->station != NULL);
    pw_connector_view(&street->station->connector[0], &view, street->now);
    return view;
}

struct pw_bay_view street_bay(const struct street *street)
{
    struct pw_bay_view view;
    PW_ASSERT(street->station != NULL);
    pw_bay_view(pw_connector_bay(&street->station->connector[0]), &view, street->now);
    return view;
}

static bool energy_flows(const struct street *street)
{
    if (street->kind == &street_kind_dc) {
        return pw_world_dc_truth(&street->world).connector_ma > 5000;
    }
    return street->kind == &street_kind_ac ? pw_world_ac_truth(&street->ac).ma[0] > 5000
                                           : pw_world_oe_truth(&street->oe).ma[0] > 5000;
}

bool street_is_charging(const struct street *street)
{
    return street->station != NULL && street_view(street).status == PW_STATUS_CHARGING &&
           energy_flows(street);
}

bool street_is_idle(const struct street *street)
{
    return street->station != NULL && street_view(street).status == PW_STATUS_AVAILABLE;
}
