// noise: reproducible random numbers for the simulated world. SplitMix64 (Steele, Lea, Flood 2014):
// eight bytes of state, and every 64-bit seed is a good one. Each device takes a stream of its own,
// so that adding a device shifts nobody else's numbers.
#ifndef PW_NOISE_H
#define PW_NOISE_H

#include "base/base.h"

struct pw_noise {
    uint64_t state;
};

// `stream` names the device within the world; the same (seed, stream) gives the same numbers.
void pw_noise_init(struct pw_noise *noise, uint64_t seed, uint32_t stream);

uint64_t pw_noise_bits(struct pw_noise *noise);

// Evenly spread over [-1, 1).
double pw_noise_even(struct pw_noise *noise);

// Bell-shaped with mean 0 and deviation 1, never beyond 3 (a sum of three even numbers: cheap, and
// a sensor has no endless tails).
double pw_noise_bell(struct pw_noise *noise);

#endif
