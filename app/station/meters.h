// meters: the station's Modbus meters in the loop: one for each connector that names one, and one
// of the house. Lines and threads are the port's; here readings go to the station, once a turn.
#ifndef PW_APP_STATION_METERS_H
#define PW_APP_STATION_METERS_H

#include "modbus/line.h"
#include "station.h"

struct meters {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    struct pw_modbus_meters *lines; // NULL: there is no meter
    unsigned count;
    unsigned connector[PW_CONNECTORS_MAX + 1]; // of each meter; 0: the house
};

// Begins reading what the settings name. A meter that does not answer is no error; a url that
// cannot be is, with one sentence in *why.
PW_MUST_USE int meters_open(struct meters *meters, const struct pw_settings *settings,
                            struct pw_out *why);
void meters_close(struct meters *meters); // harmless when nothing was opened

// Hands new readings to the station and logs who comes and goes. The loop is woken for it.
void meters_step(struct meters *meters, pw_ms now);

#endif
