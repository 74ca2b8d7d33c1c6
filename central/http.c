// The way of a request: is the host ours, who asks, may he, which row of the table answers.
#include "http.h"

#include "bodies.h"

#include <string.h>

#define STREAM_LIMIT_S 5

// --- Answers.

static void send_json(struct http *http, int status)
{
    http->reply->status = status;
    http->reply->content_type = "application/json";
    http->reply->body = pw_out_str(&http->out);
}

void http_fail(struct http *http, int status, const char *code, const char *a, struct pw_str b,
               const char *c)
{
    char text[1024];
    struct pw_out message = PW_OUT(text);
    pw_put_s(&message, a);
    pw_put(&message, b);
    pw_put_s(&message, c);
    pw_json_put_error(&http->out, code, pw_out_str(&message));
    send_json(http, status);
}

struct pw_json_writer *http_object(struct http *http)
{
    http->json = PW_JSON_WRITER(&http->out);
    pw_json_open(&http->json, '{');
    return &http->json;
}

void http_done(struct http *http, int status)
{
    pw_json_close(&http->json, '}');
    if (http->out.full) {
        status = 507;
        pw_json_put_error(&http->out, "too_large",
                          PW_STR("the answer is larger than 8 MB: ask for less"));
    }
    send_json(http, status);
}

void http_no_content(struct http *http)
{
    http->reply->status = 204;
}

bool http_commit(struct http *http)
{
    if (db_commit(http->central, http->at) == PW_OK) {
        return true;
    }
    http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    return false;
}

// --- Reading.

struct pw_str http_query(const struct http *http, const char *key)
{
    return pw_http_query(http->request->query, key);
}

bool http_query_int(struct http *http, const char *key, int64_t min, int64_t max, int64_t otherwise,
                    int64_t *value)
{
    struct pw_str text = http_query(http, key);
    *value = otherwise;
    if (text.len == 0 || pw_parse_int(text, min, max, value) == PW_OK) {
        return true;
    }
    char range[96];
    struct pw_out out = PW_OUT(range);
    pw_put_s(&out, "\" is not a whole number from ");
    pw_put_int(&out, min);
    pw_put_s(&out, " to ");
    pw_put_int(&out, max);
    char name[64];
    struct pw_out start = PW_OUT(name);
    pw_put_s(&start, key);
    pw_put_s(&start, ": \"");
    http_fail(http, 400, "bad_value", name, text, range);
    return false;
}

bool http_query_time(struct http *http, const char *key, pw_unix_ms otherwise, pw_unix_ms *value)
{
    struct pw_str text = http_query(http, key);
    *value = otherwise;
    if (text.len == 0 || pw_parse_time(text, value) == PW_OK) {
        return true;
    }
    char name[64];
    struct pw_out start = PW_OUT(name);
    pw_put_s(&start, key);
    pw_put_s(&start, ": \"");
    http_fail(http, 400, "bad_value", name, text, "\" is not a time like 2026-01-31T12:00:00Z");
    return false;
}

bool http_text(struct http *http, const char *key, size_t max, bool must, struct pw_str *value)
{
    const struct pw_json_node *node = pw_json_member(http->body, key);
    *value = (struct pw_str){.at = "", .len = 0};
    if (node == NULL || (pw_json_is(node, PW_JSON_NULL) && !must)) {
        if (must) {
            http_fail(http, 400, "missing", key, PW_STR(""), ": is required");
        }
        return !must;
    }
    if (pw_json_text(node, value) != PW_OK) {
        http_fail(http, 400, "bad_value", key, PW_STR(""), ": must be a text");
        return false;
    }
    if (pw_json_chars(*value) > max || (must && value->len == 0)) {
        char range[64];
        struct pw_out out = PW_OUT(range);
        pw_put_s(&out, must ? ": must have 1 to " : ": may have at most ");
        pw_put_uint(&out, max);
        pw_put_s(&out, " characters");
        http_fail(http, 400, "bad_value", key, PW_STR(""), range);
        return false;
    }
    return true;
}

struct station *http_station(struct http *http)
{
    struct station *station = station_find(http->central, http->param);
    if (station == NULL) {
        http_fail(http, 404, "not_found", "there is no station \"", http->param, "\"");
    }
    return station;
}

// --- Streams and files.

static void api_events(struct http *http)
{
    char name[TOKEN_MAX];
    token_stream(&http->token, name);
    if (stream_open(http->central, http->request->stream,
                    http->login != NULL ? http->login->token : name,
                    http_query(http, "ocpp")) != PW_OK) {
        http->reply->retry_after_s = STREAM_LIMIT_S;
        http_fail(http, 429, "too_many_streams", "32 event streams are open already", PW_STR(""),
                  "");
        return;
    }
    http->reply->status = 200;
    http->reply->content_type = "text/event-stream";
    http->reply->stream = true;
}

static void api_openapi(struct http *http)
{
    http->reply->status = 200;
    http->reply->content_type = "application/yaml";
    http->reply->body = http->central->config.openapi;
}

static void serve_file(struct http *http)
{
    struct pw_str path = http->request->path;
    const struct pw_central_config *config = &http->central->config;
    if (pw_http_file(config->asset, config->asset_count, http->request, http->reply)) {
        return;
    }
    if (config->asset_count == 0 && path.len > 0 && memchr(path.at, '.', path.len) == NULL) {
        http->reply->status = 200;
        http->reply->content_type = "text/plain; charset=utf-8";
        http->reply->body = PW_STR("This pilotwire-central was built without its web pages.\n"
                                   "The REST interface is at /api/v1, its description at "
                                   "/api/v1/openapi.yaml.\n");
        return;
    }
    http_fail(http, 404, "not_found", "there is no ", path, "");
}

// --- The table.

const struct route http_routes[] = {
    {PW_HTTP_POST, "/login", api_login, OPEN, true},
    {PW_HTTP_POST, "/logout", api_logout, VIEWER, false},
    {PW_HTTP_GET, "/me", api_me, VIEWER, false},
    {PW_HTTP_PUT, "/me/password", api_my_password, VIEWER, true},
    {PW_HTTP_GET, "/stations", api_stations, VIEWER, false},
    {PW_HTTP_POST, "/stations", api_station_add, ADMIN, true},
    {PW_HTTP_GET, "/stations/*", api_station, VIEWER, false},
    {PW_HTTP_DELETE, "/stations/*", api_station_delete, ADMIN, false},
    {PW_HTTP_GET, "/stations/*/measurements", api_measurements, VIEWER, false},
    {PW_HTTP_GET, "/stations/*/log", api_log, VIEWER, false},
    {PW_HTTP_POST, "/stations/*/commands", api_command_add, OPERATOR, true},
    {PW_HTTP_GET, "/stations/*/commands", api_commands, VIEWER, false},
    {PW_HTTP_GET, "/stations/*/configuration", api_configuration, VIEWER, false},
    {PW_HTTP_PUT, "/stations/*/configuration", api_configuration_put, OPERATOR, true},
    {PW_HTTP_POST, "/stations/*/configuration/read", api_configuration_read, OPERATOR, true},
    {PW_HTTP_GET, "/stations/*/local-list", api_list, VIEWER, false},
    {PW_HTTP_PUT, "/stations/*/local-list", api_list_put, OPERATOR, true},
    {PW_HTTP_GET, "/stations/*/reservations", api_reservations, VIEWER, false},
    {PW_HTTP_POST, "/stations/*/reservations", api_reservation_add, OPERATOR, true},
    {PW_HTTP_DELETE, "/stations/*/reservations", api_reservation_delete, OPERATOR, false},
    {PW_HTTP_GET, "/stations/*/charging-profiles", api_profiles, VIEWER, false},
    {PW_HTTP_PUT, "/stations/*/charging-profiles", api_profile_put, OPERATOR, true},
    {PW_HTTP_DELETE, "/stations/*/charging-profiles", api_profile_delete, OPERATOR, false},
    {PW_HTTP_POST, "/stations/*/composite-schedule", api_composite, OPERATOR, true},
    {PW_HTTP_GET, "/stations/*/files", api_files, VIEWER, false},
    {PW_HTTP_POST, "/stations/*/firmware", api_firmware, ADMIN, true},
    {PW_HTTP_POST, "/stations/*/logs", api_logs_ask, OPERATOR, true},
    {PW_HTTP_GET, "/stations/*/uploads", api_uploads, VIEWER, false},
    {PW_HTTP_GET, "/uploads/*/file", api_upload_file, OPERATOR, false},
    {PW_HTTP_DELETE, "/uploads/*", api_upload_delete, OPERATOR, false},
    {PW_HTTP_GET, "/releases", api_releases, VIEWER, false},
    {PW_HTTP_POST, "/releases", api_release_add, ADMIN, false},
    {PW_HTTP_GET, "/releases/*", api_release, VIEWER, false},
    {PW_HTTP_PUT, "/releases/*", api_release_put, ADMIN, true},
    {PW_HTTP_DELETE, "/releases/*", api_release_delete, ADMIN, false},
    {PW_HTTP_GET, "/rollouts", api_rollouts, VIEWER, false},
    {PW_HTTP_POST, "/rollouts", api_rollout_add, ADMIN, true},
    {PW_HTTP_POST, "/rollouts/plan", api_rollout_plan, ADMIN, true},
    {PW_HTTP_GET, "/rollouts/*", api_rollout, VIEWER, false},
    {PW_HTTP_DELETE, "/rollouts/*", api_rollout_delete, ADMIN, false},
    {PW_HTTP_POST, "/rollouts/*/pause", api_rollout_pause, OPERATOR, false},
    {PW_HTTP_POST, "/rollouts/*/resume", api_rollout_resume, ADMIN, false},
    {PW_HTTP_POST, "/rollouts/*/cancel", api_rollout_cancel, ADMIN, false},
    {PW_HTTP_POST, "/rollouts/*/retry", api_rollout_retry, ADMIN, false},
    {PW_HTTP_GET, "/stations/*/security-events", api_security_events, VIEWER, false},
    {PW_HTTP_GET, "/stations/*/certificates", api_certificates, VIEWER, false},
    {PW_HTTP_POST, "/stations/*/certificates", api_certificate_add, ADMIN, true},
    {PW_HTTP_DELETE, "/stations/*/certificates", api_certificate_delete, ADMIN, false},
    {PW_HTTP_POST, "/stations/*/certificates/read", api_certificates_read, OPERATOR, true},
    {PW_HTTP_POST, "/stations/*/certificates/renew", api_certificate_renew, ADMIN, false},
    {PW_HTTP_POST, "/stations/*/certificates/revoke", api_certificate_revoke, ADMIN, true},
    {PW_HTTP_POST, "/stations/*/key", api_key_change, ADMIN, false},
    {PW_HTTP_GET, "/stations/*/security", api_security, VIEWER, false},
    {PW_HTTP_PUT, "/stations/*/security", api_security_put, ADMIN, true},
    {PW_HTTP_POST, "/stations/*/link/limit", api_link_limit, OPERATOR, true},
    {PW_HTTP_POST, "/stations/*/link/energize", api_link_energize, OPERATOR, true},
    {PW_HTTP_POST, "/stations/*/link/snapshot", api_link_snapshot, OPERATOR, false},
    {PW_HTTP_GET, "/stations/*/link/events", api_link_events, VIEWER, false},
    {PW_HTTP_GET, "/stations/*/logs", api_lines, VIEWER, false},
    {PW_HTTP_GET, "/commands/*", api_command, VIEWER, false},
    {PW_HTTP_GET, "/actions", api_actions, VIEWER, false},
    {PW_HTTP_GET, "/security-events", api_all_security_events, VIEWER, false},
    {PW_HTTP_GET, "/sessions", api_sessions, VIEWER, false},
    {PW_HTTP_GET, "/sessions/*", api_session, VIEWER, false},
    {PW_HTTP_GET, "/cards", api_cards, VIEWER, false},
    {PW_HTTP_GET, "/cards/unknown", api_unknown_cards, VIEWER, false},
    {PW_HTTP_GET, "/cards/*", api_card, VIEWER, false},
    {PW_HTTP_PUT, "/cards/*", api_card_put, OPERATOR, true},
    {PW_HTTP_DELETE, "/cards/*", api_card_delete, OPERATOR, false},
    {PW_HTTP_GET, "/groups", api_groups, VIEWER, false},
    {PW_HTTP_GET, "/groups/*", api_group, VIEWER, false},
    {PW_HTTP_PUT, "/groups/*", api_group_put, OPERATOR, true},
    {PW_HTTP_DELETE, "/groups/*", api_group_delete, OPERATOR, false},
    {PW_HTTP_GET, "/groups/*/history", api_group_history, VIEWER, false},
    {PW_HTTP_GET, "/users", api_users, ADMIN, false},
    {PW_HTTP_POST, "/users", api_user_add, ADMIN, true},
    {PW_HTTP_PUT, "/users/*", api_user_put, ADMIN, true},
    {PW_HTTP_DELETE, "/users/*", api_user_delete, ADMIN, false},
    {PW_HTTP_POST, "/users/*/password", api_user_password, ADMIN, false},
    {PW_HTTP_GET, "/tokens", api_tokens, ADMIN, false},
    {PW_HTTP_POST, "/tokens", api_token_add, ADMIN, true},
    {PW_HTTP_DELETE, "/tokens/*", api_token_delete, ADMIN, false},
    {PW_HTTP_GET, "/refused", api_refused, VIEWER, false},
    {PW_HTTP_GET, "/events", api_events, VIEWER, false},
    {PW_HTTP_GET, "/openapi.yaml", api_openapi, VIEWER, false},
    {PW_HTTP_GET, "/metrics", api_metrics, VIEWER, false},
    {PW_HTTP_GET, "/healthz", api_health, OPEN, false},
};
const size_t http_route_count = PW_COUNT(http_routes);

// The row for a path and method. NULL after answering 404 or 405.
static const struct route *find_route(struct http *http, struct pw_str path)
{
    unsigned methods = 0;
    for (size_t i = 0; i < http_route_count; i++) {
        if (!pw_http_path_fits(http_routes[i].path, path, &http->param)) {
            continue;
        }
        if (http_routes[i].method == http->request->method) {
            return &http_routes[i];
        }
        methods |= 1U << http_routes[i].method;
    }
    if (methods == 0) {
        http_fail(http, 404, "not_found", "there is no /api/v1", path, "");
        return NULL;
    }
    pw_http_allow(http->reply, methods);
    http_fail(http, 405, "method", "use ", pw_str_of(http->reply->allow), " here");
    return NULL;
}

// --- Who may.

const char *http_who(const struct http *http)
{
    return http->login != NULL ? http->login->user : http->token.name;
}

bool http_may(struct http *http, enum access least)
{
    if ((int)http->role >= (int)least) {
        return true;
    }
    char text[96];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, role_name((enum role)least));
    pw_put_s(&out, ": you are ");
    pw_put_s(&out, role_name(http->role));
    http_fail(http, 403, "role", "this needs the role ", pw_out_str(&out), "");
    return false;
}

// A program shows its token with every request: no page of another site can make a browser do that,
// so there is no second one to repeat.
static bool shows_token(struct http *http, struct pw_str bearer)
{
    struct pw_central *central = http->central;
    if (!throttle_open(central, http->request->address, true, http->at.now)) {
        http->reply->retry_after_s = 6;
        http_fail(http, 429, "rate_limited", "too many wrong tries from this address: wait 6 s",
                  PW_STR(""), "");
        return false;
    }
    if (!token_read(central, bearer, http->at.wall, &http->token)) {
        http->token.id = 0;
        central->count.logins_failed++;
        throttle_failed(central, http->request->address, true, http->at.now);
        http_fail(http, 401, "bad_token", "this token is not known, or over", PW_STR(""), "");
        return false;
    }
    http->role = http->token.role;
    return true;
}

static bool shows_login(struct http *http, bool changes)
{
    http->login = login_of(http->central, http->request->cookie, &http->role, http->at.now);
    if (http->login == NULL) {
        http_fail(http, 401, "login_required", "log in with POST /api/v1/login", PW_STR(""), "");
        return false;
    }
    if (changes && !pw_http_same_secret(http->login->csrf, http->request->csrf)) {
        http_fail(http, 403, "csrf", "the header X-CSRF must hold the token that login gave",
                  PW_STR(""), "");
        return false;
    }
    return true;
}

static bool may(struct http *http, const struct route *route)
{
    bool changes = route->method != PW_HTTP_GET;
    struct pw_str bearer = http->request->authorization;
    if (changes && !pw_http_origin_is_ours(http->request)) {
        http_fail(http, 403, "origin", "Origin \"", http->request->origin,
                  "\" is not this server's own");
        return false;
    }
    if (route->access == OPEN) {
        return true;
    }
    bool program = pw_str_starts(bearer, "Bearer ");
    if (program) {
        bearer = (struct pw_str){.at = bearer.at + 7, .len = bearer.len - 7};
    }
    return (program ? shows_token(http, bearer) : shows_login(http, changes)) &&
           http_may(http, route->access);
}

static bool read_body(struct http *http)
{
    struct pw_json *json = &http->central->json;
    if (pw_json_read(json, http->request->body) != PW_OK) {
        http_fail(http, 400, "bad_json",
                  "the body is no JSON: ", pw_str_of(pw_json_fault_name(json->fault)), "");
        return false;
    }
    if (!pw_json_is(&json->node[0], PW_JSON_OBJECT)) {
        http_fail(http, 400, "bad_json", "the body must be a JSON object", PW_STR(""), "");
        return false;
    }
    http->body = &json->node[0];
    return true;
}

// Files for stations, and from them: who knows the name has been told it. Empty: no such path.
static struct pw_str behind(struct pw_str path, const char *folder)
{
    size_t len = strlen(folder);
    return pw_str_starts(path, folder) ? (struct pw_str){.at = path.at + len, .len = path.len - len}
                                       : (struct pw_str){0};
}

#define FIRMWARE "/firmware/"
#define UPLOAD   "/upload/"

static bool serve_station(struct http *http)
{
    struct pw_str release = behind(http->request->path, FIRMWARE);
    struct pw_str place = behind(http->request->path, UPLOAD);
    enum pw_http_method method = http->request->method;
    if (release.len > 0 && method == PW_HTTP_GET) {
        serve_firmware(http, release);
    } else if (place.len > 0 && (method == PW_HTTP_PUT || method == PW_HTTP_POST)) {
        serve_upload(http);
    } else if (release.len > 0 || place.len > 0) {
        pw_http_allow(http->reply,
                      release.len > 0 ? 1U << PW_HTTP_GET : 1U << PW_HTTP_PUT | 1U << PW_HTTP_POST);
        http_fail(http, 405, "method", "use ", pw_str_of(http->reply->allow), " here");
    }
    return release.len > 0 || place.len > 0;
}

static void route_request(struct http *http)
{
    struct pw_str path = http->request->path;
    if (pw_str_starts(path, "/api/v1/")) {
        path = (struct pw_str){.at = path.at + 7, .len = path.len - 7};
    } else if (!pw_str_is(path, "/healthz") && !pw_str_is(path, "/metrics")) {
        if (http->request->method != PW_HTTP_GET) {
            pw_http_allow(http->reply, 1U << PW_HTTP_GET);
            http_fail(http, 405, "method", "use GET here", PW_STR(""), "");
        } else {
            serve_file(http);
        }
        return;
    }
    const struct route *route = find_route(http, path);
    if (route != NULL && may(http, route) && (!route->body || read_body(http))) {
        route->serve(http);
    }
}

static struct http http_of(struct pw_central *central, const struct pw_http_request *request,
                           struct pw_http_reply *reply, struct pw_instant at)
{
    *reply = (struct pw_http_reply){0};
    return (struct http){
        .central = central,
        .request = request,
        .reply = reply,
        .at = at,
        .out = {.at = central->reply, .cap = PW_CENTRAL_REPLY_MAX},
    };
}

static bool host_is_ours(struct http *http)
{
    if (pw_http_host_is_ours(http->request->host, http->central->config.host)) {
        return true;
    }
    http_fail(http, 403, "host", "this server was not started for Host \"", http->request->host,
              "\" (see --host)");
    return false;
}

void pw_central_http(struct pw_central *central, const struct pw_http_request *request,
                     struct pw_http_reply *reply, struct pw_instant at)
{
    struct http http = http_of(central, request, reply, at);
    central->count.http_requests++;
    if (!serve_station(&http) && host_is_ours(&http)) {
        route_request(&http);
    }
    if (!reply->later) {
        // What one request began says nothing of the next one on its connection: a password that
        // was found right is not somebody else's, and whoever brought a body may not, or not there.
        struct body *left = body_find(central, request->stream);
        trial_forget(central, request->stream);
        if (left != NULL) {
            body_end(central, left, false);
        }
    }
    if (reply->status >= 400) {
        central->count.http_refused++;
    }
}

uint64_t pw_central_takes(struct pw_central *central, const struct pw_http_request *request,
                          struct pw_http_reply *reply, struct pw_instant at)
{
    struct http http = http_of(central, request, reply, at);
    struct pw_str path = request->path;
    struct pw_str place = behind(path, UPLOAD);
    if (place.len > 0 && (request->method == PW_HTTP_PUT || request->method == PW_HTTP_POST)) {
        return upload_takes(&http, place);
    }
    if (request->method != PW_HTTP_POST || !pw_str_is(path, "/api/v1/releases")) {
        return 0;
    }
    const struct route *route = find_route(&http, PW_STR("/releases"));
    PW_ASSERT(route != NULL);
    return host_is_ours(&http) && may(&http, route) ? release_takes(&http) : 0;
}
