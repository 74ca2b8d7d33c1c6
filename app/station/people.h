// people: console, card reader and control socket. Served after everything else in a turn, one line
// of each at a time.
#ifndef PW_APP_STATION_PEOPLE_H
#define PW_APP_STATION_PEOPLE_H

#include "control.h"
#include "log.h"
#include "serial.h"
#include "station.h"

#define PEOPLE_ANSWER_MAX 49152 // bytes of one answer; every command's fits

struct people {
    struct pw_loop *loop;
    struct pw_station *station;
    struct pw_logger *logger;
    const char *version;
    struct pw_control *control;
    struct pw_serial console;
    struct pw_serial card;
    pw_ms watch_at; // next status to those who watch
    char answer[PEOPLE_ANSWER_MAX];
};

PW_MUST_USE int people_open(struct people *people, const char *control, unsigned mode,
                            struct pw_out *why);
void people_close(struct people *people);

// Serves what waits. *busy is set when the station was told something or more waits. Returns when
// it wants to be called next.
pw_ms people_step(struct people *people, pw_ms now, bool *busy);
// Status lines to the console, status objects to those who watch, when due.
pw_ms people_flush(struct people *people, pw_ms now);

#endif
