// A serial CAN adapter between the kernel's slcan driver and a vcan: what a station with such an
// adapter has as its bus. Prints the name of the interface it made, then moves frames both ways.
//   guest_adapter VCAN
// SIGUSR1: its controller goes bus-off: the driver is told, and nothing crosses until the driver
// closes and opens the channel (ip link set down, up). SIGTERM: ends with status 0.
#include "slcan_pty.h"

#include <linux/can.h>
#include <linux/can/raw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_LEN 32 // "T", 8 of id, 1 of length, 16 of data, and room

struct adapter {
    struct slcan_pty pty;
    int bus;
    int signals;
    bool open; // the driver opened the channel, and no bus-off since
    char line[LINE_MAX_LEN];
    size_t len;
};

static bool say(const struct adapter *adapter, const char *text)
{
    size_t len = strlen(text);
    return write(adapter->pty.master, text, len) == (ssize_t)len;
}

static int open_bus(const char *name)
{
    struct ifreq request = {0};
    struct sockaddr_can address = {.can_family = AF_CAN};
    int fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request) != 0) {
        return -1;
    }
    address.can_ifindex = request.ifr_ifindex;
    return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

// `digits` hexadecimal digits; -1 when there is something else.
static int64_t hex(const char *text, size_t digits)
{
    char copy[9] = "";
    char *end = copy;
    memcpy(copy, text, digits);
    unsigned long value = strtoul(copy, &end, 16);
    return end == copy + digits ? (int64_t)value : -1;
}

static bool parse(const char *line, size_t len, struct can_frame *frame)
{
    bool extended = line[0] == 'T' || line[0] == 'R';
    bool remote = line[0] == 'r' || line[0] == 'R';
    size_t digits = extended ? 8 : 3;
    if (len < digits + 2 || hex(line + 1, digits) < 0) {
        return false;
    }
    frame->can_id = (canid_t)hex(line + 1, digits) | (extended ? CAN_EFF_FLAG : 0U) |
                    (remote ? CAN_RTR_FLAG : 0U);
    int64_t size = hex(line + 1 + digits, 1);
    if (size < 0 || size > CAN_MAX_DLEN || len != digits + 2 + (remote ? 0U : 2U * (size_t)size)) {
        return false;
    }
    frame->len = (uint8_t)size;
    for (size_t i = 0; !remote && i < frame->len; i++) {
        int64_t byte = hex(line + digits + 2 + 2 * i, 2);
        if (byte < 0) {
            return false;
        }
        frame->data[i] = (uint8_t)byte;
    }
    return true;
}

// One line of the driver. False: the bus is gone, or the driver said what no driver says.
static bool obey(struct adapter *adapter)
{
    struct can_frame frame = {0};
    adapter->line[adapter->len] = '\0';
    switch (adapter->line[0]) {
    case 'O': adapter->open = true; return true;
    case 'C': adapter->open = false; return true;
    case 't':
    case 'T':
    case 'r':
    case 'R':
        if (!parse(adapter->line, adapter->len, &frame)) {
            (void)fprintf(stderr, "adapter: no frame: \"%s\"\n", adapter->line);
            return false;
        }
        return !adapter->open ||
               write(adapter->bus, &frame, sizeof(frame)) == (ssize_t)sizeof(frame);
    default: return true; // the bit rate: a vcan has none
    }
}

static bool from_driver(struct adapter *adapter)
{
    char bytes[512];
    ssize_t got = read(adapter->pty.master, bytes, sizeof(bytes));
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] != '\r') {
            if (adapter->len == sizeof(adapter->line) - 1) {
                return false;
            }
            adapter->line[adapter->len++] = bytes[i];
            continue;
        }
        if (!obey(adapter)) {
            return false;
        }
        adapter->len = 0;
    }
    return got > 0;
}

static bool from_bus(const struct adapter *adapter)
{
    struct can_frame frame;
    char text[LINE_MAX_LEN];
    if (read(adapter->bus, &frame, sizeof(frame)) != (ssize_t)sizeof(frame)) {
        return false;
    }
    if (!adapter->open) {
        return true; // a closed or broken controller hears nothing
    }
    bool extended = (frame.can_id & CAN_EFF_FLAG) != 0;
    bool remote = (frame.can_id & CAN_RTR_FLAG) != 0;
    char kind = extended ? 'T' : 't';
    if (remote) {
        kind = extended ? 'R' : 'r';
    }
    int at = snprintf(text, sizeof(text), "%c%0*X%X", kind, extended ? 8 : 3,
                      frame.can_id & (extended ? CAN_EFF_MASK : CAN_SFF_MASK), frame.len);
    for (unsigned i = 0; !remote && i < frame.len; i++) {
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%02X", frame.data[i]);
    }
    (void)snprintf(text + at, sizeof(text) - (size_t)at, "\r");
    return say(adapter, text);
}

// The signal that came; bus-off is done here.
static int take_signal(struct adapter *adapter)
{
    struct signalfd_siginfo info;
    if (read(adapter->signals, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return 0;
    }
    if (info.ssi_signo == SIGUSR1 && adapter->open) {
        adapter->open = false;
        (void)say(adapter, "sb000256\r"); // bus-off, counters 000 and 256
    }
    return (int)info.ssi_signo;
}

static int serve(struct adapter *adapter)
{
    for (;;) {
        struct pollfd ready[] = {{.fd = adapter->signals, .events = POLLIN},
                                 {.fd = adapter->pty.master, .events = POLLIN},
                                 {.fd = adapter->bus, .events = POLLIN}};
        if (poll(ready, 3, -1) < 0) {
            perror("adapter: poll");
            return EXIT_FAILURE;
        }
        if (ready[0].revents != 0 && take_signal(adapter) == SIGTERM) {
            return EXIT_SUCCESS;
        }
        if ((ready[1].revents != 0 && !from_driver(adapter)) ||
            (ready[2].revents != 0 && !from_bus(adapter))) {
            perror("adapter: lost the driver or the bus");
            return EXIT_FAILURE;
        }
    }
}

int main(int argc, char **argv)
{
    struct adapter adapter = {0};
    sigset_t signals;
    if (argc != 2) {
        (void)fputs("usage: guest_adapter VCAN\n", stderr);
        return 2;
    }
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGUSR1);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    adapter.signals = signalfd(-1, &signals, SFD_CLOEXEC);
    adapter.bus = open_bus(argv[1]);
    if (adapter.signals < 0 || adapter.bus < 0 || !slcan_pty_open(&adapter.pty)) {
        perror("adapter");
        return EXIT_FAILURE;
    }
    (void)puts(adapter.pty.name);
    (void)fflush(stdout);
    int status = serve(&adapter);
    slcan_pty_close(&adapter.pty);
    return status;
}
