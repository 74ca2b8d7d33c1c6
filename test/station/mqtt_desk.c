#include "mqtt_desk.h"

#include "test.h"

#include <string.h>

static void keep_line(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    struct desk *desk = context;
    struct pw_out out = {.at = desk->log, .cap = sizeof(desk->log), .len = desk->log_len};
    (void)level;
    pw_put_s(&out, room);
    pw_put_c(&out, ' ');
    pw_put(&out, text);
    pw_put_c(&out, '\n');
    desk->log_len = out.full ? 0 : out.len;
    (void)pw_mqtt_line(&desk->mqtt, room, text);
}

void desk_set(struct desk *desk, const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    if (pw_settings_set(&desk->settings, at, pw_str_of(value), by, &why) != PW_OK) {
        fail_msg("%s", text);
    }
}

static void start(struct desk *desk)
{
    static struct pw_log log = {.write = keep_line};
    log.context = desk;
    // The topics first: the station's own lines at its start go through them.
    memset(&desk->mqtt, 0, sizeof(desk->mqtt));
    desk->mqtt.config.station = &desk->station;
    desk->station.settings = desk->settings;
    const struct pw_station_start start = {.settings = &desk->settings,
                                           .store = &desk->disk.port,
                                           .log = &log,
                                           .firmware = "1.2.3",
                                           .seed = 7,
                                           .now = desk->now,
                                           .wall = 1700000000000};
    assert_int_equal(pw_station_init(&desk->station, &start), PW_OK);
    const struct pw_mqtt_config config = {
        .station = &desk->station, .log = &log, .version = "1.2.3"};
    pw_mqtt_init(&desk->mqtt, &config, desk->now);
    pw_mqtt_facts(&desk->mqtt, PW_STR("192.0.2.7"), 123456);
}

void desk_open(struct desk *desk)
{
    memset(desk, 0, sizeof(*desk));
    desk->now = 1000;
    pw_settings_init(&desk->settings);
    desk_set(desk, "station.id", "ID7", PW_BY_FILE);
    desk_set(desk, "station.serial", "SN7", PW_BY_FILE);
    desk_set(desk, "connectors[0].kind", "openevse", PW_BY_FILE);
    desk_set(desk, "connectors[0].rapi_cable", "tcp:127.0.0.1:1", PW_BY_FILE);
    desk_set(desk, "connectors[1].kind", "pilot", PW_BY_FILE);
    desk_set(desk, "connectors[1].board", "board.yaml", PW_BY_FILE);
    pw_sim_store_init(&desk->disk);
    start(desk);
}

void desk_close(struct desk *desk)
{
    pw_sim_store_free(&desk->disk);
}

void desk_restart(struct desk *desk)
{
    pw_sim_store_restart(&desk->disk);
    desk_forget(desk);
    start(desk);
}

static void take_all(struct desk *desk)
{
    struct pw_broker_message message;
    while (pw_mqtt_take(&desk->mqtt, &message, desk->now)) {
        assert_true(desk->count < DESK_MESSAGES);
        struct desk_message *out = &desk->out[desk->count++];
        assert_int_equal(pw_str_copy(out->topic, sizeof(out->topic), message.topic), PW_OK);
        assert_true(message.payload.len < sizeof(out->payload));
        memcpy(out->payload, message.payload.at, message.payload.len);
        out->payload[message.payload.len] = '\0';
        out->len = message.payload.len;
        out->retain = message.retain;
    }
}

void desk_step(struct desk *desk)
{
    (void)pw_station_step(&desk->station, desk->now);
    (void)pw_mqtt_step(&desk->mqtt, desk->now);
    take_all(desk);
}

void desk_run(struct desk *desk, pw_ms span)
{
    for (pw_ms until = desk->now + span; desk->now < until;) {
        desk->now += 100;
        desk_step(desk);
    }
}

void desk_connect(struct desk *desk)
{
    pw_mqtt_up(&desk->mqtt, desk->now);
    desk_step(desk);
    desk_run(desk, 5000);
    desk_forget(desk);
}

void desk_tell(struct desk *desk, const char *topic, struct pw_str payload)
{
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, DESK_BASE "/");
    pw_put_s(&out, topic);
    const struct pw_broker_message message = {.topic = pw_out_str(&out), .payload = payload};
    desk_forget(desk);
    pw_mqtt_message(&desk->mqtt, &message, desk->now);
    desk->now += 200; // more than a command costs
    desk_step(desk);
}

void desk_forget(struct desk *desk)
{
    desk->count = 0;
}

const struct desk_message *desk_find(const struct desk *desk, const char *topic)
{
    for (size_t i = desk->count; i > 0; i--) {
        const struct desk_message *out = &desk->out[i - 1];
        if (strncmp(out->topic, DESK_BASE "/", sizeof(DESK_BASE)) == 0 &&
            strcmp(out->topic + sizeof(DESK_BASE), topic) == 0) {
            return out;
        }
    }
    return NULL;
}

void desk_wire(const struct desk *desk, const struct pw_mqtt_command_row *row, unsigned connector,
               char *to, size_t cap)
{
    struct pw_out out = {.at = to, .cap = cap};
    to[0] = '\0';
    pw_mqtt_print_wire(&desk->station.settings, row, connector, &out);
}
