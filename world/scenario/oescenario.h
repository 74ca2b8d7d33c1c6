// oescenario: what happens at a simulated OpenEVSE board and in the house around it, as lines of
// text: `plug`, `reboot`, `leak ac 30`, `house l1 20`, `meter frozen`. One row a command; the same
// rows serve pilotwire-sim and the tests.
#ifndef PW_OESCENARIO_H
#define PW_OESCENARIO_H

#include "oeworld/oeworld.h"
#include "scenario/scenario.h"

// As pw_scenario_run, for an OpenEVSE board. The world must be stepped at once afterwards.
PW_MUST_USE int pw_oescenario_run(struct pw_world_oe *world, struct pw_str line,
                                  struct pw_out *answer);

// The list of commands with their meaning, one a line.
void pw_oescenario_help(struct pw_out *out);

#endif
