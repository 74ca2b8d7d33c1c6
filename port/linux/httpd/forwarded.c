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
static void take_from(char *to, size_t cap, struct pw_str text)
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
    if (text.len > 0) {
        (void)!pw_str_copy(to, cap, text); // what is longer is no address
    }
}

// What a proxy said in one of the two ways.
struct said {
    bool any;
    bool https;
    char from[sizeof(((struct conn *)0)->from)];
};

static bool is_https(struct pw_str proto)
{
    return pw_str_eq_nocase(proto, PW_STR("https")) || pw_str_eq_nocase(proto, PW_STR("wss"));
}

static struct said read_forwarded(const struct conn *conn)
{
    char text[VALUE_MAX];
    struct said said = {0};
    struct pw_str element = last_of(value_of(conn->wsi, "forwarded:", text));
    said.any = element.len > 0;
    while (element.len > 0) {
        struct pw_str pair = pw_str_trim(pw_str_cut(&element, ';'));
        struct pw_str key = pw_str_cut(&pair, '=');
        if (pw_str_eq_nocase(key, PW_STR("for"))) {
            take_from(said.from, sizeof(said.from), pair);
        } else if (pw_str_eq_nocase(key, PW_STR("proto"))) {
            said.https = is_https(unquoted(pair));
        }
    }
    return said;
}

static struct said read_x_forwarded(const struct conn *conn)
{
    char text[VALUE_MAX];
    struct said said = {0};
    struct pw_str from =
        last_of(conn_header(conn->wsi, WSI_TOKEN_X_FORWARDED_FOR, text, VALUE_MAX));
    said.any = from.len > 0;
    take_from(said.from, sizeof(said.from), from);
    struct pw_str proto = last_of(value_of(conn->wsi, "x-forwarded-proto:", text));
    said.any = said.any || proto.len > 0;
    said.https = is_https(proto);
    return said;
}

// A proxy writes one of the two, and lets the other through as its client wrote it. Which is which
// cannot be seen: where both are there, only what both say counts.
void conn_read_origin(struct conn *conn)
{
    memcpy(conn->from, conn->address, sizeof(conn->from));
    conn->secure = lws_is_ssl(conn->wsi) != 0;
    if (!conn->proxied) {
        return;
    }
    struct said one = read_forwarded(conn);
    const struct said other = read_x_forwarded(conn);
    if (one.any && other.any) {
        one.https = one.https && other.https;
        one.from[0] = strcmp(one.from, other.from) == 0 ? one.from[0] : '\0';
    } else if (other.any) {
        one = other;
    }
    conn->secure = conn->secure || one.https;
    if (one.from[0] != '\0') {
        memcpy(conn->from, one.from, sizeof(conn->from));
    }
}
