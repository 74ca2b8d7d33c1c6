// What a profile, and a set of them, says at an instant.
#include "profiles/profiles.h"

enum { DAY_S = 86400, WEEK_S = 604800 };

#define PW_PROFILE_NAME(name, text) text,
static const char *const purpose_names[] = {PW_PROFILE_PURPOSES(PW_PROFILE_NAME)};
static const char *const kind_names[] = {PW_PROFILE_KINDS(PW_PROFILE_NAME)};
#undef PW_PROFILE_NAME

const char *pw_profile_purpose_name(enum pw_profile_purpose purpose)
{
    return (unsigned)purpose < PW_PROFILE_PURPOSE_ROWS ? purpose_names[purpose] : "unknown";
}

const char *pw_profile_kind_name(enum pw_profile_kind kind)
{
    return (unsigned)kind < PW_PROFILE_KIND_ROWS ? kind_names[kind] : "unknown";
}

// ---------------------------------------------------------------------------------------------
// What may be installed.

static int refuse(struct pw_out *why, const char *sentence)
{
    if (why != NULL) {
        pw_put_s(why, sentence);
    }
    return PW_ERR_RANGE;
}

static int check_periods(const struct pw_profile *profile, struct pw_out *why)
{
    if (!pw_within(why, "periods", profile->periods, 1, PW_PROFILE_PERIODS_MAX)) {
        return PW_ERR_RANGE;
    }
    if (profile->start_s[0] != 0) {
        return refuse(why, "the first startPeriod must be 0");
    }
    for (unsigned i = 0; i < profile->periods; i++) {
        if (i > 0 && profile->start_s[i] <= profile->start_s[i - 1]) {
            return refuse(why, "every startPeriod must be later than the one before");
        }
        if (!pw_within(why, "limit", profile->limit_tenths[i], 0, INT32_MAX) ||
            !pw_within(why, "startPeriod", profile->start_s[i], 0, INT32_MAX) ||
            !pw_within(why, "numberPhases", profile->phases[i], 0, 3)) {
            return PW_ERR_RANGE;
        }
    }
    return PW_OK;
}

static int check_times(const struct pw_profile *profile, struct pw_out *why)
{
    bool from = profile->valid_from == PW_PROFILE_ALWAYS;
    bool to = profile->valid_to == PW_PROFILE_EVER;
    if (!pw_within(why, "startSchedule", profile->start, 0, PW_PROFILE_LAST_MS) ||
        !pw_within(why, "validFrom", from ? 0 : profile->valid_from, 0, PW_PROFILE_LAST_MS) ||
        !pw_within(why, "validTo", to ? 0 : profile->valid_to, 0, PW_PROFILE_LAST_MS)) {
        return PW_ERR_RANGE;
    }
    return profile->valid_from < profile->valid_to
               ? PW_OK
               : refuse(why, "validTo must be later than validFrom");
}

int pw_profile_check(const struct pw_profile *profile, struct pw_out *why)
{
    bool known = profile->purpose < PW_PROFILE_PURPOSE_ROWS &&
                 profile->kind < PW_PROFILE_KIND_ROWS && profile->unit <= PW_PROFILE_AMPERE;
    if (!known) {
        return refuse(why, "purpose, kind or unit is not known");
    }
    if (!pw_within(why, "stackLevel", profile->level, 0, PW_PROFILE_LEVEL_MAX) ||
        !pw_within(why, "duration", profile->duration_s, 0, INT32_MAX) ||
        !pw_within(why, "minChargingRate", profile->min_tenths, 0, INT32_MAX)) {
        return PW_ERR_RANGE;
    }
    int err = check_times(profile, why);
    return err == PW_OK ? check_periods(profile, why) : err;
}

// ---------------------------------------------------------------------------------------------
// One profile.

static bool needs_date(const struct pw_profile *profile)
{
    return profile->purpose == PW_PROFILE_STATION ||
           (profile->kind != PW_PROFILE_RELATIVE && profile->has_start);
}

static void sooner(struct pw_profile_value *value, pw_unix_ms at)
{
    value->until = pw_min(value->until, at);
}

static void take_period(struct pw_profile_value *value, const struct pw_profile *profile,
                        unsigned period)
{
    value->any = true;
    value->purpose = profile->purpose;
    value->unit = profile->unit;
    value->phases = profile->phases[period];
    value->limit_tenths = profile->limit_tenths[period];
    value->min_tenths = profile->min_tenths;
    value->id = profile->id;
}

// The period that holds an offset; the first begins at 0.
static unsigned period_at(const struct pw_profile *profile, int64_t offset_ms)
{
    unsigned low = 0;
    unsigned high = profile->periods;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if ((int64_t)profile->start_s[middle] * 1000 <= offset_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static unsigned least_period(const struct pw_profile *profile)
{
    unsigned least = 0;
    for (unsigned i = 1; i < profile->periods; i++) {
        least = profile->limit_tenths[i] < profile->limit_tenths[least] ? i : least;
    }
    return least;
}

// How long one run of the schedule may last; PW_PROFILE_EVER: for ever.
static int64_t run_ms(const struct pw_profile *profile)
{
    int64_t run = profile->duration_s > 0 ? (int64_t)profile->duration_s * 1000 : PW_PROFILE_EVER;
    int64_t cycle = profile->kind == PW_PROFILE_DAILY    ? (int64_t)DAY_S * 1000
                    : profile->kind == PW_PROFILE_WEEKLY ? (int64_t)WEEK_S * 1000
                                                         : PW_PROFILE_EVER;
    return pw_min(run, cycle); // what is longer than the recurrence is not executed (erratum 3.44)
}

static pw_unix_ms begins_at(const struct pw_profile_slot *slot,
                            const struct pw_profile_moment *moment)
{
    const struct pw_profile *profile = &slot->profile;
    if (profile->kind != PW_PROFILE_RELATIVE && profile->has_start) {
        return profile->start;
    }
    return profile->purpose == PW_PROFILE_STATION ? slot->received : moment->began;
}

// The schedule at `at`, validity apart.
static void look_up(const struct pw_profile *profile, pw_unix_ms begin, pw_unix_ms at,
                    struct pw_profile_value *value)
{
    bool recurs = profile->kind == PW_PROFILE_DAILY || profile->kind == PW_PROFILE_WEEKLY;
    int64_t cycle = (int64_t)(profile->kind == PW_PROFILE_DAILY ? DAY_S : WEEK_S) * 1000;
    int64_t run = run_ms(profile);
    if (at < begin) {
        sooner(value, begin);
        return;
    }
    if (recurs) {
        begin += (at - begin) / cycle * cycle;
        sooner(value, begin + cycle);
    }
    if (at - begin >= run) {
        return; // fall back to a lower level until the next run (erratum 3.43)
    }
    unsigned period = period_at(profile, at - begin);
    take_period(value, profile, period);
    if (run != PW_PROFILE_EVER) {
        sooner(value, begin + run);
    }
    if (period + 1 < profile->periods) {
        sooner(value, begin + (int64_t)profile->start_s[period + 1] * 1000);
    }
}

struct pw_profile_value pw_profile_at(const struct pw_profile_slot *slot,
                                      const struct pw_profile_moment *moment)
{
    const struct pw_profile *profile = &slot->profile;
    struct pw_profile_value value = {.any = false, .until = PW_PROFILE_EVER};
    if (moment->no_date && needs_date(profile)) {
        take_period(&value, profile, least_period(profile));
        return value;
    }
    if (!moment->no_date && moment->at >= profile->valid_to) {
        return value;
    }
    if (!moment->no_date && moment->at < profile->valid_from) {
        value.until = profile->valid_from;
        return value;
    }
    look_up(profile, begins_at(slot, moment), moment->at, &value);
    if (!moment->no_date) {
        sooner(&value, profile->valid_to);
    }
    return value;
}

// ---------------------------------------------------------------------------------------------
// The set.

// Which profiles of a purpose are asked, and of which connector and transaction.
struct scope {
    enum pw_profile_purpose purpose;
    unsigned connector;
    uint32_t transaction;
};

static bool concerns(const struct pw_profile_slot *slot, const struct scope *scope)
{
    if (!slot->used || slot->profile.purpose != scope->purpose) {
        return false;
    }
    switch (scope->purpose) {
    case PW_PROFILE_STATION: return true;
    case PW_PROFILE_DEFAULT: return slot->connector == 0 || slot->connector == scope->connector;
    case PW_PROFILE_TX:
        return slot->transaction == scope->transaction && slot->connector == scope->connector;
    case PW_PROFILE_PURPOSE_ROWS: break;
    }
    PW_UNREACHABLE();
}

// A default of connector 0 has been replaced for a connector with one of the same level (§3.13.1).
static bool replaced(const struct pw_profile_set *set, const struct pw_profile_slot *slot,
                     const struct scope *scope)
{
    if (scope->purpose != PW_PROFILE_DEFAULT || slot->connector != 0) {
        return false;
    }
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *other = &set->slot[i];
        if (concerns(other, scope) && other->connector != 0 &&
            other->profile.level == slot->profile.level) {
            return true;
        }
    }
    return false;
}

// Whether a profile counts without a doubt while the date is not known.
static bool is_sure(const struct pw_profile *profile)
{
    return !needs_date(profile) && profile->valid_from == PW_PROFILE_ALWAYS &&
           profile->valid_to == PW_PROFILE_EVER;
}

// Whether `a` allows less than `b`; without `any` nothing limits.
static bool is_less(const struct pw_profile_value *a, const struct pw_profile_value *b,
                    const struct pw_profile_moment *moment)
{
    enum { MAINS_MV = 690000 };
    static const struct pw_profile_scale usual = {
        .mv = MAINS_MV, .grid_mv = MAINS_MV, .efficiency_permille = 1000, .phases = 3};
    const struct pw_profile_scale *scale = moment->scale != NULL ? moment->scale : &usual;
    return a->any && (!b->any || pw_profile_ma(a, scale) < pw_profile_ma(b, scale));
}

// The highest level that says anything; `until` is the first instant at which any of them changes.
// Without the date: the least from the highest level down to the first that counts for sure.
static struct pw_profile_value prevailing(const struct pw_profile_set *set,
                                          const struct scope *scope,
                                          const struct pw_profile_moment *moment, bool *sure)
{
    struct pw_profile_value best = {.any = false, .until = PW_PROFILE_EVER};
    struct pw_profile_value least = best;
    pw_unix_ms until = PW_PROFILE_EVER;
    int32_t level = -1;
    int32_t sure_level = -1;
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *slot = &set->slot[i];
        if (!concerns(slot, scope) || replaced(set, slot, scope)) {
            continue;
        }
        struct pw_profile_value value = pw_profile_at(slot, moment);
        until = pw_min(until, value.until);
        if (value.any && slot->profile.level > level) {
            best = value;
            level = slot->profile.level;
        }
        if (value.any && is_sure(&slot->profile) && slot->profile.level > sure_level) {
            sure_level = slot->profile.level;
        }
    }
    for (unsigned i = 0; i < PW_PROFILES_MAX && moment->no_date; i++) {
        const struct pw_profile_slot *slot = &set->slot[i];
        bool asked = concerns(slot, scope) && !replaced(set, slot, scope) &&
                     slot->profile.level >= sure_level;
        struct pw_profile_value value = {.any = false};
        if (asked) {
            value = pw_profile_at(slot, moment);
        }
        least = is_less(&value, &least, moment) ? value : least;
    }
    best = moment->no_date ? least : best;
    best.until = until;
    *sure = !moment->no_date || sure_level >= 0;
    return best;
}

struct pw_profile_value pw_profiles_station(const struct pw_profile_set *set, unsigned ignored,
                                            const struct pw_profile_moment *moment)
{
    const struct scope scope = {.purpose = PW_PROFILE_STATION};
    if ((ignored >> PW_PROFILE_STATION & 1U) != 0) {
        return (struct pw_profile_value){.any = false, .until = PW_PROFILE_EVER};
    }
    bool sure = true;
    return prevailing(set, &scope, moment, &sure);
}

struct pw_profile_value pw_profiles_transaction(const struct pw_profile_set *set,
                                                unsigned connector, uint32_t transaction,
                                                unsigned ignored,
                                                const struct pw_profile_moment *moment)
{
    struct scope scope = {
        .purpose = PW_PROFILE_TX, .connector = connector, .transaction = transaction};
    struct pw_profile_value own = {.any = false, .until = PW_PROFILE_EVER};
    bool sure = true;
    if (transaction != 0 && (ignored >> PW_PROFILE_TX & 1U) == 0) {
        own = prevailing(set, &scope, moment, &sure);
    }
    if ((own.any && sure) || (ignored >> PW_PROFILE_DEFAULT & 1U) != 0) {
        return own;
    }
    scope.purpose = PW_PROFILE_DEFAULT;
    struct pw_profile_value value = prevailing(set, &scope, moment, &sure);
    pw_unix_ms until = pw_min(value.until, own.until);
    value = is_less(&own, &value, moment) ? own : value;
    value.until = until;
    return value;
}

// ---------------------------------------------------------------------------------------------
// Amperes and watts.

// What may be offered while nobody knows how many phases the vehicle will take.
static int64_t unseen_ma(const struct pw_profile_value *value, const struct pw_profile_scale *scale,
                         int64_t mw)
{
    int64_t all_ma = mw * 1000 / scale->mv;
    int64_t phases = pw_max(value->phases, scale->used);
    if (value->phases == 0 || phases >= scale->phases || all_ma >= scale->least_ma) {
        return all_ma;
    }
    return pw_min(mw * 1000 / (scale->mv * phases / scale->phases), scale->least_ma);
}

int32_t pw_profile_ma(const struct pw_profile_value *value, const struct pw_profile_scale *scale)
{
    PW_ASSERT(scale->mv > 0 && scale->grid_mv > 0);
    int64_t tenths = value->limit_tenths;
    bool station = value->purpose == PW_PROFILE_STATION;
    if (value->unit == PW_PROFILE_AMPERE && (!station || scale->grid_mv == scale->mv)) {
        return (int32_t)pw_min(tenths * 100, INT32_MAX);
    }
    // 0.1 W is 100 mW; 0.1 A at so many mV is a tenth as many mW. Below 2^58 throughout.
    int64_t mw = value->unit == PW_PROFILE_AMPERE ? tenths * scale->grid_mv / 10 : tenths * 100;
    mw = station && scale->efficiency_permille < 1000 ? mw / 1000 * scale->efficiency_permille : mw;
    return (int32_t)pw_min(scale->seen ? mw * 1000 / scale->mv : unseen_ma(value, scale, mw),
                           INT32_MAX);
}
