// limiter: how load sharing reaches stations. The station link implements it; OCPP smart charging
// may later. The engine of load groups knows nothing else of the way to a station.
#ifndef PW_CENTRAL_LIMITER_H
#define PW_CENTRAL_LIMITER_H

#include "central.h"

struct pw_central_order {
    struct pw_str station;
    int connector;     // counts from 1
    int32_t ma;        // per phase of the mains; 0 pauses
    uint32_t lease_ms; // counts from arrival; then the fall-back stands
    int32_t fallback_ma;
    struct pw_str reason; // words for the station's page and log
    uint64_t ticket;      // comes back with the answer
};

struct pw_central_limiter {
    void *context;
    // True while orders reach this station.
    bool (*reachable)(void *context, struct pw_str station);
    // Sends an order; the texts are borrowed for the call. PW_OK: pw_central_limit_answered comes
    // later, once, unless the station is lost first. PW_ERR_UNKNOWN: not reachable. PW_ERR_LIMIT:
    // its queue is full. Must not call back.
    int (*set_limit)(void *context, const struct pw_central_order *order);
};

#endif
