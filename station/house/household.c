// The turn of the house: facts in, shares, gates, limits out.
#include "house/household.h"

#include "rotation/rotation.h"

#include <string.h>

#define USE_MA     1000  // a phase is used from here on
#define FEWER_MS   10000 // fewer phases count after so long
#define FAR_MA     1000000
#define BACK_MW    300000000 // a roof may give back so much on each phase
#define FROZEN_MS  600000 // a quiet night at 0.1 A resolution; a vehicle's steps are watched anyway
#define OWNER_ROWS ((1U << PW_LIMIT_HARDWARE) | (1U << PW_LIMIT_SETTINGS))
#define ALL_ROWS   ((1U << PW_LIMIT_ROWS) - 1U)

static int32_t of(const struct pw_household *home, enum pw_setting_id id)
{
    return pw_settings_int(home->settings, id);
}

static bool has(unsigned phases, unsigned p)
{
    return ((phases >> p) & 1U) != 0;
}

static struct pw_house_config house_config(const struct pw_household *home)
{
    return (struct pw_house_config){
        .breaker_ma = of(home, PW_SET_HOUSE_BREAKER_MA),
        .margin_permille = of(home, PW_SET_HOUSE_MARGIN_PERMILLE),
        .failsafe_ma = of(home, PW_SET_HOUSE_FAILSAFE_MA),
        .hold_ms = (uint32_t)of(home, PW_SET_HOUSE_HOLD_S) * 1000U,
        .pause_after_ms = (uint32_t)of(home, PW_SET_HOUSE_PAUSE_AFTER_S) * 1000U,
        .min_off_ms = (uint32_t)of(home, PW_SET_HOUSE_MIN_OFF_S) * 1000U,
        .pauses_per_day = (uint16_t)of(home, PW_SET_HOUSE_CYCLES),
        .never_pause = of(home, PW_SET_HOUSE_NEVER_PAUSE) != 0,
        .directed = of(home, PW_SET_HOUSE_SIGNED) != 0,
    };
}

static struct pw_surplus_config surplus_config(const struct pw_household *home)
{
    return (struct pw_surplus_config){
        .mode = (enum pw_surplus_mode)of(home, PW_SET_SOLAR_MODE),
        .start_w = of(home, PW_SET_SOLAR_START_W),
        .reserve_w = of(home, PW_SET_SOLAR_RESERVE_W),
        .delay_ms = (uint32_t)of(home, PW_SET_SOLAR_DELAY_S) * 1000U,
    };
}

// The least that is offered, in whole steps of core/load and core/house.
static int32_t least_of(const struct pw_household *home)
{
    int32_t least = of(home, PW_SET_CURRENT_MIN_MA) + PW_LOAD_STEP_MA - 1;
    return least - least % PW_LOAD_STEP_MA;
}

static bool managed(const struct pw_household *home)
{
    return of(home, PW_SET_HOUSE_MANAGED) != 0;
}

static bool solar(const struct pw_household *home)
{
    return of(home, PW_SET_SOLAR_MODE) != PW_SURPLUS_OFF;
}

int pw_household_init(struct pw_household *home, const struct pw_settings *settings,
                      unsigned connectors, const struct pw_log *log, pw_ms now)
{
    const struct pw_mains_config meter = {
        .max_ma = FAR_MA, .back_mw = BACK_MW, .frozen_ms = FROZEN_MS};
    PW_ASSERT(connectors <= PW_CONNECTORS_MAX);
    memset(home, 0, sizeof(*home));
    home->settings = settings;
    home->log = log;
    home->chargers = connectors;
    for (unsigned i = 0; i < connectors; i++) {
        struct pw_household_charger *charger = &home->charger[i];
        pw_house_gate_init(&charger->gate, 0, now);
        pw_house_finder_init(&charger->finder);
        pw_surplus_init(&charger->surplus, now);
        charger->fading_until = PW_NEVER;
        charger->fewer_since = PW_NEVER;
    }
    const struct pw_house_config config = house_config(home);
    int err = pw_mains_init(&home->meter, &meter, now);
    return err == PW_OK ? pw_house_init(&home->house, &config, now) : err;
}

void pw_household_read(struct pw_household *home, const struct pw_board_mains *reading, pw_ms now)
{
    home->quality = pw_mains_read(&home->meter, reading, now);
    home->reading = *reading;
    home->heard = true;
}

// ---------------------------------------------------------------------------------------------
// What the chargers do.

// The mains' side of a dc connector: what its output takes, through the rectifier's efficiency.
static int64_t dc_ma(const struct pw_household *home, unsigned index, int64_t output_mw)
{
    int64_t volts = (int64_t)pw_settings_connector(home->settings, PW_SET_MAINS_MV, index) *
                    pw_settings_connector(home->settings, PW_SET_PHASES, index);
    int64_t share = pw_settings_connector(home->settings, PW_SET_EFFICIENCY_PERMILLE, index);
    return output_mw * 1000 / share * 1000 / volts;
}

static void look_at_dc(const struct pw_household *home, unsigned index,
                       const struct pw_connector_view *view, struct pw_household_charger *to)
{
    int64_t most_mw = (int64_t)pw_settings_connector(home->settings, PW_SET_CURRENT_MAX_MA, index) *
                      pw_settings_connector(home->settings, PW_SET_VOLTAGE_MAX_MV, index) / 1000;
    int64_t draw_ma = view->measured ? dc_ma(home, index, view->power_mw) : 0;
    to->measures = true;
    to->used = to->wired;
    to->draw_ma = (int32_t)pw_clamp(draw_ma, 0, FAR_MA);
    to->most_ma = (int32_t)pw_clamp(dc_ma(home, index, most_mw) + 1, least_of(home), FAR_MA);
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        to->phase_ma[p] = has(to->wired, p) ? to->draw_ma : 0;
    }
}

// A phase that is drawn from counts at once; one that is no more counts until that has lasted.
static void watch_use(struct pw_household_charger *to, pw_ms now)
{
    unsigned drawn = 0;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        drawn |= to->phase_ma[p] >= USE_MA ? 1U << p : 0;
    }
    bool fewer = to->active && drawn != 0 && (drawn & to->used) == drawn && drawn != to->used;
    to->used |= (uint8_t)(drawn & to->wired);
    if (!fewer) {
        to->fewer_since = PW_NEVER;
    } else if (to->fewer_since == PW_NEVER) {
        to->fewer_since = now;
    } else if (pw_elapsed(to->fewer_since, FEWER_MS, now)) {
        to->used = (uint8_t)drawn;
    }
}

static void look_at_ac(const struct pw_household *home, unsigned index,
                       const struct pw_connector *connector, const struct pw_connector_view *view,
                       struct pw_household_charger *to)
{
    enum pw_mains_rotation rotation = pw_rotation_set(home->settings, index);
    int32_t most = pw_limits_without(pw_connector_limits(connector), ALL_ROWS & ~OWNER_ROWS);
    to->most_ma = (int32_t)pw_max(most, least_of(home));
    to->measures = view->measured && !pw_connector_asks_phases(connector);
    to->draw_ma = view->measured ? view->out_ma : 0;
    for (unsigned l = 0; l < view->phases && l < PW_HOUSE_PHASES; l++) {
        unsigned p = pw_mains_grid_phase(rotation, l);
        to->measures = to->measures && view->ma[l] != PW_BOARD_UNKNOWN;
        to->phase_ma[p] = view->ma[l] != PW_BOARD_UNKNOWN ? view->ma[l] : 0;
    }
}

// Phases that the charger does not tell apart carry its current as far as anybody knows.
static void spread(struct pw_household_charger *to)
{
    to->used = to->finder.found != 0 ? to->finder.found : to->wired;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        to->phase_ma[p] = has(to->used, p) ? to->draw_ma : 0;
    }
}

static uint8_t wired_phases(const struct pw_household *home, unsigned index)
{
    enum pw_mains_rotation rotation = pw_rotation_set(home->settings, index);
    bool one = pw_settings_connector(home->settings, PW_SET_PHASES, index) == 1;
    return one ? (uint8_t)(1U << pw_mains_grid_phase(rotation, 0)) : PW_HOUSE_ALL_PHASES;
}

static void look(struct pw_household *home, unsigned index, struct pw_connector *connector,
                 pw_ms now)
{
    struct pw_household_charger *to = &home->charger[index];
    struct pw_connector_view view;
    pw_connector_view(connector, &view, now);
    uint8_t wired = wired_phases(home, index);
    if (!view.plugged || wired != to->wired) {
        // Another vehicle, or another wiring: what was found is void.
        pw_house_finder_init(&to->finder);
        to->used = wired;
        to->fewer_since = PW_NEVER;
    }
    to->wired = wired;
    to->plugged = view.plugged;
    to->wants = view.plugged && pw_session_permit(pw_connector_session(connector));
    to->active = view.energised;
    to->power_mw = view.measured ? view.power_mw : 0;
    memset(to->phase_ma, 0, sizeof(to->phase_ma));
    if (view.phases == 0) {
        look_at_dc(home, index, &view, to);
        to->power_mw = to->power_mw * 1000 /
                       pw_settings_connector(home->settings, PW_SET_EFFICIENCY_PERMILLE, index);
        return;
    }
    look_at_ac(home, index, connector, &view, to);
    if (to->measures) {
        watch_use(to, now);
    } else {
        spread(to);
    }
}

// ---------------------------------------------------------------------------------------------
// What the meter says.

static void sum_up(const struct pw_household *home, struct pw_house_chargers *sum)
{
    memset(sum, 0, sizeof(*sum));
    for (unsigned i = 0; i < home->chargers; i++) {
        const struct pw_household_charger *c = &home->charger[i];
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            bool loads = c->active && has(c->used, p);
            sum->draw_ma[p] += c->phase_ma[p];
            sum->offer_ma[p] += loads ? c->gate.offer_ma : 0;
            sum->least_ma[p] += loads ? (int32_t)pw_min(least_of(home), c->gate.offer_ma) : 0;
        }
    }
}

static void find_phases(struct pw_household *home, unsigned index, struct pw_connector *connector,
                        const struct pw_house_state *state, pw_ms now)
{
    struct pw_household_charger *c = &home->charger[index];
    struct pw_house_finder_input in = {
        .draw_ma = c->draw_ma, .offer_ma = c->active ? c->gate.offer_ma : 0, .wired = c->wired};
    if (!c->plugged || c->wired == 0) {
        return;
    }
    memcpy(in.grid_ma, state->grid_ma, sizeof(in.grid_ma));
    uint8_t before = c->finder.found;
    enum pw_house_sight sight = pw_house_finder_read(&c->finder, &in, now);
    if (sight != PW_HOUSE_NO_STEP) {
        pw_house_seen(&home->house, sight == PW_HOUSE_STEP_SEEN);
    }
    if (c->finder.found == 0) {
        pw_connector_phases(connector, 0, now); // what is counted meanwhile is owed, not guessed
    }
    if (c->finder.found != before) {
        struct pw_line line;
        pw_line(&line, home->log, PW_LOG_INFO, "house", "phases");
        pw_line_int(&line, "connector", (int64_t)index + 1);
        pw_line_int(&line, "bits", c->finder.found);
        pw_line_end(&line);
        pw_connector_phases(connector, c->finder.found, now);
    }
}

static void hear(struct pw_household *home, struct pw_connector *connector, pw_ms now)
{
    struct pw_house_chargers sum;
    struct pw_house_state state;
    uint32_t before = home->house.samples;
    sum_up(home, &sum);
    pw_house_read(&home->house, &home->reading, home->quality == PW_MAINS_GOOD, &sum, now);
    if (home->house.samples == before) {
        return;
    }
    pw_house_state(&home->house, &state);
    for (unsigned i = 0; i < home->chargers; i++) {
        find_phases(home, i, &connector[i], &state, now);
    }
}

static void judge(struct pw_household *home, pw_ms now)
{
    enum pw_house_trust before = home->house.trust;
    home->due_at = pw_earlier(home->due_at, pw_house_step(&home->house, now));
    if (home->house.trust != before) {
        struct pw_line line;
        bool good = home->house.trust == PW_HOUSE_GOOD;
        pw_line(&line, home->log, good ? PW_LOG_INFO : PW_LOG_WARN, "house",
                good ? "meter-believed" : "meter-lost");
        if (!good) {
            pw_line_s(&line, "why", pw_house_trust_text(home->house.trust));
        }
        pw_line_end(&line);
    }
}

// ---------------------------------------------------------------------------------------------
// Shares.

static int32_t held_on(const struct pw_household *home, unsigned p)
{
    int64_t held = 0;
    for (unsigned i = 0; i < home->chargers; i++) {
        const struct pw_household_charger *c = &home->charger[i];
        held += c->active && has(c->used, p) ? c->gate.offer_ma : 0;
    }
    return (int32_t)pw_min(held, FAR_MA);
}

// What a charger may have when nobody else wants anything: the least room of its phases.
static int32_t alone(const struct pw_household *home, unsigned index)
{
    const struct pw_household_charger *c = &home->charger[index];
    int32_t share = FAR_MA;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (has(c->used, p)) {
            share = (int32_t)pw_min(share, pw_house_room(&home->house, p, held_on(home, p)));
        }
    }
    return share;
}

static void set_member(const struct pw_household *home, unsigned index,
                       struct pw_load_member *member, pw_ms now)
{
    const struct pw_household_charger *c = &home->charger[index];
    int32_t most = c->most_ma - c->most_ma % PW_LOAD_STEP_MA;
    bool fading = c->fading_until != PW_NEVER && now < c->fading_until;
    *member = (struct pw_load_member){
        .id = index + 1,
        .phases = c->used,
        .rotation = PW_LOAD_RST,
        .min_ma = least_of(home),
        .max_ma = (int32_t)pw_clamp(most, least_of(home), PW_LOAD_MAX_MA),
        .reachable = true,
        .wants = c->wants || c->active,
        .told_ma = c->gate.offer_ma,
        .held_ma = fading ? c->fading_ma : c->gate.offer_ma,
        .measured_ma = c->active ? c->draw_ma : -1,
    };
}

// Several chargers: core/load shares the room of each phase as the limit of one circuit.
static void allocate(struct pw_household *home, pw_ms now)
{
    struct pw_load_circuit circuit = {.parent = PW_LOAD_NONE};
    struct pw_load_member member[PW_CONNECTORS_MAX];
    struct pw_load_share share[PW_CONNECTORS_MAX];
    struct pw_load_place place[PW_CONNECTORS_MAX];
    struct pw_load_room room;
    struct pw_load load = {.circuit = &circuit,
                           .circuits = 1,
                           .member = member,
                           .members = home->chargers,
                           .memory = home->memory,
                           .share = share,
                           .place = place,
                           .room = &room};
    memset(member, 0, sizeof(member));
    memset(share, 0, sizeof(share));
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        int32_t ma = pw_house_room(&home->house, p, held_on(home, p));
        circuit.limit_ma[p] = (int32_t)pw_min(ma, PW_LOAD_MAX_MA);
    }
    for (unsigned i = 0; i < home->chargers; i++) {
        set_member(home, i, &member[i], now);
    }
    home->due_at = pw_earlier(home->due_at, pw_load_allocate(&load, now));
    for (unsigned i = 0; i < home->chargers; i++) {
        home->share_ma[i] = member[i].wants ? share[i].send_ma : alone(home, i);
    }
}

static void share_out(struct pw_household *home, pw_ms now)
{
    if (home->chargers > 1) {
        allocate(home, now);
    } else if (home->chargers == 1) {
        const struct pw_household_charger *only = &home->charger[0];
        int32_t held_ma = only->active ? only->gate.offer_ma : 0;
        home->share_ma[0] = pw_house_share(&home->house, only->used, held_ma);
    }
}

static bool contended(const struct pw_household *home, unsigned index)
{
    bool is = false;
    for (unsigned i = 0; i < home->chargers; i++) {
        is = is || (i != index && home->charger[i].wants);
    }
    return is;
}

// ---------------------------------------------------------------------------------------------
// Limits.

static void set_limit(struct pw_connector *connector, enum pw_limit_source source, int32_t ma,
                      const char *why, pw_ms now)
{
    int err = pw_connector_limit(connector, source, ma, why, PW_NEVER, now);
    PW_ASSERT(err == PW_OK); // never below zero
}

static void pass(struct pw_household *home, unsigned index, struct pw_connector *connector,
                 int32_t day, pw_ms now)
{
    struct pw_household_charger *c = &home->charger[index];
    int32_t before = c->gate.offer_ma;
    const struct pw_house_gate_input in = {
        .trust = home->house.trust,
        .samples = home->house.samples,
        .level_permille = home->house.level_permille,
        .share_ma = home->share_ma[index],
        .least_ma = least_of(home),
        .most_ma = c->most_ma,
        .draw_ma = c->draw_ma,
        .wants = c->wants,
        .active = c->active,
        .contended = contended(home, index),
        .day = day,
    };
    pw_ms at = pw_house_gate_step(&c->gate, &home->house.config, &in, home->log, now);
    home->due_at = pw_earlier(home->due_at, at);
    if (c->gate.offer_ma < before && c->active) {
        c->fading_ma = before;
        c->fading_until = pw_after(now, PW_LOAD_FOLLOW_MS);
    }
    set_limit(connector, PW_LIMIT_HOUSE, c->gate.offer_ma, c->gate.why, now);
}

// What is not told is no watt that the roof gives.
static bool tells_power(const struct pw_mains_view *meter)
{
    bool any = false;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (meter->mw[p] == PW_BOARD_UNKNOWN && meter->ma[p] != PW_BOARD_UNKNOWN) {
            return false;
        }
        any = any || meter->mw[p] != PW_BOARD_UNKNOWN;
    }
    return any;
}

// Several vehicles share what the roof gives, each in equal parts.
static void shine(struct pw_household *home, unsigned index, struct pw_connector *connector,
                  bool fresh, pw_ms now)
{
    struct pw_household_charger *c = &home->charger[index];
    const struct pw_surplus_config config = surplus_config(home);
    struct pw_mains_view meter;
    int64_t wanting = 0;
    unsigned phases = 0;
    pw_mains_view(&home->meter, &meter, now);
    for (unsigned i = 0; i < home->chargers; i++) {
        wanting += home->charger[i].wants ? 1 : 0;
    }
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        phases += has(c->used, p) ? 1U : 0;
    }
    const struct pw_surplus_input in = {
        .fresh = fresh && meter.fresh && tells_power(&meter),
        .grid_mw = meter.power_mw / pw_max(wanting, 1),
        .charge_mw = c->power_mw,
        .mv = pw_settings_connector(home->settings, PW_SET_MAINS_MV, index),
        .phases = (uint8_t)phases,
        .least_ma = least_of(home),
        .most_ma = c->most_ma,
    };
    pw_ms at = pw_surplus_step(&c->surplus, &config, &in, home->log, now);
    home->due_at = pw_earlier(home->due_at, at);
    set_limit(connector, PW_LIMIT_SOLAR, c->surplus.limit_ma, pw_surplus_why(c->surplus.state),
              now);
}

// Switched off: the rows go, and the machines begin anew when they are switched on again.
static void rest(struct pw_household *home, unsigned index, struct pw_connector *connector,
                 int32_t day, pw_ms now)
{
    if (!managed(home)) {
        uint16_t pauses = home->charger[index].gate.pauses;
        pw_connector_unlimit(connector, PW_LIMIT_HOUSE, now);
        pw_house_gate_init(&home->charger[index].gate, day, now);
        home->charger[index].gate.pauses = pauses; // the contactor has not forgotten them
    }
    if (!solar(home)) {
        pw_connector_unlimit(connector, PW_LIMIT_SOLAR, now);
        pw_surplus_init(&home->charger[index].surplus, now);
    }
}

void pw_household_configure(struct pw_household *home)
{
    home->due_at = 0;
}

pw_ms pw_household_step(struct pw_household *home, struct pw_connector *connector, int32_t day,
                        pw_ms now)
{
    if (!home->heard && now < home->due_at) {
        return home->due_at;
    }
    const struct pw_house_config config = house_config(home);
    bool fresh = home->heard && home->quality == PW_MAINS_GOOD;
    int err = pw_house_configure(&home->house, &config);
    PW_ASSERT(err == PW_OK); // the rows' ranges are narrower
    home->due_at = managed(home) || solar(home) ? now + PW_HOUSEHOLD_TURN_MS : PW_NEVER;
    for (unsigned i = 0; i < home->chargers; i++) {
        look(home, i, &connector[i], now);
    }
    if (home->heard) {
        hear(home, connector, now);
        home->heard = false;
    }
    judge(home, now);
    if (managed(home)) {
        share_out(home, now);
    }
    for (unsigned i = 0; i < home->chargers; i++) {
        rest(home, i, &connector[i], day, now);
        if (managed(home)) {
            pass(home, i, &connector[i], day, now);
        }
        if (solar(home)) {
            shine(home, i, &connector[i], fresh, now);
        }
    }
    return home->due_at;
}

// ---------------------------------------------------------------------------------------------
// Views.

static void view_meter(const struct pw_household *home, struct pw_house_view *view, pw_ms now)
{
    struct pw_mains_view meter;
    struct pw_house_state state;
    pw_mains_view(&home->meter, &meter, now);
    pw_house_state(&home->house, &state);
    view->meter = meter.quality != PW_MAINS_NONE;
    view->quality = meter.quality;
    view->fresh = meter.fresh;
    view->trust = view->on ? pw_house_trust_text(home->house.trust) : "";
    view->meter_at = meter.at;
    view->metered = home->house.metered;
    view->phases = meter.phases;
    view->breaker_ma = of(home, PW_SET_HOUSE_BREAKER_MA);
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        view->target_ma[p] = state.target_ma;
        // A meter that is not believed is shown too: whoever looks for the reason needs it.
        bool back = meter.mw[p] != PW_BOARD_UNKNOWN && meter.mw[p] < 0;
        view->grid_ma[p] = meter.ma[p] != PW_BOARD_UNKNOWN && back ? -meter.ma[p] : meter.ma[p];
        view->grid_mw[p] = meter.mw[p];
        view->other_ma[p] = state.other_ma[p];
        view->headroom_ma[p] = state.headroom_ma[p];
        for (unsigned i = 0; i < home->chargers; i++) {
            view->charger_ma[p] += home->charger[i].phase_ma[p];
        }
    }
}

void pw_household_view(const struct pw_household *home, unsigned connector,
                       struct pw_house_view *view, pw_ms now)
{
    PW_ASSERT(connector < PW_CONNECTORS_MAX);
    const struct pw_household_charger *c = &home->charger[connector];
    *view = (struct pw_house_view){.on = managed(home),
                                   .offered_ma = PW_BOARD_UNKNOWN,
                                   .state = "off",
                                   .why = "",
                                   .since = PW_NEVER,
                                   .solar_state = pw_surplus_name(c->surplus.state),
                                   .solar_why = pw_surplus_why(c->surplus.state),
                                   .solar_ma = PW_BOARD_UNKNOWN};
    view_meter(home, view, now);
    view->active_phases = c->measures || c->finder.found != 0 ? c->used : 0;
    if (view->on) {
        view->offered_ma = c->gate.offer_ma;
        view->state = pw_house_gate_name(c->gate.state);
        view->why = c->gate.why;
        view->since = c->gate.since;
        view->pauses_today = c->gate.pauses;
        view->failsafe = home->house.trust != PW_HOUSE_GOOD;
    }
    if (solar(home)) {
        view->solar_ma = c->surplus.limit_ma;
        view->surplus_mw = c->surplus.known ? c->surplus.mean_mw : 0;
    }
}
