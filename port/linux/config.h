// config: a YAML file as a flat list of paths and values. Only what a settings file needs is
// taken: sections of "key: value", and lists of such sections. Everything else that YAML can do
// (anchors, tags, several documents, deeper nesting, a key twice) is refused with its line, because
// nobody should have to guess what a charging station was told.
#ifndef PW_LINUX_CONFIG_H
#define PW_LINUX_CONFIG_H

#include "base/base.h"

#define PW_CONFIG_FILE_MAX    65536 // bytes in the file
#define PW_CONFIG_ENTRIES_MAX 512
#define PW_CONFIG_LIST_MAX    16 // sections in one list

// `path` is "section.key", "list[0].key", or "key" for a value that is in no section.
struct pw_config_entry {
    struct pw_str path;
    struct pw_str value; // as written, without quotes
    unsigned line;       // from 1
};

struct pw_config {
    size_t count;
    struct pw_config_entry entry[PW_CONFIG_ENTRIES_MAX];
    struct pw_out text; // over `bytes`: what the views above point to
    char bytes[2 * PW_CONFIG_FILE_MAX];
};

// Reads `file` whole. With `secret`, a file that its group or others may read is refused. PW_OK, or
// an error with one sentence in *why that begins with "file:line: " (or "file: " when no line is to
// blame). *config is big: keep it off the stack.
PW_MUST_USE int pw_config_read(struct pw_config *config, const char *file, bool secret,
                               struct pw_out *why);

// The same from text that is there already; `file` is what errors call it.
PW_MUST_USE int pw_config_parse(struct pw_config *config, const char *file, struct pw_str text,
                                struct pw_out *why);

// Overwrites what was read, for secrets.
void pw_config_wipe(struct pw_config *config);

#endif
