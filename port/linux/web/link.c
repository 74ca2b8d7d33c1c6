// Charge points' links: whole messages in, a bounded queue out.
#include "links.h"
#include "peer/peer.h"

#include <stdlib.h>
#include <string.h>

#define STALL_S 5 // a peer that takes nothing for this long when it is to be closed is cut off

#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 §1.3

// A message waiting to be sent, with the room libwebsockets wants before it.
struct frame {
    struct frame *next;
    size_t len;
    unsigned char bytes[]; // LWS_PRE + len
};

struct link {
    struct conn *conn;
    bool ready;  // the WebSocket is established
    bool paused; // nothing is to be read
    bool ping;
    struct frame *first; // outgoing
    struct frame *last;
    size_t waiting;      // bytes in the queue
    unsigned close_code; // 0: stay open
    char close_reason[124];
};

static struct pw_instant instant(const struct pw_web *web)
{
    return (struct pw_instant){.now = pw_clock_now(web->loop->clock),
                               .wall = pw_clock_wall(web->loop->clock)};
}

static struct link *find(const struct pw_web *web, uint64_t number)
{
    struct conn *conn = conn_find(web->httpd, number);
    return conn != NULL ? conn->link : NULL;
}

static void drop_queue(struct link *link)
{
    while (link->first != NULL) {
        struct frame *frame = link->first;
        link->first = frame->next;
        free(frame);
    }
    link->last = NULL;
    link->waiting = 0;
}

static void close_with(struct link *link, unsigned code, const char *reason)
{
    if (link->close_code != 0) {
        return;
    }
    link->close_code = code;
    struct pw_out out = PW_OUT(link->close_reason);
    pw_put_s(&out, reason);
    lws_set_timeout(link->conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, STALL_S);
    (void)lws_callback_on_writable(link->conn->wsi);
}

static int send_text(void *context, uint64_t number, struct pw_str text)
{
    struct link *link = find(context, number);
    if (link == NULL || link->close_code != 0) {
        return PW_OK;
    }
    if (link->waiting + text.len > PW_CENTRAL_SEND_MAX) {
        drop_queue(link); // it will be closed; nothing of it arrives anyway
        return PW_ERR_LIMIT;
    }
    struct frame *frame = malloc(sizeof(*frame) + LWS_PRE + text.len);
    if (frame == NULL) {
        return PW_ERR_LIMIT;
    }
    frame->next = NULL;
    frame->len = text.len;
    memcpy(frame->bytes + LWS_PRE, text.at, text.len);
    struct frame **end = &link->first;
    if (link->last != NULL) {
        end = &link->last->next;
    }
    *end = frame;
    link->last = frame;
    link->waiting += text.len;
    (void)lws_callback_on_writable(link->conn->wsi);
    return PW_OK;
}

static void send_ping(void *context, uint64_t number)
{
    struct link *link = find(context, number);
    if (link != NULL) {
        link->ping = true;
        (void)lws_callback_on_writable(link->conn->wsi);
    }
}

static void hold(void *context, uint64_t number, bool paused)
{
    struct link *link = find(context, number);
    if (link == NULL) {
        return;
    }
    link->paused = paused;
    if (link->ready) {
        (void)lws_rx_flow_control(link->conn->wsi, paused ? 0 : 1);
    }
}

static void close_link(void *context, uint64_t number, unsigned code, const char *reason)
{
    struct link *link = find(context, number);
    if (link != NULL) {
        close_with(link, code, reason);
    }
}

static void stream_ready(void *context, uint64_t stream)
{
    const struct pw_web *web = context;
    pw_httpd_stream_ready(web->httpd, stream);
}

void link_net(struct pw_web *web)
{
    web->net = (struct pw_central_net){.context = web,
                                       .send = send_text,
                                       .ping = send_ping,
                                       .pause = hold,
                                       .close = close_link,
                                       .stream_ready = stream_ready};
}

// OCPP-J 1.6 §3.1.2: no common subprotocol means a handshake without one, then a normal close.
// libwebsockets cannot do that, so the two short texts are written here.
static int shake_and_close(struct conn *conn)
{
    char key[64];
    char joined[128];
    struct pw_str given = conn_header(conn->wsi, WSI_TOKEN_KEY, key, sizeof(key));
    struct pw_out out = PW_OUT(joined);
    pw_put(&out, given);
    pw_put_s(&out, WEBSOCKET_GUID);
    unsigned char hash[20];
    char accept[32] = "";
    (void)lws_SHA1((const unsigned char *)joined, out.len, hash);
    (void)lws_b64_encode_string((const char *)hash, sizeof(hash), accept, sizeof(accept));
    unsigned char room[LWS_PRE + 256];
    struct pw_out text = {.at = (char *)room + LWS_PRE, .cap = sizeof(room) - LWS_PRE};
    pw_put_s(&text, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    pw_put_s(&text, accept);
    pw_put_s(&text, "\r\n\r\n");
    pw_put(&text, (struct pw_str){.at = "\x88\x02\x03\xe8", .len = 4}); // close, 1000
    (void)lws_write(conn->wsi, room + LWS_PRE, text.len, LWS_WRITE_HTTP_FINAL);
    return -1;
}

// A browser says whose page opens a WebSocket, and does so for the page of any site. Stations say
// nothing, or something like file://, which no site can be.
static bool is_of_another_site(struct conn *conn)
{
    char origin[256];
    char host[256];
    const struct pw_http_request request = {
        .origin = conn_header(conn->wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)),
        .host = conn_header(conn->wsi, WSI_TOKEN_HOST, host, sizeof(host)),
    };
    bool site =
        pw_str_starts(request.origin, "http://") || pw_str_starts(request.origin, "https://");
    bool cut = lws_hdr_total_length(conn->wsi, WSI_TOKEN_ORIGIN) >= (int)sizeof(origin);
    return cut || (site && !pw_http_origin_is_ours(&request));
}

static int confirm(void *context, struct conn *conn)
{
    struct pw_web *web = context;
    if (is_of_another_site(conn)) {
        return conn_refuse(conn, 403, "no page of another site speaks to this central", false);
    }
    conn_read_origin(conn);
    char path[256];
    char authorization[512];
    char protocols[256];
    struct pw_central_handshake handshake = {
        .path = conn_header(conn->wsi, WSI_TOKEN_GET_URI, path, sizeof(path)),
        .authorization = conn_header(conn->wsi, WSI_TOKEN_HTTP_AUTHORIZATION, authorization,
                                     sizeof(authorization)),
        .protocols = conn_header(conn->wsi, WSI_TOKEN_PROTOCOL, protocols, sizeof(protocols)),
        .address = pw_str_of(conn->from),
        .tls = conn->secure,
    };
    // Who shows one that does not verify has not come this far.
    struct pw_peer_shown shown = {0};
    bool certified = lws_is_ssl(conn->wsi) != 0 && pw_peer_shown(lws_get_ssl(conn->wsi), &shown);
    const struct pw_central_certificate certificate = {.common_name = pw_str_of(shown.common_name),
                                                       .serial = pw_str_of(shown.serial)};
    handshake.certificate = certified ? &certificate : NULL;
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return -1;
    }
    struct pw_central_verdict verdict =
        pw_central_handshake(web->central, conn->number, &handshake, instant(web));
    if (verdict.status == 101) {
        link->conn = conn;
        conn->link = link;
        return 0;
    }
    free(link);
    return verdict.status == 400
               ? shake_and_close(conn)
               : conn_refuse(conn, verdict.status, verdict.reason, verdict.status == 401);
}

static void established(struct conn *conn)
{
    struct link *link = conn->link;
    link->ready = true;
    (void)lws_callback_on_writable(conn->wsi); // something may wait already
    if (link->paused) {
        (void)lws_rx_flow_control(conn->wsi, 0);
    }
}

static void pong(void *context, struct conn *conn)
{
    const struct pw_web *web = context;
    pw_central_pong(web->central, conn->number, instant(web));
}

static void ended(void *context, struct conn *conn)
{
    const struct pw_web *web = context;
    struct link *link = conn->link;
    pw_central_closed(web->central, conn->number, instant(web));
    drop_queue(link);
    conn->link = NULL;
    free(link);
}

static int broke(const struct pw_web *web, struct conn *conn, unsigned code, const char *reason)
{
    pw_central_broke(web->central, conn->number, code, reason, instant(web));
    conn_forget_text(conn);
    close_with(conn->link, code, reason);
    return 0;
}

static int received(void *context, struct conn *conn, const void *bytes, size_t len)
{
    const struct pw_web *web = context;
    const struct link *link = conn->link;
    if (link->close_code != 0) {
        return 0; // what still comes after our decision to close is not read
    }
    if (lws_frame_is_binary(conn->wsi) != 0) {
        return broke(web, conn, 1003, "binary message: OCPP-J messages are text");
    }
    if (conn_append(conn, bytes, len, PW_CENTRAL_MESSAGE_MAX) != PW_OK) {
        return broke(web, conn, 1009, "message longer than 65536 bytes");
    }
    if (lws_is_final_fragment(conn->wsi) == 0 || lws_remaining_packet_payload(conn->wsi) != 0) {
        return 0;
    }
    pw_central_text(web->central, conn->number,
                    (struct pw_str){.at = conn->text, .len = conn->text_len}, instant(web));
    conn_forget_text(conn);
    return 0;
}

// One frame a call: libwebsockets calls again when the socket takes more.
static int writable(struct conn *conn)
{
    struct link *link = conn->link;
    if (link->ping && link->close_code == 0) {
        // libwebsockets does not report the pong of an empty ping.
        unsigned char bytes[LWS_PRE + 1] = {0};
        bytes[LWS_PRE] = '?';
        link->ping = false;
        if (lws_write(conn->wsi, bytes + LWS_PRE, 1, LWS_WRITE_PING) < 0) {
            return -1;
        }
    } else if (link->first != NULL) {
        struct frame *frame = link->first;
        link->first = frame->next;
        if (link->first == NULL) {
            link->last = NULL;
        }
        link->waiting -= frame->len;
        int sent = lws_write(conn->wsi, frame->bytes + LWS_PRE, frame->len, LWS_WRITE_TEXT);
        free(frame);
        if (sent < 0) {
            return -1;
        }
    } else if (link->close_code != 0) {
        lws_close_reason(conn->wsi, (enum lws_close_status)link->close_code,
                         (unsigned char *)link->close_reason, strlen(link->close_reason));
        return -1;
    }
    if (link->first != NULL || link->ping || link->close_code != 0) {
        (void)lws_callback_on_writable(conn->wsi);
    }
    return 0;
}

const struct pw_httpd_links web_links = {
    .protocol = "ocpp1.6",
    .confirm = confirm,
    .established = established,
    .received = received,
    .pong = pong,
    .writable = writable,
    .ended = ended,
};
