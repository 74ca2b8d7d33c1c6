// acscenario: what happens at a simulated AC outlet, as lines of text: `plug`, `car slow`,
// `weld l1`, `leak dc 8`, `grid l2 0`, `card 04A1B2C3`. One row a command; the same rows serve
// pilotwire-sim and the tests.
#ifndef PW_ACSCENARIO_H
#define PW_ACSCENARIO_H

#include "acworld/acworld.h"
#include "scenario/scenario.h"

// As pw_scenario_run, for an AC outlet. The world must be stepped at once afterwards.
PW_MUST_USE int pw_acscenario_run(struct pw_world_ac *world, struct pw_str line,
                                  struct pw_out *answer);

// The list of commands with their meaning, one a line.
void pw_acscenario_help(struct pw_out *out);

#endif
