// Roll-outs: a release brought to many stations, on virtual time. The stations are scripts
// (fleet.h); that a real station waits for its charge is station/files' own test.
#include "rollouts.h"

#include "fleet.h"
#include "make.h"

#include <math.h>

// Sanitizers see as much in fewer cuts.
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EVERY 20
#define SEEDS 20
#endif
#endif
#ifndef EVERY
#define EVERY 1000000 // each one
#define SEEDS 100
#endif

#define DRAWS   100000U
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

// Stations that were asked, however often.
static unsigned asked(void)
{
    unsigned stations = 0;
    for (size_t i = 0; i < fleet.units; i++) {
        stations += fleet.unit[i].asked > 0 ? 1 : 0;
    }
    return stations;
}

// The chance that none, or at most `failures`, of `bad` among `total` is in a sample, by another
// way than the central's: drawn from the logarithms of binomial coefficients.
static long double missed(unsigned total, unsigned bad, unsigned sample, unsigned failures)
{
    long double sum = 0;
    for (unsigned found = 0; found <= failures && found <= bad && found <= sample; found++) {
        unsigned well = sample - found;
        if (well <= total - bad) {
            sum += expl(lgammal(bad + 1.0L) - lgammal(found + 1.0L) - lgammal(bad - found + 1.0L) +
                        lgammal(total - bad + 1.0L) - lgammal(well + 1.0L) -
                        lgammal(total - bad - well + 1.0L) - lgammal(total + 1.0L) +
                        lgammal(sample + 1.0L) + lgammal(total - sample + 1.0L));
        }
    }
    return sum;
}

// Reason: an operator is told a number; it must be the right one, and never too good.
static void what_a_canary_finds_is_the_hypergeometric_probability(void **state)
{
    (void)state;
    static const unsigned totals[] = {1,  2,  3,   7,   19,  20,   21,   40,
                                      59, 60, 100, 200, 333, 2000, 20000};
    static const uint8_t allowed[] = {0, 1, CANARY_FAILURES_MAX};
    unsigned checked = 0;
    for (size_t i = 0; i < PW_COUNT(totals); i++) {
        unsigned total = totals[i];
        unsigned bad = total * 5 / 100 > 0 ? total * 5 / 100 : 1;
        for (size_t row = 0; row < PW_COUNT(allowed); row++) {
            uint8_t failures = allowed[row];
            for (unsigned sample = 0; sample <= total && sample <= 400; sample++) {
                long double sure = 100 * (1 - missed(total, bad, sample, failures));
                unsigned told = canary_finds_percent(total, sample, failures);
                if (told > sure + 1e-6L || told + 1.0001L < sure) {
                    fail_msg("%u of %u, %u bad, %u allowed: %u told, it is %Lf", sample, total, bad,
                             failures, told, sure);
                }
                checked++;
            }
        }
    }
    // The smallest that finds it, for fleets that are large enough.
    for (unsigned total = 100; total <= 1000; total += 7) {
        uint32_t usual = canary_usual(total, 1, 0);
        assert_true(canary_finds_percent(total, usual, 0) >= 95 || usual == (total + 2) / 3);
        assert_true(missed(total, total * 5 / 100, usual - 1, 0) > 0.05L);
    }
    print_message("%u probabilities; a canary of 200 stations has %u, of 2000 %u, of 20000 %u\n",
                  checked, canary_usual(200, 1, 0), canary_usual(2000, 1, 0),
                  canary_usual(20000, 1, 0));
    assert_int_equal(canary_usual(200, 1, 0), 51);
    assert_int_equal(canary_finds_percent(12, 3, 0), 25); // one of twelve: a quarter, and no less
    static const struct {
        uint32_t total;
        uint32_t kinds;
        uint32_t canary;
    } small[] = {{0, 0, 0}, {1, 1, 1},   {2, 1, 1},    {3, 3, 2},    {6, 1, 2},
                 {6, 6, 3}, {40, 1, 14}, {40, 20, 20}, {40, 30, 20}, {200, 60, 60}};
    for (size_t i = 0; i < PW_COUNT(small); i++) {
        assert_int_equal(canary_usual(small[i].total, small[i].kinds, 0), small[i].canary);
    }
}

static void a_good_release_reaches_all_in_stages_and_interrupts_no_charge(void **state)
{
    (void)state;
    fleet_open(&fleet, FLEET_MAX, 1);
    unsigned charging = 0;
    for (size_t i = 0; i < fleet.units; i++) {
        fleet_say(&fleet.unit[i], "StatusNotification",
                  "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}");
        if (fleet_random(&fleet, 3) == 0) {
            fleet_charge(&fleet, &fleet.unit[i], HOUR_MS + fleet_random(&fleet, 3600000) * 5);
            charging++;
        }
    }
    fleet_pass(&fleet, 2000);
    assert_int_equal(bench_count(&fleet.bench, "SELECT COUNT(*) FROM session"), charging);
    begin("\"soak_s\":1800");
    assert_has(fleet.bench.body, "\"canary\":51,\"canary_failures\":0,\"canary_finds_percent\":95");
    fleet_pass(&fleet, 20000);
    assert_int_equal(fleet.asked, 1); // the canary's first, and nobody else
    fleet_pass(&fleet, 600000);
    assert_int_equal(fleet.asked, 5); // one at which somebody charges would be waited for
    assert_int_equal(count("state = 'downloaded'"), 0);
    fleet_pass(&fleet, HOUR_MS);
    assert_in_range(fleet.asked, 6, 51); // then the rest of it, also where somebody charges
    assert_true(fleet_until(&fleet, "finished", 48 * HOUR_MS));
    assert_int_equal(fleet.asked, FLEET_MAX);
    assert_int_equal(updated(), FLEET_MAX);
    for (size_t i = 0; i < fleet.units; i++) {
        assert_false(fleet.unit[i].cut);
        assert_int_equal(fleet.unit[i].asked, 1);
    }
    assert_int_equal(count("state = 'done'"), FLEET_MAX);
    assert_int_equal(count("stage = 0"), 51);
    assert_int_equal(count("stage = 1"), 0); // 10 % are 20, and more have it
    assert_int_equal(count("stage = 2"), 49);
    assert_int_equal(count("stage = 3"), 100);
    assert_int_equal(
        bench_count(&fleet.bench, "SELECT COUNT(*) FROM session WHERE stop_at IS NULL"), 0);
    print_message("%u of %u stations charged; finished after %u virtual minutes\n", charging,
                  (unsigned)FLEET_MAX, (unsigned)(fleet.bench.at.now / 60000));
    fleet_close(&fleet);
}

// Bad stations that were told to update.
static unsigned spoilt(void)
{
    unsigned bad = 0;
    for (size_t i = 0; i < fleet.units; i++) {
        bad += fleet.unit[i].ill != WELL && fleet.unit[i].asked > 0 ? 1 : 0;
    }
    return bad;
}

// Where the newest roll-out has stopped. Nobody begins after that.
static int64_t stopped_at(uint32_t seed)
{
    if (!fleet_until(&fleet, "stopped", 24 * HOUR_MS)) {
        fail_msg("seed %u: it did not stop", (unsigned)seed);
    }
    unsigned before = fleet.asked;
    fleet_pass(&fleet, HOUR_MS / 6);
    assert_int_equal(fleet.asked, before);
    return bench_count(&fleet.bench, "SELECT stage FROM rollout ORDER BY id DESC LIMIT 1");
}

// Of how many in DRAWS fleets with 10 bad ones of 200 the canary of the newest roll-out has one.
static unsigned drawn_into_the_canary(void)
{
    bool in[FLEET_MAX];
    unsigned hits = 0;
    for (size_t i = 0; i < FLEET_MAX; i++) {
        char sql[160];
        (void)snprintf(
            sql, sizeof(sql),
            "SELECT COUNT(*) FROM rollout_station WHERE station_id = '%s' AND place <= 51"
            " AND rollout_id = (SELECT MAX(id) FROM rollout)",
            fleet.unit[i].id);
        in[i] = bench_count(&fleet.bench, sql) == 1;
    }
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        bool bad[FLEET_MAX] = {false};
        bool hit = false;
        for (unsigned found = 0; found < FLEET_MAX / 20;) {
            uint32_t one = fleet_random(&fleet, FLEET_MAX);
            found += bad[one] ? 0 : 1;
            bad[one] = true;
            hit = hit || in[one];
        }
        hits += hit ? 1 : 0;
    }
    return hits;
}

// 5 % of the stations cannot take it, whichever way they fail: it always stops itself, and at the
// canary as often as was promised.
static void a_release_that_5_percent_cannot_take_stops_itself_at_the_canary(void **state)
{
    (void)state;
    unsigned at_stage[4] = {0};
    unsigned lost[FLEET_MAX + 1] = {0};
    unsigned all = 0;
    unsigned most = 0;
    fleet_open(&fleet, FLEET_MAX, 1);
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        fleet_anew(&fleet, seed * 7919);
        for (unsigned bad = 0; bad < FLEET_MAX / 20;) {
            struct unit *unit = &fleet.unit[fleet_random(&fleet, FLEET_MAX)];
            if (unit->ill == WELL) {
                unit->ill = (enum ill)(1 + (bad + seed) % (ILLS - 1));
                bad++;
            }
        }
        begin("\"soak_s\":60,\"deadline_s\":1800");
        int64_t stage = stopped_at(seed);
        at_stage[stage]++;
        unsigned bad = spoilt();
        lost[bad]++;
        all += bad;
        most = bad > most ? bad : most;
        assert_true(asked() <= (stage == 0 ? 51U : stage == 2 ? 100U : 200U));
        assert_has(bench_http(&fleet.bench, PW_HTTP_GET, "/api/v1/rollouts", "") == 200
                       ? fleet.bench.body
                       : "",
                   "\"state\":\"stopped\",\"why\":\"");
    }
    print_message(
        "%d seeds: %u stopped at the canary, %u at 50 %%, %u later; bad stations that were"
        " asked: %u.%u on average, at most %u of 10\n",
        SEEDS, at_stage[0], at_stage[2], at_stage[3], all / SEEDS, all * 10 / SEEDS % 10, most);
    assert_true(at_stage[0] * 100 >= SEEDS * 88); // 95.2 % less three deviations of so few
    unsigned hits = drawn_into_the_canary();
    print_message("%u of %u fleets with 10 bad stations have one in that canary\n", hits, DRAWS);
    assert_true(hits >= DRAWS / 100 * 95);
    assert_true(all <= SEEDS * 3);
    fleet_close(&fleet);
}

// Of a fleet as it grows: 120 of one maker, 60 of another, a few of the others, in no order of
// name.
static void make_kinds(void)
{
    static const struct {
        const char *maker;
        size_t stations;
    } kinds[] = {{"Oak", 120}, {"Ash", 60}, {"Yew", 15}, {"Elm", 4}, {"Fir", 1}};
    size_t place = 0;
    for (size_t kind = 0; kind < PW_COUNT(kinds); kind++) {
        for (size_t i = 0; i < kinds[kind].stations; i++) {
            fleet.unit[place * 77 % FLEET_MAX].maker = kinds[kind].maker;
            place++;
        }
    }
    for (size_t i = 0; i < fleet.units; i++) {
        fleet_boot(&fleet.unit[i]);
    }
    fleet_pass(&fleet, 2000);
}

// Reason: a release that one model cannot take must not get past the canary, however few there are
// of it and whatever they are called.
static void a_release_that_one_kind_cannot_take_always_ends_at_the_canary(void **state)
{
    (void)state;
    static const char *const makers[] = {"Oak", "Ash", "Yew", "Elm", "Fir"};
    unsigned most = 0;
    fleet_open(&fleet, FLEET_MAX, 1);
    make_kinds();
    for (uint32_t seed = 1; seed <= 10; seed++) {
        const char *maker = makers[seed % PW_COUNT(makers)];
        fleet_anew(&fleet, seed);
        for (size_t i = 0; i < fleet.units; i++) {
            struct unit *unit = &fleet.unit[i];
            unit->ill = strcmp(unit->maker, maker) == 0 ? (enum ill)(1 + seed % (ILLS - 1)) : WELL;
        }
        begin("\"soak_s\":60,\"deadline_s\":1800");
        assert_int_equal(stopped_at(seed), 0);
        most = spoilt() > most ? spoilt() : most;
        // The reply says which kind it was.
        char words[96];
        (void)snprintf(words, sizeof(words), "{\"kind\":\"%s Wallbox-9, 1.0.0\",", maker);
        int64_t id = bench_count(&fleet.bench, "SELECT MAX(id) FROM rollout");
        char path[64];
        (void)snprintf(path, sizeof(path), "/api/v1/rollouts/%d", (int)id);
        assert_int_equal(bench_http(&fleet.bench, PW_HTTP_GET, path, ""), 200);
        const char *kind = strstr(fleet.bench.body, words);
        assert_non_null(kind);
        assert_null(memmem(kind, strcspn(kind, "}"), "\"failed\":0", 10));
    }
    print_message("one kind bad: always at the canary, at most %u stations were spoilt\n", most);
    assert_true(most <= 5);
    fleet_close(&fleet);
}

static void every_stage_has_stations_of_every_kind_and_a_plan_says_so_before(void **state)
{
    (void)state;
    static const char body[] = "{\"release_id\":1,\"soak_s\":0,\"at_most\":200}";
    fleet_open(&fleet, FLEET_MAX, 1);
    make_kinds();
    assert_int_equal(bench_http(&fleet.bench, PW_HTTP_POST, "/api/v1/rollouts/plan", body), 200);
    assert_has(fleet.bench.body, "\"canary\":51,\"canary_failures\":0,\"canary_finds_percent\":95");
    assert_has(fleet.bench.body, "{\"kind\":\"Fir Wallbox-9, 1.0.0\",\"stations\":1,\"canary\":1}");
    assert_has(fleet.bench.body, "{\"kind\":\"Elm Wallbox-9, 1.0.0\",\"stations\":4,\"canary\":1}");
    assert_has(fleet.bench.body,
               "{\"kind\":\"Ash Wallbox-9, 1.0.0\",\"stations\":60,\"canary\":15}");
    assert_int_equal(bench_count(&fleet.bench, "SELECT COUNT(*) FROM rollout"), 0);
    begin("\"soak_s\":0,\"at_most\":200");
    assert_true(fleet_until(&fleet, "finished", 24 * HOUR_MS));
    for (int stage = 0; stage <= 3; stage++) {
        char where[64];
        (void)snprintf(where, sizeof(where), "stage = %d AND kind LIKE 'Oak%%'", stage);
        int64_t oaks = count(where);
        (void)snprintf(where, sizeof(where), "stage = %d", stage);
        int64_t stations = count(where);
        assert_in_range(oaks * 100, stations * 55, stations * 65); // they are 60 %
        (void)snprintf(where, sizeof(where), "stage = %d AND kind LIKE 'Yew%%'", stage);
        assert_true(stations == 0 || count(where) >= 3);
        (void)snprintf(where, sizeof(where), "stage = %d AND kind LIKE 'Elm%%'", stage);
        assert_true(stations == 0 || count(where) >= 1);
    }
    assert_int_equal(count("stage = 0 AND kind LIKE 'Fir%'"), 1);
    fleet_close(&fleet);
}

// Reason: a restart must not draw another sample; who had its turn before others still has it.
static void turns_are_the_same_after_a_restart_of_the_central(void **state)
{
    (void)state;
    fleet_open(&fleet, 30, 3);
    begin("\"canary\":10,\"soak_s\":0,\"stages\":[50,100]");
    for (int restarts = 0; restarts < 4; restarts++) {
        fleet_pass(&fleet, HOUR_MS / 10);
        fleet.cut_at = fleet.operations + 1;
        fleet_pass(&fleet, 60000);
    }
    assert_true(fleet_until(&fleet, "finished", 24 * HOUR_MS));
    assert_int_equal(updated(), 30);
    assert_int_equal(count("stage = 0 AND place BETWEEN 1 AND 10"), 10);
    assert_int_equal(count("stage = 1 AND place BETWEEN 11 AND 15"), 5);
    assert_int_equal(count("stage = 2 AND place BETWEEN 16 AND 30"), 15);
    fleet_close(&fleet);
}

// Reason: half of a fleet may be offline at any time; a kind is not left out of the canary for
// that.
static void a_canary_has_every_kind_that_is_online(void **state)
{
    (void)state;
    fleet_open(&fleet, FLEET_MAX, 1);
    make_kinds();
    for (size_t i = 0; i < fleet.units; i++) {
        struct unit *unit = &fleet.unit[i];
        if (strcmp(unit->maker, "Fir") == 0 || fleet_random(&fleet, 2) == 0) {
            fleet_offline(&fleet, unit);
        }
    }
    fleet_pass(&fleet, 2000);
    begin("\"canary\":6,\"soak_s\":86400");
    fleet_pass(&fleet, 2 * HOUR_MS);
    assert_int_equal(fleet.asked, 6);
    assert_int_equal(count("state = 'done'"), 6);
    assert_int_equal(bench_count(&fleet.bench, "SELECT COUNT(DISTINCT kind) FROM rollout_station"
                                               " WHERE state = 'done'"),
                     4); // the fifth is one station, which is offline
    fleet_close(&fleet);
}

// Reason: a canary of one or two says little, and people want to say how many may fail.
static void a_canary_that_may_lose_some_stops_behind_that(void **state)
{
    (void)state;
    fleet_open(&fleet, 40, 2);
    for (size_t i = 0; i < fleet.units; i++) {
        fleet.unit[i].ill = ILL_INSTALL;
    }
    begin("\"canary\":10,\"canary_failures\":2");
    assert_int_equal(stopped_at(2), 0);
    assert_in_range(fleet.asked, 3, 5);
    fleet_anew(&fleet, 3);
    fleet.unit[7].ill = ILL_INSTALL;
    begin("\"stations\":[\"CP007\",\"CP008\",\"CP009\"],\"canary\":3,\"canary_failures\":1,"
          "\"soak_s\":0");
    assert_true(fleet_until(&fleet, "finished", 4 * HOUR_MS));
    assert_int_equal(updated(), 2);
    fleet_close(&fleet);
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
        fleet_pass(&fleet, HOUR_MS);
        assert_int_equal(asked(), 1);
        assert_true(fleet.asked <= ROLLOUT_TRIES_MAX);
        // Repaired meanwhile: those that failed are tried again, then the rest.
        for (size_t i = 0; i < fleet.units; i++) {
            fleet.unit[i].ill = WELL;
            if (fleet.unit[i].link == 0) {
                fleet_online(&fleet, &fleet.unit[i]);
            }
        }
        assert_int_equal(change("resume"), 409);
        assert_int_equal(change("retry"), 200);
        assert_true(fleet_until(&fleet, "finished", 24 * HOUR_MS));
        assert_int_equal(updated(), 40);
        fleet_close(&fleet);
    }
}

// Reason: many makers' stations say Installed before they restart, and some name a version in their
// boot otherwise than the release does.
static void who_says_installed_too_early_is_done_when_it_is_there_ten_minutes_later(void **state)
{
    (void)state;
    fleet_open(&fleet, 1, 5);
    fleet.unit[0].still = true;
    begin("");
    fleet_pass(&fleet, 10000);
    fleet_say(&fleet.unit[0], "FirmwareStatusNotification", "{\"status\":\"Installed\"}");
    assert_int_equal(count("state = 'on trial' AND why = 'Installed'"), 1);
    fleet_pass(&fleet, ROLLOUT_SETTLE_MS / 2);
    fleet_offline(&fleet, &fleet.unit[0]);
    fleet_pass(&fleet, ROLLOUT_SETTLE_MS);
    assert_int_equal(count("state = 'on trial'"), 1);
    fleet_online(&fleet, &fleet.unit[0]);
    fleet_pass(&fleet, 10000);
    assert_int_equal(count("state = 'done'"), 1);
    fleet_close(&fleet);
}

static void a_pause_lets_nobody_begin_and_those_that_have_end(void **state)
{
    (void)state;
    fleet_open(&fleet, 40, 3);
    begin("\"canary\":0,\"at_most\":4,\"soak_s\":0");
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

// Reason: a station that says Downloading for ever must not hold a stage open; its deadline runs
// from the moment it was asked, also over a restart of the central, and stands still while it
// charges.
static void a_station_that_says_downloading_for_ever_fails_at_its_deadline(void **state)
{
    (void)state;
    for (int restarts = 0; restarts <= 1; restarts++) {
        fleet_open(&fleet, 1, 5);
        fleet.unit[0].ill = ILL_LIES;
        fleet_charge(&fleet, &fleet.unit[0], HOUR_MS);
        fleet_pass(&fleet, 2000);
        begin("\"deadline_s\":1800");
        fleet_pass(&fleet, HOUR_MS + HOUR_MS / 3);
        assert_int_equal(count("state = 'downloading'"), 1);
        fleet.cut_at = restarts == 0 ? 0 : fleet.operations + 1;
        // What was not yet kept of its time: an eighth.
        fleet_pass(&fleet, HOUR_MS / 6 + 60000 + (pw_ms)restarts * 225000);
        assert_int_equal(count("state = 'failed' AND why LIKE '%no further than \"downloading\"'"),
                         1);
        fleet_close(&fleet);
    }
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
        cmocka_unit_test(what_a_canary_finds_is_the_hypergeometric_probability),
        cmocka_unit_test(a_good_release_reaches_all_in_stages_and_interrupts_no_charge),
        cmocka_unit_test(a_release_that_5_percent_cannot_take_stops_itself_at_the_canary),
        cmocka_unit_test(a_release_that_one_kind_cannot_take_always_ends_at_the_canary),
        cmocka_unit_test(every_stage_has_stations_of_every_kind_and_a_plan_says_so_before),
        cmocka_unit_test(turns_are_the_same_after_a_restart_of_the_central),
        cmocka_unit_test(a_canary_has_every_kind_that_is_online),
        cmocka_unit_test(a_canary_that_may_lose_some_stops_behind_that),
        cmocka_unit_test(an_image_that_nobody_can_take_ends_at_the_canary),
        cmocka_unit_test(who_says_installed_too_early_is_done_when_it_is_there_ten_minutes_later),
        cmocka_unit_test(a_pause_lets_nobody_begin_and_those_that_have_end),
        cmocka_unit_test(stations_that_are_offline_wait_and_come_later),
        cmocka_unit_test(a_charge_longer_than_the_deadline_is_no_failure),
        cmocka_unit_test(a_station_that_says_downloading_for_ever_fails_at_its_deadline),
        cmocka_unit_test(a_clock_that_is_set_neither_fails_nor_hurries_nor_stops_anybody),
        cmocka_unit_test(a_station_that_cannot_be_told_is_tried_again_later),
        cmocka_unit_test(what_a_roll_out_may_be_is_said_in_words),
        cmocka_unit_test(a_central_that_ends_at_any_operation_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
