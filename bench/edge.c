// From a pilot edge to the contactor's command and to the event among the bytes that leave, while
// the central floods the station link with requests and a page asks for the status. A board that
// samples every 5 ms is the clock; what the station's own turn takes is measured and added. Each
// edge is a vehicle that lets go in the middle of a charge (C2 to B2).
#include "simstore.h"
#include "station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EDGES = 400, BOARD_MS = 5, REST_MS = 190000, LONGEST_MS = 1000, FLOOD = 65536 };

static struct {
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_station station;
    struct pw_link_central central;
    struct pw_link_memory memory;
    struct pw_board_drive drive;
    pw_ms now;
    bool ready; // the vehicle's switch S2
    uint64_t kept;
    size_t cut; // bytes of the flood's frame that went already
} rig;

struct figures {
    double took_us[EDGES];
    size_t count;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "edge: %s\n", what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right ? 1 : 0;
}

static double at_us(const struct figures *figures, size_t permille)
{
    size_t index = figures->count * permille / 1000;
    return figures->took_us[index < figures->count ? index : figures->count - 1];
}

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (pw_settings_find(pw_str_of(path), &at) != PW_OK ||
        pw_settings_set(&rig.settings, at, pw_str_of(value), by, &why) != PW_OK) {
        fail(text);
    }
}

static void open_station(void)
{
    pw_settings_init(&rig.settings);
    set("station.id", "EDGE", PW_BY_FILE);
    set("uplink.url", "tls://central:8190", PW_BY_FILE);
    set("session.free_id_tag", "FREE", PW_BY_FILE);
    set("charging.plug_and_charge", "true", PW_BY_FILE);
    set("ocpp.authorization_key", "a-very-secret-key", PW_BY_SECRETS);
    set("connectors[0].kind", "pilot", PW_BY_FILE);
    pw_sim_store_init(&rig.disk);
    const struct pw_station_start start = {.settings = &rig.settings,
                                           .store = &rig.disk.port,
                                           .firmware = "bench",
                                           .seed = 7,
                                           .now = rig.now,
                                           .wall = 1767225600000};
    if (pw_station_init(&rig.station, &start) != PW_OK) {
        fail("the station does not start");
    }
}

// The board of a vehicle that is plugged in and follows the pilot.
static struct pw_board_senses board_says(void)
{
    bool closed = rig.drive.contactor;
    bool offer = rig.drive.cp == PW_BOARD_CP_PWM;
    struct pw_board_senses senses = {
        .at = rig.now,
        .cp_high_mv = rig.drive.cp == PW_BOARD_CP_FAULT ? -12000
                      : rig.ready && offer              ? 6000
                                                        : 9000,
        .cp_low_mv = offer ? -12000 : PW_BOARD_UNKNOWN,
        .pp_ohm = 220,
        .contact = closed ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN,
        .lock = rig.drive.lock ? PW_BOARD_LOCK_CLOSED : PW_BOARD_LOCK_OPEN,
        .rcd = rig.drive.rcd_test ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK,
        .earth = PW_BOARD_EARTH_OK,
        .temp_dc = {250, 250},
        .mains = {.at = rig.now, .mhz = 50000, .import_mwh = -1},
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        senses.load_mv[i] = closed ? 230000 : 0;
        senses.mains.mv[i] = 230000 + (int32_t)(rig.now % 7);
        senses.mains.ma[i] = closed && rig.ready ? 9000 : 0;
        senses.mains.mw[i] = senses.mains.ma[i] * 230;
    }
    return senses;
}

static void turn(void)
{
    struct pw_board_senses senses = board_says();
    unsigned connector = 0;
    pw_station_senses(&rig.station, 1, &senses, rig.now);
    (void)pw_station_step(&rig.station, rig.now);
    while (pw_station_take_drive(&rig.station, &connector, &rig.drive)) {
    }
}

static void central_takes(void)
{
    struct pw_link_report report;
    const struct pw_link_welcome welcome = {.event = rig.kept};
    for (;;) {
        switch (pw_link_central_next(&rig.central, &report, rig.now)) {
        case PW_LINK_NEWS_NONE: return;
        case PW_LINK_NEWS_HELLO:
            pw_link_central_admit(&rig.central, &rig.memory, &welcome, rig.now);
            break;
        case PW_LINK_NEWS_EVENT:
            rig.kept = report.message.as.event.event;
            pw_link_central_ack(&rig.central, rig.kept, rig.now);
            break;
        case PW_LINK_NEWS_LOST: fail("an event was lost"); break;
        case PW_LINK_NEWS_SNAPSHOT:
        case PW_LINK_NEWS_LOG:
        case PW_LINK_NEWS_FIRMWARE:
        case PW_LINK_NEWS_ANSWER: break;
        }
    }
}

static void carry(void)
{
    struct pw_str out = pw_station_uplink_out(&rig.station);
    size_t len = pw_link_central_bytes(&rig.central, (const uint8_t *)out.at, out.len, rig.now);
    pw_station_uplink_out_sent(&rig.station, len, rig.now);
    central_takes();
    (void)pw_link_central_step(&rig.central, rig.now);
    out = pw_link_central_out(&rig.central);
    // Only between two frames of the flood: both write into one stream.
    if (rig.cut == 0) {
        len = pw_station_uplink_bytes(&rig.station, (const uint8_t *)out.at, out.len, rig.now);
        pw_link_central_out_sent(&rig.central, len, rig.now);
    }
}

// A board may say little while nothing happens.
static void run(pw_ms span, pw_ms every)
{
    for (pw_ms end = rig.now + span; rig.now < end; rig.now += every) {
        turn();
        carry();
    }
}

// At most `most` bytes, as many as the station takes, of requests without end: a limit, a ping and
// a question that must be refused.
static void flood(size_t most)
{
    static uint8_t frames[256];
    static size_t len;
    if (len == 0) {
        const struct pw_link_set_limit limit = {
            .connector = 1, .limit_ma = 16000, .lease_s = 86400, .fallback_ma = 16000};
        struct pw_link_writer w = {.at = frames, .cap = sizeof(frames)};
        pw_link_begin(&w, PW_LINK_SET_LIMIT, 60001, &limit);
        len += (size_t)pw_link_end(&w);
        w = (struct pw_link_writer){.at = frames + len, .cap = sizeof(frames) - len};
        pw_link_begin(&w, PW_LINK_PING, 60002, NULL);
        len += (size_t)pw_link_end(&w);
        w = (struct pw_link_writer){.at = frames + len, .cap = sizeof(frames) - len};
        pw_link_begin(&w, PW_LINK_FW_STATUS, 60003, NULL);
        len += (size_t)pw_link_end(&w);
    }
    size_t taken = 1;
    while (taken > 0 && most > 0) {
        size_t left = len - rig.cut < most ? len - rig.cut : most;
        taken = pw_station_uplink_bytes(&rig.station, frames + rig.cut, left, rig.now);
        rig.cut = (rig.cut + taken) % len;
        most -= taken;
    }
    if (rig.station.uplink.link.state != PW_LINK_ONLINE) {
        fail("the link does not stand the flood");
    }
}

static bool is_charging(void)
{
    return rig.drive.contactor && rig.ready;
}

// The pilot's new level is in a frame that leaves.
static bool is_told(uint64_t from)
{
    const struct pw_link_station *link = &rig.station.uplink.link;
    for (uint64_t event = from; event < link->sent; event++) {
        if (link->ring[event % PW_LINK_EVENTS].kind == PW_LINK_EVENT_PILOT) {
            return true;
        }
    }
    return false;
}

// One edge: microseconds until the contactor is told to open, and until the event is among the
// bytes to send.
static void measure(struct figures *contactor, struct figures *event)
{
    static char answer[16384];
    uint64_t before = rig.station.uplink.link.sent;
    double opened_us = 0;
    double told_us = 0;
    pw_ms since = rig.now;
    rig.ready = false;
    while (opened_us <= 0 || told_us <= 0) {
        struct pw_out out = PW_OUT(answer);
        flood(FLOOD);
        uint64_t begun = now_ns();
        (void)!pw_station_command(&rig.station, PW_STR("json status"), &out, rig.now);
        turn();
        double took_us = (double)(now_ns() - begun) / 1000.0 + (double)(rig.now - since) * 1000.0;
        opened_us = opened_us <= 0 && !rig.drive.contactor ? took_us : opened_us;
        told_us = told_us <= 0 && is_told(before) ? took_us : told_us;
        carry();
        rig.now += BOARD_MS;
        if (rig.now - since > LONGEST_MS) {
            fail("an edge was not seen");
        }
    }
    // The frame that is cut goes to its end, so that the central is heard again.
    while (rig.cut != 0) {
        turn();
        carry();
        flood(1);
    }
    contactor->took_us[contactor->count++] = opened_us;
    event->took_us[event->count++] = told_us;
}

int main(void)
{
    static struct figures contactor;
    static struct figures event;
    rig.now = 1000;
    open_station();
    (void)pw_station_step(&rig.station, rig.now);
    pw_link_central_init(&rig.central, rig.now);
    pw_station_uplink_up(&rig.station, rig.now);
    rig.ready = true;
    run(20000, BOARD_MS);
    while (event.count < EDGES) {
        if (!is_charging()) {
            fail("the charge does not begin");
        }
        measure(&contactor, &event);
        run(REST_MS, 50); // contactors rest between closings
        rig.ready = true;
        run(10000, BOARD_MS);
    }
    qsort(contactor.took_us, contactor.count, sizeof(contactor.took_us[0]), by_size);
    qsort(event.took_us, event.count, sizeof(event.took_us[0]), by_size);
    (void)printf(
        "| Pilot edge to contactor command, link flooded | p50 %.2f ms | p99 %.2f ms | max "
        "%.2f ms | target max 100 ms |\n",
        at_us(&contactor, 500) / 1000, at_us(&contactor, 990) / 1000,
        at_us(&contactor, 1000) / 1000);
    (void)printf(
        "| Pilot edge to event on the wire, link flooded | p50 %.2f ms | p99 %.2f ms | max "
        "%.2f ms | target max 50 ms |\n",
        at_us(&event, 500) / 1000, at_us(&event, 990) / 1000, at_us(&event, 1000) / 1000);
    (void)printf("{\"bench\":\"edge\",\"edges\":%zu,\"board_ms\":%d,\"contactor_p50_us\":%.1f,"
                 "\"contactor_p99_us\":%.1f,\"contactor_max_us\":%.1f,\"event_p50_us\":%.1f,"
                 "\"event_p99_us\":%.1f,\"event_max_us\":%.1f,\"target_event_us\":50000}\n",
                 event.count, BOARD_MS, at_us(&contactor, 500), at_us(&contactor, 990),
                 at_us(&contactor, 1000), at_us(&event, 500), at_us(&event, 990),
                 at_us(&event, 1000));
    pw_sim_store_free(&rig.disk);
    return 0;
}
