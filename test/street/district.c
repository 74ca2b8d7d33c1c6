#include "district.h"

#include "ed25519/ed25519.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CARD_AFTER_MS = 5000,
    CARD_AGAIN_MS = 20000,
    CARDS_MOST = 5,
    SPIN_MOST = 20000,
    HANG_MS = 15000,     // what hangs does so about then
    BOARD_REST_MS = 180, // a board counts as silent after 200
};

#define DISTRICT_ILL_WORDS(name, words) words,
const char *const district_ill_words[DISTRICT_ILL_ROWS] = {DISTRICT_ILLS(DISTRICT_ILL_WORDS)};
#undef DISTRICT_ILL_WORDS

static bool is_dc(const struct district_place *place)
{
    return place->street.kind == &street_kind_dc;
}

int64_t district_energy_mwh(const struct district_place *place)
{
    const struct street *street = &place->street;
    if (is_dc(place)) {
        return pw_world_dc_truth(&street->world).energy_mwh;
    }
    return street->kind == &street_kind_ac ? pw_world_ac_truth(&street->ac).energy_mwh
                                           : pw_world_oe_truth(&street->oe).energy_mwh;
}

bool district_is_online(const struct district_place *place)
{
    return place->street.station != NULL && place->street.link && place->line->ocpp != 0;
}

// ---------------------------------------------------------------------------------------------
// Drivers.

static void interrupted(struct district *district, const struct district_place *place,
                        const char *what)
{
    if (district->interrupted++ == 0) {
        (void)snprintf(district->what, sizeof(district->what), "%s at %llu s: %s", place->line->id,
                       (unsigned long long)(district->server.now / 1000), what);
    }
}

static void plug(struct district_place *place, bool in)
{
    if (is_dc(place)) {
        (void)pw_world_dc_step(&place->street.world, place->street.now);
        pw_world_dc_plug(&place->street.world, in);
        place->street.world_at = place->street.now;
    } else {
        street_do(&place->street, in ? "plug" : "unplug");
    }
}

static void show_card(struct district_place *place)
{
    if (place->street.station != NULL) {
        char card[16];
        (void)snprintf(card, sizeof(card), "C-%s", place->line->id);
        street_card(&place->street, card);
    }
}

static pw_ms some(struct district *district, unsigned least_s, unsigned most_s)
{
    return (least_s + server_roll(&district->server, most_s - least_s)) * 1000;
}

static void arrive(struct district *district, struct district_place *place)
{
    // What a new program that is no good makes of a charge that it began itself is not in question.
    bool shunned = place->ill != DISTRICT_WELL && place->fresh;
    if (district->closed) {
        place->driver_at = PW_NEVER;
    } else if (shunned) {
        place->driver_at = district->server.now + some(district, 60, 120);
    } else {
        plug(place, true);
        place->cards = 0;
        place->driver = DRIVER_PLUGGED;
        place->driver_at = district->server.now + CARD_AFTER_MS;
    }
}

static void leave(struct district *district, struct district_place *place)
{
    plug(place, false);
    place->served += place->driver == DRIVER_LEAVES ? 1 : 0;
    place->missed += place->driver == DRIVER_LEAVES ? 0 : 1;
    place->driver = DRIVER_AWAY;
    place->driver_at = district->server.now + some(district, 120, 360);
}

// A driver's next deed.
static void act(struct district *district, struct district_place *place)
{
    pw_ms now = district->server.now;
    switch (place->driver) {
    case DRIVER_AWAY: arrive(district, place); break;
    case DRIVER_PLUGGED:
        if (street_is_charging(&place->street)) {
            place->driver = DRIVER_CHARGES;
            place->driver_at = now + some(district, 60, 180);
        } else if (place->cards < CARDS_MOST && !(place->ill != DISTRICT_WELL && place->fresh)) {
            show_card(place); // and again when nothing came of it
            place->cards++;
            place->driver_at = now + CARD_AGAIN_MS;
        } else {
            leave(district, place);
        }
        break;
    case DRIVER_CHARGES:
        if (server_roll(&district->server, 2) == 0) {
            show_card(place);
        }
        place->driver = DRIVER_LEAVES;
        place->driver_at = now + CARD_AFTER_MS;
        break;
    case DRIVER_LEAVES: leave(district, place); break;
    }
}

// ---------------------------------------------------------------------------------------------
// Programs.

// Nothing is heard of the hardware, or it is as it was.
static void numb(struct district_place *place, bool on)
{
    struct street *street = &place->street;
    if (is_dc(place)) {
        (void)pw_world_dc_step(&street->world, street->now);
        pw_world_dc_bus(&street->world, 0, on ? PW_CAN_OFF : PW_CAN_ACTIVE);
        pw_station_bus_state(street->station, 0, street->world.bus[0], street->now);
    } else {
        street_do(street, on ? "board silent" : "board good");
    }
    street->world_at = street->station_at = street->now;
}

// What is wrong with the new version begins with it, and ends with it.
static void ail(struct district *district, struct district_place *place)
{
    bool on = place->fresh;
    pw_ms now = district->server.now;
    place->hangs_at = PW_NEVER;
    switch (place->ill) {
    case DISTRICT_CRASHES:
        if (on) {
            street_crash(&place->street);
            place->start_at = now + DISTRICT_RESTART_MS;
        }
        break;
    case DISTRICT_HANGS:
        place->hangs_at = on ? now + HANG_MS + server_roll(&district->server, HANG_MS) : PW_NEVER;
        break;
    case DISTRICT_UNREACHED: place->line->cut = on; break;
    case DISTRICT_NUMB: numb(place, on); break;
    case DISTRICT_FORGETS: place->street.store.failed = on; break;
    case DISTRICT_WELL:
    case DISTRICT_GARBLED:
    case DISTRICT_ILL_ROWS: break;
    }
}

static void start_program(struct district *district, struct district_place *place)
{
    place->start_at = PW_NEVER;
    place->street.store.failed = false;
    street_power_on(&place->street);
    place->fresh = strcmp(place->machine.version, DISTRICT_NEW) == 0;
    ail(district, place);
}

static void end_program(struct district *district, struct district_place *place, const char *why)
{
    if (place->driver == DRIVER_CHARGES) {
        interrupted(district, place, why);
    }
    street_crash(&place->street);
    place->start_at = district->server.now + DISTRICT_RESTART_MS;
    place->hangs_at = PW_NEVER;
}

// True while the program stands still.
static bool is_hung(struct district *district, struct district_place *place)
{
    pw_ms now = district->server.now;
    if (now < place->hangs_at) {
        return false;
    }
    if (!pw_elapsed(place->hangs_at, DISTRICT_WATCHDOG_MS, now)) {
        place->line->next = place->hangs_at + DISTRICT_WATCHDOG_MS;
        return true;
    }
    end_program(district, place, "the watchdog ended it");
    return false;
}

// ---------------------------------------------------------------------------------------------
// The turn.

static void watch(struct district *district, const struct district_place *place)
{
    if (place->driver == DRIVER_CHARGES && !street_is_charging(&place->street)) {
        interrupted(district, place, "the current stopped");
    }
}

static void turn_place(struct district *district, struct district_place *place)
{
    struct street *street = &place->street;
    pw_ms now = district->server.now;
    street->now = now;
    district->turns++;
    if (is_hung(district, place)) {
        return;
    }
    server_answer_ping(place->line);
    if (now >= place->start_at) {
        start_program(district, place);
    }
    if (place->line->hang_up || (place->line->cut && street->link)) {
        place->line->hang_up = false;
        street_cut_link(street);
    }
    if (now >= place->driver_at) {
        act(district, place);
    }
    street_turn(street);
    watch(district, place);
    if (street->station != NULL && pw_station_wants_restart(street->station) != PW_RESTART_NONE) {
        end_program(district, place, "the program was ended");
    }
    pw_ms next = pw_earlier(street_next(street), place->driver_at);
    place->line->next = pw_earlier(next, pw_earlier(place->start_at, place->hangs_at));
}

static void turn(struct district *district)
{
    struct server *server = &district->server;
    for (unsigned i = 0; i < DISTRICT_STATIONS; i++) {
        if (server->now >= server->line[i].next) {
            turn_place(district, &district->place[i]);
        }
    }
    if (server->now >= server->central_at) {
        server->central_at = pw_central_step(server->central, server_at(server));
    }
}

void district_run(struct district *district, pw_ms span)
{
    struct server *server = &district->server;
    pw_ms end = server->now + span;
    unsigned spins = 0;
    while (server->now < end) {
        pw_ms at = pw_earlier(server_next(server), end);
        spins = at > server->now ? 0 : spins + 1;
        if (spins > SPIN_MOST) {
            (void)fprintf(stderr, "district: somebody spins at %llu ms\n",
                          (unsigned long long)server->now);
            abort();
        }
        server->now = at > server->now ? at : server->now;
        turn(district);
    }
}

bool district_until(struct district *district, const char *state, pw_ms most)
{
    char sql[96];
    (void)snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM rollout WHERE id = 1 AND state = '%s'",
                   state);
    for (pw_ms end = district->server.now + most; district->server.now < end;) {
        district_run(district, 1000);
        if (server_count(&district->server, sql) == 1) {
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------

static void open_street(struct street *street, unsigned number)
{
    struct pw_world_ac_config outlet = pw_world_ac_defaults();
    struct pw_world_dc_config bay = pw_world_dc_defaults();
    struct pw_world_oe_config board = pw_world_oe_defaults();
    outlet.seed = bay.seed = board.seed = number + 1;
    outlet.board.rest_ms = BOARD_REST_MS;
    bay.scooter.model = PW_SCOOTER_MAX;
    unsigned of_ten = number % 10;
    if (of_ten == 0) {
        street_open(street, &bay);
    } else if (of_ten <= 3) {
        street_open_oe(street, &board);
    } else {
        street_open_ac(street, &outlet);
    }
    if (street->kind == &street_kind_oe) {
        street_do(street, "house scale 0"); // nothing else in it that a charge must give way to
    }
}

static void open_place(struct district *district, unsigned number)
{
    struct district_place *place = &district->place[number];
    struct server *server = &district->server;
    char id[8];
    char card[16];
    (void)snprintf(id, sizeof(id), "S%03u", number + 1);
    (void)snprintf(card, sizeof(card), "C-%s", id);
    place->line = &server->line[number];
    place->start_at = place->hangs_at = place->driver_at = PW_NEVER;
    open_street(&place->street, number);
    street_set(&place->street, "station.model", PW_MAKE_HARDWARE);
    street_set(&place->street, "console.status_interval_s", "0");
    server_join(server, number, &place->street, id);
    machine_open(&place->machine, server, district->first, number + 1);
    place->street.computer = machine_computer(&place->machine);
    place->street.crypto = &district->crypto;
    int err = pw_central_card_add(server->central, pw_str_of(card), PW_STR("somebody"));
    PW_ASSERT(err == PW_OK);
    // They have been switched on one after another.
    place->start_at = server->now + server_roll(server, 10000);
    place->line->next = place->start_at;
}

void district_open(struct district *district, uint64_t seed, struct pw_depot *depot)
{
    struct server *server = &district->server;
    memset(district, 0, sizeof(*district));
    district->crypto = pw_ed25519_crypto();
    rig_make(&district->older, DISTRICT_OLD, 3, PW_STR(""), NULL);
    rig_make(&district->newer, DISTRICT_NEW, 4, PW_STR(""), NULL);
    district->first = calloc(1, sizeof(*district->first));
    district->place = calloc(DISTRICT_STATIONS, sizeof(*district->place));
    PW_ASSERT(district->first != NULL && district->place != NULL);
    rig_init(district->first, seed);
    rig_update(district->first, &district->older);
    server_open(server, DISTRICT_STATIONS, seed, "district");
    server->config.depot = depot;
    server->config.public_url = PW_STR("http://central.example:8180");
    server_start(server);
    for (unsigned i = 0; i < DISTRICT_STATIONS; i++) {
        open_place(district, i);
    }
    server_login(server);
    server_bring(server, "/api/v1/releases", district->newer.file, district->newer.len);
    district_run(district, 20000);
    for (unsigned i = 0; i < DISTRICT_STATIONS; i++) {
        bool soon = server_roll(server, 3) == 0;
        district->place[i].driver_at =
            server->now + (soon ? some(district, 0, 20) : some(district, 30, 360));
        server->line[i].next = server->now;
    }
    district_run(district, 60000);
}

void district_close(struct district *district)
{
    for (unsigned i = 0; i < DISTRICT_STATIONS; i++) {
        street_close(&district->place[i].street);
    }
    server_close(&district->server);
    free(district->place);
    free(district->first);
}

void district_sicken(struct district *district, unsigned stations)
{
    for (unsigned bad = 0; bad < stations;) {
        struct district_place *place =
            &district->place[server_roll(&district->server, DISTRICT_STATIONS)];
        if (place->ill == DISTRICT_WELL) {
            place->ill = (enum district_ill)(1 + bad % (DISTRICT_ILL_ROWS - 1));
            size_t len = district->newer.len;
            place->machine.turns_over =
                place->ill == DISTRICT_GARBLED ? 1 + server_roll(&district->server, len) : 0;
            bad++;
        }
    }
}

bool district_is_settled(const struct district *district)
{
    for (unsigned i = 0; i < DISTRICT_STATIONS; i++) {
        const struct district_place *place = &district->place[i];
        if (!district_is_online(place) || place->driver_at != PW_NEVER ||
            place->street.station->files.update.stage != PW_UPDATE_NONE) {
            return false;
        }
    }
    return true;
}

unsigned district_note_sessions(struct district *district)
{
    unsigned open = 0;
    for (unsigned i = 0; i < DISTRICT_STATIONS; i++) {
        char sql[128];
        struct district_place *place = &district->place[i];
        (void)snprintf(sql, sizeof(sql),
                       "SELECT COALESCE(MAX(id), 0) FROM session WHERE stop_at IS NULL AND "
                       "station_id = '%s'",
                       place->line->id);
        place->session = server_count(&district->server, sql);
        open += place->session > 0 ? 1 : 0;
    }
    return open;
}
