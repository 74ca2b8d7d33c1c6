#include "desk.h"

#include "test.h"

#include <string.h>

uint64_t desk_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

void desk_init(struct desk *desk, const char *kind)
{
    struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
    *desk = (struct desk){.seed = 88172645463325252U};
    desk->senses = (struct pw_oeboard_senses){.diode = true, .temp_dc = PW_OEBOARD_NO_PROBE};
    assert_int_equal(pw_rapi_init(&desk->client, &config, NULL, 0, NULL), PW_OK);
    pw_oeboard_init(&desk->board, kind == NULL ? NULL : pw_oeboard_named(pw_str_of(kind)), 1, 0);
    pw_oeboard_power(&desk->board, true, 0);
    pw_rapi_up(&desk->client, 0);
}

static uint8_t through(struct desk *desk, uint8_t byte)
{
    if (desk->break_ppm > 0 && desk_random(&desk->seed) % 1000000 < desk->break_ppm) {
        return (uint8_t)desk_random(&desk->seed);
    }
    return byte;
}

static void sniff(struct desk *desk, uint8_t byte)
{
    struct pw_rapi_line line;
    if (!pw_rapi_read(&desk->sniffer, byte)) {
        return;
    }
    struct pw_str text = {.at = desk->sniffer.text, .len = desk->sniffer.len};
    assert_int_equal(pw_rapi_split(text, &line), PW_OK);
    assert_int_equal(line.check, PW_RAPI_CHECK_XOR);
    assert_true(text.len <= PW_RAPI_COMMAND_MAX);
    assert_int_equal(pw_str_copy(desk->last, sizeof(desk->last), text), PW_OK);
    if (desk->saws < PW_COUNT(desk->saw)) {
        char *to = desk->saw[desk->saws++];
        assert_int_equal(pw_str_copy(to, sizeof(desk->saw[0]), line.body), PW_OK);
    }
}

static void to_board(struct desk *desk)
{
    struct pw_str out = pw_rapi_out(&desk->client);
    for (size_t i = 0; i < out.len; i++) {
        uint8_t byte = (uint8_t)out.at[i];
        sniff(desk, byte);
        byte = through(desk, byte);
        if (!desk->cut) {
            pw_oeboard_hear(&desk->board, &byte, 1, desk->now);
        }
    }
    pw_rapi_out_sent(&desk->client, out.len, desk->now);
}

static void to_client(struct desk *desk)
{
    uint8_t bytes[128];
    size_t len;
    while ((len = pw_oeboard_take(&desk->board, bytes, sizeof(bytes), desk->now)) > 0) {
        for (size_t i = 0; i < len; i++) {
            bytes[i] = through(desk, bytes[i]);
        }
        if (!desk->cut) {
            assert_int_equal(pw_rapi_bytes(&desk->client, bytes, len), len);
            desk->client_due = pw_rapi_step(&desk->client, desk->now);
        }
    }
}

static void turn(struct desk *desk)
{
    struct pw_oeboard_drive drive = pw_oeboard_drive(&desk->board);
    struct pw_oeboard_senses senses = desk->senses;
    senses.live = senses.live || drive.relay;
    senses.ampere = drive.relay && senses.level == PW_OEBOARD_LEVEL_C ? senses.ampere : 0.0;
    desk->client_due = pw_rapi_step(&desk->client, desk->now);
    to_board(desk);
    desk->board_due = pw_oeboard_step(&desk->board, &senses, desk->now);
    to_client(desk);
    to_board(desk);
    if (drive.relay && pw_oeboard_offer_ma(&desk->board) > desk->highest_ma) {
        desk->highest_ma = pw_oeboard_offer_ma(&desk->board);
    }
    assert_true(desk->client_due > desk->now);
}

void desk_run(struct desk *desk, pw_ms ms)
{
    pw_ms end = desk->now + ms;
    turn(desk);
    while (desk->now < end) {
        pw_ms next = pw_earlier(desk->client_due, desk->board_due);
        next = pw_earlier(next, end);
        desk->now = next > desk->now ? next : desk->now + 1;
        turn(desk);
    }
}

void desk_watch(struct desk *desk)
{
    desk->saws = 0;
    desk->highest_ma = 0;
}

unsigned desk_sent(const struct desk *desk, const char *begins)
{
    unsigned count = 0;
    for (unsigned i = 0; i < desk->saws; i++) {
        count += strncmp(desk->saw[i], begins, strlen(begins)) == 0 ? 1 : 0;
    }
    return count;
}

unsigned desk_place(const struct desk *desk, const char *begins)
{
    for (unsigned i = 0; i < desk->saws; i++) {
        if (strncmp(desk->saw[i], begins, strlen(begins)) == 0) {
            return i;
        }
    }
    fail_msg("never sent: %s", begins);
    return 0;
}

void desk_want(struct desk *desk, enum pw_rapi_power power, int32_t limit_ma)
{
    struct pw_rapi_want want = {.power = power, .limit_ma = limit_ma};
    pw_rapi_want(&desk->client, &want);
}

void desk_car(struct desk *desk, enum pw_oeboard_level level, double ampere)
{
    desk->senses.level = level;
    desk->senses.ampere = ampere;
}
