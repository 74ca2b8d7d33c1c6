// snapshot: everything NetworkManager has said of itself in one answer (GetManagedObjects), reduced
// to what the orders of wireless/wireless.h need.
#ifndef PW_LINUX_NETMAN_SNAPSHOT_H
#define PW_LINUX_NETMAN_SNAPSHOT_H

#include "wireless/wireless.h"

#include <systemd/sd-bus.h>

#define NM_PATH_MAX      128
#define NM_INTERFACE_MAX 16 // as the kernel's, with NUL
#define NM_DEVICES_MAX   16
#define NM_ACTIVES_MAX   16
#define NM_ADDRESS_MAX   16
#define NM_POINTS_MAX    128

// NMDeviceState, as far as it matters here.
enum {
    NM_UNAVAILABLE = 20,
    NM_DISCONNECTED = 30,
    NM_PREPARE = 40,
    NM_ACTIVATED = 100,
    NM_FAILED = 120
};
enum { NM_ETHERNET = 1, NM_WIFI = 2 };                        // NMDeviceType
enum { NM_MODE_AP = 3 };                                      // NM80211Mode
enum { NM_ACTIVE_ACTIVATED = 2, NM_ACTIVE_DEACTIVATING = 3 }; // NMActiveConnectionState

struct nm_device {
    char path[NM_PATH_MAX];
    char interface[NM_INTERFACE_MAX]; // "wlan0"
    uint32_t type;
    uint32_t state;
    uint32_t mode;
    char active[NM_PATH_MAX];  // connection; "/" or "" without one
    char point[NM_PATH_MAX];   // access point it is joined to
    char address[NM_PATH_MAX]; // its IP4Config
    int64_t last_scan;         // ms of some clock; -1: never
    bool tells_scan;           // last_scan is told at all
};

struct nm_point {
    char path[NM_PATH_MAX];
    char ssid[PW_WIRELESS_SSID_MAX]; // "" when it cannot be shown
    uint8_t strength;
    bool secured;
    bool sae_only; // WPA3 without WPA2
};

struct nm_active {
    char path[NM_PATH_MAX];
    uint32_t state;
};

struct nm_address {
    char path[NM_PATH_MAX];
    char text[PW_WIRELESS_ADDRESS_MAX];
};

struct nm_snapshot {
    struct nm_device device[NM_DEVICES_MAX];
    size_t devices;
    struct nm_point point[NM_POINTS_MAX];
    size_t points;
    struct nm_active active[NM_ACTIVES_MAX];
    size_t actives;
    struct nm_address address[NM_ADDRESS_MAX];
    size_t addresses;
};

// Reads the answer; what does not fit into the bounds is left out. False when it is not what
// NetworkManager says (*snapshot is then not to be used).
bool nm_snapshot_read(struct nm_snapshot *snapshot, sd_bus_message *message);

// The first radio that may be used; NULL without one.
const struct nm_device *nm_snapshot_radio(const struct nm_snapshot *snapshot);
const struct nm_point *nm_snapshot_point(const struct nm_snapshot *snapshot, const char *path);
// The strongest of that name.
const struct nm_point *nm_snapshot_named(const struct nm_snapshot *snapshot, const char *ssid);
const struct nm_active *nm_snapshot_active(const struct nm_snapshot *snapshot, const char *path);
const char *nm_snapshot_address(const struct nm_snapshot *snapshot, const char *path); // "" without
// Networks by name, strongest first; returns how many.
size_t nm_snapshot_found(const struct nm_snapshot *snapshot,
                         struct pw_wireless_found found[PW_WIRELESS_FOUND_MAX]);

#endif
