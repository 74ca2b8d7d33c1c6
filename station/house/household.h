// household: the house behind its meter, as the station keeps it below its breaker. Joins the
// meter where the supply comes in (core/mains), the chargers of this station, the settings house.*
// and solar.*, the machines of core/house and core/surplus, and core/load where several connectors
// share one breaker. Enters PW_LIMIT_HOUSE and PW_LIMIT_SOLAR. A member of struct pw_station.
// Sources: facts/ac-evse-rapi-load.md §3.5, §3.6. doc/house.md says what happens when what is lost.
#ifndef PW_HOUSEHOLD_H
#define PW_HOUSEHOLD_H

#include "connector/connector.h"
#include "house/house.h"
#include "load/load.h"
#include "mains/mains.h"
#include "settings/settings.h"
#include "surplus/surplus.h"

#define PW_HOUSEHOLD_TURN_MS 500 // the longest between two looks at the chargers

// What page, display, console, MQTT and the link show of the house. A copy; texts are literals.
struct pw_house_view {
    bool on;                       // house.load_management
    bool meter;                    // there is one: it has been heard
    enum pw_mains_quality quality; // of the meter's last reading
    bool fresh;                    // the last good reading is at most 5 s old
    const char *trust;             // why the meter is not believed; "" when it is, or while off
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
    const char *state;  // "following", "paused"...; "off"
    const char *why;
    pw_ms since;
    uint8_t active_phases; // of the house, that its vehicle loads: bits; 0: not known
    uint16_t pauses_today;
    bool failsafe;
    // Solar surplus.
    const char *solar_state; // "off", "follows"...
    const char *solar_why;
    int32_t solar_ma;   // UNKNOWN while it is off
    int64_t surplus_mw; // for charging; 0 while unknown
};

struct pw_household_charger {
    struct pw_house_gate gate;
    struct pw_house_finder finder;
    struct pw_surplus surplus;
    // As of this turn.
    bool plugged;
    bool wants;
    bool active;
    bool measures;                     // each of its phases by itself
    uint8_t wired;                     // bits of the house's phases
    uint8_t used;                      // of them, that count for its limit
    int32_t most_ma;                   // of the mains, on each phase
    int32_t draw_ma;                   // fullest phase
    int32_t phase_ma[PW_HOUSE_PHASES]; // of the house
    int64_t power_mw;
    int32_t fading_ma;  // the vehicle may still follow this older offer
    pw_ms fading_until; // PW_NEVER: it does not
    pw_ms fewer_since;  // it draws from fewer phases than `used` since; PW_NEVER
};

struct pw_household {
    const struct pw_settings *settings;
    const struct pw_log *log;
    struct pw_mains meter; // where the supply comes in; quality NONE without one
    bool heard;            // `reading` is new
    struct pw_board_mains reading;
    enum pw_mains_quality quality; // of it
    struct pw_house house;
    unsigned chargers;
    struct pw_household_charger charger[PW_CONNECTORS_MAX];
    struct pw_load_memory memory[PW_CONNECTORS_MAX];
    int32_t share_ma[PW_CONNECTORS_MAX];
    pw_ms due_at; // next look
};

// PW_ERR_RANGE when the settings of the house cannot be (their rows forbid that).
PW_MUST_USE int pw_household_init(struct pw_household *home, const struct pw_settings *settings,
                                  unsigned connectors, const struct pw_log *log, pw_ms now);
// A reading of the house's meter. Only judged and stored.
void pw_household_read(struct pw_household *home, const struct pw_board_mains *reading, pw_ms now);
// One turn, before the connectors'. `day` is any number that changes at midnight. Returns the next
// deadline; PW_NEVER while neither the breaker nor the roof is looked after.
pw_ms pw_household_step(struct pw_household *home, struct pw_connector *connector, int32_t day,
                        pw_ms now);
// Settings have changed: the next step looks at once, whatever was due. A house that is switched on
// while its meter is silent must not wait for the meter.
void pw_household_configure(struct pw_household *home);
// `connector` counts from 0.
void pw_household_view(const struct pw_household *home, unsigned connector,
                       struct pw_house_view *view, pw_ms now);

// tell.c: lines for people; one JSON object, whose keys doc/house.md lists.
struct pw_json_writer;
void pw_household_tell(const struct pw_household *home, struct pw_out *out, pw_ms now);

#endif
