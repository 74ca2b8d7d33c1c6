// machine: what this machine knows about itself, for those who tell it further. Neither blocks.
#ifndef PW_LINUX_MACHINE_H
#define PW_LINUX_MACHINE_H

#include "base/base.h"

// The address under which others on the network most likely reach it: the first of an interface
// that is up and not the loopback, IPv4 before IPv6. Nothing is written without one.
void pw_machine_address(struct pw_out *out);

// Memory that programs may still take, in KiB; -1: unknown.
int64_t pw_machine_free_kb(void);

#endif
