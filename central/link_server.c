// Station links: who comes in, who stays, and what leaves. One live link a station: the newest, as
// a station opens another only after it has given the first up. Memory for a peer that has not
// shown its key is one machine of proto/link, of PW_CENTRAL_WIRES_UNPROVED at most; when they are
// all taken the one that has waited longest makes room.
#include "rollouts.h"
#include "uplink.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS       100  // how exact time-outs are: 20000 links are not looked at every ms
#define REPORT_MIN_MS 2000 // between two snapshots of a station
#define REPORTS_PER_S 500  // of all stations together
#define BUCKETS       PW_CENTRAL_STATIONS_MAX

static struct uplink *find(const struct pw_central *central, uint64_t number)
{
    struct uplink *uplink = central->uplink[number % BUCKETS];
    while (uplink != NULL && uplink->number != number) {
        uplink = uplink->next;
    }
    return uplink;
}

static void wake(struct pw_central *central, pw_ms when)
{
    central->uplinks_at = pw_earlier(central->uplinks_at, when);
}

int64_t uplink_rtt(const struct uplink *uplink)
{
    return uplink != NULL ? uplink->rtt_ms : -1;
}

// --- The past: what outlives a link.

void past_keep(struct pw_central *central, const struct station *station, struct pw_instant at)
{
    const struct link_past *past = &station->past;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        db_time(past->since),
        db_words(past->address),
        pw_db_int((int64_t)past->boot),
        pw_db_int((int64_t)past->event),
        pw_db_int((int64_t)past->cursor),
        pw_db_int(past->dropped),
    };
    (void)db_write(central,
                   "INSERT INTO station_link (station_id, since, address, boot, event, cursor,"
                   " dropped) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                   " ON CONFLICT (station_id) DO UPDATE SET since = $2, address = $3, boot = $4,"
                   " event = $5, cursor = $6, dropped = $7",
                   args, PW_COUNT(args), at.now);
}

static void take_past(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct station *station = station_find(to, columns[0].text);
    if (station == NULL) {
        return;
    }
    struct link_past *past = &station->past;
    past->ever = true;
    past->since = columns[1].number;
    db_take(past->address, sizeof(past->address), &columns[2]);
    past->boot = (uint64_t)columns[3].number;
    past->event = (uint64_t)columns[4].number;
    past->cursor = (uint64_t)columns[5].number;
    past->dropped = columns[6].number;
    station->durable = *past;
}

int uplinks_load(struct pw_central *central)
{
    return db_read(central,
                   "SELECT station_id, since, address, boot, event, cursor, dropped"
                   " FROM station_link",
                   NULL, 0, take_past, central) < 0
               ? PW_ERR_STORE
               : PW_OK;
}

// --- The end of a link.

static void note_end(struct pw_central *central, const struct uplink *uplink, struct pw_instant at)
{
    struct pw_line line;
    pw_line(&line, central->config.log, PW_LOG_INFO, "link", "down");
    pw_line_s(&line, "station", uplink->station->id);
    pw_line_s(&line, "address", uplink->address);
    pw_line_s(&line, "why", uplink->end.why);
    pw_line_int(&line, "lasted_s", (int64_t)((at.now - uplink->opened) / 1000));
    pw_line_end(&line);
}

// Takes the link from its station.
static void lose(struct pw_central *central, struct uplink *uplink, struct pw_instant at)
{
    struct station *station = uplink->station;
    if (station == NULL) {
        return;
    }
    note_end(central, uplink, at);
    uplink->station = NULL;
    station->uplink = NULL;
    station->past.since = at.wall;
    central->count.uplinks_lost++;
    past_keep(central, station, at);
    event_station(central, station);
}

// The machine is gone: its last reports are taken, its station is told, the port closes.
static void finish(struct pw_central *central, struct uplink *uplink, struct pw_instant at)
{
    const struct pw_central_wires *wires = central->config.wires;
    struct pw_link_report report;
    while (pw_link_central_next(&uplink->end, &report, at.now) != PW_LINK_NEWS_NONE) {
        if (report.news == PW_LINK_NEWS_ANSWER) {
            order_answered(central, uplink, &report, at);
        }
    }
    lose(central, uplink, at);
    if (!uplink->closed) {
        uplink->closed = true;
        wires->close(wires->context, uplink->number);
    }
}

static void give_up(struct pw_central *central, struct uplink *uplink, const char *why,
                    struct pw_instant at)
{
    pw_link_central_close(&uplink->end, why, at.now);
    finish(central, uplink, at);
}

void uplink_drop(struct pw_central *central, struct station *station, const char *why,
                 struct pw_instant at)
{
    if (station->uplink != NULL) {
        give_up(central, station->uplink, why, at);
    }
}

void uplink_revoked(struct pw_central *central, struct station *station, struct pw_str serial,
                    struct pw_instant at)
{
    if (station->uplink != NULL && serial.len > 0 &&
        pw_str_is(serial, station->uplink->certificate)) {
        give_up(central, station->uplink, "its certificate was revoked", at);
    }
}

static void forget(struct pw_central *central, struct uplink *uplink)
{
    struct uplink **at = &central->uplink[uplink->number % BUCKETS];
    while (*at != uplink) {
        at = &(*at)->next;
    }
    *at = uplink->next;
    central->uplinks--;
    central->strangers -= uplink->end.memory == NULL ? 1 : 0;
    free(uplink->end.memory);
    free(uplink);
}

void uplinks_free(struct pw_central *central)
{
    for (size_t i = 0; central->uplink != NULL && i < BUCKETS; i++) {
        while (central->uplink[i] != NULL) {
            forget(central, central->uplink[i]);
        }
    }
    free(central->uplink);
}

// --- Sending.

void uplink_flush(struct pw_central *central, struct uplink *uplink, struct pw_instant at)
{
    const struct pw_central_wires *wires = central->config.wires;
    struct pw_str out = pw_link_central_out(&uplink->end);
    if (out.len > 0 && !uplink->closed) {
        if (wires->send(wires->context, uplink->number, (const uint8_t *)out.at, out.len) !=
            PW_OK) {
            pw_link_central_close(&uplink->end, "the station does not read", at.now);
        } else {
            pw_link_central_out_sent(&uplink->end, out.len, at.now);
        }
    }
    if (pw_link_central_gone(&uplink->end)) {
        wake(central, at.now); // ended there: whoever sends may be in the middle of its business
    }
}

int uplink_ask(struct pw_central *central, struct uplink *uplink, enum pw_link_type type,
               const void *request, struct pw_out *why, struct pw_instant at)
{
    size_t place = 0;
    while (place < PW_COUNT(uplink->asked) && uplink->asked[place].number != 0) {
        place++;
    }
    if (place == PW_COUNT(uplink->asked)) {
        return PW_ERR_LIMIT;
    }
    int number = pw_link_central_ask(&uplink->end, type, request, why, at.now);
    if (number < 0) {
        return number;
    }
    uplink->asked[place] = (struct asked){.at = at.now, .number = (uint16_t)number};
    uplink_flush(central, uplink, at);
    wake(central, pw_after(at.now, PW_LINK_ANSWER_MS));
    return (int)place;
}

struct asked uplink_answered(struct uplink *uplink, uint16_t number, struct pw_instant at)
{
    for (size_t i = 0; i < PW_COUNT(uplink->asked); i++) {
        struct asked asked = uplink->asked[i];
        if (number != 0 && asked.number == number) {
            uplink->asked[i] = (struct asked){0};
            uplink->rtt_ms = (int64_t)(at.now - asked.at);
            return asked;
        }
    }
    return (struct asked){0};
}

// --- Coming in.

static void refuse(struct pw_central *central, struct uplink *uplink, struct pw_str id, int status,
                   const char *why, struct pw_instant at)
{
    doctor_note(central, id, pw_str_of(uplink->address), status, why, at);
    pw_link_central_refuse(&uplink->end, why, at.now);
}

static void introduce(struct pw_central *central, struct station *station,
                      const struct pw_link_hello *hello, struct pw_instant at)
{
    const struct {
        struct pw_str from;
        char *to;
        size_t cap;
    } rows[] = {
        {hello->vendor, station->vendor, sizeof(station->vendor)},
        {hello->model, station->model, sizeof(station->model)},
        {hello->firmware, station->firmware, sizeof(station->firmware)},
    };
    bool changed = false;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (rows[i].from.len > 0 && !pw_str_is(rows[i].from, rows[i].to)) {
            struct pw_out out = {.cap = rows[i].cap};
            out.at = rows[i].to;
            pw_put(&out, rows[i].from);
            changed = true;
        }
    }
    if (changed) {
        struct pw_db_value args[] = {db_words(station->vendor), db_words(station->model),
                                     db_words(station->firmware),
                                     pw_db_text(pw_str_of(station->id))};
        (void)db_write(central,
                       "UPDATE station SET vendor = $1, model = $2, firmware = $3 WHERE id = $4",
                       args, PW_COUNT(args), at.now);
    }
}

// A start whose link a later start has taken never comes back, unless there are two stations.
static void watch_identity(struct pw_central *central, struct station *station,
                           const struct uplink *uplink, uint64_t boot, struct pw_instant at)
{
    if (station->past.boot == boot) {
        return;
    }
    if (station->rival == boot) {
        central->count.duplicates++;
        station->duplicate_at = at.wall;
        doctor_note(central, pw_str_of(station->id), pw_str_of(uplink->address), 409,
                    "duplicate identity: two devices link in turn", at);
    }
    station->rival = station->past.boot;
}

static void subscribe(struct pw_central *central, struct uplink *uplink, struct pw_instant at)
{
    struct pw_link_subscribe request = {
        .interval_ms = (uint32_t)pw_clamp((int64_t)central->uplinks * 1000 / REPORTS_PER_S,
                                          REPORT_MIN_MS, 3600000)};
    char ignored[96];
    struct pw_out why = PW_OUT(ignored);
    if (uplink_ask(central, uplink, PW_LINK_GET_ALL, NULL, &why, at) < 0 ||
        uplink_ask(central, uplink, PW_LINK_SUBSCRIBE, &request, &why, at) < 0) {
        pw_link_central_close(&uplink->end, "the first requests do not fit", at.now);
    }
}

static void admit(struct pw_central *central, struct uplink *uplink, struct station *station,
                  const struct pw_link_hello *hello, struct pw_link_memory *memory,
                  struct pw_instant at)
{
    central->strangers--;
    central->count.uplinks++;
    watch_identity(central, station, uplink, hello->boot, at);
    uplink_drop(central, station, "replaced by a newer connection of this station", at);
    uplink->station = station;
    station->uplink = uplink;
    station->last_seen = at.wall;
    struct link_past *past = &station->past;
    bool started = past->boot != hello->boot;
    if (started) {
        past->boot = hello->boot;
        past->event = 0;
        past->cursor = 0;
    }
    past->ever = true;
    past->since = at.wall;
    struct pw_out address = PW_OUT(past->address);
    pw_put_s(&address, uplink->address);
    past_keep(central, station, at);
    introduce(central, station, hello, at);
    if (started) {
        member_started(central, station, at);
    }
    const struct pw_link_welcome kept = {
        .version = PW_LINK_VERSION, .event = past->event, .log = past->cursor, .wall = at.wall};
    pw_link_central_admit(&uplink->end, memory, &kept, at.now);
    subscribe(central, uplink, at);
    event_station(central, station);
}

static void judge(struct pw_central *central, struct uplink *uplink,
                  const struct pw_link_hello *hello, struct pw_instant at)
{
    struct pw_str address = pw_str_of(uplink->address);
    central->count.handshakes++;
    if (!throttle_open(central, address, false, at.now)) {
        refuse(central, uplink, hello->id, 429, "link: too many wrong tries from this address", at);
        return;
    }
    const struct pw_central_wires *wires = central->config.wires;
    struct pw_central_certificate certificate = {.wrong = NULL};
    bool shown = wires->certificate != NULL &&
                 wires->certificate(wires->context, uplink->number, &certificate);
    const char *why = door_linked(central, hello->id, hello->key, shown ? &certificate : NULL, at);
    if (why != NULL) {
        char text[96];
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "link: ");
        pw_put_s(&out, why);
        throttle_failed(central, address, false, at.now);
        doctor_note(central, hello->id, address, 401, text, at);
        pw_link_central_refuse(&uplink->end, why, at.now);
        return;
    }
    struct station *station = station_add(central, hello->id, at);
    struct pw_link_memory *memory = station != NULL ? malloc(sizeof(*memory)) : NULL;
    if (memory == NULL) {
        refuse(central, uplink, hello->id, 503, "link: there is no room for another station", at);
        return;
    }
    struct pw_out serial = PW_OUT(uplink->certificate);
    pw_put(&serial, certificate.serial);
    admit(central, uplink, station, hello, memory, at);
}

// --- What comes in.

static void serve(struct pw_central *central, struct uplink *uplink,
                  const struct pw_link_report *report, struct pw_instant at)
{
    struct station *station = uplink->station;
    if (report->news == PW_LINK_NEWS_HELLO) {
        judge(central, uplink, &report->message.as.hello, at);
        return;
    }
    if (report->news == PW_LINK_NEWS_ANSWER) {
        order_answered(central, uplink, report, at);
        return;
    }
    if (station == NULL) {
        return;
    }
    station->last_seen = at.wall;
    if (report->news == PW_LINK_NEWS_EVENT) {
        news_event(central, station, &report->message.as.event, at);
        uplink->ack_event = true;
        central->acks_due = true;
    } else if (report->news == PW_LINK_NEWS_LOG) {
        news_log(central, station, &report->message.as.log_batch, at);
        uplink->ack_log = true;
        central->acks_due = true;
    } else if (report->news == PW_LINK_NEWS_LOST) {
        news_lost(central, station, report->lost, at);
    } else if (report->news == PW_LINK_NEWS_SNAPSHOT) {
        news_snapshot(central, station, &report->message.as.snapshot, at);
        order_answered(central, uplink, report, at);
    } else if (report->news == PW_LINK_NEWS_FIRMWARE) {
        order_answered(central, uplink, report, at);
    }
}

// Takes all that is there; true when anything was. The machine takes no more than it has room to
// answer, so that what it says is handed over in between.
static bool take(struct pw_central *central, struct uplink *uplink, struct pw_instant at)
{
    struct pw_link_report report;
    bool any = false;
    bool again = true;
    while (again && !pw_link_central_gone(&uplink->end)) {
        again = false;
        while (!pw_link_central_gone(&uplink->end) &&
               pw_link_central_next(&uplink->end, &report, at.now) != PW_LINK_NEWS_NONE) {
            serve(central, uplink, &report, at);
            again = true;
        }
        uplink_flush(central, uplink, at);
        any = any || again;
    }
    return any;
}

// Looks after a link: what is due, what came, what leaves. Its next deadline.
static pw_ms look_after(struct pw_central *central, struct uplink *uplink, struct pw_instant at)
{
    if (uplink->closed) {
        return PW_NEVER;
    }
    pw_ms next = pw_link_central_step(&uplink->end, at.now);
    uint32_t pinged = uplink->end.pipe.rtt_ms;
    if (pinged != uplink->pinged) {
        uplink->pinged = pinged;
        uplink->rtt_ms = (int64_t)pinged;
    }
    (void)take(central, uplink, at);
    if (pw_link_central_gone(&uplink->end)) {
        if (uplink->end.memory == NULL && uplink->heard) {
            doctor_note(central, PW_STR(""), pw_str_of(uplink->address), 400, uplink->end.why, at);
        }
        finish(central, uplink, at);
        return PW_NEVER;
    }
    return next;
}

pw_ms uplinks_step(struct pw_central *central, struct pw_instant at)
{
    if (central->uplinks == 0 || at.now < central->uplinks_at) {
        return central->uplinks == 0 ? PW_NEVER : central->uplinks_at;
    }
    central->uplinks_at = PW_NEVER;
    pw_ms next = PW_NEVER;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct uplink *uplink = central->uplink[i]; uplink != NULL; uplink = uplink->next) {
            next = pw_earlier(next, look_after(central, uplink, at));
        }
    }
    wake(central, next);
    central->uplinks_at = (pw_ms)pw_max((int64_t)pw_earlier(central->uplinks_at, INT64_MAX),
                                        (int64_t)pw_after(at.now, LOOK_MS));
    return central->uplinks_at;
}

void uplinks_committed(struct pw_central *central, bool kept, struct pw_instant at)
{
    if (!central->acks_due) {
        return;
    }
    central->acks_due = false;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct uplink *uplink = central->uplink[i]; uplink != NULL; uplink = uplink->next) {
            struct station *station = uplink->station;
            bool due = uplink->ack_event || uplink->ack_log;
            if (station != NULL && kept) {
                station->durable = station->past;
            }
            if (station == NULL || !due) {
                continue;
            }
            if (!kept) {
                // What is shown stays; what is kept, and asked for again, is what is durable.
                station->past = station->durable;
                pw_link_central_close(&uplink->end, "the record could not be stored", at.now);
                wake(central, at.now);
                continue;
            }
            if (uplink->ack_event) {
                pw_link_central_ack(&uplink->end, station->past.event, at.now);
            }
            if (uplink->ack_log) {
                pw_link_central_log_ack(&uplink->end, station->past.cursor, at.now);
            }
            uplink->ack_event = false;
            uplink->ack_log = false;
            uplink_flush(central, uplink, at);
        }
    }
}

// --- What the port reports.

static void make_room(struct pw_central *central, struct pw_instant at)
{
    struct uplink *oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct uplink *uplink = central->uplink[i]; uplink != NULL; uplink = uplink->next) {
            if (uplink->end.memory == NULL && !uplink->closed &&
                (oldest == NULL || uplink->opened < oldest->opened)) {
                oldest = uplink;
            }
        }
    }
    if (oldest != NULL) {
        give_up(central, oldest, "others wait", at);
    }
}

bool pw_central_wire_opened(struct pw_central *central, uint64_t number, struct pw_str address,
                            struct pw_instant at)
{
    if (central->strangers >= PW_CENTRAL_WIRES_UNPROVED) {
        make_room(central, at);
        return false;
    }
    struct uplink *uplink = calloc(1, sizeof(*uplink));
    if (uplink == NULL) {
        return false;
    }
    uplink->number = number;
    uplink->opened = at.now;
    uplink->rtt_ms = -1;
    uplink->pinged = UINT32_MAX;
    struct pw_out out = PW_OUT(uplink->address);
    pw_put(&out, address);
    pw_link_central_init(&uplink->end, at.now);
    uplink->next = central->uplink[number % BUCKETS];
    central->uplink[number % BUCKETS] = uplink;
    central->uplinks++;
    central->strangers++;
    wake(central, pw_after(at.now, PW_LINK_HELLO_MS));
    return true;
}

void pw_central_wire_bytes(struct pw_central *central, uint64_t number, const uint8_t *bytes,
                           size_t len, struct pw_instant at)
{
    struct uplink *uplink = find(central, number);
    while (uplink != NULL && len > 0 && !uplink->closed && !pw_link_central_gone(&uplink->end)) {
        uplink->heard = true;
        size_t taken = pw_link_central_bytes(&uplink->end, bytes, len, at.now);
        bytes += taken;
        len -= taken;
        if (!take(central, uplink, at) && taken == 0) {
            pw_link_central_close(&uplink->end, "its frames do not fit", at.now);
        }
    }
    if (uplink != NULL) {
        wake(central, look_after(central, uplink, at));
    }
}

void pw_central_wire_closed(struct pw_central *central, uint64_t number, struct pw_instant at)
{
    struct uplink *uplink = find(central, number);
    if (uplink == NULL) {
        return;
    }
    if (uplink->end.memory == NULL && !uplink->heard && !uplink->closed) {
        // A station that does not trust our key goes without a word.
        doctor_note(central, PW_STR(""), pw_str_of(uplink->address), 400,
                    "link: closed before its hello; has the station the right pin?", at);
    }
    uplink->closed = true;
    pw_link_central_close(&uplink->end, "the connection broke", at.now);
    finish(central, uplink, at);
    forget(central, uplink);
}
