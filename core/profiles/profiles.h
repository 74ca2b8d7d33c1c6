// profiles: charging profiles, and what they allow at an instant. A profile is a schedule of limits
// with the rules when it counts; several are stacked for each purpose, the highest that says
// anything counts, and of the purposes the least. Pure arithmetic on a set that the caller owns;
// nothing here knows OCPP's wire, a connector's hardware or the store.
// Sources: OCPP 1.6 edition 2 §3.13, §5.16, §7.8 to §7.14; errata 3.7, 3.8, 3.34, 3.43 to 3.45,
// 3.57, 3.69. Times are UTC, recurrences count from the schedule's start, not from local midnight.
#ifndef PW_PROFILES_H
#define PW_PROFILES_H

#include "base/base.h"

#define PW_PROFILES_MAX        20        // installed at a time, all purposes together
#define PW_PROFILE_PERIODS_MAX 96        // of one schedule: a day in quarters of an hour
#define PW_PROFILE_LEVEL_MAX   20        // highest stack level
#define PW_PROFILE_ALWAYS      INT64_MIN // valid_from: no beginning
#define PW_PROFILE_EVER        INT64_MAX // valid_to, until: no end
#define PW_PROFILE_LAST_MS     INT64_C(253402300799999) // end of 9999: no time of a profile is later
#define PW_PROFILE_PENDING     UINT32_MAX // transaction of a profile that came with a remote start

// clang-format off
#define PW_PROFILE_PURPOSES(X)                                                          \
    X(STATION, "ChargePointMaxProfile") /* all connectors together                   */ \
    X(DEFAULT, "TxDefaultProfile")      /* every transaction without its own         */ \
    X(TX,      "TxProfile")             /* one transaction                           */

// How the schedule's start is found.
#define PW_PROFILE_KINDS(X)                                                             \
    X(ABSOLUTE, "absolute") /* at `start`                                            */ \
    X(DAILY,    "daily")    /* at `start` and every 86,400 s from there              */ \
    X(WEEKLY,   "weekly")   /* at `start` and every 604,800 s from there             */ \
    X(RELATIVE, "relative") /* at the start of the transaction; `start` is ignored   */
// clang-format on

#define PW_PROFILE_ID(name, text) PW_PROFILE_##name,
enum pw_profile_purpose { PW_PROFILE_PURPOSES(PW_PROFILE_ID) PW_PROFILE_PURPOSE_ROWS };
enum pw_profile_kind { PW_PROFILE_KINDS(PW_PROFILE_ID) PW_PROFILE_KIND_ROWS };
#undef PW_PROFILE_ID

enum pw_profile_unit { PW_PROFILE_WATT, PW_PROFILE_AMPERE };

const char *pw_profile_purpose_name(enum pw_profile_purpose purpose); // as OCPP spells it
const char *pw_profile_kind_name(enum pw_profile_kind kind);

struct pw_profile {
    int32_t id;
    int32_t level;
    uint8_t purpose; // enum pw_profile_purpose
    uint8_t kind;    // enum pw_profile_kind
    uint8_t unit;    // enum pw_profile_unit
    uint8_t periods; // 1..PW_PROFILE_PERIODS_MAX
    // Without one an absolute or recurring schedule counts from the start of the transaction
    // (§7.13); that of the whole station, and a relative one of it, from when it was received.
    bool has_start;
    pw_unix_ms start;
    pw_unix_ms valid_from; // PW_PROFILE_ALWAYS: at once
    pw_unix_ms valid_to;   // from then on it counts no more; PW_PROFILE_EVER
    int32_t duration_s;    // of the schedule; 0: its last period does not end
    int32_t min_tenths;    // least that makes sense for the vehicle, in the unit; 0: not said
    uint32_t start_s[PW_PROFILE_PERIODS_MAX]; // from the schedule's start; [0] is 0, then rising
    int32_t limit_tenths[PW_PROFILE_PERIODS_MAX]; // 0.1 W in all, or 0.1 A on each phase; >= 0
    uint8_t phases[PW_PROFILE_PERIODS_MAX];       // numberPhases as given; 0: not said
};

// What a profile must be: known kinds, a level up to PW_PROFILE_LEVEL_MAX, periods that begin at 0
// and rise, limits and times that are not negative, 1 to 3 phases. PW_ERR_RANGE with one sentence
// in *why (may be NULL).
PW_MUST_USE int pw_profile_check(const struct pw_profile *profile, struct pw_out *why);

struct pw_profile_slot {
    bool used;
    uint8_t connector;    // 0: the whole station
    uint32_t transaction; // TX: the transaction it is for, as the station counts them
    pw_unix_ms received;
    struct pw_profile profile;
};

struct pw_profile_set {
    struct pw_profile_slot slot[PW_PROFILES_MAX];
};

struct pw_profile_scale;

// An instant on the clock of the profiles.
struct pw_profile_moment {
    pw_unix_ms at;
    pw_unix_ms began; // of the transaction that is asked about; `at` when there is none yet
    // The date is not known: `at` and `began` only tell how long ago the transaction began.
    // Relative profiles count by that; of those that need the date the least of all their periods
    // counts, and validity is not looked at. A set is then asked level by level: one that may be
    // over or not yet begun does not hide what is below it, the least of them counts.
    bool no_date;
    // With no_date: what amperes and watts are compared by; NULL: three phases of 230 V.
    const struct pw_profile_scale *scale;
};

// What counts. Without `any` nothing limits.
struct pw_profile_value {
    bool any;
    uint8_t purpose;
    uint8_t unit;
    uint8_t phases;       // numberPhases; 0: not said
    int32_t limit_tenths; // 0.1 W in all, or 0.1 A on each phase
    int32_t min_tenths;   // 0: not said
    int32_t id;
    pw_unix_ms until; // the first later instant at which the answer may be another
};

// What one profile says. Cost: the logarithm of its periods.
struct pw_profile_value pw_profile_at(const struct pw_profile_slot *slot,
                                      const struct pw_profile_moment *moment);

// What the set says about the whole station (STATION), ...
struct pw_profile_value pw_profiles_station(const struct pw_profile_set *set, unsigned ignored,
                                            const struct pw_profile_moment *moment);
// ... and about a transaction on a connector (from 1): its own profiles (transaction 0: there is
// none yet), and where they say nothing the default ones. A default of the connector takes the
// place of that of connector 0 with the same level. `ignored` is a set of 1 << purpose.
struct pw_profile_value pw_profiles_transaction(const struct pw_profile_set *set,
                                                unsigned connector, uint32_t transaction,
                                                unsigned ignored,
                                                const struct pw_profile_moment *moment);

// What a connector makes of amperes and watts.
struct pw_profile_scale {
    int64_t mv;                  // its output over all phases: what one ampere is worth
    int64_t grid_mv;             // the same on the side of the grid; equal to mv for AC
    int32_t efficiency_permille; // from there to the output; 1000 for AC
    uint8_t phases;              // the phases that are in mv and grid_mv; 0 for dc
    bool seen;        // the vehicle was seen to use those; else they are what the connector has
    uint8_t used;     // not seen yet: phases it was noticed to use so far
    int32_t least_ma; // not seen yet: what may be offered to find out; 0: nothing may
};

// Milliampere of the connector's output, on each phase, that a value allows: 0..INT32_MAX. Watts
// are divided by the phases in use, whatever the period says; until those have been seen, by all
// there are, so that a vehicle of any kind keeps to the watts. Where that is less than `least_ma`,
// a period with a smaller numberPhases gets up to `least_ma` as long as no more phases than that
// were noticed: only a vehicle that draws can be seen (errata 3.34, 3.69). A STATION value is one
// of the grid.
int32_t pw_profile_ma(const struct pw_profile_value *value, const struct pw_profile_scale *scale);

// --- Composite schedule: what the set allows from an instant on, as far as is known today.

struct pw_composite_member {
    uint8_t connector;    // from 1
    uint32_t transaction; // 0: none; then one that began at `at`
    pw_unix_ms began;
    struct pw_profile_scale scale;
    int32_t most_ma; // what hardware and owner allow: counts where no profile does
};

struct pw_composite_question {
    const struct pw_profile_set *set;
    const struct pw_composite_member *member; // the connector, or all of them
    unsigned members;
    bool station; // the sum of the members, on the side of the grid
    unsigned ignored;
    pw_unix_ms at;
    uint32_t duration_s;
    enum pw_profile_unit unit;
};

struct pw_composite {
    // As asked, or as far as PW_PROFILE_PERIODS_MAX periods reach.
    uint32_t duration_s;
    uint8_t periods; // 1 at least
    uint32_t start_s[PW_PROFILE_PERIODS_MAX];
    int32_t limit_tenths[PW_PROFILE_PERIODS_MAX];
    uint8_t phases[PW_PROFILE_PERIODS_MAX]; // 0: not said
};

void pw_profiles_composite(const struct pw_composite_question *question,
                           struct pw_composite *composite);

// --- Sharing what the whole station may draw.

#define PW_PROFILE_SHARES_MAX 8

struct pw_profile_user {
    uint8_t phases; // of the grid, bits
    struct pw_profile_scale scale;
    int32_t most_ma;  // output: what it may take otherwise
    int32_t least_ma; // output: with less it takes nothing
    uint32_t turn;    // who came earlier is served first when it is not enough for all
    int32_t held_ma;  // output: what it may draw now (pw_profile_room only)
};

// Shares a STATION value among those that charge: the same current on each phase for all, who needs
// less leaves the rest to the others; when that is below somebody's least, who came last gets
// nothing. Writes output milliampere; their sum never exceeds the value. In amperes each phase of
// the grid is counted by itself. `users` at most PW_PROFILE_SHARES_MAX.
void pw_profile_share(const struct pw_profile_value *value, const struct pw_profile_user *user,
                      unsigned users, int32_t *ma);
// How far user `which` may go, output milliampere, while the others draw what they hold.
int32_t pw_profile_room(const struct pw_profile_value *value, const struct pw_profile_user *user,
                        unsigned users, unsigned which);

#endif
