// slots: the install port on plain Linux. Below one folder there are `a`, `b` and the link
// `current`; each slot holds one file, the program. The slot that neither runs nor is current is
// written by a thread: copied from the download, hashed on the way, made safe on the disk, read
// back and hashed again; once more when it is made current, by a rename of the link. The slot that
// runs is the one that this program's own file lies in.
//
// Whoever starts the program (systemd) starts <folder>/current/pilotwire-station.
#ifndef PW_LINUX_SLOTS_H
#define PW_LINUX_SLOTS_H

#include "install/install.h"
#include "loop.h"

#define PW_SLOTS_PROGRAM "pilotwire-station" // the file in a slot

struct pw_slots; // owned by the caller of pw_slots_new

// `folder` "": there are none, and the port says so. `download` is the file that core/transfer
// leaves. NULL with a sentence in *why when memory is short or a path too long.
struct pw_slots *pw_slots_new(struct pw_loop *loop, const char *folder, const char *download,
                              struct pw_out *why);
// Waits for the thread, at most for the block it is at. Before pw_loop_close.
void pw_slots_free(struct pw_slots *slots);
const struct pw_install *pw_slots_port(const struct pw_slots *slots);

#endif
