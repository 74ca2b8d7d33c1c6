// The meter: exact, monotone, and never inventing energy.
#include "meter/meter.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct pw_meter meter;
static const struct pw_meter_config defaults;

static void fresh(void)
{
    assert_int_equal(pw_meter_init(&meter, &defaults, 0), PW_OK);
}

static uint64_t xorshift(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static uint64_t seed_of_this_run(void)
{
    const char *given = getenv("PW_TEST_SEED");
    uint64_t seed = given == NULL ? 0x9E3779B97F4A7C15 : strtoull(given, NULL, 0);
    printf("PW_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

// 80 V and 30 A for ten hours, sampled every 200 ms: exactly 24 kWh, whatever the rounding of one
// step would have been.
static void a_million_small_steps_do_not_drift(void **state)
{
    (void)state;
    fresh();
    for (pw_ms t = 0; t <= 36000000; t += 200) {
        assert_int_equal(pw_meter_sample(&meter, 80000, 30000, t), PW_METER_GOOD);
    }
    assert_int_equal(meter.total.energy_mwh, 24000000);
    assert_int_equal(meter.total.rest, 0);
}

// A step of one milliampere at one millivolt above the range for a millisecond is not lost: it is
// in the remainder.
static void the_smallest_energy_is_kept(void **state)
{
    (void)state;
    fresh();
    uint64_t units = 0;
    for (pw_ms t = 0; t < 100; t++) {
        (void)pw_meter_sample(&meter, 56001, 51, t);
        units += t > 0 ? UINT64_C(2) * 56001 * 51 : 0;
    }
    assert_int_equal(meter.total.energy_mwh * PW_METER_UNITS_PER_MWH + meter.total.rest, units);
}

// Random charges against the exact sum in wide integers, with restarts in between: register and
// remainder carry over, nothing is lost or doubled.
static void random_charges_are_exact_over_restarts(void **state)
{
    (void)state;
    uint64_t seed = seed_of_this_run();
    for (int run = 0; run < 200; run++) {
        fresh();
        uint64_t units = 0;
        pw_ms now = 0;
        int64_t last = -1; // power of the last sample
        uint64_t before = 0;
        for (int i = 0; i < 500; i++) {
            pw_ms span = 1 + xorshift(&seed) % 3000;
            int32_t mv = 70000 + (int32_t)(xorshift(&seed) % 14000);
            int32_t ma = 50 + (int32_t)(xorshift(&seed) % 100000);
            now += span;
            if (xorshift(&seed) % 50 == 0) {
                struct pw_meter_register kept = meter.total;
                fresh();
                assert_int_equal(pw_meter_restore(&meter, kept, now), PW_OK);
                last = -1;
            }
            if (pw_meter_sample(&meter, mv, ma, now) != PW_METER_GOOD) {
                fail_msg("sample refused, run %d step %d", run, i);
            }
            int64_t power = (int64_t)mv * ma;
            units += last < 0 ? 0 : (uint64_t)(last + power) * span;
            last = power;
            assert_true(meter.total.energy_mwh >= before);
            before = meter.total.energy_mwh;
        }
        uint64_t counted = meter.total.energy_mwh * PW_METER_UNITS_PER_MWH + meter.total.rest;
        assert_int_equal(counted, units);
    }
}

// A silence is not filled with what might have been.
static void a_gap_adds_nothing(void **state)
{
    (void)state;
    fresh();
    (void)pw_meter_sample(&meter, 76000, 30000, 0);
    (void)pw_meter_sample(&meter, 76000, 30000, 3000); // the longest neighbour
    uint64_t before = meter.total.energy_mwh;
    assert_int_equal(before, 1900);
    (void)pw_meter_sample(&meter, 76000, 30000, 6001);
    assert_int_equal(meter.total.energy_mwh, before);
    assert_int_equal(meter.gaps, 1);
    (void)pw_meter_sample(&meter, 76000, 30000, 7001);
    assert_true(meter.total.energy_mwh > before);
}

static void nonsense_is_refused_and_counts_for_nothing(void **state)
{
    (void)state;
    static const struct {
        int32_t mv;
        int32_t ma;
        enum pw_meter_quality quality;
    } rows[] = {
        {55999, 1000, PW_METER_RANGE},
        {56000, 1000, PW_METER_GOOD},
        {85500, 1000, PW_METER_GOOD},
        {85501, 1000, PW_METER_RANGE},
        {76000, 300000, PW_METER_GOOD},
        {76000, 300001, PW_METER_RANGE},
        {76000, -50, PW_METER_NEGATIVE},
        {76000, -49, PW_METER_GOOD},
        {-1, 0, PW_METER_NEGATIVE},
        {INT32_MAX, INT32_MAX, PW_METER_RANGE},
        {INT32_MIN, INT32_MIN, PW_METER_NEGATIVE},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        fresh();
        assert_int_equal(pw_meter_sample(&meter, rows[i].mv, rows[i].ma, 10), rows[i].quality);
        // Around something that made no sense nothing is counted either.
        (void)pw_meter_sample(&meter, 76000, 30000, 1010);
        if (rows[i].quality != PW_METER_GOOD) {
            assert_int_equal(meter.total.energy_mwh + meter.total.rest, 0);
            assert_int_equal(meter.refused, 1);
        }
    }
}

// What a sensor shows without a current must not become energy in the course of a year.
static void the_noise_of_an_idle_sensor_is_no_energy(void **state)
{
    (void)state;
    fresh();
    for (pw_ms t = 0; t < 1000000; t += 1000) {
        (void)pw_meter_sample(&meter, 76000, (t / 1000) % 3 == 0 ? -40 : 49, t);
    }
    assert_int_equal(meter.total.energy_mwh + meter.total.rest, 0);
    assert_int_equal(meter.refused, 0);
}

// A lone spike is dropped as if it had not been; a step that stays is counted from when it began.
static void a_jump_needs_a_second_sample(void **state)
{
    (void)state;
    fresh();
    (void)pw_meter_sample(&meter, 60000, 30000, 0);
    assert_int_equal(pw_meter_sample(&meter, 80000, 30000, 1000), PW_METER_JUMP);
    assert_int_equal(pw_meter_sample(&meter, 60000, 30000, 2000), PW_METER_GOOD);
    assert_int_equal(meter.total.energy_mwh, 1000); // 1.8 kW for 2 s
    assert_int_equal(pw_meter_sample(&meter, 80000, 30000, 3000), PW_METER_JUMP);
    assert_int_equal(pw_meter_sample(&meter, 80000, 30000, 4000), PW_METER_GOOD);
    // The step's trapezoid is 2.1 kW, then 2.4 kW.
    uint64_t units = (UINT64_C(1800) * 2 * 2 + (1800 + 2400) + 2 * 2400) * 1000000 * 1000;
    assert_int_equal(meter.total.energy_mwh * PW_METER_UNITS_PER_MWH + meter.total.rest, units);
}

static void time_that_stands_still_counts_nothing(void **state)
{
    (void)state;
    fresh();
    (void)pw_meter_sample(&meter, 76000, 30000, 1000);
    assert_int_equal(pw_meter_sample(&meter, 76000, 30000, 1000), PW_METER_STALE);
    assert_int_equal(pw_meter_sample(&meter, 76000, 30000, 500), PW_METER_STALE);
    (void)pw_meter_sample(&meter, 76000, 30000, 2000);
    assert_int_equal(meter.total.energy_mwh, 633); // one second, once
}

static void the_register_is_saved_each_minute_and_each_100_wh(void **state)
{
    (void)state;
    fresh();
    assert_int_equal(pw_meter_deadline(&meter), PW_NEVER);
    pw_ms saved = 0;
    uint64_t saved_mwh = 0;
    for (pw_ms t = 0; t < 3600000; t += 1000) {
        // Slow for half an hour (the minute decides), then 24 kW (the 100 Wh decide).
        (void)pw_meter_sample(&meter, 80000, t < 1800000 ? 1000 : 300000, t);
        assert_true(meter.total.energy_mwh == saved_mwh || t - saved <= 60000);
        assert_true(meter.total.energy_mwh - saved_mwh <= 100000 + 7000);
        if (pw_meter_checkpoint_due(&meter, t)) {
            pw_meter_checkpointed(&meter, t);
            saved = t;
            saved_mwh = meter.total.energy_mwh;
        }
    }
    assert_true(saved_mwh > 11900000);
}

static void a_register_never_goes_back(void **state)
{
    (void)state;
    fresh();
    struct pw_meter_register kept = {.energy_mwh = 5000, .rest = 7};
    assert_int_equal(pw_meter_restore(&meter, kept, 0), PW_OK);
    kept.energy_mwh = 4999;
    assert_int_equal(pw_meter_restore(&meter, kept, 0), PW_ERR_BUSY);
    kept.energy_mwh = 6000;
    kept.rest = PW_METER_UNITS_PER_MWH;
    assert_int_equal(pw_meter_restore(&meter, kept, 0), PW_ERR_RANGE);
    assert_int_equal(meter.total.energy_mwh, 5000);
    struct pw_meter_config bad = {.min_mv = 90000};
    assert_int_equal(pw_meter_configure(&meter, &bad), PW_ERR_RANGE);
    assert_int_equal(meter.config.min_mv, 56000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_small_steps_do_not_drift),
        cmocka_unit_test(the_smallest_energy_is_kept),
        cmocka_unit_test(random_charges_are_exact_over_restarts),
        cmocka_unit_test(a_gap_adds_nothing),
        cmocka_unit_test(nonsense_is_refused_and_counts_for_nothing),
        cmocka_unit_test(the_noise_of_an_idle_sensor_is_no_energy),
        cmocka_unit_test(a_jump_needs_a_second_sample),
        cmocka_unit_test(time_that_stands_still_counts_nothing),
        cmocka_unit_test(the_register_is_saved_each_minute_and_each_100_wh),
        cmocka_unit_test(a_register_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
