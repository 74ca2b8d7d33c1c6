// wsaddress: the URL of a WebSocket server, taken apart.
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

#endif
