// Cases of the part "conformance" (cases.def): being known to the central system, and what it
// triggers.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define BOOT(status, interval)                                                                     \
    "{'status':'" status "','currentTime':'$NOW','interval':" #interval "}"

// How often the station said anything since message `from`.
static unsigned said(const struct rig *r, size_t from)
{
    unsigned count = 0;
    for (size_t i = from; i < r->count; i++) {
        count += r->messages[i]->from_station ? 1U : 0U;
    }
    return count;
}

void case_a_001(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_answer(r, "BootNotification", BOOT("Rejected", 20), 1);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{'chargePointVendor':'*','chargePointModel':'*'}");
    pw_ms rejected = r->street.now;
    rig_expect(r, "BootNotification", "{}");
    rig_check(r, r->street.now >= rejected + 20000 && r->street.now < rejected + 22000);
    rig_expect(r, "StatusNotification", "{'connectorId':0,'status':'Available'}");
    rig_expect(r, "StatusNotification",
               "{'connectorId':1,'status':'Available','errorCode':'NoError'}");
    rig_close(r);
}

void case_a_002(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_answer(r, "BootNotification", BOOT("Pending", 30), 1);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    rig_seconds(r, 1);
    pw_ms pending = r->street.now;
    rig_is(r, rig_ask(r, "GetConfiguration", "{'key':['MeterValueSampleInterval']}"),
           "{'configurationKey':[{'key':'MeterValueSampleInterval','value':'60'}]}");
    rig_configure(r, "MeterValueSampleInterval", "30", "Accepted");
    rig_forget(r);
    rig_is(
        r,
        rig_ask(r, "TriggerMessage", "{'requestedMessage':'StatusNotification','connectorId':1}"),
        "{'status':'Accepted'}");
    rig_expect_for(r, "StatusNotification", "{'connectorId':1}", 2000);
    rig_is(r, rig_ask(r, "TriggerMessage", "{'requestedMessage':'Heartbeat'}"),
           "{'status':'Accepted'}");
    rig_expect_for(r, "Heartbeat", "{}", 2000);
    // The rig itself ends the case at the first message that nobody triggered.
    rig_plug(r);
    rig_expect(r, "BootNotification", "{}");
    rig_check(r, r->street.now >= pending + 28000 && r->street.now < pending + 32000);
    rig_expect(r, "StatusNotification", "{'connectorId':0}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_close(r);
}

// Reason: 4.2: a rejected station sends no OCPP message at all, answers among them.
void case_b_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_answer(r, "BootNotification", BOOT("Rejected", 60), 1);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    rig_seconds(r, 1);
    size_t from = r->count;
    rig_post(r, "GetConfiguration", "{}");
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_send_raw(r, "[2,\"%ID\",\"Nonsense\",{}]");
    rig_seconds(r, 55);
    rig_check(r, said(r, from) == 0);
    rig_expect(r, "BootNotification", "{}");
    rig_close(r);
}

// BootNotifications since message `from`, and nothing else, each `least` ms after the one before.
static unsigned boots_since(struct rig *r, size_t from, pw_ms least)
{
    pw_ms last = 0;
    unsigned boots = 0;
    for (size_t i = from; i < r->count; i++) {
        const struct rig_message *message = r->messages[i];
        if (!message->from_station || message->kind != PW_OCPP_CALL) {
            continue;
        }
        bool boot = strcmp(message->action, "BootNotification") == 0;
        rig_check(r, boot && (last == 0 || message->at >= last + least));
        last = message->at;
        boots++;
    }
    return boots;
}

static void no_flood(struct rig *r, const char *what, pw_ms least)
{
    size_t from = r->count;
    rig_run(r, (pw_ms)3600 * 1000);
    unsigned boots = boots_since(r, from, least);
    if (boots < 3 || boots > 40) {
        rig_fail(r, "%s: %u BootNotifications in an hour", what, boots);
    }
}

// Reason: 4.2 leaves the wait to the station then; a fleet that asks every second is a flood.
void case_b_2(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_answer_error(r, "BootNotification", "InternalError", 0);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    no_flood(r, "CALLERROR", 4000);
    rig_answer_never(r, "BootNotification", 0);
    no_flood(r, "no answer", 4000);
    rig_answer_usual(r, "BootNotification");
    rig_expect_for(r, "StatusNotification", "{'connectorId':1}", 1200000);
    rig_close(r);
}

void case_b_3(void)
{
    static const char *const answers[] = {BOOT("Pending", 0), BOOT("Rejected", 0)};
    for (unsigned i = 0; i < PW_COUNT(answers); i++) {
        struct rig *r = rig_open(RIG_SOCKET);
        rig_answer(r, "BootNotification", answers[i], 0);
        rig_power_on(r);
        rig_expect(r, "BootNotification", "{}");
        no_flood(r, answers[i], 60000);
        rig_answer(r, "BootNotification", BOOT("Accepted", 0), 0);
        rig_expect_for(r, "StatusNotification", "{'connectorId':1}", 900000);
        rig_forget(r);
        rig_run(r, 1800000);
        unsigned beats = rig_count(r, "Heartbeat", "{}", r->cursor);
        rig_check(r, beats >= 2 && beats <= 30);
        rig_close(r);
    }
}

// Reason: 4.2: the central system SHALL not be answered Accepted to what starts a transaction.
void case_b_4(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_answer(r, "BootNotification", BOOT("Pending", 300), 1);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    rig_plug(r);
    rig_seconds(r, 5);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'idTag':'TAG-1','connectorId':1}"),
           "{'status':'Rejected'}");
    rig_is(r, rig_ask(r, "RemoteStopTransaction", "{'transactionId':1}"), "{'status':'Rejected'}");
    rig_seconds(r, 20);
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

// Reason: 4.2: this includes messages that still wait from before.
void case_b_5(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_offline(r);
    rig_seconds(r, 180);
    rig_power_off(r);
    rig_online(r);
    rig_answer(r, "BootNotification", BOOT("Pending", 40), 2);
    rig_forget(r);
    rig_power_on(r);
    // The rig ends the case when anything else is said.
    rig_expect(r, "BootNotification", "{}");
    rig_expect(r, "BootNotification", "{}");
    rig_expect(r, "BootNotification", "{}");
    rig_expect(r, "MeterValues", "{'transactionId':$TX}");
    rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    rig_close(r);
}

void case_b_6(void)
{
    struct rig *r = rig_open(RIG_PAIR);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    rig_expect(r, "StatusNotification", "{'connectorId':0,'status':'Available'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_expect(r, "StatusNotification", "{'connectorId':2,'status':'Available'}");
    rig_seconds(r, 60);
    rig_check(r, rig_count(r, "StatusNotification", "{}", 0) == 3);
    // Accepted once more after a restart of the station: told once more.
    rig_reboot(r);
    rig_forget(r);
    rig_expect(r, "StatusNotification", "{'connectorId':0}");
    rig_expect(r, "StatusNotification", "{'connectorId':1}");
    rig_expect(r, "StatusNotification", "{'connectorId':2}");
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Triggered messages.

#define TRIGGER(message) "{'requestedMessage':'" message "'}"
#define TRIGGER_AT(message, connector)                                                             \
    "{'requestedMessage':'" message "','connectorId':" #connector "}"

static void trigger(struct rig *r, const char *which, const char *payload, const char *status)
{
    const cJSON *conf = rig_ask(r, which, payload);
    if (strcmp(rig_text(conf, "status"), status) != 0) {
        rig_fail(r, "%s %s: %s", which, payload, rig_text(conf, "status"));
    }
}

void case_a_054(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    trigger(r, "TriggerMessage", TRIGGER("Heartbeat"), "Accepted");
    rig_expect_for(r, "Heartbeat", "{}", 1000);
    trigger(r, "TriggerMessage", TRIGGER("StatusNotification"), "Accepted");
    rig_expect_for(r, "StatusNotification", "{'connectorId':0,'status':'Available'}", 1000);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Available'}", 1000);
    trigger(r, "TriggerMessage", TRIGGER_AT("StatusNotification", 1), "Accepted");
    rig_expect_for(r, "StatusNotification", "{'connectorId':1}", 1000);
    trigger(r, "TriggerMessage", TRIGGER("DiagnosticsStatusNotification"), "Accepted");
    rig_expect_for(r, "DiagnosticsStatusNotification", "{'status':'Idle'}", 1000);
    trigger(r, "TriggerMessage", TRIGGER("FirmwareStatusNotification"), "Accepted");
    rig_expect_for(r, "FirmwareStatusNotification", "{'status':'Idle'}", 1000);
    trigger(r, "TriggerMessage", TRIGGER_AT("MeterValues", 1), "Accepted");
    rig_expect_for(
        r, "MeterValues",
        "{'connectorId':1,'transactionId':null,'meterValue':[{'sampledValue':[{'context':"
        "'Trigger','measurand':'Energy.Active.Import.Register'}]}]}",
        1000);
    rig_charge(r);
    trigger(r, "TriggerMessage", TRIGGER("MeterValues"), "Accepted");
    rig_expect_for(r, "MeterValues",
                   "{'connectorId':1,'transactionId':$TX,'meterValue':[{'sampledValue':[{'context':"
                   "'Trigger','measurand':'Power.Active.Import'}]}]}",
                   1000);
    // The answer comes before the message (5.17).
    trigger(r, "ExtendedTriggerMessage", TRIGGER("Heartbeat"), "Accepted");
    rig_check(r, rig_answered(r)->at < r->street.now + 1);
    rig_expect_for(r, "Heartbeat", "{}", 1000);
    trigger(r, "ExtendedTriggerMessage", TRIGGER("LogStatusNotification"), "Accepted");
    rig_expect_for(r, "LogStatusNotification", "{'status':'Idle','requestId':null}", 1000);
    trigger(r, "ExtendedTriggerMessage", TRIGGER("FirmwareStatusNotification"), "Accepted");
    rig_expect_for(r, "SignedFirmwareStatusNotification", "{'status':'Idle','requestId':null}",
                   1000);
    rig_close(r);
}

void case_a_055(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    trigger(r, "TriggerMessage", TRIGGER_AT("MeterValues", 7), "Rejected");
    trigger(r, "TriggerMessage", TRIGGER_AT("StatusNotification", 2), "Rejected");
    rig_configure(r, "MeterValuesSampledData", "", "Accepted");
    trigger(r, "TriggerMessage", TRIGGER_AT("MeterValues", 1), "Rejected");
    rig_expect_none(r, "MeterValues", "{}", 5000);
    rig_expect_none(r, "StatusNotification", "{}", 0);
    rig_close(r);
}

// Reason: errata 3.35 and 3.40; and a central system must not make the station say whatever it
// names (another implementation sent it).
void case_b_54(void)
{
    static const char *const names[] = {"StartTransaction", "Reset",
                                        "Authorize",        "SignedData",
                                        "bootnotification", "LogStatusNotification"};
    struct rig *r = rig_open(RIG_SOCKET);
    rig_answer(r, "BootNotification", BOOT("Pending", 600), 1);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    rig_seconds(r, 1);
    trigger(r, "TriggerMessage", TRIGGER("BootNotification"), "Accepted");
    rig_expect_for(r, "BootNotification", "{}", 2000);
    rig_expect(r, "StatusNotification", "{'connectorId':1}");
    rig_seconds(r, 1);
    rig_forget(r);
    trigger(r, "TriggerMessage", TRIGGER("BootNotification"), "Rejected");
    trigger(r, "ExtendedTriggerMessage", TRIGGER("BootNotification"), "Rejected");
    r->lenient = true; // what the case asks is no message of the standard
    for (unsigned i = 0; i < PW_COUNT(names); i++) {
        char payload[80];
        (void)snprintf(payload, sizeof(payload), "{'requestedMessage':'%s'}", names[i]);
        trigger(r, "TriggerMessage", payload, "NotImplemented");
    }
    size_t from = r->cursor;
    rig_seconds(r, 10);
    rig_check(r, rig_count(r, "BootNotification", "{}", from) == 0);
    rig_check(r, rig_count(r, "StartTransaction", "{}", from) == 0);
    rig_check(r, rig_count(r, "Authorize", "{}", from) == 0);
    rig_close(r);
}
