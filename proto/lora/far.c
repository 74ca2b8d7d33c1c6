// The far end: the board's client on one side, the radio on the other.
#include "lora/parts.h"

#include <string.h>

enum {
    REPORT_GAP_MS = 1500,   // between reports of changes
    CURRENT_GAP_MS = 10000, // and of changes of current alone
    CURRENT_STEP = 100,     // 10 mA: 1 A is worth a report
    FACTS_GAP_MS = 20000,
    ENERGY_GAP_MS = 600000, // the lifetime register alone
    SETTLED_BIT = 0x40,
    TOTAL_AT = 34,
};

int pw_lora_far_init(struct pw_lora_far *far, const struct pw_lora_config *config,
                     const struct pw_rapi_config *rapi, const struct pw_log *log, pw_ms now,
                     struct pw_out *why)
{
    *far = (struct pw_lora_far){.log = log, .heard_at = PW_NEVER};
    int err = pw_lora_link_init(&far->link, config, true, now, why);
    if (err != PW_OK) {
        return err;
    }
    pw_lora_queue_init(&far->queue);
    return pw_rapi_init(&far->client, rapi, log, now, why);
}

size_t pw_lora_far_bytes(struct pw_lora_far *far, const uint8_t *at, size_t len)
{
    size_t room = sizeof(far->rx) - far->rx_len;
    size_t taken = len < room ? len : room;
    if (taken > 0) {
        memcpy(far->rx + far->rx_len, at, taken);
    }
    far->rx_len = (uint8_t)(far->rx_len + taken);
    return taken;
}

struct pw_str pw_lora_far_out(const struct pw_lora_far *far)
{
    return (struct pw_str){.at = (const char *)far->link.tx, .len = far->link.tx_len};
}

void pw_lora_far_out_sent(struct pw_lora_far *far, size_t len, pw_ms now)
{
    pw_lora_link_sent(&far->link, len, now);
}

void pw_lora_far_reset(struct pw_lora_far *far)
{
    pw_lora_link_reset(&far->link);
    far->rx_len = 0;
}

// True while the station has not been heard for PW_LORA_SILENT_MS.
static bool is_alone(const struct pw_lora_far *far, pw_ms now)
{
    return far->heard_at == PW_NEVER || pw_elapsed(far->heard_at, PW_LORA_SILENT_MS, now);
}

// ---------------------------------------------------------------------------------------------
// Hearing.

static void set_answer(struct pw_lora_far *far, struct pw_str text, bool there)
{
    const size_t most = PW_LORA_PAYLOAD_MAX - PW_LORA_ANSWER_HEAD;
    size_t len = text.len < most ? text.len : most;
    far->answer[0] = far->ask_id;
    far->answer[1] = there ? 1 : 0;
    if (text.len > 0) {
        memcpy(far->answer + PW_LORA_ANSWER_HEAD, text.at, len);
    }
    far->answer_len = (uint8_t)(len + PW_LORA_ANSWER_HEAD);
    pw_lora_queue_add(&far->queue, PW_LORA_ITEM_ANSWER);
}

// The station has judged who may send it; what nobody may send is refused here as well. A line that
// comes again, because its receipt was lost, is not sent again.
static void take_ask(struct pw_lora_far *far, const struct pw_lora_frame *frame, pw_ms now)
{
    if (frame->len < PW_LORA_ASK_HEAD || frame->payload[0] == far->ask_id) {
        return;
    }
    struct pw_str line = {.at = (const char *)frame->payload + PW_LORA_ASK_HEAD,
                          .len = frame->len - (size_t)PW_LORA_ASK_HEAD};
    far->ask_id = frame->payload[0];
    if (pw_rapi_ask(&far->client, line, PW_RAPI_ADMIN, now, &far->ticket, NULL) != PW_OK) {
        far->ticket = 0;
        set_answer(far, PW_STR(""), false);
    }
}

static void take(struct pw_lora_far *far, const struct pw_lora_frame *frame, pw_ms now)
{
    struct pw_rapi_want want = far->want;
    far->heard_at = now;
    pw_lora_queue_receipt(&far->queue, frame->receipt);
    switch (frame->kind) {
    case PW_LORA_WANT:
        if (pw_lora_get_want(frame, &want) == PW_OK) {
            far->want = want;
            far->wanted = true;
        }
        break;
    case PW_LORA_LCD:
        if (pw_lora_get_lcd(frame, &want) == PW_OK) {
            far->want = want;
        }
        break;
    case PW_LORA_ASK: take_ask(far, frame, now); break;
    case PW_LORA_ACK:
    case PW_LORA_HELLO:
    case PW_LORA_REPORT:
    case PW_LORA_FACTS:
    case PW_LORA_ANSWER: break;
    }
}

static void hear(struct pw_lora_far *far, pw_ms now)
{
    struct pw_lora_frame frame;
    size_t from = 0;
    size_t used;
    while (from < far->rx_len) {
        if (pw_lora_link_take(&far->link, far->rx + from, far->rx_len - from, &used, &frame, now)) {
            take(far, &frame, now);
        }
        from += used;
    }
    far->rx_len = 0;
    if (far->joins != far->link.joins) {
        far->joins = far->link.joins;
        far->ask_id = 0; // the station counts from one again
        pw_lora_queue_init(&far->queue);
        pw_lora_queue_add(&far->queue, PW_LORA_ITEM_REPORT);
        pw_lora_queue_add(&far->queue, PW_LORA_ITEM_FACTS);
    }
}

// ---------------------------------------------------------------------------------------------
// Saying.

// A report differs in what is worth saying at once; `current`: in the current drawn.
static bool differs(const uint8_t *now, const uint8_t *said, bool *current)
{
    int step = pw_be16(now + 7) - pw_be16(said + 7);
    *current = step >= CURRENT_STEP || step <= -CURRENT_STEP;
    return (now[0] | SETTLED_BIT) != (said[0] | SETTLED_BIT) || memcmp(now + 1, said + 1, 6) != 0 ||
           now[20] != said[20];
}

static void compare(struct pw_lora_far *far, pw_ms now)
{
    uint8_t payload[PW_LORA_PAYLOAD_MAX];
    bool current;
    const struct pw_rapi_view *view = pw_rapi_view(&far->client);
    (void)pw_lora_put_report(view, payload);
    bool changed = differs(payload, far->report, &current);
    if ((changed && pw_elapsed(far->report_at, REPORT_GAP_MS, now)) ||
        (current && pw_elapsed(far->report_at, CURRENT_GAP_MS, now))) {
        pw_lora_queue_add(&far->queue, PW_LORA_ITEM_REPORT);
    }
    (void)pw_lora_put_facts(view, payload);
    bool facts = memcmp(payload, far->facts, TOTAL_AT) != 0;
    bool total = memcmp(payload, far->facts, PW_LORA_FACTS_LEN) != 0;
    if ((facts && pw_elapsed(far->facts_at, FACTS_GAP_MS, now)) ||
        (total && pw_elapsed(far->facts_at, ENERGY_GAP_MS, now))) {
        pw_lora_queue_add(&far->queue, PW_LORA_ITEM_FACTS);
    }
}

static size_t make(const struct pw_lora_far *far, enum pw_lora_item item, uint8_t *to,
                   enum pw_lora_kind *kind)
{
    switch (item) {
    case PW_LORA_ITEM_REPORT:
        *kind = PW_LORA_REPORT;
        return pw_lora_put_report(&far->client.view, to);
    case PW_LORA_ITEM_FACTS: *kind = PW_LORA_FACTS; return pw_lora_put_facts(&far->client.view, to);
    case PW_LORA_ITEM_ANSWER:
        *kind = PW_LORA_ANSWER;
        memcpy(to, far->answer, far->answer_len);
        return far->answer_len;
    case PW_LORA_ITEM_WANT:
    case PW_LORA_ITEM_ASK:
    case PW_LORA_ITEM_LCD_1:
    case PW_LORA_ITEM_LCD_2:
    case PW_LORA_ITEMS: break;
    }
    PW_UNREACHABLE();
}

static void say(struct pw_lora_far *far, enum pw_lora_item item, bool reliable, pw_ms now)
{
    uint8_t payload[PW_LORA_PAYLOAD_MAX] = {0};
    enum pw_lora_kind kind;
    size_t len = make(far, item, payload, &kind);
    uint16_t number = pw_lora_link_send(&far->link, kind, reliable, payload, len, now);
    if (reliable) {
        pw_lora_queue_said(&far->queue, &far->link, item, number, now);
    }
    if (item == PW_LORA_ITEM_REPORT) {
        memcpy(far->report, payload, sizeof(far->report));
        far->report_at = now;
    } else if (item == PW_LORA_ITEM_FACTS) {
        memcpy(far->facts, payload, sizeof(far->facts));
        far->facts_at = now;
    }
}

static pw_ms speak(struct pw_lora_far *far, pw_ms now)
{
    uint8_t payload[PW_LORA_PAYLOAD_MAX];
    enum pw_lora_kind kind;
    struct pw_lora_link *link = &far->link;
    enum pw_lora_item item = pw_lora_queue_next(&far->queue, now);
    pw_ms summary_at = far->report_at + PW_LORA_SUMMARY_MS;
    // With little time left every other summary goes, so that the station does not give us up.
    pw_ms late_at = summary_at + PW_LORA_SUMMARY_MS;
    bool late = late_at <= now;
    pw_ms next = pw_earlier(summary_at, pw_lora_queue_deadline(&far->queue));
    if (item != PW_LORA_ITEMS) {
        bool urgent = item == PW_LORA_ITEM_REPORT && (far->queue.tries < 2 || late);
        next = pw_lora_link_ready(link, make(far, item, payload, &kind), urgent, now);
        if (next <= now) {
            say(far, item, true, now);
            return now + 1;
        }
    }
    if (link->owes) { // also while there is no time on the air for what else there is
        pw_ms at = pw_lora_link_ready(link, 0, true, now);
        if (at <= now) {
            (void)pw_lora_link_send(link, PW_LORA_ACK, false, NULL, 0, now);
            return now + 1;
        }
        return pw_earlier(at, next);
    }
    if (item == PW_LORA_ITEMS && summary_at <= now) {
        next = pw_lora_link_ready(link, PW_LORA_REPORT_LEN, late, now);
        next = late || next == PW_NEVER ? next : pw_earlier(next, late_at);
        if (next <= now) {
            say(far, PW_LORA_ITEM_REPORT, false, now);
            return now + 1;
        }
    }
    return next;
}

static void fetch_answer(struct pw_lora_far *far)
{
    char text[PW_RAPI_ANSWER_MAX + 1];
    if (far->ticket == 0) {
        return;
    }
    int len = pw_rapi_answer(&far->client, far->ticket, text, sizeof(text));
    if (len == PW_ERR_AGAIN) {
        return;
    }
    far->ticket = 0;
    set_answer(far, (struct pw_str){.at = text, .len = len > 0 ? (size_t)len : 0}, len > 0);
}

static void tell_client(struct pw_lora_far *far, pw_ms now)
{
    bool alone = is_alone(far, now);
    if (far->wanted && alone != far->want.let_go) {
        struct pw_line line;
        pw_line(&line, far->log, alone ? PW_LOG_WARN : PW_LOG_INFO, "lora",
                alone ? "station-silent" : "station-heard");
        pw_line_end(&line);
        far->want.let_go = alone;
    }
    if (far->wanted) {
        pw_rapi_want(&far->client, &far->want);
    }
}

pw_ms pw_lora_far_step(struct pw_lora_far *far, pw_ms now)
{
    hear(far, now);
    tell_client(far, now);
    pw_ms at = pw_rapi_step(&far->client, now);
    fetch_answer(far);
    compare(far, now);
    at = pw_earlier(at, pw_lora_link_step(&far->link, now));
    at = pw_earlier(at, speak(far, now));
    if (!is_alone(far, now)) {
        at = pw_earlier(at, far->heard_at + PW_LORA_SILENT_MS);
    }
    at = pw_earlier(at, now + REPORT_GAP_MS); // changes that had to wait
    return at > now ? at : now + 1;
}
