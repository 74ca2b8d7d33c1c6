// A native board without a kernel that has one: libgpiod's lines are played by fake_gpiod, PWM and
// converters are files in a folder. The real kernel's side is proven in the Linux guest.
#include "../folder.h"
#include "board/hardware.h"
#include "fake_gpiod.h"
#include "panic.h"
#include "test.h"

#include <gpiod.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 3000

enum {
    CONTACTOR = 17,
    LOCK_CLOSE = 22,
    LOCK_OPEN = 23,
    RCD_TEST = 24,
    GREEN = 5,
    BLUE = 6,
    RED = 13,
    BUZZER = 19,
    CONTACT = 27,
    LOCKED = 4,
    RCD_TRIP = 12,
    ESTOP = 16,
};

struct bench {
    struct folder folder;
    struct pw_board_file file;
    struct pw_hardware *hardware;
    unsigned senses;
    unsigned blocks;
    struct pw_board_senses last;
    struct pw_board_block block;
    bool up;
    int end;
};

static pw_ms now_ms(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

// ---------------------------------------------------------------------------------------------
// The files.

static void put_file(const struct bench *bench, const char *name, const char *text)
{
    char path[128];
    folder_write(&bench->folder, name, text, 0600, path);
}

// The number on the first line; what a shorter one left of a longer one stands behind it.
static long file_number(const struct bench *bench, const char *name)
{
    char path[128];
    char text[64] = "";
    folder_file(&bench->folder, name, path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_int_equal(fclose(file), 0);
    return strtol(text, NULL, 10);
}

static void set_path(const struct bench *bench, const char *name, char *to)
{
    char path[128];
    folder_file(&bench->folder, name, path);
    assert_int_equal(pw_str_copy(to, PW_BOARD_TEXT_MAX + 1, pw_str_of(path)), PW_OK);
}

static void make_files(struct bench *bench)
{
    char path[128];
    folder_make(&bench->folder);
    folder_file(&bench->folder, "pwm0", path);
    assert_int_equal(mkdir(path, 0700), 0);
    put_file(bench, "pwm0/period", "0\n");
    put_file(bench, "pwm0/duty_cycle", "0\n");
    put_file(bench, "pwm0/enable", "0\n");
    put_file(bench, "cp_high", "2324\n");
    put_file(bench, "cp_low", "310\n");
    put_file(bench, "pp", "793\n");
    put_file(bench, "temp", "31500\n");
}

static void end_files(const struct bench *bench)
{
    static const char *const names[] = {"pwm0/period", "pwm0/duty_cycle", "pwm0/enable"};
    char path[128];
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        folder_file(&bench->folder, names[i], path);
        (void)unlink(path);
    }
    folder_file(&bench->folder, "pwm0", path);
    (void)rmdir(path);
    folder_remove(&bench->folder);
}

static struct pw_board_line pin(const char *line)
{
    struct pw_board_line made = {.chip = "gpiochip0"};
    assert_int_equal(pw_str_copy(made.line, sizeof(made.line), pw_str_of(line)), PW_OK);
    return made;
}

static void describe(struct bench *bench)
{
    struct pw_board_file *file = &bench->file;
    file->kind = PW_BOARD_KIND_LINUX;
    file->line[PW_BOARD_LINE_CONTACTOR] = pin("CONTACTOR");
    file->line[PW_BOARD_LINE_LOCK_CLOSE] = pin("22");
    file->line[PW_BOARD_LINE_LOCK_OPEN] = pin("23");
    file->line[PW_BOARD_LINE_RCD_TEST] = pin("24");
    file->line[PW_BOARD_LINE_GREEN] = pin("5");
    file->line[PW_BOARD_LINE_BLUE] = pin("6");
    file->line[PW_BOARD_LINE_RED] = pin("13");
    file->line[PW_BOARD_LINE_BUZZER] = pin("19");
    file->line[PW_BOARD_LINE_CONTACT] = pin("27");
    file->line[PW_BOARD_LINE_CONTACT].active_low = true;
    file->line[PW_BOARD_LINE_CONTACT].pull = PW_BOARD_PULL_UP;
    file->line[PW_BOARD_LINE_LOCKED] = pin("4");
    file->line[PW_BOARD_LINE_RCD_TRIP] = pin("12");
    file->line[PW_BOARD_LINE_ESTOP] = pin("16");
    file->lock_pulse_ms = 60;
    file->every_ms = 5;
    file->pwm_step_ppm = 1;
    assert_int_equal(
        pw_str_copy(file->pwm_chip, sizeof(file->pwm_chip), pw_str_of(bench->folder.path)), PW_OK);
    set_path(bench, "cp_high", file->cp_high);
    set_path(bench, "cp_low", file->cp_low);
    set_path(bench, "pp", file->pp);
    set_path(bench, "temp", file->probe[0]);
}

static int open_hardware(struct bench *bench, char *text, size_t cap)
{
    struct pw_out why = {.at = text, .cap = cap};
    text[0] = '\0';
    return pw_hardware_open(&bench->hardware, &bench->file, now_ms(), &why);
}

static void prepare(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    fake_gpiod_reset();
    fake_gpiod_put(CONTACT, true); // active low: open
    make_files(bench);
    describe(bench);
}

static void begin(struct bench *bench)
{
    char why[PW_HARDWARE_REASON_MAX];
    prepare(bench);
    if (open_hardware(bench, why, sizeof(why)) != PW_OK) {
        fail_msg("%s", why);
    }
}

static void end(struct bench *bench)
{
    pw_hardware_close(bench->hardware);
    end_files(bench);
}

static void turn(struct bench *bench)
{
    struct pollfd ready = {.fd = pw_hardware_fd(bench->hardware), .events = POLLIN};
    struct pw_hardware_event event;
    (void)poll(&ready, 1, 1);
    int got = pw_hardware_read(bench->hardware, now_ms(), &event);
    for (; got == 1; got = pw_hardware_read(bench->hardware, now_ms(), &event)) {
        if (event.kind == PW_HARDWARE_SENSES) {
            bench->senses++;
            bench->last = *event.senses;
        } else if (event.kind == PW_HARDWARE_BLOCK) {
            bench->blocks++;
            bench->block = *event.block;
        } else {
            bench->up = event.up;
        }
    }
    bench->end = got;
}

#define UNTIL(bench, condition)                                                                    \
    do {                                                                                           \
        pw_ms until = now_ms() + WAIT_MS;                                                          \
        while (!(condition) && now_ms() < until) {                                                 \
            turn(bench);                                                                           \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static void drive(struct bench *bench, const struct pw_board_drive *what)
{
    assert_int_equal(pw_hardware_drive(bench->hardware, what, now_ms()), PW_OK);
}

static const struct pw_board_drive charging = {.cp = PW_BOARD_CP_PWM,
                                               .duty_ppm = 266600,
                                               .contactor = true,
                                               .lock = true,
                                               .lamp = PW_BOARD_LAMP_CHARGING};

// ---------------------------------------------------------------------------------------------

static void everything_is_off_after_opening(void **state)
{
    struct bench bench;
    struct pw_board_traits traits;
    (void)state;
    begin(&bench);
    assert_true(fake_gpiod_is_output(CONTACTOR));
    assert_false(fake_gpiod_level(CONTACTOR));
    assert_int_equal(fake_gpiod_pulls(CONTACT), GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP);
    assert_int_equal(file_number(&bench, "pwm0/period"), 1000000);
    assert_int_equal(file_number(&bench, "pwm0/duty_cycle"), 0);
    assert_int_equal(file_number(&bench, "pwm0/enable"), 1);
    assert_true(pw_hardware_traits(bench.hardware, &traits));
    assert_true(traits.blocks);
    assert_true(traits.no_earth);
    assert_false(traits.no_rcd || traits.no_feedback || traits.blind_lock || traits.no_probe);
    end(&bench);
    assert_false(fake_gpiod_is_held(CONTACTOR));
}

static void pins_and_files_become_senses_and_blocks(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.up && bench.blocks > 0 && bench.senses > 0);
    assert_int_equal(bench.block.count, 0);
    assert_int_equal(bench.block.cp_high, 2324);
    assert_int_equal(bench.block.cp_low, 310);
    assert_int_equal(bench.block.pp, 793);
    assert_int_equal(bench.last.contact, PW_BOARD_CONTACT_OPEN);
    assert_int_equal(bench.last.lock, PW_BOARD_LOCK_OPEN);
    assert_int_equal(bench.last.rcd, PW_BOARD_RCD_OK);
    assert_int_equal(bench.last.earth, PW_BOARD_EARTH_NONE);
    assert_int_equal(bench.last.temp_dc[0], 315);
    assert_int_equal(bench.last.temp_dc[1], PW_BOARD_UNKNOWN);
    put_file(&bench, "cp_high", "1767\n");
    UNTIL(&bench, bench.block.cp_high == 1767);
    end(&bench);
}

static void an_edge_is_told_at_once(void **state)
{
    static const struct {
        unsigned line;
        bool level;
    } rows[] = {{ESTOP, true}, {RCD_TRIP, true}, {CONTACT, false}, {LOCKED, true}};
    struct bench bench;
    (void)state;
    begin(&bench);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        fake_gpiod_put(rows[i].line, rows[i].level);
        struct pollfd ready = {.fd = pw_hardware_fd(bench.hardware), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
        turn(&bench);
    }
    assert_true(bench.last.estop);
    assert_int_equal(bench.last.rcd, PW_BOARD_RCD_TRIPPED);
    assert_int_equal(bench.last.contact, PW_BOARD_CONTACT_CLOSED);
    assert_int_equal(bench.last.lock, PW_BOARD_LOCK_CLOSED);
    end(&bench);
}

static void a_drive_becomes_levels_and_duty(void **state)
{
    static const struct {
        struct pw_board_drive drive;
        long duty;
        bool contactor;
        bool green;
        bool blue;
        bool red;
    } rows[] = {
        {{.cp = PW_BOARD_CP_STEADY, .lamp = PW_BOARD_LAMP_READY},
         1000000,
         false,
         true,
         false,
         false},
        {{.cp = PW_BOARD_CP_PWM,
          .duty_ppm = 100000,
          .contactor = true,
          .lamp = PW_BOARD_LAMP_CHARGING},
         100000,
         true,
         false,
         true,
         false},
        {{.cp = PW_BOARD_CP_FAULT, .lamp = PW_BOARD_LAMP_FAULT}, 0, false, false, false, true},
        {{.cp = PW_BOARD_CP_STEADY, .lamp = PW_BOARD_LAMP_OFF},
         1000000,
         false,
         false,
         false,
         false},
    };
    struct bench bench;
    (void)state;
    begin(&bench);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        drive(&bench, &rows[i].drive);
        assert_int_equal(file_number(&bench, "pwm0/duty_cycle"), rows[i].duty);
        assert_int_equal(fake_gpiod_level(CONTACTOR), rows[i].contactor);
        assert_int_equal(fake_gpiod_level(GREEN), rows[i].green);
        assert_int_equal(fake_gpiod_level(BLUE), rows[i].blue);
        assert_int_equal(fake_gpiod_level(RED), rows[i].red);
    }
    struct pw_board_drive test = {.cp = PW_BOARD_CP_STEADY, .rcd_test = true, .buzzer = true};
    drive(&bench, &test);
    assert_true(fake_gpiod_level(RCD_TEST));
    assert_true(fake_gpiod_level(BUZZER));
    end(&bench);
    assert_false(fake_gpiod_level(RCD_TEST));
}

static void an_inverted_pilot_is_high_when_the_pin_is_low(void **state)
{
    struct bench bench;
    char why[PW_HARDWARE_REASON_MAX];
    (void)state;
    prepare(&bench);
    bench.file.pwm_inverted = true;
    assert_int_equal(open_hardware(&bench, why, sizeof(why)), PW_OK);
    assert_int_equal(file_number(&bench, "pwm0/duty_cycle"), 1000000); // -12 V
    drive(&bench, &charging);
    assert_int_equal(file_number(&bench, "pwm0/duty_cycle"), 1000000 - 266600);
    end(&bench);
}

static void the_lock_gets_one_pulse_and_says_moving(void **state)
{
    struct bench bench;
    struct pw_board_drive locked = {.cp = PW_BOARD_CP_STEADY, .lock = true};
    struct pw_board_drive open = {.cp = PW_BOARD_CP_STEADY};
    (void)state;
    begin(&bench);
    drive(&bench, &locked);
    assert_true(fake_gpiod_level(LOCK_CLOSE));
    assert_false(fake_gpiod_level(LOCK_OPEN));
    UNTIL(&bench, bench.last.lock == PW_BOARD_LOCK_MOVING);
    fake_gpiod_put(LOCKED, true);
    UNTIL(&bench, bench.last.lock == PW_BOARD_LOCK_CLOSED);
    UNTIL(&bench, !fake_gpiod_level(LOCK_CLOSE));
    drive(&bench, &locked); // the same again is no pulse
    assert_false(fake_gpiod_level(LOCK_CLOSE));
    drive(&bench, &open);
    assert_true(fake_gpiod_level(LOCK_OPEN));
    UNTIL(&bench, !fake_gpiod_level(LOCK_OPEN));
    assert_int_equal(bench.last.lock, PW_BOARD_LOCK_CLOSED); // stuck: the pulse is over
    end(&bench);
}

static void a_waiting_lamp_blinks(void **state)
{
    struct bench bench;
    struct pw_board_drive waiting = {.cp = PW_BOARD_CP_STEADY, .lamp = PW_BOARD_LAMP_WAITING};
    (void)state;
    begin(&bench);
    drive(&bench, &waiting);
    UNTIL(&bench, fake_gpiod_level(GREEN));
    drive(&bench, &waiting);
    UNTIL(&bench, !fake_gpiod_level(GREEN));
    end(&bench);
}

// Until samples that began after now have been taken; each wakes, good or not.
static void follow(struct bench *bench)
{
    for (unsigned i = 0; i < 4; i++) {
        struct pollfd ready = {.fd = pw_hardware_fd(bench->hardware), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
        turn(bench);
    }
}

// Reason: a converter's bus that hangs, or a wire that is off: the pilot must look old, not good.
static void what_cannot_be_read_grows_old(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.blocks > 0);
    put_file(&bench, "cp_low", "nonsense\n");
    follow(&bench);
    unsigned blocks = bench.blocks;
    pw_ms at = bench.last.at;
    follow(&bench);
    assert_int_equal(bench.blocks, blocks);
    assert_int_equal(bench.last.at, at);
    fake_gpiod_put(ESTOP, true);
    UNTIL(&bench, bench.last.estop); // lines are told all the same
    assert_int_equal(bench.last.at, at);
    put_file(&bench, "cp_low", "40000\n"); // no 16 bits
    put_file(&bench, "cp_low", "310\n");
    UNTIL(&bench, bench.blocks > blocks);
    end(&bench);
}

// Reason: facts/reliability.md §7.1 A24: the loop hangs, the contactor must not stay closed.
static void a_loop_that_hangs_is_opened_by_the_thread(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    drive(&bench, &charging);
    assert_true(fake_gpiod_level(CONTACTOR));
    pw_ms since = now_ms();
    while (fake_gpiod_level(CONTACTOR) && now_ms() < since + WAIT_MS) {
        (void)poll(NULL, 0, 1); // a loop that does nothing else
    }
    assert_in_range(now_ms() - since, PW_BOARD_SILENCE_MS - 20, PW_BOARD_SILENCE_MS + 1000);
    drive(&bench, &charging); // alive again, but that is the old wish
    assert_false(fake_gpiod_level(CONTACTOR));
    UNTIL(&bench, bench.last.opened);
    struct pw_board_drive open = charging;
    open.contactor = false;
    drive(&bench, &open);
    UNTIL(&bench, !bench.last.opened);
    drive(&bench, &charging); // the station decided so
    assert_true(fake_gpiod_level(CONTACTOR));
    assert_int_equal(file_number(&bench, "pwm0/duty_cycle"), 266600);
    end(&bench);
}

static void a_line_that_refuses_is_a_lost_board(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    fake_gpiod_break(CONTACTOR);
    assert_int_equal(pw_hardware_drive(bench.hardware, &charging, now_ms()), PW_ERR_PEER);
    turn(&bench);
    assert_int_equal(bench.end, PW_ERR_PEER);
    end(&bench);
    begin(&bench);
    fake_gpiod_break(ESTOP);
    UNTIL(&bench, bench.end == PW_ERR_PEER);
    end(&bench);
}

// The fake's lines are the child's own: what became of them goes where the message goes.
static void open_and_tell(void *context)
{
    pw_hardware_off(context);
    ssize_t sent = write(STDERR_FILENO, fake_gpiod_level(CONTACTOR) ? "closed;" : "open;", 5);
    (void)sent;
}

// Reason: a failed assertion opens the contactor first, then speaks, then ends.
static void a_failed_assertion_opens_the_contactor(void **state)
{
    struct bench bench;
    int ends[2];
    char heard[6] = "";
    (void)state;
    begin(&bench);
    assert_int_equal(pipe(ends), 0);
    drive(&bench, &charging);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL); // cmocka's handler is not the program's
        pw_panic_hook(open_and_tell, bench.hardware);
        PW_ASSERT(bench.hardware == NULL);
        _exit(0);
    }
    assert_int_equal(read(ends[0], heard, 5), 5);
    assert_string_equal(heard, "open;");
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(file_number(&bench, "pwm0/duty_cycle"), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    end(&bench);
}

static void what_cannot_be_opened_is_named(void **state)
{
    static const struct {
        const char *contactor;
        const char *file; // taken away
        const char *why;
    } rows[] = {
        {"99", NULL, "lines.contactor: \"gpiochip0:99\": no such line: Invalid argument"},
        {"NAME", NULL, "lines.contactor: \"gpiochip0:NAME\": no such line: No such file"},
        {"30", NULL, "lines.contactor: \"gpiochip0:30\": cannot be had: Device or resource busy"},
        {"17", "pwm0/period", "pwm.chip: "},
        {"17", "cp_low", "samples.cp_low: "},
        {"17", "temp", "samples.probe0: "},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct bench bench;
        char why[PW_HARDWARE_REASON_MAX];
        char path[128];
        prepare(&bench);
        fake_gpiod_occupy(30);
        bench.file.line[PW_BOARD_LINE_CONTACTOR] = pin(rows[i].contactor);
        if (rows[i].file != NULL) {
            folder_file(&bench.folder, rows[i].file, path);
            assert_int_equal(unlink(path), 0);
        }
        int err = open_hardware(&bench, why, sizeof(why));
        if (err != PW_ERR_UNKNOWN || strstr(why, rows[i].why) == NULL) {
            fail_msg("row %zu: %d %s", i, err, why);
        }
        assert_null(bench.hardware);
        for (unsigned line = 0; line < FAKE_LINES; line++) {
            assert_false(fake_gpiod_is_held(line)); // nothing is kept
        }
        end(&bench);
    }
}

static void a_chip_that_is_not_there_is_named(void **state)
{
    struct bench bench;
    char why[PW_HARDWARE_REASON_MAX];
    (void)state;
    prepare(&bench);
    (void)memcpy(bench.file.line[PW_BOARD_LINE_ESTOP].chip, "gpiochip7", sizeof("gpiochip7"));
    assert_int_equal(open_hardware(&bench, why, sizeof(why)), PW_ERR_UNKNOWN);
    assert_string_equal(why, "lines.estop: \"gpiochip7:16\": no such chip: No such file or "
                             "directory");
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_off_after_opening),
        cmocka_unit_test(pins_and_files_become_senses_and_blocks),
        cmocka_unit_test(an_edge_is_told_at_once),
        cmocka_unit_test(a_drive_becomes_levels_and_duty),
        cmocka_unit_test(an_inverted_pilot_is_high_when_the_pin_is_low),
        cmocka_unit_test(the_lock_gets_one_pulse_and_says_moving),
        cmocka_unit_test(a_waiting_lamp_blinks),
        cmocka_unit_test(what_cannot_be_read_grows_old),
        cmocka_unit_test(a_loop_that_hangs_is_opened_by_the_thread),
        cmocka_unit_test(a_line_that_refuses_is_a_lost_board),
        cmocka_unit_test(a_failed_assertion_opens_the_contactor),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(a_chip_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
