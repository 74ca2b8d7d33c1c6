// profile: the words in which NetworkManager wants a connection described.
#ifndef PW_LINUX_NETMAN_PROFILE_H
#define PW_LINUX_NETMAN_PROFILE_H

#include "wireless/wireless.h"

#include <systemd/sd-bus.h>

// Appends the arguments of AddAndActivateConnection2: the profile for a JOIN or OPEN order, the
// device, no particular access point, and that it is forgotten when it ends. Below zero: no memory.
int nm_profile_append(sd_bus_message *message, const struct pw_wireless_order *order,
                      const char *device, bool sae);

#endif
