#include "analog/analog.h"

#define CHANNELS      (2 * PW_BOARD_PHASES)
#define SHARE         256 // weight of a whole sample
#define BASE          1U // samples every channel is delayed by, so that a shift has both neighbours
#define ONE           INT64_C(16384) // of the taps
#define BREAK_MS      50             // longer than that without samples: the stream was interrupted
#define PERIOD_MIN_MS 12             // a crossing sooner is noise
#define PERIOD_MAX_MS 30             // none for so long: the mains are gone
#define BLIND_MS      20             // length of a "period" while there are no crossings
#define LEVEL_MIN     2048           // 8 counts
#define NANO          INT64_C(1000000000)
#define POINT_MAX     100000 // mV

static int32_t or_default(int32_t value, int32_t fallback)
{
    return value == 0 ? fallback : value;
}

static bool curve_ok(const struct pw_analog_curve *curve)
{
    if (curve->points == 1 || curve->points > PW_ANALOG_POINTS) {
        return false;
    }
    for (unsigned i = 0; i < curve->points; i++) {
        int32_t value = curve->point[i].value;
        bool rises = i == 0 || curve->point[i].count > curve->point[i - 1].count;
        if (!rises || value < -POINT_MAX || value > POINT_MAX) {
            return false;
        }
    }
    return true;
}

static bool input_ok(const struct pw_analog_input *input)
{
    return input->lag_ns >= -PW_ANALOG_LAG_MAX_NS && input->lag_ns <= PW_ANALOG_LAG_MAX_NS &&
           input->zero >= INT16_MIN && input->zero <= INT16_MAX && input->gain_nano != INT32_MIN;
}

int pw_analog_init(struct pw_analog *analog, const struct pw_analog_config *config)
{
    struct pw_analog_config c = *config;
    bool ok = curve_ok(&c.cp);
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        ok = ok && input_ok(&c.volt[p]) && input_ok(&c.ampere[p]);
    }
    c.window_ms = or_default(c.window_ms, 190);
    if (c.rail_low == 0 && c.rail_high == 0) {
        c.rail_low = INT16_MIN;
        c.rail_high = INT16_MAX;
    }
    bool pp = c.pp_pull_up_ohm == 0 ||
              (c.pp_pull_up_ohm >= 10 && c.pp_pull_up_ohm <= 100000 && c.pp_open > c.pp_short);
    if (!ok || !pp || c.window_ms < BLIND_MS || c.window_ms > 1000 || c.rail_low >= c.rail_high) {
        return PW_ERR_RANGE;
    }
    const struct pw_board_mains nothing = PW_BOARD_NO_MAINS;
    *analog = (struct pw_analog){
        .config = c,
        .mains = nothing,
        .fast = nothing,
        .at = PW_NEVER,
        .cp_high_mv = PW_BOARD_UNKNOWN,
        .cp_low_mv = PW_BOARD_UNKNOWN,
        .pp_ohm = PW_BOARD_UNKNOWN,
    };
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Pilot and proximity

static int32_t along(const struct pw_analog_curve *curve, int16_t count)
{
    if (curve->points == 0 || count == INT16_MIN) {
        return PW_BOARD_UNKNOWN;
    }
    unsigned i = 1;
    while (i + 1U < curve->points && count > curve->point[i].count) {
        i++;
    }
    int64_t run = curve->point[i].count - curve->point[i - 1].count;
    int64_t rise = (int64_t)curve->point[i].value - curve->point[i - 1].value;
    // 17 bits times 18 bits
    return (int32_t)pw_clamp(curve->point[i].value + (count - curve->point[i].count) * rise / run,
                             -INT32_MAX, INT32_MAX);
}

static int32_t proximity(const struct pw_analog_config *c, int16_t count)
{
    if (c->pp_pull_up_ohm == 0) {
        return PW_BOARD_UNKNOWN;
    }
    if (count <= c->pp_short) {
        return 0;
    }
    if (count >= c->pp_open) {
        return PW_BOARD_OPEN_OHM;
    }
    int64_t ohm = (int64_t)c->pp_pull_up_ohm * (count - c->pp_short) / (c->pp_open - count);
    return ohm >= PW_ANALOG_PP_OPEN_OHM ? PW_BOARD_OPEN_OHM : (int32_t)ohm;
}

// ---------------------------------------------------------------------------------------------
// Shifting one channel of a phase against the other

// Weights of four neighbours for a value `f` (of ONE) behind the second: the cubic through them.
// Products stay below 2^46. Flat within 1e-4 up to the 7th harmonic at 80 samples a period.
static void set_taps(int16_t tap[4], int64_t f)
{
    const int64_t square = ONE * ONE;
    tap[0] = (int16_t)(-f * (f - ONE) * (f - 2 * ONE) / 6 / square);
    tap[2] = (int16_t)(-(f + ONE) * f * (f - 2 * ONE) / 2 / square);
    tap[3] = (int16_t)((f + ONE) * f * (f - ONE) / 6 / square);
    tap[1] = (int16_t)(ONE - tap[0] - tap[2] - tap[3]);
}

// The channel that shows the present is delayed until it shows what the other one shows.
static void set_shift(struct pw_analog *analog, unsigned p)
{
    int64_t lag = (int64_t)analog->config.ampere[p].lag_ns - analog->config.volt[p].lag_ns;
    analog->shift[p].ampere_delayed = lag < 0;
    // At most 2 ms at 16 kHz: 32 samples.
    int64_t samples = (lag < 0 ? -lag : lag) * analog->rate_hz * ONE / NANO;
    analog->shift[p].whole = (uint8_t)(samples / ONE);
    set_taps(analog->shift[p].tap, samples % ONE);
}

static int32_t past(const struct pw_analog *analog, unsigned channel, unsigned samples)
{
    return analog
        ->history[channel][(analog->head + PW_ANALOG_HISTORY - 1 - samples) % PW_ANALOG_HISTORY];
}

// Within 16 bits, so that the sums keep their bounds: only a clipped wave overshoots.
static int32_t shifted(const struct pw_analog *analog, unsigned channel, unsigned p)
{
    int64_t sum = 0;
    for (unsigned t = 0; t < 4; t++) {
        sum += (int64_t)analog->shift[p].tap[t] *
               past(analog, channel, BASE - 1 + analog->shift[p].whole + t);
    }
    return (int32_t)pw_clamp(sum / ONE, INT16_MIN, INT16_MAX);
}

// ---------------------------------------------------------------------------------------------
// Sums. A window spans at most 1030 ms at 16 kHz: weight below 2^23, samples within 2^15, so the
// squares' sums stay below 2^53.

static void add_sample(struct pw_analog *analog, int32_t weight)
{
    struct pw_analog_sums *s = &analog->period;
    s->weight += weight;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        unsigned ampere = PW_BOARD_PHASES + p;
        bool later = analog->shift[p].ampere_delayed;
        int64_t v = past(analog, p, BASE);
        int64_t i = past(analog, ampere, BASE);
        int64_t w = shifted(analog, later ? ampere : p, p);
        s->phase[p].v += weight * v;
        s->phase[p].vv += weight * v * v;
        s->phase[p].i += weight * i;
        s->phase[p].ii += weight * i * i;
        s->phase[p].w += weight * w;
        s->phase[p].wx += weight * w * (later ? v : i);
    }
}

static void add_period(struct pw_analog *analog)
{
    struct pw_analog_sums *to = &analog->window;
    const struct pw_analog_sums *from = &analog->period;
    to->weight += from->weight;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        to->phase[p].v += from->phase[p].v;
        to->phase[p].vv += from->phase[p].vv;
        to->phase[p].i += from->phase[p].i;
        to->phase[p].ii += from->phase[p].ii;
        to->phase[p].w += from->phase[p].w;
        to->phase[p].wx += from->phase[p].wx;
    }
}

// sum / weight with 16 or 32 bits behind the point. The quotient of a square is below 2^31, the
// remainder below 2^23.
static int64_t mean(int64_t sum, int32_t weight, unsigned bits)
{
    int64_t one = INT64_C(1) << bits;
    return sum / weight * one + sum % weight * one / weight;
}

// Mean of a*b without the product of the means: a DC offset drops out. By Cauchy and Schwarz the
// difference is at most 2^30 counts squared, 2^62 here.
static int64_t covariance(int64_t product, int64_t a, int64_t b, int32_t weight)
{
    return mean(product, weight, 32) - mean(a, weight, 16) * mean(b, weight, 16);
}

static uint64_t root(uint64_t square)
{
    uint64_t result = 0;
    for (uint64_t bit = UINT64_C(1) << 62; bit != 0; bit >>= 2) {
        if (square >= result + bit) {
            square -= result + bit;
            result = (result >> 1) + bit;
        } else {
            result >>= 1;
        }
    }
    return result;
}

// Root mean square in counts, 16 bits behind the point: below 2^31.
static int64_t rms_q16(int64_t square, int64_t sum, int32_t weight)
{
    return (int64_t)root((uint64_t)pw_max(covariance(square, sum, sum, weight), 0));
}

// counts * nano to milli: 2^31 times 2^31 fits.
static int32_t scale_rms(int64_t q16, int32_t gain_nano)
{
    int64_t gain = gain_nano < 0 ? -(int64_t)gain_nano : gain_nano;
    const int64_t unit = 65536 * INT64_C(1000000);
    return (int32_t)pw_min((q16 * gain + unit / 2) / unit, INT32_MAX);
}

// value * gain / 10^9 without the wide product: for values below 2^47 both halves stay below 2^61.
static int64_t times_nano(int64_t value, int32_t gain_nano)
{
    return value / NANO * gain_nano + value % NANO * gain_nano / NANO;
}

static int32_t scale_power(int64_t q32, int32_t volt_nano, int32_t ampere_nano)
{
    int64_t watt_q16 = times_nano(times_nano(q32 / 65536, volt_nano), ampere_nano);
    return (int32_t)pw_clamp(watt_q16 * 1000 / 65536, -INT32_MAX, INT32_MAX);
}

// ---------------------------------------------------------------------------------------------
// From sums to values

static bool stuck(const struct pw_analog *analog, unsigned channel)
{
    int16_t at = analog->seen[channel].least;
    return at == analog->seen[channel].most &&
           (at <= analog->config.rail_low || at >= analog->config.rail_high);
}

static void show(const struct pw_analog *analog, const struct pw_analog_sums *s,
                 struct pw_board_mains *mains)
{
    const struct pw_analog_config *c = &analog->config;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        int32_t volt = stuck(analog, p) ? 0 : c->volt[p].gain_nano;
        int32_t ampere = stuck(analog, PW_BOARD_PHASES + p) ? 0 : c->ampere[p].gain_nano;
        int64_t other = analog->shift[p].ampere_delayed ? s->phase[p].v : s->phase[p].i;
        mains->mv[p] = volt == 0
                           ? PW_BOARD_UNKNOWN
                           : scale_rms(rms_q16(s->phase[p].vv, s->phase[p].v, s->weight), volt);
        mains->ma[p] = ampere == 0
                           ? PW_BOARD_UNKNOWN
                           : scale_rms(rms_q16(s->phase[p].ii, s->phase[p].i, s->weight), ampere);
        mains->mw[p] =
            volt == 0 || ampere == 0
                ? PW_BOARD_UNKNOWN
                : scale_power(covariance(s->phase[p].wx, s->phase[p].w, other, s->weight), volt,
                              ampere);
    }
}

static int32_t frequency_mhz(const struct pw_analog *analog, uint32_t periods, int32_t weight)
{
    return (int32_t)((int64_t)periods * analog->rate_hz * SHARE * 1000 / weight);
}

static void watch_channels(struct pw_analog *analog)
{
    bool alive = false;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        alive = alive || analog->seen[p].least != analog->seen[p].most;
    }
    analog->clipped = 0;
    analog->dead = 0;
    for (unsigned ch = 0; ch < CHANNELS; ch++) {
        const struct pw_analog_input *input = ch < PW_BOARD_PHASES
                                                  ? &analog->config.volt[ch]
                                                  : &analog->config.ampere[ch - PW_BOARD_PHASES];
        bool still = analog->seen[ch].least == analog->seen[ch].most;
        if (input->gain_nano == 0) {
            continue;
        }
        analog->clipped |= analog->seen[ch].clipped ? (uint8_t)(1U << ch) : 0;
        analog->dead |= (still && alive) || stuck(analog, ch) ? (uint8_t)(1U << ch) : 0;
    }
}

// The phase with a voltage of its own goes on; another one takes over when it has lost half.
static void choose_reference(struct pw_analog *analog)
{
    int64_t rms[PW_BOARD_PHASES];
    unsigned best = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        const struct pw_analog_sums *s = &analog->window;
        rms[p] = analog->config.volt[p].gain_nano == 0
                     ? -1
                     : rms_q16(s->phase[p].vv, s->phase[p].v, s->weight);
        best = rms[p] > rms[best] ? p : best;
    }
    unsigned reference = analog->reference;
    if (rms[reference] < rms[best] / 2) {
        reference = best;
        analog->whole = false;
        analog->armed = false;
        analog->young = PW_ANALOG_HISTORY; // the low-pass must settle on it
    }
    analog->reference = (uint8_t)reference;
    analog->middle = (int32_t)mean(analog->window.phase[reference].v, analog->window.weight, 8);
    analog->level = (int32_t)pw_max(rms[reference] / 256 / 4, LEVEL_MIN);
}

static void forget_window(struct pw_analog *analog)
{
    analog->window = (struct pw_analog_sums){.weight = 0};
    analog->periods = 0;
    analog->crossings = true;
    for (unsigned ch = 0; ch < CHANNELS; ch++) {
        int16_t last = analog->seen[ch].last;
        analog->seen[ch].least = last;
        analog->seen[ch].most = last;
        analog->seen[ch].clipped = false;
    }
}

static int32_t weight_of(const struct pw_analog *analog, int32_t ms)
{
    return (int32_t)((int64_t)analog->rate_hz * SHARE * ms / 1000);
}

// ---------------------------------------------------------------------------------------------
// Cutting

static unsigned end_period(struct pw_analog *analog, bool crossing, pw_ms at)
{
    unsigned news = PW_ANALOG_PERIOD;
    show(analog, &analog->period, &analog->fast);
    analog->fast.at = at;
    analog->fast.mhz =
        crossing ? frequency_mhz(analog, 1, analog->period.weight) : PW_BOARD_UNKNOWN;
    add_period(analog);
    analog->periods++;
    analog->crossings = analog->crossings && crossing;
    if (analog->window.weight >= weight_of(analog, analog->config.window_ms)) {
        news |= PW_ANALOG_WINDOW;
        show(analog, &analog->window, &analog->mains);
        analog->mains.at = at;
        analog->mains.mhz = analog->crossings
                                ? frequency_mhz(analog, analog->periods, analog->window.weight)
                                : PW_BOARD_UNKNOWN;
        watch_channels(analog);
        choose_reference(analog);
        forget_window(analog);
    }
    return news;
}

// Whether the reference rose through its middle within this sample, and which share of the sample
// lay before that. The low-pass delays every crossing by the same time.
static bool crosses(struct pw_analog *analog, int32_t *before)
{
    int32_t old = analog->smooth - analog->middle;
    int32_t raw = past(analog, analog->reference, BASE) * SHARE;
    analog->smooth += (raw - analog->smooth) / 8;
    int32_t now = analog->smooth - analog->middle;
    if (now < -analog->level) {
        analog->armed = true;
    }
    if (!analog->armed || analog->young > 0 || old >= 0 || now < 0) {
        return false;
    }
    analog->armed = false;
    *before = (int32_t)(-(int64_t)old * SHARE / ((int64_t)now - old));
    return true;
}

static unsigned take_sample(struct pw_analog *analog, pw_ms at)
{
    unsigned news = 0;
    int32_t before = 0;
    int32_t longest = weight_of(analog, analog->whole ? PERIOD_MAX_MS : BLIND_MS);
    bool crossing = crosses(analog, &before);
    if (crossing && analog->whole && analog->period.weight < weight_of(analog, PERIOD_MIN_MS)) {
        crossing = false;
    }
    if (crossing) {
        bool first = !analog->whole;
        add_sample(analog, before);
        analog->whole = true;
        if (first) {
            forget_window(analog); // what lies before the first crossing is no whole period
        } else {
            news = end_period(analog, true, at);
        }
        analog->period = (struct pw_analog_sums){.weight = 0};
        add_sample(analog, SHARE - before);
        return news;
    }
    add_sample(analog, SHARE);
    if (analog->period.weight >= longest) {
        analog->whole = false;
        news = end_period(analog, false, at);
        analog->period = (struct pw_analog_sums){.weight = 0};
    }
    return news;
}

static void see(struct pw_analog *analog, unsigned channel, int16_t count)
{
    const struct pw_analog_config *c = &analog->config;
    int16_t last = analog->seen[channel].last;
    bool low = count <= c->rail_low && last <= c->rail_low;
    bool high = count >= c->rail_high && last >= c->rail_high;
    analog->seen[channel].clipped = analog->seen[channel].clipped || low || high;
    analog->seen[channel].least = (int16_t)pw_min(count, analog->seen[channel].least);
    analog->seen[channel].most = (int16_t)pw_max(count, analog->seen[channel].most);
    analog->seen[channel].last = count;
    analog->history[channel][analog->head] = count;
}

static int16_t count_of(const struct pw_board_block *block, unsigned channel, unsigned sample)
{
    return channel < PW_BOARD_PHASES ? block->volt[channel][sample]
                                     : block->ampere[channel - PW_BOARD_PHASES][sample];
}

// The first sample stands for all that was before it.
static void start(struct pw_analog *analog, const struct pw_board_block *block)
{
    analog->rate_hz = block->rate_hz;
    analog->head = 0;
    analog->young = PW_ANALOG_HISTORY;
    analog->whole = false;
    analog->armed = false;
    analog->period = (struct pw_analog_sums){.weight = 0};
    for (unsigned ch = 0; ch < CHANNELS; ch++) {
        int16_t count = count_of(block, ch, 0);
        analog->seen[ch].last = count;
        for (unsigned i = 0; i < PW_ANALOG_HISTORY; i++) {
            analog->history[ch][i] = count;
        }
    }
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        set_shift(analog, p);
    }
    if (analog->config.volt[analog->reference].gain_nano == 0) {
        unsigned p = analog->config.volt[1].gain_nano != 0 ? 1 : 2;
        analog->reference = (uint8_t)p;
    }
    analog->smooth = count_of(block, analog->reference, 0) * SHARE;
    analog->middle = analog->config.volt[analog->reference].zero * SHARE;
    analog->level = LEVEL_MIN;
    forget_window(analog);
}

static bool interrupted(const struct pw_analog *analog, const struct pw_board_block *block)
{
    pw_ms span = (pw_ms)block->count * 1000 / block->rate_hz;
    return analog->rate_hz != block->rate_hz || block->at < analog->at ||
           block->at > analog->at + span + BREAK_MS;
}

int pw_analog_block(struct pw_analog *analog, const struct pw_board_block *block, pw_ms now)
{
    bool rate_ok =
        block->rate_hz >= PW_ANALOG_RATE_MIN_HZ && block->rate_hz <= PW_ANALOG_RATE_MAX_HZ;
    if (block->count > PW_BOARD_BLOCK_MAX || (block->count > 0 && !rate_ok) || block->at > now) {
        analog->refused++;
        return PW_ERR_RANGE;
    }
    analog->cp_high_mv = along(&analog->config.cp, block->cp_high);
    analog->cp_low_mv = along(&analog->config.cp, block->cp_low);
    analog->pp_ohm = proximity(&analog->config, block->pp);
    if (block->count > 0 && (analog->rate_hz == 0 || interrupted(analog, block))) {
        analog->breaks += analog->rate_hz == 0 ? 0 : 1;
        start(analog, block);
    }
    unsigned news = 0;
    for (unsigned i = 0; i < block->count; i++) {
        for (unsigned ch = 0; ch < CHANNELS; ch++) {
            see(analog, ch, count_of(block, ch, i));
        }
        analog->head = (analog->head + 1) % PW_ANALOG_HISTORY;
        analog->young = (uint8_t)pw_max((int64_t)analog->young - 1, 0);
        pw_ms after = (pw_ms)(block->count - 1U - i) * 1000 / block->rate_hz;
        news |= take_sample(analog, block->at > after ? block->at - after : 0);
    }
    analog->at = block->at;
    return (int)news;
}

void pw_analog_sense(const struct pw_analog *analog, struct pw_board_senses *senses)
{
    senses->at = analog->at;
    senses->cp_high_mv = analog->cp_high_mv;
    senses->cp_low_mv = analog->cp_low_mv;
    senses->pp_ohm = analog->pp_ohm;
    senses->mains = analog->mains;
}
