// desk: the smallest controller that can charge, for tests of the world: it repeats set-points and
// the coil's output, follows the BMS when told to, and remembers what it heard. No safety in it.
#ifndef PW_TEST_DESK_H
#define PW_TEST_DESK_H

#include "can/elcon.h"
#include "dcworld/dcworld.h"

struct desk {
    struct pw_world_dc world;
    pw_ms now;
    bool mute;   // says nothing
    bool on;     // rectifier switched on
    bool coil;   // contactor wanted
    bool follow; // set-points from the BMS's last request, off on its stop flag
    int32_t set_mv;
    int32_t set_ma;                  // all modules together; the most when following
    struct pw_elcon_request request; // last one
    unsigned requests;               // heard
    int32_t terminal_mv;             // last report
    int32_t terminal_ma;
    double meter_j; // energy as the reports tell it
    pw_ms reported_at;
    uint8_t inputs;       // of the I/O node
    int32_t connector_mv; // as it measures
    uint32_t alarm_value; // last Huawei 0x183, or Infypower status
    unsigned frames[PW_WORLD_DC_BUSES];
    uint64_t hash; // of every frame heard and when
};

void desk_init(struct desk *desk, const struct pw_world_dc_config *config);

// Lets `ms` pass.
void desk_run(struct desk *desk, pw_ms ms);

// Precharges, closes, switches on, and follows the BMS: as a station does, in 3 s.
void desk_charge(struct desk *desk);

// Puts a frame on the power bus.
void desk_send(struct desk *desk, const struct pw_can_frame *frame);

struct pw_world_dc_truth desk_truth(const struct desk *desk);

#endif
