// Time zones, delay timer and weekly plan. The zone's clock is compared with the C library's, which
// reads the same strings with code of its own; windows with a search minute by minute.
#include "schedule/schedule.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_MS   3600000LL
#define MINUTE_MS 60000LL
#define DAY_MS    86400000LL

// Zones with everything the grammar has: half hours, negative and large hours of a change, changes
// on a Thursday, at midnight, in the south, numbers of a day, Ireland's winter that is the saving.
static const char *const zones[] = {
    "UTC0",
    "IST-5:30",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "GMT0BST,M3.5.0/1,M10.5.0",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "EST5EDT,M3.2.0,M11.1.0",
    "NST3:30NDT,M3.2.0,M11.1.0",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "EET-2EEST,M3.5.0/0,M10.5.0/0",
    "EET-2EEST,M4.5.5/0,M10.5.4/24",
    "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",
    "QQQ-3:12:34WWW-4,J60/12,J300",
    "QQQ8WWW,59/3:30,364/1:02:03",
};

static struct pw_zone zone_of(const char *text)
{
    char why[200] = "";
    struct pw_out out = PW_OUT(why);
    struct pw_zone zone = {.std_s = 0};
    if (pw_zone_parse(pw_str_of(text), &zone, &out) != PW_OK) {
        fail_msg("%s: %s", text, why);
    }
    return zone;
}

static void believe(const char *text)
{
    assert_int_equal(setenv("TZ", text, 1), 0);
    tzset();
}

static void compare(const struct pw_zone *zone, const char *text, int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    struct tm tm;
    assert_non_null(localtime_r(&at, &tm));
    if (pw_zone_offset_s(zone, utc_s * 1000) != tm.tm_gmtoff ||
        strcmp(pw_zone_name(zone, utc_s * 1000), tm.tm_zone) != 0) {
        fail_msg("%s at %lld: %d %s, must be %ld %s", text, (long long)utc_s,
                 pw_zone_offset_s(zone, utc_s * 1000), pw_zone_name(zone, utc_s * 1000),
                 tm.tm_gmtoff, tm.tm_zone);
    }
}

static long offset_then(int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    struct tm tm;
    assert_non_null(localtime_r(&at, &tm));
    return tm.tm_gmtoff;
}

// The second of the change between two instants.
static int64_t find_change(int64_t before, int64_t after)
{
    long old = offset_then(before);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (offset_then(middle) == old) {
            before = middle;
        } else {
            after = middle;
        }
    }
    return after;
}

// Reason: facts §6 item 15: schedules broke at the change of clocks.
static void every_change_of_every_zone_is_at_its_second(void **state)
{
    (void)state;
    enum { STEP_S = 61200 };
    for (size_t i = 0; i < PW_COUNT(zones); i++) {
        struct pw_zone zone = zone_of(zones[i]);
        unsigned changes = 0;
        believe(zones[i]);
        // 1990 to 2060, every 17 hours, and each change to the second.
        for (int64_t at = 631152000; at < 2840140800; at += STEP_S) {
            compare(&zone, zones[i], at);
            if (offset_then(at) != offset_then(at + STEP_S)) {
                int64_t change = find_change(at, at + STEP_S);
                compare(&zone, zones[i], change - 1);
                compare(&zone, zones[i], change);
                changes++;
            }
        }
        assert_int_equal(changes, zone.dst[0] == '\0' ? 0 : 140);
    }
}

// Reason: RFC 8536 writes "all the year" as a daylight saving time that ends when it begins.
static void daylight_saving_time_all_year_never_ends(void **state)
{
    (void)state;
    struct pw_zone zone = zone_of("EST5EDT,0/0,J365/25");
    for (int64_t at = 1577836800; at < 1893456000; at += 1800) {
        assert_int_equal(pw_zone_offset_s(&zone, at * 1000), -4 * 3600);
    }
}

// What the clock shows is shown then: every minute of the days around every change, both ways.
static void a_clock_that_shows_a_time_shows_it_when_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < PW_COUNT(zones); i++) {
        struct pw_zone zone = zone_of(zones[i]);
        believe(zones[i]);
        for (int64_t at = 1767225600; at < 1798761600; at += 1800) {
            int64_t local = pw_zone_local(&zone, at * 1000);
            pw_unix_ms first = pw_zone_instant(&zone, local, false);
            pw_unix_ms last = pw_zone_instant(&zone, local, true);
            assert_true(first == at * 1000 || last == at * 1000);
            assert_int_equal(first + offset_then(first / 1000) * 1000LL, local);
            assert_int_equal(last + offset_then(last / 1000) * 1000LL, local);
        }
    }
}

static void a_time_in_the_gap_is_the_instant_of_the_change(void **state)
{
    (void)state;
    struct pw_zone zone = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
    pw_unix_ms change = 1774746000000; // 2026-03-29 01:00 UTC: 02:00 becomes 03:00
    int64_t two = pw_zone_local(&zone, change - 1) + 1;
    for (int64_t minute = 0; minute < 60; minute++) {
        assert_int_equal(pw_zone_instant(&zone, two + minute * MINUTE_MS, false), change);
        assert_int_equal(pw_zone_instant(&zone, two + minute * MINUTE_MS, true), change);
    }
    assert_int_equal(pw_zone_instant(&zone, two - 1, false), change - 1);
    assert_int_equal(pw_zone_instant(&zone, two + HOUR_MS, false), change);
}

// ---------------------------------------------------------------------------------------------
// Windows against a search of every minute.

enum { SPAN_DAYS = 24, SPAN_MIN = SPAN_DAYS * 1440 };

static int64_t shown[SPAN_MIN]; // minutes since 1970 that the C library's clock shows
static bool expected[SPAN_MIN];

static void look_at_clock(pw_unix_ms begin)
{
    for (int64_t m = 0; m < SPAN_MIN; m++) {
        int64_t utc_s = begin / 1000 + m * 60;
        shown[m] = (utc_s + offset_then(utc_s)) / 60;
    }
}

// The first minute that shows `local`, or the last; in a gap the first that shows more. No clock
// is changed by more than three hours.
static int64_t find_minute(int64_t local, bool last)
{
    enum { AROUND = 200 };
    int64_t found = -1;
    int64_t from = pw_max(local - shown[0] - AROUND, 1);
    int64_t to = pw_min(local - shown[0] + AROUND, SPAN_MIN);
    for (int64_t m = from; m < to; m++) {
        if (shown[m] == local && (last || found < 0)) {
            found = m;
        }
    }
    for (int64_t m = from; m < to && found < 0; m++) {
        found = shown[m - 1] < local && shown[m] > local ? m : -1;
    }
    return found;
}

static void expect(const struct pw_plan *plan)
{
    memset(expected, plan->windows == 0, sizeof(expected));
    for (unsigned i = 0; i < plan->windows; i++) {
        const struct pw_window *window = &plan->window[i];
        for (int64_t day = shown[0] / 1440 + 1; day < shown[0] / 1440 + SPAN_DAYS - 2; day++) {
            int64_t over = window->to_min <= window->from_min ? 1440 : 0;
            int64_t from = find_minute(day * 1440 + window->from_min, false);
            int64_t to = find_minute(day * 1440 + window->to_min + over, true);
            for (int64_t m = from; (window->days >> (day + 3) % 7 & 1) != 0 && m < to; m++) {
                expected[m] = true;
            }
        }
    }
}

static void check_minutes(const struct pw_schedule *schedule, pw_unix_ms begin, const char *text)
{
    int64_t change = -1;
    for (int64_t m = 18LL * 1440; m >= 3LL * 1440; m--) {
        change = expected[m] != expected[m + 1] ? m + 1 : change;
        if (m % 61 != 0 && change != m + 1) {
            continue;
        }
        struct pw_schedule_answer now = pw_schedule_at(schedule, begin + m * MINUTE_MS);
        bool right =
            now.allowed == expected[m] && (change < 0 || now.until == begin + change * MINUTE_MS);
        if (!right) {
            fail_msg("%s, minute %lld: %d until %lld, must be %d until %lld", text, (long long)m,
                     now.allowed, (long long)((now.until - begin) / MINUTE_MS), expected[m],
                     (long long)change);
        }
    }
}

static const char *const weeks[] = {
    "",
    "mon-fri 22:00-06:00; sat,sun 00:00-24:00",
    "sun 02:00-03:00",
    "sat,sun,mon 02:15-02:45",
    "sat-mon 00:30-02:30",
    "fri-mon 02:30-06:00; wed 12:00-12:01",
    "mon-sun 00:00-24:00",
    "mon-sun 23:30-00:30; mon-sun 00:30-01:30",
    "SUN 23:59-00:00;tue,thu-sat 01:00-00:59",
};

// Reason: gap and overlap are defined, and a window is never cut in two by them.
static void windows_hold_every_minute_around_every_change(void **state)
{
    (void)state;
    static const char *const some[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3",           "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "<-04>4<-03>,M9.1.6/24,M4.1.6/24",      "UTC0",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "EET-2EEST,M3.5.0/0,M10.5.0/0"};
    static const pw_unix_ms begins[] = {1773532800000, 1774137600000, 1791936000000, 1791158400000,
                                        1787616000000};
    for (size_t z = 0; z < PW_COUNT(some); z++) {
        struct pw_schedule schedule = {.zone = zone_of(some[z])};
        believe(some[z]);
        for (size_t b = 0; b < PW_COUNT(begins); b++) {
            look_at_clock(begins[b]);
            for (size_t w = 0; w < PW_COUNT(weeks); w++) {
                assert_int_equal(pw_plan_parse_week(pw_str_of(weeks[w]), &schedule.week, NULL),
                                 PW_OK);
                expect(&schedule.week);
                check_minutes(&schedule, begins[b], weeks[w]);
            }
        }
    }
}

// Reason: with both set, both must allow; and two that never meet must not be searched for ever.
static void timer_and_plan_must_both_allow(void **state)
{
    (void)state;
    struct pw_schedule schedule = {.zone = pw_zone_utc()};
    pw_unix_ms monday = 1773619200000; // 2026-03-16 00:00
    assert_int_equal(pw_plan_parse_timer(PW_STR("22:00-06:00"), &schedule.timer, NULL), PW_OK);
    assert_int_equal(pw_plan_parse_week(PW_STR("wed 04:00-23:00"), &schedule.week, NULL), PW_OK);
    struct pw_schedule_answer now = pw_schedule_at(&schedule, monday);
    assert_false(now.allowed);
    assert_int_equal(now.until, monday + 2 * DAY_MS + 4 * HOUR_MS);
    now = pw_schedule_at(&schedule, now.until);
    assert_true(now.allowed);
    assert_int_equal(now.until, monday + 2 * DAY_MS + 6 * HOUR_MS);
    now = pw_schedule_at(&schedule, now.until);
    assert_int_equal(now.until, monday + 2 * DAY_MS + 22 * HOUR_MS);
    assert_int_equal(pw_plan_parse_week(PW_STR("wed 07:00-08:00"), &schedule.week, NULL), PW_OK);
    now = pw_schedule_at(&schedule, monday);
    assert_false(now.allowed);
    assert_int_equal(now.until, INT64_MAX);
}

// ---------------------------------------------------------------------------------------------
// Texts.

static void what_is_no_zone_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *must; // part of the reason
    } rows[] = {
        {"", "3 to 8 letters"},
        {"CE-1", "3 to 8 letters"},
        {"ABCDEFGHI0", "3 to 8 letters"},
        {"Europe/Ljubljana", "offset"},
        {"<+01-1", "3 to 8 letters"},
        {"<+1>-1", "3 to 8 letters"},
        {"CET", "offset"},
        {"CET-", "offset"},
        {"CET-25", "offset"},
        {"CET-1:60", "offset"},
        {"CET-1:5:", "offset"},
        {"CET-1CEST", "both rules"},
        {"CET-1CEST,M3.5.0", "both rules"},
        {"CET-1CEST,M13.5.0,M10.5.0", "a rule is"},
        {"CET-1CEST,M3.0.0,M10.5.0", "a rule is"},
        {"CET-1CEST,M3.6.0,M10.5.0", "a rule is"},
        {"CET-1CEST,M3.5.7,M10.5.0", "a rule is"},
        {"CET-1CEST,M3.5,M10.5.0", "a rule is"},
        {"CET-1CEST,J0,J300", "a rule is"},
        {"CET-1CEST,J366,J300", "a rule is"},
        {"CET-1CEST,366,300", "a rule is"},
        {"CET-1CEST,M3.5.0/168,M10.5.0", "rule's time"},
        {"CET-1CEST,M3.5.0/,M10.5.0", "rule's time"},
        {"CET-1CEST,M3.5.0,M10.5.0/3 ", "nothing may follow"},
        {"CET-1,M3.5.0,M10.5.0/3", "3 to 8 letters"},
        {" UTC0", "3 to 8 letters"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char why[200] = "";
        struct pw_out out = PW_OUT(why);
        struct pw_zone zone = {.std_s = 4711};
        assert_int_equal(pw_zone_parse(pw_str_of(rows[i].text), &zone, &out), PW_ERR_RANGE);
        if (strstr(why, rows[i].must) == NULL || strstr(why, rows[i].text) == NULL ||
            zone.std_s != 4711) {
            fail_msg("\"%s\": %s", rows[i].text, why);
        }
    }
}

static void what_is_no_window_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *must;
    } rows[] = {
        {"22:00-06:00", "days and times"},      {"mon", "days and times"},
        {"mon 22:00-06:00;", "days and times"}, {"; mon 22:00-06:00", "days and times"},
        {"mo 22:00-06:00", "mon tue wed"},      {"mon- 22:00-06:00", "mon tue wed"},
        {"mon, 22:00-06:00", "last comma"},     {",mon 22:00-06:00", "mon tue wed"},
        {"mon-tue-wed 22:00-06:00", "mon tue"}, {"mon 24:00-06:00", "HH:MM-HH:MM"},
        {"mon 22:00-24:01", "HH:MM-HH:MM"},     {"mon 22:60-23:00", "HH:MM-HH:MM"},
        {"mon 2:00-06:00", "HH:MM-HH:MM"},      {"mon 22:00 06:00", "HH:MM-HH:MM"},
        {"mon 22:00-06:00x", "HH:MM-HH:MM"},    {"mon 06:00-06:00", "00:00-24:00"},
        {"mon 22:00-6:000", "HH:MM-HH:MM"},     {"mon -1:00-06:00", "HH:MM-HH:MM"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char why[200] = "";
        struct pw_out out = PW_OUT(why);
        struct pw_plan plan = {.windows = 47};
        int err = pw_plan_parse_week(pw_str_of(rows[i].text), &plan, &out);
        if (err != PW_ERR_RANGE || strstr(why, rows[i].must) == NULL || plan.windows != 47) {
            fail_msg("\"%s\": %d %s", rows[i].text, err, why);
        }
        assert_int_equal(pw_plan_parse_timer(pw_str_of(rows[i].text), &plan, NULL),
                         i == 0 ? PW_OK : PW_ERR_RANGE);
    }
    struct pw_plan plan = {.windows = 47};
    char many[400] = "mon 00:00-00:01";
    for (unsigned i = 0; i < PW_PLAN_WINDOWS_MAX; i++) {
        assert_int_equal(pw_plan_parse_week(pw_str_of(many), &plan, NULL), PW_OK);
        assert_int_equal(plan.windows, i + 1);
        memcpy(many + strlen(many), ";tue 00:00-00:01", 17);
    }
    assert_int_equal(pw_plan_parse_week(pw_str_of(many), &plan, NULL), PW_ERR_LIMIT);
}

static void a_time_is_written_as_the_clock_shows_it(void **state)
{
    (void)state;
    struct pw_zone zone = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
    char text[PW_PLAN_TEXT_MAX] = "";
    struct pw_out out = PW_OUT(text);
    pw_unix_ms at = 1774746000000; // Sunday 2026-03-29 03:00
    pw_zone_print(&zone, at, at - HOUR_MS, &out);
    assert_string_equal(text, "03:00");
    out.len = 0;
    pw_zone_print(&zone, at - MINUTE_MS, at - 2 * DAY_MS, &out);
    assert_string_equal(text, "sun 01:59");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_every_zone_is_at_its_second),
        cmocka_unit_test(daylight_saving_time_all_year_never_ends),
        cmocka_unit_test(a_clock_that_shows_a_time_shows_it_when_asked),
        cmocka_unit_test(a_time_in_the_gap_is_the_instant_of_the_change),
        cmocka_unit_test(windows_hold_every_minute_around_every_change),
        cmocka_unit_test(timer_and_plan_must_both_allow),
        cmocka_unit_test(what_is_no_zone_is_refused_with_the_reason),
        cmocka_unit_test(what_is_no_window_is_refused_with_the_reason),
        cmocka_unit_test(a_time_is_written_as_the_clock_shows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
