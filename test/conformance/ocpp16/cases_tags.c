// Cases of the part "tags" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define INVALID  "{'idTagInfo':{'status':'Invalid'}}"
#define ACCEPTED "{'idTagInfo':{'status':'Accepted'}}"
#define GROUP    "{'idTagInfo':{'status':'Accepted','parentIdTag':'GROUP'}}"

enum { A_WHILE_MS = 20000 };

static struct rig *booted(enum rig_kind kind)
{
    struct rig *r = rig_open(kind);
    rig_boot(r);
    return r;
}

// A card that charges once, so that the cache has it; the cursor stands behind that charge.
static void visit(struct rig *r, const char *card)
{
    rig_plug(r);
    rig_card(r, card);
    rig_expect(r, "StartTransaction", "{}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_card(r, card);
    rig_expect(r, "StopTransaction", "{}");
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
}

// ---------------------------------------------------------------------------------------------
// Cache.

static void cached_card(bool remote)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_set(r, "session.authorize_remote", "true");
    rig_boot(r);
    visit(r, "TAG-1");
    size_t before = r->count;
    rig_plug(r);
    if (remote) {
        rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}"),
               "{'status':'Accepted'}");
    } else {
        rig_card(r, "TAG-1");
    }
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_check(r, rig_count(r, "Authorize", "{}", before) == 0);
    rig_close(r);
}

void case_a_007_1(void)
{
    cached_card(false);
}

void case_a_007_2(void)
{
    cached_card(true);
}

static void cleared_cache(bool remote)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_set(r, "session.authorize_remote", "true");
    rig_boot(r);
    visit(r, "TAG-1");
    rig_is(r, rig_ask(r, "ClearCache", "{}"), "{'status':'Accepted'}");
    rig_plug(r);
    if (remote) {
        rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}"),
               "{'status':'Accepted'}");
    } else {
        rig_card(r, "TAG-1");
    }
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_close(r);
}

void case_a_061_1(void)
{
    cleared_cache(false);
}

void case_a_061_2(void)
{
    cleared_cache(true);
}

void case_b_33(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    visit(r, "TAG-1");
    rig_configure(r, "AuthorizationCacheEnabled", "false", "Accepted");
    rig_is(r, rig_ask(r, "ClearCache", "{}"), "{'status':'Rejected'}");
    // Switched on again it has forgotten: nothing of it counts from before.
    rig_configure(r, "AuthorizationCacheEnabled", "true", "Accepted");
    rig_configure(r, "LocalPreAuthorize", "true", "Accepted");
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_close(r);
}

// Authorize, StartTransaction and StopTransaction each teach it; reset and power cut take nothing.
void case_b_34(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_boot(r);
    // From Authorize, with a date an hour ahead.
    rig_answer(r, "Authorize", "{'idTagInfo':{'status':'Accepted','expiryDate':'$IN(3600)'}}", 1);
    rig_answer(r, "StartTransaction",
               "{'transactionId':$TX,'idTagInfo':{'status':'Accepted','expiryDate':'$IN(3600)'}}",
               1);
    rig_answer(r, "StopTransaction", "{'idTagInfo':{'status':'Accepted','expiryDate':'$IN(3600)'}}",
               1);
    visit(r, "TAG-1");
    // From StartTransaction: a remote start that was asked about nowhere.
    rig_plug(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-2'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    // From StopTransaction: the card that ended it is blocked from now on.
    rig_answer(r, "StopTransaction", "{'idTagInfo':{'status':'Blocked'}}", 1);
    rig_card(r, "TAG-2");
    rig_expect(r, "StopTransaction", "{'idTag':'TAG-2'}");
    rig_seconds(r, 2);
    rig_reboot(r);
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_answer(r, "StartTransaction",
               "{'transactionId':$TX,'idTagInfo':{'status':'Accepted','expiryDate':'$IN(3000)'}}",
               1);
    rig_answer(r, "StopTransaction", "{'idTagInfo':{'status':'Accepted','expiryDate':'$IN(3000)'}}",
               1);
    size_t before = r->count;
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-1'}");
    rig_check(r, rig_count(r, "Authorize", "{}", before) == 0);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{}");
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    // Blocked: asked. Its date over: asked.
    rig_plug(r);
    rig_answer(r, "Authorize", INVALID, 2);
    rig_card(r, "TAG-2");
    rig_expect(r, "Authorize", "{'idTag':'TAG-2'}");
    rig_seconds(r, 3700);
    rig_card_at(r, 1, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Cards that are refused.

void case_a_023_4(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_answer(r, "Authorize", INVALID, 0);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect_none(r, "StartTransaction", "{}", A_WHILE_MS);
    rig_check(r, !rig_energy_flows(r));
    // An answer that comes after the card was given up starts nothing any more.
    rig_answer_never(r, "Authorize", 1);
    rig_card(r, "TAG-2");
    rig_expect(r, "Authorize", "{'idTag':'TAG-2'}");
    rig_seconds(r, 40);
    rig_send_result(r, rig_last(r, "Authorize")->id, ACCEPTED);
    rig_expect_none(r, "StartTransaction", "{}", A_WHILE_MS);
    rig_close(r);
}

void case_a_023_5(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_configure(r, "AuthorizeRemoteTxRequests", "true", "Accepted");
    rig_answer(r, "Authorize", INVALID, 0);
    rig_plug(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}"),
           "{'status':'Accepted'}");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect_none(r, "StartTransaction", "{}", A_WHILE_MS);
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Offline.

static struct rig *offline_start(const char *stop_on_invalid)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.allow_offline_unknown_id", "true");
    rig_set(r, "session.stop_on_invalid_id", stop_on_invalid);
    rig_boot(r);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_offline(r);
    rig_card(r, "TAG-1");
    rig_seconds(r, 60);
    rig_check(r, rig_energy_flows(r));
    return r;
}

void case_a_037_1(void)
{
    struct rig *r = offline_start("true");
    rig_online(r);
    rig_expect_for(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}", 700000);
    rig_seconds(r, 10);
    rig_check(r, rig_energy_flows(r));
    rig_close(r);
}

void case_a_037_2(void)
{
    struct rig *r = offline_start("false");
    rig_answer(r, "StartTransaction", "{'transactionId':$TX,'idTagInfo':{'status':'Invalid'}}", 0);
    rig_online(r);
    rig_expect_for(r, "StartTransaction", "{'idTag':'TAG-1'}", 700000);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'SuspendedEVSE'}");
    rig_expect_none(r, "StopTransaction", "{}", A_WHILE_MS);
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

void case_a_037_3(void)
{
    struct rig *r = offline_start("true");
    rig_answer(r, "StartTransaction", "{'transactionId':$TX,'idTagInfo':{'status':'Invalid'}}", 0);
    rig_online(r);
    rig_expect_for(r, "StartTransaction", "{'idTag':'TAG-1'}", 700000);
    rig_expect(r, "StopTransaction", "{'reason':'DeAuthorized'}");
    rig_seconds(r, 5);
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

void case_b_40(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.stop_on_invalid_id", "false");
    rig_set(r, "session.after_power_loss", "resume");
    rig_boot(r);
    rig_configure(r, "MaxEnergyOnInvalidId", "500", "Accepted");
    rig_answer(r, "StartTransaction", "{'transactionId':$TX,'idTagInfo':{'status':'Blocked'}}", 0);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StartTransaction", "{}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_seconds(r, 30);
    rig_check(r, rig_energy_flows(r));
    rig_check(r, rig_energy_wh(r) < 500);
    // A power cut on the way makes no good card of it.
    rig_reboot(r);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}", 120000);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'SuspendedEVSE'}", 3600000);
    rig_seconds(r, 10);
    rig_check(r, !rig_energy_flows(r));
    // What flowed since the register was last kept is not counted: 100 Wh at most.
    rig_check(r, rig_energy_wh(r) >= 495 && rig_energy_wh(r) <= 620);
    int64_t given_wh = rig_energy_wh(r);
    rig_expect_none(r, "StopTransaction", "{}", 600000);
    rig_check(r, rig_energy_wh(r) == given_wh);
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Local list.

#define LIST_ONE                                                                                   \
    "{'listVersion':1,'updateType':'Full','localAuthorizationList':[{'idTag':'TAG-1',"             \
    "'idTagInfo':{'status':'Accepted'}}]}"

static void version_is(struct rig *r, int version)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "{'listVersion':%d}", version);
    rig_is(r, rig_ask(r, "GetLocalListVersion", "{}"), text);
}

static void update(struct rig *r, const char *request, const char *status)
{
    char text[60];
    (void)snprintf(text, sizeof(text), "{'status':'%s'}", status);
    rig_is(r, rig_ask(r, "SendLocalList", request), text);
}

static void listed_card(bool remote)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_set(r, "session.authorize_remote", "true");
    rig_boot(r);
    update(r, LIST_ONE, "Accepted");
    rig_plug(r);
    if (remote) {
        rig_is(r, rig_ask(r, "RemoteStartTransaction", "{'connectorId':1,'idTag':'TAG-1'}"),
               "{'status':'Accepted'}");
    } else {
        rig_card(r, "TAG-1");
    }
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_check(r, rig_count(r, "Authorize", "{}", 0) == 0);
    rig_close(r);
}

void case_a_008_1(void)
{
    listed_card(false);
}

void case_a_008_2(void)
{
    listed_card(true);
}

void case_a_042_1(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_configure(r, "LocalAuthListEnabled", "false", "Accepted");
    version_is(r, -1);
    rig_close(r);
}

void case_a_042_2(void)
{
    struct rig *r = booted(RIG_SOCKET);
    version_is(r, 0);
    update(r, LIST_ONE, "Accepted");
    version_is(r, 1);
    update(r, "{'listVersion':7,'updateType':'Full'}", "Accepted");
    version_is(r, 0); // it has a number, and is empty
    rig_close(r);
}

void case_a_043(void)
{
    struct rig *r = booted(RIG_SOCKET);
    update(r, LIST_ONE, "Accepted");
    version_is(r, 1);
    update(r,
           "{'listVersion':2,'updateType':'Differential','localAuthorizationList':["
           "{'idTag':'TAG-1'},{'idTag':'TAG-2','idTagInfo':{'status':'Accepted'}}]}",
           "Accepted");
    version_is(r, 2);
    update(r, "{'listVersion':3,'updateType':'Differential'}", "Accepted");
    version_is(r, 3);
    rig_reboot(r);
    rig_expect(r, "BootNotification", "{}");
    rig_seconds(r, 5);
    version_is(r, 3);
    // TAG-1 has gone, TAG-2 has come.
    rig_configure(r, "LocalPreAuthorize", "true", "Accepted");
    rig_plug(r);
    rig_answer(r, "Authorize", INVALID, 1);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_card(r, "TAG-2");
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-2'}");
    rig_close(r);
}

void case_a_043_1(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_configure(r, "LocalAuthListEnabled", "false", "Accepted");
    update(r, LIST_ONE, "NotSupported");
    rig_close(r);
}

void case_a_043_2(void)
{
    struct rig *r = booted(RIG_SOCKET);
    update(r,
           "{'listVersion':5,'updateType':'Full','localAuthorizationList':[{'idTag':'TAG-1',"
           "'idTagInfo':{'status':'Accepted'}}]}",
           "Accepted");
    update(r,
           "{'listVersion':5,'updateType':'Differential','localAuthorizationList':"
           "[{'idTag':'TAG-1'}]}",
           "VersionMismatch");
    version_is(r, 5);
    rig_close(r);
}

void case_a_043_3(void)
{
    struct rig *r = booted(RIG_SOCKET);
    update(r, LIST_ONE, "Accepted");
    r->street.store.failed = true;
    update(r,
           "{'listVersion':2,'updateType':'Full','localAuthorizationList':[{'idTag':'TAG-9',"
           "'idTagInfo':{'status':'Accepted'}}]}",
           "Failed");
    version_is(r, 1);
    rig_close(r);
}

void case_b_35(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_boot(r);
    update(r,
           "{'listVersion':1,'updateType':'Full','localAuthorizationList':["
           "{'idTag':'BLOCKED','idTagInfo':{'status':'Blocked'}},"
           "{'idTag':'EXPIRED','idTagInfo':{'status':'Expired'}},"
           "{'idTag':'OVER','idTagInfo':{'status':'Accepted','expiryDate':'$IN(30)'}},"
           "{'idTag':'GOOD','idTagInfo':{'status':'Accepted','expiryDate':'$IN(86400)'}}]}",
           "Accepted");
    rig_plug(r);
    rig_answer(r, "Authorize", INVALID, 3);
    rig_seconds(r, 40);
    static const char *const asked[] = {"BLOCKED", "EXPIRED", "OVER"};
    for (unsigned i = 0; i < 3; i++) {
        char text[40];
        (void)snprintf(text, sizeof(text), "{'idTag':'%s'}", asked[i]);
        rig_card(r, asked[i]);
        rig_expect(r, "Authorize", text);
        rig_expect_none(r, "StartTransaction", "{}", 2000);
    }
    // The central system may think better of one; the list and it disagree then (§3.5.2).
    rig_answer(r, "Authorize", ACCEPTED, 1);
    rig_card(r, "BLOCKED");
    rig_expect(r, "StatusNotification", "{'connectorId':0,'errorCode':'LocalListConflict'}");
    rig_expect(r, "StartTransaction", "{'idTag':'BLOCKED'}");
    rig_close(r);
}

void case_b_36(void)
{
    struct rig *r = booted(RIG_SOCKET);
    update(r, "{'listVersion':0,'updateType':'Full'}", "Failed");
    update(r, "{'listVersion':-1,'updateType':'Full'}", "Failed");
    update(r, LIST_ONE, "Accepted");
    update(r, "{'listVersion':0,'updateType':'Differential'}", "Failed");
    version_is(r, 1);
    rig_close(r);
}

void case_b_37(void)
{
    struct rig *r = booted(RIG_SOCKET);
    // On nothing at all: the base is the empty list.
    update(r,
           "{'listVersion':4,'updateType':'Differential','localAuthorizationList':["
           "{'idTag':'TAG-1','idTagInfo':{'status':'Accepted'}}]}",
           "Accepted");
    version_is(r, 4);
    update(r, "{'listVersion':3,'updateType':'Differential'}", "VersionMismatch");
    // Twice the same card: nothing of it.
    update(r,
           "{'listVersion':9,'updateType':'Differential','localAuthorizationList':["
           "{'idTag':'TAG-2','idTagInfo':{'status':'Accepted'}},{'idTag':'tag-2'}]}",
           "Failed");
    // A full list has no entry without its idTagInfo (§7.1).
    update(r, "{'listVersion':9,'updateType':'Full','localAuthorizationList':[{'idTag':'TAG-2'}]}",
           "Failed");
    version_is(r, 4);
    // A full one may count down.
    update(r, LIST_ONE, "Accepted");
    version_is(r, 1);
    rig_close(r);
}

// `count` entries TAG-0, TAG-1...
static void put_entries(char *text, size_t cap, unsigned count)
{
    size_t len = strlen(text);
    for (unsigned i = 0; i < count && len < cap; i++) {
        len += (size_t)snprintf(text + len, cap - len,
                                "%s{'idTag':'TAG-%u','idTagInfo':{'status':'Accepted',"
                                "'parentIdTag':'GROUP','expiryDate':'2099-01-01T00:00:00Z'}}",
                                i == 0 ? "" : ",", i);
    }
    (void)snprintf(text + len, cap - len, "]}");
}

void case_b_39(void)
{
    static char text[16000];
    struct rig *r = booted(RIG_SOCKET);
    rig_check(r, strcmp(rig_key(r, "SendLocalListMaxLength"), "80") == 0);
    rig_check(r, rig_key_readonly(r, "SendLocalListMaxLength"));
    rig_check(r, rig_key_readonly(r, "LocalAuthListMaxLength"));
    (void)snprintf(text, sizeof(text),
                   "{'listVersion':1,'updateType':'Full','localAuthorizationList':[");
    put_entries(text, sizeof(text), 81);
    update(r, text, "Failed");
    version_is(r, 0);
    (void)snprintf(text, sizeof(text),
                   "{'listVersion':1,'updateType':'Full','localAuthorizationList':[");
    put_entries(text, sizeof(text), 80);
    update(r, text, "Accepted");
    version_is(r, 1);
    rig_close(r);
}

// The disk is slow and the power goes before the answer: the station has the old list whole, or
// the new one; that it does at every single operation the room's own test enumerates.
void case_b_38(void)
{
    static char text[16000];
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_boot(r);
    update(r, LIST_ONE, "Accepted");
    r->street.store.lag = 1000;
    (void)snprintf(text, sizeof(text),
                   "{'listVersion':2,'updateType':'Full','localAuthorizationList':[");
    put_entries(text, sizeof(text), 80);
    rig_post(r, "SendLocalList", text);
    rig_run(r, 50);
    rig_check(r, rig_answered(r) == NULL);
    rig_reboot(r);
    r->street.store.lag = 0;
    rig_expect(r, "BootNotification", "{}");
    rig_seconds(r, 5);
    version_is(r, 1);
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Ending.

void case_a_068(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_charge(r);
    size_t before = r->count;
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{'idTag':'TAG-1','reason':'Local'}");
    rig_check(r, rig_count(r, "Authorize", "{}", before) == 0);
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_close(r);
}

void case_a_069(void)
{
    struct rig *r = booted(RIG_SOCKET);
    rig_answer(r, "Authorize", GROUP, 1);
    rig_answer(r, "StartTransaction",
               "{'transactionId':$TX,'idTagInfo':{'status':'Accepted','parentIdTag':'GROUP'}}", 0);
    rig_charge(r);
    // A card of nobody's group ends nothing.
    rig_answer(r, "Authorize", ACCEPTED, 1);
    rig_card(r, "TAG-3");
    rig_expect(r, "Authorize", "{'idTag':'TAG-3'}");
    rig_expect_none(r, "StopTransaction", "{}", 5000);
    // One of the group that is refused ends nothing either.
    rig_answer(r, "Authorize", "{'idTagInfo':{'status':'Blocked','parentIdTag':'GROUP'}}", 1);
    rig_card(r, "TAG-4");
    rig_expect(r, "Authorize", "{'idTag':'TAG-4'}");
    rig_expect_none(r, "StopTransaction", "{}", 5000);
    rig_answer(r, "Authorize", GROUP, 1);
    rig_card(r, "TAG-2");
    rig_expect(r, "Authorize", "{'idTag':'TAG-2'}");
    rig_expect(r, "StopTransaction", "{'idTag':'TAG-2','reason':'Local'}");
    rig_close(r);
}

void case_b_68(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.local_pre_authorize", "true");
    rig_boot(r);
    update(r,
           "{'listVersion':1,'updateType':'Full','localAuthorizationList':["
           "{'idTag':'abcdefghij0123456789','idTagInfo':{'status':'Accepted'}}]}",
           "Accepted");
    rig_plug(r);
    rig_card(r, "ABCDEFGHIJ0123456789");
    rig_expect(r, "StartTransaction", "{'idTag':'ABCDEFGHIJ0123456789'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_card(r, "AbCdEfGhIj0123456789");
    rig_expect(r, "StopTransaction", "{'idTag':'AbCdEfGhIj0123456789'}");
    rig_check(r, rig_count(r, "Authorize", "{}", 0) == 0);
    // 21 characters are no idTag.
    rig_check(
        r, strcmp(rig_ask_error(r, "RemoteStartTransaction", "{'idTag':'ABCDEFGHIJ01234567890'}"),
                  "PropertyConstraintViolation") == 0);
    rig_close(r);
}
