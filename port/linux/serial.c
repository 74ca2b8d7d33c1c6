#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define BAUD_DEFAULT 115200
#define PATH_SIZE    128

static const struct {
    uint32_t rate;
    speed_t code;
} bauds[] = {
    {1200, B1200},     {2400, B2400},     {4800, B4800},     {9600, B9600},
    {19200, B19200},   {38400, B38400},   {57600, B57600},   {115200, B115200},
    {230400, B230400}, {460800, B460800}, {921600, B921600},
};

static const speed_t *speed_of(uint32_t baud)
{
    for (size_t i = 0; i < PW_COUNT(bauds); i++) {
        if (bauds[i].rate == baud) {
            return &bauds[i].code;
        }
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------

static void lose(struct pw_serial *serial)
{
    pw_watch_end(&serial->watch);
    if (!serial->standard && serial->fd >= 0) {
        (void)close(serial->fd);
    }
    serial->ended = serial->standard;
    serial->fd = -1;
    serial->in_len = 0;
    serial->out_len = 0;
    serial->skipping = false;
    serial->reopen_at = 0; // at the next step
}

// What a terminal takes now, without waiting: a terminal held by Ctrl-S must not hold the station.
static void flush(struct pw_serial *serial)
{
    while (serial->out_len > 0 && serial->out_fd >= 0) {
        struct pollfd to = {.fd = serial->out_fd, .events = POLLOUT};
        if (poll(&to, 1, 0) != 1 || (to.revents & POLLOUT) == 0) {
            return;
        }
        size_t chunk = serial->out_len < 512 ? serial->out_len : 512;
        ssize_t sent = write(serial->out_fd, serial->out, chunk);
        if (sent <= 0) {
            return;
        }
        serial->out_len -= (size_t)sent;
        memmove(serial->out, serial->out + sent, serial->out_len);
    }
}

static bool is_full(const struct pw_serial *serial)
{
    return serial->in_len == sizeof(serial->in);
}

// A line without end fills the buffer: drop it, and what follows of it.
static void drop_long_line(struct pw_serial *serial)
{
    if (is_full(serial) && memchr(serial->in, '\n', serial->in_len) == NULL) {
        serial->too_long += !serial->skipping;
        serial->skipping = true;
        serial->in_len = 0;
    }
}

static void on_ready(void *context, unsigned events)
{
    struct pw_serial *serial = context;
    if ((events & PW_LOOP_READ) == 0) {
        return;
    }
    ssize_t got =
        read(serial->fd, serial->in + serial->in_len, sizeof(serial->in) - serial->in_len);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        lose(serial);
        return;
    }
    for (size_t i = serial->in_len; i < serial->in_len + (size_t)got; i++) {
        serial->in[i] = serial->in[i] == '\r' ? '\n' : serial->in[i];
    }
    serial->in_len += (size_t)got;
    drop_long_line(serial);
    if (is_full(serial)) {
        pw_watch_change(&serial->watch, 0); // until lines have been taken
    }
}

// A device that is no terminal, a FIFO for instance, has no rate.
static int make_raw(int fd, uint32_t baud)
{
    struct termios mode;
    const speed_t *speed = speed_of(baud);
    if (isatty(fd) == 0) {
        return 0;
    }
    if (speed == NULL || tcgetattr(fd, &mode) != 0) {
        return -1;
    }
    cfmakeraw(&mode);
    mode.c_cflag |= CLOCAL | CREAD;
    (void)cfsetispeed(&mode, *speed);
    (void)cfsetospeed(&mode, *speed);
    return tcsetattr(fd, TCSANOW, &mode);
}

static void open_device(struct pw_serial *serial)
{
    int fd = open(serial->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (make_raw(fd, serial->baud) != 0) {
        (void)close(fd);
        return;
    }
    serial->fd = fd;
    serial->out_fd = fd;
}

static void start(struct pw_serial *serial)
{
    serial->watch = (struct pw_watch){.ready = on_ready, .context = serial};
    pw_watch_start(&serial->watch, serial->loop, serial->fd, PW_LOOP_READ, PW_LOOP_CONSOLE);
}

// ---------------------------------------------------------------------------------------------

static int parse_device(const char *device, char *path, size_t cap, uint32_t *baud,
                        struct pw_out *why)
{
    struct pw_str rate = pw_str_of(device);
    struct pw_str name = pw_str_cut(&rate, '@');
    bool has_rate = name.len < strlen(device);
    int64_t number = BAUD_DEFAULT;
    if (name.len == 0 || name.at[0] != '/' || pw_str_copy(path, cap, name) != PW_OK) {
        pw_put_s(why, "it must be stdin, or the path of a device, as in /dev/ttyUSB0@9600");
        return PW_ERR_RANGE;
    }
    if (has_rate && (pw_parse_int(rate, 1200, 921600, &number) != PW_OK ||
                     speed_of((uint32_t)number) == NULL)) {
        pw_put_s(why, "the rate must be one of 1200, 2400, 4800, 9600, 19200, 38400, 57600, "
                      "115200, 230400, 460800, 921600");
        return PW_ERR_RANGE;
    }
    *baud = (uint32_t)number;
    return PW_OK;
}

int pw_serial_check(const char *device, struct pw_out *why)
{
    char path[PATH_SIZE];
    uint32_t baud = 0;
    return strcmp(device, "stdin") == 0 ? PW_OK
                                        : parse_device(device, path, sizeof(path), &baud, why);
}

int pw_serial_open(struct pw_serial *serial, struct pw_loop *loop, const char *device,
                   struct pw_out *why)
{
    memset(serial, 0, sizeof(*serial));
    serial->loop = loop;
    serial->fd = -1;
    serial->out_fd = -1;
    serial->standard = strcmp(device, "stdin") == 0;
    if (serial->standard) {
        // Reading a terminal from the background would stop the whole program, charge and all.
        (void)signal(SIGTTIN, SIG_IGN);
        (void)signal(SIGTTOU, SIG_IGN);
        serial->fd = STDIN_FILENO;
        serial->out_fd = STDOUT_FILENO;
        start(serial);
        return PW_OK;
    }
    int err = parse_device(device, serial->path, sizeof(serial->path), &serial->baud, why);
    if (err != PW_OK) {
        serial->loop = NULL;
    }
    return err;
}

void pw_serial_close(struct pw_serial *serial)
{
    if (serial->loop == NULL) {
        return;
    }
    flush(serial);
    pw_watch_end(&serial->watch);
    if (!serial->standard && serial->fd >= 0) {
        (void)close(serial->fd);
    }
    serial->loop = NULL;
}

static bool is_space(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F;
}

// Readers wrap the id in STX and ETX.
static struct pw_str strip(struct pw_str line)
{
    while (line.len > 0 && is_space(line.at[0])) {
        line.at++;
        line.len--;
    }
    while (line.len > 0 && is_space(line.at[line.len - 1])) {
        line.len--;
    }
    return line;
}

static bool cut_line(struct pw_serial *serial, char *to, struct pw_str *line)
{
    const char *end = memchr(serial->in, '\n', serial->in_len);
    if (end == NULL) {
        return false;
    }
    size_t len = (size_t)(end - serial->in);
    memcpy(to, serial->in, len);
    *line = strip((struct pw_str){.at = to, .len = serial->skipping ? 0 : len});
    serial->skipping = false;
    serial->in_len -= len + 1;
    memmove(serial->in, end + 1, serial->in_len);
    return true;
}

bool pw_serial_take(struct pw_serial *serial, char *to, struct pw_str *line)
{
    if (serial->loop == NULL) {
        return false;
    }
    bool was_full = is_full(serial);
    bool found = cut_line(serial, to, line);
    while (found && line->len == 0) {
        found = cut_line(serial, to, line);
    }
    if (was_full && !is_full(serial) && serial->fd >= 0) {
        pw_watch_change(&serial->watch, PW_LOOP_READ);
    }
    return found;
}

void pw_serial_write(struct pw_serial *serial, struct pw_str text)
{
    if (serial->loop == NULL || serial->out_fd < 0) {
        return;
    }
    size_t room = sizeof(serial->out) - serial->out_len;
    if (text.len > room) {
        serial->dropped += (uint32_t)text.len;
        flush(serial);
        return;
    }
    if (text.len > 0) {
        memcpy(serial->out + serial->out_len, text.at, text.len);
        serial->out_len += text.len;
    }
    flush(serial);
}

pw_ms pw_serial_step(struct pw_serial *serial, pw_ms now)
{
    if (serial->loop == NULL || serial->ended) {
        return PW_NEVER;
    }
    if (serial->fd < 0 && now >= serial->reopen_at) {
        open_device(serial);
        serial->reopen_at = pw_after(now, PW_SERIAL_REOPEN_MS);
        if (serial->fd >= 0) {
            start(serial);
        }
    }
    flush(serial);
    if (serial->fd < 0) {
        return serial->reopen_at;
    }
    return serial->out_len > 0 ? pw_after(now, 20) : PW_NEVER;
}
