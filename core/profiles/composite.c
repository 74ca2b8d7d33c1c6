// The composite schedule: the limits as they will follow each other, second by second, as far as is
// known today.
#include "profiles/profiles.h"

enum {
    LOOKS_MAX = 4000, // instants asked before the schedule is cut: bounds the time it takes
    FACTOR = 100000,  // mA times mV to tenths of a watt
};

struct point {
    int64_t tenths; // in the unit asked for
    uint8_t phases;
    int64_t mv; // of the phases that the limit was worked out for
    pw_unix_ms until;
};

// One ampere of the station's side, all phases: of the member with the most.
static int64_t station_mv(const struct pw_composite_question *question)
{
    int64_t mv = 1;
    for (unsigned i = 0; i < question->members; i++) {
        mv = pw_max(mv, question->member[i].scale.grid_mv);
    }
    return mv;
}

static int64_t in_unit(enum pw_profile_unit unit, int64_t ma, int64_t mv)
{
    return unit == PW_PROFILE_AMPERE ? ma / 100 : ma * mv / FACTOR;
}

// A plan counts in the phases that a period in watts names, while those in use are not known.
static struct pw_profile_scale planned(const struct pw_profile_value *value,
                                       const struct pw_profile_scale *scale)
{
    struct pw_profile_scale plan = *scale;
    bool fewer = !scale->seen && value->unit == PW_PROFILE_WATT && value->phases > 0 &&
                 value->phases < scale->phases;
    if (fewer) {
        plan.mv = scale->mv * value->phases / scale->phases;
        plan.grid_mv = scale->grid_mv * value->phases / scale->phases;
        plan.phases = value->phases;
    }
    return plan;
}

// Output milliampere of one member, and what of the profiles made it so little.
static int32_t member_ma(const struct pw_composite_question *question,
                         const struct pw_composite_member *member,
                         const struct pw_profile_value *station, pw_unix_ms at, struct point *point)
{
    const struct pw_profile_moment moment = {
        .at = at, .began = member->transaction != 0 ? member->began : question->at};
    struct pw_profile_value own = pw_profiles_transaction(
        question->set, member->connector, member->transaction, question->ignored, &moment);
    int32_t ma = member->most_ma;
    point->until = pw_min(point->until, own.until);
    const struct pw_profile_value *values[2] = {&own, station};
    point->mv = member->scale.mv;
    for (size_t i = 0; i < PW_COUNT(values); i++) {
        struct pw_profile_scale plan = planned(values[i], &member->scale);
        int32_t planned_ma = values[i]->any ? pw_profile_ma(values[i], &plan) : INT32_MAX;
        if (values[i]->any && (planned_ma < ma || (i == 0 && planned_ma == ma))) {
            ma = planned_ma;
            point->phases = values[i]->phases;
            point->mv = plan.mv;
        }
    }
    return ma;
}

static int64_t grid_ma(const struct pw_profile_scale *scale, int64_t output_ma)
{
    int64_t mv = scale->grid_mv * scale->efficiency_permille / 1000;
    return scale->mv == scale->grid_mv ? output_ma : (output_ma * scale->mv + mv - 1) / mv;
}

// The sum of the members on the grid's side, no more than the station's profile.
static void sum_up(const struct pw_composite_question *question,
                   const struct pw_profile_value *station, pw_unix_ms at, struct point *point)
{
    int64_t mv = station_mv(question);
    int64_t sum = 0;
    for (unsigned i = 0; i < question->members; i++) {
        const struct pw_composite_member *member = &question->member[i];
        int64_t ma = grid_ma(&member->scale, member_ma(question, member, station, at, point));
        bool ac = member->scale.mv == member->scale.grid_mv;
        sum += in_unit(question->unit, ma, ac ? point->mv : member->scale.grid_mv);
    }
    point->phases = 0;
    point->tenths = sum;
    if (!station->any) {
        return;
    }
    int64_t most = station->unit == question->unit ? station->limit_tenths
                   : station->unit == PW_PROFILE_AMPERE
                       ? station->limit_tenths * mv / 1000
                       : (int64_t)station->limit_tenths * 1000 / mv;
    if (most <= sum) {
        point->tenths = most;
        point->phases = station->phases;
    }
}

static struct point look(const struct pw_composite_question *question, pw_unix_ms at)
{
    const struct pw_profile_moment moment = {.at = at, .began = at};
    struct pw_profile_value station =
        pw_profiles_station(question->set, question->ignored, &moment);
    struct point point = {.until = station.until};
    if (question->station) {
        sum_up(question, &station, at, &point);
    } else {
        const struct pw_composite_member *member = &question->member[0];
        int32_t ma = member_ma(question, member, &station, at, &point);
        point.tenths = in_unit(question->unit, ma, point.mv);
    }
    point.tenths = pw_min(point.tenths, INT32_MAX);
    return point;
}

void pw_profiles_composite(const struct pw_composite_question *question,
                           struct pw_composite *composite)
{
    int64_t offset_s = 0;
    unsigned looks = 0;
    PW_ASSERT(question->members > 0);
    composite->periods = 0;
    composite->duration_s = question->duration_s;
    do {
        struct point point = look(question, question->at + offset_s * 1000);
        unsigned n = composite->periods;
        bool same = n > 0 && composite->limit_tenths[n - 1] == point.tenths &&
                    composite->phases[n - 1] == point.phases;
        if (!same && (n == PW_PROFILE_PERIODS_MAX || looks >= LOOKS_MAX)) {
            composite->duration_s = (uint32_t)offset_s;
            return;
        }
        if (!same) {
            composite->start_s[n] = (uint32_t)offset_s;
            composite->limit_tenths[n] = (int32_t)point.tenths;
            composite->phases[n] = point.phases;
            composite->periods++;
        }
        if (point.until == PW_PROFILE_EVER) {
            return;
        }
        // The first whole second at which the next one counts.
        offset_s = (point.until - question->at + 999) / 1000;
        looks++;
    } while (offset_s < (int64_t)question->duration_s && looks <= LOOKS_MAX);
    if (looks > LOOKS_MAX) {
        composite->duration_s = (uint32_t)offset_s;
    }
}
