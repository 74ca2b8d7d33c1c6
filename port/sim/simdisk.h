// sim disk: the disk of core/slots in memory. Operations are counted; the power goes at the one
// that the test names, which then is done, half done or not done. What was not synced by then is
// lost, in blocks of 64 bytes and names, each by itself: any order of writing that a real disk may
// choose is one of these. All from one seed.
#ifndef PW_SIM_DISK_H
#define PW_SIM_DISK_H

#include "slots/slots.h"

enum {
    PW_SIM_DISK_FILE_MAX = 4096, // bytes of one file
    PW_SIM_DISK_FILES = 20,      // that lie on it, those whose names are gone included
    PW_SIM_DISK_NAMES = 20,
};

struct pw_sim_disk_file {
    uint8_t now[PW_SIM_DISK_FILE_MAX];  // as who runs sees it
    uint8_t safe[PW_SIM_DISK_FILE_MAX]; // as it lies on the disk
    uint16_t now_len;
    uint16_t safe_len;
    bool dirty; // they differ
};

struct pw_sim_disk_name {
    char slot;
    char name[PW_RELEASE_NAME_MAX];
    int8_t now;  // number of the file, -1: none
    int8_t safe; // after a cut
    bool gone;   // it was removed in between
};

struct pw_sim_disk {
    struct pw_slots_disk port; // what core/slots gets
    // Set by the test.
    const uint8_t *source; // the downloaded file
    size_t source_len;
    uint64_t cut_at;  // the power goes at this operation (from 1); 0: never
    uint64_t full_at; // from this operation on, nothing more can be written; 0: never
    uint64_t seed;
    // What happened.
    uint64_t operations;
    bool cut; // the power is gone: nothing works any more
    // Inside.
    struct pw_sim_disk_file file[PW_SIM_DISK_FILES];
    struct pw_sim_disk_name name[PW_SIM_DISK_NAMES];
    int8_t open; // -1: none
    size_t at;
};

void pw_sim_disk_init(struct pw_sim_disk *disk, uint64_t seed);
// A copy, to go on from there several times.
void pw_sim_disk_copy(struct pw_sim_disk *to, const struct pw_sim_disk *from);
// The power comes back, after a cut or not: what was not safe may be lost. cut_at and full_at are
// cleared; operations go on.
void pw_sim_disk_restart(struct pw_sim_disk *disk);
// The bytes of a file, to look at or to damage on the disk; NULL: there is none.
struct pw_sim_disk_file *pw_sim_disk_find(struct pw_sim_disk *disk, char slot, const char *name);

#endif
