// Messages from a broker, of whatever topic. The input is lines: "[!]<topic> <payload>", where "!"
// means retained and a topic without "/" stands below the station's own. Whatever comes: what is
// published fits its bounds, a refusal is JSON, no secret is in it, the settings hold together, and
// the station still answers afterwards.
#include "mqtt/mqtt.h"

#include "simstore.h"

#include <string.h>

#define SECRET "a-very-secret-key"
#define BASE   "Dinamics/FUZZ/"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct pw_station station;
static struct pw_mqtt mqtt;
static struct pw_sim_store disk;
static struct pw_settings settings;
static struct pw_json_node nodes[4096];
static char spare[PW_MQTT_PAYLOAD];
static bool knows; // the sender: what he sends himself may come back in a refusal
static pw_ms now;

static void quiet(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context, (void)level;
    (void)pw_mqtt_line(&mqtt, room, text);
}

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    int err = pw_settings_find(pw_str_of(path), &at);
    PW_ASSERT(err == PW_OK);
    err = pw_settings_set(&settings, at, pw_str_of(value), by, &why);
    PW_ASSERT(err == PW_OK);
}

static void open_station(void)
{
    static const struct pw_log log = {.write = quiet};
    now = 1000;
    memset(&mqtt, 0, sizeof(mqtt));
    mqtt.config.station = &station;
    pw_settings_init(&settings);
    set("station.id", "FUZZ", PW_BY_FILE);
    set("connectors[0].kind", "openevse", PW_BY_FILE);
    set("connectors[1].kind", "pilot", PW_BY_FILE);
    set("connectors[1].board", "b", PW_BY_FILE);
    set("mqtt.password", SECRET, PW_BY_SECRETS);
    set("network.password1", SECRET, PW_BY_SECRETS);
    station.settings = settings;
    pw_sim_store_init(&disk);
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &log,
                                           .firmware = "1",
                                           .seed = 1,
                                           .now = now};
    int err = pw_station_init(&station, &start);
    PW_ASSERT(err == PW_OK);
    const struct pw_mqtt_config config = {.station = &station, .log = &log, .version = "1"};
    pw_mqtt_init(&mqtt, &config, now);
    pw_mqtt_up(&mqtt, now);
}

static bool holds(struct pw_str text, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.at + i, what, len) == 0) {
            return true;
        }
    }
    return false;
}

static void judge(const struct pw_broker_message *message)
{
    struct pw_json json = {
        .node = nodes, .cap = PW_COUNT(nodes), .spare = spare, .spare_cap = sizeof(spare)};
    PW_ASSERT(message->topic.len > 0 && message->topic.len < PW_BROKER_TOPIC_MAX);
    PW_ASSERT(pw_str_starts(message->topic, BASE));
    PW_ASSERT(message->payload.len <= PW_BROKER_OUT_MAX);
    PW_ASSERT(knows || !holds(message->payload, SECRET));
    if (message->payload.len > 0 && message->payload.at[0] == '{') {
        int err = pw_json_read(&json, message->payload);
        PW_ASSERT(err == PW_OK);
    }
}

static unsigned turn(void)
{
    struct pw_broker_message message;
    unsigned said = 0;
    now += 50;
    (void)pw_station_step(&station, now);
    pw_ms at = pw_mqtt_step(&mqtt, now);
    PW_ASSERT(at >= now);
    while (pw_mqtt_take(&mqtt, &message, now)) {
        judge(&message);
        said++;
        PW_ASSERT(said < 500);
    }
    return said;
}

static void tell(struct pw_str topic, struct pw_str payload, bool retain)
{
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, memchr(topic.at, '/', topic.len) == NULL ? BASE : "");
    pw_put(&out, topic);
    const struct pw_broker_message message = {
        .topic = pw_out_str(&out), .payload = payload, .retain = retain};
    pw_mqtt_message(&mqtt, &message, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pw_str rest = {.at = (const char *)bytes, .len = len};
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    if (len == 0) {
        return 0;
    }
    knows = holds(rest, SECRET);
    open_station();
    for (unsigned lines = 0; rest.len > 0 && lines < 200; lines++) {
        struct pw_str line = pw_str_cut(&rest, '\n');
        bool retain = line.len > 0 && line.at[0] == '!';
        line.at += retain ? 1 : 0;
        line.len -= retain ? 1 : 0;
        struct pw_str topic = pw_str_cut(&line, ' ');
        if (topic.len > 0) {
            tell(topic, line, retain);
        }
        (void)turn();
    }
    int err = pw_settings_check(&station.settings, &why);
    PW_ASSERT(err == PW_OK);
    now += 10000; // the bucket fills again
    (void)turn();
    tell(PW_STR("get_wifi"), PW_STR("1"), false);
    unsigned said = turn();
    PW_ASSERT(said > 0);
    pw_sim_store_free(&disk);
    return 0;
}
