// The connection as its two threads see it: wire.c is the loop's side, session.c the broker's.
#ifndef PW_LINUX_MQTT_PARTS_H
#define PW_LINUX_MQTT_PARTS_H

#include "mqtt/wire.h"
#include "peer/peer.h"

#include <pthread.h>

// Whole messages one after the other in a bounded buffer.
struct queue {
    size_t len;
    uint32_t lost;
    char bytes[PW_MQTT_WIRE_QUEUE];
};

struct address {
    char host[256];
    uint16_t port;
    bool tls;
};

// What is wrong with a url, or NULL.
const char *pw_mqtt_url_read(struct pw_str url, struct address *to);

struct pw_mqtt_wire {
    // Set before the thread begins.
    struct pw_loop *loop; // not touched once `stop` is set
    struct pw_clock pace; // real time
    struct address to;
    char client_id[PW_BROKER_TOPIC_MAX];
    char username[128];
    char password[128];
    char ca_file[512];
    char certificate[512];
    char key[512];
    struct pw_peer_pins pins;
    char will_topic[PW_BROKER_TOPIC_MAX];
    char will_payload[64];
    int bell; // eventfd: the loop's side has something for the thread
    // The thread's own.
    uint32_t seed;
    bool old; // the broker wants 3.1.1
    pw_ms pause;
    unsigned subscribed;
    char refused[PW_PEER_REFUSED_SIZE]; // why the broker's certificate was; empty: it was not
    // Shared, under the lock.
    pthread_mutex_t lock;
    pthread_cond_t ended_now;
    pthread_t thread;
    unsigned holders; // the loop's side and the thread: the last one frees
    bool stop;
    bool ended;
    pw_unix_ms wall; // the station's clock; 0: not set …
    pw_ms wall_at;   // … at this time of `pace`
    bool up;
    uint32_t ups;   // connections so far
    uint32_t fails; // connections that ended or could not be made
    char why[160];
    unsigned filters;
    char filter[PW_BROKER_FILTERS_MAX][PW_BROKER_TOPIC_MAX];
    struct queue in;
    struct queue out;
    // The loop's side own.
    bool told_up;
    uint32_t told_ups;
    uint32_t told_fails;
    char told_why[160];
    char taken[PW_BROKER_TOPIC_MAX + PW_BROKER_IN_MAX];
};

void pw_mqtt_lock(struct pw_mqtt_wire *wire);
void pw_mqtt_unlock(struct pw_mqtt_wire *wire);
// Under the lock, or with a queue of one's own. Push: false when it does not fit. Pop: the texts
// are copied into `to`, which a pushed message fits.
bool pw_mqtt_queue_push(struct queue *queue, const struct pw_broker_message *message);
bool pw_mqtt_queue_pop(struct queue *queue, struct pw_broker_message *message, char *to,
                       size_t cap);
size_t pw_mqtt_queue_room(const struct queue *queue); // for texts, beside what a message costs
// One side lets go; the last one frees.
void pw_mqtt_let_go(struct pw_mqtt_wire *wire);
// A client's SSL_CTX as the configuration says, freed by the caller; NULL with a sentence in *why.
struct ssl_ctx_st *pw_mqtt_tls(struct pw_mqtt_wire *wire, pw_unix_ms wall, struct pw_out *why);
// The thread.
void *pw_mqtt_run(void *context);

#endif
