// The gate of one charger: what it is offered, and when it pauses.
#include "house/house.h"

#include <string.h>

#define BEGIN_MA      1000    // room above the least current before a charge begins or goes on
#define FAR_PERMILLE  1250    // of the target, with every charger at its least: pause
#define NEAR_PERMILLE 1100    // above, the time to a pause runs so many times as fast
#define FAR_RATE      4       //
#define OVER_SAMPLES  2       // one sample alone may be a motor that starts
#define FOLLOWS_MA    1500    // a vehicle that draws so much less does not want more
#define CALM_AFTER_MS 1800000 // without a pause: the next may be shorter again

enum offer { FAILSAFE, ROOM, LEAST, ZERO };

static const struct gate_row {
    const char *word;
    enum offer offer;
    const char *why;
} gate_rows[] = {
#define ROW(name, text, offer, why) {text, offer, why},
    PW_HOUSE_GATES(ROW)
#undef ROW
};

const char *pw_house_gate_name(enum pw_house_gate_state state)
{
    return (unsigned)state < PW_HOUSE_GATE_ROWS ? gate_rows[state].word : "unknown";
}

// One turn; short-lived.
struct turn {
    struct pw_house_gate *gate;
    const struct pw_house_config *config;
    const struct pw_house_gate_input *in;
    const struct pw_log *log;
    pw_ms now;
    pw_ms deadline;
};

void pw_house_gate_init(struct pw_house_gate *gate, int32_t day, pw_ms now)
{
    *gate = (struct pw_house_gate){
        .state = PW_HOUSE_GATE_WAITING,
        .since = now,
        .why = gate_rows[PW_HOUSE_GATE_WAITING].why,
        .lowered_at = PW_NEVER,
        .raised_at = PW_NEVER,
        .room_since = PW_NEVER,
        .debt_at = now,
        .paused_at = PW_NEVER,
        .day = day,
    };
}

static bool passed(struct turn *t, pw_ms since, pw_ms span)
{
    bool is = since == PW_NEVER || pw_elapsed(since, span, t->now);
    if (!is) {
        t->deadline = pw_earlier(t->deadline, pw_after(since, span));
    }
    return is;
}

static bool spent(const struct turn *t)
{
    return t->gate->pauses >= t->config->pauses_per_day;
}

static uint32_t off_ms(const struct turn *t)
{
    static const uint32_t times[] = {1, 2, 5};
    // backoff already counts the pause under way.
    unsigned level = t->gate->backoff == 0 ? 0 : t->gate->backoff - 1U;
    return t->config->min_off_ms * times[level];
}

// ---------------------------------------------------------------------------------------------
// What is reckoned before anything is decided.

static void watch_day(struct turn *t)
{
    struct pw_house_gate *gate = t->gate;
    if (gate->day != t->in->day) {
        gate->day = t->in->day;
        gate->pauses = 0;
    }
    if (gate->backoff > 0 && gate->state != PW_HOUSE_GATE_PAUSED &&
        gate->state != PW_HOUSE_GATE_SPENT && passed(t, gate->paused_at, CALM_AFTER_MS)) {
        gate->backoff--;
        gate->paused_at = t->now;
    }
}

static void watch_room(struct turn *t)
{
    bool room = t->in->trust == PW_HOUSE_GOOD && t->in->share_ma >= t->in->least_ma + BEGIN_MA;
    if (!room) {
        t->gate->room_since = PW_NEVER;
    } else if (t->gate->room_since == PW_NEVER) {
        t->gate->room_since = t->now;
    }
}

// Time with less than the least current is a debt, paid back by time with more: a load that comes
// and goes every few seconds must neither pause the charge at once nor overload for ever.
static void watch_debt(struct turn *t)
{
    struct pw_house_gate *gate = t->gate;
    pw_ms span = pw_earlier(t->now - gate->debt_at, t->config->pause_after_ms);
    gate->debt_at = t->now;
    if (gate->fresh) {
        bool over = t->in->level_permille > FAR_PERMILLE;
        gate->over = over ? (uint8_t)pw_min(gate->over + 1, OVER_SAMPLES) : 0;
    }
    if (gate->state != PW_HOUSE_GATE_MINIMUM || t->in->share_ma >= t->in->least_ma) {
        gate->debt_ms = (uint32_t)pw_max((int64_t)gate->debt_ms - (int64_t)span, 0);
        return;
    }
    uint64_t rate = t->in->level_permille > NEAR_PERMILLE ? FAR_RATE : 1;
    gate->debt_ms = (uint32_t)pw_earlier(gate->debt_ms + span * rate, INT32_MAX);
    if (gate->debt_ms < t->config->pause_after_ms) {
        uint64_t left = (t->config->pause_after_ms - gate->debt_ms + rate - 1) / rate;
        t->deadline = pw_earlier(t->deadline, t->now + left);
    }
}

// ---------------------------------------------------------------------------------------------
// Where to go. No side effects but the deadline.

static enum pw_house_gate_state idle(const struct turn *t)
{
    return t->in->share_ma >= t->in->least_ma ? PW_HOUSE_GATE_READY : PW_HOUSE_GATE_SHUT;
}

static enum pw_house_gate_state pause(const struct turn *t)
{
    return t->gate->pauses + 1 >= t->config->pauses_per_day ? PW_HOUSE_GATE_SPENT
                                                            : PW_HOUSE_GATE_PAUSED;
}

static enum pw_house_gate_state next_minimum(struct turn *t)
{
    const struct pw_house_gate *gate = t->gate;
    if (!t->in->active) {
        return idle(t);
    }
    if (t->in->share_ma >= t->in->least_ma) {
        return PW_HOUSE_GATE_FOLLOWING;
    }
    bool late = gate->debt_ms >= t->config->pause_after_ms || gate->over >= OVER_SAMPLES;
    return late && !t->config->never_pause ? pause(t) : PW_HOUSE_GATE_MINIMUM;
}

// Room that has lasted, and still does as of this very sample.
static bool has_room(struct turn *t)
{
    pw_ms since = t->gate->room_since;
    return since != PW_NEVER && passed(t, since, t->config->resume_ms) && t->gate->fresh;
}

// Out of a pause: never before its time, and only with room that lasts.
static enum pw_house_gate_state next_paused(struct turn *t)
{
    const struct pw_house_gate *gate = t->gate;
    if (!t->in->wants) {
        return idle(t);
    }
    if (!passed(t, gate->since, off_ms(t))) {
        return gate->state;
    }
    if (t->in->trust != PW_HOUSE_GOOD) {
        return PW_HOUSE_GATE_FAILSAFE;
    }
    return has_room(t) ? PW_HOUSE_GATE_READY : gate->state;
}

static enum pw_house_gate_state next_shut(struct turn *t)
{
    if (!t->in->wants) {
        return idle(t);
    }
    return has_room(t) ? PW_HOUSE_GATE_READY : PW_HOUSE_GATE_SHUT;
}

static enum pw_house_gate_state next_failsafe(struct turn *t)
{
    if (t->in->trust != PW_HOUSE_GOOD) {
        return t->gate->state;
    }
    if (t->in->active && t->gate->offer_ma > 0) {
        return PW_HOUSE_GATE_FOLLOWING;
    }
    if (t->in->wants && t->gate->offer_ma == 0) {
        return spent(t) ? PW_HOUSE_GATE_SPENT : PW_HOUSE_GATE_PAUSED;
    }
    return idle(t);
}

static enum pw_house_gate_state next(struct turn *t)
{
    bool lost = t->in->trust != PW_HOUSE_GOOD;
    enum pw_house_gate_state state = t->gate->state;
    switch (state) {
    case PW_HOUSE_GATE_WAITING:
        if (lost) {
            return t->in->trust == PW_HOUSE_COLD ? state : PW_HOUSE_GATE_FAILSAFE;
        }
        return t->in->active ? PW_HOUSE_GATE_FOLLOWING : idle(t);
    case PW_HOUSE_GATE_READY:
    case PW_HOUSE_GATE_FOLLOWING:
        if (lost) {
            return PW_HOUSE_GATE_FAILSAFE;
        }
        if (t->in->active) {
            return t->in->share_ma < t->in->least_ma ? PW_HOUSE_GATE_MINIMUM
                                                     : PW_HOUSE_GATE_FOLLOWING;
        }
        return idle(t);
    case PW_HOUSE_GATE_MINIMUM: return lost ? PW_HOUSE_GATE_FAILSAFE : next_minimum(t);
    case PW_HOUSE_GATE_SHUT: return lost ? PW_HOUSE_GATE_FAILSAFE : next_shut(t);
    case PW_HOUSE_GATE_PAUSED: return next_paused(t);
    case PW_HOUSE_GATE_SPENT: return spent(t) && t->in->wants ? state : PW_HOUSE_GATE_PAUSED;
    case PW_HOUSE_GATE_FAILSAFE: return next_failsafe(t);
    case PW_HOUSE_GATE_ROWS: break;
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------
// The offer.

// Raises are small, rare and on fresh samples: a vehicle follows for seconds, and what it does then
// must have been seen before the next.
static int32_t raised(struct turn *t)
{
    const struct pw_house_gate *gate = t->gate;
    const struct pw_house_gate_input *in = t->in;
    int64_t head = (int64_t)in->share_ma - gate->offer_ma;
    int64_t step = in->share_ma >= in->most_ma ? head : head / 2;
    step = pw_min(pw_min(step, PW_HOUSE_RAISE_MA), in->most_ma - gate->offer_ma);
    step -= step % PW_HOUSE_STEP_MA;
    bool idles =
        in->active && in->draw_ma != PW_BOARD_UNKNOWN && in->draw_ma < gate->offer_ma - FOLLOWS_MA;
    bool worth = in->share_ma >= in->most_ma || head >= t->config->deadband_ma;
    if (step <= 0 || !worth || (idles && in->contended) || !gate->fresh) {
        return gate->offer_ma;
    }
    bool calm = passed(t, gate->lowered_at, PW_HOUSE_CALM_MS);
    bool rested = passed(t, gate->raised_at, PW_HOUSE_RAISE_MS);
    return calm && rested ? gate->offer_ma + (int32_t)step : gate->offer_ma;
}

static int32_t along_the_room(struct turn *t)
{
    const struct pw_house_gate *gate = t->gate;
    int32_t most = (int32_t)pw_min(t->in->share_ma, t->in->most_ma);
    most -= most % PW_HOUSE_STEP_MA;
    if (gate->offer_ma == 0) {
        return t->in->least_ma; // begins small
    }
    if (most < gate->offer_ma) {
        return (int32_t)pw_max(most, t->in->least_ma);
    }
    return raised(t);
}

// Nothing is raised while nobody sees what the house draws.
static int32_t blind(const struct turn *t)
{
    int32_t ma = (int32_t)pw_min(t->in->share_ma, t->in->most_ma);
    ma = t->gate->offer_ma > 0 ? (int32_t)pw_min(ma, t->gate->offer_ma) : ma;
    return ma < t->in->least_ma ? 0 : ma - ma % PW_HOUSE_STEP_MA;
}

static int32_t offer(struct turn *t)
{
    switch (gate_rows[t->gate->state].offer) {
    case FAILSAFE: return blind(t);
    case ROOM: return along_the_room(t);
    case LEAST: return t->in->least_ma;
    case ZERO: return 0;
    }
    PW_UNREACHABLE();
}

static void set_offer(struct turn *t, int32_t ma)
{
    struct pw_house_gate *gate = t->gate;
    if (ma == gate->offer_ma) {
        return;
    }
    if (ma < gate->offer_ma) {
        gate->lowered_at = t->now;
    } else {
        gate->raised_at = t->now;
    }
    gate->offer_ma = ma;
}

// The contactor will open: that is what the budget of the day counts.
static void count_pause(struct turn *t)
{
    struct pw_house_gate *gate = t->gate;
    gate->pauses = (uint16_t)pw_min(gate->pauses + 1, UINT16_MAX);
    gate->backoff = (uint8_t)pw_min(gate->backoff + 1, 3);
    gate->paused_at = t->now;
    gate->debt_ms = 0;
    gate->over = 0;
}

static void go(struct turn *t, enum pw_house_gate_state to)
{
    struct pw_house_gate *gate = t->gate;
    struct pw_line line;
    pw_line(&line, t->log, PW_LOG_INFO, "house", "state");
    pw_line_s(&line, "from", gate_rows[gate->state].word);
    pw_line_s(&line, "to", gate_rows[to].word);
    pw_line_s(&line, "why", gate_rows[to].why);
    pw_line_fixed(&line, "room", t->in->share_ma, 3);
    pw_line_end(&line);
    gate->state = to;
    gate->since = t->now;
}

pw_ms pw_house_gate_step(struct pw_house_gate *gate, const struct pw_house_config *config,
                         const struct pw_house_gate_input *in, const struct pw_log *log, pw_ms now)
{
    struct turn t = {
        .gate = gate, .config = config, .in = in, .log = log, .now = now, .deadline = PW_NEVER};
    gate->fresh = in->samples != gate->samples;
    gate->samples = in->samples;
    watch_day(&t);
    watch_room(&t);
    watch_debt(&t);
    int32_t held = gate->offer_ma;
    enum pw_house_gate_state to = next(&t);
    if (to != gate->state) {
        go(&t, to);
    }
    int32_t ma = offer(&t);
    if (in->active && held > 0 && ma == 0) {
        count_pause(&t);
    }
    set_offer(&t, ma);
    gate->why = in->trust != PW_HOUSE_GOOD && gate_rows[to].offer == FAILSAFE
                    ? pw_house_trust_text(in->trust)
                    : gate_rows[to].why;
    return t.deadline;
}
