// What is true now: pilot, plug, cable, contactor, temperature, limits. Runs before each decision;
// changes memory, never state or outputs.
#include "evse/turn.h"

#define UNLOCKED_MS   100 // a lock may flicker this long
#define SIMPLIFIED_MA 10000
#define OPEN_MS       50     // the contactor reads open this long before it is proven
#define MAINS_MV      100000 // a phase with less than this proves nothing about its pole

bool pw_evse_passed(struct turn *t, pw_ms since, int32_t span)
{
    if (pw_elapsed(since, (pw_ms)span, t->now)) {
        return true;
    }
    t->next = pw_earlier(t->next, pw_after(since, (pw_ms)span));
    return false;
}

bool pw_evse_lasting(struct turn *t, enum timed what, bool is, int32_t span)
{
    PW_ASSERT((unsigned)what < PW_EVSE_TIMED_ROWS);
    pw_ms *since = &t->evse->true_since[what];
    if (!is) {
        *since = PW_NEVER;
        return false;
    }
    if (*since == PW_NEVER) {
        *since = t->now;
    }
    return pw_evse_passed(t, *since, span);
}

bool pw_evse_heard(const struct turn *t)
{
    return t->senses->at <= t->now && t->now - t->senses->at <= SILENT_MS;
}

// ---------------------------------------------------------------------------------------------
// Pilot, plug, cable

static void sense_pilot(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    if (t->senses->at > t->now) {
        return; // never, or not yet
    }
    bool settled = pw_elapsed(evse->driven_at, SETTLE_MS, t->senses->at);
    const struct pw_pilot_reading reading = {
        .at = t->senses->at,
        .high_mv = t->senses->cp_high_mv,
        .low_mv = t->senses->cp_low_mv,
        .pwm = evse->drive.cp == PW_BOARD_CP_PWM && settled,
    };
    (void)pw_pilot_read(&evse->pilot, &reading);
}

// The cable is read once it is in, and holds until it is out.
static void sense_cable(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    if (!evse->config.socket) {
        evse->cable_ma = evse->config.max_ma;
    } else if (!evse->plugged) {
        evse->cable_ma = 0;
    } else if (evse->cable_ma == 0) {
        evse->cable_ma = pw_pilot_cable_ma(t->senses->pp_ohm);
    }
}

static void unplugged(struct pw_evse *evse)
{
    const uint32_t counted = PW_EVSE_BIT(PW_EVSE_FAULT_RCD) | PW_EVSE_BIT(PW_EVSE_FAULT_RCD_TEST);
    evse->b_seen = false;
    evse->simplified = false;
    evse->woken = false;
    // A trip that stands keeps its count: pulling the plug is no way around it.
    if ((evse->faults & counted) == 0) {
        evse->resets = 0;
    }
}

static void sense_plug(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    enum pw_pilot_level level = evse->pilot.level;
    bool ready = level == PW_PILOT_C || level == PW_PILOT_D;
    bool plugged = evse->plugged;
    if (level == PW_PILOT_A) {
        plugged = false;
    } else if (level == PW_PILOT_B || ready) {
        plugged = true;
    } // E and F tell nothing about the plug.
    if (plugged != evse->plugged) {
        evse->plugged = plugged;
        evse->plugged_since = t->now;
        sense_cable(t);
        pw_evse_say_plug(evse);
        if (!plugged) {
            unplugged(evse);
        }
    }
    sense_cable(t);
    // F hides the plug: whoever is there afterwards has to show B anew.
    evse->b_seen = (evse->b_seen || level == PW_PILOT_B) && level != PW_PILOT_F;
    evse->simplified = ready ? !evse->b_seen : evse->simplified && !evse->b_seen;
}

// ---------------------------------------------------------------------------------------------
// Contactor, by its mirror contact and by the voltage behind it

static bool is_known(int32_t value)
{
    return value != PW_BOARD_UNKNOWN;
}

static void sense_contact(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    const struct pw_board_senses *s = t->senses;
    unsigned known = 0;
    unsigned live = 0;
    bool dead_pole = false;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        bool fed = s->mains.at != PW_NEVER && s->mains.mv[i] > MAINS_MV;
        if (is_known(s->load_mv[i])) {
            known++;
            live += s->load_mv[i] >= SAFE_MV ? 1U : 0U;
            dead_pole = dead_pole || (fed && s->load_mv[i] < SAFE_MV);
        }
    }
    bool mirrored = s->contact != PW_BOARD_CONTACT_NONE;
    evse->reads_closed = s->contact == PW_BOARD_CONTACT_CLOSED || live > 0;
    evse->reads_open =
        s->contact == PW_BOARD_CONTACT_OPEN || (!mirrored && known > 0 && live == 0) || dead_pole;
    if (evse->config.no_feedback) {
        // Without any, time stands in for it.
        evse->reads_closed = evse->drive.contactor;
        evse->reads_open = !evse->drive.contactor &&
                           (evse->opened_at == PW_NEVER || pw_evse_passed(t, evse->opened_at, 500));
    }
}

static void sense_lock(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    bool there = evse->lock_want && pw_evse_lock_at_end(t, true);
    bool slipped = pw_evse_lasting(t, T_UNLOCKED, !there, evse->drive.contactor ? UNLOCKED_MS : 0);
    evse->locked = !evse->config.socket || !slipped;
}

// A test passes when the device has tripped by it and come back.
static void sense_rcd(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    bool tests =
        pw_evse_row(evse)->test || evse->state == PW_EVSE_TESTED || evse->state == PW_EVSE_PROBED;
    if (tests) {
        evse->probed_at = t->now;
    }
    if (evse->state == PW_EVSE_TESTED) {
        if (t->senses->rcd == PW_BOARD_RCD_OK) {
            evse->rcd_passed = true;
            evse->rcd_at = t->now;
        }
    } else if (evse->state != PW_EVSE_CLOSING) {
        evse->rcd_passed = false;
    }
}

// ---------------------------------------------------------------------------------------------
// Temperature and limits

static int32_t derated_ma(const struct pw_evse_config *config, int32_t temp_dc)
{
    int64_t above = (int64_t)temp_dc - config->derate_from_dc;
    int64_t left = (int64_t)config->trip_dc - temp_dc;
    int64_t room = (int64_t)config->max_ma - PW_PILOT_LEAST_MA;
    if (above <= 0) {
        return config->max_ma;
    }
    return left <= 0 ? PW_PILOT_LEAST_MA
                     : (int32_t)(PW_PILOT_LEAST_MA + room * left / (left + above));
}

// Up at once, down cool_dc late: current does not swing around one temperature.
static void sense_heat(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    int32_t hottest = INT32_MIN;
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        int32_t dc = t->senses->temp_dc[i];
        if (dc >= COLDEST_DC && dc <= HOTTEST_DC && dc > hottest) {
            hottest = dc;
        }
    }
    if (hottest == INT32_MIN) {
        return;
    }
    if (hottest > evse->heat_dc) {
        evse->heat_dc = hottest;
    } else if (hottest + evse->config.cool_dc < evse->heat_dc) {
        evse->heat_dc = hottest + evse->config.cool_dc;
    }
}

static void sense_limits(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    const struct pw_evse_config *c = &evse->config;
    struct pw_evse_limits limits = {
        .own_ma = {[PW_EVSE_BOUND_HARDWARE] = c->max_ma,
                   [PW_EVSE_BOUND_CABLE] = evse->plugged ? evse->cable_ma : c->max_ma,
                   [PW_EVSE_BOUND_SIMPLIFIED] = evse->simplified ? SIMPLIFIED_MA : c->max_ma,
                   [PW_EVSE_BOUND_TEMPERATURE] = derated_ma(c, evse->heat_dc),
                   [PW_EVSE_BOUND_INPUT] = t->limit_ma > 0 ? t->limit_ma : 0},
        .ma = c->max_ma,
        .who = PW_EVSE_BOUND_HARDWARE,
    };
    for (unsigned i = 0; i < PW_EVSE_BOUND_ROWS; i++) {
        if (limits.own_ma[i] < limits.ma) {
            limits.ma = limits.own_ma[i];
            limits.who = (enum pw_evse_bound)i;
        }
    }
    t->evse->limits = limits;
}

void pw_evse_sense(struct turn *t)
{
    sense_pilot(t);
    sense_plug(t);
    sense_contact(t);
    sense_lock(t);
    sense_rcd(t);
    sense_heat(t);
    sense_limits(t);
    struct pw_evse *evse = t->evse;
    bool open =
        !evse->drive.contactor && evse->reads_open && !evse->reads_closed && pw_evse_heard(t);
    evse->proven_open = pw_evse_lasting(t, T_PROVEN_OPEN, open, OPEN_MS);
    pw_evse_judge(t, pw_evse_conditions(t));
}
