// Messages: what is asked, in any order and of any quality, and what we ask of stations.
#include "bench.h"

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

static void every_core_call_is_answered(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    static const struct {
        const char *ask;
        const char *answer;
    } rows[] = {
        {"[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}]",
         "[3,\"1\",{\"status\":\"Accepted\",\"currentTime\":\"2026-05-28T20:26:40"},
        {"[2,\"2\",\"Heartbeat\",{}]", "[3,\"2\",{\"currentTime\":\""},
        {"[2,\"2b\",\"Heartbeat\",null]", "[3,\"2b\",{\"currentTime\":\""},
        {"[2,\"3\",\"StatusNotification\",{\"connectorId\":0,\"errorCode\":\"NoError\","
         "\"status\":\"Available\"}]",
         "[3,\"3\",{}]"},
        {"[2,\"4\",\"FirmwareStatusNotification\",{\"status\":\"Downloading\"}]", "[3,\"4\",{}]"},
        {"[2,\"5\",\"DiagnosticsStatusNotification\",{\"status\":\"Idle\"}]", "[3,\"5\",{}]"},
        {"[2,\"6\",\"DataTransfer\",{\"vendorId\":\"x\"}]",
         "[3,\"6\",{\"status\":\"UnknownVendorId\"}]"},
        {"[2,\"7\",\"DataTransfer\",{\"vendorId\":\"org.pilotwire\",\"messageId\":\"x\"}]",
         "[3,\"7\",{\"status\":\"UnknownVendorId\"}]"},
        {"[2,\"8\",\"DataTransfer\",{\"vendorId\":\"RivotMotors\",\"messageId\":\"VehicleInfo\","
         "\"data\":\"{\\\"soc\\\":55.5,\\\"maxCurrent\\\":60}\"}]",
         "[3,\"8\",{\"status\":\"Accepted\"}]"},
        {"[2,\"9\",\"DataTransfer\",{\"vendorId\":\"RivotMotors\",\"messageId\":\"VehicleInfo\","
         "\"data\":\"55.5\"}]",
         "[3,\"9\",{\"status\":\"Rejected\"}]"},
        {"[2,\"10\",\"MeterValues\",{\"connectorId\":0,\"meterValue\":[{\"timestamp\":"
         "\"2026-05-28T20:26:00Z\",\"sampledValue\":[{\"value\":\"1\"}]}]}]",
         "[3,\"10\",{}]"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_has(bench_ask(bench, link, rows[i].ask), rows[i].answer);
    }
    assert_int_equal(bench_count(bench, "SELECT firmware_status = 'Downloading' FROM station"), 1);
}

// OCPP-J 1.6 §4.2.3: the right code for each kind of wrong.
static void bad_calls_get_the_right_error(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    static const struct {
        const char *ask;
        const char *answer; // "" = none
    } rows[] = {
        {"[2,\"1\",\"Nonsense\",{}]", "[4,\"1\",\"NotImplemented\""},
        {"[2,\"2\",\"Reset\",{\"type\":\"Hard\"}]", "[4,\"2\",\"NotSupported\""},
        {"[2,\"3\",\"Authorize\",{}]", "[4,\"3\",\"OccurenceConstraintViolation\""},
        {"[2,\"4\",\"Authorize\",{\"idTag\":5}]", "[4,\"4\",\"TypeConstraintViolation\""},
        {"[2,\"5\",\"Authorize\",{\"idTag\":\"123456789012345678901\"}]",
         "[4,\"5\",\"PropertyConstraintViolation\""},
        {"[2,\"6\",\"StatusNotification\",{\"connectorId\":33,\"errorCode\":\"NoError\","
         "\"status\":\"Available\"}]",
         "[4,\"6\",\"PropertyConstraintViolation\",\"connectorId"},
        {"[2,\"7\",\"StartTransaction\",{\"connectorId\":0,\"idTag\":\"x\",\"meterStart\":0,"
         "\"timestamp\":\"2026-05-28T20:26:00Z\"}]",
         "[4,\"7\",\"PropertyConstraintViolation\""},
        {"[2,\"8\",\"Heartbeat\",[]]", "[4,\"8\",\""},
        {"[2,\"9\"]", "[4,\"9\",\""},
        {"", ""},
        {"{", ""},
        {"[]", ""},
        {"[9,\"1\",{}]", ""},
        {"[2]", ""},
        {"null", ""},
        {"[3,\"unknown\",{}]", ""},
        {"[4,\"unknown\",\"GenericError\",\"\",{}]", ""},
        {"[2,\"10\",\"Heartbeat\",{\"\\ud800\":1}]", "[4,\"10\",\"FormationViolation\""},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const char *answer = bench_ask(bench, link, rows[i].ask);
        if (rows[i].answer[0] == '\0') {
            assert_string_equal(answer, "");
        } else {
            assert_has(answer, rows[i].answer);
        }
    }
    // None of it ends the link: the log and a counter tell the vendor.
    assert_has(bench_ask(bench, link, "[2,\"z\",\"Heartbeat\",{}]"), "[3,\"z\"");
    bench_login(bench);
    (void)bench_http(bench, PW_HTTP_GET, "/api/v1/stations/A", "");
    assert_null(strstr(bench->body, "\"violations\":0"));
}

// As large as a message may be, full of quotes that need escapes in the log and in events.
static void largest_messages_pass(void **state)
{
    struct bench *bench = *state;
    static char text[PW_CENTRAL_MESSAGE_MAX + 1];
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/events", ""), 200);
    static const char head[] = "[2,\"1\",\"DataTransfer\",{\"vendorId\":\"v\",\"data\":\"";
    static const char tail[] = "\"}]";
    memcpy(text, head, sizeof(head) - 1);
    size_t end = PW_CENTRAL_MESSAGE_MAX - sizeof(tail) + 1;
    for (size_t i = sizeof(head) - 1; i < end; i++) {
        text[i] = (i - sizeof(head)) % 2 == 1 ? '\\' : '"';
    }
    text[end - 1] = text[end - 1] == '\\' ? 'x' : text[end - 1];
    memcpy(text + end, tail, sizeof(tail));
    assert_has(bench_ask(bench, link, text), "[3,\"1\",{\"status\":\"UnknownVendorId\"}]");
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/stations/A/log", ""), 200);
    assert_int_equal(
        bench_count(bench, "SELECT length(payload) > 65000 FROM traffic ORDER BY seq LIMIT 1"), 1);
    // Deepest nesting and most nodes.
    memset(text, '[', PW_CENTRAL_MESSAGE_MAX);
    text[PW_CENTRAL_MESSAGE_MAX] = '\0';
    assert_string_equal(bench_ask(bench, link, text), "");
}

static void post(struct bench *bench, const char *command)
{
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations/A/commands", command), 202);
}

static const char *state_of(struct bench *bench, int id)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/api/v1/commands/%d", id);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, path, ""), 200);
    return bench->body;
}

static void answer(struct bench *bench, uint64_t link, const char *kind, const char *rest)
{
    char id[40];
    char text[256];
    struct pw_str call = pw_str_of(bench_last(bench, link));
    (void)pw_str_cut(&call, '"');
    assert_int_equal(pw_str_copy(id, sizeof(id), pw_str_cut(&call, '"')), PW_OK);
    (void)snprintf(text, sizeof(text), "[%s,\"%s\",%s]", kind, id, rest);
    bench_text(bench, link, text);
}

// OCPP-J 1.6 §4.1.1: one call of ours at a time, while the station's own calls go on.
static void commands_go_one_at_a_time_and_end_once(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench->answering = link;
    bench_login(bench);
    post(bench, "{\"action\":\"ClearCache\"}");
    post(bench, "{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}");
    post(bench, "{\"action\":\"UnlockConnector\",\"payload\":{\"connectorId\":1}}");
    assert_has(bench_last(bench, link), "\"ClearCache\",{}]");
    assert_has(bench_ask(bench, link, "[2,\"h\",\"Heartbeat\",{}]"), "[3,\"h\"");
    // Answers to nothing we asked change nothing.
    bench_text(bench, link, "[3,\"strange\",{\"status\":\"Accepted\"}]");
    assert_has(state_of(bench, 1), "\"state\":\"pending\",\"answer\":null");
    // Find the call again to answer it by its id.
    char call[256];
    bench->sent_count--;
    assert_int_equal(pw_str_copy(call, sizeof(call), pw_str_of(bench_last(bench, link))), PW_OK);
    answer(bench, link, "3", "{\"status\":\"Rejected\"}");
    assert_has(state_of(bench, 1), "\"state\":\"answered\",\"answer\":{\"status\":\"Rejected\"}");
    assert_has(bench_last(bench, link), "\"Reset\",{\"type\":\"Soft\"}]");
    answer(bench, link, "4", "\"NotSupported\",\"no \\\"reset\\\"\",{}");
    assert_has(state_of(bench, 2),
               "\"state\":\"error\",\"answer\":{\"code\":\"NotSupported\",\"description\":"
               "\"no \\\"reset\\\"\"}");
    assert_has(bench_last(bench, link), "\"UnlockConnector\"");
    bench_pass(bench, PW_CENTRAL_ANSWER_MS - 1);
    assert_has(state_of(bench, 3), "\"pending\"");
    bench_pass(bench, 1);
    assert_has(state_of(bench, 3), "\"state\":\"timeout\",\"answer\":null");
    // Too late: it is over.
    answer(bench, link, "3", "{\"status\":\"Unlocked\"}");
    assert_has(state_of(bench, 3), "\"timeout\"");
}

static void commands_to_nobody_and_too_many_are_said_so(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    for (int i = 0; i < PW_CENTRAL_COMMANDS_MAX; i++) {
        post(bench, "{\"action\":\"ClearCache\"}");
    }
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations/A/commands",
                                "{\"action\":\"ClearCache\"}"),
                     429);
    assert_has(bench->body, "queue_full");
    bench_break(bench, link);
    for (int i = 1; i <= PW_CENTRAL_COMMANDS_MAX; i++) {
        assert_has(state_of(bench, i), "\"offline\"");
    }
    post(bench, "{\"action\":\"ClearCache\"}");
    assert_has(bench->body, "\"state\":\"offline\"");
}

static void commands_of_an_ended_program_are_offline(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    post(bench, "{\"action\":\"ClearCache\"}");
    bench_break(bench, link); // … but pretend the row was not updated
    (void)bench_count(bench, "UPDATE command SET state = 'pending' RETURNING id");
    bench_restart(bench);
    bench->cookie[0] = '\0';
    bench_login(bench);
    assert_has(state_of(bench, 1), "\"offline\"");
}

// Keys never reach the log, whoever writes them on the wire.
static void keys_are_blotted_out_of_the_log(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    assert_int_equal(
        bench_http(bench, PW_HTTP_POST, "/api/v1/stations/A/commands",
                   "{\"action\":\"ChangeConfiguration\",\"payload\":{\"key\":\"AuthorizationKey\","
                   "\"value\":\"geheim-geheim-geheim\"}}"),
        400);
    post(bench, "{\"action\":\"GetConfiguration\"}");
    answer(bench, link, "3",
           "{\"configurationKey\":[{\"key\":\"AuthorizationKey\",\"readonly\":false,"
           "\"value\":\"geheim-geheim-geheim\"}]}");
    bench_pass(bench, 100);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/stations/A/log", ""), 200);
    assert_null(strstr(bench->body, "geheim"));
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM traffic WHERE payload LIKE "
                                        "'%geheim%'"),
                     0);
    assert_null(strstr(state_of(bench, 1), "geheim"));
}

// A station that names the key without its value must stay configurable: only the value is secret.
static void a_key_that_is_only_named_hides_nothing(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    post(bench, "{\"action\":\"GetConfiguration\"}");
    answer(bench, link, "3",
           "{\"configurationKey\":[{\"key\":\"AuthorizationKey\",\"readonly\":false},"
           "{\"key\":\"HeartbeatInterval\",\"readonly\":false,\"value\":\"300\"}]}");
    bench_pass(bench, 100);
    assert_has(state_of(bench, 1), "\"HeartbeatInterval\"");
}

static void log_is_bounded_for_each_station(void **state)
{
    struct bench *bench = *state;
    uint64_t a = bench_station(bench, "A");
    uint64_t b = bench_station(bench, "B");
    (void)bench_ask(bench, b, "[2,\"1\",\"Heartbeat\",{}]");
    for (int i = 0; i < PW_CENTRAL_LOG_KEPT; i++) {
        bench_text(bench, a, "[2,\"1\",\"Heartbeat\",{}]"); // two entries each
    }
    bench_pass(bench, 100);
    int64_t kept = bench_count(bench, "SELECT COUNT(*) FROM traffic WHERE station_id = 'A'");
    assert_in_range(kept, PW_CENTRAL_LOG_KEPT, PW_CENTRAL_LOG_KEPT + 256);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM traffic WHERE station_id = 'B'"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

// facts/reliability.md T44: beyond so many boots a second a station waits for a place of its own,
// keeps it while it asks too early, and comes in when it is due.
static void many_boots_at_once_wait_their_turn(void **state)
{
    static const char boot[] = "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\","
                               "\"chargePointModel\":\"M\"}]";
    struct bench *bench = *state;
    uint64_t a = bench_station(bench, "A");
    for (int i = 0; i <= PW_CENTRAL_BOOTS_S; i++) {
        bench_text(bench, a, boot); // it is let in each time, and takes a place each time
        assert_has(bench_last(bench, a), "\"Accepted\"");
    }
    for (int i = 0; i < 2 * PW_CENTRAL_BOOTS_S; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "B%d", i);
        uint64_t b = bench_station(bench, id);
        bench_text(bench, b, boot);
        assert_has(bench_last(bench, b), "\"Pending\"");
        assert_has(bench_last(bench, b),
                   i < PW_CENTRAL_BOOTS_S ? "\"interval\":1" : "\"interval\":2");
    }
    bench_text(bench, a, boot);
    assert_has(bench_last(bench, a), "\"interval\":3");
    bench_pass(bench, 1000);
    bench_text(bench, a, boot); // too early
    assert_has(bench_last(bench, a), "\"interval\":2");
    bench_pass(bench, 2000);
    bench_text(bench, a, boot);
    assert_has(bench_last(bench, a), "\"Accepted\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_core_call_is_answered),
        TEST(bad_calls_get_the_right_error),
        TEST(largest_messages_pass),
        TEST(commands_go_one_at_a_time_and_end_once),
        TEST(commands_to_nobody_and_too_many_are_said_so),
        TEST(commands_of_an_ended_program_are_offline),
        TEST(keys_are_blotted_out_of_the_log),
        TEST(a_key_that_is_only_named_hides_nothing),
        TEST(log_is_bounded_for_each_station),
        TEST(many_boots_at_once_wait_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
