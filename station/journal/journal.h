// journal: what a station must never lose, on top of the store port: transactions and their
// messages in order, energy registers, latched faults, availability, settings set while running.
// A transaction message is made anew from these records each time it is sent; no OCPP text is kept.
// Sources: facts/reliability.md §3.1, facts/ocpp.md §3.4 B 14–21.
//
// Keys: "n" counters, "tx/<seq>" transactions, "q/<seq>" messages to send, "note/<tx><kind><n>"
// readings for the StopTransaction, "clk/<boot>" what is known of a start's clock, "done/<place>"
// the last charges that ended, "park/<seq>" messages the central system refused for good,
// "sig/<number>/<part>" signed readings, "reg/<connector>", "keep/<connector>", "mkey/<connector>"
// public keys of meters, "set/<path>", and "bad/<key>" records that could not be read, as they were
// found.
#ifndef PW_JOURNAL_H
#define PW_JOURNAL_H

#include "base/base.h"
#include "meter/meter.h"
#include "signing/signing.h"
#include "store/store.h"

#define PW_ID_TAG_MAX         20    // characters of an idTag (CiString20)
#define PW_JOURNAL_MESSAGES   10000 // waiting messages, unless journal->room says less
#define PW_JOURNAL_NOTES      118   // readings kept for a StopTransaction, besides first and last
#define PW_JOURNAL_PARKED     1000  // refused messages set aside; then the oldest goes, logged
#define PW_JOURNAL_CLOCKS     64    // past starts whose clock is remembered
#define PW_JOURNAL_CONNECTORS 4
#define PW_JOURNAL_RECEIPTS   50 // charges kept for people to look at, after their messages left

// When something happened. `wall` is 0 when the clock was not known; then `boot` and `mono` allow
// to work it out once it is (pw_journal_wall).
struct pw_stamp {
    pw_unix_ms wall;
    pw_ms mono;
    uint32_t boot;
};

enum pw_quantity {
    PW_ENERGY_WH,    // lifetime register of the connector
    PW_POWER_W,      // terminal voltage times current
    PW_VOLTAGE_MV,   //
    PW_CURRENT_MA,   // to the vehicle
    PW_ASKED_MA,     // the vehicle's own limit (BMS Imax)
    PW_SOC_PERMILLE, //
    PW_TEMP_DC,      // hottest of rectifier and terminal, 0.1 degC
    PW_CHARGE_MAH,   // charge in the battery
    PW_OFFERED_MA,   // what the station offers on each phase
    PW_FREQUENCY_MHZ,
    PW_VOLTAGE_L1_MV, // phase to neutral; those of L2 and L3 follow
    PW_VOLTAGE_L2_MV,
    PW_VOLTAGE_L3_MV,
    PW_CURRENT_L1_MA,
    PW_CURRENT_L2_MA,
    PW_CURRENT_L3_MA,
    PW_POWER_L1_W,
    PW_POWER_L2_W,
    PW_POWER_L3_W,
    PW_SIGNED_NUMBER, // no measurement: which signed reading belongs to the sample
    PW_QUANTITIES,
};

// Why a reading was taken: the words of OCPP's ReadingContext.
enum pw_reading {
    PW_READING_BEGIN,
    PW_READING_END,
    PW_READING_PERIODIC,
    PW_READING_CLOCK,
    PW_READING_TRIGGER,
    PW_READING_INTERRUPTION_BEGIN,
    PW_READING_INTERRUPTION_END,
    PW_READING_OTHER,
    PW_READINGS,
};

struct pw_sample {
    struct pw_stamp at;
    enum pw_reading reading;
    uint32_t has; // bit n: value[n] is known
    int64_t value[PW_QUANTITIES];
};

// What is known of the central system's id of a transaction. Zero and negative ids are ids like any
// other (erratum 3.54 of OCPP 1.6).
enum pw_transaction_id {
    PW_ID_AWAITED, // StartTransaction is not answered yet
    PW_ID_GIVEN,
    PW_ID_REFUSED, // StartTransaction was given up: messages carry -1 (erratum 3.18)
};

struct pw_transaction {
    uint32_t seq;      // of this station, never used twice
    uint8_t connector; // from 1
    char id_tag[PW_ID_TAG_MAX + 1];
    struct pw_sample first; // meterStart and its time are in here
    enum pw_transaction_id id_state;
    int32_t transaction_id; // the central system's; 0 while awaited, -1 when refused
    bool reserved;          // it ended a reservation
    int32_t reservation_id;
    bool stopped;
    uint8_t reason;                      // enum pw_stop_reason of the session
    char stop_id_tag[PW_ID_TAG_MAX + 1]; // "" when no card stopped it
    struct pw_sample last;
};

enum pw_message_kind { PW_MESSAGE_START = 1, PW_MESSAGE_METER, PW_MESSAGE_STOP };

// The message at the head of the queue.
struct pw_message {
    uint64_t seq;
    enum pw_message_kind kind;
    uint8_t connector;
    // seq 0: a METER outside any transaction.
    struct pw_transaction transaction;
    struct pw_sample sample; // METER only
};

// What goes when the queue is full. Starts, stops, the first and the last value of each
// transaction and signed readings always stay; the order within a transaction never changes.
enum pw_journal_policy {
    PW_JOURNAL_THIN,     // meter values between first and last go, evenly over the time
    PW_JOURNAL_DROP_NEW, // what waits stays; new values replace the last of their transaction
    PW_JOURNAL_NO_START, // as THIN; with nothing left to thin no new charge begins
};

// An energy register as it was kept.
struct pw_register {
    struct pw_meter_register energy;
    int64_t counter; // of a board that counts by itself, at that energy; -1: none
    struct pw_stamp at;
};

#define PW_JOURNAL_LIMITS 3 // energy, time, state of charge

// What a connector keeps over a restart besides its register.
struct pw_keep {
    uint32_t latched;  // bit per latched fault
    bool inoperative;  // ChangeAvailability
    bool charge_now;   // timer and plan do not count for the vehicle that is plugged in
    bool card_refused; // the card of the running charge, by the central system
    // What was asked for the running or the next charge; 0: no limit.
    int64_t limit[PW_JOURNAL_LIMITS];
    bool limited[PW_JOURNAL_LIMITS]; // it was asked for at all
};

// The meter values of one transaction (or of a connector outside any) that wait in the queue.
struct pw_journal_stream {
    uint32_t transaction; // 0: outside
    uint64_t first;       // seq of the first and the last that wait; 0: none
    uint64_t last;
    uint32_t count; // values ever queued
};

// A walk over the queue that thins it, a slice at a time.
#define PW_JOURNAL_TRAILS 8 // transactions whose values lie side by side in the queue
struct pw_journal_trail {
    bool used;
    uint32_t transaction;
    uint8_t connector;
    struct pw_stamp kept; // the last value that stays
    bool candidate;       // a value after it, that may go once another follows
    uint64_t seq;
    struct pw_stamp at;
    uint64_t seen; // for throwing the oldest trail away
};
struct pw_journal_thinning {
    bool running;
    bool exhausted;   // the last walk found nothing that may go
    bool aligned;     // clock-aligned values may go too
    uint64_t at;      // examined up to here
    uint64_t until;   // and no further in this walk
    pw_ms spacing;    // values closer together than this go
    uint32_t removed; // by this walk
    struct pw_journal_trail trail[PW_JOURNAL_TRAILS];
};

// Readings kept for a transaction's StopTransaction, of one kind: every 2^shift-th.
enum pw_note_kind { PW_NOTE_SAMPLED, PW_NOTE_ALIGNED, PW_NOTE_KINDS };
struct pw_journal_notes {
    uint32_t seen[PW_NOTE_KINDS];
    uint8_t shift[PW_NOTE_KINDS];
};

struct pw_journal {
    const struct pw_store *store;
    const struct pw_log *log;
    // How much waits at most, and what then happens. Set by the owner at any time.
    uint32_t room;
    enum pw_journal_policy policy;
    // No central system is set, so nobody will ever fetch a message. Set by the owner once the
    // journal is open, and not changed from then on. Only the start of an open transaction stays in
    // the queue; meter values are not queued, an end takes the start with it and leaves the receipt
    // for people, and what a central system of before did not fetch is taken away
    // (pw_journal_step).
    bool alone;
    bool sweep;       // alone: readings for a StopTransaction that will not be are to go
    bool trimmed;     // alone: all that was there has been looked at
    uint64_t trim_at; // alone: looked at up to here
    uint64_t start[PW_JOURNAL_CONNECTORS];                      // alone: that message's seq, or 0
    struct pw_transaction open[PW_JOURNAL_CONNECTORS];          // seq 0: none
    struct pw_journal_stream stream[2 * PW_JOURNAL_CONNECTORS]; // in, then outside transactions
    struct pw_journal_notes notes[PW_JOURNAL_CONNECTORS];
    struct pw_journal_thinning thinning;
    uint64_t head;          // no waiting message has a lower seq
    uint64_t tail;          // seq the next message gets
    uint32_t waiting;       // messages
    int64_t must_ticket;    // transaction records are safe once this is durable
    int64_t setting_ticket; // the setting kept last is; below 0: it could not be kept
    int64_t keep_ticket;    // likewise what pw_journal_save_keep kept last
    uint32_t transaction_next;
    uint32_t boot;       // counts starts of the program
    pw_ms started;       // when the program did; set by the owner once the journal is open
    bool clock_kept;     // "clk/<boot>" holds this start's clock
    int64_t offset_ms;   // and says: wall = mono + this
    uint32_t dropped;    // meter values not queued because the queue was full
    uint32_t thinned;    // meter values taken out of the queue to make room
    uint32_t damaged;    // records set aside under "bad/" because they could not be read
    uint32_t parked;     // messages set aside because they were refused for good
    uint32_t signatures; // readings kept since the program began; with `boot` they make its number
};

// Reads everything back; takes time in proportion to the waiting messages (10,000 in well under a
// second on SQLite). The store and the log must outlive the journal. A record that cannot be read
// is set aside and counted; PW_ERR_STORE only when the store itself fails.
PW_MUST_USE int pw_journal_open(struct pw_journal *journal, const struct pw_store *store,
                                const struct pw_log *log);

// Records the start of a transaction on transaction->connector and queues its message; sets
// transaction->seq. Returns the ticket to wait for before the contactor may close.
PW_MUST_USE int64_t pw_journal_begin(struct pw_journal *journal,
                                     struct pw_transaction *transaction);

// Keeps a signed reading and names it in the sample, which must be written next (begin, meter or
// end): the disk has both or neither of their order. What a transaction's first and last sample
// name leaves with its StopTransaction, what any other names with its own message; a sample that
// names one is never thinned. A power cut between the two leaves a reading that nobody names, and a
// message that is set aside keeps its own.
PW_MUST_USE int pw_journal_keep_signed(struct pw_journal *journal,
                                       const struct pw_signed_reading *reading,
                                       struct pw_sample *sample);
bool pw_sample_is_signed(const struct pw_sample *sample);
// The signed reading a sample names. PW_ERR_UNKNOWN: it names none, or that is not there (any more,
// or not durable yet); PW_ERR_STORE: it cannot be read.
PW_MUST_USE int pw_journal_signed(const struct pw_journal *journal, const struct pw_sample *sample,
                                  struct pw_signed_reading *reading);

// The public key of the meter of a connector, as it was last seen: DER. PW_ERR_UNKNOWN: none.
PW_MUST_USE int pw_journal_save_meter_key(struct pw_journal *journal, unsigned connector,
                                          const uint8_t *key, size_t len);
PW_MUST_USE int pw_journal_read_meter_key(const struct pw_journal *journal, unsigned connector,
                                          uint8_t *key, size_t cap); // its length

// Queues a meter value of the connector's open transaction, or of none when none is open. Within a
// transaction a value's time goes by the clock its start was stamped with, so that a clock set
// meanwhile neither stretches nor reverses it; clock-aligned values keep their own. PW_ERR_LIMIT:
// the queue is full, and the value replaced the one before it, or was not kept; it is counted.
PW_MUST_USE int pw_journal_meter(struct pw_journal *journal, unsigned connector,
                                 const struct pw_sample *sample);

// Keeps a reading of the connector's open transaction for its StopTransaction. With more than
// PW_JOURNAL_NOTES of them every second one goes, and only every second one is kept from then on.
// Signatures are not kept here: StopTransaction has those of begin and end.
PW_MUST_USE int pw_journal_note(struct pw_journal *journal, unsigned connector,
                                const struct pw_sample *sample);

// Goes through the readings kept for a transaction, oldest first. Zeroed, but for `transaction`, to
// begin with. False at the end. Only once the transaction's end is durable are all of them seen.
struct pw_note_walk {
    uint32_t transaction;
    struct {
        uint32_t next; // number of the next one to read
        bool have;
        bool over;
        struct pw_sample sample;
    } of[PW_NOTE_KINDS];
};
bool pw_journal_next_note(const struct pw_journal *journal, struct pw_note_walk *walk,
                          struct pw_sample *sample);

// Thins a full queue, or trims that of a station without a central system, a slice a call. When to
// call again.
pw_ms pw_journal_step(struct pw_journal *journal, pw_ms now);

// PW_OK: what is written now will last. PW_ERR_LIMIT: the store is nearly full; only what ends
// something, and meter values, should be written. PW_ERR_STORE: nothing lasts at present.
PW_MUST_USE int pw_journal_keeps(const struct pw_journal *journal);

// The clock of this start is known: wall = mono + offset_ms. The first word counts; it is kept for
// the stamps that were taken before.
void pw_journal_clock(struct pw_journal *journal, int64_t offset_ms);
// The wall time of a stamp: its own, or worked out from the clock that its start of the program, or
// the next one, learnt; never later than the present start's. 0 when no clock is known yet.
pw_unix_ms pw_journal_wall(const struct pw_journal *journal, struct pw_stamp at);

// Records the end of the connector's open transaction and queues its message (without a central
// system it only leaves its receipt). Returns the ticket to wait for before anybody is told. The
// open slot is free afterwards.
PW_MUST_USE int64_t pw_journal_end(struct pw_journal *journal, unsigned connector, uint8_t reason,
                                   struct pw_str stop_id_tag, const struct pw_sample *last);

// One of the last PW_JOURNAL_RECEIPTS charges that began, once it has ended; written in one batch
// with its end, so that a power cut leaves both or neither. `back` 0 is the charge that began last.
// PW_ERR_UNKNOWN: that one still runs, or there never was one, or its receipt cannot be read;
// PW_ERR_RANGE: there is none further back. Reads the store once.
PW_MUST_USE int pw_journal_receipt(const struct pw_journal *journal, unsigned back,
                                   struct pw_transaction *receipt);

// The transaction that is open on a connector, or NULL.
const struct pw_transaction *pw_journal_open_on(const struct pw_journal *journal,
                                                unsigned connector);
// The connector whose open transaction was given this id by the central system; 0: none.
unsigned pw_journal_connector_of(const struct pw_journal *journal, int32_t transaction_id);

// True once the batch of `ticket` survives a power cut. PW_ERR_STORE when the store has failed.
PW_MUST_USE int pw_journal_durable(const struct pw_journal *journal, int64_t ticket);

// The oldest waiting message. PW_ERR_UNKNOWN: none waits; PW_ERR_AGAIN: not durable yet.
PW_MUST_USE int pw_journal_head(struct pw_journal *journal, struct pw_message *message);
// The head was answered: it leaves the queue. `transaction_id` counts for START only. PW_ERR_AGAIN:
// the transaction's last change is still on its way to the disk; call again with the same message.
PW_MUST_USE int pw_journal_answered(struct pw_journal *journal, const struct pw_message *message,
                                    int32_t transaction_id);
// An answer to a StartTransaction came late, after it had been given up: what follows carries the
// id after all. PW_ERR_UNKNOWN: nothing of that transaction is left; PW_ERR_AGAIN as above.
PW_MUST_USE int pw_journal_identified(struct pw_journal *journal, uint32_t transaction,
                                      int32_t transaction_id);
// The head was refused for good: START and STOP are set aside under "park/", a START leaves its
// transaction with id -1; a METER is dropped. It leaves the queue. PW_ERR_AGAIN as above.
PW_MUST_USE int pw_journal_refused(struct pw_journal *journal, const struct pw_message *message);
// Number of waiting messages.
uint64_t pw_journal_waiting(const struct pw_journal *journal);

// Energy register checkpoint of a connector (zeros and no counter when there is none, or it was
// damaged).
PW_MUST_USE int pw_journal_save_register(struct pw_journal *journal, unsigned connector,
                                         const struct pw_register *reg);
PW_MUST_USE int pw_journal_read_register(struct pw_journal *journal, unsigned connector,
                                         struct pw_register *reg);

// A damaged record reads as inoperative: a person must look.
PW_MUST_USE int pw_journal_save_keep(struct pw_journal *journal, unsigned connector,
                                     struct pw_keep keep);
PW_MUST_USE int pw_journal_read_keep(struct pw_journal *journal, unsigned connector,
                                     struct pw_keep *keep);

// A setting that was set while running; path and value as text. PW_ERR_STORE or PW_ERR_LIMIT when
// it cannot be kept.
PW_MUST_USE int pw_journal_save_setting(struct pw_journal *journal, struct pw_str path,
                                        struct pw_str value);
// Forgets it: the value of the file, or the default, counts from the next start on.
PW_MUST_USE int pw_journal_drop_setting(struct pw_journal *journal, struct pw_str path);
// The next kept setting after *path (an array of PW_STORE_KEY_MAX + 1, "" to begin); writes path
// and value, terminated. PW_ERR_UNKNOWN at the end.
PW_MUST_USE int pw_journal_next_setting(const struct pw_journal *journal, char *path, char *value,
                                        size_t cap);

#endif
