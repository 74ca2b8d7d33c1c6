// desk: a whole station with its topics on a simulated store, virtual time, no broker. What is
// published is kept, newest last.
#ifndef PW_TEST_MQTT_DESK_H
#define PW_TEST_MQTT_DESK_H

#include "mqtt/mqtt.h"
#include "mqtt/topics.h"
#include "simstore.h"

#define DESK_BASE     "Dinamics/SN7"
#define DESK_MESSAGES 512

struct desk_message {
    char topic[PW_BROKER_TOPIC_MAX];
    char payload[PW_MQTT_PAYLOAD + 1];
    size_t len;
    bool retain;
};

struct desk {
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_station station;
    struct pw_mqtt mqtt;
    pw_ms now;
    struct desk_message out[DESK_MESSAGES];
    size_t count;
    char log[65536]; // every line of the log
    size_t log_len;
};

// Connector 1 is of kind openevse, connector 2 of kind pilot.
void desk_open(struct desk *desk);
void desk_close(struct desk *desk);
// The program starts anew on what the store kept.
void desk_restart(struct desk *desk);
// Connected, and all that is said on connecting has been said and forgotten.
void desk_connect(struct desk *desk);
// One step at the present time; what is published is kept.
void desk_step(struct desk *desk);
// Time passes in steps of 100 ms.
void desk_run(struct desk *desk, pw_ms span);
// A message on BASE/<topic>, then one step; `out` holds what came of it.
void desk_tell(struct desk *desk, const char *topic, struct pw_str payload);
void desk_forget(struct desk *desk);
// The newest message on BASE/<topic>; NULL without one.
const struct desk_message *desk_find(const struct desk *desk, const char *topic);
// The setting behind a row, as the wire has it.
void desk_wire(const struct desk *desk, const struct pw_mqtt_command_row *row, unsigned connector,
               char *to, size_t cap);
void desk_set(struct desk *desk, const char *path, const char *value, enum pw_setting_by by);

#endif
