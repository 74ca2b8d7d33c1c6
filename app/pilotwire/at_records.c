// What a central system keeps of its stations, and every command OCPP has.
#include "at_central.h"

#include <string.h>

#define BODY_MAX 8192

static int list_of(const struct call *call, const char *rest, const struct list *list)
{
    char path[512];
    struct pw_out out = PW_OUT(path);
    put_station_path(&out, call, rest);
    if (strchr(rest, '?') == NULL && call->request->limit != NULL) {
        pw_put_s(&out, "?limit=");
        put_escaped(&out, call->request->limit);
    }
    return show_list(call, path, list);
}

static int post(const struct call *call, const char *rest, const struct pw_out *body)
{
    char path[256];
    struct pw_out out = PW_OUT(path);
    put_station_path(&out, call, rest);
    if (body->full || out.full) {
        return fail_usage(call->request->word, "its arguments are too long");
    }
    return order(call, "POST", path, body->at, false);
}

// ---------------------------------------------------------------------------------------------

int on_actions(const struct call *call)
{
    static const struct column columns[] = {
        {"action", "action", false}, {"profile", "feature", false}, {"effect_s", "effect_s", true}};
    const struct list list = {columns, PW_COUNT(columns), "actions", NULL};
    return show_list(call, "/actions", &list);
}

static bool is_json(const char *text, struct pw_out *why)
{
    struct document document;
    char ignored[200];
    struct pw_out out = PW_OUT(ignored);
    if (document_read(&document, pw_str_of(text), &out) != PW_OK) {
        pw_put_s(why, "the payload is no JSON, or too large");
        return false;
    }
    document_free(&document);
    return true;
}

int on_send(const struct call *call)
{
    const struct request *request = call->request;
    char text[BODY_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    if (request->arguments > 2 && !is_json(request->argument[2], call->why)) {
        return fail_with(EXIT_USAGE, call->why);
    }
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "action", request->argument[1]);
    if (request->arguments > 2) {
        pw_json_say_raw(&json, "payload", pw_str_of(request->argument[2]));
    }
    pw_json_close(&json, '}');
    return post(call, "/commands", &body);
}

int on_commands(const struct call *call)
{
    static const struct column columns[] = {
        {"command", "command_id", true}, {"action", "action", false},
        {"by", "origin", false},         {"asked", "requested_at", false},
        {"state", "state", false},       {"answer", "answer.status", false},
        {"seen", "effect_state", false}, {"effect", "effect", false},
        {"payload", "payload", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "commands", NULL};
    return list_of(call, "/commands", &list);
}

int on_configuration(const struct call *call)
{
    static const struct column columns[] = {
        {"key", "key", false},           {"value", "value", false},
        {"readonly", "readonly", false}, {"after_reboot", "wanted", false},
        {"read", "read_at", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "keys", NULL};
    return list_of(call, "/configuration?changes=0", &list);
}

int on_local_list(const struct call *call)
{
    static const struct column columns[] = {{"card", "id_tag", false},
                                            {"status", "status", false},
                                            {"parent", "parent", false},
                                            {"expires", "expires", false}};
    static const struct {
        const char *word;
        const char *body;
    } rows[] = {{"sync", "{}"},
                {"full", "{\"mode\":\"full\"}"},
                {"automatic", "{\"mode\":\"none\",\"automatic\":true}"},
                {"manual", "{\"mode\":\"none\",\"automatic\":false}"}};
    enum { RULES_FROM = 2 }; // the rows from here on send nothing by themselves
    const struct list list = {columns, PW_COUNT(columns), "entries", NULL};
    char path[256];
    struct pw_out out = PW_OUT(path);
    if (call->request->arguments < 2) {
        return list_of(call, "/local-list?", &list);
    }
    put_station_path(&out, call, "/local-list");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(call->request->argument[1], rows[i].word) == 0) {
            return order(call, "PUT", path, rows[i].body, i >= RULES_FROM);
        }
    }
    return fail_usage(call->request->argument[1], "must be sync, full, automatic or manual");
}

int on_reservations(const struct call *call)
{
    static const struct column columns[] = {
        {"reservation", "id", true},
        {"connector", "connector_id", true},
        {"card", "id_tag", false},
        {"parent", "parent", false},
        {"until", "expires", false},
        {"state", "state", false},
        {"transaction", "transaction_id", true},
    };
    const struct list list = {columns, PW_COUNT(columns), "reservations", NULL};
    return list_of(call, "/reservations?", &list);
}

int on_reserve(const struct call *call)
{
    const struct request *request = call->request;
    char text[BODY_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    int64_t connector = 0;
    if (request->card == NULL) {
        return fail_usage("reserve", "needs --card ID");
    }
    if (pw_parse_int(pw_str_of(request->argument[1]), 0, INT32_MAX, &connector) != PW_OK) {
        return fail_usage(request->argument[1], "is no connector; 0 is any");
    }
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "connector_id", connector);
    pw_json_say_s(&json, "expires", request->argument[2]);
    pw_json_say_s(&json, "id_tag", request->card);
    pw_json_close(&json, '}');
    return post(call, "/reservations", &body);
}

// DELETE with one number in the query; none without the argument.
static int take_away(const struct call *call, const char *rest)
{
    char path[256];
    struct pw_out out = PW_OUT(path);
    put_station_path(&out, call, rest);
    if (call->request->arguments > 1) {
        pw_put_s(&out, "?id=");
        put_escaped(&out, call->request->argument[1]);
    }
    return order(call, "DELETE", path, NULL, false);
}

int on_unreserve(const struct call *call)
{
    return take_away(call, "/reservations");
}

int on_profiles(const struct call *call)
{
    static const struct column columns[] = {
        {"profile", "profile_id", true},         {"connector", "connector_id", true},
        {"purpose", "purpose", false},           {"level", "stack_level", true},
        {"transaction", "transaction_id", true}, {"set", "set_at", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "profiles", NULL};
    return list_of(call, "/charging-profiles?", &list);
}

int on_clear_profiles(const struct call *call)
{
    return take_away(call, "/charging-profiles");
}

// ---------------------------------------------------------------------------------------------

int on_files(const struct call *call)
{
    static const struct column columns[] = {
        {"job", "id", true},          {"kind", "kind", false},
        {"state", "state", false},    {"over", "over", false},
        {"asked", "made_at", false},  {"changed", "changed_at", false},
        {"file", "file_name", false}, {"location", "location", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "jobs", NULL};
    return list_of(call, "/files", &list);
}

int on_diagnostics(const struct call *call)
{
    char text[BODY_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    pw_json_open(&json, '{');
    pw_json_key(&json, "type");
    bool here = call->request->arguments < 2 || strcmp(call->request->argument[1], "here") == 0;
    pw_json_put_s(&json, call->request->arguments > 2 ? call->request->argument[2] : "diagnostics");
    if (!here) {
        pw_json_say_s(&json, "location", call->request->argument[1]);
    }
    pw_json_close(&json, '}');
    return post(call, "/logs", &body);
}

// ---------------------------------------------------------------------------------------------

int on_security_events(const struct call *call)
{
    static const struct column columns[] = {
        {"n", "n", true},         {"time", "at", false},        {"station", "station_id", false},
        {"event", "type", false}, {"info", "tech_info", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "events", NULL};
    return call->request->arguments > 0 ? list_of(call, "/security-events", &list)
                                        : show_list(call, "/security-events", &list);
}

int on_certificates(const struct call *call)
{
    static const struct column columns[] = {
        {"serial", "serial", false}, {"subject", "subject", false}, {"state", "state", false},
        {"from", "from", false},     {"to", "to", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "issued", NULL};
    return list_of(call, "/certificates?", &list);
}

static int post_nothing(const struct call *call, const char *rest)
{
    char text[] = "{}";
    const struct pw_out body = {.at = text, .cap = sizeof(text), .len = 2};
    return post(call, rest, &body);
}

int on_renew(const struct call *call)
{
    return post_nothing(call, "/certificates/renew");
}

int on_rekey(const struct call *call)
{
    return post_nothing(call, "/key");
}
