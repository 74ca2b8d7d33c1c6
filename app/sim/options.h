// options: the command line of pilotwire-sim as rows.
#ifndef PW_SIM_OPTIONS_H
#define PW_SIM_OPTIONS_H

#include "acworld/acworld.h"
#include "dcworld/dcworld.h"
#include "oeworld/oeworld.h"

#include <stdio.h>

enum pw_sim_kind_word { PW_SIM_DC, PW_SIM_AC, PW_SIM_METER, PW_SIM_OPENEVSE, PW_SIM_HOUSE };

struct pw_sim_options {
    enum pw_sim_kind_word kind;
    struct pw_world_dc_config dc;
    struct pw_world_ac_config ac;
    struct pw_world_oe_config oe;       // of house too
    const char *can[PW_WORLD_DC_BUSES]; // wire URLs; NULL: no such bus
    const char *link;                   // where the board's pty is linked; NULL: none
    const char *listen;                 // "ADDRESS:PORT" of the board; NULL: none
    const char *board;                  // firmware of an OpenEVSE board; NULL: the recorded one
    const char *ct;                     // where the house's front-end is linked; NULL: none
    const char *mqtt;                   // broker the house's meter publishes to; NULL: none
    const char *mqtt_user;              // NULL: none
    const char *mqtt_ca;                // file; NULL: the system's
    const char *topic;                  // NULL: house/meter
    const char *trace;                  // file of a recorded house; NULL: appliances
    const char *car;                    // temperament; NULL: the honest one
    const char *meter;                  // url of a meter that is served; NULL: none
    const char *meter_key;              // file of the key it signs with; NULL: one of this run
    unsigned meter_key_kind;            // enum pw_sim_signer_kind
    const char *card_reader;            // "pty:PATH" or "file:PATH"; NULL: none
    const char *control;                // path of the control socket; NULL: none
    unsigned status_s;                  // seconds between status lines; 0: none
    bool help;
    bool version;
};

// Reads the arguments after the program's name. Strings point into `argv`. On an error `reason`
// names the option, the value and what it may be.
PW_MUST_USE int pw_sim_options_read(struct pw_sim_options *options, int argc, char **argv,
                                    struct pw_out *reason);

void pw_sim_options_help(FILE *to);

#endif
