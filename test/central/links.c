// Who gets in, who stays, and how a silent link is noticed.
#include "bench.h"

#define HEARTBEAT "[2,\"1\",\"Heartbeat\",{}]"
#define KEY       "sixteen-or-more-1"

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

static const char *doctor(struct bench *bench)
{
    bench_login(bench);
    (void)bench_http(bench, PW_HTTP_GET, "/api/v1/refused", "");
    return bench->body;
}

// facts/reliability.md T37: whoever is refused learns nothing, and the work is the same.
static void every_refusal_of_credentials_looks_and_costs_the_same(void **state)
{
    struct bench *bench = *state;
    bench_break(bench, bench_station(bench, "A"));
    static const struct {
        const char *path, *user, *password, *reason;
    } rows[] = {
        {"/ocpp/A", "A", "wrong", "wrong key"},
        {"/ocpp/A", NULL, NULL, "no credentials"},
        {"/ocpp/A", "B", KEY, "user name is not the station's id"},
        {"/ocpp/B", "B", KEY, "unknown station, or one without a key"},
        {"/ocpp/", "", KEY, "unknown station, or one without a key"},
        {"/ocpp/A/../A", "A", KEY, "unknown station, or one without a key"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        uint64_t link = 0;
        size_t before = bench->derivations;
        assert_int_equal(
            bench_handshake(bench, rows[i].path, rows[i].user, rows[i].password, &link), 401);
        assert_int_equal(bench->derivations - before, 2);
        assert_has(doctor(bench), rows[i].reason);
    }
    uint64_t link = 0;
    assert_int_equal(bench_handshake(bench, "/chat", "A", KEY, &link), 404);
}

static void bad_credentials_of_every_shape_are_refused(void **state)
{
    struct bench *bench = *state;
    bench_break(bench, bench_station(bench, "A"));
    static const char *const headers[] = {"Basic",
                                          "Basic ",
                                          "Basic !!!!",
                                          "Basic QQ==",
                                          "Bearer QTpzaXh0ZWVuLW9yLW1vcmUtMQ==",
                                          "basic",
                                          "Basic QTpzaXh0ZWVuLW9yLW1vcmUtMQ==x"};
    for (size_t i = 0; i < PW_COUNT(headers); i++) {
        struct pw_central_handshake handshake = {.path = PW_STR("/ocpp/A"),
                                                 .authorization = pw_str_of(headers[i]),
                                                 .protocols = PW_STR("ocpp1.6"),
                                                 .address = PW_STR("192.0.2.9")};
        assert_int_equal(
            pw_central_handshake(bench->central, 900 + i, &handshake, bench->at).status, 401);
    }
}

static void other_subprotocols_are_told_apart(void **state)
{
    struct bench *bench = *state;
    bench_break(bench, bench_station(bench, "A"));
    static const struct {
        const char *protocols;
        int status;
    } rows[] = {{"ocpp1.6", 101},   {"ocpp2.0.1 , ocpp1.6", 101},
                {"ocpp2.0.1", 400}, {"", 400},
                {"ocpp1.6x", 400},  {"OCPP1.6", 400}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_central_handshake handshake = {.path = PW_STR("/ocpp/A"),
                                                 // A:sixteen-or-more-1
                                                 .authorization =
                                                     PW_STR("Basic QTpzaXh0ZWVuLW9yLW1vcmUtMQ=="),
                                                 .protocols = pw_str_of(rows[i].protocols),
                                                 .address = PW_STR("192.0.2.9")};
        assert_int_equal(
            pw_central_handshake(bench->central, 900 + i, &handshake, bench->at).status,
            rows[i].status);
        bench_break(bench, 900 + i);
    }
}

// facts/reliability.md T38: no work is done for an address that has guessed ten times.
static void guessing_is_slowed_down_and_others_are_not(void **state)
{
    struct bench *bench = *state;
    bench_break(bench, bench_station(bench, "A"));
    uint64_t link = 0;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", "guess", &link), 401);
    }
    size_t before = bench->derivations;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", "guess", &link), 429);
    }
    assert_int_equal(bench->derivations, before);
    bench->address = "192.0.2.2";
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &link), 101);
    bench_break(bench, link);
    bench->address = "192.0.2.1";
    bench_pass(bench, 5999);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &link), 429);
    bench_pass(bench, 1);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &link), 101);
}

static void unknown_stations_are_let_in_only_when_told(void **state)
{
    struct bench *bench = *state;
    uint64_t link = 0;
    bench_break(bench, bench_station(bench, "A"));
    bench->config.accept_unknown_stations = true;
    bench_restart(bench);
    assert_int_equal(bench_handshake(bench, "/ocpp/NEW", NULL, NULL, &link), 101);
    assert_has(bench_ask(bench, link, HEARTBEAT), "[3,\"1\"");
    // A station with a key still has to show it; an id that is none stays out.
    assert_int_equal(bench_handshake(bench, "/ocpp/A", NULL, NULL, &link), 401);
    assert_int_equal(bench_handshake(bench, "/ocpp/a b", NULL, NULL, &link), 401);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM station WHERE id = 'NEW'"), 1);
}

// facts/reliability.md B8: a peer whose cable was cut is noticed within 60 s.
static void silent_link_is_given_up_after_sixty_seconds(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_pass(bench, 59999);
    assert_int_equal(bench->closed, 0);
    assert_int_equal(bench->pings, 2);
    bench_pass(bench, 1);
    assert_int_equal(bench->closed, link);
    assert_int_equal(bench->close_code, 1001);
}

static void link_that_answers_pings_stays(void **state)
{
    struct bench *bench = *state;
    bench->answering = bench_station(bench, "A");
    bench_pass(bench, 3600000);
    assert_int_equal(bench->closed, 0);
    assert_int_equal(bench->pings, 180);
}

// T36 (a): right key, the old peer is dead. What the new one says meanwhile is answered then.
static void newcomer_replaces_a_dead_link_after_ten_seconds(void **state)
{
    struct bench *bench = *state;
    uint64_t old = bench_station(bench, "A");
    uint64_t new = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &new), 101);
    assert_int_equal(bench->pinged, old);
    assert_int_equal(bench->paused, new);
    assert_string_equal(bench_ask(bench, new, HEARTBEAT), "");
    bench_pass(bench, 9980);
    assert_int_equal(bench->closed, 0);
    bench_pass(bench, 20);
    assert_int_equal(bench->closed, old);
    assert_has(bench_last(bench, new), "[3,\"1\",{\"currentTime\"");
    assert_int_equal(bench->paused, 0);
    // The old link's late words reach nobody.
    assert_string_equal(bench_ask(bench, old, HEARTBEAT), "");
    bench_break(bench, old);
    assert_has(bench_ask(bench, new, HEARTBEAT), "[3,");
}

static void newcomer_replaces_a_broken_link_at_once(void **state)
{
    struct bench *bench = *state;
    uint64_t old = bench_station(bench, "A");
    uint64_t new = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &new), 101);
    bench_text(bench, new, HEARTBEAT);
    bench_break(bench, old);
    assert_has(bench_last(bench, new), "[3,\"1\"");
}

// T36 (b): right key, the old peer is alive, by pong or by what it says.
static void newcomer_is_refused_while_the_first_lives(void **state)
{
    struct bench *bench = *state;
    for (int by_text = 0; by_text < 2; by_text++) {
        uint64_t old = bench_station(bench, by_text != 0 ? "A" : "B");
        uint64_t new = 0;
        assert_int_equal(bench_handshake(bench, by_text != 0 ? "/ocpp/A" : "/ocpp/B",
                                         by_text != 0 ? "A" : "B", KEY, &new),
                         101);
        bench_pass(bench, 500);
        if (by_text != 0) {
            assert_has(bench_ask(bench, old, HEARTBEAT), "[3,");
        } else {
            pw_central_pong(bench->central, old, bench->at);
        }
        assert_int_equal(bench->closed, new);
        assert_int_equal(bench->close_code, 1008);
        bench_break(bench, new);
        assert_has(bench_ask(bench, old, HEARTBEAT), "[3,");
    }
    assert_has(doctor(bench), "duplicate identity");
    (void)bench_http(bench, PW_HTTP_GET, "/api/v1/stations/A", "");
    assert_has(bench->body, "\"duplicate_at\":\"2026-");
}

// T36 (c): wrong key: the first link does not even notice.
static void wrong_key_leaves_the_first_link_alone(void **state)
{
    struct bench *bench = *state;
    (void)bench_station(bench, "A");
    uint64_t new = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", "wrong", &new), 401);
    assert_int_equal(bench->pings, 0);
    assert_int_equal(bench->closed, 0);
}

static void third_socket_is_refused_while_two_are_judged(void **state)
{
    struct bench *bench = *state;
    (void)bench_station(bench, "A");
    uint64_t new = 0;
    uint64_t third = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &new), 101);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &third), 409);
    // A newcomer that goes away leaves things as they were.
    bench_break(bench, new);
    bench_pass(bench, 15000);
    assert_int_equal(bench->closed, 0);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &third), 101);
}

// It may say one thing while it waits; a flood is no OCPP, and is not kept.
static void newcomer_that_floods_is_dropped(void **state)
{
    struct bench *bench = *state;
    uint64_t old = bench_station(bench, "A");
    uint64_t new = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &new), 101);
    bench_text(bench, new, HEARTBEAT);
    assert_int_equal(bench->closed, 0);
    bench_text(bench, new, HEARTBEAT);
    assert_int_equal(bench->closed, new);
    bench_break(bench, new);
    assert_has(bench_ask(bench, old, HEARTBEAT), "[3,");
}

// T36: each pending command ends exactly once, whichever socket goes.
static void command_of_a_replaced_link_ends_offline(void **state)
{
    struct bench *bench = *state;
    (void)bench_station(bench, "A");
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations/A/commands",
                                "{\"action\":\"ClearCache\"}"),
                     202);
    uint64_t new = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &new), 101);
    bench_pass(bench, 10000);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/commands/1", ""), 200);
    assert_has(bench->body, "\"state\":\"offline\"");
    assert_string_equal(bench_last(bench, new), "");
}

// T42: a peer that does not read is cut off; its commands end; others do not notice.
static void slow_reader_is_cut_off(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench->full = true;
    bench_text(bench, link, HEARTBEAT);
    bench_pass(bench, 1);
    assert_int_equal(bench->closed, link);
    assert_int_equal(bench->close_code, 1008);
    bench->full = false;
    uint64_t other = bench_station(bench, "B");
    assert_has(bench_ask(bench, other, HEARTBEAT), "[3,");
}

static void removed_key_closes_the_link(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/stations/A", ""), 204);
    assert_int_equal(bench->closed, link);
    bench_break(bench, link);
    uint64_t again = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", KEY, &again), 401);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/stations/A", ""), 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_refusal_of_credentials_looks_and_costs_the_same),
        TEST(bad_credentials_of_every_shape_are_refused),
        TEST(other_subprotocols_are_told_apart),
        TEST(guessing_is_slowed_down_and_others_are_not),
        TEST(unknown_stations_are_let_in_only_when_told),
        TEST(silent_link_is_given_up_after_sixty_seconds),
        TEST(link_that_answers_pings_stays),
        TEST(newcomer_replaces_a_dead_link_after_ten_seconds),
        TEST(newcomer_replaces_a_broken_link_at_once),
        TEST(newcomer_is_refused_while_the_first_lives),
        TEST(wrong_key_leaves_the_first_link_alone),
        TEST(third_socket_is_refused_while_two_are_judged),
        TEST(newcomer_that_floods_is_dropped),
        TEST(command_of_a_replaced_link_ends_offline),
        TEST(slow_reader_is_cut_off),
        TEST(removed_key_closes_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
