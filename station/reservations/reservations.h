// reservations: which connectors are kept free, for whom, until when. A reservation is of one
// connector, or of any (connector 0): then as many connectors stay free as such reservations wait.
// It knows no protocol.
// Sources: OCPP 1.6 edition 2 §3.11, §5.1, §5.13, §4.9; OCPP 2.0.1 H01 where 1.6 is silent: when
// only as many connectors are free as are reserved without a number, all of them show Reserved.
//
// Key: "reservations", all of them in one record.
#ifndef PW_RESERVATIONS_H
#define PW_RESERVATIONS_H

#include "base/base.h"
#include "settings/settings.h"
#include "store/store.h"
#include "tags/tags.h"

// Each keeps one connector free, so there are never more.
#define PW_RESERVATIONS_MAX       PW_CONNECTORS_MAX
// After a start connectors seem faulty until their hardware has spoken: no reservation ends by
// that before so much time has passed.
#define PW_RESERVATIONS_SETTLE_MS 60000

// What a connector is to a reservation, whatever is reserved.
enum pw_reservations_place {
    PW_PLACE_FREE,        // nobody and nothing there
    PW_PLACE_PLUGGED,     // a vehicle that nobody has presented a card for
    PW_PLACE_OCCUPIED,    // anything else that is in use
    PW_PLACE_FAULTED,     //
    PW_PLACE_UNAVAILABLE, //
};

enum pw_reservations_answer {
    PW_RESERVE_ACCEPTED,
    PW_RESERVE_FAULTED,
    PW_RESERVE_OCCUPIED,
    PW_RESERVE_REJECTED,
    PW_RESERVE_UNAVAILABLE,
};

struct pw_reservation {
    int32_t id;
    uint8_t connector; // from 1; 0: any
    char id_tag[PW_TAG_SIZE];
    char parent[PW_TAG_SIZE]; // "": only id_tag
    pw_unix_ms expires;       // 0: the slot is free
};

// May this card use that connector?
enum pw_reservations_leave {
    PW_LEAVE_FREE,   // nothing is reserved that stands against it
    PW_LEAVE_OWN,    // it is reserved for this card or its group
    PW_LEAVE_PARENT, // only if the card is of the reservation's group, which must be asked
    PW_LEAVE_OTHER,  // reserved for somebody else
};

struct pw_reservations {
    const struct pw_settings *settings;
    const struct pw_store *store;
    const struct pw_log *log;
    unsigned connectors;
    struct pw_reservation row[PW_RESERVATIONS_MAX];
    uint8_t claimed[PW_RESERVATIONS_MAX]; // connector where its holder is awaited; 0: none
    enum pw_reservations_place place[PW_CONNECTORS_MAX];
    pw_ms started_at;
    bool dirty; // the record is not what the rows are
};

// Reads what was kept. All pointers outlive the room. PW_ERR_STORE when the store cannot be read; a
// damaged record is no reservation, and said in the log.
PW_MUST_USE int pw_reservations_init(struct pw_reservations *reservations,
                                     const struct pw_settings *settings, unsigned connectors,
                                     const struct pw_store *store, const struct pw_log *log,
                                     pw_ms now);

// Takes a reservation. One with the same id is replaced; if the new one cannot be, the old one
// stays. *ticket is what makes it last, or PW_ERR_STORE, and then the answer is Rejected.
enum pw_reservations_answer pw_reservations_take(struct pw_reservations *reservations,
                                                 const struct pw_reservation *wish, pw_unix_ms wall,
                                                 int64_t *ticket);
// PW_ERR_UNKNOWN: there is none with this id; else the ticket that makes it last.
PW_MUST_USE int64_t pw_reservations_cancel(struct pw_reservations *reservations, int32_t id);

// `parent`: the card's group, "" for none; NULL: it is not known. *id is the reservation meant when
// the answer is OWN or PARENT.
enum pw_reservations_leave pw_reservations_leave(const struct pw_reservations *reservations,
                                                 unsigned connector, struct pw_str id_tag,
                                                 const char *parent, int32_t *id);
// A connector that shows Reserved: a stranger would be refused there.
bool pw_reservations_shown(const struct pw_reservations *reservations, unsigned connector);
// The reservation's holder is awaited at a connector (from 1): no other is kept for him. Until he
// is no longer awaited there.
void pw_reservations_claim(struct pw_reservations *reservations, int32_t id, unsigned connector);
void pw_reservations_unclaim(struct pw_reservations *reservations, unsigned connector);
// Its charge has begun: the reservation is over.
void pw_reservations_used(struct pw_reservations *reservations, int32_t id);

// What the connectors are now; ends what is over. Returns when to be called again at the latest.
pw_ms pw_reservations_step(struct pw_reservations *reservations,
                           const enum pw_reservations_place *place, pw_unix_ms wall, pw_ms now);

#endif
