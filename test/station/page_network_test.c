// page/network: who may set up the network at the station's page, with and without its password,
// and where a telephone at the access point is led. A whole station, virtual time, no socket.
#include "face/face.h"
#include "page_desk.h"
#include "test.h"

#include <string.h>

#define ADDRESS "10.42.0.1"

static void open_page(const char *password)
{
    static const struct pw_network_port network = {.random = desk_random};
    const struct pw_station_start start = {.firmware = "1", .network = &network};
    desk_begin(password);
    desk_set("page.listen", "0.0.0.0:8081", PW_BY_FILE);
    desk_set("network.managed", "true", PW_BY_FILE);
    desk_start(&start);
    desk.host = ADDRESS ":8081";
    desk.origin = "";
    desk.address = "10.42.0.17";
}

// The access point stands: no network is known, and the radio does what it is told.
static void stand(void)
{
    struct pw_wireless_order order;
    struct pw_wireless_facts facts = {.service = true, .radio = true};
    pw_network_facts(&desk.station.network, &facts);
    (void)pw_station_step(&desk.station, desk.now);
    assert_true(pw_network_take_order(&desk.station.network, &order));
    pw_network_ended(&desk.station.network, order.number, PW_WIRELESS_SCANNED, PW_STR(""));
    (void)pw_station_step(&desk.station, desk.now);
    assert_true(pw_network_take_order(&desk.station.network, &order));
    facts.use = PW_WIRELESS_HOST;
    facts.order = order.number;
    (void)!pw_str_copy(facts.address, sizeof(facts.address), PW_STR(ADDRESS));
    pw_network_facts(&desk.station.network, &facts);
    (void)pw_station_step(&desk.station, desk.now);
    assert_int_equal(desk.station.network.state, PW_NETWORK_HOST);
}

static int ask_at(const char *host, enum pw_http_method method, const char *path, const char *body)
{
    desk.host = host;
    int status = ask(method, path, body);
    desk.host = ADDRESS ":8081";
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
    assert_int_equal(log_in(pw_network_ap_password(&desk.station.network)), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/network", ""), 200);
    assert_true(says("\"ap_ssid\":\"Pilotwire-YARD-07\""));
    assert_false(says(pw_network_ap_password(&desk.station.network)));
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 403);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/log", ""), 403);
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/connectors/1/start", "{}"), 403);
    assert_true(says("set_up_only"));
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 200);
    assert_false(says("home-secret"));
    assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_SSID1), "Home");
    assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_PASSWORD1),
                        "home-secret");
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/logout", ""), 204);
    desk_close();
}

// Reason: a login at the access point must not be one for everybody in the house later.
static void that_login_ends_with_the_access_point(void **state)
{
    (void)state;
    open_page("");
    stand();
    assert_int_equal(log_in(pw_network_ap_password(&desk.station.network)), 200);
    const struct pw_wireless_facts wired = {.service = true, .radio = true, .wired = true};
    pw_network_facts(&desk.station.network, &wired);
    (void)pw_station_step(&desk.station, desk.now);
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 403);
    assert_true(says("view_only"));
    assert_int_equal(log_in(pw_network_ap_password(&desk.station.network)), 403);
    desk_close();
}

// Reason: in a public place everybody reads the display; with a password of its own the page wants
// it.
static void with_a_password_of_its_own_the_page_wants_that_one(void **state)
{
    (void)state;
    open_page("correct horse");
    stand();
    assert_int_equal(log_in(pw_network_ap_password(&desk.station.network)), 401);
    assert_int_equal(log_in("correct horse"), 200);
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 200);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/settings", ""), 200);
    desk.csrf[0] = 'x';
    assert_int_equal(ask(PW_HTTP_POST, "/api/v1/network/scan", ""), 403);
    desk_close();
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
        assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_SSID1), "");
        assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_PASSWORD1), "");
    }
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", WIFI), 200);
    // without a password, the one that is set stays; an empty one means an open network
    assert_int_equal(ask(PW_HTTP_PUT, "/api/v1/network/wifi", "{\"slot\":1,\"ssid\":\"House\"}"),
                     200);
    assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_PASSWORD1),
                        "home-secret");
    assert_int_equal(
        ask(PW_HTTP_PUT, "/api/v1/network/wifi", "{\"slot\":1,\"ssid\":\"\",\"password\":\"\"}"),
        200);
    assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_PASSWORD1), "");
    desk_close();
}

// Reason: a telephone that joins looks whether there is an internet; the answer leads to the page.
static void an_unknown_host_is_led_to_the_page_while_the_access_point_stands(void **state)
{
    (void)state;
    open_page("");
    assert_int_equal(ask_at("connectivitycheck.example", PW_HTTP_GET, "/generate_204", ""), 403);
    stand();
    assert_int_equal(ask_at("connectivitycheck.example", PW_HTTP_GET, "/generate_204", ""), 302);
    assert_string_equal(desk.reply.location, "http://" ADDRESS ":8081/#/network");
    // and nothing else is given to a name that is not ours
    assert_int_equal(ask_at("evil.example", PW_HTTP_GET, "/api/v1/status", ""), 403);
    assert_int_equal(ask_at("evil.example", PW_HTTP_POST, "/login", "{}"), 403);
    desk_close();
}

// Reason: telephones show no page behind a certificate they do not know: whoever sets the station
// up comes without TLS, over a radio that is encrypted. When the access point goes, so does that.
static void the_access_point_serves_without_tls_while_it_stands(void **state)
{
    const struct pw_station_tls tls = {.wanted = true, .port = 8443, .own = true};
    (void)state;
    open_page("correct horse");
    desk_set("page.tls_listen", "0.0.0.0:8443", PW_BY_FILE);
    desk_set("page.plain", "redirect", PW_BY_FILE);
    desk.station.settings = desk.settings;
    pw_station_tls(&desk.station, &tls);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 308);
    stand();
    assert_int_equal(ask_at("connectivitycheck.example", PW_HTTP_GET, "/generate_204", ""), 302);
    assert_string_equal(desk.reply.location, "http://" ADDRESS ":8081/#/network");
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_int_equal(log_in("correct horse"), 200);
    const struct pw_wireless_facts wired = {.service = true, .radio = true, .wired = true};
    pw_network_facts(&desk.station.network, &wired);
    (void)pw_station_step(&desk.station, desk.now);
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/me", ""), 308);
    desk_close();
}

// Reason: who fills in the form needs the access point until he is done.
static void who_is_at_the_set_up_page_keeps_the_access_point_open(void **state)
{
    (void)state;
    open_page("");
    stand();
    assert_true(desk.station.network.used_at == PW_NEVER);
    assert_int_equal(log_in(pw_network_ap_password(&desk.station.network)), 200);
    desk.now = 5000;
    assert_int_equal(ask(PW_HTTP_GET, "/api/v1/network", ""), 200);
    assert_int_equal(desk.station.network.used_at, 5000);
    desk_close();
}

// Reason: who stands before the station knows how to set it up, and nobody else is told.
static void the_display_tells_how_to_join_the_access_point_while_it_stands(void **state)
{
    struct pw_screen screen;
    unsigned told = 0;
    (void)state;
    open_page("");
    const char *password = pw_network_ap_password(&desk.station.network);
    for (unsigned stands = 0; stands < 2; stands++) {
        for (pw_ms turn = 0; turn < 4; turn++) {
            (void)pw_face_show(&desk.station, "", "http://wallbox.lan/", turn * PW_FACE_TURN_MS,
                               &screen);
            told += strstr(screen.line[1], password) != NULL ? 1U : 0U;
        }
        assert_int_equal(told, stands == 0 ? 0 : 2); // every other page of two
        if (stands == 0) {
            stand();
        }
    }
    (void)pw_face_show(&desk.station, "", "http://wallbox.lan/", PW_FACE_TURN_MS, &screen);
    assert_string_equal(screen.line[0], "Wi-Fi Pilotwire-YARD-07");
    assert_string_equal(screen.line[2], "Then http://" ADDRESS ":8081/");
    assert_int_equal(strncmp(screen.url, "WIFI:T:WPA;S:Pilotwire-YARD-07;P:", 33), 0);
    assert_int_equal(strncmp(screen.url + 33, password, strlen(password)), 0);
    assert_string_equal(screen.url + 33 + strlen(password), ";;");
    desk_close();
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
        cmocka_unit_test(the_access_point_serves_without_tls_while_it_stands),
        cmocka_unit_test(who_is_at_the_set_up_page_keeps_the_access_point_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
