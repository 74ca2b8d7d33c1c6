// What the board is told: the table's row of the state, the offer within its limits, the lock, and
// the contactor with the guard's consent.
#include "evse/turn.h"

#define ALARM_MS 1000
#define LIVE_MS  100 // a closed contactor is looked at this often, whatever happens

// ---------------------------------------------------------------------------------------------
// Facts for the guard

int32_t pw_evse_least(const struct pw_evse_limits *limits)
{
    int32_t least = limits->own_ma[0];
    /*@ loop invariant 1 <= i <= PW_EVSE_BOUND_ROWS;
        loop invariant \forall integer k; 0 <= k < i ==> least <= limits->own_ma[k];
        loop assigns i, least;
        loop variant PW_EVSE_BOUND_ROWS - i;
    */
    for (unsigned i = 1; i < PW_EVSE_BOUND_ROWS; i++) {
        if (limits->own_ma[i] < least) {
            least = limits->own_ma[i];
        }
    }
    return least;
}

void pw_evse_look(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    const struct pw_evse_config *c = &evse->config;
    struct pw_evse_facts *f = &evse->facts;
    enum pw_pilot_level level = evse->pilot.level;
    bool many = evse->closings >= (uint32_t)c->closes_an_hour;
    uint32_t oldest = (evse->closings - (uint32_t)c->closes_an_hour) % PW_EVSE_CLOSES_MAX;
    // One by one, not as one struct: that is what the provers can follow.
    f->heard = pw_evse_heard(t);
    f->ready =
        level == PW_PILOT_C || (level == PW_PILOT_D && c->ventilation != PW_EVSE_VENTILATION_NONE);
    f->diode = evse->pilot.diode;
    f->permit = t->permit;
    f->ending = evse->state == PW_EVSE_STOPPING && !pw_elapsed(evse->since, FORCED_MS, t->now);
    f->locked = evse->locked;
    f->cable = evse->cable_ma > 0;
    f->faults = evse->faults;
    f->offer_ma = evse->offered_ma;
    f->limit_ma = pw_evse_least(&evse->limits);
    f->settled = evse->pilot.candidate == level;
    f->open = evse->proven_open;
    f->rcd = (evse->rcd_passed && !pw_elapsed(evse->rcd_at, TEST_FRESH_MS, t->now)) ||
             (c->no_rcd && t->senses->rcd == PW_BOARD_RCD_NONE);
    f->rested = evse->opened_at == PW_NEVER || pw_evse_passed(t, evse->opened_at, c->min_off_ms);
    f->seldom = !many || pw_evse_passed(t, evse->closes[oldest], 3600000);
}

// ---------------------------------------------------------------------------------------------
// Offer: down at once, up 5 s after the last change, nothing unless the pilot swings.

void pw_evse_offer(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    int32_t had = evse->drive.duty_ppm;
    int32_t duty = 0;
    if (pw_evse_row(evse)->pilot == PW_BOARD_CP_PWM) {
        duty = pw_pilot_duty_ppm(pw_evse_least(&evse->limits), evse->config.step_ppm);
    }
    if (had > 0 && duty > had && !pw_evse_passed(t, evse->duty_at, RAISE_MS)) {
        duty = had;
    }
    if (duty != had) {
        evse->duty_at = t->now;
    }
    evse->drive.duty_ppm = duty;
    evse->offered_ma = pw_pilot_offer_ma(duty);
}

// ---------------------------------------------------------------------------------------------
// Lock: driven until it is there, a few times anew, opened only on a contactor proven open.

bool pw_evse_lock_at_end(struct turn *t, bool locked)
{
    const struct pw_evse *evse = t->evse;
    if (!evse->config.socket) {
        return true;
    }
    if (evse->config.blind_lock) {
        return evse->drive.lock == locked && pw_evse_passed(t, evse->lock_at, LOCK_BLIND_MS);
    }
    return t->senses->lock == (locked ? PW_BOARD_LOCK_CLOSED : PW_BOARD_LOCK_OPEN);
}

//@ requires readable(t); assigns \nothing;
static bool lock_wanted(const struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    const struct state_row *row = pw_evse_row(evse);
    if (row->lock == LOCK) {
        return true;
    }
    if (evse->state == PW_EVSE_STARTING && t->senses->lock == PW_BOARD_LOCK_OPEN) {
        return false; // found open after a restart
    }
    bool stays = t->hold || (row->lock == KEEP && t->permit && evse->plugged);
    return (stays || !evse->proven_open) && evse->lock_want;
}

/*@ requires turn(t);
    assigns t->evse->lock_want, t->evse->tries, t->evse->lock_at, t->evse->drive.lock, t->next;
*/
static void lock(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    if (!evse->config.socket) {
        return;
    }
    bool want = lock_wanted(t);
    if (want != evse->lock_want) {
        evse->lock_want = want;
        evse->tries = 0;
        evse->lock_at = t->now;
        evse->drive.lock = want;
        return;
    }
    if (evse->drive.lock != want) {
        // Back from the other side, for a new try.
        if (pw_evse_passed(t, evse->lock_at, LOCK_PULSE_MS)) {
            evse->drive.lock = want;
            evse->lock_at = t->now;
        }
    } else if (pw_evse_lock_at_end(t, want)) {
        evse->tries = 0;
    } else if (pw_evse_passed(t, evse->lock_at, LOCK_MS) && evse->tries < LOCK_TRIES &&
               evse->proven_open) {
        evse->tries++;
        evse->drive.lock = !want;
        evse->lock_at = t->now;
    }
}

// ---------------------------------------------------------------------------------------------
// The contactor: the state wishes, the guard decides.

/*@ requires turn(t);
    assigns t->evse->drive.contactor, t->evse->closes[0 .. PW_EVSE_CLOSES_MAX - 1],
      t->evse->closings, t->evse->rcd_passed, t->evse->opened_at;
    ensures t->evse->drive.contactor != 0 ==> held(&t->evse->facts);
    ensures t->evse->drive.contactor != 0 ==> t->evse->opened_at == \old(t->evse->opened_at);
    ensures t->evse->drive.contactor != 0 && \old(t->evse->drive.contactor) == 0 ==>
      closing(&t->evse->facts);
*/
static void contactor(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    bool had = evse->drive.contactor;
    bool is = pw_evse_contactor(pw_evse_row(evse)->closed, had, &evse->facts);
    evse->drive.contactor = is;
    if (is && !had) {
        evse->closes[evse->closings % PW_EVSE_CLOSES_MAX] = t->now;
        evse->closings++;
        evse->rcd_passed = false;
    }
    if (!is && had) {
        evse->opened_at = t->now;
    }
}

//@ requires readable(t); assigns \nothing;
static enum pw_evse_pause pause(const struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    const struct pw_evse_facts *f = &evse->facts;
    if (!evse->plugged || evse->state == PW_EVSE_CHARGING) {
        return PW_EVSE_PAUSE_NONE;
    }
    if (evse->faults != 0 || !evse->tested) {
        return evse->faults != 0 ? PW_EVSE_PAUSE_FAULT : PW_EVSE_PAUSE_CHECKS;
    }
    if (!f->permit) {
        return PW_EVSE_PAUSE_PERMIT;
    }
    if (f->limit_ma < PW_PILOT_LEAST_MA) {
        return PW_EVSE_PAUSE_LIMIT;
    }
    if (!f->locked) {
        return PW_EVSE_PAUSE_LOCK;
    }
    if (evse->offered_ma > 0 && !f->ready) {
        return evse->pilot.level == PW_PILOT_D ? PW_EVSE_PAUSE_VENTILATION : PW_EVSE_PAUSE_VEHICLE;
    }
    if (!f->rested || !f->seldom) {
        return f->rested ? PW_EVSE_PAUSE_CLOSES : PW_EVSE_PAUSE_REST;
    }
    return evse->offered_ma > 0 ? PW_EVSE_PAUSE_CHECKS : PW_EVSE_PAUSE_PILOT;
}

void pw_evse_apply(struct turn *t)
{
    struct pw_evse *evse = t->evse;
    const struct state_row *row = pw_evse_row(evse);
    if (row->pilot != evse->drive.cp) {
        evse->drive.cp = row->pilot;
        evse->driven_at = t->now;
    }
    pw_evse_offer(t);
    lock(t);
    evse->drive.rcd_test = row->test;
    evse->drive.ventilation = evse->config.ventilation == PW_EVSE_VENTILATION_RELAY &&
                              evse->pilot.level == PW_PILOT_D && evse->offered_ma > 0;
    evse->drive.lamp = row->lamp;
    evse->drive.buzzer =
        evse->state == PW_EVSE_FAULTED && !pw_evse_passed(t, evse->since, ALARM_MS);
}

pw_ms pw_evse_switch(struct pw_evse *evse, const struct pw_evse_input *input, pw_ms now)
{
    struct turn t = {
        .evse = evse,
        .senses = input->senses,
        .permit = input->permit,
        .now = now,
        .next = PW_NEVER,
    };
    evse->stepped_at = now;
    pw_evse_look(&t);
    contactor(&t);
    evse->off = !evse->drive.contactor && !evse->reads_closed;
    evse->energised = evse->drive.contactor && evse->reads_closed;
    evse->pause = pause(&t);
    return evse->drive.contactor ? pw_earlier(t.next, pw_after(now, LIVE_MS)) : t.next;
}
