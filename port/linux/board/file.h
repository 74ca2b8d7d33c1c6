// file: the board file of a connector (setting `board`): which hardware carries the outlet, on
// which lines, and what a count is worth. Rows with one interpreter; examples/boards has a file of
// each kind with comments.
#ifndef PW_LINUX_BOARD_FILE_H
#define PW_LINUX_BOARD_FILE_H

#include "analog/analog.h"
#include "config.h"

#define PW_BOARD_TEXT_MAX 127 // characters of a path or a line
#define PW_BOARD_NAME_MAX 31

// What carries the outlet.
enum pw_board_kind {
    PW_BOARD_KIND_FRONTEND, // a microcontroller or the simulator, doc/frontend.md
    PW_BOARD_KIND_LINUX,    // GPIO lines, a PWM and converters of this machine
};

// Digital lines in the order of their rows: outputs first.
enum pw_board_line_id {
    PW_BOARD_LINE_CONTACTOR,
    PW_BOARD_LINE_LOCK,       // closed as long as it is active
    PW_BOARD_LINE_LOCK_CLOSE, // or a motor: one pulse closes,
    PW_BOARD_LINE_LOCK_OPEN,  // one pulse on the other line opens
    PW_BOARD_LINE_RCD_TEST,
    PW_BOARD_LINE_VENTILATION,
    PW_BOARD_LINE_GREEN,
    PW_BOARD_LINE_BLUE,
    PW_BOARD_LINE_RED,
    PW_BOARD_LINE_BUZZER,
    PW_BOARD_LINE_CONTACT, // inputs from here on: contactor closed
    PW_BOARD_LINE_LOCKED,
    PW_BOARD_LINE_RCD_TRIP,
    PW_BOARD_LINE_EARTH_LOST,
    PW_BOARD_LINE_ESTOP,
    PW_BOARD_LINES,
};
#define PW_BOARD_OUTPUTS PW_BOARD_LINE_CONTACT // that many

enum pw_board_pull { PW_BOARD_PULL_ASIS, PW_BOARD_PULL_NONE, PW_BOARD_PULL_UP, PW_BOARD_PULL_DOWN };

// "gpiochip0:17 active_low pull_up", or "gpiochip0:CONTACTOR" with the line's name.
struct pw_board_line {
    char chip[PW_BOARD_NAME_MAX + 1]; // name, number, label or path; "": there is no such line
    char line[PW_BOARD_NAME_MAX + 1]; // offset or name
    bool active_low;
    enum pw_board_pull pull;
};

struct pw_board_file {
    enum pw_board_kind kind;
    char device[PW_BOARD_TEXT_MAX + 1]; // front-end: "/dev/ttyACM0@1000000", "tcp:127.0.0.1:7001"

    struct pw_board_line line[PW_BOARD_LINES];
    int32_t lock_pulse_ms; // of the motor

    char pwm_chip[PW_BOARD_TEXT_MAX + 1]; // folder, as in /sys/class/pwm/pwmchip0
    int32_t pwm_channel;
    int32_t pwm_step_ppm;
    bool pwm_inverted; // the pilot is at -12 V while the pin is high

    // Files with one whole number each, as IIO has them: in_voltage0_raw.
    char cp_high[PW_BOARD_TEXT_MAX + 1]; // peak of the high phase
    char cp_low[PW_BOARD_TEXT_MAX + 1];  // peak of the low phase
    char pp[PW_BOARD_TEXT_MAX + 1];
    int32_t every_ms;
    char probe[PW_BOARD_PROBES][PW_BOARD_TEXT_MAX + 1]; // millidegrees: hwmon tempN_input, or IIO

    struct pw_analog_config analog; // for blocks and for the files above
};

// Reads and checks a board file. PW_OK, or an error with one sentence in *why that names file,
// line, key, value and what is allowed.
PW_MUST_USE int pw_board_file_read(struct pw_board_file *board, const char *path,
                                   struct pw_out *why);

// The same from a text that is there already; `path` is what errors call it.
PW_MUST_USE int pw_board_file_parse(struct pw_board_file *board, const char *path,
                                    struct pw_str text, struct pw_out *why);

#endif
