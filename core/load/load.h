// load: who of many connectors gets how much current. Two parts, both pure.
//
// The allocator shares milliampere over members (connectors of stations) on three phases under a
// tree of circuits: keep-active → shed → activate → minimums → fair fill → left-over → probe, with
// priorities, turns under scarcity and a reason for each member. The same input gives the same
// result whatever the order of the members.
//
// The orders remember what each member was told and what it may take at worst meanwhile: reductions
// before increases, leases, fail-safe. A raise is handed out only as far as what everybody else
// holds leaves room, so that the sum stays within every limit at every moment in between.
//
// Sources: facts/ac-evse-rapi-load.md §3.5, §3.6 (stages, hysteresis, invariants), facts/central.md
// §6.1 (water-filling, reductions first, who is offline); IEC 61851-1 Annex A: 6 A is the least
// that can be offered, and a vehicle follows within 5 s.
#ifndef PW_LOAD_H
#define PW_LOAD_H

#include "base/base.h"

#define PW_LOAD_PHASES     3
#define PW_LOAD_ALL_PHASES 7U         // bits of all mains phases
#define PW_LOAD_PRIORITIES 10         // 0..9, 9 is served first
#define PW_LOAD_STARTS     8          // most starts an hour that can be asked for
#define PW_LOAD_NONE       UINT16_MAX // no circuit: the parent of a root
#define PW_LOAD_STEP_MA    100        // offers are whole steps
#define PW_LOAD_MIN_MA     6000       // least current that can be offered
#define PW_LOAD_MAX_MA     1000000    // most current of a member or circuit

// ---------------------------------------------------------------------------------------------
// What is to be shared.

// Zero means the default.
struct pw_load_config {
    uint32_t rotation_ms; // a turn while others wait; default 900000
    uint32_t min_on_ms;   // an offer is kept at least so long unless limits fall; default 150000
    uint32_t min_off_ms;  // pause before an offer comes back; default 60000
    uint32_t starts_hour; // starts of one member an hour, 1..PW_LOAD_STARTS; default 6
    uint32_t settle_ms;   // from an offer to a draw that counts; default 30000
    uint32_t asleep_ms;   // no draw for so long: full or asleep; default 120000
    uint32_t probe_ms;    // who gave up current is offered more again after; default 600000
    int32_t margin_ma;    // offered above what a vehicle draws; default 1000
};

struct pw_load_circuit {
    uint16_t parent;                  // index below its own, or PW_LOAD_NONE
    int32_t limit_ma[PW_LOAD_PHASES]; // 0..PW_LOAD_MAX_MA
    // What flows through this fuse besides the members below it, as measured (or assumed, when the
    // measurement is too old). Below zero (export) counts as nothing.
    int32_t other_ma[PW_LOAD_PHASES];
};

// Which phase of the mains the connector's L1, L2, L3 hang on; words as OCPP 1.6 §9.1.8
// (ConnectorPhaseRotation).
// clang-format off
#define PW_LOAD_ROTATIONS(X)           \
    X(RST,     "RST",     0, 1, 2)     \
    X(RTS,     "RTS",     0, 2, 1)     \
    X(SRT,     "SRT",     1, 0, 2)     \
    X(STR,     "STR",     1, 2, 0)     \
    X(TRS,     "TRS",     2, 0, 1)     \
    X(TSR,     "TSR",     2, 1, 0)     \
    X(UNKNOWN, "Unknown", 0, 1, 2)     /* every use costs all three */
// clang-format on

#define PW_LOAD_ID(name, text, a, b, c) PW_LOAD_##name,
enum pw_load_rotation { PW_LOAD_ROTATIONS(PW_LOAD_ID) PW_LOAD_ROTATION_COUNT };
#undef PW_LOAD_ID

const char *pw_load_rotation_name(enum pw_load_rotation rotation);
// PW_ERR_UNKNOWN when the text is none of the words.
PW_MUST_USE int pw_load_rotation_find(struct pw_str text);
// Bits of the mains phases (1: L1, 2: L2, 4: L3) that a vehicle on these connector phases loads.
// No connector phases (unknown) or an unknown rotation cost all three; three-phase always does.
unsigned pw_load_mains(unsigned connector_phases, enum pw_load_rotation rotation);

// One connector, as it is now.
struct pw_load_member {
    uint32_t id;      // stable and unique: decides between equals
    uint16_t circuit; // index
    uint8_t priority; // 0..PW_LOAD_PRIORITIES - 1
    uint8_t phases;   // connector phases the vehicle uses, bits as above; 0: not known
    enum pw_load_rotation rotation;
    int32_t min_ma;      // PW_LOAD_MIN_MA..max_ma
    int32_t max_ma;      // ..PW_LOAD_MAX_MA; both whole steps
    bool reachable;      // takes orders now
    bool wants;          // a vehicle is there and would charge
    int32_t told_ma;     // what its newest order says
    int32_t held_ma;     // the most it may take until told otherwise (pw_load_order_held)
    bool failsafe;       // held_ma is its fail-safe limit, no lease runs
    int32_t measured_ma; // highest phase drawn; -1: not known
    int64_t energy_mwh;  // of this charge
    pw_ms plugged_at;    // since when the vehicle is there
};

// What the allocator remembers of a member; zero at first, PW_LOAD_MEMORY_NEW.
struct pw_load_memory {
    bool active;                   // has an offer
    bool asleep;                   // draws nothing though offered
    bool probing;                  // is offered more than it drew, to see
    int32_t demand_ma;             // what it draws at most, with margin; 0: takes what it gets
    int32_t offer_ma;              // offered last
    uint8_t starts;                // entries of started
    pw_ms since;                   // active or waiting since
    pw_ms offered_since;           // offer_ma stands since
    pw_ms drawn_at;                // last seen to draw
    pw_ms learned_at;              // demand or sleep found
    pw_ms plugged_at;              // the vehicle all this is about
    pw_ms started[PW_LOAD_STARTS]; // newest first
};

// clang-format off
#define PW_LOAD_REASONS(X)                                                                  \
    X(IDLE,     "no vehicle wants to charge")                                               \
    X(MAXIMUM,  "as much as the connector may give")                                        \
    X(DEMAND,   "as much as the vehicle draws")                                             \
    X(SHARE,    "fair share")                          /* of the circuit named          */  \
    X(MINIMUM,  "minimum, no more is free")            /* in the circuit named          */  \
    X(TURN,     "waits for its turn")                  /* in the circuit named          */  \
    X(NO_ROOM,  "the minimum does not fit")            /* in the circuit named          */  \
    X(REST,     "minimum pause before it charges on")                                       \
    X(STARTS_USED, "started too often within an hour")                                         \
    X(ASLEEP,   "vehicle draws nothing, keeps the minimum")                                 \
    X(YIELDED,  "vehicle draws nothing, others need the place") /* in the circuit named */  \
    X(PROBE,    "is offered more, to see what the vehicle draws")                           \
    X(AWAITS,   "waits until others have come down")   /* in the circuit named          */  \
    X(LEASED,   "offline: last limit reserved until its lease ends")                        \
    X(FAILSAFE, "offline: fail-safe limit reserved")
// clang-format on

#define PW_LOAD_ID(name, text) PW_LOAD_##name,
enum pw_load_reason { PW_LOAD_REASONS(PW_LOAD_ID) PW_LOAD_REASON_COUNT };
#undef PW_LOAD_ID

// The words for people; never NULL.
const char *pw_load_reason_text(enum pw_load_reason reason);
// The stable word for programs: "SHARE", "NO_ROOM"...
const char *pw_load_reason_name(enum pw_load_reason reason);

// What a member gets.
struct pw_load_share {
    int32_t target_ma; // its share once everybody follows: 0 or min..max; reserved when unreachable
    int32_t send_ma;   // what to tell it now; told_ma when there is nothing new
    enum pw_load_reason reason;
    uint16_t circuit; // that binds; PW_LOAD_NONE when none does
};

// Scratch of one run: the caller owns it so that nothing is allocated here.
struct pw_load_place {
    uint64_t key[2]; // rank: less is served first; the member's id decides between equals
    uint32_t id;
    uint32_t index; // of the member
    int32_t ma;
    int32_t cap_ma;
    uint16_t bound; // circuit that keeps it from more
    uint8_t mains;  // bits
    uint8_t step;
};
struct pw_load_room {
    int64_t all_ma[PW_LOAD_PHASES];  // for members that can be told
    int64_t left_ma[PW_LOAD_PHASES]; // of it
    int64_t kept_ma[PW_LOAD_PHASES]; // taken by members that must not go yet
    uint32_t rising[PW_LOAD_PHASES]; // members that take more of it
    bool full[PW_LOAD_PHASES];
    uint16_t wanting[PW_LOAD_PRIORITIES][PW_LOAD_PHASES];
    uint16_t active[PW_LOAD_PRIORITIES][PW_LOAD_PHASES];
};

struct pw_load {
    const struct pw_load_config *config; // NULL: all defaults
    const struct pw_load_circuit *circuit;
    size_t circuits; // below PW_LOAD_NONE
    const struct pw_load_member *member;
    size_t members;                // below UINT32_MAX
    struct pw_load_memory *memory; // one a member, carried from run to run
    struct pw_load_share *share;   // one a member: the result
    struct pw_load_place *place;   // scratch, one a member
    struct pw_load_room *room;     // scratch, one a circuit
};

// Looks at configuration, circuits and members. PW_ERR_RANGE names the first bad thing in *why, a
// literal, and its index in *index.
PW_MUST_USE int pw_load_check(const struct pw_load *load, const char **why, size_t *index);

// Shares anew. The input must pass pw_load_check. Returns when time alone may change the result.
// Guarantees: for each circuit and phase, the targets and what unreachable members hold sum up to
// at most limit - other, as far as what is held by unreachable members itself leaves that; each
// target of a reachable member is 0 or min..max; raising what was told to send_ma keeps the sum of
// what is held within limit - other. Under scarcity, equals wait at most two turns as long as there
// are at most (2 · rotation / min_on) of them for each place. Raising limits never lowers the total
// while the same members are active and all are single-phase or all three-phase; it may when a
// raised branch lets a member in that takes the place of others' minimums. Cost: O(n log n + n ·
// depth · steps), steps = distinct minimums and maximums; bench/load.c.
pw_ms pw_load_allocate(struct pw_load *load, pw_ms now);

// ---------------------------------------------------------------------------------------------
// Orders: what one member was told, and what it may take at worst.

#define PW_LOAD_LEASE_MS 60000 // default of a lease
#define PW_LOAD_FLIGHT_MS                                                                          \
    30000                      // an order is delivered within this or never: both ends of a link
                               // give up after so much silence
#define PW_LOAD_FOLLOW_MS 5000 // a vehicle follows a lower offer in this time (IEC 61851-1)

struct pw_load_order {
    uint32_t lease_ms;
    int32_t failsafe_ma;        // the most it falls back to
    int32_t wanted_failsafe_ma; // what it shall fall back to: goes along with each order
    int32_t sent_failsafe_ma;   // went along with the newest
    int32_t told_ma;            // newest order, or what is known to stand
    bool asked;                 // told_ma is not acknowledged
    pw_ms asked_at;             // when it left last
    uint32_t asked_lease_ms;    // its lease
    pw_ms asked_since;          // the first one without an answer left then
    uint8_t out;                // orders without an answer
    int32_t out_ma;             // the highest of them
    pw_ms out_until;            // the last of them is over by then
    bool acked;                 // one was, and its lease may still run
    int32_t acked_ma;
    pw_ms acked_until; // its lease is over by then
    pw_ms sure_until;  // ... and not before then
    int32_t fading_ma; // before the last reduction: the vehicle is still on its way down
    pw_ms fading_until;
};

// `known_ma`: what it may have been told before a restart of ours, with a lease that may run from
// now; for a new member its maximum. lease_ms 0: default.
void pw_load_order_init(struct pw_load_order *order, int32_t failsafe_ma, int32_t known_ma,
                        uint32_t lease_ms, pw_ms now);
// Another fail-safe limit: the order is due at once, and until it is acknowledged the higher
// counts.
void pw_load_order_fall_back_to(struct pw_load_order *order, int32_t failsafe_ma);
// The way to the member is open (again): it is given time to answer.
void pw_load_order_joined(struct pw_load_order *order, pw_ms now);
// Forgets orders whose leases are over: the fail-safe limit stands then.
void pw_load_order_step(struct pw_load_order *order, pw_ms now);
// An order to keep to `ma` leaves now. Returns the lease to send along, in milliseconds: half as
// long again for who would fall back *up*, so that everybody who falls back down has done so
// before, whoever is lost and when.
PW_MUST_USE uint32_t pw_load_order_send(struct pw_load_order *order, int32_t ma, pw_ms now);
// The newest order was acknowledged.
void pw_load_order_ack(struct pw_load_order *order, pw_ms now);
// The newest order was refused: what stood before still stands.
void pw_load_order_refused(struct pw_load_order *order, pw_ms now);
// The most the member may take now and until it is told otherwise. Unless it has acknowledged
// lately and is reachable, it may fall back any time.
int32_t pw_load_order_held(const struct pw_load_order *order, bool reachable, pw_ms now);
// Fills in what the allocator wants to know from the order. `linked`: orders reach the member.
void pw_load_order_tell(struct pw_load_member *member, const struct pw_load_order *order,
                        bool linked, pw_ms now);
// True when the allocator's word is new, or the order is due for renewal.
bool pw_load_order_wanted(const struct pw_load_order *order, int32_t send_ma, pw_ms now);
// When held, answers or lapsed change by time alone; PW_NEVER if they do not.
pw_ms pw_load_order_deadline(const struct pw_load_order *order, pw_ms now);

#endif
