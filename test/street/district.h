// district: two hundred stations of all kinds, each a street with its own world, driver and machine
// with two slots, and the real central system with its releases and roll-outs, in virtual time and
// one process. Whoever starts programs (systemd and pilotwire-boot) is here, and so are the ways in
// which a new program can be no good on some of the machines.
#ifndef PW_STREET_DISTRICT_H
#define PW_STREET_DISTRICT_H

#include "machine.h"

enum {
    DISTRICT_STATIONS = 200,
    DISTRICT_RESTART_MS = 1000,   // RestartSec of our service
    DISTRICT_WATCHDOG_MS = 10000, // WatchdogSec
};

#define DISTRICT_OLD "1.0.0"
#define DISTRICT_NEW "2.0.0"

// What is wrong with the new version on a machine.
#define DISTRICT_ILLS(X)                                                                           \
    X(WELL, "nothing")                                                                             \
    X(CRASHES, "crashes at its start")                                                             \
    X(HANGS, "hangs after some seconds")                                                           \
    X(UNREACHED, "never reaches the central")                                                      \
    X(NUMB, "does not find its hardware")                                                          \
    X(FORGETS, "cannot write its store")                                                           \
    X(GARBLED, "arrives with another byte")

#define DISTRICT_ILL_ID(name, words) DISTRICT_##name,
enum district_ill { DISTRICT_ILLS(DISTRICT_ILL_ID) DISTRICT_ILL_ROWS };
#undef DISTRICT_ILL_ID
extern const char *const district_ill_words[DISTRICT_ILL_ROWS];

// Who stands before a station.
enum district_driver { DRIVER_AWAY, DRIVER_PLUGGED, DRIVER_CHARGES, DRIVER_LEAVES };

struct district_place {
    struct street street;
    struct machine machine;
    struct server_line *line;
    enum district_ill ill;
    bool fresh;     // the new version runs
    pw_ms start_at; // a program is started; PW_NEVER: one runs
    pw_ms hangs_at; // the program turns no more; PW_NEVER: it does
    enum district_driver driver;
    pw_ms driver_at;
    unsigned cards;  // shown in vain
    unsigned served; // drivers who got energy and left as they wished
    unsigned missed; // ... who got none
    int64_t session; // that was open when the roll-out began; 0: none
};

struct district {
    struct server server;
    struct pw_depot *depot; // the test's, for the central's files
    struct district_place *place;
    struct pw_release_crypto crypto;
    struct rig_release older; // runs everywhere at first, security counter 3
    struct rig_release newer; // counter 4
    struct rig *first;        // a machine on which `older` is confirmed
    uint64_t turns;
    bool closed;          // nobody comes any more
    unsigned interrupted; // times a charge was seen to stop that nobody wanted to stop
    char what[160];       // the first of them
};

// All stations online at the old version, the new release at the central, a person logged in. From
// now on drivers come and go, so that about a third of the stations charge at any time.
void district_open(struct district *district, uint64_t seed, struct pw_depot *depot);
void district_close(struct district *district);
void district_run(struct district *district, pw_ms span);
// As district_run, until the roll-out has this state, at most `most`. True when it has.
bool district_until(struct district *district, const char *state, pw_ms most);
// So many stations, drawn, cannot run the new version; each way comes about as often.
void district_sicken(struct district *district, unsigned stations);
// Notes the sessions that are open at the central. Their number.
unsigned district_note_sessions(struct district *district);

// Every station is online, no update is under way anywhere, and no driver is there or will come.
bool district_is_settled(const struct district *district);
bool district_is_online(const struct district_place *place);
// Energy that went through the connector, physically.
int64_t district_energy_mwh(const struct district_place *place);

#endif
