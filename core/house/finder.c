// Which phases of the house a vehicle loads, from steps that its charger's current and the house's
// meter have in common.
#include "house/house.h"

#include <string.h>

#define UNIT_MA     100  // sums count in these
#define SAME_MA     500  // currents closer than that have settled
#define STEP_MA     1500 // least step that says anything
#define STEPS       2    // in each direction
#define WEIGHT      1600 // of all steps in one direction: (4 A)²
#define WEIGHT_MOST 1000000
#define LOADED      600 // permille of the step that a loaded phase shows
#define LOADED_MOST 1500
#define FREE        300 // and one that is not
#define SEEN        250
#define WAIT_MS     60000 // a vehicle that has not followed by then does not

void pw_house_finder_init(struct pw_house_finder *finder)
{
    *finder = (struct pw_house_finder){.changed_at = PW_NEVER};
}

static int32_t size_of(int32_t value)
{
    return value < 0 ? -value : value;
}

static bool has(unsigned phases, unsigned p)
{
    return ((phases >> p) & 1U) != 0;
}

static bool wired(const struct pw_house_finder_input *in, unsigned p)
{
    return has(in->wired, p) && in->grid_ma[p] != PW_BOARD_UNKNOWN;
}

static bool settled(const struct pw_house_finder *finder, pw_ms now)
{
    const struct pw_house_finder_input *last = finder->last;
    return finder->readings == PW_COUNT(finder->last) &&
           size_of(last[0].draw_ma - last[1].draw_ma) <= SAME_MA &&
           size_of(last[0].draw_ma - last[2].draw_ma) <= SAME_MA &&
           (finder->changed_at == PW_NEVER ||
            pw_elapsed(finder->changed_at, PW_HOUSE_SETTLE_MS, now));
}

// Permille of the step that a phase has shown over all steps in one direction.
static int64_t slope(const struct pw_house_finder *finder, unsigned way, unsigned p)
{
    return finder->weight[way] == 0 ? 0 : finder->product[way][p] * 1000 / finder->weight[way];
}

static bool enough(const struct pw_house_finder *finder)
{
    return finder->steps[0] >= STEPS && finder->steps[1] >= STEPS && finder->weight[0] >= WEIGHT &&
           finder->weight[1] >= WEIGHT;
}

// All phases decided, or none.
static uint8_t conclude(const struct pw_house_finder *finder,
                        const struct pw_house_finder_input *in)
{
    uint8_t found = 0;
    if (!enough(finder)) {
        return 0;
    }
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (!has(in->wired, p)) {
            continue;
        }
        int64_t up = slope(finder, 0, p);
        int64_t down = slope(finder, 1, p);
        bool loaded = pw_min(up, down) >= LOADED && pw_max(up, down) <= LOADED_MOST;
        bool rests = pw_max(up, down) <= FREE && pw_min(up, down) >= -FREE;
        if (!wired(in, p) || (!loaded && !rests)) {
            return 0;
        }
        found |= loaded ? (uint8_t)(1U << p) : 0;
    }
    return found;
}

static void forget(struct pw_house_finder *finder)
{
    memset(finder->weight, 0, sizeof(finder->weight));
    memset(finder->product, 0, sizeof(finder->product));
    memset(finder->steps, 0, sizeof(finder->steps));
    finder->against = 0;
    finder->found = 0;
}

// A phase that was excluded and shows the step after all.
static bool contradicts(const struct pw_house_finder *finder,
                        const struct pw_house_finder_input *in, const int32_t moved_ma[],
                        int32_t step_ma)
{
    bool is = false;
    for (unsigned p = 0; finder->found != 0 && p < PW_HOUSE_PHASES; p++) {
        int64_t share = (int64_t)moved_ma[p] * 1000 / step_ma;
        is = is || (wired(in, p) && !has(finder->found, p) && share >= LOADED);
    }
    return is;
}

static void count(struct pw_house_finder *finder, const struct pw_house_finder_input *in,
                  const int32_t moved_ma[], int32_t step_ma)
{
    unsigned way = step_ma > 0 ? 0 : 1;
    int64_t step = step_ma / UNIT_MA;
    if (contradicts(finder, in, moved_ma, step_ma)) {
        finder->against++;
        if (finder->against >= STEPS) {
            forget(finder);
        }
    } else {
        finder->against = 0;
    }
    finder->weight[way] += step * step;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        finder->product[way][p] += step * (moved_ma[p] / UNIT_MA);
    }
    if (finder->weight[way] > WEIGHT_MOST) {
        // What was long ago counts less.
        finder->weight[way] /= 2;
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            finder->product[way][p] /= 2;
        }
    }
    finder->steps[way] = (uint16_t)pw_min(finder->steps[way] + 1, UINT16_MAX);
    if (finder->found == 0) {
        finder->found = conclude(finder, in);
    }
}

static enum pw_house_sight finish(struct pw_house_finder *finder,
                                  const struct pw_house_finder_input *in)
{
    int32_t step_ma = in->draw_ma - finder->from.draw_ma;
    int32_t moved_ma[PW_HOUSE_PHASES] = {0};
    bool seen = false;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (wired(in, p) && finder->from.grid_ma[p] != PW_BOARD_UNKNOWN) {
            moved_ma[p] = in->grid_ma[p] - finder->from.grid_ma[p];
            seen = seen || (int64_t)size_of(moved_ma[p]) * 1000 >= (int64_t)SEEN * size_of(step_ma);
        }
    }
    count(finder, in, moved_ma, step_ma);
    return seen ? PW_HOUSE_STEP_SEEN : PW_HOUSE_STEP_UNSEEN;
}

// The offer changed with this sample. A change back while the vehicle still follows the one before
// says nothing.
static void anchor(struct pw_house_finder *finder, const struct pw_house_finder_input *in,
                   pw_ms now)
{
    bool up = in->offer_ma > finder->last[0].offer_ma;
    if (finder->anchored) {
        bool was_up = finder->last[0].offer_ma > finder->from.offer_ma;
        finder->anchored = up && was_up;
    } else if (settled(finder, now)) {
        finder->anchored = true;
        finder->anchored_at = now;
        finder->from = finder->last[0]; // what made the offer change is in it
    }
    finder->changed_at = now;
}

enum pw_house_sight pw_house_finder_read(struct pw_house_finder *finder,
                                         const struct pw_house_finder_input *in, pw_ms now)
{
    enum pw_house_sight sight = PW_HOUSE_NO_STEP;
    if (finder->readings > 0 && in->offer_ma != finder->last[0].offer_ma) {
        anchor(finder, in, now);
    }
    memmove(&finder->last[1], &finder->last[0], 2 * sizeof(finder->last[0]));
    finder->last[0] = *in;
    finder->readings = (uint8_t)pw_min(finder->readings + 1, (int64_t)PW_COUNT(finder->last));
    if (!finder->anchored || !settled(finder, now)) {
        return sight;
    }
    if (size_of(in->draw_ma - finder->from.draw_ma) >= STEP_MA) {
        sight = finish(finder, in);
        finder->anchored = false;
    } else if (pw_elapsed(finder->anchored_at, WAIT_MS, now)) {
        finder->anchored = false;
    }
    return sight;
}
