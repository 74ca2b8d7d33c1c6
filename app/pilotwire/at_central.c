// The commands at a central system.
#include "at_central.h"

#include "password.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMAND_MAX_S 40 // the station's own time-out is 30 s

int code_of(const struct call *call, int err)
{
    return err == PW_OK
               ? EXIT_DONE
               : fail_with(err == PW_ERR_BUSY ? EXIT_REFUSED : EXIT_UNREACHABLE, call->why);
}

void put_escaped(struct pw_out *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            pw_put_c(out, (char)c);
        } else {
            pw_put_c(out, '%');
            pw_put_hex(out, c, 2);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Lists.

static const struct column station_columns[] = {
    {"station", "^id", false},
    {"online", "^online", false},
    {"profile", "^security_profile", true},
    {"connector", "connector_id", true},
    {"status", "status", false},
    {"info", "info", false},
    {"power_w", "power_w", true},
    {"offered_a", "offered_a", true},
    {"soc_percent", "soc_percent", true},
    {"vehicle", "vehicle.model", false},
    {"range_km", "vehicle.range_km", true},
    {"card", "id_tag", false},
    {"transaction", "transaction_id", true},
    {"last_seen", "^last_seen", false},
    {"kind", "kind", false},
    {"pilot", "pilot", false},
    {"limit_a", "limit.a", true},
    {"limit_by", "limit.source", false},
};

static const struct column session_columns[] = {
    {"session", "id", true},
    {"station", "station_id", false},
    {"connector", "connector_id", true},
    {"transaction", "transaction_id", true},
    {"card", "id_tag", false},
    {"start", "start_at", false},
    {"stop", "stop_at", false},
    {"reason", "stop_reason", false},
    {"energy_wh", "energy_wh", true},
    {"duration_s", "duration_s", true},
    {"soc_start", "soc_start", true},
    {"soc_end", "soc_end", true},
    {"vehicle", "vehicle_model", false},
};

static const struct column card_columns[] = {
    {"card", "id_tag", false},     {"status", "status", false}, {"parent", "parent", false},
    {"expires", "expires", false}, {"name", "name", false},
};

static const struct column unknown_columns[] = {
    {"card", "id_tag", false},
    {"station", "station_id", false},
    {"seen", "seen_at", false},
    {"times", "count", true},
};

static const struct column refused_columns[] = {
    {"time", "time", false},    {"station", "station_id", false}, {"address", "address", false},
    {"status", "status", true}, {"times", "count", true},         {"reason", "reason", false},
};

static const struct column log_columns[] = {
    {"seq", "seq", true},          {"time", "time", false},     {"from", "direction", false},
    {"kind", "kind", false},       {"action", "action", false}, {"ms", "latency_ms", true},
    {"payload", "payload", false},
};

void put_station_path(struct pw_out *out, const struct call *call, const char *rest)
{
    pw_put_s(out, "/stations/");
    put_escaped(out, call->request->argument[0]);
    pw_put_s(out, rest);
}

int print_list(const struct call *call, struct pw_str answer, const struct list *list)
{
    struct document document;
    if (call->request->form == FORM_JSON) {
        (void)printf("%.*s\n", (int)answer.len, answer.at);
        return PW_OK;
    }
    int err = document_read(&document, answer, call->why);
    if (err == PW_OK) {
        const struct table table = {.column = list->column,
                                    .columns = list->columns,
                                    .rows = pw_json_member(document_root(&document), list->member),
                                    .inner = list->inner};
        table_print(&table, call->request->form, stdout);
        document_free(&document);
    }
    return err;
}

int show_list(const struct call *call, const char *path, const struct list *list)
{
    struct pw_str answer = {0};
    int err = remote_ask(call->remote, "GET", path, NULL, &answer, call->why);
    err = err == PW_OK ? print_list(call, answer, list) : err;
    return code_of(call, err);
}

static int on_stations(const struct call *call)
{
    const struct list list = {station_columns, PW_COUNT(station_columns), "stations", "connectors"};
    return show_list(call, "/stations", &list);
}

static int on_sessions(const struct call *call)
{
    const struct list list = {session_columns, PW_COUNT(session_columns), "sessions", NULL};
    char path[512];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, "/sessions?limit=");
    put_escaped(&out, call->request->limit != NULL ? call->request->limit : "50");
    if (call->request->filter != NULL) {
        pw_put_s(&out, "&station=");
        put_escaped(&out, call->request->filter);
    }
    return show_list(call, path, &list);
}

static int on_cards(const struct call *call)
{
    const struct list list = {card_columns, PW_COUNT(card_columns), "cards", NULL};
    return show_list(call, "/cards", &list);
}

static int on_unknown_cards(const struct call *call)
{
    const struct list list = {unknown_columns, PW_COUNT(unknown_columns), "cards", NULL};
    return show_list(call, "/cards/unknown", &list);
}

static int on_refused(const struct call *call)
{
    const struct list list = {refused_columns, PW_COUNT(refused_columns), "refused", NULL};
    return show_list(call, "/refused", &list);
}

static int on_log(const struct call *call)
{
    const struct list list = {log_columns, PW_COUNT(log_columns), "entries", NULL};
    char path[512];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, "/stations/");
    put_escaped(&out, call->request->argument[0]);
    pw_put_s(&out, "/log?limit=");
    put_escaped(&out, call->request->limit != NULL ? call->request->limit : "100");
    return show_list(call, path, &list);
}

// ---------------------------------------------------------------------------------------------
// Commands to a station: queued at the central system, then followed until they are answered.

static void put_member(struct pw_str name, const struct pw_json_node *value, enum form form)
{
    char text[8192] = "";
    struct pw_out out = PW_OUT(text);
    put_value(&out, value, form);
    (void)printf("%.*s%s%s\n", (int)name.len, name.at, name.len > 0 ? "\t" : "", text);
}

// An answer's status, and what else it holds: a line each.
static void put_members(const struct pw_json_node *answer, enum form form)
{
    struct pw_json_iter it = pw_json_each(answer);
    const struct pw_json_node *status = pw_json_member(answer, "status");
    if (status != NULL) {
        put_member((struct pw_str){0}, status, form);
    }
    for (const struct pw_json_node *item = pw_json_next(&it); item != NULL;
         item = pw_json_next(&it)) {
        if (item != status) {
            put_member(it.key, item, form);
        }
    }
}

static void put_command(struct pw_str answer, enum form form)
{
    struct document document;
    char text[64];
    struct pw_out ignored = PW_OUT(text);
    if (form == FORM_JSON || document_read(&document, answer, &ignored) != PW_OK) {
        (void)printf("%.*s\n", (int)answer.len, answer.at);
        return;
    }
    const struct pw_json_node *root = document_root(&document);
    const struct pw_json_node *keys = member_at(root, "answer.configurationKey");
    if (keys != NULL && pw_json_count(keys) > 0) {
        static const struct column columns[] = {
            {"key", "key", false}, {"readonly", "readonly", false}, {"value", "value", false}};
        const struct table table = {.column = columns, .columns = 3, .rows = keys};
        table_print(&table, form, stdout);
    } else {
        const struct pw_json_node *told = member_at(root, "answer");
        if (told != NULL && pw_json_count(told) > 0) {
            put_members(told, form);
        } else {
            (void)puts("answered");
        }
    }
    document_free(&document);
}

// GetConfiguration was asked for keys, and none of them is there.
static bool unknown_only(const struct pw_json_node *command)
{
    const struct pw_json_node *known = member_at(command, "answer.configurationKey");
    const struct pw_json_node *unknown = member_at(command, "answer.unknownKey");
    return unknown != NULL && pw_json_count(unknown) > 0 &&
           (known == NULL || pw_json_count(known) == 0);
}

// PW_ERR_AGAIN while it is pending, PW_OK when the station accepted, PW_ERR_BUSY otherwise.
static int judge(struct pw_str answer, struct pw_out *why)
{
    struct document document;
    struct pw_str state;
    struct pw_str status = {0};
    int err = document_read(&document, answer, why);
    if (err != PW_OK) {
        return err;
    }
    const struct pw_json_node *root = document_root(&document);
    bool has_status = pw_json_text(member_at(root, "answer.status"), &status) == PW_OK;
    if (pw_json_text(pw_json_member(root, "state"), &state) != PW_OK) {
        pw_put_s(why, "the central system's answer has no state");
        err = PW_ERR_PEER;
    } else if (pw_str_is(state, "pending")) {
        err = PW_ERR_AGAIN;
    } else if (!pw_str_is(state, "answered")) {
        pw_put_s(why, "the station: ");
        pw_put(why, state);
        err = PW_ERR_BUSY;
    } else if (unknown_only(root)) {
        pw_put_s(why, "the station does not know the key");
        err = PW_ERR_BUSY;
    } else if (has_status && !pw_str_is(status, "Accepted") && !pw_str_is(status, "Scheduled") &&
               !pw_str_is(status, "RebootRequired") && !pw_str_is(status, "Unlocked")) {
        struct pw_str reason = {0};
        bool told = pw_json_text(member_at(root, "answer.reason"), &reason) == PW_OK;
        pw_put_s(why, told ? "the station refused: " : "the station answered ");
        pw_put(why, told ? reason : status);
        err = PW_ERR_BUSY;
    }
    document_free(&document);
    return err;
}

static int follow(const struct call *call, int64_t id, bool quiet)
{
    char path[64];
    struct pw_out out = PW_OUT(path);
    struct pw_str answer = {0};
    pw_put_s(&out, "/commands/");
    pw_put_int(&out, id);
    int err = PW_ERR_AGAIN;
    for (unsigned tries = 0; err == PW_ERR_AGAIN && tries < COMMAND_MAX_S * 5; tries++) {
        const struct timespec pause = {.tv_nsec = 200000000};
        if (tries > 0) {
            (void)nanosleep(&pause, NULL);
        }
        err = remote_ask(call->remote, "GET", path, NULL, &answer, call->why);
        if (err == PW_OK) {
            err = judge(answer, call->why);
        }
    }
    if (err == PW_ERR_AGAIN) {
        pw_put_s(call->why, "the station did not answer");
    }
    bool told = err == PW_OK || (err == PW_ERR_BUSY && call->request->form == FORM_JSON);
    if (told && !quiet) {
        put_command(answer, call->request->form);
    }
    return code_of(call, err == PW_ERR_AGAIN ? PW_ERR_BUSY : err);
}

int order(const struct call *call, const char *method, const char *path, const char *body,
          bool quiet)
{
    struct pw_str answer = {0};
    struct document document;
    int64_t id = 0;
    int err = remote_ask(call->remote, method, path, body, &answer, call->why);
    if (err == PW_OK) {
        err = document_read(&document, answer, call->why);
    }
    if (err != PW_OK) {
        return code_of(call, err);
    }
    bool done = pw_json_member(document_root(&document), "command_id") == NULL;
    err = pw_json_int(pw_json_member(document_root(&document), "command_id"), 0, INT64_MAX, &id);
    document_free(&document);
    if (done && strcmp(method, "PUT") == 0) {
        (void)puts(quiet ? "done" : "nothing to send");
        return EXIT_DONE;
    }
    if (err != PW_OK) {
        pw_put_s(call->why, "the central system's answer has no command_id");
        return code_of(call, PW_ERR_PEER);
    }
    return follow(call, id, quiet);
}

// `payload` is JSON.
static int command(const struct call *call, const char *action, const char *payload)
{
    char path[256];
    char body[2048];
    struct pw_out at = PW_OUT(path);
    struct pw_out out = PW_OUT(body);
    put_station_path(&at, call, "/commands");
    pw_put_s(&out, "{\"action\":\"");
    pw_put_s(&out, action);
    pw_put_s(&out, "\",\"payload\":");
    pw_put_s(&out, payload);
    pw_put_c(&out, '}');
    if (at.full || out.full) {
        return fail_usage(action, "its arguments are too long");
    }
    return order(call, "POST", path, body, false);
}

static int on_start(const struct call *call)
{
    const struct request *request = call->request;
    char payload[256];
    struct pw_out out = PW_OUT(payload);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    int64_t connector = 1;
    if (request->card == NULL) {
        return fail_usage("start", "needs --card ID at a central system");
    }
    if (request->arguments > 1 &&
        pw_parse_int(pw_str_of(request->argument[1]), 1, 255, &connector) != PW_OK) {
        return fail_usage(request->argument[1], "is no connector; it must be 1..255");
    }
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "connectorId", connector);
    pw_json_say_s(&json, "idTag", request->card);
    pw_json_close(&json, '}');
    return command(call, "RemoteStartTransaction", payload);
}

// The only running transaction of the station. PW_ERR_UNKNOWN with *why otherwise.
static int find_transaction(const struct pw_json_node *station, int64_t *id, struct pw_out *why)
{
    unsigned found = 0;
    struct pw_json_iter it = pw_json_each(pw_json_member(station, "connectors"));
    for (const struct pw_json_node *connector = pw_json_next(&it); connector != NULL;
         connector = pw_json_next(&it)) {
        found += pw_json_int(pw_json_member(connector, "transaction_id"), INT32_MIN, INT32_MAX,
                             id) == PW_OK;
    }
    if (found == 1) {
        return PW_OK;
    }
    pw_put_s(why, found == 0 ? "nothing is charging at this station"
                             : "several charges are running: name the transaction");
    return PW_ERR_BUSY;
}

static int look_up_transaction(const struct call *call, int64_t *id)
{
    char path[256];
    struct pw_out out = PW_OUT(path);
    struct pw_str answer = {0};
    struct document document;
    pw_put_s(&out, "/stations/");
    put_escaped(&out, call->request->argument[0]);
    int err = remote_ask(call->remote, "GET", path, NULL, &answer, call->why);
    if (err == PW_OK) {
        err = document_read(&document, answer, call->why);
    }
    if (err == PW_OK) {
        err = find_transaction(document_root(&document), id, call->why);
        document_free(&document);
    }
    return err;
}

static int on_stop(const struct call *call)
{
    const struct request *request = call->request;
    char payload[64];
    struct pw_out out = PW_OUT(payload);
    int64_t id = 0;
    if (request->arguments > 1) {
        if (pw_parse_int(pw_str_of(request->argument[1]), INT32_MIN, INT32_MAX, &id) != PW_OK) {
            return fail_usage(request->argument[1], "is no transaction number");
        }
    } else {
        int err = look_up_transaction(call, &id);
        if (err != PW_OK) {
            return code_of(call, err);
        }
    }
    pw_put_s(&out, "{\"transactionId\":");
    pw_put_int(&out, id);
    pw_put_c(&out, '}');
    return command(call, "RemoteStopTransaction", payload);
}

static int on_reset(const struct call *call)
{
    const char *kind = call->request->arguments > 1 ? call->request->argument[1] : "soft";
    if (strcmp(kind, "soft") != 0 && strcmp(kind, "hard") != 0) {
        return fail_usage(kind, "must be hard or soft");
    }
    return command(call, "Reset",
                   strcmp(kind, "hard") == 0 ? "{\"type\":\"Hard\"}" : "{\"type\":\"Soft\"}");
}

static int on_get(const struct call *call)
{
    char payload[256];
    struct pw_out out = PW_OUT(payload);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    if (call->request->arguments > 1) {
        pw_json_key(&json, "key");
        pw_json_open(&json, '[');
        pw_json_put_s(&json, call->request->argument[1]);
        pw_json_close(&json, ']');
    }
    pw_json_close(&json, '}');
    return command(call, "GetConfiguration", payload);
}

static int on_set(const struct call *call)
{
    char payload[1024];
    struct pw_out out = PW_OUT(payload);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "key", call->request->argument[1]);
    pw_json_say_s(&json, "value", call->request->argument[2]);
    pw_json_close(&json, '}');
    return command(call, "ChangeConfiguration", payload);
}

// ---------------------------------------------------------------------------------------------

static void print_event(void *context, struct pw_str text)
{
    char *event = context;
    if (pw_str_starts(text, "event: ")) {
        (void)snprintf(event, 32, "%.*s", (int)(text.len - 7), text.at + 7);
    } else if (pw_str_starts(text, "data: ")) {
        (void)printf("%s\t%.*s\n", event, (int)(text.len - 6), text.at + 6);
        (void)fflush(stdout);
    }
}

static int on_watch(const struct call *call)
{
    char event[32] = "message";
    int err = remote_listen(call->remote, "/events?ocpp=-", print_event, event, call->why);
    return code_of(call, err);
}

static const struct {
    const char *word;
    size_t least;
    size_t most;
    int (*run)(const struct call *call);
} rows[] = {
    {"stations", 0, 0, on_stations},
    {"sessions", 0, 0, on_sessions},
    {"verify", 1, 1, on_verify},
    {"start", 1, 2, on_start},
    {"stop", 1, 2, on_stop},
    {"reset", 1, 2, on_reset},
    {"get", 1, 2, on_get},
    {"set", 3, 3, on_set},
    {"cards", 0, 0, on_cards},
    {"accept", 1, 2, on_accept},
    {"block", 1, 2, on_block},
    {"forget", 1, 1, on_forget},
    {"unknown-cards", 0, 0, on_unknown_cards},
    {"refused", 0, 0, on_refused},
    {"log", 1, 1, on_log},
    {"limit", 2, 3, on_limit},
    {"energize", 2, 3, on_energize},
    {"snapshot", 1, 1, on_snapshot},
    {"logs", 1, 1, on_logs},
    {"link-events", 1, 1, on_link_events},
    {"watch", 0, 0, on_watch},
    {"actions", 0, 0, on_actions},
    {"send", 2, 3, on_send},
    {"commands", 1, 1, on_commands},
    {"configuration", 1, 1, on_configuration},
    {"local-list", 1, 2, on_local_list},
    {"reservations", 1, 1, on_reservations},
    {"reserve", 3, 3, on_reserve},
    {"unreserve", 2, 2, on_unreserve},
    {"profiles", 1, 1, on_profiles},
    {"clear-profiles", 1, 2, on_clear_profiles},
    {"files", 1, 1, on_files},
    {"firmware", 2, 2, on_firmware},
    {"diagnostics", 1, 3, on_diagnostics},
    {"uploads", 1, 1, on_uploads},
    {"fetch", 2, 2, on_fetch},
    {"release", 0, ARGUMENTS_MAX, on_release},
    {"rollout", 0, ARGUMENTS_MAX, on_rollout},
    {"security-events", 0, 1, on_security_events},
    {"trust", 2, 3, on_trust},
    {"certificates", 1, 1, on_certificates},
    {"renew", 1, 1, on_renew},
    {"rekey", 1, 1, on_rekey},
};

static int run_logged_in(const struct request *request, int (*run)(const struct call *call))
{
    char text[2048] = "";
    char password[PASSWORD_SIZE] = "";
    struct pw_out why = PW_OUT(text);
    bool refused = false;
    const char *token = getenv("PILOTWIRE_TOKEN");
    bool program = token != NULL && token[0] != '\0' && request->password_file == NULL;
    if (remote_may_tell(request->central, request->trusted_network, &why) != PW_OK ||
        (!program && password_get(password, request->password_file, &why) != PW_OK)) {
        return fail_with(EXIT_USAGE, &why);
    }
    const struct remote_place place = {.url = request->central, .ca_file = request->ca_file};
    struct call call = {.request = request, .why = &why};
    call.remote = program ? remote_with_token(&place, token, &why)
                          : remote_login(&place, request->user, password, &refused, &why);
    explicit_bzero(password, sizeof(password));
    if (call.remote == NULL) {
        return fail_with(refused ? EXIT_REFUSED : EXIT_UNREACHABLE, &why);
    }
    int code = run(&call);
    remote_logout(call.remote);
    return code;
}

int run_central(const struct request *request)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(rows[i].word, request->word) != 0) {
            continue;
        }
        if (request->arguments < rows[i].least || request->arguments > rows[i].most) {
            return fail_usage(request->word, request->arguments < rows[i].least
                                                 ? "needs more arguments"
                                                 : "has too many arguments");
        }
        return run_logged_in(request, rows[i].run);
    }
    return fail_usage(request->word, "no such command at a central system");
}
