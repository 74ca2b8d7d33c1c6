// openevse: one AC connector whose board is an OpenEVSE controller. The board drives pilot, relay
// and protections by itself; this room tells it when and how much to charge, reads what it does,
// counts its energy over the phases in use, and joins session and limits. Receiving only stores;
// pw_openevse_step decides. Every call costs a bounded time.
// Sources: facts/ac-evse-rapi-load.md §2.4 to §2.7, §3.4.
#ifndef PW_OPENEVSE_H
#define PW_OPENEVSE_H

#include "json/json.h"
#include "limits/limits.h"
#include "lora/reach.h"
#include "mains/mains.h"
#include "rapi/rapi.h"
#include "session/session.h"

// Where a connector stands, and what its board is told there.
// clang-format off
#define PW_OPENEVSE_STATES(X)                                                                \
    /* state       text         power                                                     */ \
    X( AWAY,       "away",      SLEEP    ) /* the board does not answer                   */ \
    X( IDLE,       "idle",      SLEEP    ) /* no permit                                   */ \
    X( OFF,        "off",       DISABLED ) /* out of service                              */ \
    X( PAUSED,     "paused",    SLEEP    ) /* permit, and less than can be offered        */ \
    X( OFFERING,   "offering",  ENABLED  ) /* the vehicle's turn                          */ \
    X( WAKING,     "waking",    SLEEP    ) /* the offer goes away for a moment ...         */ \
    X( WAKING_F,   "waking f",  DISABLED ) /* ... or the pilot goes to state F            */ \
    X( CHARGING,   "charging",  ENABLED  ) /* relay closed                                */ \
    X( STOPPING,   "stopping",  SLEEP    ) /* the vehicle lets go, then the relay opens   */ \
    X( CUTTING,    "cutting",   DISABLED ) /* it did not: the relay shall open at once    */ \
    X( FAULTED,    "faulted",   SLEEP    ) /* a fault of the board's                      */ \
    X( STOPPED,    "stopped",   DISABLED ) /* emergency stop                              */

// Faults of ours, beside those of the board (pw_rapi_state_at).
#define PW_OPENEVSE_FAULTS(X)                                                                      \
    /* fault     stays OCPP 1.6 error        vendor        text                             */     \
    X( ESTOP,    1, "OtherError",         "PW-ESTOP",   "emergency stop pressed"              )    \
    X( LIVE,     0, "PowerSwitchFailure", "PW-OE-LIVE", "board goes on charging when told to stop") \
    X( LIMIT,    0, "InternalError",      "PW-OE-LIMIT", "board does not take its limit"        ) \
    X( BOARD,    0, "InternalError",      "PW-BOARD",   "board silent"                        )
// clang-format on

#define PW_OPENEVSE_ID(name, text, power) PW_OPENEVSE_##name,
enum pw_openevse_state { PW_OPENEVSE_STATES(PW_OPENEVSE_ID) PW_OPENEVSE_STATE_ROWS };
#undef PW_OPENEVSE_ID
#define PW_OPENEVSE_ID(name, stays, ocpp16, vendor, text) PW_OPENEVSE_FAULT_##name,
enum pw_openevse_fault { PW_OPENEVSE_FAULTS(PW_OPENEVSE_ID) PW_OPENEVSE_FAULT_ROWS };
#undef PW_OPENEVSE_ID

struct pw_openevse_fault_row {
    bool stays; // until somebody clears it
    const char *ocpp16;
    const char *vendor;
    const char *text;
};
extern const struct pw_openevse_fault_row pw_openevse_fault_rows[PW_OPENEVSE_FAULT_ROWS];

const char *pw_openevse_state_name(enum pw_openevse_state state);

// How a vehicle that takes no offer is woken, once an offer; in the order of settings row
// `wake_up`.
enum pw_openevse_wake { PW_OPENEVSE_WAKE_PAUSE, PW_OPENEVSE_WAKE_NONE, PW_OPENEVSE_WAKE_FAULT };

// The fields the station fills from its settings.
struct pw_openevse_config {
    uint8_t connector_id; // from 1
    int32_t rated_ma;     // of each phase, for which it was built; 6000..80000
    int32_t max_ma;       // of each phase, as its owner allows; 0..rated_ma
    int32_t min_ma;       // least that is offered; 6000..32000
    int32_t mains_mv;     // where the board does not tell a voltage
    enum pw_openevse_wake wake;
    bool external_meter;      // readings come by pw_openevse_mains; the board's count no more
    uint32_t unseen_ms;       // a board silent this long ends the charge; 0: 60000
    struct pw_rapi_want text; // its display's part only
    struct pw_rapi_config rapi;
    bool radio; // the board hangs behind one
    struct pw_str radio_key;
    struct pw_mains_config mains;
    struct pw_session_config session;
};

// The board's energy counter knows one conductor only. Its watt seconds become ours times the
// phases in use; until those are known one is counted, and what is missing then is owed.
struct pw_openevse_energy {
    pw_ms at;           // of the last reading; PW_NEVER: none
    int64_t ws;         // the board's counter then; -1: not known
    uint32_t reboots;   // of the board then
    bool began;         // of a count, which the last checkpoint does not know
    bool left;          // since then none was there, or one was seen to leave
    int64_t mwh;        // our register
    int64_t rest;       // below a milliwatt hour, in eighteenths of it
    int64_t owed_ws;    // counted once, with the phases still unknown
    int64_t payable_ws; // found to be missing: joins the register in portions
};

struct pw_openevse {
    struct pw_openevse_config config;
    const struct pw_log *log;
    struct pw_reach rapi;
    struct pw_mains mains;
    struct pw_limits limits;
    struct pw_session session;
    struct pw_board_mains external; // last of the other meter
    struct pw_board_mains counted;  // last given to the registers
    struct pw_openevse_energy energy;
    enum pw_openevse_state state;
    const char *why; // a literal
    pw_ms since;     // of the state
    uint32_t faults; // bits of enum pw_openevse_fault
    bool estop;      // pressed elsewhere
    bool woken;      // this offer was taken, or the vehicle has been woken for it
    bool plugged;    // as last seen
    pw_ms plugged_since;
    bool was_heard;      // it has answered before
    pw_ms unheard_since; // PW_NEVER: the board answers
    pw_ms heard_since;   // it answers, since; of no meaning while it does not
    uint32_t reboots;    // of the board, as last seen
    pw_ms started_at;    // the board was last seen to start; PW_NEVER: it has not
    pw_ms opened_at;     // the relay was seen to open then; PW_NEVER: it has not been closed
    pw_ms live_since;    // energy flows, since; PW_NEVER: none
    bool looking;        // somebody looks for the phases in use
    uint8_t phases;      // bits of our own L1 to L3; 0: not known
    uint32_t kept_latched;
};

// PW_ERR_RANGE with one sentence in *why (may be NULL) naming field, value and allowed range; the
// connector must not be used then.
PW_MUST_USE int pw_openevse_init(struct pw_openevse *oe, const struct pw_openevse_config *config,
                                 const struct pw_log *log, pw_ms now, struct pw_out *why);
// Settings that changed while running. Errors as init; nothing changes then.
PW_MUST_USE int pw_openevse_configure(struct pw_openevse *oe,
                                      const struct pw_openevse_config *config, struct pw_out *why,
                                      pw_ms now);

// Readings of another meter. Only stores.
void pw_openevse_mains(struct pw_openevse *oe, const struct pw_board_mains *mains, pw_ms now);
// Phases of the grid (bit 0: L1) its vehicle loads, as seen at the house's meter; 0: it is being
// looked for.
void pw_openevse_phases(struct pw_openevse *oe, unsigned grid_bits, pw_ms now);
// An emergency stop pressed elsewhere (panel, console). Held as long as `pressed`. Returns whether
// it was held before.
bool pw_openevse_estop(struct pw_openevse *oe, bool pressed);

// One turn; call it after every input or request and at its deadline. Returns the next deadline.
pw_ms pw_openevse_step(struct pw_openevse *oe, pw_ms now);

// Row of ours. PW_ERR_BUSY: its cause is still there; PW_ERR_UNKNOWN: it is not latched.
PW_MUST_USE int pw_openevse_clear(struct pw_openevse *oe, enum pw_openevse_fault fault, pw_ms now);

// Safe to leave alone: the board says that its relay is open, and no current flows.
bool pw_openevse_is_off(const struct pw_openevse *oe);
// What must survive a restart: bits of faults that stay, and the board's counter (energy.ws) with
// the register: the board goes on by itself, and counts, while nobody is here.
uint32_t pw_openevse_latched(const struct pw_openevse *oe);
void pw_openevse_restore(struct pw_openevse *oe, uint32_t latched, int64_t board_ws);
bool pw_openevse_keep_due(const struct pw_openevse *oe, pw_ms now);
// Register and board's counter that belong together: what is still owed is in neither, and is
// counted after a restart.
void pw_openevse_checkpoint(const struct pw_openevse *oe, struct pw_meter_register *energy,
                            int64_t *board_ws);
void pw_openevse_kept(struct pw_openevse *oe, uint32_t latched, pw_ms now);

// "A1", "C2"...: what the vehicle shows, and whether it is offered something; "" unknown.
const char *pw_openevse_pilot(const struct pw_openevse *oe);
// What may flow now on each phase.
int32_t pw_openevse_offered_ma(const struct pw_openevse *oe);

// What is known of the board: one JSON object, and lines for people.
void pw_openevse_put_json(const struct pw_openevse *oe, struct pw_json_writer *json);
void pw_openevse_put(const struct pw_openevse *oe, struct pw_out *out);

#endif
