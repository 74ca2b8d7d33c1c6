// groups: load groups as their files share them. A group is a tree of circuits with members that
// share its current; core/load decides, limiter.h carries it out.
#ifndef PW_CENTRAL_GROUPS_H
#define PW_CENTRAL_GROUPS_H

#include "http.h"
#include "limiter.h"
#include "load/load.h"

#define GROUPS_MAX         200
#define GROUP_CIRCUITS_MAX 200
#define GROUP_MEMBERS_MAX  1000
#define GROUP_NAME_CHARS   64
#define GROUP_NAME_MAX     257 // the same in UTF-8, and the NUL
#define GROUP_EVERY_MS     5000
#define GROUP_SPACING_MS   200 // between two runs of one group, whatever happens
#define HISTORY_MS         10000
#define HISTORY_DAYS       30

struct group_circuit {
    char id[PW_CENTRAL_STATION_MAX + 1];
    char name[GROUP_NAME_MAX];
    int32_t reserved_ma[PW_LOAD_PHASES]; // for what is not measured
};

struct group_member {
    char station[PW_CENTRAL_STATION_MAX + 1];
    int connector;
    int32_t failsafe_ma;
    unsigned phases;     // wired: 1 to 3
    uint8_t seen_phases; // bits of the connector's phases that its vehicle has been drawing from
    pw_ms seen_since;
    struct pw_load_order order;
    bool linked;
    int32_t known_ma;         // as the database has it: what it may have been told
    int64_t register_at_plug; // mWh, when its vehicle came
    uint64_t ticket;          // of the order under way
    char refusal[64];         // why it refused the last order; empty
    // Of the last row of its history.
    int32_t kept_offer_ma;
    int32_t kept_used_ma;
    pw_unix_ms kept_at;
};

// The arrays of `load` that are not const, and what belongs to each of their elements.
struct group {
    char id[PW_CENTRAL_STATION_MAX + 1];
    char name[GROUP_NAME_MAX];
    struct pw_load_config config;
    struct pw_load load;
    struct group_circuit *circuit;
    struct group_member *member;
    struct pw_load_circuit *load_circuit;
    struct pw_load_member *load_member;
    bool look; // something changed
    pw_ms ran_at;
    pw_ms run_at;
    pw_ms told_at; // last event
    pw_ms history_at;
};

struct groups {
    const struct pw_central_limiter *limiter;
    struct group *group[GROUPS_MAX]; // ordered by id
    size_t count;
    uint64_t tickets;
};

// --- groups.c: in memory and in the database.

struct group *group_find(const struct pw_central *central, struct pw_str id);
// An empty group with room for so many; NULL without memory.
struct group *group_make(size_t circuits, size_t members);
void group_free(struct group *group);
// Puts a checked group in the place of the one with its id (or beside the others) and takes over
// what is known of members that stay. PW_ERR_LIMIT when there are too many, PW_ERR_STORE.
PW_MUST_USE int group_put(struct pw_central *central, struct group *group, struct pw_instant at);
PW_MUST_USE int group_remove(struct pw_central *central, struct group *group, struct pw_instant at);
// The group that this connector is a member of; NULL when it is free.
const struct group *group_of(const struct pw_central *central, struct pw_str station,
                             int connector);

// --- groups_document.c: a group as JSON.

// Reads and checks the request's body. NULL after answering 400 or 503.
struct group *group_read(struct http *http, struct pw_str id);
// Members of the document's object, with the present state.
void group_report(const struct pw_central *central, struct pw_json_writer *json,
                  const struct group *group);
// One line of the list, also the event.
void group_summary(const struct pw_central *central, struct pw_json_writer *json,
                   const struct group *group);

// --- groups_run.c

// Members that leave are told that nothing limits them any more.
void group_release(struct pw_central *central, const struct group_member *member,
                   struct pw_instant at);
// What the members' vehicles may take and do take, on the mains phases of a circuit. False in
// *known when some draw is not known.
struct group_sum {
    int64_t offer_ma[PW_LOAD_PHASES];
    int64_t used_ma[PW_LOAD_PHASES];
    bool known;
};
struct group_sum group_sum(const struct group *group, size_t circuit);
// The current drawn, highest phase; -1: not known.
int32_t group_used(const struct group *group, size_t member);
// What it may take: what it was told, or what is reserved for it while it is unreachable.
int32_t group_offer(const struct group *group, size_t member);

// --- groups_history.c

void group_history_keep(struct pw_central *central, struct group *group, struct pw_instant at);
void group_history_report(const struct pw_central *central, struct pw_json_writer *json,
                          const struct group *group, pw_unix_ms from, pw_unix_ms to);

#endif
