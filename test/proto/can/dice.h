// dice: repeatable random numbers for tests. The seed comes from PW_SEED or the clock and is
// printed first, so that the output of a failed test names it.
#ifndef PW_TEST_DICE_H
#define PW_TEST_DICE_H

#include "test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct dice {
    uint64_t state;
};

static inline struct dice dice_new(void)
{
    const char *given = getenv("PW_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("PW_SEED=%" PRIu64 "\n", seed);
    return (struct dice){.state = seed * 2 + 1};
}

// splitmix64
static inline uint64_t dice_bits(struct dice *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

static inline int32_t dice_int(struct dice *dice, int32_t low, int32_t high)
{
    uint64_t span = (uint64_t)((int64_t)high - low) + 1;
    return (int32_t)(low + (int64_t)(dice_bits(dice) % span));
}

#endif
