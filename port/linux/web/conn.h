// conn: one connection as the files of this room share it.
#ifndef PW_LINUX_WEB_CONN_H
#define PW_LINUX_WEB_CONN_H

#include "web.h"

#include <libwebsockets.h>

#define CONNS_MAX (1U << 16) // a conn's number is generation * CONNS_MAX + slot

// A message waiting to be sent, with the room libwebsockets wants before it.
struct frame {
    struct frame *next;
    size_t len;
    unsigned char bytes[]; // LWS_PRE + len
};

// Header values that the central judges, kept until the body is complete.
struct request_text {
    char path[512];
    char query[512];
    char host[256];
    char origin[256];
    char cookie[512];
    char csrf[128];
    char etag[128];
};

struct conn {
    struct pw_web *web;
    struct lws *wsi;
    uint64_t number;
    char address[48];

    bool link;   // the central knows it as a charge point's link
    bool ready;  // the WebSocket is established
    bool paused; // nothing is to be read
    bool stream; // it is an event stream
    bool head;   // HEAD: no body

    // WebSocket, outgoing.
    struct frame *first;
    struct frame *last;
    size_t waiting; // bytes in the queue
    bool ping;
    unsigned close_code; // 0: stay open
    char close_reason[124];

    // Message or body being received; body being sent.
    char *text;
    size_t text_len;
    size_t text_cap;
    unsigned char *body; // LWS_PRE + body_len
    size_t body_len;
    size_t body_sent;

    struct request_text *request; // while one is being served
    enum pw_http_method method;
};

struct pw_web {
    struct pw_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct pw_central *central;
    const struct pw_log *log;
    struct pw_central_net net;
    uint64_t generation;
    uint32_t next_slot;
    struct conn *conns[CONNS_MAX];
};

struct pw_instant conn_instant(const struct pw_web *web);
// The connection of a wsi, made on first use; NULL without memory.
struct conn *conn_of(struct pw_web *web, struct lws *wsi);
// Appends to the text being received. PW_ERR_LIMIT beyond `max`.
PW_MUST_USE int conn_append(struct conn *conn, const void *bytes, size_t len, size_t max);
void conn_forget_text(struct conn *conn);
// Asks for the connection to be closed once what waits is sent.
void conn_close(struct conn *conn, unsigned code, const char *reason);

// libwebsockets callbacks of HTTP (http.c) and of links (link.c): 0 go on, -1 close.
int http_confirm_upgrade(struct conn *conn, const char *protocol);
int http_request(struct conn *conn);
int http_body(struct conn *conn, const void *bytes, size_t len);
int http_body_end(struct conn *conn);
int http_writable(struct conn *conn);
// Sends a short answer with a JSON error and closes. `challenge` adds the Basic challenge.
int http_refuse(struct conn *conn, int status, const char *reason, bool challenge);

int link_received(struct conn *conn, const void *bytes, size_t len);
int link_writable(struct conn *conn);
void link_net(struct pw_web *web);

#endif
