// resolve: host names to addresses without stopping the loop. getaddrinfo may block for half a
// minute when a name server is silent, and a station cannot look away from its bus that long: it
// runs on a thread of its own, which may outlive the question.
#ifndef PW_LINUX_RESOLVE_H
#define PW_LINUX_RESOLVE_H

#include "loop.h"

#include <sys/socket.h>

#define PW_RESOLVE_MAX       4  // addresses kept of one name
#define PW_RESOLVE_TEXT_SIZE 64 // one address as text, terminated

struct pw_resolve; // one question

struct pw_addresses {
    char text[PW_RESOLVE_MAX][PW_RESOLVE_TEXT_SIZE];
    size_t count;
    char why[80]; // "" or the reason why there is none
};

// Asks for `host` (terminated, at most 255 characters). The loop is woken when the answer is there.
// NULL when no thread or memory is to be had.
struct pw_resolve *pw_resolve_start(struct pw_loop *loop, const char *host);

// True once the answer is there; it is copied to *addresses.
bool pw_resolve_done(struct pw_resolve *question, struct pw_addresses *addresses);

// The socket address of one address as text, and its length; 0: the text is no address.
socklen_t pw_resolve_socket_address(const char *text, uint16_t port, struct sockaddr_storage *to);

// Gives the question up or back; the thread may still be at it. NULL is harmless.
void pw_resolve_drop(struct pw_resolve *question);

#endif
