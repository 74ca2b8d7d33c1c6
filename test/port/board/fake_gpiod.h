// fake_gpiod: the part of libgpiod that the port uses, without a kernel: lines whose levels a test
// sets and reads. Linked instead of the library.
#ifndef PW_TEST_FAKE_GPIOD_H
#define PW_TEST_FAKE_GPIOD_H

#include <stdbool.h>

#define FAKE_LINES 32

void fake_gpiod_reset(void);

// The electrical level of a line: what an output drives, what an input sees.
bool fake_gpiod_level(unsigned line);
void fake_gpiod_put(unsigned line, bool level); // an input: with its edge event

bool fake_gpiod_is_output(unsigned line);
bool fake_gpiod_is_held(unsigned line);
unsigned fake_gpiod_pulls(unsigned line); // the bias flag it was requested with
void fake_gpiod_break(unsigned line);     // reading and setting fail from now on
void fake_gpiod_occupy(unsigned line);    // somebody else has it

#endif
