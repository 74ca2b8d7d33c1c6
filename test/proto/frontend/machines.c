// Both ends of the front-end protocol joined by a line that can lose bytes, in virtual time.
#include "sample.h"
#include "test.h"

#include <string.h>

struct line {
    struct pw_frontend_host host;
    struct pw_frontend_board board;
    struct pw_board_senses senses; // of the board
    pw_ms now;
    bool cut_down; // nothing reaches the board
    bool cut_up;
    bool mute;       // the board says nothing by itself
    unsigned drives; // that the board took
    unsigned news;   // senses the station took
    unsigned states; // changes the station saw
};

static void up(struct line *line, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && !line->cut_up; i++) {
        enum pw_frontend_event event = pw_frontend_host_feed(&line->host, bytes[i], line->now);
        line->news += event == PW_FRONTEND_SENSES_NEW ? 1 : 0;
        line->states += event == PW_FRONTEND_STATE_NEW ? 1 : 0;
    }
}

static void down(struct line *line)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    enum pw_frontend_event event;
    for (size_t len = pw_frontend_host_put(&line->host, line->now, frame, &event); len > 0;
         len = pw_frontend_host_put(&line->host, line->now, frame, &event)) {
        line->states += event == PW_FRONTEND_STATE_NEW ? 1 : 0;
        for (size_t i = 0; i < len && !line->cut_down; i++) {
            line->drives += pw_frontend_board_feed(&line->board, frame[i], line->now) ? 1 : 0;
        }
    }
}

static void run(struct line *line, pw_ms ms)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    for (pw_ms i = 0; i < ms; i++, line->now++) {
        down(line);
        up(line, frame, pw_frontend_board_hello(&line->board, line->now, frame));
        if (line->now % PW_FRONTEND_SENSES_MS == 0 && !line->mute) {
            line->senses.at = line->now;
            up(line, frame,
               pw_frontend_board_senses(&line->board, &line->senses, line->now, frame));
        }
    }
}

static void begin(struct line *line)
{
    const struct pw_frontend_message hello = sample("hello");
    const struct pw_frontend_message senses = sample("senses");
    memset(line, 0, sizeof(*line));
    line->now = 1000;
    line->senses = senses.senses.senses;
    pw_frontend_board_init(&line->board, &hello.hello);
    pw_frontend_host_init(&line->host, line->now);
}

static struct pw_board_drive charging(void)
{
    return sample("drive").drive;
}

static bool closed(const struct line *line)
{
    return pw_frontend_board_drive(&line->board, line->now).contactor;
}

// ---------------------------------------------------------------------------------------------

static void a_board_that_says_hello_is_up_and_driven(void **state)
{
    struct line line;
    (void)state;
    begin(&line);
    assert_int_equal(pw_frontend_board_drive(&line.board, line.now).cp, PW_BOARD_CP_FAULT);
    run(&line, 10);
    assert_int_equal(line.host.state, PW_FRONTEND_UP);
    assert_string_equal(line.host.hello.name, "io-board 1.2");
    assert_int_equal(line.host.hello.step_ppm, 100);
    const struct pw_board_drive drive = charging();
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 2);
    assert_true(closed(&line));
    assert_int_equal(pw_frontend_board_drive(&line.board, line.now).duty_ppm, 266600);
    line.drives = 0;
    line.news = 0;
    run(&line, 1000);
    assert_in_range(line.drives, 9, 11); // one each 100 ms
    assert_int_equal(line.news, 200);
    assert_int_equal(line.host.missed, 0);
}

// Reason: an open that waits for the next turn of 100 ms would break the pilot's time.
static void a_change_goes_out_at_once_and_a_repeat_does_not(void **state)
{
    struct line line;
    (void)state;
    begin(&line);
    run(&line, 10);
    struct pw_board_drive drive = charging();
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 1);
    assert_true(closed(&line));
    unsigned drives = line.drives;
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 20);
    assert_int_equal(line.drives, drives);
    drive.contactor = false;
    pw_frontend_host_drive(&line.host, &drive);
    assert_int_equal(pw_frontend_host_deadline(&line.host), 0);
    run(&line, 1);
    assert_false(closed(&line));
}

static void a_lost_drive_goes_again_within_twenty_five_milliseconds(void **state)
{
    struct line line;
    (void)state;
    begin(&line);
    run(&line, 10);
    struct pw_board_drive drive = charging();
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 30);
    drive.contactor = false;
    pw_frontend_host_drive(&line.host, &drive);
    line.cut_down = true;
    run(&line, 1);
    assert_true(closed(&line));
    line.cut_down = false;
    run(&line, PW_FRONTEND_REPEAT_MS + PW_FRONTEND_SENSES_MS);
    assert_false(closed(&line));
}

// Reason: facts/reliability.md §7.1 A24: a board that nobody tells anything switches off.
static void a_board_without_drives_opens_after_its_watchdog(void **state)
{
    struct line line;
    (void)state;
    begin(&line);
    run(&line, 10);
    const struct pw_board_drive drive = charging();
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 5);
    assert_true(closed(&line));
    line.cut_down = true;
    pw_ms heard = line.board.drive_at;
    assert_int_equal(pw_frontend_board_deadline(&line.board, line.now), heard + 500);
    run(&line, heard + 500 - line.now);
    assert_false(closed(&line));
    struct pw_board_drive safe = pw_frontend_board_drive(&line.board, line.now);
    assert_int_equal(safe.cp, PW_BOARD_CP_FAULT);
    assert_int_equal(safe.duty_ppm, 0);
    assert_true(safe.lock); // as it was
    assert_int_equal(pw_frontend_board_deadline(&line.board, line.now), PW_NEVER);
    run(&line, 10);
    assert_true(line.host.senses.opened);
    line.cut_down = false;
    run(&line, PW_FRONTEND_DRIVE_MS + 10);
    assert_int_equal(pw_frontend_board_drive(&line.board, line.now).cp, PW_BOARD_CP_PWM);
    assert_false(closed(&line)); // that is the old wish: nobody has tested anything since
    assert_true(line.host.senses.opened);
    struct pw_board_drive open = drive;
    open.contactor = false;
    pw_frontend_host_drive(&line.host, &open);
    run(&line, 10);
    assert_false(line.host.senses.opened);
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 10);
    assert_true(closed(&line)); // the station has seen it open and decides anew
}

static void a_silent_board_is_lost_within_a_fifth_of_a_second(void **state)
{
    struct line line;
    (void)state;
    begin(&line);
    run(&line, 10);
    unsigned drives = line.drives;
    unsigned states = line.states;
    line.mute = true;
    pw_ms heard = line.host.heard_at;
    run(&line, heard + PW_FRONTEND_LOST_MS - line.now);
    assert_int_equal(line.host.state, PW_FRONTEND_UP);
    run(&line, 1);
    // noticed, asked, and answered: the board is there, only its sampling is not
    assert_int_equal(line.states, states + 2);
    assert_int_equal(line.host.senses.at, PW_NEVER);
    line.cut_up = true;
    run(&line, 300);
    assert_int_equal(line.host.state, PW_FRONTEND_ASKING);
    assert_string_equal(line.host.why, "the board is silent");
    drives = line.drives;
    run(&line, 1000);
    assert_int_equal(line.drives, drives); // nobody drives what nobody sees
    line.cut_up = false;
    line.mute = false;
    run(&line, PW_FRONTEND_ASK_MS + 5);
    assert_int_equal(line.host.state, PW_FRONTEND_UP);
}

// Reason: the station must not take a board that has just started for one that still drives, and a
// contactor that a restart has opened must not close again without the checks before a closing.
static void a_board_that_restarts_stays_off_until_the_station_says_so_anew(void **state)
{
    struct line line;
    const struct pw_frontend_message hello = sample("hello");
    (void)state;
    begin(&line);
    run(&line, 10);
    const struct pw_board_drive drive = charging();
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 20);
    assert_true(closed(&line));
    unsigned states = line.states;
    pw_frontend_board_init(&line.board, &hello.hello);
    assert_false(closed(&line));
    run(&line, 3);
    assert_int_equal(line.states, states + 1);
    assert_string_equal(line.host.why, "the board has restarted");
    run(&line, 2 * PW_FRONTEND_DRIVE_MS);
    assert_false(closed(&line));
    assert_int_equal(pw_frontend_board_drive(&line.board, line.now).cp, PW_BOARD_CP_FAULT);
    assert_int_equal(pw_frontend_board_drive(&line.board, line.now).lock, drive.lock);
    pw_frontend_host_drive(&line.host, &drive);
    run(&line, 3);
    assert_true(closed(&line));
}

static void a_board_that_cannot_be_worked_with_is_refused_in_words(void **state)
{
    static const struct {
        struct pw_frontend_hello hello;
        const char *why;
    } rows[] = {
        {{.version = 2}, "another version"},
        {{.version = 1, .phases = 2, .step_ppm = 100, .watchdog_ms = 500}, "1 nor 3 phases"},
        {{.version = 1, .phases = 1, .step_ppm = 0, .watchdog_ms = 500}, "1 to 10000 ppm"},
        {{.version = 1, .phases = 1, .step_ppm = 10001, .watchdog_ms = 500}, "1 to 10000 ppm"},
        {{.version = 1, .phases = 1, .step_ppm = 100, .watchdog_ms = 0}, "1 to 500 ms"},
        {{.version = 1, .phases = 1, .step_ppm = 100, .watchdog_ms = 501}, "1 to 500 ms"},
        {{.version = 1, .phases = 1, .step_ppm = 100, .watchdog_ms = 500, .rate_hz = 4000},
         "sampling rate"},
        {{.version = 1,
          .phases = 1,
          .step_ppm = 100,
          .watchdog_ms = 500,
          .has = PW_FRONTEND_HAS_BLOCKS,
          .rate_hz = 999},
         "1000 to 16000 Hz"},
        {{.version = 1,
          .phases = 1,
          .step_ppm = 100,
          .watchdog_ms = 500,
          .has = PW_FRONTEND_HAS_RCD},
         "RCD test"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct line line;
        begin(&line);
        pw_frontend_board_init(&line.board, &rows[i].hello);
        run(&line, 1000);
        assert_int_equal(line.host.state, PW_FRONTEND_REFUSED);
        assert_non_null(strstr(line.host.why, rows[i].why));
        assert_int_equal(line.news, 0);
        assert_int_equal(line.drives, 0);
        assert_true(line.host.senses.at == PW_NEVER);
    }
}

static void frames_that_go_missing_are_counted(void **state)
{
    struct line line;
    (void)state;
    begin(&line);
    run(&line, 10);
    line.cut_up = true;
    run(&line, 50); // ten SENSES
    line.cut_up = false;
    run(&line, 10);
    assert_int_equal(line.host.missed, 10);
    assert_int_equal(line.host.state, PW_FRONTEND_UP);
}

// Reason: a plug with its two wires joined answers everything with our own words.
static void a_loop_back_is_no_board(void **state)
{
    struct pw_frontend_host host;
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    enum pw_frontend_event event;
    (void)state;
    pw_frontend_host_init(&host, 0);
    for (pw_ms now = 0; now < 2000; now++) {
        size_t len = pw_frontend_host_put(&host, now, frame, &event);
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(pw_frontend_host_feed(&host, frame[i], now), PW_FRONTEND_NOTHING);
        }
    }
    assert_int_equal(host.state, PW_FRONTEND_ASKING);
}

static void mains_values_stay_between_their_frames(void **state)
{
    struct line line;
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    const struct pw_frontend_message mains = sample("mains");
    (void)state;
    begin(&line);
    run(&line, 10);
    struct pw_board_mains now = mains.mains;
    now.at = line.now - 20;
    up(&line, frame, pw_frontend_board_mains(&line.board, &now, line.now, frame));
    run(&line, 100);
    assert_int_equal(line.host.senses.mains.at, now.at);
    assert_int_equal(line.host.senses.mains.ma[1], 16010);
    assert_int_equal(line.host.senses.mains.import_mwh, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_that_says_hello_is_up_and_driven),
        cmocka_unit_test(a_change_goes_out_at_once_and_a_repeat_does_not),
        cmocka_unit_test(a_lost_drive_goes_again_within_twenty_five_milliseconds),
        cmocka_unit_test(a_board_without_drives_opens_after_its_watchdog),
        cmocka_unit_test(a_silent_board_is_lost_within_a_fifth_of_a_second),
        cmocka_unit_test(a_board_that_restarts_stays_off_until_the_station_says_so_anew),
        cmocka_unit_test(a_board_that_cannot_be_worked_with_is_refused_in_words),
        cmocka_unit_test(frames_that_go_missing_are_counted),
        cmocka_unit_test(a_loop_back_is_no_board),
        cmocka_unit_test(mains_values_stay_between_their_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
