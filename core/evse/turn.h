// One turn of the evse machine, shared by the files of this room: senses first (sense.c, fault.c),
// then the decision (evse.c), then the outputs (output.c) with the guard's last word (guard.c).
// Everything that compares a time also says when the comparison will change.
#ifndef PW_EVSE_TURN_H
#define PW_EVSE_TURN_H

#include "evse/evse.h"

struct turn {
    struct pw_evse *evse;
    const struct pw_board_senses *senses;
    bool permit;
    int32_t limit_ma;
    pw_ms now;
    pw_ms next; // when to be called again at the latest
};

#define SILENT_MS     200    // a board silent for longer is lost
#define AWAKE_MS      3000   // after the start it has this long to speak
#define SETTLE_MS     50     // a pilot told to swing does so by then
#define FAULT_HOLD_MS 400    // F for 300 ms or more, whatever the way to the board takes
#define X1_MS         3000   // steady pilot before the next PWM
#define RAISE_MS      5000   // between the last change of the duty and a raise
#define FORCED_MS     6000   // a vehicle told to stop has this long to open S2
#define PULSE_MS      4000   // wake-up
#define SWITCH_MS     400    // the contactor has moved by then
#define TEST_MS       500    // the residual current device has answered a test by then
#define TEST_FRESH_MS 5000   // a passed test is good for a closing this long
#define SAFE_MV       60000  // less than this behind the contactor is no voltage
#define COLDEST_DC    (-400) // what a probe can read
#define HOTTEST_DC    1500
#define LOCK_MS       2000
#define LOCK_PULSE_MS 500
#define LOCK_BLIND_MS 1000
#define LOCK_TRIES    3 // after the first

// True when `span` has passed since `since`; if not, asks to be called when it has.
bool pw_evse_passed(struct turn *t, pw_ms since, int32_t span);
// Since when `is` holds without a break: true when for `span` or longer.
enum timed {
    T_UNHEARD,
    T_FOLLOW,
    T_FEEDBACK,
    T_WELD,
    T_LEAK,
    T_FELL_OPEN,
    T_RCD_NONE,
    T_RCD_TRIP,
    T_EARTH,
    T_OVERLOAD,
    T_OVER_CURRENT,
    T_OVER_VOLTAGE,
    T_UNDER_VOLTAGE,
    T_TEMP_SENSOR,
    T_UNLOCKED,
    T_CABLE,
    T_PROVEN_OPEN,
    T_SHORT,
    T_ROWS
};
bool pw_evse_lasting(struct turn *t, enum timed what, bool is, int32_t span);

struct state_row {
    const char *name;
    enum pw_board_cp pilot;
    bool closed;
    enum { LOCK, KEEP, FREE } lock;
    bool test;
    enum pw_board_lamp lamp;
};

extern const struct state_row pw_evse_state_rows[PW_EVSE_STATE_ROWS];

// The row of the present state. A state nobody knows counts as FAULTED.
const struct state_row *pw_evse_row(const struct pw_evse *evse);

// guard.c: the contactor's guard, pure.
bool pw_evse_may_hold(const struct pw_evse_facts *facts);
bool pw_evse_may_test(const struct pw_evse_facts *facts);
bool pw_evse_may_close(const struct pw_evse_facts *facts);
bool pw_evse_contactor(bool wished, bool closed, const struct pw_evse_facts *facts);

// sense.c: what is true now; changes memory, never state or outputs.
void pw_evse_sense(struct turn *t);
bool pw_evse_heard(const struct turn *t);
bool pw_evse_lock_at_end(struct turn *t, bool locked);
// fault.c: conditions become faults, faults end by their rows.
uint32_t pw_evse_conditions(struct turn *t);
void pw_evse_judge(struct turn *t, uint32_t present);
// output.c
void pw_evse_look(struct turn *t);
void pw_evse_offer(struct turn *t);
void pw_evse_apply(struct turn *t);
// say.c: log lines.
void pw_evse_say_move(const struct pw_evse *evse, enum pw_evse_state to, const char *why);
void pw_evse_say_fault(const struct pw_evse *evse, unsigned fault, bool stands, const char *why);
void pw_evse_say_plug(const struct pw_evse *evse);

#endif
