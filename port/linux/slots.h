// slots: the install port on plain Linux. Below one folder there are the slots `a` and `b`, the
// boot record, and the root documents; core/slots says what is written when, and a thread does it.
// What runs is the slot that this program's own file lies in.
//
// Whoever starts the program (systemd) starts pilotwire-boot, which starts what the record says.
#ifndef PW_LINUX_SLOTS_H
#define PW_LINUX_SLOTS_H

#include "install/install.h"
#include "loop.h"

struct pw_slots; // owned by the caller of pw_slots_new

struct pw_slots_options {
    const char *folder;   // update.folder; "": there are no slots, and the port says so
    const char *download; // the file that core/transfer leaves
    const char *root;     // update.root: the maker's root; "": none, so nothing can be judged
    const struct pw_release_crypto *crypto; // outlives the slots
};

// NULL with a sentence in *why when memory is short or a path too long. A folder that is not there
// is what the port's state says.
struct pw_slots *pw_slots_new(struct pw_loop *loop, const struct pw_slots_options *options,
                              struct pw_out *why);
// Waits for the thread, at most for the piece it is at. Before pw_loop_close.
void pw_slots_free(struct pw_slots *slots);
const struct pw_install *pw_slots_port(const struct pw_slots *slots);

#endif
