// lane: one connector of a station and the world outside it, joined by simulated CAN buses in
// virtual time. Records starts at once, so that the charge can begin. The observer inside looks at
// the physical world after every turn and never at the station's own variables.
#ifndef PW_TEST_LANE_H
#define PW_TEST_LANE_H

#include "bay/bay.h"
#include "dcworld/dcworld.h"

// What the observer has seen of the physical world.
struct lane_observer {
    int32_t worst_mv;       // highest voltage at the terminals
    int32_t worst_over_ma;  // most current above what the BMS had asked for, 3 s to 6 s back
    uint32_t ask_ma;        // most it has asked for since `ask_since`,
    uint32_t ask_before_ma; // and during the 3 s before
    pw_ms ask_since;
    pw_ms closed_unplugged_ms; // contactor closed with nothing plugged in
    pw_ms last;
};

struct lane {
    struct pw_world_dc world;
    struct pw_bay bay;
    struct pw_bay_view view;
    struct lane_observer observer;
    pw_ms now;
    unsigned begun;
    unsigned ended;
    enum pw_session_reason reason; // of the last end
    enum pw_can_state bus[PW_WORLD_DC_BUSES];
};

void lane_init(struct lane *lane, const struct pw_world_dc_config *config);
void lane_run(struct lane *lane, pw_ms ms);
// Runs until the connector has this status, for `ms` at most; fails the test otherwise.
void lane_until(struct lane *lane, enum pw_session_status status, pw_ms ms);
void lane_do(struct lane *lane, const char *command); // a scenario line that must be accepted
void lane_card(struct lane *lane);                    // somebody may charge here
struct pw_world_dc_truth lane_truth(const struct lane *lane);

#endif
