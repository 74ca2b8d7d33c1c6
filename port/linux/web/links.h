// links: the charge points' WebSocket links as the two files of this room share them.
#ifndef PW_LINUX_WEB_LINKS_H
#define PW_LINUX_WEB_LINKS_H

#include "conn.h"
#include "web.h"

#define CONNS_MAX      (1U << 16)
#define UNFINISHED_MAX 512 // a site with many stations may have one address

struct pw_web {
    struct pw_loop *loop;
    struct pw_httpd *httpd;
    struct pw_central *central;
    struct pw_central_net net;
    struct pw_http_site site;
};

// What a peer's certificate says, once its chain has been verified; empty texts without one.
struct certificate {
    char common_name[PW_CENTRAL_STATION_MAX + 1];
    char serial[PW_CENTRAL_SERIAL_MAX];
};

void certificate_of(struct lws *wsi, struct certificate *to);

extern const struct pw_httpd_links web_links;
void link_net(struct pw_web *web);

#endif
