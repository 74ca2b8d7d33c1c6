// The station's end: says what it wants, and keeps the view of a board it hears of now and then.
#include "lora/parts.h"

#include <string.h>

enum {
    RAISE_MS = 20000,        // between higher limits: the air is for lower ones
    ANSWER_KEPT_MS = 60000,  // an answer nobody fetches
    ANSWER_WAIT_MS = 120000, // one that does not come
};

static void set_ok(struct pw_lora_station *station, bool ok, const char *why)
{
    struct pw_line line;
    bool was = station->view.ok;
    station->view.ok = ok;
    station->view.why = why;
    if (was != ok) {
        pw_line(&line, station->log, ok ? PW_LOG_INFO : PW_LOG_WARN, "lora",
                ok ? "board-answers" : "board-silent");
        pw_line_s(&line, "why", why);
        pw_line_end(&line);
    }
}

// Nothing is known of the board. Counters stay.
static void forget(struct pw_lora_station *station)
{
    static const struct pw_lora_frame blank = {.len = PW_LORA_REPORT_LEN,
                                               .payload = {[6] = 0xFF,
                                                           [7] = 0xFF,
                                                           [8] = 0xFF,
                                                           [9] = 0xFF,
                                                           [10] = 0xFF,
                                                           [11] = 0xFF,
                                                           [12] = 0xFF,
                                                           [13] = 0xFF,
                                                           [14] = 0xFF,
                                                           [15] = 0xFF,
                                                           [16] = 0xFF,
                                                           [17] = 0xFF,
                                                           [18] = 0x80}};
    struct pw_rapi_view *view = &station->view;
    uint32_t reboots = view->reboots;
    int err = pw_lora_get_report(&blank, view, 0);
    PW_ASSERT(err == PW_OK);
    view->reboots = reboots;
    view->firmware[0] = '\0';
    view->rapi[0] = '\0';
    view->firmware_version = PW_RAPI_UNKNOWN;
    view->rapi_version = PW_RAPI_UNKNOWN;
    view->min_ma = PW_RAPI_UNKNOWN;
    view->hardware_ma = PW_RAPI_UNKNOWN;
    view->config_ma = PW_RAPI_UNKNOWN;
    view->heartbeat_s = PW_RAPI_UNKNOWN;
    view->heartbeat_ma = PW_RAPI_UNKNOWN;
    view->gfi_trips = PW_RAPI_UNKNOWN;
    view->ground_trips = PW_RAPI_UNKNOWN;
    view->stuck_trips = PW_RAPI_UNKNOWN;
    view->trips_at = PW_NEVER;
    view->total_wh = -1;
    view->temp_dc[1] = PW_RAPI_UNKNOWN;
    view->temp_dc[2] = PW_RAPI_UNKNOWN;
    view->heard_at = PW_NEVER;
    station->far_ok = false;
    station->far_held = false;
    station->far_settled = false;
}

int pw_lora_station_init(struct pw_lora_station *station, const struct pw_lora_config *config,
                         const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    *station = (struct pw_lora_station){.log = log, .next_ticket = 1};
    int err = pw_lora_link_init(&station->link, config, false, now, why);
    if (err != PW_OK) {
        return err;
    }
    pw_lora_queue_init(&station->queue);
    station->view.why = "the wire is down";
    forget(station);
    return PW_OK;
}

void pw_lora_station_up(struct pw_lora_station *station, pw_ms now)
{
    pw_lora_station_down(station, "the radio has not been heard yet", now);
    station->view.up = true;
}

static void fail_ask(struct pw_lora_station *station, pw_ms now)
{
    station->queue.due[PW_LORA_ITEM_ASK] = false;
    if (station->ask.state == PW_RAPI_ASK_QUEUED) {
        station->ask.state = PW_RAPI_ASK_FAILED;
        station->ask.at = now;
    }
}

void pw_lora_station_down(struct pw_lora_station *station, const char *reason, pw_ms now)
{
    set_ok(station, false, reason);
    station->view.up = false;
    forget(station);
    fail_ask(station, now);
    pw_lora_link_reset(&station->link);
    station->rx_len = 0;
}

size_t pw_lora_station_bytes(struct pw_lora_station *station, const uint8_t *at, size_t len)
{
    size_t room = sizeof(station->rx) - station->rx_len;
    size_t taken = len < room ? len : room;
    if (taken > 0) {
        memcpy(station->rx + station->rx_len, at, taken);
    }
    station->rx_len = (uint8_t)(station->rx_len + taken);
    return taken;
}

struct pw_str pw_lora_station_out(const struct pw_lora_station *station)
{
    return (struct pw_str){.at = (const char *)station->link.tx, .len = station->link.tx_len};
}

void pw_lora_station_out_sent(struct pw_lora_station *station, size_t len, pw_ms now)
{
    pw_lora_link_sent(&station->link, len, now);
}

const struct pw_rapi_view *pw_lora_station_view(const struct pw_lora_station *station)
{
    return &station->view;
}

void pw_lora_station_want(struct pw_lora_station *station, const struct pw_rapi_want *want)
{
    for (unsigned row = 0; row < PW_RAPI_LCD_LINES; row++) {
        if (want->lcd_on &&
            strncmp(want->lcd[row], station->want.lcd[row], PW_RAPI_LCD_COLUMNS) != 0) {
            pw_lora_queue_add(&station->queue, row == 0 ? PW_LORA_ITEM_LCD_1 : PW_LORA_ITEM_LCD_2);
        }
    }
    station->want = *want;
    for (unsigned row = 0; row < PW_RAPI_LCD_LINES; row++) {
        station->want.lcd[row][PW_RAPI_LCD_COLUMNS] = '\0';
    }
    station->wanted = true;
}

// ---------------------------------------------------------------------------------------------
// Raw lines.

static int queue_ask(struct pw_lora_station *station, struct pw_str body, pw_ms now)
{
    struct pw_rapi_ask *ask = &station->ask;
    bool over = ask->state == PW_RAPI_ASK_DONE || ask->state == PW_RAPI_ASK_FAILED;
    if (ask->ticket != 0 && !(over && pw_elapsed(ask->at, ANSWER_KEPT_MS, now))) {
        return PW_ERR_AGAIN;
    }
    int err = pw_str_copy(ask->text, sizeof(ask->text), body);
    PW_ASSERT(err == PW_OK);
    ask->state = PW_RAPI_ASK_QUEUED;
    ask->at = now;
    ask->ticket = station->next_ticket;
    station->next_ticket = ask->ticket == UINT32_MAX ? 1 : ask->ticket + 1;
    station->ask_id = station->ask_id == UINT8_MAX ? 1 : (uint8_t)(station->ask_id + 1);
    pw_lora_queue_add(&station->queue, PW_LORA_ITEM_ASK);
    return PW_OK;
}

int pw_lora_station_ask(struct pw_lora_station *station, struct pw_str line, enum pw_rapi_who who,
                        pw_ms now, uint32_t *ticket, struct pw_out *why)
{
    char text[PW_RAPI_LINE_MAX];
    struct pw_out body = PW_OUT(text);
    int err = pw_rapi_command_raw(line, who, &body, why);
    if (err != PW_OK) {
        return err;
    }
    const char *reason = station->view.why;
    err = PW_ERR_PEER;
    if (station->view.ok) {
        reason = "another line is under way over the radio";
        err = queue_ask(station, pw_out_str(&body), now);
    }
    if (err != PW_OK) {
        if (why != NULL) {
            pw_put_s(why, reason);
        }
        return err;
    }
    *ticket = station->ask.ticket;
    return PW_OK;
}

int pw_lora_station_answer(struct pw_lora_station *station, uint32_t ticket, char *to, size_t cap)
{
    struct pw_rapi_ask *ask = &station->ask;
    if (ticket == 0 || ask->ticket != ticket) {
        return PW_ERR_UNKNOWN;
    }
    if (ask->state == PW_RAPI_ASK_QUEUED) {
        return PW_ERR_AGAIN;
    }
    ask->ticket = 0;
    if (ask->state == PW_RAPI_ASK_FAILED) {
        return PW_ERR_PEER;
    }
    struct pw_str answer = pw_str_of(ask->text);
    int err = pw_str_copy(to, cap, answer);
    return err != PW_OK ? err : (int)answer.len;
}

// Nobody fetches the answer to this one: it is forgotten after a minute.
int pw_lora_station_restart(struct pw_lora_station *station, pw_ms now)
{
    if (!station->view.ok || station->view.relay) {
        return PW_ERR_BUSY;
    }
    return queue_ask(station, PW_STR("$FR"), now) == PW_OK ? PW_OK : PW_ERR_BUSY;
}

// ---------------------------------------------------------------------------------------------
// Hearing.

static void note_event(struct pw_rapi_view *view, const struct pw_rapi_view *before)
{
    if (view->state == before->state && view->pilot_state == before->pilot_state &&
        view->vflags == before->vflags && view->offered_ma == before->offered_ma) {
        return;
    }
    struct pw_out out = PW_OUT(view->event);
    pw_put_s(&out, "$AT ");
    pw_put_hex(&out, view->state, 2);
    pw_put_c(&out, ' ');
    pw_put_hex(&out, view->pilot_state, 2);
    pw_put_c(&out, ' ');
    pw_put_int(&out, view->offered_ma == PW_RAPI_UNKNOWN ? 0 : view->offered_ma / 1000);
    pw_put_c(&out, ' ');
    pw_put_hex(&out, view->vflags, 4);
    view->events++;
}

static void take_report(struct pw_lora_station *station, const struct pw_lora_frame *frame,
                        pw_ms now)
{
    struct pw_rapi_view *view = &station->view;
    struct pw_rapi_view before = *view;
    if (pw_lora_get_report(frame, view, now) != PW_OK) {
        view->bad++;
        return;
    }
    if (view->heartbeat == PW_RAPI_HEARTBEAT_MISSED && before.heartbeat != view->heartbeat) {
        view->heartbeats_missed++;
    }
    station->far_ok = (frame->payload[0] & 1) != 0;
    station->far_held = view->limit_held;
    station->far_settled = view->settled;
    note_event(view, &before);
}

static void take_answer(struct pw_lora_station *station, const struct pw_lora_frame *frame,
                        pw_ms now)
{
    struct pw_rapi_ask *ask = &station->ask;
    if (frame->len < PW_LORA_ANSWER_HEAD || frame->payload[0] != station->ask_id ||
        ask->ticket == 0 || ask->state != PW_RAPI_ASK_QUEUED) {
        station->view.stray++;
        return;
    }
    struct pw_str text = {.at = (const char *)frame->payload + PW_LORA_ANSWER_HEAD,
                          .len = frame->len - (size_t)PW_LORA_ANSWER_HEAD};
    fail_ask(station, now);
    if (frame->payload[1] != 0 && pw_str_copy(ask->text, sizeof(ask->text), text) == PW_OK) {
        ask->state = PW_RAPI_ASK_DONE;
    }
}

static void take(struct pw_lora_station *station, const struct pw_lora_frame *frame, pw_ms now)
{
    station->view.heard_at = now;
    station->view.answers++;
    pw_lora_queue_receipt(&station->queue, frame->receipt);
    switch (frame->kind) {
    case PW_LORA_REPORT: take_report(station, frame, now); break;
    case PW_LORA_FACTS:
        if (pw_lora_get_facts(frame, &station->view, now) != PW_OK) {
            station->view.bad++;
        }
        break;
    case PW_LORA_ANSWER: take_answer(station, frame, now); break;
    case PW_LORA_ACK: break;
    case PW_LORA_HELLO:
    case PW_LORA_WANT:
    case PW_LORA_LCD:
    case PW_LORA_ASK:
        station->view.bad++; // not the far end's to say
        break;
    }
}

static void hear(struct pw_lora_station *station, pw_ms now)
{
    struct pw_lora_frame frame;
    size_t from = 0;
    size_t used;
    while (from < station->rx_len) {
        if (pw_lora_link_take(&station->link, station->rx + from, station->rx_len - from, &used,
                              &frame, now)) {
            take(station, &frame, now);
        }
        from += used;
    }
    station->rx_len = 0;
    if (station->joins != station->link.joins) {
        station->joins = station->link.joins;
        pw_lora_queue_init(&station->queue); // the far end knows nothing of us
        pw_lora_queue_add(&station->queue, PW_LORA_ITEM_WANT);
        if (station->want.lcd_on) {
            pw_lora_queue_add(&station->queue, PW_LORA_ITEM_LCD_1);
            pw_lora_queue_add(&station->queue, PW_LORA_ITEM_LCD_2);
        }
        if (station->ask.ticket != 0 && station->ask.state == PW_RAPI_ASK_QUEUED) {
            pw_lora_queue_add(&station->queue, PW_LORA_ITEM_ASK);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Saying.

static size_t make(const struct pw_lora_station *station, enum pw_lora_item item, uint8_t *to,
                   enum pw_lora_kind *kind)
{
    switch (item) {
    case PW_LORA_ITEM_WANT: *kind = PW_LORA_WANT; return pw_lora_put_want(&station->want, to);
    case PW_LORA_ITEM_LCD_1:
    case PW_LORA_ITEM_LCD_2:
        *kind = PW_LORA_LCD;
        return pw_lora_put_lcd(&station->want, item == PW_LORA_ITEM_LCD_2 ? 1 : 0, to);
    case PW_LORA_ITEM_ASK: {
        size_t len = strlen(station->ask.text);
        *kind = PW_LORA_ASK;
        to[0] = station->ask_id;
        memcpy(to + PW_LORA_ASK_HEAD, station->ask.text, len);
        return len + PW_LORA_ASK_HEAD;
    }
    case PW_LORA_ITEM_REPORT:
    case PW_LORA_ITEM_FACTS:
    case PW_LORA_ITEM_ANSWER:
    case PW_LORA_ITEMS: break;
    }
    PW_UNREACHABLE();
}

// A want that differs from what was said: a higher limit alone can wait.
static void compare(struct pw_lora_station *station, pw_ms now)
{
    uint8_t want[PW_LORA_WANT_LEN];
    (void)pw_lora_put_want(&station->want, want);
    if (!station->wanted || memcmp(want, station->said, sizeof(want)) == 0) {
        return;
    }
    bool raise = want[0] == station->said[0] && want[1] > station->said[1];
    if (!raise || pw_elapsed(station->said_at, RAISE_MS, now)) {
        pw_lora_queue_add(&station->queue, PW_LORA_ITEM_WANT);
    }
}

static void say(struct pw_lora_station *station, enum pw_lora_item item, bool reliable, pw_ms now)
{
    uint8_t payload[PW_LORA_PAYLOAD_MAX];
    enum pw_lora_kind kind;
    size_t len = make(station, item, payload, &kind);
    uint16_t number = pw_lora_link_send(&station->link, kind, reliable, payload, len, now);
    if (reliable) {
        pw_lora_queue_said(&station->queue, &station->link, item, number, now);
    }
    if (item == PW_LORA_ITEM_WANT) {
        memcpy(station->said, payload, sizeof(station->said));
        station->said_at = now;
    }
}

// What is to be said now, if the air lets us. Before anything is wanted only receipts are.
static pw_ms speak(struct pw_lora_station *station, pw_ms now)
{
    uint8_t payload[PW_LORA_PAYLOAD_MAX];
    enum pw_lora_kind kind;
    struct pw_lora_link *link = &station->link;
    enum pw_lora_item item =
        station->wanted ? pw_lora_queue_next(&station->queue, now) : PW_LORA_ITEMS;
    pw_ms keep_at = station->wanted ? station->said_at + PW_LORA_KEEPALIVE_MS : PW_NEVER;
    pw_ms next = pw_earlier(keep_at, pw_lora_queue_deadline(&station->queue));
    if (item != PW_LORA_ITEMS) {
        bool urgent = item == PW_LORA_ITEM_WANT;
        next = pw_lora_link_ready(link, make(station, item, payload, &kind), urgent, now);
        if (next <= now) {
            say(station, item, true, now);
            return now + 1;
        }
    }
    if (keep_at <= now || link->owes) { // also while there is no time for what else there is
        pw_ms at = pw_lora_link_ready(link, PW_LORA_WANT_LEN, true, now);
        if (at <= now && station->wanted) {
            say(station, PW_LORA_ITEM_WANT, false, now); // it carries the receipt, too
        } else if (at <= now) {
            (void)pw_lora_link_send(link, PW_LORA_ACK, false, NULL, 0, now);
        }
        return at <= now ? now + 1 : pw_earlier(at, next);
    }
    return next;
}

static void judge(struct pw_lora_station *station, pw_ms now)
{
    struct pw_rapi_view *view = &station->view;
    bool heard = view->heard_at != PW_NEVER && !pw_elapsed(view->heard_at, PW_LORA_SILENT_MS, now);
    if (!heard) {
        set_ok(station, false,
               view->heard_at == PW_NEVER ? "the radio has not been heard yet"
                                          : "the radio is silent");
        fail_ask(station, now);
    } else if (!station->far_ok) {
        set_ok(station, false, "the far end does not hear the board");
    } else {
        set_ok(station, true, "");
    }
    int32_t limit_ma = (int32_t)pw_max((int64_t)station->want.limit_ma / 1000 * 1000, view->min_ma);
    bool said = !station->queue.due[PW_LORA_ITEM_WANT];
    view->limit_held = station->wanted && station->far_held &&
                       view->offered_ma != PW_RAPI_UNKNOWN && view->offered_ma <= limit_ma;
    view->settled = view->ok && view->limit_held && station->far_settled && said;
    if (station->ask.ticket != 0 && pw_elapsed(station->ask.at, ANSWER_WAIT_MS, now)) {
        fail_ask(station, now);
    }
}

pw_ms pw_lora_station_step(struct pw_lora_station *station, pw_ms now)
{
    if (!station->view.up) {
        return PW_NEVER;
    }
    hear(station, now);
    compare(station, now);
    pw_ms at = pw_lora_link_step(&station->link, now);
    at = pw_earlier(at, speak(station, now));
    judge(station, now);
    if (station->view.heard_at != PW_NEVER) {
        pw_ms silent_at = station->view.heard_at + PW_LORA_SILENT_MS;
        at = pw_earlier(at, silent_at > now ? silent_at : PW_NEVER);
    }
    pw_ms raise_at = station->said_at + RAISE_MS;
    at = pw_earlier(at, raise_at > now ? raise_at : PW_NEVER);
    return at > now ? at : now + 1;
}
