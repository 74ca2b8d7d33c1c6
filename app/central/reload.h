// reload: certificates that are renewed while the program serves (every 60 or 90 days, by certbot
// or its like), and who vouches for stations' own. New connections have the new ones; those that
// stand stay.
#ifndef PW_APP_CENTRAL_RELOAD_H
#define PW_APP_CENTRAL_RELOAD_H

#include "changed.h"
#include "linkserver.h"
#include "web.h"

#define RELOAD_LOOK_MS 10000 // between two looks at the files
#define RELOAD_FILES   6

struct reload {
    struct pw_web *web;
    struct pw_linkserver *links; // NULL: none
    const struct pw_log *log;
    struct {
        struct pw_changed look;
        bool lists; // it may have lists of what was revoked
    } file[RELOAD_FILES];
    size_t files;
    pw_ms look_at;
};

// NULL is none.
void reload_watch(struct reload *reload, const char *path, bool lists);
// Says in the log which lists should have been replaced by now.
void reload_lists(const struct reload *reload);
// Reads all of them again, and logs what came of it.
void reload_now(struct reload *reload);
// Does so when a file has changed. Returns when to look again.
pw_ms reload_step(struct reload *reload, pw_ms now);

#endif
