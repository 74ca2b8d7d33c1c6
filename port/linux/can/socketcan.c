// Linux SocketCAN (facts/dc-can.md §5.1). All frames and all error frames of one interface.
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// can.h has the kernel's numbers, so that pure rooms need no kernel header.
_Static_assert(PW_CAN_ERROR_BUS_OFF == CAN_ERR_BUSOFF, "class");
_Static_assert(PW_CAN_ERROR_RESTARTED == CAN_ERR_RESTARTED, "class");
_Static_assert(PW_CAN_ERROR_CONTROLLER == CAN_ERR_CRTL, "class");
_Static_assert(PW_CAN_CONTROLLER_ACTIVE == CAN_ERR_CRTL_ACTIVE, "class");

struct link {
    char device[IFNAMSIZ];
    bool quiet; // the controller stands still: no carrier, as the kernel has it at bus-off
};

static int refuse(int fd, struct pw_out *reason, const char *what, int error)
{
    pw_can_link_say(reason, what, error);
    if (fd >= 0) {
        (void)close(fd);
    }
    return PW_ERR_UNKNOWN;
}

// IFF_UP and IFF_RUNNING of the interface; 0 when it is gone.
static short flags_of(int fd, const struct link *link)
{
    struct ifreq request = {0};
    memcpy(request.ifr_name, link->device, sizeof(request.ifr_name));
    return ioctl(fd, SIOCGIFFLAGS, &request) == 0 ? request.ifr_flags : (short)0;
}

// The controller's carrier, which the kernel takes away at bus-off. IFF_RUNNING says the same up to
// a second later, and serves where there is no sysfs.
static bool has_carrier(const struct link *link, short flags)
{
    char path[sizeof("/sys/class/net//carrier") + IFNAMSIZ];
    struct pw_out out = PW_OUT(path);
    char value = '0';
    pw_put_s(&out, "/sys/class/net/");
    pw_put_s(&out, link->device);
    pw_put_s(&out, "/carrier");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return (flags & IFF_RUNNING) != 0;
    }
    bool read_it = read(fd, &value, 1) == 1; // fails while the interface is down
    (void)close(fd);
    return read_it && value == '1';
}

static enum pw_can_state look_at(int fd, const struct link *link)
{
    short flags = flags_of(fd, link);
    if ((flags & IFF_UP) == 0) {
        return PW_CAN_DOWN;
    }
    return has_carrier(link, flags) ? PW_CAN_ACTIVE : PW_CAN_OFF;
}

static int attach(int fd, const struct link *link, struct pw_out *reason)
{
    const can_err_mask_t errors = CAN_ERR_MASK;
    struct ifreq request = {0};
    struct sockaddr_can address = {.can_family = AF_CAN};
    memcpy(request.ifr_name, link->device, sizeof(request.ifr_name));
    if (ioctl(fd, SIOCGIFINDEX, &request) != 0) {
        return refuse(fd, reason, "no such interface", errno);
    }
    address.can_ifindex = request.ifr_ifindex;
    if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof(errors)) != 0) {
        return refuse(fd, reason, "error frames cannot be asked for", errno);
    }
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return refuse(fd, reason, "not a CAN interface", errno);
    }
    return PW_OK;
}

static int open_link(struct pw_can_wire *wire, struct pw_str rest, pw_ms now, struct pw_out *reason)
{
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL || pw_str_copy(link->device, sizeof(link->device), rest) != PW_OK) {
        pw_put_s(reason, "an interface name has 1 to 15 characters");
        free(link);
        return PW_ERR_RANGE;
    }
    int fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
    int err = fd >= 0 ? attach(fd, link, reason)
                      : refuse(fd, reason,
                               "this kernel has no SocketCAN (mcast and slcan need none)", errno);
    if (err != PW_OK) {
        free(link);
        return err;
    }
    wire->link = link;
    wire->fd = fd;
    wire->state = look_at(fd, link);
    link->quiet = wire->state == PW_CAN_OFF;
    wire->deadline = pw_after(now, PW_CAN_LINK_POLL_MS);
    return PW_OK;
}

static void close_link(struct pw_can_wire *wire)
{
    (void)close(wire->fd);
    free(wire->link);
}

// The interface itself is looked at now and then: a socket is not told when it comes up again, and
// a restart by "ip link set can0 down; up" gives no error frame. A bus-off that the carrier never
// confirmed (an error frame put on a vcan) is left only by an error frame.
static int look(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    struct link *link = wire->link;
    enum pw_can_state seen = look_at(wire->fd, link);
    bool was_quiet = link->quiet;
    wire->deadline = pw_after(now, PW_CAN_LINK_POLL_MS);
    link->quiet = seen == PW_CAN_OFF;
    if (seen == PW_CAN_ACTIVE && wire->state != PW_CAN_DOWN &&
        !(wire->state == PW_CAN_OFF && was_quiet)) {
        return 0;
    }
    return pw_can_link_state(wire, seen, NULL, event);
}

static int take(struct pw_can_wire *wire, const struct can_frame *raw, struct pw_can_event *event)
{
    if ((raw->can_id & CAN_ERR_FLAG) != 0) {
        struct pw_can_error error = {.classes = raw->can_id & CAN_ERR_MASK};
        memcpy(error.data, raw->data, sizeof(error.data));
        return pw_can_link_error(wire, &error, event);
    }
    struct pw_can_frame frame = {.extended = (raw->can_id & CAN_EFF_FLAG) != 0,
                                 .remote = (raw->can_id & CAN_RTR_FLAG) != 0,
                                 .len = raw->len};
    frame.id = raw->can_id & (frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK);
    if (!frame.remote) {
        memcpy(frame.data, raw->data, raw->len);
    }
    return pw_can_link_frame(wire, &frame, event);
}

static int read_link(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    for (;;) {
        struct can_frame raw;
        ssize_t got = recv(wire->fd, &raw, sizeof(raw), 0);
        if (got == (ssize_t)sizeof(raw) && raw.len <= CAN_MAX_DLEN) {
            if (take(wire, &raw, event) == 1) {
                return 1;
            }
            continue;
        }
        if (got >= 0) {
            wire->stats.malformed++;
            continue;
        }
        if (errno == EAGAIN) {
            // only now: what the socket has to tell is older than what a look shows
            return now >= wire->deadline ? look(wire, now, event) : 0;
        }
        if (errno == ENETDOWN) {
            return pw_can_link_state(wire, PW_CAN_DOWN, NULL, event);
        }
        if (errno != EINTR) {
            return PW_ERR_PEER; // ENODEV: the adapter was pulled out
        }
    }
}

static int send_raw(struct pw_can_wire *wire, const struct can_frame *raw)
{
    ssize_t sent = send(wire->fd, raw, sizeof(*raw), 0);
    if (sent == (ssize_t)sizeof(*raw)) {
        return PW_OK;
    }
    // ENOBUFS: the interface's queue is full, and poll() would not tell when it is not.
    if (errno == ENOBUFS || errno == EAGAIN || errno == EINTR) {
        return PW_ERR_AGAIN;
    }
    return errno == ENETDOWN ? PW_ERR_BUSY : PW_ERR_PEER;
}

static int send_link(struct pw_can_wire *wire, const struct pw_can_frame *frame)
{
    struct can_frame raw = {.can_id = frame->id | (frame->extended ? CAN_EFF_FLAG : 0U) |
                                      (frame->remote ? CAN_RTR_FLAG : 0U),
                            .len = frame->len};
    memcpy(raw.data, frame->data, sizeof(raw.data));
    return send_raw(wire, &raw);
}

static int send_error(struct pw_can_wire *wire, const struct pw_can_error *error)
{
    struct can_frame raw = {.can_id = error->classes | CAN_ERR_FLAG, .len = CAN_ERR_DLC};
    memcpy(raw.data, error->data, sizeof(raw.data));
    return send_raw(wire, &raw);
}

const struct pw_can_link_ops pw_can_link_socketcan = {
    .scheme = "socketcan",
    .open = open_link,
    .close = close_link,
    .read = read_link,
    .send = send_link,
    .send_error = send_error,
};
