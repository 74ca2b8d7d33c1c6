#include "sample.h"

#include "test.h"

static void hello(struct pw_link_writer *w)
{
    struct pw_link_hello m;
    pw_link_blank(&pw_link_hello_rows, &m);
    m.version = 1;
    m.id = PW_STR("AC-1");
    m.key = PW_STR("0123456789abcdef");
    m.boot = 0x0000000380000007;
    m.first = 5;
    m.next = 7;
    m.firmware = PW_STR("0.2.0");
    m.connectors = 1;
    pw_link_begin(w, PW_LINK_HELLO, 0, &m);
}

static void welcome(struct pw_link_writer *w)
{
    const struct pw_link_welcome m = {.version = 1, .event = 5, .log = 120, .wall = 1767225600000};
    pw_link_begin(w, PW_LINK_WELCOME, 0, &m);
}

static void ping(struct pw_link_writer *w)
{
    pw_link_begin(w, PW_LINK_PING, 3, NULL);
}

static void pong(struct pw_link_writer *w)
{
    pw_link_begin(w, PW_LINK_PONG, 3, NULL);
}

static void ok(struct pw_link_writer *w)
{
    const struct pw_link_ok m = {.text = PW_STR("")};
    pw_link_begin(w, PW_LINK_OK, 4, &m);
}

static void error(struct pw_link_writer *w)
{
    const struct pw_link_error m = {.code = PW_LINK_E_REFUSED,
                                    .text = PW_STR("nothing is charging")};
    pw_link_begin(w, PW_LINK_ERROR, 5, &m);
}

static void event(struct pw_link_writer *w)
{
    const struct pw_link_event m = {.event = 6,
                                    .kind = PW_LINK_EVENT_PILOT,
                                    .connector = 1,
                                    .wall = 1767225601500,
                                    .text = PW_STR("C2")};
    pw_link_begin(w, PW_LINK_EVENT, 0, &m);
}

static void event_ack(struct pw_link_writer *w)
{
    const struct pw_link_event_ack m = {.event = 6};
    pw_link_begin(w, PW_LINK_EVENT_ACK, 0, &m);
}

static void get_all(struct pw_link_writer *w)
{
    pw_link_begin(w, PW_LINK_GET_ALL, 6, NULL);
}

static void snapshot(struct pw_link_writer *w)
{
    struct pw_link_snapshot m;
    struct pw_link_connector c;
    pw_link_blank(&pw_link_snapshot_rows, &m);
    pw_link_blank(&pw_link_connector_rows, &c);
    m.schema = PW_LINK_SCHEMA;
    m.uptime_ms = 60000;
    m.boot = 0x0000000380000007;
    m.event = 6;
    c.id = 1;
    c.kind = PW_STR("pilot");
    c.pilot = PW_STR("C2");
    c.plugged = true;
    c.energised = true;
    c.phases = 3;
    c.ma[0] = 15980;
    c.ma[1] = 15990;
    c.ma[2] = 16000;
    c.soc_permille = -1;
    pw_link_begin(w, PW_LINK_SNAPSHOT, 6, &m);
    pw_link_add(w, PW_LINK_TAG_ITEMS, &pw_link_connector_rows, &c);
}

static void subscribe(struct pw_link_writer *w)
{
    const struct pw_link_subscribe m = {.interval_ms = 5000};
    pw_link_begin(w, PW_LINK_SUBSCRIBE, 7, &m);
}

static void set_limit(struct pw_link_writer *w)
{
    const struct pw_link_set_limit m = {.connector = 1,
                                        .limit_ma = 16000,
                                        .lease_s = 60,
                                        .fallback_ma = 6000,
                                        .reason = PW_STR("group yard")};
    pw_link_begin(w, PW_LINK_SET_LIMIT, 8, &m);
}

static void energize(struct pw_link_writer *w)
{
    const struct pw_link_energize m = {.connector = 1, .on = true, .id_tag = PW_STR("CARD7")};
    pw_link_begin(w, PW_LINK_ENERGIZE, 9, &m);
}

static void log_batch(struct pw_link_writer *w)
{
    const struct pw_link_log_batch m = {.cursor = 120, .dropped = 2, .next = 123};
    const struct pw_link_line line = {.cursor = 122,
                                      .level = PW_LOG_WARN,
                                      .at_ms = 59000,
                                      .room = PW_STR("uplink"),
                                      .text = PW_STR("lease-over connector=1")};
    pw_link_begin(w, PW_LINK_LOG_BATCH, 0, &m);
    pw_link_add(w, PW_LINK_TAG_ITEMS, &pw_link_line_rows, &line);
}

static void log_ack(struct pw_link_writer *w)
{
    const struct pw_link_log_ack m = {.next = 123};
    pw_link_begin(w, PW_LINK_LOG_ACK, 0, &m);
}

static void fw_begin(struct pw_link_writer *w)
{
    const struct pw_link_fw_begin m = {
        .size = 3145728,
        .sha256 = PW_STR("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        .version = PW_STR("0.3.0"),
        .resume = true};
    pw_link_begin(w, PW_LINK_FW_BEGIN, 10, &m);
}

static void fw_chunk(struct pw_link_writer *w)
{
    const struct pw_link_fw_chunk m = {.offset = 0, .data = {.at = "PWREL1\r\n\0\0", .len = 10}};
    pw_link_begin(w, PW_LINK_FW_CHUNK, 11, &m);
}

static void fw_commit(struct pw_link_writer *w)
{
    const struct pw_link_fw_commit m = {.now = true};
    pw_link_begin(w, PW_LINK_FW_COMMIT, 12, &m);
}

static void fw_status(struct pw_link_writer *w)
{
    pw_link_begin(w, PW_LINK_FW_STATUS, 13, NULL);
}

static void fw_state(struct pw_link_writer *w)
{
    const struct pw_link_fw_state m = {.status = PW_STR("Downloading"),
                                       .bytes = 1048576,
                                       .total = 3145728,
                                       .version = PW_STR("0.3.0"),
                                       .why = PW_STR("")};
    pw_link_begin(w, PW_LINK_FW_STATE, 13, &m);
}

size_t sample_write(unsigned index, uint8_t *at, size_t cap, const char **name)
{
#define ROW(name) {#name, name},
    static const struct {
        const char *name;
        void (*write)(struct pw_link_writer *w);
    } rows[] = {ROW(hello) ROW(welcome) ROW(ping) ROW(pong) ROW(ok) ROW(error) ROW(event)
                    ROW(event_ack) ROW(get_all) ROW(snapshot) ROW(subscribe) ROW(set_limit)
                        ROW(energize) ROW(log_batch) ROW(log_ack) ROW(fw_begin) ROW(fw_chunk)
                            ROW(fw_commit) ROW(fw_status) ROW(fw_state)};
#undef ROW
    if (index >= PW_COUNT(rows)) {
        return 0;
    }
    struct pw_link_writer w = {.at = at, .cap = cap};
    rows[index].write(&w);
    *name = rows[index].name;
    int len = pw_link_end(&w);
    assert_true(len > 0);
    return (size_t)len;
}
