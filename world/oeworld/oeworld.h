// oeworld: everything outside a station that drives an OpenEVSE board, in one struct: the board
// with its relay, the cable, a car, and the house around them, in which the charger's current flows
// with everybody else's. What the station sees of it is a serial line and the house's meter. Time
// is an argument, the same seed and inputs give the same world, nothing is allocated. The truth
// view is what an outside observer with perfect instruments would write down.
#ifndef PW_OEWORLD_H
#define PW_OEWORLD_H

#include "accar/accar.h"
#include "acpath/acpath.h"
#include "acworld/acworld.h"
#include "houseworld/houseworld.h"
#include "oeboard/oeboard.h"

struct pw_world_oe_config {
    const struct pw_oeboard_kind *board; // NULL: the recorded one
    uint8_t most_a;                      // configured in the board
    struct pw_accar_config car;
    struct pw_acpath_config path; // behind the board's relay: `phases`, `volt`, `temp_c` count
    struct pw_world_house_config house;
    bool probe; // the board has a temperature sensor
    bool plugged;
    uint64_t seed;
};

struct pw_world_oe_truth {
    int64_t energy_mwh; // through the relay since the start
    int32_t soc_permille;
    int32_t ma[PW_BOARD_PHASES]; // of the car
    int32_t mw;
    int32_t mv[PW_BOARD_PHASES];
    enum pw_world_ac_level level;
    bool plugged;
    bool asleep;      // the car
    int32_t offer_ma; // 0: none
    int32_t obeyed_ma;
    enum pw_oeboard_state state;
    bool relay;      // the board's line
    bool any_closed; // contacts
    struct pw_acpath_wear wear;
    int32_t grid_ma[PW_BOARD_PHASES];  // at the main breaker, signed
    int32_t house_ma[PW_BOARD_PHASES]; // the same without the car
    int32_t grid_mw;
    // When it truly happened; PW_NEVER: not yet.
    pw_ms closed_at; // contacts
    pw_ms opened_at;
    pw_ms ready_at;   // the car came to C or D
    pw_ms unready_at; // and left it
    pw_ms offered_at; // the offer changed
};

struct pw_world_oe {
    struct pw_world_oe_config config;
    struct pw_oeboard board;
    struct pw_accar car;
    struct pw_acpath path;
    struct pw_world_house house;
    bool plugged;
    char card[PW_WORLD_AC_CARD_MAX]; // presented and not yet taken; empty for none
    double joule;                    // remainder below one microjoule
    int64_t energy_uj;
    struct pw_world_oe_truth marks; // its times, and the states they belong to
    pw_ms reading_at;               // of the house's meter, last taken; PW_NEVER: none
    pw_ms now;
    pw_ms wake_at;
};

// The recorded board at 32 A, honest three-phase car at 40 % of 60 kWh, unplugged, the house as
// pw_world_house_defaults has it.
struct pw_world_oe_config pw_world_oe_defaults(void);

void pw_world_oe_init(struct pw_world_oe *world, const struct pw_world_oe_config *config,
                      pw_ms now);

// Bytes of the station arrive at the board at `now`.
void pw_world_oe_hear(struct pw_world_oe *world, const uint8_t *bytes, size_t len, pw_ms now);

// Lets everything run up to `now`; returns when it wants to run next. About 2 us a second at rest.
pw_ms pw_world_oe_step(struct pw_world_oe *world, pw_ms now);

// Bytes of the board, at most `cap`; 0: none. Call until 0 after each step.
size_t pw_world_oe_take(struct pw_world_oe *world, uint8_t *to, size_t cap);

// The house's meter: false when it has said nothing new since the last call.
bool pw_world_oe_take_mains(struct pw_world_oe *world, struct pw_board_mains *mains);

// A card presented since the last call: its id, terminated. False when there is none.
bool pw_world_oe_take_card(struct pw_world_oe *world, char *to, size_t cap);

struct pw_world_oe_truth pw_world_oe_truth(const struct pw_world_oe *world);

// What people and accidents do, at the world's present time; the next step must follow at once.
void pw_world_oe_plug(struct pw_world_oe *world, bool in);
// Another car comes, with the same state of charge. PW_ERR_BUSY while plugged.
PW_MUST_USE int pw_world_oe_car(struct pw_world_oe *world, const struct pw_accar_kind *kind);
// The board's supply.
void pw_world_oe_power(struct pw_world_oe *world, bool on);
// PW_ERR_RANGE when it is empty or too long; nothing changes then.
PW_MUST_USE int pw_world_oe_card(struct pw_world_oe *world, struct pw_str id);
// Truth as one JSON object.
void pw_world_oe_print(const struct pw_world_oe *world, struct pw_out *out);

#endif
