#include "board/sampler.h"

#include "board/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NUMBER_MAX 32

pw_ms pw_sampler_clock(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

// The whole number in a file of sysfs; it is made anew at each reading from the start.
static bool read_number(int fd, int64_t min, int64_t max, int64_t *value)
{
    char text[NUMBER_MAX];
    ssize_t got = pread(fd, text, sizeof(text), 0);
    if (got <= 0) {
        return false;
    }
    struct pw_str number = pw_str_trim((struct pw_str){.at = text, .len = (size_t)got});
    return pw_parse_int(number, min, max, value) == PW_OK;
}

static void sample(struct pw_sampler *sampler, struct pw_sample *next)
{
    next->whole = true;
    for (size_t i = 0; i < PW_SAMPLER_CHANNELS; i++) {
        int64_t count = INT16_MIN;
        bool there = sampler->channel[i] >= 0;
        if (there && !read_number(sampler->channel[i], INT16_MIN + 1, INT16_MAX, &count)) {
            next->whole = false;
        }
        next->count[i] = (int16_t)count;
    }
    next->at = pw_sampler_clock();
}

static void read_probes(struct pw_sampler *sampler, struct pw_sample *next)
{
    for (size_t i = 0; i < PW_BOARD_PROBES; i++) {
        int64_t milli = 0;
        bool good =
            sampler->probe[i] >= 0 && read_number(sampler->probe[i], -100000, 300000, &milli);
        next->temp_dc[i] = good ? (int32_t)(milli / 100) : PW_BOARD_UNKNOWN;
    }
}

static void publish(struct pw_sampler *sampler, const struct pw_sample *next)
{
    const uint64_t one = 1;
    (void)pthread_mutex_lock(&sampler->lock);
    sampler->latest = *next;
    (void)pthread_mutex_unlock(&sampler->lock);
    ssize_t written = write(sampler->wake, &one, sizeof(one));
    (void)written;
}

static void *run(void *context)
{
    struct pw_sampler *sampler = context;
    struct pw_sample next = {.at = PW_NEVER};
    const struct timespec pause = {.tv_nsec = (long)sampler->every_ms * 1000000};
    pw_ms probes_at = 0;
    while (!atomic_load(&sampler->end)) {
        sampler->tick(sampler->context);
        if (pw_sampler_clock() >= probes_at) {
            read_probes(sampler, &next);
            probes_at = pw_after(pw_sampler_clock(), PW_SAMPLER_PROBES_MS);
        }
        sample(sampler, &next);
        publish(sampler, &next);
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static int open_file(const char *path, const char *key, int *fd, struct pw_out *why)
{
    *fd = -1;
    if (path[0] == '\0') {
        return PW_OK;
    }
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0) {
        return PW_OK;
    }
    int error = errno;
    pw_put_s(why, key);
    pw_put_s(why, ": ");
    pw_hardware_say(why, path, error);
    return PW_ERR_UNKNOWN;
}

static int open_files(struct pw_sampler *sampler, const struct pw_board_file *file,
                      struct pw_out *why)
{
    const struct {
        const char *path;
        const char *key;
        int *fd;
    } rows[] = {
        {file->cp_high, "samples.cp_high", &sampler->channel[PW_SAMPLER_CP_HIGH]},
        {file->cp_low, "samples.cp_low", &sampler->channel[PW_SAMPLER_CP_LOW]},
        {file->pp, "samples.pp", &sampler->channel[PW_SAMPLER_PP]},
        {file->probe[0], "samples.probe0", &sampler->probe[0]},
        {file->probe[1], "samples.probe1", &sampler->probe[1]},
    };
    int err = PW_OK;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        *rows[i].fd = -1;
    }
    for (size_t i = 0; i < PW_COUNT(rows) && err == PW_OK; i++) {
        err = open_file(rows[i].path, rows[i].key, rows[i].fd, why);
    }
    return err;
}

int pw_sampler_open(struct pw_sampler *sampler, const struct pw_board_file *file,
                    void (*tick)(void *context), void *context, struct pw_out *why)
{
    memset(sampler, 0, sizeof(*sampler));
    sampler->every_ms = file->every_ms;
    sampler->tick = tick;
    sampler->context = context;
    sampler->latest.at = PW_NEVER;
    sampler->open = true;
    (void)pthread_mutex_init(&sampler->lock, NULL);
    sampler->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int err = open_files(sampler, file, why);
    if (err == PW_OK &&
        (sampler->wake < 0 || pthread_create(&sampler->thread, NULL, run, sampler) != 0)) {
        pw_put_s(why, "the system has no thread left");
        err = PW_ERR_LIMIT;
    }
    sampler->running = err == PW_OK;
    if (err != PW_OK) {
        pw_sampler_close(sampler);
    }
    return err;
}

void pw_sampler_close(struct pw_sampler *sampler)
{
    if (!sampler->open) {
        return;
    }
    sampler->open = false;
    if (sampler->running) {
        atomic_store(&sampler->end, true);
        (void)pthread_join(sampler->thread, NULL);
    }
    sampler->running = false;
    for (size_t i = 0; i < PW_SAMPLER_CHANNELS; i++) {
        if (sampler->channel[i] >= 0) {
            (void)close(sampler->channel[i]);
        }
    }
    for (size_t i = 0; i < PW_BOARD_PROBES; i++) {
        if (sampler->probe[i] >= 0) {
            (void)close(sampler->probe[i]);
        }
    }
    if (sampler->wake >= 0) {
        (void)close(sampler->wake);
    }
    (void)pthread_mutex_destroy(&sampler->lock);
}

struct pw_sample pw_sampler_take(struct pw_sampler *sampler)
{
    uint64_t count = 0;
    ssize_t got = read(sampler->wake, &count, sizeof(count));
    (void)got;
    (void)pthread_mutex_lock(&sampler->lock);
    struct pw_sample latest = sampler->latest;
    (void)pthread_mutex_unlock(&sampler->lock);
    return latest;
}
