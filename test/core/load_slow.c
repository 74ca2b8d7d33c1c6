// The slow solver. It shares nothing with core/load but the input: whole milliampere, one at a
// time, and all sums made anew for each question.
#include "load_site.h"

static const unsigned rotate[PW_LOAD_ROTATION_COUNT][3] = {
    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {0, 1, 2}};

static bool uses(const struct pw_load_member *member, unsigned phase)
{
    if (member->phases == 0 || member->rotation == PW_LOAD_UNKNOWN) {
        return true;
    }
    for (unsigned p = 0; p < 3; p++) {
        if ((((unsigned)member->phases >> p) & 1U) != 0 && rotate[member->rotation][p] == phase) {
            return true;
        }
    }
    return false;
}

static bool below(const struct pw_load *load, size_t circuit, size_t member)
{
    size_t c = load->member[member].circuit;
    while (c != circuit && c != PW_LOAD_NONE) {
        c = load->circuit[c].parent;
    }
    return c == circuit;
}

static bool over(const struct pw_load *load, const int32_t *ma, size_t circuit, unsigned phase)
{
    int64_t sum = pw_max(0, load->circuit[circuit].other_ma[phase]);
    for (size_t i = 0; i < load->members; i++) {
        sum += below(load, circuit, i) && uses(&load->member[i], phase) ? ma[i] : 0;
    }
    return sum > load->circuit[circuit].limit_ma[phase];
}

// Stops everybody of the moving ones who hangs on a phase that is over its limit.
static bool stop_some(const struct pw_load *load, const int32_t *ma, const bool *moving,
                      bool *stopped)
{
    bool any = false;
    for (size_t c = 0; c < load->circuits; c++) {
        for (unsigned p = 0; p < 3; p++) {
            if (!over(load, ma, c, p)) {
                continue;
            }
            for (size_t i = 0; i < load->members; i++) {
                if (moving[i] && below(load, c, i) && uses(&load->member[i], p)) {
                    stopped[i] = true;
                    any = true;
                }
            }
        }
    }
    return any;
}

// Raises those with this priority (-1: all) evenly to their caps.
static void raise_all(const struct pw_load *load, const int32_t *cap, int priority, int32_t *ma)
{
    bool stopped[SITE_MEMBERS] = {false};
    int32_t top = 0;
    for (size_t i = 0; i < load->members; i++) {
        bool in = priority < 0 || load->member[i].priority == priority;
        top = in && cap[i] > top ? cap[i] : top;
    }
    for (int32_t level = PW_LOAD_MIN_MA; level < top; level++) {
        for (;;) {
            bool moving[SITE_MEMBERS] = {false};
            for (size_t i = 0; i < load->members; i++) {
                bool in = priority < 0 || load->member[i].priority == priority;
                moving[i] = in && !stopped[i] && ma[i] == level && ma[i] < cap[i];
                ma[i] += moving[i] ? 1 : 0;
            }
            if (!stop_some(load, ma, moving, stopped)) {
                break;
            }
            for (size_t i = 0; i < load->members; i++) {
                ma[i] -= moving[i] ? 1 : 0;
            }
        }
    }
}

void slow_solve(const struct pw_load *load, const int32_t *demand_ma, int32_t *ma)
{
    int32_t cap[SITE_MEMBERS];
    int32_t top[SITE_MEMBERS];
    for (size_t i = 0; i < load->members; i++) {
        const struct pw_load_member *member = &load->member[i];
        ma[i] = member->min_ma;
        top[i] = member->max_ma;
        cap[i] = demand_ma[i] > 0 ? demand_ma[i] : member->max_ma;
    }
    for (int priority = PW_LOAD_PRIORITIES - 1; priority >= 0; priority--) {
        raise_all(load, cap, priority, ma);
    }
    raise_all(load, top, -1, ma);
}
