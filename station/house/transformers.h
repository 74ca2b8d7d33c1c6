// transformers: current transformers at the house's supply, read by a small front-end of their own
// (setting metering.house_meter, "ct:…"). Pure: blocks of samples, or ready-made values, become
// readings of the house; phases without a transformer (house.cts) are unmetered, and a channel that
// stands still or is stuck is no reading. With the voltages sampled too the currents have a sign.
// Sources: facts/ac-evse-rapi-load.md §3.1 (set_calibration, set_cte), §3.5 (calibration).
#ifndef PW_HOUSE_TRANSFORMERS_H
#define PW_HOUSE_TRANSFORMERS_H

#include "analog/analog.h"

// What a count is worth without a board file: the transformer's burden in steps of 100 microvolt,
// the voltage inputs in steps of 50 millivolt of the mains.
#define PW_HOUSE_CT_COUNT_UV   100
#define PW_HOUSE_VOLT_COUNT_NV 50000000

struct pw_house_transformers {
    struct pw_analog analog;
    uint8_t fitted; // bits of the phases that carry one
    uint8_t moved;  // bits of the phases whose channel has moved within the window
    pw_ms told_at;  // ready-made values were of then; PW_NEVER: none yet
};

// The phases behind the words of house.cts, by its number: none, 1, 2, 3, 12, 13, 23, 123.
unsigned pw_house_transformers_phases(int32_t choice);

// scale: ampere for each 10 V of the burden (house.ct_scale). With `calibration` (a board file's,
// gain for each channel) that counts instead; NULL: the plain one. PW_ERR_RANGE: `fitted` is empty,
// or the calibration cannot be.
PW_MUST_USE int pw_house_transformers_init(struct pw_house_transformers *transformers,
                                           unsigned fitted, int32_t scale,
                                           const struct pw_analog_config *calibration);

// A block of raw samples, or the mains values of a front-end that does the arithmetic itself. True
// when *reading is a new one (about five a second).
bool pw_house_transformers_block(struct pw_house_transformers *transformers,
                                 const struct pw_board_block *block, struct pw_board_mains *reading,
                                 pw_ms now);
bool pw_house_transformers_mains(struct pw_house_transformers *transformers,
                                 const struct pw_board_mains *mains,
                                 struct pw_board_mains *reading);

#endif
