// The central's end of one connection: who is it, what does it tell, what was it asked.
#include "link/parts.h"

#include <string.h>

enum { TAKE_ROOM = 64 }; // to answer a ping, and to acknowledge

static void leave(struct pw_link_central *c, const char *why, pw_ms now)
{
    if (c->side != PW_LINK_GONE) {
        c->side = PW_LINK_GONE;
        c->why = why;
        c->since = now;
        c->pipe.tx_len = 0;
    }
}

void pw_link_central_init(struct pw_link_central *c, pw_ms now)
{
    memset(c, 0, sizeof(*c));
    c->side = PW_LINK_STRANGER;
    c->why = "";
    c->since = now;
    c->pipe =
        (struct pw_link_pipe){.rx = c->first, .rx_cap = sizeof(c->first), .most = sizeof(c->first)};
    pw_link_pipe_init(&c->pipe, now);
}

size_t pw_link_central_bytes(struct pw_link_central *c, const uint8_t *at, size_t len, pw_ms now)
{
    (void)now;
    return c->side == PW_LINK_GONE ? len : pw_link_pipe_bytes(&c->pipe, at, len);
}

struct pw_str pw_link_central_out(const struct pw_link_central *c)
{
    return pw_link_pipe_out(&c->pipe);
}

void pw_link_central_out_sent(struct pw_link_central *c, size_t len, pw_ms now)
{
    pw_link_pipe_sent(&c->pipe, len, now);
}

void pw_link_central_close(struct pw_link_central *c, const char *why, pw_ms now)
{
    leave(c, why, now);
}

bool pw_link_central_gone(const struct pw_link_central *c)
{
    return c->side == PW_LINK_GONE;
}

// ---------------------------------------------------------------------------------------------
// Who is it.

void pw_link_central_admit(struct pw_link_central *c, struct pw_link_memory *memory,
                           const struct pw_link_welcome *kept, pw_ms now)
{
    PW_ASSERT(c->side == PW_LINK_ASKED);
    struct pw_link_pipe *pipe = &c->pipe;
    struct pw_link_welcome welcome = *kept;
    // What came behind the hello moves along.
    pipe->rx_len -= pipe->rx_used;
    memcpy(memory->rx, c->first + pipe->rx_used, pipe->rx_len);
    pipe->rx_used = 0;
    pipe->rx = memory->rx;
    pipe->rx_cap = sizeof(memory->rx);
    pipe->most = PW_LINK_FRAME_MAX;
    pipe->tx = memory->tx;
    pipe->tx_cap = sizeof(memory->tx);
    c->memory = memory;
    c->side = PW_LINK_KNOWN;
    c->since = now;
    // More than the station ever had would be another station's, or another start's.
    welcome.event = (uint64_t)pw_min((int64_t)welcome.event, (int64_t)c->hello_next - 1);
    welcome.version = PW_LINK_VERSION;
    c->event = welcome.event;
    c->acked = welcome.event;
    c->ack = welcome.event;
    c->log_acked = welcome.log;
    c->log_ack = welcome.log;
    if (pw_link_pipe_write(pipe, PW_LINK_WELCOME, 0, &welcome, now) != PW_OK) {
        leave(c, "the welcome is out of range", now);
    }
}

void pw_link_central_refuse(struct pw_link_central *c, const char *why, pw_ms now)
{
    leave(c, why, now);
}

static enum pw_link_news meet(struct pw_link_central *c, struct pw_link_report *report, pw_ms now)
{
    struct pw_link_frame frame;
    int err = pw_link_pipe_take(&c->pipe, &frame, now);
    if (err == PW_ERR_AGAIN) {
        return PW_LINK_NEWS_NONE;
    }
    if (err < 0 || frame.type != PW_LINK_HELLO ||
        pw_link_decode(&frame, &report->message, NULL) != PW_OK ||
        report->message.as.hello.first > report->message.as.hello.next) {
        leave(c, err == PW_ERR_LIMIT ? "the first frame is too long" : "no hello came first", now);
        return PW_LINK_NEWS_NONE;
    }
    c->side = PW_LINK_ASKED;
    c->hello_first = report->message.as.hello.first;
    c->hello_next = report->message.as.hello.next;
    return PW_LINK_NEWS_HELLO;
}

// ---------------------------------------------------------------------------------------------
// What was asked.

static struct pw_link_question *question(struct pw_link_central *c, uint16_t number)
{
    for (size_t i = 0; i < PW_LINK_OPEN; i++) {
        if (c->open[i].number == number) {
            return &c->open[i];
        }
    }
    return NULL;
}

int pw_link_central_ask(struct pw_link_central *c, enum pw_link_type type, const void *request,
                        struct pw_out *why, pw_ms now)
{
    struct pw_link_question *slot = question(c, 0);
    if (c->side != PW_LINK_KNOWN) {
        pw_put_s(why, "the station is not connected");
        return PW_ERR_BUSY;
    }
    if (slot == NULL || pw_link_pipe_room(&c->pipe) < 2 * (size_t)PW_LINK_ANSWER_ROOM) {
        pw_put_s(why, "too many requests are open");
        return PW_ERR_LIMIT;
    }
    uint16_t number = pw_link_pipe_number(&c->pipe);
    int err = pw_link_pipe_write(&c->pipe, (uint8_t)type, number, request, now);
    if (err == PW_ERR_LIMIT) {
        pw_put_s(why, "the station does not read");
        return PW_ERR_LIMIT;
    }
    if (err != PW_OK) {
        pw_put_s(why, "a value is out of range");
        return PW_ERR_RANGE;
    }
    *slot = (struct pw_link_question){
        .number = number, .type = (uint8_t)type, .deadline = pw_after(now, PW_LINK_ANSWER_MS)};
    return number;
}

static enum pw_link_news close_question(struct pw_link_question *open, uint8_t code,
                                        struct pw_str text, struct pw_link_report *report)
{
    report->number = open->number;
    report->request = open->type;
    report->code = code;
    report->text = text;
    *open = (struct pw_link_question){.number = 0};
    return PW_LINK_NEWS_ANSWER;
}

// Answers that will not come: the connection is gone, or time is over.
static enum pw_link_news give_answers_up(struct pw_link_central *c, struct pw_link_report *report,
                                         pw_ms now)
{
    for (size_t i = 0; i < PW_LINK_OPEN; i++) {
        struct pw_link_question *open = &c->open[i];
        if (open->number != 0 && c->side == PW_LINK_GONE) {
            return close_question(open, PW_LINK_E_LOST, PW_STR("the connection ended"), report);
        }
        if (open->number != 0 && now >= open->deadline) {
            return close_question(open, PW_LINK_E_TIMEOUT, PW_STR("no answer came"), report);
        }
    }
    return PW_LINK_NEWS_NONE;
}

// ---------------------------------------------------------------------------------------------
// What it tells.

static enum pw_link_news take_event(struct pw_link_central *c, const struct pw_link_frame *frame,
                                    struct pw_link_report *report)
{
    uint64_t event = report->message.as.event.event;
    if (event <= c->event) {
        c->repeated++;
        return PW_LINK_NEWS_NONE;
    }
    if (event > c->event + 1) {
        // Said first; the event itself comes with the next call.
        report->lost = event - c->event - 1;
        c->lost += report->lost;
        c->event = event - 1;
        pw_link_pipe_put_back(&c->pipe, frame);
        return PW_LINK_NEWS_LOST;
    }
    c->event = event;
    return PW_LINK_NEWS_EVENT;
}

// The one message that answers a request of this type when all is well.
static enum pw_link_type answer_to(uint8_t request)
{
    return request == PW_LINK_GET_ALL     ? PW_LINK_SNAPSHOT
           : request == PW_LINK_FW_STATUS ? PW_LINK_FW_STATE
                                          : PW_LINK_OK;
}

static enum pw_link_news take_answer(struct pw_link_central *c, struct pw_link_report *report)
{
    struct pw_link_message *message = &report->message;
    struct pw_link_question *open = question(c, message->number);
    bool snapshot = message->type == PW_LINK_SNAPSHOT;
    if (snapshot && message->number == 0) {
        report->number = 0;
        return PW_LINK_NEWS_SNAPSHOT;
    }
    // Late, twice, or the answer to something else.
    if (message->number == 0 || open == NULL ||
        (message->type != PW_LINK_ERROR && message->type != answer_to(open->type))) {
        c->pipe.bad++;
        return PW_LINK_NEWS_NONE;
    }
    if (snapshot || message->type == PW_LINK_FW_STATE) {
        (void)close_question(open, PW_LINK_E_NONE, PW_STR(""), report);
        return snapshot ? PW_LINK_NEWS_SNAPSHOT : PW_LINK_NEWS_FIRMWARE;
    }
    return message->type == PW_LINK_OK
               ? close_question(open, PW_LINK_E_NONE, message->as.ok.text, report)
               : close_question(open, message->as.error.code, message->as.error.text, report);
}

static enum pw_link_news take_message(struct pw_link_central *c, const struct pw_link_frame *frame,
                                      struct pw_link_report *report, pw_ms now)
{
    switch (report->message.type) {
    case PW_LINK_PING:
        (void)!pw_link_pipe_write(&c->pipe, PW_LINK_PONG, report->message.number, NULL, now);
        return PW_LINK_NEWS_NONE;
    case PW_LINK_PONG:
        pw_link_pipe_pong(&c->pipe, report->message.number, now);
        return PW_LINK_NEWS_NONE;
    case PW_LINK_EVENT: return take_event(c, frame, report);
    case PW_LINK_LOG_BATCH: return PW_LINK_NEWS_LOG;
    case PW_LINK_OK:
    case PW_LINK_ERROR:
    case PW_LINK_SNAPSHOT:
    case PW_LINK_FW_STATE: return take_answer(c, report);
    }
    c->pipe.bad++; // a second hello, or what only a central says
    return PW_LINK_NEWS_NONE;
}

static void refuse_unknown(struct pw_link_central *c, const struct pw_link_frame *frame, pw_ms now)
{
    c->pipe.bad++;
    if (frame->number != 0) {
        const struct pw_link_error error = {.code = PW_LINK_E_UNKNOWN, .text = PW_STR("")};
        (void)!pw_link_pipe_write(&c->pipe, PW_LINK_ERROR, frame->number, &error, now);
    }
}

enum pw_link_news pw_link_central_next(struct pw_link_central *c, struct pw_link_report *report,
                                       pw_ms now)
{
    *report = (struct pw_link_report){.news = PW_LINK_NEWS_NONE, .text = PW_STR("")};
    if (c->side == PW_LINK_STRANGER) {
        report->news = meet(c, report, now);
        return report->news;
    }
    report->news = give_answers_up(c, report, now);
    while (report->news == PW_LINK_NEWS_NONE && c->side == PW_LINK_KNOWN &&
           pw_link_pipe_room(&c->pipe) >= TAKE_ROOM) {
        struct pw_link_frame frame;
        int err = pw_link_pipe_take(&c->pipe, &frame, now);
        if (err == PW_ERR_AGAIN) {
            break;
        }
        if (err < 0) {
            leave(c, err == PW_ERR_LIMIT ? "a frame is too long" : "what came is no frame", now);
            report->news = give_answers_up(c, report, now);
            break;
        }
        err = pw_link_decode(&frame, &report->message, NULL);
        if (err == PW_ERR_UNKNOWN) {
            refuse_unknown(c, &frame, now);
        } else if (err != PW_OK) {
            c->pipe.bad++;
        } else {
            report->news = take_message(c, &frame, report, now);
        }
    }
    return report->news;
}

// ---------------------------------------------------------------------------------------------
// Acknowledgements wait for room: one number says all there is to say.

static void send_acks(struct pw_link_central *c, pw_ms now)
{
    if (c->side != PW_LINK_KNOWN) {
        return;
    }
    const struct pw_link_event_ack event = {.event = c->ack};
    if (c->ack != c->acked &&
        pw_link_pipe_write(&c->pipe, PW_LINK_EVENT_ACK, 0, &event, now) == PW_OK) {
        c->acked = c->ack;
    }
    const struct pw_link_log_ack log = {.next = c->log_ack};
    if (c->log_ack != c->log_acked &&
        pw_link_pipe_write(&c->pipe, PW_LINK_LOG_ACK, 0, &log, now) == PW_OK) {
        c->log_acked = c->log_ack;
    }
}

void pw_link_central_ack(struct pw_link_central *c, uint64_t event, pw_ms now)
{
    c->ack = (uint64_t)pw_min((int64_t)pw_max((int64_t)c->ack, (int64_t)event), (int64_t)c->event);
    send_acks(c, now);
}

void pw_link_central_log_ack(struct pw_link_central *c, uint64_t next, pw_ms now)
{
    c->log_ack = (uint64_t)pw_max((int64_t)c->log_ack, (int64_t)next);
    send_acks(c, now);
}

pw_ms pw_link_central_step(struct pw_link_central *c, pw_ms now)
{
    pw_ms at = PW_NEVER;
    if (c->side == PW_LINK_STRANGER && pw_elapsed(c->since, PW_LINK_HELLO_MS, now)) {
        leave(c, "no hello came", now);
    }
    if (c->side == PW_LINK_KNOWN) {
        const char *dead = pw_link_pipe_step(&c->pipe, now);
        if (dead != NULL) {
            leave(c, dead, now);
        }
        send_acks(c, now);
    }
    if (c->side == PW_LINK_STRANGER) {
        at = pw_after(c->since, PW_LINK_HELLO_MS);
    } else if (c->side == PW_LINK_KNOWN) {
        at = pw_link_pipe_deadline(&c->pipe);
        for (size_t i = 0; i < PW_LINK_OPEN; i++) {
            at = c->open[i].number != 0 ? pw_earlier(at, c->open[i].deadline) : at;
        }
    }
    return at;
}
