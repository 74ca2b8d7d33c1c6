// Charge points' links: whole messages in, a bounded queue out.
#include "conn.h"

#include <stdlib.h>
#include <string.h>

#define STALL_S 5 // a peer that takes nothing for this long when it is to be closed is cut off

static struct conn *find(struct pw_web *web, uint64_t number)
{
    struct conn *conn = web->conns[number % CONNS_MAX];
    return conn != NULL && conn->number == number ? conn : NULL;
}

static void drop_queue(struct conn *conn)
{
    while (conn->first != NULL) {
        struct frame *frame = conn->first;
        conn->first = frame->next;
        free(frame);
    }
    conn->last = NULL;
    conn->waiting = 0;
}

void conn_close(struct conn *conn, unsigned code, const char *reason)
{
    if (conn->close_code != 0) {
        return;
    }
    conn->close_code = code;
    struct pw_out out = PW_OUT(conn->close_reason);
    pw_put_s(&out, reason);
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, STALL_S);
    (void)lws_callback_on_writable(conn->wsi);
}

static int send_text(void *context, uint64_t link, struct pw_str text)
{
    struct conn *conn = find(context, link);
    if (conn == NULL || conn->close_code != 0) {
        return PW_OK;
    }
    if (conn->waiting + text.len > PW_CENTRAL_SEND_MAX) {
        drop_queue(conn); // it will be closed; nothing of it arrives anyway
        return PW_ERR_LIMIT;
    }
    struct frame *frame = malloc(sizeof(*frame) + LWS_PRE + text.len);
    if (frame == NULL) {
        return PW_ERR_LIMIT;
    }
    frame->next = NULL;
    frame->len = text.len;
    memcpy(frame->bytes + LWS_PRE, text.at, text.len);
    struct frame **end = &conn->first;
    if (conn->last != NULL) {
        end = &conn->last->next;
    }
    *end = frame;
    conn->last = frame;
    conn->waiting += text.len;
    (void)lws_callback_on_writable(conn->wsi);
    return PW_OK;
}

static void send_ping(void *context, uint64_t link)
{
    struct conn *conn = find(context, link);
    if (conn != NULL) {
        conn->ping = true;
        (void)lws_callback_on_writable(conn->wsi);
    }
}

static void hold(void *context, uint64_t link, bool paused)
{
    struct conn *conn = find(context, link);
    if (conn == NULL) {
        return;
    }
    conn->paused = paused;
    if (conn->ready) {
        (void)lws_rx_flow_control(conn->wsi, paused ? 0 : 1);
    }
}

static void close_link(void *context, uint64_t link, unsigned code, const char *reason)
{
    struct conn *conn = find(context, link);
    if (conn != NULL) {
        conn_close(conn, code, reason);
    }
}

static void stream_ready(void *context, uint64_t stream)
{
    struct conn *conn = find(context, stream);
    if (conn != NULL && conn->stream) {
        (void)lws_callback_on_writable(conn->wsi);
    }
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

static int broke(struct conn *conn, unsigned code, const char *reason)
{
    pw_central_broke(conn->web->central, conn->number, code, reason, conn_instant(conn->web));
    conn_forget_text(conn);
    conn_close(conn, code, reason);
    return 0;
}

int link_received(struct conn *conn, const void *bytes, size_t len)
{
    if (conn->close_code != 0) {
        return 0; // what still comes after our decision to close is not read
    }
    if (lws_frame_is_binary(conn->wsi) != 0) {
        return broke(conn, 1003, "binary message: OCPP-J messages are text");
    }
    if (conn_append(conn, bytes, len, PW_CENTRAL_MESSAGE_MAX) != PW_OK) {
        return broke(conn, 1009, "message longer than 65536 bytes");
    }
    if (lws_is_final_fragment(conn->wsi) == 0 || lws_remaining_packet_payload(conn->wsi) != 0) {
        return 0;
    }
    pw_central_text(conn->web->central, conn->number,
                    (struct pw_str){.at = conn->text, .len = conn->text_len},
                    conn_instant(conn->web));
    conn_forget_text(conn);
    return 0;
}

// One frame a call: libwebsockets calls again when the socket takes more.
int link_writable(struct conn *conn)
{
    if (conn->ping && conn->close_code == 0) {
        // libwebsockets does not report the pong of an empty ping.
        unsigned char bytes[LWS_PRE + 1] = {0};
        bytes[LWS_PRE] = '?';
        conn->ping = false;
        if (lws_write(conn->wsi, bytes + LWS_PRE, 1, LWS_WRITE_PING) < 0) {
            return -1;
        }
    } else if (conn->first != NULL) {
        struct frame *frame = conn->first;
        conn->first = frame->next;
        if (conn->first == NULL) {
            conn->last = NULL;
        }
        conn->waiting -= frame->len;
        int sent = lws_write(conn->wsi, frame->bytes + LWS_PRE, frame->len, LWS_WRITE_TEXT);
        free(frame);
        if (sent < 0) {
            return -1;
        }
    } else if (conn->close_code != 0) {
        lws_close_reason(conn->wsi, (enum lws_close_status)conn->close_code,
                         (unsigned char *)conn->close_reason, strlen(conn->close_reason));
        return -1;
    }
    if (conn->first != NULL || conn->ping || conn->close_code != 0) {
        (void)lws_callback_on_writable(conn->wsi);
    }
    return 0;
}
