// session: one charge from plug to receipt, whatever kind of connector delivers it. It knows who
// pays, when energy may flow, when and why it ends, and what OCPP calls all that. It never switches
// anything: `permit` is a necessary condition that the charging machine adds to its own.
// Sources: OCPP 1.6 edition 2 §4.9 (status), §5.11 (remote start), §7.36 (Reason), errata 3.20;
// facts/ocpp.md §3.4; facts/reliability.md §3.1 (the start is recorded before energy flows).
#ifndef PW_SESSION_H
#define PW_SESSION_H

#include "base/base.h"

#define PW_SESSION_TAG_MAX 21 // OCPP 1.6 IdToken: 20 characters and NUL

// OCPP 1.6 ChargePointStatus, spelled as on the wire.
// clang-format off
#define PW_SESSION_STATUSES(X)                                                                     \
    X(AVAILABLE, "Available")       X(PREPARING, "Preparing")     X(CHARGING, "Charging")          \
    X(SUSPENDED_EVSE, "SuspendedEVSE") X(SUSPENDED_EV, "SuspendedEV") X(FINISHING, "Finishing")    \
    X(RESERVED, "Reserved")       X(UNAVAILABLE, "Unavailable")   X(FAULTED, "Faulted")

// OCPP 1.6 Reason, spelled as on the wire.
#define PW_SESSION_REASONS(X)                                                                      \
    X(NONE, "")                  X(EMERGENCY_STOP, "EmergencyStop") X(EV_DISCONNECTED, "EVDisconnected") \
    X(HARD_RESET, "HardReset")   X(LOCAL, "Local")                  X(OTHER, "Other")              \
    X(POWER_LOSS, "PowerLoss")   X(REBOOT, "Reboot")                X(REMOTE, "Remote")            \
    X(SOFT_RESET, "SoftReset")   X(UNLOCK_COMMAND, "UnlockCommand") X(DE_AUTHORIZED, "DeAuthorized")

// Where a charge stands. Columns: may energy flow, is there a transaction.
#define PW_SESSION_PHASES(X)                                                              \
    /* phase        text          permit  transaction                                  */ \
    X( IDLE,        "idle",       0,      0 ) /* nobody, nothing                        */ \
    X( PLUGGED,     "plugged",    0,      0 ) /* a vehicle waits for a card             */ \
    X( AUTHORISED,  "authorised", 0,      0 ) /* a card waits for a vehicle             */ \
    X( BEGINNING,   "beginning",  0,      1 ) /* the start waits for its record         */ \
    X( ACTIVE,      "active",     1,      1 ) /* the transaction runs                   */ \
    X( ENDING,      "ending",     0,      1 ) /* the transaction waits for the power to go */ \
    X( FINISHING,   "finishing",  0,      0 ) /* done, the vehicle is still there       */
// clang-format on

#define PW_SESSION_ID2(name, text) PW_STATUS_##name,
enum pw_session_status { PW_SESSION_STATUSES(PW_SESSION_ID2) PW_STATUS_ROWS };
#undef PW_SESSION_ID2
#define PW_SESSION_ID2(name, text) PW_REASON_##name,
enum pw_session_reason { PW_SESSION_REASONS(PW_SESSION_ID2) PW_REASON_ROWS };
#undef PW_SESSION_ID2
#define PW_SESSION_ID4(name, text, permit, transaction) PW_PHASE_##name,
enum pw_session_phase { PW_SESSION_PHASES(PW_SESSION_ID4) PW_PHASE_ROWS };
#undef PW_SESSION_ID4

const char *pw_session_status_name(enum pw_session_status status);
const char *pw_session_reason_name(enum pw_session_reason reason); // "" for NONE
const char *pw_session_phase_name(enum pw_session_phase phase);

// Who let the charge begin.
enum pw_session_start { PW_START_CARD, PW_START_REMOTE, PW_START_LOCAL, PW_START_FREE };

// Zero means the default unless said otherwise.
struct pw_session_config {
    uint32_t connection_timeout_ms; // from card to plug; 0: no limit (OCPP ConnectionTimeOut)
    // From plug to card, where somebody else's card could be taken for this vehicle: then Finishing
    // (erratum 3.20 of OCPP 1.6). 0: no limit.
    uint32_t abandon_ms;
    uint32_t fault_patience_ms; // a fault longer than this ends the transaction; default 120000
    bool keep_when_full;        // a full battery leaves the transaction open (SuspendedEV)
    bool keep_when_unplugged;   // StopTransactionOnEVSideDisconnect = false
};

// What the hardware says, each turn.
struct pw_session_input {
    bool plugged;
    bool off;             // contactor open and no current: safe to call the charge over
    bool paused_ev;       // the vehicle takes nothing
    bool paused_evse;     // the station gives nothing (limit 0, temperature, its own pause)
    bool full;            // the vehicle has ended the charge by itself
    bool fault;           // the connector cannot charge
    bool emergency;       // somebody pressed emergency stop
    uint64_t energy_mwh;  // lifetime register
    uint64_t pending_mwh; // has flowed, and is not in the register yet: counts for the limit
    int32_t soc_permille; // -1: unknown
};

// What the session asks of those above, in order. Take until there is none.
enum pw_session_event_kind {
    PW_SESSION_BEGIN,   // record the start, then call pw_session_recorded
    PW_SESSION_END,     // the power is off: record the stop with `reason`
    PW_SESSION_TIMEOUT, // nobody plugged in in time; the authorisation is void
    PW_SESSION_CHANGED, // availability that was scheduled is in force now
};

struct pw_session_event {
    enum pw_session_event_kind kind;
    pw_ms at;                          // when it happened
    enum pw_session_reason reason;     // END
    enum pw_session_start by;          // BEGIN
    char id_tag[PW_SESSION_TAG_MAX];   // BEGIN: who starts
    char stop_tag[PW_SESSION_TAG_MAX]; // END: who stopped; "" when nobody presented a card
    uint64_t energy_mwh;               // register at the start or at the end
    int32_t soc_permille;              // -1: unknown
};

#define PW_SESSION_EVENTS_MAX 8
PW_RING_DEF(pw_session_events, struct pw_session_event, PW_SESSION_EVENTS_MAX);

// What a charge may use before it stops by itself; 0: no limit.
struct pw_session_limits {
    uint64_t energy_mwh;
    uint64_t time_ms;
    int32_t soc_permille;
};

struct pw_session {
    struct pw_session_config config;
    const struct pw_log *log;
    uint8_t connector_id;
    enum pw_session_phase phase;
    pw_ms since;                // of the phase
    struct pw_session_input in; // as of the last step
    enum pw_session_start by;
    char id_tag[PW_SESSION_TAG_MAX];
    char stop_tag[PW_SESSION_TAG_MAX];
    char free_tag[PW_SESSION_TAG_MAX]; // plug and charge; "": off
    enum pw_session_reason reason;
    struct pw_session_limits limits;
    uint64_t start_mwh;
    pw_ms started_at;
    uint64_t ran_ms;    // before started_at: a transaction taken over after a restart
    pw_ms resume_until; // the vehicle of such a transaction must be seen before; PW_NEVER: it was
    pw_ms fault_since;  // PW_NEVER: none
    bool recorded;      // the start is on stable storage
    bool refused;       // ... or cannot be
    bool suspended;     // the station withholds energy (StopTransactionOnInvalidId = false)
    uint64_t allowance_mwh; // ... once the charge has used so much; 0: no such allowance
    bool reserved;          // kept free for somebody: shown while nobody may charge
    bool abandoned;         // FINISHING because nobody came: who names this connector may begin
    bool inoperative;       // ChangeAvailability in force
    bool inoperative_next;  // what comes when the transaction has ended
    struct pw_session_events events;
};

// `config` is copied. `log` may be NULL.
void pw_session_init(struct pw_session *session, uint8_t connector_id,
                     const struct pw_session_config *config, const struct pw_log *log, pw_ms now);
// Takes settings that changed while running.
void pw_session_configure(struct pw_session *session, const struct pw_session_config *config);

// Somebody may charge here: with a vehicle there the start is asked to be recorded, without one the
// plug is awaited. PW_ERR_BUSY: charging, starting, ending, unavailable or faulted; PW_ERR_RANGE:
// the tag is empty or longer than 20 characters. Nothing changes on error.
PW_MUST_USE int pw_session_authorise(struct pw_session *session, struct pw_str id_tag,
                                     enum pw_session_start by, pw_ms now);
// Plug and charge: from now on every vehicle that is plugged in, or waits, charges under this
// idTag; empty: somebody must authorise. PW_ERR_RANGE when it is longer than 20 characters.
PW_MUST_USE int pw_session_free(struct pw_session *session, struct pw_str id_tag);
// Sets what the next or the running charge may use. Cleared when a charge is over.
void pw_session_limit(struct pw_session *session, struct pw_session_limits limits);

// The answer to BEGIN: the start is on stable storage (ok) or cannot be. Late, twice or unasked is
// ignored.
void pw_session_recorded(struct pw_session *session, bool ok, pw_ms now);

// Ends the charge (or gives the authorisation back). `stop_tag` names the card that did it, empty
// for none. PW_ERR_BUSY when there is nothing to stop.
PW_MUST_USE int pw_session_stop(struct pw_session *session, enum pw_session_reason reason,
                                struct pw_str stop_tag, pw_ms now);

// The card holder was refused after the start and the settings want no stop: energy is withheld.
void pw_session_suspend(struct pw_session *session, bool on);
// The same, as soon as the whole charge has used so much (MaxEnergyOnInvalidId).
void pw_session_suspend_after(struct pw_session *session, uint64_t used_mwh);

// The connector is kept free for somebody, or no longer. It changes the status while nobody is let
// charge, and no charge begins freely meanwhile; whoever authorises has looked for himself.
void pw_session_reserve(struct pw_session *session, bool on);

// ChangeAvailability. Returns true when it is in force now, false when it waits for the
// transaction.
bool pw_session_set_operative(struct pw_session *session, bool operative, pw_ms now);

// After a restart: goes on with a transaction the journal knows. Only from a fresh session.
// start_mwh is the register at its start, elapsed_ms how long it has run. The vehicle must be seen
// within PW_SESSION_RESUME_MS or the transaction ends with PowerLoss.
PW_MUST_USE int pw_session_resume(struct pw_session *session, struct pw_str id_tag,
                                  uint64_t start_mwh, uint64_t elapsed_ms, pw_ms now);
#define PW_SESSION_RESUME_MS 60000

// One turn. Returns when it wants to be called again at the latest.
pw_ms pw_session_step(struct pw_session *session, const struct pw_session_input *in, pw_ms now);

// Energy may flow, as far as the session is concerned.
bool pw_session_permit(const struct pw_session *session);
// There is a transaction (BEGINNING, ACTIVE, ENDING).
bool pw_session_in_transaction(const struct pw_session *session);
// What OCPP calls the connector's condition now: a table over phase and hardware.
enum pw_session_status pw_session_status(const struct pw_session *session);
// Energy of the running or last charge, from its start.
uint64_t pw_session_energy_mwh(const struct pw_session *session);
// The same with what is not in the register yet: what the energy limit looks at.
uint64_t pw_session_used_mwh(const struct pw_session *session);
// How long the transaction has run; 0 without one.
uint64_t pw_session_time_ms(const struct pw_session *session, pw_ms now);

bool pw_session_take(struct pw_session *session, struct pw_session_event *event);

#endif
