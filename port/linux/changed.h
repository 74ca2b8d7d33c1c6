// changed: whether a file looks other than at the last look (when it or who may read it was
// changed, its size and number): certificates are renewed while programs serve (every 60 or 90
// days, by certbot or its like).
#ifndef PW_LINUX_CHANGED_H
#define PW_LINUX_CHANGED_H

#include "base/base.h"

struct pw_changed {
    const char *path; // outlives it
    int64_t changed_ns;
    int64_t size;
    uint64_t number;
};

// One that is not there looks like nothing. The first look at a file that is there is a change.
bool pw_changed(struct pw_changed *file);

#endif
