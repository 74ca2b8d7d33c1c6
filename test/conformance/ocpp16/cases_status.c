// Cases of the part "conformance" (cases.def): StatusNotification and ChangeAvailability.
#include "cases.h"
#include "rig.h"

#include <string.h>

void case_b_25(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "MinimumStatusDuration", "20", "Accepted");
    for (unsigned i = 0; i < 5; i++) {
        rig_plug(r);
        rig_seconds(r, 5);
        rig_unplug(r);
        rig_seconds(r, 5);
    }
    rig_expect_none(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}", 30000);
    rig_plug(r);
    rig_expect_none(r, "StatusNotification", "{'connectorId':1}", 17000);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}", 6000);
    rig_close(r);
}

// Reason: erratum 3.20: with the cable left in, the next card must not start on it.
void case_b_26(void)
{
    struct rig *r = rig_open(RIG_PAIR);
    rig_boot(r);
    rig_configure(r, "ConnectionTimeOut", "60", "Accepted");
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    pw_ms since = r->street.now;
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Finishing'}", 70000);
    rig_check(r, r->street.now >= since + 59000);
    // Somebody else comes to the other connector, card first.
    rig_card(r, "TAG-2");
    rig_expect(r, "StatusNotification", "{'connectorId':2,'status':'Preparing'}");
    rig_plug_at(r, 2);
    rig_expect(r, "StartTransaction", "{'connectorId':2,'idTag':'TAG-2'}");
    rig_check(r, rig_count(r, "StartTransaction", "{'connectorId':1}", 0) == 0);
    // The first driver is not locked out for good: out and in again.
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_seconds(r, 3);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_card_at(r, 1, "TAG-1");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_close(r);
}

// Reason: 4.9: after a fault the status before it comes back; the transaction was not ended by it.
void case_b_27(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_fault(r, true);
    rig_expect(r, "StatusNotification",
               "{'connectorId':1,'status':'Faulted','errorCode':'GroundFailure'}");
    rig_check(r, !rig_energy_flows(r));
    rig_fault(r, false);
    rig_expect_for(r, "StatusNotification",
                   "{'connectorId':1,'status':'Charging','errorCode':'NoError'}", 120000);
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == 0);
    rig_check(r, rig_count(r, "StatusNotification", "{'connectorId':1,'status':'Available'}",
                           r->cursor) == 0);
    rig_close(r);
}

void case_b_28(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_world(r, "s2 open");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'SuspendedEV'}");
    (void)!street_load_limit(&r->street, 0, PW_NEVER);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'SuspendedEVSE'}");
    rig_seconds(r, 30);
    rig_check(r, rig_count(r, "StatusNotification", "{'status':'SuspendedEV'}", r->cursor) == 0);
    (void)!street_load_limit(&r->street, 16000, PW_NEVER);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'SuspendedEV'}", 120000);
    rig_close(r);
}

// Reason: 4.9: the station itself has only these, whatever its connectors do.
void case_b_29(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_fault(r, true);
    rig_seconds(r, 20);
    rig_fault(r, false);
    rig_seconds(r, 60);
    rig_card(r, "TAG-1");
    rig_seconds(r, 20);
    rig_unplug(r);
    rig_seconds(r, 20);
    rig_check(r,
              rig_count(r, "StatusNotification", "{'connectorId':0}", 0) ==
                  rig_count(r, "StatusNotification", "{'connectorId':0,'status':'Available'}", 0));
    rig_forget(r);
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':0,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':0,'status':'Unavailable'}");
    r->street.store.failed = true;
    rig_plug(r);
    rig_expect_for(r, "StatusNotification",
                   "{'connectorId':0,'status':'Faulted','errorCode':'InternalError'}", 120000);
    rig_close(r);
}

void case_b_30(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Inoperative'}"),
           "{'status':'Scheduled'}");
    rig_expect_none(r, "StatusNotification", "{'connectorId':1}", 20000);
    rig_check(r, rig_energy_flows(r));
    rig_card(r, "TAG-1");
    rig_expect_too(r, "StopTransaction", "{'reason':'Local'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    rig_unplug(r);
    rig_seconds(r, 3);
    rig_plug(r);
    rig_seconds(r, 3);
    rig_card(r, "TAG-1");
    rig_expect_none(r, "StartTransaction", "{}", 10000);
    // The same again is Accepted; the way back too.
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Operative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':5,'type':'Operative'}"),
           "{'status':'Rejected'}");
    rig_close(r);
}
