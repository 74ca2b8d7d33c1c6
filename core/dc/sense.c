// What the measurements mean: limits, plug, faults, pause and end of charge. Runs before each
// decision; changes memory, never the state.
#include "dc/turn.h"

enum timed {
    T_BUS,
    T_CHECK_METER,
    T_PROOF_METER,
    T_OVER_VOLTAGE,
    T_OVER_CURRENT,
    T_WAY_OVER_CURRENT,
    T_POLARITY,
    T_LOW_BATTERY,
    T_SPREAD,
    T_UNDER_VOLTAGE,
    T_OPENED_ITSELF,
    T_WELD_FEEDBACK,
    T_WELD_CURRENT,
    T_OPEN_OUTPUT,
    T_TAKES_NOTHING,
    T_TAPER,
    T_ROWS
};
_Static_assert(T_ROWS == PW_DC_TIMED_ROWS, "one memory a timed condition");

#define BUS_IDLE_MS       1000 // at rest a bus may falter this long before it is a fault
#define PROOF_METER_MS    10000
#define OVER_CURRENT_MS   1000
#define ASKED_MS          2000 // a rectifier has followed a lowered set-point by then
#define WAY_OVER_MS       100
#define POLARITY_MS       500
#define REVERSED_MV       (-1000)
#define SPREAD_MS         3000 // longer than any register's polling cycle
#define UNDER_VOLTAGE_MS  3000
#define OPENED_ITSELF_MS  300
#define WELD_CURRENT_MS   2000
#define OPEN_OUTPUT_MV    1000 // an open output stands this close to its set-point
#define OPEN_OUTPUT_LAG   1500 // ... and began at most this long before the last BMS frame
#define DEAD_BATTERY_MV   20000
#define DEAD_BATTERY_MS   2000 // BMS silence that with a dead connector means unplugged
#define TAKES_NOTHING_MS  5000
#define FULL_PERMILLE     995
#define NEARLY_PERMILLE   900
#define TAPER_MV          700 // "at the voltage limit"
#define REFERENCE_HOLD_MS 2000

// Since when `is` holds without a break.
static bool lasting(struct turn *t, enum timed what, bool is, int32_t span)
{
    pw_ms *since = &t->dc->true_since[what];
    if (!is) {
        *since = PW_NEVER;
        return false;
    }
    if (*since == PW_NEVER) {
        *since = t->now;
    }
    return passed(t, *since, span);
}

static bool closed(const struct pw_dc *dc)
{
    return pw_dc_state_rows[dc->state].closed;
}

static bool working(const struct pw_dc *dc)
{
    return pw_dc_state_rows[dc->state].rectifier || closed(dc);
}

// ---------------------------------------------------------------------------------------------
// Limits: the least of everything anybody says.

static void lower(struct pw_dc_limits *limits, int32_t ma, enum pw_dc_bound who)
{
    if (ma < limits->ma) {
        limits->ma = ma < 0 ? 0 : ma;
        limits->who = who;
    }
}

static void sense_limits(struct turn *t)
{
    const struct pw_dc_input *in = t->in;
    const struct pw_dc_config *c = &t->dc->config;
    struct pw_dc_limits limits = {.mv = c->max_mv, .ma = c->max_ma, .who = PW_DC_BOUND_STATION};
    lower(&limits, in->stack_ma, PW_DC_BOUND_STACK);
    if (in->rectifier_max_ma > 0) {
        lower(&limits, in->rectifier_max_ma, PW_DC_BOUND_RECTIFIER);
    }
    if (in->temp_at != PW_NEVER) {
        lower(&limits, pw_dc_derated_ma(c, in->temp_dc), PW_DC_BOUND_TEMPERATURE);
    }
    bool heard = fresh(t, in->bms_at, c->bms_zero_ms);
    // What the battery bears stays true while it is silent.
    bool known = in->bms_at != PW_NEVER && (heard || t->dc->plugged);
    if (known && in->bms_mv < limits.mv) {
        limits.mv = in->bms_mv < 0 ? 0 : in->bms_mv;
    }
    // A battery that may not see the least voltage the output can give gets nothing.
    bool fits = heard && limits.mv >= c->min_mv;
    lower(&limits, fits && !in->bms_stop ? in->bms_ma : 0, PW_DC_BOUND_VEHICLE);
    t->dc->limits = limits;
}

// ---------------------------------------------------------------------------------------------
// Plug: the BMS's presence together with what current and voltage do. The voltage of the output
// alone proves nothing: its capacitors hold 83 V for a minute after the plug is gone.

// No current, and the voltage has risen to the set-point: nothing is connected, or the battery has
// opened its charge switch.
static bool open_output(struct turn *t)
{
    bool open = closed(t->dc) && pw_dc_state_rows[t->dc->state].rectifier && measured(t) &&
                t->in->out_ma < NOTHING_MA && t->in->out_mv >= t->dc->limits.mv - OPEN_OUTPUT_MV;
    (void)lasting(t, T_OPEN_OUTPUT, open, 0);
    // Frames after it began come from a battery that is there and has opened its switch.
    pw_ms since = t->dc->true_since[T_OPEN_OUTPUT];
    return open && t->in->bms_at != PW_NEVER && since + OPEN_OUTPUT_LAG >= t->in->bms_at;
}

static bool gone(struct turn *t)
{
    const struct pw_dc_config *c = &t->dc->config;
    const struct pw_dc_input *in = t->in;
    // What nobody could hear proves nothing: a bus that is off is not a vehicle that has left.
    pw_ms heard_at = in->bms_at > t->dc->deaf_at ? in->bms_at : t->dc->deaf_at;
    bool open = open_output(t);
    if (closed(t->dc) && measured(t) && in->out_ma >= SAFE_MA) {
        return false; // whatever the BMS does, a battery is drinking
    }
    if (silent(t, heard_at, c->bms_gone_ms)) {
        return true;
    }
    if (!in->permit && silent(t, heard_at, c->bms_off_ms)) {
        return true;
    }
    if (open && silent(t, heard_at, c->unplug_ms)) {
        return true;
    }
    // A connector that is dead while the contactor is open, and no BMS: nothing is plugged in.
    return !closed(t->dc) && battery_known(t) && in->battery_mv < DEAD_BATTERY_MV &&
           silent(t, heard_at, DEAD_BATTERY_MS);
}

static void forget_vehicle(struct pw_dc *dc)
{
    dc->end = PW_DC_END_NONE;
    dc->peak_bms_ma = 0;
    dc->tapered = false;
    dc->true_since[T_TAPER] = PW_NEVER;
}

static void sense_plug(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    bool plugged = dc->plugged;
    if (!t->in->bus_ok) {
        dc->deaf_at = t->now;
    }
    if (plugged) {
        plugged = !gone(t);
    } else {
        // Only frames from after the last unplugging count.
        plugged = t->in->bms_at != PW_NEVER && t->in->bms_at >= dc->plugged_since &&
                  fresh(t, t->in->bms_at, dc->config.bms_zero_ms);
    }
    if (plugged == dc->plugged) {
        return;
    }
    dc->plugged = plugged;
    dc->plugged_since = t->now;
    struct pw_line line;
    pw_line(&line, dc->log, PW_LOG_INFO, "dc", plugged ? "plugged" : "unplugged");
    pw_line_int(&line, "connector", dc->connector_id);
    pw_line_fixed(&line, "out_v", t->in->out_mv, 3);
    pw_line_fixed(&line, "out_a", t->in->out_ma, 3);
    pw_line_end(&line);
    if (!plugged) {
        // What was wrong with that vehicle has left with it.
        forget_vehicle(dc);
        dc->flowing = false;
        dc->faults &= ~(PW_DC_BIT(PW_DC_FAULT_VEHICLE_LOST) | PW_DC_BIT(PW_DC_FAULT_PRECHARGE) |
                        PW_DC_BIT(PW_DC_FAULT_POLARITY));
    }
}

// ---------------------------------------------------------------------------------------------
// Faults: which conditions are true right now.

// Over-voltage is judged against the limit, and against a limit that was just lowered only after
// the output had time to follow. A battery that asks for less than any output is no reference: it
// is not charged at all.
static void follow_reference(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    if (dc->limits.mv >= dc->over_ref_mv) {
        dc->over_ref_mv = dc->limits.mv;
        dc->over_ref_at = t->now;
    } else if (dc->limits.mv >= dc->config.min_mv &&
               passed(t, dc->over_ref_at, REFERENCE_HOLD_MS)) {
        dc->over_ref_mv = dc->limits.mv;
    }
    if (dc->out.set_ma >= dc->asked_ma) {
        dc->asked_ma = dc->out.set_ma;
        dc->asked_at = t->now;
    } else if (passed(t, dc->asked_at, ASKED_MS)) {
        dc->asked_ma = dc->out.set_ma;
    }
}

static uint32_t electric_faults(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    const struct pw_dc_config *c = &dc->config;
    const struct pw_dc_input *in = t->in;
    bool live = working(dc) && measured(t);
    uint32_t set = 0;

    bool over_v = live && in->out_mv > dc->over_ref_mv + c->over_mv;
    if (lasting(t, T_OVER_VOLTAGE, over_v, c->over_ms)) {
        set |= PW_DC_BIT(PW_DC_FAULT_OVER_VOLTAGE);
    }
    int64_t most = (int64_t)dc->asked_ma + dc->asked_ma / 10 + INT64_C(2) * SAFE_MA;
    bool over_i = lasting(t, T_OVER_CURRENT, live && in->out_ma > most, OVER_CURRENT_MS);
    int64_t way = pw_max(c->max_ma, dc->asked_ma) * 3 / 2;
    bool way_over = lasting(t, T_WAY_OVER_CURRENT, live && in->out_ma > way, WAY_OVER_MS);
    if (over_i || way_over) {
        set |= PW_DC_BIT(PW_DC_FAULT_OVER_CURRENT);
    }
    bool under = dc->state == PW_DC_CHARGING && measured(t) && in->out_mv < c->min_mv;
    if (lasting(t, T_UNDER_VOLTAGE, under, UNDER_VOLTAGE_MS)) {
        set |= PW_DC_BIT(PW_DC_FAULT_UNDER_VOLTAGE);
    }
    bool on = dc->state == PW_DC_CHARGING || dc->state == PW_DC_HOLDING;
    int64_t to_rectifier = in->rectifier_mv < 0 ? 0 : (int64_t)in->out_mv - in->rectifier_mv;
    int64_t to_battery = battery_known(t) ? (int64_t)in->out_mv - in->battery_mv : 0;
    int64_t spread = pw_max(pw_max(to_rectifier, -to_rectifier), pw_max(to_battery, -to_battery));
    if (lasting(t, T_SPREAD, on && measured(t) && spread > c->spread_mv, SPREAD_MS)) {
        set |= PW_DC_BIT(PW_DC_FAULT_METER_SPREAD);
    }
    bool apart = !closed(dc) && dc->plugged && battery_known(t);
    bool wrong = apart && (in->battery_mv < REVERSED_MV || in->battery_mv > c->max_mv + c->over_mv);
    if (lasting(t, T_POLARITY, wrong, POLARITY_MS)) {
        set |= PW_DC_BIT(PW_DC_FAULT_POLARITY);
    }
    return set;
}

static uint32_t switch_faults(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    const struct pw_dc_input *in = t->in;
    bool feels = fresh(t, in->io_at, dc->config.io_ms) && in->feedback != PW_DC_FEEDBACK_NONE;
    bool reads_closed = feels && in->feedback == PW_DC_FEEDBACK_CLOSED;
    bool reads_open = feels && in->feedback == PW_DC_FEEDBACK_OPEN;
    uint32_t set = 0;

    // An emergency stop takes the coil's supply: then an open contactor is as it should be.
    bool on = dc->state == PW_DC_CHARGING || dc->state == PW_DC_HOLDING;
    bool fell = on && reads_open && !in->estop;
    bool stays_open = dc->state == PW_DC_CLOSING && reads_open && passed(t, dc->since, SWITCH_MS);
    if (lasting(t, T_OPENED_ITSELF, fell, OPENED_ITSELF_MS) || stays_open) {
        set |= PW_DC_BIT(PW_DC_FAULT_NOT_CLOSING);
    }
    // Nothing is proven welded or leaking that could not be told to stop.
    bool told = !closed(dc) && in->bus_ok;
    bool newer = dc->opened_at == PW_NEVER || in->io_at > dc->opened_at;
    bool stuck = lasting(t, T_WELD_FEEDBACK, told && reads_closed && newer, SWITCH_MS);
    bool leaks = told && !working(dc) && measured(t) && in->out_ma >= SAFE_MA;
    bool holds = dc->state == PW_DC_PROVING && dc->proof_at != PW_NEVER && measured(t) &&
                 passed(t, dc->proof_at, dc->config.weld_ms) &&
                 in->out_mv > dc->proof_mv - dc->config.weld_mv;
    if (stuck || holds || lasting(t, T_WELD_CURRENT, leaks, WELD_CURRENT_MS)) {
        set |= PW_DC_BIT(PW_DC_FAULT_WELD);
    }
    bool flows = measured(t) && in->out_ma >= SAFE_MA;
    bool long_stop = dc->state == PW_DC_STOPPING && passed(t, dc->since, ORDERLY_STOP_MS);
    bool long_unload = dc->state == PW_DC_UNLOADING && passed(t, dc->since, ORDERLY_UNLOAD_MS);
    if (flows && (long_stop || long_unload)) {
        set |= PW_DC_BIT(PW_DC_FAULT_STUCK_CURRENT);
    }
    return set;
}

static uint32_t silence_faults(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    const struct pw_dc_config *c = &dc->config;
    const struct pw_dc_input *in = t->in;
    bool works = working(dc);
    uint32_t set = 0;

    bool faltering = lasting(t, T_BUS, !in->bus_ok, BUS_IDLE_MS);
    if (faltering || (works && !in->bus_ok)) {
        set |= PW_DC_BIT(PW_DC_FAULT_BUS);
    }
    if (!c->no_contactor && silent(t, in->io_at, c->io_ms)) {
        set |= PW_DC_BIT(PW_DC_FAULT_IO_LOST);
    }
    if (silent(t, in->rectifier_at, works ? c->rectifier_ms : c->rectifier_idle_ms)) {
        set |= PW_DC_BIT(PW_DC_FAULT_RECTIFIER_LOST);
    }
    bool check =
        lasting(t, T_CHECK_METER, dc->state == PW_DC_CHECKING && !measured(t), c->measure_ms);
    bool proof =
        lasting(t, T_PROOF_METER, dc->state == PW_DC_PROVING && !measured(t), PROOF_METER_MS);
    if (check || proof || (works && !measured(t))) {
        set |= PW_DC_BIT(PW_DC_FAULT_METER_LOST);
    }
    if (!silent(t, in->bms_at, c->bms_zero_ms)) {
        dc->flowing = works && measured(t) && in->out_ma >= SAFE_MA;
    }
    bool standing = (dc->faults & PW_DC_BIT(PW_DC_FAULT_VEHICLE_LOST)) != 0;
    if (dc->plugged && silent(t, in->bms_at, c->bms_off_ms) &&
        ((works && dc->flowing) || standing)) {
        set |= PW_DC_BIT(PW_DC_FAULT_VEHICLE_LOST);
    }
    return set;
}

static uint32_t told_faults(struct turn *t)
{
    const struct pw_dc *dc = t->dc;
    const struct pw_dc_config *c = &dc->config;
    const struct pw_dc_input *in = t->in;
    uint32_t set = 0;

    if (in->estop) {
        set |= PW_DC_BIT(PW_DC_FAULT_ESTOP);
    }
    static const struct {
        uint32_t alarm;
        enum pw_dc_fault fault;
    } alarms[] = {
        {PW_DC_ALARM_OVP, PW_DC_FAULT_RECTIFIER_OVP}, {PW_DC_ALARM_FAULT, PW_DC_FAULT_RECTIFIER},
        {PW_DC_ALARM_TEMP, PW_DC_FAULT_OVER_TEMP},    {PW_DC_ALARM_MAINS, PW_DC_FAULT_MAINS},
        {PW_DC_ALARM_SHORT, PW_DC_FAULT_SHORT},
    };
    for (size_t i = 0; i < PW_COUNT(alarms); i++) {
        if ((in->alarms & alarms[i].alarm) != 0) {
            set |= PW_DC_BIT(alarms[i].fault);
        }
    }
    bool standing = (dc->faults & PW_DC_BIT(PW_DC_FAULT_OVER_TEMP)) != 0;
    if (in->temp_at != PW_NEVER &&
        (in->temp_dc >= c->trip_dc || (standing && in->temp_dc >= c->derate_from_dc))) {
        set |= PW_DC_BIT(PW_DC_FAULT_OVER_TEMP);
    }
    bool slow = (dc->state == PW_DC_PRECHARGE && passed(t, dc->since, c->precharge_ms)) ||
                (dc->state == PW_DC_CHECKING && passed(t, dc->since, c->discharge_ms));
    bool low = dc->state == PW_DC_CHECKING && battery_known(t) && in->battery_mv < c->min_mv;
    if (lasting(t, T_LOW_BATTERY, low, c->precharge_ms) || slow) {
        set |= PW_DC_BIT(PW_DC_FAULT_PRECHARGE);
    }
    return set;
}

static void log_fault(const struct pw_dc *dc, unsigned fault, bool stands, const char *why)
{
    struct pw_line line;
    pw_line(&line, dc->log, stands ? PW_LOG_ERROR : PW_LOG_INFO, "dc",
            stands ? "fault" : "fault_over");
    pw_line_int(&line, "connector", dc->connector_id);
    pw_line_s(&line, "code", pw_dc_fault_rows[fault].vendor);
    pw_line_s(&line, "text", pw_dc_fault_rows[fault].text);
    pw_line_s(&line, "why", why);
    pw_line_s(&line, "state", pw_dc_state_name(dc->state));
    pw_line_end(&line);
}

static void sense_faults(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    follow_reference(t);
    dc->present = electric_faults(t) | switch_faults(t) | silence_faults(t) | told_faults(t);
    for (uint32_t left = dc->present | dc->faults; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        uint32_t bit = PW_DC_BIT(i);
        bool standing = (dc->faults & bit) != 0;
        if ((dc->present & bit) != 0) {
            dc->gone_since[i] = PW_NEVER;
            if (!standing) {
                dc->faults |= bit;
                log_fault(dc, i, true, pw_dc_fault_rows[i].stays ? "latched" : "passing");
            }
        } else if (standing && !pw_dc_fault_rows[i].stays) {
            if (dc->gone_since[i] == PW_NEVER) {
                dc->gone_since[i] = t->now;
            }
            if (passed(t, dc->gone_since[i], dc->config.stable_ms)) {
                dc->faults &= ~bit;
                log_fault(dc, i, false, "stable again");
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Pause and end of the charge.

static void sense_end(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    const struct pw_dc_input *in = t->in;
    if (!in->permit || !dc->plugged) {
        forget_vehicle(dc);
        return;
    }
    bool on = dc->state == PW_DC_CHARGING || dc->state == PW_DC_HOLDING;
    if (on && !in->bms_stop && !in->bms_heating && in->bms_ma > 0) {
        dc->peak_bms_ma = (int32_t)pw_max(dc->peak_bms_ma, in->bms_ma);
        dc->tapered = dc->tapered || in->bms_ma <= dc->peak_bms_ma / 4;
    }
    // Without a state of charge the taper has to be believed; with one it must fit.
    bool plausible = in->soc_permille < 0 || in->soc_permille >= NEARLY_PERMILLE;
    bool full = in->soc_permille >= FULL_PERMILLE || (dc->tapered && plausible);
    if (in->bms_stop && full && dc->end == PW_DC_END_NONE) {
        dc->end = PW_DC_END_FULL;
    }
    int32_t least = in->capacity_mah > 0 ? in->capacity_mah / 20 : dc->config.taper_ma;
    bool trickling = dc->state == PW_DC_CHARGING && measured(t) && !in->bms_heating &&
                     !in->bms_stop && in->out_ma < least && dc->out.set_ma >= LEAST_MA &&
                     in->out_mv >= dc->limits.mv - TAPER_MV && plausible;
    if (lasting(t, T_TAPER, trickling, dc->config.taper_ms) && dc->end == PW_DC_END_NONE) {
        dc->end = PW_DC_END_TAPER;
    }
}

static enum pw_dc_pause pause(struct turn *t)
{
    struct pw_dc *dc = t->dc;
    const struct pw_dc_input *in = t->in;
    bool refuses = dc->state == PW_DC_CHARGING && measured(t) && in->out_ma < NOTHING_MA &&
                   dc->out.set_ma >= SAFE_MA;
    bool takes_nothing = lasting(t, T_TAKES_NOTHING, refuses, TAKES_NOTHING_MS);
    if (!in->permit || !dc->plugged) {
        return PW_DC_PAUSE_NONE;
    }
    if (dc->limits.ma < LEAST_MA && dc->limits.who != PW_DC_BOUND_VEHICLE) {
        return PW_DC_PAUSE_STATION;
    }
    if (silent(t, in->bms_at, dc->config.bms_zero_ms)) {
        return PW_DC_PAUSE_SILENT;
    }
    if (dc->limits.ma < LEAST_MA || takes_nothing || dc->end != PW_DC_END_NONE) {
        return PW_DC_PAUSE_VEHICLE;
    }
    return PW_DC_PAUSE_NONE;
}

void pw_dc_sense(struct turn *t)
{
    sense_limits(t);
    sense_plug(t);
    sense_faults(t);
    sense_end(t);
    t->dc->pause = pause(t);
}
