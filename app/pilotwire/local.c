#include "local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX 1048576

int local_open(struct local *local, const char *path, struct pw_out *why)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    local->len = 0;
    local->fd = -1;
    if (pw_str_copy(at.sun_path, sizeof(at.sun_path), pw_str_of(path)) != PW_OK) {
        return pw_refuse(why, PW_ERR_PEER, path, "the socket's path is longer than 107 bytes");
    }
    local->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (local->fd < 0 || connect(local->fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
        const char *hint = errno == EACCES ? "you may not open this station's socket"
                           : errno == ENOENT || errno == ECONNREFUSED
                               ? "no station is running here (--station PATH names another socket)"
                               : strerror(errno);
        return pw_refuse(why, PW_ERR_PEER, path, hint);
    }
    return PW_OK;
}

void local_close(struct local *local)
{
    if (local->fd >= 0) {
        (void)close(local->fd);
        local->fd = -1;
    }
}

int local_ask(struct local *local, struct pw_str line, struct pw_out *why)
{
    char text[LOCAL_LINE_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put(&out, line);
    pw_put_c(&out, '\n');
    if (out.full) {
        return pw_refuse(why, PW_ERR_PEER, "the command", "is too long");
    }
    size_t sent = 0;
    while (sent < out.len) {
        ssize_t got = send(local->fd, text + sent, out.len - sent, MSG_NOSIGNAL);
        if (got <= 0) {
            return pw_refuse(why, PW_ERR_PEER, "the station went away", strerror(errno));
        }
        sent += (size_t)got;
    }
    return PW_OK;
}

static int read_some(struct local *local, char *to, size_t cap, size_t *len, struct pw_out *why)
{
    if (local->len > 0) {
        *len = local->len < cap ? local->len : cap;
        memcpy(to, local->head, *len);
        local->len -= *len;
        memmove(local->head, local->head + *len, local->len);
        return PW_OK;
    }
    ssize_t got = recv(local->fd, to, cap, 0);
    if (got <= 0) {
        return pw_refuse(why, PW_ERR_PEER, "the station went away",
                         got == 0 ? "it closed the socket" : strerror(errno));
    }
    *len = (size_t)got;
    return PW_OK;
}

// The frame's first line, out of what has been read ahead.
static int read_head(struct local *local, struct pw_str *line, char *to, size_t cap,
                     struct pw_out *why)
{
    const char *end = memchr(local->head, '\n', local->len);
    while (end == NULL) {
        if (local->len >= cap) {
            return pw_refuse(why, PW_ERR_PEER, "the socket's answer",
                             "is not this program's protocol");
        }
        ssize_t got = recv(local->fd, local->head + local->len, cap - local->len, 0);
        if (got <= 0) {
            return pw_refuse(why, PW_ERR_PEER, "the station went away",
                             got == 0 ? "it closed the socket" : strerror(errno));
        }
        local->len += (size_t)got;
        end = memchr(local->head, '\n', local->len);
    }
    size_t len = (size_t)(end - local->head);
    memcpy(to, local->head, len);
    *line = (struct pw_str){.at = to, .len = len};
    local->len -= len + 1;
    memmove(local->head, end + 1, local->len);
    return PW_OK;
}

int local_hear(struct local *local, struct frame *frame, struct pw_out *why)
{
    char head[sizeof(local->head)];
    struct pw_str rest;
    int64_t len = 0;
    int err = read_head(local, &rest, head, sizeof(head), why);
    if (err != PW_OK) {
        return err;
    }
    struct pw_str word = pw_str_cut(&rest, ' ');
    if (pw_str_copy(frame->word, sizeof(frame->word), word) != PW_OK ||
        pw_parse_int(rest, 0, FRAME_MAX, &len) != PW_OK) {
        return pw_refuse(why, PW_ERR_PEER, "the socket's answer", "is not this program's protocol");
    }
    frame->len = 0;
    frame->text = malloc((size_t)len + 1);
    if (frame->text == NULL) {
        return pw_refuse(why, PW_ERR_PEER, "the answer", "does not fit in memory");
    }
    while (frame->len < (size_t)len) {
        size_t got = 0;
        err = read_some(local, frame->text + frame->len, (size_t)len - frame->len, &got, why);
        if (err != PW_OK) {
            free(frame->text);
            frame->text = NULL;
            return err;
        }
        frame->len += got;
    }
    frame->text[frame->len] = '\0';
    return PW_OK;
}
