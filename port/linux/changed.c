#include "changed.h"

#include <sys/stat.h>

bool pw_changed(struct pw_changed *file)
{
    struct stat found = {0};
    (void)stat(file->path, &found);
    int64_t changed = (int64_t)found.st_ctim.tv_sec * 1000000000 + found.st_ctim.tv_nsec;
    bool other =
        changed != file->changed_ns || found.st_size != file->size || found.st_ino != file->number;
    file->changed_ns = changed;
    file->size = found.st_size;
    file->number = found.st_ino;
    return other;
}
