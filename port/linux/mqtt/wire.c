// The loop's side: bounded queues and news.
#include "mqtt/wire.h"

#include "mqtt/parts.h"

#include <mosquitto.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LEAVE_S 2

void pw_mqtt_lock(struct pw_mqtt_wire *wire)
{
    (void)pthread_mutex_lock(&wire->lock);
}

void pw_mqtt_unlock(struct pw_mqtt_wire *wire)
{
    (void)pthread_mutex_unlock(&wire->lock);
}

static void ring(const struct pw_mqtt_wire *wire)
{
    const uint64_t once = 1;
    (void)!write(wire->bell, &once, sizeof(once));
}

static void destroy(struct pw_mqtt_wire *wire)
{
    (void)pthread_cond_destroy(&wire->ended_now);
    (void)pthread_mutex_destroy(&wire->lock);
    (void)close(wire->bell);
    (void)mosquitto_lib_cleanup();
    free(wire);
}

void pw_mqtt_let_go(struct pw_mqtt_wire *wire)
{
    pw_mqtt_lock(wire);
    wire->holders--;
    bool last = wire->holders == 0;
    pw_mqtt_unlock(wire);
    if (last) {
        destroy(wire);
    }
}

// Signals are the loop's: the thread takes none.
static int start_thread(struct pw_mqtt_wire *wire)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&wire->thread, NULL, pw_mqtt_run, wire);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        (void)pthread_detach(wire->thread);
    }
    return rc == 0 ? PW_OK : PW_ERR_LIMIT;
}

// Whether the TLS that every connection will make anew can be made.
static int try_tls(struct pw_mqtt_wire *wire, struct pw_out *why)
{
    SSL_CTX *ctx = wire->to.tls ? pw_mqtt_tls(wire, 0, why) : NULL;
    int err = wire->to.tls && ctx == NULL ? PW_ERR_RANGE : PW_OK;
    SSL_CTX_free(ctx);
    return err;
}

static const char *take_config(struct pw_mqtt_wire *wire, const struct pw_mqtt_wire_config *config)
{
    const char *wrong = pw_mqtt_url_read(pw_str_of(config->url), &wire->to);
    const struct {
        char *to;
        size_t cap;
        const char *from;
        const char *wrong;
    } texts[] = {
        {wire->client_id, sizeof(wire->client_id), config->client_id, "the client id is too long"},
        {wire->username, sizeof(wire->username), config->username, "the user name is too long"},
        {wire->password, sizeof(wire->password), config->password, "the password is too long"},
        {wire->ca_file, sizeof(wire->ca_file), config->ca_file, "the file's path is too long"},
        {wire->certificate, sizeof(wire->certificate), config->certificate,
         "the certificate's path is too long"},
        {wire->key, sizeof(wire->key), config->key, "the key's path is too long"},
        {wire->will_topic, sizeof(wire->will_topic), config->will.topic, "the topic is too long"},
        {wire->will_payload, sizeof(wire->will_payload), config->will.payload,
         "the last will is too long"},
    };
    for (size_t i = 0; wrong == NULL && i < PW_COUNT(texts); i++) {
        if (pw_str_copy(texts[i].to, texts[i].cap,
                        pw_str_of(texts[i].from != NULL ? texts[i].from : "")) != PW_OK) {
            wrong = texts[i].wrong;
        }
    }
    char text[160];
    struct pw_out why = PW_OUT(text);
    if (wrong == NULL && pw_peer_read_pins(pw_str_of(config->pin != NULL ? config->pin : ""),
                                           &wire->pins, &why) != PW_OK) {
        wrong = "mqtt.pin is none";
    }
    return wrong;
}

static int prepare(struct pw_mqtt_wire *wire)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&wire->ended_now, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&wire->lock, NULL);
    (void)mosquitto_lib_init();
    wire->holders = 1;
    wire->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wire->bell >= 0 && pw_clock_init(&wire->pace, NULL) == PW_OK ? PW_OK : PW_ERR_LIMIT;
}

void pw_mqtt_wire_wall(struct pw_mqtt_wire *wire, pw_unix_ms wall)
{
    pw_mqtt_lock(wire);
    wire->wall = wall;
    wire->wall_at = pw_clock_now(&wire->pace);
    pw_mqtt_unlock(wire);
}

struct pw_mqtt_wire *pw_mqtt_wire_open(struct pw_loop *loop,
                                       const struct pw_mqtt_wire_config *config, struct pw_out *why)
{
    struct pw_mqtt_wire *wire = calloc(1, sizeof(*wire));
    if (wire == NULL) {
        pw_put_s(why, "out of memory");
        return NULL;
    }
    wire->loop = loop;
    wire->seed = config->seed | 1U;
    const char *wrong = take_config(wire, config);
    if (wrong != NULL) {
        pw_put_s(why, wrong);
    }
    if (wrong != NULL || try_tls(wire, why) != PW_OK) {
        free(wire);
        return NULL;
    }
    int err = prepare(wire);
    wire->holders = 2;
    pw_mqtt_wire_wall(wire, config->wall);
    if (err != PW_OK || start_thread(wire) != PW_OK) {
        pw_put_s(why, "no thread is to be had");
        destroy(wire);
        return NULL;
    }
    return wire;
}

int pw_mqtt_wire_subscribe(struct pw_mqtt_wire *wire, struct pw_str filter)
{
    int err = PW_ERR_LIMIT;
    pw_mqtt_lock(wire);
    if (wire->filters < PW_BROKER_FILTERS_MAX) {
        err = pw_str_copy(wire->filter[wire->filters], PW_BROKER_TOPIC_MAX, filter);
    }
    if (err == PW_OK) {
        wire->filters++;
    }
    pw_mqtt_unlock(wire);
    ring(wire);
    return err;
}

enum pw_mqtt_wire_news pw_mqtt_wire_news(struct pw_mqtt_wire *wire, struct pw_str *reason)
{
    enum pw_mqtt_wire_news news = PW_MQTT_WIRE_NONE;
    pw_mqtt_lock(wire);
    if (wire->fails != wire->told_fails) {
        wire->told_fails = wire->fails;
        wire->told_up = false;
        memcpy(wire->told_why, wire->why, sizeof(wire->told_why));
        news = PW_MQTT_WIRE_DOWN;
    } else if (wire->up && wire->ups != wire->told_ups) {
        wire->told_ups = wire->ups;
        wire->told_up = true;
        news = PW_MQTT_WIRE_UP;
    }
    pw_mqtt_unlock(wire);
    *reason = pw_str_of(wire->told_why);
    return news;
}

int pw_mqtt_wire_send(struct pw_mqtt_wire *wire, const struct pw_broker_message *message)
{
    int err = PW_OK;
    if (message->topic.len >= PW_BROKER_TOPIC_MAX || message->payload.len > PW_BROKER_OUT_MAX) {
        return PW_ERR_LIMIT;
    }
    pw_mqtt_lock(wire);
    if (!wire->up || !wire->told_up || wire->fails != wire->told_fails) {
        err = PW_ERR_BUSY;
    } else if (!pw_mqtt_queue_push(&wire->out, message)) {
        err = PW_ERR_AGAIN;
    }
    pw_mqtt_unlock(wire);
    if (err == PW_OK) {
        ring(wire);
    }
    return err;
}

bool pw_mqtt_wire_has_room(struct pw_mqtt_wire *wire, size_t bytes)
{
    pw_mqtt_lock(wire);
    bool room = wire->up && pw_mqtt_queue_room(&wire->out) >= bytes;
    pw_mqtt_unlock(wire);
    return room;
}

bool pw_mqtt_wire_take(struct pw_mqtt_wire *wire, struct pw_broker_message *message)
{
    pw_mqtt_lock(wire);
    bool any = pw_mqtt_queue_pop(&wire->in, message, wire->taken, sizeof(wire->taken));
    pw_mqtt_unlock(wire);
    return any;
}

void pw_mqtt_wire_close(struct pw_mqtt_wire *wire)
{
    struct timespec until;
    int rc = 0;
    if (wire == NULL) {
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LEAVE_S;
    pw_mqtt_lock(wire);
    wire->stop = true;
    pw_mqtt_unlock(wire);
    ring(wire);
    pw_mqtt_lock(wire);
    while (!wire->ended && rc == 0) {
        rc = pthread_cond_timedwait(&wire->ended_now, &wire->lock, &until);
    }
    pw_mqtt_unlock(wire);
    pw_mqtt_let_go(wire);
}
