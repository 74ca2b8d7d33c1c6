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
