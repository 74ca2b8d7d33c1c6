// program: one run of the station: everything opened, the turn, everything closed.
#ifndef PW_APP_STATION_PROGRAM_H
#define PW_APP_STATION_PROGRAM_H

#include "log.h"
#include "options.h"
#include "settings/settings.h"

enum outcome {
    OUTCOME_END,
    OUTCOME_AGAIN,
    OUTCOME_UPDATED,
    OUTCOME_FACTORY,
    OUTCOME_SETTINGS,
    OUTCOME_FAILED
};

// Runs until a signal ends it (END), the central system asks for a restart (AGAIN: read the files
// again and run again), another program was installed (UPDATED: end, and
// let whoever starts programs start that one on trial), everything is to be forgotten before it
// runs again (FACTORY), a setting turns out to be impossible
// (SETTINGS), or something it cannot do without is missing (FAILED); the last two with one sentence
// in *why.
enum outcome program_run(const struct options *options, const struct pw_settings *settings,
                         const struct pw_clock *clock, struct pw_logger *logger,
                         struct pw_out *why);

#endif
