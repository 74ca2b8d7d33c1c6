#include "vault/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes += done;
        len -= (size_t)done;
    }
    return fsync(fd) == 0;
}

static bool sync_folder_of(const char *path)
{
    char folder[VAULT_PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

int vault_write_whole(const char *path, const char *bytes, size_t len, struct pw_out *why)
{
    char beside[VAULT_PATH_MAX];
    int written = snprintf(beside, sizeof(beside), "%s" VAULT_BESIDE, path);
    if (written < 0 || (size_t)written >= sizeof(beside)) {
        return vault_refuse(why, PW_ERR_STORE, path, "the path is too long");
    }
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && write_all(fd, bytes, len);
    if (fd >= 0 && close(fd) != 0) {
        good = false;
    }
    if (!good || rename(beside, path) != 0 || !sync_folder_of(path)) {
        int err = vault_refuse(why, PW_ERR_STORE, path, strerror(errno));
        (void)unlink(beside);
        return err;
    }
    return PW_OK;
}
