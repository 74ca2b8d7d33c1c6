// depot: the port contract for files that the central keeps: releases, and what stations have
// uploaded. A file has a name of our own making (DEPOT_NAME hex digits); what others call it never
// reaches the port. All calls are for the central's thread and wait for the disk at most as long as
// one write takes. Sources: facts/reliability.md T40, F01.
#ifndef PW_CENTRAL_DEPOT_H
#define PW_CENTRAL_DEPOT_H

#include "base/base.h"

#define PW_DEPOT_NAME_MAX 33 // 32 hex digits and the NUL

struct pw_depot {
    void *context;
    // Begins a file, empty, in the place of one of this name. PW_ERR_STORE when the disk refuses.
    int (*create)(void *context, const char *name);
    // Adds bytes to a file that was begun. PW_ERR_LIMIT when the disk is full, else PW_ERR_STORE.
    int (*append)(void *context, const char *name, struct pw_str bytes);
    // It is whole: it survives a power cut when this returns PW_OK. Before, it does not survive the
    // end of the program. PW_ERR_STORE.
    int (*keep)(void *context, const char *name);
    // Copies up to `len` bytes of a kept file from `offset`; how many, 0 at its end, or
    // PW_ERR_STORE.
    int (*read)(void *context, const char *name, uint64_t offset, void *to, size_t len);
    // Deletes it, whole or not. Harmless when it is not there.
    void (*drop)(void *context, const char *name);
    // Deletes every file that `wanted` does not know. For the start of a program.
    void (*sweep)(void *context, bool (*wanted)(void *of, const char *name), void *of);
};

#endif
