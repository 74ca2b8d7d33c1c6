// REST: stations, their curves, messages and commands, and the refused handshakes.
#include "http.h"

#include <string.h>

#define KEY_MADE 24 // characters of a key we make: 120 random bits
#define KEY_MIN  16
#define HOUR_MS  INT64_C(3600000)

void api_stations(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "stations");
    pw_json_open(json, '[');
    for (size_t i = 0; i < http->central->stations; i++) {
        report_station(json, http->central->station[i]);
    }
    pw_json_close(json, ']');
    http_done(http, 200);
}

void api_station(struct http *http)
{
    const struct station *station = http_station(http);
    if (station != NULL) {
        http->json = PW_JSON_WRITER(&http->out);
        report_station(&http->json, station);
        http->reply->status = 200;
        http->reply->content_type = "application/json";
        http->reply->body = pw_out_str(&http->out);
    }
}

static bool key_ok(struct pw_str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.at[i] < 0x21 || key.at[i] > 0x7E) {
            return false;
        }
    }
    return key.len >= KEY_MIN && key.len < PW_CENTRAL_KEY_MAX;
}

int pw_central_station_add(struct pw_central *central, struct pw_str id, struct pw_str key,
                           bool replace, char made[PW_CENTRAL_KEY_MAX], struct pw_instant at)
{
    char hash[HASH_MAX];
    made[0] = '\0';
    if (!station_id_ok(id) || (key.len > 0 && !key_ok(key))) {
        return PW_ERR_RANGE;
    }
    if (station_key(central, id, hash) && !replace) {
        return PW_ERR_BUSY;
    }
    if (key.len == 0) {
        if (key_make(central, made, KEY_MADE) != PW_OK) {
            return PW_ERR_BUG;
        }
        key = pw_str_of(made);
    }
    if (key_hash(central, key, STATION_COST, hash) != PW_OK) {
        return PW_ERR_BUG;
    }
    if (station_add(central, id, at) == NULL) {
        return PW_ERR_LIMIT;
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(hash)), pw_db_text(id)};
    if (db_write(central, "UPDATE station SET key_hash = $1 WHERE id = $2", args, PW_COUNT(args),
                 at.now) < 0) {
        return PW_ERR_STORE;
    }
    return db_commit(central, at);
}

void api_station_add(struct http *http)
{
    struct pw_str id;
    struct pw_str key;
    char made[PW_CENTRAL_KEY_MAX];
    bool replace = false;
    const struct pw_json_node *node = pw_json_member(http->body, "replace");
    if (!http_text(http, "id", PW_CENTRAL_STATION_MAX, true, &id) ||
        !http_text(http, "key", PW_CENTRAL_KEY_MAX - 1, false, &key)) {
        return;
    }
    if (node != NULL && pw_json_bool(node, &replace) != PW_OK) {
        http_fail(http, 400, "bad_value", "replace: must be true or false", PW_STR(""), "");
        return;
    }
    int result = pw_central_station_add(http->central, id, key, replace, made, http->at);
    if (result == PW_ERR_RANGE) {
        http_fail(http, 400, "bad_value",
                  "id: 1 to 48 letters, digits or _.:@=*+-; key: 16 to 40 printable characters"
                  " without space; id was \"",
                  id, "\"");
    } else if (result == PW_ERR_BUSY) {
        http_fail(http, 409, "exists", "station \"", id,
                  "\" exists; give \"replace\": true for a new key");
    } else if (result != PW_OK) {
        http_fail(http, 503, "store", "the station could not be stored", PW_STR(""), "");
    } else {
        struct pw_json_writer *json = http_object(http);
        pw_json_say_text(json, "id", id);
        if (made[0] != '\0') {
            pw_json_say_s(json, "key", made);
        }
        http_done(http, 201);
        event_station(http->central, station_find(http->central, id));
    }
}

int pw_central_station_remove(struct pw_central *central, struct pw_str id, struct pw_instant at)
{
    char hash[HASH_MAX];
    struct station *station = station_find(central, id);
    if (!station_key(central, id, hash)) {
        return PW_ERR_UNKNOWN;
    }
    struct pw_db_value args[] = {pw_db_text(id)};
    if (db_write(central, "UPDATE station SET key_hash = NULL WHERE id = $1", args, PW_COUNT(args),
                 at.now) < 0) {
        return PW_ERR_STORE;
    }
    if (station != NULL && station->candidate != NULL) {
        link_drop(central, station->candidate, 1008, "the station's key was removed", at);
    }
    if (station != NULL) {
        uplink_drop(central, station, "the station's key was removed", at);
    }
    if (station != NULL && station->link != NULL) {
        link_drop(central, station->link, 1008, "the station's key was removed", at);
    }
    return db_commit(central, at);
}

void pw_central_station_list(const struct pw_central *central,
                             void (*each)(void *context, const char *id, bool has_key,
                                          pw_unix_ms last_seen),
                             void *context)
{
    for (size_t i = 0; i < central->stations; i++) {
        const struct station *station = central->station[i];
        char hash[HASH_MAX];
        each(context, station->id, station_key(central, pw_str_of(station->id), hash),
             station->last_seen);
    }
}

void api_station_delete(struct http *http)
{
    int result = pw_central_station_remove(http->central, http->param, http->at);
    if (result == PW_ERR_UNKNOWN) {
        http_fail(http, 404, "not_found", "there is no station with a key \"", http->param, "\"");
    } else if (result != PW_OK) {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    } else {
        http_no_content(http);
    }
}

void api_measurements(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t connector = 0;
    pw_unix_ms from = 0;
    pw_unix_ms to = 0;
    if (station == NULL) {
        return;
    }
    if (http_query(http, "connector").len == 0) {
        http_fail(http, 400, "missing", "connector: is required", PW_STR(""), "");
        return;
    }
    if (!http_query_int(http, "connector", 0, PW_CENTRAL_CONNECTORS - 1, 0, &connector) ||
        !http_query_time(http, "to", http->at.wall, &to) ||
        !http_query_time(http, "from", to - HOUR_MS, &from)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_say_int(json, "connector_id", connector);
    report_curve(http->central, json, station, connector, from, to);
    http_done(http, 200);
}

void api_log(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t before = 0;
    int64_t limit = 0;
    if (station == NULL || !http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &before) ||
        !http_query_int(http, "limit", 1, 500, 100, &limit)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "entries");
    pw_json_open(json, '[');
    report_traffic(http->central, json, station, before, limit);
    pw_json_close(json, ']');
    http_done(http, 200);
}

// --- The doctor.

void api_refused(struct http *http)
{
    const struct pw_central *central = http->central;
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "refused");
    pw_json_open(json, '[');
    for (uint32_t i = 1; i <= REFUSED_MAX; i++) {
        const struct refused *row =
            &central->refused[(central->refused_next + REFUSED_MAX - i) % REFUSED_MAX];
        if (row->count == 0) {
            break;
        }
        pw_json_open(json, '{');
        pw_json_say_known_time(json, "time", row->time);
        pw_json_say_s(json, "station_id", row->station);
        pw_json_say_s(json, "address", row->address);
        pw_json_say_int(json, "status", row->status);
        pw_json_say_s(json, "reason", row->reason);
        pw_json_say_int(json, "count", row->count);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
    http_done(http, 200);
}
