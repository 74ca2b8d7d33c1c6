// Commands that go over a station's link, and what came over it.
#include "at_central.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX 512
#define PATH_CAP 512

// --- Orders. The central checks the values and says what is allowed.

// A number as it was typed; nothing else may get into the JSON. False for what is none.
static bool put_number(struct pw_json_writer *json, const char *key, const char *text)
{
    int64_t value = 0;
    if (pw_parse_fixed(pw_str_of(text), 3, &value) != PW_OK) {
        return false;
    }
    pw_json_say_fixed(json, key, value, 3);
    return true;
}

static const char *connector_of(const struct call *call)
{
    return call->request->arguments > 2 ? call->request->argument[2] : "1";
}

int on_limit(const struct call *call)
{
    const struct request *request = call->request;
    char path[PATH_CAP];
    char body[BODY_MAX];
    struct pw_out at = PW_OUT(path);
    struct pw_out out = PW_OUT(body);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    // The most there is, for good: as before anybody spoke.
    bool off = strcmp(request->argument[1], "off") == 0;
    const struct {
        const char *key;
        const char *text;
        const char *about;
    } rows[] = {
        {"connector_id", connector_of(call), "is no connector; it must be 1..32"},
        {"current_a", off ? "80" : request->argument[1],
         "is no current; it must be off, 0 or 6 to 80 A"},
        {"lease_s", request->lease != NULL ? request->lease : "300",
         "is no time; --lease must be 10 to 3600 s"},
        {"fallback_a",
         request->fallback != NULL ? request->fallback
         : off                     ? "80"
                                   : "6",
         "is no current; --fallback must be 0 or 6 to 80 A"},
    };
    pw_json_open(&json, '{');
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!put_number(&json, rows[i].key, rows[i].text)) {
            return fail_usage(rows[i].text, rows[i].about);
        }
    }
    pw_json_close(&json, '}');
    put_station_path(&at, call, "/link/limit");
    return order(call, "POST", path, body, false);
}

int on_energize(const struct call *call)
{
    const struct request *request = call->request;
    char path[PATH_CAP];
    char body[BODY_MAX];
    struct pw_out at = PW_OUT(path);
    struct pw_out out = PW_OUT(body);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    bool on = strcmp(request->argument[1], "on") == 0;
    if (!on && strcmp(request->argument[1], "off") != 0) {
        return fail_usage(request->argument[1], "must be on or off");
    }
    pw_json_open(&json, '{');
    if (!put_number(&json, "connector_id", connector_of(call))) {
        return fail_usage(connector_of(call), "is no connector; it must be 1..32");
    }
    pw_json_say_bool(&json, "on", on);
    pw_json_say_bool(&json, "force", request->force);
    if (request->card != NULL) {
        pw_json_say_s(&json, "id_tag", request->card);
    }
    pw_json_close(&json, '}');
    if (out.full) {
        return fail_usage("--card", "is too long");
    }
    put_station_path(&at, call, "/link/energize");
    return order(call, "POST", path, body, false);
}

static const struct column outlet_columns[] = {
    {"connector", "connector_id", true},
    {"kind", "kind", false},
    {"status", "status", false},
    {"pilot", "pilot", false},
    {"energised", "energised", false},
    {"state", "state", false},
    {"why", "state_why", false},
    {"phases", "phases", true},
    {"voltage_v", "phase_voltage_v", false},
    {"current_a", "phase_current_a", false},
    {"power_w", "phase_power_w", false},
    {"offered_a", "offered_a", true},
    {"limit_a", "limit.a", true},
    {"limit_by", "limit.source", false},
    {"limit_why", "limit.why", false},
    {"cable_a", "cable_a", true},
    {"energy_wh", "energy_wh", true},
    {"faults", "faults", true},
};

int on_snapshot(const struct call *call)
{
    char path[PATH_CAP];
    struct pw_out at = PW_OUT(path);
    struct pw_str answer = {0};
    struct document document;
    put_station_path(&at, call, "/link/snapshot");
    int code = order(call, "POST", path, "{}", true);
    if (code != EXIT_DONE) {
        return code;
    }
    at.len = 0;
    put_station_path(&at, call, "");
    int err = remote_ask(call->remote, "GET", path, NULL, &answer, call->why);
    if (err == PW_OK && call->request->form == FORM_JSON) {
        (void)printf("%.*s\n", (int)answer.len, answer.at);
        return EXIT_DONE;
    }
    if (err == PW_OK) {
        err = document_read(&document, answer, call->why);
    }
    if (err == PW_OK) {
        const struct table table = {.column = outlet_columns,
                                    .columns = PW_COUNT(outlet_columns),
                                    .rows = pw_json_member(document_root(&document), "connectors")};
        table_print(&table, call->request->form, stdout);
        document_free(&document);
    }
    return code_of(call, err);
}

// --- Lists.

static const struct column line_columns[] = {
    {"n", "n", true},        {"time", "time", false},      {"level", "level", false},
    {"room", "room", false}, {"dropped", "dropped", true}, {"text", "text", false},
};

static const struct column event_columns[] = {
    {"n", "n", true},        {"seq", "seq", true},
    {"time", "time", false}, {"connector", "connector_id", true},
    {"kind", "kind", false}, {"value", "value", true},
    {"text", "text", false},
};

// What --follow needs to know of each event.
struct following {
    const struct call *call;
    size_t levels; // the first of them are wanted
    char event[32];
};

static const char *const levels[] = {"error", "warn", "info", "debug"};

static bool wanted(const struct following *following, const struct pw_json_node *root)
{
    struct pw_str station;
    struct pw_str level = {0};
    bool ours = pw_json_text(pw_json_member(root, "station_id"), &station) == PW_OK &&
                pw_json_text(pw_json_member(root, "level"), &level) == PW_OK &&
                pw_str_is(station, following->call->request->argument[0]);
    for (size_t i = 0; ours && i < following->levels; i++) {
        if (pw_str_is(level, levels[i])) {
            return true;
        }
    }
    return false;
}

static void print_row(const struct following *following, struct pw_str data)
{
    static const struct table table = {.column = line_columns, .columns = PW_COUNT(line_columns)};
    enum form form = following->call->request->form;
    char ignored[64];
    struct pw_out why = PW_OUT(ignored);
    struct document document;
    if (document_read(&document, data, &why) != PW_OK) {
        return;
    }
    const struct pw_json_node *root = document_root(&document);
    if (wanted(following, root) && form == FORM_JSON) {
        (void)printf("%.*s\n", (int)data.len, data.at);
    } else if (wanted(following, root)) {
        table_print_row(&table, root, form, stdout);
    }
    (void)fflush(stdout);
    document_free(&document);
}

static void on_event(void *context, struct pw_str text)
{
    struct following *following = context;
    if (pw_str_starts(text, "event: ")) {
        (void)snprintf(following->event, sizeof(following->event), "%.*s", (int)(text.len - 7),
                       text.at + 7);
    } else if (pw_str_starts(text, "data: ") && strcmp(following->event, "log") == 0) {
        print_row(following, (struct pw_str){.at = text.at + 6, .len = text.len - 6});
    }
}

static int follow_lines(const struct call *call)
{
    const char *level = call->request->level != NULL ? call->request->level : "debug";
    struct following following = {.call = call};
    char path[PATH_CAP];
    struct pw_out out = PW_OUT(path);
    for (size_t i = 0; i < PW_COUNT(levels); i++) {
        following.levels = strcmp(levels[i], level) == 0 ? i + 1 : following.levels;
    }
    if (following.levels == 0) {
        return fail_usage(level, "is none of error, warn, info, debug");
    }
    pw_put_s(&out, "/events?ocpp=");
    put_escaped(&out, call->request->argument[0]);
    return code_of(call, remote_listen(call->remote, path, on_event, &following, call->why));
}

static int list_of(const struct call *call, const char *what, const struct list *list)
{
    const struct request *request = call->request;
    char path[PATH_CAP];
    struct pw_out out = PW_OUT(path);
    const struct {
        const char *key;
        const char *value;
    } rows[] = {{"&query=", request->find}, {"&level=", request->level}};
    put_station_path(&out, call, what);
    pw_put_s(&out, "?limit=");
    put_escaped(&out, request->limit != NULL ? request->limit : "100");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (rows[i].value != NULL) {
            pw_put_s(&out, rows[i].key);
            put_escaped(&out, rows[i].value);
        }
    }
    if (out.full) {
        return fail_usage("--find", "is too long");
    }
    return show_list(call, path, list);
}

int on_logs(const struct call *call)
{
    const struct list list = {line_columns, PW_COUNT(line_columns), "lines", NULL};
    if (!call->request->follow) {
        return list_of(call, "/logs", &list);
    }
    if (call->request->find != NULL) {
        return fail_usage("--find", "does not go with --follow; use grep");
    }
    return follow_lines(call);
}

int on_link_events(const struct call *call)
{
    const struct list list = {event_columns, PW_COUNT(event_columns), "events", NULL};
    return list_of(call, "/link/events", &list);
}
