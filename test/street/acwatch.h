// acwatch: the outside observer of an AC outlet. It sees the physical world alone (wires, contacts,
// currents, cables, never a variable of the station) and what people did, and checks the invariants
// I1 to I8 of facts/reliability.md §4.4 after every event. A violation is said once with its time
// and counted.
#ifndef PW_STREET_ACWATCH_H
#define PW_STREET_ACWATCH_H

#include "acworld/acworld.h"

enum { ACWATCH_CLOSES_MAX = 64, ACWATCH_WHAT_MAX = 160 };

// What holds at this outlet.
struct acwatch_rules {
    int32_t most_ma;         // hardware and owner: the least of both
    pw_ms min_off_ms;        // between two closings
    unsigned closes_an_hour; //
    bool ventilated;         // D is as good as C
    int32_t trip_dc;         // hotter than this nothing may flow
};

struct acwatch {
    struct acwatch_rules rules;
    // What people did.
    bool authorised;  // a card, a remote start or free charging since the vehicle came
    pw_ms leave_at;   // when last
    bool cleared;     // somebody cleared faults by hand, just now
    pw_ms started_at; // the station's program
    bool alone;       // no station, or none that the board hears
    pw_ms driven_at;  // the board last heard its station
    // Limits from outside (load, console): the one that holds, and the one before it.
    int32_t limit_ma;
    int32_t limit_before_ma;
    pw_ms limit_at;
    // Seen before.
    bool begun;
    struct pw_world_ac_truth last;
    pw_ms unready_since; // while the contactor line is on
    pw_ms danger_since;  // tripped, earth lost or emergency stop while the line is on
    pw_ms hot_since;
    pw_ms weld_since; // contacts closed though the line is off
    bool latched;     // a trip or a weld that nobody has cleared
    pw_ms raised_at;  // the offer last changed while there was one
    pw_ms paused_at;  // the offer last went away
    pw_ms over_since; // more current than offered, beyond tolerance
    bool there;       // a vehicle has been there since the plug came
    pw_ms there_since;
    pw_ms mute_since;  // the board says nothing, while the line is on
    pw_ms thick_since; // more offered than the cable bears, while the line is on
    pw_ms closes[ACWATCH_CLOSES_MAX];
    // What it found.
    uint64_t looks;
    uint32_t closings;
    uint32_t offers; // changes of the offer
    uint32_t violations;
    pw_ms worst_open_ms;         // from the true edge C -> B or A to the line going off
    pw_ms worst_danger_ms;       // from trip, earth or emergency stop to the line going off
    char what[ACWATCH_WHAT_MAX]; // the first violation
};

void acwatch_init(struct acwatch *watch, pw_ms now);
// A card, a remote start or free charging gives leave now.
void acwatch_leave(struct acwatch *watch, pw_ms now);
// A limit from outside changed now.
void acwatch_limit(struct acwatch *watch, int32_t ma, pw_ms now);
void acwatch_look(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now);

#endif
