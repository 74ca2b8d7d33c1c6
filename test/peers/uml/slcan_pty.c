#include "slcan_pty.h"

#include <asm/termbits.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

// <pty.h> and <asm/termbits.h> cannot be included together.
int openpty(int *master, int *slave, char *name, const void *mode, const void *size);

#define SLCAN_LINE 17 // N_SLCAN of linux/tty.h

static bool hand_to_driver(struct slcan_pty *pty)
{
    struct termios2 mode;
    int discipline = SLCAN_LINE;
    if (ioctl(pty->line, TCGETS2, &mode) != 0) {
        return false;
    }
    mode.c_iflag = 0;
    mode.c_oflag = 0;
    mode.c_lflag = 0;
    return ioctl(pty->line, TCSETS2, &mode) == 0 && ioctl(pty->line, TIOCSETD, &discipline) == 0 &&
           ioctl(pty->line, SIOCGIFNAME, pty->name) == 0;
}

bool slcan_pty_open(struct slcan_pty *pty)
{
    if (openpty(&pty->master, &pty->line, NULL, NULL, NULL) != 0) {
        return false;
    }
    if (hand_to_driver(pty)) {
        return true;
    }
    slcan_pty_close(pty);
    return false;
}

void slcan_pty_close(struct slcan_pty *pty)
{
    (void)close(pty->line);
    (void)close(pty->master);
}
