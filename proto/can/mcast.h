// mcast: python-can's "udp_multicast" datagrams: one frame as one msgpack map of eleven keys. A
// small subset of msgpack, no heap. Source: facts/dc-can.md §5.4 (a), golden datagram included.
#ifndef PW_CAN_MCAST_H
#define PW_CAN_MCAST_H

#include "can/can.h"

#define PW_MCAST_MAX      192 // bytes: what we write; longer ones are read up to PW_MCAST_READ_MAX
#define PW_MCAST_READ_MAX 1024
#define PW_MCAST_PORT     43113

struct pw_mcast_datagram {
    bool is_error; // then `error` counts, else `frame`
    struct pw_can_frame frame;
    struct pw_can_error error; // class bits are kept in the id
};

// Returns the number of bytes written to `to` (at least PW_MCAST_MAX long). `wall_us` since 1970
// becomes the timestamp. PW_ERR_RANGE for an invalid frame.
PW_MUST_USE int pw_mcast_pack(const struct pw_mcast_datagram *from, uint64_t wall_us,
                              uint8_t to[PW_MCAST_MAX]);
// Keys in any order; unknown keys with simple values are skipped. PW_ERR_PEER: not such a map, or a
// key missing or twice. PW_ERR_RANGE: id, dlc or data out of range. PW_ERR_UNKNOWN: a CAN FD frame.
PW_MUST_USE int pw_mcast_unpack(const uint8_t *at, size_t len, struct pw_mcast_datagram *to);

#endif
