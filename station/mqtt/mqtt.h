// mqtt: the station's topics on a broker. One table of rows says for each topic what it means:
// which setting, in what unit, where it is echoed; one interpreter serves them (mqtt/topics.h).
// Names and numbers are those of facts/ac-evse-rapi-load.md §3.1 and §3.2; doc/mqtt.md lists them,
// in our units.
//
// It reads views and settings and changes things only through lines of the console
// (pw_station_command): one way to do a thing, one set of refusals. Pure: the port moves the
// messages, time is an argument, nothing here waits for a broker, and none of it can delay a
// charge.
//
//     base topic        mqtt.prefix/mqtt.serial                      Dinamics/SN
//     connector 1       BASE/<name>
//     connectors 2...   BASE/<n>/<name>
//     refusals          BASE/error   {"topic":"set_breaker","value":"300","error":"..."}
//     presence          BASE/connected   online or offline, retained; offline is the last will
//
// State topics are not queued: each row remembers what was published last, and a message is made
// from what is so at the moment it can leave. Answers, errors and events wait in a bounded ring.
//
// A command counts once, when it is given: what the broker kept (retained) is ignored, and so is
// what waited here for PW_MQTT_STALE_MS. Connections are clean, so that no broker stores commands
// for a station that is away; a sender with MQTT v5 gives them an expiry. With 3.1.1 the retain
// flag and the clean session say the same, and the keep-alive bounds what hangs in a broken
// connection.
#ifndef PW_MQTT_H
#define PW_MQTT_H

#include "broker/broker.h"
#include "json/json.h"
#include "station.h"

#define PW_MQTT_GUESTS_MAX 4
#define PW_MQTT_BASE_MAX   92    // "prefix/serial" and NUL
#define PW_MQTT_STALE_MS   10000 // a command older than this is not carried out
#define PW_MQTT_INBOX      8     // commands that wait for the step
#define PW_MQTT_VALUE_MAX  256   // bytes of a command's payload; longer ones are refused
#define PW_MQTT_BURST      40    // commands at once; more are left out, and said so once
#define PW_MQTT_REFILL_MS  100   // ... until one more is let in
#define PW_MQTT_EVENTS     2048  // bytes of answers, errors and events that wait
#define PW_MQTT_DEBUG      1024  // bytes of log lines that wait for debug_log
#define PW_MQTT_PAYLOAD    2048  // bytes of the longest message of our own
#define PW_MQTT_ROWS_MAX   48    // value rows of mqtt/topics.h

// Another room on the same connection, with topics of its own: a house meter, Home Assistant
// discovery. Any function may be NULL.
struct pw_mqtt_guest {
    void *context;
    // Its n-th topic filter, from 0, absolute. False: there are no more.
    bool (*subscription)(void *context, unsigned n, struct pw_out *filter);
    // A message on any topic that is not a command of the station's own. It only stores. Retained
    // ones come too: whoever wants news looks at message->retain. True: it was the guest's.
    bool (*message)(void *context, const struct pw_broker_message *message, pw_ms now);
    // The connection is there (anew), or gone: what was published may have to be told again.
    void (*up)(void *context, pw_ms now);
    void (*down)(void *context, pw_ms now);
    // Once a turn. Returns when it wants to be called next.
    pw_ms (*step)(void *context, pw_ms now);
    // The next message it wants published, made now; its texts live until the next call. False:
    // none.
    bool (*take)(void *context, struct pw_broker_message *message, pw_ms now);
};

struct pw_mqtt_config {
    struct pw_station *station;
    const struct pw_log *log;
    const char *version; // published on fwversion, and FW in settings; lives as long as mqtt
};

// A command that waits for the step.
struct pw_mqtt_command {
    uint8_t row;
    uint8_t connector; // index from 0
    bool too_long;
    uint16_t len;
    pw_ms at;
    char value[PW_MQTT_VALUE_MAX];
};

PW_RING_DEF(pw_mqtt_inbox, struct pw_mqtt_command, PW_MQTT_INBOX);

// What a value row published last, for each connector.
struct pw_mqtt_said {
    bool due;
    bool said;
    uint32_t sum;  // of its text
    int64_t value; // decimals: for the band
};

// The raw line under way at a connector's board, and those to be asked next.
struct pw_mqtt_asking {
    uint32_t ticket; // 0: none
    uint8_t reply;   // row of the replies; past the last: a line of rapi_request
    uint32_t wanted; // replies to ask for, 1 << row
    char line[64];   // of rapi_request, waiting or under way; ""
    uint32_t events; // of the board that have been published
    uint32_t answers;
};

// The caller owns it, about 12 KiB. Fields are mqtt's own business.
struct pw_mqtt {
    struct pw_mqtt_config config;
    char base[PW_MQTT_BASE_MAX];
    struct pw_mqtt_guest guest[PW_MQTT_GUESTS_MAX];
    unsigned guests;
    unsigned guest_turn;
    bool up;
    bool greet; // "online" is to be published
    struct pw_mqtt_inbox inbox;
    pw_ms free_at;     // of the bucket: far ahead means empty
    uint32_t left_out; // commands not let in, until one is again
    uint32_t told_out;
    struct pw_mqtt_said said[PW_MQTT_ROWS_MAX][PW_CONNECTORS_MAX];
    char event[PW_MQTT_EVENTS]; // whole messages, oldest first
    size_t event_len;
    uint32_t events_lost;
    char debug[PW_MQTT_DEBUG]; // "$line$$line$"
    size_t debug_len;
    uint32_t debug_lost; // lines that found no room since the last message
    bool debug_due;
    pw_ms look_at;
    pw_ms flush_at;
    pw_ms time_at;
    // Whoever could log in at the broker may do more than those who only reached it. As it was at
    // the start: the connection that stands was made with that.
    bool known;
    struct pw_mqtt_asking asking[PW_CONNECTORS_MAX];
    char ip[46];
    int64_t free_kb;
    char topic[PW_BROKER_TOPIC_MAX];
    char payload[PW_MQTT_PAYLOAD];
};

// The configuration is copied; what it points to outlives it.
void pw_mqtt_init(struct pw_mqtt *mqtt, const struct pw_mqtt_config *config, pw_ms now);
// A guest, copied; before the first connection. PW_ERR_LIMIT when there are too many.
PW_MUST_USE int pw_mqtt_join(struct pw_mqtt *mqtt, const struct pw_mqtt_guest *guest);

// What this machine knows about itself: address ("" unknown), free memory in KiB (-1 unknown).
void pw_mqtt_facts(struct pw_mqtt *mqtt, struct pw_str ip, int64_t free_kb);

// What the port needs to connect: the n-th topic filter (false: no more), the last will.
bool pw_mqtt_subscription(const struct pw_mqtt *mqtt, unsigned n, struct pw_out *filter);
void pw_mqtt_will_topic(const struct pw_mqtt *mqtt, struct pw_out *topic);
#define PW_MQTT_ONLINE  "online"
#define PW_MQTT_OFFLINE "offline" // payload of the last will

// One line of the log, before any filter. Stored for debug_log when the debug switches
// (mqtt.debug) say so. True: the line belongs into the log whatever log.level says.
bool pw_mqtt_line(struct pw_mqtt *mqtt, const char *room, struct pw_str text);

// Inputs; stored, or handed to the guest whose it is.
void pw_mqtt_up(struct pw_mqtt *mqtt, pw_ms now);
void pw_mqtt_down(struct pw_mqtt *mqtt, struct pw_str reason, pw_ms now);
// True while a further command can be stored; without room, messages had better wait outside.
bool pw_mqtt_has_room(const struct pw_mqtt *mqtt);
void pw_mqtt_message(struct pw_mqtt *mqtt, const struct pw_broker_message *message, pw_ms now);

// Carries out what came and finds what changed. Once a turn, after the station's step; returns when
// it wants to be called next.
pw_ms pw_mqtt_step(struct pw_mqtt *mqtt, pw_ms now);
// The next message to publish; its texts live until the next call. False: none, or not connected.
bool pw_mqtt_take(struct pw_mqtt *mqtt, struct pw_broker_message *message, pw_ms now);

// "Dinamics/SN", for guests.
const char *pw_mqtt_base(const struct pw_mqtt *mqtt);
// "Dinamics/SN/name", or "Dinamics/SN/2/name" for connector 2; connectors count from 1.
void pw_mqtt_topic(const struct pw_mqtt *mqtt, unsigned connector, const char *name,
                   struct pw_out *out);

#endif
