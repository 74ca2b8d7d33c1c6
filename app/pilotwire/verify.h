// verify: whether signed meter values are what the meter signed, and for what energy.
#ifndef PW_APP_PILOTWIRE_VERIFY_H
#define PW_APP_PILOTWIRE_VERIFY_H

#include "at_central.h"

// "verify SESSION" at a central system.
int on_verify(const struct call *call);
// "verify FILE": data sets as a meter or a central system gave them, one a line.
int run_verify(const struct request *request);

#endif
