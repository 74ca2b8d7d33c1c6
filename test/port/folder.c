#include "folder.h"

#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof(folder->path), "folder-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

void folder_remove(const struct folder *folder)
{
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char file[512];
        (void)snprintf(file, sizeof(file), "%s/%s", folder->path, entry->d_name);
        (void)unlink(file);
    }
    (void)closedir(dir);
    (void)rmdir(folder->path);
}

void folder_file(const struct folder *folder, const char *name, char to[128])
{
    int len = snprintf(to, 128, "%s/%s", folder->path, name);
    assert_in_range(len, 1, 127);
}

void folder_write(const struct folder *folder, const char *name, const char *text, unsigned mode,
                  char path[128])
{
    folder_file(folder, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}
