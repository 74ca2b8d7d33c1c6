#include "lines.h"

#include "scenario/scenario.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void end(struct pw_sim_source *source)
{
    pw_watch_end(&source->watch);
    if (source->in >= 0 && source->in != STDIN_FILENO) {
        (void)close(source->in);
    }
    source->in = -1;
    source->len = 0;
    source->too_long = false;
}

// An answer that the other side does not read in time is lost, not waited for.
static void say(const struct pw_sim_source *source, struct pw_str text)
{
    if (source->out == STDOUT_FILENO) {
        (void)!write(source->out, text.at, text.len);
    } else {
        (void)send(source->out, text.at, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static void answer(struct pw_sim_source *source, struct pw_str line)
{
    char text[PW_SCENARIO_ANSWER_MAX];
    struct pw_out out = PW_OUT(text);
    source->lines->run(source->lines->context, line, &out);
    if (out.len > 0) {
        pw_put_c(&out, '\n');
        say(source, pw_out_str(&out));
    }
}

static void feed(struct pw_sim_source *source, char c)
{
    if (c != '\n') {
        if (source->len == sizeof(source->line)) {
            source->too_long = true;
        } else {
            source->line[source->len++] = c;
        }
        return;
    }
    if (source->too_long) {
        say(source, PW_STR("error: a line has at most 256 characters\n"));
    } else {
        answer(source, (struct pw_str){source->line, source->len});
    }
    source->len = 0;
    source->too_long = false;
}

static void read_ready(void *context, unsigned events)
{
    (void)events;
    struct pw_sim_source *source = context;
    char bytes[512];
    ssize_t got = read(source->in, bytes, sizeof(bytes));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        end(source); // the simulation goes on without it
        return;
    }
    for (ssize_t i = 0; i < got && source->in >= 0; i++) {
        feed(source, bytes[i]);
    }
}

static void start(struct pw_sim_source *source, int in, int out)
{
    source->in = in;
    source->out = out;
    source->watch = (struct pw_watch){.ready = read_ready, .context = source};
    pw_watch_start(&source->watch, source->lines->loop, in, PW_LOOP_READ, PW_LOOP_CONSOLE);
}

static void accept_ready(void *context, unsigned events)
{
    (void)events;
    struct pw_sim_lines *lines = context;
    int fd = accept4(lines->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    for (size_t i = 0; i < PW_SIM_CLIENTS_MAX; i++) {
        if (lines->client[i].in < 0) {
            start(&lines->client[i], fd, fd);
            return;
        }
    }
    struct pw_str full = PW_STR("error: all 4 connections are taken\n");
    (void)send(fd, full.at, full.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)close(fd);
}

static int fail(struct pw_out *reason, const char *control, const char *what)
{
    pw_put_s(reason, "--control ");
    pw_put_s(reason, control);
    pw_put_s(reason, ": ");
    pw_put_s(reason, what);
    return PW_ERR_UNKNOWN;
}

static int listen_at(struct pw_sim_lines *lines, const char *control, struct pw_out *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (pw_str_copy(lines->path, sizeof(lines->path), pw_str_of(control)) != PW_OK) {
        return fail(reason, control, "the path is too long (99 characters)");
    }
    memcpy(address.sun_path, lines->path, sizeof(lines->path));
    struct stat old;
    if (lstat(control, &old) == 0 && S_ISSOCK(old.st_mode)) {
        (void)unlink(control);
    }
    lines->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0077);
    bool bound = lines->listen_fd >= 0 &&
                 bind(lines->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    (void)umask(mask);
    if (!bound || listen(lines->listen_fd, PW_SIM_CLIENTS_MAX) != 0) {
        const char *why = strerror(errno);
        lines->path[0] = '\0';
        return fail(reason, control, why);
    }
    lines->listen = (struct pw_watch){.ready = accept_ready, .context = lines};
    pw_watch_start(&lines->listen, lines->loop, lines->listen_fd, PW_LOOP_READ, PW_LOOP_CONSOLE);
    return PW_OK;
}

int pw_sim_lines_open(struct pw_sim_lines *lines, struct pw_loop *loop, const char *control,
                      struct pw_out *reason)
{
    lines->loop = loop;
    lines->listen_fd = -1;
    lines->path[0] = '\0';
    lines->input = (struct pw_sim_source){.lines = lines, .in = -1};
    for (size_t i = 0; i < PW_SIM_CLIENTS_MAX; i++) {
        lines->client[i] = (struct pw_sim_source){.lines = lines, .in = -1};
    }
    start(&lines->input, STDIN_FILENO, STDOUT_FILENO);
    return control == NULL ? PW_OK : listen_at(lines, control, reason);
}

void pw_sim_lines_close(struct pw_sim_lines *lines)
{
    end(&lines->input);
    for (size_t i = 0; i < PW_SIM_CLIENTS_MAX; i++) {
        end(&lines->client[i]);
    }
    pw_watch_end(&lines->listen);
    if (lines->listen_fd >= 0) {
        (void)close(lines->listen_fd);
    }
    if (lines->path[0] != '\0') {
        (void)unlink(lines->path);
    }
}
