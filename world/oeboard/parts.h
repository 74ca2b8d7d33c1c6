// parts: what the files of oeboard know of each other.
#ifndef PW_OEBOARD_PARTS_H
#define PW_OEBOARD_PARTS_H

#include "oeboard/oeboard.h"

#define PW_OEBOARD_GAP_MS 2 // between two lines

// wire.c
// Bytes as they are. Not before `at`, nor into the line before.
void pw_oeboard_say(struct pw_oeboard *board, struct pw_str text, pw_ms at);
// A line without its end: checksum and CR follow.
void pw_oeboard_say_checked(struct pw_oeboard *board, struct pw_out *line, pw_ms at);
// `$AT`, or what an older protocol says, when something it speaks of has changed.
void pw_oeboard_tell(struct pw_oeboard *board, pw_ms at);
// Small letters, as it writes states and flags.
void pw_oeboard_put_hex(struct pw_out *out, uint64_t value, unsigned digits);
void pw_oeboard_forget_line(struct pw_oeboard *board);
// Reads the ring until it is empty or a command keeps the processor.
void pw_oeboard_poll(struct pw_oeboard *board, pw_ms now);

// command.c
// One command line, without '$' and its end, checked and taken apart. Writes the answer after
// "$OK" or "$NK" to `out`.
enum pw_oeboard_answer { PW_OEBOARD_YES, PW_OEBOARD_NO, PW_OEBOARD_SILENT };
enum pw_oeboard_answer pw_oeboard_command(struct pw_oeboard *board, const struct pw_str *token,
                                          unsigned count, struct pw_out *out);

static inline void pw_oeboard_flag(struct pw_oeboard *board, uint16_t bits, bool on)
{
    board->vflags = on ? (uint16_t)(board->vflags | bits) : (uint16_t)(board->vflags & ~bits);
}

static inline bool pw_oeboard_has(const struct pw_oeboard *board, uint16_t bits)
{
    return (board->vflags & bits) != 0;
}

// Whether a test is on, by the bit that switches it off.
static inline bool pw_oeboard_tests(const struct pw_oeboard *board, uint16_t off)
{
    return (board->eeprom.flags & off) == 0;
}

static inline bool pw_oeboard_is_off(const struct pw_oeboard *board)
{
    return board->state == PW_OEBOARD_SLEEPING || board->state == PW_OEBOARD_DISABLED;
}

// protect.c
// The interrupt: opens the relay on residual current, whatever the program does.
void pw_oeboard_guard(struct pw_oeboard *board);
// One round of the program's own tests.
void pw_oeboard_protect(struct pw_oeboard *board);
pw_ms pw_oeboard_protect_at(const struct pw_oeboard *board);
// Enters a fault and tells of it.
void pw_oeboard_fail(struct pw_oeboard *board, uint8_t state);

// oeboard.c
// A fault that the pilot does not show.
void pw_oeboard_enter_fault(struct pw_oeboard *board, uint8_t state);
pw_ms pw_oeboard_jitter(struct pw_oeboard *board, pw_ms least, pw_ms most);
void pw_oeboard_open(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_enable(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_sleep(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_disable(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_busy(struct pw_oeboard *board, enum pw_oeboard_doing doing, pw_ms span);
bool pw_oeboard_is_fault(uint8_t state);
uint32_t pw_oeboard_elapsed_s(const struct pw_oeboard *board);
uint8_t pw_oeboard_configured_a(const struct pw_oeboard *board);
// The largest capacity that heat and a missed heartbeat leave of `amps`.
uint8_t pw_oeboard_allowed_a(const struct pw_oeboard *board, uint8_t amps);
int32_t pw_oeboard_nominal_mv(const struct pw_oeboard *board);

#endif
