// Roll-outs of a release that has OCPP's own signature: SignedUpdateFirmware, its answers and its
// statuses (whitepaper L01). The stations are scripts.
#include "fleet.h"
#include "rollouts.h"

static struct fleet fleet;

static void sign(void)
{
    assert_int_equal(bench_http(&fleet.bench, PW_HTTP_PUT, "/api/v1/releases/1",
                                "{\"certificate\":\"PEM\",\"signature\":\"c2ln\"}"),
                     200);
}

static void begin(const char *body)
{
    assert_int_equal(bench_http(&fleet.bench, PW_HTTP_POST, "/api/v1/rollouts", body), 201);
}

static int64_t count(const char *where)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM rollout_station WHERE rollout_id ="
                   " (SELECT MAX(id) FROM rollout) AND %s",
                   where);
    return bench_count(&fleet.bench, sql);
}

// A fleet is mixed: who does not know the message is told UpdateFirmware, and nobody fails for it.
static void stations_that_know_it_get_a_signed_update_and_the_others_a_plain_one(void **state)
{
    (void)state;
    fleet_open(&fleet, 8, 1);
    for (size_t i = 0; i < 4; i++) {
        fleet.unit[i].says = "Accepted";
    }
    sign();
    begin("{\"release_id\":1,\"soak_s\":0}");
    assert_true(fleet_until(&fleet, "finished", UINT64_C(24) * 3600000));
    assert_int_equal(count("state = 'done'"), 8);
    assert_int_equal(fleet.offered, 8);
    assert_int_equal(fleet.asked, 8);
    for (size_t i = 0; i < fleet.units; i++) {
        assert_int_equal(fleet.unit[i].request > 0, i < 4);
        assert_string_equal(fleet.unit[i].version, "2.0.0");
    }
    assert_int_equal(count("request_id > 0"), 4);
    fleet_close(&fleet);
}

static void
an_error_that_does_not_say_the_message_is_unknown_is_no_reason_to_ask_plainly(void **state)
{
    (void)state;
    fleet_open(&fleet, 1, 1);
    fleet.unit[0].says = "";
    sign();
    begin("{\"release_id\":1}");
    // Its answer is none of SignedUpdateFirmware.
    fleet_pass(&fleet, 3600000);
    assert_int_equal(fleet.offered > 0, 1);
    assert_int_equal(fleet.asked, 0);
    assert_int_equal(count("state = 'done'"), 0);
    fleet_close(&fleet);
}

// One station that was asked and does nothing of its own.
static void ask_one(const char *says)
{
    fleet_anew(&fleet, 1);
    fleet.unit[0].still = true;
    fleet.unit[0].says = says;
    begin("{\"release_id\":1}");
    fleet_pass(&fleet, 10000);
    assert_int_equal(fleet.offered, 1);
}

static void say(const char *word, int64_t request)
{
    char payload[96];
    (void)snprintf(payload, sizeof(payload), "{\"status\":\"%s\",\"requestId\":%d}", word,
                   (int)request);
    fleet_say(&fleet.unit[0], "SignedFirmwareStatusNotification", payload);
    fleet_pass(&fleet, 5000);
}

static void every_answer_to_it_is_agreement_or_a_failure_in_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        const char *then;
    } rows[] = {
        {"Accepted", "state = 'asked' AND why IS NULL"},
        {"AcceptedCanceled", "state = 'asked' AND why IS NULL"},
        {"Rejected",
         "state = 'failed' AND why = 'the station refused the signed update: Rejected'"},
        {"InvalidCertificate",
         "state = 'failed' AND why = 'the station refused the signed update: InvalidCertificate'"},
        {"RevokedCertificate",
         "state = 'failed' AND why = 'the station refused the signed update: RevokedCertificate'"},
    };
    fleet_open(&fleet, 1, 1);
    sign();
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        ask_one(rows[i].says);
        if (count(rows[i].then) != 1) {
            fail_msg("%s", rows[i].says);
        }
    }
    fleet_close(&fleet);
}

static void every_status_of_this_request_counts_and_of_another_none_does(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        const char *then;
    } rows[] = {
        {"Idle", "asked"},
        {"DownloadScheduled", "downloading"},
        {"Downloading", "downloading"},
        {"DownloadPaused", "downloading"},
        {"Downloaded", "downloaded"},
        {"SignatureVerified", "downloaded"},
        {"InstallScheduled", "downloaded"},
        {"Installing", "installing"},
        {"InstallRebooting", "installing"},
        {"Installed", "on trial"}, // it runs another version
        {"DownloadFailed", "failed"},
        {"InvalidSignature", "failed"},
        {"InstallationFailed", "failed"},
        {"InstallVerificationFailed", "failed"},
    };
    assert_int_equal(PW_COUNT(rows), pw_ocpp16_signed_firmware_status.count);
    fleet_open(&fleet, 1, 1);
    sign();
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char where[160];
        ask_one("Accepted");
        // The end of an update that this one has taken the place of, with and without a number.
        say("InstallationFailed", fleet.unit[0].request + 1000);
        fleet_say(&fleet.unit[0], "FirmwareStatusNotification", "{\"status\":\"DownloadFailed\"}");
        fleet_pass(&fleet, 5000);
        assert_int_equal(count("state = 'asked'"), 1);
        say(rows[i].says, fleet.unit[0].request);
        (void)snprintf(where, sizeof(where), "state = '%s'", rows[i].then);
        if (count(where) != 1) {
            fail_msg("%s is not %s", rows[i].says, rows[i].then);
        }
        (void)snprintf(where, sizeof(where), "state = 'failed' AND why <> '%s'", rows[i].says);
        assert_int_equal(count(where), 0);
    }
    fleet_close(&fleet);
}

// Reason: the central is started again while stations load; their numbers still say what they mean.
static void a_request_is_known_by_its_number_after_a_restart_of_the_central(void **state)
{
    (void)state;
    fleet_open(&fleet, 1, 1);
    sign();
    ask_one("Accepted");
    say("Downloading", fleet.unit[0].request);
    fleet.cut_at = fleet.operations + 1;
    fleet_pass(&fleet, 30000);
    say("InvalidSignature", fleet.unit[0].request + 1);
    assert_int_equal(count("state = 'downloading'"), 1);
    say("InvalidSignature", fleet.unit[0].request);
    assert_int_equal(count("state = 'failed' AND why = 'InvalidSignature'"), 1);
    fleet_close(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stations_that_know_it_get_a_signed_update_and_the_others_a_plain_one),
        cmocka_unit_test(
            an_error_that_does_not_say_the_message_is_unknown_is_no_reason_to_ask_plainly),
        cmocka_unit_test(every_answer_to_it_is_agreement_or_a_failure_in_its_words),
        cmocka_unit_test(every_status_of_this_request_counts_and_of_another_none_does),
        cmocka_unit_test(a_request_is_known_by_its_number_after_a_restart_of_the_central),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
