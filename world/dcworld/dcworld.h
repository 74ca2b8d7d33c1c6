// dcworld: everything outside one dc connector's controller, in one struct: scooter, rectifier,
// power path and I/O node on one or two CAN buses. Time is an argument, the integration is
// deterministic (same seed and same inputs, same frames), nothing is allocated: fifty of them are
// an array. The truth view is what an outside observer with perfect instruments would write down;
// the controller under test never sees it.
#ifndef PW_DCWORLD_H
#define PW_DCWORLD_H

#include "charger/charger.h"
#include "ionode/ionode.h"
#include "scooter/scooter.h"

#define PW_WORLD_DC_BUSES     2
#define PW_WORLD_DC_QUEUE_MAX 64
#define PW_WORLD_DC_CARD_MAX  64   // bytes of a card's id and its NUL
#define PW_WORLD_DC_STEP_MS   10   // integration step while something flows
#define PW_WORLD_DC_REST_MS   1000 // and at most when nothing does

struct pw_world_dc_frame {
    unsigned bus;
    struct pw_can_frame frame;
};

PW_RING_DEF(pw_world_dc_frames, struct pw_world_dc_frame, PW_WORLD_DC_QUEUE_MAX);

struct pw_world_dc_config {
    struct pw_scooter_config scooter;
    struct pw_world_rectifier_config rectifier;
    bool plugged;
    unsigned vehicle_bus; // 0 or 1
    unsigned power_bus;   // rectifier, terminal report and I/O node
    uint8_t io_node;      // CANopen node id
    double temp_c;        // of everything at the start
    uint64_t seed;        // of every device; each draws its own stream from it
};

struct pw_world_dc {
    struct pw_world_dc_config config;
    struct pw_scooter scooter;
    struct pw_world_rectifier rectifier;
    struct pw_charger charger;
    struct pw_ionode ionode;
    bool plugged;
    enum pw_can_state bus[PW_WORLD_DC_BUSES]; // ACTIVE, PASSIVE or OFF, as its controller feels it
    char card[PW_WORLD_DC_CARD_MAX];          // presented and not yet taken; empty for none
    pw_ms now;                                // integrated up to here
    pw_ms wake_at;                            // the earliest device's deadline
    struct pw_world_dc_frames rx;
    struct pw_world_dc_frames tx;
};

// What is true, whatever anybody reports.
struct pw_world_dc_truth {
    int64_t energy_nj;  // through the connector into the vehicle since the start, exact
    int64_t energy_mwh; // the same, rounded down
    int32_t soc_permille;
    int32_t connector_mv;
    int32_t connector_ma; // positive into the vehicle
    int32_t terminal_mv;  // output capacitors
    int32_t pack_temp_dc; // 0.1 degC
    int32_t rectifier_temp_dc;
    uint32_t ask_ma; // current the BMS asks for
    bool plugged;
    bool contactor_closed;
    bool coil;
    bool estop_pressed;
    bool charge_mosfet;
    enum pw_world_bms_state bms;
    enum pw_world_rectifier_state rectifier;
    struct pw_charger_wear wear;
    uint32_t frames_lost; // did not fit a queue
};

// Classic at 20 % with Elcon SOC frames, unplugged, 25 degC, Huawei rectifier, one bus, node 0x20.
struct pw_world_dc_config pw_world_dc_defaults(void);

void pw_world_dc_init(struct pw_world_dc *world, const struct pw_world_dc_config *config,
                      pw_ms now);

// A frame the controller put on a bus. Only stored; the next step reads it. Dropped while the bus
// is off.
void pw_world_dc_can(struct pw_world_dc *world, unsigned bus, const struct pw_can_frame *frame);

// Integrates up to `now`, then takes what was stored and sends what is due. Returns when it wants
// to run next: at most PW_WORLD_DC_REST_MS later. Going on for longer is allowed and loses reports,
// not physics.
pw_ms pw_world_dc_step(struct pw_world_dc *world, pw_ms now);

// The next frame a device puts on a bus; false when there is none. Call until false after each
// step.
bool pw_world_dc_take_can(struct pw_world_dc *world, unsigned *bus, struct pw_can_frame *frame);

// A card presented since the last call: its id, terminated. False when there is none.
bool pw_world_dc_take_card(struct pw_world_dc *world, char *to, size_t cap);

struct pw_world_dc_truth pw_world_dc_truth(const struct pw_world_dc *world);

// What people and accidents do. They take effect at the world's present time.
void pw_world_dc_plug(struct pw_world_dc *world, bool in);
// ACTIVE, PASSIVE (frames still flow) or OFF (nothing does). Who carries the frames tells the
// controller; `bus` in the struct is what it must be told.
void pw_world_dc_bus(struct pw_world_dc *world, unsigned bus, enum pw_can_state state);
// Another vehicle comes, unplugged, with the same state of charge. PW_ERR_BUSY while plugged.
PW_MUST_USE int pw_world_dc_vehicle(struct pw_world_dc *world, enum pw_scooter_model model);
// PW_ERR_RANGE when it is empty or too long; nothing changes then.
PW_MUST_USE int pw_world_dc_card(struct pw_world_dc *world, struct pw_str id);
// Truth as one JSON object.
void pw_world_dc_print(const struct pw_world_dc *world, struct pw_out *out);

#endif
