// page: who may see and change what at the station's own page, and that it does what the console
// does. A whole station on a simulated store, virtual time, no socket.
#include "oeboard/oeboard.h"
#include "page_desk.h"
#include "test.h"

#include <string.h>

static void open_with(const char *password, const char *second)
{
    const struct pw_station_start start = {.firmware = "1"};
    desk_begin(password);
    desk_set("connectors[1].kind", second, PW_BY_FILE);
    if (strcmp(second, "openevse") == 0) {
        desk_set("connectors[1].rapi_cable", "tcp:127.0.0.1:9", PW_BY_FILE);
    }
    desk_start(&start);
}

static void open_page(const char *password)
{
    open_with(password, "dc");
}

static int ask_from(const char *from, enum pw_http_method method, const char *path,
                    const char *body)
{
    const char *ours = desk.address;
    desk.address = from;
    int status = ask(method, path, body);
    desk.address = ours;
    return status;
}

// What a person may do who has logged in; each row is one change.
static const struct {
    enum pw_http_method method;
    const char *path;
    const char *body;
} changes[] = {
    {PW_HTTP_PUT, "/api/v1/settings/log.level", "{\"value\":\"debug\"}"},
    {PW_HTTP_POST, "/api/v1/connectors/1/start", "{}"},
    {PW_HTTP_POST, "/api/v1/connectors/1/stop", ""},
    {PW_HTTP_POST, "/api/v1/connectors/1/limit", "{\"limit_a\":10}"},
    {PW_HTTP_POST, "/api/v1/connectors/1/now", "{\"on\":true}"},
    {PW_HTTP_POST, "/api/v1/connectors/1/until", "{\"what\":\"energy\",\"value\":5000}"},
    {PW_HTTP_POST, "/api/v1/connectors/1/clear", ""},
    {PW_HTTP_POST, "/api/v1/connectors/1/enable", ""},
    {PW_HTTP_POST, "/api/v1/connectors/1/disable", ""},
};

// Reason: there is no default password; a station out of the box must not be operated by whoever
// finds its address, and has to say how that is changed.
static void without_a_password_the_page_only_shows(void **state)
{
    (void)state;
    open_page("");
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/status", ""), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_true(says("\"password_set\":false"));
    for (size_t i = 0; i < PW_COUNT(changes); i++) {
        assert_int_equal(ask(changes[i].method, changes[i].path, changes[i].body), 403);
        assert_true(says("page.password"));
    }
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"\"}"), 403);
    assert_true(says("page.password"));
    // The log may name cards: only this machine's own people read it.
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/log", ""), 403);
    assert_int_equal(ask_from("127.0.0.1", PW_HTTP_GET, "/api/v1/log", ""), 200);
    desk_close();
}

static void a_change_needs_login_token_and_our_own_origin(void **state)
{
    (void)state;
    open_page(PASSWORD);
    for (size_t i = 0; i < PW_COUNT(changes); i++) {
        assert_int_equal(ask(changes[i].method, changes[i].path, changes[i].body), 401);
    }
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    assert_int_equal(ask_from("127.0.0.1", PW_HTTP_GET, "/api/v1/log", ""), 401);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_non_null(strstr(desk.reply.cookie, "HttpOnly; SameSite=Strict"));
    for (size_t i = 0; i < PW_COUNT(changes); i++) {
        char kept[PW_PAGE_TOKEN_MAX];
        memcpy(kept, desk.csrf, sizeof(kept));
        desk.csrf[0] = desk.csrf[0] == '0' ? '1' : '0';
        assert_int_equal(ask(changes[i].method, changes[i].path, changes[i].body), 403);
        assert_true(says("X-CSRF"));
        memcpy(desk.csrf, kept, sizeof(kept));
        int status = ask(changes[i].method, changes[i].path, changes[i].body);
        assert_true(status == 200 || status == 404 || status == 409); // the console's own answer
    }
    struct pw_http_request foreign = {.method = PW_HTTP_POST,
                                      .path = PW_STR("/api/v1/connectors/1/stop"),
                                      .host = PW_STR("10.0.0.7:8080"),
                                      .origin = PW_STR("http://evil.example"),
                                      .cookie = pw_str_of(desk.cookie),
                                      .csrf = pw_str_of(desk.csrf)};
    pw_page_serve(&desk.page, &foreign, &desk.reply, desk.now, 0);
    assert_int_equal(desk.reply.status, 403);
    foreign.host = PW_STR("evil.example");
    pw_page_serve(&desk.page, &foreign, &desk.reply, desk.now, 0);
    assert_int_equal(desk.reply.status, 403);
    assert_true(says("page.url"));
    desk_close();
}

// Reason: what is not asked must not be told; a secret never comes back, by no way.
static void secrets_and_cards_stay_inside(void **state)
{
    (void)state;
    open_page(PASSWORD);
    char text[256];
    struct pw_out out = PW_OUT(text);
    assert_int_equal(pw_station_command(&desk.station, PW_STR("start 1 04A2B19C"), &out, desk.now),
                     PW_OK);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/status", ""), 200);
    assert_true(says("\"id_tag\":\"****B19C\""));
    assert_false(says("04A2"));
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/status", ""), 200);
    assert_true(says("\"id_tag\":\"04A2B19C\""));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 200);
    assert_true(says("\"path\":\"page.password\",\"value\":\"***\""));
    assert_false(says("a-very-secret-key"));
    assert_false(says(PASSWORD));
    assert_int_equal(
        ask(PW_HTTP_PUT, "/api/v1/settings/page.password", "{\"value\":\"another horse\"}"), 200);
    assert_false(says("another"));
    // The new password ends what the old one had opened.
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    desk_close();
}

// Reason: what was charged is of use to everybody who stands there; whose card it was is not.
static void ended_charges_are_listed_with_their_cards_masked(void **state)
{
    (void)state;
    static const unsigned soc = 1U << PW_SOC_PERMILLE;
    open_page(PASSWORD);
    struct pw_transaction charge = {.connector = 2, .id_tag = "04A2B19C"};
    charge.first = (struct pw_sample){.at = {.wall = 1700000000000}, .has = soc | 1U};
    charge.first.value[PW_SOC_PERMILLE] = 402;
    assert_true(pw_journal_begin(&desk.station.journal, &charge) > 0);
    struct pw_sample last = {.at = {.wall = 1700003600000}, .has = soc | 1U};
    last.value[PW_ENERGY_WH] = 7361;
    last.value[PW_SOC_PERMILLE] = 800;
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/charges", ""), 200);
    assert_true(says("{\"charges\":[]}"));
    assert_true(pw_journal_end(&desk.station.journal, 2, PW_REASON_LOCAL, PW_STR(""), &last) > 0);
    for (unsigned i = 0; i < 8; i++) {
        (void)desk.disk.port.durable(desk.disk.port.context);
    }
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/charges", ""), 200);
    assert_true(says("{\"number\":1,\"connector_id\":2,\"id_tag\":\"****B19C\","
                     "\"began\":\"2023-11-14T22:13:20.000Z\","
                     "\"ended\":\"2023-11-14T23:13:20.000Z\",\"duration_s\":3600,"
                     "\"energy_wh\":7361,\"soc_begin_percent\":40.2,"
                     "\"soc_end_percent\":80,\"reason\":\"Local\"}"));
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/charges", ""), 200);
    assert_true(says("04A2B19C"));
    desk_close();
}

// Reason: who stands there wants to know until when a connector is kept free, and nobody else's
// card; a card's group opens as much as the card. Cards that are known are never shown whole.
static void reservations_and_known_cards_are_told_without_telling_cards(void **state)
{
    (void)state;
    open_page(PASSWORD);
    struct pw_reservation wish = {.id = 7,
                                  .connector = 2,
                                  .id_tag = "04A2B19C",
                                  .parent = "FLEET-0042",
                                  .expires = 1700003600000};
    int64_t ticket = 0;
    desk.station.reservations.place[1] = PW_PLACE_FREE; // nothing answers on its bus here
    assert_int_equal(
        pw_reservations_take(&desk.station.reservations, &wish, 1700000000000, &ticket),
        PW_RESERVE_ACCEPTED);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/reservations", ""), 200);
    assert_true(says("{\"reservation_id\":7,\"connector_id\":2,\"id_tag\":\"****B19C\","
                     "\"parent\":\"******0042\",\"expires\":\"2023-11-14T23:13:20.000Z\"}"));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/status", ""), 200);
    assert_true(says("\"reserved_until\":null"));
    assert_true(says("\"reserved_until\":\"2023-11-14T23:13:20.000Z\""));
    assert_true(says("\"security_profile\":0"));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/cards", ""), 401);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/security", ""), 401);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/security/check", "{}"), 401);
    assert_int_equal(log_in(PASSWORD), 200);
    struct pw_tag tag = {.id_tag = "04A2B19C", .status = PW_TAG_ACCEPTED};
    pw_tags_learn(&desk.station.tags, &tag, 1700000000000);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/cards", ""), 200);
    assert_true(says("****B19C"));
    assert_false(says("04A2B19C"));
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/security/check", "{}"), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/security", ""), 200);
    assert_true(says("\"chain\":"));
    desk_close();
}

// Reason: whether the breaker held yesterday's evening is seen in the curve of its phases, and
// nowhere else; a house that gives back must not look as if it drew.
static void the_house_is_shown_with_its_phases_and_its_last_hour(void **state)
{
    (void)state;
    open_page("");
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/status", ""), 200);
    assert_true(says("\"house\":null"));
    struct pw_house_view view = {.meter = true, .phases = 3, .breaker_ma = 25000, .on = true};
    for (unsigned i = 0; i < PW_HISTORY_POINTS + 10; i++) {
        view.grid_ma[0] = (int32_t)i * 10;
        view.grid_ma[1] = -3200;
        view.grid_ma[2] = PW_BOARD_UNKNOWN;
        view.charger_ma[1] = 6000;
        view.target_ma[0] = 23750;
        view.target_ma[1] = 23000;
        view.target_ma[2] = PW_BOARD_UNKNOWN;
        view.offered_ma = 6000;
        desk.now += PW_HISTORY_EVERY_MS;
        pw_house_history_add(&desk.page.house, &view, desk.now);
    }
    assert_int_equal(desk.page.house.count, PW_HISTORY_POINTS);
    assert_int_equal(pw_house_history_at(&desk.page.house, 0)->grid_ma[0], 100);
    assert_int_equal(pw_house_history_at(&desk.page.house, 719)->grid_ma[0], 7290);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/house/history", ""), 200);
    assert_true(says("7.28,7.29],\"grid2_a\":[-3.2,-3.2"));
    assert_true(says("\"grid3_a\":[null,"));
    assert_true(says("\"charger_a\":[6,6"));
    assert_true(says("\"target_a\":[23,23"));
    assert_true(says("\"breaker_a\":[25,25"));
    view.meter = false; // without a meter there is nothing to draw
    pw_house_history_add(&desk.page.house, &view, desk.now);
    assert_int_equal(pw_house_history_at(&desk.page.house, 0)->grid_ma[0], 100);
    desk_close();
}

static struct pw_oeboard board;

// Board and station talk for so long; nothing is plugged in.
static void turn_board(pw_ms ms)
{
    const struct pw_oeboard_senses senses = {0};
    for (pw_ms until = desk.now + ms; desk.now < until; desk.now += 10) {
        uint8_t bytes[64];
        size_t len = 0;
        (void)pw_oeboard_step(&board, &senses, desk.now);
        while ((len = pw_oeboard_take(&board, bytes, sizeof(bytes), desk.now)) > 0) {
            (void)pw_station_wire_bytes(&desk.station, 2, bytes, len, desk.now);
        }
        (void)pw_station_step(&desk.station, desk.now);
        struct pw_str out = pw_station_wire_out(&desk.station, 2);
        pw_oeboard_hear(&board, (const uint8_t *)out.at, out.len, desk.now);
        pw_station_wire_out_sent(&desk.station, 2, out.len, desk.now);
    }
}

// Reason: a board answers when its line is free; a request that waited for it must not hold up the
// station, nor end without a word.
static void a_command_for_a_board_waits_for_its_answer(void **state)
{
    (void)state;
    static const char path[] = "/api/v1/connectors/2/rapi";
    open_with(PASSWORD, "openevse");
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/1/rapi", "{\"line\":\"GS\"}"), 409);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/3/rapi", "{\"line\":\"GS\"}"), 404);
    assert_int_equal(ask(PW_HTTP_POST, path, "{\"line\":\"\"}"), 422);
    assert_int_not_equal(ask(PW_HTTP_POST, path, "{\"line\":\"FF G 0\"}"), 200);
    assert_false(desk.reply.later);
    (void)ask(PW_HTTP_POST, path, "{\"line\":\"GS\"}");
    assert_int_equal(desk.reply.status, 409); // the wire is not there
    pw_station_wire_up(&desk.station, 2, desk.now);
    pw_oeboard_init(&board, NULL, 1, desk.now);
    pw_oeboard_power(&board, true, desk.now);
    turn_board(10000);
    assert_int_equal(ask(PW_HTTP_POST, path, "{\"line\":\"GV\"}"), 0);
    assert_true(desk.reply.later);
    desk.woken = 0;
    (void)pw_page_step(&desk.page, desk.now);
    assert_int_equal(desk.woken, 42);
    turn_board(2000);
    assert_int_equal(ask(PW_HTTP_POST, path, "{\"line\":\"GV\"}"), 200);
    assert_true(says("{\"answer\":\"$OK 8.2.3 5.2.1\"}"));
    // A board that says nothing more: it is answered in words all the same.
    board.mute = true;
    assert_int_equal(ask(PW_HTTP_POST, path, "{\"line\":\"GV\"}"), 0);
    turn_board(60000);
    assert_int_equal(ask(PW_HTTP_POST, path, "{\"line\":\"GV\"}"), 200);
    assert_true(says("{\"answer\":\"the board did not answer\"}"));
    board.mute = false;
    turn_board(30000);
    // One whose peer has gone is forgotten, and its place is free again.
    for (unsigned i = 0; i < 2 * PW_PAGE_ASKED_MAX; i++) {
        (void)ask(PW_HTTP_POST, path, "{\"line\":\"GS\"}");
        pw_page_stream_closed(&desk.page, 42);
        assert_int_equal(desk.page.asked[0].connector, 0);
    }
    desk_close();
}

static void who_guesses_has_to_wait(void **state)
{
    (void)state;
    open_page(PASSWORD);
    unsigned wrong = 0;
    while (ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"wrong\"}") == 401) {
        wrong++;
        assert_true(wrong < 10);
    }
    assert_int_equal(wrong, 5);
    assert_int_equal(desk.reply.status, 429);
    assert_int_equal(desk.reply.retry_after_s, 6);
    // The right one is not tried either: else guessing would only be slower to tell.
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"" PASSWORD "\"}"), 429);
    // Somebody else is not locked out.
    assert_int_equal(
        ask_from("10.0.0.10", PW_HTTP_POST, "/api/v1/login", "{\"password\":\"" PASSWORD "\"}"),
        200);
    desk.now += 6001;
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/login", "{\"password\":\"" PASSWORD "\"}"), 200);
    desk_close();
}

// Reason: an address is cheap; many of them together must not guess faster.
static void many_addresses_do_not_guess_faster(void **state)
{
    (void)state;
    open_page(PASSWORD);
    unsigned wrong = 0;
    for (unsigned i = 0; i < 1000; i++) {
        char address[24];
        struct pw_out out = PW_OUT(address);
        pw_put_s(&out, "10.1.");
        pw_put_uint(&out, i / 250);
        pw_put_c(&out, '.');
        pw_put_uint(&out, i % 250);
        wrong += ask_from(address, PW_HTTP_POST, "/api/v1/login", "{\"password\":\"wrong\"}") == 401
                     ? 1U
                     : 0U;
    }
    assert_int_equal(wrong, 60);
    desk_close();
}

static void a_login_ends_unused_and_at_the_door(void **state)
{
    (void)state;
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    desk.now += PW_PAGE_IDLE_MS - 1;
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 200);
    desk.now += PW_PAGE_IDLE_MS;
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/logout", ""), 204);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    desk_close();
}

// Reason: one table, one error: the page says word for word what the console says.
static void a_refused_setting_says_what_the_console_says_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *json;
        const char *text;
        int status;
    } rows[] = {
        {"connectors[0].current_max_ma", "999", "999", 422},
        {"connectors[0].current_max_ma", "1e5", "1e5", 422},
        {"connectors[0].current_max_ma", "\"plenty\"", "plenty", 422},
        {"connectors[1].voltage_min_mv", "\"90000\"", "90000", 422},
        {"log.level", "\"loud\"", "loud", 422},
        {"station.vendor", "\"x\"", "x", 409},
        {"metering.stop_values_max", "119", "119", 409},
    };
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char path[128];
        char body[128];
        char line[128];
        char console[512] = "";
        struct pw_out path_out = PW_OUT(path);
        struct pw_out body_out = PW_OUT(body);
        struct pw_out line_out = PW_OUT(line);
        struct pw_out answer = PW_OUT(console);
        struct pw_settings before = desk.station.settings;
        pw_put_s(&path_out, "/api/v1/settings/");
        pw_put_s(&path_out, rows[i].path);
        pw_put_s(&body_out, "{\"value\":");
        pw_put_s(&body_out, rows[i].json);
        pw_put_s(&body_out, "}");
        pw_put_s(&line_out, "set ");
        pw_put_s(&line_out, rows[i].path);
        pw_put_c(&line_out, ' ');
        pw_put_s(&line_out, rows[i].text);
        assert_int_equal(ask(PW_HTTP_PUT, path, body), rows[i].status);
        assert_true(pw_station_command(&desk.station, pw_out_str(&line_out), &answer, desk.now) <
                    0);
        char *end = strchr(console, '\n');
        assert_non_null(end);
        *end = '\0';
        char quoted[600] = "";
        struct pw_out escaped = PW_OUT(quoted);
        struct pw_json_writer json = PW_JSON_WRITER(&escaped);
        pw_json_put_s(&json, console);
        assert_true(says(quoted));
        assert_memory_equal(&before, &desk.station.settings, sizeof(before));
    }
    assert_int_equal(
        ask(PW_HTTP_PUT, "/api/v1/settings/connectors[0].current_max_ma", "{\"value\":32000}"),
        200);
    assert_int_equal(pw_settings_connector(&desk.station.settings, PW_SET_CURRENT_MAX_MA, 0),
                     32000);
    desk_close();
}

// Reason: a value is part of a console line; what it holds must not become another word or line.
static void a_value_cannot_break_out_of_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *body;
    } rows[] = {
        {"/api/v1/connectors/1/start", "{\"id_tag\":\"A B\"}"},
        {"/api/v1/connectors/1/start", "{\"id_tag\":\"A\\nstop\"}"},
        {"/api/v1/connectors/1/start", "{\"id_tag\":\"\"}"},
        {"/api/v1/connectors/1/start", "{\"id_tag\":\"123456789012345678901\"}"},
        {"/api/v1/connectors/1/start", "{\"id_tag\":7}"},
        {"/api/v1/connectors/1/limit", "{\"limit_a\":\"off 2\"}"},
        {"/api/v1/connectors/1/limit", "{\"limit_a\":-1}"},
        {"/api/v1/connectors/1/limit", "{\"limit_a\":1000000}"},
        {"/api/v1/connectors/1/limit", "{}"},
    };
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(ask(PW_HTTP_POST, rows[i].path, rows[i].body), 422);
    }
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/settings/log.level", "{\"value\":\"debug\\nstop\"}"),
                     400);
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/settings/log level", "{\"value\":\"debug\"}"), 404);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/3/stop", ""), 404);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/0/stop", ""), 404);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/1 2/stop", ""), 404);
    desk_close();
}

static void a_limit_by_hand_is_seen_with_who_and_why(void **state)
{
    (void)state;
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/2/limit", "{\"limit_a\":6.5}"), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/limits", ""), 200);
    assert_true(says("\"effective_a\":6.5"));
    assert_true(says("\"source\":\"local\",\"words\":\"set by hand\",\"limit_a\":6.5"));
    assert_true(says("\"counts\":true"));
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/2/limit", "{\"limit_a\":null}"), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/limits", ""), 200);
    assert_false(says("\"source\":\"local\""));
    desk_close();
}

// --- Streams.

static char chunk[16384];

static int take(void)
{
    int len = pw_page_stream_take(&desk.page, 42, chunk, sizeof(chunk) - 1);
    chunk[len > 0 ? len : 0] = '\0';
    return len;
}

// Reason: a page that shows old figures as if they were new misleads; once a second at least, at
// once on a change, and never faster than ten times a second.
static void a_stream_tells_every_second_and_at_once_when_something_changes(void **state)
{
    (void)state;
    open_page(PASSWORD);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/events", ""), 200);
    assert_true(desk.reply.stream);
    assert_true(take() > 0);
    assert_non_null(strstr(chunk, "event: status\ndata: {"));
    assert_non_null(strstr(chunk, "event: limits\ndata: {"));
    assert_non_null(strstr(chunk, "event: faults\ndata: {"));
    assert_int_equal(take(), 0);
    desk.woken = 0;
    desk.now += 999;
    (void)pw_page_step(&desk.page, desk.now);
    assert_int_equal(desk.woken, 0);
    desk.now += 1;
    (void)pw_page_step(&desk.page, desk.now);
    assert_int_equal(desk.woken, 42);
    assert_true(take() > 0);
    desk.woken = 0;
    desk.now += 150;
    char text[256];
    struct pw_out out = PW_OUT(text);
    assert_int_equal(pw_station_command(&desk.station, PW_STR("limit 9 1"), &out, desk.now), PW_OK);
    assert_true(pw_page_step(&desk.page, desk.now) <= desk.now + 100);
    assert_int_equal(desk.woken, 42);
    assert_true(take() > 0);
    pw_page_stream_closed(&desk.page, 42);
    assert_int_equal(take(), PW_ERR_UNKNOWN);
    desk_close();
}

static void streams_are_counted(void **state)
{
    (void)state;
    open_page(PASSWORD);
    for (unsigned i = 0; i < PW_PAGE_STREAMS_MAX; i++) {
        assert_int_equal(ask(PW_HTTP_GET, "/api/v1/events", ""), 200);
    }
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/events", ""), 429);
    pw_page_stream_closed(&desk.page, 42);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/events", ""), 200);
    desk_close();
}

// Reason: who has logged out must not go on reading, even when nothing else would wake the stream.
static void a_stream_ends_with_its_login(void **state)
{
    (void)state;
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/events", ""), 200);
    assert_true(take() > 0);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/logout", ""), 204);
    desk.woken = 0;
    desk.now += 100;
    (void)pw_page_step(&desk.page, desk.now);
    assert_int_equal(desk.woken, 42);
    assert_int_equal(take(), PW_ERR_UNKNOWN);
    desk_close();
}

static void the_log_is_read_from_a_cursor_and_followed(void **state)
{
    (void)state;
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    for (unsigned i = 0; i < 5; i++) {
        pw_logring_write(&desk.ring, i == 2 ? PW_LOG_WARN : PW_LOG_INFO, "bay",
                         PW_STR("state from=idle \"quoted\""), desk.now, 1700000000000);
        desk.now += 10;
    }
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/log", "limit=2", ""), 200);
    assert_true(says("\"next\":5"));
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/log", "level=warn", ""), 200);
    assert_true(says("\"cursor\":2"));
    assert_false(says("\"cursor\":1"));
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/log", "level=loud", ""), 400);
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/log", "limit=201", ""), 400);
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/events", "log=3", ""), 200);
    assert_true(take() > 0);
    assert_null(strstr(chunk, "\"cursor\":2,"));
    assert_non_null(strstr(chunk, "\"cursor\":3,"));
    assert_non_null(strstr(chunk, "\"cursor\":4,"));
    // Who is outside may watch, but hears no log.
    desk.cookie[0] = '\0';
    pw_page_stream_closed(&desk.page, 42);
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/events", "log=0", ""), 200);
    assert_true(take() > 0);
    assert_null(strstr(chunk, "event: log"));
    desk_close();
}

static void the_history_holds_the_last_hour(void **state)
{
    (void)state;
    open_page(PASSWORD);
    for (unsigned i = 0; i < PW_HISTORY_POINTS + 100; i++) {
        pw_ms at = pw_page_step(&desk.page, desk.now);
        assert_true(at <= desk.now + PW_HISTORY_EVERY_MS);
        desk.now += PW_HISTORY_EVERY_MS;
    }
    assert_int_equal(desk.page.history[1].count, PW_HISTORY_POINTS);
    assert_int_equal(pw_history_at(&desk.page.history[1], 0)->at,
                     desk.now - PW_HISTORY_POINTS * PW_HISTORY_EVERY_MS);
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/history", "connector=2", ""), 200);
    assert_true(says("\"t\":[1699996400"));  // one hour before the request's wall time
    assert_true(says("\"power_w\":[null,")); // nothing measures here: no zeros
    assert_int_equal(ask_with(PW_HTTP_GET, "/api/v1/history", "connector=9", ""), 404);
    desk_close();
}

// As a browser that came over TLS, or did not.
static void tls_on(bool on)
{
    desk.secure = on;
    desk.origin = on ? "https://wallbox.lan:8080" : "http://wallbox.lan:8080";
}

// Reason: cookies know no ports. A browser that has a Secure cookie of this name keeps what comes
// without TLS out; and what went without TLS must open nothing over it.
static void a_login_over_tls_is_one_over_tls_only(void **state)
{
    (void)state;
    open_page(PASSWORD);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_null(strstr(desk.reply.cookie, "Secure"));
    tls_on(true);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    assert_int_equal(log_in(PASSWORD), 200);
    assert_true(pw_str_starts(pw_str_of(desk.reply.cookie), "__Host-pw_station="));
    assert_non_null(strstr(desk.reply.cookie, "; Path=/; HttpOnly; SameSite=Strict; Secure"));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 200);
    assert_int_equal(ask(changes[0].method, changes[0].path, changes[0].body), 200);
    tls_on(false);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    tls_on(true);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/logout", ""), 204);
    assert_non_null(strstr(desk.reply.cookie, "; Secure; Max-Age=0"));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 401);
    desk_close();
}

// Reason: who types a password has to know whether somebody on the way can read it.
static void a_visitor_is_told_whether_he_is_overheard(void **state)
{
    (void)state;
    open_page(PASSWORD);
    const struct pw_station_tls tls = {.wanted = true, .port = 8443, .own = true};
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_true(says("\"encrypted\":false,\"https_port\":0"));
    assert_int_equal(ask_from("127.0.0.1", PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_true(says("\"encrypted\":true"));
    pw_station_tls(&desk.station, &tls);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_true(says("\"encrypted\":false,\"https_port\":8443"));
    tls_on(true);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_true(says("\"encrypted\":true"));
    desk_close();
}

static void open_redirecting(void)
{
    const struct pw_station_tls tls = {.wanted = true, .port = 8443, .own = true};
    open_page(PASSWORD);
    desk_set("page.tls_listen", "0.0.0.0:8443", PW_BY_FILE);
    desk_set("page.plain", "redirect", PW_BY_FILE);
    desk.station.settings = desk.settings;
    pw_station_tls(&desk.station, &tls);
}

// Reason: with page.plain redirect nothing is said or taken without TLS, but on this machine; not
// even a release, of which not one byte is read.
static void without_tls_others_are_only_sent_there(void **state)
{
    (void)state;
    static const struct {
        enum pw_http_method method;
        const char *path;
        const char *query;
        const char *location;
    } rows[] = {
        {PW_HTTP_GET, "/", "", "https://wallbox.lan:8443/"},
        {PW_HTTP_GET, "/api/v1/log", "limit=2", "https://wallbox.lan:8443/api/v1/log?limit=2"},
        {PW_HTTP_POST, "/api/v1/login", "", "https://wallbox.lan:8443/api/v1/login"},
        {PW_HTTP_GET, "/healthz", "", "https://wallbox.lan:8443/healthz"},
    };
    open_redirecting();
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(ask_with(rows[i].method, rows[i].path, rows[i].query,
                                  "{\"password\":\"" PASSWORD "\"}"),
                         308);
        assert_string_equal(desk.reply.location, rows[i].location);
        assert_int_equal(desk.reply.body.len, 0);
        assert_string_equal(desk.reply.cookie, "");
    }
    const struct pw_http_request release = {.method = PW_HTTP_PUT,
                                            .path = PW_STR("/api/v1/update/file"),
                                            .host = PW_STR("wallbox.lan:8080"),
                                            .address = PW_STR("10.0.0.9"),
                                            .length = 1000000};
    desk.reply = (struct pw_http_reply){0};
    assert_int_equal(pw_page_takes(&desk.page, &release, &desk.reply, desk.now, 0), 0);
    assert_int_equal(desk.reply.status, 308);
    assert_int_equal(ask(PW_HTTP_GET, "/a b", ""), 403);
    assert_true(says("page.tls_listen"));
    // A name that is not ours is sent nowhere.
    const struct pw_http_request evil = {.method = PW_HTTP_GET,
                                         .path = PW_STR("/"),
                                         .host = PW_STR("evil.example"),
                                         .address = PW_STR("10.0.0.9")};
    pw_page_serve(&desk.page, &evil, &desk.reply, desk.now, 0);
    assert_int_equal(desk.reply.status, 403);
    assert_int_equal(ask_from("127.0.0.1", PW_HTTP_GET, "/healthz", ""), 200);
    tls_on(true);
    assert_int_equal(ask(PW_HTTP_GET, "/healthz", ""), 200);
    desk_close();
}

// Reason: whoever compares a fingerprint needs it before he trusts the page, so it is no secret;
// another one is made only for who may change things, and not in place of the owner's.
static void the_certificate_is_told_to_all_and_renewed_for_those_inside(void **state)
{
    (void)state;
    struct pw_station_tls tls = {.wanted = true, .port = 8443, .own = true, .until = 1800000000000};
    open_page(PASSWORD);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/certificate", ""), 200);
    assert_true(says("\"wanted\":false"));
    memcpy(tls.fingerprint, "AB:CD", 6);
    pw_station_tls(&desk.station, &tls);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/certificate", ""), 200);
    assert_true(says("\"port\":8443,\"own\":true,\"fingerprint\":\"AB:CD\",\"until\":\"2027-01-"
                     "15T08:00:00.000Z\""));
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/certificate/new", ""), 401);
    assert_false(pw_station_take_new_certificate(&desk.station));
    assert_int_equal(log_in(PASSWORD), 200);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/certificate/new", ""), 200);
    assert_true(pw_station_take_new_certificate(&desk.station));
    assert_false(pw_station_take_new_certificate(&desk.station));
    tls.own = false;
    pw_station_tls(&desk.station, &tls);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/certificate/new", ""), 409);
    assert_true(says("page.certificate"));
    assert_false(pw_station_take_new_certificate(&desk.station));
    desk_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_password_the_page_only_shows),
        cmocka_unit_test(a_change_needs_login_token_and_our_own_origin),
        cmocka_unit_test(secrets_and_cards_stay_inside),
        cmocka_unit_test(ended_charges_are_listed_with_their_cards_masked),
        cmocka_unit_test(reservations_and_known_cards_are_told_without_telling_cards),
        cmocka_unit_test(the_house_is_shown_with_its_phases_and_its_last_hour),
        cmocka_unit_test(a_command_for_a_board_waits_for_its_answer),
        cmocka_unit_test(who_guesses_has_to_wait),
        cmocka_unit_test(many_addresses_do_not_guess_faster),
        cmocka_unit_test(a_login_ends_unused_and_at_the_door),
        cmocka_unit_test(a_refused_setting_says_what_the_console_says_and_changes_nothing),
        cmocka_unit_test(a_value_cannot_break_out_of_its_line),
        cmocka_unit_test(a_limit_by_hand_is_seen_with_who_and_why),
        cmocka_unit_test(a_stream_tells_every_second_and_at_once_when_something_changes),
        cmocka_unit_test(streams_are_counted),
        cmocka_unit_test(a_stream_ends_with_its_login),
        cmocka_unit_test(the_log_is_read_from_a_cursor_and_followed),
        cmocka_unit_test(the_history_holds_the_last_hour),
        cmocka_unit_test(a_login_over_tls_is_one_over_tls_only),
        cmocka_unit_test(a_visitor_is_told_whether_he_is_overheard),
        cmocka_unit_test(without_tls_others_are_only_sent_there),
        cmocka_unit_test(the_certificate_is_told_to_all_and_renewed_for_those_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
