#include "evse/evse.h"

#include "evse/turn.h"

#define MOVES_MAX   8   // changes of state in one turn; the longest chain is shorter
#define NUDGE_MS    5   // the next look after a change of state
#define LOOPBACK_MS 300 // of -12 V before the self-test goes on
#define BLIND_MS    100 // a contactor without feedback is taken as closed

// ---------------------------------------------------------------------------------------------
// The table: outputs depend on the state.

#define FAULT  PW_BOARD_CP_FAULT
#define STEADY PW_BOARD_CP_STEADY
#define PWM    PW_BOARD_CP_PWM
enum { OPEN, CLOSED };
enum { NO, YES };

#define STATE_ROW(id, text, pilot, cont, lock, test, lamp)                                         \
    {text, pilot, cont, lock, test, PW_BOARD_LAMP_##lamp},
const struct state_row pw_evse_state_rows[PW_EVSE_STATE_ROWS] = {PW_EVSE_STATES(STATE_ROW)};

#define STATE_CHECK(id, text, pilot, cont, lock, test, lamp)                                       \
    _Static_assert((cont) == OPEN || (lock) == LOCK, #id ": never closed without lock");           \
    _Static_assert((cont) == OPEN || (pilot) != FAULT, #id ": never closed in state F");           \
    _Static_assert((cont) == OPEN || !(test), #id ": the RCD is tested on an open contactor");
PW_EVSE_STATES(STATE_CHECK)

#define WORD(id, text) text,
static const char *const bound_names[PW_EVSE_BOUND_ROWS] = {PW_EVSE_BOUNDS(WORD)};
static const char *const pause_names[PW_EVSE_PAUSE_ROWS] = {PW_EVSE_PAUSES(WORD)};

const char *pw_evse_state_name(enum pw_evse_state state)
{
    return (unsigned)state < PW_EVSE_STATE_ROWS ? pw_evse_state_rows[state].name : "unknown";
}

static const char *bound_name(enum pw_evse_bound bound)
{
    return (unsigned)bound < PW_EVSE_BOUND_ROWS ? bound_names[bound] : "unknown";
}

const char *pw_evse_pause_name(enum pw_evse_pause pause)
{
    return (unsigned)pause < PW_EVSE_PAUSE_ROWS ? pause_names[pause] : "unknown";
}

const struct state_row *pw_evse_row(const struct pw_evse *evse)
{
    bool known = (unsigned)evse->state < PW_EVSE_STATE_ROWS;
    return &pw_evse_state_rows[known ? evse->state : PW_EVSE_FAULTED];
}

// ---------------------------------------------------------------------------------------------
// Settings

static bool order(bool is, const char *rule, struct pw_out *why)
{
    if (!is && why != NULL) {
        pw_put_s(why, rule);
    }
    return is;
}

static int out_of_range(const char *name, int32_t value, const char *range, struct pw_out *why)
{
    if (why != NULL) {
        pw_put_s(why, name);
        pw_put_s(why, " is ");
        pw_put_int(why, value);
        pw_put_s(why, ", must be ");
        pw_put_s(why, range);
    }
    return PW_ERR_RANGE;
}

static int fill(struct pw_evse_config *to, const struct pw_evse_config *from, struct pw_out *why)
{
    struct pw_evse_config c = *from;
#define FILL(field, initial, least, most)                                                          \
    if (c.field == 0) {                                                                            \
        c.field = (initial);                                                                       \
    }                                                                                              \
    if (c.field < (least) || c.field > (most)) {                                                   \
        return out_of_range(#field, c.field, #least " to " #most, why);                            \
    }
    PW_EVSE_SETTINGS(FILL)
#undef FILL
    if ((unsigned)c.ventilation > PW_EVSE_VENTILATION_RELAY) {
        return out_of_range("ventilation", (int32_t)c.ventilation, "none, always or relay", why);
    }
    if ((unsigned)c.wake > PW_EVSE_WAKE_FAULT) {
        return out_of_range("wake", (int32_t)c.wake, "none, x1 or fault", why);
    }
    bool good = order(c.derate_from_dc < c.trip_dc, "derate_from_dc must be below trip_dc", why) &&
                order(c.under_mv + c.mains_back_mv < c.over_mv - c.mains_back_mv,
                      "under_mv and over_mv leave no room for mains_back_mv", why);
    if (!good) {
        return PW_ERR_RANGE;
    }
    *to = c;
    return PW_OK;
}

int pw_evse_init(struct pw_evse *evse, uint8_t connector_id, const struct pw_evse_config *config,
                 const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    struct pw_evse_config filled;
    int err = fill(&filled, config, why);
    if (err < 0) {
        return err;
    }
    *evse = (struct pw_evse){
        .config = filled,
        .log = log,
        .connector_id = connector_id,
        .state = PW_EVSE_STARTING,
        .why = "start",
        .since = now,
        .plugged_since = now,
        .cable_ma = filled.socket ? 0 : filled.max_ma,
        .limits = {.who = PW_EVSE_BOUND_INPUT},
        .drive = {.cp = PW_BOARD_CP_FAULT, .lock = filled.socket},
        .lock_want = filled.socket,
        .probed_at = PW_NEVER,
        .start = now,
        .stepped_at = now,
        .opened_at = PW_NEVER,
        .driven_at = now,
        .duty_at = now,
        .lock_at = now,
        .heat_dc = -400,
    };
    pw_pilot_init(&evse->pilot);
    for (unsigned i = 0; i < PW_EVSE_TIMED_ROWS; i++) {
        evse->true_since[i] = PW_NEVER;
    }
    for (unsigned i = 0; i < PW_EVSE_FAULT_ROWS; i++) {
        evse->gone_since[i] = PW_NEVER;
    }
    return PW_OK;
}

int pw_evse_configure(struct pw_evse *evse, const struct pw_evse_config *config, struct pw_out *why)
{
    return fill(&evse->config, config, why);
}

// ---------------------------------------------------------------------------------------------
// Decision

struct move {
    enum pw_evse_state to;
    const char *why;
};

#define STAY(t)        ((struct move){(t)->evse->state, ""})
#define GO(state, why) ((struct move){PW_EVSE_##state, why})

static const char *fault_text(const struct pw_evse *evse)
{
    enum pw_evse_fault worst = pw_evse_worst(evse);
    return worst < PW_EVSE_FAULT_ROWS ? pw_evse_fault_rows[worst].text : "";
}

static bool held_down(const struct pw_evse *evse)
{
    for (unsigned i = 0; i < PW_EVSE_FAULT_ROWS; i++) {
        if ((evse->faults & PW_EVSE_BIT(i)) != 0 && pw_evse_fault_rows[i].down) {
            return true;
        }
    }
    return false;
}

// The vehicle has closed S2, whether we may serve it or not.
static bool asks(const struct turn *t)
{
    enum pw_pilot_level level = t->evse->pilot.level;
    return level == PW_PILOT_C || level == PW_PILOT_D;
}

static bool can_offer(const struct turn *t)
{
    return t->evse->limits.ma >= PW_PILOT_LEAST_MA;
}

static bool may_switch(const struct turn *t)
{
    return t->evse->facts.rested && t->evse->facts.seldom;
}

static bool resting(const struct turn *t, struct move *move)
{
    const struct pw_evse *evse = t->evse;
    if (evse->faults != 0) {
        *move = (struct move){PW_EVSE_FAULTED, fault_text(evse)};
    } else if (!evse->plugged) {
        *move = GO(IDLE, "unplugged");
    } else if (!t->permit) {
        *move = GO(WAITING, "no permit");
    } else {
        return false;
    }
    return true;
}

// The same, and limit and rest, for states that are about to offer or to close.
static bool leaving(const struct turn *t, struct move *move)
{
    if (resting(t, move)) {
        return true;
    }
    if (!can_offer(t)) {
        *move = (struct move){PW_EVSE_READY, bound_name(t->evse->limits.who)};
        return true;
    }
    return false;
}

static struct move from_starting(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    if (evse->faults != 0) {
        return GO(FAULTED, fault_text(evse));
    }
    bool low = pw_evse_passed(t, evse->since, LOOPBACK_MS) && evse->pilot.level == PW_PILOT_F;
    if (!low || !evse->facts.heard || !evse->proven_open) {
        return STAY(t);
    }
    bool none = evse->config.no_rcd && t->senses->rcd == PW_BOARD_RCD_NONE;
    return none ? GO(IDLE, "self-test passed") : GO(PROBING, "pilot follows, contactor open");
}

static struct move from_probing(struct turn *t, enum pw_board_rcd wanted, struct move then)
{
    if (t->evse->faults != 0) {
        return GO(FAULTED, fault_text(t->evse));
    }
    return t->senses->rcd == wanted ? then : STAY(t);
}

static struct move from_ready(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    struct move move = STAY(t);
    if (resting(t, &move)) {
        return move;
    }
    bool steady = evse->drive.cp == PW_BOARD_CP_STEADY && pw_evse_passed(t, evse->driven_at, X1_MS);
    if (can_offer(t) && steady && evse->facts.locked && evse->facts.cable && may_switch(t)) {
        return GO(OFFERING, "permit");
    }
    return STAY(t);
}

static struct move from_offering(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    struct move move = STAY(t);
    if (leaving(t, &move)) {
        return move;
    }
    if (asks(t) && !may_switch(t)) {
        return GO(READY, evse->facts.rested ? "closings an hour" : "contactor rests");
    }
    if (pw_evse_may_test(&evse->facts)) {
        return pw_evse_may_close(&evse->facts) ? GO(CLOSING, "vehicle ready")
                                               : GO(TESTING, "vehicle ready");
    }
    if (evse->pilot.level == PW_PILOT_B && !evse->woken && evse->config.wake != PW_EVSE_WAKE_NONE &&
        pw_evse_passed(t, evse->since, evse->config.wake_ms)) {
        return evse->config.wake == PW_EVSE_WAKE_X1 ? GO(WAKING, "vehicle sleeps")
                                                    : GO(WAKING_F, "vehicle sleeps");
    }
    return STAY(t);
}

static struct move from_waking(struct turn *t, struct move then)
{
    struct move move = STAY(t);
    if (t->evse->faults != 0) {
        return GO(FAULTED, fault_text(t->evse));
    }
    if (leaving(t, &move)) {
        // The pulse at -12 V hides the plug: steady pilot first, and F lasts its time.
        bool held = pw_evse_passed(t, t->evse->since, FAULT_HOLD_MS);
        return held ? GO(READY, "pulse broken off") : STAY(t);
    }
    return pw_evse_passed(t, t->evse->since, PULSE_MS) ? then : STAY(t);
}

static struct move from_testing(struct turn *t)
{
    struct move move = STAY(t);
    if (leaving(t, &move)) {
        return move;
    }
    if (!pw_evse_may_test(&t->evse->facts)) {
        return GO(OFFERING, "vehicle not ready");
    }
    return t->senses->rcd == PW_BOARD_RCD_TRIPPED ? GO(TESTED, "RCD trips") : STAY(t);
}

static struct move from_tested(struct turn *t)
{
    struct move move = STAY(t);
    if (leaving(t, &move)) {
        return move;
    }
    if (!pw_evse_may_test(&t->evse->facts)) {
        return GO(OFFERING, "vehicle not ready");
    }
    return pw_evse_may_close(&t->evse->facts) ? GO(CLOSING, "RCD comes back") : STAY(t);
}

static struct move from_closed(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    if (evse->faults != 0) {
        return GO(FAULTED, fault_text(evse));
    }
    if (!evse->plugged) {
        return GO(IDLE, "unplugged");
    }
    if (!evse->facts.ready) {
        return GO(OFFERING, asks(t) ? "no ventilation" : "vehicle opened S2");
    }
    if (!t->permit || !can_offer(t)) {
        return GO(STOPPING, t->permit ? bound_name(evse->limits.who) : "no permit");
    }
    if (!pw_evse_may_hold(&evse->facts)) {
        return GO(OFFERING, "guard");
    }
    if (evse->state == PW_EVSE_CHARGING) {
        return STAY(t);
    }
    bool there = evse->drive.contactor && evse->reads_closed && !evse->reads_open;
    bool blind = evse->config.no_feedback;
    return there && (!blind || pw_evse_passed(t, evse->since, BLIND_MS))
               ? GO(CHARGING, "contactor closed")
               : STAY(t);
}

static struct move from_stopping(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    if (evse->faults != 0) {
        return GO(FAULTED, fault_text(evse));
    }
    if (!evse->plugged) {
        return GO(IDLE, "unplugged");
    }
    if (!evse->facts.ready) {
        return GO(READY, "vehicle opened S2");
    }
    return pw_evse_passed(t, evse->since, FORCED_MS) ? GO(READY, "vehicle ignores the stop")
                                                     : STAY(t);
}

static struct move from_faulted(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    if (!pw_evse_passed(t, evse->since, FAULT_HOLD_MS) || held_down(evse)) {
        return STAY(t);
    }
    if (evse->faults != 0) {
        return GO(BLOCKED, fault_text(evse));
    }
    return evse->tested ? GO(WAITING, "no fault stands") : GO(STARTING, "no fault stands");
}

static struct move from_blocked(struct turn *t)
{
    const struct pw_evse *evse = t->evse;
    if (held_down(evse)) {
        return GO(FAULTED, fault_text(evse));
    }
    if (evse->faults != 0) {
        return STAY(t);
    }
    return evse->tested ? GO(WAITING, "no fault stands") : GO(STARTING, "no fault stands");
}

static struct move from_waiting(struct turn *t)
{
    struct move move = STAY(t);
    return resting(t, &move) ? move : GO(READY, "permit");
}

static struct move from_idle(struct turn *t)
{
    if (t->evse->faults != 0) {
        return GO(FAULTED, fault_text(t->evse));
    }
    return t->evse->plugged ? GO(WAITING, "plugged") : STAY(t);
}

// Where the machine goes from here. Changes nothing but the turn's next deadline.
static struct move next(struct turn *t)
{
    switch (t->evse->state) {
    case PW_EVSE_STARTING: return from_starting(t);
    case PW_EVSE_PROBING: return from_probing(t, PW_BOARD_RCD_TRIPPED, GO(PROBED, "RCD trips"));
    case PW_EVSE_PROBED: return from_probing(t, PW_BOARD_RCD_OK, GO(IDLE, "self-test passed"));
    case PW_EVSE_IDLE: return from_idle(t);
    case PW_EVSE_WAITING: return from_waiting(t);
    case PW_EVSE_READY: return from_ready(t);
    case PW_EVSE_OFFERING: return from_offering(t);
    case PW_EVSE_WAKING: return from_waking(t, GO(OFFERING, "pulse over"));
    case PW_EVSE_WAKING_F: return from_waking(t, GO(READY, "pulse over"));
    case PW_EVSE_TESTING: return from_testing(t);
    case PW_EVSE_TESTED: return from_tested(t);
    case PW_EVSE_CLOSING:
    case PW_EVSE_CHARGING: return from_closed(t);
    case PW_EVSE_STOPPING: return from_stopping(t);
    case PW_EVSE_FAULTED: return from_faulted(t);
    case PW_EVSE_BLOCKED: return from_blocked(t);
    case PW_EVSE_STATE_ROWS: break;
    }
    PW_UNREACHABLE();
}

// The one place where the state changes.
static void enter(struct turn *t, struct move move)
{
    struct pw_evse *evse = t->evse;
    pw_evse_say_move(evse, move.to, move.why);
    evse->trail[evse->steps % PW_EVSE_TRAIL_MAX] =
        (struct pw_evse_step){.at = t->now, .from = evse->state, .to = move.to, .why = move.why};
    evse->steps++;
    if (move.to == PW_EVSE_IDLE) {
        evse->tested = true; // there is no other way to it than through the self-test
    }
    if (move.to == PW_EVSE_WAKING || move.to == PW_EVSE_WAKING_F || move.to == PW_EVSE_TESTING) {
        evse->woken = true;
    }
    if (move.to == PW_EVSE_STOPPING) {
        evse->woken = false; // after a pause of ours it may sleep again
    }
    evse->state = move.to;
    evse->why = move.why;
    evse->since = t->now;
}

// Everything but the contactor: senses, moves, the other outputs. Returns the next deadline.
/*@ requires \valid(evse) && \valid_read(input) && \valid_read(input->senses) &&
      \separated(evse, input, input->senses);
    assigns *evse;
*/
static pw_ms decide(struct pw_evse *evse, const struct pw_evse_input *input, pw_ms now)
{
    struct turn t = {
        .evse = evse,
        .senses = input->senses,
        .permit = input->permit,
        .hold = input->hold,
        .limit_ma = input->limit_ma,
        .now = now,
        .next = PW_NEVER,
    };
    pw_evse_sense(&t);
    pw_evse_offer(&t);
    for (unsigned i = 0; i < MOVES_MAX; i++) {
        pw_evse_look(&t);
        struct move move = next(&t);
        if (move.to == evse->state) {
            break;
        }
        enter(&t, move);
    }
    pw_evse_apply(&t);
    // Senses that depend on state and outputs have changed with them.
    return evse->since == now ? pw_earlier(t.next, pw_after(now, NUDGE_MS)) : t.next;
}

/*@ requires \valid(evse) && \valid_read(input) && \valid_read(input->senses) &&
      \separated(evse, input, input->senses);
    ensures ready: evse->drive.contactor != 0 ==>
      evse->pilot.level == PW_PILOT_C ||
      (evse->pilot.level == PW_PILOT_D && evse->config.ventilation != PW_EVSE_VENTILATION_NONE);
    ensures diode: evse->drive.contactor != 0 ==>
      evse->pilot.diode != 0;
    ensures authorised: evse->drive.contactor != 0 ==>
      input->permit != 0 ||
      (evse->state == PW_EVSE_STOPPING && (evse->stepped_at < evse->since || evse->stepped_at -
   evse->since < FORCED_MS)); ensures no_fault: evse->drive.contactor != 0 ==> evse->faults == 0;
    ensures locked: evse->drive.contactor != 0 ==>
      evse->locked != 0;
    ensures cable: evse->drive.contactor != 0 ==>
      evse->cable_ma > 0;
    ensures heard: evse->drive.contactor != 0 ==>
      input->senses->at <= evse->stepped_at && evse->stepped_at - input->senses->at <= SILENT_MS;
    ensures limits: evse->drive.contactor != 0 ==>
      \forall integer i; 0 <= i < PW_EVSE_BOUND_ROWS ==>
      evse->offered_ma <= evse->limits.own_ma[i];
*/
pw_ms pw_evse_step(struct pw_evse *evse, const struct pw_evse_input *input, pw_ms now)
{
    // A clock that stands or runs backwards must not undo what time has decided.
    pw_ms at = now < evse->stepped_at ? evse->stepped_at : now;
    pw_ms decided = decide(evse, input, at);
    pw_ms switched = pw_evse_switch(evse, input, at);
    return pw_earlier(decided, switched);
}

struct pw_board_drive pw_evse_drive(const struct pw_evse *evse)
{
    return evse->drive;
}

bool pw_evse_is_off(const struct pw_evse *evse)
{
    return evse->off;
}

bool pw_evse_paused_by_vehicle(const struct pw_evse *evse)
{
    return evse->pause == PW_EVSE_PAUSE_VEHICLE || evse->pause == PW_EVSE_PAUSE_VENTILATION;
}

bool pw_evse_paused_by_station(const struct pw_evse *evse)
{
    switch (evse->pause) {
    case PW_EVSE_PAUSE_LIMIT:
    case PW_EVSE_PAUSE_LOCK:
    case PW_EVSE_PAUSE_REST:
    case PW_EVSE_PAUSE_CLOSES:
    case PW_EVSE_PAUSE_PILOT:
    case PW_EVSE_PAUSE_CHECKS: return true;
    case PW_EVSE_PAUSE_NONE:
    case PW_EVSE_PAUSE_PERMIT:
    case PW_EVSE_PAUSE_FAULT:
    case PW_EVSE_PAUSE_VENTILATION:
    case PW_EVSE_PAUSE_VEHICLE:
    case PW_EVSE_PAUSE_ROWS: break;
    }
    return false;
}
