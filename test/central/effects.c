// What was seen after a command: pending → answer → effect, for every command of the standard.
#include "station.h"

static uint64_t link_a;

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    link_a = bench_station(&bench, "A");
    bench.answering = link_a;
    bench_login(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    return 0;
}

#define STATUS(connector, status)                                                                  \
    "{\"connectorId\":" connector ",\"errorCode\":\"NoError\",\"status\":\"" status "\"}"
#define WHEN "\"2026-05-28T20:26:40Z\""

// One command a row: what is asked, what the station answers, what it does then, what that is.
static const struct {
    const char *command;
    const char *answer;
    const char *action; // of what the station says then; NULL: nothing
    const char *payload;
    const char *effect;
} rows[] = {
    {"{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"CARD\",\"connectorId\":1}}",
     "{\"status\":\"Accepted\"}", "StartTransaction",
     "{\"connectorId\":1,\"idTag\":\"card\",\"meterStart\":5,\"timestamp\":" WHEN "}",
     "\"effect\":\"transaction 1 started on connector 1\""},
    {"{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}", "{\"status\":\"Accepted\"}",
     "BootNotification", "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}",
     "\"effect\":\"boot at 2026-05-28T20:26:40"},
    {"{\"action\":\"ChangeAvailability\",\"payload\":{\"connectorId\":1,\"type\":\"Inoperative\"}}",
     "{\"status\":\"Accepted\"}", "StatusNotification", STATUS("1", "Unavailable"),
     "\"effect\":\"status Unavailable on connector 1\""},
    {"{\"action\":\"ChangeAvailability\",\"payload\":{\"connectorId\":0,\"type\":\"Operative\"}}",
     "{\"status\":\"Scheduled\"}", "StatusNotification", STATUS("0", "Available"),
     "\"effect\":\"status Available of the station\""},
    {"{\"action\":\"TriggerMessage\",\"payload\":{\"requestedMessage\":\"Heartbeat\"}}",
     "{\"status\":\"Accepted\"}", "Heartbeat", "{}", "\"effect\":\"Heartbeat came\""},
    {"{\"action\":\"TriggerMessage\",\"payload\":{\"requestedMessage\":\"StatusNotification\","
     "\"connectorId\":2}}",
     "{\"status\":\"Accepted\"}", "StatusNotification", STATUS("2", "Available"),
     "\"effect\":\"StatusNotification came on connector 2\""},
    {"{\"action\":\"ExtendedTriggerMessage\",\"payload\":{\"requestedMessage\":"
     "\"LogStatusNotification\"}}",
     "{\"status\":\"Accepted\"}", "LogStatusNotification", "{\"status\":\"Idle\"}",
     "\"effect\":\"LogStatusNotification came\""},
    {"{\"action\":\"ReserveNow\",\"payload\":{\"connectorId\":2,\"expiryDate\":"
     "\"2026-05-28T21:00:00Z\",\"idTag\":\"CARD\",\"reservationId\":7}}",
     "{\"status\":\"Accepted\"}", "StatusNotification", STATUS("2", "Reserved"),
     "\"effect\":\"status Reserved on connector 2\""},
    {"{\"action\":\"CancelReservation\",\"payload\":{\"reservationId\":7}}",
     "{\"status\":\"Accepted\"}", "StatusNotification", STATUS("2", "Available"),
     "\"effect\":\"status Available on connector 2\""},
    {"{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"https://x/"
     "f\",\"retrieveDate\":" WHEN "}}",
     "{}", "FirmwareStatusNotification", "{\"status\":\"DownloadFailed\"}",
     "\"effect_state\":\"failed\",\"effect\":\"DownloadFailed\""},
    {"{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"https://x/d\"}}",
     "{\"fileName\":\"d.txt\"}", "DiagnosticsStatusNotification", "{\"status\":\"Uploaded\"}",
     "\"effect\":\"Uploaded\""},
    {"{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"https://x/d\"}}", "{}", NULL, NULL,
     "\"effect\":\"the station has no diagnostics to upload\""},
    {"{\"action\":\"GetLog\",\"payload\":{\"log\":{\"remoteLocation\":\"https://x/l\"},\"logType\":"
     "\"SecurityLog\",\"requestId\":9}}",
     "{\"status\":\"Accepted\",\"filename\":\"l.txt\"}", "LogStatusNotification",
     "{\"status\":\"Uploaded\",\"requestId\":9}", "\"effect\":\"Uploaded\""},
    {"{\"action\":\"SignedUpdateFirmware\",\"payload\":{\"requestId\":10,\"firmware\":{"
     "\"location\":\"https://x/f\",\"retrieveDateTime\":" WHEN ",\"signingCertificate\":\"C\","
     "\"signature\":\"S\"}}}",
     "{\"status\":\"Accepted\"}", "SignedFirmwareStatusNotification",
     "{\"status\":\"InvalidSignature\",\"requestId\":10}",
     "\"effect_state\":\"failed\",\"effect\":\"InvalidSignature\""},
    {"{\"action\":\"SetChargingProfile\",\"payload\":{\"connectorId\":1,\"csChargingProfiles\":{"
     "\"chargingProfileId\":5,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\","
     "\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
     "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":16}]}}}}",
     "{\"status\":\"Accepted\"}", NULL, NULL, "\"effect\":\"profile 5 kept for connector 1\""},
    {"{\"action\":\"GetCompositeSchedule\",\"payload\":{\"connectorId\":1,\"duration\":600}}",
     "{\"status\":\"Accepted\",\"connectorId\":1,\"scheduleStart\":" WHEN ",\"chargingSchedule\":{"
     "\"duration\":600,\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,"
     "\"limit\":16.0}]}}",
     NULL, NULL, "\"effect\":\"1 periods kept\""},
    {"{\"action\":\"ClearChargingProfile\"}", "{\"status\":\"Accepted\"}", NULL, NULL,
     "\"effect\":\"1 profile gone\""},
    {"{\"action\":\"GetLocalListVersion\"}", "{\"listVersion\":3}", NULL, NULL,
     "\"effect\":\"version 3, not the one that was sent\""},
    {"{\"action\":\"SendLocalList\",\"payload\":{\"listVersion\":4,\"updateType\":\"Full\","
     "\"localAuthorizationList\":[{\"idTag\":\"X\",\"idTagInfo\":{\"status\":\"Accepted\"}}]}}",
     "{\"status\":\"Accepted\"}", NULL, NULL, "\"effect\":\"list version 4, 1 entries taken\""},
    {"{\"action\":\"UnlockConnector\",\"payload\":{\"connectorId\":1}}",
     "{\"status\":\"Unlocked\"}", NULL, NULL, "\"effect\":\"unlocked\""},
    {"{\"action\":\"DeleteCertificate\",\"payload\":{\"certificateHashData\":{\"hashAlgorithm\":"
     "\"SHA256\",\"issuerNameHash\":\"aa\",\"issuerKeyHash\":\"bb\",\"serialNumber\":\"1\"}}}",
     "{\"status\":\"Accepted\"}", NULL, NULL, "\"effect\":\"the station has removed it\""},
    {"{\"action\":\"GetInstalledCertificateIds\",\"payload\":{\"certificateType\":"
     "\"CentralSystemRootCertificate\"}}",
     "{\"status\":\"NotFound\"}", NULL, NULL, "\"effect\":\"0 certificates kept\""},
    {"{\"action\":\"CertificateSigned\",\"payload\":{\"certificateChain\":\"PEM\"}}",
     "{\"status\":\"Accepted\"}", NULL, NULL,
     "\"effect\":\"the station has taken its certificate\""},
    {"{\"action\":\"GetConfiguration\"}",
     "{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,\"value\":\"300\"}],"
     "\"unknownKey\":[\"Nothing\"]}",
     NULL, NULL, "\"effect\":\"1 key kept, 1 unknown to the station\""},
    {"{\"action\":\"RemoteStopTransaction\",\"payload\":{\"transactionId\":1}}",
     "{\"status\":\"Accepted\"}", "StopTransaction",
     "{\"transactionId\":1,\"meterStop\":9,\"timestamp\":" WHEN ",\"reason\":\"Remote\"}",
     "\"effect\":\"transaction 1 stopped: Remote\""},
};

static void every_command_shows_its_answer_and_its_effect(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int64_t id = people_ask(bench, "A", rows[i].command);
        assert_has(command_shown(bench, id), "\"state\":\"pending\",\"answer\":null");
        assert_has(command_shown(bench, id), "\"effect_state\":null");
        station_answers(bench, link_a, rows[i].answer);
        assert_has(command_shown(bench, id), "\"state\":\"answered\"");
        if (rows[i].action != NULL) {
            assert_has(command_shown(bench, id), "\"effect_state\":\"waiting\"");
            station_says(bench, link_a, rows[i].action, rows[i].payload);
        }
        if (strstr(rows[i].effect, "effect_state") == NULL) {
            assert_has(command_shown(bench, id), "\"effect_state\":\"seen\"");
        }
        assert_has(command_shown(bench, id), rows[i].effect);
    }
}

// The list of what can be asked is made of the rows: nothing the standard has is missing.
static void every_command_of_the_standard_is_offered_with_its_fields(void **state)
{
    struct bench *bench = *state;
    const char *body = people(bench, 200, PW_HTTP_GET, "/api/v1/actions", "");
    size_t count = 0;
    for (const char *at = body; (at = strstr(at, "{\"action\":")) != NULL; at++) {
        count++;
    }
    assert_has(body, "{\"action\":\"InstallCertificate\",\"role\":\"admin\",");
    assert_int_equal(count, 26); // 19 of OCPP 1.6, and 7 of the whitepaper
    assert_has(body, "{\"action\":\"Reset\",\"role\":\"operator\",\"feature\":\"Core\",\"effect_"
                     "s\":300,\"fields\":[{"
                     "\"key\":\"type\",\"type\":\"word\",\"required\":true,\"words\":[\"Hard\","
                     "\"Soft\"]}]}");
    assert_has(body, "\"key\":\"limit\",\"type\":\"number\",\"required\":true");
}

// A station may do it before it says yes: nothing of it is lost.
static void effect_before_the_answer_counts(void **state)
{
    struct bench *bench = *state;
    int64_t id = people_ask(bench, "A",
                            "{\"action\":\"TriggerMessage\",\"payload\":{\"requestedMessage\":"
                            "\"Heartbeat\"}}");
    station_says(bench, link_a, "Heartbeat", "{}");
    assert_has(command_shown(bench, id), "\"effect_state\":null");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(command_shown(bench, id), "\"effect_state\":\"seen\",\"effect\":\"Heartbeat came\"");
}

static void refused_command_has_no_effect(void **state)
{
    struct bench *bench = *state;
    int64_t id = people_ask(bench, "A", "{\"action\":\"Reset\",\"payload\":{\"type\":\"Hard\"}}");
    station_answers(bench, link_a, "{\"status\":\"Rejected\"}");
    station_says(bench, link_a, "BootNotification",
                 "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}");
    assert_has(command_shown(bench, id), "\"effect_state\":null,\"effect\":null");
}

// The station said yes and did nothing: that is what an operator has to know.
static void promise_that_is_not_kept_is_said_so(void **state)
{
    struct bench *bench = *state;
    int64_t id = people_ask(bench, "A",
                            "{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"X\","
                            "\"connectorId\":1}}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    // Another connector, another card: not this one.
    station_says(bench, link_a, "StartTransaction",
                 "{\"connectorId\":2,\"idTag\":\"X\",\"meterStart\":0,\"timestamp\":" WHEN "}");
    station_says(bench, link_a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"Y\",\"meterStart\":0,\"timestamp\":" WHEN "}");
    bench_pass(bench, 179000);
    assert_has(command_shown(bench, id), "\"effect_state\":\"waiting\"");
    bench_pass(bench, 1000);
    assert_has(command_shown(bench, id),
               "\"effect_state\":\"none\",\"effect\":\"no effect within 180 s\"");
}

// Every status moves the time on; the trail is what is shown.
static void firmware_update_shows_its_trail(void **state)
{
    struct bench *bench = *state;
    int64_t id = people_ask(bench, "A",
                            "{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":"
                            "\"https://x/f\",\"retrieveDate\":" WHEN "}}");
    station_answers(bench, link_a, "{}");
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    assert_has(command_shown(bench, id), "\"progress\",\"effect\":\"Downloading\"");
    bench_pass(bench, 3500000);
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Downloaded\"}");
    bench_pass(bench, 3500000);
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Installing\"}");
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Installing\"}");
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Installed\"}");
    assert_has(command_shown(bench, id),
               "\"seen\",\"effect\":\"Downloading, Downloaded, Installing, Installed\"");
    const char *jobs = people(bench, 200, PW_HTTP_GET, "/api/v1/stations/A/files", "");
    assert_has(jobs, "\"kind\":\"firmware\",\"request_id\":null,\"location\":\"https://x/f\","
                     "\"file_name\":null,\"state\":\"Installed\",\"why\":null,\"over\":true");
    // One that goes quiet halfway.
    id = people_ask(bench, "A",
                    "{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"https://x/g\","
                    "\"retrieveDate\":" WHEN "}}");
    station_answers(bench, link_a, "{}");
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    bench_pass(bench, 3600000);
    assert_has(command_shown(bench, id),
               "\"none\",\"effect\":\"Downloading; nothing further within 3600 s\"");
}

// The link may break after the yes: a reset does just that.
static void effect_is_seen_on_the_next_link(void **state)
{
    struct bench *bench = *state;
    int64_t id = people_ask(bench, "A", "{\"action\":\"Reset\",\"payload\":{\"type\":\"Hard\"}}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    bench_break(bench, link_a);
    bench_pass(bench, 20000);
    uint64_t link = bench_station(bench, "A");
    station_says(bench, link, "BootNotification",
                 "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}");
    assert_has(command_shown(bench, id), "\"effect_state\":\"seen\",\"effect\":\"boot at ");
}

static void effect_is_not_known_after_a_restart_of_the_central(void **state)
{
    struct bench *bench = *state;
    int64_t id = people_ask(bench, "A", "{\"action\":\"Reset\",\"payload\":{\"type\":\"Hard\"}}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    bench_restart(bench);
    bench->cookie[0] = '\0';
    bench_login(bench);
    assert_has(command_shown(bench, id), "\"effect_state\":\"unknown\"");
}

// More commands than are watched: the oldest is given up, and says so.
static void watches_are_bounded(void **state)
{
    struct bench *bench = *state;
    int64_t first = 0;
    for (int i = 0; i <= PW_CENTRAL_WATCHES_MAX; i++) {
        int64_t id =
            people_ask(bench, "A", "{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}");
        first = first != 0 ? first : id;
        station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    }
    assert_has(command_shown(bench, first), "\"effect_state\":\"unknown\",\"effect\":\"given up");
    assert_has(command_shown(bench, first + 1), "\"effect_state\":\"waiting\"");
    const char *list = people(bench, 200, PW_HTTP_GET, "/api/v1/stations/A/commands?limit=2", "");
    assert_has(list, "\"command_id\":33");
    assert_has(list, "\"command_id\":32");
    assert_null(strstr(list, "\"command_id\":31"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_command_shows_its_answer_and_its_effect),
        TEST(every_command_of_the_standard_is_offered_with_its_fields),
        TEST(effect_before_the_answer_counts),
        TEST(refused_command_has_no_effect),
        TEST(promise_that_is_not_kept_is_said_so),
        TEST(firmware_update_shows_its_trail),
        TEST(effect_is_seen_on_the_next_link),
        TEST(effect_is_not_known_after_a_restart_of_the_central),
        TEST(watches_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
