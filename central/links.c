// The life of a link: pings, silence, two sockets of one identity, and what comes and goes on it.
// Duplicate identity (facts/reliability.md T36): the newcomer waits while the first link is pinged.
// If anything is heard from the first, it stays and the newcomer is refused; if nothing comes for
// PW_CENTRAL_PROBE_MS, or it breaks, the newcomer takes its place.
#include "records.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 50 // links are looked at this often at most, unless one of them cannot wait

struct link *link_find(const struct pw_central *central, uint64_t number)
{
    struct link *link = central->bucket[number % PW_CENTRAL_STATIONS_MAX];
    while (link != NULL && link->number != number) {
        link = link->next;
    }
    return link;
}

void links_wake(struct pw_central *central, pw_ms when)
{
    central->check_at = pw_earlier(central->check_at, when);
}

static void forget(struct pw_central *central, struct link *link)
{
    struct link **at = &central->bucket[link->number % PW_CENTRAL_STATIONS_MAX];
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    central->links--;
    free(link->held);
    free(link);
}

void links_free(struct pw_central *central)
{
    if (central->bucket == NULL) {
        return;
    }
    for (size_t i = 0; i < PW_CENTRAL_STATIONS_MAX; i++) {
        while (central->bucket[i] != NULL) {
            forget(central, central->bucket[i]);
        }
    }
}

void link_served(struct pw_central *central, struct link *link, struct pw_instant at)
{
    link->station->profile = link->profile;
    link->station->boot_place = 0;
    struct sight sight = {.kind = SIGHT_CONNECTED,
                          .number = link->profile,
                          .text = link->profile == 3 ? PW_STR("certificate") : PW_STR("key")};
    sight_note(central, link->station, &sight, at);
}

static void promote(struct pw_central *central, struct station *station, struct pw_instant at)
{
    const struct pw_central_net *net = central->config.net;
    struct link *link = station->candidate;
    station->candidate = NULL;
    station->link = link;
    link->served = true;
    link->heard = at.now;
    links_wake(central, pw_after(at.now, PW_CENTRAL_PING_MS));
    link_served(central, link, at);
    net->pause(net->context, link->number, false);
    char *held = link->held;
    if (held != NULL) {
        struct pw_str text = {.at = held, .len = link->held_len};
        link->held = NULL;
        calls_serve(central, link, text, at);
        free(held);
    }
}

// The station's link is gone, whoever ended it.
static void lose(struct pw_central *central, struct link *link, struct pw_instant at)
{
    struct station *station = link->station;
    link->station = NULL;
    if (station == NULL) {
        return;
    }
    if (!link->served) {
        station->candidate = NULL;
        return;
    }
    station->link = NULL;
    central->count.links_lost++;
    commands_lost(central, station, at);
    (void)pw_ocpp_rpc_drop(&station->rpc);
    struct pw_db_value args[] = {db_time(station->last_seen), pw_db_text(pw_str_of(station->id))};
    (void)db_write(central, "UPDATE station SET last_seen = $1 WHERE id = $2", args, PW_COUNT(args),
                   at.now);
    if (station->candidate != NULL) {
        promote(central, station, at);
    }
    event_station(central, station);
}

void link_drop(struct pw_central *central, struct link *link, unsigned code, const char *reason,
               struct pw_instant at)
{
    const struct pw_central_net *net = central->config.net;
    struct pw_line line;
    pw_line(&line, central->config.log, PW_LOG_INFO, "link", "dropped");
    pw_line_s(&line, "station", link->station != NULL ? link->station->id : "");
    pw_line_int(&line, "code", (int64_t)code);
    pw_line_s(&line, "reason", reason);
    pw_line_end(&line);
    net->close(net->context, link->number, code, reason);
    lose(central, link, at);
}

// Two stations (or a thief) use one identity: the link that answers stays.
static void refuse_candidate(struct pw_central *central, struct station *station,
                             struct pw_instant at)
{
    struct link *link = station->candidate;
    central->count.duplicates++;
    station->duplicate_at = at.wall;
    doctor_note(central, pw_str_of(station->id), pw_str_of(link->address), 1008,
                "duplicate identity: the station is connected and alive", at);
    link_drop(central, link, 1008, "duplicate identity", at);
    event_station(central, station);
}

static void heard(struct pw_central *central, struct link *link, struct pw_instant at)
{
    link->heard = at.now;
    link->pinged = PW_NEVER;
    if (link->served && link->station->candidate != NULL) {
        refuse_candidate(central, link->station, at);
    }
}

void link_send(struct pw_central *central, struct link *link, struct pw_str frame)
{
    const struct pw_central_net *net = central->config.net;
    central->count.messages_out++;
    if (net->send(net->context, link->number, frame) != PW_OK) {
        // Its station is not told here: whoever sends may be in the middle of that station's
        // business. The next look at the links drops it.
        link->slow = true;
        links_wake(central, 0);
    }
}

// Keeps a candidate's message until the verdict.
static bool keep(struct link *link, struct pw_str text)
{
    link->held_len = text.len;
    link->held = malloc(text.len + 1);
    if (link->held == NULL) {
        return false;
    }
    memcpy(link->held, text.at, text.len);
    return true;
}

// --- What the port reports.

void pw_central_text(struct pw_central *central, uint64_t number, struct pw_str text,
                     struct pw_instant at)
{
    struct link *link = link_find(central, number);
    if (link == NULL || link->station == NULL) {
        return;
    }
    central->count.messages_in++;
    if (!link->served) {
        // One call fits the protocol; a second one before the first is answered does not.
        if (link->held != NULL || !keep(link, text)) {
            link_drop(central, link, 1008, "one call at a time", at);
        }
        return;
    }
    heard(central, link, at);
    link->station->last_seen = at.wall;
    calls_serve(central, link, text, at);
}

void pw_central_pong(struct pw_central *central, uint64_t number, struct pw_instant at)
{
    struct link *link = link_find(central, number);
    if (link != NULL && link->station != NULL) {
        heard(central, link, at);
    }
}

void pw_central_broke(struct pw_central *central, uint64_t number, unsigned code,
                      const char *reason, struct pw_instant at)
{
    const struct link *link = link_find(central, number);
    if (link == NULL || link->station == NULL) {
        return;
    }
    link->station->violations++;
    central->count.bad_messages++;
    doctor_note(central, pw_str_of(link->station->id), pw_str_of(link->address), (int)code, reason,
                at);
}

void pw_central_closed(struct pw_central *central, uint64_t number, struct pw_instant at)
{
    struct link *link = link_find(central, number);
    if (link == NULL) {
        return;
    }
    lose(central, link, at);
    forget(central, link);
}

// --- What time brings.

// One link's next deadline after doing what is due. PW_NEVER once it is dropped.
static pw_ms check(struct pw_central *central, struct link *link, struct pw_instant at)
{
    const struct pw_central_net *net = central->config.net;
    struct station *station = link->station;
    if (station == NULL || !link->served) {
        return PW_NEVER; // a candidate's time is its rival's business
    }
    if (link->slow) {
        central->count.links_slow++;
        station->violations++;
        link_drop(central, link, 1008, "too slow: more than 128 kB wait to be read", at);
        return PW_NEVER;
    }
    if (pw_elapsed(link->heard, PW_CENTRAL_DEAD_MS, at.now)) {
        link_drop(central, link, 1001, "no sign of life for 60 s", at);
        return PW_NEVER;
    }
    pw_ms probed = PW_NEVER;
    if (station->candidate != NULL) {
        probed = pw_after(station->candidate->opened, PW_CENTRAL_PROBE_MS);
        if (at.now >= probed) {
            link_drop(central, link, 1001, "replaced: no answer to a ping for 10 s", at);
            return PW_NEVER;
        }
    }
    commands_check(central, station, at);
    pw_ms since = link->pinged == PW_NEVER ? link->heard : link->pinged;
    if (pw_elapsed(since, PW_CENTRAL_PING_MS, at.now)) {
        net->ping(net->context, link->number);
        link->pinged = at.now;
        since = at.now;
    }
    pw_ms next =
        pw_earlier(pw_after(since, PW_CENTRAL_PING_MS), pw_after(link->heard, PW_CENTRAL_DEAD_MS));
    return pw_earlier(next, pw_earlier(probed, station->rpc.deadline));
}

pw_ms links_step(struct pw_central *central, struct pw_instant at)
{
    if (at.now < central->check_at) {
        return central->check_at;
    }
    central->check_at = PW_NEVER;
    pw_ms next = PW_NEVER;
    for (size_t i = 0; i < PW_CENTRAL_STATIONS_MAX; i++) {
        for (struct link *link = central->bucket[i]; link != NULL; link = link->next) {
            next = pw_earlier(next, check(central, link, at));
        }
    }
    // Each link's time is its own; together they are looked at so often at most.
    if (next != PW_NEVER) {
        links_wake(central, next > at.now + LOOK_MS ? next : at.now + LOOK_MS);
    }
    return central->check_at;
}
