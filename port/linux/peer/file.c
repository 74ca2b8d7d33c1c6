#include "peer/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *refuse(struct pw_out *why, const char *path, const char *what)
{
    pw_put_s(why, path);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    return NULL;
}

// One byte more than `most` says that there are too many.
static size_t read_all(int fd, char *to, size_t most)
{
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len <= most) {
        got = read(fd, to + len, most + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? most + 1 : len;
}

char *pw_peer_file(const char *path, size_t most, size_t *len, struct pw_out *why)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return refuse(why, path, strerror(errno));
    }
    bool file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    bool fits = file && about.st_size >= 0 && (uintmax_t)about.st_size <= most;
    // What grows meanwhile is cut at its bound as well.
    size_t room = fits ? (size_t)about.st_size + 1 : 0;
    char *bytes = fits ? malloc(room + 1) : NULL;
    *len = bytes != NULL ? read_all(fd, bytes, room - 1) : 0;
    (void)close(fd);
    if (bytes == NULL || *len >= room) {
        free(bytes);
        return refuse(why, path,
                      !file   ? "it is no file that can be read"
                      : !fits ? "it is too long"
                              : "it cannot be read, or changes just now");
    }
    bytes[*len] = '\0';
    return bytes;
}
