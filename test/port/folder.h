// A folder of its own for a test that needs files, removed with what is in it afterwards.
#ifndef PW_TEST_FOLDER_H
#define PW_TEST_FOLDER_H

#include <stddef.h>

struct folder {
    char path[64];
};

void folder_make(struct folder *folder);
void folder_remove(const struct folder *folder);
// "<folder>/<name>" in a buffer of 128 bytes.
void folder_file(const struct folder *folder, const char *name, char to[128]);
// Writes `text` to "<folder>/<name>" with the given mode and gives the path.
void folder_write(const struct folder *folder, const char *name, const char *text, unsigned mode,
                  char path[128]);

#endif
