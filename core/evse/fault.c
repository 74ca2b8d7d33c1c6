// Faults: which conditions are true right now, and how each fault ends by its row.
#include "evse/turn.h"

#define FOLLOW_MS      1000
#define SHORT_MS       1000 // with the pilot at -12 V the way to F passes through E
#define FEEDBACK_MS    500
#define LEAK_MA        1000
#define LEAK_MS        1000
#define FELL_OPEN_MS   200
#define TRIP_MS        20 // with an open contactor; a closed one opens on the first reading
#define RCD_NONE_MS    500
#define EARTH_MS       20
#define OVERLOAD_MS    20
#define MAINS_FRESH_MS 1000
#define MAINS_SLOW_MS  2500 // a meter that speaks once a second, and late, is not silent in between
#define NOISE_MA       500
#define SENSOR_MS      1000
#define APART_DC       600
#define CABLE_MS       30

enum { UP, DOWN };
#define STAYS   PW_EVSE_LATCH_STAYS
#define COUNTED PW_EVSE_LATCH_COUNTED
#define KEPT    PW_EVSE_LATCH_KEPT
#define UNPLUG  PW_EVSE_LATCH_UNPLUG
#define CLEARS  PW_EVSE_LATCH_CLEARS

#define FAULT_ROW(id, latch, pilot, code, vendor_code, words)                                      \
    {#id, code, vendor_code, words, latch, pilot},
const struct pw_evse_fault_row pw_evse_fault_rows[PW_EVSE_FAULT_ROWS] = {PW_EVSE_FAULTS(FAULT_ROW)};

_Static_assert(PW_EVSE_FAULT_ROWS <= 24, "a set of faults leaves room for the count of resets");
_Static_assert((int)T_ROWS <= PW_EVSE_TIMED_ROWS, "one memory a timed condition");

#define LATCHED_BIT(id, latch, pilot, code, vendor_code, words)                                    \
    | ((latch) == STAYS || (latch) == COUNTED || (latch) == KEPT ? PW_EVSE_BIT(PW_EVSE_FAULT_##id) \
                                                                 : 0)
static const uint32_t latching = 0 PW_EVSE_FAULTS(LATCHED_BIT);

#define RESETS_SHIFT 24
#define RESETS_MOST  4

static uint32_t bit_if(bool is, enum pw_evse_fault fault)
{
    return is ? PW_EVSE_BIT(fault) : 0;
}

static bool stands(const struct turn *t, enum pw_evse_fault fault)
{
    return (t->evse->faults & PW_EVSE_BIT(fault)) != 0;
}

// ---------------------------------------------------------------------------------------------
// Conditions

static uint32_t pilot_conditions(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    enum pw_pilot_level level = evse->pilot.level;
    bool down = evse->drive.cp == PW_BOARD_CP_FAULT;
    bool heard = pw_evse_heard(t);
    bool follows = down ? level == PW_PILOT_F : level != PW_PILOT_F && level != PW_PILOT_NONE;
    bool grounded = heard && level == PW_PILOT_E;
    bool lost = pw_evse_lasting(t, T_FOLLOW, heard && !follows && !grounded, FOLLOW_MS);
    bool shorted = pw_evse_lasting(t, T_SHORT, grounded, down ? SHORT_MS : 0);
    return bit_if(lost, PW_EVSE_FAULT_PILOT) | bit_if(shorted, PW_EVSE_FAULT_PILOT_SHORT) |
           bit_if(evse->plugged && evse->pilot.no_diode, PW_EVSE_FAULT_DIODE);
}

static bool mains_known(const struct turn *t, pw_ms most_ms)
{
    pw_ms at = t->senses->mains.at;
    return at <= t->now && t->now - at <= most_ms;
}

static int32_t most_ma(const struct turn *t)
{
    int32_t most = 0;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        most = t->senses->mains.ma[i] > most ? t->senses->mains.ma[i] : most;
    }
    return most;
}

static uint32_t contact_conditions(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    const struct pw_board_senses *s = t->senses;
    bool heard = pw_evse_heard(t);
    bool driven = evse->drive.contactor;

    bool stuck = pw_evse_lasting(t, T_WELD, heard && !driven && evse->reads_closed, SWITCH_MS);
    bool later = evse->opened_at == PW_NEVER ||
                 (s->mains.at != PW_NEVER && s->mains.at > evse->opened_at + SWITCH_MS);
    bool flows = !driven && mains_known(t, MAINS_FRESH_MS) && later && most_ma(t) > LEAK_MA;
    bool leaks = pw_evse_lasting(t, T_LEAK, flows, LEAK_MS);
    // What takes the coil's supply away by itself is a fault of its own, not the contactor's.
    bool cut = s->estop || s->opened || s->rcd == PW_BOARD_RCD_TRIPPED;
    bool fell = heard && driven && evse->reads_open && !cut && evse->state != PW_EVSE_CLOSING;
    bool late = evse->state == PW_EVSE_CLOSING && driven && !cut &&
                pw_evse_passed(t, evse->since, SWITCH_MS);
    bool opened = pw_evse_lasting(t, T_FELL_OPEN, fell, FELL_OPEN_MS);
    bool blind = heard && !evse->config.no_feedback && s->contact == PW_BOARD_CONTACT_NONE;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        blind = blind && s->load_mv[i] == PW_BOARD_UNKNOWN;
    }
    bool unwatched = pw_evse_lasting(t, T_FEEDBACK, blind, FEEDBACK_MS);
    return bit_if(stuck || leaks, PW_EVSE_FAULT_WELD) |
           bit_if(late || opened, PW_EVSE_FAULT_NOT_CLOSING) |
           bit_if(unwatched, PW_EVSE_FAULT_FEEDBACK);
}

static uint32_t earth_conditions(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    const struct pw_board_senses *s = t->senses;
    bool heard = pw_evse_heard(t);
    bool trips = pw_evse_row(evse)->test;
    bool returns = evse->state == PW_EVSE_TESTED || evse->state == PW_EVSE_PROBED;
    bool answer = s->rcd == PW_BOARD_RCD_TRIPPED;

    bool failed = (trips && !answer && pw_evse_passed(t, evse->since, TEST_MS)) ||
                  (returns && s->rcd != PW_BOARD_RCD_OK && pw_evse_passed(t, evse->since, TEST_MS));
    bool none = heard && !evse->config.no_rcd && s->rcd == PW_BOARD_RCD_NONE;
    bool missing = pw_evse_lasting(t, T_RCD_NONE, none, RCD_NONE_MS);
    // A test that was broken off may still be answering.
    bool testing = trips || returns ||
                   (!evse->drive.contactor && evse->probed_at != PW_NEVER &&
                    !pw_evse_passed(t, evse->probed_at, TEST_MS));
    bool tripped = heard && answer && !testing;
    bool lasting = pw_evse_lasting(t, T_RCD_TRIP, tripped, TRIP_MS);
    bool trip = evse->drive.contactor ? tripped : lasting;
    bool lost = heard && (s->earth == PW_BOARD_EARTH_LOST ||
                          (s->earth == PW_BOARD_EARTH_NONE && !evse->config.no_earth));
    return bit_if(trip, PW_EVSE_FAULT_RCD) | bit_if(failed || missing, PW_EVSE_FAULT_RCD_TEST) |
           bit_if(pw_evse_lasting(t, T_EARTH, lost, EARTH_MS), PW_EVSE_FAULT_EARTH);
}

static uint32_t mains_conditions(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    const struct pw_evse_config *c = &evse->config;
    bool known = mains_known(t, MAINS_SLOW_MS);
    int64_t ma = known ? most_ma(t) : 0;
    bool driven = evse->drive.contactor;
    bool offers = driven && evse->offered_ma > 0;
    int64_t soft_ma = (int64_t)evse->offered_ma + evse->offered_ma / 10 + NOISE_MA;
    int64_t hard_ma = (int64_t)c->max_ma + c->max_ma / 2;
    int32_t over_mv = c->over_mv;
    int32_t under_mv = c->under_mv;
    if (stands(t, PW_EVSE_FAULT_OVER_VOLTAGE)) {
        over_mv -= c->mains_back_mv;
    }
    if (stands(t, PW_EVSE_FAULT_UNDER_VOLTAGE)) {
        under_mv += c->mains_back_mv;
    }
    bool over = false;
    bool under = false;
    for (int32_t i = 0; known && i < c->phases && i < PW_BOARD_PHASES; i++) {
        int32_t mv = t->senses->mains.mv[i];
        over = over || (mv != PW_BOARD_UNKNOWN && mv > over_mv);
        under = under || (mv != PW_BOARD_UNKNOWN && mv < under_mv);
    }
    bool overload = pw_evse_lasting(t, T_OVERLOAD, driven && ma > hard_ma, OVERLOAD_MS);
    bool draws = pw_evse_lasting(t, T_OVER_CURRENT, offers && ma > soft_ma, c->over_current_ms);
    bool high = pw_evse_lasting(t, T_OVER_VOLTAGE, over, c->mains_ms);
    bool low = pw_evse_lasting(t, T_UNDER_VOLTAGE, under, c->mains_ms);
    // Around the limit a standing fault ends only when the voltage is well back.
    high = high || (over && stands(t, PW_EVSE_FAULT_OVER_VOLTAGE));
    low = low || (under && stands(t, PW_EVSE_FAULT_UNDER_VOLTAGE));
    return bit_if(overload, PW_EVSE_FAULT_OVERLOAD) | bit_if(draws, PW_EVSE_FAULT_OVER_CURRENT) |
           bit_if(high, PW_EVSE_FAULT_OVER_VOLTAGE) | bit_if(low, PW_EVSE_FAULT_UNDER_VOLTAGE);
}

// A probe that is out of any range, one that has gone, or two that tell different stories.
static bool probes_odd(const struct turn *t)
{
    unsigned known = 0;
    int32_t least = INT32_MAX;
    int32_t most = INT32_MIN;
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        int32_t dc = t->senses->temp_dc[i];
        if (dc == PW_BOARD_UNKNOWN) {
            continue;
        }
        if (dc < COLDEST_DC || dc > HOTTEST_DC) {
            return true;
        }
        known++;
        least = dc < least ? dc : least;
        most = dc > most ? dc : most;
    }
    if (known == 0) {
        return !t->evse->config.no_probe;
    }
    return (int64_t)most - least > APART_DC || known < t->evse->probes;
}

static uint32_t other_conditions(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    const struct pw_board_senses *s = t->senses;
    const struct pw_evse_config *c = &evse->config;
    bool heard = pw_evse_heard(t);
    bool waking = s->at == PW_NEVER && !pw_evse_passed(t, evse->start, AWAKE_MS);
    bool unheard = pw_evse_lasting(t, T_UNHEARD, !heard && !waking, 0);
    // The silence was ours: it has opened by itself, and will not close again on our old word.
    bool silent = unheard || (heard && s->opened && evse->drive.contactor);

    uint8_t known = 0;
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        known = (uint8_t)(known + (s->temp_dc[i] != PW_BOARD_UNKNOWN ? 1 : 0));
    }
    evse->probes = heard && known > evse->probes ? known : evse->probes;
    bool odd = pw_evse_lasting(t, T_TEMP_SENSOR, heard && probes_odd(t), SENSOR_MS);
    bool hot = heard && (evse->heat_dc >= c->trip_dc ||
                         (stands(t, PW_EVSE_FAULT_OVER_TEMP) && evse->heat_dc > c->derate_from_dc));

    bool spent = c->socket && evse->tries >= LOCK_TRIES &&
                 pw_evse_passed(t, evse->lock_at, LOCK_MS) &&
                 !pw_evse_lock_at_end(t, evse->lock_want);
    bool slipped = evse->drive.contactor && !evse->locked;
    bool cut = heard && c->socket && evse->plugged && pw_pilot_cable_ma(s->pp_ohm) == 0;
    bool broken = pw_evse_lasting(t, T_CABLE, cut, CABLE_MS);
    return bit_if(heard && s->estop, PW_EVSE_FAULT_ESTOP) | bit_if(silent, PW_EVSE_FAULT_BOARD) |
           bit_if(odd, PW_EVSE_FAULT_TEMP_SENSOR) | bit_if(hot, PW_EVSE_FAULT_OVER_TEMP) |
           bit_if(slipped || (spent && evse->lock_want), PW_EVSE_FAULT_LOCK) |
           bit_if(spent && !evse->lock_want, PW_EVSE_FAULT_UNLOCK) |
           bit_if(broken, PW_EVSE_FAULT_CABLE);
}

uint32_t pw_evse_conditions(struct turn *t)
{
    return pilot_conditions(t) | contact_conditions(t) | earth_conditions(t) | mains_conditions(t) |
           other_conditions(t);
}

// ---------------------------------------------------------------------------------------------
// How they come and go

static void rise(struct turn *t, unsigned fault)
{
    struct pw_evse *evse = t->evse;
    evse->gone_since[fault] = PW_NEVER;
    if ((evse->faults & PW_EVSE_BIT(fault)) != 0) {
        return;
    }
    evse->faults |= PW_EVSE_BIT(fault);
    bool latched = (latching & PW_EVSE_BIT(fault)) != 0;
    pw_evse_say_fault(evse, fault, true, latched ? "latched" : "passing");
    if (fault == PW_EVSE_FAULT_BOARD || fault == PW_EVSE_FAULT_PILOT) {
        // Nobody knows what it did meanwhile: it proves itself anew.
        evse->tested = false;
    }
}

static bool ended(struct turn *t, unsigned fault)
{
    struct pw_evse *evse = t->evse;
    pw_ms *gone = &evse->gone_since[fault];
    if (*gone == PW_NEVER) {
        *gone = t->now;
    }
    switch (pw_evse_fault_rows[fault].latch) {
    case PW_EVSE_LATCH_STAYS: return false;
    case PW_EVSE_LATCH_COUNTED:
        if (evse->resets >= evse->config.rcd_resets ||
            !pw_evse_passed(t, *gone, evse->config.rcd_wait_ms)) {
            return false;
        }
        evse->resets++;
        return true;
    case PW_EVSE_LATCH_UNPLUG: return !evse->plugged;
    case PW_EVSE_LATCH_KEPT:
    case PW_EVSE_LATCH_CLEARS: return pw_evse_passed(t, *gone, evse->config.stable_ms);
    }
    return false;
}

void pw_evse_judge(struct turn *t, uint32_t present)
{
    struct pw_evse *evse = t->evse;
    evse->present = present;
    for (unsigned i = 0; i < PW_EVSE_FAULT_ROWS; i++) {
        uint32_t bit = PW_EVSE_BIT(i);
        if ((present & bit) != 0) {
            rise(t, i);
        } else if ((evse->faults & bit) != 0 && ended(t, i)) {
            evse->faults &= ~bit;
            evse->gone_since[i] = PW_NEVER;
            pw_evse_say_fault(evse, i, false, "by its rule");
        }
    }
}

// ---------------------------------------------------------------------------------------------
// By hand, and across restarts

int pw_evse_clear(struct pw_evse *evse, enum pw_evse_fault fault, pw_ms now)
{
    if ((unsigned)fault >= PW_EVSE_FAULT_ROWS || (evse->faults & PW_EVSE_BIT(fault)) == 0) {
        return PW_ERR_UNKNOWN;
    }
    bool lock = fault == PW_EVSE_FAULT_LOCK || fault == PW_EVSE_FAULT_UNLOCK;
    if ((evse->present & PW_EVSE_BIT(fault)) != 0 && !lock) {
        return PW_ERR_BUSY;
    }
    if (lock) {
        // It is tried anew: that is what clearing it is for.
        evse->tries = 0;
        evse->lock_at = now;
    }
    if (pw_evse_fault_rows[fault].latch == PW_EVSE_LATCH_COUNTED) {
        evse->resets = 0;
    }
    evse->faults &= ~PW_EVSE_BIT(fault);
    evse->gone_since[fault] = PW_NEVER;
    pw_evse_say_fault(evse, fault, false, "by hand");
    return PW_OK;
}

uint32_t pw_evse_latched(const struct pw_evse *evse)
{
    return (evse->faults & latching) | ((uint32_t)evse->resets << RESETS_SHIFT);
}

void pw_evse_restore(struct pw_evse *evse, uint32_t latched)
{
    uint32_t resets = latched >> RESETS_SHIFT;
    evse->faults |= latched & latching;
    evse->resets = (uint8_t)(resets < RESETS_MOST ? resets : RESETS_MOST);
}

void pw_evse_rest(struct pw_evse *evse, pw_ms now)
{
    evse->opened_at = now;
}

enum pw_evse_fault pw_evse_worst(const struct pw_evse *evse)
{
    for (unsigned i = 0; i < PW_EVSE_FAULT_ROWS; i++) {
        if ((evse->faults & PW_EVSE_BIT(i)) != 0) {
            return (enum pw_evse_fault)i;
        }
    }
    return PW_EVSE_FAULT_ROWS;
}
