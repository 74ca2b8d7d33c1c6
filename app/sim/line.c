#include "line.h"

#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void hang_up(struct pw_sim_line *line)
{
    if (line->fd >= 0 && line->fd != line->pty.fd) {
        pw_watch_end(&line->watch);
        (void)close(line->fd);
        line->fd = -1;
    }
    line->out_len = 0;
}

void pw_sim_line_flush(struct pw_sim_line *line)
{
    while (line->fd >= 0 && line->out_len > 0) {
        int wrote = pw_stream_write(line->fd, line->out, line->out_len);
        if (wrote < 0) {
            hang_up(line);
            return;
        }
        if (wrote == 0) {
            return;
        }
        line->out_len -= (size_t)wrote;
        memmove(line->out, line->out + wrote, line->out_len);
    }
}

void pw_sim_line_send(struct pw_sim_line *line, const uint8_t *bytes, size_t len)
{
    if (len == 0 || line->fd < 0) {
        return;
    }
    if (len > sizeof(line->out) - line->out_len) {
        line->dropped++;
        return;
    }
    memcpy(line->out + line->out_len, bytes, len);
    line->out_len += len;
}

static void read_line(void *context, unsigned events)
{
    (void)events;
    struct pw_sim_line *line = context;
    uint8_t bytes[1024];
    int got = pw_stream_read(line->fd, bytes, sizeof(bytes));
    if (got > 0) {
        line->heard_at = pw_clock_now(line->loop->clock);
        line->hear(line->context, bytes, (size_t)got);
    } else if (got < 0) {
        hang_up(line);
    }
}

static void accept_station(void *context, unsigned events)
{
    (void)events;
    struct pw_sim_line *line = context;
    int fd = accept4(line->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    if (fd < 0) {
        return;
    }
    hang_up(line); // one station at a time: the newest
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    line->fd = fd;
    line->watch = (struct pw_watch){.ready = read_line, .context = line};
    pw_watch_start(&line->watch, line->loop, fd, PW_LOOP_READ, PW_LOOP_CAN);
}

// ---------------------------------------------------------------------------------------------

static int fail(struct pw_out *reason, const char *where, const char *what)
{
    pw_put_s(reason, "--listen ");
    pw_put_s(reason, where);
    pw_put_s(reason, ": ");
    pw_put_s(reason, what);
    return PW_ERR_RANGE;
}

static int listen_tcp(struct pw_sim_line *line, const char *where, struct pw_out *reason)
{
    struct pw_str rest = pw_str_of(where);
    struct pw_str host = pw_str_cut(&rest, ':');
    char address[INET_ADDRSTRLEN];
    int64_t port = 0;
    struct sockaddr_in at = {.sin_family = AF_INET};
    if (pw_parse_int(rest, 1, 65535, &port) != PW_OK ||
        pw_str_copy(address, sizeof(address), host) != PW_OK ||
        inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        return fail(reason, where, "must be ADDRESS:PORT, e.g. 127.0.0.1:2000");
    }
    at.sin_port = htons((uint16_t)port);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(reason, where, strerror(errno));
    }
    line->listen_fd = fd;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0) {
        return fail(reason, where, strerror(errno));
    }
    line->listening = (struct pw_watch){.ready = accept_station, .context = line};
    pw_watch_start(&line->listening, line->loop, fd, PW_LOOP_READ, PW_LOOP_CAN);
    return PW_OK;
}

void pw_sim_line_init(struct pw_sim_line *line, struct pw_loop *loop,
                      void (*hear)(void *context, const uint8_t *bytes, size_t len), void *context)
{
    *line = (struct pw_sim_line){
        .loop = loop,
        .hear = hear,
        .context = context,
        .pty = PW_SIM_PTY_NONE,
        .listen_fd = -1,
        .fd = -1,
        .heard_at = PW_NEVER,
    };
}

int pw_sim_line_open(struct pw_sim_line *line, const char *option, const char *link,
                     const char *listen, struct pw_out *reason)
{
    if (listen != NULL) {
        return listen_tcp(line, listen, reason);
    }
    int err = pw_sim_pty_open(&line->pty, option, link, reason);
    if (err == PW_OK) {
        line->fd = line->pty.fd;
        line->watch = (struct pw_watch){.ready = read_line, .context = line};
        pw_watch_start(&line->watch, line->loop, line->fd, PW_LOOP_READ, PW_LOOP_CAN);
    }
    return err;
}

void pw_sim_line_close(struct pw_sim_line *line)
{
    if (line->loop == NULL) {
        return;
    }
    pw_watch_end(&line->listening);
    hang_up(line);
    pw_watch_end(&line->watch);
    pw_sim_pty_close(&line->pty);
    if (line->listen_fd >= 0) {
        (void)close(line->listen_fd);
    }
}

bool pw_sim_line_is_heard(struct pw_sim_line *line, pw_ms silence, pw_ms now)
{
    bool silent = line->heard_at == PW_NEVER || pw_elapsed(line->heard_at, silence, now);
    bool heard = line->fd >= 0 && (line->fd != line->pty.fd || !silent);
    if (!heard && line->pty.fd >= 0) {
        pw_sim_pty_forget(&line->pty);
        line->out_len = 0;
    }
    return heard;
}
