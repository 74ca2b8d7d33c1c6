// Random numbers of the world: the generator is the published one, so that a seed in a failure
// report means the same everywhere and for ever.
#include "noise/noise.h"

#include "test.h"

#include <math.h>

// First outputs of SplitMix64 for state 1234567, as its authors' reference code prints them.
static void gives_the_published_sequence(void **state)
{
    (void)state;
    static const uint64_t published[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
    struct pw_noise noise = {.state = 1234567};
    for (size_t i = 0; i < PW_COUNT(published); i++) {
        assert_true(pw_noise_bits(&noise) == published[i]);
    }
}

static void devices_of_one_seed_draw_different_numbers(void **state)
{
    (void)state;
    uint64_t first[16];
    for (uint32_t stream = 0; stream < 16; stream++) {
        struct pw_noise noise;
        pw_noise_init(&noise, 7, stream);
        first[stream] = pw_noise_bits(&noise);
        for (uint32_t other = 0; other < stream; other++) {
            assert_true(first[other] != first[stream]);
        }
    }
}

static void is_spread_as_it_says(void **state)
{
    (void)state;
    struct pw_noise noise;
    pw_noise_init(&noise, 1, 1);
    const int count = 200000;
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < count; i++) {
        double even = pw_noise_even(&noise);
        double bell = pw_noise_bell(&noise);
        assert_true(even >= -1.0 && even < 1.0);
        assert_true(fabs(bell) <= 3.0);
        sum += bell;
        squares += bell * bell;
    }
    assert_true(fabs(sum / count) < 0.01);
    assert_true(fabs(squares / count - 1.0) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_sequence),
        cmocka_unit_test(devices_of_one_seed_draw_different_numbers),
        cmocka_unit_test(is_spread_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
