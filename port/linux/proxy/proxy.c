#include "proxy.h"

#include <string.h>

enum { DEFAULT_PORT = 8080 };

static bool is_host_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':';
}

static bool is_host(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_host_char(text.at[i])) {
            return false;
        }
    }
    return text.len > 0;
}

static bool has(struct pw_str text, char c)
{
    return text.len > 0 && memchr(text.at, c, text.len) != NULL;
}

static struct pw_str without(struct pw_str text, size_t first, size_t last)
{
    return (struct pw_str){.at = text.at + first, .len = text.len - first - last};
}

static int refuse(struct pw_out *why, const char *sentence)
{
    pw_put_s(why, sentence);
    return PW_ERR_RANGE;
}

// ---------------------------------------------------------------------------------------------
// What settings say.

static const char *read_user(struct pw_str *rest, struct pw_proxy *to)
{
    if (!has(*rest, '@')) {
        return NULL;
    }
    struct pw_str user = pw_str_cut(rest, '@');
    for (size_t i = 0; i < user.len; i++) {
        if (user.at[i] <= ' ' || user.at[i] > '~' || user.at[i] == ':') {
            return "the user must be of plain characters; the password is network.proxy_password";
        }
    }
    return user.len > 0 && pw_str_copy(to->user, sizeof(to->user), user) == PW_OK
               ? NULL
               : "the user must have 1..64 characters";
}

static const char *read_authority(struct pw_str rest, struct pw_proxy *to)
{
    int64_t port = DEFAULT_PORT;
    bool v6 = pw_str_starts(rest, "[");
    if (v6 && !has(rest, ']')) {
        return "the ] of the address is missing";
    }
    struct pw_str host = pw_str_cut(&rest, v6 ? ']' : ':');
    if (v6) {
        host = without(host, 1, 0);
        if (rest.len > 0 && rest.at[0] != ':') {
            return "behind the ] of an address only :port may follow";
        }
        rest = without(rest, rest.len > 0 ? 1 : 0, 0);
    }
    if (rest.len > 0 && pw_parse_int(rest, 1, 65535, &port) != PW_OK) {
        return "the port must be 1..65535";
    }
    if (!is_host(host) || pw_str_copy(to->host, sizeof(to->host), host) != PW_OK) {
        return "the host must be a name or an address: http://host:port";
    }
    to->port = (uint16_t)port;
    return NULL;
}

int pw_proxy_read_url(struct pw_str url, struct pw_proxy *proxy, struct pw_out *why)
{
    struct pw_proxy read = {.port = 0};
    if (url.len > 0) {
        if (!pw_str_starts(url, "http://")) {
            return refuse(why, "it must begin with http://");
        }
        struct pw_str rest = without(url, 7, 0);
        const char *wrong = read_user(&rest, &read);
        wrong = wrong == NULL ? read_authority(rest, &read) : wrong;
        if (wrong != NULL) {
            return refuse(why, wrong);
        }
    }
    memcpy(proxy->host, read.host, sizeof(proxy->host));
    memcpy(proxy->user, read.user, sizeof(proxy->user));
    proxy->port = read.port;
    return PW_OK;
}

int pw_proxy_read_direct(struct pw_str list, struct pw_proxy *proxy, struct pw_out *why)
{
    struct pw_str rest = list;
    while (rest.len > 0) {
        if (!is_host(pw_str_trim(pw_str_cut(&rest, ',')))) {
            return refuse(why, "it must be names and addresses with commas between, without ports, "
                               "brackets or *");
        }
    }
    return pw_str_copy(proxy->direct, sizeof(proxy->direct), list) == PW_OK
               ? PW_OK
               : refuse(why, "it must have 200 characters at most");
}

// ---------------------------------------------------------------------------------------------
// Who goes through it.

static bool ends_in(struct pw_str host, struct pw_str suffix)
{
    if (pw_str_starts(suffix, ".")) {
        suffix = without(suffix, 1, 0);
    }
    if (host.len < suffix.len || suffix.len == 0) {
        return false;
    }
    struct pw_str end = without(host, host.len - suffix.len, 0);
    return pw_str_eq_nocase(end, suffix) &&
           (end.len == host.len || host.at[host.len - end.len - 1] == '.');
}

// "127." and three more numbers: a name that only begins so leads anywhere.
static bool is_loopback_v4(struct pw_str host)
{
    unsigned parts = 0;
    int64_t number = 0;
    if (!pw_str_starts(host, "127.")) {
        return false;
    }
    while (host.len > 0) {
        if (pw_parse_int(pw_str_cut(&host, '.'), 0, 255, &number) != PW_OK) {
            return false;
        }
        parts++;
    }
    return parts == 4;
}

bool pw_proxy_leads(const struct pw_proxy *proxy, struct pw_str host)
{
    if (proxy == NULL || proxy->host[0] == '\0') {
        return false;
    }
    if (host.len > 1 && host.at[host.len - 1] == '.') {
        host.len--; // a name's root
    }
    if (ends_in(host, PW_STR("localhost")) || is_loopback_v4(host) || pw_str_is(host, "::1")) {
        return false;
    }
    struct pw_str rest = pw_str_of(proxy->direct);
    while (rest.len > 0) {
        if (ends_in(host, pw_str_trim(pw_str_cut(&rest, ',')))) {
            return false;
        }
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// CONNECT.

static void put_authority(struct pw_str host, uint16_t port, struct pw_out *out)
{
    bool v6 = has(host, ':');
    pw_put_s(out, v6 ? "[" : "");
    pw_put(out, host);
    pw_put_s(out, v6 ? "]:" : ":");
    pw_put_uint(out, port);
}

int pw_proxy_put_connect(const struct pw_proxy *proxy, struct pw_str host, uint16_t port,
                         struct pw_out *out)
{
    char pair[2 * PW_PROXY_SECRET_SIZE];
    struct pw_out credentials = PW_OUT(pair);
    PW_ASSERT(proxy->host[0] != '\0');
    if (!is_host(host)) {
        return PW_ERR_RANGE;
    }
    pw_put_s(out, "CONNECT ");
    put_authority(host, port, out);
    pw_put_s(out, " HTTP/1.1\r\nHost: ");
    put_authority(host, port, out);
    pw_put_s(out, "\r\n");
    if (proxy->user[0] != '\0') {
        pw_put_s(&credentials, proxy->user);
        pw_put_c(&credentials, ':');
        pw_put_s(&credentials, proxy->password);
        pw_put_s(out, "Proxy-Authorization: Basic ");
        pw_put_base64(out, pair, credentials.len);
        pw_put_s(out, "\r\n");
        explicit_bzero(pair, sizeof(pair));
    }
    pw_put_s(out, "\r\n");
    return pw_out_err(out);
}

void pw_proxy_put_refusal(unsigned status, struct pw_out *why)
{
    static const struct {
        unsigned status;
        const char *words;
    } rows[] = {
        {401, "the proxy does not accept user and password"}, // tinyproxy's for a wrong one
        {403, "the proxy does not let us go there"},
        {407, "the proxy does not accept user and password"},
        {502, "the proxy does not reach the server"},
        {503, "the proxy does not reach the server"},
        {504, "the proxy does not reach the server"},
    };
    const char *words = "the proxy makes no tunnel";
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        words = rows[i].status == status ? rows[i].words : words;
    }
    pw_put_s(why, words);
    pw_put_s(why, " (HTTP status ");
    pw_put_uint(why, status);
    pw_put_c(why, ')');
}

static void give_up(struct pw_proxy_answer *answer, const char *why)
{
    struct pw_out out = PW_OUT(answer->why);
    answer->refused = true;
    pw_put_s(&out, why);
}

// "HTTP/1.1 200 ", whose last character may also be the end of the line.
static void hear_status(struct pw_proxy_answer *answer, char c)
{
    static const char form[] = "HTTP/1.d ddd ";
    char want = form[answer->heard];
    bool digit = c >= '0' && c <= '9';
    bool last = answer->heard == sizeof(form) - 2;
    if (want == 'd' ? !digit : c != want && !(last && (c == '\r' || c == '\n'))) {
        give_up(answer, "the proxy's answer is no HTTP");
        return;
    }
    answer->line[answer->heard] = c;
    if (last) {
        const struct pw_str digits = {.at = answer->line + 9, .len = 3};
        int64_t status = 0;
        (void)!pw_parse_int(digits, 0, 999, &status);
        answer->status = (unsigned)status;
        if (status < 200 || status > 299) {
            struct pw_out why = PW_OUT(answer->why);
            answer->refused = true;
            pw_proxy_put_refusal(answer->status, &why);
        }
    }
}

size_t pw_proxy_hear(struct pw_proxy_answer *answer, struct pw_str bytes)
{
    size_t used = 0;
    while (used < bytes.len && !answer->open && !answer->refused) {
        char c = bytes.at[used++];
        if (answer->status == 0) {
            hear_status(answer, c);
        }
        answer->heard++;
        if (c == '\n') {
            answer->open = !answer->refused && answer->status != 0 && answer->line_len == 0;
            answer->line_len = 0;
        } else if (c != '\r') {
            answer->line_len++;
        }
        if (!answer->open && !answer->refused && answer->heard >= PW_PROXY_HEAD_MAX) {
            give_up(answer, "the head of the proxy's answer has no end");
        }
    }
    return used;
}
