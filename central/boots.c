// A fleet that comes back at once (a central restarted, a region's power) is let in so many a
// second: what each does after its boot, states, sessions, stored messages, costs more than the
// boot. Who must wait is answered Pending with the time of a place of its own in the row, so that
// they come back one by one and nobody has to ask a second time. A hash of the id would spread them
// too, but two thirds of the places would be taken twice or not at all.
// Source: OCPP 1.6 §4.2; facts/reliability.md T44.
#include "state.h"

#define SECOND   1000
#define PLACE_MS (SECOND / PW_CENTRAL_BOOTS_S)
#define LATE_MS  60000 // a place that was not taken in this time is lost

int32_t boot_wait_s(struct pw_central *central, struct station *station, pw_ms now)
{
    pw_ms place = station->boot_place;
    if (place == 0 || now > place + LATE_MS) {
        // Up to a second's places that nobody wanted are free at once.
        pw_ms first = now > SECOND ? now - SECOND : 0;
        place = central->boot_place > first ? central->boot_place : first;
        central->boot_place = place + PLACE_MS;
    }
    bool wait = place > now;
    station->boot_place = wait ? place : 0;
    return wait ? (int32_t)((place - now + SECOND - 1) / SECOND) : 0;
}
