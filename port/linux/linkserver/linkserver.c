#include "linkserver.h"

#include "peer/authorities.h"
#include "peer/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRES_MAX    (PW_CENTRAL_STATIONS_MAX + PW_CENTRAL_WIRES_UNPROVED)
#define ACCEPT_BATCH 16    // connections taken in one turn
#define RECORD_MAX   16384 // bytes of one TLS record (RFC 8446 §5.1)
#define ADDRESS_CAP  48

struct wire {
    struct pw_linkserver *server;
    uint64_t number;
    int fd;
    SSL *tls;
    struct pw_watch watch;
    int wrong;   // why the certificate that was shown is no good; X509_V_OK
    bool shaken; // the handshake is done
    bool ending; // to be freed by sweep()
    size_t out_len;
    size_t out_cap;
    uint8_t *out; // waits for the peer
};

struct pw_linkserver {
    struct pw_loop *loop;
    const struct pw_log *log;
    struct pw_central *central;
    struct pw_central_wires wires;
    SSL_CTX *context;
    char certificate[512];
    char key[512];
    char client_ca[512];            // empty: stations are not asked for certificates
    const struct pw_secret *secret; // seals it; NULL: it is PEM
    struct pw_peer_shown shown;     // the certificate looked at last
    char pin[PW_IDENTITY_PIN_MAX];
    int listener;
    struct pw_watch accepting;
    int spare; // given up for a moment when descriptors run out, to take and drop a connection
    int doomed;
    struct pw_watch sweeping;
    uint64_t generation;
    uint32_t next_slot;
    struct wire *wire[WIRES_MAX];
    uint8_t record[RECORD_MAX];
};

static struct pw_instant instant(const struct pw_linkserver *server)
{
    return (struct pw_instant){.now = pw_clock_now(server->loop->clock),
                               .wall = pw_clock_wall(server->loop->clock)};
}

// --- The end of a connection. The central may ask for it at any time, also while its bytes are
// being handed over: it is only marked, and freed in the next turn.

static void doom(struct wire *wire)
{
    if (wire->ending) {
        return;
    }
    wire->ending = true;
    pw_watch_end(&wire->watch);
    uint64_t one = 1;
    (void)!write(wire->server->doomed, &one, sizeof(one));
}

static void end(struct wire *wire)
{
    struct pw_linkserver *server = wire->server;
    server->wire[wire->number % WIRES_MAX] = NULL;
    pw_watch_end(&wire->watch);
    if (server->central != NULL) {
        pw_central_wire_closed(server->central, wire->number, instant(server));
    }
    if (wire->shaken) {
        (void)SSL_shutdown(wire->tls); // says goodbye, waits for nothing
    }
    ERR_clear_error();
    SSL_free(wire->tls);
    (void)close(wire->fd);
    free(wire->out);
    free(wire);
}

static void sweep(void *context, unsigned events)
{
    (void)events;
    struct pw_linkserver *server = context;
    uint64_t count = 0;
    (void)!read(server->doomed, &count, sizeof(count));
    for (size_t i = 0; i < WIRES_MAX; i++) {
        if (server->wire[i] != NULL && server->wire[i]->ending) {
            end(server->wire[i]);
        }
    }
}

// --- Bytes.

// What a call of OpenSSL that did not do it waits for; 0 when the connection is over.
static unsigned waits_for(const struct wire *wire, int result)
{
    int why = SSL_get_error(wire->tls, result);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ) {
        return PW_LOOP_READ;
    }
    return why == SSL_ERROR_WANT_WRITE ? PW_LOOP_READ | PW_LOOP_WRITE : 0U;
}

static void flush(struct wire *wire)
{
    while (wire->out_len > 0 && !wire->ending) {
        int sent = SSL_write(wire->tls, wire->out, (int)wire->out_len);
        if (sent <= 0) {
            unsigned events = waits_for(wire, sent);
            if (events == 0) {
                doom(wire);
            } else {
                pw_watch_change(&wire->watch, PW_LOOP_READ | events);
            }
            return;
        }
        wire->out_len -= (size_t)sent;
        memmove(wire->out, wire->out + sent, wire->out_len);
    }
    if (!wire->ending) {
        free(wire->out); // an idle connection should cost little
        wire->out = NULL;
        wire->out_cap = 0;
        pw_watch_change(&wire->watch, PW_LOOP_READ);
    }
}

// One record a turn: libev comes back while more is in the socket, and OpenSSL keeps nothing of a
// record that was read whole.
static void receive(struct wire *wire)
{
    struct pw_linkserver *server = wire->server;
    int got = SSL_read(wire->tls, server->record, RECORD_MAX);
    if (got > 0) {
        pw_central_wire_bytes(server->central, wire->number, server->record, (size_t)got,
                              instant(server));
        return;
    }
    unsigned events = waits_for(wire, got);
    if (events == 0) {
        doom(wire);
    } else if ((events & PW_LOOP_WRITE) != 0) {
        pw_watch_change(&wire->watch, events);
    }
}

static void shake(struct wire *wire)
{
    int result = SSL_accept(wire->tls);
    if (result == 1) {
        wire->shaken = true;
        pw_watch_change(&wire->watch, PW_LOOP_READ);
        return;
    }
    unsigned events = waits_for(wire, result);
    if (events == 0) {
        doom(wire);
    } else {
        pw_watch_change(&wire->watch, events);
    }
}

static void on_wire(void *context, unsigned events)
{
    struct wire *wire = context;
    if (!wire->shaken) {
        shake(wire);
        return;
    }
    if ((events & PW_LOOP_READ) != 0) {
        receive(wire);
    }
    if ((events & PW_LOOP_WRITE) != 0 && !wire->ending) {
        flush(wire);
    }
}

// --- What the central asks.

static struct wire *find(struct pw_linkserver *server, uint64_t number)
{
    struct wire *wire = server->wire[number % WIRES_MAX];
    return wire != NULL && wire->number == number && !wire->ending ? wire : NULL;
}

static int send_bytes(void *context, uint64_t number, const uint8_t *bytes, size_t len)
{
    struct wire *wire = find(context, number);
    if (wire == NULL) {
        return PW_OK;
    }
    size_t need = wire->out_len + len;
    if (need > PW_CENTRAL_WIRE_SEND_MAX) {
        return PW_ERR_LIMIT;
    }
    if (need > wire->out_cap) {
        size_t cap = need < 1024 ? 1024 : need;
        uint8_t *grown = realloc(wire->out, cap);
        if (grown == NULL) {
            return PW_ERR_LIMIT;
        }
        wire->out = grown;
        wire->out_cap = cap;
    }
    memcpy(wire->out + wire->out_len, bytes, len);
    wire->out_len = need;
    if (wire->shaken) {
        flush(wire);
    }
    return PW_OK;
}

static void close_wire(void *context, uint64_t number)
{
    struct wire *wire = find(context, number);
    if (wire != NULL) {
        doom(wire);
    }
}

static bool certificate_of(void *context, uint64_t number, struct pw_central_certificate *to)
{
    struct pw_linkserver *server = context;
    const struct wire *wire = find(server, number);
    if (wire == NULL || !pw_peer_shown(wire->tls, &server->shown)) {
        return false;
    }
    long wrong = wire->wrong != X509_V_OK ? wire->wrong : SSL_get_verify_result(wire->tls);
    *to = (struct pw_central_certificate){
        .common_name = pw_str_of(server->shown.common_name),
        .serial = pw_str_of(server->shown.serial),
        .wrong = wrong != X509_V_OK ? X509_verify_cert_error_string(wrong) : NULL};
    return true;
}

// --- Newcomers.

// The handshake goes on whatever is wrong: a peer that is refused by the central, with its key, is
// known by its name, and learns no more than that it was refused.
static int noted(int good, X509_STORE_CTX *check)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct wire *wire = SSL_get_app_data(ssl);
    if (good != 1 && wire->wrong == X509_V_OK) {
        wire->wrong = X509_STORE_CTX_get_error(check);
    }
    return 1;
}

static bool place(struct pw_linkserver *server, uint32_t *slot)
{
    *slot = server->next_slot;
    while (server->wire[*slot] != NULL) {
        *slot = (*slot + 1) % WIRES_MAX;
        if (*slot == server->next_slot) {
            return false;
        }
    }
    server->next_slot = (*slot + 1) % WIRES_MAX;
    return true;
}

// An IPv4 peer on an IPv6 socket is shown, and throttled, as what it is.
static void put_address(struct pw_out *out, const struct sockaddr_storage *peer, socklen_t len)
{
    char text[ADDRESS_CAP] = "";
    (void)getnameinfo((const struct sockaddr *)peer, len, text, sizeof(text), NULL, 0,
                      NI_NUMERICHOST);
    bool mapped = strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL;
    pw_put_s(out, text + (mapped ? 7 : 0));
}

static struct wire *make_wire(struct pw_linkserver *server, int fd)
{
    uint32_t slot = 0;
    struct wire *wire = calloc(1, sizeof(*wire));
    if (wire == NULL) {
        return NULL;
    }
    wire->tls = SSL_new(server->context);
    if (wire->tls == NULL || SSL_set_fd(wire->tls, fd) != 1 || !place(server, &slot)) {
        SSL_free(wire->tls);
        free(wire);
        return NULL;
    }
    SSL_set_accept_state(wire->tls);
    (void)SSL_set_app_data(wire->tls, wire);
    wire->server = server;
    wire->fd = fd;
    wire->number = ++server->generation * WIRES_MAX + slot;
    wire->watch.ready = on_wire;
    wire->watch.context = wire;
    server->wire[slot] = wire;
    return wire;
}

static void welcome(struct pw_linkserver *server, int fd, const struct sockaddr_storage *peer,
                    socklen_t len)
{
    int on = 1;
    char text[ADDRESS_CAP];
    struct pw_out address = PW_OUT(text);
    put_address(&address, peer, len);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct wire *wire = server->central != NULL ? make_wire(server, fd) : NULL;
    if (wire == NULL) {
        (void)close(fd);
        return;
    }
    pw_watch_start(&wire->watch, server->loop, fd, PW_LOOP_READ, PW_LOOP_NETWORK);
    if (!pw_central_wire_opened(server->central, wire->number, pw_out_str(&address),
                                instant(server))) {
        doom(wire);
    }
}

static void on_accept(void *context, unsigned events)
{
    (void)events;
    struct pw_linkserver *server = context;
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        int fd =
            accept4(server->listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(server, fd, &peer, len);
        } else if ((errno == EMFILE || errno == ENFILE) && server->spare >= 0) {
            // Without this the listener stays readable and the loop would spin.
            (void)close(server->spare);
            fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                (void)close(fd);
            }
            server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

// --- Opening and closing.

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || !pw_peer_restrict(context)) {
        SSL_CTX_free(context);
        return NULL;
    }
    (void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_num_tickets(context, 0);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

static int ask_clients(struct pw_linkserver *server, struct pw_out *why)
{
    if (server->client_ca[0] == '\0') {
        return PW_OK;
    }
    SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER, noted);
    return pw_authorities_trust(server->context, server->client_ca, true, why) == PW_OK
               ? PW_OK
               : PW_ERR_STORE;
}

int pw_linkserver_reload(struct pw_linkserver *server, struct pw_out *why)
{
    const struct pw_identity_files files = {
        .certificate = server->certificate, .key = server->key, .secret = server->secret};
    int err = pw_identity_load(server->context, &files, server->pin, why);
    return err != PW_OK ? err : ask_clients(server, why);
}

static int listen_at(const struct addrinfo *at)
{
    int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
                    bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 512) != 0)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static int open_listener(const struct pw_linkserver_options *options, struct pw_out *why)
{
    char port[8];
    struct pw_out out = PW_OUT(port);
    pw_put_uint(&out, options->port);
    const char *host = options->host != NULL && options->host[0] != '\0' ? options->host : NULL;
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &found) == 0) {
        // Of all addresses of this machine the IPv6 socket takes IPv4 peers too, so it goes first.
        for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
            fd = host != NULL || at->ai_family == AF_INET6 ? listen_at(at) : -1;
        }
        for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
            fd = listen_at(at);
        }
        freeaddrinfo(found);
    }
    if (fd < 0) {
        pw_put_s(why, host != NULL ? host : "[::]");
        pw_put_c(why, ':');
        pw_put(why, pw_out_str(&out));
        pw_put_s(why, ": the port is in use, or the address is not this machine's");
    }
    return fd;
}

static int start(struct pw_linkserver *server, const struct pw_linkserver_options *options,
                 struct pw_out *why)
{
    server->context = make_context();
    if (server->context == NULL) {
        pw_put_s(why, "the TLS library does not work");
        return PW_ERR_STORE;
    }
    if (pw_str_copy(server->certificate, sizeof(server->certificate),
                    pw_str_of(options->certificate)) != PW_OK ||
        pw_str_copy(server->key, sizeof(server->key), pw_str_of(options->key)) != PW_OK ||
        pw_str_copy(server->client_ca, sizeof(server->client_ca),
                    pw_str_of(options->client_ca != NULL ? options->client_ca : "")) != PW_OK) {
        pw_put_s(why, "the path of its certificate is too long");
        return PW_ERR_STORE;
    }
    server->secret = options->secret;
    const struct pw_identity_files files = {.certificate = options->certificate,
                                            .key = options->key,
                                            .make = options->make,
                                            .secret = options->secret};
    int result = pw_identity_load(server->context, &files, server->pin, why);
    if (result == PW_OK) {
        result = ask_clients(server, why);
    }
    if (result != PW_OK) {
        return result;
    }
    server->listener = open_listener(options, why);
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server->doomed = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->listener < 0 || server->doomed < 0) {
        return PW_ERR_LIMIT;
    }
    server->accepting = (struct pw_watch){.ready = on_accept, .context = server};
    server->sweeping = (struct pw_watch){.ready = sweep, .context = server};
    pw_watch_start(&server->accepting, server->loop, server->listener, PW_LOOP_READ,
                   PW_LOOP_NETWORK);
    pw_watch_start(&server->sweeping, server->loop, server->doomed, PW_LOOP_READ, PW_LOOP_NETWORK);
    return PW_OK;
}

int pw_linkserver_open(struct pw_linkserver **server, struct pw_loop *loop,
                       const struct pw_linkserver_options *options, const struct pw_log *log,
                       struct pw_out *why)
{
    struct pw_linkserver *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    made->loop = loop;
    made->log = log;
    made->listener = -1;
    made->spare = -1;
    made->doomed = -1;
    made->wires = (struct pw_central_wires){
        .context = made, .send = send_bytes, .close = close_wire, .certificate = certificate_of};
    int result = start(made, options, why);
    if (result != PW_OK) {
        pw_linkserver_close(made);
        return result;
    }
    *server = made;
    return PW_OK;
}

uint16_t pw_linkserver_port(const struct pw_linkserver *server)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    char port[8] = "0";
    int64_t value = 0;
    (void)getsockname(server->listener, (struct sockaddr *)&at, &len);
    (void)getnameinfo((const struct sockaddr *)&at, len, NULL, 0, port, sizeof(port),
                      NI_NUMERICSERV);
    return pw_parse_int(pw_str_of(port), 0, 65535, &value) == PW_OK ? (uint16_t)value : 0;
}

const char *pw_linkserver_pin(const struct pw_linkserver *server)
{
    return server->pin;
}

const struct pw_central_wires *pw_linkserver_wires(const struct pw_linkserver *server)
{
    return &server->wires;
}

void pw_linkserver_serve(struct pw_linkserver *server, struct pw_central *central)
{
    server->central = central;
}

void pw_linkserver_close(struct pw_linkserver *server)
{
    if (server == NULL) {
        return;
    }
    for (size_t i = 0; i < WIRES_MAX; i++) {
        if (server->wire[i] != NULL) {
            end(server->wire[i]);
        }
    }
    pw_watch_end(&server->accepting);
    pw_watch_end(&server->sweeping);
    const int open_fds[] = {server->listener, server->spare, server->doomed};
    for (size_t i = 0; i < PW_COUNT(open_fds); i++) {
        if (open_fds[i] >= 0) {
            (void)close(open_fds[i]);
        }
    }
    SSL_CTX_free(server->context);
    free(server);
}
