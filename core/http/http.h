// http: the port contract for pages and interfaces over HTTP. A port frames, buffers and bounds;
// a site says what to answer, and may turn a request into an event stream or a WebSocket, or keep
// it waiting. The functions below are what every site needs to read a request: all pure, linear in
// the text. Sources: RFC 9110, RFC 7617 (Basic), RFC 6265 §5.2, RFC 6454 §7 (Origin), RFC 6455;
// facts/reliability.md T41.
#ifndef PW_HTTP_H
#define PW_HTTP_H

#include "base/base.h"

#define PW_HTTP_ALLOW_MAX 40 // bytes of an Allow header with every method

enum pw_http_method {
    PW_HTTP_GET,
    PW_HTTP_POST,
    PW_HTTP_PUT,
    PW_HTTP_DELETE,
    PW_HTTP_PATCH,
    PW_HTTP_OTHER
};

struct pw_http_request {
    enum pw_http_method method; // HEAD comes as GET; the port leaves the body out
    struct pw_str path;         // without query, percent escapes decoded
    struct pw_str query;        // behind the question mark, escapes decoded; empty without one
    struct pw_str body;
    // Header values; empty when absent.
    struct pw_str host, origin, cookie, csrf, etag, authorization, range, if_range;
    struct pw_str address; // of who asks: the peer, or whom a trusted proxy names
    bool secure;           // over TLS, to us or to that proxy
    uint64_t length;       // bytes of the body, as the header says, also of one that is streamed
    uint64_t stream;       // number to use if this becomes a stream, or has to wait
};

struct pw_http_reply {
    int status;
    const char *content_type; // NULL: no body
    struct pw_str body;       // valid until the next call into the site
    bool gzip;                // the body is gzip-compressed
    bool stream;              // an event stream follows, no length; or the WebSocket is accepted
    bool later;               // no answer yet: see struct pw_http_site
    bool challenge;           // of a 401: asks for Basic credentials
    bool immutable;           // may be cached for a year
    bool page;                // an HTML page: wants the content security policy
    const char *etag;         // NULL or with quotes
    char cookie[160];         // Set-Cookie, or empty
    unsigned retry_after_s;   // 0: no Retry-After
    char location[320];       // where to go instead, of a 302 or 308, or empty
    char allow[PW_HTTP_ALLOW_MAX]; // the methods of a 405, or empty
    // A body that is not held in memory: `length` bytes of it come through the site's `flow`.
    bool flow;
    bool ranges; // says that parts of it can be asked for
    uint64_t length;
    char content_range[64]; // "bytes 0-99/1000" of a 206, "bytes */1000" of a 416, or empty
    char attachment[96];    // name under which a browser stores it instead of showing it, or empty:
                            // letters, digits, '.', '-' and '_' only
};

// What a port asks of a site.
//
// A request whose reply says `later` is kept. The site has its port serve it again, the same
// request with the same `stream`, through the call that also wakes streams; and again, until its
// reply is an answer. The port gives up after a minute. When the peer or the port gives up,
// stream_closed tells.
struct pw_http_site {
    void *context;
    void (*serve)(void *context, const struct pw_http_request *request, struct pw_http_reply *reply,
                  pw_ms now, pw_unix_ms wall);
    // Copies the next bytes of an event stream, or one text message of a WebSocket, and forgets
    // them; 0 when none wait. An error closes the stream: PW_ERR_LIMIT when the client was too
    // slow, PW_ERR_UNKNOWN without such a stream.
    int (*stream_take)(void *context, uint64_t stream, char *to, size_t cap);
    void (*stream_closed)(void *context, uint64_t stream);
    // Copies the next bytes, 1 to `cap`, of a body whose reply said `flow`; anything else breaks
    // the answer off. stream_closed tells the end of it, whole or not. A peer that takes nothing
    // for a minute is given up. NULL: no reply says `flow`.
    int (*flow)(void *context, uint64_t stream, char *to, size_t cap);
    // A body too large to be held is handed over in pieces. `takes` is asked with the header alone,
    // before the first byte of a body is taken: how many bytes a streamed body may have here; 0: it
    // is held, as every other. A reply with a status refuses the request (`later` and `stream` do
    // not count), and the connection closes. After it, `piece` gets the bytes in order and returns
    // how many it took; with fewer than it was given the port stops reading, and offers the rest
    // again when the site wakes the stream. PW_ERR_... ends the reading. Then `serve` gets the
    // request, its body empty: behind the last byte, or after the error. stream_closed tells when
    // the peer goes away before its answer. NULL, both: no body is streamed here.
    uint64_t (*takes)(void *context, const struct pw_http_request *request,
                      struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall);
    int (*piece)(void *context, uint64_t stream, struct pw_str bytes, pw_ms now);
    // Asked for a WebSocket without subprotocol; a reply without `stream` refuses it. NULL: none
    // are spoken here.
    void (*socket)(void *context, const struct pw_http_request *request,
                   struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall);
    // A whole text message of an accepted WebSocket; only with `socket`. The port closes one that
    // sends something else, or more than a request's body may have.
    void (*message)(void *context, uint64_t stream, struct pw_str text, pw_ms now);
};

// A file of a page, compressed by the build (web/embed.mjs) and kept in the program.
struct pw_http_asset {
    const char *path; // as requested, with leading slash: "/index.html", "/assets/app-3f2a.js"
    const char *content_type; // "text/html; charset=utf-8"
    const uint8_t *gzip;      // the file, gzip-compressed
    size_t len;               // bytes in `gzip`
    const char *etag;         // with its quotes: "\"3f2a91…\""
};

// Serves a file: "/" and every path without a dot that is no file are "/index.html"; paths under
// /assets/ never change their content and are cached for a year. False when there is no such file:
// *reply is left alone.
bool pw_http_file(const struct pw_http_asset *assets, size_t count,
                  const struct pw_http_request *request, struct pw_http_reply *reply);

// A parameter of the query, a cookie of the Cookie header; empty without it.
struct pw_str pw_http_query(struct pw_str query, const char *key);
struct pw_str pw_http_cookie(struct pw_str cookies, const char *name);

// True when `path` fits `pattern`, in which '*' stands for one segment; *param then holds it.
bool pw_http_path_fits(const char *pattern, struct pw_str path, struct pw_str *param);
// Sets the reply's Allow header to a set of 1 << enum pw_http_method (GET to PATCH).
void pw_http_allow(struct pw_http_reply *reply, unsigned methods);

// Which part of `size` bytes a request wants (RFC 9110 §14). PART: `len` bytes, 1 or more, from
// `first`. WHOLE also for what may be ignored: several ranges, another unit, nonsense, or an
// If-Range that is not `etag` (with its quotes). BEYOND is answered with 416.
enum pw_http_range { PW_HTTP_WHOLE, PW_HTTP_PART, PW_HTTP_BEYOND };
enum pw_http_range pw_http_range(const struct pw_http_request *request, struct pw_str etag,
                                 uint64_t size, uint64_t *first, uint64_t *len);

// Reads "Basic dXNlcjpwYXNz" into user and password, which lie in the caller's `room`. PW_ERR_PEER
// when it is something else, or longer than the room.
PW_MUST_USE int pw_http_basic(struct pw_str authorization, struct pw_out *room, struct pw_str *user,
                              struct pw_str *password);
// A field of a body that a form sends ("a=1&b=x%20y"), percent escapes and '+' decoded into `to`.
// False without such a field, or when it does not fit.
bool pw_http_form(struct pw_str body, const char *key, struct pw_out *to);

// A page of another site can make its own name point to us (DNS rebinding); its requests then carry
// that name as Host. True for an address (those cannot be rebound), localhost, or `own`, a name
// without port; empty: there is none.
bool pw_http_host_is_ours(struct pw_str host, struct pw_str own);
// True when the Origin header is absent or names the host the request was sent to; over TLS it must
// be one of https.
bool pw_http_origin_is_ours(const struct pw_http_request *request);

// Answers with 308 and the same path and query at `port` of the same host over TLS. False: the
// host, path or query cannot stand in a Location as they are; *reply is left alone.
bool pw_http_to_tls(const struct pw_http_request *request, uint16_t port,
                    struct pw_http_reply *reply);

// Whether a peer's address is this machine itself: where no password is set, only who sits there
// may change something.
bool pw_http_is_near(struct pw_str address);

// Compares a secret in a time that depends on the length of `given` only.
bool pw_http_same_secret(const char *secret, struct pw_str given);

#endif
