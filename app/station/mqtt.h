// mqtt: joins the station's topics (station/mqtt) to the broker (port/linux/mqtt). Without mqtt.url
// there is no connection, and the debug switches still serve the log.
#ifndef PW_APP_STATION_MQTT_H
#define PW_APP_STATION_MQTT_H

#include "log.h"
#include "mqtt/discovery.h"
#include "mqtt/mqtt.h"
#include "mqtt/wire.h"

struct mqtt {
    struct pw_loop *loop;
    struct pw_station *station;
    struct pw_logger *logger;
    uint32_t seed; // of the pauses between connections
    struct pw_mqtt topics;
    struct pw_discovery discovery;
    struct pw_mqtt_wire *wire; // NULL: none
    pw_ms facts_at;
};

// Guests join between init and open.
void mqtt_init(struct mqtt *mqtt, pw_ms now);
// Begins to connect, when a broker is wanted. A url or file that cannot be used is said in the log:
// no setting of MQTT keeps a station from charging.
void mqtt_open(struct mqtt *mqtt, pw_ms now);
void mqtt_close(struct mqtt *mqtt);

// What came, a bounded part of it. *busy is set when the station was told something. Returns when
// it wants to be called next.
pw_ms mqtt_step(struct mqtt *mqtt, pw_ms now, bool *busy);
// What goes.
void mqtt_flush(struct mqtt *mqtt, pw_ms now);

#endif
