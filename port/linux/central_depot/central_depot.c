#include "central_depot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define OPEN_MAX_FILES 64                   // kept open at once; the one idle for longest goes
#define FLUSH_EVERY    (UINT64_C(1) << 20)  // so that the last wait for the disk is short
#define SPARE          (UINT64_C(32) << 20) // bytes of the disk that are left to the database
#define SUFFIX         ".part"

// A file that is being written or read.
struct place {
    char name[PW_DEPOT_NAME_MAX]; // empty: free
    int fd;
    bool part;        // it is being written
    uint64_t written; // since the disk was last told to begin
    uint64_t used;    // by a count of calls
};

struct pw_folder_depot {
    struct pw_depot port;
    int folder;
    uint64_t calls;
    struct place place[OPEN_MAX_FILES];
};

struct path {
    char text[PW_DEPOT_NAME_MAX + sizeof(SUFFIX)];
};

// Names are ours, and nothing else may become a path.
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len < PW_DEPOT_NAME_MAX && strspn(name, "0123456789abcdef") == len;
}

static struct path path_of(const char *name, bool part)
{
    struct path path;
    struct pw_out out = PW_OUT(path.text);
    PW_ASSERT(is_name(name));
    pw_put_s(&out, name);
    pw_put_s(&out, part ? SUFFIX : "");
    return path;
}

static void let_go(struct place *place)
{
    if (place->name[0] != '\0') {
        (void)close(place->fd);
    }
    *place = (struct place){.fd = -1};
}

static struct place *find(struct pw_folder_depot *depot, const char *name)
{
    for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
        if (strcmp(depot->place[i].name, name) == 0) {
            depot->place[i].used = ++depot->calls;
            return &depot->place[i];
        }
    }
    return NULL;
}

static struct place *open_place(struct pw_folder_depot *depot, const char *name, int flags,
                                bool part)
{
    struct place *place = &depot->place[0];
    for (size_t i = 1; i < OPEN_MAX_FILES; i++) {
        place = depot->place[i].used < place->used ? &depot->place[i] : place;
    }
    struct path path = path_of(name, part);
    let_go(place);
    int fd = openat(depot->folder, path.text, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return NULL;
    }
    *place = (struct place){.fd = fd, .part = part, .used = ++depot->calls};
    struct pw_out out = PW_OUT(place->name);
    pw_put_s(&out, name);
    return place;
}

static void drop(void *context, const char *name)
{
    struct pw_folder_depot *depot = context;
    struct path part = path_of(name, true); // `name` may be the place's own
    struct path whole = path_of(name, false);
    struct place *place = find(depot, name);
    if (place != NULL) {
        let_go(place);
    }
    (void)unlinkat(depot->folder, part.text, 0);
    (void)unlinkat(depot->folder, whole.text, 0);
}

static int create(void *context, const char *name)
{
    struct pw_folder_depot *depot = context;
    drop(depot, name);
    return open_place(depot, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, true) != NULL
               ? PW_OK
               : PW_ERR_STORE;
}

// Files must not take the room of the database: a charge could not be kept.
static bool has_room(const struct pw_folder_depot *depot, uint64_t bytes)
{
    struct statvfs about;
    return fstatvfs(depot->folder, &about) != 0 ||
           (uint64_t)about.f_bavail * about.f_frsize >= bytes + SPARE;
}

static int append(void *context, const char *name, struct pw_str bytes)
{
    struct pw_folder_depot *depot = context;
    struct place *place = find(depot, name);
    if (place == NULL) {
        place = open_place(depot, name, O_WRONLY | O_APPEND, true);
    }
    if (place == NULL || !place->part) {
        return PW_ERR_STORE;
    }
    if (!has_room(depot, bytes.len)) {
        return PW_ERR_LIMIT;
    }
    for (size_t done = 0; done < bytes.len;) {
        ssize_t len = write(place->fd, bytes.at + done, bytes.len - done);
        if (len < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == EDQUOT ? PW_ERR_LIMIT : PW_ERR_STORE;
        }
        done += len > 0 ? (size_t)len : 0;
    }
    place->written += bytes.len;
    if (place->written >= FLUSH_EVERY) {
        place->written = 0;
        (void)sync_file_range(place->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    return PW_OK;
}

static int keep(void *context, const char *name)
{
    struct pw_folder_depot *depot = context;
    struct place *place = find(depot, name);
    if (place == NULL) {
        place = open_place(depot, name, O_WRONLY | O_APPEND, true);
    }
    if (place == NULL || !place->part) {
        return PW_ERR_STORE;
    }
    bool safe = fsync(place->fd) == 0;
    let_go(place);
    safe = safe && renameat(depot->folder, path_of(name, true).text, depot->folder,
                            path_of(name, false).text) == 0;
    return safe && fsync(depot->folder) == 0 ? PW_OK : PW_ERR_STORE;
}

static int read_part(void *context, const char *name, uint64_t offset, void *to, size_t len)
{
    struct pw_folder_depot *depot = context;
    struct place *place = find(depot, name);
    if (place == NULL) {
        place = open_place(depot, name, O_RDONLY, false);
    }
    if (place == NULL || place->part) {
        return PW_ERR_STORE;
    }
    ssize_t got = pread(place->fd, to, len, (off_t)offset);
    return got >= 0 ? (int)got : PW_ERR_STORE;
}

static void sweep(void *context, bool (*wanted)(void *of, const char *name), void *of)
{
    const struct pw_folder_depot *depot = context;
    int fd = openat(depot->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] != '.' && (!is_name(entry->d_name) || !wanted(of, entry->d_name))) {
            (void)unlinkat(depot->folder, entry->d_name, 0);
        }
    }
    (void)closedir(entries);
}

int pw_folder_depot_open(struct pw_folder_depot **depot, const char *path, struct pw_out *why)
{
    struct pw_folder_depot *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_STORE;
    }
    made->folder = -1;
    if (mkdir(path, 0700) == 0 || errno == EEXIST) {
        made->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (made->folder < 0) {
        pw_put_s(why, strerror(errno));
        free(made);
        return PW_ERR_STORE;
    }
    for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
        made->place[i].fd = -1;
    }
    made->port = (struct pw_depot){.context = made,
                                   .create = create,
                                   .append = append,
                                   .keep = keep,
                                   .read = read_part,
                                   .drop = drop,
                                   .sweep = sweep};
    *depot = made;
    return PW_OK;
}

void pw_folder_depot_close(struct pw_folder_depot *depot)
{
    if (depot == NULL) {
        return;
    }
    for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
        if (depot->place[i].part) {
            drop(depot, depot->place[i].name);
        }
        let_go(&depot->place[i]);
    }
    (void)close(depot->folder);
    free(depot);
}

const struct pw_depot *pw_folder_depot_port(const struct pw_folder_depot *depot)
{
    return &depot->port;
}
