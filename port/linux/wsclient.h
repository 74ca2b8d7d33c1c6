// wsclient: one WebSocket connection to a central system (RFC 6455), on libwebsockets in our loop.
// Its callbacks only store: the program asks in its turn what happened, takes one whole message at
// a time, and reads on when that one is done, so that a flood waits in the socket and not in
// memory. It never connects by itself: when to try again is the station's decision.
#ifndef PW_LINUX_WSCLIENT_H
#define PW_LINUX_WSCLIENT_H

#include "loop.h"
#include "peer/peer.h"
#include "proxy/proxy.h"

#define PW_WS_MESSAGE_MAX 65536 // bytes of one message either way; a longer one closes with 1009
#define PW_WS_OPEN_S      15    // real seconds for name, connection, TLS and handshake together
#define PW_WS_PONG_S      30    // real seconds a pong may take (facts/reliability.md F12: <= 60 s)
#define PW_WS_CLOSE_S     3     // real seconds for the closing handshake
#define PW_WS_REASON_SIZE 160

// Why a connection did not come to be, as far as it concerns security.
enum pw_ws_fault {
    PW_WS_FAULT_NONE,
    PW_WS_FAULT_CERTIFICATE, // the server's is not valid, or not its own
    PW_WS_FAULT_TLS_VERSION, // it speaks nothing newer than TLS 1.1
    PW_WS_FAULT_TLS_SUITE,   // no cipher suite in common
    PW_WS_FAULT_REFUSED,     // it refused the password or the certificate shown
    PW_WS_FAULT_PROFILE,     // `ready` said no
};

// How TLS is done on a connection. SSL_CTX and X509_STORE_CTX of OpenSSL as void *.
struct pw_ws_tls {
    void *context;
    // What is trusted and shown goes into this SSL_CTX before the connection is made. PW_OK, or
    // PW_ERR_RANGE with *why: there will be no connection (a CERTIFICATE fault).
    int (*prepare)(void *context, void *ssl_ctx, struct pw_out *why);
    // Before each connection: whom to know the server by in place of its chain, name and dates.
    // NULL or count 0: by those.
    struct pw_peer_pins *pins;
    // The server's chain was found good; not called with pins.
    void (*vouched)(void *context, void *x509_store_ctx);
    // The TLS handshake is done, nothing has been said yet. NULL, or why nothing must be.
    const char *(*ready)(void *context);
};

struct pw_ws_target {
    struct pw_str url;         // ws:// or wss://, host, optional port and path; no query
    struct pw_str id;          // appended to the path, escaped; also the Basic user name
    struct pw_str subprotocol; // at most 31 characters; the server must select it
    struct pw_str password;    // HTTP Basic, any bytes; empty: no Authorization header; at most 64
    const struct pw_ws_tls *tls; // outlives the connection; NULL: as pw_ws_client_new was told
};

enum pw_ws_state { PW_WS_IDLE, PW_WS_OPENING, PW_WS_OPEN, PW_WS_CLOSING };

// How a connection ended.
struct pw_ws_end {
    bool refused; // it never opened
    enum pw_ws_fault fault;
    unsigned http_status; // of the refusal; 0 without one
    unsigned close_code;  // the peer's; 0 without one
    char reason[PW_WS_REASON_SIZE];
};

struct pw_ws_client; // owned by the caller of pw_ws_client_new

// `pace` is what the time-outs below are measured with: a clock at real pace, because networks do
// not run faster when a demonstration does. `ca_file` holds the certificates that may sign a wss://
// server's; "": none, what counts comes with each target's `tls`; NULL leaves TLS out, and wss://
// is refused then. `proxy`: what hosts that are not direct are reached through; NULL: none. All are
// borrowed. NULL with a sentence in *why.
struct pw_ws_client *pw_ws_client_new(struct pw_loop *loop, const struct pw_clock *pace,
                                      const char *ca_file, const struct pw_proxy *proxy,
                                      struct pw_out *why);
void pw_ws_client_free(struct pw_ws_client *client); // before pw_loop_close

// Whether it can do TLS.
bool pw_ws_has_tls(const struct pw_ws_client *client);

// Checks a URL and says what is wrong with it. PW_OK or PW_ERR_RANGE.
PW_MUST_USE int pw_ws_check_url(struct pw_str url, struct pw_out *why);

// Begins to connect; the target is copied. PW_ERR_BUSY unless idle, PW_ERR_RANGE with *why for a
// target that cannot be used.
PW_MUST_USE int pw_ws_open(struct pw_ws_client *client, const struct pw_ws_target *target,
                           struct pw_out *why);

// Ends what there is: an open connection with a closing handshake (1000). The end is told by
// pw_ws_take_end. Harmless when idle.
void pw_ws_close(struct pw_ws_client *client);

// Decides what is due: next address, time-outs, pings. Once a turn; wakes the loop itself later.
void pw_ws_step(struct pw_ws_client *client);

enum pw_ws_state pw_ws_state(const struct pw_ws_client *client);
// True once for each connection that ended, after its last message was done.
bool pw_ws_take_end(struct pw_ws_client *client, struct pw_ws_end *end);

// The message that waits, if one does; valid until pw_ws_message_done, which reads on.
bool pw_ws_message(const struct pw_ws_client *client, struct pw_str *text);
void pw_ws_message_done(struct pw_ws_client *client);

// Hands over one text message. PW_ERR_BUSY while the last one is still leaving or the connection
// is not open, PW_ERR_LIMIT when it is longer than PW_WS_MESSAGE_MAX.
PW_MUST_USE int pw_ws_send(struct pw_ws_client *client, struct pw_str text);
bool pw_ws_can_send(const struct pw_ws_client *client);

// Real seconds between pings; 0: none. Counts from the next ping on.
void pw_ws_ping_every(struct pw_ws_client *client, unsigned seconds);

#endif
