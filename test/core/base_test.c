// base: numbers at the ends of their range, calendar against the C library, lines nobody can forge.
#include "base/base.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void elapsed_and_after_never_run_over(void **state)
{
    (void)state;
    assert_true(pw_elapsed(100, 50, 150));
    assert_false(pw_elapsed(100, 50, 149));
    assert_false(pw_elapsed(100, 0, 99)); // the clock of the caller went back
    assert_true(pw_elapsed(100, 0, 100));
    assert_false(pw_elapsed(PW_NEVER, 0, PW_NEVER));
    assert_true(pw_after(1, 2) == 3);
    assert_true(pw_after(PW_NEVER, 0) == PW_NEVER);
    assert_true(pw_after(5, PW_NEVER) == PW_NEVER);
    assert_true(pw_after(PW_NEVER - 1, 1) == PW_NEVER);
    assert_true(pw_earlier(PW_NEVER, 7) == 7);
}

static void whole_numbers_are_strict(void **state)
{
    (void)state;
    int64_t value = 42;
    const struct {
        const char *text;
        int err;
        int64_t value;
    } rows[] = {
        {"0", PW_OK, 0},
        {"-0", PW_OK, 0},
        {"007", PW_OK, 7},
        {"9223372036854775807", PW_OK, INT64_MAX},
        {"-9223372036854775808", PW_OK, INT64_MIN},
        {"9223372036854775808", PW_ERR_RANGE, 42},
        {"-9223372036854775809", PW_ERR_RANGE, 42},
        {"4294967328", PW_OK, 4294967328},
        {"", PW_ERR_PEER, 42},
        {"-", PW_ERR_PEER, 42},
        {"+1", PW_ERR_PEER, 42},
        {"1 ", PW_ERR_PEER, 42},
        {"3x", PW_ERR_PEER, 42},
        {"1e1", PW_ERR_PEER, 42},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        value = 42;
        assert_int_equal(pw_parse_int(pw_str_of(rows[i].text), INT64_MIN, INT64_MAX, &value),
                         rows[i].err);
        assert_true(value == rows[i].value);
    }
    assert_int_equal(pw_parse_int(PW_STR("11"), 0, 10, &value), PW_ERR_RANGE);
}

static void decimals_are_exact(void **state)
{
    (void)state;
    const struct {
        const char *text;
        unsigned decimals;
        int err;
        int64_t value;
    } rows[] = {
        {"1.5", 3, PW_OK, 1500},       {"-1.5", 1, PW_OK, -15},
        {"-0.5", 1, PW_OK, -5},        {"1", 3, PW_OK, 1000},
        {"1.50", 1, PW_OK, 15},        {"1.51", 1, PW_ERR_RANGE, 42},
        {".5", 1, PW_ERR_PEER, 42},    {"5.", 1, PW_ERR_PEER, 42},
        {"1.2.3", 2, PW_ERR_PEER, 42}, {"", 2, PW_ERR_PEER, 42},
        {"-", 2, PW_ERR_PEER, 42},     {"9223372036854775.808", 3, PW_ERR_RANGE, 42},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int64_t value = 42;
        assert_int_equal(pw_parse_fixed(pw_str_of(rows[i].text), rows[i].decimals, &value),
                         rows[i].err);
        assert_true(value == rows[i].value);
    }
}

static void numbers_print_and_round(void **state)
{
    (void)state;
    char text[64];
    struct pw_out out = PW_OUT(text);
    pw_put_int(&out, INT64_MIN);
    assert_string_equal(text, "-9223372036854775808");
    out = PW_OUT(text);
    pw_put_fixed(&out, -1500, 3);
    pw_put_c(&out, ' ');
    pw_put_fixed(&out, 2000, 3);
    pw_put_c(&out, ' ');
    pw_put_fixed(&out, 5, 3);
    assert_string_equal(text, "-1.5 2 0.005");
    out = PW_OUT(text);
    pw_put_places(&out, 76249, 3, 1);
    pw_put_c(&out, ' ');
    pw_put_places(&out, 76250, 3, 1);
    pw_put_c(&out, ' ');
    pw_put_places(&out, -49, 3, 1);
    pw_put_c(&out, ' ');
    pw_put_places(&out, -50, 3, 1);
    pw_put_c(&out, ' ');
    pw_put_places(&out, 999, 3, 0);
    assert_string_equal(text, "76.2 76.3 0.0 -0.1 1");
}

// Reason: a writer that runs over is a hole; one that hides it loses records.
static void a_full_writer_keeps_what_fitted_and_says_so(void **state)
{
    (void)state;
    char text[6];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "12345");
    assert_int_equal(pw_out_err(&out), PW_OK);
    pw_put_c(&out, '6');
    assert_int_equal(pw_out_err(&out), PW_ERR_LIMIT);
    assert_string_equal(text, "12345");
    struct pw_out none = {.cap = 0};
    pw_put_s(&none, "x");
    assert_int_equal(pw_out_err(&none), PW_ERR_LIMIT);
}

// Reason: our own calendar must agree with everybody else's on every day there is.
static void every_day_until_9999_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 2932896; day += 1) {
        char ours[PW_TIME_TEXT_MAX];
        char theirs[64];
        time_t at = (time_t)(day * 86400 + day % 86400);
        struct pw_out out = PW_OUT(ours);
        pw_put_time(&out, (pw_unix_ms)at * 1000 + day % 1000);
        const struct tm *tm = gmtime(&at);
        assert_non_null(tm);
        (void)snprintf(theirs, sizeof(theirs), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                       tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday, tm->tm_hour, tm->tm_min,
                       tm->tm_sec, (int)(day % 1000));
        if (strcmp(ours, theirs) != 0) {
            assert_string_equal(ours, theirs);
        }
        pw_unix_ms back = 0;
        if (pw_parse_time(pw_out_str(&out), &back) != PW_OK ||
            back != (pw_unix_ms)at * 1000 + day % 1000) {
            fail_msg("%s does not come back", ours);
        }
    }
}

static void times_of_all_shapes_are_read(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ms; // -1: refused
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1970-01-01T00:00:01.5Z", 1500},
        {"1970-01-01T00:00:01.123456Z", 1123},
        {"1970-01-02T00:00:00", 86400000},
        {"2024-02-29T12:00:00Z", 1709208000000},
        {"2023-02-29T12:00:00Z", -1},
        {"2026-13-45T99:99:99Z", -1},
        {"1970-01-01T00:00:00.Z", -1},
        {"1970-01-01T00:00:00+99:99", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"1970-01-01T00:00:00+00:01", -1}, // before the beginning
        {"1970-01-01 00:00:00Z", -1},
        {"1970-01-01T00:00:00Zx", -1},
        {"", -1},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        pw_unix_ms value = -1;
        int err = pw_parse_time(pw_str_of(rows[i].text), &value);
        assert_int_equal(err, rows[i].ms < 0 ? PW_ERR_PEER : PW_OK);
        assert_true(value == rows[i].ms);
    }
}

struct caught {
    char text[PW_LINE_MAX];
};

static void catch_line(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    struct caught *caught = context;
    (void)level;
    (void)room;
    assert_int_equal(pw_str_copy(caught->text, sizeof(caught->text), text), PW_OK);
}

// Reason: facts/reliability.md T21: no value from outside may look like a record of its own.
static void a_value_cannot_forge_a_line(void **state)
{
    (void)state;
    struct caught caught;
    struct pw_log log = {.context = &caught, .write = catch_line};
    struct pw_line line;
    pw_line(&line, &log, PW_LOG_INFO, "test", "event");
    pw_line_str(&line, "tag", PW_STR("x\nerror forged=\"1\" %n%s\x1b[31m"));
    pw_line_int(&line, "n", -5);
    pw_line_fixed(&line, "limit_a", 16500, 3);
    pw_line_s(&line, "empty", "");
    pw_line_end(&line);
    assert_string_equal(caught.text, "event tag=\"x\\x0Aerror forged=\\x221\\x22 "
                                     "%n%s\\x1B[31m\" n=-5 limit_a=16.5 empty=\"\"");
    // What turns the direction of writing, or is a control sequence in one character.
    pw_line(&line, &log, PW_LOG_INFO, "test", "event");
    pw_line_str(&line, "tag",
                PW_STR("a\u202Eb\u2066\u200F\u061Cc\xC2\x9B"
                       "d \u00E9\u20AC"));
    pw_line_end(&line);
    assert_string_equal(caught.text, "event tag=\"a\\xE2\\x80\\xAEb\\xE2\\x81\\xA6\\xE2\\x80\\x8F"
                                     "\\xD8\\x9Cc\\xC2\\x9Bd \u00E9\u20AC\"");
}

static void text_is_cut_trimmed_and_compared(void **state)
{
    (void)state;
    struct pw_str rest = PW_STR("a,,b");
    assert_true(pw_str_is(pw_str_cut(&rest, ','), "a"));
    assert_true(pw_str_is(pw_str_cut(&rest, ','), ""));
    assert_true(pw_str_is(pw_str_cut(&rest, ','), "b"));
    assert_int_equal(rest.len, 0);
    assert_true(pw_str_is(pw_str_trim(PW_STR(" \t x y\r\n")), "x y"));
    assert_true(pw_str_eq_nocase(PW_STR("AbC"), PW_STR("aBc")));
    assert_false(pw_str_eq_nocase(PW_STR("AbC"), PW_STR("aBcd")));
    char small[4];
    assert_int_equal(pw_str_copy(small, sizeof(small), PW_STR("four")), PW_ERR_LIMIT);
    assert_string_equal(small, "");
    uint8_t bytes[2];
    assert_int_equal(pw_parse_hex(PW_STR("0aFf"), bytes, 2), 2);
    assert_int_equal(bytes[1], 0xFF);
    assert_int_equal(pw_parse_hex(PW_STR("0g"), bytes, 2), PW_ERR_PEER);
    assert_int_equal(pw_parse_hex(PW_STR("000000"), bytes, 2), PW_ERR_LIMIT);
}

PW_RING_DEF(numbers, int, 3);

static void a_full_ring_refuses_and_counts(void **state)
{
    (void)state;
    struct numbers ring = {.head = 2};
    int value = 0;
    assert_true(numbers_push(&ring, 1));
    assert_true(numbers_push(&ring, 2));
    assert_true(numbers_push(&ring, 3));
    assert_false(numbers_push(&ring, 4));
    assert_int_equal(ring.refused, 1);
    for (int i = 1; i <= 3; i++) {
        assert_true(numbers_pop(&ring, &value));
        assert_int_equal(value, i);
    }
    assert_false(numbers_pop(&ring, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elapsed_and_after_never_run_over),
        cmocka_unit_test(whole_numbers_are_strict),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(numbers_print_and_round),
        cmocka_unit_test(a_full_writer_keeps_what_fitted_and_says_so),
        cmocka_unit_test(every_day_until_9999_agrees_with_the_c_library),
        cmocka_unit_test(times_of_all_shapes_are_read),
        cmocka_unit_test(a_value_cannot_forge_a_line),
        cmocka_unit_test(text_is_cut_trimmed_and_compared),
        cmocka_unit_test(a_full_ring_refuses_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
