// The turn of the rules: which mode, what holds, who is out of service, and what ends a charge.
#include "rules/rules.h"

#define ROOM "rules"

#define TEXT_OF(name, text) text,
static const char *const mode_texts[PW_RULES_MODE_ROWS] = {PW_RULES_MODES(TEXT_OF)};
static const char *const hold_texts[PW_RULES_HOLD_ROWS] = {PW_RULES_HOLDS(TEXT_OF)};
#undef TEXT_OF

const char *pw_rules_mode_text(enum pw_rules_mode mode)
{
    return (unsigned)mode < PW_RULES_MODE_ROWS ? mode_texts[mode] : "";
}

const char *pw_rules_hold_text(enum pw_rules_hold hold)
{
    return (unsigned)hold < PW_RULES_HOLD_ROWS ? hold_texts[hold] : "";
}

static int32_t of(const struct pw_rules *rules, enum pw_setting_id id)
{
    return pw_settings_int(rules->parts.settings, id);
}

static pw_ms seconds(const struct pw_rules *rules, enum pw_setting_id id)
{
    return (pw_ms)of(rules, id) * 1000;
}

static void say(const struct pw_rules *rules, enum pw_level level, unsigned index,
                const char *event, const char *why)
{
    struct pw_line line;
    pw_line(&line, rules->parts.log, level, ROOM, event);
    pw_line_int(&line, "connector", (int64_t)index + 1);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

static void say_change(const struct pw_rules *rules, const char *event, const char *from,
                       const char *to)
{
    struct pw_line line;
    pw_line(&line, rules->parts.log, PW_LOG_INFO, ROOM, event);
    pw_line_s(&line, "from", from);
    pw_line_s(&line, "to", to);
    pw_line_end(&line);
}

int pw_rules_init(struct pw_rules *rules, const struct pw_rules_parts *parts, struct pw_out *why,
                  pw_ms now)
{
    *rules = (struct pw_rules){.parts = *parts, .started_at = now, .away_since = now};
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        rules->of[i].gone_since = now;
        rules->of[i].idle_since = PW_NEVER;
        rules->of[i].over_since = PW_NEVER;
        rules->of[i].held_since = PW_NEVER;
    }
    return pw_rules_configure(rules, why);
}

void pw_rules_restore(struct pw_rules *rules, unsigned index, pw_ms now)
{
    rules->of[index].now = true;
    rules->of[index].gone_since = pw_after(now, PW_SESSION_RESUME_MS); // counts from then on
}

// ---------------------------------------------------------------------------------------------
// The whole station.

static enum pw_rules_mode next_mode(const struct pw_rules *rules, pw_ms now)
{
    if (of(rules, PW_SET_PLUG_AND_CHARGE) != 0) {
        return PW_RULES_PLUG;
    }
    bool alone = of(rules, PW_SET_PLUG_WITHOUT_NETWORK) != 0 &&
                 pw_elapsed(rules->away_since, PW_RULES_AWAY_MS, now);
    return alone ? PW_RULES_OFFLINE : PW_RULES_CONTROLLED;
}

static bool knows_time(const struct pw_rules *rules)
{
    return rules->wall > 0 && rules->wall <= PW_ZONE_LAST_MS;
}

// Asked again only where the answer may be another: at its end, and when the clock was set.
static bool schedule_allows(struct pw_rules *rules)
{
    bool stands =
        rules->from_at > 0 && rules->wall >= rules->from_at && rules->wall < rules->answer.until;
    if (!stands) {
        rules->answer = pw_schedule_at(&rules->schedule, rules->wall);
        rules->from_at = rules->wall;
    }
    return rules->answer.allowed;
}

static enum pw_rules_hold next_hold(struct pw_rules *rules, pw_ms now)
{
    enum { ON, OFF, SLEEP }; // the words of the setting
    if (of(rules, PW_SET_CHARGING_ENABLE) == OFF) {
        return PW_RULES_OFF;
    }
    if (of(rules, PW_SET_CHARGING_ENABLE) == SLEEP) {
        return PW_RULES_SLEEP;
    }
    if (!pw_schedule_holds(&rules->schedule)) {
        return PW_RULES_NOTHING;
    }
    if (!knows_time(rules)) {
        return pw_elapsed(rules->started_at, PW_RULES_CLOCK_MS, now) ? PW_RULES_NOTHING
                                                                     : PW_RULES_NO_CLOCK;
    }
    return schedule_allows(rules) ? PW_RULES_NOTHING : PW_RULES_SCHEDULE;
}

static void set_mode(struct pw_rules *rules, enum pw_rules_mode mode)
{
    if (mode != rules->mode) {
        say_change(rules, "mode", mode_texts[rules->mode], mode_texts[mode]);
        rules->mode = mode;
    }
}

static void set_hold(struct pw_rules *rules, enum pw_rules_hold hold)
{
    if (hold == rules->hold) {
        return;
    }
    say_change(rules, "hold", hold_texts[rules->hold], hold_texts[hold]);
    if (rules->hold == PW_RULES_NO_CLOCK && !knows_time(rules)) {
        say_change(rules, "clock-not-set", "timer and plan", "do not count until it is");
    }
    rules->hold = hold;
}

bool pw_rules_adjustable(const struct pw_rules *rules)
{
    return of(rules, PW_SET_REMOTE_ADJUST) != 0;
}

bool pw_rules_is_off(const struct pw_rules *rules)
{
    return of(rules, PW_SET_CHARGING_ENABLE) == 1;
}

// ---------------------------------------------------------------------------------------------
// One connector.

// The tag of charges that nobody starts; empty: somebody must.
static struct pw_str free_tag(const struct pw_rules *rules)
{
    struct pw_str own = pw_str_of(pw_settings_text(rules->parts.settings, PW_SET_FREE_ID));
    if (rules->mode == PW_RULES_CONTROLLED) {
        return PW_STR("");
    }
    return own.len > 0 ? own : pw_str_of(pw_settings_text(rules->parts.settings, PW_SET_LOCAL_ID));
}

// Off ends what runs, and puts the connector out of service. A free charge that it ended goes on
// as a new one when the station is switched on; a paid one needs its payer again.
static void serve(struct pw_rules *rules, unsigned index, bool inoperative, pw_ms now)
{
    struct pw_rules_connector *own = &rules->of[index];
    struct pw_session *session = pw_connector_session(&rules->parts.connector[index]);
    bool off = rules->hold == PW_RULES_OFF;
    if (off && pw_session_stop(session, PW_REASON_LOCAL, PW_STR(""), now) == PW_OK) {
        say(rules, PW_LOG_INFO, index, "charge-ended", hold_texts[PW_RULES_OFF]);
        own->cut = true;
    }
    if (session->inoperative_next != (off || inoperative)) {
        (void)pw_session_set_operative(session, !(off || inoperative), now);
    }
    struct pw_str tag = free_tag(rules);
    int err = pw_session_free(session, tag);
    PW_ASSERT(err == PW_OK); // the rows of both settings bound it
    if (own->cut && !off && session->phase == PW_PHASE_FINISHING && tag.len > 0) {
        // BUSY: out of service or faulted; then it waits for its next plug like every other.
        (void)!pw_session_authorise(session, tag, PW_START_FREE, now);
        own->cut = false;
    }
}

static void hold_back(struct pw_rules *rules, unsigned index, pw_ms now)
{
    struct pw_rules_connector *own = &rules->of[index];
    struct pw_connector *connector = &rules->parts.connector[index];
    bool waits = rules->hold == PW_RULES_NO_CLOCK || rules->hold == PW_RULES_SCHEDULE;
    enum pw_rules_hold hold = waits && own->now ? PW_RULES_NOTHING : rules->hold;
    if (hold == own->hold) {
        return;
    }
    own->hold = hold;
    if (hold == PW_RULES_NOTHING) {
        pw_connector_unlimit(connector, PW_LIMIT_SCHEDULE, now);
    } else {
        // RANGE cannot be: 0 is always within.
        (void)!pw_connector_limit(connector, PW_LIMIT_SCHEDULE, 0, hold_texts[hold], PW_NEVER, now);
    }
}

// A charge begins or ends: what was asked for one charge is not the next one's.
static void follow_charge(struct pw_rules *rules, unsigned index, pw_ms now)
{
    struct pw_rules_connector *own = &rules->of[index];
    const struct pw_session *session = pw_connector_session(&rules->parts.connector[index]);
    bool charge = pw_session_in_transaction(session) || session->phase == PW_PHASE_AUTHORISED;
    bool held = session->phase == PW_PHASE_ACTIVE && own->hold != PW_RULES_NOTHING;
    if (own->charge && !charge) {
        for (unsigned use = 0; use < PW_RULES_USES; use++) {
            own->given[use] = false;
        }
    }
    if (charge != own->charge) {
        own->charge = charge;
        own->drawn = false;
        own->held_ms = 0;
        own->held_since = PW_NEVER;
        own->over = own->over && !charge;
    }
    if (held && own->held_since == PW_NEVER) {
        own->held_since = now;
    } else if (!held && own->held_since != PW_NEVER) {
        own->held_ms += now - own->held_since;
        own->held_since = PW_NEVER;
    }
}

int64_t pw_rules_limit_of(const struct pw_rules *rules, unsigned index, enum pw_rules_use use)
{
    static const enum pw_setting_id ids[PW_RULES_USES] = {
        [PW_RULES_ENERGY] = PW_SET_ENERGY_LIMIT_WH,
        [PW_RULES_TIME] = PW_SET_TIME_LIMIT_S,
        [PW_RULES_SOC] = PW_SET_SOC_LIMIT_PERMILLE,
    };
    const struct pw_rules_connector *own = &rules->of[index];
    return own->given[use] ? own->asked[use] : of(rules, ids[use]);
}

// The session ends the charge; while the schedule holds it, its time stands still.
static void limit_use(struct pw_rules *rules, unsigned index)
{
    const struct pw_rules_connector *own = &rules->of[index];
    struct pw_session_limits limits = {
        .energy_mwh = (uint64_t)pw_rules_limit_of(rules, index, PW_RULES_ENERGY) * 1000,
        .time_ms = (uint64_t)pw_rules_limit_of(rules, index, PW_RULES_TIME) * 1000,
        .soc_permille = (int32_t)pw_rules_limit_of(rules, index, PW_RULES_SOC),
    };
    if (limits.time_ms > 0) {
        limits.time_ms = own->held_since == PW_NEVER ? limits.time_ms + own->held_ms : 0;
    }
    pw_session_limit(pw_connector_session(&rules->parts.connector[index]), limits);
}

// Since when something has been so; PW_NEVER while it is not.
static pw_ms since(pw_ms before, bool is_so, pw_ms now)
{
    return !is_so ? PW_NEVER : before == PW_NEVER ? now : before;
}

static void watch_draw(struct pw_rules *rules, unsigned index, const struct pw_connector_view *view,
                       pw_ms now)
{
    struct pw_rules_connector *own = &rules->of[index];
    bool active = view->phase == PW_PHASE_ACTIVE && view->measured;
    bool draws = active && view->out_ma >= PW_RULES_IDLE_MA;
    int64_t most_ma = view->offered_ma + PW_RULES_OVER_MA +
                      (int64_t)view->offered_ma * PW_RULES_OVER_PERMILLE / 1000;
    own->drawn = own->drawn || draws;
    // A vehicle that never began waits for its own timer, and one that is not offered anything
    // cannot draw: neither is idle.
    bool idle = active && own->drawn && !draws && view->offered_ma > 0;
    own->idle_since = since(own->idle_since, idle, now);
    // A dc output is the rectifier's, not the vehicle's, and core/dc watches it.
    bool over = active && view->phases > 0 && view->out_ma > most_ma;
    own->over_since = since(own->over_since, over, now);
}

static void end_charge(struct pw_rules *rules, unsigned index, enum pw_level level, const char *why,
                       pw_ms now)
{
    struct pw_session *session = pw_connector_session(&rules->parts.connector[index]);
    if (pw_session_stop(session, PW_REASON_OTHER, PW_STR(""), now) == PW_OK) {
        say(rules, level, index, "charge-ended", why);
    }
}

static void end_what_nobody_needs(struct pw_rules *rules, unsigned index, pw_ms now)
{
    struct pw_rules_connector *own = &rules->of[index];
    pw_ms idle_ms = seconds(rules, PW_SET_STOP_IDLE_S);
    if (rules->mode == PW_RULES_CONTROLLED && idle_ms > 0 &&
        pw_elapsed(own->idle_since, idle_ms, now)) {
        end_charge(rules, index, PW_LOG_INFO, "the vehicle draws nothing any more", now);
    }
    if (pw_elapsed(own->over_since, seconds(rules, PW_SET_STOP_OVER_S), now) && !own->over) {
        own->over = true;
        end_charge(rules, index, PW_LOG_ERROR, "the vehicle draws more than is offered", now);
    }
    if (pw_elapsed(own->gone_since, seconds(rules, PW_SET_STOP_UNPLUGGED_S), now)) {
        if (own->now) {
            say(rules, PW_LOG_INFO, index, "charge-now-over", "the vehicle has gone");
        }
        own->now = false;
        own->over = false;
        own->cut = false;
    }
}

// When time alone changes something; PW_NEVER: nothing waits for it.
static pw_ms due(pw_ms from, pw_ms span, bool counts, pw_ms now)
{
    pw_ms at = counts ? pw_after(from, span) : PW_NEVER;
    return at > now ? at : PW_NEVER;
}

static pw_ms connector_deadline(const struct pw_rules *rules, unsigned index, pw_ms now)
{
    const struct pw_rules_connector *own = &rules->of[index];
    pw_ms idle_ms = seconds(rules, PW_SET_STOP_IDLE_S);
    pw_ms at =
        due(own->idle_since, idle_ms, rules->mode == PW_RULES_CONTROLLED && idle_ms > 0, now);
    at = pw_earlier(at, due(own->over_since, seconds(rules, PW_SET_STOP_OVER_S), !own->over, now));
    return pw_earlier(at, due(own->gone_since, seconds(rules, PW_SET_STOP_UNPLUGGED_S),
                              own->now || own->over || own->cut, now));
}

static pw_ms deadline(const struct pw_rules *rules, pw_ms now)
{
    bool holds = pw_schedule_holds(&rules->schedule);
    pw_ms at =
        due(rules->away_since, PW_RULES_AWAY_MS, of(rules, PW_SET_PLUG_WITHOUT_NETWORK) != 0, now);
    at =
        pw_earlier(at, due(rules->started_at, PW_RULES_CLOCK_MS, holds && !knows_time(rules), now));
    if (holds && knows_time(rules) && rules->from_at > 0 && rules->answer.until < INT64_MAX) {
        at = pw_earlier(at, pw_after(now, (pw_ms)(rules->answer.until - rules->wall)));
    }
    for (unsigned i = 0; i < rules->parts.connectors; i++) {
        at = pw_earlier(at, connector_deadline(rules, i, now));
    }
    return at;
}

pw_ms pw_rules_step(struct pw_rules *rules, const struct pw_rules_input *in, pw_ms now)
{
    rules->wall = in->wall;
    rules->away_since = since(rules->away_since, !in->reached, now);
    set_mode(rules, next_mode(rules, now));
    set_hold(rules, next_hold(rules, now));
    for (unsigned i = 0; i < rules->parts.connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&rules->parts.connector[i], &view, now);
        rules->of[i].gone_since = since(rules->of[i].gone_since, !view.plugged, now);
        serve(rules, i, in->inoperative[i], now);
        hold_back(rules, i, now);
        if (!pw_rules_adjustable(rules)) {
            pw_connector_unlimit(&rules->parts.connector[i], PW_LIMIT_CLAIM, now);
            pw_connector_unlimit(&rules->parts.connector[i], PW_LIMIT_OCPP, now);
        }
        follow_charge(rules, i, now);
        watch_draw(rules, i, &view, now);
        end_what_nobody_needs(rules, i, now);
        limit_use(rules, i);
    }
    return deadline(rules, now);
}

// ---------------------------------------------------------------------------------------------
// Requests.

int pw_rules_charge_now(struct pw_rules *rules, unsigned index, bool on, struct pw_out *why)
{
    struct pw_rules_connector *own = &rules->of[index];
    if (on && !pw_schedule_holds(&rules->schedule)) {
        pw_put_s(why,
                 "there is nothing to wait for: neither a delay timer nor a weekly plan is set");
        return PW_ERR_BUSY;
    }
    if (on && own->gone_since != PW_NEVER) {
        pw_put_s(why, "there is no vehicle: it would be over before it began");
        return PW_ERR_BUSY;
    }
    if (!on && !own->now) {
        pw_put_s(why, "it was not asked to charge now");
        return PW_ERR_BUSY;
    }
    own->now = on;
    say(rules, PW_LOG_INFO, index, on ? "charge-now" : "charge-now-over", "asked for");
    return PW_OK;
}

void pw_rules_limit(struct pw_rules *rules, unsigned index, enum pw_rules_use use, int64_t value)
{
    rules->of[index].asked[use] = value;
    rules->of[index].given[use] = true;
}
