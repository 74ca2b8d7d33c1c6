// Two outlets behind one station, each with a board, a car and a cable of its own: the street's
// pilot wiring for connector 1, the same again for connector 2.
#include "parts.h"
#include "scenario/acscenario.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPEAT_MS = 95 };

// The street is the rig's first member.
static struct rig *rig_of(struct street *street)
{
    return (struct rig *)(void *)street;
}

static void board_of(struct rig *r, unsigned connector, const struct pw_world_ac *ac)
{
    struct pw_outlet_board board = {
        .traits = {.step_ppm = ac->config.board.step_ppm, .blocks = ac->config.board.raw},
        .analog = pw_acboard_calibration(),
    };
    int err = pw_station_board(r->street.station, connector, &board, NULL);
    PW_ASSERT(err == PW_OK);
}

static void power(struct street *street, bool on)
{
    struct rig *r = rig_of(street);
    struct pw_world_ac *both[] = {&street->ac, &r->second};
    for (unsigned i = 0; i < PW_COUNT(both); i++) {
        (void)pw_world_ac_step(both[i], street->now);
        pw_world_ac_power(both[i], on);
        if (on) {
            board_of(r, i + 1, both[i]);
        }
    }
    street->world_at = street->now;
}

static void world(struct street *street)
{
    struct rig *r = rig_of(street);
    struct pw_world_ac *both[] = {&street->ac, &r->second};
    struct pw_board_senses senses;
    street->world_at = PW_NEVER;
    for (unsigned i = 0; i < PW_COUNT(both); i++) {
        (void)pw_world_ac_step(both[i], street->now);
        if (pw_world_ac_take_senses(both[i], &senses) && street->station != NULL) {
            pw_station_senses(street->station, i + 1, &senses, street->now);
            street->station_at = street->now;
        }
        street->world_at = pw_earlier(street->world_at, pw_world_ac_step(both[i], street->now));
    }
}

static void effects(struct street *street)
{
    struct rig *r = rig_of(street);
    struct pw_world_ac *both[] = {&street->ac, &r->second};
    struct pw_board_drive *drives[] = {&street->drive, &r->second_drive};
    struct pw_board_drive drive;
    unsigned connector = 0;
    bool changed = false;
    while (pw_station_take_drive(street->station, &connector, &drive)) {
        *drives[connector - 1] = drive;
        changed = true;
    }
    if (changed || pw_elapsed(street->driven_at, REPEAT_MS, street->now)) {
        street->driven_at = street->now;
        for (unsigned i = 0; i < PW_COUNT(both); i++) {
            pw_world_ac_drive(both[i], drives[i], street->now);
            street->world_at = pw_earlier(street->world_at, pw_world_ac_step(both[i], street->now));
        }
    }
}

static void run(struct street *street, struct pw_world_ac *ac, const char *line)
{
    char said[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out answer = PW_OUT(said);
    (void)pw_world_ac_step(ac, street->now);
    if (pw_acscenario_run(ac, pw_str_of(line), &answer) != PW_OK) {
        rig_fail(rig_of(street), "%s: %s", line, said);
    }
    street->world_at = street->now;
}

static void act(struct street *street, const char *line)
{
    run(street, &street->ac, line);
}

void rig_pair_act(struct rig *r, const char *line)
{
    run(&r->street, &r->second, line);
}

const struct street_kind rig_kind_pair = {
    .name = "pilot", .power = power, .world = world, .effects = effects, .act = act};

void rig_pair_open(struct rig *r)
{
    struct pw_world_ac_config config = pw_world_ac_defaults();
    street_open_ac(&r->street, &config);
    r->street.kind = &rig_kind_pair;
    config.seed++;
    pw_world_ac_init(&r->second, &config, r->street.now);
    pw_world_ac_power(&r->second, false);
    street_set(&r->street, "connectors[1].kind", "pilot");
    street_set(&r->street, "connectors[1].board", "street");
}
