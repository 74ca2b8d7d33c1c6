// REST: what goes over station links. Orders become commands like those of OCPP: queued, answered,
// followed with GET /commands/{n}.
#include "http.h"

#include <string.h>

#define AMPERE_MIN_MA 6000  // the least a pilot can offer (IEC 61851-1 Annex A)
#define AMPERE_MAX_MA 80000 // the most
#define LEASE_MIN_S   10
#define LEASE_MAX_S   3600
#define REASON_MAX    60
#define ID_TAG_CHARS  20

// "name: 5.9 is not what" and its allowed values. Always false.
static bool refuse_value(struct http *http, const char *name, const struct pw_json_node *node,
                         const char *allowed)
{
    char start[48];
    char end[96];
    struct pw_out a = PW_OUT(start);
    struct pw_out b = PW_OUT(end);
    pw_put_s(&a, name);
    pw_put_s(&a, ": ");
    pw_put_s(&b, " is not ");
    pw_put_s(&b, allowed);
    struct pw_str value = {.at = node->at, .len = node->len < 40 ? node->len : 40};
    http_fail(http, 400, "bad_value", start, value, end);
    return false;
}

static const struct pw_json_node *member(struct http *http, const char *name)
{
    const struct pw_json_node *node = pw_json_member(http->body, name);
    if (node == NULL) {
        http_fail(http, 400, "missing", name, PW_STR(""), ": is required");
    }
    return node;
}

static bool read_int(struct http *http, const char *name, int64_t min, int64_t max,
                     const char *allowed, int64_t *value)
{
    const struct pw_json_node *node = member(http, name);
    if (node == NULL) {
        return false;
    }
    return pw_json_int(node, min, max, value) == PW_OK || refuse_value(http, name, node, allowed);
}

static bool read_connector(struct http *http, int64_t *value)
{
    return read_int(http, "connector_id", 1, PW_CENTRAL_CONNECTORS - 1, "a connector, 1 to 32",
                    value);
}

// A current that a pilot can carry, in mA.
static bool read_current(struct http *http, const char *name, int32_t *ma)
{
    int64_t value = 0;
    const struct pw_json_node *node = member(http, name);
    if (node == NULL) {
        return false;
    }
    bool good = pw_json_fixed(node, 3, &value) == PW_OK &&
                (value == 0 || (value >= AMPERE_MIN_MA && value <= AMPERE_MAX_MA));
    *ma = good ? (int32_t)value : 0;
    return good || refuse_value(http, name, node, "0 or 6 to 80 A");
}

static bool read_bool(struct http *http, const char *name, bool must, bool *value)
{
    const struct pw_json_node *node = pw_json_member(http->body, name);
    *value = false;
    if (node == NULL) {
        if (must) {
            http_fail(http, 400, "missing", name, PW_STR(""), ": is required");
        }
        return !must;
    }
    return pw_json_bool(node, value) == PW_OK || refuse_value(http, name, node, "true or false");
}

static void answer(struct http *http, struct station *station, const struct order *order,
                   struct pw_str payload)
{
    char text[160] = "";
    struct pw_out why = PW_OUT(text);
    bool offline = station->uplink == NULL;
    int64_t id = order_add(http->central, station, order, payload, &why, http->at);
    if (id == PW_ERR_RANGE) {
        http_fail(http, 400, "bad_value", "", pw_out_str(&why), "");
    } else if (id == PW_ERR_LIMIT) {
        http->reply->retry_after_s = 1;
        http_fail(http, 429, "queue_full", "8 orders wait for this station already", PW_STR(""),
                  "");
    } else if (id < 0) {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    } else {
        struct pw_json_writer *json = http_object(http);
        pw_json_say_int(json, "command_id", id);
        pw_json_say_s(json, "state", offline ? "offline" : "pending");
        http_done(http, 202);
    }
}

static struct pw_str body_text(const struct http *http)
{
    return (struct pw_str){.at = http->body->at, .len = http->body->len};
}

void api_link_limit(struct http *http)
{
    struct station *station = http_station(http);
    struct order order = {.kind = ORDER_LIMIT};
    int64_t connector = 0;
    int64_t lease_s = 0;
    if (station == NULL || !read_connector(http, &connector) ||
        !read_current(http, "current_a", &order.ma) ||
        !read_int(http, "lease_s", LEASE_MIN_S, LEASE_MAX_S, "10 to 3600 s, whole", &lease_s) ||
        !read_current(http, "fallback_a", &order.fallback_ma) ||
        !http_text(http, "reason", REASON_MAX, false, &order.text)) {
        return;
    }
    order.connector = (int)connector;
    order.lease_s = (uint32_t)lease_s;
    answer(http, station, &order, body_text(http));
}

void api_link_energize(struct http *http)
{
    struct station *station = http_station(http);
    struct order order = {.kind = ORDER_ENERGIZE};
    int64_t connector = 0;
    if (station == NULL || !read_connector(http, &connector) ||
        !read_bool(http, "on", true, &order.on) ||
        !http_text(http, "id_tag", ID_TAG_CHARS, false, &order.text) ||
        !read_bool(http, "force", false, &order.force)) {
        return;
    }
    order.connector = (int)connector;
    answer(http, station, &order, body_text(http));
}

void api_link_snapshot(struct http *http)
{
    struct station *station = http_station(http);
    if (station != NULL) {
        answer(http, station, &(struct order){.kind = ORDER_SNAPSHOT}, PW_STR("{}"));
    }
}

void api_link_events(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t before = 0;
    int64_t limit = 0;
    if (station == NULL || !http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &before) ||
        !http_query_int(http, "limit", 1, 500, 100, &limit)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "events");
    pw_json_open(json, '[');
    report_link_events(http->central, json, station, before, limit);
    pw_json_close(json, ']');
    http_done(http, 200);
}

static bool read_level(struct http *http, enum pw_level *level)
{
    struct pw_str text = http_query(http, "level");
    *level = PW_LOG_DEBUG;
    for (int i = PW_LOG_ERROR; i <= PW_LOG_DEBUG; i++) {
        if (pw_str_is(text, pw_level_name((enum pw_level)i))) {
            *level = (enum pw_level)i;
            return true;
        }
    }
    if (text.len > 0) {
        http_fail(http, 400, "bad_value", "level: \"", text,
                  "\" is none of error, warn, info, debug");
    }
    return text.len == 0;
}

void api_lines(struct http *http)
{
    const struct station *station = http_station(http);
    struct line_filter filter = {.query = pw_str_trim(http_query(http, "query"))};
    if (station == NULL || !read_level(http, &filter.level) ||
        !http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &filter.before) ||
        !http_query_int(http, "limit", 1, 500, 100, &filter.limit)) {
        return;
    }
    if (filter.query.len > LINE_QUERY_MAX) {
        http_fail(http, 400, "bad_value", "query: may have at most 200 bytes", PW_STR(""), "");
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_say_int(json, "dropped", station->past.dropped);
    pw_json_key(json, "lines");
    pw_json_open(json, '[');
    report_lines(http->central, json, station, &filter);
    pw_json_close(json, ']');
    http_done(http, 200);
}
