// mains: readings of a three-phase source (the outlet's own inputs, or a meter on Modbus) become
// energy registers, in total and for each phase, and the picture of the phases. Integers only, all
// remainders carried; counts with the registers of core/meter and under the same rules: a silent
// gap adds nothing, nothing implausible is counted, the register goes to the store every 60 s and
// every 100 Wh. Sources: facts/reliability.md §3.1 (energy register), F24 (a meter that lies),
// facts/ac-evse-rapi-load.md §3.6 (phase mapping).
#ifndef PW_MAINS_H
#define PW_MAINS_H

#include "board/board.h"
#include "meter/meter.h"

// Which phase of the grid feeds L1, L2, L3 of the outlet, as OCPP 1.6 ConnectorPhaseRotation
// writes it: RTS says L1 hangs on R (the grid's first), L2 on T (its third), L3 on S.
#define PW_MAINS_ROTATIONS(X)                                                                      \
    X(RST, 0, 1, 2)                                                                                \
    X(RTS, 0, 2, 1)                                                                                \
    X(SRT, 1, 0, 2)                                                                                \
    X(STR, 1, 2, 0)                                                                                \
    X(TRS, 2, 0, 1)                                                                                \
    X(TSR, 2, 1, 0)

#define PW_MAINS_ROTATION_ID(name, l1, l2, l3) PW_MAINS_##name,
enum pw_mains_rotation { PW_MAINS_ROTATIONS(PW_MAINS_ROTATION_ID) PW_MAINS_ROTATION_COUNT };
#undef PW_MAINS_ROTATION_ID

// "RST"... Never NULL.
const char *pw_mains_rotation_name(enum pw_mains_rotation rotation);
// PW_ERR_UNKNOWN when it is none of the six; *rotation is left alone.
PW_MUST_USE int pw_mains_rotation_of(struct pw_str text, enum pw_mains_rotation *rotation);
// The phase of the grid (0..2) behind a phase of the outlet (0..2), and the other way round.
unsigned pw_mains_grid_phase(enum pw_mains_rotation rotation, unsigned outlet_phase);
unsigned pw_mains_outlet_phase(enum pw_mains_rotation rotation, unsigned grid_phase);

// Zero means the default.
struct pw_mains_config {
    uint8_t phases;                  // 1 or 3; default 3. With 1 only the first is looked at
    enum pw_mains_rotation rotation; // default RST
    int32_t max_mv;                  // most plausible voltage of a phase; default 300000
    int32_t max_ma;                  // most plausible current of a phase; default 100000
    int32_t back_mw;   // most a phase may give back and still be plausible: noise of a sensor
                       // for an outlet, photovoltaics for a house; default 50000 (50 W)
    int32_t start_ma;  // a current below this counts as none, and its power too; default 50
    int32_t use_ma;    // a phase is in use from here on (below half of it no more); default 2000
    int32_t use_ms;    // for so long; default 2000
    int32_t gap_ms;    // longest time between two readings that is counted; default 5000
    int32_t frozen_ms; // current flows and nothing at all, no voltage, no register, has
                       // changed by a single unit for this long: frozen; default 120000
    int32_t checkpoint_ms;  // longest time a counted register stays unsaved; default 60000
    int32_t checkpoint_mwh; // most energy that stays unsaved; default 100000 (100 Wh)
};

// What a reading was worth.
#define PW_MAINS_QUALITIES(X)                                                                      \
    X(NONE, "none")         /* no reading yet                                             */       \
    X(GOOD, "good")         /*                                                            */       \
    X(STALE, "stale")       /* not later than the one before, or from the future          */       \
    X(RANGE, "range")       /* voltage, current or frequency nobody believes              */       \
    X(NEGATIVE, "negative") /* gives back more than back_mw: a reversed transformer       */       \
    X(POWER, "power")       /* more power than voltage times current                      */       \
    X(FROZEN, "frozen")     /* current flows and nothing moves                            */       \
    X(EMPTY, "empty")       /* neither power, nor current, nor a register                 */

#define PW_MAINS_QUALITY_ID(name, text) PW_MAINS_##name,
enum pw_mains_quality { PW_MAINS_QUALITIES(PW_MAINS_QUALITY_ID) PW_MAINS_QUALITY_COUNT };
#undef PW_MAINS_QUALITY_ID

// "good"... Never NULL.
const char *pw_mains_quality_name(enum pw_mains_quality quality);

struct pw_mains {
    struct pw_mains_config config; // defaults filled in
    // Lifetime. With a register in the source `total` follows that, and the phases, counted from
    // power and time, need not add up to it; without, `total` is what the phases add up to.
    struct pw_meter_register total;
    struct pw_meter_register phase[PW_BOARD_PHASES];
    struct pw_meter_saving saving;
    enum pw_mains_quality quality; // of the last reading
    struct pw_board_mains good;    // last good reading; at PW_NEVER: none
    bool neighbour;                // `good` may be joined to the next one
    struct pw_board_mains last;    // last reading of all, to see whether it moves
    pw_ms moved_at;                // when anything in it last changed
    int64_t import_mwh;            // the source's register as last believed; -1: none
    pw_ms import_at;               // when
    struct {
        bool on;     // in use
        pw_ms since; // the current is on the other side of the threshold since; PW_NEVER: it is not
    } use[PW_BOARD_PHASES];
    uint8_t ever_used;        // bits of the phases used since pw_mains_forget_use
    uint32_t refused;         // readings that were not counted
    uint32_t gaps;            // silences longer than gap_ms
    uint32_t jumps;           // times the source's register went back or further than it can
    uint32_t disagreements;   // times register and phases differed by more than a tenth over a kWh
    int64_t apart_import_mwh; // both since they were last compared
    struct pw_meter_register apart_phases; //
};

// PW_ERR_RANGE when a field is negative, phases is neither 1 nor 3, max_mv is above 2 kV, max_ma
// or back_mw above 2 kA and 1 MW, or gap_ms above a minute.
PW_MUST_USE int pw_mains_init(struct pw_mains *mains, const struct pw_mains_config *config,
                              pw_ms now);
// New ranges while running; the registers stay. Errors as pw_mains_init; nothing changes then.
PW_MUST_USE int pw_mains_configure(struct pw_mains *mains, const struct pw_mains_config *config);

// One reading, taken at reading->at. Counts the power since the reading before, or how far the
// source's own register has come (over a gap too: the meter went on counting). A register that
// jumps further than max_mv, max_ma and the time allow, or back, is taken as the new start and
// power times time counted instead. A phase without power counts volts times amperes. Returns what
// the reading was worth; a bad one changes no register.
enum pw_mains_quality pw_mains_read(struct pw_mains *mains, const struct pw_board_mains *reading,
                                    pw_ms now);

// The next reading is not joined to the last by power, however soon it comes: what flowed between
// them is not known. A register of the source's own counts on.
void pw_mains_part(struct pw_mains *mains);

// Which phases the vehicle uses is asked anew from here on: call it when the vehicle goes.
void pw_mains_forget_use(struct pw_mains *mains);

// What must last. The phases' registers may be left out (zero) where only one is stored.
struct pw_mains_keep {
    struct pw_meter_register total;
    struct pw_meter_register phase[PW_BOARD_PHASES];
};
struct pw_mains_keep pw_mains_keep(const struct pw_mains *mains);
// Errors as pw_meter_restore, for any of the four; nothing changes then.
PW_MUST_USE int pw_mains_restore(struct pw_mains *mains, const struct pw_mains_keep *keep,
                                 pw_ms now);
bool pw_mains_checkpoint_due(const struct pw_mains *mains, pw_ms now);
void pw_mains_checkpointed(struct pw_mains *mains, pw_ms now);
pw_ms pw_mains_deadline(const struct pw_mains *mains); // of the checkpoint; PW_NEVER: none

// What a report, a page or a limit may want. Values of the outlet's phases L1, L2, L3.
struct pw_mains_view {
    bool fresh; // the last good reading is at most gap_ms old; else all values are UNKNOWN
    enum pw_mains_quality quality; // of the last reading, good or not
    pw_ms at;                      // of the last good reading; PW_NEVER: none
    uint8_t phases;                // 1 or 3
    enum pw_mains_rotation rotation;
    int32_t mv[PW_BOARD_PHASES];
    int32_t ma[PW_BOARD_PHASES]; // below start_ma: 0
    int32_t mw[PW_BOARD_PHASES]; // volts times amperes where the source has no power
    int32_t mhz;
    int64_t power_mw;    // all phases; 0 while not fresh
    int32_t max_ma;      // of the phase that carries most; UNKNOWN: none known
    uint8_t missing;     // bits of the phases without a current
    uint8_t used;        // bits of the phases in use now
    uint8_t ever_used;   // and since the vehicle came
    uint64_t energy_mwh; // lifetime
    uint64_t phase_energy_mwh[PW_BOARD_PHASES];
};
void pw_mains_view(const struct pw_mains *mains, struct pw_mains_view *view, pw_ms now);

#endif
