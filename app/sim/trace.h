// trace: a recorded house from a file with the columns time,L1,L2,L3.
#ifndef PW_SIM_TRACE_H
#define PW_SIM_TRACE_H

#include "houseworld/houseworld.h"

#define PW_SIM_TRACE_MAX 1000000 // samples: eleven days of seconds

// *samples is the caller's, for free(). On an error `reason` names the file and the line.
PW_MUST_USE int pw_sim_trace_read(const char *path, struct pw_world_house_sample **samples,
                                  struct pw_world_trace *trace, struct pw_out *reason);

#endif
