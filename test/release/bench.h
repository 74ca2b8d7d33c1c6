// bench: a station that is handed a release file, as far as the file goes.
#ifndef PW_TEST_RELEASE_BENCH_H
#define PW_TEST_RELEASE_BENCH_H

#include "make.h"

#define NOW INT64_C(1800000000000)

struct bench {
    struct pw_release_crypto crypto;
    struct pw_release_root root;
    struct pw_release_rules rules;
    struct pw_release release;
    struct pw_release_root newest;
    char why[600];
    uint8_t file[60000];
    size_t len;
};

// Root 1 of the test keys, product and hardware of pw_make, version 0.9.0 runs, counter 0.
void bench_begin(struct bench *bench);
// What bench->file holds, or its head, is judged as a station does it: 20 bytes, then the head.
enum pw_release_verdict bench_judge(struct bench *bench);
// The same for what `make` says.
enum pw_release_verdict bench_release(struct bench *bench, const struct pw_make *make);
// The same for any manifest, signed by test key release 1.
enum pw_release_verdict bench_manifest(struct bench *bench, const char *manifest);

#endif
