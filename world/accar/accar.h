// accar: an electric car as its AC inlet shows it. Pilot resistors, diode and S2, an on-board
// charger that ramps, a battery that tapers, and one of seventeen temperaments: rows, from the well
// behaved to those that no norm foresaw. It follows the pilot's duty as a car reads it
// (pw_pilot_offer_ma) and knows nothing of the station's state.
// Sources: facts/ac-evse-rapi-load.md §1.1-§1.3, §6; facts/reliability.md §4.3.
#ifndef PW_ACCAR_H
#define PW_ACCAR_H

#include "board/board.h"
#include "noise/noise.h"

// What a sleeping car needs before it closes S2.
enum pw_accar_wake {
    PW_ACCAR_WAKE_NONE,  // does not sleep
    PW_ACCAR_WAKE_AGAIN, // the PWM goes away and comes once more
    PW_ACCAR_WAKE_PULSE, // the pilot goes to 0 V or -12 V and comes back
};

// What a temperament is: one row of a table. A field at 0 means "does not do that".
struct pw_accar_kind {
    const char *word; // in scenarios
    const char *doc;
    unsigned phases;        // it draws from
    int32_t most_ma;        // its on-board charger's rating, per phase
    int32_t taken_permille; // of what is offered
    int32_t ready_ohm;      // CP to PE with S2 closed
    pw_ms react_ms;         // from a change of the duty until the charger follows; the norm: 5 s
    pw_ms stop_ms;          // from "no energy" until S2 is open; the norm: 3 s. 0: ignores it
    bool diode;
    bool shorted;     // CP lies on PE
    bool simplified;  // no S2: ready as soon as it is plugged
    pw_ms bounce_ms;  // plug and S2 chatter this long
    pw_ms flicker_ms; // S2 opens about this often for a few milliseconds while charging
    enum pw_accar_wake wake;
    pw_ms sleep_ms;         // in B without an offer until it sleeps
    pw_ms pulled_ms;        // somebody pulls the plug this long after the current began
    pw_ms fewer_ms;         // this long after the current began it goes on with one phase
    int32_t full_permille;  // takes itself for full at this state of charge
    int32_t cp_noise_mv;    // it adds to the pilot, deviation
    int32_t third_permille; // third harmonic of its current
};

#define PW_ACCAR_HONEST 0    // the row of the well-behaved car
#define PW_ACCAR_FACTOR 0.99 // every charger's power factor at 50 Hz

size_t pw_accar_kinds(void);
// NULL beyond the last.
const struct pw_accar_kind *pw_accar_kind(size_t row);
// NULL when no row has that word.
const struct pw_accar_kind *pw_accar_named(struct pw_str word);

struct pw_accar_config {
    const struct pw_accar_kind *kind; // NULL: the honest one
    unsigned phases;                  // 1..3; 0: as the kind has
    int32_t most_ma;                  // 0: as the kind has
    double capacity_kwh;
    double soc; // 0..1
    uint64_t seed;
};

// What the station's side of the cable does to the car, at one moment.
struct pw_accar_feed {
    bool plugged;
    enum pw_board_cp cp; // truly on the wire
    bool cp_dead;        // nobody drives the pilot: 0 V
    int32_t duty_ppm;
    double volt[PW_BOARD_PHASES]; // behind the contactor
};

// What the pilot wire meets at the car.
struct pw_accar_load {
    bool connected; // CP contact made
    bool diode;
    double ohm; // to PE
};

struct pw_accar {
    struct pw_accar_config config;
    const struct pw_accar_kind *kind;
    struct pw_noise noise;
    struct pw_accar_feed feed; // of the last step
    double soc;
    double amps[PW_BOARD_PHASES]; // drawn now, rms
    double target_a;              // the charger goes there
    bool wants;                   // its owner wants a charge
    bool s2;                      // closed, as the car wants it
    bool s2_shown;                // and as the bouncing contact is
    bool plug_shown;
    bool asleep;
    bool pull_asked; // its temperament pulls the plug: the world does it
    unsigned waking; // steps of the wake-up it has seen
    int32_t offer_ma;
    int32_t obeyed_ma;    // the offer the charger follows
    pw_ms follows_at;     // the charger takes the offer over then; PW_NEVER
    pw_ms s2_at;          // S2 moves then; PW_NEVER
    pw_ms charger_at;     // the charger, fed, starts then; PW_NEVER
    pw_ms plug_bounce_at; // chatter until then, and the next touch
    pw_ms s2_bounce_at;
    pw_ms bounce_at;
    pw_ms flicker_at;
    pw_ms unoffered_since;
    pw_ms drawing_since; // PW_NEVER while no current flows
    pw_ms now;
};

void pw_accar_init(struct pw_accar *car, const struct pw_accar_config *config, pw_ms now);

// Its owner wants a charge, or no longer.
void pw_accar_want(struct pw_accar *car, bool wants);

// Integrates up to `now` with the feed of the last step, then acts on the new one. Returns when it
// wants to run next; PW_NEVER when only a change of the feed can move it.
pw_ms pw_accar_step(struct pw_accar *car, const struct pw_accar_feed *feed, pw_ms now);

struct pw_accar_load pw_accar_load(const struct pw_accar *car);

// Power over volt times ampere: what its harmonics leave of PW_ACCAR_FACTOR.
double pw_accar_factor(const struct pw_accar *car);

#endif
