// shelf: the central's files in memory, with faults.
#ifndef PW_TEST_CENTRAL_SHELF_H
#define PW_TEST_CENTRAL_SHELF_H

#include "depot.h"

#include <stdint.h>

#define SHELF_FILES 64

struct shelf_file {
    char name[PW_DEPOT_NAME_MAX]; // empty: free
    uint8_t *bytes;
    size_t len;
    size_t cap;
    bool kept;
};

struct shelf {
    struct pw_depot port;
    struct shelf_file file[SHELF_FILES];
    size_t full_at; // an append that would make a file longer fails as on a full disk; 0: never
    bool fail_keep;
    size_t largest; // bytes handed over at once
    unsigned appends;
};

void shelf_open(struct shelf *shelf);
void shelf_close(struct shelf *shelf);
// The program ended: what was not kept is gone.
void shelf_cut(struct shelf *shelf);
unsigned shelf_count(const struct shelf *shelf);

#endif
