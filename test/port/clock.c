// Programs of one demonstration must agree on the time, whatever its speed.
#include "clock.h"

#include "test.h"

static void no_setting_is_real_time(void **state)
{
    (void)state;
    struct pw_clock clock;
    assert_int_equal(pw_clock_init(&clock, NULL), PW_OK);
    assert_int_equal(clock.speed_permille, 1000);
    assert_int_equal(pw_clock_init(&clock, ""), PW_OK);
    assert_int_equal(pw_clock_real(&clock, 1500), 1500);
    assert_in_range(pw_clock_now(&clock), 0, 60000);
}

static void each_bad_setting_is_refused_and_leaves_real_time(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        int err;
    } rows[] = {
        {"1", PW_ERR_PEER},          {"1:2", PW_ERR_PEER},     {"1:2:", PW_ERR_PEER},
        {":2:3", PW_ERR_PEER},       {"1:x:3", PW_ERR_PEER},   {"1:2:3:4", PW_ERR_PEER},
        {"1:2:3x", PW_ERR_PEER},     {" 1:2:3", PW_ERR_PEER},  {"1:2:0", PW_ERR_RANGE},
        {"1:2:0.099", PW_ERR_RANGE}, {"1:2:-3", PW_ERR_RANGE}, {"1:2:1000.001", PW_ERR_RANGE},
        {"-1:2:3", PW_ERR_RANGE},    {"1:2:3e2", PW_ERR_PEER},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_clock clock;
        int err = pw_clock_init(&clock, rows[i].setting);
        if (err != rows[i].err) {
            fail_msg("%s: %s", rows[i].setting, pw_err_name(err));
        }
        assert_int_equal(clock.speed_permille, 1000);
        assert_int_equal(clock.virtual0_ms, 0);
    }
}

static void speeds_from_a_tenth_to_a_thousand_are_taken(void **state)
{
    (void)state;
    struct pw_clock clock;
    assert_int_equal(pw_clock_init(&clock, "1700000000000:1800000000000:0.1"), PW_OK);
    assert_int_equal(pw_clock_real(&clock, 1000), 10000);
    assert_int_equal(pw_clock_init(&clock, "1700000000000:1800000000000:1000"), PW_OK);
    assert_int_equal(pw_clock_real(&clock, 1), 1); // rounded up: never early
    assert_int_equal(pw_clock_real(&clock, 1001), 2);
    assert_int_equal(pw_clock_real(&clock, PW_NEVER), PW_NEVER);
    assert_int_equal(pw_clock_real(&clock, PW_NEVER - 1), PW_NEVER);
    assert_int_equal(pw_clock_init(&clock, "1700000000000:1800000000000:2.5"), PW_OK);
    assert_int_equal(clock.speed_permille, 2500);
}

static void wall_and_monotonic_run_at_the_same_pace(void **state)
{
    (void)state;
    struct pw_clock clock;
    assert_int_equal(pw_clock_init(&clock, "1700000000000:1700000000000:1000"), PW_OK);
    pw_ms mono0 = pw_clock_now(&clock);
    pw_unix_ms wall0 = pw_clock_wall(&clock);
    pw_ms mono1 = mono0;
    while (mono1 < mono0 + 20000) { // 20 ms of real time
        mono1 = pw_clock_now(&clock);
    }
    int64_t walked = pw_clock_wall(&clock) - wall0;
    int64_t ran = (int64_t)(pw_clock_now(&clock) - mono0);
    assert_in_range(walked, 19000, (uint64_t)ran + 60000);
}

// The shared clock may also start the demonstration on another day.
static void the_shared_clock_starts_where_it_is_told(void **state)
{
    (void)state;
    struct pw_clock probe;
    assert_int_equal(pw_clock_init(&probe, NULL), PW_OK);
    char setting[80];
    struct pw_out out = PW_OUT(setting);
    pw_put_int(&out, pw_clock_wall(&probe));
    pw_put_s(&out, ":1900000000000:1");
    struct pw_clock clock;
    assert_int_equal(pw_clock_init(&clock, setting), PW_OK);
    assert_in_range(pw_clock_wall(&clock), 1900000000000, 1900000060000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_setting_is_real_time),
        cmocka_unit_test(each_bad_setting_is_refused_and_leaves_real_time),
        cmocka_unit_test(speeds_from_a_tenth_to_a_thousand_are_taken),
        cmocka_unit_test(wall_and_monotonic_run_at_the_same_pace),
        cmocka_unit_test(the_shared_clock_starts_where_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
