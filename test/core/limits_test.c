// The limit stack: who lowers the current, since when, until when.
#include "limits/limits.h"
#include "test.h"

static struct pw_limits limits;

static void set(enum pw_limit_source source, int32_t ma, pw_ms expires, pw_ms now)
{
    assert_int_equal(pw_limits_set(&limits, source, ma, "test", expires, now), PW_OK);
}

// Whatever is set in whatever order, the effective limit is the least of the rows that stand, and
// never above the hardware's.
static void the_least_of_all_counts(void **state)
{
    (void)state;
    static const int32_t values[] = {-1, 0, 16000, 32000, 500000};
    for (unsigned n = 0; n < 5 * 5 * 5 * 5; n++) {
        pw_limits_init(&limits, 100000, 10);
        int32_t least = 100000;
        unsigned digits = n;
        static const enum pw_limit_source sources[] = {PW_LIMIT_SETTINGS, PW_LIMIT_VEHICLE,
                                                       PW_LIMIT_OCPP, PW_LIMIT_LOAD};
        for (size_t i = 0; i < PW_COUNT(sources); i++, digits /= 5) {
            int32_t ma = values[digits % 5];
            if (ma >= 0) {
                set(sources[i], ma, PW_NEVER, 20);
                least = ma < least ? ma : least;
            }
        }
        assert_int_equal(limits.effective_ma, least);
        assert_int_equal(limits.row[limits.who].ma, least);
        assert_int_equal(pw_limits_without(&limits, 0), least);
    }
}

static void nothing_raises_the_hardware_ceiling(void **state)
{
    (void)state;
    pw_limits_init(&limits, 32000, 0);
    assert_int_equal(pw_limits_set(&limits, PW_LIMIT_HARDWARE, 32001, NULL, PW_NEVER, 1),
                     PW_ERR_RANGE);
    assert_int_equal(pw_limits_set(&limits, PW_LIMIT_HARDWARE, 16000, NULL, 500, 1), PW_ERR_RANGE);
    pw_limits_clear(&limits, PW_LIMIT_HARDWARE, 1);
    set(PW_LIMIT_OCPP, 63000, PW_NEVER, 1);
    assert_int_equal(limits.effective_ma, 32000);
    assert_int_equal(limits.who, PW_LIMIT_HARDWARE);
    set(PW_LIMIT_HARDWARE, 16000, PW_NEVER, 2); // lower is allowed
    assert_int_equal(limits.effective_ma, 16000);
}

// A lease that is not renewed ends by itself, to the millisecond.
static void a_limit_ends_when_it_expires(void **state)
{
    (void)state;
    pw_limits_init(&limits, 100000, 0);
    set(PW_LIMIT_LOAD, 6000, 5000, 1000);
    set(PW_LIMIT_OCPP, 16000, 9000, 1000);
    assert_int_equal(pw_limits_step(&limits, 1000), 5000);
    assert_int_equal(pw_limits_step(&limits, 4999), 5000);
    assert_int_equal(limits.effective_ma, 6000);
    assert_int_equal(pw_limits_step(&limits, 5000), 9000);
    assert_int_equal(limits.effective_ma, 16000);
    assert_int_equal(limits.who, PW_LIMIT_OCPP);
    assert_int_equal(limits.since, 5000);
    assert_int_equal(pw_limits_step(&limits, 9000), PW_NEVER);
    assert_int_equal(limits.who, PW_LIMIT_HARDWARE);
}

static void renewing_keeps_since(void **state)
{
    (void)state;
    pw_limits_init(&limits, 100000, 0);
    set(PW_LIMIT_OCPP, 16000, 5000, 1000);
    set(PW_LIMIT_OCPP, 16000, 9000, 4000);
    assert_int_equal(limits.since, 1000);
    assert_int_equal(limits.row[PW_LIMIT_OCPP].since, 1000);
    assert_int_equal(pw_limits_step(&limits, 6000), 9000);
    assert_int_equal(limits.effective_ma, 16000);
}

static void a_bad_limit_changes_nothing(void **state)
{
    (void)state;
    pw_limits_init(&limits, 100000, 0);
    set(PW_LIMIT_OCPP, 16000, PW_NEVER, 1000);
    struct pw_limits before = limits;
    assert_int_equal(pw_limits_set(&limits, PW_LIMIT_OCPP, -1, NULL, PW_NEVER, 2000), PW_ERR_RANGE);
    assert_int_equal(pw_limits_set(&limits, PW_LIMIT_OCPP, 1, NULL, 2000, 2000), PW_ERR_RANGE);
    assert_memory_equal(&before, &limits, sizeof(before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_of_all_counts),
        cmocka_unit_test(nothing_raises_the_hardware_ceiling),
        cmocka_unit_test(a_limit_ends_when_it_expires),
        cmocka_unit_test(renewing_keeps_since),
        cmocka_unit_test(a_bad_limit_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
