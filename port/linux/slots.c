#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SIZE = 512,
    BLOCK = 65536,
    HEAD =
        20, // bytes of a program that say for which machine it is (ELF: e_ident, e_type, e_machine)
};

struct pw_slots {
    struct pw_install port;
    struct pw_loop *loop;
    char folder[PATH_SIZE - 64];
    char download[PATH_SIZE];
    uint8_t wanted[PW_SHA256_LEN];
    char running; // never changes
    pthread_t thread;
    bool threaded; // it is to be joined
    bool activates;
    atomic_bool cancel;
    pthread_mutex_t lock; // around the state
    struct pw_install_state state;
};

// ---------------------------------------------------------------------------------------------
// Paths.

static void path_of(const struct pw_slots *slots, char slot, const char *file, char *to)
{
    (void)snprintf(to, PATH_SIZE, "%s/%c%s%s", slots->folder, slot, file[0] == '\0' ? "" : "/",
                   file);
}

// The slot whose folder is the one this path lies in; 0: neither.
static char slot_of(const struct pw_slots *slots, const char *path)
{
    for (unsigned i = 0; i < 2; i++) {
        const char slot = "ab"[i];
        char folder[PATH_SIZE];
        char real[4096]; // PATH_MAX, as realpath wants it
        path_of(slots, slot, "", folder);
        if (realpath(folder, real) == NULL) {
            continue;
        }
        size_t len = strlen(real);
        if (strncmp(path, real, len) == 0 && (path[len] == '/' || path[len] == '\0')) {
            return slot;
        }
    }
    return 0;
}

static char running_of(const struct pw_slots *slots)
{
    char self[4096];
    return realpath("/proc/self/exe", self) == NULL ? 0 : slot_of(slots, self);
}

static char current_of(const struct pw_slots *slots)
{
    char link[PATH_SIZE];
    char real[4096];
    (void)snprintf(link, sizeof(link), "%s/current", slots->folder);
    return realpath(link, real) == NULL ? 0 : slot_of(slots, real);
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

// ---------------------------------------------------------------------------------------------
// The thread. Each step says what went wrong, or nothing.

static void tell(struct pw_slots *slots, uint64_t bytes)
{
    (void)pthread_mutex_lock(&slots->lock);
    slots->state.bytes = bytes;
    (void)pthread_mutex_unlock(&slots->lock);
}

// Copies `from` to `to` (-1: only hashes) and compares with the hash that is wanted.
static const char *copy(struct pw_slots *slots, int from, int to, bool *altered)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t *block = malloc(BLOCK);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    const char *wrong = NULL;
    uint64_t total = 0;
    if (block == NULL || hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        wrong = "out of memory";
    }
    for (ssize_t got = 1; wrong == NULL && got > 0; total += (uint64_t)got) {
        got = read(from, block, BLOCK);
        if (atomic_load(&slots->cancel)) {
            wrong = "given up";
        } else if (got < 0) {
            wrong = "it cannot be read";
        } else if (got > 0 && EVP_DigestUpdate(hash, block, (size_t)got) != 1) {
            wrong = "it cannot be hashed";
        } else if (got > 0 && to >= 0 && write(to, block, (size_t)got) != got) {
            wrong = errno == ENOSPC ? "no room is left for it" : "it cannot be written";
        }
        tell(slots, total);
    }
    if (wrong == NULL && (EVP_DigestFinal_ex(hash, digest, NULL) != 1 ||
                          memcmp(digest, slots->wanted, PW_SHA256_LEN) != 0)) {
        *altered = true;
        wrong = "it is not what was downloaded: its hash differs";
    }
    EVP_MD_CTX_free(hash);
    free(block);
    return wrong;
}

// A program for this machine begins as this one does. Nothing else is ever started from a slot.
static const char *look_at_head(int fd)
{
    uint8_t own[HEAD] = {0};
    uint8_t other[HEAD] = {0};
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool read_own = self >= 0 && pread(self, own, HEAD, 0) == HEAD;
    if (self >= 0) {
        (void)close(self);
    }
    if (pread(fd, other, HEAD, 0) != HEAD || memcmp(other, "\177ELF", 4) != 0) {
        return "it is no program";
    }
    bool same = memcmp(own + 4, other + 4, 2) == 0 && memcmp(own + 18, other + 18, 2) == 0;
    return read_own && !same ? "it is a program for another machine" : NULL;
}

static const char *hash_slot(struct pw_slots *slots, const char *path, bool *altered)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return "what was written is gone";
    }
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); // from the disk, not from memory
    const char *wrong = copy(slots, fd, -1, altered);
    (void)close(fd);
    return wrong;
}

static const char *write_slot(struct pw_slots *slots, bool *altered)
{
    char folder[PATH_SIZE];
    char path[PATH_SIZE];
    path_of(slots, slots->state.slot, "", folder);
    path_of(slots, slots->state.slot, PW_SLOTS_PROGRAM, path);
    int from = open(slots->download, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0) {
        return "the download is gone";
    }
    const char *wrong = look_at_head(from);
    if (wrong == NULL && mkdir(folder, 0755) != 0 && errno != EEXIST) {
        wrong = "the slot's folder cannot be made";
    }
    (void)unlink(path);
    int to =
        wrong != NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0755);
    if (wrong == NULL && to < 0) {
        wrong = "the slot cannot be written";
    }
    if (wrong == NULL) {
        wrong = copy(slots, from, to, altered);
    }
    if (wrong == NULL && (fsync(to) != 0 || !sync_folder(folder))) {
        wrong = "it cannot be made safe on the disk";
    }
    if (to >= 0) {
        (void)close(to);
    }
    (void)close(from);
    if (wrong == NULL) {
        wrong = hash_slot(slots, path, altered);
    }
    if (wrong != NULL) {
        (void)unlink(path);
    }
    return wrong;
}

static const char *switch_slot(struct pw_slots *slots, bool *altered)
{
    char path[PATH_SIZE];
    char fresh[PATH_SIZE];
    char link[PATH_SIZE];
    const char slot[2] = {slots->state.slot, '\0'};
    path_of(slots, slots->state.slot, PW_SLOTS_PROGRAM, path);
    (void)snprintf(fresh, sizeof(fresh), "%s/current.new", slots->folder);
    (void)snprintf(link, sizeof(link), "%s/current", slots->folder);
    const char *wrong = hash_slot(slots, path, altered);
    if (wrong != NULL) {
        return wrong;
    }
    (void)unlink(fresh);
    if (symlink(slot, fresh) != 0 || rename(fresh, link) != 0 || !sync_folder(slots->folder)) {
        return "the link current cannot be changed";
    }
    return NULL;
}

static void *run(void *argument)
{
    struct pw_slots *slots = argument;
    bool altered = false;
    const char *wrong =
        slots->activates ? switch_slot(slots, &altered) : write_slot(slots, &altered);
    (void)pthread_mutex_lock(&slots->lock);
    struct pw_out why = PW_OUT(slots->state.why);
    pw_put_s(&why, wrong == NULL ? "" : wrong);
    slots->state.altered = altered;
    slots->state.phase = wrong != NULL      ? PW_INSTALL_FAILED
                         : slots->activates ? PW_INSTALL_SWITCHED
                                            : PW_INSTALL_READY;
    (void)pthread_mutex_unlock(&slots->lock);
    pw_loop_wake(slots->loop);
    return NULL;
}

static void join(struct pw_slots *slots)
{
    if (slots->threaded) {
        (void)pthread_join(slots->thread, NULL);
        slots->threaded = false;
    }
}

static bool start_thread(struct pw_slots *slots, enum pw_install_phase phase, bool activates)
{
    sigset_t all;
    sigset_t before;
    join(slots);
    slots->state.phase = phase;
    slots->activates = activates;
    atomic_store(&slots->cancel, false);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    slots->threaded = pthread_create(&slots->thread, NULL, run, slots) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!slots->threaded) {
        struct pw_out why = PW_OUT(slots->state.why);
        pw_put_s(&why, "no thread is to be had");
        slots->state.phase = PW_INSTALL_FAILED;
    }
    return slots->threaded;
}

// ---------------------------------------------------------------------------------------------
// The port's functions.

static void look(void *context, struct pw_install_state *state)
{
    struct pw_slots *slots = context;
    (void)pthread_mutex_lock(&slots->lock);
    *state = slots->state;
    (void)pthread_mutex_unlock(&slots->lock);
    state->running = slots->running;
    state->current = slots->folder[0] == '\0' ? 0 : current_of(slots);
    state->able = slots->folder[0] != '\0' && access(slots->folder, W_OK | X_OK) == 0;
    if (!state->able) {
        struct pw_out why = PW_OUT(state->why);
        pw_put_s(&why, slots->folder[0] == '\0'
                           ? "this station has no place to install a program (update.folder)"
                           : "update.folder is not there, or cannot be written");
    }
}

static int begin(void *context, const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why)
{
    struct pw_slots *slots = context;
    struct pw_install_state state;
    look(slots, &state);
    if (!state.able) {
        pw_put_s(why, state.why);
        return PW_ERR_UNKNOWN;
    }
    if (state.phase == PW_INSTALL_WRITING || state.phase == PW_INSTALL_SWITCHING) {
        pw_put_s(why, "a program is being installed");
        return PW_ERR_BUSY;
    }
    char kept = state.running != 0 ? state.running : state.current;
    if (state.running != 0 && state.current != 0 && state.running != state.current) {
        pw_put_s(why, "one slot runs and the other one is started next: restart first");
        return PW_ERR_UNKNOWN;
    }
    memcpy(slots->wanted, sha256, PW_SHA256_LEN);
    slots->state.slot = kept == 'a' ? 'b' : 'a';
    slots->state.bytes = 0;
    slots->state.altered = false;
    slots->state.why[0] = '\0';
    return start_thread(slots, PW_INSTALL_WRITING, false) ? PW_OK : PW_ERR_UNKNOWN;
}

static void activate(void *context)
{
    struct pw_slots *slots = context;
    PW_ASSERT(slots->state.phase == PW_INSTALL_READY);
    (void)start_thread(slots, PW_INSTALL_SWITCHING, true);
}

static void end(void *context)
{
    struct pw_slots *slots = context;
    atomic_store(&slots->cancel, true);
    join(slots);
    slots->state.phase = PW_INSTALL_IDLE;
}

// ---------------------------------------------------------------------------------------------

struct pw_slots *pw_slots_new(struct pw_loop *loop, const char *folder, const char *download,
                              struct pw_out *why)
{
    struct pw_slots *slots = calloc(1, sizeof(*slots));
    if (slots == NULL) {
        pw_put_s(why, "out of memory");
        return NULL;
    }
    if (pw_str_copy(slots->folder, sizeof(slots->folder), pw_str_of(folder)) != PW_OK ||
        pw_str_copy(slots->download, sizeof(slots->download), pw_str_of(download)) != PW_OK) {
        pw_put_s(why, "update.folder is too long");
        free(slots);
        return NULL;
    }
    (void)pthread_mutex_init(&slots->lock, NULL);
    slots->loop = loop;
    slots->running = folder[0] == '\0' ? 0 : running_of(slots);
    slots->port = (struct pw_install){
        .context = slots, .begin = begin, .activate = activate, .state = look, .end = end};
    return slots;
}

void pw_slots_free(struct pw_slots *slots)
{
    if (slots != NULL) {
        end(slots);
        (void)pthread_mutex_destroy(&slots->lock);
        free(slots);
    }
}

const struct pw_install *pw_slots_port(const struct pw_slots *slots)
{
    return &slots->port;
}
