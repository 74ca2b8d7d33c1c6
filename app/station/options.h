// options: the command line of pilotwire-station.
#ifndef PW_APP_STATION_OPTIONS_H
#define PW_APP_STATION_OPTIONS_H

#include "base/base.h"

#include <stdio.h>

struct options {
    const char *config;
    const char *secrets; // NULL: no secrets file
    const char *data;
    const char *tpm;         // where the device key is: auto, off, or how to reach a TPM
    const char *credentials; // $CREDENTIALS_DIRECTORY; NULL: none
    const char *control;
    unsigned control_mode;
    bool check;
    bool seal_secrets;
    bool rotate_key;
    bool factory_reset;
    bool discard_unsent;
    bool print_settings;
    bool version;
    bool help;
};

// PW_OK, or PW_ERR_RANGE with one sentence in *why.
PW_MUST_USE int options_parse(struct options *options, int argc, char **argv, struct pw_out *why);
void options_help(FILE *to);

#endif
