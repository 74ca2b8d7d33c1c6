// Cases of what is asked of stations and what is kept of it. The details are in test/central.
#include "cases.h"

static void answer_and_expect(int64_t id, const char *answer, const char *effect)
{
    station_answers(&bench, a, answer);
    assert_has(command_shown(&bench, id), effect);
}

void central_statuses(void)
{
    station_says(&bench, a, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    station_says(&bench, a, "DiagnosticsStatusNotification", "{\"status\":\"Uploading\"}");
    station_says(&bench, a, "LogStatusNotification", "{\"status\":\"Uploading\",\"requestId\":3}");
    station_says(&bench, a, "SignedFirmwareStatusNotification",
                 "{\"status\":\"Downloading\",\"requestId\":4}");
    assert_int_equal(count("SELECT COUNT(DISTINCT kind) FROM file_job"), 4);
    assert_int_equal(count("SELECT COUNT(*) FROM file_job_status"), 4);
}

void central_sign_without_authority(void)
{
    expect("SignCertificate", "{\"csr\":\"X\"}", "{\"status\":\"Rejected\"}");
    assert_has(get("/api/v1/stations/A/security-events"), "certificate request refused");
}

void central_every_command(void)
{
    // The least that each needs, as OCPP 1.6 chapter 6 and whitepaper chapter 5 have it.
    static const char *const least[PW_OCPP16_ACTION_COUNT] = {
        [PW_OCPP16_CANCEL_RESERVATION] = "{\"reservationId\":1}",
        [PW_OCPP16_CERTIFICATE_SIGNED] = "{\"certificateChain\":\"PEM\"}",
        [PW_OCPP16_CHANGE_AVAILABILITY] = "{\"connectorId\":0,\"type\":\"Operative\"}",
        [PW_OCPP16_CHANGE_CONFIGURATION] = "{\"key\":\"K\",\"value\":\"\"}",
        [PW_OCPP16_CLEAR_CACHE] = "{}",
        [PW_OCPP16_CLEAR_CHARGING_PROFILE] = "{}",
        [PW_OCPP16_DATA_TRANSFER] = "{\"vendorId\":\"V\"}",
        [PW_OCPP16_DELETE_CERTIFICATE] =
            "{\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"a\","
            "\"issuerKeyHash\":\"b\",\"serialNumber\":\"1\"}}",
        [PW_OCPP16_EXTENDED_TRIGGER_MESSAGE] = "{\"requestedMessage\":\"Heartbeat\"}",
        [PW_OCPP16_GET_COMPOSITE_SCHEDULE] = "{\"connectorId\":1,\"duration\":60}",
        [PW_OCPP16_GET_CONFIGURATION] = "{}",
        [PW_OCPP16_GET_DIAGNOSTICS] = "{\"location\":\"ftp://x/y\"}",
        [PW_OCPP16_GET_INSTALLED_CERTIFICATE_IDS] =
            "{\"certificateType\":\"ManufacturerRootCertificate\"}",
        [PW_OCPP16_GET_LOCAL_LIST_VERSION] = "{}",
        [PW_OCPP16_GET_LOG] = "{\"log\":{\"remoteLocation\":\"ftp://x/"
                              "\"},\"logType\":\"SecurityLog\",\"requestId\":1}",
        [PW_OCPP16_INSTALL_CERTIFICATE] =
            "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"PEM\"}",
        [PW_OCPP16_REMOTE_START_TRANSACTION] = "{\"idTag\":\"X\"}",
        [PW_OCPP16_REMOTE_STOP_TRANSACTION] = "{\"transactionId\":1}",
        [PW_OCPP16_RESERVE_NOW] =
            "{\"connectorId\":0,\"expiryDate\":" NOW ",\"idTag\":\"X\",\"reservationId\":1}",
        [PW_OCPP16_RESET] = "{\"type\":\"Hard\"}",
        [PW_OCPP16_SEND_LOCAL_LIST] = "{\"listVersion\":1,\"updateType\":\"Full\"}",
        [PW_OCPP16_SET_CHARGING_PROFILE] =
            "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":1,\"stackLevel\":0,"
            "\"chargingProfilePurpose\":\"ChargePointMaxProfile\",\"chargingProfileKind\":"
            "\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"W\","
            "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":0.1}]}}}",
        [PW_OCPP16_SIGNED_UPDATE_FIRMWARE] =
            "{\"requestId\":1,\"firmware\":{\"location\":\"ftp://x/y\",\"retrieveDateTime\":" NOW
            ",\"signingCertificate\":\"c\",\"signature\":\"s\"}}",
        [PW_OCPP16_TRIGGER_MESSAGE] = "{\"requestedMessage\":\"MeterValues\",\"connectorId\":1}",
        [PW_OCPP16_UNLOCK_CONNECTOR] = "{\"connectorId\":1}",
        [PW_OCPP16_UPDATE_FIRMWARE] = "{\"location\":\"ftp://x/y\",\"retrieveDate\":" NOW "}",
    };
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        char name[64];
        char text[1024];
        if ((pw_ocpp16_actions[i].sender & PW_OCPP16_FROM_CENTRAL) == 0) {
            continue;
        }
        assert_non_null(least[i]);
        assert_int_equal(pw_str_copy(name, sizeof(name), action_text(i)), PW_OK);
        (void)snprintf(text, sizeof(text), "{\"action\":\"%s\",\"payload\":%s}", name, least[i]);
        int64_t id = people_ask(&bench, "A", text);
        (void)snprintf(text, sizeof(text), "\"%s\",%s]", name, least[i]);
        assert_has(station_called(&bench, a), text);
        // What no rows fit is shown as it came, and harms nothing.
        answer_and_expect(id, "{\"status\":\"Strange\"}",
                          "\"state\":\"answered\",\"answer\":{\"status\":\"Strange\"}");
    }
}

void central_refused_before_queued(void)
{
    static const struct {
        const char *command;
        const char *says;
    } rows[] = {
        {"{\"action\":\"Reset\"}", "type: is required"},
        {"{\"action\":\"Reset\",\"payload\":{\"type\":\"Warm\"}}", "Warm"},
        {"{\"action\":\"UnlockConnector\",\"payload\":{\"connectorId\":0}}", "connectorId"},
        {"{\"action\":\"SetChargingProfile\",\"payload\":{\"connectorId\":0,\"csChargingProfiles\":"
         "{"
         "\"chargingProfileId\":1,\"stackLevel\":-1}}}",
         "csChargingProfiles.stackLevel"},
        {"{\"action\":\"ReserveNow\",\"payload\":{\"connectorId\":1,\"expiryDate\":\"soon\","
         "\"idTag\":"
         "\"X\",\"reservationId\":1}}",
         "expiryDate"},
        {"{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"123456789012345678901\"}"
         "}",
         "idTag"},
        {"{\"action\":\"GetLog\",\"payload\":{\"log\":{},\"logType\":\"SecurityLog\",\"requestId\":"
         "1}}",
         "log.remoteLocation"},
        {"{\"action\":\"ClearCache\",\"payload\":{\"now\":true}}", "now"},
        {"{\"action\":\"Authorize\",\"payload\":{\"idTag\":\"X\"}}", "is none of"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_has(
            people(&bench, 400, PW_HTTP_POST, "/api/v1/stations/A/commands", rows[i].command),
            rows[i].says);
    }
    assert_int_equal(count("SELECT COUNT(*) FROM command"), 0);
    assert_string_equal(station_called(&bench, a), "");
}

void central_reserved_start(void)
{
    people(&bench, 202, PW_HTTP_POST, "/api/v1/stations/A/reservations",
           "{\"connector_id\":1,\"id_tag\":\"X\",\"expires\":\"2026-05-28T21:00:00Z\"}");
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    station_says(&bench, a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":0,\"reservationId\":1,"
                 "\"timestamp\":" NOW "}");
    assert_has(get("/api/v1/stations/A/reservations"), "\"state\":\"used\"");
    assert_int_equal(count("SELECT reservation_id FROM session"), 1);
}

void central_remote_start_profile(void)
{
    (void)people_ask(&bench, "A",
                     "{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"X\","
                     "\"connectorId\":1,\"chargingProfile\":{\"chargingProfileId\":9,"
                     "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\","
                     "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
                     "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,"
                     "\"limit\":6}]}}}}");
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    station_says(&bench, a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":0,\"timestamp\":" NOW "}");
    assert_has(get("/api/v1/stations/A/charging-profiles"), "\"transaction_id\":1");
    station_says(&bench, a, "StopTransaction",
                 "{\"transactionId\":1,\"meterStop\":0,\"timestamp\":" NOW "}");
    assert_has(get("/api/v1/stations/A/charging-profiles"), "\"profiles\":[]");
}

void central_list_repair(void)
{
    people(&bench, 200, PW_HTTP_PUT, "/api/v1/cards/ONE", "{}");
    people(&bench, 202, PW_HTTP_PUT, "/api/v1/stations/A/local-list", "{}");
    assert_has(station_called(&bench, a), "{\"listVersion\":1,\"updateType\":\"Full\"");
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    people(&bench, 200, PW_HTTP_PUT, "/api/v1/cards/TWO", "{}");
    people(&bench, 202, PW_HTTP_PUT, "/api/v1/stations/A/local-list", "{}");
    assert_has(station_called(&bench, a), "{\"listVersion\":2,\"updateType\":\"Differential\"");
    station_answers(&bench, a, "{\"status\":\"VersionMismatch\"}");
    assert_has(station_called(&bench, a), "{\"listVersion\":3,\"updateType\":\"Full\"");
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    assert_has(get("/api/v1/stations/A/local-list"), "\"version\":3,\"state\":\"sent\"");
}

static void given_key(char key[64])
{
    const char *at = strstr(station_called(&bench, a), "\"value\":\"");
    assert_non_null(at);
    struct pw_str rest = pw_str_of(at + 9);
    assert_int_equal(pw_str_copy(key, 64, pw_str_cut(&rest, '"')), PW_OK);
}

void central_rekey(void)
{
    char key[64];
    uint64_t link = 0;
    people(&bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    given_key(key);
    // It was never told: it comes in with the old one, and the change is off.
    bench_break(&bench, a);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", "sixteen-or-more-1", &a), 101);
    bench_break(&bench, a);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", key, &link), 401);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", "sixteen-or-more-1", &a), 101);
    // It was told, and its answer is lost: it comes in with the new one, and only with that.
    people(&bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    given_key(key);
    bench_break(&bench, a);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", key, &link), 101);
    bench_break(&bench, link);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", "sixteen-or-more-1", &link), 401);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", key, &a), 101);
    people(&bench, 202, PW_HTTP_POST, "/api/v1/stations/A/key", "");
    station_answers(&bench, a, "{\"status\":\"NotSupported\"}");
    bench_break(&bench, a);
    assert_int_equal(bench_handshake(&bench, "/ocpp/A", "A", key, &a), 101);
}

void central_effects(void)
{
    int64_t id = people_ask(&bench, "A", "{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}");
    answer_and_expect(id, "{\"status\":\"Accepted\"}", "\"effect_state\":\"waiting\"");
    station_says(&bench, a, "BootNotification",
                 "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}");
    assert_has(command_shown(&bench, id), "\"effect_state\":\"seen\"");
    id = people_ask(&bench, "A",
                    "{\"action\":\"TriggerMessage\",\"payload\":{\"requestedMessage\":"
                    "\"MeterValues\"}}");
    answer_and_expect(id, "{\"status\":\"Accepted\"}", "\"effect_state\":\"waiting\"");
    bench_pass(&bench, 30000);
    assert_has(command_shown(&bench, id), "no effect within 30 s");
}
