#include "house/transformers.h"

#include <string.h>

#define VOLTAGE_MV     50000 // less is no supply but a channel with nothing on it
#define NANO_PER_SCALE (PW_HOUSE_CT_COUNT_UV * 100) // nA a count for each 0.1 A/V

unsigned pw_house_transformers_phases(int32_t choice)
{
    static const uint8_t bits[] = {0, 1, 2, 4, 3, 5, 6, 7};
    return choice >= 0 && (size_t)choice < PW_COUNT(bits) ? bits[choice] : 0;
}

int pw_house_transformers_init(struct pw_house_transformers *transformers, unsigned fitted,
                               int32_t scale, const struct pw_analog_config *calibration)
{
    struct pw_analog_config config;
    memset(&config, 0, sizeof(config));
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        config.volt[p].gain_nano = PW_HOUSE_VOLT_COUNT_NV;
        config.ampere[p].gain_nano = scale * NANO_PER_SCALE;
    }
    *transformers = (struct pw_house_transformers){
        .fitted = (uint8_t)(fitted & ((1U << PW_BOARD_PHASES) - 1U)), .told_at = PW_NEVER};
    if (transformers->fitted == 0) {
        return PW_ERR_RANGE;
    }
    return pw_analog_init(&transformers->analog, calibration != NULL ? calibration : &config);
}

// Takes the phases without a transformer away, and those whose channel does not live.
static void leave_out(const struct pw_house_transformers *transformers, unsigned bad,
                      struct pw_board_mains *reading)
{
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        bool fitted = (((unsigned)transformers->fitted >> p) & 1U) != 0;
        if (!fitted || (bad & PW_ANALOG_AMPERE(p)) != 0) {
            reading->ma[p] = PW_BOARD_UNKNOWN;
            reading->mw[p] = PW_BOARD_UNKNOWN;
        }
        // Without a voltage there is no power, and no sign: only a current.
        if (reading->mv[p] < VOLTAGE_MV || (bad & PW_ANALOG_VOLT(p)) != 0) {
            reading->mv[p] = PW_BOARD_UNKNOWN;
            reading->mw[p] = PW_BOARD_UNKNOWN;
        }
    }
}

// A transformer on a live conductor is never still to the last count; an open input may be.
static unsigned watch(struct pw_house_transformers *transformers,
                      const struct pw_board_block *block)
{
    unsigned still = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        for (unsigned i = 1; i < block->count && i < PW_BOARD_BLOCK_MAX; i++) {
            bool moved = block->ampere[p][i] != block->ampere[p][0];
            transformers->moved |= moved ? (uint8_t)(1U << p) : 0;
        }
        bool moves = (((unsigned)transformers->moved >> p) & 1U) != 0;
        still |= moves ? 0 : PW_ANALOG_AMPERE(p);
    }
    return still;
}

bool pw_house_transformers_block(struct pw_house_transformers *transformers,
                                 const struct pw_board_block *block, struct pw_board_mains *reading,
                                 pw_ms now)
{
    struct pw_analog *analog = &transformers->analog;
    int news = pw_analog_block(analog, block, now);
    unsigned still = watch(transformers, block);
    if (news < 0 || ((unsigned)news & PW_ANALOG_WINDOW) == 0) {
        return false;
    }
    *reading = analog->mains;
    leave_out(transformers, still | analog->dead | analog->clipped, reading);
    transformers->moved = 0;
    return true;
}

bool pw_house_transformers_mains(struct pw_house_transformers *transformers,
                                 const struct pw_board_mains *mains, struct pw_board_mains *reading)
{
    if (mains->at == PW_NEVER || mains->at == transformers->told_at) {
        return false;
    }
    transformers->told_at = mains->at;
    *reading = *mains;
    leave_out(transformers, 0, reading);
    return true;
}
