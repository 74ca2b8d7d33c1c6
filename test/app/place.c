#include "place.h"

#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

pw_ms place_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (pw_ms)now.tv_sec * 1000U + (pw_ms)now.tv_nsec / 1000000U;
}

void place_setup(struct place *place)
{
    (void)snprintf(place->dir, sizeof(place->dir), "/tmp/pw-sim-test-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    // A group port of our own: several test runs may share a machine.
    (void)snprintf(place->url, sizeof(place->url), "mcast:239.74.163.2:%d",
                   20000 + (int)(getpid() % 20000));
    (void)snprintf(place->card, sizeof(place->card), "pty:%s/card", place->dir);
    (void)snprintf(place->card_link, sizeof(place->card_link), "%s/card", place->dir);
    (void)snprintf(place->line, sizeof(place->line), "%s/front", place->dir);
    (void)snprintf(place->control, sizeof(place->control), "%s/control", place->dir);
}

struct program place_start(const char *const *arguments, const char *clock)
{
    struct program program;
    int out[2];
    int in[2];
    char *argv[ARGS_MAX] = {strdup("pilotwire-sim")};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i + 2 < ARGS_MAX);
        argv[i + 1] = strdup(arguments[i]);
    }
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    program.pid = fork();
    assert_true(program.pid >= 0);
    if (program.pid == 0) {
        (void)setenv("PILOTWIRE_CLOCK", clock, 1);
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)dup2(out[1], STDERR_FILENO);
        (void)execv(PW_SIM_PROGRAM, argv);
        _exit(127);
    }
    for (size_t i = 0; argv[i] != NULL; i++) {
        free(argv[i]);
    }
    (void)close(out[1]);
    (void)close(in[0]);
    program.out = out[0];
    program.in = in[1];
    return program;
}

// Everything it prints until it ends; returns its exit status.
int place_finish(struct program *program, char *text, size_t cap)
{
    size_t len = 0;
    struct pollfd wait = {.fd = program->out, .events = POLLIN};
    while (len + 1 < cap && poll(&wait, 1, PATIENCE_MS) == 1) {
        ssize_t got = read(program->out, text + len, cap - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    text[len] = '\0';
    (void)kill(program->pid, SIGKILL); // only matters when it did not end
    int status = 0;
    (void)waitpid(program->pid, &status, 0);
    (void)close(program->out);
    (void)close(program->in);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int place_connect_control(const struct place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", place->control);
    pw_ms end = place_now_ms() + PATIENCE_MS;
    while (place_now_ms() < end) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
            return fd;
        }
        (void)close(fd);
        (void)poll(NULL, 0, 10);
    }
    fail_msg("no control socket at %s", place->control);
    return -1;
}

// One line from a descriptor.
void place_read_line(int fd, char *line, size_t cap)
{
    size_t len = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (len + 1 < cap && poll(&wait, 1, PATIENCE_MS) == 1 && read(fd, line + len, 1) == 1) {
        if (line[len] == '\n') {
            break;
        }
        len++;
    }
    line[len] = '\0';
}

const char *place_ask(int control, const char *command)
{
    static char line[4096];
    assert_int_equal(send(control, command, strlen(command), MSG_NOSIGNAL), strlen(command));
    place_read_line(control, line, sizeof(line));
    return line;
}
