// street: one station, the world behind its wires, its store and a central system, in virtual time
// and one process. No sleeping: time jumps to whatever is due next. Everything follows from the
// seed and the calls made. What the station's wires are is a row of functions: a CAN bus with a
// scooter (dc), the board of an outlet with a car (ac), or the line to an OpenEVSE board with a car
// and a house (oe), there with an observer who sees nothing but the physical world.
#ifndef PW_STREET_H
#define PW_STREET_H

#include "acwatch.h"
#include "acworld/acworld.h"
#include "book.h"
#include "dcworld/dcworld.h"
#include "oewatch.h"
#include "oeworld/oeworld.h"
#include "simfiles.h"
#include "simstore.h"
#include "station.h"

enum { STREET_TRANSIT_MAX = 16, STREET_TEXT_MAX = 32768 };

struct street_letter {
    pw_ms at;
    bool to_station;
    char text[STREET_TEXT_MAX];
};

struct street;
struct street_signing;

// What moves files and installs programs where the station runs.
struct street_computer {
    void *context;
    // Chooses the program that starts now, as whoever starts programs does; its version.
    const char *(*start)(void *context);
    const struct pw_transfer *transfer;
    const struct pw_install *install;
};

struct street_kind {
    const char *name; // as the settings row `kind` has it
    // The supply of station and hardware comes or goes; with it, the station is there.
    void (*power)(struct street *street, bool on);
    // The world up to now; what it says goes to the station, if there is one.
    void (*world)(struct street *street);
    // What the station does to its world.
    void (*effects)(struct street *street);
    void (*observe)(struct street *street); // NULL: nobody looks
    // A line of its world's scenario, which must be accepted; NULL: it has none.
    void (*act)(struct street *street, const char *line);
};

extern const struct street_kind street_kind_dc;
extern const struct street_kind street_kind_ac;
extern const struct street_kind street_kind_oe;

// Who is at the other end of the OCPP link. The book, unless somebody else takes its place.
struct street_central {
    bool (*open)(struct street *street); // a connection arrives; false: refused
    void (*hear)(struct street *street, struct pw_str text);
    void (*closed)(struct street *street); // by the station, or cut
};

struct street {
    pw_ms now;
    pw_unix_ms wall; // at now == 0
    bool clockless;  // the station's own clock has no battery
    const struct street_kind *kind;
    union {
        struct pw_world_dc world;
        struct pw_world_ac ac;
        struct pw_world_oe oe;
    };
    struct pw_board_drive drive; // ac: the last one; a port repeats it
    pw_ms driven_at;             // ... and when
    struct acwatch watch;        // ac
    struct oewatch oewatch;      // oe, as what follows
    bool wired;                  // the line to the board is there
    bool metered;                // the house's meter is read
    uint8_t line[512];           // of the board, not yet taken by the station
    size_t unread;
    struct pw_log log;
    struct pw_sim_store store;
    struct pw_settings settings;
    struct street_computer computer;        // `start` NULL: there is none
    const struct pw_release_crypto *crypto; // of releases; NULL: all are refused
    const struct pw_trust *trust;           // keys and certificates; NULL: there are none
    struct street_signing *signing; // the meter of connector 1 that signs; NULL: it does not
    struct pw_logring *logring;     // where log lines are kept; NULL: nowhere
    struct pw_station *station;     // NULL while its power is off
    struct book book;
    const struct street_central *central;
    void *central_context;
    // The network.
    bool reachable; // the central system can be reached
    bool link;
    pw_ms link_at;    // a connection being made is there; PW_NEVER: none is being made
    pw_ms latency_ms; // one way
    enum pw_security_fault refused; // set by `open` with `why` when it says no
    char why[128];
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
// The same with an outlet and a car.
void street_open_ac(struct street *street, const struct pw_world_ac_config *world);
// The same with an OpenEVSE board, a car and a house.
void street_open_oe(struct street *street, const struct pw_world_oe_config *world);
// A scenario line of the ac or oe world that must be accepted.
void street_do(struct street *street, const char *line);
// The line to the board breaks, or is there again.
void street_wire(struct street *street, bool up);
// A card at the reader, which the observer sees too.
void street_card(struct street *street, const char *id_tag);
// Sets a setting as the file would; only before street_power_on.
void street_set(struct street *street, const char *path, const char *value);
void street_secret(struct street *street, const char *path, const char *value);
// The computer is this one; before street_power_on.
void street_files(struct street *street, struct pw_sim_files *files);
void street_power_on(struct street *street);
void street_power_off(struct street *street);
// The program dies, or comes back with street_power_on; board and supply stay.
void street_crash(struct street *street);
void street_close(struct street *street);

void street_run(struct street *street, pw_ms span);
// Runs until `done` says so, at most `most`; false when it never did.
bool street_until(struct street *street, bool (*done)(const struct street *street), pw_ms most);
void street_call(struct street *street, const char *action, const char *payload);
// A console line; the answer in a buffer that the next command reuses.
const char *street_command(struct street *street, const char *line);
void street_cut_link(struct street *street);

// Somebody clears the faults by hand.
void street_clear(struct street *street);
// A limit of load sharing, for `lease`; PW_NEVER: for good.
PW_MUST_USE int street_load_limit(struct street *street, int32_t ma, pw_ms lease);

// For who runs many streets: one turn at street->now, when the next is due, and a message of the
// central system on its way to the station.
void street_turn(struct street *street);
pw_ms street_next(const struct street *street);
void street_post(struct street *street, struct pw_str text);

// For the kinds: bytes that belong to the hash.
void street_mix(struct street *street, const void *bytes, size_t len);

// The station's view of its connector.
struct pw_connector_view street_view(const struct street *street);
struct pw_bay_view street_bay(const struct street *street); // dc
bool street_is_charging(const struct street *street);
bool street_is_idle(const struct street *street);

#endif
