// The gate before libwebsockets: it looks at what comes (core/http/head.h) before libwebsockets
// reads it, lets one good request through, and answers everything else. libwebsockets closes on a
// bad head without a word, and reads some of them as others would not. Nothing of a request is
// taken from it: bytes are peeked at, by a watcher of the same socket that runs before
// libwebsockets' own.
//
// Without TLS libwebsockets does not read before the head has come whole. With TLS only one record
// can be peeked at: libwebsockets reads it next, whole, because its buffer holds one.
//
// What comes behind a request, and is read with it, would be the begin of a head that nobody has
// judged: a connection goes on only when libwebsockets has read that request and no byte more.
//
// While a request is served libwebsockets does not read, and is woken for what waits there again
// and again: what comes then is thrown away here, and that the peer has gone is seen here.
#include "conn.h"
#include "http/head.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PATIENCE_S 10 // for a head, from its connection's or its own first byte on
#define LINGER_S   2  // for a peer to take its answer in, before the connection is cut
#define PROD_S     0.002
#define RECORD_MAX 16384             // bytes of a TLS record (RFC 8446 §5.1)
#define THROWN     ((size_t)1 << 20) // bytes that come behind a refused head

enum stage {
    AT_HEAD,
    LET_IN,    // libwebsockets has not yet said that it has read the head
    AT_BODY,   // libwebsockets reads
    AT_ANSWER, // what comes is thrown away
    REFUSED,
};

struct gate {
    enum stage stage;
    struct ev_loop *loop;
    struct lws *wsi;
    ev_io io;
    ev_timer patience;
    ev_timer prod;
    char *text; // TLS: what was peeked at of this head; up to PW_HTTP_HEAD_MAX
    size_t len; // bytes of this head that have come
    bool held;  // libwebsockets does not read
    size_t thrown;
    uint64_t due;    // without TLS: bytes of all requests so far
    uint64_t behind; // TLS: bytes in the records of the head that come behind it
    uint64_t read;   // TLS: bytes that had come from the socket when the head was whole
};

static struct gate *gate_of(struct lws *wsi)
{
    return lws_wsi_user(wsi);
}

static void rest(struct gate *gate)
{
    ev_io_stop(gate->loop, &gate->io);
    ev_timer_stop(gate->loop, &gate->patience);
    free(gate->text);
    gate->text = NULL;
    gate->len = 0;
}

// Wakes the watcher only when more than `len` bytes wait.
static void wake_beyond(const struct gate *gate, size_t len)
{
    int more = (int)len + 1;
    (void)setsockopt(gate->io.fd, SOL_SOCKET, SO_RCVLOWAT, &more, sizeof(more));
}

static void hold(struct gate *gate, bool held)
{
    if (gate->held != held) {
        gate->held = held;
        (void)lws_rx_flow_control(gate->wsi, held ? 0 : 1);
    }
}

// Leaves the socket to libwebsockets: it sees a good head, or that the peer has gone.
static void leave(struct gate *gate)
{
    rest(gate);
    if (gate->held) {
        wake_beyond(gate, 0);
        hold(gate, false);
    }
}

// Frees the gate.
static void cut(struct gate *gate)
{
    lws_set_timeout(gate->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

// --- Answers, which do not pass through libwebsockets: for it there has been no request.

// So little that a socket on which nothing waits takes it at once.
static void write_now(const struct gate *gate, struct pw_str text)
{
    SSL *ssl = lws_get_ssl(gate->wsi);
    if (lws_partial_buffered(gate->wsi) != 0) {
        return; // an earlier answer is still on its way
    }
    if (ssl == NULL) {
        (void)!send(gate->io.fd, text.at, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
        (void)SSL_write(ssl, text.at, (int)text.len);
        ERR_clear_error();
    }
}

// Answers, and waits a moment for the peer to hear it: who closes on bytes he has not read takes
// his own answer back (RFC 9112 §9.6).
static void refuse(struct gate *gate, int status, const char *reason)
{
    char text[1024];
    struct pw_out out = PW_OUT(text);
    SSL *ssl = lws_get_ssl(gate->wsi);
    const struct pw_httpd *httpd = lws_context_user(lws_get_context(gate->wsi));
    conn_put_refusal(&out, httpd, ssl != NULL, status, reason, false);
    PW_ASSERT(!out.full);
    write_now(gate, pw_out_str(&out));
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl);
        ERR_clear_error();
    }
    (void)shutdown(gate->io.fd, SHUT_WR);
    ev_timer_stop(gate->loop, &gate->prod);
    rest(gate);
    hold(gate, true);
    wake_beyond(gate, 0);
    gate->stage = REFUSED;
    ev_io_start(gate->loop, &gate->io);
    ev_timer_set(&gate->patience, LINGER_S, 0.);
    ev_timer_start(gate->loop, &gate->patience);
}

static void throw_away(struct gate *gate)
{
    char room[4096];
    ssize_t got = recv(gate->io.fd, room, sizeof(room), MSG_DONTWAIT);
    bool none_now = got < 0 && errno == EAGAIN;
    gate->thrown += got > 0 ? (size_t)got : 0;
    if ((got <= 0 && !none_now) || gate->thrown > THROWN) {
        cut(gate);
    }
}

// --- What libwebsockets has read.

// TLS: bytes of all records so far; else 0.
static uint64_t from_socket(const struct gate *gate)
{
    SSL *ssl = lws_get_ssl(gate->wsi);
    return ssl != NULL ? BIO_number_read(SSL_get_rbio(ssl)) : 0;
}

// Without TLS: how many bytes were taken out of the socket. False: the system does not say.
static bool taken(int fd, uint64_t *bytes)
{
    enum { TRIES = 8 }; // a byte that comes just now makes the two numbers of different moments
    int waiting = -1;
    for (unsigned i = 0; i < TRIES; i++) {
        struct tcp_info about = {0};
        socklen_t len = sizeof(about);
        int before = waiting;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &about, &len) != 0 ||
            len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) ||
            ioctl(fd, FIONREAD, &waiting) != 0) {
            return false;
        }
        if (waiting == before) {
            *bytes = (uint64_t)about.tcpi_bytes_received - (uint64_t)waiting;
            return true;
        }
    }
    return false;
}

// --- What comes.

// `len`: how many have come; those behind the longest head are not in `bytes`.
static void judge(struct gate *gate, struct pw_str bytes, size_t len)
{
    struct pw_http_head head = pw_http_head_judge(bytes);
    gate->len = bytes.len;
    if (head.progress == PW_HEAD_REFUSED) {
        refuse(gate, head.status, head.reason);
        return;
    }
    if (head.progress == PW_HEAD_WHOLE) {
        if (head.expects && bytes.len == head.len) {
            write_now(gate, PW_STR("HTTP/1.1 100 Continue\r\n\r\n"));
        }
        gate->stage = LET_IN;
        gate->due += head.len;
        gate->behind = len - head.len;
        gate->read = from_socket(gate);
        leave(gate);
        return;
    }
    if (!ev_is_active(&gate->patience)) {
        ev_timer_start(gate->loop, &gate->patience);
    }
    if (lws_get_ssl(gate->wsi) == NULL) {
        hold(gate, true);
        wake_beyond(gate, bytes.len);
    }
}

static bool has_ended(int fd)
{
    struct pollfd state = {.fd = fd, .events = POLLRDHUP};
    return poll(&state, 1, 0) == 1;
}

static void look(struct gate *gate)
{
    char room[PW_HTTP_HEAD_MAX + 1];
    ssize_t got = recv(gate->io.fd, room, sizeof(room), MSG_PEEK | MSG_DONTWAIT);
    bool none_now = got < 0 && errno == EAGAIN;
    if (none_now || (got > 0 && (size_t)got == gate->len && !has_ended(gate->io.fd))) {
        return;
    }
    if (got <= 0 || (size_t)got == gate->len) {
        leave(gate);
        return;
    }
    judge(gate, (struct pw_str){.at = room, .len = (size_t)got}, (size_t)got);
}

static void look_tls(struct gate *gate, SSL *ssl)
{
    char room[RECORD_MAX];
    if (!SSL_is_init_finished(ssl) || SSL_pending(ssl) > 0) {
        return; // no bytes yet, or bytes that were seen before
    }
    ERR_clear_error();
    int got = SSL_peek(ssl, room, sizeof(room));
    ERR_clear_error();
    if (got <= 0) {
        return; // libwebsockets sees why
    }
    char *text = gate->text != NULL ? gate->text : malloc(PW_HTTP_HEAD_MAX + 1);
    if (text == NULL) {
        cut(gate);
        return;
    }
    size_t space = PW_HTTP_HEAD_MAX + 1 - gate->len;
    size_t len = (size_t)got < space ? (size_t)got : space;
    memcpy(text + gate->len, room, len);
    gate->text = text;
    ev_timer_again(gate->loop, &gate->prod);
    judge(gate, (struct pw_str){.at = text, .len = gate->len + len}, gate->len + (size_t)got);
}

// Something comes while a request is served. What stands behind it is not served; who has ended
// has a while to take his answer in, and who only waits or listens has gone.
static void look_behind(struct gate *gate, SSL *ssl)
{
    const struct conn *conn = lws_get_opaque_user_data(gate->wsi);
    char room[4096];
    int got = ssl != NULL ? SSL_read(ssl, room, sizeof(room))
                          : (int)recv(gate->io.fd, room, sizeof(room), MSG_DONTWAIT);
    bool none_now = ssl != NULL ? got <= 0 && SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ
                                : got < 0 && errno == EAGAIN;
    ERR_clear_error();
    gate->thrown += got > 0 ? (size_t)got : 0;
    if (none_now || (got > 0 && gate->thrown <= THROWN)) {
        return;
    }
    ev_io_stop(gate->loop, &gate->io);
    if (got > 0 || conn == NULL || conn->stream || conn->waits) {
        cut(gate);
        return;
    }
    ev_timer_start(gate->loop, &gate->patience);
}

static void on_bytes(struct ev_loop *loop, ev_io *io, int events)
{
    struct gate *gate = io->data;
    SSL *ssl = lws_get_ssl(gate->wsi);
    (void)loop, (void)events;
    if (gate->stage == REFUSED) {
        throw_away(gate);
    } else if (gate->stage == AT_ANSWER) {
        look_behind(gate, ssl);
    } else if (ssl != NULL) {
        look_tls(gate, ssl);
    } else {
        look(gate);
    }
}

// libwebsockets may be busy when a record is peeked at (it ends an answer, it waits for memory),
// and then nothing of it waits at the socket any more: it is told again until it has read it.
static void on_prod(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct gate *gate = timer->data;
    (void)events;
    if (SSL_pending(lws_get_ssl(gate->wsi)) > 0) {
        ev_feed_fd_event(loop, gate->io.fd, EV_READ);
    } else {
        ev_timer_stop(loop, timer);
    }
}

static void on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct gate *gate = timer->data;
    (void)loop, (void)events;
    if (gate->len > 0 && gate->stage != REFUSED) {
        refuse(gate, 408, "a request must come within 10 seconds");
    } else {
        cut(gate); // it has its answer, or has said nothing
    }
}

int gate_open(const struct pw_httpd *httpd, struct lws *wsi)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    if (gate == NULL) {
        return -1;
    }
    gate->loop = pw_loop_ev(httpd->config.loop);
    gate->wsi = wsi;
    ev_io_init(&gate->io, on_bytes, lws_get_socket_fd(wsi), EV_READ);
    ev_set_priority(&gate->io, 1); // libwebsockets' watchers have 0
    gate->io.data = gate;
    ev_timer_init(&gate->patience, on_patience, PATIENCE_S, 0.);
    gate->patience.data = gate;
    ev_timer_init(&gate->prod, on_prod, 0., PROD_S);
    gate->prod.data = gate;
    lws_set_wsi_user(wsi, gate);
    ev_io_start(gate->loop, &gate->io);
    ev_timer_start(gate->loop, &gate->patience);
    return 0;
}

bool gate_may_stay(struct lws *wsi, uint64_t body)
{
    const struct gate *gate = gate_of(wsi);
    return lws_get_ssl(wsi) == NULL || gate->behind == body;
}

void gate_answers(struct lws *wsi)
{
    struct gate *gate = gate_of(wsi);
    gate->stage = AT_ANSWER;
    ev_io_start(gate->loop, &gate->io);
}

bool gate_again(struct lws *wsi, uint64_t body)
{
    struct gate *gate = gate_of(wsi);
    uint64_t bytes = 0;
    gate->due += body;
    bool alone = lws_get_ssl(wsi) != NULL ? gate->behind == body && gate->read == from_socket(gate)
                                          : taken(gate->io.fd, &bytes) && bytes == gate->due;
    alone = alone && !ev_is_active(&gate->patience);
    if (alone) {
        gate->stage = AT_HEAD;
        ev_io_start(gate->loop, &gate->io);
    }
    return alone;
}

bool gate_passed(struct lws *wsi)
{
    struct gate *gate = gate_of(wsi);
    bool passed = gate->stage == LET_IN;
    if (passed) {
        gate->stage = AT_BODY;
    }
    return passed;
}

void gate_end(struct lws *wsi)
{
    struct gate *gate = gate_of(wsi);
    if (gate != NULL) {
        rest(gate);
        ev_timer_stop(gate->loop, &gate->prod);
        lws_set_wsi_user(wsi, NULL);
        free(gate);
    }
}
