// page/network: who may set up the network at the station's page, with and without its password,
// and where a telephone at the access point is led. A whole station, virtual time, no socket.
#include "face/face.h"
#include "page/page.h"
#include "simstore.h"
#include "test.h"

#include <string.h>

#define ADDRESS "10.42.0.1"

static struct pw_settings settings;
static struct pw_sim_store disk;
static struct pw_station station;
static struct pw_page page;
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

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(&settings, at, pw_str_of(value), by, &why), PW_OK);
}

static int open_page(const char *password)
{
    static const struct pw_log quiet = {.write = nothing};
    static const struct pw_network_port network = {.random = fill};
    static const struct pw_page_port port = {.random = fill, .stream_ready = wake};
    now = 1000;
    seed = 0;
    cookie[0] = '\0';
    csrf[0] = '\0';
    pw_settings_init(&settings);
    set("station.id", "YARD-07", PW_BY_FILE);
    set("can.bus0", "mcast:239.74.163.2:43113", PW_BY_FILE);
    set("connectors[0].kind", "dc", PW_BY_FILE);
    set("page.listen", "0.0.0.0:8081", PW_BY_FILE);
    set("network.managed", "true", PW_BY_FILE);
    set("page.password", password, PW_BY_SECRETS);
    pw_sim_store_init(&disk);
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &quiet,
                                           .firmware = "1",
                                           .seed = 7,
                                           .network = &network,
                                           .now = now};
    assert_int_equal(pw_station_init(&station, &start), PW_OK);
    const struct pw_page_config config = {.station = &station, .port = &port};
    pw_page_init(&page, &config, now);
    return 0;
}

// The access point stands: no network is known, and the radio does what it is told.
static void stand(void)
{
    struct pw_wireless_order order;
    struct pw_wireless_facts facts = {.service = true, .radio = true};
    pw_network_facts(&station.network, &facts);
    (void)pw_station_step(&station, now);
    assert_true(pw_network_take_order(&station.network, &order));
    pw_network_ended(&station.network, order.number, PW_WIRELESS_SCANNED, PW_STR(""));
    (void)pw_station_step(&station, now);
    assert_true(pw_network_take_order(&station.network, &order));
    facts.use = PW_WIRELESS_HOST;
    facts.order = order.number;
    (void)!pw_str_copy(facts.address, sizeof(facts.address), PW_STR(ADDRESS));
    pw_network_facts(&station.network, &facts);
    (void)pw_station_step(&station, now);
    assert_int_equal(station.network.state, PW_NETWORK_HOST);
}

static int ask_at(const char *host, enum pw_http_method method, const char *path, const char *body)
{
    const struct pw_http_request request = {.method = method,
                                            .path = pw_str_of(path),
                                            .body = pw_str_of(body),
                                            .host = pw_str_of(host),
                                            .cookie = pw_str_of(cookie),
                                            .csrf = pw_str_of(csrf),
                                            .address = PW_STR("10.42.0.17")};
    pw_page_serve(&page, &request, &reply, now, 1700000000000);
    return reply.status;
}

static int ask(enum pw_http_method method, const char *path, const char *body)
{
    return ask_at(ADDRESS ":8081", method, path, body);
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

static int log_in(const char *password)
{
    char body[100] = "";
    struct pw_out out = PW_OUT(body);
    pw_put_s(&out, "{\"password\":\"");
    pw_put_s(&out, password);
    pw_put_s(&out, "\"}");
    int status = ask(PW_HTTP_POST, "/api/v1/login", body);
    const char *key = "\"csrf\":\"";
    const char *at = status == 200 ? strstr(reply.body.at, key) : NULL;
    if (at != NULL) {
        struct pw_str set_cookie = pw_str_of(reply.cookie);
        struct pw_out to = PW_OUT(cookie);
        pw_put(&to, pw_str_cut(&set_cookie, ';'));
        memcpy(csrf, at + strlen(key), PW_PAGE_TOKEN_MAX - 1);
    }
    return status;
}

#define WIFI "{\"slot\":1,\"ssid\":\"Home\",\"password\":\"home-secret\"}"

// Reason: the display tells the password to who stands there; it opens the network, nothing else.
static void the_access_points_password_sets_up_the_network_and_nothing_else(void **state)
{
    (void)state;
    open_page("");
    stand();
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/network", ""), 401);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_true(says("\"set_up\":true"));
    assert_int_equal(log_in("not-the-password"), 401);
    assert_int_equal(log_in(""), 401);
    assert_int_equal(log_in(pw_network_ap_password(&station.network)), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/network", ""), 200);
    assert_true(says("\"ap_ssid\":\"Pilotwire-YARD-07\""));
    assert_false(says(pw_network_ap_password(&station.network)));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 403);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/log", ""), 403);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/1/start", "{}"), 403);
    assert_true(says("set_up_only"));
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 200);
    assert_false(says("home-secret"));
    assert_string_equal(pw_settings_text(&station.settings, PW_SET_NET_SSID1), "Home");
    assert_string_equal(pw_settings_text(&station.settings, PW_SET_NET_PASSWORD1), "home-secret");
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/logout", ""), 204);
    pw_sim_store_free(&disk);
}

// Reason: a login at the access point must not be one for everybody in the house later.
static void that_login_ends_with_the_access_point(void **state)
{
    (void)state;
    open_page("");
    stand();
    assert_int_equal(log_in(pw_network_ap_password(&station.network)), 200);
    const struct pw_wireless_facts wired = {.service = true, .radio = true, .wired = true};
    pw_network_facts(&station.network, &wired);
    (void)pw_station_step(&station, now);
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 403);
    assert_true(says("view_only"));
    assert_int_equal(log_in(pw_network_ap_password(&station.network)), 403);
    pw_sim_store_free(&disk);
}

// Reason: in a public place everybody reads the display; with a password of its own the page wants
// it.
static void with_a_password_of_its_own_the_page_wants_that_one(void **state)
{
    (void)state;
    open_page("correct horse");
    stand();
    assert_int_equal(log_in(pw_network_ap_password(&station.network)), 401);
    assert_int_equal(log_in("correct horse"), 200);
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 200);
    csrf[0] = 'x';
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/network/scan", ""), 403);
    pw_sim_store_free(&disk);
}

static void a_network_that_cannot_be_changes_nothing(void **state)
{
    static const char *const bodies[] = {
        "{\"slot\":3,\"ssid\":\"Home\",\"password\":\"home-secret\"}",
        "{\"ssid\":\"Home\",\"password\":\"home-secret\"}",
        "{\"slot\":1,\"ssid\":\"Home\",\"password\":\"short\"}",
        "{\"slot\":1,\"ssid\":\" Home\",\"password\":\"home-secret\"}",
        "{\"slot\":1,\"ssid\":\"123456789012345678901234567890123\",\"password\":\"home-secret\"}",
        "{\"slot\":1,\"ssid\":\"a\\nb\",\"password\":\"home-secret\"}",
        "{\"slot\":1,\"password\":\"home-secret\"}",
        "{\"slot\":1,\"ssid\":\"Home\",\"password\":7}",
    };
    (void)state;
    open_page("correct horse");
    assert_int_equal(log_in("correct horse"), 200);
    for (size_t i = 0; i < PW_COUNT(bodies); i++) {
        assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", bodies[i]), 422);
        assert_string_equal(pw_settings_text(&station.settings, PW_SET_NET_SSID1), "");
        assert_string_equal(pw_settings_text(&station.settings, PW_SET_NET_PASSWORD1), "");
    }
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 200);
    // without a password, the one that is set stays; an empty one means an open network
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", "{\"slot\":1,\"ssid\":\"House\"}"),
                     200);
    assert_string_equal(pw_settings_text(&station.settings, PW_SET_NET_PASSWORD1), "home-secret");
    assert_int_equal(
        ask(PW_HTTP_PUT, "/api/v1/network/wifi", "{\"slot\":1,\"ssid\":\"\",\"password\":\"\"}"),
        200);
    assert_string_equal(pw_settings_text(&station.settings, PW_SET_NET_PASSWORD1), "");
    pw_sim_store_free(&disk);
}

// Reason: a telephone that joins looks whether there is an internet; the answer leads to the page.
static void an_unknown_host_is_led_to_the_page_while_the_access_point_stands(void **state)
{
    (void)state;
    open_page("");
    assert_int_equal(ask_at("connectivitycheck.example", PW_HTTP_GET, "/generate_204", ""), 403);
    stand();
    assert_int_equal(ask_at("connectivitycheck.example", PW_HTTP_GET, "/generate_204", ""), 302);
    assert_string_equal(reply.location, "http://" ADDRESS ":8081/#/network");
    // and nothing else is given to a name that is not ours
    assert_int_equal(ask_at("evil.example", PW_HTTP_GET, "/api/v1/status", ""), 403);
    assert_int_equal(ask_at("evil.example", PW_HTTP_POST, "/login", "{}"), 403);
    pw_sim_store_free(&disk);
}

// Reason: who fills in the form needs the access point until he is done.
static void who_is_at_the_set_up_page_keeps_the_access_point_open(void **state)
{
    (void)state;
    open_page("");
    stand();
    assert_true(station.network.used_at == PW_NEVER);
    assert_int_equal(log_in(pw_network_ap_password(&station.network)), 200);
    now = 5000;
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/network", ""), 200);
    assert_int_equal(station.network.used_at, 5000);
    pw_sim_store_free(&disk);
}

// Reason: who stands before the station knows how to set it up, and nobody else is told.
static void the_display_tells_how_to_join_the_access_point_while_it_stands(void **state)
{
    struct pw_screen screen;
    unsigned told = 0;
    (void)state;
    open_page("");
    const char *password = pw_network_ap_password(&station.network);
    for (unsigned stands = 0; stands < 2; stands++) {
        for (pw_ms turn = 0; turn < 4; turn++) {
            (void)pw_face_show(&station, "", "http://wallbox.lan/", turn * PW_FACE_TURN_MS,
                               &screen);
            told += strstr(screen.line[1], password) != NULL ? 1U : 0U;
        }
        assert_int_equal(told, stands == 0 ? 0 : 2); // every other page of two
        if (stands == 0) {
            stand();
        }
    }
    (void)pw_face_show(&station, "", "http://wallbox.lan/", PW_FACE_TURN_MS, &screen);
    assert_string_equal(screen.line[0], "Wi-Fi Pilotwire-YARD-07");
    assert_string_equal(screen.line[2], "Then http://" ADDRESS ":8081/");
    assert_int_equal(strncmp(screen.url, "WIFI:T:WPA;S:Pilotwire-YARD-07;P:", 33), 0);
    assert_int_equal(strncmp(screen.url + 33, password, strlen(password)), 0);
    assert_string_equal(screen.url + 33 + strlen(password), ";;");
    pw_sim_store_free(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_access_points_password_sets_up_the_network_and_nothing_else),
        cmocka_unit_test(that_login_ends_with_the_access_point),
        cmocka_unit_test(with_a_password_of_its_own_the_page_wants_that_one),
        cmocka_unit_test(a_network_that_cannot_be_changes_nothing),
        cmocka_unit_test(an_unknown_host_is_led_to_the_page_while_the_access_point_stands),
        cmocka_unit_test(the_display_tells_how_to_join_the_access_point_while_it_stands),
        cmocka_unit_test(who_is_at_the_set_up_page_keeps_the_access_point_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
