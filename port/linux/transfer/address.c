// Which network an address is in, and where a redirect may lead. A server on the Internet must not
// send a station to what only the station can reach (facts/reliability.md T11).
#include "parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static enum pw_network_class class_of_v4(uint32_t host)
{
    static const struct {
        uint32_t net;
        unsigned bits;
        enum pw_network_class is;
    } rows[] = {
        {0x00000000, 8, PW_NETWORK_NONE},        // 0.0.0.0/8
        {0x7F000000, 8, PW_NETWORK_LOOPBACK},    // 127.0.0.0/8
        {0xA9FE0000, 16, PW_NETWORK_LINK_LOCAL}, // 169.254.0.0/16
        {0x0A000000, 8, PW_NETWORK_PRIVATE},     // 10.0.0.0/8
        {0xAC100000, 12, PW_NETWORK_PRIVATE},    // 172.16.0.0/12
        {0xC0A80000, 16, PW_NETWORK_PRIVATE},    // 192.168.0.0/16
        {0x64400000, 10, PW_NETWORK_PRIVATE},    // 100.64.0.0/10, of a carrier's NAT
        {0xC0000000, 24, PW_NETWORK_PRIVATE},    // 192.0.0.0/24
        {0xC6120000, 15, PW_NETWORK_PRIVATE},    // 198.18.0.0/15
        {0xE0000000, 3, PW_NETWORK_NONE},        // multicast, reserved, broadcast
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (host >> (32 - rows[i].bits) == rows[i].net >> (32 - rows[i].bits)) {
            return rows[i].is;
        }
    }
    return PW_NETWORK_PUBLIC;
}

static enum pw_network_class class_of_v6(const uint8_t *at)
{
    static const uint8_t zeros[12] = {0};
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    uint32_t last = pw_be32(at + 12);
    if (memcmp(at, mapped, sizeof(mapped)) == 0 || memcmp(at, nat64, sizeof(nat64)) == 0) {
        return class_of_v4(last);
    }
    if (memcmp(at, zeros, sizeof(zeros)) == 0) {
        return last == 1 ? PW_NETWORK_LOOPBACK : PW_NETWORK_NONE;
    }
    if (at[0] == 0xff) {
        return PW_NETWORK_NONE;
    }
    if (at[0] == 0xfe && (at[1] & 0x80U) != 0) {
        return PW_NETWORK_LINK_LOCAL; // fe80::/10, and the old site-local fec0::/10
    }
    return (at[0] & 0xfeU) == 0xfc ? PW_NETWORK_PRIVATE : PW_NETWORK_PUBLIC;
}

enum pw_network_class pw_network_class_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return class_of_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        return class_of_v6(v6.sin6_addr.s6_addr);
    }
    return PW_NETWORK_NONE;
}

static bool ends_in(struct pw_str text, struct pw_str end)
{
    return text.len >= end.len &&
           pw_str_eq_nocase((struct pw_str){.at = text.at + text.len - end.len, .len = end.len},
                            end);
}

static enum pw_network_class class_of_name(struct pw_str name)
{
    // RFC 6761, 6762, 8375, and what ICANN keeps free.
    static const char *const here[] = {".local",     ".localhost", ".internal", ".lan",
                                       ".home.arpa", ".intranet",  ".corp",     ".home"};
    bool dot = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' &&
            c != '-' && c != '_') {
            return PW_NETWORK_NONE;
        }
        dot = dot || c == '.';
    }
    for (size_t i = 0; i < PW_COUNT(here); i++) {
        dot = dot && !ends_in(name, pw_str_of(here[i]));
    }
    return dot ? PW_NETWORK_PUBLIC : PW_NETWORK_PRIVATE;
}

enum pw_network_class pw_network_class_of_host(struct pw_str host)
{
    char text[256];
    uint8_t v6[16];
    struct in_addr v4;
    if (host.len > 1 && host.at[host.len - 1] == '.') {
        host.len--; // a name's root
    }
    if (host.len == 0 || pw_str_copy(text, sizeof(text), host) != PW_OK) {
        return PW_NETWORK_NONE;
    }
    if (inet_pton(AF_INET6, text, v6) == 1) {
        return class_of_v6(v6);
    }
    // Not inet_pton: a proxy's resolver reads 127.1, 0x7f000001 and 2130706433, too.
    return inet_aton(text, &v4) != 0 ? class_of_v4(ntohl(v4.s_addr)) : class_of_name(host);
}

bool pw_network_may(unsigned *networks, unsigned hop, enum pw_network_class where)
{
    if (where == PW_NETWORK_NONE) {
        return false;
    }
    if (hop == 0) {
        *networks |= (unsigned)where;
        return true;
    }
    return where == PW_NETWORK_PUBLIC || (*networks & (unsigned)where) != 0;
}
