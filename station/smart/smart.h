// smart: the charging profiles of a station. Which are installed, on what connector and for which
// transaction; kept in the store; and made into limits: before every turn of the connectors each
// one's row PW_LIMIT_OCPP says what its profiles allow, with the purpose as its reason, so that no
// contactor closes before its limit stands. What core/profiles says of one instant becomes
// milliampere of the output here. Knows nothing of OCPP's wire.
// Sources: OCPP 1.6 edition 2 §3.13, §5.5, §5.7, §5.16; errata 3.8, 3.25, 3.34, 3.37, 3.41 to 3.44.
//
// Choices that the standard leaves open:
// - A default of a connector replaces that of connector 0 with the same stack level, no other.
// - A transaction's profiles that say nothing at an instant (over, or in a gap) leave it to the
//   default ones.
// - A profile for the whole station is shared by those that charge (core/profiles/share.c): each
//   gets the same current, whoever needs less leaves the rest, and when it is not enough for
//   everybody's least, who began last waits. Who is to get more waits until those who get less have
//   followed.
// - Amperes of a dc connector are its output's, watts too, at the present voltage; a profile for
//   the whole station counts on the side of the mains.
// - While the date is not known, of a profile that needs it the least of all periods counts.
//
// Keys: "prof/<slot>", one record each (record.c).
#ifndef PW_SMART_H
#define PW_SMART_H

#include "connector/connector.h"
#include "journal/journal.h"
#include "profiles/profiles.h"
#include "settings/settings.h"
#include "store/store.h"

#define PW_SMART_FOLLOW_MS  5000  // a vehicle has followed a lower offer (IEC 61851-1, A.5.3)
#define PW_SMART_SEEN_MS    10000 // it has shown which phases it uses
#define PW_SMART_RECORD_MAX 960

// Everything borrowed, for good.
struct pw_smart_parts {
    const struct pw_settings *settings;
    const struct pw_store *store;
    const struct pw_journal *journal;
    struct pw_connector *connector;
    unsigned connectors;
    const struct pw_log *log;
};

// What the turn brings.
struct pw_smart_input {
    pw_unix_ms wall; // 0: unknown
    bool online;     // the central system can be reached
    // Which phases of the grid each vehicle loads, found from outside; 0: not known. For connectors
    // that cannot tell themselves.
    uint8_t found[PW_CONNECTORS_MAX];
};

// One connector's part of what the station may draw, and how it stands. Of the last step.
struct pw_smart_connector {
    struct pw_profile_value own;     // of its transaction, or of the next
    struct pw_profile_value station; // of the whole station
    bool active;                     // takes part in sharing
    int32_t share_ma;                // output; INT32_MAX: the station does not limit
    int32_t fading_ma;               // what it was allowed before, and may still draw ...
    pw_ms fading_until;              // ... until then
    pw_ms used_at;                   // its vehicle was first seen to draw; PW_NEVER: not yet
    pw_ms began_at;                  // when it became active: who came first is served first
};

struct pw_smart {
    struct pw_smart_parts parts;
    struct pw_profile_set set;
    int64_t ticket;           // of what was last written: it has been kept once this is durable
    struct pw_smart_input in; // of the last step
    pw_ms at;                 // when that was
    struct pw_smart_connector of[PW_CONNECTORS_MAX];
};

// Reads the store. Profiles of transactions that are not open any more are taken away; a record
// that cannot be read is set aside under "bad/". PW_ERR_STORE when the store cannot be read.
PW_MUST_USE int pw_smart_init(struct pw_smart *smart, const struct pw_smart_parts *parts);

// Installs a profile (checked: pw_profile_check) on a connector (0: the station). It takes the
// place of one with the same id, and of one with the same purpose and level for the same connector
// or transaction. TX profiles name the transaction. PW_ERR_RANGE: it cannot be, or connector and
// purpose do not go together; PW_ERR_BUSY: limits from outside do not count here
// (charging.remote_adjust); PW_ERR_LIMIT: no room; PW_ERR_STORE: it cannot be kept. *why gets one
// sentence; nothing has changed then.
PW_MUST_USE int pw_smart_set(struct pw_smart *smart, unsigned connector, uint32_t transaction,
                             const struct pw_profile *profile, pw_unix_ms wall, struct pw_out *why);

// A TX profile for the transaction that a remote start on this connector (from 1) will begin; NULL
// takes back what waits. Errors as pw_smart_set. It is kept once the transaction is.
PW_MUST_USE int pw_smart_expect(struct pw_smart *smart, unsigned connector,
                                const struct pw_profile *profile, pw_unix_ms wall,
                                struct pw_out *why);
// The transaction begins: what waited is its own from now on. Call it before the transaction's own
// record is written, so that this one is safe first. PW_ERR_STORE, PW_ERR_LIMIT: it counts, and is
// not kept.
PW_MUST_USE int pw_smart_began(struct pw_smart *smart, unsigned connector, uint32_t transaction);
// It has ended: its profiles go.
void pw_smart_ended(struct pw_smart *smart, uint32_t transaction);

// Which profiles to take away: all that fit every field that is asked (erratum 3.25).
struct pw_smart_filter {
    bool by_id, by_connector, by_purpose, by_level;
    int32_t id;
    unsigned connector;
    enum pw_profile_purpose purpose;
    int32_t level;
};
// How many went, or PW_ERR_STORE.
PW_MUST_USE int pw_smart_clear(struct pw_smart *smart, const struct pw_smart_filter *filter);

// One turn, before the connectors', and again when a transaction has just begun. Returns when it
// wants to be called again at the latest.
pw_ms pw_smart_step(struct pw_smart *smart, const struct pw_smart_input *in, pw_ms now);

// What is asked of the composite schedule, ...
struct pw_smart_ask {
    unsigned connector; // 0: the station, as drawn from the grid
    uint32_t duration_s;
    bool any_unit; // the one that the profiles in force count in
    enum pw_profile_unit unit;
};
// ... and the answer. Cost: PW_PROFILES_MAX for each instant at which anything changes, at most
// some thousand of them.
struct pw_smart_schedule {
    pw_unix_ms start;
    enum pw_profile_unit unit;
    struct pw_composite composite;
};
// From now on. PW_ERR_AGAIN while the date is not known.
PW_MUST_USE int pw_smart_composite(const struct pw_smart *smart, const struct pw_smart_ask *ask,
                                   struct pw_smart_schedule *schedule, pw_ms now);

// Purposes that do not count while the central system cannot be reached, from a list as the setting
// has it: a set of 1 << purpose. PW_ERR_RANGE with the first unknown word in *why (may be NULL).
PW_MUST_USE int pw_smart_purposes(struct pw_str list, unsigned *purposes, struct pw_out *why);

// For people, and for programs.
void pw_smart_report(const struct pw_smart *smart, struct pw_out *out, pw_ms now);
void pw_smart_report_json(const struct pw_smart *smart, struct pw_out *out, pw_ms now);

// record.c: the bytes of one installed profile.
size_t pw_smart_pack(const struct pw_profile_slot *slot, char to[PW_SMART_RECORD_MAX]);
// PW_ERR_STORE for bytes that are no such record; *slot is left alone then.
PW_MUST_USE int pw_smart_unpack(struct pw_str bytes, struct pw_profile_slot *slot);

#endif
