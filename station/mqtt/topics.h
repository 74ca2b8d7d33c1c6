// topics: what each topic means, as rows. Commands come, values go; doc/mqtt.md is made from these
// rows, and the tests go through them one by one.
// Sources: facts/ac-evse-rapi-load.md §3.1 (names, ranges, what they should do), §3.2 (timers).
#ifndef PW_MQTT_TOPICS_H
#define PW_MQTT_TOPICS_H

#include "settings/settings.h"

enum pw_mqtt_scope {
    PW_MQTT_OF_STATION,   // BASE/<topic>
    PW_MQTT_OF_CONNECTOR, // BASE/<topic> for connector 1, BASE/<n>/<topic> for the others
};

// How a command's payload is read.
enum pw_mqtt_form {
    PW_MQTT_ONCE,   // "1": do it
    PW_MQTT_NUMBER, // whole decimal number in least..most; our unit is number * times / over
    PW_MQTT_CHOICE, // one of `words`, "1=off,2=on": theirs = ours
    PW_MQTT_DIGITS, // `most` digits, each 0 or 1
    PW_MQTT_TEXT,   // least..most printable ASCII characters
    PW_MQTT_LCD,    // 0 or 1, as a CHOICE; anything else is TEXT
};

// What a command does.
enum pw_mqtt_deed {
    PW_MQTT_SET,   // console: set SETTING VALUE
    PW_MQTT_UNTIL, // console: until <argument> VALUE CONNECTOR, while a charge runs
    PW_MQTT_SHOW,  // publishes the rows that are shown by it
    PW_MQTT_ASK,   // the payload, or the row's argument, goes to the connector's board as a line
    PW_MQTT_RUN,   // console: the row's argument
    PW_MQTT_CLEAR, // sets the settings whose paths begin with the row's argument to ""
};

struct pw_mqtt_command_row {
    const char *topic;
    enum pw_mqtt_scope scope;
    enum pw_mqtt_form form;
    enum pw_mqtt_deed deed;
    enum pw_setting_id setting; // SET; PW_SETTING_ROWS: none
    int32_t least;              // of the number, or of the text's length
    int32_t most;
    int32_t times;
    int32_t over;
    const char *words;    // CHOICE and LCD
    const char *unit;     // of the number on the wire
    const char *argument; // see the deed
    const char *echo;     // the value row that is published after it was applied; "" none
    const char *json;     // key in that document; "" none
    const char *doc;
};

extern const struct pw_mqtt_command_row pw_mqtt_commands[];
extern const size_t pw_mqtt_command_count;

// When a value is published, beside on connecting.
enum pw_mqtt_when {
    PW_MQTT_CHANGED, // it differs from what was published, by more than its band
    PW_MQTT_TIMED,   // each mqtt.synctime_ms
    PW_MQTT_EVENT,   // as it happens
};

enum pw_mqtt_value_form {
    PW_MQTT_DECIMAL, // a number: value / 10^decimals
    PW_MQTT_PLAIN,   // text
    PW_MQTT_JSON,    // an object
};

struct pw_mqtt_look; // mqtt/parts.h

struct pw_mqtt_value_row {
    const char *topic;
    enum pw_mqtt_scope scope;
    enum pw_mqtt_when when;
    enum pw_mqtt_value_form form;
    bool retain;
    const char *shown_by; // the get_... command that publishes it anew; "" none
    const char *unit;
    uint8_t decimals; // DECIMAL: of the value that `number` gives
    uint8_t places;   // ... and at most so many of them are published
    int32_t band;     // ... a smaller change is not published
    // One of the two; neither for an EVENT. False, or an empty text: not known now.
    bool (*number)(const struct pw_mqtt_look *look, int64_t *value);
    void (*text)(const struct pw_mqtt_look *look, struct pw_out *out);
    const char *doc;
};

extern const struct pw_mqtt_value_row pw_mqtt_values[];
extern const size_t pw_mqtt_value_count;

// "6..250 A", "0 or 1", "40 digits, each 0 or 1".
void pw_mqtt_print_range(const struct pw_mqtt_command_row *row, struct pw_out *out);

// The words of a choice: theirs for ours, ours for theirs; empty when there is none.
struct pw_str pw_mqtt_theirs(const char *words, struct pw_str ours);
struct pw_str pw_mqtt_ours(const char *words, struct pw_str theirs);

// A setting as its row has it on the wire: "16" for 16000 mA. Connectors count from 0.
void pw_mqtt_print_wire(const struct pw_settings *settings, const struct pw_mqtt_command_row *row,
                        unsigned connector, struct pw_out *out);

// The areas of the debug switches: area n has digits 2n (log) and 2n + 1 (MQTT) of mqtt.debug.
#define PW_MQTT_AREAS 20
struct pw_mqtt_area {
    const char *name;
    const char *rooms; // of log lines, separated by spaces; "" keeps the number free
};
extern const struct pw_mqtt_area pw_mqtt_areas[PW_MQTT_AREAS];

#endif
