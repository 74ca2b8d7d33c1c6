#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int fail(struct pw_out *reason, const char *where, const char *what)
{
    pw_put_s(reason, "--card-reader ");
    pw_put_s(reason, where);
    pw_put_s(reason, ": ");
    pw_put_s(reason, what);
    pw_put_s(reason, ": ");
    pw_put_s(reason, strerror(errno));
    return PW_ERR_UNKNOWN;
}

// A link of ours may be left from an earlier run; anything else at that place is not ours to
// remove.
static int place_link(const char *name, const char *path)
{
    struct stat old;
    if (lstat(path, &old) == 0 && S_ISLNK(old.st_mode)) {
        (void)unlink(path);
    }
    return symlink(name, path);
}

static bool set_raw(int fd)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) != 0) {
        return false;
    }
    cfmakeraw(&mode);
    return tcsetattr(fd, TCSANOW, &mode) == 0;
}

static int open_pty(struct pw_sim_reader *reader, const char *path, struct pw_out *reason)
{
    char name[64];
    reader->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (reader->fd < 0 || grantpt(reader->fd) != 0 || unlockpt(reader->fd) != 0 ||
        ptsname_r(reader->fd, name, sizeof(name)) != 0) {
        return fail(reason, path, "no pseudo-terminal");
    }
    reader->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (reader->slave < 0 || !set_raw(reader->slave) ||
        fcntl(reader->fd, F_SETFL, O_NONBLOCK) != 0) {
        return fail(reason, path, "cannot set up the terminal");
    }
    if (pw_str_copy(reader->link, sizeof(reader->link), pw_str_of(path)) != PW_OK) {
        errno = ENAMETOOLONG;
        return fail(reason, path, "cannot link");
    }
    if (place_link(name, path) != 0) {
        reader->link[0] = '\0';
        return fail(reason, path, "cannot link");
    }
    return PW_OK;
}

int pw_sim_reader_open(struct pw_sim_reader *reader, const char *where, struct pw_out *reason)
{
    *reader = (struct pw_sim_reader){.fd = -1, .slave = -1};
    if (where == NULL) {
        return PW_OK;
    }
    struct pw_str path = pw_str_of(where);
    struct pw_str form = pw_str_cut(&path, ':');
    if (path.len > 0 && pw_str_is(form, "pty")) {
        return open_pty(reader, path.at, reason);
    }
    if (path.len > 0 && pw_str_is(form, "file")) {
        reader->fd = open(path.at, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
        return reader->fd >= 0 ? PW_OK : fail(reason, where, "cannot open");
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
    if (reader->link[0] != '\0') {
        (void)unlink(reader->link);
    }
    if (reader->slave >= 0) {
        (void)close(reader->slave);
    }
    if (reader->fd >= 0) {
        (void)close(reader->fd);
    }
    *reader = (struct pw_sim_reader){.fd = -1, .slave = -1};
}
