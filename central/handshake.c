// Who may connect: the judgement of upgrade requests, and the doctor who remembers the refused.
// Sources: OCPP-J 1.6 §3.1, §6.2; facts/reliability.md T36, T37, T41.
#include "state.h"

#include <stdlib.h>
#include <string.h>

#define CREDENTIALS_MAX 256

void doctor_note(struct pw_central *central, struct pw_str station, struct pw_str address,
                 int status, const char *reason, struct pw_instant at)
{
    central->count.handshakes_refused++;
    uint32_t newest = (central->refused_next + REFUSED_MAX - 1) % REFUSED_MAX;
    struct refused *last = &central->refused[newest];
    if (last->count > 0 && last->status == status && pw_str_is(station, last->station) &&
        pw_str_is(address, last->address) && strcmp(last->reason, reason) == 0) {
        last->count++;
        last->time = at.wall;
        return;
    }
    struct refused *to = &central->refused[central->refused_next];
    *to = (struct refused){.time = at.wall, .status = status, .count = 1};
    struct pw_out id = PW_OUT(to->station);
    struct pw_out from = PW_OUT(to->address);
    struct pw_out why = PW_OUT(to->reason);
    pw_put(&id, station);
    pw_put(&from, address);
    pw_put_s(&why, reason);
    central->refused_next = (central->refused_next + 1) % REFUSED_MAX;

    struct pw_line line;
    pw_line(&line, central->config.log, PW_LOG_WARN, "handshake", "refused");
    pw_line_str(&line, "station", pw_out_str(&id));
    pw_line_str(&line, "address", address);
    pw_line_int(&line, "status", status);
    pw_line_s(&line, "reason", reason);
    pw_line_end(&line);
}

const char *door_locked(struct pw_central *central, struct pw_str id, struct pw_str key)
{
    char hash[HASH_MAX];
    bool has_key = station_key(central, id, hash);
    bool fits = key_fits(central, key, has_key ? hash : central->dummy_hash) && has_key;
    if (!has_key) {
        return central->config.accept_unknown_stations && station_id_ok(id)
                   ? NULL
                   : "unknown station, or one without a key";
    }
    return fits ? NULL : "wrong key";
}

// The same for the header of an upgrade request.
static const char *locked(struct pw_central *central, struct pw_str id, struct pw_str authorization)
{
    char room[CREDENTIALS_MAX];
    struct pw_out out = PW_OUT(room);
    struct pw_str user = {0};
    struct pw_str password = {0};
    bool given = pw_http_basic(authorization, &out, &user, &password) == PW_OK;
    const char *why = door_locked(central, id, password);
    char hash[HASH_MAX];
    if (!station_key(central, id, hash)) {
        return why;
    }
    if (!given) {
        return authorization.len == 0 ? "no credentials" : "credentials are not HTTP Basic";
    }
    return pw_str_eq(user, id) ? why : "user name is not the station's id";
}

static bool speaks_ocpp16(struct pw_str protocols)
{
    while (protocols.len > 0) {
        if (pw_str_is(pw_str_trim(pw_str_cut(&protocols, ',')), "ocpp1.6")) {
            return true;
        }
    }
    return false;
}

static struct pw_central_verdict refuse(struct pw_central *central, struct pw_str id,
                                        const struct pw_central_handshake *handshake,
                                        struct pw_central_verdict verdict, struct pw_instant at)
{
    doctor_note(central, id, handshake->address, verdict.status, verdict.reason, at);
    return verdict;
}

static struct link *open_link(struct pw_central *central, uint64_t number, struct station *station,
                              struct pw_str address, struct pw_instant at)
{
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return NULL;
    }
    link->number = number;
    link->station = station;
    link->opened = at.now;
    link->heard = at.now;
    link->pinged = PW_NEVER;
    struct pw_out out = PW_OUT(link->address);
    pw_put(&out, address);
    size_t slot = number % PW_CENTRAL_STATIONS_MAX;
    link->next = central->bucket[slot];
    central->bucket[slot] = link;
    central->links++;
    return link;
}

static struct pw_central_verdict admit(struct pw_central *central, uint64_t number,
                                       struct station *station,
                                       const struct pw_central_handshake *handshake,
                                       struct pw_instant at)
{
    const struct pw_central_net *net = central->config.net;
    struct link *link = open_link(central, number, station, handshake->address, at);
    if (link == NULL) {
        return (struct pw_central_verdict){503, "out of memory"};
    }
    if (station->link == NULL) {
        link->served = true;
        station->link = link;
        links_wake(central, pw_after(at.now, PW_CENTRAL_PING_MS));
        event_station(central, station);
    } else {
        // Is the first one still alive? It has ten seconds to say so; the new one waits unread.
        station->candidate = link;
        net->pause(net->context, number, true);
        net->ping(net->context, station->link->number);
        links_wake(central, pw_after(at.now, PW_CENTRAL_PROBE_MS));
    }
    return (struct pw_central_verdict){101, ""};
}

struct pw_central_verdict pw_central_handshake(struct pw_central *central, uint64_t link,
                                               const struct pw_central_handshake *handshake,
                                               struct pw_instant at)
{
    struct pw_str id = handshake->path;
    central->count.handshakes++;
    if (!pw_str_starts(id, "/ocpp/")) {
        return refuse(central, id, handshake,
                      (struct pw_central_verdict){404, "stations connect to /ocpp/{station id}"},
                      at);
    }
    id = (struct pw_str){.at = id.at + 6, .len = id.len - 6};
    if (!throttle_open(central, handshake->address, at.now)) {
        return refuse(central, id, handshake,
                      (struct pw_central_verdict){429, "too many wrong tries from this address"},
                      at);
    }
    const char *why = locked(central, id, handshake->authorization);
    if (why != NULL) {
        throttle_failed(central, handshake->address, at.now);
        doctor_note(central, id, handshake->address, 401, why, at);
        return (struct pw_central_verdict){401, "station id or key is wrong"};
    }
    if (!speaks_ocpp16(handshake->protocols)) {
        return refuse(central, id, handshake,
                      (struct pw_central_verdict){400, "subprotocol ocpp1.6 is not offered"}, at);
    }
    struct station *station = station_add(central, id, at);
    if (station == NULL) {
        return refuse(central, id, handshake,
                      (struct pw_central_verdict){503, "the station table is full"}, at);
    }
    if (station->candidate != NULL) {
        return refuse(
            central, id, handshake,
            (struct pw_central_verdict){409, "this identity is being checked on another link"}, at);
    }
    return admit(central, link, station, handshake, at);
}
