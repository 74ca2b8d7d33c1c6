// network: joins the station's network machine with NetworkManager (port/linux/netman), when
// network.managed is on.
#ifndef PW_APP_STATION_NETWORK_H
#define PW_APP_STATION_NETWORK_H

#include "netman/netman.h"
#include "station.h"

struct network {
    struct pw_station *station;
    struct pw_netman *netman; // NULL: network.managed is off
    bool told;                // something since the last step
};

// Where the station takes its randomness from.
extern const struct pw_network_port network_port;

PW_MUST_USE int network_open(struct network *network, struct pw_loop *loop,
                             const struct pw_log *log, struct pw_out *why);
void network_close(struct network *network);

// What NetworkManager told, into the station; *busy when that has something to decide. Returns when
// it wants to be called next.
pw_ms network_step(struct network *network, pw_ms now, bool *busy);
// What the station decided, to NetworkManager. Returns as network_step does.
pw_ms network_flush(struct network *network, pw_ms now);

#endif
