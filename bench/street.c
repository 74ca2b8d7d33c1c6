// How fast the street runs: station-hours a wall second on one core, charging and idle, and beside
// it how fast the world runs without a station.
#include "street.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double now_s(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double hours_a_second(struct street *street, pw_ms span)
{
    double start = now_s();
    street_run(street, span);
    return (double)span / 3600000.0 / (now_s() - start);
}

static double world_alone(pw_ms span)
{
    static struct pw_world_dc world;
    struct pw_world_dc_config config = pw_world_dc_defaults();
    struct pw_can_frame frame;
    unsigned bus = 0;
    config.plugged = true;
    pw_world_dc_init(&world, &config, 0);
    double start = now_s();
    for (pw_ms now = 0; now < span;) {
        pw_ms next = pw_world_dc_step(&world, now);
        while (pw_world_dc_take_can(&world, &bus, &frame)) {
        }
        now = next > now ? next : now + 1;
    }
    return (double)span / 3600000.0 / (now_s() - start);
}

struct outlet {
    double idle;
    double busy;
    bool charging;
};

// An AC outlet, whose board reports ten times a second whatever happens.
static struct outlet measure_outlet(struct street *street)
{
    enum { IDLE_MS = 4 * 3600000, CHARGE_MS = 90 * 60000 };
    struct outlet outlet = {0};
    street_open_ac(street, NULL);
    street_set(street, "session.free_id_tag", "FREE");
    street_set(street, "charging.plug_and_charge", "true");
    street_power_on(street);
    outlet.idle = hours_a_second(street, IDLE_MS);
    street_do(street, "plug");
    street_run(street, 30000);
    outlet.charging = street_is_charging(street);
    outlet.busy = hours_a_second(street, CHARGE_MS);
    outlet.charging = outlet.charging && street_is_charging(street);
    street_close(street);
    return outlet;
}

int main(void)
{
    static struct street street;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    enum { IDLE_MS = 24 * 3600000, CHARGE_MS = 40 * 60000 };
    street_open(&street, &world);
    street_set(&street, "session.free_id_tag", "FREE");
    street_set(&street, "charging.plug_and_charge", "true");
    street_power_on(&street);
    double idle = hours_a_second(&street, IDLE_MS);
    pw_world_dc_plug(&street.world, true);
    street_run(&street, 30000);
    bool charging = street_is_charging(&street);
    double busy = hours_a_second(&street, CHARGE_MS);
    charging = charging && street_is_charging(&street);
    street_close(&street);
    double alone = world_alone(24 * 3600000);
    struct outlet outlet = measure_outlet(&street);
    (void)printf("| street | charging %.0f station-h/s | idle %.0f station-h/s | idle world alone "
                 "%.0f h/s |\n",
                 busy, idle, alone);
    (void)printf("| street, outlet | charging %.0f station-h/s | idle %.0f station-h/s |\n",
                 outlet.busy, outlet.idle);
    (void)printf("{\"bench\":\"street\",\"charging_station_hours_per_s\":%.1f,"
                 "\"idle_station_hours_per_s\":%.1f,\"idle_world_alone_hours_per_s\":%.1f,"
                 "\"charging_outlet_hours_per_s\":%.1f,\"idle_outlet_hours_per_s\":%.1f}\n",
                 busy, idle, alone, outlet.busy, outlet.idle);
    return charging && outlet.charging ? 0 : 1;
}
