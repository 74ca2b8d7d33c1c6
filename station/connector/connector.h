// connector: one connector of a station, whatever drives it. The station above knows only this:
// a session, a limit stack, faults, a view, and what must last. Each kind is one row of functions
// (`struct pw_connector_kind`) over its own machine: dc is station/bay, pilot is station/outlet,
// openevse is station/openevse.
// Receiving only stores; pw_connector_step decides.
#ifndef PW_CONNECTOR_H
#define PW_CONNECTOR_H

#include "base/base.h"
#include "bay/bay.h"
#include "board/board.h"
#include "limits/limits.h"
#include "openevse/openevse.h"
#include "outlet/outlet.h"
#include "session/session.h"
#include "settings/settings.h"

#define PW_CONNECTOR_PHASES 3

// What the vehicle has told, as far as its kind can tell at all.
struct pw_connector_vehicle {
    bool heard;
    int32_t max_ma;       // what it asks for; -1: unknown
    int32_t peak_ma;      // most it has asked for since it was plugged in; 0: nothing yet
    int32_t soc_permille; // -1: unknown
    int64_t charge_mah;   // -1: unknown
    int32_t pack_mv;      // -1: unknown
    const char *model;    // "" unknown; lives for ever
};

// A fault of the connector, as its kind's table has it. All texts live for ever.
struct pw_connector_fault {
    const char *vendor; // "PW-..."
    const char *ocpp16; // ChargePointErrorCode
    const char *text;
    bool active;
    bool stays;   // until somebody clears it; others go by themselves
    bool latched; // it stays, and it is there
};

// Everything a report, a page, the LCD or a link may want. A copy; its texts are literals.
struct pw_connector_view {
    uint8_t connector_id;
    const char *kind; // "dc", "pilot", "openevse"
    enum pw_session_status status;
    const char *error_code;  // OCPP 1.6 ChargePointErrorCode; "NoError"
    const char *vendor_code; // "" without a fault
    const char *info;        // text of the worst fault, or why it pauses; ""
    enum pw_session_phase phase;
    char id_tag[PW_SESSION_TAG_MAX];
    const char *state; // of the charging machine, and why it is in it
    const char *state_why;
    const char *pilot; // control pilot: "A1" ... "F"; "" for a kind without one
    bool plugged;
    pw_ms plugged_since;
    bool energised;       // contactor told to close
    bool live;            // told to close, or seen closed: what a person must take for live
    bool measured;        // the values below are fresh
    uint8_t phases;       // 0: direct current; 1 or 3
    uint8_t used;         // bits of its own phases that the vehicle was seen to use
    const char *rotation; // which phases of the grid feed them: "RST"...; "" for dc
    int32_t mv[PW_CONNECTOR_PHASES]; // phase to neutral, [0] for dc; PW_BOARD_UNKNOWN
    int32_t ma[PW_CONNECTOR_PHASES];
    int32_t mw[PW_CONNECTOR_PHASES];
    int32_t out_mv; // dc: at the output; else the first phase's
    int32_t out_ma; // dc: at the output; else the largest of the phases
    int64_t power_mw;
    int32_t mains_mhz;  // frequency; PW_BOARD_UNKNOWN
    int32_t offered_ma; // what may flow now, on each phase
    int32_t cable_ma;   // what the plugged cable may carry; 0: not known or none
    enum pw_limit_source limit_who;
    const char *limit_why;
    pw_ms limit_since;
    uint64_t energy_mwh;  // lifetime register
    uint64_t session_mwh; // of the running or last charge
    uint64_t session_ms;  // how long it has run; 0 without one
    int32_t temp_dc;      // hottest part; INT32_MIN: unknown
    struct pw_connector_vehicle vehicle;
};

// What must survive a restart.
struct pw_connector_keep {
    uint32_t latched; // fault latches
    bool interrupted; // a charge was under way when the last program ended
    struct pw_meter_register energy;
    int64_t counter; // of a board that counts by itself, at that energy; -1: none
};

// One connector. Written only by the functions below.
struct pw_connector {
    const struct pw_connector_kind *kind;
    union {
        struct pw_bay bay;
        struct pw_outlet outlet;
        struct pw_openevse openevse;
    } of;
};

// Takes settings row `kind` and all others of connector `index` (from 0). PW_ERR_RANGE with one
// sentence in *why naming field, value and allowed range; the connector must not be used then.
PW_MUST_USE int pw_connector_init(struct pw_connector *connector,
                                  const struct pw_settings *settings, unsigned index,
                                  const struct pw_log *log, pw_ms now, struct pw_out *why);
// Settings that changed while running. Errors as init; nothing changes then.
PW_MUST_USE int pw_connector_configure(struct pw_connector *connector,
                                       const struct pw_settings *settings, unsigned index,
                                       struct pw_out *why, pw_ms now);

// Inputs; a kind that has no such wire ignores them.
void pw_connector_can(struct pw_connector *connector, uint8_t bus, const struct pw_can_frame *frame,
                      pw_ms now);
void pw_connector_bus_state(struct pw_connector *connector, uint8_t bus, enum pw_can_state state,
                            pw_ms now);
void pw_connector_senses(struct pw_connector *connector, const struct pw_board_senses *senses,
                         pw_ms now);
void pw_connector_block(struct pw_connector *connector, const struct pw_board_block *block,
                        pw_ms now);
void pw_connector_mains(struct pw_connector *connector, const struct pw_board_mains *mains,
                        pw_ms now);
// What the board is. PW_ERR_UNKNOWN for a kind without one; else as pw_outlet_board.
PW_MUST_USE int pw_connector_board(struct pw_connector *connector,
                                   const struct pw_outlet_board *board, struct pw_out *why);
// The line of a board that speaks a protocol of its own, both ways. A kind without one takes no
// bytes and gives none. `out` is valid until `out_sent`.
// `start` first, once: a number that no start of the station had before (a radio's frames hold for
// one start only).
void pw_connector_wire_start(struct pw_connector *connector, uint64_t start);
void pw_connector_wire_up(struct pw_connector *connector, pw_ms now);
void pw_connector_wire_down(struct pw_connector *connector, struct pw_str reason, pw_ms now);
size_t pw_connector_wire_bytes(struct pw_connector *connector, const uint8_t *at, size_t len,
                               pw_ms now);
struct pw_str pw_connector_wire_out(const struct pw_connector *connector);
void pw_connector_wire_out_sent(struct pw_connector *connector, size_t len, pw_ms now);
// As pw_station_board_ask and pw_station_board_answer.
PW_MUST_USE int pw_connector_ask(struct pw_connector *connector, struct pw_str line,
                                 enum pw_rapi_who who, uint32_t *ticket, struct pw_out *why,
                                 pw_ms now);
PW_MUST_USE int pw_connector_answer(struct pw_connector *connector, uint32_t ticket,
                                    struct pw_out *answer);
// Which phases of the grid the vehicle loads, as seen from outside (bit 0: L1); 0: it is being
// looked for. A kind that measures them itself ignores it.
void pw_connector_phases(struct pw_connector *connector, unsigned bits, pw_ms now);
// Whether its kind has no other way to know them.
bool pw_connector_asks_phases(const struct pw_connector *connector);
// An emergency stop pressed elsewhere (panel, console). Held as long as `pressed`. Returns whether
// it was held before.
bool pw_connector_estop(struct pw_connector *connector, bool pressed);

// One turn; call it after every input or request and at its deadline. Returns the next deadline.
pw_ms pw_connector_step(struct pw_connector *connector, pw_ms now);

// Effects.
bool pw_connector_take_can(struct pw_connector *connector, uint8_t *bus,
                           struct pw_can_frame *frame);
bool pw_connector_take_restart(struct pw_connector *connector, uint8_t bus, pw_ms now);
// What the board shall drive, when that has changed since it was last taken.
bool pw_connector_take_drive(struct pw_connector *connector, struct pw_board_drive *drive);

// Requests from above. The session's own functions apply to pw_connector_session.
struct pw_session *pw_connector_session(struct pw_connector *connector);
const struct pw_limits *pw_connector_limits(const struct pw_connector *connector);
// Milliampere of the connector's output, on each phase; for PW_LIMIT_LOAD, HOUSE and SOLAR
// milliampere of the mains on each phase (a dc connector works out what that allows). PW_ERR_RANGE
// as pw_limits_set.
PW_MUST_USE int pw_connector_limit(struct pw_connector *connector, enum pw_limit_source source,
                                   int32_t ma, const char *why, pw_ms expires, pw_ms now);
void pw_connector_unlimit(struct pw_connector *connector, enum pw_limit_source source, pw_ms now);
// Row `row` of the kind's fault table; false past its end.
bool pw_connector_fault(const struct pw_connector *connector, unsigned row,
                        struct pw_connector_fault *fault);
// Clears a fault that stays. PW_ERR_BUSY: its cause is still there; PW_ERR_AGAIN: asked, and it
// clears when the hardware says so; PW_ERR_UNKNOWN: it is not latched.
PW_MUST_USE int pw_connector_clear(struct pw_connector *connector, unsigned row, pw_ms now);
// UnlockConnector. PW_OK: the lock is open; PW_ERR_AGAIN: the charge ends first, or it is moving;
// PW_ERR_UNKNOWN: there is no lock; PW_ERR_BUSY: it does not open.
PW_MUST_USE int pw_connector_unlock(struct pw_connector *connector, pw_ms now);

// Whose cable is locked in the socket though the vehicle left (UnlockConnectorOnEVSideDisconnect);
// "": nobody's. Unlocking releases it.
const char *pw_connector_held(const struct pw_connector *connector);

// Safe to leave alone: contactor open, nothing flows.
bool pw_connector_is_off(const struct pw_connector *connector);
bool pw_connector_keep_due(const struct pw_connector *connector, pw_ms now);
struct pw_connector_keep pw_connector_keep(const struct pw_connector *connector);
void pw_connector_kept(struct pw_connector *connector, const struct pw_connector_keep *kept,
                       pw_ms now);
// Before the first step.
PW_MUST_USE int pw_connector_restore(struct pw_connector *connector,
                                     const struct pw_connector_keep *keep, pw_ms now);

void pw_connector_view(const struct pw_connector *connector, struct pw_connector_view *view,
                       pw_ms now);

// The machine behind a connector, for reports of that kind only; NULL for others.
const struct pw_bay *pw_connector_bay(const struct pw_connector *connector);
const struct pw_outlet *pw_connector_outlet(const struct pw_connector *connector);
const struct pw_openevse *pw_connector_openevse(const struct pw_connector *connector);

#endif
