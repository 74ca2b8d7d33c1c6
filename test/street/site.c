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
    unsigned soc = 100 + (unsigned)server_roll(&site->server, 700);
    place->street.now = site->server.now;
    if (is_ac(place)) {
        char line[40];
        (void)snprintf(line, sizeof(line), "car %s",
                       cars[server_roll(&site->server, PW_COUNT(cars))]);
        street_do(&place->street, line);
        pw_world_ac_soc(&place->street.ac, soc / 1000.0);
        street_do(&place->street, "plug");
        return;
    }
    (void)pw_world_dc_step(&place->street.world, site->server.now);
    int err = pw_world_dc_vehicle(&place->street.world,
                                  models[server_roll(&site->server, PW_COUNT(models))]);
    PW_ASSERT(err == PW_OK);
    pw_pack_set_soc(&place->street.world.scooter.pack, soc / 1000.0);
    pw_world_dc_plug(&place->street.world, true);
    place->street.world_at = site->server.now;
}

static void pull_plug(struct site *site, struct site_place *place)
{
    place->street.now = site->server.now;
    if (is_ac(place)) {
        street_do(&place->street, "unplug");
    } else {
        (void)pw_world_dc_step(&place->street.world, site->server.now);
        pw_world_dc_plug(&place->street.world, false);
        place->street.world_at = site->server.now;
    }
    place->person = SITE_AWAY;
    place->person_at = site->server.now + 60000 + server_roll(&site->server, 2 * HOUR_MS);
}

static void show_card(struct site *site, struct site_place *place)
{
    if (place->street.station != NULL) {
        char card[16];
        (void)snprintf(card, sizeof(card), "C-%s", place->line->id);
        place->street.now = site->server.now;
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
        place->person_at = site->server.now + 5000;
        break;
    case SITE_PLUGGED:
        if (place->cards > 0 && is_served(place)) {
            place->person = SITE_STAYS;
            place->person_at = site->server.now + 600000 + server_roll(&site->server, 3 * HOUR_MS);
        } else if (place->cards < 5) {
            show_card(site, place); // and again when nothing came of it
            place->cards++;
            place->person_at = site->server.now + 60000;
        } else {
            pull_plug(site, place);
        }
        break;
    case SITE_STAYS:
        if (server_roll(&site->server, 2) == 0) {
            show_card(site, place);
        }
        place->person = SITE_LEAVES;
        place->person_at = site->server.now + 10000;
        break;
    case SITE_LEAVES: pull_plug(site, place); break;
    }
    place->line->next = site->server.now;
}

// ---------------------------------------------------------------------------------------------
// Trouble.

static void begin_cut(struct site *site, struct site_place *place, bool half_open)
{
    if (place->line->cut || place->line->deaf) {
        return;
    }
    place->cut_since = site->server.now;
    place->cut_until = site->server.now + 1000 +
                       server_roll(&site->server, UINT64_C(1024) << server_roll(&site->server, 11));
    place->fell = false;
    place->line->deaf = half_open;
    place->line->cut = true;
    site->counts.cuts++;
    site->counts.half_open += half_open;
    if (!half_open) {
        place->street.now = site->server.now;
        site_cut_wire(site, place);
        street_cut_link(&place->street);
    }
    place->line->next = site->server.now;
}

static void end_cut(struct site *site, struct site_place *place)
{
    bool due = place->cut_until - place->cut_since > SITE_LEASE_MS + 20000 && is_ac(place) &&
               place->street.station != NULL;
    site->counts.falls_due += due;
    site->counts.falls_seen += due && place->fell;
    if (place->line->deaf) { // what was thought to be a connection is none
        place->street.now = site->server.now;
        site_cut_wire(site, place);
        street_cut_link(&place->street);
    }
    place->line->cut = place->line->deaf = false;
    place->cut_until = PW_NEVER;
    place->line->next = site->server.now;
}

static void make_trouble(struct site *site)
{
    struct site_place *place = &site->place[server_roll(&site->server, SITE_STATIONS)];
    site->trouble_at = site->server.now + 60000 + server_roll(&site->server, HOUR_MS);
    switch (server_roll(&site->server, 8)) {
    case 0:
        if (site->server.central != NULL) {
            site->counts.restarts++;
            site_stop_server(site);
            site->server_at = site->server.now + 1000 + server_roll(&site->server, 300000);
        }
        break;
    case 1:
        if (place->street.station != NULL && !place->line->cut) {
            site->counts.deaths++;
            place->street.now = site->server.now;
            street_crash(&place->street);
            place->revive_at = site->server.now + 1000 + server_roll(&site->server, 60000);
            place->line->next = site->server.now;
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
    judge(&site->fuse, site->amps, SITE_FUSE_A, site->server.now);
    judge(&site->row, site->row_amps, SITE_ROW_A, site->server.now);
    // A station whose lease has run out is at its fail-safe limit, physically.
    if (is_ac(place) && place->line->cut && place->street.station != NULL &&
        pw_elapsed(place->cut_since, SITE_LEASE_MS + 10000, site->server.now)) {
        struct pw_world_ac_truth truth = pw_world_ac_truth(&place->street.ac);
        place->fell = place->fell || truth.offer_ma <= SITE_FAILSAFE_MA;
    }
}

// ---------------------------------------------------------------------------------------------

static void open_place(struct site *site, unsigned number)
{
    struct site_place *place = &site->place[number];
    bool ac = number < SITE_OUTLETS;
    char id[8];
    char card[16];
    *place = (struct site_place){.line = &site->server.line[number],
                                 .rotation = (enum pw_mains_rotation)(number % 2 == 0 ? 0 : 3),
                                 .cut_until = PW_NEVER,
                                 .revive_at = PW_NEVER};
    (void)snprintf(id, sizeof(id), "S%02u", number + 1);
    (void)snprintf(card, sizeof(card), "C-%s", id);
    struct pw_world_ac_config outlet = pw_world_ac_defaults();
    struct pw_world_dc_config bay = pw_world_dc_defaults();
    outlet.seed = bay.seed = number + 1;
    outlet.board.rest_ms = 150; // a board counts as silent after 200
    if (ac) {
        street_open_ac(&place->street, &outlet);
    } else {
        street_open(&place->street, &bay);
    }
    street_set(&place->street, "uplink.url", "tls://site:8190");
    street_set(&place->street, "uplink.failsafe_ma", "6000");
    street_set(&place->street, "console.status_interval_s", "0");
    street_set(&place->street, "metering.sample_interval_s", "300");
    server_join(&site->server, number, &place->street, id);
    int err = pw_central_card_add(site->server.central, pw_str_of(card), PW_STR("somebody"));
    PW_ASSERT(err == PW_OK);
    place->person_at = site->server.now + 30000 + server_roll(&site->server, HOUR_MS);
}

void site_open(struct site *site, uint64_t seed)
{
    *site = (struct site){.trouble = true};
    server_open(&site->server, SITE_STATIONS, seed, "site");
    site->fuse.over_since = site->row.over_since = PW_NEVER;
    site->place = calloc(SITE_STATIONS, sizeof(*site->place));
    PW_ASSERT(site->place != NULL);
    site_join_central(site);
    site_start_server(site);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        open_place(site, i);
    }
    site_make_group(site);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        street_power_on(&site->place[i].street);
        site->place[i].line->next = site->server.now;
    }
    site->trouble_at = site->server.now + HOUR_MS / 2;
}

static void turn_place(struct site *site, struct site_place *place)
{
    struct street *street = &place->street;
    street->now = site->server.now;
    server_answer_ping(place->line);
    if (site->server.now >= place->person_at) {
        act(site, place);
    }
    if (site->server.now >= place->cut_until) {
        end_cut(site, place);
    }
    if (site->server.now >= place->revive_at) {
        place->revive_at = PW_NEVER;
        street_power_on(street);
    }
    street_turn(street);
    site_tend_wire(site, place);
    weigh(site, place);
    pw_ms next = pw_earlier(street_next(street), place->person_at);
    place->line->next = pw_earlier(next, pw_earlier(place->cut_until, place->revive_at));
    site->counts.turns++;
}

static void turn(struct site *site)
{
    if (site->server.now >= site->server_at) {
        site_start_server(site);
    }
    if (site->trouble && site->server.now >= site->trouble_at) {
        make_trouble(site);
    }
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        if (site->server.now >= site->place[i].line->next) {
            turn_place(site, &site->place[i]);
        }
    }
    if (site->server.central != NULL && site->server.now >= site->server.central_at) {
        site->server.central_at = pw_central_step(site->server.central, server_at(&site->server));
    }
}

static pw_ms next_event(const struct site *site)
{
    pw_ms at = pw_earlier(server_next(&site->server), site->server_at);
    return site->trouble ? pw_earlier(at, site->trouble_at) : at;
}

void site_run(struct site *site, pw_ms span)
{
    pw_ms end = site->server.now + span;
    unsigned spins = 0;
    while (site->server.now < end) {
        pw_ms at = pw_earlier(next_event(site), end);
        spins = at > site->server.now ? 0 : spins + 1;
        if (spins > SPIN_MOST) {
            (void)fprintf(stderr, "site: somebody spins at %llu ms\n",
                          (unsigned long long)site->server.now);
            abort();
        }
        site->server.now = at > site->server.now ? at : site->server.now;
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
        place->line->next = site->server.now;
    }
    site_run(site, HOUR_MS);
}

void site_close(struct site *site)
{
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        site_cut_wire(site, &site->place[i]);
        street_close(&site->place[i].street);
    }
    server_close(&site->server);
    free(site->place);
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
