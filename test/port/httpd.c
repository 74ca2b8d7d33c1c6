// httpd: over real sockets with a site that says what it was told. Requests that wait, credentials,
// methods, WebSockets; the client is raw bytes, so that what is on the wire is what is judged.
#include "httpd.h"

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RUN_MS 10000 // a test that hangs ends

struct bench {
    struct pw_clock clock;
    struct pw_loop loop;
    struct pw_httpd *httpd;
    struct pw_http_site site;
    int peer;         // the client's socket
    char heard[8192]; // what came back
    size_t heard_len;
    pw_ms end_at;
    pw_ms wake_at;     // the waiting request is served again
    const char *until; // the run ends when this has been heard; "": when the server closed
    // The site.
    char said[512];   // of the last request
    uint64_t waiting; // a request that waits; 0: none
    unsigned serves;
    unsigned answer_after; // serves
    unsigned closed;       // streams
    uint64_t socket;
    char message[64];
    char reply[128]; // what the WebSocket is to be told
    uint64_t coming; // a body in pieces; 0: none
    uint64_t came;   // bytes of it
    uint64_t sum;    // of their values
    uint64_t gulp;   // the site takes so many at once, then waits a turn; 0: all
    uint64_t fails;  // the site wants no more behind so many; 0: never
    pw_ms gulp_at;
    uint64_t flowing; // an answer that flows; 0: none
    uint64_t flowed;  // bytes of it
    uint64_t breaks;  // it breaks off behind so many; 0: never
    bool idle;        // the client takes nothing
    uint64_t *drain;  // the client throws away what it takes, until all has flowed; counts
};

#define PIECES_MAX ((uint64_t)8 * 1024 * 1024)
#define FLOW_LEN   ((uint64_t)24 * 1024 * 1024)

static void put_request(struct bench *bench, const struct pw_http_request *request)
{
    struct pw_out out = PW_OUT(bench->said);
    pw_put_int(&out, (int64_t)request->method);
    pw_put_c(&out, ' ');
    pw_put(&out, request->path);
    pw_put_c(&out, ' ');
    pw_put(&out, request->query);
    pw_put_c(&out, ' ');
    pw_put(&out, request->authorization);
    pw_put_c(&out, ' ');
    pw_put(&out, request->body);
}

static void serve(void *context, const struct pw_http_request *request, struct pw_http_reply *reply,
                  pw_ms now, pw_unix_ms wall)
{
    struct bench *bench = context;
    (void)now, (void)wall;
    put_request(bench, request);
    bench->serves++;
    if (request->stream == bench->coming) {
        struct pw_out out = PW_OUT(bench->said);
        bench->coming = 0;
        assert_int_equal(request->body.len, 0);
        pw_put_s(&out, "came ");
        pw_put_uint(&out, bench->came);
        pw_put_s(&out, " sum ");
        pw_put_uint(&out, bench->sum);
        pw_put_s(&out, " of ");
        pw_put_uint(&out, request->length);
    }
    bool waits = pw_str_is(request->path, "/later") && bench->serves < bench->answer_after;
    bench->waiting = waits ? request->stream : 0;
    if (waits) {
        reply->later = true;
        return;
    }
    if (pw_str_is(request->path, "/flow")) {
        bench->flowing = request->stream;
        bench->flowed = 0;
        reply->status = 206;
        reply->content_type = "application/octet-stream";
        reply->flow = true;
        reply->ranges = true;
        reply->length = FLOW_LEN;
        (void)snprintf(reply->content_range, sizeof(reply->content_range), "bytes 1-%u/%u",
                       (unsigned)FLOW_LEN, (unsigned)FLOW_LEN + 1);
        (void)snprintf(reply->attachment, sizeof(reply->attachment), "a.pwr");
        return;
    }
    reply->status = pw_str_is(request->path, "/locked") ? 401 : 200;
    reply->challenge = reply->status == 401;
    reply->content_type = "text/plain";
    reply->body = pw_str_of(bench->said);
}

static int stream_take(void *context, uint64_t stream, char *to, size_t cap)
{
    struct bench *bench = context;
    struct pw_out out = {.cap = cap};
    out.at = to;
    if (stream != bench->socket) {
        return PW_ERR_UNKNOWN;
    }
    pw_put_s(&out, bench->reply);
    bench->reply[0] = '\0';
    return (int)out.len;
}

static uint64_t takes(void *context, const struct pw_http_request *request,
                      struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct bench *bench = context;
    (void)now, (void)wall;
    if (pw_str_is(request->path, "/not-you")) {
        reply->status = 403;
        reply->content_type = "text/plain";
        reply->body = PW_STR("not you, before a byte is taken");
        return 0;
    }
    if (!pw_str_is(request->path, "/pieces")) {
        return 0;
    }
    bench->coming = request->stream;
    bench->came = 0;
    bench->sum = 0;
    return PIECES_MAX;
}

static int piece(void *context, uint64_t stream, struct pw_str bytes, pw_ms now)
{
    struct bench *bench = context;
    assert_int_equal(stream, bench->coming);
    if (bench->fails != 0 && bench->came >= bench->fails) {
        return PW_ERR_STORE;
    }
    if (bench->gulp != 0 && now < bench->gulp_at) {
        return 0;
    }
    size_t len = bench->gulp != 0 && bytes.len > bench->gulp ? (size_t)bench->gulp : bytes.len;
    for (size_t i = 0; i < len; i++) {
        bench->sum += (uint8_t)bytes.at[i];
    }
    bench->came += len;
    bench->gulp_at = pw_after(now, 2);
    return (int)len;
}

static int flow(void *context, uint64_t stream, char *to, size_t cap)
{
    struct bench *bench = context;
    assert_int_equal(stream, bench->flowing);
    if (bench->breaks != 0 && bench->flowed >= bench->breaks) {
        return PW_ERR_STORE;
    }
    memset(to, 'x', cap);
    to[cap - 1] = 'y';
    bench->flowed += cap;
    return (int)cap;
}

static void stream_closed(void *context, uint64_t stream)
{
    struct bench *bench = context;
    assert_true(stream == bench->socket || stream == bench->waiting || stream == bench->flowing ||
                stream == bench->coming);
    bench->closed++;
    bench->flowing = stream == bench->flowing ? 0 : bench->flowing;
    bench->waiting = 0;
}

static void open_socket(void *context, const struct pw_http_request *request,
                        struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct bench *bench = context;
    (void)now, (void)wall;
    put_request(bench, request);
    if (!pw_str_is(request->path, "/ws")) {
        reply->status = 401;
        reply->challenge = true;
        reply->body = PW_STR("not you");
        return;
    }
    bench->socket = request->stream;
    reply->stream = true;
    (void)snprintf(bench->reply, sizeof(bench->reply), "welcome");
}

static void take_message(void *context, uint64_t stream, struct pw_str text, pw_ms now)
{
    struct bench *bench = context;
    (void)now;
    assert_int_equal(stream, bench->socket);
    assert_int_equal(pw_str_copy(bench->message, sizeof(bench->message), text), PW_OK);
    (void)snprintf(bench->reply, sizeof(bench->reply), "heard %s", bench->message);
    pw_httpd_stream_ready(bench->httpd, stream);
}

static bool has(const struct bench *bench, const char *text)
{
    return memmem(bench->heard, bench->heard_len, text, strlen(text)) != NULL;
}

static pw_ms turn(void *context, pw_ms now)
{
    struct bench *bench = context;
    if (bench->idle) {
        if (now >= bench->end_at) {
            pw_loop_end(&bench->loop);
        }
        return pw_after(now, 5);
    }
    if (bench->drain != NULL) {
        char room[65536];
        ssize_t got = recv(bench->peer, room, sizeof(room), MSG_DONTWAIT);
        *bench->drain += got > 0 ? (uint64_t)got : 0;
        if (now >= bench->end_at || *bench->drain >= FLOW_LEN + 256) {
            pw_loop_end(&bench->loop);
        }
        return got > 0 ? now : pw_after(now, 1);
    }
    ssize_t len = recv(bench->peer, bench->heard + bench->heard_len,
                       sizeof(bench->heard) - bench->heard_len, MSG_DONTWAIT);
    bench->heard_len += len > 0 ? (size_t)len : 0;
    bool closed = len == 0 || (len < 0 && errno != EAGAIN);
    if (bench->coming != 0 && bench->gulp != 0 && now >= bench->gulp_at) {
        pw_httpd_stream_ready(bench->httpd, bench->coming);
    }
    if (bench->waiting != 0 && now >= bench->wake_at) {
        bench->wake_at = pw_after(now, 5);
        pw_httpd_stream_ready(bench->httpd, bench->waiting);
    }
    if (closed || now >= bench->end_at || (bench->until[0] != '\0' && has(bench, bench->until))) {
        pw_loop_end(&bench->loop);
    }
    return pw_after(now, 5);
}

static int call(const struct bench *bench, int from, in_addr_t address)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(pw_httpd_port(bench->httpd)),
                             .sin_addr.s_addr = htonl(address)};
    return connect(from, (const struct sockaddr *)&to, sizeof(to));
}

static void start(struct bench *bench, bool sockets)
{
    memset(bench, 0, sizeof(*bench));
    assert_int_equal(pw_clock_init(&bench->clock, NULL), PW_OK);
    assert_int_equal(pw_loop_init(&bench->loop, &bench->clock), PW_OK);
    const struct pw_httpd_config config = {
        .loop = &bench->loop, .host = "127.0.0.1", .connections = 4, .body_max = 128};
    assert_int_equal(pw_httpd_open(&bench->httpd, &config), PW_OK);
    bench->site = (struct pw_http_site){.context = bench,
                                        .serve = serve,
                                        .stream_take = stream_take,
                                        .stream_closed = stream_closed,
                                        .flow = flow,
                                        .takes = takes,
                                        .piece = piece};
    if (sockets) {
        bench->site.socket = open_socket;
        bench->site.message = take_message;
    }
    pw_httpd_serve(bench->httpd, &bench->site);
    pw_loop_on_turn(&bench->loop, turn, bench);
    bench->peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(call(bench, bench->peer, INADDR_LOOPBACK), 0);
}

static void stop(struct bench *bench)
{
    (void)close(bench->peer);
    pw_httpd_close(bench->httpd);
    pw_loop_close(&bench->loop);
}

// Sends, and turns until `until` has come back; "": until the server has closed.
static void say_bytes(struct bench *bench, const void *bytes, size_t len, const char *until)
{
    bench->heard_len = 0;
    bench->until = until;
    bench->end_at = pw_after(pw_clock_now(&bench->clock), RUN_MS);
    assert_int_equal(send(bench->peer, bytes, len, 0), len);
    pw_loop_run(&bench->loop);
    if (!has(bench, until)) {
        fail_msg("\"%s\" did not come, but %.*s", until, (int)bench->heard_len, bench->heard);
    }
}

static void say(struct bench *bench, const char *text, const char *until)
{
    say_bytes(bench, text, strlen(text), until);
}

// Reason: what listens on 127.0.0.1 trusts that only its own machine can call.
static void who_listens_on_one_address_is_not_reached_by_another(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, false);
    int stranger = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(call(&bench, stranger, INADDR_LOOPBACK + 1), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(stranger);
    stop(&bench);
}

static void methods_bodies_and_credentials_reach_the_site(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, false);
    say(&bench,
        "PATCH /override?a=1+2&b=%24x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Authorization: Basic QTpi\r\nContent-Length: 2\r\n\r\n{}",
        "Basic QTpi {}");
    assert_true(has(&bench, "\r\n\r\n4 /override a=1 2&b=$x Basic QTpi {}"));
    say(&bench, "PATCH /override HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ""); // a body of no length
    assert_true(has(&bench, "HTTP/1.1 411"));
    stop(&bench);
}

// Reason: an Origin that did not fit counted as none, and a page of a host with a long name could
// have changed a station through its owner's browser.
static void a_header_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"Host", "Origin", "Authorization", "Cookie"};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        struct bench bench;
        char text[1024];
        bool host = i == 0;
        int len = snprintf(text, sizeof(text), "GET /open HTTP/1.1\r\n%s%s: %0600d\r\n\r\n",
                           host ? "" : "Host: 127.0.0.1\r\n", names[i], 7);
        assert_in_range(len, 600, sizeof(text) - 1);
        start(&bench, false);
        say(&bench, text, "");
        assert_true(has(&bench, "HTTP/1.1 431"));
        assert_int_equal(bench.serves, 0);
        stop(&bench);
    }
}

// Reason: a release is far larger than what may wait for a peer in memory; who takes nothing keeps
// a place and some buffers of the kernel, not a file.
static void a_body_that_flows_is_made_as_fast_as_it_is_taken(void **state)
{
    (void)state;
    static const char request[] = "GET /flow HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n\r\n";
    struct bench bench;
    uint64_t seen = 0;
    start(&bench, false);
    bench.heard_len = sizeof(bench.heard); // nothing is taken
    bench.until = "never";
    bench.end_at = pw_after(pw_clock_now(&bench.clock), 200);
    assert_int_equal(send(bench.peer, request, strlen(request), 0), strlen(request));
    // A receive of 0 bytes must not look like an end: only the clock ends this run.
    bench.idle = true;
    pw_loop_run(&bench.loop);
    assert_true(bench.flowed > 0 && bench.flowed < FLOW_LEN);
    assert_int_equal(bench.closed, 0);
    bench.idle = false;
    bench.end_at = pw_after(pw_clock_now(&bench.clock), RUN_MS);
    bench.drain = &seen;
    bench.heard_len = 0;
    pw_loop_run(&bench.loop);
    assert_int_equal(bench.flowed, FLOW_LEN);
    assert_int_equal(bench.closed, 1);
    assert_true(seen > FLOW_LEN && seen < FLOW_LEN + 2048);
    bench.drain = NULL;
    say(&bench, "HEAD /flow HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n");
    assert_true(has(&bench, "HTTP/1.1 206"));
    assert_true(has(&bench, "content-length: 25165824\r\n"));
    assert_true(has(&bench, "content-range: bytes 1-25165824/25165825\r\n"));
    assert_true(has(&bench, "accept-ranges: bytes\r\n"));
    assert_true(has(&bench, "content-disposition: attachment; filename=\"a.pwr\"\r\n"));
    assert_int_equal(bench.closed, 2);
    say(&bench, "GET /open HTTP/1.1\r\nHost: a\r\n\r\n", "/open");
    bench.breaks = 4096; // as when the site's disk fails: closed, not filled up with nothing
    say(&bench, "GET /flow HTTP/1.1\r\nHost: a\r\n\r\n", "");
    assert_true(bench.flowed < FLOW_LEN);
    stop(&bench);
    assert_int_equal(bench.closed, 3);
}

// Sends a header and `len` bytes while turning, until `until` has come back.
static void say_body(struct bench *bench, const char *path, size_t len, const char *until)
{
    static char bytes[65536];
    char head[256];
    size_t sent = 0;
    (void)snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                   path, len);
    memset(bytes, 3, sizeof(bytes));
    bench->heard_len = 0;
    bench->until = until;
    assert_int_equal(send(bench->peer, head, strlen(head), 0), strlen(head));
    pw_ms end = pw_after(pw_clock_now(&bench->clock), RUN_MS);
    while (!has(bench, until) && pw_clock_now(&bench->clock) < end) {
        size_t rest = len - sent < sizeof(bytes) ? len - sent : sizeof(bytes);
        ssize_t got = rest > 0 ? send(bench->peer, bytes, rest, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        sent += got > 0 ? (size_t)got : 0;
        bench->end_at = pw_after(pw_clock_now(&bench->clock), 2);
        pw_loop_run(&bench->loop);
    }
    if (!has(bench, until)) {
        fail_msg("\"%s\" did not come, but %.*s", until, (int)bench->heard_len, bench->heard);
    }
}

// Reason: a release is not to be held in memory, and a slow disk must slow its sender down instead
// of filling it.
static void a_large_body_goes_to_the_site_in_pieces(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, false);
    say_body(&bench, "/pieces", 1000000, "came 1000000 sum 3000000 of 1000000");
    say(&bench, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n", "/next"); // the connection goes on
    bench.gulp = 3000;
    say_body(&bench, "/pieces", 100000, "came 100000 sum 300000 of 100000");
    bench.gulp = 0;
    assert_int_equal(bench.closed, 0);
    say_body(&bench, "/pieces", 1, "came 1 sum 3 of 1");
    stop(&bench);
    assert_int_equal(bench.closed, 0);
}

static void a_body_is_judged_before_it_is_taken(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, false);
    say_body(&bench, "/not-you", 1000000, "not you, before a byte is taken");
    assert_true(has(&bench, "HTTP/1.1 403") && has(&bench, "connection: close"));
    assert_int_equal(bench.serves, 0);
    stop(&bench);
    start(&bench, false);
    say_body(&bench, "/pieces", (size_t)PIECES_MAX + 1, "at most 8388608 bytes");
    assert_true(has(&bench, "HTTP/1.1 413"));
    stop(&bench);
    start(&bench, false);
    say_body(&bench, "/elsewhere", 129, "at most 128 bytes"); // held, as every other
    stop(&bench);
    start(&bench, false);
    bench.fails = 50000; // the disk is full: the site's own answer, and the end
    say_body(&bench, "/pieces", 1000000, "sum");
    assert_true(has(&bench, "connection: close"));
    assert_true(bench.came >= 50000 && bench.came < 200000);
    stop(&bench);
}

static void a_peer_that_goes_in_the_middle_of_a_body_is_told(void **state)
{
    (void)state;
    static const char text[] = "PUT /pieces HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc";
    struct bench bench;
    start(&bench, false);
    bench.until = "";
    assert_int_equal(send(bench.peer, text, strlen(text), 0), strlen(text));
    bench.end_at = pw_after(pw_clock_now(&bench.clock), 50);
    pw_loop_run(&bench.loop);
    assert_int_equal(bench.came, 3);
    (void)shutdown(bench.peer, SHUT_WR);
    bench.end_at = pw_after(pw_clock_now(&bench.clock), RUN_MS);
    pw_loop_run(&bench.loop);
    assert_int_equal(bench.closed, 1);
    assert_int_equal(bench.serves, 0);
    stop(&bench);
}

static void a_401_may_ask_for_credentials(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, false);
    say(&bench, "GET /locked HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "/locked");
    assert_true(has(&bench, "HTTP/1.1 401"));
    assert_true(has(&bench, "www-authenticate: Basic realm=\"pilotwire\"\r\n"));
    say(&bench, "GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "/open");
    assert_false(has(&bench, "www-authenticate"));
    stop(&bench);
}

// Reason: the answer of a board takes a line; the connection must not be answered before, and goes
// on to be used afterwards.
static void a_request_that_waits_is_served_until_it_is_answered(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, false);
    bench.answer_after = 4;
    say(&bench, "POST /later HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabc", "abc");
    assert_int_equal(bench.serves, 4);
    assert_int_equal(bench.closed, 0);
    say(&bench, "GET /next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "/next");
    stop(&bench);
}

// Reason: whoever keeps a ticket for a waiting request must hear that nobody waits any more.
static void a_waiting_peer_that_goes_is_told(void **state)
{
    (void)state;
    static const char request[] = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    struct bench bench;
    start(&bench, false);
    bench.answer_after = 1000000;
    bench.until = "never";
    assert_int_equal(send(bench.peer, request, strlen(request), 0), strlen(request));
    bench.end_at = pw_after(pw_clock_now(&bench.clock), 100);
    pw_loop_run(&bench.loop);
    assert_in_range(bench.serves, 2, 100); // once a turn of 5 ms
    assert_int_equal(bench.closed, 0);
    (void)shutdown(bench.peer, SHUT_WR);
    bench.end_at = pw_after(pw_clock_now(&bench.clock), RUN_MS);
    pw_loop_run(&bench.loop); // until the server has closed as well
    assert_int_equal(bench.closed, 1);
    assert_in_range(bench.serves, 2, 100);
    stop(&bench);
    assert_int_equal(bench.closed, 1);
}

// Reason: over TLS whoever goes says farewell first, and nobody reads that while its request waits.
static void a_waiting_peer_that_goes_is_told_of_behind_bytes_that_nobody_read(void **state)
{
    (void)state;
    static const char request[] = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    struct bench bench;
    start(&bench, false);
    bench.answer_after = 1000000;
    bench.until = "never";
    assert_int_equal(send(bench.peer, request, strlen(request), 0), strlen(request));
    bench.end_at = pw_after(pw_clock_now(&bench.clock), 100);
    pw_loop_run(&bench.loop);
    assert_int_equal(send(bench.peer, "bye", 3, 0), 3);
    (void)shutdown(bench.peer, SHUT_WR);
    bench.end_at = pw_after(pw_clock_now(&bench.clock), RUN_MS);
    pw_loop_run(&bench.loop); // until the server has closed as well
    assert_int_equal(bench.closed, 1);
    assert_true(pw_clock_now(&bench.clock) < bench.end_at);
    stop(&bench);
}

static const char upgrade[] = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Authorization: Basic QTpi\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void a_web_socket_carries_texts_both_ways(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, true);
    say(&bench, upgrade, "welcome");
    assert_true(has(&bench, "HTTP/1.1 101"));
    assert_true(has(&bench, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")); // RFC 6455 §1.3
    assert_true(has(&bench, "\x81\x07welcome"));
    assert_string_equal(bench.said, "0 /ws  Basic QTpi ");
    say_bytes(&bench, "\x81\x82\x00\x00\x00\x00hi", 8, "\x81\x08heard hi");
    // In two fragments, with a ping between.
    say_bytes(&bench, "\x01\x81\x00\x00\x00\x00h\x89\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00o",
              20, "heard ho");
    // Binary is not spoken here: a close frame with 1003.
    say_bytes(&bench, "\x82\x81\x00\x00\x00\x00x", 7, "\x88\x02\x03\xeb");
    stop(&bench);
    assert_int_equal(bench.closed, 1);
}

static void a_message_longer_than_a_body_closes(void **state)
{
    (void)state;
    struct bench bench;
    char frame[8 + 200] = "\x81\xfe\x00\xc8";
    memset(frame + 8, 'x', 200);
    start(&bench, true);
    say(&bench, upgrade, "welcome");
    say_bytes(&bench, frame, sizeof(frame), "\x88\x02\x03\xf1"); // 1009
    assert_string_equal(bench.message, "");
    stop(&bench);
    assert_int_equal(bench.closed, 1);
}

static void an_upgrade_is_refused_by_the_site_or_for_want_of_one(void **state)
{
    (void)state;
    struct bench bench;
    char other[sizeof(upgrade)];
    memcpy(other, upgrade, sizeof(upgrade));
    other[5] = 'x';
    start(&bench, true);
    say(&bench, other, "not you");
    assert_true(has(&bench, " 401 ") && has(&bench, "www-authenticate"));
    stop(&bench);
    assert_int_equal(bench.closed, 0);
    start(&bench, false);
    say(&bench, upgrade, "no upgrade is served here");
    assert_true(has(&bench, " 400 "));
    stop(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_listens_on_one_address_is_not_reached_by_another),
        cmocka_unit_test(methods_bodies_and_credentials_reach_the_site),
        cmocka_unit_test(a_header_that_does_not_fit_is_refused),
        cmocka_unit_test(a_body_that_flows_is_made_as_fast_as_it_is_taken),
        cmocka_unit_test(a_large_body_goes_to_the_site_in_pieces),
        cmocka_unit_test(a_body_is_judged_before_it_is_taken),
        cmocka_unit_test(a_peer_that_goes_in_the_middle_of_a_body_is_told),
        cmocka_unit_test(a_401_may_ask_for_credentials),
        cmocka_unit_test(a_request_that_waits_is_served_until_it_is_answered),
        cmocka_unit_test(a_waiting_peer_that_goes_is_told),
        cmocka_unit_test(a_waiting_peer_that_goes_is_told_of_behind_bytes_that_nobody_read),
        cmocka_unit_test(a_web_socket_carries_texts_both_ways),
        cmocka_unit_test(a_message_longer_than_a_body_closes),
        cmocka_unit_test(an_upgrade_is_refused_by_the_site_or_for_want_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
