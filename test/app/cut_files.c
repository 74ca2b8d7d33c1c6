// cut files: loaded before everything else (LD_PRELOAD), ends its program at the n-th operation
// that changes what a folder or a file has, as kill -9 does: before it is done.
//     PW_CUT_AT=n     the operation; 0: none
//     PW_CUT_COUNT=f  file that gets the number of operations, when the program ends by itself
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long count;
static long cut_at;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("PW_CUT_AT");
    cut_at = at == NULL ? 0 : strtol(at, NULL, 10);
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

static void *next(const char *name)
{
    (void)pthread_mutex_lock(&lock);
    if (++count == cut_at) {
        _exit(137);
    }
    (void)pthread_mutex_unlock(&lock);
    return dlsym(RTLD_NEXT, name);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = NULL;
    *(void **)&real = next("rename");
    return real(from, to);
}

int unlink(const char *path)
{
    int (*real)(const char *) = NULL;
    *(void **)&real = next("unlink");
    return real(path);
}

int fsync(int fd)
{
    int (*real)(int) = NULL;
    *(void **)&real = next("fsync");
    return real(fd);
}

int fdatasync(int fd)
{
    int (*real)(int) = NULL;
    *(void **)&real = next("fdatasync");
    return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t) = NULL;
    *(void **)&real = next("pwrite64");
    return real(fd, bytes, len, at);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    ssize_t (*real)(int, const void *, size_t) = NULL;
    *(void **)&real = next("write");
    return real(fd, bytes, len);
}
