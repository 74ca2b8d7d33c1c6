#include "page_desk.h"

#include "test.h"

#include <string.h>

struct desk desk;

static uint8_t ring_bytes[8192];
static uint8_t seed;

int desk_random(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, ++seed, len);
    return PW_OK;
}

static void wake(void *context, uint64_t stream)
{
    (void)context;
    desk.woken = stream;
}

static void nothing(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context;
    (void)level;
    (void)room;
    (void)text;
}

void desk_set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(&desk.settings, at, pw_str_of(value), by, &why), PW_OK);
}

void desk_begin(const char *password)
{
    desk.now = 1000;
    desk.host = "wallbox.lan:8080";
    desk.origin = "http://wallbox.lan:8080";
    desk.address = "10.0.0.9";
    desk.secure = false;
    desk.cookie[0] = '\0';
    desk.csrf[0] = '\0';
    pw_settings_init(&desk.settings);
    desk_set("station.id", "YARD-07", PW_BY_FILE);
    desk_set("can.bus0", "mcast:239.74.163.2:43113", PW_BY_FILE);
    desk_set("ocpp.url", "ws://127.0.0.1:9/", PW_BY_FILE);
    desk_set("connectors[0].kind", "dc", PW_BY_FILE);
    desk_set("ocpp.authorization_key", "a-very-secret-key", PW_BY_SECRETS);
    if (password[0] != '\0') {
        desk_set("page.password", password, PW_BY_SECRETS);
    }
    pw_sim_store_init(&desk.disk);
}

void desk_start(const struct pw_station_start *with)
{
    static const struct pw_page_port port = {.random = desk_random, .stream_ready = wake};
    static const struct pw_log quiet = {.write = nothing};
    static const struct pw_http_asset assets[] = {
        {"/index.html", "text/html; charset=utf-8", (const uint8_t *)"x", 1, "\"1\""}};
    struct pw_station_start start = *with;
    start.settings = &desk.settings;
    start.store = &desk.disk.port;
    start.log = &quiet;
    start.seed = 7;
    start.now = desk.now;
    assert_int_equal(pw_station_init(&desk.station, &start), PW_OK);
    pw_logring_init(&desk.ring, ring_bytes, sizeof(ring_bytes));
    const struct pw_page_config config = {.station = &desk.station,
                                          .port = &port,
                                          .log = &desk.ring,
                                          .asset = assets,
                                          .asset_count = 1,
                                          .host = PW_STR("wallbox.lan")};
    pw_page_init(&desk.page, &config, desk.now);
    (void)pw_page_step(&desk.page, desk.now);
}

void desk_close(void)
{
    pw_sim_store_free(&desk.disk);
}

int ask_with(enum pw_http_method method, const char *path, const char *query, const char *body)
{
    const struct pw_http_request request = {.method = method,
                                            .path = pw_str_of(path),
                                            .query = pw_str_of(query),
                                            .body = pw_str_of(body),
                                            .host = pw_str_of(desk.host),
                                            .origin = pw_str_of(desk.origin),
                                            .cookie = pw_str_of(desk.cookie),
                                            .csrf = pw_str_of(desk.csrf),
                                            .address = pw_str_of(desk.address),
                                            .secure = desk.secure,
                                            .stream = 42};
    pw_page_serve(&desk.page, &request, &desk.reply, desk.now, 1700000000000);
    return desk.reply.status;
}

int ask(enum pw_http_method method, const char *path, const char *body)
{
    return ask_with(method, path, "", body);
}

bool says(const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= desk.reply.body.len; i++) {
        if (memcmp(desk.reply.body.at + i, what, len) == 0) {
            return true;
        }
    }
    return false;
}

int log_in(const char *password)
{
    char body[100] = "";
    struct pw_out out = PW_OUT(body);
    pw_put_s(&out, "{\"password\":\"");
    pw_put_s(&out, password);
    pw_put_s(&out, "\"}");
    int status = ask(PW_HTTP_POST, "/api/v1/login", body);
    const char *key = "\"csrf\":\"";
    const char *at = status == 200 ? strstr(desk.reply.body.at, key) : NULL;
    if (at != NULL) {
        struct pw_str set_cookie = pw_str_of(desk.reply.cookie);
        struct pw_out to = PW_OUT(desk.cookie);
        pw_put(&to, pw_str_cut(&set_cookie, ';'));
        memcpy(desk.csrf, at + strlen(key), PW_PAGE_TOKEN_MAX - 1);
    }
    return status;
}
