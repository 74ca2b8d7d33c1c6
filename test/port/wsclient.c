// The WebSocket client against a peer that is written out in bytes here, so that the peer can be as
// rude as a real one: RFC 6455, OCPP-J 1.6 §3.1, facts/reliability.md F12–F14.
#include "wsclient.h"

#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES_MAX 200000

enum opcode { CONTINUE = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct peer {
    int listener;
    int connection;
    uint16_t port;
    struct pw_watch accepting;
    struct pw_watch reading;
    const char *subprotocol; // "" answers without the header; NULL: `answer` is sent instead
    const char *answer;
    bool upgraded;
    bool silent; // answers no pings
    unsigned pings;
    char request[4096];
    unsigned char in[BYTES_MAX];
    size_t in_len;
    unsigned char text[BYTES_MAX]; // the last text message, unmasked
    size_t text_len;
    unsigned close_code;
    bool gone;
};

struct fixture {
    struct pw_clock clock;
    struct pw_clock pace;
    struct pw_loop loop;
    struct pw_ws_client *client;
    struct peer peer;
    char url[64];
    bool (*until)(struct fixture *f);
    pw_ms started;
    struct pw_ws_end end;
    bool ended;
    unsigned messages;
    size_t last_len;
};

// ---------------------------------------------------------------------------------------------
// The peer.

static void peer_write(struct peer *peer, const void *bytes, size_t len)
{
    assert_int_equal(send(peer->connection, bytes, len, MSG_NOSIGNAL), len);
}

static void peer_frame(struct peer *peer, bool last, enum opcode opcode, const void *bytes,
                       size_t len)
{
    unsigned char head[10] = {(unsigned char)((last ? 0x80 : 0) | (int)opcode)};
    size_t head_len = 2;
    if (len < 126) {
        head[1] = (unsigned char)len;
    } else if (len < 65536) {
        head[1] = 126;
        pw_set_be16(head + 2, (uint16_t)len);
        head_len = 4;
    } else {
        head[1] = 127;
        pw_set_be32(head + 6, (uint32_t)len);
        head_len = 10;
    }
    peer_write(peer, head, head_len);
    if (len > 0) {
        peer_write(peer, bytes, len);
    }
}

static void accept_key(const char *request, char *accept, size_t cap)
{
    const char *at = strstr(request, "Sec-WebSocket-Key: ");
    assert_non_null(at);
    char joined[128];
    unsigned char digest[20];
    int len =
        snprintf(joined, sizeof(joined), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", at + 19);
    lws_SHA1((unsigned char *)joined, (size_t)len, digest);
    assert_true(lws_b64_encode_string((char *)digest, 20, accept, (int)cap) > 0);
}

static void peer_upgrade(struct peer *peer)
{
    memcpy(peer->request, peer->in, peer->in_len);
    peer->request[peer->in_len] = '\0';
    peer->in_len = 0;
    peer->upgraded = true;
    if (peer->subprotocol == NULL) {
        peer_write(peer, peer->answer, strlen(peer->answer));
        return;
    }
    char accept[64];
    char answer[512];
    accept_key(peer->request, accept, sizeof(accept));
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
                       accept, peer->subprotocol[0] ? "Sec-WebSocket-Protocol: " : "",
                       peer->subprotocol, peer->subprotocol[0] ? "\r\n" : "");
    peer_write(peer, answer, (size_t)len);
}

static void peer_take(struct peer *peer, unsigned opcode, const unsigned char *bytes, size_t len)
{
    if (opcode == TEXT) {
        memcpy(peer->text, bytes, len);
        peer->text_len = len;
    } else if (opcode == CLOSE && len >= 2) {
        peer->close_code = pw_be16(bytes);
    } else if (opcode == PING) {
        peer->pings++;
        if (!peer->silent) {
            peer_frame(peer, true, PONG, bytes, len);
        }
    }
}

// One masked frame from the front of `in`; false while it is not whole.
static bool peer_parse(struct peer *peer)
{
    if (peer->in_len < 6) {
        return false;
    }
    size_t len = peer->in[1] & 0x7F;
    size_t at = 2;
    assert_true((peer->in[1] & 0x80) != 0); // a client must mask
    if (len == 126) {
        len = pw_be16(peer->in + 2);
        at = 4;
    } else if (len == 127) {
        len = pw_be32(peer->in + 6);
        at = 10;
    }
    if (peer->in_len < at + 4 + len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        peer->in[at + 4 + i] ^= peer->in[at + i % 4];
    }
    peer_take(peer, peer->in[0] & 0x0F, peer->in + at + 4, len);
    size_t used = at + 4 + len;
    memmove(peer->in, peer->in + used, peer->in_len - used);
    peer->in_len -= used;
    return true;
}

static void peer_read(void *context, unsigned events)
{
    struct peer *peer = context;
    (void)events;
    ssize_t got = recv(peer->connection, peer->in + peer->in_len, BYTES_MAX - peer->in_len, 0);
    if (got <= 0) {
        peer->gone = true;
        pw_watch_end(&peer->reading);
        return;
    }
    peer->in_len += (size_t)got;
    if (!peer->upgraded) {
        if (peer->in_len > 4 && memcmp(peer->in + peer->in_len - 4, "\r\n\r\n", 4) == 0) {
            peer_upgrade(peer);
        }
        return;
    }
    while (peer_parse(peer)) {
    }
}

static void peer_accept(void *context, unsigned events)
{
    struct fixture *f = context;
    (void)events;
    f->peer.connection = accept(f->peer.listener, NULL, NULL);
    assert_true(f->peer.connection >= 0);
    f->peer.reading = (struct pw_watch){.ready = peer_read, .context = &f->peer};
    pw_watch_start(&f->peer.reading, &f->loop, f->peer.connection, PW_LOOP_READ, PW_LOOP_NETWORK);
}

static void peer_listen(struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    f->peer.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(f->peer.listener >= 0);
    assert_int_equal(bind(f->peer.listener, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(f->peer.listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(listen(f->peer.listener, 4), 0);
    f->peer.port = ntohs(at.sin_port);
    f->peer.connection = -1;
    f->peer.accepting = (struct pw_watch){.ready = peer_accept, .context = f};
    pw_watch_start(&f->peer.accepting, &f->loop, f->peer.listener, PW_LOOP_READ, PW_LOOP_NETWORK);
}

// ---------------------------------------------------------------------------------------------

static int setup_at(void **state, const char *pace)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(pw_clock_init(&f->clock, NULL), PW_OK);
    assert_int_equal(pw_clock_init(&f->pace, pace), PW_OK);
    assert_int_equal(pw_loop_init(&f->loop, &f->clock), PW_OK);
    char text[256];
    struct pw_out why = PW_OUT(text);
    f->client = pw_ws_client_new(&f->loop, &f->pace, NULL, NULL, &why);
    if (f->client == NULL) {
        fail_msg("%s", text);
    }
    peer_listen(f);
    f->peer.subprotocol = "ocpp1.6";
    (void)snprintf(f->url, sizeof(f->url), "ws://127.0.0.1:%u/ocpp/", f->peer.port);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_at(state, NULL);
}

// Time-outs a hundred times faster than real ones.
static int setup_fast(void **state)
{
    return setup_at(state, "1700000000000:1700000000000:100");
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pw_watch_end(&f->peer.accepting);
    pw_watch_end(&f->peer.reading);
    pw_ws_client_free(f->client);
    pw_loop_close(&f->loop);
    (void)close(f->peer.listener);
    if (f->peer.connection >= 0) {
        (void)close(f->peer.connection);
    }
    free(f);
    return 0;
}

static pw_ms turn(void *context, pw_ms now)
{
    struct fixture *f = context;
    struct pw_str text;
    pw_ws_step(f->client);
    if (pw_ws_message(f->client, &text)) {
        f->messages++;
        f->last_len = text.len;
        pw_ws_message_done(f->client);
    }
    f->ended = f->ended || pw_ws_take_end(f->client, &f->end);
    if (f->until(f) || pw_elapsed(f->started, 10000, now)) {
        pw_loop_end(&f->loop);
    }
    return now + 50;
}

static void run_until(struct fixture *f, bool (*until)(struct fixture *f))
{
    f->until = until;
    f->started = pw_clock_now(&f->clock);
    pw_loop_on_turn(&f->loop, turn, f);
    pw_loop_run(&f->loop);
    if (!until(f)) {
        fail_msg("gave up waiting; ended=%d reason=%s", f->ended, f->end.reason);
    }
}

static bool is_open(struct fixture *f)
{
    return pw_ws_state(f->client) == PW_WS_OPEN && f->peer.upgraded;
}

static bool has_ended(struct fixture *f)
{
    return f->ended;
}

static void open_it(struct fixture *f)
{
    char text[128];
    struct pw_out why = PW_OUT(text);
    struct pw_ws_target target = {
        .url = pw_str_of(f->url),
        .id = PW_STR("CP 1/\xC3\xA4"),
        .subprotocol = PW_STR("ocpp1.6"),
        .password = PW_STR("secret:with colon"),
    };
    assert_int_equal(pw_ws_open(f->client, &target, &why), PW_OK);
    assert_int_equal(pw_ws_open(f->client, &target, &why), PW_ERR_BUSY);
}

static void opens_with_identity_subprotocol_and_basic_auth(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    assert_non_null(strstr(f->peer.request, "GET /ocpp/CP%201%2F%C3%A4 HTTP/1.1\r\n"));
    assert_non_null(strcasestr(f->peer.request, "Sec-WebSocket-Protocol: ocpp1.6\r\n"));
    // base64 of "CP 1/ä:secret:with colon"
    assert_non_null(strcasestr(f->peer.request,
                               "Authorization: Basic Q1AgMS/DpDpzZWNyZXQ6d2l0aCBjb2xvbg==\r\n"));
}

// A name with several addresses: ::1 has no server here, 127.0.0.1 has one.
static void tries_the_next_address_of_a_name(void **state)
{
    struct fixture *f = *state;
    (void)snprintf(f->url, sizeof(f->url), "ws://localhost:%u", f->peer.port);
    open_it(f);
    run_until(f, is_open);
    assert_non_null(strstr(f->peer.request, "GET /CP%201%2F%C3%A4 HTTP/1.1\r\n"));
    assert_non_null(strcasestr(f->peer.request, "Host: localhost:"));
}

static void refusals_carry_status_and_reason(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *answer;
        unsigned status;
    } rows[] = {
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", 401},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404},
        {"HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", 503},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", 200},
        {"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", 302},
    };
    f->peer.subprotocol = NULL;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        f->peer.answer = rows[i].answer;
        f->peer.upgraded = false;
        f->peer.in_len = 0;
        f->ended = false;
        open_it(f);
        run_until(f, has_ended);
        char reason[64];
        (void)snprintf(reason, sizeof(reason), "the server answered HTTP %u", rows[i].status);
        assert_true(f->end.refused);
        assert_int_equal(f->end.http_status, rows[i].status);
        assert_string_equal(f->end.reason, reason);
        (void)close(f->peer.connection);
        pw_watch_end(&f->peer.reading);
        f->peer.connection = -1;
    }
}

static void nobody_listening_is_a_refusal_without_status(void **state)
{
    struct fixture *f = *state;
    pw_watch_end(&f->peer.accepting);
    (void)close(f->peer.listener);
    f->peer.listener = -1;
    open_it(f);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_int_equal(f->end.http_status, 0);
    assert_string_equal(f->end.reason, "Unable to connect");
}

// The system refuses at once, without any event on a socket.
static void an_address_that_cannot_be_is_a_refusal_at_once(void **state)
{
    struct fixture *f = *state;
    (void)snprintf(f->url, sizeof(f->url), "ws://255.255.255.255:1/");
    open_it(f);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_true(f->end.reason[0] != '\0');
}

static void an_unknown_name_is_a_refusal(void **state)
{
    struct fixture *f = *state;
    (void)snprintf(f->url, sizeof(f->url), "ws://no-such-host.invalid/");
    open_it(f);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_non_null(strstr(f->end.reason, "name not found"));
}

static void a_server_without_the_subprotocol_is_left(void **state)
{
    struct fixture *f = *state;
    f->peer.subprotocol = "";
    open_it(f);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_string_equal(f->end.reason,
                        "the server selected no subprotocol instead of subprotocol ocpp1.6");
}

static void a_server_with_another_subprotocol_is_left(void **state)
{
    struct fixture *f = *state;
    f->peer.subprotocol = "ocpp2.0.1";
    open_it(f);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_string_equal(f->end.reason, "the server selected another subprotocol");
}

// A listener that accepts and says nothing must not hold the station for ever.
static void a_server_that_never_answers_times_out(void **state)
{
    struct fixture *f = *state;
    f->peer.subprotocol = NULL;
    f->peer.answer = "";
    open_it(f);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_string_equal(f->end.reason, "no answer in time");
}

static bool peer_has_text(struct fixture *f)
{
    return f->peer.text_len > 0;
}

static void sends_one_message_at_a_time_whole(void **state)
{
    struct fixture *f = *state;
    static char big[PW_WS_MESSAGE_MAX + 1];
    memset(big, 'x', sizeof(big));
    assert_int_equal(pw_ws_send(f->client, PW_STR("[]")), PW_ERR_BUSY); // not open
    open_it(f);
    run_until(f, is_open);
    assert_int_equal(pw_ws_send(f->client, (struct pw_str){big, sizeof(big)}), PW_ERR_LIMIT);
    assert_int_equal(pw_ws_send(f->client, (struct pw_str){big, PW_WS_MESSAGE_MAX}), PW_OK);
    assert_int_equal(pw_ws_send(f->client, PW_STR("[]")), PW_ERR_BUSY);
    assert_false(pw_ws_can_send(f->client));
    run_until(f, peer_has_text);
    assert_int_equal(f->peer.text_len, PW_WS_MESSAGE_MAX);
    assert_memory_equal(f->peer.text, big, PW_WS_MESSAGE_MAX);
    assert_true(pw_ws_can_send(f->client));
}

static bool has_message(struct fixture *f)
{
    return f->messages > 0;
}

static void fragments_become_one_message_with_a_ping_between(void **state)
{
    struct fixture *f = *state;
    static char part[30000];
    memset(part, 'y', sizeof(part));
    open_it(f);
    run_until(f, is_open);
    peer_frame(&f->peer, false, TEXT, part, sizeof(part));
    peer_frame(&f->peer, true, PING, "abc", 3);
    peer_frame(&f->peer, false, CONTINUE, part, sizeof(part));
    peer_frame(&f->peer, true, CONTINUE, "end", 3);
    run_until(f, has_message);
    assert_int_equal(f->messages, 1);
    assert_int_equal(f->last_len, 2 * sizeof(part) + 3);
}

static bool has_hundred(struct fixture *f)
{
    return f->messages == 100;
}

// A burst in one segment: each message waits its turn, none is lost and none overruns another.
static void a_burst_is_taken_one_message_at_a_time(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    char burst[700];
    size_t len = 0;
    for (int i = 0; i < 100; i++) {
        char frame[8] = {(char)0x81, 4, '[', (char)('0' + i / 10), (char)('0' + i % 10), ']'};
        memcpy(burst + len, frame, 6);
        len += 6;
    }
    peer_write(&f->peer, burst, len);
    run_until(f, has_hundred);
    assert_false(f->ended);
}

static void the_longest_message_fits_and_one_more_byte_closes_with_1009(void **state)
{
    struct fixture *f = *state;
    static char big[PW_WS_MESSAGE_MAX + 1];
    memset(big, 'z', sizeof(big));
    open_it(f);
    run_until(f, is_open);
    peer_frame(&f->peer, true, TEXT, big, PW_WS_MESSAGE_MAX);
    run_until(f, has_message);
    assert_int_equal(f->last_len, PW_WS_MESSAGE_MAX);
    peer_frame(&f->peer, true, TEXT, big, PW_WS_MESSAGE_MAX + 1);
    run_until(f, has_ended);
    assert_false(f->end.refused);
    assert_string_equal(f->end.reason, "the server sent a message of more than 65536 bytes");
}

static bool peer_saw_close(struct fixture *f)
{
    return f->peer.close_code != 0;
}

static void a_binary_message_closes_with_1003(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    peer_frame(&f->peer, true, BINARY, "\0\1", 2);
    run_until(f, peer_saw_close);
    assert_int_equal(f->peer.close_code, 1003);
}

// Reason: libwebsockets wrote beyond its buffer, with bytes of the server's, when a message ended
// the connection in the middle and the server went on sending.
static void goes_on_sending(struct fixture *f, enum opcode opcode, char fill)
{
    static char big[2000000];
    memset(big, fill, sizeof(big));
    open_it(f);
    run_until(f, is_open);
    peer_frame(&f->peer, true, opcode, big, sizeof(big));
    run_until(f, has_ended);
    assert_int_equal(f->messages, 0);
}

static void a_server_that_goes_on_after_too_much_harms_nobody(void **state)
{
    goes_on_sending(*state, TEXT, 'z');
}

static void a_server_that_goes_on_after_binary_harms_nobody(void **state)
{
    goes_on_sending(*state, BINARY, 'z');
}

static void a_server_that_goes_on_after_no_utf8_harms_nobody(void **state)
{
    goes_on_sending(*state, TEXT, '\xFF');
}

static void text_that_is_no_utf8_closes_with_1007(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    peer_frame(&f->peer, true, TEXT, "\xC3\x28", 2);
    run_until(f, peer_saw_close);
    assert_int_equal(f->peer.close_code, 1007);
    assert_int_equal(f->messages, 0);
}

static void the_peers_close_code_and_reason_are_told(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    peer_frame(&f->peer, true, CLOSE, "\x03\xE9go away", 9);
    run_until(f, has_ended);
    assert_int_equal(f->end.close_code, 1001);
    assert_string_equal(f->end.reason, "the server closed the connection with code 1001: go away");
}

static void a_reset_connection_is_told(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(f->peer.connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    pw_watch_end(&f->peer.reading);
    (void)close(f->peer.connection);
    f->peer.connection = -1;
    run_until(f, has_ended);
    assert_false(f->end.refused);
    assert_string_equal(f->end.reason, "the connection broke");
}

static bool pinged_thrice(struct fixture *f)
{
    return f->peer.pings >= 3;
}

static void pings_keep_a_quiet_connection_alive(void **state)
{
    struct fixture *f = *state;
    pw_ws_ping_every(f->client, 20);
    open_it(f);
    run_until(f, pinged_thrice);
    assert_false(f->ended);
}

// Half-open: the peer's end is gone without a word, facts/reliability.md F12.
static void a_peer_that_answers_no_ping_is_dropped_within_a_minute(void **state)
{
    struct fixture *f = *state;
    f->peer.silent = true;
    pw_ws_ping_every(f->client, 20);
    open_it(f);
    run_until(f, is_open);
    pw_ms opened = pw_clock_now(&f->pace);
    run_until(f, has_ended);
    assert_string_equal(f->end.reason, "no pong: the connection is dead");
    assert_in_range(pw_clock_now(&f->pace) - opened, 49000, 60000);
}

static void the_station_closes_with_1000_and_may_open_again(void **state)
{
    struct fixture *f = *state;
    open_it(f);
    run_until(f, is_open);
    pw_ws_close(f->client);
    run_until(f, peer_saw_close);
    assert_int_equal(f->peer.close_code, 1000);
    (void)close(f->peer.connection);
    pw_watch_end(&f->peer.reading);
    f->peer.connection = -1;
    run_until(f, has_ended);
    assert_string_equal(f->end.reason, "closed by the station");
    f->peer.upgraded = false;
    f->peer.in_len = 0;
    f->ended = false;
    open_it(f);
    run_until(f, is_open);
}

static void closing_while_connecting_ends_at_once(void **state)
{
    struct fixture *f = *state;
    f->peer.subprotocol = NULL;
    f->peer.answer = "";
    open_it(f);
    pw_ws_close(f->client);
    run_until(f, has_ended);
    assert_true(f->end.refused);
    assert_int_equal(pw_ws_state(f->client), PW_WS_IDLE);
}

static void each_bad_url_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *why; // NULL: it is fine
    } rows[] = {
        {"ws://a", NULL},
        {"wss://a.example:8443/ocpp/1.6", NULL},
        {"ws://[::1]:8180/ocpp", NULL},
        {"http://a", "it must begin with ws:// or wss://"},
        {"", "it must begin with ws:// or wss://"},
        {"ws://", "the host must be a name or an address, without user name or password"},
        {"ws://:80", "the host must be a name or an address, without user name or password"},
        {"ws://me:pw@a/", "the port must be 1..65535"},
        {"ws://me@a/", "the host must be a name or an address, without user name or password"},
        {"ws://a:0", "the port must be 1..65535"},
        {"ws://a:65536", "the port must be 1..65535"},
        {"ws://a:", "the port must be 1..65535"},
        {"ws://[::1", "the host must be a name or an address, without user name or password"},
        {"ws://[::1]8", "the port must be 1..65535"},
        {"ws://a/x?y", "the path must be short and of plain characters, without query"},
        {"ws://a/x y", "the path must be short and of plain characters, without query"},
        {"ws://a\r\nX: y/", "the host must be a name or an address, without user name or password"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[128] = "";
        struct pw_out why = PW_OUT(text);
        int err = pw_ws_check_url(pw_str_of(rows[i].url), &why);
        const char *want = rows[i].why != NULL ? rows[i].why : "";
        if ((err == PW_OK) != (rows[i].why == NULL) || strcmp(text, want) != 0) {
            fail_msg("%s: %s", rows[i].url, text);
        }
    }
}

#define CASE(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CASE_FAST(name) cmocka_unit_test_setup_teardown(name, setup_fast, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(opens_with_identity_subprotocol_and_basic_auth),
        CASE(tries_the_next_address_of_a_name),
        CASE(refusals_carry_status_and_reason),
        CASE(nobody_listening_is_a_refusal_without_status),
        CASE(an_address_that_cannot_be_is_a_refusal_at_once),
        CASE(an_unknown_name_is_a_refusal),
        CASE(a_server_without_the_subprotocol_is_left),
        CASE(a_server_with_another_subprotocol_is_left),
        CASE_FAST(a_server_that_never_answers_times_out),
        CASE(sends_one_message_at_a_time_whole),
        CASE(fragments_become_one_message_with_a_ping_between),
        CASE(a_burst_is_taken_one_message_at_a_time),
        CASE_FAST(the_longest_message_fits_and_one_more_byte_closes_with_1009),
        CASE(a_binary_message_closes_with_1003),
        CASE_FAST(a_server_that_goes_on_after_too_much_harms_nobody),
        CASE_FAST(a_server_that_goes_on_after_binary_harms_nobody),
        CASE_FAST(a_server_that_goes_on_after_no_utf8_harms_nobody),
        CASE(text_that_is_no_utf8_closes_with_1007),
        CASE(the_peers_close_code_and_reason_are_told),
        CASE(a_reset_connection_is_told),
        CASE_FAST(pings_keep_a_quiet_connection_alive),
        CASE_FAST(a_peer_that_answers_no_ping_is_dropped_within_a_minute),
        CASE(the_station_closes_with_1000_and_may_open_again),
        CASE_FAST(closing_while_connecting_ends_at_once),
        cmocka_unit_test(each_bad_url_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
