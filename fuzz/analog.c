// Target function: pw_analog_block. Input: a calibration (gains, lags, rate), then blocks: count,
// time that passed, and samples as a wave of four bytes for each channel, so that few bytes make
// whole windows. Whatever a board sends, values stay in their fields and time runs forwards.
#include "analog/analog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *in, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes && in->left > 0; i++, in->left--) {
        value = value << 8 | *in->at++;
    }
    return value;
}

static struct pw_analog_config calibration(struct input *in)
{
    struct pw_analog_config config = {
        .rail_low = (int16_t)take(in, 2),
        .rail_high = (int16_t)take(in, 2),
        .cp = {.points = 2,
               .point = {{(int16_t)take(in, 2), -12000}, {(int16_t)take(in, 2), 12000}}},
        .pp_pull_up_ohm = (int32_t)take(in, 2),
        .pp_open = (int16_t)take(in, 2),
        .window_ms = 20 + (int32_t)(take(in, 1) * 4),
    };
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        config.volt[p].gain_nano = (int32_t)take(in, 4);
        config.ampere[p].gain_nano = (int32_t)take(in, 4);
        config.volt[p].lag_ns = (int32_t)take(in, 3) % (PW_ANALOG_LAG_MAX_NS + 1);
        config.ampere[p].lag_ns = -(int32_t)(take(in, 3) % (PW_ANALOG_LAG_MAX_NS + 1));
    }
    return config;
}

// A saw-tooth: start and step.
static void fill(struct input *in, int16_t *to, unsigned count)
{
    uint32_t value = take(in, 2);
    uint32_t step = take(in, 2);
    for (unsigned i = 0; i < count && i < PW_BOARD_BLOCK_MAX; i++, value += step) {
        to[i] = (int16_t)value;
    }
}

static void check(const struct pw_board_mains *mains, pw_ms now)
{
    PW_ASSERT(mains->at == PW_NEVER || mains->at <= now);
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        PW_ASSERT(mains->mv[p] >= 0 || mains->mv[p] == PW_BOARD_UNKNOWN);
        PW_ASSERT(mains->ma[p] >= 0 || mains->ma[p] == PW_BOARD_UNKNOWN);
    }
    PW_ASSERT(mains->mhz > 0 || mains->mhz == PW_BOARD_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_analog analog;
    struct input in = {.at = data, .left = size};
    struct pw_analog_config config = calibration(&in);
    uint32_t rate = take(&in, 2);
    pw_ms now = 0;
    if (pw_analog_init(&analog, &config) != PW_OK) {
        return 0;
    }
    while (in.left > 0) {
        uint32_t what = take(&in, 1);
        struct pw_board_block block = {.rate_hz = rate, .count = (uint8_t)(what % 70)};
        now += what >= 210 ? take(&in, 2) : (pw_ms)block.count / 4;
        rate = what >= 245 ? take(&in, 2) : rate;
        block.at = now;
        for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
            fill(&in, block.volt[p], block.count);
            fill(&in, block.ampere[p], block.count);
        }
        block.cp_high = block.cp_low = block.pp = block.volt[0][0];
        uint32_t refused = analog.refused;
        int news = pw_analog_block(&analog, &block, now);
        PW_ASSERT((news < 0) == (analog.refused != refused));
        check(&analog.mains, now);
        check(&analog.fast, now);
        PW_ASSERT(analog.pp_ohm >= 0 || analog.pp_ohm == PW_BOARD_UNKNOWN);
    }
    return 0;
}
