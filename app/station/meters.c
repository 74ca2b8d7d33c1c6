#include "meters.h"

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
        meters->count++;
    }
    return number < 0 ? number : PW_OK;
}

int meters_open(struct meters *meters, const struct pw_settings *settings, struct pw_out *why)
{
    char text[320] = "";
    struct pw_out reason = PW_OUT(text);
    int err = add(meters, 0, pw_settings_text(settings, PW_SET_HOUSE_METER), &reason);
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
    pw_modbus_close(meters->lines);
    meters->lines = NULL;
    meters->count = 0;
}

void meters_step(struct meters *meters, pw_ms now)
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
    }
}
