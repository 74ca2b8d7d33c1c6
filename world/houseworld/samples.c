// The house as current transformers at its main breaker see it: samples of voltage and current.
#include "acboard/acboard.h"
#include "houseworld/houseworld.h"

#include <math.h>

// A transformer of 50 A at 1 V, converted in steps of 0.1 mV.
#define COUNT_MA 2.77
#define NOISE_A  0.006
#define NOISE_V  0.1

#define TWO_PI 6.28318530717958647692
#define HERTZ  50.0

static int16_t count(double value, double unit)
{
    return (int16_t)fmax(INT16_MIN + 1, fmin(INT16_MAX, rint(value * 1000.0 / unit)));
}

// Who sends power back draws a current that is turned round.
static double current_at(const struct pw_world_house *house, const struct pw_world_grid *grid,
                         unsigned phase, double angle)
{
    double ampere = grid->ampere[phase];
    if (house->mood == PW_WORLD_HOUSE_REVERSED) {
        ampere = -ampere;
    }
    if (house->mood == PW_WORLD_HOUSE_OPEN && phase == 0) {
        ampere = 0.0;
    }
    if (house->mood == PW_WORLD_HOUSE_ABSURD) {
        return 1e6;
    }
    double va = fabs(grid->ampere[phase]) * grid->volt[phase];
    double lag = va > 0.0 ? acos(fmin(1.0, fabs(grid->watt[phase]) / va)) : 0.0;
    return ampere * sqrt(2.0) * sin(angle - lag);
}

void pw_world_clamps_init(struct pw_world_clamps *clamps, uint64_t seed)
{
    *clamps = (struct pw_world_clamps){0};
    pw_noise_init(&clamps->noise, seed, 't');
}

static double shaken(struct pw_world_clamps *clamps, double value, double deviation)
{
    return value + deviation * pw_noise_bell(&clamps->noise);
}

bool pw_world_clamps_block(struct pw_world_clamps *clamps, const struct pw_world_house *house,
                           pw_ms at, struct pw_board_block *block)
{
    struct pw_world_grid grid = pw_world_house_grid(house);
    *block = (struct pw_board_block){
        .at = at,
        .rate_hz = PW_WORLD_HOUSE_RATE_HZ,
        .count = PW_WORLD_HOUSE_BLOCK,
        .cp_low = INT16_MIN,
        .pp = PW_ACBOARD_PP_OPEN,
    };
    for (unsigned i = 0; i < PW_WORLD_HOUSE_BLOCK; i++) {
        clamps->angle += HERTZ / PW_WORLD_HOUSE_RATE_HZ;
        clamps->angle -= floor(clamps->angle);
        for (unsigned p = 0; p < house->config.phases; p++) {
            double turn = TWO_PI * (clamps->angle - p / 3.0);
            double volt = grid.volt[p] * sqrt(2.0) * sin(turn);
            double ampere = current_at(house, &grid, p, turn);
            block->volt[p][i] = count(shaken(clamps, volt, NOISE_V), PW_ACBOARD_COUNT_MV);
            block->ampere[p][i] = count(shaken(clamps, ampere, NOISE_A), COUNT_MA);
        }
    }
    return house->mood != PW_WORLD_HOUSE_SILENT && house->mood != PW_WORLD_HOUSE_FROZEN;
}
