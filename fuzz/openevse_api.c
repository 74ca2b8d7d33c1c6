// Requests at the OpenEVSE interface, by somebody who may change things. The input is lines:
// "<method letter> <path>[?<query>][ <body>]", G get, P post, D delete, A patch, W a message on the
// WebSocket. Whatever comes, the answer is JSON (or the one sentence that is none), no secret is in
// it, what the WebSocket says is JSON, and the station still answers afterwards.
#include "openevse_api/openevse_api.h"

#include "simstore.h"

#include <string.h>

#define PASSWORD "correct horse"
#define RIGHT    "Basic b3BlbmV2c2U6Y29ycmVjdCBob3JzZQ==" // openevse:correct horse
#define WALL     INT64_C(1735731000000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct pw_station station;
static struct pw_openevse_api api;
static struct pw_sim_store disk;
static struct pw_settings settings;
static struct pw_json_node nodes[8192];
static char spare[16384];
static bool knows; // the asker: what he sends himself may come back

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

static void open_api(void)
{
    static const struct pw_log log = {.write = quiet};
    static const struct pw_openevse_api_port port = {.stream_ready = wake};
    pw_settings_init(&settings);
    set("station.id", "FUZZ", PW_BY_FILE);
    set("connectors[0].kind", "pilot", PW_BY_FILE);
    set("connectors[0].board", "board.yaml", PW_BY_FILE);
    set("connectors[1].kind", "openevse", PW_BY_FILE);
    set("connectors[1].rapi_cable", "tcp:127.0.0.1:1", PW_BY_FILE);
    set("openevse_api.password", PASSWORD, PW_BY_SECRETS);
    pw_sim_store_init(&disk);
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &log,
                                           .firmware = "1",
                                           .seed = 1,
                                           .now = 1000,
                                           .wall = WALL};
    int err = pw_station_init(&station, &start);
    PW_ASSERT(err == PW_OK);
    const struct pw_openevse_api_config config = {.station = &station, .port = &port};
    pw_openevse_api_init(&api, &config, 1000);
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

static void judge(struct pw_str text)
{
    struct pw_json json = {.node = nodes,
                           .cap = sizeof(nodes) / sizeof(nodes[0]),
                           .spare = spare,
                           .spare_cap = sizeof(spare)};
    int err = pw_json_read(&json, text);
    PW_ASSERT(err == PW_OK);
    PW_ASSERT(knows || !holds(text, PASSWORD));
}

static struct pw_http_request request_of(struct pw_str line, enum pw_http_method method)
{
    struct pw_str target = pw_str_cut(&line, ' ');
    return (struct pw_http_request){.method = method,
                                    .path = pw_str_cut(&target, '?'),
                                    .query = target,
                                    .body = line,
                                    .host = PW_STR("127.0.0.1:8000"),
                                    .authorization = PW_STR(RIGHT),
                                    .address = PW_STR("127.0.0.1"),
                                    .stream = 7};
}

static void ask(const struct pw_http_request *request, pw_ms now)
{
    struct pw_http_reply reply;
    pw_openevse_api_serve(&api, request, &reply, now, WALL);
    if (reply.later) {
        pw_openevse_api_stream_closed(&api, request->stream);
        return;
    }
    PW_ASSERT(reply.status >= 200 && reply.status < 600 && reply.status != 401);
    if (strcmp(reply.content_type, "application/json") == 0) {
        judge(reply.body);
    }
}

static void listen_to(uint64_t stream)
{
    char text[16384];
    for (unsigned i = 0; i < 3; i++) {
        int len = pw_openevse_api_stream_take(&api, stream, text, sizeof(text));
        PW_ASSERT(len >= 0);
        if (len > 0) {
            judge((struct pw_str){.at = text, .len = (size_t)len});
        }
    }
}

static void take_line(struct pw_str line, pw_ms now)
{
    struct pw_str letter = pw_str_cut(&line, ' ');
    if (pw_str_is(letter, "W")) {
        pw_openevse_api_message(&api, 9, line, now);
        return;
    }
    const struct pw_http_request request =
        request_of(line, pw_str_is(letter, "P")   ? PW_HTTP_POST
                         : pw_str_is(letter, "D") ? PW_HTTP_DELETE
                         : pw_str_is(letter, "A") ? PW_HTTP_PATCH
                                                  : PW_HTTP_GET);
    ask(&request, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pw_str rest = {.at = (const char *)bytes, .len = len};
    struct pw_http_request request = request_of(PW_STR("/ws"), PW_HTTP_GET);
    struct pw_http_reply reply;
    pw_ms now = 2000;
    knows = holds(rest, PASSWORD);
    open_api();
    request.stream = 9;
    pw_openevse_api_socket(&api, &request, &reply, now, WALL);
    PW_ASSERT(reply.stream);
    for (unsigned i = 0; i < 32 && rest.len > 0; i++) {
        take_line(pw_str_cut(&rest, '\n'), now);
        now += 700;
        (void)pw_station_step(&station, now);
        (void)pw_openevse_api_step(&api, now);
        listen_to(9);
    }
    request = request_of(PW_STR("/status"), PW_HTTP_GET);
    pw_openevse_api_serve(&api, &request, &reply, now, WALL);
    PW_ASSERT(reply.status == 200);
    pw_sim_store_free(&disk);
    return 0;
}
