// wsaddress: the URL of a WebSocket server, taken apart, and what a client says there of itself.
#ifndef PW_LINUX_WSADDRESS_H
#define PW_LINUX_WSADDRESS_H

#include "base/base.h"

#define PW_WS_HOST_SIZE 256
#define PW_WS_PATH_SIZE 512

struct pw_ws_address {
    bool tls;
    uint16_t port;
    char host[PW_WS_HOST_SIZE];
    char path[PW_WS_PATH_SIZE];
};

// NULL, or what is wrong with it.
const char *pw_ws_parse_url(struct pw_str url, struct pw_ws_address *to);
// Appends the station's identity to the path, escaped. PW_ERR_LIMIT when it is too long.
PW_MUST_USE int pw_ws_append_id(struct pw_ws_address *to, struct pw_str id);
// The value of a Basic Authorization header (RFC 7617: the password may hold any byte).
// PW_ERR_LIMIT when it does not fit.
PW_MUST_USE int pw_ws_put_credentials(struct pw_out *header, const char *user,
                                      struct pw_str password);

#endif
