#include "houseworld/houseworld.h"

#include <math.h>

#define SECOND_MS   1000
#define SUNRISE_S   (6.5 * 3600)
#define SUNSET_S    (19.5 * 3600)
#define PI          3.14159265358979323846
#define CLOUD_LEAST 0.15   // of the sun, under the thickest
#define CLOUD_RATE  0.04   // a second
#define ABSURD_MA   400000 // more than a house's line carries
#define TRACE_PF    0.95
#define START_WH    4321000.0 // on the register

// A family's house with electric cooking and hot water, about 23 kWh a day without a car. Mean
// energy of each row a day, by its own numbers: standby 4.8 kWh, fridge 1.0, freezer 0.8,
// lights 1.6, kettle 0.5, oven 1.5, hob 1.8, washer 0.5, dishwasher 1.0, dryer 1.5, shower 5.0,
// pump 3.4.
// clang-format off
static const struct pw_world_appliance rows[] = {
    {.word = "standby", .watt = {90, 60, 50}},
    {.word = "fridge", .watt = {120, 0, 0}, .on_s = 900, .off_s = 1700},
    {.word = "freezer", .watt = {0, 95, 0}, .on_s = 1100, .off_s = 2000},
    {.word = "lights", .watt = {60, 90, 150}, .per_day = 3, .from = 16, .to = 23, .for_s = 6400},
    {.word = "kettle", .watt = {2200, 0, 0}, .per_day = 5, .from = 6, .to = 22, .for_s = 160},
    {.word = "oven", .watt = {0, 3000, 0}, .per_day = 0.8, .from = 11, .to = 20, .for_s = 2700, .on_s = 95, .off_s = 20},
    {.word = "hob", .watt = {0, 1800, 1800}, .per_day = 2, .from = 7, .to = 20, .for_s = 1500, .on_s = 12, .off_s = 8},
    {.word = "washer", .watt = {0, 0, 2000}, .per_day = 1, .from = 8, .to = 20, .for_s = 900},
    {.word = "dishwasher", .watt = {2000, 0, 0}, .per_day = 1, .from = 9, .to = 23, .for_s = 1800},
    {.word = "dryer", .watt = {0, 0, 2400}, .per_day = 0.7, .from = 9, .to = 21, .for_s = 3600, .on_s = 50, .off_s = 6},
    {.word = "shower", .watt = {6000, 6000, 6000}, .per_day = 2.4, .from = 6, .to = 22, .for_s = 420},
    {.word = "pump", .watt = {800, 800, 800}, .per_day = 5, .from = 0, .to = 24, .for_s = 1020},
};
// clang-format on

size_t pw_world_appliances(void)
{
    return PW_COUNT(rows);
}

const struct pw_world_appliance *pw_world_appliance(size_t row)
{
    return row < PW_COUNT(rows) ? &rows[row] : NULL;
}

const char *pw_world_house_mood_name(size_t mood)
{
    static const char *const words[] = {
        [PW_WORLD_HOUSE_GOOD] = "good",         [PW_WORLD_HOUSE_SILENT] = "silent",
        [PW_WORLD_HOUSE_FROZEN] = "frozen",     [PW_WORLD_HOUSE_ABSURD] = "absurd",
        [PW_WORLD_HOUSE_REVERSED] = "reversed", [PW_WORLD_HOUSE_OPEN] = "open",
    };
    return mood < PW_COUNT(words) ? words[mood] : NULL;
}

struct pw_world_house_config pw_world_house_defaults(void)
{
    return (struct pw_world_house_config){
        .phases = 3,
        .volt = 232.0,
        .drop_ohm = 0.12,
        .second = 17 * 3600 + 1800,
        .scale = 1.0,
        .pv_on = {true, true, true},
        .clouds = 0.3,
        .charger_on = {0, 1, 2},
        .meter_ms = 1000,
        .meter_noise = 0.003,
        .seed = 1,
    };
}

void pw_world_house_init(struct pw_world_house *house, const struct pw_world_house_config *config,
                         pw_ms now)
{
    _Static_assert(PW_COUNT(rows) <= PW_WORLD_HOUSE_APPLIANCES, "a place for each");
    PW_ASSERT(config->phases >= 1 && config->phases <= PW_BOARD_PHASES);
    *house = (struct pw_world_house){
        .config = *config,
        .started = now,
        .second_at = now,
        .metered_at = now,
        .read_at = PW_NEVER,
        .now = now,
        .import_wh = START_WH,
        .shown = PW_BOARD_NO_MAINS,
    };
    pw_noise_init(&house->noise, config->seed, 'h');
    // Thermostats do not start in step.
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        unsigned cycle = rows[i].on_s + rows[i].off_s;
        pw_ms first = cycle > 0 ? pw_noise_bits(&house->noise) % (cycle * 1000ULL) : 0;
        house->use[i].flips_at = now + first;
    }
    (void)pw_world_house_step(house, now);
}

uint32_t pw_world_house_second(const struct pw_world_house *house)
{
    uint64_t since = (house->now - house->started) / SECOND_MS;
    return (uint32_t)((house->config.second + since) % PW_WORLD_HOUSE_DAY_S);
}

// ---------------------------------------------------------------------------------------------
// Appliances.

static double chance(struct pw_world_house *house)
{
    return (pw_noise_even(&house->noise) + 1.0) / 2.0;
}

static void start_by_chance(struct pw_world_house *house, size_t i, pw_ms now)
{
    const struct pw_world_appliance *row = &rows[i];
    uint32_t second = pw_world_house_second(house);
    bool hours = second >= row->from * 3600U && second < row->to * 3600U;
    double rate = hours ? row->per_day / ((row->to - row->from) * 3600.0) : 0.0;
    if (rate > 0.0 && chance(house) < rate) {
        double span = row->for_s * (0.5 + chance(house));
        house->use[i].until = now + (pw_ms)(span * SECOND_MS);
        house->use[i].heats = true;
        house->use[i].flips_at = now + row->on_s * 1000ULL;
    }
}

static bool draws(struct pw_world_house *house, size_t i, pw_ms now)
{
    const struct pw_world_appliance *row = &rows[i];
    struct pw_world_use *use = &house->use[i];
    bool always = row->per_day <= 0.0;
    if (!always && now >= use->until) {
        start_by_chance(house, i, now); // which may move `until`
    }
    bool over = now >= use->until;
    if (!always && over) {
        return false;
    }
    if (row->on_s == 0) {
        return true;
    }
    if (now >= use->flips_at) {
        use->heats = !use->heats;
        use->flips_at = now + (use->heats ? row->on_s : row->off_s) * 1000ULL;
    }
    return use->heats;
}

static void run_appliances(struct pw_world_house *house, pw_ms now)
{
    double reactive = tan(acos(PW_WORLD_HOUSE_PF));
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!draws(house, i, now)) {
            continue;
        }
        double shake = house->config.scale * (1.0 + 0.01 * pw_noise_bell(&house->noise));
        for (unsigned p = 0; p < house->config.phases; p++) {
            house->base_w[p] += rows[i].watt[p] * shake;
            house->base_var[p] += rows[i].watt[p] * shake * reactive;
        }
    }
}

static void run_trace(struct pw_world_house *house, pw_ms now)
{
    const struct pw_world_trace *trace = &house->config.trace;
    uint32_t length = trace->sample[trace->count - 1].second + 1;
    uint32_t second = (uint32_t)((now - house->started) / SECOND_MS % length);
    if (second < trace->sample[house->place].second) {
        house->place = 0; // from the beginning
    }
    while (house->place + 1 < trace->count && trace->sample[house->place + 1].second <= second) {
        house->place++;
    }
    for (unsigned p = 0; p < house->config.phases; p++) {
        double va = (double)trace->sample[house->place].ampere[p] * house->config.volt;
        house->base_w[p] = va * TRACE_PF;
        house->base_var[p] = fabs(va) * sin(acos(TRACE_PF));
    }
}

// ---------------------------------------------------------------------------------------------
// The roof.

static void shine(struct pw_world_house *house, pw_ms now)
{
    double second = pw_world_house_second(house);
    double day = (second - SUNRISE_S) / (SUNSET_S - SUNRISE_S);
    house->pv_now = 0.0;
    if (house->config.pv_w <= 0.0 || day <= 0.0 || day >= 1.0) {
        return;
    }
    if (now >= house->cloud_at) {
        bool covers = chance(house) < house->config.clouds;
        house->cloud_to = covers ? 0.4 + 0.6 * chance(house) : 0.0;
        house->cloud_at = now + (pw_ms)((20.0 + 160.0 * chance(house)) * SECOND_MS);
    }
    double gap = house->cloud_to - house->cloud;
    house->cloud += fmax(-CLOUD_RATE, fmin(CLOUD_RATE, gap));
    double sun = pow(sin(PI * day), 1.3) * (1.0 - house->cloud * (1.0 - CLOUD_LEAST));
    house->pv_now = house->config.pv_w * sun;
}

// ---------------------------------------------------------------------------------------------
// The sum.

static double pv_on(const struct pw_world_house *house, unsigned phase)
{
    unsigned fed = 0;
    for (unsigned p = 0; p < house->config.phases; p++) {
        fed += house->config.pv_on[p] ? 1U : 0U;
    }
    return house->config.pv_on[phase] && fed > 0 ? house->pv_now / fed : 0.0;
}

static double current(double watt, double var, double volt)
{
    double va = sqrt(watt * watt + var * var);
    return (watt < 0.0 ? -va : va) / volt;
}

struct pw_world_grid pw_world_house_grid(const struct pw_world_house *house)
{
    struct pw_world_grid grid = {0};
    for (unsigned p = 0; p < house->config.phases; p++) {
        double own = house->base_w[p] - pv_on(house, p) + house->extra[p] * house->config.volt;
        double watt = own + house->charger_w[p];
        double drop = house->config.drop_ohm * watt / house->config.volt;
        grid.volt[p] = house->config.volt - drop;
        grid.watt[p] = watt;
        grid.ampere[p] = current(watt, house->base_var[p], grid.volt[p]);
        grid.house_a[p] = current(own, house->base_var[p], grid.volt[p]);
    }
    return grid;
}

void pw_world_house_charger(struct pw_world_house *house, const double watt[PW_BOARD_PHASES],
                            pw_ms now)
{
    (void)pw_world_house_step(house, now);
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        house->charger_w[house->config.charger_on[p]] = watt[p];
    }
}

// ---------------------------------------------------------------------------------------------
// The meter.

static double shaken(struct pw_world_house *house, double value)
{
    return value * (1.0 + house->config.meter_noise * pw_noise_bell(&house->noise));
}

static int32_t milli(double value)
{
    return (int32_t)lrint(value * 1000.0);
}

static void show(struct pw_world_house *house)
{
    struct pw_world_grid grid = pw_world_house_grid(house);
    struct pw_board_mains *shown = &house->shown;
    double sign = house->mood == PW_WORLD_HOUSE_REVERSED ? -1.0 : 1.0;
    shown->at = house->now;
    shown->mhz = 50000 + (int32_t)lrint(8.0 * pw_noise_bell(&house->noise));
    shown->import_mwh = (int64_t)(house->import_wh * 1000.0);
    for (unsigned p = 0; p < house->config.phases; p++) {
        bool open = house->mood == PW_WORLD_HOUSE_OPEN && p == 0;
        shown->mv[p] = milli(grid.volt[p] * (1.0 + 0.0004 * pw_noise_bell(&house->noise)));
        shown->ma[p] = open ? 0 : milli(shaken(house, fabs(grid.ampere[p])));
        shown->mw[p] = open ? 0 : milli(shaken(house, grid.watt[p]) * sign);
        if (house->mood == PW_WORLD_HOUSE_ABSURD) {
            shown->ma[p] = ABSURD_MA;
            shown->mw[p] = ABSURD_MA * 230;
        }
    }
}

const struct pw_board_mains *pw_world_house_meter(const struct pw_world_house *house)
{
    return house->mood == PW_WORLD_HOUSE_SILENT ? NULL : &house->shown;
}

// ---------------------------------------------------------------------------------------------

static void count(struct pw_world_house *house, pw_ms to)
{
    struct pw_world_grid grid = pw_world_house_grid(house);
    double hours = (double)(to - house->now) / 3600000.0;
    double sum = grid.watt[0] + grid.watt[1] + grid.watt[2];
    *(sum < 0.0 ? &house->export_wh : &house->import_wh) += fabs(sum) * hours;
    house->now = to;
}

static void next_second(struct pw_world_house *house)
{
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        house->base_w[p] = house->base_var[p] = 0.0;
    }
    if (house->config.trace.count > 0) {
        run_trace(house, house->second_at);
    } else {
        run_appliances(house, house->second_at);
    }
    shine(house, house->second_at);
    house->second_at += SECOND_MS;
}

pw_ms pw_world_house_step(struct pw_world_house *house, pw_ms now)
{
    pw_ms next = pw_earlier(house->second_at, house->metered_at);
    while (next <= now) {
        count(house, next);
        if (house->now >= house->second_at) {
            next_second(house);
        }
        if (house->now >= house->metered_at) {
            if (house->mood != PW_WORLD_HOUSE_FROZEN) {
                show(house);
            }
            house->read_at = house->now;
            house->metered_at += house->config.meter_ms;
        }
        next = pw_earlier(house->second_at, house->metered_at);
    }
    count(house, now);
    return next;
}
