// The way of a request: is the host ours, who asks, may he, which row of the table answers.
#include "openevse_api/parts.h"

#include <string.h>

#define LINE_MAX        320
#define CREDENTIALS_MAX 200
#define LOOK_MS         250 // how often changes are looked for while somebody watches

// --- Answers.

struct pw_station *pw_oe_station(const struct pw_oe_call *call)
{
    return call->api->config.station;
}

static void send_json(struct pw_oe_call *call, int status)
{
    call->reply->status = status;
    call->reply->content_type = "application/json";
    call->reply->body = pw_out_str(&call->out);
}

void pw_oe_say(struct pw_oe_call *call, int status, const char *a, struct pw_str b, const char *c)
{
    char text[400];
    struct pw_out message = PW_OUT(text);
    pw_put_s(&message, a);
    pw_put(&message, b);
    pw_put_s(&message, c);
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_text(json, "msg", pw_out_str(&message));
    pw_json_close(json, '}');
    send_json(call, status);
}

static struct pw_json_writer *begin(struct pw_oe_call *call, char bracket)
{
    call->out.len = 0;
    call->out.full = false;
    call->json = PW_JSON_WRITER(&call->out);
    pw_json_open(&call->json, bracket);
    return &call->json;
}

struct pw_json_writer *pw_oe_object(struct pw_oe_call *call)
{
    return begin(call, '{');
}

struct pw_json_writer *pw_oe_array(struct pw_oe_call *call)
{
    return begin(call, '[');
}

void pw_oe_done(struct pw_oe_call *call, int status, char bracket)
{
    pw_json_close(&call->json, bracket);
    PW_ASSERT(!call->out.full); // everything in an answer is bounded
    send_json(call, status);
}

int pw_oe_status_of(int err)
{
    switch (err) {
    case PW_ERR_UNKNOWN: return 404;
    case PW_ERR_BUSY: return 409;
    case PW_ERR_STORE: return 503;
    default: return 400;
    }
}

bool pw_oe_run(struct pw_oe_call *call, struct pw_str line)
{
    char text[LINE_MAX] = "";
    struct pw_out answer = PW_OUT(text);
    int err = pw_station_command(pw_oe_station(call), line, &answer, call->now);
    if (err != PW_OK) {
        pw_oe_say(call, pw_oe_status_of(err), "", pw_str_trim(pw_out_str(&answer)), "");
    }
    return err == PW_OK;
}

bool pw_oe_set(struct pw_oe_call *call, enum pw_setting_id id, unsigned instance,
               struct pw_str value)
{
    char line[LINE_MAX];
    struct pw_out out = PW_OUT(line);
    pw_put_s(&out, "set ");
    pw_settings_print_path((struct pw_setting_at){.id = id, .instance = (uint8_t)instance}, &out);
    pw_put_c(&out, ' ');
    pw_put(&out, value);
    if (out.full) {
        pw_oe_say(call, 400, "the value is longer than any setting", PW_STR(""), "");
        return false;
    }
    return pw_oe_run(call, pw_out_str(&out));
}

// --- The table.

enum access { LOOK, CHANGE };

static const struct route {
    enum pw_http_method method;
    const char *path; // '*' stands for one segment
    void (*serve)(struct pw_oe_call *call);
    enum access access;
    bool json; // its body is JSON, or empty
} routes[] = {
    {PW_HTTP_GET, "/status", pw_oe_status_get, LOOK, false},
    {PW_HTTP_POST, "/status", pw_oe_status_post, CHANGE, true},
    {PW_HTTP_GET, "/config", pw_oe_config_get, LOOK, false},
    {PW_HTTP_POST, "/config", pw_oe_config_post, CHANGE, true},
    {PW_HTTP_GET, "/override", pw_oe_override_get, LOOK, false},
    {PW_HTTP_POST, "/override", pw_oe_override_post, CHANGE, true},
    {PW_HTTP_PATCH, "/override", pw_oe_override_patch, CHANGE, false},
    {PW_HTTP_DELETE, "/override", pw_oe_override_delete, CHANGE, false},
    {PW_HTTP_GET, "/claims", pw_oe_claims_get, LOOK, false},
    {PW_HTTP_GET, "/claims/target", pw_oe_claims_target, LOOK, false},
    {PW_HTTP_GET, "/claims/*", pw_oe_claim_get, LOOK, false},
    {PW_HTTP_POST, "/claims/*", pw_oe_claim_post, CHANGE, true},
    {PW_HTTP_DELETE, "/claims/*", pw_oe_claim_delete, CHANGE, false},
    {PW_HTTP_GET, "/limit", pw_oe_limit_get, LOOK, false},
    {PW_HTTP_POST, "/limit", pw_oe_limit_post, CHANGE, true},
    {PW_HTTP_DELETE, "/limit", pw_oe_limit_delete, CHANGE, false},
    {PW_HTTP_GET, "/schedule", pw_oe_schedule_get, LOOK, false},
    {PW_HTTP_POST, "/schedule", pw_oe_schedule_post, CHANGE, true},
    {PW_HTTP_GET, "/schedule/plan", pw_oe_plan_get, LOOK, false},
    {PW_HTTP_GET, "/schedule/*", pw_oe_event_get, LOOK, false},
    {PW_HTTP_POST, "/schedule/*", pw_oe_event_post, CHANGE, true},
    {PW_HTTP_DELETE, "/schedule/*", pw_oe_event_delete, CHANGE, false},
    {PW_HTTP_GET, "/r", pw_oe_rapi, LOOK, false}, // what it may is the command's business
    {PW_HTTP_POST, "/r", pw_oe_rapi, LOOK, false},
    {PW_HTTP_GET, "/rapi", pw_oe_rapi, LOOK, false},
    {PW_HTTP_POST, "/rapi", pw_oe_rapi, LOOK, false},
    {PW_HTTP_GET, "/time", pw_oe_time_get, LOOK, false},
    {PW_HTTP_POST, "/divertmode", pw_oe_divert_post, CHANGE, false},
    {PW_HTTP_POST, "/shaper", pw_oe_shaper_post, CHANGE, false},
    {PW_HTTP_POST, "/restart", pw_oe_restart_post, CHANGE, true},
};

// The row for a path and method. NULL after answering 404 or 405.
static const struct route *find_route(struct pw_oe_call *call)
{
    unsigned methods = 0;
    for (size_t i = 0; i < PW_COUNT(routes); i++) {
        if (!pw_http_path_fits(routes[i].path, call->request->path, &call->param)) {
            continue;
        }
        if (routes[i].method == call->request->method) {
            return &routes[i];
        }
        methods |= 1U << routes[i].method;
    }
    if (methods == 0) {
        pw_oe_say(call, 404, "there is no ", call->request->path, "");
        return NULL;
    }
    pw_http_allow(call->reply, methods);
    pw_oe_say(call, 405, "use ", pw_str_of(call->reply->allow), " here");
    return NULL;
}

// --- Who may.

static const char *password_of(const struct pw_openevse_api *api)
{
    return pw_settings_text(&api->config.station->settings, PW_SET_OE_PASSWORD);
}

// False after answering. Both are always compared: how long it takes tells nothing.
static bool credentials_fit(struct pw_oe_call *call)
{
    struct pw_openevse_api *api = call->api;
    char text[CREDENTIALS_MAX];
    struct pw_out room = PW_OUT(text);
    struct pw_str user = PW_STR("");
    struct pw_str password = PW_STR("");
    if (!pw_guesses_may(&api->guesses, call->request->address, call->now)) {
        call->reply->retry_after_s = PW_GUESS_WAIT_S;
        pw_oe_say(call, 429, "too many wrong passwords: wait a few seconds", PW_STR(""), "");
        return false;
    }
    call->reply->challenge = true;
    if (call->request->authorization.len == 0) {
        pw_oe_say(call, 401, "user name and password are needed", PW_STR(""), "");
        return false;
    }
    bool read = pw_http_basic(call->request->authorization, &room, &user, &password) == PW_OK;
    const char *name = pw_settings_text(&api->config.station->settings, PW_SET_OE_USER);
    bool locked = pw_settings_locked(&api->config.station->settings, PW_SET_OE_PASSWORD);
    unsigned fits = !locked && pw_http_same_secret(name, user) ? 1U : 0U;
    fits &= pw_http_same_secret(password_of(api), password) ? 1U : 0U;
    if (!read || fits == 0) {
        pw_guesses_wrong(&api->guesses, call->request->address, call->now);
        pw_oe_say(call, 401, "user name or password is wrong", PW_STR(""), "");
        return false;
    }
    call->reply->challenge = false;
    return true;
}

// Whether this request is let in at all. False after answering.
static bool let_in(struct pw_oe_call *call)
{
    const struct pw_http_request *request = call->request;
    if (!pw_http_host_is_ours(request->host, call->api->config.host)) {
        pw_oe_say(call, 403, "this station is not known as \"", request->host,
                  "\": see the setting page.url");
        return false;
    }
    if (!pw_http_origin_is_ours(request)) {
        pw_oe_say(call, 403, "Origin \"", request->origin, "\" is not this station's own");
        return false;
    }
    bool locked = password_of(call->api)[0] != '\0';
    call->may_change = locked || pw_http_is_near(request->address);
    return !locked || credentials_fit(call);
}

static bool take_connector(struct pw_oe_call *call)
{
    struct pw_str text = pw_http_query(call->request->query, "connector");
    int64_t number = 1;
    if (text.len > 0 && pw_parse_int(text, 1, pw_oe_station(call)->connectors, &number) != PW_OK) {
        pw_oe_say(call, 404, "there is no connector \"", text, "\"");
        return false;
    }
    call->index = (unsigned)number - 1;
    return true;
}

static bool read_body(struct pw_oe_call *call)
{
    struct pw_openevse_api *api = call->api;
    struct pw_json json = {.node = api->node,
                           .cap = PW_COUNT(api->node),
                           .spare = api->spare,
                           .spare_cap = sizeof(api->spare)};
    if (pw_str_trim(call->request->body).len == 0) {
        return true;
    }
    if (pw_json_read(&json, call->request->body) != PW_OK) {
        pw_oe_say(call, 400, "the body is no JSON: ", pw_str_of(pw_json_fault_name(json.fault)),
                  "");
        return false;
    }
    call->body = &api->node[0];
    return true;
}

static struct pw_oe_call call_of(struct pw_openevse_api *api, const struct pw_http_request *request,
                                 struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    *reply = (struct pw_http_reply){0};
    api->now = now;
    return (struct pw_oe_call){.api = api,
                               .request = request,
                               .reply = reply,
                               .now = now,
                               .wall = wall != 0 ? wall : pw_station_wall(api->config.station, now),
                               .out = {.at = api->reply, .cap = sizeof(api->reply)}};
}

void pw_openevse_api_serve(void *context, const struct pw_http_request *request,
                           struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct pw_oe_call call = call_of(context, request, reply, now, wall);
    if (!let_in(&call)) {
        return;
    }
    const struct route *route = find_route(&call);
    if (route == NULL || !take_connector(&call)) {
        return;
    }
    if (route->access == CHANGE && !call.may_change) {
        pw_oe_say(
            &call, 403,
            "without openevse_api.password (secrets file) only this machine may change anything",
            PW_STR(""), "");
        return;
    }
    if (!route->json || read_body(&call)) {
        route->serve(&call);
    }
}

void pw_openevse_api_socket(void *context, const struct pw_http_request *request,
                            struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct pw_openevse_api *api = context;
    struct pw_oe_call call = call_of(api, request, reply, now, wall);
    if (!let_in(&call) || !take_connector(&call)) {
        return;
    }
    if (!pw_str_is(request->path, "/ws")) {
        pw_oe_say(&call, 404, "there is no WebSocket ", request->path, "");
        return;
    }
    for (size_t i = 0; i < PW_OPENEVSE_API_SOCKETS_MAX; i++) {
        if (!api->socket[i].open) {
            api->socket[i] = (struct pw_openevse_socket){.open = true,
                                                         .due = true,
                                                         .number = request->stream,
                                                         .connector = call.index,
                                                         .sent_at = now};
            reply->stream = true;
            return;
        }
    }
    pw_oe_say(&call, 503, "8 programs watch this station already", PW_STR(""), "");
}

// --- Turns.

void pw_openevse_api_init(struct pw_openevse_api *api, const struct pw_openevse_api_config *config,
                          pw_ms now)
{
    memset(api, 0, sizeof(*api));
    api->config = *config;
    api->now = now;
    api->restart_at = PW_NEVER;
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        api->applied[i].ma = -1;
    }
    pw_oe_follow_plan(api);
}

// Versions count up when what they are of has changed, whoever did it.
static void follow(struct pw_openevse_api *api, pw_ms now)
{
    struct pw_oe_look look = pw_oe_look(api, 0, now, api->wall);
    struct pw_out out = {.at = api->reply, .cap = sizeof(api->reply)};
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_oe_put_config(&look, &json);
    uint32_t sum = pw_oe_sum(pw_out_str(&out));
    api->config_version += sum != api->config_sum ? 1 : 0;
    api->config_sum = sum;
    uint32_t limits = 0;
    for (unsigned i = 0; i < api->config.station->connectors; i++) {
        struct pw_oe_limit limit = pw_oe_limit(api->config.station, i);
        limits = limits * 31 + (uint32_t)limit.value * 4 + (limit.type != NULL ? 1U : 0U) +
                 (limit.auto_release ? 2U : 0U);
    }
    api->limit_version += limits != api->limit_sum ? 1 : 0;
    api->limit_sum = limits;
    pw_oe_follow_plan(api);
}

pw_ms pw_openevse_api_step(struct pw_openevse_api *api, pw_ms now)
{
    bool looks = now >= api->look_at;
    api->now = now;
    if (looks) {
        api->wall = pw_station_wall(api->config.station, now);
        api->look_at = pw_after(now, LOOK_MS);
        pw_oe_follow_plugs(api, now);
        pw_oe_follow_station(api, now);
        follow(api, now);
    }
    if (now >= api->restart_at) {
        char text[80];
        struct pw_out answer = PW_OUT(text);
        api->restart_at = PW_NEVER;
        (void)!pw_station_command(api->config.station, PW_STR("restart"), &answer, now);
    }
    pw_ms at = pw_earlier(pw_oe_socket_step(api, looks, now), pw_oe_rapi_step(api, now));
    return pw_earlier(at, pw_earlier(api->look_at, api->restart_at));
}

void pw_openevse_api_stream_closed(void *context, uint64_t stream)
{
    struct pw_openevse_api *api = context;
    for (size_t i = 0; i < PW_OPENEVSE_API_SOCKETS_MAX; i++) {
        if (api->socket[i].open && api->socket[i].number == stream) {
            api->socket[i].open = false;
        }
    }
    pw_oe_rapi_closed(api, stream);
}
