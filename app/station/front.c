#include "front.h"

#include "about.h"
#include "address.h"
#include "embedded_page.h"
#include "face/face.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#define AGAIN_MS    10000 // until a port that is taken is tried again
#define DRAW_MS     250   // how often the display is thought about
#define CONNECTIONS 16    // facts/reliability.md T20

// ---------------------------------------------------------------------------------------------

// What the display's QR code says: the setting, or the address listened on when a telephone can
// reach it.
static void find_url(struct front *front, const struct address *address, bool plain)
{
    const char *set = pw_settings_text(&front->station->settings, PW_SET_PAGE_URL);
    struct pw_out out = PW_OUT(front->url);
    struct pw_str host = pw_str_of(address->host);
    bool six = memchr(host.at, ':', host.len) != NULL;
    if (set[0] != '\0') {
        pw_put_s(&out, set);
        return;
    }
    if (pw_str_starts(host, "127.") || pw_str_is(host, "localhost") || pw_str_is(host, "::1") ||
        pw_str_is(host, "0.0.0.0") || pw_str_is(host, "::") || host.len == 0) {
        return;
    }
    pw_put_s(&out, plain ? "http://" : "https://");
    pw_put_s(&out, six ? "[" : "");
    pw_put(&out, host);
    pw_put_s(&out, six ? "]:" : ":");
    pw_put_uint(&out, address->port);
    pw_put_c(&out, '/');
}

// ---------------------------------------------------------------------------------------------

static int fill_random(void *context, uint8_t *to, size_t len)
{
    (void)context;
    return getrandom(to, len, 0) == (ssize_t)len ? PW_OK : PW_ERR_BUG;
}

static void stream_ready(void *context, uint64_t stream)
{
    const struct front *front = context;
    pw_httpd_stream_ready(front->httpd, stream);
}

static void say(const struct front *front, enum pw_level level, const char *event, const char *at,
                const char *why)
{
    struct pw_line line;
    pw_line(&line, front->log, level, "page", event);
    pw_line_s(&line, "at", at);
    if (why != NULL) {
        pw_line_s(&line, "why", why);
    }
    pw_line_end(&line);
}

static void serve(void *context, const struct pw_http_request *request, struct pw_http_reply *reply,
                  pw_ms now, pw_unix_ms wall)
{
    struct front *front = context;
    pw_page_serve(&front->page, request, reply, now, wall);
}

static uint64_t takes(void *context, const struct pw_http_request *request,
                      struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    struct front *front = context;
    return pw_page_takes(&front->page, request, reply, now, wall);
}

static int piece(void *context, uint64_t stream, struct pw_str bytes, pw_ms now)
{
    struct front *front = context;
    return pw_page_piece(&front->page, stream, bytes, now);
}

static int stream_take(void *context, uint64_t stream, char *to, size_t cap)
{
    struct front *front = context;
    return pw_page_stream_take(&front->page, stream, to, cap);
}

static void stream_closed(void *context, uint64_t stream)
{
    struct front *front = context;
    pw_page_stream_closed(&front->page, stream);
}

// Says that the page is there, and what is not good about how.
static void say_listening(const struct front *front, const char *listen, bool plain)
{
    const struct pw_settings *settings = &front->station->settings;
    bool password = pw_settings_text(settings, PW_SET_PAGE_PASSWORD)[0] != '\0';
    bool redirects = pw_settings_int(settings, PW_SET_PAGE_PLAIN) == PW_PAGE_REDIRECTS;
    bool local =
        pw_str_starts(pw_str_of(listen), "127.") || pw_str_starts(pw_str_of(listen), "[::1]");
    say(front, PW_LOG_INFO, plain ? "listening" : "listening with TLS", listen,
        !password ? "view only: page.password is not set"
        : plain && !redirects && !local
            ? "passwords typed there can be read on the way: see page.plain"
            : NULL);
}

static void try_listen(struct front *front, pw_ms now)
{
    const struct pw_settings *settings = &front->station->settings;
    const char *listen = pw_settings_text(settings, PW_SET_PAGE_LISTEN);
    const char *tls_listen = pw_settings_text(settings, PW_SET_PAGE_TLS_LISTEN);
    struct address address;
    bool plain = listen[0] != '\0' && address_parse(pw_str_of(listen), &address) == PW_OK;
    const struct pw_httpd_tls *tls = certificate_tls(front->certificate, PW_SET_PAGE_TLS_LISTEN,
                                                     &front->tls_address, &front->tls);
    front->open_at = PW_NEVER;
    if (!plain && tls == NULL) {
        return;
    }
    const struct pw_httpd_config config = {.loop = front->loop,
                                           .host = plain ? address.host : NULL,
                                           .port = plain ? address.port : 0,
                                           .only_tls = !plain,
                                           .tls = tls,
                                           .connections = CONNECTIONS,
                                           .body_max = PW_PAGE_BODY_MAX};
    int err = pw_httpd_open(&front->httpd, &config);
    if (err != PW_OK) {
        if (!front->refused) {
            say(front, PW_LOG_WARN, "not listening", err == PW_ERR_STORE ? tls_listen : listen,
                "the port is in use or may not be used (below 1024: doc/page.md), or the address"
                " is not this machine's; tried every 10 s");
        }
        front->refused = true;
        front->open_at = pw_after(now, AGAIN_MS);
        return;
    }
    front->site = (struct pw_http_site){.context = front,
                                        .serve = serve,
                                        .takes = takes,
                                        .piece = piece,
                                        .stream_take = stream_take,
                                        .stream_closed = stream_closed};
    pw_httpd_serve(front->httpd, &front->site);
    bool shows_plain = plain && pw_settings_int(settings, PW_SET_PAGE_PLAIN) != PW_PAGE_REDIRECTS;
    find_url(front, shows_plain ? &address : &front->tls_address, shows_plain);
    if (plain) {
        say_listening(front, listen, true);
    }
    if (tls != NULL) {
        say_listening(front, tls_listen, false);
        certificate_show(front->certificate, front->httpd);
    }
}

static void open_lcd(struct front *front)
{
    const char *device = pw_settings_text(&front->station->settings, PW_SET_LCD_DEVICE);
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    if (device[0] == '\0') {
        return;
    }
    front->lcd = pw_lcd_open(device, &why);
    if (front->lcd == NULL) {
        say(front, PW_LOG_ERROR, "no display", device, text);
    }
}

void front_open(struct front *front, pw_ms now)
{
    front->port = (struct pw_page_port){
        .context = front, .random = fill_random, .stream_ready = stream_ready};
    const struct pw_page_config config = {
        .station = front->station,
        .port = &front->port,
        .about = &about_station,
        .log = front->lines,
        .asset = pw_page_assets,
        .asset_count = pw_page_assets_count,
        .host =
            address_host(pw_str_of(pw_settings_text(&front->station->settings, PW_SET_PAGE_URL))),
    };
    pw_page_init(&front->page, &config, now);
    try_listen(front, now);
    open_lcd(front);
}

// What the clock on the wall says here; empty while nobody has told the time.
static void local_time(const struct front *front, pw_ms now, char text[6])
{
    pw_unix_ms wall = pw_cp16_wall(&front->station->cp16, now);
    time_t seconds = (time_t)(wall / 1000);
    struct tm local;
    struct pw_out out = {.at = text, .cap = 6};
    text[0] = '\0';
    if (wall == 0 || localtime_r(&seconds, &local) == NULL) {
        return;
    }
    pw_put_s(&out, local.tm_hour < 10 ? "0" : "");
    pw_put_int(&out, local.tm_hour);
    pw_put_s(&out, local.tm_min < 10 ? ":0" : ":");
    pw_put_int(&out, local.tm_min);
}

static pw_ms show(struct front *front, pw_ms now)
{
    if (front->lcd == NULL) {
        return PW_NEVER;
    }
    if (now >= front->draw_at) {
        struct pw_screen screen;
        char clock[6];
        local_time(front, now, clock);
        (void)pw_face_show(front->station, clock, front->url, now, &screen);
        pw_lcd_show(front->lcd, &screen);
        front->draw_at = pw_after(now, DRAW_MS);
    }
    return front->draw_at;
}

pw_ms front_step(struct front *front, pw_ms now)
{
    if (front->httpd == NULL && now >= front->open_at) {
        try_listen(front, now);
    }
    pw_ms at = pw_earlier(front->open_at, pw_page_step(&front->page, now));
    return pw_earlier(at, show(front, now));
}

void front_close(struct front *front)
{
    pw_httpd_close(front->httpd);
    front->httpd = NULL;
    pw_lcd_close(front->lcd);
    front->lcd = NULL;
}
