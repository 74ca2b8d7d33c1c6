// analog: raw samples of an outlet's eight analog inputs become values with units: true rms and
// active power of three phases, frequency, pilot voltage, proximity resistance. Integers only.
// Every sum is exact; a window is a whole number of mains periods, cut at the interpolated zero
// crossings of one phase, so that neither frequency nor a DC offset shows in the result.
// Sources: facts/ac-evse-rapi-load.md §1.1, §1.4, §4 (board data).
#ifndef PW_ANALOG_H
#define PW_ANALOG_H

#include "board/board.h"

#define PW_ANALOG_RATE_MIN_HZ 1000
#define PW_ANALOG_RATE_MAX_HZ 16000
#define PW_ANALOG_LAG_MAX_NS  1000000 // 18 degrees at 50 Hz, either way
#define PW_ANALOG_PP_OPEN_OHM 10000   // from here on the proximity circuit counts as open
#define PW_ANALOG_POINTS      8
#define PW_ANALOG_HISTORY     48 // samples kept of each channel to shift it against another

// One of the six mains inputs.
struct pw_analog_input {
    int32_t gain_nano; // nanovolt or nanoampere of the mains for one count; negative turns a
                       // current transformer that was put on the wrong way round; 0: not fitted
    int32_t zero;   // count without a signal: only where the search for the zero crossing begins,
                    // the mean of each window is taken off in any case
    int32_t lag_ns; // how much older than its sample time the value is (transformer, filter,
                    // sampling one after another); -LAG_MAX..LAG_MAX
};

// Straight lines through measured points, counts rising; beyond the ends the outer line goes on.
// Two points are a plain divider. No points: not measured.
struct pw_analog_curve {
    uint8_t points; // 0, or 2..PW_ANALOG_POINTS
    struct {
        int16_t count;
        int32_t value; // mV
    } point[PW_ANALOG_POINTS];
};

struct pw_analog_config {
    struct pw_analog_input volt[PW_BOARD_PHASES];
    struct pw_analog_input ampere[PW_BOARD_PHASES];
    int16_t rail_low;  // counts where the converter ends; both 0: -32768 and 32767
    int16_t rail_high; //
    struct pw_analog_curve cp;
    // Proximity: a pull-up to a reference, the cable's resistor to earth.
    int32_t pp_pull_up_ohm; // 0: not measured; else 10..100000
    int16_t pp_short;       // count at 0 ohm
    int16_t pp_open;        // count of an open circuit; above pp_short
    int32_t window_ms;      // the window ends with the first period after this; default 190
};

// Sums over a stretch of samples; each sample counts 256 times, those at the ends by their share.
struct pw_analog_sums {
    int32_t weight; // 256 a sample
    struct {
        int64_t v;  // the voltage channel
        int64_t vv; //
        int64_t i;  // the current channel
        int64_t ii; //
        int64_t w;  // the one of the two that was shifted in time against the other
        int64_t wx; // it, times the other
    } phase[PW_BOARD_PHASES];
};

// A value that is new after a block: bits of pw_analog_block's answer.
#define PW_ANALOG_PERIOD 1U // `fast`
#define PW_ANALOG_WINDOW 2U // `mains`

// Bits of the channels in `clipped` and `dead`: voltages, then currents.
#define PW_ANALOG_VOLT(phase)   (1U << (phase))
#define PW_ANALOG_AMPERE(phase) (1U << (PW_BOARD_PHASES + (phase)))

struct pw_analog {
    struct pw_analog_config config; // defaults filled in

    // What it has found. `mains` is the mean over about 200 ms, `fast` over the last period (for
    // the over-current cut-off); import_mwh is -1 in both. at is PW_NEVER before the first.
    struct pw_board_mains mains;
    struct pw_board_mains fast;
    pw_ms at;           // of the last block; PW_NEVER: none
    int32_t cp_high_mv; // of the last block; UNKNOWN: not measured
    int32_t cp_low_mv;  //
    int32_t pp_ohm;     //
    // Of the last window: channels that were cut off at a rail (two samples running), and channels
    // that did not move at all although the mains are there. A channel stuck at a rail reads
    // UNKNOWN, one that is still anywhere else reads 0.
    uint8_t clipped;
    uint8_t dead;
    uint32_t refused; // blocks that made no sense
    uint32_t breaks;  // times the stream of samples was interrupted

    // Inside.
    uint32_t rate_hz;
    struct {
        uint8_t whole;       // samples the leading channel of the phase is delayed by
        int16_t tap[4];      // and the fraction of a sample: weights in 1/16384
        bool ampere_delayed; // else the voltage is
    } shift[PW_BOARD_PHASES];
    int16_t history[2 * PW_BOARD_PHASES][PW_ANALOG_HISTORY];
    uint32_t head; // next place in history
    struct pw_analog_sums period;
    struct pw_analog_sums window;
    uint32_t periods;  // whole ones in `window`
    bool whole;        // `period` began at a zero crossing
    bool crossings;    // so did and ended all in `window`
    uint8_t young;     // samples until the history is full
    uint8_t reference; // the phase whose zero crossings cut
    int32_t smooth;    // low-pass of the reference, 1/256 count
    int32_t middle;    // its zero, 1/256 count
    int32_t level;     // half-wave it must pass before a crossing counts, 1/256 count
    bool armed;        // it was below -level since the last crossing
    struct {
        int16_t least;
        int16_t most;
        int16_t last;
        bool clipped;
    } seen[2 * PW_BOARD_PHASES]; // in the window
};

// PW_ERR_RANGE: lag_ns or window_ms (20..1000) out of range, a curve whose counts do not rise or
// with one point or too many, pull-up or its counts out of range, rails the wrong way round.
// Nothing changes then.
PW_MUST_USE int pw_analog_init(struct pw_analog *analog, const struct pw_analog_config *config);

// Takes a block. PW_ANALOG_... bits of what is new, 0 for none; cp_high_mv, cp_low_mv and pp_ohm
// are new after every block. PW_ERR_RANGE (and nothing changed but `refused`) for more than
// PW_BOARD_BLOCK_MAX samples, a block from the future, or a rate out of range while there are
// samples. After a silence of
// 50 ms more than the block spans, or at another rate, all sums start again. Cost: about 50
// multiplications a sample of all six, 0.05 us on a PC.
PW_MUST_USE int pw_analog_block(struct pw_analog *analog, const struct pw_board_block *block,
                                pw_ms now);

// Enters what was measured into a board's senses: at, cp_high_mv, cp_low_mv, pp_ohm and mains.
void pw_analog_sense(const struct pw_analog *analog, struct pw_board_senses *senses);

#endif
