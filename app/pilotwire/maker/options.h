// options: the command line of `pilotwire release`. An option is a row; a command names those it
// takes, and none else is taken.
#ifndef PW_APP_PILOTWIRE_MAKER_OPTIONS_H
#define PW_APP_PILOTWIRE_MAKER_OPTIONS_H

#include "request.h"

enum { WORDS_MAX = 24 };

struct words {
    const char *word[WORDS_MAX];
    size_t count;
};

// What was given; NULL and 0: it was not.
struct options {
    struct words arguments; // what is no option
    struct words hardware;
    struct words component; // NAME=FILE
    struct words key;       // files of private keys
    struct words root;      // signed root documents
    struct words root_key;  // public keys
    struct words release_key;
    const char *at;
    const char *counter;
    const char *expires;
    const char *from;
    const char *min_from;
    const char *notes;
    const char *out;
    const char *passphrase_file;
    const char *product;
    const char *release_threshold;
    const char *root_threshold;
    const char *running;
    const char *signature;
    const char *version;
    bool again;
    bool help;
    bool json;
    bool no_passphrase;
};

// Reads argv[0..argc - 1]. `allowed` names the options there may be, each with a space behind it.
// EXIT_DONE, or EXIT_USAGE after it has been said.
int options_read(struct options *options, const char *allowed, int argc, char **argv);
// Says on standard output what `allowed` mean.
void options_help(const char *allowed);

// A number of least..most, a time (a day, or a day and time of UTC): EXIT_DONE, or EXIT_USAGE with
// *why. Nothing given leaves *value.
int options_number(const char *name, const char *given, int64_t least, int64_t most, int64_t *value,
                   struct pw_out *why);
int options_time(const char *name, const char *given, pw_unix_ms *value, struct pw_out *why);

#endif
