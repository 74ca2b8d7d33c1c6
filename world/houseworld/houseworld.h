// houseworld: the house around a charging station, at a grain of one second: what its appliances
// draw on each phase (rows with stated statistics, or a recorded trace), the sun on its roof, the
// charger beside them, the sum at the main breaker, and a meter there with the ways in which meters
// lie. Pure: the same seed gives the same house. Units are volt, ampere, watt; a current below zero
// flows back to the grid. Sources: facts/ac-evse-rapi-load.md §3.5 (what load management meets),
// facts/reliability.md F24 (a meter that lies).
#ifndef PW_HOUSEWORLD_H
#define PW_HOUSEWORLD_H

#include "board/board.h"
#include "noise/noise.h"

#define PW_WORLD_HOUSE_APPLIANCES 16
#define PW_WORLD_HOUSE_DAY_S      86400
#define PW_WORLD_HOUSE_RATE_HZ    4000
#define PW_WORLD_HOUSE_BLOCK      40   // samples of each channel: every 10 ms
#define PW_WORLD_HOUSE_PF         0.97 // of everything that is no heater

// An appliance: a row. It is used `per_day` times in the mean, only between the hours `from` and
// `to`, each time for `for_s` seconds (half to one and a half of it), and switches on and off
// meanwhile: `on_s` of every `on_s + off_s` seconds (0 and 0: all the time). `per_day` 0: always in
// use. Its mean energy a day follows: watt * per_day * for_s * on_s / (on_s + off_s).
struct pw_world_appliance {
    const char *word;
    double watt[PW_BOARD_PHASES];
    double per_day;
    unsigned from, to; // hours; `to` 24: midnight
    unsigned for_s;
    unsigned on_s, off_s;
};

size_t pw_world_appliances(void);
// NULL beyond the last.
const struct pw_world_appliance *pw_world_appliance(size_t row);

// One row of a recorded house. The currents are of the house without its charger.
struct pw_world_house_sample {
    uint32_t second; // since the trace's beginning
    float ampere[PW_BOARD_PHASES];
};

struct pw_world_trace {
    const struct pw_world_house_sample *sample; // borrowed; seconds rise
    size_t count;                               // 0: no trace
};

// One line "time,L1,L2,L3": seconds, with or without a fraction, or an RFC 3339 time, and ampere.
// *origin: 0 before the first line, then the first line's time. 1: a sample; 0: an empty line or a
// heading; an error with a sentence in *why.
PW_MUST_USE int pw_world_trace_line(struct pw_str line, int64_t *origin,
                                    struct pw_world_house_sample *sample, struct pw_out *why);

struct pw_world_house_config {
    unsigned phases;             // 1..3
    double volt;                 // at the transformer
    double drop_ohm;             // of the line to the house; its voltage falls with the load
    uint32_t second;             // of the day, at the start
    double scale;                // of all appliances; 0: an empty house
    double pv_w;                 // peak of the roof; 0: none
    bool pv_on[PW_BOARD_PHASES]; // where the inverter feeds in
    double clouds;               // 0 none .. 1 a day of broken clouds
    unsigned charger_on[PW_BOARD_PHASES]; // grid phase (0..2) behind L1, L2, L3 of the charger
    pw_ms meter_ms;                       // between two readings
    double meter_noise;                   // deviation, of the value
    struct pw_world_trace trace;          // instead of appliances
    uint64_t seed;
};

// How the meter is.
enum pw_world_house_mood {
    PW_WORLD_HOUSE_GOOD,
    PW_WORLD_HOUSE_SILENT,   // says nothing
    PW_WORLD_HOUSE_FROZEN,   // says for ever what it said last
    PW_WORLD_HOUSE_ABSURD,   // numbers that cannot be; on MQTT and Modbus floats: not a number
    PW_WORLD_HOUSE_REVERSED, // import shows as export
    PW_WORLD_HOUSE_OPEN,     // the transformer of L1 is open: reads no current
};

// The word of a mood in scenarios; NULL beyond the last.
const char *pw_world_house_mood_name(size_t mood);

struct pw_world_use {
    pw_ms until;    // in use until then; 0: not in use
    pw_ms flips_at; // its thermostat
    bool heats;
};

struct pw_world_house {
    struct pw_world_house_config config;
    struct pw_noise noise;
    struct pw_world_use use[PW_WORLD_HOUSE_APPLIANCES];
    double extra[PW_BOARD_PHASES];     // ampere, by command
    double charger_w[PW_BOARD_PHASES]; // of the grid's phases
    double base_w[PW_BOARD_PHASES];    // appliances or trace, now
    double base_var[PW_BOARD_PHASES];
    double pv_now; // all phases
    double cloud;  // 0..1: what passes now
    double cloud_to;
    pw_ms cloud_at;
    pw_ms started;
    pw_ms second_at;  // the next whole second
    pw_ms metered_at; // the next reading
    pw_ms read_at;    // the last one, frozen or not; PW_NEVER: none
    pw_ms now;
    double import_wh, export_wh; // true
    size_t place;                // in the trace
    enum pw_world_house_mood mood;
    struct pw_board_mains shown; // by the meter
};

// What is true at the main breaker.
struct pw_world_grid {
    double volt[PW_BOARD_PHASES];
    double watt[PW_BOARD_PHASES];    // below zero: to the grid
    double ampere[PW_BOARD_PHASES];  // with the sign of the power
    double house_a[PW_BOARD_PHASES]; // the same without the charger
};

// Three phases of 230 V, half past five in the afternoon, all appliances, no roof, charger on RST,
// a reading a second with 0.3 % noise.
struct pw_world_house_config pw_world_house_defaults(void);

void pw_world_house_init(struct pw_world_house *house, const struct pw_world_house_config *config,
                         pw_ms now);

// Lets it run up to `now`; returns when it wants to run next: each second, and each reading. About
// 1 us a second.
pw_ms pw_world_house_step(struct pw_world_house *house, pw_ms now);

// What the charger draws on its L1, L2, L3 from now on, in watt.
void pw_world_house_charger(struct pw_world_house *house, const double watt[PW_BOARD_PHASES],
                            pw_ms now);

struct pw_world_grid pw_world_house_grid(const struct pw_world_house *house);

// Second of the day.
uint32_t pw_world_house_second(const struct pw_world_house *house);

// The reading of the meter, made at shown.at; NULL: it says nothing.
const struct pw_board_mains *pw_world_house_meter(const struct pw_world_house *house);

// Current transformers and voltage inputs at the main breaker, and their converter.
struct pw_world_clamps {
    struct pw_noise noise;
    double angle; // of the grid, in periods
};

void pw_world_clamps_init(struct pw_world_clamps *clamps, uint64_t seed);

// The block of PW_WORLD_HOUSE_BLOCK samples that ends at `at`. Currents in counts of 2.77 mA (50 A
// at 1 V, steps of 0.1 mV), voltages in counts of 50 mV, each with the noise of a converter. False:
// the meter says nothing.
bool pw_world_clamps_block(struct pw_world_clamps *clamps, const struct pw_world_house *house,
                           pw_ms at, struct pw_board_block *block);

#endif
