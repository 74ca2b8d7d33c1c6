#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

char *file_read(const char *path, size_t *len, struct pw_out *why)
{
    FILE *from = fopen(path, "re");
    char *text = malloc(FILE_MAX + 1);
    *len = from == NULL || text == NULL ? 0 : fread(text, 1, FILE_MAX, from);
    bool ok = from != NULL && text != NULL && ferror(from) == 0 && fgetc(from) == EOF;
    if (!ok) {
        (void)pw_refuse(why, PW_ERR_STORE, path,
                        from == NULL ? strerror(errno) : "cannot be read, or is too long");
        free(text);
        text = NULL;
    } else {
        text[*len] = '\0';
    }
    if (from != NULL) {
        (void)fclose(from);
    }
    return text;
}
