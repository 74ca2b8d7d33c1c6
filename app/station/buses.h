// buses: the station's CAN wires in the loop. Frames are stored as they come, a bounded number a
// turn; a wire that is lost is opened again.
#ifndef PW_APP_STATION_BUSES_H
#define PW_APP_STATION_BUSES_H

#include "can/wire.h"
#include "loop.h"
#include "station.h"

#define BUSES_READ_MAX  64   // frames of one bus in one turn
#define BUSES_REOPEN_MS 2000 // between tries to open a lost wire

struct buses {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    struct bus {
        struct buses *buses;
        unsigned index;
        const char *url; // "": there is no such bus
        struct pw_can_wire *wire;
        struct pw_watch watch;
        pw_ms reopen_at;
        bool complained; // about this loss
    } bus[PW_STATION_BUSES];
    size_t off_count;
    struct pw_bay_tx off[PW_STATION_OFF_MAX];
};

// Opens what the settings name. A device that is not there is tried again later; a URL that can
// never work is an error with one sentence in *why. The station must be set up already.
PW_MUST_USE int buses_open(struct buses *buses, const struct pw_settings *settings,
                           struct pw_out *why);
void buses_close(struct buses *buses);

// Opens lost wires again, reads wires without descriptor. Returns when it wants to be called next.
pw_ms buses_step(struct buses *buses, pw_ms now);

// Sends what the station wants sent and restarts what it wants restarted.
void buses_flush(struct buses *buses, pw_ms now);

// Switches everything on the buses off without asking the station.
void buses_off(const struct buses *buses);

#endif
