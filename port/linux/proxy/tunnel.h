// tunnel: one connection through the proxy, as far as the first byte of what is carried in it: the
// proxy's name, TCP, CONNECT, its answer. Nothing of what the server says is read. Whoever opens it
// has a time-out for the whole, and says with pw_tunnel_stuck where it ran out.
#ifndef PW_LINUX_TUNNEL_H
#define PW_LINUX_TUNNEL_H

#include "../loop.h"
#include "../resolve.h"
#include "proxy.h"

enum pw_tunnel_state {
    PW_TUNNEL_NONE,
    PW_TUNNEL_NAMING,     // the proxy's name is looked up
    PW_TUNNEL_CONNECTING, // to the proxy
    PW_TUNNEL_ASKING,     // CONNECT leaves, its answer comes
    PW_TUNNEL_OPEN,       // pw_tunnel_take
    PW_TUNNEL_FAILED,     // `why`
};

struct pw_tunnel { // the caller's; begins with zeros
    struct pw_loop *loop;
    enum pw_tunnel_state state;
    struct pw_resolve *question;
    struct pw_addresses addresses;
    size_t next_address;
    uint16_t port; // the proxy's
    int fd;        // while CONNECTING, ASKING and OPEN
    struct pw_watch watch;
    char ask[PW_PROXY_ASK_SIZE]; // has the password while it leaves
    size_t ask_len;
    size_t asked;
    struct pw_proxy_answer answer;
    char why[160];
};

// Begins; `proxy` is read in this call only. A refusal is FAILED, as any later one.
void pw_tunnel_begin(struct pw_tunnel *tunnel, struct pw_loop *loop, const struct pw_proxy *proxy,
                     struct pw_str host, uint16_t port);
// Does what can be done without waiting. Once a turn; a bounded amount.
enum pw_tunnel_state pw_tunnel_step(struct pw_tunnel *tunnel);
// What it waits for, when the caller's patience is over.
const char *pw_tunnel_stuck(const struct pw_tunnel *tunnel);
// The socket of an OPEN one, not blocking; it is the caller's now, and the tunnel NONE.
int pw_tunnel_take(struct pw_tunnel *tunnel);
// Ends it, in whatever state.
void pw_tunnel_drop(struct pw_tunnel *tunnel);

#endif
