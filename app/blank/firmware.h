// firmware: one AC outlet on a bare machine: the station joined to port/blank. What app/station is
// on Linux, without link, console and files; doc/porting.md walks through it.
#ifndef PW_APP_FIRMWARE_H
#define PW_APP_FIRMWARE_H

#include "blank.h"
#include "station.h"

#define PW_FIRMWARE_RECORDS 24

struct pw_firmware {
    struct pw_blank_clock clock;
    struct pw_blank_log log;
    struct pw_blank_board board;
    struct pw_blank_store records;
    struct pw_blank_record record[PW_FIRMWARE_RECORDS];
    struct pw_store store;
    struct pw_settings settings;
    struct pw_station station;
};

// Everything off, then the station with one connector of kind pilot. `traits` is what the hardware
// has. *firmware is big: make it static. Errors with one sentence in *why.
PW_MUST_USE int pw_firmware_open(struct pw_firmware *firmware,
                                 const struct pw_blank_machine *machine,
                                 const struct pw_board_traits *traits, struct pw_out *why);

// One turn. Call it after every interrupt that senses something and at the time it returns, in the
// clock of pw_blank_now; between turns the machine may sleep.
pw_ms pw_firmware_turn(struct pw_firmware *firmware);

#endif
