// discovery: what Home Assistant is told must be what it accepts, and what this station really says
// and does. The table of what it accepts is written from its published documentation: MQTT
// discovery (device discovery payload, options of each platform) and the device classes of sensor,
// number and binary_sensor with their units and state classes.
#include "mqtt/discovery.h"
#include "mqtt_desk.h"
#include "test.h"

#include <string.h>

static struct desk desk;
static struct pw_discovery discovery;
static struct pw_mqtt_guest guest;
static struct pw_json_node nodes[4096];
static char spare[PW_DISCOVERY_PAYLOAD];
static char settings_text[4096];

static int open_all(void **state)
{
    (void)state;
    desk_open(&desk);
    pw_discovery_init(&discovery, &desk.mqtt, &desk.station, "1.2.3");
    guest = pw_discovery_guest(&discovery);
    guest.up(guest.context, desk.now);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void set(const char *path, const char *value)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(
        pw_settings_set(&desk.station.settings, at, pw_str_of(value), PW_BY_FILE, &why), PW_OK);
}

static const struct pw_json_node *read(struct pw_str text)
{
    struct pw_json json = {
        .node = nodes, .cap = PW_COUNT(nodes), .spare = spare, .spare_cap = sizeof(spare)};
    assert_int_equal(pw_json_read(&json, text), PW_OK);
    return &nodes[0];
}

static struct pw_str member(const struct pw_json_node *node, const char *key)
{
    struct pw_str text = PW_STR("");
    (void)!pw_json_text(pw_json_member(node, key), &text);
    return text;
}

// ---- What is accepted.

#define EVERY " p name unique_id entity_category "

static const struct {
    const char *platform;
    const char *required;
    const char *allowed;
} platforms[] = {
    {"sensor", "state_topic",
     EVERY "state_topic value_template device_class state_class unit_of_measurement "
           "json_attributes_topic "},
    {"binary_sensor", "state_topic", EVERY "state_topic value_template device_class "},
    {"number", "command_topic",
     EVERY
     "command_topic state_topic value_template device_class unit_of_measurement min max step "},
    {"switch", "command_topic",
     EVERY "command_topic state_topic value_template payload_on payload_off state_on state_off "},
    {"select", "command_topic options",
     EVERY "command_topic state_topic command_template value_template options "},
    {"button", "command_topic", EVERY "command_topic payload_press "},
};

// Device classes with the units and state classes that are used here, of those that go with them.
static const struct {
    const char *platform;
    const char *device_class;
    const char *units;
    const char *state_classes;
} classes[] = {
    {"sensor", "current", " A mA ", " measurement "},
    {"sensor", "voltage", " V mV ", " measurement "},
    {"sensor", "power", " W kW ", " measurement "},
    {"sensor", "energy", " Wh kWh ", " total total_increasing "},
    {"sensor", "temperature", " °C K ", " measurement "},
    {"number", "current", " A mA ", ""},
    {"binary_sensor", "plug", "", ""},
    {"binary_sensor", "problem", "", ""},
};

static bool holds(const char *words, struct pw_str word)
{
    char text[64];
    struct pw_out out = PW_OUT(text);
    pw_put_c(&out, ' ');
    pw_put(&out, word);
    pw_put_c(&out, ' ');
    return !out.full && strstr(words, text) != NULL;
}

static void judge_keys(struct pw_str platform, const struct pw_json_node *entity)
{
    size_t i = 0;
    while (i < PW_COUNT(platforms) && !pw_str_is(platform, platforms[i].platform)) {
        i++;
    }
    assert_true(i < PW_COUNT(platforms));
    struct pw_str required = pw_str_of(platforms[i].required);
    while (required.len > 0) {
        char key[32];
        assert_int_equal(pw_str_copy(key, sizeof(key), pw_str_cut(&required, ' ')), PW_OK);
        assert_non_null(pw_json_member(entity, key));
    }
    struct pw_json_iter it = pw_json_each(entity);
    while (pw_json_next(&it) != NULL) {
        if (!holds(platforms[i].allowed, it.key)) {
            fail_msg("%.*s is no option of %s", (int)it.key.len, it.key.at, platforms[i].platform);
        }
    }
}

static void judge_class(struct pw_str platform, const struct pw_json_node *entity)
{
    struct pw_str device_class = member(entity, "device_class");
    struct pw_str unit = member(entity, "unit_of_measurement");
    struct pw_str state_class = member(entity, "state_class");
    if (device_class.len == 0) {
        assert_int_equal(unit.len, 0); // a unit without a class says nothing to an energy board
        return;
    }
    size_t i = 0;
    while (i < PW_COUNT(classes) && !(pw_str_is(platform, classes[i].platform) &&
                                      pw_str_is(device_class, classes[i].device_class))) {
        i++;
    }
    assert_true(i < PW_COUNT(classes));
    assert_true(classes[i].units[0] == '\0' ? unit.len == 0 : holds(classes[i].units, unit));
    assert_true(classes[i].state_classes[0] == '\0' ? state_class.len == 0
                                                    : holds(classes[i].state_classes, state_class));
}

// ---- What there really is.

// The last part of "Dinamics/SN7/2/name" of the connector.
static struct pw_str name_of(struct pw_str topic, unsigned connector)
{
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out out = PW_OUT(text);
    pw_mqtt_topic(&desk.mqtt, connector + 1, "", &out);
    assert_true(pw_str_starts(topic, text));
    return (struct pw_str){.at = topic.at + out.len, .len = topic.len - out.len};
}

static const struct pw_mqtt_value_row *value_of(struct pw_str name)
{
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        if (pw_str_is(name, pw_mqtt_values[i].topic)) {
            return &pw_mqtt_values[i];
        }
    }
    return NULL;
}

static const struct pw_mqtt_command_row *command_of(struct pw_str name)
{
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        if (pw_str_is(name, pw_mqtt_commands[i].topic)) {
            return &pw_mqtt_commands[i];
        }
    }
    return NULL;
}

static void judge_state(const struct pw_json_node *entity, const char *key, unsigned connector)
{
    struct pw_str topic = member(entity, key);
    if (topic.len == 0) {
        return;
    }
    const struct pw_mqtt_value_row *row = value_of(name_of(topic, connector));
    if (row == NULL) {
        fail_msg("nothing is published on %.*s", (int)topic.len, topic.at);
        return;
    }
    assert_true(row->retain);
    assert_true(connector == 0 || row->scope == PW_MQTT_OF_CONNECTOR);
    struct pw_str template = member(entity, "value_template");
    static const char start[] = "value_json.";
    const char *at = memmem(template.at, template.len, start, sizeof(start) - 1);
    assert_true(at == NULL || row->form == PW_MQTT_JSON);
    if (at != NULL && strcmp(row->topic, "settings") == 0) {
        char quoted[32] = "\"";
        struct pw_out out = PW_OUT(quoted);
        out.len = 1;
        for (at += sizeof(start) - 1; *at >= 'A' && *at <= 'Z'; at++) {
            pw_put_c(&out, *at);
        }
        pw_put_s(&out, "\":");
        assert_non_null(strstr(settings_text, quoted));
    }
}

static void judge_number(const struct pw_json_node *entity, const struct pw_mqtt_command_row *row)
{
    int64_t least = 0;
    int64_t most = 0;
    assert_int_equal(row->form, PW_MQTT_NUMBER);
    assert_int_equal(pw_json_int(pw_json_member(entity, "min"), -1, 1000, &least), PW_OK);
    assert_int_equal(pw_json_int(pw_json_member(entity, "max"), -1, 1000, &most), PW_OK);
    assert_int_equal(least, row->least);
    assert_int_equal(most, row->most);
    assert_true(pw_str_is(member(entity, "unit_of_measurement"), row->unit));
}

static void judge_select(const struct pw_json_node *entity, const struct pw_mqtt_command_row *row)
{
    struct pw_json_iter it = pw_json_each(pw_json_member(entity, "options"));
    struct pw_str command = member(entity, "command_template");
    struct pw_str value = member(entity, "value_template");
    unsigned options = 0;
    for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL; options++) {
        struct pw_str ours = PW_STR("");
        assert_int_equal(pw_json_text(item, &ours), PW_OK);
        struct pw_str theirs = pw_mqtt_theirs(row->words, ours);
        assert_true(theirs.len > 0);
        char text[64];
        struct pw_out map = PW_OUT(text);
        pw_put_c(&map, '\'');
        pw_put(&map, ours);
        pw_put_s(&map, "':'");
        pw_put(&map, theirs);
        pw_put_c(&map, '\'');
        assert_non_null(memmem(command.at, command.len, map.at, map.len));
        map = PW_OUT(text);
        pw_put_c(&map, '\'');
        pw_put(&map, theirs);
        pw_put_s(&map, "':'");
        pw_put(&map, ours);
        pw_put_c(&map, '\'');
        assert_non_null(memmem(value.at, value.len, map.at, map.len));
    }
    assert_int_equal(options, 3);
}

static void judge_command(struct pw_str platform, const struct pw_json_node *entity,
                          unsigned connector)
{
    struct pw_str topic = member(entity, "command_topic");
    if (topic.len == 0) {
        return;
    }
    const struct pw_mqtt_command_row *row = command_of(name_of(topic, connector));
    if (row == NULL) {
        fail_msg("nobody hears %.*s", (int)topic.len, topic.at);
        return;
    }
    assert_true(connector == 0 || row->scope == PW_MQTT_OF_CONNECTOR);
    if (pw_str_is(platform, "number")) {
        judge_number(entity, row);
    } else if (pw_str_is(platform, "select")) {
        judge_select(entity, row);
    } else if (pw_str_is(platform, "switch")) {
        assert_string_equal(row->words, "0=false,1=true");
        assert_true(pw_str_is(member(entity, "payload_on"), "1"));
        assert_true(pw_str_is(member(entity, "payload_off"), "0"));
    } else {
        assert_true(pw_str_is(platform, "button"));
        assert_int_equal(row->form, PW_MQTT_ONCE);
        assert_true(pw_str_is(member(entity, "payload_press"), "1"));
    }
}

static void judge_entity(const struct pw_json_node *entity, unsigned connector, struct pw_str id)
{
    struct pw_str platform = member(entity, "p");
    struct pw_str unique = member(entity, "unique_id");
    struct pw_str category = member(entity, "entity_category");
    assert_true(unique.len > id.len + 1 && memcmp(unique.at, id.at, id.len) == 0);
    assert_true(member(entity, "name").len > 0);
    assert_true(category.len == 0 || holds(" config diagnostic ", category));
    assert_true(!pw_str_is(category, "config") || !pw_str_is(platform, "sensor"));
    judge_keys(platform, entity);
    judge_class(platform, entity);
    judge_state(entity, "state_topic", connector);
    judge_state(entity, "json_attributes_topic", connector);
    judge_command(platform, entity, connector);
}

// Returns how many entities the device has.
static unsigned judge_device(const struct pw_broker_message *message, unsigned connector)
{
    const struct pw_json_node *root = read(message->payload);
    const struct pw_json_node *device = pw_json_member(root, "dev");
    struct pw_json_iter ids = pw_json_each(pw_json_member(device, "identifiers"));
    struct pw_str id = PW_STR("");
    assert_int_equal(pw_json_text(pw_json_next(&ids), &id), PW_OK);
    assert_true(message->retain);
    assert_true(member(device, "name").len > 0);
    assert_true(member(pw_json_member(root, "o"), "name").len > 0);
    assert_true(pw_str_is(member(root, "availability_topic"), DESK_BASE "/connected"));
    assert_true(pw_str_is(member(root, "payload_available"), "online"));
    assert_true(pw_str_is(member(root, "payload_not_available"), "offline"));
    struct pw_json_iter it = pw_json_each(pw_json_member(root, "cmps"));
    unsigned count = 0;
    for (const struct pw_json_node *entity; (entity = pw_json_next(&it)) != NULL; count++) {
        judge_entity(entity, connector, id);
    }
    return count;
}

static void keep_settings_document(void)
{
    pw_mqtt_up(&desk.mqtt, desk.now);
    desk_run(&desk, 5000);
    const struct desk_message *message = desk_find(&desk, "settings");
    assert_non_null(message);
    memcpy(settings_text, message->payload, message->len + 1);
}

// Reason: Home Assistant refuses a whole device for one wrong key, and shows nothing.
static void each_device_is_what_home_assistant_accepts_and_the_station_has(void **state)
{
    (void)state;
    static const char *const topics[] = {"homeassistant/device/pilotwire_SN7/config",
                                         "homeassistant/device/pilotwire_SN7_2/config"};
    keep_settings_document();
    for (unsigned house = 0; house < 2; house++) {
        set("metering.house_meter", house > 0 ? "mqtt:house/meter" : "");
        guest.up(guest.context, desk.now);
        unsigned count[2];
        for (unsigned i = 0; i < 2; i++) {
            struct pw_broker_message message;
            assert_true(guest.take(guest.context, &message, desk.now));
            assert_true(pw_str_is(message.topic, topics[i]));
            count[i] = judge_device(&message, i);
        }
        assert_int_equal(count[0], house > 0 ? 26 : 23);
        assert_int_equal(count[1], 15);
        // The devices of connectors 3 and 4, which are not there, are taken back.
        for (unsigned i = 2; i < PW_CONNECTORS_MAX; i++) {
            struct pw_broker_message message;
            assert_true(guest.take(guest.context, &message, desk.now));
            assert_int_equal(message.payload.len, 0);
            assert_true(message.retain);
        }
        struct pw_broker_message message;
        assert_false(guest.take(guest.context, &message, desk.now));
    }
}

static unsigned take_all(void)
{
    unsigned count = 0;
    struct pw_broker_message message;
    while (guest.take(guest.context, &message, desk.now)) {
        count++;
    }
    return count;
}

// Reason: a Home Assistant that starts anew has forgotten what the broker did not keep.
static void a_birth_makes_it_say_everything_again(void **state)
{
    (void)state;
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out filter = PW_OUT(text);
    unsigned said = take_all();
    assert_true(guest.subscription(guest.context, 0, &filter));
    assert_string_equal(text, "homeassistant/status");
    assert_false(guest.subscription(guest.context, 1, &filter));
    struct pw_broker_message birth = {.topic = PW_STR("homeassistant/status"),
                                      .payload = PW_STR("offline")};
    assert_true(guest.message(guest.context, &birth, desk.now));
    assert_int_equal(take_all(), 0);
    birth.payload = PW_STR("online");
    assert_true(guest.message(guest.context, &birth, desk.now));
    assert_int_equal(take_all(), said);
    birth.topic = PW_STR("homeassistant/status/x");
    assert_false(guest.message(guest.context, &birth, desk.now));
    guest.down(guest.context, desk.now);
    birth.topic = PW_STR("homeassistant/status");
    assert_true(guest.message(guest.context, &birth, desk.now));
    assert_int_equal(take_all(), 0); // nothing leaves without a connection
}

// Reason: what the broker keeps would stay in Home Assistant for ever.
static void switched_off_it_takes_back_what_was_said(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        unsigned devices;
    } rows[] = {{"", 0}, {"ha", 2}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        unsigned devices = 0;
        unsigned back = 0;
        struct pw_broker_message message;
        set("mqtt.discovery_prefix", rows[i].prefix);
        pw_discovery_init(&discovery, &desk.mqtt, &desk.station, "1.2.3");
        guest.up(guest.context, desk.now);
        // Set back meanwhile: that counts from the next start on, and took a name away from what
        // was to be taken back.
        set("mqtt.discovery_prefix", "homeassistant");
        while (guest.take(guest.context, &message, desk.now)) {
            bool old = pw_str_starts(message.topic, "homeassistant/device/pilotwire_SN7");
            assert_int_equal(message.payload.len == 0, old);
            assert_true(message.retain);
            devices += message.payload.len > 0 ? 1 : 0;
            back += old ? 1 : 0;
        }
        assert_int_equal(devices, rows[i].devices);
        assert_int_equal(back, PW_CONNECTORS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            each_device_is_what_home_assistant_accepts_and_the_station_has, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_birth_makes_it_say_everything_again, open_all, close_all),
        cmocka_unit_test_setup_teardown(switched_off_it_takes_back_what_was_said, open_all,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
