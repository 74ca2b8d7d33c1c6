// The station's end of the link: when to connect, what to say first, what the central may ask.
#include "link/parts.h"

#include <string.h>

enum {
    ANSWERS_MOST = 3072, // bytes waiting to leave, from which on no request is taken: a flood of
    EVENTS_MOST = 4096,  // questions must leave room for events, and both for a snapshot
    EVENT_ROOM = 160,    // of the longest event
    LOG_RESEND_MS = 15000,
    LOG_FRAME_ROOM = PW_LINK_STATION_BATCH,
    INTERVAL_MIN_MS = 1000,
};

static void enter(struct pw_link_station *s, enum pw_link_state state, const char *why, pw_ms now)
{
    s->state = state;
    s->why = why;
    s->since = now;
}

static void give_up(struct pw_link_station *s, const char *why, pw_ms now)
{
    if (s->state != PW_LINK_ENDING) {
        enter(s, PW_LINK_ENDING, why, now);
        s->pipe.tx_len = 0;
    }
}

void pw_link_station_init(struct pw_link_station *s, const struct pw_link_identity *who,
                          uint32_t seed, pw_ms now)
{
    memset(s, 0, sizeof(*s));
    s->who = *who;
    s->random = seed == 0 ? 1 : seed;
    s->first = 1;
    s->next = 1;
    s->sent = 1;
    s->pipe = (struct pw_link_pipe){.rx = s->rx,
                                    .rx_cap = sizeof(s->rx),
                                    .tx = s->tx,
                                    .tx_cap = sizeof(s->tx),
                                    .most = PW_LINK_DOWN_MAX};
    pw_link_pipe_init(&s->pipe, now);
    s->try_at = now;
    s->report_at = PW_NEVER;
    enter(s, PW_LINK_WAITING, "not tried yet", now);
}

// ---------------------------------------------------------------------------------------------
// Connecting.

void pw_link_station_up(struct pw_link_station *s, pw_ms now)
{
    struct pw_link_hello hello;
    pw_link_pipe_init(&s->pipe, now);
    s->request = 0;
    s->log_open = false;
    s->interval_ms = 0;
    s->report_at = PW_NEVER;
    pw_link_blank(&pw_link_hello_rows, &hello);
    hello.version = PW_LINK_VERSION;
    hello.id = s->who.id;
    hello.key = s->who.key;
    hello.boot = s->who.boot;
    hello.first = s->first;
    hello.next = s->next;
    hello.firmware = s->who.firmware;
    hello.vendor = s->who.vendor;
    hello.model = s->who.model;
    hello.connectors = s->who.connectors;
    enter(s, PW_LINK_GREETING, "said who we are", now);
    if (pw_link_pipe_write(&s->pipe, PW_LINK_HELLO, 0, &hello, now) != PW_OK) {
        give_up(s, "no id, or no key", now);
    }
}

// Waits at least the shortest time and at random up to twice as long as the last time: thousands of
// stations that lost one central come back spread out.
static pw_ms back_off(struct pw_link_station *s)
{
    uint64_t most = PW_LINK_BACKOFF_MAX_MS;
    if (s->tries < 6) {
        most = (uint64_t)pw_min(PW_LINK_BACKOFF_MAX_MS, (int64_t)(2 * PW_LINK_BACKOFF_MIN_MS)
                                                            << s->tries);
    }
    s->random ^= s->random << 13; // xorshift32 (Marsaglia)
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    return PW_LINK_BACKOFF_MIN_MS + s->random % (most - PW_LINK_BACKOFF_MIN_MS + 1);
}

void pw_link_station_down(struct pw_link_station *s, pw_ms now)
{
    static const char *const whys[] = {[PW_LINK_WAITING] = "could not connect",
                                       [PW_LINK_CONNECTING] = "could not connect",
                                       [PW_LINK_GREETING] = "closed instead of a welcome",
                                       [PW_LINK_ONLINE] = "the connection was closed",
                                       [PW_LINK_ENDING] = NULL};
    // A try that failed before the next step counts as one.
    if (s->state == PW_LINK_WAITING && now < s->try_at) {
        return;
    }
    const char *why = s->state == PW_LINK_ENDING ? s->why : whys[s->state];
    if (s->state == PW_LINK_ONLINE && pw_elapsed(s->since, PW_LINK_LASTED_MS, now)) {
        s->tries = 0;
    }
    s->try_at = pw_after(now, back_off(s));
    s->tries++;
    s->request = 0;
    s->pipe.tx_len = 0;
    enter(s, PW_LINK_WAITING, why, now);
}

bool pw_link_station_wants(const struct pw_link_station *s, pw_ms now)
{
    switch (s->state) {
    case PW_LINK_WAITING: return now >= s->try_at;
    case PW_LINK_CONNECTING:
    case PW_LINK_GREETING:
    case PW_LINK_ONLINE: return true;
    case PW_LINK_ENDING: return false;
    }
    PW_UNREACHABLE();
}

static bool talking(const struct pw_link_station *s)
{
    return s->state == PW_LINK_GREETING || s->state == PW_LINK_ONLINE;
}

size_t pw_link_station_bytes(struct pw_link_station *s, const uint8_t *at, size_t len, pw_ms now)
{
    (void)now;
    // What comes after we gave up is not wanted, and must not keep the port waiting.
    return talking(s) ? pw_link_pipe_bytes(&s->pipe, at, len) : len;
}

struct pw_str pw_link_station_out(const struct pw_link_station *s)
{
    return pw_link_pipe_out(&s->pipe);
}

void pw_link_station_out_sent(struct pw_link_station *s, size_t len, pw_ms now)
{
    pw_link_pipe_sent(&s->pipe, len, now);
}

// ---------------------------------------------------------------------------------------------
// What the central says.

static void take_welcome(struct pw_link_station *s, const struct pw_link_welcome *welcome,
                         pw_ms now)
{
    if (welcome->version != PW_LINK_VERSION) {
        give_up(s, "the central speaks another version", now);
    } else if (welcome->event >= s->next) {
        give_up(s, "the central has events that never were", now);
    } else {
        s->first = (uint64_t)pw_max((int64_t)s->first, (int64_t)welcome->event + 1);
        s->sent = s->first;
        s->log_next = welcome->log;
        s->wall = welcome->wall;
        s->wall_at = now;
        enter(s, PW_LINK_ONLINE, "welcome", now);
    }
}

static void answer(struct pw_link_station *s, uint16_t number, enum pw_link_error_code code,
                   struct pw_str text, pw_ms now)
{
    // There is room: requests are taken only while there is.
    if (code == PW_LINK_E_NONE) {
        const struct pw_link_ok ok = {.text = text};
        (void)!pw_link_pipe_write(&s->pipe, PW_LINK_OK, number, &ok, now);
    } else {
        const struct pw_link_error error = {.code = (uint8_t)code, .text = text};
        (void)!pw_link_pipe_write(&s->pipe, PW_LINK_ERROR, number, &error, now);
    }
}

static void take_ack(struct pw_link_station *s, uint64_t event)
{
    if (event >= s->sent) {
        s->pipe.bad++; // for an event that has not left
    } else {
        s->first = (uint64_t)pw_max((int64_t)s->first, (int64_t)event + 1);
    }
}

static void take_log_ack(struct pw_link_station *s, uint64_t next)
{
    s->log_next = (uint64_t)pw_max((int64_t)s->log_next, (int64_t)next);
    s->log_open = false;
}

static void subscribe(struct pw_link_station *s, const struct pw_link_message *message, pw_ms now)
{
    uint32_t interval_ms = message->as.subscribe.interval_ms;
    if (interval_ms != 0 && interval_ms < INTERVAL_MIN_MS) {
        answer(s, message->number, PW_LINK_E_RANGE,
               PW_STR("interval_ms: less than 1000; 0 ends the subscription"), now);
        return;
    }
    s->interval_ms = interval_ms;
    s->report_at = interval_ms == 0 ? PW_NEVER : now;
    answer(s, message->number, PW_LINK_E_NONE, PW_STR(""), now);
}

static void refuse_unknown(struct pw_link_station *s, const struct pw_link_message *message,
                           pw_ms now)
{
    char text[PW_LINK_WHY_MAX];
    struct pw_out out = PW_OUT(text);
    s->pipe.bad++;
    if (message->number != 0) {
        pw_put_s(&out, "no request of a station: type ");
        pw_put_uint(&out, message->type);
        answer(s, message->number, PW_LINK_E_UNKNOWN, pw_out_str(&out), now);
    }
}

// True when the host is to decide.
static bool take_message(struct pw_link_station *s, const struct pw_link_message *message,
                         pw_ms now)
{
    switch (message->type) {
    case PW_LINK_PING:
        (void)!pw_link_pipe_write(&s->pipe, PW_LINK_PONG, message->number, NULL, now);
        return false;
    case PW_LINK_PONG: pw_link_pipe_pong(&s->pipe, message->number, now); return false;
    case PW_LINK_EVENT_ACK: take_ack(s, message->as.event_ack.event); return false;
    case PW_LINK_LOG_ACK: take_log_ack(s, message->as.log_ack.next); return false;
    case PW_LINK_SUBSCRIBE: subscribe(s, message, now); return false;
    case PW_LINK_FW_BEGIN:
    case PW_LINK_FW_CHUNK:
    case PW_LINK_FW_COMMIT:
    case PW_LINK_FW_STATUS:
    case PW_LINK_GET_ALL:
    case PW_LINK_SET_LIMIT:
    case PW_LINK_ENERGIZE:
        if (message->number != 0) {
            s->request = message->type;
            s->request_number = message->number;
            return true;
        }
        break;
    }
    refuse_unknown(s, message, now);
    return false;
}

// A body that cannot be read: a request is answered with the reason, anything else only counted.
static void take_bad(struct pw_link_station *s, const struct pw_link_message *message, int err,
                     struct pw_str why, pw_ms now)
{
    if (err == PW_ERR_UNKNOWN) {
        refuse_unknown(s, message, now);
        return;
    }
    s->pipe.bad++;
    if (pw_link_type_row(message->type)->form == PW_LINK_FORM_REQUEST && message->number != 0) {
        answer(s, message->number, err == PW_ERR_RANGE ? PW_LINK_E_RANGE : PW_LINK_E_BODY, why,
               now);
    }
}

static bool may_take(const struct pw_link_station *s)
{
    return talking(s) && s->request == 0 && s->pipe.tx_len + PW_LINK_ANSWER_ROOM <= ANSWERS_MOST;
}

bool pw_link_station_waits(const struct pw_link_station *s)
{
    struct pw_link_frame frame;
    return may_take(s) &&
           pw_link_frame_read(s->pipe.rx + s->pipe.rx_used, s->pipe.rx_len - s->pipe.rx_used,
                              s->pipe.most, &frame) != PW_ERR_AGAIN;
}

bool pw_link_station_next(struct pw_link_station *s, struct pw_link_message *message, pw_ms now)
{
    while (may_take(s)) {
        struct pw_link_frame frame;
        char text[PW_LINK_WHY_MAX] = "";
        struct pw_out why = PW_OUT(text);
        int err = pw_link_pipe_take(&s->pipe, &frame, now);
        if (err == PW_ERR_AGAIN) {
            return false;
        }
        if (err < 0) {
            give_up(s, err == PW_ERR_LIMIT ? "a frame is too long" : "what came is no frame", now);
            return false;
        }
        err = pw_link_decode(&frame, message, &why);
        if (s->state == PW_LINK_GREETING) {
            if (err != PW_OK || message->type != PW_LINK_WELCOME) {
                give_up(s, "no welcome at first", now);
            } else {
                take_welcome(s, &message->as.welcome, now);
            }
        } else if (err != PW_OK) {
            take_bad(s, message, err, pw_out_str(&why), now);
        } else if (take_message(s, message, now)) {
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// What the station says.

void pw_link_station_answer(struct pw_link_station *s, enum pw_link_error_code code,
                            struct pw_str text, pw_ms now)
{
    if (s->request != 0) {
        s->request = 0;
        answer(s, s->request_number, code, text, now);
    }
}

void pw_link_station_fw_state(struct pw_link_station *s, const struct pw_link_fw_state *state,
                              pw_ms now)
{
    if (s->request != PW_LINK_FW_STATUS) {
        return;
    }
    s->request = 0;
    if (pw_link_pipe_write(&s->pipe, PW_LINK_FW_STATE, s->request_number, state, now) != PW_OK) {
        answer(s, s->request_number, PW_LINK_E_UNAVAILABLE, PW_STR("no room for the state"), now);
    }
}

bool pw_link_station_snapshot_due(const struct pw_link_station *s, pw_ms now)
{
    return s->state == PW_LINK_ONLINE && now >= s->report_at;
}

int pw_link_station_snapshot(struct pw_link_station *s, const struct pw_link_snapshot *snapshot,
                             const struct pw_link_connector *connectors, size_t count, pw_ms now)
{
    bool asked = s->request == PW_LINK_GET_ALL;
    struct pw_link_writer w = pw_link_pipe_writer(&s->pipe);
    pw_link_begin(&w, PW_LINK_SNAPSHOT, asked ? s->request_number : 0, snapshot);
    for (size_t i = 0; i < count; i++) {
        pw_link_add(&w, PW_LINK_TAG_ITEMS, &pw_link_connector_rows, &connectors[i]);
    }
    int err = pw_link_pipe_written(&s->pipe, &w, now);
    if (err == PW_ERR_LIMIT && s->pipe.tx_len > 0) {
        return PW_ERR_AGAIN;
    }
    if (asked) {
        s->request = 0;
    } else {
        s->report_at = pw_after(now, s->interval_ms);
    }
    if (asked && err != PW_OK) {
        answer(s, s->request_number, PW_LINK_E_UNAVAILABLE,
               PW_STR("the snapshot does not fit a frame"), now);
    }
    return err;
}

void pw_link_station_event(struct pw_link_station *s, const struct pw_link_happening *what)
{
    if (s->next - s->first == PW_LINK_EVENTS) {
        s->first++;
        s->lost++;
        s->sent = (uint64_t)pw_max((int64_t)s->sent, (int64_t)s->first);
    }
    struct pw_link_happening *slot = &s->ring[s->next % PW_LINK_EVENTS];
    *slot = *what;
    slot->event = s->next++;
}

static void send_events(struct pw_link_station *s, pw_ms now)
{
    while (s->sent < s->next && s->pipe.tx_len + EVENT_ROOM <= EVENTS_MOST) {
        const struct pw_link_happening *what = &s->ring[s->sent % PW_LINK_EVENTS];
        const struct pw_link_event event = {
            .event = what->event,
            .kind = what->kind,
            .connector = what->connector,
            .wall = what->wall,
            .age_ms = (uint32_t)pw_min((int64_t)(now - what->at), UINT32_MAX),
            .value = what->value,
            .text = pw_str_of(what->text),
        };
        if (pw_link_pipe_write(&s->pipe, PW_LINK_EVENT, 0, &event, now) != PW_OK) {
            s->pipe.bad++; // a text of ours that is none: the central sees a gap, nothing stalls
        }
        s->sent++;
    }
}

bool pw_link_station_wants_log(const struct pw_link_station *s, uint64_t *cursor)
{
    *cursor = s->log_next;
    return s->state == PW_LINK_ONLINE && !s->log_open && s->pipe.tx_len == 0 && s->sent == s->next;
}

void pw_link_station_log_begin(struct pw_link_station *s, const struct pw_link_log_batch *batch,
                               struct pw_link_writer *w)
{
    *w = pw_link_pipe_writer(&s->pipe);
    w->cap = (size_t)pw_min((int64_t)w->cap, LOG_FRAME_ROOM);
    pw_link_begin(w, PW_LINK_LOG_BATCH, 0, batch);
}

bool pw_link_station_log_line(struct pw_link_writer *w, const struct pw_link_line *line)
{
    struct pw_link_writer before = *w;
    pw_link_add(w, PW_LINK_TAG_ITEMS, &pw_link_line_rows, line);
    if (w->full || w->wrong) {
        *w = before;
        return false;
    }
    return true;
}

void pw_link_station_log_end(struct pw_link_station *s, struct pw_link_writer *w, pw_ms now)
{
    s->log_open = pw_link_pipe_written(&s->pipe, w, now) == PW_OK;
    s->log_at = now;
}

// ---------------------------------------------------------------------------------------------
// The step.

pw_ms pw_link_station_step(struct pw_link_station *s, pw_ms now)
{
    if (s->state == PW_LINK_WAITING && now >= s->try_at) {
        enter(s, PW_LINK_CONNECTING, "tries to connect", now);
    }
    if (s->state == PW_LINK_GREETING && pw_elapsed(s->since, PW_LINK_HELLO_MS, now)) {
        give_up(s, "no welcome came", now);
    }
    if (s->state == PW_LINK_ONLINE) {
        const char *dead = pw_link_pipe_step(&s->pipe, now);
        if (dead != NULL) {
            give_up(s, dead, now);
        } else {
            send_events(s, now);
        }
        // A batch the central did not keep is sent again.
        s->log_open = s->log_open && !pw_elapsed(s->log_at, LOG_RESEND_MS, now);
    }
    switch (s->state) {
    case PW_LINK_WAITING: return s->try_at;
    case PW_LINK_GREETING: return pw_after(s->since, PW_LINK_HELLO_MS);
    case PW_LINK_ONLINE:
        return pw_earlier(pw_earlier(pw_link_pipe_deadline(&s->pipe), s->report_at),
                          s->log_open ? pw_after(s->log_at, LOG_RESEND_MS) : PW_NEVER);
    case PW_LINK_CONNECTING:
    case PW_LINK_ENDING: break;
    }
    return PW_NEVER;
}

const char *pw_link_state_name(enum pw_link_state state)
{
    switch (state) {
    case PW_LINK_WAITING: return "waiting";
    case PW_LINK_CONNECTING: return "connecting";
    case PW_LINK_GREETING: return "greeting";
    case PW_LINK_ONLINE: return "online";
    case PW_LINK_ENDING: return "ending";
    }
    PW_UNREACHABLE();
}
