// REST: what a station is set to: configuration, local list, reservations, charging profiles.
#include "http.h"
#include "records.h"

#include <string.h>

#define DAY_S 86400

// --- Payloads. A member of the body goes into the payload under OCPP's name, whatever it is: the
// rows of the message judge it.

struct member {
    const char *from; // in our body
    const char *to;   // in OCPP
};

static void put_members(struct http *http, struct pw_json_writer *json,
                        const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pw_json_node *node = pw_json_member(http->body, members[i].from);
        if (node == NULL || pw_json_is(node, PW_JSON_NULL)) {
            continue;
        }
        pw_json_key(json, members[i].to);
        if (pw_json_is(node, PW_JSON_STRING)) { // its text is unescaped already
            pw_json_put_text(json, (struct pw_str){.at = node->at, .len = node->len});
        } else {
            pw_json_put_raw(json, (struct pw_str){.at = node->at, .len = node->len});
        }
    }
}

static void command_of(struct http *http, struct station *station, int action,
                       const struct member *members, size_t count)
{
    struct pw_out out = {.at = http->central->list, .cap = LIST_BYTES};
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    put_members(http, &json, members, count);
    pw_json_close(&json, '}');
    http_command(http, station, action, pw_out_str(&out));
}

// --- Configuration.

void api_configuration(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t changes = 0;
    if (station == NULL || !http_query_int(http, "changes", 0, 500, 100, &changes)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    report_configuration(http->central, json, station, changes);
    http_done(http, 200);
}

void api_configuration_put(struct http *http)
{
    static const struct member members[] = {{"key", "key"}, {"value", "value"}};
    struct station *station = http_station(http);
    struct pw_str key;
    if (station == NULL || !http_text(http, "key", 50, true, &key)) {
        return;
    }
    if (pw_str_eq_nocase(key, PW_STR("AuthorizationKey"))) {
        http_fail(http, 400, "bad_value",
                  "key: AuthorizationKey cannot be changed this way; use POST /stations/{id}/key",
                  PW_STR(""), "");
        return;
    }
    command_of(http, station, PW_OCPP16_CHANGE_CONFIGURATION, members, PW_COUNT(members));
}

void api_configuration_read(struct http *http)
{
    static const struct member members[] = {{"keys", "key"}};
    struct station *station = http_station(http);
    if (station != NULL) {
        command_of(http, station, PW_OCPP16_GET_CONFIGURATION, members, PW_COUNT(members));
    }
}

// --- The local list.

void api_list(struct http *http)
{
    const struct station *station = http_station(http);
    if (station != NULL) {
        struct pw_json_writer *json = http_object(http);
        report_list(http->central, json, station);
        http_done(http, 200);
    }
}

// False after answering 400. *given says whether it was there.
static bool read_flag(struct http *http, const char *name, bool *given, bool *value)
{
    const struct pw_json_node *node = pw_json_member(http->body, name);
    *given = node != NULL && !pw_json_is(node, PW_JSON_NULL);
    if (!*given || pw_json_bool(node, value) == PW_OK) {
        return true;
    }
    http_fail(http, 400, "bad_value", name, PW_STR(""), ": must be true or false");
    return false;
}

void api_list_put(struct http *http)
{
    struct station *station = http_station(http);
    struct pw_str mode;
    bool given = false;
    bool automatic = false;
    if (station == NULL || !http_text(http, "mode", 12, false, &mode) ||
        !read_flag(http, "automatic", &given, &automatic)) {
        return;
    }
    bool full = pw_str_is(mode, "full");
    bool none = pw_str_is(mode, "none");
    if (mode.len > 0 && !full && !none && !pw_str_is(mode, "differential")) {
        http_fail(http, 400, "bad_value", "mode: \"", mode,
                  "\" is none of differential, full, none");
        return;
    }
    if (given) {
        list_automatic(http->central, station, automatic, http->at);
        if (!http_commit(http)) {
            return;
        }
    }
    int64_t id = none ? 0 : list_sync(http->central, station, full, http->at);
    if (id == 0) {
        api_list(http); // nothing to send
    } else {
        http_queued(http, station, id);
    }
}

// --- Reservations.

void api_reservations(struct http *http)
{
    const struct station *station = http_station(http);
    if (station != NULL) {
        struct pw_json_writer *json = http_object(http);
        pw_json_key(json, "reservations");
        pw_json_open(json, '[');
        report_reservations(http->central, json, station, http->at.wall);
        pw_json_close(json, ']');
        http_done(http, 200);
    }
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

// The next number no station has had, and its row: so that a second request gets another one.
static int64_t new_reservation(struct http *http, const struct station *station)
{
    int64_t last = 0;
    (void)db_read(http->central, "SELECT COALESCE(MAX(id), 0) FROM reservation", NULL, 0,
                  take_number, &last);
    struct pw_db_value args[] = {pw_db_int(last + 1), pw_db_text(pw_str_of(station->id)),
                                 pw_db_int(http->at.wall)};
    (void)db_write(http->central,
                   "INSERT INTO reservation (id, station_id, connector_id, id_tag, parent,"
                   " expires, state, made_at, changed_at)"
                   " VALUES ($1, $2, 0, '', NULL, 0, 'asked', $3, $3)",
                   args, PW_COUNT(args), http->at.now);
    return last + 1;
}

void api_reservation_add(struct http *http)
{
    static const struct member members[] = {{"connector_id", "connectorId"},
                                            {"expires", "expiryDate"},
                                            {"id_tag", "idTag"},
                                            {"parent", "parentIdTag"}};
    struct station *station = http_station(http);
    struct pw_str expires;
    pw_unix_ms until = 0;
    if (station == NULL || !http_text(http, "expires", 40, true, &expires)) {
        return;
    }
    if (pw_parse_time(expires, &until) != PW_OK || until <= http->at.wall) {
        http_fail(http, 400, "bad_value", "expires: \"", expires,
                  "\" is not a time to come like 2026-01-31T12:00:00Z");
        return;
    }
    struct pw_out out = {.at = http->central->list, .cap = LIST_BYTES};
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    int64_t id = new_reservation(http, station);
    pw_json_open(&json, '{');
    put_members(http, &json, members, PW_COUNT(members));
    pw_json_say_int(&json, "reservationId", id);
    pw_json_close(&json, '}');
    http_command(http, station, PW_OCPP16_RESERVE_NOW, pw_out_str(&out));
    if (http->reply->status != 202) {
        struct pw_db_value args[] = {pw_db_int(id), pw_db_text(pw_str_of(station->id))};
        (void)db_write(http->central, "DELETE FROM reservation WHERE id = $1 AND station_id = $2",
                       args, PW_COUNT(args), http->at.now);
    }
}

void api_reservation_delete(struct http *http)
{
    struct station *station = http_station(http);
    int64_t id = 0;
    if (station == NULL || !http_query_int(http, "id", INT32_MIN, INT32_MAX, INT64_MIN, &id)) {
        return;
    }
    if (id == INT64_MIN) {
        http_fail(http, 400, "missing", "id: is required", PW_STR(""), "");
        return;
    }
    char text[48];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "{\"reservationId\":");
    pw_put_int(&out, id);
    pw_put_c(&out, '}');
    http_command(http, station, PW_OCPP16_CANCEL_RESERVATION, pw_out_str(&out));
}

// --- Charging profiles.

void api_profiles(struct http *http)
{
    const struct station *station = http_station(http);
    if (station != NULL) {
        struct pw_json_writer *json = http_object(http);
        report_profiles(http->central, json, station);
        http_done(http, 200);
    }
}

// What OCPP forbids beyond the rows (§5.16, errata 3.45, 3.53). False after answering 400.
static bool profile_ok(struct http *http)
{
    const struct pw_json_node *profile = pw_json_member(http->body, "profile");
    const struct pw_json_node *schedule = pw_json_member(profile, "chargingSchedule");
    struct pw_json_iter it = pw_json_each(pw_json_member(schedule, "chargingSchedulePeriod"));
    const struct pw_json_node *period = pw_json_next(&it);
    struct pw_str purpose = {0};
    int64_t connector = 0;
    int64_t start = 0;
    bool named = pw_json_text(pw_json_member(profile, "chargingProfilePurpose"), &purpose) == PW_OK;
    bool numbered =
        pw_json_int(pw_json_member(http->body, "connector_id"), 0, INT32_MAX, &connector) == PW_OK;
    const char *why = NULL;
    if (!named || !numbered) {
        return true; // the rows will say
    }
    if (connector == 0 && pw_str_is(purpose, "TxProfile")) {
        why = "connector_id: 0 is no place for a TxProfile; it must be a connector";
    } else if (connector != 0 && pw_str_is(purpose, "ChargePointMaxProfile")) {
        why = "connector_id: a ChargePointMaxProfile is for 0, the whole station";
    }
    for (int64_t last = -1; period != NULL && why == NULL; period = pw_json_next(&it)) {
        if (pw_json_int(pw_json_member(period, "startPeriod"), 0, INT32_MAX, &start) != PW_OK) {
            break; // the rows will say
        }
        if ((last < 0 && start != 0) || start <= last) {
            why = "profile.chargingSchedule.chargingSchedulePeriod: startPeriod must be 0 first,"
                  " then grow";
        }
        last = start;
    }
    if (why != NULL) {
        http_fail(http, 400, "bad_value", why, PW_STR(""), "");
    }
    return why == NULL;
}

void api_profile_put(struct http *http)
{
    static const struct member members[] = {{"connector_id", "connectorId"},
                                            {"profile", "csChargingProfiles"}};
    struct station *station = http_station(http);
    if (station != NULL && profile_ok(http)) {
        command_of(http, station, PW_OCPP16_SET_CHARGING_PROFILE, members, PW_COUNT(members));
    }
}

void api_profile_delete(struct http *http)
{
    struct station *station = http_station(http);
    int64_t id = 0;
    int64_t connector = 0;
    int64_t level = 0;
    if (station == NULL || !http_query_int(http, "id", INT32_MIN, INT32_MAX, INT64_MIN, &id) ||
        !http_query_int(http, "connector", 0, INT32_MAX, -1, &connector) ||
        !http_query_int(http, "stack_level", 0, INT32_MAX, -1, &level)) {
        return;
    }
    struct pw_str purpose = http_query(http, "purpose");
    char text[256];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    const struct {
        const char *key;
        int64_t value;
        bool given;
    } numbers[] = {{"id", id, id != INT64_MIN},
                   {"connectorId", connector, connector >= 0},
                   {"stackLevel", level, level >= 0}};
    for (size_t i = 0; i < PW_COUNT(numbers); i++) {
        if (numbers[i].given) {
            pw_json_say_int(&json, numbers[i].key, numbers[i].value);
        }
    }
    if (purpose.len > 0) {
        pw_json_say_text(&json, "chargingProfilePurpose", pw_json_head(purpose, 30));
    }
    pw_json_close(&json, '}');
    http_command(http, station, PW_OCPP16_CLEAR_CHARGING_PROFILE, pw_out_str(&out));
}

void api_composite(struct http *http)
{
    static const struct member members[] = {
        {"connector_id", "connectorId"}, {"duration_s", "duration"}, {"unit", "chargingRateUnit"}};
    struct station *station = http_station(http);
    int64_t duration = 0;
    if (station == NULL) {
        return;
    }
    const struct pw_json_node *node = pw_json_member(http->body, "duration_s");
    if (node != NULL && pw_json_int(node, 1, (int64_t)366 * DAY_S, &duration) != PW_OK) {
        http_fail(http, 400, "bad_value", "duration_s: ",
                  (struct pw_str){.at = node->at, .len = node->len < 40 ? node->len : 40},
                  " is not a whole number from 1 to 31622400");
        return;
    }
    command_of(http, station, PW_OCPP16_GET_COMPOSITE_SCHEDULE, members, PW_COUNT(members));
}
