// core/evse story by story: every timing rule and every fault by its name. The bench's observer
// watches every turn of every story.
#include "evse_bench.h"
#include "test.h"

static struct evse_bench b;

#define UNTIL(condition, most)                                                                     \
    do {                                                                                           \
        pw_ms until_from = b.now;                                                                  \
        while (!(condition) && b.now - until_from < (most)) {                                      \
            evse_bench_turn(&b, 5);                                                                \
        }                                                                                          \
        if (!(condition)) {                                                                        \
            fail_msg("not in time: %s (in %s: %s, faults %x)", #condition,                         \
                     pw_evse_state_name(b.evse.state), b.evse.why, b.evse.faults);                 \
        }                                                                                          \
    } while (0)

#define IN(name) (b.evse.state == PW_EVSE_##name)

static void begin(const struct pw_evse_config *config)
{
    evse_bench_begin(&b, config, 1000000);
}

static void charge_with(const struct pw_evse_config *config)
{
    begin(config);
    UNTIL(IN(IDLE), 2000);
    b.world.car = PW_PILOT_B;
    b.permit = true;
    UNTIL(IN(OFFERING), 5000);
    evse_bench_run(&b, 500);
    b.world.car = PW_PILOT_C;
    UNTIL(IN(CHARGING), 3000);
}

static const struct pw_evse_config plain = {.max_ma = 32000};
static const struct pw_evse_config socket_outlet = {.max_ma = 32000, .socket = true};

static int tear_down(void **state)
{
    (void)state;
    if (b.broken != NULL) {
        print_error("the observer saw: %s\n", b.broken);
        return -1;
    }
    return 0;
}

// Reason: the one thing everything else is about.
static void a_vehicle_is_charged_and_leaves(void **state)
{
    (void)state;
    charge_with(&socket_outlet);
    assert_int_equal(b.evse.offered_ma, 31999); // 53.3333 %: the finest step below
    assert_true(b.evse.energised);
    assert_int_equal(b.evse.pause, PW_EVSE_PAUSE_NONE);
    b.permit = false;
    UNTIL(IN(STOPPING), 10);
    b.world.car = PW_PILOT_B;
    UNTIL(IN(WAITING), 100);
    UNTIL(b.world.lock_pos == 0, 1000);
    b.world.car = PW_PILOT_A;
    UNTIL(IN(IDLE), 100);
    assert_false(b.evse.plugged);
}

// ---------------------------------------------------------------------------------------------
// Timing rules (facts/ac-evse-rapi-load.md §1.3). The coil counts, and the true edge.

// Milliseconds from now until the coil is off.
static pw_ms coil_off_after(void)
{
    pw_ms from = b.now;
    UNTIL(!b.world.drive.contactor, 10000);
    return b.now - from;
}

// Reason: a hand may be at the plug 100 ms after it came loose (Table A.6, unplug).
static void an_unplug_opens_the_contactor_within_100_ms(void **state)
{
    (void)state;
    for (pw_ms phase = 0; phase < 5; phase++) {
        charge_with(&plain);
        evse_bench_turn(&b, phase == 0 ? 5 : phase);
        b.world.car = PW_PILOT_A;
        assert_true(coil_off_after() <= 50);
    }
}

// Reason: the vehicle opens S2 because it wants no current at its own contactor (seq. 8.1).
static void an_open_s2_opens_the_contactor_within_100_ms(void **state)
{
    (void)state;
    charge_with(&plain);
    b.world.car = PW_PILOT_B;
    assert_true(coil_off_after() <= 50);
    assert_true(IN(OFFERING)); // the offer stands: it may come back
    evse_bench_run(&b, 100);
    assert_true(pw_evse_is_off(&b.evse));
    assert_true(pw_evse_paused_by_vehicle(&b.evse));
}

// Reason: the same must hold on a pilot full of noise, and for one that flickers.
static void a_noisy_or_flickering_pilot_opens_in_time_too(void **state)
{
    (void)state;
    charge_with(&plain);
    b.world.noise_mv = 1400;
    evse_bench_run(&b, 5000);
    assert_true(IN(CHARGING));
    b.world.car = PW_PILOT_B;
    assert_true(coil_off_after() <= 100);

    charge_with(&plain);
    pw_ms from = b.now;
    while (b.world.drive.contactor && b.now - from < 1000) {
        b.world.car = b.world.car == PW_PILOT_B ? PW_PILOT_C : PW_PILOT_B;
        evse_bench_run(&b, 10);
    }
    assert_true(b.now - from <= 250);
}

// Reason: a command must follow the debounced edge in the same turn (20 ms are allowed).
static void the_command_follows_the_debounced_edge_at_once(void **state)
{
    (void)state;
    charge_with(&plain);
    b.world.car = PW_PILOT_A;
    while (b.evse.pilot.level == PW_PILOT_C) {
        assert_true(b.world.drive.contactor);
        evse_bench_turn(&b, 5);
    }
    assert_false(b.world.drive.contactor);
}

// Reason: a ready vehicle waits 3 s for energy (seq. 4), checks and lock included.
static void a_ready_vehicle_is_served_within_3_s(void **state)
{
    (void)state;
    begin(&socket_outlet);
    UNTIL(IN(IDLE), 2000);
    b.world.car = PW_PILOT_B;
    b.permit = true;
    UNTIL(IN(OFFERING), 5000);
    b.world.car = PW_PILOT_C;
    UNTIL(b.world.contact, 1000); // 3000 allowed
}

// Reason: it needs time to ramp down; but not for ever (seq. 10.2: 6 s or later).
static void a_vehicle_that_ignores_the_stop_is_cut_off_after_6_s(void **state)
{
    (void)state;
    charge_with(&plain);
    b.permit = false;
    evse_bench_turn(&b, 5);
    assert_int_equal(b.world.drive.cp, PW_BOARD_CP_STEADY);
    pw_ms after = coil_off_after();
    assert_true(after >= 6000 && after <= 6020);
    assert_true(IN(WAITING));
}

// Reason: less than 6 A cannot be offered; the vehicle opens S2 itself and comes back later.
static void a_limit_below_6_a_pauses_and_the_charge_goes_on_after(void **state)
{
    (void)state;
    charge_with(&plain);
    b.world.follows = true;
    b.limit_ma = 5900;
    evse_bench_turn(&b, 5);
    assert_true(IN(STOPPING));
    UNTIL(IN(READY), 1200);
    evse_bench_run(&b, 40000);
    assert_true(IN(READY));
    assert_int_equal(b.evse.pause, PW_EVSE_PAUSE_LIMIT);
    assert_true(pw_evse_paused_by_station(&b.evse));
    b.limit_ma = 6000;
    UNTIL(IN(CHARGING), 5000);
    assert_int_equal(b.evse.offered_ma, 6000);
}

// Reason: vehicles follow a duty in 5 s; raises come no faster, decreases at once.
static void a_raise_waits_5_s_and_a_decrease_does_not(void **state)
{
    (void)state;
    b.limit_ma = 80000;
    charge_with(&plain);
    evse_bench_run(&b, 6000);
    b.limit_ma = 10000;
    evse_bench_turn(&b, 5);
    assert_int_equal(b.evse.offered_ma, 9999);
    b.limit_ma = 16000;
    evse_bench_run(&b, 4995);
    assert_int_equal(b.evse.offered_ma, 9999);
    b.limit_ma = 8000;
    evse_bench_turn(&b, 5);
    assert_int_equal(b.evse.offered_ma, 7999);
    b.limit_ma = 32000;
    evse_bench_run(&b, 4995);
    assert_int_equal(b.evse.offered_ma, 7999);
    evse_bench_turn(&b, 5);
    assert_int_equal(b.evse.offered_ma, 31999);
}

// Reason: T_step_X1: a vehicle must see the pause (seq. 9.2).
static void a_new_offer_comes_after_3_s_of_steady_pilot(void **state)
{
    (void)state;
    static const struct pw_evse_config hasty = {.max_ma = 32000, .min_off_ms = 1};
    charge_with(&hasty);
    b.permit = false;
    evse_bench_turn(&b, 5);
    pw_ms from = b.now;
    b.world.car = PW_PILOT_B;
    evse_bench_run(&b, 50);
    b.permit = true;
    UNTIL(IN(OFFERING), 5000);
    assert_true(b.now - from >= 3000 && b.now - from <= 3010);
}

// Reason: a contactor that clatters wears out and welds; the first closing owes nothing.
static void a_contactor_rests_before_it_closes_again(void **state)
{
    (void)state;
    charge_with(&plain);
    b.world.car = PW_PILOT_B;
    pw_ms off = coil_off_after();
    (void)off;
    pw_ms from = b.now;
    b.world.car = PW_PILOT_C;
    UNTIL(IN(READY), 500);
    assert_int_equal(b.evse.pause, PW_EVSE_PAUSE_REST);
    UNTIL(b.world.drive.contactor, 40000);
    assert_true(b.now - from >= 30000);
}

// Reason: a short power cut in a charge opens the contactor as well; when, nobody saw.
static void after_a_power_cut_in_a_charge_it_rests_too(void **state)
{
    (void)state;
    charge_with(&plain);
    evse_bench_reboot(&b);
    pw_ms from = b.now;
    UNTIL(b.world.drive.contactor, 40000);
    assert_true(b.now - from >= 30000);
    // Without a charge before it nothing is owed.
    charge_with(&plain);
    b.permit = false;
    b.world.car = PW_PILOT_B;
    UNTIL(!b.world.drive.contactor, 10000);
    evse_bench_reboot(&b);
    from = b.now;
    UNTIL(IN(WAITING), 5000);
    b.permit = true;
    b.world.car = PW_PILOT_C;
    UNTIL(b.world.drive.contactor, 15000);
    assert_true(b.now - from < 15000);
}

// Reason: relay life; whoever toggles gets served less often, not never.
static void closings_in_an_hour_are_counted(void **state)
{
    (void)state;
    static const struct pw_evse_config few = {.min_off_ms = 1000, .closes_an_hour = 3};
    charge_with(&few);
    for (unsigned i = 0; i < 2; i++) {
        b.world.car = PW_PILOT_B;
        evse_bench_run(&b, 5000);
        b.world.car = PW_PILOT_C;
        UNTIL(IN(CHARGING), 10000);
    }
    b.world.car = PW_PILOT_B;
    evse_bench_run(&b, 5000);
    b.world.car = PW_PILOT_C;
    evse_bench_run(&b, 10000);
    assert_true(IN(READY));
    assert_int_equal(b.evse.pause, PW_EVSE_PAUSE_CLOSES);
    pw_ms from = b.now;
    UNTIL(IN(CHARGING), 3600000);
    assert_true(b.now - from > 3500000);
}

// Reason: x1 says "wait"; a vehicle that is not permitted must not be promised anything.
static void nothing_is_offered_without_a_permit(void **state)
{
    (void)state;
    begin(&plain);
    UNTIL(IN(IDLE), 2000);
    b.world.car = PW_PILOT_C;
    evse_bench_run(&b, 60000);
    assert_true(IN(WAITING));
    assert_int_equal(b.observer.pwm_turns, 0);
    assert_int_equal(b.evse.pause, PW_EVSE_PAUSE_PERMIT);
}

// ---------------------------------------------------------------------------------------------
// Wake-up

static void sleep_in_b(enum pw_evse_wake wake)
{
    const struct pw_evse_config config = {.wake = wake};
    begin(&config);
    UNTIL(IN(IDLE), 2000);
    b.world.car = PW_PILOT_B;
    b.permit = true;
    UNTIL(IN(OFFERING), 5000);
}

// Reason: some vehicles only look at a pilot that changes (Zoe, Kona); once, not for ever.
static void a_sleeping_vehicle_gets_one_steady_pulse(void **state)
{
    (void)state;
    sleep_in_b(PW_EVSE_WAKE_X1);
    pw_ms from = b.now;
    UNTIL(IN(WAKING), 31000);
    assert_true(b.now - from >= 30000);
    from = b.now;
    UNTIL(IN(OFFERING), 5000);
    assert_true(b.now - from >= 4000 && b.now - from <= 4010);
    evse_bench_run(&b, 120000);
    assert_true(IN(OFFERING));
    assert_true(pw_evse_paused_by_vehicle(&b.evse));
}

static void a_sleeping_vehicle_gets_one_pulse_of_f(void **state)
{
    (void)state;
    sleep_in_b(PW_EVSE_WAKE_FAULT);
    UNTIL(IN(WAKING_F), 31000);
    assert_int_equal(b.world.drive.cp, PW_BOARD_CP_FAULT);
    pw_ms from = b.now;
    UNTIL(b.world.drive.cp != PW_BOARD_CP_FAULT, 5000);
    assert_true(b.now - from >= 4000 && b.now - from <= 4010);
    assert_true(b.evse.plugged); // -12 V hides the plug, it does not pull it
    UNTIL(IN(OFFERING), 4000);
    evse_bench_run(&b, 120000);
    assert_true(IN(OFFERING));
}

static void nobody_is_woken_unless_it_is_set(void **state)
{
    (void)state;
    sleep_in_b(PW_EVSE_WAKE_NONE);
    evse_bench_run(&b, 120000);
    assert_true(IN(OFFERING));
}

// Reason: a pause of ours may send it back to sleep.
static void after_a_pause_it_is_woken_again(void **state)
{
    (void)state;
    const struct pw_evse_config config = {.wake = PW_EVSE_WAKE_X1};
    charge_with(&config);
    b.limit_ma = 0;
    evse_bench_run(&b, 1000);
    b.world.car = PW_PILOT_B;
    evse_bench_run(&b, 60000);
    b.limit_ma = 16000;
    UNTIL(IN(WAKING), 35000);
}

// ---------------------------------------------------------------------------------------------
// Own limits

// Reason: without S2 the contactor may have to break the load (A.2.3): 10 A.
static void a_vehicle_without_s2_gets_10_a(void **state)
{
    (void)state;
    begin(&plain);
    UNTIL(IN(IDLE), 2000);
    b.permit = true;
    b.world.car = PW_PILOT_C;
    UNTIL(IN(CHARGING), 10000);
    assert_true(b.evse.simplified);
    assert_int_equal(b.evse.limits.ma, 10000);
    assert_int_equal(b.evse.limits.who, PW_EVSE_BOUND_SIMPLIFIED);
    assert_int_equal(b.evse.offered_ma, 9999);
    // One that shows B has a switch after all.
    b.world.car = PW_PILOT_B;
    evse_bench_run(&b, 300);
    assert_false(b.evse.simplified);
}

static void every_cable_lowers_the_offer_to_its_own(void **state)
{
    (void)state;
    static const struct {
        int32_t ohm;
        int32_t ma;
    } cables[] = {{1500, 12999}, {680, 19999}, {220, 31999}, {100, 31999}};
    for (size_t i = 0; i < PW_COUNT(cables); i++) {
        begin(&socket_outlet);
        UNTIL(IN(IDLE), 2000);
        b.world.pp_ohm = cables[i].ohm;
        b.world.car = PW_PILOT_B;
        b.permit = true;
        UNTIL(IN(OFFERING), 5000);
        // What it is later does not matter, as long as it is there.
        b.world.pp_ohm = cables[i].ohm == 100 ? 220 : 100;
        evse_bench_run(&b, 500);
        assert_in_range(b.evse.offered_ma, cables[i].ma - 1, cables[i].ma + 1);
    }
}

// Reason: half the current is still a charge; none is an angry driver. No swinging around a value.
static void heat_takes_current_and_gives_it_back_late(void **state)
{
    (void)state;
    charge_with(&plain);
    evse_bench_run(&b, 6000);
    b.world.temp_dc = 725; // half-way from 65 to 80 degC
    evse_bench_run(&b, 10);
    assert_int_equal(b.evse.limits.ma, 19000);
    assert_int_equal(b.evse.limits.who, PW_EVSE_BOUND_TEMPERATURE);
    b.world.temp_dc = 690;
    evse_bench_run(&b, 6000);
    assert_int_equal(b.evse.limits.ma, 19000);
    b.world.temp_dc = 600;
    evse_bench_run(&b, 6000);
    assert_int_equal(b.evse.offered_ma, 31999);
}

static void a_vehicle_that_wants_ventilation_gets_it_or_nothing(void **state)
{
    (void)state;
    for (unsigned v = 0; v <= PW_EVSE_VENTILATION_RELAY; v++) {
        const struct pw_evse_config config = {.ventilation = (enum pw_evse_ventilation)v};
        charge_with(&config);
        b.world.car = PW_PILOT_D;
        evse_bench_run(&b, 1000);
        assert_int_equal(IN(CHARGING), v != PW_EVSE_VENTILATION_NONE);
        assert_int_equal(b.world.drive.ventilation, v == PW_EVSE_VENTILATION_RELAY);
        if (v == PW_EVSE_VENTILATION_NONE) {
            evse_bench_run(&b, 60000);
            assert_false(b.world.drive.contactor);
            assert_int_equal(b.evse.pause, PW_EVSE_PAUSE_VENTILATION);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Lock

// Reason: a plug pulled under load draws an arc.
static void the_lock_closes_before_the_contactor_and_opens_after_it(void **state)
{
    (void)state;
    charge_with(&socket_outlet);
    b.permit = false;
    evse_bench_run(&b, 3000);
    assert_true(b.world.contact && b.world.drive.lock);
    b.world.car = PW_PILOT_B;
    UNTIL(!b.world.drive.lock, 1000);
    assert_false(b.world.contact);
}

static void a_lock_that_does_not_close_is_tried_4_times(void **state)
{
    (void)state;
    begin(&socket_outlet);
    UNTIL(IN(IDLE), 2000);
    evse_bench_run(&b, 1000);
    b.world.lock_stuck = true;
    b.world.car = PW_PILOT_B;
    b.permit = true;
    unsigned moves = 0;
    bool had = b.world.drive.lock;
    for (unsigned i = 0; i < 10000; i++) {
        evse_bench_turn(&b, 5);
        moves += !had && b.world.drive.lock ? 1 : 0;
        had = b.world.drive.lock;
    }
    assert_int_equal(moves, 4);
    assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_LOCK));
    assert_int_equal(b.observer.closed_turns, 0);
    b.world.lock_stuck = false;
    b.world.car = PW_PILOT_A;
    UNTIL(IN(IDLE), 2000);
}

static void a_lock_that_does_not_open_is_said_and_can_be_tried_again(void **state)
{
    (void)state;
    charge_with(&socket_outlet);
    b.world.lock_stuck = true;
    b.permit = false;
    b.world.car = PW_PILOT_B;
    UNTIL(evse_bench_stands(&b, PW_EVSE_FAULT_UNLOCK), 15000);
    b.world.lock_stuck = false;
    evse_bench_clear(&b, PW_EVSE_FAULT_UNLOCK);
    UNTIL(b.world.lock_pos == 0, 1000);
    UNTIL(b.evse.faults == 0, 1000);
}

// ---------------------------------------------------------------------------------------------
// Power-on self-test and time

static void the_self_test_comes_first(void **state)
{
    (void)state;
    begin(&plain);
    b.permit = true;
    b.world.car = PW_PILOT_C;
    evse_bench_turn(&b, 5);
    assert_true(IN(STARTING));
    UNTIL(IN(PROBING), 1000);
    UNTIL(b.world.tripped, 100);
    UNTIL(IN(PROBED), 100);
    UNTIL(IN(READY), 1000);
    assert_int_equal(b.observer.closed_turns, 0);
}

// Reason: 32-bit milliseconds wrap after 49.7 days; ours never do, and a clock that stands or runs
// backwards changes nothing.
static void time_may_be_large_stand_or_run_backwards(void **state)
{
    (void)state;
    static const pw_ms starts[] = {UINT32_MAX - 5000, UINT64_C(1) << 62, INT32_MAX};
    for (size_t i = 0; i < PW_COUNT(starts); i++) {
        evse_bench_begin(&b, &plain, starts[i]);
        UNTIL(IN(IDLE), 2000);
        b.world.car = PW_PILOT_B;
        b.permit = true;
        UNTIL(IN(OFFERING), 5000);
        b.world.car = PW_PILOT_C;
        UNTIL(IN(CHARGING), 3000);
    }
    struct pw_evse before = b.evse;
    const struct pw_evse_input input = {
        .senses = &b.senses, .permit = true, .limit_ma = b.limit_ma};
    assert_true(pw_evse_step(&b.evse, &input, b.now - 100000) > b.now);
    assert_int_equal(b.evse.state, before.state);
    assert_int_equal(b.evse.stepped_at, before.stepped_at);
}

static void nonsense_in_the_settings_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        struct pw_evse_config config;
        const char *says;
    } rows[] = {
        {{.max_ma = 5999}, "max_ma is 5999, must be 6000 to 80000"},
        {{.phases = 4}, "phases is 4, must be 1 to 3"},
        {{.rcd_resets = 5}, "rcd_resets is 5, must be 0 to 4"},
        {{.over_current_ms = 8000}, "over_current_ms is 8000, must be 5000 to 7000"},
        {{.derate_from_dc = 850}, "derate_from_dc must be below trip_dc"},
        {{.under_mv = 260000}, "under_mv and over_mv leave no room for mains_back_mv"},
        {{.wake = (enum pw_evse_wake)7}, "wake is 7, must be none, x1 or fault"},
    };
    begin(&plain);
    struct pw_evse before = b.evse;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[120];
        struct pw_out why = PW_OUT(text);
        assert_int_equal(pw_evse_configure(&b.evse, &rows[i].config, &why), PW_ERR_RANGE);
        assert_string_equal(text, rows[i].says);
        assert_memory_equal(&b.evse, &before, sizeof before);
    }
}

#define STORY(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_vehicle_is_charged_and_leaves),
        STORY(an_unplug_opens_the_contactor_within_100_ms),
        STORY(an_open_s2_opens_the_contactor_within_100_ms),
        STORY(a_noisy_or_flickering_pilot_opens_in_time_too),
        STORY(the_command_follows_the_debounced_edge_at_once),
        STORY(a_ready_vehicle_is_served_within_3_s),
        STORY(a_vehicle_that_ignores_the_stop_is_cut_off_after_6_s),
        STORY(a_limit_below_6_a_pauses_and_the_charge_goes_on_after),
        STORY(a_raise_waits_5_s_and_a_decrease_does_not),
        STORY(a_new_offer_comes_after_3_s_of_steady_pilot),
        STORY(a_contactor_rests_before_it_closes_again),
        STORY(after_a_power_cut_in_a_charge_it_rests_too),
        STORY(closings_in_an_hour_are_counted),
        STORY(nothing_is_offered_without_a_permit),
        STORY(a_sleeping_vehicle_gets_one_steady_pulse),
        STORY(a_sleeping_vehicle_gets_one_pulse_of_f),
        STORY(nobody_is_woken_unless_it_is_set),
        STORY(after_a_pause_it_is_woken_again),
        STORY(a_vehicle_without_s2_gets_10_a),
        STORY(every_cable_lowers_the_offer_to_its_own),
        STORY(heat_takes_current_and_gives_it_back_late),
        STORY(a_vehicle_that_wants_ventilation_gets_it_or_nothing),
        STORY(the_lock_closes_before_the_contactor_and_opens_after_it),
        STORY(a_lock_that_does_not_close_is_tried_4_times),
        STORY(a_lock_that_does_not_open_is_said_and_can_be_tried_again),
        STORY(the_self_test_comes_first),
        STORY(time_may_be_large_stand_or_run_backwards),
        STORY(nonsense_in_the_settings_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
