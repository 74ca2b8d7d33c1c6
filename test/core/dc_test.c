// Switching and protection of the dc machine: the stories of facts/dc-can.md §4, to the
// millisecond.
#include "dc_bench.h"
#include "test.h"

// Pre-charge: the output meets the battery within 2 V before the contactor closes.
static void the_output_meets_the_battery_before_closing(void **state)
{
    (void)state;
    bench_set_up(&(struct pw_dc_config){0});
    in.permit = true;
    bench.hold_output = true;
    in.out_mv = 70000;
    UNTIL(dc.state == PW_DC_PRECHARGE, 2000);
    assert_true(dc.out.rectifier_on);
    assert_false(dc.out.contactor_closed);
    assert_int_equal(dc.out.set_mv, 76000);
    assert_in_range(dc.out.set_ma, 1, 2000);
    bench_run(1000);
    in.out_mv = 73999;
    bench_run(1000);
    assert_int_equal(dc.state, PW_DC_PRECHARGE);
    in.out_mv = 74000;
    bench_run(20);
    assert_true(dc.out.contactor_closed);
}

static void a_precharge_that_fails_is_a_fault_after_20_seconds(void **state)
{
    (void)state;
    bench_set_up(&(struct pw_dc_config){0});
    in.permit = true;
    bench.hold_output = true;
    in.out_mv = 60000;
    UNTIL(dc.state == PW_DC_PRECHARGE, 2000);
    bench_run(19900);
    assert_int_equal(dc.state, PW_DC_PRECHARGE);
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_PRECHARGE));
    assert_false(dc.out.rectifier_on);
    // It passes, and is tried again.
    in.out_mv = 76000;
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

// An output still full from the vehicle before is waited for, with everything off.
static void an_output_above_the_battery_has_to_sink_first(void **state)
{
    (void)state;
    bench_set_up(&(struct pw_dc_config){0});
    in.permit = true;
    in.out_mv = 83000;
    UNTIL(dc.state == PW_DC_CHECKING, 2000);
    bench_run(400);
    assert_int_equal(dc.state, PW_DC_CHECKING);
    assert_false(dc.out.rectifier_on);
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

static void a_reversed_battery_is_never_connected(void **state)
{
    (void)state;
    bench_set_up(&(struct pw_dc_config){0});
    bench.battery_mv = -60000;
    in.permit = true;
    bench_run(10000);
    assert_true(bench_stands(PW_DC_FAULT_POLARITY));
    assert_false(bench_passed_through(PW_DC_CLOSING));
    assert_true((dc.out.flags & PW_DC_FLAG_NO_BATTERY) != 0);
}

static void a_contactor_that_does_not_close_is_latched_after_500_ms(void **state)
{
    (void)state;
    bench_set_up(&(struct pw_dc_config){0});
    in.permit = true;
    bench.feedback_stuck = true;
    in.feedback = PW_DC_FEEDBACK_OPEN;
    UNTIL(dc.state == PW_DC_CLOSING, 5000);
    bench_run(490);
    assert_int_equal(dc.state, PW_DC_CLOSING);
    bench_run(30);
    assert_true(bench_stands(PW_DC_FAULT_NOT_CLOSING));
    UNTIL(dc.state == PW_DC_FAULTED, 30000);
    bench_run(60000);
    assert_int_equal(dc.state, PW_DC_FAULTED);
    bench_clear(PW_DC_FAULT_NOT_CLOSING);
    bench.feedback_stuck = false;
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

static void a_contactor_that_falls_by_itself_is_latched(void **state)
{
    (void)state;
    bench_charge();
    bench.feedback_stuck = true;
    in.feedback = PW_DC_FEEDBACK_OPEN;
    UNTIL(bench_stands(PW_DC_FAULT_NOT_CLOSING), 400);
    assert_false(dc.out.rectifier_on);
}

// 0 A, then below 1 A, then rectifier off, then contactor open, then feedback, then the weld check.
static void the_stop_keeps_its_order(void **state)
{
    (void)state;
    bench_charge();
    unsigned before = dc.steps;
    in.permit = false;
    bench_run(20000);
    static const enum pw_dc_state order[] = {PW_DC_STOPPING, PW_DC_UNLOADING, PW_DC_OPENING,
                                             PW_DC_PROVING,  PW_DC_IDLE,      PW_DC_READY};
    assert_int_equal(dc.steps - before, PW_COUNT(order));
    for (unsigned i = 0; i < PW_COUNT(order); i++) {
        assert_int_equal(dc.trail[(before + i) % PW_DC_TRAIL_MAX].to, order[i]);
    }
}

// The wait for the current is bounded: 3 s, and then it is a fault of its own.
static void a_current_that_stays_is_cut_after_3_seconds(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 5000;
    in.permit = false;
    bench_run(2950);
    assert_int_equal(dc.state, PW_DC_STOPPING);
    UNTIL(!dc.out.contactor_closed, 300);
    assert_true(bench_stands(PW_DC_FAULT_STUCK_CURRENT));
    assert_true(bench_passed_through(PW_DC_EMERGENCY));
}

static void a_feedback_that_stays_closed_is_a_weld(void **state)
{
    (void)state;
    bench_charge();
    bench.feedback_stuck = true;
    in.permit = false;
    UNTIL(dc.state == PW_DC_OPENING, 2000);
    UNTIL(bench_stands(PW_DC_FAULT_WELD), 700);
    assert_false(pw_dc_is_off(&dc));
}

// Without feedback the output's decay is the proof: 3 V in 15 s.
static void an_output_that_does_not_decay_is_a_weld(void **state)
{
    (void)state;
    struct pw_dc_config config = {.no_contactor = true};
    bench_charge_with(&config);
    bench.rest_mv = 76000 - 2900; // so much a battery relaxes
    in.permit = false;
    UNTIL(dc.state == PW_DC_PROVING, 3000);
    bench_run(14900);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    bench_run(300);
    assert_true(bench_stands(PW_DC_FAULT_WELD));
    // And one that does is none.
    bench_charge_with(&config);
    bench.rest_mv = 70000;
    in.permit = false;
    bench_run(20000);
    assert_int_equal(dc.faults, 0);
    assert_int_equal(dc.state, PW_DC_READY);
}

static void the_weld_check_waits_for_measurements(void **state)
{
    (void)state;
    struct pw_dc_config config = {.no_contactor = true};
    bench_charge_with(&config);
    bench.rest_mv = 76000;
    in.permit = false;
    UNTIL(dc.state == PW_DC_PROVING, 3000);
    bench_run(10000);
    bench.out_silent = true;
    bench_run(13000);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    assert_true(bench_stands(PW_DC_FAULT_METER_LOST));
    bench.out_silent = false;
    bench_run(14500);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    bench_run(600);
    assert_true(bench_stands(PW_DC_FAULT_WELD));
}

// On a bus that is off nobody was told to open or to stop: that is no weld. Once everybody could be
// told it is.
static void nothing_is_welded_that_could_not_be_told(void **state)
{
    (void)state;
    bench_charge();
    bench.feedback_stuck = true;
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 30000;
    in.bus_ok = false;
    bench_run(20000);
    assert_false(dc.out.contactor_closed);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    in.bus_ok = true;
    bench_run(400);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_WELD));
    // The same by decay alone.
    bench_charge_with(&(struct pw_dc_config){.no_contactor = true});
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 0;
    in.bus_ok = false;
    bench_run(30000);
    assert_int_equal(dc.state, PW_DC_PROVING);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    in.bus_ok = true;
    bench_run(14900);
    assert_false(bench_stands(PW_DC_FAULT_WELD));
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_WELD));
}

// 400 ms above the limit, not 390; latched; a spike is none.
static void over_voltage_for_400_ms_is_an_emergency(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true;
    in.out_ma = 30000;
    in.out_mv = 85001; // 84 V allowed by the battery, 1 V margin
    bench_run(390);
    in.out_mv = 84900;
    bench_run(100);
    assert_int_equal(dc.faults, 0);
    in.out_mv = 85001;
    bench_run(390);
    assert_int_equal(dc.faults, 0);
    bench_run(20);
    assert_true(bench_stands(PW_DC_FAULT_OVER_VOLTAGE));
    assert_false(dc.out.rectifier_on);
    in.out_mv = 70000;
    in.out_ma = 0;
    bench_run(100000);
    assert_true(bench_stands(PW_DC_FAULT_OVER_VOLTAGE));
}

// A battery that lowers its voltage limit gives the output time to follow.
static void a_lowered_voltage_limit_is_followed_not_tripped(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true;
    in.out_ma = 30000;
    in.out_mv = 83900;
    bench_run(1000);
    in.bms_mv = 80000;
    bench_run(1900);
    assert_int_equal(dc.faults, 0);
    assert_int_equal(dc.out.set_mv, 80000);
    bench_run(600);
    assert_true(bench_stands(PW_DC_FAULT_OVER_VOLTAGE));
}

static void over_current_is_an_emergency(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 36000; // 30 A asked for, 10 % and 2 A above
    UNTIL(bench_stands(PW_DC_FAULT_OVER_CURRENT), 1100);
    assert_false(dc.out.rectifier_on);
    bench_charge();
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 160000;
    UNTIL(bench_stands(PW_DC_FAULT_OVER_CURRENT), 130);
}

static void under_voltage_stops_in_order(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true;
    in.out_mv = 55900;
    in.out_ma = 30000;
    UNTIL(bench_stands(PW_DC_FAULT_UNDER_VOLTAGE), 3100);
    assert_int_equal(dc.state, PW_DC_STOPPING);
}

// 60 to 70 degrees: a line down to nothing; above, stop; back below 60 it is over.
static void heat_derates_on_a_line_and_then_stops(void **state)
{
    (void)state;
    static const struct {
        int32_t temp_dc;
        int32_t ma;
    } line[] = {{-400, 100000}, {599, 100000}, {600, 100000}, {601, 99000},
                {650, 50000},   {699, 1000},   {700, 0},      {2000, 0}};
    bench_charge();
    for (size_t i = 0; i < PW_COUNT(line); i++) {
        assert_int_equal(pw_dc_derated_ma(&dc.config, line[i].temp_dc), line[i].ma);
    }
    in.temp_at = now;
    in.temp_dc = 690;
    bench_run(100);
    assert_int_equal(dc.out.set_ma, 10000);
    assert_int_equal(dc.limits.who, PW_DC_BOUND_TEMPERATURE);
    in.temp_dc = 700;
    bench_run(20);
    assert_true(bench_stands(PW_DC_FAULT_OVER_TEMP));
    assert_int_equal(dc.out.set_ma, 0);
    in.temp_dc = 600;
    bench_run(20000);
    assert_true(bench_stands(PW_DC_FAULT_OVER_TEMP));
    in.temp_dc = 599;
    UNTIL(dc.state == PW_DC_CHARGING, 20000);
}

static void each_rectifier_alarm_has_its_fault(void **state)
{
    (void)state;
    static const struct {
        uint32_t alarm;
        enum pw_dc_fault fault;
    } alarms[] = {{PW_DC_ALARM_OVP, PW_DC_FAULT_RECTIFIER_OVP},
                  {PW_DC_ALARM_FAULT, PW_DC_FAULT_RECTIFIER},
                  {PW_DC_ALARM_TEMP, PW_DC_FAULT_OVER_TEMP},
                  {PW_DC_ALARM_MAINS, PW_DC_FAULT_MAINS},
                  {PW_DC_ALARM_SHORT, PW_DC_FAULT_SHORT}};
    for (size_t i = 0; i < PW_COUNT(alarms); i++) {
        bench_charge();
        in.alarms = alarms[i].alarm;
        bench_run(20);
        assert_int_equal(dc.faults, PW_DC_BIT(alarms[i].fault));
        assert_int_equal(dc.out.set_ma, 0);
        in.alarms = 0;
        bench_run(30000);
        assert_int_equal(dc.faults != 0, pw_dc_fault_rows[alarms[i].fault].stays);
    }
}

// Measurements of one voltage that differ by more than 5 V are believed by nobody.
static void measurements_that_disagree_stop_the_charge(void **state)
{
    (void)state;
    bench_charge();
    in.rectifier_mv = 72000; // 77.5 V at the terminals
    bench_run(2900);
    assert_int_equal(dc.faults, 0);
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_METER_SPREAD));
    bench_charge();
    in.rectifier_mv = 74000;
    bench_run(10000);
    assert_int_equal(dc.faults, 0);
}

static void each_silence_has_its_time(void **state)
{
    (void)state;
    bench_charge();
    bench.out_silent = true;
    bench_run(1900);
    assert_int_equal(dc.faults, 0);
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_METER_LOST));
    UNTIL(!dc.out.contactor_closed, 900);
    bench_charge();
    bench.rectifier_silent = true;
    bench_run(2900);
    assert_int_equal(dc.faults, 0);
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_RECTIFIER_LOST));
    bench_charge();
    bench.io_silent = true;
    bench_run(1400);
    assert_int_equal(dc.faults, 0);
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_IO_LOST));
    UNTIL(!dc.out.contactor_closed, 900);
    // At rest a rectifier may be silent for 15 s.
    bench_set_up(&(struct pw_dc_config){0});
    bench.rectifier_silent = true;
    bench_run(14900);
    assert_int_equal(dc.faults, 0);
    bench_run(200);
    assert_true(bench_stands(PW_DC_FAULT_RECTIFIER_LOST));
}

// IEC 61851-25 by way of facts/reliability.md F29: stop within a second.
static void a_bus_that_is_not_active_stops_within_a_second(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true; // and the current cannot be told to go
    in.out_ma = 30000;
    in.bus_ok = false;
    UNTIL(!dc.out.contactor_closed, 1000);
    assert_true(bench_stands(PW_DC_FAULT_BUS));
}

static void an_emergency_stop_opens_within_100_ms(void **state)
{
    (void)state;
    bench_charge();
    bench.hold_output = true; // the current does not fall by itself
    in.out_ma = 30000;
    in.estop = true;
    bench_turn();
    assert_false(dc.out.rectifier_on);
    assert_int_equal(dc.out.set_ma, 0);
    UNTIL(!dc.out.contactor_closed, 120);
    in.estop = false;
    bench.hold_output = false;
    bench_run(60000);
    assert_int_equal(dc.faults, PW_DC_BIT(PW_DC_FAULT_ESTOP));
    // Over a restart.
    uint32_t latched = pw_dc_latched(&dc);
    bench_set_up(&(struct pw_dc_config){0});
    pw_dc_restore(&dc, latched | 0x80000000U);
    in.permit = true;
    bench_run(10000);
    assert_int_equal(dc.state, PW_DC_FAULTED);
    assert_int_equal(pw_dc_worst(&dc), PW_DC_FAULT_ESTOP);
    assert_int_equal(pw_dc_clear(&dc, PW_DC_FAULT_WELD, now), PW_ERR_UNKNOWN);
    bench_clear(PW_DC_FAULT_ESTOP);
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_output_meets_the_battery_before_closing),
        cmocka_unit_test(a_precharge_that_fails_is_a_fault_after_20_seconds),
        cmocka_unit_test(an_output_above_the_battery_has_to_sink_first),
        cmocka_unit_test(a_reversed_battery_is_never_connected),
        cmocka_unit_test(a_contactor_that_does_not_close_is_latched_after_500_ms),
        cmocka_unit_test(a_contactor_that_falls_by_itself_is_latched),
        cmocka_unit_test(the_stop_keeps_its_order),
        cmocka_unit_test(a_current_that_stays_is_cut_after_3_seconds),
        cmocka_unit_test(a_feedback_that_stays_closed_is_a_weld),
        cmocka_unit_test(an_output_that_does_not_decay_is_a_weld),
        cmocka_unit_test(the_weld_check_waits_for_measurements),
        cmocka_unit_test(nothing_is_welded_that_could_not_be_told),
        cmocka_unit_test(over_voltage_for_400_ms_is_an_emergency),
        cmocka_unit_test(a_lowered_voltage_limit_is_followed_not_tripped),
        cmocka_unit_test(over_current_is_an_emergency),
        cmocka_unit_test(under_voltage_stops_in_order),
        cmocka_unit_test(heat_derates_on_a_line_and_then_stops),
        cmocka_unit_test(each_rectifier_alarm_has_its_fault),
        cmocka_unit_test(measurements_that_disagree_stop_the_charge),
        cmocka_unit_test(each_silence_has_its_time),
        cmocka_unit_test(a_bus_that_is_not_active_stops_within_a_second),
        cmocka_unit_test(an_emergency_stop_opens_within_100_ms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
