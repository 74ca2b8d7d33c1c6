// core/pilot: duty and current both ways, cables, levels, debounce and diode; and noise. With
// arguments it is the campaign: pilot_test SAMPLES SEED.
#include "pilot/pilot.h"
#include "test.h"

#include <stdlib.h>

static unsigned long samples = 100000000;
static uint64_t seed = 1;

static uint32_t draw(void)
{
    // xorshift64*
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32);
}

// ---------------------------------------------------------------------------------------------
// Duty

static void the_duties_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        int32_t ma;
        int32_t ppm;
    } rows[] = {{-1, 0},         {0, 0},          {5999, 0},          {6000, 100000},
                {16000, 266666}, {32000, 533333}, {51000, 850000},    {51001, 850000},
                {52499, 850000}, {52500, 850000}, {52504, 850016},    {63000, 892000},
                {80000, 960000}, {80001, 960000}, {INT32_MAX, 960000}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(pw_pilot_duty_ppm(rows[i].ma, 1), rows[i].ppm);
    }
}

static void what_a_vehicle_reads(void **state)
{
    (void)state;
    static const struct {
        int32_t ppm;
        int32_t ma;
    } rows[] = {{INT32_MIN, 0},  {0, 0},          {29999, 0},      {50000, 0},      {79999, 0},
                {80000, 6000},   {99999, 6000},   {100000, 6000},  {266666, 15999}, {850000, 51000},
                {850016, 52504}, {900000, 65000}, {960000, 80000}, {970000, 80000}, {970001, 0},
                {1000000, 0},    {INT32_MAX, 0}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(pw_pilot_offer_ma(rows[i].ppm), rows[i].ma);
    }
}

// Reason: a limit is a limit: rounding must never offer more, and never less than 6 A.
static void no_step_offers_more_than_the_limit(void **state)
{
    (void)state;
    static const int32_t steps[] = {1, 20, 250, 977, 1000, 3922, 7000, 10000};
    for (size_t k = 0; k < PW_COUNT(steps); k++) {
        int32_t last = 0;
        for (int32_t ma = 0; ma <= 81000; ma++) {
            int32_t ppm = pw_pilot_duty_ppm(ma, steps[k]);
            int32_t offer = pw_pilot_offer_ma(ppm);
            assert_true(ppm % steps[k] == 0 && ppm >= last);
            assert_true(offer <= ma && (offer == 0) == (ma < 6000));
            assert_true(offer == 0 || offer >= 6000);
            // The finest step below: the next one would offer more, or lie beyond gap and end.
            bool edge = (ma > 51000 && ma < 52600) || ma > 79000;
            assert_true(offer == 0 || edge || pw_pilot_offer_ma(ppm + steps[k]) >= ma);
            last = ppm;
        }
    }
    assert_int_equal(pw_pilot_duty_ppm(16000, 0), 266666);
    assert_int_equal(pw_pilot_duty_ppm(16000, -5), 266666);
    assert_int_equal(pw_pilot_duty_ppm(16000, 10001), 266666);
}

static void cables(void **state)
{
    (void)state;
    static const struct {
        int32_t ohm;
        int32_t ma;
    } rows[] = {{INT32_MIN, 0}, {0, 0},       {74, 0},       {75, 63000},   {100, 63000},
                {149, 63000},   {150, 32000}, {220, 32000},  {329, 32000},  {330, 20000},
                {680, 20000},   {999, 20000}, {1000, 13000}, {1500, 13000}, {2200, 13000},
                {2201, 0},      {4500, 0},    {INT32_MAX, 0}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(pw_pilot_cable_ma(rows[i].ohm), rows[i].ma);
    }
}

static void every_voltage_has_one_level(void **state)
{
    (void)state;
    enum pw_pilot_level last = PW_PILOT_F;
    for (int32_t mv = -15000; mv <= 15000; mv++) {
        enum pw_pilot_level level = pw_pilot_level_of(mv);
        assert_true(level <= last && level != PW_PILOT_NONE);
        last = level;
    }
    static const int32_t nominal[] = {12000, 9000, 6000, 3000, 0, -12000};
    for (unsigned i = 0; i < PW_COUNT(nominal); i++) {
        // The bands of the standard: 1 V either way.
        assert_int_equal(pw_pilot_level_of(nominal[i] - 1000), PW_PILOT_A + i);
        assert_int_equal(pw_pilot_level_of(nominal[i] + 1000), PW_PILOT_A + i);
    }
    assert_string_equal(pw_pilot_level_name(PW_PILOT_C), "C");
    assert_string_equal(pw_pilot_level_name((enum pw_pilot_level)99), "-");
}

// ---------------------------------------------------------------------------------------------
// Debounce

static struct pw_pilot pilot;
static pw_ms at;

static bool read_mv(int32_t high_mv, int32_t low_mv, pw_ms gap)
{
    at += gap;
    const struct pw_pilot_reading reading = {
        .at = at, .high_mv = high_mv, .low_mv = low_mv, .pwm = low_mv != INT32_MIN};
    return pw_pilot_read(&pilot, &reading);
}

static int32_t nominal_mv(enum pw_pilot_level level)
{
#define MV(name, text, mv) mv,
    static const int32_t mvs[] = {PW_PILOT_LEVELS(MV)};
#undef MV
    return mvs[level];
}

static void settle(enum pw_pilot_level level)
{
    pw_pilot_init(&pilot);
    at = 1000;
    for (unsigned i = 0; i < 100; i++) {
        (void)read_mv(nominal_mv(level), INT32_MIN, 5);
    }
    assert_int_equal(pilot.level, level);
}

// Reason: into the safe direction at once, into the other with patience; every pair of levels.
static void each_change_takes_its_time(void **state)
{
    (void)state;
    for (unsigned from = PW_PILOT_A; from < PW_PILOT_LEVEL_ROWS; from++) {
        for (unsigned to = PW_PILOT_A; to < PW_PILOT_LEVEL_ROWS; to++) {
            if (from == to) {
                continue;
            }
            settle((enum pw_pilot_level)from);
            pw_ms edge = at;
            while (!read_mv(nominal_mv((enum pw_pilot_level)to), INT32_MIN, 5) && at < 10000) {
            }
            bool ready = from == PW_PILOT_C || from == PW_PILOT_D;
            bool safe = to == PW_PILOT_A || to == PW_PILOT_E || to == PW_PILOT_F ||
                        (ready && to == PW_PILOT_B);
            assert_int_equal(pilot.level, to);
            assert_int_equal(at - edge, safe ? 25 : 205); // the edge lies in the first gap
        }
    }
}

// Reason: one spike in C's band must not begin anything, one out of it must not end anything.
static void a_spike_changes_nothing(void **state)
{
    (void)state;
    settle(PW_PILOT_B);
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(read_mv(i % 30 == 0 ? 9000 : 6000, INT32_MIN, 5)); // 145 ms of C at most
    }
    settle(PW_PILOT_C);
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(read_mv(i % 5 == 0 ? 9000 : 6000, INT32_MIN, 5));
    }
}

static void readings_far_apart_do_not_add_up(void **state)
{
    (void)state;
    settle(PW_PILOT_B);
    for (unsigned i = 0; i < 10; i++) {
        assert_false(read_mv(6000, INT32_MIN, 300));
    }
    // Old, repeated and missing readings tell nothing.
    assert_false(read_mv(6000, INT32_MIN, 0));
    assert_false(read_mv(INT32_MIN, INT32_MIN, 5));
    struct pw_pilot_reading never = {.at = PW_NEVER, .high_mv = 6000, .low_mv = INT32_MIN};
    assert_false(pw_pilot_read(&pilot, &never));
}

static void a_diode_is_seen_while_the_pilot_swings(void **state)
{
    (void)state;
    settle(PW_PILOT_B);
    assert_false(pilot.diode || pilot.no_diode);
    for (unsigned i = 0; i < 7; i++) {
        assert_false(pilot.diode);
        (void)read_mv(9000, -12000, 5);
    }
    assert_true(pilot.diode && !pilot.no_diode);
    (void)read_mv(9000, -9000, 5); // one bad sample
    assert_true(pilot.diode);
    for (unsigned i = 0; i < 6; i++) {
        (void)read_mv(9000, -9000, 5);
    }
    assert_true(!pilot.diode && pilot.no_diode);
    for (unsigned i = 0; i < 7; i++) {
        (void)read_mv(9000, -12000, 5);
    }
    for (unsigned i = 0; i < 20; i++) {
        (void)read_mv(9000, INT32_MIN, 5);
    }
    assert_true(pilot.diode); // steady: as last seen
    for (unsigned i = 0; i < 20; i++) {
        (void)read_mv(12000, INT32_MIN, 5);
    }
    assert_false(pilot.diode);
}

// ---------------------------------------------------------------------------------------------
// Noise

// A pilot at 9 V with noise like that of long cables and bad supplies: every reading off by up to
// 1.2 V, one of fifty anywhere at all, and bursts of up to 100 ms that look exactly like C.
static int32_t noisy_b(unsigned *burst)
{
    uint32_t r = draw();
    if (*burst > 0) {
        (*burst)--;
        return 5000 + (int32_t)(r % 2000);
    }
    if (r % 50 == 0) {
        return (int32_t)(draw() % 26000) - 13000;
    }
    if (r % 5000 == 1) {
        *burst = 1 + draw() % 20;
    }
    return 9000 + (int32_t)((r >> 8) % 2400) - 1200;
}

// Reason: F27: a contactor that closes on noise closes on somebody's hand.
static void noise_makes_no_state_c(void **state)
{
    (void)state;
    uint64_t began = seed;
    unsigned burst = 0;
    unsigned other = 0;
    settle(PW_PILOT_B);
    for (unsigned long i = 0; i < samples; i++) {
        if (!read_mv(noisy_b(&burst), INT32_MIN, 5)) {
            continue;
        }
        if (pilot.level == PW_PILOT_C || pilot.level == PW_PILOT_D) {
            fail_msg("false %s at sample %lu of seed %llu", pw_pilot_level_name(pilot.level), i,
                     (unsigned long long)began);
        }
        other++;
    }
    print_message("%lu noisy samples, seed %llu: no false C; %u changes to other levels\n", samples,
                  (unsigned long long)began, other);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        samples = strtoul(argv[1], NULL, 10);
        seed = strtoull(argv[2], NULL, 10) | 1U;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_duties_of_the_standard),
        cmocka_unit_test(what_a_vehicle_reads),
        cmocka_unit_test(no_step_offers_more_than_the_limit),
        cmocka_unit_test(cables),
        cmocka_unit_test(every_voltage_has_one_level),
        cmocka_unit_test(each_change_takes_its_time),
        cmocka_unit_test(a_spike_changes_nothing),
        cmocka_unit_test(readings_far_apart_do_not_add_up),
        cmocka_unit_test(a_diode_is_seen_while_the_pilot_swings),
        cmocka_unit_test(noise_makes_no_state_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
