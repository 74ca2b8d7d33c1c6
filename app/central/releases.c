// Releases and logs: where they are kept, and the root that releases are judged by.
#include "ed25519/ed25519.h"
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool releases_open(struct program *program)
{
    char path[PROGRAM_PATH_MAX];
    char text[256];
    struct pw_out why = PW_OUT(text);
    program_path(path, program->options.data, "/files");
    if (pw_folder_depot_open(&program->depot, path, &why) != PW_OK) {
        (void)program_fail("cannot use the folder", path, text);
        return false;
    }
    return true;
}

bool releases_read_root(struct program *program)
{
    static char bytes[PW_RELEASE_ROOT_MAX + 1];
    const char *name = program->options.release_root;
    char text[256];
    struct pw_out why = PW_OUT(text);
    program->crypto = pw_ed25519_crypto();
    FILE *file = name != NULL ? fopen(name, "rb") : NULL;
    if (name == NULL) {
        return true;
    }
    if (file == NULL) {
        (void)program_fail("cannot read", name, strerror(errno));
        return false;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    if (pw_release_root_read((struct pw_str){.at = bytes, .len = len}, &program->crypto,
                             &program->root, &why) != PW_OK) {
        (void)program_fail("this is no root of releases:", name, text);
        return false;
    }
    return true;
}
