// hardware: what carries an AC outlet, behind one small interface: a front-end on a serial line, a
// pty or TCP, or GPIO lines, PWM and converters of this machine. It decides nothing: it turns what
// it reads into senses and blocks, and a drive into what the hardware wants. Nothing here waits.
#ifndef PW_LINUX_BOARD_HARDWARE_H
#define PW_LINUX_BOARD_HARDWARE_H

#include "board/board.h"
#include "board/file.h"

#define PW_HARDWARE_REASON_MAX 256

struct pw_hardware;

enum pw_hardware_event_kind {
    PW_HARDWARE_SENSES, // `senses` is new
    PW_HARDWARE_BLOCK,  // `block` is new
    PW_HARDWARE_STATE,  // up or down, `why`
};

// Pointers stay good until the next call with the same hardware.
struct pw_hardware_event {
    enum pw_hardware_event_kind kind;
    const struct pw_board_senses *senses;
    const struct pw_board_block *block;
    bool up;
    const char *why;
};

// Opens what the file describes and allocates it; ends with pw_hardware_close. On an error
// *hardware is NULL and `why` names what failed: PW_ERR_RANGE for what can never be, PW_ERR_UNKNOWN
// for what is not there (yet). Everything is off after opening. `now` must follow real time.
PW_MUST_USE int pw_hardware_open(struct pw_hardware **hardware, const struct pw_board_file *file,
                                 pw_ms now, struct pw_out *why);
void pw_hardware_close(struct pw_hardware *hardware); // NULL is fine; switches off first

// Readable means "call read until it returns 0". Call it at the deadline too.
int pw_hardware_fd(const struct pw_hardware *hardware);
pw_ms pw_hardware_deadline(const struct pw_hardware *hardware);

// 1: *event holds one event. 0: nothing more now. PW_ERR_PEER: lost; close it and open it again.
PW_MUST_USE int pw_hardware_read(struct pw_hardware *hardware, pw_ms now,
                                 struct pw_hardware_event *event);

// Does it at once. Say it again at least every 100 ms: hardware that hears nothing for
// PW_BOARD_SILENCE_MS opens by itself. PW_ERR_PEER: lost.
PW_MUST_USE int pw_hardware_drive(struct pw_hardware *hardware, const struct pw_board_drive *drive,
                                  pw_ms now);

// Opens the contactor and puts the pilot to F with nothing but system calls: for the panic hook.
void pw_hardware_off(struct pw_hardware *hardware);

// What the hardware has. False as long as a front-end has not said: known from its STATE up on.
bool pw_hardware_traits(const struct pw_hardware *hardware, struct pw_board_traits *traits);

#endif
