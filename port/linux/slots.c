#include "slots.h"

#include "slotdisk/slotdisk.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    PATH_SIZE = 512,
    PIECE = 65536,
    SPARE = 16 << 20, // bytes that an update leaves to the journal
};

struct pw_slots {
    struct pw_install port;
    struct pw_loop *loop;
    char download[PATH_SIZE];
    char folder[PATH_SIZE];
    char unable[PW_SLOTS_WHY_MAX];   // why there are no slots; "": there are
    char rootless[PW_SLOTS_WHY_MAX]; // why there is no root; "": there is one
    char running;                    // never changes
    struct pw_slot_disk disk;
    struct pw_slots_trust trust;
    char shipped[PW_RELEASE_ROOT_MAX]; // the maker's root, signed
    size_t shipped_len;
    struct pw_slots_job job;
    struct pw_boot_record record; // as last read or written; of the loop, or of the thread
    pthread_t thread;
    bool threaded; // it is to be joined
    bool activates;
    bool marks; // the thread tells the system's service how it is
    bool good;
    atomic_int marked; // result of that; PW_ERR_AGAIN: not yet
    bool imaged;       // there is a system's service
    struct pw_slots_system system;
    atomic_bool cancel;
    pthread_mutex_t lock; // around the state
    struct pw_install_state state;
    uint8_t piece[PIECE];
};

// The slot that this program was started from.
static char running_of(const struct pw_slots *slots)
{
    char self[4096];
    char real[4096]; // PATH_MAX, as realpath wants it
    if (realpath("/proc/self/exe", self) == NULL || realpath(slots->folder, real) == NULL) {
        return 0;
    }
    size_t len = strlen(real);
    bool inside = strncmp(self, real, len) == 0 && self[len] == '/' && self[len + 2] == '/';
    return inside && (self[len + 1] == 'a' || self[len + 1] == 'b') ? self[len + 1] : 0;
}

// ---------------------------------------------------------------------------------------------
// The record. Another process may have changed it: it is read anew, and nobody else writes, from
// `take` to `let_go`.

// Where a boot loader chooses, what runs is what is confirmed, unless it is on trial.
static void load(struct pw_slots *slots)
{
    (void)pw_boot_load(&slots->disk.port, &slots->record);
    if (slots->imaged && slots->record.trial == 0) {
        slots->record.confirmed = slots->running;
    }
}

static bool take(struct pw_slots *slots)
{
    if (!pw_slot_disk_lock(&slots->disk)) {
        return false;
    }
    load(slots);
    return true;
}

static int keep(struct pw_slots *slots)
{
    int err = pw_boot_keep(&slots->disk.port, &slots->record);
    pw_slot_disk_unlock(&slots->disk);
    return err == PW_OK ? PW_OK : PW_ERR_STORE;
}

// What people and the machine above see of the record. Under the lock.
static void show(struct pw_slots *slots)
{
    const struct pw_boot_record *record = &slots->record;
    struct pw_install_state *state = &slots->state;
    struct pw_out returned = PW_OUT(state->returned);
    struct pw_out why = PW_OUT(state->returned_why);
    pw_put_s(&returned, record->returned);
    pw_put_s(&why, record->returned_why);
    state->running = slots->running;
    state->trial = slots->running != 0 && record->trial == slots->running;
    state->tries = state->trial ? record->tries : 0;
    state->counter = record->counter;
    state->current = record->trial != 0 ? record->trial : record->confirmed;
}

static void show_safely(struct pw_slots *slots)
{
    (void)pthread_mutex_lock(&slots->lock);
    show(slots);
    (void)pthread_mutex_unlock(&slots->lock);
}

// ---------------------------------------------------------------------------------------------
// The thread. Each part says what went wrong, or nothing.

static const char *run_job(struct pw_slots *slots)
{
    int err = PW_ERR_AGAIN;
    while (err == PW_ERR_AGAIN) {
        if (atomic_load(&slots->cancel)) {
            slots->disk.port.close(slots->disk.port.context);
            return "given up";
        }
        err = pw_slots_step(&slots->job);
        (void)pthread_mutex_lock(&slots->lock);
        slots->state.bytes = slots->job.bytes;
        (void)pthread_mutex_unlock(&slots->lock);
    }
    return err == PW_OK ? NULL : slots->job.why;
}

static const char *note_empty(struct pw_slots *slots)
{
    if (!take(slots)) {
        return "the boot record cannot be read";
    }
    pw_boot_empty(&slots->record, slots->job.slot);
    return keep(slots) == PW_OK ? NULL : "the boot record cannot be written";
}

static const char *look_for_room(const struct pw_slots *slots)
{
    struct statvfs about;
    uint64_t wanted = slots->state.total + SPARE;
    if (fstatvfs(slots->disk.folder, &about) != 0) {
        return "the room on the disk is not known";
    }
    return (uint64_t)about.f_bavail * about.f_frsize < wanted ? "no room is left for it" : NULL;
}

static const char *write_slot(struct pw_slots *slots)
{
    const struct pw_slots_disk *disk = &slots->disk.port;
    const char *wrong = note_empty(slots);
    if (wrong != NULL) {
        return wrong;
    }
    (void)disk->clear(disk->context, slots->job.slot);
    wrong = look_for_room(slots);
    slots->disk.source = open(slots->download, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (wrong == NULL && slots->disk.source < 0) {
        wrong = "the download is gone";
    }
    if (wrong == NULL) {
        pw_slots_write(&slots->job);
        wrong = run_job(slots);
    }
    if (slots->disk.source >= 0) {
        (void)close(slots->disk.source);
        slots->disk.source = -1;
    }
    if (wrong != NULL) {
        (void)disk->clear(disk->context, slots->job.slot); // its room is needed
    }
    return wrong;
}

static void tell_progress(void *context, unsigned percent)
{
    struct pw_slots *slots = context;
    (void)pthread_mutex_lock(&slots->lock);
    slots->state.bytes = slots->state.total / 100 * (percent < 100 ? percent : 100);
    (void)pthread_mutex_unlock(&slots->lock);
}

// The slot was only where the image was laid down: its room is needed.
static const char *install_system(struct pw_slots *slots)
{
    char folder[PATH_SIZE + 2];
    struct pw_out path = PW_OUT(folder);
    struct pw_out why = PW_OUT(slots->job.why);
    const struct pw_slots_progress progress = {.context = slots, .tell = tell_progress};
    const struct pw_slots_disk *disk = &slots->disk.port;
    pw_put_s(&path, slots->folder);
    pw_put_c(&path, '/');
    pw_put_c(&path, slots->job.slot);
    int err = slots->system.install(slots->system.context, folder, &progress, &why);
    (void)disk->clear(disk->context, slots->job.slot);
    return err == PW_OK ? NULL : slots->job.why;
}

static const char *note_trial(struct pw_slots *slots, bool begins)
{
    if (!take(slots)) {
        return "the boot record cannot be read";
    }
    if (slots->record.confirmed == slots->job.slot) {
        pw_slot_disk_unlock(&slots->disk);
        return "the slot has been confirmed meanwhile";
    }
    if (begins) {
        pw_boot_try(&slots->record, slots->job.slot, &slots->job.release);
    } else {
        pw_boot_empty(&slots->record, slots->job.slot);
    }
    return keep(slots) == PW_OK ? NULL : "the boot record cannot be written";
}

static const char *activate_slot(struct pw_slots *slots)
{
    pw_slots_check(&slots->job);
    const char *wrong = run_job(slots);
    if (wrong == NULL) {
        wrong = note_trial(slots, true);
    }
    if (wrong == NULL && slots->imaged) {
        // The record comes first: what the boot loader then starts must be known to be on trial.
        wrong = install_system(slots);
        if (wrong != NULL) {
            (void)note_trial(slots, false);
        }
    }
    return wrong;
}

static void *run(void *argument)
{
    struct pw_slots *slots = argument;
    if (slots->marks) {
        char text[PW_SLOTS_WHY_MAX];
        struct pw_out nobody = PW_OUT(text);
        int err = slots->system.mark(slots->system.context, slots->good, &nobody);
        atomic_store(&slots->marked, err == PW_OK ? PW_OK : PW_ERR_STORE);
        pw_loop_wake(slots->loop);
        return NULL;
    }
    const char *wrong = slots->activates ? activate_slot(slots) : write_slot(slots);
    (void)pthread_mutex_lock(&slots->lock);
    struct pw_out why = PW_OUT(slots->state.why);
    pw_put_s(&why, wrong == NULL ? "" : wrong);
    slots->state.altered = wrong != NULL && slots->job.altered;
    slots->state.phase = wrong != NULL      ? PW_INSTALL_FAILED
                         : slots->activates ? PW_INSTALL_SWITCHED
                                            : PW_INSTALL_READY;
    show(slots);
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

static bool create_thread(struct pw_slots *slots)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    slots->threaded = pthread_create(&slots->thread, NULL, run, slots) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return slots->threaded;
}

static bool start_thread(struct pw_slots *slots, enum pw_install_phase phase, bool activates)
{
    join(slots);
    slots->state.phase = phase;
    slots->activates = activates;
    slots->marks = false;
    atomic_store(&slots->cancel, false);
    if (!create_thread(slots)) {
        struct pw_out why = PW_OUT(slots->state.why);
        pw_put_s(&why, "no thread is to be had");
        slots->state.phase = PW_INSTALL_FAILED;
    }
    return slots->threaded;
}

// ---------------------------------------------------------------------------------------------
// The port's functions.

static bool is_at_it(struct pw_slots *slots)
{
    (void)pthread_mutex_lock(&slots->lock);
    enum pw_install_phase phase = slots->state.phase;
    (void)pthread_mutex_unlock(&slots->lock);
    return phase == PW_INSTALL_WRITING || phase == PW_INSTALL_SWITCHING;
}

static int peek(void *context, uint64_t offset, uint8_t *to, size_t len)
{
    const struct pw_slots *slots = context;
    int fd = open(slots->download, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0 && offset <= INT64_MAX && pread(fd, to, len, (off_t)offset) == (ssize_t)len;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good ? PW_OK : PW_ERR_STORE;
}

static int root(void *context, uint8_t *to, size_t cap)
{
    struct pw_slots *slots = context;
    if (slots->rootless[0] != '\0') {
        return PW_ERR_UNKNOWN;
    }
    struct pw_str newest = pw_slots_trust_signed(&slots->trust);
    if (newest.len == 0) {
        newest = (struct pw_str){.at = slots->shipped, .len = slots->shipped_len};
    }
    if (newest.len > cap) {
        return PW_ERR_LIMIT;
    }
    memcpy(to, newest.at, newest.len);
    return (int)newest.len;
}

static int follow(void *context, struct pw_str head)
{
    struct pw_slots *slots = context;
    if (slots->unable[0] != '\0' || slots->rootless[0] != '\0' || is_at_it(slots)) {
        return PW_ERR_STORE;
    }
    join(slots);
    return pw_slots_trust_follow(&slots->trust, &slots->disk.port, head) == PW_OK ? PW_OK
                                                                                  : PW_ERR_STORE;
}

static void look(void *context, struct pw_install_state *state)
{
    struct pw_slots *slots = context;
    (void)pthread_mutex_lock(&slots->lock);
    *state = slots->state;
    (void)pthread_mutex_unlock(&slots->lock);
    state->able = slots->unable[0] == '\0' && slots->rootless[0] == '\0';
    if (!state->able) {
        struct pw_out why = PW_OUT(state->why);
        pw_put_s(&why, slots->unable[0] != '\0' ? slots->unable : slots->rootless);
    }
}

static bool has_component(const struct pw_release *release, const char *name)
{
    bool found = false;
    for (unsigned i = 0; i < release->components; i++) {
        found = found || strcmp(release->component[i].name, name) == 0;
    }
    return found;
}

static int write_release(void *context, struct pw_str head, const struct pw_release *release,
                         struct pw_out *why)
{
    struct pw_slots *slots = context;
    if (slots->unable[0] != '\0') {
        pw_put_s(why, slots->unable);
        return PW_ERR_UNKNOWN;
    }
    if (is_at_it(slots)) {
        pw_put_s(why, "a release is being installed");
        return PW_ERR_BUSY;
    }
    if (slots->imaged && !has_component(release, slots->system.component)) {
        pw_put_s(why, "the release brings no image of the system: ");
        pw_put_s(why, slots->system.component);
        return PW_ERR_UNKNOWN;
    }
    join(slots);
    PW_ASSERT(head.len <= sizeof(slots->job.head));
    if (!take(slots)) {
        pw_put_s(why, "the boot record cannot be read");
        return PW_ERR_BUSY;
    }
    pw_slot_disk_unlock(&slots->disk);
    int err = pw_boot_target(&slots->record, slots->running, &slots->job.slot, why);
    if (err != PW_OK) {
        return err;
    }
    memcpy(slots->job.head, head.at, head.len);
    slots->job.head_len = head.len;
    slots->job.release = *release;
    slots->state.slot = slots->job.slot;
    slots->state.bytes = 0;
    slots->state.total = pw_slots_total(release, head.len);
    slots->state.altered = false;
    slots->state.why[0] = '\0';
    if (!start_thread(slots, PW_INSTALL_WRITING, false)) {
        pw_put_s(why, slots->state.why);
        return PW_ERR_BUSY;
    }
    return PW_OK;
}

static void activate(void *context)
{
    struct pw_slots *slots = context;
    PW_ASSERT(slots->state.phase == PW_INSTALL_READY);
    (void)start_thread(slots, PW_INSTALL_SWITCHING, true);
}

// Tells the system's service first, on the thread: until then the answer is "later".
static bool is_marked(struct pw_slots *slots, bool good)
{
    if (!slots->imaged) {
        return true;
    }
    int marked = atomic_load(&slots->marked);
    if (slots->marks && slots->threaded && marked == PW_ERR_AGAIN) {
        return false;
    }
    if (slots->marks && slots->good == good && marked == PW_OK) {
        return true;
    }
    join(slots);
    slots->marks = true;
    slots->good = good;
    atomic_store(&slots->marked, PW_ERR_AGAIN);
    slots->marks = create_thread(slots);
    return false;
}

// Takes the record while this program is on trial in it.
static bool take_trial(struct pw_slots *slots, bool good)
{
    if (slots->unable[0] != '\0' || is_at_it(slots) || slots->record.trial != slots->running ||
        !is_marked(slots, good)) {
        return false;
    }
    join(slots);
    if (!take(slots)) {
        return false;
    }
    if (slots->running == 0 || slots->record.trial != slots->running) {
        pw_slot_disk_unlock(&slots->disk);
        return false;
    }
    return true;
}

static int end_trial(struct pw_slots *slots)
{
    int err = keep(slots);
    if (err != PW_OK) {
        load(slots);
    }
    show_safely(slots);
    return err;
}

static int confirm(void *context)
{
    struct pw_slots *slots = context;
    struct pw_release_root newest = {.version = 0};
    if (!take_trial(slots, true)) {
        return PW_ERR_STORE;
    }
    if (slots->rootless[0] == '\0') {
        pw_slots_trust_newest(&slots->trust, &newest);
    }
    pw_boot_confirm(&slots->record, newest.version);
    return end_trial(slots);
}

static int reject(void *context, const char *why)
{
    struct pw_slots *slots = context;
    if (!take_trial(slots, false)) {
        return PW_ERR_STORE;
    }
    pw_boot_give_up(&slots->record, slots->running, why);
    return end_trial(slots);
}

static void end(void *context)
{
    struct pw_slots *slots = context;
    atomic_store(&slots->cancel, !slots->activates);
    join(slots);
    slots->state.phase = PW_INSTALL_IDLE;
    slots->state.slot = 0;
}

// ---------------------------------------------------------------------------------------------

// What the boot loader did with the trial: started it, or went back.
static void note_boot(struct pw_slots *slots, char next)
{
    struct pw_boot_record *record = &slots->record;
    if (record->trial != 0 && record->trial != slots->running && record->trial != next) {
        pw_boot_give_up(record, record->trial, "the boot loader did not stay with it");
    } else if (record->trial == slots->running && record->tries > 0) {
        record->tries--;
    } else {
        return;
    }
    if (pw_boot_keep(&slots->disk.port, record) != PW_OK) {
        load(slots); // the same is found the next time
    }
}

static void look_at_system(struct pw_slots *slots)
{
    struct pw_out why = PW_OUT(slots->unable);
    char next = 0;
    if (slots->system.look(slots->system.context, &slots->running, &next, &why) != PW_OK) {
        slots->running = 0;
    } else if (take(slots)) {
        note_boot(slots, next);
        pw_slot_disk_unlock(&slots->disk);
    }
}

static void open_folder(struct pw_slots *slots)
{
    struct pw_out why = PW_OUT(slots->unable);
    slots->disk.folder = slots->disk.file = slots->disk.source = slots->disk.program = -1;
    if (slots->folder[0] == '\0') {
        pw_put_s(&why, "this station has no place to install a program (update.folder)");
        return;
    }
    if (pw_slot_disk_open(&slots->disk, slots->folder, &why) != PW_OK) {
        return;
    }
    if (access(slots->folder, W_OK | X_OK) != 0) {
        pw_put_s(&why, "update.folder cannot be written");
        return;
    }
    slots->job.disk = &slots->disk.port;
    slots->job.piece = slots->piece;
    slots->job.piece_len = sizeof(slots->piece);
    pw_slot_disk_elf(slots->job.elf);
    if (slots->imaged) {
        look_at_system(slots);
    } else {
        slots->running = running_of(slots);
        load(slots);
    }
    show(slots);
}

static void open_root(struct pw_slots *slots, const struct pw_slots_options *options)
{
    struct pw_out why = PW_OUT(slots->rootless);
    slots->trust.crypto = options->crypto;
    if (options->root[0] == '\0' || options->crypto == NULL) {
        pw_put_s(&why, "this station knows no maker whose releases it may install (update.root)");
        return;
    }
    slots->shipped_len = pw_slot_disk_root(options->root, slots->shipped, &why);
    if (slots->shipped_len == 0) {
        return;
    }
    const struct pw_str shipped = {.at = slots->shipped, .len = slots->shipped_len};
    if (pw_release_root_read(shipped, options->crypto, &slots->trust.shipped, &why) == PW_OK &&
        slots->unable[0] == '\0') {
        pw_slots_trust_load(&slots->trust, &slots->disk.port);
    }
}

struct pw_slots *pw_slots_new(struct pw_loop *loop, const struct pw_slots_options *options,
                              struct pw_out *why)
{
    struct pw_slots *slots = calloc(1, sizeof(*slots));
    if (slots == NULL) {
        pw_put_s(why, "out of memory");
        return NULL;
    }
    if (pw_str_copy(slots->folder, sizeof(slots->folder), pw_str_of(options->folder)) != PW_OK ||
        pw_str_copy(slots->download, sizeof(slots->download), pw_str_of(options->download)) !=
            PW_OK) {
        pw_put_s(why, "update.folder is too long");
        free(slots);
        return NULL;
    }
    (void)pthread_mutex_init(&slots->lock, NULL);
    slots->loop = loop;
    slots->imaged = options->system != NULL;
    if (slots->imaged) {
        slots->system = *options->system;
    }
    open_folder(slots);
    open_root(slots, options);
    slots->port = (struct pw_install){.context = slots,
                                      .peek = peek,
                                      .root = root,
                                      .follow = follow,
                                      .write = write_release,
                                      .activate = activate,
                                      .confirm = confirm,
                                      .reject = reject,
                                      .state = look,
                                      .end = end};
    return slots;
}

void pw_slots_free(struct pw_slots *slots)
{
    if (slots != NULL) {
        end(slots);
        pw_slot_disk_close(&slots->disk);
        (void)pthread_mutex_destroy(&slots->lock);
        free(slots);
    }
}

const struct pw_install *pw_slots_port(const struct pw_slots *slots)
{
    return &slots->port;
}
