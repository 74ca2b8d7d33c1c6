// httpd: HTTP/1.1, event streams and WebSockets on libwebsockets inside the program's own libev
// loop. It frames and buffers, within bounds; what to answer is the site's business (core/http).
// Bounds: those of the configuration, those of core/http/head.h for what comes before a body, 10 s
// for a handshake, a header or a body (facts/reliability.md T20, T41), and 60 s for a request that
// has to wait. A request beyond them, or none, is answered, and its connection closed; of several
// that come at once the first is answered, and the connection closed.
#ifndef PW_LINUX_HTTPD_H
#define PW_LINUX_HTTPD_H

#include "http/http.h"
#include "loop.h"

struct pw_httpd;
struct pw_httpd_links; // conn.h: what a room adds that speaks WebSocket on the same port

// A second place to listen, with TLS: version 1.2 or above, no compression, no renegotiation;
// of 1.2 the four suites of the whitepaper (A00.FR.317) and TLS 1.3's of the same ciphers, or what
// port/linux/peer allows. The texts outlive the server.
struct pw_httpd_tls {
    const char *host; // as below
    uint16_t port;
    const char *certificate;        // PEM file: the server's, then those between it and its root
    const char *key;                // PEM file, or what `secret` has sealed
    const struct pw_secret *secret; // opens the key; NULL: it is PEM
    const char *client_ca; // PEM file of who vouches for clients' certificates, also with lists
                           // (peer/authorities.h); NULL: none is asked for. Who shows one that does
                           // not verify is not let in
    bool people;           // browsers come here, not stations: the suites of port/linux/peer
    bool later; // certificate and key come with pw_httpd_reload, which tells what is wrong with
                // them; until then no handshake succeeds
};

struct pw_httpd_config {
    struct pw_loop *loop;               // outlives the server
    const char *host;                   // IP address, or interface like "lo"; NULL or empty: all
    uint16_t port;                      // 0: a free one
    size_t unfinished;                  // of one address at once whose first request has not
                                        // come whole yet; more are closed at once
                                        // (facts/reliability.md T20). 0: 8
    size_t connections;                 // at once, 1..65536; more are closed at once
    size_t body_max;                    // bytes of a request's body
    const struct pw_httpd_links *links; // NULL: upgrades are refused; outlives the server
    void *links_context;
    const struct pw_httpd_tls *tls; // NULL: none
    bool only_tls;                  // `host` and `port` are not listened on; wants `tls`
    bool hsts; // over TLS, browsers are told to come no other way from now on (RFC 6797)
    // Address of a reverse proxy: whom its requests are for, and whether they came to it over TLS,
    // is taken from what it says (Forwarded, or X-Forwarded-For and X-Forwarded-Proto; the last of
    // several is its own word; with both kinds in one request neither is believed). From anybody
    // else these headers count for nothing. NULL or "": none.
    const char *trusted_proxy;
};

// Listens. The returned server serves nobody before pw_httpd_serve. PW_ERR_LIMIT when the port is
// taken or may not be used; PW_ERR_STORE when that of TLS is, or its files are none.
PW_MUST_USE int pw_httpd_open(struct pw_httpd **httpd, const struct pw_httpd_config *config);
uint16_t pw_httpd_port(const struct pw_httpd *httpd);     // 0 with only_tls
uint16_t pw_httpd_tls_port(const struct pw_httpd *httpd); // 0 without TLS

// Reads the certificate and key of TLS, and who vouches for clients, again, for the connections to
// come; those that stand stay. PW_ERR_STORE with *why: what could not be read stays as it was.
// PW_OK without TLS.
PW_MUST_USE int pw_httpd_reload(struct pw_httpd *httpd, struct pw_out *why);

// From now on requests go to `site`, which outlives the server.
void pw_httpd_serve(struct pw_httpd *httpd, const struct pw_http_site *site);

// Bytes wait for a stream: the site's stream_take is called when the peer can take them. A request
// that waits is served again. One that is gone is ignored.
void pw_httpd_stream_ready(struct pw_httpd *httpd, uint64_t stream);

// Closes every connection and frees; NULL is harmless. The site must still be there.
void pw_httpd_close(struct pw_httpd *httpd);

#endif
