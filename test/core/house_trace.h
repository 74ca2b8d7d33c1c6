// Household traces with a 1 s grain for the tests of core/house: a generator with stated
// statistics, and a reader for recorded houses (CSV with the columns time,L1,L2,L3 in ampere).
#ifndef PW_HOUSE_TRACE_H
#define PW_HOUSE_TRACE_H

#include "house/house.h"

#include <stdio.h>

#define TRACE_DAY 86400

// What the house draws besides its charger, each second of a day. Below zero: given back.
struct trace {
    int seconds;
    double amps[TRACE_DAY][PW_HOUSE_PHASES];
};

// What lives in the house. Every day: a base of 0.3 to 0.9 A a phase with noise (first-order,
// 10 s, 0.1 A), a fridge (0.7 A, a third of the time, 6 A for the first second). Counts a day of
// the rest follow Poisson's law, at times weighted to morning and evening:
struct trace_house {
    const char *name;
    double breaker_a;
    double kettles;    // 8.7 A for 2 to 4 min, on any phase
    double ovens;      // 11 A on L2: 10 min, then 45 min of 60 s on, 90 s off
    double hobs;       // 3 to 10 A on L1 and L3, chopped every 4 to 12 s, 25 min
    double machines;   // washing and drying: 9 A for 20 min, then 1.5 A for an hour, L3
    double heat_pumps; // three-phase, 5 A, 20 min of 60; 1: there is one
    double heaters;    // instantaneous water heater, three-phase 20 A, 3 to 8 min
    double solar_a;    // peak of the roof on each phase, under clouds
};

void trace_make(struct trace *trace, const struct trace_house *house, uint64_t seed);
// Lines that are no numbers are skipped; `time` is in seconds from the first row or any other
// number: rows are taken a second apart. Returns the rows read, at most a day.
int trace_load(struct trace *trace, FILE *file);

#endif
