// Analog inputs against a double-precision oracle: the waves are sums of sines, so rms, power and
// frequency are known in closed form.
//
// Bounds held here, at 4 kHz and 16 bits: voltage and current 0.05 % and a count, active power
// 0.1 % of the apparent power, frequency 10 mHz over a window; the fast value 0.5 %.
#include "analog/analog.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI        3.14159265358979323846
#define UNKNOWN   PW_BOARD_UNKNOWN
#define HARMONICS 8
#define GAIN_V    13000000 // 13 mV a count: 325 V are 25000 counts
#define GAIN_A    2500000  // 2.5 mA a count

// One wave: an offset and harmonics 1, 3, 5 ... of amplitude and phase.
struct wave {
    double offset;
    double amplitude[HARMONICS];
    double phase[HARMONICS]; // radians, later is positive
};

struct scene {
    double hz;
    double rate;
    double noise; // counts, peak
    struct wave volt[3];
    struct wave ampere[3];
    double lag_s[6]; // of the samples
    uint64_t glitch; // sample where the first voltage dips for eight samples; 0: none
    int low;
    int high; // where the converter ends
};

static struct pw_analog analog;
static uint64_t seed = 0x2545F4914F6CDD1D;
static pw_ms now;
static uint64_t sample;
static uint8_t block_size = 20;

static double random_unit(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double wave_at(const struct wave *wave, double hz, double t)
{
    double sum = wave->offset;
    for (int h = 0; h < HARMONICS; h++) {
        sum += wave->amplitude[h] * sin(2 * PI * hz * (2 * h + 1) * t - wave->phase[h]);
    }
    return sum;
}

static double rms_of(const struct wave *wave)
{
    double square = 0;
    for (int h = 0; h < HARMONICS; h++) {
        square += wave->amplitude[h] * wave->amplitude[h] / 2;
    }
    return sqrt(square);
}

static double power_of(const struct wave *v, const struct wave *i)
{
    double sum = 0;
    for (int h = 0; h < HARMONICS; h++) {
        sum += v->amplitude[h] * i->amplitude[h] / 2 * cos(v->phase[h] - i->phase[h]);
    }
    return sum;
}

static int16_t count_at(const struct scene *s, unsigned channel, double t)
{
    const struct wave *wave = channel < 3 ? &s->volt[channel] : &s->ampere[channel - 3];
    double counts = wave_at(wave, s->hz, t - s->lag_s[channel]);
    counts += (2 * random_unit() - 1) * s->noise;
    if (channel == 0 && s->glitch > 0 && sample - s->glitch < 8) {
        counts = -25000;
    }
    return (int16_t)fmax(s->low, fmin(s->high, floor(counts + 0.5)));
}

static struct pw_analog_config plain_config(void)
{
    struct pw_analog_config config = {.rail_low = 0};
    for (unsigned p = 0; p < 3; p++) {
        config.volt[p].gain_nano = GAIN_V;
        config.ampere[p].gain_nano = GAIN_A;
    }
    return config;
}

// Amplitudes in counts: 230 V and 16 A on three phases, in phase.
static struct scene plain_scene(void)
{
    struct scene s = {.hz = 50, .rate = 4000, .low = INT16_MIN, .high = INT16_MAX};
    for (unsigned p = 0; p < 3; p++) {
        double turn = 2 * PI / 3 * p;
        s.volt[p].amplitude[0] = 230 * sqrt(2) / (GAIN_V * 1e-9);
        s.ampere[p].amplitude[0] = 16 * sqrt(2) / (GAIN_A * 1e-9);
        s.volt[p].phase[0] = turn;
        s.ampere[p].phase[0] = turn;
    }
    return s;
}

static void begin(const struct pw_analog_config *config)
{
    assert_int_equal(pw_analog_init(&analog, config), PW_OK);
    now = 1000;
    sample = 0;
}

// Feeds blocks for some time; returns how often a window came.
static unsigned feed(const struct scene *s, double seconds)
{
    unsigned windows = 0;
    for (uint64_t end = sample + (uint64_t)(seconds * s->rate); sample < end;) {
        struct pw_board_block block = {
            .rate_hz = (uint32_t)s->rate, .count = block_size, .cp_low = INT16_MIN};
        for (unsigned i = 0; i < block.count; i++, sample++) {
            for (unsigned p = 0; p < 3; p++) {
                double t = (double)sample / s->rate;
                block.volt[p][i] = count_at(s, p, t);
                block.ampere[p][i] = count_at(s, 3 + p, t);
            }
        }
        block.at = 1000 + (pw_ms)((double)sample * 1000 / s->rate);
        now = block.at;
        int news = pw_analog_block(&analog, &block, now);
        assert_true(news >= 0);
        windows += ((unsigned)news & PW_ANALOG_WINDOW) != 0;
    }
    return windows;
}

static double worst_rms; // the largest errors seen, printed at the end
static double worst_power;
static double worst_mhz;

static void near(const char *what, double is, double want, double bound)
{
    if (!(fabs(is - want) <= bound)) {
        fail_msg("%s: %.1f, not %.1f (within %.1f)", what, is, want, bound);
    }
}

static void check_window(const struct scene *s, const struct pw_analog_config *c, double noise)
{
    const struct pw_board_mains *m = &analog.mains;
    for (unsigned p = 0; p < 3; p++) {
        double gv = fabs((double)c->volt[p].gain_nano) * 1e-6; // milli
        double ga = fabs((double)c->ampere[p].gain_nano) * 1e-6;
        double sign = (c->volt[p].gain_nano < 0) != (c->ampere[p].gain_nano < 0) ? -1 : 1;
        double mv = rms_of(&s->volt[p]) * gv;
        double ma = rms_of(&s->ampere[p]) * ga;
        double mw = sign * power_of(&s->volt[p], &s->ampere[p]) * gv * ga / 1000;
        near("mV", m->mv[p], mv, mv * 5e-4 + gv + noise * gv);
        near("mA", m->ma[p], ma, ma * 5e-4 + ga + noise * ga);
        near("mW", m->mw[p], mw, mv * ma / 1000 * 1e-3 + 1000 * noise + 1);
        worst_rms = fmax(worst_rms, fabs(m->mv[p] - mv) / mv);
        worst_power = fmax(worst_power, fabs(m->mw[p] - mw) / (mv * ma / 1000 + 1));
    }
    near("mHz", m->mhz, s->hz * 1000, 10 + 10 * noise);
    worst_mhz = fmax(worst_mhz, fabs(m->mhz - s->hz * 1000));
}

// Reason: the plain case, at every frequency a grid may have, off any multiple of the sampling
// rate.
static void sines_from_47_to_53_hz(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    for (double hz = 47; hz <= 53.001; hz += 0.13) {
        struct scene s = plain_scene();
        s.hz = hz;
        begin(&config);
        (void)feed(&s, 0.3);
        for (int window = 0; window < 3; window++) {
            (void)feed(&s, 0.2);
            check_window(&s, &config, 0);
        }
    }
}

// Reason: other boards sample faster or slower, and America has 60 Hz.
static void other_rates_and_60_hz(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    static const double rates[] = {2000, 3200, 4000, 7813, 10000, 16000};
    for (size_t i = 0; i < PW_COUNT(rates); i++) {
        for (double hz = 50; hz <= 60; hz += 10) {
            struct scene s = plain_scene();
            s.rate = rates[i];
            s.hz = hz;
            begin(&config);
            (void)feed(&s, 0.6);
            check_window(&s, &config, 0);
        }
    }
}

// Reason: a charger's current is no clean sine, and its power is not volts times amperes: phase
// shifts in 15 degree steps all around, so also giving back.
static void the_power_follows_the_phase_shift(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    for (int degrees = 0; degrees < 360; degrees += 15) {
        struct scene s = plain_scene();
        for (unsigned p = 0; p < 3; p++) {
            s.ampere[p].phase[0] += degrees * PI / 180;
        }
        begin(&config);
        (void)feed(&s, 0.6);
        check_window(&s, &config, 0);
        if (degrees == 60) {
            near("cos 60", analog.mains.mw[0], 230.0 * 16 * 1000 / 2, 1840);
        }
    }
}

// Reason: rectifiers draw harmonics; they count in the rms and, where the voltage has them too, in
// the power.
static void harmonics_count(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    for (unsigned p = 0; p < 3; p++) {
        for (int h = 1; h < HARMONICS; h++) {
            s.volt[p].amplitude[h] = s.volt[p].amplitude[0] * 0.04 / h;
            s.ampere[p].amplitude[h] = s.ampere[p].amplitude[0] * 0.3 / h;
            s.volt[p].phase[h] = 0.3 * h;
            s.ampere[p].phase[h] = 0.3 * h + 0.4 * p;
        }
    }
    begin(&config);
    (void)feed(&s, 0.9);
    check_window(&s, &config, 0);
}

// Reason: a single-supply converter puts every channel in the middle of its range, and nobody told
// us where that is; 12 bits only.
static void a_dc_offset_drops_out(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    s.low = 0;
    s.high = 4095;
    config.rail_low = 0;
    config.rail_high = 4095;
    for (unsigned p = 0; p < 3; p++) {
        config.volt[p].gain_nano = 200000000;
        config.ampere[p].gain_nano = 25000000;
        s.volt[p].offset = 2048 + 17 * p;
        s.ampere[p].offset = 2040 - 11 * p;
        s.volt[p].amplitude[0] = 230 * sqrt(2) / 0.2;
        s.ampere[p].amplitude[0] = 16 * sqrt(2) / 0.025;
    }
    begin(&config);
    (void)feed(&s, 0.9);
    check_window(&s, &config, 0.3); // a third of a count of 12 bits: rounding
    assert_int_equal(analog.clipped | analog.dead, 0);
    // The same with the middle given is right from the first window on.
    for (unsigned p = 0; p < 3; p++) {
        config.volt[p].zero = 2048;
        config.ampere[p].zero = 2048;
    }
    begin(&config);
    while (analog.mains.at == PW_NEVER) {
        (void)feed(&s, 0.005);
    }
    check_window(&s, &config, 0.3);
    assert_in_range(analog.mains.at, 1190, 1260);
}

// Reason: a converter's noise must move neither the frequency nor the cut of a window.
static void noise_averages_out(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    s.noise = 100; // 0.4 % of the voltage's peak
    s.hz = 49.87;
    begin(&config);
    (void)feed(&s, 0.3);
    for (int window = 0; window < 50; window++) {
        (void)feed(&s, 0.2);
        check_window(&s, &config, 1);
    }
}

// Reason: a dip in the middle of a half wave rises through zero as a period does, but much too
// soon.
static void a_glitch_is_no_period(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    begin(&config);
    (void)feed(&s, 0.4);
    for (int i = 0; i < 10; i++) {
        s.glitch = sample + 10 + (uint64_t)i % 20; // on the crest of the coming period
        assert_int_equal(sample % 80, 0);
        (void)feed(&s, 0.1);
        near("mHz", analog.mains.mhz, 50000, 100);
        near("fast mHz", analog.fast.mhz, 50000, 100);
    }
    near("A", analog.mains.ma[1], 16000, 16);
}

// Reason: converters sample one channel after another and transformers turn the phase; at 60
// degrees a microsecond is 0.05 %, so calibration must take both away, in both directions.
static void the_lag_of_a_channel_is_taken_away(void **state)
{
    (void)state;
    static const int32_t lags[] = {0, 1000, 31250, 125000, 250000, 333000, 777777, 1000000};
    for (size_t i = 0; i < PW_COUNT(lags); i++) {
        for (unsigned which = 0; which < 4; which++) {
            struct pw_analog_config config = plain_config();
            struct scene s = plain_scene();
            s.hz = 49.3;
            for (unsigned p = 0; p < 3; p++) {
                bool volt = which == 0 || which == 3;
                int32_t lag = which == 2 ? -lags[i] : lags[i];
                s.ampere[p].phase[0] += PI / 3;
                s.lag_s[volt ? p : 3 + p] = lag * 1e-9;
                (volt ? &config.volt[p] : &config.ampere[p])->lag_ns = lag;
                if (which == 3) { // the whole two milliseconds
                    s.lag_s[3 + p] = -lag * 1e-9;
                    config.ampere[p].lag_ns = -lag;
                }
            }
            begin(&config);
            (void)feed(&s, 0.6);
            check_window(&s, &config, 0);
        }
    }
}

// Reason: two current transformers out of three are put on the wrong way round; a negative gain
// turns them, and without it the sign says so.
static void a_reversed_transformer_shows_and_is_turned(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    s.ampere[1].phase[0] += PI;
    begin(&config);
    (void)feed(&s, 0.6);
    near("reversed", analog.mains.mw[1], -3680000, 3680);
    config.ampere[1].gain_nano = -GAIN_A;
    begin(&config);
    (void)feed(&s, 0.6);
    near("turned", analog.mains.mw[1], 3680000, 3680);
    near("mA", analog.mains.ma[1], 16000, 16);
    near("others", analog.mains.mw[0], 3680000, 3680);
}

// Reason: on one phase the two others' inputs are not there, and must say so.
static void one_phase(void **state)
{
    (void)state;
    for (unsigned only = 0; only < 3; only++) {
        struct pw_analog_config config = {.rail_low = 0};
        config.volt[only].gain_nano = GAIN_V;
        config.ampere[only].gain_nano = GAIN_A;
        struct scene s = plain_scene();
        begin(&config);
        (void)feed(&s, 0.6);
        for (unsigned p = 0; p < 3; p++) {
            if (p == only) {
                near("mV", analog.mains.mv[p], 230000, 115);
                near("mW", analog.mains.mw[p], 3680000, 3680);
                continue;
            }
            assert_int_equal(analog.mains.mv[p], UNKNOWN);
            assert_int_equal(analog.mains.ma[p], UNKNOWN);
            assert_int_equal(analog.mains.mw[p], UNKNOWN);
        }
        near("mHz", analog.mains.mhz, 50000, 10);
        assert_int_equal(analog.dead, 0);
    }
}

// Reason: a wave cut off by the converter reads low, and the car draws more than we think.
static void clipping_is_noticed(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    s.ampere[2].amplitude[0] = 40000;
    begin(&config);
    (void)feed(&s, 0.6);
    assert_int_equal(analog.clipped, PW_ANALOG_AMPERE(2));
    s.ampere[2].amplitude[0] = 32000;
    (void)feed(&s, 0.6);
    assert_int_equal(analog.clipped, 0);
}

// Reason: a broken wire leaves a channel at a rail or at rest. At a rail the value is not known; at
// rest it reads 0 volts or amperes, and in both cases somebody is told.
static void dead_channels_are_noticed(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    s.volt[1] = (struct wave){.offset = 12};
    s.ampere[0] = (struct wave){.offset = 40000};
    s.ampere[2] = (struct wave){.offset = -40000};
    begin(&config);
    (void)feed(&s, 0.6);
    assert_int_equal(analog.dead, PW_ANALOG_VOLT(1) | PW_ANALOG_AMPERE(0) | PW_ANALOG_AMPERE(2));
    assert_int_equal(analog.mains.mv[1], 0);
    assert_int_equal(analog.mains.mw[1], 0);
    assert_int_equal(analog.mains.ma[0], UNKNOWN);
    assert_int_equal(analog.mains.mw[0], UNKNOWN);
    assert_int_equal(analog.mains.ma[2], UNKNOWN);
    near("mV", analog.mains.mv[0], 230000, 115);
    near("mA", analog.mains.ma[1], 16000, 8);
    s.volt[1].offset = -40000;
    (void)feed(&s, 0.6);
    assert_int_equal(analog.mains.mv[1], UNKNOWN);
    assert_int_equal(analog.mains.mw[1], UNKNOWN);
}

// Reason: the phase that cuts the windows may be the one that fails; the others go on being
// measured, and their frequency too.
static void another_phase_takes_over_the_cutting(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    begin(&config);
    (void)feed(&s, 0.6);
    s.volt[0].amplitude[0] = 0;
    s.ampere[0].amplitude[0] = 0;
    (void)feed(&s, 1.0);
    assert_int_equal(analog.mains.mv[0], 0);
    near("mV", analog.mains.mv[1], 230000, 115);
    near("mW", analog.mains.mw[2], 3680000, 3680);
    near("mHz", analog.mains.mhz, 50000, 10);
}

// Reason: with no mains at all there is nothing to cut by; values still come, as zero, and with
// the mains the whole periods return.
static void no_mains_and_back(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene dark = plain_scene();
    dark.noise = 2;
    for (unsigned p = 0; p < 3; p++) {
        dark.volt[p].amplitude[0] = 0;
        dark.ampere[p].amplitude[0] = 0;
    }
    begin(&config);
    assert_in_range(feed(&dark, 1.0), 4, 6);
    assert_in_range(analog.mains.mv[0], 0, 30);
    assert_int_equal(analog.mains.mhz, UNKNOWN);
    assert_int_equal(analog.dead, 0);
    struct scene s = plain_scene();
    (void)feed(&s, 0.7);
    check_window(&s, &config, 0);
    (void)feed(&dark, 0.7);
    assert_in_range(analog.mains.ma[2], 0, 10);
    assert_int_equal(analog.mains.mhz, UNKNOWN);
}

// Reason: the over-current cut-off cannot wait for a window; one period after the step it knows.
static void the_fast_value_follows_within_two_periods(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    begin(&config);
    (void)feed(&s, 0.605);
    near("before", analog.fast.ma[1], 16000, 80);
    for (unsigned p = 0; p < 3; p++) {
        s.ampere[p].amplitude[0] *= 2.5;
        s.ampere[p].amplitude[0] = fmin(s.ampere[p].amplitude[0], 32000);
    }
    pw_ms step = now;
    (void)feed(&s, 0.040);
    near("after", analog.fast.ma[1], rms_of(&s.ampere[1]) * GAIN_A * 1e-6, 180);
    assert_true(analog.fast.at > step);
    near("mHz", analog.fast.mhz, 50000, 100);
}

// Reason: energy is power times the time between the ends of windows; how the samples were packed
// must not show in it.
static void a_window_ends_at_the_same_time_in_blocks_of_any_size(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    pw_ms ended = 0;
    for (unsigned size = 1; size <= PW_BOARD_BLOCK_MAX; size += 9) {
        block_size = (uint8_t)size;
        begin(&config);
        (void)feed(&s, 0.65);
        ended = block_size == 1 ? analog.mains.at : ended;
        near("at", (double)analog.mains.at, (double)ended, 1);
    }
    block_size = 20;
}

// Reason: a lost piece of the stream must not be summed over; a block that lies is refused whole.
static void breaks_and_bad_blocks(void **state)
{
    (void)state;
    struct pw_analog_config config = plain_config();
    struct scene s = plain_scene();
    begin(&config);
    (void)feed(&s, 0.6);
    struct pw_analog before = analog;
    struct pw_board_block bad = {.at = now, .rate_hz = 4000, .count = PW_BOARD_BLOCK_MAX + 1};
    assert_int_equal(pw_analog_block(&analog, &bad, now), PW_ERR_RANGE);
    bad.count = 1;
    bad.rate_hz = 999;
    assert_int_equal(pw_analog_block(&analog, &bad, now), PW_ERR_RANGE);
    bad.rate_hz = 16001;
    assert_int_equal(pw_analog_block(&analog, &bad, now), PW_ERR_RANGE);
    bad.rate_hz = 4000;
    bad.at = now + 1;
    assert_int_equal(pw_analog_block(&analog, &bad, now), PW_ERR_RANGE);
    assert_int_equal(analog.refused, 4);
    analog.refused = 0;
    assert_memory_equal(&analog, &before, sizeof(before));

    sample += 4000 / 10 + 40; // 110 ms are missing
    (void)feed(&s, 0.02);
    assert_int_equal(analog.breaks, 1);
    (void)feed(&s, 0.4);
    check_window(&s, &config, 0);
    s.rate = 8000;
    sample *= 2;
    (void)feed(&s, 0.5);
    assert_int_equal(analog.breaks, 2);
    check_window(&s, &config, 0);
}

// Reason: the widest numbers everywhere; the sanitizers see every overflow, the values stay in
// their types.
static void the_extremes_fit(void **state)
{
    (void)state;
    static const int32_t gains[] = {1, -1, INT32_MAX, -INT32_MAX};
    static const double rates[] = {1000, 16000};
    for (size_t g = 0; g < PW_COUNT(gains); g++) {
        for (size_t r = 0; r < 2 * PW_COUNT(rates); r++) {
            struct pw_analog_config config = plain_config();
            struct scene s = plain_scene();
            config.window_ms = 1000;
            s.rate = rates[r / 2];
            s.hz = r % 2 == 0 ? 50 : 0.001; // as a wave, and as a constant at the rails
            for (unsigned p = 0; p < 3; p++) {
                config.volt[p] = (struct pw_analog_input){
                    .gain_nano = gains[g], .zero = INT16_MIN, .lag_ns = PW_ANALOG_LAG_MAX_NS};
                config.ampere[p] = (struct pw_analog_input){
                    .gain_nano = gains[g], .zero = INT16_MAX, .lag_ns = -PW_ANALOG_LAG_MAX_NS};
                s.volt[p].amplitude[0] = 1e6; // a square wave between the rails
                s.ampere[p].amplitude[0] = p == 1 ? -1e6 : 1e6;
            }
            begin(&config);
            (void)feed(&s, 3);
            assert_true(analog.mains.at != PW_NEVER);
        }
    }
}

// Reason: the table is what somebody measured on a real board; the level between two points, and a
// little beyond them, lies on a straight line. Source: facts/ac-evse-rapi-load.md §4.
static void counts_of_the_pilot_become_millivolts(void **state)
{
    (void)state;
    struct pw_analog_config config = {
        .cp = {.points = 5,
               .point = {{100, -12000}, {620, 3000}, {1127, 6000}, {1728, 9000}, {2412, 12000}}},
        .pp_pull_up_ohm = 471,
        .pp_open = 2484,
    };
    static const struct {
        int16_t count;
        int32_t mv;
    } rows[] = {
        {100, -12000}, {2412, 12000}, {1728, 9000}, {1127, 6000},         {620, 3000},
        {1428, 7502},  {2526, 12500}, {0, -14885},  {INT16_MIN, UNKNOWN},
    };
    begin(&config);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_board_block block = {.at = 5, .cp_high = 2412, .cp_low = rows[i].count};
        assert_int_equal(pw_analog_block(&analog, &block, 5), 0);
        assert_int_equal(analog.cp_high_mv, 12000);
        if (rows[i].mv == UNKNOWN) {
            assert_int_equal(analog.cp_low_mv, UNKNOWN);
        } else {
            near("CP", analog.cp_low_mv, rows[i].mv, 2);
        }
    }
    for (int count = INT16_MIN + 1; count < INT16_MAX; count++) { // rises all the way
        struct pw_board_block block = {.at = 5, .cp_low = (int16_t)count};
        int32_t last = analog.cp_low_mv;
        assert_int_equal(pw_analog_block(&analog, &block, 5), 0);
        assert_true(count == INT16_MIN + 1 || analog.cp_low_mv >= last);
    }
}

// Reason: what the socket's board was measured to read for the four cables and without one.
static void counts_of_the_proximity_become_ohms(void **state)
{
    (void)state;
    struct pw_analog_config config = {.pp_pull_up_ohm = 471, .pp_open = 2484};
    static const struct {
        int16_t count;
        int32_t ohm;
    } rows[] = {{1890, 1500}, {1466, 680}, {793, 220}, {435, 100}, {1, 0}, {0, 0}, {-5, 0}};
    begin(&config);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_board_block block = {.at = 5, .pp = rows[i].count};
        assert_int_equal(pw_analog_block(&analog, &block, 5), 0);
        near("PP", analog.pp_ohm, rows[i].ohm, rows[i].ohm * 0.01 + 1);
        assert_int_equal(analog.cp_high_mv, UNKNOWN);
    }
    static const int16_t open[] = {2484, 2380, 2600, INT16_MAX};
    for (size_t i = 0; i < PW_COUNT(open); i++) {
        struct pw_board_block block = {.at = 5, .pp = open[i]};
        assert_int_equal(pw_analog_block(&analog, &block, 5), 0);
        assert_int_equal(analog.pp_ohm, PW_BOARD_OPEN_OHM);
    }
    struct pw_board_senses senses = {.estop = true, .temp_dc = {250, 260}};
    pw_analog_sense(&analog, &senses);
    assert_int_equal(senses.at, 5);
    assert_int_equal(senses.pp_ohm, PW_BOARD_OPEN_OHM);
    assert_int_equal(senses.cp_low_mv, UNKNOWN);
    assert_int_equal(senses.mains.at, PW_NEVER);
    assert_true(senses.estop);
}

// Reason: calibration comes from a file; nonsense in it must not become a measurement.
static void a_wrong_calibration_is_refused(void **state)
{
    (void)state;
    const struct pw_analog_config good = plain_config();
    const struct pw_analog_config wrong[] = {
        {.volt[2].lag_ns = 1000001},
        {.ampere[0].lag_ns = -1000001},
        {.volt[0].zero = 32768},
        {.ampere[1].zero = -32769},
        {.ampere[1].gain_nano = INT32_MIN},
        {.window_ms = 19},
        {.window_ms = 1001},
        {.window_ms = -1},
        {.rail_low = 5, .rail_high = 5},
        {.cp = {.points = 1}},
        {.cp = {.points = PW_ANALOG_POINTS + 1}},
        {.cp = {.points = 2, .point = {{7, 0}, {7, 100}}}},
        {.cp = {.points = 2, .point = {{8, 0}, {7, 100}}}},
        {.cp = {.points = 2, .point = {{7, 0}, {8, 100001}}}},
        {.pp_pull_up_ohm = 9, .pp_open = 10},
        {.pp_pull_up_ohm = 100001, .pp_open = 10},
        {.pp_pull_up_ohm = 471, .pp_open = 10, .pp_short = 10},
    };
    begin(&good);
    struct pw_analog before = analog;
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        assert_int_equal(pw_analog_init(&analog, &wrong[i]), PW_ERR_RANGE);
        assert_memory_equal(&analog, &before, sizeof(before));
    }
}

static int tell(void **state)
{
    (void)state;
    printf("largest errors: rms %.4f %%, power %.4f %%, frequency %.1f mHz\n", worst_rms * 100,
           worst_power * 100, worst_mhz);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sines_from_47_to_53_hz),
        cmocka_unit_test(other_rates_and_60_hz),
        cmocka_unit_test(the_power_follows_the_phase_shift),
        cmocka_unit_test(harmonics_count),
        cmocka_unit_test(a_dc_offset_drops_out),
        cmocka_unit_test(noise_averages_out),
        cmocka_unit_test(a_glitch_is_no_period),
        cmocka_unit_test(the_lag_of_a_channel_is_taken_away),
        cmocka_unit_test(a_reversed_transformer_shows_and_is_turned),
        cmocka_unit_test(one_phase),
        cmocka_unit_test(clipping_is_noticed),
        cmocka_unit_test(dead_channels_are_noticed),
        cmocka_unit_test(another_phase_takes_over_the_cutting),
        cmocka_unit_test(no_mains_and_back),
        cmocka_unit_test(the_fast_value_follows_within_two_periods),
        cmocka_unit_test(a_window_ends_at_the_same_time_in_blocks_of_any_size),
        cmocka_unit_test(breaks_and_bad_blocks),
        cmocka_unit_test(the_extremes_fit),
        cmocka_unit_test(counts_of_the_pilot_become_millivolts),
        cmocka_unit_test(counts_of_the_proximity_become_ohms),
        cmocka_unit_test(a_wrong_calibration_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, tell);
}
