// Meters that sign, on a real line: libmodbus on both ends. What is tested is the background
// thread: that a data set comes over whole, by TCP and by a serial line, that ordinary readings go
// on while the meter signs, and that a newer request, a meter that fails and one that is gone end
// as they should.
#include "modbus/line.h"
#include "modbus/server.h"
#include "signmeter/signmeter.h"
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
    struct pw_modbus_server *server;
    struct pw_signmeter meter;
    bool simulated;
    int master;
    int slave;
    unsigned taken;
    unsigned results;
    struct pw_modbus_signed result; // newest
    unsigned wanted;                // results to wait for
    bool until_ordered;             // ... or until the meter is signing a value in between
    pw_ms began;
};

static bool peek(void *context, uint16_t address, uint16_t *word, size_t words)
{
    return pw_modbus_server_peek(context, address, word, words);
}

static bool fill(void *context, uint16_t address, const uint16_t *word, size_t words)
{
    return pw_modbus_server_fill(context, address, word, words);
}

static size_t sign(void *context, struct pw_str text, uint8_t *signature, size_t cap)
{
    (void)context;
    assert_true(text.len > 100 && cap >= 72);
    memset(signature, 0x5A, 72);
    return 72;
}

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
    pw_modbus_server_close(f->server);
    pw_loop_close(&f->loop);
    if (f->master >= 0) {
        (void)close(f->master);
        (void)close(f->slave);
    }
    free(f);
    return 0;
}

static pw_ms turn(void *context, pw_ms now)
{
    struct fixture *f = context;
    struct pw_board_mains mains;
    if (f->simulated) {
        (void)pw_signmeter_step(&f->meter, 1234567000, now);
    }
    f->taken += pw_modbus_take(f->meters, 0, &mains);
    f->results += pw_modbus_signed(f->meters, 0, &f->result);
    bool done =
        f->until_ordered ? f->meter.due[PW_SIGNED_CURRENT] != PW_NEVER : f->results >= f->wanted;
    if (done || pw_elapsed(f->began, (pw_ms)FAR_TOO_LONG_MS * 10, now)) {
        pw_loop_end(&f->loop);
    }
    return now + (pw_ms)TURN_MS * 10;
}

static void wait_for(struct fixture *f, unsigned results)
{
    f->wanted = f->results + results;
    f->began = pw_clock_now(&f->clock);
    f->taken = 0;
    pw_loop_on_turn(&f->loop, turn, f);
    pw_loop_run(&f->loop);
    assert_int_equal(f->results, f->wanted);
}

// A meter of map bsm at `url`, simulated when it shall sign.
static void open_meter(struct fixture *f, const char *text, int fd, bool simulated)
{
    char why_text[200];
    struct pw_out why = PW_OUT(why_text);
    struct pw_modbus_url url;
    char port[200];
    struct pw_signmeter_signer signer = {.algorithm = "ECDSA-secp256r1-SHA256", .sign = sign};
    assert_int_equal(pw_modbus_url_read(pw_str_of(text), &url, &why), PW_OK);
    if (!url.serial) {
        (void)strcpy(url.port, "0");
    }
    assert_int_equal(pw_modbus_serve(&f->server, &url, fd, &why), PW_OK);
    if (!url.serial) {
        (void)snprintf(port, sizeof(port), "modbus:tcp:127.0.0.1:%u/%u/bsm",
                       pw_modbus_server_port(f->server), url.unit);
        text = port;
    }
    const struct pw_signmeter_registers registers = {
        .context = f->server, .peek = peek, .fill = fill};
    signer.key_len = 91;
    memset(signer.key, 0x30, signer.key_len);
    pw_signmeter_init(&f->meter, pw_modbus_signer_of(url.map), &signer, &registers);
    f->simulated = simulated;
    assert_int_equal(pw_modbus_add(f->meters, pw_str_of(text), &why), 0);
    assert_true(pw_modbus_signs(f->meters, 0));
}

static void ask(struct fixture *f, uint32_t ticket, enum pw_signed_moment moment, pw_ms wait_ms)
{
    const struct pw_signed_request request = {
        .ticket = ticket,
        .moment = moment,
        .user = "CARD-1",
        .place = "ST 1",
        .wall = 1767225600000,
        .wait_ms = wait_ms,
    };
    pw_modbus_sign(f->meters, 0, &request);
}

static void check(const struct fixture *f, uint32_t ticket, const char *letter)
{
    char text[PW_SIGNED_TEXT_MAX + 1];
    char want[32];
    assert_string_equal(f->result.why, "");
    assert_int_equal(f->result.ticket, ticket);
    assert_int_equal(f->result.reading.key_len, 91);
    memcpy(text, f->result.reading.text, f->result.reading.len);
    text[f->result.reading.len] = '\0';
    (void)snprintf(want, sizeof(want), "\"TX\":\"%s\"", letter);
    assert_non_null(strstr(text, want));
    assert_non_null(strstr(text, "\"ID\":\"CARD-1\""));
    assert_non_null(strstr(text, "\"CI\":\"ST 1\""));
    assert_non_null(strstr(text, "\"RV\":1234.567"));
    assert_non_null(strstr(text, "5A5A\"}"));
}

// Reason: a data set is longer than one request, and the end is asked of whom the begin named.
static void data_sets_come_over_whole(void **state)
{
    struct fixture *f = *state;
    open_meter(f, "modbus:tcp:127.0.0.1:502/3/bsm", -1, true);
    ask(f, 7, PW_SIGNED_BEGIN, 60000);
    wait_for(f, 1);
    check(f, 7, "B");
    ask(f, 8, PW_SIGNED_CURRENT, 60000);
    wait_for(f, 1);
    check(f, 8, "C");
    ask(f, 9, PW_SIGNED_END, 60000);
    wait_for(f, 1);
    check(f, 9, "E");
}

static void over_a_serial_line(void **state)
{
    struct fixture *f = *state;
    struct termios raw;
    char name[100];
    char text[200];
    assert_int_equal(openpty(&f->master, &f->slave, name, NULL, NULL), 0);
    assert_int_equal(tcgetattr(f->slave, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(f->slave, TCSANOW, &raw), 0);
    (void)snprintf(text, sizeof(text), "modbus:rtu:%s@115200-8E1/3/bsm", name);
    open_meter(f, text, f->master, true);
    ask(f, 1, PW_SIGNED_BEGIN, 100000);
    wait_for(f, 1);
    check(f, 1, "B");
}

// Reason: the house's breaker is guarded by the same line; it must not go blind while a meter takes
// its time to sign.
static void readings_go_on_while_the_meter_signs(void **state)
{
    struct fixture *f = *state;
    open_meter(f, "modbus:tcp:127.0.0.1:502/3/bsm", -1, true);
    f->meter.latency_ms = 8000; // 800 ms of real time, in which eight readings are due
    ask(f, 1, PW_SIGNED_END, 60000);
    wait_for(f, 1);
    assert_string_equal(f->result.why, "");
    assert_in_range(f->taken, 4, 30);
}

// Reason: each of these ends the wait of a charge with a reason, and none of them for ever.
static void what_does_not_sign_says_why(void **state)
{
    struct fixture *f = *state;
    open_meter(f, "modbus:tcp:127.0.0.1:502/3/bsm", -1, true);
    f->meter.fault = PW_SIGNMETER_FAILS;
    ask(f, 1, PW_SIGNED_BEGIN, 60000);
    wait_for(f, 1);
    assert_string_equal(f->result.why, "the meter could not sign, status 3");
    assert_int_equal(f->result.reading.len, 0);
    f->meter.fault = PW_SIGNMETER_HANGS;
    ask(f, 2, PW_SIGNED_BEGIN, 5000);
    wait_for(f, 1);
    assert_string_equal(f->result.why, "no answer in time");
    f->meter.fault = PW_SIGNMETER_SIGNS;
    pw_modbus_server_mood(f->server, PW_MODBUS_SILENT);
    ask(f, 3, PW_SIGNED_END, 5000);
    wait_for(f, 1);
    assert_string_equal(f->result.why, "no answer in time");
    pw_modbus_server_mood(f->server, PW_MODBUS_ANSWERS);
    ask(f, 4, PW_SIGNED_BEGIN, 60000);
    wait_for(f, 1);
    check(f, 4, "B");
}

// Reason: a charge that ends while a value in between is being signed wants its end, at once.
static void a_newer_request_takes_the_place(void **state)
{
    struct fixture *f = *state;
    open_meter(f, "modbus:tcp:127.0.0.1:502/3/bsm", -1, true);
    ask(f, 1, PW_SIGNED_BEGIN, 60000);
    wait_for(f, 1);
    f->meter.fault = PW_SIGNMETER_HANGS;
    ask(f, 2, PW_SIGNED_CURRENT, 600000);
    f->until_ordered = true;
    wait_for(f, 0);
    f->until_ordered = false;
    assert_true(f->meter.due[PW_SIGNED_CURRENT] != PW_NEVER);
    f->meter.fault = PW_SIGNMETER_SIGNS;
    ask(f, 3, PW_SIGNED_END, 60000);
    while (f->result.ticket != 3) {
        wait_for(f, 1);
    }
    check(f, 3, "E");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(data_sets_come_over_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(over_a_serial_line, setup, teardown),
        cmocka_unit_test_setup_teardown(readings_go_on_while_the_meter_signs, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_sign_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_request_takes_the_place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
