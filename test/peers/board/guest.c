// A native board on a real kernel's GPIO lines and PWM: gpio-sim and a PWM chip inside a guest that
// run-in-guest.sh boots. guest BOARD_FILE SIM_FOLDER PWM_FOLDER: the board file, the folder of the
// simulated lines (sim_gpioN/pull, sim_gpioN/value), the folder of the PWM channel.
#include "board/hardware.h"
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 5000

// Lines of the board file.
enum {
    CONTACTOR = 0,
    LOCK = 1,
    RCD_TEST = 2,
    GREEN = 3,
    CONTACT = 4,
    LOCKED = 5,
    RCD_TRIP = 6,
    ESTOP = 7
};

static const char *board_file;
static const char *sim_folder;
static const char *pwm_folder;

struct bench {
    struct pw_hardware *hardware;
    struct pw_board_senses last;
    struct pw_board_block block;
    unsigned blocks;
};

static pw_ms now_ms(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

static void pull(unsigned line, bool up)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/sim_gpio%u/pull", sim_folder, line);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(up ? "pull-up" : "pull-down", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static long number_in(const char *path)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_int_equal(fclose(file), 0);
    return strtol(text, NULL, 10);
}

static bool level(unsigned line)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/sim_gpio%u/value", sim_folder, line);
    return number_in(path) == 1;
}

static long pwm(const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", pwm_folder, name);
    return number_in(path);
}

static void turn(struct bench *bench, int wait_ms)
{
    struct pollfd ready = {.fd = pw_hardware_fd(bench->hardware), .events = POLLIN};
    struct pw_hardware_event event;
    (void)poll(&ready, 1, wait_ms);
    int got = pw_hardware_read(bench->hardware, now_ms(), &event);
    for (; got == 1; got = pw_hardware_read(bench->hardware, now_ms(), &event)) {
        if (event.kind == PW_HARDWARE_SENSES) {
            bench->last = *event.senses;
        } else if (event.kind == PW_HARDWARE_BLOCK) {
            bench->block = *event.block;
            bench->blocks++;
        }
    }
    assert_int_equal(got, 0);
}

#define UNTIL(bench, condition)                                                                    \
    do {                                                                                           \
        pw_ms until = now_ms() + WAIT_MS;                                                          \
        while (!(condition) && now_ms() < until) {                                                 \
            turn(bench, 5);                                                                        \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static void begin(struct bench *bench)
{
    static struct pw_board_file file;
    char text[512] = "";
    struct pw_out why = PW_OUT(text);
    memset(bench, 0, sizeof(*bench));
    for (unsigned line = CONTACT; line <= ESTOP; line++) {
        pull(line, line == CONTACT); // its contact is active low: open
    }
    if (pw_board_file_read(&file, board_file, &why) != PW_OK ||
        pw_hardware_open(&bench->hardware, &file, now_ms(), &why) != PW_OK) {
        fail_msg("%s", text);
    }
}

static const struct pw_board_drive charging = {.cp = PW_BOARD_CP_PWM,
                                               .duty_ppm = 266600,
                                               .contactor = true,
                                               .lock = true,
                                               .lamp = PW_BOARD_LAMP_READY};

// ---------------------------------------------------------------------------------------------

static void a_drive_reaches_lines_and_pwm(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    assert_false(level(CONTACTOR));
    assert_int_equal(pwm("period"), 1000000);
    assert_int_equal(pwm("duty_cycle"), 0);
    assert_int_equal(pwm("enable"), 1);
    assert_int_equal(pw_hardware_drive(bench.hardware, &charging, now_ms()), PW_OK);
    assert_true(level(CONTACTOR) && level(LOCK) && level(GREEN));
    assert_int_equal(pwm("duty_cycle"), 266600);
    const struct pw_board_drive steady = {.cp = PW_BOARD_CP_STEADY, .rcd_test = true};
    assert_int_equal(pw_hardware_drive(bench.hardware, &steady, now_ms()), PW_OK);
    assert_false(level(CONTACTOR) || level(LOCK) || level(GREEN));
    assert_true(level(RCD_TEST));
    assert_int_equal(pwm("duty_cycle"), 1000000);
    pw_hardware_close(bench.hardware);
    assert_int_equal(pwm("duty_cycle"), 0);
}

// Reason: an interrupt must wake the loop; waiting for the next sample would cost its period.
static void an_edge_of_each_input_wakes(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.blocks > 0);
    assert_int_equal(bench.block.cp_high, 2324);
    assert_int_equal(bench.last.contact, PW_BOARD_CONTACT_OPEN);
    pull(CONTACT, false);
    UNTIL(&bench, bench.last.contact == PW_BOARD_CONTACT_CLOSED);
    pull(LOCKED, true);
    UNTIL(&bench, bench.last.lock == PW_BOARD_LOCK_CLOSED);
    pull(RCD_TRIP, true);
    UNTIL(&bench, bench.last.rcd == PW_BOARD_RCD_TRIPPED);
    pull(ESTOP, true);
    UNTIL(&bench, bench.last.estop);
    for (unsigned i = 0; i < 100; i++) { // more edges than the kernel keeps
        pull(ESTOP, i % 2 == 0);
    }
    UNTIL(&bench, !bench.last.estop);
    pw_hardware_close(bench.hardware);
}

static void a_loop_that_hangs_is_opened_by_the_thread(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    assert_int_equal(pw_hardware_drive(bench.hardware, &charging, now_ms()), PW_OK);
    assert_true(level(CONTACTOR));
    for (pw_ms until = now_ms() + WAIT_MS; level(CONTACTOR) && now_ms() < until;) {
        (void)poll(NULL, 0, 5); // a loop that does nothing else
    }
    assert_false(level(CONTACTOR));
    assert_int_equal(pwm("duty_cycle"), 0);
    pw_hardware_close(bench.hardware);
}

static void a_line_that_somebody_has_is_named(void **state)
{
    static struct pw_board_file file;
    struct bench bench;
    struct pw_hardware *second = NULL;
    char text[512] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    begin(&bench);
    assert_int_equal(pw_board_file_read(&file, board_file, &why), PW_OK);
    assert_int_equal(pw_hardware_open(&second, &file, now_ms(), &why), PW_ERR_UNKNOWN);
    assert_non_null(strstr(text, "lines.contactor: "));
    assert_non_null(strstr(text, "Device or resource busy"));
    pw_hardware_close(bench.hardware);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drive_reaches_lines_and_pwm),
        cmocka_unit_test(an_edge_of_each_input_wakes),
        cmocka_unit_test(a_loop_that_hangs_is_opened_by_the_thread),
        cmocka_unit_test(a_line_that_somebody_has_is_named),
    };
    if (argc != 4) {
        (void)fprintf(stderr, "usage: guest BOARD_FILE SIM_FOLDER PWM_FOLDER\n");
        return 2;
    }
    board_file = argv[1];
    sim_folder = argv[2];
    pwm_folder = argv[3];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
