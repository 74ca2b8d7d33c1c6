// The dc machine and its vehicle: plug, end of charge, limits; and its settings.
#include "dc_bench.h"
#include "test.h"

// The whole truth about plugs: BMS silence alone, voltage alone and current alone prove nothing.
static void the_plug_is_known_by_bms_current_and_voltage_together(void **state)
{
    (void)state;
    // The output springs to its set-point and the BMS is silent: unplugged, within 5 s.
    bench_charge();
    bench.hold_output = true;
    bench.bms_silent = true;
    in.out_ma = 0;
    in.out_mv = 84000;
    UNTIL(!dc.plugged, 4600);
    assert_int_equal(dc.faults, 0);
    // The same with a BMS that goes on talking: it has opened its switch. Nobody has left.
    bench_charge();
    bench.hold_output = true;
    in.out_ma = 0;
    in.out_mv = 84000;
    bench_run(20000);
    assert_true(dc.plugged);
    assert_int_equal(dc.pause, PW_DC_PAUSE_VEHICLE);
    // ... and when it then pauses for 5 s as batteries do when nearly full, nobody has left either.
    bench.bms_silent = true;
    bench_run(5000);
    assert_true(dc.plugged);
    // A silent BMS with current flowing: a broken wire, and somebody is there.
    bench_charge();
    bench.hold_output = true;
    bench.bms_silent = true;
    in.out_ma = 20000;
    UNTIL(!dc.out.rectifier_on, 5500);
    assert_true(dc.plugged);
    assert_true(bench_stands(PW_DC_FAULT_VEHICLE_LOST));
    // The same after the permit went: as long as somebody drinks, somebody is there.
    bench_charge();
    bench.hold_output = true;
    bench.bms_silent = true;
    in.out_ma = 20000;
    in.out_mv = 77000;
    bench_run(in.bms_at + 4000 - now);
    in.permit = false;
    bench_run(600);
    assert_true(dc.out.contactor_closed);
    assert_true(dc.plugged);
    // Terminal voltage without a BMS is a charged capacitor.
    bench_set_up(&(struct pw_dc_config){0});
    bench.bms_silent = true;
    bench.hold_output = true;
    in.out_mv = 83000;
    in.permit = true;
    bench_run(60000);
    assert_false(dc.plugged);
    assert_int_equal(dc.state, PW_DC_IDLE);
}

// Frames from before the unplugging do not plug in again.
static void a_late_frame_of_the_last_vehicle_is_not_the_next(void **state)
{
    (void)state;
    bench_charge();
    in.permit = false;
    bench_run(10000);
    bench.bms_silent = true;
    UNTIL(!dc.plugged, 5000);
    bench_run(100000);
    assert_false(dc.plugged);
    bench.bms_silent = false;
    bench_run(1100);
    assert_true(dc.plugged);
    // A connector gone dead is believed sooner than silence alone; the last frame is then still
    // young, and plugs nobody in again.
    bench.bms_silent = true;
    bench.battery_mv = 500;
    UNTIL(!dc.plugged, 2100);
    for (int i = 0; i < 100; i++) {
        bench_run(10);
        assert_false(dc.plugged);
    }
}

// Stop flag with a full battery: the end. Without: a pause, and the contactor opens after 10 s.
static void a_stop_flag_ends_or_pauses(void **state)
{
    (void)state;
    bench_charge();
    in.soc_permille = 995;
    in.bms_stop = true;
    bench_run(20);
    assert_int_equal(dc.end, PW_DC_END_FULL);
    bench_run(30000);
    assert_int_equal(dc.state, PW_DC_READY);
    in.bms_stop = false;
    bench_run(30000);
    assert_int_equal(dc.state, PW_DC_READY); // ended is ended, until permit or plug change
    bench_charge();
    in.bms_stop = true;
    bench_run(9000);
    assert_int_equal(dc.state, PW_DC_HOLDING);
    assert_int_equal(dc.pause, PW_DC_PAUSE_VEHICLE);
    bench_run(30000);
    assert_int_equal(dc.state, PW_DC_READY);
    assert_int_equal(dc.end, PW_DC_END_NONE);
    in.bms_stop = false;
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
    // A BMS without SOC that has tapered is full when it stops.
    bench_charge();
    in.soc_permille = -1;
    bench_run(1000);
    in.bms_ma = 7000;
    bench_run(1000);
    in.bms_stop = true;
    bench_run(20);
    assert_int_equal(dc.end, PW_DC_END_FULL);
    // One that says 50 % and tapers is not full but has a reason of its own.
    bench_charge();
    in.bms_ma = 7000;
    bench_run(1000);
    in.bms_stop = true;
    bench_run(20);
    assert_int_equal(dc.end, PW_DC_END_NONE);
    assert_int_equal(dc.pause, PW_DC_PAUSE_VEHICLE);
}

// Less than C/20 for a minute at the voltage limit; not while the battery only warms itself.
static void a_tapered_current_ends_the_charge_after_a_minute(void **state)
{
    (void)state;
    for (int heating = 0; heating < 2; heating++) {
        bench_charge();
        bench.hold_output = true;
        in.bms_heating = heating == 1;
        in.capacity_mah = 60000; // C/20 is 3 A
        in.soc_permille = 960;
        in.out_mv = 83900;
        in.out_ma = 3100;
        bench_run(65000);
        assert_int_equal(dc.end, PW_DC_END_NONE);
        in.out_ma = 2900;
        bench_run(59900);
        assert_int_equal(dc.end, PW_DC_END_NONE);
        bench_run(300);
        assert_int_equal(dc.end, heating == 1 ? PW_DC_END_NONE : PW_DC_END_TAPER);
    }
}

static void the_contactor_rests_between_openings_and_closings(void **state)
{
    (void)state;
    bench_charge();
    for (int i = 0; i < 5; i++) {
        in.permit = false;
        UNTIL(!dc.out.contactor_closed, 3000);
        pw_ms opened = now;
        in.permit = true;
        UNTIL(dc.out.contactor_closed, 30000);
        assert_true(now - opened >= 4900);
    }
}

static void the_voltage_never_passes_what_the_battery_bears(void **state)
{
    (void)state;
    bench_charge();
    in.bms_mv = 80000;
    bench_run(10);
    assert_int_equal(dc.out.set_mv, 80000);
    bench.bms_silent = true; // what it bears stays true
    bench_run(3000);
    assert_int_equal(dc.out.set_mv, 80000);
    // A battery for less than the least output gets nothing.
    bench_charge();
    in.bms_mv = 48000;
    bench_run(20);
    assert_int_equal(dc.out.set_ma, 0);
    bench_run(20000);
    assert_false(dc.out.rectifier_on);
    assert_int_equal(dc.faults, 0);
}

static void a_clock_that_stands_or_runs_back_undoes_nothing(void **state)
{
    (void)state;
    bench_charge();
    in.permit = false;
    (void)pw_dc_step(&dc, &in, now);
    enum pw_dc_state before = dc.state;
    for (pw_ms back = 0; back < 5000; back += 100) {
        pw_ms next = pw_dc_step(&dc, &in, now - back);
        assert_true(next > now - back);
        assert_int_equal(dc.state, before);
    }
}

static void settings_are_checked_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct pw_dc_config config;
    } bad[] = {
        {"min_mv is 999, must be 1000 to 1000000", {.min_mv = 999}},
        {"max_ma is 300001, must be 1000 to 300000", {.max_ma = 300001}},
        {"ramp_ma_s is -1, must be 100 to 1000000", {.ramp_ma_s = -1}},
        {"min_mv must be below max_mv", {.min_mv = 90000}},
        {"derate_from_dc must be below trip_dc", {.trip_dc = 600}},
        {"bms_zero_ms must be below bms_off_ms", {.bms_zero_ms = 4500}},
        {"bms_off_ms is above bms_gone_ms", {.bms_off_ms = 9000}},
    };
    for (size_t i = 0; i < PW_COUNT(bad); i++) {
        char text[120];
        struct pw_out why = PW_OUT(text);
        bench_set_up(&(struct pw_dc_config){0});
        struct pw_dc before = dc;
        assert_int_equal(pw_dc_configure(&dc, &bad[i].config, &why), PW_ERR_RANGE);
        assert_string_equal(text, bad[i].name);
        assert_memory_equal(&before, &dc, sizeof(before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plug_is_known_by_bms_current_and_voltage_together),
        cmocka_unit_test(a_late_frame_of_the_last_vehicle_is_not_the_next),
        cmocka_unit_test(a_stop_flag_ends_or_pauses),
        cmocka_unit_test(a_tapered_current_ends_the_charge_after_a_minute),
        cmocka_unit_test(the_contactor_rests_between_openings_and_closings),
        cmocka_unit_test(the_voltage_never_passes_what_the_battery_bears),
        cmocka_unit_test(a_clock_that_stands_or_runs_back_undoes_nothing),
        cmocka_unit_test(settings_are_checked_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
