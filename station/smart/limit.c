// From what the profiles say now to the connectors' limits.
#include "rotation/rotation.h"
#include "smart/smart.h"

enum {
    MV_STEP = 500,      // a battery's voltage rises: the limit follows in such steps
    LEAST_DC_MA = 1000, // with less there is no charge to speak of
    ALL_PHASES = 7,
    ALL_PURPOSES = (1 << PW_PROFILE_PURPOSE_ROWS) - 1,
};

#define OWNER_ROWS (1U << PW_LIMIT_HARDWARE | 1U << PW_LIMIT_SETTINGS)

static int32_t of(const struct pw_smart *smart, enum pw_setting_id id, unsigned index)
{
    return pw_settings_connector(smart->parts.settings, id, index);
}

static unsigned count(unsigned bits)
{
    return (bits & 1U) + (bits >> 1 & 1U) + (bits >> 2 & 1U);
}

static pw_unix_ms wall(const struct pw_smart *smart, pw_ms now)
{
    return smart->in.wall + (pw_unix_ms)(now - smart->at);
}

// Phases of the grid that the connector is wired to.
static unsigned wired(const struct pw_smart *smart, unsigned index)
{
    enum pw_mains_rotation rotation = pw_rotation_set(smart->parts.settings, index);
    return of(smart, PW_SET_PHASES, index) == 1 ? 1U << pw_mains_grid_phase(rotation, 0)
                                                : ALL_PHASES;
}

// Phases of the grid that its vehicle was seen to use, long enough; 0: not known.
static unsigned seen(const struct pw_smart *smart, unsigned index,
                     const struct pw_connector_view *view, pw_ms now)
{
    if (pw_connector_asks_phases(&smart->parts.connector[index])) {
        return smart->in.found[index];
    }
    enum pw_mains_rotation rotation = pw_rotation_set(smart->parts.settings, index);
    unsigned bits = 0;
    for (unsigned l = 0; l < PW_CONNECTOR_PHASES; l++) {
        bits |= ((unsigned)view->used >> l & 1U) != 0 ? 1U << pw_mains_grid_phase(rotation, l) : 0;
    }
    return pw_elapsed(smart->of[index].used_at, PW_SMART_SEEN_MS, now) ? bits : 0;
}

// ---------------------------------------------------------------------------------------------
// What an ampere is worth.

// A dc output stands at its vehicle's voltage; before that is known, at the highest there is.
static int64_t dc_mv(const struct pw_smart *smart, unsigned index,
                     const struct pw_connector_view *view)
{
    int64_t most = of(smart, PW_SET_VOLTAGE_MAX_MV, index);
    int64_t mv = view->energised && view->measured ? view->out_mv : 0;
    mv = pw_max(mv, view->plugged ? view->vehicle.pack_mv : 0);
    mv = mv > 0 ? (mv + MV_STEP - 1) / MV_STEP * MV_STEP : most;
    return pw_clamp(mv, of(smart, PW_SET_VOLTAGE_MIN_MV, index), most);
}

static struct pw_profile_scale scale_of(const struct pw_smart *smart, unsigned index,
                                        const struct pw_connector_view *view, pw_ms now)
{
    int64_t mains_mv = of(smart, PW_SET_MAINS_MV, index);
    if (view->phases == 0) {
        return (struct pw_profile_scale){.mv = dc_mv(smart, index, view),
                                         .grid_mv = mains_mv * of(smart, PW_SET_PHASES, index),
                                         .efficiency_permille =
                                             of(smart, PW_SET_EFFICIENCY_PERMILLE, index)};
    }
    unsigned used = seen(smart, index, view, now);
    unsigned phases = count(used != 0 ? used : wired(smart, index));
    // Only a connector that tells its phases apart can take back what was offered to find out.
    bool tells = view->measured && !pw_connector_asks_phases(&smart->parts.connector[index]);
    return (struct pw_profile_scale){
        .mv = mains_mv * phases,
        .grid_mv = mains_mv * phases,
        .efficiency_permille = 1000,
        .phases = (uint8_t)phases,
        .seen = used != 0,
        .used = (uint8_t)count(view->used),
        .least_ma = tells ? pw_settings_int(smart->parts.settings, PW_SET_CURRENT_MIN_MA) : 0};
}

// ---------------------------------------------------------------------------------------------
// What counts now.

static unsigned ignored(const struct pw_smart *smart)
{
    unsigned purposes = 0;
    const char *list = pw_settings_text(smart->parts.settings, PW_SET_PROFILES_OFFLINE);
    bool good = smart->in.online || pw_smart_purposes(pw_str_of(list), &purposes, NULL) == PW_OK;
    return good ? purposes : 0;
}

static uint32_t transaction_on(const struct pw_smart *smart, unsigned index)
{
    const struct pw_transaction *open = pw_journal_open_on(smart->parts.journal, index + 1);
    return open != NULL ? open->seq : PW_PROFILE_PENDING;
}

static struct pw_profile_moment moment_of(const struct pw_smart *smart, unsigned index, pw_ms now)
{
    const struct pw_session *session = pw_connector_session(&smart->parts.connector[index]);
    bool no_date = smart->in.wall <= 0;
    pw_unix_ms at = no_date ? (pw_unix_ms)now : wall(smart, now);
    return (struct pw_profile_moment){
        .at = at, .began = at - (pw_unix_ms)pw_session_time_ms(session, now), .no_date = no_date};
}

// The milliampere of a unit's worth, for `minChargingRate`.
static int32_t least_of(const struct pw_smart *smart, const struct pw_profile_value *own,
                        const struct pw_profile_scale *scale)
{
    struct pw_profile_value least = *own;
    least.limit_tenths = own->min_tenths;
    int32_t least_ma = scale->phases == 0
                           ? LEAST_DC_MA
                           : pw_settings_int(smart->parts.settings, PW_SET_CURRENT_MIN_MA);
    return own->any ? (int32_t)pw_max(least_ma, pw_profile_ma(&least, scale)) : least_ma;
}

static bool takes_part(const struct pw_session *session, const struct pw_connector_view *view)
{
    return pw_session_in_transaction(session) || view->live;
}

// ---------------------------------------------------------------------------------------------
// Sharing.

// All that charge, as pw_profile_share wants them, and which connector each is.
struct users {
    struct pw_profile_user user[PW_CONNECTORS_MAX];
    int32_t ma[PW_CONNECTORS_MAX];
    uint8_t index[PW_CONNECTORS_MAX];
    unsigned count;
};

static void add_user(const struct pw_smart *smart, unsigned index,
                     const struct pw_connector_view *view, struct users *users, pw_ms now)
{
    const struct pw_smart_connector *c = &smart->of[index];
    const struct pw_limits *limits = pw_connector_limits(&smart->parts.connector[index]);
    struct pw_profile_user *user = &users->user[users->count];
    unsigned used = seen(smart, index, view, now);
    user->scale = scale_of(smart, index, view, now);
    user->phases = (uint8_t)(used != 0 ? used : wired(smart, index));
    user->least_ma = least_of(smart, &c->own, &user->scale);
    user->most_ma = pw_limits_without(limits, 1U << PW_LIMIT_OCPP);
    if (c->own.any) {
        user->most_ma = (int32_t)pw_min(user->most_ma, pw_profile_ma(&c->own, &user->scale));
    }
    // A vehicle that takes nothing keeps enough to begin again.
    if (view->status == PW_STATUS_SUSPENDED_EV) {
        user->most_ma = (int32_t)pw_min(user->most_ma, user->least_ma);
    }
    user->turn = (uint32_t)pw_min((int64_t)(c->began_at / 100), UINT32_MAX);
    users->index[users->count] = (uint8_t)index;
    users->count++;
}

static bool fades(const struct pw_smart_connector *c, pw_ms now)
{
    return c->fading_until != PW_NEVER && now < c->fading_until && c->fading_ma > c->share_ma;
}

static void lower(struct pw_smart_connector *c, int32_t ma, pw_ms now)
{
    if (!fades(c, now)) {
        c->fading_ma = c->share_ma;
    }
    c->fading_until = pw_after(now, PW_SMART_FOLLOW_MS);
    c->share_ma = ma;
}

// What is left for those that get more, while the others have not come down yet.
static void raise_within(struct pw_smart *smart, const struct pw_profile_value *value,
                         const struct users *users, const int32_t *target, pw_ms now)
{
    struct users held = *users;
    for (unsigned n = 0; n < users->count; n++) {
        const struct pw_smart_connector *c = &smart->of[users->index[n]];
        int32_t ma = fades(c, now) ? c->fading_ma : (int32_t)pw_min(target[n], c->share_ma);
        held.user[n].held_ma = (int32_t)pw_min(ma, INT32_MAX);
    }
    for (unsigned n = 0; n < users->count; n++) {
        struct pw_smart_connector *c = &smart->of[users->index[n]];
        if (target[n] > c->share_ma) {
            int32_t room = pw_profile_room(value, held.user, held.count, n);
            c->share_ma = (int32_t)pw_max(c->share_ma, pw_min(target[n], room));
            held.user[n].held_ma = c->share_ma;
        }
    }
}

static pw_ms share(struct pw_smart *smart, const struct pw_profile_value *value,
                   struct users *users, pw_ms now)
{
    int32_t target[PW_PROFILE_SHARES_MAX];
    pw_ms at = PW_NEVER;
    pw_profile_share(value, users->user, users->count, target);
    for (unsigned n = 0; n < users->count; n++) {
        struct pw_smart_connector *c = &smart->of[users->index[n]];
        if (target[n] < c->share_ma) {
            lower(c, target[n], now);
        }
    }
    raise_within(smart, value, users, target, now);
    for (unsigned n = 0; n < users->count; n++) {
        const struct pw_smart_connector *c = &smart->of[users->index[n]];
        at = fades(c, now) ? pw_earlier(at, c->fading_until) : at;
    }
    return at;
}

// ---------------------------------------------------------------------------------------------
// The limit.

static const char *why_of(const struct pw_profile_value *value, bool shared, bool no_date)
{
    static const char *const plain[PW_PROFILE_PURPOSE_ROWS][2] = {
        {"ChargePointMaxProfile", "ChargePointMaxProfile, date not known"},
        {"TxDefaultProfile", "TxDefaultProfile, date not known"},
        {"TxProfile", "TxProfile, date not known"},
    };
    return shared ? "ChargePointMaxProfile, shared" : plain[value->purpose][no_date ? 1 : 0];
}

static void set_limit(struct pw_smart *smart, unsigned index, const struct pw_profile_scale *scale,
                      pw_ms now)
{
    const struct pw_smart_connector *c = &smart->of[index];
    struct pw_connector *connector = &smart->parts.connector[index];
    bool no_date = smart->in.wall <= 0;
    const char *why = NULL;
    int32_t ma = INT32_MAX;
    if (c->station.any) {
        int32_t whole_ma = pw_profile_ma(&c->station, scale);
        ma = c->active ? (int32_t)pw_min(c->share_ma, whole_ma) : whole_ma;
        why = why_of(&c->station, ma < whole_ma, no_date);
    }
    if (c->own.any && pw_profile_ma(&c->own, scale) <= ma) {
        ma = pw_profile_ma(&c->own, scale);
        why = why_of(&c->own, false, no_date);
    }
    if (why == NULL) {
        pw_connector_unlimit(connector, PW_LIMIT_OCPP, now);
        return;
    }
    int err = pw_connector_limit(connector, PW_LIMIT_OCPP, ma, why, PW_NEVER, now);
    PW_ASSERT(err == PW_OK); // never below zero
}

static pw_ms deadline(const struct pw_smart *smart, pw_unix_ms until, pw_ms now)
{
    return until == PW_PROFILE_EVER || smart->in.wall <= 0
               ? PW_NEVER
               : pw_after(now, (pw_ms)pw_max(until - smart->in.wall, 1));
}

static void look(struct pw_smart *smart, unsigned index, const struct pw_connector_view *view,
                 unsigned ignore, pw_ms now)
{
    struct pw_smart_connector *c = &smart->of[index];
    const struct pw_session *session = pw_connector_session(&smart->parts.connector[index]);
    const struct pw_profile_scale scale = scale_of(smart, index, view, now);
    struct pw_profile_moment moment = moment_of(smart, index, now);
    moment.scale = &scale;
    bool active = takes_part(session, view);
    c->own = pw_profiles_transaction(&smart->set, index + 1, transaction_on(smart, index), ignore,
                                     &moment);
    c->station = pw_profiles_station(&smart->set, ignore, &moment);
    if (view->used == 0) {
        c->used_at = PW_NEVER;
    } else if (c->used_at == PW_NEVER) {
        c->used_at = now;
    }
    if (active && !c->active) {
        c->began_at = now;
        c->share_ma = 0; // until it has got its part
        c->fading_until = PW_NEVER;
    }
    c->active = active;
    if (!c->station.any || !active) {
        c->share_ma = c->station.any ? 0 : INT32_MAX;
        c->fading_until = PW_NEVER;
    }
}

static bool counts(const struct pw_smart *smart)
{
    bool any = false;
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        any = any || smart->set.slot[i].used;
    }
    return any && pw_settings_int(smart->parts.settings, PW_SET_REMOTE_ADJUST) != 0;
}

static void rest(struct pw_smart *smart, pw_ms now)
{
    for (unsigned i = 0; i < smart->parts.connectors; i++) {
        struct pw_smart_connector *c = &smart->of[i];
        pw_connector_unlimit(&smart->parts.connector[i], PW_LIMIT_OCPP, now);
        *c = (struct pw_smart_connector){
            .share_ma = INT32_MAX, .fading_until = PW_NEVER, .used_at = PW_NEVER};
    }
}

pw_ms pw_smart_step(struct pw_smart *smart, const struct pw_smart_input *in, pw_ms now)
{
    struct users users = {.count = 0};
    struct pw_connector_view view[PW_CONNECTORS_MAX];
    pw_ms at = PW_NEVER;
    smart->in = *in;
    smart->at = now;
    if (!counts(smart)) {
        rest(smart, now);
        return PW_NEVER;
    }
    unsigned ignore = ignored(smart);
    for (unsigned i = 0; i < smart->parts.connectors; i++) {
        struct pw_smart_connector *c = &smart->of[i];
        pw_connector_view(&smart->parts.connector[i], &view[i], now);
        look(smart, i, &view[i], ignore, now);
        at = pw_earlier(at, deadline(smart, pw_min(c->own.until, c->station.until), now));
        at = c->used_at == PW_NEVER || pw_elapsed(c->used_at, PW_SMART_SEEN_MS, now)
                 ? at
                 : pw_earlier(at, pw_after(c->used_at, PW_SMART_SEEN_MS));
        if (c->active && c->station.any) {
            add_user(smart, i, &view[i], &users, now);
        }
    }
    if (users.count > 0) {
        at = pw_earlier(at, share(smart, &smart->of[users.index[0]].station, &users, now));
    }
    for (unsigned i = 0; i < smart->parts.connectors; i++) {
        const struct pw_profile_scale scale = scale_of(smart, i, &view[i], now);
        set_limit(smart, i, &scale, now);
    }
    return at;
}

// ---------------------------------------------------------------------------------------------
// Composite schedule.

static struct pw_composite_member member_of(const struct pw_smart *smart, unsigned index, pw_ms now)
{
    struct pw_connector_view view;
    const struct pw_limits *limits = pw_connector_limits(&smart->parts.connector[index]);
    const struct pw_transaction *open = pw_journal_open_on(smart->parts.journal, index + 1);
    pw_connector_view(&smart->parts.connector[index], &view, now);
    return (struct pw_composite_member){
        .connector = (uint8_t)(index + 1),
        .transaction = open != NULL ? open->seq : 0,
        .began = moment_of(smart, index, now).began,
        .scale = scale_of(smart, index, &view, now),
        .most_ma = pw_limits_without(limits, ~OWNER_ROWS),
    };
}

// What the profile in force counts in; without one amperes, where everything is AC.
static enum pw_profile_unit unit_of(const struct pw_smart *smart,
                                    const struct pw_composite_question *question)
{
    const struct pw_profile_moment moment = {.at = question->at,
                                             .began = question->member[0].began};
    struct pw_profile_value value = pw_profiles_station(&smart->set, question->ignored, &moment);
    if (!question->station) {
        struct pw_profile_value own =
            pw_profiles_transaction(&smart->set, question->member[0].connector,
                                    question->member[0].transaction, question->ignored, &moment);
        value = own.any ? own : value;
    }
    bool ac = true;
    for (unsigned i = 0; i < question->members; i++) {
        ac = ac && question->member[i].scale.phases > 0;
    }
    return value.any ? (enum pw_profile_unit)value.unit : ac ? PW_PROFILE_AMPERE : PW_PROFILE_WATT;
}

int pw_smart_composite(const struct pw_smart *smart, const struct pw_smart_ask *ask,
                       struct pw_smart_schedule *schedule, pw_ms now)
{
    struct pw_composite_member member[PW_CONNECTORS_MAX];
    bool off = pw_settings_int(smart->parts.settings, PW_SET_REMOTE_ADJUST) == 0;
    struct pw_composite_question question = {.set = &smart->set,
                                             .member = member,
                                             .station = ask->connector == 0,
                                             .ignored = off ? ALL_PURPOSES : ignored(smart),
                                             .at = wall(smart, now),
                                             .duration_s = ask->duration_s};
    if (smart->in.wall <= 0) {
        return PW_ERR_AGAIN;
    }
    for (unsigned i = 0; i < smart->parts.connectors; i++) {
        if (question.station || ask->connector == i + 1) {
            member[question.members++] = member_of(smart, i, now);
        }
    }
    PW_ASSERT(question.members > 0);
    question.unit = ask->any_unit ? unit_of(smart, &question) : ask->unit;
    schedule->start = question.at;
    schedule->unit = question.unit;
    pw_profiles_composite(&question, &schedule->composite);
    return PW_OK;
}
