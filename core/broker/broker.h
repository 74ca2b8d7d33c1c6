// broker: the contract between what speaks MQTT by meaning (station/mqtt) and what carries it
// (port/linux/mqtt, or a client of another port): one message, both ways, and its bounds.
// Source: MQTT Version 5.0 (OASIS), 3.3; MQTT 3.1.1, 3.3.
#ifndef PW_BROKER_H
#define PW_BROKER_H

#include "base/base.h"

#define PW_BROKER_TOPIC_MAX   128   // bytes of a topic or a filter, with NUL
#define PW_BROKER_IN_MAX      1024  // bytes of a payload that comes; longer ones are not handed up
#define PW_BROKER_OUT_MAX     16384 // bytes of a payload that goes
#define PW_BROKER_FILTERS_MAX 96    // subscriptions of one connection

// A message. The texts are borrowed for the call that hands it over.
struct pw_broker_message {
    struct pw_str topic;
    struct pw_str payload;
    // Out: the broker keeps it for those who subscribe later. In: it was kept, and is no news.
    bool retain;
    // Out: the broker throws it away after so many seconds; 0: never. MQTT v5 only.
    uint32_t expiry_s;
};

// How a client introduces itself; all texts are terminated and copied.
struct pw_broker_will {
    const char *topic; // what the broker publishes, retained, when the connection breaks; "": none
    const char *payload;
};

#endif
