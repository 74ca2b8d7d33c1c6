// The thread: one connection after the other. Nobody else touches libmosquitto's object, and each
// connection has a new one: nothing of an old connection leaves on the next.
#include "mqtt/parts.h"

#include <errno.h>
#include <linux/tcp.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_MAX  2048  // largest packet that we take: topic, payload, properties
#define RECORD_MAX  16384 // bytes of a TLS record: so much may come at once, wanted or not
#define ENDLESS_MAX 65536 // bytes without a whole packet among them: nobody sends us such a one
#define BUFFER_SIZE 4096  // of the kernel, for what comes
#define STEADY_MS   10000 // a connection that lasted so long starts the pauses anew
#define WAIT_MS     500   // between two looks at the keep-alive
#define GOOD_BYE_MS 1000  // for what is still to be sent

// One connection.
struct session {
    struct pw_mqtt_wire *wire;
    struct mosquitto *client;
    bool answered; // the broker has said yes or no
    int answer;    // 0: yes
    bool over;
    uint32_t packets;      // whole ones that came
    uint32_t packets_seen; // ... when `read_then` had been read
    uint64_t read_then;
    bool hung_up; // the other side has closed, without a word
    pw_ms began;
    char why[160];
    char error[100]; // what libmosquitto logged first: TLS failures have no other words
};

static void note(struct session *session, const char *why)
{
    if (session->why[0] == '\0') {
        struct pw_out out = PW_OUT(session->why);
        pw_put_s(&out, why);
        if (session->wire->refused[0] != '\0') {
            pw_put_s(&out, ": the broker's certificate: ");
            pw_put_s(&out, session->wire->refused);
        } else if (session->error[0] != '\0') {
            pw_put_s(&out, ": ");
            pw_put_s(&out, session->error);
        }
    }
    session->over = true;
}

static void note_rc(struct session *session, int rc)
{
    if (rc != MOSQ_ERR_SUCCESS) {
        note(session, rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
    }
}

// ---------------------------------------------------------------------------------------------
// What libmosquitto calls: stored.

static void on_log(struct mosquitto *client, void *context, int level, const char *text)
{
    struct session *session = context;
    (void)client;
    if (level == MOSQ_LOG_DEBUG && strstr(text, " received ") != NULL) {
        session->packets++;
    }
    if (level == MOSQ_LOG_ERR && session->error[0] == '\0') {
        struct pw_out out = PW_OUT(session->error);
        pw_put_s(&out, text);
    }
}

static void announce(struct pw_mqtt_wire *wire)
{
    if (!wire->stop) {
        pw_loop_wake(wire->loop);
    }
}

static void on_connect(struct mosquitto *client, void *context, int answer, int flags,
                       const mosquitto_property *properties)
{
    struct session *session = context;
    (void)client;
    (void)flags;
    (void)properties;
    session->answered = true;
    session->answer = answer;
    if (answer != 0) {
        note(session, session->wire->old ? mosquitto_connack_string(answer)
                                         : mosquitto_reason_string(answer));
        return;
    }
    pw_mqtt_lock(session->wire);
    session->wire->up = true;
    session->wire->ups++;
    session->wire->out.len = 0;
    announce(session->wire);
    pw_mqtt_unlock(session->wire);
}

static void on_disconnect(struct mosquitto *client, void *context, int reason,
                          const mosquitto_property *properties)
{
    struct session *session = context;
    (void)client;
    (void)properties;
    session->hung_up = reason == MOSQ_ERR_CONN_LOST && session->error[0] == '\0';
    note(session, reason >= 128                ? mosquitto_reason_string(reason)
                  : reason == MOSQ_ERR_SUCCESS ? "closed by the broker"
                  : reason == MOSQ_ERR_ERRNO   ? strerror(errno)
                                               : mosquitto_strerror(reason));
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct session *session = context;
    struct pw_mqtt_wire *wire = session->wire;
    (void)client;
    (void)properties;
    struct pw_broker_message in = {
        .topic = pw_str_of(message->topic),
        .payload = {.at = message->payload == NULL ? "" : message->payload,
                    .len = message->payloadlen < 0 ? 0 : (size_t)message->payloadlen},
        .retain = message->retain,
    };
    pw_mqtt_lock(wire);
    if (in.payload.len <= PW_BROKER_IN_MAX) {
        (void)pw_mqtt_queue_push(&wire->in, &in); // counts what it cannot take
        announce(wire);
    } else {
        wire->in.lost++;
    }
    pw_mqtt_unlock(wire);
}

// ---------------------------------------------------------------------------------------------
// Connecting

static pw_unix_ms wall_now(struct pw_mqtt_wire *wire)
{
    pw_mqtt_lock(wire);
    pw_unix_ms wall = wire->wall;
    pw_ms since = pw_clock_now(&wire->pace) - wire->wall_at;
    pw_mqtt_unlock(wire);
    return wall > 0 ? wall + (pw_unix_ms)since : 0;
}

SSL_CTX *pw_mqtt_tls(struct pw_mqtt_wire *wire, pw_unix_ms wall, struct pw_out *why)
{
    const struct pw_peer_rules rules = {.host = wire->to.host,
                                        .ca_file = wire->ca_file,
                                        .certificate = wire->certificate,
                                        .key = wire->key,
                                        .pins = &wire->pins,
                                        .wall = wall,
                                        .refused = wire->refused};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL) {
        pw_put_s(why, "TLS: out of memory");
    } else if (pw_peer_apply(ctx, &rules, why) != PW_OK) {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

static int set_up(struct session *session)
{
    struct pw_mqtt_wire *wire = session->wire;
    struct mosquitto *client = session->client;
    int rc = mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION,
                                  wire->old ? MQTT_PROTOCOL_V311 : MQTT_PROTOCOL_V5);
    (void)mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_log_callback_set(client, on_log);
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_disconnect_v5_callback_set(client, on_disconnect);
    mosquitto_message_v5_callback_set(client, on_message);
    if (rc == MOSQ_ERR_SUCCESS && wire->username[0] != '\0') {
        rc = mosquitto_username_pw_set(client, wire->username,
                                       wire->password[0] != '\0' ? wire->password : NULL);
    }
    if (rc == MOSQ_ERR_SUCCESS && wire->will_topic[0] != '\0') {
        rc = mosquitto_will_set(client, wire->will_topic, (int)strlen(wire->will_payload),
                                wire->will_payload, 1, true);
    }
    if (rc != MOSQ_ERR_SUCCESS || !wire->to.tls) {
        return rc;
    }
    // libmosquitto's own rules know neither pins nor which suites of TLS 1.2 are good enough.
    char text[160] = "";
    struct pw_out why = PW_OUT(text);
    SSL_CTX *ctx = pw_mqtt_tls(wire, wall_now(wire), &why);
    if (ctx == NULL) {
        note(session, text);
        return MOSQ_ERR_TLS;
    }
    (void)mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    rc = mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, ctx); // which takes a share of it
    SSL_CTX_free(ctx);
    return rc;
}

static void connect_to(struct session *session)
{
    struct pw_mqtt_wire *wire = session->wire;
    mosquitto_property *properties = NULL;
    int rc = set_up(session);
    if (rc == MOSQ_ERR_SUCCESS && !wire->old) {
        rc = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_MAX);
    }
    if (rc == MOSQ_ERR_SUCCESS) {
        rc = mosquitto_connect_bind_v5(session->client, wire->to.host, wire->to.port,
                                       PW_MQTT_WIRE_KEEPALIVE_S, NULL, properties);
    }
    mosquitto_property_free_all(&properties);
    note_rc(session, rc);
}

// ---------------------------------------------------------------------------------------------
// Serving

static bool stopping(struct pw_mqtt_wire *wire)
{
    pw_mqtt_lock(wire);
    bool stop = wire->stop;
    pw_mqtt_unlock(wire);
    return stop;
}

// The next filter that this connection has not subscribed to. False: it has them all.
static bool subscribe_next(struct session *session)
{
    struct pw_mqtt_wire *wire = session->wire;
    char filter[PW_BROKER_TOPIC_MAX] = "";
    pw_mqtt_lock(wire);
    bool more = wire->subscribed < wire->filters;
    if (more) {
        memcpy(filter, wire->filter[wire->subscribed], sizeof(filter));
    }
    pw_mqtt_unlock(wire);
    if (more) {
        wire->subscribed++;
        note_rc(session, mosquitto_subscribe_v5(session->client, NULL, filter, 1, 0, NULL));
    }
    return more;
}

static void publish(struct session *session, const struct pw_broker_message *message)
{
    char topic[PW_BROKER_TOPIC_MAX];
    mosquitto_property *properties = NULL;
    int rc = MOSQ_ERR_SUCCESS;
    if (pw_str_copy(topic, sizeof(topic), message->topic) != PW_OK) {
        return;
    }
    if (message->expiry_s > 0 && !session->wire->old) {
        rc = mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                          message->expiry_s);
    }
    if (rc == MOSQ_ERR_SUCCESS) {
        rc = mosquitto_publish_v5(session->client, NULL, topic, (int)message->payload.len,
                                  message->payload.at, 0, message->retain, properties);
    }
    mosquitto_property_free_all(&properties);
    // The broker's own bounds on one message do not end the connection.
    if (rc != MOSQ_ERR_OVERSIZE_PACKET && rc != MOSQ_ERR_RETAIN_NOT_SUPPORTED) {
        note_rc(session, rc);
    }
}

// Hands over what waits, as long as the socket takes it: libmosquitto's own queue has no bound.
static bool send_some(struct session *session)
{
    static _Thread_local char texts[PW_BROKER_TOPIC_MAX + PW_BROKER_OUT_MAX];
    struct pw_mqtt_wire *wire = session->wire;
    struct pw_broker_message message;
    while (!session->over && !mosquitto_want_write(session->client)) {
        if (subscribe_next(session)) {
            continue;
        }
        pw_mqtt_lock(wire);
        bool was_full = pw_mqtt_queue_room(&wire->out) < PW_BROKER_OUT_MAX + PW_BROKER_TOPIC_MAX;
        bool any = pw_mqtt_queue_pop(&wire->out, &message, texts, sizeof(texts));
        if (any && was_full) {
            announce(wire);
        }
        pw_mqtt_unlock(wire);
        if (!any) {
            return true;
        }
        publish(session, &message);
    }
    return false;
}

static bool has_room(struct pw_mqtt_wire *wire)
{
    pw_mqtt_lock(wire);
    bool room = pw_mqtt_queue_room(&wire->in) > RECORD_MAX + PACKET_MAX;
    pw_mqtt_unlock(wire);
    return room;
}

// libmosquitto takes memory for a packet as its head says and fills it as it comes, whatever its
// length. Whoever has sent this much of one is not waited for.
static void watch_length(struct session *session, int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    int waits = 0;
    memset(&info, 0, sizeof(info));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        ioctl(fd, FIONREAD, &waits) != 0) {
        return;
    }
    uint64_t read_now = (uint64_t)info.tcpi_bytes_received - (uint64_t)waits;
    if (session->packets != session->packets_seen) {
        session->packets_seen = session->packets;
        session->read_then = read_now;
    } else if (read_now > session->read_then + ENDLESS_MAX) {
        note(session, "the broker sends a packet that is too long");
    }
}

// Waits for the socket, the bell or the keep-alive, and lets libmosquitto work.
static void work(struct session *session, int wait_ms)
{
    struct mosquitto *client = session->client;
    bool reads = has_room(session->wire);
    struct pollfd fds[2] = {
        {.fd = mosquitto_socket(client), .events = reads ? POLLIN : 0},
        {.fd = session->wire->bell, .events = POLLIN},
    };
    if (mosquitto_want_write(client)) {
        fds[0].events |= POLLOUT;
    }
    if (fds[0].fd < 0) {
        note(session, "the connection is gone");
        return;
    }
    // A full queue is looked at again soon: the loop rings no bell for taking.
    if (poll(fds, 2, reads ? wait_ms : 20) < 0 && errno != EINTR) {
        note(session, strerror(errno));
        return;
    }
    uint64_t rung = 0;
    if ((fds[1].revents & POLLIN) != 0) {
        (void)!read(session->wire->bell, &rung, sizeof(rung));
    }
    if ((fds[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
        note_rc(session, mosquitto_loop_read(client, 1));
        watch_length(session, fds[0].fd);
    }
    if (!session->over && (fds[0].revents & POLLOUT) != 0) {
        note_rc(session, mosquitto_loop_write(client, 1));
    }
    if (!session->over) {
        note_rc(session, mosquitto_loop_misc(client));
    }
}

// What is queued leaves, then we say ourselves what the last will would say.
static void say_good_bye(struct session *session)
{
    const struct pw_mqtt_wire *wire = session->wire;
    pw_ms until = pw_after(pw_clock_now(&wire->pace), GOOD_BYE_MS);
    while (!session->over && pw_clock_now(&wire->pace) < until && !send_some(session)) {
        work(session, 50);
    }
    if (wire->will_topic[0] != '\0' && !session->over) {
        const struct pw_broker_message will = {.topic = pw_str_of(wire->will_topic),
                                               .payload = pw_str_of(wire->will_payload),
                                               .retain = true};
        publish(session, &will);
    }
    while (!session->over && pw_clock_now(&wire->pace) < until &&
           mosquitto_want_write(session->client)) {
        work(session, 50);
    }
    (void)mosquitto_disconnect_v5(session->client, MQTT_RC_NORMAL_DISCONNECTION, NULL);
}

static void serve(struct session *session)
{
    struct pw_mqtt_wire *wire = session->wire;
    const int size = BUFFER_SIZE;
    (void)setsockopt(mosquitto_socket(session->client), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    wire->subscribed = 0;
    while (!session->over && !stopping(wire)) {
        work(session, WAIT_MS);
        if (session->answered) {
            (void)send_some(session);
        } else if (pw_elapsed(session->began, (pw_ms)PW_MQTT_WIRE_OPEN_S * 1000,
                              pw_clock_now(&wire->pace))) {
            note(session, "the broker does not answer");
        }
    }
    if (!session->over && session->answered) {
        say_good_bye(session);
    }
}

// ---------------------------------------------------------------------------------------------
// From one connection to the next

// A broker that knows no v5 says so, or just closes. True: try the other version at once.
static bool choose_version(struct session *session)
{
    struct pw_mqtt_wire *wire = session->wire;
    bool refused = session->answered && session->answer == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION;
    bool mute = !session->answered && session->hung_up;
    if (wire->old) {
        wire->old = session->answered && session->answer == 0;
        return false;
    }
    wire->old = refused || mute;
    return refused;
}

static void tell_end(struct session *session)
{
    struct pw_mqtt_wire *wire = session->wire;
    pw_mqtt_lock(wire);
    struct pw_out out = PW_OUT(wire->why);
    pw_put_s(&out, session->why);
    wire->up = false;
    wire->fails++;
    wire->out.len = 0;
    announce(wire);
    pw_mqtt_unlock(wire);
}

// True when the next try is to be made without a pause.
static bool hold_session(struct pw_mqtt_wire *wire)
{
    struct session session = {.wire = wire, .began = pw_clock_now(&wire->pace)};
    session.client = mosquitto_new(wire->client_id, true, &session);
    if (session.client == NULL) {
        note(&session, "out of memory");
    } else {
        connect_to(&session);
    }
    if (!session.over) {
        serve(&session);
    }
    bool again = choose_version(&session);
    if (!again) {
        tell_end(&session);
    }
    if (session.answered && session.answer == 0 &&
        pw_elapsed(session.began, STEADY_MS, pw_clock_now(&wire->pace))) {
        wire->pause = 0;
    }
    mosquitto_destroy(session.client);
    return again;
}

// xorshift32: jitter needs no more.
static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

// Half the pause, and up to as much again.
static void rest(struct pw_mqtt_wire *wire)
{
    pw_ms doubled =
        wire->pause * 2 < PW_MQTT_WIRE_PAUSE_MAX_MS ? wire->pause * 2 : PW_MQTT_WIRE_PAUSE_MAX_MS;
    wire->pause = doubled < PW_MQTT_WIRE_PAUSE_MIN_MS ? PW_MQTT_WIRE_PAUSE_MIN_MS : doubled;
    pw_ms span = wire->pause / 2 + next_random(&wire->seed) % (wire->pause / 2 + 1);
    pw_ms until = pw_after(pw_clock_now(&wire->pace), span);
    while (!stopping(wire) && pw_clock_now(&wire->pace) < until) {
        struct pollfd bell = {.fd = wire->bell, .events = POLLIN};
        uint64_t rung = 0;
        if (poll(&bell, 1, (int)(until - pw_clock_now(&wire->pace))) > 0) {
            (void)!read(wire->bell, &rung, sizeof(rung));
        }
    }
}

void *pw_mqtt_run(void *context)
{
    struct pw_mqtt_wire *wire = context;
    while (!stopping(wire)) {
        if (!hold_session(wire) && !stopping(wire)) {
            rest(wire);
        }
    }
    pw_mqtt_lock(wire);
    wire->ended = true;
    (void)pthread_cond_broadcast(&wire->ended_now);
    pw_mqtt_unlock(wire);
    pw_mqtt_let_go(wire);
    return NULL;
}
