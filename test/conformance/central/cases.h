// cases: what every case of the central has at hand: a central on virtual time, one station "A"
// connected, somebody logged in. A failed assertion ends the case.
#ifndef PW_CONFORMANCE_CENTRAL_CASES_H
#define PW_CONFORMANCE_CENTRAL_CASES_H

#include "cases.def"
#include "station.h"

extern struct bench bench;
extern uint64_t a; // the link of station A

#define DECLARE(id, function, situation) void central_##function(void);
CENTRAL_CASES(DECLARE)
#undef DECLARE

#define NOW "\"2026-05-28T20:26:40Z\"" // WALL0

// Asks as station A and compares the answer's payload.
void expect(const char *action, const char *payload, const char *answer);
const char *get(const char *target);
int64_t count(const char *sql);

#endif
