#include "surplus/surplus.h"

#define STEP_MA     100
#define DEADBAND_MA 300
#define RAISE_MS    5000 // between two raises, as everywhere (IEC 61851-1)

static const struct state_row {
    const char *word;
    const char *why;
} state_rows[] = {
#define ROW(name, text, why) {text, why},
    PW_SURPLUS_STATES(ROW)
#undef ROW
};

const char *pw_surplus_name(enum pw_surplus_state state)
{
    return (unsigned)state < PW_SURPLUS_STATE_ROWS ? state_rows[state].word : "unknown";
}

const char *pw_surplus_why(enum pw_surplus_state state)
{
    return (unsigned)state < PW_SURPLUS_STATE_ROWS ? state_rows[state].why : "";
}

struct turn {
    struct pw_surplus *surplus;
    const struct pw_surplus_config *config;
    const struct pw_surplus_input *in;
    pw_ms now;
    pw_ms deadline;
};

void pw_surplus_init(struct pw_surplus *surplus, pw_ms now)
{
    *surplus = (struct pw_surplus){
        .since = now, .heard_at = PW_NEVER, .turned_at = PW_NEVER, .raised_at = PW_NEVER};
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

// What the surplus pays for, on each phase; below zero: nothing.
static int64_t pays_ma(const struct turn *t)
{
    int64_t volts = (int64_t)t->in->mv * t->in->phases;
    return volts <= 0 ? 0 : t->surplus->mean_mw * 1000 / volts;
}

static int64_t least_mw(const struct turn *t)
{
    return (int64_t)t->in->least_ma * t->in->mv / 1000 * t->in->phases;
}

// A cloud must not pause a charge, nor a gap in the clouds begin one: a mean over half a minute.
static void hear(struct turn *t)
{
    struct pw_surplus *s = t->surplus;
    if (!t->in->fresh) {
        return;
    }
    int64_t surplus_mw = t->in->charge_mw - t->in->grid_mw - (int64_t)t->config->reserve_w * 1000;
    if (!s->known) {
        s->mean_mw = surplus_mw;
    } else {
        int64_t span = (int64_t)pw_earlier(t->now - s->heard_at, PW_SURPLUS_MEAN_MS);
        s->mean_mw += (surplus_mw - s->mean_mw) * span / (PW_SURPLUS_MEAN_MS + span);
    }
    s->known = true;
    s->heard_at = t->now;
}

// True when `is` has held for the delay.
static bool lasts(struct turn *t, bool is)
{
    struct pw_surplus *s = t->surplus;
    uint32_t delay_ms = or_default(t->config->delay_ms, 120000);
    if (!is) {
        s->turned_at = PW_NEVER;
        return false;
    }
    if (s->turned_at == PW_NEVER) {
        s->turned_at = t->now;
    }
    t->deadline = pw_earlier(t->deadline, pw_after(s->turned_at, delay_ms));
    return pw_elapsed(s->turned_at, delay_ms, t->now);
}

static enum pw_surplus_state next(struct turn *t)
{
    struct pw_surplus *s = t->surplus;
    uint32_t silent_ms = or_default(t->config->silent_ms, 30000);
    bool enough = pays_ma(t) >= t->in->least_ma;
    if (t->config->mode == PW_SURPLUS_OFF) {
        return PW_SURPLUS_STATE_OFF;
    }
    if (!s->known || pw_elapsed(s->heard_at, silent_ms, t->now)) {
        s->known = false;
        s->turned_at = PW_NEVER;
        return PW_SURPLUS_STATE_BLIND;
    }
    t->deadline = pw_after(s->heard_at, silent_ms);
    if (t->config->mode == PW_SURPLUS_MINIMUM) {
        return enough ? PW_SURPLUS_STATE_FOLLOWS : PW_SURPLUS_STATE_FLOOR;
    }
    if (s->state == PW_SURPLUS_STATE_FOLLOWS || s->state == PW_SURPLUS_STATE_ENDING) {
        if (lasts(t, !enough)) {
            return PW_SURPLUS_STATE_AWAITED;
        }
        return enough ? PW_SURPLUS_STATE_FOLLOWS : PW_SURPLUS_STATE_ENDING;
    }
    bool begins = s->mean_mw >= pw_max((int64_t)t->config->start_w * 1000, least_mw(t));
    return lasts(t, begins) ? PW_SURPLUS_STATE_FOLLOWS : PW_SURPLUS_STATE_AWAITED;
}

static int32_t follow(const struct turn *t)
{
    const struct pw_surplus *s = t->surplus;
    int64_t ma = pw_clamp(pays_ma(t), t->in->least_ma, t->in->most_ma);
    ma -= ma % STEP_MA;
    bool small = ma > s->limit_ma - DEADBAND_MA && ma < s->limit_ma + DEADBAND_MA &&
                 s->limit_ma >= t->in->least_ma && s->limit_ma <= t->in->most_ma;
    bool early = ma > s->limit_ma && s->limit_ma > 0 && s->raised_at != PW_NEVER &&
                 !pw_elapsed(s->raised_at, RAISE_MS, t->now);
    return small || early ? s->limit_ma : (int32_t)ma;
}

static int32_t limit(const struct turn *t)
{
    switch (t->surplus->state) {
    case PW_SURPLUS_STATE_OFF:
    case PW_SURPLUS_STATE_FOLLOWS: return follow(t);
    case PW_SURPLUS_STATE_ENDING:
    case PW_SURPLUS_STATE_FLOOR: return t->in->least_ma;
    case PW_SURPLUS_STATE_BLIND: return t->config->mode == PW_SURPLUS_MINIMUM ? t->in->least_ma : 0;
    case PW_SURPLUS_STATE_AWAITED: return 0;
    case PW_SURPLUS_STATE_ROWS: break;
    }
    PW_UNREACHABLE();
}

pw_ms pw_surplus_step(struct pw_surplus *surplus, const struct pw_surplus_config *config,
                      const struct pw_surplus_input *in, const struct pw_log *log, pw_ms now)
{
    struct turn t = {
        .surplus = surplus, .config = config, .in = in, .now = now, .deadline = PW_NEVER};
    hear(&t);
    enum pw_surplus_state to = next(&t);
    if (to != surplus->state) {
        struct pw_line line;
        pw_line(&line, log, PW_LOG_INFO, "solar", "state");
        pw_line_s(&line, "from", state_rows[surplus->state].word);
        pw_line_s(&line, "to", state_rows[to].word);
        pw_line_fixed(&line, "surplus_w", surplus->mean_mw, 3);
        pw_line_end(&line);
        surplus->state = to;
        surplus->since = now;
        surplus->turned_at = PW_NEVER;
    }
    int32_t ma = limit(&t);
    if (ma > surplus->limit_ma) {
        surplus->raised_at = now;
    }
    surplus->limit_ma = ma;
    return t.deadline;
}
