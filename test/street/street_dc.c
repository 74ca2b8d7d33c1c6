#include "street.h"

static void power(struct street *street, bool on)
{
    if (on) {
        pw_station_bus_state(street->station, 0, PW_CAN_ACTIVE, street->now);
    }
}

static void world(struct street *street)
{
    unsigned bus = 0;
    struct pw_can_frame frame;
    street->world_at = pw_world_dc_step(&street->world, street->now);
    while (pw_world_dc_take_can(&street->world, &bus, &frame)) {
        street_mix(street, &frame.id, sizeof(frame.id));
        street_mix(street, frame.data, frame.len);
        if (street->station != NULL) {
            pw_station_can(street->station, bus, &frame, street->now);
            street->station_at = street->now;
        }
    }
}

static void effects(struct street *street)
{
    unsigned bus = 0;
    struct pw_can_frame frame;
    while (pw_station_take_can(street->station, &bus, &frame)) {
        street_mix(street, &frame.id, sizeof(frame.id));
        street_mix(street, frame.data, frame.len);
        pw_world_dc_can(&street->world, bus, &frame);
        street->world_at = street->now;
    }
    while (pw_station_take_bus_restart(street->station, &bus, street->now)) {
        // A restarted controller is active until it finds the bus as broken as before.
        pw_station_bus_state(street->station, bus, PW_CAN_ACTIVE, street->now);
        if (street->world.bus[bus] != PW_CAN_ACTIVE) {
            pw_station_bus_state(street->station, bus, street->world.bus[bus], street->now);
        }
        street->station_at = street->now;
    }
}

const struct street_kind street_kind_dc = {
    .name = "dc", .power = power, .world = world, .effects = effects};
