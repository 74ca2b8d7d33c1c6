// conn: one connection as the files of this room share it, and as a room that speaks WebSocket on
// the same port sees it.
#ifndef PW_LINUX_HTTPD_CONN_H
#define PW_LINUX_HTTPD_CONN_H

#include "http/head.h"
#include "httpd.h"

#include <ev.h>
#include <libwebsockets.h>

// Header values that the site judges, kept until the body is complete.
struct request_text {
    char path[PW_HTTP_TARGET_MAX + 1];
    char query[PW_HTTP_TARGET_MAX + 1];
    char host[256];
    char origin[256];
    char cookie[512];
    char csrf[128];
    char etag[128];
    char range[128];
    char if_range[128];
    char authorization[512];
};

struct conn {
    struct pw_httpd *httpd;
    struct lws *wsi;
    uint64_t number; // generation * connections + slot
    char address[48];
    bool proxied;  // it comes from the trusted proxy
    char from[48]; // who asks: `address`, or whom the proxy names
    bool secure;   // over TLS, to us or to the proxy
    void *link;    // of the room that speaks WebSocket; NULL: none

    bool stream; // it is an event stream, or a WebSocket of the site
    bool socket; // the latter
    bool waits;  // its request will be served again
    bool head;   // HEAD: no body
    bool pieces; // its request's body goes to the site piece by piece; `text` is what waits there
    bool whole;  // … its last byte has come …
    bool woken;  // … and the site can take more
    bool failed; // the site wants no more of it
    bool closes; // behind its answer, because the rest of its body is not read
    uint64_t thrown;    // bytes of it that nobody wants
    uint64_t length;    // bytes of its body, as its header says
    bool flows;         // its answer's body comes from the site piece by piece …
    uint64_t flow_left; // … and so much of it is to come

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

// What a WebSocket room does with a connection. Each `int`: 0 go on, -1 close.
struct pw_httpd_links {
    const char *protocol; // the subprotocol that is spoken
    int (*confirm)(void *context, struct conn *conn);
    void (*established)(struct conn *conn);
    int (*received)(void *context, struct conn *conn, const void *bytes, size_t len);
    void (*pong)(void *context, struct conn *conn);
    int (*writable)(struct conn *conn);
    void (*ended)(void *context, struct conn *conn); // once for every connection with a `link`
};

// A connection whose first request has not come whole.
struct stranger {
    struct lws *wsi;
    char address[48];
};

#define STRANGERS_MAX 1024

struct pw_httpd {
    struct pw_httpd_config config;
    struct stranger stranger[STRANGERS_MAX];
    size_t strangers;
    struct lws_protocols protocols[3];
    struct lws_context *context;
    struct lws_vhost *vhost; // NULL: TLS only
    struct lws_vhost *tls;   // NULL: none
    ev_timer nudge;          // sites that can take more of a body are asked from the loop
    void *tls_ctx;           // its SSL_CTX
    const struct pw_http_site *site;
    uint64_t generation;
    size_t next_slot;
    struct conn *conns[]; // config.connections
};

// The connection of this number; NULL when it is gone.
struct conn *conn_find(const struct pw_httpd *httpd, uint64_t number);
// Appends to the text being received. PW_ERR_LIMIT beyond `max`.
PW_MUST_USE int conn_append(struct conn *conn, const void *bytes, size_t len, size_t max);
void conn_forget_text(struct conn *conn);

// A header of the request. One that does not fit counts as empty: whoever needs it refuses.
struct pw_str conn_header(struct lws *wsi, enum lws_token_indexes token, char *to, int cap);
// Sends a short answer in words and closes (-1). `challenge` adds the Basic challenge.
int conn_refuse(struct conn *conn, int status, const char *reason, bool challenge);
// Such an answer, whole.
void conn_put_refusal(struct pw_out *out, const struct pw_httpd *httpd, bool secure, int status,
                      const char *reason, bool challenge);

// gate.c: whoever comes is let through with one good head at a time.
int gate_open(const struct pw_httpd *httpd, struct lws *wsi); // -1: no memory
// Its request has come whole.
void gate_answers(struct lws *wsi);
// A request with a body of that many bytes was answered, and another one may come. False: more was
// read than this one, and nobody has judged it; the connection has to end.
bool gate_again(struct lws *wsi, uint64_t body);
// False when gate_again will be: over TLS nobody sees where a body ends that comes in records of
// its own.
bool gate_may_stay(struct lws *wsi, uint64_t body);
// Whether the head that libwebsockets has read is the one that was let through. Another one came
// with it, and is not served.
bool gate_passed(struct lws *wsi);
void gate_end(struct lws *wsi); // it has gone, or HTTP is over; harmless without a gate

// forwarded.c: reads who asks out of the request's headers, into `from` and `secure`.
void conn_read_origin(struct conn *conn);

// request.c: libwebsockets' callbacks of HTTP.
int request_head(struct conn *conn);
int request_body(struct conn *conn, const void *bytes, size_t len);
int request_end(struct conn *conn);
int request_writable(struct conn *conn);
void request_offer(struct conn *conn); // the site can take more of a body
// Whether the site accepts this upgrade request. 0: yes; -1: it has been refused.
int request_upgrade(struct conn *conn);

// socket.c: a WebSocket of the site.
int socket_receive(struct conn *conn, const void *bytes, size_t len);
int socket_writable(struct conn *conn);

#endif
