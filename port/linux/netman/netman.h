// netman: the machine's network connection through NetworkManager over the system's D-Bus, as a
// port of wireless/wireless.h. Everything is asynchronous and bounded: the bus is a descriptor of
// the loop, nothing waits for an answer, and what NetworkManager knows is read whole, a little
// after it said that something has changed. It needs NetworkManager 1.16 or newer.
//
// The bus is the system's, or the one that DBUS_SYSTEM_BUS_ADDRESS names. Without a bus, or without
// NetworkManager on it, that is said once, and tried again every ten seconds or when it comes.
// Profiles are volatile: NetworkManager forgets them, with their passwords, when they end, and
// connects none of them by itself.
//
// Source: NetworkManager D-Bus API 1.42 (org.freedesktop.NetworkManager, .Device, .Device.Wireless,
// .AccessPoint, .Connection.Active, .IP4Config), its NMDeviceState and NMDeviceStateReason.
#ifndef PW_LINUX_NETMAN_H
#define PW_LINUX_NETMAN_H

#include "loop.h"
#include "wireless/wireless.h"

struct pw_netman;

// Who hears. Called from pw_netman_step only; none of them may call back.
struct pw_netman_sink {
    void *context;
    void (*facts)(void *context, const struct pw_wireless_facts *facts);
    void (*found)(void *context, const struct pw_wireless_found *found, size_t count, pw_ms now);
    void (*ended)(void *context, uint32_t number, enum pw_wireless_end end, struct pw_str why);
};

// `loop`, `log` and what the sink points to outlive it. NULL without memory.
struct pw_netman *pw_netman_open(struct pw_loop *loop, const struct pw_log *log,
                                 const struct pw_netman_sink *sink);
void pw_netman_close(struct pw_netman *netman); // NULL is harmless

// Takes the place of the order before.
void pw_netman_order(struct pw_netman *netman, const struct pw_wireless_order *order);

// Once a turn: what came over the bus is told, what is due is asked. Returns when it wants to be
// called next.
pw_ms pw_netman_step(struct pw_netman *netman, pw_ms now);

#endif
