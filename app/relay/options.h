// options: the command line of pilotwire-relay.
#ifndef PW_APP_RELAY_OPTIONS_H
#define PW_APP_RELAY_OPTIONS_H

#include "lora/lora.h"

#include <stdio.h>

struct options {
    bool help;
    bool version;
    const char *board; // devices, as pw_stream_open takes them
    const char *modem;
    char key[PW_LORA_KEY_MOST + 1]; // "" with help or version
    struct pw_rapi_config rapi;
    int32_t air_bps;
    int32_t frame_ms;
};

// PW_ERR_RANGE with one sentence in *why.
PW_MUST_USE int options_parse(struct options *options, int argc, char **argv, struct pw_out *why);
void options_help(FILE *to);

#endif
