#include "mqtt.h"

#include "machine.h"

#define TAKE_MOST 16    // messages a turn, each way
#define FACTS_MS  10000 // between two looks at address and memory

static bool tap(void *context, const char *room, struct pw_str text)
{
    struct mqtt *mqtt = context;
    return pw_mqtt_line(&mqtt->topics, room, text);
}

void mqtt_init(struct mqtt *mqtt, pw_ms now)
{
    const struct pw_mqtt_config config = {
        .station = mqtt->station, .log = &mqtt->logger->log, .version = PW_VERSION};
    pw_mqtt_init(&mqtt->topics, &config, now);
    pw_discovery_init(&mqtt->discovery, &mqtt->topics, mqtt->station, PW_VERSION);
    const struct pw_mqtt_guest guest = pw_discovery_guest(&mqtt->discovery);
    int err = pw_mqtt_join(&mqtt->topics, &guest);
    PW_ASSERT(err == PW_OK); // the first guest
    mqtt->facts_at = now;
    mqtt->logger->tap = tap;
    mqtt->logger->tap_context = mqtt;
}

static void say_unused(const struct mqtt *mqtt, const char *why)
{
    struct pw_line line;
    pw_line(&line, &mqtt->logger->log, PW_LOG_ERROR, "mqtt", "not-used");
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

static void subscribe(struct mqtt *mqtt)
{
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out filter = PW_OUT(text);
    for (unsigned n = 0; pw_mqtt_subscription(&mqtt->topics, n, &filter); n++) {
        if (filter.full || pw_mqtt_wire_subscribe(mqtt->wire, pw_out_str(&filter)) != PW_OK) {
            say_unused(mqtt, "a topic is too long, or there are too many");
        }
        filter = PW_OUT(text);
    }
}

void mqtt_open(struct mqtt *mqtt, pw_ms now)
{
    const struct pw_settings *settings = &mqtt->station->settings;
    char will[PW_BROKER_TOPIC_MAX];
    char id[PW_BROKER_TOPIC_MAX];
    char text[240] = "";
    struct pw_out topic = PW_OUT(will);
    struct pw_out client = PW_OUT(id);
    struct pw_out why = PW_OUT(text);
    if (pw_settings_text(settings, PW_SET_MQTT_URL)[0] == '\0') {
        return;
    }
    if (pw_settings_locked(settings, PW_SET_MQTT_PASSWORD)) {
        say_unused(mqtt, "mqtt.password cannot be opened: give it anew");
        return;
    }
    if (pw_settings_text(settings, PW_SET_MQTT_PASSWORD)[0] != '\0' &&
        pw_security_may_send_password(
            settings, pw_str_of(pw_settings_text(settings, PW_SET_MQTT_URL)), &why) != PW_OK) {
        say_unused(mqtt, text);
        return;
    }
    pw_mqtt_will_topic(&mqtt->topics, &topic);
    pw_put_s(&client, "pilotwire-");
    pw_put_s(&client, pw_mqtt_base(&mqtt->topics));
    const struct pw_mqtt_wire_config config = {
        .url = pw_settings_text(settings, PW_SET_MQTT_URL),
        .client_id = id,
        .username = pw_settings_text(settings, PW_SET_MQTT_USER),
        .password = pw_settings_text(settings, PW_SET_MQTT_PASSWORD),
        .ca_file = pw_settings_text(settings, PW_SET_MQTT_CA),
        .pin = pw_settings_text(settings, PW_SET_MQTT_PIN),
        .certificate = pw_settings_text(settings, PW_SET_MQTT_CERTIFICATE),
        .key = pw_settings_text(settings, PW_SET_MQTT_KEY),
        .wall = pw_station_wall(mqtt->station, now),
        .will = {.topic = will, .payload = PW_MQTT_OFFLINE},
        .seed = mqtt->seed,
    };
    mqtt->wire = pw_mqtt_wire_open(mqtt->loop, &config, &why);
    if (mqtt->wire == NULL) {
        say_unused(mqtt, text);
        return;
    }
    subscribe(mqtt);
}

void mqtt_close(struct mqtt *mqtt)
{
    if (mqtt->logger != NULL) {
        mqtt->logger->tap = NULL;
    }
    pw_mqtt_wire_close(mqtt->wire);
    mqtt->wire = NULL;
}

static bool take_news(struct mqtt *mqtt, pw_ms now)
{
    struct pw_str reason;
    switch (pw_mqtt_wire_news(mqtt->wire, &reason)) {
    case PW_MQTT_WIRE_NONE: return false;
    case PW_MQTT_WIRE_UP: pw_mqtt_up(&mqtt->topics, now); return true;
    case PW_MQTT_WIRE_DOWN: pw_mqtt_down(&mqtt->topics, reason, now); return true;
    }
    PW_UNREACHABLE();
}

static pw_ms tell_facts(struct mqtt *mqtt, pw_ms now)
{
    if (now >= mqtt->facts_at) {
        char text[48] = "";
        struct pw_out address = PW_OUT(text);
        pw_machine_address(&address);
        pw_mqtt_wire_wall(mqtt->wire, pw_station_wall(mqtt->station, now));
        pw_mqtt_facts(&mqtt->topics, pw_out_str(&address), pw_machine_free_kb());
        mqtt->facts_at = pw_after(now, FACTS_MS);
    }
    return mqtt->facts_at;
}

pw_ms mqtt_step(struct mqtt *mqtt, pw_ms now, bool *busy)
{
    if (mqtt->wire == NULL) {
        return PW_NEVER;
    }
    pw_ms at = tell_facts(mqtt, now);
    while (take_news(mqtt, now)) {
        *busy = true;
    }
    unsigned taken = 0;
    struct pw_broker_message message;
    while (taken < TAKE_MOST && pw_mqtt_has_room(&mqtt->topics) &&
           pw_mqtt_wire_take(mqtt->wire, &message)) {
        pw_mqtt_message(&mqtt->topics, &message, now);
        taken++;
    }
    *busy = *busy || taken > 0;
    at = pw_earlier(at, pw_mqtt_step(&mqtt->topics, now));
    return taken == TAKE_MOST ? now : at;
}

void mqtt_flush(struct mqtt *mqtt, pw_ms now)
{
    struct pw_broker_message message;
    if (mqtt->wire == NULL) {
        return;
    }
    for (unsigned sent = 0;
         sent < TAKE_MOST &&
         pw_mqtt_wire_has_room(mqtt->wire, PW_BROKER_TOPIC_MAX + PW_BROKER_OUT_MAX) &&
         pw_mqtt_take(&mqtt->topics, &message, now);
         sent++) {
        // There is room, and whoever is not connected any more hears of it in the next turn.
        (void)!pw_mqtt_wire_send(mqtt->wire, &message);
        if (sent == TAKE_MOST - 1) {
            pw_loop_wake(mqtt->loop);
        }
    }
}
