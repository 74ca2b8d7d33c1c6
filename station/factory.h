// factory: what a factory reset wants of the rooms. The files are the program's.
#ifndef PW_STATION_FACTORY_H
#define PW_STATION_FACTORY_H

#include "station.h"

// Asks for it: the program ends its run with PW_RESTART_FACTORY. `name` must be the station's id,
// so that nobody does it by mistake, or to another station. PW_ERR_RANGE, or PW_ERR_BUSY while
// charging, while a program is being installed, or, unless `forget`, while the central system has
// not been told of all charges; with one sentence in *why.
PW_MUST_USE int pw_station_factory_reset(struct pw_station *st, struct pw_str name, bool forget,
                                         struct pw_out *why, pw_ms now);

// Writes to a new journal what outlives a reset: fault latches, energy registers, and as the first
// event of its security log that the one before was cleared. PW_ERR_BUSY as above, or an error of
// the stores; with one sentence in *why.
PW_MUST_USE int pw_factory_carry(struct pw_journal *from, struct pw_journal *to, bool forget,
                                 const struct pw_log *log, struct pw_out *why);

#endif
