// serial: a text line at a time from a serial device, pty, FIFO, or standard input: for consoles
// and card readers. Reading only stores; a device that goes away is opened again. Writing never
// waits: what a slow terminal does not take is dropped and counted.
#ifndef PW_LINUX_SERIAL_H
#define PW_LINUX_SERIAL_H

#include "loop.h"

#define PW_SERIAL_LINE_MAX  512   // bytes; a longer line is dropped whole
#define PW_SERIAL_OUT_MAX   16384 // bytes waiting for the terminal
#define PW_SERIAL_REOPEN_MS 2000

struct pw_serial {
    struct pw_loop *loop;
    char path[128];
    uint32_t baud;
    bool standard; // standard input and output, which are not ours to close
    int fd;        // -1 while the device is away
    int out_fd;
    pw_ms reopen_at;
    struct pw_watch watch;
    bool skipping; // in the middle of a line that was too long
    size_t in_len;
    char in[PW_SERIAL_LINE_MAX];
    size_t out_len;
    char out[PW_SERIAL_OUT_MAX];
    uint32_t too_long; // lines dropped
    uint32_t dropped;  // bytes the terminal did not take
    bool ended;        // standard input reached its end
};

// Whether `device` can be one: PW_OK, or PW_ERR_RANGE with what it must be in *why.
PW_MUST_USE int pw_serial_check(const char *device, struct pw_out *why);

// `device` is "stdin" or "/dev/ttyUSB0" or "/dev/ttyUSB0@9600" (default 115200 baud; 8 data bits,
// no parity, one stop bit, raw). A device that is not there yet is no error: it is tried again.
// PW_ERR_RANGE with a sentence in *why for a name or rate that cannot be. `serial` stays in place
// until pw_serial_close.
PW_MUST_USE int pw_serial_open(struct pw_serial *serial, struct pw_loop *loop, const char *device,
                               struct pw_out *why);
void pw_serial_close(struct pw_serial *serial); // harmless on a zeroed struct

// The next whole line, without its end, control characters taken off both ends; empty lines are
// skipped. False when none is there. `to` has PW_SERIAL_LINE_MAX bytes.
bool pw_serial_take(struct pw_serial *serial, char *to, struct pw_str *line);

// Queues text; it leaves as the terminal takes it.
void pw_serial_write(struct pw_serial *serial, struct pw_str text);

// Opens the device again when it is away. Returns when it wants to be called next.
pw_ms pw_serial_step(struct pw_serial *serial, pw_ms now);

#endif
