// install: the port contract for putting a new program in the place of the old one. There are two
// slots; the one that does not run is written, in the background, with the components of a release
// that core/transfer has downloaded and core/release has judged. A new program is started on trial:
// it stays only when it is confirmed, and whoever starts programs goes back otherwise. What a
// release is, and whether a new program is healthy, is decided above.
// Sources: facts/reliability.md §6, T11–T13, F32.
#ifndef PW_INSTALL_H
#define PW_INSTALL_H

#include "release/release.h"
#include "transfer/transfer.h"

enum pw_install_phase {
    PW_INSTALL_IDLE,
    PW_INSTALL_WRITING,   // to the slot that does not run
    PW_INSTALL_READY,     // written, safe on the disk, and every hash was read back
    PW_INSTALL_SWITCHING, // hashed once more, then written down as the one to try
    PW_INSTALL_SWITCHED,  // the next start runs it, on trial
    PW_INSTALL_FAILED,    // `why`; the slot that runs is as it was
};

struct pw_install_state {
    enum pw_install_phase phase;
    bool able;    // there are slots on this machine; if not, `why` says why
    bool asks;    // not able yet: the machine's own service has not said what runs, and is asked
                  // again; until then nobody knows whether this program is on trial
    bool altered; // FAILED: what was written is not what was wanted
    uint64_t bytes;
    uint64_t total; // bytes to write
    char slot;      // 'a' or 'b': the one being written; 0: none
    char running;   // 'a' or 'b': the one this program runs from; 0: the packaged program, or
                    // elsewhere
    char current;   // 'a' or 'b': the one that is started next; 0: the packaged program
    char release[PW_RELEASE_VERSION_MAX]; // version of the release in `running`; "": none is known
    bool trial;                           // this program is on trial: confirm or reject
    uint8_t tries;                        // starts left to a program on trial, after this one
    bool worn;        // on trial, and its starts are used up: to be rejected. Where whoever starts
                      // programs does not count them itself.
    uint32_t counter; // the least security counter that may be installed
    // The last trial that was given up, until the next write: its version and why; else "".
    char returned[PW_RELEASE_VERSION_MAX];
    char returned_why[PW_TRANSFER_WHY_MAX];
    char why[PW_TRANSFER_WHY_MAX];
};

struct pw_install {
    void *context;
    // Reads `len` bytes of the download at an offset: the head of the release file. PW_OK, or
    // PW_ERR_STORE when they are not there.
    int (*peek)(void *context, uint64_t offset, uint8_t *to, size_t len);
    // Writes a judged release from the download to the slot that neither runs nor is confirmed.
    // `head` and `release` are copied. PW_ERR_UNKNOWN: there are no slots on this machine,
    // PW_ERR_BUSY: it is at it; *why says it in a sentence.
    int (*write)(void *context, struct pw_str head, const struct pw_release *release,
                 struct pw_out *why);
    // From READY: makes the written slot the one that is tried next. Ends in SWITCHED or FAILED.
    void (*activate)(void *context);
    // On trial: this program stays; the security counter becomes its release's if that is higher.
    // Written in the background: PW_OK once it is durable, PW_ERR_STORE before that and when it
    // fails; ask again.
    int (*confirm)(void *context);
    // On trial: the one before is started next; `why` is kept for it. As confirm.
    int (*reject)(void *context, const char *why);
    void (*state)(void *context, struct pw_install_state *state);
    // The signed root document that counts on this machine: the newest one kept, else the one that
    // the maker put there (update.root). Its bytes, PW_ERR_LIMIT when it has more than `cap`
    // (PW_RELEASE_ROOT_MAX is enough), PW_ERR_UNKNOWN when there is none.
    int (*root)(void *context, uint8_t *to, size_t cap);
    // Keeps the root documents in a head that lead on from it, whatever the verdict on its release:
    // each is verified here, for whoever starts programs follows them anew from the maker's. From
    // then on `root` gives the newest; they are written in the background. PW_OK, also when there
    // are none; PW_ERR_STORE when there is nowhere to keep them.
    int (*follow)(void *context, struct pw_str head);
    // Gives up writing. Not possible while SWITCHING.
    void (*end)(void *context);
};

#endif
