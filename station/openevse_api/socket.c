// The WebSocket: the whole status when a client comes, then what has changed. Nothing is queued: a
// client is told what is so when it can take it.
#include "openevse_api/parts.h"

#include <string.h>

#define LEAST_MS 500   // between two messages
#define BEAT_MS  10000 // at least this often, with what is no news by itself

static struct pw_openevse_socket *socket_of(struct pw_openevse_api *api, uint64_t number)
{
    for (size_t i = 0; i < PW_OPENEVSE_API_SOCKETS_MAX; i++) {
        if (api->socket[i].open && api->socket[i].number == number) {
            return &api->socket[i];
        }
    }
    return NULL;
}

// Whether there is anything to say; the socket still does not know it.
static bool has_news(struct pw_openevse_api *api, const struct pw_openevse_socket *socket)
{
    uint32_t said[PW_OPENEVSE_API_ROWS_MAX];
    struct pw_oe_look look = pw_oe_look(api, socket->connector, api->now, api->wall);
    struct pw_out out = {.at = api->reply, .cap = sizeof(api->reply)};
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    memcpy(said, socket->said, sizeof(said));
    return pw_oe_put_status(&look, said, &json) > 0;
}

pw_ms pw_oe_socket_step(struct pw_openevse_api *api, bool looks, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (size_t i = 0; i < PW_OPENEVSE_API_SOCKETS_MAX; i++) {
        struct pw_openevse_socket *socket = &api->socket[i];
        pw_ms earliest = pw_after(socket->sent_at, LEAST_MS);
        if (!socket->open) {
            continue;
        }
        if (!socket->due && looks && now >= earliest) {
            socket->due = now >= pw_after(socket->sent_at, BEAT_MS) || has_news(api, socket);
        }
        if (socket->due || socket->pong) {
            api->config.port->stream_ready(api->config.port->context, socket->number);
            at = pw_earlier(at, pw_after(now, LEAST_MS));
        }
    }
    return at;
}

int pw_openevse_api_stream_take(void *context, uint64_t stream, char *to, size_t cap)
{
    struct pw_openevse_api *api = context;
    struct pw_openevse_socket *socket = socket_of(api, stream);
    struct pw_out out = {.cap = cap};
    out.at = to;
    if (socket == NULL) {
        return PW_ERR_UNKNOWN;
    }
    if (socket->pong) {
        socket->pong = false;
        pw_put_s(&out, "{\"pong\":1}");
        return (int)out.len;
    }
    if (!socket->due) {
        return 0;
    }
    struct pw_oe_look look = pw_oe_look(api, socket->connector, api->now, api->wall);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    (void)pw_oe_put_status(&look, socket->said, &json);
    pw_json_close(&json, '}');
    socket->due = false;
    socket->sent_at = api->now;
    return out.full ? PW_ERR_LIMIT : (int)out.len;
}

// A client that wonders whether it is still heard sends {"ping":1}.
void pw_openevse_api_message(void *context, uint64_t stream, struct pw_str text, pw_ms now)
{
    struct pw_openevse_api *api = context;
    struct pw_openevse_socket *socket = socket_of(api, stream);
    struct pw_json json = {.node = api->node,
                           .cap = PW_COUNT(api->node),
                           .spare = api->spare,
                           .spare_cap = sizeof(api->spare)};
    api->now = now;
    if (socket != NULL && pw_json_read(&json, text) == PW_OK &&
        pw_json_member(&api->node[0], "ping") != NULL) {
        socket->pong = true;
        api->config.port->stream_ready(api->config.port->context, stream);
    }
}
