#include "slotdisk/slotdisk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    FLUSH_EVERY = 1 << 20, // bytes: who cancels waits for one step, and no step may take long
    LOCK_WAIT_MS = 5000,   // a record is written in less
    LOCK_LOOK_MS = 20,
};

static int result(bool good)
{
    return good              ? PW_OK
           : errno == ENOSPC ? PW_ERR_LIMIT
           : errno == EDQUOT ? PW_ERR_LIMIT
           : errno == ENOENT ? PW_ERR_UNKNOWN
                             : PW_ERR_STORE;
}

// Ours or root's, and nobody else can change it.
static bool is_safe(const struct stat *about)
{
    return (about->st_uid == 0 || about->st_uid == geteuid()) &&
           (about->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// A descriptor of the folder or a slot's; to be closed.
static int folder_of(const struct pw_slot_disk *disk, char slot)
{
    struct stat about;
    const char name[2] = {slot, '\0'};
    int fd = openat(disk->folder, slot == 0 ? "." : name, FOLDER);
    if (fd >= 0 && (fstat(fd, &about) != 0 || !is_safe(&about))) {
        (void)close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

static void shut(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static int keep_errno(int fd, int other)
{
    int saved = errno;
    if (other >= 0) {
        (void)close(other);
    }
    errno = saved;
    return fd;
}

// ---------------------------------------------------------------------------------------------
// Writing.

static bool remove_all(int fd)
{
    int again = dup(fd);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    bool good = dir != NULL;
    if (dir == NULL && again >= 0) {
        (void)close(again);
    }
    for (struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            good = unlinkat(fd, entry->d_name, 0) == 0 && good;
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return good;
}

static int clear(void *context, char slot)
{
    struct pw_slot_disk *disk = context;
    const char name[2] = {slot, '\0'};
    if (mkdirat(disk->folder, name, 0755) != 0 && errno != EEXIST) {
        return result(false);
    }
    int fd = folder_of(disk, slot);
    bool good = fd >= 0 && remove_all(fd);
    (void)keep_errno(0, fd);
    return result(good);
}

static int create(void *context, char slot, const char *name, bool program)
{
    struct pw_slot_disk *disk = context;
    const mode_t mode = program ? 0755 : 0644;
    int fd = folder_of(disk, slot);
    if (fd < 0) {
        return result(false);
    }
    disk->file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    disk->file = keep_errno(disk->file, fd);
    // Whatever the umask is: who starts programs may be someone else than who writes them.
    return result(disk->file >= 0 && fchmod(disk->file, mode) == 0);
}

static int overwrite(void *context, const char *name, bool empty)
{
    struct pw_slot_disk *disk = context;
    // A pipe that somebody put there is not waited for.
    const int flags =
        O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (empty ? O_TRUNC : 0);
    disk->file = openat(disk->folder, name, flags, 0644);
    return result(disk->file >= 0);
}

static int append(void *context, const uint8_t *at, size_t len)
{
    struct pw_slot_disk *disk = context;
    while (len > 0) {
        ssize_t put = write(disk->file, at, len);
        if (put < 0 && errno != EINTR) {
            return result(false);
        }
        at += put > 0 ? put : 0;
        len -= put > 0 ? (size_t)put : 0;
        disk->unflushed += put > 0 ? (size_t)put : 0;
    }
    if (disk->unflushed >= FLUSH_EVERY) {
        disk->unflushed = 0;
        (void)sync_file_range(disk->file, 0, 0,
                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                  SYNC_FILE_RANGE_WAIT_AFTER);
    }
    return PW_OK;
}

static int sync_file(void *context)
{
    struct pw_slot_disk *disk = context;
    bool good = fsync(disk->file) == 0;
    disk->file = keep_errno(-1, disk->file);
    return result(good);
}

static int sync_names(void *context, char slot)
{
    struct pw_slot_disk *disk = context;
    int fd = folder_of(disk, slot);
    bool good = fd >= 0 && fsync(fd) == 0;
    (void)keep_errno(0, fd);
    return result(good);
}

static int rename_file(void *context, const char *from, const char *to)
{
    struct pw_slot_disk *disk = context;
    return result(renameat(disk->folder, from, disk->folder, to) == 0);
}

// ---------------------------------------------------------------------------------------------
// Reading.

static int open_file(void *context, char slot, const char *name)
{
    struct pw_slot_disk *disk = context;
    struct stat about;
    int fd = folder_of(disk, slot);
    if (fd < 0) {
        return result(false);
    }
    disk->file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    disk->file = keep_errno(disk->file, fd);
    if (disk->file >= 0 &&
        (fstat(disk->file, &about) != 0 || !S_ISREG(about.st_mode) || !is_safe(&about))) {
        shut(&disk->file);
        errno = EPERM;
    }
    if (disk->file < 0) {
        return result(false);
    }
    if (disk->keeps_program && slot != 0 && strcmp(name, PW_RELEASE_PROGRAM) == 0) {
        shut(&disk->program);
        disk->program = fcntl(disk->file, F_DUPFD_CLOEXEC, 3);
    }
    (void)posix_fadvise(disk->file, 0, 0, POSIX_FADV_DONTNEED); // from the disk, not from memory
    return PW_OK;
}

static int read_file(void *context, uint8_t *to, size_t len)
{
    struct pw_slot_disk *disk = context;
    ssize_t got = -1;
    do {
        got = read(disk->file, to, len);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? PW_ERR_STORE : (int)got;
}

static void close_file(void *context)
{
    struct pw_slot_disk *disk = context;
    shut(&disk->file);
}

static int source(void *context, uint64_t offset, uint8_t *to, size_t len)
{
    const struct pw_slot_disk *disk = context;
    if (offset > INT64_MAX) {
        return PW_ERR_RANGE;
    }
    return pread(disk->source, to, len, (off_t)offset) == (ssize_t)len ? PW_OK : PW_ERR_STORE;
}

// ---------------------------------------------------------------------------------------------

int pw_slot_disk_open(struct pw_slot_disk *disk, const char *folder, struct pw_out *why)
{
    struct stat about;
    *disk = (struct pw_slot_disk){.folder = -1, .file = -1, .source = -1, .program = -1};
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
    disk->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->folder < 0) {
        pw_put_s(why, "the folder of the slots is not there, or may not be read");
        return PW_ERR_UNKNOWN;
    }
    if (fstat(disk->folder, &about) != 0 || !is_safe(&about)) {
        pw_put_s(why, "the folder of the slots belongs to another user, or others may write in it");
        shut(&disk->folder);
        return PW_ERR_UNKNOWN;
    }
    return PW_OK;
}

void pw_slot_disk_close(struct pw_slot_disk *disk)
{
    if (disk->port.context == NULL) {
        return;
    }
    shut(&disk->folder);
    shut(&disk->file);
    shut(&disk->source);
    shut(&disk->program);
}

bool pw_slot_disk_lock(const struct pw_slot_disk *disk, bool waits)
{
    const struct timespec pause = {.tv_nsec = (long)LOCK_LOOK_MS * 1000000};
    for (unsigned waited = 0; flock(disk->folder, LOCK_EX | LOCK_NB) != 0; waited += LOCK_LOOK_MS) {
        if (!waits || waited >= LOCK_WAIT_MS || (errno != EWOULDBLOCK && errno != EINTR)) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void pw_slot_disk_unlock(const struct pw_slot_disk *disk)
{
    (void)flock(disk->folder, LOCK_UN);
}

size_t pw_slot_disk_root(const char *path, char to[PW_RELEASE_ROOT_MAX], struct pw_out *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, to, PW_RELEASE_ROOT_MAX);
    shut(&fd);
    if (got <= 0) {
        pw_put_s(why, "the maker's root (update.root) cannot be read");
    }
    return got > 0 ? (size_t)got : 0;
}

void pw_slot_disk_elf(uint8_t elf[PW_SLOTS_ELF_LEN])
{
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (self < 0 || pread(self, elf, PW_SLOTS_ELF_LEN, 0) != PW_SLOTS_ELF_LEN) {
        elf[0] = 0;
    }
    shut(&self);
}
