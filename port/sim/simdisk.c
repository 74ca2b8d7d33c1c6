#include "simdisk.h"

#include <string.h>

enum { BLOCK = 64 };

// xorshift64*: good enough to choose what is lost.
static uint64_t random_of(struct pw_sim_disk *disk)
{
    disk->seed ^= disk->seed >> 12;
    disk->seed ^= disk->seed << 25;
    disk->seed ^= disk->seed >> 27;
    return disk->seed * UINT64_C(2685821657736338717) >> 16;
}

static bool toss(struct pw_sim_disk *disk)
{
    return (random_of(disk) & 1) != 0;
}

// Whether the operation is done, and whether its result is heard of. At the cut, it is done or not,
// and nobody hears of it.
static bool operate(struct pw_sim_disk *disk, bool *done)
{
    *done = false;
    if (disk->cut) {
        return false;
    }
    disk->operations++;
    disk->cut = disk->operations == disk->cut_at;
    *done = !disk->cut || toss(disk);
    return !disk->cut;
}

static bool is_full(const struct pw_sim_disk *disk)
{
    return disk->full_at != 0 && disk->operations >= disk->full_at;
}

// ---------------------------------------------------------------------------------------------
// Names and files.

static struct pw_sim_disk_name *find(struct pw_sim_disk *disk, char slot, const char *name)
{
    for (size_t i = 0; i < PW_SIM_DISK_NAMES; i++) {
        struct pw_sim_disk_name *row = &disk->name[i];
        if (row->name[0] != '\0' && row->slot == slot && strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static struct pw_sim_disk_name *find_or_make(struct pw_sim_disk *disk, char slot, const char *name)
{
    struct pw_sim_disk_name *row = find(disk, slot, name);
    for (size_t i = 0; i < PW_SIM_DISK_NAMES && row == NULL; i++) {
        struct pw_sim_disk_name *free_row = &disk->name[i];
        if (free_row->now < 0 && free_row->safe < 0) {
            struct pw_out out = PW_OUT(free_row->name);
            *free_row = (struct pw_sim_disk_name){.slot = slot, .now = -1, .safe = -1};
            pw_put_s(&out, name);
            row = free_row;
        }
    }
    PW_ASSERT(row != NULL);
    return row;
}

static bool is_named(const struct pw_sim_disk *disk, int8_t file)
{
    bool named = disk->open == file;
    for (size_t i = 0; i < PW_SIM_DISK_NAMES; i++) {
        named = named || disk->name[i].now == file || disk->name[i].safe == file;
    }
    return named;
}

static int8_t new_file(struct pw_sim_disk *disk)
{
    int8_t file = 0;
    while (file < PW_SIM_DISK_FILES && is_named(disk, file)) {
        file++;
    }
    PW_ASSERT(file < PW_SIM_DISK_FILES);
    disk->file[file].now_len = 0;
    disk->file[file].safe_len = 0;
    disk->file[file].dirty = false;
    memset(disk->file[file].safe, 0, PW_SIM_DISK_FILE_MAX);
    return file;
}

static void sync_one(struct pw_sim_disk_file *file)
{
    memcpy(file->safe, file->now, file->now_len);
    file->safe_len = file->now_len;
    file->dirty = false;
}

// ---------------------------------------------------------------------------------------------
// The contract.

static int clear(void *context, char slot)
{
    struct pw_sim_disk *disk = context;
    bool dead = disk->cut;
    bool done = false;
    bool heard = operate(disk, &done);
    for (size_t i = 0; i < PW_SIM_DISK_NAMES && !dead; i++) {
        struct pw_sim_disk_name *row = &disk->name[i];
        if (row->now >= 0 && row->slot == slot && (done || toss(disk))) {
            row->now = -1;
            row->gone = true;
        }
    }
    return heard ? PW_OK : PW_ERR_STORE;
}

static int create(void *context, char slot, const char *name, bool program)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    bool heard = operate(disk, &done);
    (void)program;
    if (!done) {
        return PW_ERR_STORE;
    }
    struct pw_sim_disk_name *row = find_or_make(disk, slot, name);
    if (row->now >= 0 || is_full(disk)) {
        return is_full(disk) ? PW_ERR_LIMIT : PW_ERR_STORE;
    }
    row->now = new_file(disk);
    disk->open = row->now;
    disk->at = 0;
    return heard ? PW_OK : PW_ERR_STORE;
}

static int overwrite(void *context, const char *name, bool empty)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    bool heard = operate(disk, &done);
    if (!done) {
        return PW_ERR_STORE;
    }
    struct pw_sim_disk_name *row = find_or_make(disk, 0, name);
    if (row->now < 0 && is_full(disk)) {
        return PW_ERR_LIMIT;
    }
    if (row->now < 0) {
        row->now = new_file(disk);
    }
    struct pw_sim_disk_file *file = &disk->file[row->now];
    if (empty && file->now_len > 0) {
        file->now_len = 0;
        file->dirty = true;
    }
    disk->open = row->now;
    disk->at = 0;
    return heard ? PW_OK : PW_ERR_STORE;
}

static int append(void *context, const uint8_t *at, size_t len)
{
    struct pw_sim_disk *disk = context;
    bool dead = disk->cut;
    bool done = false;
    bool heard = operate(disk, &done);
    if (dead) {
        return PW_ERR_STORE;
    }
    struct pw_sim_disk_file *file = &disk->file[disk->open];
    size_t take = done ? len : (size_t)(random_of(disk) % (len + 1));
    PW_ASSERT(disk->open >= 0 && disk->at + len <= PW_SIM_DISK_FILE_MAX);
    // A file that has its bytes can be overwritten on a full disk.
    if (is_full(disk) && disk->at + len > file->now_len) {
        return PW_ERR_LIMIT;
    }
    memcpy(file->now + disk->at, at, take);
    disk->at += take;
    file->now_len = (uint16_t)pw_max((int64_t)disk->at, file->now_len);
    file->dirty = true;
    return heard ? PW_OK : PW_ERR_STORE;
}

static int sync_file(void *context)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    bool heard = operate(disk, &done);
    if (done) {
        PW_ASSERT(disk->open >= 0);
        sync_one(&disk->file[disk->open]);
    }
    disk->open = -1;
    return heard ? PW_OK : PW_ERR_STORE;
}

static int sync_names(void *context, char slot)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    bool heard = operate(disk, &done);
    for (size_t i = 0; i < PW_SIM_DISK_NAMES && done; i++) {
        struct pw_sim_disk_name *row = &disk->name[i];
        if (row->slot == slot) {
            row->safe = row->now;
            row->gone = false;
        }
    }
    return heard ? PW_OK : PW_ERR_STORE;
}

static int rename_file(void *context, const char *from, const char *to)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    bool heard = operate(disk, &done);
    struct pw_sim_disk_name *old = find(disk, 0, from);
    if (done && old != NULL) {
        struct pw_sim_disk_name *target = find_or_make(disk, 0, to);
        target->now = old->now;
        old->now = -1;
    }
    return heard && old != NULL ? PW_OK : PW_ERR_STORE;
}

static int open_file(void *context, char slot, const char *name)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    if (!operate(disk, &done)) {
        return PW_ERR_STORE;
    }
    const struct pw_sim_disk_name *row = find(disk, slot, name);
    if (row == NULL || row->now < 0) {
        return PW_ERR_UNKNOWN;
    }
    disk->open = row->now;
    disk->at = 0;
    return PW_OK;
}

static int read_file(void *context, uint8_t *to, size_t len)
{
    struct pw_sim_disk *disk = context;
    bool done = false;
    if (!operate(disk, &done)) {
        return PW_ERR_STORE;
    }
    const struct pw_sim_disk_file *file = &disk->file[disk->open];
    size_t take = (size_t)pw_min((int64_t)len, (int64_t)(file->now_len - disk->at));
    memcpy(to, file->now + disk->at, take);
    disk->at += take;
    return (int)take;
}

static void close_file(void *context)
{
    struct pw_sim_disk *disk = context;
    disk->open = -1;
}

static int source(void *context, uint64_t offset, uint8_t *to, size_t len)
{
    const struct pw_sim_disk *disk = context;
    if (disk->cut || offset > disk->source_len || len > disk->source_len - offset) {
        return PW_ERR_STORE;
    }
    memcpy(to, disk->source + offset, len);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------

static void connect_port(struct pw_sim_disk *disk)
{
    disk->port = (struct pw_slots_disk){.context = disk,
                                        .clear = clear,
                                        .create = create,
                                        .overwrite = overwrite,
                                        .append = append,
                                        .sync = sync_file,
                                        .sync_names = sync_names,
                                        .rename = rename_file,
                                        .open = open_file,
                                        .read = read_file,
                                        .close = close_file,
                                        .source = source};
}

void pw_sim_disk_init(struct pw_sim_disk *disk, uint64_t seed)
{
    memset(disk, 0, sizeof(*disk));
    disk->seed = seed * 2 + 1; // never 0
    disk->open = -1;
    for (size_t i = 0; i < PW_SIM_DISK_NAMES; i++) {
        disk->name[i].now = -1;
        disk->name[i].safe = -1;
    }
    connect_port(disk);
}

void pw_sim_disk_copy(struct pw_sim_disk *to, const struct pw_sim_disk *from)
{
    memcpy(to, from, sizeof(*to));
    connect_port(to);
}

// Each block is the new one or the old one; the length too, where a file grew or was emptied.
static void settle(struct pw_sim_disk *disk, struct pw_sim_disk_file *file)
{
    size_t longest = (size_t)pw_max(file->now_len, file->safe_len);
    size_t len = file->safe_len;
    if (file->now_len != file->safe_len && toss(disk)) {
        size_t shortest = (size_t)pw_min(file->now_len, file->safe_len);
        len = toss(disk) ? file->now_len : shortest + random_of(disk) % (longest - shortest + 1);
    }
    for (size_t at = 0; at < longest; at += BLOCK) {
        size_t count = (size_t)pw_min(BLOCK, (int64_t)(longest - at));
        if (toss(disk)) {
            memcpy(file->safe + at, file->now + at, count);
        }
    }
    memcpy(file->now, file->safe, len);
    file->now_len = (uint16_t)len;
    file->safe_len = (uint16_t)len;
    file->dirty = false;
}

void pw_sim_disk_restart(struct pw_sim_disk *disk)
{
    for (size_t i = 0; i < PW_SIM_DISK_FILES; i++) {
        if (disk->file[i].dirty) {
            settle(disk, &disk->file[i]);
        }
    }
    for (size_t i = 0; i < PW_SIM_DISK_NAMES; i++) {
        struct pw_sim_disk_name *row = &disk->name[i];
        bool lost = row->gone && row->now != row->safe && toss(disk);
        row->now = lost ? -1 : toss(disk) ? row->now : row->safe;
        row->safe = row->now;
        row->gone = false;
    }
    disk->open = -1;
    disk->cut = false;
    disk->cut_at = 0;
    disk->full_at = 0;
}

struct pw_sim_disk_file *pw_sim_disk_find(struct pw_sim_disk *disk, char slot, const char *name)
{
    const struct pw_sim_disk_name *row = find(disk, slot, name);
    return row == NULL || row->now < 0 ? NULL : &disk->file[row->now];
}
