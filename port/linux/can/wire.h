// wire: a CAN bus reached in one of four ways, behind one small interface. The wire decides
// nothing: it moves frames and says how the controller stands. Non-blocking, knows no event loop.
//
//   socketcan:can0                   a Linux CAN interface (must be up)
//   mcast:239.74.163.2:43113         python-can's udp_multicast; works without any CAN in the
//   kernel slcan:/dev/ttyUSB0@250000        a Lawicel serial adapter (CAN bit rate; 250000 when
//   left out) slcan:tcp:127.0.0.1:2000@250000  the same behind TCP replay:drive.log a candump log,
//   paced by `now`; what is sent is counted and lost
//
// Sources: facts/dc-can.md §5, facts/platform.md §1.
#ifndef PW_LINUX_CAN_WIRE_H
#define PW_LINUX_CAN_WIRE_H

#include "can/can.h"

#define PW_CAN_WIRE_URL_MAX    256
#define PW_CAN_WIRE_REASON_MAX 192

struct pw_can_wire;

enum pw_can_event_kind {
    PW_CAN_EVENT_FRAME,
    PW_CAN_EVENT_STATE, // the controller's state changed to `state`
};

struct pw_can_event {
    enum pw_can_event_kind kind;
    struct pw_can_frame frame;
    enum pw_can_state state;
    struct pw_can_error error; // what changed it; zero when the wire itself did
};

struct pw_can_wire_stats {
    uint64_t received;  // frames
    uint64_t sent;      // frames
    uint64_t refused;   // frames we could not send: queue full, bus off, wire lost
    uint64_t errors;    // error frames and status reports
    uint64_t malformed; // datagrams and lines that were no frame
};

// Whether a url begins like one of the four, without touching anything: PW_OK, or PW_ERR_PEER with
// what it must look like in `reason`.
PW_MUST_USE int pw_can_wire_check(struct pw_str url, struct pw_out *reason);

// Opens the wire and allocates it; ends with pw_can_wire_close. On an error *wire is NULL and
// `reason` names the url, what failed and why: PW_ERR_PEER (no such url form), PW_ERR_RANGE (a part
// of it), PW_ERR_UNKNOWN (no such device, file or host, or a kernel without CAN).
PW_MUST_USE int pw_can_wire_open(struct pw_can_wire **wire, struct pw_str url, pw_ms now,
                                 struct pw_out *reason);
void pw_can_wire_close(struct pw_can_wire *wire); // NULL is fine

// For polling: readable means "call read until it returns 0". -1 for a replay, which has none: call
// read at its deadline.
int pw_can_wire_fd(const struct pw_can_wire *wire);
// When read must be called even though the descriptor is quiet; PW_NEVER for no such need.
pw_ms pw_can_wire_deadline(const struct pw_can_wire *wire);

// 1: *event holds one event. 0: nothing more now. PW_ERR_PEER: the wire is lost (unplugged, closed,
// log ended); close it and open it again later. A STATE event DOWN came before.
PW_MUST_USE int pw_can_wire_read(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event);

// PW_OK: handed to the system. PW_ERR_AGAIN: its queue is full now. PW_ERR_BUSY: bus-off or
// interface down. PW_ERR_RANGE: an invalid frame. PW_ERR_PEER: the wire is lost.
PW_MUST_USE int pw_can_wire_send(struct pw_can_wire *wire, const struct pw_can_frame *frame);

// Puts an error frame on the wire so that all others see their controller fail: for simulators.
// Works on vcan and mcast; PW_ERR_UNKNOWN elsewhere.
PW_MUST_USE int pw_can_wire_send_error(struct pw_can_wire *wire, const struct pw_can_error *error);

enum pw_can_state pw_can_wire_state(const struct pw_can_wire *wire);
struct pw_can_wire_stats pw_can_wire_stats(const struct pw_can_wire *wire);
const char *pw_can_wire_url(const struct pw_can_wire *wire);

#endif
