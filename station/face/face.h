// face: what the station says to the person in front of it. Decides, from the views of the
// connectors, which words, figures and colours a display shows (core/screen); pages take turns over
// connectors and their faults. Pure: time is an argument, nothing is remembered. Plain words only:
// codes are for the service and stand apart.
#ifndef PW_FACE_H
#define PW_FACE_H

#include "connector/connector.h"
#include "network/network.h"
#include "screen/screen.h"

#define PW_FACE_TURN_MS 6000 // a page stands this long when there are several

// What one page is made of.
struct pw_face_page {
    const struct pw_connector_view *view;
    const struct pw_connector_fault *fault; // NULL: the page of the connector itself
    int32_t limit_ma;                       // the least of its limits
    pw_ms limit_age_ms;                     // for how long it has been so
    const char *hold;         // what its timers wait for: "waits for 23:00"; "" or NULL
    bool only;                // there is no other connector: it needs no number
    const char *how_to_start; // what to do with a free connector
    const char *how_to_go_on; // ... and with a vehicle plugged in
};

// What every page has.
struct pw_face_frame {
    const char *station;
    bool has_central; // a central system is configured
    bool online;
    const char *clock; // "14:32"; "" when not known
    const char *url;   // of the station page; "" without one
};

// Fills *screen with one page.
void pw_face_draw(const struct pw_face_frame *frame, const struct pw_face_page *page,
                  struct pw_screen *screen);

struct pw_station;

// The page that is to be seen now. Returns when another one will be (PW_NEVER: there is one page);
// values change in between with the station.
pw_ms pw_face_show(const struct pw_station *st, const char *clock, const char *url, pw_ms now,
                   struct pw_screen *screen);

// The page of a station that waits to be told a network: its access point, that one's password, and
// where its page is then. The QR code lets a telephone join.
void pw_face_set_up(const struct pw_network *net, struct pw_screen *screen);

// A limit's source in plain words: "what this cable may carry".
const char *pw_face_limit_words(enum pw_limit_source source);
// What a fault means to who stands there, and what to do.
const char *pw_face_fault_words(const struct pw_connector_fault *fault);

#endif
