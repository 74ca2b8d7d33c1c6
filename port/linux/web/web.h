// web: the central's port: HTTP and event streams through httpd, and the OCPP WebSocket on the same
// port. It frames and buffers, within bounds; what to answer is the central's business.
// Bounds: PW_CENTRAL_MESSAGE_MAX a message, PW_CENTRAL_BODY_MAX a body, PW_CENTRAL_SEND_MAX waiting
// bytes a link, 10 s for a handshake or a request.
#ifndef PW_LINUX_WEB_H
#define PW_LINUX_WEB_H

#include "central.h"

#include <httpd.h>
#include <loop.h>

struct pw_web;

// Listens on `host` (address or name; NULL or empty: all) and `port` (0: a free one). The returned
// server serves nobody before pw_web_serve. PW_ERR_LIMIT when the port is taken or may not be used.
// With `tls` (may be NULL; see httpd.h) also there: the same pages, and wss for stations of
// security profiles 2 and 3. `trusted_proxy` as in httpd.h. PW_ERR_STORE: its port is taken, or its
// files are none.
PW_MUST_USE int pw_web_open(struct pw_web **web, struct pw_loop *loop, const char *host,
                            uint16_t port, const struct pw_httpd_tls *tls,
                            const char *trusted_proxy);
// As pw_httpd_reload.
PW_MUST_USE int pw_web_reload(struct pw_web *web, struct pw_out *why);
uint16_t pw_web_port(const struct pw_web *web);
uint16_t pw_web_tls_port(const struct pw_web *web); // 0 without

// What the central asks of the network; valid as long as the server.
const struct pw_central_net *pw_web_net(const struct pw_web *web);

// From now on inputs go to `central`.
void pw_web_serve(struct pw_web *web, struct pw_central *central);

// Closes every connection (1001, going away) and frees. The central must still be there.
void pw_web_close(struct pw_web *web);

#endif
