#include "address.h"

#include <string.h>

int address_parse(struct pw_str text, struct address *address)
{
    size_t colon = text.len;
    while (colon > 0 && text.at[colon - 1] != ':') {
        colon--;
    }
    int64_t port = 0;
    if (colon < 2 || pw_parse_int((struct pw_str){.at = text.at + colon, .len = text.len - colon},
                                  1, 65535, &port) != PW_OK) {
        return PW_ERR_RANGE;
    }
    struct pw_str host = {.at = text.at, .len = colon - 1};
    bool bracketed = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    if (bracketed) {
        host = (struct pw_str){.at = host.at + 1, .len = host.len - 2};
    }
    bool colons = memchr(host.at, ':', host.len) != NULL;
    if (colons != bracketed || host.at[0] == '[') {
        return PW_ERR_RANGE;
    }
    address->port = (uint16_t)port;
    return pw_str_copy(address->host, sizeof(address->host), host);
}

int address_check_listen(struct pw_str listen, struct pw_out *why)
{
    struct address address;
    if (address_parse(listen, &address) != PW_OK) {
        pw_put_s(why, "it must be an address and a port of 1..65535, like 127.0.0.1:8080");
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

// The host of "http://host:port/...", without port; empty when it is none.
struct pw_str address_host(struct pw_str url)
{
    size_t scheme = pw_str_starts(url, "https://")  ? 8
                    : pw_str_starts(url, "http://") ? 7
                                                    : url.len;
    struct pw_str host = {.at = url.at + scheme, .len = url.len - scheme};
    host = pw_str_cut(&host, '/');
    return host.len > 0 && host.at[0] == '[' ? host : pw_str_cut(&host, ':');
}

int address_check_url(struct pw_str url, struct pw_out *why)
{
    if (address_host(url).len == 0 || memchr(url.at, ' ', url.len) != NULL) {
        pw_put_s(why, "it must be an address like http://wallbox.lan:8080/");
        return PW_ERR_RANGE;
    }
    return PW_OK;
}
