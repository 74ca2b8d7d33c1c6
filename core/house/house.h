// house: the house stays below its breaker while vehicles charge. Three parts, all pure, integers
// only, each step of bounded cost:
//
//   pw_house        believes or disbelieves the meter at the breaker, filters what the house draws
//                   besides its chargers, and says how much each phase leaves for them: its room
//   pw_house_gate   one for each charger: turns its share of the room into an offer. Down at once,
//                   up slowly, pause and resume with a least time off and a budget of pauses a day
//   pw_house_finder one for each charger: which phases of the house its vehicle loads, found from
//                   steps of its current that the meter sees too
//
// Who shares one room between several chargers is core/load; with one charger its share is the
// least room of the phases it loads (pw_house_share).
//
// Sources: facts/ac-evse-rapi-load.md §3.5 (filter, ramps, pause, fail-safe), §1.3 (a vehicle
// follows within 5 s, raises at most every 5 s), §6 items 1, 2, 9, 12 (what users complain about);
// IEC 60898-1 §8.6.1: a breaker holds 1.13 times its rating for an hour and trips within an hour at
// 1.45 times.
#ifndef PW_HOUSE_H
#define PW_HOUSE_H

#include "board/board.h"

#define PW_HOUSE_PHASES     PW_BOARD_PHASES
#define PW_HOUSE_ALL_PHASES 7U    // bits: 1 L1, 2 L2, 4 L3
#define PW_HOUSE_STEP_MA    100   // offers are whole steps
#define PW_HOUSE_RAISE_MA   2000  // most of one raise
#define PW_HOUSE_RAISE_MS   5000  // between two changes upwards
#define PW_HOUSE_CALM_MS    30000 // without a raise after a decrease
#define PW_HOUSE_MEAN_MS    10000 // window of the filter
#define PW_HOUSE_SAMPLES    64    // kept of that window
#define PW_HOUSE_PAUSES_MAX 200

// Zero means the default, unless said otherwise.
struct pw_house_config {
    int32_t breaker_ma;      // each phase; 6000..1000000
    int32_t margin_permille; // of the breaker that stays free; 0..500, 0 is none
    int32_t failsafe_ma;     // offered without a meter to believe; below the least current: 0
    uint32_t hold_ms;        // a meter silent or in doubt this long is lost; default 5000
    uint32_t pause_after_ms; // less than the least current this long pauses; default 30000
    uint32_t min_off_ms; // least time of a first pause; twice and five times after; default 60000
    uint32_t resume_ms;  // room for more than the least current this long resumes; default 30000
    uint16_t pauses_per_day; // 1..PW_HOUSE_PAUSES_MAX; default 24
    bool never_pause;        // the least current flows on, whatever the house draws
    bool directed;       // the sign of the meter's power counts; without, no current is credited
    uint32_t ev_lag_ms;  // a charger's current is known so much later than the meter's: 3000
    int32_t deadband_ma; // smaller corrections are left out; default 300
};

// How far the meter is believed.
// clang-format off
#define PW_HOUSE_TRUSTS(X)                                                                   \
    X(COLD,   "the house's meter has not been heard long enough")                            \
    X(GOOD,   "")                                                                            \
    X(SILENT, "the house's meter is silent")                                                 \
    X(WRONG,  "the house's meter says what cannot be")                                       \
    X(FROZEN, "the house's meter stands still while the vehicle's current changes")          \
    X(BLIND,  "the house's meter does not see the vehicle")
// clang-format on
#define PW_HOUSE_ID(name, text) PW_HOUSE_##name,
enum pw_house_trust { PW_HOUSE_TRUSTS(PW_HOUSE_ID) PW_HOUSE_TRUST_ROWS };
#undef PW_HOUSE_ID

// A literal for people; "" when it is believed. Never NULL.
const char *pw_house_trust_text(enum pw_house_trust trust);

// What the chargers do on each phase of the house, summed up, at the time of a sample.
struct pw_house_chargers {
    int32_t draw_ma[PW_HOUSE_PHASES];  // measured; assumed where nothing measures
    int32_t offer_ma[PW_HOUSE_PHASES]; // the most they may take: offers of those that are energised
    int32_t least_ma[PW_HOUSE_PHASES]; // what they would still take at their least currents
};

struct pw_house_entry {
    pw_ms at;
    int32_t grid_ma[PW_HOUSE_PHASES]; // signed when the meter is
    int32_t draw_ma[PW_HOUSE_PHASES];
    int32_t low_ma[PW_HOUSE_PHASES];  // the house's own, at least
    int32_t high_ma[PW_HOUSE_PHASES]; // and at most: a charger's current is known later
};

struct pw_house {
    struct pw_house_config config; // defaults filled in
    enum pw_house_trust trust;
    pw_ms trust_since;
    uint8_t metered;  // bits of the phases the meter has
    uint32_t samples; // that made sense, so far: a raise wants fresh ones
    struct pw_house_entry entry[PW_HOUSE_SAMPLES];
    uint32_t count;                    // ever entered; the newest is at (count - 1) % SAMPLES
    int32_t mean_ma[PW_HOUSE_PHASES];  // the house's own, over the window
    int32_t down_ma[PW_HOUSE_PHASES];  // what chargers must leave to it
    int32_t up_ma[PW_HOUSE_PHASES];    // what they must leave to it before they take more
    int32_t level_permille;            // see pw_house_state
    pw_ms good_at;                     // of the last reading that made sense; PW_NEVER: none
    pw_ms coherent_since;              // first of the readings since trust was lost; PW_NEVER
    uint32_t coherent;                 // and how many
    bool refused;                      // the last reading made no sense
    int32_t last_ma[PW_HOUSE_PHASES];  // as the meter showed it last, believed or not
    pw_ms still_since;                 // no phase has changed by a milliampere since; PW_NEVER
    int32_t still_ma[PW_HOUSE_PHASES]; // what the chargers drew then
    bool doubted;      // it has been still for so long that the chargers take a step down
    uint32_t doubt_ms; // how long that is
    bool frozen;
    uint8_t unseen; // steps of a vehicle that the meter did not show, in a row
};

// PW_ERR_RANGE when breaker_ma, margin_permille, failsafe_ma or pauses_per_day is out of range.
PW_MUST_USE int pw_house_init(struct pw_house *house, const struct pw_house_config *config,
                              pw_ms now);
// New settings while running; what was heard stays. Errors as init; nothing changes then.
PW_MUST_USE int pw_house_configure(struct pw_house *house, const struct pw_house_config *config);

// A reading of the meter at the breaker: currents 0 or more, with the direction in the sign of the
// power. `sound`: whoever looked at it first (core/mains) believes it. A phase that was ever known
// must be in every reading. Only stores.
void pw_house_read(struct pw_house *house, const struct pw_board_mains *reading, bool sound,
                   const struct pw_house_chargers *chargers, pw_ms now);
// A vehicle stepped and the meter showed it (or not): pw_house_finder_step says so. Three in a row
// unseen and the meter is not believed until one is seen.
void pw_house_seen(struct pw_house *house, bool seen);
// Judges the meter. Returns when silence alone will change that; PW_NEVER if it will not.
pw_ms pw_house_step(struct pw_house *house, pw_ms now);

// What each phase leaves for chargers that hold `held_ma` of it now: less than that when they must
// come down, more when the last ten seconds had room throughout. Never below 0. An unmetered phase
// leaves failsafe_ma; every phase does while the meter is not believed.
int32_t pw_house_room(const struct pw_house *house, unsigned phase, int32_t held_ma);
// The least room of the phases in the set.
int32_t pw_house_share(const struct pw_house *house, unsigned phases, int32_t held_ma);

// For reports. Values UNKNOWN where nothing is known.
struct pw_house_state {
    enum pw_house_trust trust;
    pw_ms trust_since;
    uint8_t metered;
    int32_t target_ma; // each phase
    int32_t grid_ma[PW_HOUSE_PHASES];
    int32_t other_ma[PW_HOUSE_PHASES];    // the house without its chargers, mean of ten seconds
    int32_t headroom_ma[PW_HOUSE_PHASES]; // target less grid; below zero: overload
    int32_t level_permille; // the fullest phase with every charger at its least, of the target
};
void pw_house_state(const struct pw_house *house, struct pw_house_state *state);

// ---------------------------------------------------------------------------------------------
// The gate of one charger.

// Columns: word, what is offered, why (NULL: as the room says).
//   FAILSAFE  config.failsafe_ma, or 0 when that is below the least current
//   ROOM      between least and most, along the ramps
//   LEAST     the least current
//   ZERO      nothing
// clang-format off
#define PW_HOUSE_GATES(X)                                                                           \
    X(WAITING,   "waiting",   FAILSAFE, "waits until the house's meter is believed")                \
    X(READY,     "ready",     ROOM,     "what the breaker leaves")                                  \
    X(SHUT,      "shut",      ZERO,     "the breaker leaves less than the least current")           \
    X(FOLLOWING, "following", ROOM,     "what the breaker leaves")                                  \
    X(MINIMUM,   "minimum",   LEAST,    "the breaker leaves less than the least current for a while") \
    X(PAUSED,    "paused",    ZERO,     "paused: the house needs its breaker")                      \
    X(SPENT,     "spent",     ZERO,     "paused until tomorrow: too many pauses today")             \
    X(FAILSAFE,  "failsafe",  FAILSAFE, "the house's meter is not believed")
// clang-format on
#define PW_HOUSE_ID(name, text, offer, why) PW_HOUSE_GATE_##name,
enum pw_house_gate_state { PW_HOUSE_GATES(PW_HOUSE_ID) PW_HOUSE_GATE_ROWS };
#undef PW_HOUSE_ID

const char *pw_house_gate_name(enum pw_house_gate_state state);

struct pw_house_gate_input {
    enum pw_house_trust trust;
    uint32_t samples;       // pw_house.samples
    int32_t level_permille; // pw_house_state.level_permille
    int32_t share_ma;       // its part of the room
    int32_t least_ma;       // 6000 or more
    int32_t most_ma;        // what anything else would let it have; least_ma or more
    int32_t draw_ma;        // fullest phase; UNKNOWN: nothing measures it
    bool wants;             // a vehicle is there and may charge
    bool active;            // current may flow: a pause would open the contactor
    bool contended;         // another charger would take what this one leaves
    int32_t day;            // any number that changes at midnight
};

struct pw_house_gate {
    enum pw_house_gate_state state;
    pw_ms since;
    const char *why; // a literal
    int32_t offer_ma;
    pw_ms lowered_at; // last decrease; PW_NEVER: none
    pw_ms raised_at;  // last change upwards; PW_NEVER: none
    uint32_t samples; // counter of samples at the last turn
    bool fresh;       // there is a new one in this turn
    pw_ms room_since; // the share suffices to begin with since; PW_NEVER: it does not
    uint32_t debt_ms; // time with less than the least current, paid back by time with more
    pw_ms debt_at;    // until when that is reckoned
    uint8_t over;     // samples in a row far above the target
    uint8_t backoff;  // 0..2: how long the next pause lasts
    pw_ms paused_at;  // last pause; PW_NEVER: none
    int32_t day;
    uint16_t pauses; // begun on that day
};

void pw_house_gate_init(struct pw_house_gate *gate, int32_t day, pw_ms now);
// One turn, after every input and at its deadline. `log` may be NULL. Returns the next deadline.
pw_ms pw_house_gate_step(struct pw_house_gate *gate, const struct pw_house_config *config,
                         const struct pw_house_gate_input *in, const struct pw_log *log, pw_ms now);

// ---------------------------------------------------------------------------------------------
// The finder of one charger's phases. A vehicle's steps are answers to the house: a kettle goes on,
// the offer comes down, and before and after the phase shows the same. So steps are anchored: the
// grid as it was when the offer changed (the kettle is in it already), against the grid once the
// vehicle has followed.

#define PW_HOUSE_SETTLE_MS 8000 // a vehicle follows in 5 s, and its current is known 3 s later

struct pw_house_finder_input {
    int32_t draw_ma;                  // of the charger, fullest phase
    int32_t grid_ma[PW_HOUSE_PHASES]; // signed or not; UNKNOWN: unmetered
    int32_t offer_ma;                 // in force; 0 while the contactor is open
    unsigned wired;                   // bits of the phases of the house it may load
};

struct pw_house_finder {
    struct pw_house_finder_input last[3]; // readings, the newest first
    uint8_t readings;                     // of them in use
    pw_ms changed_at;                     // the offer changed last; PW_NEVER: never
    bool anchored;                        // `from` is the start of a step under way
    pw_ms anchored_at;
    struct pw_house_finder_input from;
    // Sums over steps: [0] up, [1] down; squares of 100 mA.
    int64_t weight[2];
    int64_t product[2][PW_HOUSE_PHASES];
    uint16_t steps[2];
    uint8_t against; // steps in a row that speak against what was found
    uint8_t found;   // bits of the phases; 0: not known
};

void pw_house_finder_init(struct pw_house_finder *finder); // also when the vehicle goes

enum pw_house_sight { PW_HOUSE_NO_STEP, PW_HOUSE_STEP_SEEN, PW_HOUSE_STEP_UNSEEN };

// One for each sample of the meter. Says whether the vehicle made a step, and whether any of the
// phases it is wired to showed it. A phase is found or excluded after two steps up and two down
// that agree; `found` stays 0 until that is so of every phase, and is 0 again after two steps
// against it.
enum pw_house_sight pw_house_finder_read(struct pw_house_finder *finder,
                                         const struct pw_house_finder_input *in, pw_ms now);

#endif
