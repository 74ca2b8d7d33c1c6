// acpath: the mains side of an AC outlet: grid, contactor with three poles that take their time,
// bounce, weld or stay open, mirror contact, lock motor, residual current device with its test
// winding, protective earth, emergency stop, and what warms up. It knows no protocol and decides
// nothing. Sources: facts/ac-evse-rapi-load.md §1.5, facts/reliability.md §3.2 F20-F28.
#ifndef PW_ACPATH_H
#define PW_ACPATH_H

#include "board/board.h"
#include "noise/noise.h"

#define PW_ACPATH_CLOSE_MS      25  // from coil on to contacts made
#define PW_ACPATH_OPEN_MS       18  // from coil off to contacts apart
#define PW_ACPATH_BOUNCE_MS     4   // contacts touch, part and touch again
#define PW_ACPATH_LOCK_MS       350 // the lock's motor from end to end
#define PW_ACPATH_RCD_TEST_MS   25  // from test current to the answer, and back
#define PW_ACPATH_RCD_AC_MA     20  // trips between this and 30 mA
#define PW_ACPATH_RCD_DC_MA     6
#define PW_ACPATH_RCD_TRIP_MS   30   // after an AC leakage
#define PW_ACPATH_RCD_DC_MS     300  // after a DC leakage of up to 60 mA
#define PW_ACPATH_LOADED_A      1.0  // more than this counts as "under load"
#define PW_ACPATH_WARM_K        32.0 // above the surroundings, for ever at 32 A on three phases
#define PW_ACPATH_THERMAL_TAU_S 900.0

// How a temperature sensor lies.
enum pw_acpath_probe {
    PW_ACPATH_PROBE_GOOD,
    PW_ACPATH_PROBE_BROKEN,  // an open NTC reads far too cold
    PW_ACPATH_PROBE_SHORTED, // and a shorted one far too hot
    PW_ACPATH_PROBE_STUCK,   // keeps the value it has
};

// How the mirror contact lies.
enum pw_acpath_mirror { PW_ACPATH_MIRROR_GOOD, PW_ACPATH_MIRROR_OPEN, PW_ACPATH_MIRROR_CLOSED };

struct pw_acpath_config {
    unsigned phases;    // wired: 1..3
    bool socket;        // a socket with a lock; otherwise a tethered cable
    bool mirror;        // the contactor has a mirror contact
    bool load_sense;    // the voltage behind the contactor is measured
    bool rcd;           // fitted
    bool rcd_hardwired; // and cuts the coil by itself
    double volt;        // nominal, phase to neutral
    double hertz;
    double temp_c;
    uint64_t seed;
};

// Things that must never happen, and wear, counted as they do: for the outside observer.
struct pw_acpath_wear {
    uint32_t closings;      // of the contacts
    uint32_t opened_loaded; // contacts parted while more than PW_ACPATH_LOADED_A flowed
    uint32_t pulled_loaded; // plug pulled while more than that flowed
};

struct pw_acpath {
    struct pw_acpath_config config;
    struct pw_noise noise;
    // What people and accidents set.
    double volt[PW_BOARD_PHASES]; // 0: the phase is missing
    double hertz;
    bool weld[PW_BOARD_PHASES]; // this pole will not open again once it has closed
    bool stuck_open;            // the contactor does not close
    enum pw_acpath_mirror mirror;
    bool jam; // the lock's motor does not move
    double leak_ac_ma;
    double leak_dc_ma;
    bool rcd_deaf;  // the test winding is broken: no answer to a test
    bool rcd_stuck; // always says tripped
    bool earth_lost;
    bool estop;
    double forced_k[PW_BOARD_PROBES]; // heat from elsewhere
    enum pw_acpath_probe probe[PW_BOARD_PROBES];
    double ambient_c;
    // What is.
    bool powered;
    bool commanded; // contactor line of the board
    bool cut;       // by the residual current device, until the board lets go
    bool coil;      // and what the coil gets after RCD and emergency stop
    bool closed[PW_BOARD_PHASES];
    pw_ms moves_at;    // contacts follow the coil then; PW_NEVER
    unsigned bounces;  // still to come
    bool lock_on;      // commanded
    double lock_place; // 0 open .. 1 closed
    pw_ms lock_at;
    bool test;
    bool tripped;
    pw_ms trips_at; // the RCD changes its mind then; PW_NEVER
    double rise_k;  // of what the current warms
    int32_t probe_dc[PW_BOARD_PROBES];
    struct pw_acpath_wear wear;
    pw_ms now;
};

void pw_acpath_init(struct pw_acpath *path, const struct pw_acpath_config *config, pw_ms now);

// The lines of the board.
void pw_acpath_drive(struct pw_acpath *path, bool contactor, bool lock, bool test);

// Integrates up to `now` while `amps` flow, moves what is to move. Returns when it wants to run
// next; PW_NEVER when only a change can move it.
pw_ms pw_acpath_step(struct pw_acpath *path, const double amps[PW_BOARD_PHASES], pw_ms now);

bool pw_acpath_any_closed(const struct pw_acpath *path);
// Volts behind the contactor on phase 0..2.
double pw_acpath_load_volt(const struct pw_acpath *path, unsigned phase);
enum pw_board_contact pw_acpath_contact(const struct pw_acpath *path);
enum pw_board_lock pw_acpath_lock(const struct pw_acpath *path);

#endif
