// Both ends of the station link against whatever bytes come, cut anywhere. The first byte says
// which end listens; then each chunk is a length byte and that many bytes, and time goes on.
#include "link/link.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct pw_link_station *s, const struct pw_link_message *message, pw_ms now)
{
    struct pw_link_snapshot snapshot;
    if (message->type == PW_LINK_GET_ALL) {
        pw_link_blank(&pw_link_snapshot_rows, &snapshot);
        snapshot.schema = PW_LINK_SCHEMA;
        snapshot.boot = 1;
        (void)!pw_link_station_snapshot(s, &snapshot, NULL, 0, now);
        return;
    }
    if (message->type == PW_LINK_SET_LIMIT) {
        PW_ASSERT(message->as.set_limit.limit_ma >= 0 && message->as.set_limit.limit_ma <= 80000);
    }
    if (message->type == PW_LINK_FW_CHUNK) {
        PW_ASSERT(message->as.fw_chunk.data.len >= 1 &&
                  message->as.fw_chunk.data.len <= PW_LINK_CHUNK_MAX);
    }
    if (message->type == PW_LINK_FW_STATUS) {
        const struct pw_link_fw_state state = {
            .status = PW_STR("Idle"), .version = PW_STR(""), .why = PW_STR("")};
        pw_link_station_fw_state(s, &state, now);
        return;
    }
    if (message->type == PW_LINK_FW_BEGIN || message->type == PW_LINK_FW_CHUNK ||
        message->type == PW_LINK_FW_COMMIT) {
        pw_link_station_answer(s, PW_LINK_E_NONE, PW_STR(""), now);
        return;
    }
    bool energize = message->type == PW_LINK_ENERGIZE;
    pw_link_station_answer(s, PW_LINK_E_REFUSED,
                           energize ? message->as.energize.id_tag : message->as.set_limit.reason,
                           now);
}

static void station(const uint8_t *data, size_t size)
{
    static struct pw_link_station s;
    struct pw_link_identity who = {.id = PW_STR("A"),
                                   .key = PW_STR("K"),
                                   .firmware = PW_STR(""),
                                   .vendor = PW_STR(""),
                                   .model = PW_STR(""),
                                   .boot = 1};
    pw_ms now = 0;
    pw_link_station_init(&s, &who, 1, now);
    (void)pw_link_station_step(&s, now);
    pw_link_station_up(&s, now);
    while (size > 1) {
        size_t len = data[0] < size - 1 ? data[0] : size - 1;
        struct pw_link_message message;
        const struct pw_link_happening what = {
            .at = now, .kind = PW_LINK_EVENT_PILOT, .connector = 1, .text = "C2"};
        pw_link_station_event(&s, &what);
        (void)pw_link_station_bytes(&s, data + 1, len, now);
        while (pw_link_station_next(&s, &message, now)) {
            answer(&s, &message, now);
        }
        PW_ASSERT(pw_link_station_step(&s, now) >= now || s.state == PW_LINK_ONLINE);
        PW_ASSERT(s.first <= s.sent && s.sent <= s.next);
        PW_ASSERT(s.pipe.tx_len <= s.pipe.tx_cap && s.pipe.rx_used <= s.pipe.rx_len);
        if (len % 3 == 0) {
            pw_link_station_out_sent(&s, pw_link_station_out(&s).len, now);
        }
        now += len * 10;
        data += 1 + len;
        size -= 1 + len;
    }
}

static void look(struct pw_link_central *c, const struct pw_link_report *report,
                 struct pw_link_memory *memory, pw_ms now)
{
    const struct pw_link_welcome kept = {.event = 0, .log = 0};
    struct pw_link_items items = {.len = 0};
    struct pw_link_connector connector;
    struct pw_link_line line;
    bool bad = false;
    switch (report->news) {
    case PW_LINK_NEWS_HELLO: pw_link_central_admit(c, memory, &kept, now); break;
    case PW_LINK_NEWS_EVENT: pw_link_central_ack(c, report->message.as.event.event, now); break;
    case PW_LINK_NEWS_SNAPSHOT:
        items = report->message.as.snapshot.connectors;
        while (pw_link_next(&items, &pw_link_connector_rows, &connector, &bad)) {
            PW_ASSERT(connector.id >= 1);
        }
        break;
    case PW_LINK_NEWS_LOG:
        items = report->message.as.log_batch.lines;
        while (pw_link_next(&items, &pw_link_line_rows, &line, &bad)) {
            PW_ASSERT(line.text.len <= 320);
        }
        pw_link_central_log_ack(c, report->message.as.log_batch.next, now);
        break;
    case PW_LINK_NEWS_NONE:
    case PW_LINK_NEWS_FIRMWARE:
    case PW_LINK_NEWS_LOST:
    case PW_LINK_NEWS_ANSWER: break;
    }
}

static void central(const uint8_t *data, size_t size)
{
    static struct pw_link_central c;
    static struct pw_link_memory memory;
    pw_ms now = 0;
    pw_link_central_init(&c, now);
    while (size > 1) {
        size_t len = data[0] < size - 1 ? data[0] : size - 1;
        struct pw_link_report report;
        char text[64];
        struct pw_out why = PW_OUT(text);
        (void)pw_link_central_bytes(&c, data + 1, len, now);
        while (pw_link_central_next(&c, &report, now) != PW_LINK_NEWS_NONE) {
            look(&c, &report, &memory, now);
        }
        (void)!pw_link_central_ask(&c, len % 2 == 0 ? PW_LINK_GET_ALL : PW_LINK_FW_STATUS, NULL,
                                   &why, now);
        (void)pw_link_central_step(&c, now);
        PW_ASSERT(c.side == PW_LINK_KNOWN || pw_link_central_out(&c).len == 0);
        PW_ASSERT(c.acked <= c.event && c.pipe.rx_used <= c.pipe.rx_len);
        if (len % 3 == 0) {
            pw_link_central_out_sent(&c, pw_link_central_out(&c).len, now);
        }
        now += len * 10;
        data += 1 + len;
        size -= 1 + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (data[0] % 2 == 0) {
        station(data + 1, size - 1);
    } else {
        central(data + 1, size - 1);
    }
    return 0;
}
