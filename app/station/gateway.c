#include "gateway.h"

#include "address.h"

#define AGAIN_MS    10000 // until a port that is taken is tried again
#define CONNECTIONS 16    // facts/reliability.md T20

static void stream_ready(void *context, uint64_t stream)
{
    const struct gateway *gateway = context;
    pw_httpd_stream_ready(gateway->httpd, stream);
}

static void say(const struct gateway *gateway, enum pw_level level, const char *event,
                const char *at, const char *why)
{
    struct pw_line line;
    pw_line(&line, gateway->log, level, "openevse_api", event);
    pw_line_s(&line, "at", at);
    if (why != NULL) {
        pw_line_s(&line, "why", why);
    }
    pw_line_end(&line);
}

static void try_listen(struct gateway *gateway, pw_ms now)
{
    const struct pw_settings *settings = &gateway->station->settings;
    const char *listen = pw_settings_text(settings, PW_SET_OE_LISTEN);
    const char *tls_listen = pw_settings_text(settings, PW_SET_OE_TLS_LISTEN);
    struct address address;
    bool plain = listen[0] != '\0' && address_parse(pw_str_of(listen), &address) == PW_OK;
    const struct pw_httpd_tls *tls = certificate_tls(gateway->certificate, PW_SET_OE_TLS_LISTEN,
                                                     &gateway->tls_address, &gateway->tls);
    gateway->open_at = PW_NEVER;
    if (!plain && tls == NULL) {
        return;
    }
    const struct pw_httpd_config config = {.loop = gateway->loop,
                                           .host = plain ? address.host : NULL,
                                           .port = plain ? address.port : 0,
                                           .only_tls = !plain,
                                           .tls = tls,
                                           .connections = CONNECTIONS,
                                           .body_max = PW_OPENEVSE_API_BODY_MAX};
    int err = pw_httpd_open(&gateway->httpd, &config);
    if (err != PW_OK) {
        if (!gateway->refused) {
            say(gateway, PW_LOG_WARN, "not listening", err == PW_ERR_STORE ? tls_listen : listen,
                "the port is in use or may not be used (below 1024: doc/page.md), or the address"
                " is not this machine's; tried every 10 s");
        }
        gateway->refused = true;
        gateway->open_at = pw_after(now, AGAIN_MS);
        return;
    }
    pw_httpd_serve(gateway->httpd, &gateway->site);
    const char *near = pw_settings_text(settings, PW_SET_OE_PASSWORD)[0] == '\0'
                           ? "changes from this machine only: openevse_api.password is not set"
                           : NULL;
    if (plain) {
        say(gateway, PW_LOG_INFO, "listening", listen, near);
    }
    if (tls != NULL) {
        say(gateway, PW_LOG_INFO, "listening with TLS", tls_listen, near);
        certificate_show(gateway->certificate, gateway->httpd);
    }
}

void gateway_open(struct gateway *gateway, pw_ms now)
{
    gateway->port = (struct pw_openevse_api_port){.context = gateway, .stream_ready = stream_ready};
    gateway->site = (struct pw_http_site){.context = &gateway->api,
                                          .serve = pw_openevse_api_serve,
                                          .stream_take = pw_openevse_api_stream_take,
                                          .stream_closed = pw_openevse_api_stream_closed,
                                          .socket = pw_openevse_api_socket,
                                          .message = pw_openevse_api_message};
    const struct pw_openevse_api_config config = {
        .station = gateway->station,
        .port = &gateway->port,
        .host =
            address_host(pw_str_of(pw_settings_text(&gateway->station->settings, PW_SET_PAGE_URL))),
    };
    pw_openevse_api_init(&gateway->api, &config, now);
    try_listen(gateway, now);
}

pw_ms gateway_step(struct gateway *gateway, pw_ms now)
{
    if (gateway->httpd == NULL && now >= gateway->open_at) {
        try_listen(gateway, now);
    }
    if (gateway->httpd == NULL) {
        return gateway->open_at;
    }
    return pw_openevse_api_step(&gateway->api, now);
}

void gateway_close(struct gateway *gateway)
{
    pw_httpd_close(gateway->httpd);
    gateway->httpd = NULL;
}
