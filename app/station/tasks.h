// tasks: what pilotwire-station does instead of running a station: secrets into the vault, another
// key of the device, factory reset.
#ifndef PW_STATION_APP_TASKS_H
#define PW_STATION_APP_TASKS_H

#include "log.h"
#include "options.h"
#include "settings/settings.h"

// Whether the options ask for one of them.
bool task_wanted(const struct options *options);
// Does it, and says what it did on standard output. PW_OK, or an error with one sentence in *why.
PW_MUST_USE int task_run(const struct options *options, const struct pw_settings *settings,
                         const struct pw_log *log, struct pw_out *why);

// Forgets everything but what belongs to the hardware and the installed programs
// (doc/security.md). PW_ERR_BUSY unless `forget`, while charges are not told; nothing is gone then.
PW_MUST_USE int factory_reset(const struct options *options, bool forget, const struct pw_log *log,
                              struct pw_out *why);
// A reset that a power cut interrupted goes on. PW_OK also when there is none.
PW_MUST_USE int factory_reset_resume(const struct options *options, struct pw_out *why);

#endif
