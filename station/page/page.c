// The way of a request: is the host ours, who asks, may he, which row of the table answers.
#include "page/page.h"

#include "page/parts.h"

#include <string.h>

#define SAMPLE_MS  PW_HISTORY_EVERY_MS
#define LOOK_MS    100 // how soon a change is seen while somebody watches
#define CARD_SHOWN 4   // characters of a card id that everybody may see

// --- Answers.

static void send_json(struct call *call, int status)
{
    call->reply->status = status;
    call->reply->content_type = "application/json";
    call->reply->body = pw_out_str(&call->out);
}

void pw_page_fail(struct call *call, int status, const char *code, const char *a, struct pw_str b,
                  const char *c)
{
    char text[512];
    struct pw_out message = PW_OUT(text);
    pw_put_s(&message, a);
    pw_put(&message, b);
    pw_put_s(&message, c);
    pw_json_put_error(&call->out, code, pw_out_str(&message));
    send_json(call, status);
}

struct pw_json_writer *pw_page_object(struct call *call)
{
    call->json = PW_JSON_WRITER(&call->out);
    pw_json_open(&call->json, '{');
    return &call->json;
}

void pw_page_done(struct call *call, int status)
{
    pw_json_close(&call->json, '}');
    if (call->out.full) {
        pw_page_fail(call, 507, "too_large", "the answer is too large: ask for less", PW_STR(""),
                     "");
        return;
    }
    send_json(call, status);
}

void pw_page_report(struct call *call, const char *line)
{
    int err =
        pw_station_command(call->page->config.station, pw_str_of(line), &call->out, call->now);
    if (err != PW_OK || call->out.full) {
        pw_page_fail(call, 507, "too_large", "the answer is too large", PW_STR(""), "");
        return;
    }
    if (!call->inside) {
        pw_page_mask(call->out.at, call->out.len);
    }
    send_json(call, 200);
}

// The end of the text that begins at from.
static size_t text_end(const char *json, size_t from, size_t len)
{
    size_t end = from;
    while (end < len && json[end] != '"') {
        end += json[end] == '\\' ? 2 : 1;
    }
    return end;
}

// A card's group opens what the card does. The keys cannot occur inside a text: there their quotes
// are escaped.
void pw_page_mask(char *json, size_t len)
{
    static const char *const keys[] = {"\"id_tag\":\"", "\"parent\":\""};
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < PW_COUNT(keys); k++) {
            size_t skip = strlen(keys[k]);
            if (len - i <= skip || memcmp(json + i, keys[k], skip) != 0) {
                continue;
            }
            size_t from = i + skip;
            size_t end = text_end(json, from, len);
            for (size_t at = from; at + CARD_SHOWN < end; at++) {
                json[at] = '*';
            }
        }
    }
}

// --- The table.

// NETWORK: every login, that of the access point's password too; and, to read, who is inside.
enum access { OPEN, INSIDE, NETWORK, CHANGE };

static const struct route {
    enum pw_http_method method;
    const char *path; // '*' stands for one segment
    void (*serve)(struct call *call);
    enum access access;
    bool body;
} routes[] = {
    {PW_HTTP_GET, "/me", pw_page_api_me, OPEN, false},
    {PW_HTTP_POST, "/login", pw_page_api_login, OPEN, true},
    {PW_HTTP_POST, "/logout", pw_page_api_logout, NETWORK, false},
    {PW_HTTP_GET, "/status", pw_page_api_status, OPEN, false},
    {PW_HTTP_GET, "/limits", pw_page_api_limits, OPEN, false},
    {PW_HTTP_GET, "/schedule", pw_page_api_schedule, OPEN, false},
    {PW_HTTP_GET, "/faults", pw_page_api_faults, OPEN, false},
    {PW_HTTP_GET, "/house/history", pw_page_api_house_history, OPEN, false},
    {PW_HTTP_GET, "/charges", pw_page_api_charges, OPEN, false},
    {PW_HTTP_GET, "/reservations", pw_page_api_reservations, OPEN, false},
    {PW_HTTP_GET, "/profiles", pw_page_api_profiles, OPEN, false},
    {PW_HTTP_GET, "/cards", pw_page_api_cards, INSIDE, false},
    {PW_HTTP_GET, "/security", pw_page_api_security, INSIDE, false},
    {PW_HTTP_POST, "/security/check", pw_page_api_security_check, CHANGE, false},
    {PW_HTTP_GET, "/certificate", pw_page_api_certificate, OPEN, false},
    {PW_HTTP_POST, "/certificate/new", pw_page_api_certificate_new, CHANGE, false},
    {PW_HTTP_GET, "/history", pw_page_api_history, OPEN, false},
    {PW_HTTP_GET, "/about", pw_page_api_about, OPEN, false},
    {PW_HTTP_GET, "/events", pw_page_api_events, OPEN, false},
    {PW_HTTP_GET, "/settings", pw_page_api_settings, INSIDE, false},
    {PW_HTTP_PUT, "/settings/*", pw_page_api_setting_put, CHANGE, true},
    {PW_HTTP_GET, "/update", pw_page_api_update, INSIDE, false},
    {PW_HTTP_POST, "/update/check", pw_page_api_update_check, CHANGE, false},
    {PW_HTTP_POST, "/update/cancel", pw_page_api_update_cancel, CHANGE, false},
    {PW_HTTP_PUT, "/update/file", pw_page_api_update_file, CHANGE, false}, // streamed: see takes
    {PW_HTTP_GET, "/network", pw_page_api_network, NETWORK, false},
    {PW_HTTP_POST, "/network/scan", pw_page_api_network_scan, NETWORK, false},
    {PW_HTTP_PUT, "/network/wifi", pw_page_api_network_wifi, NETWORK, true},
    {PW_HTTP_GET, "/debug", pw_page_api_debug, INSIDE, false},
    {PW_HTTP_GET, "/log", pw_page_api_log, INSIDE, false},
    {PW_HTTP_POST, "/connectors/*/start", pw_page_api_start, CHANGE, true},
    {PW_HTTP_POST, "/connectors/*/stop", pw_page_api_stop, CHANGE, false},
    {PW_HTTP_POST, "/connectors/*/limit", pw_page_api_limit, CHANGE, true},
    {PW_HTTP_POST, "/connectors/*/now", pw_page_api_now, CHANGE, true},
    {PW_HTTP_POST, "/connectors/*/until", pw_page_api_until, CHANGE, true},
    {PW_HTTP_POST, "/connectors/*/rapi", pw_page_api_rapi, CHANGE, true},
    {PW_HTTP_POST, "/connectors/*/clear", pw_page_api_clear, CHANGE, false},
    {PW_HTTP_POST, "/connectors/*/enable", pw_page_api_enable, CHANGE, false},
    {PW_HTTP_POST, "/connectors/*/disable", pw_page_api_disable, CHANGE, false},
    {PW_HTTP_POST, "/factory-reset", pw_page_api_factory_reset, CHANGE, true},
    {PW_HTTP_GET, "/healthz", pw_page_api_health, OPEN, false},
};

// The row for a path and method. NULL after answering 404 or 405.
static const struct route *find_route(struct call *call, struct pw_str path)
{
    unsigned methods = 0;
    for (size_t i = 0; i < PW_COUNT(routes); i++) {
        if (!pw_http_path_fits(routes[i].path, path, &call->param)) {
            continue;
        }
        if (routes[i].method == call->request->method) {
            return &routes[i];
        }
        methods |= 1U << routes[i].method;
    }
    if (methods == 0) {
        pw_page_fail(call, 404, "not_found", "there is no /api/v1", path, "");
        return NULL;
    }
    pw_http_allow(call->reply, methods);
    pw_page_fail(call, 405, "method", "use ", pw_str_of(call->reply->allow), " here");
    return NULL;
}

// --- Who may.

static bool may(struct call *call, const struct route *route)
{
    if (route->method != PW_HTTP_GET && !pw_http_origin_is_ours(call->request)) {
        pw_page_fail(call, 403, "origin", "Origin \"", call->request->origin,
                     "\" is not this station's own");
        return false;
    }
    bool reads = route->method == PW_HTTP_GET;
    if (route->access == OPEN || (reads && route->access != CHANGE && call->inside)) {
        return true;
    }
    if (!pw_page_has_password(call->page) && !pw_page_sets_up(call->page)) {
        pw_page_fail(call, 403, "view_only",
                     "this page only shows: set page.password in the station's secrets file",
                     PW_STR(""), "");
        return false;
    }
    if (call->login == NULL) {
        pw_page_fail(call, 401, "login_required", "log in first", PW_STR(""), "");
        return false;
    }
    if (call->login->right == PW_PAGE_SET_UP && route->access != NETWORK) {
        pw_page_fail(call, 403, "set_up_only",
                     "the access point's password sets up the network only: set page.password in "
                     "the station's secrets file",
                     PW_STR(""), "");
        return false;
    }
    if (!reads && !pw_http_same_secret(call->login->csrf, call->request->csrf)) {
        pw_page_fail(call, 403, "csrf", "the header X-CSRF must hold the token that the login gave",
                     PW_STR(""), "");
        return false;
    }
    return true;
}

static bool read_body(struct call *call)
{
    struct pw_page *page = call->page;
    struct pw_json json = {.node = page->node,
                           .cap = PW_COUNT(page->node),
                           .spare = page->spare,
                           .spare_cap = sizeof(page->spare)};
    if (pw_json_read(&json, call->request->body) != PW_OK) {
        pw_page_fail(call, 400, "bad_json",
                     "the body is no JSON: ", pw_str_of(pw_json_fault_name(json.fault)), "");
        return false;
    }
    if (!pw_json_is(&page->node[0], PW_JSON_OBJECT)) {
        pw_page_fail(call, 400, "bad_json", "the body must be a JSON object", PW_STR(""), "");
        return false;
    }
    call->body = &page->node[0];
    return true;
}

// --- Files.

static void serve_file(struct call *call)
{
    const struct pw_page_config *config = &call->page->config;
    if (call->request->method != PW_HTTP_GET) {
        pw_http_allow(call->reply, 1U << PW_HTTP_GET);
        pw_page_fail(call, 405, "method", "use GET here", PW_STR(""), "");
        return;
    }
    if (pw_http_file(config->asset, config->asset_count, call->request, call->reply)) {
        return;
    }
    if (config->asset_count == 0 && pw_str_is(call->request->path, "/")) {
        call->reply->status = 200;
        call->reply->content_type = "text/plain; charset=utf-8";
        call->reply->body = PW_STR("This pilotwire-station was built without its page.\n"
                                   "The interface is at /api/v1: status, limits, faults, settings, "
                                   "log.\n");
        return;
    }
    pw_page_fail(call, 404, "not_found", "there is no ", call->request->path, "");
}

// The row of the request, if who asks may do it. NULL after answering; *file: it asks for a file.
static const struct route *admit(struct call *call, bool *file)
{
    struct pw_str path = call->request->path;
    if (pw_str_starts(path, "/api/v1/")) {
        path = (struct pw_str){.at = path.at + 7, .len = path.len - 7};
    } else if (!pw_str_is(path, "/healthz")) {
        *file = true;
        return NULL;
    }
    const struct route *route = find_route(call, path);
    return route != NULL && may(call, route) ? route : NULL;
}

// Who asks from elsewhere without TLS is sent there, if the owner says so. Not over the station's
// access point: a telephone that is led to a certificate it does not know shows no page at all, and
// the radio is encrypted. True after answering.
static bool sent_to_tls(struct call *call)
{
    const struct pw_station *st = call->page->config.station;
    const struct pw_http_request *request = call->request;
    struct pw_network_view view;
    pw_network_view(&st->network, &view);
    if (pw_settings_int(&st->settings, PW_SET_PAGE_PLAIN) != PW_PAGE_REDIRECTS || view.ap ||
        request->secure || pw_http_is_near(request->address)) {
        return false;
    }
    if (!pw_http_to_tls(request, st->tls.port, call->reply)) {
        pw_page_fail(call, 403, "https", "this page is served with TLS only: see page.tls_listen",
                     PW_STR(""), "");
    }
    return true;
}

// Who asks, and whether under a name of ours. False after answering.
static bool meet(struct call *call)
{
    struct pw_page *page = call->page;
    const struct pw_http_request *request = call->request;
    *call->reply = (struct pw_http_reply){0};
    page->now = call->now;
    pw_page_login_follow(page);
    call->login = pw_page_login_of(page, request, call->now);
    call->inside = (call->login != NULL && call->login->right == PW_PAGE_ALL) ||
                   (pw_page_is_open(page) && pw_http_is_near(request->address));
    if (!pw_http_host_is_ours(request->host, page->config.host)) {
        if (!pw_page_catch(call)) {
            pw_page_fail(call, 403, "host", "this page is not known as \"", request->host,
                         "\": see the setting page.url");
        }
        return false;
    }
    return !sent_to_tls(call);
}

static struct call call_of(struct pw_page *page, const struct pw_http_request *request,
                           struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    return (struct call){
        .page = page,
        .request = request,
        .reply = reply,
        .now = now,
        .wall = wall,
        .out = {.at = page->reply, .cap = sizeof(page->reply)},
    };
}

void pw_page_serve(void *context, const struct pw_http_request *request,
                   struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct call call = call_of(context, request, reply, now, wall);
    bool file = false;
    if (!meet(&call)) {
        return;
    }
    const struct route *route = admit(&call, &file);
    if (file) {
        serve_file(&call);
    } else if (route != NULL && (!route->body || read_body(&call))) {
        route->serve(&call);
    }
    pw_page_update_closed(call.page, request->stream); // it was refused behind its last byte
}

// Host, Origin, login and token are looked at here, before the first byte of a release is taken.
uint64_t pw_page_takes(void *context, const struct pw_http_request *request,
                       struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct call call = call_of(context, request, reply, now, wall);
    bool file = false;
    if (request->method != PW_HTTP_PUT || !pw_str_is(request->path, "/api/v1/update/file") ||
        !meet(&call) || admit(&call, &file) == NULL) {
        return 0;
    }
    return pw_page_update_takes(&call);
}

// --- Turns.

void pw_page_init(struct pw_page *page, const struct pw_page_config *config, pw_ms now)
{
    memset(page, 0, sizeof(*page));
    page->config = *config;
    page->now = now;
    page->sampled_at = PW_NEVER;
    pw_page_login_follow(page);
}

// What a watcher must hear of at once, as one number (FNV-1a).
static uint32_t sum_of(const struct pw_connector_view *view)
{
    const uint32_t parts[] = {
        (uint32_t)view->status, (uint32_t)view->phase,     view->plugged ? 1U : 0U,
        view->live ? 1U : 0U,   (uint32_t)view->limit_who, (uint32_t)view->offered_ma,
    };
    uint32_t sum = 2166136261U;
    for (size_t i = 0; i < PW_COUNT(parts); i++) {
        sum = (sum ^ parts[i]) * 16777619U;
    }
    for (const char *c = view->state; *c != '\0'; c++) {
        sum = (sum ^ (uint8_t)*c) * 16777619U;
    }
    for (const char *c = view->vendor_code; *c != '\0'; c++) {
        sum = (sum ^ (uint8_t)*c) * 16777619U;
    }
    return sum;
}

pw_ms pw_page_step(struct pw_page *page, pw_ms now)
{
    const struct pw_station *st = page->config.station;
    bool samples = page->sampled_at == PW_NEVER || now >= pw_after(page->sampled_at, SAMPLE_MS);
    bool changed = false;
    page->now = now;
    if (samples || now >= page->look_at) {
        for (unsigned i = 0; i < st->connectors; i++) {
            struct pw_connector_view view;
            pw_connector_view(&st->connector[i], &view, now);
            uint32_t sum = sum_of(&view);
            changed = changed || sum != page->seen[i];
            page->seen[i] = sum;
            if (samples) {
                pw_history_add(&page->history[i], &view, now);
            }
        }
        if (samples) {
            struct pw_house_view house;
            pw_station_house(st, 1, &house, now);
            pw_house_history_add(&page->house, &house, now);
        }
        page->look_at = pw_after(now, LOOK_MS);
        page->sampled_at = samples ? now : page->sampled_at;
    }
    pw_ms at = pw_earlier(pw_page_stream_step(page, changed, now), pw_page_asked_step(page, now));
    return pw_earlier(at, pw_after(page->sampled_at, SAMPLE_MS));
}
