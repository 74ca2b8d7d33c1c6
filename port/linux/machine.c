#include "machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static bool put_address(const struct ifaddrs *at, int family, struct pw_out *out)
{
    char text[INET6_ADDRSTRLEN];
    if (at->ifa_addr == NULL || at->ifa_addr->sa_family != family ||
        (at->ifa_flags & IFF_UP) == 0 || (at->ifa_flags & IFF_LOOPBACK) != 0) {
        return false;
    }
    const void *from = NULL;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    if (family == AF_INET) {
        memcpy(&four, at->ifa_addr, sizeof(four));
        from = &four.sin_addr;
    } else {
        memcpy(&six, at->ifa_addr, sizeof(six));
        from = &six.sin6_addr;
    }
    if (inet_ntop(family, from, text, sizeof(text)) == NULL) {
        return false;
    }
    pw_put_s(out, text);
    return true;
}

void pw_machine_address(struct pw_out *out)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (size_t i = 0; i < PW_COUNT(families) && !found; i++) {
        for (const struct ifaddrs *at = all; at != NULL && !found; at = at->ifa_next) {
            found = put_address(at, families[i], out);
        }
    }
    freeifaddrs(all);
}

int64_t pw_machine_free_kb(void)
{
    static const char key[] = "MemAvailable:";
    char text[512] = "";
    int64_t kb = -1;
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    struct pw_str rest = {.at = text, .len = len > 0 ? (size_t)len : 0};
    while (rest.len > 0) {
        struct pw_str line = pw_str_cut(&rest, '\n');
        if (pw_str_starts(line, key)) {
            struct pw_str number = {.at = line.at + sizeof(key) - 1,
                                    .len = line.len - sizeof(key) + 1};
            number = pw_str_trim(number);
            if (pw_parse_int(pw_str_cut(&number, ' '), 0, INT64_MAX, &kb) != PW_OK) {
                kb = -1;
            }
        }
    }
    return kb;
}
