// outlet: one AC connector of a station. It joins what its board senses to the IEC 61851-1 machine
// (core/evse), the arithmetic of its analog inputs (core/analog), the registers (core/mains), its
// limits and its session, and says what the board shall drive. Receiving only stores;
// pw_outlet_step decides. Every call costs a bounded time. Sources: facts/ac-evse-rapi-load.md §1,
// facts/reliability.md §7.1.
#ifndef PW_OUTLET_H
#define PW_OUTLET_H

#include "analog/analog.h"
#include "board/board.h"
#include "evse/evse.h"
#include "limits/limits.h"
#include "mains/mains.h"
#include "session/session.h"

// The fields the station fills from its settings.
struct pw_outlet_config {
    uint8_t connector_id; // from 1
    int32_t rated_ma;     // of each phase, for which it was built; 6000..80000
    int32_t max_ma;       // of each phase, as its owner allows; 0..rated_ma
    int32_t min_ma;       // with less than that nothing is offered; 0: 6000, the least there is
    bool external_meter;  // readings come by pw_outlet_mains; the board's own count no more
    bool keep_lock;       // a vehicle that unplugs leaves its cable locked in the socket
                          // (without it only the cable of a refused card stays, until the vehicle
                          // unplugs)
    int32_t meter_patience_ms; // a meter silent this long pauses the charge; 0: 10000
    struct pw_evse_config evse;
    struct pw_mains_config mains;
    struct pw_session_config session;
};

// What the board said of itself. All zero is the plainest: 1 ppm steps, everything fitted, values
// ready made.
struct pw_outlet_board {
    struct pw_board_traits traits;
    struct pw_analog_config analog; // of blocks
};

// Everything a report may want beyond the machine's own fields. A copy.
struct pw_outlet_view {
    struct pw_mains_view mains;
    const char *pilot; // "A1" ... "F"; a literal
    int32_t offered_ma;
    int32_t temp_dc; // hotter probe; INT32_MIN: unknown
    bool live;       // contactor told to close, or read as closed
    bool meter_late; // a vehicle is there, and the meter is silent or lies
};

struct pw_outlet {
    struct pw_outlet_config config;
    struct pw_outlet_board board;
    const struct pw_log *log;
    struct pw_evse evse;
    struct pw_analog analog;
    struct pw_mains mains;
    struct pw_limits limits;
    struct pw_session session;
    struct pw_board_senses senses;  // last of the board, with its blocks worked in
    pw_ms said_at;                  // when it last gave senses, not blocks; PW_NEVER: not yet
    bool renewed;                   // the board began anew: the machine sees one turn of silence
    struct pw_board_mains external; // last of the other meter; at PW_NEVER: none
    struct pw_board_mains counted;  // last given to the registers
    pw_ms unseen_since;             // a vehicle was there, and whether it still is cannot be seen
    bool panel_estop;               // pressed elsewhere
    char held_tag[PW_SESSION_TAG_MAX]; // whose cable stays locked after the charge; "": nobody's
    bool refused;                      // the card of the charge that ended was
    struct pw_board_drive driven;      // last taken by the board
    bool driven_once;
    uint32_t kept_latched; // as last saved
};

// PW_ERR_RANGE with one sentence in *why (may be NULL) naming field, value and allowed range; the
// outlet must not be used then.
PW_MUST_USE int pw_outlet_init(struct pw_outlet *outlet, const struct pw_outlet_config *config,
                               const struct pw_log *log, pw_ms now, struct pw_out *why);
// Settings that changed while running. Errors as init; nothing changes then.
PW_MUST_USE int pw_outlet_configure(struct pw_outlet *outlet, const struct pw_outlet_config *config,
                                    struct pw_out *why, pw_ms now);
// What the board is, once it is known, and again when it changes or begins anew: nobody knows what
// it did meanwhile, so the machine takes it for lost, opens, and has it prove itself again.
// PW_ERR_RANGE for a calibration or traits that cannot be; nothing changes then.
PW_MUST_USE int pw_outlet_board(struct pw_outlet *outlet, const struct pw_outlet_board *board,
                                struct pw_out *why);

// From the board and the other meter. Only store.
void pw_outlet_senses(struct pw_outlet *outlet, const struct pw_board_senses *senses, pw_ms now);
void pw_outlet_block(struct pw_outlet *outlet, const struct pw_board_block *block, pw_ms now);
void pw_outlet_mains(struct pw_outlet *outlet, const struct pw_board_mains *mains, pw_ms now);
// An emergency stop pressed elsewhere (panel, console). Held as long as `pressed`. Returns whether
// it was held before.
bool pw_outlet_estop(struct pw_outlet *outlet, bool pressed);

// One turn; call it after every input or request and at its deadline. Returns the next deadline.
pw_ms pw_outlet_step(struct pw_outlet *outlet, pw_ms now);

// What the board shall drive, when that has changed since it was last taken. A board repeats it to
// its hardware as long as turns are kept.
bool pw_outlet_take_drive(struct pw_outlet *outlet, struct pw_board_drive *drive);

// UnlockConnector. PW_OK: the lock is open; PW_ERR_AGAIN: the charge ends first, or it is moving;
// PW_ERR_UNKNOWN: there is no lock; PW_ERR_BUSY: it does not open.
PW_MUST_USE int pw_outlet_unlock(struct pw_outlet *outlet, pw_ms now);

bool pw_outlet_keep_due(const struct pw_outlet *outlet, pw_ms now);

void pw_outlet_view(const struct pw_outlet *outlet, struct pw_outlet_view *view, pw_ms now);

#endif
