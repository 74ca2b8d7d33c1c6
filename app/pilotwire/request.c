#include "request.h"

int fail_with(int code, const struct pw_out *why)
{
    (void)fprintf(stderr, "pilotwire: %.*s\n", (int)why->len, why->at);
    return code;
}

int fail_usage(const char *what, const char *about)
{
    (void)fprintf(stderr, "pilotwire: %s: %s; --help lists everything\n", what, about);
    return EXIT_USAGE;
}
