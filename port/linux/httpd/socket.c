// A WebSocket of the site: whole text messages both ways, one at a time, none queued here.
#include "conn.h"

#define MESSAGE_MAX 16384 // bytes of a message that the site sends

// A peer that sends what is not read here is told why, and closed.
static int refuse(struct conn *conn, enum lws_close_status code)
{
    conn_forget_text(conn);
    lws_close_reason(conn->wsi, code, NULL, 0);
    return -1;
}

int socket_receive(struct conn *conn, const void *bytes, size_t len)
{
    const struct pw_http_site *site = conn->httpd->site;
    if (lws_frame_is_binary(conn->wsi) != 0) {
        return refuse(conn, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
    }
    if (conn_append(conn, bytes, len, conn->httpd->config.body_max) != PW_OK) {
        return refuse(conn, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    }
    if (lws_is_final_fragment(conn->wsi) == 0 || lws_remaining_packet_payload(conn->wsi) != 0) {
        return 0;
    }
    site->message(site->context, conn->number,
                  (struct pw_str){.at = conn->text, .len = conn->text_len},
                  pw_clock_now(conn->httpd->config.loop->clock));
    conn_forget_text(conn);
    return 0;
}

int socket_writable(struct conn *conn)
{
    unsigned char room[LWS_PRE + MESSAGE_MAX];
    const struct pw_http_site *site = conn->httpd->site;
    int len = site->stream_take(site->context, conn->number, (char *)room + LWS_PRE, MESSAGE_MAX);
    if (len < 0) {
        return refuse(conn, LWS_CLOSE_STATUS_POLICY_VIOLATION);
    }
    if (len > 0) {
        if (lws_write(conn->wsi, room + LWS_PRE, (size_t)len, LWS_WRITE_TEXT) < 0) {
            return -1;
        }
        (void)lws_callback_on_writable(conn->wsi); // perhaps another waits
    }
    return 0;
}
