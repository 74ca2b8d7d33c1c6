// guests: who is joined to an access point of ours, as the kernel's 802.11 layer (nl80211) lists
// them. NetworkManager does not tell. Source: linux/nl80211.h, NL80211_CMD_GET_STATION.
#ifndef PW_LINUX_NETMAN_GUESTS_H
#define PW_LINUX_NETMAN_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the kernel's answers have told so far.
struct nm_guests {
    uint16_t family; // number of nl80211; 0: not told
    int16_t stations;
    bool over; // no more will come
    bool failed;
};

// Takes what one read of the socket gave. False: it is no netlink message.
bool nm_guests_take(struct nm_guests *guests, const uint8_t *bytes, size_t len);

// How many stations are joined to interface `name`; PW_WIRELESS_UNKNOWN when that is not told.
// Answers at once: the kernel fills the socket before the request returns.
int16_t pw_netman_guests(const char *name);

#endif
