// Releases and logs at the central: how they come in, what is refused, and how they go out.
#include "bench.h"
#include "ed25519/ed25519.h"
#include "make.h"
#include "rollouts.h"
#include "shelf.h"

#include <stdlib.h>

static struct shelf shelf;
static uint8_t file[65536];

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    pw_central_free(bench.central);
    shelf_open(&shelf);
    bench.config.depot = &shelf.port;
    bench.config.public_url = PW_STR("http://central.example:8180");
    const char *why = "";
    assert_int_equal(pw_central_new(&bench.central, &bench.config, bench.at, &why), PW_OK);
    bench_login(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    shelf_close(&shelf);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static size_t release(const char *version, size_t len)
{
    static uint8_t program[60000];
    memset(program, 0x5a, sizeof(program));
    struct pw_make make = {.version = version,
                           .component = {{.bytes = program, .len = len}},
                           .hardware = {"wallbox-9", "generic-not"}};
    return pw_make_release(&make, file, sizeof(file));
}

struct sending {
    enum pw_http_method method;
    const char *path;
    const char *query;
    size_t piece;  // bytes at once
    size_t length; // as the header says; 0: all
    size_t cut;    // the peer goes behind so many bytes; 0: never
};

// Sends a body as the port hands it over. The status; 0 when the peer went away.
static int send_body(struct bench *bench, const struct sending *how, const uint8_t *bytes,
                     size_t len)
{
    struct pw_http_request request = {
        .method = how->method,
        .path = pw_str_of(how->path),
        .query = pw_str_of(how->query != NULL ? how->query : ""),
        .host = pw_str_of(bench->host),
        .origin = PW_STR(""),
        .cookie = pw_str_of(bench->cookie),
        .csrf = pw_str_of(bench->csrf),
        .authorization = PW_STR(""),
        .address = PW_STR("192.0.2.1"),
        .length = how->length != 0 ? how->length : len,
        .stream = ++bench->links,
    };
    bench->reply = (struct pw_http_reply){0};
    uint64_t most = pw_central_takes(bench->central, &request, &bench->reply, bench->at);
    struct pw_out out = PW_OUT(bench->body);
    bench->body[0] = '\0';
    if (bench->reply.status != 0) {
        pw_put(&out, bench->reply.body);
        return bench->reply.status;
    }
    assert_true(most > 0);
    size_t piece = how->piece != 0 ? how->piece : 4096;
    for (size_t at = 0; at < len;) {
        if (how->cut != 0 && at >= how->cut) {
            pw_central_stream_closed(bench->central, request.stream);
            return 0;
        }
        size_t take = len - at < piece ? len - at : piece;
        int taken = pw_central_piece(bench->central, request.stream,
                                     (struct pw_str){.at = (const char *)bytes + at, .len = take},
                                     bench->at);
        if (taken < 0) {
            break;
        }
        assert_int_equal(taken, take);
        at += take;
    }
    pw_central_http(bench->central, &request, &bench->reply, bench->at);
    pw_put(&out, bench->reply.body);
    return bench->reply.status;
}

static int bring(struct bench *bench, size_t len)
{
    const struct sending how = {.method = PW_HTTP_POST, .path = "/api/v1/releases"};
    return send_body(bench, &how, file, len);
}

// What a peer gets who asks for a file. Its length, or the negative of the status.
static long fetch(struct bench *bench, const char *path, const char *range, const char *if_range,
                  uint8_t *to)
{
    struct pw_http_request request = {.method = PW_HTTP_GET,
                                      .path = pw_str_of(path),
                                      .host = PW_STR("whatever.example"),
                                      .cookie = pw_str_of(bench->cookie),
                                      .range = pw_str_of(range),
                                      .if_range = pw_str_of(if_range),
                                      .stream = ++bench->links};
    pw_central_http(bench->central, &request, &bench->reply, bench->at);
    if (!bench->reply.flow) {
        return -bench->reply.status;
    }
    uint64_t got = 0;
    while (got < bench->reply.length) {
        int len = pw_central_flow(bench->central, request.stream, (char *)to + got, 1000);
        if (len <= 0) {
            break;
        }
        got += (uint64_t)len;
    }
    pw_central_stream_closed(bench->central, request.stream);
    return (long)got;
}

static void location(const struct bench *bench, char path[128])
{
    const char *at = strstr(bench->body, "http://central.example:8180/");
    assert_non_null(at);
    (void)snprintf(path, 128, "%s", at + strlen("http://central.example:8180"));
    path[strcspn(path, "\"")] = '\0';
}

static void a_release_is_read_while_it_comes_and_shown_with_what_it_says(void **state)
{
    struct bench *bench = *state;
    size_t len = release("1.2.3", 50000);
    assert_int_equal(bring(bench, len), 201);
    assert_has(bench->body, "\"version\":\"1.2.3\"");
    assert_has(bench->body, "\"hardware\":[\"wallbox-9\"");
    assert_has(bench->body, "\"verdict\":null"); // no root was given
    assert_has(bench->body, "\"added_by\":\"admin\"");
    assert_true(shelf.largest <= 4096); // never in memory as a whole
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/releases", ""), 200);
    assert_has(bench->body, "\"signed_by\":[\"");
    // In pieces of one byte, the head cut anywhere, it is the same file.
    const struct sending slow = {.method = PW_HTTP_POST, .path = "/api/v1/releases", .piece = 1};
    assert_int_equal(send_body(bench, &slow, file, len), 409);
    assert_has(bench->body, "as release 1");
    assert_int_equal(shelf_count(&shelf), 1);
}

static void a_root_says_what_a_release_is_worth(void **state)
{
    struct bench *bench = *state;
    static struct pw_release_crypto crypto;
    static struct pw_release_root root;
    crypto = pw_ed25519_crypto();
    root = pw_make_root_1();
    bench->config.release_root = &root;
    bench->config.release_crypto = &crypto;
    bench_restart(bench);
    bench_login(bench);
    assert_int_equal(bring(bench, release("1.2.3", 100)), 201);
    assert_has(bench->body, "\"verdict\":\"fine\"");
    struct pw_make make = {.version = "1.2.4", .nobody = true};
    assert_int_equal(bring(bench, pw_make_release(&make, file, sizeof(file))), 201);
    assert_has(bench->body, "\"verdict\":\"unsigned\"");
}

// Reason: a file that is no release, or one that was damaged on its way, must be refused here and
// not by two hundred stations.
static void what_is_no_release_is_refused_and_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    size_t len = release("1.2.3", 3000);
    unsigned refused = 0;
    uint32_t head = 0;
    assert_int_equal(pw_release_head_len(file, &head), PW_OK);
    assert_int_equal(bring(bench, 0), 400);
    for (size_t cut = 1; cut < len; cut += cut < 200 ? 1 : 97) {
        refused += bring(bench, cut) == 400 ? 1 : 0; // its length is another one
        const struct sending short_one = {
            .method = PW_HTTP_POST, .path = "/api/v1/releases", .length = len};
        refused += send_body(bench, &short_one, file, cut) == 400 ? 1 : 0;
        assert_int_equal(shelf_count(&shelf), 0);
    }
    for (size_t at = 0; at < len; at += at < 400 ? 7 : 53) {
        file[at] ^= 0x40;
        int status = bring(bench, len);
        // A signature's bytes are the stations' affair; a component's are hashed here.
        assert_true(status == 400 || (status == 201 && at < head));
        if (status == 201) {
            const char *id = strstr(bench->body, "\"id\":");
            char path[64];
            (void)snprintf(path, sizeof(path), "/api/v1/releases/%d", atoi(id + 5));
            assert_int_equal(bench_http(bench, PW_HTTP_DELETE, path, ""), 204);
        }
        assert_int_equal(shelf_count(&shelf), 0);
        file[at] ^= 0x40;
    }
    file[len] = 0;
    assert_int_equal(bring(bench, len + 1), 400); // nothing may follow
    assert_int_equal(shelf_count(&shelf), 0);
    print_message("%u cut releases refused\n", refused);
}

static void who_goes_away_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    size_t len = release("1.2.3", 30000);
    const struct sending cut = {.method = PW_HTTP_POST, .path = "/api/v1/releases", .cut = 20000};
    assert_int_equal(send_body(bench, &cut, file, len), 0);
    assert_int_equal(shelf_count(&shelf), 0);
    shelf.full_at = 16000; // and a full disk
    assert_int_equal(bring(bench, len), 507);
    assert_has(bench->body, "the disk is full");
    shelf.full_at = 0;
    shelf.fail_keep = true;
    assert_int_equal(bring(bench, len), 503);
    shelf.fail_keep = false;
    bench->fail_commits = 1;
    assert_int_equal(bring(bench, len), 503);
    assert_int_equal(shelf_count(&shelf), 0);
    assert_int_equal(bring(bench, len), 201);
}

static void a_body_is_not_taken_from_who_may_not(void **state)
{
    struct bench *bench = *state;
    const struct sending big = {.method = PW_HTTP_POST,
                                .path = "/api/v1/releases",
                                .length = (size_t)PW_CENTRAL_RELEASE_MAX + 1};
    size_t len = release("1.2.3", 100);
    assert_int_equal(send_body(bench, &big, file, 1), 413);
    bench->csrf[0] ^= 1;
    assert_int_equal(bring(bench, len), 403);
    bench->csrf[0] ^= 1;
    bench->cookie[0] = '\0';
    assert_int_equal(bring(bench, len), 401);
    assert_int_equal(shelf.appends, 0);
}

static void a_cut_download_goes_on_where_it_was(void **state)
{
    struct bench *bench = *state;
    static uint8_t got[65536];
    char path[128];
    size_t len = release("1.2.3", 50000);
    assert_int_equal(bring(bench, len), 201);
    location(bench, path);
    assert_true(strncmp(path, "/firmware/", 10) == 0 && strlen(path) == 42);
    bench->cookie[0] = '\0'; // a station has no login
    assert_int_equal(fetch(bench, path, "", "", got), len);
    assert_memory_equal(got, file, len);
    assert_int_equal(bench->reply.status, 200);
    assert_true(bench->reply.ranges);
    assert_string_equal(bench->reply.attachment, "pilotwire-station-1.2.3.pwr");
    char etag[80];
    (void)snprintf(etag, sizeof(etag), "%s", bench->reply.etag);
    assert_int_equal(fetch(bench, path, "bytes=20000-", etag, got), len - 20000);
    assert_int_equal(bench->reply.status, 206);
    assert_memory_equal(got, file + 20000, len - 20000);
    assert_int_equal(fetch(bench, path, "bytes=-10", "", got), 10);
    assert_memory_equal(got, file + len - 10, 10);
    assert_int_equal(fetch(bench, path, "bytes=20000-", "\"another\"", got), len);
    assert_int_equal(fetch(bench, path, "bytes=0-1,3-4", "", got), len);
    assert_int_equal(fetch(bench, path, "bytes=9999999-", "", got), -416);
    assert_has(bench->reply.content_range, "bytes */");
    // No listing, and a name that is nearly one is none.
    path[20] = path[20] == 'a' ? 'b' : 'a';
    assert_int_equal(fetch(bench, path, "", "", got), -404);
    assert_int_equal(fetch(bench, "/firmware/", "", "", got),
                     -403); // as any page of a strange Host
    assert_int_equal(fetch(bench, "/firmware/..%2f..%2fcentral.db", "", "", got), -404);
}

static void a_file_deleted_while_it_flows_breaks_off(void **state)
{
    struct bench *bench = *state;
    char path[128];
    char room[1000];
    size_t len = release("1.2.3", 50000);
    assert_int_equal(bring(bench, len), 201);
    location(bench, path);
    struct pw_http_request request = {
        .method = PW_HTTP_GET, .path = pw_str_of(path), .stream = ++bench->links};
    struct pw_http_reply reply;
    pw_central_http(bench->central, &request, &reply, bench->at);
    assert_true(reply.flow);
    assert_int_equal(pw_central_flow(bench->central, request.stream, room, sizeof(room)), 1000);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/releases/1", ""), 204);
    assert_true(pw_central_flow(bench->central, request.stream, room, sizeof(room)) < 0);
    pw_central_stream_closed(bench->central, request.stream);
    assert_true(pw_central_flow(bench->central, request.stream, room, sizeof(room)) < 0);
}

// --- Logs.

// The place that the station was told; "" when it was told none.
static void ask_for_log(struct bench *bench, uint64_t link, char path[128])
{
    char answer[256];
    path[0] = '\0';
    assert_int_equal(
        bench_http(bench, PW_HTTP_POST, "/api/v1/stations/CP1/logs", "{\"type\":\"diagnostics\"}"),
        202);
    bench_pass(bench, 50);
    const char *call = bench_last(bench, link);
    const char *id = strchr(call, '"');
    assert_has(call, "GetDiagnostics");
    const char *at = strstr(call, "http://central.example:8180/");
    assert_non_null(at);
    (void)snprintf(path, 128, "%s", at + strlen("http://central.example:8180"));
    path[strcspn(path, "\"")] = '\0';
    (void)snprintf(answer, sizeof(answer), "[3,%.*s,{\"fileName\":\"a.log\"}]",
                   (int)(strchr(id + 1, '"') - id + 1), id);
    bench_text(bench, link, answer);
    bench_pass(bench, 50);
}

static int put_log(struct bench *bench, const char *path, const uint8_t *bytes, size_t len)
{
    const struct sending how = {.method = PW_HTTP_PUT, .path = path};
    char cookie[128];
    memcpy(cookie, bench->cookie, sizeof(cookie));
    bench->cookie[0] = '\0'; // a station has no login
    int status = send_body(bench, &how, bytes, len);
    memcpy(bench->cookie, cookie, sizeof(cookie));
    return status;
}

// T40: names that lead elsewhere, bombs that are only bytes.
static void t40_a_logs_name_is_a_label_and_its_content_bytes(void **state)
{
    struct bench *bench = *state;
    static uint8_t got[65536];
    static const struct {
        const char *name;
        const char *label;
    } rows[] = {
        {"../../x", "_.._x"},
        {"..", "log"},
        {"a\r\nSet-Cookie: x=1", "a__Set-Cookie__x_1"},
        {"<script>alert(1)</script>.log", "_script_alert_1___script_.log"},
        {"\"; DROP TABLE upload; --", "___DROP_TABLE_upload__--"},
        {"", "log"},
        {"plain-1.2.log.gz", "plain-1.2.log.gz"},
    };
    static const uint8_t bomb[] = "PK\3\4 as far as anybody here knows these are bytes";
    uint64_t link = bench_station(bench, "CP1");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char path[128];
        char target[256];
        ask_for_log(bench, link, path);
        (void)snprintf(target, sizeof(target), "%s%s", path, rows[i].name);
        assert_int_equal(put_log(bench, target, bomb, sizeof(bomb)), 201);
        (void)snprintf(target, sizeof(target), "/api/v1/uploads/%zu/file", i + 1);
        assert_int_equal(fetch(bench, target, "", "", got), -403); // a strange Host
        bench->reply.attachment[0] = '\0';
        assert_int_equal(bench_http(bench, PW_HTTP_GET, target, ""), 200);
        assert_true(bench->reply.flow);
        assert_string_equal(bench->reply.attachment, rows[i].label);
        assert_string_equal(bench->reply.content_type, "application/octet-stream");
        pw_central_stream_closed(bench->central, bench->links);
    }
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/stations/CP1/uploads", ""), 200);
    assert_has(bench->body, "\"name\":\"plain-1.2.log.gz\"");
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/uploads/1", ""), 204);
    assert_int_equal(shelf_count(&shelf), PW_COUNT(rows) - 1);
}

static void a_log_needs_a_place_a_size_and_a_time(void **state)
{
    struct bench *bench = *state;
    char path[128];
    uint64_t link = bench_station(bench, "CP1");
    static uint8_t bytes[1000];
    ask_for_log(bench, link, path);
    const struct sending large = {
        .method = PW_HTTP_POST, .path = path, .length = (size_t)PW_CENTRAL_UPLOAD_MAX + 1};
    assert_int_equal(send_body(bench, &large, bytes, 1), 413);
    const struct sending lying = {.method = PW_HTTP_POST, .path = path, .length = 10};
    assert_int_equal(send_body(bench, &lying, bytes, 1000), 413);
    assert_int_equal(shelf_count(&shelf), 0);
    // One byte a minute: given up after a quarter of an hour.
    struct pw_http_request request = {
        .method = PW_HTTP_PUT, .path = pw_str_of(path), .length = 1000, .stream = ++bench->links};
    struct pw_http_reply reply = {0};
    assert_true(pw_central_takes(bench->central, &request, &reply, bench->at) > 0);
    unsigned minutes = 0;
    while (pw_central_piece(bench->central, request.stream, PW_STR("x"), bench->at) == 1) {
        bench->at.now += 60000;
        minutes++;
    }
    assert_int_equal(minutes, 15);
    pw_central_http(bench->central, &request, &reply, bench->at);
    assert_int_equal(reply.status, 408);
    // The same place twice: the second file takes the place of the first.
    assert_int_equal(put_log(bench, path, bytes, 10), 201);
    assert_int_equal(put_log(bench, path, bytes, 20), 201);
    assert_int_equal(shelf_count(&shelf), 1);
    // Over tomorrow.
    bench->at.wall += INT64_C(86400001);
    assert_int_equal(put_log(bench, path, bytes, 10), 404);
    path[20] = path[20] == 'a' ? 'b' : 'a';
    assert_int_equal(put_log(bench, path, bytes, 10), 404);
}

// Asks for a file and goes on holding its place. The status.
static int hold(struct bench *bench, const char *path, const char *address)
{
    const struct pw_http_request request = {.method = PW_HTTP_GET,
                                            .path = pw_str_of(path),
                                            .address = pw_str_of(address),
                                            .stream = ++bench->links};
    struct pw_http_reply reply;
    pw_central_http(bench->central, &request, &reply, bench->at);
    return reply.status;
}

// Where a station is told to fetch the first release.
static void firmware_place(struct bench *bench, const char *id, char path[200])
{
    char text[1024];
    struct pw_out payload = PW_OUT(text);
    int64_t request = -1;
    const struct kept_release release_1 = release_find(bench->central, 1);
    assert_int_equal(release_command(bench->central, station_find(bench->central, pw_str_of(id)),
                                     &release_1, &payload, &request, bench->at),
                     PW_OCPP16_UPDATE_FIRMWARE);
    assert_int_equal(request, 0);
    const char *at = strstr(text, "/firmware/");
    assert_non_null(at);
    (void)snprintf(path, 200, "%.*s", (int)strcspn(at, "\""), at);
}

// T20: a station that trickles logs keeps nobody's release out, nor another station's log.
static void a_station_brings_four_logs_at_once(void **state)
{
    struct bench *bench = *state;
    char path[128];
    static const uint8_t bytes[10] = {0};
    uint64_t link = bench_station(bench, "CP1");
    ask_for_log(bench, link, path);
    struct pw_http_request request = {
        .method = PW_HTTP_PUT, .path = pw_str_of(path), .length = 1000, .stream = ++bench->links};
    struct pw_http_reply reply = {0};
    for (unsigned i = 0; i < 4; i++) {
        assert_true(pw_central_takes(bench->central, &request, &reply, bench->at) > 0);
        request.stream = ++bench->links;
    }
    uint64_t last = request.stream - 1;
    assert_int_equal(pw_central_takes(bench->central, &request, &reply, bench->at), 0);
    assert_int_equal(reply.status, 503);
    pw_central_stream_closed(bench->central, last);
    assert_int_equal(put_log(bench, path, bytes, sizeof(bytes)), 201);
}

// T20: who has come by a release's name holds downloads open from as many addresses as he likes:
// stations that were told to fetch it get theirs, and a person gets a log.
static void strangers_take_no_download_from_a_station_that_was_told(void **state)
{
    struct bench *bench = *state;
    char name[128];
    char told[200];
    char wrong[200];
    char address[32];
    (void)bench_station(bench, "CP1");
    assert_int_equal(bring(bench, release("1.2.3", 100)), 201);
    location(bench, name);
    unsigned held = 0;
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(address, sizeof(address), "192.0.2.%u", i % 10);
        held += hold(bench, name, address) == 200 ? 1 : 0;
    }
    assert_int_equal(held, 256);
    firmware_place(bench, "CP1", told);
    assert_has(told, "/CP1");
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(hold(bench, told, "192.0.2.1"), i < 8 ? 200 : 503);
    }
    // Another's name with it, or another proof, is a stranger's: the name of the release is right.
    (void)bench_station(bench, "CP2");
    (void)snprintf(wrong, sizeof(wrong), "%s", told);
    wrong[strlen(wrong) - 1] = '2';
    assert_int_equal(hold(bench, wrong, "192.0.2.99"), 503);
    (void)snprintf(wrong, sizeof(wrong), "%s", told);
    wrong[50] = wrong[50] == 'a' ? 'b' : 'a';
    assert_int_equal(hold(bench, wrong, "192.0.2.99"), 503);
    // The same after a restart, and with another release's name it is none.
    bench_restart(bench);
    bench_login(bench);
    (void)snprintf(wrong, sizeof(wrong), "%s", told);
    firmware_place(bench, "CP1", told);
    assert_string_equal(told, wrong);
    assert_int_equal(bring(bench, release("1.2.4", 100)), 201);
    location(bench, name);
    held = 0;
    for (unsigned i = 0; i < 256; i++) {
        (void)snprintf(address, sizeof(address), "192.0.2.%u", i % 10);
        held += hold(bench, name, address) == 200 ? 1 : 0;
    }
    assert_int_equal(held, 256);
    (void)snprintf(wrong, sizeof(wrong), "%s%s", name, told + strlen(name));
    assert_int_equal(hold(bench, wrong, "192.0.2.99"), 503);
}

static void one_address_has_64_downloads(void **state)
{
    struct bench *bench = *state;
    char name[128];
    assert_int_equal(bring(bench, release("1.2.3", 100)), 201);
    location(bench, name);
    for (unsigned i = 0; i < 65; i++) {
        assert_int_equal(hold(bench, name, "192.0.2.1"), i < 64 ? 200 : 503);
    }
    assert_int_equal(hold(bench, name, "192.0.2.2"), 200);
}

// Reason: the name of a file is all one needs to fetch a release, or to bring a log of one's own.
static void names_of_files_are_not_shown_to_who_may_only_look(void **state)
{
    struct bench *bench = *state;
    static const char *const looks[] = {
        "/api/v1/stations/CP1/commands", "/api/v1/stations/CP1/log", "/api/v1/stations/CP1/files",
        "/api/v1/stations/CP1/uploads",  "/api/v1/releases",         "/api/v1/releases/1"};
    char path[128];
    char told[200];
    char text[1024];
    char made[PW_CENTRAL_PASSWORD_MAX];
    char news[8192];
    uint64_t link = bench_station(bench, "CP1");
    assert_int_equal(bring(bench, release("1.2.3", 100)), 201);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/events", ""), 200);
    uint64_t stream = bench->links;
    ask_for_log(bench, link, path);
    firmware_place(bench, "CP1", told);
    (void)snprintf(
        text, sizeof(text),
        "{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"https://c.example%s\","
        "\"retrieveDate\":\"2026-05-28T20:26:40Z\"}}",
        told);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/stations/CP1/commands", text), 202);
    // A station repeats what it was told, with slashes as some write them.
    (void)snprintf(text, sizeof(text),
                   "[2,\"7\",\"DataTransfer\",{\"vendorId\":\"x\",\"data\":"
                   "\"http:\\/\\/c.example\\/upload\\/%.32s\\/a.log http://c%.42s\"}]",
                   path + 8, told);
    bench_text(bench, link, text);
    bench_pass(bench, 100);
    int len = pw_central_stream_take(bench->central, stream, news, sizeof(news) - 1);
    assert_true(len > 0);
    news[len] = '\0';
    assert_has(news, "/upload/********************************/");
    char upload[TOKEN_HEX + 1];
    char firmware[TOKEN_HEX + 1];
    char proof[TOKEN_HEX + 1];
    (void)snprintf(upload, sizeof(upload), "%.32s", path + 8);
    (void)snprintf(firmware, sizeof(firmware), "%.32s", told + 10);
    (void)snprintf(proof, sizeof(proof), "%.32s", told + 43);
    const char *const secrets[] = {upload, firmware, proof};
    // Operators run charging: what runs on stations is no business of theirs either.
    static const char *const roles[] = {"viewer", "operator"};
    for (size_t r = 0; r < PW_COUNT(roles); r++) {
        assert_int_equal(pw_central_user_add(bench->central, pw_str_of(roles[r]),
                                             pw_str_of(roles[r]), PW_STR("battery staple"), made),
                         PW_OK);
        bench_login_as(bench, roles[r], "battery staple");
        for (size_t s = 0; s < PW_COUNT(secrets); s++) {
            assert_int_equal(strspn(secrets[s], "0123456789abcdef"), TOKEN_HEX);
            assert_null(strstr(news, secrets[s]));
            for (size_t i = 0; i < PW_COUNT(looks); i++) {
                assert_int_equal(bench_http(bench, PW_HTTP_GET, looks[i], ""), 200);
                assert_null(strstr(bench->body, secrets[s]));
            }
        }
    }
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/stations/CP1/log", ""), 200);
    assert_has(bench->body, "c.example\\\\/upload\\\\/********************************\\\\/a.log");
    assert_has(bench->body, "/********************************/CP1");
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/releases/1", ""), 200);
    assert_has(bench->body, firmware); // who brings releases to stations
}

static void the_oldest_logs_go_when_a_station_has_too_many(void **state)
{
    struct bench *bench = *state;
    static uint8_t bytes[8 << 20];
    uint64_t link = bench_station(bench, "CP1");
    for (unsigned i = 0; i < 10; i++) {
        char path[128];
        ask_for_log(bench, link, path);
        const struct sending how = {.method = PW_HTTP_PUT, .path = path, .piece = 1 << 20};
        if (i == 8) { // what cannot be kept takes no other's place
            bench->fail_commits = 1;
            assert_int_equal(send_body(bench, &how, bytes, sizeof(bytes)), 503);
            assert_int_equal(shelf_count(&shelf), 8);
        }
        assert_int_equal(send_body(bench, &how, bytes, sizeof(bytes)), 201);
        bench_pass(bench, 1000);
    }
    assert_int_equal(shelf_count(&shelf), 8); // 64 MiB
    assert_int_equal(bench_count(bench, "SELECT MIN(id) FROM upload"), 3);
    shelf_cut(&shelf);
    bench_restart(bench);
    assert_int_equal(shelf_count(&shelf), 8);
}

// Reason: a power cut between file and database must not fill the disk with what nobody knows.
static void files_that_the_database_does_not_know_go_at_the_start(void **state)
{
    struct bench *bench = *state;
    static const char stray[] = "00112233445566778899aabbccddeeff";
    assert_int_equal(bring(bench, release("1.2.3", 100)), 201);
    assert_int_equal(shelf.port.create(&shelf, stray), PW_OK);
    assert_int_equal(shelf.port.keep(&shelf, stray), PW_OK);
    assert_int_equal(shelf_count(&shelf), 2);
    bench_restart(bench);
    assert_int_equal(shelf_count(&shelf), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_release_is_read_while_it_comes_and_shown_with_what_it_says),
        TEST(a_root_says_what_a_release_is_worth),
        TEST(what_is_no_release_is_refused_and_leaves_nothing),
        TEST(who_goes_away_leaves_nothing_behind),
        TEST(a_body_is_not_taken_from_who_may_not),
        TEST(a_cut_download_goes_on_where_it_was),
        TEST(a_file_deleted_while_it_flows_breaks_off),
        TEST(t40_a_logs_name_is_a_label_and_its_content_bytes),
        TEST(a_log_needs_a_place_a_size_and_a_time),
        TEST(a_station_brings_four_logs_at_once),
        TEST(strangers_take_no_download_from_a_station_that_was_told),
        TEST(one_address_has_64_downloads),
        TEST(names_of_files_are_not_shown_to_who_may_only_look),
        TEST(the_oldest_logs_go_when_a_station_has_too_many),
        TEST(files_that_the_database_does_not_know_go_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
