// wsparts: what the files of the WebSocket client share among themselves. Nobody else includes
// this.
#ifndef PW_LINUX_WSPARTS_H
#define PW_LINUX_WSPARTS_H

#include "proxy/tunnel.h"
#include "resolve.h"
#include "wsaddress.h"
#include "wsclient.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>

#define USER_SIZE     64
#define PASSWORD_SIZE 65
#define HEADER_SIZE   256
#define NAME_SIZE     32

struct pw_ws_client {
    struct pw_loop *loop;
    const struct pw_clock *pace;
    ev_timer alarm;
    struct lws_context *context;
    struct lws *wsi;
    const struct pw_proxy *proxy; // NULL: none
    struct pw_tunnel tunnel;
    int through; // the tunnel's socket on its way to libwebsockets; -1: none

    enum pw_ws_state state;
    struct pw_ws_address to;
    char user[USER_SIZE];
    char password[PASSWORD_SIZE];
    size_t password_len;
    SSL_CTX *ssl_ctx; // of every TLS connection; NULL without TLS
    const struct pw_ws_tls *rules;
    char refused[PW_PEER_REFUSED_SIZE]; // why the server has not the pin; empty: it was not asked
    char subprotocol[NAME_SIZE];
    bool tls;     // was set up
    bool reached; // the present address accepted the connection
    bool failed;  // libwebsockets gave the present address up
    bool ended;   // `end` waits to be taken
    // These leave when the socket takes more.
    bool ping_due;
    bool close_due;
    bool out_waits;
    bool deaf;     // what still comes is not looked at
    bool in_whole; // a message waits in `in`
    enum lws_close_status close_code;
    struct pw_resolve *question;
    struct pw_addresses found;
    size_t tried; // addresses of `found`
    struct pw_ws_end end;
    pw_ms deadline; // of the present state
    pw_ms ping_ms;  // 0: none
    pw_ms ping_at;
    pw_ms pong_by; // PW_NEVER: none outstanding
    size_t in_len;
    size_t out_len;
    char in[PW_WS_MESSAGE_MAX];
    unsigned char out[LWS_PRE + PW_WS_MESSAGE_MAX];
};

// wsclient.c. Why a connection ended: the first one told is the cause, the later ones follow of it.
void pw_ws_note_end(struct pw_ws_client *client, const char *reason);
void pw_ws_note_fault(struct pw_ws_client *client, enum pw_ws_fault fault);

// wstls.c. The SSL_CTX of every connection, once it is there.
void pw_ws_tls_watch(struct pw_ws_client *client, void *ssl_ctx);
// Before each connection. PW_OK, or PW_ERR_RANGE: it must not be made, and why is noted.
PW_MUST_USE int pw_ws_tls_prepare(struct pw_ws_client *client);
// Each certificate of the server's chain as OpenSSL judged it; not 0: the connection ends.
int pw_ws_tls_verify(struct pw_ws_client *client, X509_STORE_CTX *check, bool good);
// The handshake is done; not 0: nothing must be said, and the connection ends.
int pw_ws_tls_ready(struct pw_ws_client *client);

#endif
