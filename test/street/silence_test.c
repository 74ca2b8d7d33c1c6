// A link that is dead and nobody tells: what the station says is swallowed, nothing comes, and no
// connection closes. With the default a ping of the port finds it (peers/security/black_hole does
// that over real sockets); here the nets below it, with the station's real intervals in virtual
// time.
#include "parts.h"
#include "test.h"
#include "wsclient.h"

#include <stdio.h>
#include <stdlib.h>

enum { BOUND_MS = 60000, TIMEOUT_S = 30 };

_Noreturn void rig_end(enum rig_end how, const char *note)
{
    (void)how;
    fail_msg("%s", note);
    abort();
}

static struct rig *open_rig(const char *ping_s, const char *heartbeat_s)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "ocpp.websocket_ping_interval_s", ping_s);
    rig_set(r, "ocpp.heartbeat_interval_s", heartbeat_s);
    rig_boot(r);
    return r;
}

static void swallow(struct rig *r)
{
    static const char *const actions[] = {"Heartbeat",
                                          "StatusNotification",
                                          "MeterValues",
                                          "StartTransaction",
                                          "StopTransaction",
                                          "Authorize",
                                          "SecurityEventNotification"};
    for (size_t i = 0; i < PW_COUNT(actions); i++) {
        rig_answer_never(r, actions[i], 0);
    }
}

// How long until the station makes its link anew.
static pw_ms found_after(struct rig *r, pw_ms most)
{
    pw_ms from = r->street.now;
    unsigned opens = r->opens;
    while (r->opens == opens && r->street.now - from < most) {
        rig_run(r, 250);
    }
    assert_true(r->opens > opens);
    return r->street.now - from;
}

// Reason: an operator who switches pings off, or asks once a day, must not lose a station for a
// day.
static void without_pings_a_dead_link_is_found_within_minutes(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"0", "86400"}, {"0", "604800"}, {"0", "0"}, {"3600", "86400"}, {"301", "86400"}};
    pw_ms most = PW_CP16_SILENCE_MS + 2 * TIMEOUT_S * 1000 + 3000;
    pw_ms longest = 0;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        for (unsigned after_s = 1; after_s < 900; after_s += 149) {
            struct rig *r = open_rig(rows[i][0], rows[i][1]);
            rig_seconds(r, after_s);
            swallow(r);
            pw_ms found = found_after(r, most);
            longest = found > longest ? found : longest;
            rig_close(r);
        }
    }
    (void)printf("found after %llu s at the latest\n", (unsigned long long)(longest / 1000));
    assert_true(longest > PW_CP16_SILENCE_MS / 2);
}

// Reason: while somebody charges there is always something to say, and one call without an answer
// is enough to ask again at once.
static void in_a_charge_two_calls_are_enough(void **state)
{
    (void)state;
    struct rig *r = open_rig("0", "86400");
    rig_charge(r);
    rig_seconds(r, 20);
    swallow(r);
    // A sample a minute, then two calls.
    assert_in_range(found_after(r, 130000), 2 * TIMEOUT_S * 1000 - 1000,
                    60000 + 2 * TIMEOUT_S * 1000 + 3000);
    rig_close(r);
}

// Reason: a link that is only quiet stands; and pings make no heartbeat come sooner.
static void a_quiet_link_stands(void **state)
{
    (void)state;
    static const struct {
        const char *ping_s;
        unsigned least;
        unsigned most;
    } rows[] = {{"20", 0, 0}, {"300", 0, 0}, {"0", 23, 24}, {"3600", 23, 24}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct rig *r = open_rig(rows[i].ping_s, "86400");
        rig_seconds(r, 60);
        size_t from = r->count;
        unsigned opens = r->opens;
        rig_seconds(r, 7200);
        assert_int_equal(r->opens, opens);
        assert_in_range(rig_count(r, "Heartbeat", "{}", from), rows[i].least, rows[i].most);
        rig_close(r);
    }
}

// Reason: facts/reliability.md F12, found within 60 s; the port counts ping and pong.
static void the_default_ping_finds_it_within_60_s(void **state)
{
    (void)state;
    struct pw_settings settings;
    pw_settings_init(&settings);
    assert_true((pw_settings_int(&settings, PW_SET_WS_PING_S) + PW_WS_PONG_S) * 1000 <= BOUND_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_pings_a_dead_link_is_found_within_minutes),
        cmocka_unit_test(in_a_charge_two_calls_are_enough),
        cmocka_unit_test(a_quiet_link_stands),
        cmocka_unit_test(the_default_ping_finds_it_within_60_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
