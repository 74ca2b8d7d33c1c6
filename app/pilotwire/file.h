// file: what somebody names on the command line.
#ifndef PW_APP_PILOTWIRE_FILE_H
#define PW_APP_PILOTWIRE_FILE_H

#include "base/base.h"

// The whole file in a block of its own, terminated; at most 1 MiB. NULL with a sentence in *why.
char *file_read(const char *path, size_t *len, struct pw_out *why);

#endif
