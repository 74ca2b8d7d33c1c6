#include "maker/options.h"

#include <string.h>

enum kind { FLAG, VALUE, LIST };

static const struct option {
    const char *name;
    const char *value; // how it is called in the help
    size_t at;         // in struct options
    enum kind kind;
    const char *about;
} rows[] = {
#define AT(member) offsetof(struct options, member)
    {"--product", "NAME", AT(product), VALUE, "what it is for; pilotwire-station unless said"},
    {"--hardware", "NAME", AT(hardware), LIST, "a machine that it is for; once for each"},
    {"--version", "VERSION", AT(version), VALUE, "as 1.20.3 or 1.20.3-rc1; of a root 1, 2, 3..."},
    {"--counter", "NUMBER", AT(counter), VALUE,
     "security counter, 0 to 4294967295; never lower once it was confirmed"},
    {"--min-from", "VERSION", AT(min_from), VALUE, "the oldest version it can be installed from"},
    {"--expires", "TIME", AT(expires), VALUE, "2027-01-31, or 2027-01-31T12:00:00Z"},
    {"--notes", "URL", AT(notes), VALUE, "https address of what is new"},
    {"--component", "NAME=FILE", AT(component), LIST,
     "what is installed, in this order; pilotwire-station must be there"},
    {"--root", "FILE", AT(root), LIST, "a signed root document"},
    {"--root-key", "KEY", AT(root_key), LIST, "public key that signs the next root"},
    {"--release-key", "KEY", AT(release_key), LIST,
     "public key that signs releases; KEY: file of a public key, or its 64 digits"},
    {"--root-threshold", "N", AT(root_threshold), VALUE, "of so many root keys; 2 unless said"},
    {"--release-threshold", "N", AT(release_threshold), VALUE,
     "of so many release keys; 1 unless said"},
    {"--from", "FILE", AT(from), VALUE, "the signed root document before"},
    {"--key", "FILE", AT(key), LIST, "private key to sign with"},
    {"--passphrase-file", "FILE", AT(passphrase_file), VALUE,
     "its first line is the passphrase; it is asked for otherwise"},
    {"--no-passphrase", NULL, AT(no_passphrase), FLAG, "the private key lies open in its file"},
    {"--signature", "FILE", AT(signature), VALUE,
     "write the signature there, and leave the release as it is"},
    {"--running", "VERSION", AT(running), VALUE, "judge as a station that runs this version"},
    {"--again", NULL, AT(again), FLAG, "the running version may be installed again"},
    {"--at", "TIME", AT(at), VALUE, "judge as at this time; now unless said"},
    {"--out", "FILE", AT(out), VALUE, "what is written"},
    {"--json", NULL, AT(json), FLAG, "for scripts"},
    {"--help", NULL, AT(help), FLAG, "what there is"},
#undef AT
};

static bool is_allowed(const char *allowed, const char *name)
{
    struct pw_str rest = pw_str_of(allowed);
    while (rest.len > 0) {
        if (pw_str_is(pw_str_cut(&rest, ' '), name)) {
            return true;
        }
    }
    return strcmp(name, "--help") == 0;
}

static const struct option *find(const char *allowed, const char *name)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0 && is_allowed(allowed, name)) {
            return &rows[i];
        }
    }
    return NULL;
}

static int add(struct words *words, const char *name, const char *word)
{
    if (words->count == WORDS_MAX) {
        return fail_usage(name, "is given more than 24 times");
    }
    words->word[words->count++] = word;
    return EXIT_DONE;
}

static int take(struct options *options, const struct option *row, const char *word)
{
    char *at = (char *)options + row->at;
    if (row->kind == LIST) {
        return add((struct words *)(void *)at, row->name, word);
    }
    if (row->kind == FLAG) {
        *(bool *)(void *)at = true;
        return EXIT_DONE;
    }
    const char **value = (const char **)(void *)at;
    if (*value != NULL) {
        return fail_usage(row->name, "is given twice");
    }
    *value = word;
    return EXIT_DONE;
}

int options_read(struct options *options, const char *allowed, int argc, char **argv)
{
    int code = EXIT_DONE;
    *options = (struct options){.help = false};
    for (int i = 0; i < argc && code == EXIT_DONE; i++) {
        if (argv[i][0] != '-') {
            code = add(&options->arguments, argv[i], argv[i]);
            continue;
        }
        const struct option *row = find(allowed, argv[i]);
        if (row == NULL) {
            return fail_usage(argv[i], "this command has no such option");
        }
        if (row->kind == FLAG) {
            code = take(options, row, NULL);
        } else if (i + 1 == argc) {
            return fail_usage(argv[i], "needs a value");
        } else {
            i++;
            code = take(options, row, argv[i]);
        }
    }
    return code;
}

void options_help(const char *allowed)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char name[40];
        struct pw_out out = PW_OUT(name);
        if (is_allowed(allowed, rows[i].name)) {
            pw_put_s(&out, rows[i].name);
            pw_put_c(&out, ' ');
            pw_put_s(&out, rows[i].value != NULL ? rows[i].value : "");
            (void)printf("  %-26s %s\n", name, rows[i].about);
        }
    }
}

int options_number(const char *name, const char *given, int64_t least, int64_t most, int64_t *value,
                   struct pw_out *why)
{
    if (given == NULL || pw_parse_int(pw_str_of(given), least, most, value) == PW_OK) {
        return EXIT_DONE;
    }
    pw_put_s(why, name);
    pw_put_s(why, " is ");
    pw_put_s(why, given);
    pw_put_s(why, ", must be ");
    pw_put_int(why, least);
    pw_put_s(why, " to ");
    pw_put_int(why, most);
    return EXIT_USAGE;
}

int options_time(const char *name, const char *given, pw_unix_ms *value, struct pw_out *why)
{
    char text[40];
    struct pw_out out = PW_OUT(text);
    pw_unix_ms read = 0;
    if (given == NULL) {
        return EXIT_DONE;
    }
    pw_put_s(&out, given);
    if (strchr(given, 'T') == NULL) {
        pw_put_s(&out, "T00:00:00Z");
    }
    if (out.full || pw_parse_time(pw_out_str(&out), &read) != PW_OK || read <= 0) {
        pw_put_s(why, name);
        pw_put_s(why, " is ");
        pw_put_s(why, given);
        pw_put_s(why, ", must be a time as 2027-01-31 or 2027-01-31T12:00:00Z, 1970 to 9999");
        return EXIT_USAGE;
    }
    *value = read;
    return EXIT_DONE;
}
