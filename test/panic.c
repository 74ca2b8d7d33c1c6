#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void pw_panic(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
