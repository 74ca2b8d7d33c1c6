// openevse_api: every request of the interface, who may make it, and what it comes to at the
// station. A whole station on a simulated store, virtual time, no socket; test/peers/openevse has
// the vehicle.
#include "openevse_api/openevse_api.h"
#include "simstore.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD "correct horse"
#define RIGHT    "Basic b3BlbmV2c2U6Y29ycmVjdCBob3JzZQ==" // openevse:correct horse
#define WRONG    "Basic b3BlbmV2c2U6d3JvbmcgaG9yc2U="     // openevse:wrong horse
#define OTHER    "Basic bWFsbG9yeTpjb3JyZWN0IGhvcnNl"     // mallory:correct horse
#define WALL     INT64_C(1735731000000)                   // Wed 2025-01-01 11:30:00 UTC

static struct pw_settings settings;
static struct pw_sim_store disk;
static struct pw_station station;
static struct pw_openevse_api api;
static struct pw_http_reply reply;
static pw_ms now;
static unsigned woken;
static bool vehicle; // plugged in, and ready to charge
static struct pw_board_drive drive;

static void wake(void *context, uint64_t stream)
{
    (void)context, (void)stream;
    woken++;
}

static void nothing(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context, (void)level, (void)room, (void)text;
}

static void set(struct pw_settings *in, const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(in, at, pw_str_of(value), by, &why), PW_OK);
}

static void open_api(const char *password)
{
    static const struct pw_log quiet = {.write = nothing};
    static const struct pw_openevse_api_port port = {.stream_ready = wake};
    now = 1000;
    woken = 0;
    vehicle = false;
    drive = (struct pw_board_drive){.cp = PW_BOARD_CP_FAULT};
    pw_settings_init(&settings);
    set(&settings, "station.id", "YARD-07", PW_BY_FILE);
    set(&settings, "connectors[0].kind", "pilot", PW_BY_FILE);
    set(&settings, "connectors[0].board", "board.yaml", PW_BY_FILE);
    set(&settings, "connectors[1].kind", "openevse", PW_BY_FILE);
    set(&settings, "connectors[1].rapi_cable", "tcp:127.0.0.1:1", PW_BY_FILE);
    if (password[0] != '\0') {
        set(&settings, "openevse_api.password", password, PW_BY_SECRETS);
    }
    pw_sim_store_init(&disk);
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &quiet,
                                           .firmware = "1.2.3",
                                           .seed = 7,
                                           .now = now,
                                           .wall = WALL};
    assert_int_equal(pw_station_init(&station, &start), PW_OK);
    static const struct pw_outlet_board board = {.traits = {.step_ppm = 1000}};
    char text[160];
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_station_board(&station, 1, &board, &why), PW_OK);
    const struct pw_openevse_api_config config = {
        .station = &station, .port = &port, .host = PW_STR("wallbox.lan")};
    pw_openevse_api_init(&api, &config, now);
    (void)pw_openevse_api_step(&api, now);
}

static void close_api(void)
{
    pw_sim_store_free(&disk);
}

static void sense(void)
{
    int32_t pilot_mv = !vehicle ? 12000 : drive.cp == PW_BOARD_CP_PWM ? 6000 : 9000;
    struct pw_board_senses senses = {
        .at = now,
        .cp_high_mv = drive.cp == PW_BOARD_CP_FAULT ? -12000 : pilot_mv,
        .cp_low_mv = drive.cp == PW_BOARD_CP_PWM ? -12000 : PW_BOARD_UNKNOWN,
        .pp_ohm = vehicle ? 220 : PW_BOARD_OPEN_OHM,
        .contact = drive.contactor ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN,
        .lock = drive.lock ? PW_BOARD_LOCK_CLOSED : PW_BOARD_LOCK_OPEN,
        .rcd = drive.rcd_test ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK,
        .earth = PW_BOARD_EARTH_OK,
        .temp_dc = {250, 260},
        .mains = {.at = now, .mhz = 50000, .import_mwh = -1},
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        senses.load_mv[i] = drive.contactor ? 230000 : 0;
        senses.mains.mv[i] = 230000 + (int32_t)(now % 7);
        senses.mains.ma[i] = drive.contactor ? 6000 : 0;
        senses.mains.mw[i] = senses.mains.ma[i] * 230;
    }
    pw_station_senses(&station, 1, &senses, now);
}

static void run(pw_ms span)
{
    for (pw_ms until = now + span; now < until;) {
        unsigned connector = 0;
        now += 50;
        sense();
        (void)pw_station_step(&station, now);
        (void)pw_station_take_drive(&station, &connector, &drive);
        (void)pw_openevse_api_step(&api, now);
    }
}

static int ask_as(const char *address, const char *authorization, enum pw_http_method method,
                  const char *path, const char *query, const char *body)
{
    const struct pw_http_request request = {.method = method,
                                            .path = pw_str_of(path),
                                            .query = pw_str_of(query),
                                            .body = pw_str_of(body),
                                            .host = PW_STR("192.168.1.9:8000"),
                                            .authorization = pw_str_of(authorization),
                                            .address = pw_str_of(address),
                                            .stream = 42};
    pw_openevse_api_serve(&api, &request, &reply, now, WALL + (pw_unix_ms)now - 1000);
    return reply.status;
}

static int ask(enum pw_http_method method, const char *path, const char *body)
{
    return ask_as("127.0.0.1", "", method, path, "", body);
}

static bool says(const char *what)
{
    return memmem(reply.body.at, reply.body.len, what, strlen(what)) != NULL;
}

static void expect(enum pw_http_method method, const char *path, const char *body, int status,
                   const char *what)
{
    int got = ask(method, path, body);
    if (got != status || !says(what)) {
        fail_msg("%s %s: %d %.*s, not %d with %s", path, body, got, (int)reply.body.len,
                 reply.body.at, status, what);
    }
}

// ---- Every request.

static const struct {
    enum pw_http_method method;
    const char *path;
    const char *body;
    int status; // for who may
    bool changes;
} requests[] = {
    {PW_HTTP_GET, "/status", "", 200, false},
    {PW_HTTP_POST, "/status", "{\"voltage\":230}", 400, true},
    {PW_HTTP_GET, "/config", "", 200, false},
    {PW_HTTP_POST, "/config", "{\"max_current_soft\":10}", 200, true},
    {PW_HTTP_GET, "/override", "", 404, false},
    {PW_HTTP_POST, "/override", "{\"state\":\"disabled\"}", 201, true},
    {PW_HTTP_PATCH, "/override", "", 200, true},
    {PW_HTTP_DELETE, "/override", "", 200, true},
    {PW_HTTP_GET, "/claims", "", 200, false},
    {PW_HTTP_GET, "/claims/target", "", 200, false},
    {PW_HTTP_POST, "/claims/20", "{\"max_current\":8}", 200, true},
    {PW_HTTP_GET, "/claims/20", "", 200, false},
    {PW_HTTP_DELETE, "/claims/20", "", 200, true},
    {PW_HTTP_POST, "/limit", "{\"type\":\"energy\",\"value\":5000}", 201, true},
    {PW_HTTP_GET, "/limit", "", 200, false},
    {PW_HTTP_DELETE, "/limit", "", 200, true},
    {PW_HTTP_GET, "/schedule", "", 200, false},
    {PW_HTTP_POST, "/schedule", "", 200, true},
    {PW_HTTP_POST, "/schedule/1", "{\"state\":\"active\",\"time\":\"22:00\",\"days\":[\"monday\"]}",
     200, true},
    {PW_HTTP_GET, "/schedule/1", "", 200, false},
    {PW_HTTP_GET, "/schedule/plan", "", 200, false},
    {PW_HTTP_DELETE, "/schedule/1", "", 200, true},
    {PW_HTTP_GET, "/time", "", 200, false},
    {PW_HTTP_POST, "/divertmode", "divertmode=2", 200, true},
    {PW_HTTP_POST, "/shaper", "shaper=1", 200, true},
    {PW_HTTP_POST, "/restart", "{\"device\":\"gateway\"}", 200, true},
};

// Reason: one row that forgets to ask is a way in.
static void with_a_password_nothing_goes_without_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(requests); i++) {
        open_api(PASSWORD);
        static const char *const refused[] = {"", WRONG, OTHER, "Bearer x", "Basic !"};
        for (size_t r = 0; r < PW_COUNT(refused); r++) {
            assert_int_equal(ask_as("127.0.0.1", refused[r], requests[i].method, requests[i].path,
                                    "", requests[i].body),
                             401);
            assert_true(reply.challenge);
        }
        close_api();
    }
    open_api(PASSWORD);
    for (size_t i = 0; i < PW_COUNT(requests); i++) {
        int status =
            ask_as("10.0.0.9", RIGHT, requests[i].method, requests[i].path, "", requests[i].body);
        if (status != requests[i].status) {
            fail_msg("%s: %d, not %d", requests[i].path, status, requests[i].status);
        }
    }
    close_api();
}

static void without_one_only_this_machine_changes_anything(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(requests); i++) {
        open_api("");
        int status =
            ask_as("10.0.0.9", "", requests[i].method, requests[i].path, "", requests[i].body);
        assert_int_equal(status == 403, requests[i].changes);
        assert_true(!requests[i].changes || says("openevse_api.password"));
        close_api();
    }
    open_api("");
    for (size_t i = 0; i < PW_COUNT(requests); i++) {
        const char *from = i % 2 > 0 ? "127.0.0.1" : "::1";
        int status = ask_as(from, "", requests[i].method, requests[i].path, "", requests[i].body);
        if (status != requests[i].status) {
            fail_msg("%s: %d, not %d", requests[i].path, status, requests[i].status);
        }
    }
    close_api();
}

static void another_method_is_told_which_ones_there_are(void **state)
{
    (void)state;
    open_api("");
    assert_int_equal(ask(PW_HTTP_DELETE, "/status", ""), 405);
    assert_string_equal(reply.allow, "GET, POST");
    assert_int_equal(ask(PW_HTTP_PUT, "/override", ""), 405);
    assert_string_equal(reply.allow, "GET, POST, DELETE, PATCH");
    assert_int_equal(ask(PW_HTTP_GET, "/restart", ""), 405);
    assert_int_equal(ask(PW_HTTP_GET, "/update", ""), 404);
    close_api();
}

static void who_guesses_has_to_wait(void **state)
{
    (void)state;
    open_api(PASSWORD);
    unsigned wrong = 0;
    while (ask_as("10.0.0.9", WRONG, PW_HTTP_GET, "/status", "", "") == 401) {
        assert_true(++wrong < 10);
    }
    assert_int_equal(reply.status, 429);
    assert_true(reply.retry_after_s > 0);
    assert_int_equal(ask_as("10.0.0.9", RIGHT, PW_HTTP_GET, "/status", "", ""), 429);
    assert_int_equal(ask_as("10.0.0.8", RIGHT, PW_HTTP_GET, "/status", "", ""), 200);
    now += 60000;
    assert_int_equal(ask_as("10.0.0.9", RIGHT, PW_HTTP_GET, "/status", "", ""), 200);
    close_api();
}

// Reason: a page of another site can make its own name, or this address, point here.
static void foreign_hosts_and_origins_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *origin;
        int status;
    } rows[] = {
        {"192.168.1.9:8000", "", 200},
        {"wallbox.lan", "http://wallbox.lan", 200},
        {"evil.example", "", 403},
        {"192.168.1.9:8000", "http://evil.example", 403},
    };
    open_api("");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const struct pw_http_request request = {.method = PW_HTTP_GET,
                                                .path = PW_STR("/status"),
                                                .host = pw_str_of(rows[i].host),
                                                .origin = pw_str_of(rows[i].origin),
                                                .address = PW_STR("127.0.0.1")};
        pw_openevse_api_serve(&api, &request, &reply, now, WALL);
        assert_int_equal(reply.status, rows[i].status);
        pw_openevse_api_socket(&api, &request, &reply, now, WALL);
        assert_int_equal(reply.status, rows[i].status == 200 ? 404 : 403); // /status is no socket
    }
    close_api();
}

// ---- Claims.

static int32_t claimed(unsigned index)
{
    const struct pw_limit *row =
        &pw_connector_limits(&station.connector[index])->row[PW_LIMIT_CLAIM];
    return row->set ? row->ma : -1;
}

// Reason: a cap must hold whatever the rank of who asked (WARP's rule), a state goes by rank.
static void of_currents_the_least_counts_and_of_states_the_highest(void **state)
{
    (void)state;
    open_api("");
    expect(PW_HTTP_POST, "/override", "{\"charge_current\":20,\"max_current\":16}", 201, "Created");
    assert_int_equal(claimed(0), 16000);
    expect(PW_HTTP_POST, "/claims/20", "{\"max_current\":8,\"state\":\"disabled\"}", 200, "done");
    assert_int_equal(claimed(0), 0);
    expect(PW_HTTP_POST, "/override", "{\"state\":\"active\",\"charge_current\":20}", 201, "");
    assert_int_equal(claimed(0), 8000);
    expect(PW_HTTP_GET, "/claims/target", "", 200,
           "\"claims\":{\"state\":65537,\"charge_current\":65537,\"max_current\":20}");
    expect(PW_HTTP_DELETE, "/override", "", 200, "Deleted");
    assert_int_equal(claimed(0), 0); // the other's state counts again
    expect(PW_HTTP_POST, "/claims/20", "{\"max_current\":2}", 200, "done");
    assert_int_equal(claimed(0), 6000); // the least; a pause is said otherwise
    expect(PW_HTTP_DELETE, "/claims/20", "", 200, "done");
    assert_int_equal(claimed(0), -1);
    expect(PW_HTTP_DELETE, "/claims/20", "", 404, "Not found");
    assert_int_equal(
        ask_as("127.0.0.1", "", PW_HTTP_POST, "/override", "connector=2", "{\"max_current\":7}"),
        201);
    assert_int_equal(claimed(0), -1);
    assert_int_equal(claimed(1), 7000);
    assert_int_equal(ask_as("127.0.0.1", "", PW_HTTP_GET, "/status", "connector=3", ""), 404);
    close_api();
}

// Reason: while nobody may adjust from outside the station drops the row; evcc, which says a thing
// once, must not find its 8 A forgotten when it may again.
static void a_claim_counts_again_when_its_owner_lets_it(void **state)
{
    (void)state;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    open_api("");
    expect(PW_HTTP_POST, "/claims/20", "{\"max_current\":8}", 200, "done");
    assert_int_equal(
        pw_station_command(&station, PW_STR("set charging.remote_adjust 0"), &why, now), PW_OK);
    run(1000);
    assert_int_equal(claimed(0), -1);
    expect(PW_HTTP_POST, "/claims/21", "{\"max_current\":7}", 409, "remote_adjust");
    assert_int_equal(
        pw_station_command(&station, PW_STR("set charging.remote_adjust 1"), &why, now), PW_OK);
    run(1000);
    assert_int_equal(claimed(0), 8000);
    assert_int_equal(
        pw_station_command(&station, PW_STR("set charging.current_min_ma 9000"), &why, now), PW_OK);
    run(1000);
    assert_int_equal(claimed(0), 9000); // below the least is the least
    close_api();
}

// Reason: a house that is switched on while its meter is silent has nothing that wakes it; the
// charge went on at full current behind a breaker that nobody watched.
static void load_management_without_a_meter_holds_at_once(void **state)
{
    (void)state;
    const struct pw_limit *row;
    open_api("");
    run(1000);
    row = &pw_connector_limits(&station.connector[0])->row[PW_LIMIT_HOUSE];
    assert_false(row->set);
    expect(PW_HTTP_POST, "/shaper", "shaper=1", 200, "changed");
    run(100);
    assert_true(row->set);
    assert_int_equal(row->ma, 6000); // house.failsafe_ma
    expect(PW_HTTP_POST, "/shaper", "shaper=0", 200, "changed");
    run(100);
    assert_false(row->set);
    close_api();
}

// Reason: neither may take away what the other has set: evcc lets go of a car whose owner is in a
// hurry.
static void a_released_claim_leaves_a_persons_charge_now(void **state)
{
    (void)state;
    for (unsigned person = 0; person < 2; person++) {
        char text[PW_SETTING_WHY_MAX] = "";
        struct pw_out why = PW_OUT(text);
        struct pw_rules_view rules;
        open_api("");
        assert_int_equal(
            pw_station_command(&station, PW_STR("set schedule.delay_timer 01:00-02:00"), &why, now),
            PW_OK);
        vehicle = true;
        run(5000);
        if (person == 1) {
            assert_int_equal(pw_station_command(&station, PW_STR("now 1"), &why, now), PW_OK);
        }
        expect(PW_HTTP_POST, "/override", "{\"state\":\"active\"}", 201, "");
        run(1000);
        pw_rules_view(&station.rules, 0, &rules, now);
        assert_true(rules.now);
        expect(PW_HTTP_DELETE, "/override", "", 200, "");
        pw_rules_view(&station.rules, 0, &rules, now);
        assert_int_equal(rules.now, person == 1);
        close_api();
    }
}

static void a_claim_that_makes_no_sense_changes_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{",
        "{\"state\":\"on\"}",
        "{\"state\":1}",
        "{\"max_current\":-1}",
        "{\"max_current\":501}",
        "{\"max_current\":\"16\"}",
        "{\"charge_current\":7.5}",
        "{\"auto_release\":1}",
    };
    open_api("");
    for (size_t i = 0; i < PW_COUNT(bodies); i++) {
        expect(PW_HTTP_POST, "/override", bodies[i], 400, "\"msg\"");
        expect(PW_HTTP_GET, "/override", "", 404, "{}");
    }
    expect(PW_HTTP_POST, "/claims/x", "{}", 404, "client");
    expect(PW_HTTP_POST, "/claims/0", "{}", 404, "client");
    for (unsigned client = 1; client <= PW_OPENEVSE_API_CLAIMS_MAX; client++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/claims/%u", client);
        expect(PW_HTTP_POST, path, "{}", 200, "done");
    }
    expect(PW_HTTP_POST, "/override", "{}", 503, "8 programs");
    close_api();
}

static void an_override_toggles_between_what_is_and_the_opposite(void **state)
{
    (void)state;
    open_api("");
    expect(PW_HTTP_GET, "/status", "", 200, "\"status\":\"disabled\""); // somebody must start it
    expect(PW_HTTP_PATCH, "/override", "", 200, "Updated");
    expect(PW_HTTP_GET, "/override", "", 200, "{\"state\":\"active\",\"auto_release\":true}");
    expect(PW_HTTP_GET, "/status", "", 200, "\"status\":\"active\"");
    expect(PW_HTTP_PATCH, "/override", "", 200, "Updated");
    expect(PW_HTTP_GET, "/override", "", 404, "{}");
    set(&station.settings, "charging.plug_and_charge", "true", PW_BY_PERSON);
    run(1000);
    expect(PW_HTTP_GET, "/status", "", 200, "\"status\":\"active\"");
    expect(PW_HTTP_PATCH, "/override", "", 200, "Updated");
    expect(PW_HTTP_GET, "/override", "", 200, "\"state\":\"disabled\"");
    assert_int_equal(claimed(0), 0);
    close_api();
}

// Reason: who claims `active` stands in for the person at the station; what was asked for one
// vehicle must not hold for the next.
static void a_vehicle_is_started_paused_and_forgotten(void **state)
{
    (void)state;
    open_api("");
    run(1000);
    expect(PW_HTTP_GET, "/status", "", 200, "\"state\":1,");
    vehicle = true;
    run(5000);
    expect(PW_HTTP_GET, "/status", "", 200, "\"state\":2,\"status\":\"disabled\",\"vehicle\":1");
    expect(PW_HTTP_POST, "/override", "{\"state\":\"active\",\"max_current\":10}", 201, "");
    run(10000);
    expect(PW_HTTP_GET, "/status", "", 200, "\"state\":3,\"status\":\"active\",\"vehicle\":1");
    expect(PW_HTTP_GET, "/status", "", 200, "\"amp\":6000");
    expect(PW_HTTP_POST, "/override", "{\"state\":\"disabled\"}", 201, "");
    run(10000);
    expect(PW_HTTP_GET, "/status", "", 200, "\"state\":254,\"status\":\"disabled\"");
    expect(PW_HTTP_POST, "/claims/20", "{\"max_current\":9,\"auto_release\":false}", 200, "");
    vehicle = false;
    run(5000);
    expect(PW_HTTP_GET, "/override", "", 404, "{}");
    expect(PW_HTTP_GET, "/claims/20", "", 200, "9"); // asked for to stay
    assert_int_equal(claimed(0), 9000);
    // A claim made before the vehicle comes starts it as it comes.
    expect(PW_HTTP_POST, "/override", "{\"state\":\"active\"}", 201, "");
    vehicle = true;
    run(15000);
    expect(PW_HTTP_GET, "/status", "", 200, "\"state\":3,\"status\":\"active\"");
    close_api();
}

// ---- Limits and schedule.

static void a_limit_is_one_of_three_for_one_charge_or_for_all(void **state)
{
    (void)state;
    open_api("");
    expect(PW_HTTP_GET, "/limit", "", 404, "no limit");
    expect(PW_HTTP_POST, "/limit", "{\"type\":\"time\",\"value\":90}", 201, "done");
    expect(PW_HTTP_GET, "/limit", "", 200,
           "{\"type\":\"time\",\"value\":90,\"auto_release\":true}");
    assert_int_equal(pw_rules_limit_of(&station.rules, 0, PW_RULES_TIME), 5400);
    expect(PW_HTTP_POST, "/limit", "{\"type\":\"soc\",\"value\":80,\"auto_release\":false}", 201,
           "done");
    expect(PW_HTTP_GET, "/limit", "", 200,
           "{\"type\":\"soc\",\"value\":80,\"auto_release\":false}");
    assert_int_equal(pw_settings_int(&station.settings, PW_SET_SOC_LIMIT_PERMILLE), 800);
    assert_int_equal(pw_rules_limit_of(&station.rules, 0, PW_RULES_TIME), 0);
    expect(PW_HTTP_GET, "/status", "", 200, "\"has_limit\":true");
    expect(PW_HTTP_DELETE, "/limit", "", 200, "Deleted");
    assert_int_equal(pw_rules_limit_of(&station.rules, 0, PW_RULES_SOC), 0);
    assert_int_equal(pw_settings_int(&station.settings, PW_SET_SOC_LIMIT_PERMILLE), 0);
    // What stands for all charges is left alone by a limit for one.
    set(&station.settings, "charging.energy_limit_wh", "20000", PW_BY_PERSON);
    expect(PW_HTTP_GET, "/limit", "", 200,
           "{\"type\":\"energy\",\"value\":20000,\"auto_release\":false}");
    expect(PW_HTTP_POST, "/limit", "{\"type\":\"energy\",\"value\":5000}", 201, "done");
    expect(PW_HTTP_GET, "/limit", "", 200, "\"value\":5000,\"auto_release\":true");
    assert_int_equal(pw_settings_int(&station.settings, PW_SET_ENERGY_LIMIT_WH), 20000);
    expect(PW_HTTP_DELETE, "/limit", "", 200, "Deleted");
    expect(PW_HTTP_POST, "/limit", "{\"type\":\"range\",\"value\":80}", 400, "type");
    expect(PW_HTTP_POST, "/limit", "{\"type\":\"soc\",\"value\":101}", 400, "1 to 100 percent");
    expect(PW_HTTP_POST, "/limit", "{\"type\":\"soc\"}", 400, "value");
    close_api();
}

static const char *plan(void)
{
    return pw_settings_text(&station.settings, PW_SET_WEEKLY_PLAN);
}

#define ALL_DAYS                                                                                   \
    "[\"monday\",\"tuesday\",\"wednesday\",\"thursday\",\"friday\",\"saturday\",\"sunday\"]"

// Reason: both sides show the same schedule in their own words; what has no words there is refused.
static void events_become_windows_and_windows_events(void **state)
{
    (void)state;
    open_api("");
    expect(PW_HTTP_POST, "/schedule",
           "[{\"id\":1,\"state\":\"active\",\"time\":\"22:00:00\",\"days\":" ALL_DAYS "},"
           "{\"id\":2,\"state\":\"disabled\",\"time\":\"06:30\",\"days\":" ALL_DAYS "}]",
           200, "done");
    assert_string_equal(plan(), "mon,tue,wed,thu,fri,sat,sun 22:00-06:30");
    expect(PW_HTTP_GET, "/schedule/2", "", 200,
           "{\"id\":2,\"state\":\"disabled\",\"time\":\"06:30:00\",\"days\":[\"monday\"");
    // A weekend that begins on Friday and ends on Monday is cut at midnight.
    expect(PW_HTTP_POST, "/schedule",
           "[{\"id\":1,\"state\":\"active\",\"time\":\"18:00\",\"days\":[\"friday\"]},"
           "{\"id\":2,\"state\":\"disabled\",\"time\":\"05:00\",\"days\":[\"monday\"]}]",
           200, "done");
    assert_string_equal(plan(), "fri 18:00-24:00; sat,sun 00:00-24:00; mon 00:00-05:00");
    expect(PW_HTTP_DELETE, "/schedule/2", "", 200, "done");
    assert_string_equal(plan(), ""); // active for ever
    expect(PW_HTTP_GET, "/schedule", "", 200, "\"id\":1");
    expect(PW_HTTP_DELETE, "/schedule/1", "", 200, "done");
    expect(PW_HTTP_GET, "/schedule", "", 200, "[]");
    set(&station.settings, "schedule.weekly", "sat 00:00-24:00", PW_BY_PERSON);
    expect(PW_HTTP_GET, "/schedule", "", 200,
           "[{\"id\":1,\"state\":\"active\",\"time\":\"00:00:00\",\"days\":[\"saturday\"]},"
           "{\"id\":2,\"state\":\"disabled\",\"time\":\"00:00:00\",\"days\":[\"sunday\"]}]");
    // Wednesday 11:30: the next event is Saturday's, in 60 h 30.
    expect(PW_HTTP_GET, "/schedule/plan", "", 200,
           "{\"current_day\":\"wednesday\",\"current_offset\":41400,\"next_event_delay\":217800,");
    close_api();
}

#define CONTRADICTION                                                                              \
    "[{\"state\":\"active\",\"time\":\"06:00\",\"days\":[\"monday\"]},"                            \
    "{\"state\":\"disabled\",\"time\":\"06:00\",\"days\":[\"monday\"]}]"

static void an_event_that_makes_no_sense_changes_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "{\"state\":\"disabled\",\"time\":\"06:00\",\"days\":[\"monday\"]}", // for ever
        "{\"state\":\"on\",\"time\":\"06:00\",\"days\":[\"monday\"]}",
        "{\"state\":\"active\",\"time\":\"24:00\",\"days\":[\"monday\"]}",
        "{\"state\":\"active\",\"time\":\"06:00:30\",\"days\":[\"monday\"]}",
        "{\"state\":\"active\",\"time\":\"06:00Z\",\"days\":[\"monday\"]}",
        "{\"state\":\"active\",\"time\":\"06:00\",\"days\":[]}",
        "{\"state\":\"active\",\"time\":\"06:00\",\"days\":[\"mon\"]}",
        "{\"id\":0,\"state\":\"active\",\"time\":\"06:00\",\"days\":[\"monday\"]}",
        (CONTRADICTION),
    };
    open_api("");
    for (size_t i = 0; i < PW_COUNT(bodies); i++) {
        expect(PW_HTTP_POST, "/schedule", bodies[i], 400, "\"msg\"");
        expect(PW_HTTP_GET, "/schedule", "", 200, "[]");
    }
    expect(PW_HTTP_POST, "/schedule/3",
           "{\"id\":4,\"state\":\"active\",\"time\":\"06:00\",\"days\":[\"monday\"]}", 400, "id");
    expect(PW_HTTP_GET, "/schedule/3", "", 404, "Not found");
    close_api();
}

// ---- Configuration.

static void the_configuration_shows_no_secret_and_takes_what_it_has(void **state)
{
    (void)state;
    open_api(PASSWORD);
    assert_int_equal(ask_as("10.0.0.9", RIGHT, PW_HTTP_GET, "/config", "", ""), 200);
    assert_false(says(PASSWORD));
    assert_true(says("\"wifi_serial\":\"YARD-07\"") && says("\"min_current_hard\":6"));
    close_api();
    open_api("");
    expect(PW_HTTP_POST, "/config", "{\"max_current_soft\":12,\"time_zone\":\"Home|CET-1\"}", 200,
           "\"msg\":\"done\"");
    assert_int_equal(pw_settings_connector(&station.settings, PW_SET_AC_MAX_MA, 0), 12000);
    expect(PW_HTTP_GET, "/time", "", 200, "\"local_time\":\"2025-01-01T12:30:00+0100\"");
    expect(PW_HTTP_POST, "/config", "{\"max_current_soft\":10,\"led_brightness\":5}", 400,
           "led_brightness");
    assert_int_equal(pw_settings_connector(&station.settings, PW_SET_AC_MAX_MA, 0), 12000);
    expect(PW_HTTP_POST, "/config", "{\"max_current_soft\":99}", 400, "max_current_hard");
    expect(PW_HTTP_POST, "/config", "{}", 200, "no change");
    expect(PW_HTTP_POST, "/restart", "{\"device\":\"evse\"}", 409, "clear");
    expect(PW_HTTP_POST, "/restart", "{}", 400, "device");
    close_api();
}

// ---- States.

// Reason: "ground_check": true was said of boards whose earth test somebody had switched off.
static void tests_that_a_board_has_switched_off_are_said_to_be(void **state)
{
    (void)state;
    open_api("");
    expect(PW_HTTP_GET, "/config", "", 200, "\"ground_check\":true"); // an outlet of ours
    station.connector[1].of.openevse.rapi.of.cable.view.flags = 0x0001 | PW_RAPI_F_NO_GROUND;
    assert_int_equal(ask_as("127.0.0.1", "", PW_HTTP_GET, "/config", "connector=2", ""), 200);
    assert_true(says("\"ground_check\":false") && says("\"diode_check\":true"));
    close_api();
}

static void each_state_has_its_number(void **state)
{
    (void)state;
    static const struct {
        struct pw_connector_view view;
        uint8_t number;
    } rows[] = {
        {{.pilot = "A1", .vendor_code = "", .status = PW_STATUS_AVAILABLE}, 1},
        {{.pilot = "B1", .vendor_code = "", .plugged = true, .status = PW_STATUS_PREPARING}, 2},
        {{.pilot = "C2",
          .vendor_code = "",
          .plugged = true,
          .live = true,
          .status = PW_STATUS_CHARGING},
         3},
        {{.pilot = "D2",
          .vendor_code = "",
          .plugged = true,
          .live = true,
          .status = PW_STATUS_CHARGING},
         3},
        {{.pilot = "D1", .vendor_code = "", .plugged = true, .status = PW_STATUS_SUSPENDED_EV}, 4},
        {{.pilot = "F", .vendor_code = "PW-DIODE", .plugged = true, .status = PW_STATUS_FAULTED},
         5},
        {{.pilot = "F", .vendor_code = "PW-RCD", .status = PW_STATUS_FAULTED}, 6},
        {{.pilot = "F", .vendor_code = "PW-OE-PE", .status = PW_STATUS_FAULTED}, 7},
        {{.pilot = "F", .vendor_code = "PW-WELD", .live = true, .status = PW_STATUS_FAULTED}, 8},
        {{.pilot = "", .vendor_code = "PW-BMS", .status = PW_STATUS_FAULTED}, 12},
        {{.pilot = "B1", .vendor_code = "", .plugged = true, .status = PW_STATUS_SUSPENDED_EVSE},
         254},
        {{.pilot = "F", .vendor_code = "", .status = PW_STATUS_UNAVAILABLE}, 255},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(pw_openevse_api_state(&rows[i].view), rows[i].number);
    }
}

// ---- Raw commands and WebSockets.

static void raw_commands_wait_for_the_board(void **state)
{
    (void)state;
    open_api("");
    assert_int_equal(ask_as("127.0.0.1", "", PW_HTTP_GET, "/r", "json=1&rapi=$G7", ""), 200);
    assert_true(says("{\"cmd\":\"$G7\",\"ret\":\"$NK\"")); // connector 1 has no such board
    assert_int_equal(ask_as("127.0.0.1", "", PW_HTTP_GET, "/r", "connector=2&rapi=$FS", ""), 405);
    assert_string_equal(reply.allow, "POST");
    assert_int_equal(ask_as("127.0.0.1", "", PW_HTTP_GET, "/r", "rapi=", ""), 400);
    // Connector 2 has one, which does not answer here.
    int status = ask_as("127.0.0.1", "", PW_HTTP_GET, "/r", "connector=2&rapi=$GS", "");
    pw_ms asked = now;
    while (reply.later) {
        run(100);
        status = ask_as("127.0.0.1", "", PW_HTTP_GET, "/r", "connector=2&rapi=$GS", "");
        assert_true(now - asked <= PW_OPENEVSE_API_ASK_MS + 100);
    }
    assert_true(status == 504 || says("$NK"));
    assert_int_equal(api.ask[0].stream, 0);
    close_api();
}

static struct pw_str take(void)
{
    static char text[8192];
    int len = pw_openevse_api_stream_take(&api, 7, text, sizeof(text));
    assert_true(len >= 0);
    return (struct pw_str){.at = text, .len = (size_t)len};
}

static void a_socket_is_told_all_then_what_changes(void **state)
{
    (void)state;
    const struct pw_http_request request = {.path = PW_STR("/ws"),
                                            .host = PW_STR("192.168.1.9:8000"),
                                            .address = PW_STR("10.0.0.9"),
                                            .stream = 7};
    open_api("");
    run(3000);
    pw_openevse_api_socket(&api, &request, &reply, now, WALL);
    assert_true(reply.stream);
    run(500);
    assert_true(woken > 0);
    struct pw_str first = take();
    assert_true(memmem(first.at, first.len, "\"state\":1", 9) != NULL);
    assert_true(memmem(first.at, first.len, "\"config_version\"", 16) != NULL);
    run(1000);
    assert_int_equal(take().len, 0);
    pw_openevse_api_message(&api, 7, PW_STR("{\"ping\":1}"), now);
    assert_true(pw_str_is(take(), "{\"pong\":1}"));
    pw_openevse_api_message(&api, 7, PW_STR("nonsense"), now);
    assert_int_equal(take().len, 0);
    expect(PW_HTTP_POST, "/override", "{\"max_current\":8}", 201, "Created");
    run(1000);
    struct pw_str news = take();
    assert_true(memmem(news.at, news.len, "\"manual_override\":1", 19) != NULL);
    assert_true(memmem(news.at, news.len, "\"override_version\":1", 20) != NULL);
    assert_null(memmem(news.at, news.len, "config_version", 14));
    pw_openevse_api_stream_closed(&api, 7);
    char text[64];
    assert_int_equal(pw_openevse_api_stream_take(&api, 7, text, sizeof(text)), PW_ERR_UNKNOWN);
    for (uint64_t i = 0; i <= PW_OPENEVSE_API_SOCKETS_MAX; i++) {
        pw_openevse_api_socket(&api, &request, &reply, now, WALL);
        assert_int_equal(reply.stream, i < PW_OPENEVSE_API_SOCKETS_MAX);
    }
    assert_int_equal(reply.status, 503);
    close_api();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_password_nothing_goes_without_it),
        cmocka_unit_test(without_one_only_this_machine_changes_anything),
        cmocka_unit_test(another_method_is_told_which_ones_there_are),
        cmocka_unit_test(who_guesses_has_to_wait),
        cmocka_unit_test(foreign_hosts_and_origins_are_refused),
        cmocka_unit_test(of_currents_the_least_counts_and_of_states_the_highest),
        cmocka_unit_test(a_claim_counts_again_when_its_owner_lets_it),
        cmocka_unit_test(a_released_claim_leaves_a_persons_charge_now),
        cmocka_unit_test(load_management_without_a_meter_holds_at_once),
        cmocka_unit_test(a_claim_that_makes_no_sense_changes_nothing),
        cmocka_unit_test(an_override_toggles_between_what_is_and_the_opposite),
        cmocka_unit_test(a_vehicle_is_started_paused_and_forgotten),
        cmocka_unit_test(a_limit_is_one_of_three_for_one_charge_or_for_all),
        cmocka_unit_test(events_become_windows_and_windows_events),
        cmocka_unit_test(an_event_that_makes_no_sense_changes_nothing),
        cmocka_unit_test(the_configuration_shows_no_secret_and_takes_what_it_has),
        cmocka_unit_test(tests_that_a_board_has_switched_off_are_said_to_be),
        cmocka_unit_test(each_state_has_its_number),
        cmocka_unit_test(raw_commands_wait_for_the_board),
        cmocka_unit_test(a_socket_is_told_all_then_what_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
