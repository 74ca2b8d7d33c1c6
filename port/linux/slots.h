// slots: the install port on plain Linux. Below one folder there are the slots `a` and `b`, the
// boot record, and the root documents; core/slots says what is written when, and a thread does it.
// What runs is the slot that this program's own file lies in.
//
// Whoever starts the program (systemd) starts pilotwire-boot, which starts what the record says.
// Where the whole system is an image, a slot is only where a release is laid down: the system's own
// service takes it from there, its boot loader chooses, and the record keeps counter and trial.
#ifndef PW_LINUX_SLOTS_H
#define PW_LINUX_SLOTS_H

#include "install/install.h"
#include "loop.h"

struct pw_slots; // owned by the caller of pw_slots_new

struct pw_slots_progress {
    void *context;
    bool (*tell)(void *context, unsigned percent); // false: wait no longer
};

// A system that is updated as a whole: its own service writes it, and its boot loader tries it. All
// of these wait. PW_OK, or an error with *why.
struct pw_slots_system {
    const void *context;   // as its maker wants it
    const char *component; // that a release must have
    // Which of the two systems runs, and which one is booted next: 'a' or 'b'; *next may be 0: that
    // is not known.
    int (*look)(const void *context, char *booted, char *next, struct pw_out *why);
    // Installs the component in this folder to the system that does not run; it is booted next.
    int (*install)(const void *context, const char *folder,
                   const struct pw_slots_progress *progress, struct pw_out *why);
    // The system that runs, or the other one, is good, or bad.
    int (*mark)(const void *context, bool booted, bool good, struct pw_out *why);
};

struct pw_slots_options {
    const char *folder;   // update.folder; "": there are no slots, and the port says so
    const char *download; // the file that core/transfer leaves
    const char *root;     // update.root: the maker's root; "": none, so nothing can be judged
    const struct pw_release_crypto *crypto; // outlives the slots
    const struct pw_slots_system *system;   // NULL: plain Linux; copied
};

// NULL with a sentence in *why when memory is short or a path too long. A folder that is not there
// is what the port's state says.
struct pw_slots *pw_slots_new(struct pw_loop *loop, const struct pw_slots_options *options,
                              struct pw_out *why);
// Waits for the thread, at most for the piece it is at. Before pw_loop_close.
void pw_slots_free(struct pw_slots *slots);
const struct pw_install *pw_slots_port(const struct pw_slots *slots);

#endif
