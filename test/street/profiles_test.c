// Charging profiles on whole stations of every kind, with the strict central system of the
// conformance cases: several connectors below one limit, what a vehicle really draws, absurd
// numbers, a clock that is not set, starts that come to nothing.
#include "parts.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void rig_end(enum rig_end how, const char *note)
{
    (void)how;
    fail_msg("%s", note);
    abort();
}

static const struct pw_connector *connector_of(const struct rig *r, unsigned connector)
{
    return &r->street.station->connector[connector - 1];
}

static struct pw_connector_view view_of(const struct rig *r, unsigned connector)
{
    struct pw_connector_view view;
    pw_connector_view(connector_of(r, connector), &view, r->street.now);
    return view;
}

static int32_t limit_of(const struct rig *r, unsigned connector)
{
    const struct pw_limit *row =
        &pw_connector_limits(connector_of(r, connector))->row[PW_LIMIT_OCPP];
    return row->set ? row->ma : -1;
}

static const char *set_profile(struct rig *r, unsigned connector, int id, const char *purpose,
                               const char *kind, const char *schedule)
{
    static char status[40];
    char text[2000];
    (void)snprintf(text, sizeof(text),
                   "{'connectorId':%u,'csChargingProfiles':{'chargingProfileId':%d,'stackLevel':0,"
                   "'chargingProfilePurpose':'%s',%s,'chargingSchedule':{%s}}}",
                   connector, id, purpose, kind, schedule);
    (void)snprintf(status, sizeof(status), "%s",
                   rig_text(rig_ask(r, "SetChargingProfile", text), "status"));
    return status;
}

#define RELATIVE "'chargingProfileKind':'Relative'"
#define DAILY    "'chargingProfileKind':'Recurring','recurrencyKind':'Daily'"

static void limit(struct rig *r, unsigned connector, const char *purpose, const char *unit,
                  const char *amount)
{
    char schedule[120];
    (void)snprintf(
        schedule, sizeof(schedule),
        "'chargingRateUnit':'%s','chargingSchedulePeriod':[{'startPeriod':0,'limit':%s}]", unit,
        amount);
    assert_string_equal(set_profile(r, connector, 1, purpose, RELATIVE, schedule), "Accepted");
}

// ---------------------------------------------------------------------------------------------
// Several connectors.

// Both draw no more than `most` together, looked at each tenth of a second.
static void watch_sum(struct rig *r, unsigned seconds, int32_t most)
{
    for (unsigned i = 0; i < seconds * 10; i++) {
        rig_run(r, 100);
        int32_t sum = view_of(r, 1).out_ma + view_of(r, 2).out_ma;
        int32_t offered = view_of(r, 1).offered_ma + view_of(r, 2).offered_ma;
        if (sum > most + 300 || (view_of(r, 2).energised && offered > most)) {
            fail_msg("at %llu ms %d mA are drawn, %d mA offered", (unsigned long long)r->street.now,
                     (int)sum, (int)offered);
        }
    }
}

static struct rig *two_with(const char *amperes)
{
    struct rig *r = rig_open(RIG_PAIR);
    rig_boot(r);
    limit(r, 0, "ChargePointMaxProfile", "A", amperes);
    rig_plug_at(r, 1);
    rig_card_at(r, 1, "TAG-1");
    rig_seconds(r, 20);
    rig_plug_at(r, 2);
    rig_card_at(r, 2, "TAG-2");
    return r;
}

// Reason: §3.13.3, all together may not draw more than the station's limit, not for a second; who
// comes second gets his part only once the first has come down.
static void a_limit_of_the_station_is_shared(void **state)
{
    (void)state;
    struct rig *r = two_with("20");
    assert_int_equal(limit_of(r, 1), 16000); // as much as its hardware takes
    assert_in_range(view_of(r, 1).out_ma, 15000, 16300);
    watch_sum(r, 30, 20000);
    assert_int_equal(limit_of(r, 1), 10000);
    assert_int_equal(limit_of(r, 2), 10000);
    assert_in_range(view_of(r, 2).out_ma, 9000, 10300);
    assert_string_equal(view_of(r, 1).limit_why, "ChargePointMaxProfile, shared");
    // One leaves: the other has it all again.
    rig_unplug_at(r, 1);
    watch_sum(r, 30, 20000);
    assert_int_equal(limit_of(r, 2), 16000);
    rig_close(r);
}

// Reason: 5 A for each are of no use to anybody; who came first charges, the other one waits.
static void too_little_for_two_is_enough_for_one(void **state)
{
    (void)state;
    struct rig *r = two_with("10");
    watch_sum(r, 30, 10000);
    assert_int_equal(limit_of(r, 1), 10000);
    assert_int_equal(limit_of(r, 2), 0);
    assert_int_equal(view_of(r, 2).status, PW_STATUS_SUSPENDED_EVSE);
    rig_unplug_at(r, 1);
    watch_sum(r, 40, 10000);
    assert_int_equal(limit_of(r, 2), 10000);
    assert_in_range(view_of(r, 2).out_ma, 9000, 10300);
    rig_close(r);
}

// Reason: what the station's limit leaves for one is more than its own profile takes: the rest is
// the other's.
static void what_a_profile_leaves_goes_to_the_other(void **state)
{
    (void)state;
    struct rig *r = two_with("24");
    assert_string_equal(set_profile(r, 1, 2, "TxDefaultProfile", RELATIVE,
                                    "'chargingRateUnit':'A','chargingSchedulePeriod':[{"
                                    "'startPeriod':0,'limit':8}]"),
                        "Accepted");
    watch_sum(r, 30, 24000);
    assert_int_equal(limit_of(r, 1), 8000);
    assert_string_equal(view_of(r, 1).limit_why, "TxDefaultProfile");
    assert_int_equal(limit_of(r, 2), 16000);
    // The composite schedule of the whole station is no more than its limit.
    rig_is(r,
           rig_ask(r, "GetCompositeSchedule",
                   "{'connectorId':0,'duration':60,'chargingRateUnit':'A'}"),
           "{'chargingSchedule':{'chargingSchedulePeriod':[{'startPeriod':0,'limit':24}]}}");
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Kinds of connectors.

// Reason: a battery's voltage rises while it charges; a limit in watts must hold all the way.
static void watts_of_a_dc_output_hold_at_every_voltage(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_DC);
    rig_boot(r);
    limit(r, 1, "TxDefaultProfile", "W", "1500");
    rig_charge(r);
    int64_t most_mw = 0;
    for (unsigned i = 0; i < 600; i++) {
        rig_seconds(r, 1);
        most_mw = pw_max(most_mw, view_of(r, 1).power_mw);
    }
    assert_in_range(most_mw, 1400000, 1510000);
    assert_string_equal(view_of(r, 1).limit_why, "TxDefaultProfile");
    // Of the mains: 94 % of it are left at the output.
    limit(r, 0, "ChargePointMaxProfile", "W", "1000");
    rig_seconds(r, 60);
    assert_in_range(view_of(r, 1).power_mw, 900000, 945000);
    // 2 A on each of three phases: 1380 W.
    limit(r, 0, "ChargePointMaxProfile", "A", "2");
    rig_seconds(r, 60);
    assert_in_range(view_of(r, 1).power_mw, 1230000, 1300000);
    rig_close(r);
}

// Reason: a board that drives the pilot itself must be told, and must be paused with less than 6 A.
static void an_openevse_board_follows(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_OPENEVSE);
    rig_boot(r);
    limit(r, 1, "TxDefaultProfile", "A", "9.9");
    rig_charge(r);
    rig_seconds(r, 30);
    assert_int_equal(limit_of(r, 1), 9900);
    assert_in_range(view_of(r, 1).out_ma, 8000, 10000); // whole amperes
    limit(r, 1, "TxDefaultProfile", "A", "5.9");
    rig_seconds(r, 30);
    assert_int_equal(view_of(r, 1).status, PW_STATUS_SUSPENDED_EVSE);
    assert_false(rig_energy_flows(r));
    rig_close(r);
}

// Reason: 3,680 W are 16 A for a car with one phase, on a connector with three; the car is known to
// have one only once it charges.
static void a_car_with_one_phase_has_its_watts(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_world(r, "car single");
    limit(r, 1, "TxDefaultProfile", "W", "5520");
    rig_charge(r);
    assert_int_equal(limit_of(r, 1), 8000);
    rig_seconds(r, 40);
    assert_int_equal(limit_of(r, 1), 24000);
    assert_in_range(view_of(r, 1).out_ma, 15000, 16500); // what its owner allows
    rig_close(r);
}

static void limit_one_phase(struct rig *r, const char *watts)
{
    char schedule[160];
    (void)snprintf(schedule, sizeof(schedule),
                   "'chargingRateUnit':'W','chargingSchedulePeriod':[{'startPeriod':0,'limit':%s,"
                   "'numberPhases':1}]",
                   watts);
    assert_string_equal(set_profile(r, 1, 1, "TxDefaultProfile", RELATIVE, schedule), "Accepted");
}

// Energy above what `watts` allow, in mWs, and for how long, over some seconds.
struct excess {
    int64_t mws;
    pw_ms ms;
    int32_t most_ma;
};
static struct excess watch_watts(struct rig *r, int64_t watts, unsigned seconds)
{
    enum { LOOK_MS = 100 };
    struct excess excess = {.mws = 0};
    for (pw_ms end = r->street.now + (pw_ms)seconds * 1000; r->street.now < end;) {
        int64_t mw = 0;
        street_run(&r->street, LOOK_MS);
        struct pw_connector_view view = view_of(r, 1);
        for (unsigned l = 0; l < 3; l++) {
            mw += view.ma[l] == PW_BOARD_UNKNOWN ? 0 : (int64_t)view.ma[l] * 230;
            excess.most_ma = view.ma[l] == PW_BOARD_UNKNOWN
                                 ? excess.most_ma
                                 : (int32_t)pw_max(excess.most_ma, view.ma[l]);
        }
        // A tenth of the least current is the meter's noise.
        bool above = mw > watts * 1000 + 138000;
        excess.mws += above ? (mw - watts * 1000) * LOOK_MS / 1000 : 0;
        excess.ms += above ? LOOK_MS : 0;
    }
    return excess;
}

// Reason: a profile that means one phase and a car that takes three: 3,680 W are 16 A on one, 5.3 A
// on three. The car is offered the least there is to find out, and no more than that.
static void a_car_with_three_phases_under_a_limit_for_one_is_stopped_in_seconds(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    limit_one_phase(r, "3680");
    rig_plug(r);
    rig_card(r, "TAG-1");
    struct excess excess = watch_watts(r, 3680, 120);
    (void)printf("above 3,680 W for %llu ms, %lld mWh, at most %d mA\n",
                 (unsigned long long)excess.ms, (long long)(excess.mws / 3600), excess.most_ma);
    assert_in_range(excess.most_ma, 5000, 6300);
    assert_in_range(excess.ms, 1, 10000);
    assert_in_range(excess.mws / 3600, 0, 1300); // 460 W for 10 s
    assert_int_equal(view_of(r, 1).status, PW_STATUS_SUSPENDED_EVSE);
    rig_close(r);
}

// Reason: the same with room for three phases: nothing is above at any time, and a car with one
// phase gets its 16 A once it is known.
static void a_limit_for_one_phase_is_never_exceeded_where_three_may_have_theirs(void **state)
{
    (void)state;
    for (unsigned one = 0; one <= 1; one++) {
        struct rig *r = rig_open(RIG_SOCKET);
        rig_boot(r);
        if (one == 1) {
            rig_world(r, "car single");
        }
        limit_one_phase(r, "5000");
        rig_plug(r);
        rig_card(r, "TAG-1");
        struct excess excess = watch_watts(r, 5000, 90);
        assert_int_equal(excess.ms, 0);
        assert_in_range(view_of(r, 1).out_ma, one == 1 ? 15000 : 6500, one == 1 ? 16500 : 7500);
        rig_close(r);
    }
}

// ---------------------------------------------------------------------------------------------
// T09.

static bool is_offer(int32_t ma)
{
    return ma == 0 || (ma >= 5990 && ma <= 16000);
}

// Reason: T09, a wall box took a negative limit for a large one. Whatever is asked, what is offered
// is nothing, or between the least there is and the hardware's most.
static void absurd_limits_never_reach_the_pilot(void **state)
{
    (void)state;
    static const struct {
        const char *limit;
        const char *status;
        int32_t offered;
    } rows[] = {{"-1", "Rejected", 16000},
                {"-0.1", "Rejected", 16000},
                {"0", "Accepted", 0},
                {"0.1", "Accepted", 0},
                {"5.9", "Accepted", 0},
                {"6", "Accepted", 6000},
                {"1000000", "Accepted", 16000},
                {"200000000", "Accepted", 16000},
                {"-100000000", "Rejected", 16000}};
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    for (unsigned i = 0; i < PW_COUNT(rows); i++) {
        char schedule[120];
        (void)snprintf(schedule, sizeof(schedule),
                       "'chargingRateUnit':'A','chargingSchedulePeriod':[{'startPeriod':0,"
                       "'limit':%s}]",
                       rows[i].limit);
        assert_string_equal(set_profile(r, 1, 1, "TxDefaultProfile", RELATIVE, schedule),
                            rows[i].status);
        for (unsigned s = 0; s < 200; s++) {
            rig_run(r, 100);
            assert_true(is_offer(view_of(r, 1).offered_ma));
        }
        if (strcmp(rows[i].status, "Accepted") == 0) {
            // The pilot has steps of 0.06 A.
            assert_in_range(rows[i].offered - view_of(r, 1).offered_ma, 0, 60);
        }
    }
    rig_close(r);
}

static char *many_periods(unsigned count)
{
    static char text[16000];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":1,"
                   "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\","
                   "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
                   "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[");
    for (unsigned i = 0; i < count; i++) {
        pw_put_s(&out, i == 0 ? "" : ",");
        pw_put_s(&out, "{\"startPeriod\":");
        pw_put_uint(&out, i * 60);
        pw_put_s(&out, ",\"limit\":7,\"numberPhases\":3}");
    }
    pw_put_s(&out, "]}}}");
    PW_ASSERT(!out.full);
    return text;
}

// Reason: ChargingScheduleMaxPeriods are taken, one more is refused, hundreds more hurt nobody.
static void as_many_periods_as_promised(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_is(r, rig_ask(r, "SetChargingProfile", many_periods(97)), "{'status':'Rejected'}");
    rig_is(r, rig_ask(r, "SetChargingProfile", many_periods(96)), "{'status':'Accepted'}");
    rig_seconds(r, 1);
    assert_int_equal(limit_of(r, 1), 7000);
    r->lenient = true;
    assert_true(strlen(rig_ask_error(r, "SetChargingProfile", many_periods(250))) > 0);
    rig_seconds(r, 1);
    assert_int_equal(limit_of(r, 1), 7000);
    assert_non_null(strstr(rig_console(r, "profiles"), "and 88 more"));
    rig_close(r);
}

// Reason: MaxChargingProfilesInstalled are taken, the next is refused and changes nothing.
static void as_many_profiles_as_promised(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    for (int i = 0; i <= PW_PROFILES_MAX; i++) {
        char text[400];
        (void)snprintf(text, sizeof(text),
                       "{'connectorId':%d,'csChargingProfiles':{'chargingProfileId':%d,"
                       "'stackLevel':%d,'chargingProfilePurpose':'TxDefaultProfile'," RELATIVE
                       ",'chargingSchedule':{'chargingRateUnit':'A','chargingSchedulePeriod':[{"
                       "'startPeriod':0,'limit':7}]}}}",
                       i % 2, i, i / 2);
        rig_is(r, rig_ask(r, "SetChargingProfile", text),
               i < PW_PROFILES_MAX ? "{'status':'Accepted'}" : "{'status':'Rejected'}");
    }
    rig_close(r);
}

// ---------------------------------------------------------------------------------------------
// Time, and starts.

// Reason: a station that comes up without network and without a clock knows a daily schedule, and
// does not know the hour: the least of the day holds until it does.
static void without_a_clock_the_least_of_a_day_holds(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.allow_offline_unknown_id", "true");
    rig_boot(r);
    assert_string_equal(set_profile(r, 1, 1, "TxDefaultProfile", DAILY,
                                    "'startSchedule':'$IN(-3600)','chargingRateUnit':'A',"
                                    "'chargingSchedulePeriod':[{'startPeriod':0,'limit':12},"
                                    "{'startPeriod':40000,'limit':6.5},{'startPeriod':50000,"
                                    "'limit':16}]"),
                        "Accepted");
    rig_seconds(r, 5);
    rig_offline(r);
    r->street.clockless = true;
    rig_power_off(r);
    rig_seconds(r, 60);
    rig_power_on(r);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_seconds(r, 60);
    assert_int_equal(limit_of(r, 1), 6500);
    assert_string_equal(view_of(r, 1).limit_why, "TxDefaultProfile, date not known");
    assert_true(rig_energy_flows(r));
    rig_online(r);
    rig_seconds(r, 700);
    assert_int_equal(limit_of(r, 1), 12000);
    rig_close(r);
}

// Reason: the loop sleeps until the next deadline; a period that begins while it sleeps is late.
static void the_station_wakes_when_the_next_period_begins(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    assert_string_equal(
        set_profile(r, 1, 1, "TxDefaultProfile", DAILY,
                    "'startSchedule':'$NOW','chargingRateUnit':'A','chargingSchedulePeriod':[{"
                    "'startPeriod':0,'limit':7},{'startPeriod':5000,'limit':8}]"),
        "Accepted");
    struct pw_smart *smart = &r->street.station->smart;
    const struct pw_smart_input in = smart->in;
    pw_unix_ms begins = smart->set.slot[0].profile.start + 5000000;
    pw_ms at = pw_smart_step(smart, &in, smart->at);
    assert_int_equal(at - smart->at, begins - in.wall);
    rig_run(r, at - r->street.now - 100);
    assert_int_equal(limit_of(r, 1), 7000);
    rig_run(r, 200);
    assert_int_equal(limit_of(r, 1), 8000);
    rig_close(r);
}

// Reason: nobody plugged in; the profile that came with that start must not limit the next driver.
static void the_profile_of_a_start_that_came_to_nothing_goes(void **state)
{
    (void)state;
    static const char start[] =
        "{'idTag':'TAG-1','connectorId':1,'chargingProfile':{'chargingProfileId':5,'stackLevel':0,"
        "'chargingProfilePurpose':'TxProfile'," RELATIVE ",'chargingSchedule':{'chargingRateUnit':"
        "'A','chargingSchedulePeriod':[{'startPeriod':0,'limit':7}]}}}";
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.connection_timeout_s", "30");
    rig_boot(r);
    rig_is(r, rig_ask(r, "RemoteStartTransaction", start), "{'status':'Accepted'}");
    rig_seconds(r, 5);
    assert_int_equal(limit_of(r, 1), 7000);
    rig_seconds(r, 60);
    assert_int_equal(limit_of(r, 1), -1);
    rig_charge(r);
    rig_seconds(r, 10);
    assert_int_equal(limit_of(r, 1), -1);
    rig_unplug(r);
    rig_seconds(r, 30);
    // The card of another driver comes while the start waits for its vehicle.
    rig_is(r, rig_ask(r, "RemoteStartTransaction", start), "{'status':'Accepted'}");
    rig_seconds(r, 2);
    rig_plug(r);
    rig_seconds(r, 20);
    assert_int_equal(limit_of(r, 1), 7000);
    rig_unplug(r);
    rig_seconds(r, 20);
    assert_int_equal(limit_of(r, 1), -1);
    rig_close(r);
}

// Reason: "Accepted" means that a power cut does not take it away; and a central system that does
// not wait for its answer gets both.
static void what_is_accepted_outlives_a_power_cut(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    r->street.store.lag = 40;
    r->lenient = true;
    rig_post(r, "SetChargingProfile", many_periods(3));
    rig_post(r, "SetChargingProfile",
             "{'connectorId':0,'csChargingProfiles':{'chargingProfileId':2,'stackLevel':0,"
             "'chargingProfilePurpose':'ChargePointMaxProfile'," RELATIVE ",'chargingSchedule':{"
             "'chargingRateUnit':'A','chargingSchedulePeriod':[{'startPeriod':0,'limit':6.5}]}}}");
    unsigned answers = 0;
    for (unsigned turns = 0; answers < 2; turns++) {
        assert_true(turns < 600);
        rig_run(r, 100);
        size_t durable = pw_sim_store_count(&r->street.store, "prof/");
        answers = 0;
        for (size_t i = 0; i < r->count; i++) {
            answers += r->messages[i]->from_station && r->messages[i]->kind == PW_OCPP_RESULT &&
                       strcmp(r->messages[i]->action, "SetChargingProfile") == 0;
        }
        assert_true(answers <= durable);
    }
    rig_power_off(r);
    rig_power_on(r);
    rig_seconds(r, 1);
    assert_int_equal(limit_of(r, 1), 6500);
    rig_close(r);
}

// Reason: the same of "out of service": who was told so must find it so after a power cut.
static void out_of_service_is_said_when_it_will_last(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    r->street.store.lag = 40;
    r->lenient = true;
    rig_post(r, "ChangeAvailability", "{'connectorId':0,'type':'Inoperative'}");
    rig_run(r, 100);
    assert_null(rig_answered(r)); // not durable yet
    for (unsigned turns = 0; rig_answered(r) == NULL; turns++) {
        assert_true(turns < 600);
        rig_run(r, 100);
    }
    rig_power_off(r);
    rig_power_on(r);
    rig_seconds(r, 1);
    assert_int_equal(street_view(&r->street).status, PW_STATUS_UNAVAILABLE);
    rig_close(r);
}

// Reason: the owner's switch counts more than the operator's wish.
static void profiles_do_not_count_where_limits_from_outside_do_not(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    limit(r, 1, "TxDefaultProfile", "A", "7");
    rig_charge(r);
    rig_seconds(r, 10);
    assert_int_equal(limit_of(r, 1), 7000);
    (void)rig_console(r, "set charging.remote_adjust false");
    rig_seconds(r, 1);
    assert_int_equal(limit_of(r, 1), -1);
    assert_string_equal(set_profile(r, 1, 2, "TxDefaultProfile", RELATIVE,
                                    "'chargingRateUnit':'A','chargingSchedulePeriod':[{"
                                    "'startPeriod':0,'limit':8}]"),
                        "Rejected");
    (void)rig_console(r, "set charging.remote_adjust true");
    rig_seconds(r, 1);
    assert_int_equal(limit_of(r, 1), 7000);
    rig_close(r);
}

// Reason: on a full disk the answer to one profile waited for ever, and with it every other call: a
// remote stop could not be asked for any more.
static void a_disk_that_takes_nothing_does_not_stop_the_talk(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    r->street.store.lag = 1000000;
    r->lenient = true;
    rig_post(r, "SetChargingProfile", many_periods(3));
    rig_seconds(r, 12);
    assert_non_null(rig_answered(r));
    rig_post(r, "RemoteStopTransaction", "{'transactionId':1}");
    rig_seconds(r, 1);
    assert_non_null(rig_answered(r));
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_of_the_station_is_shared),
        cmocka_unit_test(too_little_for_two_is_enough_for_one),
        cmocka_unit_test(what_a_profile_leaves_goes_to_the_other),
        cmocka_unit_test(watts_of_a_dc_output_hold_at_every_voltage),
        cmocka_unit_test(an_openevse_board_follows),
        cmocka_unit_test(a_car_with_one_phase_has_its_watts),
        cmocka_unit_test(a_car_with_three_phases_under_a_limit_for_one_is_stopped_in_seconds),
        cmocka_unit_test(a_limit_for_one_phase_is_never_exceeded_where_three_may_have_theirs),
        cmocka_unit_test(absurd_limits_never_reach_the_pilot),
        cmocka_unit_test(as_many_periods_as_promised),
        cmocka_unit_test(as_many_profiles_as_promised),
        cmocka_unit_test(without_a_clock_the_least_of_a_day_holds),
        cmocka_unit_test(the_station_wakes_when_the_next_period_begins),
        cmocka_unit_test(the_profile_of_a_start_that_came_to_nothing_goes),
        cmocka_unit_test(what_is_accepted_outlives_a_power_cut),
        cmocka_unit_test(out_of_service_is_said_when_it_will_last),
        cmocka_unit_test(a_disk_that_takes_nothing_does_not_stop_the_talk),
        cmocka_unit_test(profiles_do_not_count_where_limits_from_outside_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
