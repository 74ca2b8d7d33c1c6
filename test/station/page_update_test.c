// page: a release that a browser uploads to a whole station, virtual time, no socket. Who may, how
// much is taken, and what the browser is told.
#include "ed25519/ed25519.h"
#include "make.h"
#include "page/page.h"
#include "simfiles.h"
#include "simstore.h"
#include "test.h"

#include <string.h>

#define PASSWORD "correct horse"

static struct pw_settings settings;
static struct pw_sim_store disk;
static struct pw_sim_files sim_files;
static struct pw_release_crypto crypto;
static struct pw_station station;
static struct pw_page page;
static struct pw_logring ring;
static uint8_t ring_bytes[8192];
static pw_ms now;
static struct pw_http_reply reply;
static char cookie[80];
static char csrf[PW_PAGE_TOKEN_MAX];
static uint8_t seed;

static int fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, ++seed, len);
    return PW_OK;
}

static void wake(void *context, uint64_t stream)
{
    (void)context;
    (void)stream;
}

static void nothing(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context;
    (void)level;
    (void)room;
    (void)text;
}

static const struct pw_page_port port = {.random = fill, .stream_ready = wake};

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(&settings, at, pw_str_of(value), by, &why), PW_OK);
}

static void open_page(const char *password)
{
    static const struct pw_http_asset assets[] = {
        {"/index.html", "text/html; charset=utf-8", (const uint8_t *)"x", 1, "\"1\""}};
    now = 1000;
    cookie[0] = '\0';
    csrf[0] = '\0';
    pw_settings_init(&settings);
    set("station.id", "YARD-07", PW_BY_FILE);
    set("can.bus0", "mcast:239.74.163.2:43113", PW_BY_FILE);
    set("ocpp.url", "ws://127.0.0.1:9/", PW_BY_FILE);
    set("connectors[0].kind", "dc", PW_BY_FILE);
    set("ocpp.authorization_key", "a-very-secret-key", PW_BY_SECRETS);
    if (password[0] != '\0') {
        set("page.password", password, PW_BY_SECRETS);
    }
    pw_sim_store_init(&disk);
    pw_sim_files_init(&sim_files);
    pw_sim_files_start(&sim_files);
    sim_files.root_len = pw_make_signed_root_1(sim_files.root, sizeof(sim_files.root));
    crypto = pw_ed25519_crypto();
    static const struct pw_log quiet = {.write = nothing};
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &quiet,
                                           .firmware = sim_files.ran,
                                           .seed = 7,
                                           .transfer = &sim_files.transfer,
                                           .install = &sim_files.install,
                                           .crypto = &crypto,
                                           .now = now};
    assert_int_equal(pw_station_init(&station, &start), PW_OK);
    pw_logring_init(&ring, ring_bytes, sizeof(ring_bytes));
    const struct pw_page_config config = {.station = &station,
                                          .port = &port,
                                          .log = &ring,
                                          .asset = assets,
                                          .asset_count = 1,
                                          .host = PW_STR("wallbox.lan")};
    pw_page_init(&page, &config, now);
    (void)pw_page_step(&page, now);
}

static void close_page(void)
{
    pw_sim_store_free(&disk);
    pw_sim_files_free(&sim_files);
}

static const char *address = "10.0.0.9"; // whoever asks

// One request as our own page in a browser sends it.
static int ask(enum pw_http_method method, const char *path, const char *body)
{
    const struct pw_http_request request = {.method = method,
                                            .path = pw_str_of(path),
                                            .body = pw_str_of(body),
                                            .host = PW_STR("wallbox.lan:8080"),
                                            .origin = PW_STR("http://wallbox.lan:8080"),
                                            .cookie = pw_str_of(cookie),
                                            .csrf = pw_str_of(csrf),
                                            .address = pw_str_of(address),
                                            .stream = 42};
    pw_page_serve(&page, &request, &reply, now, 1700000000000);
    return reply.status;
}

static bool says(const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= reply.body.len; i++) {
        if (memcmp(reply.body.at + i, what, len) == 0) {
            return true;
        }
    }
    return false;
}

static void log_in(void)
{
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"" PASSWORD "\"}"), 200);
    struct pw_out out = PW_OUT(cookie);
    struct pw_str set_cookie = pw_str_of(reply.cookie);
    pw_put(&out, pw_str_cut(&set_cookie, ';'));
    const char *key = "\"csrf\":\"";
    const char *at = strstr(reply.body.at, key);
    assert_non_null(at);
    assert_int_equal(
        pw_str_copy(csrf, sizeof(csrf), (struct pw_str){.at = at + strlen(key), .len = 32}), PW_OK);
}

static uint8_t release_file[20000];

static uint64_t offer(size_t size, const char *query, const char *origin)
{
    const struct pw_http_request request = {.method = PW_HTTP_PUT,
                                            .path = PW_STR("/api/v1/update/file"),
                                            .query = pw_str_of(query),
                                            .host = PW_STR("wallbox.lan:8080"),
                                            .origin = pw_str_of(origin),
                                            .cookie = pw_str_of(cookie),
                                            .csrf = pw_str_of(csrf),
                                            .address = pw_str_of(address),
                                            .length = size,
                                            .stream = 42};
    reply = (struct pw_http_reply){0};
    return pw_page_takes(&page, &request, &reply, now, 1700000000000);
}

static void turn(pw_ms span)
{
    for (pw_ms end = now + span; now < end; now += 50) {
        (void)pw_station_step(&station, now);
    }
}

// Bytes of it; false when the page wants no more.
static bool upload(size_t from, size_t to)
{
    for (size_t at = from; at < to; at += 4096) {
        size_t len = to - at < 4096 ? to - at : 4096;
        if (pw_page_piece(&page, 42,
                          (struct pw_str){.at = (const char *)release_file + at, .len = len},
                          now) != (int)len) {
            return false;
        }
        turn(50);
    }
    return true;
}

// Reason: T11, T18: whoever is not logged in, or comes from another site, does not make the station
// take one byte.
static void nothing_is_taken_of_strangers(void **state)
{
    (void)state;
    open_page("");
    assert_int_equal(offer(1000, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(reply.status, 403);
    close_page();
    open_page(PASSWORD);
    assert_int_equal(offer(1000, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(reply.status, 401);
    log_in();
    assert_int_equal(offer(1000, "", "http://elsewhere.example"), 0);
    assert_int_equal(reply.status, 403);
    char token = csrf[0];
    csrf[0] = token == 'x' ? 'y' : 'x';
    assert_int_equal(offer(1000, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(reply.status, 403);
    assert_true(says("X-CSRF"));
    csrf[0] = token;
    // Too long is refused before a byte, too.
    assert_int_equal(offer((size_t)PW_FILES_DOWN_MAX + 1, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(reply.status, 422);
    assert_int_equal(station.files.update.stage, PW_UPDATE_NONE);
    // Any other path holds its body as before.
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 422);
    close_page();
}

// Reason: the verdict stands on the page as soon as the head is there, with its reason.
static void an_uploaded_release_is_judged_and_installed(void **state)
{
    (void)state;
    uint8_t program[15000] = {1};
    struct pw_make make = {.version = "1.0.0", .nobody = true};
    make.component[0] = (struct pw_make_component){.bytes = program, .len = sizeof(program)};
    open_page(PASSWORD);
    log_in();
    size_t len = pw_make_release(&make, release_file, sizeof(release_file));
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), 0); // one at a time
    assert_int_equal(reply.status, 409);
    assert_false(upload(0, len));
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 409);
    assert_true(says("sign"));
    assert_int_equal(station.files.update.status, PW_UPDATE_INVALID_SIGNATURE);
    // A browser that goes away leaves nothing under way.
    make.nobody = false;
    len = pw_make_release(&make, release_file, sizeof(release_file));
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_true(upload(0, 8192));
    pw_page_stream_closed(&page, 42);
    assert_int_equal(station.files.update.stage, PW_UPDATE_NONE);
    assert_non_null(strstr(station.files.update.why, "browser"));
    // And a good one is installed.
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_true(upload(0, len));
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 200);
    pw_page_stream_closed(&page, 42);
    turn(8000);
    assert_int_equal(station.restart, PW_RESTART_UPDATE);
    assert_string_equal(sim_files.version[1], "1.0.0");
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/update", ""), 200);
    assert_true(says("\"by\":\"page\""));
    close_page();
}

// Reason: an upload whose login ended on the way was never let go, and no other could begin.
static void a_login_that_ends_during_an_upload_leaves_room_for_the_next(void **state)
{
    (void)state;
    uint8_t program[15000] = {1};
    struct pw_make make = {.version = "1.0.0"};
    make.component[0] = (struct pw_make_component){.bytes = program, .len = sizeof(program)};
    open_page(PASSWORD);
    log_in();
    size_t len = pw_make_release(&make, release_file, sizeof(release_file));
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_true(upload(0, len));
    cookie[0] = '\0';
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 401);
    assert_int_equal(station.files.update.stage, PW_UPDATE_NONE); // and it is not installed
    log_in();
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    close_page();
}

// Reason: a password that cannot be opened is not none: the page does not open itself to who is
// near.
static void a_locked_password_opens_nothing(void **state)
{
    (void)state;
    open_page("");
    address = "127.0.0.1";
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/update", ""), 200);
    pw_settings_lock(&station.settings, (struct pw_setting_at){.id = PW_SET_PAGE_PASSWORD});
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/update", ""), 403);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"\\u0001\"}"), 403);
    address = "10.0.0.9";
    close_page();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_of_strangers),
        cmocka_unit_test(an_uploaded_release_is_judged_and_installed),
        cmocka_unit_test(a_login_that_ends_during_an_upload_leaves_room_for_the_next),
        cmocka_unit_test(a_locked_password_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
