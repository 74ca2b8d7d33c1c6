// look: what a release file says, and whether a station would take it.
#ifndef PW_APP_PILOTWIRE_MAKER_LOOK_H
#define PW_APP_PILOTWIRE_MAKER_LOOK_H

#include "maker/options.h"

int look_inspect(const struct options *options);
int look_verify(const struct options *options);

#endif
