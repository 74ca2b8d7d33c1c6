// proxy: the HTTP proxy through which connections leave, as a value that is made once and given to
// whoever connects, and what is said to it (CONNECT, RFC 9110 §9.3.6) and heard of it. Pure: the
// sockets are tunnel.h's, and libcurl's.
#ifndef PW_LINUX_PROXY_H
#define PW_LINUX_PROXY_H

#include "base/base.h"

#define PW_PROXY_HOST_SIZE   256
#define PW_PROXY_SECRET_SIZE 65  // user and password, each
#define PW_PROXY_DIRECT_SIZE 201 // network.no_proxy
#define PW_PROXY_ASK_SIZE    1024
#define PW_PROXY_HEAD_MAX    8192 // bytes of the head of its answer
#define PW_PROXY_WHY_SIZE    80

struct pw_proxy {
    char host[PW_PROXY_HOST_SIZE]; // name or address, without brackets; "": there is no proxy
    uint16_t port;
    char user[PW_PROXY_SECRET_SIZE];
    char password[PW_PROXY_SECRET_SIZE];
    char direct[PW_PROXY_DIRECT_SIZE]; // hosts and suffixes that are reached without it
    const char *fault; // NULL, or why nothing may go through it: no connection is made then
};

// http://[user@]host[:port], 8080 without a port; empty: none. Only host, port and user of *proxy
// change. PW_OK or PW_ERR_RANGE with *why.
PW_MUST_USE int pw_proxy_read_url(struct pw_str url, struct pw_proxy *proxy, struct pw_out *why);
// Names and addresses with commas between; "example.org" is also every name that ends in
// ".example.org". Only `direct` changes. PW_OK or PW_ERR_RANGE with *why.
PW_MUST_USE int pw_proxy_read_direct(struct pw_str list, struct pw_proxy *proxy,
                                     struct pw_out *why);

// Whether a connection to `host` goes through it. Never to this machine: localhost, names that end
// in .localhost, 127.0.0.0/8, ::1. `proxy` NULL: never.
bool pw_proxy_leads(const struct pw_proxy *proxy, struct pw_str host);

// The request for a tunnel. `host` is a name or an address without brackets. PW_ERR_LIMIT when
// there is no room, PW_ERR_RANGE for a host with other characters than names and addresses have.
PW_MUST_USE int pw_proxy_put_connect(const struct pw_proxy *proxy, struct pw_str host,
                                     uint16_t port, struct pw_out *out);

// Why there is no tunnel after an answer with that HTTP status, as people say it.
void pw_proxy_put_refusal(unsigned status, struct pw_out *why);

// Its answer, byte by byte. Begin with zeros.
struct pw_proxy_answer {
    size_t heard;
    size_t line_len;             // of the line that is being heard
    char line[13];               // the first bytes of the answer: "HTTP/1.1 200 "
    unsigned status;             // 0: not known yet
    bool open;                   // the tunnel begins with the next byte
    bool refused;                // there will be none
    char why[PW_PROXY_WHY_SIZE]; // of `refused`
};
// Takes bytes until the answer is open or refused, and returns how many it took: what follows an
// open one is the server's.
size_t pw_proxy_hear(struct pw_proxy_answer *answer, struct pw_str bytes);

#endif
