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

extern const struct pw_httpd_links web_links;
void link_net(struct pw_web *web);

#endif
