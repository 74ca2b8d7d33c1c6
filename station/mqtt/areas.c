// The debug switches: which rooms' lines go to the log whatever its level, and which to debug_log.
#include "mqtt/parts.h"

#include <string.h>

#define LINE_MOST 190 // characters of one line on debug_log

bool pw_mqtt_switched(const struct pw_settings *settings, size_t area, enum pw_mqtt_switch which)
{
    const char *digits = pw_settings_text(settings, PW_SET_MQTT_DEBUG);
    size_t at = 2 * area + (which == PW_MQTT_TO_BROKER ? 1 : 0);
    return area < PW_MQTT_AREAS && at < strlen(digits) && digits[at] == '1';
}

// The area's number, PW_MQTT_AREAS without one.
static size_t area_of(const char *room)
{
    for (size_t i = 0; i < PW_MQTT_AREAS; i++) {
        struct pw_str rest = pw_str_of(pw_mqtt_areas[i].rooms);
        while (rest.len > 0) {
            if (pw_str_is(pw_str_cut(&rest, ' '), room)) {
                return i;
            }
        }
    }
    return PW_MQTT_AREAS;
}

// "$" separates lines, so that within one it becomes "S".
static void put_line(struct pw_mqtt *mqtt, const char *room, struct pw_str text)
{
    struct pw_out out = {.at = mqtt->debug, .cap = sizeof(mqtt->debug), .len = mqtt->debug_len};
    size_t from = out.len;
    pw_put_c(&out, '$');
    pw_put_s(&out, room);
    pw_put_c(&out, ' ');
    for (size_t i = 0; i < text.len && out.len - from < LINE_MOST; i++) {
        pw_put_c(&out, text.at[i] == '$' ? 'S' : text.at[i]);
    }
    pw_put_c(&out, '$');
    if (out.full) {
        mqtt->debug_lost++;
        mqtt->debug_due = true;
        return;
    }
    mqtt->debug_len = out.len;
}

bool pw_mqtt_line(struct pw_mqtt *mqtt, const char *room, struct pw_str text)
{
    const struct pw_settings *settings = &mqtt->config.station->settings;
    size_t area = area_of(room);
    if (mqtt->up && pw_mqtt_switched(settings, area, PW_MQTT_TO_BROKER)) {
        put_line(mqtt, room, text);
    }
    return pw_mqtt_switched(settings, area, PW_MQTT_TO_LOG);
}

void pw_mqtt_take_debug(struct pw_mqtt *mqtt, struct pw_out *out)
{
    pw_put(out, (struct pw_str){.at = mqtt->debug, .len = mqtt->debug_len});
    if (mqtt->debug_lost > 0) {
        pw_put_s(out, "$left out: ");
        pw_put_uint(out, mqtt->debug_lost);
        pw_put_s(out, " lines$");
    }
    mqtt->debug_len = 0;
    mqtt->debug_lost = 0;
    mqtt->debug_due = false;
}
