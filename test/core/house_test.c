// Two machines of core/house, each by itself: what the meter's side believes and leaves, what the
// gate offers and when it pauses.
#include "house/house.h"
#include "test.h"

#include <string.h>

#define SECOND 1000
#define AMPERE 1000

static struct bench {
    struct pw_house house;
    struct pw_house_gate gate;
    struct pw_house_chargers chargers;
    struct pw_house_gate_input in;
    pw_ms now;
    int32_t other_ma[PW_HOUSE_PHASES]; // the house; below zero: the roof
    int32_t draw_ma;                   // of the vehicle, on all phases
    bool silent;                       // the meter
    bool closed;                       // contactor
} b;

static void configure(const struct pw_house_config *config)
{
    assert_int_equal(pw_house_configure(&b.house, config), PW_OK);
}

static struct pw_house_config plain(void)
{
    return (struct pw_house_config){
        .breaker_ma = 20 * AMPERE, .margin_permille = 50, .failsafe_ma = 6 * AMPERE};
}

static void open_bench(void)
{
    const struct pw_house_config config = plain();
    memset(&b, 0, sizeof(b));
    b.now = 1000;
    assert_int_equal(pw_house_init(&b.house, &config, b.now), PW_OK);
    pw_house_gate_init(&b.gate, 0, b.now);
    b.in =
        (struct pw_house_gate_input){.least_ma = 6 * AMPERE, .most_ma = 32 * AMPERE, .wants = true};
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        b.other_ma[p] = AMPERE;
    }
}

static struct pw_board_mains reading(void)
{
    struct pw_board_mains mains = PW_BOARD_NO_MAINS;
    mains.at = b.now;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        int32_t ma = b.other_ma[p] + b.draw_ma + (int32_t)(b.now / 1000 % 2);
        mains.mv[p] = 230000;
        mains.mw[p] = ma * 230;
        mains.ma[p] = ma < 0 ? -ma : ma;
    }
    return mains;
}

// A second: the vehicle follows the offer, the meter tells, the gate decides.
static void second(void)
{
    b.now += SECOND;
    b.closed = b.in.wants && b.gate.offer_ma >= 6 * AMPERE;
    b.draw_ma = b.closed ? b.gate.offer_ma : 0;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        b.chargers.draw_ma[p] = b.draw_ma;
        b.chargers.offer_ma[p] = b.closed ? b.gate.offer_ma : 0;
        b.chargers.least_ma[p] = b.closed ? 6 * AMPERE : 0;
    }
    if (!b.silent) {
        struct pw_board_mains mains = reading();
        pw_house_read(&b.house, &mains, true, &b.chargers, b.now);
    }
    (void)pw_house_step(&b.house, b.now);
    b.in.trust = b.house.trust;
    b.in.samples = b.house.samples;
    b.in.level_permille = b.house.level_permille;
    b.in.share_ma = pw_house_share(&b.house, PW_HOUSE_ALL_PHASES, b.closed ? b.gate.offer_ma : 0);
    b.in.draw_ma = b.draw_ma;
    b.in.active = b.closed;
    (void)pw_house_gate_step(&b.gate, &b.house.config, &b.in, NULL, b.now);
}

static void seconds(int count)
{
    for (int i = 0; i < count; i++) {
        second();
    }
}

static void others(int32_t ma)
{
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        b.other_ma[p] = ma;
    }
}

// Seconds until the gate is in `state`; fails after `most`.
static int until(enum pw_house_gate_state state, int most)
{
    int count = 0;
    while (b.gate.state != state && count < most) {
        second();
        count++;
    }
    assert_string_equal(pw_house_gate_name(b.gate.state), pw_house_gate_name(state));
    return count;
}

static void charging(void)
{
    open_bench();
    (void)until(PW_HOUSE_GATE_FOLLOWING, 60);
    seconds(120);
    assert_in_range(b.gate.offer_ma, 17600, 18000); // 19 A less the house's
}

// ---------------------------------------------------------------------------------------------
// The meter's side.

// Reason: a station that has just started knows nothing of the house.
static void a_cold_start_offers_the_failsafe_current_until_the_meter_is_believed(void **state)
{
    (void)state;
    open_bench();
    b.silent = true;
    seconds(20);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_WAITING);
    assert_int_equal(b.gate.offer_ma, 6 * AMPERE);
    assert_string_equal(b.gate.why, pw_house_trust_text(PW_HOUSE_COLD));
    b.silent = false;
    assert_in_range(until(PW_HOUSE_GATE_FOLLOWING, 60), 3, 5);
}

// Reason: a settings row can be wrong in a file, and a division by a breaker of 0 must not happen.
static void a_breaker_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct pw_house_config bad[] = {
        {.breaker_ma = 0},
        {.breaker_ma = 5999},
        {.breaker_ma = 20000, .margin_permille = 501},
        {.breaker_ma = 20000, .margin_permille = -1},
        {.breaker_ma = 20000, .failsafe_ma = -1},
        {.breaker_ma = 20000, .pauses_per_day = PW_HOUSE_PAUSES_MAX + 1},
    };
    open_bench();
    struct pw_house before = b.house;
    for (size_t i = 0; i < PW_COUNT(bad); i++) {
        assert_int_equal(pw_house_configure(&b.house, &bad[i]), PW_ERR_RANGE);
        assert_memory_equal(&b.house, &before, sizeof(before));
    }
}

// Reason: facts §3.1: the seed's switch for "export" turned every current round, and could burn
// breakers.
static void a_current_without_direction_is_never_credited(void **state)
{
    (void)state;
    for (int directed = 0; directed < 2; directed++) {
        struct pw_house_config config = plain();
        open_bench();
        b.in.wants = false;
        config.directed = directed == 1;
        configure(&config);
        others(-10 * AMPERE);
        seconds(30);
        int32_t room = pw_house_room(&b.house, 0, 0);
        if (directed == 1) {
            assert_in_range(room, 28000, 29000); // 19 A, and 10 A that flow out
        } else {
            assert_in_range(room, 8900, 9100); // as if they were drawn
        }
    }
}

// Reason: fewer transformers than phases: what cannot be seen gets the fail-safe current and no
// more.
static void a_phase_without_a_meter_leaves_the_failsafe_current(void **state)
{
    (void)state;
    open_bench();
    for (int i = 0; i < 20; i++) {
        b.now += SECOND;
        struct pw_board_mains mains = reading();
        mains.ma[2] = PW_BOARD_UNKNOWN;
        mains.mw[2] = PW_BOARD_UNKNOWN;
        pw_house_read(&b.house, &mains, true, &b.chargers, b.now);
        (void)pw_house_step(&b.house, b.now);
    }
    assert_int_equal(b.house.trust, PW_HOUSE_GOOD);
    assert_int_equal(b.house.metered, 3);
    assert_in_range(pw_house_share(&b.house, 3, 0), 17900, 18000);
    assert_int_equal(pw_house_share(&b.house, 7, 0), 6 * AMPERE);
}

// Reason: a phase that falls silent in the middle is no smaller house.
static void a_reading_that_lacks_a_phase_is_none(void **state)
{
    (void)state;
    charging();
    for (int i = 0; i < 5; i++) {
        b.now += SECOND;
        struct pw_board_mains mains = reading();
        mains.ma[1] = PW_BOARD_UNKNOWN;
        mains.mw[1] = PW_BOARD_UNKNOWN;
        mains.mv[1] = PW_BOARD_UNKNOWN;
        pw_house_read(&b.house, &mains, true, &b.chargers, b.now);
        (void)pw_house_step(&b.house, b.now);
    }
    assert_int_equal(b.house.trust, PW_HOUSE_WRONG);
}

// Reason: facts §3.4: an open transformer, or a gateway that repeats its last value for ever.
static void a_meter_that_stands_still_while_the_vehicle_changes_is_not_believed(void **state)
{
    (void)state;
    charging();
    struct pw_board_mains mains = reading();
    pw_ms from = b.now;
    for (int i = 0; i < 30 && b.house.trust == PW_HOUSE_GOOD; i++) {
        b.now += SECOND;
        mains.at = b.now;
        b.chargers.draw_ma[0] = i < 10 ? 18 * AMPERE : 10 * AMPERE;
        pw_house_read(&b.house, &mains, true, &b.chargers, b.now);
        (void)pw_house_step(&b.house, b.now);
    }
    assert_int_equal(b.house.trust, PW_HOUSE_FROZEN);
    assert_in_range(b.now - from, 11 * SECOND, 12 * SECOND); // with the step itself
    // It moves again: believed after three readings that make sense.
    b.silent = false;
    seconds(2);
    assert_int_equal(b.house.trust, PW_HOUSE_FROZEN);
    seconds(4);
    assert_int_equal(b.house.trust, PW_HOUSE_GOOD);
}

// Reason: a transformer that has come off its conductor still shows some noise.
static void a_meter_that_does_not_see_three_steps_is_not_believed(void **state)
{
    (void)state;
    charging();
    pw_house_seen(&b.house, false);
    pw_house_seen(&b.house, false);
    pw_house_seen(&b.house, true);
    for (int i = 0; i < 3; i++) {
        second();
        assert_int_equal(b.house.trust, PW_HOUSE_GOOD);
        pw_house_seen(&b.house, false);
    }
    second();
    assert_int_equal(b.house.trust, PW_HOUSE_BLIND);
    assert_int_equal(b.gate.offer_ma, 6 * AMPERE);
    pw_house_seen(&b.house, true);
    seconds(5);
    assert_int_equal(b.house.trust, PW_HOUSE_GOOD);
}

// Reason: facts §3.4 "Oscillation": the charger's own current is older than the house's, and the
// start of a charge must not look like an oven.
static void a_start_of_the_vehicle_is_not_taken_for_the_house(void **state)
{
    (void)state;
    open_bench();
    for (int i = 0; i < 40; i++) {
        b.now += SECOND;
        b.draw_ma = i >= 20 ? 16 * AMPERE : 0;
        struct pw_board_mains mains = reading();
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            b.chargers.draw_ma[p] = i >= 22 ? 16 * AMPERE : 0; // two seconds late
            b.chargers.offer_ma[p] = 16 * AMPERE;
            b.chargers.least_ma[p] = 6 * AMPERE;
        }
        pw_house_read(&b.house, &mains, true, &b.chargers, b.now);
        (void)pw_house_step(&b.house, b.now);
        if (i > 3) {
            assert_in_range(pw_house_room(&b.house, 0, 16 * AMPERE), 16000, 18000);
            assert_in_range(b.house.level_permille, 300, 400);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The gate.

// Reason: the breaker's time is short, the vehicle's is five seconds.
static void far_too_much_brings_the_offer_down_with_the_same_reading(void **state)
{
    (void)state;
    charging();
    others(11 * AMPERE);
    second();
    assert_in_range(b.gate.offer_ma, 7900, 8000);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_FOLLOWING);
}

// Reason: facts §3.5: up at most half the headroom and 2 A a step, 5 s apart, 30 s after a
// decrease.
static void raises_are_small_and_rare(void **state)
{
    (void)state;
    charging();
    others(11 * AMPERE);
    second();
    pw_ms lowered = b.now;
    others(AMPERE);
    int32_t before = b.gate.offer_ma;
    pw_ms raised = 0;
    int steps = 0;
    for (int i = 0; i < 200; i++) {
        second();
        if (b.gate.offer_ma != before) {
            int32_t head = b.in.share_ma - before;
            assert_true(b.gate.offer_ma > before);
            assert_true(b.gate.offer_ma - before <= PW_HOUSE_RAISE_MA);
            assert_true((b.gate.offer_ma - before) * 2 <= head);
            assert_true(b.now - lowered >= PW_HOUSE_CALM_MS);
            assert_true(raised == 0 || b.now - raised >= PW_HOUSE_RAISE_MS);
            raised = b.now;
            before = b.gate.offer_ma;
            steps++;
        }
    }
    assert_in_range(steps, 5, 15);
    assert_in_range(b.gate.offer_ma, 17600, 18000);
}

// Reason: a meter that repeats itself slowly must not be acted on twice.
static void nothing_is_raised_on_a_reading_that_was_used_already(void **state)
{
    (void)state;
    charging();
    b.gate.offer_ma = 10 * AMPERE;
    b.gate.lowered_at = PW_NEVER;
    b.in.share_ma = 18 * AMPERE;
    b.gate.raised_at = b.now - 60 * SECOND;
    b.now += SECOND;
    (void)pw_house_gate_step(&b.gate, &b.house.config, &b.in, NULL, b.now);
    assert_int_equal(b.gate.offer_ma, 10 * AMPERE);
    b.in.samples++;
    (void)pw_house_gate_step(&b.gate, &b.house.config, &b.in, NULL, b.now);
    assert_int_equal(b.gate.offer_ma, 12 * AMPERE);
}

// Reason: facts §3.5: who draws less than offered leaves the rest to others, if there are any.
static void a_vehicle_that_draws_less_is_raised_only_when_nobody_else_wants_it(void **state)
{
    (void)state;
    for (int contended = 0; contended < 2; contended++) {
        charging();
        b.gate.offer_ma = 10 * AMPERE;
        b.gate.lowered_at = PW_NEVER;
        b.in.share_ma = 18 * AMPERE;
        b.in.draw_ma = 8 * AMPERE;
        b.in.contended = contended == 1;
        b.now += 10 * SECOND;
        b.in.samples++;
        (void)pw_house_gate_step(&b.gate, &b.house.config, &b.in, NULL, b.now);
        assert_int_equal(b.gate.offer_ma, contended == 1 ? 10 * AMPERE : 12 * AMPERE);
    }
}

// Reason: users' first complaint (facts §6.1): the contactor rattles around 6 A.
static void a_small_overload_at_the_least_current_is_borne_for_a_while(void **state)
{
    (void)state;
    charging();
    others(14500); // with 6 A: 1.08 of the target
    assert_in_range(until(PW_HOUSE_GATE_MINIMUM, 30), 1, 12);
    // The first ten seconds are the filter's.
    assert_in_range(until(PW_HOUSE_GATE_PAUSED, 60), 28, 43);
    charging();
    others(15500); // 1.13
    (void)until(PW_HOUSE_GATE_MINIMUM, 30);
    assert_in_range(until(PW_HOUSE_GATE_PAUSED, 60), 6, 20);
    charging();
    others(18500); // 1.29
    (void)until(PW_HOUSE_GATE_MINIMUM, 3);
    // Two readings, once the vehicle's own current is out of the way: it is known 3 s late.
    assert_in_range(until(PW_HOUSE_GATE_PAUSED, 60), 1, 5);
}

// Reason: facts §3.4: the seed's resume needed a current of exactly 0 in a poll that came every two
// and a half hours, so that a paused charge never went on.
static void the_resume_bug_of_the_seed(void **state)
{
    (void)state;
    charging();
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_PAUSED, 30);
    others(AMPERE);
    // A stale current of the charger, as the seed's poll left it behind.
    for (int i = 0; i < 100 && b.gate.state == PW_HOUSE_GATE_PAUSED; i++) {
        second();
        b.in.draw_ma = 16 * AMPERE;
        (void)pw_house_gate_step(&b.gate, &b.house.config, &b.in, NULL, b.now);
    }
    assert_int_not_equal(b.gate.state, PW_HOUSE_GATE_PAUSED);
    assert_in_range(until(PW_HOUSE_GATE_FOLLOWING, 5), 0, 5);
}

// Reason: a pause wears the contactor and may fault the car: it lasts, and longer each time.
static void pauses_last_longer_each_time_and_shorter_again_after_calm(void **state)
{
    (void)state;
    static const int lasts[] = {60, 120, 300, 300};
    charging();
    for (size_t i = 0; i < PW_COUNT(lasts); i++) {
        others(18 * AMPERE);
        (void)until(PW_HOUSE_GATE_PAUSED, 60);
        others(AMPERE);
        assert_in_range(until(PW_HOUSE_GATE_FOLLOWING, 400), lasts[i] - 1, lasts[i] + 3);
        seconds(10);
    }
    assert_int_equal(b.gate.pauses, 4);
    seconds(3 * 1800 + 10);
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_PAUSED, 60);
    others(AMPERE);
    assert_in_range(until(PW_HOUSE_GATE_FOLLOWING, 400), 59, 63);
}

// Reason: resuming into a house that has 0.5 A to spare is the next pause.
static void it_resumes_only_with_an_ampere_more_than_the_least_for_half_a_minute(void **state)
{
    (void)state;
    charging();
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_PAUSED, 30);
    others(12500); // leaves 6.5 A
    seconds(600);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_PAUSED);
    others(11500);                                               // leaves 7.5 A
    assert_in_range(until(PW_HOUSE_GATE_FOLLOWING, 60), 38, 45); // ten of them for the filter
}

// Reason: a relay has a number of operations in it, and a day has a budget of them.
static void after_the_budget_of_the_day_it_stays_paused_until_tomorrow(void **state)
{
    (void)state;
    struct pw_house_config config = plain();
    config.pauses_per_day = 2;
    charging();
    configure(&config);
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_PAUSED, 30);
    others(AMPERE);
    (void)until(PW_HOUSE_GATE_FOLLOWING, 100);
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_SPENT, 60);
    others(AMPERE);
    seconds(4000);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_SPENT);
    b.in.day++;
    (void)until(PW_HOUSE_GATE_FOLLOWING, 200);
    assert_int_equal(b.gate.pauses, 0);
}

// Reason: some cars do not wake any more: their owners rather bear an overload at 6 A.
static void never_pause_holds_the_least_current(void **state)
{
    (void)state;
    struct pw_house_config config = plain();
    config.never_pause = true;
    charging();
    configure(&config);
    others(30 * AMPERE);
    seconds(3600);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_MINIMUM);
    assert_int_equal(b.gate.offer_ma, 6 * AMPERE);
    assert_int_equal(b.gate.pauses, 0);
}

// Reason: nobody is woken for a house that could not feed him.
static void a_vehicle_that_comes_waits_for_room_that_lasts(void **state)
{
    (void)state;
    open_bench();
    b.in.wants = false;
    others(15 * AMPERE);
    seconds(30);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_SHUT);
    b.in.wants = true;
    seconds(60);
    others(AMPERE);
    assert_in_range(until(PW_HOUSE_GATE_FOLLOWING, 100), 38, 46);
    assert_int_equal(b.gate.pauses, 0);
}

// ---------------------------------------------------------------------------------------------
// Kill the meter, in every state.

static void go_waiting(void)
{
    open_bench();
}
static void go_ready(void)
{
    open_bench();
    b.in.wants = false;
    (void)until(PW_HOUSE_GATE_READY, 30);
}
static void go_shut(void)
{
    open_bench();
    others(15 * AMPERE);
    b.in.wants = false;
    (void)until(PW_HOUSE_GATE_SHUT, 30);
    b.in.wants = true;
}
static void go_minimum(void)
{
    charging();
    others(14500);
    (void)until(PW_HOUSE_GATE_MINIMUM, 30);
}
static void go_paused(void)
{
    charging();
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_PAUSED, 30);
}
static void go_spent(void)
{
    struct pw_house_config config = plain();
    charging();
    config.pauses_per_day = 1;
    configure(&config);
    others(18 * AMPERE);
    (void)until(PW_HOUSE_GATE_SPENT, 30);
}
static void go_failsafe(void)
{
    charging();
    b.silent = true;
    (void)until(PW_HOUSE_GATE_FAILSAFE, 30);
}

static void (*const ways[PW_HOUSE_GATE_ROWS])(void) = {
    [PW_HOUSE_GATE_WAITING] = go_waiting, [PW_HOUSE_GATE_READY] = go_ready,
    [PW_HOUSE_GATE_SHUT] = go_shut,       [PW_HOUSE_GATE_FOLLOWING] = charging,
    [PW_HOUSE_GATE_MINIMUM] = go_minimum, [PW_HOUSE_GATE_PAUSED] = go_paused,
    [PW_HOUSE_GATE_SPENT] = go_spent,     [PW_HOUSE_GATE_FAILSAFE] = go_failsafe,
};

// Reason: the issue asks for it: whatever it does when the meter dies, after hold_s no more than
// the fail-safe current is offered, and nothing was raised before.
static void the_meter_dies_in_every_state(void **state)
{
    (void)state;
    static const int32_t failsafes[] = {0, 6 * AMPERE, 10 * AMPERE};
    for (size_t f = 0; f < PW_COUNT(failsafes); f++) {
        for (int s = 0; s < PW_HOUSE_GATE_ROWS; s++) {
            ways[s]();
            assert_int_equal(b.gate.state, s);
            b.house.config.failsafe_ma = failsafes[f];
            b.silent = true;
            int32_t before = b.gate.offer_ma;
            const int32_t first = before;
            pw_ms from = b.house.good_at == PW_NEVER ? b.now : b.house.good_at;
            for (int i = 0; i < 600; i++) {
                second();
                int32_t most = (int32_t)pw_max(before, s == PW_HOUSE_GATE_WAITING ? 10000 : 0);
                bool late = b.now - from >= b.house.config.hold_ms;
                assert_true(!late || b.gate.offer_ma <= failsafes[f]);
                assert_true(first == 0 || b.gate.offer_ma <= first);
                assert_true(late || b.gate.offer_ma <= most);
                before = late ? before : b.gate.offer_ma;
            }
            bool goes_on = failsafes[f] >= 6 * AMPERE && s != PW_HOUSE_GATE_SPENT;
            assert_true(goes_on ? b.gate.offer_ma >= 6 * AMPERE : b.gate.offer_ma == 0);
        }
    }
}

// Reason: with failsafe 0 a meter that comes and goes would work the contactor each time: its
// pauses count as all others do.
static void a_meter_that_comes_and_goes_does_not_wear_the_contactor(void **state)
{
    (void)state;
    struct pw_house_config config = plain();
    int closings = 0;
    charging();
    config.failsafe_ma = 0;
    config.pauses_per_day = 5;
    configure(&config);
    for (int i = 0; i < 86000; i++) {
        bool was = b.closed;
        b.silent = i % 400 < 8;
        second();
        closings += b.closed && !was ? 1 : 0;
    }
    assert_in_range(closings, 0, 5);
    assert_int_equal(b.gate.state, PW_HOUSE_GATE_SPENT);
}

// ---------------------------------------------------------------------------------------------
// All of it.

struct path {
    struct pw_house_gate gate;
    pw_ms now;
    bool closed;
    pw_ms opened_at;
    uint32_t samples;
    uint64_t cases;
};

static const struct pw_house_config small = {.breaker_ma = 20000,
                                             .failsafe_ma = 6000,
                                             .hold_ms = 5000,
                                             .pause_after_ms = 30000,
                                             .min_off_ms = 60000,
                                             .resume_ms = 30000,
                                             .pauses_per_day = 2,
                                             .deadband_ma = 300};

static void check_turn(const struct path *before, const struct path *after,
                       const struct pw_house_gate_input *in)
{
    const struct pw_house_gate *gate = &after->gate;
    bool raised = gate->offer_ma > before->gate.offer_ma;
    assert_true(gate->offer_ma == 0 ||
                (gate->offer_ma >= in->least_ma && gate->offer_ma <= in->most_ma));
    assert_true(gate->offer_ma % PW_HOUSE_STEP_MA == 0);
    assert_true(gate->pauses <= small.pauses_per_day);
    // Nothing rises blindly, but from nothing to the fail-safe current.
    assert_true(!raised || in->trust == PW_HOUSE_GOOD ||
                (before->gate.offer_ma == 0 && gate->offer_ma <= small.failsafe_ma));
    // Nothing rises against the share, but to the least current.
    assert_true(!raised || gate->offer_ma <= pw_max(in->share_ma, in->least_ma));
    bool pauses = before->closed && gate->offer_ma == 0;
    assert_true(!pauses || gate->pauses == before->gate.pauses + 1);
    // A pause of ours is never shorter than it should be.
    bool resumes = in->wants && before->gate.state == PW_HOUSE_GATE_PAUSED && gate->offer_ma > 0;
    assert_true(!resumes || after->now - before->gate.since >= small.min_off_ms);
    assert_true(gate->why != NULL && gate->why[0] != '\0');
}

static const int32_t shares[] = {0, 5900, 7000, 16000};
static const struct {
    enum pw_house_trust trust;
    int32_t level;
} skies[] = {{PW_HOUSE_GOOD, 900}, {PW_HOUSE_GOOD, 1300}, {PW_HOUSE_SILENT, 0}};

static void walk(struct path *path, unsigned code, unsigned long *turns)
{
    static const pw_ms steps[] = {1000, 31000, 301000};
    struct path before = *path;
    unsigned sky = code % 3;
    const struct pw_house_gate_input in = {
        .trust = skies[sky].trust,
        .samples = ++path->samples,
        .level_permille = skies[sky].level,
        .share_ma = skies[sky].trust == PW_HOUSE_GOOD ? shares[code / 3 % 4] : small.failsafe_ma,
        .least_ma = 6000,
        .most_ma = 16000,
        .draw_ma = path->closed ? path->gate.offer_ma : 0,
        .wants = true,
        .active = path->closed,
    };
    path->now += steps[code / 12 % 3];
    (void)pw_house_gate_step(&path->gate, &small, &in, NULL, path->now);
    check_turn(&before, path, &in);
    path->closed = path->gate.offer_ma > 0;
    (*turns)++;
}

#define CODES 36 // inputs times steps of time
#define DEPTH 4

// Reason: pause and resume are where houses and cars fail; every order of inputs to a depth of
// four, from every state, is small enough to look at whole.
static void every_order_of_four_inputs_from_every_state(void **state)
{
    (void)state;
    unsigned long turns = 0;
    for (int s = 0; s < PW_HOUSE_GATE_ROWS; s++) {
        struct path path[DEPTH + 1];
        ways[s]();
        path[0] = (struct path){
            .gate = b.gate, .now = b.now, .closed = b.gate.offer_ma > 0, .samples = 1000};
        if (s == PW_HOUSE_GATE_SPENT) {
            path[0].gate.pauses = small.pauses_per_day;
        }
        // Like an odometer: only what follows the digit that changed is walked anew.
        for (unsigned order = 0; order < CODES * CODES * CODES * CODES; order++) {
            unsigned weight = CODES * CODES * CODES;
            for (int depth = 0; depth < DEPTH; depth++, weight /= CODES) {
                if (order % weight == 0) {
                    path[depth + 1] = path[depth];
                    walk(&path[depth + 1], order / weight % CODES, &turns);
                }
            }
        }
    }
    assert_true(turns > 13000000);
}

static uint64_t random_state;
static uint64_t last_seed;

// Whatever failed, failed with this one.
static int print_seed(void **state)
{
    (void)state;
    print_message("last seed %llu\n", (unsigned long long)last_seed);
    return 0;
}

static unsigned below(unsigned most)
{
    random_state ^= random_state << 13U;
    random_state ^= random_state >> 7U;
    random_state ^= random_state << 17U;
    return (unsigned)(random_state >> 33U) % most;
}

// Reason: what four inputs do not reach, a day of random ones may.
static void days_of_random_inputs_keep_every_promise(void **state)
{
    (void)state;
    unsigned long turns = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct path path = {.now = 1000};
        last_seed = seed;
        random_state = seed * 0x9E3779B97F4A7C15U;
        pw_house_gate_init(&path.gate, 0, path.now);
        for (int i = 0; i < 3000; i++) {
            unsigned code = below(8) == 0 ? below(CODES) : below(12);
            walk(&path, code, &turns);
            if (below(50) == 0) {
                path.closed = false; // the vehicle opens by itself
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cold_start_offers_the_failsafe_current_until_the_meter_is_believed),
        cmocka_unit_test(a_breaker_that_cannot_be_is_refused),
        cmocka_unit_test(a_current_without_direction_is_never_credited),
        cmocka_unit_test(a_phase_without_a_meter_leaves_the_failsafe_current),
        cmocka_unit_test(a_reading_that_lacks_a_phase_is_none),
        cmocka_unit_test(a_meter_that_stands_still_while_the_vehicle_changes_is_not_believed),
        cmocka_unit_test(a_meter_that_does_not_see_three_steps_is_not_believed),
        cmocka_unit_test(a_start_of_the_vehicle_is_not_taken_for_the_house),
        cmocka_unit_test(far_too_much_brings_the_offer_down_with_the_same_reading),
        cmocka_unit_test(raises_are_small_and_rare),
        cmocka_unit_test(nothing_is_raised_on_a_reading_that_was_used_already),
        cmocka_unit_test(a_vehicle_that_draws_less_is_raised_only_when_nobody_else_wants_it),
        cmocka_unit_test(a_small_overload_at_the_least_current_is_borne_for_a_while),
        cmocka_unit_test(the_resume_bug_of_the_seed),
        cmocka_unit_test(pauses_last_longer_each_time_and_shorter_again_after_calm),
        cmocka_unit_test(it_resumes_only_with_an_ampere_more_than_the_least_for_half_a_minute),
        cmocka_unit_test(after_the_budget_of_the_day_it_stays_paused_until_tomorrow),
        cmocka_unit_test(never_pause_holds_the_least_current),
        cmocka_unit_test(a_vehicle_that_comes_waits_for_room_that_lasts),
        cmocka_unit_test(the_meter_dies_in_every_state),
        cmocka_unit_test(a_meter_that_comes_and_goes_does_not_wear_the_contactor),
        cmocka_unit_test(every_order_of_four_inputs_from_every_state),
        cmocka_unit_test_teardown(days_of_random_inputs_keep_every_promise, print_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
