// Cases of the part "conformance" (cases.def): configuration, and what is wrong with a CALL.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Required in profile Core (chapter 9.1, errata 3.80, 3.81), and whether the station may say that
// it cannot be changed.
static const char *const required[] = {
    "AuthorizeRemoteTxRequests",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "NumberOfConnectors",
    "ResetRetries",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "SupportedFeatureProfiles",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
};

void case_a_019(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    const cJSON *all = rig_ask(r, "GetConfiguration", "{}");
    for (unsigned i = 0; i < PW_COUNT(required); i++) {
        char subset[100];
        (void)snprintf(subset, sizeof(subset), "{'configurationKey':[{'key':'%s','value':'*'}]}",
                       required[i]);
        rig_is(r, all, subset);
    }
    rig_check(r, rig_at(all, "unknownKey") == NULL ||
                     cJSON_GetArraySize(rig_at(all, "unknownKey")) == 0);
    int keys = cJSON_GetArraySize(rig_at(all, "configurationKey"));
    rig_check(r, strtol(rig_key(r, "GetConfigurationMaxKeys"), NULL, 10) >= keys);
    const cJSON *two = rig_ask(r, "GetConfiguration",
                               "{'key':['HeartbeatInterval','NoSuchKey','NumberOfConnectors']}");
    rig_is(r, two,
           "{'configurationKey':[{'key':'HeartbeatInterval','readonly':false},"
           "{'key':'NumberOfConnectors','value':'1','readonly':true}],'unknownKey':['NoSuchKey']}");
    rig_check(r, cJSON_GetArraySize(rig_at(two, "configurationKey")) == 2);
    rig_is(r, rig_ask(r, "GetConfiguration", "{'key':['NoSuchKey']}"),
           "{'configurationKey':null,'unknownKey':['NoSuchKey']}");
    rig_close(r);
}

void case_a_021(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "MeterValueSampleInterval", "15", "Accepted");
    rig_check(r, strcmp(rig_key(r, "MeterValueSampleInterval"), "15") == 0);
    rig_configure(r, "MeterValuesSampledData", "Voltage,Energy.Active.Import.Register", "Accepted");
    rig_check(r, strcmp(rig_key(r, "MeterValuesSampledData"),
                        "Voltage,Energy.Active.Import.Register") == 0);
    rig_charge(r);
    rig_expect_for(r, "MeterValues", "{'transactionId':$TX}", 16000);
    rig_reboot(r);
    rig_boot(r);
    rig_check(r, strcmp(rig_key(r, "MeterValueSampleInterval"), "15") == 0);
    rig_close(r);
}

void case_a_040_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "NoSuchKey", "1", "NotSupported");
    rig_configure(r, "heartbeatinterval", "1", "NotSupported");
    rig_configure(r, "BlinkRepeat", "1", "NotSupported");
    rig_configure(r, "LightIntensity", "50", "NotSupported");
    rig_close(r);
}

void case_a_040_2(void)
{
    static const char *const wrong[][2] = {
        {"MeterValueSampleInterval", "-1"},
        {"MeterValueSampleInterval", "ten"},
        {"MeterValueSampleInterval", ""},
        {"MeterValueSampleInterval", "99999999999999999999"},
        {"AuthorizeRemoteTxRequests", "maybe"},
        {"MeterValuesSampledData", "Energy.Active.Import.Register,Nonsense"},
        {"NumberOfConnectors", "4"},
        {"ConnectorPhaseRotation", "1.XYZ"},
        {"TransactionMessageAttempts", "0"},
        {"ConnectionTimeOut", "1.5"},
    };
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    for (unsigned i = 0; i < PW_COUNT(wrong); i++) {
        char before[512];
        (void)snprintf(before, sizeof(before), "%s", rig_key(r, wrong[i][0]));
        rig_configure(r, wrong[i][0], wrong[i][1], "Rejected");
        rig_check(r, strcmp(rig_key(r, wrong[i][0]), before) == 0);
    }
    rig_close(r);
}

// Reason: MicroOcpp cuts values at 128 characters and ints at 9 digits.
void case_b_65(void)
{
    static char request[8192];
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    long most = strtol(rig_key(r, "GetConfigurationMaxKeys"), NULL, 10);
    for (long asked = most; asked <= most + 1; asked++) {
        struct pw_out out = PW_OUT(request);
        pw_put_s(&out, "{'key':[");
        for (long i = 0; i < asked; i++) {
            pw_put_s(&out, i == 0 ? "" : ",");
            pw_put_s(&out, i % 2 == 0 ? "'HeartbeatInterval'"
                                      : "'ThisKeyIsNotOneThatTheStationKnowsAtAll.Really'");
        }
        pw_put_s(&out, "]}");
        rig_check(r, !out.full);
        const char *code = rig_ask_error(r, "GetConfiguration", request);
        rig_check(r, strcmp(code, asked > most ? "OccurenceConstraintViolation" : "") == 0);
    }
    // The longest list of measurands that can be set.
    const char *longest =
        "Energy.Active.Import.Register,Power.Active.Import,Voltage,Current.Import,"
        "Current.Offered,SoC,Temperature";
    rig_configure(r, "MeterValuesSampledData", longest, "Accepted");
    rig_check(r, strcmp(rig_key(r, "MeterValuesSampledData"), longest) == 0);
    rig_configure(r, "HeartbeatInterval", "604800", "Accepted");
    rig_check(r, strcmp(rig_key(r, "HeartbeatInterval"), "604800") == 0);
    (void)rig_ask(r, "GetConfiguration", "{}");
    // A value above 500 characters is no ChangeConfiguration any more.
    struct pw_out out = PW_OUT(request);
    pw_put_s(&out, "{'key':'MeterValuesSampledData','value':'");
    for (unsigned i = 0; i < 501; i++) {
        pw_put_c(&out, 'x');
    }
    pw_put_s(&out, "'}");
    rig_check(r, strcmp(rig_ask_error(r, "ChangeConfiguration", request),
                        "PropertyConstraintViolation") == 0);
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Wrong CALLs.

static const struct wrong_call {
    const char *frame;
    const char *code;
} wrong_calls[] = {
    {"[2,\"%ID\",\"Frobnicate\",{}]", "NotImplemented"},
    {"[2,\"%ID\",\"StartTransaction\",{}]", "NotImplemented"}, // the station's own
    {"[2,\"%ID\",\"Reset\",{}]", "OccurenceConstraintViolation"},
    {"[2,\"%ID\",\"Reset\",{\"type\":\"Lukewarm\"}]", "PropertyConstraintViolation"},
    {"[2,\"%ID\",\"Reset\",{\"type\":5}]", "TypeConstraintViolation"},
    {"[2,\"%ID\",\"Reset\",{\"type\":null}]", ""},
    {"[2,\"%ID\",\"Reset\",[]]", "FormationViolation"},
    {"[2,\"%ID\",\"Reset\",\"Soft\"]", "FormationViolation"},
    {"[2,\"%ID\",\"Reset\"]", ""},
    {"[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":\"1\"}]", "TypeConstraintViolation"},
    {"[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":1.5}]", "TypeConstraintViolation"},
    {"[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":1e308}]", ""},
    {"[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":9007199254740993}]", ""},
    {"[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":-0}]", "PropertyConstraintViolation"},
    {"[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":true}]", "TypeConstraintViolation"},
    {"[2,\"%ID\",\"RemoteStartTransaction\",{\"idTag\":\"123456789012345678901\"}]",
     "PropertyConstraintViolation"},
    {"[2,\"%ID\",\"ChangeConfiguration\",{\"key\":\"a\",\"key\":\"b\",\"value\":\"1\"}]",
     "FormationViolation"},
    {"[2,\"%ID\",\"ChangeConfiguration\",{\"key\":\"a\"}]", "OccurenceConstraintViolation"},
    {"[2,\"%ID\",\"GetConfiguration\",{\"key\":[1]}]", "TypeConstraintViolation"},
    {"[2,\"%ID\",\"GetConfiguration\",{\"key\":\"x\"}]", "TypeConstraintViolation"},
    {"[2,\"%ID\",\"ChangeConfiguration\",{\"key\":\"\\ud800\",\"value\":\"1\"}]", ""},
};

// Reason: OCPP-J 4.2.3: each way of being wrong has its word, and none may take the station down
// or leave half of something done.
void case_b_63(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    r->lenient = true;
    for (unsigned i = 0; i < PW_COUNT(wrong_calls); i++) {
        const struct wrong_call *call = &wrong_calls[i];
        const char *code = rig_ask_raw(r, call->frame);
        if (code == NULL || (call->code[0] == '\0' && code[0] == '\0') ||
            (call->code[0] != '\0' && strcmp(code, call->code) != 0)) {
            rig_fail(r, "%s: %s", call->frame, code == NULL ? "no answer" : code);
        }
    }
    rig_check(r, r->restarts == 0);
    r->lenient = false;
    rig_charge(r); // and everything still works
    rig_close(r);
}
