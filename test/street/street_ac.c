#include "scenario/acscenario.h"
#include "street.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPEAT_MS = 95 }; // a port repeats the drive about this often, as long as turns are kept

static void power(struct street *street, bool on)
{
    (void)pw_world_ac_step(&street->ac, street->now);
    pw_world_ac_power(&street->ac, on);
    street->world_at = street->now;
    if (on) {
        street->watch.started_at = street->now;
        struct pw_outlet_board board = {
            .traits = {.step_ppm = street->ac.config.board.step_ppm,
                       .blocks = street->ac.config.board.raw},
            .analog = pw_acboard_calibration(),
        };
        int err = pw_station_board(street->station, 1, &board, NULL);
        PW_ASSERT(err == PW_OK);
    }
}

static void world(struct street *street)
{
    struct pw_board_senses senses;
    struct pw_board_block block;
    (void)pw_world_ac_step(&street->ac, street->now);
    while (pw_world_ac_take_block(&street->ac, &block)) {
        if (street->station != NULL) {
            pw_station_block(street->station, 1, &block, street->now);
            street->station_at = street->now;
        }
    }
    if (pw_world_ac_take_senses(&street->ac, &senses)) {
        street_mix(street, &senses.at, sizeof(senses.at));
        street_mix(street, &senses.cp_high_mv, sizeof(senses.cp_high_mv));
        street_mix(street, &senses.mains.mw[0], sizeof(senses.mains.mw[0]));
        if (street->station != NULL) {
            pw_station_senses(street->station, 1, &senses, street->now);
            street->station_at = street->now;
        }
    }
    street->world_at = pw_world_ac_step(&street->ac, street->now); // without what was taken
}

static void effects(struct street *street)
{
    unsigned connector = 0;
    bool changed = pw_station_take_drive(street->station, &connector, &street->drive);
    if (changed || pw_elapsed(street->driven_at, REPEAT_MS, street->now)) {
        street_mix(street, &street->drive.duty_ppm, sizeof(street->drive.duty_ppm));
        street_mix(street, &street->drive.contactor, sizeof(street->drive.contactor));
        pw_world_ac_drive(&street->ac, &street->drive, street->now);
        street->driven_at = street->now;
        if (!street->ac.board.deaf) {
            street->watch.driven_at = street->now;
        }
        street->world_at = pw_world_ac_step(&street->ac, street->now);
    }
}

static void observe(struct street *street)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&street->ac);
    street->watch.alone = street->station == NULL || street->ac.board.deaf;
    acwatch_look(&street->watch, &truth, street->now);
}

static void act(struct street *street, const char *line)
{
    char said[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out answer = PW_OUT(said);
    (void)pw_world_ac_step(&street->ac, street->now);
    if (pw_acscenario_run(&street->ac, pw_str_of(line), &answer) != PW_OK) {
        (void)fprintf(stderr, "street: %s: %s\n", line, said);
        abort();
    }
}

const struct street_kind street_kind_ac = {.name = "pilot",
                                           .power = power,
                                           .world = world,
                                           .effects = effects,
                                           .observe = observe,
                                           .act = act};
