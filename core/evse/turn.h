// One turn of the evse machine, shared by the files of this room: senses first (sense.c, fault.c),
// then the decision (evse.c), then the outputs (output.c) with the guard's last word (guard.c).
// Everything that compares a time also says when the comparison will change.
#ifndef PW_EVSE_TURN_H
#define PW_EVSE_TURN_H

#include "evse/evse.h"

// One row a setting: field, default, least, most.
#define PW_EVSE_SETTINGS(X)                                                                        \
    X(max_ma, 16000, 6000, 80000)                                                                  \
    X(step_ppm, 1, 1, 10000)                                                                       \
    X(phases, 3, 1, 3)                                                                             \
    X(wake_ms, 30000, 5000, 600000)                                                                \
    X(rcd_resets, 0, 0, 4)                                                                         \
    X(rcd_wait_ms, 900000, 60000, 86400000)                                                        \
    X(derate_from_dc, 650, -300, 1200)                                                             \
    X(trip_dc, 800, -200, 1300)                                                                    \
    X(cool_dc, 50, 1, 300)                                                                         \
    X(over_mv, 265000, 100000, 500000)                                                             \
    X(under_mv, 180000, 50000, 400000)                                                             \
    X(mains_ms, 500, 1, 60000)                                                                     \
    X(mains_back_mv, 5000, 1, 50000)                                                               \
    X(over_current_ms, 6000, 5000, 7000)                                                           \
    X(min_off_ms, 30000, 1, 600000)                                                                \
    X(closes_an_hour, 20, 1, PW_EVSE_CLOSES_MAX)                                                   \
    X(stable_ms, 10000, 1, 3600000)

struct turn {
    struct pw_evse *evse;
    const struct pw_board_senses *senses;
    bool permit;
    bool hold;
    int32_t limit_ma;
    pw_ms now;
    pw_ms next; // when to be called again at the latest
};

#define SILENT_MS     200    // a board silent for longer is lost
#define AWAKE_MS      3000   // after the start it has this long to speak
#define SETTLE_MS     50     // a pilot told to swing does so by then
#define FAULT_HOLD_MS 400    // F for 300 ms or more, whatever the way to the board takes
#define X1_MS         3000   // steady pilot before the next PWM
#define RAISE_MS      5000   // between the last change of the duty and a raise
#define FORCED_MS     6000   // a vehicle told to stop has this long to open S2
#define PULSE_MS      4000   // wake-up
#define SWITCH_MS     400    // the contactor has moved by then
#define TEST_MS       500    // the residual current device has answered a test by then
#define TEST_FRESH_MS 5000   // a passed test is good for a closing this long
#define SAFE_MV       60000  // less than this behind the contactor is no voltage
#define COLDEST_DC    (-400) // what a probe can read
#define HOTTEST_DC    1500
#define LOCK_MS       2000
#define LOCK_PULSE_MS 500
#define LOCK_BLIND_MS 1000
#define LOCK_TRIES    3 // after the first

/*@ predicate turn(struct turn *t) =
      \valid(t) && \valid(t->evse) && \valid_read(t->senses) &&
      \separated(t, t->evse, t->senses);
    predicate readable(struct turn *t) =
      \valid_read(t) && \valid_read(t->evse) && \valid_read(t->senses);
*/

// True when `span` has passed since `since`; if not, asks to be called when it has.
/*@ requires \valid(t);
    assigns t->next;
    ensures \result ==> since <= t->now && t->now - since >= (pw_ms)span;
*/
bool pw_evse_passed(struct turn *t, pw_ms since, int32_t span);
// Since when `is` holds without a break: true when for `span` or longer.
enum timed {
    T_UNHEARD,
    T_FOLLOW,
    T_FEEDBACK,
    T_WELD,
    T_LEAK,
    T_FELL_OPEN,
    T_RCD_NONE,
    T_RCD_TRIP,
    T_EARTH,
    T_OVERLOAD,
    T_OVER_CURRENT,
    T_OVER_VOLTAGE,
    T_UNDER_VOLTAGE,
    T_TEMP_SENSOR,
    T_UNLOCKED,
    T_CABLE,
    T_PROVEN_OPEN,
    T_SHORT,
    T_ROWS
};
bool pw_evse_lasting(struct turn *t, enum timed what, bool is, int32_t span);

struct state_row {
    const char *name;
    enum pw_board_cp pilot;
    bool closed;
    enum { LOCK, KEEP, FREE } lock;
    bool test;
    enum pw_board_lamp lamp;
};

extern const struct state_row pw_evse_state_rows[PW_EVSE_STATE_ROWS];

// The least of all limits: no bound's is below it.
/*@ requires \valid_read(limits);
    assigns \nothing;
    ensures \forall integer i; 0 <= i < PW_EVSE_BOUND_ROWS ==> \result <= limits->own_ma[i];
*/
int32_t pw_evse_least(const struct pw_evse_limits *limits);

// The row of the present state. A state nobody knows counts as FAULTED.
/*@ assigns \nothing;
    ensures \valid_read(\result);
*/
const struct state_row *pw_evse_row(const struct pw_evse *evse);

// The contactor's contract, as Frama-C reads it (doc/proofs.md). What must hold while it is closed,
// and what more must hold in the turn that closes it.
/*@ predicate held(struct pw_evse_facts *f) =
      f->heard != 0 && f->ready != 0 && f->diode != 0 && (f->permit != 0 || f->ending != 0) &&
      f->locked != 0 && f->cable != 0 && f->faults == 0 && f->offer_ma <= f->limit_ma;
    predicate prepared(struct pw_evse_facts *f) =
      held(f) && f->permit != 0 && f->settled != 0 && f->open != 0 && f->rested != 0 &&
      f->seldom != 0 && f->offer_ma >= 6000;
    predicate closing(struct pw_evse_facts *f) = prepared(f) && f->rcd != 0;
*/

// guard.c: the contactor's guard, pure.
/*@ requires \valid_read(facts);
    assigns \nothing;
    ensures \result <==> held(facts);
*/
bool pw_evse_may_hold(const struct pw_evse_facts *facts);
/*@ requires \valid_read(facts);
    assigns \nothing;
    ensures \result <==> prepared(facts);
*/
bool pw_evse_may_test(const struct pw_evse_facts *facts);
/*@ requires \valid_read(facts);
    assigns \nothing;
    ensures \result <==> closing(facts);
*/
bool pw_evse_may_close(const struct pw_evse_facts *facts);
/*@ requires \valid_read(facts);
    assigns \nothing;
    ensures \result ==> wished;
    ensures \result ==> held(facts);
    ensures \result && !closed ==> closing(facts);
    ensures wished && closed && held(facts) ==> \result;
*/
bool pw_evse_contactor(bool wished, bool closed, const struct pw_evse_facts *facts);

// sense.c: what is true now; changes memory, never state or outputs.
void pw_evse_sense(struct turn *t);
/*@ requires \valid_read(t) && \valid_read(t->senses);
    assigns \nothing;
    ensures \result <==> t->senses->at <= t->now && t->now - t->senses->at <= SILENT_MS;
*/
bool pw_evse_heard(const struct turn *t);
/*@ requires turn(t);
    assigns t->next;
*/
bool pw_evse_lock_at_end(struct turn *t, bool locked);
// fault.c: conditions become faults, faults end by their rows.
uint32_t pw_evse_conditions(struct turn *t);
void pw_evse_judge(struct turn *t, uint32_t present);
// output.c
/*@ requires turn(t);
    assigns t->evse->facts, t->next;
    ensures heard: t->evse->facts.heard != 0 ==>
      t->senses->at <= t->now && t->now - t->senses->at <= SILENT_MS;
    ensures ready: t->evse->facts.ready != 0 ==>
      t->evse->pilot.level == PW_PILOT_C ||
      (t->evse->pilot.level == PW_PILOT_D &&
        t->evse->config.ventilation != PW_EVSE_VENTILATION_NONE);
    ensures diode: t->evse->facts.diode != 0 ==> t->evse->pilot.diode != 0;
    ensures permit: t->evse->facts.permit != 0 ==> t->permit != 0;
    ensures ending: t->evse->facts.ending != 0 ==>
      t->evse->state == PW_EVSE_STOPPING &&
      (t->now < t->evse->since || t->now - t->evse->since < FORCED_MS);
    ensures locked: t->evse->facts.locked != 0 ==> t->evse->locked != 0;
    ensures cable: t->evse->facts.cable != 0 ==> t->evse->cable_ma > 0;
    ensures faults: t->evse->facts.faults == t->evse->faults;
    ensures offer: t->evse->facts.offer_ma == t->evse->offered_ma;
    ensures limit: \forall integer i; 0 <= i < PW_EVSE_BOUND_ROWS ==>
      t->evse->facts.limit_ma <= t->evse->limits.own_ma[i];
    ensures settled: t->evse->facts.settled != 0 ==>
      t->evse->pilot.candidate == t->evse->pilot.level;
    ensures open: t->evse->facts.open != 0 ==> t->evse->proven_open != 0;
    ensures rcd: t->evse->facts.rcd != 0 ==>
      (t->evse->rcd_passed != 0 &&
        (t->now < t->evse->rcd_at || t->now - t->evse->rcd_at < TEST_FRESH_MS)) ||
      (t->evse->config.no_rcd != 0 && t->senses->rcd == PW_BOARD_RCD_NONE);
    ensures rested: t->evse->facts.rested != 0 ==>
      t->evse->opened_at == PW_NEVER ||
      (t->evse->opened_at <= t->now &&
        t->now - t->evse->opened_at >= (pw_ms)t->evse->config.min_off_ms);
*/
void pw_evse_look(struct turn *t);
/*@ requires turn(t);
    assigns t->evse->drive.duty_ppm, t->evse->duty_at, t->evse->offered_ma, t->next;
    ensures t->evse->offered_ma == 0 || t->evse->offered_ma >= 6000;
    ensures \forall integer i; 0 <= i < PW_EVSE_BOUND_ROWS ==>
      t->evse->offered_ma == 0 || t->evse->offered_ma <= t->evse->limits.own_ma[i];
*/
void pw_evse_offer(struct turn *t);

// Every output but the contactor.
void pw_evse_apply(struct turn *t);
// The last act of a turn: the contactor, and what follows from it. Returns its next deadline.
/*@ requires \valid(evse) && \valid_read(input) && \valid_read(input->senses) &&
      \separated(evse, input, input->senses);
    ensures ready: evse->drive.contactor != 0 ==>
      evse->pilot.level == PW_PILOT_C ||
      (evse->pilot.level == PW_PILOT_D && evse->config.ventilation != PW_EVSE_VENTILATION_NONE);
    ensures diode: evse->drive.contactor != 0 ==>
      evse->pilot.diode != 0;
    ensures authorised: evse->drive.contactor != 0 ==>
      input->permit != 0 ||
      (evse->state == PW_EVSE_STOPPING && (now < evse->since || now - evse->since < FORCED_MS));
    ensures no_fault: evse->drive.contactor != 0 ==>
      evse->faults == 0;
    ensures locked: evse->drive.contactor != 0 ==>
      evse->locked != 0;
    ensures cable: evse->drive.contactor != 0 ==>
      evse->cable_ma > 0;
    ensures heard: evse->drive.contactor != 0 ==>
      input->senses->at <= now && now - input->senses->at <= SILENT_MS;
    ensures limits: evse->drive.contactor != 0 ==>
      \forall integer i; 0 <= i < PW_EVSE_BOUND_ROWS ==>
      evse->offered_ma <= evse->limits.own_ma[i];
    ensures permitted: evse->drive.contactor != 0 && \old(evse->drive.contactor) == 0 ==>
      input->permit != 0;
    ensures settled: evse->drive.contactor != 0 && \old(evse->drive.contactor) == 0 ==>
      evse->pilot.candidate == evse->pilot.level;
    ensures was_open: evse->drive.contactor != 0 && \old(evse->drive.contactor) == 0 ==>
      evse->proven_open != 0;
    ensures offers: evse->drive.contactor != 0 && \old(evse->drive.contactor) == 0 ==>
      evse->offered_ma >= 6000;
    ensures rcd_tested: evse->drive.contactor != 0 && \old(evse->drive.contactor) == 0 ==>
      (\old(evse->rcd_passed) != 0 && (now < evse->rcd_at || now - evse->rcd_at < TEST_FRESH_MS)) ||
      (evse->config.no_rcd != 0 && input->senses->rcd == PW_BOARD_RCD_NONE);
    ensures rested: evse->drive.contactor != 0 && \old(evse->drive.contactor) == 0 ==>
      evse->opened_at == PW_NEVER ||
      (evse->opened_at <= now && now - evse->opened_at >= (pw_ms)evse->config.min_off_ms);
    ensures stepped: evse->stepped_at == now;
*/
pw_ms pw_evse_switch(struct pw_evse *evse, const struct pw_evse_input *input, pw_ms now);
// say.c: log lines.
//@ assigns \nothing;
void pw_evse_say_move(const struct pw_evse *evse, enum pw_evse_state to, const char *why);
//@ assigns \nothing;
void pw_evse_say_fault(const struct pw_evse *evse, unsigned fault, bool stands, const char *why);
//@ assigns \nothing;
void pw_evse_say_plug(const struct pw_evse *evse);

#endif
