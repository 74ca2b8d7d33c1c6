// pilot: the control pilot and the proximity contact as numbers. Volts become a debounced level and
// a diode that was seen or not; milliampere become a duty cycle and back; ohm become a cable.
// Pure; every function has constant cost. The world's vehicles read the duty with the same words.
// Sources: facts/ac-evse-rapi-load.md §1.1 (levels), §1.2 (duty), §1.3 (debounce), §1.4 (cable);
// IEC 61851-1 Annex A and B through those.
#ifndef PW_PILOT_H
#define PW_PILOT_H

#include "base/base.h"

// Least current that can be offered; less is a pause.
#define PW_PILOT_LEAST_MA    6000
#define PW_PILOT_MOST_MA     80000
// Between these two no duty is defined: the lower one is offered.
#define PW_PILOT_GAP_FROM_MA 51000
#define PW_PILOT_GAP_TO_MA   52500
#define PW_PILOT_PERIOD_PPM  1000000

// clang-format off
// One row a level: name, nominal high phase in millivolt at the station's end.
#define PW_PILOT_LEVELS(X)                                           \
    X(NONE, "-", 0)     /* nothing measured yet                   */ \
    X(A,    "A", 12000) /* nobody connected                       */ \
    X(B,    "B", 9000)  /* vehicle connected, not ready           */ \
    X(C,    "C", 6000)  /* vehicle ready                          */ \
    X(D,    "D", 3000)  /* vehicle ready, wants ventilation       */ \
    X(E,    "E", 0)     /* pilot shorted to earth, or no pilot    */ \
    X(F,    "F", -12000)/* the station's own "not available"      */
// clang-format on

#define PW_PILOT_ID(name, text, mv) PW_PILOT_##name,
enum pw_pilot_level { PW_PILOT_LEVELS(PW_PILOT_ID) PW_PILOT_LEVEL_ROWS };
#undef PW_PILOT_ID

// "A"..."F", "-". Never NULL.
const char *pw_pilot_level_name(enum pw_pilot_level level);

// The level whose middle is nearest to a reading of the high phase: A above 10.5 V, B 7.5, C 4.5,
// D 1.5, E down to -6 V, F below. Any value is allowed; never NONE.
/*@ assigns \nothing;
    ensures PW_PILOT_A <= \result <= PW_PILOT_F;
    ensures \result == PW_PILOT_C <==> 4500 < high_mv <= 7500;
    ensures \result == PW_PILOT_D <==> 1500 < high_mv <= 4500;
*/
enum pw_pilot_level pw_pilot_level_of(int32_t high_mv);

// Duty in ppm of the period that offers at most limit_ma: 10 % ... 96 %, a multiple of step_ppm
// (1 to 10000, otherwise taken as 1), rounded down. 0 when limit_ma is below 6 A: pause. 51 to
// 52.5 A gives 51 A; more than 80 A gives 80 A.
/*@ logic integer read_ma(integer ppm) =
      ppm < 80000 || ppm > 970000 ? 0
      : ppm < 100000 ? 6000
      : ppm <= 850000 ? ppm * 6 / 100
      : ppm < 960000 ? (ppm - 640000) / 4 : 80000;
*/
/*@ assigns \nothing;
    ensures 0 <= \result <= 960000;
    ensures limit_ma < 6000 <==> \result == 0;
    ensures limit_ma >= 6000 ==> \result >= 90000;
    ensures limit_ma >= 0 ==> read_ma(\result) <= limit_ma;
*/
int32_t pw_pilot_duty_ppm(int32_t limit_ma, int32_t step_ppm);

// What a vehicle reads from a duty: 6000 to 80000 mA, or 0 for "do not charge" (below 8 %, above
// 97 %, steady, and the 3 to 7 % that ask for digital communication).
/*@ assigns \nothing;
    ensures \result == read_ma(duty_ppm);
    ensures \result == 0 || 6000 <= \result <= 80000;
*/
int32_t pw_pilot_offer_ma(int32_t duty_ppm);

// What a cable's proximity resistor allows: 13000, 20000, 32000 or 63000 mA; 0 for no cable and
// for anything out of range (below 75 ohm, above 2200 ohm, open, unknown). A value on a border
// counts as the weaker cable.
/*@ assigns \nothing;
    ensures \result == 0 || \result == 13000 || \result == 20000 || \result == 32000 ||
      \result == 63000;
    ensures pp_ohm < 75 || pp_ohm > 2200 <==> \result == 0;
*/
int32_t pw_pilot_cable_ma(int32_t pp_ohm);

// One reading of the pilot.
struct pw_pilot_reading {
    pw_ms at;        // when it was sampled; a reading not newer than the last one is ignored
    int32_t high_mv; // INT32_MIN: not measured, ignored
    int32_t low_mv;  // INT32_MIN: none
    bool pwm;        // the pilot was told to swing, long enough ago to do so
};

// The debounced pilot. Read the fields; write through the functions only.
struct pw_pilot {
    enum pw_pilot_level level; // debounced
    pw_ms since;               // sampling time of the reading that settled it
    // A negative half wave of full depth was seen: a vehicle's diode, not a mere resistor. Judged
    // while the pilot swings; kept while it is steady; forgotten at A, E and F.
    bool diode;
    bool no_diode; // the half wave is too shallow, for 30 ms now: no vehicle

    // Memory.
    bool begun;
    pw_ms at; // last reading
    enum pw_pilot_level candidate;
    pw_ms candidate_since;
    int32_t doubt_ms;    // leaving C or D: time against it, less half the time for it
    pw_ms deep_since;    // since when the low phase is deep enough; PW_NEVER: it is not
    pw_ms shallow_since; // since when it is not; PW_NEVER: it is
};

// Debounce. Into the safe direction it is short: leaving C or D, and anything to A, E or F, takes
// 20 ms, so that a contactor opens within 100 ms of the edge. Into C or D, and from A to B, it
// takes 200 ms of readings without a contradiction.
#define PW_PILOT_LEAVE_MS 20
#define PW_PILOT_ENTER_MS 200
#define PW_PILOT_DIODE_MS 30

/*@ requires \valid(pilot);
    assigns *pilot;
*/
void pw_pilot_init(struct pw_pilot *pilot);

// Takes one reading. Returns true when the debounced level has changed.
/*@ requires \valid(pilot) && \valid_read(reading) && \separated(pilot, reading);
    assigns *pilot;
    ensures \result == 0 ==> pilot->level == \old(pilot->level);
*/
bool pw_pilot_read(struct pw_pilot *pilot, const struct pw_pilot_reading *reading);

#endif
