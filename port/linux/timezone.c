#include "timezone.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_LEN = 64, PATH_LEN = 512, FOOTER_MAX = 128 };

static int refuse(struct pw_out *why, int err, struct pw_str name, const char *sentence)
{
    if (why != NULL) {
        pw_put_s(why, "time zone \"");
        pw_put(why, (struct pw_str){.at = name.at, .len = (size_t)pw_min((int64_t)name.len, 60)});
        pw_put_s(why, "\" ");
        pw_put_s(why, sentence);
    }
    return err;
}

// Letters, digits, '_', '-', '+' in parts between slashes: nothing that leaves the folder.
static bool is_name(struct pw_str name)
{
    char before = '/';
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '+';
        if (!plain && !(c == '/' && before != '/')) {
            return false;
        }
        before = c;
    }
    return name.len > 0 && name.len <= NAME_MAX_LEN && before != '/';
}

// The last bytes of a file that begins as TZif files do; their number, or -1.
static ssize_t read_end(const char *path, char end[FOOTER_MAX])
{
    char magic[4] = "";
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t len = -1;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
        read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
        memcmp(magic, "TZif", sizeof(magic)) == 0) {
        off_t from = stat.st_size > FOOTER_MAX ? stat.st_size - FOOTER_MAX : 0;
        len = pread(fd, end, FOOTER_MAX, from);
    }
    (void)close(fd);
    return len;
}

// The footer is the text between the file's last two line feeds.
static struct pw_str footer_of(const char *end, ssize_t len)
{
    struct pw_str none = {.at = end, .len = 0};
    if (len < 2 || end[len - 1] != '\n') {
        return none;
    }
    ssize_t from = len - 1;
    while (from > 0 && end[from - 1] != '\n') {
        from--;
    }
    return from == 0 ? none : (struct pw_str){.at = end + from, .len = (size_t)(len - 1 - from)};
}

int pw_timezone_find(const char *folder, struct pw_str name, struct pw_out *posix,
                     struct pw_out *why)
{
    char path[PATH_LEN];
    char end[FOOTER_MAX];
    PW_ASSERT(folder != NULL && posix != NULL);
    if (!is_name(name)) {
        return refuse(why, PW_ERR_RANGE, name, "is no name such as Europe/Ljubljana");
    }
    int len = snprintf(path, sizeof(path), "%s/%.*s", folder, (int)name.len, name.at);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return refuse(why, PW_ERR_LIMIT, name, "is too long");
    }
    struct stat stat_of;
    if (stat(path, &stat_of) != 0 || !S_ISREG(stat_of.st_mode)) {
        return refuse(why, PW_ERR_UNKNOWN, name,
                      "is not known to this system (package tzdata); write it as "
                      "Europe/Ljubljana or CET-1CEST,M3.5.0,M10.5.0/3");
    }
    ssize_t got = read_end(path, end);
    struct pw_str footer = footer_of(end, got);
    if (got < 0 || footer.len == 0) {
        return refuse(why, PW_ERR_PEER, name,
                      "has no rule for the future in this system's files; write it as "
                      "CET-1CEST,M3.5.0,M10.5.0/3");
    }
    pw_put(posix, footer);
    return pw_out_err(posix);
}
