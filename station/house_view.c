// The house as everybody shows it.
#include "parts.h"

void pw_station_house(const struct pw_station *st, unsigned connector, struct pw_house_view *view,
                      pw_ms now)
{
    struct pw_mains_view mains;
    (void)connector;
    pw_mains_view(&st->house, &mains, now);
    *view = (struct pw_house_view){
        .quality = mains.quality,
        .trust = "",
        .meter = mains.quality != PW_MAINS_NONE,
        .meter_at = mains.at,
        .phases = mains.phases,
        .breaker_ma = pw_settings_int(&st->settings, PW_SET_HOUSE_BREAKER_MA),
        .offered_ma = PW_BOARD_UNKNOWN,
        .state = "off",
        .why = "",
        .since = PW_NEVER,
        .solar_state = "off",
        .solar_why = "",
        .solar_ma = PW_BOARD_UNKNOWN,
    };
    for (unsigned i = 0; i < PW_HOUSE_PHASES; i++) {
        view->target_ma[i] = PW_BOARD_UNKNOWN;
        view->grid_ma[i] = mains.ma[i];
        view->grid_mw[i] = mains.mw[i];
        view->charger_ma[i] = PW_BOARD_UNKNOWN;
        view->headroom_ma[i] = PW_BOARD_UNKNOWN;
        view->other_ma[i] = PW_BOARD_UNKNOWN;
    }
}
