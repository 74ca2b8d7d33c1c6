// The dc machine: the stories of facts/dc-can.md §4, to the millisecond, on a bench on which
// everything works until the story breaks it. The judge of dc_oracle.h watches every turn.
#include "dc/dc.h"
#include "dc_oracle.h"
#include "test.h"

#include <stdio.h>

static struct pw_dc dc;
static struct pw_dc_input in;
static struct dc_oracle oracle;
static pw_ms now;
static pw_ms bms_says_at;

static struct bench {
    bool bms_silent;
    bool out_silent;
    bool rectifier_silent;
    bool io_silent;
    bool feedback_stuck;
    int32_t battery_mv; // what the connector side shows; 0: not measured
    int32_t rest_mv;    // an output that is off: sinks to here by 10 V a second
    bool hold_output;   // out_mv and out_ma are the story's
} bench;

static void turn(void)
{
    const struct pw_dc_output *out = &dc.out;
    if (!bench.bms_silent && now >= bms_says_at) {
        in.bms_at = now;
        bms_says_at = now + 1000;
    }
    if (!bench.out_silent) {
        in.out_at = now;
    }
    if (!bench.rectifier_silent) {
        in.rectifier_at = now;
    }
    if (!bench.io_silent && !dc.config.no_contactor) {
        in.io_at = now;
        if (!bench.feedback_stuck) {
            in.feedback = out->contactor_closed ? PW_DC_FEEDBACK_CLOSED : PW_DC_FEEDBACK_OPEN;
        }
    }
    in.battery_at = bench.battery_mv == 0 ? PW_NEVER : now;
    in.battery_mv = bench.battery_mv;
    if (bench.battery_mv != 0 && out->contactor_closed) {
        in.battery_mv = in.out_mv; // both sides of a closed contactor
    }
    if (!bench.hold_output) {
        bool on = out->rectifier_on && out->contactor_closed;
        in.out_ma = on ? out->set_ma : 0;
        if (out->contactor_closed) {
            in.out_mv = 76000 + in.out_ma / 20;
        } else if (out->rectifier_on) {
            in.out_mv = out->set_mv;
        } else {
            in.out_mv = (int32_t)pw_max(bench.rest_mv, in.out_mv - 100);
        }
    }
    pw_ms next = pw_dc_step(&dc, &in, now);
    const char *broken = dc_oracle_judge(&oracle, &dc, &in, now, next);
    if (broken != NULL) {
        fail_msg("at %llu in %s: %s", (unsigned long long)now, pw_dc_state_name(dc.state), broken);
    }
}

static void run(pw_ms span)
{
    for (pw_ms end = now + span; now < end; now += 10) {
        turn();
    }
}

static void set_up(const struct pw_dc_config *config)
{
    now = 10000;
    bms_says_at = now;
    oracle = dc_oracle_new();
    bench = (struct bench){.battery_mv = config->no_contactor ? 0 : 76000};
    in = (struct pw_dc_input){.bus_ok = true,
                              .stack_ma = 100000,
                              .bms_at = PW_NEVER,
                              .bms_mv = 84000,
                              .bms_ma = 30000,
                              .soc_permille = 500,
                              .out_at = PW_NEVER,
                              .rectifier_at = PW_NEVER,
                              .rectifier_mv = -1,
                              .temp_at = PW_NEVER,
                              .io_at = PW_NEVER,
                              .battery_at = PW_NEVER};
    assert_int_equal(pw_dc_init(&dc, 1, config, NULL, now, NULL), PW_OK);
}

static void charge_with(const struct pw_dc_config *config)
{
    set_up(config);
    in.permit = true;
    run(5000);
    assert_int_equal(dc.state, PW_DC_CHARGING);
    assert_int_equal(dc.out.set_ma, 30000);
}

static void charge(void)
{
    charge_with(&(struct pw_dc_config){0});
}

static bool stands(enum pw_dc_fault fault)
{
    return (dc.faults & PW_DC_BIT(fault)) != 0;
}

static void clear(enum pw_dc_fault fault)
{
    assert_int_equal(pw_dc_clear(&dc, fault, now), PW_OK);
    oracle.latched &= ~PW_DC_BIT(fault);
}

// Runs until the condition; returns how long it took.
#define UNTIL(condition, most)                                                                     \
    do {                                                                                           \
        pw_ms from = now;                                                                          \
        while (!(condition) && now - from < (most)) {                                              \
            run(10);                                                                               \
        }                                                                                          \
        if (!(condition)) {                                                                        \
            fail_msg("not in time: %s (in %s)", #condition, pw_dc_state_name(dc.state));           \
        }                                                                                          \
    } while (0)

static bool passed_through(enum pw_dc_state state)
{
    for (unsigned i = 0; i < PW_DC_TRAIL_MAX && i < dc.steps; i++) {
        if (dc.trail[i].to == state) {
            return true;
        }
    }
    return false;
}

// Pre-charge: the output meets the battery within 2 V before the contactor closes.
static void the_output_meets_the_battery_before_closing(void **state)
{
    (void)state;
    set_up(&(struct pw_dc_config){0});
    in.permit = true;
    bench.hold_output = true;
    in.out_mv = 70000;
    UNTIL(dc.state == PW_DC_PRECHARGE, 2000);
    assert_true(dc.out.rectifier_on);
    assert_false(dc.out.contactor_closed);
    assert_int_equal(dc.out.set_mv, 76000);
    assert_in_range(dc.out.set_ma, 1, 2000);
    run(1000);
    in.out_mv = 73999;
    run(1000);
    assert_int_equal(dc.state, PW_DC_PRECHARGE);
    in.out_mv = 74000;
    run(20);
    assert_true(dc.out.contactor_closed);
}

static void a_precharge_that_fails_is_a_fault_after_20_seconds(void **state)
{
    (void)state;
    set_up(&(struct pw_dc_config){0});
    in.permit = true;
    bench.hold_output = true;
    in.out_mv = 60000;
    UNTIL(dc.state == PW_DC_PRECHARGE, 2000);
    run(19900);
    assert_int_equal(dc.state, PW_DC_PRECHARGE);
    run(200);
    assert_true(stands(PW_DC_FAULT_PRECHARGE));
    assert_false(dc.out.rectifier_on);
    // It passes, and is tried again.
    in.out_mv = 76000;
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

// An output still full from the vehicle before is waited for, with everything off.
static void an_output_above_the_battery_has_to_sink_first(void **state)
{
    (void)state;
    set_up(&(struct pw_dc_config){0});
    in.permit = true;
    in.out_mv = 83000;
    UNTIL(dc.state == PW_DC_CHECKING, 2000);
    run(400);
    assert_int_equal(dc.state, PW_DC_CHECKING);
    assert_false(dc.out.rectifier_on);
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

static void a_reversed_battery_is_never_connected(void **state)
{
    (void)state;
    set_up(&(struct pw_dc_config){0});
    bench.battery_mv = -60000;
    in.permit = true;
    run(10000);
    assert_true(stands(PW_DC_FAULT_POLARITY));
    assert_false(passed_through(PW_DC_CLOSING));
    assert_true((dc.out.flags & PW_DC_FLAG_NO_BATTERY) != 0);
}

static void a_contactor_that_does_not_close_is_latched_after_500_ms(void **state)
{
    (void)state;
    set_up(&(struct pw_dc_config){0});
    in.permit = true;
    bench.feedback_stuck = true;
    in.feedback = PW_DC_FEEDBACK_OPEN;
    UNTIL(dc.state == PW_DC_CLOSING, 5000);
    run(490);
    assert_int_equal(dc.state, PW_DC_CLOSING);
    run(30);
    assert_true(stands(PW_DC_FAULT_NOT_CLOSING));
    UNTIL(dc.state == PW_DC_FAULTED, 30000);
    run(60000);
    assert_int_equal(dc.state, PW_DC_FAULTED);
    clear(PW_DC_FAULT_NOT_CLOSING);
    bench.feedback_stuck = false;
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

static void a_contactor_that_falls_by_itself_is_latched(void **state)
{
    (void)state;
    charge();
    bench.feedback_stuck = true;
    in.feedback = PW_DC_FEEDBACK_OPEN;
    UNTIL(stands(PW_DC_FAULT_NOT_CLOSING), 400);
    assert_false(dc.out.rectifier_on);
}

// 0 A, then below 1 A, then rectifier off, then contactor open, then feedback, then the weld check.
static void the_stop_keeps_its_order(void **state)
{
    (void)state;
    charge();
    unsigned before = dc.steps;
    in.permit = false;
    run(20000);
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
    charge();
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 5000;
    in.permit = false;
    run(2950);
    assert_int_equal(dc.state, PW_DC_STOPPING);
    UNTIL(!dc.out.contactor_closed, 300);
    assert_true(stands(PW_DC_FAULT_STUCK_CURRENT));
    assert_true(passed_through(PW_DC_EMERGENCY));
}

static void a_feedback_that_stays_closed_is_a_weld(void **state)
{
    (void)state;
    charge();
    bench.feedback_stuck = true;
    in.permit = false;
    UNTIL(dc.state == PW_DC_OPENING, 2000);
    UNTIL(stands(PW_DC_FAULT_WELD), 700);
    assert_false(pw_dc_is_off(&dc));
}

// Without feedback the output's decay is the proof: 3 V in 15 s.
static void an_output_that_does_not_decay_is_a_weld(void **state)
{
    (void)state;
    struct pw_dc_config config = {.no_contactor = true};
    charge_with(&config);
    bench.rest_mv = 76000 - 2900; // so much a battery relaxes
    in.permit = false;
    UNTIL(dc.state == PW_DC_PROVING, 3000);
    run(14900);
    assert_false(stands(PW_DC_FAULT_WELD));
    run(300);
    assert_true(stands(PW_DC_FAULT_WELD));
    // And one that does is none.
    charge_with(&config);
    bench.rest_mv = 70000;
    in.permit = false;
    run(20000);
    assert_int_equal(dc.faults, 0);
    assert_int_equal(dc.state, PW_DC_READY);
}

static void the_weld_check_waits_for_measurements(void **state)
{
    (void)state;
    struct pw_dc_config config = {.no_contactor = true};
    charge_with(&config);
    bench.rest_mv = 76000;
    in.permit = false;
    UNTIL(dc.state == PW_DC_PROVING, 3000);
    run(10000);
    bench.out_silent = true;
    run(13000);
    assert_false(stands(PW_DC_FAULT_WELD));
    assert_true(stands(PW_DC_FAULT_METER_LOST));
    bench.out_silent = false;
    run(14500);
    assert_false(stands(PW_DC_FAULT_WELD));
    run(600);
    assert_true(stands(PW_DC_FAULT_WELD));
}

// On a bus that is off nobody was told to open or to stop: that is no weld. Once everybody could be
// told it is.
static void nothing_is_welded_that_could_not_be_told(void **state)
{
    (void)state;
    charge();
    bench.feedback_stuck = true;
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 30000;
    in.bus_ok = false;
    run(20000);
    assert_false(dc.out.contactor_closed);
    assert_false(stands(PW_DC_FAULT_WELD));
    in.bus_ok = true;
    run(400);
    assert_false(stands(PW_DC_FAULT_WELD));
    run(200);
    assert_true(stands(PW_DC_FAULT_WELD));
    // The same by decay alone.
    charge_with(&(struct pw_dc_config){.no_contactor = true});
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 0;
    in.bus_ok = false;
    run(30000);
    assert_int_equal(dc.state, PW_DC_PROVING);
    assert_false(stands(PW_DC_FAULT_WELD));
    in.bus_ok = true;
    run(14900);
    assert_false(stands(PW_DC_FAULT_WELD));
    run(200);
    assert_true(stands(PW_DC_FAULT_WELD));
}

// 400 ms above the limit, not 390; latched; a spike is none.
static void over_voltage_for_400_ms_is_an_emergency(void **state)
{
    (void)state;
    charge();
    bench.hold_output = true;
    in.out_ma = 30000;
    in.out_mv = 85001; // 84 V allowed by the battery, 1 V margin
    run(390);
    in.out_mv = 84900;
    run(100);
    assert_int_equal(dc.faults, 0);
    in.out_mv = 85001;
    run(390);
    assert_int_equal(dc.faults, 0);
    run(20);
    assert_true(stands(PW_DC_FAULT_OVER_VOLTAGE));
    assert_false(dc.out.rectifier_on);
    in.out_mv = 70000;
    in.out_ma = 0;
    run(100000);
    assert_true(stands(PW_DC_FAULT_OVER_VOLTAGE));
}

// A battery that lowers its voltage limit gives the output time to follow.
static void a_lowered_voltage_limit_is_followed_not_tripped(void **state)
{
    (void)state;
    charge();
    bench.hold_output = true;
    in.out_ma = 30000;
    in.out_mv = 83900;
    run(1000);
    in.bms_mv = 80000;
    run(1900);
    assert_int_equal(dc.faults, 0);
    assert_int_equal(dc.out.set_mv, 80000);
    run(600);
    assert_true(stands(PW_DC_FAULT_OVER_VOLTAGE));
}

static void over_current_is_an_emergency(void **state)
{
    (void)state;
    charge();
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 36000; // 30 A asked for, 10 % and 2 A above
    UNTIL(stands(PW_DC_FAULT_OVER_CURRENT), 1100);
    assert_false(dc.out.rectifier_on);
    charge();
    bench.hold_output = true;
    in.out_mv = 77000;
    in.out_ma = 160000;
    UNTIL(stands(PW_DC_FAULT_OVER_CURRENT), 130);
}

static void under_voltage_stops_in_order(void **state)
{
    (void)state;
    charge();
    bench.hold_output = true;
    in.out_mv = 55900;
    in.out_ma = 30000;
    UNTIL(stands(PW_DC_FAULT_UNDER_VOLTAGE), 3100);
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
    charge();
    for (size_t i = 0; i < PW_COUNT(line); i++) {
        assert_int_equal(pw_dc_derated_ma(&dc.config, line[i].temp_dc), line[i].ma);
    }
    in.temp_at = now;
    in.temp_dc = 690;
    run(100);
    assert_int_equal(dc.out.set_ma, 10000);
    assert_int_equal(dc.limits.who, PW_DC_BOUND_TEMPERATURE);
    in.temp_dc = 700;
    run(20);
    assert_true(stands(PW_DC_FAULT_OVER_TEMP));
    assert_int_equal(dc.out.set_ma, 0);
    in.temp_dc = 600;
    run(20000);
    assert_true(stands(PW_DC_FAULT_OVER_TEMP));
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
        charge();
        in.alarms = alarms[i].alarm;
        run(20);
        assert_int_equal(dc.faults, PW_DC_BIT(alarms[i].fault));
        assert_int_equal(dc.out.set_ma, 0);
        in.alarms = 0;
        run(30000);
        assert_int_equal(dc.faults != 0, pw_dc_fault_rows[alarms[i].fault].stays);
    }
}

// Measurements of one voltage that differ by more than 5 V are believed by nobody.
static void measurements_that_disagree_stop_the_charge(void **state)
{
    (void)state;
    charge();
    in.rectifier_mv = 72000; // 77.5 V at the terminals
    run(2900);
    assert_int_equal(dc.faults, 0);
    run(200);
    assert_true(stands(PW_DC_FAULT_METER_SPREAD));
    charge();
    in.rectifier_mv = 74000;
    run(10000);
    assert_int_equal(dc.faults, 0);
}

static void each_silence_has_its_time(void **state)
{
    (void)state;
    charge();
    bench.out_silent = true;
    run(1900);
    assert_int_equal(dc.faults, 0);
    run(200);
    assert_true(stands(PW_DC_FAULT_METER_LOST));
    UNTIL(!dc.out.contactor_closed, 900);
    charge();
    bench.rectifier_silent = true;
    run(2900);
    assert_int_equal(dc.faults, 0);
    run(200);
    assert_true(stands(PW_DC_FAULT_RECTIFIER_LOST));
    charge();
    bench.io_silent = true;
    run(1400);
    assert_int_equal(dc.faults, 0);
    run(200);
    assert_true(stands(PW_DC_FAULT_IO_LOST));
    UNTIL(!dc.out.contactor_closed, 900);
    // At rest a rectifier may be silent for 15 s.
    set_up(&(struct pw_dc_config){0});
    bench.rectifier_silent = true;
    run(14900);
    assert_int_equal(dc.faults, 0);
    run(200);
    assert_true(stands(PW_DC_FAULT_RECTIFIER_LOST));
}

// IEC 61851-25 by way of facts/reliability.md F29: stop within a second.
static void a_bus_that_is_not_active_stops_within_a_second(void **state)
{
    (void)state;
    charge();
    bench.hold_output = true; // and the current cannot be told to go
    in.out_ma = 30000;
    in.bus_ok = false;
    UNTIL(!dc.out.contactor_closed, 1000);
    assert_true(stands(PW_DC_FAULT_BUS));
}

static void an_emergency_stop_opens_within_100_ms(void **state)
{
    (void)state;
    charge();
    bench.hold_output = true; // the current does not fall by itself
    in.out_ma = 30000;
    in.estop = true;
    turn();
    assert_false(dc.out.rectifier_on);
    assert_int_equal(dc.out.set_ma, 0);
    UNTIL(!dc.out.contactor_closed, 120);
    in.estop = false;
    bench.hold_output = false;
    run(60000);
    assert_int_equal(dc.faults, PW_DC_BIT(PW_DC_FAULT_ESTOP));
    // Over a restart.
    uint32_t latched = pw_dc_latched(&dc);
    set_up(&(struct pw_dc_config){0});
    pw_dc_restore(&dc, latched | 0x80000000U);
    in.permit = true;
    run(10000);
    assert_int_equal(dc.state, PW_DC_FAULTED);
    assert_int_equal(pw_dc_worst(&dc), PW_DC_FAULT_ESTOP);
    assert_int_equal(pw_dc_clear(&dc, PW_DC_FAULT_WELD, now), PW_ERR_UNKNOWN);
    clear(PW_DC_FAULT_ESTOP);
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
}

// The whole truth about plugs: BMS silence alone, voltage alone and current alone prove nothing.
static void the_plug_is_known_by_bms_current_and_voltage_together(void **state)
{
    (void)state;
    // The output springs to its set-point and the BMS is silent: unplugged, within 5 s.
    charge();
    bench.hold_output = true;
    bench.bms_silent = true;
    in.out_ma = 0;
    in.out_mv = 84000;
    UNTIL(!dc.plugged, 4600);
    assert_int_equal(dc.faults, 0);
    // The same with a BMS that goes on talking: it has opened its switch. Nobody has left.
    charge();
    bench.hold_output = true;
    in.out_ma = 0;
    in.out_mv = 84000;
    run(20000);
    assert_true(dc.plugged);
    assert_int_equal(dc.pause, PW_DC_PAUSE_VEHICLE);
    // ... and when it then pauses for 5 s as batteries do when nearly full, nobody has left either.
    bench.bms_silent = true;
    run(5000);
    assert_true(dc.plugged);
    // A silent BMS with current flowing: a broken wire, and somebody is there.
    charge();
    bench.hold_output = true;
    bench.bms_silent = true;
    in.out_ma = 20000;
    UNTIL(!dc.out.rectifier_on, 5500);
    assert_true(dc.plugged);
    assert_true(stands(PW_DC_FAULT_VEHICLE_LOST));
    // The same after the permit went: as long as somebody drinks, somebody is there.
    charge();
    bench.hold_output = true;
    bench.bms_silent = true;
    in.out_ma = 20000;
    in.out_mv = 77000;
    run(in.bms_at + 4000 - now);
    in.permit = false;
    run(600);
    assert_true(dc.out.contactor_closed);
    assert_true(dc.plugged);
    // Terminal voltage without a BMS is a charged capacitor.
    set_up(&(struct pw_dc_config){0});
    bench.bms_silent = true;
    bench.hold_output = true;
    in.out_mv = 83000;
    in.permit = true;
    run(60000);
    assert_false(dc.plugged);
    assert_int_equal(dc.state, PW_DC_IDLE);
}

// Frames from before the unplugging do not plug in again.
static void a_late_frame_of_the_last_vehicle_is_not_the_next(void **state)
{
    (void)state;
    charge();
    in.permit = false;
    run(10000);
    bench.bms_silent = true;
    UNTIL(!dc.plugged, 5000);
    run(100000);
    assert_false(dc.plugged);
    bench.bms_silent = false;
    run(1100);
    assert_true(dc.plugged);
    // A connector gone dead is believed sooner than silence alone; the last frame is then still
    // young, and plugs nobody in again.
    bench.bms_silent = true;
    bench.battery_mv = 500;
    UNTIL(!dc.plugged, 2100);
    for (int i = 0; i < 100; i++) {
        run(10);
        assert_false(dc.plugged);
    }
}

// Stop flag with a full battery: the end. Without: a pause, and the contactor opens after 10 s.
static void a_stop_flag_ends_or_pauses(void **state)
{
    (void)state;
    charge();
    in.soc_permille = 995;
    in.bms_stop = true;
    run(20);
    assert_int_equal(dc.end, PW_DC_END_FULL);
    run(30000);
    assert_int_equal(dc.state, PW_DC_READY);
    in.bms_stop = false;
    run(30000);
    assert_int_equal(dc.state, PW_DC_READY); // ended is ended, until permit or plug change
    charge();
    in.bms_stop = true;
    run(9000);
    assert_int_equal(dc.state, PW_DC_HOLDING);
    assert_int_equal(dc.pause, PW_DC_PAUSE_VEHICLE);
    run(30000);
    assert_int_equal(dc.state, PW_DC_READY);
    assert_int_equal(dc.end, PW_DC_END_NONE);
    in.bms_stop = false;
    UNTIL(dc.state == PW_DC_CHARGING, 10000);
    // A BMS without SOC that has tapered is full when it stops.
    charge();
    in.soc_permille = -1;
    run(1000);
    in.bms_ma = 7000;
    run(1000);
    in.bms_stop = true;
    run(20);
    assert_int_equal(dc.end, PW_DC_END_FULL);
    // One that says 50 % and tapers is not full but has a reason of its own.
    charge();
    in.bms_ma = 7000;
    run(1000);
    in.bms_stop = true;
    run(20);
    assert_int_equal(dc.end, PW_DC_END_NONE);
    assert_int_equal(dc.pause, PW_DC_PAUSE_VEHICLE);
}

// Less than C/20 for a minute at the voltage limit; not while the battery only warms itself.
static void a_tapered_current_ends_the_charge_after_a_minute(void **state)
{
    (void)state;
    for (int heating = 0; heating < 2; heating++) {
        charge();
        bench.hold_output = true;
        in.bms_heating = heating == 1;
        in.capacity_mah = 60000; // C/20 is 3 A
        in.soc_permille = 960;
        in.out_mv = 83900;
        in.out_ma = 3100;
        run(65000);
        assert_int_equal(dc.end, PW_DC_END_NONE);
        in.out_ma = 2900;
        run(59900);
        assert_int_equal(dc.end, PW_DC_END_NONE);
        run(300);
        assert_int_equal(dc.end, heating == 1 ? PW_DC_END_NONE : PW_DC_END_TAPER);
    }
}

static void the_contactor_rests_between_openings_and_closings(void **state)
{
    (void)state;
    charge();
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
    charge();
    in.bms_mv = 80000;
    run(10);
    assert_int_equal(dc.out.set_mv, 80000);
    bench.bms_silent = true; // what it bears stays true
    run(3000);
    assert_int_equal(dc.out.set_mv, 80000);
    // A battery for less than the least output gets nothing.
    charge();
    in.bms_mv = 48000;
    run(20);
    assert_int_equal(dc.out.set_ma, 0);
    run(20000);
    assert_false(dc.out.rectifier_on);
    assert_int_equal(dc.faults, 0);
}

static void a_clock_that_stands_or_runs_back_undoes_nothing(void **state)
{
    (void)state;
    charge();
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
        set_up(&(struct pw_dc_config){0});
        struct pw_dc before = dc;
        assert_int_equal(pw_dc_configure(&dc, &bad[i].config, &why), PW_ERR_RANGE);
        assert_string_equal(text, bad[i].name);
        assert_memory_equal(&before, &dc, sizeof(before));
    }
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
