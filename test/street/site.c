#include "site.h"

#include "scenario/acscenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "sixteen-or-more-1"

enum {
    HOUR_MS = 3600000,
    SPIN_MOST = 20000,
    EFFICIENCY_PERCENT = 94, // of the dc stations' rectifiers
};

static uint64_t roll(struct site *site, uint64_t sides)
{
    return pw_noise_bits(&site->dice) % sides;
}

static struct pw_instant at_now(const struct site *site)
{
    return (struct pw_instant){.now = site->now, .wall = site->wall + (pw_unix_ms)site->now};
}

static bool is_ac(const struct site_place *place)
{
    return place->street.kind == &street_kind_ac;
}

// ---------------------------------------------------------------------------------------------
// The central's ports.

static int net_send(void *context, uint64_t link, struct pw_str text)
{
    struct site *site = context;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        if (place->ocpp == link && link != 0 && !place->deaf) {
            place->street.now = site->now;
            street_post(&place->street, text);
            place->next = pw_earlier(place->next, street_next(&place->street));
        }
    }
    return PW_OK;
}

static void net_ping(void *context, uint64_t link)
{
    (void)context;
    (void)link; // stations ping often enough themselves
}

static void net_pause(void *context, uint64_t link, bool paused)
{
    (void)context;
    (void)link;
    (void)paused;
}

static void net_close(void *context, uint64_t link, unsigned code, const char *reason)
{
    struct site *site = context;
    (void)code;
    (void)reason;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        if (place->ocpp == link && link != 0) {
            place->hang_up = true;
            place->next = site->now;
        }
    }
}

static void net_ready(void *context, uint64_t stream)
{
    (void)context;
    (void)stream;
}

static int wire_send(void *context, uint64_t wire, const uint8_t *bytes, size_t len)
{
    struct site *site = context;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        if (place->wire != wire || wire == 0 || place->deaf) {
            continue;
        }
        if (len > SITE_INBOX_MAX - place->inbox_len) {
            return PW_ERR_LIMIT;
        }
        memcpy(place->inbox + place->inbox_len, bytes, len);
        place->inbox_len += len;
        place->next = site->now;
    }
    return PW_OK;
}

static void wire_close(void *context, uint64_t wire)
{
    struct site *site = context;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        if (site->place[i].wire == wire && wire != 0) {
            site->place[i].hang_up = true;
            site->place[i].next = site->now;
        }
    }
}

static int crypto_random(void *context, uint8_t *to, size_t len)
{
    struct site *site = context;
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)roll(site, 256);
    }
    return PW_OK;
}

// Cheap, and equal for equal secrets: no test is about cryptography here.
static int crypto_derive(void *context, struct pw_str password, const uint8_t salt[16],
                         unsigned cost, uint8_t to[32])
{
    uint32_t hash = 2166136261U + cost;
    (void)context;
    for (size_t i = 0; i < 32; i++) {
        hash = (hash ^ salt[i % 16]) * 16777619U;
        for (size_t k = 0; k < password.len; k++) {
            hash = (hash ^ (uint8_t)password.at[k]) * 16777619U;
        }
        to[i] = (uint8_t)(hash >> 24);
    }
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// OCPP: the street's letters go to the central.

static struct site_place *place_of(struct site *site, const struct street *street)
{
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        if (&site->place[i].street == street) {
            return &site->place[i];
        }
    }
    PW_UNREACHABLE();
}

static void put_base64(struct pw_out *out, const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = (bits << 8) | (i + k < len ? (uint8_t)text[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            pw_put_c(out, i + k <= len ? alphabet[(bits >> (18 - 6 * k)) & 63] : '=');
        }
    }
}

static bool ocpp_open(struct street *street)
{
    struct site *site = street->central_context;
    struct site_place *place = place_of(site, street);
    char plain[64];
    char header[128] = "Basic ";
    char path[32];
    struct pw_out out = {.at = header, .cap = sizeof(header), .len = strlen(header)};
    if (site->central == NULL || place->cut) {
        return false;
    }
    (void)snprintf(plain, sizeof(plain), "%s:%s", place->id, KEY);
    (void)snprintf(path, sizeof(path), "/ocpp/%s", place->id);
    put_base64(&out, plain);
    const struct pw_central_handshake handshake = {.path = pw_str_of(path),
                                                   .authorization = pw_out_str(&out),
                                                   .protocols = PW_STR("ocpp1.6"),
                                                   .address = PW_STR("192.0.2.1")};
    place->ocpp = ++site->numbers;
    site->central_at = site->now;
    if (pw_central_handshake(site->central, place->ocpp, &handshake, at_now(site)).status != 101) {
        place->ocpp = 0;
    }
    return place->ocpp != 0;
}

static void ocpp_hear(struct street *street, struct pw_str text)
{
    struct site *site = street->central_context;
    const struct site_place *place = place_of(site, street);
    if (site->central != NULL && place->ocpp != 0 && !place->deaf) {
        pw_central_text(site->central, place->ocpp, text, at_now(site));
        site->central_at = site->now;
    }
}

static void ocpp_closed(struct street *street)
{
    struct site *site = street->central_context;
    struct site_place *place = place_of(site, street);
    uint64_t link = place->ocpp;
    place->ocpp = 0;
    if (site->central != NULL && link != 0) {
        pw_central_closed(site->central, link, at_now(site));
        site->central_at = site->now;
    }
}

static const struct street_central ocpp = {
    .open = ocpp_open, .hear = ocpp_hear, .closed = ocpp_closed};

// ---------------------------------------------------------------------------------------------
// The station link.

static void cut_wire(struct site *site, struct site_place *place)
{
    uint64_t wire = place->wire;
    place->wire = 0;
    place->inbox_len = 0;
    if (wire != 0 && site->central != NULL) {
        pw_central_wire_closed(site->central, wire, at_now(site));
        site->central_at = site->now;
    }
    if (wire != 0 && place->street.station != NULL) {
        pw_station_uplink_down(place->street.station, PW_STR("cut"), site->now);
        place->street.station_at = site->now;
    }
}

static void try_wire(struct site *site, struct site_place *place)
{
    struct pw_station *station = place->street.station;
    place->street.station_at = site->now;
    place->wire = ++site->numbers;
    if (site->central == NULL || place->cut ||
        !pw_central_wire_opened(site->central, place->wire, PW_STR("192.0.2.1"), at_now(site))) {
        place->wire = 0;
        pw_station_uplink_down(station, PW_STR("unreachable"), site->now);
        return;
    }
    pw_station_uplink_up(station, site->now);
}

static void pass_bytes(struct site *site, struct site_place *place)
{
    static uint8_t copy[PW_LINK_STATION_TX];
    struct pw_station *station = place->street.station;
    struct pw_str out = pw_station_uplink_out(station);
    if (out.len > 0) {
        PW_ASSERT(out.len <= sizeof(copy));
        memcpy(copy, out.at, out.len);
        pw_station_uplink_out_sent(station, out.len, site->now);
        if (!place->deaf && site->central != NULL) {
            pw_central_wire_bytes(site->central, place->wire, copy, out.len, at_now(site));
            site->central_at = site->now;
        }
        place->street.station_at = site->now;
    }
    if (place->inbox_len > 0) {
        size_t taken = pw_station_uplink_bytes(station, place->inbox, place->inbox_len, site->now);
        place->inbox_len -= taken;
        memmove(place->inbox, place->inbox + taken, place->inbox_len);
        place->street.station_at = site->now;
    }
}

static void tend_wire(struct site *site, struct site_place *place)
{
    if (place->hang_up) {
        place->hang_up = false;
        cut_wire(site, place);
        street_cut_link(&place->street);
    }
    if (place->street.station == NULL) {
        cut_wire(site, place);
        return;
    }
    bool wants = pw_station_uplink_wants(place->street.station, site->now);
    if (place->wire != 0 && !wants) {
        cut_wire(site, place);
    } else if (place->wire == 0 && wants) {
        try_wire(site, place);
    }
    if (place->wire != 0) {
        pass_bytes(site, place);
    }
}

// ---------------------------------------------------------------------------------------------
// The server.

static void start_server(struct site *site)
{
    const char *why = "";
    if (pw_central_new(&site->central, &site->config, at_now(site), &why) != PW_OK) {
        (void)fprintf(stderr, "site: %s\n", why);
        abort();
    }
    site->central_at = site->now;
    site->server_at = PW_NEVER;
}

static void stop_server(struct site *site)
{
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        place->street.now = site->now;
        cut_wire(site, place);
        street_cut_link(&place->street);
        place->next = site->now;
    }
    pw_central_free(site->central);
    site->central = NULL;
    site->central_at = PW_NEVER;
}

static int request(struct site *site, enum pw_http_method method, const char *path,
                   const char *body, char *cookie, char *csrf)
{
    struct pw_http_request asked = {
        .method = method,
        .path = pw_str_of(path),
        .query = PW_STR(""),
        .body = pw_str_of(body),
        .host = PW_STR("127.0.0.1:8180"),
        .origin = PW_STR(""),
        .cookie = pw_str_of(cookie),
        .csrf = pw_str_of(csrf),
        .etag = PW_STR(""),
        .address = PW_STR("192.0.2.1"),
        .stream = ++site->numbers,
    };
    static struct pw_http_reply reply;
    pw_central_http(site->central, &asked, &reply, at_now(site));
    if (reply.status != 200 && reply.status != 201) {
        (void)fprintf(stderr, "site: %s: %d %.*s\n", path, reply.status, (int)reply.body.len,
                      reply.body.at);
        abort();
    }
    struct pw_str found = pw_str_of(reply.cookie);
    if (found.len > 0) {
        (void)!pw_str_copy(cookie, 128, pw_str_cut(&found, ';'));
    }
    static const char mark[] = "\"csrf\":\"";
    for (size_t i = 0; i + sizeof(mark) < reply.body.len; i++) {
        if (memcmp(reply.body.at + i, mark, sizeof(mark) - 1) == 0) {
            struct pw_str rest = {reply.body.at + i + sizeof(mark) - 1,
                                  reply.body.len - i - sizeof(mark) + 1};
            (void)!pw_str_copy(csrf, 64, pw_str_cut(&rest, '"'));
        }
    }
    return reply.status;
}

// The fuse, the row of outlets behind their own, and everybody at one of them.
static void make_group(struct site *site)
{
    static char body[8192];
    char cookie[128] = "";
    char csrf[64] = "";
    char made[PW_CENTRAL_PASSWORD_MAX];
    size_t len = (size_t)snprintf(
        body, sizeof(body),
        "{\"name\":\"Site\",\"circuits\":[{\"id\":\"main\",\"name\":\"Fuse\",\"limit_a\":[%d,%d,%d]"
        "},{\"id\":\"row\",\"name\":\"Row\",\"parent\":\"main\",\"limit_a\":[%d,%d,%d]}],"
        "\"members\":[",
        SITE_FUSE_A, SITE_FUSE_A, SITE_FUSE_A, SITE_ROW_A, SITE_ROW_A, SITE_ROW_A);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        len += (size_t)snprintf(
            body + len, sizeof(body) - len,
            "%s{\"station_id\":\"%s\",\"connector_id\":1,\"circuit\":\"%s\",\"max_a\":16,"
            "\"failsafe_a\":%d,\"rotation\":\"%s\"}",
            i > 0 ? "," : "", site->place[i].id, i < SITE_ROW ? "row" : "main",
            SITE_FAILSAFE_MA / 1000, pw_mains_rotation_name(site->place[i].rotation));
    }
    (void)snprintf(body + len, sizeof(body) - len, "]}");
    int err =
        pw_central_user_password(site->central, PW_STR("admin"), PW_STR("correct horse"), made);
    PW_ASSERT(err == PW_OK);
    (void)request(site, PW_HTTP_POST, "/api/v1/login",
                  "{\"user\":\"admin\",\"password\":\"correct horse\"}", cookie, csrf);
    (void)request(site, PW_HTTP_PUT, "/api/v1/groups/site", body, cookie, csrf);
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
    unsigned soc = 100 + (unsigned)roll(site, 700);
    place->street.now = site->now;
    if (is_ac(place)) {
        char line[40];
        (void)snprintf(line, sizeof(line), "car %s", cars[roll(site, PW_COUNT(cars))]);
        street_do(&place->street, line);
        pw_world_ac_soc(&place->street.ac, soc / 1000.0);
        street_do(&place->street, "plug");
        return;
    }
    (void)pw_world_dc_step(&place->street.world, site->now);
    int err = pw_world_dc_vehicle(&place->street.world, models[roll(site, PW_COUNT(models))]);
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
    place->person_at = site->now + 60000 + roll(site, 2 * HOUR_MS);
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
            place->person_at = site->now + 600000 + roll(site, 3 * HOUR_MS);
        } else if (place->cards < 5) {
            show_card(site, place); // and again when nothing came of it
            place->cards++;
            place->person_at = site->now + 60000;
        } else {
            pull_plug(site, place);
        }
        break;
    case SITE_STAYS:
        if (roll(site, 2) == 0) {
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
    place->cut_until = site->now + 1000 + roll(site, UINT64_C(1024) << roll(site, 11));
    place->fell = false;
    place->deaf = half_open;
    place->cut = true;
    site->counts.cuts++;
    site->counts.half_open += half_open;
    if (!half_open) {
        place->street.now = site->now;
        cut_wire(site, place);
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
        cut_wire(site, place);
        street_cut_link(&place->street);
    }
    place->cut = place->deaf = false;
    place->cut_until = PW_NEVER;
    place->next = site->now;
}

static void make_trouble(struct site *site)
{
    struct site_place *place = &site->place[roll(site, SITE_STATIONS)];
    site->trouble_at = site->now + 60000 + roll(site, HOUR_MS);
    switch (roll(site, 8)) {
    case 0:
        if (site->central != NULL) {
            site->counts.restarts++;
            stop_server(site);
            site->server_at = site->now + 1000 + roll(site, 300000);
        }
        break;
    case 1:
        if (place->street.station != NULL && !place->cut) {
            site->counts.deaths++;
            place->street.now = site->now;
            street_crash(&place->street);
            place->revive_at = site->now + 1000 + roll(site, 60000);
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
    street_secret(&place->street, "ocpp.authorization_key", KEY);
    place->street.central = &ocpp;
    place->street.central_context = site;
    place->street.wall = site->wall;
    int err = pw_central_station_add(site->central, pw_str_of(place->id), PW_STR(KEY), true, made,
                                     at_now(site));
    PW_ASSERT(err == PW_OK);
    err = pw_central_card_add(site->central, pw_str_of(card), PW_STR("somebody"));
    PW_ASSERT(err == PW_OK);
    place->person_at = site->now + 30000 + roll(site, HOUR_MS);
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
    site->net = (struct pw_central_net){.context = site,
                                        .send = net_send,
                                        .ping = net_ping,
                                        .pause = net_pause,
                                        .close = net_close,
                                        .stream_ready = net_ready};
    site->wires =
        (struct pw_central_wires){.context = site, .send = wire_send, .close = wire_close};
    site->crypto = (struct pw_central_crypto){
        .context = site, .random = crypto_random, .derive = crypto_derive};
    site->config = (struct pw_central_config){.db = &site->store.db,
                                              .net = &site->net,
                                              .wires = &site->wires,
                                              .crypto = &site->crypto,
                                              .openapi = PW_STR(""),
                                              .version = PW_STR("site"),
                                              .host = PW_STR("")};
    start_server(site);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        open_place(site, i);
    }
    make_group(site);
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
    tend_wire(site, place);
    weigh(site, place);
    pw_ms next = pw_earlier(street_next(street), place->person_at);
    place->next = pw_earlier(next, pw_earlier(place->cut_until, place->revive_at));
    site->counts.turns++;
}

static void turn(struct site *site)
{
    if (site->now >= site->server_at) {
        start_server(site);
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
        site->central_at = pw_central_step(site->central, at_now(site));
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
        cut_wire(site, &site->place[i]);
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
