// The log can be trusted: one record a line, no flood, never a stop because nobody reads.
#include "log.h"

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct pw_clock clock;
    struct pw_logger logger;
    int ends[2];
    char text[65536];
};

static int setup_at(void **state, const char *setting)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    (void)unsetenv("JOURNAL_STREAM");
    assert_int_equal(pw_clock_init(&f->clock, setting), PW_OK);
    assert_int_equal(pipe(f->ends), 0);
    assert_int_equal(fcntl(f->ends[0], F_SETFL, O_NONBLOCK), 0);
    pw_logger_init(&f->logger, &f->clock, f->ends[1], PW_LOG_INFO);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_at(state, NULL);
}

static int setup_fast(void **state)
{
    return setup_at(state, "1700000000000:1700000000000:1000");
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    (void)close(f->ends[0]);
    (void)close(f->ends[1]);
    free(f);
    return 0;
}

static void say(struct fixture *f, enum pw_level level, const char *room, const char *text)
{
    f->logger.log.write(f->logger.log.context, level, room, pw_str_of(text));
}

static size_t drain(struct fixture *f)
{
    ssize_t len = read(f->ends[0], f->text, sizeof(f->text) - 1);
    f->text[len > 0 ? len : 0] = '\0';
    size_t lines = 0;
    for (const char *at = f->text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    return lines;
}

static void a_record_is_one_line_with_time_level_and_room(void **state)
{
    struct fixture *f = *state;
    struct pw_line line;
    pw_line(&line, &f->logger.log, PW_LOG_WARN, "bay", "state");
    pw_line_s(&line, "from", "idle");
    pw_line_int(&line, "ma", 1500);
    pw_line_end(&line);
    assert_int_equal(drain(f), 1);
    assert_int_equal(f->text[10], 'T');
    assert_string_equal(f->text + 23, "Z WARN bay state from=idle ma=1500\n");
}

// A station id or card number with a line break must not write a second, false record.
static void no_value_can_forge_a_record(void **state)
{
    struct fixture *f = *state;
    struct pw_line line;
    pw_line(&line, &f->logger.log, PW_LOG_INFO, "ocpp", "card");
    pw_line_s(&line, "id", "A1\n2026-01-01T00:00:00.000Z ERROR bay burning\x1B[2J");
    pw_line_end(&line);
    say(f, PW_LOG_INFO, "ocpp", "raw\nline\r\x1B[31m");
    assert_int_equal(drain(f), 2);
    assert_null(strchr(f->text, '\r'));
    assert_null(strchr(f->text, '\x1B'));
    assert_non_null(strstr(f->text, "raw?line??[31m\n"));
}

static void a_flood_is_thinned_per_room_and_event(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 1000; i++) {
        say(f, PW_LOG_INFO, "can", "frame_refused n=1");
    }
    say(f, PW_LOG_INFO, "can", "state to=off");      // another event of the same room
    say(f, PW_LOG_INFO, "bay", "frame_refused n=1"); // the same event of another room
    assert_int_equal(drain(f), PW_LOG_BURST + 2);
}

static void what_was_left_out_is_counted_in_the_next_record(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < PW_LOG_BURST + 7; i++) {
        say(f, PW_LOG_INFO, "can", "noise");
    }
    assert_int_equal(drain(f), PW_LOG_BURST);
    pw_ms refilled = pw_clock_now(&f->clock) + PW_LOG_REFILL;
    while (pw_clock_now(&f->clock) < refilled) { // 10 ms of real time at this clock's pace
    }
    say(f, PW_LOG_INFO, "can", "noise");
    assert_int_equal(drain(f), 1);
    assert_non_null(strstr(f->text, " left_out=7\n"));
}

static void more_sources_than_rows_still_write(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < PW_LOG_SOURCES + 50; i++) {
        char event[16] = "e";
        event[1] = (char)('a' + i % 26);
        event[2] = (char)('a' + i / 26);
        say(f, PW_LOG_INFO, "room", event);
    }
    assert_int_equal(drain(f), PW_LOG_SOURCES + 50);
}

static void less_important_levels_are_not_written(void **state)
{
    struct fixture *f = *state;
    say(f, PW_LOG_DEBUG, "bay", "tick");
    assert_int_equal(drain(f), 0);
    f->logger.level = PW_LOG_DEBUG;
    for (int i = 0; i < 3 * PW_LOG_BURST; i++) {
        say(f, PW_LOG_DEBUG, "bay", "tick");
    }
    assert_int_equal(drain(f), 3 * PW_LOG_BURST);
}

// The terminal may be paused with Ctrl-S, the reader of the pipe may hang: charging goes on.
static void a_reader_that_stops_reading_stops_nothing(void **state)
{
    struct fixture *f = *state;
    f->logger.level = PW_LOG_DEBUG;
    for (int i = 0; i < 5000; i++) {
        say(f, PW_LOG_DEBUG, "bay", "tick with some length to fill the pipe sooner");
    }
    assert_true(f->logger.lost > 0);
}

static void a_line_that_is_too_long_is_cut_and_still_ends(void **state)
{
    struct fixture *f = *state;
    char text[2 * PW_LOG_LINE_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    say(f, PW_LOG_INFO, "bay", text);
    assert_int_equal(drain(f), 1);
    assert_in_range(strlen(f->text), PW_LOG_LINE_MAX - 8, PW_LOG_LINE_MAX);
}

static void the_last_lines_are_kept_for_people(void **state)
{
    struct fixture *f = *state;
    say(f, PW_LOG_INFO, "bay", "first");
    say(f, PW_LOG_INFO, "bay", "second");
    assert_int_equal(f->logger.kept.count, 2);
    assert_non_null(strstr(f->logger.kept.text[1], "INFO bay second"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_is_one_line_with_time_level_and_room, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_value_can_forge_a_record, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_is_thinned_per_room_and_event, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_left_out_is_counted_in_the_next_record, setup_fast,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_sources_than_rows_still_write, setup, teardown),
        cmocka_unit_test_setup_teardown(less_important_levels_are_not_written, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_stops_reading_stops_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_cut_and_still_ends, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_last_lines_are_kept_for_people, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
