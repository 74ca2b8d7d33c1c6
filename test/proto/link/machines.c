// Both ends of the station link in virtual time: meeting, events that are neither lost nor doubled,
// requests that end exactly once, and everything a peer may do wrong.
#include "link/link.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct pw_link_station st;
static struct pw_link_central ce;
static struct pw_link_memory memory;
static pw_ms now;

static struct pw_link_identity who_is(uint64_t boot)
{
    return (struct pw_link_identity){.id = PW_STR("PW-1"),
                                     .key = PW_STR("secret-key-0123456789"),
                                     .firmware = PW_STR("1.0"),
                                     .vendor = PW_STR("Pilotwire"),
                                     .model = PW_STR("AC"),
                                     .connectors = 2,
                                     .boot = boot};
}

// What the central's host keeps, as a data base would.
static struct {
    uint64_t boot;
    uint64_t event;
    uint64_t log;
    uint64_t lost;
    unsigned events;
    int64_t sum;
} kept;

static struct pw_link_report last; // the last ANSWER or SNAPSHOT
static unsigned answers;

static void set_up_both(void)
{
    now = 1000;
    memset(&kept, 0, sizeof(kept));
    memset(&last, 0, sizeof(last));
    answers = 0;
    struct pw_link_identity who = who_is(77);
    pw_link_station_init(&st, &who, 42, now);
}

static void connect_both(void)
{
    (void)pw_link_station_step(&st, now);
    assert_true(pw_link_station_wants(&st, now));
    pw_link_central_init(&ce, now);
    pw_link_station_up(&st, now);
}

static void cut_both(void)
{
    pw_link_central_close(&ce, "cut", now);
    pw_link_station_down(&st, now);
}

// At most `most` bytes each way; returns how many went.
static size_t carry(size_t most)
{
    struct pw_str out = pw_link_station_out(&st);
    size_t up = out.len < most ? out.len : most;
    up = pw_link_central_bytes(&ce, (const uint8_t *)out.at, up, now);
    pw_link_station_out_sent(&st, up, now);
    out = pw_link_central_out(&ce);
    size_t down = out.len < most ? out.len : most;
    down = pw_link_station_bytes(&st, (const uint8_t *)out.at, down, now);
    pw_link_central_out_sent(&ce, down, now);
    return up + down;
}

static void host_event(const struct pw_link_event *event)
{
    assert_int_equal(event->event, kept.event + 1); // in order, each once
    assert_int_equal(event->value, (int64_t)event->event * 3);
    kept.event = event->event;
    kept.events++;
    kept.sum += event->value;
}

static void host_hello(const struct pw_link_hello *hello)
{
    if (hello->boot != kept.boot) {
        kept.boot = hello->boot;
        kept.event = 0;
        kept.log = 0;
    }
    const struct pw_link_welcome welcome = {.event = kept.event, .log = kept.log, .wall = 5};
    pw_link_central_admit(&ce, &memory, &welcome, now);
}

static bool central_turn(void)
{
    struct pw_link_report report;
    switch (pw_link_central_next(&ce, &report, now)) {
    case PW_LINK_NEWS_NONE: return false;
    case PW_LINK_NEWS_HELLO: host_hello(&report.message.as.hello); break;
    case PW_LINK_NEWS_EVENT:
        host_event(&report.message.as.event);
        pw_link_central_ack(&ce, kept.event, now);
        break;
    case PW_LINK_NEWS_LOST:
        kept.lost += report.lost;
        kept.event += report.lost;
        break;
    case PW_LINK_NEWS_LOG:
        kept.log = report.message.as.log_batch.next;
        pw_link_central_log_ack(&ce, kept.log, now);
        break;
    case PW_LINK_NEWS_SNAPSHOT:
    case PW_LINK_NEWS_FIRMWARE:
    case PW_LINK_NEWS_ANSWER:
        last = report;
        answers++;
        break;
    }
    return true;
}

// The station's host: a limit above 32 A it refuses, all else it does.
static bool station_turn(void)
{
    struct pw_link_message message;
    if (!pw_link_station_next(&st, &message, now)) {
        return false;
    }
    if (message.type == PW_LINK_GET_ALL) {
        struct pw_link_snapshot snapshot;
        struct pw_link_connector connectors[2];
        pw_link_blank(&pw_link_snapshot_rows, &snapshot);
        snapshot.schema = PW_LINK_SCHEMA;
        snapshot.boot = 77;
        snapshot.uptime_ms = now;
        for (uint8_t i = 0; i < 2; i++) {
            pw_link_blank(&pw_link_connector_rows, &connectors[i]);
            connectors[i].id = (uint8_t)(i + 1);
            connectors[i].ma[0] = 16000;
            connectors[i].pilot = PW_STR("C2");
        }
        assert_int_equal(pw_link_station_snapshot(&st, &snapshot, connectors, 2, now), PW_OK);
    } else if (message.type == PW_LINK_SET_LIMIT && message.as.set_limit.limit_ma > 32000) {
        pw_link_station_answer(&st, PW_LINK_E_REFUSED, PW_STR("too much"), now);
    } else {
        pw_link_station_answer(&st, PW_LINK_E_NONE, PW_STR("done"), now);
    }
    return true;
}

static void talk(void)
{
    bool busy = true;
    while (busy) {
        busy = station_turn();
        (void)pw_link_station_step(&st, now);
        busy = carry(SIZE_MAX) > 0 || busy;
        busy = central_turn() || busy;
        (void)pw_link_central_step(&ce, now);
    }
}

static void happen(void)
{
    const struct pw_link_happening what = {.at = now,
                                           .kind = PW_LINK_EVENT_PILOT,
                                           .connector = 1,
                                           .value = (int64_t)st.next * 3,
                                           .text = "C2"};
    pw_link_station_event(&st, &what);
}

// ---------------------------------------------------------------------------------------------

static void they_meet_and_every_event_comes_once(void **state)
{
    (void)state;
    set_up_both();
    happen();
    connect_both();
    talk();
    assert_int_equal(st.state, PW_LINK_ONLINE);
    happen();
    happen();
    talk();
    assert_int_equal(kept.events, 3);
    assert_int_equal(kept.lost, 0);
    assert_int_equal(st.first, 4); // forgotten: acknowledged
    assert_int_equal(st.wall, 5);
}

// The connection is cut after every possible number of bytes, many times over: nothing is lost,
// nothing is told twice.
static void cuts_anywhere_lose_and_double_nothing(void **state)
{
    (void)state;
    uint32_t seed = 20260101;
    for (unsigned round = 0; round < 300; round++) {
        uint32_t random = seed + round;
        set_up_both();
        unsigned happened = 0;
        for (unsigned life = 0; life < 12; life++) {
            connect_both();
            random = random * 1664525 + 1013904223;
            size_t budget = (random >> 12) % 900;
            for (unsigned turn = 0; turn < 40 && budget > 0; turn++) {
                random = random * 1664525 + 1013904223;
                if (random >> 30 == 0 && happened < PW_LINK_EVENTS - 1) {
                    happen();
                    happened++;
                }
                (void)station_turn();
                (void)pw_link_station_step(&st, now);
                size_t most = 1 + (random >> 20) % 60;
                size_t went = carry(most < budget ? most : budget);
                budget -= went < budget ? went : budget;
                while (central_turn()) {
                }
                now++;
            }
            cut_both();
            now += PW_LINK_BACKOFF_MAX_MS;
        }
        connect_both();
        talk();
        if (kept.events != happened || kept.lost != 0) {
            fail_msg("seed %u: %u of %u events, %u lost", seed + round, kept.events, happened,
                     (unsigned)kept.lost);
        }
        cut_both();
    }
}

static void events_that_found_no_room_are_counted_and_said(void **state)
{
    (void)state;
    set_up_both();
    connect_both();
    happen();
    talk();
    cut_both();
    for (unsigned i = 0; i < PW_LINK_EVENTS + 9; i++) {
        happen();
    }
    assert_int_equal(st.lost, 9);
    now += PW_LINK_BACKOFF_MAX_MS;
    connect_both();
    talk();
    assert_int_equal(kept.lost, 9);
    assert_int_equal(kept.events, 1 + PW_LINK_EVENTS);
}

// What no station of ours does, but a wire may: the same event again, an older one, one too far.
static void events_out_of_order_are_taken_once_and_gaps_are_said(void **state)
{
    (void)state;
    static const struct {
        uint64_t event;
        unsigned events;
        unsigned lost;
        unsigned repeated;
    } steps[] = {{1, 1, 0, 0}, {1, 1, 0, 1}, {2, 2, 0, 1},
                 {5, 3, 2, 1}, {3, 3, 2, 2}, {6, 4, 2, 2}};
    set_up_both();
    connect_both();
    talk();
    for (size_t i = 0; i < PW_COUNT(steps); i++) {
        uint8_t frame[100];
        struct pw_link_writer w = {.at = frame, .cap = sizeof(frame)};
        const struct pw_link_event event = {.event = steps[i].event,
                                            .kind = PW_LINK_EVENT_PLUG,
                                            .value = (int64_t)steps[i].event * 3,
                                            .text = PW_STR("")};
        pw_link_begin(&w, PW_LINK_EVENT, 0, &event);
        int len = pw_link_end(&w);
        assert_int_equal(pw_link_central_bytes(&ce, frame, (size_t)len, now), len);
        while (central_turn()) {
        }
        assert_int_equal(kept.events, steps[i].events);
        assert_int_equal(kept.lost, steps[i].lost);
        assert_int_equal(ce.repeated, steps[i].repeated);
    }
}

static void a_new_start_begins_its_events_anew(void **state)
{
    (void)state;
    set_up_both();
    connect_both();
    happen();
    happen();
    talk();
    struct pw_link_identity again = who_is(78);
    pw_link_station_init(&st, &again, 1, now);
    happen();
    connect_both();
    talk();
    assert_int_equal(kept.events, 3);
    assert_int_equal(kept.event, 1);
}

static void a_request_ends_exactly_once(void **state)
{
    (void)state;
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_link_set_limit limit = {
        .connector = 1, .limit_ma = 16000, .lease_s = 60, .fallback_ma = 6000};
    set_up_both();
    connect_both();
    assert_int_equal(pw_link_central_ask(&ce, PW_LINK_SET_LIMIT, &limit, &why, now), PW_ERR_BUSY);
    talk();
    int number = pw_link_central_ask(&ce, PW_LINK_SET_LIMIT, &limit, &why, now);
    assert_true(number > 0);
    talk();
    assert_int_equal(answers, 1);
    assert_int_equal(last.number, number);
    assert_int_equal(last.request, PW_LINK_SET_LIMIT);
    assert_int_equal(last.code, PW_LINK_E_NONE);
    limit.limit_ma = 40000;
    number = pw_link_central_ask(&ce, PW_LINK_SET_LIMIT, &limit, &why, now);
    talk();
    assert_int_equal(last.code, PW_LINK_E_REFUSED);
    assert_true(pw_str_is(last.text, "too much"));
    number = pw_link_central_ask(&ce, PW_LINK_GET_ALL, NULL, &why, now);
    talk();
    assert_int_equal(last.news, PW_LINK_NEWS_SNAPSHOT);
    assert_int_equal(last.number, number);
    assert_int_equal(answers, 3);
    // A value no row allows does not leave at all.
    limit.limit_ma = 1000000;
    assert_int_equal(pw_link_central_ask(&ce, PW_LINK_SET_LIMIT, &limit, &why, now), PW_ERR_RANGE);
}

static void no_answer_is_an_answer_too(void **state)
{
    (void)state;
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    set_up_both();
    connect_both();
    talk();
    for (unsigned i = 0; i < PW_LINK_OPEN; i++) {
        assert_true(pw_link_central_ask(&ce, PW_LINK_GET_ALL, NULL, &why, now) > 0);
    }
    assert_int_equal(pw_link_central_ask(&ce, PW_LINK_GET_ALL, NULL, &why, now), PW_ERR_LIMIT);
    now += PW_LINK_ANSWER_MS;
    while (central_turn()) {
        assert_int_equal(last.code, PW_LINK_E_TIMEOUT);
    }
    assert_int_equal(answers, PW_LINK_OPEN);
    assert_true(pw_link_central_ask(&ce, PW_LINK_GET_ALL, NULL, &why, now) > 0);
    pw_link_central_close(&ce, "cut", now);
    assert_true(central_turn());
    assert_int_equal(last.code, PW_LINK_E_LOST);
    assert_false(central_turn());
    assert_int_equal(answers, PW_LINK_OPEN + 1);
}

static void the_late_and_the_doubled_answer_are_ignored(void **state)
{
    (void)state;
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    uint8_t frame[64];
    set_up_both();
    connect_both();
    talk();
    int number = pw_link_central_ask(
        &ce, PW_LINK_ENERGIZE, &(struct pw_link_energize){.connector = 1, .on = false}, &why, now);
    talk();
    assert_int_equal(answers, 1);
    struct pw_link_writer w = {.at = frame, .cap = sizeof(frame)};
    pw_link_begin(&w, PW_LINK_OK, (uint16_t)number, &(struct pw_link_ok){.text = PW_STR("")});
    int len = pw_link_end(&w);
    assert_true(len > 0);
    assert_int_equal(pw_link_central_bytes(&ce, frame, (size_t)len, now), len);
    assert_false(central_turn());
    assert_int_equal(answers, 1);
    assert_int_equal(ce.pipe.bad, 1);
    assert_false(pw_link_central_gone(&ce));
}

// ---------------------------------------------------------------------------------------------
// What a peer may do wrong.

static void push(uint8_t type, uint16_t number, const void *body, size_t len)
{
    uint8_t frame[300] = {'P', 'W', type};
    pw_set_be16(frame + 4, number);
    pw_set_be16(frame + 6, (uint16_t)len);
    memcpy(frame + 8, body, len);
    (void)carry(SIZE_MAX);
    assert_int_equal(pw_link_station_bytes(&st, frame, len + 8, now), len + 8);
    while (station_turn()) {
    }
}

// The error the station answered last, straight from its bytes.
static struct pw_link_error station_said(uint16_t number)
{
    struct pw_str out = pw_link_station_out(&st);
    struct pw_link_frame frame;
    struct pw_link_message message;
    int whole = pw_link_frame_read((const uint8_t *)out.at, out.len, PW_LINK_FRAME_MAX, &frame);
    assert_true(whole > 0);
    assert_int_equal(pw_link_decode(&frame, &message, NULL), PW_OK);
    assert_int_equal(message.type, PW_LINK_ERROR);
    assert_int_equal(message.number, number);
    pw_link_station_out_sent(&st, (size_t)whole, now);
    return message.as.error;
}

static void wrong_requests_are_answered_and_the_link_stays(void **state)
{
    (void)state;
    set_up_both();
    connect_both();
    talk();
    push(0x77, 5, "", 0); // no such message
    assert_int_equal(station_said(5).code, PW_LINK_E_UNKNOWN);
    push(PW_LINK_FW_BEGIN, 6, "\1\0\1x", 4); // a size of one byte
    struct pw_link_error error = station_said(6);
    assert_int_equal(error.code, PW_LINK_E_BODY);
    push(PW_LINK_SET_LIMIT, 7, "\1\0\1\1", 4); // fields missing
    error = station_said(7);
    assert_int_equal(error.code, PW_LINK_E_BODY);
    assert_true(pw_str_is(error.text, "limit_ma: missing"));
    push(PW_LINK_SET_LIMIT, 8, "\1\0\1\1\2\0\3NaN", 10); // a number as text
    error = station_said(8);
    assert_true(pw_str_is(error.text, "limit_ma: 3 bytes, a number of 4 is wanted"));
    push(PW_LINK_SET_LIMIT, 9, "\1\0\1\1\2\0\4\0\x0F\x42\x40", 11); // 10^6
    error = station_said(9);
    assert_int_equal(error.code, PW_LINK_E_RANGE);
    assert_true(pw_str_is(error.text, "limit_ma: 1000000 is outside 0..80000"));
    push(PW_LINK_SET_LIMIT, 10, "\1\0\1\1\1\0\1\1", 8);
    assert_true(pw_str_is(station_said(10).text, "connector: twice"));
    push(PW_LINK_SET_LIMIT, 11, "\1\0\xFF\1", 4);
    assert_true(pw_str_is(station_said(11).text, "a field is longer than the message"));
    push(PW_LINK_ENERGIZE, 12, "\1\0\1\1\2\0\1\1\4\0\2\xC3\x28", 13); // bad UTF-8
    assert_int_equal(station_said(12).code, PW_LINK_E_BODY);
    push(PW_LINK_SUBSCRIBE, 13, "\1\0\4\0\0\0\5", 7); // every 5 ms
    assert_int_equal(station_said(13).code, PW_LINK_E_RANGE);
    push(PW_LINK_EVENT_ACK, 0, "\1\0\x08\0\0\0\0\0\0\0\x63", 11); // an event that never was
    assert_int_equal(st.first, 1);
    assert_int_equal(st.state, PW_LINK_ONLINE);
}

static void what_is_no_frame_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } wrong[] = {{"GET / HT", 8}, {"P", 1}, {"PX", 2}, {{'P', 'W', 3, 0, 0, 1, 0xFF, 0xFF}, 8}};
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        bool half = wrong[i].len == 1; // the beginning of one is no offence
        set_up_both();
        connect_both();
        talk();
        assert_int_equal(pw_link_station_bytes(&st, wrong[i].bytes, wrong[i].len, now),
                         wrong[i].len);
        (void)station_turn();
        assert_int_equal(st.state, half ? PW_LINK_ONLINE : PW_LINK_ENDING);
        assert_int_equal(pw_link_station_wants(&st, now), half);
        assert_int_equal(pw_link_central_bytes(&ce, wrong[i].bytes, wrong[i].len, now),
                         wrong[i].len);
        while (central_turn()) {
        }
        assert_int_equal(pw_link_central_gone(&ce), !half);
    }
}

static void a_stranger_gets_nothing_and_holds_no_more_than_4_kib(void **state)
{
    (void)state;
    static uint8_t flood[PW_LINK_FRAME_MAX];
    now = 0;
    memset(flood, 'A', sizeof(flood));
    memcpy(flood, "PW\1\0\0\0\x3F\xF0", 8);
    pw_link_central_init(&ce, now);
    assert_int_equal(pw_link_central_bytes(&ce, flood, sizeof(flood), now), PW_LINK_FIRST_MAX);
    assert_false(central_turn());
    assert_true(pw_link_central_gone(&ce));
    assert_int_equal(pw_link_central_out(&ce).len, 0);
    // One that says nothing is let go; one that is refused hears nothing.
    pw_link_central_init(&ce, now);
    assert_int_equal(pw_link_central_step(&ce, now), now + PW_LINK_HELLO_MS);
    (void)pw_link_central_step(&ce, now + PW_LINK_HELLO_MS);
    assert_true(pw_link_central_gone(&ce));
    set_up_both();
    connect_both();
    (void)carry(SIZE_MAX);
    struct pw_link_report report;
    assert_int_equal(pw_link_central_next(&ce, &report, now), PW_LINK_NEWS_HELLO);
    assert_int_equal(pw_link_central_next(&ce, &report, now), PW_LINK_NEWS_NONE);
    pw_link_central_refuse(&ce, "wrong key", now);
    assert_int_equal(pw_link_central_out(&ce).len, 0);
    pw_link_station_down(&st, now);
    assert_string_equal(st.why, "closed instead of a welcome");
}

static void another_version_is_no_welcome(void **state)
{
    (void)state;
    static const uint8_t welcome[] = {'P', 'W', 2, 0, 0, 0, 0, 26, 1, 0, 1, 9, 2, 0, 8, 0, 0,
                                      0,   0,   0, 0, 0, 0, 3, 0,  8, 0, 0, 0, 0, 0, 0, 0, 0};
    set_up_both();
    connect_both();
    (void)pw_link_station_bytes(&st, welcome, sizeof(welcome), now);
    (void)station_turn();
    assert_int_equal(st.state, PW_LINK_ENDING);
    assert_string_equal(st.why, "the central speaks another version");
}

// A peer that is gone without a word is found within 30 seconds at either end; one that lives is
// never given up, whatever the silence around the pings.
static void half_open_is_found_within_30_seconds(void **state)
{
    (void)state;
    set_up_both();
    connect_both();
    talk();
    for (unsigned i = 0; i < 600; i++) {
        now += 1000;
        talk();
    }
    assert_int_equal(st.state, PW_LINK_ONLINE);
    assert_int_equal(ce.side, PW_LINK_KNOWN);
    assert_true(st.pipe.rtt_ms < 1000 && ce.pipe.rtt_ms < 1000);
    pw_ms cut_at = now;
    while (st.state == PW_LINK_ONLINE || !pw_link_central_gone(&ce)) {
        pw_ms at = pw_earlier(pw_link_station_step(&st, now), pw_link_central_step(&ce, now));
        // Written into the void.
        pw_link_station_out_sent(&st, pw_link_station_out(&st).len, now);
        pw_link_central_out_sent(&ce, pw_link_central_out(&ce).len, now);
        now = at == PW_NEVER ? now : at;
        assert_true(now - cut_at <= 30000);
    }
    assert_string_equal(st.why, "nothing was heard");
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
    (void)state;
    set_up_both();
    connect_both();
    talk();
    happen();
    pw_ms since = now;
    while (st.state == PW_LINK_ONLINE && now - since < 60000) {
        now += 500;
        (void)pw_link_central_step(&ce, now);
        (void)central_turn();
        struct pw_str out = pw_link_central_out(&ce); // the central talks, but takes nothing
        size_t len = pw_link_station_bytes(&st, (const uint8_t *)out.at, out.len, now);
        pw_link_central_out_sent(&ce, len, now);
        ce.pipe.heard_at = now;
        (void)station_turn();
        (void)pw_link_station_step(&st, now);
    }
    assert_string_equal(st.why, "the other side does not read");
    assert_true(now - since <= 30000);
}

static void tries_are_spread_and_never_wild(void **state)
{
    (void)state;
    pw_ms total[2] = {0, 0};
    struct pw_link_identity who = who_is(77);
    for (unsigned one = 0; one < 2; one++) {
        now = 5;
        pw_link_station_init(&st, &who, 1000 + one, now);
        pw_ms longest = 0;
        for (unsigned i = 0; i < 200; i++) {
            pw_ms at = pw_link_station_step(&st, now);
            assert_true(pw_link_station_wants(&st, now));
            (void)at;
            pw_link_station_down(&st, now);
            pw_link_station_down(&st, now); // said twice: waits no longer
            at = pw_link_station_step(&st, now);
            assert_false(pw_link_station_wants(&st, now));
            assert_true(at - now >= PW_LINK_BACKOFF_MIN_MS && at - now <= PW_LINK_BACKOFF_MAX_MS);
            assert_true(i > 0 || at - now <= 2000);
            longest = at - now > longest ? at - now : longest;
            total[one] += at - now;
            now = at;
        }
        assert_true(longest > 40000);
    }
    assert_int_not_equal(total[0], total[1]);
}

// A central that asks without end, and reads slowly, does not keep an event from leaving.
static void a_flood_of_questions_delays_no_event(void **state)
{
    (void)state;
    uint8_t ping[8] = {'P', 'W', PW_LINK_PING, 0, 0, 9, 0, 0};
    set_up_both();
    connect_both();
    talk();
    for (unsigned i = 0; i < 100000; i++) {
        (void)pw_link_station_bytes(&st, ping, sizeof(ping), now);
        (void)station_turn();
    }
    happen();
    (void)pw_link_station_step(&st, now);
    assert_int_equal(st.sent, st.next); // among what leaves next
    assert_true(pw_link_station_out(&st).len <= 4096);
}

static void a_subscription_reports_at_its_pace(void **state)
{
    (void)state;
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    set_up_both();
    connect_both();
    talk();
    assert_false(pw_link_station_snapshot_due(&st, now));
    assert_true(pw_link_central_ask(&ce, PW_LINK_SUBSCRIBE,
                                    &(struct pw_link_subscribe){.interval_ms = 2000}, &why,
                                    now) > 0);
    talk();
    unsigned count = 0;
    for (pw_ms end = now + 10000; now < end; now += 100) {
        if (pw_link_station_snapshot_due(&st, now)) {
            struct pw_link_snapshot snapshot;
            pw_link_blank(&pw_link_snapshot_rows, &snapshot);
            snapshot.schema = PW_LINK_SCHEMA;
            snapshot.boot = 1;
            assert_int_equal(pw_link_station_snapshot(&st, &snapshot, NULL, 0, now), PW_OK);
            count++;
        }
        talk();
    }
    assert_int_equal(count, 5);
    assert_int_equal(last.news, PW_LINK_NEWS_SNAPSHOT);
    assert_int_equal(last.number, 0);
    cut_both();
    now += 60000;
    connect_both();
    talk();
    assert_false(pw_link_station_snapshot_due(&st, now)); // it ended with the connection
}

static void log_lines_are_sent_until_they_are_kept(void **state)
{
    (void)state;
    uint64_t cursor = 0;
    struct pw_link_writer w;
    set_up_both();
    connect_both();
    talk();
    assert_true(pw_link_station_wants_log(&st, &cursor));
    assert_int_equal(cursor, 0);
    struct pw_link_log_batch batch = {.cursor = 4, .dropped = 4, .next = 7};
    pw_link_station_log_begin(&st, &batch, &w);
    for (uint64_t i = 4; i < 7; i++) {
        const struct pw_link_line line = {.cursor = i,
                                          .level = PW_LOG_WARN,
                                          .at_ms = 5,
                                          .room = PW_STR("evse"),
                                          .text = PW_STR("cut \xC3")};
        assert_true(pw_link_station_log_line(&w, &line));
    }
    pw_link_station_log_end(&st, &w, now);
    assert_false(pw_link_station_wants_log(&st, &cursor));
    (void)carry(SIZE_MAX);
    struct pw_link_report report;
    assert_int_equal(pw_link_central_next(&ce, &report, now), PW_LINK_NEWS_LOG);
    assert_int_equal(report.message.as.log_batch.lines.count, 3);
    struct pw_link_items lines = report.message.as.log_batch.lines;
    struct pw_link_line line;
    bool bad = false;
    unsigned count = 0;
    while (pw_link_next(&lines, &pw_link_line_rows, &line, &bad)) {
        assert_int_equal(line.cursor, 4 + count++);
        assert_true(pw_str_is(line.text, "cut ?"));
    }
    assert_false(bad);
    assert_int_equal(count, 3);
    // Not kept: it may be sent again after a while. Kept: the next one begins behind it.
    now += 15000;
    (void)pw_link_station_step(&st, now);
    talk();
    assert_true(pw_link_station_wants_log(&st, &cursor));
    assert_int_equal(cursor, 0);
    pw_link_central_log_ack(&ce, 7, now);
    talk();
    assert_true(pw_link_station_wants_log(&st, &cursor));
    assert_int_equal(cursor, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_meet_and_every_event_comes_once),
        cmocka_unit_test(cuts_anywhere_lose_and_double_nothing),
        cmocka_unit_test(events_that_found_no_room_are_counted_and_said),
        cmocka_unit_test(events_out_of_order_are_taken_once_and_gaps_are_said),
        cmocka_unit_test(a_new_start_begins_its_events_anew),
        cmocka_unit_test(a_request_ends_exactly_once),
        cmocka_unit_test(no_answer_is_an_answer_too),
        cmocka_unit_test(the_late_and_the_doubled_answer_are_ignored),
        cmocka_unit_test(wrong_requests_are_answered_and_the_link_stays),
        cmocka_unit_test(what_is_no_frame_ends_the_connection),
        cmocka_unit_test(a_stranger_gets_nothing_and_holds_no_more_than_4_kib),
        cmocka_unit_test(another_version_is_no_welcome),
        cmocka_unit_test(half_open_is_found_within_30_seconds),
        cmocka_unit_test(a_peer_that_does_not_read_is_given_up),
        cmocka_unit_test(tries_are_spread_and_never_wild),
        cmocka_unit_test(a_flood_of_questions_delays_no_event),
        cmocka_unit_test(a_subscription_reports_at_its_pace),
        cmocka_unit_test(log_lines_are_sent_until_they_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
