// Who asks, when a reverse proxy stands between. Sources: RFC 7239 (Forwarded); X-Forwarded-For and
// X-Forwarded-Proto as nginx, HAProxy, Apache and Traefik send them.
#include "conn.h"

#include <string.h>

#define VALUE_MAX 512

// A custom header's value; empty without it, or when it is longer than a proxy would make it.
static struct pw_str value_of(struct lws *wsi, const char *name, char to[VALUE_MAX])
{
    int len = lws_hdr_custom_copy(wsi, to, VALUE_MAX, name, (int)strlen(name));
    return (struct pw_str){.at = to, .len = len > 0 ? (size_t)len : 0};
}

// The last of a list: each proxy appends, so it is what the nearest one says.
static struct pw_str last_of(struct pw_str list)
{
    struct pw_str last = {0};
    while (list.len > 0) {
        last = pw_str_trim(pw_str_cut(&list, ','));
    }
    return last;
}

static struct pw_str unquoted(struct pw_str text)
{
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"') {
        return (struct pw_str){.at = text.at + 1, .len = text.len - 2};
    }
    return text;
}

// "192.0.2.1:47011", "[2001:db8::1]:47011" and the bare addresses, as an address; others are left.
static void take_from(struct conn *conn, struct pw_str text)
{
    text = unquoted(text);
    if (pw_str_starts(text, "[")) {
        text = (struct pw_str){.at = text.at + 1, .len = text.len - 1};
        text = pw_str_cut(&text, ']');
    } else if (text.len > 0 && memchr(text.at, '.', text.len) != NULL) {
        text = pw_str_cut(&text, ':');
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
                    c == ':' || c == '.';
        if (!good) {
            return;
        }
    }
    if (text.len > 0 && text.len < sizeof(conn->from)) {
        (void)!pw_str_copy(conn->from, sizeof(conn->from), text);
    }
}

static void take_forwarded(struct conn *conn, struct pw_str element)
{
    while (element.len > 0) {
        struct pw_str pair = pw_str_trim(pw_str_cut(&element, ';'));
        struct pw_str key = pw_str_cut(&pair, '=');
        if (pw_str_eq_nocase(key, PW_STR("for"))) {
            take_from(conn, pair);
        } else if (pw_str_eq_nocase(key, PW_STR("proto"))) {
            conn->secure = pw_str_eq_nocase(unquoted(pair), PW_STR("https"));
        }
    }
}

void conn_read_origin(struct conn *conn)
{
    char text[VALUE_MAX];
    memcpy(conn->from, conn->address, sizeof(conn->from));
    conn->secure = lws_is_ssl(conn->wsi) != 0;
    if (!conn->proxied) {
        return;
    }
    struct lws *wsi = conn->wsi;
    bool standard = lws_hdr_custom_length(wsi, "forwarded:", 10) > 0;
    bool customary = lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0 ||
                     lws_hdr_custom_length(wsi, "x-forwarded-proto:", 18) > 0;
    if (standard && customary) {
        return; // a proxy writes one kind and passes the other on as whoever asks has written it
    }
    if (standard) {
        take_forwarded(conn, last_of(value_of(wsi, "forwarded:", text)));
        return;
    }
    take_from(conn, last_of(conn_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, text, VALUE_MAX)));
    struct pw_str proto = last_of(value_of(wsi, "x-forwarded-proto:", text));
    conn->secure = conn->secure || pw_str_eq_nocase(proto, PW_STR("https")) ||
                   pw_str_eq_nocase(proto, PW_STR("wss"));
}
