// guests: who is joined to an access point of ours, as the kernel's 802.11 layer (nl80211) lists
// them. NetworkManager does not tell. Source: linux/nl80211.h, NL80211_CMD_GET_STATION.
#ifndef PW_LINUX_NETMAN_GUESTS_H
#define PW_LINUX_NETMAN_GUESTS_H

#include <stdint.h>

// How many stations are joined to interface `name`; PW_WIRELESS_UNKNOWN when that is not told.
// Answers at once: the kernel fills the socket before the request returns.
int16_t pw_netman_guests(const char *name);

#endif
