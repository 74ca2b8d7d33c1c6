// Millions of broken lines: lines a board may say and lines people may type, with bytes changed,
// dropped and doubled, thrown at one client that keeps running. The suite sends 2*10^5, the
// campaign 10^7: test_proto_rapi_lines LINES SEED.
#include "rapi/rapi.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t lines = 200000;
static uint64_t seed = 20261121;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static const char *const seeds[] = {
    "$OK",
    "$NK",
    "$OK 8.2.3 5.2.1",
    "$OK 10 6 0",
    "$NK 10 6 2",
    "$OK 01 0 01 0200",
    "$OK fe 3 03 2550",
    "$OK 254 12",
    "$OK 6 32 16 32",
    "$OK 6 32",
    "$OK 16",
    "$NK 6",
    "$OK 32 0021",
    "$OK 15900 230000",
    "$OK -1 -1",
    "$OK 4294967295 4294967295",
    "$OK -2560 305 -2560",
    "$OK 1 a FF",
    "$OK 165 165 165 165 165 85",
    "$AT 03 03 32 0540",
    "$AT 0A 03 6 0582",
    "$AB 00 8.2.3",
    "$AB 08 9.0.0",
    "$AN 1",
    "$WF 02",
    "$ST 03",
    "$ST ff",
    "relayCloseMs: 100",
    "$SC 4294967328",
    "$SC -1",
    "$SC 3x",
    "$SK",
    "$FF D 0",
    "$SY 100 6",
    "$FP 0 0 a b c d",
    "$S1 26 3 1 12 34 56",
    "$SC 16 V",
    "$GS extra",
    "$FR",
};

static struct pw_rapi_client client;

// One line with up to three faults in it; often with the id and the checksum it should have.
static void make(struct pw_out *out)
{
    char body[64];
    (void)snprintf(body, sizeof(body), "%s", seeds[draw() % PW_COUNT(seeds)]);
    size_t len = strlen(body);
    for (uint64_t faults = draw() % 4; faults > 0 && len > 1; faults--) {
        size_t at = draw() % len;
        switch (draw() % 4) {
        case 0: body[at] = (char)draw(); break;
        case 1: body[at] = (char)('0' + draw() % 10); break;
        case 2:
            memmove(body + at, body + at + 1, len - at);
            len--;
            break;
        default: body[at] = " $^*:\r\n"[draw() % 7]; break;
        }
    }
    bool right = draw() % 8 != 0;
    uint8_t seq = draw() % 2 == 0 ? client.seq : 0;
    enum pw_rapi_check check = right ? PW_RAPI_CHECK_XOR : (enum pw_rapi_check)(draw() % 3);
    assert_int_equal(pw_rapi_write(out, (struct pw_str){.at = body, .len = len}, seq, check),
                     PW_OK);
}

static void check(void)
{
    const struct pw_rapi_view *view = pw_rapi_view(&client);
    struct pw_str out = pw_rapi_out(&client);
    assert_true(out.len <= PW_RAPI_COMMAND_MAX + 1);
    assert_true(view->offered_ma == PW_RAPI_UNKNOWN ||
                (view->offered_ma >= 1000 && view->offered_ma <= 80000));
    assert_true(view->ma == PW_RAPI_UNKNOWN || (view->ma >= 0 && view->ma <= 100000));
    assert_true(view->total_wh >= -1 && view->total_wh <= UINT32_MAX);
    assert_true(view->up);
    // Whatever was said: never the permanent limit, never more than wanted, no protection.
    if (out.len > 4 && strncmp(out.at, "$SC", 3) == 0) {
        assert_true(strncmp(out.at, "$SC 16 V", 8) == 0 || strncmp(out.at, "$SC 16 N", 8) == 0 ||
                    client.view.config_ma < 16000 || client.view.hardware_ma < 16000 ||
                    client.view.min_ma > 16000);
    }
    assert_true(out.len == 0 || strncmp(out.at, "$FF", 3) != 0);
}

static void people_type(struct pw_str text)
{
    char room[100];
    struct pw_out body = PW_OUT(room);
    if (pw_rapi_command_raw(text, PW_RAPI_ADMIN, &body, NULL) == PW_OK) {
        struct pw_rapi_line line;
        assert_int_equal(pw_rapi_split(pw_out_str(&body), &line), PW_OK);
        assert_true(pw_rapi_command_of(&line, NULL)->who != PW_RAPI_NOBODY);
    }
}

static void broken_lines_break_nothing(void **state)
{
    struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
    struct pw_rapi_want want = {.power = PW_RAPI_ENABLED, .limit_ma = 16000, .lcd_on = true};
    pw_ms now = 0;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    assert_int_equal(pw_rapi_init(&client, &config, NULL, now, NULL), PW_OK);
    pw_rapi_want(&client, &want);
    pw_rapi_up(&client, now);
    for (uint64_t i = 0; i < lines; i++) {
        char text[128];
        struct pw_out out = PW_OUT(text);
        make(&out);
        people_type(pw_out_str(&out));
        assert_int_equal(pw_rapi_bytes(&client, (const uint8_t *)text, out.len), out.len);
        now += draw() % 64 == 0 ? 3000 : draw() % 50;
        assert_true(pw_rapi_step(&client, now) > now);
        check();
        pw_rapi_out_sent(&client, pw_rapi_out(&client).len, now);
    }
    const struct pw_rapi_view *view = pw_rapi_view(&client);
    print_message("%llu lines: %u answers, %u bad, %u stray, %u restarts\n",
                  (unsigned long long)lines, view->answers, view->bad, view->stray, view->reboots);
    assert_true(view->answers > lines / 1000 && view->bad > lines / 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(broken_lines_break_nothing)};
    if (argc > 1) {
        lines = strtoull(argv[1], NULL, 10);
    }
    if (argc > 2) {
        seed = strtoull(argv[2], NULL, 10) | 1U;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
