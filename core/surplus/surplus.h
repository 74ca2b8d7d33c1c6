// surplus: charge with what the roof gives back. From the power at the house's meter (signed: what
// is given back is below zero) and what the chargers draw, it says how much current the surplus
// pays for: one more row in the limit stack. The breaker is core/house's affair. Pure, integers.
// Sources: facts/ac-evse-rapi-load.md §5 (solar surplus), §3.5 (ramps, least time off).
#ifndef PW_SURPLUS_H
#define PW_SURPLUS_H

#include "base/base.h"

#define PW_SURPLUS_MEAN_MS 30000 // time constant of the mean

enum pw_surplus_mode {
    PW_SURPLUS_OFF,
    PW_SURPLUS_ONLY,    // pauses without surplus
    PW_SURPLUS_MINIMUM, // never less than the least current
};

struct pw_surplus_config {
    enum pw_surplus_mode mode;
    int32_t start_w;    // surplus with which a charge begins
    int32_t reserve_w;  // left to the grid; below zero: taken from it
    uint32_t delay_ms;  // surplus must last, or be gone, so long; 0: 120000
    uint32_t silent_ms; // a meter silent this long has no surplus; 0: 30000
};

// clang-format off
#define PW_SURPLUS_STATES(X)                                                                   \
    X(OFF,     "off",      "")                                                                 \
    X(AWAITED, "awaited",  "too little surplus to charge with")                                \
    X(FOLLOWS, "follows",  "what the roof gives")                                              \
    X(ENDING,  "ending",   "surplus below the least current, for a while")                     \
    X(FLOOR,   "floor",    "the least current, the roof gives less")                           \
    X(BLIND,   "blind",    "the house's meter does not tell what the roof gives")
// clang-format on
#define PW_SURPLUS_ID(name, text, why) PW_SURPLUS_STATE_##name,
enum pw_surplus_state { PW_SURPLUS_STATES(PW_SURPLUS_ID) PW_SURPLUS_STATE_ROWS };
#undef PW_SURPLUS_ID

const char *pw_surplus_name(enum pw_surplus_state state); // "follows"...
const char *pw_surplus_why(enum pw_surplus_state state);  // for people

struct pw_surplus_input {
    bool fresh;        // a new reading of the meter is in grid_mw
    int64_t grid_mw;   // all phases; below zero: given back
    int64_t charge_mw; // what the chargers draw
    int32_t mv;        // of one phase
    uint8_t phases;    // the vehicle loads, 1..3
    int32_t least_ma;  // 6000 or more
    int32_t most_ma;
};

struct pw_surplus {
    enum pw_surplus_state state;
    pw_ms since;
    int64_t mean_mw;  // surplus for charging, filtered
    bool known;       // there is one
    pw_ms heard_at;   // of the last reading; PW_NEVER: none
    pw_ms turned_at;  // the surplus is on the other side of its threshold since; PW_NEVER
    pw_ms raised_at;  // last change upwards; PW_NEVER: none
    int32_t limit_ma; // the row for the limit stack, when the state is not OFF
};

void pw_surplus_init(struct pw_surplus *surplus, pw_ms now);
// One turn. Returns when it wants to be called again at the latest.
pw_ms pw_surplus_step(struct pw_surplus *surplus, const struct pw_surplus_config *config,
                      const struct pw_surplus_input *in, const struct pw_log *log, pw_ms now);

#endif
