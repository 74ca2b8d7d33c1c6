#include "tls.h"

#include "peer/peer.h"
#include "proxy/tunnel.h"
#include "resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HOST_SIZE = 256,
    DEFAULT_PORT = 8190,
    SEND_BUFFER = 65536, // bytes in the kernel: what lies there delays what comes after it
};

struct address {
    char host[HOST_SIZE];
    uint16_t port;
};

struct pw_tls {
    struct pw_loop *loop;
    const struct pw_clock *pace;
    const struct pw_tls_rules *rules;
    const struct pw_proxy *proxy; // NULL: none
    struct pw_tunnel tunnel;      // while OPENING through it
    SSL_CTX *context;             // of this connection; NULL while idle
    char refused[PW_PEER_REFUSED_SIZE];
    enum pw_tls_state state;
    pw_ms deadline; // of OPENING
    struct address to;
    struct pw_resolve *question;
    struct pw_addresses addresses;
    size_t next_address;
    int fd; // -1: none
    SSL *ssl;
    bool connected; // TCP stands
    bool wants_write;
    bool read_over; // the other side has ended, and what came before waits to be taken
    struct pw_watch watch;
    uint8_t data[PW_TLS_BUFFER];
    size_t data_len;
    bool ended;
    char reason[PW_TLS_REASON_SIZE];
};

// ---------------------------------------------------------------------------------------------
// What settings say.

static const char *cut_host(struct pw_str *rest, struct pw_str *host)
{
    if (rest->len > 0 && rest->at[0] == '[') {
        if (memchr(rest->at, ']', rest->len) == NULL) {
            return "the ] of the address is missing";
        }
        rest->at++;
        rest->len--;
        *host = pw_str_cut(rest, ']');
        if (rest->len > 0 && rest->at[0] != ':') {
            return "behind the ] of an address only :port may follow";
        }
        if (rest->len > 0) {
            rest->at++;
            rest->len--;
        }
    } else {
        *host = pw_str_cut(rest, ':');
    }
    return host->len == 0 ? "the host is missing: tls://host:port" : NULL;
}

static const char *parse_url(struct pw_str url, struct address *to)
{
    struct pw_str host = {.len = 0};
    int64_t port = DEFAULT_PORT;
    if (!pw_str_starts(url, "tls://")) {
        return "it must begin with tls://";
    }
    struct pw_str rest = {.at = url.at + 6, .len = url.len - 6};
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] <= ' ' || rest.at[i] == '/' || rest.at[i] == '@' || rest.at[i] == '?') {
            return "only host and port may follow tls://";
        }
    }
    const char *wrong = cut_host(&rest, &host);
    if (wrong != NULL) {
        return wrong;
    }
    if (rest.len > 0 && pw_parse_int(rest, 1, 65535, &port) != PW_OK) {
        return "the port must be 1..65535";
    }
    to->port = (uint16_t)port;
    return pw_str_copy(to->host, sizeof(to->host), host) == PW_OK ? NULL : "the host is too long";
}

int pw_tls_check_url(struct pw_str url, struct pw_out *why)
{
    struct address to;
    const char *wrong = parse_url(url, &to);
    if (wrong != NULL) {
        pw_put_s(why, wrong);
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

int pw_tls_check_pin(struct pw_str pin, struct pw_out *why)
{
    struct pw_peer_pins pins;
    return pw_peer_read_pins(pin, &pins, why);
}

// An SSL_CTX for one connection: what is trusted and shown may be another for the next.
static SSL_CTX *prepare(struct pw_tls *tls, const char *host, struct pw_out *why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int err = PW_ERR_LIMIT;
    if (context == NULL) {
        pw_put_s(why, "TLS: out of memory");
    } else {
        err = tls->rules->prepare(tls->rules->context, context, host, tls->refused, why);
        (void)SSL_CTX_set_mode(context,
                               SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    if (err != PW_OK) {
        SSL_CTX_free(context);
        context = NULL;
    }
    return context;
}

struct pw_tls *pw_tls_new(struct pw_loop *loop, const struct pw_clock *pace,
                          const struct pw_tls_rules *rules, const struct pw_proxy *proxy,
                          struct pw_out *why)
{
    struct pw_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        pw_put_s(why, "TLS: out of memory");
        return NULL;
    }
    tls->loop = loop;
    tls->pace = pace;
    tls->rules = rules;
    tls->proxy = proxy;
    tls->fd = -1;
    SSL_CTX *trial = prepare(tls, "localhost", why);
    if (trial == NULL) {
        free(tls);
        return NULL;
    }
    SSL_CTX_free(trial);
    return tls;
}

// ---------------------------------------------------------------------------------------------
// Ends.

static void drop_socket(struct pw_tls *tls)
{
    pw_watch_end(&tls->watch);
    SSL_free(tls->ssl);
    tls->ssl = NULL;
    if (tls->fd >= 0) {
        (void)close(tls->fd);
    }
    tls->fd = -1;
    tls->connected = false;
    tls->wants_write = false;
    tls->read_over = false;
}

static void finish(struct pw_tls *tls, const char *what, const char *detail)
{
    struct pw_out out = PW_OUT(tls->reason);
    pw_put_s(&out, what);
    pw_put_s(&out, detail[0] != '\0' ? ": " : "");
    pw_put_s(&out, detail);
    pw_resolve_drop(tls->question);
    tls->question = NULL;
    pw_tunnel_drop(&tls->tunnel);
    drop_socket(tls);
    SSL_CTX_free(tls->context);
    tls->context = NULL;
    tls->data_len = 0;
    tls->state = PW_TLS_IDLE;
    tls->ended = true;
    pw_loop_deadline(tls->loop, 0);
}

void pw_tls_free(struct pw_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    pw_resolve_drop(tls->question);
    pw_tunnel_drop(&tls->tunnel);
    drop_socket(tls);
    SSL_CTX_free(tls->context);
    free(tls);
}

void pw_tls_close(struct pw_tls *tls, const char *reason)
{
    if (tls->state == PW_TLS_IDLE) {
        return;
    }
    if (tls->state == PW_TLS_OPEN) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl); // one alert, if there is room for it
    }
    finish(tls, reason, "");
}

// OpenSSL's last word on what went wrong.
static void finish_ssl(struct pw_tls *tls, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *detail = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (tls->refused[0] != '\0') {
        finish(tls, "the certificate is not accepted", tls->refused);
    } else {
        finish(tls, what, detail != NULL ? detail : "");
    }
}

// ---------------------------------------------------------------------------------------------
// Opening.

// Announces only: the turn does the rest.
static void ready(void *context, unsigned events)
{
    (void)context;
    (void)events;
}

static void limit_buffer(int fd)
{
    int room = SEND_BUFFER;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static void watch_socket(struct pw_tls *tls, unsigned events)
{
    tls->watch.ready = ready;
    tls->watch.context = tls;
    pw_watch_start(&tls->watch, tls->loop, tls->fd, events, PW_LOOP_NETWORK);
}

// Connects to the next address; false when it cannot even begin.
static bool connect_next(struct pw_tls *tls)
{
    const char *text = tls->addresses.text[tls->next_address++];
    struct sockaddr_storage to;
    socklen_t len = pw_resolve_socket_address(text, tls->to.port, &to);
    int yes = 1;
    drop_socket(tls);
    if (len == 0) {
        return false;
    }
    tls->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (tls->fd < 0) {
        return false;
    }
    (void)setsockopt(tls->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    limit_buffer(tls->fd);
    if (connect(tls->fd, (const struct sockaddr *)&to, len) != 0 && errno != EINPROGRESS) {
        return false;
    }
    watch_socket(tls, PW_LOOP_WRITE);
    return true;
}

static void try_addresses(struct pw_tls *tls)
{
    while (tls->next_address < tls->addresses.count) {
        if (connect_next(tls)) {
            return;
        }
    }
    finish(tls, "cannot connect", strerror(errno));
}

// So that a server with several certificates shows the right one (RFC 6066 §3: names only).
static bool name_the_host(struct pw_tls *tls)
{
    struct sockaddr_storage unused;
    return pw_resolve_socket_address(tls->to.host, 0, &unused) != 0 ||
           SSL_set_tlsext_host_name(tls->ssl, tls->to.host) == 1;
}

static void begin_handshake(struct pw_tls *tls)
{
    ERR_clear_error();
    tls->connected = true;
    tls->ssl = SSL_new(tls->context);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, tls->fd) != 1 || !name_the_host(tls)) {
        finish_ssl(tls, "TLS");
    }
}

static void shake_hands(struct pw_tls *tls)
{
    ERR_clear_error();
    int done = SSL_connect(tls->ssl);
    if (done != 1) {
        int why = SSL_get_error(tls->ssl, done);
        tls->wants_write = why == SSL_ERROR_WANT_WRITE;
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
            finish_ssl(tls, "the TLS handshake failed");
        }
        return;
    }
    tls->wants_write = false;
    tls->state = PW_TLS_OPEN;
    pw_loop_deadline(tls->loop, 0);
}

static void step_socket(struct pw_tls *tls)
{
    int error = 0;
    socklen_t len = sizeof(error);
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    if (getsockopt(tls->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        errno = error;
        try_addresses(tls);
    } else if (getpeername(tls->fd, (struct sockaddr *)&peer, &peer_len) == 0) {
        begin_handshake(tls);
    }
}

// Where the time went.
static const char *stuck(const struct pw_tls *tls)
{
    return tls->tunnel.state != PW_TUNNEL_NONE ? pw_tunnel_stuck(&tls->tunnel)
           : tls->question != NULL             ? "the name server does not answer"
           : tls->connected                    ? "the TLS handshake takes too long"
                                               : "no connection in time";
}

static void step_naming(struct pw_tls *tls)
{
    if (!pw_resolve_done(tls->question, &tls->addresses)) {
        return;
    }
    pw_resolve_drop(tls->question);
    tls->question = NULL;
    if (tls->addresses.count == 0) {
        finish(tls, "the host's name is not known", tls->addresses.why);
    } else {
        try_addresses(tls);
    }
}

static void step_tunnel(struct pw_tls *tls)
{
    enum pw_tunnel_state state = pw_tunnel_step(&tls->tunnel);
    if (state == PW_TUNNEL_FAILED) {
        finish(tls, tls->tunnel.why, "");
    } else if (state == PW_TUNNEL_OPEN) {
        tls->fd = pw_tunnel_take(&tls->tunnel);
        limit_buffer(tls->fd);
        watch_socket(tls, PW_LOOP_READ);
        begin_handshake(tls);
    }
}

static void step_opening(struct pw_tls *tls)
{
    if (pw_clock_now(tls->pace) >= tls->deadline) {
        finish(tls, stuck(tls), "");
        return;
    }
    if (tls->question != NULL) {
        step_naming(tls);
        return;
    }
    if (tls->tunnel.state != PW_TUNNEL_NONE) {
        step_tunnel(tls);
    } else if (!tls->connected) {
        step_socket(tls);
    }
    if (tls->connected) {
        shake_hands(tls);
    }
}

int pw_tls_open(struct pw_tls *tls, struct pw_str url, struct pw_out *why)
{
    if (tls->state != PW_TLS_IDLE || tls->ended) {
        pw_put_s(why, "a connection is open");
        return PW_ERR_BUSY;
    }
    const char *wrong = parse_url(url, &tls->to);
    if (wrong != NULL) {
        pw_put_s(why, wrong);
        return PW_ERR_RANGE;
    }
    tls->context = prepare(tls, tls->to.host, why);
    if (tls->context == NULL) {
        return PW_ERR_RANGE;
    }
    struct pw_str host = pw_str_of(tls->to.host);
    bool tunnelled = pw_proxy_leads(tls->proxy, host);
    if (tunnelled) {
        pw_tunnel_begin(&tls->tunnel, tls->loop, tls->proxy, host, tls->to.port);
    } else {
        tls->question = pw_resolve_start(tls->loop, tls->to.host);
    }
    if (!tunnelled && tls->question == NULL) {
        SSL_CTX_free(tls->context);
        tls->context = NULL;
        pw_put_s(why, "no thread is left to ask for the host's name");
        return PW_ERR_LIMIT;
    }
    tls->next_address = 0;
    tls->reason[0] = '\0';
    tls->state = PW_TLS_OPENING;
    tls->deadline = pw_after(pw_clock_now(tls->pace), (pw_ms)PW_TLS_OPEN_S * 1000);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Open.

static void fill(struct pw_tls *tls)
{
    while (tls->state == PW_TLS_OPEN && tls->data_len < sizeof(tls->data)) {
        ERR_clear_error();
        int got =
            SSL_read(tls->ssl, tls->data + tls->data_len, (int)(sizeof(tls->data) - tls->data_len));
        if (got > 0) {
            tls->data_len += (size_t)got;
            continue;
        }
        int why = SSL_get_error(tls->ssl, got);
        tls->read_over = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
        if (!tls->read_over) {
            return;
        }
        // What came before the end is still to be read: the end comes with the next call.
        if (tls->data_len > 0) {
            return;
        }
        if (why == SSL_ERROR_ZERO_RETURN) {
            finish(tls, "the server closed the connection", "");
        } else {
            finish_ssl(tls, "the connection broke");
        }
    }
}

struct pw_str pw_tls_data(const struct pw_tls *tls)
{
    return (struct pw_str){.at = (const char *)tls->data, .len = tls->data_len};
}

void pw_tls_taken(struct pw_tls *tls, size_t len)
{
    PW_ASSERT(len <= tls->data_len);
    tls->data_len -= len;
    memmove(tls->data, tls->data + len, tls->data_len);
    if (len > 0) {
        // More may lie decrypted where no descriptor announces it.
        pw_loop_deadline(tls->loop, 0);
    }
}

size_t pw_tls_send(struct pw_tls *tls, struct pw_str bytes)
{
    if (tls->state != PW_TLS_OPEN || bytes.len == 0) {
        return 0;
    }
    ERR_clear_error();
    int sent = SSL_write(tls->ssl, bytes.at, (int)pw_min((int64_t)bytes.len, INT32_MAX));
    tls->wants_write = false;
    if (sent > 0) {
        return (size_t)sent;
    }
    int why = SSL_get_error(tls->ssl, sent);
    tls->wants_write = why == SSL_ERROR_WANT_WRITE;
    if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ) {
        finish_ssl(tls, "the connection broke");
    }
    return 0;
}

void pw_tls_step(struct pw_tls *tls)
{
    if (tls->state == PW_TLS_OPENING) {
        step_opening(tls);
    }
    fill(tls);
    if (tls->fd >= 0) {
        bool room = tls->data_len < sizeof(tls->data);
        bool reads = tls->connected && room && !tls->read_over;
        bool writes = !tls->connected || tls->wants_write;
        pw_watch_change(&tls->watch, (reads ? PW_LOOP_READ : 0) | (writes ? PW_LOOP_WRITE : 0));
    }
    if (tls->state == PW_TLS_OPENING) {
        // The loop's clock may run at another pace: look again soon enough for either.
        pw_loop_deadline(tls->loop, pw_after(pw_clock_now(tls->loop->clock), 500));
    }
}

enum pw_tls_state pw_tls_state(const struct pw_tls *tls)
{
    return tls->state;
}

bool pw_tls_take_end(struct pw_tls *tls, struct pw_str *reason)
{
    bool ended = tls->ended;
    tls->ended = false;
    *reason = pw_str_of(tls->reason);
    return ended;
}
