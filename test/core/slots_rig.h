// slots rig: a station's end of core/slots on a simulated disk: starts, writes, tries, confirms and
// rejects as the programs do, with releases signed by the test keys.
#ifndef PW_TEST_SLOTS_RIG_H
#define PW_TEST_SLOTS_RIG_H

#include "make.h"
#include "simdisk.h"

enum { RIG_FILE_MAX = 8192, RIG_PIECE = 512 };

struct rig_release {
    const char *version;
    uint8_t program[1500];
    uint8_t extra[700];
    uint8_t file[RIG_FILE_MAX];
    size_t len;
    size_t head_len;
    struct pw_release release;
};

struct rig {
    struct pw_sim_disk disk;
    struct pw_slots_boot boot;
    struct pw_slots_job job;
    uint8_t piece[RIG_PIECE];
    char running; // PW_SLOTS_NONE: nothing does
    bool trial;
};

// Two components of noise, the first one a program for "this machine".
void rig_make(struct rig_release *release, const char *version, uint32_t counter,
              struct pw_str roots, const char *signer);
// An empty folder; the maker's root is version 1 of the test keys.
void rig_init(struct rig *rig, uint64_t seed);
// From here once more, with another seed for what a cut loses.
void rig_copy(struct rig *to, const struct rig *from, uint64_t seed);

// As pilotwire-boot: what it starts. False: the power went.
bool rig_start(struct rig *rig);
// As the station's program: each is false when the power went, or when it failed.
bool rig_write(struct rig *rig, const struct rig_release *release);
bool rig_activate(struct rig *rig);
bool rig_confirm(struct rig *rig);
bool rig_reject(struct rig *rig, const char *why);
// All of it, without a cut: `release` runs and is confirmed.
void rig_update(struct rig *rig, const struct rig_release *release);

// What runs is this release, byte for byte.
bool rig_runs(struct rig *rig, const struct rig_release *release);
struct pw_boot_record rig_record(struct rig *rig);

#endif
