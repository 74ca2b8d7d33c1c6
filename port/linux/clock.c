#include "clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec at;
    int err = clock_gettime(id, &at);
    PW_ASSERT(err == 0);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

// `us` real microseconds as milliseconds at the clock's pace. Split so that the product fits for
// thousands of years at a thousand times real time.
static int64_t scaled_ms(const struct pw_clock *clock, int64_t us)
{
    int64_t speed = clock->speed_permille;
    return ((us / 1000) * speed + (us % 1000) * speed / 1000) / 1000;
}

static int parse(struct pw_str setting, struct pw_clock *clock)
{
    int64_t real0 = 0;
    int64_t virtual0 = 0;
    int64_t speed = 0;
    int64_t latest = INT64_C(253402300799999); // the end of year 9999
    struct pw_str first = pw_str_cut(&setting, ':');
    struct pw_str second = pw_str_cut(&setting, ':');
    int err = pw_parse_int(first, 0, latest, &real0);
    if (err == PW_OK) {
        err = pw_parse_int(second, 0, latest, &virtual0);
    }
    if (err == PW_OK) {
        err = pw_parse_fixed(setting, 3, &speed);
    }
    if (err != PW_OK) {
        return err;
    }
    if (speed < PW_CLOCK_SPEED_MIN || speed > PW_CLOCK_SPEED_MAX) {
        return PW_ERR_RANGE;
    }
    clock->real0_ms = real0;
    clock->virtual0_ms = virtual0;
    clock->speed_permille = (uint32_t)speed;
    return PW_OK;
}

int pw_clock_init(struct pw_clock *clock, const char *setting)
{
    *clock = (struct pw_clock){.mono0_us = read_us(CLOCK_MONOTONIC), .speed_permille = 1000};
    struct pw_str text = pw_str_of(setting);
    return text.len == 0 ? PW_OK : parse(text, clock);
}

pw_ms pw_clock_now(const struct pw_clock *clock)
{
    return (pw_ms)scaled_ms(clock, read_us(CLOCK_MONOTONIC) - clock->mono0_us);
}

pw_unix_ms pw_clock_wall(const struct pw_clock *clock)
{
    int64_t real_us = read_us(CLOCK_REALTIME);
    if (real_us / 1000 < PW_CLOCK_WALL_MIN) {
        return 0;
    }
    return clock->virtual0_ms + scaled_ms(clock, real_us - clock->real0_ms * 1000);
}

pw_ms pw_clock_real(const struct pw_clock *clock, pw_ms span)
{
    uint64_t speed = clock->speed_permille;
    if (span == PW_NEVER || span > PW_NEVER / 1000 - speed) {
        return PW_NEVER;
    }
    return (span * 1000 + speed - 1) / speed;
}
