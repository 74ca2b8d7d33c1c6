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

// oeboard.c
pw_ms pw_oeboard_jitter(struct pw_oeboard *board, pw_ms least, pw_ms most);
void pw_oeboard_open(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_enable(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_sleep(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_disable(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_restart(struct pw_oeboard *board, pw_ms now);
void pw_oeboard_busy(struct pw_oeboard *board, enum pw_oeboard_doing doing, pw_ms span);
bool pw_oeboard_is_fault(uint8_t state);
uint32_t pw_oeboard_elapsed_s(const struct pw_oeboard *board);
uint8_t pw_oeboard_configured_a(const struct pw_oeboard *board);
// The largest capacity that heat and a missed heartbeat leave of `amps`.
uint8_t pw_oeboard_allowed_a(const struct pw_oeboard *board, uint8_t amps);
int32_t pw_oeboard_nominal_mv(const struct pw_oeboard *board);

#endif
