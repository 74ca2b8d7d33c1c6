// Names of time zones as POSIX strings. The judge is the C library, which reads the same files
// whole with code of its own.
#include "timezone.h"

#include "folder.h"
#include "schedule/schedule.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char posix[100];
static char why[200];

static int find(const char *folder, const char *name)
{
    struct pw_out posix_out = PW_OUT(posix);
    struct pw_out why_out = PW_OUT(why);
    posix[0] = '\0';
    why[0] = '\0';
    return pw_timezone_find(folder, pw_str_of(name), &posix_out, &why_out);
}

static void a_name_becomes_its_rule(void **state)
{
    (void)state;
    assert_int_equal(find(PW_TIMEZONE_FOLDER, "Europe/Ljubljana"), PW_OK);
    assert_string_equal(posix, "CET-1CEST,M3.5.0,M10.5.0/3");
    assert_int_equal(find(PW_TIMEZONE_FOLDER, "UTC"), PW_OK);
    assert_string_equal(posix, "UTC0");
    assert_int_equal(find(PW_TIMEZONE_FOLDER, "Etc/GMT-2"), PW_OK);
    assert_string_equal(posix, "<+02>-2");
    assert_int_equal(find(PW_TIMEZONE_FOLDER, "America/Argentina/Buenos_Aires"), PW_OK);
    assert_string_equal(posix, "<-03>3");
}

// The instants at which our clock of a zone differs from the C library's, every 11 hours of four
// years. They lie beyond what a file tells change by change: a country that has just given up its
// summer time shows its rule from the change on, and not from the first of January.
static unsigned differences(const struct pw_zone *zone, const char *name)
{
    enum { STEP_S = 39600 };
    unsigned count = 0;
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
    for (time_t at = 2208988800; at < 2335219200; at += STEP_S) {
        struct tm tm;
        assert_non_null(localtime_r(&at, &tm));
        count += pw_zone_offset_s(zone, (pw_unix_ms)at * 1000) != tm.tm_gmtoff ? 1 : 0;
    }
    return count;
}

// These change their clocks with the moon; no rule says so, and a schedule there is an hour off for
// some weeks (doc/charging-rules.md).
static bool follows_the_moon(const char *name)
{
    static const char *const names[] = {"Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza",
                                        "Asia/Hebron"};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void every_zone_of_the_system_shows_the_c_librarys_time(void **state)
{
    (void)state;
    char line[300];
    char name[100];
    unsigned zones = 0;
    FILE *list = fopen(PW_TIMEZONE_FOLDER "/zone.tab", "r");
    assert_non_null(list);
    while (fgets(line, sizeof(line), list) != NULL) {
        struct pw_zone zone;
        struct pw_out out = PW_OUT(why);
        if (line[0] == '#' || sscanf(line, "%*s %*s %99s", name) != 1) {
            continue;
        }
        if (find(PW_TIMEZONE_FOLDER, name) != PW_OK ||
            pw_zone_parse(pw_str_of(posix), &zone, &out) != PW_OK) {
            fail_msg("%s: %s", name, why);
        }
        unsigned wrong = differences(&zone, name);
        if (wrong > 0 && !follows_the_moon(name)) {
            fail_msg("%s (%s) is wrong %u times", name, posix, wrong);
        }
        zones++;
    }
    assert_int_equal(fclose(list), 0);
    assert_true(zones > 300);
}

static void an_unknown_zone_is_a_clear_error(void **state)
{
    (void)state;
    assert_int_equal(find(PW_TIMEZONE_FOLDER, "Europe/Atlantis"), PW_ERR_UNKNOWN);
    assert_non_null(strstr(why, "Europe/Atlantis"));
    assert_non_null(strstr(why, "CET-1CEST"));
    assert_int_equal(find(PW_TIMEZONE_FOLDER, "Europe"), PW_ERR_UNKNOWN);
    assert_int_equal(find("/nowhere/at/all", "Europe/Ljubljana"), PW_ERR_UNKNOWN);
}

// Reason: the name comes from a page or a message; it must not read other files.
static void a_name_never_leaves_the_folder(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",    "/etc/passwd",   "../../../etc/passwd", "Europe//Paris", "a/",
        "a b", "Europe/../UTC", "caf\xc3\xa9",         "a\nb",          "zone.tab"};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        if (find(PW_TIMEZONE_FOLDER, names[i]) != PW_ERR_RANGE) {
            fail_msg("\"%s\" was looked up", names[i]);
        }
    }
}

// Reason: whatever a file holds, nothing but a rule comes out of it.
static void a_file_that_is_no_zone_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
    } rows[] = {{"Empty", ""},
                {"Text", "CET-1\nCET-1\n"},
                {"Old", "TZif\001"},
                {"Ended", "TZif2 some data\n\n"},
                {"Open", "TZif2 some data\nCET-1"}};
    struct folder folder;
    folder_make(&folder);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char path[128];
        folder_write(&folder, rows[i].name, rows[i].bytes, 0600, path);
        if (find(folder.path, rows[i].name) != PW_ERR_PEER) {
            fail_msg("%s gave \"%s\"", rows[i].name, posix);
        }
    }
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_becomes_its_rule),
        cmocka_unit_test(every_zone_of_the_system_shows_the_c_librarys_time),
        cmocka_unit_test(an_unknown_zone_is_a_clear_error),
        cmocka_unit_test(a_name_never_leaves_the_folder),
        cmocka_unit_test(a_file_that_is_no_zone_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
