// clamps: the house's current transformers on a front-end line, in the loop. Opened again when the
// line is lost; samples become readings of the house in station/house/transformers.
#ifndef PW_APP_STATION_CLAMPS_H
#define PW_APP_STATION_CLAMPS_H

#include "board/hardware.h"
#include "house/transformers.h"
#include "loop.h"
#include "station.h"

struct clamps {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    bool on; // the settings name one
    struct pw_board_file file;
    bool own_scale; // no board file with gains: house.ct_scale counts
    int32_t scale;  // as the transformers have it
    struct pw_house_transformers transformers;
    struct pw_hardware *hardware; // NULL: away
    struct pw_watch watch;
    pw_ms reopen_at;
    bool complained; // about this loss
    bool more;       // was not read to the end
};

// Whether a line or file of that name can be: PW_OK, or PW_ERR_RANGE with what is wrong in *why.
PW_MUST_USE int clamps_check(struct pw_str where, struct pw_out *why);

// `where` is what follows "ct:" in metering.house_meter: a line, or a board file (*.yaml) whose
// calibration counts; a relative name counts from the folder of `config`. A line that is not there
// is tried again; what can never be is PW_ERR_RANGE with one sentence in *why.
PW_MUST_USE int clamps_open(struct clamps *clamps, const struct pw_settings *settings,
                            const char *config, struct pw_str where, struct pw_out *why);
void clamps_close(struct clamps *clamps);            // harmless when nothing was opened
pw_ms clamps_step(struct clamps *clamps, pw_ms now); // returns when it wants to be called next

#endif
