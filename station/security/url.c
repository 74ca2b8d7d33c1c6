// The address of a central system, and how the next connection is made.
#include "security/security.h"

#include <string.h>

static bool is_host_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_path_char(char c)
{
    return c > ' ' && c < 0x7F && c != '?' && c != '#' && c != '"' && c != '\\' && c != '@';
}

static bool all_are(struct pw_str text, bool (*is)(char c))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is(text.at[i])) {
            return false;
        }
    }
    return true;
}

static bool is_v6_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
           c == '.';
}

// "" or ":PORT".
static bool good_port(struct pw_str text)
{
    int64_t port = 0;
    struct pw_str digits = {.at = text.at + 1, .len = text.len - 1};
    return text.len == 0 || (text.at[0] == ':' && pw_parse_int(digits, 1, 65535, &port) == PW_OK);
}

static bool good_authority(struct pw_str authority)
{
    bool v6 = pw_str_starts(authority, "[");
    size_t from = v6 ? 1 : 0;
    size_t to = from;
    while (to < authority.len && authority.at[to] != (v6 ? ']' : ':')) {
        to++;
    }
    struct pw_str host = {.at = authority.at + from, .len = to - from};
    if (host.len == 0 || !all_are(host, v6 ? is_v6_char : is_host_char) ||
        (v6 && to == authority.len)) {
        return false;
    }
    to += v6 ? 1 : 0;
    return good_port((struct pw_str){.at = authority.at + to, .len = authority.len - to});
}

int pw_security_check_url(struct pw_str url, struct pw_out *why)
{
    bool tls = pw_str_starts(url, "wss://");
    if (!tls && !pw_str_starts(url, "ws://")) {
        pw_put_s(why, "it must begin with ws:// or wss://");
        return PW_ERR_RANGE;
    }
    size_t skip = tls ? 6 : 5;
    struct pw_str rest = {.at = url.at + skip, .len = url.len - skip};
    struct pw_str authority = pw_str_cut(&rest, '/');
    if (!good_authority(authority)) {
        pw_put_s(why, "it must name a host, without user name or password, and a port of 1..65535 "
                      "if any");
        return PW_ERR_RANGE;
    }
    if (!all_are(rest, is_path_char)) {
        pw_put_s(why, "the path must be of plain characters, without query");
        return PW_ERR_RANGE;
    }
    return PW_OK;
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

static bool ends_here(struct pw_str rest)
{
    struct pw_str authority = pw_str_cut(&rest, '/');
    if (pw_str_starts(authority, "[")) {
        return pw_str_is(pw_str_cut(&authority, ']'), "[::1");
    }
    struct pw_str host = pw_str_cut(&authority, ':');
    return pw_str_eq_nocase(host, PW_STR("localhost")) || is_loopback_v4(host);
}

int pw_security_may_send_password(const struct pw_settings *settings, struct pw_str url,
                                  struct pw_out *why)
{
    enum { ONLY_THIS_MACHINE };
    struct pw_str rest = url;
    struct pw_str scheme = pw_str_cut(&rest, ':');
    bool tls = scheme.len > 0 && scheme.at[scheme.len - 1] == 's' && !pw_str_is(scheme, "ws");
    while (rest.len > 0 && rest.at[0] == '/') {
        rest = (struct pw_str){.at = rest.at + 1, .len = rest.len - 1};
    }
    if (tls || ends_here(rest) ||
        pw_settings_int(settings, PW_SET_PLAIN_PASSWORDS) != ONLY_THIS_MACHINE) {
        return PW_OK;
    }
    pw_put_s(why, "a password would go unencrypted to another machine: use ");
    pw_put(why, scheme);
    pw_put_s(why, "s://, or write  network: {plain_passwords: trusted_network}  where nobody "
                  "listens on the way");
    return PW_ERR_RANGE;
}

static void put_url(struct pw_security *security)
{
    struct pw_out out = PW_OUT(security->url);
    const char *tls_url = pw_settings_text(security->settings, PW_SET_OCPP_TLS_URL);
    struct pw_str url = pw_str_of(pw_settings_text(security->settings, PW_SET_OCPP_URL));
    if (security->profile >= 2 && tls_url[0] != '\0') {
        url = pw_str_of(tls_url);
    }
    // From profile 2 on nothing leaves in the clear, whatever the address says.
    if (security->profile >= 2 && pw_str_starts(url, "ws://")) {
        pw_put_s(&out, "wss://");
        url = (struct pw_str){.at = url.at + 5, .len = url.len - 5};
    }
    pw_put(&out, url);
}

// AuthorizationKey is the hexadecimal representation of the password (errata J 3.12,
// whitepaper 7.2); what is no such text is the password itself.
static struct pw_str password_of(struct pw_security *security)
{
    enum { FORM_BYTES };
    struct pw_str key = pw_str_of(pw_settings_text(security->settings, PW_SET_OCPP_KEY));
    int32_t form = pw_settings_int(security->settings, PW_SET_OCPP_KEY_FORM);
    uint8_t bytes[PW_SECURITY_PASSWORD];
    bool long_enough = key.len >= (size_t)PW_SECURITY_KEY_LEAST * 2;
    int len = form == FORM_BYTES && long_enough ? pw_parse_hex(key, bytes, sizeof(bytes)) : 0;
    if (len > 0) {
        memcpy(security->password, bytes, (size_t)len);
        return (struct pw_str){.at = security->password, .len = (size_t)len};
    }
    return key;
}

void pw_security_target(struct pw_security *security, struct pw_security_target *target, pw_ms now)
{
    struct pw_trust_own own;
    const struct pw_trust *trust = security->trust;
    pw_unix_ms wall = security->host.wall(security->host.context, now);
    put_url(security);
    *target = (struct pw_security_target){
        .url = pw_str_of(security->url),
        .password = security->profile < 3 ? password_of(security) : PW_STR(""),
        .certificate = security->profile == 3,
        .chosen_roots = security->profile >= 2,
    };
    security->shown = target->certificate;
    security->shown_serial[0] = '\0';
    if (target->certificate && trust != NULL && trust->own(trust->context, wall, &own) == PW_OK) {
        memcpy(security->shown_serial, own.serial, sizeof(own.serial));
        if (own.fresh && security->trial == PW_SECURITY_SURE) {
            security->trial = PW_SECURITY_NEW_CERTIFICATE;
            security->tries = 0;
        }
    }
}
