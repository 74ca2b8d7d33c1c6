#include "page/house_history.h"

// The most, or the least, of what is known.
static int32_t one_of(const int32_t *ma, unsigned phases, bool most)
{
    int32_t found = PW_BOARD_UNKNOWN;
    for (unsigned i = 0; i < phases && i < PW_HOUSE_PHASES; i++) {
        bool better = found == PW_BOARD_UNKNOWN || (most ? ma[i] > found : ma[i] < found);
        found = ma[i] != PW_BOARD_UNKNOWN && better ? ma[i] : found;
    }
    return found;
}

void pw_house_history_add(struct pw_house_history *history, const struct pw_house_view *view,
                          pw_ms now)
{
    if (!view->meter) {
        return;
    }
    uint32_t slot = (history->head + history->count) % PW_HISTORY_POINTS;
    struct pw_house_point *point = &history->point[slot];
    *point = (struct pw_house_point){
        .at = now,
        .charger_ma = one_of(view->charger_ma, view->phases, true),
        .offered_ma = view->on ? view->offered_ma : PW_BOARD_UNKNOWN,
        .target_ma = view->on ? one_of(view->target_ma, view->phases, false) : PW_BOARD_UNKNOWN,
        .breaker_ma = view->breaker_ma,
    };
    for (unsigned i = 0; i < PW_HOUSE_PHASES; i++) {
        point->grid_ma[i] = i < view->phases ? view->grid_ma[i] : PW_BOARD_UNKNOWN;
    }
    if (history->count < PW_HISTORY_POINTS) {
        history->count++;
    } else {
        history->head = (history->head + 1) % PW_HISTORY_POINTS;
    }
}

const struct pw_house_point *pw_house_history_at(const struct pw_house_history *history,
                                                 uint32_t index)
{
    PW_ASSERT(index < history->count);
    return &history->point[(history->head + index) % PW_HISTORY_POINTS];
}
