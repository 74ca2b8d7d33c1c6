#include "link.h"

int link_open(struct link *link, struct pw_loop *loop, const struct pw_clock *pace,
              struct pw_out *why)
{
    const struct pw_settings *settings = &link->station->settings;
    link->up = false;
    link->client = NULL;
    struct pw_str url = pw_str_of(pw_settings_text(settings, PW_SET_OCPP_URL));
    if (url.len == 0) {
        return PW_OK;
    }
    const char *ca_file =
        pw_str_starts(url, "wss://") ? pw_settings_text(settings, PW_SET_OCPP_CA) : NULL;
    link->client = pw_ws_client_new(loop, pace, ca_file, why);
    return link->client != NULL ? PW_OK : PW_ERR_UNKNOWN;
}

void link_close(struct link *link)
{
    pw_ws_client_free(link->client);
    link->client = NULL;
}

static void log_end(const struct link *link, const struct pw_ws_end *end)
{
    struct pw_line line;
    pw_line(&line, link->log, PW_LOG_WARN, "link", end->refused ? "refused" : "closed");
    pw_line_s(&line, "why", end->reason);
    if (end->http_status != 0) {
        pw_line_int(&line, "http_status", end->http_status);
    }
    if (end->close_code != 0) {
        pw_line_int(&line, "close_code", end->close_code);
    }
    pw_line_end(&line);
}

static void log_open(const struct link *link)
{
    struct pw_line line;
    pw_line(&line, link->log, PW_LOG_INFO, "link", "open");
    pw_line_s(&line, "url", pw_settings_text(&link->station->settings, PW_SET_OCPP_URL));
    pw_line_end(&line);
}

static void try_open(struct link *link, pw_ms now)
{
    const struct pw_settings *settings = &link->station->settings;
    const struct pw_ws_target target = {
        .url = pw_str_of(pw_settings_text(settings, PW_SET_OCPP_URL)),
        .id = pw_str_of(pw_settings_text(settings, PW_SET_STATION_ID)),
        .subprotocol = PW_STR("ocpp1.6"),
        .password = pw_str_of(pw_settings_text(settings, PW_SET_OCPP_KEY)),
    };
    char text[128] = "";
    struct pw_out why = PW_OUT(text);
    if (pw_ws_open(link->client, &target, &why) == PW_ERR_RANGE) {
        struct pw_ws_end end = {.refused = true};
        (void)!pw_str_copy(end.reason, sizeof(end.reason), pw_out_str(&why));
        log_end(link, &end);
        pw_station_link_down(link->station, pw_out_str(&why), now);
    }
}

static void take_message(struct link *link, pw_ms now)
{
    struct pw_str text;
    if (!pw_ws_message(link->client, &text)) {
        return;
    }
    // AGAIN with a connection that is gone would never change: nobody waits for the answer.
    if (pw_station_text(link->station, text, now) != PW_ERR_AGAIN ||
        pw_ws_state(link->client) == PW_WS_IDLE) {
        pw_ws_message_done(link->client);
    }
}

bool link_step(struct link *link, pw_ms now)
{
    struct pw_str text;
    struct pw_ws_end end;
    if (link->client == NULL) {
        return false;
    }
    pw_ws_ping_every(link->client,
                     (unsigned)pw_settings_int(&link->station->settings, PW_SET_WS_PING_S));
    pw_ws_step(link->client);
    bool active = pw_ws_message(link->client, &text);
    if (pw_ws_state(link->client) == PW_WS_OPEN && !link->up) {
        link->up = true;
        active = true;
        log_open(link);
        pw_station_link_up(link->station, now);
    }
    take_message(link, now);
    if (pw_ws_take_end(link->client, &end)) {
        link->up = false;
        active = true;
        log_end(link, &end);
        pw_station_link_down(link->station, pw_str_of(end.reason), now);
    }
    return active;
}

void link_flush(struct link *link, pw_ms now)
{
    if (link->client == NULL) {
        return;
    }
    struct pw_str text = pw_station_out(link->station);
    if (text.len > 0 && link->up && pw_ws_send(link->client, text) == PW_OK) {
        pw_station_out_sent(link->station, now);
    }
    enum pw_ws_state state = pw_ws_state(link->client);
    bool wants = pw_station_wants_link(link->station, now);
    if (wants && state == PW_WS_IDLE) {
        try_open(link, now);
    } else if (!wants && (state == PW_WS_OPEN || state == PW_WS_OPENING)) {
        pw_ws_close(link->client);
    }
    pw_ws_step(link->client);
}

bool link_leave(struct link *link)
{
    if (link->client == NULL || pw_ws_state(link->client) == PW_WS_IDLE) {
        return true;
    }
    pw_ws_close(link->client);
    pw_ws_step(link->client);
    return pw_ws_state(link->client) == PW_WS_IDLE;
}
