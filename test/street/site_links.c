#include "site_links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// The central's port.

static int wire_send(void *context, uint64_t wire, const uint8_t *bytes, size_t len)
{
    struct site *site = context;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        struct site_place *place = &site->place[i];
        if (place->wire != wire || wire == 0 || place->line->deaf) {
            continue;
        }
        if (len > SITE_INBOX_MAX - place->inbox_len) {
            return PW_ERR_LIMIT;
        }
        memcpy(place->inbox + place->inbox_len, bytes, len);
        place->inbox_len += len;
        place->line->next = site->server.now;
    }
    return PW_OK;
}

static void wire_close(void *context, uint64_t wire)
{
    struct site *site = context;
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        if (site->place[i].wire == wire && wire != 0) {
            site->place[i].line->hang_up = true;
            site->place[i].line->next = site->server.now;
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The station link.

void site_cut_wire(struct site *site, struct site_place *place)
{
    uint64_t wire = place->wire;
    place->wire = 0;
    place->inbox_len = 0;
    if (wire != 0 && site->server.central != NULL) {
        pw_central_wire_closed(site->server.central, wire, server_at(&site->server));
        site->server.central_at = site->server.now;
    }
    if (wire != 0 && place->street.station != NULL) {
        pw_station_uplink_down(place->street.station, PW_STR("cut"), site->server.now);
        place->street.station_at = site->server.now;
    }
}

static void try_wire(struct site *site, struct site_place *place)
{
    struct pw_station *station = place->street.station;
    place->street.station_at = site->server.now;
    place->wire = ++site->server.numbers;
    if (site->server.central == NULL || place->line->cut ||
        !pw_central_wire_opened(site->server.central, place->wire, PW_STR("192.0.2.1"),
                                server_at(&site->server))) {
        place->wire = 0;
        pw_station_uplink_down(station, PW_STR("unreachable"), site->server.now);
        return;
    }
    pw_station_uplink_up(station, site->server.now);
}

static void pass_bytes(struct site *site, struct site_place *place)
{
    static uint8_t copy[PW_LINK_STATION_TX];
    struct pw_station *station = place->street.station;
    struct pw_str out = pw_station_uplink_out(station);
    if (out.len > 0) {
        PW_ASSERT(out.len <= sizeof(copy));
        memcpy(copy, out.at, out.len);
        pw_station_uplink_out_sent(station, out.len, site->server.now);
        if (!place->line->deaf && site->server.central != NULL) {
            pw_central_wire_bytes(site->server.central, place->wire, copy, out.len,
                                  server_at(&site->server));
            site->server.central_at = site->server.now;
        }
        place->street.station_at = site->server.now;
    }
    if (place->inbox_len > 0) {
        size_t taken =
            pw_station_uplink_bytes(station, place->inbox, place->inbox_len, site->server.now);
        place->inbox_len -= taken;
        memmove(place->inbox, place->inbox + taken, place->inbox_len);
        place->street.station_at = site->server.now;
    }
}

void site_tend_wire(struct site *site, struct site_place *place)
{
    if (place->line->hang_up) {
        place->line->hang_up = false;
        site_cut_wire(site, place);
        street_cut_link(&place->street);
    }
    if (place->street.station == NULL) {
        site_cut_wire(site, place);
        return;
    }
    bool wants = pw_station_uplink_wants(place->street.station, site->server.now);
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
    server_start(&site->server);
    site->server_at = PW_NEVER;
}

void site_stop_server(struct site *site)
{
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        site->place[i].street.now = site->server.now;
        site_cut_wire(site, &site->place[i]);
    }
    server_stop(&site->server);
}

// The fuse, the row of outlets behind their own, and everybody at one of them.
void site_make_group(struct site *site)
{
    static char body[8192];
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
            i > 0 ? "," : "", site->place[i].line->id, i < SITE_ROW ? "row" : "main",
            SITE_FAILSAFE_MA / 1000, pw_mains_rotation_name(site->place[i].rotation));
    }
    (void)snprintf(body + len, sizeof(body) - len, "]}");
    server_login(&site->server);
    server_request(&site->server, PW_HTTP_PUT, "/api/v1/groups/site", body);
}

void site_join_central(struct site *site)
{
    site->wires =
        (struct pw_central_wires){.context = site, .send = wire_send, .close = wire_close};
    site->server.config.wires = &site->wires;
}
