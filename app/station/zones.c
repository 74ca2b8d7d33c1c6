#include "zones.h"

#include "timezone.h"

static int find(void *context, struct pw_str name, struct pw_out *posix, struct pw_out *why)
{
    (void)context;
    return pw_timezone_find(PW_TIMEZONE_FOLDER, name, posix, why);
}

const struct pw_rules_zones station_zones = {.find = find};
