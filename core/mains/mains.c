#include "mains/mains.h"

// clang-format off
#define ROTATION_ROW(name, l1, l2, l3) { #name, { (l1), (l2), (l3) } },
static const struct {
    char name[4];
    uint8_t grid[PW_BOARD_PHASES];
} rotations[PW_MAINS_ROTATION_COUNT] = { PW_MAINS_ROTATIONS(ROTATION_ROW) };

#define QUALITY_NAME(name, text) text,
static const char *const quality_names[PW_MAINS_QUALITY_COUNT] = {
    PW_MAINS_QUALITIES(QUALITY_NAME)
};
// clang-format on

#define RATED_MAX    2000000    // mV and mA: a bound for the products below, far above any outlet
#define BACK_MAX     1000000000 // mW
#define GAP_MAX_MS   60000
#define MHZ_MIN      40000
#define MHZ_MAX      70000
#define STEP_MWH     200000 // registers step by up to 100 Wh; two of them may meet in one reading
#define COMPARE_MWH  1000000
#define APART_SHARE  10
#define SLACK_MW     500000 // volts, amperes and watts of one reading are not of one instant
#define LONG_MS      (INT64_C(1) << 29)
#define UNITS_PER_UJ 1000 // of 0.5 nJ in half a microjoule: two powers make a trapezoid's halves
#define UJ_PER_MWH   3600000

const char *pw_mains_rotation_name(enum pw_mains_rotation rotation)
{
    PW_ASSERT(rotation < PW_MAINS_ROTATION_COUNT);
    return rotations[rotation].name;
}

int pw_mains_rotation_of(struct pw_str text, enum pw_mains_rotation *rotation)
{
    for (unsigned i = 0; i < PW_MAINS_ROTATION_COUNT; i++) {
        if (pw_str_is(text, rotations[i].name)) {
            *rotation = (enum pw_mains_rotation)i;
            return PW_OK;
        }
    }
    return PW_ERR_UNKNOWN;
}

unsigned pw_mains_grid_phase(enum pw_mains_rotation rotation, unsigned outlet_phase)
{
    PW_ASSERT(rotation < PW_MAINS_ROTATION_COUNT && outlet_phase < PW_BOARD_PHASES);
    return rotations[rotation].grid[outlet_phase];
}

unsigned pw_mains_outlet_phase(enum pw_mains_rotation rotation, unsigned grid_phase)
{
    PW_ASSERT(rotation < PW_MAINS_ROTATION_COUNT && grid_phase < PW_BOARD_PHASES);
    unsigned phase = 0;
    while (rotations[rotation].grid[phase] != grid_phase) {
        phase++;
    }
    return phase;
}

const char *pw_mains_quality_name(enum pw_mains_quality quality)
{
    PW_ASSERT(quality < PW_MAINS_QUALITY_COUNT);
    return quality_names[quality];
}

// ---------------------------------------------------------------------------------------------
// Configuration and what lasts

static int32_t or_default(int32_t value, int32_t fallback)
{
    return value == 0 ? fallback : value;
}

static int fill(struct pw_mains_config *to, const struct pw_mains_config *from)
{
    struct pw_mains_config c = {
        .phases = from->phases == 0 ? PW_BOARD_PHASES : from->phases,
        .rotation = from->rotation,
        .max_mv = or_default(from->max_mv, 300000),
        .max_ma = or_default(from->max_ma, 100000),
        .back_mw = or_default(from->back_mw, 50000),
        .start_ma = or_default(from->start_ma, 50),
        .use_ma = or_default(from->use_ma, 2000),
        .use_ms = or_default(from->use_ms, 2000),
        .gap_ms = or_default(from->gap_ms, 5000),
        .frozen_ms = or_default(from->frozen_ms, 120000),
        .checkpoint_ms = or_default(from->checkpoint_ms, 60000),
        .checkpoint_mwh = or_default(from->checkpoint_mwh, 100000),
    };
    bool negative = c.max_mv < 0 || c.max_ma < 0 || c.back_mw < 0 || c.start_ma < 0 ||
                    c.use_ma < 0 || c.use_ms < 0 || c.gap_ms < 0 || c.frozen_ms < 0 ||
                    c.checkpoint_ms < 0 || c.checkpoint_mwh < 0;
    bool wide = c.max_mv > RATED_MAX || c.max_ma > RATED_MAX || c.back_mw > BACK_MAX ||
                c.gap_ms > GAP_MAX_MS;
    if (negative || wide || (c.phases != 1 && c.phases != PW_BOARD_PHASES) ||
        c.rotation >= PW_MAINS_ROTATION_COUNT) {
        return PW_ERR_RANGE;
    }
    *to = c;
    return PW_OK;
}

int pw_mains_init(struct pw_mains *mains, const struct pw_mains_config *config, pw_ms now)
{
    struct pw_mains fresh = {
        .good.at = PW_NEVER,
        .last.at = PW_NEVER,
        .import_mwh = -1,
        .moved_at = now,
        .saving.saved_at = now,
    };
    int err = pw_mains_configure(&fresh, config);
    if (err < 0) {
        return err;
    }
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        fresh.use[p].since = PW_NEVER;
    }
    *mains = fresh;
    return PW_OK;
}

int pw_mains_configure(struct pw_mains *mains, const struct pw_mains_config *config)
{
    int err = fill(&mains->config, config);
    mains->saving.every_ms = mains->config.checkpoint_ms;
    mains->saving.every_mwh = mains->config.checkpoint_mwh;
    return err;
}

struct pw_mains_keep pw_mains_keep(const struct pw_mains *mains)
{
    struct pw_mains_keep keep = {.total = mains->total};
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        keep.phase[p] = mains->phase[p];
    }
    return keep;
}

int pw_mains_restore(struct pw_mains *mains, const struct pw_mains_keep *keep, pw_ms now)
{
    int err = pw_meter_register_check(keep->total, mains->total);
    for (unsigned p = 0; p < PW_BOARD_PHASES && err == PW_OK; p++) {
        err = pw_meter_register_check(keep->phase[p], mains->phase[p]);
    }
    if (err < 0) {
        return err;
    }
    mains->total = keep->total;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        mains->phase[p] = keep->phase[p];
    }
    pw_meter_saving_done(&mains->saving, mains->total.energy_mwh, now);
    return PW_OK;
}

bool pw_mains_checkpoint_due(const struct pw_mains *mains, pw_ms now)
{
    return pw_meter_saving_due(&mains->saving, mains->total.energy_mwh, now);
}

void pw_mains_checkpointed(struct pw_mains *mains, pw_ms now)
{
    pw_meter_saving_done(&mains->saving, mains->total.energy_mwh, now);
}

pw_ms pw_mains_deadline(const struct pw_mains *mains)
{
    return pw_meter_saving_deadline(&mains->saving, mains->total.energy_mwh);
}

// ---------------------------------------------------------------------------------------------
// Judging a reading

static bool known(int32_t value)
{
    return value != PW_BOARD_UNKNOWN;
}

static bool outside(int32_t value, int32_t most)
{
    return known(value) && (value < 0 || value > most);
}

// Volts times amperes in mW: at most 4e9 after `judge`.
static int64_t apparent_mw(const struct pw_board_mains *r, unsigned p)
{
    return (int64_t)r->mv[p] * r->ma[p] / 1000;
}

// Active power of a phase in mW, or PW_BOARD_UNKNOWN.
static int64_t power_of(const struct pw_mains *mains, const struct pw_board_mains *r, unsigned p)
{
    if (known(r->ma[p]) && r->ma[p] < mains->config.start_ma) {
        return 0; // what a sensor shows without a current is no energy
    }
    if (known(r->mw[p])) {
        return r->mw[p];
    }
    return known(r->mv[p]) && known(r->ma[p]) ? apparent_mw(r, p) : PW_BOARD_UNKNOWN;
}

static bool moved(const struct pw_board_mains *a, const struct pw_board_mains *b)
{
    bool same = a->mhz == b->mhz && a->import_mwh == b->import_mwh;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        same = same && a->mv[p] == b->mv[p] && a->ma[p] == b->ma[p] && a->mw[p] == b->mw[p];
    }
    return !same;
}

static enum pw_mains_quality judge_phase(const struct pw_mains *mains,
                                         const struct pw_board_mains *r, unsigned p)
{
    const struct pw_mains_config *c = &mains->config;
    if (outside(r->mv[p], c->max_mv) || outside(r->ma[p], c->max_ma)) {
        return PW_MAINS_RANGE;
    }
    if (!known(r->mw[p])) {
        return PW_MAINS_GOOD;
    }
    if (r->mw[p] < -c->back_mw) {
        return PW_MAINS_NEGATIVE;
    }
    int64_t va = known(r->mv[p]) && known(r->ma[p]) ? apparent_mw(r, p)
                                                    : (int64_t)c->max_mv * c->max_ma / 1000;
    int64_t size = r->mw[p] < 0 ? -(int64_t)r->mw[p] : r->mw[p];
    return size > va + va / APART_SHARE + SLACK_MW ? PW_MAINS_POWER : PW_MAINS_GOOD;
}

static enum pw_mains_quality judge(const struct pw_mains *mains, const struct pw_board_mains *r)
{
    const struct pw_mains_config *c = &mains->config;
    bool something = r->import_mwh >= 0;
    bool flows = false;
    enum pw_mains_quality quality = PW_MAINS_GOOD;
    for (unsigned p = 0; p < c->phases && quality == PW_MAINS_GOOD; p++) {
        quality = judge_phase(mains, r, p);
        something = something || known(r->ma[p]) || known(r->mw[p]);
        flows = flows || (known(r->ma[p]) && r->ma[p] >= c->start_ma);
    }
    if (quality != PW_MAINS_GOOD) {
        return quality;
    }
    if (!something) {
        return PW_MAINS_EMPTY;
    }
    if (known(r->mhz) && r->mhz != 0 && (r->mhz < MHZ_MIN || r->mhz > MHZ_MAX)) {
        return PW_MAINS_RANGE;
    }
    bool frozen = flows && pw_elapsed(mains->moved_at, (pw_ms)c->frozen_ms, r->at);
    return frozen ? PW_MAINS_FROZEN : PW_MAINS_GOOD;
}

// ---------------------------------------------------------------------------------------------
// Counting a good one

// What power and time add to the phases since the last good reading; returns the sum in mWh's
// units. Power is at most 4e9 mW, a gap 6e4 ms: below 2^59 a phase.
static uint64_t count_phases(struct pw_mains *mains, const struct pw_board_mains *r, pw_ms span)
{
    uint64_t sum = 0;
    for (unsigned p = 0; p < mains->config.phases; p++) {
        int64_t before = power_of(mains, &mains->good, p);
        int64_t after = power_of(mains, r, p);
        if (before == PW_BOARD_UNKNOWN || after == PW_BOARD_UNKNOWN) {
            continue;
        }
        // What is given back is no charge; it does not run the register backwards either.
        uint64_t power = (uint64_t)pw_max(before, 0) + (uint64_t)pw_max(after, 0);
        uint64_t units = power * span * UNITS_PER_UJ;
        pw_meter_register_add(&mains->phase[p], units);
        sum += units;
    }
    return sum;
}

// How far the source's register may have come since it was last believed.
static int64_t furthest(const struct pw_mains *mains, pw_ms at)
{
    const struct pw_mains_config *c = &mains->config;
    int64_t span = pw_min((int64_t)(at - mains->import_at), LONG_MS);
    int64_t most_mw = (int64_t)c->max_mv * c->max_ma / 1000 * c->phases; // below 2^34
    return most_mw * span / UJ_PER_MWH + STEP_MWH;
}

// The source's own register, against what the phases say: a stuck or lying one shows here.
static void compare(struct pw_mains *mains, int64_t step_mwh, uint64_t phases_units)
{
    mains->apart_import_mwh += step_mwh;
    pw_meter_register_add(&mains->apart_phases, phases_units);
    int64_t import = mains->apart_import_mwh;
    int64_t phases = (int64_t)mains->apart_phases.energy_mwh;
    int64_t larger = pw_max(import, phases);
    if (larger < COMPARE_MWH) {
        return;
    }
    if (larger - pw_min(import, phases) > larger / APART_SHARE) {
        mains->disagreements++;
    }
    mains->apart_import_mwh = 0;
    mains->apart_phases = (struct pw_meter_register){.energy_mwh = 0};
}

static void count(struct pw_mains *mains, const struct pw_board_mains *r)
{
    uint64_t units = 0;
    bool joined = false;
    if (mains->neighbour) {
        pw_ms span = r->at - mains->good.at;
        joined = span <= (pw_ms)mains->config.gap_ms;
        mains->gaps += joined ? 0 : 1;
        units = joined ? count_phases(mains, r, span) : 0;
    }
    if (mains->import_mwh < 0) {
        pw_meter_register_add(&mains->total, units);
    } else if (r->import_mwh >= 0) {
        int64_t step = r->import_mwh - mains->import_mwh;
        if (step >= 0 && step <= furthest(mains, r->at)) {
            mains->total.energy_mwh += (uint64_t)step;
            if (joined) {
                compare(mains, step, units);
            }
        } else {
            mains->jumps++;
            pw_meter_register_add(&mains->total, units);
        }
    } else if (pw_elapsed(mains->import_at, (pw_ms)mains->config.gap_ms, r->at)) {
        mains->import_mwh = -1; // it has no register any more
        pw_meter_register_add(&mains->total, units);
    }
    if (r->import_mwh >= 0) {
        mains->import_mwh = r->import_mwh;
        mains->import_at = r->at;
    }
}

static void watch_use(struct pw_mains *mains, const struct pw_board_mains *r)
{
    const struct pw_mains_config *c = &mains->config;
    for (unsigned p = 0; p < c->phases; p++) {
        bool on = mains->use[p].on;
        bool other = known(r->ma[p]) && (on ? r->ma[p] < c->use_ma / 2 : r->ma[p] >= c->use_ma);
        if (!other) {
            mains->use[p].since = PW_NEVER;
        } else if (mains->use[p].since == PW_NEVER) {
            mains->use[p].since = r->at;
        }
        if (pw_elapsed(mains->use[p].since, (pw_ms)c->use_ms, r->at)) {
            mains->use[p].on = !on;
            mains->use[p].since = PW_NEVER;
        }
        if (mains->use[p].on) {
            mains->ever_used |= (uint8_t)(1U << p);
        }
    }
}

enum pw_mains_quality pw_mains_read(struct pw_mains *mains, const struct pw_board_mains *reading,
                                    pw_ms now)
{
    bool late = reading->at == PW_NEVER || reading->at > now ||
                (mains->last.at != PW_NEVER && reading->at <= mains->last.at);
    if (late) {
        mains->quality = PW_MAINS_STALE;
        mains->refused++;
        return PW_MAINS_STALE;
    }
    if (mains->last.at == PW_NEVER || moved(&mains->last, reading)) {
        mains->moved_at = reading->at;
    }
    mains->last = *reading;
    mains->quality = judge(mains, reading);
    if (mains->quality != PW_MAINS_GOOD) {
        // What lies around a reading that makes no sense is not known either.
        mains->neighbour = false;
        mains->refused++;
        return mains->quality;
    }
    count(mains, reading);
    watch_use(mains, reading);
    mains->good = *reading;
    mains->neighbour = true;
    return PW_MAINS_GOOD;
}

void pw_mains_part(struct pw_mains *mains)
{
    mains->neighbour = false;
}

void pw_mains_forget_use(struct pw_mains *mains)
{
    mains->ever_used = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        mains->use[p].on = false;
        mains->use[p].since = PW_NEVER;
    }
}

// ---------------------------------------------------------------------------------------------
// Showing

static void show_phase(const struct pw_mains *mains, struct pw_mains_view *view, unsigned p)
{
    int64_t power = power_of(mains, &mains->good, p);
    int32_t ma = mains->good.ma[p];
    view->mv[p] = mains->good.mv[p];
    view->ma[p] = known(ma) && ma < mains->config.start_ma ? 0 : ma;
    view->mw[p] = (int32_t)pw_min(power, INT32_MAX);
    view->power_mw += power == PW_BOARD_UNKNOWN ? 0 : power;
    if (known(ma)) {
        view->max_ma = (int32_t)pw_max(view->max_ma, view->ma[p]);
    } else {
        view->missing |= (uint8_t)(1U << p);
    }
}

void pw_mains_view(const struct pw_mains *mains, struct pw_mains_view *view, pw_ms now)
{
    const struct pw_board_mains *good = &mains->good;
    *view = (struct pw_mains_view){
        .fresh =
            good->at != PW_NEVER && !pw_elapsed(good->at, (pw_ms)mains->config.gap_ms + 1, now),
        .quality = mains->quality,
        .at = good->at,
        .phases = mains->config.phases,
        .rotation = mains->config.rotation,
        .mhz = PW_BOARD_UNKNOWN,
        .max_ma = PW_BOARD_UNKNOWN,
        .ever_used = mains->ever_used,
        .energy_mwh = mains->total.energy_mwh,
    };
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        view->mv[p] = PW_BOARD_UNKNOWN;
        view->ma[p] = PW_BOARD_UNKNOWN;
        view->mw[p] = PW_BOARD_UNKNOWN;
        view->phase_energy_mwh[p] = mains->phase[p].energy_mwh;
        if (p >= mains->config.phases) {
            continue;
        }
        if (view->fresh) {
            show_phase(mains, view, p);
        } else {
            view->missing |= (uint8_t)(1U << p);
        }
        if (view->fresh && mains->use[p].on) {
            view->used |= (uint8_t)(1U << p);
        }
    }
    if (view->fresh) {
        view->mhz = good->mhz;
    }
}
