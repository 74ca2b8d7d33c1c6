// Random orders of events against core/evse, in virtual time, each from a charging, waiting or idle
// outlet, some through a restart. The bench's observer, who sees the physical side only, judges
// every turn (I1-I7); afterwards everything is healed, and the outlet must charge again.
// With arguments it is the campaign, evse_orders_test ORDERS SEED; one order alone is repeated with
// evse_orders_test 1 ITS_SEED ITS_NUMBER. EVSE_ORDERS: so many without arguments.
#include "evse_bench.h"
#include "test.h"

#include <stdlib.h>

static unsigned long orders = 20000;
static unsigned long first = 0;
static uint64_t seed = 1;

enum { STARTS = 6, EVENTS_MAX = 14 };
static struct evse_bench starts[STARTS];
static struct evse_bench b;

static void prepare(unsigned i)
{
    static const struct pw_evse_config configs[] = {
        {.max_ma = 32000, .socket = true, .min_off_ms = 2000, .closes_an_hour = 4},
        {.max_ma = 16000,
         .ventilation = PW_EVSE_VENTILATION_RELAY,
         .wake = PW_EVSE_WAKE_FAULT,
         .wake_ms = 5000,
         .min_off_ms = 1000,
         .step_ppm = 1000,
         .stable_ms = 500},
    };
    evse_bench_begin(&b, &configs[i % 2], 1000000);
    evse_bench_run(&b, 1000);
    b.permit = i / 2 > 0;
    if (i / 2 > 0) {
        b.world.car = PW_PILOT_B;
        evse_bench_run(&b, 4500);
    }
    if (i / 2 > 1) {
        b.world.car = PW_PILOT_C;
        evse_bench_run(&b, 1000);
        assert_int_equal(b.evse.state, PW_EVSE_CHARGING);
    }
    assert_null(b.broken);
    starts[i] = b;
}

static uint32_t draw(uint32_t below)
{
    return evse_bench_random(&seed) % below;
}

static void wait(void)
{
    static const pw_ms spans[] = {5, 5, 10, 20, 50, 100, 250, 500, 1000};
    uint32_t which = draw(24);
    if (which == 23) {
        evse_bench_sleep(&b, 1000 + 100 * (pw_ms)draw(60));
    } else {
        evse_bench_run(&b, spans[which % PW_COUNT(spans)]);
    }
}

static void limit(void)
{
    static const int32_t limits[] = {0, 5900, 6000, 8000, 13000, 16000, 32000, INT32_MAX};
    b.limit_ma = limits[draw(PW_COUNT(limits))];
}

static void break_something(void)
{
    struct evse_world *w = &b.world;
    switch (draw(16)) {
    case 0: w->leak = !w->leak; break;
    case 1: w->earth_lost = !w->earth_lost; break;
    case 2: w->estop = !w->estop; break;
    case 3: w->welded = true; break;
    case 4: w->never_closes = !w->never_closes; break;
    case 5: w->lock_stuck = !w->lock_stuck; break;
    case 6: w->rcd_broken = !w->rcd_broken; break;
    case 7: w->draw_ma = w->draw_ma > 5000 ? 5000 : 60000; break;
    case 8: w->mains_mv = w->mains_mv == 230000 ? 270000 : 230000; break;
    case 9: w->temp_dc = 250 + (int32_t)draw(600); break;
    case 10: w->pilot_stuck = !w->pilot_stuck; break;
    case 11: w->noise_mv = (int32_t)draw(1400); break;
    case 12: w->follows = !w->follows; break;
    case 13: w->temp_dc = 3000; break;
    default: w->mains_mv = 230000; break;
    }
}

// A vehicle moves: one step of the plug or of S2, or straight out.
static void move_car(void)
{
    static const enum pw_pilot_level cars[] = {PW_PILOT_A, PW_PILOT_B, PW_PILOT_C, PW_PILOT_C,
                                               PW_PILOT_B, PW_PILOT_D, PW_PILOT_E};
    enum pw_pilot_level to = cars[draw(PW_COUNT(cars))];
    if (b.world.car == PW_PILOT_A) {
        static const int32_t ohms[] = {1500, 680, 220, 220, 100, 10};
        b.world.pp_ohm = ohms[draw(PW_COUNT(ohms))];
        b.world.diode = draw(8) != 0;
    }
    // The plug is in or out for 300 ms at least; a hand is no faster.
    if ((b.world.car == PW_PILOT_A) != (to == PW_PILOT_A)) {
        evse_bench_run(&b, 300);
        b.world.car = to;
        evse_bench_run(&b, 300);
    }
    b.world.car = to;
}

static void event(void)
{
    switch (draw(12)) {
    case 0:
    case 1:
    case 2:
    case 3: move_car(); break;
    case 4:
    case 5: b.permit = !b.permit; break;
    case 6:
    case 7: limit(); break;
    case 8:
    case 9: break_something(); break;
    case 10:
        if (draw(4) == 0) {
            evse_bench_clear(&b, (enum pw_evse_fault)draw(PW_EVSE_FAULT_ROWS));
        }
        break;
    default:
        if (draw(20) == 0) {
            evse_bench_reboot(&b);
        } else if (draw(20) == 0) {
            b.world.silent = true;
            evse_bench_run(&b, 190); // shorter than what the machine must notice
            b.world.silent = false;
        }
        break;
    }
}

static void heal(void)
{
    uint64_t kept = b.world.seed;
    b.world.leak = b.world.earth_lost = b.world.estop = b.world.welded = false;
    b.world.never_closes = b.world.lock_stuck = b.world.rcd_broken = b.world.silent = false;
    b.world.pilot_stuck = b.world.follows = false;
    b.world.noise_mv = 0;
    b.world.draw_ma = 5000;
    b.world.mains_mv = 230000;
    b.world.temp_dc = 250;
    b.world.seed = kept;
    b.world.pp_ohm = 220;
    b.world.car = PW_PILOT_A;
    b.permit = false;
    b.limit_ma = 16000;
    evse_bench_sleep(&b, 20000);
    for (unsigned i = 0; i < PW_EVSE_FAULT_ROWS; i++) {
        evse_bench_clear(&b, (enum pw_evse_fault)i);
    }
    evse_bench_sleep(&b, 15000);
    b.world.diode = true;
    b.world.car = PW_PILOT_B;
    b.permit = true;
    evse_bench_run(&b, 8000);
    b.world.car = PW_PILOT_C;
    evse_bench_run(&b, 1500);
}

static const char *one(unsigned long n)
{
    b = starts[n % STARTS];
    b.world.seed = seed | 1U;
    unsigned events = 2 + draw(EVENTS_MAX - 2);
    for (unsigned i = 0; i < events && b.broken == NULL; i++) {
        event();
        wait();
    }
    if (b.broken != NULL || n % 16 != 0) {
        return b.broken;
    }
    // Closings an hour may be used up; then it waits, which is right as well.
    heal();
    if (b.broken == NULL && b.evse.state != PW_EVSE_CHARGING &&
        b.evse.pause != PW_EVSE_PAUSE_CLOSES) {
        return "healed, and does not charge";
    }
    return b.broken;
}

static void no_order_of_events_breaks_a_rule(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STARTS; i++) {
        prepare(i);
    }
    uint64_t began = seed;
    unsigned long closed = 0;
    pw_ms lived = 0;
    for (unsigned long n = first; n < first + orders; n++) {
        uint64_t mine = seed;
        unsigned before = starts[n % STARTS].observer.closed_turns;
        const char *broken = one(n);
        if (broken != NULL) {
            fail_msg("order %lu (seed %llu, its own %llu) at %llu ms in %s (%s), faults %x: %s", n,
                     (unsigned long long)began, (unsigned long long)mine, (unsigned long long)b.now,
                     pw_evse_state_name(b.evse.state), b.evse.why, b.evse.faults, broken);
        }
        closed += b.observer.closed_turns - before;
        lived += b.now - starts[n % STARTS].now;
    }
    print_message(
        "%lu orders, seed %llu: %llu h of virtual time, %lu turns closed, no rule broken\n", orders,
        (unsigned long long)began, (unsigned long long)(lived / 3600000), closed);
}

int main(int argc, char **argv)
{
    const char *text = getenv("EVSE_ORDERS");
    orders = text != NULL ? strtoul(text, NULL, 10) : orders;
    if (argc > 2) {
        orders = strtoul(argv[1], NULL, 10);
        seed = strtoull(argv[2], NULL, 10);
        seed = seed == 0 ? 1 : seed;
        first = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_order_of_events_breaks_a_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
