#include "noise/noise.h"

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

void pw_noise_init(struct pw_noise *noise, uint64_t seed, uint32_t stream)
{
    noise->state = seed;
    noise->state = pw_noise_bits(noise) ^ (GOLDEN * stream);
}

uint64_t pw_noise_bits(struct pw_noise *noise)
{
    noise->state += GOLDEN;
    uint64_t z = noise->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double pw_noise_even(struct pw_noise *noise)
{
    // 53 bits fill a double's fraction exactly.
    return (double)(pw_noise_bits(noise) >> 11) * 0x1p-52 - 1.0;
}

double pw_noise_bell(struct pw_noise *noise)
{
    // The variance of one even number is 1/3, so three of them add up to exactly 1.
    return pw_noise_even(noise) + pw_noise_even(noise) + pw_noise_even(noise);
}
