// The control socket: who may open it, one answer for each line, streams, and clients that
// misbehave.
#include "control.h"

#include "folder.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct fixture {
    struct folder folder;
    struct pw_clock clock;
    struct pw_loop loop;
    struct pw_control *control;
    char path[128];
    char why[256];
    int turns;
};

static struct pw_control *try_open(struct fixture *f, unsigned mode)
{
    struct pw_out why = PW_OUT(f->why);
    return pw_control_open(&f->loop, f->path, mode, &why);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    folder_make(&f->folder);
    folder_file(&f->folder, "station.sock", f->path);
    assert_int_equal(pw_clock_init(&f->clock, NULL), PW_OK);
    assert_int_equal(pw_loop_init(&f->loop, &f->clock), PW_OK);
    f->control = try_open(f, 0600);
    assert_non_null(f->control);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pw_control_close(f->control);
    pw_loop_close(&f->loop);
    folder_remove(&f->folder);
    free(f);
    return 0;
}

static int connect_client(const struct fixture *f)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    assert_int_equal(pw_str_copy(at.sun_path, sizeof(at.sun_path), pw_str_of(f->path)), PW_OK);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void hear(int fd, const char *text)
{
    char have[512] = "";
    ssize_t got = recv(fd, have, sizeof(have) - 1, MSG_DONTWAIT);
    assert_true(got >= 0);
    assert_string_equal(have, text);
}

// Answers each line with itself; "watch N" sets topics.
static pw_ms turn(void *context, pw_ms now)
{
    struct fixture *f = context;
    unsigned client = 0;
    struct pw_str line;
    while (pw_control_take(f->control, &client, &line)) {
        if (pw_str_starts(line, "watch")) {
            pw_control_set_topics(f->control, client, 1);
        }
        pw_control_answer(f->control, client, pw_str_is(line, "bad") ? "range" : "ok", line);
    }
    if (--f->turns == 0) {
        pw_loop_end(&f->loop);
    }
    return now;
}

static void run(struct fixture *f, int turns)
{
    f->turns = turns;
    pw_loop_on_turn(&f->loop, turn, f);
    pw_loop_run(&f->loop);
}

static void only_the_owner_may_open_it_from_the_first_moment(void **state)
{
    struct fixture *f = *state;
    struct stat have;
    assert_int_equal(stat(f->path, &have), 0);
    assert_int_equal(have.st_mode & 0777, 0600);
    pw_control_close(f->control);
    assert_int_equal(access(f->path, F_OK), -1); // gone with its program
    f->control = try_open(f, 0660);
    assert_int_equal(stat(f->path, &have), 0);
    assert_int_equal(have.st_mode & 0777, 0660);
}

static void each_line_gets_one_framed_answer(void **state)
{
    struct fixture *f = *state;
    int fd = connect_client(f);
    say(fd, "status\nbad\r\n");
    say(fd, "last");
    run(f, 4);
    hear(fd, "ok 6\nstatusrange 3\nbad");
    say(fd, " one\n");
    (void)shutdown(fd, SHUT_WR); // a pipe that ends still gets its answer
    run(f, 4);
    hear(fd, "ok 8\nlast one");
    hear(fd, ""); // and then the end
    (void)close(fd);
}

static void watchers_get_events_and_others_do_not(void **state)
{
    struct fixture *f = *state;
    int watcher = connect_client(f);
    int other = connect_client(f);
    assert_false(pw_control_wanted(f->control, 1));
    say(watcher, "watch\n");
    say(other, "x\n");
    run(f, 5);
    assert_true(pw_control_wanted(f->control, 1));
    assert_false(pw_control_wanted(f->control, 2));
    pw_control_publish(f->control, 1, PW_STR("{}"));
    hear(watcher, "ok 5\nwatchevent 2\n{}");
    hear(other, "ok 1\nx");
    (void)close(watcher);
    run(f, 3);
    assert_false(pw_control_wanted(f->control, 1));
    (void)close(other);
}

static void a_watcher_that_does_not_read_is_cut_off(void **state)
{
    struct fixture *f = *state;
    int fd = connect_client(f);
    char text[8192];
    memset(text, 'x', sizeof(text));
    say(fd, "watch\n");
    run(f, 3);
    for (int i = 0; i < 200; i++) {
        pw_control_publish(f->control, 1, (struct pw_str){.at = text, .len = sizeof(text)});
    }
    assert_false(pw_control_wanted(f->control, 1));
    (void)close(fd);
}

static void a_line_longer_than_any_request_ends_the_client(void **state)
{
    struct fixture *f = *state;
    int fd = connect_client(f);
    char text[PW_CONTROL_LINE_MAX + 1];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    say(fd, text);
    run(f, 3);
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    (void)close(fd);
}

static void a_ninth_client_is_turned_away(void **state)
{
    struct fixture *f = *state;
    int fd[PW_CONTROL_CLIENTS_MAX + 1];
    for (int i = 0; i <= PW_CONTROL_CLIENTS_MAX; i++) {
        fd[i] = connect_client(f);
        run(f, 2);
    }
    char byte;
    assert_int_equal(recv(fd[PW_CONTROL_CLIENTS_MAX], &byte, 1, MSG_DONTWAIT), 0);
    say(fd[0], "x\n");
    run(f, 3);
    hear(fd[0], "ok 1\nx");
    for (int i = 0; i <= PW_CONTROL_CLIENTS_MAX; i++) {
        (void)close(fd[i]);
    }
}

static void a_second_station_at_the_same_path_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_null(try_open(f, 0600));
    assert_non_null(strstr(f->why, "another program answers there"));
}

static void the_socket_of_a_program_that_died_is_replaced(void **state)
{
    struct fixture *f = *state;
    pw_control_close(f->control);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    assert_int_equal(pw_str_copy(at.sun_path, sizeof(at.sun_path), pw_str_of(f->path)), PW_OK);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (const struct sockaddr *)&at, sizeof(at)), 0);
    (void)close(dead);
    f->control = try_open(f, 0600);
    assert_non_null(f->control);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_the_owner_may_open_it_from_the_first_moment),
        CASE(each_line_gets_one_framed_answer),
        CASE(watchers_get_events_and_others_do_not),
        CASE(a_watcher_that_does_not_read_is_cut_off),
        CASE(a_line_longer_than_any_request_ends_the_client),
        CASE(a_ninth_client_is_turned_away),
        CASE(a_second_station_at_the_same_path_is_refused),
        CASE(the_socket_of_a_program_that_died_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
