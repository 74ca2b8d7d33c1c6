// The desk of station/files: the machine with the server and the slots of the test, in virtual
// time.
#ifndef PW_TEST_FILES_DESK_H
#define PW_TEST_FILES_DESK_H

#include "files/parts.h"
#include "make.h"
#include "simfiles.h"
#include "simstore.h"

#define NOW_WALL INT64_C(1767225600000) // 2026-01-01 00:00

struct desk {
    pw_ms now;
    struct pw_settings settings;
    struct pw_sim_store store;
    struct pw_sim_files sim;
    struct pw_release_crypto crypto;
    struct pw_files_host host;
    struct pw_files files;
    uint8_t image[60000]; // the release that the server has
    size_t image_len;
    unsigned pieces;
    uint32_t seed;
    bool charging;
    bool stubborn; // a charge that does not end when it is told to
    bool bad_signature;
    bool offline; // no central is reached
    bool clockless;
    bool broken[PW_FILES_CHECK_ROWS];
    uint32_t unusable;
    int certificate; // what the judge says of it
    unsigned restarts;
    unsigned ended; // times charges were ended
    unsigned events[3];
    char said[900]; // statuses in order, as words
};

struct desk *open_desk(void);
void close_desk(struct desk *desk);
// The server has this release, its program `len` bytes long (0: short).
void offer_release(struct desk *desk, const struct pw_make *make, size_t len);
// The power goes, or the program is started anew.
void start(struct desk *desk);
// What is to be said is said at once, and written down.
void listen(struct desk *desk);
void run(struct desk *desk, pw_ms span);
// Until it asks for a restart, at most so long; and restarts. False: it never did.
bool run_to_restart(struct desk *desk, pw_ms most);

#endif
