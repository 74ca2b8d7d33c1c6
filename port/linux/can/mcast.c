// python-can's udp_multicast bus (facts/dc-can.md §5.4).
//
// Sent on the loopback interface alone unless the url names another: a simulated bus must not leave
// the machine unasked, and it must work where there is no network. Heard on loopback and on the
// default interface (where python-can sends), but only from this machine: nobody on the network may
// put frames on our bus. With "@eth0" in the url the bus spans that network on purpose.
#include "can/mcast.h"

#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOCALS_MAX     32
#define DATAGRAMS_MOST 64 // looked at in one read without an event

struct link {
    int out;
    struct sockaddr_in group;
    in_port_t own_port; // our datagrams come back with it
    bool open;          // also from other machines
    unsigned local_count;
    in_addr_t locals[LOCALS_MAX];
};

struct place {
    struct in_addr group;
    uint16_t port;
    char device[IF_NAMESIZE]; // empty = loopback
};

// "239.74.163.2:43113@eth0"
static int parse(struct pw_str rest, struct place *place, struct pw_out *reason)
{
    struct pw_str device = rest;
    struct pw_str where = pw_str_cut(&device, '@');
    struct pw_str port = where;
    struct pw_str group = pw_str_cut(&port, ':');
    char text[INET_ADDRSTRLEN];
    int64_t number = PW_MCAST_PORT;
    if (pw_str_copy(text, sizeof(text), group) != PW_OK ||
        inet_pton(AF_INET, text, &place->group) != 1 || !IN_MULTICAST(ntohl(place->group.s_addr))) {
        pw_put_s(reason, "the group must be 224.0.0.0 to 239.255.255.255");
        return PW_ERR_RANGE;
    }
    if (port.len > 0 && pw_parse_int(port, 1, UINT16_MAX, &number) != PW_OK) {
        pw_put_s(reason, "the port must be 1 to 65535");
        return PW_ERR_RANGE;
    }
    if (pw_str_copy(place->device, sizeof(place->device), device) != PW_OK) {
        pw_put_s(reason, "an interface name has 1 to 15 characters");
        return PW_ERR_RANGE;
    }
    place->port = (uint16_t)number;
    return PW_OK;
}

// The addresses of this machine, as senders that may be believed.
static void learn_locals(struct link *link)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
            link->local_count < LOCALS_MAX) {
            struct sockaddr_in address;
            memcpy(&address, one->ifa_addr, sizeof(address));
            link->locals[link->local_count++] = address.sin_addr.s_addr;
        }
    }
    freeifaddrs(all);
}

static bool is_local(const struct link *link, in_addr_t address)
{
    for (unsigned i = 0; i < link->local_count; i++) {
        if (link->locals[i] == address) {
            return true;
        }
    }
    return (ntohl(address) & 0xFF000000U) == 0x7F000000U; // 127.0.0.0/8
}

static int number_of(const struct place *place)
{
    return (int)if_nametoindex(place->device[0] == '\0' ? "lo" : place->device);
}

static bool join(int fd, const struct place *place, int device)
{
    struct ip_mreqn request = {.imr_multiaddr = place->group, .imr_ifindex = device};
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) == 0;
}

static bool listen_on(int fd, const struct place *place, const struct sockaddr_in *group)
{
    const int on = 1;
    const int off = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) != 0 ||
        bind(fd, (const struct sockaddr *)group, sizeof(*group)) != 0 ||
        !join(fd, place, number_of(place))) {
        return false;
    }
    if (place->device[0] == '\0') {
        (void)join(fd, place, 0); // there may be no other interface, which is fine
    }
    return true;
}

static bool send_through(int fd, const struct place *place, struct link *link)
{
    const int on = 1;
    struct ip_mreqn device = {.imr_ifindex = number_of(place)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof(own);
    if (place->device[0] == '\0') {
        // where loopback is all there is, the kernel would find no sender address by itself
        device.imr_address.s_addr = htonl(INADDR_LOOPBACK);
    }
    if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &device, sizeof(device)) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &len) != 0) {
        return false;
    }
    link->own_port = own.sin_port;
    return true;
}

static void close_both(int in, int out)
{
    if (in >= 0) {
        (void)close(in);
    }
    if (out >= 0) {
        (void)close(out);
    }
}

static int open_link(struct pw_can_wire *wire, struct pw_str rest, pw_ms now, struct pw_out *reason)
{
    struct place place = {0};
    (void)now;
    int err = parse(rest, &place, reason);
    if (err != PW_OK) {
        return err;
    }
    if (number_of(&place) == 0) {
        pw_can_link_say(reason, "no such interface", errno);
        return PW_ERR_UNKNOWN;
    }
    struct link *link = calloc(1, sizeof(*link));
    int in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link != NULL) {
        link->group = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons(place.port), .sin_addr = place.group};
    }
    if (link == NULL || in < 0 || out < 0 || !listen_on(in, &place, &link->group) ||
        !send_through(out, &place, link)) {
        pw_can_link_say(reason, "the multicast group cannot be joined", errno);
        close_both(in, out);
        free(link);
        return PW_ERR_UNKNOWN;
    }
    link->out = out;
    link->open = place.device[0] != '\0';
    learn_locals(link);
    wire->link = link;
    wire->fd = in;
    return PW_OK;
}

static void close_link(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    close_both(wire->fd, link->out);
    free(link);
}

// Ours, or from somebody who has no say on this bus.
static bool is_foreign(const struct link *link, const struct sockaddr_in *from)
{
    bool local = is_local(link, from->sin_addr.s_addr);
    return (local && from->sin_port == link->own_port) || (!local && !link->open);
}

static int read_link(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    const struct link *link = wire->link;
    (void)now;
    // Strangers on the group must not keep the loop from everything else.
    for (unsigned datagrams = 0; datagrams < DATAGRAMS_MOST; datagrams++) {
        uint8_t bytes[PW_MCAST_READ_MAX];
        struct sockaddr_in from = {0};
        socklen_t from_len = sizeof(from);
        struct pw_mcast_datagram datagram;
        ssize_t len = recvfrom(wire->fd, bytes, sizeof(bytes), MSG_TRUNC, (struct sockaddr *)&from,
                               &from_len);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0) {
            return errno == EAGAIN ? 0 : (int)PW_ERR_PEER;
        }
        if (is_foreign(link, &from)) {
            continue;
        }
        if ((size_t)len > sizeof(bytes) ||
            pw_mcast_unpack(bytes, (size_t)len, &datagram) != PW_OK) {
            wire->stats.malformed++;
            continue;
        }
        if (!datagram.is_error) {
            return pw_can_link_frame(wire, &datagram.frame, event);
        }
        if (pw_can_link_error(wire, &datagram.error, event) == 1) {
            return 1;
        }
    }
    return 0;
}

static int send_datagram(struct pw_can_wire *wire, const struct pw_mcast_datagram *datagram)
{
    const struct link *link = wire->link;
    uint8_t bytes[PW_MCAST_MAX];
    struct timespec wall = {0};
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    uint64_t us = (uint64_t)wall.tv_sec * 1000000U + (uint64_t)wall.tv_nsec / 1000U;
    int len = pw_mcast_pack(datagram, us, bytes);
    if (len < 0) {
        return len;
    }
    ssize_t sent = sendto(link->out, bytes, (size_t)len, 0, (const struct sockaddr *)&link->group,
                          sizeof(link->group));
    if (sent == len) {
        return PW_OK;
    }
    bool full = errno == EAGAIN || errno == ENOBUFS || errno == EINTR;
    return full ? PW_ERR_AGAIN : PW_ERR_BUSY;
}

static int send_link(struct pw_can_wire *wire, const struct pw_can_frame *frame)
{
    struct pw_mcast_datagram datagram = {.frame = *frame};
    return send_datagram(wire, &datagram);
}

static int send_error(struct pw_can_wire *wire, const struct pw_can_error *error)
{
    struct pw_mcast_datagram datagram = {.is_error = true, .error = *error};
    return send_datagram(wire, &datagram);
}

const struct pw_can_link_ops pw_can_link_mcast = {
    .scheme = "mcast",
    .open = open_link,
    .close = close_link,
    .read = read_link,
    .send = send_link,
    .send_error = send_error,
};
