// Cases of the part "journal" (cases.def): transaction messages, meter values and their times.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Charging on connector 1 with any card, also without the central system.
static struct rig *open_charging(enum rig_kind kind, const char *sample_s)
{
    struct rig *r = rig_open(kind);
    rig_set(r, "session.allow_offline_unknown_id", "true");
    rig_set(r, "metering.sample_interval_s", sample_s);
    return r;
}

static pw_unix_ms value_time(const cJSON *values)
{
    return rig_time(values, "meterValue.0.timestamp");
}

static bool is_near(pw_unix_ms a, pw_unix_ms b, int64_t ms)
{
    return a - b <= ms && b - a <= ms;
}

// Every CALL since `from` that is one of a transaction: the times in it do not go back.
static void check_order(struct rig *r, size_t from)
{
    pw_unix_ms before = 0;
    for (size_t i = from; i < r->count; i++) {
        const struct rig_message *message = r->messages[i];
        const char *path = strcmp(message->action, "MeterValues") == 0 ? "meterValue.0.timestamp"
                           : strstr(message->action, "Transaction") != NULL ? "timestamp"
                                                                            : "";
        if (!message->from_station || message->kind != PW_OCPP_CALL || path[0] == '\0') {
            continue;
        }
        pw_unix_ms at = rig_time(message->payload, path);
        rig_check(r, at >= before);
        before = at;
    }
}

void case_a_036(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "10");
    rig_boot(r);
    rig_charge(r);
    rig_expect(r, "MeterValues", "{'transactionId':$TX}");
    rig_seconds(r, 2);
    rig_offline(r);
    pw_unix_ms left = rig_wall(r);
    rig_seconds(r, 60);
    size_t from = r->count;
    rig_online(r);
    for (int i = 0; i < 5; i++) {
        const cJSON *values = rig_expect_for(r, "MeterValues", "{'transactionId':$TX}", 120000);
        rig_check(r, is_near(value_time(values), left + (i + 1) * 10000, 10000));
    }
    check_order(r, from);
    rig_check(r, rig_energy_flows(r));
    rig_close(r);
}

void case_a_038(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "10");
    rig_boot(r);
    rig_charge(r);
    rig_offline(r);
    rig_seconds(r, 20);
    rig_card(r, "TAG-1");
    rig_seconds(r, 5);
    rig_check(r, !rig_energy_flows(r));
    pw_unix_ms stopped = rig_wall(r);
    rig_seconds(r, 300);
    rig_online(r);
    const cJSON *stop = rig_expect_for(
        r, "StopTransaction", "{'transactionId':$TX,'reason':'Local','meterStop':'*'}", 900000);
    rig_check(r, is_near(rig_time(stop, "timestamp"), stopped, 10000));
    rig_close(r);
}

void case_a_039(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "10");
    rig_boot(r);
    rig_offline(r);
    rig_plug(r);
    rig_card(r, "TAG-9");
    pw_unix_ms began = rig_wall(r);
    rig_seconds(r, 60);
    rig_check(r, rig_energy_flows(r));
    rig_card(r, "TAG-9");
    pw_unix_ms ended = rig_wall(r);
    rig_seconds(r, 600);
    size_t from = r->count;
    rig_online(r);
    const cJSON *start = rig_expect_for(r, "StartTransaction", "{'idTag':'TAG-9'}", 1200000);
    rig_check(r, is_near(rig_time(start, "timestamp"), began, 15000));
    for (int i = 0; i < 4; i++) {
        rig_expect(r, "MeterValues", "{'transactionId':$TX}");
    }
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    rig_check(r, is_near(rig_time(stop, "timestamp"), ended, 15000));
    check_order(r, from);
    rig_close(r);
}

void case_a_070(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "MeterValueSampleInterval", "15", "Accepted");
    rig_configure(r, "MeterValuesSampledData", "Energy.Active.Import.Register,Current.Import.L2",
                  "Accepted");
    rig_configure(r, "MeterValuesSampledData", "Energy.Active.Import.Register,Furlong", "Rejected");
    rig_charge(r);
    pw_unix_ms before = 0;
    for (int i = 0; i < 4; i++) {
        const cJSON *values = rig_expect(
            r, "MeterValues",
            "{'connectorId':1,'transactionId':$TX,'meterValue':[{'sampledValue':["
            "{'measurand':'Energy.Active.Import.Register','context':'Sample.Periodic','unit':'Wh'},"
            "{'measurand':'Current.Import','phase':'L2'}]}]}");
        rig_check(r, cJSON_GetArraySize(rig_at(values, "meterValue.0.sampledValue")) == 2);
        rig_check(r, before == 0 || value_time(values) - before == 15000);
        before = value_time(values);
    }
    rig_configure(r, "MeterValueSampleInterval", "0", "Accepted");
    rig_seconds(r, 5);
    rig_forget(r);
    rig_expect_none(r, "MeterValues", "{}", 60000);
    rig_close(r);
}

void case_a_071(void)
{
    enum { INTERVAL_S = 60 };
    struct rig *r = open_charging(RIG_SOCKET, "0");
    rig_boot(r);
    rig_configure(r, "ClockAlignedDataInterval", "60", "Accepted");
    rig_configure(r, "MeterValuesAlignedData", "Energy.Active.Import.Register", "Accepted");
    rig_configure(r, "StopTxnAlignedData", "Energy.Active.Import.Register", "Accepted");
    static const char *const where[] = {"{'connectorId':1,'transactionId':null}",
                                        "{'connectorId':1,'transactionId':$TX}"};
    for (size_t i = 0; i < PW_COUNT(where); i++) {
        for (int n = 0; n < 3; n++) {
            const cJSON *values = rig_expect_for(r, "MeterValues", where[i], 130000);
            rig_check(r, value_time(values) % (INTERVAL_S * 1000) == 0);
            rig_check(r, strcmp(rig_text(values, "meterValue.0.sampledValue.0.context"),
                                "Sample.Clock") == 0);
        }
        if (i == 0) {
            rig_charge(r);
        }
    }
    // Clock-aligned values belong to no charge are owed all the same when nobody was there.
    rig_card(r, "TAG-1");
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    const cJSON *data = rig_at(stop, "transactionData");
    rig_check(r, cJSON_GetArraySize(data) >= 4);
    for (int i = 1; i + 1 < cJSON_GetArraySize(data); i++) {
        const cJSON *value = cJSON_GetArrayItem(data, i);
        rig_check(r, rig_time(value, "timestamp") % (INTERVAL_S * 1000) == 0);
    }
    rig_offline(r);
    rig_seconds(r, 200);
    rig_forget(r);
    rig_online(r);
    for (int n = 0; n < 3; n++) {
        const cJSON *values = rig_expect_for(r, "MeterValues", where[0], 600000);
        rig_check(r, value_time(values) % (INTERVAL_S * 1000) == 0);
    }
    rig_close(r);
}

// No text of the station may bear a time of 1970.
static void check_no_past(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!r->messages[i]->from_station || r->messages[i]->payload == NULL) {
            continue;
        }
        char *text = cJSON_PrintUnformatted(r->messages[i]->payload);
        if (strstr(text, "\"1970-") != NULL) {
            rig_fail(r, "an old time: %s", text);
        }
        free(text);
    }
}

void case_b_9(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "10");
    r->street.clockless = true;
    rig_offline(r);
    rig_power_on(r);
    rig_seconds(r, 5);
    rig_plug(r);
    rig_card(r, "TAG-1");
    pw_unix_ms began = rig_wall(r);
    rig_seconds(r, 100);
    rig_check(r, rig_energy_flows(r));
    // First a central system whose own clock is not set: nothing with a time may follow.
    rig_answer(r, "BootNotification",
               "{'status':'Accepted','currentTime':'1970-01-01T00:00:09Z','interval':60}", 0);
    rig_answer(r, "Heartbeat", "{'currentTime':'1970-01-01T00:00:10Z'}", 0);
    rig_online(r);
    rig_expect_for(r, "BootNotification", "{}", 300000);
    rig_expect_none(r, "StartTransaction", "{}", 100000);
    rig_answer_usual(r, "Heartbeat");
    const cJSON *start = rig_expect_for(r, "StartTransaction", "{}", 300000);
    rig_check(r, is_near(rig_time(start, "timestamp"), began, 5000));
    const cJSON *values = rig_expect(r, "MeterValues", "{'transactionId':$TX}");
    rig_check(r, is_near(value_time(values), began + 10000, 6000));
    rig_card(r, "TAG-1");
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    rig_check(r, is_near(rig_time(stop, "timestamp"), rig_wall(r), 5000));
    check_no_past(r);
    rig_close(r);
}

// Times of the CALLs of an action, in virtual milliseconds.
static unsigned times_of(struct rig *r, const char *action, pw_ms *at, unsigned cap)
{
    unsigned count = 0;
    for (size_t i = 0; i < r->count && count < cap; i++) {
        const struct rig_message *message = r->messages[i];
        if (message->from_station && message->kind == PW_OCPP_CALL &&
            strcmp(message->action, action) == 0) {
            at[count++] = message->at;
        }
    }
    return count;
}

void case_b_14(void)
{
    pw_ms at[8];
    struct rig *r = open_charging(RIG_SOCKET, "0");
    rig_boot(r);
    rig_configure(r, "TransactionMessageAttempts", "3", "Accepted");
    rig_configure(r, "TransactionMessageRetryInterval", "20", "Accepted");
    rig_charge(r);
    // Refused twice, then taken: 20 s and 40 s apart.
    rig_answer_error(r, "StopTransaction", "InternalError", 2);
    rig_card(r, "TAG-1");
    rig_seconds(r, 120);
    rig_check(r, times_of(r, "StopTransaction", at, 8) == 3);
    rig_check(r, at[1] - at[0] >= 20000 && at[1] - at[0] < 22000);
    rig_check(r, at[2] - at[1] >= 40000 && at[2] - at[1] < 42000);
    rig_check(r, r->street.station->journal.parked == 0);
    // Silence and absence are no refusals, however often.
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_configure(r, "MessageTimeout", "5", "Accepted");
    rig_answer_never(r, "StartTransaction", 5);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_seconds(r, 120);
    rig_offline(r);
    rig_seconds(r, 120);
    rig_online(r);
    rig_seconds(r, 900);
    rig_check(r, times_of(r, "StartTransaction", at, 8) >= 6);
    rig_check(r, r->street.station->journal.parked == 0);
    rig_forget(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    rig_close(r);
}

void case_b_15(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "10");
    rig_boot(r);
    rig_configure(r, "TransactionMessageAttempts", "2", "Accepted");
    rig_configure(r, "TransactionMessageRetryInterval", "1", "Accepted");
    rig_answer_error(r, "StartTransaction", "InternalError", 0);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StartTransaction", "{}");
    rig_expect(r, "StartTransaction", "{}");
    rig_expect(r, "MeterValues", "{'transactionId':-1}");
    rig_check(r, rig_energy_flows(r));
    // Nothing of it goes out twice, and a restart does not change it.
    rig_reboot(r);
    rig_expect_for(r, "StopTransaction", "{'transactionId':-1,'reason':'PowerLoss'}", 120000);
    rig_check(r, rig_count(r, "StartTransaction", "{}", 0) == 2);
    rig_close(r);
}

void case_b_16(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "0");
    rig_boot(r);
    rig_configure(r, "TransactionMessageAttempts", "3", "Accepted");
    rig_configure(r, "TransactionMessageRetryInterval", "2", "Accepted");
    rig_charge(r);
    rig_answer_error(r, "StopTransaction", "InternalError", 0);
    rig_card(r, "TAG-1");
    rig_seconds(r, 30);
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == 3);
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_forget(r);
    rig_plug(r);
    rig_card(r, "TAG-2");
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-2'}");
    // The one that was refused is set aside, where a person finds it, and stays there.
    rig_check(r, r->street.station->journal.parked == 1);
    rig_reboot(r);
    rig_seconds(r, 30);
    rig_check(r, r->street.station->journal.parked >= 1);
    rig_close(r);
}

void case_b_17(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "30");
    rig_boot(r);
    rig_configure(r, "MessageTimeout", "5", "Accepted");
    rig_configure(r, "TransactionMessageAttempts", "1", "Accepted");
    rig_answer_never(r, "StartTransaction", 1);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StartTransaction", "{}");
    char id[PW_OCPP_ID_MAX + 1];
    (void)snprintf(id, sizeof(id), "%s", rig_last(r, "StartTransaction")->id);
    rig_answer_error(r, "StartTransaction", "InternalError", 0);
    rig_expect(r, "StartTransaction", "{}"); // sent again, refused, given up
    rig_expect(r, "MeterValues", "{'transactionId':-1}");
    rig_send_result(r, id, "{'transactionId':4711,'idTagInfo':{'status':'Accepted'}}");
    rig_expect(r, "MeterValues", "{'transactionId':4711}");
    rig_is(r, rig_ask(r, "RemoteStopTransaction", "{'transactionId':4711}"),
           "{'status':'Accepted'}");
    rig_expect(r, "StopTransaction", "{'transactionId':4711,'reason':'Remote'}");
    rig_check(r, r->street.station->journal.parked == 0);
    rig_close(r);
}

static bool nothing_waits(const struct rig *r)
{
    return r->street.station != NULL && pw_journal_waiting(&r->street.station->journal) == 0 &&
           pw_journal_open_on(&r->street.station->journal, 1) == NULL;
}

static void back_up(struct rig *r)
{
    if (r->street.station == NULL) {
        rig_seconds(r, 2);
        rig_power_on(r);
        rig_seconds(r, 20);
    }
}

// A charge with the power going away before one operation of the store. True when it did.
static bool cut_charge(uint64_t at)
{
    struct rig *r = open_charging(RIG_SOCKET, "5");
    rig_set(r, "metering.stop_sampled_data", "Energy.Active.Import.Register");
    rig_power_on(r);
    r->street.store.operations = 0;
    r->street.store.cut_at = at;
    rig_seconds(r, 10);
    back_up(r);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_seconds(r, 40);
    back_up(r);
    bool cut = r->street.store.cut_at == 0;
    rig_unplug(r);
    rig_seconds(r, 15);
    back_up(r);
    cut = cut || r->street.store.cut_at == 0;
    for (int i = 0; i < 60 && !nothing_waits(r); i++) {
        rig_seconds(r, 2);
    }
    rig_check(r, nothing_waits(r));
    rig_check(r, cut || r->start_count == 1);
    for (unsigned i = 0; i < r->start_count; i++) {
        char subset[40];
        (void)snprintf(subset, sizeof(subset), "{'transactionId':%d}", r->starts[i].transaction);
        unsigned stops = rig_count(r, "StopTransaction", subset, 0);
        rig_check(r, stops >= 1 && stops <= 2);
    }
    rig_check(r, rig_count(r, "StopTransaction", "{'transactionId':-1}", 0) == 0);
    rig_close(r);
    return cut;
}

// All operations of a longer scenario, and pairs of cuts: test/station/cut_test.c.
void case_b_18(void)
{
    enum { EVERY = 3 };
    uint64_t at = 1;
    while (cut_charge(at)) {
        at += EVERY;
    }
    PW_ASSERT(at > 40);
}

void case_b_19(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "0");
    rig_boot(r);
    rig_answer_never(r, "StartTransaction", 1);
    rig_plug(r);
    rig_card(r, "TAG-1");
    const cJSON *first = rig_expect(r, "StartTransaction", "{}");
    char *said = cJSON_PrintUnformatted(first);
    rig_reboot(r);
    const cJSON *again = rig_expect_for(r, "StartTransaction", "{}", 120000);
    char *said_again = cJSON_PrintUnformatted(again);
    // Word for word, so that the central system knows it for the same.
    rig_check(r, strcmp(said, said_again) == 0);
    free(said);
    free(said_again);
    rig_expect(r, "StopTransaction", "{'transactionId':$TX,'reason':'PowerLoss'}");
    rig_expect_none(r, "StartTransaction", "{}", 60000);
    rig_close(r);
}

static void charge_unheard(struct rig *r, unsigned number)
{
    struct pw_station *st = r->street.station;
    struct pw_transaction transaction = {.connector = 1};
    (void)snprintf(transaction.id_tag, sizeof(transaction.id_tag), "TAG-%u", number);
    transaction.first.at = pw_cp16_stamp(&st->cp16, r->street.now);
    transaction.first.has = 1U << PW_ENERGY_WH;
    transaction.first.value[PW_ENERGY_WH] = number;
    rig_check(r, pw_journal_begin(&st->journal, &transaction) > 0);
    rig_run(r, 500);
    struct pw_sample last = transaction.first;
    last.reading = PW_READING_END;
    last.at = pw_cp16_stamp(&st->cp16, r->street.now);
    last.value[PW_ENERGY_WH] = number + 1;
    rig_check(r, pw_journal_end(&st->journal, 1, PW_REASON_LOCAL, PW_STR(""), &last) > 0);
    rig_run(r, 500);
}

void case_b_20(void)
{
    enum { CHARGES = 1000 };
    struct rig *r = open_charging(RIG_SOCKET, "0");
    rig_boot(r);
    rig_offline(r);
    for (unsigned i = 1; i <= CHARGES; i++) {
        charge_unheard(r, i);
    }
    rig_check(r, pw_journal_waiting(&r->street.station->journal) == 2 * CHARGES);
    rig_reboot(r);
    rig_forget(r);
    rig_online(r);
    for (unsigned i = 1; i <= CHARGES; i++) {
        char start[80];
        (void)snprintf(start, sizeof(start), "{'idTag':'TAG-%u','meterStart':%u}", i, i);
        rig_expect_for(r, "StartTransaction", start, 1200000);
        rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    }
    rig_check(r, rig_count(r, "StartTransaction", "{}", 0) == CHARGES);
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == CHARGES);
    // The policy: a queue that holds nothing it could thin lets no charge begin.
    rig_set(r, "ocpp.queue_messages", "10");
    rig_set(r, "ocpp.queue_full", "no_start");
    rig_offline(r);
    rig_power_off(r);
    rig_power_on(r);
    for (unsigned i = 1; i <= 5; i++) {
        charge_unheard(r, CHARGES + i);
    }
    rig_seconds(r, 30);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_seconds(r, 20);
    rig_check(r, !rig_energy_flows(r));
    rig_close(r);
}

void case_b_21(void)
{
    enum { ROOM = 60, SAMPLE_S = 5, OFFLINE_S = 1800 };
    struct rig *r = open_charging(RIG_SOCKET, "5");
    rig_set(r, "ocpp.queue_messages", "60");
    rig_boot(r);
    rig_offline(r);
    rig_plug(r);
    rig_card(r, "TAG-1");
    pw_unix_ms began = rig_wall(r);
    rig_seconds(r, OFFLINE_S);
    rig_card(r, "TAG-1");
    pw_unix_ms ended = rig_wall(r);
    rig_seconds(r, 10);
    rig_check(r, pw_journal_waiting(&r->street.station->journal) <= ROOM);
    rig_check(r, r->street.station->journal.thinned > 200);
    rig_online(r);
    rig_expect_for(r, "StartTransaction", "{}", 1200000);
    pw_unix_ms before = began;
    unsigned values = 0;
    int64_t widest = 0;
    rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    for (size_t i = 0; i < r->count; i++) {
        const struct rig_message *message = r->messages[i];
        if (!message->from_station || strcmp(message->action, "MeterValues") != 0 ||
            message->kind != PW_OCPP_CALL) {
            continue;
        }
        pw_unix_ms at = value_time(message->payload);
        rig_check(r, values > 0 || is_near(at, began + SAMPLE_S * 1000, 4000));
        rig_check(r, at >= before);
        widest = pw_max(widest, at - before);
        before = at;
        values++;
    }
    rig_check(r, is_near(before, ended, SAMPLE_S * 1000 + 1000));
    rig_check(r, values >= ROOM / 3 && widest <= 4 * OFFLINE_S * 1000 / ROOM * 2);
    rig_close(r);
}

void case_b_22(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "1");
    rig_set(r, "metering.sampled_data", "");
    rig_set(r, "metering.stop_sampled_data",
            "Energy.Active.Import.Register,Power.Active.Import,Voltage,Current.Import,"
            "Current.Offered,Frequency");
    rig_boot(r);
    rig_charge(r);
    rig_seconds(r, 600);
    rig_card(r, "TAG-1");
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX,'meterStop':'*'}");
    const cJSON *data = rig_at(stop, "transactionData");
    int count = cJSON_GetArraySize(data);
    rig_check(r, count >= 6 && count <= atoi(rig_key(r, "StopTransactionMaxMeterValues")));
    pw_unix_ms before = 0;
    for (int i = 0; i < count; i++) {
        const cJSON *value = cJSON_GetArrayItem(data, i);
        const char *context = rig_text(value, "sampledValue.0.context");
        rig_check(r, strcmp(context, i == 0           ? "Transaction.Begin"
                                     : i + 1 == count ? "Transaction.End"
                                                      : "Sample.Periodic") == 0);
        rig_check(r, rig_time(value, "timestamp") >= before);
        before = rig_time(value, "timestamp");
    }
    // With one measurand as many as the key says, and no more.
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_configure(r, "StopTxnSampledData", "Energy.Active.Import.Register", "Accepted");
    rig_charge(r);
    rig_seconds(r, 600);
    rig_card(r, "TAG-1");
    stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    count = cJSON_GetArraySize(rig_at(stop, "transactionData"));
    rig_check(r, count > 60 && count <= 120);
    // With both lists empty nothing is in it (§3.16.5).
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_configure(r, "StopTxnSampledData", "", "Accepted");
    rig_charge(r);
    rig_seconds(r, 30);
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{'transactionId':$TX,'transactionData':null}");
    rig_close(r);
}

void case_b_24(void)
{
    struct rig *r = open_charging(RIG_SOCKET, "0");
    rig_boot(r);
    rig_offline(r);
    rig_plug(r);
    rig_seconds(r, 10);
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_plug(r);
    rig_seconds(r, 10);
    rig_forget(r);
    size_t from = r->count;
    rig_online(r);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}", 600000);
    rig_seconds(r, 20);
    rig_check(r, rig_count(r, "StatusNotification", "{'connectorId':1}", from) == 1);
    // A fault that lasts is told, and so is its end; the one before the other.
    rig_offline(r);
    rig_fault(r, true);
    rig_seconds(r, 10);
    rig_forget(r);
    rig_online(r);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'status':'Faulted'}", 600000);
    rig_fault(r, false);
    rig_expect_for(r, "StatusNotification", "{'connectorId':1,'errorCode':'NoError'}", 120000);
    rig_close(r);
}

static int64_t register_of(const cJSON *values)
{
    return strtoll(rig_text(values, "meterValue.0.sampledValue.0.value"), NULL, 10);
}

// The board's counter begins anew in the middle of a charge; and the register that the station kept
// is lost.
void case_b_69(void)
{
    struct rig *r = open_charging(RIG_OPENEVSE, "10");
    rig_set(r, "metering.sampled_data", "Energy.Active.Import.Register");
    rig_boot(r);
    rig_charge(r);
    int64_t before = -1;
    for (int i = 0; i < 12; i++) {
        if (i == 5) {
            rig_world(r, "reboot");
        }
        const cJSON *values = rig_expect_for(r, "MeterValues", "{'transactionId':$TX}", 30000);
        rig_check(r, register_of(values) >= before);
        before = register_of(values);
    }
    rig_unplug(r);
    const cJSON *stop = rig_expect(r, "StopTransaction", "{'transactionId':$TX}");
    int64_t stopped = (int64_t)rig_number(stop, "meterStop");
    rig_check(r, stopped >= before);
    rig_seconds(r, 10);
    rig_power_off(r);
    for (size_t i = 0; i < r->street.store.count; i++) {
        struct pw_sim_record *record = &r->street.store.records[i];
        if (strncmp(record->key, "reg/", 4) == 0) {
            record->value[0] = 77; // of a version that never was
        }
    }
    rig_boot(r);
    rig_plug(r);
    rig_card(r, "TAG-1");
    const cJSON *start = rig_expect(r, "StartTransaction", "{}");
    rig_check(r, (int64_t)rig_number(start, "meterStart") >= stopped);
    rig_close(r);
}
