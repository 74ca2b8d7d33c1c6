#include "uplink.h"

// The certificate of the settings, or else the one of OCPP's profile 3, which the same central has
// signed: it can check it here as well.
static int prepare(void *context, void *ssl_ctx, const char *host, char *refused,
                   struct pw_out *why)
{
    struct uplink *uplink = context;
    const struct pw_settings *settings = &uplink->station->settings;
    struct pw_peer_rules rules = {.host = host,
                                  .ca_file = pw_settings_text(settings, PW_SET_UPLINK_CA),
                                  .certificate =
                                      pw_settings_text(settings, PW_SET_UPLINK_CERTIFICATE),
                                  .key = pw_settings_text(settings, PW_SET_UPLINK_KEY),
                                  .pins = &uplink->pins,
                                  .wall = uplink->wall};
    rules.refused = refused;
    int err = pw_peer_apply(ssl_ctx, &rules, why);
    if (err == PW_OK && rules.certificate[0] == '\0') {
        (void)pw_trust_show(uplink->keeper, ssl_ctx, uplink->wall); // a key alone is profile 2
    }
    return err;
}

int uplink_open(struct uplink *uplink, struct pw_loop *loop, const struct pw_clock *pace,
                struct pw_out *why)
{
    const struct pw_settings *settings = &uplink->station->settings;
    const char *pin = pw_settings_text(settings, PW_SET_UPLINK_PIN);
    uplink->tls = NULL;
    uplink->up = false;
    uplink->rules = (struct pw_tls_rules){.context = uplink, .prepare = prepare};
    if (pw_settings_text(settings, PW_SET_UPLINK_URL)[0] == '\0') {
        return PW_OK;
    }
    struct pw_out unsaid = *why;
    pw_put_s(why, "uplink: ");
    if (pw_peer_read_pins(pw_str_of(pin), &uplink->pins, why) != PW_OK) {
        return PW_ERR_RANGE;
    }
    uplink->tls = pw_tls_new(loop, pace, &uplink->rules, uplink->proxy, why);
    if (uplink->tls == NULL) {
        return PW_ERR_RANGE;
    }
    *why = unsaid;
    return PW_OK;
}

void uplink_close(struct uplink *uplink)
{
    pw_tls_free(uplink->tls);
    uplink->tls = NULL;
}

static bool take_bytes(struct uplink *uplink, pw_ms now)
{
    struct pw_str data = pw_tls_data(uplink->tls);
    size_t taken = 0;
    if (data.len > 0) {
        taken = pw_station_uplink_bytes(uplink->station, (const uint8_t *)data.at, data.len, now);
        pw_tls_taken(uplink->tls, taken);
    }
    return taken > 0;
}

bool uplink_step(struct uplink *uplink, pw_ms now)
{
    struct pw_str reason;
    if (uplink->tls == NULL) {
        return false;
    }
    pw_tls_step(uplink->tls);
    bool active = false;
    if (pw_tls_state(uplink->tls) == PW_TLS_OPEN && !uplink->up) {
        uplink->up = true;
        active = true;
        pw_station_uplink_up(uplink->station, now);
    }
    active = take_bytes(uplink, now) || active;
    if (pw_tls_take_end(uplink->tls, &reason)) {
        uplink->up = false;
        active = true;
        pw_station_uplink_down(uplink->station, reason, now);
    }
    return active;
}

static void connect_or_close(struct uplink *uplink, pw_ms now)
{
    bool wants = pw_station_uplink_wants(uplink->station, now);
    enum pw_tls_state state = pw_tls_state(uplink->tls);
    if (!wants && state != PW_TLS_IDLE) {
        pw_tls_close(uplink->tls, "closed by the station");
    } else if (wants && state == PW_TLS_IDLE) {
        char text[128] = "";
        struct pw_out why = PW_OUT(text);
        struct pw_str url =
            pw_str_of(pw_settings_text(&uplink->station->settings, PW_SET_UPLINK_URL));
        uplink->wall = pw_station_wall(uplink->station, now);
        int err = pw_tls_open(uplink->tls, url, &why);
        if (err == PW_ERR_RANGE || err == PW_ERR_LIMIT) {
            pw_station_uplink_down(uplink->station, pw_out_str(&why), now);
        }
    }
}

void uplink_flush(struct uplink *uplink, pw_ms now)
{
    if (uplink->tls == NULL) {
        return;
    }
    if (uplink->up) {
        struct pw_str out = pw_station_uplink_out(uplink->station);
        size_t sent = pw_tls_send(uplink->tls, out);
        pw_station_uplink_out_sent(uplink->station, sent, now);
    }
    connect_or_close(uplink, now);
    pw_tls_step(uplink->tls);
}
