// network: the machine alone, in virtual time. What is in reach, whose password is right and what
// the radio can do belong to the test; it carries out orders as a port would.
#include "network/network.h"
#include "simstore.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define HOME "Home"
#define SHED "The shed"

static struct rig {
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_network net;
    struct pw_wireless_facts facts;
    pw_ms now;
    // The world.
    bool home;     // in reach
    bool shed;     //
    bool wrong;    // neither lets us in
    bool deaf;     // the radio does nothing it is told
    bool no_host;  // the radio cannot be an access point
    bool no_bytes; // there is no randomness
    uint32_t slow; // seed of how long orders take; 0: two seconds
    // What the port is at.
    struct pw_wireless_order order;
    pw_ms done_at; // PW_NEVER: at nothing
    // What was seen.
    unsigned orders[4];
    pw_ms opened_at;
    char log[16384];
} rig;

static void write_log(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    struct pw_out out = {.at = rig.log, .cap = sizeof(rig.log), .len = strlen(rig.log)};
    (void)context;
    (void)level;
    (void)room;
    pw_put(&out, text);
    pw_put_c(&out, '\n');
}

static int fill_random(void *context, uint8_t *to, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)(i * 37U + 250U); // 250: the first byte is one of those thrown away
    }
    return rig.no_bytes ? PW_ERR_BUG : PW_OK;
}

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    if (pw_settings_set(&rig.settings, at, pw_str_of(value), by, &why) != PW_OK) {
        fail_msg("%s", text);
    }
}

static void start(void)
{
    static const struct pw_log log = {.write = write_log};
    static const struct pw_network_port port = {.random = fill_random};
    const struct pw_network_config config = {
        .settings = &rig.settings, .store = &rig.disk.port, .port = &port, .log = &log};
    pw_network_init(&rig.net, &config, rig.now);
}

// Both networks known, both in reach, NetworkManager there, radio idle.
static int open_rig(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof(rig));
    rig.now = 1000;
    rig.home = true;
    rig.shed = true;
    rig.done_at = PW_NEVER;
    rig.opened_at = PW_NEVER;
    rig.facts = (struct pw_wireless_facts){.service = true,
                                           .radio = true,
                                           .signal = PW_WIRELESS_UNKNOWN,
                                           .guests = PW_WIRELESS_UNKNOWN};
    pw_settings_init(&rig.settings);
    set("station.id", "S1", PW_BY_FILE);
    set("network.managed", "true", PW_BY_FILE);
    set("network.ssid1", HOME, PW_BY_FILE);
    set("network.password1", "home-secret", PW_BY_SECRETS);
    set("network.ssid2", SHED, PW_BY_FILE);
    set("network.password2", "shed-secret", PW_BY_SECRETS);
    pw_sim_store_init(&rig.disk);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    pw_sim_store_free(&rig.disk);
    return 0;
}

// ---- The port and the world.

static void be(enum pw_wireless_use use, const char *ssid, uint32_t order)
{
    rig.facts.use = use;
    rig.facts.order = order;
    (void)snprintf(rig.facts.ssid, sizeof(rig.facts.ssid), "%s", ssid);
    pw_network_facts(&rig.net, &rig.facts);
}

static void answer_scan(void)
{
    struct pw_wireless_found found[3];
    size_t count = 0;
    memset(found, 0, sizeof(found));
    if (rig.shed) {
        found[count++] = (struct pw_wireless_found){.ssid = SHED, .signal = 90, .secured = true};
    }
    if (rig.home) {
        found[count++] = (struct pw_wireless_found){.ssid = HOME, .signal = 40, .secured = true};
    }
    found[count++] = (struct pw_wireless_found){.ssid = "Neighbour", .signal = 20, .secured = true};
    pw_network_found(&rig.net, found, count, rig.now);
    pw_network_ended(&rig.net, rig.order.number, PW_WIRELESS_SCANNED, PW_STR(""));
}

static void finish_order(void)
{
    const struct pw_wireless_order *order = &rig.order;
    bool there = strcmp(order->ssid, HOME) == 0 ? rig.home : rig.shed;
    rig.done_at = PW_NEVER;
    switch (order->what) {
    case PW_WIRELESS_SCAN: answer_scan(); return;
    case PW_WIRELESS_JOIN:
        if (!there) {
            pw_network_ended(&rig.net, order->number, PW_WIRELESS_FAILED, PW_STR("not found"));
        } else if (rig.wrong) {
            pw_network_ended(&rig.net, order->number, PW_WIRELESS_PASSWORD, PW_STR("no secrets"));
        } else {
            be(PW_WIRELESS_JOINED, order->ssid, order->number);
        }
        return;
    case PW_WIRELESS_OPEN:
        if (rig.no_host) {
            pw_network_ended(&rig.net, order->number, PW_WIRELESS_FAILED, PW_STR("not supported"));
        } else {
            be(PW_WIRELESS_HOST, order->ssid, order->number);
        }
        return;
    case PW_WIRELESS_LEAVE: return;
    }
}

// Two seconds, or anything below what the machine waits for; often nearly that.
static pw_ms duration(void)
{
    pw_ms most = rig.order.what == PW_WIRELESS_SCAN ? PW_NETWORK_SCAN_MS : PW_NETWORK_JOIN_MS;
    if (rig.slow == 0) {
        return 2000;
    }
    rig.slow = rig.slow * 1664525U + 1013904223U;
    return rig.slow % 3 == 0 ? most - 1 : rig.slow / 7 % most;
}

static void take_orders(void)
{
    if (!pw_network_take_order(&rig.net, &rig.order)) {
        return;
    }
    rig.orders[rig.order.what]++;
    if (rig.order.what == PW_WIRELESS_OPEN && rig.opened_at == PW_NEVER) {
        rig.opened_at = rig.now;
    }
    bool scans_beside = rig.order.what == PW_WIRELESS_SCAN && rig.facts.use == PW_WIRELESS_JOINED;
    if (!rig.deaf && !scans_beside) {
        be(PW_WIRELESS_IDLE, "", 0);
    }
    rig.done_at = rig.deaf ? PW_NEVER : rig.now + duration();
}

// Turns until `until`, each as early as the machine or the port asks.
static void run_until(pw_ms until)
{
    for (unsigned turns = 0; turns < 200000; turns++) {
        pw_ms at = pw_network_step(&rig.net, rig.now);
        take_orders();
        at = pw_earlier(at, rig.done_at);
        assert_true(at > rig.now || turns < 199999);
        if (at > until) {
            rig.now = until;
            return;
        }
        rig.now = at > rig.now ? at : rig.now;
        if (rig.now >= rig.done_at) {
            finish_order();
        }
    }
    fail_msg("the machine does not come to rest");
}

static void run(pw_ms ms)
{
    run_until(rig.now + ms);
}

static void tell(void)
{
    pw_network_facts(&rig.net, &rig.facts);
}

static void begin(void)
{
    start();
    tell();
    run(10000);
}

// A new access point has just opened.
static void reach_host(void)
{
    for (unsigned i = 0; i < 6000 && rig.net.state != PW_NETWORK_HOST; i++) {
        run(100);
    }
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
}

static void lose(void)
{
    be(PW_WIRELESS_IDLE, "", 0);
}

// ---- Known networks.

// Reason: the first row is the owner's first choice; the neighbour of the second may be louder.
static void the_first_known_network_is_joined_although_the_second_is_stronger(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_string_equal(rig.facts.ssid, HOME);
    assert_string_equal(rig.order.password, "home-secret");
}

static void the_second_is_joined_when_the_first_is_away(void **state)
{
    (void)state;
    rig.home = false;
    begin();
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_string_equal(rig.facts.ssid, SHED);
    assert_string_equal(rig.order.password, "shed-secret");
}

// Reason: a restart of the program must not cut a connection that stands.
static void a_connection_that_stands_is_kept_at_the_start(void **state)
{
    (void)state;
    start();
    be(PW_WIRELESS_JOINED, SHED, 0);
    run(600000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_int_equal(rig.net.order.number, 0);
}

static void a_network_that_is_not_ours_is_left_for_one_that_is(void **state)
{
    (void)state;
    start();
    be(PW_WIRELESS_JOINED, "Cafe", 0);
    run(10000);
    assert_string_equal(rig.facts.ssid, HOME);
}

// Reason: whoever joined by hand, on a station that knows no network, must not be cut off.
static void a_network_joined_by_hand_is_kept_while_none_is_known(void **state)
{
    (void)state;
    set("network.ssid1", "", PW_BY_PERSON);
    set("network.ssid2", "", PW_BY_PERSON);
    start();
    be(PW_WIRELESS_JOINED, "Cafe", 0);
    run(600000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_int_equal(rig.net.order.number, 0);
}

// ---- The access point.

// Reason: the bound of network.h, whatever the networks do: not there, wrong password, silent port.
static void the_access_point_is_ordered_within_two_minutes(void **state)
{
    for (unsigned what = 0; what < 8; what++) {
        close_rig(state);
        open_rig(state);
        rig.home = (what & 1U) != 0;
        rig.shed = (what & 2U) != 0;
        rig.wrong = true;
        rig.deaf = (what & 4U) != 0;
        start();
        tell();
        run(PW_NETWORK_FALLBACK_MS + 1);
        assert_true(rig.opened_at <= 1000 + PW_NETWORK_FALLBACK_MS);
        assert_true(rig.deaf || rig.net.state == PW_NETWORK_HOST);
    }
}

// Reason: the bound must hold however long a radio takes for what it fails at.
static void it_is_ordered_in_time_however_long_attempts_take(void **state)
{
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        close_rig(state);
        open_rig(state);
        rig.wrong = true;
        rig.slow = seed;
        start();
        tell();
        run(PW_NETWORK_FALLBACK_MS);
        if (rig.opened_at > 1000 + PW_NETWORK_FALLBACK_MS) {
            fail_msg("seed %u: not ordered after two minutes", seed);
        }
    }
}

static void a_station_that_knows_no_network_opens_its_access_point_at_once(void **state)
{
    (void)state;
    set("network.ssid1", "", PW_BY_PERSON);
    set("network.ssid2", "", PW_BY_PERSON);
    begin();
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    assert_string_equal(rig.facts.ssid, "Pilotwire-S1");
    assert_int_equal(rig.net.found_count, 3); // for the set-up page
    run(UINT64_C(24) * 3600 * 1000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], 1);
}

// Reason: facts/ac-evse-rapi-load.md §6 item 6: stations that stay in access point mode for good.
static void the_known_network_is_joined_again_when_it_is_back(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    begin();
    run(3600000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    rig.home = true;
    run(PW_NETWORK_RETRY_MOST + 30000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

static void
looks_are_five_minutes_apart_in_the_long_run_and_the_access_point_stands_between(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    begin();
    run(3600000);
    unsigned before = rig.orders[PW_WIRELESS_SCAN];
    run(3600000);
    assert_in_range(rig.orders[PW_WIRELESS_SCAN] - before, 11, 12);
}

// Reason: a person needs a minute to join; a network that comes back wants the station soon.
static void the_access_point_stands_a_minute_and_then_ever_longer(void **state)
{
    pw_ms stood[6] = {0};
    (void)state;
    rig.home = false;
    rig.shed = false;
    begin();
    for (unsigned i = 0; i < PW_COUNT(stood); i++) {
        reach_host();
        pw_ms since = rig.net.since;
        while (rig.net.state == PW_NETWORK_HOST) {
            run(1000);
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
    set("network.retry_ms", "1000", PW_BY_PERSON);
    rig.home = false;
    rig.shed = false;
    rig.deaf = true; // three scans of 15 s and pauses of 1 and 2 s fill the search
    start();
    tell();
    run_until(48900);
    rig.deaf = false;
    reach_host();
    assert_true(rig.net.backoff_ms < PW_NETWORK_AP_LEAST_MS / 2);
    pw_ms since = rig.net.since;
    run_until(since + PW_NETWORK_AP_LEAST_MS - 1);
    assert_int_equal(rig.net.since, since);
}

static void a_guest_puts_the_next_look_off(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    begin();
    reach_host();
    rig.facts.guests = 1;
    tell();
    unsigned before = rig.orders[PW_WIRELESS_SCAN];
    pw_ms since = rig.net.since;
    run_until(since + PW_NETWORK_GUEST_MS - 1);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before);
    // Reason: a telephone left joined must not keep the station away for good.
    run_until(since + PW_NETWORK_GUEST_MS + 1);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before + 1);
}

// Reason: not every radio tells who is joined; whoever is at the set-up page is seen there.
static void somebody_at_the_set_up_page_puts_the_next_look_off(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    begin();
    reach_host();
    pw_ms next = rig.net.next_at;
    unsigned before = rig.orders[PW_WIRELESS_SCAN];
    run_until(next - 10);
    pw_network_used(&rig.net, rig.now);
    run(PW_NETWORK_USED_MS - 10);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before);
    run(20);
    assert_int_equal(rig.orders[PW_WIRELESS_SCAN], before + 1);
}

static void a_radio_that_cannot_be_an_access_point_goes_on_looking(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    rig.no_host = true;
    begin();
    run(3600000);
    rig.shed = true;
    run(PW_NETWORK_RETRY_MOST + 60000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

static void without_randomness_there_is_no_access_point_and_it_is_said(void **state)
{
    (void)state;
    rig.no_bytes = true;
    rig.home = false;
    rig.shed = false;
    begin();
    run(3600000);
    assert_int_equal(rig.orders[PW_WIRELESS_OPEN], 0);
    assert_non_null(strstr(rig.log, "no random numbers"));
}

// ---- Its password.

static void the_password_is_made_once_and_kept(void **state)
{
    char first[PW_NETWORK_AP_PASSWORD + 1];
    (void)state;
    start();
    (void)snprintf(first, sizeof(first), "%s", pw_network_ap_password(&rig.net));
    assert_int_equal(strlen(first), PW_NETWORK_AP_PASSWORD);
    assert_int_equal(strspn(first, "abcdefghjkmnpqrstuvwxyz23456789"), PW_NETWORK_AP_PASSWORD);
    assert_true(rig.disk.port.durable(rig.disk.port.context) > 0);
    rig.no_bytes = true; // another one cannot be made
    start();
    assert_string_equal(pw_network_ap_password(&rig.net), first);
}

// Reason: what the seed did (facts/ac-evse-rapi-load.md §3.4): passwords in reports and logs.
static void no_password_is_in_a_log_line_or_in_json(void **state)
{
    char json[8192] = "";
    struct pw_out out = PW_OUT(json);
    (void)state;
    rig.wrong = true;
    begin();
    run(600000);
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
    begin();
    pw_network_report(&rig.net, &out, rig.now);
    assert_null(strstr(text, pw_network_ap_password(&rig.net)));
    assert_non_null(strstr(text, "network: joined \"Home\""));
    rig.home = false;
    rig.shed = false;
    lose();
    run(PW_NETWORK_FALLBACK_MS);
    out = PW_OUT(text);
    pw_network_report(&rig.net, &out, rig.now);
    assert_non_null(strstr(text, pw_network_ap_password(&rig.net)));
}

static void a_long_station_id_is_cut_to_a_name_that_radios_can_say(void **state)
{
    (void)state;
    set("network.ap_ssid",
        "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
        "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4",
        PW_BY_FILE);
    start();
    assert_int_equal(strlen(rig.net.ap_ssid), 32);
    close_rig(state);
    open_rig(state);
    set("station.id", "a-station-with-a-long-name-in-the-4th", PW_BY_FILE);
    start();
    assert_int_equal(strlen(rig.net.ap_ssid), 32);
    assert_int_equal(strncmp(rig.net.ap_ssid, "Pilotwire-a-station", 19), 0);
}

// ---- Losses.

static void a_lost_connection_is_looked_for_at_once(void **state)
{
    (void)state;
    begin();
    run(3600000);
    pw_ms lost_at = rig.now;
    lose();
    run(5000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
    assert_in_range(rig.net.since, lost_at, lost_at + 4000);
}

// Reason: F11: a network that lets in and throws out must not keep the radio busy.
static void a_network_that_throws_out_at_once_is_tried_ever_less_often(void **state)
{
    (void)state;
    begin();
    unsigned before = rig.orders[PW_WIRELESS_JOIN];
    for (unsigned i = 0; i < 3600; i++) {
        if (rig.facts.use == PW_WIRELESS_JOINED) {
            lose();
        }
        run(1000);
    }
    assert_in_range(rig.orders[PW_WIRELESS_JOIN] - before, 20, 120);
}

static void a_join_that_succeeds_too_late_counts(void **state)
{
    (void)state;
    rig.home = false;
    rig.shed = false;
    begin();
    assert_int_equal(rig.net.state, PW_NETWORK_WAITING);
    be(PW_WIRELESS_JOINED, HOME, 77);
    run(100);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

// Reason: an answer of yesterday's order is no answer to today's.
static void the_end_of_an_old_order_is_ignored(void **state)
{
    (void)state;
    begin();
    lose();
    (void)pw_network_step(&rig.net, rig.now);
    assert_int_equal(rig.net.state, PW_NETWORK_WAITING);
    run(15000);
    uint32_t number = rig.net.order.number;
    pw_network_ended(&rig.net, number - 1, PW_WIRELESS_FAILED, PW_STR("old"));
    assert_false(rig.net.ended);
}

// Reason: with a new password the old connection still stands for a moment, and proves nothing.
static void a_connection_of_before_does_not_prove_a_new_password(void **state)
{
    (void)state;
    begin();
    set("network.password1", "another-secret", PW_BY_PERSON);
    (void)pw_network_step(&rig.net, rig.now);
    rig.now += PW_NETWORK_SETTLE_MS;
    (void)pw_network_step(&rig.net, rig.now);
    assert_true(pw_network_take_order(&rig.net, &rig.order));
    answer_scan();
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
    begin();
    reach_host();
    rig.facts.wired = true;
    tell();
    run(10);
    assert_int_equal(rig.net.state, PW_NETWORK_WIRED);
    assert_int_equal(rig.order.what, PW_WIRELESS_LEAVE);
    pw_network_view(&rig.net, &view);
    assert_true(view.connected);
    assert_false(view.ap);
    rig.facts.wired = false;
    rig.home = true;
    tell();
    run(10000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

// ---- Settings and people.

static void a_new_network_is_tried_when_its_settings_have_settled(void **state)
{
    (void)state;
    set("network.ssid1", "Elsewhere", PW_BY_PERSON);
    set("network.ssid2", "", PW_BY_PERSON);
    begin();
    reach_host();
    rig.facts.guests = 1; // who sets it up
    tell();
    set("network.ssid1", HOME, PW_BY_PERSON);
    run(2000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    set("network.password1", "another-secret", PW_BY_PERSON);
    run(2000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    run(10000);
    assert_int_equal(rig.net.state, PW_NETWORK_JOINED);
}

static void a_change_of_the_other_network_leaves_the_connection_alone(void **state)
{
    (void)state;
    begin();
    unsigned before = rig.net.order.number;
    set("network.ssid2", "Somewhere", PW_BY_PERSON);
    run(60000);
    assert_int_equal(rig.net.order.number, before);
    set("network.password1", "another-secret", PW_BY_PERSON);
    run(60000);
    assert_true(rig.net.order.number > before);
    assert_string_equal(rig.order.password, "another-secret");
}

static void a_scan_asked_for_while_joined_disturbs_nothing(void **state)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    begin();
    pw_ms since = rig.net.since;
    rig.net.found_count = 0;
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_OK);
    run(10000);
    assert_int_equal(rig.net.found_count, 3);
    assert_int_equal(rig.net.since, since);
}

static void a_scan_asked_for_over_the_access_point_closes_it_and_opens_it_again(void **state)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    set("network.ssid1", "", PW_BY_PERSON);
    set("network.ssid2", "", PW_BY_PERSON);
    begin();
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_OK);
    run(500);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST); // the answer still gets through
    run(1000);
    assert_int_equal(rig.net.state, PW_NETWORK_SCANNING);
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_ERR_BUSY);
    run(10000);
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
}

static void a_station_that_does_not_manage_its_network_orders_nothing(void **state)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    set("network.managed", "false", PW_BY_FILE);
    begin();
    run(600000);
    assert_int_equal(rig.net.state, PW_NETWORK_OFF);
    assert_int_equal(rig.net.order.number, 0);
    assert_int_equal(pw_network_scan(&rig.net, &why, rig.now), PW_ERR_BUSY);
    assert_string_equal(text, "network.managed is off");
    assert_int_equal(pw_sim_store_count(&rig.disk, "network/"), 0);
}

// ---- States x events: from every state every event leads to a state from which, once the world is
// good again, the known network is joined within the stated times.

enum event {
    NOTHING,
    SERVICE_GONE,
    RADIO_GONE,
    CABLE,
    LOST,
    JOINED_ELSEWHERE,
    HOSTING_BY_HAND,
    ENDED_SCANNED,
    ENDED_PASSWORD,
    ENDED_FAILED,
    NEW_SETTINGS,
    NO_SETTINGS,
    SCAN_ASKED,
    PORT_DEAF,
    GUEST,
    EVENTS,
};

static void happen(enum event event)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    uint32_t number = rig.net.order.number;
    switch (event) {
    case SERVICE_GONE: rig.facts.service = false; break;
    case RADIO_GONE: rig.facts.radio = false; break;
    case CABLE: rig.facts.wired = true; break;
    case LOST: lose(); break;
    case JOINED_ELSEWHERE: be(PW_WIRELESS_JOINED, "Cafe", 0); break;
    case HOSTING_BY_HAND: be(PW_WIRELESS_HOST, "Hotspot", 0); break;
    case ENDED_SCANNED: pw_network_ended(&rig.net, number, PW_WIRELESS_SCANNED, PW_STR("")); break;
    case ENDED_PASSWORD:
        pw_network_ended(&rig.net, number, PW_WIRELESS_PASSWORD, PW_STR(""));
        break;
    case ENDED_FAILED: pw_network_ended(&rig.net, number, PW_WIRELESS_FAILED, PW_STR("")); break;
    case NEW_SETTINGS: set("network.password1", "quite-another", PW_BY_PERSON); break;
    case NO_SETTINGS:
        set("network.ssid1", "", PW_BY_PERSON);
        set("network.ssid2", "", PW_BY_PERSON);
        break;
    case SCAN_ASKED: (void)!pw_network_scan(&rig.net, &why, rig.now); break;
    case PORT_DEAF: rig.deaf = true; break;
    case GUEST: rig.facts.guests = 2; break;
    case NOTHING:
    case EVENTS: break;
    }
    tell();
}

static void bring_to(enum pw_network_state state)
{
    rig.home =
        state != PW_NETWORK_HOST && state != PW_NETWORK_OPENING && state != PW_NETWORK_WAITING;
    rig.shed = false;
    rig.facts.service = state != PW_NETWORK_ABSENT;
    rig.facts.wired = state == PW_NETWORK_WIRED;
    rig.facts.radio = state != PW_NETWORK_NO_RADIO;
    if (state == PW_NETWORK_OFF) {
        start();
        return; // managed, and not stepped yet
    }
    start();
    tell();
    for (unsigned i = 0; i < 400 && rig.net.state != state; i++) {
        run(500);
    }
    assert_int_equal(rig.net.state, state);
}

static void try_one(enum pw_network_state from, enum event event)
{
    bring_to(from);
    happen(event);
    run(PW_NETWORK_FALLBACK_MS + PW_NETWORK_JOIN_MS);
    // All is well again, but the guest stays.
    rig.deaf = false;
    rig.home = true;
    rig.facts.service = true;
    rig.facts.wired = false;
    rig.facts.radio = true;
    set("network.ssid1", HOME, PW_BY_PERSON);
    tell();
    run(PW_NETWORK_GUEST_MS + PW_NETWORK_RETRY_MOST);
    if (rig.net.state != PW_NETWORK_JOINED) {
        fail_msg("from %s with event %d it ends %s:\n%s", pw_network_state_name(from), (int)event,
                 pw_network_state_name(rig.net.state), rig.log);
    }
}

static void every_state_survives_every_event_and_comes_back(void **state)
{
    for (unsigned from = 0; from < PW_NETWORK_STATE_ROWS; from++) {
        for (unsigned event = 0; event < EVENTS; event++) {
            close_rig(state);
            open_rig(state);
            try_one((enum pw_network_state)from, (enum event)event);
        }
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)
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
        T(every_state_survives_every_event_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
