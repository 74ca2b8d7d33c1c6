#include "slots/slots.h"

#include <string.h>

// Writing a slot and reading it back: file by file, piece by piece, one operation a step.

enum stage { CLEAR, CREATE, COPY, NAMES, OPEN, READ, DONE };

static bool is_head(const struct pw_slots_job *job)
{
    return job->file == job->release.components;
}

static const char *name_of(const struct pw_slots_job *job)
{
    return is_head(job) ? PW_SLOTS_HEAD : job->release.component[job->file].name;
}

static uint64_t size_of(const struct pw_slots_job *job)
{
    return is_head(job) ? job->head_len : job->release.component[job->file].size;
}

static bool is_program(const struct pw_slots_job *job)
{
    return strcmp(name_of(job), PW_RELEASE_PROGRAM) == 0;
}

static int fail(struct pw_slots_job *job, int err, const char *what)
{
    struct pw_out why = PW_OUT(job->why);
    pw_put_s(&why, name_of(job));
    pw_put_s(&why, ": ");
    pw_put_s(&why, err == PW_ERR_LIMIT ? "no room is left for it" : what);
    job->stage = DONE;
    return err == PW_OK || err == PW_ERR_AGAIN ? PW_ERR_STORE : err;
}

static int alter(struct pw_slots_job *job, const char *what)
{
    job->altered = true;
    return fail(job, PW_ERR_RANGE, what);
}

// A file ends: the next one, or the stage behind the last.
static int go_on(struct pw_slots_job *job, enum stage again, enum stage after)
{
    job->moved = 0;
    job->stage = (uint8_t)again;
    if (is_head(job)) {
        job->file = 0;
        job->stage = (uint8_t)after;
    } else {
        job->file++;
    }
    return job->stage == DONE ? PW_OK : PW_ERR_AGAIN;
}

static bool hash_is_right(struct pw_slots_job *job)
{
    uint8_t digest[PW_SHA256_LEN];
    pw_sha256_end(&job->hash, digest);
    return is_head(job) ||
           memcmp(digest, job->release.component[job->file].sha256, PW_SHA256_LEN) == 0;
}

// A program for this machine begins as this machine's programs do: class, byte order, machine.
static const char *look_at_program(const struct pw_slots_job *job, size_t len)
{
    const uint8_t *at = job->piece;
    if (!is_program(job) || job->moved != 0 || job->elf[0] == 0) {
        return NULL;
    }
    if (len < PW_SLOTS_ELF_LEN || memcmp(at, job->elf, 4) != 0) {
        return "it is no program";
    }
    bool same = memcmp(at + 4, job->elf + 4, 2) == 0 && memcmp(at + 18, job->elf + 18, 2) == 0;
    return same ? NULL : "it is a program for another machine";
}

static size_t piece_of(const struct pw_slots_job *job)
{
    return (size_t)pw_min((int64_t)(size_of(job) - job->moved), (int64_t)job->piece_len);
}

// ---------------------------------------------------------------------------------------------
// Stages.

static int clear(struct pw_slots_job *job)
{
    int err = job->disk->clear(job->disk->context, job->slot);
    if (err != PW_OK) {
        return fail(job, err, "the slot cannot be emptied");
    }
    job->stage = CREATE;
    return PW_ERR_AGAIN;
}

static int create(struct pw_slots_job *job)
{
    int err = job->disk->create(job->disk->context, job->slot, name_of(job), is_program(job));
    if (err != PW_OK) {
        return fail(job, err, "it cannot be written");
    }
    pw_sha256_begin(&job->hash);
    job->stage = COPY;
    return PW_ERR_AGAIN;
}

static int end_copy(struct pw_slots_job *job)
{
    bool right = hash_is_right(job);
    int err = job->disk->sync(job->disk->context);
    if (err != PW_OK) {
        return fail(job, err, "it cannot be made safe on the disk");
    }
    return right ? go_on(job, CREATE, NAMES) : alter(job, "it is not what was downloaded");
}

static int copy(struct pw_slots_job *job)
{
    const struct pw_slots_disk *disk = job->disk;
    size_t len = piece_of(job);
    if (len == 0) {
        return end_copy(job);
    }
    int err = PW_OK;
    if (is_head(job)) {
        memcpy(job->piece, job->head + job->moved, len);
    } else {
        err = disk->source(disk->context, job->release.component[job->file].offset + job->moved,
                           job->piece, len);
    }
    const char *wrong = err == PW_OK ? look_at_program(job, len) : NULL;
    if (err != PW_OK || wrong != NULL) {
        disk->close(disk->context);
        return wrong != NULL ? fail(job, PW_ERR_RANGE, wrong)
                             : fail(job, err, "the download cannot be read");
    }
    pw_sha256_add(&job->hash, job->piece, len);
    err = disk->append(disk->context, job->piece, len);
    if (err != PW_OK) {
        disk->close(disk->context);
        return fail(job, err, "it cannot be written");
    }
    job->moved += len;
    job->bytes += len;
    return PW_ERR_AGAIN;
}

static int sync_names(struct pw_slots_job *job)
{
    int err = job->disk->sync_names(job->disk->context, job->slot);
    if (err == PW_OK) {
        err = job->disk->sync_names(job->disk->context, 0);
    }
    if (err != PW_OK) {
        return fail(job, err, "the slot cannot be made safe on the disk");
    }
    job->stage = OPEN;
    return PW_ERR_AGAIN;
}

static int open_file(struct pw_slots_job *job)
{
    int err = job->disk->open(job->disk->context, job->slot, name_of(job));
    if (err != PW_OK) {
        return err == PW_ERR_UNKNOWN ? alter(job, "it is gone")
                                     : fail(job, err, "it cannot be read");
    }
    pw_sha256_begin(&job->hash);
    job->stage = READ;
    return PW_ERR_AGAIN;
}

static const char *look_at_piece(struct pw_slots_job *job, size_t len)
{
    if (job->moved + len > size_of(job) || (len == 0 && job->moved != size_of(job))) {
        return "its size is not what was wanted";
    }
    if (is_head(job) && memcmp(job->piece, job->head + job->moved, len) != 0) {
        return "it is not what was judged";
    }
    if (len > 0) {
        pw_sha256_add(&job->hash, job->piece, len);
        return look_at_program(job, len);
    }
    return hash_is_right(job) ? NULL : "its hash is not what was wanted";
}

static int read_file(struct pw_slots_job *job)
{
    int got = job->disk->read(job->disk->context, job->piece, job->piece_len);
    const char *wrong = got < 0 ? "it cannot be read" : look_at_piece(job, (size_t)got);
    if (wrong != NULL) {
        job->disk->close(job->disk->context);
        return got < 0 ? fail(job, got, wrong) : alter(job, wrong);
    }
    if (got == 0) {
        job->disk->close(job->disk->context);
        return go_on(job, OPEN, DONE);
    }
    job->moved += (uint64_t)got;
    return PW_ERR_AGAIN;
}

// ---------------------------------------------------------------------------------------------

uint64_t pw_slots_total(const struct pw_release *release, size_t head_len)
{
    uint64_t total = head_len;
    for (unsigned i = 0; i < release->components; i++) {
        total += release->component[i].size;
    }
    return total;
}

static void begin(struct pw_slots_job *job, enum stage stage)
{
    PW_ASSERT(job->piece_len >= PW_SLOTS_PIECE_MIN && job->head_len <= sizeof(job->head) &&
              job->release.components <= PW_RELEASE_COMPONENTS_MAX);
    job->stage = (uint8_t)stage;
    job->file = 0;
    job->moved = 0;
    job->bytes = 0;
    job->altered = false;
    job->why[0] = '\0';
}

void pw_slots_write(struct pw_slots_job *job)
{
    begin(job, CLEAR);
}

void pw_slots_check(struct pw_slots_job *job)
{
    begin(job, OPEN);
}

int pw_slots_step(struct pw_slots_job *job)
{
    switch ((enum stage)job->stage) {
    case CLEAR: return clear(job);
    case CREATE: return create(job);
    case COPY: return copy(job);
    case NAMES: return sync_names(job);
    case OPEN: return open_file(job);
    case READ: return read_file(job);
    case DONE: return PW_ERR_BUG;
    }
    PW_UNREACHABLE();
}
