// meterworld: an energy meter with something behind it: voltages, currents and a power factor by
// command, a register that counts, and the ways in which meters fail. What it shows is its truth
// with a little ripple, as nothing real stands quite still.
#ifndef PW_METERWORLD_H
#define PW_METERWORLD_H

#include "board/board.h"

// How it answers; the wire's business.
enum pw_world_meter_mood {
    PW_WORLD_METER_ANSWERS,
    PW_WORLD_METER_SILENT,
    PW_WORLD_METER_REFUSES,
    PW_WORLD_METER_GARBLES,
};

struct pw_world_meter {
    double volt[PW_BOARD_PHASES];
    double ampere[PW_BOARD_PHASES]; // below zero: flows back
    double factor;                  // 0..1
    double hertz;
    double import_wh; // the register; what flows back does not lower it
    bool frozen;      // shows for ever what it showed last
    enum pw_world_meter_mood mood;
    pw_ms now;
    struct pw_board_mains shown;
};

// 230 V, 50 Hz, no current, 1234.5 kWh.
void pw_world_meter_init(struct pw_world_meter *meter, pw_ms now);

// Counts up to `now`, and makes a new reading every 100 ms: `shown`. Returns when the next is due.
pw_ms pw_world_meter_step(struct pw_world_meter *meter, pw_ms now);

// One command; errors say in `answer` what would be allowed.
PW_MUST_USE int pw_world_meter_run(struct pw_world_meter *meter, struct pw_str line,
                                   struct pw_out *answer);
void pw_world_meter_help(struct pw_out *out);
// The truth as one JSON object.
void pw_world_meter_print(const struct pw_world_meter *meter, struct pw_out *out);

#endif
