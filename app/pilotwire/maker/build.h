// build: makes releases and signs them.
#ifndef PW_APP_PILOTWIRE_MAKER_BUILD_H
#define PW_APP_PILOTWIRE_MAKER_BUILD_H

#include "maker/options.h"

int build_release(const struct options *options);
int build_sign(const struct options *options);
int build_head(const struct options *options);
int build_attach(const struct options *options);

#endif
