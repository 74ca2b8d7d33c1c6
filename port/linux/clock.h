// clock: the time every program of one demonstration shares. Monotonic and wall milliseconds, at
// the real pace or at the pace that PILOTWIRE_CLOCK sets. This and the loop are the only places
// that read a clock; everything pure gets the time as an argument.
#ifndef PW_LINUX_CLOCK_H
#define PW_LINUX_CLOCK_H

#include "base/base.h"

#define PW_CLOCK_SPEED_MIN 100     // permille: a tenth of real time
#define PW_CLOCK_SPEED_MAX 1000000 // permille: a thousand times real time

// The operating system's wall clock is not believed before this instant (2024-01-01): a board
// without a battery starts in 1970, and such a time must never leave the station.
#define PW_CLOCK_WALL_MIN INT64_C(1704067200000)

struct pw_clock {
    int64_t mono0_us;        // CLOCK_MONOTONIC when the clock was made
    int64_t real0_ms;        // wall instant at which ...
    int64_t virtual0_ms;     // ... the shared clock showed this
    uint32_t speed_permille; // 1000 = real time
};

// `setting` is NULL or empty for real time, or "<real_unix_ms>:<virtual_unix_ms>:<speed>" with a
// decimal speed of 0.1..1000. PW_ERR_PEER when it is not of that form, PW_ERR_RANGE when a number
// is out of range; *clock is then real time.
PW_MUST_USE int pw_clock_init(struct pw_clock *clock, const char *setting);

// Monotonic milliseconds since pw_clock_init, at the clock's pace.
pw_ms pw_clock_now(const struct pw_clock *clock);

// Wall time at the clock's pace; 0 while the system's clock has not been set.
pw_unix_ms pw_clock_wall(const struct pw_clock *clock);

// Real milliseconds that pass while the clock shows `span` (rounded up, so that a sleeper never
// wakes early). PW_NEVER stays PW_NEVER.
pw_ms pw_clock_real(const struct pw_clock *clock, pw_ms span);

#endif
