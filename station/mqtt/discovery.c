#include "mqtt/discovery.h"

#include "mqtt/topics.h"

#include <string.h>

// Which stations and connectors have an entity.
enum of {
    STATION,      // once, on the device of connector 1
    CONNECTOR,    // each
    WITH_SETTING, // each whose kind knows the command's setting
    WITH_HOUSE,   // once, where the house is measured
    WITH_BOARD,   // once, where an OpenEVSE board is
};

// Empty texts are left out. Numbers take their range from the command's row, a select its options,
// a switch its words.
static const struct entity {
    const char *key; // the last part of its unique id: never changed
    const char *platform;
    const char *name;
    enum of of;
    const char *state;   // topic of a value row
    const char *command; // topic of a command row
    const char *device_class;
    const char *state_class;
    const char *unit;
    const char *category;
    const char *value; // template; "": the payload itself
} entities[] = {
    // clang-format off
    {"status",      "sensor", "Status",         CONNECTOR, "status", "", "", "", "", "", ""},
    {"current",     "sensor", "Current",        CONNECTOR, "charging_current", "", "current", "measurement", "A", "", ""},
    {"power",       "sensor", "Power",          CONNECTOR, "power", "", "power", "measurement", "W", "", ""},
    {"voltage",     "sensor", "Voltage",        CONNECTOR, "voltage", "", "voltage", "measurement", "V", "", ""},
    {"temperature", "sensor", "Temperature",    CONNECTOR, "temperature", "", "temperature", "measurement", "°C", "diagnostic", ""},
    {"energy",      "sensor", "Energy of the charge", CONNECTOR, "energy", "", "energy", "total_increasing", "Wh", "", ""},
    {"total",       "sensor", "Energy",         CONNECTOR, "total_energy", "", "energy", "total_increasing", "kWh", "", ""},
    {"limit",       "sensor", "Current limit",  CONNECTOR, "max_charging_current", "", "current", "measurement", "A", "", ""},
    {"limit_by",    "sensor", "Limited by",     CONNECTOR, "limits", "", "", "", "", "", "{{ value_json.source }}"},
    {"limit_why",   "sensor", "Reason of the limit", CONNECTOR, "limits", "", "", "", "", "", "{{ value_json.why }}"},
    {"phases",      "sensor", "Phases in use",  CONNECTOR, "active_phases", "", "", "", "", "diagnostic", ""},
    {"fault",       "sensor", "Fault",          CONNECTOR, "fault", "", "", "", "", "diagnostic", ""},
    {"problem",     "binary_sensor", "Problem", CONNECTOR, "fault", "", "problem", "", "", "diagnostic", "{{ 'OFF' if value == 'none' else 'ON' }}"},
    {"plug",        "binary_sensor", "Vehicle", CONNECTOR, "state", "", "plug", "", "", "", "{{ {'0': 'OFF', '1': 'ON'}.get(value) }}"},
    {"max",         "number", "Most current",   WITH_SETTING, "", "set_c_limit", "current", "", "A", "config", "{{ value_json.MAXC }}"},
    {"house_1",     "sensor", "House L1",       WITH_HOUSE, "current1", "", "current", "measurement", "A", "", ""},
    {"house_2",     "sensor", "House L2",       WITH_HOUSE, "current2", "", "current", "measurement", "A", "", ""},
    {"house_3",     "sensor", "House L3",       WITH_HOUSE, "current3", "", "current", "measurement", "A", "", ""},
    {"breaker",     "number", "Main breaker",   STATION, "breaker", "set_breaker", "current", "", "A", "config", ""},
    {"min",         "number", "Least current",  STATION, "settings", "set_c_min_limit", "current", "", "A", "config", "{{ value_json.MINC }}"},
    {"enable",      "select", "Operation",      STATION, "enable", "set_enable", "", "", "", "", ""},
    {"plug_charge", "switch", "Plug and charge", STATION, "plugandcharge", "set_plugandcharge", "", "", "", "config", ""},
    {"management",  "switch", "Load management", STATION, "settings", "set_dinamics", "", "", "", "config", "{{ 1 if value_json.DA else 0 }}"},
    {"adjust",      "switch", "Limits from outside", STATION, "settings", "set_adjust", "", "", "", "config", "{{ 1 if value_json.A else 0 }}"},
    {"erase_lcd",   "button", "Erase display",  WITH_BOARD, "", "erase_lcd", "", "", "", "config", ""},
    {"address",     "sensor", "Address",        STATION, "ip", "", "", "", "", "diagnostic", ""},
    // clang-format on
};

// ---------------------------------------------------------------------------------------------
// Names

// "pilotwire_SN", "pilotwire_SN_2": letters, digits, '_' and '-' only.
static void put_id(const struct pw_discovery *discovery, unsigned connector, struct pw_out *out)
{
    struct pw_str serial = pw_str_of(pw_mqtt_base(discovery->mqtt));
    (void)pw_str_cut(&serial, '/');
    pw_put_s(out, "pilotwire_");
    for (size_t i = 0; i < serial.len; i++) {
        char c = serial.at[i];
        bool fine =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
        pw_put_c(out, fine ? c : '_');
    }
    if (connector > 0) {
        pw_put_c(out, '_');
        pw_put_uint(out, connector + 1U);
    }
}

static void put_topic(const struct pw_discovery *discovery, const char *prefix, unsigned connector,
                      struct pw_out *out)
{
    pw_put_s(out, prefix);
    pw_put_s(out, "/device/");
    put_id(discovery, connector, out);
    pw_put_s(out, "/config");
}

// ---------------------------------------------------------------------------------------------
// Entities

static void put_text(struct pw_json_writer *json, const char *key, const char *value)
{
    if (value[0] != '\0') {
        pw_json_say_s(json, key, value);
    }
}

// An entity names a row that is there; a test holds the two tables together.
static const struct pw_mqtt_command_row *command_of(const char *topic)
{
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        if (strcmp(pw_mqtt_commands[i].topic, topic) == 0) {
            return &pw_mqtt_commands[i];
        }
    }
    PW_UNREACHABLE();
}

static bool has_board(const struct pw_station *station)
{
    for (unsigned i = 0; i < station->connectors; i++) {
        if (pw_connector_openevse(&station->connector[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_there(const struct pw_discovery *discovery, const struct entity *entity,
                     unsigned connector)
{
    const struct pw_settings *settings = &discovery->station->settings;
    switch (entity->of) {
    case STATION: return connector == 0;
    case CONNECTOR: return true;
    case WITH_SETTING:
        return pw_settings_concerns(
            settings, (struct pw_setting_at){.id = command_of(entity->command)->setting,
                                             .instance = (uint8_t)connector});
    case WITH_HOUSE:
        return connector == 0 && (pw_settings_text(settings, PW_SET_HOUSE_METER)[0] != '\0' ||
                                  pw_settings_int(settings, PW_SET_HOUSE_CTS) != 0);
    case WITH_BOARD: return connector == 0 && has_board(discovery->station);
    }
    PW_UNREACHABLE();
}

// A row of the station lives under connector 1.
static void put_row_topic(const struct pw_discovery *discovery, struct pw_json_writer *json,
                          const char *key, unsigned connector, const char *topic)
{
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out out = PW_OUT(text);
    if (topic[0] != '\0') {
        pw_mqtt_topic(discovery->mqtt, connector + 1, topic, &out);
        pw_json_say_text(json, key, pw_out_str(&out));
    }
}

static void put_range(struct pw_json_writer *json, const struct pw_mqtt_command_row *command)
{
    pw_json_say_int(json, "min", command->least);
    pw_json_say_int(json, "max", command->most);
    pw_json_say_int(json, "step", 1);
}

// "{'off':'1','on':'2'}", or turned round.
static void put_map(const char *words, bool ours_first, struct pw_out *out)
{
    struct pw_str rest = pw_str_of(words);
    pw_put_s(out, "{{ {");
    while (rest.len > 0) {
        struct pw_str ours = pw_str_cut(&rest, ',');
        struct pw_str theirs = pw_str_cut(&ours, '=');
        pw_put_c(out, '\'');
        pw_put(out, ours_first ? ours : theirs);
        pw_put_s(out, "':'");
        pw_put(out, ours_first ? theirs : ours);
        pw_put_s(out, rest.len > 0 ? "'," : "'");
    }
    pw_put_s(out, "}[value] }}");
}

static void put_options(struct pw_json_writer *json, const char *words)
{
    struct pw_str rest = pw_str_of(words);
    char text[160];
    struct pw_out map = PW_OUT(text);
    pw_json_key(json, "options");
    pw_json_open(json, '[');
    while (rest.len > 0) {
        struct pw_str ours = pw_str_cut(&rest, ',');
        (void)pw_str_cut(&ours, '=');
        pw_json_put_text(json, ours);
    }
    pw_json_close(json, ']');
    put_map(words, true, &map);
    pw_json_say_text(json, "command_template", pw_out_str(&map));
    map = PW_OUT(text);
    put_map(words, false, &map);
    pw_json_say_text(json, "value_template", pw_out_str(&map));
}

static void put_command(struct pw_json_writer *json, const struct entity *entity)
{
    if (strcmp(entity->platform, "number") == 0) {
        put_range(json, command_of(entity->command));
    } else if (strcmp(entity->platform, "select") == 0) {
        put_options(json, command_of(entity->command)->words);
    } else if (strcmp(entity->platform, "switch") == 0) {
        put_text(json, "payload_on", "1");
        put_text(json, "payload_off", "0");
        put_text(json, "state_on", "1");
        put_text(json, "state_off", "0");
    } else if (strcmp(entity->platform, "button") == 0) {
        put_text(json, "payload_press", "1");
    }
}

// The settings document is the station's: it tells what connector 1 has.
static const char *state_of(const struct entity *entity, unsigned connector)
{
    return entity->of == WITH_SETTING ? connector == 0 ? "settings" : "" : entity->state;
}

static void put_entity(const struct pw_discovery *discovery, const struct entity *entity,
                       unsigned connector, struct pw_json_writer *json)
{
    char text[96];
    struct pw_out id = PW_OUT(text);
    const char *state = state_of(entity, connector);
    put_id(discovery, connector, &id);
    pw_put_c(&id, '_');
    pw_put_s(&id, entity->key);
    pw_json_key(json, entity->key);
    pw_json_open(json, '{');
    put_text(json, "p", entity->platform);
    put_text(json, "name", entity->name);
    pw_json_say_text(json, "unique_id", pw_out_str(&id));
    put_row_topic(discovery, json, "state_topic", connector, state);
    put_row_topic(discovery, json, "command_topic", connector, entity->command);
    put_text(json, "value_template", state[0] != '\0' ? entity->value : "");
    put_text(json, "device_class", entity->device_class);
    put_text(json, "state_class", entity->state_class);
    put_text(json, "unit_of_measurement", entity->unit);
    put_text(json, "entity_category", entity->category);
    if (strcmp(entity->key, "limit") == 0) {
        put_row_topic(discovery, json, "json_attributes_topic", connector, "limits");
    }
    put_command(json, entity);
    pw_json_close(json, '}');
}

// ---------------------------------------------------------------------------------------------
// Devices

static void put_name(const struct pw_discovery *discovery, unsigned connector,
                     struct pw_json_writer *json)
{
    char text[80];
    struct pw_out name = PW_OUT(text);
    pw_put_s(&name, pw_settings_text(&discovery->station->settings, PW_SET_STATION_ID));
    if (connector > 0) {
        pw_put_s(&name, " connector ");
        pw_put_uint(&name, connector + 1U);
    }
    pw_json_say_text(json, "name", pw_out_str(&name));
}

static void put_device(const struct pw_discovery *discovery, unsigned connector,
                       struct pw_json_writer *json)
{
    const struct pw_settings *settings = &discovery->station->settings;
    char text[80];
    struct pw_out id = PW_OUT(text);
    put_id(discovery, connector, &id);
    pw_json_key(json, "dev");
    pw_json_open(json, '{');
    pw_json_key(json, "identifiers");
    pw_json_open(json, '[');
    pw_json_put_text(json, pw_out_str(&id));
    pw_json_close(json, ']');
    put_name(discovery, connector, json);
    put_text(json, "manufacturer", pw_settings_text(settings, PW_SET_STATION_VENDOR));
    put_text(json, "model", pw_settings_text(settings, PW_SET_STATION_MODEL));
    put_text(json, "serial_number", pw_settings_text(settings, PW_SET_STATION_SERIAL));
    put_text(json, "sw_version", discovery->version);
    put_text(json, "configuration_url", pw_settings_text(settings, PW_SET_PAGE_URL));
    if (connector > 0) {
        id = PW_OUT(text);
        put_id(discovery, 0, &id);
        pw_json_say_text(json, "via_device", pw_out_str(&id));
    }
    pw_json_close(json, '}');
}

static void put_bundle(const struct pw_discovery *discovery, unsigned connector, struct pw_out *out)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out will = PW_OUT(text);
    pw_json_open(&json, '{');
    put_device(discovery, connector, &json);
    pw_json_key(&json, "o");
    pw_json_open(&json, '{');
    put_text(&json, "name", "Pilotwire");
    put_text(&json, "sw", discovery->version);
    pw_json_close(&json, '}');
    pw_mqtt_will_topic(discovery->mqtt, &will);
    pw_json_say_text(&json, "availability_topic", pw_out_str(&will));
    put_text(&json, "payload_available", PW_MQTT_ONLINE);
    put_text(&json, "payload_not_available", PW_MQTT_OFFLINE);
    pw_json_key(&json, "cmps");
    pw_json_open(&json, '{');
    for (size_t i = 0; i < PW_COUNT(entities); i++) {
        if (is_there(discovery, &entities[i], connector)) {
            put_entity(discovery, &entities[i], connector, &json);
        }
    }
    pw_json_close(&json, '}');
    pw_json_close(&json, '}');
    PW_ASSERT(!out->full);
}

// ---------------------------------------------------------------------------------------------
// The guest

#define GONE(connector) (1U << (PW_CONNECTORS_MAX + (connector)))

// Under which prefix something is to be taken back; NULL: nowhere.
static const char *old_prefix(const struct pw_discovery *discovery, unsigned connector)
{
    const char *prefix = discovery->prefix;
    if (strcmp(prefix, PW_DISCOVERY_DEFAULT) != 0) {
        return PW_DISCOVERY_DEFAULT;
    }
    return connector < discovery->station->connectors ? NULL : prefix;
}

static void all_due(struct pw_discovery *discovery)
{
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        bool there = i < discovery->station->connectors && discovery->prefix[0] != '\0';
        discovery->due |= there ? 1U << i : 0;
        discovery->due |= old_prefix(discovery, i) != NULL ? GONE(i) : 0;
    }
}

static bool subscription(void *context, unsigned n, struct pw_out *filter)
{
    const struct pw_discovery *discovery = context;
    if (n > 0 || discovery->prefix[0] == '\0') {
        return false;
    }
    pw_put_s(filter, discovery->prefix);
    pw_put_s(filter, "/status");
    return true;
}

static bool message(void *context, const struct pw_broker_message *message, pw_ms now)
{
    struct pw_discovery *discovery = context;
    struct pw_str rest = message->topic;
    const char *prefix = discovery->prefix;
    (void)now;
    if (prefix[0] == '\0' || !pw_str_starts(rest, prefix)) {
        return false;
    }
    rest = (struct pw_str){.at = rest.at + strlen(prefix), .len = rest.len - strlen(prefix)};
    if (!pw_str_is(rest, "/status")) {
        return false;
    }
    if (pw_str_is(message->payload, PW_MQTT_ONLINE)) {
        all_due(discovery);
    }
    return true;
}

static void up(void *context, pw_ms now)
{
    struct pw_discovery *discovery = context;
    (void)now;
    discovery->up = true;
    all_due(discovery);
}

static void down(void *context, pw_ms now)
{
    struct pw_discovery *discovery = context;
    (void)now;
    discovery->up = false;
    discovery->due = 0;
}

static bool take(void *context, struct pw_broker_message *message, pw_ms now)
{
    struct pw_discovery *discovery = context;
    struct pw_out topic = PW_OUT(discovery->topic);
    struct pw_out payload = PW_OUT(discovery->payload);
    unsigned bit = 0;
    (void)now;
    if (!discovery->up || discovery->due == 0) {
        return false;
    }
    while ((discovery->due >> bit & 1U) == 0) {
        bit++;
    }
    discovery->due &= ~(1U << bit);
    discovery->payload[0] = '\0';
    if (bit < PW_CONNECTORS_MAX) {
        put_topic(discovery, discovery->prefix, bit, &topic);
        put_bundle(discovery, bit, &payload);
    } else {
        bit -= PW_CONNECTORS_MAX;
        put_topic(discovery, old_prefix(discovery, bit), bit, &topic);
    }
    *message = (struct pw_broker_message){
        .topic = pw_out_str(&topic), .payload = pw_out_str(&payload), .retain = true};
    return true;
}

void pw_discovery_init(struct pw_discovery *discovery, struct pw_mqtt *mqtt,
                       const struct pw_station *station, const char *version)
{
    memset(discovery, 0, sizeof(*discovery));
    discovery->mqtt = mqtt;
    discovery->station = station;
    discovery->version = version;
    const char *prefix = pw_settings_text(&station->settings, PW_SET_MQTT_DISCOVERY);
    int err = pw_str_copy(discovery->prefix, sizeof(discovery->prefix), pw_str_of(prefix));
    PW_ASSERT(err == PW_OK);
}

struct pw_mqtt_guest pw_discovery_guest(struct pw_discovery *discovery)
{
    return (struct pw_mqtt_guest){.context = discovery,
                                  .subscription = subscription,
                                  .message = message,
                                  .up = up,
                                  .down = down,
                                  .take = take};
}
