// What the files of this room share.
#ifndef PW_BAY_PARTS_H
#define PW_BAY_PARTS_H

#include "bay/bay.h"

// A vehicle is spoken to as long as it was heard this recently: on a bus with nobody else on it our
// frames would find no acknowledgement (facts/dc-can.md §1.1).
#define PW_BAY_VEHICLE_MS 10000

// bus.c: states, silence, bus-off. The step returns its next deadline.
pw_ms pw_bay_bus_step(struct pw_bay *bay, pw_ms now);
// Every bus this connector needs carries frames both ways.
bool pw_bay_bus_ok(const struct pw_bay *bay);

// receive.c: forgets what the vehicle said, for the next one.
void pw_bay_forget_vehicle(struct pw_bay *bay);
// Model, ampere hours and state of charge from what has been heard.
void pw_bay_know_vehicle(struct pw_bay *bay);

// send.c: queues what is due; returns the next deadline.
pw_ms pw_bay_send(struct pw_bay *bay, pw_ms now);

// When `*at` is due it is set one period on, and it is true. *next is lowered to it.
static inline bool pw_bay_due(pw_ms *at, pw_ms period, pw_ms *next, pw_ms now)
{
    bool is = now >= *at;
    if (is) {
        *at = now + period;
    }
    *next = pw_earlier(*next, *at);
    return is;
}

#endif
