// acworld: everything outside one AC outlet's controller, in one struct: car, cable, mains side and
// board. Time is an argument, the integration is deterministic (same seed and same inputs, same
// reports), nothing is allocated: hundreds of them are an array. Driven by events: it sleeps until
// something changes or the board owes a report, and a change of the pilot is reported at its very
// millisecond. The truth view is what an outside observer with perfect instruments would write
// down; the controller under test never sees it.
#ifndef PW_ACWORLD_H
#define PW_ACWORLD_H

#include "acboard/acboard.h"
#include "accar/accar.h"
#include "acpath/acpath.h"

#define PW_WORLD_AC_CARD_MAX 64 // bytes of a card's id and its NUL

struct pw_world_ac_config {
    struct pw_accar_config car;
    struct pw_acpath_config path;
    struct pw_acboard_config board;
    int32_t cable_ohm; // PP resistor of the cable that comes with the plug
    bool plugged;
    double temp_c; // of everything at the start
    uint64_t seed; // of every device; each draws its own stream from it
};

// True level of the pilot, by the car's load alone (whatever the driver does).
enum pw_world_ac_level {
    PW_WORLD_AC_A, // nothing connected
    PW_WORLD_AC_B,
    PW_WORLD_AC_C,
    PW_WORLD_AC_D,
    PW_WORLD_AC_E, // shorted
};

// By the load that the car puts on the pilot wire.
enum pw_world_ac_level pw_world_ac_level(const struct pw_accar *car);

// "A" to "E". Never NULL.
const char *pw_world_ac_level_name(enum pw_world_ac_level level);

// What is true, whatever anybody reports.
struct pw_world_ac_truth {
    int64_t energy_uj; // through the contactor since the start, microjoule
    int64_t energy_mwh;
    int32_t soc_permille;
    int32_t ma[PW_BOARD_PHASES];
    int32_t mw; // all phases
    int32_t mv[PW_BOARD_PHASES];
    int32_t load_mv[PW_BOARD_PHASES];
    enum pw_world_ac_level level;
    bool diode;
    bool plugged;
    bool s2;
    bool asleep;
    enum pw_board_cp cp; // truly driven
    int32_t duty_ppm;
    int32_t offer_ma;  // what a car reads from it; 0: none
    int32_t obeyed_ma; // the offer the charger follows now
    bool commanded;    // the board's contactor line
    bool coil;         // after RCD and emergency stop
    bool closed[PW_BOARD_PHASES];
    bool any_closed;
    enum pw_board_lock lock;
    bool lock_commanded;
    bool rcd_test;
    bool tripped;
    bool earth_lost;
    bool estop_pressed;
    bool board_expired; // its watchdog has opened
    bool board_silent;  // it says nothing
    int32_t pp_ohm;
    int32_t temp_dc; // of the contacts, truly
    struct pw_acpath_wear wear;
    // When it truly happened; PW_NEVER: not yet.
    pw_ms ready_at;   // the car came to C or D
    pw_ms unready_at; // and left it
    pw_ms commanded_at;
    pw_ms released_at; // the contactor line went off
    pw_ms opened_at;   // the last pole parted
    pw_ms offered_at;  // the offer changed
    pw_ms tripped_at;
    pw_ms tested_at; // the RCD answered a test with a trip
};

// What a board's report shows, but for what only drifts: a change is reported at once.
struct pw_world_ac_sight {
    struct pw_acboard_pilot pilot;
    enum pw_board_contact contact;
    enum pw_board_lock lock;
    int32_t pp_ohm;
    bool closed[PW_BOARD_PHASES];
    bool tripped;
    bool earth_lost;
    bool estop;
};

struct pw_world_ac {
    struct pw_world_ac_config config;
    struct pw_accar car;
    struct pw_acpath path;
    struct pw_acboard board;
    bool plugged;
    bool powered;
    int32_t pp_ohm;                  // in the socket now; PW_BOARD_OPEN_OHM: none
    bool leaving;                    // the cable goes along as soon as the lock lets it
    char card[PW_WORLD_AC_CARD_MAX]; // presented and not yet taken; empty for none
    double joule[PW_BOARD_PHASES];   // through the contactor, remainder below one microjoule
    int64_t energy_uj;
    struct pw_world_ac_sight seen;  // at the last step
    struct pw_world_ac_truth marks; // its times, and the states they belong to
    pw_ms now;                      // integrated up to here
    pw_ms wake_at;                  // the earliest device's deadline
};

// Honest three-phase car at 40 % of 60 kWh, unplugged; socket with lock, RCD, mirror contact and
// load sensing on three phases of 230 V, 50 Hz; 32 A cable; 25 degC; rms values.
struct pw_world_ac_config pw_world_ac_defaults(void);

void pw_world_ac_init(struct pw_world_ac *world, const struct pw_world_ac_config *config,
                      pw_ms now);

// What the controller drives. Takes effect at `now`, the time of the last step or later.
void pw_world_ac_drive(struct pw_world_ac *world, const struct pw_board_drive *drive, pw_ms now);

// Integrates up to `now` and moves whatever is to move. Returns when it wants to run next: the next
// event, or the board's next report. About 0.2 us at rest.
pw_ms pw_world_ac_step(struct pw_world_ac *world, pw_ms now);

// What the board says at this moment; false when it says nothing. Call once after each step.
bool pw_world_ac_take_senses(struct pw_world_ac *world, struct pw_board_senses *senses);

// The next block of samples; call until false after each step. Only with board.raw.
bool pw_world_ac_take_block(struct pw_world_ac *world, struct pw_board_block *block);

// A card presented since the last call: its id, terminated. False when there is none.
bool pw_world_ac_take_card(struct pw_world_ac *world, char *to, size_t cap);

struct pw_world_ac_truth pw_world_ac_truth(const struct pw_world_ac *world);

// What people and accidents do. They take effect at the world's present time, and the next step
// must follow at once.
// Plug in (with the configured cable), or pull the plug, whatever flows. A cable in a locked socket
// comes out at the car's end, and is taken along once the lock lets it go.
void pw_world_ac_plug(struct pw_world_ac *world, bool in);
// Another cable's PP resistor: takes effect with the next plug, or at once while plugged.
void pw_world_ac_cable(struct pw_world_ac *world, int32_t ohm);
// Another car comes, unplugged, with the same state of charge. PW_ERR_BUSY while plugged.
PW_MUST_USE int pw_world_ac_car(struct pw_world_ac *world, const struct pw_accar_kind *kind);
void pw_world_ac_soc(struct pw_world_ac *world, double soc);
// The supply of station and board fails, or comes back.
void pw_world_ac_power(struct pw_world_ac *world, bool on);
// PW_ERR_RANGE when it is empty or too long; nothing changes then.
PW_MUST_USE int pw_world_ac_card(struct pw_world_ac *world, struct pw_str id);
// Truth as one JSON object.
void pw_world_ac_print(const struct pw_world_ac *world, struct pw_out *out);

#endif
