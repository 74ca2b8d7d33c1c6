#include "tunnel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static void close_socket(struct pw_tunnel *tunnel)
{
    pw_watch_end(&tunnel->watch);
    if (tunnel->state >= PW_TUNNEL_CONNECTING && tunnel->state <= PW_TUNNEL_OPEN &&
        tunnel->fd >= 0) {
        (void)close(tunnel->fd);
    }
    tunnel->fd = -1;
}

void pw_tunnel_drop(struct pw_tunnel *tunnel)
{
    pw_resolve_drop(tunnel->question);
    tunnel->question = NULL;
    close_socket(tunnel);
    explicit_bzero(tunnel->ask, sizeof(tunnel->ask));
    tunnel->state = PW_TUNNEL_NONE;
}

static void fail(struct pw_tunnel *tunnel, const char *what, const char *detail)
{
    struct pw_out out = PW_OUT(tunnel->why);
    pw_put_s(&out, what);
    pw_put_s(&out, detail[0] != '\0' ? ": " : "");
    pw_put_s(&out, detail);
    pw_tunnel_drop(tunnel);
    tunnel->state = PW_TUNNEL_FAILED;
    pw_loop_deadline(tunnel->loop, 0);
}

void pw_tunnel_begin(struct pw_tunnel *tunnel, struct pw_loop *loop, const struct pw_proxy *proxy,
                     struct pw_str host, uint16_t port)
{
    struct pw_out ask = PW_OUT(tunnel->ask);
    tunnel->loop = loop;
    tunnel->port = proxy->port;
    tunnel->fd = -1;
    tunnel->next_address = 0;
    tunnel->addresses = (struct pw_addresses){.count = 0};
    tunnel->asked = 0;
    tunnel->answer = (struct pw_proxy_answer){.heard = 0};
    tunnel->state = PW_TUNNEL_NAMING;
    if (proxy->fault != NULL) {
        fail(tunnel, proxy->fault, "");
    } else if (pw_proxy_put_connect(proxy, host, port, &ask) != PW_OK) {
        fail(tunnel, "the host is none that a proxy can be asked for", "");
    } else {
        tunnel->ask_len = ask.len;
        tunnel->question = pw_resolve_start(loop, proxy->host);
        if (tunnel->question == NULL) {
            fail(tunnel, "no thread is left to ask for the proxy's name", "");
        }
    }
}

// Announces only: the turn does the rest.
static void ready(void *context, unsigned events)
{
    (void)context;
    (void)events;
}

// Connects to the next address; false when it cannot even begin.
static bool connect_next(struct pw_tunnel *tunnel)
{
    struct sockaddr_storage to;
    int yes = 1;
    socklen_t len = pw_resolve_socket_address(tunnel->addresses.text[tunnel->next_address++],
                                              tunnel->port, &to);
    close_socket(tunnel);
    tunnel->state = PW_TUNNEL_CONNECTING;
    tunnel->fd =
        len == 0 ? -1 : socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (tunnel->fd < 0) {
        return false;
    }
    (void)setsockopt(tunnel->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (connect(tunnel->fd, (const struct sockaddr *)&to, len) != 0 && errno != EINPROGRESS) {
        return false;
    }
    tunnel->watch.ready = ready;
    tunnel->watch.context = tunnel;
    pw_watch_start(&tunnel->watch, tunnel->loop, tunnel->fd, PW_LOOP_WRITE, PW_LOOP_NETWORK);
    return true;
}

static void try_addresses(struct pw_tunnel *tunnel)
{
    while (tunnel->next_address < tunnel->addresses.count) {
        if (connect_next(tunnel)) {
            return;
        }
    }
    fail(tunnel, "no connection to the proxy", strerror(errno));
}

static void step_naming(struct pw_tunnel *tunnel)
{
    if (!pw_resolve_done(tunnel->question, &tunnel->addresses)) {
        return;
    }
    pw_resolve_drop(tunnel->question);
    tunnel->question = NULL;
    if (tunnel->addresses.count == 0) {
        fail(tunnel, "the proxy's name is not known", tunnel->addresses.why);
    } else {
        try_addresses(tunnel);
    }
}

static void step_connecting(struct pw_tunnel *tunnel)
{
    int error = 0;
    socklen_t len = sizeof(error);
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    if (getsockopt(tunnel->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        errno = error;
        try_addresses(tunnel);
    } else if (getpeername(tunnel->fd, (struct sockaddr *)&peer, &peer_len) == 0) {
        tunnel->state = PW_TUNNEL_ASKING;
    }
}

static void send_rest(struct pw_tunnel *tunnel)
{
    ssize_t sent = send(tunnel->fd, tunnel->ask + tunnel->asked, tunnel->ask_len - tunnel->asked,
                        MSG_NOSIGNAL);
    if (sent >= 0) {
        tunnel->asked += (size_t)sent;
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(tunnel, "the proxy ends the connection", strerror(errno));
        return;
    }
    if (tunnel->asked == tunnel->ask_len) {
        explicit_bzero(tunnel->ask, sizeof(tunnel->ask));
        pw_watch_change(&tunnel->watch, PW_LOOP_READ);
    }
}

// Looks first, and takes only what is the proxy's: the rest belongs to whom we talk with next.
static void hear(struct pw_tunnel *tunnel)
{
    char bytes[1024];
    ssize_t got = recv(tunnel->fd, bytes, sizeof(bytes), MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        fail(tunnel, "the proxy ends the connection", got < 0 ? strerror(errno) : "");
        return;
    }
    size_t used = pw_proxy_hear(&tunnel->answer, (struct pw_str){.at = bytes, .len = (size_t)got});
    if (recv(tunnel->fd, bytes, used, 0) != (ssize_t)used) {
        fail(tunnel, "the proxy ends the connection", "");
    } else if (tunnel->answer.refused) {
        fail(tunnel, tunnel->answer.why, "");
    } else if (tunnel->answer.open) {
        pw_watch_end(&tunnel->watch);
        tunnel->state = PW_TUNNEL_OPEN;
        pw_loop_deadline(tunnel->loop, 0);
    }
}

enum pw_tunnel_state pw_tunnel_step(struct pw_tunnel *tunnel)
{
    if (tunnel->state == PW_TUNNEL_NAMING) {
        step_naming(tunnel);
    }
    if (tunnel->state == PW_TUNNEL_CONNECTING) {
        step_connecting(tunnel);
    }
    if (tunnel->state == PW_TUNNEL_ASKING && tunnel->asked < tunnel->ask_len) {
        send_rest(tunnel);
    }
    if (tunnel->state == PW_TUNNEL_ASKING && tunnel->asked == tunnel->ask_len) {
        hear(tunnel);
    }
    return tunnel->state;
}

const char *pw_tunnel_stuck(const struct pw_tunnel *tunnel)
{
    return tunnel->state == PW_TUNNEL_NAMING       ? "the name server does not answer for the proxy"
           : tunnel->state == PW_TUNNEL_CONNECTING ? "no connection to the proxy in time"
                                                   : "the proxy does not answer in time";
}

int pw_tunnel_take(struct pw_tunnel *tunnel)
{
    PW_ASSERT(tunnel->state == PW_TUNNEL_OPEN);
    int fd = tunnel->fd;
    tunnel->fd = -1;
    pw_tunnel_drop(tunnel);
    return fd;
}
