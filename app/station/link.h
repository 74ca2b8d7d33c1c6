// link: the connection to the central system. The station decides when there should be one and what
// is said; this carries it, one message a turn.
#ifndef PW_APP_STATION_LINK_H
#define PW_APP_STATION_LINK_H

#include "proxy/proxy.h"
#include "station.h"
#include "trust/openssl.h"
#include "wsclient.h"

struct link {
    struct pw_ws_client *client; // NULL: no central system
    struct pw_station *station;
    struct pw_trust_keeper *keeper;
    const struct pw_log *log;
    const struct pw_proxy *proxy;
    struct pw_loop *loop;
    const struct pw_clock *pace;
    struct pw_ws_tls tls;
    struct pw_peer_pins pins;
    struct pw_trust_connection connection; // what the one tried last shows and trusts
    char said[PW_WS_REASON_SIZE];          // why the last one failed
    bool up;                               // and the station knows
};

PW_MUST_USE int link_open(struct link *link, struct pw_loop *loop, const struct pw_clock *pace,
                          struct pw_out *why);
void link_close(struct link *link);

// What happened on the connection into the station. True when the station has something to decide.
bool link_step(struct link *link, pw_ms now);
// What the station wants said.
void link_flush(struct link *link, pw_ms now);

// Ends the connection in order; true once there is none.
bool link_leave(struct link *link);

#endif
