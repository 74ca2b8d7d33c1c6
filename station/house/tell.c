// The house as people and programs read it.
#include "house/household.h"

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
