// boot: the commands of pilotwire-boot. Exit statuses are those of the program.
#ifndef PW_APP_BOOT_H
#define PW_APP_BOOT_H

#include "slotdisk/slotdisk.h"

struct options {
    const char *folder;   // with the slots
    const char *package;  // the program that the package brought
    const char *root;     // the maker's root; "": none, so nothing in the slots is started
    const char *hardware; // what this machine is; "": not looked at
    const char *version;  // of the package's program
    bool json;
    char **arguments; // for the program, behind its name; NULL at the end
};

// Replaces this program by the one to run. Returns only when none can be started.
int start(const struct options *options);
// What the boot record says, on standard output.
int show_status(const struct options *options);
// A package with this version was installed: it runs from now on if it is the newer one.
int prefer_package(const struct options *options);

#endif
