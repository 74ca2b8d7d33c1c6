// The house as people and programs read it.
#include "house/household.h"
#include "json/json.h"

static bool has(unsigned phases, unsigned p)
{
    return ((phases >> p) & 1U) != 0;
}

static void put_amps(struct pw_out *out, int32_t ma)
{
    if (ma == PW_BOARD_UNKNOWN) {
        pw_put_s(out, "-");
    } else {
        pw_put_places(out, ma, 3, 1);
        pw_put_s(out, " A");
    }
}

static void put_phases(struct pw_out *out, unsigned bits)
{
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (has(bits, p)) {
            pw_put_s(out, " L");
            pw_put_uint(out, p + 1);
        }
    }
}

static void put_phase(const struct pw_house_view *view, unsigned p, struct pw_out *out)
{
    static const char *const words[] = {"grid ", ", house ", ", chargers ", ", headroom "};
    const int32_t ma[] = {view->grid_ma[p], view->other_ma[p], view->charger_ma[p],
                          view->headroom_ma[p]};
    pw_put_s(out, "  L");
    pw_put_uint(out, p + 1);
    pw_put_s(out, "\t");
    if (!has(view->metered, p)) {
        pw_put_s(out, "unmetered, at most the fail-safe current\n");
        return;
    }
    for (unsigned i = 0; i < PW_COUNT(words); i++) {
        pw_put_s(out, words[i]);
        put_amps(out, ma[i]);
    }
    pw_put_c(out, '\n');
}

static void put_charger(const struct pw_house_view *view, unsigned index, struct pw_out *out,
                        pw_ms now)
{
    pw_put_s(out, "connector ");
    pw_put_uint(out, index + 1);
    if (view->on) {
        pw_put_s(out, " may take ");
        put_amps(out, view->offered_ma);
        pw_put_s(out, ": ");
        pw_put_s(out, view->state);
        pw_put_s(out, ", ");
        pw_put_s(out, view->why);
        pw_put_s(out, ", for ");
        pw_put_places(out, (int64_t)(now - view->since), 3, 1);
        pw_put_s(out, " s, pauses today ");
        pw_put_uint(out, view->pauses_today);
    }
    if (view->active_phases != 0) {
        pw_put_s(out, ", loads");
        put_phases(out, view->active_phases);
    }
    if (view->solar_ma != PW_BOARD_UNKNOWN) {
        pw_put_s(out, "; solar ");
        put_amps(out, view->solar_ma);
        pw_put_s(out, ": ");
        pw_put_s(out, view->solar_state);
        pw_put_s(out, ", ");
        pw_put_s(out, view->solar_why);
        pw_put_s(out, ", surplus ");
        pw_put_places(out, view->surplus_mw, 6, 2);
        pw_put_s(out, " kW");
    }
    pw_put_c(out, '\n');
}

void pw_household_tell(const struct pw_household *home, struct pw_out *out, pw_ms now)
{
    struct pw_house_view view;
    pw_household_view(home, 0, &view, now);
    pw_put_s(out, view.on ? "load management on" : "load management off");
    pw_put_s(out, ", breaker ");
    put_amps(out, view.breaker_ma);
    pw_put_s(out, ", target ");
    put_amps(out, view.target_ma[0]);
    pw_put_s(out, ", meter ");
    pw_put_s(out, view.meter ? pw_mains_quality_name(view.quality) : "none");
    if (view.trust[0] != '\0') {
        pw_put_s(out, ": ");
        pw_put_s(out, view.trust);
    }
    pw_put_c(out, '\n');
    for (unsigned p = 0; view.meter && p < view.phases; p++) {
        put_phase(&view, p, out);
    }
    for (unsigned i = 0; i < home->chargers; i++) {
        pw_household_view(home, i, &view, now);
        put_charger(&view, i, out, now);
    }
}

// ---------------------------------------------------------------------------------------------
// For programs.

static void number(struct pw_json_writer *json, const char *key, int32_t milli)
{
    pw_json_key(json, key);
    if (milli == PW_BOARD_UNKNOWN) {
        pw_json_put_null(json);
    } else {
        pw_json_put_fixed(json, milli, 3);
    }
}

static void text(struct pw_json_writer *json, const char *key, const char *value)
{
    pw_json_key(json, key);
    pw_json_put_s(json, value);
}

static void phases(struct pw_json_writer *json, const char *key, unsigned bits)
{
    pw_json_key(json, key);
    pw_json_open(json, '[');
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (has(bits, p)) {
            pw_json_put_int(json, (int64_t)p + 1);
        }
    }
    pw_json_close(json, ']');
}

static void each_phase(struct pw_json_writer *json, const char *key, const int32_t *milli)
{
    pw_json_key(json, key);
    pw_json_open(json, '[');
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (milli[p] == PW_BOARD_UNKNOWN) {
            pw_json_put_null(json);
        } else {
            pw_json_put_fixed(json, milli[p], 3);
        }
    }
    pw_json_close(json, ']');
}

static void json_charger(const struct pw_household *home, unsigned index,
                         struct pw_json_writer *json, pw_ms now)
{
    struct pw_house_view view;
    pw_household_view(home, index, &view, now);
    pw_json_open(json, '{');
    pw_json_key(json, "connector");
    pw_json_put_int(json, (int64_t)index + 1);
    number(json, "offered_a", view.offered_ma);
    text(json, "state", view.state);
    text(json, "why", view.why);
    pw_json_key(json, "since_s");
    if (view.since == PW_NEVER) {
        pw_json_put_null(json);
    } else {
        pw_json_put_fixed(json, (int64_t)(now - view.since), 3);
    }
    phases(json, "active_phases", view.active_phases);
    pw_json_key(json, "pauses_today");
    pw_json_put_int(json, view.pauses_today);
    text(json, "solar_state", view.solar_state);
    text(json, "solar_why", view.solar_why);
    number(json, "solar_a", view.solar_ma);
    pw_json_key(json, "surplus_w");
    pw_json_put_fixed(json, view.surplus_mw, 3);
    pw_json_close(json, '}');
}

void pw_household_tell_json(const struct pw_household *home, struct pw_json_writer *json, pw_ms now)
{
    struct pw_house_view view;
    pw_household_view(home, 0, &view, now);
    pw_json_open(json, '{');
    pw_json_key(json, "on");
    pw_json_put_bool(json, view.on);
    pw_json_key(json, "failsafe");
    pw_json_put_bool(json, view.failsafe);
    text(json, "meter", view.meter ? pw_mains_quality_name(view.quality) : "none");
    text(json, "meter_why", view.trust);
    phases(json, "metered", view.metered);
    number(json, "breaker_a", view.breaker_ma);
    number(json, "target_a", view.target_ma[0]);
    each_phase(json, "grid_a", view.grid_ma);
    each_phase(json, "grid_w", view.grid_mw);
    each_phase(json, "house_a", view.other_ma);
    each_phase(json, "chargers_a", view.charger_ma);
    each_phase(json, "headroom_a", view.headroom_ma);
    pw_json_key(json, "connectors");
    pw_json_open(json, '[');
    for (unsigned i = 0; i < home->chargers; i++) {
        json_charger(home, i, json, now);
    }
    pw_json_close(json, ']');
    pw_json_close(json, '}');
}
