// bay: one dc connector of a station. It turns CAN frames of rectifier, BMS, terminal report and
// I/O node into the snapshot core/dc wants, and core/dc's outputs into frames; it holds the
// connector's meter, limits and session. Receiving only stores; pw_bay_step decides. Every call
// costs a bounded time: no loop depends on what arrives. Sources: facts/dc-can.md §1 (frames and
// timings), §4 (safety), §5.1 (bus-off).
#ifndef PW_BAY_H
#define PW_BAY_H

#include "can/bms.h"
#include "can/can.h"
#include "can/rectifier.h"
#include "dc/dc.h"
#include "limits/limits.h"
#include "meter/meter.h"
#include "session/session.h"
#include "vehicle/vehicle.h"

#define PW_BAY_BUSES  2
#define PW_BAY_TX_MAX 32 // frames waiting to be sent; more are dropped, oldest kept, and counted

// The fields the station fills from its settings. 0 means the default given, except where "0:" says
// otherwise.
struct pw_bay_config {
    uint8_t connector_id;                        // from 1
    uint8_t vehicle_bus;                         // 0 or 1: the BMS
    uint8_t power_bus;                           // 0 or 1: rectifier, terminal report, I/O node
    const struct pw_rectifier_driver *rectifier; // who made it; NULL: Huawei
    uint8_t rectifier_address;                   // 0: the least of that maker
    int32_t rectifier_rated_ma;                  // of one module; 33570
    uint8_t rectifier_modules;                   // 1..16; 1
    bool elcon_soc;                   // 0x1806E5F4 bytes 5-6 carry SOC; else byte 5 is heating
    bool daly_poll;                   // ask the BMS for ampere hours, voltage, temperature
    int32_t status_period_ms;         // 0x18FF50E5; 100..1000; 500
    uint32_t terminal_id;             // 29-bit id of the terminal report; 0: there is none
    int32_t terminal_current_divisor; // 1..1000; 1
    uint8_t io_node;                  // 1..127; 0: none, the contactor is inside the rectifier
    int32_t bus_silence_ms;           // a needed bus without one frame this long is silent; 3000
    int32_t mains_mv;                 // of the mains, phase to neutral; 230000
    uint8_t mains_phases;             // that feed the rectifier, 1..3; 3
    int32_t efficiency_permille;      // output to mains power, 500..1000; 940
    struct pw_dc_config dc;           // no_contactor is set from io_node
    struct pw_meter_config meter;
    struct pw_session_config session;
    const struct pw_vehicle_table *vehicles; // NULL: the built-in table. Must outlive the bay
};

// How a bus stands for this bay.
struct pw_bay_bus {
    bool needed;
    enum pw_can_state reported; // by the wire
    enum pw_can_state state;    // reported, or SILENT
    pw_ms heard_at;             // last frame this bay understood; PW_NEVER: none
    pw_ms listen_until;         // after bus-off: receive only until then
    bool transmit;              // frames may go out
    pw_ms restart_at;           // when the wire should be restarted; PW_NEVER: not off
    uint32_t backoff_ms;        // 1000 doubling to 30000
    pw_ms calm_since;           // carries frames since
    uint32_t offs;              // times it went bus-off
    uint32_t frames;            // understood
    uint32_t strange;           // on our ids, but not readable
};

struct pw_bay_tx {
    uint8_t bus;
    struct pw_can_frame frame;
};

PW_RING_DEF(pw_bay_frames, struct pw_bay_tx, PW_BAY_TX_MAX);

// What the vehicle has said.
struct pw_bay_vehicle {
    pw_ms at; // PW_NEVER: nothing yet
    int32_t max_mv;
    int32_t max_ma;
    bool stop;
    bool heating;
    int32_t soc_permille;   // -1: unknown
    bool soc_derived;       // from ampere hours and the model's capacity
    int64_t charged_mah;    // lifetime in; -1: unknown
    int64_t discharged_mah; // lifetime out; -1: unknown
    int64_t charge_mah;     // in the battery now; -1: unknown
    int32_t pack_mv;        // its own measurement; -1: unknown
    int32_t temp_dc;        // hottest cell; INT32_MIN: unknown
    int32_t peak_ma;        // most it has allowed since it was plugged in: tells the model
    const struct pw_vehicle_model *model; // NULL: unknown
};

// What the power modules have said.
struct pw_bay_power {
    pw_ms at;    // PW_NEVER: nothing yet
    pw_ms mv_at; // when each last came; PW_NEVER: not yet
    pw_ms ma_at;
    pw_ms temp_at;
    int32_t mv;          // -1: unknown
    int32_t ma;          // -1: unknown
    int32_t max_ma;      // what all modules together can give
    int32_t temp_dc;     // INT32_MIN: unknown
    int32_t mains_mv;    // -1: unknown
    uint32_t alarms;     // PW_DC_ALARM_...
    uint64_t raw_alarms; // as the maker numbers them
    const char *alarm;   // the worst in words; NULL without one
    bool charging;       // terminal report says so
};

// Everything a report, a page or a console line may want. A copy; nothing points into the bay but
// literals and the vehicle table.
struct pw_bay_view {
    uint8_t connector_id;
    enum pw_session_status status;
    const char *error_code;  // OCPP 1.6 ChargePointErrorCode; "NoError"
    const char *vendor_code; // "" without a fault
    const char *info;        // text of the worst fault, or why it pauses; ""
    enum pw_session_phase phase;
    char id_tag[PW_SESSION_TAG_MAX];
    enum pw_dc_state state;
    const char *state_why;
    bool plugged;
    pw_ms plugged_since;
    bool energised; // contactor told to close
    enum pw_dc_feedback feedback;
    bool measured; // out_mv and out_ma are fresh
    int32_t out_mv;
    int32_t out_ma;
    int64_t power_mw;
    int32_t battery_mv; // vehicle's side of the contactor; -1: unknown
    int32_t set_mv;
    int32_t set_ma;
    int32_t offered_ma; // what may flow now: OCPP Current.Offered
    int32_t limit_mv;
    enum pw_limit_source limit_who;
    const char *limit_why;
    pw_ms limit_since;
    uint64_t energy_mwh;  // lifetime register
    uint64_t session_mwh; // of the running or last charge
    uint64_t session_ms;  // how long it has run; 0 without one
    int32_t soc_permille; // -1: unknown
    int32_t temp_dc;      // hottest of power and connector; INT32_MIN: unknown
    enum pw_dc_pause pause;
    enum pw_dc_end end;
    uint32_t faults; // PW_DC_BIT
    struct pw_bay_vehicle vehicle;
    struct pw_bay_power power;
    struct pw_bay_bus bus[PW_BAY_BUSES];
    uint32_t tx_dropped;
};

// The bay itself. Written only by the functions below.
struct pw_bay {
    struct pw_bay_config config; // defaults filled in
    const struct pw_log *log;
    struct pw_dc dc;
    struct pw_meter meter;
    struct pw_limits limits;
    struct pw_session session;
    struct pw_bay_bus bus[PW_BAY_BUSES];
    struct pw_bay_vehicle vehicle;
    struct pw_bay_power power;
    struct {
        pw_ms at; // PW_NEVER: nothing yet
        int32_t mv;
        int32_t ma;
        bool fresh; // not yet given to the meter
    } terminal;
    struct {
        pw_ms at; // PW_NEVER: nothing yet
        bool closed;
        bool estop;
        pw_ms battery_at;
        int32_t battery_mv;
    } io;
    bool panel_estop; // pressed elsewhere
    struct {
        pw_ms status_at; // when each is due
        pw_ms control_at;
        pw_ms query_at;
        pw_ms vehicle_at;
        pw_ms io_at;
        unsigned query_row; // next of the cycles
        unsigned vehicle_row;
        struct pw_rectifier_command sent; // last set-points on the wire
        bool sent_once;
        bool coil_sent;
        bool idled;      // at the last turn: nobody is there and nothing is on
        bool spoke;      // the power bus carried frames at the last turn
        bool node_rests; // the I/O node is not operational
    } poll;
    bool wants_ovp_clear; // somebody cleared the rectifier's over-voltage latch
    struct pw_rectifier_config rectifier_config;
    struct pw_rectifier_report rectifier; // only what the last frame told
    struct pw_bms_config bms_config;
    struct pw_bms_report bms;
    struct pw_bay_frames tx;
    uint32_t tx_dropped;
    uint32_t kept_latched; // as last saved
};

// PW_ERR_RANGE with one sentence in *why (may be NULL) naming field, value and allowed range; the
// bay must not be used then.
PW_MUST_USE int pw_bay_init(struct pw_bay *bay, const struct pw_bay_config *config,
                            const struct pw_log *log, pw_ms now, struct pw_out *why);
// Settings that changed while running: limits, ramp, temperatures, session and meter settings.
// Wiring (buses, addresses, rectifier) stays as it was. Errors as pw_bay_init; nothing changes
// then.
PW_MUST_USE int pw_bay_configure(struct pw_bay *bay, const struct pw_bay_config *config,
                                 struct pw_out *why, pw_ms now);

// From the wires. Only store: cost is that of reading one frame.
void pw_bay_can(struct pw_bay *bay, uint8_t bus, const struct pw_can_frame *frame, pw_ms now);
void pw_bay_bus_state(struct pw_bay *bay, uint8_t bus, enum pw_can_state state, pw_ms now);
// An emergency stop that is not on the I/O node (panel, console). Held as long as `pressed`.
// Returns whether it was held before.
bool pw_bay_estop(struct pw_bay *bay, bool pressed);

// One turn; call it after every frame, state, request and at its deadline. Returns the next
// deadline. Deterministic; bounded cost.
pw_ms pw_bay_step(struct pw_bay *bay, pw_ms now);

// The next frame to send, until false. Frames for a bus that may not transmit are never queued.
bool pw_bay_take_can(struct pw_bay *bay, uint8_t *bus, struct pw_can_frame *frame);
// True once when the wire of `bus` should be restarted (bus-off back-off is over).
bool pw_bay_take_restart(struct pw_bay *bay, uint8_t bus, pw_ms now);

// Requests from above. Effects show after the next pw_bay_step. For authorise, recorded, stop,
// suspend, reserve, resume and the session's limits use bay->session with core/session's functions;
// pw_session_take(&bay->session, ...) gives its events.
PW_MUST_USE int pw_bay_limit(struct pw_bay *bay, enum pw_limit_source source, int32_t ma,
                             const char *why, pw_ms expires, pw_ms now);
// The output current that stays within `mains_ma` on each phase of the mains, at whatever output
// voltage the settings allow.
int32_t pw_bay_from_mains_ma(const struct pw_bay *bay, int32_t mains_ma);
void pw_bay_unlimit(struct pw_bay *bay, enum pw_limit_source source, pw_ms now);
// As pw_dc_clear. An over-voltage latch inside the rectifier is asked to go: PW_ERR_AGAIN, and the
// fault clears when the rectifier says so.
PW_MUST_USE int pw_bay_clear(struct pw_bay *bay, enum pw_dc_fault fault, pw_ms now);

// What must last: fault latches and the energy register. pw_bay_keep_due says when it should be
// saved; pw_bay_kept that it is on its way to the disk. Restore before the first step.
struct pw_bay_keep {
    uint32_t latched;
    struct pw_meter_register energy;
};
bool pw_bay_keep_due(const struct pw_bay *bay, pw_ms now);
struct pw_bay_keep pw_bay_keep(const struct pw_bay *bay);
void pw_bay_kept(struct pw_bay *bay, const struct pw_bay_keep *kept, pw_ms now);
PW_MUST_USE int pw_bay_restore(struct pw_bay *bay, const struct pw_bay_keep *keep, pw_ms now);

void pw_bay_view(const struct pw_bay *bay, struct pw_bay_view *view, pw_ms now);

#endif
