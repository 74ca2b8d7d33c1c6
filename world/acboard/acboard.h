// acboard: the board of an AC outlet: pilot driver, converters and meter between the wires and
// struct pw_board_senses. Adds what measuring adds: noise, gain, slew. Speaks when something
// changed, and otherwise as seldom as it may. It has its own watchdog: without a drive for
// PW_BOARD_SILENCE_MS the contactor opens and the pilot goes to F.
// Sources: facts/ac-evse-rapi-load.md §1.1 (levels, 1 kOhm, capacities), §1.4.
#ifndef PW_ACBOARD_H
#define PW_ACBOARD_H

#include "accar/accar.h"
#include "acpath/acpath.h"
#include "analog/analog.h"

#define PW_ACBOARD_LIVELY_MS 300 // reports come quickly for so long after a change
#define PW_ACBOARD_BLOCK     20  // samples of each channel in a block
#define PW_ACBOARD_RATE_HZ   4000

// What one count of the converters is worth.
#define PW_ACBOARD_COUNT_MV    50    // mains voltage
#define PW_ACBOARD_COUNT_MA    5     // mains current
#define PW_ACBOARD_COUNT_CP_MV 8     // pilot
#define PW_ACBOARD_PP_PULL_OHM 330   // pull-up of the proximity contact
#define PW_ACBOARD_PP_OPEN     30000 // its count with nothing plugged; 0 at 0 Ohm

struct pw_acboard_config {
    bool raw;            // mains as blocks of samples, every 5 ms; otherwise as rms values
    pw_ms quick_ms;      // between reports just after a change
    pw_ms rest_ms;       // and otherwise; below the 200 ms after which a board counts as silent
    pw_ms mains_ms;      // least interval of the rms values
    int32_t step_ppm;    // finest step of the pilot's duty
    int32_t cp_noise_mv; // deviation of its converter
    int32_t cp_slew_ns;  // time constant of the pilot's edges: 1 kOhm and the cable's capacity
    int32_t noise_mv;    // deviation of an rms voltage
    int32_t noise_ma;    // and of an rms current
    bool meter;          // it measures mains voltage and current
};

struct pw_acboard {
    struct pw_acboard_config config;
    struct pw_noise noise;
    struct pw_board_drive drive; // as the last one heard, or as the watchdog wants it
    pw_ms heard_at;              // PW_NEVER: no drive yet
    bool dead;                   // without supply: the pilot is nobody's
    bool silent;                 // a fault: obeys, and says nothing
    bool deaf;                   // a fault: speaks, and hears no drive
    bool expired;                // the watchdog has opened
    bool barred;                 // and no drive with the contactor open came since
    pw_ms lively_until;
    pw_ms report_at;
    pw_ms block_at;
    // Since the last mains report.
    pw_ms mains_since;
    double volt_ms[PW_BOARD_PHASES]; // V times ms
    double amp2_ms[PW_BOARD_PHASES]; // A squared times ms
    double joule[PW_BOARD_PHASES];
    struct pw_board_mains mains;
    double angle; // of the grid at the next block's first sample, in periods
};

// What a board file says of such a board.
struct pw_analog_config pw_acboard_calibration(void);

// The pilot's true levels at the board's terminal. `low_mv` is UNKNOWN while there is no low phase.
struct pw_acboard_pilot {
    int32_t high_mv;
    int32_t low_mv;
};

// What driver, 1 kOhm and the car's load make of it. Exact, with the slew of a short high phase.
struct pw_acboard_pilot pw_acboard_pilot(const struct pw_acboard *board,
                                         const struct pw_accar_load *load);

// Without an offer yet and with its watchdog expired.
void pw_acboard_init(struct pw_acboard *board, const struct pw_acboard_config *config, pw_ms now);

// A drive arrived. Takes effect at once.
void pw_acboard_hear(struct pw_acboard *board, const struct pw_board_drive *drive, pw_ms now);

// The watchdog; returns when it will strike, PW_NEVER when it has.
pw_ms pw_acboard_step(struct pw_acboard *board, pw_ms now);

// When the next report or block is due.
pw_ms pw_acboard_due(const struct pw_acboard *board);

// Something to sense has changed: reports at once, and quickly for a while.
void pw_acboard_stir(struct pw_acboard *board, pw_ms now);

// `ms` of mains: volts before the contactor and amperes through it, with this power factor.
struct pw_acboard_flow {
    const double *volt; // PW_BOARD_PHASES of each
    const double *amps;
    double factor;
};
void pw_acboard_measure(struct pw_acboard *board, const struct pw_acboard_flow *flow, pw_ms ms);

// What it senses now. False when no report is due, or it is silent or dead.
bool pw_acboard_senses(struct pw_acboard *board, const struct pw_acpath *path,
                       const struct pw_accar *car, int32_t pp_ohm, struct pw_board_senses *senses);

// The block of samples that is due by now; call until false. Only with `raw`.
bool pw_acboard_block(struct pw_acboard *board, const struct pw_acpath *path,
                      const struct pw_accar *car, int32_t pp_ohm, struct pw_board_block *block);

#endif
