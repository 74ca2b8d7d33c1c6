// A bay wired to the simulated world, in virtual time: what a station does with one connector, as
// an outside observer with perfect instruments sees it.
#ifndef PW_TEST_BAY_WORLD_H
#define PW_TEST_BAY_WORLD_H

#include "bay/bay.h"
#include "dcworld/dcworld.h"

struct rig {
    struct pw_bay bay;
    struct pw_world_dc world;
    struct pw_log log;
    pw_ms now;
    struct pw_session_event begun;
    struct pw_session_event ended;
    unsigned begins;
    unsigned ends;
    unsigned closings;     // of the contactor, truly
    bool withhold_records; // do not say that a start is recorded
    bool was_closed;
    bool heals; // a restarted wire works again
    unsigned restarts;
    pw_ms restart_at[8];
    uint64_t sent[PW_BAY_BUSES]; // frames of the bay
    uint64_t statuses;
    uint64_t controls;
    unsigned keeps; // of register and latches
    uint64_t turns;
};

// Two buses, Huawei, terminal report, I/O node 0x20, Elcon with SOC, Daly polls.
struct pw_bay_config rig_bay_config(void);
void rig_start(struct rig *rig, const struct pw_bay_config *bay,
               const struct pw_world_dc_config *world);
// Runs for a time, checking the invariants at every turn.
void rig_run(struct rig *rig, pw_ms span);
// Runs until the machine is in `state`, at most `span`; fails the test when it does not get there.
void rig_until(struct rig *rig, enum pw_dc_state state, pw_ms span);
// Plugs in, presents a card and waits for current.
void rig_charge(struct rig *rig);

#endif
