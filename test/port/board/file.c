// Board files: the examples are good, and everything that cannot be is refused with file, line,
// key, value and what is allowed.
#include "board/file.h"

#include "test.h"

#include <string.h>

#define LINUX_BASE                                                                                 \
    "board:\n  kind: linux\nlines:\n  contactor: gpiochip0:17\n"                                   \
    "pwm:\n  chip: /sys/class/pwm/pwmchip0\n"                                                      \
    "pilot:\n  - count: 0\n    mv: -12000\n  - count: 100\n    mv: 12000\n"                        \
    "samples:\n  cp_high: /a\n  cp_low: /b\n"

#define FRONT_BASE "board:\n  kind: frontend\nfrontend:\n  device: /dev/ttyACM0@1000000\n"

static int parse(const char *text, struct pw_board_file *board, char *why, size_t cap)
{
    struct pw_out out = {.at = why, .cap = cap};
    why[0] = '\0';
    return pw_board_file_parse(board, "b.yaml", pw_str_of(text), &out);
}

static void expect_good(const char *text, struct pw_board_file *board)
{
    char why[512];
    if (parse(text, board, why, sizeof(why)) != PW_OK) {
        fail_msg("%s", why);
    }
}

static void read_example(const char *name, struct pw_board_file *board)
{
    char path[512];
    char why[512] = "";
    struct pw_out place = PW_OUT(path);
    struct pw_out out = PW_OUT(why);
    pw_put_s(&place, EXAMPLE_FOLDER "/");
    pw_put_s(&place, name);
    if (pw_board_file_read(board, path, &out) != PW_OK) {
        fail_msg("%s", why);
    }
    struct pw_analog analog;
    assert_int_equal(pw_analog_init(&analog, &board->analog), PW_OK);
}

static void the_examples_are_good(void **state)
{
    (void)state;
    struct pw_board_file board;
    read_example("frontend.yaml", &board);
    assert_int_equal(board.kind, PW_BOARD_KIND_FRONTEND);
    assert_int_equal(board.analog.ampere[2].gain_nano, 5000000);
    assert_int_equal(board.analog.volt[1].gain_nano, 50000000);
    assert_int_equal(board.analog.cp.points, 2);
    assert_int_equal(board.analog.cp.point[1].value, 12000);
    assert_int_equal(board.analog.rail_high, 32767);
    assert_int_equal(board.analog.pp_open, 30000);
    read_example("generic-gpio.yaml", &board);
    assert_int_equal(board.kind, PW_BOARD_KIND_LINUX);
    const struct pw_board_line *contact = &board.line[PW_BOARD_LINE_CONTACT];
    assert_string_equal(contact->chip, "gpiochip0");
    assert_string_equal(contact->line, "27");
    assert_true(contact->active_low);
    assert_int_equal(contact->pull, PW_BOARD_PULL_UP);
    assert_string_equal(board.line[PW_BOARD_LINE_VENTILATION].chip, "");
    assert_int_equal(board.pwm_step_ppm, 1);
    assert_int_equal(board.lock_pulse_ms, 600);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    struct pw_board_file board;
    expect_good(FRONT_BASE, &board);
    assert_int_equal(board.analog.cp.points, 0);
    assert_int_equal(board.analog.rail_low, INT16_MIN);
    assert_int_equal(board.analog.rail_high, INT16_MAX);
    assert_int_equal(board.analog.window_ms, 190);
    expect_good(LINUX_BASE, &board);
    assert_int_equal(board.every_ms, 5);
    assert_int_equal(board.lock_pulse_ms, 600);
    assert_int_equal(board.pwm_channel, 0);
    assert_false(board.pwm_inverted);
}

// Reason: a board file is written by hand, with a soldering iron in the other one.
static void what_cannot_be_is_refused_in_words(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "b.yaml: board.kind: is missing: frontend or linux"},
        {"board:\n  kind: arduino\n",
         "b.yaml:2: board.kind: \"arduino\" is not allowed; it must be frontend or linux"},
        {"board:\n  kind: frontend\n", "b.yaml: frontend.device: is missing"},
        {FRONT_BASE "pwm:\n  channel: 0\n",
         "b.yaml:6: pwm.channel: means nothing to a board of kind frontend"},
        {LINUX_BASE "frontend:\n  device: /dev/x\n",
         "frontend.device: means nothing to a board of kind linux"},
        {FRONT_BASE "baord:\n  kind: linux\n", "b.yaml:6: baord.kind: no board has such a key"},
        {FRONT_BASE "colour: red\n", "b.yaml:5: colour: no board has such a key"},
        {"board:\n  kind: linux\n", "b.yaml: lines.contactor: is missing"},
        {LINUX_BASE "volt_l1:\n  gain_nano: 3e8\n",
         "volt_l1.gain_nano: \"3e8\" is not allowed; it must be a whole number from -2147483647 "
         "to 2147483647"},
        {LINUX_BASE "ampere_l3:\n  lag_ns: 1000001\n",
         "ampere_l3.lag_ns: \"1000001\" is not allowed; it must be a whole number from -1000000 "
         "to 1000000"},
        {LINUX_BASE "converter:\n  window_ms: 10\n", "from 20 to 1000"},
        {LINUX_BASE "converter:\n  rail_low: 5\n  rail_high: 5\n",
         "b.yaml:17: converter.rail_high: must be above converter.rail_low"},
        {LINUX_BASE "proximity:\n  pull_up_ohm: 9\n", "from 10 to 100000"},
        {LINUX_BASE "proximity:\n  pull_up_ohm: 1000\n",
         "proximity.open_count: must be above proximity.short_count"},
        {LINUX_BASE "  pp: /c\n", "b.yaml:15: proximity.pull_up_ohm: is missing"},
        {LINUX_BASE "  every_ms: 0\n",
         "b.yaml:15: samples.every_ms: \"0\" is not allowed; it must be a whole number from 1 to "
         "50"},
        {FRONT_BASE "pilot:\n  - count: 1\n    mv: 1\n", "b.yaml:7: pilot: needs at least two"},
        {FRONT_BASE "pilot:\n  - count: 1\n    mv: 1\n  - count: 1\n    mv: 2\n",
         "b.yaml:9: pilot: the counts of the points must rise"},
        {FRONT_BASE "pilot:\n  - count: 1\n    mv: 1\n  - count: 2\n",
         "b.yaml:8: pilot: a point needs both count and mv"},
        {FRONT_BASE "pilot:\n  - count: 1\n    ohm: 1\n",
         "b.yaml:7: pilot[0].ohm: no board has such a key"},
        {FRONT_BASE "pilot:\n  - count: 40000\n    mv: 1\n", "from -32768 to 32767"},
        {FRONT_BASE "pilot:\n  - mv: 1\n  - mv: 1\n  - mv: 1\n  - mv: 1\n  - mv: 1\n  - mv: 1\n"
                    "  - mv: 1\n  - mv: 1\n  - mv: 1\n",
         "b.yaml:14: pilot: has more than 8 points"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_board_file board;
        char why[512];
        int err = parse(rows[i].text, &board, why, sizeof(why));
        if (err == PW_OK || strstr(why, rows[i].why) == NULL) {
            fail_msg("row %zu: %d \"%s\", expected \"%s\"", i, err, why, rows[i].why);
        }
    }
}

// Lines come one key a row: each form that is none names the forms that are.
static void a_line_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *key;
        const char *why;
    } rows[] = {
        {"estop: 17", "chip:line as in gpiochip0:17"},
        {"estop: \"gpiochip0:\"", "chip:line"},
        {"estop: \":17\"", "chip:line"},
        {"estop: gpiochip0:4 low", "active_low"},
        {"estop: gpiochip0:4 pull_up active_high", "pull_up"},
        {"estop: \"\"", "chip:line"},
        {"estop: gpiochip0:a_name_that_is_far_longer_than_any_line", "chip:line"},
        {"estop: gpiochip0:17", "lines: \"gpiochip0:17\" is used twice"},
        {"rcd_trip: gpiochip0:4", "lines.rcd_test: is missing"},
        {"rcd_test: gpiochip0:4", "lines.rcd_trip: is missing"},
        {"lock_close: gpiochip0:4", "lines.lock_open: is missing"},
        {"lock_open: gpiochip0:4", "lines.lock_close: is missing"},
        {"lock: gpiochip0:4\n  lock_close: gpiochip0:5\n  lock_open: gpiochip0:6", "one line or"},
        {"lock_pulse_ms: 49", "from 50 to 3000"},
        {"lock_pulse_ms: 3001", "from 50 to 3000"},
        {"horn: gpiochip0:4", "lines.horn: no board has such a key"},
        {"contactor: gpiochip0:5", "is set twice"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_board_file board;
        char text[1024];
        char why[512];
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "board:\n  kind: linux\nlines:\n  contactor: gpiochip0:17\n  ");
        pw_put_s(&out, rows[i].key);
        pw_put_s(&out, "\npwm:\n  chip: /sys/class/pwm/pwmchip0\n"
                       "pilot:\n  - count: 0\n    mv: -12000\n  - count: 100\n    mv: 12000\n"
                       "samples:\n  cp_high: /a\n  cp_low: /b\n");
        int err = parse(text, &board, why, sizeof(why));
        if (err == PW_OK || strstr(why, rows[i].why) == NULL) {
            fail_msg("%s: %d \"%s\", expected \"%s\"", rows[i].key, err, why, rows[i].why);
        }
    }
}

static void values_with_words_are_refused(void **state)
{
    struct pw_board_file board;
    char why[512];
    (void)state;
    assert_int_not_equal(parse(LINUX_BASE "converter:\n  rail_low: low\n", &board, why, 512),
                         PW_OK);
    const char *inverted = "board:\n  kind: linux\npwm:\n  inverted: maybe\n";
    assert_int_not_equal(parse(inverted, &board, why, sizeof(why)), PW_OK);
    assert_non_null(strstr(why, "b.yaml:4: pwm.inverted: \"maybe\" is not allowed; it must be true "
                                "or false"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct pw_board_file board;
    char why[512] = "";
    struct pw_out out = PW_OUT(why);
    (void)state;
    assert_int_not_equal(pw_board_file_read(&board, "/nonexistent/b.yaml", &out), PW_OK);
    assert_string_equal(why, "/nonexistent/b.yaml: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_are_good),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(what_cannot_be_is_refused_in_words),
        cmocka_unit_test(a_line_that_is_none_is_refused),
        cmocka_unit_test(values_with_words_are_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
