#include "web.h"

#include "conn.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 10 // for a handshake, a header, a body (facts/reliability.md T41)

struct pw_instant conn_instant(const struct pw_web *web)
{
    return (struct pw_instant){.now = pw_clock_now(web->loop->clock),
                               .wall = pw_clock_wall(web->loop->clock)};
}

struct conn *conn_of(struct pw_web *web, struct lws *wsi)
{
    struct conn *conn = lws_get_opaque_user_data(wsi);
    if (conn != NULL) {
        return conn;
    }
    uint32_t slot = web->next_slot;
    while (web->conns[slot] != NULL) {
        slot = (slot + 1) % CONNS_MAX;
        if (slot == web->next_slot) {
            return NULL;
        }
    }
    conn = calloc(1, sizeof(*conn));
    if (conn == NULL) {
        return NULL;
    }
    conn->web = web;
    conn->wsi = wsi;
    conn->number = ++web->generation * CONNS_MAX + slot;
    char address[sizeof(conn->address)] = "";
    (void)lws_get_peer_simple(wsi, address, sizeof(address));
    // An IPv4 peer on an IPv6 socket is shown, and throttled, as what it is.
    bool mapped = strncmp(address, "::ffff:", 7) == 0 && strchr(address, '.') != NULL;
    struct pw_out out = PW_OUT(conn->address);
    pw_put_s(&out, address + (mapped ? 7 : 0));
    web->conns[slot] = conn;
    web->next_slot = (slot + 1) % CONNS_MAX;
    lws_set_opaque_user_data(wsi, conn);
    return conn;
}

int conn_append(struct conn *conn, const void *bytes, size_t len, size_t max)
{
    size_t need = conn->text_len + len;
    if (need > max) {
        return PW_ERR_LIMIT;
    }
    if (need > conn->text_cap) {
        size_t cap = need < 1024 ? 1024 : need * 2;
        char *grown = realloc(conn->text, cap);
        if (grown == NULL) {
            return PW_ERR_LIMIT;
        }
        conn->text = grown;
        conn->text_cap = cap;
    }
    if (len > 0) {
        memcpy(conn->text + conn->text_len, bytes, len);
    }
    conn->text_len = need;
    return PW_OK;
}

void conn_forget_text(struct conn *conn)
{
    // Given back after each message: an idle link should cost little.
    free(conn->text);
    conn->text = NULL;
    conn->text_len = 0;
    conn->text_cap = 0;
}

static void end(struct conn *conn)
{
    struct pw_web *web = conn->web;
    web->conns[conn->number % CONNS_MAX] = NULL;
    lws_set_opaque_user_data(conn->wsi, NULL);
    if (web->central != NULL && conn->link) {
        pw_central_closed(web->central, conn->number, conn_instant(web));
    }
    if (web->central != NULL && conn->stream) {
        pw_central_stream_closed(web->central, conn->number);
    }
    while (conn->first != NULL) {
        struct frame *frame = conn->first;
        conn->first = frame->next;
        free(frame);
    }
    conn_forget_text(conn);
    free(conn->body);
    free(conn->request);
    free(conn);
}

// One callback serves both protocols: which one a connection speaks is known from its events.
static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    (void)user;
    struct pw_web *web = lws_context_user(lws_get_context(wsi));
    if (reason == LWS_CALLBACK_WSI_DESTROY) {
        struct conn *conn = lws_get_opaque_user_data(wsi);
        if (conn != NULL) {
            end(conn);
        }
        return 0;
    }
    bool wanted = reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE || reason == LWS_CALLBACK_HTTP ||
                  reason == LWS_CALLBACK_HTTP_BODY || reason == LWS_CALLBACK_HTTP_BODY_COMPLETION ||
                  reason == LWS_CALLBACK_HTTP_WRITEABLE || reason == LWS_CALLBACK_ESTABLISHED ||
                  reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_RECEIVE_PONG ||
                  reason == LWS_CALLBACK_SERVER_WRITEABLE;
    if (!wanted) {
        return 0;
    }
    struct conn *conn = web->central != NULL ? conn_of(web, wsi) : NULL;
    if (conn == NULL) {
        return -1;
    }
    if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE) {
        return http_confirm_upgrade(conn, in);
    }
    if (reason == LWS_CALLBACK_HTTP) {
        return http_request(conn);
    }
    if (reason == LWS_CALLBACK_HTTP_BODY) {
        return http_body(conn, in, len);
    }
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION) {
        return http_body_end(conn);
    }
    if (reason == LWS_CALLBACK_HTTP_WRITEABLE) {
        return http_writable(conn);
    }
    if (reason == LWS_CALLBACK_RECEIVE) {
        return link_received(conn, in, len);
    }
    if (reason == LWS_CALLBACK_RECEIVE_PONG) {
        pw_central_pong(web->central, conn->number, conn_instant(web));
        return 0;
    }
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        conn->ready = true;
        (void)lws_callback_on_writable(wsi); // something may wait already
        if (conn->paused) {
            (void)lws_rx_flow_control(wsi, 0);
        }
        return 0;
    }
    return link_writable(conn);
}

static const struct lws_protocols protocols[] = {
    {.name = "pilotwire-http", .callback = callback, .rx_buffer_size = 4096},
    {.name = "ocpp1.6", .callback = callback, .rx_buffer_size = 4096},
    {.name = NULL},
};

int pw_web_open(struct pw_web **web, struct pw_loop *loop, const char *host, uint16_t port,
                const struct pw_log *log)
{
    lws_set_log_level(0, NULL); // its lines are for its developers; ours say what happened
    struct pw_web *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return PW_ERR_LIMIT;
    }
    made->loop = loop;
    made->log = log;
    link_net(made);
    void *loops[] = {pw_loop_ev(loop)};
    struct lws_context_creation_info info = {
        .port = port,
        .iface = host != NULL && host[0] != '\0' ? host : NULL,
        .protocols = protocols,
        .user = made,
        .gid = -1,
        .uid = -1,
        .foreign_loops = loops,
        .server_string = "pilotwire",
        .timeout_secs = TIMEOUT_S,
        .max_http_header_data = 4096,
        .max_http_header_pool = 1024,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
    };
    made->context = lws_create_context(&info);
    made->vhost = made->context != NULL ? lws_create_vhost(made->context, &info) : NULL;
    if (made->vhost == NULL) {
        if (made->context != NULL) {
            lws_context_destroy(made->context);
        }
        free(made);
        return PW_ERR_LIMIT;
    }
    *web = made;
    return PW_OK;
}

uint16_t pw_web_port(const struct pw_web *web)
{
    return (uint16_t)lws_get_vhost_listen_port(web->vhost);
}

const struct pw_central_net *pw_web_net(const struct pw_web *web)
{
    return &web->net;
}

void pw_web_serve(struct pw_web *web, struct pw_central *central)
{
    web->central = central;
}

void pw_web_close(struct pw_web *web)
{
    lws_context_destroy(web->context);
    for (size_t i = 0; i < CONNS_MAX; i++) {
        PW_ASSERT(web->conns[i] == NULL);
    }
    free(web);
}
