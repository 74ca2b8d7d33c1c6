// install: the port contract for putting a new program in the place of the old one. There are two
// slots; the one that does not run is written, in the background, with what core/transfer has
// downloaded, and only a switch that is atomic makes it the one that is started next. Small on
// purpose: what a release is, and whether a new one is healthy, is decided above it.
// Sources: facts/reliability.md §6, T11–T13, F32.
#ifndef PW_INSTALL_H
#define PW_INSTALL_H

#include "transfer/transfer.h"

enum pw_install_phase {
    PW_INSTALL_IDLE,
    PW_INSTALL_WRITING,   // to the slot that does not run
    PW_INSTALL_READY,     // written, safe on the disk, and its hash was read back
    PW_INSTALL_SWITCHING, // hashed once more, then switched
    PW_INSTALL_SWITCHED,  // the next start runs it
    PW_INSTALL_FAILED,    // `why`; the slot that runs is as it was
};

struct pw_install_state {
    enum pw_install_phase phase;
    bool able;    // there are slots on this machine; if not, `why` says why
    bool altered; // FAILED: what was written is not what was wanted
    uint64_t bytes;
    char slot;    // 'a' or 'b': the one being written; 0: none
    char running; // 'a' or 'b': the one that this program runs from; 0: neither
    char current; // the one that is started next; 0: neither
    char why[PW_TRANSFER_WHY_MAX];
};

struct pw_install {
    void *context;
    // Writes the download to the slot that neither runs nor is started next. PW_ERR_UNKNOWN: there
    // are no slots on this machine, PW_ERR_BUSY: it is at it; *why says it in a sentence. What is
    // written must have this hash.
    int (*begin)(void *context, const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why);
    // From READY: makes the written slot the one that is started next. Ends in SWITCHED or FAILED.
    void (*activate)(void *context);
    void (*state)(void *context, struct pw_install_state *state);
    // Gives up writing. Not possible while SWITCHING.
    void (*end)(void *context);
};

#endif
