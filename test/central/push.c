// A release over the station link: in pieces, one on its way at a time, through lost links and the
// end of the central. The other end is proto/link's own machine.
#include "make.h"
#include "peer.h"
#include "rollouts.h"
#include "shelf.h"

#define FILE_MAX 200000

static struct bench bench;
static struct shelf shelf;
static struct peer peer;
static uint8_t file[FILE_MAX];
static size_t file_len;

// The station's end.
static struct {
    uint8_t bytes[FILE_MAX];
    size_t len;
    size_t total;
    unsigned begins, chunks, commits, again; // again: bytes that came although they were there
    size_t cut_at;                           // the link is cut when so many are there; 0: never
    bool cut;
    bool refuses;      // the head of the release
    unsigned limit_at; // a person lowers the limit when so many pieces have come; 0: never
    int limit_status;
    unsigned limit_came; // behind so many
    size_t gap_at;       // it forgets a piece here once; 0: never
} end;

static void take_chunk(const struct pw_link_fw_chunk *chunk)
{
    end.chunks++;
    end.limit_came = end.limit_came == 0 && peer.limit.limit_ma != 0 ? end.chunks : end.limit_came;
    if (end.refuses && end.len >= 4096) {
        pw_link_station_answer(&peer.end, PW_LINK_E_REFUSED, PW_STR("the release is not for it"),
                               bench.at.now);
        return;
    }
    if (chunk->offset > end.len) {
        pw_link_station_answer(&peer.end, PW_LINK_E_RANGE, PW_STR("a gap"), bench.at.now);
        return;
    }
    end.again += chunk->offset < end.len ? (unsigned)(end.len - chunk->offset) : 0;
    memcpy(end.bytes + chunk->offset, chunk->data.at, chunk->data.len);
    end.len = (size_t)chunk->offset + chunk->data.len;
    if (end.gap_at != 0 && end.len >= end.gap_at) {
        end.gap_at = 0;
        end.len -= 1000; // its disk lost some
    }
    end.cut = end.cut_at != 0 && end.len >= end.cut_at;
    peer.deaf = end.cut; // its answer is lost as well
    if (end.chunks == end.limit_at) {
        end.limit_status = bench_http(&bench, PW_HTTP_POST, "/api/v1/stations/A/link/limit",
                                      "{\"connector_id\":1,\"current_a\":10,\"lease_s\":60,"
                                      "\"fallback_a\":6}");
    }
    pw_link_station_answer(&peer.end, PW_LINK_E_NONE, PW_STR(""), bench.at.now);
}

static void serve(struct peer *station, const struct pw_link_message *message)
{
    if (message->type == PW_LINK_FW_STATUS) {
        const struct pw_link_fw_state state = {.status = PW_STR("Downloading"),
                                               .bytes = end.len,
                                               .total = end.total,
                                               .version = PW_STR(""),
                                               .why = PW_STR("")};
        pw_link_station_fw_state(&station->end, &state, bench.at.now);
    } else if (message->type == PW_LINK_FW_CHUNK) {
        take_chunk(&message->as.fw_chunk);
    } else {
        end.begins += message->type == PW_LINK_FW_BEGIN ? 1 : 0;
        end.commits += message->type == PW_LINK_FW_COMMIT ? 1 : 0;
        if (message->type == PW_LINK_FW_BEGIN) {
            assert_true(message->as.fw_begin.resume);
            end.total = (size_t)message->as.fw_begin.size;
        }
        pw_link_station_answer(&station->end, PW_LINK_E_NONE, PW_STR(""), bench.at.now);
    }
}

static void bring_release(void)
{
    static uint8_t program[150000];
    struct pw_make make = {.version = "2.0.0",
                           .hardware = {"wallbox-9"},
                           .component = {{.bytes = program, .len = sizeof(program)}}};
    for (size_t i = 0; i < sizeof(program); i++) {
        program[i] = (uint8_t)(i * 31 + (i >> 8));
    }
    file_len = pw_make_release(&make, file, sizeof(file));
    struct pw_http_request request = {.method = PW_HTTP_POST,
                                      .path = PW_STR("/api/v1/releases"),
                                      .host = PW_STR("127.0.0.1"),
                                      .cookie = pw_str_of(bench.cookie),
                                      .csrf = pw_str_of(bench.csrf),
                                      .length = file_len,
                                      .stream = ++bench.links};
    struct pw_http_reply reply = {0};
    assert_true(pw_central_takes(bench.central, &request, &reply, bench.at) > 0);
    assert_int_equal(pw_central_piece(bench.central, request.stream,
                                      (struct pw_str){.at = (const char *)file, .len = file_len},
                                      bench.at),
                     file_len);
    pw_central_http(bench.central, &request, &reply, bench.at);
    assert_int_equal(reply.status, 201);
}

static int setup(void **state)
{
    (void)state;
    bench_open(&bench);
    shelf_open(&shelf);
    bench.config.depot = &shelf.port;
    bench.config.public_url = PW_STR("http://central.example:8180");
    memset(&end, 0, sizeof(end));
    peer_make(&peer, &bench, "A", 7);
    peer.firmware = serve;
    bench_login(&bench);
    bring_release();
    peer_pass(&peer, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&bench);
    shelf_close(&shelf);
    return 0;
}

static void begin(void)
{
    assert_int_equal(bench_http(&bench, PW_HTTP_POST, "/api/v1/rollouts",
                                "{\"release_id\":1,\"stations\":[\"A\"],\"way\":\"link\"}"),
                     201);
}

static int64_t in_state(const char *state)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM rollout_station WHERE state = '%s'",
                   state);
    return bench_count(&bench, sql);
}

static void restart_station(uint64_t boot, const char *version)
{
    peer_cut(&peer);
    peer_make(&peer, &bench, "A", boot);
    peer.end.who.firmware = pw_str_of(version);
    peer.firmware = serve;
    peer_pass(&peer, 15000);
    assert_int_equal(peer.end.state, PW_LINK_ONLINE);
}

static void whole(void)
{
    for (unsigned i = 0; i < 600 && end.commits == 0; i++) {
        peer_pass(&peer, 1000);
    }
    assert_int_equal(end.commits, 1);
    assert_int_equal(end.len, file_len);
    assert_memory_equal(end.bytes, file, file_len);
}

static void a_release_goes_in_pieces_and_the_rest_is_told(void **state)
{
    (void)state;
    begin();
    whole();
    assert_int_equal(end.begins, 1);
    assert_int_equal(end.again, 0);
    assert_int_equal(end.chunks, (file_len + PW_LINK_CHUNK_MAX - 1) / PW_LINK_CHUNK_MAX);
    assert_int_equal(in_state("downloading"), 1);
    peer_tell(&peer, PW_LINK_EVENT_UPDATE, 0, "InstallScheduled");
    peer_pass(&peer, 100);
    assert_int_equal(in_state("downloaded"), 1);
    peer_pass(&peer, 3000);
    assert_int_equal(end.begins, 1); // it is not brought again
    peer_tell(&peer, PW_LINK_EVENT_UPDATE, 0, "Installing");
    peer_pass(&peer, 100);
    assert_int_equal(in_state("installing"), 1);
    restart_station(8, "2.0.0");
    assert_int_equal(in_state("on trial"), 1);
    peer_tell(&peer, PW_LINK_EVENT_UPDATE, 0, "Installed");
    peer_pass(&peer, 2000);
    assert_int_equal(in_state("done"), 1);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM rollout WHERE state = 'finished'"),
                     1);
}

static void a_station_that_goes_back_has_failed(void **state)
{
    (void)state;
    begin();
    whole();
    peer_tell(&peer, PW_LINK_EVENT_UPDATE, 0, "Installing");
    peer_pass(&peer, 100);
    restart_station(8, "2.0.0");
    restart_station(9, "1.2.3");
    assert_int_equal(in_state("failed"), 1);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM rollout_station WHERE why ="
                                         " 'it went back to 1.2.3'"),
                     1);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM rollout WHERE state = 'stopped'"),
                     1);
}

// The link is cut wherever a piece has come: what is there is not sent again.
static void a_lost_link_goes_on_where_the_stations_part_ends(void **state)
{
    (void)state;
    unsigned cuts = 0;
    begin();
    end.cut_at = 1;
    for (unsigned i = 0; i < 200000 && end.commits == 0; i++) {
        peer_pass(&peer, 20);
        if (end.cut) {
            end.cut = false;
            end.cut_at = end.len + 9000;
            peer_cut(&peer);
            cuts++;
        }
    }
    assert_true(cuts >= 3);
    whole();
    assert_true(end.again <= cuts * PW_LINK_CHUNK_MAX);
    print_message("%u cuts, %u pieces, %u bytes came twice\n", cuts, end.chunks, end.again);
}

static void a_gap_is_asked_about_and_filled(void **state)
{
    (void)state;
    end.gap_at = 50000;
    begin();
    whole();
}

static void a_release_that_the_station_refuses_is_sent_no_further(void **state)
{
    (void)state;
    end.refuses = true;
    begin();
    peer_pass(&peer, 60000);
    assert_int_equal(in_state("failed"), 1);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM rollout_station WHERE why ="
                                         " 'the station refused: the release is not for it'"),
                     1);
    assert_true(end.chunks <= 3);
    assert_int_equal(end.commits, 0);
}

// Reason: a limit that waits behind a release is a fuse that blows.
static void a_limit_overtakes_a_release(void **state)
{
    (void)state;
    end.limit_at = 10;
    begin();
    whole();
    assert_int_equal(end.limit_status, 202);
    assert_int_equal(peer.limit.limit_ma, 10000);
    assert_in_range(end.limit_came, 11, 12); // behind one piece at most
}

static void a_central_that_ends_in_the_middle_goes_on(void **state)
{
    (void)state;
    begin();
    end.cut_at = 60000;
    for (unsigned i = 0; i < 100000 && !end.cut; i++) {
        peer_pass(&peer, 20);
    }
    assert_true(end.cut && end.commits == 0);
    end.cut_at = 0;
    peer_cut(&peer);
    bench_restart(&bench);
    bench_login(&bench);
    whole();
    assert_true(end.again <= PW_LINK_CHUNK_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_release_goes_in_pieces_and_the_rest_is_told),
        TEST(a_station_that_goes_back_has_failed),
        TEST(a_lost_link_goes_on_where_the_stations_part_ends),
        TEST(a_gap_is_asked_about_and_filled),
        TEST(a_release_that_the_station_refuses_is_sent_no_further),
        TEST(a_limit_overtakes_a_release),
        TEST(a_central_that_ends_in_the_middle_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
