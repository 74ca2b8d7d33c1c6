// Files of the trust port: whole or not at all, also after a power cut.
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 32768 };

static int refuse_errno(struct pw_out *why, const char *name)
{
    pw_put_s(why, name);
    pw_put_s(why, ": ");
    pw_put_s(why, strerror(errno));
    return PW_ERR_STORE;
}

static void path_of(const struct pw_trust_keeper *keeper, const char *name,
                    char path[TRUST_PATH_MAX])
{
    (void)snprintf(path, TRUST_PATH_MAX, "%s/%s", keeper->folder, name);
}

// A name is in its folder for good only when the folder is synced.
static bool sync_folder(const struct pw_trust_keeper *keeper)
{
    int fd = open(keeper->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

static bool write_all(int fd, const char *bytes, size_t len, bool sync)
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
    return !sync || fsync(fd) == 0;
}

int trust_write(const struct pw_trust_keeper *keeper, const char *name, const char *bytes,
                size_t len, bool sync, struct pw_out *why)
{
    char path[TRUST_PATH_MAX];
    char beside[TRUST_PATH_MAX];
    path_of(keeper, name, path);
    path_of(keeper, "writing.tmp", beside);
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && write_all(fd, bytes, len, sync);
    if (fd >= 0 && close(fd) != 0) {
        good = false;
    }
    if (!good || rename(beside, path) != 0 || (sync && !sync_folder(keeper))) {
        int result = refuse_errno(why, name);
        (void)unlink(beside);
        return result;
    }
    return PW_OK;
}

int trust_rename(const struct pw_trust_keeper *keeper, const char *from, const char *to,
                 struct pw_out *why)
{
    char old[TRUST_PATH_MAX];
    char new[TRUST_PATH_MAX];
    path_of(keeper, from, old);
    path_of(keeper, to, new);
    return rename(old, new) == 0 && sync_folder(keeper) ? PW_OK : refuse_errno(why, from);
}

int trust_unlink(const struct pw_trust_keeper *keeper, const char *name, struct pw_out *why)
{
    char path[TRUST_PATH_MAX];
    path_of(keeper, name, path);
    return (unlink(path) == 0 || errno == ENOENT) && sync_folder(keeper) ? PW_OK
                                                                         : refuse_errno(why, name);
}

char *trust_read(const struct pw_trust_keeper *keeper, const char *name, size_t *len)
{
    char path[TRUST_PATH_MAX];
    path_of(keeper, name, path);
    FILE *file = fopen(path, "re");
    char *bytes = file != NULL ? malloc(FILE_MAX) : NULL;
    *len = bytes != NULL ? fread(bytes, 1, FILE_MAX, file) : 0;
    bool whole = bytes != NULL && *len < FILE_MAX && ferror(file) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!whole) {
        free(bytes);
        return NULL;
    }
    return bytes;
}
