// From a current transformer's samples to the new duty of the pilot: a kettle goes on in the middle
// of a charge, the front-end's blocks (4 kHz, six channels, 10 ms each) pass the arithmetic, the
// house's machine decides, the outlet has another duty to drive. What the machine takes is measured
// (the last block in, the duty out) and set beside a turn of the same station without news; how
// long the samples themselves take is counted in virtual time.
#include "house/transformers.h"
#include "simstore.h"
#include "station.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KETTLES = 300, BLOCK_MS = 10, BLOCK = 40, RATE_HZ = 4000, CALM_MS = 90000 };

static struct {
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_station station;
    struct pw_house_transformers clamps;
    struct pw_board_drive drive;
    pw_ms now;
    double other_a;
    int32_t draw_ma;
} rig;

struct figures {
    double machine_us[KETTLES];
    double samples_ms[KETTLES];
    size_t count;
    double idle_us; // a turn without news, mean
};

static void give_up(const char *what)
{
    (void)fprintf(stderr, "house: %s\n", what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void set(const char *path, const char *value)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (pw_settings_find(pw_str_of(path), &at) != PW_OK ||
        pw_settings_set(&rig.settings, at, pw_str_of(value), PW_BY_FILE, &why) != PW_OK) {
        give_up(text);
    }
}

static void open_station(void)
{
    pw_settings_init(&rig.settings);
    set("station.id", "HOUSE");
    set("charging.plug_and_charge", "true");
    set("house.load_management", "true");
    set("house.breaker_ma", "25000");
    set("connectors[0].kind", "pilot");
    set("connectors[0].socket", "false");
    pw_sim_store_init(&rig.disk);
    const struct pw_station_start start = {.settings = &rig.settings,
                                           .store = &rig.disk.port,
                                           .firmware = "bench",
                                           .seed = 7,
                                           .now = rig.now,
                                           .wall = 1767225600000};
    if (pw_station_init(&rig.station, &start) != PW_OK ||
        pw_house_transformers_init(&rig.clamps, 7, 277, NULL) != PW_OK) {
        give_up("the station does not start");
    }
}

static void tell_board(void)
{
    bool closed = rig.drive.contactor;
    bool offer = rig.drive.cp == PW_BOARD_CP_PWM;
    rig.draw_ma = closed ? rig.drive.duty_ppm * 6 / 100 : 0;
    struct pw_board_senses senses = {
        .at = rig.now,
        .cp_high_mv = rig.drive.cp == PW_BOARD_CP_FAULT ? -12000
                      : offer                           ? 6000
                                                        : 9000,
        .cp_low_mv = offer ? -12000 : PW_BOARD_UNKNOWN,
        .pp_ohm = PW_BOARD_UNKNOWN,
        .contact = closed ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN,
        .lock = PW_BOARD_LOCK_NONE,
        .rcd = rig.drive.rcd_test ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK,
        .earth = PW_BOARD_EARTH_OK,
        .temp_dc = {250, 250},
        .mains = {.at = rig.now, .mhz = 50000, .import_mwh = -1},
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        senses.load_mv[i] = closed ? 230000 : 0;
        senses.mains.mv[i] = 230000 + (int32_t)(rig.now % 7);
        senses.mains.ma[i] = rig.draw_ma;
        senses.mains.mw[i] = rig.draw_ma * 230;
    }
    pw_station_senses(&rig.station, 1, &senses, rig.now);
}

static void sample(struct pw_board_block *block)
{
    double peak = (rig.other_a + rig.draw_ma / 1000.0) * sqrt(2.0) / 2.77e-3;
    *block = (struct pw_board_block){.at = rig.now, .rate_hz = RATE_HZ, .count = BLOCK};
    for (unsigned s = 0; s < BLOCK; s++) {
        double when = ((double)rig.now - BLOCK_MS) / 1000 + (double)s / RATE_HZ;
        double wave = sin(2 * 3.141592653589793 * 50 * when);
        for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
            block->ampere[p][s] = (int16_t)lround(wave * peak);
            block->volt[p][s] = (int16_t)lround(wave * 230 * sqrt(2.0) / 0.05);
        }
    }
}

// One block in, one turn, what is to be driven out. Nanoseconds of it.
static uint64_t turn(bool *changed)
{
    struct pw_board_block block;
    struct pw_board_mains reading;
    struct pw_board_drive before = rig.drive;
    unsigned connector = 0;
    rig.now += BLOCK_MS;
    tell_board();
    sample(&block);
    uint64_t begun = now_ns();
    if (pw_house_transformers_block(&rig.clamps, &block, &reading, rig.now)) {
        pw_station_mains(&rig.station, 0, &reading, rig.now);
    }
    (void)pw_station_step(&rig.station, rig.now);
    while (pw_station_take_drive(&rig.station, &connector, &rig.drive)) {
    }
    uint64_t took = now_ns() - begun;
    *changed = rig.drive.duty_ppm < before.duty_ppm;
    return took;
}

static void calm(pw_ms span, struct figures *f)
{
    bool changed = false;
    uint64_t sum = 0;
    for (pw_ms end = rig.now + span; rig.now < end;) {
        sum += turn(&changed);
    }
    f->idle_us = (double)sum / 1e3 / ((double)span / BLOCK_MS);
}

static void one_kettle(struct figures *f)
{
    pw_ms begun = rig.now;
    bool changed = false;
    uint64_t took = 0;
    rig.other_a = 13;
    while (!changed) {
        took = turn(&changed);
        if (rig.now - begun > 10000) {
            give_up("the offer did not come down");
        }
    }
    f->machine_us[f->count] = (double)took / 1e3;
    f->samples_ms[f->count] = (double)(rig.now - begun);
    f->count++;
    rig.other_a = 2;
}

static int upwards(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static struct figures f;
    rig.now = 1000;
    rig.other_a = 2;
    open_station();
    calm(CALM_MS, &f);
    if (rig.draw_ma < 14000) {
        give_up("the vehicle does not charge");
    }
    for (int i = 0; i < KETTLES; i++) {
        one_kettle(&f);
        calm(CALM_MS, &f);
    }
    qsort(f.machine_us, f.count, sizeof(f.machine_us[0]), upwards);
    qsort(f.samples_ms, f.count, sizeof(f.samples_ms[0]), upwards);
    double p50 = f.machine_us[f.count / 2];
    double p99 = f.machine_us[f.count * 99 / 100];
    double ms = f.samples_ms[f.count * 99 / 100];
    (void)printf("{\"bench\":\"house\",\"kettles\":%d,\"decision_p50_us\":%.1f,"
                 "\"decision_p99_us\":%.1f,\"idle_turn_us\":%.2f,\"ratio\":%.1f,"
                 "\"samples_p99_ms\":%.0f}\n",
                 KETTLES, p50, p99, f.idle_us, p99 / f.idle_us, ms);
    (void)printf(
        "| house, transformer's sample to new duty | p99 %.0f us (p50 %.0f us) | %.1f turns "
        "without news | samples of the new current %.0f ms |\n",
        p99, p50, p99 / f.idle_us, ms);
    return 0;
}
