// uplink: joins the station's end of the station link to its TLS connection.
#ifndef PW_APP_STATION_UPLINK_H
#define PW_APP_STATION_UPLINK_H

#include "peer/peer.h"
#include "proxy/proxy.h"
#include "station.h"
#include "tls.h"
#include "trust/openssl.h"

struct uplink {
    struct pw_station *station;
    const struct pw_proxy *proxy;
    struct pw_trust_keeper *keeper; // has the station's own certificate
    struct pw_tls *tls;             // NULL: uplink.url is empty
    struct pw_tls_rules rules;
    struct pw_peer_pins pins;
    pw_unix_ms wall; // of the connection tried last
    bool up;
};

// PW_OK also when none is wanted. PW_ERR_RANGE with *why for settings that cannot be used.
PW_MUST_USE int uplink_open(struct uplink *uplink, struct pw_loop *loop,
                            const struct pw_clock *pace, struct pw_out *why);
void uplink_close(struct uplink *uplink);

// What came; true when the station should decide again in this turn.
bool uplink_step(struct uplink *uplink, pw_ms now);
// What goes, and whether there should be a connection at all.
void uplink_flush(struct uplink *uplink, pw_ms now);

#endif
