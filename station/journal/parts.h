// parts: what the files of the journal share among themselves. Nobody else includes this.
#ifndef PW_JOURNAL_PARTS_H
#define PW_JOURNAL_PARTS_H

#include "journal/record.h"
#include "journal/signed.h"

struct pw_journal_key {
    char text[PW_STORE_KEY_MAX + 1];
};

// Sequence numbers are in fixed-width hexadecimal, so that they sort as they count.
struct pw_journal_key pw_journal_key(const char *prefix, uint64_t number);
// The number behind a key's prefix. False when it is none.
bool pw_journal_number(const char *digits, uint64_t *number);
struct pw_store_change pw_journal_put(const struct pw_journal_key *key,
                                      const struct pw_record *record);
struct pw_store_change pw_journal_take_away(const struct pw_journal_key *key);
PW_MUST_USE int pw_journal_load(const struct pw_journal *journal, const struct pw_journal_key *key,
                                struct pw_record *record);
// The batch's ticket; a failure goes to the log.
PW_MUST_USE int64_t pw_journal_write(const struct pw_journal *journal,
                                     const struct pw_store_change *changes, size_t count);
PW_MUST_USE int pw_journal_write_one(const struct pw_journal *journal,
                                     const struct pw_journal_key *key,
                                     const struct pw_record *record);
// A record that cannot be read leaves its place and is kept as it is under "bad/": it must neither
// stop the station nor be lost to whoever looks into it.
PW_MUST_USE int pw_journal_set_aside(struct pw_journal *journal, const struct pw_journal_key *key);

// journal.c
void pw_transaction_record(struct pw_record *record, const struct pw_transaction *transaction);
// The time of a reading within a transaction, by the clock that stamped its start.
void pw_journal_on_its_clock(const struct pw_transaction *transaction, struct pw_sample *sample);

// queue.c
void pw_message_record(struct pw_record *record, enum pw_message_kind kind, uint32_t transaction,
                       unsigned connector);
// The head of a message's record. False when it is none.
bool pw_message_read(struct pw_record *record, enum pw_message_kind *kind, uint32_t *transaction,
                     uint8_t *connector);
PW_MUST_USE int pw_journal_read_queue(struct pw_journal *journal);
// The stream of values of a connector, within its transaction or outside.
struct pw_journal_stream *pw_journal_stream(struct pw_journal *journal, unsigned connector,
                                            bool outside);
PW_MUST_USE int pw_journal_read_parked(struct pw_journal *journal);

// thin.c
// A walk has room to gain, or is under way.
void pw_journal_watch_room(struct pw_journal *journal);

// alone.c
// The changes that end a transaction which nobody will fetch, besides its receipt: at most
// 2 + PW_SIGNED_KEYS_MAX, their number. `keys` and `signatures` must outlive them.
size_t pw_journal_end_alone(const struct pw_journal *journal, const struct pw_transaction *ended,
                            struct pw_journal_key keys[2], struct pw_signed_keys *signatures,
                            struct pw_store_change *changes);
// Likewise a meter value that is not queued: takes what was kept for it away.
PW_MUST_USE int pw_journal_meter_alone(struct pw_journal *journal, const struct pw_sample *sample);
pw_ms pw_journal_trim(struct pw_journal *journal, pw_ms now);

// notes.c
PW_MUST_USE int pw_journal_read_notes(struct pw_journal *journal);
// Takes the readings of a transaction away once its StopTransaction has left the queue.
void pw_journal_drop_notes(const struct pw_journal *journal, uint32_t transaction);
// Takes away those of transactions that are not there any more. Everything must be durable.
void pw_journal_sweep_notes(const struct pw_journal *journal);

// clocks.c
PW_MUST_USE int pw_journal_read_clocks(struct pw_journal *journal);
// This start's clock is not known: how far its own time has come is kept with `at`'s batch.
// The number of changes added (0 or 1).
size_t pw_journal_clock_change(const struct pw_journal *journal, struct pw_stamp at,
                               struct pw_journal_key *key, struct pw_record *record,
                               struct pw_store_change *change);

#endif
