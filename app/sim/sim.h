// sim: one simulated charging place at the pace of the shared clock, whatever its kind. The program
// knows only this; dc joins a world to CAN buses, ac one to a front-end line, openevse
// one to RAPI, house and meter theirs to what meters speak.
#ifndef PW_SIM_H
#define PW_SIM_H

#include "buses.h"
#include "front.h"
#include "lines.h"
#include "log.h"
#include "meterworld/meterworld.h"
#include "openevse.h"
#include "options.h"
#include "reader.h"
#include "signer.h"
#include "wired.h"

struct pw_sim;

struct pw_sim_kind {
    int (*open)(struct pw_sim *sim, struct pw_out *reason);
    void (*close)(struct pw_sim *sim);
    // Lets the world run up to `now` and passes on what it says; returns the next deadline.
    pw_ms (*turn)(struct pw_sim *sim, pw_ms now);
    int (*line)(struct pw_sim *sim, struct pw_str text, struct pw_out *answer);
    bool (*take_card)(struct pw_sim *sim, char *to, size_t cap); // NULL: no cards here
    void (*status)(const struct pw_sim *sim, struct pw_line *line);
    void (*result)(const struct pw_sim *sim, struct pw_out *out); // one JSON object
};

struct pw_sim {
    struct pw_sim_options options;
    const struct pw_sim_kind *kind;
    struct pw_clock clock;
    struct pw_logger logger;
    struct pw_loop loop;
    struct pw_sim_lines lines;
    struct pw_sim_reader reader;
    struct pw_sim_wired wired; // the meter of kind meter, at the outlet of kind ac, or of the house
    struct pw_sim_signer signer; // what of it signs
    pw_ms status_at;
    bool lost; // a wire broke: the program ends, and says so
    union {
        struct pw_sim_dc dc;
        struct pw_sim_ac ac;
        struct pw_world_meter meter;
        struct pw_sim_openevse openevse; // of kind house too
    };
};

extern const struct pw_sim_kind pw_sim_kind_dc;
extern const struct pw_sim_kind pw_sim_kind_ac;
extern const struct pw_sim_kind pw_sim_kind_meter;
extern const struct pw_sim_kind pw_sim_kind_openevse;
extern const struct pw_sim_kind pw_sim_kind_house;

#endif
