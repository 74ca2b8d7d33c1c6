#include "netman/profile.h"

#include <string.h>

// Where the page is reached on the access point: the first network that NetworkManager itself would
// take, said so that a display can tell it.
#define AP_ADDRESS "10.42.0.1"
#define AP_PREFIX  24U

static int append_connection(sd_bus_message *message)
{
    return sd_bus_message_append(message, "{sa{sv}}", "connection", 3, "id", "s", "pilotwire",
                                 "type", "s", "802-11-wireless", "autoconnect", "b", 0);
}

static int append_ssid(sd_bus_message *message, const char *ssid)
{
    int err = sd_bus_message_open_container(message, 'e', "sv");
    if (err >= 0) {
        err = sd_bus_message_append_basic(message, 's', "ssid");
    }
    if (err >= 0) {
        err = sd_bus_message_open_container(message, 'v', "ay");
    }
    if (err >= 0) {
        err = sd_bus_message_append_array(message, 'y', ssid, strlen(ssid));
    }
    if (err >= 0) {
        err = sd_bus_message_close_container(message);
    }
    return err >= 0 ? sd_bus_message_close_container(message) : err;
}

static int append_wireless(sd_bus_message *message, const struct pw_wireless_order *order)
{
    bool host = order->what == PW_WIRELESS_OPEN;
    int err = sd_bus_message_open_container(message, 'e', "sa{sv}");
    if (err >= 0) {
        err = sd_bus_message_append_basic(message, 's', "802-11-wireless");
    }
    if (err >= 0) {
        err = sd_bus_message_open_container(message, 'a', "{sv}");
    }
    if (err >= 0) {
        err = append_ssid(message, order->ssid);
    }
    if (err >= 0) {
        err = sd_bus_message_append(message, "{sv}", "mode", "s", host ? "ap" : "infrastructure");
    }
    if (err >= 0) {
        err = sd_bus_message_close_container(message);
    }
    return err >= 0 ? sd_bus_message_close_container(message) : err;
}

static int append_security(sd_bus_message *message, const struct pw_wireless_order *order, bool sae)
{
    static const char setting[] = "802-11-wireless-security";
    if (order->password[0] == '\0') {
        return 0;
    }
    if (order->what == PW_WIRELESS_JOIN) {
        return sd_bus_message_append(message, "{sa{sv}}", setting, 2, "key-mgmt", "s",
                                     sae ? "sae" : "wpa-psk", "psk", "s", order->password);
    }
    return sd_bus_message_append(message, "{sa{sv}}", setting, 5, "key-mgmt", "s", "wpa-psk", "psk",
                                 "s", order->password, "proto", "as", 1, "rsn", "pairwise", "as", 1,
                                 "ccmp", "group", "as", 1, "ccmp");
}

static int append_addresses(sd_bus_message *message, bool host)
{
    if (!host) {
        return sd_bus_message_append(message, "{sa{sv}}{sa{sv}}", "ipv4", 1, "method", "s", "auto",
                                     "ipv6", 1, "method", "s", "auto");
    }
    return sd_bus_message_append(message, "{sa{sv}}{sa{sv}}", "ipv4", 2, "method", "s", "shared",
                                 "address-data", "aa{sv}", 1, 2, "address", "s", AP_ADDRESS,
                                 "prefix", "u", AP_PREFIX, "ipv6", 1, "method", "s", "ignore");
}

int nm_profile_append(sd_bus_message *message, const struct pw_wireless_order *order,
                      const char *device, bool sae)
{
    int err = sd_bus_message_open_container(message, 'a', "{sa{sv}}");
    if (err >= 0) {
        err = append_connection(message);
    }
    if (err >= 0) {
        err = append_wireless(message, order);
    }
    if (err >= 0) {
        err = append_security(message, order, sae);
    }
    if (err >= 0) {
        err = append_addresses(message, order->what == PW_WIRELESS_OPEN);
    }
    if (err >= 0) {
        err = sd_bus_message_close_container(message);
    }
    return err >= 0 ? sd_bus_message_append(message, "ooa{sv}", device, "/", 1, "persist", "s",
                                            "volatile")
                    : err;
}
