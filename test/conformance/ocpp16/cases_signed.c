// Cases of the part "signed" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"
#include "signing.h"

#include <string.h>

static struct street_signing meter;

// The data set inside the first SignedData value of a meter value, decoded; "" without one.
static const char *data_set(const cJSON *values)
{
    static char text[PW_SIGNED_TEXT_MAX + 1];
    const cJSON *value;
    text[0] = '\0';
    cJSON_ArrayForEach(value, values)
    {
        if (strcmp(rig_text(value, "format"), "SignedData") != 0) {
            continue;
        }
        cJSON *inside = cJSON_Parse(rig_text(value, "value"));
        int len = pw_parse_base64(pw_str_of(rig_text(inside, "signedMeterData")), (uint8_t *)text,
                                  PW_SIGNED_TEXT_MAX);
        text[len > 0 ? len : 0] = '\0';
        cJSON_Delete(inside);
        return text;
    }
    return text;
}

static void same_as_given(struct rig *r, const char *text, unsigned number)
{
    rig_check(r, number < meter.count && strlen(text) == meter.given[number].len);
    rig_check(r, memcmp(text, meter.given[number].text, meter.given[number].len) == 0);
}

// The public key with a signed value; "" without.
static bool has_key(const cJSON *values)
{
    const cJSON *value;
    cJSON_ArrayForEach(value, values)
    {
        cJSON *inside = cJSON_Parse(rig_text(value, "value"));
        bool has = rig_text(inside, "publicKey")[0] != '\0';
        cJSON_Delete(inside);
        if (has) {
            return true;
        }
    }
    return false;
}

// StopTxnSampledData and StopTxnAlignedData are empty, a hundred other values wait in between, and
// the station was cut off for all of it and its power failed: begin and end still arrive, signed,
// as the meter gave them.
static void signed_ends_arrive(struct rig *r)
{
    rig_charge(r);
    rig_offline(r);
    rig_seconds(r, 3000);
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_reboot(r);
    rig_seconds(r, 10);
    rig_online(r);
    const cJSON *stop = rig_expect_for(r, "StopTransaction", "{'transactionId':$TX}", 1200000);
    rig_is(r, rig_at(stop, "transactionData.0"),
           "{'sampledValue':[{'context':'Transaction.Begin','format':'SignedData',"
           "'measurand':'Energy.Active.Import.Register'}]}");
    rig_is(r, rig_at(stop, "transactionData.1"),
           "{'sampledValue':[{'context':'Transaction.End','format':'SignedData'}]}");
    rig_check(r, rig_at(stop, "transactionData.2") == NULL);
    rig_check(r, meter.count == 2);
    same_as_given(r, data_set(rig_at(stop, "transactionData.0.sampledValue")), 0);
    same_as_given(r, data_set(rig_at(stop, "transactionData.1.sampledValue")), 1);
    // OncePerTransaction: with the first of the two.
    rig_check(r, has_key(rig_at(stop, "transactionData.0.sampledValue")));
    rig_check(r, !has_key(rig_at(stop, "transactionData.1.sampledValue")));
    // Nothing in between was signed: nobody asked.
    rig_check(r, rig_count(r, "MeterValues",
                           "{'meterValue':[{'sampledValue':[{'format':'SignedData'}]}]}", 0) == 0);
}

static void everything_is_signed(struct rig *r)
{
    size_t from = r->count;
    rig_configure(r, "SampledDataSignStartedReadings", "true", "Accepted");
    rig_configure(r, "SampledDataSignUpdatedReadings", "true", "Accepted");
    rig_configure(r, "StartTxnSampledData", "Energy.Active.Import.Register", "Accepted");
    rig_configure(r, "PublicKeyWithSignedMeterValue", "EveryMeterValue", "Accepted");
    rig_charge(r);
    const cJSON *sample = rig_expect_for(
        r, "MeterValues",
        "{'meterValue':[{'sampledValue':[{'context':'Sample.Periodic','format':'SignedData'}]}]}",
        180000);
    rig_check(r, has_key(rig_at(sample, "meterValue.0.sampledValue")));
    rig_check(r, rig_count(r, "MeterValues",
                           "{'transactionId':$TX,'meterValue':[{'sampledValue':[{'context':"
                           "'Transaction.Begin','format':'SignedData'}]}]}",
                           from) == 1);
    rig_unplug(r);
    const cJSON *stop = rig_expect_for(r, "StopTransaction",
                                       "{'transactionData':[{'sampledValue':[{'context':"
                                       "'Transaction.Begin','format':'SignedData'}]},"
                                       "{'sampledValue':[{'context':'Transaction.End',"
                                       "'format':'SignedData'}]}]}",
                                       120000);
    rig_check(r, has_key(rig_at(stop, "transactionData.1.sampledValue")));
}

// A meter that says nothing holds nobody up: five seconds, then the charge begins, and ends,
// unsigned.
static void a_silent_meter_holds_nobody_up(struct rig *r)
{
    meter.silent = true;
    pw_ms plugged = r->street.now;
    rig_charge(r);
    rig_check(r, r->street.now - plugged < 20000);
    rig_unplug(r);
    pw_ms unplugged = r->street.now;
    rig_expect_for(r, "StopTransaction", "{'transactionData':null}", 120000);
    rig_check(r, r->street.now - unplugged < 10000);
}

void case_b_23(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    street_signing_open(&r->street, &meter);
    rig_boot(r);
    rig_is(r, rig_ask(r, "GetConfiguration", "{'key':['MeterPublicKey1']}"),
           "{'configurationKey':[{'key':'MeterPublicKey1','readonly':true}]}");
    rig_configure(r, "MeterPublicKey1", "x", "Rejected");
    rig_configure(r, "SampledDataSignReadings", "true", "Accepted");
    rig_configure(r, "MeterValueSampleInterval", "30", "Accepted");
    signed_ends_arrive(r);
    everything_is_signed(r);
    a_silent_meter_holds_nobody_up(r);
    rig_close(r);
}
