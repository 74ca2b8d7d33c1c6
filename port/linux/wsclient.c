#include "wsclient.h"

#include "json/utf8.h"
#include "wsparts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// States. One setter; libwebsockets' callbacks below only store.

static pw_ms pace_now(const struct pw_ws_client *client)
{
    return pw_clock_now(client->pace);
}

static void enter(struct pw_ws_client *client, enum pw_ws_state state)
{
    static const pw_ms seconds[] = {
        [PW_WS_OPENING] = PW_WS_OPEN_S, [PW_WS_CLOSING] = PW_WS_CLOSE_S, [PW_WS_OPEN] = 0};
    client->state = state;
    client->deadline =
        seconds[state] > 0 ? pw_after(pace_now(client), seconds[state] * 1000) : PW_NEVER;
    if (state == PW_WS_OPEN) {
        client->ping_at =
            client->ping_ms > 0 ? pw_after(pace_now(client), client->ping_ms) : PW_NEVER;
        client->pong_by = PW_NEVER;
    }
}

void pw_ws_note_end(struct pw_ws_client *client, const char *reason)
{
    // The first reason is the cause, the later ones its consequences.
    if (client->end.reason[0] == '\0') {
        (void)snprintf(client->end.reason, sizeof(client->end.reason), "%s", reason);
    }
}

void pw_ws_note_fault(struct pw_ws_client *client, enum pw_ws_fault fault)
{
    if (client->end.fault == PW_WS_FAULT_NONE) {
        client->end.fault = fault;
    }
}

static void finish(struct pw_ws_client *client)
{
    pw_resolve_drop(client->question);
    client->question = NULL;
    pw_tunnel_drop(&client->tunnel);
    client->end.refused = client->state == PW_WS_OPENING;
    client->wsi = NULL;
    client->failed = false;
    client->out_waits = false;
    client->close_due = false;
    client->ping_due = false;
    client->deaf = false;
    if (!client->in_whole) {
        client->in_len = 0;
    }
    client->ended = true;
    enter(client, PW_WS_IDLE);
}

// Drops the socket at once, without a closing handshake. libwebsockets reports it synchronously.
static void kill_connection(struct pw_ws_client *client, const char *reason)
{
    pw_ws_note_end(client, reason);
    if (client->wsi != NULL) {
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
        client->wsi = NULL;
    }
    finish(client);
}

// ---------------------------------------------------------------------------------------------
// libwebsockets' callbacks.

static int add_authorization(struct pw_ws_client *client, struct lws *wsi, unsigned char **at,
                             size_t room)
{
    client->reached = true;
    if (client->password_len == 0) {
        return 0;
    }
    char value[HEADER_SIZE];
    struct pw_out header = PW_OUT(value);
    const struct pw_str password = {.at = client->password, .len = client->password_len};
    int rc = pw_ws_put_credentials(&header, client->user, password) == PW_OK ? 0 : -1;
    if (rc == 0) {
        rc = lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
                                          (const unsigned char *)value, (int)strlen(value), at,
                                          *at + room);
    }
    explicit_bzero(value, sizeof(value));
    return rc;
}

// A server that selects no subprotocol, or another one, speaks something else: OCPP-J 1.6 §3.1.2.
static int check_subprotocol(struct pw_ws_client *client, struct lws *wsi)
{
    char selected[NAME_SIZE] = "";
    int len = lws_hdr_copy(wsi, selected, sizeof(selected), WSI_TOKEN_PROTOCOL);
    if (len > 0 && strcmp(selected, client->subprotocol) == 0) {
        return 0;
    }
    char reason[PW_WS_REASON_SIZE];
    (void)snprintf(reason, sizeof(reason), "the server selected %s instead of subprotocol %s",
                   len > 0 ? selected : "no subprotocol", client->subprotocol);
    client->end.http_status = 101;
    pw_ws_note_end(client, reason);
    return -1;
}

// libwebsockets' words for a failed handshake, as people say it.
static const char *plain_words(const char *text)
{
    static const char *const words[][2] = {
        {"HS: PROTOCOL malformed", "the server selected another subprotocol"},
        {"HS: Cannot match protocol", "the server selected another subprotocol"},
        {"HS: user code rejected redirect",
         "the server redirects elsewhere, which is not followed"},
        {"HS: ", "the server's answer is no WebSocket handshake"},
    };
    for (size_t i = 0; i < PW_COUNT(words); i++) {
        if (strncmp(text, words[i][0], strlen(words[i][0])) == 0) {
            return words[i][1];
        }
    }
    return text;
}

static void note_failure(struct pw_ws_client *client, struct lws *wsi, const char *text)
{
    unsigned status = (unsigned)lws_http_client_http_response(wsi);
    char reason[PW_WS_REASON_SIZE];
    if (client->end.http_status == 0) {
        client->end.http_status = status;
    }
    if (status == 401 || status == 403) {
        pw_ws_note_fault(client, PW_WS_FAULT_REFUSED);
    }
    if (status != 0 && status != 101) {
        (void)snprintf(reason, sizeof(reason), "the server answered HTTP %u", status);
    } else {
        (void)snprintf(reason, sizeof(reason), "%s",
                       text != NULL ? plain_words(text) : "connection failed");
    }
    pw_ws_note_end(client, reason);
    client->failed = true;
    client->wsi = NULL;
}

// The peer has the closing handshake's time to answer. The close leaves from the next writable
// event: libwebsockets 4.1 writes beyond its buffer when a receiving callback ends the connection
// in the middle of a frame and the peer goes on sending.
static int leave(struct pw_ws_client *client, struct lws *wsi, enum lws_close_status code,
                 const char *reason)
{
    pw_ws_note_end(client, reason);
    client->close_code = code;
    client->close_due = true;
    client->deaf = true;
    client->out_waits = false;
    enter(client, PW_WS_CLOSING);
    (void)lws_callback_on_writable(wsi);
    return 0;
}

// By ourselves: libwebsockets' own check ends the connection in the middle of a frame.
static bool is_utf8(const char *at, size_t len)
{
    size_t size = 1;
    for (; len > 0 && size > 0; at += size, len -= size) {
        size = pw_json_utf8_size(at, len);
    }
    return len == 0 && size > 0;
}

static int receive(struct pw_ws_client *client, struct lws *wsi, const char *bytes, size_t len)
{
    if (client->deaf) {
        return 0;
    }
    if (lws_frame_is_binary(wsi)) {
        return leave(client, wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE,
                     "the server sent a binary message instead of text");
    }
    if (client->in_whole || len > sizeof(client->in) - client->in_len) {
        return leave(client, wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE,
                     "the server sent a message of more than 65536 bytes");
    }
    if (len > 0) {
        memcpy(client->in + client->in_len, bytes, len);
        client->in_len += len;
    }
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
        if (!is_utf8(client->in, client->in_len)) {
            return leave(client, wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD,
                         "the server sent text that is not UTF-8");
        }
        client->in_whole = true;
        (void)lws_rx_flow_control(wsi, 0);
    }
    return 0;
}

static int write_frame(struct lws *wsi, unsigned char *bytes, size_t len,
                       enum lws_write_protocol as)
{
    return lws_write(wsi, bytes, len, as) < (int)len ? -1 : 0;
}

// One frame each time the socket takes more.
static int send_next(struct pw_ws_client *client, struct lws *wsi)
{
    int rc = 0;
    if (client->close_due && !client->out_waits) {
        lws_close_reason(wsi, client->close_code, NULL, 0);
        return -1;
    }
    if (client->ping_due) {
        unsigned char empty[LWS_PRE + 1] = {0};
        client->ping_due = false;
        rc = write_frame(wsi, empty + LWS_PRE, 0, LWS_WRITE_PING);
    } else if (client->out_waits) {
        rc = write_frame(wsi, client->out + LWS_PRE, client->out_len, LWS_WRITE_TEXT);
        client->out_waits = false;
    }
    if (rc == 0 && (client->ping_due || client->out_waits || client->close_due)) {
        (void)lws_callback_on_writable(wsi);
    }
    return rc;
}

static void note_close(struct pw_ws_client *client, const unsigned char *payload, size_t len)
{
    char reason[PW_WS_REASON_SIZE];
    struct pw_out out = PW_OUT(reason);
    pw_put_s(&out, "the server closed the connection");
    if (len >= 2) {
        client->end.close_code = pw_be16(payload);
        pw_put_s(&out, " with code ");
        pw_put_uint(&out, client->end.close_code);
    }
    if (len > 2) {
        pw_put_s(&out, ": ");
        pw_put(&out, (struct pw_str){.at = (const char *)payload + 2, .len = len - 2});
    }
    pw_ws_note_end(client, reason);
}

// ---------------------------------------------------------------------------------------------
// Through a proxy. libwebsockets' own CONNECT knows neither an answer in two pieces nor why it was
// refused, so ours makes the tunnel. libwebsockets connects to a socket of this process meanwhile,
// and gets the tunnel's in its place before anything watches or uses the one that it made.

static int put_in_place(struct pw_ws_client *client, struct lws *wsi)
{
    if (client->through < 0) {
        return 0;
    }
    int placed = dup3(client->through, lws_get_socket_fd(wsi), O_CLOEXEC);
    (void)close(client->through);
    client->through = -1;
    return placed < 0 ? -1 : 0;
}

// A socket with a name that the kernel chooses; "" when there is none.
static int listen_here(char *name, size_t cap)
{
    struct sockaddr_un here = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(here);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind(fd, (const struct sockaddr *)&here, sizeof(here.sun_family)) == 0 &&
                listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&here, &len) == 0;
    size_t head = offsetof(struct sockaddr_un, sun_path) + 1;
    (void)snprintf(name, cap, "+@%.*s", good ? (int)(len - head) : 0, here.sun_path + 1);
    return fd;
}

static void connect_through(struct pw_ws_client *client, struct lws_client_connect_info *info)
{
    char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 2];
    int here = listen_here(name, sizeof(name));
    client->through = pw_tunnel_take(&client->tunnel);
    info->address = name;
    bool begun = lws_client_connect_via_info(info) != NULL;
    if (client->through >= 0) { // it never came to its socket
        (void)close(client->through);
        client->through = -1;
        pw_ws_note_end(client, "no socket for the tunnel");
        begun = false;
    }
    if (here >= 0) {
        (void)close(here);
    }
    if (!begun) {
        client->wsi = NULL;
        client->failed = true;
    }
}

// ---------------------------------------------------------------------------------------------

// Only what ends or opens a connection wakes decisions; all of them are taken in pw_ws_step, which
// runs in the same turn.
static int on_connection(struct pw_ws_client *client, struct lws *wsi,
                         enum lws_callback_reasons reason, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        note_failure(client, wsi, in);
    } else if (reason == LWS_CALLBACK_WSI_CREATE) {
        return put_in_place(client, wsi);
    } else if (reason == LWS_CALLBACK_CLIENT_HTTP_REDIRECT) {
        return -1; // a key must not follow a redirect to another server
    } else if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER) {
        return pw_ws_tls_ready(client) != 0 ? -1 : add_authorization(client, wsi, in, len);
    } else if (reason == LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH) {
        return check_subprotocol(client, wsi);
    } else if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        enter(client, PW_WS_OPEN);
    } else if (reason == LWS_CALLBACK_CLIENT_CLOSED) {
        pw_ws_note_end(client, client->state == PW_WS_CLOSING ? "closed by the station"
                                                              : "the connection broke");
        client->failed = true;
        client->wsi = NULL;
    }
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct lws_context *context = lws_get_context(wsi);
    struct pw_ws_client *client = context != NULL ? lws_context_user(context) : NULL;
    if (client != NULL && reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
        pw_ws_tls_watch(client, user);
        return 0;
    }
    if (client != NULL && reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
        return pw_ws_tls_verify(client, user, len != 0);
    }
    if (client == NULL || wsi == NULL || (client->wsi != NULL && client->wsi != wsi)) {
        return 0; // the context itself, or a connection that was given up
    }
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        return receive(client, wsi, in, len);
    }
    if (reason == LWS_CALLBACK_CLIENT_WRITEABLE) {
        return send_next(client, wsi);
    }
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE_PONG) {
        client->pong_by = PW_NEVER;
        return 0;
    }
    if (reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE) {
        note_close(client, in, len);
        return 0;
    }
    return on_connection(client, wsi, reason, in, len);
}

// ---------------------------------------------------------------------------------------------

static void on_alarm(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev; // the turn that follows is the answer
    (void)watcher;
    (void)events;
}

// ---------------------------------------------------------------------------------------------

static void connect_next(struct pw_ws_client *client)
{
    bool tunnelled = client->tunnel.state == PW_TUNNEL_OPEN;
    char host[PW_WS_HOST_SIZE + 8];
    bool v6 = strchr(client->to.host, ':') != NULL;
    (void)snprintf(host, sizeof(host), v6 ? "[%s]:%u" : "%s:%u", client->to.host, client->to.port);
    struct lws_client_connect_info info = {
        .context = client->context,
        .address = tunnelled ? "" : client->found.text[client->tried++],
        .port = client->to.port,
        // Names and addresses are the peer's rules' to check: libwebsockets knows no pins.
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK |
                          (client->to.tls ? LCCSCF_USE_SSL : 0),
        .path = client->to.path,
        .host = host,
        .origin = NULL,
        .protocol = client->subprotocol,
        .local_protocol_name = "pilotwire",
        .ietf_version_or_minus_one = -1,
        .userdata = client,
        .pwsi = &client->wsi,
    };
    client->reached = false;
    client->failed = false;
    // What an address that does not answer said is not the reason when the next one does.
    client->end = (struct pw_ws_end){0};
    if (pw_ws_tls_prepare(client) != PW_OK) {
        client->reached = true; // no other address would be better
        client->failed = true;
        return;
    }
    if (tunnelled) {
        client->reached = true; // whatever is wrong now, no other address would be better
        connect_through(client, &info);
    } else if (lws_client_connect_via_info(&info) == NULL) {
        client->wsi = NULL;
        client->failed = true;
    }
}

static void step_tunnel(struct pw_ws_client *client)
{
    enum pw_tunnel_state state = pw_tunnel_step(&client->tunnel);
    if (state == PW_TUNNEL_OPEN) {
        connect_next(client);
    } else if (state == PW_TUNNEL_FAILED) {
        client->reached = true;
        client->failed = true;
        pw_ws_note_end(client, client->tunnel.why);
    }
}

static void step_opening(struct pw_ws_client *client)
{
    if (client->tunnel.state != PW_TUNNEL_NONE) {
        step_tunnel(client);
    }
    if (client->question != NULL && pw_resolve_done(client->question, &client->found)) {
        pw_resolve_drop(client->question);
        client->question = NULL;
        client->tried = 0;
        client->failed = true; // no address tried yet
        pw_ws_note_end(client, client->found.why);
    }
    // An address may fail at once, without any event to come back for.
    while (client->state == PW_WS_OPENING && client->question == NULL && client->failed) {
        if (!client->reached && client->tried < client->found.count) {
            connect_next(client);
        } else {
            pw_ws_note_end(client, "connection failed");
            finish(client);
        }
    }
}

static void step_open(struct pw_ws_client *client)
{
    pw_ms now = pace_now(client);
    if (client->failed) {
        finish(client);
    } else if (now >= client->pong_by) {
        kill_connection(client, "no pong: the connection is dead");
    } else if (now >= client->ping_at) {
        client->ping_at = client->ping_ms > 0 ? pw_after(now, client->ping_ms) : PW_NEVER;
        client->ping_due = client->ping_ms > 0;
        if (client->ping_due && client->pong_by == PW_NEVER) {
            client->pong_by = pw_after(now, (pw_ms)PW_WS_PONG_S * 1000);
        }
        (void)lws_callback_on_writable(client->wsi);
    }
}

static void arm(struct pw_ws_client *client)
{
    pw_ms at = client->deadline;
    if (client->state == PW_WS_OPEN) {
        at = pw_earlier(client->ping_at, client->pong_by);
    }
    if (client->ended) {
        at = 0; // the program shall take the end in its next turn
    }
    ev_timer_stop(client->loop->ev, &client->alarm);
    if (at == PW_NEVER) {
        return;
    }
    pw_ms now = pace_now(client);
    pw_ms wait = pw_clock_real(client->pace, at > now ? at - now : 0);
    double seconds = (double)wait / 1000.0;
    ev_timer_set(&client->alarm, seconds, 0.0);
    ev_timer_start(client->loop->ev, &client->alarm);
}

void pw_ws_step(struct pw_ws_client *client)
{
    switch (client->state) {
    case PW_WS_IDLE: break;
    case PW_WS_OPENING: step_opening(client); break;
    case PW_WS_OPEN: step_open(client); break;
    case PW_WS_CLOSING:
        if (client->failed) {
            finish(client);
        }
        break;
    }
    if (client->state != PW_WS_IDLE && pace_now(client) >= client->deadline) {
        kill_connection(client, client->state != PW_WS_OPENING ? "closed by the station"
                                : client->tunnel.state != PW_TUNNEL_NONE
                                    ? pw_tunnel_stuck(&client->tunnel)
                                    : "no answer in time");
    }
    arm(client);
}

// ---------------------------------------------------------------------------------------------

struct pw_ws_client *pw_ws_client_new(struct pw_loop *loop, const struct pw_clock *pace,
                                      const char *ca_file, const struct pw_proxy *proxy,
                                      struct pw_out *why)
{
    static const struct lws_protocols protocols[] = {
        {.name = "pilotwire", .callback = on_event, .rx_buffer_size = 4096}, {0}};
    struct pw_ws_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        pw_put_s(why, "WebSocket client: out of memory");
        return NULL;
    }
    client->loop = loop;
    client->pace = pace;
    client->proxy = proxy;
    client->through = -1;
    client->deadline = PW_NEVER;
    client->pong_by = PW_NEVER;
    ev_timer_init(&client->alarm, on_alarm, 0.0, 0.0);
    void *loops[] = {loop->ev};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = -1,
        .uid = -1,
        .user = client,
        .foreign_loops = loops,
        .options = LWS_SERVER_OPTION_LIBEV,
        .http_proxy_address = "", // none, and not the environment's
    };
    if (ca_file != NULL) {
        client->tls = true;
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = ca_file[0] != '\0' ? ca_file : NULL;
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    }
    // Its own log lines go past ours and could carry headers.
    lws_set_log_level(0, NULL);
    client->context = lws_create_context(&info);
    if (client->context == NULL) {
        pw_put_s(why, "WebSocket client: libwebsockets cannot start; is its libev plugin installed"
                      " (package libwebsockets-evlib-ev), and is the CA file readable?");
        free(client);
        return NULL;
    }
    return client;
}

void pw_ws_client_free(struct pw_ws_client *client)
{
    if (client == NULL) {
        return;
    }
    pw_resolve_drop(client->question);
    pw_tunnel_drop(&client->tunnel);
    ev_timer_stop(client->loop->ev, &client->alarm);
    lws_context_destroy(client->context);
    explicit_bzero(client->password, sizeof(client->password));
    free(client);
}

static int copy_target(struct pw_ws_client *client, const struct pw_ws_target *target,
                       struct pw_out *why)
{
    const char *wrong = pw_ws_parse_url(target->url, &client->to);
    if (wrong == NULL && client->to.tls && !client->tls) {
        wrong = "wss:// needs TLS, which was left out at the start";
    }
    if (wrong == NULL && pw_ws_append_id(&client->to, target->id) != PW_OK) {
        wrong = "the path with the station id is too long";
    }
    if (wrong == NULL && pw_str_copy(client->user, sizeof(client->user), target->id) != PW_OK) {
        wrong = "the station id is too long";
    }
    if (wrong == NULL && target->password.len >= sizeof(client->password)) {
        wrong = "the password is too long";
    }
    if (wrong == NULL && target->password.len > 0) {
        memcpy(client->password, target->password.at, target->password.len);
    }
    client->password_len = wrong == NULL ? target->password.len : 0;
    client->rules = target->tls;
    if (wrong == NULL &&
        pw_str_copy(client->subprotocol, sizeof(client->subprotocol), target->subprotocol) != 0) {
        wrong = "the subprotocol is too long";
    }
    if (wrong != NULL) {
        pw_put_s(why, wrong);
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

bool pw_ws_has_tls(const struct pw_ws_client *client)
{
    return client->tls;
}

int pw_ws_open(struct pw_ws_client *client, const struct pw_ws_target *target, struct pw_out *why)
{
    if (client->state != PW_WS_IDLE || client->ended || client->in_whole) {
        return PW_ERR_BUSY;
    }
    int err = copy_target(client, target, why);
    if (err != PW_OK) {
        return err;
    }
    client->end = (struct pw_ws_end){0};
    client->found = (struct pw_addresses){0};
    client->tried = 0;
    client->reached = false;
    client->failed = false;
    client->in_len = 0;
    enter(client, PW_WS_OPENING);
    struct pw_str host = pw_str_of(client->to.host);
    bool tunnelled = pw_proxy_leads(client->proxy, host);
    if (tunnelled) {
        pw_tunnel_begin(&client->tunnel, client->loop, client->proxy, host, client->to.port);
    } else {
        client->question = pw_resolve_start(client->loop, client->to.host);
    }
    if (!tunnelled && client->question == NULL) {
        pw_ws_note_end(client, "no thread to look the name up");
        client->failed = true;
    }
    return PW_OK;
}

void pw_ws_close(struct pw_ws_client *client)
{
    if (client->state == PW_WS_OPENING) {
        kill_connection(client, "closed by the station");
    } else if (client->state == PW_WS_OPEN && !client->failed) {
        client->close_code = LWS_CLOSE_STATUS_NORMAL;
        client->close_due = true;
        enter(client, PW_WS_CLOSING);
        (void)lws_callback_on_writable(client->wsi);
    }
}

enum pw_ws_state pw_ws_state(const struct pw_ws_client *client)
{
    return client->state;
}

bool pw_ws_take_end(struct pw_ws_client *client, struct pw_ws_end *end)
{
    if (!client->ended || client->in_whole) {
        return false;
    }
    *end = client->end;
    client->ended = false;
    return true;
}

bool pw_ws_message(const struct pw_ws_client *client, struct pw_str *text)
{
    if (client->in_whole) {
        *text = (struct pw_str){.at = client->in, .len = client->in_len};
    }
    return client->in_whole;
}

void pw_ws_message_done(struct pw_ws_client *client)
{
    client->in_whole = false;
    client->in_len = 0;
    if (client->wsi != NULL && !client->failed) {
        (void)lws_rx_flow_control(client->wsi, 1);
        // What libwebsockets had read already is looked at only after some event on the socket.
        (void)lws_callback_on_writable(client->wsi);
    }
}

bool pw_ws_can_send(const struct pw_ws_client *client)
{
    return client->state == PW_WS_OPEN && !client->failed && !client->out_waits;
}

int pw_ws_send(struct pw_ws_client *client, struct pw_str text)
{
    if (text.len > PW_WS_MESSAGE_MAX) {
        return PW_ERR_LIMIT;
    }
    if (!pw_ws_can_send(client)) {
        return PW_ERR_BUSY;
    }
    if (text.len > 0) {
        memcpy(client->out + LWS_PRE, text.at, text.len);
    }
    client->out_len = text.len;
    client->out_waits = true;
    (void)lws_callback_on_writable(client->wsi);
    return PW_OK;
}

void pw_ws_ping_every(struct pw_ws_client *client, unsigned seconds)
{
    pw_ms interval = (pw_ms)seconds * 1000;
    if (interval != client->ping_ms && client->state == PW_WS_OPEN) {
        client->ping_at = interval > 0 ? pw_after(pace_now(client), interval) : PW_NEVER;
    }
    client->ping_ms = interval;
}
