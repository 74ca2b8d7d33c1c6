#include "acboard/acboard.h"

#include <math.h>

#define SOURCE_V   12.0
#define SOURCE_OHM 1000.0
#define DIODE_V    0.7
#define SETTLED    8.0   // time constants after which an edge is over
#define BLOCK_MS   5     // PW_ACBOARD_BLOCK samples at PW_ACBOARD_RATE_HZ
#define FIFTH      0.015 // fifth harmonic of the grid's voltage
#define PP_NOISE   0.01
#define PROBE_DC   2.0 // noise of a temperature
#define STILL_A    0.02
#define TWO_PI     6.28318530717958647692

void pw_acboard_init(struct pw_acboard *board, const struct pw_acboard_config *config, pw_ms now)
{
    *board = (struct pw_acboard){
        .config = *config,
        .drive = {.cp = PW_BOARD_CP_FAULT},
        .heard_at = PW_NEVER,
        .expired = true,
        .report_at = now,
        .lively_until = now,
        .block_at = now + BLOCK_MS,
        .mains_since = now,
        .mains = {.at = PW_NEVER, .mhz = PW_BOARD_UNKNOWN, .import_mwh = -1},
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        board->mains.mv[i] = PW_BOARD_UNKNOWN;
        board->mains.ma[i] = PW_BOARD_UNKNOWN;
        board->mains.mw[i] = PW_BOARD_UNKNOWN;
    }
}

void pw_acboard_hear(struct pw_acboard *board, const struct pw_board_drive *drive, pw_ms now)
{
    if (board->deaf || board->dead) {
        return;
    }
    board->barred = drive->contactor && (board->barred || board->expired);
    board->drive = *drive;
    board->drive.contactor = drive->contactor && !board->barred;
    board->heard_at = now;
    board->expired = false;
}

void pw_acboard_stir(struct pw_acboard *board, pw_ms now)
{
    board->lively_until = now + PW_ACBOARD_LIVELY_MS;
    board->report_at = now;
}

pw_ms pw_acboard_step(struct pw_acboard *board, pw_ms now)
{
    if (!board->expired && pw_elapsed(board->heard_at, PW_BOARD_SILENCE_MS, now)) {
        // The lock stays: nobody may pull a plug because a cable broke.
        board->drive = (struct pw_board_drive){.cp = PW_BOARD_CP_FAULT, .lock = board->drive.lock};
        board->expired = true;
    }
    return board->expired ? PW_NEVER : pw_after(board->heard_at, PW_BOARD_SILENCE_MS);
}

pw_ms pw_acboard_due(const struct pw_acboard *board)
{
    return board->config.raw ? pw_earlier(board->report_at, board->block_at) : board->report_at;
}

// ---------------------------------------------------------------------------------------------
// The pilot.

static double level(double source_v, const struct pw_accar_load *load)
{
    if (!load->connected) {
        return source_v;
    }
    double share = load->ohm / (load->ohm + SOURCE_OHM);
    if (!load->diode) {
        return source_v * share;
    }
    return source_v > DIODE_V ? (source_v - DIODE_V) * share + DIODE_V : source_v;
}

static int32_t milli(double value)
{
    return (int32_t)lrint(value * 1000.0);
}

struct pw_acboard_pilot pw_acboard_pilot(const struct pw_acboard *board,
                                         const struct pw_accar_load *load)
{
    struct pw_acboard_pilot pilot = {.high_mv = 0, .low_mv = PW_BOARD_UNKNOWN};
    double high = level(SOURCE_V, load);
    double low = level(-SOURCE_V, load);
    if (board->dead) {
        return pilot;
    }
    switch (board->drive.cp) {
    case PW_BOARD_CP_FAULT: pilot.high_mv = milli(low); break;
    case PW_BOARD_CP_STEADY: pilot.high_mv = milli(high); break;
    case PW_BOARD_CP_PWM: {
        // 1 ppm of a 1 kHz period is 1 ns.
        double slew = board->config.cp_slew_ns;
        double rise = slew > 0.0 ? board->drive.duty_ppm / slew : SETTLED;
        double fall = slew > 0.0 ? (1000000 - board->drive.duty_ppm) / slew : SETTLED;
        double top = rise < SETTLED ? high - (high - low) * exp(-rise) : high;
        double bottom = fall < SETTLED ? low + (high - low) * exp(-fall) : low;
        pilot.high_mv = milli(top);
        pilot.low_mv = milli(bottom);
        break;
    }
    }
    return pilot;
}

// ---------------------------------------------------------------------------------------------
// Measuring.

void pw_acboard_measure(struct pw_acboard *board, const struct pw_acboard_flow *flow, pw_ms ms)
{
    double span = (double)ms;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        board->volt_ms[i] += flow->volt[i] * span;
        board->amp2_ms[i] += flow->amps[i] * flow->amps[i] * span;
        board->joule[i] += flow->volt[i] * flow->amps[i] * flow->factor * span / 1000.0;
    }
}

static int32_t shaken(struct pw_acboard *board, double value, double deviation)
{
    return (int32_t)lrint(value + pw_noise_bell(&board->noise) * deviation);
}

// The mains values of the interval that ends now.
static void close_interval(struct pw_acboard *board, const struct pw_acpath *path, pw_ms now)
{
    pw_ms span = now - board->mains_since;
    if (span < board->config.mains_ms) {
        return;
    }
    double ms = (double)span;
    board->mains.at = now;
    board->mains.mhz = shaken(board, path->hertz * 1000.0, 2.0);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        double amps = sqrt(board->amp2_ms[i] / ms);
        double noise_ma = amps > STILL_A ? board->config.noise_ma : 0.0;
        double volt = board->volt_ms[i] / ms;
        int32_t mv = volt > 0.0 ? shaken(board, volt * 1000.0, board->config.noise_mv) : 0;
        board->mains.mv[i] = i < path->config.phases ? mv : PW_BOARD_UNKNOWN;
        board->mains.ma[i] = (int32_t)pw_max(0, shaken(board, amps * 1000.0, noise_ma));
        board->mains.mw[i] = shaken(board, board->joule[i] / ms * 1e6, noise_ma * volt);
        board->volt_ms[i] = board->amp2_ms[i] = board->joule[i] = 0.0;
    }
    board->mains_since = now;
}

static enum pw_board_rcd rcd_of(const struct pw_acpath *path)
{
    if (!path->config.rcd) {
        return PW_BOARD_RCD_NONE;
    }
    return path->tripped ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK;
}

static int32_t proximity(struct pw_acboard *board, const struct pw_acpath *path, int32_t pp_ohm)
{
    if (!path->config.socket) {
        return PW_BOARD_UNKNOWN;
    }
    return pp_ohm == PW_BOARD_OPEN_OHM ? pp_ohm : shaken(board, pp_ohm, pp_ohm * PP_NOISE);
}

static double pilot_noise(const struct pw_acboard *board, const struct pw_accar *car)
{
    return board->config.cp_noise_mv + (car->plug_shown ? car->kind->cp_noise_mv : 0.0);
}

static void sense_pilot(struct pw_acboard *board, const struct pw_accar *car,
                        struct pw_board_senses *senses)
{
    struct pw_accar_load load = pw_accar_load(car);
    struct pw_acboard_pilot pilot = pw_acboard_pilot(board, &load);
    double noise = pilot_noise(board, car);
    senses->cp_high_mv = shaken(board, pilot.high_mv, noise);
    senses->cp_low_mv =
        pilot.low_mv == PW_BOARD_UNKNOWN ? PW_BOARD_UNKNOWN : shaken(board, pilot.low_mv, noise);
}

bool pw_acboard_senses(struct pw_acboard *board, const struct pw_acpath *path,
                       const struct pw_accar *car, int32_t pp_ohm, struct pw_board_senses *senses)
{
    pw_ms now = path->now;
    if (now < board->report_at) {
        return false;
    }
    board->report_at =
        now + (now < board->lively_until ? board->config.quick_ms : board->config.rest_ms);
    if (board->silent || board->dead) {
        return false;
    }
    *senses = (struct pw_board_senses){
        .at = now,
        .cp_high_mv = PW_BOARD_UNKNOWN,
        .cp_low_mv = PW_BOARD_UNKNOWN,
        .pp_ohm = PW_BOARD_UNKNOWN,
        .contact = pw_acpath_contact(path),
        .lock = pw_acpath_lock(path),
        .rcd = rcd_of(path),
        .earth = path->earth_lost ? PW_BOARD_EARTH_LOST : PW_BOARD_EARTH_OK,
        .estop = path->estop,
        .opened = board->expired || board->barred,
    };
    if (!board->config.raw) {
        sense_pilot(board, car, senses);
        senses->pp_ohm = proximity(board, path, pp_ohm);
    }
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        bool sensed = path->config.load_sense && i < path->config.phases;
        senses->load_mv[i] = sensed ? milli(pw_acpath_load_volt(path, i)) : PW_BOARD_UNKNOWN;
    }
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        senses->temp_dc[i] = shaken(board, path->probe_dc[i], PROBE_DC);
    }
    if (board->config.meter && !board->config.raw) {
        close_interval(board, path, now);
    }
    senses->mains = board->mains;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Samples.

static int16_t count(double value, double unit)
{
    double counts = rint(value / unit);
    return (int16_t)fmax(INT16_MIN + 1, fmin(INT16_MAX, counts));
}

// The proximity contact's divider.
static int16_t divide(int32_t ohm)
{
    if (ohm == PW_BOARD_UNKNOWN || ohm == PW_BOARD_OPEN_OHM) {
        return PW_ACBOARD_PP_OPEN;
    }
    return count(PW_ACBOARD_PP_OPEN * (double)ohm, (double)ohm + PW_ACBOARD_PP_PULL_OHM);
}

struct pw_analog_config pw_acboard_calibration(void)
{
    struct pw_analog_config config = {
        .cp = {.points = 2,
               .point = {{-1500, -1500 * PW_ACBOARD_COUNT_CP_MV},
                         {1500, 1500 * PW_ACBOARD_COUNT_CP_MV}}},
        .pp_pull_up_ohm = PW_ACBOARD_PP_PULL_OHM,
        .pp_open = PW_ACBOARD_PP_OPEN,
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        config.volt[i].gain_nano = PW_ACBOARD_COUNT_MV * 1000000;
        config.ampere[i].gain_nano = PW_ACBOARD_COUNT_MA * 1000000;
    }
    return config;
}

static void sample(struct pw_acboard *board, const struct pw_acpath *path,
                   const struct pw_accar *car, struct pw_board_block *block)
{
    double third = car->kind->third_permille / 1000.0;
    double crest = sqrt(2.0 / (1.0 + third * third));
    double grid = sqrt(2.0 / (1.0 + FIFTH * FIFTH));
    double lag = acos(PW_ACCAR_FACTOR);
    board->angle += path->hertz / PW_ACBOARD_RATE_HZ;
    board->angle -= floor(board->angle);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        double at = TWO_PI * (board->angle - i / 3.0);
        double volt = path->volt[i] * grid * (sin(at) + FIFTH * sin(5.0 * at));
        double amps = car->amps[i] * crest * (sin(at - lag) + third * sin(3.0 * (at - lag)));
        double noise_v = pw_noise_bell(&board->noise) * board->config.noise_mv;
        double noise_a = pw_noise_bell(&board->noise) * board->config.noise_ma;
        block->volt[i][block->count] = count(volt * 1000.0 + noise_v, PW_ACBOARD_COUNT_MV);
        block->ampere[i][block->count] = count(amps * 1000.0 + noise_a, PW_ACBOARD_COUNT_MA);
    }
    block->count++;
}

bool pw_acboard_block(struct pw_acboard *board, const struct pw_acpath *path,
                      const struct pw_accar *car, int32_t pp_ohm, struct pw_board_block *block)
{
    if (!board->config.raw || path->now < board->block_at) {
        return false;
    }
    struct pw_board_senses pilot = {0};
    *block = (struct pw_board_block){.at = board->block_at, .rate_hz = PW_ACBOARD_RATE_HZ};
    while (block->count < PW_ACBOARD_BLOCK) {
        sample(board, path, car, block);
    }
    sense_pilot(board, car, &pilot);
    block->cp_high = count(pilot.cp_high_mv, PW_ACBOARD_COUNT_CP_MV);
    block->cp_low = pilot.cp_low_mv == PW_BOARD_UNKNOWN
                        ? INT16_MIN
                        : count(pilot.cp_low_mv, PW_ACBOARD_COUNT_CP_MV);
    block->pp = divide(proximity(board, path, pp_ohm));
    board->block_at += BLOCK_MS;
    return !board->silent && !board->dead;
}
