// What stations tell over their links: events, kept once each, and snapshots, shown as they are.
// Both feed the same connectors as OCPP does.
#include "rollouts.h"
#include "uplink.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_MS       10000 // a connector's curve gets a point this often
#define TRIM_EVERY      500
#define MILLI_FROM_DECI 100

static void text_into(char *to, size_t cap, struct pw_str text)
{
    struct pw_out out = {.cap = cap};
    out.at = to;
    pw_put(&out, text);
    to[out.len] = '\0'; // also of the empty text
}

#define TAKE(to, text) text_into((to), sizeof(to), (text))

static struct outlet blank_outlet(void)
{
    struct outlet outlet = {.energised = -1, .cable_ma = INT32_MIN, .limit_ma = INT32_MIN};
    for (size_t i = 0; i < PHASES; i++) {
        outlet.mv[i] = INT32_MIN;
        outlet.ma[i] = INT32_MIN;
        outlet.mw[i] = INT32_MIN;
    }
    return outlet;
}

static struct outlet *outlet_of(struct connector *connector)
{
    if (connector != NULL && connector->outlet == NULL) {
        connector->outlet = malloc(sizeof(*connector->outlet));
        if (connector->outlet != NULL) {
            *connector->outlet = blank_outlet();
        }
    }
    return connector != NULL ? connector->outlet : NULL;
}

// --- Status: OCPP's words, whichever way they come.

static bool take_status(struct pw_central *central, const struct station *station,
                        struct connector *connector, struct pw_str word, struct pw_instant at)
{
    int status = pw_ocpp_code_find(&pw_ocpp16_connector_status, word);
    if (status < 0 || status == connector->status) {
        return false;
    }
    connector->status = status;
    connector->since = at.wall;
    if (connector->error_code < 0) {
        connector->error_code = PW_OCPP16_ERROR_NO_ERROR;
    }
    connector_keep(central, station, connector, at);
    return true;
}

// --- Snapshots.

static bool take_faults(struct pw_central *central, const struct station *station,
                        struct connector *connector, const struct pw_link_connector *told,
                        struct pw_instant at)
{
    int code = pw_ocpp_code_find(&pw_ocpp16_error_code, told->error_code);
    if (code < 0 || (code == connector->error_code &&
                     pw_str_is(told->vendor_code, connector->vendor_error_code) &&
                     pw_str_is(told->info, connector->info))) {
        return false;
    }
    connector->error_code = code;
    TAKE(connector->info, told->info);
    TAKE(connector->vendor_error_code, told->vendor_code);
    connector_keep(central, station, connector, at);
    return true;
}

static struct outlet told_outlet(const struct pw_link_connector *told, struct pw_instant at,
                                 pw_unix_ms limit_since)
{
    struct outlet outlet = blank_outlet();
    outlet.openevse = pw_str_is(told->kind, "openevse");
    outlet.kind = outlet.openevse || pw_str_is(told->kind, "pilot") ? OUTLET_AC
                  : pw_str_is(told->kind, "dc")                     ? OUTLET_DC
                                                                    : OUTLET_UNTOLD;
    outlet.phases = told->phases;
    TAKE(outlet.pilot, told->pilot);
    TAKE(outlet.state, told->state);
    TAKE(outlet.state_why, told->state_why);
    TAKE(outlet.limit_source, told->limit_who);
    TAKE(outlet.limit_why, told->limit_why);
    outlet.faults = told->faults;
    outlet.energised = told->energised ? 1 : 0;
    outlet.cable_ma = told->cable_ma;
    outlet.limit_ma = told->limit_ma;
    // The age is a little different each time; the instant is not, while it is the same limit.
    pw_unix_ms since = at.wall - (int64_t)told->limit_age_ms;
    bool same = limit_since != 0 && since - limit_since < 1500 && limit_since - since < 1500;
    outlet.limit_since = same ? limit_since : since;
    memcpy(outlet.mv, told->mv, sizeof(outlet.mv));
    memcpy(outlet.ma, told->ma, sizeof(outlet.ma));
    memcpy(outlet.mw, told->mw, sizeof(outlet.mw));
    return outlet;
}

// True when something else than a measurement is different.
static bool differ(const struct outlet *a, const struct outlet *b)
{
    return a->kind != b->kind || a->phases != b->phases || a->energised != b->energised ||
           a->faults != b->faults || a->cable_ma != b->cable_ma || a->limit_ma != b->limit_ma ||
           a->limit_since != b->limit_since || strcmp(a->pilot, b->pilot) != 0 ||
           strcmp(a->state, b->state) != 0 || strcmp(a->state_why, b->state_why) != 0 ||
           strcmp(a->limit_source, b->limit_source) != 0 || strcmp(a->limit_why, b->limit_why) != 0;
}

static void set(struct measured *measured, enum quantity quantity, int64_t value, bool known)
{
    if (known) {
        measured->has |= 1U << quantity;
        measured->value[quantity] = value;
    }
}

static struct measured told_values(const struct pw_link_connector *told)
{
    struct measured measured = {0};
    int32_t mv = INT32_MIN;
    int32_t ma = INT32_MIN;
    for (size_t i = 0; i < PHASES; i++) { // the highest phase, as with OCPP
        mv = (int32_t)pw_max(mv, told->mv[i]);
        ma = (int32_t)pw_max(ma, told->ma[i]);
    }
    set(&measured, VOLTAGE, mv, mv != INT32_MIN);
    set(&measured, CURRENT, ma, ma != INT32_MIN);
    set(&measured, POWER, told->power_mw, told->power_mw != INT64_MIN);
    set(&measured, OFFERED, told->offered_ma, true);
    set(&measured, LIMIT, told->limit_ma, true);
    set(&measured, SOC, (int64_t)told->soc_permille * MILLI_FROM_DECI, told->soc_permille >= 0);
    set(&measured, ENERGY, (int64_t)pw_min((int64_t)told->energy_mwh, INT64_MAX), true);
    set(&measured, TEMPERATURE, (int64_t)told->temp_dc * MILLI_FROM_DECI,
        told->temp_dc != INT32_MIN);
    return measured;
}

// The curve gets a point now and then while current flows, and one when it has stopped.
static void sample(struct pw_central *central, const struct station *station,
                   struct connector *connector, const struct measured *measured, pw_unix_ms taken,
                   struct pw_instant at)
{
    bool flows = connector->outlet->energised == 1;
    bool due = taken - connector->sampled_at >= SAMPLE_MS;
    if ((flows && due) || (!flows && connector->flowed)) {
        const struct taken where = {connector, connector->session, taken};
        measurement_keep(central, station, &where, measured, at.now);
        connector->sampled_at = taken;
        connector->flowed = flows;
    }
}

static void take_values(struct pw_central *central, const struct station *station,
                        struct connector *connector, const struct pw_link_connector *told,
                        struct pw_instant at)
{
    struct measured measured = told_values(told);
    pw_unix_ms taken = at.wall - (told->age_ms != UINT32_MAX ? (int64_t)told->age_ms : 0);
    if (taken < connector->updated_at) {
        return;
    }
    for (unsigned i = 0; i < QUANTITIES; i++) {
        if ((measured.has & (1U << i)) != 0) {
            connector->live.has |= 1U << i;
            connector->live.value[i] = measured.value[i];
        }
    }
    connector->updated_at = taken;
    sample(central, station, connector, &measured, taken, at);
    event_measurement(central, station, connector, &measured, taken);
}

static bool take_connector(struct pw_central *central, struct station *station,
                           const struct pw_link_connector *told, struct pw_instant at)
{
    struct connector *connector = connector_of(station, told->id);
    struct outlet *outlet = outlet_of(connector);
    if (outlet == NULL) {
        return false;
    }
    struct outlet news = told_outlet(told, at, outlet->limit_since);
    bool changed = differ(outlet, &news);
    *outlet = news;
    changed = take_status(central, station, connector, told->status, at) || changed;
    changed = take_faults(central, station, connector, told, at) || changed;
    if (connector->session == 0 && !pw_str_is(told->id_tag, connector->id_tag)) {
        TAKE(connector->id_tag, told->id_tag);
        changed = true;
    }
    take_values(central, station, connector, told, at);
    return changed;
}

void news_snapshot(struct pw_central *central, struct station *station,
                   const struct pw_link_snapshot *snapshot, struct pw_instant at)
{
    struct pw_link_items items = snapshot->connectors;
    struct pw_link_connector told;
    bool bad = false;
    bool changed = false;
    while (pw_link_next(&items, &pw_link_connector_rows, &told, &bad)) {
        changed = take_connector(central, station, &told, at) || changed;
    }
    station->violations += bad ? 1 : 0;
    if (snapshot->uptime_ms > 0 && station->boot_at == 0) {
        station->boot_at = at.wall - (int64_t)snapshot->uptime_ms;
        changed = true;
    }
    if (changed || bad) {
        event_station(central, station);
    }
}

// --- Events: at once into what is shown, and into the database.

static void take_limit(struct outlet *outlet, const struct pw_link_event *event, pw_unix_ms when)
{
    struct pw_str rest = event->text; // "who: why"
    TAKE(outlet->limit_source, pw_str_trim(pw_str_cut(&rest, ':')));
    TAKE(outlet->limit_why, pw_str_trim(rest));
    outlet->limit_ma = (int32_t)pw_clamp(event->value, 0, INT32_MAX);
    outlet->limit_since = when;
}

static void show(struct pw_central *central, const struct station *station,
                 struct connector *connector, const struct pw_link_event *event, pw_unix_ms when)
{
    struct outlet *outlet = outlet_of(connector);
    if (outlet == NULL) {
        return;
    }
    struct measured measured = {0};
    switch ((enum pw_link_event_kind)event->kind) {
    case PW_LINK_EVENT_PILOT: TAKE(outlet->pilot, event->text); break;
    case PW_LINK_EVENT_CABLE:
        outlet->cable_ma = (int32_t)pw_clamp(event->value, 0, INT32_MAX);
        break;
    case PW_LINK_EVENT_CONTACTOR: outlet->energised = event->value != 0 ? 1 : 0; break;
    case PW_LINK_EVENT_FAULT: outlet->faults = (uint32_t)event->value; break;
    case PW_LINK_EVENT_LIMIT: take_limit(outlet, event, when); break;
    case PW_LINK_EVENT_STATE:
        TAKE(outlet->state, event->text);
        outlet->state_why[0] = '\0'; // of the state before; the next snapshot has the new one
        break;
    case PW_LINK_EVENT_OFFER: set(&measured, OFFERED, event->value, true); break;
    case PW_LINK_EVENT_METER: set(&measured, POWER, event->value, true); break;
    case PW_LINK_EVENT_START:
    case PW_LINK_EVENT_UPDATE:
    case PW_LINK_EVENT_PLUG:
    case PW_LINK_EVENT_STATUS:
    case PW_LINK_EVENT_AUTH:
    case PW_LINK_EVENT_SESSION: break;
    }
    if (measured.has != 0 && when >= connector->updated_at) {
        enum quantity quantity = event->kind == PW_LINK_EVENT_METER ? POWER : OFFERED;
        connector->live.has |= measured.has;
        connector->live.value[quantity] = measured.value[quantity];
        connector->updated_at = when;
        event_measurement(central, station, connector, &measured, when);
    }
}

static void trim(struct pw_central *central, struct station *station, pw_ms now)
{
    if (++station->events < TRIM_EVERY) {
        return;
    }
    station->events = 0;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)),
                                 pw_db_int(PW_CENTRAL_EVENTS_KEPT)};
    (void)db_write(central,
                   "DELETE FROM station_event WHERE station_id = $1 AND n <="
                   " (SELECT n FROM station_event WHERE station_id = $1 ORDER BY n DESC"
                   " LIMIT 1 OFFSET $2)",
                   args, PW_COUNT(args), now);
}

// One row; `seq` 0: it has no number. False when it was there already.
static bool keep(struct pw_central *central, struct station *station,
                 const struct pw_link_event *event, struct pw_str kind, struct pw_instant at)
{
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        pw_db_int((int64_t)station->past.boot),
        event->event != 0 ? pw_db_int((int64_t)event->event) : pw_db_null(),
        db_time(event->wall),
        pw_db_int(at.wall),
        pw_db_int(event->connector),
        pw_db_text(kind),
        pw_db_int(event->value),
        pw_db_text(event->text),
    };
    int64_t changed =
        db_write(central,
                 "INSERT INTO station_event (station_id, boot, seq, at, received_at,"
                 " connector_id, kind, value, text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                 " ON CONFLICT DO NOTHING",
                 args, PW_COUNT(args), at.now);
    trim(central, station, at.now);
    return changed > 0;
}

void news_event(struct pw_central *central, struct station *station,
                const struct pw_link_event *event, struct pw_instant at)
{
    struct pw_link_event told = *event;
    if (told.wall == 0) {
        told.wall = at.wall - (int64_t)told.age_ms;
    }
    bool fresh = keep(central, station, &told, pw_str_of(pw_link_event_name(told.kind)), at);
    central->count.link_events += fresh ? 1 : 0;
    central->count.link_events_again += fresh ? 0 : 1;
    station->past.event = event->event;
    past_keep(central, station, at);
    struct connector *connector = told.connector > 0 ? connector_of(station, told.connector) : NULL;
    if (connector != NULL) {
        show(central, station, connector, &told, told.wall);
        if (told.kind == PW_LINK_EVENT_STATUS) {
            (void)take_status(central, station, connector, told.text, at);
        }
    }
    if (told.kind == PW_LINK_EVENT_UPDATE && fresh) {
        member_told(central, station, told.text, PW_STR(""), -1, at);
    }
    if (told.kind != PW_LINK_EVENT_METER) {
        event_station(central, station);
    }
}

void news_lost(struct pw_central *central, struct station *station, uint64_t count,
               struct pw_instant at)
{
    const struct pw_link_event lost = {.value = (int64_t)pw_min((int64_t)count, INT64_MAX),
                                       .text = PW_STR("")};
    (void)keep(central, station, &lost, PW_STR("lost"), at);
}

// --- Log lines.

void news_log(struct pw_central *central, struct station *station,
              const struct pw_link_log_batch *batch, struct pw_instant at)
{
    struct link_past *past = &station->past;
    struct pw_link_items items = batch->lines;
    struct pw_link_line told;
    bool bad = false;
    // A batch that comes again brings its lost lines again.
    uint64_t dropped = batch->cursor >= past->cursor ? batch->dropped : 0;
    while (pw_link_next(&items, &pw_link_line_rows, &told, &bad)) {
        if (told.cursor < past->cursor) {
            continue;
        }
        const struct line line = {.time = told.wall,
                                  .level = (enum pw_level)told.level,
                                  .room = told.room,
                                  .text = told.text,
                                  .dropped = (uint32_t)pw_min((int64_t)dropped, UINT32_MAX)};
        line_keep(central, station, &line, at);
        dropped = 0;
    }
    station->violations += bad ? 1 : 0;
    past->cursor = (uint64_t)pw_max((int64_t)past->cursor, (int64_t)batch->next);
    past_keep(central, station, at);
}

// --- Reading.

static void put_event(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    pw_json_say_int(json, "n", columns[0].number);
    pw_json_key(json, "seq");
    if (columns[1].kind == PW_DB_INT) {
        pw_json_put_int(json, columns[1].number);
    } else {
        pw_json_put_null(json);
    }
    pw_json_say_known_time(json, "time", columns[2].number);
    pw_json_say_known_time(json, "received_at", columns[3].number);
    pw_json_say_int(json, "connector_id", columns[4].number);
    pw_json_say_text(json, "kind", columns[5].text);
    pw_json_say_int(json, "value", columns[6].number);
    pw_json_say_text(json, "text", columns[7].text);
    pw_json_close(json, '}');
}

void report_link_events(const struct pw_central *central, struct pw_json_writer *json,
                        const struct station *station, int64_t before, int64_t limit)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(before),
                                 pw_db_int(limit)};
    (void)db_read(central,
                  "SELECT n, seq, at, received_at, connector_id, kind, value, text"
                  " FROM station_event WHERE station_id = $1 AND n < $2 ORDER BY n DESC LIMIT $3",
                  args, PW_COUNT(args), put_event, json);
}
