// The REST interface: who may do what, and what every wrong request is told.
#include "bench.h"

static const uint8_t page_bytes[] = {0x1f, 0x8b, 1, 2, 3};
static const struct pw_http_asset assets[] = {
    {"/index.html", "text/html; charset=utf-8", page_bytes, sizeof(page_bytes), "\"e1\""},
    {"/assets/app-1.js", "text/javascript", page_bytes, sizeof(page_bytes), "\"e2\""},
};

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    return 0;
}

static int get(struct bench *bench, const char *target)
{
    return bench_http(bench, PW_HTTP_GET, target, "");
}

static int login(struct bench *bench, const char *password)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"user\":\"admin\",\"password\":\"%s\"}", password);
    return bench_http(bench, PW_HTTP_POST, "/api/v1/login", body);
}

static void everything_but_login_and_health_needs_a_login(void **state)
{
    struct bench *bench = *state;
    static const struct {
        enum pw_http_method method;
        const char *path;
    } rows[] = {
        {PW_HTTP_POST, "/api/v1/logout"},
        {PW_HTTP_GET, "/api/v1/me"},
        {PW_HTTP_GET, "/api/v1/stations"},
        {PW_HTTP_POST, "/api/v1/stations"},
        {PW_HTTP_GET, "/api/v1/stations/A"},
        {PW_HTTP_DELETE, "/api/v1/stations/A"},
        {PW_HTTP_GET, "/api/v1/stations/A/measurements"},
        {PW_HTTP_GET, "/api/v1/stations/A/log"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands"},
        {PW_HTTP_GET, "/api/v1/commands/1"},
        {PW_HTTP_GET, "/api/v1/sessions"},
        {PW_HTTP_GET, "/api/v1/sessions/1"},
        {PW_HTTP_GET, "/api/v1/cards"},
        {PW_HTTP_GET, "/api/v1/cards/unknown"},
        {PW_HTTP_GET, "/api/v1/cards/X"},
        {PW_HTTP_PUT, "/api/v1/cards/X"},
        {PW_HTTP_DELETE, "/api/v1/cards/X"},
        {PW_HTTP_GET, "/api/v1/groups"},
        {PW_HTTP_GET, "/api/v1/groups/A"},
        {PW_HTTP_PUT, "/api/v1/groups/A"},
        {PW_HTTP_DELETE, "/api/v1/groups/A"},
        {PW_HTTP_GET, "/api/v1/groups/A/history"},
        {PW_HTTP_GET, "/api/v1/refused"},
        {PW_HTTP_GET, "/api/v1/events"},
        {PW_HTTP_GET, "/api/v1/openapi.yaml"},
        {PW_HTTP_GET, "/api/v1/metrics"},
        {PW_HTTP_GET, "/metrics"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(bench_http(bench, rows[i].method, rows[i].path, "{}"), 401);
        assert_has(bench->body, "{\"error\":{\"code\":\"login_required\"");
    }
    assert_int_equal(get(bench, "/healthz"), 200);
    assert_int_equal(get(bench, "/api/v1/healthz"), 200);
    // With a login, whatever changes something also needs the token.
    bench_login(bench);
    bench->csrf[0] ^= 1;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int status = bench_http(bench, rows[i].method, rows[i].path, "{}");
        if (rows[i].method == PW_HTTP_GET) {
            assert_int_not_equal(status, 401);
            assert_int_not_equal(status, 403);
        } else {
            assert_int_equal(status, 403);
            assert_has(bench->body, "\"code\":\"csrf\"");
        }
    }
}

static void wrong_requests_are_told_what_is_wrong(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    (void)link;
    bench_login(bench);
    static const struct {
        enum pw_http_method method;
        const char *target;
        const char *body;
        int status;
        const char *says;
    } rows[] = {
        {PW_HTTP_GET, "/api/v1/", "", 404, "there is no /api/v1/"},
        {PW_HTTP_GET, "/api/v1/nothing", "", 404, "there is no /api/v1/nothing"},
        {PW_HTTP_POST, "/api/v1/me", "{}", 405, "use GET here"},
        {PW_HTTP_PUT, "/api/v1/stations", "{}", 405, "use GET, POST here"},
        {PW_HTTP_POST, "/api/v1/cards/X", "{}", 405, "use GET, PUT, DELETE here"},
        {PW_HTTP_OTHER, "/api/v1/me", "", 405, "use GET"},
        {PW_HTTP_POST, "/index.html", "", 405, "use GET"},
        {PW_HTTP_GET, "/api/v1/stations/B", "", 404, "there is no station \\\"B\\\""},
        {PW_HTTP_GET, "/api/v1/stations/B/log", "", 404, "station"},
        {PW_HTTP_GET, "/api/v1/stations/A/log?limit=0", "", 400,
         "limit: \\\"0\\\" is not a whole number from 1 to 500"},
        {PW_HTTP_GET, "/api/v1/stations/A/log?limit=501", "", 400, "from 1 to 500"},
        {PW_HTTP_GET, "/api/v1/stations/A/log?before=x", "", 400, "before: \\\"x\\\""},
        {PW_HTTP_GET, "/api/v1/stations/A/measurements", "", 400, "connector: is required"},
        {PW_HTTP_GET, "/api/v1/stations/A/measurements?connector=33", "", 400, "from 0 to 32"},
        {PW_HTTP_GET, "/api/v1/stations/A/measurements?connector=1&from=noon", "", 400,
         "from: \\\"noon\\\" is not a time like"},
        {PW_HTTP_GET, "/api/v1/sessions?limit=1e3", "", 400, "limit"},
        {PW_HTTP_GET, "/api/v1/sessions/0", "", 404, "session"},
        {PW_HTTP_GET, "/api/v1/sessions/1", "", 404, "session"},
        {PW_HTTP_GET, "/api/v1/sessions/x", "", 404, "session"},
        {PW_HTTP_GET, "/api/v1/commands/1", "", 404, "command"},
        {PW_HTTP_GET, "/api/v1/cards/X", "", 404, "card"},
        {PW_HTTP_DELETE, "/api/v1/cards/X", "", 404, "card"},
        {PW_HTTP_PUT, "/api/v1/cards/123456789012345678901", "{}", 400, "1 to 20 characters"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "", 400, "bad_json"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "[]", 400, "must be a JSON object"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "{\"status\":\"Fine\"}", 400,
         "status: \\\"Fine\\\" is neither Accepted nor Blocked"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "{\"status\":1}", 400, "status: must be a text"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "{\"parent\":\"123456789012345678901\"}", 400,
         "parent: may have at most 20 characters"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "{\"expires\":\"soon\"}", 400, "expires: \\\"soon\\\""},
        {PW_HTTP_POST, "/api/v1/stations", "{}", 400, "id: is required"},
        {PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"a b\"}", 400, "id was \\\"a b\\\""},
        {PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"C\",\"key\":\"short\"}", 400,
         "16 to 40 printable"},
        {PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"C\",\"replace\":1}", 400, "true or false"},
        {PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"A\"}", 409, "exists"},
        {PW_HTTP_POST, "/api/v1/stations/B/commands", "{\"action\":\"Reset\"}", 404, "station"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands", "{}", 400, "action: is required"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands", "{\"action\":\"BootNotification\"}", 400,
         "is none of CancelReservation"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands", "{\"action\":\"UpdateFirmware\"}", 400,
         "location: is required"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands",
         "{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"/srv/diagnostics\"}}", 400,
         "payload.location must be a URI"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands",
         "{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"ftp:///x\"}}", 400,
         "payload.location must be a URI"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands",
         "{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"https://x/a b\","
         "\"retrieveDate\":\"2026-05-28T20:26:40Z\"}}",
         400, "payload.location must be a URI"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands",
         "{\"action\":\"GetLog\",\"payload\":{\"logType\":\"SecurityLog\",\"requestId\":1,"
         "\"log\":{\"remoteLocation\":\"1ftp://x/\"}}}",
         400, "payload.log.remoteLocation must be a URI"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands", "{\"action\":\"Reset\",\"payload\":[]}", 400,
         "payload: must be an object"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands", "{\"action\":\"Reset\"}", 400,
         "payload: type"},
        {PW_HTTP_POST, "/api/v1/stations/A/commands",
         "{\"action\":\"Reset\",\"payload\":{\"type\":\"Hard\",\"x\":1}}", 400, "is no field here"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int status = bench_http(bench, rows[i].method, rows[i].target, rows[i].body);
        if (status != rows[i].status) {
            fail_msg("%s %s: %d, not %d: %s", rows[i].target, rows[i].body, status, rows[i].status,
                     bench->body);
        }
        assert_has(bench->body, rows[i].says);
    }
}

static void store_that_takes_nothing_is_said_so(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    bench->fail_commits = 2;
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/X", "{}"), 503);
    assert_int_equal(get(bench, "/healthz"), 503);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"A\"}"), 503);
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/X", "{}"), 200);
    assert_int_equal(get(bench, "/healthz"), 200);
}

static void cards_come_and_go(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/Abc",
                                "{\"status\":\"Blocked\",\"parent\":null,\"name\":\"<b>\\\"x\\\"\","
                                "\"expires\":\"2027-01-01T00:00:00+01:00\"}"),
                     200);
    assert_string_equal(bench->body,
                        "{\"id_tag\":\"Abc\",\"status\":\"Blocked\",\"parent\":null,\"expires\":"
                        "\"2026-12-31T23:00:00.000Z\",\"name\":\"<b>\\\"x\\\"\"}");
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/ABC", "{}"), 200);
    assert_int_equal(get(bench, "/api/v1/cards"), 200);
    assert_string_equal(bench->body, "{\"cards\":[{\"id_tag\":\"Abc\",\"status\":\"Accepted\","
                                     "\"parent\":null,\"expires\":null,\"name\":null}]}");
    // Text is text, whatever it looks like.
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/'; DROP TABLE c", "{}"), 200);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/cards/abc", ""), 204);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM card"), 1);
}

static void station_key_is_shown_once(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"A\"}"), 201);
    const char *key = strstr(bench->body, "\"key\":\"");
    assert_non_null(key);
    char text[32];
    struct pw_str rest = pw_str_of(key + 7);
    assert_int_equal(pw_str_copy(text, sizeof(text), pw_str_cut(&rest, '"')), PW_OK);
    uint64_t link = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", text, &link), 101);
    assert_int_equal(get(bench, "/api/v1/stations"), 200);
    assert_null(strstr(bench->body, text));
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations",
                                "{\"id\":\"A\",\"replace\":true,\"key\":\"sixteen-or-more-2\"}"),
                     201);
    assert_string_equal(bench->body, "{\"id\":\"A\"}");
    bench_break(bench, link);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", text, &link), 401);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", "sixteen-or-more-2", &link), 101);
}

// facts/reliability.md T38.
static void guessing_the_password_is_slowed_down(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(login(bench, "guess"), 401);
        assert_has(bench->body, "user or password is wrong");
    }
    size_t before = bench->derivations;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(login(bench, "correct horse"), 429);
        assert_int_equal(bench->reply.retry_after_s, 6);
    }
    assert_int_equal(bench->derivations, before);
    bench->address = "192.0.2.2";
    bench_pass(bench, 1000);
    assert_int_equal(login(bench, "correct horse"), 200);
    bench->address = "192.0.2.1";
    bench_pass(bench, 6000);
    assert_int_equal(login(bench, "correct horse"), 200);
    // A hundred other addresses do not push the offender out of memory.
    for (int i = 0; i < 100; i++) {
        char address[32];
        (void)snprintf(address, sizeof(address), "198.51.100.%d", i);
        bench->address = address;
        // Together they are one that guesses: it may cost so much, and no more.
        assert_int_equal(login(bench, "guess"), i < 3 ? 401 : 429);
    }
    bench->address = "192.0.2.2"; // somebody has logged in from here
    assert_int_equal(login(bench, "correct horse"), 200);
}

// facts/reliability.md T38: who guesses passwords by the thousand keeps no station waiting. Not one
// derivation is done in the loop, eight wait at most, the rest is told when to come again, and a
// station is answered all the while.
static void passwords_are_checked_beside_the_loop(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    uint64_t station = bench_station(bench, "A");
    bench_derive_later();
    size_t before = bench->derivations;
    uint64_t waits[PW_CENTRAL_DERIVE_MAX];
    char address[32];
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(address, sizeof(address), "198.51.100.%u", i % 100);
        bench->address = address;
        int status = login(bench, i == 3 ? "correct horse" : "guess");
        if (i < PW_CENTRAL_DERIVE_MAX) {
            assert_true(bench->reply.later);
            waits[i] = bench->links;
        } else {
            assert_int_equal(status, 503);
            assert_int_equal(bench->reply.retry_after_s, 1);
        }
        if (i % 100 == 0) {
            assert_has(bench_ask(bench, station, "[2,\"1\",\"Heartbeat\",{}]"), "[3,\"1\"");
        }
    }
    assert_int_equal(bench->derivations, before);
    // Served again too early it still waits; one that has gone is not answered.
    bench->again = waits[0];
    (void)login(bench, "guess");
    assert_true(bench->reply.later);
    pw_central_stream_closed(bench->central, waits[7]);
    bench->address = "198.51.100.7";
    for (unsigned i = 0; i < PW_CENTRAL_DERIVE_MAX; i++) {
        bench->streams_ready = 0;
        bench_derive(bench);
        assert_int_equal(bench->streams_ready, i == 7 ? 0 : waits[i]); // in the order they came
        if (i < 7) {
            bench->again = waits[i];
            assert_int_equal(login(bench, i == 3 ? "correct horse" : "guess"), i == 3 ? 200 : 401);
        }
    }
    // All of them are free again.
    bench->address = "192.0.2.1";
    (void)login(bench, "correct horse");
    assert_true(bench->reply.later);
}

static void unknown_user_costs_the_same_work(void **state)
{
    struct bench *bench = *state;
    size_t before = bench->derivations;
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/login",
                                "{\"user\":\"nobody\",\"password\":\"x\"}"),
                     401);
    assert_int_equal(bench->derivations - before, 1);
    static const char *const bodies[] = {"{}", "{\"user\":\"admin\"}", "{\"user\":1}", "x"};
    for (size_t i = 0; i < PW_COUNT(bodies); i++) {
        assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/login", bodies[i]), 400);
    }
}

static void login_ends_by_logout_by_time_and_by_a_new_password(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    assert_has(bench->reply.cookie, "; HttpOnly; SameSite=Strict");
    assert_int_equal(get(bench, "/api/v1/me"), 200);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/logout", ""), 204);
    assert_int_equal(get(bench, "/api/v1/me"), 401);
    bench_login(bench);
    bench_pass(bench, UINT64_C(12) * 3600 * 1000 - 1);
    assert_int_equal(get(bench, "/api/v1/me"), 200);
    bench_pass(bench, UINT64_C(12) * 3600 * 1000);
    assert_int_equal(get(bench, "/api/v1/me"), 401);
    bench_login(bench);
    char made[PW_CENTRAL_PASSWORD_MAX];
    assert_int_equal(pw_central_user_password(bench->central, PW_STR("admin"), PW_STR(""), made),
                     PW_OK);
    assert_int_equal(get(bench, "/api/v1/me"), 401);
    assert_int_equal(login(bench, made), 200);
    assert_int_equal(
        pw_central_user_password(bench->central, PW_STR("admin"), PW_STR("too short"), made),
        PW_ERR_RANGE);
}

// A page of another site can point its own name at us, or post to us: neither may work.
static void other_hosts_and_origins_are_refused(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *host;
        int status;
    } hosts[] = {
        {"127.0.0.1:8180", 200},
        {"localhost:8180", 200},
        {"LOCALHOST", 200},
        {"[::1]:8180", 200},
        {"192.168.7.8", 200},
        {"central.example", 200},
        {"evil.example", 403},
        {"central.example.evil", 403},
        {"", 403},
        {":8180", 403},
        {"127.0.0.1.evil.example", 403},
    };
    for (size_t i = 0; i < PW_COUNT(hosts); i++) {
        bench->host = hosts[i].host;
        assert_int_equal(get(bench, "/healthz"), hosts[i].status);
    }
    bench->host = "127.0.0.1:8180";
    bench_login(bench);
    static const struct {
        const char *origin;
        int status;
    } origins[] = {
        {"", 200},
        {"http://127.0.0.1:8180", 200},
        {"https://127.0.0.1:8180", 200},
        {"http://127.0.0.1:8181", 403},
        {"http://evil.example", 403},
        {"null", 403},
    };
    for (size_t i = 0; i < PW_COUNT(origins); i++) {
        bench->origin = origins[i].origin;
        assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/X", "{}"),
                         origins[i].status);
    }
}

static void files_have_tags_and_pages_have_a_policy(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(get(bench, "/"), 200);
    assert_has(bench->body, "built without its web pages");
    bench->config.asset = assets;
    bench->config.asset_count = PW_COUNT(assets);
    bench_restart(bench);
    assert_int_equal(get(bench, "/"), 200);
    assert_true(bench->reply.page && bench->reply.gzip && !bench->reply.immutable);
    assert_string_equal(bench->reply.etag, "\"e1\"");
    assert_int_equal(get(bench, "/stations/A"), 200); // a page of the dashboard
    assert_true(bench->reply.page);
    assert_int_equal(get(bench, "/assets/app-1.js"), 200);
    assert_true(bench->reply.immutable && !bench->reply.page);
    assert_int_equal(get(bench, "/assets/app-2.js"), 404);
    assert_int_equal(get(bench, "/../etc/passwd.txt"), 404);
    struct pw_http_request request = {
        .path = PW_STR("/index.html"), .host = PW_STR("localhost"), .etag = PW_STR("\"e1\"")};
    pw_central_http(bench->central, &request, &bench->reply, bench->at);
    assert_int_equal(bench->reply.status, 304);
    assert_int_equal(bench->reply.body.len, 0);
}

static const char *take(struct bench *bench, uint64_t stream)
{
    static char text[PW_CENTRAL_STREAM_BYTES];
    int len = pw_central_stream_take(bench->central, stream, text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void streams_carry_changes_and_are_filtered(void **state)
{
    struct bench *bench = *state;
    uint64_t a = bench_station(bench, "A");
    uint64_t b = bench_station(bench, "B");
    bench_login(bench);
    static const char *const targets[] = {"/api/v1/events", "/api/v1/events?ocpp=A",
                                          "/api/v1/events?ocpp=-"};
    uint64_t streams[PW_COUNT(targets)];
    for (size_t i = 0; i < PW_COUNT(targets); i++) {
        assert_int_equal(get(bench, targets[i]), 200);
        assert_true(bench->reply.stream);
        streams[i] = bench->links;
    }
    (void)bench_ask(bench, a,
                    "[2,\"1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":"
                    "\"NoError\",\"status\":\"Available\"}]");
    (void)bench_ask(bench, b, "[2,\"1\",\"Heartbeat\",{}]");
    const char *all = take(bench, streams[0]);
    assert_has(all, "event: station\ndata: {\"id\":\"A\"");
    assert_has(all, "event: ocpp\ndata: {\"station_id\":\"A\"");
    assert_has(all, "event: ocpp\ndata: {\"station_id\":\"B\"");
    const char *one = take(bench, streams[1]);
    assert_has(one, "event: ocpp\ndata: {\"station_id\":\"A\"");
    assert_null(strstr(one, "\"station_id\":\"B\""));
    const char *none = take(bench, streams[2]);
    assert_has(none, "event: station");
    assert_null(strstr(none, "event: ocpp"));
    // Silence is broken every 20 s, so that both ends notice a dead one.
    bench->answering = a;
    bench_pass(bench, 20000);
    assert_has(take(bench, streams[2]), ":\n\n");
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/logout", ""), 204);
    char text[16];
    assert_int_equal(pw_central_stream_take(bench->central, streams[0], text, sizeof(text)),
                     PW_ERR_LIMIT);
    pw_central_stream_closed(bench->central, streams[0]);
    assert_int_equal(pw_central_stream_take(bench->central, streams[0], text, sizeof(text)),
                     PW_ERR_UNKNOWN);
}

// facts/reliability.md T42, on the browser's side: memory is bounded, others do not notice.
static void slow_stream_is_cut_off_and_others_are_not(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    assert_int_equal(get(bench, "/api/v1/events"), 200);
    uint64_t slow = bench->links;
    assert_int_equal(get(bench, "/api/v1/events"), 200);
    uint64_t quick = bench->links;
    for (int i = 0; i < 2000; i++) {
        bench_text(bench, link, "[2,\"1\",\"Heartbeat\",{}]");
        (void)take(bench, quick);
    }
    char text[16];
    assert_int_equal(pw_central_stream_take(bench->central, slow, text, sizeof(text)),
                     PW_ERR_LIMIT);
    bench_text(bench, link, "[2,\"1\",\"Heartbeat\",{}]");
    assert_has(take(bench, quick), "event: ocpp");
}

static void streams_are_counted(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    for (int i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        assert_int_equal(get(bench, "/api/v1/events"), 200);
    }
    uint64_t last = bench->links;
    assert_int_equal(get(bench, "/api/v1/events"), 429);
    pw_central_stream_closed(bench->central, last);
    assert_int_equal(get(bench, "/api/v1/events"), 200);
}

static void lists_are_complete_and_paged(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    for (int i = 0; i < 3; i++) {
        char text[256];
        (void)snprintf(text, sizeof(text),
                       "[2,\"1\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"X\","
                       "\"meterStart\":%d,\"timestamp\":\"2026-05-28T20:26:00Z\"}]",
                       i);
        assert_has(bench_ask(bench, link, text), "Invalid");
    }
    assert_int_equal(get(bench, "/api/v1/sessions?limit=2"), 200);
    assert_has(bench->body, "{\"sessions\":[{\"id\":3,");
    assert_null(strstr(bench->body, "{\"id\":1,"));
    assert_int_equal(get(bench, "/api/v1/sessions?before=2&station=A&connector=1"), 200);
    assert_has(bench->body,
               "{\"sessions\":[{\"id\":1,\"station_id\":\"A\",\"connector_id\":1,"
               "\"transaction_id\":1,\"id_tag\":\"X\",\"start_at\":"
               "\"2026-05-28T20:26:00.000Z\",\"stop_at\":null,\"stop_reason\":null,"
               "\"meter_start_wh\":0,\"meter_stop_wh\":null,\"energy_wh\":null,"
               "\"duration_s\":40,\"billable_wh\":null,\"soc_start\":null,\"soc_end\":null,"
               "\"vehicle_model\":null,\"suspect\":\"superseded\"}]}");
    assert_int_equal(get(bench, "/api/v1/sessions?station=B"), 200);
    assert_string_equal(bench->body, "{\"sessions\":[]}");
    assert_int_equal(get(bench, "/api/v1/stations/A/log?limit=1&before=3"), 200);
    assert_has(bench->body, "{\"entries\":[{\"seq\":2,");
    assert_int_equal(get(bench, "/api/v1/metrics"), 200);
    assert_has(bench->body, "pilotwire_sessions_started_total 3\n");
    assert_has(bench->body, "pilotwire_stations_online 1\n");
    assert_int_equal(get(bench, "/api/v1/openapi.yaml"), 200);
    assert_has(bench->body, "openapi:");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_but_login_and_health_needs_a_login),
        TEST(wrong_requests_are_told_what_is_wrong),
        TEST(store_that_takes_nothing_is_said_so),
        TEST(cards_come_and_go),
        TEST(station_key_is_shown_once),
        TEST(guessing_the_password_is_slowed_down),
        TEST(passwords_are_checked_beside_the_loop),
        TEST(unknown_user_costs_the_same_work),
        TEST(login_ends_by_logout_by_time_and_by_a_new_password),
        TEST(other_hosts_and_origins_are_refused),
        TEST(files_have_tags_and_pages_have_a_policy),
        TEST(streams_carry_changes_and_are_filtered),
        TEST(slow_stream_is_cut_off_and_others_are_not),
        TEST(streams_are_counted),
        TEST(lists_are_complete_and_paged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
