#include "http/http.h"

#include <string.h>

static const struct pw_http_asset *asset_at(const struct pw_http_asset *assets, size_t count,
                                            struct pw_str path)
{
    for (size_t i = 0; i < count; i++) {
        if (pw_str_is(path, assets[i].path)) {
            return &assets[i];
        }
    }
    return NULL;
}

bool pw_http_file(const struct pw_http_asset *assets, size_t count,
                  const struct pw_http_request *request, struct pw_http_reply *reply)
{
    struct pw_str path = request->path;
    const struct pw_http_asset *asset = asset_at(assets, count, path);
    if (asset == NULL && path.len > 0 && memchr(path.at, '.', path.len) == NULL) {
        asset = asset_at(assets, count, PW_STR("/index.html"));
    }
    if (asset == NULL) {
        return false;
    }
    reply->etag = asset->etag;
    reply->page = pw_str_starts(pw_str_of(asset->content_type), "text/html");
    reply->immutable = pw_str_starts(path, "/assets/");
    if (pw_str_is(request->etag, asset->etag)) {
        reply->status = 304;
        return true;
    }
    reply->status = 200;
    reply->content_type = asset->content_type;
    reply->gzip = true;
    reply->body = (struct pw_str){.at = (const char *)asset->gzip, .len = asset->len};
    return true;
}

struct pw_str pw_http_query(struct pw_str query, const char *key)
{
    while (query.len > 0) {
        struct pw_str value = pw_str_cut(&query, '&');
        if (pw_str_is(pw_str_cut(&value, '='), key)) {
            return value;
        }
    }
    return PW_STR("");
}

struct pw_str pw_http_cookie(struct pw_str cookies, const char *name)
{
    while (cookies.len > 0) {
        struct pw_str value = pw_str_trim(pw_str_cut(&cookies, ';'));
        if (pw_str_is(pw_str_cut(&value, '='), name)) {
            return value;
        }
    }
    return PW_STR("");
}

bool pw_http_path_fits(const char *pattern, struct pw_str path, struct pw_str *param)
{
    struct pw_str rows = pw_str_of(pattern);
    while (rows.len > 0 && path.len > 0) {
        struct pw_str wanted = pw_str_cut(&rows, '/');
        struct pw_str given = pw_str_cut(&path, '/');
        if (pw_str_is(wanted, "*") && given.len > 0) {
            *param = given;
        } else if (!pw_str_eq(wanted, given)) {
            return false;
        }
    }
    return rows.len == 0 && path.len == 0;
}

void pw_http_allow(struct pw_http_reply *reply, unsigned methods)
{
    static const char *const names[] = {[PW_HTTP_GET] = "GET",
                                        [PW_HTTP_POST] = "POST",
                                        [PW_HTTP_PUT] = "PUT",
                                        [PW_HTTP_DELETE] = "DELETE",
                                        [PW_HTTP_PATCH] = "PATCH"};
    reply->allow[0] = '\0';
    struct pw_out out = PW_OUT(reply->allow);
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        if ((methods >> i & 1U) != 0) {
            pw_put_s(&out, out.len > 0 ? ", " : "");
            pw_put_s(&out, names[i]);
        }
    }
}

int pw_http_basic(struct pw_str authorization, struct pw_out *room, struct pw_str *user,
                  struct pw_str *password)
{
    struct pw_str rest = pw_str_trim(authorization);
    if (!pw_str_eq_nocase(pw_str_cut(&rest, ' '), PW_STR("Basic"))) {
        return PW_ERR_PEER;
    }
    int len = pw_parse_base64(pw_str_trim(rest), (uint8_t *)room->at + room->len,
                              room->cap - room->len - 1);
    if (len < 0) {
        return PW_ERR_PEER;
    }
    room->len += (size_t)len;
    room->at[room->len] = '\0';
    struct pw_str both = pw_out_str(room);
    if (memchr(both.at, ':', both.len) == NULL) {
        return PW_ERR_PEER;
    }
    *user = pw_str_cut(&both, ':');
    *password = both;
    return PW_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The WHATWG URL standard's decoding of application/x-www-form-urlencoded.
static void put_decoded(struct pw_str text, struct pw_out *to)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = text.at[i] == '%' && i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;
        if (low >= 0) {
            pw_put_c(to, (char)(high << 4 | low));
            i += 2;
        } else {
            pw_put_c(to, text.at[i] == '+' ? ' ' : text.at[i]);
        }
    }
}

bool pw_http_form(struct pw_str body, const char *key, struct pw_out *to)
{
    while (body.len > 0) {
        struct pw_str value = pw_str_cut(&body, '&');
        if (pw_str_is(pw_str_cut(&value, '='), key)) {
            put_decoded(value, to);
            return !to->full;
        }
    }
    return false;
}

static bool is_address(struct pw_str host)
{
    if (host.len > 1 && host.at[0] == '[') {
        return host.at[host.len - 1] == ']';
    }
    for (size_t i = 0; i < host.len; i++) {
        if (host.at[i] != '.' && (host.at[i] < '0' || host.at[i] > '9')) {
            return false;
        }
    }
    return host.len > 0;
}

static struct pw_str without_port(struct pw_str host)
{
    size_t end = host.len;
    while (end > 0 && host.at[end - 1] >= '0' && host.at[end - 1] <= '9') {
        end--;
    }
    if (end > 0 && end < host.len && host.at[end - 1] == ':') {
        host.len = end - 1;
    }
    return host;
}

bool pw_http_host_is_ours(struct pw_str host, struct pw_str own)
{
    host = without_port(host);
    return is_address(host) || pw_str_eq_nocase(host, PW_STR("localhost")) ||
           (own.len > 0 && pw_str_eq_nocase(host, own));
}

bool pw_http_origin_is_ours(const struct pw_http_request *request)
{
    struct pw_str origin = request->origin;
    if (origin.len == 0) {
        return true;
    }
    size_t scheme = pw_str_starts(origin, "https://") ? 8 : 7;
    if (scheme == 7 && (request->secure || !pw_str_starts(origin, "http://"))) {
        return false;
    }
    struct pw_str host = {.at = origin.at + scheme, .len = origin.len - scheme};
    return pw_str_eq_nocase(host, request->host);
}

// Paths and queries come decoded: what would have to be escaped again is not passed on.
static bool is_plain(struct pw_str text, const char *signs)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c == '\0' || strchr(signs, c) == NULL)) {
            return false;
        }
    }
    return true;
}

bool pw_http_to_tls(const struct pw_http_request *request, uint16_t port,
                    struct pw_http_reply *reply)
{
    char text[sizeof(reply->location)];
    struct pw_out out = PW_OUT(text);
    struct pw_str host = without_port(request->host);
    if (host.len == 0 || !pw_str_starts(request->path, "/") || !is_plain(host, ".-:[]") ||
        !is_plain(request->path, "/._-~") || !is_plain(request->query, "._-~=&")) {
        return false;
    }
    pw_put_s(&out, "https://");
    pw_put(&out, host);
    if (port != 443) {
        pw_put_c(&out, ':');
        pw_put_uint(&out, port);
    }
    pw_put(&out, request->path);
    pw_put_s(&out, request->query.len > 0 ? "?" : "");
    pw_put(&out, request->query);
    if (out.full) {
        return false;
    }
    reply->status = 308;
    memcpy(reply->location, text, sizeof(text));
    return true;
}

bool pw_http_is_near(struct pw_str address)
{
    return pw_str_starts(address, "127.") || pw_str_is(address, "::1");
}

bool pw_http_same_secret(const char *secret, struct pw_str given)
{
    size_t len = strlen(secret);
    unsigned different = len == given.len ? 0 : 1;
    for (size_t i = 0; i < given.len; i++) {
        different |= (unsigned char)given.at[i] ^ (unsigned char)secret[len > 0 ? i % len : 0];
    }
    return different == 0 && len > 0;
}
