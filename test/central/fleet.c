#include "fleet.h"

#include "make.h"

#define STEP_MS    2500 // between two looks at the stations
#define LOAD_MS    20000
#define LIE_MS     60000
#define INSTALL_MS 15000
#define RESTART_MS 30000
#define TRIAL_MS   300000
#define NEW        "2.0.0"
#define OLD        "1.0.0"

uint32_t fleet_random(struct fleet *fleet, uint32_t below)
{
    fleet->random = fleet->random * 1664525U + 1013904223U;
    return (fleet->random >> 8) % below;
}

static struct unit *unit_of(struct fleet *fleet, uint64_t link)
{
    for (size_t i = 0; i < fleet->units; i++) {
        if (fleet->unit[i].link == link && link != 0) {
            return &fleet->unit[i];
        }
    }
    return NULL;
}

// --- The database, that may die.

static bool dies(struct fleet *fleet)
{
    fleet->operations++;
    fleet->dead = fleet->dead || (fleet->cut_at != 0 && fleet->operations >= fleet->cut_at);
    return fleet->dead;
}

static int64_t run_or_die(void *context, const char *sql, const struct pw_db_value *args,
                          size_t count, pw_db_row *row, void *to)
{
    struct fleet *fleet = context;
    return dies(fleet) ? PW_ERR_STORE
                       : fleet->bench.store.db.run(fleet->bench.store.db.context, sql, args, count,
                                                   row, to);
}

static int commit_or_die(void *context)
{
    struct fleet *fleet = context;
    return dies(fleet) ? PW_ERR_STORE : fleet->bench.store.db.commit(fleet->bench.store.db.context);
}

// --- The network.

static bool breaks_off(const struct unit *unit)
{
    return unit->ill == ILL_DIES || unit->ill == ILL_CRASHES;
}

static void begin_update(struct unit *unit)
{
    unit->asked++;
    unit->fleet->asked++;
    if (breaks_off(unit)) {
        unit->answer[0] = '\0';
        unit->doing = BREAKS_OFF;
        unit->due = unit->fleet->bench.at.now;
        return;
    }
    unit->doing = unit->still ? RESTS : LOADS;
    unit->due = unit->still ? PW_NEVER : pw_after(unit->fleet->bench.at.now, 1000);
}

static void check_place(struct pw_str text)
{
    assert_non_null(memmem(text.at, text.len, "http://central.example:8180/firmware/", 37));
    assert_non_null(memmem(text.at, text.len, "\"retries\":10,\"retryInterval\":120", 32));
}

// What it answers to SignedUpdateFirmware.
static void answer_signed(struct unit *unit, struct pw_str text, struct pw_str id)
{
    const char *number = memmem(text.at, text.len, "\"requestId\":", 12);
    struct pw_out out = PW_OUT(unit->answer);
    check_place(text);
    assert_non_null(number);
    assert_non_null(memmem(text.at, text.len, "\"signature\":\"c2ln\"", 18));
    unit->fleet->offered++;
    unit->answer[0] = '\0';
    pw_put_s(&out, unit->says == NULL ? "[4,\"" : "[3,\"");
    pw_put(&out, id);
    if (unit->says == NULL) {
        pw_put_s(&out, "\",\"NotImplemented\",\"\",{}]");
        return;
    }
    pw_put_s(&out, "\",{\"status\":\"");
    pw_put_s(&out, unit->says);
    pw_put_s(&out, "\"}]");
    unit->request = strtoll(number + 12, NULL, 10);
    if (strncmp(unit->says, "Accepted", 8) == 0) {
        begin_update(unit);
    }
}

// Commands come one at a time, and are answered a second later.
static int net_send(void *context, uint64_t link, struct pw_str text)
{
    struct fleet *fleet = context;
    struct unit *unit = unit_of(fleet, link);
    if (unit == NULL || fleet->dead || !pw_str_starts(text, "[2,\"")) {
        return PW_OK;
    }
    struct pw_str rest = {.at = text.at + 4, .len = text.len - 4};
    struct pw_str id = pw_str_cut(&rest, '"');
    if (memmem(text.at, text.len, "\"SignedUpdateFirmware\"", 22) != NULL) {
        answer_signed(unit, text, id);
        return PW_OK;
    }
    bool update = memmem(text.at, text.len, "\"UpdateFirmware\"", 16) != NULL;
    struct pw_out out = PW_OUT(unit->answer);
    unit->answer[0] = '\0';
    pw_put_s(&out, update && unit->ill == ILL_REFUSES ? "[4,\"" : "[3,\"");
    pw_put(&out, id);
    pw_put_s(&out, update && unit->ill == ILL_REFUSES ? "\",\"NotSupported\",\"\",{}]" : "\",{}]");
    if (update) {
        check_place(text);
        unit->request = 0;
        begin_update(unit);
    }
    return PW_OK;
}

static void net_ping(void *context, uint64_t link)
{
    (void)context, (void)link;
}

// --- A station.

void fleet_say(struct unit *unit, const char *action, const char *payload)
{
    char text[512];
    struct fleet *fleet = unit->fleet;
    if (unit->link == 0) {
        return;
    }
    (void)snprintf(text, sizeof(text), "[2,\"m%u\",\"%s\",%s]", ++unit->called, action, payload);
    pw_central_text(fleet->bench.central, unit->link, pw_str_of(text), fleet->bench.at);
}

static void status(struct unit *unit, const char *word)
{
    char payload[96];
    if (unit->request == 0) {
        (void)snprintf(payload, sizeof(payload), "{\"status\":\"%s\"}", word);
        fleet_say(unit, "FirmwareStatusNotification", payload);
        return;
    }
    (void)snprintf(payload, sizeof(payload), "{\"status\":\"%s\",\"requestId\":%d}", word,
                   (int)unit->request);
    fleet_say(unit, "SignedFirmwareStatusNotification", payload);
}

void fleet_boot(struct unit *unit)
{
    char payload[160];
    (void)snprintf(payload, sizeof(payload),
                   "{\"chargePointVendor\":\"%s\",\"chargePointModel\":\"Wallbox-9\","
                   "\"firmwareVersion\":\"%s\"}",
                   unit->maker, unit->version);
    fleet_say(unit, "BootNotification", payload);
}

void fleet_offline(struct fleet *fleet, struct unit *unit)
{
    if (unit->link != 0) {
        uint64_t link = unit->link;
        unit->link = 0;
        unit->answer[0] = '\0';
        pw_central_closed(fleet->bench.central, link, fleet->bench.at);
    }
}

void fleet_online(struct fleet *fleet, struct unit *unit)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/ocpp/%s", unit->id);
    int result = bench_handshake(&fleet->bench, path, unit->id, "sixteen-or-more-1", &unit->link);
    unit->back_at = 0;
    if (result != 101) {
        assert_true(fleet->dead); // it tries again
        unit->link = 0;
        unit->back_at = pw_after(fleet->bench.at.now, 1000);
    }
}

void fleet_charge(struct fleet *fleet, struct unit *unit, pw_ms span)
{
    char payload[160];
    (void)snprintf(payload, sizeof(payload),
                   "{\"connectorId\":1,\"idTag\":\"CARD\",\"meterStart\":%u,"
                   "\"timestamp\":\"2026-05-28T20:00:00Z\"}",
                   unit->called);
    fleet_say(unit, "StartTransaction", payload);
    unit->charges_to = pw_after(fleet->bench.at.now, span);
}

static void unplug(struct unit *unit)
{
    char payload[160];
    char sql[160];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COALESCE(MAX(id), 0) FROM session WHERE station_id = '%s'", unit->id);
    (void)snprintf(payload, sizeof(payload),
                   "{\"transactionId\":%d,\"meterStop\":9000,"
                   "\"timestamp\":\"2026-05-28T23:00:00Z\"}",
                   (int)bench_count(&unit->fleet->bench, sql));
    fleet_say(unit, "StopTransaction", payload);
    unit->charges_to = 0;
}

static void restart(struct unit *unit, enum doing doing, const char *version)
{
    unit->cut = unit->cut || unit->charges_to != 0; // never while somebody charges
    (void)snprintf(unit->version, sizeof(unit->version), "%s", version);
    unit->doing = doing;
    fleet_offline(unit->fleet, unit);
    unit->back_at = unit->due = pw_after(unit->fleet->bench.at.now, RESTART_MS);
}

static void go(struct unit *unit, enum doing doing, pw_ms span)
{
    unit->doing = doing;
    unit->due = span == 0 ? PW_NEVER : pw_after(unit->fleet->bench.at.now, span);
}

static void load(struct unit *unit)
{
    if (unit->ill == ILL_SILENT || unit->ill == ILL_REFUSES) {
        go(unit, RESTS, 0);
        return;
    }
    status(unit, "Downloading");
    if (unit->ill == ILL_LIES) {
        go(unit, LOADS, LIE_MS);
    } else {
        go(unit, WAITS, LOAD_MS);
    }
}

static void wait(struct unit *unit)
{
    if (unit->ill == ILL_DOWNLOAD) {
        status(unit, "DownloadFailed");
        go(unit, RESTS, 0);
    } else if (unit->charges_to != 0) {
        status(unit, "Downloaded");
        unit->due = pw_after(unit->charges_to, 1000);
    } else {
        status(unit, "Downloaded");
        status(unit, "Installing");
        go(unit, INSTALLS, INSTALL_MS);
    }
}

static void act(struct unit *unit)
{
    struct fleet *fleet = unit->fleet;
    switch (unit->doing) {
    case RESTS: go(unit, RESTS, 0); break;
    case LOADS: load(unit); break;
    case WAITS: wait(unit); break;
    case INSTALLS:
        if (unit->ill == ILL_INSTALL) {
            status(unit, "InstallationFailed");
            go(unit, RESTS, 0);
        } else if (unit->ill == ILL_BRICKS) {
            status(unit, "Installed");
            go(unit, BREAKS_OFF, 1000);
        } else {
            restart(unit, RESTARTS, NEW);
        }
        break;
    case RESTARTS:
        fleet_boot(unit);
        go(unit, unit->ill == ILL_BACK ? FALLS_BACK : TRIES, TRIAL_MS);
        break;
    case FALLS_BACK: restart(unit, TRIES, OLD); break;
    case BREAKS_OFF:
        if (unit->ill == ILL_CRASHES) {
            restart(unit, TRIES, OLD);
        } else {
            fleet_offline(fleet, unit);
            go(unit, RESTS, 0);
        }
        break;
    case TRIES:
        if (unit->link != 0 && strcmp(unit->version, NEW) == 0) {
            status(unit, "Installed");
        } else {
            fleet_boot(unit);
        }
        go(unit, RESTS, 0);
        break;
    }
}

static void turn(struct unit *unit)
{
    struct fleet *fleet = unit->fleet;
    pw_ms now = fleet->bench.at.now;
    if (unit->back_at != 0 && now >= unit->back_at) {
        fleet_online(fleet, unit);
    }
    if (unit->link != 0 && unit->answer[0] != '\0') {
        char text[sizeof(unit->answer)];
        memcpy(text, unit->answer, sizeof(text));
        unit->answer[0] = '\0';
        pw_central_text(fleet->bench.central, unit->link, pw_str_of(text), fleet->bench.at);
    }
    if (unit->charges_to != 0 && now >= unit->charges_to && unit->link != 0) {
        unplug(unit);
    }
    if (now >= unit->due && unit->link != 0) {
        act(unit);
    }
}

// --- All of them.

static void restart_central(struct fleet *fleet)
{
    struct bench *bench = &fleet->bench;
    const char *why = "";
    pw_central_free(bench->central);
    if (sqlite3_get_autocommit(bench->store.sqlite) == 0) {
        (void)sqlite3_exec(bench->store.sqlite, "ROLLBACK", NULL, NULL, NULL);
    }
    bench->store.open = false;
    shelf_cut(&fleet->shelf);
    fleet->dead = false;
    fleet->cut_at = 0;
    assert_int_equal(pw_central_new(&bench->central, &bench->config, bench->at, &why), PW_OK);
    for (size_t i = 0; i < fleet->units; i++) {
        struct unit *unit = &fleet->unit[i];
        if (unit->link != 0) {
            unit->link = 0;
            unit->answer[0] = '\0';
            unit->back_at = pw_after(bench->at.now, 1000 + fleet_random(fleet, 4000));
        }
    }
    fleet_login(fleet);
}

void fleet_pass(struct fleet *fleet, pw_ms span)
{
    struct bench *bench = &fleet->bench;
    pw_ms end = pw_after(bench->at.now, span);
    while (bench->at.now < end) {
        (void)pw_central_step(bench->central, bench->at);
        for (size_t i = 0; i < fleet->units && !fleet->dead; i++) {
            turn(&fleet->unit[i]);
            // A link that says nothing for a minute is given up; these live.
            if (fleet->unit[i].link != 0 && bench->at.now % 15000 < STEP_MS) {
                pw_central_pong(bench->central, fleet->unit[i].link, bench->at);
            }
        }
        if (fleet->dead) {
            restart_central(fleet);
        }
        pw_ms step = pw_earlier(STEP_MS, end - bench->at.now);
        bench->at.now += step;
        bench->at.wall += (pw_unix_ms)step;
    }
    (void)pw_central_step(bench->central, bench->at);
}

bool fleet_until(struct fleet *fleet, const char *state, pw_ms span)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM rollout WHERE state = '%s' AND id ="
                   " (SELECT MAX(id) FROM rollout)",
                   state);
    pw_ms end = pw_after(fleet->bench.at.now, span);
    while (fleet->bench.at.now < end) {
        fleet_pass(fleet, 5000);
        if (bench_count(&fleet->bench, sql) == 1) {
            return true;
        }
    }
    return false;
}

void fleet_login(struct fleet *fleet)
{
    unsigned cut_at = fleet->cut_at;
    fleet->cut_at = 0;
    bench_login(&fleet->bench);
    fleet->cut_at = cut_at;
}

static void bring_release(struct fleet *fleet)
{
    static uint8_t file[8192];
    struct bench *bench = &fleet->bench;
    struct pw_make make = {.version = NEW, .hardware = {"wallbox-9"}};
    size_t len = pw_make_release(&make, file, sizeof(file));
    struct pw_http_request request = {.method = PW_HTTP_POST,
                                      .path = PW_STR("/api/v1/releases"),
                                      .host = PW_STR("127.0.0.1"),
                                      .cookie = pw_str_of(bench->cookie),
                                      .csrf = pw_str_of(bench->csrf),
                                      .length = len,
                                      .stream = ++bench->links};
    struct pw_http_reply reply = {0};
    assert_true(pw_central_takes(bench->central, &request, &reply, bench->at) > 0);
    assert_int_equal(pw_central_piece(bench->central, request.stream,
                                      (struct pw_str){.at = (const char *)file, .len = len},
                                      bench->at),
                     len);
    pw_central_http(bench->central, &request, &reply, bench->at);
    assert_int_equal(reply.status, 201);
}

void fleet_open(struct fleet *fleet, size_t units, uint32_t seed)
{
    struct bench *bench = &fleet->bench;
    const char *why = "";
    memset(fleet, 0, sizeof(*fleet));
    bench_open(bench);
    pw_central_free(bench->central);
    shelf_open(&fleet->shelf);
    bench->net.context = fleet;
    bench->net.send = net_send;
    bench->net.ping = net_ping;
    bench->db = (struct pw_db){.context = fleet, .run = run_or_die, .commit = commit_or_die};
    bench->config.depot = &fleet->shelf.port;
    bench->config.public_url = PW_STR("http://central.example:8180");
    assert_int_equal(pw_central_new(&bench->central, &bench->config, bench->at, &why), PW_OK);
    bench_login(bench);
    fleet->random = seed;
    for (size_t i = 0; i < units; i++) {
        char made[PW_CENTRAL_KEY_MAX];
        struct unit *unit = &fleet->unit[i];
        fleet->units = i + 1;
        *unit = (struct unit){.fleet = fleet, .due = PW_NEVER, .maker = "Test", .version = OLD};
        (void)snprintf(unit->id, sizeof(unit->id), "CP%03zu", i);
        assert_int_equal(pw_central_station_add(bench->central, pw_str_of(unit->id),
                                                PW_STR("sixteen-or-more-1"), true, made, bench->at),
                         PW_OK);
        fleet_online(fleet, unit);
        fleet_boot(unit);
        fleet_pass(fleet, i % 50 == 49 ? 1000 : 0);
    }
    bring_release(fleet);
    fleet_pass(fleet, 2000);
}

void fleet_anew(struct fleet *fleet, uint32_t seed)
{
    static const char open[] = "SELECT COALESCE(MAX(id), 0) FROM rollout WHERE report IS NULL";
    int64_t id = bench_count(&fleet->bench, open);
    char path[64];
    fleet_login(fleet);
    (void)snprintf(path, sizeof(path), "/api/v1/rollouts/%d/cancel", (int)id);
    if (id > 0) {
        assert_int_equal(bench_http(&fleet->bench, PW_HTTP_POST, path, ""), 200);
    }
    fleet_pass(fleet, 60000); // who restarts is back
    for (size_t i = 0; i < fleet->units; i++) {
        struct unit *unit = &fleet->unit[i];
        unit->ill = WELL;
        if (unit->link == 0) {
            fleet_online(fleet, unit);
        }
        unit->doing = RESTS;
        unit->due = PW_NEVER;
        unit->asked = 0;
        unit->request = 0;
        (void)snprintf(unit->version, sizeof(unit->version), OLD);
        fleet_boot(unit);
    }
    fleet->asked = 0;
    fleet->offered = 0;
    fleet->random = seed;
    fleet_pass(fleet, 2000);
}

void fleet_close(struct fleet *fleet)
{
    bench_close(&fleet->bench);
    shelf_close(&fleet->shelf);
}
