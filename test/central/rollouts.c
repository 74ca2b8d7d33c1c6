// Roll-outs: a release brought to many stations, on virtual time. The stations are scripts
// (fleet.h); that a real station waits for its charge is station/files' own test.
#include "rollouts.h"

#include "fleet.h"
#include "make.h"

// Sanitizers see as much in fewer cuts.
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EVERY 20
#endif
#endif
#ifndef EVERY
#define EVERY 1000000 // each one
#endif

#define HOUR_MS (UINT64_C(3600) * 1000)

static struct fleet fleet;

static void begin(const char *body)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "{\"release_id\":1%s%s}", body[0] != '\0' ? "," : "", body);
    int status = bench_http(&fleet.bench, PW_HTTP_POST, "/api/v1/rollouts", text);
    if (status != 201) {
        fail_msg("%d %s", status, fleet.bench.body);
    }
}

static int64_t count(const char *where)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM rollout_station WHERE %s", where);
    return bench_count(&fleet.bench, sql);
}

static int change(const char *what)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/api/v1/rollouts/1/%s", what);
    return bench_http(&fleet.bench, PW_HTTP_POST, path, "");
}

static unsigned updated(void)
{
    unsigned with = 0;
    for (size_t i = 0; i < fleet.units; i++) {
        with += strcmp(fleet.unit[i].version, "2.0.0") == 0 ? 1 : 0;
    }
    return with;
}

static void a_good_release_reaches_all_in_stages_and_interrupts_no_charge(void **state)
{
    (void)state;
    fleet_open(&fleet, FLEET_MAX, 1);
    unsigned charging = 0;
    for (size_t i = 0; i < fleet.units; i++) {
        if (fleet_random(&fleet, 3) == 0) {
            fleet_charge(&fleet, &fleet.unit[i], HOUR_MS + fleet_random(&fleet, 3600000) * 5);
            charging++;
        }
    }
    fleet_pass(&fleet, 2000);
    assert_int_equal(bench_count(&fleet.bench, "SELECT COUNT(*) FROM session"), charging);
    begin("\"soak_s\":1800");
    fleet_pass(&fleet, 20000);
    assert_int_equal(fleet.asked, 5); // the canary, and nobody else
    fleet_pass(&fleet, 1700000);
    assert_true(fleet.asked <= 20);
    assert_true(fleet_until(&fleet, "finished", 48 * HOUR_MS));
    assert_int_equal(fleet.asked, FLEET_MAX);
    assert_int_equal(updated(), FLEET_MAX);
    for (size_t i = 0; i < fleet.units; i++) {
        assert_false(fleet.unit[i].cut);
        assert_int_equal(fleet.unit[i].asked, 1);
    }
    assert_int_equal(count("state = 'done'"), FLEET_MAX);
    assert_int_equal(count("stage = 0"), 5);
    assert_int_equal(count("stage = 1"), 15); // 10 % are 20
    assert_int_equal(count("stage = 2"), 80);
    assert_int_equal(count("stage = 3"), 100);
    assert_int_equal(
        bench_count(&fleet.bench, "SELECT COUNT(*) FROM session WHERE stop_at IS NULL"), 0);
    print_message("%u of %u stations charged; finished after %u virtual minutes\n", charging,
                  (unsigned)FLEET_MAX, (unsigned)(fleet.bench.at.now / 60000));
    fleet_close(&fleet);
}

// 5 % of the stations cannot take it: whichever way they fail, it stops itself in the first stage
// that has one of them, and nobody else begins.
static void a_release_that_some_stations_cannot_take_stops_itself(void **state)
{
    (void)state;
    unsigned at_stage[4] = {0};
    unsigned most = 0;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        fleet_open(&fleet, FLEET_MAX, seed * 7919);
        for (unsigned bad = 0; bad < FLEET_MAX / 20;) {
            struct unit *unit = &fleet.unit[fleet_random(&fleet, FLEET_MAX)];
            if (unit->ill == WELL) {
                unit->ill = (enum ill)(1 + bad % (ILLS - 1));
                bad++;
            }
        }
        begin("\"canary\":20,\"stop_percent\":4,\"soak_s\":60,\"deadline_s\":1800,"
              "\"stages\":[25,100]");
        if (!fleet_until(&fleet, "stopped", 24 * HOUR_MS)) {
            fail_msg("seed %u: it did not stop", (unsigned)seed);
        }
        unsigned before = fleet.asked;
        fleet_pass(&fleet, HOUR_MS);
        assert_int_equal(fleet.asked, before);
        int64_t stage = bench_count(&fleet.bench, "SELECT stage FROM rollout WHERE id = 1");
        at_stage[stage]++;
        most = before > most ? before : most;
        assert_true(before <= (stage == 0 ? 20U : stage == 1 ? 50U : 200U));
        assert_true(count("state = 'failed' AND why IS NOT NULL") >= 1);
        assert_int_equal(bench_http(&fleet.bench, PW_HTTP_GET, "/api/v1/rollouts/1", ""), 200);
        assert_has(fleet.bench.body, "\"state\":\"stopped\",\"why\":\"");
        fleet_close(&fleet);
    }
    assert_true(at_stage[0] >= 2);
    print_message("6 seeds: %u stopped at the canary, %u at 25 %%, %u later; at most %u of 200 "
                  "stations were asked\n",
                  at_stage[0], at_stage[1], at_stage[2], most);
}

static void an_image_that_nobody_can_take_ends_at_the_canary(void **state)
{
    (void)state;
    for (int ill = 1; ill < ILLS; ill++) {
        fleet_open(&fleet, 40, (uint32_t)ill);
        for (size_t i = 0; i < fleet.units; i++) {
            fleet.unit[i].ill = (enum ill)ill;
        }
        begin("\"deadline_s\":600");
        assert_true(fleet_until(&fleet, "stopped", 4 * HOUR_MS));
        assert_true(fleet.asked <= 5);
        fleet_pass(&fleet, HOUR_MS);
        assert_true(fleet.asked <= 5);
        // Repaired meanwhile: those that failed are tried again, then the rest.
        for (size_t i = 0; i < fleet.units; i++) {
            fleet.unit[i].ill = WELL;
        }
        assert_int_equal(change("resume"), 409);
        assert_int_equal(change("retry"), 200);
        assert_true(fleet_until(&fleet, "finished", 24 * HOUR_MS));
        assert_int_equal(updated(), 40);
        fleet_close(&fleet);
    }
}

static void a_pause_lets_nobody_begin_and_those_that_have_end(void **state)
{
    (void)state;
    fleet_open(&fleet, 40, 3);
    begin("\"canary\":10,\"at_most\":4,\"soak_s\":0");
    fleet_pass(&fleet, 10000);
    assert_int_equal(fleet.asked, 4); // no more at once
    assert_int_equal(change("pause"), 200);
    fleet_pass(&fleet, 2 * HOUR_MS);
    assert_int_equal(fleet.asked, 4);
    assert_int_equal(count("state = 'done'"), 4);
    assert_int_equal(bench_http(&fleet.bench, PW_HTTP_DELETE, "/api/v1/releases/1", ""), 409);
    assert_int_equal(change("resume"), 200);
    fleet_pass(&fleet, 60000);
    assert_true(fleet.asked > 4);
    assert_int_equal(change("cancel"), 200);
    unsigned asked = fleet.asked;
    fleet_pass(&fleet, HOUR_MS);
    assert_int_equal(fleet.asked, asked);
    assert_int_equal(bench_count(&fleet.bench, "SELECT COUNT(*) FROM rollout WHERE state ="
                                               " 'cancelled' AND report IS NOT NULL"),
                     1);
    assert_int_equal(change("resume"), 404);
    assert_int_equal(bench_http(&fleet.bench, PW_HTTP_GET, "/api/v1/rollouts/1", ""), 200);
    assert_has(fleet.bench.body, "cancelled by admin");
    assert_int_equal(bench_http(&fleet.bench, PW_HTTP_DELETE, "/api/v1/releases/1", ""), 204);
    fleet_close(&fleet);
}

// Reason: a station that is offline has not failed; the others go on, and it comes later.
static void stations_that_are_offline_wait_and_come_later(void **state)
{
    (void)state;
    fleet_open(&fleet, 20, 4);
    for (size_t i = 0; i < 8; i++) {
        fleet_offline(&fleet, &fleet.unit[i]);
    }
    begin("\"canary\":2,\"soak_s\":0,\"stages\":[50,100]");
    fleet_pass(&fleet, 3 * HOUR_MS);
    assert_int_equal(count("state = 'done'"), 12);
    assert_int_equal(count("state = 'waiting'"), 8);
    assert_int_equal(
        bench_count(&fleet.bench, "SELECT COUNT(*) FROM rollout WHERE state = 'running'"), 1);
    // One had it by other means before it came back.
    (void)snprintf(fleet.unit[0].version, sizeof(fleet.unit[0].version), "2.0.0");
    for (size_t i = 0; i < 8; i++) {
        fleet_online(&fleet, &fleet.unit[i]);
        fleet.unit[i].doing = RESTARTS;
        fleet.unit[i].due = fleet.bench.at.now;
        fleet.unit[i].ill = WELL;
    }
    assert_true(fleet_until(&fleet, "finished", 24 * HOUR_MS));
    assert_int_equal(updated(), 20);
    assert_int_equal(fleet.asked, 19);
    fleet_close(&fleet);
}

// Reason: a station that charges for two days has been told, and waits; that is no failure.
static void a_charge_longer_than_the_deadline_is_no_failure(void **state)
{
    (void)state;
    fleet_open(&fleet, 3, 5);
    fleet_charge(&fleet, &fleet.unit[0], 50 * HOUR_MS);
    fleet_pass(&fleet, 2000);
    begin("\"canary\":3,\"deadline_s\":3600");
    fleet_pass(&fleet, 40 * HOUR_MS);
    assert_int_equal(count("state = 'downloaded'"), 1);
    if (!fleet_until(&fleet, "finished", 20 * HOUR_MS)) {
        fleet_login(&fleet);
        (void)bench_http(&fleet.bench, PW_HTTP_GET, "/api/v1/rollouts/1", "");
        fail_msg("%s", fleet.bench.body);
    }
    assert_int_equal(count("state = 'done'"), 3);
    assert_false(fleet.unit[0].cut);
    fleet_close(&fleet);
}

// Reason: the clock of the central is set while stations load and while a stage is watched: nobody
// fails for that, nothing is watched for a shorter time, and nothing stands still.
static void a_clock_that_is_set_neither_fails_nor_hurries_nor_stops_anybody(void **state)
{
    (void)state;
    static const int64_t jumps_h[] = {-24 * 365, -30, 30, 24 * 365};
    for (size_t i = 0; i < PW_COUNT(jumps_h); i++) {
        fleet_open(&fleet, 8, 7);
        begin("\"canary\":2,\"soak_s\":7200,\"deadline_s\":600");
        fleet_pass(&fleet, 5000);
        fleet.bench.at.wall += jumps_h[i] * (int64_t)HOUR_MS;
        assert_false(fleet_until(&fleet, "stopped", HOUR_MS));
        assert_int_equal(count("state = 'done'"), 2);
        fleet.bench.at.wall += jumps_h[i] * (int64_t)HOUR_MS;
        fleet_pass(&fleet, HOUR_MS / 2);
        assert_int_equal(fleet.asked, 2);
        assert_true(fleet_until(&fleet, "finished", 24 * HOUR_MS));
        assert_int_equal(updated(), 8);
        fleet_close(&fleet);
    }
}

// What stands in the way of telling a station may stay for long: it is tried once a second, and the
// central does not go round and round meanwhile.
static void a_station_that_cannot_be_told_is_tried_again_later(void **state)
{
    (void)state;
    char path[96];
    fleet_open(&fleet, 1, 1);
    (void)snprintf(path, sizeof(path), "/api/v1/stations/%s/commands", fleet.unit[0].id);
    for (int i = 0; i < PW_CENTRAL_COMMANDS_MAX; i++) {
        assert_int_equal(
            bench_http(&fleet.bench, PW_HTTP_POST, path, "{\"action\":\"ClearCache\"}"), 202);
    }
    begin("");
    for (int i = 0; i < 3; i++) {
        (void)pw_central_step(fleet.bench.central, fleet.bench.at);
    }
    assert_int_equal(count("state = 'waiting'"), 1);
    assert_true(pw_central_step(fleet.bench.central, fleet.bench.at) > fleet.bench.at.now);
    assert_true(fleet_until(&fleet, "finished", HOUR_MS * 2));
    assert_int_equal(fleet.asked, 1);
    fleet_close(&fleet);
}

static void what_a_roll_out_may_be_is_said_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status;
        const char *words;
    } rows[] = {
        {"{}", 400, "release_id: there is no such release"},
        {"{\"release_id\":9}", 400, "release_id"},
        {"{\"release_id\":1,\"stages\":[]}", 400, "stages: must be"},
        {"{\"release_id\":1,\"stages\":[50,50,100]}", 400, "stages: must be"},
        {"{\"release_id\":1,\"stages\":[50]}", 400, "the last one 100"},
        {"{\"release_id\":1,\"stages\":[101]}", 400, "stages: must be"},
        {"{\"release_id\":1,\"canary\":-1}", 400, "canary: must be a whole number from 0"},
        {"{\"release_id\":1,\"at_most\":0}", 400, "at_most"},
        {"{\"release_id\":1,\"stop_percent\":101}", 400, "stop_percent"},
        {"{\"release_id\":1,\"way\":\"post\"}", 400, "none of auto, ocpp, link"},
        {"{\"release_id\":1,\"stations\":[\"NOBODY\"]}", 400, "not the id of a station"},
        {"{\"release_id\":1,\"stations\":[]}", 400, "there is no station for it"},
        {"{\"release_id\":1,\"model\":\"Other\"}", 400, "there is no station for it"},
        {"{\"release_id\":1,\"stations\":[\"CP000\"]}", 201, "\"total\":1"},
        {"{\"release_id\":1,\"stations\":[\"CP000\",\"CP001\"]}", 409,
         "CP000 takes part in roll-out 1, which is not over"},
        {"{\"release_id\":1,\"stations\":[\"CP001\"],\"name\":\"<b>\"}", 201, "<b>"},
    };
    fleet_open(&fleet, 3, 6);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(bench_http(&fleet.bench, PW_HTTP_POST, "/api/v1/rollouts", rows[i].body),
                         rows[i].status);
        assert_has(fleet.bench.body, rows[i].words);
    }
    fleet_close(&fleet);
}

// The central ends at any operation on its database and is started again: nobody begins before its
// turn, nobody is left out, nobody counts as failed, and the roll-out ends.
static void a_central_that_ends_at_any_operation_goes_on(void **state)
{
    (void)state;
    unsigned operations = 0;
    unsigned cuts = 0;
    unsigned twice = 0;
    for (unsigned cut = 0; cut == 0 || cut < operations; cut += 1 + cut / EVERY) {
        fleet_open(&fleet, 4, 11);
        unsigned before = fleet.operations;
        fleet.cut_at = cut == 0 ? 0 : before + cut;
        char body[] = "{\"release_id\":1,\"canary\":1,\"soak_s\":5,\"stages\":[50,100],"
                      "\"at_most\":2}";
        int status = bench_http(&fleet.bench, PW_HTTP_POST, "/api/v1/rollouts", body);
        fleet_pass(&fleet, 2000);
        if (status != 201) {
            assert_int_equal(bench_http(&fleet.bench, PW_HTTP_POST, "/api/v1/rollouts", body), 201);
        }
        bool canary = false;
        bool over = false;
        for (unsigned i = 0; i < 600 && !over; i++) {
            fleet_pass(&fleet, 5000);
            canary = canary || updated() >= 1;
            assert_true(canary || fleet.asked <= 1 + (cut != 0 ? 1 : 0));
            over = bench_count(&fleet.bench,
                               "SELECT COUNT(*) FROM rollout WHERE state = 'finished'") == 1;
        }
        if (!over || updated() != 4 || count("state = 'failed'") != 0) {
            fail_msg("cut at operation %u: over %d, %u updated", cut, over, updated());
        }
        for (size_t i = 0; i < fleet.units; i++) {
            assert_in_range(fleet.unit[i].asked, 1, 2);
            twice += fleet.unit[i].asked - 1;
        }
        operations = cut == 0 ? fleet.operations - before : operations;
        cuts++;
        fleet_close(&fleet);
    }
    print_message("%u cuts over %u operations; %u stations were told twice\n", cuts - 1, operations,
                  twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_release_reaches_all_in_stages_and_interrupts_no_charge),
        cmocka_unit_test(a_release_that_some_stations_cannot_take_stops_itself),
        cmocka_unit_test(an_image_that_nobody_can_take_ends_at_the_canary),
        cmocka_unit_test(a_pause_lets_nobody_begin_and_those_that_have_end),
        cmocka_unit_test(stations_that_are_offline_wait_and_come_later),
        cmocka_unit_test(a_charge_longer_than_the_deadline_is_no_failure),
        cmocka_unit_test(a_clock_that_is_set_neither_fails_nor_hurries_nor_stops_anybody),
        cmocka_unit_test(a_station_that_cannot_be_told_is_tried_again_later),
        cmocka_unit_test(what_a_roll_out_may_be_is_said_in_words),
        cmocka_unit_test(a_central_that_ends_at_any_operation_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
