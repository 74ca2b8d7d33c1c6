// Station links: who gets in, what is kept of what stations tell, and what comes of orders. The
// other end is the station's own machine (proto/link).
#include "peer.h"

static struct bench bench;

static int setup(void **state)
{
    static struct peer peer;
    bench_open(&bench);
    peer_make(&peer, &bench, "A", 7);
    bench_login(&bench);
    *state = &peer;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&bench);
    return 0;
}

static const char *get(const char *path)
{
    assert_int_equal(bench_http(&bench, PW_HTTP_GET, path, ""), 200);
    return bench.body;
}

static int post(const char *path, const char *body)
{
    return bench_http(&bench, PW_HTTP_POST, path, body);
}

static const struct station *station(void)
{
    return station_find(bench.central, PW_STR("A"));
}

// --- Who gets in.

static void station_with_its_key_is_let_in_and_shown(void **state)
{
    struct peer *peer = *state;
    assert_has(get("/api/v1/stations/A"), "\"link\":null");
    peer_pass(peer, 1000);
    assert_int_equal(peer->end.state, PW_LINK_ONLINE);
    const char *body = get("/api/v1/stations/A");
    assert_has(body, "\"online\":true,\"ocpp_online\":false,\"security_profile\":null,\"link\":{"
                     "\"online\":true");
    assert_has(body, "\"vendor\":\"Pilotwire\",\"model\":\"AC station\",\"firmware\":\"1.2.3\"");
    assert_has(body, "\"kind\":\"ac\"");
}

// The doctor knows why; the peer is closed without a word, and nothing else happens.
static void wrong_key_and_unknown_station_are_refused_with_a_reason(void **state)
{
    struct peer *peer = *state;
    size_t before = bench.derivations;
    peer->end.who.key = PW_STR("some-other-key-12");
    peer_pass(peer, 100);
    assert_int_equal(peer->end.state, PW_LINK_WAITING);
    assert_int_equal(bench.derivations - before, 2);
    assert_has(get("/api/v1/refused"), "\"reason\":\"link: wrong key\"");
    peer->end.who.id = PW_STR("NOBODY");
    before = bench.derivations;
    peer_pass(peer, 2000);
    assert_int_equal(bench.derivations - before, 2);
    assert_has(get("/api/v1/refused"),
               "\"station_id\":\"NOBODY\",\"address\":\"192.0.2.1\",\"status\":401,"
               "\"reason\":\"link: unknown station, or one without a key\"");
    assert_null(station()->uplink);
}

// Reason: facts/reliability.md T37 and A05.FR.09, at this door as at OCPP's: a certificate that is
// no good is as bad as a wrong key, and a station that must use profile 3 shows a good one. The
// peer learns nothing, the work is the same; the doctor knows.
static void certificate_is_judged_beside_the_key_as_ocpp_judges_it(void **state)
{
    struct peer *peer = *state;
    static const struct pw_central_certificate good = {.common_name = {.at = "A", .len = 1},
                                                       .serial = {.at = "0b", .len = 2}};
    static const struct pw_central_certificate rows_of[] = {
        {.common_name = {.at = "B", .len = 1}, .serial = {.at = "0b", .len = 2}},
        {.serial = {.at = "0b", .len = 2}},
        {.common_name = {.at = "A", .len = 1}, .serial = {.at = "0a", .len = 2}},
        {.common_name = {.at = "A", .len = 1}, .serial = {.at = "0c", .len = 2}},
        {.common_name = {.at = "A", .len = 1}, .wrong = "certificate has expired"},
    };
    const struct {
        const struct pw_central_certificate *shown;
        const char *why; // NULL: it comes in
        int least;       // security profile that it must use
    } rows[] = {
        {NULL, NULL, 2},
        {NULL, "link: its security profile is below what this station must use", 3},
        {&good, NULL, 3},
        {&good, NULL, 0},
        {&rows_of[0], "link: the certificate's commonName is not the station's id", 0},
        {&rows_of[1], "link: the certificate's commonName is not the station's id", 0},
        {&rows_of[2], "link: the certificate was revoked, or issued to another station", 3},
        {&rows_of[3], "link: the certificate was revoked, or issued to another station", 3},
        {&rows_of[4], "link: certificate has expired", 3},
    };
    (void)bench_count(&bench, "INSERT INTO certificate_issued VALUES"
                              " ('0a','A','CN=A',0,0,0,'revoked',''),"
                              " ('0c','B','CN=B',0,0,0,'taken','') RETURNING 1");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char sql[96];
        (void)snprintf(sql, sizeof(sql), "UPDATE station SET security_profile = %d RETURNING 1",
                       rows[i].least);
        (void)bench_count(&bench, sql);
        bench_pass(&bench, 120000); // its wrong tries are forgotten
        peer->certificate = rows[i].shown;
        size_t before = bench.derivations;
        peer->end.try_at = bench.at.now;
        peer_pass(peer, 100);
        bool came = station()->uplink != NULL;
        if (came != (rows[i].why == NULL)) {
            fail_msg("row %zu: %s", i, came ? "came in" : get("/api/v1/refused"));
        }
        if (came) {
            peer_cut(peer);
        } else {
            assert_int_equal(bench.derivations - before, 2);
            assert_has(get("/api/v1/refused"), rows[i].why);
        }
    }
}

// Reason: a certificate that is taken back ends what it has opened, not only what it would open.
static void revoked_certificate_ends_the_link_that_it_opened(void **state)
{
    struct peer *peer = *state;
    static const struct pw_central_certificate good = {.common_name = {.at = "A", .len = 1},
                                                       .serial = {.at = "0b", .len = 2}};
    (void)bench_count(&bench, "INSERT INTO certificate_issued VALUES"
                              " ('0a','A','CN=A',0,0,0,'taken',''),"
                              " ('0b','A','CN=A',0,0,0,'taken','') RETURNING 1");
    peer->certificate = &good;
    peer_pass(peer, 1000);
    assert_non_null(station()->uplink);
    assert_int_equal(post("/api/v1/stations/A/certificates/revoke", "{\"serial\":\"0a\"}"), 204);
    assert_non_null(station()->uplink);
    assert_int_equal(post("/api/v1/stations/A/certificates/revoke", "{\"serial\":\"0b\"}"), 204);
    assert_null(station()->uplink);
    peer_pass(peer, 60000);
    assert_null(station()->uplink);
    assert_has(get("/api/v1/refused"), "link: the certificate was revoked");
}

// facts/reliability.md T38: no work is done for an address that has guessed ten times.
static void guessing_keys_is_slowed_down(void **state)
{
    struct peer *peer = *state;
    peer->end.who.key = PW_STR("some-other-key-12");
    for (int i = 0; i < 10; i++) {
        peer->end.try_at = bench.at.now;
        peer_pass(peer, 1);
    }
    size_t before = bench.derivations;
    peer->end.try_at = bench.at.now;
    peer_pass(peer, 1);
    assert_int_equal(bench.derivations, before);
    assert_has(get("/api/v1/refused"), "\"status\":429");
}

static void what_is_no_hello_is_closed_and_noted(void **state)
{
    (void)state;
    static const char *const firsts[] = {"GET / HTTP/1.1\r\n\r\n", "PW\x10\0\0\0\0\0"};
    static const size_t lens[] = {18, 8};
    for (size_t i = 0; i < PW_COUNT(firsts); i++) {
        assert_true(pw_central_wire_opened(bench.central, 900 + i, PW_STR("192.0.2.5"), bench.at));
        pw_central_wire_bytes(bench.central, 900 + i, (const uint8_t *)firsts[i], lens[i],
                              bench.at);
        pw_central_wire_closed(bench.central, 900 + i, bench.at);
    }
    assert_int_equal(bench.central->strangers, 0);
    assert_has(get("/api/v1/refused"), "\"status\":400");
}

// A frame longer than a hello can be is refused by its length, before its bytes have come.
static void oversized_first_frame_is_refused_by_its_head(void **state)
{
    (void)state;
    static const uint8_t head[] = {'P', 'W', 0x01, 0, 0, 0, 0xFF, 0xFF};
    assert_true(pw_central_wire_opened(bench.central, 900, PW_STR("192.0.2.5"), bench.at));
    pw_central_wire_bytes(bench.central, 900, head, sizeof(head), bench.at);
    assert_has(get("/api/v1/refused"), "too long");
    pw_central_wire_closed(bench.central, 900, bench.at);
}

static void who_says_nothing_is_closed_in_time(void **state)
{
    (void)state;
    assert_true(pw_central_wire_opened(bench.central, 900, PW_STR("192.0.2.5"), bench.at));
    bench_pass(&bench, PW_LINK_HELLO_MS + 200);
    assert_has(get("/api/v1/metrics"), "pilotwire");
    assert_int_equal(bench.central->uplinks, 1); // until the port says that it is closed
    pw_central_wire_closed(bench.central, 900, bench.at);
    assert_int_equal(bench.central->uplinks, 0);
}

// Memory before authentication is bounded, and a flood of strangers does not keep stations out for
// long: each newcomer costs the oldest stranger its place.
static void flood_of_strangers_is_bounded_and_the_oldest_goes(void **state)
{
    struct peer *peer = *state;
    for (uint64_t i = 0; i < PW_CENTRAL_WIRES_UNPROVED; i++) {
        assert_true(
            pw_central_wire_opened(bench.central, 10000 + i, PW_STR("192.0.2.66"), bench.at));
        bench.at.now++;
    }
    assert_false(pw_central_wire_opened(bench.central, 20000, PW_STR("192.0.2.66"), bench.at));
    pw_central_wire_closed(bench.central, 10000, bench.at);
    peer_pass(peer, 1000);
    assert_int_equal(peer->end.state, PW_LINK_ONLINE);
}

// A station opens a second connection only when it has given the first up.
static void second_connection_replaces_the_first(void **state)
{
    struct peer *peer = *state;
    static struct peer again;
    peer_pass(peer, 100);
    peer->deaf = true; // half open: neither end is told
    peer_make(&again, &bench, "A", 7);
    struct peer *both[] = {peer, &again};
    peers_pass(both, 2, 100);
    assert_true(peer->closed);
    assert_int_equal(again.end.state, PW_LINK_ONLINE);
    assert_ptr_equal(station()->uplink != NULL, true);
    assert_int_equal(bench.central->uplinks, 2);
    peer_cut(peer);
    assert_int_equal(bench.central->uplinks, 1);
    assert_has(get("/api/v1/stations/A"), "\"link\":{\"online\":true");
    assert_has(get("/api/v1/stations/A"), "\"duplicate_at\":null");
}

// Two devices with one identity throw each other out; it is noticed at the third turn.
static void two_devices_with_one_identity_are_noticed(void **state)
{
    struct peer *peer = *state;
    static struct peer other;
    peer_pass(peer, 100);
    peer_make(&other, &bench, "A", 8);
    struct peer *both[] = {peer, &other};
    peers_pass(both, 2, 70000);
    assert_has(get("/api/v1/stations/A"), "\"duplicate_at\":\"2026");
    assert_has(get("/api/v1/refused"), "duplicate identity: two devices link in turn");
}

// facts/reliability.md B8, half-open links: nobody is told, and both find out within 30 s.
static void half_open_link_is_found_within_thirty_seconds(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer->deaf = true;
    peer_pass(peer, 30000);
    assert_null(station()->uplink);
    assert_int_not_equal(peer->end.state, PW_LINK_ONLINE);
    assert_has(get("/api/v1/stations/A"), "\"link\":{\"online\":false");
}

static void quiet_link_is_kept_by_pings(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 3600000);
    assert_non_null(station()->uplink);
    assert_int_equal(bench.central->count.uplinks, 1); // one since the start
    assert_int_equal(bench.central->count.uplinks_lost, 0);
}

static void removed_key_ends_the_link(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    assert_int_equal(bench_http(&bench, PW_HTTP_DELETE, "/api/v1/stations/A", ""), 204);
    peer_pass(peer, 5000);
    assert_null(station()->uplink);
    assert_has(get("/api/v1/refused"), "link: unknown station");
}

static void station_that_does_not_read_is_closed(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer->full = true;
    peer_tell(peer, PW_LINK_EVENT_PILOT, 0, "B1");
    peer_pass(peer, 300);
    assert_null(station()->uplink);
}

// --- Events.

static void event_is_kept_once_and_shown_at_once(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer_tell(peer, PW_LINK_EVENT_PILOT, 0, "C2");
    peer_tell(peer, PW_LINK_EVENT_CONTACTOR, 1, "");
    peer_tell(peer, PW_LINK_EVENT_LIMIT, 10000, "load: lease over");
    peer_tell(peer, PW_LINK_EVENT_STATUS, 0, "Charging");
    pw_ms before = bench.at.now;
    peer_pass(peer, 0);
    assert_int_equal(bench.at.now, before); // not a millisecond later
    const char *body = get("/api/v1/stations/A");
    assert_has(body, "\"status\":\"Charging\"");
    assert_has(body, "\"pilot\":\"C2\",\"energised\":true,\"limit\":{\"a\":10,\"source\":\"load\","
                     "\"why\":\"lease over\",\"since\":\"2026");
    assert_has(body, "\"last_event_seq\":4");
    body = get("/api/v1/stations/A/link/events?limit=2");
    assert_has(body, "\"seq\":4,");
    assert_has(body, "\"connector_id\":1,\"kind\":\"status\",\"value\":0,\"text\":\"Charging\"");
    assert_null(strstr(body, "\"seq\":2,"));
}

// What was told while the link was down comes afterwards, in order, and nothing twice: the cut
// comes at every point around the acknowledgement.
static void replay_after_a_cut_never_doubles(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    for (int i = 1; i <= 40; i++) {
        peer_tell(peer, PW_LINK_EVENT_METER, i, "");
        peer_pass(peer, (pw_ms)(i % 14)); // commits, and with them acks, come after 10 ms
        if (i % 3 == 0) {
            peer_cut(peer);
            peer_tell(peer, PW_LINK_EVENT_METER, 1000 + i, "");
            peer_pass(peer, 70000);
        }
    }
    peer_pass(peer, 1000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event"), 53);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(DISTINCT seq) FROM station_event"), 53);
    assert_int_equal(bench_count(&bench, "SELECT MAX(seq) FROM station_event"), 53);
    // In the order of their numbers.
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event a JOIN station_event b"
                                         " ON a.n < b.n AND a.seq > b.seq"),
                     0);
    assert_int_equal(peer->end.first, 54); // the station may forget them all
}

// facts/reliability.md: what was acknowledged is durable. A commit that fails costs the link, and
// the station says all of it again.
static void nothing_is_acknowledged_that_was_not_kept(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    bench.fail_commits = 1;
    peer_tell(peer, PW_LINK_EVENT_PILOT, 0, "B1");
    peer_pass(peer, 200);
    assert_int_equal(peer->end.first, 1);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event"), 0);
    peer_pass(peer, 60000);
    assert_int_equal(peer->end.first, 2);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event"), 1);
}

static void restart_of_the_central_goes_on_where_it_was(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer_tell(peer, PW_LINK_EVENT_PILOT, 0, "B1");
    peer_pass(peer, 1000);
    peer->wire = 0;
    bench_restart(&bench);
    bench_login(&bench);
    pw_link_station_down(&peer->end, bench.at.now);
    assert_has(get("/api/v1/stations/A"), "\"link\":{\"online\":false");
    peer_tell(peer, PW_LINK_EVENT_PILOT, 0, "A1");
    peer_pass(peer, 70000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event"), 2);
    assert_has(get("/api/v1/stations/A"), "\"last_event_seq\":2");
}

// A station that restarted counts from 1 again: those are other events.
static void restarted_station_counts_anew(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer_tell(peer, PW_LINK_EVENT_PILOT, 0, "B1");
    peer_pass(peer, 1000);
    peer_cut(peer);
    static struct peer restarted;
    peer_make(&restarted, &bench, "A", 99);
    peer_tell(&restarted, PW_LINK_EVENT_START, 0, "1.2.3");
    peer_pass(&restarted, 1000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event WHERE seq = 1"), 2);
    assert_has(get("/api/v1/stations/A"), "\"duplicate_at\":null");
}

// More happened than the station could hold: the hole is said, not hidden.
static void lost_events_are_counted(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer_cut(peer);
    for (int i = 0; i < PW_LINK_EVENTS + 5; i++) {
        peer_tell(peer, PW_LINK_EVENT_METER, i, "");
    }
    peer_pass(peer, 70000);
    assert_int_equal(bench_count(&bench, "SELECT value FROM station_event WHERE kind = 'lost'"), 5);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM station_event"), PW_LINK_EVENTS + 1);
    assert_has(get("/api/v1/stations/A/link/events?limit=500"), "\"seq\":null");
}

// --- Snapshots.

static void snapshot_shows_phases_limit_and_pilot(void **state)
{
    struct peer *peer = *state;
    struct pw_link_connector *c = &peer->connector;
    c->status = PW_STR("Charging");
    c->pilot = PW_STR("C2");
    c->state = PW_STR("charging");
    c->state_why = PW_STR("the vehicle asks");
    c->energised = true;
    c->phases = 3;
    for (int i = 0; i < 3; i++) {
        c->mv[i] = 230000 + i;
        c->ma[i] = 10000 + i;
        c->mw[i] = i < 2 ? 2300000 : INT32_MIN;
    }
    c->power_mw = 6900000;
    c->offered_ma = 10000;
    c->limit_ma = 10000;
    c->limit_who = PW_STR("load");
    c->limit_why = PW_STR("house full");
    c->limit_age_ms = 5000;
    c->cable_ma = 20000;
    c->energy_mwh = 1234567;
    c->temp_dc = 315;
    c->faults = 5;
    peer_pass(peer, 5000);
    const char *body = get("/api/v1/stations/A");
    static const char *const parts[] = {
        "\"status\":\"Charging\"",
        "\"power_w\":6900,\"voltage_v\":230.002,\"current_a\":10.002,\"offered_a\":10,",
        "\"energy_wh\":1234.567,\"temperature_c\":31.5",
        "\"kind\":\"ac\",\"board\":null,\"phases\":3,\"phase_voltage_v\":[230,230.001,230.002],"
        "\"phase_current_a\":[10,10.001,10.002],\"phase_power_w\":[2300,2300,null],"
        "\"pilot\":\"C2\",\"energised\":true,\"limit\":{\"a\":10,\"source\":\"load\","
        "\"why\":\"house full\",\"since\":\"2026-05-28T20:26:3",
        "\"cable_a\":20,\"state\":\"charging\",\"state_why\":\"the vehicle asks\",\"faults\":5"};
    for (size_t i = 0; i < PW_COUNT(parts); i++) {
        assert_has(body, parts[i]);
    }
    // An OpenEVSE board drives an AC outlet too, and says that it does.
    c->kind = PW_STR("openevse");
    c->limit_who = PW_STR("house");
    peer_pass(peer, 5000);
    body = get("/api/v1/stations/A");
    assert_has(body, "\"kind\":\"ac\",\"board\":\"openevse\",\"phases\":3");
    assert_has(body, "\"source\":\"house\"");
}

// The curve of a charge comes from snapshots too, thinned; an idle connector leaves none.
static void curve_gets_a_point_every_ten_seconds_while_current_flows(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 60000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM measurement"), 0);
    peer->connector.energised = true;
    peer->connector.power_mw = 7000000;
    peer_pass(peer, 60000);
    int64_t during = bench_count(&bench, "SELECT COUNT(*) FROM measurement");
    assert_in_range(during, 5, 7);
    peer->connector.energised = false;
    peer->connector.power_mw = 0;
    peer_pass(peer, 60000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM measurement"), during + 1);
    assert_int_equal(bench_count(&bench, "SELECT power FROM measurement ORDER BY at DESC LIMIT 1"),
                     0);
}

// --- Log lines.

static void tell_lines(struct peer *peer, uint64_t cursor, uint64_t dropped,
                       const char *const *text, size_t count)
{
    const struct pw_link_log_batch batch = {
        .cursor = cursor, .dropped = dropped, .next = cursor + count};
    uint64_t from = 0;
    struct pw_link_writer w;
    assert_true(pw_link_station_wants_log(&peer->end, &from));
    pw_link_station_log_begin(&peer->end, &batch, &w);
    for (size_t i = 0; i < count; i++) {
        const struct pw_link_line line = {.cursor = cursor + i,
                                          .level = i % 2 == 0 ? PW_LOG_INFO : PW_LOG_ERROR,
                                          .wall = bench.at.wall,
                                          .room = PW_STR("evse"),
                                          .text = pw_str_of(text[i])};
        assert_true(pw_link_station_log_line(&w, &line));
    }
    pw_link_station_log_end(&peer->end, &w, bench.at.now);
}

// A batch that overlaps what is kept brings only its new lines, and its losses are known already;
// a station that restarted counts its lines anew.
static void overlapping_batch_brings_only_what_is_new(void **state)
{
    struct peer *peer = *state;
    static struct peer restarted;
    static const char *const words[] = {"one", "two", "three"};
    peer_pass(peer, 1000);
    tell_lines(peer, 12, 10, words, 2);
    peer_pass(peer, 1000);
    tell_lines(peer, 12, 10, words, 3);
    peer_pass(peer, 1000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM line"), 3);
    assert_has(get("/api/v1/stations/A"), "\"lines_dropped\":10");
    peer_cut(peer);
    peer_make(&restarted, &bench, "A", 99);
    peer_pass(&restarted, 1000);
    tell_lines(&restarted, 0, 0, words, 2);
    peer_pass(&restarted, 1000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM line"), 5);
}

static void lines_are_kept_once_searched_and_losses_said(void **state)
{
    struct peer *peer = *state;
    static const char *const first[] = {"pilot from=B2 to=C2", "weld ADC=100%"};
    static const char *const second[] = {"closing", "limit_ma=10000"};
    peer_pass(peer, 1000);
    tell_lines(peer, 0, 0, first, 2);
    peer_pass(peer, 1000);
    tell_lines(peer, 12, 10, second, 2);
    // The link goes before the acknowledgement can come: the batch is said again.
    peer_pass(peer, 5);
    peer_cut(peer);
    peer_pass(peer, 5000);
    uint64_t cursor = 0;
    assert_true(pw_link_station_wants_log(&peer->end, &cursor));
    assert_int_equal(cursor, 14);        // it was kept: the welcome says so
    tell_lines(peer, 12, 10, second, 2); // a station that says it again all the same
    peer_pass(peer, 1000);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM line"), 4);
    const char *body = get("/api/v1/stations/A/logs");
    assert_has(body, "{\"dropped\":10,\"lines\":[{\"n\":4,");
    assert_has(body, "\"text\":\"closing\",\"dropped\":10}");
    assert_has(get("/api/v1/stations/A"), "\"lines_dropped\":10");

    static const struct {
        const char *query;
        int lines;
    } rows[] = {{"", 4},
                {"?query=PILOT", 1},
                {"?query=evse%20closing", 0}, // escapes are the port's business
                {"?query=evse closing", 1},
                {"?query=%", 1},
                {"?query=_", 1},
                {"?query=\\", 0},
                {"?level=error", 2},
                {"?level=warn&query=limit", 1},
                {"?before=3", 2},
                {"?limit=1", 1}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char path[128];
        int found = 0;
        (void)snprintf(path, sizeof(path), "/api/v1/stations/A/logs%s", rows[i].query);
        for (const char *at = strstr(get(path), "\"n\":"); at != NULL;
             at = strstr(at + 1, "\"n\":")) {
            found++;
        }
        assert_int_equal(found, rows[i].lines);
    }
    assert_int_equal(bench_http(&bench, PW_HTTP_GET, "/api/v1/stations/A/logs?level=loud", ""),
                     400);
    assert_has(bench.body, "level: \\\"loud\\\" is none of error, warn, info, debug");
}

// Reason: a station logs where it fetches a release from, and viewers read its lines.
static void names_of_files_are_blotted_out_in_lines_of_stations(void **state)
{
    struct peer *peer = *state;
    static const char *const said[] = {
        "update download url=http://c.example/firmware/0123456789abcdef0123456789abcdef/"
        "fedcba9876543210fedcba9876543210/A why=none",
        "upload http://c.example/upload/00112233445566778899aabbccddeeff/a.log"};
    peer_pass(peer, 1000);
    tell_lines(peer, 0, 0, said, 2);
    peer_pass(peer, 1000);
    const char *body = get("/api/v1/stations/A/logs");
    assert_null(strstr(body, "0123456789abcdef"));
    assert_null(strstr(body, "fedcba98"));
    assert_null(strstr(body, "00112233"));
    assert_has(body, "/A why=none");
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM line WHERE text LIKE '%abcdef%'"
                                         " OR text LIKE '%ccdd%'"),
                     0);
}

// --- Orders.

static void order_comes_back_with_the_station_s_answer(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    assert_int_equal(post("/api/v1/stations/A/link/limit",
                          "{\"connector_id\":1,\"current_a\":10.5,\"lease_s\":60,"
                          "\"fallback_a\":6,\"reason\":\"a test\"}"),
                     202);
    assert_has(bench.body, "{\"command_id\":1,\"state\":\"pending\"}");
    peer_pass(peer, 0);
    assert_int_equal(peer->type, PW_LINK_SET_LIMIT);
    assert_int_equal(peer->limit.limit_ma, 10500);
    assert_int_equal(peer->limit.lease_s, 60);
    assert_int_equal(peer->limit.fallback_ma, 6000);
    assert_string_equal(peer->reason, "a test");
    assert_has(get("/api/v1/commands/1"), "\"action\":\"LinkLimit\",\"state\":\"answered\","
                                          "\"answer\":{\"status\":\"Accepted\"}");

    peer->code = PW_LINK_E_REFUSED;
    peer->text = PW_STR("no vehicle (A1)");
    assert_int_equal(post("/api/v1/stations/A/link/energize",
                          "{\"connector_id\":1,\"on\":true,\"id_tag\":\"04A2\"}"),
                     202);
    peer_pass(peer, 0);
    assert_true(peer->energize.on);
    assert_false(peer->energize.force);
    assert_string_equal(peer->id_tag, "04A2");
    assert_has(get("/api/v1/commands/2"),
               "\"answer\":{\"status\":\"Refused\",\"code\":\"refused\",\"reason\":\"no vehicle "
               "(A1)\"}");

    assert_int_equal(post("/api/v1/stations/A/link/snapshot", ""), 202);
    peer_pass(peer, 0);
    assert_has(get("/api/v1/commands/3"),
               "\"action\":\"LinkSnapshot\",\"state\":\"answered\",\"answer\":{\"status\":"
               "\"Accepted\"}");
}

static void order_without_an_answer_ends_once(void **state)
{
    struct peer *peer = *state;
    static const char limit[] =
        "{\"connector_id\":1,\"current_a\":0,\"lease_s\":10,\"fallback_a\":0}";
    assert_int_equal(post("/api/v1/stations/A/link/limit", limit), 202);
    assert_has(bench.body, "\"state\":\"offline\"");
    peer_pass(peer, 1000);
    peer->silent = true;
    assert_int_equal(post("/api/v1/stations/A/link/limit", limit), 202);
    peer_pass(peer, PW_LINK_ANSWER_MS + 200);
    assert_has(get("/api/v1/commands/2"), "\"state\":\"timeout\"");
    assert_int_equal(post("/api/v1/stations/A/link/limit", limit), 202);
    peer_pass(peer, 10);
    peer_cut(peer);
    assert_has(get("/api/v1/commands/3"), "\"state\":\"offline\"");
}

static void more_orders_than_a_link_takes_are_refused(void **state)
{
    struct peer *peer = *state;
    peer_pass(peer, 1000);
    peer->silent = true;
    int status = 202;
    int taken = 0;
    while (status == 202 && taken < 100) {
        status = post("/api/v1/stations/A/link/snapshot", "");
        taken += status == 202 ? 1 : 0;
    }
    assert_int_equal(status, 429);
    assert_in_range(taken, 4, PW_LINK_OPEN);
}

// Each refusal names the thing, the value and what is allowed, and sends nothing.
static void wrong_values_are_refused_before_they_are_sent(void **state)
{
    struct peer *peer = *state;
    static const struct {
        const char *path;
        const char *body;
        const char *why;
    } rows[] = {
        {"limit", "{}", "connector_id: is required"},
        {"limit", "{\"connector_id\":0}", "connector_id: 0 is not a connector, 1 to 32"},
        {"limit", "{\"connector_id\":1,\"current_a\":5.9}", "current_a: 5.9 is not 0 or 6 to 80 A"},
        {"limit", "{\"connector_id\":1,\"current_a\":80.001}", "80.001 is not 0 or 6 to 80 A"},
        {"limit", "{\"connector_id\":1,\"current_a\":1e6}", "1e6 is not 0 or 6 to 80 A"},
        {"limit", "{\"connector_id\":1,\"current_a\":-6}", "-6 is not 0 or 6 to 80 A"},
        {"limit", "{\"connector_id\":1,\"current_a\":\"NaN\"}", "NaN is not 0 or 6 to 80 A"},
        {"limit", "{\"connector_id\":1,\"current_a\":NaN}", "no JSON"},
        {"limit", "{\"connector_id\":1,\"current_a\":6,\"lease_s\":9}",
         "lease_s: 9 is not 10 to 3600 s, whole"},
        {"limit", "{\"connector_id\":1,\"current_a\":6,\"lease_s\":3601}",
         "3601 is not 10 to 3600 s"},
        {"limit", "{\"connector_id\":1,\"current_a\":6,\"lease_s\":10.5}",
         "10.5 is not 10 to 3600 s"},
        {"limit", "{\"connector_id\":1,\"current_a\":6,\"lease_s\":60}", "fallback_a: is required"},
        {"limit", "{\"connector_id\":1,\"current_a\":6,\"lease_s\":60,\"fallback_a\":1}",
         "fallback_a: 1 is not 0 or 6 to 80 A"},
        {"energize", "{\"connector_id\":1}", "on: is required"},
        {"energize", "{\"connector_id\":1,\"on\":1}", "on: 1 is not true or false"},
        {"energize", "{\"connector_id\":33,\"on\":true}", "33 is not a connector, 1 to 32"},
        {"energize", "{\"connector_id\":1,\"on\":true,\"id_tag\":\"123456789012345678901\"}",
         "id_tag: may have at most 20 characters"},
    };
    peer_pass(peer, 1000);
    unsigned before = peer->requests;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "/api/v1/stations/A/link/%s", rows[i].path);
        assert_int_equal(post(path, rows[i].body), 400);
        assert_has(bench.body, rows[i].why);
    }
    assert_int_equal(post("/api/v1/stations/NOBODY/link/snapshot", ""), 404);
    peer_pass(peer, 0);
    assert_int_equal(peer->requests, before);
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM command"), 0);
}

// The engine of load groups reaches a station over its link, and learns what it answered.
static void load_group_limits_over_the_link(void **state)
{
    struct peer *peer = *state;
    peer->connector.status = PW_STR("Charging");
    peer->connector.energised = true;
    peer->connector.phases = 3;
    peer_pass(peer, 1000);
    assert_int_equal(bench_http(&bench, PW_HTTP_PUT, "/api/v1/groups/house",
                                "{\"circuits\":[{\"id\":\"main\",\"limit_a\":[10,10,10]}],"
                                "\"members\":[{\"station_id\":\"A\",\"connector_id\":1,"
                                "\"circuit\":\"main\",\"max_a\":16}]}"),
                     201);
    peer_pass(peer, 90000);
    assert_int_equal(peer->type, PW_LINK_SET_LIMIT);
    assert_int_equal(peer->limit.connector, 1);
    assert_in_range(peer->limit.limit_ma, 6000, 10000);
    assert_in_range(peer->limit.lease_s, 10, 120);
    // People's commands and load sharing's orders do not get into each other's way.
    assert_int_equal(bench_count(&bench, "SELECT COUNT(*) FROM command"), 0);
    assert_has(get("/api/v1/groups/house"), "\"served\":true");
    assert_has(bench.body, "\"offer_a\":10,");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(station_with_its_key_is_let_in_and_shown),
        TEST(wrong_key_and_unknown_station_are_refused_with_a_reason),
        TEST(certificate_is_judged_beside_the_key_as_ocpp_judges_it),
        TEST(revoked_certificate_ends_the_link_that_it_opened),
        TEST(guessing_keys_is_slowed_down),
        TEST(what_is_no_hello_is_closed_and_noted),
        TEST(oversized_first_frame_is_refused_by_its_head),
        TEST(who_says_nothing_is_closed_in_time),
        TEST(flood_of_strangers_is_bounded_and_the_oldest_goes),
        TEST(second_connection_replaces_the_first),
        TEST(two_devices_with_one_identity_are_noticed),
        TEST(half_open_link_is_found_within_thirty_seconds),
        TEST(quiet_link_is_kept_by_pings),
        TEST(removed_key_ends_the_link),
        TEST(station_that_does_not_read_is_closed),
        TEST(event_is_kept_once_and_shown_at_once),
        TEST(replay_after_a_cut_never_doubles),
        TEST(nothing_is_acknowledged_that_was_not_kept),
        TEST(restart_of_the_central_goes_on_where_it_was),
        TEST(restarted_station_counts_anew),
        TEST(lost_events_are_counted),
        TEST(snapshot_shows_phases_limit_and_pilot),
        TEST(curve_gets_a_point_every_ten_seconds_while_current_flows),
        TEST(lines_are_kept_once_searched_and_losses_said),
        TEST(names_of_files_are_blotted_out_in_lines_of_stations),
        TEST(overlapping_batch_brings_only_what_is_new),
        TEST(order_comes_back_with_the_station_s_answer),
        TEST(order_without_an_answer_ends_once),
        TEST(more_orders_than_a_link_takes_are_refused),
        TEST(wrong_values_are_refused_before_they_are_sent),
        TEST(load_group_limits_over_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
