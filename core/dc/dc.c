#include "dc/dc.h"

#include "dc/turn.h"

#define TRICKLE_MA 2000
#define RAMP_MS    100 // how often a rising set-point moves
#define LIVE_MS    500 // a live output is looked at this often, whatever happens
#define MOVES_MAX  8   // changes of state in one turn; the longest chain is shorter
#define RISE_MV    500
#define NUDGE_MS   10 // when a chain was cut there

// ---------------------------------------------------------------------------------------------
// The table: outputs depend on the state alone.

enum { OFF, ON };
enum { OPEN, CLOSED };
enum { NEVER, TIMED, FREE };
enum { NO, YES };

#define STATE_ROW(id, text, rect, cont, cur, bound, faulted) {text, rect, cont, cur},
const struct state_row pw_dc_state_rows[PW_DC_STATE_ROWS] = {PW_DC_STATES(STATE_ROW)};

#define STATE_CHECK(id, text, rect, cont, cur, bound, faulted)                                     \
    _Static_assert((cont) == OPEN || (faulted) == NO || (bound) == TIMED,                          \
                   #id ": never closed in a faulted state but for the timed emergency");           \
    _Static_assert((cont) == OPEN || (bound) != NEVER, #id ": a closed contactor has a bound");    \
    _Static_assert((faulted) == NO || (rect) == OFF, #id ": a faulted state drives nothing");      \
    _Static_assert((cur) != RAMPED || ((cont) == CLOSED && (rect) == ON),                          \
                   #id ": current flows through a closed contactor only");                         \
    _Static_assert((cur) != TRICKLE || (cont) == OPEN, #id ": filling capacitors is done open");   \
    _Static_assert((bound) != FREE || (cur) == RAMPED, #id ": only charging may last");
PW_DC_STATES(STATE_CHECK)

enum { CLEARS, STAYS };

#define FAULT_ROW(id, latch, stop, code, vendor_code, words) {#id, code, vendor_code, words, latch},
const struct pw_dc_fault_row pw_dc_fault_rows[PW_DC_FAULT_ROWS] = {PW_DC_FAULTS(FAULT_ROW)};

#define FAULT_STOP(id, latch, stop, code, vendor_code, words) stop,
static const enum stop fault_stops[PW_DC_FAULT_ROWS] = {PW_DC_FAULTS(FAULT_STOP)};

// What stays latched is bad enough to switch off at once, and all faults fit a mask.
#define FAULT_CHECK(id, latch, stop, code, vendor_code, words)                                     \
    _Static_assert((latch) != STAYS || (stop) == AT_ONCE, #id ": a latch switches off at once");
PW_DC_FAULTS(FAULT_CHECK)
_Static_assert(PW_DC_FAULT_ROWS <= 32, "a set of faults is one word");

#define WORD(id, text) text,
static const char *const pause_names[PW_DC_PAUSE_ROWS] = {PW_DC_PAUSES(WORD)};

const char *pw_dc_state_name(enum pw_dc_state state)
{
    return (unsigned)state < PW_DC_STATE_ROWS ? pw_dc_state_rows[state].name : "unknown";
}

const char *pw_dc_pause_name(enum pw_dc_pause pause)
{
    return (unsigned)pause < PW_DC_PAUSE_ROWS ? pause_names[pause] : "unknown";
}

// ---------------------------------------------------------------------------------------------
// Settings

// One row a setting: field, default, least, most.
#define SETTINGS(X)                                                                                \
    X(min_mv, 56000, 1000, 1000000)                                                                \
    X(max_mv, 85500, 1000, 1000000)                                                                \
    X(max_ma, 100000, 1000, 300000)                                                                \
    X(ramp_ma_s, 25000, 100, 1000000)                                                              \
    X(derate_from_dc, 600, -400, 1300)                                                             \
    X(trip_dc, 700, -400, 1300)                                                                    \
    X(over_mv, 1000, 100, 100000)                                                                  \
    X(over_ms, 400, 1, 10000)                                                                      \
    X(spread_mv, 5000, 100, 100000)                                                                \
    X(match_mv, 2000, 100, 20000)                                                                  \
    X(precharge_ms, 20000, 100, 600000)                                                            \
    X(discharge_ms, 180000, 100, 3600000)                                                          \
    X(bms_zero_ms, 2500, 100, 60000)                                                               \
    X(bms_off_ms, 4500, 100, 60000)                                                                \
    X(bms_gone_ms, 8000, 100, 600000)                                                              \
    X(unplug_ms, 3500, 100, 60000)                                                                 \
    X(measure_ms, 2000, 100, 60000)                                                                \
    X(rectifier_ms, 3000, 100, 60000)                                                              \
    X(rectifier_idle_ms, 15000, 100, 600000)                                                       \
    X(io_ms, 1500, 100, 60000)                                                                     \
    X(min_off_ms, 5000, 1, 600000)                                                                 \
    X(hold_ms, 10000, 1, 600000)                                                                   \
    X(weld_ms, 15000, 100, 600000)                                                                 \
    X(weld_mv, 3000, 100, 100000)                                                                  \
    X(stable_ms, 3000, 1, 3600000)                                                                 \
    X(taper_ma, 1500, 1, 300000)                                                                   \
    X(taper_ms, 60000, 1, 3600000)

static bool order(bool is, const char *rule, struct pw_out *why)
{
    if (!is && why != NULL) {
        pw_put_s(why, rule);
    }
    return is;
}

static int fill(struct pw_dc_config *to, const struct pw_dc_config *from, struct pw_out *why)
{
    struct pw_dc_config c = *from;
#define FILL(field, initial, least, most)                                                          \
    if (c.field == 0) {                                                                            \
        c.field = (initial);                                                                       \
    }                                                                                              \
    if (c.field < (least) || c.field > (most)) {                                                   \
        if (why != NULL) {                                                                         \
            pw_put_s(why, #field " is ");                                                          \
            pw_put_int(why, c.field);                                                              \
            pw_put_s(why, ", must be " #least " to " #most);                                       \
        }                                                                                          \
        return PW_ERR_RANGE;                                                                       \
    }
    SETTINGS(FILL)
#undef FILL
    bool good = order(c.min_mv < c.max_mv, "min_mv must be below max_mv", why) &&
                order(c.derate_from_dc < c.trip_dc, "derate_from_dc must be below trip_dc", why) &&
                order(c.bms_zero_ms < c.bms_off_ms, "bms_zero_ms must be below bms_off_ms", why) &&
                order(c.bms_off_ms <= c.bms_gone_ms, "bms_off_ms is above bms_gone_ms", why);
    if (!good) {
        return PW_ERR_RANGE;
    }
    *to = c;
    return PW_OK;
}

int pw_dc_init(struct pw_dc *dc, uint8_t connector_id, const struct pw_dc_config *config,
               const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    struct pw_dc_config filled;
    int err = fill(&filled, config, why);
    if (err < 0) {
        return err;
    }
    *dc = (struct pw_dc){
        .config = filled,
        .log = log,
        .connector_id = connector_id,
        .state = PW_DC_IDLE,
        .why = "start",
        .since = now,
        .plugged_since = now,
        .start = now,
        .stepped_at = now,
        .opened_at = PW_NEVER,
        .over_ref_mv = filled.max_mv,
        .over_ref_at = now,
        .asked_at = now,
        .ramp_at = now,
        .proof_at = PW_NEVER,
        .off = true,
        .limits = {.mv = filled.min_mv, .ma = 0, .who = PW_DC_BOUND_VEHICLE},
        .out = {.set_mv = filled.min_mv},
    };
    for (unsigned i = 0; i < PW_DC_TIMED_ROWS; i++) {
        dc->true_since[i] = PW_NEVER;
    }
    for (unsigned i = 0; i < PW_DC_FAULT_ROWS; i++) {
        dc->gone_since[i] = PW_NEVER;
    }
    return PW_OK;
}

int pw_dc_configure(struct pw_dc *dc, const struct pw_dc_config *config, struct pw_out *why)
{
    return fill(&dc->config, config, why);
}

int32_t pw_dc_derated_ma(const struct pw_dc_config *config, int32_t temp_dc)
{
    if (temp_dc <= config->derate_from_dc) {
        return config->max_ma;
    }
    if (temp_dc >= config->trip_dc) {
        return 0;
    }
    int64_t left = (int64_t)config->trip_dc - temp_dc;
    return (int32_t)(config->max_ma * left / (config->trip_dc - config->derate_from_dc));
}

// ---------------------------------------------------------------------------------------------
// Faults

static bool stop_wanted(const struct pw_dc *dc, enum stop *how)
{
    *how = ORDERLY;
    for (uint32_t left = dc->faults; left != 0; left &= left - 1) {
        enum stop stop = fault_stops[__builtin_ctz(left)];
        *how = stop > *how ? stop : *how;
    }
    return dc->faults != 0;
}

enum pw_dc_fault pw_dc_worst(const struct pw_dc *dc)
{
    return dc->faults == 0 ? PW_DC_FAULT_ROWS : (enum pw_dc_fault)__builtin_ctz(dc->faults);
}

int pw_dc_clear(struct pw_dc *dc, enum pw_dc_fault fault, pw_ms now)
{
    if ((unsigned)fault >= PW_DC_FAULT_ROWS || (dc->faults & PW_DC_BIT(fault)) == 0) {
        return PW_ERR_UNKNOWN;
    }
    if ((dc->present & PW_DC_BIT(fault)) != 0) {
        return PW_ERR_BUSY;
    }
    dc->faults &= ~PW_DC_BIT(fault);
    dc->gone_since[fault] = PW_NEVER;
    struct pw_line line;
    pw_line(&line, dc->log, PW_LOG_WARN, "dc", "fault_cleared");
    pw_line_int(&line, "connector", dc->connector_id);
    pw_line_s(&line, "code", pw_dc_fault_rows[fault].vendor);
    pw_line_int(&line, "after_ms", (int64_t)(now - dc->since));
    pw_line_end(&line);
    return PW_OK;
}

#define STAY_BIT(id, latch, stop, code, vendor_code, words)                                        \
    | ((latch) == STAYS ? PW_DC_BIT(PW_DC_FAULT_##id) : 0)
static const uint32_t staying = 0 PW_DC_FAULTS(STAY_BIT);

uint32_t pw_dc_latched(const struct pw_dc *dc)
{
    return dc->faults & staying;
}

void pw_dc_restore(struct pw_dc *dc, uint32_t latched)
{
    dc->faults |= latched & staying;
}

bool pw_dc_is_off(const struct pw_dc *dc)
{
    return dc->off;
}

// ---------------------------------------------------------------------------------------------
// Decision

struct move {
    enum pw_dc_state to;
    const char *why;
};

#define STAY(t)        ((struct move){(t)->dc->state, ""})
#define GO(state, why) ((struct move){PW_DC_##state, why})

static const char *fault_text(const struct pw_dc *dc)
{
    enum pw_dc_fault worst = pw_dc_worst(dc);
    return worst < PW_DC_FAULT_ROWS ? pw_dc_fault_rows[worst].text : "";
}

// Somebody pays, somebody is there, and nobody has said that it is enough.
static bool wanted(const struct turn *t)
{
    return t->in->permit && t->dc->plugged && t->dc->end == PW_DC_END_NONE;
}

static const char *unwanted_why(const struct turn *t)
{
    if (!t->dc->plugged) {
        return "unplugged";
    }
    return t->in->permit ? "vehicle full" : "no permit";
}

static struct move from_ready(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    if (dc->faults != 0) {
        return GO(FAULTED, fault_text(dc));
    }
    if (!dc->plugged) {
        return GO(IDLE, "unplugged");
    }
    bool rested = dc->opened_at == PW_NEVER || passed(t, dc->opened_at, dc->config.min_off_ms);
    bool speaks = fresh(t, t->in->rectifier_at, dc->config.rectifier_ms);
    if (wanted(t) && rested && speaks && t->in->bus_ok && dc->limits.ma >= LEAST_MA) {
        return GO(CHECKING, "permit");
    }
    return STAY(t);
}

// Before anything is switched on: the contactor is open, the output is measured, and it does not
// stand above the battery (a rectifier cannot pull it down).
static struct move from_checking(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    if (dc->faults != 0) {
        return GO(FAULTED, fault_text(dc));
    }
    if (!wanted(t) || dc->limits.ma < LEAST_MA) {
        return GO(READY, wanted(t) ? "limit 0" : unwanted_why(t));
    }
    if (t->in->feedback == PW_DC_FEEDBACK_CLOSED || !measured(t)) {
        return STAY(t);
    }
    if (dc->config.no_contactor || !battery_known(t)) {
        return GO(CLOSING, "battery voltage not known");
    }
    bool within = t->in->battery_mv >= dc->config.min_mv &&
                  t->in->battery_mv <= dc->limits.mv + dc->config.over_mv;
    if (!within || t->in->out_mv > t->in->battery_mv + dc->config.match_mv) {
        return STAY(t);
    }
    return GO(PRECHARGE, "output in order");
}

static struct move from_precharge(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    if (dc->faults != 0) {
        return GO(FAULTED, fault_text(dc));
    }
    if (!wanted(t) || !battery_known(t)) {
        return GO(READY, wanted(t) ? "battery voltage lost" : unwanted_why(t));
    }
    int64_t apart = (int64_t)t->in->out_mv - t->in->battery_mv;
    bool matched = measured(t) && t->in->out_at > dc->since &&
                   t->in->feedback != PW_DC_FEEDBACK_CLOSED && apart <= dc->config.match_mv &&
                   apart >= -dc->config.match_mv;
    return matched ? GO(CLOSING, "output matches battery") : STAY(t);
}

// What takes every state with a closed contactor away from it; false when nothing does.
static bool must_leave(const struct turn *t, enum pw_dc_state orderly, struct move *move)
{
    enum stop how = ORDERLY;
    if (stop_wanted(t->dc, &how)) {
        *move = (struct move){how == AT_ONCE ? PW_DC_EMERGENCY : orderly, fault_text(t->dc)};
        return true;
    }
    if (!wanted(t)) {
        *move = (struct move){orderly, unwanted_why(t)};
        return true;
    }
    return false;
}

static struct move from_closing(struct turn *t)
{
    struct move move;
    if (must_leave(t, PW_DC_UNLOADING, &move)) {
        return move;
    }
    if (t->in->feedback == PW_DC_FEEDBACK_CLOSED && t->in->io_at > t->dc->since) {
        return GO(CHARGING, "contactor closed");
    }
    if (t->in->feedback == PW_DC_FEEDBACK_NONE && passed(t, t->dc->since, SETTLE_MS)) {
        return GO(CHARGING, "contactor taken as closed");
    }
    return STAY(t);
}

static struct move from_charging(struct turn *t)
{
    struct move move;
    if (must_leave(t, PW_DC_STOPPING, &move)) {
        return move;
    }
    if (t->dc->limits.ma < LEAST_MA) {
        return GO(HOLDING, pw_dc_pause_name(t->dc->pause));
    }
    return STAY(t);
}

static struct move from_holding(struct turn *t)
{
    struct move move;
    if (must_leave(t, PW_DC_STOPPING, &move)) {
        return move;
    }
    if (t->dc->limits.ma >= LEAST_MA) {
        return GO(CHARGING, "may go on");
    }
    if (silent(t, t->in->bms_at, t->dc->config.bms_off_ms)) {
        return GO(STOPPING, "bms silent");
    }
    return passed(t, t->dc->since, t->dc->config.hold_ms) ? GO(STOPPING, "long pause") : STAY(t);
}

// The battery has not said for so long that it bears any more that the output must be off within
// 5 s of its last word (Elcon), whatever the current does.
static bool hurried(struct turn *t, enum stop how)
{
    return how == FAST || silent(t, t->in->bms_at, t->dc->config.bms_off_ms);
}

static struct move from_stopping(struct turn *t)
{
    enum stop how = ORDERLY;
    if (stop_wanted(t->dc, &how) && how == AT_ONCE) {
        return GO(EMERGENCY, fault_text(t->dc));
    }
    if (unloaded(t)) {
        return GO(UNLOADING, "current gone");
    }
    if (passed(t, t->dc->since, hurried(t, how) ? FAST_STOP_MS : ORDERLY_STOP_MS)) {
        return GO(UNLOADING, "waited long enough");
    }
    return STAY(t);
}

static struct move from_unloading(struct turn *t)
{
    enum stop how = ORDERLY;
    if (stop_wanted(t->dc, &how) && how == AT_ONCE) {
        return GO(EMERGENCY, fault_text(t->dc));
    }
    if (unloaded(t)) {
        return GO(OPENING, "rectifier off");
    }
    if (passed(t, t->dc->since, hurried(t, how) ? FAST_UNLOAD_MS : ORDERLY_UNLOAD_MS)) {
        return GO(OPENING, "waited long enough");
    }
    return STAY(t);
}

static struct move from_opening(struct turn *t)
{
    bool none = t->in->feedback == PW_DC_FEEDBACK_NONE;
    bool settled = none ? passed(t, t->dc->since, SETTLE_MS)
                        : t->in->feedback == PW_DC_FEEDBACK_OPEN && t->in->io_at > t->dc->since;
    if (settled) {
        return GO(PROVING, none ? "contactor taken as open" : "contactor open");
    }
    // What does not open is found by the senses at this moment, and latched.
    return passed(t, t->dc->since, SWITCH_MS) ? GO(PROVING, "no feedback in time") : STAY(t);
}

// The open output must lose its voltage: a battery behind a welded contactor would hold it up.
static struct move from_proving(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    if ((dc->faults & PW_DC_BIT(PW_DC_FAULT_WELD)) != 0) {
        return GO(FAULTED, fault_text(dc));
    }
    if (dc->proof_at == PW_NEVER || !measured(t)) {
        return STAY(t);
    }
    bool decayed = t->in->out_mv <= dc->proof_mv - dc->config.weld_mv;
    bool flat = t->in->out_mv < dc->config.weld_mv;
    return decayed || flat ? GO(IDLE, "output decays") : STAY(t);
}

static struct move from_emergency(struct turn *t)
{
    if (unloaded(t)) {
        return GO(OPENING, "current gone");
    }
    return passed(t, t->dc->since, EMERGENCY_MS) ? GO(OPENING, "emergency") : STAY(t);
}

// Where the machine goes from here. Changes nothing but the turn's next deadline.
static struct move next(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    switch (dc->state) {
    case PW_DC_IDLE:
        if (dc->faults != 0) {
            return GO(FAULTED, fault_text(dc));
        }
        return dc->plugged ? GO(READY, "plugged") : STAY(t);
    case PW_DC_READY: return from_ready(t);
    case PW_DC_CHECKING: return from_checking(t);
    case PW_DC_PRECHARGE: return from_precharge(t);
    case PW_DC_CLOSING: return from_closing(t);
    case PW_DC_CHARGING: return from_charging(t);
    case PW_DC_HOLDING: return from_holding(t);
    case PW_DC_STOPPING: return from_stopping(t);
    case PW_DC_UNLOADING: return from_unloading(t);
    case PW_DC_OPENING: return from_opening(t);
    case PW_DC_PROVING: return from_proving(t);
    case PW_DC_EMERGENCY: return from_emergency(t);
    case PW_DC_FAULTED: return dc->faults == 0 ? GO(IDLE, "no fault stands") : STAY(t);
    case PW_DC_STATE_ROWS: break;
    }
    PW_UNREACHABLE();
}

// The one place where the state changes.
static void enter(struct turn *t, struct move move)
{
    struct pw_dc *dc = t->dc;
    struct pw_line line;
    pw_line(&line, dc->log, PW_LOG_INFO, "dc", "state");
    pw_line_int(&line, "connector", dc->connector_id);
    pw_line_s(&line, "from", pw_dc_state_name(dc->state));
    pw_line_s(&line, "to", pw_dc_state_name(move.to));
    pw_line_s(&line, "why", move.why);
    pw_line_end(&line);

    dc->trail[dc->steps % PW_DC_TRAIL_MAX] =
        (struct pw_dc_step){.at = t->now, .from = dc->state, .to = move.to, .why = move.why};
    dc->steps++;
    if (pw_dc_state_rows[dc->state].closed && !pw_dc_state_rows[move.to].closed) {
        dc->opened_at = t->now;
    }
    dc->proof_at = PW_NEVER;
    dc->state = move.to;
    dc->why = move.why;
    dc->since = t->now;
    dc->ramp_at = t->now;
    dc->out.set_ma = 0;
}

// The first measurement of the open output is what the weld check compares with; a gap in the
// measurements begins it anew.
static void watch_decay(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    if (dc->state != PW_DC_PROVING || !measured(t) || !t->in->bus_ok) {
        dc->proof_at = PW_NEVER;
    } else if (t->in->out_at > dc->since &&
               (dc->proof_at == PW_NEVER || t->in->out_mv > dc->proof_mv + RISE_MV)) {
        // A voltage that still rises is driven by a rectifier that has not heard yet.
        dc->proof_at = t->now;
        dc->proof_mv = t->in->out_mv;
    }
}

static int32_t set_voltage(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    int32_t low = (int32_t)pw_min(dc->config.min_mv, dc->limits.mv);
    switch (dc->state) {
    case PW_DC_PRECHARGE:
    case PW_DC_CLOSING:
        if (!dc->config.no_contactor && battery_known(t)) {
            return (int32_t)pw_clamp(t->in->battery_mv, low, dc->limits.mv);
        }
        return low;
    case PW_DC_CHARGING:
    case PW_DC_HOLDING:
    case PW_DC_STOPPING: return dc->limits.mv;
    case PW_DC_IDLE:
    case PW_DC_READY:
    case PW_DC_CHECKING:
    case PW_DC_UNLOADING:
    case PW_DC_OPENING:
    case PW_DC_PROVING:
    case PW_DC_EMERGENCY:
    case PW_DC_FAULTED:
    case PW_DC_STATE_ROWS: break;
    }
    return low;
}

// Up by the ramp, down at once.
static int32_t ramped(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    int32_t target = dc->limits.ma;
    int64_t rise = (int64_t)dc->config.ramp_ma_s *
                   (int64_t)pw_min((int64_t)(t->now - dc->ramp_at), 1000) / 1000;
    int64_t ma = pw_min(dc->out.set_ma + rise, target);
    if (rise > 0 || ma == target) {
        dc->ramp_at = t->now;
    }
    if (ma < target) {
        t->next = pw_earlier(t->next, t->now + RAMP_MS);
    }
    return (int32_t)ma;
}

static uint8_t flags(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    static const struct {
        enum pw_dc_fault fault;
        uint8_t flag;
    } rows[] = {
        {PW_DC_FAULT_WELD, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_NOT_CLOSING, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_OVER_VOLTAGE, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_RECTIFIER_OVP, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_OVER_CURRENT, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_STUCK_CURRENT, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_SHORT, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_RECTIFIER, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_RECTIFIER_LOST, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_METER_SPREAD, PW_DC_FLAG_HARDWARE},
        {PW_DC_FAULT_OVER_TEMP, PW_DC_FLAG_OVER_TEMP},
        {PW_DC_FAULT_MAINS, PW_DC_FLAG_MAINS},
        {PW_DC_FAULT_POLARITY, PW_DC_FLAG_NO_BATTERY},
    };
    unsigned set = dc->plugged ? 0 : PW_DC_FLAG_NO_BATTERY;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        set |= (dc->faults & PW_DC_BIT(rows[i].fault)) != 0 ? rows[i].flag : 0U;
    }
    if (dc->plugged && silent(t, t->in->bms_at, dc->config.bms_off_ms)) {
        set |= PW_DC_FLAG_BMS_TIMEOUT;
    }
    return (uint8_t)set;
}

static void apply(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    const struct state_row *row = &pw_dc_state_rows[dc->state];
    int32_t ma = 0;
    if (row->current == TRICKLE) {
        ma = (int32_t)pw_min(TRICKLE_MA, dc->limits.ma);
    } else if (row->current == RAMPED) {
        ma = ramped(t);
    }
    dc->out = (struct pw_dc_output){
        .rectifier_on = row->rectifier,
        .contactor_closed = row->closed,
        .set_mv = set_voltage(t),
        .set_ma = ma,
        .flags = flags(t),
    };
    bool flows = measured(t) && t->in->out_ma >= SAFE_MA;
    dc->off = !row->closed && t->in->feedback != PW_DC_FEEDBACK_CLOSED && !flows;
    if (row->closed || row->rectifier) {
        t->next = pw_earlier(t->next, t->now + LIVE_MS);
    }
}

// Measurements far outside of anything built (1 MV, 1 MA) are cut, so that sums never run over.
static void cut(struct pw_dc_input *in)
{
    int32_t *const values[] = {&in->out_mv,   &in->out_ma,          &in->battery_mv,
                               &in->bms_mv,   &in->rectifier_mv,    &in->bms_ma,
                               &in->stack_ma, &in->rectifier_max_ma};
    for (size_t i = 0; i < PW_COUNT(values); i++) {
        *values[i] = (int32_t)pw_clamp(*values[i], -1000000000, 1000000000);
    }
}

pw_ms pw_dc_step(struct pw_dc *dc, const struct pw_dc_input *in, pw_ms now)
{
    dc->in = *in;
    cut(&dc->in);
    // A clock that stands or runs backwards must not undo what time has decided.
    struct turn t = {.dc = dc, .in = &dc->in, .now = now < dc->stepped_at ? dc->stepped_at : now};
    dc->stepped_at = t.now;
    t.next = PW_NEVER;
    pw_dc_sense(&t);
    for (unsigned i = 0; i < MOVES_MAX; i++) {
        struct move move = next(&t);
        if (move.to == dc->state) {
            break;
        }
        enter(&t, move);
        if (i + 1 == MOVES_MAX) {
            t.next = t.now + NUDGE_MS;
        }
    }
    watch_decay(&t);
    apply(&t);
    // Senses that depend on the state have changed with it.
    if (dc->since == t.now) {
        t.next = pw_earlier(t.next, t.now + NUDGE_MS);
    }
    return t.next;
}
