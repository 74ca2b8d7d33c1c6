// When a charge may run on the street: nights, power cuts, clocks that are not set, people who
// cannot wait, and limits to the watt hour. The observer of test/street/ac_test.c watches.
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)

#define LJUBLJANA "CET-1CEST,M3.5.0,M10.5.0/3"

static struct street street;

static bool is_online(const struct street *s)
{
    return strcmp(book_status_of(&s->book, 1), "") != 0;
}

static bool is_finishing(const struct street *s)
{
    return street_view(s).status == PW_STATUS_FINISHING;
}

static bool is_suspended(const struct street *s)
{
    return street_view(s).status == PW_STATUS_SUSPENDED_EVSE;
}

static bool is_preparing(const struct street *s)
{
    return street_view(s).status == PW_STATUS_PREPARING;
}

static bool is_open(const struct street *s)
{
    return !pw_world_ac_truth(&s->ac).any_closed;
}

static bool flows(const struct street *s)
{
    return pw_world_ac_truth(&s->ac).ma[0] > 1000;
}

static bool is_unavailable(const struct street *s)
{
    return street_view(s).status == PW_STATUS_UNAVAILABLE;
}

static pw_unix_ms wall(void)
{
    return street.wall + (pw_unix_ms)street.now;
}

static struct pw_rules_view rules(void)
{
    struct pw_rules_view view;
    pw_rules_view(&street.station->rules, 0, &view, street.now);
    return view;
}

// Of the last StatusNotification.
static const char *info(void)
{
    assert_true(street.book.status_count > 0 && street.book.status_count <= BOOK_STATUSES_MAX);
    return street.book.statuses[street.book.status_count - 1].info;
}

// An outlet with plug and charge, at an instant; the power is not on yet.
static void open_at(pw_unix_ms at)
{
    street_open_ac(&street, NULL);
    street.wall = at - (pw_unix_ms)street.now;
    street_set(&street, "schedule.time_zone", LJUBLJANA);
    street_set(&street, "charging.plug_and_charge", "true");
}

static void power_on(void)
{
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
}

static void plug(void)
{
    street_do(&street, "plug");
    acwatch_leave(&street.watch, street.now);
}

static void run_until(pw_unix_ms at)
{
    assert_true(at > wall());
    street_run(&street, (pw_ms)(at - wall()));
}

static void finish(void)
{
    if (street.watch.violations != 0) {
        fail_msg("%u violations; %s", street.watch.violations, street.watch.what);
    }
    street_close(&street);
}

static int64_t billed_wh(unsigned index)
{
    const struct book_transaction *t = &street.book.transactions[index];
    assert_int_equal(t->stops, 1);
    return t->meter_stop_wh - t->meter_start_wh;
}

// ---------------------------------------------------------------------------------------------
// Nights.

// A vehicle waits for `begins`, charges until `ends`, both true instants; its charge stays one.
static void a_night(const char *timer, pw_unix_ms plugged, pw_unix_ms begins, pw_unix_ms ends,
                    const char *text)
{
    open_at(plugged);
    street_set(&street, "schedule.delay_timer", timer);
    power_on();
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    assert_string_equal(rules().text, text);
    assert_int_equal(rules().changes_at, begins);
    run_until(begins - 1);
    assert_int_equal(pw_world_ac_truth(&street.ac).wear.closings, 0);
    assert_true(street_until(&street, flows, 15000));
    assert_int_equal(rules().changes_at, ends);
    run_until(ends - 1);
    assert_true(flows(&street));
    assert_true(street_until(&street, is_open, 8000));
    street_run(&street, 5000);
    assert_true(is_suspended(&street));
    // The physical energy is that of the true span, not of what the clock showed.
    double hours = (double)(ends - begins) / (double)HOUR_MS;
    double kwh = (double)pw_world_ac_truth(&street.ac).energy_mwh / 1e6;
    assert_true(kwh > 10.4 * hours && kwh < 11.2 * hours);
    assert_int_equal(street.book.count, 1);
    assert_int_equal(street.book.transactions[0].stops, 0);
    assert_int_equal(pw_world_ac_truth(&street.ac).wear.closings, 1);
    finish();
}

// Reason: facts §6 item 15. 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.
static void night_charging_over_both_changes_of_clocks(void **state)
{
    (void)state;
    pw_unix_ms forward = 1774746000000;
    pw_unix_ms back = 1792890000000;
    // 01:30 CET to 03:10 CEST: forty minutes.
    a_night("01:30-03:10", forward - 35 * MINUTE_MS, forward - 30 * MINUTE_MS,
            forward + 10 * MINUTE_MS, "waits for 01:30");
    // From 02:50, which is not there that night.
    a_night("02:50-03:20", forward - 5 * MINUTE_MS, forward, forward + 20 * MINUTE_MS,
            "waits for 03:00");
    // 02:50 CEST, the first time, to 02:10 CET, the second time: never cut in two.
    a_night("02:50-03:10", back - 15 * MINUTE_MS, back - 10 * MINUTE_MS,
            back + HOUR_MS + 10 * MINUTE_MS, "waits for 02:50");
    a_night("01:50-02:05", back - 75 * MINUTE_MS, back - 70 * MINUTE_MS, back + 5 * MINUTE_MS,
            "waits for 01:50");
}

// Reason: facts §6 item 16: a timer that ran already at boot was not evaluated.
static void a_power_cut_in_the_middle_of_the_night(void **state)
{
    (void)state;
    pw_unix_ms eleven = 1767304800000; // 2026-01-01 22:00 UTC, 23:00 there
    open_at(eleven - 10 * MINUTE_MS);
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    power_on();
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    street_power_off(&street);
    street_run(&street, 60000);
    power_on();
    acwatch_leave(&street.watch, street.now);
    street_run(&street, 120000);
    assert_int_equal(pw_world_ac_truth(&street.ac).wear.closings, 0); // it still waits
    assert_int_equal(rules().hold, PW_RULES_SCHEDULE);
    run_until(eleven);
    assert_true(street_until(&street, flows, 15000));
    street_run(&street, 300000);
    street_power_off(&street);
    street_run(&street, 60000);
    power_on();
    acwatch_leave(&street.watch, street.now);
    assert_true(street_until(&street, flows, 60000)); // its time has not ended meanwhile
    assert_int_equal(rules().hold, PW_RULES_NOTHING);
    assert_string_equal(rules().text, "until 06:30");
    finish();
}

static void a_weekly_plan_changed_while_it_holds(void **state)
{
    (void)state;
    open_at(1767304800000); // Thursday 23:00 there
    street_set(&street, "schedule.weekly", "mon-thu 22:00-06:00; sat,sun 00:00-24:00");
    power_on();
    plug();
    assert_true(street_until(&street, flows, 30000));
    assert_string_equal(street_command(&street, "set schedule.weekly sat,sun 00:00-24:00"),
                        "set\n");
    assert_true(street_until(&street, is_open, 8000));
    assert_string_equal(rules().text, "waits for sat 00:00");
    assert_string_equal(street_command(&street, "set schedule.weekly"), "set\n");
    assert_true(street_until(&street, flows, 120000));
    finish();
}

static bool scooter_flows(const struct street *s)
{
    return pw_world_dc_truth(&s->world).connector_ma > 5000;
}

static bool scooter_rests(const struct street *s)
{
    return pw_connector_is_off(&s->station->connector[0]);
}

// Reason: every kind pauses at a limit of nothing, and goes on.
static void a_scooter_waits_for_its_time_too(void **state)
{
    (void)state;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.scooter.soc = 0.3;
    world.plugged = true;
    street_open(&street, &world);
    street.wall = 1767304800000 - 120000 - (pw_unix_ms)street.now;
    street_set(&street, "schedule.time_zone", LJUBLJANA);
    street_set(&street, "schedule.delay_timer", "23:00-23:05");
    street_set(&street, "charging.plug_and_charge", "true");
    street_power_on(&street);
    assert_true(street_until(&street, is_suspended, 30000));
    run_until(1767304800000);
    assert_true(scooter_rests(&street));
    assert_true(street_until(&street, scooter_flows, 60000));
    run_until(1767304800000 + 5 * MINUTE_MS);
    assert_true(scooter_flows(&street));
    assert_true(street_until(&street, scooter_rests, 30000));
    assert_int_equal(street.book.count, 1);
    assert_int_equal(street.book.transactions[0].stops, 0);
    assert_string_equal(rules().text, "waits for 23:00");
    street_close(&street);
}

// ---------------------------------------------------------------------------------------------
// Clocks.

// Reason: a station without a battery for its clock must not charge by day because it does not
// know that it is day; and must not leave its vehicle empty because nobody ever tells the time.
static void a_clock_that_is_not_set_is_waited_for(void **state)
{
    (void)state;
    open_at(1767304800000 - 12 * HOUR_MS);
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    street.clockless = true;
    street.reachable = false;
    street_power_on(&street);
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    assert_int_equal(rules().hold, PW_RULES_NO_CLOCK);
    assert_string_equal(rules().text, "waits for the clock to be set");
    street_run(&street, 300000);
    assert_int_equal(pw_world_ac_truth(&street.ac).wear.closings, 0);
    street.reachable = true;
    assert_true(street_until(&street, is_online, 280000)); // and the time is told
    street_run(&street, 2000);
    assert_int_equal(rules().hold, PW_RULES_SCHEDULE);
    assert_string_equal(rules().text, "waits for 23:00");
    finish();

    open_at(1767304800000 - 12 * HOUR_MS);
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    street.clockless = true;
    street.reachable = false;
    street_power_on(&street);
    plug();
    street_run(&street, PW_RULES_CLOCK_MS - 1000);
    assert_int_equal(pw_world_ac_truth(&street.ac).wear.closings, 0);
    assert_true(street_until(&street, flows, 20000));
    assert_string_equal(rules().text, "clock not set: timer and plan do not count");
    // The system's clock is set at last (NTP): at once the timer counts.
    pw_station_clock(street.station, wall(), street.now);
    assert_true(street_until(&street, is_open, 8000));
    assert_string_equal(rules().text, "waits for 23:00");
    finish();
}

static void a_clock_that_jumps_is_believed_at_once(void **state)
{
    (void)state;
    open_at(1767304800000 - 12 * HOUR_MS); // 11:00 there
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    street_set(&street, "ocpp.url", "");
    street_power_on(&street);
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    street.wall += 12 * HOUR_MS;
    pw_station_clock(street.station, wall(), street.now);
    street.station_at = street.now;
    assert_true(street_until(&street, flows, 15000));
    street.wall -= 12 * HOUR_MS;
    pw_station_clock(street.station, wall(), street.now);
    street.station_at = street.now;
    assert_true(street_until(&street, is_open, 8000));
    finish();
}

// ---------------------------------------------------------------------------------------------
// People.

static void charge_now_lasts_until_the_vehicle_has_gone(void **state)
{
    (void)state;
    open_at(1767304800000 - 12 * HOUR_MS);
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    power_on();
    assert_non_null(strstr(street_command(&street, "now"), "there is no vehicle"));
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    assert_non_null(strstr(street_command(&street, "now"), "do not count"));
    assert_true(street_until(&street, flows, 15000));
    assert_string_equal(rules().text, "charges now, until unplugged");
    assert_non_null(strstr(street_command(&street, "now off"), "count again"));
    assert_true(street_until(&street, is_open, 8000));
    street_run(&street, 20000);
    (void)street_command(&street, "now 1");
    assert_true(street_until(&street, flows, 60000));
    street_do(&street, "unplug");
    street_run(&street, 10000);
    assert_false(rules().now);
    plug();
    street_run(&street, 60000);
    assert_true(is_suspended(&street));
    assert_int_equal(street.book.count, 2);
    assert_non_null(strstr(street_command(&street, "set schedule.delay_timer"), "set"));
    assert_non_null(strstr(street_command(&street, "now"), "nothing to wait for"));
    finish();
}

// Reason: the vehicle is still there after a power cut, and its owner still in a hurry.
static void charge_now_outlives_a_power_cut_but_not_its_vehicle(void **state)
{
    (void)state;
    for (unsigned gone = 0; gone < 2; gone++) {
        open_at(1767304800000 - 12 * HOUR_MS);
        street_set(&street, "schedule.delay_timer", "23:00-06:30");
        power_on();
        plug();
        assert_true(street_until(&street, is_suspended, 10000));
        (void)street_command(&street, "now");
        assert_true(street_until(&street, flows, 15000));
        street_power_off(&street);
        if (gone == 1) {
            street_do(&street, "unplug");
        }
        street_run(&street, 60000);
        power_on();
        if (gone == 1) {
            street_run(&street, PW_SESSION_RESUME_MS + 10000);
            plug();
            street_run(&street, 60000);
            assert_true(is_suspended(&street));
        } else {
            acwatch_leave(&street.watch, street.now);
            assert_true(street_until(&street, flows, 60000));
            assert_true(rules().now);
        }
        finish();
    }
}

static void charge_now_does_nothing_against_sleep(void **state)
{
    (void)state;
    open_at(1767304800000 - 12 * HOUR_MS);
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    power_on();
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    (void)street_command(&street, "now");
    assert_true(street_until(&street, flows, 15000));
    (void)street_command(&street, "set charging.enable sleep");
    assert_true(street_until(&street, is_open, 8000));
    assert_string_equal(rules().why, "switched to sleep");
    finish();
}

static void off_ends_the_charge_and_outlives_a_restart(void **state)
{
    (void)state;
    open_at(1767304800000);
    power_on();
    plug();
    assert_true(street_until(&street, flows, 30000));
    assert_string_equal(street_command(&street, "set charging.enable off"), "set\n");
    assert_true(street_until(&street, is_unavailable, 15000));
    street_run(&street, 3000);
    assert_string_equal(street.book.transactions[0].reason, "Local");
    street_power_off(&street);
    street_run(&street, 10000);
    power_on();
    street_run(&street, 60000);
    assert_true(is_unavailable(&street));
    // What the central system allows does not switch it on.
    street_call(&street, "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Operative\"}");
    street_run(&street, 10000);
    assert_true(is_unavailable(&street));
    assert_non_null(strstr(street_command(&street, "start 1"), "cannot start"));
    assert_string_equal(street_command(&street, "set charging.enable on"), "set\n");
    acwatch_leave(&street.watch, street.now);
    assert_true(street_until(&street, flows, 60000));
    // Off and on again: the free charge goes on as another one, without a new plug.
    assert_string_equal(street_command(&street, "set charging.enable off"), "set\n");
    assert_true(street_until(&street, is_unavailable, 15000));
    assert_string_equal(street_command(&street, "set charging.enable on"), "set\n");
    acwatch_leave(&street.watch, street.now);
    assert_true(street_until(&street, flows, 60000));
    finish();
}

static void what_the_central_system_switched_off_stays_off(void **state)
{
    (void)state;
    open_at(1767304800000);
    power_on();
    street_call(&street, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
    street_run(&street, 1000);
    assert_true(is_unavailable(&street));
    (void)street_command(&street, "set charging.enable off");
    street_run(&street, 1000);
    (void)street_command(&street, "set charging.enable on");
    street_run(&street, 1000);
    assert_true(is_unavailable(&street));
    finish();
}

static void asleep_a_charge_waits_and_goes_on(void **state)
{
    (void)state;
    open_at(1767304800000);
    power_on();
    plug();
    assert_true(street_until(&street, flows, 30000));
    (void)street_command(&street, "set charging.enable sleep");
    assert_true(street_until(&street, is_open, 8000));
    street_run(&street, 3000);
    assert_true(is_suspended(&street));
    assert_non_null(strstr(street_command(&street, "limits"), "switched to sleep"));
    assert_string_equal(info(), "paused by limit: schedule");
    (void)street_command(&street, "limit 0");
    (void)street_command(&street, "set charging.enable on");
    street_run(&street, 3000);
    assert_true(is_suspended(&street));
    assert_string_equal(info(), "paused by limit: local"); // the same status, and another reason
    (void)street_command(&street, "set charging.enable sleep");
    (void)street_command(&street, "limit off");
    street_run(&street, 3000);
    assert_non_null(strstr(street_command(&street, "now"), "nothing to wait for"));
    street_run(&street, 60000);
    (void)street_command(&street, "set charging.enable on");
    assert_true(street_until(&street, flows, 30000));
    assert_int_equal(street.book.count, 1);
    finish();
}

// Reason: a remote start is a wish like every other: it waits while the station sleeps, and is
// refused when the station is off.
static void a_remote_start_waits_or_is_refused(void **state)
{
    static const char start[] = "{\"connectorId\":1,\"idTag\":\"FAR\"}";
    (void)state;
    open_at(1767304800000);
    street_set(&street, "charging.plug_and_charge", "false");
    power_on();
    plug();
    assert_true(street_until(&street, is_preparing, 10000));
    (void)street_command(&street, "set charging.enable off");
    street_run(&street, 1000);
    street_call(&street, "RemoteStartTransaction", start);
    street_run(&street, 2000);
    assert_non_null(strstr(street.book.answer, "Rejected"));
    (void)street_command(&street, "set charging.enable sleep");
    street_run(&street, 1000);
    street_call(&street, "RemoteStartTransaction", start);
    assert_true(street_until(&street, is_suspended, 10000));
    street_run(&street, 1000);
    assert_non_null(strstr(street.book.answer, "Accepted"));
    (void)street_command(&street, "set charging.enable on");
    assert_true(street_until(&street, flows, 60000));
    assert_string_equal(street.book.transactions[0].id_tag, "FAR");
    finish();
}

// Reason: facts §3.1 set_adjust. What is forbidden comes off at once, and what protects the house
// and the hardware stays.
static void nobody_adjusts_without_leave(void **state)
{
    (void)state;
    open_at(1767304800000);
    power_on();
    plug();
    assert_true(street_until(&street, flows, 30000));
    assert_string_equal(street_command(&street, "limit 12"), "limit set\n");
    assert_string_equal(street_command(&street, "claim 8"), "limit set\n");
    street_run(&street, 10000);
    assert_in_range(street_view(&street).offered_ma, 7980, 8000);
    (void)street_command(&street, "set charging.remote_adjust false");
    street_run(&street, 20000);
    assert_in_range(street_view(&street).offered_ma, 11980, 12000); // of a person at the station
    assert_non_null(strstr(street_command(&street, "claim 10"), "remote_adjust is off"));
    assert_string_equal(street_command(&street, "claim off"), "limit taken away\n");
    assert_string_equal(street_command(&street, "limit off"), "limit taken away\n");
    street_run(&street, 20000);
    assert_in_range(street_view(&street).offered_ma, 15980, 16000); // and never above its owner's
    finish();
}

// Reason: facts §3.1 set_nwpc.
static void without_a_network_a_plug_is_enough(void **state)
{
    (void)state;
    open_at(1767304800000);
    street_set(&street, "charging.plug_and_charge", "false");
    street_set(&street, "charging.plug_and_charge_offline", "true");
    power_on();
    plug();
    street_run(&street, 120000);
    assert_true(is_preparing(&street));
    street.reachable = false;
    street_cut_link(&street);
    street_run(&street, PW_RULES_AWAY_MS - 5000);
    assert_true(is_preparing(&street)); // a short cut is no reason
    assert_true(street_until(&street, flows, 30000));
    assert_int_equal(rules().mode, PW_RULES_OFFLINE);
    // It comes back: the charge goes on, the next needs somebody.
    street.reachable = true;
    street_run(&street, 300000);
    assert_int_equal(rules().mode, PW_RULES_CONTROLLED);
    assert_true(flows(&street));
    assert_string_equal(street.book.transactions[0].id_tag, "LOCAL");
    street_do(&street, "unplug");
    street_run(&street, 10000);
    plug();
    street_run(&street, 60000);
    assert_true(is_preparing(&street));
    // A broker is as good as a central system.
    pw_station_broker(street.station, true);
    street.reachable = false;
    street_cut_link(&street);
    street_run(&street, 2 * PW_RULES_AWAY_MS);
    assert_true(is_preparing(&street));
    finish();
}

// ---------------------------------------------------------------------------------------------
// Limits.

// Reason: the session ends at the first reading that reaches the limit; what the contactor lets
// through after it is physics, and is billed.
static void energy_is_limited_to_the_watt_hour(void **state)
{
    (void)state;
    static const int limits_wh[] = {100, 1234};
    for (size_t i = 0; i < PW_COUNT(limits_wh); i++) {
        char line[60];
        open_at(1767304800000);
        (void)snprintf(line, sizeof(line), "%d", limits_wh[i]);
        street_set(&street, "charging.energy_limit_wh", line);
        power_on();
        plug();
        assert_true(street_until(&street, flows, 30000));
        while (street_view(&street).phase == PW_PHASE_ACTIVE) {
            assert_in_range(street_view(&street).session_mwh, 0,
                            (unsigned)limits_wh[i] * 1000 + 999);
            assert_int_equal(rules().energy.left, limits_wh[i] - rules().energy.used);
            street_run(&street, 20);
        }
        assert_in_range(street_view(&street).session_mwh, (unsigned)limits_wh[i] * 1000,
                        (unsigned)limits_wh[i] * 1000 + 1999);
        assert_true(street_until(&street, is_finishing, 10000));
        street_run(&street, 3000);
        assert_string_equal(street.book.transactions[0].reason, "Local");
        // The vehicle is given its time to stop drawing: at 11 kW less than 6 Wh.
        assert_in_range(billed_wh(0), limits_wh[i], limits_wh[i] + 6);
        finish();
    }
}

static void time_is_limited_to_the_second_and_stands_still_while_it_waits(void **state)
{
    (void)state;
    open_at(1767304800000 - 5 * MINUTE_MS);
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    street_set(&street, "charging.time_limit_s", "60");
    power_on();
    plug();
    assert_true(street_until(&street, is_suspended, 10000));
    assert_int_equal(rules().time.limit, 60);
    run_until(1767304800000);
    assert_true(street_until(&street, flows, 15000));
    run_until(1767304800000 + 58000);
    assert_int_equal(street_view(&street).phase, PW_PHASE_ACTIVE);
    assert_in_range(rules().time.left, 1, 4);
    run_until(1767304800000 + 61000);
    assert_int_not_equal(street_view(&street).phase, PW_PHASE_ACTIVE);
    street_run(&street, 10000);
    assert_string_equal(street.book.transactions[0].reason, "Local");
    finish();
}

static void what_was_asked_for_one_charge_is_not_the_nexts(void **state)
{
    (void)state;
    open_at(1767304800000);
    street_set(&street, "charging.time_limit_s", "30");
    power_on();
    assert_non_null(strstr(street_command(&street, "until time 0"), "set"));
    plug();
    assert_true(street_until(&street, flows, 30000));
    street_run(&street, 120000);
    assert_true(flows(&street)); // no limit, as asked
    assert_non_null(strstr(street_command(&street, "until energy 1"), "set"));
    assert_true(street_until(&street, is_finishing, 20000));
    street_do(&street, "unplug");
    street_run(&street, 5000);
    assert_int_equal(rules().time.limit, 30);
    assert_int_equal(rules().energy.limit, 0);
    finish();
}

// Reason: who asked for 500 Wh and is asleep must not pay for a full battery because of a power
// cut.
static void what_was_asked_for_a_charge_outlives_a_power_cut(void **state)
{
    (void)state;
    for (unsigned resumes = 0; resumes < 2; resumes++) {
        open_at(1767304800000);
        street_set(&street, "session.after_power_loss", resumes == 1 ? "resume" : "stop");
        power_on();
        plug();
        assert_true(street_until(&street, flows, 30000));
        (void)street_command(&street, "until energy 500");
        street_run(&street, 20000);
        street_power_off(&street);
        street_run(&street, 10000);
        power_on();
        acwatch_leave(&street.watch, street.now);
        assert_true(street_until(&street, flows, 60000));
        assert_int_equal(rules().energy.limit, resumes == 1 ? 500 : 0);
        if (resumes == 1) {
            assert_true(street_until(&street, is_finishing, 600000));
            street_run(&street, 10000);
            assert_in_range(billed_wh(0), 500, 510);
        }
        finish();
    }
}

static void a_battery_is_charged_as_far_as_was_asked(void **state)
{
    (void)state;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.scooter.soc = 0.70;
    world.plugged = true;
    street_open(&street, &world);
    street_set(&street, "charging.plug_and_charge", "true");
    street_set(&street, "charging.soc_limit_permille", "800");
    street_power_on(&street);
    assert_true(street_until(&street, street_is_charging, 60000));
    assert_true(street_until(&street, is_finishing, 7200000));
    assert_in_range(street_view(&street).vehicle.soc_permille, 800, 802);
    street_run(&street, 3000);
    assert_string_equal(street.book.transactions[0].reason, "Local");
    street_close(&street);
}

// ---------------------------------------------------------------------------------------------
// What nobody needs.

static void an_idle_vehicle_is_let_go_when_it_was_started_by_somebody(void **state)
{
    (void)state;
    for (unsigned free = 0; free < 2; free++) {
        open_at(1767304800000);
        street_set(&street, "charging.plug_and_charge", free == 1 ? "true" : "false");
        street_do(&street, "car sated");
        street_do(&street, "soc 49.9");
        power_on();
        plug();
        street_run(&street, 5000);
        if (free == 0) {
            street_card(&street, "CARD-1");
        }
        assert_true(street_until(&street, flows, 60000));
        street_run(&street, 1200000);
        assert_false(flows(&street));
        assert_int_equal(street.book.transactions[0].stops, 1 - free);
        if (free == 0) {
            assert_string_equal(street.book.transactions[0].reason, "Other");
        }
        finish();
    }
}

// Reason: a vehicle with a timer of its own takes nothing for hours, and that is no reason.
static void a_vehicle_that_has_not_begun_is_not_idle(void **state)
{
    (void)state;
    open_at(1767304800000);
    street_set(&street, "charging.plug_and_charge", "false");
    street_do(&street, "car sated");
    street_do(&street, "soc 60");
    power_on();
    plug();
    street_run(&street, 5000);
    street_card(&street, "CARD-1");
    street_run(&street, 3600000);
    assert_int_equal(street.book.count, 1);
    assert_int_equal(street.book.transactions[0].stops, 0);
    finish();
}

// Reason: facts §3.2 timer 3. It is stopped, and everybody is told why.
static void a_vehicle_that_draws_too_much_is_stopped(void **state)
{
    (void)state;
    open_at(1767304800000);
    street_do(&street, "car greedy");
    street_set(&street, "charging.stop_over_s", "4"); // core/evse looks for 6 s by itself
    power_on();
    plug();
    assert_true(street_until(&street, flows, 30000));
    street_run(&street, 2000);
    assert_true(flows(&street));
    assert_true(street_until(&street, is_finishing, 10000));
    street_run(&street, 3000);
    assert_true(rules().over);
    assert_string_equal(street.book.transactions[0].reason, "Other");
    const struct book_status *last = &street.book.statuses[street.book.status_count - 1];
    assert_string_equal(last->error, "OverCurrentFailure");
    assert_string_equal(last->vendor, "PW-DRAW");
    assert_non_null(strstr(street_command(&street, "faults"), "PW-DRAW"));
    assert_non_null(strstr(street_command(&street, "json faults"), "PW-DRAW"));
    street_do(&street, "unplug");
    street_run(&street, 10000);
    assert_false(rules().over);
    last = &street.book.statuses[street.book.status_count - 1];
    assert_string_equal(last->error, "NoError");
    assert_null(strstr(street_command(&street, "faults"), "PW-DRAW"));
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(night_charging_over_both_changes_of_clocks),
        cmocka_unit_test(a_power_cut_in_the_middle_of_the_night),
        cmocka_unit_test(a_weekly_plan_changed_while_it_holds),
        cmocka_unit_test(a_scooter_waits_for_its_time_too),
        cmocka_unit_test(a_clock_that_is_not_set_is_waited_for),
        cmocka_unit_test(a_clock_that_jumps_is_believed_at_once),
        cmocka_unit_test(charge_now_lasts_until_the_vehicle_has_gone),
        cmocka_unit_test(charge_now_outlives_a_power_cut_but_not_its_vehicle),
        cmocka_unit_test(charge_now_does_nothing_against_sleep),
        cmocka_unit_test(off_ends_the_charge_and_outlives_a_restart),
        cmocka_unit_test(what_the_central_system_switched_off_stays_off),
        cmocka_unit_test(asleep_a_charge_waits_and_goes_on),
        cmocka_unit_test(a_remote_start_waits_or_is_refused),
        cmocka_unit_test(nobody_adjusts_without_leave),
        cmocka_unit_test(without_a_network_a_plug_is_enough),
        cmocka_unit_test(energy_is_limited_to_the_watt_hour),
        cmocka_unit_test(time_is_limited_to_the_second_and_stands_still_while_it_waits),
        cmocka_unit_test(what_was_asked_for_one_charge_is_not_the_nexts),
        cmocka_unit_test(what_was_asked_for_a_charge_outlives_a_power_cut),
        cmocka_unit_test(a_battery_is_charged_as_far_as_was_asked),
        cmocka_unit_test(an_idle_vehicle_is_let_go_when_it_was_started_by_somebody),
        cmocka_unit_test(a_vehicle_that_has_not_begun_is_not_idle),
        cmocka_unit_test(a_vehicle_that_draws_too_much_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
