#include "pack/pack.h"

#include <math.h>

// Engineering assumptions of facts/dc-can.md §6 for the 30 Ah pack; larger ones scale.
#define REFERENCE_AS   (30.0 * 3600.0)
#define R0_OHM         0.060
#define R1_OHM         0.030
#define R2_OHM         0.030
#define TAU1_MS        30000.0
#define TAU2_MS        600000.0
#define EFFICIENCY     0.995   // of charge put in, what can be taken out
#define HEAT_J_PER_K   18000.0 // 18 kg at 1000 J/(kg K)
#define COOLING_K_W    0.4     // to the surroundings
#define HYSTERESIS_SOC 0.02    // share of the capacity over which hysteresis turns round
#define HEAT_EVERY_MS  1000
#define CELL_HIGH_V    0.010 // spread of the cells: at most this much above the mean,
#define CELL_WEAK      0.01  // and at most this share of the capacity missing

// clang-format off
static const struct pw_pack_kind kinds[PW_PACK_CHEMISTRIES] = {
    [PW_PACK_LFP23] = {
        .name = "lfp23s", .cells = 23, .hysteresis_v = 0.020,
        .cell_taper_v = 3.60, .cell_full_v = 3.65, .cell_trip_v = 3.75, .cell_release_v = 3.50,
        .points = 14,
        .ocv = {
            {0.000, 2.500}, {0.010, 2.900}, {0.054, 3.120}, {0.139, 3.190}, {0.226, 3.220},
            {0.312, 3.240}, {0.441, 3.266}, {0.613, 3.276}, {0.742, 3.290}, {0.829, 3.306},
            {0.871, 3.313}, {0.915, 3.316}, {0.957, 3.320}, {1.000, 3.590},
        },
    },
    [PW_PACK_NMC20] = {
        .name = "nmc20s", .cells = 20, .hysteresis_v = 0.003,
        .cell_taper_v = 4.15, .cell_full_v = 4.20, .cell_trip_v = 4.28, .cell_release_v = 4.15,
        .points = 21,
        .ocv = {
            {0.00, 2.500}, {0.05, 3.109}, {0.10, 3.296}, {0.15, 3.434}, {0.20, 3.485},
            {0.25, 3.529}, {0.30, 3.581}, {0.35, 3.629}, {0.40, 3.667}, {0.45, 3.705},
            {0.50, 3.751}, {0.55, 3.798}, {0.60, 3.841}, {0.65, 3.890}, {0.70, 3.948},
            {0.75, 3.994}, {0.80, 4.042}, {0.85, 4.081}, {0.90, 4.097}, {0.95, 4.124},
            {1.00, 4.200},
        },
    },
};
// clang-format on

const struct pw_pack_kind *pw_pack_kind(enum pw_pack_chemistry chemistry)
{
    PW_ASSERT(chemistry < PW_PACK_CHEMISTRIES);
    return &kinds[chemistry];
}

static double slope_of(const struct pw_pack_kind *kind, unsigned segment)
{
    const struct pw_pack_point *low = &kind->ocv[segment];
    const struct pw_pack_point *high = low + 1;
    return (high->volt - low->volt) / (high->soc - low->soc);
}

static unsigned segment_of(const struct pw_pack_kind *kind, unsigned from, double soc)
{
    unsigned segment = from;
    while (segment > 0 && soc < kind->ocv[segment].soc) {
        segment--;
    }
    while (segment + 2 < kind->points && soc >= kind->ocv[segment + 1].soc) {
        segment++;
    }
    return segment;
}

double pw_pack_ocv(const struct pw_pack_kind *kind, double soc)
{
    unsigned segment = segment_of(kind, 0, soc);
    return kind->ocv[segment].volt + slope_of(kind, segment) * (soc - kind->ocv[segment].soc);
}

// Keeps the straight piece of the table the pack stands on, so that a step costs one
// multiplication.
static void find_segment(struct pw_pack *pack)
{
    pack->segment = segment_of(pack->kind, pack->segment, pack->soc);
    const struct pw_pack_point *low = &pack->kind->ocv[pack->segment];
    pack->slope_v = slope_of(pack->kind, pack->segment);
    pack->base_v = low->volt - pack->slope_v * low->soc;
}

static bool left_segment(const struct pw_pack *pack)
{
    const struct pw_pack_point *low = &pack->kind->ocv[pack->segment];
    bool last = pack->segment + 2 == pack->kind->points;
    return (pack->soc < low->soc && pack->segment > 0) || (pack->soc >= low[1].soc && !last);
}

static void set_resistance(struct pw_pack *pack)
{
    double temp_c = fmin(fmax(pack->temp_c, -20.0), 60.0);
    pack->r0_ohm = R0_OHM * pack->r_size * exp2((25.0 - temp_c) / 25.0); // doubles at 0 degC
}

void pw_pack_init(struct pw_pack *pack, const struct pw_pack_config *config)
{
    PW_ASSERT(config->capacity_mah > 0);
    struct pw_noise noise;
    pw_noise_init(&noise, config->seed, 1);
    double capacity_as = config->capacity_mah * 3.6;
    double discharge_as = config->discharged_ah * 3600.0;
    *pack = (struct pw_pack){
        .kind = pw_pack_kind(config->chemistry),
        .capacity_as = capacity_as,
        .r_size = REFERENCE_AS / capacity_as,
        .high_cell_v = CELL_HIGH_V * (0.5 + 0.5 * fabs(pw_noise_even(&noise))),
        .weak_cell = CELL_WEAK * (0.5 + 0.5 * fabs(pw_noise_even(&noise))),
        .soc = config->soc,
        .charge_as = discharge_as + config->soc * capacity_as,
        .discharge_as = discharge_as,
    };
    find_segment(pack);
    pw_pack_set_temperature(pack, config->temp_c);
}

void pw_pack_set_soc(struct pw_pack *pack, double soc)
{
    double more_as = (soc - pack->soc) * pack->capacity_as;
    if (more_as > 0.0) {
        pack->charge_as += more_as;
    } else {
        pack->discharge_as -= more_as;
    }
    pack->soc = soc;
    pack->hysteresis_v = 0.0;
    pack->v1 = 0.0;
    pack->v2 = 0.0;
    find_segment(pack);
}

void pw_pack_set_temperature(struct pw_pack *pack, double temp_c)
{
    pack->temp_c = temp_c;
    pack->ambient_c = temp_c;
    set_resistance(pack);
}

static void set_step(struct pw_pack *pack, uint32_t ms)
{
    pack->step_ms = ms;
    pack->decay1 = exp(-(double)ms / TAU1_MS);
    pack->decay2 = exp(-(double)ms / TAU2_MS);
}

static void warm(struct pw_pack *pack)
{
    double s = pack->since_heat_ms * 0.001;
    double capacity = HEAT_J_PER_K / pack->r_size;
    double out_j = (pack->temp_c - pack->ambient_c) * s / (COOLING_K_W * pack->r_size);
    pack->temp_c += (pack->heat_since_j + pack->heater_w * s - out_j) / capacity;
    pack->since_heat_ms = 0;
    pack->heat_since_j = 0.0;
    set_resistance(pack);
}

void pw_pack_step(struct pw_pack *pack, double current_a, uint32_t ms)
{
    PW_ASSERT(ms > 0 && ms <= 60000);
    if (ms != pack->step_ms) {
        set_step(pack, ms);
    }
    double s = ms * 0.001;
    double cells = pack->kind->cells;
    double ocv = pack->base_v + pack->slope_v * pack->soc;
    double amps = current_a;
    if (pack->heater_w > 0.0) {
        amps -= pack->heater_w / (cells * ocv);
    }
    double r1 = R1_OHM * pack->r_size;
    double r2 = R2_OHM * pack->r_size;
    double heat = amps * amps * pack->r0_ohm + pack->v1 * pack->v1 / r1 + pack->v2 * pack->v2 / r2 +
                  cells * pack->hysteresis_v * amps;
    heat *= s;
    pack->heat_j += heat;
    pack->heat_since_j += heat;
    pack->chemical_j += cells * ocv * amps * s;

    pack->v1 = amps * r1 + (pack->v1 - amps * r1) * pack->decay1;
    pack->v2 = amps * r2 + (pack->v2 - amps * r2) * pack->decay2;
    double moved_as = amps * s;
    double turned = fabs(moved_as) / (HYSTERESIS_SOC * pack->capacity_as);
    double target = amps > 0.0 ? pack->kind->hysteresis_v : -pack->kind->hysteresis_v;
    pack->hysteresis_v += fmin(turned, 1.0) * (target - pack->hysteresis_v);
    if (moved_as > 0.0) {
        moved_as *= EFFICIENCY;
        pack->charge_as += moved_as;
    } else {
        pack->discharge_as -= moved_as;
    }
    pack->soc += moved_as / pack->capacity_as;
    if (left_segment(pack)) {
        find_segment(pack);
    }
    pack->since_heat_ms += ms;
    if (pack->since_heat_ms >= HEAT_EVERY_MS) {
        warm(pack);
    }
}

double pw_pack_emf(const struct pw_pack *pack)
{
    double ocv = pack->base_v + pack->slope_v * pack->soc;
    return pack->kind->cells * (ocv + pack->hysteresis_v) + pack->v1 + pack->v2;
}

double pw_pack_voltage(const struct pw_pack *pack, double current_a)
{
    return pw_pack_emf(pack) + current_a * pack->r0_ohm;
}

double pw_pack_cell_high(const struct pw_pack *pack, double current_a)
{
    return pw_pack_voltage(pack, current_a) / pack->kind->cells + pack->high_cell_v;
}

double pw_pack_cell_low(const struct pw_pack *pack, double current_a)
{
    // Cells are balanced at the top: the weak one is as full as the rest there, and the first to be
    // empty at the bottom.
    double weak_soc = 1.0 - (1.0 - pack->soc) / (1.0 - pack->weak_cell);
    double below = pw_pack_ocv(pack->kind, pack->soc) - pw_pack_ocv(pack->kind, weak_soc);
    return pw_pack_voltage(pack, current_a) / pack->kind->cells - below;
}
