// wires: the lines to OpenEVSE boards in the loop, one for each openevse connector: a serial
// device, a pty or TCP; cable or radio modem, whichever the settings choose. Bytes go both ways
// unread; a line that is lost is opened again.
#ifndef PW_APP_STATION_WIRES_H
#define PW_APP_STATION_WIRES_H

#include "loop.h"
#include "station.h"

#define WIRES_REOPEN_MS 1000 // between tries to open a lost line
#define WIRES_READS_MAX 8    // of one line in one turn

struct wires {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    struct wire {
        struct wires *wires;
        unsigned connector; // from 1; 0: a connector of another kind
        const char *device;
        bool cable; // the board itself hears what is written, and no modem
        int fd;     // -1: away
        bool connecting;
        struct pw_watch watch;
        pw_ms reopen_at;
        bool complained; // about this loss
        size_t in_at;    // not yet taken by the station
        size_t in_len;
        uint8_t in[256];
    } wire[PW_CONNECTORS_MAX];
};

// Whether the settings name lines that can be. PW_ERR_RANGE with one sentence in *why.
PW_MUST_USE int wires_check(const struct pw_settings *settings, struct pw_out *why);
// Opens them; one that is not there is tried again. Errors as wires_check.
PW_MUST_USE int wires_open(struct wires *wires, const struct pw_settings *settings,
                           struct pw_out *why);
void wires_close(struct wires *wires);

// Opens lost lines again and hands over what could not be taken yet. Returns when it wants to be
// called next; *busy is set when the station was given something.
pw_ms wires_step(struct wires *wires, pw_ms now, bool *busy);

// Sends what the station wants sent.
void wires_flush(struct wires *wires, pw_ms now);

// Has every board on a cable open its relay without asking the station: the panic hook. One behind
// a radio falls back by itself.
void wires_off(const struct wires *wires);

#endif
