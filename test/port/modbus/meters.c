// Meters on a real line: libmodbus on both ends, over loopback and over a pty. What is tested is
// the background reader: that it hands over, keeps the loop free, and comes back from everything a
// meter may do. What the numbers mean is proto/modbus' test.
#include "modbus/line.h"
#include "modbus/server.h"
#include "test.h"

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define FAR_TOO_LONG_MS 20000
#define TURN_MS         5
#define TIMEOUT_MS      150

struct fixture {
    struct pw_clock clock;
    struct pw_loop loop;
    struct pw_modbus_meters *meters;
    struct pw_modbus_server *server[2];
    int master;
    int slave;
    struct pw_board_mains mains[3]; // newest of each meter
    unsigned taken[3];
    struct pw_modbus_state state[3];
    unsigned news[3];
    unsigned count;
    unsigned turns;
    bool (*done)(const struct fixture *f);
    pw_ms began;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    // Ten times as fast: a period is 100 ms.
    assert_int_equal(pw_clock_init(&f->clock, "0:0:10"), PW_OK);
    assert_int_equal(pw_loop_init(&f->loop, &f->clock), PW_OK);
    f->meters = pw_modbus_open(&f->loop, TIMEOUT_MS);
    assert_non_null(f->meters);
    f->master = -1;
    f->slave = -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pw_modbus_close(f->meters);
    pw_modbus_server_close(f->server[0]);
    pw_modbus_server_close(f->server[1]);
    pw_loop_close(&f->loop);
    if (f->master >= 0) {
        (void)close(f->master);
        (void)close(f->slave);
    }
    free(f);
    return 0;
}

static struct pw_board_mains shown(int32_t ma)
{
    return (struct pw_board_mains){
        .mv = {230100, 231200, 229300},
        .ma = {ma, ma + 100, ma + 200},
        .mw = {ma * 230, ma * 229, -1000},
        .mhz = 50020,
        .import_mwh = 1234560000,
    };
}

static pw_ms turn(void *context, pw_ms now)
{
    struct fixture *f = context;
    for (unsigned i = 0; i < f->count; i++) {
        f->taken[i] += pw_modbus_take(f->meters, i, &f->mains[i]);
        f->news[i] += pw_modbus_news(f->meters, i, &f->state[i]);
    }
    if (f->done(f) || pw_elapsed(f->began, (pw_ms)FAR_TOO_LONG_MS * 10, now)) {
        pw_loop_end(&f->loop);
    }
    f->turns++;
    return now + (pw_ms)TURN_MS * 10;
}

static void wait_for(struct fixture *f, bool (*done)(const struct fixture *f))
{
    f->done = done;
    f->began = pw_clock_now(&f->clock);
    memset(f->taken, 0, sizeof(f->taken));
    pw_loop_on_turn(&f->loop, turn, f);
    pw_loop_run(&f->loop);
    if (!done(f)) {
        fail_msg("waited in vain: taken %u %u, up %d %d, why \"%s\"", f->taken[0], f->taken[1],
                 f->state[0].up, f->state[1].up, f->state[0].why);
    }
}

static bool three_readings(const struct fixture *f)
{
    return f->taken[0] >= 3;
}

static bool both_read(const struct fixture *f)
{
    return f->taken[0] >= 3 && f->taken[1] >= 3;
}

static bool is_down(const struct fixture *f)
{
    return !f->state[0].up && f->state[0].failures > 0;
}

static bool is_up(const struct fixture *f)
{
    return f->state[0].up && f->taken[0] > 0;
}

static void add(struct fixture *f, const char *url)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    int number = pw_modbus_add(f->meters, pw_str_of(url), &why);
    if (number != (int)f->count) {
        fail_msg("%s: %s", url, text);
    }
    f->count++;
}

// Serves `map` on a free port of loopback and reads it.
static void serve_tcp(struct fixture *f, unsigned index, const char *map)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_modbus_url url = {
        .place = "127.0.0.1", .port = "0", .unit = 7, .map = pw_modbus_map_of(pw_str_of(map))};
    if (pw_modbus_serve(&f->server[index], &url, -1, &why) != PW_OK) {
        fail_msg("%s", text);
    }
    (void)snprintf(text, sizeof(text), "modbus:tcp:127.0.0.1:%u/7/%s",
                   pw_modbus_server_port(f->server[index]), map);
    add(f, text);
}

static void check_shown(const struct pw_board_mains *got, int32_t ma)
{
    struct pw_board_mains want = shown(ma);
    for (unsigned p = 0; p < 3; p++) {
        assert_in_range(got->mv[p], want.mv[p] - 100, want.mv[p] + 100);
        assert_in_range(got->ma[p], want.ma[p] - 10, want.ma[p] + 10);
    }
    assert_true(abs(got->mw[0] - want.mw[0]) <= 100);
    assert_int_equal(got->mw[2], -1000);
    assert_true(abs(got->mhz - 50020) <= 50);
    assert_true(llabs(got->import_mwh - want.import_mwh) <= 100000);
}

// Reason: every map, through a real server and a real client; the numbers that came in are the ones
// that were shown, and they follow.
static void each_three_phase_map_over_tcp(void **state)
{
    static const char *const maps[] = {"sdm630", "sdm72", "abb", "em340"};
    struct fixture *f = *state;
    for (size_t i = 0; i < PW_COUNT(maps); i++) {
        serve_tcp(f, 0, maps[i]);
        struct pw_board_mains mains = shown(16000);
        pw_modbus_server_show(f->server[0], &mains);
        wait_for(f, three_readings);
        check_shown(&f->mains[0], 16000);
        assert_true(f->state[0].up);
        mains = shown(6000);
        pw_modbus_server_show(f->server[0], &mains);
        wait_for(f, three_readings);
        check_shown(&f->mains[0], 6000);
        pw_ms now = pw_clock_now(&f->clock);
        assert_true(f->mains[0].at <= now && now - f->mains[0].at < 2000);
        pw_modbus_close(f->meters);
        pw_modbus_server_close(f->server[0]);
        f->server[0] = NULL;
        f->meters = pw_modbus_open(&f->loop, TIMEOUT_MS);
        assert_non_null(f->meters);
        f->count = 0;
    }
}

// Reason: the meter's bus hangs, later it answers again; meanwhile the loop turns as ever and
// nothing is handed over.
static void a_meter_that_stops_answering_comes_back(void **state)
{
    struct fixture *f = *state;
    serve_tcp(f, 0, "sdm630");
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    wait_for(f, three_readings);
    pw_modbus_server_mood(f->server[0], PW_MODBUS_SILENT);
    f->turns = 0;
    wait_for(f, is_down);
    assert_string_equal(f->state[0].why, "no answer");
    assert_true(f->taken[0] <= 1); // the one that was on its way
    assert_true(f->turns > 20);    // three answers have been waited for, a turn is due every 5 ms
    unsigned news = f->news[0];
    pw_modbus_server_mood(f->server[0], PW_MODBUS_ANSWERS);
    wait_for(f, is_up);
    assert_int_equal(f->news[0], news + 1);
    check_shown(&f->mains[0], 16000);
}

// Reason: a meter that refuses, or a converter that answers noise, is a meter that is away.
static void exceptions_and_noise_are_failures(void **state)
{
    struct fixture *f = *state;
    static const enum pw_modbus_mood moods[] = {PW_MODBUS_REFUSES, PW_MODBUS_GARBLES};
    serve_tcp(f, 0, "abb");
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    for (size_t i = 0; i < PW_COUNT(moods); i++) {
        wait_for(f, is_up);
        pw_modbus_server_mood(f->server[0], moods[i]);
        wait_for(f, is_down);
        if (moods[i] == PW_MODBUS_REFUSES) {
            assert_string_equal(f->state[0].why, "Slave device or server failure");
        }
        pw_modbus_server_mood(f->server[0], PW_MODBUS_ANSWERS);
        wait_for(f, is_up);
    }
}

// Reason: the server goes away with its port and comes back, as a converter does that is restarted;
// a host that is not there at all is no reason to stop.
static void a_host_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    serve_tcp(f, 0, "sdm230");
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    wait_for(f, is_up);
    struct pw_modbus_url url = {.place = "127.0.0.1", .unit = 7, .map = pw_modbus_map_at(2)};
    (void)snprintf(url.port, sizeof(url.port), "%u", pw_modbus_server_port(f->server[0]));
    pw_modbus_server_close(f->server[0]);
    f->server[0] = NULL;
    wait_for(f, is_down);
    assert_int_equal(pw_modbus_serve(&f->server[0], &url, -1, &why), PW_OK);
    pw_modbus_server_show(f->server[0], &mains);
    wait_for(f, is_up);
    assert_in_range(f->mains[0].ma[0], 15990, 16010);
    assert_int_equal(f->mains[0].ma[1], PW_BOARD_UNKNOWN);
}

// Reason: a gateway says that nobody has this unit; the neighbour on the same line goes on.
static void a_wrong_unit_does_not_stop_its_neighbour(void **state)
{
    struct fixture *f = *state;
    char text[256];
    serve_tcp(f, 0, "sdm630");
    (void)snprintf(text, sizeof(text), "modbus:tcp:127.0.0.1:%u/8/sdm630",
                   pw_modbus_server_port(f->server[0]));
    add(f, text);
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    wait_for(f, three_readings);
    assert_int_equal(f->taken[1], 0);
    assert_false(f->state[1].up);
    assert_string_equal(f->state[1].why, "Target device failed to respond");
}

static bool saw_a_nan(const struct fixture *f)
{
    return f->taken[0] > 0 && f->mains[0].mv[0] == PW_BOARD_UNKNOWN;
}

// Reason: NaN and a thousand million on the wire reach the caller as what they are: nothing, and
// out of all range.
static void impossible_registers_arrive_as_such(void **state)
{
    struct fixture *f = *state;
    serve_tcp(f, 0, "sdm630");
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    static const uint16_t huge[] = {0x4E6E, 0x6B28};
    static const uint16_t nan[] = {0x7FC0};
    assert_true(pw_modbus_server_fill(f->server[0], 8, huge, PW_COUNT(huge)));
    assert_true(pw_modbus_server_fill(f->server[0], 0, nan, PW_COUNT(nan)));
    assert_false(pw_modbus_server_fill(f->server[0], 0x4A, nan, PW_COUNT(nan)));
    wait_for(f, saw_a_nan);
    assert_int_equal(f->mains[0].ma[1], INT32_MAX);
    assert_in_range(f->mains[0].mv[1], 231100, 231300);
}

static void make_raw(int fd)
{
    struct termios mode;
    assert_int_equal(tcgetattr(fd, &mode), 0);
    cfmakeraw(&mode);
    assert_int_equal(tcsetattr(fd, TCSANOW, &mode), 0);
}

// Reason: most meters hang on two wires. The same over a pty with RTU framing and its checksum; a
// second unit on the line that does not exist costs time, not readings.
static void over_a_serial_line(void **state)
{
    struct fixture *f = *state;
    char name[64];
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(openpty(&f->master, &f->slave, name, NULL, NULL), 0);
    make_raw(f->slave);
    (void)snprintf(text, sizeof(text), "modbus:rtu:%s@19200-8E1/3/em340", name);
    struct pw_modbus_url url;
    assert_int_equal(pw_modbus_url_read(pw_str_of(text), &url, &why), PW_OK);
    assert_int_equal(pw_modbus_serve(&f->server[0], &url, f->master, &why), PW_OK);
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    add(f, text);
    wait_for(f, three_readings);
    check_shown(&f->mains[0], 16000);
    (void)snprintf(text, sizeof(text), "modbus:rtu:%s@19200-8E1/4/em340", name);
    add(f, text);
    wait_for(f, three_readings);
    assert_false(f->state[1].up);
    pw_modbus_server_mood(f->server[0], PW_MODBUS_GARBLES);
    wait_for(f, is_down);
    pw_modbus_server_mood(f->server[0], PW_MODBUS_ANSWERS);
    wait_for(f, is_up);
    check_shown(&f->mains[0], 16000);
}

// Reason: outlet and house may have a meter each, on different lines.
static void two_lines_at_once(void **state)
{
    struct fixture *f = *state;
    serve_tcp(f, 0, "sdm630");
    serve_tcp(f, 1, "abb");
    struct pw_board_mains mains = shown(16000);
    pw_modbus_server_show(f->server[0], &mains);
    mains = shown(30000);
    pw_modbus_server_show(f->server[1], &mains);
    wait_for(f, both_read);
    check_shown(&f->mains[0], 16000);
    check_shown(&f->mains[1], 30000);
}

// Reason: what people write into the settings must be refused with the part that is wrong, before
// anything is opened.
static void urls_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *says;
    } rows[] = {
        {"", "must be modbus:tcp:"},
        {"modbus:", "must be modbus:tcp:"},
        {"modbus:udp:h:502/1/abb", "must be modbus:tcp:"},
        {"modbus:tcp:", "host and port"},
        {"modbus:tcp:host/1/abb", "host and port"},
        {"modbus:tcp:host:0/1/abb", "host and port"},
        {"modbus:tcp:host:65536/1/abb", "host and port"},
        {"modbus:tcp::502/1/abb", "host and port"},
        {"modbus:tcp:host:502/0/abb", "1..247"},
        {"modbus:tcp:host:502/248/abb", "1..247"},
        {"modbus:tcp:host:502/x/abb", "1..247"},
        {"modbus:tcp:host:502/1/", "sdm630, sdm72, sdm230, sdm120, abb, em340, bsm"},
        {"modbus:tcp:host:502/1/sdm631", "must be one of"},
        {"modbus:tcp:host:502/1", "host and port"},
        {"modbus:rtu:ttyUSB0@9600/1/abb", "must be a path"},
        {"modbus:rtu:/dev/ttyUSB0@9601/1/abb", "must be one of 1200"},
        {"modbus:rtu:/dev/ttyUSB0@9600/1", "1..247"},
        {"modbus:rtu:/dev/ttyUSB0@9600-7E1/1/abb", "-8N1"},
        {"modbus:rtu:/dev/ttyUSB0@9600-8X1/1/abb", "-8N1"},
        {"modbus:rtu:/dev/ttyUSB0@9600-8E3/1/abb", "-8N1"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[256] = "";
        struct pw_out why = PW_OUT(text);
        struct pw_modbus_url url = {.unit = 99};
        assert_int_equal(pw_modbus_url_read(pw_str_of(rows[i].url), &url, &why), PW_ERR_RANGE);
        assert_int_equal(url.unit, 99);
        if (strstr(text, rows[i].says) == NULL) {
            fail_msg("%s: \"%s\" says nothing of %s", rows[i].url, text, rows[i].says);
        }
    }
    struct pw_modbus_url url;
    char text[256];
    struct pw_out why = PW_OUT(text);
    assert_int_equal(
        pw_modbus_url_read(PW_STR("modbus:rtu:/dev/serial/by-id/x@19200-8E2/247/abb"), &url, &why),
        PW_OK);
    assert_string_equal(url.place, "/dev/serial/by-id/x");
    assert_int_equal(url.baud, 19200);
    assert_int_equal(url.parity, 'E');
    assert_int_equal(url.stop, 2);
    assert_int_equal(url.unit, 247);
    assert_int_equal(pw_modbus_url_read(PW_STR("modbus:tcp:fe80::1:502/1/sdm630"), &url, &why),
                     PW_OK);
    assert_string_equal(url.place, "fe80::1");
    assert_string_equal(url.port, "502");
}

// Reason: a station has a bounded number of meters, and ending it while every one of them hangs
// must not hang it as well.
static void too_many_meters_and_a_quick_end(void **state)
{
    struct fixture *f = *state;
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    serve_tcp(f, 0, "sdm630");
    pw_modbus_server_mood(f->server[0], PW_MODBUS_SILENT);
    for (unsigned i = 1; i < PW_MODBUS_METERS_MAX; i++) {
        (void)snprintf(text, sizeof(text), "modbus:tcp:127.0.0.1:%u/%u/sdm630",
                       pw_modbus_server_port(f->server[0]), i + 7);
        assert_int_equal(pw_modbus_add(f->meters, pw_str_of(text), &why), (int)i);
    }
    text[0] = '\0';
    assert_int_equal(pw_modbus_add(f->meters, PW_STR("modbus:tcp:a:1/1/abb"), &why), PW_ERR_LIMIT);
    while (pw_modbus_server_asked(f->server[0]) == 0) {
        (void)usleep(1000); // until it is in the middle of a request
    }
    pw_ms before = pw_clock_now(&f->clock);
    pw_modbus_close(f->meters);
    f->meters = NULL;
    assert_true(pw_clock_now(&f->clock) - before < 25000); // 2.5 s real
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_three_phase_map_over_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(a_meter_that_stops_answering_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(exceptions_and_noise_are_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_that_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_unit_does_not_stop_its_neighbour, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_registers_arrive_as_such, setup, teardown),
        cmocka_unit_test_setup_teardown(over_a_serial_line, setup, teardown),
        cmocka_unit_test_setup_teardown(two_lines_at_once, setup, teardown),
        cmocka_unit_test(urls_that_cannot_be),
        cmocka_unit_test_setup_teardown(too_many_meters_and_a_quick_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
