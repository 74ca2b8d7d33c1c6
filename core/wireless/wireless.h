// wireless: the port contract for the machine's network connection. The station (station/network)
// decides what the radio does; a port carries it out and tells what is so. Orders are numbered:
// what happened with an old one cannot be taken for the newest one's end. A port decides nothing
// and tries nothing again by itself. On Linux the port is port/linux/netman (NetworkManager).
// Source: IEEE 802.11 clause 9.4.2.2 (SSID), 12.7.2 (passphrase of 8 to 63 characters).
#ifndef PW_WIRELESS_H
#define PW_WIRELESS_H

#include "base/base.h"

#define PW_WIRELESS_SSID_MAX     33 // 32 bytes and NUL
#define PW_WIRELESS_PASSWORD_MAX 64 // 63 characters and NUL
#define PW_WIRELESS_FOUND_MAX    32 // networks kept of one scan, strongest first
#define PW_WIRELESS_ADDRESS_MAX  46 // an IP address as text and NUL
#define PW_WIRELESS_UNKNOWN      (-1)

// What the radio is at.
enum pw_wireless_use {
    PW_WIRELESS_IDLE,   // nothing, or still on its way
    PW_WIRELESS_JOINED, // a network's member, with an address
    PW_WIRELESS_HOST,   // an access point of its own
};

// What is so, whole. Given again whenever something of it changes.
struct pw_wireless_facts {
    bool service;                          // what manages the network answers
    bool wired;                            // a cable is connected and has an address
    bool radio;                            // there is a radio, and it may be used
    enum pw_wireless_use use;              //
    uint32_t order;                        // the order that `use` comes from; 0: none of ours
    char ssid[PW_WIRELESS_SSID_MAX];       // of JOINED and HOST
    int16_t signal;                        // of JOINED, percent; PW_WIRELESS_UNKNOWN
    int16_t guests;                        // of HOST: who is joined; PW_WIRELESS_UNKNOWN
    char address[PW_WIRELESS_ADDRESS_MAX]; // of the radio, else of the cable; "" without one
};

// A network in reach. Several radios of one name are one row, with the best signal.
struct pw_wireless_found {
    char ssid[PW_WIRELESS_SSID_MAX]; // printable UTF-8; other networks are left out
    int16_t signal;                  // percent
    bool secured;
};

enum pw_wireless_do {
    PW_WIRELESS_SCAN, // look what is in reach; an access point of ours is closed first
    PW_WIRELESS_JOIN, // become a member; whatever the radio was at ends
    PW_WIRELESS_OPEN, // be an access point (WPA2), with addresses for those who join
    PW_WIRELESS_LEAVE // be idle
};

struct pw_wireless_order {
    uint32_t number; // from 1, each larger than the last; a new one takes the place of the last
    enum pw_wireless_do what;
    char ssid[PW_WIRELESS_SSID_MAX];         // of JOIN and OPEN
    char password[PW_WIRELESS_PASSWORD_MAX]; // the same; "": an open network (JOIN only)
};

// How the newest order ended. A JOIN or OPEN that succeeds is seen in the facts.
enum pw_wireless_end {
    PW_WIRELESS_SCANNED,  // with what was found
    PW_WIRELESS_PASSWORD, // the password is wrong, as far as one can know
    PW_WIRELESS_FAILED,   // anything else; `why` says it
};

#endif
