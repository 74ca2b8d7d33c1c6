#include "scenario/acscenario.h"
#include "site_links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOUR_MS = 3600000,
    SPIN_MOST = 20000,
    EFFICIENCY_PERCENT = 94, // of the dc stations' rectifiers
};

uint64_t site_roll(struct site *site, uint64_t sides)
{
    return pw_noise_bits(&site->dice) % sides;
}

struct pw_instant site_at(const struct site *site)
{
    return (struct pw_instant){.now = site->now, .wall = site->wall + (pw_unix_ms)site->now};
}

static bool is_ac(const struct site_place *place)
{
    return place->street.kind == &street_kind_ac;
}

// ---------------------------------------------------------------------------------------------
// People.

static void new_vehicle(struct site *site, struct site_place *place)
{
    // No car that breaks the rules: what those do to an outlet is ac_test.c's matter.
    static const char *const cars[] = {"honest", "honest", "slow",  "modest",
                                       "single", "fewer",  "sated", "bouncing"};
    static const enum pw_scooter_model models[] = {PW_SCOOTER_CLASSIC, PW_SCOOTER_PRO,
                                                   PW_SCOOTER_MAX};
    unsigned soc = 100 + (unsigned)site_roll(site, 700);
    place->street.now = site->now;
    if (is_ac(place)) {
        char line[40];
        (void)snprintf(line, sizeof(line), "car %s", cars[site_roll(site, PW_COUNT(cars))]);
        street_do(&place->street, line);
        pw_world_ac_soc(&place->street.ac, soc / 1000.0);
        street_do(&place->street, "plug");
        return;
    }
    (void)pw_world_dc_step(&place->street.world, site->now);
    int err = pw_world_dc_vehicle(&place->street.world, models[site_roll(site, PW_COUNT(models))]);
    PW_ASSERT(err == PW_OK);
    pw_pack_set_soc(&place->street.world.scooter.pack, soc / 1000.0);
    pw_world_dc_plug(&place->street.world, true);
    place->street.world_at = site->now;
}

static void pull_plug(struct site *site, struct site_place *place)
{
    place->street.now = site->now;
    if (is_ac(place)) {
        street_do(&place->street, "unplug");
    } else {
        (void)pw_world_dc_step(&place->street.world, site->now);
        pw_world_dc_plug(&place->street.world, false);
        place->street.world_at = site->now;
    }
    place->person = SITE_AWAY;
    place->person_at = site->now + 60000 + site_roll(site, 2 * HOUR_MS);
}

static void show_card(struct site *site, struct site_place *place)
{
    if (place->street.station != NULL) {
        char card[16];
        (void)snprintf(card, sizeof(card), "C-%s", place->id);
        place->street.now = site->now;
        street_card(&place->street, card);
    }
}

static bool is_served(const struct site_place *place)
{
    return place->street.station != NULL &&
           street_view(&place->street).status != PW_STATUS_PREPARING &&
           street_view(&place->street).status != PW_STATUS_AVAILABLE;
}

// A person's next deed.
static void act(struct site *site, struct site_place *place)
{
    switch (place->person) {
    case SITE_AWAY:
        new_vehicle(site, place);
        site->counts.plugged++;
        place->cards = 0;
        place->person = SITE_PLUGGED;
        place->person_at = site->now + 5000;
        break;
    case SITE_PLUGGED:
        if (place->cards > 0 && is_served(place)) {
            place->person = SITE_STAYS;
            place->person_at = site->now + 600000 + site_roll(site, 3 * HOUR_MS);
        } else if (place->cards < 5) {
            show_card(site, place); // and again when nothing came of it
            place->cards++;
            place->person_at = site->now + 60000;
        } else {
            pull_plug(site, place);
        }
        break;
    case SITE_STAYS:
        if (site_roll(site, 2) == 0) {
            show_card(site, place);
        }
        place->person = SITE_LEAVES;
        place->person_at = site->now + 10000;
        break;
    case SITE_LEAVES: pull_plug(site, place); break;
    }
    place->next = site->now;
}

// ---------------------------------------------------------------------------------------------
// Trouble.

static void begin_cut(struct site *site, struct site_place *place, bool half_open)
{
    if (place->cut || place->deaf) {
        return;
    }
    place->cut_since = site->now;
    place->cut_until = site->now + 1000 + site_roll(site, UINT64_C(1024) << site_roll(site, 11));
    place->fell = false;
    place->deaf = half_open;
    place->cut = true;
    site->counts.cuts++;
    site->counts.half_open += half_open;
    if (!half_open) {
        place->street.now = site->now;
        site_cut_wire(site, place);
        street_cut_link(&place->street);
    }
    place->next = site->now;
}

static void end_cut(struct site *site, struct site_place *place)
{
    bool due = place->cut_until - place->cut_since > SITE_LEASE_MS + 20000 && is_ac(place) &&
               place->street.station != NULL;
    site->counts.falls_due += due;
    site->counts.falls_seen += due && place->fell;
    if (place->deaf) { // what was thought to be a connection is none
        place->street.now = site->now;
        site_cut_wire(site, place);
        street_cut_link(&place->street);
    }
    place->cut = place->deaf = false;
    place->cut_until = PW_NEVER;
    place->next = site->now;
}

static void make_trouble(struct site *site)
{
    struct site_place *place = &site->place[site_roll(site, SITE_STATIONS)];
    site->trouble_at = site->now + 60000 + site_roll(site, HOUR_MS);
    switch (site_roll(site, 8)) {
    case 0:
        if (site->central != NULL) {
            site->counts.restarts++;
            site_stop_server(site);
            site->server_at = site->now + 1000 + site_roll(site, 300000);
        }
        break;
    case 1:
        if (place->street.station != NULL && !place->cut) {
            site->counts.deaths++;
            place->street.now = site->now;
            street_crash(&place->street);
            place->revive_at = site->now + 1000 + site_roll(site, 60000);
            place->next = site->now;
        }
        break;
    case 2:
    case 3: begin_cut(site, place, true); break;
    default: begin_cut(site, place, false); break;
    }
}

// ---------------------------------------------------------------------------------------------
// The fuse.

static void draw(const struct site_place *place, double amps[PW_BOARD_PHASES])
{
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        amps[i] = 0.0;
    }
    if (is_ac(place)) {
        const double *drawn = place->street.ac.car.amps;
        for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
            amps[pw_mains_grid_phase(place->rotation, i)] = drawn[i];
        }
        return;
    }
    struct pw_world_dc_truth truth = pw_world_dc_truth(&place->street.world);
    double watt = (double)truth.connector_mv * (double)truth.connector_ma / 1e6;
    for (unsigned i = 0; i < PW_BOARD_PHASES && watt > 0.0; i++) {
        amps[i] = watt * 100.0 / EFFICIENCY_PERCENT / (3.0 * 230.0);
    }
}

static void judge(struct site_fuse *fuse, const double amps[PW_BOARD_PHASES], double limit_a,
                  pw_ms now)
{
    double most = amps[0] > amps[1] ? amps[0] : amps[1];
    most = amps[2] > most ? amps[2] : most;
    fuse->most_a = most > fuse->most_a ? most : fuse->most_a;
    if (most <= limit_a + 0.05) {
        fuse->over_since = PW_NEVER;
        return;
    }
    fuse->worst_a = most - limit_a > fuse->worst_a ? most - limit_a : fuse->worst_a;
    if (fuse->over_since == PW_NEVER) {
        fuse->over_since = now;
    }
    fuse->longest_ms = (pw_ms)pw_max((int64_t)fuse->longest_ms, (int64_t)(now - fuse->over_since));
}

static void weigh(struct site *site, struct site_place *place)
{
    double amps[PW_BOARD_PHASES];
    bool row = place - site->place < SITE_ROW;
    draw(place, amps);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        double change = amps[i] - place->amps[i];
        site->amps[i] += change;
        site->row_amps[i] += row ? change : 0.0;
        place->amps[i] = amps[i];
    }
    judge(&site->fuse, site->amps, SITE_FUSE_A, site->now);
    judge(&site->row, site->row_amps, SITE_ROW_A, site->now);
    // A station whose lease has run out is at its fail-safe limit, physically.
    if (is_ac(place) && place->cut && place->street.station != NULL &&
        pw_elapsed(place->cut_since, SITE_LEASE_MS + 10000, site->now)) {
        struct pw_world_ac_truth truth = pw_world_ac_truth(&place->street.ac);
        place->fell = place->fell || truth.offer_ma <= SITE_FAILSAFE_MA;
    }
}

// ---------------------------------------------------------------------------------------------

static void open_place(struct site *site, unsigned number)
{
    struct site_place *place = &site->place[number];
    bool ac = number < SITE_OUTLETS;
    char card[16];
    char made[PW_CENTRAL_KEY_MAX];
    *place = (struct site_place){.rotation = (enum pw_mains_rotation)(number % 2 == 0 ? 0 : 3),
                                 .cut_until = PW_NEVER,
                                 .revive_at = PW_NEVER};
    (void)snprintf(place->id, sizeof(place->id), "S%02u", number + 1);
    (void)snprintf(card, sizeof(card), "C-%s", place->id);
    struct pw_world_ac_config outlet = pw_world_ac_defaults();
    struct pw_world_dc_config bay = pw_world_dc_defaults();
    outlet.seed = bay.seed = number + 1;
    outlet.board.rest_ms = 150; // a board counts as silent after 200
    if (ac) {
        street_open_ac(&place->street, &outlet);
    } else {
        street_open(&place->street, &bay);
    }
    street_set(&place->street, "station.id", place->id);
    street_set(&place->street, "uplink.url", "tls://site:8190");
    street_set(&place->street, "uplink.failsafe_ma", "6000");
    street_set(&place->street, "console.status_interval_s", "0");
    street_set(&place->street, "metering.sample_interval_s", "300");
    street_secret(&place->street, "ocpp.authorization_key", SITE_KEY);
    place->street.central = &site_ocpp;
    place->street.central_context = site;
    place->street.wall = site->wall;
    int err = pw_central_station_add(site->central, pw_str_of(place->id), PW_STR(SITE_KEY), true,
                                     made, site_at(site));
    PW_ASSERT(err == PW_OK);
    err = pw_central_card_add(site->central, pw_str_of(card), PW_STR("somebody"));
    PW_ASSERT(err == PW_OK);
    place->person_at = site->now + 30000 + site_roll(site, HOUR_MS);
}

void site_open(struct site *site, uint64_t seed)
{
    const char *why = "";
    *site = (struct site){.now = 1000, .wall = INT64_C(1780000000000), .trouble = true};
    pw_noise_init(&site->dice, seed, 'S');
    site->fuse.over_since = site->row.over_since = PW_NEVER;
    site->place = calloc(SITE_STATIONS, sizeof(*site->place));
    PW_ASSERT(site->place != NULL);
    int err = pw_central_store_open(&site->store, ":memory:", NULL, &why);
    PW_ASSERT(err == PW_OK);
    site_join_central(site);
    site_start_server(site);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        open_place(site, i);
    }
    site_make_group(site);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        street_power_on(&site->place[i].street);
        site->place[i].next = site->now;
    }
    site->trouble_at = site->now + HOUR_MS / 2;
}

static void turn_place(struct site *site, struct site_place *place)
{
    struct street *street = &place->street;
    street->now = site->now;
    if (site->now >= place->person_at) {
        act(site, place);
    }
    if (site->now >= place->cut_until) {
        end_cut(site, place);
    }
    if (site->now >= place->revive_at) {
        place->revive_at = PW_NEVER;
        street_power_on(street);
    }
    street_turn(street);
    site_tend_wire(site, place);
    weigh(site, place);
    pw_ms next = pw_earlier(street_next(street), place->person_at);
    place->next = pw_earlier(next, pw_earlier(place->cut_until, place->revive_at));
    site->counts.turns++;
}

static void turn(struct site *site)
{
    if (site->now >= site->server_at) {
        site_start_server(site);
    }
    if (site->trouble && site->now >= site->trouble_at) {
        make_trouble(site);
    }
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        if (site->now >= site->place[i].next) {
            turn_place(site, &site->place[i]);
        }
    }
    if (site->central != NULL && site->now >= site->central_at) {
        site->central_at = pw_central_step(site->central, site_at(site));
    }
}

static pw_ms next_event(const struct site *site)
{
    pw_ms at = pw_earlier(site->central_at, site->server_at);
    at = site->trouble ? pw_earlier(at, site->trouble_at) : at;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        at = pw_earlier(at, site->place[i].next);
    }
    return at;
}

void site_run(struct site *site, pw_ms span)
{
    pw_ms end = site->now + span;
    unsigned spins = 0;
    while (site->now < end) {
        pw_ms at = pw_earlier(next_event(site), end);
        spins = at > site->now ? 0 : spins + 1;
        if (spins > SPIN_MOST) {
            (void)fprintf(stderr, "site: somebody spins at %llu ms\n",
                          (unsigned long long)site->now);
            abort();
        }
        site->now = at > site->now ? at : site->now;
        turn(site);
    }
}

void site_settle(struct site *site)
{
    site->trouble = false;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        if (place->person != SITE_AWAY) {
            pull_plug(site, place);
        }
        place->person_at = PW_NEVER;
        place->next = site->now;
    }
    site_run(site, HOUR_MS);
}

void site_close(struct site *site)
{
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        site_cut_wire(site, &site->place[i]);
        street_close(&site->place[i].street);
    }
    pw_central_free(site->central);
    pw_central_store_close(&site->store);
    free(site->place);
}

int64_t site_count(struct site *site, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(site->store.sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

int64_t site_physical_mwh(const struct site *site)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        const struct site_place *place = &site->place[i];
        sum += is_ac(place) ? pw_world_ac_truth(&place->street.ac).energy_mwh
                            : pw_world_dc_truth(&place->street.world).energy_mwh;
    }
    return sum;
}
