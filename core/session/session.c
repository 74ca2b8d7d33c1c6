#include "session/session.h"

#define ROOM               "session"
#define ENDING_MS          10000  // an end is reported by then even if the power does not go
#define PATIENCE_MS        120000 // a fault this long ends the transaction
#define NAME2(name, s)     s,
#define NAME4(n, s, p, t)  s,
#define PERMIT(n, s, p, t) p,
#define IN_TX(n, s, p, t)  t,

static const char *const status_names[PW_STATUS_ROWS] = {PW_SESSION_STATUSES(NAME2)};
static const char *const reason_names[PW_REASON_ROWS] = {PW_SESSION_REASONS(NAME2)};
static const char *const phase_names[PW_PHASE_ROWS] = {PW_SESSION_PHASES(NAME4)};
static const bool phase_permits[PW_PHASE_ROWS] = {PW_SESSION_PHASES(PERMIT)};
static const bool phase_in_tx[PW_PHASE_ROWS] = {PW_SESSION_PHASES(IN_TX)};

// No energy without a transaction that pays for it.
#define CHECK(n, s, p, t) _Static_assert((p) <= (t), "energy only within a transaction");
PW_SESSION_PHASES(CHECK)
#undef CHECK

const char *pw_session_status_name(enum pw_session_status status)
{
    return (unsigned)status < PW_STATUS_ROWS ? status_names[status] : "";
}

const char *pw_session_reason_name(enum pw_session_reason reason)
{
    return (unsigned)reason < PW_REASON_ROWS ? reason_names[reason] : "";
}

const char *pw_session_phase_name(enum pw_session_phase phase)
{
    return (unsigned)phase < PW_PHASE_ROWS ? phase_names[phase] : "unknown";
}

// ---------------------------------------------------------------------------------------------
// What OCPP calls it: phase down, condition of the connector across. The worse condition wins;
// SuspendedEVSE goes before SuspendedEV (OCPP 1.6 §4.9).

enum condition { FINE, PAUSED_EV, PAUSED_EVSE, KEPT, BLOCKED, BROKEN, CONDITIONS };

#define S(name) PW_STATUS_##name
// clang-format off
static const enum pw_session_status status_table[PW_PHASE_ROWS][CONDITIONS] = {
    //                       fine          paused by EV     paused by EVSE     reserved      inoperative     faulted
    [PW_PHASE_IDLE]       = {S(AVAILABLE), S(AVAILABLE),    S(AVAILABLE),      S(RESERVED),  S(UNAVAILABLE), S(FAULTED)},
    [PW_PHASE_PLUGGED]    = {S(PREPARING), S(PREPARING),    S(PREPARING),      S(RESERVED),  S(UNAVAILABLE), S(FAULTED)},
    [PW_PHASE_AUTHORISED] = {S(PREPARING), S(PREPARING),    S(PREPARING),      S(PREPARING), S(UNAVAILABLE), S(FAULTED)},
    [PW_PHASE_BEGINNING]  = {S(PREPARING), S(PREPARING),    S(PREPARING),      S(PREPARING), S(PREPARING),   S(FAULTED)},
    [PW_PHASE_ACTIVE]     = {S(CHARGING),  S(SUSPENDED_EV), S(SUSPENDED_EVSE), S(CHARGING),  S(CHARGING),    S(FAULTED)},
    [PW_PHASE_ENDING]     = {S(FINISHING), S(FINISHING),    S(FINISHING),      S(FINISHING), S(FINISHING),   S(FAULTED)},
    [PW_PHASE_FINISHING]  = {S(FINISHING), S(FINISHING),    S(FINISHING),      S(FINISHING), S(UNAVAILABLE), S(FAULTED)},
};
// clang-format on
#undef S

static enum condition condition(const struct pw_session *s)
{
    if (s->in.fault || s->in.emergency) {
        return BROKEN;
    }
    if (s->inoperative) {
        return BLOCKED;
    }
    if (s->reserved && !phase_in_tx[s->phase]) {
        return KEPT;
    }
    if (s->suspended || s->in.paused_evse) {
        return PAUSED_EVSE;
    }
    return s->in.paused_ev || !s->in.plugged ? PAUSED_EV : FINE;
}

enum pw_session_status pw_session_status(const struct pw_session *session)
{
    return status_table[session->phase][condition(session)];
}

bool pw_session_permit(const struct pw_session *session)
{
    return phase_permits[session->phase] && session->reason == PW_REASON_NONE &&
           !session->suspended;
}

bool pw_session_in_transaction(const struct pw_session *session)
{
    return phase_in_tx[session->phase];
}

uint64_t pw_session_energy_mwh(const struct pw_session *session)
{
    return session->in.energy_mwh < session->start_mwh
               ? 0
               : session->in.energy_mwh - session->start_mwh;
}

uint64_t pw_session_used_mwh(const struct pw_session *session)
{
    return pw_session_energy_mwh(session) + session->in.pending_mwh;
}

uint64_t pw_session_time_ms(const struct pw_session *session, pw_ms now)
{
    if (session->phase != PW_PHASE_ACTIVE && session->phase != PW_PHASE_ENDING) {
        return 0;
    }
    return session->ran_ms + (now > session->started_at ? now - session->started_at : 0);
}

// ---------------------------------------------------------------------------------------------

static void copy_tag(char to[PW_SESSION_TAG_MAX], struct pw_str tag)
{
    int err = pw_str_copy(to, PW_SESSION_TAG_MAX, tag);
    PW_ASSERT(err >= 0);
}

static void tell(struct pw_session *s, enum pw_session_event_kind kind, pw_ms now)
{
    struct pw_session_event event = {
        .kind = kind,
        .at = now,
        .reason = s->reason,
        .by = s->by,
        .energy_mwh = s->in.energy_mwh,
        .soc_permille = s->in.soc_permille,
    };
    copy_tag(event.id_tag, pw_str_of(s->id_tag));
    copy_tag(event.stop_tag, pw_str_of(s->stop_tag));
    bool room = pw_session_events_push(&s->events, event);
    PW_ASSERT(room); // step() moves only while there is room for two
}

bool pw_session_take(struct pw_session *session, struct pw_session_event *event)
{
    return pw_session_events_pop(&session->events, event);
}

static void forget(struct pw_session *s)
{
    s->id_tag[0] = '\0';
    s->stop_tag[0] = '\0';
    s->reason = PW_REASON_NONE;
    s->limits = (struct pw_session_limits){0};
    s->recorded = false;
    s->refused = false;
    s->suspended = false;
    s->allowance_mwh = 0;
    s->resume_until = PW_NEVER;
}

// The one place where the phase changes.
static void enter(struct pw_session *s, enum pw_session_phase to, const char *why, pw_ms now)
{
    struct pw_line line;
    pw_line(&line, s->log, PW_LOG_INFO, ROOM, "phase");
    pw_line_int(&line, "connector", s->connector_id);
    pw_line_s(&line, "from", phase_names[s->phase]);
    pw_line_s(&line, "to", phase_names[to]);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);

    enum pw_session_phase from = s->phase;
    s->phase = to;
    s->since = now;
    s->abandoned = from == PW_PHASE_PLUGGED && to == PW_PHASE_FINISHING;
    if (to == PW_PHASE_BEGINNING) {
        s->start_mwh = s->in.energy_mwh;
        tell(s, PW_SESSION_BEGIN, now);
    } else if (to == PW_PHASE_ACTIVE) {
        s->started_at = now;
    } else if (from == PW_PHASE_ENDING) {
        tell(s, PW_SESSION_END, now);
    }
    if (phase_in_tx[from] && !phase_in_tx[to]) {
        forget(s);
        if (s->inoperative != s->inoperative_next) {
            s->inoperative = s->inoperative_next;
            tell(s, PW_SESSION_CHANGED, now);
        }
    }
}

void pw_session_init(struct pw_session *session, uint8_t connector_id,
                     const struct pw_session_config *config, const struct pw_log *log, pw_ms now)
{
    *session = (struct pw_session){
        .log = log,
        .connector_id = connector_id,
        .since = now,
        .in = {.off = true, .soc_permille = -1},
        .start_mwh = UINT64_MAX, // no charge yet
        .fault_since = PW_NEVER,
        .resume_until = PW_NEVER,
    };
    pw_session_configure(session, config);
}

void pw_session_configure(struct pw_session *session, const struct pw_session_config *config)
{
    session->config = *config;
    if (session->config.fault_patience_ms == 0) {
        session->config.fault_patience_ms = PATIENCE_MS;
    }
}

// ---------------------------------------------------------------------------------------------
// Requests

static bool may_begin(const struct pw_session *s)
{
    bool idle =
        s->phase == PW_PHASE_IDLE || s->phase == PW_PHASE_PLUGGED || s->phase == PW_PHASE_FINISHING;
    return idle && !s->in.fault && !s->in.emergency && !s->inoperative;
}

int pw_session_authorise(struct pw_session *session, struct pw_str id_tag, enum pw_session_start by,
                         pw_ms now)
{
    if (id_tag.len == 0 || id_tag.len >= PW_SESSION_TAG_MAX) {
        return PW_ERR_RANGE;
    }
    if (!may_begin(session) || (by == PW_START_FREE && session->reserved)) {
        return PW_ERR_BUSY;
    }
    copy_tag(session->id_tag, id_tag);
    session->by = by;
    session->ran_ms = 0;
    session->reason = PW_REASON_NONE;
    enter(session, PW_PHASE_AUTHORISED, "authorised", now);
    return PW_OK;
}

int pw_session_free(struct pw_session *session, struct pw_str id_tag)
{
    if (id_tag.len >= PW_SESSION_TAG_MAX) {
        return PW_ERR_RANGE;
    }
    copy_tag(session->free_tag, id_tag);
    return PW_OK;
}

void pw_session_limit(struct pw_session *session, struct pw_session_limits limits)
{
    session->limits = limits;
}

void pw_session_recorded(struct pw_session *session, bool ok, pw_ms now)
{
    (void)now; // takes effect in the next step, as everything does
    if (session->phase == PW_PHASE_BEGINNING && !session->recorded && !session->refused) {
        session->recorded = ok;
        session->refused = !ok;
    }
}

int pw_session_stop(struct pw_session *session, enum pw_session_reason reason,
                    struct pw_str stop_tag, pw_ms now)
{
    if (reason == PW_REASON_NONE || stop_tag.len >= PW_SESSION_TAG_MAX) {
        return PW_ERR_RANGE;
    }
    if (session->phase == PW_PHASE_AUTHORISED) {
        forget(session);
        enter(session, session->in.plugged ? PW_PHASE_FINISHING : PW_PHASE_IDLE, "given back", now);
        return PW_OK;
    }
    bool running = session->phase == PW_PHASE_BEGINNING || session->phase == PW_PHASE_ACTIVE;
    if (!running || session->reason != PW_REASON_NONE) {
        return PW_ERR_BUSY;
    }
    session->reason = reason;
    copy_tag(session->stop_tag, stop_tag);
    return PW_OK;
}

void pw_session_suspend(struct pw_session *session, bool on)
{
    session->suspended = on && phase_in_tx[session->phase];
    session->allowance_mwh = 0;
}

void pw_session_suspend_after(struct pw_session *session, uint64_t used_mwh)
{
    if (phase_in_tx[session->phase]) {
        session->allowance_mwh = used_mwh;
    }
}

void pw_session_reserve(struct pw_session *session, bool on)
{
    session->reserved = on;
}

bool pw_session_set_operative(struct pw_session *session, bool operative, pw_ms now)
{
    session->inoperative_next = !operative;
    if (phase_in_tx[session->phase]) {
        return session->inoperative == session->inoperative_next;
    }
    session->inoperative = !operative;
    if (!operative && session->phase == PW_PHASE_AUTHORISED) {
        forget(session);
        enter(session, PW_PHASE_IDLE, "made inoperative", now);
    }
    return true;
}

int pw_session_resume(struct pw_session *session, struct pw_str id_tag, uint64_t start_mwh,
                      uint64_t elapsed_ms, pw_ms now)
{
    if (id_tag.len == 0 || id_tag.len >= PW_SESSION_TAG_MAX) {
        return PW_ERR_RANGE;
    }
    if (session->phase != PW_PHASE_IDLE) {
        return PW_ERR_BUSY;
    }
    copy_tag(session->id_tag, id_tag);
    session->recorded = true;
    session->start_mwh = start_mwh;
    session->ran_ms = elapsed_ms;
    session->resume_until = pw_after(now, PW_SESSION_RESUME_MS);
    enter(session, PW_PHASE_ACTIVE, "resumed", now);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// One turn

static bool limit_reached(const struct pw_session *s, pw_ms now)
{
    const struct pw_session_limits *l = &s->limits;
    return (l->energy_mwh > 0 && pw_session_used_mwh(s) >= l->energy_mwh) ||
           (l->time_ms > 0 && pw_session_time_ms(s, now) >= l->time_ms) ||
           (l->soc_permille > 0 && s->in.soc_permille >= l->soc_permille);
}

// Why a transaction should end now, if it should. What somebody asked for stands first.
static enum pw_session_reason stop_reason(const struct pw_session *s, pw_ms now)
{
    if (s->reason != PW_REASON_NONE) {
        return s->reason;
    }
    if (s->in.emergency) {
        return PW_REASON_EMERGENCY_STOP;
    }
    if (!s->in.plugged && s->resume_until != PW_NEVER) {
        return now >= s->resume_until ? PW_REASON_POWER_LOSS : PW_REASON_NONE;
    }
    if (!s->in.plugged && !s->config.keep_when_unplugged) {
        return PW_REASON_EV_DISCONNECTED;
    }
    if (s->phase == PW_PHASE_ACTIVE && limit_reached(s, now)) {
        return PW_REASON_LOCAL;
    }
    bool weary = pw_elapsed(s->fault_since, s->config.fault_patience_ms, now);
    bool full = s->in.full && !s->config.keep_when_full;
    return weary || full ? PW_REASON_OTHER : PW_REASON_NONE;
}

struct move {
    enum pw_session_phase to;
    const char *why;
};

static struct move from_beginning(const struct pw_session *s)
{
    if (s->refused) {
        enum pw_session_phase to = s->in.plugged ? PW_PHASE_FINISHING : PW_PHASE_IDLE;
        return (struct move){to, "start not recorded"};
    }
    if (s->recorded) {
        return (struct move){PW_PHASE_ACTIVE, "start recorded"};
    }
    return (struct move){PW_PHASE_BEGINNING, ""};
}

static struct move from_authorised(const struct pw_session *s, pw_ms now)
{
    if (s->in.plugged && !s->in.fault && !s->in.emergency) {
        return (struct move){PW_PHASE_BEGINNING, "plugged and authorised"};
    }
    pw_ms patience = s->config.connection_timeout_ms;
    if (patience > 0 && pw_elapsed(s->since, patience, now)) {
        // Errata 3.20: with a cable still in, Preparing goes to Finishing.
        return (struct move){s->in.plugged ? PW_PHASE_FINISHING : PW_PHASE_IDLE,
                             "connection time-out"};
    }
    return (struct move){PW_PHASE_AUTHORISED, ""};
}

static bool is_abandoned(const struct pw_session *s, pw_ms now)
{
    return s->config.abandon_ms > 0 && s->free_tag[0] == '\0' &&
           pw_elapsed(s->since, s->config.abandon_ms, now);
}

static struct move from_plugged(const struct pw_session *s, pw_ms now)
{
    if (!s->in.plugged) {
        return (struct move){PW_PHASE_IDLE, "unplugged"};
    }
    return is_abandoned(s, now) ? (struct move){PW_PHASE_FINISHING, "nobody came"}
                                : (struct move){PW_PHASE_PLUGGED, ""};
}

// Where the phase goes from here, without side effects.
static struct move next(const struct pw_session *s, pw_ms now)
{
    bool plugged = s->in.plugged;
    switch (s->phase) {
    case PW_PHASE_IDLE:
        return plugged ? (struct move){PW_PHASE_PLUGGED, "plugged"}
                       : (struct move){PW_PHASE_IDLE, ""};
    case PW_PHASE_PLUGGED: return from_plugged(s, now);
    case PW_PHASE_AUTHORISED: return from_authorised(s, now);
    case PW_PHASE_BEGINNING: return from_beginning(s);
    case PW_PHASE_ACTIVE:
        return s->reason != PW_REASON_NONE ? (struct move){PW_PHASE_ENDING, reason_names[s->reason]}
                                           : (struct move){PW_PHASE_ACTIVE, ""};
    case PW_PHASE_ENDING:
        if (s->in.off || pw_elapsed(s->since, ENDING_MS, now)) {
            return (struct move){plugged ? PW_PHASE_FINISHING : PW_PHASE_IDLE,
                                 s->in.off ? "power off" : "power does not go off"};
        }
        return (struct move){PW_PHASE_ENDING, ""};
    case PW_PHASE_FINISHING:
        return plugged ? (struct move){PW_PHASE_FINISHING, ""}
                       : (struct move){PW_PHASE_IDLE, "unplugged"};
    case PW_PHASE_ROWS: break;
    }
    PW_UNREACHABLE();
}

static pw_ms deadline(const struct pw_session *s)
{
    pw_ms at = PW_NEVER;
    switch (s->phase) {
    case PW_PHASE_AUTHORISED:
        if (s->config.connection_timeout_ms > 0) {
            at = pw_after(s->since, s->config.connection_timeout_ms);
        }
        return at;
    case PW_PHASE_ENDING: return pw_after(s->since, ENDING_MS);
    case PW_PHASE_ACTIVE:
        at = pw_earlier(s->resume_until, pw_after(s->fault_since, s->config.fault_patience_ms));
        if (s->limits.time_ms > s->ran_ms) {
            at = pw_earlier(at, pw_after(s->started_at, s->limits.time_ms - s->ran_ms));
        }
        return at;
    case PW_PHASE_BEGINNING: return pw_after(s->fault_since, s->config.fault_patience_ms);
    case PW_PHASE_PLUGGED:
        return s->config.abandon_ms > 0 && s->free_tag[0] == '\0'
                   ? pw_after(s->since, s->config.abandon_ms)
                   : PW_NEVER;
    case PW_PHASE_IDLE:
    case PW_PHASE_FINISHING:
    case PW_PHASE_ROWS: break;
    }
    return at;
}

static void note(struct pw_session *s, const struct pw_session_input *in, pw_ms now)
{
    s->in = *in;
    if (!in->fault && !in->emergency) {
        s->fault_since = PW_NEVER;
    } else if (s->fault_since == PW_NEVER) {
        s->fault_since = now;
    }
    if (in->plugged) {
        s->resume_until = PW_NEVER;
    }
    if (s->phase == PW_PHASE_BEGINNING || s->phase == PW_PHASE_ACTIVE) {
        s->reason = stop_reason(s, now);
    }
    if (s->allowance_mwh > 0 && pw_session_used_mwh(s) >= s->allowance_mwh) {
        s->suspended = true;
    }
    if ((s->phase == PW_PHASE_PLUGGED || s->abandoned) && s->free_tag[0] != '\0' && in->plugged) {
        // Refused when the connector cannot charge; asked again while the vehicle stands there.
        int err = pw_session_authorise(s, pw_str_of(s->free_tag), PW_START_FREE, now);
        PW_ASSERT(err == PW_OK || err == PW_ERR_BUSY);
    }
}

pw_ms pw_session_step(struct pw_session *session, const struct pw_session_input *in, pw_ms now)
{
    // Every move makes at most two events. Those above who do not take them stop the charge from
    // moving on, never from losing its records.
    for (unsigned i = 0; i < PW_PHASE_ROWS; i++) {
        note(session, in, now);
        if (session->events.count + 2 > PW_SESSION_EVENTS_MAX) {
            break;
        }
        struct move move = next(session, now);
        if (move.to == session->phase) {
            break;
        }
        if (session->phase == PW_PHASE_AUTHORISED && move.to != PW_PHASE_BEGINNING) {
            tell(session, PW_SESSION_TIMEOUT, now);
            forget(session);
        }
        enter(session, move.to, move.why, now);
    }
    // What is due and not done waits for those above, not for time.
    pw_ms at = deadline(session);
    return at > now ? at : PW_NEVER;
}
