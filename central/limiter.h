// limiter: how load sharing reaches stations. The station link implements it; OCPP smart charging
// may later. The engine of load groups knows nothing else of the way to a station.
#ifndef PW_CENTRAL_LIMITER_H
#define PW_CENTRAL_LIMITER_H

#include "central.h"

#define PW_CENTRAL_LIMIT_MAX_MA 80000 // most current of one connector

struct pw_central_order {
    struct pw_str station;
    int connector;        // counts from 1
    int32_t ma;           // per phase of the mains, 0..PW_CENTRAL_LIMIT_MAX_MA; 0 pauses
    uint32_t lease_ms;    // whole seconds; counts from arrival, then the fall-back stands
    int32_t fallback_ma;  // 0..PW_CENTRAL_LIMIT_MAX_MA
    struct pw_str reason; // words for the station's page and log, at most 63 bytes
    uint64_t ticket;      // comes back with the answer
};

struct pw_central_limiter {
    void *context;
    // True while orders reach this station.
    bool (*reachable)(void *context, struct pw_str station);
    // Sends an order; the texts are borrowed for the call. PW_OK: one pw_central_limit_answered
    // follows, unless the station is lost first. Any error: it has not left. Must not call back.
    int (*set_limit)(void *context, const struct pw_central_order *order, struct pw_instant at);
};

// From now on orders go this way; NULL: none does. `limiter` must outlive the central.
void pw_central_limit_by(struct pw_central *central, const struct pw_central_limiter *limiter);
// The station has taken the order, or refused it with `why` in words (borrowed).
void pw_central_limit_answered(struct pw_central *central, uint64_t ticket, bool accepted,
                               struct pw_str why, struct pw_instant at);
// Something that load sharing looks at has changed at this station: reachable or not, a vehicle, a
// measurement. The engine runs in the next pw_central_step.
void pw_central_limit_look(struct pw_central *central, struct pw_str station);

#endif
