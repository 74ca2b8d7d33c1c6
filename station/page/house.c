// The last hour of the house, as columns.
#include "page/parts.h"

enum column { AT, GRID1, GRID2, GRID3, CHARGER, OFFERED, TARGET, BREAKER };

static int32_t value_of(const struct pw_house_point *point, enum column column)
{
    switch (column) {
    case AT: break; // a time, no current
    case GRID1: return point->grid_ma[0];
    case GRID2: return point->grid_ma[1];
    case GRID3: return point->grid_ma[2];
    case CHARGER: return point->charger_ma;
    case OFFERED: return point->offered_ma;
    case TARGET: return point->target_ma;
    case BREAKER: return point->breaker_ma;
    }
    return PW_BOARD_UNKNOWN;
}

static void put_value(const struct call *call, struct pw_json_writer *json, enum column column,
                      const struct pw_house_point *point)
{
    int32_t ma = value_of(point, column);
    if (column == AT) {
        pw_json_put_fixed(json, (int64_t)call->wall - (int64_t)(call->now - point->at), 3);
    } else if (ma == PW_BOARD_UNKNOWN) {
        pw_json_put_null(json);
    } else {
        pw_json_put_fixed(json, ma, 3);
    }
}

void pw_page_api_house_history(struct call *call)
{
    static const char *const names[] = {[AT] = "t",
                                        [GRID1] = "grid1_a",
                                        [GRID2] = "grid2_a",
                                        [GRID3] = "grid3_a",
                                        [CHARGER] = "charger_a",
                                        [OFFERED] = "offered_a",
                                        [TARGET] = "target_a",
                                        [BREAKER] = "breaker_a"};
    const struct pw_house_history *history = &call->page->house;
    struct pw_json_writer *json = pw_page_object(call);
    for (size_t column = 0; column < PW_COUNT(names); column++) {
        pw_json_key(json, names[column]);
        pw_json_open(json, '[');
        for (uint32_t i = 0; i < history->count; i++) {
            put_value(call, json, (enum column)column, pw_house_history_at(history, i));
        }
        pw_json_close(json, ']');
    }
    pw_page_done(call, 200);
}
