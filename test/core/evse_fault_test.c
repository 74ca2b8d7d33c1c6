// Every fault of core/evse: what raises it, how fast the contactor opens, how it ends by its row,
// and what a restart leaves of it.
#include "evse_bench.h"
#include "test.h"

static struct evse_bench b;

static void charge(const struct pw_evse_config *config)
{
    evse_bench_begin(&b, config, 1000000);
    evse_bench_run(&b, 1000);
    b.world.car = PW_PILOT_B;
    b.permit = true;
    evse_bench_run(&b, 4000);
    b.world.car = PW_PILOT_C;
    evse_bench_run(&b, 1000);
    assert_int_equal(b.evse.state, PW_EVSE_CHARGING);
}

static int tear_down(void **state)
{
    (void)state;
    if (b.broken != NULL) {
        print_error("the observer saw: %s\n", b.broken);
        return -1;
    }
    return 0;
}

// What breaks, and heals again.
static void estop(bool on)
{
    b.world.estop = on;
}
static void falls_open(bool on)
{
    b.world.never_closes = on;
    b.world.contact = !on && b.world.drive.contactor;
}
static void leak(bool on)
{
    b.world.leak = on;
}
static void earth(bool on)
{
    b.world.earth_lost = on;
}
static void draw_hard(bool on)
{
    b.world.draw_ma = on ? 50000 : 5000;
}
static void draw_more(bool on)
{
    b.world.draw_ma = on ? 36000 : 5000;
}
static void high(bool on)
{
    b.world.mains_mv = on ? 270000 : 230000;
}
static void low(bool on)
{
    b.world.mains_mv = on ? 170000 : 230000;
}
static void hot(bool on)
{
    b.world.temp_dc = on ? 810 : 250;
}
static void odd(bool on)
{
    b.world.temp_dc = on ? -700 : 250;
}
static void unlock(bool on)
{
    b.world.lock_stuck = on;
    b.world.lock_pos = on ? 100 : BENCH_LOCK_MS;
}
static void resistor(bool on)
{
    b.world.diode = !on;
}
static void grounded(bool on)
{
    b.world.car = on ? PW_PILOT_E : PW_PILOT_C;
}
static void break_pp(bool on)
{
    b.world.pp_ohm = on ? PW_BOARD_OPEN_OHM : 220;
}
static void silence(bool on)
{
    b.world.silent = on;
}
static void stall(bool on)
{
    b.world.opened = on;
}

// One row a fault that can strike while energy flows: within `most` ms of the cause the coil is
// off.
static const struct {
    enum pw_evse_fault fault;
    void (*breaks)(bool on);
    pw_ms most;
} strikes[] = {
    {PW_EVSE_FAULT_ESTOP, estop, 5},
    {PW_EVSE_FAULT_NOT_CLOSING, falls_open, 210},
    {PW_EVSE_FAULT_RCD, leak, 5},
    {PW_EVSE_FAULT_EARTH, earth, 30},
    {PW_EVSE_FAULT_OVERLOAD, draw_hard, 30},
    {PW_EVSE_FAULT_OVER_CURRENT, draw_more, 6010},
    {PW_EVSE_FAULT_OVER_VOLTAGE, high, 510},
    {PW_EVSE_FAULT_UNDER_VOLTAGE, low, 510},
    {PW_EVSE_FAULT_OVER_TEMP, hot, 5},
    {PW_EVSE_FAULT_TEMP_SENSOR, odd, 1010},
    {PW_EVSE_FAULT_LOCK, unlock, 110},
    {PW_EVSE_FAULT_DIODE, resistor, 50},
    {PW_EVSE_FAULT_PILOT_SHORT, grounded, 50},
    {PW_EVSE_FAULT_CABLE, break_pp, 40},
    {PW_EVSE_FAULT_BOARD, silence, 210},
    {PW_EVSE_FAULT_BOARD, stall, 5}, // ours: the board says that it heard nothing
};

static const struct pw_evse_config config = {.max_ma = 32000, .socket = true};

static void strike(size_t i)
{
    charge(&config);
    strikes[i].breaks(true);
    pw_ms from = b.now;
    while (b.evse.drive.contactor && b.now - from < 10000) {
        evse_bench_turn(&b, 5);
    }
    if (b.now - from > strikes[i].most || !evse_bench_stands(&b, strikes[i].fault)) {
        fail_msg("%s: off after %lu ms, faults %x", pw_evse_fault_rows[strikes[i].fault].name,
                 (unsigned long)(b.now - from), b.evse.faults);
    }
    assert_int_equal(b.evse.drive.cp, PW_BOARD_CP_FAULT);
    // The observer sees the cause before the machine can know it.
    b.broken = NULL;
}

static void heal(size_t i)
{
    strikes[i].breaks(false);
    b.world.car = PW_PILOT_B;
    evse_bench_run(&b, 1500);
}

static void every_fault_opens_the_contactor_in_its_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(strikes); i++) {
        strike(i);
    }
}

// Reason: the row of the table is a promise: who ends a fault, and when.
static void every_fault_ends_by_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(strikes); i++) {
        enum pw_evse_fault fault = strikes[i].fault;
        const struct pw_evse_fault_row *row = &pw_evse_fault_rows[fault];
        strike(i);
        evse_bench_run(&b, 2000);
        assert_int_equal(pw_evse_clear(&b.evse, fault, b.now),
                         b.evse.present & PW_EVSE_BIT(fault) && fault != PW_EVSE_FAULT_LOCK
                             ? PW_ERR_BUSY
                             : PW_OK);
        strike(i);
        heal(i);
        evse_bench_run(&b, 8000);
        bool passing = row->latch == PW_EVSE_LATCH_KEPT || row->latch == PW_EVSE_LATCH_CLEARS;
        if (!evse_bench_stands(&b, fault)) {
            fail_msg("%s ended before 10 s had gone by", row->name);
        }
        evse_bench_run(&b, 3000);
        assert_int_equal(evse_bench_stands(&b, fault), !passing);
        b.world.car = PW_PILOT_A;
        evse_bench_run(&b, 1000);
        bool gone = passing || row->latch == PW_EVSE_LATCH_UNPLUG;
        assert_int_equal(evse_bench_stands(&b, fault), !gone);
        evse_bench_sleep(&b, 3600000);
        assert_int_equal(evse_bench_stands(&b, fault), !gone); // no automatic resets by default
        if (!gone) {
            assert_int_equal(pw_evse_clear(&b.evse, fault, b.now), PW_OK);
            assert_int_equal(pw_evse_clear(&b.evse, fault, b.now), PW_ERR_UNKNOWN);
        }
        evse_bench_run(&b, 2000);
        assert_int_equal(b.evse.state, PW_EVSE_IDLE);
        b.broken = NULL;
    }
}

// Reason: I5: pulling the fuse must not be the way to clear a trip.
static void latched_faults_survive_a_restart(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(strikes); i++) {
        enum pw_evse_fault fault = strikes[i].fault;
        enum pw_evse_latch latch = pw_evse_fault_rows[fault].latch;
        bool kept = latch == PW_EVSE_LATCH_STAYS || latch == PW_EVSE_LATCH_COUNTED ||
                    latch == PW_EVSE_LATCH_KEPT;
        strike(i);
        strikes[i].breaks(false);
        assert_int_equal((pw_evse_latched(&b.evse) & PW_EVSE_BIT(fault)) != 0, kept);
        evse_bench_reboot(&b);
        assert_int_equal(evse_bench_stands(&b, fault), kept);
        evse_bench_run(&b, 5000);
        assert_int_equal(evse_bench_stands(&b, fault), kept);
        b.broken = NULL;
    }
    // Bits that mean nothing are not taken over.
    pw_evse_restore(&b.evse, UINT32_MAX);
    assert_true(b.evse.resets <= 4);
    assert_false(evse_bench_stands(&b, PW_EVSE_FAULT_DIODE));
}

// Reason: a welded contact keeps the plug live: found at once, told, kept, and the plug kept in.
static void a_weld_is_found_within_500_ms_and_latched(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        charge(&config);
        b.world.welded = true;
        b.permit = false;
        b.world.car = PW_PILOT_B;
        while (b.evse.drive.contactor) {
            evse_bench_turn(&b, 5);
        }
        pw_ms from = b.now;
        while (!evse_bench_stands(&b, PW_EVSE_FAULT_WELD) && b.now - from < 1000) {
            evse_bench_turn(&b, 5);
        }
        assert_true(b.now - from <= 500);
        evse_bench_run(&b, 60000);
        assert_true(b.world.drive.lock);
        assert_int_equal(b.world.drive.cp, PW_BOARD_CP_FAULT);
        assert_false(pw_evse_is_off(&b.evse));
        assert_int_equal(pw_evse_clear(&b.evse, PW_EVSE_FAULT_WELD, b.now), PW_ERR_BUSY);
        evse_bench_reboot(&b);
        evse_bench_run(&b, 5000);
        assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_WELD));
        assert_true(b.world.drive.lock);
    }
}

// Reason: one pole may weld alone: the voltage behind it tells, the mirror contact may not.
static void voltage_behind_an_open_contactor_is_a_weld_too(void **state)
{
    (void)state;
    evse_bench_begin(&b, &config, 1000000);
    evse_bench_run(&b, 1000);
    assert_int_equal(b.evse.state, PW_EVSE_IDLE);
    for (unsigned i = 0; i < 100; i++) {
        b.now += 5;
        b.senses.at = b.now;
        b.senses.mains.at = b.now;
        b.senses.load_mv[1] = 230000;
        const struct pw_evse_input input = {.senses = &b.senses, .limit_ma = 16000};
        (void)pw_evse_step(&b.evse, &input, b.now);
    }
    assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_WELD));
}

static void a_contactor_that_does_not_close_is_found_within_500_ms(void **state)
{
    (void)state;
    evse_bench_begin(&b, &config, 1000000);
    evse_bench_run(&b, 1000);
    b.world.never_closes = true;
    b.world.car = PW_PILOT_B;
    b.permit = true;
    evse_bench_run(&b, 4000);
    b.world.car = PW_PILOT_C;
    while (!b.world.drive.contactor) {
        evse_bench_turn(&b, 5);
    }
    pw_ms from = b.now;
    while (b.world.drive.contactor && b.now - from < 1000) {
        evse_bench_turn(&b, 5);
    }
    assert_true(b.now - from <= 500);
    assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_NOT_CLOSING));
}

// Reason: a device that does not trip when told protects nobody; each closing asks it (I6).
static void a_broken_rcd_is_found_before_the_contactor_closes(void **state)
{
    (void)state;
    evse_bench_begin(&b, &config, 1000000);
    evse_bench_run(&b, 1000);
    b.world.rcd_broken = true;
    b.world.car = PW_PILOT_B;
    b.permit = true;
    evse_bench_run(&b, 4000);
    b.world.car = PW_PILOT_C;
    evse_bench_run(&b, 2000);
    assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_RCD_TEST));
    assert_int_equal(b.observer.closed_turns, 0);
}

// Reason: UL 2231-2 allows 4 automatic resets, 15 min apart; a plug pulled is no way around it.
static void automatic_resets_are_bounded(void **state)
{
    (void)state;
    static const struct pw_evse_config four = {.max_ma = 32000, .rcd_resets = 4};
    charge(&four);
    for (unsigned i = 0; i < 4; i++) {
        b.world.leak = true;
        evse_bench_run(&b, 100);
        assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_RCD));
        b.world.leak = false;
        b.world.follows = true;
        if (i == 1) {
            evse_bench_reboot(&b); // the count survives
        }
        evse_bench_sleep(&b, 600000);
        if (i == 2) {
            // So it does a plug pulled while the trip stands.
            b.world.follows = false;
            b.world.car = PW_PILOT_A;
            evse_bench_sleep(&b, 1000);
            assert_false(b.evse.plugged);
            b.world.car = PW_PILOT_B;
            b.world.follows = true;
        }
        evse_bench_sleep(&b, i == 2 ? 298000 : 299000);
        assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_RCD));
        for (unsigned k = 0; k < 30 && evse_bench_stands(&b, PW_EVSE_FAULT_RCD); k++) {
            evse_bench_sleep(&b, 100);
        }
        assert_false(evse_bench_stands(&b, PW_EVSE_FAULT_RCD));
        b.observer.barred = false;
        evse_bench_run(&b, 10000);
        assert_int_equal(b.evse.state, PW_EVSE_CHARGING);
    }
    b.world.leak = true;
    evse_bench_run(&b, 100);
    b.world.leak = false;
    evse_bench_sleep(&b, 4000000);
    assert_true(evse_bench_stands(&b, PW_EVSE_FAULT_RCD));
    assert_int_equal(pw_evse_clear(&b.evse, PW_EVSE_FAULT_RCD, b.now), PW_OK);
}

// Reason: the loop through the self-test: each item has its own code.
static void each_item_of_the_self_test_has_its_code(void **state)
{
    (void)state;
    static const enum pw_evse_fault items[] = {PW_EVSE_FAULT_PILOT,       PW_EVSE_FAULT_WELD,
                                               PW_EVSE_FAULT_RCD_TEST,    PW_EVSE_FAULT_EARTH,
                                               PW_EVSE_FAULT_TEMP_SENSOR, PW_EVSE_FAULT_BOARD};
    for (size_t i = 0; i < PW_COUNT(items); i++) {
        evse_bench_begin(&b, &config, 1000000);
        b.world.car = PW_PILOT_C;
        b.permit = true;
        b.world.pilot_stuck = items[i] == PW_EVSE_FAULT_PILOT;
        b.world.contact = b.world.welded = items[i] == PW_EVSE_FAULT_WELD;
        b.world.rcd_broken = items[i] == PW_EVSE_FAULT_RCD_TEST;
        b.world.earth_lost = items[i] == PW_EVSE_FAULT_EARTH;
        b.world.temp_dc = items[i] == PW_EVSE_FAULT_TEMP_SENSOR ? 2000 : 250;
        b.world.silent = items[i] == PW_EVSE_FAULT_BOARD;
        evse_bench_run(&b, 3500);
        assert_int_equal(b.evse.faults, PW_EVSE_BIT(items[i]));
        assert_int_equal(b.observer.closed_turns, 0);
    }
}

// Reason: after its silence nobody knows what the board did; it is tested anew.
static void a_board_that_comes_back_is_tested_anew(void **state)
{
    (void)state;
    charge(&config);
    b.world.silent = true;
    evse_bench_run(&b, 1000);
    b.broken = NULL;
    b.world.silent = false;
    bool probed = false;
    for (unsigned i = 0; i < 4000; i++) {
        evse_bench_turn(&b, 5);
        probed = probed || b.evse.state == PW_EVSE_PROBING;
    }
    assert_true(probed);
}

#define STORY(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(every_fault_opens_the_contactor_in_its_time),
        STORY(every_fault_ends_by_its_row),
        STORY(latched_faults_survive_a_restart),
        STORY(a_weld_is_found_within_500_ms_and_latched),
        STORY(voltage_behind_an_open_contactor_is_a_weld_too),
        STORY(a_contactor_that_does_not_close_is_found_within_500_ms),
        STORY(a_broken_rcd_is_found_before_the_contactor_closes),
        STORY(automatic_resets_are_bounded),
        STORY(each_item_of_the_self_test_has_its_code),
        STORY(a_board_that_comes_back_is_tested_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
