// Cases of facts/reliability.md §4.2: what goes wrong, and what is meant to go wrong.
#include "cases.h"

#define KEY "sixteen-or-more-1"

static int shake(const char *id, const char *key, uint64_t *link)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/ocpp/%s", id);
    return bench_handshake(&bench, path, id, key, link);
}

// --- T36.

void central_same_id_dead(void)
{
    uint64_t second = 0;
    bench.answering = 0; // the first one has lost its power
    int64_t id = people_ask(&bench, "A", "{\"action\":\"ClearCache\"}");
    assert_int_equal(shake("A", KEY, &second), 101);
    bench_text(&bench, second, "[2,\"1\",\"Heartbeat\",{}]");
    bench_pass(&bench, PW_CENTRAL_PROBE_MS - 1);
    assert_string_equal(bench_last(&bench, second), "");
    bench_pass(&bench, 1);
    assert_has(bench_last(&bench, second), "[3,\"1\"");
    assert_int_equal(bench.closed, a);
    assert_has(command_shown(&bench, id), "\"offline\"");
}

void central_same_id_alive(void)
{
    uint64_t second = 0;
    assert_int_equal(shake("A", KEY, &second), 101);
    bench_pass(&bench, 100); // the first one answers the ping
    assert_int_equal(bench.closed, second);
    assert_has(get("/api/v1/refused"), "duplicate identity");
    assert_null(strstr(get("/api/v1/stations/A"), "\"duplicate_at\":null"));
    assert_has(bench_ask(&bench, a, "[2,\"1\",\"Heartbeat\",{}]"), "[3,\"1\"");
}

void central_same_id_wrong(void)
{
    uint64_t second = 0;
    assert_int_equal(shake("A", "wrong-wrong-wrong-", &second), 401);
    assert_int_equal(bench.pings, 0);
    assert_has(bench_ask(&bench, a, "[2,\"1\",\"Heartbeat\",{}]"), "[3,\"1\"");
}

void central_same_id_commands(void)
{
    uint64_t second = 0;
    int64_t first = people_ask(&bench, "A", "{\"action\":\"ClearCache\"}");
    int64_t queued = people_ask(&bench, "A", "{\"action\":\"GetLocalListVersion\"}");
    assert_int_equal(shake("A", KEY, &second), 101);
    // All go to the first link while it stands, none to the one that waits.
    station_answers(&bench, a, "{\"status\":\"Accepted\"}");
    assert_has(command_shown(&bench, first), "\"answered\"");
    assert_has(bench_last(&bench, a), "GetLocalListVersion");
    assert_string_equal(bench_last(&bench, second), "");
    bench_break(&bench, a);
    assert_has(command_shown(&bench, queued), "\"offline\"");
    assert_int_equal(count("SELECT COUNT(*) FROM command WHERE state = 'pending'"), 0);
}

// --- T37.

void central_credentials(void)
{
    static const struct {
        const char *path, *user, *password;
    } rows[] = {{"/ocpp/A", "A", "wrong-wrong-wrong-"},
                {"/ocpp/A", NULL, NULL},
                {"/ocpp/A", "B", KEY},
                {"/ocpp/NOBODY", "NOBODY", KEY},
                {"/ocpp/A/../A", "A", KEY}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        uint64_t link = 0;
        size_t before = bench.derivations;
        assert_int_equal(
            bench_handshake(&bench, rows[i].path, rows[i].user, rows[i].password, &link), 401);
        assert_int_equal(bench.derivations - before, 2); // the work is the time
    }
}

static int shake_certified(const char *id, const char *name, const char *serial)
{
    char path[64];
    uint64_t link = ++bench.links;
    (void)snprintf(path, sizeof(path), "/ocpp/%s", id);
    const struct pw_central_certificate certificate = {.common_name = pw_str_of(name),
                                                       .serial = pw_str_of(serial)};
    const struct pw_central_handshake handshake = {.path = pw_str_of(path),
                                                   .authorization = PW_STR(""),
                                                   .protocols = PW_STR("ocpp1.6"),
                                                   .address = PW_STR("192.0.2.1"),
                                                   .tls = true,
                                                   .certificate = &certificate};
    int status = pw_central_handshake(bench.central, link, &handshake, bench.at).status;
    if (status == 101) {
        bench_break(&bench, link);
    }
    return status;
}

void central_certificates(void)
{
    bench_break(&bench, a);
    (void)count("INSERT INTO certificate_issued VALUES ('0a','A','CN=A',0,0,0,'revoked','')"
                " RETURNING 1");
    assert_int_equal(shake_certified("A", "A", "0b"), 101);
    assert_int_equal(shake_certified("A", "", ""), 401);        // none
    assert_int_equal(shake_certified("A", "B", "0b"), 401);     // another's
    assert_int_equal(shake_certified("A", "a", "0b"), 401);     // ids are exact
    assert_int_equal(shake_certified("A", "A", "0a"), 401);     // taken back
    assert_int_equal(shake_certified("NEW", "NEW", "0c"), 401); // nobody has added it
}

void central_least_profile(void)
{
    uint64_t link = 0;
    bench_break(&bench, a);
    people(&bench, 200, PW_HTTP_PUT, "/api/v1/stations/A/security", "{\"least_profile\":3}");
    assert_int_equal(shake("A", KEY, &link), 401);
    assert_has(get("/api/v1/refused"), "security profile");
    assert_int_equal(shake_certified("A", "A", "0b"), 101);
}

// --- T38: what may be done at once is bounded, and it is little.

void central_flood_of_guesses(void)
{
    uint64_t link = 0;
    size_t before = bench.derivations;
    for (int i = 0; i < 1000; i++) {
        (void)shake("A", "guess-guess-guess-", &link);
    }
    assert_int_equal(bench.derivations - before, 20); // ten tries of two
    before = bench.derivations;
    for (int i = 0; i < 1000; i++) {
        char address[32];
        (void)snprintf(address, sizeof(address), "198.51.100.%d", i % 100);
        bench.address = address;
        (void)shake("A", "guess-guess-guess-", &link);
    }
    // A hundred at most begin, then the brake for all of them stands.
    assert_in_range(bench.derivations - before, 1, 2 * (100 + PW_CENTRAL_WRONG_MAX));
    bench.address = "203.0.113.1";
    bench_break(&bench, a);
    assert_int_equal(shake("A", KEY, &link), 101); // who has not guessed comes in
}

// --- T39.

void central_anothers_transaction(void)
{
    uint64_t b = bench_station(&bench, "B");
    station_says(&bench, b, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":0,\"timestamp\":" NOW "}");
    station_says(&bench, a, "StopTransaction",
                 "{\"transactionId\":1,\"meterStop\":5,\"timestamp\":" NOW "}");
    station_says(&bench, a, "MeterValues",
                 "{\"connectorId\":1,\"transactionId\":1,\"meterValue\":[{\"timestamp\":" NOW
                 ",\"sampledValue\":[{\"value\":\"7\"}]}]}");
    station_says(&bench, b, "MeterValues",
                 "{\"connectorId\":2,\"transactionId\":1,\"meterValue\":[{\"timestamp\":" NOW
                 ",\"sampledValue\":[{\"value\":\"8\"}]}]}");
    assert_int_equal(count("SELECT COUNT(*) FROM session WHERE stop_at IS NULL"), 1);
    assert_int_equal(count("SELECT COUNT(*) FROM orphan WHERE reason LIKE 'disputed: another"
                           " station%' AND station_id = 'A'"),
                     2);
    assert_int_equal(
        count("SELECT COUNT(*) FROM orphan WHERE reason LIKE 'disputed: a transaction of another"
              " connector' AND station_id = 'B'"),
        1);
    assert_int_equal(count("SELECT COUNT(*) FROM sample WHERE session_id = 1"), 0);
}

// --- T40.

void central_hostile_texts(void)
{
    static char text[PW_CENTRAL_MESSAGE_MAX + 1];
    station_says(
        &bench, a, "BootNotification",
        "{\"chargePointVendor\":\"<script>alert(1)\",\"chargePointModel\":\"'--\\r\\nX\"}");
    assert_has(get("/api/v1/stations/A"),
               "\"vendor\":\"<script>alert(1)\",\"model\":\"'--\\r\\nX\"");
    assert_string_equal(bench.reply.content_type, "application/json");
    station_says(&bench, a, "Authorize", "{\"idTag\":\"'; DROP TABLE c;--\"}");
    assert_int_equal(count("SELECT COUNT(*) FROM unknown_card WHERE id_tag ="
                           " '''; DROP TABLE c;--'"),
                     1);
    // A vendor's name of 60 kB is no name.
    int len =
        snprintf(text, sizeof(text), "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"");
    memset(text + len, 'v', 60000);
    (void)snprintf(text + len + 60000, 64, "\",\"chargePointModel\":\"M\"}]");
    assert_has(bench_ask(&bench, a, text), "[4,\"1\",\"PropertyConstraintViolation\"");
    // Names of files are texts in a row, never a place.
    (void)people_ask(&bench, "A",
                     "{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"ftp://x/\"}}");
    station_answers(&bench, a, "{\"fileName\":\"../../etc/passwd\"}");
    assert_has(get("/api/v1/stations/A/files"), "\"file_name\":\"../../etc/passwd\"");
    station_says(&bench, a, "SecurityEventNotification",
                 "{\"type\":\"<img src=x>\",\"timestamp\":" NOW ",\"techInfo\":\"\\u001b[2J\"}");
    assert_has(get("/api/v1/security-events"), "\\u001B[2J");
}

// --- T41.

void central_frames(void)
{
    static char text[PW_CENTRAL_MESSAGE_MAX + 1];
    memset(text, '[', PW_CENTRAL_MESSAGE_MAX);
    assert_string_equal(bench_ask(&bench, a, text), "");
    assert_has(bench_ask(&bench, a,
                         "[2,\"1\",\"DataTransfer\",{\"vendorId\":\"a\",\"vendorId\":"
                         "\"b\"}]"),
               "[4,\"1\",\"FormationViolation\"");
    assert_string_equal(bench_ask(&bench, a, "[2,\"\xff\xfe\",\"Heartbeat\",{}]"), "");
    pw_central_broke(bench.central, a, 1009, "message longer than 65536 bytes", bench.at);
    assert_has(get("/api/v1/refused"), "\"status\":1009");
    assert_has(bench_ask(&bench, a, "[2,\"z\",\"Heartbeat\",{}]"), "[3,\"z\"");
}

// --- T42.

void central_slow_consumer(void)
{
    uint64_t b = bench_station(&bench, "B");
    unsigned queued = 0;
    unsigned refused = 0;
    for (int i = 0; i < 10000; i++) {
        int status = bench_http(&bench, PW_HTTP_POST, "/api/v1/stations/A/commands",
                                "{\"action\":\"ClearCache\"}");
        queued += status == 202 ? 1 : 0;
        refused += status == 429 ? 1 : 0;
    }
    assert_int_equal(queued, PW_CENTRAL_COMMANDS_MAX);
    assert_int_equal(refused, 10000 - PW_CENTRAL_COMMANDS_MAX);
    bench.full = true; // what waits for it has reached its bound
    bench_text(&bench, a, "[2,\"1\",\"Heartbeat\",{}]");
    bench.full = false;
    bench_pass(&bench, 1);
    assert_int_equal(bench.closed, a);
    assert_int_equal(count("SELECT COUNT(*) FROM command WHERE state = 'offline'"),
                     PW_CENTRAL_COMMANDS_MAX);
    assert_has(bench_ask(&bench, b, "[2,\"1\",\"Heartbeat\",{}]"), "[3,\"1\"");
}

// --- T43.

static void charge(unsigned n, const char *start, const char *meter_start, const char *stop,
                   const char *meter_stop)
{
    char text[256];
    (void)snprintf(text, sizeof(text),
                   "{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":%s,\"timestamp\":\"%s\"}",
                   meter_start, start);
    station_says(&bench, a, "StartTransaction", text);
    (void)snprintf(text, sizeof(text),
                   "{\"transactionId\":%u,\"meterStop\":%s,\"timestamp\":\"%s\"}", n, meter_stop,
                   stop);
    station_says(&bench, a, "StopTransaction", text);
}

static void bill(unsigned n, const char *billable, const char *suspect)
{
    char target[64];
    char text[96];
    (void)snprintf(target, sizeof(target), "/api/v1/sessions/%u", n);
    (void)snprintf(text, sizeof(text), "\"billable_wh\":%s", billable);
    assert_has(get(target), text);
    (void)snprintf(text, sizeof(text), "\"suspect\":%s", suspect);
    assert_has(get(target), text);
}

void central_fraud(void)
{
    charge(1, "2026-05-28T20:00:00Z", "100", "2026-05-28T20:10:00Z", "99");
    bill(1, "0", "\"meter_went_back\"");
    charge(2, "2026-05-28T20:01:00Z", "100", "2026-05-28T20:10:00Z", "-1");
    bill(2, "0", "\"meter_went_back\"");
    charge(3, "2026-05-28T20:02:00Z", "0", "2026-05-28T20:11:00Z", "2147483647");
    bill(3, "60000", "\"implausible_energy\""); // 400 kW for nine minutes
    charge(4, "2026-05-28T20:12:00Z", "0", "2026-05-28T20:11:00Z", "50");
    bill(4, "0", "\"time_went_back\"");
    charge(5, "2036-05-28T20:00:00Z", "0", "2036-05-28T20:10:00Z", "50");
    bill(5, "50", "\"clock\"");
    charge(6, "2016-05-28T20:00:00Z", "0", "2016-05-28T20:10:00Z", "50");
    bill(6, "50", "\"clock\"");
    // Two starts on one connector: the first one's stop is missing, and said so.
    station_says(&bench, a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"Y\",\"meterStart\":50,\"timestamp\":" NOW "}");
    station_says(&bench, a, "StartTransaction",
                 "{\"connectorId\":1,\"idTag\":\"Z\",\"meterStart\":51,\"timestamp\":" NOW "}");
    assert_has(get("/api/v1/sessions/7"), "\"suspect\":\"superseded\"");
    // A register that goes back in the middle.
    station_says(&bench, a, "MeterValues",
                 "{\"connectorId\":1,\"transactionId\":8,\"meterValue\":[{\"timestamp\":"
                 "\"2026-05-28T20:27:00Z\",\"sampledValue\":[{\"value\":\"90\"}]},{\"timestamp\":"
                 "\"2026-05-28T20:28:00Z\",\"sampledValue\":[{\"value\":\"60\"}]}]}");
    assert_has(get("/api/v1/sessions/8"), "\"suspect\":\"meter_went_back\"");
    station_says(&bench, a, "StopTransaction",
                 "{\"transactionId\":99,\"meterStop\":5,\"timestamp\":" NOW "}");
    assert_int_equal(count("SELECT COUNT(*) FROM orphan"), 1);
    assert_int_equal(count("SELECT COUNT(*) FROM session"), 8);
}

// --- T44, in virtual time; the same over sockets with TLS runs in the campaign.

enum { HERD = 10000, HERD_SECONDS = 60 };

struct member {
    uint64_t link;
    int due; // second in which it says its boot; -1: it is in
};

static struct member herd[HERD];

// Once one commit, not ten thousand.
static void herd_add(void)
{
    char made[PW_CENTRAL_KEY_MAX];
    char sql[400];
    assert_int_equal(
        pw_central_station_add(bench.central, PW_STR("H"), PW_STR(KEY), true, made, bench.at),
        PW_OK);
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " INSERT INTO station (id, added_at, key_hash) SELECT printf('H%%05d', i), 0,"
                   " (SELECT key_hash FROM station WHERE id = 'H') FROM n",
                   HERD - 1);
    assert_int_equal(sqlite3_exec(bench.store.sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void herd_connect(void)
{
    char id[32];
    size_t before = bench.derivations;
    for (int i = 0; i < HERD; i++) {
        char address[32];
        (void)snprintf(id, sizeof(id), "H%05d", i);
        (void)snprintf(address, sizeof(address), "10.0.%d.%d", i / 250, i % 250 + 1);
        bench.address = address;
        assert_int_equal(shake(id, KEY, &herd[i].link), 101);
        herd[i].due = 0;
    }
    assert_int_equal(bench.derivations - before, HERD); // the least work there is
}

// Says its boot, obeys the answer, and says what it has kept when it is in.
static bool herd_boot(struct member *member, int second)
{
    bench_text(&bench, member->link,
               "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\","
               "\"chargePointModel\":\"M\"}]");
    const char *answer = bench_last(&bench, member->link);
    const char *interval = strstr(answer, "\"interval\":");
    assert_non_null(interval);
    if (strstr(answer, "\"Pending\"") != NULL) {
        member->due = second + atoi(interval + 11);
        return false;
    }
    assert_has(answer, "\"Accepted\"");
    member->due = -1;
    bench_text(&bench, member->link,
               "[2,\"2\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"X\",\"meterStart\":"
               "1,\"timestamp\":" NOW "}]");
    return true;
}

void central_herd(void)
{
    herd_add();
    herd_connect();
    int in = 0;
    int asked = 0;
    int last = 0;
    for (int second = 0; second < HERD_SECONDS; second++) {
        int now_in = 0;
        for (int i = 0; i < HERD; i++) {
            if (herd[i].due == second) {
                asked++;
                now_in += herd_boot(&herd[i], second) ? 1 : 0;
            }
        }
        // The first second also has the places of the one before.
        assert_in_range(now_in, 0, PW_CENTRAL_BOOTS_S + 1);
        in += now_in;
        last = now_in > 0 ? second : last;
        bench_pass(&bench, 1000);
    }
    print_message("T44: %d stations in after %d s, %d boots asked for\n", in, last, asked);
    assert_int_equal(in, HERD);
    assert_true(asked <= 2 * HERD); // nobody asks a third time
    assert_int_equal(count("SELECT COUNT(*) FROM station WHERE boot_at IS NOT NULL"), HERD);
    assert_int_equal(count("SELECT COUNT(*) FROM session"), HERD);
}
