// The log ring: running cursors, what is gone is counted, a storm pushes no reason out.
#include "logring/logring.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct pw_logring ring;
static uint8_t bytes[8192];

static void write_line(enum pw_level level, const char *text, pw_ms now)
{
    pw_logring_write(&ring, level, "room", pw_str_of(text), now, 0);
}

static void lines_come_back_in_order_whatever_their_level(void **state)
{
    (void)state;
    struct pw_logring_line line;
    pw_logring_init(&ring, bytes, sizeof(bytes));
    assert_false(pw_logring_read(&ring, 0, PW_LOG_DEBUG, &line));
    write_line(PW_LOG_INFO, "one a=1", 10);
    write_line(PW_LOG_WARN, "two", 11);
    pw_logring_write(&ring, PW_LOG_DEBUG, "dc", PW_STR("three"), 12, 1700000000000);
    static const char *const texts[] = {"one a=1", "two", "three"};
    for (uint64_t i = 0; i < 3; i++) {
        assert_true(pw_logring_read(&ring, i, PW_LOG_DEBUG, &line));
        assert_int_equal(line.cursor, i);
        assert_int_equal(line.at, 10 + i);
        assert_true(pw_str_is(line.text, texts[i]));
    }
    assert_string_equal(line.room, "dc");
    assert_int_equal(line.wall, 1700000000000);
    assert_false(pw_logring_read(&ring, 3, PW_LOG_DEBUG, &line));
    // Filtered: only what is at least as severe.
    assert_true(pw_logring_read(&ring, 0, PW_LOG_WARN, &line));
    assert_int_equal(line.cursor, 1);
    assert_true(pw_logring_back(&ring, 3, PW_LOG_INFO, &line));
    assert_int_equal(line.cursor, 1);
    assert_true(pw_logring_back(&ring, 1, PW_LOG_INFO, &line));
    assert_int_equal(line.cursor, 0);
    assert_false(pw_logring_back(&ring, 0, PW_LOG_INFO, &line));
}

// Lines of every length, so that records meet the end of the ring in every way.
static void what_is_pushed_out_is_counted_and_the_rest_is_whole(void **state)
{
    (void)state;
    char text[PW_LOGRING_TEXT + 1];
    pw_logring_init(&ring, bytes, sizeof(bytes));
    uint32_t random = 7;
    for (unsigned i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        size_t len = 12 + (random >> 16) % 300;
        (void)snprintf(text, sizeof(text), "n%07u", i);
        memset(text + 8, 'x', len - 8);
        text[len] = '\0';
        // Events differ, so nothing is thinned: this test is about room.
        pw_logring_write(&ring, PW_LOG_DEBUG, "a", pw_str_of(text), i, 0);
        if (i % 7 == 0) {
            write_line(PW_LOG_DEBUG, text, i);
        }
    }
    struct pw_logring_line line;
    uint64_t at = 0;
    uint64_t found = 0;
    while (pw_logring_read(&ring, at, PW_LOG_DEBUG, &line)) {
        assert_int_equal(line.text.at[0], 'n');
        assert_int_equal(line.text.at[line.text.len - 1], 'x');
        at = line.cursor + 1;
        found++;
    }
    assert_int_equal(at, ring.next);
    assert_true(found > 10);
    assert_int_equal(pw_logring_gone(&ring, 0, UINT64_MAX) + found, ring.next);
    assert_int_equal(ring.pushed + found, ring.next);
    assert_int_equal(pw_logring_gone(&ring, ring.next, UINT64_MAX), 0);
}

static void a_storm_of_news_pushes_no_reason_out(void **state)
{
    (void)state;
    struct pw_logring_line line;
    char text[32];
    pw_logring_init(&ring, bytes, sizeof(bytes));
    write_line(PW_LOG_WARN, "contactor-opened why=over-current", 5);
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(text, sizeof(text), "event%u x=1", i % 1000);
        pw_logring_write(&ring, PW_LOG_INFO, "storm", pw_str_of(text), 6 + i * 10, 0);
    }
    assert_true(pw_logring_read(&ring, 0, PW_LOG_DEBUG, &line));
    assert_int_equal(line.cursor, 0);
    assert_true(pw_str_starts(line.text, "contactor-opened"));
    assert_true(ring.pushed > 0);
}

static void a_source_that_floods_is_thinned_and_says_so(void **state)
{
    (void)state;
    struct pw_logring_line line;
    pw_logring_init(&ring, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 1000; i++) {
        write_line(PW_LOG_ERROR, "flood again=1", 100);
    }
    assert_int_equal(ring.next, PW_LOGRING_BURST);
    assert_int_equal(ring.thinned, 1000 - PW_LOGRING_BURST);
    write_line(PW_LOG_INFO, "other", 101); // nobody else suffers
    assert_int_equal(ring.next, PW_LOGRING_BURST + 1);
    write_line(PW_LOG_ERROR, "flood again=2", 100 + PW_LOGRING_REFILL);
    assert_true(pw_logring_back(&ring, UINT64_MAX, PW_LOG_ERROR, &line));
    assert_true(pw_str_is(line.text, "flood again=2 left_out=980"));
}

static void no_line_forges_another_and_a_long_one_is_cut(void **state)
{
    (void)state;
    struct pw_logring_line line;
    char text[1000];
    pw_logring_init(&ring, bytes, sizeof(bytes));
    write_line(PW_LOG_INFO, "a\n2026 ERROR \x1b[2J", 0);
    assert_true(pw_logring_read(&ring, 0, PW_LOG_INFO, &line));
    assert_true(pw_str_is(line.text, "a?2026 ERROR ?[2J"));
    memset(text, 'y', sizeof(text));
    text[999] = '\0';
    pw_logring_write(&ring, PW_LOG_INFO, "a-room-with-a-long-name", pw_str_of(text), 0, 0);
    assert_true(pw_logring_read(&ring, 1, PW_LOG_INFO, &line));
    assert_int_equal(line.text.len, PW_LOGRING_TEXT);
    assert_int_equal(strlen(line.room), PW_LOGRING_ROOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_back_in_order_whatever_their_level),
        cmocka_unit_test(what_is_pushed_out_is_counted_and_the_rest_is_whole),
        cmocka_unit_test(a_storm_of_news_pushes_no_reason_out),
        cmocka_unit_test(a_source_that_floods_is_thinned_and_says_so),
        cmocka_unit_test(no_line_forges_another_and_a_long_one_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
