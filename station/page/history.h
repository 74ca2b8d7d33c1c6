// history: current, offer and power of one connector over the last hour, in RAM, for the plot of
// the station's page. One reading every 5 s; a reboot begins anew.
#ifndef PW_PAGE_HISTORY_H
#define PW_PAGE_HISTORY_H

#include "connector/connector.h"

#define PW_HISTORY_EVERY_MS 5000
#define PW_HISTORY_POINTS   720 // one hour

struct pw_history_point {
    pw_ms at;
    int32_t ma; // of the phase that carries most; PW_BOARD_UNKNOWN: not measured
    int32_t offered_ma;
    int32_t power_w;      // PW_BOARD_UNKNOWN: not measured
    int16_t soc_permille; // -1: unknown
};

struct pw_history {
    struct pw_history_point point[PW_HISTORY_POINTS];
    uint32_t head; // oldest
    uint32_t count;
};

// Takes one reading; the oldest makes room.
void pw_history_add(struct pw_history *history, const struct pw_connector_view *view, pw_ms now);
// The `index`-th reading from the oldest on; index < history->count.
const struct pw_history_point *pw_history_at(const struct pw_history *history, uint32_t index);

#endif
