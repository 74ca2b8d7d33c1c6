// Requests at a station's own page, by somebody who has logged in. The input is lines:
// "<method letter> <path>[?<query>][ <body>]". Whatever comes, an answer of the interface is JSON,
// no secret is in it, and the station still answers afterwards.
#include "page/page.h"

#include "simstore.h"

#include <stdlib.h>
#include <string.h>

#define PASSWORD "correct horse"
#define KEY      "a-very-secret-key"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct pw_station station;
static struct pw_page page;
static struct pw_sim_store disk;
static struct pw_settings settings;
static struct pw_logring ring;
static uint8_t ring_bytes[4096];
static struct pw_json_node nodes[65536];
static char spare[PW_PAGE_REPLY_MAX];
static bool knows_key; // the asker: what he sends himself may come back in a refusal

static int fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, 0x5A, len);
    return PW_OK;
}

static void wake(void *context, uint64_t stream)
{
    (void)context, (void)stream;
}

static void quiet(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context, (void)level, (void)room, (void)text;
}

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    int err = pw_settings_find(pw_str_of(path), &at);
    PW_ASSERT(err == PW_OK);
    err = pw_settings_set(&settings, at, pw_str_of(value), by, &why);
    PW_ASSERT(err == PW_OK);
}

static void open_page(void)
{
    static const struct pw_log log = {.write = quiet};
    static const struct pw_page_port port = {.random = fill, .stream_ready = wake};
    pw_settings_init(&settings);
    set("station.id", "FUZZ", PW_BY_FILE);
    set("can.bus0", "mcast:239.74.163.2:43113", PW_BY_FILE);
    set("connectors[0].kind", "dc", PW_BY_FILE);
    set("ocpp.authorization_key", KEY, PW_BY_SECRETS);
    set("page.password", PASSWORD, PW_BY_SECRETS);
    pw_sim_store_init(&disk);
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &log,
                                           .firmware = "1",
                                           .seed = 1,
                                           .now = 1000};
    int err = pw_station_init(&station, &start);
    PW_ASSERT(err == PW_OK);
    pw_logring_init(&ring, ring_bytes, sizeof(ring_bytes));
    pw_logring_write(&ring, PW_LOG_INFO, "fuzz", PW_STR("a \"line\""), 1000, 0);
    const struct pw_page_config config = {.station = &station, .port = &port, .log = &ring};
    pw_page_init(&page, &config, 1000);
}

static struct pw_http_reply ask(struct pw_http_request request, pw_ms now)
{
    struct pw_http_reply reply;
    request.host = PW_STR("127.0.0.1:8080");
    request.address = PW_STR("127.0.0.1");
    pw_page_serve(&page, &request, &reply, now, 1700000000000);
    return reply;
}

static bool holds(struct pw_str text, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.at + i, what, len) == 0) {
            return true;
        }
    }
    return false;
}

static void judge(const struct pw_http_reply *reply)
{
    struct pw_json json = {.node = nodes,
                           .cap = sizeof(nodes) / sizeof(nodes[0]),
                           .spare = spare,
                           .spare_cap = sizeof(spare)};
    PW_ASSERT(reply->status >= 200 && reply->status < 600);
    if (reply->content_type != NULL && strcmp(reply->content_type, "application/json") == 0) {
        int err = pw_json_read(&json, reply->body);
        PW_ASSERT(err == PW_OK);
    }
    PW_ASSERT(knows_key || !holds(reply->body, KEY));
}

static void take_line(struct pw_str line, pw_ms now)
{
    static const char cookie[] = "pw_station=5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A";
    struct pw_str method = pw_str_cut(&line, ' ');
    struct pw_str target = pw_str_cut(&line, ' ');
    struct pw_http_request request = {
        .method = pw_str_is(method, "P")   ? PW_HTTP_POST
                  : pw_str_is(method, "U") ? PW_HTTP_PUT
                                           : PW_HTTP_GET,
        .path = pw_str_cut(&target, '?'),
        .query = target,
        .body = line,
        .cookie = PW_STR(cookie),
        .csrf = {.at = cookie + 11, .len = 32},
        .stream = 7,
    };
    struct pw_http_reply reply = ask(request, now);
    judge(&reply);
    if (reply.stream) {
        char chunk[2048];
        int len = pw_page_stream_take(&page, 7, chunk, sizeof(chunk));
        PW_ASSERT(len >= 0 && len <= (int)sizeof(chunk));
        pw_page_stream_closed(&page, 7);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pw_str rest = {.at = (const char *)bytes, .len = len};
    pw_ms now = 2000;
    knows_key = holds(rest, KEY);
    open_page();
    struct pw_http_reply in =
        ask((struct pw_http_request){.method = PW_HTTP_POST,
                                     .path = PW_STR("/api/v1/login"),
                                     .body = PW_STR("{\"password\":\"" PASSWORD "\"}")},
            now);
    PW_ASSERT(in.status == 200);
    for (unsigned i = 0; i < 32 && rest.len > 0; i++) {
        take_line(pw_str_cut(&rest, '\n'), now);
        now += 500;
        (void)pw_station_step(&station, now);
        (void)pw_page_step(&page, now);
    }
    struct pw_http_reply after =
        ask((struct pw_http_request){.path = PW_STR("/api/v1/status")}, now);
    PW_ASSERT(after.status == 200);
    pw_sim_store_free(&disk);
    return 0;
}
