// network: what the station does with its own network, in virtual time (network_rig).
#include "network_rig.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

// ---- Known networks.

// Reason: the first row is the owner's first choice; the neighbour of the second may be louder.
static void the_first_known_network_is_joined_although_the_second_is_stronger(void **state)
{
    (void)state;
    rig_begin();
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_string_equal(rig.facts.ssid, HOME);
    assert_string_equal(rig.order.password, "home-secret");
}

static void the_second_is_joined_when_the_first_is_away(void **state)
{
    (void)state;
    rig.home = false;
    rig_begin();
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_string_equal(rig.facts.ssid, SHED);
    assert_string_equal(rig.order.password, "shed-secret");
}

// Reason: a restart of the program must not cut a connection that stands.
static void a_connection_that_stands_is_kept_at_the_start(void **state)
{
    (void)state;
    rig_start();
    rig_be(PW_WIRELESS_JOINED, SHED, 0);
    rig_run(600000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_int_equal(rig.net.order.number, 0);
}

static void a_network_that_is_not_ours_is_left_for_one_that_is(void **state)
{
    (void)state;
    rig_start();
    rig_be(PW_WIRELESS_JOINED, "Cafe", 0);
    rig_run(10000);
    assert_string_equal(rig.facts.ssid, HOME);
}

// Reason: whoever joined by hand, on a station that knows no network, must not be cut off.
static void a_network_joined_by_hand_is_kept_while_none_is_known(void **state)
{
    (void)state;
    rig_set("network.ssid1", "", PW_BY_PERSON);
    rig_set("network.ssid2", "", PW_BY_PERSON);
    rig_start();
    rig_be(PW_WIRELESS_JOINED, "Cafe", 0);
    rig_run(600000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_int_equal(rig.net.order.number, 0);
}

// ---- The access point.

// Reason: the bound of network.h, whatever the networks do: not there, wrong password, silent port.
static void the_access_point_is_ordered_within_two_minutes(void **state)
{
    for (unsigned what = 0; what < 8; what++) {
        rig_close(state);
        rig_open(state);
        rig.home = (what & 1U) != 0;
        rig.shed = (what & 2U) != 0;
        rig.wrong = true;
        rig.deaf = (what & 4U) != 0;
        rig_start();
        rig_tell();
        rig_run(PW_NETWORK_FALLBACK_MS + 1);
        assert_true(rig.opened_at <= 1000 + PW_NETWORK_FALLBACK_MS);
        assert_true(rig.deaf || rig.net.state == PW_NETWORK_HOST);
    }
}

// Reason: the bound must hold however long a radio takes for what it fails at.
static void it_is_ordered_in_time_however_long_attempts_take(void **state)
{
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        rig_close(state);
        rig_open(state);
        rig.wrong = true;
        rig.slow = seed;
        rig_start();
        rig_tell();
        rig_run(PW_NETWORK_FALLBACK_MS);
        if (rig.opened_at > 1000 + PW_NETWORK_FALLBACK_MS) {
            fail_msg("seed %u: not ordered after two minutes", seed);
        }
    }
}

static void a_station_that_knows_no_network_opens_its_access_point_at_once(void **state)
{
    (void)state;
    rig_set("network.ssid1", "", PW_BY_PERSON);
    rig_set("network.ssid2", "", PW_BY_PERSON);
    rig_begin();
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    assert_string_equal(rig.facts.ssid, "Pilotwire-S1");
    assert_int_equal(rig.net.found_count, 3); // for the set-up page
    rig_run(UINT64_C(24) * 3600 * 1000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], 1);
}

// Reason: facts/ac-evse-rapi-load.md §6 item 6: stations that stay in access point mode for good.
static void the_known_network_is_joined_again_when_it_is_back(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    rig_run(3600000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    rig.home = true;
    rig_run(PW_NETWORK_RETRY_MOST + 30000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

static void
looks_are_five_minutes_apart_in_the_long_run_and_the_access_point_stands_between(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    rig_run(3600000);
    unsigned before = rig.orders[PW_WIRELESS_SCAN];
    rig_run(3600000);
    assert_in_range(rig.orders[PW_WIRELESS_SCAN] - before, 11, 12);
}

// Reason: a person needs a minute to join; a network that comes back wants the station soon.
static void the_access_point_stands_a_minute_and_then_ever_longer(void **state)
{
    pw_ms stood[6] = {0};
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    for (unsigned i = 0; i < PW_COUNT(stood); i++) {
        rig_reach_host();
        pw_ms since = rig.net.since;
        while (rig.net.state == PW_NETWORK_HOST) {
            rig_run(1000);
        }
        stood[i] = rig.now - since;
        assert_true(stood[i] >= PW_NETWORK_AP_LEAST_MS);
        assert_true(stood[i] + 2000 >= stood[i > 0 ? i - 1 : 0]);
    }
    assert_in_range(stood[0], 60000, 90000);
    assert_in_range(stood[1], 61000, 170000);
    assert_in_range(stood[5], 299000, 302000);
}

// Reason: the pause of a short network.retry_ms is no time for a person.
static void a_short_pause_does_not_shorten_the_access_points_minute(void **state)
{
    (void)state;
    rig_set("network.retry_ms", "1000", PW_BY_PERSON);
    rig.home = false;
    rig.shed = false;
    rig.deaf = true; // three scans of 15 s and pauses of 1 and 2 s fill the search
    rig_start();
    rig_tell();
    rig_run_until(48900);
    rig.deaf = false;
    rig_reach_host();
    assert_true(rig.net.backoff_ms < PW_NETWORK_AP_LEAST_MS / 2);
    pw_ms since = rig.net.since;
    rig_run_until(since + PW_NETWORK_AP_LEAST_MS - 1);
    assert_int_equal(rig.net.since, since);
}

static void a_guest_puts_the_next_look_off(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    rig_reach_host();
    rig.facts.guests = 1;
    rig_tell();
    unsigned before = rig.orders[PW_WIRELESS_SCAN];
    pw_ms since = rig.net.since;
    rig_run_until(since + PW_NETWORK_GUEST_MS - 1);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before);
    // Reason: a telephone left joined must not keep the station away for good.
    rig_run_until(since + PW_NETWORK_GUEST_MS + 1);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before + 1);
}

// Reason: not every radio tells who is joined; whoever is at the set-up page is seen there.
static void somebody_at_the_set_up_page_puts_the_next_look_off(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    rig_reach_host();
    pw_ms next = rig.net.next_at;
    unsigned before = rig.orders[PW_WIRELESS_SCAN];
    rig_run_until(next - 10);
    pw_network_used(&rig.net, rig.now);
    rig_run(PW_NETWORK_USED_MS - 10);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before);
    rig_run(20);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before + 1);
}

static void a_radio_that_cannot_be_an_access_point_goes_on_looking(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig.no_host = true;
    rig_begin();
    rig_run(3600000);
    rig.shed = true;
    rig_run(PW_NETWORK_RETRY_MOST + 60000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

static void without_randomness_there_is_no_access_point_and_it_is_said(void **state)
{
    (void)state;
    rig.no_bytes = true;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    rig_run(3600000);
    assert_int_equal(rig.orders[PW_WIRELESS_OPEN], 0);
    assert_non_null(strstr(rig.log, "no random numbers"));
}

// ---- Its password.

static void the_password_is_made_once_and_kept(void **state)
{
    char first[PW_NETWORK_AP_PASSWORD + 1];
    (void)state;
    rig_start();
    (void)snprintf(first, sizeof(first), "%s", pw_network_ap_password(&rig.net));
    assert_int_equal(strlen(first), PW_NETWORK_AP_PASSWORD);
    assert_int_equal(strspn(first, "abcdefghjkmnpqrstuvwxyz23456789"), PW_NETWORK_AP_PASSWORD);
    assert_true(rig.disk.port.durable(rig.disk.port.context) > 0);
    rig.no_bytes = true; // another one cannot be made
    rig_start();
    assert_string_equal(pw_network_ap_password(&rig.net), first);
}

// Reason: what the seed did (facts/ac-evse-rapi-load.md §3.4): passwords in reports and logs.
static void no_password_is_in_a_log_line_or_in_json(void **state)
{
    char json[8192] = "";
    struct pw_out out = PW_OUT(json);
    (void)state;
    rig.wrong = true;
    rig_begin();
    rig_run(600000);
    pw_network_report_json(&rig.net, &out, rig.now);
    assert_false(out.full);
    assert_int_equal(rig.orders[PW_WIRELESS_OPEN] > 0, true);
    const char *secrets[] = {"home-secret", "shed-secret", pw_network_ap_password(&rig.net)};
    for (size_t i = 0; i < PW_COUNT(secrets); i++) {
        assert_null(strstr(json, secrets[i]));
        assert_null(strstr(rig.log, secrets[i]));
    }
    assert_non_null(strstr(json, "\"failed_why\":\"the password is refused\""));
    assert_non_null(strstr(json, "\"password_set\":true"));
}

static void the_console_tells_the_password_while_the_access_point_stands(void **state)
{
    char text[4096] = "";
    struct pw_out out = PW_OUT(text);
    (void)state;
    rig_begin();
    pw_network_report(&rig.net, &out, rig.now);
    assert_null(strstr(text, pw_network_ap_password(&rig.net)));
    assert_non_null(strstr(text, "network: joined \"Home\""));
    rig.home = false;
    rig.shed = false;
    rig_lose();
    rig_run(PW_NETWORK_FALLBACK_MS);
    out = PW_OUT(text);
    pw_network_report(&rig.net, &out, rig.now);
    assert_non_null(strstr(text, pw_network_ap_password(&rig.net)));
}

static void a_long_station_id_is_cut_to_a_name_that_radios_can_say(void **state)
{
    (void)state;
    rig_set("network.ap_ssid",
            "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
            "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4",
            PW_BY_FILE);
    rig_start();
    assert_int_equal(strlen(rig.net.ap_ssid), 32);
    rig_close(state);
    rig_open(state);
    rig_set("station.id", "a-station-with-a-long-name-in-the-4th", PW_BY_FILE);
    rig_start();
    assert_int_equal(strlen(rig.net.ap_ssid), 32);
    assert_int_equal(strncmp(rig.net.ap_ssid, "Pilotwire-a-station", 19), 0);
}

// ---- Losses.

static void a_lost_connection_is_looked_for_at_once(void **state)
{
    (void)state;
    rig_begin();
    rig_run(3600000);
    pw_ms lost_at = rig.now;
    rig_lose();
    rig_run(5000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_in_range(rig.net.since, lost_at, lost_at + 4000);
}

// Reason: F11: a network that lets in and throws out must not keep the radio busy.
static void a_network_that_throws_out_at_once_is_tried_ever_less_often(void **state)
{
    (void)state;
    rig_begin();
    unsigned before = rig.orders[PW_WIRELESS_JOIN];
    for (unsigned i = 0; i < 3600; i++) {
        if (rig.facts.use == PW_WIRELESS_JOINED) {
            rig_lose();
        }
        rig_run(1000);
    }
    assert_in_range(rig.orders[PW_WIRELESS_JOIN] - before, 20, 120);
}

static void a_join_that_succeeds_too_late_counts(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    assert_int_equal(rig.net.state, PW_NETWORK_WAITING);
    rig_be(PW_WIRELESS_JOINED, HOME, 77);
    rig_run(100);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

// Reason: an answer of yesterday's order is no answer to today's.
static void the_end_of_an_old_order_is_ignored(void **state)
{
    (void)state;
    rig_begin();
    rig_lose();
    (void)pw_network_step(&rig.net, rig.now);
    assert_int_equal(rig.net.state, PW_NETWORK_WAITING);
    rig_run(15000);
    uint32_t number = rig.net.order.number;
    pw_network_ended(&rig.net, number - 1, PW_WIRELESS_FAILED, PW_STR("old"));
    assert_false(rig.net.ended);
}

// Reason: with a new password the old connection still stands for a moment, and proves nothing.
static void a_connection_of_before_does_not_prove_a_new_password(void **state)
{
    (void)state;
    rig_begin();
    rig_set("network.password1", "another-secret", PW_BY_PERSON);
    (void)pw_network_step(&rig.net, rig.now);
    rig.now += PW_NETWORK_SETTLE_MS;
    (void)pw_network_step(&rig.net, rig.now);
    assert_true(pw_network_take_order(&rig.net, &rig.order));
    rig_answer_scan();
    (void)pw_network_step(&rig.net, rig.now);
    assert_int_equal(rig.facts.use, PW_WIRELESS_JOINED);
    (void)pw_network_step(&rig.net, rig.now);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINING);
}

// ---- The cable.

static void a_cable_counts_as_connected_and_the_radio_rests(void **state)
{
    struct pw_network_view view;
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig_begin();
    rig_reach_host();
    rig.facts.wired = true;
    rig_tell();
    rig_run(10);
    assert_int_equal(rig.net.state, PW_NETWORK_WIRED);
    assert_int_equal(rig.order.what, PW_WIRELESS_LEAVE);
    pw_network_view(&rig.net, &view);
    assert_true(view.connected);
    assert_false(view.ap);
    rig.facts.wired = false;
    rig.home = true;
    rig_tell();
    rig_run(10000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

// ---- Settings and people.

static void a_new_network_is_tried_when_its_settings_have_settled(void **state)
{
    (void)state;
    rig_set("network.ssid1", "Elsewhere", PW_BY_PERSON);
    rig_set("network.ssid2", "", PW_BY_PERSON);
    rig_begin();
    rig_reach_host();
    rig.facts.guests = 1; // who sets it up
    rig_tell();
    rig_set("network.ssid1", HOME, PW_BY_PERSON);
    rig_run(2000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    rig_set("network.password1", "another-secret", PW_BY_PERSON);
    rig_run(2000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    rig_run(10000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

static void a_change_of_the_other_network_leaves_the_connection_alone(void **state)
{
    (void)state;
    rig_begin();
    unsigned before = rig.net.order.number;
    rig_set("network.ssid2", "Somewhere", PW_BY_PERSON);
    rig_run(60000);
    assert_int_equal(rig.net.order.number, before);
    rig_set("network.password1", "another-secret", PW_BY_PERSON);
    rig_run(60000);
    assert_true(rig.net.order.number > before);
    assert_string_equal(rig.order.password, "another-secret");
}

static void a_scan_asked_for_while_joined_disturbs_nothing(void **state)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    rig_begin();
    pw_ms since = rig.net.since;
    rig.net.found_count = 0;
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_OK);
    rig_run(10000);
    assert_int_equal(rig.net.found_count, 3);
    assert_int_equal(rig.net.since, since);
}

static void a_scan_asked_for_over_the_access_point_closes_it_and_opens_it_again(void **state)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    rig_set("network.ssid1", "", PW_BY_PERSON);
    rig_set("network.ssid2", "", PW_BY_PERSON);
    rig_begin();
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_OK);
    rig_run(500);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST); // the answer still gets through
    rig_run(1000);
    assert_int_equal(rig.net.state, PW_NETWORK_SCANNING);
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_ERR_BUSY);
    rig_run(10000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
}

static void a_station_that_does_not_manage_its_network_orders_nothing(void **state)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    rig_set("network.managed", "false", PW_BY_FILE);
    rig_begin();
    rig_run(600000);
    assert_int_equal(rig.net.state, PW_NETWORK_OFF);
    assert_int_equal(rig.net.order.number, 0);
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_ERR_BUSY);
    assert_string_equal(text, "network.managed is off");
    assert_int_equal(pw_sim_store_count(&rig.disk, "network/"), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
    const struct CMUnitTest tests[] = {
        T(the_first_known_network_is_joined_although_the_second_is_stronger),
        T(the_second_is_joined_when_the_first_is_away),
        T(a_connection_that_stands_is_kept_at_the_start),
        T(a_network_that_is_not_ours_is_left_for_one_that_is),
        T(a_network_joined_by_hand_is_kept_while_none_is_known),
        T(the_access_point_is_ordered_within_two_minutes),
        T(it_is_ordered_in_time_however_long_attempts_take),
        T(a_station_that_knows_no_network_opens_its_access_point_at_once),
        T(the_known_network_is_joined_again_when_it_is_back),
        T(looks_are_five_minutes_apart_in_the_long_run_and_the_access_point_stands_between),
        T(the_access_point_stands_a_minute_and_then_ever_longer),
        T(a_short_pause_does_not_shorten_the_access_points_minute),
        T(a_guest_puts_the_next_look_off),
        T(somebody_at_the_set_up_page_puts_the_next_look_off),
        T(a_radio_that_cannot_be_an_access_point_goes_on_looking),
        T(without_randomness_there_is_no_access_point_and_it_is_said),
        T(the_password_is_made_once_and_kept),
        T(no_password_is_in_a_log_line_or_in_json),
        T(the_console_tells_the_password_while_the_access_point_stands),
        T(a_long_station_id_is_cut_to_a_name_that_radios_can_say),
        T(a_lost_connection_is_looked_for_at_once),
        T(a_network_that_throws_out_at_once_is_tried_ever_less_often),
        T(a_join_that_succeeds_too_late_counts),
        T(the_end_of_an_old_order_is_ignored),
        T(a_connection_of_before_does_not_prove_a_new_password),
        T(a_cable_counts_as_connected_and_the_radio_rests),
        T(a_new_network_is_tried_when_its_settings_have_settled),
        T(a_change_of_the_other_network_leaves_the_connection_alone),
        T(a_scan_asked_for_while_joined_disturbs_nothing),
        T(a_scan_asked_for_over_the_access_point_closes_it_and_opens_it_again),
        T(a_station_that_does_not_manage_its_network_orders_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
