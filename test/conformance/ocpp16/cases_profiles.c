// Cases of the part "profiles" (cases.def): one function each, named case_<function>. What a
// profile does is looked at twice: in the station's limit stack, and at the vehicle's current.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

// What profiles allow on a connector, 0.001 A; -1: nothing limits.
static int32_t limit_at(const struct rig *r, unsigned connector)
{
    const struct pw_limit *row =
        &pw_connector_limits(&r->street.station->connector[connector - 1])->row[PW_LIMIT_OCPP];
    return row->set ? row->ma : -1;
}

static const char *why_at(const struct rig *r, unsigned connector)
{
    return pw_connector_limits(&r->street.station->connector[connector - 1])
        ->row[PW_LIMIT_OCPP]
        .why;
}

static int32_t drawn(const struct rig *r, unsigned connector)
{
    struct pw_connector_view view;
    pw_connector_view(&r->street.station->connector[connector - 1], &view, r->street.now);
    return view.out_ma;
}

#define holds(r, ma) (RIG_AT(r), holds_(r, 1, ma))
static void holds_(struct rig *r, unsigned connector, int32_t ma)
{
    int32_t is = limit_at(r, connector);
    if (is != ma) {
        rig_fail(r, "connector %u: profiles allow %d mA, not %d", connector, (int)is, (int)ma);
    }
    if (ma >= 0 && drawn(r, connector) > ma + 500) {
        rig_fail(r, "the vehicle draws %d mA of %d", (int)drawn(r, connector), (int)ma);
    }
}

// SetChargingProfile on a connector; `schedule` is the inside of chargingSchedule, `more` further
// fields of the profile ("" or ",'validTo':…").
static const cJSON *set(struct rig *r, unsigned connector, int id, const char *purpose, int level,
                        const char *more, const char *schedule)
{
    char text[3000];
    (void)snprintf(text, sizeof(text),
                   "{'connectorId':%u,'csChargingProfiles':{'chargingProfileId':%d,'stackLevel':%d,"
                   "'chargingProfilePurpose':'%s'%s,'chargingSchedule':{%s}}}",
                   connector, id, level, purpose, more, schedule);
    return rig_ask(r, "SetChargingProfile", text);
}

#define ABSOLUTE ",'chargingProfileKind':'Absolute'"
#define RELATIVE ",'chargingProfileKind':'Relative'"
#define DAILY    ",'chargingProfileKind':'Recurring','recurrencyKind':'Daily'"
#define AMPERES  "'chargingRateUnit':'A','chargingSchedulePeriod':"
#define WATTS    "'chargingRateUnit':'W','chargingSchedulePeriod':"
#define ACCEPTED "{'status':'Accepted'}"
#define REJECTED "{'status':'Rejected'}"

#define accept(r, ...) rig_is(r, set(r, __VA_ARGS__), ACCEPTED)
#define reject(r, ...) rig_is(r, set(r, __VA_ARGS__), REJECTED)

// ---------------------------------------------------------------------------------------------

void case_a_056(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    accept(r, 1, 10, "TxDefaultProfile", 0, ABSOLUTE,
           "'startSchedule':'$IN(-10)','duration':86400," AMPERES
           "[{'startPeriod':0,'limit':6},{'startPeriod':300,'limit':10},{'startPeriod':360,'limit':"
           "8}]");
    rig_charge(r);
    rig_seconds(r, 20);
    holds(r, 6000);
    rig_check(r, strcmp(why_at(r, 1), "TxDefaultProfile") == 0);
    rig_seconds(r, 300);
    holds(r, 10000);
    rig_check(r, drawn(r, 1) > 9000);
    rig_seconds(r, 60);
    holds(r, 8000);
    rig_close(r);
}

void case_a_057(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    accept(r, 1, 10, "TxDefaultProfile", 3, RELATIVE, AMPERES "[{'startPeriod':0,'limit':10}]");
    rig_charge(r);
    rig_seconds(r, 10);
    holds(r, 10000);
    accept(r, 1, 11, "TxProfile", 0, ",'transactionId':$TX" ABSOLUTE,
           "'startSchedule':'$IN(-1)','duration':300," AMPERES "[{'startPeriod':0,'limit':13.5}]");
    rig_seconds(r, 20);
    holds(r, 13500);
    rig_check(r, strcmp(why_at(r, 1), "TxProfile") == 0 && drawn(r, 1) > 12500);
    // Its schedule is over: the default counts again.
    rig_seconds(r, 300);
    holds(r, 10000);
    rig_close(r);
}

void case_a_058_1(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    reject(r, 1, 10, "TxProfile", 0, ABSOLUTE,
           "'startSchedule':'$NOW'," AMPERES "[{'startPeriod':0,'limit':6}]");
    reject(r, 1, 10, "TxProfile", 0, ",'transactionId':77" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':6}]");
    rig_charge(r);
    rig_seconds(r, 5);
    holds(r, -1);
    rig_close(r);
}

void case_a_058_2(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    reject(r, 1, 10, "TxProfile", 0, ",'transactionId':999999" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':6}]");
    rig_seconds(r, 5);
    holds(r, -1);
    rig_close(r);
}

#define REMOTE(purpose, more, limit)                                                               \
    "{'idTag':'TAG-1','connectorId':1,'chargingProfile':{'chargingProfileId':5,'stackLevel':2,"    \
    "'chargingProfilePurpose':'" purpose "','chargingProfileKind':'Relative'" more                 \
    ",'chargingSchedule':{'chargingRateUnit':'A','chargingSchedulePeriod':[{'startPeriod':0,"      \
    "'limit':" limit "}]}}}"

void case_a_059(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", REMOTE("TxProfile", "", "7.5")), ACCEPTED);
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_seconds(r, 20);
    holds(r, 7500);
    rig_check(r, drawn(r, 1) > 6500);
    rig_is(r,
           rig_ask(r, "GetCompositeSchedule",
                   "{'connectorId':1,'duration':300,'chargingRateUnit':'A'}"),
           "{'status':'Accepted','connectorId':1,'chargingSchedule':{'chargingRateUnit':'A',"
           "'duration':300,'startSchedule':null,'chargingSchedulePeriod':[{'startPeriod':0,"
           "'limit':7.5}]}}");
    rig_close(r);
}

void case_a_060(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", REMOTE("TxDefaultProfile", "", "7")), REJECTED);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", REMOTE("ChargePointMaxProfile", "", "7")),
           REJECTED);
    // Erratum 3.41: its transaction does not exist yet.
    rig_is(r, rig_ask(r, "RemoteStartTransaction", REMOTE("TxProfile", ",'transactionId':1", "7")),
           REJECTED);
    rig_expect_none(r, "StartTransaction", "{}", 30000);
    rig_close(r);
}

void case_a_066(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    accept(r, 0, 1, "ChargePointMaxProfile", 0, ABSOLUTE,
           "'startSchedule':'$NOW','duration':86400," AMPERES "[{'startPeriod':0,'limit':10}]");
    accept(
        r, 1, 2, "TxDefaultProfile", 0, ABSOLUTE,
        "'startSchedule':'$NOW','duration':300," AMPERES
        "[{'startPeriod':0,'limit':6},{'startPeriod':60,'limit':10},{'startPeriod':120,'limit':8}"
        "]");
    accept(
        r, 1, 3, "TxProfile", 0, ",'transactionId':$TX" ABSOLUTE,
        "'startSchedule':'$NOW','duration':260," AMPERES
        "[{'startPeriod':0,'limit':8},{'startPeriod':50,'limit':11},{'startPeriod':140,'limit':16}"
        ",{'startPeriod':200,'limit':6},{'startPeriod':240,'limit':12}]");
    const cJSON *conf = rig_ask(r, "GetCompositeSchedule", "{'connectorId':1,'duration':400}");
    rig_is(r, conf,
           "{'status':'Accepted','connectorId':1,'scheduleStart':'*','chargingSchedule':{"
           "'chargingRateUnit':'A','duration':400,'chargingSchedulePeriod':["
           "{'startPeriod':0,'limit':8},{'startPeriod':50,'limit':10},"
           "{'startPeriod':200,'limit':6},{'startPeriod':240,'limit':10},"
           "{'startPeriod':260,'limit':8},{'startPeriod':300,'limit':10}]}}");
    rig_check(r, cJSON_GetArraySize(rig_at(conf, "chargingSchedule.chargingSchedulePeriod")) == 6);
    rig_is(r, rig_ask(r, "GetCompositeSchedule", "{'connectorId':7,'duration':400}"), REJECTED);
    rig_close(r);
}

void case_a_067(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':11}"), "{'status':'Unknown'}");
    accept(r, 0, 11, "TxDefaultProfile", 1, RELATIVE, AMPERES "[{'startPeriod':0,'limit':7}]");
    accept(r, 1, 12, "TxDefaultProfile", 2, RELATIVE, AMPERES "[{'startPeriod':0,'limit':6}]");
    rig_seconds(r, 1);
    holds(r, 6000);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':12}"), ACCEPTED);
    rig_seconds(r, 1);
    holds(r, 7000);
    rig_is(r,
           rig_ask(r, "ClearChargingProfile",
                   "{'connectorId':0,'chargingProfilePurpose':'TxDefaultProfile','stackLevel':1}"),
           ACCEPTED);
    rig_seconds(r, 1);
    holds(r, -1);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':12}"), "{'status':'Unknown'}");
    rig_close(r);
}

void case_a_072(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    accept(
        r, 1, 1, "TxDefaultProfile", 0, ABSOLUTE,
        "'startSchedule':'$NOW','duration':400," AMPERES
        "[{'startPeriod':0,'limit':6},{'startPeriod':50,'limit':7},{'startPeriod':100,'limit':8},"
        "{'startPeriod':200,'limit':9}]");
    accept(r, 1, 2, "TxDefaultProfile", 1, ABSOLUTE,
           "'startSchedule':'$NOW','duration':150," AMPERES
           "[{'startPeriod':0,'limit':10},{'startPeriod':100,'limit':11}]");
    const cJSON *conf = rig_ask(r, "GetCompositeSchedule", "{'connectorId':1,'duration':350}");
    rig_is(r, conf,
           "{'status':'Accepted','chargingSchedule':{'chargingSchedulePeriod':["
           "{'startPeriod':0,'limit':10},{'startPeriod':100,'limit':11},"
           "{'startPeriod':150,'limit':8},{'startPeriod':200,'limit':9}]}}");
    rig_check(r, cJSON_GetArraySize(rig_at(conf, "chargingSchedule.chargingSchedulePeriod")) == 4);
    rig_seconds(r, 20);
    holds(r, 10000);
    rig_seconds(r, 135);
    holds(r, 8000);
    rig_close(r);
}

// Erratum 3.8: a default that comes, changes or goes during a charge counts at once.
void case_a_082(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    rig_seconds(r, 20);
    rig_check(r, drawn(r, 1) > 15000);
    accept(r, 1, 1, "TxDefaultProfile", 0, ABSOLUTE,
           "'startSchedule':'$NOW'," AMPERES "[{'startPeriod':0,'limit':8}]");
    rig_seconds(r, 20);
    holds(r, 8000);
    accept(r, 1, 1, "TxDefaultProfile", 0, ABSOLUTE,
           "'startSchedule':'$NOW'," AMPERES "[{'startPeriod':0,'limit':11}]");
    rig_seconds(r, 20);
    holds(r, 11000);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':1}"), ACCEPTED);
    rig_seconds(r, 20);
    holds(r, -1);
    rig_check(r, drawn(r, 1) > 15000);
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------

static void refuse_places(struct rig *r)
{
    reject(r, 0, 1, "TxProfile", 0, RELATIVE, AMPERES "[{'startPeriod':0,'limit':6}]");
    reject(r, 1, 1, "ChargePointMaxProfile", 0, ABSOLUTE,
           "'startSchedule':'$NOW'," AMPERES "[{'startPeriod':0,'limit':6}]");
    reject(r, 1, 1, "TxDefaultProfile", 21, RELATIVE, AMPERES "[{'startPeriod':0,'limit':6}]");
    // recurrencyKind is missing.
    reject(r, 1, 1, "TxDefaultProfile", 0, ",'chargingProfileKind':'Recurring'",
           "'startSchedule':'$NOW'," AMPERES "[{'startPeriod':0,'limit':6}]");
    reject(r, 1, 1, "TxDefaultProfile", 0, RELATIVE, AMPERES "[{'startPeriod':0,'limit':-1}]");
    reject(r, 1, 1, "TxDefaultProfile", 0, RELATIVE,
           "'duration':0," AMPERES "[{'startPeriod':0,'limit':6}]");
    reject(r, 1, 1, "TxDefaultProfile", 0, RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':6},{'startPeriod':0,'limit':7}]");
    reject(r, 1, 1, "TxDefaultProfile", 0, ",'validFrom':'$IN(60)','validTo':'$IN(60)'" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':6}]");
}

#define WHOLE(connector, unit)                                                                     \
    "{'connectorId':" connector ",'csChargingProfiles':{'chargingProfileId':1,'stackLevel':0,"     \
    "'chargingProfilePurpose':'TxDefaultProfile','chargingProfileKind':'Relative',"                \
    "'chargingSchedule':{'chargingRateUnit':'" unit "','chargingSchedulePeriod':["                 \
    "{'startPeriod':0,'limit':6}]}}}"

void case_b_41(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    refuse_places(r);
    // Errata 3.38, 3.39.
    r->lenient = true;
    rig_check(r, strcmp(rig_ask_error(r, "SetChargingProfile", WHOLE("1", "V")),
                        "PropertyConstraintViolation") == 0);
    rig_check(r, strcmp(rig_ask_error(r, "SetChargingProfile", WHOLE("9", "A")),
                        "PropertyConstraintViolation") == 0);
    r->lenient = false;
    // Without startSchedule it counts from the start of the charge (§7.13), unless that is not
    // wanted.
    accept(r, 1, 1, "TxDefaultProfile", 0, ABSOLUTE, AMPERES "[{'startPeriod':0,'limit':6}]");
    (void)rig_console(r, "set charging.profiles_need_start true");
    reject(r, 1, 2, "TxDefaultProfile", 1, ABSOLUTE, AMPERES "[{'startPeriod':0,'limit':9}]");
    // The same id takes the place of one of another purpose, the same level of another id.
    accept(r, 0, 1, "ChargePointMaxProfile", 4, RELATIVE, AMPERES "[{'startPeriod':0,'limit':9}]");
    rig_seconds(r, 1);
    holds(r, 9000);
    accept(r, 0, 2, "ChargePointMaxProfile", 4, RELATIVE, AMPERES "[{'startPeriod':0,'limit':12}]");
    rig_seconds(r, 1);
    holds(r, 12000);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':1}"), "{'status':'Unknown'}");
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':2}"), ACCEPTED);
    rig_close(r);
}

// Erratum 3.34: three phases named, one there; the limit is not worked out anew.
void case_b_42(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "connectors[0].phases", "1");
    rig_boot(r);
    rig_charge(r);
    accept(r, 1, 1, "TxDefaultProfile", 0, RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':8,'numberPhases':3}]");
    rig_seconds(r, 20);
    holds(r, 8000);
    accept(r, 1, 1, "TxDefaultProfile", 0, RELATIVE,
           WATTS "[{'startPeriod':0,'limit':2300,'numberPhases':3}]");
    rig_seconds(r, 20);
    holds(r, 10000);
    rig_close(r);
}

void case_b_43(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    accept(r, 1, 1, "TxDefaultProfile", 0, RELATIVE, AMPERES "[{'startPeriod':0,'limit':7}]");
    // 26 hours long, every day: what lies behind the day is never executed.
    accept(r, 1, 2, "TxDefaultProfile", 1, DAILY,
           "'startSchedule':'$IN(-90000)','duration':93600," AMPERES
           "[{'startPeriod':0,'limit':9},{'startPeriod':7200,'limit':10},{'startPeriod':86400,"
           "'limit':16}]");
    rig_charge(r);
    rig_seconds(r, 10);
    holds(r, 9000); // an hour into the second day
    // An hour of each day only: outside of it the lower level counts (erratum 3.43).
    accept(r, 1, 2, "TxDefaultProfile", 1, DAILY,
           "'startSchedule':'$IN(-89000)','duration':3600," AMPERES
           "[{'startPeriod':0,'limit':9}]");
    rig_seconds(r, 20);
    holds(r, 9000);
    rig_seconds(r, 1000);
    holds(r, 7000);
    rig_close(r);
}

void case_b_44(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    reject(r, 1, 1, "TxDefaultProfile", 0, RELATIVE, AMPERES "[{'startPeriod':10,'limit':6}]");
    accept(r, 1, 1, "TxDefaultProfile", 0, RELATIVE, AMPERES "[{'startPeriod':0,'limit':6}]");
    rig_close(r);
}

void case_b_45(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    accept(r, 1, 1, "TxDefaultProfile", 0, RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':0},{'startPeriod':120,'limit':8}]");
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StatusNotification",
               "{'connectorId':1,'status':'SuspendedEVSE','info':'paused by limit: ocpp'}");
    rig_expect(r, "StartTransaction", "{'connectorId':1}");
    for (unsigned i = 0; i < 1000; i++) {
        rig_run(r, 100);
        rig_check(r, !rig_energy_flows(r));
    }
    holds(r, 0);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_seconds(r, 10);
    holds(r, 8000);
    rig_close(r);
}

static void composites(struct rig *r)
{
    // No profile at all: what the owner allows, and never an empty list.
    rig_is(r, rig_ask(r, "GetCompositeSchedule", "{'connectorId':1,'duration':0}"),
           "{'status':'Accepted','chargingSchedule':{'duration':0,'chargingRateUnit':'A',"
           "'chargingSchedulePeriod':[{'startPeriod':0,'limit':16}]}}");
    accept(r, 1, 1, "TxDefaultProfile", 0, ABSOLUTE,
           "'startSchedule':'$IN(100)'," AMPERES
           "[{'startPeriod':0,'limit':10},{'startPeriod':50,'limit':6.5}]");
    // It begins within the window.
    rig_is(r, rig_ask(r, "GetCompositeSchedule", "{'connectorId':1,'duration':200}"),
           "{'chargingSchedule':{'chargingRateUnit':'A','chargingSchedulePeriod':["
           "{'startPeriod':0,'limit':16},{'startPeriod':100,'limit':10},"
           "{'startPeriod':150,'limit':6.5}]}}");
    // Three phases at 230 V.
    rig_is(r,
           rig_ask(r, "GetCompositeSchedule",
                   "{'connectorId':1,'duration':120,'chargingRateUnit':'W'}"),
           "{'chargingSchedule':{'chargingRateUnit':'W','chargingSchedulePeriod':["
           "{'startPeriod':0,'limit':11040},{'startPeriod':100,'limit':6900}]}}");
}

void case_b_46(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    composites(r);
    rig_close(r);
    r = rig_open(RIG_SOCKET);
    rig_set(r, "connectors[0].phases", "1");
    rig_boot(r);
    accept(r, 1, 1, "TxDefaultProfile", 0, RELATIVE, WATTS "[{'startPeriod':0,'limit':2300}]");
    // The unit of what is in force, when none is asked for.
    rig_is(r, rig_ask(r, "GetCompositeSchedule", "{'connectorId':1,'duration':60}"),
           "{'chargingSchedule':{'chargingRateUnit':'W','chargingSchedulePeriod':["
           "{'startPeriod':0,'limit':2300}]}}");
    rig_is(r,
           rig_ask(r, "GetCompositeSchedule",
                   "{'connectorId':0,'duration':60,'chargingRateUnit':'A'}"),
           "{'connectorId':0,'chargingSchedule':{'chargingRateUnit':'A','chargingSchedulePeriod':["
           "{'startPeriod':0,'limit':10}]}}");
    rig_check(r, strcmp(rig_ask_error(r, "GetCompositeSchedule", "{'connectorId':1,'duration':-5}"),
                        "PropertyConstraintViolation") == 0);
    rig_close(r);
}

// Erratum 3.25: all fields that are given must fit; an id alone is enough.
void case_b_47(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    for (int i = 0; i < 3; i++) {
        accept(r, 1, 10 + i, "TxDefaultProfile", i, RELATIVE,
               AMPERES "[{'startPeriod':0,'limit':8}]");
        accept(r, 0, 20 + i, "TxDefaultProfile", i, RELATIVE,
               AMPERES "[{'startPeriod':0,'limit':8}]");
        accept(r, 0, 30 + i, "ChargePointMaxProfile", i, RELATIVE,
               AMPERES "[{'startPeriod':0,'limit':8}]");
    }
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':10}"), ACCEPTED);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':10}"), "{'status':'Unknown'}");
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'connectorId':1,'stackLevel':0}"),
           "{'status':'Unknown'}");
    rig_is(r,
           rig_ask(r, "ClearChargingProfile",
                   "{'chargingProfilePurpose':'TxDefaultProfile','stackLevel':1}"),
           ACCEPTED);
    const char *left = rig_console(r, "json profiles");
    rig_check(r, strstr(left, "\"profile_id\":11,") == NULL);
    rig_check(r, strstr(left, "\"profile_id\":21,") == NULL);
    rig_check(r, strstr(left, "\"profile_id\":31,") != NULL);
    rig_check(r, strstr(left, "\"profile_id\":12,") != NULL);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{}"), ACCEPTED);
    rig_check(r, strstr(rig_console(r, "profiles"), "no charging profiles") != NULL);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{}"), "{'status':'Unknown'}");
    rig_close(r);
}

void case_b_48(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.after_power_loss", "resume");
    rig_boot(r);
    accept(r, 0, 1, "TxDefaultProfile", 0, RELATIVE, AMPERES "[{'startPeriod':0,'limit':9}]");
    rig_charge(r);
    accept(r, 1, 2, "TxProfile", 0, ",'transactionId':$TX" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':7}]");
    rig_seconds(r, 20);
    holds(r, 7000);
    // The charge goes on behind a power cut, and so does its profile.
    rig_power_off(r);
    rig_boot(r);
    rig_seconds(r, 60);
    rig_check(r, rig_energy_flows(r));
    holds(r, 7000);
    rig_check(r, strcmp(why_at(r, 1), "TxProfile") == 0);
    rig_unplug(r);
    rig_expect(r, "StopTransaction", "{}");
    rig_seconds(r, 5);
    rig_check(r, strstr(rig_console(r, "json profiles"), "\"profile_id\":2,") == NULL);
    rig_charge(r);
    rig_seconds(r, 20);
    holds(r, 9000);
    rig_close(r);
}

void case_b_49(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_configure(r, "LocalAuthorizeOffline", "true", "Accepted");
    rig_configure(r, "AllowOfflineTxForUnknownId", "true", "Accepted");
    rig_configure(r, "IgnoredProfilePurposesOffline", "TxProfile,Nothing", "Rejected");
    accept(r, 0, 1, "TxDefaultProfile", 0, RELATIVE, AMPERES "[{'startPeriod':0,'limit':9}]");
    rig_charge(r);
    accept(r, 1, 2, "TxProfile", 0, ",'transactionId':$TX" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':7}]");
    rig_offline(r);
    rig_seconds(r, 60);
    holds(r, 7000);
    rig_unplug(r);
    rig_seconds(r, 10);
    rig_plug(r);
    rig_card(r, "TAG-2");
    rig_seconds(r, 60);
    rig_check(r, rig_energy_flows(r));
    holds(r, 9000); // the default for a charge that begins offline
    rig_online(r);
    rig_seconds(r, 700);
    rig_configure(r, "IgnoredProfilePurposesOffline", "TxDefaultProfile", "Accepted");
    holds(r, 9000);
    rig_offline(r);
    rig_seconds(r, 60);
    holds(r, -1);
    rig_online(r);
    rig_seconds(r, 700);
    holds(r, 9000);
    rig_close(r);
}

// Erratum 3.42: one with its transaction and level takes its place, another stands beside it.
void case_b_50(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", REMOTE("TxProfile", "", "7")), ACCEPTED);
    rig_expect(r, "StartTransaction", "{'connectorId':1}");
    rig_seconds(r, 10);
    accept(r, 1, 6, "TxProfile", 1, ",'transactionId':$TX" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':12}]");
    rig_seconds(r, 20);
    holds(r, 7000); // level 2 came with the start
    accept(r, 1, 7, "TxProfile", 2, ",'transactionId':$TX" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':10}]");
    rig_seconds(r, 20);
    holds(r, 10000);
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':5}"), "{'status':'Unknown'}");
    rig_is(r, rig_ask(r, "ClearChargingProfile", "{'id':7}"), ACCEPTED);
    rig_seconds(r, 20);
    holds(r, 12000);
    rig_close(r);
}

void case_b_51(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    accept(r, 1, 2, "TxProfile", 0, ",'validTo':'$IN(60)','transactionId':$TX" RELATIVE,
           AMPERES "[{'startPeriod':0,'limit':7}]");
    rig_seconds(r, 55);
    holds(r, 7000);
    rig_seconds(r, 10);
    holds(r, -1);
    rig_seconds(r, 20);
    rig_check(r, drawn(r, 1) > 15000);
    rig_close(r);
}

#define LIMIT(limit)                                                                               \
    "{'connectorId':1,'csChargingProfiles':{'chargingProfileId':1,'stackLevel':0,"                 \
    "'chargingProfilePurpose':'TxDefaultProfile','chargingProfileKind':'Relative',"                \
    "'chargingSchedule':{'chargingRateUnit':'A','chargingSchedulePeriod':["                        \
    "{'startPeriod':0,'limit':" limit "}]}}}"

void case_b_52(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r, rig_ask(r, "SetChargingProfile", LIMIT("6.3")), ACCEPTED);
    rig_seconds(r, 1);
    holds(r, 6300);
    r->lenient = true;
    rig_check(r, strcmp(rig_ask_error(r, "SetChargingProfile", LIMIT("6.35")),
                        "PropertyConstraintViolation") == 0);
    rig_check(r, strcmp(rig_ask_error(r, "SetChargingProfile", LIMIT("'NaN'")),
                        "TypeConstraintViolation") == 0);
    holds(r, 6300);
    rig_close(r);
}

// Reason: T09: a wall box took a negative limit for a large one.
void case_t_09(void)
{
    static const char *const pilot[] = {"absurd_limits_never_reach_the_pilot",
                                        "as_many_periods_as_promised",
                                        "as_many_profiles_as_promised"};
    static const char *const rules[] = {"absurd_limits_stay_large", "what_cannot_be_is_refused",
                                        "schedules_begin_whenever_they_like"};
    rig_shown_by("test/street/test_street_profiles", pilot, PW_COUNT(pilot));
    rig_shown_by("test/core/test_core_profiles", rules, PW_COUNT(rules));
}
