#include "scenario/oescenario.h"
#include "street.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void speaks(struct street *street)
{
    oewatch_alone(&street->oewatch, street->station == NULL || !street->wired, street->now);
    oewatch_board(&street->oewatch, &street->oe.board, street->now);
}

static void power(struct street *street, bool on)
{
    (void)pw_world_oe_step(&street->oe, street->now);
    pw_world_oe_power(&street->oe, on);
    street->world_at = street->now;
    street->unread = 0;
    oewatch_limit(&street->oewatch, INT32_MAX, street->now); // a new program knows of none
    if (on && street->wired) {
        pw_station_wire_up(street->station, 1, street->now);
    }
    speaks(street);
}

void street_wire(struct street *street, bool up)
{
    street->wired = up;
    street->unread = 0;
    speaks(street);
    if (street->station == NULL) {
        return;
    }
    if (up) {
        pw_station_wire_up(street->station, 1, street->now);
    } else {
        pw_station_wire_down(street->station, 1, PW_STR("unplugged"), street->now);
    }
    street->station_at = street->now;
}

// What the station could not take yet stays on the line.
static void give(struct street *street)
{
    if (street->unread == 0 || street->station == NULL || !street->wired) {
        street->unread = 0;
        return;
    }
    size_t took =
        pw_station_wire_bytes(street->station, 1, street->line, street->unread, street->now);
    street->unread -= took;
    memmove(street->line, street->line + took, street->unread);
    if (took > 0) {
        street->station_at = street->now;
    }
}

static void world(struct street *street)
{
    struct pw_board_mains mains;
    size_t len = 0;
    street->world_at = pw_world_oe_step(&street->oe, street->now);
    do {
        size_t room = sizeof(street->line) - street->unread;
        len = pw_world_oe_take(&street->oe, street->line + street->unread, room);
        street_mix(street, street->line + street->unread, len);
        street->unread += len;
        give(street);
    } while (len > 0);
    if (pw_world_oe_take_mains(&street->oe, &mains) && street->station != NULL && street->metered) {
        pw_station_mains(street->station, 0, &mains, street->now);
        street->station_at = street->now;
    }
}

static void effects(struct street *street)
{
    struct pw_str out = pw_station_wire_out(street->station, 1);
    if (street->wired && out.len > 0) {
        street_mix(street, out.at, out.len);
        if (street->verbose) {
            (void)fprintf(stderr, "%8llu.%03llu >> %.*s\n",
                          (unsigned long long)(street->now / 1000),
                          (unsigned long long)(street->now % 1000), (int)out.len, out.at);
        }
        pw_world_oe_hear(&street->oe, (const uint8_t *)out.at, out.len, street->now);
        pw_station_wire_out_sent(street->station, 1, out.len, street->now);
        street->world_at = street->now;
        street->station_at = street->now;
    }
    give(street);
}

static void observe(struct street *street)
{
    struct pw_world_oe_truth truth = pw_world_oe_truth(&street->oe);
    speaks(street);
    oewatch_look(&street->oewatch, &truth, street->now);
}

static void act(struct street *street, const char *line)
{
    char said[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out answer = PW_OUT(said);
    (void)pw_world_oe_step(&street->oe, street->now);
    if (pw_oescenario_run(&street->oe, pw_str_of(line), &answer) != PW_OK) {
        (void)fprintf(stderr, "street: %s: %s\n", line, said);
        abort();
    }
}

const struct street_kind street_kind_oe = {.name = "openevse",
                                           .power = power,
                                           .world = world,
                                           .effects = effects,
                                           .observe = observe,
                                           .act = act};
