// uplink: the station at its end of the station link. What changes on a connector becomes an event
// in the same turn; what the central asks becomes a limit or a request to the session; the log ring
// is read out to it. It decides nothing about contactors: it asks, and says in words why not.
// Sources: facts/ac-evse-rapi-load.md §4; doc/link.md.
//
// One turn of the station:  pw_uplink_hear  (requests)  →  connectors, sessions, OCPP step  →
// pw_uplink_tell  (events, answers that need the new state, log lines).
#ifndef PW_UPLINK_H
#define PW_UPLINK_H

#include "connector/connector.h"
#include "cp16/cp16.h"
#include "files/files.h"
#include "link/link.h"
#include "logring/logring.h"

enum {
    PW_UPLINK_KINDS = 16,     // event kinds and one
    PW_UPLINK_REASON = 80,    // bytes of why the connection ended
    PW_UPLINK_PACE_MS = 1000, // between two events of a value that moves (power, offer, limit)
};

// What the uplink asks of the station about a charge; connectors count from 1. PW_OK, or a refusal
// with one sentence in *why.
struct pw_uplink_host {
    void *context;
    int (*start)(void *context, unsigned connector, struct pw_str id_tag, struct pw_out *why,
                 pw_ms now); // as OCPP's RemoteStartTransaction
    int (*stop)(void *context, unsigned connector, struct pw_out *why, pw_ms now);
    bool (*at_rest)(void *context);
};

// Everything borrowed, for good. `logring` may be NULL: then no lines are sent.
struct pw_uplink_parts {
    const struct pw_settings *settings;
    const struct pw_cp16 *cp16; // the date
    struct pw_connector *connector;
    unsigned connectors;
    const struct pw_uplink_host *host;
    const struct pw_logring *logring;
    struct pw_files *files; // NULL: no releases come this way
    const struct pw_log *log;
    const char *firmware;
    uint64_t boot; // another at each start
    uint32_t seed;
};

// What was told last of one thing, and when.
struct pw_uplink_told {
    int64_t value;
    pw_ms at; // PW_NEVER: nothing yet
    char text[PW_LINK_TEXT_MAX + 1];
};

struct pw_uplink_connector {
    struct pw_uplink_told told[PW_UPLINK_KINDS];
    pw_ms lease_until; // PW_NEVER: none runs
    int32_t fallback_ma;
    bool leased;  // the central has set a limit since the start
    bool pressed; // an emergency stop of the central's, for one turn
};

struct pw_uplink {
    struct pw_uplink_parts parts;
    struct pw_link_station link;
    struct pw_uplink_connector of[PW_CONNECTORS_MAX];
    struct pw_uplink_told told_update;
    enum pw_link_state logged; // state in the last log line
    uint64_t lost_logged;
    pw_ms log_at;                  // next batch of lines
    char reason[PW_UPLINK_REASON]; // how the port's last connection ended
};

// Before the first step. With uplink.url set, the fall-back of uplink.failsafe_ma stands on every
// connector until the central has spoken.
void pw_uplink_init(struct pw_uplink *up, const struct pw_uplink_parts *parts, pw_ms now);

// From the port: as pw_link_station_*, plus why a connection ended. Not before uplink.url is set.
bool pw_uplink_wants(const struct pw_uplink *up, pw_ms now);
void pw_uplink_up(struct pw_uplink *up, pw_ms now);
void pw_uplink_down(struct pw_uplink *up, struct pw_str reason, pw_ms now);

// Takes requests: limits, starts and stops, subscriptions; leases that are over.
void pw_uplink_hear(struct pw_uplink *up, pw_ms now);
// Tells what changed and returns the next deadline.
pw_ms pw_uplink_tell(struct pw_uplink *up, pw_ms now);

// For the console: state, central, events that wait, leases.
void pw_uplink_report(const struct pw_uplink *up, struct pw_out *out, pw_ms now);

#endif
