// root: root documents: whom a station trusts, signed by the threshold of the root keys.
#ifndef PW_APP_PILOTWIRE_MAKER_ROOT_H
#define PW_APP_PILOTWIRE_MAKER_ROOT_H

#include "maker/options.h"
#include "release/release.h"

// A signed root document of a file: format only. Freed by the caller. EXIT_DONE, or *why.
struct root_file {
    char *text;
    struct pw_release_root_text parts; // in `text`
    struct pw_release_root root;
};
int root_open(struct root_file *file, const char *name, struct pw_out *why);
void root_close(struct root_file *file);

// The commands.
int root_new(const struct options *options);
int root_sign(const struct options *options);
int root_show(const struct options *options);
int root_verify(const struct options *options);

#endif
