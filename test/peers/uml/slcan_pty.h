// A serial CAN adapter's two ends on a pty: the kernel's slcan driver has the tty end, whoever
// plays the adapter has the other (facts/platform.md §1).
#ifndef PW_TEST_SLCAN_PTY_H
#define PW_TEST_SLCAN_PTY_H

#include <net/if.h>
#include <stdbool.h>

struct slcan_pty {
    int line;            // the tty end, which keeps the interface alive
    int master;          // the adapter's end: must be read at once, the driver waits up to 1 s
    char name[IFNAMSIZ]; // of the interface, which is down and has no bit rate yet
};

// Makes the pty and hands its tty end to the driver. False: errno says why, nothing is left open.
bool slcan_pty_open(struct slcan_pty *pty);
void slcan_pty_close(struct slcan_pty *pty); // the interface goes, as with a pulled adapter

#endif
