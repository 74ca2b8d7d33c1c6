#include "wsaddress.h"

#include "wsclient.h"

#include <string.h>

static bool is_host_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':';
}

static bool is_path_char(unsigned char c)
{
    return c > ' ' && c < 0x7F && c != '?' && c != '#' && c != '"' && c != '\\';
}

static bool all_are(struct pw_str text, bool (*is)(unsigned char c))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is((unsigned char)text.at[i])) {
            return false;
        }
    }
    return true;
}

// Cuts "host" or "[v6]"; a port, if there is one, stays in *rest with its colon.
static struct pw_str cut_host(struct pw_str *rest)
{
    bool bracketed = rest->len > 0 && rest->at[0] == '[';
    size_t len = 0;
    while (len < rest->len && rest->at[len] != (bracketed ? ']' : ':')) {
        len++;
    }
    struct pw_str host = {.at = rest->at, .len = len};
    if (bracketed) {
        if (len == rest->len) {
            return (struct pw_str){0}; // never closed
        }
        host = (struct pw_str){.at = rest->at + 1, .len = len - 1};
        len++;
    }
    *rest = (struct pw_str){.at = rest->at + len, .len = rest->len - len};
    return host;
}

static const char *parse_authority(struct pw_str authority, struct pw_ws_address *to)
{
    struct pw_str host = cut_host(&authority);
    if (host.len == 0 || !all_are(host, is_host_char) ||
        pw_str_copy(to->host, sizeof(to->host), host) != PW_OK) {
        return "the host must be a name or an address, without user name or password";
    }
    to->port = to->tls ? 443 : 80;
    if (authority.len > 0) {
        int64_t port = 0;
        struct pw_str digits = {.at = authority.at + 1, .len = authority.len - 1};
        if (authority.at[0] != ':' || pw_parse_int(digits, 1, 65535, &port) != PW_OK) {
            return "the port must be 1..65535";
        }
        to->port = (uint16_t)port;
    }
    return NULL;
}

// NULL, or what is wrong.
const char *pw_ws_parse_url(struct pw_str url, struct pw_ws_address *to)
{
    to->tls = pw_str_starts(url, "wss://");
    if (!to->tls && !pw_str_starts(url, "ws://")) {
        return "it must begin with ws:// or wss://";
    }
    size_t skip = to->tls ? 6 : 5;
    struct pw_str rest = {.at = url.at + skip, .len = url.len - skip};
    struct pw_str authority = pw_str_cut(&rest, '/');
    const char *wrong = parse_authority(authority, to);
    if (wrong != NULL) {
        return wrong;
    }
    while (rest.len > 0 && rest.at[rest.len - 1] == '/') {
        rest.len--;
    }
    struct pw_out path = PW_OUT(to->path);
    if (rest.len > 0) {
        pw_put_c(&path, '/');
        pw_put(&path, rest);
    }
    if (path.full || !all_are(rest, is_path_char)) {
        return "the path must be short and of plain characters, without query";
    }
    return NULL;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// RFC 3986 §2.1: an identity may hold any character, a path may not.
int pw_ws_append_id(struct pw_ws_address *to, struct pw_str id)
{
    struct pw_out path = {.at = to->path, .cap = sizeof(to->path), .len = strlen(to->path)};
    pw_put_c(&path, '/');
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.at[i];
        if (is_unreserved(c)) {
            pw_put_c(&path, (char)c);
        } else {
            pw_put_c(&path, '%');
            pw_put_hex(&path, c, 2);
        }
    }
    return pw_out_err(&path);
}

int pw_ws_check_url(struct pw_str url, struct pw_out *why)
{
    struct pw_ws_address to;
    const char *wrong = pw_ws_parse_url(url, &to);
    if (wrong != NULL) {
        pw_put_s(why, wrong);
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

int pw_ws_put_credentials(struct pw_out *header, const char *user, struct pw_str password)
{
    char pair[160];
    struct pw_out out = PW_OUT(pair);
    pw_put_s(&out, user);
    pw_put_c(&out, ':');
    pw_put(&out, password);
    pw_put_s(header, "Basic ");
    pw_put_base64(header, pair, out.len);
    explicit_bzero(pair, sizeof(pair));
    return pw_out_err(&out) == PW_OK ? pw_out_err(header) : PW_ERR_LIMIT;
}
