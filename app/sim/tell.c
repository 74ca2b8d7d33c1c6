#include "tell.h"

#include "lines.h"
#include "scenario/acscenario.h"
#include "scenario/oescenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 5

enum { DONE = 0, UNREACHABLE = 1, USAGE = 2, REFUSED = 3 };

static int fail(int status, const char *what, const char *why)
{
    (void)fprintf(stderr, "pilotwire-sim: %s: %s\n", what, why);
    return status;
}

static int help(void)
{
    char dc_text[PW_SCENARIO_ANSWER_MAX] = "";
    char ac_text[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out dc = PW_OUT(dc_text);
    struct pw_out ac = PW_OUT(ac_text);
    char oe_text[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out oe = PW_OUT(oe_text);
    pw_scenario_help(&dc);
    pw_acscenario_help(&ac);
    pw_oescenario_help(&oe);
    (void)printf(
        "usage: pilotwire-sim tell SOCKET COMMAND...\n"
        "One command to the simulator that runs with --control SOCKET; prints its answer.\n"
        "Exit status: 0 done, 1 no simulator answers there, 2 wrong command line,\n"
        "3 refused (the reason is on standard error).\n\nCommands of dc:\n%s"
        "\nCommands of ac:\n%s\nCommands of openevse and house:\n%s",
        dc_text, ac_text, oe_text);
    return DONE;
}

static int reach(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (pw_str_copy(address.sun_path, sizeof(address.sun_path), pw_str_of(path)) != PW_OK) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int err = errno;
        (void)close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

// Sends the line and its end; the simulator answers and then closes too, so an answer of several
// lines has an end as well.
static bool ask(int fd, struct pw_str line, struct pw_out *answer)
{
    if (send(fd, line.at, line.len, MSG_NOSIGNAL) != (ssize_t)line.len ||
        shutdown(fd, SHUT_WR) != 0) {
        return false;
    }
    char bytes[512];
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    while (got > 0) {
        pw_put(answer, (struct pw_str){bytes, (size_t)got});
        got = recv(fd, bytes, sizeof(bytes), 0);
    }
    return got == 0 && answer->len > 0;
}

int pw_sim_tell(int argc, char **argv)
{
    if (argc > 0 && pw_str_is(pw_str_of(argv[0]), "--help")) {
        return help();
    }
    if (argc < 2) {
        return fail(USAGE, "tell", "needs a socket and a command; tell --help lists them");
    }
    char text[PW_SIM_LINE_MAX + 1]; // and the line's end
    struct pw_out line = PW_OUT(text);
    for (int i = 1; i < argc; i++) {
        pw_put_s(&line, i > 1 ? " " : "");
        pw_put_s(&line, argv[i]);
    }
    pw_put_c(&line, '\n');
    if (line.full) {
        return fail(USAGE, "tell", "the command is too long");
    }
    if (pw_str_trim(pw_out_str(&line)).len == 0) {
        return fail(USAGE, "tell", "the command is empty");
    }
    int fd = reach(argv[0]);
    if (fd < 0) {
        return fail(UNREACHABLE, argv[0], strerror(errno));
    }
    char heard[PW_SCENARIO_ANSWER_MAX];
    struct pw_out answer = PW_OUT(heard);
    bool answered = ask(fd, pw_out_str(&line), &answer);
    (void)close(fd);
    if (!answered) {
        return fail(UNREACHABLE, argv[0], "the simulator does not answer");
    }
    bool refused = pw_str_starts(pw_out_str(&answer), "error: ");
    (void)fputs(heard, refused ? stderr : stdout);
    return refused ? REFUSED : DONE;
}
