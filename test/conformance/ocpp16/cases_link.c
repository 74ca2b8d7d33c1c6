// Cases of the part "conformance" (cases.def): calls and their answers, time, long runs.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

// Reason: J-erratum 3.4; a fleet that comes back must not come all at once, nor hammer a server
// that says no.
void case_b_7(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    r->street.reachable = false;
    rig_power_on(r);
    pw_ms at[40];
    unsigned tries = 0;
    bool trying = false;
    for (pw_ms end = r->street.now + (pw_ms)3600 * 1000; r->street.now < end;) {
        rig_run(r, 20);
        bool now = r->street.link_at != PW_NEVER;
        if (now && !trying && tries < PW_COUNT(at)) {
            at[tries++] = r->street.now;
        }
        trying = now;
    }
    // Doubling from a second to ten minutes, a random half taken off: 8 to 30 tries in an hour.
    rig_check(r, tries >= 8 && tries <= 30);
    for (unsigned i = 2; i < tries; i++) {
        pw_ms wait = at[i] - at[i - 1];
        rig_check(r, wait <= 601000);
        rig_check(r, i < 10 || wait >= 290000);
    }
    // Not a fixed rhythm.
    rig_check(r, tries < 13 || at[12] - at[11] != at[11] - at[10]);
    rig_online(r);
    rig_expect_for(r, "BootNotification", "{}", 700000);
    rig_close(r);
}

void case_b_10(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "HeartbeatInterval", "30", "Accepted");
    rig_configure(r, "MeterValueSampleInterval", "0", "Accepted");
    rig_charge(r);
    pw_unix_ms started = rig_time(rig_last(r, "StartTransaction")->payload, "timestamp");
    rig_seconds(r, 60);
    r->street.wall -= 3600000; // an hour back
    rig_forget(r);
    rig_expect(r, "Heartbeat", "{}");
    rig_seconds(r, 120);
    r->street.wall += 7200000; // two forward
    rig_expect(r, "Heartbeat", "{}");
    rig_seconds(r, 60);
    rig_check(r, rig_energy_flows(r));
    rig_card(r, "TAG-1");
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX,'reason':'Local'}");
    rig_check(r, rig_time(stop, "timestamp") > started);
    rig_check(r, rig_number(stop, "meterStop") >= 1);
    rig_close(r);
}

// Reason: OCPP-J 4.1.1. Only one of ours, while theirs is answered in between.
void case_b_11(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_answer_never(r, "Authorize", 1);
    rig_plug(r);
    rig_seconds(r, 3);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{}");
    size_t from = r->count;
    rig_fault(r, true); // there is something to say
    rig_is(r, rig_ask(r, "GetConfiguration", "{'key':['HeartbeatInterval']}"),
           "{'configurationKey':[{'key':'HeartbeatInterval'}]}");
    rig_seconds(r, 20);
    for (size_t i = from; i < r->count; i++) {
        rig_check(r, !r->messages[i]->from_station || r->messages[i]->kind != PW_OCPP_CALL);
    }
    // The time is out: now it goes on.
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Faulted'}");
    rig_close(r);
}

void case_b_12(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_answer_never(r, "Authorize", 1);
    rig_plug(r);
    rig_seconds(r, 3);
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{}");
    char id[PW_OCPP_ID_MAX + 1];
    memcpy(id, r->in_flight, sizeof(id));
    rig_send_result(r, "nobody-asked-this", "{'idTagInfo':{'status':'Blocked'}}");
    rig_send_result(r, "", "{}");
    rig_seconds(r, 2);
    rig_expect_none(r, "StartTransaction", "{}", 0);
    rig_send_result(r, id, "{'idTagInfo':{'status':'Accepted'}}");
    rig_send_result(r, id, "{'idTagInfo':{'status':'Blocked'}}"); // twice: the first counts
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-1'}");
    // Late: after the time is out it means nothing any more.
    rig_seconds(r, 20);
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{}");
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_answer_never(r, "Authorize", 1);
    rig_card(r, "TAG-9");
    rig_expect(r, "Authorize", "{'idTag':'TAG-9'}");
    memcpy(id, r->in_flight, sizeof(id));
    rig_seconds(r, 35);
    rig_send_result(r, id, "{'idTagInfo':{'status':'Accepted'}}");
    rig_plug(r);
    rig_expect_none(r, "StartTransaction", "{'idTag':'TAG-9'}", 10000);
    rig_close(r);
}

void case_b_13(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "MessageTimeout", "12", "Accepted");
    rig_configure(r, "HeartbeatInterval", "60", "Accepted");
    rig_answer_never(r, "Heartbeat", 0);
    rig_forget(r);
    rig_expect_for(r, "Heartbeat", "{}", 120000);
    pw_ms asked = r->street.now;
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_check(r, r->street.now >= asked + 11500 && r->street.now <= asked + 13500);
    rig_close(r);
}

// Reason: 4.6: any message says that the station lives.
void case_b_66(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "HeartbeatInterval", "50", "Accepted");
    rig_configure(r, "MeterValueSampleInterval", "30", "Accepted");
    rig_charge(r);
    rig_seconds(r, 60);
    size_t from = r->count;
    rig_seconds(r, 600);
    rig_check(r, rig_count(r, "MeterValues", "{}", from) >= 19);
    rig_check(r, rig_count(r, "Heartbeat", "{}", from) == 0);
    // Silence: heartbeats, and each sets the clock.
    rig_configure(r, "MeterValueSampleInterval", "0", "Accepted");
    r->street.wall += 600000;
    rig_forget(r);
    rig_expect_for(r, "Heartbeat", "{}", 60000);
    rig_expect_for(r, "Heartbeat", "{}", 60000);
    rig_world(r, "s2 open");
    const cJSON *status = rig_expect(r, "StatusNotification", "{'status':'SuspendedEV'}");
    pw_unix_ms off = rig_wall(r) - rig_time(status, "timestamp");
    rig_check(r, off > -2000 && off < 15000);
    rig_close(r);
}

void case_b_67(void)
{
    struct rig *r = rig_open(RIG_PAIR);
    rig_boot(r);
    rig_check(r, strcmp(rig_key(r, "NumberOfConnectors"), "2") == 0);
    rig_plug_at(r, 2);
    rig_expect(r, "StatusNotification", "{'connectorId':2,'status':'Preparing'}");
    rig_card_at(r, 2, "TAG-2");
    rig_expect(r, "StartTransaction", "{'connectorId':2,'idTag':'TAG-2'}");
    int second = r->transaction;
    rig_seconds(r, 600);
    rig_plug(r);
    rig_seconds(r, 3);
    rig_card_at(r, 1, "TAG-1");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','meterStart':0}");
    rig_check(r, r->transaction != second);
    rig_forget(r);
    rig_seconds(r, 300);
    rig_expect(r, "MeterValues", "{'connectorId':1,'transactionId':$TX}");
    rig_check(r, rig_count(r, "MeterValues", "{'connectorId':2,'transactionId':$TX}", 0) == 0);
    rig_card_at(r, 2, "TAG-2");
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'idTag':'TAG-2'}");
    rig_check(r, (int)rig_number(stop, "transactionId") == second);
    rig_check(r, rig_number(stop, "meterStop") > 1000);
    rig_seconds(r, 30);
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == 1); // the other one goes on
    rig_close(r);
}

// Reason: what grows for a day grows until it fails. The queue is empty in the end, every charge
// has one start and one stop, and the store is no larger than after the first of them.
void case_b_70(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "MeterValueSampleInterval", "300", "Accepted");
    size_t records = 0;
    for (unsigned hour = 0; hour < 24; hour++) {
        rig_plug(r);
        rig_seconds(r, 5);
        rig_card(r, "TAG-1");
        rig_seconds(r, 1800);
        if (hour % 6 == 3) {
            rig_cut(r);
        }
        rig_unplug(r);
        rig_seconds(r, 1795);
        rig_check(r, pw_journal_waiting(&r->street.station->journal) == 0);
        // The security log and the last receipts are rings: they fill, and then stay.
        size_t now = pw_sim_store_count(&r->street.store, "") -
                     pw_sim_store_count(&r->street.store, "sec/") -
                     pw_sim_store_count(&r->street.store, "done/");
        records = hour == 1 ? now : records;
        rig_check(r, hour < 2 || now <= records + 2);
    }
    rig_check(r, rig_count(r, "StartTransaction", "{}", 0) == 24);
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == 24);
    rig_check(r, rig_count(r, "MeterValues", "{}", 0) >= 24 * 5);
    rig_close(r);
}

// Bytes and handshakes are the port's: its test has a server that misbehaves over real sockets.
void case_b_8(void)
{
    static const char *const tests[] = {"a_server_without_the_subprotocol_is_left",
                                        "a_server_with_another_subprotocol_is_left"};
    rig_shown_by("test/port/test_port_wsclient", tests, PW_COUNT(tests));
}

void case_b_64(void)
{
    static const char *const tests[] = {
        "fragments_become_one_message_with_a_ping_between",
        "the_longest_message_fits_and_one_more_byte_closes_with_1009",
        "a_binary_message_closes_with_1003", "text_that_is_no_utf8_closes_with_1007",
        "the_peers_close_code_and_reason_are_told"};
    rig_shown_by("test/port/test_port_wsclient", tests, PW_COUNT(tests));
}
