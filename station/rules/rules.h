// rules: when a charge may run, on its own and until when. Plug and charge or controlled; switched
// on, off or to sleep; delay timer and weekly plan; "charge now"; what a charge may use; and what
// ends a charge that nobody needs any more. It never switches anything: it speaks to the session
// (who may begin, when to end, out of service) and to the limit stack (row SCHEDULE, 0 or nothing).
// It can only withhold current, never raise it.
//
//   cause                               effect                          OCPP 1.6 reason
//   charging.enable off                 out of service, a charge ends   Local (switched off here)
//   charging.enable sleep, plan, timer  SCHEDULE 0 ("SuspendedEVSE")    none: the charge goes on
//   time, energy or SOC used up         the charge ends                 Local (its owner's wish)
//   idle (controlled)                   the charge ends                 Other
//   draws more than is offered          the charge ends, with a fault   Other
//
// A clock that is not set: while a timer or a plan holds, a vehicle waits for it PW_RULES_CLOCK_MS
// after the start, since it usually comes within seconds and a charge begun and paused again wears
// the contactor. Then the timer and the plan do not count until somebody tells the time: an empty
// battery in the morning is worse than a dear night. A clock that jumps is believed at once.
//
// Sources: facts/ac-evse-rapi-load.md §3.1 (set_enable, set_plugandcharge, set_nwpc, set_adjust,
// set_t_limit, set_e_limit), §3.2 (timers 1 to 3), §6 items 15, 16; OCPP 1.6 edition 2 §7.36.
#ifndef PW_RULES_H
#define PW_RULES_H

#include "connector/connector.h"
#include "schedule/schedule.h"
#include "settings/settings.h"

enum {
    PW_RULES_CLOCK_MS = 600000,  // a vehicle waits so long after the start for the clock to be set
    PW_RULES_AWAY_MS = 60000,    // broker and central are away so long before it counts
    PW_RULES_IDLE_MA = 500,      // a vehicle that draws less is idle
    PW_RULES_OVER_MA = 500,      // it draws too much above the offer and this ...
    PW_RULES_OVER_PERMILLE = 20, // ... and so much of the offer, which is what meters may be wrong
    PW_RULES_TEXT_MAX = 64,
};

// How a charge begins.
// clang-format off
#define PW_RULES_MODES(X)                                        \
    X(CONTROLLED, "controlled")                                  \
    X(PLUG,       "plug and charge")                             \
    X(OFFLINE,    "plug and charge while nobody can be reached")
// What holds a charge back; the upper counts when several do.
#define PW_RULES_HOLDS(X)                                        \
    X(NOTHING,  "")                                              \
    X(OFF,      "switched off")                                  \
    X(SLEEP,    "switched to sleep")                             \
    X(NO_CLOCK, "waits for the clock to be set")                 \
    X(SCHEDULE, "waits for its time")
// clang-format on
#define PW_RULES_ID(name, text) PW_RULES_##name,
enum pw_rules_mode { PW_RULES_MODES(PW_RULES_ID) PW_RULES_MODE_ROWS };
enum pw_rules_hold { PW_RULES_HOLDS(PW_RULES_ID) PW_RULES_HOLD_ROWS };
#undef PW_RULES_ID

const char *pw_rules_mode_text(enum pw_rules_mode mode);
const char *pw_rules_hold_text(enum pw_rules_hold hold); // "" for NOTHING

// What a charge may use.
enum pw_rules_use { PW_RULES_ENERGY, PW_RULES_TIME, PW_RULES_SOC, PW_RULES_USES };

// Where names of time zones ("Europe/Ljubljana") come from. Writes the POSIX string to *posix, or
// returns an error with one sentence in *why. Called while settings are read or set.
struct pw_rules_zones {
    void *context;
    int (*find)(void *context, struct pw_str name, struct pw_out *posix, struct pw_out *why);
};

// Everything borrowed, for good. `zones` may be NULL: then only POSIX strings are known.
struct pw_rules_parts {
    const struct pw_settings *settings;
    struct pw_connector *connector;
    unsigned connectors;
    const struct pw_rules_zones *zones;
    const struct pw_log *log;
};

// What the turn brings.
struct pw_rules_input {
    pw_unix_ms wall; // 0: unknown
    bool reached;    // a broker or a central system can be reached
    // Out of service by ChangeAvailability or by hand, each connector.
    bool inoperative[PW_CONNECTORS_MAX];
};

struct pw_rules_connector {
    bool now;                     // "charge now": timer and plan do not count
    int64_t asked[PW_RULES_USES]; // of this charge: Wh, seconds, permille; 0: no limit
    bool given[PW_RULES_USES];    // it was asked for at all
    bool charge;                  // there is an authorisation or a transaction
    bool drawn;                   // this charge has had current
    bool over;                    // it was stopped for drawing too much
    bool cut;                     // it was ended by "off", and may go on with "on"
    pw_ms gone_since;             // no vehicle; PW_NEVER: there is one
    pw_ms idle_since;             // PW_NEVER: not idle
    pw_ms over_since;             // PW_NEVER: within the offer
    pw_ms held_since;             // the schedule holds this charge; PW_NEVER: it does not
    uint64_t held_ms;             // ... and has before
    enum pw_rules_hold hold;      // as the limit stack has it
};

struct pw_rules {
    struct pw_rules_parts parts;
    struct pw_schedule schedule;
    pw_ms started_at;
    pw_unix_ms wall;    // of the last step
    pw_unix_ms from_at; // `answer` counts from here to its end; 0: none yet
    struct pw_schedule_answer answer;
    pw_ms away_since; // nobody can be reached; PW_NEVER: somebody can
    enum pw_rules_mode mode;
    enum pw_rules_hold hold; // of the whole station
    struct pw_rules_connector of[PW_CONNECTORS_MAX];
};

// PW_ERR_RANGE with one sentence in *why when the settings of the schedule cannot be read; the
// rules must not be used then.
PW_MUST_USE int pw_rules_init(struct pw_rules *rules, const struct pw_rules_parts *parts,
                              struct pw_out *why, pw_ms now);
// Before the first step: "charge now" was in force when the program ended. It still is when a
// vehicle is seen within PW_SESSION_RESUME_MS; whether it is another one cannot be told.
void pw_rules_restore(struct pw_rules *rules, unsigned index, pw_ms now);
// Takes settings that changed. Errors as init; the schedule stays as it was then.
PW_MUST_USE int pw_rules_configure(struct pw_rules *rules, struct pw_out *why);
// What schedule.* settings must be beyond their rows; others are PW_OK. For whoever sets one,
// before pw_settings_set. PW_ERR_RANGE with one sentence in *why (may be NULL).
PW_MUST_USE int pw_rules_check_setting(const struct pw_rules_zones *zones, enum pw_setting_id id,
                                       struct pw_str value, struct pw_out *why);

// One turn, before the connectors'. Returns when it wants to be called again at the latest.
pw_ms pw_rules_step(struct pw_rules *rules, const struct pw_rules_input *in, pw_ms now);

// "Charge now": timer and plan do not count on this connector (index from 0) until its vehicle has
// been away for charging.stop_unplugged_s, or until it is taken back. It starts no charge, and does
// nothing against off and sleep. PW_ERR_BUSY without a vehicle, or when nothing of the schedule is
// set.
PW_MUST_USE int pw_rules_charge_now(struct pw_rules *rules, unsigned index, bool on,
                                    struct pw_out *why);

// What the running or the next charge may use, instead of the settings'. `value` in Wh, seconds,
// permille; 0: no limit for this charge, whatever the settings say. Forgotten with its end. The
// time does not count while the schedule holds the charge.
void pw_rules_limit(struct pw_rules *rules, unsigned index, enum pw_rules_use use, int64_t value);
// What counts for it now: asked for, else the settings'.
int64_t pw_rules_limit_of(const struct pw_rules *rules, unsigned index, enum pw_rules_use use);

// All settings of the schedule at once; errors as above, with the setting's path.
PW_MUST_USE int pw_rules_check(const struct pw_rules_zones *zones,
                               const struct pw_settings *settings, struct pw_out *why);

// Limits from outside count (charging.remote_adjust). Without, the rows OCPP and CLAIM are taken
// away, and who wants to set one is to be refused; a load group's (LOAD) runs out as its lease does
// and leaves the fall-back that was agreed, so that no fuse carries more than it was promised.
bool pw_rules_adjustable(const struct pw_rules *rules);
// The fault of a connector that the rules have found; false when there is none.
bool pw_rules_fault(const struct pw_rules *rules, unsigned index, struct pw_connector_fault *fault);
// charging.enable is off: every connector is out of service, whatever ChangeAvailability says.
bool pw_rules_is_off(const struct pw_rules *rules);

// A limit and what is left of it: Wh, seconds, permille.
struct pw_rules_left {
    int64_t limit; // 0: none
    int64_t used;  // -1: unknown (SOC)
    int64_t left;  // 0 or more; -1: no limit, or unknown
};

// For page, display, MQTT, HTTP and the console. Texts are literals, but for `text`.
struct pw_rules_view {
    enum pw_rules_mode mode;
    enum pw_rules_hold hold;
    const char *why;              // why nothing may flow now; ""
    char text[PW_RULES_TEXT_MAX]; // the same with a time: "waits for 23:00", or "until 06:00"; ""
    bool held;                    // a timer or plan is set
    bool now;                     // "charge now" is in force
    bool clock;                   // the time is known
    pw_unix_ms changes_at;        // the schedule's next change; 0: none, or not known
    struct pw_rules_left energy;
    struct pw_rules_left time;
    struct pw_rules_left soc;
    bool over; // the vehicle drew more than was offered and was stopped
};

void pw_rules_view(const struct pw_rules *rules, unsigned index, struct pw_rules_view *view,
                   pw_ms now);

#endif
