// Our things as JSON, the same in answers and in events (schemas of central/api/openapi.yaml).
#include "state.h"

#include <string.h>

void report_measured(struct pw_json_writer *json, const struct measured *measured)
{
    for (unsigned i = 0; i < QUANTITIES; i++) {
        pw_json_say_known(json, quantity_names[i], (measured->has & (1U << i)) != 0,
                          measured->value[i], 3);
    }
}

static void put_vehicle(struct pw_json_writer *json, const struct vehicle *vehicle)
{
    static const char *const sources[] = {"", "imax", "soc", "ah", "data_transfer"};
    pw_json_key(json, "vehicle");
    if (vehicle->source == FROM_NOTHING) {
        pw_json_put_null(json);
        return;
    }
    pw_json_open(json, '{');
    pw_json_say_known_s(json, "model",
                        vehicle->model != NULL ? vehicle->model->name : vehicle->name);
    pw_json_say_known(json, "capacity_ah", vehicle->model != NULL,
                      vehicle->model != NULL ? vehicle->model->capacity_mah : 0, 3);
    pw_json_say_known(json, "charge_ah", vehicle->charge_mah >= 0, vehicle->charge_mah, 3);
    pw_json_say_known(json, "range_km", vehicle->range_m >= 0, vehicle->range_m, 3);
    pw_json_say_known(json, "soc_percent", vehicle->soc_permille >= 0, vehicle->soc_permille, 1);
    pw_json_say_known(json, "imax_a", vehicle->imax_ma > 0, vehicle->imax_ma, 3);
    pw_json_say_s(json, "source", sources[vehicle->source]);
    pw_json_close(json, '}');
}

static void put_phases(struct pw_json_writer *json, const char *key, const int32_t value[PHASES])
{
    pw_json_key(json, key);
    pw_json_open(json, '[');
    for (size_t i = 0; i < PHASES; i++) {
        if (value[i] != INT32_MIN) {
            pw_json_put_fixed(json, value[i], 3);
        } else {
            pw_json_put_null(json);
        }
    }
    pw_json_close(json, ']');
}

void report_phases(struct pw_json_writer *json, const struct outlet *outlet)
{
    put_phases(json, "phase_voltage_v", outlet->mv);
    put_phases(json, "phase_current_a", outlet->ma);
    put_phases(json, "phase_power_w", outlet->mw);
}

static void put_limit(struct pw_json_writer *json, const struct outlet *outlet)
{
    pw_json_key(json, "limit");
    if (outlet->limit_ma == INT32_MIN) {
        pw_json_put_null(json);
        return;
    }
    pw_json_open(json, '{');
    pw_json_say_fixed(json, "a", outlet->limit_ma, 3);
    pw_json_say_known_s(json, "source", outlet->limit_source);
    pw_json_say_known_s(json, "why", outlet->limit_why);
    pw_json_say_known_time(json, "since", outlet->limit_since);
    pw_json_close(json, '}');
}

static void put_outlet(struct pw_json_writer *json, const struct outlet *outlet)
{
    static const char *const kinds[] = {"", "dc", "ac"};
    if (outlet == NULL) {
        static const char *const keys[] = {
            "kind",          "board",     "phases",    "phase_voltage_v", "phase_current_a",
            "phase_power_w", "pilot",     "energised", "limit",           "cable_a",
            "state",         "state_why", "faults"};
        for (size_t i = 0; i < PW_COUNT(keys); i++) {
            pw_json_say_known_s(json, keys[i], "");
        }
        return;
    }
    pw_json_say_known_s(json, "kind", kinds[outlet->kind]);
    pw_json_say_known_s(json, "board", outlet->openevse ? "openevse" : "");
    pw_json_say_known(json, "phases", outlet->phases != 0, outlet->phases, 0);
    report_phases(json, outlet);
    pw_json_say_known_s(json, "pilot", outlet->pilot);
    pw_json_key(json, "energised");
    if (outlet->energised >= 0) {
        pw_json_put_bool(json, outlet->energised != 0);
    } else {
        pw_json_put_null(json);
    }
    put_limit(json, outlet);
    pw_json_say_known(json, "cable_a", outlet->cable_ma != INT32_MIN, outlet->cable_ma, 3);
    pw_json_say_known_s(json, "state", outlet->state);
    pw_json_say_known_s(json, "state_why", outlet->state_why);
    pw_json_say_int(json, "faults", outlet->faults);
}

static void put_connector(struct pw_json_writer *json, const struct connector *connector)
{
    pw_json_open(json, '{');
    pw_json_say_int(json, "connector_id", connector->id);
    pw_json_key(json, "status");
    if (connector->status >= 0) {
        pw_json_put_text(json, pw_ocpp_code_text(&pw_ocpp16_connector_status, connector->status));
    } else {
        pw_json_put_s(json, "Unknown");
    }
    pw_json_key(json, "error_code");
    if (connector->error_code >= 0) {
        pw_json_put_text(json, pw_ocpp_code_text(&pw_ocpp16_error_code, connector->error_code));
    } else {
        pw_json_put_null(json);
    }
    pw_json_say_known_s(json, "info", connector->info);
    pw_json_say_known_s(json, "vendor_error_code", connector->vendor_error_code);
    pw_json_say_known_time(json, "since", connector->since);
    pw_json_say_known(json, "transaction_id", connector->session != 0, connector->session, 0);
    pw_json_say_known_s(json, "id_tag", connector->id_tag);
    report_measured(json, &connector->live);
    pw_json_say_known_time(json, "updated_at", connector->updated_at);
    put_vehicle(json, &connector->vehicle);
    put_outlet(json, connector->outlet);
    pw_json_close(json, '}');
}

static void put_link(struct pw_json_writer *json, const struct station *station)
{
    const struct link_past *past = &station->past;
    pw_json_key(json, "link");
    if (!past->ever) {
        pw_json_put_null(json);
        return;
    }
    pw_json_open(json, '{');
    pw_json_say_bool(json, "online", station->uplink != NULL);
    pw_json_say_known_time(json, "since", past->since);
    pw_json_say_known_s(json, "address", past->address);
    int64_t rtt = uplink_rtt(station->uplink);
    pw_json_say_known(json, "rtt_ms", rtt >= 0, rtt, 0);
    pw_json_say_known(json, "last_event_seq", past->event != 0, (int64_t)past->event, 0);
    pw_json_say_int(json, "lines_dropped", past->dropped);
    pw_json_close(json, '}');
}

void report_station(struct pw_json_writer *json, const struct station *station)
{
    pw_json_open(json, '{');
    pw_json_say_s(json, "id", station->id);
    pw_json_say_known_s(json, "vendor", station->vendor);
    pw_json_say_known_s(json, "model", station->model);
    pw_json_say_known_s(json, "firmware", station->firmware);
    pw_json_say_known_s(json, "serial", station->serial);
    pw_json_say_bool(json, "online", station->link != NULL || station->uplink != NULL);
    pw_json_say_bool(json, "ocpp_online", station->link != NULL);
    pw_json_key(json, "security_profile");
    if (station->link != NULL) {
        pw_json_put_int(json, station->profile);
    } else {
        pw_json_put_null(json);
    }
    put_link(json, station);
    pw_json_say_known_time(json, "last_seen", station->last_seen);
    pw_json_say_known_time(json, "boot_at", station->boot_at);
    pw_json_say_known_time(json, "duplicate_at", station->duplicate_at);
    pw_json_say_int(json, "violations", station->violations);
    pw_json_key(json, "connectors");
    pw_json_open(json, '[');
    for (size_t i = 0; i < PW_CENTRAL_CONNECTORS; i++) {
        if (station->connector[i] != NULL) {
            put_connector(json, station->connector[i]);
        }
    }
    pw_json_close(json, ']');
    pw_json_close(json, '}');
}

// --- Rows of the database.

#define YEAR_S INT64_C(31536000)

struct rows {
    struct pw_json_writer *json;
    pw_unix_ms wall;
};

void report_text_column(struct pw_json_writer *json, const char *key,
                        const struct pw_db_value *column)
{
    pw_json_key(json, key);
    if (column->kind == PW_DB_TEXT) {
        pw_json_put_text(json, column->text);
    } else {
        pw_json_put_null(json);
    }
}

void report_number_column(struct pw_json_writer *json, const char *key,
                          const struct pw_db_value *column, unsigned decimals)
{
    pw_json_say_known(json, key, column->kind == PW_DB_INT, column->number, decimals);
}

static void put_session(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct rows *rows = to;
    struct pw_json_writer *json = rows->json;
    bool stopped = columns[5].kind == PW_DB_INT;
    pw_json_say_int(json, "id", columns[0].number);
    report_text_column(json, "station_id", &columns[1]);
    report_number_column(json, "connector_id", &columns[2], 0);
    report_number_column(json, "transaction_id", &columns[0], 0);
    report_text_column(json, "id_tag", &columns[3]);
    pw_json_say_known_time(json, "start_at", columns[4].number);
    pw_json_say_known_time(json, "stop_at", columns[5].number);
    report_text_column(json, "stop_reason", &columns[6]);
    report_number_column(json, "meter_start_wh", &columns[7], 0);
    report_number_column(json, "meter_stop_wh", &columns[8], 0);
    int64_t start = columns[7].number * 1000;
    bool read = columns[9].kind == PW_DB_INT;
    int64_t end = stopped ? columns[8].number * 1000 : columns[9].number;
    pw_json_say_known(json, "energy_wh", stopped || read, end - start, 3);
    int64_t until = stopped ? columns[5].number : rows->wall;
    pw_json_key(json, "duration_s");
    int64_t duration_s = pw_max(0, until - columns[4].number) / 1000;
    pw_json_put_int(json, duration_s);
    // What a meter may say and a connector cannot have delivered is nobody's to pay (T43).
    pw_json_say_known(
        json, "billable_wh", stopped || read,
        pw_clamp(end - start, 0, pw_min(duration_s, YEAR_S) * PW_CENTRAL_POWER_MAX_W * 10 / 36), 3);
    report_number_column(json, "soc_start", &columns[10], 3);
    report_number_column(json, "soc_end", &columns[11], 3);
    report_text_column(json, "vehicle_model", &columns[12]);
    report_text_column(json, "suspect", &columns[13]);
}

#define SESSION_COLUMNS                                                                            \
    "SELECT id, station_id, connector_id, id_tag, start_at, stop_at, stop_reason, meter_start,"    \
    " meter_stop, last_energy, soc_start, soc_end, vehicle_model, suspect FROM session "

bool report_session(const struct pw_central *central, struct pw_json_writer *json, int64_t id,
                    pw_unix_ms wall)
{
    struct rows rows = {.json = json, .wall = wall};
    struct pw_db_value args[] = {pw_db_int(id)};
    return db_read(central, SESSION_COLUMNS "WHERE id = $1", args, PW_COUNT(args), put_session,
                   &rows) == 1;
}

static void put_session_object(void *to, const struct pw_db_value *columns, size_t count)
{
    const struct rows *rows = to;
    pw_json_open(rows->json, '{');
    put_session(to, columns, count);
    pw_json_close(rows->json, '}');
}

void report_sessions(const struct pw_central *central, struct pw_json_writer *json,
                     const struct session_filter *filter, pw_unix_ms wall)
{
    struct rows rows = {.json = json, .wall = wall};
    struct pw_db_value args[] = {
        filter->station.len > 0 ? pw_db_text(filter->station) : pw_db_null(),
        filter->connector >= 0 ? pw_db_int(filter->connector) : pw_db_null(),
        pw_db_int(filter->before),
        pw_db_int(filter->limit),
    };
    (void)db_read(central,
                  SESSION_COLUMNS "WHERE ($1 IS NULL OR station_id = $1)"
                                  " AND ($2 IS NULL OR connector_id = $2) AND id < $3"
                                  " ORDER BY id DESC LIMIT $4",
                  args, PW_COUNT(args), put_session_object, &rows);
}

static void put_command(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct rows *rows = to;
    struct pw_json_writer *json = rows->json;
    report_number_column(json, "command_id", &columns[0], 0);
    report_text_column(json, "station_id", &columns[1]);
    report_text_column(json, "action", &columns[2]);
    report_text_column(json, "state", &columns[3]);
    pw_json_key(json, "answer");
    if (columns[4].kind == PW_DB_TEXT) {
        pw_json_put_raw(json, columns[4].text);
    } else {
        pw_json_put_null(json);
    }
    pw_json_say_known_time(json, "requested_at", columns[5].number);
    pw_json_say_known_time(json, "answered_at", columns[6].number);
    pw_json_say_raw(json, "payload", columns[7].text);
    report_text_column(json, "origin", &columns[8]);
    report_text_column(json, "effect_state", &columns[9]);
    report_text_column(json, "effect", &columns[10]);
    pw_json_say_known_time(json, "effect_at", columns[11].number);
}

#define COMMAND_COLUMNS                                                                            \
    "SELECT id, station_id, action, state, answer, requested_at, answered_at, payload,"            \
    " COALESCE(origin, 'people'), effect_state, effect, effect_at FROM command "

bool report_command(const struct pw_central *central, struct pw_json_writer *json, int64_t id)
{
    struct rows rows = {.json = json};
    struct pw_db_value args[] = {pw_db_int(id)};
    return db_read(central, COMMAND_COLUMNS "WHERE id = $1", args, PW_COUNT(args), put_command,
                   &rows) == 1;
}

static void put_command_object(void *to, const struct pw_db_value *columns, size_t count)
{
    const struct rows *rows = to;
    pw_json_open(rows->json, '{');
    put_command(to, columns, count);
    pw_json_close(rows->json, '}');
}

void report_commands(const struct pw_central *central, struct pw_json_writer *json,
                     const struct station *station, int64_t before, int64_t limit)
{
    struct rows rows = {.json = json};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(before),
                                 pw_db_int(limit)};
    (void)db_read(central,
                  COMMAND_COLUMNS "WHERE station_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                  args, PW_COUNT(args), put_command_object, &rows);
}

static void put_card(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct rows *rows = to;
    struct pw_json_writer *json = rows->json;
    bool expired = columns[3].kind == PW_DB_INT && columns[3].number <= rows->wall;
    pw_json_open(json, '{');
    report_text_column(json, "id_tag", &columns[0]);
    pw_json_key(json, "status");
    bool accepted = pw_str_is(columns[1].text, "Accepted");
    pw_json_put_text(json, accepted && expired ? PW_STR("Expired") : columns[1].text);
    report_text_column(json, "parent", &columns[2]);
    pw_json_say_known_time(json, "expires", columns[3].number);
    report_text_column(json, "name", &columns[4]);
    pw_json_close(json, '}');
}

int64_t report_cards(const struct pw_central *central, struct pw_json_writer *json,
                     struct pw_str id_tag, pw_unix_ms wall)
{
    struct rows rows = {.json = json, .wall = wall};
    struct pw_db_value args[] = {id_tag.len > 0 ? pw_db_text(id_tag) : pw_db_null()};
    return db_read(central,
                   "SELECT id_tag, status, parent, expires, name FROM card"
                   " WHERE $1 IS NULL OR id_tag = $1 ORDER BY id_tag",
                   args, PW_COUNT(args), put_card, &rows);
}

static void put_unknown(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct rows *rows = to;
    pw_json_open(rows->json, '{');
    report_text_column(rows->json, "id_tag", &columns[0]);
    report_text_column(rows->json, "station_id", &columns[1]);
    pw_json_say_known_time(rows->json, "seen_at", columns[2].number);
    report_number_column(rows->json, "count", &columns[3], 0);
    pw_json_close(rows->json, '}');
}

void report_unknown_cards(const struct pw_central *central, struct pw_json_writer *json)
{
    struct rows rows = {.json = json};
    (void)db_read(central,
                  "SELECT id_tag, station_id, seen_at, count FROM unknown_card"
                  " ORDER BY seen_at DESC LIMIT 100",
                  NULL, 0, put_unknown, &rows);
}

static void put_traffic(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct rows *rows = to;
    struct pw_json_writer *json = rows->json;
    pw_json_open(json, '{');
    report_number_column(json, "seq", &columns[0], 0);
    pw_json_say_known_time(json, "time", columns[1].number);
    report_text_column(json, "direction", &columns[2]);
    report_text_column(json, "kind", &columns[3]);
    report_text_column(json, "action", &columns[4]);
    report_text_column(json, "message_id", &columns[5]);
    report_number_column(json, "latency_ms", &columns[6], 0);
    report_text_column(json, "payload", &columns[7]);
    pw_json_close(json, '}');
}

void report_traffic(const struct pw_central *central, struct pw_json_writer *json,
                    const struct station *station, int64_t before, int64_t limit)
{
    struct rows rows = {.json = json};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(before),
                                 pw_db_int(limit)};
    (void)db_read(central,
                  "SELECT seq, at, direction, kind, action, message_id, latency_ms, payload"
                  " FROM traffic WHERE station_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
                  args, PW_COUNT(args), put_traffic, &rows);
}
