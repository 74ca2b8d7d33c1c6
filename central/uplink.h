// uplink: one station link as the files of this layer that serve it share it.
#ifndef PW_CENTRAL_UPLINK_H
#define PW_CENTRAL_UPLINK_H

#include "link/link.h"
#include "state.h"

// A request on its way. Exactly one answer comes to it, if only that the link was lost.
struct asked {
    pw_ms at;
    uint16_t number; // of the frame; 0: free
    int64_t command; // whose row waits for the answer; 0: none
    uint64_t ticket; // load sharing's; 0: not its
    bool push;       // a release on its way
};

struct uplink {
    struct uplink *next;
    uint64_t number;
    struct station *station; // NULL: not known yet, or it has lost its station
    char address[ADDRESS_MAX];
    char certificate[PW_CENTRAL_SERIAL_MAX]; // that it has shown; empty: none
    pw_ms opened;
    bool heard;  // bytes came
    bool closed; // the port was asked to close it, or has
    bool ack_event;
    bool ack_log;
    struct asked asked[PW_LINK_OPEN];
    uint32_t pinged;            // round trip of the last ping, as the machine has it
    int64_t rtt_ms;             // of the last request or ping; -1: not known
    struct pw_link_central end; // its memory is ours; NULL: a stranger
};

// --- link_server.c

// Hands over what waits to be sent, and takes note of an end.
void uplink_flush(struct pw_central *central, struct uplink *uplink, struct pw_instant at);
// Sends a request. Its place in uplink->asked, or an error as of pw_link_central_ask.
PW_MUST_USE int uplink_ask(struct pw_central *central, struct uplink *uplink,
                           enum pw_link_type type, const void *request, struct pw_out *why,
                           struct pw_instant at);
// Frees the place of the request that this answers and returns what stood there; `number` 0 when
// it answers none.
struct asked uplink_answered(struct uplink *uplink, uint16_t number, struct pw_instant at);
// Writes what is known of the station's link.
void past_keep(struct pw_central *central, const struct station *station, struct pw_instant at);

// --- link_news.c: each kind of news. The views live for the call.

void news_event(struct pw_central *central, struct station *station,
                const struct pw_link_event *event, struct pw_instant at);
void news_lost(struct pw_central *central, struct station *station, uint64_t count,
               struct pw_instant at);
void news_snapshot(struct pw_central *central, struct station *station,
                   const struct pw_link_snapshot *snapshot, struct pw_instant at);
void news_log(struct pw_central *central, struct station *station,
              const struct pw_link_log_batch *batch, struct pw_instant at);

// --- firmware.c

// An answer to a piece of a release, or the link was lost before.
void push_answered(struct pw_central *central, struct station *station,
                   const struct pw_link_report *report, struct pw_instant at);

// --- link_orders.c

// An answer came, or the link was lost before.
void order_answered(struct pw_central *central, struct uplink *uplink,
                    const struct pw_link_report *report, struct pw_instant at);

#endif
