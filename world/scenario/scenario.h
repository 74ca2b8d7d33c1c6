// scenario: what happens to a simulated charge, as lines of text: `plug`, `bms silent`,
// `rectifier alarm ovp`, `bus off 1`, `card 04A1B2C3`. One row a command; the same rows serve
// pilotwire-sim's standard input, its control socket and the tests.
#ifndef PW_SCENARIO_H
#define PW_SCENARIO_H

#include "dcworld/dcworld.h"

#define PW_SCENARIO_ANSWER_MAX 4096

// Runs one line at the world's present time. `answer` gets one line (`help`: several): "ok", the
// JSON object of `status`, or why it was refused, naming the value and the allowed ones. PW_OK, or
// the refusal (then nothing has changed). An empty line is no command and PW_OK.
PW_MUST_USE int pw_scenario_run(struct pw_world_dc *world, struct pw_str line,
                                struct pw_out *answer);

// The list of commands with their meaning, one a line.
void pw_scenario_help(struct pw_out *out);

#endif
