// pins: the digital lines of a native board through libgpiod: outputs that are set, inputs whose
// edges wake. Private to this room.
#ifndef PW_LINUX_BOARD_PINS_H
#define PW_LINUX_BOARD_PINS_H

#include "board/file.h"

struct gpiod_chip;
struct gpiod_line;

struct pw_pins {
    struct {
        struct gpiod_chip *chip;
        struct gpiod_line *line; // NULL: there is no such line
        int fd;                  // edges of an input; -1
        bool value;              // as set, or as read last
    } pin[PW_BOARD_LINES];
};

// Requests every line of the file: outputs inactive, inputs with both edges. On an error nothing is
// held and `why` names the line.
PW_MUST_USE int pw_pins_open(struct pw_pins *pins, const struct pw_board_file *file,
                             struct pw_out *why);
void pw_pins_close(struct pw_pins *pins);

bool pw_pins_has(const struct pw_pins *pins, enum pw_board_line_id id);

// Sets an output when it is another value than the last. Lines that are not there are fine.
// PW_ERR_PEER when the system refuses.
PW_MUST_USE int pw_pins_set(struct pw_pins *pins, enum pw_board_line_id id, bool value);

// Sets an output whatever it was, for the panic hook: one system call.
void pw_pins_force(struct pw_pins *pins, enum pw_board_line_id id, bool value);

// Takes the edges that have been waiting and reads all inputs anew. PW_ERR_PEER as above.
PW_MUST_USE int pw_pins_read(struct pw_pins *pins);

#endif
