// Lines from a console or card reader, over a pty and a FIFO.
#include "serial.h"

#include "folder.h"
#include "test.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct folder folder;
    struct pw_clock clock;
    struct pw_loop loop;
    struct pw_serial serial;
    char device[128];
    int far; // the terminal's end
    char lines[8][PW_SERIAL_LINE_MAX + 1];
    size_t count;
    size_t wanted;
    pw_ms started;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    folder_make(&f->folder);
    assert_int_equal(pw_clock_init(&f->clock, NULL), PW_OK);
    assert_int_equal(pw_loop_init(&f->loop, &f->clock), PW_OK);
    f->far = -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pw_serial_close(&f->serial);
    pw_loop_close(&f->loop);
    folder_remove(&f->folder);
    if (f->far >= 0) {
        (void)close(f->far);
    }
    free(f);
    return 0;
}

static void open_pty(struct fixture *f)
{
    int near = -1;
    char name[64];
    char why_text[256];
    struct pw_out why = PW_OUT(why_text);
    assert_int_equal(openpty(&f->far, &near, name, NULL, NULL), 0);
    (void)snprintf(f->device, sizeof(f->device), "%s@9600", name);
    assert_int_equal(pw_serial_open(&f->serial, &f->loop, f->device, &why), PW_OK);
    assert_true(pw_serial_step(&f->serial, 0) == PW_NEVER);
    (void)close(near);
}

static pw_ms turn(void *context, pw_ms now)
{
    struct fixture *f = context;
    char text[PW_SERIAL_LINE_MAX];
    struct pw_str line;
    while (f->count < f->wanted && pw_serial_take(&f->serial, text, &line)) {
        assert_int_equal(pw_str_copy(f->lines[f->count++], PW_SERIAL_LINE_MAX + 1, line), PW_OK);
    }
    if (f->count >= f->wanted || pw_elapsed(f->started, 5000, now)) {
        pw_loop_end(&f->loop);
    }
    return pw_earlier(now + 20, pw_serial_step(&f->serial, now));
}

static void wait_lines(struct fixture *f, size_t count)
{
    f->wanted = f->count + count;
    f->started = pw_clock_now(&f->clock);
    pw_loop_on_turn(&f->loop, turn, f);
    pw_loop_run(&f->loop);
    assert_int_equal(f->count, f->wanted);
}

static void type_bytes(struct fixture *f, const char *bytes, size_t len)
{
    assert_int_equal(write(f->far, bytes, len), len);
}

static void type(struct fixture *f, const char *text)
{
    type_bytes(f, text, strlen(text));
}

static void lines_come_whole_with_any_line_end(void **state)
{
    struct fixture *f = *state;
    open_pty(f);
    type(f, "sta");
    type(f, "tus\r\n\r\n  stop \n\x02"
            "04A1B2\x03\r");
    wait_lines(f, 3);
    assert_string_equal(f->lines[0], "status");
    assert_string_equal(f->lines[1], "stop");
    assert_string_equal(f->lines[2], "04A1B2");
}

static void a_line_that_is_too_long_is_dropped_whole(void **state)
{
    struct fixture *f = *state;
    char text[3 * PW_SERIAL_LINE_MAX];
    memset(text, 'x', sizeof(text));
    open_pty(f);
    type_bytes(f, text, sizeof(text));
    type(f, "tail\nnext\n");
    wait_lines(f, 1);
    assert_string_equal(f->lines[0], "next");
    assert_int_equal(f->serial.too_long, 1);
}

static void a_full_buffer_of_lines_waits_and_loses_nothing(void **state)
{
    struct fixture *f = *state;
    open_pty(f);
    char text[7 * 200];
    for (int i = 0; i < 7; i++) {
        memset(text + (ptrdiff_t)i * 200, 'a' + i, 199);
        text[i * 200 + 199] = '\n';
    }
    type_bytes(f, text, sizeof(text));
    wait_lines(f, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(strlen(f->lines[i]), 199);
        assert_int_equal(f->lines[i][0], 'a' + i);
    }
}

static void what_is_written_arrives(void **state)
{
    struct fixture *f = *state;
    open_pty(f);
    pw_serial_write(&f->serial, PW_STR("charging 26.0 A\r\n"));
    char have[64] = "";
    ssize_t got = read(f->far, have, sizeof(have) - 1);
    assert_int_equal(got, 17);
    assert_string_equal(have, "charging 26.0 A\r\n");
}

// Nobody reads the terminal: the station neither waits nor grows.
static void a_terminal_that_takes_nothing_holds_nothing_up(void **state)
{
    struct fixture *f = *state;
    open_pty(f);
    char text[1000];
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 200; i++) {
        pw_serial_write(&f->serial, (struct pw_str){.at = text, .len = sizeof(text)});
    }
    assert_true(f->serial.dropped > 0);
    assert_true(f->serial.out_len <= PW_SERIAL_OUT_MAX);
}

static void a_fifo_serves_as_card_reader(void **state)
{
    struct fixture *f = *state;
    char why_text[256];
    struct pw_out why = PW_OUT(why_text);
    char cwd[256];
    char path[128];
    folder_file(&f->folder, "cards", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    static char absolute[512];
    (void)snprintf(absolute, sizeof(absolute), "%s/%s", cwd, path);
    if (strlen(absolute) >= sizeof(f->serial.path)) {
        skip(); // the build folder's name is too long for a device's
    }
    assert_int_equal(pw_serial_open(&f->serial, &f->loop, absolute, &why), PW_OK);
    assert_true(pw_serial_step(&f->serial, 0) == PW_NEVER);
    for (int i = 0; i < 2; i++) { // writers come and go
        f->far = open(path, O_WRONLY | O_NONBLOCK);
        assert_true(f->far >= 0);
        type(f, "CARD1\n");
        (void)close(f->far);
        f->far = -1;
        wait_lines(f, 1);
        assert_string_equal(f->lines[i], "CARD1");
    }
}

static void a_device_that_is_away_is_tried_again(void **state)
{
    struct fixture *f = *state;
    char why_text[256];
    struct pw_out why = PW_OUT(why_text);
    assert_int_equal(pw_serial_open(&f->serial, &f->loop, "/dev/no-such-reader", &why), PW_OK);
    assert_int_equal(pw_serial_step(&f->serial, 1000), 1000 + PW_SERIAL_REOPEN_MS);
    assert_int_equal(pw_serial_step(&f->serial, 2000), 1000 + PW_SERIAL_REOPEN_MS);
    assert_int_equal(pw_serial_step(&f->serial, 3000), 3000 + PW_SERIAL_REOPEN_MS);
    pw_serial_write(&f->serial, PW_STR("nobody hears this"));
}

static void each_bad_device_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[] = {
        "", "ttyUSB0", "/dev/ttyUSB0@", "/dev/ttyUSB0@9601", "/dev/ttyUSB0@fast", "@9600"};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char why_text[256] = "";
        struct pw_out why = PW_OUT(why_text);
        assert_int_equal(pw_serial_open(&f->serial, &f->loop, rows[i], &why), PW_ERR_RANGE);
        assert_true(strncmp(why_text, "it must be stdin", 16) == 0 ||
                    strncmp(why_text, "the rate must be one of", 23) == 0);
        assert_int_equal(pw_serial_check(rows[i], &why), PW_ERR_RANGE);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lines_come_whole_with_any_line_end),
        CASE(a_line_that_is_too_long_is_dropped_whole),
        CASE(a_full_buffer_of_lines_waits_and_loses_nothing),
        CASE(what_is_written_arrives),
        CASE(a_terminal_that_takes_nothing_holds_nothing_up),
        CASE(a_fifo_serves_as_card_reader),
        CASE(a_device_that_is_away_is_tried_again),
        CASE(each_bad_device_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
