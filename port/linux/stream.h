// stream: bytes to and from a serial device, a pty, or a TCP server, without waiting.
#ifndef PW_LINUX_STREAM_H
#define PW_LINUX_STREAM_H

#include "base/base.h"

#define PW_STREAM_PATH_MAX 127 // characters of a device path

// Whether a serial device can have this speed: 9600 to 3000000 baud in the usual steps. PW_OK, or
// PW_ERR_RANGE with a sentence in *reason.
PW_MUST_USE int pw_stream_baud(int64_t baud, struct pw_out *reason);

// Opens a serial device: raw, 8 data bits, no parity, one stop bit, no flow control, as little
// delay as its driver allows. PW_ERR_RANGE for a path or speed that cannot be, PW_ERR_UNKNOWN when
// it is not there; a sentence in *reason.
PW_MUST_USE int pw_stream_serial(struct pw_str path, int64_t baud, int *fd, struct pw_out *reason);

// Connects to "127.0.0.1:2000"; the address in numbers, because asking a name server could hold the
// station for seconds. The descriptor can be written once the connection stands
// (pw_stream_connected). Errors as above.
PW_MUST_USE int pw_stream_tcp(struct pw_str where, int *fd, struct pw_out *reason);

// Opens "/dev/ttyUSB0", "/dev/ttyUSB0@9600" (115200 baud without a speed), the same behind
// "serial:", or "tcp:127.0.0.1:2000". Errors as above.
PW_MUST_USE int pw_stream_open(struct pw_str device, int *fd, struct pw_out *reason);

// Whether a device of that form can be: PW_OK, or PW_ERR_RANGE with a sentence in *reason.
PW_MUST_USE int pw_stream_check(struct pw_str device, struct pw_out *reason);

// 1: bytes may be sent. 0: not yet. PW_ERR_PEER: it failed.
PW_MUST_USE int pw_stream_connected(int fd);

// Reads what is there: the number of bytes, 0 when there are none now, PW_ERR_PEER when the other
// side is gone.
PW_MUST_USE int pw_stream_read(int fd, void *to, size_t cap);

// Writes what goes: the number of bytes taken, or PW_ERR_PEER.
PW_MUST_USE int pw_stream_write(int fd, const void *from, size_t len);

#endif
