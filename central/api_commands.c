// REST: commands, as OCPP has them. What each may say is read from the rows of its message.
#include "http.h"
#include "records.h"

static bool from_central(int action)
{
    return action >= 0 && (pw_ocpp16_actions[action].sender & PW_OCPP16_FROM_CENTRAL) != 0;
}

// --- Queueing.

// "scheme://host…" (RFC 3986 §3), and nothing in it that would end a line or a word.
static bool is_location(struct pw_str text)
{
    size_t i = 0;
    while (i < text.len && text.at[i] != ':') {
        char c = (char)(text.at[i] | 0x20);
        bool letter = c >= 'a' && c <= 'z';
        bool digit = text.at[i] >= '0' && text.at[i] <= '9';
        bool mark = text.at[i] == '+' || text.at[i] == '-' || text.at[i] == '.';
        if (!letter && (i == 0 || (!digit && !mark))) {
            return false;
        }
        i++;
    }
    struct pw_str rest = {.at = text.at + i, .len = text.len - i};
    bool host = i > 0 && rest.len > 3 && pw_str_starts(rest, "://") && rest.at[3] != '/';
    for (size_t k = i; k < text.len; k++) {
        unsigned char c = (unsigned char)text.at[k];
        host = host && c > 0x20 && c < 0x7F;
    }
    return host;
}

// Where a station is to load from or send to must be a place. False after answering 400.
static bool locations_ok(struct http *http, int action)
{
    static const struct {
        int action;
        const char *outer; // NULL: in the payload itself
        const char *key;
        const char *path; // of the message
    } rows[] = {
        {PW_OCPP16_GET_DIAGNOSTICS, NULL, "location", "payload.location"},
        {PW_OCPP16_UPDATE_FIRMWARE, NULL, "location", "payload.location"},
        {PW_OCPP16_SIGNED_UPDATE_FIRMWARE, "firmware", "location", "payload.firmware.location"},
        {PW_OCPP16_GET_LOG, "log", "remoteLocation", "payload.log.remoteLocation"},
    };
    const struct pw_json_node *payload = &http->central->asked.node[0];
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_str text;
        const struct pw_json_node *in =
            rows[i].outer != NULL ? pw_json_member(payload, rows[i].outer) : payload;
        if (rows[i].action == action &&
            (pw_json_text(pw_json_member(in, rows[i].key), &text) != PW_OK || !is_location(text))) {
            http_fail(http, 400, "bad_value", rows[i].path, PW_STR(""),
                      " must be a URI with scheme and host, as https://host/path");
            return false;
        }
    }
    return true;
}

// Checks the payload as strictly as a station may. False after answering 400.
static bool payload_ok(struct http *http, int action, struct pw_str payload)
{
    uint64_t req[REQUEST_WORDS];
    struct pw_ocpp_fault fault;
    struct pw_json *json = &http->central->asked;
    const struct pw_ocpp_object *object = pw_ocpp16_actions[action].req;
    PW_ASSERT(object->size <= sizeof(req));
    if (pw_json_read(json, payload) != PW_OK) {
        http_fail(http, 400, "bad_value", "payload: ", pw_str_of(pw_json_fault_name(json->fault)),
                  "");
        return false;
    }
    if (pw_ocpp_decode(object, &json->node[0], PW_OCPP_REFUSE_UNKNOWN_KEYS, req, &fault) != PW_OK) {
        http_fail(http, 400, "bad_value", "payload: ", pw_str_of(fault.text), "");
        return false;
    }
    return true;
}

void http_queued(struct http *http, struct station *station, int64_t id)
{
    if (id == PW_ERR_LIMIT) {
        http->reply->retry_after_s = 1;
        http_fail(http, 429, "queue_full", "16 commands wait for this station already", PW_STR(""),
                  "");
        return;
    }
    if (id < 0) {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
        return;
    }
    bool offline = station->link == NULL;
    commands_go(http->central, station, http->at);
    struct pw_json_writer *json = http_object(http);
    pw_json_say_int(json, "command_id", id);
    pw_json_say_s(json, "state", offline ? "offline" : "pending");
    http_done(http, 202);
}

// What decides whom a station believes, or what runs on it, is for admins, by whichever route it
// comes.
static bool is_for_admins(int action)
{
    static const int actions[] = {PW_OCPP16_UPDATE_FIRMWARE, PW_OCPP16_SIGNED_UPDATE_FIRMWARE,
                                  PW_OCPP16_INSTALL_CERTIFICATE, PW_OCPP16_DELETE_CERTIFICATE,
                                  PW_OCPP16_CERTIFICATE_SIGNED};
    bool admins = false;
    for (size_t i = 0; i < PW_COUNT(actions); i++) {
        admins = admins || action == actions[i];
    }
    return admins;
}

// `asked` holds the payload.
static bool may_order(struct http *http, int action)
{
    static const char *const keys[] = {"SecurityProfile", "AdditionalRootCertificateCheck",
                                       "CpoName"};
    bool admins = is_for_admins(action);
    struct pw_str key;
    if (action == PW_OCPP16_CHANGE_CONFIGURATION &&
        pw_json_text(pw_json_member(&http->central->asked.node[0], "key"), &key) == PW_OK) {
        for (size_t i = 0; i < PW_COUNT(keys); i++) {
            admins = admins || pw_str_eq_nocase(key, pw_str_of(keys[i]));
        }
    }
    return http_may(http, admins ? ADMIN : OPERATOR);
}

void http_command(struct http *http, struct station *station, int action, struct pw_str payload)
{
    if (payload_ok(http, action, payload) && locations_ok(http, action) &&
        may_order(http, action)) {
        http_queued(http, station,
                    command_queue(http->central, station, action, payload, false, http->at));
    }
}

// The names of all commands, for whoever gave none of them.
static void fail_action(struct http *http, struct pw_str name)
{
    char text[900];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "\" is none of ");
    const char *between = "";
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        if (from_central(i)) {
            pw_put_s(&out, between);
            pw_put(&out, action_text(i));
            between = ", ";
        }
    }
    http_fail(http, 400, "bad_value", "action: \"", name, text);
}

static bool is_authorization_key(const struct pw_json_node *payload)
{
    struct pw_str key;
    return pw_json_text(pw_json_member(payload, "key"), &key) == PW_OK &&
           pw_str_eq_nocase(key, PW_STR("AuthorizationKey"));
}

void api_command_add(struct http *http)
{
    struct station *station = http_station(http);
    struct pw_str name;
    if (station == NULL || !http_text(http, "action", 36, true, &name)) {
        return;
    }
    int action = pw_ocpp16_action_find(name);
    if (!from_central(action)) {
        fail_action(http, name);
        return;
    }
    const struct pw_json_node *payload = pw_json_member(http->body, "payload");
    if (payload != NULL && !pw_json_is(payload, PW_JSON_OBJECT)) {
        http_fail(http, 400, "bad_value", "payload: must be an object", PW_STR(""), "");
        return;
    }
    if (action == PW_OCPP16_CHANGE_CONFIGURATION && is_authorization_key(payload)) {
        // It would be in the log, and the station would be locked out unless both ends change.
        http_fail(http, 400, "bad_value",
                  "payload.key: AuthorizationKey cannot be changed this way; use"
                  " POST /stations/{id}/key",
                  PW_STR(""), "");
        return;
    }
    http_command(http, station, action,
                 payload != NULL ? (struct pw_str){.at = payload->at, .len = payload->len}
                                 : PW_STR("{}"));
}

// --- Following.

void api_command(struct http *http)
{
    int64_t id = 0;
    struct pw_json_writer *json = http_object(http);
    if (pw_parse_int(http->param, 1, INT64_MAX, &id) != PW_OK ||
        !report_command(http->central, json, id)) {
        http_fail(http, 404, "not_found", "there is no command \"", http->param, "\"");
        return;
    }
    http_done(http, 200);
}

void api_commands(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t before = 0;
    int64_t limit = 0;
    if (station == NULL || !http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &before) ||
        !http_query_int(http, "limit", 1, 500, 50, &limit)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "commands");
    pw_json_open(json, '[');
    report_commands(http->central, json, station, before, limit);
    pw_json_close(json, ']');
    http_done(http, 200);
}

// --- What there is to ask: the rows as they are, for forms and for programs.

static void put_words(struct pw_json_writer *json, const struct pw_ocpp_codes *codes)
{
    pw_json_key(json, "words");
    pw_json_open(json, '[');
    for (int i = 0; i < codes->count; i++) {
        pw_json_put_text(json, pw_ocpp_code_text(codes, i));
    }
    pw_json_close(json, ']');
}

// Objects hold objects; this goes along without recursion, because there is a deepest one.
struct place {
    const struct pw_ocpp_object *object;
    uint8_t row;
};

// True when the row opens an object of its own, whose fields come next.
static bool put_row(struct pw_json_writer *json, const struct pw_ocpp_row *row)
{
    static const char *const kinds[] = {
        [PW_OCPP_KIND_INT] = "integer",  [PW_OCPP_KIND_NAT] = "integer",
        [PW_OCPP_KIND_POS] = "integer",  [PW_OCPP_KIND_TENTHS] = "number",
        [PW_OCPP_KIND_BOOL] = "boolean", [PW_OCPP_KIND_TEXT] = "text",
        [PW_OCPP_KIND_TIME] = "time",    [PW_OCPP_KIND_CODE] = "word",
        [PW_OCPP_KIND_WORD] = "word",    [PW_OCPP_KIND_OBJECT] = "object",
        [PW_OCPP_KIND_LIST] = "list",
    };
    pw_json_open(json, '{');
    pw_json_say_s(json, "key", row->key);
    pw_json_say_s(json, "type", kinds[row->kind]);
    pw_json_say_bool(json, "required", row->must != 0);
    if (row->kind == PW_OCPP_KIND_NAT || row->kind == PW_OCPP_KIND_POS) {
        pw_json_say_int(json, "least", row->kind == PW_OCPP_KIND_POS ? 1 : 0);
    }
    if (row->kind == PW_OCPP_KIND_TEXT && row->of.max > 0) {
        pw_json_say_int(json, "length", row->of.max);
    }
    if (row->kind == PW_OCPP_KIND_CODE || row->kind == PW_OCPP_KIND_WORD) {
        put_words(json, row->of.codes);
    }
    bool nested = row->kind == PW_OCPP_KIND_OBJECT || row->kind == PW_OCPP_KIND_LIST;
    if (nested) {
        pw_json_key(json, "fields");
        pw_json_open(json, '[');
    } else {
        pw_json_close(json, '}');
    }
    return nested;
}

static void put_fields(struct pw_json_writer *json, const struct pw_ocpp_object *object)
{
    struct place stack[PW_OCPP_NEST_MAX + 1] = {{.object = object}};
    size_t depth = 0;
    pw_json_key(json, "fields");
    pw_json_open(json, '[');
    for (;;) {
        struct place *here = &stack[depth];
        if (here->row == here->object->count) {
            pw_json_close(json, ']');
            if (depth == 0) {
                return;
            }
            pw_json_close(json, '}');
            depth--;
            continue;
        }
        const struct pw_ocpp_row *row = &here->object->rows[here->row++];
        bool nested = put_row(json, row);
        PW_ASSERT(!nested || depth < PW_OCPP_NEST_MAX);
        if (nested) {
            stack[++depth] = (struct place){.object = row->of.object};
        }
    }
}

void api_actions(struct http *http)
{
    static const char *const features[] = {
        "Core",        "FirmwareManagement", "LocalAuthListManagement",
        "Reservation", "SmartCharging",      "RemoteTrigger",
        "Security"};
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "actions");
    pw_json_open(json, '[');
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        if (!from_central(i)) {
            continue;
        }
        const struct effect_row *effect = effect_row_of(i);
        pw_json_open(json, '{');
        pw_json_say_text(json, "action", action_text(i));
        pw_json_say_s(json, "role", role_name(is_for_admins(i) ? ROLE_ADMIN : ROLE_OPERATOR));
        pw_json_say_s(json, "feature", features[pw_ocpp16_actions[i].feature]);
        pw_json_say_int(json, "effect_s", effect != NULL ? effect->wait_s : 0);
        put_fields(json, pw_ocpp16_actions[i].req);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
    http_done(http, 200);
}
