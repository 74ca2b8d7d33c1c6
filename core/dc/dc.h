// dc: charging a battery straight from a rectifier. One machine for one connector: who is plugged
// in, how much voltage and current may be asked for, in which order the output is switched on and
// off, and what is wrong. It decides from one snapshot of measurements a turn and says what
// rectifier and contactor shall do; outputs depend on the state alone (the table below).
// Sources: facts/dc-can.md §1.1 (timings of the seed and their defects), §2.1 (Elcon), §4 (safety
// table); facts/reliability.md §3.2 F20-F29, §7.2; IEC 61851-23/-25 through those.
#ifndef PW_DC_H
#define PW_DC_H

#include "base/base.h"

// clang-format off
// One row a state. "current" ZERO, TRICKLE (2 A at most: fills the output capacitors) or RAMPED up to
// the limit. "bound" says how long the state may last: TIMED by a limit of its own, NEVER closed.
#define PW_DC_STATES(X)                                                                             \
    /*  state      text          rectifier contactor current  bound     fault                    */ \
    X( IDLE,      "idle",        OFF,      OPEN,     ZERO,    NEVER,    NO  ) /* no vehicle       */ \
    X( READY,     "ready",       OFF,      OPEN,     ZERO,    NEVER,    NO  ) /* waits for consent*/ \
    X( CHECKING,  "checking",    OFF,      OPEN,     ZERO,    NEVER,    NO  ) /* output in order? */ \
    X( PRECHARGE, "precharge",   ON,       OPEN,     TRICKLE, NEVER,    NO  ) /* meet the battery */ \
    X( CLOSING,   "closing",     ON,       CLOSED,   ZERO,    TIMED,    NO  ) /* feedback wanted  */ \
    X( CHARGING,  "charging",    ON,       CLOSED,   RAMPED,  FREE,     NO  )                       \
    X( HOLDING,   "holding",     ON,       CLOSED,   ZERO,    TIMED,    NO  ) /* short pause      */ \
    X( STOPPING,  "stopping",    ON,       CLOSED,   ZERO,    TIMED,    NO  ) /* current goes     */ \
    X( UNLOADING, "unloading",   OFF,      CLOSED,   ZERO,    TIMED,    NO  ) /* rectifier goes   */ \
    X( OPENING,   "opening",     OFF,      OPEN,     ZERO,    NEVER,    NO  ) /* feedback wanted  */ \
    X( PROVING,   "proving",     OFF,      OPEN,     ZERO,    NEVER,    NO  ) /* weld check       */ \
    X( EMERGENCY, "emergency",   OFF,      CLOSED,   ZERO,    TIMED,    YES ) /* 100 ms at most   */ \
    X( FAULTED,   "faulted",     OFF,      OPEN,     ZERO,    NEVER,    YES )

// One row a fault.
//   latch  STAYS: until somebody clears it, across restarts; CLEARS: by itself when it has been gone
//          for stable_ms
//   stop   ORDERLY: current down first, at most 3 s; FAST: the same, at most 500 ms; AT_ONCE:
//          rectifier off now, contactor open within 100 ms
//   then   OCPP 1.6 ChargePointErrorCode, vendor error code, text
#define PW_DC_FAULTS(X)                                                                              \
    X(ESTOP,         STAYS,  AT_ONCE, "OtherError",           "PW-ESTOP",   "emergency stop pressed")                      \
    X(WELD,          STAYS,  AT_ONCE, "PowerSwitchFailure",   "PW-WELD",    "contactor does not open")                     \
    X(NOT_CLOSING,   STAYS,  AT_ONCE, "PowerSwitchFailure",   "PW-CLOSE",   "contactor does not close or opened by itself")\
    X(OVER_VOLTAGE,  STAYS,  AT_ONCE, "OverVoltage",          "PW-OV",      "output voltage above its limit")              \
    X(RECTIFIER_OVP, STAYS,  AT_ONCE, "OverVoltage",          "PW-R-OVP",   "rectifier has latched over-voltage")          \
    X(OVER_CURRENT,  CLEARS, AT_ONCE, "OverCurrentFailure",   "PW-OC",      "current above what was asked for")            \
    X(STUCK_CURRENT, CLEARS, AT_ONCE, "PowerSwitchFailure",   "PW-STUCK",   "current does not fall when told to")          \
    X(SHORT,         CLEARS, AT_ONCE, "OverCurrentFailure",   "PW-SHORT",   "rectifier sees a short circuit")              \
    X(POLARITY,      CLEARS, AT_ONCE, "OtherError",           "PW-POL",     "battery reversed or out of range")            \
    X(BUS,           CLEARS, FAST,    "InternalError",        "PW-BUS",     "CAN bus not active")                          \
    X(IO_LOST,       CLEARS, FAST,    "InternalError",        "PW-IO",      "I/O node silent")                             \
    X(RECTIFIER_LOST,CLEARS, FAST,    "InternalError",        "PW-R-LOST",  "rectifier silent")                            \
    X(METER_LOST,    CLEARS, FAST,    "PowerMeterFailure",    "PW-METER",   "no output measurement")                       \
    X(METER_SPREAD,  CLEARS, ORDERLY, "PowerMeterFailure",    "PW-SPREAD",  "voltage measurements disagree")               \
    X(VEHICLE_LOST,  CLEARS, ORDERLY, "EVCommunicationError", "PW-BMS",     "BMS silent during the charge")                \
    X(PRECHARGE,     CLEARS, ORDERLY, "OtherError",           "PW-PRE",     "output does not meet battery voltage")        \
    X(OVER_TEMP,     CLEARS, ORDERLY, "HighTemperature",      "PW-OT",      "too hot")                                     \
    X(UNDER_VOLTAGE, CLEARS, ORDERLY, "UnderVoltage",         "PW-UV",      "output voltage below its limit")              \
    X(RECTIFIER,     CLEARS, ORDERLY, "InternalError",        "PW-R-FAULT", "rectifier reports a fault")                   \
    X(MAINS,         CLEARS, ORDERLY, "OtherError",           "PW-MAINS",   "rectifier has no good mains")
// clang-format on

#define PW_DC_STATE_ID(name, text, rectifier, contactor, current, bound, fault) PW_DC_##name,
enum pw_dc_state { PW_DC_STATES(PW_DC_STATE_ID) PW_DC_STATE_ROWS };
#undef PW_DC_STATE_ID

#define PW_DC_FAULT_ID(name, latch, stop, code, vendor, text) PW_DC_FAULT_##name,
enum pw_dc_fault { PW_DC_FAULTS(PW_DC_FAULT_ID) PW_DC_FAULT_ROWS };
#undef PW_DC_FAULT_ID

// A set of faults is a bit mask: 1 << enum pw_dc_fault.
#define PW_DC_BIT(fault) (UINT32_C(1) << (fault))

struct pw_dc_fault_row {
    const char *name;   // "OVER_VOLTAGE"
    const char *ocpp16; // ChargePointErrorCode, spelled as on the wire
    const char *vendor; // vendorErrorCode
    const char *text;
    bool stays;
};

extern const struct pw_dc_fault_row pw_dc_fault_rows[PW_DC_FAULT_ROWS];
const char *pw_dc_state_name(enum pw_dc_state state);

// Alarms of any rectifier, translated by whoever speaks its language.
enum {
    PW_DC_ALARM_OVP = 1 << 0,   // output over-voltage latched: cleared by hand
    PW_DC_ALARM_FAULT = 1 << 1, // broken: fan, PFC, internal communication, output relay...
    PW_DC_ALARM_TEMP = 1 << 2,  // the rectifier itself is too hot
    PW_DC_ALARM_MAINS = 1 << 3, // input lost, under, over, phase missing
    PW_DC_ALARM_SHORT = 1 << 4, // output shorted
};

// Every field: 0 means the default given.
struct pw_dc_config {
    int32_t min_mv;         // least output voltage; 56000
    int32_t max_mv;         // most output voltage of the station; 85500
    int32_t max_ma;         // most current of station, cable and connector; 100000
    int32_t ramp_ma_s;      // rise of the current a second; 25000
    int32_t derate_from_dc; // temperature in 0.1 degC where the current begins to fall; 600
    int32_t trip_dc; // temperature where charging stops; 700. Back below derate_from_dc it is over
    int32_t over_mv; // over-voltage margin above the limit; 1000
    int32_t over_ms; // time above it; 400
    int32_t spread_mv;         // most two measurements of one voltage may differ; 5000
    int32_t match_mv;          // pre-charge: output this close to the battery; 2000
    int32_t precharge_ms;      // most time for it; 20000
    int32_t discharge_ms;      // most time for an output above the battery to sink; 180000
    int32_t bms_zero_ms;       // BMS silence that takes the current to 0; 2500
    int32_t bms_off_ms;        // BMS silence that switches off; 4500
    int32_t bms_gone_ms;       // BMS silence that means unplugged while a session runs; 8000
    int32_t unplug_ms;         // the same with the signature of an open output; 3500
    int32_t measure_ms;        // oldest output measurement to act upon; 2000
    int32_t rectifier_ms;      // longest silence of the rectifier while it works; 3000
    int32_t rectifier_idle_ms; // the same while it rests; 15000
    int32_t io_ms;             // longest silence of the I/O node; 1500
    int32_t min_off_ms;        // least time between opening and closing; 5000
    int32_t hold_ms;           // a pause longer than this opens the contactor; 10000
    int32_t weld_ms;           // time in which the open output must decay; 15000
    int32_t weld_mv;           // ... by this much; 3000
    int32_t stable_ms;         // a passing fault must stay away this long; 3000
    int32_t taper_ma;  // end of charge at the voltage limit when the capacity is unknown; 1500
    int32_t taper_ms;  // ... for this long; 60000
    bool no_contactor; // the contactor is inside the rectifier: no coil, no feedback
};

enum pw_dc_feedback { PW_DC_FEEDBACK_NONE, PW_DC_FEEDBACK_OPEN, PW_DC_FEEDBACK_CLOSED };

// One turn's snapshot. Times tell when a value last arrived; PW_NEVER: not since the start.
struct pw_dc_input {
    bool permit;                  // the session lets energy flow
    bool bus_ok;                  // every bus this connector needs can carry frames
    bool estop;                   // button pressed (I/O node, or a panel elsewhere)
    enum pw_dc_feedback feedback; // NONE: there is none
    pw_ms io_at;                  // I/O node last heard (only with a contactor of our own)
    int32_t stack_ma;             // least of the limit stack

    pw_ms bms_at;         // last valid frame of the BMS
    bool bms_stop;        // it wants no charge
    bool bms_heating;     // it warms itself with what it asks for
    int32_t bms_mv;       // most voltage it allows
    int32_t bms_ma;       // most current it allows
    int32_t soc_permille; // -1: unknown
    int32_t capacity_mah; // 0: unknown

    pw_ms out_at; // measurement at the output terminals
    int32_t out_mv;
    int32_t out_ma;

    pw_ms rectifier_at;       // rectifier last heard
    int32_t rectifier_mv;     // its own measurement; below 0: not known
    int32_t rectifier_max_ma; // what it can give now; 0: not known
    uint32_t alarms;          // PW_DC_ALARM_...
    pw_ms temp_at;            // hottest of rectifier and connector
    int32_t temp_dc;

    pw_ms battery_at; // voltage on the vehicle's side of the contactor
    int32_t battery_mv;
};

// Flags of the answer to the BMS (Elcon byte 4).
enum {
    PW_DC_FLAG_HARDWARE = 1 << 0,
    PW_DC_FLAG_OVER_TEMP = 1 << 1,
    PW_DC_FLAG_MAINS = 1 << 2,
    PW_DC_FLAG_NO_BATTERY = 1 << 3,
    PW_DC_FLAG_BMS_TIMEOUT = 1 << 4,
};

struct pw_dc_output {
    bool rectifier_on;
    bool contactor_closed;
    int32_t set_mv; // voltage set-point, within every limit
    int32_t set_ma; // current set-point, ramped; 0 whenever the state says so
    uint8_t flags;  // PW_DC_FLAG_...
};

// What holds the current at its value.
enum pw_dc_bound {
    PW_DC_BOUND_STATION,
    PW_DC_BOUND_STACK,
    PW_DC_BOUND_VEHICLE,
    PW_DC_BOUND_RECTIFIER,
    PW_DC_BOUND_TEMPERATURE,
};

// clang-format off
// Why no energy flows although it might.
#define PW_DC_PAUSES(X)                                                                      \
    X(NONE, "none")       X(VEHICLE, "vehicle")   /* stop flag, 0 A asked, or takes none  */ \
    X(SILENT, "bms late") X(STATION, "station")   /* limit 0, minimum off time, discharge */
// clang-format on

#define PW_DC_ID(name, text) PW_DC_PAUSE_##name,
enum pw_dc_pause { PW_DC_PAUSES(PW_DC_ID) PW_DC_PAUSE_ROWS };
#undef PW_DC_ID

const char *pw_dc_pause_name(enum pw_dc_pause pause);

// How the vehicle ended the charge by itself.
enum pw_dc_end { PW_DC_END_NONE, PW_DC_END_FULL, PW_DC_END_TAPER };

// The present limits and whose they are.
struct pw_dc_limits {
    int32_t mv;
    int32_t ma;
    enum pw_dc_bound who; // of the current
};

#define PW_DC_TIMED_ROWS 16
#define PW_DC_TRAIL_MAX  16

struct pw_dc_step {
    pw_ms at;
    enum pw_dc_state from;
    enum pw_dc_state to;
    const char *why; // a literal
};

// The machine. Read what is documented; write through the functions only.
struct pw_dc {
    struct pw_dc_config config; // defaults filled in
    const struct pw_log *log;
    uint8_t connector_id;

    enum pw_dc_state state;
    const char *why; // of the last change of state; a literal
    pw_ms since;     // ... and when
    bool plugged;
    pw_ms plugged_since; // of the last change of `plugged`
    pw_ms deaf_at;       // last turn in which a bus carried nothing
    uint32_t faults;     // every fault that stands, latched or not: PW_DC_BIT
    uint32_t present;    // faults whose condition is true right now
    enum pw_dc_pause pause;
    enum pw_dc_end end;
    struct pw_dc_limits limits;
    struct pw_dc_output out;
    struct pw_dc_step trail[PW_DC_TRAIL_MAX]; // last changes of state, a ring
    uint32_t steps;                           // changes of state so far

    struct pw_dc_input in; // of the last turn, nonsense cut
    bool off;              // contactor open as far as can be known, and no current

    // Memory of the senses (dc/sense.c).
    pw_ms true_since[PW_DC_TIMED_ROWS]; // since when a timed condition has been true
    pw_ms gone_since[PW_DC_FAULT_ROWS]; // since when a standing fault's condition is not true
    pw_ms start;
    pw_ms stepped_at;
    pw_ms opened_at;     // when the contactor was last told to open; PW_NEVER: not yet
    int32_t over_ref_mv; // over-voltage reference: follows a lowered limit with a delay
    pw_ms over_ref_at;
    int32_t asked_ma; // highest set-point of the last seconds
    pw_ms asked_at;
    pw_ms ramp_at;
    int32_t peak_bms_ma; // highest current the BMS allowed in this charge
    int32_t proof_mv;    // output voltage when the weld check began
    pw_ms proof_at;      // PW_NEVER: it has not
    bool flowing;        // current flowed when the BMS fell silent
    bool tapered;        // the BMS has lowered its current to a quarter
};

// PW_ERR_RANGE for a field out of its range or limits that contradict each other; *why then gets
// one sentence (may be NULL).
PW_MUST_USE int pw_dc_init(struct pw_dc *dc, uint8_t connector_id,
                           const struct pw_dc_config *config, const struct pw_log *log, pw_ms now,
                           struct pw_out *why);
// New settings while running. Errors as pw_dc_init; nothing changes then.
PW_MUST_USE int pw_dc_configure(struct pw_dc *dc, const struct pw_dc_config *config,
                                struct pw_out *why);

// One turn: senses, decides, sets dc->out. Returns when it wants to be called again at the latest
// (sooner on any new input). Constant cost.
pw_ms pw_dc_step(struct pw_dc *dc, const struct pw_dc_input *in, pw_ms now);

// Clears a latched fault by hand. PW_ERR_UNKNOWN when it does not stand, PW_ERR_BUSY while its
// condition is still true.
PW_MUST_USE int pw_dc_clear(struct pw_dc *dc, enum pw_dc_fault fault, pw_ms now);
// Latches that must survive a restart, and their return. Unknown bits are ignored.
uint32_t pw_dc_latched(const struct pw_dc *dc);
void pw_dc_restore(struct pw_dc *dc, uint32_t latched);

// The worst standing fault (lowest row), or PW_DC_FAULT_ROWS when there is none.
enum pw_dc_fault pw_dc_worst(const struct pw_dc *dc);
// Contactor open as far as can be known, and no current.
bool pw_dc_is_off(const struct pw_dc *dc);
// Current left at a temperature: max_ma up to derate_from_dc, falling on a line to 0 at trip_dc.
int32_t pw_dc_derated_ma(const struct pw_dc_config *config, int32_t temp_dc);

#endif
