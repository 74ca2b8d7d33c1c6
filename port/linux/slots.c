#include "slots.h"

#include "slotdisk/slotdisk.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_SIZE = 512,
    PIECE = 65536,
    SPARE = 16 << 20, // bytes that an update leaves to the journal
    ASK_MS = 100,     // pieces of the time until a system's service is asked again
    ASK_PIECES = 50,
};

// What the thread does.
enum work { WRITE, ACTIVATE, SETTLE, ROOTS, ASK };

struct pw_slots {
    struct pw_install port;
    struct pw_loop *loop;
    char download[PATH_SIZE];
    char folder[PATH_SIZE];
    char unable[PW_SLOTS_WHY_MAX];   // why there are no slots; "": there are
    char rootless[PW_SLOTS_WHY_MAX]; // why there is no root; "": there is one
    char running;                    // never changes, once it is known
    bool asks;                       // a thread asks the system's service what that is
    struct pw_slot_disk disk;
    struct pw_slots_trust trust;
    char shipped[PW_RELEASE_ROOT_MAX]; // the maker's root, signed
    size_t shipped_len;
    struct pw_slots_job job;
    struct pw_boot_record record; // as last read or written; of the loop, or of the thread
    pthread_t thread;
    bool threaded; // it is to be joined
    enum work work;
    atomic_bool busy;   // it is at it
    bool good;          // what SETTLE shall say of this program
    atomic_int settled; // PW_OK: said and durable
    char verdict[PW_SLOTS_WHY_MAX];
    uint32_t root;                     // version of the newest root, for SETTLE
    uint8_t chain[PW_SLOTS_ROOTS_MAX]; // what ROOTS writes
    size_t chain_len;
    size_t chain_safe;          // of it
    struct pw_slot_note before; // what is in the slot of the job
    bool imaged;                // there is a system's service
    bool worn;                  // its boot loader started the trial more often than it has starts
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

static bool take(struct pw_slots *slots, bool waits)
{
    if (!pw_slot_disk_lock(&slots->disk, waits)) {
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
    struct pw_out release = PW_OUT(state->release);
    pw_put_s(&release, slots->running == 0 ? "" : record->slot[slots->running - 'a'].version);
    state->running = slots->running;
    state->trial = slots->running != 0 && record->trial == slots->running;
    state->tries = state->trial ? record->tries : 0;
    state->worn = state->trial && slots->worn;
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
    if (!take(slots, true)) {
        return "the boot record cannot be read";
    }
    struct pw_slot_note *note = &slots->record.slot[slots->job.slot - 'a'];
    slots->before = *note;
    pw_boot_empty(&slots->record, slots->job.slot);
    if (slots->imaged) {
        *note = slots->before; // the system itself is not touched yet
    }
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

// What cannot be kept now is with the next release.
static void keep_roots(struct pw_slots *slots)
{
    if (slots->chain_len > slots->chain_safe &&
        pw_slots_trust_keep(&slots->disk.port, slots->chain, slots->chain_len) == PW_OK) {
        slots->chain_safe = slots->chain_len;
    }
}

static const char *write_slot(struct pw_slots *slots)
{
    const struct pw_slots_disk *disk = &slots->disk.port;
    keep_roots(slots);
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

static bool tell_progress(void *context, unsigned percent)
{
    struct pw_slots *slots = context;
    (void)pthread_mutex_lock(&slots->lock);
    slots->state.bytes = slots->state.total / 100 * (percent < 100 ? percent : 100);
    (void)pthread_mutex_unlock(&slots->lock);
    return !atomic_load(&slots->cancel);
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

enum trial { BEGINS, IS_WRITTEN, IS_NONE };

// The slot of a system on trial is empty until its service has written the system: so a boot into
// the other one tells a cut from a system that could not be started.
static const char *note_trial(struct pw_slots *slots, enum trial trial)
{
    struct pw_boot_record *record = &slots->record;
    struct pw_slot_note *note = &record->slot[slots->job.slot - 'a'];
    if (!take(slots, true)) {
        return "the boot record cannot be read";
    }
    if (record->confirmed == slots->job.slot) {
        pw_slot_disk_unlock(&slots->disk);
        return "the slot has been confirmed meanwhile";
    }
    switch (trial) {
    case BEGINS:
        pw_boot_try(record, slots->job.slot, &slots->job.release);
        note->use = slots->imaged ? PW_SLOT_EMPTY : PW_SLOT_FRESH;
        break;
    case IS_WRITTEN: note->use = PW_SLOT_FRESH; break;
    case IS_NONE:
        // If its service had begun, it has marked that system bad itself.
        pw_boot_empty(record, slots->job.slot);
        *note = slots->before;
        break;
    }
    return keep(slots) == PW_OK ? NULL : "the boot record cannot be written";
}

static const char *activate_slot(struct pw_slots *slots)
{
    pw_slots_check(&slots->job);
    const char *wrong = run_job(slots);
    if (wrong == NULL) {
        wrong = note_trial(slots, BEGINS);
    }
    if (wrong == NULL && slots->imaged) {
        // The record comes first: what the boot loader then starts must be known to be on trial.
        wrong = install_system(slots);
        (void)note_trial(slots, wrong == NULL ? IS_WRITTEN : IS_NONE);
    }
    return wrong;
}

static void install(struct pw_slots *slots)
{
    bool activates = slots->work == ACTIVATE;
    const char *wrong = activates ? activate_slot(slots) : write_slot(slots);
    (void)pthread_mutex_lock(&slots->lock);
    struct pw_out why = PW_OUT(slots->state.why);
    pw_put_s(&why, wrong == NULL ? "" : wrong);
    slots->state.altered = wrong != NULL && slots->job.altered;
    slots->state.phase = wrong != NULL ? PW_INSTALL_FAILED
                         : activates   ? PW_INSTALL_SWITCHED
                                       : PW_INSTALL_READY;
    show(slots);
    (void)pthread_mutex_unlock(&slots->lock);
}

static bool mark(const struct pw_slots *slots, bool booted, bool good)
{
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out nobody = PW_OUT(text);
    return slots->system.mark(slots->system.context, booted, good, &nobody) == PW_OK;
}

// A boot loader falls back to the other system by itself, so one that was given up, or whose
// counter is too low, must be none to it. What a factory put there has 0.
static void bar_other_system(const struct pw_slots *slots)
{
    const struct pw_slot_note *other = &slots->record.slot[slots->running == 'a'];
    if (other->use == PW_SLOT_FAILED || other->counter < slots->record.counter) {
        (void)mark(slots, false, false); // once more at the next start
    }
}

// The system's service is told first: should the power go then, it is told once more.
static int settle_trial(struct pw_slots *slots)
{
    if (slots->imaged && !mark(slots, true, slots->good)) {
        return PW_ERR_STORE;
    }
    if (!take(slots, true)) {
        return PW_ERR_STORE;
    }
    if (slots->record.trial != slots->running) {
        pw_slot_disk_unlock(&slots->disk);
        return PW_ERR_STORE;
    }
    if (slots->good) {
        pw_boot_confirm(&slots->record, slots->root);
    } else {
        pw_boot_give_up(&slots->record, slots->running, slots->verdict);
    }
    int err = keep(slots);
    if (err != PW_OK) {
        load(slots);
    } else if (slots->imaged && slots->good) {
        bar_other_system(slots);
    }
    show_safely(slots);
    return err;
}

// What the boot loader did with the trial: started it, or went back.
static void note_boot(struct pw_slots *slots, char next)
{
    struct pw_boot_record *record = &slots->record;
    bool left = record->trial != 0 && record->trial != slots->running && record->trial != next;
    slots->worn = record->tries == 0;
    if (left && record->slot[record->trial - 'a'].use == PW_SLOT_EMPTY) {
        pw_boot_empty(record, record->trial); // a cut while it was written
    } else if (left) {
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

static bool look_at_system(struct pw_slots *slots, struct pw_out *why)
{
    char running = 0;
    char next = 0;
    if (slots->system.look(slots->system.context, &running, &next, why) != PW_OK) {
        return false;
    }
    slots->running = running;
    if (take(slots, true)) {
        note_boot(slots, next);
        pw_slot_disk_unlock(&slots->disk);
        if (slots->record.trial == 0) {
            // Boot loaders count the boots of a good system too, until they hear that it came up.
            (void)mark(slots, true, true);
            bar_other_system(slots);
        }
    }
    return true;
}

// Its service may only be late, and what is on trial can neither stay nor go before it answers.
static void ask_again(struct pw_slots *slots)
{
    const struct timespec piece = {.tv_nsec = ASK_MS * 1000000L};
    char text[PW_SLOTS_WHY_MAX];
    bool answered = false;
    for (unsigned i = 1; !answered && !atomic_load(&slots->cancel); i++) {
        struct pw_out why = PW_OUT(text);
        (void)nanosleep(&piece, NULL);
        answered = i % ASK_PIECES == 0 && look_at_system(slots, &why);
    }
    if (answered) {
        show_safely(slots);
    }
}

static void *run(void *argument)
{
    struct pw_slots *slots = argument;
    switch (slots->work) {
    case WRITE:
    case ACTIVATE: install(slots); break;
    case SETTLE: atomic_store(&slots->settled, settle_trial(slots)); break;
    case ROOTS: keep_roots(slots); break;
    case ASK: ask_again(slots); break;
    }
    atomic_store(&slots->busy, false);
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

static bool start_thread(struct pw_slots *slots, enum work work)
{
    sigset_t all;
    sigset_t before;
    join(slots);
    slots->work = work;
    atomic_store(&slots->cancel, false);
    atomic_store(&slots->busy, true);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    slots->threaded = pthread_create(&slots->thread, NULL, run, slots) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!slots->threaded) {
        atomic_store(&slots->busy, false);
    }
    return slots->threaded;
}

static bool start_install(struct pw_slots *slots, enum work work)
{
    join(slots);
    slots->state.phase = work == WRITE ? PW_INSTALL_WRITING : PW_INSTALL_SWITCHING;
    if (!start_thread(slots, work)) {
        struct pw_out why = PW_OUT(slots->state.why);
        pw_put_s(&why, "no thread is to be had");
        slots->state.phase = PW_INSTALL_FAILED;
        return false;
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// The port's functions.

static bool is_at_it(struct pw_slots *slots)
{
    return atomic_load(&slots->busy);
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

static void copy_roots(struct pw_slots *slots)
{
    memcpy(slots->chain, slots->trust.chain, slots->trust.chain_len);
    slots->chain_len = slots->trust.chain_len;
}

static int follow(void *context, struct pw_str head)
{
    struct pw_slots *slots = context;
    if (slots->unable[0] != '\0' || slots->rootless[0] != '\0') {
        return PW_ERR_STORE;
    }
    int err = pw_slots_trust_follow(&slots->trust, head);
    if (err == PW_OK && !is_at_it(slots)) {
        join(slots);
        copy_roots(slots);
        (void)start_thread(slots, ROOTS);
    }
    return err == PW_ERR_LIMIT ? PW_ERR_STORE : PW_OK;
}

static void look(void *context, struct pw_install_state *state)
{
    struct pw_slots *slots = context;
    if (slots->asks && !is_at_it(slots)) {
        join(slots);
        slots->asks = false;
        slots->unable[0] = '\0';
    }
    (void)pthread_mutex_lock(&slots->lock);
    *state = slots->state;
    (void)pthread_mutex_unlock(&slots->lock);
    state->asks = slots->asks;
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
    if (!take(slots, false)) {
        pw_put_s(why, "another program is at the boot record");
        return PW_ERR_BUSY;
    }
    pw_slot_disk_unlock(&slots->disk);
    int err = pw_boot_target(&slots->record, slots->running, &slots->job.slot, why);
    if (err != PW_OK) {
        return err;
    }
    copy_roots(slots);
    memcpy(slots->job.head, head.at, head.len);
    slots->job.head_len = head.len;
    slots->job.release = *release;
    slots->state.slot = slots->job.slot;
    slots->state.bytes = 0;
    slots->state.total = pw_slots_total(release, head.len);
    slots->state.altered = false;
    slots->state.why[0] = '\0';
    atomic_store(&slots->settled, PW_ERR_AGAIN);
    if (!start_install(slots, WRITE)) {
        pw_put_s(why, slots->state.why);
        return PW_ERR_BUSY;
    }
    return PW_OK;
}

static void activate(void *context)
{
    struct pw_slots *slots = context;
    PW_ASSERT(slots->state.phase == PW_INSTALL_READY);
    (void)start_install(slots, ACTIVATE);
}

// On the thread: the disk may take longer than a charge may be left alone.
static int settle(struct pw_slots *slots, bool good, const char *verdict)
{
    struct pw_out why = PW_OUT(slots->verdict);
    struct pw_release_root newest = {.version = 0};
    if (slots->unable[0] != '\0' || is_at_it(slots)) {
        return PW_ERR_STORE;
    }
    join(slots);
    if (slots->good == good && atomic_load(&slots->settled) == PW_OK) {
        return PW_OK;
    }
    if (!slots->state.trial) {
        return PW_ERR_STORE;
    }
    if (slots->rootless[0] == '\0') {
        pw_slots_trust_newest(&slots->trust, &newest);
    }
    slots->root = newest.version;
    slots->good = good;
    pw_put_s(&why, verdict);
    atomic_store(&slots->settled, PW_ERR_AGAIN);
    (void)start_thread(slots, SETTLE);
    return PW_ERR_STORE;
}

static int confirm(void *context)
{
    return settle(context, true, "");
}

static int reject(void *context, const char *why)
{
    return settle(context, false, why);
}

static void end(void *context)
{
    struct pw_slots *slots = context;
    if (slots->asks) {
        return;
    }
    atomic_store(&slots->cancel, slots->work == WRITE);
    join(slots);
    slots->state.phase = PW_INSTALL_IDLE;
    slots->state.slot = 0;
}

// ---------------------------------------------------------------------------------------------

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
        slots->asks = !look_at_system(slots, &why);
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
        (slots->unable[0] == '\0' || slots->asks)) {
        pw_slots_trust_load(&slots->trust, &slots->disk.port);
        slots->chain_safe = slots->trust.chain_len;
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
    atomic_store(&slots->settled, PW_ERR_AGAIN);
    slots->imaged = options->system != NULL;
    if (slots->imaged) {
        slots->system = *options->system;
    }
    open_folder(slots);
    open_root(slots, options);
    slots->asks = slots->asks && start_thread(slots, ASK);
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
        // A system's service is not waited for; a record that is being written is.
        atomic_store(&slots->cancel, slots->work == WRITE || slots->imaged);
        join(slots);
        pw_slot_disk_close(&slots->disk);
        (void)pthread_mutex_destroy(&slots->lock);
        free(slots);
    }
}

const struct pw_install *pw_slots_port(const struct pw_slots *slots)
{
    return &slots->port;
}
