// The port: jobs, their threads, what is seen of them.
#include "carrier.h"

#include "parts.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TELL_MS = 250 }; // between two signs of progress

struct pw_carrier {
    struct pw_transfer port;
    struct pw_loop *loop;
    char folder[PW_CARRIER_PATH_SIZE - 32];
    char path[PW_CARRIER_PATH_SIZE];
    char tag_path[PW_CARRIER_PATH_SIZE];
    char roots_folder[PW_CARRIER_PATH_SIZE];
    char ca_file[PW_CARRIER_PATH_SIZE];
    bool exclusive;
    const struct pw_proxy *proxy; // NULL: none
    struct pw_carrier_job *job[PW_TRANSFER_LANES];
};

// A file that is moved must not take the room of the journal: a charge could not be ended in
// writing.
bool pw_carrier_has_room(const struct pw_carrier_job *job, uint64_t bytes)
{
    // A log goes up also where little is left: it may say why.
    enum { SPARE_DOWN = 16 << 20, SPARE_UP = 2 << 20 };
    uint64_t spare = job->lane == PW_TRANSFER_UP ? SPARE_UP : SPARE_DOWN;
    struct statvfs about;
    return fstatvfs(job->fd, &about) != 0 ||
           (uint64_t)about.f_bavail * about.f_frsize >= bytes + spare;
}

// ---------------------------------------------------------------------------------------------
// Jobs.

static void release(struct pw_carrier_job *job)
{
    (void)pthread_mutex_lock(&job->lock);
    unsigned left = --job->holders;
    (void)pthread_mutex_unlock(&job->lock);
    if (left == 0) {
        if (job->fd >= 0) {
            (void)close(job->fd);
        }
        (void)pthread_mutex_destroy(&job->lock);
        free(job->roots);
        explicit_bzero(&job->proxy, sizeof(job->proxy));
        free(job);
    }
}

static void wake(struct pw_carrier_job *job)
{
    if (job->loop != NULL) {
        pw_loop_wake(job->loop);
    }
}

bool pw_carrier_goes_on(struct pw_carrier_job *job, uint64_t bytes, uint64_t total)
{
    struct timespec clock;
    (void)clock_gettime(CLOCK_MONOTONIC, &clock);
    pw_ms now = (pw_ms)clock.tv_sec * 1000 + (pw_ms)clock.tv_nsec / 1000000;
    if (now - job->told_at >= TELL_MS) {
        job->told_at = now;
        (void)pthread_mutex_lock(&job->lock);
        job->state.bytes = bytes;
        job->state.total = total;
        wake(job);
        (void)pthread_mutex_unlock(&job->lock);
    }
    return !atomic_load(&job->cancel);
}

static void *run(void *argument)
{
    struct pw_carrier_job *job = argument;
    pw_carrier_run(job);
    (void)pthread_mutex_lock(&job->lock);
    wake(job);
    (void)pthread_mutex_unlock(&job->lock);
    release(job);
    return NULL;
}

// Detached, and deaf to signals: those are the loop's.
static bool start_thread(struct pw_carrier_job *job)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    job->holders++;
    int rc = pthread_create(&thread, &attributes, run, job);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (rc != 0) {
        job->holders--;
    }
    return rc == 0;
}

static void end_here(struct pw_carrier_job *job, enum pw_transfer_end end, const char *why)
{
    struct pw_out out = PW_OUT(job->state.why);
    (void)pthread_mutex_lock(&job->lock);
    job->state.end = end;
    pw_put_s(&out, why);
    (void)pthread_mutex_unlock(&job->lock);
}

// ---------------------------------------------------------------------------------------------
// The port's functions.

static void end(void *context, enum pw_transfer_lane lane)
{
    struct pw_carrier *carrier = context;
    struct pw_carrier_job *job = carrier->job[lane];
    if (job == NULL) {
        return;
    }
    carrier->job[lane] = NULL;
    atomic_store(&job->cancel, true);
    (void)pthread_mutex_lock(&job->lock);
    job->loop = NULL;
    (void)pthread_mutex_unlock(&job->lock);
    release(job);
}

static void forget(void *context)
{
    const struct pw_carrier *carrier = context;
    (void)unlink(carrier->path);
    (void)unlink(carrier->tag_path);
}

// A file without a name, which is gone with its descriptor.
static int open_nameless(const struct pw_carrier *carrier)
{
    int fd = open(carrier->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        char path[PW_CARRIER_PATH_SIZE];
        (void)snprintf(path, sizeof(path), "%s/upload.XXXXXX", carrier->folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            (void)unlink(path);
        }
    }
    return fd;
}

// A new download is a new file: a thread that was given up may still write to the old one.
static int open_part(const struct pw_carrier *carrier, bool resume)
{
    if (!resume) {
        (void)unlink(carrier->path);
        (void)unlink(carrier->tag_path);
    }
    return open(carrier->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static struct pw_carrier_job *new_job(const struct pw_carrier *carrier, enum pw_transfer_lane lane,
                                      const struct pw_transfer_job *wanted)
{
    const struct pw_carrier_roots roots = {.folder = carrier->roots_folder,
                                           .ca_file = carrier->ca_file,
                                           .exclusive = carrier->exclusive};
    struct pw_carrier_job *job = calloc(1, sizeof(*job));
    if (job == NULL || !pw_carrier_collect_roots(job, &roots)) {
        free(job);
        return NULL;
    }
    (void)pthread_mutex_init(&job->lock, NULL);
    struct pw_out url = PW_OUT(job->url);
    job->loop = carrier->loop;
    job->holders = 1;
    job->lane = lane;
    job->state.end = PW_TRANSFER_RUNNING;
    if (carrier->proxy != NULL) {
        job->proxy = *carrier->proxy;
    }
    job->most_bytes = wanted->most_bytes;
    job->most_s = wanted->most_s;
    job->patience_s = wanted->patience_s;
    job->first_bytes = lane == PW_TRANSFER_DOWN ? wanted->first_bytes : 0;
    job->handed_in = lane == PW_TRANSFER_DOWN && wanted->url.len == 0 ? wanted->total : 0;
    memcpy(job->path, carrier->path, sizeof(job->path));
    memcpy(job->tag_path, carrier->tag_path, sizeof(job->tag_path));
    if (lane == PW_TRANSFER_UP) {
        pw_transfer_put_target(&url, wanted->url, wanted->name);
    } else {
        pw_put(&url, wanted->url);
    }
    PW_ASSERT(!url.full);
    job->fd = lane == PW_TRANSFER_UP ? open_nameless(carrier) : open_part(carrier, wanted->resume);
    return job;
}

// ---------------------------------------------------------------------------------------------
// A download that is handed in: written here, hashed by the thread once it is whole.

static void hash_when_whole(struct pw_carrier_job *job)
{
    if (job->taken == job->handed_in && !start_thread(job)) {
        end_here(job, PW_TRANSFER_FULL, "no thread is to be had");
    }
}

// What is there from before; more than the whole is another file's.
static void find_part(struct pw_carrier_job *job)
{
    struct stat there;
    job->state.total = job->handed_in;
    job->taken = fstat(job->fd, &there) == 0 ? (uint64_t)there.st_size : 0;
    if (job->taken > job->handed_in) {
        job->taken = 0;
        (void)!ftruncate(job->fd, 0);
    }
    job->state.bytes = job->taken;
    hash_when_whole(job);
}

static int deliver(void *context, uint64_t offset, struct pw_str bytes)
{
    const struct pw_carrier *carrier = context;
    struct pw_carrier_job *job = carrier->job[PW_TRANSFER_DOWN];
    if (job == NULL || job->handed_in == 0) {
        return PW_ERR_BUSY;
    }
    uint64_t have = job->taken;
    bool over = have == job->handed_in; // its thread has it now
    if (!over && job->state.end != PW_TRANSFER_RUNNING) {
        return PW_ERR_BUSY;
    }
    if (offset > have || bytes.len > job->handed_in - offset) {
        return PW_ERR_RANGE;
    }
    uint64_t known = have - offset;
    if (bytes.len <= known) {
        return PW_OK;
    }
    for (size_t done = (size_t)known; done < bytes.len;) {
        ssize_t written =
            pw_carrier_has_room(job, bytes.len - done)
                ? pwrite(job->fd, bytes.at + done, bytes.len - done, (off_t)(offset + done))
                : -1;
        if (written <= 0) {
            end_here(job, PW_TRANSFER_FULL, "no room is left for it");
            return PW_ERR_STORE;
        }
        done += (size_t)written;
    }
    job->taken = offset + bytes.len;
    job->state.bytes = job->taken; // no thread runs yet
    hash_when_whole(job);
    return PW_OK;
}

static int begin(void *context, enum pw_transfer_lane lane, const struct pw_transfer_job *wanted,
                 struct pw_out *why)
{
    struct pw_carrier *carrier = context;
    bool handed_in = lane == PW_TRANSFER_DOWN && wanted->url.len == 0;
    end(context, lane);
    if (handed_in
            ? wanted->total == 0 || wanted->total > wanted->most_bytes
            : pw_transfer_scheme(wanted->url) == NULL || wanted->url.len > PW_TRANSFER_URL_MAX ||
                  wanted->name.len > PW_TRANSFER_NAME_MAX) {
        pw_put_s(why, "the location must be a URL of http, https, ftp or ftps");
        return PW_ERR_RANGE;
    }
    struct pw_carrier_job *job = new_job(carrier, lane, wanted);
    if (job == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    if (job->fd < 0) {
        pw_put_s(why, "no file can be made: ");
        pw_put_s(why, strerror(errno));
        release(job);
        return PW_ERR_LIMIT;
    }
    if (lane == PW_TRANSFER_DOWN && !handed_in && !start_thread(job)) {
        pw_put_s(why, "no thread is to be had");
        release(job);
        return PW_ERR_LIMIT;
    }
    carrier->job[lane] = job;
    if (handed_in) {
        find_part(job);
    }
    return PW_OK;
}

static size_t give(void *context, struct pw_str bytes)
{
    const struct pw_carrier *carrier = context;
    struct pw_carrier_job *job = carrier->job[PW_TRANSFER_UP];
    if (job == NULL || job->state.end != PW_TRANSFER_RUNNING) {
        return 0;
    }
    if (job->size + bytes.len > job->most_bytes) {
        end_here(job, PW_TRANSFER_LARGE, "the text is longer than an upload may be");
        return 0;
    }
    bool room = pw_carrier_has_room(job, bytes.len);
    ssize_t written = room ? pwrite(job->fd, bytes.at, bytes.len, (off_t)job->size) : -1;
    if (written < 0) {
        end_here(job, PW_TRANSFER_FULL, room ? strerror(errno) : "no room is left for it");
        return 0;
    }
    job->size += (uint64_t)written;
    return (size_t)written;
}

static void given(void *context)
{
    const struct pw_carrier *carrier = context;
    struct pw_carrier_job *job = carrier->job[PW_TRANSFER_UP];
    if (job != NULL && job->state.end == PW_TRANSFER_RUNNING && !start_thread(job)) {
        end_here(job, PW_TRANSFER_FULL, "no thread is to be had");
    }
}

static void look(void *context, enum pw_transfer_lane lane, struct pw_transfer_state *state)
{
    const struct pw_carrier *carrier = context;
    struct pw_carrier_job *job = carrier->job[lane];
    if (job == NULL) {
        memset(state, 0, sizeof(*state));
        return;
    }
    (void)pthread_mutex_lock(&job->lock);
    *state = job->state;
    (void)pthread_mutex_unlock(&job->lock);
}

// ---------------------------------------------------------------------------------------------

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct pw_carrier *pw_carrier_new(struct pw_loop *loop, const char *folder,
                                  const struct pw_carrier_roots *roots,
                                  const struct pw_proxy *proxy, struct pw_out *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_curl);
    struct pw_carrier *carrier = calloc(1, sizeof(*carrier));
    if (carrier == NULL) {
        pw_put_s(why, "out of memory");
        return NULL;
    }
    if (pw_str_copy(carrier->folder, sizeof(carrier->folder), pw_str_of(folder)) != PW_OK ||
        pw_str_copy(carrier->roots_folder, sizeof(carrier->roots_folder),
                    pw_str_of(roots->folder)) != PW_OK ||
        pw_str_copy(carrier->ca_file, sizeof(carrier->ca_file), pw_str_of(roots->ca_file)) !=
            PW_OK) {
        pw_put_s(why, "the path for downloads is too long");
        free(carrier);
        return NULL;
    }
    (void)snprintf(carrier->path, sizeof(carrier->path), "%s/download", carrier->folder);
    (void)snprintf(carrier->tag_path, sizeof(carrier->tag_path), "%s/download.tag",
                   carrier->folder);
    carrier->loop = loop;
    carrier->exclusive = roots->exclusive;
    carrier->proxy = proxy;
    carrier->port = (struct pw_transfer){.context = carrier,
                                         .begin = begin,
                                         .give = give,
                                         .given = given,
                                         .state = look,
                                         .deliver = deliver,
                                         .end = end,
                                         .forget = forget};
    return carrier;
}

void pw_carrier_free(struct pw_carrier *carrier)
{
    if (carrier != NULL) {
        end(carrier, PW_TRANSFER_UP);
        end(carrier, PW_TRANSFER_DOWN);
        free(carrier);
    }
}

const struct pw_transfer *pw_carrier_port(const struct pw_carrier *carrier)
{
    return &carrier->port;
}

const char *pw_carrier_file(const struct pw_carrier *carrier)
{
    return carrier->path;
}
