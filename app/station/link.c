#include "link.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// TLS, as the station's keys and certificates say.

static int prepare_tls(void *context, void *ssl_ctx, struct pw_out *why)
{
    const struct link *link = context;
    return pw_trust_prepare(link->keeper, ssl_ctx, &link->connection, why);
}

static void vouched(void *context, void *x509_store_ctx)
{
    const struct link *link = context;
    pw_trust_vouched(link->keeper, x509_store_ctx);
}

// A00.FR.003: who does not ask for our certificate is not in profile 3.
static const char *check_ready(void *context)
{
    const struct link *link = context;
    return link->connection.certificate && !pw_trust_was_asked(link->keeper)
               ? "the server does not ask for a certificate: it is not in security profile 3"
               : NULL;
}

// ---------------------------------------------------------------------------------------------

// TLS is left out until it is needed, which saves memory on stations without.
static int open_client(struct link *link, bool tls, struct pw_out *why)
{
    pw_ws_client_free(link->client);
    link->client = pw_ws_client_new(link->loop, link->pace, tls ? "" : NULL, link->proxy, why);
    return link->client != NULL ? PW_OK : PW_ERR_UNKNOWN;
}

int link_open(struct link *link, struct pw_loop *loop, const struct pw_clock *pace,
              struct pw_out *why)
{
    struct pw_security_target target;
    const char *pin = pw_settings_text(&link->station->settings, PW_SET_OCPP_PIN);
    if (pw_peer_read_pins(pw_str_of(pin), &link->pins, why) != PW_OK) {
        return PW_ERR_RANGE;
    }
    link->up = false;
    link->client = NULL;
    link->loop = loop;
    link->pace = pace;
    link->tls = (struct pw_ws_tls){.context = link,
                                   .pins = &link->pins,
                                   .prepare = prepare_tls,
                                   .vouched = vouched,
                                   .ready = check_ready};
    pw_station_target(link->station, &target, 0);
    return target.url.len == 0 ? PW_OK : open_client(link, pw_str_starts(target.url, "wss"), why);
}

void link_close(struct link *link)
{
    pw_ws_client_free(link->client);
    link->client = NULL;
}

static void log_end(struct link *link, const struct pw_ws_end *end)
{
    struct pw_line line;
    // What keeps a connection from being made is said once, and again when it is something else.
    bool again = end->refused && strcmp(end->reason, link->said) == 0;
    (void)!pw_str_copy(link->said, sizeof(link->said), pw_str_of(end->refused ? end->reason : ""));
    pw_line(&line, link->log, again ? PW_LOG_DEBUG : PW_LOG_WARN, "link",
            end->refused ? "refused" : "closed");
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
    pw_line_s(&line, "url", link->station->security.url);
    pw_line_int(&line, "profile", link->station->security.profile);
    pw_line_end(&line);
}

// The enumerations of port and station have the same members for the same things.
static enum pw_security_fault fault_of(enum pw_ws_fault fault)
{
    switch (fault) {
    case PW_WS_FAULT_NONE: return PW_SECURITY_FAULT_NONE;
    case PW_WS_FAULT_CERTIFICATE: return PW_SECURITY_FAULT_CERTIFICATE;
    case PW_WS_FAULT_TLS_VERSION: return PW_SECURITY_FAULT_TLS_VERSION;
    case PW_WS_FAULT_TLS_SUITE: return PW_SECURITY_FAULT_TLS_SUITE;
    case PW_WS_FAULT_REFUSED: return PW_SECURITY_FAULT_REFUSED;
    case PW_WS_FAULT_PROFILE: return PW_SECURITY_FAULT_PROFILE;
    }
    PW_UNREACHABLE();
}

static void refused(struct link *link, const char *reason, pw_ms now)
{
    struct pw_ws_end end = {.refused = true};
    (void)!pw_str_copy(end.reason, sizeof(end.reason), pw_str_of(reason));
    log_end(link, &end);
    pw_station_link_down(link->station, pw_str_of(end.reason), now);
}

static void try_open(struct link *link, pw_ms now)
{
    const struct pw_settings *settings = &link->station->settings;
    struct pw_security_target how;
    char text[PW_WS_REASON_SIZE] = "";
    struct pw_out why = PW_OUT(text);
    pw_station_target(link->station, &how, now);
    bool tls = pw_str_starts(how.url, "wss");
    if (!how.certificate && pw_settings_locked(settings, PW_SET_OCPP_KEY)) {
        refused(link, "ocpp.authorization_key cannot be opened: give it anew", now);
        return;
    }
    if (tls && !pw_ws_has_tls(link->client) && open_client(link, true, &why) != PW_OK) {
        refused(link, text, now);
        return;
    }
    link->connection = (struct pw_trust_connection){
        .certificate = how.certificate,
        .chosen_roots = how.chosen_roots,
        .pinned = link->pins.count > 0,
        .wall = pw_station_wall(link->station, now),
    };
    if (how.password.len > 0 && pw_security_may_send_password(settings, how.url, &why) != PW_OK) {
        refused(link, text, now);
        return;
    }
    pw_trust_begin(link->keeper);
    const struct pw_ws_target target = {
        .url = how.url,
        .id = pw_str_of(pw_settings_text(settings, PW_SET_STATION_ID)),
        .subprotocol = PW_STR("ocpp1.6"),
        .password = how.password,
        .tls = &link->tls,
    };
    if (pw_ws_open(link->client, &target, &why) == PW_ERR_RANGE) {
        refused(link, text, now);
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
        link->said[0] = '\0';
        active = true;
        log_open(link);
        pw_station_link_up(link->station, now);
    }
    take_message(link, now);
    if (pw_ws_take_end(link->client, &end)) {
        link->up = false;
        active = true;
        log_end(link, &end);
        pw_station_link_refused(link->station, fault_of(end.fault), pw_str_of(end.reason), now);
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
