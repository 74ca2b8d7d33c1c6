// Load groups: the document and what is wrong with it, orders on their way, restarts, history.
#include "groups.h"

#include "bench.h"

#define STATIONS 3

// The way to the stations: remembers what it was given, answers when told.
struct way {
    struct bench *bench;
    bool broken[STATIONS];
    struct {
        int32_t ma;
        int32_t fallback_ma;
        uint32_t lease_ms;
        uint64_t ticket;
        char reason[64];
    } order[STATIONS]; // the last of each
    unsigned count;
    uint64_t ocpp[STATIONS]; // links over which they tell their state
};

static struct way way;

static size_t number(struct pw_str station)
{
    return (size_t)(station.at[1] - '1');
}

static bool reachable(void *context, struct pw_str station)
{
    const struct way *to = context;
    return !to->broken[number(station)];
}

static int set_limit(void *context, const struct pw_central_order *order, struct pw_instant at)
{
    struct way *to = context;
    size_t n = number(order->station);
    (void)at;
    if (to->broken[n]) {
        return PW_ERR_UNKNOWN;
    }
    to->count++;
    to->order[n].ma = order->ma;
    to->order[n].fallback_ma = order->fallback_ma;
    to->order[n].lease_ms = order->lease_ms;
    to->order[n].ticket = order->ticket;
    return pw_str_copy(to->order[n].reason, sizeof(to->order[n].reason), order->reason);
}

static const struct pw_central_limiter limiter = {
    .context = &way, .reachable = reachable, .set_limit = set_limit};

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    way = (struct way){.bench = &bench};
    for (size_t i = 0; i < STATIONS; i++) {
        char id[] = {'S', (char)('1' + i), '\0'};
        way.ocpp[i] = bench_station(&bench, id);
    }
    pw_central_limit_by(bench.central, &limiter);
    bench_login(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    return 0;
}

static void answer(struct bench *bench, size_t n)
{
    if (way.order[n].ticket != 0) {
        uint64_t ticket = way.order[n].ticket;
        way.order[n].ticket = 0;
        pw_central_limit_answered(bench->central, ticket, true, PW_STR(""), bench->at);
    }
}

// Time with stations that answer within 100 ms.
static void pass(struct bench *bench, pw_ms span)
{
    for (pw_ms end = bench->at.now + span; bench->at.now < end;) {
        bench_pass(bench, 100);
        for (size_t i = 0; i < STATIONS; i++) {
            answer(bench, i);
        }
    }
}

static void status(struct bench *bench, size_t n, const char *word)
{
    static unsigned id;
    char text[256];
    (void)snprintf(text, sizeof(text),
                   "[2,\"s%u\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\","
                   "\"status\":\"%s\"}]",
                   ++id, word);
    (void)bench_ask(bench, way.ocpp[n], text);
}

static void draws(struct bench *bench, size_t n, const char *amperes)
{
    static unsigned id;
    char text[400];
    char time[PW_TIME_TEXT_MAX];
    struct pw_out out = PW_OUT(time);
    pw_put_time(&out, bench->at.wall);
    (void)snprintf(text, sizeof(text),
                   "[2,\"m%u\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
                   "\"%s\",\"sampledValue\":[{\"value\":\"%s\",\"measurand\":\"Current.Import\","
                   "\"phase\":\"L1\",\"unit\":\"A\"}]}]}]",
                   ++id, time, amperes);
    (void)bench_ask(bench, way.ocpp[n], text);
}

static const char two[] =
    "{\"name\":\"Garage\",\"circuits\":[{\"id\":\"main\",\"name\":\"Main fuse\",\"limit_a\":"
    "[32,32,32]}],\"members\":[{\"station_id\":\"S1\",\"circuit\":\"main\",\"max_a\":32,"
    "\"failsafe_a\":6},{\"station_id\":\"S2\",\"circuit\":\"main\",\"max_a\":32,\"failsafe_a\":6}]"
    "}";

static int put(struct bench *bench, const char *body)
{
    return bench_http(bench, PW_HTTP_PUT, "/api/v1/groups/garage", body);
}

static int get(struct bench *bench, const char *target)
{
    return bench_http(bench, PW_HTTP_GET, target, "");
}

static void a_group_is_put_listed_changed_and_deleted(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(get(bench, "/api/v1/groups"), 200);
    assert_string_equal(bench->body, "{\"groups\":[]}");
    assert_int_equal(put(bench, two), 201);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "{\"id\":\"garage\",\"name\":\"Garage\",\"rotation_min\":15,"
                            "\"served\":true,\"circuits\":[{\"id\":\"main\"");
    assert_has(bench->body, "\"station_id\":\"S2\",\"connector_id\":1,\"circuit\":\"main\","
                            "\"priority\":0,\"min_a\":6,\"max_a\":32,\"failsafe_a\":6,"
                            "\"phases\":3,\"rotation\":\"RST\"");
    assert_int_equal(put(bench, "{\"circuits\":[{\"id\":\"m\",\"limit_a\":[16,16.5,0]}]}"), 200);
    assert_has(bench->body, "\"name\":\"garage\"");
    assert_has(bench->body, "\"limit_a\":[16,16.5,0]");
    assert_has(bench->body, "\"members\":[]");
    assert_int_equal(get(bench, "/api/v1/groups"), 200);
    assert_has(bench->body, "\"circuits\":1,\"members\":0");
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/groups/garage", ""), 204);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/groups/garage", ""), 404);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 404);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM load_circuit"), 0);
}

#define CIRCUIT "{\"id\":\"main\",\"limit_a\":[32,32,32]}"

static const struct {
    const char *body, *message;
} mistakes[] = {
    {"{}", "circuits: must be a list of 1 to 200"},
    {"{\"circuits\":[]}", "circuits: must be a list of 1 to 200"},
    {"{\"circuit\":[]}", "circuit: there is no such key"},
    {"{\"rotation_min\":4,\"circuits\":[" CIRCUIT "]}",
     "rotation_min: 4 is not allowed; it must be 5 to 1440"},
    {"{\"name\":7,\"circuits\":[" CIRCUIT "]}", "name: 7 is not allowed"},
    {"{\"circuits\":[{\"id\":\"a\"}]}", "circuits[0].limit_a: must be a list of three"},
    {"{\"circuits\":[{\"id\":\"a\",\"limit_a\":[1,2]}]}", "circuits[0].limit_a: must be a list"},
    {"{\"circuits\":[{\"id\":\"a\",\"limit_a\":[1,2,1001]}]}",
     "circuits[0].limit_a: 1001 is not allowed; it must be 0 to 1000"},
    {"{\"circuits\":[{\"id\":\"a\",\"limit_a\":[1,2,-1]}]}", "circuits[0].limit_a: -1 is not"},
    {"{\"circuits\":[{\"id\":\"a\",\"limit_a\":[1,2,0.55]}]}", "0.55 is not allowed"},
    {"{\"circuits\":[{\"id\":\"a\",\"limit_a\":[1,2,\\\"NaN\\\"]}]}", "no JSON"},
    {"{\"circuits\":[{\"id\":\"a\",\"limit_a\":[1,2,\"x\"]}]}", "x is not allowed"},
    {"{\"circuits\":[{\"id\":\"a b\",\"limit_a\":[1,2,3]}]}", "circuits[0].id: a b is not"},
    {"{\"circuits\":[" CIRCUIT "," CIRCUIT "]}",
     "circuits[1].id: main is the id of a circuit above already"},
    {"{\"circuits\":[{\"id\":\"a\",\"parent\":\"a\",\"limit_a\":[1,2,3]}]}",
     "circuits[0].parent: a is not the id of a circuit further up"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{}]}", "members[0].station_id: is required"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\"}]}",
     "members[0].max_a: is required"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16}]}",
     "members[0].circuit: is required"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"circuit\":\"x\"}]}",
     "members[0].circuit: x is not the id of a circuit"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S9\",\"max_a\":16,"
     "\"circuit\":\"main\"}]}",
     "members[0].station_id: S9 is not the id of a station"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":5.9,"
     "\"circuit\":\"main\"}]}",
     "members[0].max_a: 5.9 is not allowed; it must be 6 to 80"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":1e6,"
     "\"circuit\":\"main\"}]}",
     "members[0].max_a: 1e6 is not allowed"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"min_a\":20,\"circuit\":\"main\"}]}",
     "members[0].min_a: must not be above max_a"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"failsafe_a\":3,\"circuit\":\"main\"}]}",
     "members[0].failsafe_a: must be 0, or 6 to max_a"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"priority\":10,\"circuit\":\"main\"}]}",
     "members[0].priority: 10 is not allowed; it must be 0 to 9"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"phases\":4,\"circuit\":\"main\"}]}",
     "members[0].phases: 4 is not allowed"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"rotation\":\"SSS\",\"circuit\":\"main\"}]}",
     "members[0].rotation: SSS is none of RST"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"connector_id\":0,\"circuit\":\"main\"}]}",
     "members[0].connector_id: 0 is not allowed; it must be 1 to 32"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":16,"
     "\"circuit\":\"main\"},{\"station_id\":\"S1\",\"max_a\":16,\"circuit\":\"main\"}]}",
     "members[1].connector_id: S1 has this connector in the list already"},
    {"{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\",\"max_a\":32,"
     "\"failsafe_a\":20,\"circuit\":\"main\"},{\"station_id\":\"S2\",\"max_a\":32,"
     "\"failsafe_a\":16,\"circuit\":\"main\"}]}",
     "circuits[0].limit_a: the fail-safe limits of its members add up to 36 A on L1, more than "
     "the 32 A that are there"},
};

static void each_mistake_is_named_and_changes_nothing(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    for (size_t i = 0; i < PW_COUNT(mistakes); i++) {
        assert_int_equal(put(bench, mistakes[i].body), 400);
        assert_has(bench->body, mistakes[i].message);
    }
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/groups/other", two), 400);
    assert_has(bench->body, "members[0].station_id: garage is the group this connector is in");
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/groups/a b", two), 400);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"limit_a\":[32,32,32]");
}

// Reason: A13. A car alone gets all, a second one halves it, in the order that never exceeds.
static void limits_follow_the_vehicles(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    pass(bench, 10000);
    assert_int_equal(way.order[0].ma, 0);
    assert_int_equal(way.order[0].fallback_ma, 6000);
    assert_true(way.order[0].lease_ms > 60000); // it falls back up: after all others
    status(bench, 0, "Charging");
    pass(bench, 1000);
    assert_int_equal(way.order[0].ma, 32000);
    assert_int_equal(way.order[0].lease_ms, 60000);
    assert_string_equal(way.order[0].reason, "as much as the connector may give");
    status(bench, 1, "SuspendedEVSE");
    bench_pass(bench, 300);
    assert_int_equal(way.order[0].ma, 16000);
    assert_int_equal(way.order[1].ma, 0); // not before the first one has come down
    bench_pass(bench, 4000);
    assert_int_equal(way.order[1].ma, 0);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"reason\":\"AWAITS\",\"reason_text\":\"waits until others have come "
                            "down (Main fuse)\",\"bound_by\":\"main\"");
    pass(bench, 6000);
    assert_int_equal(way.order[1].ma, 16000);
    assert_has(bench->body, "\"station_id\":\"S1\"");
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"reason\":\"SHARE\",\"reason_text\":\"fair share (Main fuse)\"");
    status(bench, 0, "Available");
    pass(bench, 7000);
    assert_int_equal(way.order[0].ma, 0);
    assert_int_equal(way.order[1].ma, 32000);
}

static void orders_are_renewed_and_not_repeated_otherwise(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    status(bench, 0, "Charging");
    pass(bench, 10000);
    way.count = 0;
    pass(bench, 60000);
    assert_in_range(way.count, 5, 7); // two members, every 20 s
}

static void a_lost_station_is_reserved_for(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    status(bench, 0, "Charging");
    pass(bench, 10000);
    way.broken[0] = true;
    pw_central_limit_look(bench->central, PW_STR("S1"));
    status(bench, 1, "Charging");
    pass(bench, 10000);
    assert_int_equal(way.order[1].ma, 0);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"reason\":\"LEASED\"");
    pass(bench, 120000);
    assert_int_equal(way.order[1].ma, 26000);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"reason\":\"FAILSAFE\"");
    assert_has(bench->body, "\"offer_a\":[32,32,32]");
    way.broken[0] = false;
    pw_central_limit_look(bench->central, PW_STR("S1"));
    pass(bench, 10000);
    assert_int_equal(way.order[0].ma, 16000);
    assert_int_equal(way.order[1].ma, 16000);
}

// Reason: after a restart nobody knows of running leases but the database.
static void a_restart_reckons_with_what_was_told(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    status(bench, 0, "Charging");
    pass(bench, 10000);
    assert_int_equal(way.order[0].ma, 32000);
    bench_restart(bench);
    way.broken[0] = true;
    way.order[1].ma = 0;
    pw_central_limit_by(bench->central, &limiter);
    way.ocpp[1] = bench_station(bench, "S2");
    status(bench, 1, "Charging");
    pass(bench, 20000);
    assert_int_equal(way.order[1].ma, 0);
    bench_login(bench);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"reason\":\"LEASED\"");
    pass(bench, 120000);
    assert_int_equal(way.order[1].ma, 26000);
}

// Reason: what cannot be kept must not be told.
static void nothing_is_raised_while_the_store_refuses(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    pass(bench, 10000);
    bench->fail_commits = 1000;
    bench_text(bench, way.ocpp[0],
               "[2,\"x\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\","
               "\"status\":\"Charging\"}]");
    pass(bench, 5000);
    assert_int_equal(way.order[0].ma, 0);
    bench->fail_commits = 0;
    pass(bench, 6000);
    assert_int_equal(way.order[0].ma, 32000);
}

static void a_refused_limit_is_told_and_counts_as_the_fail_safe(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    pass(bench, 10000);
    status(bench, 0, "Charging");
    bench_pass(bench, 300);
    assert_int_equal(way.order[0].ma, 32000);
    pw_central_limit_answered(bench->central, way.order[0].ticket, false, PW_STR("not now"),
                              bench->at);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "the station refused the limit: not now");
    pw_central_limit_answered(bench->central, way.order[0].ticket, true, PW_STR(""), bench->at);
    pw_central_limit_answered(bench->central, 123456, true, PW_STR(""), bench->at);
}

static void what_a_vehicle_leaves_goes_to_the_other(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    status(bench, 0, "Charging");
    status(bench, 1, "Charging");
    for (unsigned i = 0; i < 12; i++) {
        draws(bench, 0, "9.6");
        draws(bench, 1, "20.8");
        pass(bench, 10000);
    }
    assert_int_equal(way.order[0].ma, 11000);
    assert_int_equal(way.order[1].ma, 21000);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"used_a\":[30.4,30.4,30.4]");
}

static void phases(struct bench *bench, size_t n, int32_t l1, int32_t l2, int32_t l3)
{
    char id[] = {'S', (char)('1' + n), '\0'};
    struct connector *connector = station_find(bench->central, pw_str_of(id))->connector[1];
    static struct outlet outlets[STATIONS];
    outlets[n] = (struct outlet){.kind = OUTLET_AC, .ma = {l1, l2, l3}};
    connector->outlet = &outlets[n];
}

// Reason: a single-phase vehicle at a three-phase station leaves two phases to the others.
static void a_single_phase_vehicle_costs_one_phase_once_it_is_sure(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    status(bench, 0, "Charging");
    draws(bench, 0, "16");
    phases(bench, 0, 16000, 200, 0);
    status(bench, 1, "Charging");
    pass(bench, 10000);
    assert_int_equal(way.order[1].ma, 16000);
    pass(bench, 30000);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"offer_a\":[32,16,16]");
    phases(bench, 0, 16000, 16000, 0);
    pass(bench, 6000);
    assert_int_equal(get(bench, "/api/v1/groups/garage"), 200);
    assert_has(bench->body, "\"offer_a\":[32,32,32]");
    for (size_t n = 0; n < STATIONS; n++) { // it belongs to this test
        char id[] = {'S', (char)('1' + n), '\0'};
        struct connector *c = station_find(bench->central, pw_str_of(id))->connector[1];
        if (c != NULL) {
            c->outlet = NULL;
        }
    }
}

static void who_leaves_a_group_is_limited_no_more(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    pass(bench, 10000);
    assert_int_equal(put(bench, "{\"circuits\":[" CIRCUIT "],\"members\":[{\"station_id\":\"S1\","
                                "\"max_a\":32,\"circuit\":\"main\"}]}"),
                     200);
    assert_int_equal(way.order[1].ma, PW_CENTRAL_LIMIT_MAX_MA);
    assert_int_equal(way.order[1].fallback_ma, PW_CENTRAL_LIMIT_MAX_MA);
    pass(bench, 1000);
    assert_int_equal(way.order[0].fallback_ma, 0); // told at once
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/groups/garage", ""), 204);
    assert_int_equal(way.order[0].ma, PW_CENTRAL_LIMIT_MAX_MA);
}

static void the_history_holds_limit_offer_and_use(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(put(bench, two), 201);
    pass(bench, 30000);
    status(bench, 0, "Charging");
    for (unsigned i = 0; i < 6; i++) {
        draws(bench, 0, "31.5");
        pass(bench, 10000);
    }
    assert_int_equal(get(bench, "/api/v1/groups/garage/history"), 200);
    assert_has(bench->body, "{\"t\":[");
    assert_has(bench->body, "\"limit_a\":[[32,32,");
    assert_has(bench->body, "\"offer_a\":[[");
    assert_has(bench->body, "31.5");
    assert_has(bench->body, "\"members\":[{\"station_id\":\"S1\",\"connector_id\":1,\"t\":[");
    assert_int_equal(get(bench, "/api/v1/groups/garage/history?from=yesterday"), 400);
    assert_int_equal(get(bench, "/api/v1/groups/none/history"), 404);
    int64_t rows = bench_count(bench, "SELECT COUNT(*) FROM load_member_history");
    assert_in_range(rows, 3, 8); // changes only
    bench->at.wall += 31 * INT64_C(86400000);
    bench_pass(bench, 20000);
    assert_in_range(bench_count(bench, "SELECT COUNT(*) FROM load_history"), 1, 4);
}

static void a_change_is_told_to_streams(void **state)
{
    struct bench *bench = *state;
    char text[8192];
    assert_int_equal(get(bench, "/api/v1/events"), 200);
    uint64_t stream = bench->links;
    assert_int_equal(put(bench, two), 201);
    pass(bench, 2000);
    int len = pw_central_stream_take(bench->central, stream, text, sizeof(text) - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_has(text, "event: group\ndata: {\"id\":\"garage\",\"name\":\"Garage\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_group_is_put_listed_changed_and_deleted),
        TEST(each_mistake_is_named_and_changes_nothing),
        TEST(limits_follow_the_vehicles),
        TEST(orders_are_renewed_and_not_repeated_otherwise),
        TEST(a_lost_station_is_reserved_for),
        TEST(a_restart_reckons_with_what_was_told),
        TEST(nothing_is_raised_while_the_store_refuses),
        TEST(a_refused_limit_is_told_and_counts_as_the_fail_safe),
        TEST(what_a_vehicle_leaves_goes_to_the_other),
        TEST(a_single_phase_vehicle_costs_one_phase_once_it_is_sure),
        TEST(who_leaves_a_group_is_limited_no_more),
        TEST(the_history_holds_limit_offer_and_use),
        TEST(a_change_is_told_to_streams),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
