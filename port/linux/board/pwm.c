#include "board/pwm.h"

#include "board/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERIOD_NS 1000000 // 1 kHz; so 1 ppm is 1 ns
#define PATH_CAP  256
#define UNSET     (-1)

static int put(int fd, int32_t value)
{
    char text[16];
    struct pw_out out = PW_OUT(text);
    pw_put_int(&out, value);
    pw_put_c(&out, '\n');
    return pwrite(fd, text, out.len, 0) == (ssize_t)out.len ? PW_OK : PW_ERR_PEER;
}

static int complain(struct pw_out *why, const char *path)
{
    int error = errno;
    pw_put_s(why, "pwm.chip: ");
    pw_hardware_say(why, path, error);
    return PW_ERR_UNKNOWN;
}

static int open_file(const char *folder, const char *name, int *fd, struct pw_out *why)
{
    char path[PATH_CAP];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    *fd = open(path, O_WRONLY | O_CLOEXEC);
    return *fd >= 0 ? PW_OK : complain(why, path);
}

static int write_file(const char *folder, const char *name, int32_t value, struct pw_out *why)
{
    char path[PATH_CAP];
    int fd = -1;
    int err = open_file(folder, name, &fd, why);
    if (err != PW_OK) {
        return err;
    }
    if (put(fd, value) != PW_OK) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        err = complain(why, path);
    }
    (void)close(fd);
    return err;
}

static int export_channel(const struct pw_board_file *file, const char *folder, struct pw_out *why)
{
    struct stat there;
    if (stat(folder, &there) == 0) {
        return PW_OK;
    }
    return write_file(file->pwm_chip, "export", file->pwm_channel, why);
}

int pw_pwm_open(struct pw_pwm *pwm, const struct pw_board_file *file, struct pw_out *why)
{
    char folder[PATH_CAP - 16];
    *pwm = (struct pw_pwm){.duty = -1, .high_ppm = UNSET, .inverted = file->pwm_inverted};
    (void)snprintf(folder, sizeof(folder), "%s/pwm%d", file->pwm_chip, (int)file->pwm_channel);
    int err = export_channel(file, folder, why);
    if (err == PW_OK) {
        err = open_file(folder, "duty_cycle", &pwm->duty, why);
    }
    if (err == PW_OK) {
        (void)put(pwm->duty, 0); // left over from another period, it would forbid ours
        err = write_file(folder, "period", PERIOD_NS, why);
    }
    if (err == PW_OK && pw_pwm_set(pwm, 0) != PW_OK) {
        err = complain(why, folder);
    }
    if (err == PW_OK) {
        err = write_file(folder, "enable", 1, why);
    }
    if (err != PW_OK && pwm->duty >= 0) {
        (void)close(pwm->duty);
        pwm->duty = -1;
    }
    return err;
}

void pw_pwm_close(struct pw_pwm *pwm)
{
    if (pwm->duty >= 0) {
        (void)!pw_pwm_set(pwm, 0);
        (void)close(pwm->duty);
        pwm->duty = -1;
    }
}

int pw_pwm_set(struct pw_pwm *pwm, int32_t high_ppm)
{
    PW_ASSERT(high_ppm >= 0 && high_ppm <= PERIOD_NS);
    if (high_ppm == pwm->high_ppm) {
        return PW_OK;
    }
    int err = put(pwm->duty, pwm->inverted ? PERIOD_NS - high_ppm : high_ppm);
    pwm->high_ppm = err == PW_OK ? high_ppm : UNSET;
    return err;
}
