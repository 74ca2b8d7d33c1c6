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

const char *pw_http_allow(unsigned methods)
{
    static const char *const allowed[] = {"GET",
                                          "POST",
                                          "GET, POST",
                                          "PUT",
                                          "GET, PUT",
                                          "POST, PUT",
                                          "GET, POST, PUT",
                                          "DELETE",
                                          "GET, DELETE",
                                          "POST, DELETE",
                                          "GET, POST, DELETE",
                                          "PUT, DELETE",
                                          "GET, PUT, DELETE",
                                          "POST, PUT, DELETE",
                                          "GET, POST, PUT, DELETE"};
    PW_ASSERT(methods >= 1 && methods <= PW_COUNT(allowed));
    return allowed[methods - 1];
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

bool pw_http_host_is_ours(struct pw_str host, struct pw_str own)
{
    size_t end = host.len;
    while (end > 0 && host.at[end - 1] >= '0' && host.at[end - 1] <= '9') {
        end--;
    }
    if (end > 0 && end < host.len && host.at[end - 1] == ':') {
        host.len = end - 1;
    }
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
    if (scheme == 7 && !pw_str_starts(origin, "http://")) {
        return false;
    }
    struct pw_str host = {.at = origin.at + scheme, .len = origin.len - scheme};
    return pw_str_eq_nocase(host, request->host);
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
