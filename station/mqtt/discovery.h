// discovery: tells Home Assistant what this station has, so that nobody has to type topics there.
// One retained message for each connector, a device with its entities ("device bundle"), on
//
//     mqtt.discovery_prefix/device/<id>/config     <id>: pilotwire_SN, pilotwire_SN_2...
//
// It is said on connecting, and again when Home Assistant says `online` on PREFIX/status. The
// entities are rows; their topics, ranges and words are those of mqtt/topics.h. A guest of
// station/mqtt. doc/home-assistant.md shows what becomes of it.
//
// Taken back (an empty retained message): the device of a connector that is no more, and, when the
// prefix is empty or another one, what was said under "homeassistant".
// Source: Home Assistant's published form of MQTT discovery; facts/ac-evse-rapi-load.md §7.2.
#ifndef PW_DISCOVERY_H
#define PW_DISCOVERY_H

#include "mqtt/mqtt.h"

#define PW_DISCOVERY_DEFAULT "homeassistant"
#define PW_DISCOVERY_PAYLOAD 12288 // bytes of one device

// All fields are its own business; the caller owns it, about 12 KiB.
struct pw_discovery {
    struct pw_mqtt *mqtt;
    const struct pw_station *station;
    const char *version;
    char prefix[PW_SETTING_BYTES_MQTT_DISCOVERY]; // mqtt.discovery_prefix at the start; it counts
                                                  // from then on
    bool up;
    uint32_t due; // bits: devices to be said; above them devices to be taken back
    char topic[PW_BROKER_TOPIC_MAX];
    char payload[PW_DISCOVERY_PAYLOAD];
};

// Everything borrowed, for good. `version` is this program's.
void pw_discovery_init(struct pw_discovery *discovery, struct pw_mqtt *mqtt,
                       const struct pw_station *station, const char *version);
// To be joined with pw_mqtt_join.
struct pw_mqtt_guest pw_discovery_guest(struct pw_discovery *discovery);

#endif
