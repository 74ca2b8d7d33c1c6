// sim files: the transfer and install ports in memory, with a server that has one file, takes one,
// and fails as the test says; and two slots, of which only the versions are kept: what is in them
// is core/slots'. Every look at a state moves `step` bytes, so that a power cut can come at any of
// them.
#ifndef PW_SIM_FILES_H
#define PW_SIM_FILES_H

#include "install/install.h"

#define PW_SIM_FILES_MAX     ((size_t)512 * 1024) // bytes of the file, and of what is taken
#define PW_SIM_FILES_VERSION "0.9.0"              // of slot a, which runs at first

struct pw_sim_files {
    struct pw_transfer transfer; // what the station gets
    struct pw_install install;
    // The server, set by the test.
    const uint8_t *file; // to be downloaded; NULL: MISSING
    size_t file_len;
    enum pw_transfer_end fails; // the next `failures` transfers end so
    unsigned failures;
    size_t fail_at; // ... when so many bytes have been moved
    size_t step;    // bytes moved at a look
    bool unwilling; // no slots
    bool writing_fails;
    bool alters;                       // what is written is not what was downloaded
    bool switching_fails;              // ... is found when it is made the next
    bool reject_fails;                 // the boot record takes nothing
    bool uncounted;                    // a program on trial is started as often as one likes
    bool wrong_start;                  // the next start runs the old slot whatever is current
    uint8_t root[PW_RELEASE_ROOT_MAX]; // the maker's, signed
    size_t root_len;                   // 0: none
    // What happened.
    char url[PW_TRANSFER_LANES][PW_TRANSFER_URL_MAX + PW_TRANSFER_NAME_MAX + 2]; // as asked for
    char name[PW_TRANSFER_NAME_MAX + 1];
    unsigned begun[PW_TRANSFER_LANES];
    size_t resumed_at;    // of the last download
    unsigned slot_writes; // times a slot was begun
    unsigned confirmed;
    unsigned rejected;
    unsigned followed;                // heads that carried newer roots
    char ran[PW_RELEASE_VERSION_MAX]; // version of what runs
    char *taken;                      // the last upload
    size_t taken_len;
    // Inside.
    struct pw_transfer_state state[PW_TRANSFER_LANES];
    bool given;
    size_t have;    // of the download
    size_t most;    // of it that this job wants
    uint64_t total; // of one that is handed in; 0: from the server
    uint8_t *part;  // what was downloaded
    struct pw_install_state slots;
    char version[2][PW_RELEASE_VERSION_MAX]; // of the slots
    uint32_t counter[2];
    char confirmed_slot;
};

void pw_sim_files_init(struct pw_sim_files *files);
// The program starts, after a cut or an end: transfers are gone, the part of a download is not.
void pw_sim_files_start(struct pw_sim_files *files);
void pw_sim_files_free(struct pw_sim_files *files);

#endif
