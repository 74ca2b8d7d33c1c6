// pilotwire-sim ac as a station meets it: the front-end's line, a car that comes, charges and goes.
// Real time, three times as fast; every wait is bounded.
#include "frontend/frontend.h"
#include "place.h"
#include "stream.h"
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line {
    int fd;
    struct pw_frontend_host host;
    unsigned senses;
    unsigned blocks;
};

static struct line open_line(const char *path)
{
    char text[256] = "";
    struct line line = {.fd = -1};
    pw_ms end = place_now_ms() + PATIENCE_MS;
    while (line.fd < 0 && place_now_ms() < end) {
        struct pw_out reason = PW_OUT(text);
        if (pw_stream_serial(pw_str_of(path), 1000000, &line.fd, &reason) != PW_OK) {
            (void)poll(NULL, 0, 20);
        }
    }
    if (line.fd < 0) {
        fail_msg("%s", text);
    }
    pw_frontend_host_init(&line.host, place_now_ms());
    return line;
}

static void pass_bytes(struct line *line)
{
    uint8_t bytes[2048];
    enum pw_frontend_event event;
    struct pollfd wait = {.fd = line->fd, .events = POLLIN};
    pw_ms now = place_now_ms();
    size_t len = pw_frontend_host_put(&line->host, now, bytes, &event);
    while (len > 0) {
        assert_int_equal(pw_stream_write(line->fd, bytes, len), len);
        len = pw_frontend_host_put(&line->host, now, bytes, &event);
    }
    (void)poll(&wait, 1, 5);
    int got = pw_stream_read(line->fd, bytes, sizeof(bytes));
    assert_true(got >= 0);
    for (int i = 0; i < got; i++) {
        event = pw_frontend_host_feed(&line->host, bytes[i], place_now_ms());
        line->senses += event == PW_FRONTEND_SENSES_NEW;
        line->blocks += event == PW_FRONTEND_BLOCK_NEW;
    }
}

// Until the pilot's high phase lies here.
static bool await_pilot(struct line *line, int32_t mv)
{
    pw_ms end = place_now_ms() + PATIENCE_MS;
    while (place_now_ms() < end) {
        pass_bytes(line);
        int32_t off = line->host.senses.cp_high_mv - mv;
        if (line->host.state == PW_FRONTEND_UP && off > -300 && off < 300) {
            return true;
        }
    }
    return false;
}

static void run(struct line *line, pw_ms ms)
{
    pw_ms end = place_now_ms() + ms;
    while (place_now_ms() < end) {
        pass_bytes(line);
    }
}

static void a_car_comes_charges_and_goes(void **state)
{
    (void)state;
    struct place place;
    place_setup(&place);
    const char *const arguments[] = {"ac",       "--link", place.line, "--control", place.control,
                                     "--status", "0",      "--soc",    "50",        NULL};
    char text[8192];
    // At real speed: a machine that is busy for a sixth of a second must not look like a dead
    // station.
    struct program program = place_start(arguments, "1700000000000:1700000000000:1");
    int control = place_connect_control(&place);
    struct line line = open_line(place.line);

    assert_true(await_pilot(&line, -12000)); // nobody has driven it yet
    assert_int_equal(line.host.hello.phases, 3);
    struct pw_board_drive drive = {.cp = PW_BOARD_CP_STEADY};
    pw_frontend_host_drive(&line.host, &drive);
    assert_true(await_pilot(&line, 12000));
    assert_string_equal(place_ask(control, "plug\n"), "ok");
    assert_true(await_pilot(&line, 9000));
    drive = (struct pw_board_drive){.cp = PW_BOARD_CP_PWM, .duty_ppm = 266600, .lock = true};
    pw_frontend_host_drive(&line.host, &drive);
    assert_true(await_pilot(&line, 6000));
    drive.contactor = true;
    pw_frontend_host_drive(&line.host, &drive);
    pw_ms end = place_now_ms() + PATIENCE_MS;
    while (line.host.senses.mains.ma[1] < 15500 && place_now_ms() < end) {
        run(&line, 250);
    }
    assert_in_range(line.host.senses.mains.ma[1], 15500, 16100);
    assert_int_equal(line.host.senses.contact, PW_BOARD_CONTACT_CLOSED);
    assert_true(line.senses > 200);
    assert_int_equal(line.host.reader.bad, 0);
    assert_non_null(strstr(place_ask(control, "status\n"), "\"level\":\"C\""));

    // A station that dies: the board opens by itself.
    (void)close(line.fd);
    (void)poll(NULL, 0, 700);
    assert_non_null(strstr(place_ask(control, "status\n"), "\"board_watchdog\":true"));
    line = open_line(place.line);
    assert_true(await_pilot(&line, -12000));
    (void)kill(program.pid, SIGINT);
    assert_int_equal(place_finish(&program, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "\"car\":\"honest\",\"opened_loaded\":1}"));
    assert_int_equal(access(place.line, F_OK), -1);
    (void)close(line.fd);
    (void)close(control);
    (void)rmdir(place.dir);
}

static void samples_come_in_blocks_over_tcp(void **state)
{
    (void)state;
    struct place place;
    char where[32];
    char text[8192];
    place_setup(&place);
    (void)snprintf(where, sizeof(where), "127.0.0.1:%d", 21000 + (int)(getpid() % 20000));
    const char *const arguments[] = {"ac",        "--listen",    where,      "--samples",
                                     "--control", place.control, "--status", "0",
                                     "--phases",  "1",           NULL};
    struct program program = place_start(arguments, "");
    (void)close(place_connect_control(&place)); // it listens now
    struct line line = {.fd = -1};
    struct pw_out reason = PW_OUT(text);
    assert_int_equal(pw_stream_tcp(pw_str_of(where), &line.fd, &reason), PW_OK);
    while (pw_stream_connected(line.fd) == 0) {
        (void)poll(NULL, 0, 10);
    }
    pw_frontend_host_init(&line.host, place_now_ms());
    run(&line, 1000);
    assert_int_equal(line.host.state, PW_FRONTEND_UP);
    assert_int_equal(line.host.hello.rate_hz, 4000);
    assert_true(line.blocks > 100);
    assert_int_equal(line.host.block.count, 20);
    assert_int_equal(line.host.reader.bad, 0);
    (void)kill(program.pid, SIGINT);
    assert_int_equal(place_finish(&program, text, sizeof(text)), 0);
    (void)close(line.fd);
    (void)rmdir(place.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_car_comes_charges_and_goes),
        cmocka_unit_test(samples_come_in_blocks_over_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
