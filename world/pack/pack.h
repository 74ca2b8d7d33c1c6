// pack: a lithium battery as seen from its two terminals. Open-circuit voltage from a table, a
// series resistance that grows in the cold, two RC pairs, hysteresis, one thermal lump, and the
// spread between its best and its worst cell. Sources: facts/dc-can.md §6 (measured readings, OCV
// tables, engineering assumptions named there).
//
// Current is positive while charging. Volts, amperes, kelvin-sized degrees Celsius as doubles: this
// is physics, not control.
#ifndef PW_PACK_H
#define PW_PACK_H

#include "noise/noise.h"

enum pw_pack_chemistry {
    PW_PACK_LFP23, // 23 cells of lithium iron phosphate: 84 V full, what the seed's readings fit
    PW_PACK_NMC20, // 20 cells of NMC 811: 84 V full as well, 81 V at 83 %
    PW_PACK_CHEMISTRIES
};

struct pw_pack_point {
    double soc; // 0..1
    double volt;
};

#define PW_PACK_POINTS_MAX 24

// What a chemistry is: one row of a table.
struct pw_pack_kind {
    const char *name;
    unsigned cells;
    double hysteresis_v;   // each cell, between charging and rest
    double cell_taper_v;   // the BMS begins to lower its current here
    double cell_full_v;    // and ends here
    double cell_trip_v;    // overvoltage: the BMS opens its charge MOSFET
    double cell_release_v; // and closes it again below this
    size_t points;
    struct pw_pack_point ocv[PW_PACK_POINTS_MAX]; // rising SOC
};

struct pw_pack_config {
    enum pw_pack_chemistry chemistry;
    uint32_t capacity_mah; // resistance, RC pairs and thermal mass scale with it (60 mOhm at 30 Ah)
    double soc;            // 0..1
    double temp_c;         // pack and surroundings
    double discharged_ah;  // in its life so far
    uint64_t seed;         // cell spread
};

struct pw_pack {
    const struct pw_pack_kind *kind;
    double capacity_as;
    double soc; // may pass 1 by a little: 1 is "full" by definition, not a wall
    double hysteresis_v;
    double v1, v2; // over the RC pairs, whole pack
    double temp_c;
    double ambient_c;
    double heater_w;     // set by the BMS; fed from the pack itself
    double high_cell_v;  // the highest cell above the mean
    double weak_cell;    // the weakest cell's missing capacity, 0..1
    double r_size;       // 30 Ah / capacity
    double r0_ohm;       // at the present temperature
    double charge_as;    // ever charged, after coulombic efficiency
    double discharge_as; // ever discharged
    double chemical_j;   // put into the cells' open-circuit voltage since the start
    double heat_j;       // lost in resistances and hysteresis since the start
    // Kept between steps because they rarely change.
    unsigned segment;       // of the OCV table
    double slope_v, base_v; // ocv = base_v + slope_v * soc within the segment
    uint32_t step_ms;       // the factors below belong to this step
    double decay1, decay2;  // of the RC pairs
    uint32_t since_heat_ms; // thermal lump and R0 are refreshed once a second
    double heat_since_j;    // heat since then
};

const struct pw_pack_kind *pw_pack_kind(enum pw_pack_chemistry chemistry);

void pw_pack_init(struct pw_pack *pack, const struct pw_pack_config *config);

// Puts the pack at rest at this state of charge (0..1). The lifetime counters keep their difference
// in step, as if somebody had ridden or charged elsewhere.
void pw_pack_set_soc(struct pw_pack *pack, double soc);

// Puts pack and surroundings at this temperature.
void pw_pack_set_temperature(struct pw_pack *pack, double temp_c);

// Lets `current_a` flow for `ms` (1..60,000): exact for the RC pairs, first order for the rest.
// About 10 ns; a change of `ms` costs two exponentials.
void pw_pack_step(struct pw_pack *pack, double current_a, uint32_t ms);

// Terminal voltage without the drop over R0: what stands at the terminals when no current flows.
double pw_pack_emf(const struct pw_pack *pack);

// Terminal voltage while `current_a` flows.
double pw_pack_voltage(const struct pw_pack *pack, double current_a);

// Highest and lowest cell while `current_a` flows.
double pw_pack_cell_high(const struct pw_pack *pack, double current_a);
double pw_pack_cell_low(const struct pw_pack *pack, double current_a);

// Open-circuit volts of one cell at a state of charge; outside 0..1 the last segment goes on.
double pw_pack_ocv(const struct pw_pack_kind *kind, double soc);

#endif
