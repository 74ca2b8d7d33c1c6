#include "meters.h"

#include "modbus/url.h"

#include <string.h>

static void tell(const struct meters *meters, unsigned connector,
                 const struct pw_modbus_state *state)
{
    struct pw_line line;
    pw_line(&line, meters->log, state->up ? PW_LOG_INFO : PW_LOG_WARN, "meter",
            state->up ? "up" : "away");
    if (connector == 0) {
        pw_line_s(&line, "of", "house");
    } else {
        pw_line_int(&line, "connector", connector);
    }
    if (!state->up) {
        pw_line_s(&line, "why", state->why);
    }
    pw_line_end(&line);
}

static int add(struct meters *meters, unsigned connector, const char *url, struct pw_out *why)
{
    if (url[0] == '\0') {
        return PW_OK;
    }
    if (meters->lines == NULL) {
        meters->lines = pw_modbus_open(meters->loop, PW_MODBUS_TIMEOUT_MS);
    }
    if (meters->lines == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    if (connector == 0) {
        pw_put_s(why, "metering.house_meter: ");
    } else {
        pw_put_s(why, "connectors[");
        pw_put_uint(why, connector - 1U);
        pw_put_s(why, "].meter: ");
    }
    pw_put_c(why, '"');
    pw_put_s(why, url);
    pw_put_s(why, "\": ");
    int number = pw_modbus_add(meters->lines, pw_str_of(url), why);
    if (number >= 0) {
        meters->connector[number] = connector;
        pw_station_signer(meters->station, connector,
                          pw_modbus_signs(meters->lines, (unsigned)number));
        meters->count++;
    }
    return number < 0 ? number : PW_OK;
}

// ---------------------------------------------------------------------------------------------
// The house's own ways.

// What follows `scheme`; false for another scheme.
static bool behind(struct pw_str url, const char *scheme, struct pw_str *rest)
{
    size_t len = strlen(scheme);
    if (!pw_str_starts(url, scheme)) {
        return false;
    }
    *rest = (struct pw_str){.at = url.at + len, .len = url.len - len};
    return true;
}

static bool house_url(const struct pw_settings *settings, const char *scheme, struct pw_str *rest)
{
    return behind(pw_str_of(pw_settings_text(settings, PW_SET_HOUSE_METER)), scheme, rest);
}

int meters_check_house(struct pw_str url, struct pw_out *why)
{
    struct pw_house_topics topics;
    struct pw_modbus_url modbus;
    struct pw_str rest;
    if (behind(url, "mqtt:", &rest)) {
        return pw_house_topics_init(&topics, rest, 1, why);
    }
    if (behind(url, "ct:", &rest)) {
        return clamps_check(rest, why);
    }
    int err = pw_modbus_url_read(url, &modbus, why);
    if (err != PW_OK && !pw_str_starts(url, "modbus:")) {
        pw_put_s(why, ", mqtt:TOPIC or ct:LINE");
    }
    return err;
}

int meters_check(const struct pw_settings *settings, struct pw_out *why)
{
    struct pw_str rest;
    if (house_url(settings, "mqtt:", &rest) &&
        pw_settings_text(settings, PW_SET_MQTT_URL)[0] == '\0') {
        pw_put_s(why, "metering.house_meter: a meter on the broker needs mqtt.url");
        return PW_ERR_RANGE;
    }
    if (house_url(settings, "ct:", &rest) && pw_settings_int(settings, PW_SET_HOUSE_CTS) == 0) {
        pw_put_s(why, "house.cts: must say which phases carry a current transformer");
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

static bool subscription(void *context, unsigned n, struct pw_out *filter)
{
    const struct meters *meters = context;
    const char *topic = pw_house_topics_name(&meters->topics, n);
    if (topic != NULL) {
        pw_put_s(filter, topic);
    }
    return topic != NULL;
}

// Stored at once, so that the station decides on it in this turn.
static bool message(void *context, const struct pw_broker_message *message, pw_ms now)
{
    struct meters *meters = context;
    struct pw_board_mains reading;
    bool ours = pw_house_topics_message(&meters->topics, message, now);
    if (pw_house_topics_take(&meters->topics, &reading)) {
        pw_station_mains(meters->station, 0, &reading, now);
    }
    return ours;
}

int meters_join(struct meters *meters, const struct pw_settings *settings, struct pw_mqtt *mqtt,
                struct pw_out *why)
{
    const struct pw_mqtt_guest guest = {
        .context = meters, .subscription = subscription, .message = message};
    struct pw_str rest;
    int err = meters_check(settings, why);
    if (err == PW_OK && house_url(settings, "mqtt:", &rest)) {
        int32_t mv = pw_settings_connector(settings, PW_SET_MAINS_MV, 0);
        err = pw_house_topics_init(&meters->topics, rest, mv, why);
        err = err == PW_OK ? pw_mqtt_join(mqtt, &guest) : err;
    }
    return err;
}

static int open_house(struct meters *meters, const struct pw_settings *settings, const char *config,
                      struct pw_out *why)
{
    struct pw_str rest;
    if (house_url(settings, "mqtt:", &rest)) {
        return PW_OK; // a guest of the broker's connection
    }
    if (!house_url(settings, "ct:", &rest)) {
        return add(meters, 0, pw_settings_text(settings, PW_SET_HOUSE_METER), why);
    }
    meters->clamps.loop = meters->loop;
    meters->clamps.station = meters->station;
    meters->clamps.log = meters->log;
    pw_put_s(why, "metering.house_meter: ");
    return clamps_open(&meters->clamps, settings, config, rest, why);
}

int meters_open(struct meters *meters, const struct pw_settings *settings, const char *config,
                struct pw_out *why)
{
    char text[512] = "";
    struct pw_out reason = PW_OUT(text);
    int err = open_house(meters, settings, config, &reason);
    for (unsigned i = 0; i < meters->station->connectors && err == PW_OK; i++) {
        reason = PW_OUT(text);
        err = add(meters, i + 1, pw_settings_connector_text(settings, PW_SET_METER, i), &reason);
    }
    if (err != PW_OK) {
        pw_put(why, pw_out_str(&reason));
    }
    return err;
}

void meters_close(struct meters *meters)
{
    clamps_close(&meters->clamps);
    pw_modbus_close(meters->lines);
    meters->lines = NULL;
    meters->count = 0;
}

static void bring_signed(struct meters *meters, unsigned meter)
{
    struct pw_modbus_signed result;
    if (!pw_modbus_signed(meters->lines, meter, &result)) {
        return;
    }
    bool there = result.why[0] == '\0';
    pw_station_signed(meters->station, meters->connector[meter], result.ticket,
                      there ? &result.reading : NULL, pw_str_of(result.why));
}

void meters_flush(struct meters *meters)
{
    struct pw_signed_request request;
    for (unsigned i = 0; i < meters->count; i++) {
        if (pw_station_take_signing(meters->station, meters->connector[i], &request)) {
            pw_modbus_sign(meters->lines, i, &request);
        }
    }
}

pw_ms meters_step(struct meters *meters, pw_ms now)
{
    for (unsigned i = 0; i < meters->count; i++) {
        struct pw_board_mains mains;
        struct pw_modbus_state state;
        if (pw_modbus_take(meters->lines, i, &mains)) {
            // Its thread may have read it since this turn began; nothing comes from the future.
            mains.at = pw_earlier(mains.at, now);
            pw_station_mains(meters->station, meters->connector[i], &mains, now);
        }
        if (pw_modbus_news(meters->lines, i, &state)) {
            tell(meters, meters->connector[i], &state);
        }
        bring_signed(meters, i);
    }
    return clamps_step(&meters->clamps, now);
}
