// site: many stations of both kinds on one fuse, each a street with its own world, and the real
// central system with its load groups and station links over them, in virtual time and one process.
// People come and go, links are cut, programs die, the server restarts: everything follows from
// the seed. An observer adds up what the fuse physically carries.
#ifndef PW_STREET_SITE_H
#define PW_STREET_SITE_H

#include "link/link.h"
#include "mains/mains.h"
#include "server.h"

enum {
    SITE_STATIONS = 20,
    SITE_INBOX_MAX = 65536,
    SITE_FUSE_A = 125, // each phase: 20 stations at their fail-safe 6 A, and a little
    SITE_ROW_A = 63,   // of the circuit that the first 8 outlets hang on
    SITE_ROW = 8,
    SITE_OUTLETS = 14, // the others are dc
    SITE_FAILSAFE_MA = 6000,
    SITE_LEASE_MS = 90000, // the longest: a lease and half as long again
    SITE_EXCUSE_MS = 6000, // a vehicle follows in 5 s, an order travels within 1
};

// Who stands before a station.
enum site_person { SITE_AWAY, SITE_PLUGGED, SITE_STAYS, SITE_LEAVES };

struct site_place {
    struct street street;
    struct server_line *line; // its OCPP link, and when it has its next turn
    enum pw_mains_rotation rotation;
    enum site_person person;
    pw_ms person_at;
    unsigned cards; // shown in vain
    // Links.
    uint64_t wire; // number of the station link at the central
    pw_ms cut_since;
    pw_ms cut_until;
    pw_ms revive_at; // a dead program is started again
    size_t inbox_len;
    uint8_t inbox[SITE_INBOX_MAX];
    // What it draws from each phase of the mains, ampere.
    double amps[PW_BOARD_PHASES];
    bool fell; // it has been seen at its fail-safe limit during this cut
};

// What the fuse carried.
struct site_fuse {
    double worst_a;   // most above the limit, whatever it lasted
    pw_ms over_since; // PW_NEVER: within
    pw_ms longest_ms; // above the limit
    double most_a;    // highest phase at all
};

struct site_counts {
    uint64_t turns;
    unsigned plugged;
    unsigned cuts;
    unsigned half_open;
    unsigned restarts;
    unsigned deaths;
    unsigned falls_due;  // cuts longer than every lease
    unsigned falls_seen; // of them, physically at the fail-safe limit or below
};

struct site {
    struct server server;
    struct site_place *place; // SITE_STATIONS
    pw_ms server_at;          // it comes back then
    struct pw_central_wires wires;
    pw_ms trouble_at;
    bool trouble; // links are cut, programs die
    double amps[PW_BOARD_PHASES];
    double row_amps[PW_BOARD_PHASES];
    struct site_fuse fuse;
    struct site_fuse row;
    struct site_counts counts;
};

void site_open(struct site *site, uint64_t seed);
void site_run(struct site *site, pw_ms span);
// Everybody unplugs, every link works; a while later all receipts are in.
void site_settle(struct site *site);
void site_close(struct site *site);

// Energy that physically went through all connectors, milliwatt hours.
int64_t site_physical_mwh(const struct site *site);

#endif
