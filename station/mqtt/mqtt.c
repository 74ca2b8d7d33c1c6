// The connection as the station sees it: what comes is stored, what goes is made when it can leave.
#include "mqtt/mqtt.h"

#include "mqtt/parts.h"

#include <string.h>

#define COMMANDS_A_STEP 4

// ---------------------------------------------------------------------------------------------
// Names

// A topic's level has no separator, wildcard or control character in it.
static void put_level(struct pw_out *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool bad = (unsigned char)*at < ' ' || *at == '+' || *at == '#' || *at == '/';
        pw_put_c(out, bad ? '_' : *at);
    }
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a[0] != '\0' ? a : b[0] != '\0' ? b : c;
}

static void name_base(struct pw_mqtt *mqtt)
{
    const struct pw_settings *settings = &mqtt->config.station->settings;
    struct pw_out out = PW_OUT(mqtt->base);
    put_level(&out, pw_settings_text(settings, PW_SET_MQTT_PREFIX));
    pw_put_c(&out, '/');
    put_level(&out, first_of(pw_settings_text(settings, PW_SET_MQTT_SERIAL),
                             pw_settings_text(settings, PW_SET_STATION_SERIAL),
                             pw_settings_text(settings, PW_SET_STATION_ID)));
    PW_ASSERT(!out.full);
}

const char *pw_mqtt_base(const struct pw_mqtt *mqtt)
{
    return mqtt->base;
}

void pw_mqtt_topic(const struct pw_mqtt *mqtt, unsigned connector, const char *name,
                   struct pw_out *out)
{
    pw_put_s(out, mqtt->base);
    pw_put_c(out, '/');
    if (connector > 1) {
        pw_put_uint(out, connector);
        pw_put_c(out, '/');
    }
    pw_put_s(out, name);
}

void pw_mqtt_will_topic(const struct pw_mqtt *mqtt, struct pw_out *topic)
{
    pw_mqtt_topic(mqtt, 1, "connected", topic);
}

// The n-th command topic: those of connector 1 and the station first, then the other connectors'.
static bool command_topic(const struct pw_mqtt *mqtt, unsigned n, struct pw_out *filter)
{
    for (unsigned c = 0; c < mqtt->config.station->connectors; c++) {
        for (size_t i = 0; i < pw_mqtt_command_count; i++) {
            if (c > 0 && pw_mqtt_commands[i].scope == PW_MQTT_OF_STATION) {
                continue;
            }
            if (n-- == 0) {
                pw_mqtt_topic(mqtt, c + 1, pw_mqtt_commands[i].topic, filter);
                return true;
            }
        }
    }
    return false;
}

static unsigned command_topics(const struct pw_mqtt *mqtt)
{
    unsigned of_connector = 0;
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        of_connector += pw_mqtt_commands[i].scope == PW_MQTT_OF_CONNECTOR ? 1 : 0;
    }
    return (unsigned)pw_mqtt_command_count + of_connector * (mqtt->config.station->connectors - 1);
}

bool pw_mqtt_subscription(const struct pw_mqtt *mqtt, unsigned n, struct pw_out *filter)
{
    if (command_topic(mqtt, n, filter)) {
        return true;
    }
    n -= command_topics(mqtt);
    for (unsigned i = 0; i < mqtt->guests; i++) {
        const struct pw_mqtt_guest *guest = &mqtt->guest[i];
        unsigned has = 0;
        char text[PW_BROKER_TOPIC_MAX];
        struct pw_out each = PW_OUT(text);
        while (guest->subscription != NULL && guest->subscription(guest->context, has, &each)) {
            if (has == n) {
                pw_put(filter, pw_out_str(&each));
                return true;
            }
            has++;
            each = PW_OUT(text);
        }
        n -= has;
    }
    return false;
}

// ---------------------------------------------------------------------------------------------

void pw_mqtt_init(struct pw_mqtt *mqtt, const struct pw_mqtt_config *config, pw_ms now)
{
    memset(mqtt, 0, sizeof(*mqtt));
    mqtt->config = *config;
    mqtt->free_kb = -1;
    mqtt->known = pw_settings_text(&config->station->settings, PW_SET_MQTT_USER)[0] != '\0';
    mqtt->look_at = now;
    mqtt->flush_at = now;
    mqtt->time_at = now;
    PW_ASSERT(pw_mqtt_value_count <= PW_MQTT_ROWS_MAX);
    name_base(mqtt);
}

int pw_mqtt_join(struct pw_mqtt *mqtt, const struct pw_mqtt_guest *guest)
{
    if (mqtt->guests == PW_MQTT_GUESTS_MAX) {
        return PW_ERR_LIMIT;
    }
    mqtt->guest[mqtt->guests++] = *guest;
    return PW_OK;
}

void pw_mqtt_facts(struct pw_mqtt *mqtt, struct pw_str ip, int64_t free_kb)
{
    if (pw_str_copy(mqtt->ip, sizeof(mqtt->ip), ip) != PW_OK) {
        mqtt->ip[0] = '\0';
    }
    mqtt->free_kb = free_kb;
}

static void say(const struct pw_mqtt *mqtt, enum pw_level level, const char *event,
                struct pw_str why)
{
    struct pw_line line;
    pw_line(&line, mqtt->config.log, level, "mqtt", event);
    if (why.len > 0) {
        pw_line_str(&line, "why", why);
    }
    pw_line_end(&line);
}

void pw_mqtt_due(struct pw_mqtt *mqtt, size_t row, unsigned connector)
{
    mqtt->said[row][connector].due = true;
}

static unsigned places_of(const struct pw_mqtt *mqtt, const struct pw_mqtt_value_row *row)
{
    return row->scope == PW_MQTT_OF_CONNECTOR ? mqtt->config.station->connectors : 1;
}

static void mark_all(struct pw_mqtt *mqtt, enum pw_mqtt_when when, bool anew)
{
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        for (unsigned c = 0; c < places_of(mqtt, &pw_mqtt_values[i]); c++) {
            if (pw_mqtt_values[i].when == when) {
                mqtt->said[i][c].due = true;
                mqtt->said[i][c].said = mqtt->said[i][c].said && !anew;
            }
        }
    }
}

void pw_mqtt_up(struct pw_mqtt *mqtt, pw_ms now)
{
    say(mqtt, PW_LOG_INFO, "connected", PW_STR(""));
    mqtt->up = true;
    mqtt->greet = true;
    pw_station_broker(mqtt->config.station, true);
    mqtt->event_len = 0; // nobody asked for them on this connection
    mqtt->debug_len = 0;
    mark_all(mqtt, PW_MQTT_CHANGED, true);
    mark_all(mqtt, PW_MQTT_TIMED, true);
    mqtt->time_at = now;
    for (unsigned i = 0; i < mqtt->guests; i++) {
        if (mqtt->guest[i].up != NULL) {
            mqtt->guest[i].up(mqtt->guest[i].context, now);
        }
    }
}

void pw_mqtt_down(struct pw_mqtt *mqtt, struct pw_str reason, pw_ms now)
{
    say(mqtt, PW_LOG_WARN, mqtt->up ? "disconnected" : "not-connected", reason);
    for (unsigned i = 0; i < mqtt->guests && mqtt->up; i++) {
        if (mqtt->guest[i].down != NULL) {
            mqtt->guest[i].down(mqtt->guest[i].context, now);
        }
    }
    mqtt->up = false;
    pw_station_broker(mqtt->config.station, false);
}

// ---------------------------------------------------------------------------------------------
// What comes

// The row and connector of a command's topic. False: it is none.
static bool command_of(const struct pw_mqtt *mqtt, struct pw_str topic,
                       struct pw_mqtt_command *command)
{
    size_t base = strlen(mqtt->base);
    unsigned connector = 0;
    if (!pw_str_starts(topic, mqtt->base) || topic.len <= base || topic.at[base] != '/') {
        return false;
    }
    struct pw_str name = {.at = topic.at + base + 1, .len = topic.len - base - 1};
    if (memchr(name.at, '/', name.len) != NULL) {
        int64_t number = 0;
        if (pw_parse_int(pw_str_cut(&name, '/'), 2, mqtt->config.station->connectors, &number) !=
            PW_OK) {
            return false;
        }
        connector = (unsigned)number - 1;
    }
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        if (pw_str_is(name, row->topic) && (connector == 0 || row->scope == PW_MQTT_OF_CONNECTOR)) {
            command->row = (uint8_t)i;
            command->connector = (uint8_t)connector;
            return true;
        }
    }
    return false;
}

// A bucket: each command costs, and time pays back.
static bool let_in(struct pw_mqtt *mqtt, pw_ms now)
{
    const pw_ms most = (pw_ms)(PW_MQTT_BURST - 1) * PW_MQTT_REFILL_MS;
    pw_ms from = mqtt->free_at > now ? mqtt->free_at : now;
    if (from - now > most || mqtt->inbox.count == PW_MQTT_INBOX) {
        mqtt->left_out++;
        return false;
    }
    mqtt->free_at = pw_after(from, PW_MQTT_REFILL_MS);
    return true;
}

bool pw_mqtt_has_room(const struct pw_mqtt *mqtt)
{
    return mqtt->inbox.count < PW_MQTT_INBOX;
}

void pw_mqtt_message(struct pw_mqtt *mqtt, const struct pw_broker_message *message, pw_ms now)
{
    struct pw_mqtt_command command = {.at = now};
    if (!command_of(mqtt, message->topic, &command)) {
        for (unsigned i = 0; i < mqtt->guests; i++) {
            const struct pw_mqtt_guest *guest = &mqtt->guest[i];
            if (guest->message != NULL && guest->message(guest->context, message, now)) {
                return;
            }
        }
        return;
    }
    if (message->retain || !let_in(mqtt, now)) {
        return;
    }
    command.too_long = message->payload.len > sizeof(command.value);
    command.len = (uint16_t)pw_min((int64_t)message->payload.len, sizeof(command.value));
    if (command.len > 0) {
        memcpy(command.value, message->payload.at, command.len);
    }
    bool pushed = pw_mqtt_inbox_push(&mqtt->inbox, command);
    PW_ASSERT(pushed);
}

// ---------------------------------------------------------------------------------------------
// Events: whole messages in a bounded buffer, {topic length, payload length, texts}

static size_t get16(const char *at)
{
    return (size_t)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

void pw_mqtt_event(struct pw_mqtt *mqtt, unsigned connector, const char *topic,
                   struct pw_str payload)
{
    struct pw_out out = {.at = mqtt->event, .cap = sizeof(mqtt->event), .len = mqtt->event_len};
    size_t head = out.len;
    if (!mqtt->up) {
        return;
    }
    pw_put(&out, PW_STR("\0\0\0\0"));
    pw_mqtt_topic(mqtt, connector + 1, topic, &out);
    size_t topic_len = out.len - head - 4;
    pw_put(&out, payload);
    if (out.full) {
        mqtt->events_lost++;
        return;
    }
    uint8_t *lengths = (uint8_t *)mqtt->event + head;
    pw_set_be16(lengths, (uint16_t)topic_len);
    pw_set_be16(lengths + 2, (uint16_t)payload.len);
    mqtt->event_len = out.len;
}

static bool take_event(struct pw_mqtt *mqtt, struct pw_broker_message *message)
{
    if (mqtt->event_len == 0) {
        return false;
    }
    size_t topic_len = get16(mqtt->event);
    size_t payload_len = get16(mqtt->event + 2);
    size_t whole = 4 + topic_len + payload_len;
    struct pw_out topic = PW_OUT(mqtt->topic);
    struct pw_out payload = PW_OUT(mqtt->payload);
    pw_put(&topic, (struct pw_str){.at = mqtt->event + 4, .len = topic_len});
    pw_put(&payload, (struct pw_str){.at = mqtt->event + 4 + topic_len, .len = payload_len});
    mqtt->event_len -= whole;
    memmove(mqtt->event, mqtt->event + whole, mqtt->event_len);
    *message =
        (struct pw_broker_message){.topic = pw_out_str(&topic), .payload = pw_out_str(&payload)};
    return true;
}

// ---------------------------------------------------------------------------------------------
// Values

static uint32_t sum_of(struct pw_str text)
{
    uint32_t sum = 2166136261U;
    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ (unsigned char)text.at[i]) * 16777619U;
    }
    return sum;
}

// The text of a row now; *value for its band. Empty: not known.
static void print_value(const struct pw_mqtt_value_row *row, const struct pw_mqtt_look *look,
                        int64_t *value, struct pw_out *out)
{
    *value = 0;
    if (row->text != NULL) {
        row->text(look, out);
    } else if (row->number != NULL && row->number(look, value)) {
        unsigned places = row->places;
        int64_t rounded = *value;
        int64_t unit = 1;
        for (unsigned i = places; i < row->decimals; i++) {
            unit *= 10;
        }
        rounded += rounded < 0 ? -unit / 2 : unit / 2;
        pw_put_fixed(out, rounded / unit, places);
    }
}

static bool differs(const struct pw_mqtt_value_row *row, const struct pw_mqtt_said *said,
                    struct pw_str text, int64_t value)
{
    uint32_t sum = sum_of(text);
    int64_t step = value > said->value ? value - said->value : said->value - value;
    bool appeared = (text.len == 0) != (said->sum == sum_of(PW_STR("")));
    if (!said->said) {
        return true;
    }
    return sum != said->sum && (row->number == NULL || appeared || step > row->band);
}

static void find_changes(struct pw_mqtt *mqtt, unsigned connector, pw_ms now)
{
    struct pw_mqtt_look look;
    pw_mqtt_look(mqtt, connector, now, &look);
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        const struct pw_mqtt_value_row *row = &pw_mqtt_values[i];
        struct pw_mqtt_said *said = &mqtt->said[i][connector];
        if (row->when != PW_MQTT_CHANGED || said->due || connector >= places_of(mqtt, row)) {
            continue;
        }
        int64_t value = 0;
        struct pw_out out = PW_OUT(mqtt->payload);
        print_value(row, &look, &value, &out);
        said->due = !out.full && differs(row, said, pw_out_str(&out), value);
    }
}

// A row's message as it is now. What has never been known is not said to be unknown.
static bool make_value(struct pw_mqtt *mqtt, size_t index, unsigned connector, pw_ms now,
                       struct pw_broker_message *message)
{
    const struct pw_mqtt_value_row *row = &pw_mqtt_values[index];
    struct pw_mqtt_said *said = &mqtt->said[index][connector];
    struct pw_out topic = PW_OUT(mqtt->topic);
    struct pw_out payload = PW_OUT(mqtt->payload);
    struct pw_mqtt_look look;
    pw_mqtt_look(mqtt, connector, now, &look);
    print_value(row, &look, &said->value, &payload);
    bool was_known = said->said && said->sum != sum_of(PW_STR(""));
    said->sum = sum_of(pw_out_str(&payload));
    said->said = true;
    said->due = false;
    pw_mqtt_topic(mqtt, connector + 1, row->topic, &topic);
    *message = (struct pw_broker_message){
        .topic = pw_out_str(&topic), .payload = pw_out_str(&payload), .retain = row->retain};
    return !payload.full && (payload.len > 0 || (row->retain && was_known));
}

static bool take_value(struct pw_mqtt *mqtt, struct pw_broker_message *message, pw_ms now)
{
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        for (unsigned c = 0; c < places_of(mqtt, &pw_mqtt_values[i]); c++) {
            if (mqtt->said[i][c].due && make_value(mqtt, i, c, now, message)) {
                return true;
            }
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// What goes

static bool take_greeting(struct pw_mqtt *mqtt, struct pw_broker_message *message)
{
    struct pw_out topic = PW_OUT(mqtt->topic);
    if (!mqtt->greet) {
        return false;
    }
    mqtt->greet = false;
    pw_mqtt_will_topic(mqtt, &topic);
    *message = (struct pw_broker_message){
        .topic = pw_out_str(&topic), .payload = PW_STR(PW_MQTT_ONLINE), .retain = true};
    return true;
}

static bool take_log(struct pw_mqtt *mqtt, struct pw_broker_message *message)
{
    struct pw_out topic = PW_OUT(mqtt->topic);
    struct pw_out payload = PW_OUT(mqtt->payload);
    if (!mqtt->debug_due) {
        return false;
    }
    pw_mqtt_take_debug(mqtt, &payload);
    pw_mqtt_topic(mqtt, 1, "debug_log", &topic);
    *message =
        (struct pw_broker_message){.topic = pw_out_str(&topic), .payload = pw_out_str(&payload)};
    return payload.len > 0;
}

// Guests take turns.
static bool take_guest(struct pw_mqtt *mqtt, struct pw_broker_message *message, pw_ms now)
{
    for (unsigned i = 0; i < mqtt->guests; i++) {
        const struct pw_mqtt_guest *guest =
            &mqtt->guest[(mqtt->guest_turn + i) % PW_MQTT_GUESTS_MAX % mqtt->guests];
        *message = (struct pw_broker_message){.retain = false};
        if (guest->take != NULL && guest->take(guest->context, message, now)) {
            mqtt->guest_turn = (unsigned)(guest - mqtt->guest) + 1;
            return true;
        }
    }
    return false;
}

bool pw_mqtt_take(struct pw_mqtt *mqtt, struct pw_broker_message *message, pw_ms now)
{
    return mqtt->up &&
           (take_greeting(mqtt, message) || take_event(mqtt, message) || take_log(mqtt, message) ||
            take_value(mqtt, message, now) || take_guest(mqtt, message, now));
}

// ---------------------------------------------------------------------------------------------
// The turn

// Once for each flood, when it begins.
static void tell_left_out(struct pw_mqtt *mqtt)
{
    if (mqtt->left_out != mqtt->told_out && mqtt->told_out == 0) {
        say(mqtt, PW_LOG_WARN, "flood", PW_STR("more commands than are let in"));
        pw_mqtt_refuse(mqtt, "", PW_STR(""),
                       PW_STR("more commands than are let in: some were left out"));
    }
    mqtt->told_out = mqtt->left_out;
}

static pw_ms step_times(struct pw_mqtt *mqtt, pw_ms now)
{
    const struct pw_settings *settings = &mqtt->config.station->settings;
    if (now >= mqtt->look_at) {
        for (unsigned c = 0; c < mqtt->config.station->connectors; c++) {
            find_changes(mqtt, c, now);
        }
        mqtt->look_at = pw_after(now, (pw_ms)pw_settings_int(settings, PW_SET_MQTT_PUBLISH_MS));
    }
    if (now >= mqtt->flush_at) {
        mqtt->debug_due = mqtt->debug_due || mqtt->debug_len > 0;
        mqtt->flush_at = pw_after(now, (pw_ms)pw_settings_int(settings, PW_SET_MQTT_FLUSH_MS));
    }
    if (now >= mqtt->time_at) {
        mark_all(mqtt, PW_MQTT_TIMED, false);
        mqtt->time_at = pw_after(now, (pw_ms)pw_settings_int(settings, PW_SET_MQTT_TIME_MS));
    }
    return pw_earlier(mqtt->look_at, pw_earlier(mqtt->flush_at, mqtt->time_at));
}

static pw_ms step_guests(struct pw_mqtt *mqtt, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < mqtt->guests; i++) {
        if (mqtt->guest[i].step != NULL) {
            at = pw_earlier(at, mqtt->guest[i].step(mqtt->guest[i].context, now));
        }
    }
    return at;
}

pw_ms pw_mqtt_step(struct pw_mqtt *mqtt, pw_ms now)
{
    struct pw_mqtt_command command;
    pw_ms at = step_guests(mqtt, now);
    for (unsigned n = 0; n < COMMANDS_A_STEP && pw_mqtt_inbox_pop(&mqtt->inbox, &command); n++) {
        pw_mqtt_obey(mqtt, &command, now);
    }
    if (mqtt->inbox.count > 0) {
        at = now;
    }
    tell_left_out(mqtt);
    if (now >= mqtt->free_at) {
        mqtt->left_out = 0;
        mqtt->told_out = 0;
    }
    for (unsigned c = 0; c < mqtt->config.station->connectors; c++) {
        at = pw_earlier(at, pw_mqtt_asking_step(mqtt, c, now));
    }
    if (!mqtt->up) {
        return at;
    }
    return pw_earlier(at, step_times(mqtt, now));
}
