// Two requests over generic netlink: which number nl80211 has today, and the list of stations.
#include "netman/guests.h"

#include "wireless/wireless.h"

#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNKS_MAX 32 // parts of a list; an access point has fewer stations than one holds

// The kernel's macros for this are signed.
enum { ALIGNED = 4, HEAD_LEN = 16, GENERIC_LEN = 4, ATTRIBUTE_LEN = 4 };
_Static_assert(sizeof(struct nlmsghdr) == HEAD_LEN && sizeof(struct genlmsghdr) == GENERIC_LEN &&
                   sizeof(struct nlattr) == ATTRIBUTE_LEN,
               "netlink's headers");

static size_t aligned(size_t len)
{
    return (len + ALIGNED - 1U) / ALIGNED * ALIGNED;
}

struct request {
    struct nlmsghdr head;
    struct genlmsghdr generic;
    struct nlattr attribute;
    uint8_t value[16];
};

// What is asked for: a command of a family, with one attribute.
struct question {
    uint16_t family;
    uint8_t command;
    uint16_t flags;
    uint16_t attribute;
    const void *value;
    size_t len;
};

static bool ask(int fd, const struct question *question)
{
    struct request request;
    memset(&request, 0, sizeof(request));
    PW_ASSERT(question->len <= sizeof(request.value));
    request.generic.cmd = question->command;
    request.generic.version = 1;
    request.attribute.nla_type = question->attribute;
    request.attribute.nla_len = (uint16_t)(ATTRIBUTE_LEN + question->len);
    memcpy(request.value, question->value, question->len);
    request.head.nlmsg_type = question->family;
    request.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | question->flags);
    request.head.nlmsg_len =
        (uint32_t)(HEAD_LEN + GENERIC_LEN + aligned(ATTRIBUTE_LEN + question->len));
    return send(fd, &request, request.head.nlmsg_len, MSG_DONTWAIT) ==
           (ssize_t)request.head.nlmsg_len;
}

// The number of the family, among the attributes of its description.
static void find_family(const uint8_t *at, size_t len, struct nm_guests *answer)
{
    struct nlattr attribute;
    while (len >= sizeof(attribute)) {
        memcpy(&attribute, at, sizeof(attribute));
        size_t step = aligned(attribute.nla_len);
        if (attribute.nla_len < sizeof(attribute) || step > len) {
            return;
        }
        if (attribute.nla_type == CTRL_ATTR_FAMILY_ID &&
            attribute.nla_len >= sizeof(attribute) + sizeof(answer->family)) {
            memcpy(&answer->family, at + sizeof(attribute), sizeof(answer->family));
        }
        at += step;
        len -= step;
    }
}

static void take_message(const struct nlmsghdr *head, const uint8_t *body, struct nm_guests *answer)
{
    size_t len = head->nlmsg_len - HEAD_LEN;
    switch (head->nlmsg_type) {
    case NLMSG_DONE: answer->over = true; return;
    case NLMSG_ERROR:
        answer->over = true;
        answer->failed = true;
        return;
    case GENL_ID_CTRL:
        answer->over = true;
        if (len > GENERIC_LEN) {
            find_family(body + GENERIC_LEN, len - GENERIC_LEN, answer);
        }
        return;
    default: answer->stations++; return;
    }
}

bool nm_guests_take(struct nm_guests *guests, const uint8_t *bytes, size_t len)
{
    while (len >= sizeof(struct nlmsghdr) && !guests->over) {
        struct nlmsghdr head;
        memcpy(&head, bytes, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len) {
            return false;
        }
        take_message(&head, bytes + HEAD_LEN, guests);
        size_t step = aligned(head.nlmsg_len);
        step = step < len ? step : len;
        bytes += step;
        len -= step;
    }
    return true;
}

static bool take_answer(int fd, struct nm_guests *guests)
{
    uint8_t bytes[8192];
    for (unsigned i = 0; i < CHUNKS_MAX && !guests->over; i++) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got <= 0 || !nm_guests_take(guests, bytes, (size_t)got)) {
            return false;
        }
    }
    return guests->over && !guests->failed;
}

static int16_t count(int fd, uint32_t interface)
{
    struct nm_guests family = {.family = 0};
    struct nm_guests stations = {.family = 0};
    const struct question which = {.family = GENL_ID_CTRL,
                                   .command = CTRL_CMD_GETFAMILY,
                                   .attribute = CTRL_ATTR_FAMILY_NAME,
                                   .value = NL80211_GENL_NAME,
                                   .len = sizeof(NL80211_GENL_NAME)};
    if (!ask(fd, &which) || !take_answer(fd, &family) || family.family == 0) {
        return PW_WIRELESS_UNKNOWN;
    }
    const struct question list = {.family = family.family,
                                  .command = NL80211_CMD_GET_STATION,
                                  .flags = NLM_F_DUMP,
                                  .attribute = NL80211_ATTR_IFINDEX,
                                  .value = &interface,
                                  .len = sizeof(interface)};
    return ask(fd, &list) && take_answer(fd, &stations) ? stations.stations : PW_WIRELESS_UNKNOWN;
}

int16_t pw_netman_guests(const char *name)
{
    uint32_t interface = if_nametoindex(name);
    int fd = interface == 0 ? -1 : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
    if (fd < 0) {
        return PW_WIRELESS_UNKNOWN;
    }
    int16_t guests = count(fd, interface);
    (void)close(fd);
    return guests;
}
