// The topics that hold an object. Their keys are columns of the command rows.
#include "mqtt/parts.h"

#include <string.h>

#define SCHEMA 1 // raised when a key changes its meaning

static void open_document(struct pw_json_writer *json)
{
    pw_json_open(json, '{');
    pw_json_say_int(json, "schema", SCHEMA);
}

// On the wire a switch is 0 or 1; here it is a truth value.
static bool is_switch(const struct pw_mqtt_command_row *row)
{
    struct pw_str rest = pw_str_of(row->words);
    unsigned words = 0;
    while (rest.len > 0) {
        (void)pw_str_cut(&rest, ',');
        words++;
    }
    return words == 2;
}

static void put_value(const struct pw_mqtt_look *look, const struct pw_mqtt_command_row *row,
                      struct pw_json_writer *json)
{
    char text[PW_SETTING_TEXT_MAX] = "";
    struct pw_out wire = PW_OUT(text);
    pw_mqtt_print_wire(&look->station->settings, row, look->connector, &wire);
    pw_json_key(json, row->json);
    if (is_switch(row)) {
        pw_json_put_bool(json, pw_str_is(pw_out_str(&wire), "1"));
    } else if (wire.len > 0) {
        pw_json_put_raw(json, pw_out_str(&wire)); // digits, perhaps with a point
    } else {
        pw_json_put_null(json);
    }
}

static bool concerns(const struct pw_mqtt_look *look, const struct pw_mqtt_command_row *row)
{
    const struct pw_setting_at at = {
        .id = row->setting,
        .instance =
            (uint8_t)(pw_setting_rows[row->setting].scope == PW_SCOPE_CONNECTOR ? look->connector
                                                                                : 0)};
    return pw_settings_concerns(&look->station->settings, at);
}

// A document has the rows that are echoed there; settings has all that are no timer, as the seed's.
static void put_rows(const struct pw_mqtt_look *look, bool timers, struct pw_json_writer *json)
{
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        bool in = timers ? strcmp(row->echo, "timers") == 0
                         : row->json[0] != '\0' && row->form != PW_MQTT_DIGITS &&
                               !pw_str_starts(pw_str_of(row->json), "timer");
        if (in && concerns(look, row)) {
            put_value(look, row, json);
        }
    }
}

void pw_mqtt_text_settings(const struct pw_mqtt_look *look, struct pw_out *out)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    open_document(&json);
    pw_json_say_s(&json, "FW", look->mqtt->config.version);
    put_rows(look, false, &json);
    pw_json_close(&json, '}');
}

void pw_mqtt_text_timers(const struct pw_mqtt_look *look, struct pw_out *out)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    open_document(&json);
    put_rows(look, true, &json);
    pw_json_close(&json, '}');
}

void pw_mqtt_text_wifi(const struct pw_mqtt_look *look, struct pw_out *out)
{
    static const struct {
        const char *key;
        enum pw_setting_id setting;
    } rows[] = {{"ssid1", PW_SET_NET_SSID1},
                {"password1", PW_SET_NET_PASSWORD1},
                {"ssid2", PW_SET_NET_SSID2},
                {"password2", PW_SET_NET_PASSWORD2}};
    struct pw_json_writer json = PW_JSON_WRITER(out);
    open_document(&json);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[PW_SETTING_TEXT_MAX] = "";
        struct pw_out value = PW_OUT(text);
        pw_settings_print(&look->station->settings, // a secret prints as stars
                          (struct pw_setting_at){.id = rows[i].setting}, &value);
        pw_json_say_text(&json, rows[i].key, pw_out_str(&value));
    }
    pw_json_close(&json, '}');
}

void pw_mqtt_text_debug(const struct pw_mqtt_look *look, struct pw_out *out)
{
    const struct pw_settings *settings = &look->station->settings;
    struct pw_json_writer json = PW_JSON_WRITER(out);
    open_document(&json);
    pw_json_say_s(&json, "digits", pw_settings_text(settings, PW_SET_MQTT_DEBUG));
    pw_json_key(&json, "areas");
    pw_json_open(&json, '[');
    for (size_t i = 0; i < PW_MQTT_AREAS; i++) {
        if (pw_mqtt_areas[i].rooms[0] == '\0') {
            continue;
        }
        pw_json_open(&json, '{');
        pw_json_say_s(&json, "area", pw_mqtt_areas[i].name);
        pw_json_say_bool(&json, "log", pw_mqtt_switched(settings, i, PW_MQTT_TO_LOG));
        pw_json_say_bool(&json, "mqtt", pw_mqtt_switched(settings, i, PW_MQTT_TO_BROKER));
        pw_json_close(&json, '}');
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
}

static void put_limit(const struct pw_mqtt_look *look, const struct pw_limit *limit,
                      const char *source, struct pw_json_writer *json)
{
    pw_unix_ms wall = pw_station_wall(look->station, look->now);
    pw_json_open(json, '{');
    pw_json_say_s(json, "source", source);
    pw_json_say_fixed(json, "limit_a", limit->ma, 3);
    pw_json_say_s(json, "why", limit->why);
    pw_json_key(json, "since");
    if (wall > 0 && limit->since <= look->now) {
        // To the second: what is computed anew each time must not differ by a millisecond.
        pw_unix_ms since = wall - (pw_unix_ms)(look->now - limit->since);
        pw_json_put_time(json, (since + 500) / 1000 * 1000);
    } else {
        pw_json_put_null(json);
    }
    pw_json_close(json, '}');
}

static void put_end(struct pw_json_writer *json, const char *key, int64_t value)
{
    pw_json_key(json, key);
    if (value > 0) {
        pw_json_put_int(json, value);
    } else {
        pw_json_put_null(json);
    }
}

void pw_mqtt_text_limits(const struct pw_mqtt_look *look, struct pw_out *out)
{
    const struct pw_limits *limits =
        pw_connector_limits(&look->station->connector[look->connector]);
    const struct pw_rules *rules = &look->station->rules;
    struct pw_json_writer json = PW_JSON_WRITER(out);
    open_document(&json);
    pw_json_say_fixed(&json, "limit_a", limits->effective_ma, 3);
    pw_json_say_s(&json, "source", pw_limit_source_name(limits->who));
    pw_json_say_s(&json, "why", limits->why);
    pw_json_key(&json, "limits");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < PW_LIMIT_ROWS; i++) {
        if (limits->row[i].set) {
            put_limit(look, &limits->row[i], pw_limit_source_name((enum pw_limit_source)i), &json);
        }
    }
    pw_json_close(&json, ']');
    put_end(&json, "time_limit_s", pw_rules_limit_of(rules, look->connector, PW_RULES_TIME));
    put_end(&json, "energy_limit_wh", pw_rules_limit_of(rules, look->connector, PW_RULES_ENERGY));
    pw_json_close(&json, '}');
}
