// tls: one TLS connection over TCP to a server, OpenSSL in our loop. It moves bytes without
// waiting, and stops reading while nobody takes what came. When to connect is the station's
// decision, who the server must be the peer's rules; what the bytes mean is nobody's business here.
#ifndef PW_LINUX_TLS_H
#define PW_LINUX_TLS_H

#include "loop.h"
#include "proxy/proxy.h"

#define PW_TLS_OPEN_S      15   // real seconds for name, connection and handshake together
#define PW_TLS_BUFFER      4096 // bytes that came and wait to be taken
#define PW_TLS_REASON_SIZE 200

enum pw_tls_state { PW_TLS_IDLE, PW_TLS_OPENING, PW_TLS_OPEN };

struct pw_tls; // owned by the caller of pw_tls_new

// How TLS is done on a connection; outlives the pw_tls. SSL_CTX of OpenSSL as void *.
struct pw_tls_rules {
    void *context;
    // Who `host` is and what is shown to it goes into the SSL_CTX of one connection (peer/peer.h).
    // `refused`: as pw_peer_rules has it. PW_OK, or PW_ERR_RANGE with *why: there will be none.
    int (*prepare)(void *context, void *ssl_ctx, const char *host, char *refused,
                   struct pw_out *why);
};

// tls://host[:port], host a name, an IPv4 address or an IPv6 address in brackets; 8190 without a
// port. PW_OK or PW_ERR_RANGE with what is wrong in *why.
PW_MUST_USE int pw_tls_check_url(struct pw_str url, struct pw_out *why);
// Pins as peer/peer.h reads them. PW_OK or PW_ERR_RANGE.
PW_MUST_USE int pw_tls_check_pin(struct pw_str pin, struct pw_out *why);

// `pace` measures the time-out. What `rules` prepare is tried once, so that files that cannot be
// read are heard of at once. `proxy`: what hosts that are not direct are reached through; outlives
// the pw_tls, NULL: none. NULL with a sentence in *why.
struct pw_tls *pw_tls_new(struct pw_loop *loop, const struct pw_clock *pace,
                          const struct pw_tls_rules *rules, const struct pw_proxy *proxy,
                          struct pw_out *why);
void pw_tls_free(struct pw_tls *tls); // before pw_loop_close

// Begins to connect. PW_ERR_BUSY unless idle, PW_ERR_RANGE for a URL that cannot be used
// or for rules that do not work any more, PW_ERR_LIMIT when the system has no thread or memory
// left; a sentence in *why.
PW_MUST_USE int pw_tls_open(struct pw_tls *tls, struct pw_str url, struct pw_out *why);
// Ends what there is, with a closing alert. The end is told by pw_tls_take_end. Harmless when idle.
void pw_tls_close(struct pw_tls *tls, const char *reason);

// Does what can be done without waiting. Once a turn; wakes the loop itself later.
void pw_tls_step(struct pw_tls *tls);
enum pw_tls_state pw_tls_state(const struct pw_tls *tls);
// True once for each connection that ended or never came to be. The reason lives until the next
// pw_tls_open.
bool pw_tls_take_end(struct pw_tls *tls, struct pw_str *reason);

// What came; valid until pw_tls_taken, which says how much of it was used.
struct pw_str pw_tls_data(const struct pw_tls *tls);
void pw_tls_taken(struct pw_tls *tls, size_t len);
// Hands bytes over; returns how many were taken, 0 while the connection is not open or the other
// side does not read. Offer the same bytes again then.
size_t pw_tls_send(struct pw_tls *tls, struct pw_str bytes);

#endif
