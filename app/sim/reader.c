#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int pw_sim_reader_open(struct pw_sim_reader *reader, const char *where, struct pw_out *reason)
{
    *reader = (struct pw_sim_reader){.fd = -1, .pty = PW_SIM_PTY_NONE};
    if (where == NULL) {
        return PW_OK;
    }
    struct pw_str path = pw_str_of(where);
    struct pw_str form = pw_str_cut(&path, ':');
    if (path.len > 0 && pw_str_is(form, "pty")) {
        int err = pw_sim_pty_open(&reader->pty, "--card-reader", path.at, reason);
        reader->fd = reader->pty.fd;
        return err;
    }
    if (path.len > 0 && pw_str_is(form, "file")) {
        reader->fd = open(path.at, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
        if (reader->fd >= 0) {
            return PW_OK;
        }
        pw_put_s(reason, "--card-reader ");
        pw_put_s(reason, where);
        pw_put_s(reason, ": cannot open: ");
        pw_put_s(reason, strerror(errno));
        return PW_ERR_UNKNOWN;
    }
    pw_put_s(reason, "--card-reader \"");
    pw_put_s(reason, where);
    pw_put_s(reason, "\": must be pty:PATH or file:PATH");
    return PW_ERR_RANGE;
}

int pw_sim_reader_send(struct pw_sim_reader *reader, struct pw_str id)
{
    char line[128];
    struct pw_out out = PW_OUT(line);
    pw_put(&out, id);
    pw_put_s(&out, "\r\n");
    if (reader->fd < 0) {
        return PW_ERR_UNKNOWN;
    }
    return write(reader->fd, line, out.len) == (ssize_t)out.len ? PW_OK : PW_ERR_AGAIN;
}

void pw_sim_reader_close(struct pw_sim_reader *reader)
{
    if (reader->fd >= 0 && reader->fd != reader->pty.fd) {
        (void)close(reader->fd);
    }
    pw_sim_pty_close(&reader->pty);
    *reader = (struct pw_sim_reader){.fd = -1, .pty = PW_SIM_PTY_NONE};
}
