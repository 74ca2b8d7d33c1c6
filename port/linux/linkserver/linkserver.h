// linkserver: TLS connections of stations (doc/link.md) on OpenSSL inside the program's own libev
// loop. It moves bytes within bounds; what they mean is the central's business. TLS 1.2 or 1.3,
// no renegotiation, no resumption: a station connects seldom and keeps its connection.
// Memory before a peer has proved who it is: one TLS handshake, at most PW_CENTRAL_WIRES_UNPROVED
// of them; the central ends those that say nothing for PW_LINK_HELLO_MS.
#ifndef PW_LINUX_LINKSERVER_H
#define PW_LINUX_LINKSERVER_H

#include "central.h"
#include "identity.h"

#include <loop.h>

struct pw_linkserver;

struct pw_linkserver_options {
    const char *host; // address or name; NULL or empty: all
    uint16_t port;    // 0: a free one
    const char *certificate;
    const char *key;
    bool make;                      // the files are made when there are none yet
    const struct pw_secret *secret; // seals the key; NULL: it is PEM
    // PEM file of who vouches for stations' certificates, also with lists (peer/authorities.h);
    // NULL: none is asked for. One that is no good does not end the handshake: whoever judges the
    // station hears of it, and can say whose it was.
    const char *client_ca;
};

// Listens, but serves nobody before pw_linkserver_serve. PW_ERR_LIMIT when the port is taken or may
// not be used, PW_ERR_STORE for certificate and key; a sentence stands in *why.
PW_MUST_USE int pw_linkserver_open(struct pw_linkserver **server, struct pw_loop *loop,
                                   const struct pw_linkserver_options *options,
                                   const struct pw_log *log, struct pw_out *why);
uint16_t pw_linkserver_port(const struct pw_linkserver *server);

// By which stations know this server (setting uplink.pin); valid as long as the server.
const char *pw_linkserver_pin(const struct pw_linkserver *server);

// Reads certificate and key, and who vouches for stations, again, for the connections to come.
// PW_ERR_STORE with *why: what could not be read stays as it was. Another key has another pin.
PW_MUST_USE int pw_linkserver_reload(struct pw_linkserver *server, struct pw_out *why);

// What the central asks of the network; valid as long as the server.
const struct pw_central_wires *pw_linkserver_wires(const struct pw_linkserver *server);

// From now on connections go to `central`.
void pw_linkserver_serve(struct pw_linkserver *server, struct pw_central *central);

// Closes every connection and frees; harmless for NULL. The central must still be there.
void pw_linkserver_close(struct pw_linkserver *server);

#endif
