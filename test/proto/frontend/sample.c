#include "sample.h"

#include "test.h"

#include <string.h>

static struct pw_frontend_message hello(void)
{
    return (struct pw_frontend_message){
        .kind = PW_FRONTEND_HELLO,
        .seq = 0,
        .hello = {.version = PW_FRONTEND_VERSION,
                  .phases = 3,
                  .has = PW_FRONTEND_HAS_CONTACT | PW_FRONTEND_HAS_LOCK | PW_FRONTEND_HAS_RCD |
                         PW_FRONTEND_HAS_RCD_TEST | PW_FRONTEND_HAS_ESTOP | PW_FRONTEND_HAS_PP |
                         PW_FRONTEND_HAS_TEMP0 | PW_FRONTEND_HAS_MAINS | PW_FRONTEND_HAS_LAMP,
                  .step_ppm = 100,
                  .watchdog_ms = 500,
                  .name = "io-board 1.2"}};
}

static struct pw_frontend_message senses(void)
{
    return (struct pw_frontend_message){
        .kind = PW_FRONTEND_SENSES,
        .seq = 1,
        .senses = {.senses = {.at = SAMPLE_NOW - 2,
                              .cp_high_mv = 5980,
                              .cp_low_mv = -11960,
                              .pp_ohm = 220,
                              .contact = PW_BOARD_CONTACT_CLOSED,
                              .load_mv = {PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN},
                              .lock = PW_BOARD_LOCK_CLOSED,
                              .rcd = PW_BOARD_RCD_OK,
                              .temp_dc = {315, PW_BOARD_UNKNOWN},
                              .mains = {.at = PW_NEVER}},
                   .drive_seq = 7}};
}

static struct pw_frontend_message block(void)
{
    return (struct pw_frontend_message){
        .kind = PW_FRONTEND_BLOCK,
        .seq = 2,
        .block = {.at = SAMPLE_NOW,
                  .rate_hz = 4000,
                  .count = 2,
                  .volt = {{1000, 1078}, {-500, -471}, {-500, -607}},
                  .ampere = {{120, 129}, {-60, -57}, {-60, -72}},
                  .cp_high = 1133,
                  .cp_low = -2412,
                  .pp = 793}};
}

static struct pw_frontend_message mains(void)
{
    return (struct pw_frontend_message){.kind = PW_FRONTEND_MAINS,
                                        .seq = 3,
                                        .mains = {.at = SAMPLE_NOW - 20,
                                                  .mv = {230100, 229800, 231000},
                                                  .ma = {15980, 16010, 0},
                                                  .mw = {3676000, 3678000, 0},
                                                  .mhz = 50012,
                                                  .import_mwh = -1}};
}

static struct pw_frontend_message ask(void)
{
    return (struct pw_frontend_message){
        .kind = PW_FRONTEND_ASK, .seq = 0, .version = PW_FRONTEND_VERSION};
}

static struct pw_frontend_message drive(void)
{
    return (struct pw_frontend_message){.kind = PW_FRONTEND_DRIVE,
                                        .seq = 7,
                                        .drive = {.cp = PW_BOARD_CP_PWM,
                                                  .duty_ppm = 266600,
                                                  .contactor = true,
                                                  .lock = true,
                                                  .lamp = PW_BOARD_LAMP_CHARGING}};
}

static const struct {
    const char *name;
    struct pw_frontend_message (*make)(void);
} rows[] = {{"hello", hello}, {"senses", senses}, {"block", block},
            {"mains", mains}, {"ask", ask},       {"drive", drive}};

const char *sample_name(size_t i)
{
    return i < PW_COUNT(rows) ? rows[i].name : NULL;
}

struct pw_frontend_message sample(const char *name)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].make();
        }
    }
    fail_msg("no sample \"%s\"", name);
    return ask();
}
