// Attacks that go through more than one part (cases.def, T; facts/reliability.md).
#include "cases.h"
#include "mqtt/mqtt.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S 3600

// ---------------------------------------------------------------------------------------------
// T 10. Somebody who has got hold of a way to give orders wants to wear out contactors, or to make
// thousands of cars swing together. That offers are raised 5 s apart and closings an hour are kept
// is the observer's to check, who sees nothing but wires (acwatch, I4 and I7); here is how often.

static void limit_to(struct rig *r, unsigned second, const char *low, const char *high)
{
    char text[400];
    (void)snprintf(text, sizeof(text),
                   "{'connectorId':1,'csChargingProfiles':{'chargingProfileId':1,'stackLevel':0,"
                   "'chargingProfilePurpose':'TxDefaultProfile','chargingProfileKind':'Relative',"
                   "'chargingSchedule':{'chargingRateUnit':'A','chargingSchedulePeriod':["
                   "{'startPeriod':0,'limit':%s}]}}}",
                   second % 2 == 0 ? low : high);
    rig_is(r, rig_ask(r, "SetChargingProfile", text), "{'status':'Accepted'}");
}

static void by_profiles(enum rig_kind kind, const char *low, unsigned offers_most)
{
    struct rig *r = rig_open(kind);
    rig_boot(r);
    rig_charge(r);
    uint32_t offers = r->street.watch.offers;
    for (unsigned second = 0; second < HOUR_S; second++) {
        pw_ms due = r->street.now + 1000;
        limit_to(r, second, low, "32");
        rig_run(r, due - r->street.now);
    }
    rig_check(r, r->street.link && r->restarts == 0);
    if (kind == RIG_SOCKET) {
        if (r->street.watch.offers - offers > offers_most) {
            rig_fail(r, "%s A: %u changes of the offer", low, r->street.watch.offers - offers);
        }
        rig_check(r, r->street.watch.closings <= r->street.watch.rules.closes_an_hour + 1);
    } else {
        rig_check(r, r->street.oewatch.closings <= 61);
    }
    rig_close(r);
}

static void by_remote_starts(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    for (unsigned second = 0; second < HOUR_S; second++) {
        char text[60];
        pw_ms due = r->street.now + 1000;
        rig_leave(r);
        if (second % 2 == 0) {
            (void)snprintf(text, sizeof(text), "{'transactionId':%d}", r->transaction);
            (void)rig_ask(r, "RemoteStopTransaction", text);
        } else {
            (void)rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
        }
        rig_run(r, due > r->street.now ? due - r->street.now : 0);
    }
    rig_check(r, r->street.watch.closings <= r->street.watch.rules.closes_an_hour + 1);
    rig_check(r, r->street.link && r->restarts == 0);
    rig_seconds(r, 60);
    rig_check(r, rig_count(r, "StartTransaction", "{}", 0) <=
                     rig_count(r, "StopTransaction", "{}", 0) + 1);
    rig_close(r);
}

static void tell(struct rig *r, struct pw_mqtt *mqtt, const char *topic, const char *value)
{
    struct pw_broker_message out;
    char text[100];
    (void)snprintf(text, sizeof(text), "Dinamics/%s/%s", "SN-10", topic);
    const struct pw_broker_message message = {.topic = pw_str_of(text),
                                              .payload = pw_str_of(value)};
    pw_mqtt_message(mqtt, &message, r->street.now);
    (void)pw_mqtt_step(mqtt, r->street.now);
    while (pw_mqtt_take(mqtt, &out, r->street.now)) {
    }
    r->street.station_at = r->street.now;
}

static void by_mqtt(const char *topic, const char *low, const char *high, uint32_t offers_most)
{
    struct rig *r = rig_open(RIG_SOCKET);
    struct pw_mqtt *mqtt = calloc(1, sizeof(*mqtt));
    PW_ASSERT(mqtt != NULL);
    rig_set(r, "station.serial", "SN-10");
    rig_boot(r);
    const struct pw_mqtt_config config = {
        .station = r->street.station, .log = &r->street.log, .version = "1"};
    pw_mqtt_init(mqtt, &config, r->street.now);
    pw_mqtt_up(mqtt, r->street.now);
    rig_charge(r);
    uint32_t offers = r->street.watch.offers;
    r->street.watch.rules.most_ma = 32000; // the owner's most is what is toggled
    for (unsigned second = 0; second < HOUR_S; second++) {
        rig_leave(r);
        tell(r, mqtt, topic, second % 2 == 0 ? low : high);
        rig_seconds(r, 1);
    }
    uint32_t changes = r->street.watch.offers - offers;
    if (changes < 1 || changes > offers_most) {
        rig_fail(r, "%s: %u changes of the offer", topic, changes);
    }
    rig_check(r, r->street.watch.closings <= r->street.watch.rules.closes_an_hour + 1);
    free(mqtt);
    rig_close(r);
}

void case_t_10(void)
{
    // Each raise is 5 s behind the change before it, each decrease at once: two in every 5 s. After
    // a pause it is 3 s (IEC 61851-1 seq. 9.2), and the contactor has its own hours.
    by_profiles(RIG_SOCKET, "6", 2 * HOUR_S / 5 + 2);
    by_profiles(RIG_SOCKET, "0", 2 * HOUR_S / 4 + 2);
    by_profiles(RIG_OPENEVSE, "6", 0);
    by_profiles(RIG_OPENEVSE, "0", 0);
    by_mqtt("set_c_limit", "6", "32", 2 * HOUR_S / 5 + 2);
    by_mqtt("set_enable", "1", "2", 2 * HOUR_S / 4 + 2);
    by_remote_starts();
}

// ---------------------------------------------------------------------------------------------
// T 14.

// Reason: on other stations a reset brought factory passwords back. There are none here: what was
// given stays, and whoever may forget settings lowers no security profile with that.
void case_t_14(void)
{
    static const char *const after[] = {"reboot", "defaults", "restart"};
    static const char key[] = "a-key-that-is-long-enough";
    struct rig *r = rig_open(RIG_SOCKET);
    street_secret(&r->street, "page.password", "PAGE-PASSWORD-1");
    rig_boot(r);
    rig_configure(r, "AuthorizationKey", key, "Accepted");
    rig_seconds(r, 5);
    rig_configure(r, "SecurityProfile", "1", "Accepted");
    rig_seconds(r, 5);
    rig_check(r, strcmp(rig_key(r, "SecurityProfile"), "1") == 0);
    for (size_t i = 0; i < PW_COUNT(after); i++) {
        if (i > 0) {
            (void)rig_console(r, after[i]);
            rig_seconds(r, 5);
        }
        rig_reboot(r);
        rig_boot(r);
        const struct pw_settings *settings = &r->street.station->settings;
        if (strcmp(pw_settings_text(settings, PW_SET_PAGE_PASSWORD), "PAGE-PASSWORD-1") != 0) {
            rig_fail(r, "after %s the page's password is another one", after[i]);
        }
        struct pw_security_target target;
        pw_station_target(r->street.station, &target, r->street.now);
        if (!pw_str_is(target.password, key)) {
            rig_fail(r, "after %s the key is another one", after[i]);
        }
        if (strcmp(rig_key(r, "SecurityProfile"), "1") != 0) {
            rig_fail(r, "after %s the security profile is %s", after[i],
                     rig_key(r, "SecurityProfile"));
        }
    }
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// T 16.

static cJSON *golden(const char *action)
{
    static char text[8192];
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.req.json", CONFORMANCE_GOLDEN, action);
    FILE *file = fopen(path, "r");
    PW_ASSERT(file != NULL);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    return cJSON_ParseWithLength(text, len);
}

// What each request may say to a station that has no keys, no certificates, moves no files, whose
// meter is not there and whose records cannot be kept.
static const struct {
    const char *action;
    const char *refusals; // statuses or error codes
} without[] = {
    {"CertificateSigned", "Rejected"},
    {"InstallCertificate", "Rejected Failed"},
    {"DeleteCertificate", "NotFound Failed"},
    {"GetInstalledCertificateIds", "NotFound"},
    {"GetDiagnostics", "NotSupported"},
    {"GetLog", "Rejected NotSupported"},
    {"UpdateFirmware", "NotSupported"},
    {"SignedUpdateFirmware", "Rejected NotSupported InvalidCertificate"},
};

static void ask_without(struct rig *r, const char *action, const char *refusals)
{
    static char frame[10000];
    cJSON *request = golden(action);
    char *text = cJSON_PrintUnformatted(request);
    (void)snprintf(frame, sizeof(frame), "[2,\"%%ID\",\"%s\",%s]", action, text);
    free(text);
    cJSON_Delete(request);
    const char *code = rig_ask_raw(r, frame);
    if (code == NULL) {
        rig_fail(r, "%s is not answered", action);
    }
    if (code[0] == '\0' && refusals != NULL) {
        code = rig_text(rig_answered(r)->payload, "status");
    }
    if (refusals != NULL && strstr(refusals, code) == NULL) {
        rig_fail(r, "%s: %s", action, code);
    }
}

// Reason: another station crashed when it was asked for what had failed to start.
void case_t_16(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    r->lenient = true;
    for (size_t i = 0; i < PW_COUNT(without); i++) {
        ask_without(r, without[i].action, without[i].refusals);
    }
    rig_configure(r, "SecurityProfile", "2", "Rejected");
    rig_check(r, rig_energy_flows(r) && r->restarts == 0);
    // And all of them, whatever they say, while nothing can be written any more.
    r->street.store.failed = true;
    for (unsigned i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        char action[RIG_ACTION_MAX];
        struct pw_str name = pw_ocpp16_action_name((enum pw_ocpp16_action)i);
        bool ours = (pw_ocpp16_actions[i].sender & PW_OCPP16_FROM_CENTRAL) != 0;
        rig_check(r, pw_str_copy(action, sizeof(action), name) == PW_OK);
        if (ours && strcmp(action, "Reset") != 0) {
            ask_without(r, action, NULL);
        }
    }
    rig_check(r, r->street.link && r->restarts == 0);
    rig_close(r);
}
