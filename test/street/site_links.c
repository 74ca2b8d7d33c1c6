#include "site_links.h"

#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// The central's ports.

static int net_send(void *context, uint64_t link, struct pw_str text)
{
    struct site *site = context;
    said(SAID_BY_CENTRAL, link, text);
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
        to[i] = (uint8_t)site_roll(site, 256);
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
    (void)snprintf(plain, sizeof(plain), "%s:%s", place->id, SITE_KEY);
    (void)snprintf(path, sizeof(path), "/ocpp/%s", place->id);
    put_base64(&out, plain);
    const struct pw_central_handshake handshake = {.path = pw_str_of(path),
                                                   .authorization = pw_out_str(&out),
                                                   .protocols = PW_STR("ocpp1.6"),
                                                   .address = PW_STR("192.0.2.1")};
    place->ocpp = ++site->numbers;
    site->central_at = site->now;
    if (pw_central_handshake(site->central, place->ocpp, &handshake, site_at(site)).status != 101) {
        place->ocpp = 0;
    }
    return place->ocpp != 0;
}

static void ocpp_hear(struct street *street, struct pw_str text)
{
    struct site *site = street->central_context;
    const struct site_place *place = place_of(site, street);
    if (site->central != NULL && place->ocpp != 0 && !place->deaf) {
        said(SAID_TO_CENTRAL, place->ocpp, text);
        pw_central_text(site->central, place->ocpp, text, site_at(site));
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
        pw_central_closed(site->central, link, site_at(site));
        site->central_at = site->now;
    }
}

const struct street_central site_ocpp = {
    .open = ocpp_open, .hear = ocpp_hear, .closed = ocpp_closed};

// ---------------------------------------------------------------------------------------------
// The station link.

void site_cut_wire(struct site *site, struct site_place *place)
{
    uint64_t wire = place->wire;
    place->wire = 0;
    place->inbox_len = 0;
    if (wire != 0 && site->central != NULL) {
        pw_central_wire_closed(site->central, wire, site_at(site));
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
        !pw_central_wire_opened(site->central, place->wire, PW_STR("192.0.2.1"), site_at(site))) {
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
            pw_central_wire_bytes(site->central, place->wire, copy, out.len, site_at(site));
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

void site_tend_wire(struct site *site, struct site_place *place)
{
    if (place->hang_up) {
        place->hang_up = false;
        site_cut_wire(site, place);
        street_cut_link(&place->street);
    }
    if (place->street.station == NULL) {
        site_cut_wire(site, place);
        return;
    }
    bool wants = pw_station_uplink_wants(place->street.station, site->now);
    if (place->wire != 0 && !wants) {
        site_cut_wire(site, place);
    } else if (place->wire == 0 && wants) {
        try_wire(site, place);
    }
    if (place->wire != 0) {
        pass_bytes(site, place);
    }
}

// ---------------------------------------------------------------------------------------------
// The server.

void site_start_server(struct site *site)
{
    const char *why = "";
    if (pw_central_new(&site->central, &site->config, site_at(site), &why) != PW_OK) {
        (void)fprintf(stderr, "site: %s\n", why);
        abort();
    }
    site->central_at = site->now;
    site->server_at = PW_NEVER;
}

void site_stop_server(struct site *site)
{
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        place->street.now = site->now;
        site_cut_wire(site, place);
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
    pw_central_http(site->central, &asked, &reply, site_at(site));
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
void site_make_group(struct site *site)
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

void site_join_central(struct site *site)
{
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
}
