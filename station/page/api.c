// What can be asked and told. Changes become lines of the console, so that there is one way to do a
// thing, with one set of refusals.
#include "mqtt/topics.h"
#include "page/parts.h"

#include <string.h>

#define CARD_MAX  20  // characters of a card id
#define LOG_MOST  200 // lines in one answer
#define LOG_USUAL 100
#define LINE_MAX  512

// --- Reports.

void pw_page_api_status(struct call *call)
{
    pw_page_report(call, "json status");
}

void pw_page_api_limits(struct call *call)
{
    pw_page_report(call, "json limits");
}

void pw_page_api_schedule(struct call *call)
{
    pw_page_report(call, "json schedule");
}

void pw_page_api_faults(struct call *call)
{
    pw_page_report(call, "json faults");
}

void pw_page_api_charges(struct call *call)
{
    pw_page_report(call, "json charges");
}

void pw_page_api_health(struct call *call)
{
    const struct pw_station *st = call->page->config.station;
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_say_s(json, "status", st->store_failed ? "the store has failed" : "ok");
    pw_json_say_int(json, "connectors", st->connectors);
    pw_page_done(call, st->store_failed ? 503 : 200);
}

void pw_page_api_about(struct call *call)
{
    const struct pw_page_about *about = call->page->config.about;
    if (about == NULL) {
        pw_page_fail(call, 404, "not_found", "this program says nothing about itself", PW_STR(""),
                     "");
        return;
    }
    const char *const texts[][2] = {{"program", about->program},
                                    {"version", about->version},
                                    {"build", about->build},
                                    {"licence", about->licence}};
    struct pw_json_writer *json = pw_page_object(call);
    for (size_t i = 0; i < PW_COUNT(texts); i++) {
        pw_json_say_s(json, texts[i][0], texts[i][1]);
    }
    pw_json_key(json, "libraries");
    pw_json_open(json, '[');
    for (size_t i = 0; i < about->libraries; i++) {
        pw_json_open(json, '{');
        pw_json_say_s(json, "name", about->library[i].name);
        pw_json_say_s(json, "version", about->library[i].version);
        pw_json_say_s(json, "licence", about->library[i].licence);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
    pw_page_done(call, 200);
}

// A connector number as text: an index from 0. False after answering 404.
static bool take_connector(struct call *call, struct pw_str text, unsigned *index)
{
    int64_t number = 0;
    if (pw_parse_int(text, 1, call->page->config.station->connectors, &number) != PW_OK) {
        pw_page_fail(call, 404, "not_found", "there is no connector \"", text, "\"");
        return false;
    }
    *index = (unsigned)number - 1;
    return true;
}

// One column of the history.
enum column { AT, CURRENT, OFFERED, POWER, CHARGE };

static void put_value(const struct call *call, struct pw_json_writer *json, enum column column,
                      const struct pw_history_point *point)
{
    switch (column) {
    case AT:
        pw_json_put_fixed(json, (int64_t)call->wall - (int64_t)(call->now - point->at), 3);
        return;
    case OFFERED: pw_json_put_fixed(json, point->offered_ma, 3); return;
    case CURRENT:
        if (point->ma == PW_BOARD_UNKNOWN) {
            break;
        }
        pw_json_put_fixed(json, point->ma, 3);
        return;
    case POWER:
        if (point->power_w == PW_BOARD_UNKNOWN) {
            break;
        }
        pw_json_put_int(json, point->power_w);
        return;
    case CHARGE:
        if (point->soc_permille < 0) {
            break;
        }
        pw_json_put_fixed(json, point->soc_permille, 1);
        return;
    }
    pw_json_put_null(json);
}

void pw_page_api_history(struct call *call)
{
    static const char *const names[] = {[AT] = "t",
                                        [CURRENT] = "current_a",
                                        [OFFERED] = "offered_a",
                                        [POWER] = "power_w",
                                        [CHARGE] = "soc_percent"};
    unsigned index = 0;
    if (!take_connector(call, pw_http_query(call->request->query, "connector"), &index)) {
        return;
    }
    const struct pw_history *history = &call->page->history[index];
    struct pw_json_writer *json = pw_page_object(call);
    for (size_t column = 0; column < PW_COUNT(names); column++) {
        pw_json_key(json, names[column]);
        pw_json_open(json, '[');
        for (uint32_t i = 0; i < history->count; i++) {
            put_value(call, json, (enum column)column, pw_history_at(history, i));
        }
        pw_json_close(json, ']');
    }
    pw_page_done(call, 200);
}

// --- Settings.

static const char *kind_word(enum pw_setting_kind kind)
{
    switch (kind) {
    case PW_KIND_INT: return "int";
    case PW_KIND_BOOL: return "bool";
    case PW_KIND_TEXT: return "text";
    case PW_KIND_CHOICE: return "choice";
    }
    PW_UNREACHABLE();
}

static const char *when_word(enum pw_setting_when when)
{
    switch (when) {
    case PW_WHEN_FILE: return "file";
    case PW_WHEN_LIVE: return "live";
    case PW_WHEN_RESTART: return "restart";
    case PW_WHEN_FIXED: return "fixed";
    case PW_WHEN_SECRET: return "secret";
    }
    PW_UNREACHABLE();
}

// The unit a setting's name ends in, as people write it: "current_max_ma" is in mA.
static const char *unit_word(const char *path)
{
    static const struct {
        const char *end;
        const char *unit;
    } rows[] = {
        {"_ma_per_s", "mA/s"},
        {"_ma", "mA"},
        {"_mv", "mV"},
        {"_wh", "Wh"},
        {"_w", "W"},
        {"_ms", "ms"},
        {"_s", "s"},
        {"_permille", "per mille"},
        {"_from_dc", "0.1 °C"},
        {"trip_dc", "0.1 °C"},
    };
    size_t len = strlen(path);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        size_t end = strlen(rows[i].end);
        if (len >= end && memcmp(path + len - end, rows[i].end, end) == 0) {
            return rows[i].unit;
        }
    }
    return "";
}

static void put_choices(struct pw_json_writer *json, const char *words)
{
    struct pw_str rest = pw_str_of(words);
    pw_json_key(json, "choices");
    pw_json_open(json, '[');
    while (rest.len > 0) {
        pw_json_put_text(json, pw_str_cut(&rest, '|'));
    }
    pw_json_close(json, ']');
}

// As a value prints: the first word of a choice, true or false.
static void put_default(const struct pw_setting_row *row, struct pw_json_writer *json)
{
    struct pw_str initial = pw_str_of(row->initial);
    if (row->kind == PW_KIND_CHOICE) {
        initial = pw_str_cut(&initial, '|');
    } else if (row->kind == PW_KIND_BOOL) {
        initial = pw_str_is(initial, "1") ? PW_STR("true") : PW_STR("false");
    }
    pw_json_say_text(json, "default", initial);
}

static void put_setting(const struct pw_settings *settings, struct pw_setting_at at,
                        struct pw_json_writer *json)
{
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    char text[PW_SETTING_TEXT_MAX] = "";
    struct pw_out path = PW_OUT(text);
    pw_settings_print_path(at, &path);
    pw_json_open(json, '{');
    pw_json_say_s(json, "path", text);
    struct pw_out value = PW_OUT(text);
    text[0] = '\0';
    pw_settings_print(settings, at, &value);
    pw_json_key(json, "value"); // a secret prints as stars
    pw_json_put_s(json, text);
    struct pw_out range = PW_OUT(text);
    text[0] = '\0';
    pw_settings_print_range(row, &range);
    pw_json_say_s(json, "range", text);
    pw_json_say_s(json, "kind", kind_word(row->kind));
    pw_json_say_s(json, "when", when_word(row->when));
    pw_json_say_s(json, "unit", row->kind == PW_KIND_INT ? unit_word(row->path) : "");
    if (row->kind == PW_KIND_CHOICE) {
        put_choices(json, row->initial);
    }
    put_default(row, json);
    pw_json_say_s(json, "ocpp_key", row->ocpp_key);
    pw_json_say_s(json, "doc", row->doc);
    pw_json_close(json, '}');
}

void pw_page_api_settings(struct call *call)
{
    const struct pw_station *st = call->page->config.station;
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_key(json, "settings");
    pw_json_open(json, '[');
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        bool connector = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
        for (unsigned i = 0; i < (connector ? st->connectors : 1); i++) {
            struct pw_setting_at at = {.id = (enum pw_setting_id)id, .instance = (uint8_t)i};
            if (pw_settings_concerns(&st->settings, at)) {
                put_setting(&st->settings, at, json);
            }
        }
    }
    pw_json_close(json, ']');
    pw_page_done(call, 200);
}

// --- Changes.

static int status_of(int err)
{
    switch (err) {
    case PW_ERR_UNKNOWN: return 404;
    case PW_ERR_BUSY: return 409;
    case PW_ERR_STORE: return 503;
    default: return 422;
    }
}

void pw_page_run(struct call *call, struct pw_str line)
{
    char text[LINE_MAX] = "";
    struct pw_out out = PW_OUT(text);
    int err = pw_station_command(call->page->config.station, line, &out, call->now);
    struct pw_str sentence = pw_str_trim(pw_out_str(&out));
    if (err != PW_OK) {
        pw_page_fail(call, status_of(err), pw_err_name(err), "", sentence, "");
        return;
    }
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_say_text(json, "message", sentence);
    pw_page_done(call, 200);
}

// A word of a console line: no blanks, nothing that is not printed.
static bool is_word(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7F) {
            return false;
        }
    }
    return text.len > 0;
}

bool pw_page_is_printed(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ') {
            return false;
        }
    }
    return true;
}

// "set PATH VALUE"; a number or a truth value may come as itself or as text.
void pw_page_api_setting_put(struct call *call)
{
    char line[LINE_MAX];
    struct pw_out out = PW_OUT(line);
    struct pw_setting_at at;
    const struct pw_json_node *node = pw_json_member(call->body, "value");
    struct pw_str value;
    if (!is_word(call->param) || pw_settings_find(call->param, &at) != PW_OK) {
        pw_page_fail(call, 404, "unknown", "there is no setting \"", call->param, "\"");
        return;
    }
    if (pw_json_is(node, PW_JSON_NUMBER) || pw_json_is(node, PW_JSON_TRUE) ||
        pw_json_is(node, PW_JSON_FALSE)) {
        value = (struct pw_str){.at = node->at, .len = node->len};
    } else if (pw_json_text(node, &value) != PW_OK || !pw_page_is_printed(value)) {
        pw_page_fail(call, 400, "bad_value", "value: must be a text without control characters",
                     PW_STR(""), "");
        return;
    }
    pw_put_s(&out, "set ");
    pw_put(&out, call->param);
    pw_put_c(&out, ' ');
    pw_put(&out, value);
    if (out.full) {
        pw_page_fail(call, 400, "bad_value", "value: is longer than any setting", PW_STR(""), "");
        return;
    }
    pw_page_run(call, pw_out_str(&out));
}

// "<word> [<argument>] <connector>", the connector from the path.
static void run_on(struct call *call, const char *word, struct pw_str before, struct pw_str after)
{
    char line[LINE_MAX];
    struct pw_out out = PW_OUT(line);
    unsigned index = 0;
    if (!take_connector(call, call->param, &index)) {
        return;
    }
    pw_put_s(&out, word);
    pw_put_c(&out, ' ');
    pw_put(&out, before);
    pw_put_c(&out, ' ');
    pw_put_uint(&out, index + 1);
    pw_put_c(&out, ' ');
    pw_put(&out, after);
    pw_page_run(call, pw_str_trim(pw_out_str(&out)));
}

void pw_page_api_start(struct call *call)
{
    const struct pw_json_node *node = pw_json_member(call->body, "id_tag");
    struct pw_str card = PW_STR("");
    bool given = node != NULL && !pw_json_is(node, PW_JSON_NULL);
    if (given && (pw_json_text(node, &card) != PW_OK || !is_word(card) || card.len > CARD_MAX)) {
        pw_page_fail(call, 422, "range", "id_tag: a card id has 1 to 20 characters without blanks",
                     PW_STR(""), "");
        return;
    }
    run_on(call, "start", PW_STR(""), card);
}

void pw_page_api_stop(struct call *call)
{
    run_on(call, "stop", PW_STR(""), PW_STR(""));
}

// {"limit_a": 10}, or null to take the limit away.
void pw_page_api_limit(struct call *call)
{
    const struct pw_json_node *node = pw_json_member(call->body, "limit_a");
    if (pw_json_is(node, PW_JSON_NULL)) {
        run_on(call, "limit", PW_STR("off"), PW_STR(""));
    } else if (pw_json_is(node, PW_JSON_NUMBER)) {
        run_on(call, "limit", (struct pw_str){.at = node->at, .len = node->len}, PW_STR(""));
    } else {
        pw_page_fail(call, 422, "range", "limit_a: must be a number of ampere, or null", PW_STR(""),
                     "");
    }
}

// {"name": "CP001", "forget": false}: the station's name, so that nobody does it by mistake.
void pw_page_api_factory_reset(struct call *call)
{
    char line[LINE_MAX];
    struct pw_out out = PW_OUT(line);
    struct pw_str name = PW_STR("");
    if (pw_json_text(pw_json_member(call->body, "name"), &name) != PW_OK || !is_word(name) ||
        name.len > LINE_MAX / 2) {
        pw_page_fail(call, 422, "range", "name: must be the name of this station", PW_STR(""), "");
        return;
    }
    pw_put_s(&out, "factory-reset ");
    pw_put(&out, name);
    pw_put_s(&out, pw_json_is(pw_json_member(call->body, "forget"), PW_JSON_TRUE) ? " forget" : "");
    pw_page_run(call, pw_out_str(&out));
}

// {"on": true}: timer and plan do not count until the vehicle is unplugged; false takes that back.
void pw_page_api_now(struct call *call)
{
    const struct pw_json_node *on = pw_json_member(call->body, "on");
    if (!pw_json_is(on, PW_JSON_TRUE) && !pw_json_is(on, PW_JSON_FALSE)) {
        pw_page_fail(call, 422, "range", "on: must be true or false", PW_STR(""), "");
        return;
    }
    run_on(call, "now", pw_json_is(on, PW_JSON_TRUE) ? PW_STR("") : PW_STR("off"), PW_STR(""));
}

// {"what": "energy", "value": 20000}: Wh, seconds or percent as the console has them; 0: no limit.
void pw_page_api_until(struct call *call)
{
    const struct pw_json_node *value = pw_json_member(call->body, "value");
    struct pw_str what = PW_STR("");
    char text[64];
    struct pw_out words = PW_OUT(text);
    bool good = pw_json_text(pw_json_member(call->body, "what"), &what) == PW_OK && is_word(what) &&
                pw_json_is(value, PW_JSON_NUMBER);
    pw_put(&words, what);
    pw_put_c(&words, ' ');
    if (good) {
        pw_put(&words, (struct pw_str){.at = value->at, .len = value->len});
    }
    if (!good || words.full) {
        pw_page_fail(call, 422, "range",
                     "what: must be energy, time or soc; value: a whole number of Wh, seconds or "
                     "percent",
                     PW_STR(""), "");
        return;
    }
    run_on(call, "until", pw_out_str(&words), PW_STR(""));
}

void pw_page_api_clear(struct call *call)
{
    run_on(call, "clear", PW_STR(""), PW_STR(""));
}

void pw_page_api_enable(struct call *call)
{
    run_on(call, "enable", PW_STR(""), PW_STR(""));
}

void pw_page_api_disable(struct call *call)
{
    run_on(call, "disable", PW_STR(""), PW_STR(""));
}

// --- Log.

// The areas of setting mqtt.debug: area n has its digits 2n (log) and 2n + 1 (broker).
void pw_page_api_debug(struct call *call)
{
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_key(json, "areas");
    pw_json_open(json, '[');
    for (size_t i = 0; i < PW_MQTT_AREAS; i++) {
        pw_json_open(json, '{');
        pw_json_say_s(json, "name", pw_mqtt_areas[i].name);
        pw_json_say_s(json, "rooms", pw_mqtt_areas[i].rooms);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
    pw_page_done(call, 200);
}

void pw_page_log_line(struct pw_json_writer *json, const struct pw_logring_line *line)
{
    pw_json_open(json, '{');
    pw_json_say_int(json, "cursor", (int64_t)line->cursor);
    pw_json_key(json, "time");
    if (line->wall == 0) {
        pw_json_put_null(json);
    } else {
        pw_json_put_time(json, line->wall);
    }
    pw_json_say_s(json, "level", pw_level_name(line->level));
    pw_json_say_s(json, "room", line->room);
    pw_json_say_text(json, "text", line->text);
    pw_json_close(json, '}');
}

// Where to begin so that the newest `lines` are read.
static uint64_t near_the_end(const struct pw_logring *log, enum pw_level most, int64_t lines)
{
    struct pw_logring_line line;
    uint64_t cursor = log->next;
    while (lines-- > 0 && pw_logring_back(log, cursor, most, &line)) {
        cursor = line.cursor;
    }
    return cursor;
}

static bool take_level(struct call *call, enum pw_level *most)
{
    struct pw_str word = pw_http_query(call->request->query, "level");
    *most = PW_LOG_DEBUG;
    for (int level = PW_LOG_ERROR; word.len > 0 && level <= PW_LOG_DEBUG; level++) {
        if (pw_str_is(word, pw_level_name((enum pw_level)level))) {
            *most = (enum pw_level)level;
            return true;
        }
    }
    if (word.len > 0) {
        pw_page_fail(call, 400, "bad_value", "level: must be error, warn, info or debug",
                     PW_STR(""), "");
    }
    return word.len == 0;
}

void pw_page_api_log(struct call *call)
{
    const struct pw_logring *log = call->page->config.log;
    struct pw_str from = pw_http_query(call->request->query, "cursor");
    struct pw_str limit = pw_http_query(call->request->query, "limit");
    struct pw_logring_line line;
    enum pw_level most = PW_LOG_DEBUG;
    int64_t cursor = -1;
    int64_t lines = LOG_USUAL;
    if (log == NULL) {
        pw_page_fail(call, 404, "not_found", "this station keeps no log", PW_STR(""), "");
        return;
    }
    if ((from.len > 0 && pw_parse_int(from, 0, INT64_MAX, &cursor) != PW_OK) ||
        (limit.len > 0 && pw_parse_int(limit, 1, LOG_MOST, &lines) != PW_OK)) {
        pw_page_fail(call, 400, "bad_value", "cursor: a whole number; limit: 1..200", PW_STR(""),
                     "");
        return;
    }
    if (!take_level(call, &most)) {
        return;
    }
    uint64_t first = cursor >= 0 ? (uint64_t)cursor : near_the_end(log, most, lines);
    uint64_t next = first;
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_key(json, "lines");
    pw_json_open(json, '[');
    while (lines-- > 0 && pw_logring_read(log, next, most, &line)) {
        pw_page_log_line(json, &line);
        next = line.cursor + 1;
    }
    pw_json_close(json, ']');
    pw_json_say_int(json, "next", (int64_t)next);
    pw_json_say_int(json, "gone", (int64_t)pw_logring_gone(log, first, next));
    pw_page_done(call, 200);
}
