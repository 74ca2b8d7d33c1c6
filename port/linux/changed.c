#include "changed.h"

#include <sys/stat.h>

bool pw_changed(struct pw_changed *file)
{
    struct stat found = {0};
    (void)stat(file->path, &found);
    bool other = found.st_mtime != file->written || found.st_size != file->size ||
                 found.st_ino != file->number;
    file->written = found.st_mtime;
    file->size = found.st_size;
    file->number = found.st_ino;
    return other;
}
