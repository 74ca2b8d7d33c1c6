// The loop wakes when it was asked to, at the clock's pace, serves CAN first, and ends on a signal.
#include "loop.h"

#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct pw_clock clock;
    struct pw_loop loop;
    struct pw_watch watch[2];
    int pipe[2][2];
    char order[8]; // who was served, in order
    size_t served;
    unsigned turns;
    pw_ms woke[4];
    int signal;
};

static int setup_at(void **state, const char *setting)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(pw_clock_init(&f->clock, setting), PW_OK);
    assert_int_equal(pw_loop_init(&f->loop, &f->clock), PW_OK);
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
    pw_loop_close(&f->loop);
    free(f);
    return 0;
}

// An hour of virtual time in 3.6 s of real time would be slow; ten virtual seconds take 10 ms.
static pw_ms turn_three_deadlines(void *context, pw_ms now)
{
    struct fixture *f = context;
    f->woke[f->turns] = now;
    f->turns++;
    if (f->turns == 4) {
        pw_loop_end(&f->loop);
    }
    return now + 10000;
}

static void deadlines_come_at_the_clocks_pace_and_never_early(void **state)
{
    struct fixture *f = *state;
    pw_loop_on_turn(&f->loop, turn_three_deadlines, f);
    pw_loop_run(&f->loop);
    assert_int_equal(f->turns, 4);
    for (int i = 1; i < 4; i++) {
        assert_true(f->woke[i] - f->woke[i - 1] >= 10000);
    }
    assert_true(f->woke[3] - f->woke[0] < 600000); // 600 ms of real time
}

static pw_ms turn_earliest(void *context, pw_ms now)
{
    struct fixture *f = context;
    if (f->turns++ == 0) {
        pw_loop_deadline(&f->loop, now + 5);
        return PW_NEVER; // the earlier one counts
    }
    pw_loop_end(&f->loop);
    return PW_NEVER;
}

static void the_earliest_deadline_wins(void **state)
{
    struct fixture *f = *state;
    pw_loop_on_turn(&f->loop, turn_earliest, f);
    pw_loop_run(&f->loop);
    assert_int_equal(f->turns, 2);
}

static void serve(struct fixture *f, int which)
{
    char byte = 0;
    assert_int_equal(read(f->pipe[which][0], &byte, 1), 1);
    f->order[f->served++] = (char)('0' + which);
}

static void serve_0(void *context, unsigned events)
{
    assert_int_equal(events, PW_LOOP_READ);
    serve(context, 0);
}

static void serve_1(void *context, unsigned events)
{
    assert_int_equal(events, PW_LOOP_READ);
    serve(context, 1);
}

static pw_ms turn_until_served(void *context, pw_ms now)
{
    struct fixture *f = context;
    (void)now;
    if (f->served == 4) {
        pw_loop_end(&f->loop);
    }
    return PW_NEVER;
}

// A console that floods must not delay a frame from the bus.
static void can_is_served_before_the_console(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(pipe(f->pipe[0]), 0);
    assert_int_equal(pipe(f->pipe[1]), 0);
    assert_int_equal(write(f->pipe[0][1], "aa", 2), 2);
    assert_int_equal(write(f->pipe[1][1], "bb", 2), 2);
    f->watch[0] = (struct pw_watch){.ready = serve_0, .context = f};
    f->watch[1] = (struct pw_watch){.ready = serve_1, .context = f};
    pw_watch_start(&f->watch[0], &f->loop, f->pipe[0][0], PW_LOOP_READ, PW_LOOP_CONSOLE);
    pw_watch_start(&f->watch[1], &f->loop, f->pipe[1][0], PW_LOOP_READ, PW_LOOP_CAN);
    pw_loop_on_turn(&f->loop, turn_until_served, f);
    pw_loop_run(&f->loop);
    assert_memory_equal(f->order, "1010", 4);
    for (int i = 0; i < 2; i++) {
        pw_watch_end(&f->watch[i]);
        pw_watch_end(&f->watch[i]); // twice is harmless
        (void)close(f->pipe[i][0]);
        (void)close(f->pipe[i][1]);
    }
}

static void *wake_from_elsewhere(void *argument)
{
    pw_loop_wake(argument);
    return NULL;
}

static pw_ms turn_until_woken(void *context, pw_ms now)
{
    struct fixture *f = context;
    (void)now;
    f->turns++;
    if (f->turns == 2) {
        pw_loop_end(&f->loop);
    }
    return PW_NEVER;
}

static void another_thread_wakes_it(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_from_elsewhere, &f->loop), 0);
    pw_loop_on_turn(&f->loop, turn_until_woken, f);
    pw_loop_run(&f->loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(f->turns, 2);
}

static pw_ms turn_raise(void *context, pw_ms now)
{
    struct fixture *f = context;
    (void)now;
    if (f->turns++ == 0) {
        (void)raise(SIGTERM);
    }
    return PW_NEVER;
}

static void sigterm_ends_it(void **state)
{
    struct fixture *f = *state;
    pw_loop_on_turn(&f->loop, turn_raise, f);
    pw_loop_run(&f->loop);
    assert_int_equal(f->turns, 1);
}

static void on_stop(void *context, int number)
{
    struct fixture *f = context;
    f->signal = number;
    pw_loop_end(&f->loop);
}

static void a_program_may_take_the_signal_itself(void **state)
{
    struct fixture *f = *state;
    pw_loop_on_turn(&f->loop, turn_raise, f);
    pw_loop_on_signal(&f->loop, on_stop, f);
    pw_loop_run(&f->loop);
    assert_int_equal(f->signal, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deadlines_come_at_the_clocks_pace_and_never_early,
                                        setup_fast, teardown),
        cmocka_unit_test_setup_teardown(the_earliest_deadline_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(can_is_served_before_the_console, setup, teardown),
        cmocka_unit_test_setup_teardown(another_thread_wakes_it, setup, teardown),
        cmocka_unit_test_setup_teardown(sigterm_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_may_take_the_signal_itself, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
