// zones: names of time zones for the station, from this system's files.
#ifndef PW_STATION_ZONES_H
#define PW_STATION_ZONES_H

#include "rules/rules.h"

extern const struct pw_rules_zones station_zones;

#endif
