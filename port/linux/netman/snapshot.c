// Which properties matter is a table; everything else of the answer is skipped.
#include "netman/snapshot.h"

#include <stddef.h>
#include <string.h>

#define NM "org.freedesktop.NetworkManager"

enum { AP_PRIVACY = 0x1, KEY_PSK = 0x100, KEY_SAE = 0x400 }; // NM80211ApFlags, ...SecurityFlags

// One object with all its interfaces.
struct object {
    bool is_device, is_point, is_active, is_address;
    char path[NM_PATH_MAX];
    char interface[NM_INTERFACE_MAX];
    uint32_t type, state, mode, active_state;
    char active[NM_PATH_MAX], point[NM_PATH_MAX], config[NM_PATH_MAX];
    int64_t last_scan;
    bool tells_scan;
    char ssid[PW_WIRELESS_SSID_MAX];
    uint8_t strength;
    uint32_t flags, wpa, rsn;
    char address[PW_WIRELESS_ADDRESS_MAX];
};

// ---------------------------------------------------------------------------------------------
// Values. Each returns false when the message is broken.

static bool read_uint(sd_bus_message *message, void *to)
{
    return sd_bus_message_read_basic(message, 'u', to) > 0;
}

static bool read_byte(sd_bus_message *message, void *to)
{
    return sd_bus_message_read_basic(message, 'y', to) > 0;
}

static bool read_int64(sd_bus_message *message, void *to)
{
    return sd_bus_message_read_basic(message, 'x', to) > 0;
}

static bool read_path(sd_bus_message *message, void *to)
{
    const char *text = NULL;
    if (sd_bus_message_read_basic(message, 'o', (void *)&text) <= 0) {
        return false;
    }
    (void)!pw_str_copy(to, NM_PATH_MAX, pw_str_of(text)); // a longer one is none we can use
    return true;
}

static bool read_interface_name(sd_bus_message *message, void *to)
{
    const char *text = NULL;
    if (sd_bus_message_read_basic(message, 's', (void *)&text) <= 0) {
        return false;
    }
    (void)!pw_str_copy(to, NM_INTERFACE_MAX, pw_str_of(text));
    return true;
}

// A name that no screen can show is no name: such networks are left out.
static bool is_shown(const uint8_t *at, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint8_t lead = at[i];
        size_t more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        bool bad = lead < 0x20 || lead == 0x7F || (lead >= 0x80 && lead < 0xC2) || lead > 0xF4;
        if (bad || i + more >= len) {
            return false;
        }
        for (size_t k = 1; k <= more; k++) {
            if ((at[i + k] & 0xC0U) != 0x80U) {
                return false;
            }
        }
        i += more + 1;
    }
    return len > 0;
}

static bool read_ssid(sd_bus_message *message, void *to)
{
    const void *bytes = NULL;
    size_t len = 0;
    if (sd_bus_message_read_array(message, 'y', &bytes, &len) < 0) {
        return false;
    }
    if (len > 0 && len < PW_WIRELESS_SSID_MAX && is_shown(bytes, len)) {
        memcpy(to, bytes, len);
    }
    return true;
}

// The first address of "aa{sv}".
static bool read_address_row(sd_bus_message *message, char *to)
{
    const char *key = NULL;
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        const char *text = NULL;
        if (sd_bus_message_read_basic(message, 's', (void *)&key) <= 0) {
            return false;
        }
        if (strcmp(key, "address") == 0 && to[0] == '\0') {
            if (sd_bus_message_read(message, "v", "s", &text) <= 0) {
                return false;
            }
            (void)!pw_str_copy(to, PW_WIRELESS_ADDRESS_MAX, pw_str_of(text));
        } else if (sd_bus_message_skip(message, "v") < 0) {
            return false;
        }
        if (sd_bus_message_exit_container(message) < 0) {
            return false;
        }
    }
    return true;
}

static bool read_addresses(sd_bus_message *message, void *to)
{
    if (sd_bus_message_enter_container(message, 'a', "a{sv}") < 0) {
        return false;
    }
    while (sd_bus_message_enter_container(message, 'a', "{sv}") > 0) {
        if (!read_address_row(message, to) || sd_bus_message_exit_container(message) < 0) {
            return false;
        }
    }
    return sd_bus_message_exit_container(message) >= 0;
}

#define IN_OBJECT(field) offsetof(struct object, field)

static const struct property {
    const char *interface;
    const char *name;
    const char *signature;
    bool (*read)(sd_bus_message *message, void *to);
    size_t offset;
} properties[] = {
    {NM ".Device", "DeviceType", "u", read_uint, IN_OBJECT(type)},
    {NM ".Device", "State", "u", read_uint, IN_OBJECT(state)},
    {NM ".Device", "Interface", "s", read_interface_name, IN_OBJECT(interface)},
    {NM ".Device", "ActiveConnection", "o", read_path, IN_OBJECT(active)},
    {NM ".Device", "Ip4Config", "o", read_path, IN_OBJECT(config)},
    {NM ".Device.Wireless", "Mode", "u", read_uint, IN_OBJECT(mode)},
    {NM ".Device.Wireless", "ActiveAccessPoint", "o", read_path, IN_OBJECT(point)},
    {NM ".Device.Wireless", "LastScan", "x", read_int64, IN_OBJECT(last_scan)},
    {NM ".AccessPoint", "Ssid", "ay", read_ssid, IN_OBJECT(ssid)},
    {NM ".AccessPoint", "Strength", "y", read_byte, IN_OBJECT(strength)},
    {NM ".AccessPoint", "Flags", "u", read_uint, IN_OBJECT(flags)},
    {NM ".AccessPoint", "WpaFlags", "u", read_uint, IN_OBJECT(wpa)},
    {NM ".AccessPoint", "RsnFlags", "u", read_uint, IN_OBJECT(rsn)},
    {NM ".Connection.Active", "State", "u", read_uint, IN_OBJECT(active_state)},
    {NM ".IP4Config", "AddressData", "aa{sv}", read_addresses, IN_OBJECT(address)},
};

static const struct {
    const char *name;
    size_t offset;
} interfaces[] = {
    {NM ".Device", IN_OBJECT(is_device)},
    {NM ".AccessPoint", IN_OBJECT(is_point)},
    {NM ".Connection.Active", IN_OBJECT(is_active)},
    {NM ".IP4Config", IN_OBJECT(is_address)},
};

static bool read_property(struct object *object, const char *interface, sd_bus_message *message)
{
    const char *name = NULL;
    const char *signature = NULL;
    if (sd_bus_message_read_basic(message, 's', (void *)&name) <= 0 ||
        sd_bus_message_peek_type(message, NULL, &signature) <= 0) {
        return false;
    }
    for (size_t i = 0; i < PW_COUNT(properties); i++) {
        const struct property *row = &properties[i];
        if (strcmp(row->interface, interface) != 0 || strcmp(row->name, name) != 0 ||
            strcmp(row->signature, signature) != 0) {
            continue;
        }
        object->tells_scan = object->tells_scan || row->read == read_int64;
        return sd_bus_message_enter_container(message, 'v', signature) > 0 &&
               row->read(message, (char *)object + row->offset) &&
               sd_bus_message_exit_container(message) >= 0;
    }
    return sd_bus_message_skip(message, "v") >= 0;
}

static bool read_interface(struct object *object, sd_bus_message *message)
{
    const char *name = NULL;
    if (sd_bus_message_read_basic(message, 's', (void *)&name) <= 0) {
        return false;
    }
    for (size_t i = 0; i < PW_COUNT(interfaces); i++) {
        if (strcmp(interfaces[i].name, name) == 0) {
            *(bool *)((char *)object + interfaces[i].offset) = true;
        }
    }
    if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) {
        return false;
    }
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        if (!read_property(object, name, message) || sd_bus_message_exit_container(message) < 0) {
            return false;
        }
    }
    return sd_bus_message_exit_container(message) >= 0;
}

// ---------------------------------------------------------------------------------------------

static void keep_device(struct nm_snapshot *snapshot, const struct object *object)
{
    if (snapshot->devices == NM_DEVICES_MAX) {
        return;
    }
    struct nm_device *device = &snapshot->device[snapshot->devices++];
    *device = (struct nm_device){.type = object->type,
                                 .state = object->state,
                                 .mode = object->mode,
                                 .last_scan = object->last_scan,
                                 .tells_scan = object->tells_scan};
    memcpy(device->path, object->path, sizeof(device->path));
    memcpy(device->interface, object->interface, sizeof(device->interface));
    memcpy(device->active, object->active, sizeof(device->active));
    memcpy(device->point, object->point, sizeof(device->point));
    memcpy(device->address, object->config, sizeof(device->address));
}

static void keep_point(struct nm_snapshot *snapshot, const struct object *object)
{
    if (snapshot->points == NM_POINTS_MAX) {
        return;
    }
    struct nm_point *point = &snapshot->point[snapshot->points++];
    *point = (struct nm_point){
        .strength = object->strength,
        .secured = (object->flags & AP_PRIVACY) != 0 || object->wpa != 0 || object->rsn != 0,
        .sae_only = (object->rsn & KEY_SAE) != 0 && ((object->rsn | object->wpa) & KEY_PSK) == 0};
    memcpy(point->path, object->path, sizeof(point->path));
    memcpy(point->ssid, object->ssid, sizeof(point->ssid));
}

static void keep(struct nm_snapshot *snapshot, const struct object *object)
{
    if (object->is_device) {
        keep_device(snapshot, object);
    }
    if (object->is_point) {
        keep_point(snapshot, object);
    }
    if (object->is_active && snapshot->actives < NM_ACTIVES_MAX) {
        struct nm_active *active = &snapshot->active[snapshot->actives++];
        active->state = object->active_state;
        memcpy(active->path, object->path, sizeof(active->path));
    }
    if (object->is_address && snapshot->addresses < NM_ADDRESS_MAX) {
        struct nm_address *address = &snapshot->address[snapshot->addresses++];
        memcpy(address->path, object->path, sizeof(address->path));
        memcpy(address->text, object->address, sizeof(address->text));
    }
}

static bool read_object(struct nm_snapshot *snapshot, sd_bus_message *message)
{
    struct object object = {.last_scan = -1};
    if (!read_path(message, object.path) ||
        sd_bus_message_enter_container(message, 'a', "{sa{sv}}") < 0) {
        return false;
    }
    while (sd_bus_message_enter_container(message, 'e', "sa{sv}") > 0) {
        if (!read_interface(&object, message) || sd_bus_message_exit_container(message) < 0) {
            return false;
        }
    }
    keep(snapshot, &object);
    return sd_bus_message_exit_container(message) >= 0;
}

bool nm_snapshot_read(struct nm_snapshot *snapshot, sd_bus_message *message)
{
    memset(snapshot, 0, sizeof(*snapshot));
    if (sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}") < 0) {
        return false;
    }
    while (sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}") > 0) {
        if (!read_object(snapshot, message) || sd_bus_message_exit_container(message) < 0) {
            return false;
        }
    }
    return sd_bus_message_exit_container(message) >= 0;
}

// ---------------------------------------------------------------------------------------------

const struct nm_device *nm_snapshot_radio(const struct nm_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->devices; i++) {
        const struct nm_device *device = &snapshot->device[i];
        if (device->type == NM_WIFI && device->state >= NM_DISCONNECTED) {
            return device;
        }
    }
    return NULL;
}

const struct nm_point *nm_snapshot_point(const struct nm_snapshot *snapshot, const char *path)
{
    for (size_t i = 0; i < snapshot->points; i++) {
        if (strcmp(snapshot->point[i].path, path) == 0) {
            return &snapshot->point[i];
        }
    }
    return NULL;
}

const struct nm_point *nm_snapshot_named(const struct nm_snapshot *snapshot, const char *ssid)
{
    const struct nm_point *best = NULL;
    for (size_t i = 0; i < snapshot->points; i++) {
        const struct nm_point *point = &snapshot->point[i];
        if (strcmp(point->ssid, ssid) == 0 && (best == NULL || point->strength > best->strength)) {
            best = point;
        }
    }
    return best;
}

const struct nm_active *nm_snapshot_active(const struct nm_snapshot *snapshot, const char *path)
{
    for (size_t i = 0; i < snapshot->actives; i++) {
        if (strcmp(snapshot->active[i].path, path) == 0) {
            return &snapshot->active[i];
        }
    }
    return NULL;
}

const char *nm_snapshot_address(const struct nm_snapshot *snapshot, const char *path)
{
    for (size_t i = 0; i < snapshot->addresses; i++) {
        if (strcmp(snapshot->address[i].path, path) == 0) {
            return snapshot->address[i].text;
        }
    }
    return "";
}

// In its place by signal; the weakest falls out at the end.
static size_t put_in(struct pw_wireless_found *found, size_t count, const struct nm_point *point)
{
    size_t at = count;
    while (at > 0 && found[at - 1].signal < point->strength) {
        at--;
    }
    if (at == PW_WIRELESS_FOUND_MAX) {
        return count;
    }
    count += count < PW_WIRELESS_FOUND_MAX ? 1 : 0;
    memmove(found + at + 1, found + at, (count - at - 1) * sizeof(*found));
    found[at] = (struct pw_wireless_found){.signal = point->strength, .secured = point->secured};
    memcpy(found[at].ssid, point->ssid, sizeof(found[at].ssid));
    return count;
}

size_t nm_snapshot_found(const struct nm_snapshot *snapshot,
                         struct pw_wireless_found found[PW_WIRELESS_FOUND_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->points; i++) {
        const struct nm_point *point = &snapshot->point[i];
        if (point->ssid[0] != '\0' && nm_snapshot_named(snapshot, point->ssid) == point) {
            count = put_in(found, count, point);
        }
    }
    return count;
}
