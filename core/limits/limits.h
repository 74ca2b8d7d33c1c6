// limits: who may lower the current, and who does. Every source has one row {mA, why, since,
// expires}; what counts is the least of them, and the stack always knows whose it is. No source can
// raise the current above the hardware's row, which is given once at the start.
#ifndef PW_LIMITS_H
#define PW_LIMITS_H

#include "base/base.h"

// Rows are in order of precedence: of two equal limits the upper one is named.
// clang-format off
#define PW_LIMIT_SOURCES(X)                                                             \
    X(HARDWARE,    "hardware")    /* what the station was built for; never expires   */ \
    X(SETTINGS,    "settings")    /* what its owner allows                           */ \
    X(CABLE,       "cable")       /* cable and connector                             */ \
    X(VEHICLE,     "vehicle")     /* what the battery asks for                       */ \
    X(RECTIFIER,   "rectifier")   /* what the power modules can give                 */ \
    X(TEMPERATURE, "temperature") /* derating                                        */ \
    X(METER,       "meter")       /* what cannot be counted is not delivered         */ \
    X(BOARD,       "board")       /* what an OpenEVSE board is set to                */ \
    X(HOUSE,       "house")       /* the house's breaker                             */ \
    X(SCHEDULE,    "schedule")    /* delay timer, weekly plan, switched off          */ \
    X(SOLAR,       "solar")       /* what the roof gives                             */ \
    X(LOCAL,       "local")       /* console, page, command line                     */ \
    X(CLAIM,       "claim")       /* another program: evcc, Home Assistant           */ \
    X(OCPP,        "ocpp")        /* charging profiles                               */ \
    X(LOAD,        "load")        /* load management of house or site                */
// clang-format on

#define PW_LIMIT_ID(name, text) PW_LIMIT_##name,
enum pw_limit_source { PW_LIMIT_SOURCES(PW_LIMIT_ID) PW_LIMIT_ROWS };
#undef PW_LIMIT_ID

// The word of a source for logs and reports: "hardware", "ocpp"... Never NULL.
const char *pw_limit_source_name(enum pw_limit_source source);

struct pw_limit {
    bool set;
    int32_t ma;      // 0 or more; 0 stops the charge without ending it
    const char *why; // a literal, lives for ever; "" without a reason
    pw_ms since;     // when this source last changed its value
    pw_ms expires;   // from then on it counts no more; PW_NEVER: stays until changed
};

struct pw_limits {
    struct pw_limit row[PW_LIMIT_ROWS];
    // The least of all rows as of the last set, clear or step.
    int32_t effective_ma;
    enum pw_limit_source who;
    const char *why;
    pw_ms since; // when value or source last changed
};

// hardware_ma: 0 or more, the ceiling for good.
void pw_limits_init(struct pw_limits *limits, int32_t hardware_ma, pw_ms now);

// Sets one source's row. `why` is a literal or NULL. Setting the value that already stands renews
// `expires` and keeps `since`. PW_ERR_RANGE when ma < 0, when `expires` is not after now, or when
// the hardware's row would be raised or given an end; nothing changes then.
PW_MUST_USE int pw_limits_set(struct pw_limits *limits, enum pw_limit_source source, int32_t ma,
                              const char *why, pw_ms expires, pw_ms now);

// Takes a source's row away. The hardware's stays.
void pw_limits_clear(struct pw_limits *limits, enum pw_limit_source source, pw_ms now);

// The least of the rows that are not in `except`, a set of 1 << source. Always within the
// hardware's.
int32_t pw_limits_without(const struct pw_limits *limits, uint32_t except);

// Drops rows that have expired and finds the least again. Returns the next expiry or PW_NEVER.
pw_ms pw_limits_step(struct pw_limits *limits, pw_ms now);

#endif
