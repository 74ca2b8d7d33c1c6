// Where a broker is: mqtt://host[:port], mqtts://host[:port].
#include "mqtt/parts.h"

#include <string.h>

static const struct {
    const char *scheme;
    bool tls;
    uint16_t port;
} schemes[] = {{"mqtt://", false, 1883}, {"mqtts://", true, 8883}};

static const char *cut_host(struct pw_str *rest, struct pw_str *host)
{
    bool bracketed = rest->len > 0 && rest->at[0] == '[';
    if (!bracketed) {
        *host = pw_str_cut(rest, ':');
        return host->len == 0 ? "the host is missing" : NULL;
    }
    if (memchr(rest->at, ']', rest->len) == NULL) {
        return "the ] of the address is missing";
    }
    *host = pw_str_cut(rest, ']');
    host->at++;
    host->len--;
    if (rest->len > 0 && pw_str_cut(rest, ':').len > 0) {
        return "behind the ] of an address only :port may follow";
    }
    return host->len == 0 ? "the host is missing" : NULL;
}

const char *pw_mqtt_url_read(struct pw_str url, struct address *to)
{
    struct pw_str host = {.at = "", .len = 0};
    struct pw_str rest = {.at = NULL, .len = 0};
    for (size_t i = 0; i < PW_COUNT(schemes); i++) {
        if (pw_str_starts(url, schemes[i].scheme)) {
            size_t len = strlen(schemes[i].scheme);
            rest = (struct pw_str){.at = url.at + len, .len = url.len - len};
            to->tls = schemes[i].tls;
            to->port = schemes[i].port;
        }
    }
    if (rest.at == NULL) {
        return "it must begin with mqtt:// or mqtts://";
    }
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] <= ' ' || strchr("/@?#", rest.at[i]) != NULL) {
            return "only host and port may follow: user and password are settings of their own";
        }
    }
    const char *wrong = cut_host(&rest, &host);
    int64_t port = to->port;
    if (wrong == NULL && rest.len > 0 && pw_parse_int(rest, 1, 65535, &port) != PW_OK) {
        wrong = "the port must be 1..65535";
    }
    if (wrong == NULL && pw_str_copy(to->host, sizeof(to->host), host) != PW_OK) {
        wrong = "the host is too long";
    }
    to->port = (uint16_t)port;
    return wrong;
}

int pw_mqtt_wire_check_url(struct pw_str url, struct pw_out *why)
{
    struct address to;
    const char *wrong = pw_mqtt_url_read(url, &to);
    pw_put_s(why, wrong == NULL ? "" : wrong);
    return wrong == NULL ? PW_OK : PW_ERR_RANGE;
}
