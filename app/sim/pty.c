#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int fail(struct pw_out *reason, const char *option, const char *path, const char *what)
{
    pw_put_s(reason, option);
    pw_put_c(reason, ' ');
    pw_put_s(reason, path);
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

int pw_sim_pty_open(struct pw_sim_pty *pty, const char *option, const char *path,
                    struct pw_out *reason)
{
    char name[64];
    *pty = PW_SIM_PTY_NONE;
    pty->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->fd < 0 || grantpt(pty->fd) != 0 || unlockpt(pty->fd) != 0 ||
        ptsname_r(pty->fd, name, sizeof(name)) != 0) {
        return fail(reason, option, path, "no pseudo-terminal");
    }
    pty->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->slave < 0 || !set_raw(pty->slave) || fcntl(pty->fd, F_SETFL, O_NONBLOCK) != 0) {
        return fail(reason, option, path, "cannot set up the terminal");
    }
    if (pw_str_copy(pty->link, sizeof(pty->link), pw_str_of(path)) != PW_OK) {
        errno = ENAMETOOLONG;
        return fail(reason, option, path, "cannot link");
    }
    if (place_link(name, path) != 0) {
        pty->link[0] = '\0';
        return fail(reason, option, path, "cannot link");
    }
    return PW_OK;
}

void pw_sim_pty_close(struct pw_sim_pty *pty)
{
    if (pty->link[0] != '\0') {
        (void)unlink(pty->link);
    }
    if (pty->slave >= 0) {
        (void)close(pty->slave);
    }
    if (pty->fd >= 0) {
        (void)close(pty->fd);
    }
    *pty = PW_SIM_PTY_NONE;
}

void pw_sim_pty_forget(const struct pw_sim_pty *pty)
{
    (void)tcflush(pty->slave, TCIFLUSH);
}
