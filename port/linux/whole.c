#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int fd, struct pw_str bytes)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.at, bytes.len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes.at += done;
        bytes.len -= (size_t)done;
    }
    return true;
}

bool pw_whole_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

static bool sync_folder_of(const char *path)
{
    char folder[PW_WHOLE_PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    return pw_whole_sync_folder(slash != NULL ? folder : ".");
}

int pw_whole_write(const char *path, mode_t mode, struct pw_str bytes, bool sync)
{
    char beside[PW_WHOLE_PATH_MAX];
    int len = snprintf(beside, sizeof(beside), "%s" PW_WHOLE_BESIDE, path);
    if (len < 0 || (size_t)len >= sizeof(beside)) {
        errno = ENAMETOOLONG;
        return PW_ERR_STORE;
    }
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    bool good = fd >= 0 && write_all(fd, bytes) && (!sync || fsync(fd) == 0);
    if (fd >= 0 && close(fd) != 0) {
        good = false;
    }
    if (!good || rename(beside, path) != 0 || (sync && !sync_folder_of(path))) {
        int said = errno;
        (void)unlink(beside);
        errno = said;
        return PW_ERR_STORE;
    }
    return PW_OK;
}
