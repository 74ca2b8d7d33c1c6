// parts: what the files of mqtt share among themselves. Nobody else includes this.
#ifndef PW_MQTT_PARTS_H
#define PW_MQTT_PARTS_H

#include "mqtt/mqtt.h"
#include "mqtt/topics.h"

// What a value is made from: everything as it is now.
struct pw_mqtt_look {
    const struct pw_mqtt *mqtt;
    struct pw_station *station;
    unsigned connector; // index from 0
    struct pw_connector_view view;
    struct pw_house_view house;
    const struct pw_openevse *openevse; // NULL: its board is none
    pw_ms now;
};

void pw_mqtt_look(const struct pw_mqtt *mqtt, unsigned connector, pw_ms now,
                  struct pw_mqtt_look *look);

// values.c: the functions of the rows.
bool pw_mqtt_breaker(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_current1(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_current2(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_current3(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_most_current(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_charging_current(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_phase_count(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_power(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_energy(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_plug(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_voltage(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_temperature(const struct pw_mqtt_look *look, int64_t *value);
bool pw_mqtt_total_energy(const struct pw_mqtt_look *look, int64_t *value);
void pw_mqtt_text_status(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_fault(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_version(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_ip(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_phases(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_connection(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_enable(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_plug_and_charge(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_time(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_memory(const struct pw_mqtt_look *look, struct pw_out *out);
// documents.c
void pw_mqtt_text_limits(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_settings(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_timers(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_wifi(const struct pw_mqtt_look *look, struct pw_out *out);
void pw_mqtt_text_debug(const struct pw_mqtt_look *look, struct pw_out *out);

// mqtt.c: a message for a topic, as it happens. Lost, and counted, when too many wait.
void pw_mqtt_event(struct pw_mqtt *mqtt, unsigned connector, const char *topic,
                   struct pw_str payload);
// The value row is published anew, whether it has changed or not.
void pw_mqtt_due(struct pw_mqtt *mqtt, size_t row, unsigned connector);

// obey.c: carries out one command.
void pw_mqtt_obey(struct pw_mqtt *mqtt, const struct pw_mqtt_command *command, pw_ms now);
// {"topic","value","error"} on the error topic.
void pw_mqtt_refuse(struct pw_mqtt *mqtt, const char *topic, struct pw_str value,
                    struct pw_str error);

// asking.c: raw lines to the board of a connector (index from 0), one at a time.
// A line of rapi_request. PW_ERR_BUSY while another one waits, with one sentence in *why.
PW_MUST_USE int pw_mqtt_ask(struct pw_mqtt *mqtt, unsigned connector, struct pw_str line,
                            struct pw_out *why);
// The board's answer on one topic, or on all that get_status brings. A connector without such a
// board has none. Answers to what the station itself tells the board (FE, FS, FD, SC) are published
// as they come.
void pw_mqtt_ask_reply(struct pw_mqtt *mqtt, unsigned connector, const char *topic);
void pw_mqtt_ask_status(struct pw_mqtt *mqtt, unsigned connector);
pw_ms pw_mqtt_asking_step(struct pw_mqtt *mqtt, unsigned connector, pw_ms now);

// areas.c: the switches of the area that a room belongs to.
enum pw_mqtt_switch { PW_MQTT_TO_LOG, PW_MQTT_TO_BROKER };
bool pw_mqtt_switched(const struct pw_settings *settings, size_t area, enum pw_mqtt_switch which);
// The text of debug_log; empties what waited.
void pw_mqtt_take_debug(struct pw_mqtt *mqtt, struct pw_out *out);

#endif
