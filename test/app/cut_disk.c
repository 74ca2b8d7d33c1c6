// cut disk: loaded before everything else (LD_PRELOAD), ends its program at the n-th operation on
// a file of its database, as kill -9 or as a power cut would. After a power cut nothing is left of
// what was written and not synchronised: it is written back as it was before.
//     PW_CUT_AT=n     the operation; 0: none
//     PW_CUT_HOW=kill | power
//     PW_CUT_COUNT=f  file that gets the number of operations, when the program ends by itself
// Every other write is torn: its first half is done.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOST_MAX = 4096 };

// A write that no synchronising followed yet.
struct lost {
    int fd;
    off_t at;
    ssize_t len; // of what was there
    off_t size;  // of the file
    char *was;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lost lost[LOST_MAX];
static unsigned lost_count;
static long count;
static long cut_at = -1;
static bool power;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off_t);

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("PW_CUT_AT");
    const char *how = getenv("PW_CUT_HOW");
    cut_at = at == NULL ? 0 : strtol(at, NULL, 10);
    power = how != NULL && strcmp(how, "power") == 0;
    *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
}

__attribute__((destructor)) static void end(void)
{
    const char *name = getenv("PW_CUT_COUNT");
    FILE *file = name == NULL ? NULL : fopen(name, "w");
    if (file != NULL) {
        (void)fprintf(file, "%ld\n", count);
        (void)fclose(file);
    }
}

// The database and its log; not what SQLite keeps in shared memory.
static bool counts(int fd)
{
    char link[64];
    char path[512];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len <= 0) {
        return false;
    }
    path[len] = '\0';
    const char *dot = strstr(path, ".db");
    return dot != NULL && strstr(dot, "-shm") == NULL;
}

static bool same_file(int a, int b)
{
    struct stat one;
    struct stat other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino;
}

static void keep(int fd, size_t len, off_t at)
{
    struct stat about;
    if (!power || lost_count == LOST_MAX || fstat(fd, &about) != 0) {
        return;
    }
    struct lost *it = &lost[lost_count++];
    *it = (struct lost){.fd = fd, .at = at, .size = about.st_size, .was = malloc(len + 1)};
    it->len = it->was == NULL ? 0 : pread(fd, it->was, len, at);
}

static void forget(int fd)
{
    unsigned left = 0;
    for (unsigned i = 0; i < lost_count; i++) {
        if (same_file(lost[i].fd, fd)) {
            free(lost[i].was);
        } else {
            lost[left++] = lost[i];
        }
    }
    lost_count = left;
}

static _Noreturn void cut(void)
{
    for (unsigned i = lost_count; power && i > 0; i--) {
        const struct lost *it = &lost[i - 1];
        if (it->len > 0) {
            (void)!real_pwrite(it->fd, it->was, (size_t)it->len, it->at);
        }
        (void)!real_ftruncate(it->fd, it->size);
    }
    _exit(137);
}

static bool is_due(int fd)
{
    return counts(fd) && ++count == cut_at;
}

static ssize_t do_write(int fd, const void *bytes, size_t len, off_t at)
{
    (void)pthread_mutex_lock(&lock);
    bool due = is_due(fd);
    if (counts(fd)) {
        keep(fd, len, at);
    }
    if (due) {
        if (cut_at % 2 == 0) {
            (void)!real_pwrite(fd, bytes, len / 2, at);
        }
        cut();
    }
    ssize_t done = real_pwrite(fd, bytes, len, at);
    (void)pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return do_write(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return do_write(fd, bytes, len, at);
}

static int do_sync(int fd, int (*real)(int))
{
    (void)pthread_mutex_lock(&lock);
    if (is_due(fd)) {
        cut();
    }
    int err = real(fd);
    if (err == 0) {
        forget(fd);
    }
    (void)pthread_mutex_unlock(&lock);
    return err;
}

int fsync(int fd)
{
    return do_sync(fd, real_fsync);
}

int fdatasync(int fd)
{
    return do_sync(fd, real_fdatasync);
}
