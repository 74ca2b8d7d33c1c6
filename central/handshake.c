// Who may connect: the judgement of upgrade requests, and the doctor who remembers the refused.
// Sources: OCPP-J 1.6 §3.1, §6.2; facts/reliability.md T36, T37, T41; whitepaper
// §2 (profiles), A01.FR.03, A05.FR.09.
#include "records.h"

#include <stdlib.h>
#include <string.h>

#define CREDENTIALS_MAX 256
#define KEY_BYTES       20 // of a key that is sent as bytes

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

// A station may send its key as the bytes that our hex digits stand for (OCPP-J 1.6 §6.2).
static struct pw_str printable(struct pw_str key, struct pw_out *room)
{
    static const char digits[] = "0123456789abcdef";
    bool plain = true;
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.at[i];
        plain = plain && c >= 0x20 && c <= 0x7E;
    }
    if (plain || key.len > KEY_BYTES) {
        return key;
    }
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.at[i];
        pw_put_c(room, digits[c >> 4]);
        pw_put_c(room, digits[c & 15]);
    }
    return pw_out_str(room);
}

// The station uses the key it was being given: its answer was lost, the change was not.
static void move_on(struct pw_central *central, struct pw_str id, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(id)};
    (void)db_write(central,
                   "UPDATE station SET key_hash = key_next, key_next = NULL"
                   " WHERE id = $1 AND key_next IS NOT NULL",
                   args, PW_COUNT(args), at.now);
}

const char *door_locked(struct pw_central *central, struct pw_str id, struct pw_str given,
                        struct pw_instant at)
{
    char hash[HASH_MAX];
    char text[2 * KEY_BYTES + 1];
    struct pw_out room = PW_OUT(text);
    struct pw_str key = printable(given, &room);
    bool has_key = station_key(central, id, hash);
    if (key_fits(central, key, has_key ? hash : central->dummy_hash) && has_key) {
        return NULL;
    }
    // Wrong once: whoever it is, the same work again.
    char next[HASH_MAX];
    bool changing = station_key_next(central, id, next);
    if (key_fits(central, key, changing ? next : central->dummy_hash) && changing) {
        move_on(central, id, at);
        return NULL;
    }
    if (!has_key) {
        return central->config.accept_unknown_stations && station_id_ok(id)
                   ? NULL
                   : "unknown station, or one without a key";
    }
    return "wrong key";
}

// The same for the header of an upgrade request.
static const char *locked(struct pw_central *central, struct pw_str id, struct pw_str authorization,
                          struct pw_instant at)
{
    char room[CREDENTIALS_MAX];
    struct pw_out out = PW_OUT(room);
    struct pw_str user = {0};
    struct pw_str password = {0};
    bool given = pw_http_basic(authorization, &out, &user, &password) == PW_OK;
    // The right key under another name is as wrong as any, and must cost as much.
    bool named = given && pw_str_eq(user, id);
    const char *why = door_locked(central, id, named ? password : PW_STR(""), at);
    char hash[HASH_MAX];
    if (!station_key(central, id, hash)) {
        return why;
    }
    if (!given) {
        return authorization.len == 0 ? "no credentials" : "credentials are not HTTP Basic";
    }
    return named ? why : "user name is not the station's id";
}

// A certificate of the station's own (profile 3). The port has verified its chain and dates, or
// says what is wrong with them.
static const char *certificate_locked(const struct pw_central *central, struct pw_str id,
                                      const struct pw_central_certificate *certificate,
                                      struct pw_instant at)
{
    char hash[HASH_MAX];
    if (certificate->wrong != NULL) {
        return certificate->wrong;
    }
    if (!pw_str_eq(certificate->common_name, id)) {
        return "the certificate's commonName is not the station's id";
    }
    if (!station_key(central, id, hash)) {
        return "unknown station, or one that was removed";
    }
    return certificate_good(central, id, certificate->serial, at.wall)
               ? NULL
               : "the certificate was revoked, or issued to another station";
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    if (columns[0].kind == PW_DB_INT) {
        *(int64_t *)to = columns[0].number;
    }
}

// A05.FR.09, at both doors: less than a station must use is not enough.
static const char *profile_locked(struct pw_central *central, struct pw_str id, int profile)
{
    int64_t least = 0;
    struct pw_db_value args[] = {pw_db_text(id)};
    (void)db_read(central, "SELECT security_profile FROM station WHERE id = $1", args,
                  PW_COUNT(args), take_number, &least);
    return profile < least ? "its security profile is below what this station must use" : NULL;
}

// Why this peer may not come in, or NULL with the security profile it uses.
static const char *refused_because(struct pw_central *central, struct pw_str id,
                                   const struct pw_central_handshake *handshake, int *profile,
                                   struct pw_instant at)
{
    const struct pw_central_certificate *certificate =
        handshake->tls ? handshake->certificate : NULL;
    const char *why = certificate != NULL ? certificate_locked(central, id, certificate, at)
                                          : locked(central, id, handshake->authorization, at);
    char hash[HASH_MAX];
    *profile = certificate != NULL               ? 3
               : !station_key(central, id, hash) ? 0
               : handshake->tls                  ? 2
                                                 : 1;
    return why != NULL ? why : profile_locked(central, id, *profile);
}

const char *door_linked(struct pw_central *central, struct pw_str id, struct pw_str key,
                        const struct pw_central_certificate *certificate, struct pw_instant at)
{
    const char *why = door_locked(central, id, key, at);
    if (why != NULL) {
        return why;
    }
    why = certificate != NULL ? certificate_locked(central, id, certificate, at) : NULL;
    if (why == NULL) {
        why = profile_locked(central, id, certificate != NULL ? 3 : 2);
    }
    if (why != NULL) {
        // The work of a wrong key: the time shall not tell who has found a right one.
        (void)key_fits(central, key, central->dummy_hash);
    }
    return why;
}

// A05.FR.09: a station that has come in with the profile it was told to use does not come back with
// a lower one.
static void profile_reached(struct pw_central *central, const struct station *station, int profile,
                            pw_ms now)
{
    int64_t wanted = configuration_wanted(central, station, "SecurityProfile");
    if (wanted < 0 || profile < wanted) {
        return;
    }
    struct pw_db_value args[] = {pw_db_int(wanted), pw_db_text(pw_str_of(station->id))};
    (void)db_write(central,
                   "UPDATE station SET security_profile = $1 WHERE id = $2"
                   " AND COALESCE(security_profile, 0) < $1",
                   args, PW_COUNT(args), now);
    configuration_reached(central, station, "SecurityProfile", now);
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
                                       const struct pw_central_handshake *handshake, int profile,
                                       struct pw_instant at)
{
    const struct pw_central_net *net = central->config.net;
    struct link *link = open_link(central, number, station, handshake->address, at);
    if (link == NULL) {
        return (struct pw_central_verdict){503, "out of memory"};
    }
    link->profile = profile;
    struct pw_out serial = PW_OUT(link->certificate);
    pw_put(&serial, profile == 3 ? handshake->certificate->serial : PW_STR(""));
    profile_reached(central, station, profile, at.now);
    if (station->link == NULL) {
        link->served = true;
        station->link = link;
        if (profile == 1 || profile == 2) {
            key_stayed(central, station, at); // who uses a new one has moved on to it
        }
        links_wake(central, pw_after(at.now, PW_CENTRAL_PING_MS));
        link_served(central, link, at);
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
    if (!throttle_open(central, handshake->address, false, at.now)) {
        return refuse(central, id, handshake,
                      (struct pw_central_verdict){429, "too many wrong tries from this address"},
                      at);
    }
    int profile = 0;
    const char *why = refused_because(central, id, handshake, &profile, at);
    if (why != NULL) {
        throttle_failed(central, handshake->address, false, at.now);
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
    return admit(central, link, station, handshake, profile, at);
}
