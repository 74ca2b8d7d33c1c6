#include "page/history.h"

void pw_history_add(struct pw_history *history, const struct pw_connector_view *view, pw_ms now)
{
    uint32_t slot = (history->head + history->count) % PW_HISTORY_POINTS;
    int64_t power_w = pw_clamp(view->power_mw / 1000, -INT32_MAX, INT32_MAX);
    history->point[slot] = (struct pw_history_point){
        .at = now,
        .ma = view->measured ? view->out_ma : PW_BOARD_UNKNOWN,
        .offered_ma = view->offered_ma,
        .power_w = view->measured ? (int32_t)power_w : PW_BOARD_UNKNOWN,
        .soc_permille = (int16_t)pw_clamp(view->vehicle.soc_permille, -1, 1000),
    };
    if (history->count < PW_HISTORY_POINTS) {
        history->count++;
    } else {
        history->head = (history->head + 1) % PW_HISTORY_POINTS;
    }
}

const struct pw_history_point *pw_history_at(const struct pw_history *history, uint32_t index)
{
    PW_ASSERT(index < history->count);
    return &history->point[(history->head + index) % PW_HISTORY_POINTS];
}
