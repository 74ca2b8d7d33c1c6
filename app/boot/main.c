#include "boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRONG_USE = 2 };

static const char help[] =
    "pilotwire-boot: starts the newest program of a charging station that may be started\n"
    "\n"
    "  pilotwire-boot --folder DIR --package PROGRAM [--root FILE] [--hardware ID] [-- ARGUMENTS]\n"
    "  pilotwire-boot status --folder DIR [--json]\n"
    "  pilotwire-boot prefer-package --folder DIR --version V\n"
    "\n"
    "  --folder DIR         the slots and the boot record (update.folder of the station)\n"
    "  --package PROGRAM    is started when nothing in the slots may be\n"
    "  --root FILE          the maker's root, which a release must be signed under\n"
    "  --hardware ID        what this machine is: a release for others is not started\n"
    "  --version V          of the program that a package has just installed\n"
    "\n"
    "A program in a slot is started only when its release is signed, its security counter is not\n"
    "lower than the last confirmed one's, and every byte of it is what was signed. A new one is "
    "on\n"
    "trial: after three starts without being confirmed, the one before is started again.\n"
    "\n"
    "Exit status: that of the program; 1 nothing could be started, or the record could not be "
    "read\n"
    "or written; 2 wrong options.\n";

void pw_panic(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "<2>boot failed at=%s:%d what=\"%s\"\n", file, line, what);
    abort();
}

static int refuse(const char *what, const char *why)
{
    (void)fprintf(stderr, "pilotwire-boot: %s: %s\n", what, why);
    return WRONG_USE;
}

// The option's place, or NULL: there is none of that name.
static const char **place_of(struct options *options, const char *name)
{
    const struct {
        const char *name;
        const char **place;
    } rows[] = {
        {"--folder", &options->folder},   {"--package", &options->package},
        {"--root", &options->root},       {"--hardware", &options->hardware},
        {"--version", &options->version},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].place;
        }
    }
    return NULL;
}

static bool read_options(char **argv, struct options *options)
{
    for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
        const char **place = place_of(options, *argv);
        if (strcmp(*argv, "--json") == 0) {
            options->json = true;
        } else if (place == NULL || argv[1] == NULL) {
            (void)refuse(*argv, place == NULL ? "no such option" : "needs a value");
            return false;
        } else {
            *place = *++argv;
        }
    }
    options->arguments = *argv == NULL ? argv : argv + 1;
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {
        .folder = "", .package = "", .root = "", .hardware = "", .version = ""};
    const char *command = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help, stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("pilotwire-boot " PW_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc < 2 || !read_options(argv + (command[0] == '\0' ? 1 : 2), &options)) {
        return refuse("options", "see pilotwire-boot --help");
    }
    if (options.folder[0] == '\0') {
        return refuse("--folder", "is needed");
    }
    if (strcmp(command, "status") == 0) {
        return show_status(&options);
    }
    if (strcmp(command, "prefer-package") == 0) {
        return options.version[0] == '\0' ? refuse("--version", "is needed")
                                          : prefer_package(&options);
    }
    if (command[0] != '\0') {
        return refuse(command, "no such command");
    }
    return options.package[0] == '\0' ? refuse("--package", "is needed") : start(&options);
}
