// Cases of the protocol: what stations say, and how the exchange goes.
#include "cases.h"

#define CARD(tag, body) people(&bench, 200, PW_HTTP_PUT, "/api/v1/cards/" tag, body)
#define START(connector, tag, meter, time)                                                         \
    "{\"connectorId\":" connector ",\"idTag\":\"" tag "\",\"meterStart\":" meter                   \
    ",\"timestamp\":" time "}"
#define STOP(transaction, meter)                                                                   \
    "{\"transactionId\":" transaction ",\"meterStop\":" meter ",\"timestamp\":" NOW "}"

void central_boot(void)
{
    expect("BootNotification", "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}",
           "{\"status\":\"Accepted\",\"currentTime\":\"2026-05-28T20:26:40.000Z\","
           "\"interval\":300}");
    assert_has(get("/api/v1/stations/A"), "\"vendor\":\"V\",\"model\":\"M\"");
}

void central_heartbeat(void)
{
    expect("Heartbeat", "{}", "{\"currentTime\":\"2026-05-28T20:26:40.000Z\"}");
    expect("StatusNotification",
           "{\"connectorId\":0,\"errorCode\":\"NoError\",\"status\":\"Available\"}", "{}");
    expect("StatusNotification",
           "{\"connectorId\":2,\"errorCode\":\"GroundFailure\",\"status\":\"Faulted\",\"info\":"
           "\"i\",\"vendorErrorCode\":\"E7\",\"timestamp\":\"2026-05-28T20:00:00Z\"}",
           "{}");
    assert_has(
        get("/api/v1/stations/A"),
        "\"connector_id\":2,\"status\":\"Faulted\",\"error_code\":\"GroundFailure\","
        "\"info\":\"i\",\"vendor_error_code\":\"E7\",\"since\":\"2026-05-28T20:00:00.000Z\"");
    assert_has(get("/api/v1/stations/A"), "\"connector_id\":0,\"status\":\"Available\"");
}

void central_authorize_accepted(void)
{
    CARD("CARD-1", "{\"parent\":\"FAMILY\",\"expires\":\"2026-12-31T23:00:00Z\"}");
    expect("Authorize", "{\"idTag\":\"card-1\"}",
           "{\"idTagInfo\":{\"expiryDate\":\"2026-12-31T23:00:00.000Z\",\"parentIdTag\":\"FAMILY\","
           "\"status\":\"Accepted\"}}");
}

void central_authorize_refused(void)
{
    CARD("BLOCKED", "{\"status\":\"Blocked\"}");
    CARD("OLD", "{\"expires\":\"2026-05-28T20:26:40Z\"}"); // over at this very moment
    expect("Authorize", "{\"idTag\":\"BLOCKED\"}", "{\"idTagInfo\":{\"status\":\"Blocked\"}}");
    expect("Authorize", "{\"idTag\":\"OLD\"}",
           "{\"idTagInfo\":{\"expiryDate\":\"2026-05-28T20:26:40.000Z\",\"status\":\"Expired\"}}");
    expect("Authorize", "{\"idTag\":\"NOBODY\"}", "{\"idTagInfo\":{\"status\":\"Invalid\"}}");
    expect("Authorize", "{\"idTag\":\"NOBODY\"}", "{\"idTagInfo\":{\"status\":\"Invalid\"}}");
    assert_has(get("/api/v1/cards/unknown"), "{\"id_tag\":\"NOBODY\",\"station_id\":\"A\"");
    assert_has(get("/api/v1/cards/unknown"), "\"count\":2");
}

void central_concurrent(void)
{
    CARD("CARD", "{\"parent\":\"FAMILY\"}");
    CARD("OTHER", "{\"parent\":\"FAMILY\"}");
    expect("StartTransaction", START("1", "CARD", "0", NOW),
           "{\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"Accepted\"},"
           "\"transactionId\":1}");
    expect("StartTransaction", START("2", "card", "0", NOW),
           "{\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"ConcurrentTx\"},"
           "\"transactionId\":2}");
    // Another card of the family is another card.
    expect("StartTransaction", START("3", "OTHER", "0", NOW),
           "{\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"Accepted\"},"
           "\"transactionId\":3}");
    assert_int_equal(count("SELECT COUNT(*) FROM session"),
                     3); // its energy is counted all the same
}

void central_concurrent_not_for_authorize(void)
{
    CARD("CARD", "{}");
    expect("StartTransaction", START("1", "CARD", "0", NOW),
           "{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":1}");
    expect("Authorize", "{\"idTag\":\"CARD\"}", "{\"idTagInfo\":{\"status\":\"Accepted\"}}");
}

void central_start_again(void)
{
    CARD("CARD", "{}");
    for (int i = 0; i < 3; i++) {
        expect("StartTransaction", START("1", "CARD", "0", NOW),
               "{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":1}");
    }
    assert_int_equal(count("SELECT COUNT(*) FROM session"), 1);
}

void central_stop_again(void)
{
    expect("StartTransaction", START("1", "X", "0", NOW),
           "{\"idTagInfo\":{\"status\":\"Invalid\"},\"transactionId\":1}");
    for (int i = 0; i < 3; i++) {
        expect("StopTransaction", STOP("1", "500"), "{}");
    }
    assert_int_equal(count("SELECT COUNT(*) FROM orphan"), 0);
    expect("StopTransaction", STOP("1", "900"), "{}");
    assert_int_equal(count("SELECT meter_stop FROM session"), 500);
    assert_int_equal(count("SELECT COUNT(*) FROM orphan WHERE reason LIKE 'stopped before%'"), 1);
}

#define METER(transaction)                                                                         \
    "{\"connectorId\":1,\"transactionId\":" transaction ",\"meterValue\":[{\"timestamp\":" NOW     \
    ",\"sampledValue\":[{\"value\":\"100\"}]}]}"

void central_meter_again(void)
{
    expect("StartTransaction", START("1", "X", "0", NOW),
           "{\"idTagInfo\":{\"status\":\"Invalid\"},\"transactionId\":1}");
    expect("MeterValues", METER("1"), "{}");
    expect("MeterValues", METER("1"), "{}");
    assert_int_equal(count("SELECT COUNT(*) FROM sample"), 1);
    assert_int_equal(count("SELECT COUNT(*) FROM measurement"), 1);
}

void central_minus_one(void)
{
    expect("MeterValues", METER("-1"), "{}");
    expect("StopTransaction", STOP("-1", "500"), "{}");
    expect("StopTransaction", STOP("0", "500"), "{}");
    assert_int_equal(count("SELECT COUNT(*) FROM orphan WHERE reason LIKE 'transaction -1%'"), 2);
    assert_int_equal(count("SELECT COUNT(*) FROM orphan"), 3);
    assert_int_equal(count("SELECT COUNT(*) FROM session"), 0);
    assert_int_equal(count("SELECT COUNT(*) FROM sample"), 1); // what was measured was measured
}

void central_unknown_transaction(void)
{
    expect("MeterValues", METER("77"), "{}");
    expect("StopTransaction", STOP("77", "500"), "{}");
    assert_int_equal(count("SELECT COUNT(*) FROM orphan WHERE reason LIKE 'no transaction of%'"),
                     2);
    expect("StopTransaction", STOP("77", "500"), "{}");
    assert_int_equal(count("SELECT COUNT(*) FROM orphan"), 2); // the same record once
}

void central_stop_by_group(void)
{
    CARD("CARD", "{\"parent\":\"FAMILY\"}");
    CARD("OTHER", "{\"parent\":\"FAMILY\"}");
    expect("StartTransaction", START("1", "CARD", "0", NOW),
           "{\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"Accepted\"},"
           "\"transactionId\":1}");
    expect("StopTransaction",
           "{\"transactionId\":1,\"meterStop\":5,\"timestamp\":" NOW ",\"idTag\":\"OTHER\"}",
           "{\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"Accepted\"}}");
    assert_int_equal(count("SELECT COUNT(*) FROM session WHERE stop_id_tag = 'OTHER'"), 1);
}

void central_transaction_data(void)
{
    expect("StartTransaction", START("1", "X", "0", NOW),
           "{\"idTagInfo\":{\"status\":\"Invalid\"},\"transactionId\":1}");
    expect("StopTransaction",
           "{\"transactionId\":1,\"meterStop\":5,\"timestamp\":" NOW
           ",\"transactionData\":[{\"timestamp\":" NOW ",\"sampledValue\":[{\"value\":\"5.0\","
           "\"measurand\":\"Energy.Active.Import.Register\",\"context\":\"Transaction.End\"},{"
           "\"value\":\"AA==|\\\"b\\\"\",\"format\":\"SignedData\",\"context\":"
           "\"Transaction.End\"}]}]}",
           "{}");
    assert_int_equal(count("SELECT COUNT(*) FROM sample WHERE value = '5.0' AND session_id = 1"),
                     1);
    assert_int_equal(count("SELECT COUNT(*) FROM signed_value WHERE value = 'AA==|\"b\"'"), 1);
}

void central_after_the_commit(void)
{
    static const char *const calls[] = {
        "[2,\"1\",\"StartTransaction\"," START("1", "X", "0", NOW) "]",
        "[2,\"2\",\"StopTransaction\"," STOP("1", "5") "]",
        "[2,\"3\",\"SecurityEventNotification\",{\"type\":\"T\",\"timestamp\":" NOW "}]",
    };
    for (size_t i = 0; i < PW_COUNT(calls); i++) {
        size_t before = bench.sent_count;
        bench_text(&bench, a, calls[i]);
        assert_int_equal(bench.sent_count, before);
        bench.fail_commits = 1;
        bench_pass(&bench, PW_CENTRAL_COMMIT_MS);
        assert_has(bench_last(&bench, a), "InternalError");
        assert_has(bench_ask(&bench, a, calls[i]), "[3,\"");
    }
    assert_int_equal(count("SELECT COUNT(*) FROM session WHERE stop_at > 0"), 1);
    assert_int_equal(count("SELECT COUNT(*) FROM security_event"), 1);
}

void central_data_transfer(void)
{
    expect("DataTransfer", "{\"vendorId\":\"nobody\",\"data\":\"x\"}",
           "{\"status\":\"UnknownVendorId\"}");
}

void central_every_station_action(void)
{
    static const char *const said[PW_OCPP16_ACTION_COUNT] = {
        [PW_OCPP16_AUTHORIZE] = "{\"idTag\":\"X\"}",
        [PW_OCPP16_BOOT_NOTIFICATION] = "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}",
        [PW_OCPP16_DATA_TRANSFER] = "{\"vendorId\":\"V\"}",
        [PW_OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION] = "{\"status\":\"Idle\"}",
        [PW_OCPP16_FIRMWARE_STATUS_NOTIFICATION] = "{\"status\":\"Idle\"}",
        [PW_OCPP16_HEARTBEAT] = "{}",
        [PW_OCPP16_LOG_STATUS_NOTIFICATION] = "{\"status\":\"Idle\"}",
        [PW_OCPP16_METER_VALUES] = METER("1"),
        [PW_OCPP16_SECURITY_EVENT_NOTIFICATION] = "{\"type\":\"T\",\"timestamp\":" NOW "}",
        [PW_OCPP16_SIGN_CERTIFICATE] = "{\"csr\":\"X\"}",
        [PW_OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION] = "{\"status\":\"Idle\"}",
        [PW_OCPP16_START_TRANSACTION] = START("1", "X", "0", NOW),
        [PW_OCPP16_STATUS_NOTIFICATION] =
            "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}",
        [PW_OCPP16_STOP_TRANSACTION] = STOP("1", "5"),
    };
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        char name[64];
        if ((pw_ocpp16_actions[i].sender & PW_OCPP16_FROM_STATION) != 0) {
            assert_non_null(said[i]);
            assert_int_equal(pw_str_copy(name, sizeof(name), action_text(i)), PW_OK);
            station_says(&bench, a, name, said[i]);
        }
    }
}

void central_not_implemented(void)
{
    assert_has(bench_ask(&bench, a, "[2,\"1\",\"Nonsense\",{}]"), "[4,\"1\",\"NotImplemented\"");
    assert_has(bench_ask(&bench, a, "[2,\"2\",\"Reset\",{\"type\":\"Hard\"}]"),
               "[4,\"2\",\"NotSupported\"");
}

void central_bad_frames(void)
{
    static const struct {
        const char *frame;
        const char *answer; // "": none
    } rows[] = {
        {"[2,\"3\",\"Authorize\",{}]", "[4,\"3\",\"OccurenceConstraintViolation\""},
        {"[2,\"4\",\"Authorize\",{\"idTag\":5}]", "[4,\"4\",\"TypeConstraintViolation\""},
        {"[2,\"5\",\"Authorize\",{\"idTag\":\"123456789012345678901\"}]",
         "[4,\"5\",\"PropertyConstraintViolation\""},
        {"[2,\"6\",\"Authorize\",{\"idTag\":\"a\",\"idTag\":\"b\"}]",
         "[4,\"6\",\"FormationViolation\""},
        {"{", ""},
        {"[9,\"1\",{}]", ""},
        {"[3,\"unknown\",{}]", ""},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const char *answer = bench_ask(&bench, a, rows[i].frame);
        assert_true(strncmp(answer, rows[i].answer, strlen(rows[i].answer)) == 0);
        assert_true(rows[i].answer[0] != '\0' || answer[0] == '\0');
    }
    assert_has(bench_ask(&bench, a, "[2,\"z\",\"Heartbeat\",{}]"), "[3,\"z\"");
}

void central_one_call(void)
{
    int64_t first = people_ask(&bench, "A", "{\"action\":\"ClearCache\"}");
    (void)people_ask(&bench, "A", "{\"action\":\"GetLocalListVersion\"}");
    assert_has(station_called(&bench, a), "\"ClearCache\"");
    station_says(&bench, a, "Heartbeat", "{}");
    assert_has(station_called(&bench, a), "\"ClearCache\"");
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    assert_has(command_shown(&bench, first), "\"answered\"");
    assert_has(station_called(&bench, a), "\"GetLocalListVersion\",{}");
}

void central_strange_answers(void)
{
    char text[128];
    char id[40];
    int64_t first = people_ask(&bench, "A", "{\"action\":\"ClearCache\"}");
    struct pw_str call = pw_str_of(station_called(&bench, a));
    (void)pw_str_cut(&call, '"');
    assert_int_equal(pw_str_copy(id, sizeof(id), pw_str_cut(&call, '"')), PW_OK);
    bench_text(&bench, a, "[3,\"strange\",{\"status\":\"Rejected\"}]");
    assert_has(command_shown(&bench, first), "\"pending\"");
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    int64_t second = people_ask(&bench, "A", "{\"action\":\"ClearCache\"}");
    (void)snprintf(text, sizeof(text), "[3,\"%s\",{\"status\":\"Rejected\"}]", id);
    bench_text(&bench, a, text); // the first one's answer once more
    assert_has(command_shown(&bench, first), "{\"status\":\"Accepted\"}");
    assert_has(command_shown(&bench, second), "\"pending\"");
}

void central_no_answer(void)
{
    int64_t first = people_ask(&bench, "A", "{\"action\":\"ClearCache\"}");
    int64_t second = people_ask(&bench, "A", "{\"action\":\"GetLocalListVersion\"}");
    bench_pass(&bench, PW_CENTRAL_ANSWER_MS);
    assert_has(command_shown(&bench, first), "\"timeout\"");
    assert_has(station_called(&bench, a), "\"GetLocalListVersion\"");
    bench_break(&bench, a);
    assert_has(command_shown(&bench, second), "\"offline\"");
}

void central_offline_start(void)
{
    expect("StartTransaction", START("1", "X", "10", "\"2026-05-27T08:00:00Z\""),
           "{\"idTagInfo\":{\"status\":\"Invalid\"},\"transactionId\":1}");
    expect("StopTransaction",
           "{\"transactionId\":1,\"meterStop\":2010,\"timestamp\":\"2026-05-27T09:00:00Z\"}", "{}");
    assert_has(
        get("/api/v1/sessions/1"),
        "\"start_at\":\"2026-05-27T08:00:00.000Z\",\"stop_at\":\"2026-05-27T09:00:00.000Z\"");
    assert_has(get("/api/v1/sessions/1"), "\"energy_wh\":2000,\"duration_s\":3600,"
                                          "\"billable_wh\":2000");
    assert_has(get("/api/v1/sessions/1"), "\"suspect\":null");
}

void central_out_of_order(void)
{
    expect("MeterValues", METER("1"), "{}");
    expect("StartTransaction", START("1", "X", "0", NOW),
           "{\"idTagInfo\":{\"status\":\"Invalid\"},\"transactionId\":1}");
    assert_int_equal(count("SELECT COUNT(*) FROM orphan"), 1);
    assert_int_equal(count("SELECT COUNT(*) FROM sample"), 1);
}
