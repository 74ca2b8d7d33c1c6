#include "httpd.h"

#include "conn.h"
#include "peer/authorities.h"
#include "peer/peer.h"
#include "vault/pem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_S   10 // for a handshake, a header, a body (facts/reliability.md T41)
#define HEADERS_MAX (PW_HTTP_HEAD_MAX + 16 * PW_HTTP_FIELDS_MAX) // of a head, as it is kept
#define READ_MAX    (LWS_PRE + 16384 + 64)                       // a whole TLS record: gate.c
#define UNFINISHED  8

// Whitepaper A00.FR.317.
#define TLS_SUITES                                                                                 \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:"               \
    "AES256-GCM-SHA384"
#define TLS_13_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"

struct conn *conn_find(const struct pw_httpd *httpd, uint64_t number)
{
    struct conn *conn = httpd->conns[number % httpd->config.connections];
    return conn != NULL && conn->number == number ? conn : NULL;
}

// An IPv4 peer on an IPv6 socket is shown, and throttled, as what it is.
static void put_address(const char *address, char *to, size_t cap)
{
    bool mapped = strncmp(address, "::ffff:", 7) == 0 && strchr(address, '.') != NULL;
    struct pw_out out = {.cap = cap};
    out.at = to;
    pw_put_s(&out, address + (mapped ? 7 : 0));
}

static void address_of(struct lws *wsi, char *to, size_t cap)
{
    char address[48] = "";
    (void)lws_get_peer_simple(wsi, address, sizeof(address));
    put_address(address, to, cap);
}

static bool is_proxy(const struct pw_httpd *httpd, const char *address)
{
    const char *proxy = httpd->config.trusted_proxy;
    return proxy != NULL && proxy[0] != '\0' && strcmp(proxy, address) == 0;
}

// --- Strangers: whoever trickles headers from one address takes no places from the others.

// Whether one more may come from where this socket leads.
static bool may_come(const struct pw_httpd *httpd, int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);
    char text[48] = "";
    char address[48] = "";
    size_t same = 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0) {
        return false;
    }
    const void *bytes = peer.ss_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)&peer)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)&peer)->sin_addr;
    (void)inet_ntop(peer.ss_family, bytes, text, sizeof(text));
    put_address(text, address, sizeof(address));
    if (is_proxy(httpd, address)) {
        return httpd->strangers < STRANGERS_MAX;
    }
    for (size_t i = 0; i < httpd->strangers; i++) {
        same += strcmp(httpd->stranger[i].address, address) == 0 ? 1 : 0;
    }
    size_t most = httpd->config.unfinished > 0 ? httpd->config.unfinished : UNFINISHED;
    return same < most && httpd->strangers < STRANGERS_MAX;
}

static void stranger_came(struct pw_httpd *httpd, struct lws *wsi)
{
    if (httpd->strangers < STRANGERS_MAX) {
        struct stranger *stranger = &httpd->stranger[httpd->strangers++];
        stranger->wsi = wsi;
        address_of(wsi, stranger->address, sizeof(stranger->address));
    }
}

// It has said what it wants, or is gone.
static void stranger_known(struct pw_httpd *httpd, const struct lws *wsi)
{
    for (size_t i = 0; i < httpd->strangers; i++) {
        if (httpd->stranger[i].wsi == wsi) {
            httpd->stranger[i] = httpd->stranger[--httpd->strangers];
            return;
        }
    }
}

// The connection of a wsi, made on first use; NULL when all places are taken or without memory.
static struct conn *conn_of(struct pw_httpd *httpd, struct lws *wsi)
{
    struct conn *conn = lws_get_opaque_user_data(wsi);
    if (conn != NULL) {
        return conn;
    }
    size_t slot = httpd->next_slot;
    while (httpd->conns[slot] != NULL) {
        slot = (slot + 1) % httpd->config.connections;
        if (slot == httpd->next_slot) {
            return NULL;
        }
    }
    conn = calloc(1, sizeof(*conn));
    if (conn == NULL) {
        return NULL;
    }
    conn->httpd = httpd;
    conn->wsi = wsi;
    conn->number = ++httpd->generation * httpd->config.connections + slot;
    address_of(wsi, conn->address, sizeof(conn->address));
    memcpy(conn->from, conn->address, sizeof(conn->from));
    conn->proxied = is_proxy(httpd, conn->address);
    conn->secure = lws_is_ssl(wsi) != 0;
    httpd->conns[slot] = conn;
    httpd->next_slot = (slot + 1) % httpd->config.connections;
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
    struct pw_httpd *httpd = conn->httpd;
    httpd->conns[conn->number % httpd->config.connections] = NULL;
    lws_set_opaque_user_data(conn->wsi, NULL);
    if (conn->link != NULL) {
        httpd->config.links->ended(httpd->config.links_context, conn);
    }
    if (httpd->site != NULL && (conn->stream || conn->waits || conn->flows || conn->pieces)) {
        httpd->site->stream_closed(httpd->site->context, conn->number);
    }
    conn_forget_text(conn);
    free(conn->body);
    free(conn->request);
    free(conn);
}

static int upgrade(struct conn *conn, const char *protocol)
{
    const struct pw_httpd_config *config = &conn->httpd->config;
    bool spoken = config->links != NULL || conn->httpd->site->socket != NULL;
    if (!spoken || !pw_str_eq_nocase(pw_str_of(protocol), PW_STR("websocket"))) {
        return conn_refuse(
            conn, 400, spoken ? "only websocket upgrades are served" : "no upgrade is served here",
            false);
    }
    return config->links != NULL ? config->links->confirm(config->links_context, conn)
                                 : request_upgrade(conn);
}

static int on_socket(struct conn *conn, enum lws_callback_reasons reason, const void *in,
                     size_t len)
{
    if (reason == LWS_CALLBACK_RECEIVE) {
        return socket_receive(conn, in, len);
    }
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        (void)lws_callback_on_writable(conn->wsi); // something may wait already
        return 0;
    }
    return reason == LWS_CALLBACK_SERVER_WRITEABLE ? socket_writable(conn) : 0;
}

// What a WebSocket connection has to say; 0 for one without a link.
static int on_link(struct conn *conn, enum lws_callback_reasons reason, const void *in, size_t len)
{
    const struct pw_httpd_config *config = &conn->httpd->config;
    if (conn->socket) {
        return on_socket(conn, reason, in, len);
    }
    if (conn->link == NULL) {
        return 0;
    }
    if (reason == LWS_CALLBACK_RECEIVE) {
        return config->links->received(config->links_context, conn, in, len);
    }
    if (reason == LWS_CALLBACK_RECEIVE_PONG) {
        config->links->pong(config->links_context, conn);
        return 0;
    }
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        config->links->established(conn);
        return 0;
    }
    return config->links->writable(conn);
}

// libwebsockets leaves its files to us: a key may be sealed, and who opens a pipe would wait.
static int begin_tls(struct pw_httpd *httpd, void *tls_ctx)
{
    char text[256];
    struct pw_out why = PW_OUT(text);
    const struct pw_httpd_tls *tls = httpd->config.tls;
    httpd->tls_ctx = tls_ctx;
    if (tls->people && !pw_peer_restrict(tls_ctx)) {
        return 1;
    }
    return tls->later || pw_httpd_reload(httpd, &why) == PW_OK ? 0 : 1;
}

// One callback serves both protocols: which one a connection speaks is known from its events.
static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct pw_httpd *httpd = lws_context_user(lws_get_context(wsi));
    if (reason == LWS_CALLBACK_FILTER_NETWORK_CONNECTION) {
        return may_come(httpd, (int)(intptr_t)in) ? 0 : 1;
    }
    if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED) {
        stranger_came(httpd, wsi);
        return gate_open(httpd, wsi);
    }
    if (reason == LWS_CALLBACK_WSI_DESTROY) {
        stranger_known(httpd, wsi);
        gate_end(wsi);
        struct conn *conn = lws_get_opaque_user_data(wsi);
        if (conn != NULL) {
            end(conn);
        }
        return 0;
    }
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        return begin_tls(httpd, user);
    }
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION) {
        return len != 0 ? 0 : 1; // OpenSSL's own judgement: without this line all are taken
    }
    bool http = reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE || reason == LWS_CALLBACK_HTTP ||
                reason == LWS_CALLBACK_HTTP_BODY || reason == LWS_CALLBACK_HTTP_BODY_COMPLETION ||
                reason == LWS_CALLBACK_HTTP_WRITEABLE;
    bool link = reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_RECEIVE ||
                reason == LWS_CALLBACK_RECEIVE_PONG || reason == LWS_CALLBACK_SERVER_WRITEABLE;
    if (!http && !link) {
        return 0;
    }
    bool begins = reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE || reason == LWS_CALLBACK_HTTP;
    if (begins && !gate_passed(wsi)) {
        return -1;
    }
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        gate_end(wsi);
    }
    stranger_known(httpd, wsi);
    struct conn *conn = httpd->site != NULL ? conn_of(httpd, wsi) : NULL;
    if (conn == NULL) {
        return -1;
    }
    if (link) {
        return on_link(conn, reason, in, len);
    }
    if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE) {
        return upgrade(conn, in);
    }
    if (reason == LWS_CALLBACK_HTTP) {
        return request_head(conn);
    }
    if (reason == LWS_CALLBACK_HTTP_BODY) {
        return request_body(conn, in, len);
    }
    return reason == LWS_CALLBACK_HTTP_BODY_COMPLETION ? request_end(conn) : request_writable(conn);
}

// libwebsockets that may use IPv6 takes an IPv4 address for none and listens on all of them, so
// that a page meant for this machine alone is open to its whole network.
static uint64_t without_ipv6(const char *host)
{
    struct in_addr address;
    bool v4 = host != NULL && inet_pton(AF_INET, host, &address) == 1;
    return v4 ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0;
}

static const struct lws_context_creation_info *tls_info(const struct pw_httpd *httpd,
                                                        struct lws_context_creation_info *info)
{
    const struct pw_httpd_tls *tls = httpd->config.tls;
    info->vhost_name = "tls";
    info->port = tls->port;
    info->iface = tls->host != NULL && tls->host[0] != '\0' ? tls->host : NULL;
    info->options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    info->ssl_cipher_list = TLS_SUITES;
    info->tls1_3_plus_cipher_list = TLS_13_SUITES;
    info->alpn = "http/1.1"; // WebSockets over HTTP/2 (RFC 8441) are nothing a station speaks
    info->ssl_options_set = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 |
                            SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION;
    info->options &= ~(uint64_t)LWS_SERVER_OPTION_DISABLE_IPV6;
    info->options |= without_ipv6(tls->host);
    if (tls->client_ca != NULL) {
        // Asked for, and only a good one is taken; a station of profile 2 has none to show.
        info->options |= LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT |
                         LWS_SERVER_OPTION_PEER_CERT_NOT_REQUIRED;
    }
    return info;
}

// libwebsockets would keep a timer for each connection that nothing has come over for long, in one
// sorted list: with 10,000 of them that is half of all work. The sites ask for signs of life, and
// the kernel does of those that nobody asks.
static const lws_retry_bo_t no_timer = {.secs_since_valid_hangup = 0};

static int listen_on(struct pw_httpd *httpd)
{
    const struct pw_httpd_config *config = &httpd->config;
    void *loops[] = {pw_loop_ev(config->loop)};
    struct lws_context_creation_info info = {
        .port = config->port,
        .iface = config->host != NULL && config->host[0] != '\0' ? config->host : NULL,
        .protocols = httpd->protocols,
        .user = httpd,
        .gid = -1,
        .uid = -1,
        .foreign_loops = loops,
        .server_string = "pilotwire",
        .timeout_secs = TIMEOUT_S,
        .retry_and_idle_policy = &no_timer,
        .ka_time = 60,
        .ka_interval = 20,
        .ka_probes = 3,
        .timeout_secs_ah_idle = TIMEOUT_S + 5, // the gate's own are shorter, and answer
        .pt_serv_buf_size = READ_MAX,
        .max_http_header_data = HEADERS_MAX,
        .max_http_header_pool =
            (unsigned short)(STRANGERS_MAX + pw_min((int64_t)config->connections, 1024)),
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME | without_ipv6(config->host),
    };
    if (config->tls != NULL) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    }
    httpd->context = lws_create_context(&info);
    if (httpd->context == NULL) {
        return PW_ERR_LIMIT;
    }
    if (!config->only_tls) {
        httpd->vhost = lws_create_vhost(httpd->context, &info);
        if (httpd->vhost == NULL) {
            return PW_ERR_LIMIT;
        }
    }
    if (config->tls == NULL) {
        return PW_OK;
    }
    httpd->tls = lws_create_vhost(httpd->context, tls_info(httpd, &info));
    return httpd->tls != NULL ? PW_OK : PW_ERR_STORE;
}

static void nudge(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct pw_httpd *httpd = timer->data;
    (void)loop, (void)events;
    for (size_t i = 0; i < httpd->config.connections; i++) {
        struct conn *conn = httpd->conns[i];
        if (conn != NULL && conn->woken) {
            conn->woken = false;
            request_offer(conn);
        }
    }
}

int pw_httpd_open(struct pw_httpd **httpd, const struct pw_httpd_config *config)
{
    PW_ASSERT(config->connections >= 1 && config->connections <= 1U << 16);
    PW_ASSERT(!config->only_tls || config->tls != NULL);
    lws_set_log_level(0, NULL); // its lines are for its developers; ours say what happened
    struct pw_httpd *made = calloc(1, sizeof(*made) + config->connections * sizeof(struct conn *));
    if (made == NULL) {
        return PW_ERR_LIMIT;
    }
    made->config = *config;
    made->protocols[0] = (struct lws_protocols){
        .name = "pilotwire-http", .callback = callback, .rx_buffer_size = 4096};
    if (config->links != NULL) {
        made->protocols[1] = (struct lws_protocols){
            .name = config->links->protocol, .callback = callback, .rx_buffer_size = 4096};
    }
    ev_timer_init(&made->nudge, nudge, 0., 0.);
    made->nudge.data = made;
    int result = listen_on(made);
    if (result != PW_OK) {
        if (made->context != NULL) {
            lws_context_destroy(made->context);
        }
        free(made);
        return result;
    }
    *httpd = made;
    return PW_OK;
}

uint16_t pw_httpd_port(const struct pw_httpd *httpd)
{
    return httpd->vhost != NULL ? (uint16_t)lws_get_vhost_listen_port(httpd->vhost) : 0;
}

uint16_t pw_httpd_tls_port(const struct pw_httpd *httpd)
{
    return httpd->tls != NULL ? (uint16_t)lws_get_vhost_listen_port(httpd->tls) : 0;
}

int pw_httpd_reload(struct pw_httpd *httpd, struct pw_out *why)
{
    const struct pw_httpd_tls *tls = httpd->config.tls;
    if (tls == NULL || httpd->tls_ctx == NULL) {
        return PW_OK;
    }
    EVP_PKEY *key = pw_key_read(tls->key, tls->secret, why);
    int err =
        key != NULL ? pw_peer_reload(httpd->tls_ctx, tls->certificate, key, why) : PW_ERR_STORE;
    EVP_PKEY_free(key);
    return err == PW_OK && tls->client_ca != NULL &&
                   pw_authorities_trust(httpd->tls_ctx, tls->client_ca, true, why) != PW_OK
               ? PW_ERR_STORE
               : err;
}

void pw_httpd_serve(struct pw_httpd *httpd, const struct pw_http_site *site)
{
    httpd->site = site;
}

void pw_httpd_stream_ready(struct pw_httpd *httpd, uint64_t stream)
{
    struct conn *conn = conn_find(httpd, stream);
    if (conn != NULL && conn->pieces) {
        // libwebsockets says nothing of writing while reading is stopped; and the site must not
        // be called from within its own call.
        conn->woken = true;
        ev_timer_start(pw_loop_ev(httpd->config.loop), &httpd->nudge);
    } else if (conn != NULL && (conn->stream || conn->waits)) {
        (void)lws_callback_on_writable(conn->wsi);
    }
}

void pw_httpd_close(struct pw_httpd *httpd)
{
    if (httpd == NULL) {
        return;
    }
    ev_timer_stop(pw_loop_ev(httpd->config.loop), &httpd->nudge);
    lws_context_destroy(httpd->context);
    for (size_t i = 0; i < httpd->config.connections; i++) {
        PW_ASSERT(httpd->conns[i] == NULL);
    }
    free(httpd);
}
