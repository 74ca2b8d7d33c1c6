// slot disk: the disk of core/slots in a folder of this machine. Every file is opened below the
// folder's descriptor, never through a link, and only what nobody else may write is believed.
#ifndef PW_LINUX_SLOT_DISK_H
#define PW_LINUX_SLOT_DISK_H

#include "slots/slots.h"

struct pw_slot_disk {
    struct pw_slots_disk port;
    int folder;  // -1: not open
    int file;    // the one that is open
    int source;  // the downloaded file; -1: none
    int program; // keeps_program: PW_RELEASE_PROGRAM of the slot that was read last, still open
    size_t unflushed; // bytes written since the disk was last told to begin
    bool keeps_program;
};

// Opens the folder. PW_ERR_UNKNOWN with *why: it is not there, is no folder, belongs to another
// user, or others may write in it.
PW_MUST_USE int pw_slot_disk_open(struct pw_slot_disk *disk, const char *folder,
                                  struct pw_out *why);
void pw_slot_disk_close(struct pw_slot_disk *disk); // harmless when it is not open
// One process at a time changes the boot record. `waits` for the others, at most 5 s (whoever may
// read the folder can lock it), or not. False: it cannot be had.
bool pw_slot_disk_lock(const struct pw_slot_disk *disk, bool waits);
void pw_slot_disk_unlock(const struct pw_slot_disk *disk);
// The bytes of the maker's root in a file: how many, 0 with *why when it cannot be read.
size_t pw_slot_disk_root(const char *path, char to[PW_RELEASE_ROOT_MAX], struct pw_out *why);
// How programs of this machine begin, read from the one that runs. elf[0] == 0: unknown.
void pw_slot_disk_elf(uint8_t elf[PW_SLOTS_ELF_LEN]);

#endif
