// blank: the port for a machine without an operating system, as far as it goes without knowing the
// machine: clock, log, store, board and panic over six functions that the machine gives. Copy the
// folder, fill in a struct pw_blank_machine, and replace what your machine does better (a store in
// flash first of all). doc/porting.md is the guide. No heap, no C library beyond memcpy and
// friends.
#ifndef PW_BLANK_H
#define PW_BLANK_H

#include "base/base.h"
#include "board/board.h"
#include "store/store.h"

// What the machine must give. Every function returns at once.
struct pw_blank_machine {
    void *context;
    // A free running counter of milliseconds; it may wrap.
    uint32_t (*ticks_ms)(void *context);
    // Text for people, to whatever shows it; dropping it is allowed.
    void (*put)(void *context, struct pw_str text);
    // What the hardware senses now; false when there is nothing new. `at` is when the pilot was
    // sampled, in the clock of `now`.
    bool (*sense)(void *context, struct pw_board_senses *senses, pw_ms now);
    // What the hardware shall do from now on. When this is not called for PW_BOARD_SILENCE_MS, the
    // hardware opens by itself: a timer that this call winds up.
    void (*drive)(void *context, const struct pw_board_drive *drive);
    // Contactor open, pilot at -12 V. Called from anywhere, also with a broken stack: registers
    // only.
    void (*off)(void *context);
    // Starts the program again. May return on machines that cannot; then it stops there.
    void (*restart)(void *context);
};

// A machine that has nothing: no time passes, nothing is sensed, nothing is driven. To begin with.
extern const struct pw_blank_machine pw_blank_nothing;

// ---------------------------------------------------------------------------------------------
// Clock: the counter made 64 bits wide.

struct pw_blank_clock {
    const struct pw_blank_machine *machine;
    uint32_t ticks; // at the last look
    pw_ms now;
};

void pw_blank_clock_init(struct pw_blank_clock *clock, const struct pw_blank_machine *machine);
// Never goes back. Must be called once in each wrap of the counter (49 days).
pw_ms pw_blank_now(struct pw_blank_clock *clock);

// ---------------------------------------------------------------------------------------------
// Log: "WARN board away why=..." and a line end, by `put`.

struct pw_blank_log {
    const struct pw_blank_machine *machine;
    struct pw_log log; // to give to rooms
};

// `log` must stay where it is.
void pw_blank_log_init(struct pw_blank_log *log, const struct pw_blank_machine *machine);

// ---------------------------------------------------------------------------------------------
// Store: records in memory. It keeps the contract (atomic batches, order, tickets) except for the
// one thing memory cannot: what is durable here is gone when the power is.

struct pw_blank_record {
    char key[PW_STORE_KEY_MAX + 1]; // "": free
    uint16_t len;
    char value[PW_STORE_VALUE_MAX];
};

struct pw_blank_store {
    struct pw_blank_record *record; // of the caller
    size_t cap;
    int64_t ticket;
};

// Starts empty. A station keeps about 12 records and one for each message that waits.
void pw_blank_store_init(struct pw_blank_store *store, struct pw_blank_record *record, size_t cap);
// The port contract over it; `store` must stay where it is.
struct pw_store pw_blank_store(struct pw_blank_store *store);

// ---------------------------------------------------------------------------------------------
// Board: what is due towards the hardware.

struct pw_blank_board {
    const struct pw_blank_machine *machine;
    struct pw_board_drive drive;
    pw_ms driven_at; // PW_NEVER: not yet
};

#define PW_BLANK_REPEAT_MS 100 // the hardware hears its drive at least so often

// Begins with everything off.
void pw_blank_board_init(struct pw_blank_board *board, const struct pw_blank_machine *machine);
// True when *senses is new.
bool pw_blank_board_sense(struct pw_blank_board *board, struct pw_board_senses *senses, pw_ms now);
// Takes a new drive (NULL: the old one goes on) and hands it over at once; the old one when it is
// due again. Returns when it wants to be called next.
pw_ms pw_blank_board_drive(struct pw_blank_board *board, const struct pw_board_drive *drive,
                           pw_ms now);

// ---------------------------------------------------------------------------------------------
// Panic: pw_panic switches `machine` off, says where, and restarts. Without one it only stops.

void pw_blank_panic_machine(const struct pw_blank_machine *machine);

#endif
