// rollouts: a release brought to many stations, a few first. Each roll-out goes through stages; a
// stage lets more stations begin, and is over when they have ended and a time to watch has passed.
// Too many failures in a stage stop it. Everything that counts is in the database before anything
// is sent, so that this program may end at any moment. Sources: facts/reliability.md F19, F32.
#ifndef PW_CENTRAL_ROLLOUTS_H
#define PW_CENTRAL_ROLLOUTS_H

#include "bodies.h"

#define ROLLOUTS_OPEN_MAX  64 // that are not over
#define ROLLOUT_STAGES_MAX 8
#define ROLLOUT_NAME_CHARS 64
#define ROLLOUT_NAME_MAX   257
#define ROLLOUT_WHY_MAX    200
#define ROLLOUT_TRIES_MAX  3      // commands without an answer
#define ROLLOUT_LOOK_MS    1000   // how often one is looked at when nothing happens
#define ROLLOUT_SETTLE_MS  600000 // so long on trial, and online: it has the version for good
#define ROLLOUT_ANSWER_MS  120000 // a station that was asked says something, or is asked again

#define ROLLOUT_KINDS_MAX      64 // the last one is of all others
#define ROLLOUT_KIND_MAX       (2 * TEXT20_MAX + TEXT50_MAX + 64)
#define COMMAND_AGREED         (-1) // struct member's command: its station has said yes
#define COMMAND_TO_SEND        (-2)
#define CANARY_FAILURES_MAX    10
#define CANARY_BAD_PERCENT     5  // of the stations: a fault this common is to be in the canary …
#define CANARY_SURE_PERCENT    95 // … with this probability
#define ROLLOUT_CANARY_BY_SIZE UINT32_MAX

#define ROLLOUT_STATES(X)                                                                          \
    X(RUNNING, "running")                                                                          \
    X(PAUSED, "paused")       /* no station begins; those that have go on */                       \
    X(STOPPED, "stopped")     /* by itself: too many failures. As paused */                        \
    X(CANCELLED, "cancelled") /* for good */                                                       \
    X(FINISHED, "finished")

// How a station stands. `begun`: it counts as one of its stage; `busy`: it has not ended.
//     name, word, begun, busy
#define STEPS(X)                                                                                   \
    X(WAITING, "waiting", false, false)     /* for its turn, or for its link */                    \
    X(ASKED, "asked", true, true)           /* told to update; it has said nothing yet */          \
    X(LOADING, "downloading", true, true)   /* */                                                  \
    X(LOADED, "downloaded", true, true)     /* it waits for the end of its charges */              \
    X(INSTALLING, "installing", true, true) /* */                                                  \
    X(TRIED, "on trial", true, true)        /* back with the version, or about to be */            \
    X(DONE, "done", true, false)            /* */                                                  \
    X(FAILED, "failed", true, false)        /* why */                                              \
    X(HAD, "has it", false, false)          /* it had the version before */                        \
    X(GONE, "gone", false, false)           /* the station was removed */

#define ROLLOUT_STATE_ID(name, word)     ROLLOUT_##name,
#define STEP_ID(name, word, begun, busy) STEP_##name,
enum rollout_state { ROLLOUT_STATES(ROLLOUT_STATE_ID) ROLLOUT_STATE_ROWS };
enum step { STEPS(STEP_ID) STEP_ROWS };
#undef ROLLOUT_STATE_ID
#undef STEP_ID

enum way { WAY_AUTO, WAY_OCPP, WAY_LINK, WAYS }; // AUTO: OCPP where it is online, else the link

struct rollout;

// Stations that a release should treat alike: maker, model, version, what it charges with.
struct kind {
    char name[ROLLOUT_KIND_MAX];
    uint32_t stations;
};

struct member {
    struct rollout *rollout;
    char station[PW_CENTRAL_STATION_MAX + 1];
    enum step step;
    uint8_t kind;     // of the roll-out's
    uint32_t place;   // its turn, from 1; 0: it has none
    uint8_t stage;    // in which it began
    enum way way;     // by which it was asked
    uint8_t tries;    // commands that had no answer
    pw_unix_ms since; // of the step
    pw_unix_ms began_at;
    pw_unix_ms ended_at;
    char was[PW_RELEASE_VERSION_MAX * 2]; // the version it had
    char why[ROLLOUT_WHY_MAX];
    int64_t command; // whose answer is waited for; 0: none, or one of COMMAND_. Not kept
    int64_t request; // requestId of SignedUpdateFirmware; 0: it was asked otherwise
    bool plain;      // it does not know SignedUpdateFirmware. Not kept
    // How long it has been under way without charging. Kept now and then: what a restart of this
    // program forgets is in the station's favour.
    pw_ms spent_ms;
    pw_ms spent_kept_ms;
    struct push *push; // over the station link; NULL: none. Not kept
};

struct rollout {
    int64_t id;
    char name[ROLLOUT_NAME_MAX];
    int64_t release;
    char version[PW_RELEASE_VERSION_MAX];
    enum rollout_state state;
    char why[ROLLOUT_WHY_MAX];
    enum way way;
    uint32_t canary;                     // stations of stage 0; 0: it goes straight to stage 1
    uint8_t canary_failures;             // so many of them may fail
    uint8_t canary_finds_percent;        // see canary_finds_percent()
    uint8_t percent[ROLLOUT_STAGES_MAX]; // of stage 1 and after, rising, the last one 100
    uint8_t stages;                      // with the canary's
    uint32_t soak_s;
    uint32_t at_most;     // busy at once
    uint8_t stop_percent; // more failures than this of a stage's stations stop it; 100: never
    uint32_t stop_count;  // so many failures in a stage stop it; 0: not looked at
    uint32_t deadline_s;  // so long after it was asked, without its charges, a station has failed
    uint8_t stage;
    pw_unix_ms soak_until; // 0: its stations have not all ended
    pw_unix_ms made_at;
    pw_unix_ms changed_at;
    char made_by[65];
    struct member *member; // ordered by id
    struct member **turn;  // the same, ordered by place
    size_t members;
    struct kind kind[ROLLOUT_KINDS_MAX];
    uint8_t kinds;
    pw_ms look_at;
    pw_ms looked; // 0: not yet
    bool told;    // something changed since the pages were told
};

struct rollouts {
    struct rollout *open[ROLLOUTS_OPEN_MAX];
    size_t count;
    struct push *push; // firmware.c
    // Both clocks as they were last seen: times move with the wall clock when it is set.
    pw_ms seen_now;
    pw_unix_ms seen_wall; // 0: not yet
};

struct tally {
    uint32_t steps[STEP_ROWS];
    uint32_t begun;
    uint32_t busy;
    uint32_t begun_now; // in the present stage
    uint32_t failed;    // of these
    uint32_t total;     // without those that had it, or are gone
};

extern const char *const rollout_state_names[ROLLOUT_STATE_ROWS];
extern const char *const step_names[STEP_ROWS];
extern const char *const way_names[WAYS];

// --- rollouts.c

PW_MUST_USE int rollouts_load(struct pw_central *central, pw_ms now);
void rollouts_free(struct pw_central *central);
struct rollout *rollout_find(const struct pw_central *central, int64_t id);
// Where a station takes part; NULL when in none that is not over.
struct member *member_of(const struct pw_central *central, const struct station *station);
struct rollout *rollout_make(size_t members);
void rollout_free(struct rollout *rollout);
// Writes a new one with its members and commits. PW_ERR_LIMIT when too many are open, PW_ERR_STORE.
PW_MUST_USE int rollout_open(struct pw_central *central, struct rollout *rollout,
                             struct pw_instant at);
void rollout_keep(struct pw_central *central, struct rollout *rollout, struct pw_instant at);
void member_keep(struct pw_central *central, struct member *member, struct pw_instant at);
void rollout_state_set(struct pw_central *central, struct rollout *rollout,
                       enum rollout_state state, const char *why, struct pw_instant at);
// Takes one that is over out of memory.
void rollout_close(struct pw_central *central, struct rollout *rollout, struct pw_instant at);
struct tally rollout_tally(const struct rollout *rollout);
// Stations that may have begun by the end of a stage.
uint32_t rollout_quota(const struct rollout *rollout, unsigned stage, uint32_t total);
void rollout_report(const struct rollout *rollout, struct pw_json_writer *json);

// --- rollout_plan.c

// The probability in whole percent, rounded down, that among `canary` of `total` stations are more
// than `failures` (0 to CANARY_FAILURES_MAX) bad ones when CANARY_BAD_PERCENT of all, but at least
// one, are bad: the hypergeometric distribution, in integers.
uint8_t canary_finds_percent(uint32_t total, uint32_t canary, uint8_t failures);
// The smallest canary for which that is CANARY_SURE_PERCENT, but no more than a third of the
// stations; then one of each kind, but no more than half of them.
uint32_t canary_usual(uint32_t total, uint32_t kinds, uint8_t failures);
// Finds the kind with this name, or makes it; the last one when there are too many.
uint8_t rollout_kind(struct rollout *rollout, const char *name);
// Says what kind each member is of, and in which order they have their turns: spread over the kinds
// and, within a kind, by a hash of the station's id and `salt`, so that neighbours in a list, who
// stand at one place or were delivered together, are no sample. The same for the same input.
// Sets the canary where it is ROLLOUT_CANARY_BY_SIZE. PW_ERR_LIMIT without memory.
PW_MUST_USE int rollout_plan(const struct pw_central *central, struct rollout *rollout,
                             struct pw_str salt);
// Orders the turns by the members' places.
void rollout_order(struct rollout *rollout);
// The kinds of one that has not begun, as a list's objects.
void rollout_kinds_report(const struct rollout *rollout, struct pw_json_writer *json);
// How many stations of the present stage may have begun by now, all stages before included.
uint32_t rollout_room(const struct rollout *rollout, const struct tally *tally);

// --- rollout_run.c

pw_ms rollouts_step(struct pw_central *central, struct pw_instant at);
// One setter: the step, why and since when; kept, logged and told.
void member_enter(struct pw_central *central, struct member *member, enum step step,
                  const char *why, struct pw_instant at);
// A status that the station told; `why` may be empty. `request` is the requestId, 0 for the status
// of an UpdateFirmware, -1 when it is not told: one of another update than the roll-out's is passed
// by.
void member_told(struct pw_central *central, const struct station *station, struct pw_str status,
                 struct pw_str why, int64_t request, struct pw_instant at);
// The station has started, with this version.
void member_started(struct pw_central *central, const struct station *station,
                    struct pw_instant at);
// The station's answer to a command, `refusal` NULL when it agreed; and one that had none, or an
// error: `state` as of command_end; `sent`: it had left.
void member_answered(struct pw_central *central, const struct station *station, int64_t command,
                     const char *refusal, struct pw_instant at);
// Its answer to a command, before it ends: that it knows no such message.
void member_knows_not(const struct pw_central *central, const struct station *station,
                      int64_t command);
void rollouts_unanswered(struct pw_central *central, int64_t command, const char *state, bool sent,
                         struct pw_instant at);
// Failed ones wait again, and the roll-out goes on.
void rollout_retry(struct pw_central *central, struct rollout *rollout, struct pw_instant at);

// --- firmware.c: a release over the station link.

// Begins, or goes on where the station's part ends. False without a link or memory.
bool push_begin(struct pw_central *central, struct member *member, struct pw_instant at);
void push_end(struct pw_central *central, struct member *member);
void push_free(struct pw_central *central);

#endif
