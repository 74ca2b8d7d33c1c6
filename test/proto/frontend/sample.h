// sample: the messages that doc/frontend.md shows, by the names it gives them.
#ifndef PW_TEST_FRONTEND_SAMPLE_H
#define PW_TEST_FRONTEND_SAMPLE_H

#include "frontend/frontend.h"

#define SAMPLE_NOW 100000 // ms; ages in the samples are taken against it

// NULL after the last.
const char *sample_name(size_t i);
struct pw_frontend_message sample(const char *name);

#endif
