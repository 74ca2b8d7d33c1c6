// street: one station, the world behind its CAN bus, its store and a central system, in virtual
// time and one process. No sleeping: time jumps to whatever is due next. Everything follows from
// the seed and the calls made.
#ifndef PW_STREET_H
#define PW_STREET_H

#include "book.h"
#include "dcworld/dcworld.h"
#include "simstore.h"
#include "station.h"

enum { STREET_TRANSIT_MAX = 16, STREET_TEXT_MAX = 16384 };

struct street_letter {
    pw_ms at;
    bool to_station;
    char text[STREET_TEXT_MAX];
};

struct street {
    pw_ms now;
    pw_unix_ms wall; // at now == 0
    struct pw_world_dc world;
    struct pw_sim_store store;
    struct pw_settings settings;
    struct pw_station *station; // NULL while its power is off
    struct book book;
    // The network.
    bool reachable; // the central system can be reached
    bool link;
    pw_ms link_at;    // a connection being made is there; PW_NEVER: none is being made
    pw_ms latency_ms; // one way
    struct street_letter letters[STREET_TRANSIT_MAX];
    unsigned letter_count;
    // Deadlines.
    pw_ms station_at;
    pw_ms world_at;
    // What an observer saw.
    uint64_t turns;
    uint64_t hash; // of every CAN frame and message, in order
    bool verbose;
};

// A station with one connector, a scooter as `world` says (NULL: defaults, unplugged).
void street_open(struct street *street, const struct pw_world_dc_config *world);
// Sets a setting as the file would; only before street_power_on.
void street_set(struct street *street, const char *path, const char *value);
void street_power_on(struct street *street);
void street_power_off(struct street *street);
void street_close(struct street *street);

void street_run(struct street *street, pw_ms span);
// Runs until `done` says so, at most `most`; false when it never did.
bool street_until(struct street *street, bool (*done)(const struct street *street), pw_ms most);
void street_call(struct street *street, const char *action, const char *payload);
// A console line; the answer in a buffer that the next command reuses.
const char *street_command(struct street *street, const char *line);
void street_cut_link(struct street *street);

// The station's view of its connector.
struct pw_bay_view street_view(const struct street *street);
bool street_is_charging(const struct street *street);
bool street_is_idle(const struct street *street);

#endif
