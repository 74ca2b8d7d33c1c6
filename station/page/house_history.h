// house_history: what each phase of the house carried over the last hour, what vehicles took of it
// and what was offered to them, in RAM, for the plot of the station's page. One reading every
// PW_HISTORY_EVERY_MS; a reboot begins anew.
#ifndef PW_PAGE_HOUSE_HISTORY_H
#define PW_PAGE_HOUSE_HISTORY_H

#include "house/household.h"
#include "page/history.h"

struct pw_house_point {
    pw_ms at;
    int32_t grid_ma[PW_HOUSE_PHASES]; // below zero: given back; PW_BOARD_UNKNOWN
    int32_t charger_ma;               // of the phase that carries most; PW_BOARD_UNKNOWN
    int32_t offered_ma;               // PW_BOARD_UNKNOWN while nothing is managed
    int32_t target_ma;                // of the phase with the least; PW_BOARD_UNKNOWN
    int32_t breaker_ma;
};

struct pw_house_history {
    struct pw_house_point point[PW_HISTORY_POINTS];
    uint32_t head; // oldest
    uint32_t count;
};

// Takes one reading; the oldest makes room. A house without a meter has none.
void pw_house_history_add(struct pw_house_history *history, const struct pw_house_view *view,
                          pw_ms now);
// The `index`-th reading from the oldest on; index < history->count.
const struct pw_house_point *pw_house_history_at(const struct pw_house_history *history,
                                                 uint32_t index);

#endif
