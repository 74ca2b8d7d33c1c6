// REST: roll-outs.
#include "records.h"
#include "rollouts.h"

#include <string.h>

#define LIST_MAX  100 // roll-outs that are over, in a list
#define NO_MEMORY "there is no memory for it"

// --- Showing.

static void put_raw(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    pw_json_put_raw(to, columns[0].text);
}

void api_rollouts(struct http *http)
{
    const struct rollouts *rollouts = http->central->rollouts;
    struct pw_db_value args[] = {pw_db_int(LIST_MAX)};
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "rollouts");
    pw_json_open(json, '[');
    for (size_t i = rollouts->count; i > 0; i--) {
        pw_json_open(json, '{');
        rollout_report(rollouts->open[i - 1], json);
        pw_json_close(json, '}');
    }
    (void)db_read(http->central,
                  "SELECT report FROM rollout WHERE report IS NOT NULL ORDER BY id DESC LIMIT $1",
                  args, 1, put_raw, json);
    pw_json_close(json, ']');
    http_done(http, 200);
}

static void put_station(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_text_column(json, "station_id", &columns[0]);
    report_text_column(json, "state", &columns[1]);
    report_number_column(json, "stage", &columns[2], 0);
    pw_json_say_known_time(json, "since", columns[3].number);
    report_text_column(json, "why", &columns[4]);
    report_text_column(json, "way", &columns[5]);
    report_text_column(json, "was", &columns[6]);
    report_text_column(json, "kind", &columns[9]);
    report_number_column(json, "place", &columns[10], 0);
    pw_json_say_known_time(json, "began_at", columns[7].kind == PW_DB_INT ? columns[7].number : 0);
    pw_json_say_known_time(json, "ended_at", columns[8].kind == PW_DB_INT ? columns[8].number : 0);
    pw_json_close(json, '}');
}

static void put_kind(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_text_column(json, "kind", &columns[0]);
    report_number_column(json, "stations", &columns[1], 0);
    report_number_column(json, "canary", &columns[2], 0);
    report_number_column(json, "done", &columns[3], 0);
    report_number_column(json, "failed", &columns[4], 0);
    pw_json_close(json, '}');
}

// "kinds" and "stations".
static void put_stations(struct http *http, struct pw_json_writer *json, int64_t id)
{
    struct pw_db_value args[] = {pw_db_int(id)};
    pw_json_key(json, "kinds");
    pw_json_open(json, '[');
    (void)db_read(http->central,
                  "SELECT kind, COUNT(*), SUM(CASE WHEN stage = 0 AND began_at IS NOT NULL THEN 1"
                  " ELSE 0 END), SUM(CASE WHEN state = 'done' THEN 1 ELSE 0 END),"
                  " SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) FROM rollout_station"
                  " WHERE rollout_id = $1 AND kind IS NOT NULL GROUP BY kind"
                  " ORDER BY COUNT(*) DESC, kind",
                  args, 1, put_kind, json);
    pw_json_close(json, ']');
    pw_json_key(json, "stations");
    pw_json_open(json, '[');
    (void)db_read(http->central,
                  "SELECT station_id, state, stage, since, why, way, was, began_at, ended_at,"
                  " kind, place"
                  " FROM rollout_station WHERE rollout_id = $1 ORDER BY station_id",
                  args, 1, put_station, json);
    pw_json_close(json, ']');
}

// {"rollout": {...}, "kinds": [...], "stations": [...]}
static void put_rollout(struct http *http, const struct rollout *rollout, int status)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "rollout");
    pw_json_open(json, '{');
    rollout_report(rollout, json);
    pw_json_close(json, '}');
    put_stations(http, json, rollout->id);
    http_done(http, status);
}

static int64_t id_in_path(const struct http *http)
{
    int64_t id = 0;
    return pw_parse_int(http->param, 1, INT64_MAX, &id) == PW_OK ? id : 0;
}

void api_rollout(struct http *http)
{
    int64_t id = id_in_path(http);
    const struct rollout *rollout = rollout_find(http->central, id);
    if (rollout != NULL) {
        put_rollout(http, rollout, 200);
        return;
    }
    struct pw_db_value args[] = {pw_db_int(id)};
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "rollout");
    if (db_read(http->central, "SELECT report FROM rollout WHERE id = $1 AND report IS NOT NULL",
                args, 1, put_raw, json) != 1) {
        http_fail(http, 404, "not_found", "there is no roll-out \"", http->param, "\"");
        return;
    }
    put_stations(http, json, id);
    http_done(http, 200);
}

// --- Making one.

struct range {
    const char *key;
    int64_t min;
    int64_t max;
    int64_t otherwise;
};

static bool take(struct http *http, const struct range *range, int64_t *value)
{
    const struct pw_json_node *node = pw_json_member(http->body, range->key);
    *value = range->otherwise;
    if (node == NULL || pw_json_is(node, PW_JSON_NULL) ||
        pw_json_int(node, range->min, range->max, value) == PW_OK) {
        return true;
    }
    char words[96];
    struct pw_out out = PW_OUT(words);
    pw_put_s(&out, ": must be a whole number from ");
    pw_put_int(&out, range->min);
    pw_put_s(&out, " to ");
    pw_put_int(&out, range->max);
    http_fail(http, 400, "bad_value", range->key, PW_STR(""), words);
    return false;
}

static bool take_stages(struct http *http, struct rollout *rollout)
{
    static const uint8_t usual[] = {10, 50, 100};
    const struct pw_json_node *list = pw_json_member(http->body, "stages");
    struct pw_json_iter it = pw_json_each(list);
    rollout->stages = 1;
    if (list == NULL || pw_json_is(list, PW_JSON_NULL)) {
        memcpy(rollout->percent, usual, sizeof(usual));
        rollout->stages = 1 + (uint8_t)PW_COUNT(usual);
        return true;
    }
    bool good = pw_json_is(list, PW_JSON_ARRAY) && pw_json_count(list) >= 1 &&
                pw_json_count(list) <= ROLLOUT_STAGES_MAX;
    int64_t last = 0;
    for (const struct pw_json_node *item; good && (item = pw_json_next(&it)) != NULL;) {
        good = pw_json_int(item, last + 1, 100, &last) == PW_OK;
        rollout->percent[rollout->stages - 1] = (uint8_t)last;
        rollout->stages++;
    }
    if (!good || last != 100) {
        http_fail(http, 400, "bad_value",
                  "stages: must be 1 to 8 percentages that rise, the last one 100", PW_STR(""), "");
    }
    return good && last == 100;
}

static bool take_way(struct http *http, struct rollout *rollout)
{
    struct pw_str text;
    if (!http_text(http, "way", 4, false, &text)) {
        return false;
    }
    rollout->way = WAY_AUTO;
    for (int way = 0; way < WAYS; way++) {
        if (pw_str_is(text, way_names[way])) {
            rollout->way = (enum way)way;
            return true;
        }
    }
    if (text.len > 0) {
        http_fail(http, 400, "bad_value", "way: \"", text, "\" is none of auto, ocpp, link");
    }
    return text.len == 0;
}

static bool take_settings(struct http *http, struct rollout *rollout)
{
    static const struct range ranges[] = {
        {"canary", 0, PW_CENTRAL_STATIONS_MAX, ROLLOUT_CANARY_BY_SIZE},
        {"canary_failures", 0, CANARY_FAILURES_MAX, 0},
        {"soak_s", 0, 2592000, 3600},
        {"at_most", 1, 1000, 20},
        {"stop_percent", 0, 100, 5},
        {"stop_count", 0, 10000, 0},
        {"deadline_s", 300, 2592000, 86400},
    };
    int64_t value[PW_COUNT(ranges)];
    for (size_t i = 0; i < PW_COUNT(ranges); i++) {
        if (!take(http, &ranges[i], &value[i])) {
            return false;
        }
    }
    rollout->canary = (uint32_t)value[0];
    rollout->canary_failures = (uint8_t)value[1];
    rollout->soak_s = (uint32_t)value[2];
    rollout->at_most = (uint32_t)value[3];
    rollout->stop_percent = (uint8_t)value[4];
    rollout->stop_count = (uint32_t)value[5];
    rollout->deadline_s = (uint32_t)value[6];
    return take_stages(http, rollout) && take_way(http, rollout);
}

// Which stations are wanted: by name, by model, or all that the release is for.
struct wanted {
    const struct kept_release *release;
    const struct pw_json_node *stations; // NULL: not by name
    struct pw_str model;                 // empty: any that fits
};

static bool is_named(const struct pw_json_node *list, const char *id)
{
    struct pw_json_iter it = pw_json_each(list);
    for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL;) {
        struct pw_str name;
        if (pw_json_text(item, &name) == PW_OK && pw_str_is(name, id)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct wanted *wanted, const struct station *station)
{
    if (wanted->stations != NULL) {
        return is_named(wanted->stations, station->id);
    }
    return wanted->model.len > 0 ? pw_str_is(wanted->model, station->model)
                                 : release_fits(wanted->release, station->model);
}

// False after answering: a name that is none, or a station that takes part elsewhere.
static bool may_take_part(struct http *http, const struct wanted *wanted)
{
    struct pw_json_iter it = pw_json_each(wanted->stations);
    for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL;) {
        struct pw_str name = PW_STR("");
        if (pw_json_text(item, &name) != PW_OK || station_find(http->central, name) == NULL) {
            http_fail(http, 400, "bad_value", "stations: \"", name,
                      "\" is not the id of a station");
            return false;
        }
    }
    for (size_t i = 0; i < http->central->stations; i++) {
        const struct station *station = http->central->station[i];
        const struct member *elsewhere = member_of(http->central, station);
        if (is_wanted(wanted, station) && elsewhere != NULL) {
            char text[80];
            struct pw_out end = PW_OUT(text);
            pw_put_s(&end, " takes part in roll-out ");
            pw_put_int(&end, elsewhere->rollout->id);
            pw_put_s(&end, ", which is not over: wait for its end, or cancel it");
            http_fail(http, 409, "busy", "", pw_str_of(station->id), text);
            return false;
        }
    }
    return true;
}

// False after answering.
static bool choose(struct http *http, struct wanted *wanted)
{
    wanted->stations = pw_json_member(http->body, "stations");
    if (pw_json_is(wanted->stations, PW_JSON_NULL)) {
        wanted->stations = NULL;
    }
    if (wanted->stations != NULL && !pw_json_is(wanted->stations, PW_JSON_ARRAY)) {
        http_fail(http, 400, "bad_value", "stations: must be a list of ids", PW_STR(""), "");
        return false;
    }
    return http_text(http, "model", 20, false, &wanted->model) && may_take_part(http, wanted);
}

static struct rollout *gather(struct http *http, const struct wanted *wanted)
{
    const struct pw_central *central = http->central;
    size_t count = 0;
    for (size_t i = 0; i < central->stations; i++) {
        count += is_wanted(wanted, central->station[i]) ? 1 : 0;
    }
    if (count == 0) {
        http_fail(http, 400, "bad_value", "there is no station for it: name stations or a model",
                  PW_STR(""), "");
        return NULL;
    }
    struct rollout *rollout = rollout_make(count);
    if (rollout == NULL) {
        http_fail(http, 503, "store", NO_MEMORY, PW_STR(""), "");
        return NULL;
    }
    size_t next = 0;
    for (size_t i = 0; i < central->stations; i++) {
        const struct station *station = central->station[i];
        if (is_wanted(wanted, station)) {
            struct member *member = &rollout->member[next++];
            struct pw_out id = PW_OUT(member->station);
            struct pw_out was = PW_OUT(member->was);
            pw_put_s(&id, station->id);
            pw_put_s(&was, station->firmware);
            bool has = strcmp(station->firmware, wanted->release->version) == 0;
            member->step = has ? STEP_HAD : STEP_WAITING;
        }
    }
    return rollout;
}

static void name_it(struct http *http, struct rollout *rollout, const struct kept_release *release,
                    struct pw_str name)
{
    struct pw_out out = PW_OUT(rollout->name);
    struct pw_out version = PW_OUT(rollout->version);
    struct pw_out who = PW_OUT(rollout->made_by);
    pw_put_s(&version, release->version);
    pw_put_s(&who, http_who(http));
    if (name.len > 0) {
        pw_put(&out, name);
        return;
    }
    pw_put_s(&out, release->product);
    pw_put_c(&out, ' ');
    pw_put_s(&out, release->version);
}

// What the body asks for, its stations in their order. NULL after answering.
static struct rollout *read_rollout(struct http *http)
{
    static const struct range which = {"release_id", 1, INT64_MAX, 0};
    struct wanted wanted = {0};
    struct pw_str name;
    int64_t id = 0;
    if (!take(http, &which, &id) || !http_text(http, "name", ROLLOUT_NAME_CHARS, false, &name)) {
        return NULL;
    }
    const struct kept_release release = release_find(http->central, id);
    if (release.id == 0) {
        http_fail(http, 400, "bad_value", "release_id: there is no such release", PW_STR(""), "");
        return NULL;
    }
    wanted.release = &release;
    struct rollout *rollout = choose(http, &wanted) ? gather(http, &wanted) : NULL;
    if (rollout == NULL) {
        return NULL;
    }
    rollout->release = release.id;
    name_it(http, rollout, &release, name);
    bool good = take_settings(http, rollout);
    if (good && rollout_plan(http->central, rollout, pw_str_of(release.sha256)) != PW_OK) {
        http_fail(http, 503, "store", NO_MEMORY, PW_STR(""), "");
        good = false;
    }
    if (!good) {
        rollout_free(rollout);
        return NULL;
    }
    rollout->stage = rollout->canary == 0 ? 1 : 0;
    return rollout;
}

void api_rollout_plan(struct http *http)
{
    struct rollout *rollout = read_rollout(http);
    if (rollout == NULL) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "rollout");
    pw_json_open(json, '{');
    rollout_report(rollout, json);
    pw_json_close(json, '}');
    pw_json_key(json, "kinds");
    pw_json_open(json, '[');
    rollout_kinds_report(rollout, json);
    pw_json_close(json, ']');
    rollout_free(rollout);
    http_done(http, 200);
}

void api_rollout_add(struct http *http)
{
    struct rollout *rollout = read_rollout(http);
    if (rollout == NULL) {
        return;
    }
    int result = rollout_open(http->central, rollout, http->at);
    if (result == PW_OK) {
        put_rollout(http, rollout, 201);
        return;
    }
    rollout_free(rollout);
    http_fail(http, result == PW_ERR_LIMIT ? 409 : 503, result == PW_ERR_LIMIT ? "full" : "store",
              result == PW_ERR_LIMIT ? "64 roll-outs are not over: end one"
                                     : "the database did not take it; try again",
              PW_STR(""), "");
}

// --- Changing one.

// The roll-out of the path when it is in one of the states (bits). NULL after answering.
static struct rollout *find(struct http *http, unsigned states, const char *what)
{
    struct rollout *rollout = rollout_find(http->central, id_in_path(http));
    if (rollout == NULL) {
        http_fail(http, 404, "not_found", "there is no roll-out \"", http->param,
                  "\" that is not over");
        return NULL;
    }
    if ((states & (1U << rollout->state)) == 0) {
        http_fail(http, 409, "state", what, pw_str_of(rollout_state_names[rollout->state]), "");
        return NULL;
    }
    return rollout;
}

static void change(struct http *http, struct rollout *rollout, enum rollout_state state,
                   const char *verb)
{
    char text[ROLLOUT_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    pw_put_s(&why, verb);
    pw_put_s(&why, http_who(http));
    if (rollout != NULL) {
        rollout_state_set(http->central, rollout, state, text, http->at);
        if (http_commit(http)) {
            put_rollout(http, rollout, 200);
        }
    }
}

void api_rollout_pause(struct http *http)
{
    change(http, find(http, 1U << ROLLOUT_RUNNING, "only one that runs can be paused; it is "),
           ROLLOUT_PAUSED, "paused by ");
}

void api_rollout_resume(struct http *http)
{
    change(http,
           find(http, 1U << ROLLOUT_PAUSED,
                "only one that is paused goes on (one that has stopped itself: retry); it is "),
           ROLLOUT_RUNNING, "resumed by ");
}

void api_rollout_cancel(struct http *http)
{
    change(http,
           find(http, 1U << ROLLOUT_RUNNING | 1U << ROLLOUT_PAUSED | 1U << ROLLOUT_STOPPED, ""),
           ROLLOUT_CANCELLED, "cancelled by ");
}

void api_rollout_retry(struct http *http)
{
    struct rollout *rollout =
        find(http, 1U << ROLLOUT_RUNNING | 1U << ROLLOUT_PAUSED | 1U << ROLLOUT_STOPPED, "");
    if (rollout != NULL) {
        rollout_retry(http->central, rollout, http->at);
        if (http_commit(http)) {
            put_rollout(http, rollout, 200);
        }
    }
}

void api_rollout_delete(struct http *http)
{
    struct pw_db_value args[] = {pw_db_int(id_in_path(http))};
    if (rollout_find(http->central, args[0].number) != NULL) {
        http_fail(http, 409, "state", "it is not over: cancel it first", PW_STR(""), "");
        return;
    }
    if (db_write(http->central, "DELETE FROM rollout WHERE id = $1", args, 1, http->at.now) != 1) {
        http_fail(http, 404, "not_found", "there is no roll-out \"", http->param, "\"");
        return;
    }
    (void)db_write(http->central, "DELETE FROM rollout_station WHERE rollout_id = $1", args, 1,
                   http->at.now);
    if (http_commit(http)) {
        http_no_content(http);
    }
}
