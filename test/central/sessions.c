// Charging sessions as stations really report them: repeated, late, twice, wrong, never.
#include "bench.h"

#define T0 "2026-05-28T20:26:00Z"
#define START(id, tag, meter, time)                                                                \
    "[2,\"" id "\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"" tag                       \
    "\",\"meterStart\":" meter ",\"timestamp\":\"" time "\"}]"
#define STOP(id, transaction, meter, time)                                                         \
    "[2,\"" id "\",\"StopTransaction\",{\"transactionId\":" transaction ",\"meterStop\":" meter    \
    ",\"timestamp\":\"" time "\"}]"
#define OK1(id) "[3,\"" id "\",{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":1}]"

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    assert_int_equal(pw_central_card_add(bench.central, PW_STR("CARD"), PW_STR("")), PW_OK);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    return 0;
}

// facts/central.md §3 no. 1: other servers answer the repeat with ConcurrentTx, and stations then
// stop a charge that was paid for.
static void repeated_start_is_the_same_session_and_still_accepted(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    assert_string_equal(bench_ask(bench, link, START("1", "CARD", "100", T0)), OK1("1"));
    assert_string_equal(bench_ask(bench, link, START("2", "CARD", "100", T0)), OK1("2"));
    bench_break(bench, link);
    bench_restart(bench);
    link = bench_station(bench, "A");
    assert_string_equal(bench_ask(bench, link, START("3", "card", "100", T0)), OK1("3"));
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM session"), 1);
}

// The answer is a promise: it must not leave before the record survives a power cut.
static void start_is_answered_when_durable_and_within_ten_ms(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_pass(bench, 100);
    bench_text(bench, link, START("1", "CARD", "100", T0));
    assert_string_equal(bench_last(bench, link), "");
    bench_pass(bench, PW_CENTRAL_COMMIT_MS - 1);
    assert_string_equal(bench_last(bench, link), "");
    bench_pass(bench, 1);
    assert_string_equal(bench_last(bench, link), OK1("1"));
}

static void failed_commit_is_an_internal_error_and_the_repeat_is_clean(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_pass(bench, 100);
    bench->fail_commits = 1;
    assert_has(bench_ask(bench, link, START("1", "CARD", "100", T0)), "[4,\"1\",\"InternalError\"");
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM session"), 0);
    bench_login(bench);
    assert_has(bench_ask(bench, link, START("2", "CARD", "100", T0)), "\"status\":\"Accepted\"");
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM session"), 1);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/healthz", ""), 200);
}

static void card_that_charges_elsewhere_is_concurrent(void **state)
{
    struct bench *bench = *state;
    uint64_t a = bench_station(bench, "A");
    uint64_t b = bench_station(bench, "B");
    (void)bench_ask(bench, a, START("1", "CARD", "100", T0));
    assert_has(bench_ask(bench, b, START("1", "CARD", "5", T0)), "\"ConcurrentTx\"");
    // … and its repeat hears the same, not Accepted.
    assert_has(bench_ask(bench, b, START("2", "CARD", "5", T0)), "\"ConcurrentTx\"");
    (void)bench_ask(bench, b, STOP("3", "2", "5", T0));
    (void)bench_ask(bench, a, STOP("4", "1", "200", T0));
    assert_has(bench_ask(bench, b, START("5", "CARD", "6", T0)), "\"Accepted\"");
}

// A connector that is free although no stop came must not lock the card out for ever.
static void lost_stop_does_not_lock_the_card_out(void **state)
{
    struct bench *bench = *state;
    uint64_t a = bench_station(bench, "A");
    uint64_t b = bench_station(bench, "B");
    (void)bench_ask(bench, a, START("1", "CARD", "100", T0));
    (void)bench_ask(bench, a,
                    "[2,\"2\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\","
                    "\"status\":\"Available\"}]");
    assert_has(bench_ask(bench, b, START("1", "CARD", "5", T0)), "\"Accepted\"");
    assert_int_equal(bench_count(bench, "SELECT suspect = 'no_stop' FROM session WHERE id = 1"), 1);
    // The stop comes after all: nothing is doubtful any more.
    assert_string_equal(bench_ask(bench, a, STOP("3", "1", "150", "2026-05-28T20:27:00Z")),
                        "[3,\"3\",{}]");
    assert_int_equal(
        bench_count(bench, "SELECT meter_stop = 150 AND suspect IS NULL FROM session WHERE id = 1"),
        1);
}

static void second_start_on_a_connector_supersedes_the_first(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    (void)bench_ask(bench, link, START("1", "CARD", "100", T0));
    assert_has(bench_ask(bench, link, START("2", "CARD", "150", "2026-05-28T20:26:30Z")),
               "\"Accepted\"},\"transactionId\":2");
    assert_int_equal(bench_count(bench, "SELECT suspect = 'superseded' FROM session WHERE id = 1"),
                     1);
}

static void cards_are_judged(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    static const struct {
        const char *put;
        const char *answer;
    } rows[] = {
        {"{}", "{\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"{\"status\":\"Blocked\"}", "{\"idTagInfo\":{\"status\":\"Blocked\"}}"},
        {"{\"parent\":\"FAMILY\"}",
         "{\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"Accepted\"}}"},
        {"{\"expires\":\"2026-05-28T20:26:40Z\"}",
         "{\"idTagInfo\":{\"expiryDate\":\"2026-05-28T20:26:40.000Z\",\"status\":\"Expired\"}}"},
        {"{\"expires\":\"2026-05-29T00:00:00Z\"}",
         "{\"idTagInfo\":{\"expiryDate\":\"2026-05-29T00:00:00.000Z\",\"status\":\"Accepted\"}}"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/CARD", rows[i].put), 200);
        assert_has(bench_ask(bench, link, "[2,\"1\",\"Authorize\",{\"idTag\":\"card\"}]"),
                   rows[i].answer);
    }
    assert_has(bench_ask(bench, link, "[2,\"1\",\"Authorize\",{\"idTag\":\"who\"}]"), "Invalid");
}

// facts/central.md §3 no. 3: without an answer the station repeats its stop for ever.
static void stop_of_no_transaction_is_answered_and_kept(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    static const char *const ids[] = {"-1", "0", "99"};
    for (size_t i = 0; i < PW_COUNT(ids); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), STOP("1", "%s", "7", T0), ids[i]);
        assert_string_equal(bench_ask(bench, link, text), "[3,\"1\",{}]");
        // The repeat is the same record.
        assert_string_equal(bench_ask(bench, link, text), "[3,\"1\",{}]");
    }
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM orphan"), 3);
}

// facts/reliability.md T39: transaction ids can be guessed.
static void station_cannot_stop_anothers_transaction(void **state)
{
    struct bench *bench = *state;
    uint64_t a = bench_station(bench, "A");
    uint64_t b = bench_station(bench, "B");
    (void)bench_ask(bench, a, START("1", "CARD", "100", T0));
    assert_string_equal(bench_ask(bench, b, STOP("1", "1", "100", T0)), "[3,\"1\",{}]");
    (void)bench_ask(bench, b,
                    "[2,\"2\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":1,"
                    "\"meterValue\":[{\"timestamp\":\"" T0
                    "\",\"sampledValue\":[{\"value\":\"999999\"}]}]}]");
    assert_int_equal(bench_count(bench, "SELECT stop_at IS NULL AND last_energy IS NULL"
                                        " FROM session WHERE id = 1"),
                     1);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM orphan WHERE station_id = 'B'"), 2);
}

static void repeated_stop_changes_nothing_and_other_figures_are_kept_aside(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    (void)bench_ask(bench, link, START("1", "CARD", "100", T0));
    for (int i = 0; i < 2; i++) {
        assert_string_equal(bench_ask(bench, link, STOP("2", "1", "600", "2026-05-28T20:26:30Z")),
                            "[3,\"2\",{}]");
    }
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM orphan"), 0);
    (void)bench_ask(bench, link, STOP("3", "1", "700", "2026-05-28T20:26:30Z"));
    assert_int_equal(bench_count(bench, "SELECT meter_stop FROM session"), 600);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM orphan"), 1);
}

// facts/reliability.md T43: nothing is lost, doubtful figures say so.
static void doubtful_figures_are_flagged(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    static const struct {
        const char *start;
        const char *stop_meter;
        const char *stop;
        const char *suspect;
    } rows[] = {
        {"2026-05-28T20:00:00Z", "100", "2026-05-28T20:10:00Z", ""},
        {"2026-05-28T20:01:00Z", "99", "2026-05-28T20:10:00Z", "meter_went_back"},
        {"2026-05-28T20:02:00Z", "-1", "2026-05-28T20:10:00Z", "meter_went_back"},
        {"2026-05-28T20:03:00Z", "200", "2026-05-28T20:02:59Z", "time_went_back"},
        {"2026-05-28T20:04:00Z", "2147483647", "2026-05-28T20:10:00Z", "implausible_energy"},
        {"2016-05-28T20:05:00Z", "200", "2026-05-28T20:10:00Z", "clock"},
        {"2036-05-28T20:06:00Z", "200", "2036-05-28T20:10:00Z", "clock"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), START("1", "CARD", "100", "%s"), rows[i].start);
        assert_has(bench_ask(bench, link, text), "transactionId");
        (void)snprintf(text, sizeof(text), STOP("2", "%zu", "%s", "%s"), i + 1, rows[i].stop_meter,
                       rows[i].stop);
        assert_string_equal(bench_ask(bench, link, text), "[3,\"2\",{}]");
        (void)snprintf(text, sizeof(text),
                       "SELECT COALESCE(suspect, '') = '%s' FROM session WHERE id = %zu",
                       rows[i].suspect, i + 1);
        if (bench_count(bench, text) != 1) {
            fail_msg("row %zu is not '%s'", i, rows[i].suspect);
        }
    }
}

static void every_commit_that_can_fail_loses_and_doubles_nothing(void **state)
{
    struct bench *bench = *state;
    // One start, three readings, one stop; each of the first n commits fails; the station repeats
    // what was refused until it is answered. However many fail, one session comes out.
    for (int failures = 0; failures < 6; failures++) {
        char id[8];
        char text[256];
        (void)snprintf(id, sizeof(id), "S%d", failures);
        uint64_t link = bench_station(bench, id);
        bench_pass(bench, 100);
        bench->fail_commits = failures;
        const char *answer = "";
        for (int i = 0; i < 8 && strncmp(answer, "[3", 2) != 0; i++) {
            (void)snprintf(text, sizeof(text), START("1", "CARD", "%d", T0), failures);
            answer = bench_ask(bench, link, text);
        }
        const char *number = strstr(answer, "transactionId\":");
        assert_non_null(number);
        int transaction = atoi(number + 15);
        bench->fail_commits = failures;
        answer = "";
        for (int i = 0; i < 8 && strncmp(answer, "[3", 2) != 0; i++) {
            (void)snprintf(text, sizeof(text), STOP("2", "%d", "500", "2026-05-28T20:26:30Z"),
                           transaction);
            answer = bench_ask(bench, link, text);
        }
        assert_string_equal(answer, "[3,\"2\",{}]");
        (void)snprintf(text, sizeof(text),
                       "SELECT COUNT(*) = 1 AND SUM(meter_stop) = 500 FROM session"
                       " WHERE station_id = '%s'",
                       id);
        assert_int_equal(bench_count(bench, text), 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(repeated_start_is_the_same_session_and_still_accepted),
        TEST(start_is_answered_when_durable_and_within_ten_ms),
        TEST(failed_commit_is_an_internal_error_and_the_repeat_is_clean),
        TEST(card_that_charges_elsewhere_is_concurrent),
        TEST(lost_stop_does_not_lock_the_card_out),
        TEST(second_start_on_a_connector_supersedes_the_first),
        TEST(cards_are_judged),
        TEST(stop_of_no_transaction_is_answered_and_kept),
        TEST(station_cannot_stop_anothers_transaction),
        TEST(repeated_stop_changes_nothing_and_other_figures_are_kept_aside),
        TEST(doubtful_figures_are_flagged),
        TEST(every_commit_that_can_fail_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
