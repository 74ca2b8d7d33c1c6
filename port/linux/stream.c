#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define BAUD_DEFAULT 115200

static const struct {
    uint32_t rate;
    speed_t code;
} bauds[] = {
    {9600, B9600},     {19200, B19200},     {38400, B38400},     {57600, B57600},
    {115200, B115200}, {230400, B230400},   {460800, B460800},   {500000, B500000},
    {921600, B921600}, {1000000, B1000000}, {2000000, B2000000}, {3000000, B3000000},
};

static void say(struct pw_out *reason, const char *what, int error)
{
    pw_put_s(reason, what);
    pw_put_s(reason, ": ");
    pw_put_s(reason, strerror(error));
}

static const speed_t *speed_of(int64_t baud)
{
    for (size_t i = 0; i < PW_COUNT(bauds); i++) {
        if (bauds[i].rate == baud) {
            return &bauds[i].code;
        }
    }
    return NULL;
}

int pw_stream_baud(int64_t baud, struct pw_out *reason)
{
    if (speed_of(baud) != NULL) {
        return PW_OK;
    }
    pw_put_s(reason, "the serial speed must be 9600, 19200, 38400, 57600, 115200, 230400, 460800, "
                     "500000, 921600, 1000000, 2000000 or 3000000 baud");
    return PW_ERR_RANGE;
}

// USB adapters collect bytes for 16 ms unless told otherwise. Who has no such switch is fast.
static void hurry(int fd)
{
    struct serial_struct line;
    if (ioctl(fd, TIOCGSERIAL, &line) == 0) {
        line.flags = (int)((unsigned)line.flags | ASYNC_LOW_LATENCY);
        (void)ioctl(fd, TIOCSSERIAL, &line);
    }
}

static int make_raw(int fd, speed_t speed, struct pw_out *reason)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) != 0) {
        say(reason, "not a serial device", errno);
        return PW_ERR_UNKNOWN;
    }
    cfmakeraw(&mode);
    mode.c_cflag |= CLOCAL | CREAD;
    if (cfsetspeed(&mode, speed) != 0 || tcsetattr(fd, TCSANOW, &mode) != 0) {
        say(reason, "the serial speed cannot be set", errno);
        return PW_ERR_UNKNOWN;
    }
    hurry(fd);
    return PW_OK;
}

int pw_stream_serial(struct pw_str path, int64_t baud, int *fd, struct pw_out *reason)
{
    char name[PW_STREAM_PATH_MAX + 1];
    const speed_t *speed = speed_of(baud);
    if (speed == NULL) {
        return pw_stream_baud(baud, reason);
    }
    if (pw_str_copy(name, sizeof(name), path) != PW_OK || name[0] == '\0') {
        pw_put_s(reason, "a device path has 1 to 127 characters");
        return PW_ERR_RANGE;
    }
    *fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0) {
        say(reason, "the device cannot be opened", errno);
        return PW_ERR_UNKNOWN;
    }
    int err = make_raw(*fd, *speed, reason);
    if (err != PW_OK) {
        (void)close(*fd);
        *fd = -1;
    }
    return err;
}

static int address_of(struct pw_str where, struct sockaddr_in *to, struct pw_out *reason)
{
    struct pw_str port = where;
    struct pw_str host = pw_str_cut(&port, ':');
    char text[INET_ADDRSTRLEN];
    int64_t number = 0;
    *to = (struct sockaddr_in){.sin_family = AF_INET};
    if (pw_str_copy(text, sizeof(text), host) != PW_OK ||
        inet_pton(AF_INET, text, &to->sin_addr) != 1 ||
        pw_parse_int(port, 1, UINT16_MAX, &number) != PW_OK) {
        pw_put_s(reason, "expected tcp:address:port, the address in numbers, the port 1 to 65535");
        return PW_ERR_RANGE;
    }
    to->sin_port = htons((uint16_t)number);
    return PW_OK;
}

int pw_stream_tcp(struct pw_str where, int *fd, struct pw_out *reason)
{
    struct sockaddr_in to;
    const int on = 1;
    int err = address_of(where, &to, reason);
    if (err != PW_OK) {
        return err;
    }
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) {
        say(reason, "no socket", errno);
        return PW_ERR_UNKNOWN;
    }
    (void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(*fd, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
        say(reason, "cannot connect", errno);
        (void)close(*fd);
        *fd = -1;
        return PW_ERR_UNKNOWN;
    }
    return PW_OK;
}

static struct pw_str behind(struct pw_str text, size_t len)
{
    return (struct pw_str){.at = text.at + len, .len = text.len - len};
}

// Path and speed of "serial:/dev/ttyUSB0@9600"; a speed that is no number is 0, which none is.
static struct pw_str serial_of(struct pw_str device, int64_t *baud)
{
    struct pw_str speed = pw_str_starts(device, "serial:") ? behind(device, 7) : device;
    size_t whole = speed.len;
    struct pw_str path = pw_str_cut(&speed, '@');
    *baud = BAUD_DEFAULT;
    if (path.len < whole && pw_parse_int(speed, 1, INT32_MAX, baud) != PW_OK) {
        *baud = 0;
    }
    return path;
}

int pw_stream_open(struct pw_str device, int *fd, struct pw_out *reason)
{
    int64_t baud = 0;
    if (pw_str_starts(device, "tcp:")) {
        return pw_stream_tcp(behind(device, 4), fd, reason);
    }
    struct pw_str path = serial_of(device, &baud);
    return pw_stream_serial(path, baud, fd, reason);
}

int pw_stream_check(struct pw_str device, struct pw_out *reason)
{
    struct sockaddr_in to;
    int64_t baud = 0;
    if (pw_str_starts(device, "tcp:")) {
        return address_of(behind(device, 4), &to, reason);
    }
    struct pw_str path = serial_of(device, &baud);
    if (path.len == 0 || path.len > PW_STREAM_PATH_MAX || path.at[0] != '/') {
        pw_put_s(reason, "expected serial:/dev/ttyUSB0@115200 or tcp:address:port");
        return PW_ERR_RANGE;
    }
    return pw_stream_baud(baud, reason);
}

int pw_stream_connected(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof(error);
    if (poll(&ready, 1, 0) == 0) {
        return 0;
    }
    // A serial device is no socket and is there at once.
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0) {
        return PW_ERR_PEER;
    }
    return 1;
}

int pw_stream_read(int fd, void *to, size_t cap)
{
    ssize_t got = 0;
    do {
        got = read(fd, to, cap);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? 0 : (int)PW_ERR_PEER;
    }
    return got == 0 ? (int)PW_ERR_PEER : (int)got; // 0: hung up
}

int pw_stream_write(int fd, const void *from, size_t len)
{
    const char *at = from;
    size_t sent = 0;
    while (sent < len) {
        ssize_t taken = write(fd, at + sent, len - sent);
        if (taken < 0 && errno == EINTR) {
            continue;
        }
        if (taken < 0 && errno == EAGAIN) {
            break;
        }
        if (taken <= 0) {
            return PW_ERR_PEER;
        }
        sent += (size_t)taken;
    }
    return (int)sent;
}
