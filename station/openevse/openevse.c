#include "openevse/openevse.h"

#include "openevse/parts.h"

#include <string.h>

enum {
    UNSEEN_MS = 60000, // a vehicle that nobody has seen for so long may be another one
    ASLEEP_MS = 30000, // a vehicle that takes an offer does so within this
    PULSE_MS = 4000,   // of waking (facts/ac-evse-rapi-load.md §3.5)
    OBEY_MS = 8000,    // a sleeping board opens its relay 3 s after the order
    LEAST_FALLBACK_MA = 6000,
    LIVE_MA = 1000,     // a current from here on is no noise
    FIRST_MS = 10000,   // for a board's first answer after the start
    STARTING_MS = 3000, // from a board's first sign of life until it has looked at its pilot
    METER_LATE_MS = 15000,
    BACK_MS = 10000,        // for the first reading of a board that was away
    LAST_READING_MS = 5000, // of the energy after the relay opened; it is waited for so long
};

const struct pw_openevse_fault_row pw_openevse_fault_rows[PW_OPENEVSE_FAULT_ROWS] = {
#define FAULT(name, stays, ocpp16, vendor, text) {(stays) != 0, ocpp16, vendor, text},
    PW_OPENEVSE_FAULTS(FAULT)
#undef FAULT
};

static const struct {
    const char *name;
    enum pw_rapi_power power;
} states[PW_OPENEVSE_STATE_ROWS] = {
#define STATE(name, text, power) {text, PW_RAPI_##power},
    PW_OPENEVSE_STATES(STATE)
#undef STATE
};

const char *pw_openevse_state_name(enum pw_openevse_state state)
{
    PW_ASSERT((unsigned)state < PW_OPENEVSE_STATE_ROWS);
    return states[state].name;
}

static void set_limit(struct pw_openevse *oe, enum pw_limit_source source, int32_t ma,
                      const char *why, pw_ms now)
{
    int err = pw_limits_set(&oe->limits, source, ma, why, PW_NEVER, now);
    PW_ASSERT(err == PW_OK);
}

static int fill(struct pw_openevse_config *to, const struct pw_openevse_config *from,
                struct pw_out *why)
{
    struct pw_openevse_config c = *from;
    c.unseen_ms = c.unseen_ms == 0 ? UNSEEN_MS : c.unseen_ms;
    // A board that starts anew while nobody is here begins at its maximum and comes down to its
    // fall-back only: never above its owner's limit. Less than 6 A no board offers.
    c.rapi.heartbeat_ma = (int32_t)pw_min(c.rapi.heartbeat_ma, pw_max(c.max_ma, LEAST_FALLBACK_MA));
    bool good = pw_within(why, "connector_id", c.connector_id, 1, UINT8_MAX) &&
                pw_within(why, "rated_ma", c.rated_ma, 6000, 80000) &&
                pw_within(why, "max_ma", c.max_ma, 0, c.rated_ma) &&
                pw_within(why, "min_ma", c.min_ma, 6000, 32000) &&
                pw_within(why, "mains_mv", c.mains_mv, 100000, 400000);
    if (good) {
        *to = c;
    }
    return good ? PW_OK : PW_ERR_RANGE;
}

static int refuse_meter(struct pw_out *why)
{
    if (why != NULL) {
        pw_put_s(why, "meter settings contradict each other");
    }
    return PW_ERR_RANGE;
}

int pw_openevse_init(struct pw_openevse *oe, const struct pw_openevse_config *config,
                     const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    memset(oe, 0, sizeof(*oe));
    int err = fill(&oe->config, config, why);
    if (err == PW_OK) {
        const struct pw_reach_config reach = {
            .radio = oe->config.radio, .rapi = oe->config.rapi, .key = oe->config.radio_key};
        err = pw_reach_init(&oe->rapi, &reach, log, now, why);
        oe->config.radio_key = PW_STR(""); // it was copied, and is nobody's to read here
    }
    if (err == PW_OK && pw_mains_init(&oe->mains, &oe->config.mains, now) != PW_OK) {
        err = refuse_meter(why);
    }
    if (err != PW_OK) {
        return err;
    }
    oe->log = log;
    oe->why = "started";
    oe->since = now;
    oe->plugged_since = PW_NEVER;
    oe->unheard_since = now;
    oe->opened_at = PW_NEVER;
    oe->live_since = PW_NEVER;
    oe->started_at = PW_NEVER;
    oe->external = (struct pw_board_mains)PW_BOARD_NO_MAINS;
    oe->counted = (struct pw_board_mains)PW_BOARD_NO_MAINS;
    pw_openevse_energy_init(&oe->energy);
    pw_limits_init(&oe->limits, oe->config.rated_ma, now);
    set_limit(oe, PW_LIMIT_SETTINGS, oe->config.max_ma, "settings", now);
    pw_session_init(&oe->session, oe->config.connector_id, &oe->config.session, log, now);
    return PW_OK;
}

int pw_openevse_configure(struct pw_openevse *oe, const struct pw_openevse_config *config,
                          struct pw_out *why, pw_ms now)
{
    struct pw_openevse_config c;
    struct pw_mains mains = oe->mains;
    int err = fill(&c, config, why);
    if (err == PW_OK && pw_mains_configure(&mains, &c.mains) != PW_OK) {
        err = refuse_meter(why);
    }
    if (err == PW_OK) {
        err = pw_reach_configure(&oe->rapi, &c.rapi, now, why);
    }
    if (err != PW_OK) {
        return err;
    }
    // What the hardware was built for does not change while it runs.
    c.rated_ma = oe->config.rated_ma;
    c.radio = oe->config.radio;
    c.radio_key = oe->config.radio_key;
    oe->config = c;
    oe->mains = mains;
    pw_session_configure(&oe->session, &c.session);
    set_limit(oe, PW_LIMIT_SETTINGS, (int32_t)pw_min(c.max_ma, c.rated_ma), "settings", now);
    return PW_OK;
}

void pw_openevse_mains(struct pw_openevse *oe, const struct pw_board_mains *mains, pw_ms now)
{
    (void)now;
    oe->external = *mains;
}

bool pw_openevse_estop(struct pw_openevse *oe, bool pressed)
{
    bool before = oe->estop;
    oe->estop = pressed;
    return before;
}

// ---------------------------------------------------------------------------------------------
// What is seen.

static void set_fault(struct pw_openevse *oe, enum pw_openevse_fault fault, bool on)
{
    uint32_t bit = 1U << fault;
    if (((oe->faults & bit) != 0) == on) {
        return;
    }
    oe->faults = on ? oe->faults | bit : oe->faults & ~bit;
    struct pw_line line;
    pw_line(&line, oe->log, on ? PW_LOG_ERROR : PW_LOG_INFO, "openevse",
            on ? "fault" : "fault-over");
    pw_line_int(&line, "connector", oe->config.connector_id);
    pw_line_s(&line, "vendor_code", pw_openevse_fault_rows[fault].vendor);
    pw_line_s(&line, "text", pw_openevse_fault_rows[fault].text);
    pw_line_end(&line);
}

static bool flows(const struct pw_rapi_view *board)
{
    return board->relay || (board->ma != PW_RAPI_UNKNOWN && board->ma >= LIVE_MA);
}

static void watch_board(struct pw_openevse *oe, pw_ms now)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool heard = board->ok && board->state_at != PW_NEVER;
    if (!heard && oe->unheard_since == PW_NEVER) {
        oe->unheard_since = now;
    } else if (heard && oe->unheard_since != PW_NEVER) {
        oe->unheard_since = PW_NEVER;
        oe->heard_since = now;
    }
    // A station that has just started has not asked its board yet.
    bool late = oe->was_heard || pw_elapsed(oe->unheard_since, FIRST_MS, now);
    oe->was_heard = oe->was_heard || heard;
    set_fault(oe, PW_OPENEVSE_FAULT_BOARD, !heard && late);
    if (oe->estop) {
        set_fault(oe, PW_OPENEVSE_FAULT_ESTOP, true);
    }
    if (!heard) {
        return; // what it does now nobody knows: what was seen last stands
    }
    set_fault(oe, PW_OPENEVSE_FAULT_LIMIT, board->keeps_limit);
    if (board->reboots != oe->reboots) {
        oe->reboots = board->reboots;
        oe->started_at = now;
    }
    // A board that has just begun does not see the vehicle yet: nobody has unplugged it. It says so
    // by state 0, as for a moment after each waking.
    bool blind = board->state == PW_RAPI_STATE_STARTING ||
                 (oe->started_at != PW_NEVER && !pw_elapsed(oe->started_at, STARTING_MS, now));
    if (board->plugged != oe->plugged && (board->plugged || !blind)) {
        oe->plugged = board->plugged;
        oe->plugged_since = board->plugged ? now : PW_NEVER;
    }
    bool live = flows(board);
    if (live && oe->live_since == PW_NEVER) {
        oe->live_since = now;
        oe->opened_at = PW_NEVER;
    } else if (!live && oe->live_since != PW_NEVER) {
        oe->live_since = PW_NEVER;
        oe->opened_at = now;
    }
    if (!live) {
        set_fault(oe, PW_OPENEVSE_FAULT_LIVE, false);
    }
}

// A transaction does not outlive a long silence: the next vehicle must not charge on its card.
static pw_ms watch_plug(struct pw_openevse *oe, pw_ms now)
{
    if (oe->unheard_since == PW_NEVER || !oe->plugged) {
        return PW_NEVER;
    }
    if (!pw_elapsed(oe->unheard_since, oe->config.unseen_ms, now)) {
        return pw_after(oe->unheard_since, oe->config.unseen_ms);
    }
    // BUSY: there is none, or it is ending.
    (void)!pw_session_stop(&oe->session, PW_REASON_OTHER, PW_STR(""), now);
    return PW_NEVER;
}

// Less than the board's own setting is what counts; what it is built for is in that.
static void enter_board_limit(struct pw_openevse *oe, pw_ms now)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool known = oe->unheard_since == PW_NEVER && board->config_ma != PW_RAPI_UNKNOWN;
    if (known && board->config_ma < oe->config.rated_ma) {
        set_limit(oe, PW_LIMIT_BOARD, board->config_ma, "the board's own setting", now);
    } else {
        pw_limits_clear(&oe->limits, PW_LIMIT_BOARD, now);
    }
}

// How old a reading may be. Behind a radio nothing may come for PW_LORA_SILENT_MS, and until then
// nobody could tell the board to stop: what it does is not its fault.
static pw_ms meter_late_ms(const struct pw_openevse *oe)
{
    return oe->config.radio ? PW_LORA_SILENT_MS + METER_LATE_MS : METER_LATE_MS;
}

// Energy that flows uncounted pauses the charge, until a reading has come again. What a board that
// is away reads nobody can know, and when it is back it needs a moment: its relay must not open for
// a silence that is over.
static pw_ms watch_meter(struct pw_openevse *oe, pw_ms now)
{
    if (oe->unheard_since != PW_NEVER) {
        pw_limits_clear(&oe->limits, PW_LIMIT_METER, now);
        return PW_NEVER;
    }
    pw_ms heard = oe->mains.good.at;
    pw_ms from = heard == PW_NEVER || (oe->live_since != PW_NEVER && heard < oe->live_since)
                     ? oe->live_since
                     : heard;
    pw_ms late_at = (pw_ms)pw_max((int64_t)pw_after(from, meter_late_ms(oe)),
                                  (int64_t)pw_after(oe->heard_since, BACK_MS));
    bool late = oe->live_since != PW_NEVER && now >= late_at;
    const struct pw_limit *row = &oe->limits.row[PW_LIMIT_METER];
    if (late) {
        set_limit(oe, PW_LIMIT_METER, 0, "meter silent or implausible", now);
    } else if (row->set && heard != PW_NEVER && heard > row->since) {
        pw_limits_clear(&oe->limits, PW_LIMIT_METER, now);
    }
    return late || oe->live_since == PW_NEVER ? PW_NEVER : late_at;
}

// ---------------------------------------------------------------------------------------------
// The decision.

struct next {
    enum pw_openevse_state state;
    const char *why;
};

// Told to stop, and it still flows: first gently, then at once.
static struct next stop(const struct pw_openevse *oe, const char *why, pw_ms now)
{
    bool stopping = oe->state == PW_OPENEVSE_STOPPING;
    if (oe->state == PW_OPENEVSE_CUTTING || (stopping && pw_elapsed(oe->since, OBEY_MS, now))) {
        return (struct next){PW_OPENEVSE_CUTTING, "the relay did not open"};
    }
    return (struct next){PW_OPENEVSE_STOPPING, stopping ? oe->why : why};
}

static bool wakes(enum pw_openevse_state state)
{
    return state == PW_OPENEVSE_WAKING || state == PW_OPENEVSE_WAKING_F;
}

// A vehicle that sleeps through its offer is woken once by a pulse on the pilot.
static struct next offer(const struct pw_openevse *oe, pw_ms now)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool waits = oe->state == PW_OPENEVSE_OFFERING && board->state == PW_RAPI_STATE_B &&
                 pw_elapsed(oe->since, ASLEEP_MS, now);
    if (wakes(oe->state) && !pw_elapsed(oe->since, PULSE_MS, now)) {
        return (struct next){oe->state, oe->why};
    }
    if (waits && !oe->woken && oe->config.wake != PW_OPENEVSE_WAKE_NONE) {
        return oe->config.wake == PW_OPENEVSE_WAKE_FAULT
                   ? (struct next){PW_OPENEVSE_WAKING_F, "vehicle sleeps"}
                   : (struct next){PW_OPENEVSE_WAKING, "vehicle sleeps"};
    }
    return (struct next){PW_OPENEVSE_OFFERING, wakes(oe->state) ? "pulse over" : "permit"};
}

static struct next next_state(const struct pw_openevse *oe, pw_ms now)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool live = oe->live_since != PW_NEVER;
    if ((oe->faults & (1U << PW_OPENEVSE_FAULT_ESTOP)) != 0) {
        return (struct next){PW_OPENEVSE_STOPPED, "emergency stop"};
    }
    if (oe->unheard_since != PW_NEVER) {
        return (struct next){PW_OPENEVSE_AWAY, board->up ? "board silent" : "no line to the board"};
    }
    if (board->fault) {
        return (struct next){PW_OPENEVSE_FAULTED, pw_rapi_state_of(board->state)->text};
    }
    if (!pw_session_permit(&oe->session)) {
        if (live) {
            return stop(oe, "no permit", now);
        }
        return oe->session.inoperative ? (struct next){PW_OPENEVSE_OFF, "out of service"}
                                       : (struct next){PW_OPENEVSE_IDLE, "no permit"};
    }
    if (oe->limits.effective_ma < oe->config.min_ma) {
        return live ? stop(oe, "limit", now) : (struct next){PW_OPENEVSE_PAUSED, "limit"};
    }
    return board->relay ? (struct next){PW_OPENEVSE_CHARGING, "relay closed"} : offer(oe, now);
}

static void enter(struct pw_openevse *oe, struct next next, pw_ms now)
{
    if (next.state == oe->state) {
        return;
    }
    struct pw_line line;
    pw_line(&line, oe->log, PW_LOG_INFO, "openevse", "state");
    pw_line_int(&line, "connector", oe->config.connector_id);
    pw_line_s(&line, "from", states[oe->state].name);
    pw_line_s(&line, "to", states[next.state].name);
    pw_line_s(&line, "why", next.why);
    pw_line_end(&line);
    bool offered = next.state == PW_OPENEVSE_OFFERING;
    if (offered || wakes(next.state)) {
        // Who has charged and stopped by itself is full, or has a timer of its own.
        oe->woken = wakes(oe->state) || wakes(next.state) || oe->state == PW_OPENEVSE_CHARGING;
    }
    oe->state = next.state;
    oe->why = next.why;
    oe->since = now;
}

// A board that is away, or in a fault that it ends by itself, is told nothing. What is wanted then
// is the first it hears afterwards: a charge that may go on must not begin with an order to sleep.
// A fault that nobody knows may have its relay closed.
static enum pw_rapi_power power_of(const struct pw_openevse *oe)
{
    uint8_t state = pw_reach_view(&oe->rapi)->state;
    bool waits = oe->state == PW_OPENEVSE_AWAY ||
                 (oe->state == PW_OPENEVSE_FAULTED && pw_rapi_state_of(state)->code == state);
    bool may = pw_session_permit(&oe->session) && oe->limits.effective_ma >= oe->config.min_ma;
    return waits && may ? PW_RAPI_ENABLED : states[oe->state].power;
}

static void want(struct pw_openevse *oe)
{
    struct pw_rapi_want want = oe->config.text;
    want.power = power_of(oe);
    want.limit_ma = oe->limits.effective_ma;
    pw_reach_want(&oe->rapi, &want);
}

// How long the present state may go on without the board obeying.
static pw_ms watch_orders(struct pw_openevse *oe, pw_ms now)
{
    bool ordered = oe->state == PW_OPENEVSE_CUTTING || oe->state == PW_OPENEVSE_STOPPED;
    if (oe->state == PW_OPENEVSE_STOPPING) {
        return pw_after(oe->since, OBEY_MS);
    }
    if (oe->state == PW_OPENEVSE_OFFERING) {
        return oe->woken ? PW_NEVER : pw_after(oe->since, ASLEEP_MS);
    }
    if (wakes(oe->state)) {
        return pw_after(oe->since, PULSE_MS);
    }
    if (!ordered || oe->live_since == PW_NEVER || oe->unheard_since != PW_NEVER) {
        return PW_NEVER;
    }
    if (pw_elapsed(oe->since, OBEY_MS, now)) {
        set_fault(oe, PW_OPENEVSE_FAULT_LIVE, true);
        return PW_NEVER;
    }
    return pw_after(oe->since, OBEY_MS);
}

// ---------------------------------------------------------------------------------------------
// The turn.

// The charge is over when its energy has been read after the relay opened. A board that does not
// tell is not waited for.
static bool is_counted(const struct pw_openevse *oe, pw_ms now)
{
    return oe->opened_at == PW_NEVER || pw_elapsed(oe->opened_at, LAST_READING_MS, now) ||
           (oe->config.external_meter ? oe->counted.at != PW_NEVER && oe->counted.at > oe->opened_at
                                      : pw_openevse_energy_settled(oe, oe->opened_at));
}

static struct pw_session_input session_input(const struct pw_openevse *oe, pw_ms now)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool waits = oe->state == PW_OPENEVSE_IDLE || oe->state == PW_OPENEVSE_PAUSED ||
                 oe->state == PW_OPENEVSE_STOPPING || oe->state == PW_OPENEVSE_CUTTING ||
                 oe->state == PW_OPENEVSE_AWAY;
    return (struct pw_session_input){
        .plugged = oe->plugged,
        .off = pw_openevse_is_off(oe) && is_counted(oe, now),
        .paused_ev = oe->state == PW_OPENEVSE_OFFERING || wakes(oe->state),
        .paused_evse = waits,
        .fault = oe->faults != 0 || (oe->unheard_since == PW_NEVER && board->fault),
        .emergency = (oe->faults & (1U << PW_OPENEVSE_FAULT_ESTOP)) != 0,
        .energy_mwh = oe->mains.total.energy_mwh,
        .pending_mwh = pw_openevse_energy_pending(oe),
        .soc_permille = -1,
    };
}

static void leave_vehicle(struct pw_openevse *oe)
{
    pw_mains_forget_use(&oe->mains);
    oe->phases = 0;
    oe->energy.left = true;
}

// Another vehicle than before the silence: the board began a new count.
static void watch_exchange(struct pw_openevse *oe, bool exchanged, pw_ms now)
{
    if (exchanged && oe->plugged) {
        (void)!pw_session_stop(&oe->session, PW_REASON_EV_DISCONNECTED, PW_STR(""), now);
    }
}

pw_ms pw_openevse_step(struct pw_openevse *oe, pw_ms now)
{
    bool was_plugged = oe->plugged;
    pw_ms at = pw_reach_step(&oe->rapi, now);
    watch_board(oe, now);
    watch_exchange(oe, pw_openevse_count(oe, now), now);
    at = pw_earlier(at, pw_openevse_energy_deadline(oe));
    at = pw_earlier(at, watch_meter(oe, now));
    enter_board_limit(oe, now);
    at = pw_earlier(at, pw_limits_step(&oe->limits, now));
    at = pw_earlier(at, watch_plug(oe, now));
    bool permit = pw_session_permit(&oe->session);
    int32_t limit_ma = oe->limits.effective_ma;
    enter(oe, next_state(oe, now), now);
    at = pw_earlier(at, watch_orders(oe, now));
    want(oe);
    at = pw_earlier(at, pw_reach_step(&oe->rapi, now));
    const struct pw_session_input hardware = session_input(oe, now);
    if (pw_openevse_is_off(oe) && !hardware.off) {
        at = pw_earlier(at, pw_after(oe->opened_at, LAST_READING_MS));
    }
    at = pw_earlier(at, pw_session_step(&oe->session, &hardware, now));
    if (pw_session_permit(&oe->session) != permit || oe->limits.effective_ma != limit_ma) {
        at = now; // the board hears of it in the same turn
    }
    if (was_plugged && !oe->plugged) {
        leave_vehicle(oe);
    }
    return pw_earlier(at, pw_mains_deadline(&oe->mains));
}

int pw_openevse_clear(struct pw_openevse *oe, enum pw_openevse_fault fault, pw_ms now)
{
    (void)now;
    if (fault != PW_OPENEVSE_FAULT_ESTOP || (oe->faults & (1U << fault)) == 0) {
        return PW_ERR_UNKNOWN;
    }
    if (oe->estop) {
        return PW_ERR_BUSY;
    }
    set_fault(oe, fault, false);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Reports.

bool pw_openevse_is_off(const struct pw_openevse *oe)
{
    return oe->unheard_since == PW_NEVER && oe->live_since == PW_NEVER;
}

uint32_t pw_openevse_latched(const struct pw_openevse *oe)
{
    return oe->faults & (1U << PW_OPENEVSE_FAULT_ESTOP);
}

void pw_openevse_restore(struct pw_openevse *oe, uint32_t latched, int64_t board_ws)
{
    oe->energy.ws = board_ws;
    oe->energy.left = true; // whether it was the same vehicle all the time nobody knows
    oe->faults |= latched & (1U << PW_OPENEVSE_FAULT_ESTOP);
    oe->kept_latched = latched;
}

bool pw_openevse_keep_due(const struct pw_openevse *oe, pw_ms now)
{
    // What a count goes from has to be known at once: after a power cut the energy since then is
    // the difference to it.
    return oe->energy.began || pw_openevse_latched(oe) != oe->kept_latched ||
           pw_mains_checkpoint_due(&oe->mains, now);
}

void pw_openevse_kept(struct pw_openevse *oe, uint32_t latched, pw_ms now)
{
    oe->kept_latched = latched;
    oe->energy.began = false;
    pw_mains_checkpointed(&oe->mains, now);
}

const char *pw_openevse_pilot(const struct pw_openevse *oe)
{
    static const char *const texts[][2] = {
        {"", ""}, {"A1", "A2"}, {"B1", "B2"}, {"C1", "C2"}, {"D1", "D2"}};
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    if (oe->unheard_since != PW_NEVER) {
        return "";
    }
    if (board->fault || board->state == PW_RAPI_STATE_DISABLED) {
        return "F";
    }
    // Asleep, a board goes on saying what the vehicle showed last.
    bool pwm = board->state >= PW_RAPI_STATE_A && board->state <= PW_RAPI_STATE_D;
    uint8_t level = !board->plugged ? PW_RAPI_STATE_A : pwm ? board->pilot_state : PW_RAPI_STATE_B;
    return level < PW_COUNT(texts) ? texts[level][pwm ? 1 : 0] : "";
}

int32_t pw_openevse_offered_ma(const struct pw_openevse *oe)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool offers = oe->unheard_since == PW_NEVER && board->state >= PW_RAPI_STATE_A &&
                  board->state <= PW_RAPI_STATE_C && board->offered_ma != PW_RAPI_UNKNOWN;
    return offers ? board->offered_ma : 0;
}
