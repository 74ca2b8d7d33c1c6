// page: a release that a browser uploads to a whole station, virtual time, no socket. Who may, how
// much is taken, and what the browser is told.
#include "ed25519/ed25519.h"
#include "make.h"
#include "page_desk.h"
#include "simfiles.h"
#include "test.h"

#include <string.h>

static struct pw_sim_files sim_files;
static struct pw_release_crypto crypto;

static void open_page(const char *password)
{
    desk_begin(password);
    pw_sim_files_init(&sim_files);
    pw_sim_files_start(&sim_files);
    sim_files.root_len = pw_make_signed_root_1(sim_files.root, sizeof(sim_files.root));
    crypto = pw_ed25519_crypto();
    const struct pw_station_start start = {.firmware = sim_files.ran,
                                           .transfer = &sim_files.transfer,
                                           .install = &sim_files.install,
                                           .crypto = &crypto};
    desk_start(&start);
}

static void close_page(void)
{
    desk_close();
    pw_sim_files_free(&sim_files);
}

static uint8_t release_file[20000];

static uint64_t offer(size_t size, const char *query, const char *origin)
{
    const struct pw_http_request request = {.method = PW_HTTP_PUT,
                                            .path = PW_STR("/api/v1/update/file"),
                                            .query = pw_str_of(query),
                                            .host = PW_STR("wallbox.lan:8080"),
                                            .origin = pw_str_of(origin),
                                            .cookie = pw_str_of(desk.cookie),
                                            .csrf = pw_str_of(desk.csrf),
                                            .address = pw_str_of(desk.address),
                                            .length = size,
                                            .stream = 42};
    desk.reply = (struct pw_http_reply){0};
    return pw_page_takes(&desk.page, &request, &desk.reply, desk.now, 1700000000000);
}

static void turn(pw_ms span)
{
    for (pw_ms end = desk.now + span; desk.now < end; desk.now += 50) {
        (void)pw_station_step(&desk.station, desk.now);
    }
}

// Bytes of it; false when the page wants no more.
static bool upload(size_t from, size_t to)
{
    for (size_t at = from; at < to; at += 4096) {
        size_t len = to - at < 4096 ? to - at : 4096;
        if (pw_page_piece(&desk.page, 42,
                          (struct pw_str){.at = (const char *)release_file + at, .len = len},
                          desk.now) != (int)len) {
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
    assert_int_equal(desk.reply.status, 403);
    close_page();
    open_page(PASSWORD);
    assert_int_equal(offer(1000, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(desk.reply.status, 401);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(offer(1000, "", "http://elsewhere.example"), 0);
    assert_int_equal(desk.reply.status, 403);
    char token = desk.csrf[0];
    desk.csrf[0] = token == 'x' ? 'y' : 'x';
    assert_int_equal(offer(1000, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(desk.reply.status, 403);
    assert_true(says("X-CSRF"));
    desk.csrf[0] = token;
    // Too long is refused before a byte, too.
    assert_int_equal(offer((size_t)PW_FILES_DOWN_MAX + 1, "", "http://wallbox.lan:8080"), 0);
    assert_int_equal(desk.reply.status, 422);
    assert_int_equal(desk.station.files.update.stage, PW_UPDATE_NONE);
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
    assert_int_equal(log_in(PASSWORD), 200);
    size_t len = pw_make_release(&make, release_file, sizeof(release_file));
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), 0); // one at a time
    assert_int_equal(desk.reply.status, 409);
    assert_false(upload(0, len));
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 409);
    assert_true(says("sign"));
    assert_int_equal(desk.station.files.update.status, PW_UPDATE_INVALID_SIGNATURE);
    // A browser that goes away leaves nothing under way.
    make.nobody = false;
    len = pw_make_release(&make, release_file, sizeof(release_file));
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_true(upload(0, 8192));
    pw_page_stream_closed(&desk.page, 42);
    assert_int_equal(desk.station.files.update.stage, PW_UPDATE_NONE);
    assert_non_null(strstr(desk.station.files.update.why, "browser"));
    // And a good one is installed.
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_true(upload(0, len));
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 200);
    pw_page_stream_closed(&desk.page, 42);
    turn(8000);
    assert_int_equal(desk.station.restart, PW_RESTART_UPDATE);
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
    assert_int_equal(log_in(PASSWORD), 200);
    size_t len = pw_make_release(&make, release_file, sizeof(release_file));
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    assert_true(upload(0, len));
    desk.cookie[0] = '\0';
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/update/file", ""), 401);
    assert_int_equal(desk.station.files.update.stage, PW_UPDATE_NONE); // and it is not installed
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(offer(len, "", "http://wallbox.lan:8080"), len);
    close_page();
}

// Reason: a password that cannot be opened is not none: the page does not open itself to who is
// near.
static void a_locked_password_opens_nothing(void **state)
{
    (void)state;
    open_page("");
    desk.address = "127.0.0.1";
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/update", ""), 200);
    pw_settings_lock(&desk.station.settings, (struct pw_setting_at){.id = PW_SET_PAGE_PASSWORD});
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/update", ""), 403);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"\\u0001\"}"), 403);
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
