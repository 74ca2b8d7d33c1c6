// Requests and answers, and event streams.
#include "conn.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 4096            // bytes of an answer's header
#define CHUNK      16384           // bytes of a body or stream written at once
#define LATER_S    60              // the longest that a request may wait for its answer
#define PIECE_S    10              // the longest that a peer may send nothing of a body
#define STILL_S    60              // the longest that a peer may take nothing of a body that flows
#define HELD       ((size_t)65536) // bytes of a body that may wait until the site takes them
#define THROWN     ((uint64_t)16 << 20) // bytes of a refused body that are read all the same

struct pw_str conn_header(struct lws *wsi, enum lws_token_indexes token, char *to, int cap)
{
    int len = lws_hdr_copy(wsi, to, cap, token);
    return (struct pw_str){.at = to, .len = len > 0 ? (size_t)len : 0};
}

// --- Answers.

struct head {
    unsigned char room[LWS_PRE + HEADER_MAX];
    unsigned char *at;
    bool bad;
};

static void add(struct conn *conn, struct head *head, const char *name, const char *value)
{
    head->bad |= lws_add_http_header_by_name(conn->wsi, (const unsigned char *)name,
                                             (const unsigned char *)value, (int)strlen(value),
                                             &head->at, head->room + sizeof(head->room)) != 0;
}

static void add_number(struct conn *conn, struct head *head, const char *name, uint64_t value)
{
    char text[24];
    struct pw_out out = PW_OUT(text);
    pw_put_uint(&out, value);
    add(conn, head, name, text);
}

static void start(struct conn *conn, struct head *head, int status)
{
    head->at = head->room + LWS_PRE;
    head->bad = lws_add_http_header_status(conn->wsi, (unsigned)status, &head->at,
                                           head->room + sizeof(head->room)) != 0;
}

static int finish(struct conn *conn, struct head *head)
{
    head->bad |=
        lws_finalize_http_header(conn->wsi, &head->at, head->room + sizeof(head->room)) != 0;
    size_t len = (size_t)(head->at - (head->room + LWS_PRE));
    return head->bad || lws_write(conn->wsi, head->room + LWS_PRE, len, LWS_WRITE_HTTP_HEADERS) < 0
               ? -1
               : 0;
}

static const struct {
    const char *name;
    const char *value;
} security[] = {
    {"x-content-type-options:", "nosniff"},
    {"referrer-policy:", "no-referrer"},
    {"x-frame-options:", "DENY"},
    {"cross-origin-resource-policy:", "same-origin"},
};
static const char no_page[] = "default-src 'none'; frame-ancestors 'none'";
static const char hsts_value[] = "max-age=31536000";

static void add_security(struct conn *conn, struct head *head, const struct pw_http_reply *reply)
{
    for (size_t i = 0; i < PW_COUNT(security); i++) {
        add(conn, head, security[i].name, security[i].value);
    }
    if (conn->secure && conn->httpd->config.hsts) {
        add(conn, head, "strict-transport-security:", hsts_value);
    }
    add(conn, head, "content-security-policy:",
        reply->page ? "default-src 'none'; script-src 'self'; style-src 'self'; "
                      "img-src 'self'; font-src 'self'; connect-src 'self'; "
                      "manifest-src 'self'; base-uri 'none'; form-action 'self'; "
                      "frame-ancestors 'none'"
                    : no_page);
}

static int keep_body(struct conn *conn, struct pw_str body)
{
    free(conn->body);
    conn->body = malloc(LWS_PRE + body.len);
    if (conn->body == NULL) {
        return -1;
    }
    if (body.len > 0) {
        memcpy(conn->body + LWS_PRE, body.at, body.len);
    }
    conn->body_len = body.len;
    conn->body_sent = 0;
    return 0;
}

static int answered(struct conn *conn)
{
    free(conn->body);
    conn->body = NULL;
    if (conn->closes) {
        // Who closes on bytes he has not read takes his own answer back (RFC 9112 §9.6): what is
        // still on its way is read for a moment, and thrown away.
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_S);
        return 0;
    }
    bool goes_on =
        gate_again(conn->wsi, conn->length) && lws_http_transaction_completed(conn->wsi) == 0;
    return goes_on ? 0 : -1;
}

static const char challenge_text[] = "Basic realm=\"pilotwire\"";

// The headers that a reply asks for, but for those of its body's length.
static void add_asked(struct conn *conn, struct head *head, const struct pw_http_reply *reply)
{
    add_security(conn, head, reply);
    if (reply->content_type != NULL) {
        add(conn, head, "content-type:", reply->content_type);
    }
    if (reply->gzip) {
        add(conn, head, "content-encoding:", "gzip");
    }
    if (reply->etag != NULL) {
        add(conn, head, "etag:", reply->etag);
    }
    add(conn, head, "cache-control:",
        reply->immutable      ? "public, max-age=31536000, immutable"
        : reply->etag != NULL ? "no-cache"
                              : "no-store");
    if (reply->cookie[0] != '\0') {
        add(conn, head, "set-cookie:", reply->cookie);
    }
    if (reply->allow[0] != '\0') {
        add(conn, head, "allow:", reply->allow);
    }
    if (reply->location[0] != '\0') {
        add(conn, head, "location:", reply->location);
    }
    if (reply->retry_after_s > 0) {
        add_number(conn, head, "retry-after:", reply->retry_after_s);
    }
    if (reply->challenge) {
        add(conn, head, "www-authenticate:", challenge_text);
    }
    if (reply->ranges) {
        add(conn, head, "accept-ranges:", "bytes");
    }
    if (reply->content_range[0] != '\0') {
        add(conn, head, "content-range:", reply->content_range);
    }
    if (reply->attachment[0] != '\0') {
        char text[128];
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "attachment; filename=\"");
        pw_put_s(&out, reply->attachment);
        pw_put_c(&out, '"');
        add(conn, head, "content-disposition:", text);
    }
}

static void flow_end(struct conn *conn)
{
    conn->flows = false;
    conn->httpd->site->stream_closed(conn->httpd->site->context, conn->number);
}

// Begins a body that flows; `head` lacks its length.
static int flow_begin(struct conn *conn, struct head *head, uint64_t length)
{
    conn->flows = true;
    conn->flow_left = length;
    add_number(conn, head, "content-length:", length);
    if (finish(conn, head) != 0) {
        return -1;
    }
    if (length == 0 || conn->head) {
        flow_end(conn);
        return answered(conn);
    }
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, STILL_S);
    (void)lws_callback_on_writable(conn->wsi);
    return 0;
}

static int flow_write(struct conn *conn)
{
    unsigned char room[LWS_PRE + CHUNK];
    const struct pw_http_site *site = conn->httpd->site;
    size_t most = conn->flow_left < CHUNK ? (size_t)conn->flow_left : CHUNK;
    int len = site->flow(site->context, conn->number, (char *)room + LWS_PRE, most);
    if (len <= 0 || (size_t)len > most) {
        return -1;
    }
    conn->flow_left -= (uint64_t)len;
    bool last = conn->flow_left == 0;
    if (lws_write(conn->wsi, room + LWS_PRE, (size_t)len,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
        return -1;
    }
    if (last) {
        flow_end(conn);
        return answered(conn);
    }
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, STILL_S);
    (void)lws_callback_on_writable(conn->wsi);
    return 0;
}

static int answer(struct conn *conn, const struct pw_http_reply *reply)
{
    struct head head;
    if (!conn->closes) { // else the rest of its body is still thrown away
        gate_answers(conn->wsi);
    }
    start(conn, &head, reply->status);
    add_asked(conn, &head, reply);
    if (conn->closes || (!reply->stream && !gate_may_stay(conn->wsi, conn->length))) {
        add(conn, &head, "connection:", "close");
    }
    if (reply->stream) {
        add(conn, &head, "connection:", "close"); // its end is the end of the connection
        conn->stream = true;
        lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
        (void)lws_http_mark_sse(conn->wsi);
        if (finish(conn, &head) != 0) {
            return -1;
        }
        (void)lws_callback_on_writable(conn->wsi);
        return 0;
    }
    if (reply->flow) {
        return flow_begin(conn, &head, reply->length);
    }
    if (reply->status != 204 && reply->status != 304) {
        add_number(conn, &head, "content-length:", reply->body.len);
    }
    if (finish(conn, &head) != 0) {
        return -1;
    }
    if (reply->body.len == 0 || conn->head) {
        return answered(conn);
    }
    if (keep_body(conn, reply->body) != 0) {
        return -1;
    }
    (void)lws_callback_on_writable(conn->wsi);
    return 0;
}

static const char *words_of(int status)
{
    static const struct {
        int status;
        const char *words;
    } rows[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (rows[i].status == status) {
            return rows[i].words;
        }
    }
    return "Refused";
}

static void put_header(struct pw_out *out, const char *name, const char *value)
{
    pw_put_s(out, name);
    pw_put_c(out, ' ');
    pw_put_s(out, value);
    pw_put_s(out, "\r\n");
}

void conn_put_refusal(struct pw_out *out, const struct pw_httpd *httpd, bool secure, int status,
                      const char *reason, bool challenge)
{
    pw_put_s(out, "HTTP/1.1 ");
    pw_put_int(out, status);
    pw_put_c(out, ' ');
    pw_put_s(out, words_of(status));
    pw_put_s(out, "\r\n");
    for (size_t i = 0; i < PW_COUNT(security); i++) {
        put_header(out, security[i].name, security[i].value);
    }
    if (secure && httpd->config.hsts) {
        put_header(out, "strict-transport-security:", hsts_value);
    }
    if (challenge) {
        put_header(out, "www-authenticate:", challenge_text);
    }
    put_header(out, "content-security-policy:", no_page);
    put_header(out, "cache-control:", "no-store");
    put_header(out, "content-type:", "text/plain; charset=utf-8");
    put_header(out, "connection:", "close");
    pw_put_s(out, "content-length: ");
    pw_put_uint(out, strlen(reason) + 1);
    pw_put_s(out, "\r\n\r\n");
    pw_put_s(out, reason);
    pw_put_c(out, '\n');
}

int conn_refuse(struct conn *conn, int status, const char *reason, bool challenge)
{
    unsigned char room[LWS_PRE + 1024];
    struct pw_out out = {.at = (char *)room + LWS_PRE, .cap = sizeof(room) - LWS_PRE};
    conn_put_refusal(&out, conn->httpd, conn->secure, status, reason, challenge);
    if (!out.full) {
        (void)lws_write(conn->wsi, room + LWS_PRE, out.len, LWS_WRITE_HTTP_FINAL);
    }
    return -1; // close
}

// --- Requests.

static void take_method(struct conn *conn)
{
    static const struct {
        enum lws_token_indexes token;
        enum pw_http_method method;
        bool head;
    } rows[] = {
        {WSI_TOKEN_GET_URI, PW_HTTP_GET, false},
        {WSI_TOKEN_HEAD_URI, PW_HTTP_GET, true},
        {WSI_TOKEN_POST_URI, PW_HTTP_POST, false},
        {WSI_TOKEN_PUT_URI, PW_HTTP_PUT, false},
        {WSI_TOKEN_DELETE_URI, PW_HTTP_DELETE, false},
        {WSI_TOKEN_OPTIONS_URI, PW_HTTP_OTHER, false},
        {WSI_TOKEN_PATCH_URI, PW_HTTP_PATCH, false},
    };
    conn->method = PW_HTTP_OTHER;
    conn->head = false;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (lws_hdr_total_length(conn->wsi, rows[i].token) > 0) {
            conn->method = rows[i].method;
            conn->head = rows[i].head;
            (void)conn_header(conn->wsi, rows[i].token, conn->request->path,
                              sizeof(conn->request->path));
            return;
        }
    }
}

// False when it does not fit.
static bool take_query(struct conn *conn)
{
    struct pw_out out = PW_OUT(conn->request->query);
    char part[sizeof(conn->request->query)];
    for (int i = 0;
         lws_hdr_copy_fragment(conn->wsi, part, sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, i) > 0;
         i++) {
        if (i > 0) {
            pw_put_c(&out, '&');
        }
        pw_put_s(&out, part);
    }
    return !out.full;
}

// False when one does not fit: an Origin that was cut off must not pass for none at all.
static bool take_headers(struct conn *conn)
{
    struct request_text *to = conn->request;
    struct lws *wsi = conn->wsi;
    const struct {
        enum lws_token_indexes token;
        char *to;
        size_t cap;
    } rows[] = {
        {WSI_TOKEN_HOST, to->host, sizeof(to->host)},
        {WSI_TOKEN_ORIGIN, to->origin, sizeof(to->origin)},
        {WSI_TOKEN_HTTP_AUTHORIZATION, to->authorization, sizeof(to->authorization)},
        {WSI_TOKEN_HTTP_COOKIE, to->cookie, sizeof(to->cookie)},
        {WSI_TOKEN_HTTP_IF_NONE_MATCH, to->etag, sizeof(to->etag)},
        {WSI_TOKEN_HTTP_RANGE, to->range, sizeof(to->range)},
        {WSI_TOKEN_HTTP_IF_RANGE, to->if_range, sizeof(to->if_range)},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if ((size_t)lws_hdr_total_length(wsi, rows[i].token) >= rows[i].cap) {
            return false;
        }
        (void)conn_header(wsi, rows[i].token, rows[i].to, (int)rows[i].cap);
    }
    if (lws_hdr_custom_copy(wsi, to->csrf, sizeof(to->csrf), "x-csrf:", 7) < 0) {
        to->csrf[0] = '\0';
    }
    return true;
}

static struct pw_http_request request_of(const struct conn *conn)
{
    const struct request_text *from = conn->request;
    return (struct pw_http_request){
        .method = conn->method,
        .path = pw_str_of(from->path),
        .query = pw_str_of(from->query),
        .body = {.at = conn->text, .len = conn->text_len},
        .host = pw_str_of(from->host),
        .origin = pw_str_of(from->origin),
        .cookie = pw_str_of(from->cookie),
        .csrf = pw_str_of(from->csrf),
        .etag = pw_str_of(from->etag),
        .authorization = pw_str_of(from->authorization),
        .range = pw_str_of(from->range),
        .if_range = pw_str_of(from->if_range),
        .address = pw_str_of(conn->from),
        .secure = conn->secure,
        .length = conn->length,
        .stream = conn->number,
    };
}

static void forget_request(struct conn *conn)
{
    free(conn->request);
    conn->request = NULL;
    conn_forget_text(conn);
}

static int serve(struct conn *conn)
{
    const struct pw_http_request request = request_of(conn);
    struct pw_http_reply reply = {0};
    const struct pw_http_site *site = conn->httpd->site;
    const struct pw_clock *clock = conn->httpd->config.loop->clock;
    site->serve(site->context, &request, &reply, pw_clock_now(clock), pw_clock_wall(clock));
    if (reply.later) {
        if (!conn->waits) {
            lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LATER_S);
            gate_answers(conn->wsi);
        }
        conn->waits = true;
        return 0;
    }
    conn->waits = false;
    forget_request(conn);
    return answer(conn, &reply);
}

// Reads what the request's header says, into a room of its own. -1 after refusing.
static int take_request(struct conn *conn)
{
    free(conn->request);
    conn->request = calloc(1, sizeof(*conn->request));
    if (conn->request == NULL) {
        return -1;
    }
    conn_read_origin(conn);
    take_method(conn);
    if (!take_query(conn)) {
        return conn_refuse(conn, 414, "what is asked for is too long", false);
    }
    return take_headers(conn) ? 0 : conn_refuse(conn, 431, "a header is too long", false);
}

int request_upgrade(struct conn *conn)
{
    if (take_request(conn) != 0) {
        return -1;
    }
    const struct pw_http_request request = request_of(conn);
    struct pw_http_reply reply = {0};
    const struct pw_http_site *site = conn->httpd->site;
    const struct pw_clock *clock = conn->httpd->config.loop->clock;
    site->socket(site->context, &request, &reply, pw_clock_now(clock), pw_clock_wall(clock));
    forget_request(conn);
    if (reply.stream) {
        conn->stream = true;
        conn->socket = true;
        return 0;
    }
    char text[256];
    struct pw_out why = PW_OUT(text);
    pw_put(&why, reply.body);
    return conn_refuse(conn, reply.status, text, reply.challenge);
}

static int refuse_length(struct conn *conn, uint64_t most)
{
    char text[64];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "the body may be at most ");
    pw_put_uint(&out, most);
    pw_put_s(&out, " bytes long");
    return conn_refuse(conn, 413, text, false);
}

// Asks the site whether it wants this body in pieces. False: the request has been answered, and
// *result is what the callback returns.
static bool begin_pieces(struct conn *conn, int *result)
{
    const struct pw_http_site *site = conn->httpd->site;
    const struct pw_clock *clock = conn->httpd->config.loop->clock;
    const struct pw_http_request request = request_of(conn);
    struct pw_http_reply reply = {0};
    uint64_t most = site->takes != NULL ? site->takes(site->context, &request, &reply,
                                                      pw_clock_now(clock), pw_clock_wall(clock))
                                        : 0;
    if (reply.status != 0) {
        conn->closes = true;
        forget_request(conn);
        *result = answer(conn, &reply);
        return false;
    }
    conn->pieces = most > 0;
    if (conn->length > (conn->pieces ? most : conn->httpd->config.body_max)) {
        *result = refuse_length(conn, conn->pieces ? most : conn->httpd->config.body_max);
        return false;
    }
    return true;
}

int request_head(struct conn *conn)
{
    char length[24];
    if (take_request(conn) != 0) {
        return -1;
    }
    struct pw_str len =
        conn_header(conn->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof(length));
    int64_t bytes = 0;
    int result = 0;
    bool given = len.len > 0;
    if (given && pw_parse_int(len, 0, INT64_MAX, &bytes) != PW_OK) {
        return -1; // the gate let another number through
    }
    conn->length = (uint64_t)bytes;
    bool body = conn->method == PW_HTTP_POST || conn->method == PW_HTTP_PUT ||
                conn->method == PW_HTTP_PATCH;
    if (body && !given) {
        return conn_refuse(conn, 411, "a body needs a Content-Length", false);
    }
    if (bytes > 0 && !begin_pieces(conn, &result)) {
        return result;
    }
    if (bytes > 0 || (conn->method == PW_HTTP_POST && given)) {
        return 0; // the body comes, if only as its end
    }
    return serve(conn);
}

// The body has been handed over, or the site wants no more of it.
static int end_pieces(struct conn *conn, bool early)
{
    conn->pieces = false;
    conn->whole = false;
    conn->failed = false;
    conn->closes = conn->closes || early;
    conn_forget_text(conn);
    return serve(conn);
}

// Offers bytes to the site; what it does not take waits in `text`, and nothing more is read.
// PW_OK or an error, after which the site wants no more.
static int offer(struct conn *conn, struct pw_str bytes)
{
    const struct pw_http_site *site = conn->httpd->site;
    int taken = site->piece(site->context, conn->number, bytes,
                            pw_clock_now(conn->httpd->config.loop->clock));
    if (taken < 0 || (size_t)taken > bytes.len) {
        return PW_ERR_STORE;
    }
    size_t rest = bytes.len - (size_t)taken;
    if (bytes.at == conn->text) {
        memmove(conn->text, conn->text + taken, rest);
        conn->text_len = rest;
    } else if (rest > 0 && conn_append(conn, bytes.at + taken, rest, HELD) != PW_OK) {
        return PW_ERR_LIMIT;
    }
    (void)lws_rx_flow_control(conn->wsi, rest > 0 ? 0 : 1);
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, rest > 0 ? STILL_S : PIECE_S);
    return PW_OK;
}

void request_offer(struct conn *conn)
{
    if (!conn->pieces || conn->text_len == 0) {
        return;
    }
    conn->failed = offer(conn, (struct pw_str){.at = conn->text, .len = conn->text_len}) != PW_OK;
    if (conn->failed || (conn->text_len == 0 && conn->whole)) {
        (void)lws_rx_flow_control(conn->wsi, 1);
        (void)lws_callback_on_writable(conn->wsi); // the answer is made there
    }
}

int request_body(struct conn *conn, const void *bytes, size_t len)
{
    if (conn->failed || conn->closes) {
        conn->thrown += len; // refused: what still comes is not looked at
        return conn->thrown > THROWN ? -1 : 0;
    }
    if (!conn->pieces || conn->text_len > 0) {
        size_t most = conn->pieces ? HELD : conn->httpd->config.body_max;
        return conn_append(conn, bytes, len, most) == PW_OK ? 0 : -1;
    }
    bool good = offer(conn, (struct pw_str){.at = bytes, .len = len}) == PW_OK;
    return good ? 0 : end_pieces(conn, true);
}

int request_end(struct conn *conn)
{
    if (conn->pieces && conn->text_len > 0) {
        conn->whole = true; // once the site has taken the rest
        return 0;
    }
    if (conn->pieces) {
        return end_pieces(conn, false);
    }
    if (conn->closes) {
        return conn->body == NULL ? -1 : 0;
    }
    return conn->request != NULL ? serve(conn) : -1;
}

int request_writable(struct conn *conn)
{
    if (conn->waits) {
        // libwebsockets does not read while a request is served, so it does not see it either.
        return serve(conn);
    }
    if (conn->pieces) {
        bool ends = conn->failed || (conn->whole && conn->text_len == 0);
        return ends ? end_pieces(conn, conn->failed) : 0;
    }
    if (conn->stream) {
        unsigned char room[LWS_PRE + CHUNK];
        const struct pw_http_site *site = conn->httpd->site;
        int len = site->stream_take(site->context, conn->number, (char *)room + LWS_PRE, CHUNK);
        if (len < 0 ||
            (len > 0 && lws_write(conn->wsi, room + LWS_PRE, (size_t)len, LWS_WRITE_HTTP) < 0)) {
            return -1;
        }
        if (len == CHUNK) {
            (void)lws_callback_on_writable(conn->wsi);
        }
        return 0;
    }
    if (conn->flows) {
        return flow_write(conn);
    }
    if (conn->body == NULL) {
        return 0;
    }
    size_t rest = conn->body_len - conn->body_sent;
    size_t len = rest < CHUNK ? rest : CHUNK;
    bool last = len == rest;
    // libwebsockets writes headroom before the bytes only for other protocols than HTTP/1.1: what
    // was sent already may be there.
    if (lws_write(conn->wsi, conn->body + LWS_PRE + conn->body_sent, len,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
        return -1;
    }
    conn->body_sent += len;
    if (last) {
        return answered(conn);
    }
    (void)lws_callback_on_writable(conn->wsi);
    return 0;
}
