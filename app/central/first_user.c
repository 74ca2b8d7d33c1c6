// Whoever starts a new central is told one password, once.
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A service manager keeps what is printed. There the password goes to a file of its owner's, to be
// read once and removed.
static bool leave_password(const struct options *options, const char *made)
{
    char path[512];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, options->data);
    pw_put_s(&out, "/first-password");
    int fd =
        out.full ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && dprintf(fd, "%s\n", made) > 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!good) {
        (void)program_fail("cannot leave the first password in", path, strerror(errno));
        return false;
    }
    (void)printf(
        "First start: log in as admin; the password is in %s: read it, then remove that file.\n",
        path);
    return true;
}

// Printed once, to the person who started the program; never logged, never stored in clear.
bool first_user(struct program *program)
{
    char made[PW_CENTRAL_PASSWORD_MAX];
    if (pw_central_has_admin(program->central)) {
        return true;
    }
    int result =
        pw_central_user_add(program->central, PW_STR("admin"), PW_STR("admin"), PW_STR(""), made);
    if (result != PW_OK) {
        (void)program_fail("cannot make the user", "admin", pw_err_name(result));
        return false;
    }
    if (getenv("JOURNAL_STREAM") != NULL) {
        return leave_password(&program->options, made);
    }
    (void)printf("First start: log in as admin with the password %s (shown only now).\n", made);
    return true;
}
