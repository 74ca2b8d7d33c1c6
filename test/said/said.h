// said: what our programs say in OCPP while a test runs, written down for the judge with the
// official schemas (test/peers/schema/judge.mjs). Lines go to the file that PW_OCPP_DUMP names;
// without it nothing is written.
#ifndef PW_TEST_SAID_H
#define PW_TEST_SAID_H

#include "base/base.h"

enum said_by {
    SAID_BY_STATION, // ours: judged
    SAID_BY_CENTRAL, // ours: judged
    SAID_TO_STATION, // by the test: says which call an answer belongs to
    SAID_TO_CENTRAL,
};

// A whole frame. A call that our programs said before to the letter is written down once: a test
// that cuts the power at every place says the same thousands of times. `link` tells the links of
// one process apart.
void said(enum said_by by, uint64_t link, struct pw_str frame);

#endif
