// Cases of the part "tags" (cases.def) about reservations: one function each, named
// case_<function>.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

enum { A_WHILE_MS = 20000 };

static struct rig *booted(enum rig_kind kind)
{
    struct rig *r = rig_open(kind);
    rig_boot(r);
    return r;
}

#define GROUP "{'idTagInfo':{'status':'Accepted','parentIdTag':'GROUP'}}"

static void reserve(struct rig *r, const char *request, const char *status)
{
    char text[60];
    (void)snprintf(text, sizeof(text), "{'status':'%s'}", status);
    rig_is(r, rig_ask(r, "ReserveNow", request), text);
}

#define RESERVE_ONE "{'connectorId':1,'expiryDate':'$IN(600)','idTag':'TAG-1','reservationId':17}"
#define RESERVE_ANY "{'connectorId':0,'expiryDate':'$IN(600)','idTag':'TAG-1','reservationId':18}"
#define RESERVE_GROUP                                                                              \
    "{'connectorId':1,'expiryDate':'$IN(600)','idTag':'TAG-9','parentIdTag':'GROUP',"              \
    "'reservationId':19}"
#define RESERVED "{'connectorId':1,'status':'Reserved'}"

void case_a_046_1(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_plug(r);
    // Somebody else's card is asked about by nobody: the connector is not his.
    rig_card(r, "TAG-2");
    rig_expect_none(r, "StartTransaction", "{}", A_WHILE_MS);
    rig_card(r, "tag-1");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'tag-1','reservationId':17}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{}");
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_close(r);
}

void case_a_046_2(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-2'}"),
           "{'status':'Rejected'}");
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_plug(r);
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','reservationId':17}");
    rig_close(r);
}

void case_a_047(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    // It outlives a reboot, and ends on its time.
    rig_reboot(r);
    rig_expect(r, "StatusNotification", RESERVED);
    rig_expect_none(r, "StatusNotification", "{'connectorId':1,'status':'Available'}", 300000);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Available'}", 600000);
    rig_plug(r);
    rig_card(r, "TAG-2");
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-2','reservationId':null}");
    rig_close(r);
}

void case_a_048_1(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_fault(r, true);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Faulted'}");
    reserve(r, RESERVE_ONE, "Faulted");
    reserve(r, RESERVE_ANY, "Faulted");
    rig_close(r);
}

void case_a_048_2(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    reserve(r, RESERVE_ONE, "Occupied");
    rig_card(r, "TAG-2");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    reserve(r, RESERVE_ONE, "Occupied");
    reserve(r, RESERVE_ANY, "Occupied");
    rig_close(r);
}

void case_a_048_3(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    reserve(r, RESERVE_ONE, "Unavailable");
    reserve(r, RESERVE_ANY, "Unavailable");
    rig_close(r);
}

void case_a_048_4(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.reservations", "false");
    rig_boot(r);
    reserve(r, RESERVE_ONE, "Rejected");
    rig_expect_none(r, "StatusNotification", RESERVED, 5000);
    rig_close(r);
}

// As the certification tool does it: the second connector is out of service, so that the first one
// is the one that stays free.
void case_a_049(void)
{
    struct rig *r = booted(RIG_PAIR);
    rig_check(r, strcmp(rig_key(r, "ReserveConnectorZeroSupported"), "true") == 0);
    rig_check(r, rig_key_readonly(r, "ReserveConnectorZeroSupported"));
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':2,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':2,'status':'Unavailable'}");
    reserve(r, RESERVE_ANY, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_is(r, rig_ask(r, "CancelReservation", "{'reservationId':18}"), "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_close(r);
}

// With both connectors free nothing shows; a stranger may have one, and the other is kept then.
void case_a_050_1(void)
{
    struct rig *r = booted(RIG_PAIR);
    reserve(r, RESERVE_ANY, "Accepted");
    rig_expect_none(r, "StatusNotification", "{'status':'Reserved'}", 5000);
    rig_plug_at(r, 2);
    rig_card_at(r, 2, "TAG-2");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_expect(r, "StartTransaction", "{'connectorId':2,'idTag':'TAG-2','reservationId':null}");
    rig_plug(r);
    rig_card_at(r, 1, "TAG-3");
    rig_expect_none(r, "StartTransaction", "{'connectorId':1}", A_WHILE_MS);
    rig_card_at(r, 1, "TAG-1");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','reservationId':18}");
    rig_close(r);
}

void case_a_050_2(void)
{
    struct rig *r = booted(RIG_PAIR);
    reserve(r, RESERVE_ANY, "Accepted");
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':2,'idTag':'TAG-1'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':2,'status':'Preparing'}");
    // Its holder is awaited there: the other connector is anybody's.
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-2'}"),
           "{'status':'Accepted'}");
    rig_plug_at(r, 2);
    rig_expect(r, "StartTransaction", "{'connectorId':2,'idTag':'TAG-1','reservationId':18}");
    rig_close(r);
}

void case_a_050_3(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.reserve_connector_zero", "false");
    rig_boot(r);
    rig_check(r, strcmp(rig_key(r, "ReserveConnectorZeroSupported"), "false") == 0);
    reserve(r, RESERVE_ANY, "Rejected");
    reserve(r, RESERVE_ONE, "Accepted");
    rig_close(r);
}

void case_a_050_4(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ANY, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Available'}", 601000);
    rig_is(r, rig_ask(r, "CancelReservation", "{'reservationId':18}"), "{'status':'Rejected'}");
    rig_close(r);
}

void case_a_051(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    // The same id again replaces it; another id finds the connector taken.
    reserve(r, "{'connectorId':1,'expiryDate':'$IN(900)','idTag':'TAG-2','reservationId':17}",
            "Accepted");
    reserve(r, "{'connectorId':1,'expiryDate':'$IN(900)','idTag':'TAG-1','reservationId':20}",
            "Occupied");
    rig_is(r, rig_ask(r, "CancelReservation", "{'reservationId':17}"), "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_plug(r);
    rig_card(r, "TAG-3");
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-3','reservationId':null}");
    rig_close(r);
}

void case_a_052(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_is(r, rig_ask(r, "CancelReservation", "{'reservationId':16}"), "{'status':'Rejected'}");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_expect_none(r, "StatusNotification", "{'connectorId':1,'status':'Available'}", 5000);
    rig_close(r);
}

void case_a_053_1(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_GROUP, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_plug(r);
    // Of another group, or of none.
    rig_card(r, "TAG-2");
    rig_expect(r, "Authorize", "{'idTag':'TAG-2'}");
    rig_expect_none(r, "StartTransaction", "{}", 5000);
    rig_answer(r, "Authorize", "{'idTagInfo':{'status':'Accepted','parentIdTag':'group'}}", 1);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','reservationId':19}");
    rig_close(r);
}

// Although remote starts are not authorised here, the group must be known (§5.13).
void case_a_053_2(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_configure(r, "AuthorizeRemoteTxRequests", "false", "Accepted");
    reserve(r, RESERVE_GROUP, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_answer(r, "Authorize", GROUP, 1);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_plug(r);
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','reservationId':19}");
    rig_close(r);
}

void case_b_31(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_seconds(r, 70);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Inoperative'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    rig_is(r, rig_ask(r, "ChangeAvailability", "{'connectorId':1,'type':'Operative'}"),
           "{'status':'Accepted'}");
    // The reservation has ended (§5.13).
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_close(r);
}

void case_b_32(void)
{
    struct rig *r = booted(RIG_SOCKET);
    reserve(r, RESERVE_ONE, "Accepted");
    rig_expect(r, "StatusNotification", RESERVED);
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'Unlocked'}");
    rig_expect_none(r, "StatusNotification", "{'connectorId':1,'status':'Available'}", 5000);
    rig_is(r, rig_ask(r, "CancelReservation", "{'reservationId':17}"), "{'status':'Accepted'}");
    rig_close(r);
}
