// One charge as OCPP sees it, in the station's code alone: boot, authorize, start, ten times meter
// values, stop; each message said, answered and taken away by the journal. No wire, no disk, and no
// charger: what is measured is the protocol. The journal's store is in memory.
#include "simstore.h"
#include "station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CYCLES = 2000, SAMPLES = 10, STEP_MS = 250 };

static struct pw_sim_store disk;
static struct pw_settings settings;
static struct pw_station station;
static pw_ms now;
static unsigned calls;

static double now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void set(const char *path, const char *value)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    PW_ASSERT(pw_settings_find(pw_str_of(path), &at) == PW_OK);
    PW_ASSERT(pw_settings_set(&settings, at, pw_str_of(value), PW_BY_FILE, &why) == PW_OK);
}

// The central system: what it answers to the call that is to be sent.
static void answer(struct pw_cp16 *cp)
{
    static const struct {
        const char *action;
        const char *payload;
    } rows[] = {
        {"\"BootNotification\"",
         "{\"status\":\"Accepted\",\"currentTime\":\"2026-09-21T16:00:00Z\",\"interval\":300}"},
        {"\"Authorize\"", "{\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"\"StartTransaction\"", "{\"transactionId\":7,\"idTagInfo\":{\"status\":\"Accepted\"}}"}};
    char text[256];
    struct pw_str said = pw_cp16_out(cp);
    const char *payload = "{}";
    const char *id = said.at + 4; // [2,"
    size_t len = strcspn(id, "\"");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        bool is = strncmp(id + len + 2, rows[i].action, strlen(rows[i].action)) == 0;
        payload = is ? rows[i].payload : payload;
    }
    int written = snprintf(text, sizeof(text), "[3,\"%.*s\",%s]", (int)len, id, payload);
    pw_cp16_out_sent(cp);
    calls++;
    int err = pw_cp16_text(cp, (struct pw_str){.at = text, .len = (size_t)written}, now);
    PW_ASSERT(err == PW_OK);
}

// Until nothing is left to be said.
static void talk(void)
{
    struct pw_cp16 *cp = &station.cp16;
    for (unsigned quiet = 0; quiet < 3;) {
        now += STEP_MS;
        (void)pw_cp16_step(cp, now);
        if (pw_cp16_out(cp).len > 0) {
            answer(cp);
            quiet = 0;
        } else {
            quiet++;
        }
    }
}

static struct pw_sample sample(enum pw_reading why, int64_t wh)
{
    struct pw_sample it = {.reading = why, .has = 1U << PW_ENERGY_WH};
    it.at = pw_cp16_stamp(&station.cp16, now);
    it.value[PW_ENERGY_WH] = wh;
    return it;
}

static void cycle(void)
{
    const struct pw_station_start start = {
        .settings = &settings, .store = &disk.port, .firmware = "bench", .now = now};
    struct pw_transaction transaction = {.connector = 1, .id_tag = "04A2B19C"};
    PW_ASSERT(pw_station_init(&station, &start) == PW_OK);
    pw_cp16_link_up(&station.cp16, now);
    talk();
    PW_ASSERT(pw_cp16_online(&station.cp16));
    PW_ASSERT(pw_cp16_authorise(&station.cp16, 1, PW_STR("04A2B19C"), now) == PW_OK);
    talk();
    transaction.first = sample(PW_READING_BEGIN, 1000);
    PW_ASSERT(pw_journal_begin(&station.journal, &transaction) > 0);
    talk();
    for (int i = 1; i <= SAMPLES; i++) {
        struct pw_sample value = sample(PW_READING_PERIODIC, 1000 + i * 100);
        pw_cp16_keep_reading(&station.cp16, 1, &value);
        talk();
    }
    struct pw_sample last = sample(PW_READING_END, 3000);
    PW_ASSERT(pw_journal_end(&station.journal, 1, PW_REASON_LOCAL, PW_STR(""), &last) > 0);
    talk();
}

int main(void)
{
    static double took_us[CYCLES];
    double best = 1e12;
    double sum = 0;
    pw_settings_init(&settings);
    set("station.id", "BENCH");
    set("ocpp.url", "ws://central/ocpp");
    set("connectors[0].kind", "openevse");
    set("metering.sampled_data", "Energy.Active.Import.Register");
    for (int i = 0; i < CYCLES; i++) {
        pw_sim_store_init(&disk);
        now = 1000;
        calls = 0;
        took_us[i] = -now_us();
        cycle();
        took_us[i] += now_us();
        pw_sim_store_free(&disk);
        best = took_us[i] < best ? took_us[i] : best;
        sum += took_us[i];
    }
    PW_ASSERT(calls >= 4 + SAMPLES); // boot, authorize, start, stop
    (void)printf("ocpp          a charge of %u calls, boot to stop: best %.0f us, mean %.0f us\n",
                 calls, best, sum / CYCLES);
    (void)printf("{\"bench\":\"ocpp\",\"calls\":%u,\"best_us\":%.1f,\"mean_us\":%.1f}\n", calls,
                 best, sum / CYCLES);
    return 0;
}
