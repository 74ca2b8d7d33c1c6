// fleet: many OCPP 1.6 stations as a script on virtual time, joined to one central. Each takes
// UpdateFirmware the way the standard draws it: loads, waits for the end of its charge, installs,
// restarts with the new version; or with a bad image fails in one of the ways there are.
#ifndef PW_TEST_CENTRAL_FLEET_H
#define PW_TEST_CENTRAL_FLEET_H

#include "bench.h"
#include "shelf.h"

#define FLEET_MAX 200

enum ill {
    WELL,
    ILL_DOWNLOAD, // the download fails
    ILL_INSTALL,  // InstallationFailed
    ILL_BACK,     // comes up, and is back with the old version
    ILL_SILENT,   // nothing is heard of it any more
    ILL_REFUSES,  // answers with an error
    ILL_LIES,     // says Downloading for ever
    ILL_DIES,     // breaks its link off before it has answered, and never comes back
    ILL_CRASHES,  // the same, and comes back with the old version
    ILL_BRICKS,   // says Installed before it restarts, and never comes back
    ILLS
};

enum doing { RESTS, LOADS, WAITS, INSTALLS, RESTARTS, TRIES, FALLS_BACK, BREAKS_OFF };

struct fleet;

struct unit {
    struct fleet *fleet;
    char id[16];
    const char *maker; // as its boot says
    uint64_t link;     // 0: offline
    char version[16];
    enum ill ill;
    enum doing doing;
    pw_ms due;        // when it does the next thing
    pw_ms charges_to; // it charges until then; 0: not
    int64_t session;
    unsigned asked;
    bool cut;         // its charge was ended by something else than its driver
    pw_ms back_at;    // it comes online; 0: it is, or never
    char answer[128]; // to be said next; empty: nothing
    unsigned called;  // its own messages
    const char *says; // its answer to SignedUpdateFirmware; NULL: it does not know the message
    int64_t request;  // requestId it was last given; 0: none
    bool still;       // it answers, and does nothing of its own
};

struct fleet {
    struct bench bench;
    struct shelf shelf;
    struct unit unit[FLEET_MAX];
    size_t units;
    uint32_t random;
    unsigned asked;   // UpdateFirmware, all in all
    unsigned offered; // SignedUpdateFirmware
    char version[16]; // of the image they are told to load
    // Cuts: behind so many operations on the database every one fails until the restart.
    unsigned operations;
    unsigned cut_at; // 0: never
    bool dead;
};

// A fleet of `units` stations, all online, and a release 2.0.0 at the central.
void fleet_open(struct fleet *fleet, size_t units, uint32_t seed);
void fleet_close(struct fleet *fleet);
// Lets time pass. With a cut in between the central is restarted at once, and the stations come
// back within seconds.
void fleet_pass(struct fleet *fleet, pw_ms span);
// As fleet_pass, until the newest roll-out has this state or the span is over. True when it has.
bool fleet_until(struct fleet *fleet, const char *state, pw_ms span);
void fleet_charge(struct fleet *fleet, struct unit *unit, pw_ms span);
void fleet_offline(struct fleet *fleet, struct unit *unit);
void fleet_online(struct fleet *fleet, struct unit *unit);
uint32_t fleet_random(struct fleet *fleet, uint32_t below);
void fleet_login(struct fleet *fleet);
// Every station is well, has its first version, and does nothing; no roll-out is open.
void fleet_anew(struct fleet *fleet, uint32_t seed);
void fleet_boot(struct unit *unit);
// A message of the station's own; nothing while it is offline.
void fleet_say(struct unit *unit, const char *action, const char *payload);

#endif
