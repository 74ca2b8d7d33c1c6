// meters: the station's meters in the loop: on Modbus, one for each connector that names one and
// one of the house; the house's may also be on the broker (mqtt:) or current transformers of our
// own (ct:). Lines and threads are the port's; here readings go to the station, once a turn.
#ifndef PW_APP_STATION_METERS_H
#define PW_APP_STATION_METERS_H

#include "clamps.h"
#include "house/topics.h"
#include "modbus/line.h"
#include "mqtt/mqtt.h"
#include "station.h"

struct meters {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    struct pw_modbus_meters *lines; // NULL: there is no meter
    unsigned count;
    unsigned connector[PW_CONNECTORS_MAX + 1]; // of each meter; 0: the house
    struct pw_house_topics topics;             // of the house's meter on the broker
    struct clamps clamps;                      // the house's current transformers
};

// Whether metering.house_meter can be by itself: PW_OK, or PW_ERR_RANGE with what is wrong in *why.
PW_MUST_USE int meters_check_house(struct pw_str url, struct pw_out *why);
// Whether it fits the other settings: a meter on the broker needs one, transformers their phases.
// PW_ERR_RANGE with one sentence in *why.
PW_MUST_USE int meters_check(const struct pw_settings *settings, struct pw_out *why);
// A house's meter on the broker is a guest there: call it before the broker's connection opens.
PW_MUST_USE int meters_join(struct meters *meters, const struct pw_settings *settings,
                            struct pw_mqtt *mqtt, struct pw_out *why);

// Begins reading what the settings name; `config` is the configuration file. A meter that does not
// answer is no error; a url that cannot be is, with one sentence in *why.
PW_MUST_USE int meters_open(struct meters *meters, const struct pw_settings *settings,
                            const char *config, struct pw_out *why);
void meters_close(struct meters *meters); // harmless when nothing was opened

// Hands new readings to the station and logs who comes and goes. The loop is woken for it. Returns
// when it wants to be called next.
pw_ms meters_step(struct meters *meters, pw_ms now);
// Passes on what the station wants signed; after it has stepped.
void meters_flush(struct meters *meters);

#endif
