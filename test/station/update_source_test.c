// Updates that come by themselves: the source is asked once in each window
// (station/files/source.c), in virtual time.
#include "files_desk.h"
#include "test.h"

#include <string.h>

#define HOUR ((pw_ms)3600000)

static void set(struct desk *desk, const char *path, const char *value)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_setting_at at;
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    if (pw_settings_set(&desk->settings, at, pw_str_of(value), PW_BY_FILE, &why) != PW_OK) {
        fail_msg("%s: %s", path, text);
    }
}

static void let_it_run_by_itself(struct desk *desk)
{
    set(desk, "update.source", "https://maker.example/newest.pwr");
    set(desk, "update.window", "02:00-05:00");
    set(desk, "update.random_delay_s", "3600");
    set(desk, "update.automatic", "true");
}

// Reason: nobody is there at night: once in each window the source is asked, and of what is not
// newer only the head is loaded, and nobody is told.
static void the_source_is_asked_once_in_each_window(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    offer_release(desk, &(struct pw_make){.version = "0.9.0"}, 40000);
    let_it_run_by_itself(desk);
    run(desk, 2 * HOUR - 2000);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 0);
    run(desk, HOUR + 120000);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 1);
    assert_true(desk->sim.resumed_at == 0 && desk->files.update.status == PW_UPDATE_IDLE);
    run(desk, 20 * HOUR);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 1);
    run(desk, 48 * HOUR);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 3);
    // An older one is nothing newer either.
    offer_release(desk, &(struct pw_make){.version = "0.8.0"}, 40000);
    run(desk, 24 * HOUR);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 4);
    assert_int_equal(desk->files.update.status, PW_UPDATE_IDLE);
    set(desk, "update.automatic", "false");
    run(desk, 48 * HOUR);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 4);
    assert_string_equal(desk->said, "");
    close_desk(desk);
}

// Reason: a maker may name a release otherwise than the program inside was built as; what the slot
// was signed as counts, or the same release would come again each night.
static void a_release_is_known_by_what_it_was_signed_as(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    desk->sim.slots.running = 'a';
    (void)strcpy(desk->sim.slots.release, "1.4.0");
    offer_release(desk, &(struct pw_make){.version = "1.4.0"}, 40000);
    let_it_run_by_itself(desk);
    run(desk, 48 * HOUR);
    assert_int_equal(desk->files.update.status, PW_UPDATE_IDLE);
    assert_int_equal(desk->restarts, 0);
    offer_release(desk, &(struct pw_make){.version = "1.4.1"}, 40000);
    assert_true(run_to_restart(desk, 24 * HOUR));
    close_desk(desk);
}

// Reason: what comes by itself disturbs nobody: it holds no charge back, and installs in its
// window.
static void an_automatic_update_disturbs_nobody(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    let_it_run_by_itself(desk);
    desk->charging = true;
    run(desk, 7 * HOUR);
    assert_int_equal(desk->files.update.stage, PW_UPDATE_WAITS_FOR_REST);
    assert_false(pw_files_holds(&desk->files));
    desk->charging = false;
    run(desk, 18 * HOUR);
    assert_int_equal(desk->restarts, 0); // it is day
    assert_true(run_to_restart(desk, 3 * HOUR));
    run(desk, HOUR);
    assert_int_equal(desk->files.update.status, PW_UPDATE_INSTALLED);
    assert_string_equal(desk->sim.ran, "1.0.0");
    close_desk(desk);
}

// Reason: without a date there is no night; and without a source nothing to ask.
static void without_date_or_source_nothing_comes_by_itself(void **state)
{
    (void)state;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct desk *desk = open_desk();
    assert_int_equal(
        pw_files_check_source(&desk->files, PW_UPDATE_BY_COMMAND, false, &why, desk->now),
        PW_ERR_UNKNOWN);
    assert_string_equal(text, "no update source is configured (update.source)");
    set(desk, "update.automatic", "true");
    run(desk, 48 * HOUR);
    let_it_run_by_itself(desk);
    desk->clockless = true;
    run(desk, 48 * HOUR);
    assert_int_equal(desk->sim.begun[PW_TRANSFER_DOWN], 0);
    // A person does not wait for the night.
    assert_int_equal(
        pw_files_check_source(&desk->files, PW_UPDATE_BY_COMMAND, false, &why, desk->now), PW_OK);
    assert_true(run_to_restart(desk, 60000));
    close_desk(desk);
}

// Reason: 200 stations that have the same window must not all ask at its first second.
static void two_hundred_stations_do_not_ask_at_once(void **state)
{
    (void)state;
    static unsigned at_minute[61];
    unsigned most = 0;
    memset(at_minute, 0, sizeof(at_minute));
    for (uint32_t station = 1; station <= 200; station++) {
        struct desk *desk = open_desk();
        desk->seed = station * 2654435761U;
        start(desk);
        let_it_run_by_itself(desk);
        run(desk, 2 * HOUR - 2000);
        unsigned minute = 0;
        while (desk->sim.begun[PW_TRANSFER_DOWN] == 0 && minute < 61) {
            run(desk, 60000);
            minute++;
        }
        assert_true(minute >= 1 && minute <= 61);
        at_minute[minute - 1]++;
        close_desk(desk);
    }
    for (unsigned i = 0; i < 61; i++) {
        most = at_minute[i] > most ? at_minute[i] : most;
    }
    assert_true(most <= 12);
    print_message("200 stations, at most %u in one minute\n", most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_is_asked_once_in_each_window),
        cmocka_unit_test(a_release_is_known_by_what_it_was_signed_as),
        cmocka_unit_test(an_automatic_update_disturbs_nobody),
        cmocka_unit_test(without_date_or_source_nothing_comes_by_itself),
        cmocka_unit_test(two_hundred_stations_do_not_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
