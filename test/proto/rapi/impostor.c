// The client against boards that answer what a table says: right, wrong, late, implausible.
#include "rapi/rapi.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

struct says {
    const char *command; // beginning of the body
    const char *answer;  // body; NULL: none
};

static struct pw_rapi_client client;
static pw_ms now;
static unsigned sent;
static char bodies[128][PW_RAPI_COMMAND_MAX + 1];
static enum { WITH_IDS, NO_IDS, WRONG_IDS } ids;
static enum pw_rapi_check check;

static const struct pw_rapi_view *view(void)
{
    return pw_rapi_view(&client);
}

static void hear(const char *text)
{
    assert_int_equal(pw_rapi_bytes(&client, (const uint8_t *)text, strlen(text)), strlen(text));
    (void)pw_rapi_step(&client, now);
}

// A line of the board's own.
static void say(const char *body)
{
    char text[100];
    struct pw_out out = PW_OUT(text);
    assert_int_equal(pw_rapi_write(&out, pw_str_of(body), 0, PW_RAPI_CHECK_XOR), PW_OK);
    hear(text);
}

static void answer(const struct says *rows, const struct pw_rapi_line *line)
{
    char text[100];
    struct pw_out out = PW_OUT(text);
    for (const struct says *row = rows; row->command != NULL; row++) {
        if (strncmp(line->body.at, row->command, strlen(row->command)) != 0) {
            continue;
        }
        uint8_t seq = ids == NO_IDS ? 0 : (uint8_t)(line->seq + (ids == WRONG_IDS ? 1 : 0));
        if (row->answer != NULL) {
            assert_int_equal(pw_rapi_write(&out, pw_str_of(row->answer), seq, check), PW_OK);
            hear(text);
        }
        return;
    }
    assert_int_equal(pw_rapi_write(&out, PW_STR("$NK"), ids == NO_IDS ? 0 : line->seq, check),
                     PW_OK);
    hear(text);
}

static void run(const struct says *rows, pw_ms ms)
{
    pw_ms end = now + ms;
    while (now < end) {
        pw_ms due = pw_rapi_step(&client, now);
        struct pw_str out = pw_rapi_out(&client);
        if (out.len > 0) {
            char copy[PW_RAPI_COMMAND_MAX + 1];
            struct pw_rapi_line line;
            memcpy(copy, out.at, out.len);
            pw_rapi_out_sent(&client, out.len, now);
            assert_int_equal(pw_rapi_split((struct pw_str){.at = copy, .len = out.len - 1}, &line),
                             PW_OK);
            if (sent < PW_COUNT(bodies)) {
                assert_int_equal(pw_str_copy(bodies[sent], sizeof(bodies[0]), line.body), PW_OK);
            }
            sent++;
            now += 20;
            answer(rows, &line);
        } else {
            now = due > now ? pw_earlier(due, end) : now + 1;
        }
    }
}

static unsigned count(const char *begins)
{
    unsigned found = 0;
    for (unsigned i = 0; i < sent && i < PW_COUNT(bodies); i++) {
        found += strncmp(bodies[i], begins, strlen(begins)) == 0 ? 1 : 0;
    }
    return found;
}

static void begin(int32_t limit_ma)
{
    struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
    struct pw_rapi_want want = {.power = PW_RAPI_ENABLED, .limit_ma = limit_ma};
    now = 0;
    sent = 0;
    ids = WITH_IDS;
    check = PW_RAPI_CHECK_XOR;
    assert_int_equal(pw_rapi_init(&client, &config, NULL, 0, NULL), PW_OK);
    pw_rapi_want(&client, &want);
    pw_rapi_up(&client, 0);
}

static const struct says honest[] = {
    {"$GV", "$OK 8.2.3 5.2.1"},
    {"$GY", "$OK 10 6 0"},
    {"$SY", "$OK 10 6 0"},
    {"$GS", "$OK 03 5 03 0540"},
    {"$GC", "$OK 6 32 16 32"},
    {"$SC 16 V", "$OK 16"},
    {"$GE", "$OK 16 0021"},
    {"$GG", "$OK 15900 230000"},
    {"$GU", "$OK 100 2000"},
    {"$GP", "$OK 305 -2560 -2560"},
    {"$GF", "$OK 1 a FF"},
    {"$G0", "$OK 1"},
    {NULL, NULL},
};

static void what_an_honest_board_says_is_believed(void **state)
{
    (void)state;
    begin(16000);
    run(honest, 40000);
    assert_true(view()->settled);
    assert_int_equal(view()->ma, 15900);
    assert_int_equal(view()->mv, 230000);
    assert_int_equal(view()->temp_dc[0], 305);
    assert_int_equal(view()->temp_dc[1], PW_RAPI_UNKNOWN);
    assert_int_equal(view()->ground_trips, 10);
    assert_int_equal(view()->stuck_trips, 255);
    assert_int_equal(view()->total_wh, 2000);
    assert_int_equal(view()->elapsed_s, 5);
    assert_true(view()->plugged && view()->relay);
}

// Reason: a board whose limit is not believed must not charge at all.
static void a_board_that_keeps_more_than_wanted_is_put_to_sleep(void **state)
{
    static const struct says stubborn[] = {
        {"$GV", "$OK 8.2.3 5.2.1"},
        {"$GY", "$OK 10 6 0"},
        {"$SY", "$OK 10 6 0"},
        {"$GS", "$OK 03 5 03 0540"},
        {"$GC", "$OK 6 32 30 32"},
        {"$SC", "$NK 30"},
        {"$FS", "$OK"},
        {NULL, NULL},
    };
    (void)state;
    begin(16000);
    run(stubborn, 3000);
    assert_false(view()->limit_held);
    assert_true(count("$FS") >= 1);
    assert_in_range(count("$SC 16 V"), 3, 5);
}

// Reason: a house sets another limit every few seconds. None of them is a reason to believe a board
// that has kept to none, and to take its fault back; one that it keeps to is.
static void a_board_that_kept_no_limit_sleeps_until_it_keeps_one(void **state)
{
    static const struct says asleep[] = {
        {"$GV", "$OK 8.2.3 5.2.1"},
        {"$GY", "$OK 10 6 0"},
        {"$SY", "$OK 10 6 0"},
        {"$GS", "$OK fe 5 02 0500"},
        {"$GC", "$OK 6 32 30 32"},
        {"$SC", "$NK 30"},
        {"$FS", "$OK"},
        {NULL, NULL},
    };
    static const struct says mended[] = {
        {"$GY", "$OK 10 6 0"},
        {"$SY", "$OK 10 6 0"},
        {"$GS", "$OK fe 5 02 0500"},
        {"$GC", "$OK 6 32 12 32"},
        {"$SC", "$OK 12"},
        {"$FE", "$OK"},
        {NULL, NULL},
    };
    (void)state;
    begin(16000);
    run(asleep, 3000);
    assert_true(view()->keeps_limit);
    for (int32_t ma = 6000; ma <= 12000; ma += 1000) {
        const struct pw_rapi_want want = {.power = PW_RAPI_ENABLED, .limit_ma = ma};
        pw_rapi_want(&client, &want);
        (void)pw_rapi_step(&client, now);
        assert_true(view()->keeps_limit);
        run(asleep, 700);
    }
    assert_int_equal(count("$FE"), 0);
    sent = 0;
    run(mended, 10000);
    assert_false(view()->keeps_limit);
    assert_true(count("$FE") >= 1);
}

// Reason: one that takes the order and forgets it at once is no better.
static void a_board_that_says_one_thing_and_offers_another_is_put_to_sleep(void **state)
{
    static const struct says liar[] = {
        {"$GV", "$OK 8.2.3 5.2.1"},
        {"$GY", "$OK 10 6 0"},
        {"$SY", "$OK 10 6 0"},
        {"$GS", "$OK 03 5 03 0540"},
        {"$GC", "$OK 6 32 30 32"},
        {"$SC", "$OK 16"},
        {"$FS", "$OK"},
        {NULL, NULL},
    };
    (void)state;
    begin(16000);
    run(liar, 10000);
    assert_true(count("$FS") >= 1);
}

// Reason: boards before 5.1 answer a limit with a bare $OK, whatever they make of it. One that does
// not obey must neither charge nor be asked without end.
static void an_old_board_that_agrees_and_keeps_more_is_put_to_sleep(void **state)
{
    (void)state;
    const struct says old[] = {
        {"$GV", "$OK 1.0.5 1.0.3"},
        {"$GS", "$OK 254 0"},
        {"$GC", "$OK 6 32"},
        {"$GE", "$OK 32 20"},
        {"$SC", "$OK"},
        {"$FE", "$OK"},
        {"$FS", "$OK"},
        {"$GG", "$OK 0 -1"},
        {"$GU", "$OK 0 0"},
        {NULL, NULL},
    };
    begin(16000);
    ids = NO_IDS;
    run(old, 20000);
    assert_int_equal(count("$FE"), 0);
    assert_false(view()->limit_held);
    assert_true(count("$SC") >= 3);
    assert_true(sent < 120);
}

// Reason: likewise one that offers less, as after a missed heartbeat: asked again after a minute.
static void an_old_board_that_agrees_and_gives_less_is_not_asked_without_end(void **state)
{
    (void)state;
    const struct says old[] = {
        {"$GV", "$OK 1.0.5 1.0.3"}, {"$GS", "$OK 3 9"}, {"$GC", "$OK 6 32"},
        {"$GE", "$OK 6 20"},        {"$SC", "$OK"},     {"$FE", "$OK"},
        {"$GG", "$OK 6000 -1"},     {"$GU", "$OK 9 0"}, {NULL, NULL},
    };
    begin(16000);
    ids = NO_IDS;
    run(old, 20000);
    assert_int_equal(count("$SC"), 1);
    assert_true(view()->limit_held);
    assert_true(count("$GG") > 10);
    assert_true(sent < 120);
}

// Reason: a board's configured maximum is a fact, and asking again every turn is noise.
static void a_board_that_gives_less_is_asked_again_after_a_minute(void **state)
{
    static const struct says modest[] = {
        {"$GV", "$OK 8.2.3 5.2.1"},
        {"$GY", "$OK 10 6 0"},
        {"$SY", "$OK 10 6 0"},
        {"$GS", "$OK 03 5 03 0540"},
        {"$GC", "$OK 6 32 10 32"},
        {"$SC", "$NK 10"},
        {NULL, NULL},
    };
    (void)state;
    begin(16000);
    run(modest, 50000);
    assert_int_equal(client.view.offered_ma, 10000);
    assert_true(view()->limit_held);
    assert_int_equal(count("$SC"), 1);
}

static void numbers_out_of_their_range_are_not_believed(void **state)
{
    static const char *const wrong[] = {
        "$GS", "$OK 03 5 03 05400",
        "$GS", "$OK 3 5 03 0540",
        "$GS", "$OK 03 -5 03 0540",
        "$GS", "$OK zz 5 03 0540",
        "$GS", "$OK",
        "$GC", "$OK 6 32 16 99",
        "$GC", "$OK 0 32 16 32",
        "$GC", "$OK 32 6 16 32",
        "$GG", "$OK 100001 230000",
        "$GG", "$OK 16000 500001",
        "$GG", "$OK 16A 230000",
        "$GU", "$OK 4294967296 1",
        "$GU", "$OK -1 1",
        "$GP", "$OK 1 2",
        "$GP", "$OK 1501 -2560 -2560",
        "$GP", "$OK -601 -2560 -2560",
        "$GF", "$OK 100 0 0",
        "$GF", "$OK g 0 0",
        "$GE", "$OK 81 0021",
        "$GE", "$OK 16 00210",
        "$GV", "$OK x y",
        "$GV", "$OK 8 5",
        "$GV", "$OK 8.2.3.4.5.6.7.8.9.0 5.2.1",
        "$GY", "$OK 10 6 3",
        "$GY", "$OK 70000 6 0",
        "$GY", "$OK 10 81 0",
        "$G0", "$OK 3",
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(wrong); i += 2) {
        struct says rows[PW_COUNT(honest) + 2];
        bool idle = wrong[i][2] == '0'; // it is only asked while nothing charges
        rows[0] = (struct says){wrong[i], wrong[i + 1]};
        rows[1] = (struct says){idle ? "$GS" : wrong[i], idle ? "$OK 02 5 02 0500" : wrong[i + 1]};
        memcpy(rows + 2, honest, sizeof(honest));
        begin(16000);
        run(rows, 3000);
        assert_true(view()->bad >= 3);
        switch (wrong[i][2]) {
        case 'S': assert_true(view()->state_at == PW_NEVER); break;
        case 'C': assert_int_equal(view()->config_ma, PW_RAPI_UNKNOWN); break;
        case 'G': assert_true(view()->current_at == PW_NEVER); break;
        case 'U': assert_int_equal(view()->total_wh, -1); break;
        case 'P': assert_true(view()->temps_at == PW_NEVER); break;
        case 'F': assert_int_equal(view()->gfi_trips, PW_RAPI_UNKNOWN); break;
        case 'V': assert_string_equal(view()->firmware, ""); break;
        case 'Y': assert_int_equal(view()->heartbeat, PW_RAPI_HEARTBEAT_NONE); break;
        default: break;
        }
    }
}

// Reason: what answers an older command must not be taken for the answer to this one.
static void answers_with_another_id_are_strays(void **state)
{
    (void)state;
    begin(16000);
    ids = WRONG_IDS;
    run(honest, 9000);
    assert_false(view()->ok);
    assert_int_equal(view()->answers, 0);
    assert_in_range(view()->stray, 3, 6);
    assert_string_equal(view()->failed, "GV");
    ids = WITH_IDS;
    run(honest, 20000);
    assert_true(view()->ok);
    uint32_t stray = view()->stray;
    hear("$OK 01 0 01 0200 :01^09\r");
    hear("$OK 01 0 01 0200^12\r");
    assert_int_equal(view()->stray, stray + 2);
    assert_int_equal(view()->state, PW_RAPI_STATE_C);
}

static void boards_without_ids_and_without_checksums_are_understood(void **state)
{
    (void)state;
    begin(16000);
    ids = NO_IDS;
    run(honest, 5000);
    assert_true(view()->settled);
    begin(16000);
    ids = NO_IDS;
    check = PW_RAPI_CHECK_SUM;
    run(honest, 5000);
    assert_true(view()->settled);
    begin(16000);
    ids = NO_IDS;
    check = PW_RAPI_CHECK_NONE;
    run(honest, 5000);
    assert_true(view()->settled);
    // Of a board that has been heard with checksums a line without one is damage.
    begin(16000);
    run(honest, 5000);
    uint32_t bad = view()->bad;
    hear("$AT ff 01 10 0200\r");
    assert_int_equal(view()->bad, bad + 1);
    assert_int_equal(view()->state, PW_RAPI_STATE_C);
}

// Reason: §2.7: all of these can stand between a command and its answer.
static void lines_of_its_own_come_between(void **state)
{
    (void)state;
    begin(16000);
    run(honest, 3000);
    uint32_t bad = view()->bad;
    hear("\r\nrelayCloseMs: 100\r\nrelayHoldPwm: 255\r\n");
    say("$AT 03 03 16 0540");
    assert_int_equal(view()->bad, bad);
    assert_string_equal(view()->event, "$AT 03 03 16 0540");
    say("$AN 1");
    say("$WF 02");
    assert_int_equal(view()->events, 3);
    assert_string_equal(view()->event, "$WF 02");
    hear("$OK 01 0"); // a line broken off by the next
    say("$AT 02 02 16 0500");
    assert_int_equal(view()->state, PW_RAPI_STATE_B);
    assert_int_equal(view()->bad, bad + 1);
    say("$AT 02 02 99 0500");
    say("$AT 02 02 12 0500 1");
    assert_int_equal(view()->bad, bad + 3);
    assert_int_equal(view()->offered_ma, 16000);
    uint32_t stray = view()->stray;
    say("$GS"); // an echo
    assert_int_equal(view()->stray, stray + 1);
    uint32_t reboots = view()->reboots;
    say("$AB 08 8.2.3");
    assert_int_equal(view()->reboots, reboots + 1);
    assert_int_equal(view()->post, 8);
    assert_int_equal(view()->offered_ma, PW_RAPI_UNKNOWN);
    assert_false(view()->limit_held);
}

// Reason: the client believes nobody, and its buffers least of all (T25).
static void a_flood_is_taken_in_pieces_and_dropped(void **state)
{
    static uint8_t flood[4096];
    (void)state;
    begin(16000);
    run(honest, 3000);
    memset(flood, 'x', sizeof(flood));
    flood[0] = '$';
    size_t taken = pw_rapi_bytes(&client, flood, sizeof(flood));
    assert_int_equal(taken, PW_RAPI_RX_MAX);
    assert_int_equal(pw_rapi_bytes(&client, flood, 1), 0);
    uint32_t bad = view()->bad;
    (void)pw_rapi_step(&client, now);
    assert_int_equal(view()->bad, bad + 1);
    run(honest, 5000);
    assert_true(view()->settled);
}

static void nothing_is_ordered_before_anything_is_wanted(void **state)
{
    struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
    (void)state;
    begin(16000);
    assert_int_equal(pw_rapi_init(&client, &config, NULL, 0, NULL), PW_OK);
    pw_rapi_up(&client, 0);
    run(honest, 5000);
    assert_true(view()->ok);
    assert_int_equal(count("$F") + count("$S"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_honest_board_says_is_believed),
        cmocka_unit_test(a_board_that_keeps_more_than_wanted_is_put_to_sleep),
        cmocka_unit_test(a_board_that_kept_no_limit_sleeps_until_it_keeps_one),
        cmocka_unit_test(a_board_that_says_one_thing_and_offers_another_is_put_to_sleep),
        cmocka_unit_test(an_old_board_that_agrees_and_keeps_more_is_put_to_sleep),
        cmocka_unit_test(an_old_board_that_agrees_and_gives_less_is_not_asked_without_end),
        cmocka_unit_test(a_board_that_gives_less_is_asked_again_after_a_minute),
        cmocka_unit_test(numbers_out_of_their_range_are_not_believed),
        cmocka_unit_test(answers_with_another_id_are_strays),
        cmocka_unit_test(boards_without_ids_and_without_checksums_are_understood),
        cmocka_unit_test(lines_of_its_own_come_between),
        cmocka_unit_test(a_flood_is_taken_in_pieces_and_dropped),
        cmocka_unit_test(nothing_is_ordered_before_anything_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
