#include "pilot/pilot.h"

#define HYSTERESIS_MV 300
#define GAP_MS        250 // readings further apart than this do not belong together
#define DOUBT_MS      50  // of readings against C or D, each for it taking half its time off
#define DOUBT_MOST_MS 25  // of one reading
#define DEEP_MV       (-10000)
#define PPM_FROM_GAP  640000

#define NAME(name, text, mv) text,
static const char *const names[PW_PILOT_LEVEL_ROWS] = {PW_PILOT_LEVELS(NAME)};

const char *pw_pilot_level_name(enum pw_pilot_level level)
{
    return (unsigned)level < PW_PILOT_LEVEL_ROWS ? names[level] : "-";
}

// ---------------------------------------------------------------------------------------------
// Levels

// Rows from the top: a reading above the border is of that level.
static const struct {
    int32_t above_mv;
    enum pw_pilot_level level;
} borders[] = {
    {10500, PW_PILOT_A}, {7500, PW_PILOT_B},  {4500, PW_PILOT_C},
    {1500, PW_PILOT_D},  {-6000, PW_PILOT_E}, {INT32_MIN, PW_PILOT_F},
};

enum pw_pilot_level pw_pilot_level_of(int32_t high_mv)
{
    /*@ loop invariant 0 <= i <= 6;
        loop invariant \forall integer k; 0 <= k < i ==> high_mv <= borders[k].above_mv;
        loop assigns i;
        loop variant 6 - i; */
    for (unsigned i = 0; i < PW_COUNT(borders); i++) {
        if (high_mv > borders[i].above_mv) {
            return borders[i].level;
        }
    }
    return PW_PILOT_F;
}

// A reading just across the border of the level that stands still belongs to it.
/*@ assigns \nothing;
    ensures \result == stands || PW_PILOT_A <= \result <= PW_PILOT_F; */
static enum pw_pilot_level class_of(enum pw_pilot_level stands, int32_t high_mv)
{
    enum pw_pilot_level is = pw_pilot_level_of(high_mv);
    if (is == stands) {
        return is;
    }
    if (high_mv < INT32_MAX - HYSTERESIS_MV &&
        pw_pilot_level_of(high_mv + HYSTERESIS_MV) == stands) {
        return stands;
    }
    if (high_mv > INT32_MIN + HYSTERESIS_MV &&
        pw_pilot_level_of(high_mv - HYSTERESIS_MV) == stands) {
        return stands;
    }
    return is;
}

//@ assigns \nothing; ensures \result <==> level == PW_PILOT_C || level == PW_PILOT_D;
static bool is_ready(enum pw_pilot_level level)
{
    return level == PW_PILOT_C || level == PW_PILOT_D;
}

//@ assigns \nothing; ensures \result == PW_PILOT_LEAVE_MS || \result == PW_PILOT_ENTER_MS;
static pw_ms hold_ms(enum pw_pilot_level from, enum pw_pilot_level to)
{
    bool leaves = to == PW_PILOT_A || to == PW_PILOT_E || to == PW_PILOT_F ||
                  (is_ready(from) && to == PW_PILOT_B);
    return leaves ? PW_PILOT_LEAVE_MS : PW_PILOT_ENTER_MS;
}

// ---------------------------------------------------------------------------------------------
// Debounce

void pw_pilot_init(struct pw_pilot *pilot)
{
    *pilot = (struct pw_pilot){.deep_since = PW_NEVER, .shallow_since = PW_NEVER};
}

// Time against C or D adds up, time for it takes half of that off: a pilot that flickers opens the
// contactor nearly as fast as one that leaves for good.
/*@ requires \valid(pilot);
    assigns pilot->doubt_ms; */
static void doubt(struct pw_pilot *pilot, enum pw_pilot_level is, pw_ms gap)
{
    int32_t span = gap < DOUBT_MOST_MS ? (int32_t)gap : DOUBT_MOST_MS;
    if (!is_ready(pilot->level)) {
        pilot->doubt_ms = 0;
    } else if (!is_ready(is)) {
        if (pilot->doubt_ms < DOUBT_MS) {
            pilot->doubt_ms += span;
        }
    } else {
        pilot->doubt_ms = pilot->doubt_ms > span / 2 ? pilot->doubt_ms - span / 2 : 0;
    }
}

/*@ requires \valid(pilot) && \valid_read(reading) && \separated(pilot, reading);
    assigns pilot->deep_since, pilot->shallow_since, pilot->diode, pilot->no_diode;
    ensures pilot->diode != 0 && \old(pilot->diode) == 0 ==>
      reading->pwm != 0 && reading->low_mv <= -10000; */
static void judge_diode(struct pw_pilot *pilot, const struct pw_pilot_reading *reading,
                        enum pw_pilot_level is)
{
    bool loaded = is == PW_PILOT_B || is_ready(is);
    if (!reading->pwm || !loaded) {
        pilot->deep_since = PW_NEVER;
        pilot->shallow_since = PW_NEVER;
        pilot->no_diode = false;
        return;
    }
    bool deep = reading->low_mv != INT32_MIN && reading->low_mv <= DEEP_MV;
    pw_ms *const now = deep ? &pilot->deep_since : &pilot->shallow_since;
    pw_ms *const not_now = deep ? &pilot->shallow_since : &pilot->deep_since;
    *not_now = PW_NEVER;
    if (*now == PW_NEVER) {
        *now = reading->at;
    }
    if (reading->at - *now >= PW_PILOT_DIODE_MS) {
        pilot->diode = deep;
        pilot->no_diode = !deep;
    }
}

/*@ requires \valid(pilot);
    assigns pilot->level, pilot->since, pilot->candidate, pilot->doubt_ms, pilot->diode,
      pilot->no_diode;
    ensures pilot->level == level && pilot->doubt_ms == 0; */
static void settle(struct pw_pilot *pilot, enum pw_pilot_level level, pw_ms at)
{
    pilot->level = level;
    pilot->since = at;
    pilot->candidate = level;
    pilot->doubt_ms = 0;
    if (level == PW_PILOT_A || level == PW_PILOT_E || level == PW_PILOT_F) {
        pilot->diode = false;
        pilot->no_diode = false;
    }
}

bool pw_pilot_read(struct pw_pilot *pilot, const struct pw_pilot_reading *reading)
{
    if (reading->high_mv == INT32_MIN || reading->at == PW_NEVER ||
        (pilot->begun && reading->at <= pilot->at)) {
        return false;
    }
    pw_ms gap = pilot->begun ? reading->at - pilot->at : PW_NEVER;
    enum pw_pilot_level is = class_of(pilot->level, reading->high_mv);
    doubt(pilot, is, gap);
    judge_diode(pilot, reading, is);
    pilot->begun = true;
    pilot->at = reading->at;
    if (is == pilot->level) {
        pilot->candidate = is;
        return false;
    }
    if (is != pilot->candidate || gap > GAP_MS) {
        pilot->candidate = is;
        pilot->candidate_since = reading->at;
    }
    bool held = reading->at - pilot->candidate_since >= hold_ms(pilot->level, is);
    if (held || pilot->doubt_ms >= DOUBT_MS) {
        settle(pilot, is, reading->at);
        return true;
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Duty and cable

int32_t pw_pilot_duty_ppm(int32_t limit_ma, int32_t step_ppm)
{
    if (limit_ma < PW_PILOT_LEAST_MA) {
        return 0;
    }
    int32_t ma = limit_ma < PW_PILOT_MOST_MA ? limit_ma : PW_PILOT_MOST_MA;
    if (ma > PW_PILOT_GAP_FROM_MA && ma < PW_PILOT_GAP_TO_MA) {
        ma = PW_PILOT_GAP_FROM_MA;
    }
    int32_t ppm = ma <= PW_PILOT_GAP_FROM_MA ? ma * 100 / 6 : ma * 4 + PPM_FROM_GAP;
    int32_t step = step_ppm >= 1 && step_ppm <= 10000 ? step_ppm : 1;
    return ppm - ppm % step;
}

int32_t pw_pilot_offer_ma(int32_t duty_ppm)
{
    if (duty_ppm < 80000 || duty_ppm > 970000) {
        return 0;
    }
    if (duty_ppm < 100000) {
        return PW_PILOT_LEAST_MA;
    }
    if (duty_ppm <= 850000) {
        return duty_ppm * 6 / 100;
    }
    return duty_ppm < 960000 ? (duty_ppm - PPM_FROM_GAP) / 4 : PW_PILOT_MOST_MA;
}

// Rows from the weakest cable: a resistance of this or more, up to the row before.
static const struct {
    int32_t from_ohm;
    int32_t ma;
} cables[] = {{2201, 0}, {1000, 13000}, {330, 20000}, {150, 32000}, {75, 63000}};

int32_t pw_pilot_cable_ma(int32_t pp_ohm)
{
    /*@ loop invariant 0 <= i <= 5;
        loop invariant \forall integer k; 0 <= k < i ==> pp_ohm < cables[k].from_ohm;
        loop assigns i;
        loop variant 5 - i; */
    for (unsigned i = 0; i < PW_COUNT(cables); i++) {
        if (pp_ohm >= cables[i].from_ohm) {
            return cables[i].ma;
        }
    }
    return 0;
}
