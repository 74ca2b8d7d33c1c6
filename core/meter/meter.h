// meter: samples of voltage and current become energy. Integers only; the remainder of every
// division is carried, so that nothing drifts. Energy is counted only between two good samples that
// follow each other: a silent gap adds nothing, and nothing implausible is counted.
// Sources: facts/reliability.md §3.1 (energy register), facts/dc-can.md §1.1 (ranges).
#ifndef PW_METER_H
#define PW_METER_H

#include "base/base.h"

// Zero means the default.
struct pw_meter_config {
    int32_t min_mv;         // least plausible voltage; default 56000
    int32_t max_mv;         // most plausible voltage; default 85500
    int32_t max_ma;         // most plausible current; default 300000
    int32_t start_ma;       // a current below this, either way, counts as none; default 50
    int32_t jump_mv;        // a step above this needs a second sample; default 15000
    int32_t jump_ma;        // the same for the current; default 150000
    int32_t gap_ms;         // longest time between two samples that is counted; default 3000
    int32_t checkpoint_ms;  // longest time a counted register stays unsaved; default 60000
    int32_t checkpoint_mwh; // most energy that stays unsaved; default 100000 (100 Wh)
};

// What a sample was worth.
enum pw_meter_quality {
    PW_METER_NONE, // no sample yet
    PW_METER_GOOD,
    PW_METER_RANGE,    // outside min_mv..max_mv or above max_ma
    PW_METER_NEGATIVE, // current flows backwards or voltage is below zero
    PW_METER_JUMP,     // too far from the last one, waiting for a second
    PW_METER_STALE,    // not later than the sample before
};

// What must survive a restart: the register and the part of a milliwatt hour it does not show.
struct pw_meter_register {
    uint64_t energy_mwh;
    uint64_t rest; // in units of 0.5 nJ, below PW_METER_UNITS_PER_MWH
};

#define PW_METER_UNITS_PER_MWH UINT64_C(7200000000) // 1 mWh = 3.6 J; trapezoids count halves

// Adds energy, in units of 0.5 nJ, and carries the remainder. At most 2^63 units at once.
void pw_meter_register_add(struct pw_meter_register *reg, uint64_t units);

// When a register is to be written down: what dc and mains have in common.
struct pw_meter_saving {
    int32_t every_ms;   // longest time a counted register stays unsaved
    int32_t every_mwh;  // most energy that stays unsaved
    uint64_t saved_mwh; // register when it was last saved
    pw_ms saved_at;
};
bool pw_meter_saving_due(const struct pw_meter_saving *saving, uint64_t energy_mwh, pw_ms now);
void pw_meter_saving_done(struct pw_meter_saving *saving, uint64_t energy_mwh, pw_ms now);
// When pw_meter_saving_due turns true by time alone; PW_NEVER while nothing is unsaved.
pw_ms pw_meter_saving_deadline(const struct pw_meter_saving *saving, uint64_t energy_mwh);

struct pw_meter {
    struct pw_meter_config config; // defaults filled in; the last two rule `saving`
    struct pw_meter_register total;
    enum pw_meter_quality quality; // of the last sample
    int32_t mv;                    // last good sample
    int32_t ma;
    pw_ms at;         // its time; PW_NEVER: none, or the one before is no neighbour any more
    int32_t doubt_mv; // a sample that jumped and waits for a second one
    int32_t doubt_ma;
    pw_ms doubt_at; // PW_NEVER: none waits
    struct pw_meter_saving saving;
    uint32_t refused; // samples that were not counted
    uint32_t gaps;    // silences longer than gap_ms
};

// PW_ERR_RANGE when a field is negative, or min_mv is not below max_mv.
PW_MUST_USE int pw_meter_init(struct pw_meter *meter, const struct pw_meter_config *config,
                              pw_ms now);
// New ranges while running; the register stays. Errors as pw_meter_init; nothing changes then.
PW_MUST_USE int pw_meter_configure(struct pw_meter *meter, const struct pw_meter_config *config);

// Whether a register read back may take the place of `now`: PW_ERR_RANGE when its rest is not below
// PW_METER_UNITS_PER_MWH, PW_ERR_BUSY when it would move the register backwards.
PW_MUST_USE int pw_meter_register_check(struct pw_meter_register saved,
                                        struct pw_meter_register now);

// Takes the register over from before a restart. Errors as pw_meter_register_check.
PW_MUST_USE int pw_meter_restore(struct pw_meter *meter, struct pw_meter_register saved, pw_ms now);

// One sample taken at `now`. Counts the trapezoid to the sample before when that is a good one at
// most gap_ms old. Returns what the sample was worth.
enum pw_meter_quality pw_meter_sample(struct pw_meter *meter, int32_t mv, int32_t ma, pw_ms now);

// True when the register should be written down: it has moved and is gap-checked old enough
// (checkpoint_ms) or far enough (checkpoint_mwh).
bool pw_meter_checkpoint_due(const struct pw_meter *meter, pw_ms now);
// The register as it stands was handed to the store.
void pw_meter_checkpointed(struct pw_meter *meter, pw_ms now);
// When pw_meter_checkpoint_due turns true by time alone; PW_NEVER while nothing is unsaved.
pw_ms pw_meter_deadline(const struct pw_meter *meter);

#endif
