// What the whole station may draw, among those that charge. All users' currents rise together; who
// reaches what it can take, or sits on something that is full, stays there.
#include "profiles/profiles.h"

enum { PHASES = 3 };

// One bound: how much there is, and what a milliampere of each user's mains takes of it.
struct bound {
    int64_t room;
    int64_t weight[PW_PROFILE_SHARES_MAX];
};

// Milliampere of the mains, each phase, to those of the output, and back. Down, and up.
static int64_t to_output(const struct pw_profile_scale *scale, int64_t grid_ma)
{
    return scale->mv == scale->grid_mv
               ? grid_ma
               : grid_ma * scale->grid_mv / 1000 * scale->efficiency_permille / scale->mv;
}

static int64_t to_grid(const struct pw_profile_scale *scale, int64_t output_ma)
{
    int64_t denominator = scale->grid_mv * scale->efficiency_permille / 1000;
    return scale->mv == scale->grid_mv ? output_ma
                                       : (output_ma * scale->mv + denominator - 1) / denominator;
}

// Amperes bound each phase of the grid, watts everything together (in micro-units, so that a
// milliampere's weight is a whole number).
static unsigned lay_bounds(const struct pw_profile_value *value, const struct pw_profile_user *user,
                           unsigned users, struct bound *bound)
{
    if (value->unit == PW_PROFILE_WATT) {
        bound[0].room = (int64_t)value->limit_tenths * 100 * 1000; // microwatts
        for (unsigned i = 0; i < users; i++) {
            bound[0].weight[i] = user[i].scale.grid_mv;
        }
        return 1;
    }
    for (unsigned p = 0; p < PHASES; p++) {
        bound[p].room = (int64_t)value->limit_tenths * 100;
        for (unsigned i = 0; i < users; i++) {
            bound[p].weight[i] = (unsigned)user[i].phases >> p & 1U;
        }
    }
    return PHASES;
}

struct filling {
    struct bound bound[PHASES];
    unsigned bounds;
    unsigned users;
    int64_t most[PW_PROFILE_SHARES_MAX]; // mains; -1: takes no part
    int64_t got[PW_PROFILE_SHARES_MAX];
    bool rises[PW_PROFILE_SHARES_MAX];
};

// How far all who rise may stand, by one bound; INT64_MAX: it does not bind.
static int64_t level_of(const struct filling *fill, const struct bound *bound)
{
    int64_t room = bound->room;
    int64_t weight = 0;
    for (unsigned i = 0; i < fill->users; i++) {
        room -= fill->rises[i] ? 0 : fill->got[i] * bound->weight[i];
        weight += fill->rises[i] ? bound->weight[i] : 0;
    }
    return weight == 0 ? INT64_MAX : pw_max(room, 0) / weight;
}

// Raises everybody to the next stop and freezes who stands there. False: nobody rises any more.
static bool rise(struct filling *fill)
{
    int64_t level = INT64_MAX;
    bool any = false;
    for (unsigned k = 0; k < fill->bounds; k++) {
        level = pw_min(level, level_of(fill, &fill->bound[k]));
    }
    for (unsigned i = 0; i < fill->users; i++) {
        level = fill->rises[i] ? pw_min(level, fill->most[i]) : level;
        any = any || fill->rises[i];
    }
    bool frozen[PW_PROFILE_SHARES_MAX] = {false};
    for (unsigned i = 0; i < fill->users; i++) {
        frozen[i] = fill->rises[i] && level >= fill->most[i];
        for (unsigned k = 0; k < fill->bounds; k++) {
            bool full = level_of(fill, &fill->bound[k]) <= level;
            frozen[i] = frozen[i] || (fill->rises[i] && full && fill->bound[k].weight[i] > 0);
        }
    }
    for (unsigned i = 0; i < fill->users; i++) {
        fill->got[i] = fill->rises[i] ? level : fill->got[i];
        fill->rises[i] = fill->rises[i] && !frozen[i];
    }
    return any;
}

static void pour(struct filling *fill)
{
    for (unsigned i = 0; i < fill->users; i++) {
        fill->got[i] = 0;
        fill->rises[i] = fill->most[i] > 0;
    }
    while (rise(fill)) {
    }
}

// Who came last of those that got less than makes sense; -1: everybody has enough.
static int too_little(const struct filling *fill, const struct pw_profile_user *user)
{
    int last = -1;
    for (unsigned i = 0; i < fill->users; i++) {
        bool little = fill->most[i] > 0 && to_output(&user[i].scale, fill->got[i]) <
                                               pw_min(user[i].least_ma, user[i].most_ma);
        if (little && (last < 0 || user[i].turn > user[last].turn)) {
            last = (int)i;
        }
    }
    return last;
}

void pw_profile_share(const struct pw_profile_value *value, const struct pw_profile_user *user,
                      unsigned users, int32_t *ma)
{
    struct filling fill = {.users = users};
    PW_ASSERT(users <= PW_PROFILE_SHARES_MAX);
    fill.bounds = lay_bounds(value, user, users, fill.bound);
    for (unsigned i = 0; i < users; i++) {
        fill.most[i] = to_grid(&user[i].scale, user[i].most_ma);
    }
    pour(&fill);
    for (int out = too_little(&fill, user); out >= 0; out = too_little(&fill, user)) {
        fill.most[out] = -1;
        pour(&fill);
    }
    for (unsigned i = 0; i < users; i++) {
        int64_t output = to_output(&user[i].scale, pw_max(fill.got[i], 0));
        ma[i] = (int32_t)pw_clamp(output, 0, user[i].most_ma);
    }
}

int32_t pw_profile_room(const struct pw_profile_value *value, const struct pw_profile_user *user,
                        unsigned users, unsigned which)
{
    struct filling fill = {.users = users};
    int64_t level = INT64_MAX;
    PW_ASSERT(users <= PW_PROFILE_SHARES_MAX && which < users);
    fill.bounds = lay_bounds(value, user, users, fill.bound);
    for (unsigned i = 0; i < users; i++) {
        fill.got[i] = to_grid(&user[i].scale, user[i].held_ma);
        fill.rises[i] = i == which;
    }
    for (unsigned k = 0; k < fill.bounds; k++) {
        level = pw_min(level, level_of(&fill, &fill.bound[k]));
    }
    level = level == INT64_MAX ? INT32_MAX : level;
    return (int32_t)pw_clamp(to_output(&user[which].scale, level), 0, INT32_MAX);
}
