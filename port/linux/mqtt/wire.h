// wire: one connection to an MQTT broker, libmosquitto on a thread of its own. Looking up the name,
// connecting and the TLS handshake happen there; the loop only puts messages into bounded queues
// and takes them out, and never waits. MQTT v5; 3.1.1 when the broker refuses that. A connection
// that fails is tried again after 1 s, doubling to 60 s, each with jitter. Connections are clean:
// the broker keeps nothing for us while we are away.
//
// When the queue of what came is full, the thread stops reading until the loop has taken some: a
// flood waits in the broker. A v5 broker is told the largest packet we take.
#ifndef PW_LINUX_MQTT_WIRE_H
#define PW_LINUX_MQTT_WIRE_H

#include "broker/broker.h"
#include "loop.h"

#define PW_MQTT_WIRE_KEEPALIVE_S  15    // a silent broker is given up after one and a half
#define PW_MQTT_WIRE_OPEN_S       15    // real seconds for connection and handshake
#define PW_MQTT_WIRE_PAUSE_MIN_MS 1000  // real time
#define PW_MQTT_WIRE_PAUSE_MAX_MS 60000 // real time
#define PW_MQTT_WIRE_QUEUE        32768 // bytes that wait, each way

struct pw_mqtt_wire;

// All texts are terminated and copied; "" or NULL means none.
struct pw_mqtt_wire_config {
    const char *url; // mqtt://host[:1883] or mqtts://host[:8883]
    const char *client_id;
    const char *username;
    const char *password;
    // mqtts: whom to trust and what to show (peer/peer.h).
    const char *ca_file;
    const char *pin;
    const char *certificate;
    const char *key;
    pw_unix_ms wall; // as pw_mqtt_wire_wall
    struct pw_broker_will will;
    uint32_t seed; // for the jitter of pauses
};

// mqtt://host[:port] or mqtts://host[:port], host a name, an IPv4 address or an IPv6 address in
// brackets. PW_OK or PW_ERR_RANGE with what is wrong in *why.
PW_MUST_USE int pw_mqtt_wire_check_url(struct pw_str url, struct pw_out *why);

// Starts the thread; it connects by itself and again. NULL with a sentence in *why: the url or the
// file cannot be used, or no thread is to be had. The loop must outlive it.
struct pw_mqtt_wire *pw_mqtt_wire_open(struct pw_loop *loop,
                                       const struct pw_mqtt_wire_config *config,
                                       struct pw_out *why);
// A filter the connection subscribes to, each time it comes up. Before or after it is up.
// PW_ERR_LIMIT: too many, or too long.
PW_MUST_USE int pw_mqtt_wire_subscribe(struct pw_mqtt_wire *wire, struct pw_str filter);

enum pw_mqtt_wire_news { PW_MQTT_WIRE_NONE, PW_MQTT_WIRE_UP, PW_MQTT_WIRE_DOWN };
// What has happened to the connection since it was last asked, one at a time. DOWN also when it
// could not be made; *reason (for DOWN) lives until the next call.
enum pw_mqtt_wire_news pw_mqtt_wire_news(struct pw_mqtt_wire *wire, struct pw_str *reason);

// A message to publish, copied. PW_ERR_BUSY: not connected; PW_ERR_AGAIN: the queue is full, later;
// PW_ERR_LIMIT: it is too long.
PW_MUST_USE int pw_mqtt_wire_send(struct pw_mqtt_wire *wire,
                                  const struct pw_broker_message *message);
// True when a message of this size would be taken now.
bool pw_mqtt_wire_has_room(struct pw_mqtt_wire *wire, size_t bytes);
// The next message that came; its texts live until the next call.
bool pw_mqtt_wire_take(struct pw_mqtt_wire *wire, struct pw_broker_message *message);

// The station's clock, by which the dates of a broker's certificate are judged; 0: it is not set,
// and the system's counts. Said again now and then: in between it runs on.
void pw_mqtt_wire_wall(struct pw_mqtt_wire *wire, pw_unix_ms wall);

// Says good-bye (what is queued leaves first, the last will is not sent), waits at most two seconds
// and leaves a thread that hangs in a name server to end by itself. NULL is harmless.
void pw_mqtt_wire_close(struct pw_mqtt_wire *wire);

#endif
