#include "maker/maker.h"

#include "maker/build.h"
#include "maker/key.h"
#include "maker/look.h"
#include "maker/root.h"

#include <string.h>

// A command is a row.
static const struct command {
    const char *group; // "key", "root"; "": none
    const char *word;
    const char *arguments;
    size_t least;
    size_t most;
    const char *options; // those it takes
    int (*run)(const struct options *options);
    const char *about;
} commands[] = {
    {"key", "new", "FILE", 1, 1, "--passphrase-file --no-passphrase", key_new,
     "a new private key, and its public half in FILE.pub"},
    {"key", "show", "FILE.pub", 1, 1, "", key_show, "a public key and its id"},
    {"key", "test", "root|release 1|2|3 FILE", 3, 3, "", key_test,
     "one of the well-known test keys; everybody has them"},
    {"root", "new", "", 0, 0,
     "--from --version --expires --root-key --root-threshold --release-key --release-threshold "
     "--out",
     root_new, "a root document: whose signatures count. With --from: the one after it"},
    {"root", "sign", "FILE", 1, 1, "--key --passphrase-file", root_sign, "add a signature"},
    {"root", "show", "FILE", 1, 1, "--json", root_show, "what it says"},
    {"root", "verify", "FILE", 1, 1, "--from", root_verify,
     "is it signed by its own threshold; with --from: can it follow that one"},
    {"", "build", "", 0, 0,
     "--version --hardware --component --counter --product --min-from --expires --notes --root "
     "--out",
     build_release, "a release file, not signed yet; the same input gives the same bytes"},
    {"", "sign", "FILE", 1, 1, "--key --passphrase-file --signature", build_sign,
     "add a signature to a release, or to its head"},
    {"", "head", "FILE", 1, 1, "--out", build_head,
     "the head by itself, to be signed on a machine without network"},
    {"", "attach", "FILE SIGNATURE...", 2, WORDS_MAX, "", build_attach,
     "add signatures that were written by sign --signature"},
    {"", "verify", "FILE", 1, 1,
     "--root --hardware --product --running --counter --again --at --json", look_verify,
     "would a station take it: signatures, every hash, all the rules"},
    {"", "inspect", "FILE", 1, 1, "--json", look_inspect, "what it says, not whether it is true"},
};

static void put_name(const struct command *row)
{
    (void)printf("  pilotwire release %s%s%s%s%s", row->group, row->group[0] != '\0' ? " " : "",
                 row->word, row->arguments[0] != '\0' ? " " : "", row->arguments);
}

static void help_all(void)
{
    (void)puts(
        "pilotwire release: keys, roots of trust and releases of programs (doc/update.md)\n");
    for (size_t i = 0; i < PW_COUNT(commands); i++) {
        const struct command *row = &commands[i];
        put_name(row);
        (void)printf("\n      %s\n", row->about);
    }
    (void)puts("\n  pilotwire release COMMAND --help says its options.\n"
               "\nExit status: 0 done, 1 a file cannot be read or written, 2 wrong command line,\n"
               "3 refused (the reason is on standard error).");
}

static int help_one(const struct command *row)
{
    put_name(row);
    (void)printf(": %s\n", row->about);
    options_help(row->options);
    return EXIT_DONE;
}

static const struct command *find(int argc, char **argv)
{
    for (size_t i = 0; i < PW_COUNT(commands); i++) {
        bool grouped = commands[i].group[0] != '\0';
        if (argc > (grouped ? 1 : 0) && (!grouped || strcmp(argv[0], commands[i].group) == 0) &&
            strcmp(argv[grouped ? 1 : 0], commands[i].word) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int run_maker(int argc, char **argv)
{
    struct options options;
    const struct command *row = find(argc, argv);
    if (row == NULL && asks_for_help(argc, argv)) {
        help_all();
        return EXIT_DONE;
    }
    if (row == NULL) {
        return fail_usage(argc > 0 ? argv[0] : "release", "no such command of `pilotwire release`");
    }
    int skip = row->group[0] != '\0' ? 2 : 1;
    int code = options_read(&options, row->options, argc - skip, argv + skip);
    if (code != EXIT_DONE) {
        return code;
    }
    if (options.help) {
        return help_one(row);
    }
    if (options.arguments.count < row->least || options.arguments.count > row->most) {
        return fail_usage(row->word, row->least == 0 ? "takes options only" : row->arguments);
    }
    return row->run(&options);
}
