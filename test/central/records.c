// What the central keeps of what stations were told and what they told it.
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

static const char *get(struct bench *bench, const char *target)
{
    return people(bench, 200, PW_HTTP_GET, target, "");
}

#define LIST "/api/v1/stations/A/local-list"

// --- Local lists.

static void local_list_is_built_from_the_cards_and_follows_them(void **state)
{
    struct bench *bench = *state;
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/ONE", "{}");
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/TWO",
           "{\"status\":\"Blocked\",\"parent\":\"FAMILY\",\"expires\":\"2026-12-31T23:00:00Z\"}");
    assert_has(get(bench, LIST), "\"version\":0,\"state\":\"unknown\",\"automatic\":false,\"at\":"
                                 "null,\"differences\":2");
    people(bench, 202, PW_HTTP_PUT, LIST, "{}");
    assert_has(
        station_called(bench, link_a),
        "\"SendLocalList\",{\"listVersion\":1,\"updateType\":\"Full\","
        "\"localAuthorizationList\":[{\"idTag\":\"ONE\",\"idTagInfo\":{\"status\":"
        "\"Accepted\"}},{\"idTag\":\"TWO\",\"idTagInfo\":{\"expiryDate\":"
        "\"2026-12-31T23:00:00.000Z\",\"parentIdTag\":\"FAMILY\",\"status\":\"Blocked\"}}]}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(get(bench, LIST), "\"version\":1,\"state\":\"sent\"");
    assert_has(get(bench, LIST), "\"differences\":0");
    // Only what has changed: one goes, one is new, one is another.
    people(bench, 204, PW_HTTP_DELETE, "/api/v1/cards/ONE", "");
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/two", "{}");
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/NEW", "{}");
    people(bench, 202, PW_HTTP_PUT, LIST, "{}");
    assert_has(station_called(bench, link_a),
               "{\"listVersion\":2,\"updateType\":\"Differential\",\"localAuthorizationList\":[{"
               "\"idTag\":\"ONE\"},{\"idTag\":\"NEW\",\"idTagInfo\":{\"status\":\"Accepted\"}},{"
               "\"idTag\":\"TWO\",\"idTagInfo\":{\"status\":\"Accepted\"}}]}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    people(bench, 200, PW_HTTP_PUT, LIST, "{}"); // nothing differs: nothing is sent
}

// OCPP 1.6 §5.15: after VersionMismatch the whole list has to go.
static void local_list_is_repaired_when_the_station_has_another_version(void **state)
{
    struct bench *bench = *state;
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/ONE", "{}");
    people(bench, 202, PW_HTTP_PUT, LIST, "{}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/TWO", "{}");
    people(bench, 202, PW_HTTP_PUT, LIST, "{}");
    station_answers(bench, link_a, "{\"status\":\"VersionMismatch\"}");
    assert_has(get(bench, LIST), "\"state\":\"mismatch\"");
    assert_has(station_called(bench, link_a), "\"listVersion\":3,\"updateType\":\"Full\"");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(get(bench, LIST), "\"version\":3,\"state\":\"sent\"");
    assert_has(get(bench, LIST), "\"differences\":0");
    // A station that never agrees is not asked for ever.
    people(bench, 202, PW_HTTP_PUT, LIST, "{\"mode\":\"full\"}");
    size_t before = bench->sent_count;
    for (int i = 0; i < 10; i++) {
        if (strstr(bench_last(bench, link_a), "SendLocalList") != NULL) {
            station_answers(bench, link_a, "{\"status\":\"VersionMismatch\"}");
        }
    }
    assert_in_range(bench->sent_count - before, 2, 3);
    assert_has(get(bench, LIST), "\"state\":\"mismatch\"");
}

// A station says how much it takes at once and in all (keys of OCPP 1.6 §9.2).
static void local_list_goes_in_the_pieces_the_station_takes(void **state)
{
    struct bench *bench = *state;
    people_ask(bench, "A", "{\"action\":\"GetConfiguration\"}");
    station_answers(bench, link_a,
                    "{\"configurationKey\":[{\"key\":\"SendLocalListMaxLength\",\"readonly\":true,"
                    "\"value\":\"2\"},{\"key\":\"LocalAuthListMaxLength\",\"readonly\":true,"
                    "\"value\":\"4\"}]}");
    static const char *const cards[] = {"A1", "A2", "A3", "A4", "A5"};
    for (size_t i = 0; i < PW_COUNT(cards); i++) {
        char target[64];
        (void)snprintf(target, sizeof(target), "/api/v1/cards/%s", cards[i]);
        people(bench, 200, PW_HTTP_PUT, target, "{}");
    }
    // A5 has charged here: it belongs to the four.
    station_says(bench, link_a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"A5\",\"meterStart\":0,\"timestamp\":"
                 "\"2026-05-28T20:00:00Z\"}");
    people(bench, 202, PW_HTTP_PUT, LIST, "{}");
    assert_has(station_called(bench, link_a), "\"Full\"");
    assert_has(station_called(bench, link_a), "A5");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(station_called(bench, link_a), "\"listVersion\":2,\"updateType\":\"Differential\"");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(get(bench, LIST), "\"version\":2,\"state\":\"sent\"");
    assert_has(get(bench, LIST), "\"differences\":0,\"max_length\":4");
    assert_null(strstr(get(bench, LIST), "A4\""));
}

static void local_list_kept_automatically_follows_within_seconds(void **state)
{
    struct bench *bench = *state;
    people(bench, 200, PW_HTTP_PUT, LIST, "{\"automatic\":true,\"mode\":\"none\"}");
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/ONE", "{}");
    people(bench, 200, PW_HTTP_PUT, "/api/v1/cards/TWO", "{}");
    assert_string_equal(station_called(bench, link_a), "");
    bench_pass(bench, 5000);
    assert_has(station_called(bench, link_a), "\"SendLocalList\",{\"listVersion\":1");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    bench_restart(bench); // … and still does after a restart
    bench->cookie[0] = '\0';
    bench_login(bench);
    uint64_t link = bench_station(bench, "A");
    people(bench, 204, PW_HTTP_DELETE, "/api/v1/cards/ONE", "");
    bench_pass(bench, 5000);
    assert_has(station_called(bench, link), "{\"listVersion\":2,\"updateType\":\"Differential\","
                                            "\"localAuthorizationList\":[{\"idTag\":\"ONE\"}]}");
}

// --- Configuration.

#define CONFIGURATION "/api/v1/stations/A/configuration"

static void configuration_is_kept_as_read_with_its_changes(void **state)
{
    struct bench *bench = *state;
    people(bench, 202, PW_HTTP_POST, CONFIGURATION "/read", "{}");
    assert_has(station_called(bench, link_a), "\"GetConfiguration\",{}");
    station_answers(bench, link_a,
                    "{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,"
                    "\"value\":\"300\"},{\"key\":\"NumberOfConnectors\",\"readonly\":true,"
                    "\"value\":\"2\"}]}");
    assert_has(get(bench, CONFIGURATION),
               "{\"key\":\"HeartbeatInterval\",\"value\":\"300\",\"readonly\":false,");
    // A change is read back.
    people(bench, 202, PW_HTTP_PUT, CONFIGURATION,
           "{\"key\":\"HeartbeatInterval\",\"value\":\"60\"}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(station_called(bench, link_a),
               "\"GetConfiguration\",{\"key\":[\"HeartbeatInterval\"]}");
    station_answers(bench, link_a,
                    "{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,"
                    "\"value\":\"60\"}]}");
    assert_has(command_shown(bench, 2), "\"effect_state\":\"seen\",\"effect\":\"read back: 60\"");
    assert_has(command_shown(bench, 3), "\"origin\":\"central\"");
    const char *body = get(bench, CONFIGURATION);
    assert_has(body, "{\"key\":\"HeartbeatInterval\",\"value\":\"60\"");
    assert_has(body, "\"key\":\"HeartbeatInterval\",\"old\":\"300\",\"new\":\"60\",\"why\":"
                     "\"changed here\"");
    assert_has(body, "NumberOfConnectors"); // a part that was read forgets nothing
    // One that another has changed.
    people(bench, 202, PW_HTTP_POST, CONFIGURATION "/read", "{\"keys\":[\"HeartbeatInterval\"]}");
    station_answers(bench, link_a,
                    "{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,"
                    "\"value\":\"90\"}]}");
    assert_has(get(bench, CONFIGURATION), "\"old\":\"60\",\"new\":\"90\",\"why\":\"read\"");
}

static void what_takes_a_reboot_is_shown_until_it_has_come(void **state)
{
    struct bench *bench = *state;
    people(bench, 202, PW_HTTP_PUT, CONFIGURATION, "{\"key\":\"Offline\",\"value\":\"true\"}");
    station_answers(bench, link_a, "{\"status\":\"RebootRequired\"}");
    assert_has(command_shown(bench, 1), "\"effect\":\"counts after a reboot\"");
    assert_has(get(bench, CONFIGURATION), "\"wanted\":\"true\",\"reboot_required\":true");
    station_says(bench, link_a, "BootNotification",
                 "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}");
    assert_has(get(bench, CONFIGURATION),
               "{\"key\":\"Offline\",\"value\":\"true\",\"readonly\":false");
    assert_has(get(bench, CONFIGURATION), "\"wanted\":null,\"reboot_required\":false");
}

// --- Reservations and profiles.

static void reservation_goes_its_way_to_the_charge(void **state)
{
    struct bench *bench = *state;
    people(bench, 400, PW_HTTP_POST, "/api/v1/stations/A/reservations",
           "{\"connector_id\":1,\"id_tag\":\"CARD\",\"expires\":\"2020-01-01T00:00:00Z\"}");
    people(bench, 400, PW_HTTP_POST, "/api/v1/stations/A/reservations",
           "{\"connector_id\":-1,\"id_tag\":\"CARD\",\"expires\":\"2026-05-28T21:00:00Z\"}");
    assert_has(bench->body, "connectorId");
    assert_has(get(bench, "/api/v1/stations/A/reservations"), "\"reservations\":[]");
    for (int i = 1; i <= 3; i++) {
        people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/reservations",
               "{\"connector_id\":1,\"id_tag\":\"CARD\",\"parent\":\"FAMILY\",\"expires\":"
               "\"2026-05-28T21:00:00Z\"}");
    }
    assert_has(
        station_called(bench, link_a),
        "\"ReserveNow\",{\"connectorId\":1,\"expiryDate\":\"2026-05-28T21:00:00Z\",\"idTag\":"
        "\"CARD\",\"parentIdTag\":\"FAMILY\",\"reservationId\":1}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    station_answers(bench, link_a, "{\"status\":\"Occupied\"}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    const char *body = get(bench, "/api/v1/stations/A/reservations");
    assert_has(body, "{\"id\":3,\"connector_id\":1,\"id_tag\":\"CARD\",\"parent\":\"FAMILY\","
                     "\"expires\":\"2026-05-28T21:00:00.000Z\",\"state\":\"reserved\"");
    assert_has(body, "{\"id\":2");
    assert_has(body, "\"state\":\"Occupied\"");
    station_says(bench, link_a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"CARD\",\"meterStart\":0,\"reservationId\":1,"
                 "\"timestamp\":\"2026-05-28T20:26:40Z\"}");
    assert_has(get(bench, "/api/v1/stations/A/reservations"), "\"state\":\"used\"");
    people(bench, 202, PW_HTTP_DELETE, "/api/v1/stations/A/reservations?id=3", "");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(get(bench, "/api/v1/stations/A/reservations"), "\"state\":\"cancelled\"");
    bench_pass(bench, 3600000);
    assert_null(strstr(get(bench, "/api/v1/stations/A/reservations"), "expired"));
}

static void set_profile(struct bench *bench, const char *connector, const char *profile, int status)
{
    char body[600];
    (void)snprintf(body, sizeof(body),
                   "{\"connector_id\":%s,\"profile\":{%s,\"chargingProfileKind\":\"Absolute\","
                   "\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{"
                   "\"startPeriod\":0,\"limit\":16.5},{\"startPeriod\":60,\"limit\":6}]}}}",
                   connector, profile);
    people(bench, status, PW_HTTP_PUT, "/api/v1/stations/A/charging-profiles", body);
    if (status == 202) {
        station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    }
}

#define PROFILE(id, purpose, level)                                                                \
    "\"chargingProfileId\":" id ",\"chargingProfilePurpose\":\"" purpose "\","                     \
    "\"stackLevel\":" level

static void profiles_are_kept_as_the_station_has_them(void **state)
{
    struct bench *bench = *state;
    set_profile(bench, "0", PROFILE("1", "TxProfile", "0"), 400);
    assert_has(bench->body, "0 is no place for a TxProfile");
    set_profile(bench, "1", PROFILE("1", "ChargePointMaxProfile", "0"), 400);
    set_profile(bench, "1", PROFILE("1", "TxDefaultProfile", "-1"), 400);
    assert_has(bench->body, "stackLevel");
    set_profile(bench, "0", PROFILE("1", "ChargePointMaxProfile", "0"), 202);
    set_profile(bench, "1", PROFILE("2", "TxDefaultProfile", "0"), 202);
    set_profile(bench, "1", PROFILE("3", "TxDefaultProfile", "1"), 202);
    set_profile(bench, "1", PROFILE("4", "TxDefaultProfile", "1"), 202); // in the place of 3
    const char *body = get(bench, "/api/v1/stations/A/charging-profiles");
    assert_has(body, "\"profile_id\":1");
    assert_has(body, "\"profile_id\":4");
    assert_null(strstr(body, "\"profile_id\":3"));
    people(bench, 202, PW_HTTP_DELETE,
           "/api/v1/stations/A/charging-profiles?connector=1&stack_level=1", "");
    assert_has(station_called(bench, link_a),
               "\"ClearChargingProfile\",{\"connectorId\":1,\"stackLevel\":1}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_null(strstr(get(bench, "/api/v1/stations/A/charging-profiles"), "\"profile_id\":4"));
    people(bench, 202, PW_HTTP_DELETE, "/api/v1/stations/A/charging-profiles", "");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(get(bench, "/api/v1/stations/A/charging-profiles"), "\"profiles\":[]");
}

// Errata 3.41, 3.42: a remote start brings a profile for the transaction that will come.
static void profile_of_a_remote_start_lives_as_long_as_its_charge(void **state)
{
    struct bench *bench = *state;
    people_ask(
        bench, "A",
        "{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"X\",\"connectorId\":"
        "1,\"chargingProfile\":{" PROFILE(
            "9", "TxProfile",
            "0") ",\"chargingProfileKind\":"
                 "\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"W\","
                 "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":3000}]}}}}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    station_says(bench, link_a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":0,\"timestamp\":"
                 "\"2026-05-28T20:26:40Z\"}");
    assert_has(get(bench, "/api/v1/stations/A/charging-profiles"),
               "\"profile_id\":9,\"purpose\":\"TxProfile\",\"stack_level\":0,\"transaction_id\":1");
    station_says(bench, link_a, "StopTransaction",
                 "{\"transactionId\":1,\"meterStop\":1,\"timestamp\":\"2026-05-28T20:27:40Z\"}");
    assert_has(get(bench, "/api/v1/stations/A/charging-profiles"), "\"profiles\":[]");
}

static void composite_schedule_is_kept_for_the_plot(void **state)
{
    struct bench *bench = *state;
    people(bench, 400, PW_HTTP_POST, "/api/v1/stations/A/composite-schedule",
           "{\"connector_id\":1,\"duration_s\":0}");
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/composite-schedule",
           "{\"connector_id\":1,\"duration_s\":3600,\"unit\":\"A\"}");
    station_answers(bench, link_a,
                    "{\"status\":\"Accepted\",\"connectorId\":1,\"scheduleStart\":"
                    "\"2026-05-28T20:26:40Z\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
                    "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":16.5}]}}");
    assert_has(get(bench, "/api/v1/stations/A/charging-profiles"),
               "\"composite\":[{\"connector_id\":1,\"unit\":\"A\",\"start\":"
               "\"2026-05-28T20:26:40.000Z\",\"duration_s\":3600");
}

// --- Files.

static void files_have_numbers_of_their_own_and_a_history(void **state)
{
    struct bench *bench = *state;
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/logs",
           "{\"type\":\"SecurityLog\",\"location\":\"https://x/l\"}");
    assert_has(station_called(bench, link_a),
               "\"GetLog\",{\"requestId\":1,\"logType\":\"SecurityLog\",\"log\":{"
               "\"remoteLocation\":\"https://x/l\"}}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\",\"filename\":\"s.log\"}");
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/firmware",
           "{\"location\":\"https://x/f\",\"signing_certificate\":\"C\",\"signature\":\"S\"}");
    assert_has(station_called(bench, link_a), "\"SignedUpdateFirmware\",{\"requestId\":2");
    station_answers(bench, link_a, "{\"status\":\"InvalidCertificate\"}");
    // The statuses of the two kinds go apart, whatever comes between.
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Idle\"}");
    station_says(bench, link_a, "LogStatusNotification",
                 "{\"status\":\"Uploading\",\"requestId\":1}");
    station_says(bench, link_a, "LogStatusNotification",
                 "{\"status\":\"Uploaded\",\"requestId\":1}");
    // Nobody here has asked for this one.
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Installing\"}");
    const char *body = get(bench, "/api/v1/stations/A/files");
    assert_has(body, "{\"id\":2,\"kind\":\"firmware\",\"request_id\":null,\"location\":\"\"");
    assert_has(body, "{\"id\":1,\"kind\":\"log\",\"request_id\":1,\"location\":\"https://x/l\","
                     "\"file_name\":\"s.log\",\"state\":\"Uploaded\",\"why\":null,"
                     "\"over\":true");
    assert_has(body, "\"status\":\"Uploading\"},{\"at\":");
    people(bench, 400, PW_HTTP_POST, "/api/v1/stations/A/logs", "{\"type\":\"x\"}");
    people(bench, 400, PW_HTTP_POST, "/api/v1/stations/A/firmware", "{}");
    assert_has(bench->body, "location: is required");
}

// OCPP's statuses are words: a station of ours says why just before one that is a failure.
static void why_an_update_failed_is_kept_with_it_and_only_with_it(void **state)
{
    struct bench *bench = *state;
    static const char *const strange[] = {
        "{\"vendorId\":\"org.pilotwire\",\"messageId\":\"UpdateFailed\"}",
        "{\"vendorId\":\"org.pilotwire\",\"messageId\":\"UpdateFailed\",\"data\":\"[1]\"}",
        "{\"vendorId\":\"org.pilotwire\",\"messageId\":\"UpdateFailed\",\"data\":"
        "\"{\\\"why\\\":7}\"}",
        "{\"vendorId\":\"org.pilotwire\",\"messageId\":\"UpdateFailed\",\"data\":"
        "\"{\\\"why\\\":\\\"\\\"}\"}"};
    static const char why[] =
        "{\"vendorId\":\"org.pilotwire\",\"messageId\":\"UpdateFailed\",\"data\":"
        "\"{\\\"status\\\":\\\"InstallationFailed\\\",\\\"why\\\":\\\"the hash of <b>program</b>"
        " is wrong\\\"}\"}";
    for (size_t i = 0; i < PW_COUNT(strange); i++) {
        station_says(bench, link_a, "DataTransfer", strange[i]);
        station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
        station_says(bench, link_a, "FirmwareStatusNotification",
                     "{\"status\":\"DownloadFailed\"}");
        assert_has(get(bench, "/api/v1/stations/A/files"),
                   "\"state\":\"DownloadFailed\",\"why\":null");
    }
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Installing\"}");
    station_says(bench, link_a, "DataTransfer", why);
    station_says(bench, link_a, "FirmwareStatusNotification",
                 "{\"status\":\"InstallationFailed\"}");
    assert_has(get(bench, "/api/v1/stations/A/files"),
               "\"state\":\"InstallationFailed\",\"why\":\"the hash of <b>program</b> is wrong\"");
    // The next one is another matter, and so is one that comes to nothing.
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"DownloadFailed\"}");
    assert_has(get(bench, "/api/v1/stations/A/files"), "\"state\":\"DownloadFailed\",\"why\":null");
    station_says(bench, link_a, "DataTransfer", why);
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    station_says(bench, link_a, "FirmwareStatusNotification", "{\"status\":\"DownloadFailed\"}");
    const char *newest = get(bench, "/api/v1/stations/A/files");
    const char *first = strstr(newest, "\"why\":");
    assert_non_null(first);
    assert_true(strncmp(first, "\"why\":null", 10) == 0);
}

// --- Security.

static void security_event_is_kept_once_and_answered_when_durable(void **state)
{
    struct bench *bench = *state;
    static const char event[] =
        "[2,\"1\",\"SecurityEventNotification\",{\"type\":\"TamperDetectionActivated\","
        "\"timestamp\":\"2026-05-28T20:00:00Z\",\"techInfo\":\"<b>lid\"}]";
    size_t before = bench->sent_count;
    bench_text(bench, link_a, event);
    assert_int_equal(bench->sent_count, before);
    bench_pass(bench, PW_CENTRAL_COMMIT_MS);
    assert_string_equal(bench_last(bench, link_a), "[3,\"1\",{}]");
    assert_string_equal(bench_ask(bench, link_a, event), "[3,\"1\",{}]"); // the answer got lost
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM security_event"), 1);
    assert_has(get(bench, "/api/v1/security-events"),
               "\"station_id\":\"A\",\"at\":\"2026-05-28T20:00:00.000Z\"");
    assert_has(get(bench, "/api/v1/stations/A/security-events"), "\"tech_info\":\"<b>lid\"");
    bench->fail_commits = 1;
    assert_has(bench_ask(bench, link_a,
                         "[2,\"2\",\"SecurityEventNotification\",{\"type\":\"X\",\"timestamp\":"
                         "\"2026-05-28T20:00:00Z\"}]"),
               "[4,\"2\",\"InternalError\"");
}

static void without_an_authority_no_certificate_is_signed(void **state)
{
    struct bench *bench = *state;
    assert_string_equal(bench_ask(bench, link_a, "[2,\"1\",\"SignCertificate\",{\"csr\":\"X\"}]"),
                        "[3,\"1\",{\"status\":\"Rejected\"}]");
    assert_has(get(bench, "/api/v1/stations/A/security-events"), "has no authority");
}

static void root_certificates_are_listed_installed_and_removed(void **state)
{
    struct bench *bench = *state;
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/certificates",
           "{\"use\":\"CentralSystemRootCertificate\",\"certificate\":\"PEM\"}");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(station_called(bench, link_a), "\"GetInstalledCertificateIds\"");
    station_answers(
        bench, link_a,
        "{\"status\":\"Accepted\",\"certificateHashData\":[{\"hashAlgorithm\":"
        "\"SHA256\",\"issuerNameHash\":\"aa\",\"issuerKeyHash\":\"bb\",\"serialNumber\":"
        "\"07\"}]}");
    assert_has(command_shown(bench, 1), "the station lists 1 certificate of this use");
    assert_has(get(bench, "/api/v1/stations/A/certificates"), "\"serial_number\":\"07\"");
    people(bench, 404, PW_HTTP_DELETE, "/api/v1/stations/A/certificates?serial_number=08", "");
    people(bench, 202, PW_HTTP_DELETE, "/api/v1/stations/A/certificates?serial_number=07", "");
    assert_has(station_called(bench, link_a), "\"issuerKeyHash\":\"bb\",\"serialNumber\":\"07\"");
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    assert_has(get(bench, "/api/v1/stations/A/certificates"), "\"installed\":[]");
}

static int shake(struct bench *bench, const char *password)
{
    uint64_t link = 0;
    return bench_handshake(bench, "/ocpp/A", "A", password, &link);
}

static void new_key_of(struct bench *bench, char key[64])
{
    const char *at = strstr(station_called(bench, link_a), "\"value\":\"");
    assert_non_null(at);
    struct pw_str rest = pw_str_of(at + 9);
    assert_int_equal(pw_str_copy(key, 64, pw_str_cut(&rest, '"')), PW_OK);
    assert_int_equal(strlen(key), 40);
}

// Whitepaper A01.FR.03 and .04, and the answer that never arrives between them.
static void changed_key_never_locks_a_station_out(void **state)
{
    struct bench *bench = *state;
    char key[64];
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    new_key_of(bench, key);
    assert_null(strstr(command_shown(bench, 1), key));
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM traffic WHERE payload LIKE"
                                        " '%AuthorizationKey%value%'"),
                     0);
    station_answers(bench, link_a, "{\"status\":\"Rejected\"}");
    bench_break(bench, link_a);
    assert_int_equal(shake(bench, key), 401);
    link_a = bench_station(bench, "A");
    // The station takes it, and its answer is lost: it comes back with the new one …
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    new_key_of(bench, key);
    bench_break(bench, link_a);
    uint64_t link = 0;
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", key, &link), 101);
    bench_break(bench, link);
    assert_int_equal(shake(bench, "sixteen-or-more-1"), 401); // … and the old one is over
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", key, &link_a), 101);
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    new_key_of(bench, key);
    station_answers(bench, link_a, "{\"status\":\"Accepted\"}");
    bench_break(bench, link_a);
    assert_int_equal(shake(bench, key), 101);
    people(bench, 200, PW_HTTP_GET, "/api/v1/commands/3", "");
    assert_has(bench->body, "\"effect\":\"connected again, by its key without TLS\"");
}

// Reason: the station takes a key and its answer never comes, though the link stays. A second
// change would leave the central system without the key that the station has.
static void key_in_doubt_is_not_changed_again(void **state)
{
    struct bench *bench = *state;
    char key[64];
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    new_key_of(bench, key);
    people(bench, 409, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    bench_pass(bench, 40000);
    people(bench, 409, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    assert_has(bench->body, "changing");
    bench_break(bench, link_a);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", key, &link_a), 101);
    // It comes back with the old one: nothing was changed, and the next may be.
    char next[64];
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    new_key_of(bench, next);
    bench_break(bench, link_a);
    assert_int_equal(bench_handshake(bench, "/ocpp/A", "A", key, &link_a), 101);
    assert_int_equal(shake(bench, next), 401);
    people(bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
}

static void boot_is_kept_word_for_word(void **state)
{
    struct bench *bench = *state;
    station_says(bench, link_a, "BootNotification",
                 "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\",\"meterSerialNumber\":"
                 "\"S-1\",\"iccid\":\"8949\"}");
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM station WHERE boot LIKE"
                                        " '%\"meterSerialNumber\":\"S-1\",\"iccid\":\"8949\"%'"),
                     1);
}

// A signed reading is evidence: not a character of it may change.
static void signed_reading_is_kept_word_for_word(void **state)
{
    struct bench *bench = *state;
    station_says(bench, link_a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":0,\"timestamp\":"
                 "\"2026-05-28T20:26:40Z\"}");
    station_says(bench, link_a, "StopTransaction",
                 "{\"transactionId\":1,\"meterStop\":1,\"timestamp\":\"2026-05-28T20:27:40Z\","
                 "\"transactionData\":[{\"timestamp\":\"2026-05-28T20:27:40Z\",\"sampledValue\":[{"
                 "\"value\":\"OCMF|{\\\"FV\\\":\\\"1.0\\\"} é|{\\\"SD\\\":\\\"30a\\\"}\","
                 "\"format\":\"SignedData\",\"context\":\"Transaction.End\"}]}]}");
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM signed_value WHERE session_id = 1"
                                        " AND context = 'Transaction.End' AND value ="
                                        " 'OCMF|{\"FV\":\"1.0\"} é|{\"SD\":\"30a\"}'"),
                     1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(local_list_is_built_from_the_cards_and_follows_them),
        TEST(local_list_is_repaired_when_the_station_has_another_version),
        TEST(local_list_goes_in_the_pieces_the_station_takes),
        TEST(local_list_kept_automatically_follows_within_seconds),
        TEST(configuration_is_kept_as_read_with_its_changes),
        TEST(what_takes_a_reboot_is_shown_until_it_has_come),
        TEST(reservation_goes_its_way_to_the_charge),
        TEST(profiles_are_kept_as_the_station_has_them),
        TEST(profile_of_a_remote_start_lives_as_long_as_its_charge),
        TEST(composite_schedule_is_kept_for_the_plot),
        TEST(files_have_numbers_of_their_own_and_a_history),
        TEST(why_an_update_failed_is_kept_with_it_and_only_with_it),
        TEST(security_event_is_kept_once_and_answered_when_durable),
        TEST(without_an_authority_no_certificate_is_signed),
        TEST(root_certificates_are_listed_installed_and_removed),
        TEST(changed_key_never_locks_a_station_out),
        TEST(key_in_doubt_is_not_changed_again),
        TEST(boot_is_kept_word_for_word),
        TEST(signed_reading_is_kept_word_for_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
