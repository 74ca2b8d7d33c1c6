// Cases of the part "conformance" (cases.def): charges, how they begin and end.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

void case_a_003(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','meterStart':'*'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_seconds(r, 5);
    rig_check(r, rig_energy_flows(r));
    rig_close(r);
}

void case_a_004_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_seconds(r, 10);
    rig_plug(r);
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_close(r);
}

void case_a_004_2(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "ConnectionTimeOut", "40", "Accepted");
    rig_card(r, "TAG-1");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    pw_ms since = r->street.now;
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_check(r, r->street.now >= since + 39000 && r->street.now <= since + 42000);
    rig_plug(r);
    rig_expect_none(r, "StartTransaction", "{}", 20000);
    rig_close(r);
}

// The vehicle's end of the cable comes out, or the whole cable: a socket that unlocks by itself
// sees the same.
void case_a_005_1(void)
{
    static const enum rig_kind kinds[] = {RIG_SOCKET, RIG_CABLE, RIG_DC, RIG_OPENEVSE};
    for (unsigned i = 0; i < PW_COUNT(kinds); i++) {
        struct rig *r = rig_open(kinds[i]);
        rig_boot(r);
        rig_charge(r);
        rig_seconds(r, 30);
        rig_unplug(r);
        rig_expect_too(r, "StopTransaction", "{'transactionId':$TX,'reason':'EVDisconnected'}");
        rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
        rig_close(r);
    }
}

// The vehicle's end comes out; the station's stays until somebody may have it.
void case_a_005_2(void)
{
    static const bool by_card[] = {true, false};
    for (unsigned i = 0; i < PW_COUNT(by_card); i++) {
        struct rig *r = rig_open(RIG_SOCKET);
        rig_boot(r);
        rig_configure(r, "UnlockConnectorOnEVSideDisconnect", "false", "Accepted");
        rig_charge(r);
        rig_unplug(r);
        rig_expect_too(r, "StopTransaction", "{'transactionId':$TX,'reason':'EVDisconnected'}");
        rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Finishing'}");
        rig_expect_none(r, "StatusNotification", "{'connectorId':1}", 60000);
        rig_check(r, pw_world_ac_truth(&r->street.ac).lock == PW_BOARD_LOCK_CLOSED);
        rig_card(r, "TAG-2");
        rig_seconds(r, 5);
        rig_check(r, pw_world_ac_truth(&r->street.ac).lock == PW_BOARD_LOCK_CLOSED);
        if (by_card[i]) {
            rig_card(r, "TAG-1");
        } else {
            rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'Unlocked'}");
        }
        rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
        rig_seconds(r, 3);
        rig_check(r, pw_world_ac_truth(&r->street.ac).lock == PW_BOARD_LOCK_OPEN);
        rig_close(r);
    }
    // A fixed cable has no lock: the key says so (erratum 3.85).
    struct rig *r = rig_open(RIG_CABLE);
    rig_boot(r);
    rig_check(r, strcmp(rig_key(r, "UnlockConnectorOnEVSideDisconnect"), "false") == 0);
    rig_check(r, rig_key_readonly(r, "UnlockConnectorOnEVSideDisconnect"));
    rig_configure(r, "UnlockConnectorOnEVSideDisconnect", "true", "Rejected");
    rig_close(r);
}

void case_a_005_3(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "StopTransactionOnEVSideDisconnect", "false", "Accepted");
    rig_configure(r, "UnlockConnectorOnEVSideDisconnect", "false", "Accepted");
    rig_charge(r);
    rig_unplug(r);
    rig_expect(r, "StatusNotification",
               "{'connectorId':1,'status':'SuspendedEV','errorCode':'NoError',"
               "'info':'EV side disconnected'}");
    rig_expect_none(r, "StopTransaction", "{}", 60000);
    rig_check(r, pw_world_ac_truth(&r->street.ac).lock == PW_BOARD_LOCK_CLOSED);
    rig_check(r, !rig_energy_flows(r));
    // The vehicle is back: the same transaction goes on.
    rig_leave(r);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_seconds(r, 5);
    rig_check(r, rig_energy_flows(r));
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'SuspendedEV'}");
    rig_is(r, rig_ask(r, "RemoteStopTransaction", "{'transactionId':$TX}"),
           "{'status':'Accepted'}");
    rig_expect_too(r, "StopTransaction", "{'transactionId':$TX,'reason':'Remote'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_check(r, rig_count(r, "StartTransaction", "{}", 0) == 1);
    rig_close(r);
}

void case_a_010(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'idTag':'TAG-1','connectorId':1}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_check(r, rig_count(r, "Authorize", "{}", 0) == 0); // AuthorizeRemoteTxRequests is false
    rig_close(r);
}

void case_a_011_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "AuthorizeRemoteTxRequests", "true", "Accepted");
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'idTag':'TAG-1','connectorId':1}"),
           "{'status':'Accepted'}");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_plug(r);
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_close(r);
}

void case_a_011_2(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "ConnectionTimeOut", "30", "Accepted");
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'idTag':'TAG-1','connectorId':1}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_plug(r);
    rig_expect_none(r, "StartTransaction", "{}", 20000);
    rig_close(r);
}

void case_a_012(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_is(r, rig_ask(r, "RemoteStopTransaction", "{'transactionId':$TX}"),
           "{'status':'Accepted'}");
    rig_expect_too(r, "StopTransaction", "{'transactionId':$TX,'reason':'Remote'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Finishing'}");
    rig_check(r, !rig_energy_flows(r));
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Reset.

static void reset_at_rest(const char *type)
{
    struct rig *r = rig_open(RIG_SOCKET);
    char payload[40];
    rig_boot(r);
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    (void)snprintf(payload, sizeof(payload), "{'type':'%s'}", type);
    rig_is(r, rig_ask(r, "Reset", payload), "{'status':'Accepted'}");
    rig_expect(r, "BootNotification", "{}");
    rig_check(r, r->restarts == 1);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Operative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_close(r);
}

void case_a_013(void)
{
    reset_at_rest("Hard");
}

void case_a_014(void)
{
    reset_at_rest("Soft");
}

static void reset_in_charge(const char *type, const char *reason)
{
    struct rig *r = rig_open(RIG_SOCKET);
    char payload[40];
    char stop[80];
    rig_boot(r);
    rig_charge(r);
    (void)snprintf(payload, sizeof(payload), "{'type':'%s'}", type);
    (void)snprintf(stop, sizeof(stop), "{'transactionId':$TX,'reason':'%s'}", reason);
    rig_is(r, rig_ask(r, "Reset", payload), "{'status':'Accepted'}");
    rig_expect_too(r, "StopTransaction", stop);
    rig_check(r, r->restarts == 0);
    // Finishing, and never Unavailable, before it goes down.
    rig_expect_too(r, "StatusNotification", "{'connectorId':1,'status':'Finishing'}");
    rig_check(r, r->restarts == 0);
    rig_expect(r, "BootNotification", "{}");
    rig_check(r, r->restarts == 1);
    rig_check(r, rig_count(r, "StatusNotification", "{'status':'Unavailable'}", 0) == 0);
    rig_expect(r, "StatusNotification", "{'connectorId':1}");
    rig_seconds(r, 30);
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == 1);
    rig_close(r);
}

void case_a_015(void)
{
    reset_in_charge("Hard", "HardReset");
}

void case_a_016(void)
{
    reset_in_charge("Soft", "SoftReset");
}

// Reason: erratum 3.36: what could not be delivered before goes out after the boot.
void case_b_55(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_answer_never(r, "StopTransaction", 0);
    rig_is(r, rig_ask(r, "Reset", "{'type':'Soft'}"), "{'status':'Accepted'}");
    rig_expect(r, "StopTransaction", "{'transactionId':$TX,'reason':'SoftReset'}");
    rig_expect_for(r, "BootNotification", "{}", 120000);
    rig_check(r, r->restarts == 1);
    rig_answer_usual(r, "StopTransaction");
    rig_expect_for(r, "StopTransaction", "{'transactionId':$TX,'reason':'SoftReset'}", 120000);
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Unlock.

void case_a_017_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'Unlocked'}");
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'Unlocked'}");
    rig_seconds(r, 3);
    rig_check(r, pw_world_ac_truth(&r->street.ac).lock != PW_BOARD_LOCK_CLOSED);
    rig_close(r);
}

void case_a_017_2(void)
{
    static const enum rig_kind kinds[] = {RIG_CABLE, RIG_DC, RIG_OPENEVSE};
    for (unsigned i = 0; i < PW_COUNT(kinds); i++) {
        struct rig *r = rig_open(kinds[i]);
        rig_boot(r);
        rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'NotSupported'}");
        rig_close(r);
    }
}

void case_a_018_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'Unlocked'}");
    rig_expect_too(r, "StopTransaction", "{'transactionId':$TX,'reason':'UnlockCommand'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Finishing'}");
    rig_check(r, !rig_energy_flows(r));
    rig_seconds(r, 5);
    rig_check(r, pw_world_ac_truth(&r->street.ac).lock == PW_BOARD_LOCK_OPEN);
    rig_close(r);
}

void case_a_018_2(void)
{
    static const enum rig_kind kinds[] = {RIG_CABLE, RIG_DC, RIG_OPENEVSE};
    for (unsigned i = 0; i < PW_COUNT(kinds); i++) {
        struct rig *r = rig_open(kinds[i]);
        rig_boot(r);
        rig_charge(r);
        rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'NotSupported'}");
        rig_expect_none(r, "StopTransaction", "{}", 20000);
        rig_check(r, rig_energy_flows(r));
        rig_close(r);
    }
}

void case_a_024(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_world(r, "jam on");
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StatusNotification",
               "{'connectorId':1,'status':'Faulted','errorCode':'ConnectorLockFailure'}");
    rig_expect_none(r, "StartTransaction", "{}", 10000);
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

void case_a_030(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_world(r, "jam on");
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'UnlockFailed'}");
    rig_close(r);
}

void case_a_031(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':9}"), "{'status':'NotSupported'}");
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// What is refused.

void case_a_026(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'idTag':'TAG-2','connectorId':1}"),
           "{'status':'Rejected'}");
    rig_expect_none(r, "StartTransaction", "{}", 10000);
    rig_check(r, rig_energy_flows(r));
    rig_close(r);
}

void case_a_027(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_seconds(r, 5);
    r->lenient = true; // the schema of the request wants a connector above 0
    const char *code =
        rig_ask_error(r, "RemoteStartTransaction", "{'idTag':'TAG-1','connectorId':0}");
    rig_check(r, code[0] == '\0' || strcmp(code, "PropertyConstraintViolation") == 0);
    if (code[0] == '\0') {
        rig_is(r, rig_answered(r)->payload, "{'status':'Rejected'}");
    }
    rig_forget(r);
    rig_expect_none(r, "StartTransaction", "{}", 10000);
    rig_close(r);
}

void case_a_028(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_is(r, rig_ask(r, "RemoteStopTransaction", "{'transactionId':999999}"),
           "{'status':'Rejected'}");
    rig_is(r, rig_ask(r, "RemoteStopTransaction", "{'transactionId':-1}"), "{'status':'Rejected'}");
    rig_expect_none(r, "StopTransaction", "{}", 10000);
    rig_check(r, rig_energy_flows(r));
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Power.

void case_a_032_1(void)
{
    rig_not_applicable("no supported board tells that its supply fails while there is time left to "
                       "speak: the stop is made at the next start (A 032_2)");
}

void case_a_032_2(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_seconds(r, 300);
    rig_power_off(r);
    r->street.now += 60000;
    rig_forget(r);
    rig_power_on(r);
    rig_expect(r, "BootNotification", "{}");
    const cJSON *stop =
        rig_expect_too(r, "StopTransaction", "{'transactionId':$TX,'reason':'PowerLoss'}");
    rig_check(r, rig_time(stop, "timestamp") < rig_wall(r) - 60000);
    rig_check(r, rig_number(stop, "meterStop") > 0);
    rig_close(r);
}

void case_a_034(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':0,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    rig_reboot(r);
    rig_forget(r);
    rig_expect(r, "StatusNotification", "{'connectorId':0,'status':'Unavailable'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    rig_card(r, "TAG-1");
    rig_plug(r);
    rig_expect_none(r, "StartTransaction", "{}", 10000);
    rig_close(r);
}

void case_a_041(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_fault(r, true);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Faulted'}");
    rig_card(r, "TAG-1");
    rig_plug(r);
    rig_expect_none(r, "StartTransaction", "{}", 20000);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'idTag':'TAG-1','connectorId':1}"),
           "{'status':'Rejected'}");
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

void case_a_062(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r,
           rig_ask(r, "DataTransfer", "{'vendorId':'com.example','messageId':'Hello','data':'x'}"),
           "{'status':'UnknownVendorId','data':null}");
    rig_is(r, rig_ask(r, "DataTransfer", "{'vendorId':'org.pilotwire','messageId':'Hello'}"),
           "{'status':'UnknownMessageId','data':null}");
    rig_is(
        r,
        rig_ask(r, "DataTransfer", "{'vendorId':'org.pilotwire','messageId':'Limit','data':'1'}"),
        "{'status':'Accepted','data':'*'}");
    rig_is(
        r,
        rig_ask(r, "DataTransfer", "{'vendorId':'org.pilotwire','messageId':'Limit','data':'9'}"),
        "{'status':'Rejected'}");
    rig_close(r);
}
