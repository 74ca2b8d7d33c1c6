// evse: the IEC 61851-1 machine of one AC outlet: control pilot, contactor, lock, residual current
// device, and everything that can be wrong with them. It decides from what the board senses (one
// snapshot a turn) and says what the board shall drive; outputs depend on the state (the table
// below), and the contactor has a guard of its own with the last word (evse/guard.c, proved).
// Sources: facts/ac-evse-rapi-load.md §1 (levels, timings, cable, lock, RCD), facts/reliability.md
// §3.2 F20-F28, §4.4 I1-I7, §7.1; IEC 61851-1 Annex A, IEC 62955 through those.
#ifndef PW_EVSE_H
#define PW_EVSE_H

#include "base/base.h"
#include "board/board.h"
#include "pilot/pilot.h"

// clang-format off
// One row a state.
//   pilot      FAULT -12 V, STEADY +12 V (x1: no energy), PWM (x2: offers current)
//   contactor  CLOSED is a wish: the guard must agree
//   lock       LOCK; KEEP as it is while permitted; FREE. It opens only on a contactor proven open
//   test       current through the residual current device's test winding
#define PW_EVSE_STATES(X)                                                                          \
    /*  state      text          pilot   contactor lock  test lamp                              */ \
    X( STARTING,  "starting",   FAULT,  OPEN,     KEEP, NO,  OFF      ) /* board, pilot low       */ \
    X( PROBING,   "probing",    FAULT,  OPEN,     KEEP, YES, OFF      ) /* self-test: RCD trips?  */ \
    X( PROBED,    "probed",     FAULT,  OPEN,     KEEP, NO,  OFF      ) /* ... and comes back     */ \
    X( IDLE,      "idle",       STEADY, OPEN,     FREE, NO,  READY    ) /* A1: no vehicle         */ \
    X( WAITING,   "waiting",    STEADY, OPEN,     FREE, NO,  WAITING  ) /* B1: no permit          */ \
    X( READY,     "ready",      STEADY, OPEN,     LOCK, NO,  WAITING  ) /* B1: lock, limit, rest  */ \
    X( OFFERING,  "offering",   PWM,    OPEN,     LOCK, NO,  WAITING  ) /* B2: vehicle's turn     */ \
    X( WAKING,    "waking",     STEADY, OPEN,     LOCK, NO,  WAITING  ) /* x1 pulse               */ \
    X( WAKING_F,  "waking f",   FAULT,  OPEN,     LOCK, NO,  WAITING  ) /* F pulse                */ \
    X( TESTING,   "testing",    PWM,    OPEN,     LOCK, YES, WAITING  ) /* C2: RCD trips?         */ \
    X( TESTED,    "tested",     PWM,    OPEN,     LOCK, NO,  WAITING  ) /* ... and comes back     */ \
    X( CLOSING,   "closing",    PWM,    CLOSED,   LOCK, NO,  CHARGING ) /* feedback wanted        */ \
    X( CHARGING,  "charging",   PWM,    CLOSED,   LOCK, NO,  CHARGING ) /* C2 or D2               */ \
    X( STOPPING,  "stopping",   STEADY, CLOSED,   LOCK, NO,  WAITING  ) /* C1: vehicle lets go    */ \
    X( FAULTED,   "faulted",    FAULT,  OPEN,     KEEP, NO,  FAULT    ) /* 300 ms or more         */ \
    X( BLOCKED,   "blocked",    STEADY, OPEN,     KEEP, NO,  FAULT    ) /* fault, x1 to see plug  */

// One row a fault. Every fault opens the contactor at once.
//   latch  STAYS:   until somebody clears it, across restarts
//          COUNTED: the same, but clears by itself rcd_wait_ms after its condition has gone,
//                   rcd_resets times a vehicle
//          KEPT:    clears by itself when its condition has been gone for stable_ms; kept across
//                   restarts until then
//          UNPLUG:  when its condition has gone and the vehicle is unplugged
//          CLEARS:  by itself when its condition has been gone for stable_ms
//   pilot  DOWN: stays at F while it stands; UP: 300 ms of F, then x1, so that unplugging is seen
//   then   OCPP 1.6 ChargePointErrorCode, vendor error code, text
#define PW_EVSE_FAULTS(X)                                                                           \
    X(ESTOP,         STAYS,   UP,   "OtherError",           "PW-ESTOP",    "emergency stop pressed")                  \
    X(WELD,          STAYS,   DOWN, "PowerSwitchFailure",   "PW-WELD",     "contactor does not open")                 \
    X(NOT_CLOSING,   STAYS,   DOWN, "PowerSwitchFailure",   "PW-CLOSE",    "contactor does not close or opened by itself")\
    X(FEEDBACK,      CLEARS,  DOWN, "PowerSwitchFailure",   "PW-FEEDBACK", "contactor cannot be watched")             \
    X(RCD,           COUNTED, UP,   "GroundFailure",        "PW-RCD",      "residual current")                        \
    X(RCD_TEST,      COUNTED, DOWN, "GroundFailure",        "PW-RCD-TEST", "residual current device fails its test")  \
    X(EARTH,         KEPT,    UP,   "GroundFailure",        "PW-PE",       "protective earth lost")                   \
    X(OVERLOAD,      UNPLUG,  UP,   "OverCurrentFailure",   "PW-OC-HARD",  "current far above the hardware's limit")  \
    X(OVER_CURRENT,  UNPLUG,  UP,   "OverCurrentFailure",   "PW-OC",       "vehicle draws more than offered")         \
    X(OVER_VOLTAGE,  CLEARS,  UP,   "OverVoltage",          "PW-OV",       "mains voltage above its limit")           \
    X(UNDER_VOLTAGE, CLEARS,  UP,   "UnderVoltage",         "PW-UV",       "mains voltage below its limit")           \
    X(OVER_TEMP,     KEPT,    UP,   "HighTemperature",      "PW-OT",       "too hot")                                 \
    X(TEMP_SENSOR,   CLEARS,  UP,   "InternalError",        "PW-TEMP",     "temperature sensor implausible")          \
    X(LOCK,          UNPLUG,  UP,   "ConnectorLockFailure", "PW-LOCK",     "lock does not close")                     \
    X(UNLOCK,        CLEARS,  UP,   "ConnectorLockFailure", "PW-UNLOCK",   "lock does not open")                      \
    X(DIODE,         UNPLUG,  UP,   "EVCommunicationError", "PW-DIODE",    "no diode: not a vehicle")                 \
    X(PILOT_SHORT,   CLEARS,  UP,   "EVCommunicationError", "PW-CP-E",     "pilot shorted to earth")                  \
    X(PILOT,         CLEARS,  DOWN, "InternalError",        "PW-CP",       "pilot does not follow")                   \
    X(CABLE,         UNPLUG,  UP,   "OtherError",           "PW-PP",       "proximity contact broken or out of range")\
    X(BOARD,         CLEARS,  DOWN, "InternalError",        "PW-BOARD",    "board silent")
// clang-format on

#define PW_EVSE_STATE_ID(name, text, pilot, contactor, lock, test, lamp) PW_EVSE_##name,
enum pw_evse_state { PW_EVSE_STATES(PW_EVSE_STATE_ID) PW_EVSE_STATE_ROWS };
#undef PW_EVSE_STATE_ID

#define PW_EVSE_FAULT_ID(name, latch, pilot, code, vendor, text) PW_EVSE_FAULT_##name,
enum pw_evse_fault { PW_EVSE_FAULTS(PW_EVSE_FAULT_ID) PW_EVSE_FAULT_ROWS };
#undef PW_EVSE_FAULT_ID

// A set of faults is a bit mask: 1 << enum pw_evse_fault. 24 rows at most (pw_evse_latched).
#define PW_EVSE_BIT(fault) (UINT32_C(1) << (fault))

enum pw_evse_latch {
    PW_EVSE_LATCH_STAYS,
    PW_EVSE_LATCH_COUNTED,
    PW_EVSE_LATCH_KEPT,
    PW_EVSE_LATCH_UNPLUG,
    PW_EVSE_LATCH_CLEARS,
};

struct pw_evse_fault_row {
    const char *name;   // "OVER_VOLTAGE"
    const char *ocpp16; // ChargePointErrorCode, spelled as on the wire
    const char *vendor; // vendorErrorCode
    const char *text;
    enum pw_evse_latch latch;
    bool down; // the pilot stays at F
};

extern const struct pw_evse_fault_row pw_evse_fault_rows[PW_EVSE_FAULT_ROWS];
const char *pw_evse_state_name(enum pw_evse_state state);

enum pw_evse_ventilation {
    PW_EVSE_VENTILATION_NONE,   // a vehicle that wants it (D) is not charged
    PW_EVSE_VENTILATION_ALWAYS, // outdoors, or always ventilated: D is as good as C
    PW_EVSE_VENTILATION_RELAY,  // the board's output switches it on in D
};

// What is done for a vehicle that stays in B for wake_ms although current is offered; once a
// session and once after each pause.
enum pw_evse_wake {
    PW_EVSE_WAKE_NONE,
    PW_EVSE_WAKE_X1,    // steady pilot for 4 s
    PW_EVSE_WAKE_FAULT, // -12 V for 4 s, then steady for 3 s
};

// Every number: 0 means the default given.
struct pw_evse_config {
    int32_t max_ma;   // what contactor, wiring and a fixed cable bear; 6000 to 80000; 16000
    int32_t step_ppm; // resolution of the board's PWM; 1 to 10000; 1
    int32_t phases;   // phases connected, 1 to 3; 3
    bool socket;      // a socket outlet: has a lock and a proximity contact
    bool blind_lock;  // its lock has no feedback: taken as moved after 1 s
    bool no_feedback; // no mirror contact and no voltage sense behind the contactor
    bool no_rcd;      // the residual current device is part of the installation
    bool no_earth;    // nothing watches the protective earth
    bool no_probe;    // no temperature sensor
    enum pw_evse_ventilation ventilation;
    enum pw_evse_wake wake;
    int32_t wake_ms;         // 30000
    int32_t rcd_resets;      // automatic resets after a trip, 0 to 4; 0 is none
    int32_t rcd_wait_ms;     // before each; 900000
    int32_t derate_from_dc;  // temperature in 0.1 degC where the current begins to fall; 650
    int32_t trip_dc;         // where it has fallen to 6 A and charging stops; 800
    int32_t cool_dc;         // the temperature must fall this far before current rises again; 50
    int32_t over_mv;         // mains above this is over-voltage; 265000
    int32_t under_mv;        // mains below this is under-voltage; 180000
    int32_t mains_ms;        // for this long; 500
    int32_t mains_back_mv;   // back this far within its limit it is over; 5000
    int32_t over_current_ms; // time above 110 % of the offer; 6000, 5000 to 7000
    int32_t min_off_ms;      // least time between opening and closing again; 30000
    int32_t closes_an_hour;  // most closings within any hour, 1 to 32; 20
    int32_t stable_ms;       // a passing fault must stay away this long; 10000
};

// One turn's snapshot. `senses` is borrowed for the call.
struct pw_evse_input {
    const struct pw_board_senses *senses;
    bool permit;      // the session lets energy flow
    int32_t limit_ma; // least of the limit stack; below 6000 is a pause
    bool hold;        // a lock that is closed stays closed, whatever the state
};

// What holds the current at its value.
// clang-format off
#define PW_EVSE_BOUNDS(X)                                                          \
    X(HARDWARE,    "hardware")    X(CABLE,      "cable")                            \
    X(SIMPLIFIED,  "simplified pilot") /* no switch S2 seen: 10 A at most */        \
    X(TEMPERATURE, "temperature") X(INPUT,      "limit")

// Why no energy flows although somebody is plugged in.
#define PW_EVSE_PAUSES(X)                                                          \
    X(NONE,        "none")        X(PERMIT,     "no permit")                        \
    X(FAULT,       "fault")       X(LIMIT,      "limit below 6 A")                  \
    X(LOCK,        "lock")        X(REST,       "contactor rests")                  \
    X(CLOSES,      "closings an hour")                                              \
    X(VENTILATION, "no ventilation")                                                \
    X(PILOT,       "pilot pause") /* x1 is held for 3 s, or a wake-up pulse */      \
    X(VEHICLE,     "vehicle")     /* offered, not taken                   */        \
    X(CHECKS,      "checks")      /* closing is under way                 */
// clang-format on

#define PW_EVSE_ID(name, text) PW_EVSE_BOUND_##name,
enum pw_evse_bound { PW_EVSE_BOUNDS(PW_EVSE_ID) PW_EVSE_BOUND_ROWS };
#undef PW_EVSE_ID
#define PW_EVSE_ID(name, text) PW_EVSE_PAUSE_##name,
enum pw_evse_pause { PW_EVSE_PAUSES(PW_EVSE_ID) PW_EVSE_PAUSE_ROWS };
#undef PW_EVSE_ID

const char *pw_evse_pause_name(enum pw_evse_pause pause);

// The limits of this turn. A bound that does not apply now holds max_ma.
struct pw_evse_limits {
    int32_t own_ma[PW_EVSE_BOUND_ROWS]; // by bound
    int32_t ma;                         // the least of them
    enum pw_evse_bound who;             // whose it is
};

// What the contactor's guard judges, as plain facts of this turn.
struct pw_evse_facts {
    bool heard;       // the board speaks
    bool ready;       // level C, or D where ventilation allows it, now
    bool diode;       // seen
    bool permit;      // now
    bool ending;      // permit or limit went less than 6 s ago and the vehicle has been told
    bool locked;      // or nothing to lock
    bool cable;       // good, or fixed
    uint32_t faults;  // that stand
    int32_t offer_ma; // what the pilot offers
    int32_t limit_ma; // least of all limits
    // For closing only:
    bool settled; // the last reading of the pilot does not dispute its level
    bool open;    // proven open
    bool rcd;     // self-test passed since the last closing, less than 5 s ago, or none to test
    bool rested;  // minimum off time over
    bool seldom;  // closings an hour kept
};

#define PW_EVSE_TRAIL_MAX  16
#define PW_EVSE_CLOSES_MAX 32
#define PW_EVSE_TIMED_ROWS 20

struct pw_evse_step {
    pw_ms at;
    enum pw_evse_state from;
    enum pw_evse_state to;
    const char *why; // a literal
};

// The machine. Read what is documented; write through the functions only.
struct pw_evse {
    struct pw_evse_config config; // defaults filled in
    const struct pw_log *log;
    uint8_t connector_id;

    enum pw_evse_state state;
    const char *why;       // of the last change of state; a literal
    pw_ms since;           // ... and when
    struct pw_pilot pilot; // pilot.level: A...F, debounced
    bool plugged;          // a vehicle is connected
    pw_ms plugged_since;   // of the last change of `plugged`
    bool simplified;       // it went from A to C without B: no S2
    int32_t cable_ma;      // what the cable bears; 0: none, or out of range
    uint32_t faults;       // every fault that stands, latched or not: PW_EVSE_BIT
    uint32_t present;      // faults whose condition is true right now
    enum pw_evse_pause pause;
    struct pw_evse_limits limits;
    int32_t offered_ma; // by PWM, now; 0: none
    bool energised;     // contactor driven closed and read as closed
    bool off;           // contactor driven open and not read as closed
    struct pw_board_drive drive;
    struct pw_evse_facts facts;
    struct pw_evse_step trail[PW_EVSE_TRAIL_MAX]; // last changes of state, a ring
    uint32_t steps;                               // changes of state so far

    // Memory of the senses and outputs.
    bool tested;       // the power-on self-test has passed since the board was last lost
    bool b_seen;       // this vehicle has shown B
    bool woken;        // the wake-up pulse was given
    bool rcd_passed;   // self-test passed and not yet used for a closing
    bool locked;       // or nothing to lock; while closed it may flicker for 100 ms
    bool lock_want;    // where the lock shall be
    bool reads_closed; // contactor, by mirror contact or the voltage behind it
    bool reads_open;   // both may be true: a pole disagrees
    bool proven_open;  // driven open and read as open, for 50 ms
    uint8_t probes;    // most temperature sensors ever heard at once
    uint8_t resets;    // automatic resets used for this vehicle
    uint8_t tries;     // of the lock
    pw_ms rcd_at;      // when the last self-test passed
    pw_ms probed_at;   // last turn of a self-test
    pw_ms start;
    pw_ms stepped_at;
    pw_ms opened_at;                  // when the contactor was last told to open; PW_NEVER: not yet
    pw_ms driven_at;                  // when the pilot was last told something else
    pw_ms duty_at;                    // last change of the duty
    pw_ms lock_at;                    // when the lock was last told something
    int32_t heat_dc;                  // temperature that counts: falls cool_dc late
    pw_ms closes[PW_EVSE_CLOSES_MAX]; // last closings, a ring
    uint32_t closings;
    pw_ms true_since[PW_EVSE_TIMED_ROWS]; // since when a timed condition has been true
    pw_ms gone_since[PW_EVSE_FAULT_ROWS]; // since when a standing fault's condition is not true
};

// PW_ERR_RANGE for a field out of its range or fields that contradict each other; *why then gets
// one sentence (may be NULL). Begins with the power-on self-test: pilot at -12 V and back,
// contactor open, residual current device, earth, temperature; each fails with its fault.
PW_MUST_USE int pw_evse_init(struct pw_evse *evse, uint8_t connector_id,
                             const struct pw_evse_config *config, const struct pw_log *log,
                             pw_ms now, struct pw_out *why);
// New settings while running. Errors as pw_evse_init; nothing changes then.
PW_MUST_USE int pw_evse_configure(struct pw_evse *evse, const struct pw_evse_config *config,
                                  struct pw_out *why);

// One turn: senses, decides, sets what pw_evse_drive returns. To be called on every new senses (5
// ms while a vehicle is connected keeps every promise), every change of permit or limit, and when
// the time it returned has come. Constant cost. A clock that stands or runs backwards is taken as
// standing.
pw_ms pw_evse_step(struct pw_evse *evse, const struct pw_evse_input *input, pw_ms now);

// What the board shall do now.
struct pw_board_drive pw_evse_drive(const struct pw_evse *evse);

// Clears a fault by hand. PW_ERR_UNKNOWN when it does not stand, PW_ERR_BUSY while its condition is
// still true.
PW_MUST_USE int pw_evse_clear(struct pw_evse *evse, enum pw_evse_fault fault, pw_ms now);
// What must survive a restart, as one word to keep: latched faults in the lower 24 bits, automatic
// resets used above. Changes seldom; 0 when there is nothing. The word's return; unknown bits are
// ignored. A wait before an automatic reset begins anew.
uint32_t pw_evse_latched(const struct pw_evse *evse);
void pw_evse_restore(struct pw_evse *evse, uint32_t latched);
// The program before this one ended with the contactor perhaps closed. When it opened nobody knows:
// its least time off counts from now. To be called between pw_evse_init and the first turn.
void pw_evse_rest(struct pw_evse *evse, pw_ms now);

// The worst standing fault (lowest row), or PW_EVSE_FAULT_ROWS when there is none.
enum pw_evse_fault pw_evse_worst(const struct pw_evse *evse);
// Contactor driven open and not read as closed.
bool pw_evse_is_off(const struct pw_evse *evse);
// Offered, not taken: the vehicle pauses. Held back by us while it is plugged in and permitted.
bool pw_evse_paused_by_vehicle(const struct pw_evse *evse);
bool pw_evse_paused_by_station(const struct pw_evse *evse);

#endif
