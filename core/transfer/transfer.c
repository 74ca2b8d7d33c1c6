#include "transfer/transfer.h"

#include <string.h>

// A URL cut at its borders; views of the text.
struct parts {
    const char *scheme;
    struct pw_str user; // with "@"
    struct pw_str host; // with port
    struct pw_str path; // from "/"
    struct pw_str rest; // from "?" or "#"
};

static struct pw_str from(struct pw_str text, size_t at)
{
    return (struct pw_str){.at = text.at + at, .len = text.len - at};
}

// The first of these characters, or the text's length.
static size_t find(struct pw_str text, const char *any)
{
    size_t i = 0;
    while (i < text.len && strchr(any, text.at[i]) == NULL) {
        i++;
    }
    return i;
}

static const char *scheme_of(struct pw_str url, size_t *len)
{
    static const char *const schemes[] = {"http", "https", "ftp", "ftps"};
    for (size_t i = 0; i < PW_COUNT(schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (url.len > length + 3 && memcmp(url.at + length, "://", 3) == 0 &&
            pw_str_eq_nocase((struct pw_str){.at = url.at, .len = length}, pw_str_of(schemes[i]))) {
            *len = length + 3;
            return schemes[i];
        }
    }
    return NULL;
}

static bool split(struct pw_str url, struct parts *parts)
{
    size_t len = 0;
    memset(parts, 0, sizeof(*parts));
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.at[i];
        if (c <= ' ' || c == 0x7f || c == '\\' || c == '"') {
            return false;
        }
    }
    parts->scheme = scheme_of(url, &len);
    if (parts->scheme == NULL) {
        return false;
    }
    struct pw_str rest = from(url, len);
    len = find(rest, "/?#");
    parts->host = (struct pw_str){.at = rest.at, .len = len};
    rest = from(rest, len);
    for (size_t i = parts->host.len; i > 0; i--) {
        if (parts->host.at[i - 1] == '@') {
            parts->user = (struct pw_str){.at = parts->host.at, .len = i};
            parts->host = from(parts->host, i);
            break;
        }
    }
    len = find(rest, "?#");
    parts->path = (struct pw_str){.at = rest.at, .len = len};
    parts->rest = from(rest, len);
    return parts->host.len > 0 && parts->host.at[0] != ':';
}

const char *pw_transfer_scheme(struct pw_str url)
{
    struct parts parts;
    return split(url, &parts) ? parts.scheme : NULL;
}

void pw_transfer_put_url(struct pw_out *out, struct pw_str url)
{
    struct parts parts;
    if (!split(url, &parts)) {
        pw_put_s(out, "(no URL of http, https, ftp or ftps)");
        return;
    }
    pw_put_s(out, parts.scheme);
    pw_put_s(out, "://");
    // Without a user name an @ behind the host says that a password holds one of "/?#", which it
    // must not: whoever wrote it meant it as one.
    size_t len = find(url, "@");
    if (parts.user.len == 0 && len < url.len) {
        pw_put_s(out, "***");
        return;
    }
    pw_put(out, parts.host);
    pw_put(out, parts.path);
}

static bool is_folder(const struct parts *parts)
{
    if (parts->rest.len > 0) {
        return false;
    }
    size_t begin = parts->path.len;
    while (begin > 0 && parts->path.at[begin - 1] != '/') {
        begin--;
    }
    struct pw_str last = from(parts->path, begin);
    if (last.len == 0) {
        return true;
    }
    return parts->scheme[0] == 'f' && memchr(last.at, '.', last.len) == NULL;
}

void pw_transfer_put_target(struct pw_out *out, struct pw_str url, struct pw_str name)
{
    struct parts parts;
    bool whole = split(url, &parts);
    pw_put(out, url);
    if (!whole || !is_folder(&parts)) {
        return;
    }
    if (parts.path.len == 0 || parts.path.at[parts.path.len - 1] != '/') {
        pw_put_c(out, '/');
    }
    pw_put(out, name);
}
