// charger: the power path of a station between rectifier and vehicle. Output capacitors that keep
// their voltage for minutes (RC about 150 s), a contactor that takes its time and may weld, an
// emergency stop that breaks the coil's supply whatever the program says, and the connector.
// Sources: facts/dc-can.md §1.1, §4, §6.
#ifndef PW_CHARGER_H
#define PW_CHARGER_H

#include "rectifier/rectifier.h"

#define PW_CHARGER_CLOSE_MS 30 // from coil on to contacts closed
#define PW_CHARGER_OPEN_MS  15 // from coil off to contacts open

// The battery behind the connector, as this moment sees it.
struct pw_charger_battery {
    bool plugged;
    bool charge_mosfet; // false: only its body diode conducts, out of the battery
    double emf_v;
    double ohm; // inner resistance, above 0
};

// Things that must never happen, counted as they do: for the outside observer.
struct pw_charger_wear {
    uint32_t opened_loaded; // contactor opened while more than 5 A flowed
    uint32_t closed_apart;  // contactor closed with more than 5 V across it
    uint32_t pulled_loaded; // plug pulled while more than 5 A flowed
    double worst_inrush_a;  // highest current at a closing contact
};

struct pw_charger {
    bool coil;         // as commanded by the I/O node
    bool estop;        // button pressed
    bool closed;       // contacts, truly
    bool weld;         // contacts will not open again
    bool plugged;      // at the last step
    pw_ms moves_at;    // contacts follow the coil then; PW_NEVER when they rest
    double cap_v;      // output capacitors
    double conn_v;     // at the connector
    double amps;       // through the connector; positive into the vehicle
    int64_t energy_nj; // through the connector, exact sum of the steps
    struct pw_charger_wear wear;
};

void pw_charger_init(struct pw_charger *charger);

// The coil as the I/O node drives it, and the button.
void pw_charger_set_coil(struct pw_charger *charger, bool on, pw_ms now);
void pw_charger_set_estop(struct pw_charger *charger, bool pressed, pw_ms now);

// Moves the contacts when their time has come; returns when they will, or PW_NEVER.
pw_ms pw_charger_move(struct pw_charger *charger, const struct pw_charger_battery *battery,
                      pw_ms now);

// Solves the circuit for the next `ms` with what the rectifier may drive: sets voltages and
// current, adds to the energy, returns the rectifier's current. Implicit Euler, stable for every
// `ms`.
double pw_charger_flow(struct pw_charger *charger, struct pw_world_rectifier_drive drive,
                       const struct pw_charger_battery *battery, uint32_t ms);

// True while a current flows or the contacts are about to move.
bool pw_charger_busy(const struct pw_charger *charger);

#endif
