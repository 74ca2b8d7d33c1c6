// household: the house behind its meter, as the station keeps it below its breaker. Joins the
// meter where the supply comes in (core/mains), the chargers of this station, the settings house.*
// and solar.*, the machines of core/house and core/surplus, and core/load where several connectors
// share one breaker. Enters PW_LIMIT_HOUSE and PW_LIMIT_SOLAR. A member of struct pw_station.
#ifndef PW_HOUSEHOLD_H
#define PW_HOUSEHOLD_H

#include "connector/connector.h"
#include "house/house.h"
#include "load/load.h"
#include "mains/mains.h"
#include "settings/settings.h"
#include "surplus/surplus.h"

// What page, display, console, MQTT and the link show of the house. A copy; texts are literals.
struct pw_house_view {
    bool on;                       // house.load_management
    enum pw_mains_quality quality; // of the meter's last reading
    const char *trust;             // why the meter is not believed; "" when it is
    bool meter;                    // there is one, or was
    pw_ms meter_at;                // its last good reading; PW_NEVER: none
    uint8_t metered;               // bits of the phases it has: 1 L1, 2 L2, 4 L3
    uint8_t phases;                // 1 or 3
    int32_t breaker_ma;
    int32_t target_ma[PW_HOUSE_PHASES];
    int32_t grid_ma[PW_HOUSE_PHASES]; // below zero: given back; UNKNOWN
    int32_t grid_mw[PW_HOUSE_PHASES];
    int32_t other_ma[PW_HOUSE_PHASES];   // the house without its chargers
    int32_t charger_ma[PW_HOUSE_PHASES]; // all of them
    int32_t headroom_ma[PW_HOUSE_PHASES];
    // Of the connector asked for:
    int32_t offered_ma; // by the house's breaker; UNKNOWN while the management is off
    const char *state;  // "following", "paused"...
    const char *why;
    pw_ms since;
    uint8_t active_phases; // of the house, that its vehicle loads: bits; 0: not known
    uint16_t pauses_today;
    bool failsafe;
    // Solar surplus.
    const char *solar_state; // "off" ...
    const char *solar_why;
    int32_t solar_ma;   // UNKNOWN while it is off
    int64_t surplus_mw; // for charging; 0 while unknown
};

#endif
