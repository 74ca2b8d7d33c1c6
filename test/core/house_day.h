// A day of a house with one charger: trace, car, meters with their delays, a controller, and what
// became of it.
#ifndef PW_HOUSE_DAY_H
#define PW_HOUSE_DAY_H

#include "house_trace.h"

struct day_car {
    const char *name;
    unsigned phases; // bits of the house's phases it loads
    double most_a;   // of its charger
    double taken;    // part of the offer it draws
    double lag_s;    // from a change of the offer until it follows
    double start_s;  // from an offer after a pause until it draws
    double kwh;      // it can take; the last fifth ever slower
};

// What a controller sees each second, and what it answers.
struct day_seen {
    pw_ms now;
    double grid_a[PW_HOUSE_PHASES]; // at the meter, unsigned
    bool back[PW_HOUSE_PHASES];     // what flows, flows back
    double car_a;                   // of the fullest phase, as the charger's own meter has it
    bool energised;
    bool meter_dead; // no reading in this second
};

struct day_controller {
    const char *name;
    double whole_a; // it can only offer multiples of this: so can the best
    void (*begin)(void *own, const struct trace_house *house, const struct day_car *car);
    double (*offer)(void *own, const struct day_seen *seen); // ampere; below 6: none
    void *own;
};

struct day_result {
    double kwh;
    double best_kwh;     // everything the target leaves in each second, at once, from 6 A on
    double above_wh;     // above the target while the car draws, fullest phase
    int over_113_s;      // longest time without a break above 1.13 of the breaker, car drawing
    int over_145_s;      // and above 1.45
    double heat_percent; // of what opens a quick breaker (time constant 60 s, opens at 1.13)
    int cycles;          // times the contactor closed
    int decisions;       // changes of the offer
};

#define DAY_TARGET 0.95 // of the breaker

struct day_result day_run(const struct trace *trace, const struct trace_house *house,
                          const struct day_car *car, struct day_controller *controller);

// The three controllers. Each has its state inside: one at a time.
extern struct day_controller day_ours;         // core/house, whatever the meter's sign
extern struct day_controller day_ours_signed;  // with a meter that has a sign
extern struct day_controller day_ampere;       // whole amperes, as OpenEVSE boards take them
extern struct day_controller day_seed;         // the seed's algorithm, facts §3.3
extern struct day_controller day_proportional; // half the error each second, no pause rules

#endif
