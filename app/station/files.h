// files: the ports that move files and install programs, as the station's settings say.
#ifndef PW_STATION_APP_FILES_H
#define PW_STATION_APP_FILES_H

#include "settings/settings.h"
#include "slots.h"
#include "transfer/carrier.h"

struct files {
    const struct pw_proxy *proxy; // read when a transfer begins
    struct pw_carrier *carrier;
    struct pw_slots *slots;
    struct pw_release_crypto crypto;
};

// Downloads lie in `folder`, the program's data folder; `trust` is where port/linux/trust keeps
// roots. PW_ERR_LIMIT with a sentence in *why.
PW_MUST_USE int files_open(struct files *files, struct pw_loop *loop,
                           const struct pw_settings *settings, const char *folder,
                           const char *trust, struct pw_out *why);
void files_close(struct files *files); // harmless when it was never opened

#endif
