#include "network_rig.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

struct rig rig;

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

void rig_set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    if (pw_settings_set(&rig.settings, at, pw_str_of(value), by, &why) != PW_OK) {
        fail_msg("%s", text);
    }
}

void rig_start(void)
{
    static const struct pw_log log = {.write = write_log};
    static const struct pw_network_port port = {.random = fill_random};
    const struct pw_network_config config = {
        .settings = &rig.settings, .store = &rig.disk.port, .port = &port, .log = &log};
    pw_network_init(&rig.net, &config, rig.now);
}

// Both networks known, both in reach, NetworkManager there, radio idle.
int rig_open(void **state)
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
    rig_set("station.id", "S1", PW_BY_FILE);
    rig_set("network.managed", "true", PW_BY_FILE);
    rig_set("network.ssid1", HOME, PW_BY_FILE);
    rig_set("network.password1", "home-secret", PW_BY_SECRETS);
    rig_set("network.ssid2", SHED, PW_BY_FILE);
    rig_set("network.password2", "shed-secret", PW_BY_SECRETS);
    pw_sim_store_init(&rig.disk);
    return 0;
}

int rig_close(void **state)
{
    (void)state;
    pw_sim_store_free(&rig.disk);
    return 0;
}

// ---- The port and the world.

void rig_be(enum pw_wireless_use use, const char *ssid, uint32_t order)
{
    rig.facts.use = use;
    rig.facts.order = order;
    (void)snprintf(rig.facts.ssid, sizeof(rig.facts.ssid), "%s", ssid);
    pw_network_facts(&rig.net, &rig.facts);
}

void rig_answer_scan(void)
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
    case PW_WIRELESS_SCAN: rig_answer_scan(); return;
    case PW_WIRELESS_JOIN:
        if (!there) {
            pw_network_ended(&rig.net, order->number, PW_WIRELESS_FAILED, PW_STR("not found"));
        } else if (rig.wrong) {
            pw_network_ended(&rig.net, order->number, PW_WIRELESS_PASSWORD, PW_STR("no secrets"));
        } else {
            rig_be(PW_WIRELESS_JOINED, order->ssid, order->number);
        }
        return;
    case PW_WIRELESS_OPEN:
        if (rig.no_host) {
            pw_network_ended(&rig.net, order->number, PW_WIRELESS_FAILED, PW_STR("not supported"));
        } else {
            rig_be(PW_WIRELESS_HOST, order->ssid, order->number);
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
        rig_be(PW_WIRELESS_IDLE, "", 0);
    }
    rig.done_at = rig.deaf ? PW_NEVER : rig.now + duration();
}

// Turns until `until`, each as early as the machine or the port asks.
void rig_run_until(pw_ms until)
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

void rig_run(pw_ms ms)
{
    rig_run_until(rig.now + ms);
}

void rig_tell(void)
{
    pw_network_facts(&rig.net, &rig.facts);
}

void rig_begin(void)
{
    rig_start();
    rig_tell();
    rig_run(10000);
}

// A new access point has just opened.
void rig_reach_host(void)
{
    for (unsigned i = 0; i < 6000 && rig.net.state != PW_NETWORK_HOST; i++) {
        rig_run(100);
    }
    assert_int_equal(rig.net.state, PW_NETWORK_HOST);
}

void rig_lose(void)
{
    rig_be(PW_WIRELESS_IDLE, "", 0);
}
