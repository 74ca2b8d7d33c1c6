// Serial CAN adapters by the Lawicel text protocol, on a serial device or behind TCP
// (facts/dc-can.md §5.4). The adapter is told to close, the bit rate, and to open; then its status
// flags are asked for every second.
#include "can/slcan.h"

#include "link.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_MAX         1024
#define FLUSH_MS        5
#define FLAGS_MS        1000
#define FILLS_MOST      4 // of the input buffer in one read without an event
#define CONNECT_MS      20
#define BITRATE_DEFAULT 250000
#define BAUD_DEFAULT    115200
#define BITRATE_MAX     1000000

struct link {
    bool connecting;
    char digit; // of the bit rate
    pw_ms flags_at;
    struct pw_slcan reader;
    size_t out_len;
    char out[OUT_MAX];
    size_t in_len;
    size_t in_at;
    char in[256];
};

// ---------------------------------------------------------------------------------------------
// Opening.

// "250000" or "250000,115200"
static int parse_rates(struct pw_str rates, char *digit, int64_t *baud, struct pw_out *reason)
{
    struct pw_str serial = rates;
    struct pw_str can = pw_str_cut(&serial, ',');
    int64_t bitrate = BITRATE_DEFAULT;
    *baud = BAUD_DEFAULT;
    if ((can.len > 0 && pw_parse_int(can, 1, BITRATE_MAX, &bitrate) != PW_OK) ||
        pw_slcan_bitrate((uint32_t)bitrate, digit) != PW_OK) {
        pw_put_s(reason, "the bit rate must be 10000, 20000, 50000, 100000, 125000, 250000, "
                         "500000, 800000 or 1000000");
        return PW_ERR_RANGE;
    }
    if (serial.len > 0 && pw_parse_int(serial, 1, INT32_MAX, baud) != PW_OK) {
        *baud = 0; // none of the speeds there are
    }
    return pw_stream_baud(*baud, reason);
}

// ---------------------------------------------------------------------------------------------
// Writing.

// PW_ERR_PEER when the adapter is gone.
static int flush(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    int sent = pw_stream_write(wire->fd, link->out, link->out_len);
    if (sent < 0) {
        return PW_ERR_PEER;
    }
    link->out_len -= (size_t)sent;
    memmove(link->out, link->out + sent, link->out_len);
    return PW_OK;
}

static int queue(struct pw_can_wire *wire, struct pw_str text)
{
    struct link *link = wire->link;
    if (text.len > sizeof(link->out) - link->out_len) {
        return PW_ERR_AGAIN;
    }
    memcpy(link->out + link->out_len, text.at, text.len);
    link->out_len += text.len;
    return PW_OK;
}

static int start(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    char text[16];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "\rC\rS");
    pw_put_c(&out, link->digit);
    pw_put_s(&out, "\rO\r");
    link->connecting = false;
    int err = queue(wire, pw_out_str(&out));
    return err == PW_OK ? flush(wire) : err;
}

static int send_link(struct pw_can_wire *wire, const struct pw_can_frame *frame)
{
    char text[PW_SLCAN_LINE_MAX];
    struct pw_out out = PW_OUT(text);
    pw_slcan_print(&out, frame);
    int err = queue(wire, pw_out_str(&out));
    if (err == PW_OK) {
        err = flush(wire);
    }
    const struct link *link = wire->link;
    if (link->out_len > 0) {
        wire->deadline = 0; // read sets when to flush the rest
    }
    return err;
}

static int send_error(struct pw_can_wire *wire, const struct pw_can_error *error)
{
    (void)wire;
    (void)error;
    return PW_ERR_UNKNOWN;
}

// ---------------------------------------------------------------------------------------------
// Reading.

static int open_link(struct pw_can_wire *wire, struct pw_str rest, pw_ms now, struct pw_out *reason)
{
    struct pw_str rates = rest;
    struct pw_str where = pw_str_cut(&rates, '@');
    bool tcp = pw_str_starts(where, "tcp:");
    struct pw_str address = {.at = where.at + (tcp ? 4 : 0), .len = where.len - (tcp ? 4 : 0)};
    char digit;
    int64_t baud;
    int fd = -1;
    int err = parse_rates(rates, &digit, &baud, reason);
    if (err == PW_OK) {
        err = tcp ? pw_stream_tcp(address, &fd, reason)
                  : pw_stream_serial(address, baud, &fd, reason);
    }
    if (err != PW_OK) {
        return err;
    }
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        pw_put_s(reason, "out of memory");
        (void)close(fd);
        return PW_ERR_LIMIT;
    }
    link->digit = digit;
    link->connecting = true;
    link->flags_at = pw_after(now, FLAGS_MS);
    wire->link = link;
    wire->fd = fd;
    wire->state = PW_CAN_DOWN;
    wire->deadline = now;
    return PW_OK;
}

static void close_link(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    if (!link->connecting && !wire->lost) {
        (void)queue(wire, PW_STR("C\r"));
        (void)flush(wire);
    }
    (void)close(wire->fd);
    free(link);
}

// A serial device is there at once; a TCP connection is when its socket can be written.
static int connect_step(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    int stands = pw_stream_connected(wire->fd);
    if (stands == 0) {
        wire->deadline = pw_after(now, CONNECT_MS);
        return 0;
    }
    if (stands < 0) {
        return PW_ERR_PEER;
    }
    if (start(wire) != PW_OK) {
        return PW_ERR_PEER;
    }
    return pw_can_link_state(wire, PW_CAN_ACTIVE, NULL, event);
}

static int take(struct pw_can_wire *wire, const struct pw_slcan_line *line,
                struct pw_can_event *event)
{
    switch (line->kind) {
    case PW_SLCAN_FRAME: return pw_can_link_frame(wire, &line->frame, event);
    case PW_SLCAN_FLAGS:
        wire->stats.errors += line->flags != 0 ? 1 : 0;
        // the flags know no bus-off: they must not end one that a status line told of
        return wire->state == PW_CAN_OFF
                   ? 0
                   : pw_can_link_state(wire, pw_slcan_flags_state(line->flags), NULL, event);
    case PW_SLCAN_STATUS:
        wire->stats.errors++;
        return pw_can_link_state(wire, line->state, NULL, event);
    case PW_SLCAN_NOTHING:
    case PW_SLCAN_YES:
    case PW_SLCAN_NO: return 0;
    }
    PW_UNREACHABLE();
}

// More bytes: 1 there are, 0 none now.
static int fill(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    int got = pw_stream_read(wire->fd, link->in, sizeof(link->in));
    if (got > 0) {
        link->in_at = 0;
        link->in_len = (size_t)got;
    }
    return got > 0 ? 1 : got;
}

static int upkeep(struct pw_can_wire *wire, pw_ms now)
{
    struct link *link = wire->link;
    if (now >= link->flags_at) {
        link->flags_at = pw_after(now, FLAGS_MS);
        (void)queue(wire, PW_STR("F\r")); // no room: the next time will do
    }
    int err = flush(wire);
    wire->deadline =
        link->out_len > 0 ? pw_earlier(pw_after(now, FLUSH_MS), link->flags_at) : link->flags_at;
    return err;
}

static int read_link(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    struct link *link = wire->link;
    if (link->connecting) {
        return connect_step(wire, now, event);
    }
    if (upkeep(wire, now) != PW_OK) {
        return PW_ERR_PEER;
    }
    // Rubbish at full speed must not keep the loop from everything else; what is left comes next
    // time.
    for (unsigned fills = 0; fills <= FILLS_MOST; fills++) {
        while (link->in_at < link->in_len) {
            struct pw_slcan_line line;
            pw_slcan_feed(&link->reader, link->in[link->in_at++], &line);
            wire->stats.malformed = link->reader.bad;
            if (take(wire, &line, event) == 1) {
                return 1;
            }
        }
        int more = fills < FILLS_MOST ? fill(wire) : 0;
        if (more != 1) {
            return more;
        }
    }
    return 0;
}

const struct pw_can_link_ops pw_can_link_slcan = {
    .scheme = "slcan",
    .open = open_link,
    .close = close_link,
    .read = read_link,
    .send = send_link,
    .send_error = send_error,
};
