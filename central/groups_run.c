// The engine of load groups: looks at the members' stations, lets core/load share, and sends what
// is new or due for renewal. What may be told is durable before it is told, so that a restart never
// reckons with less than stations were allowed.
#include "groups.h"

#include <string.h>

#define FRESH_MS   90000 // a measurement older than this says nothing
#define TELL_MS    1000  // an event of one group at most so often
#define FLOWS_MA   1000  // a phase below this is not in use ...
#define TELLING_MA 4000  // ... when another one has at least this
#define TELLING_MS 30000
#define MAINS_V    230

// --- Looking at stations.

static bool wants(const struct connector *connector)
{
    return connector->status == PW_OCPP16_STATUS_CHARGING ||
           connector->status == PW_OCPP16_STATUS_SUSPENDED_EVSE ||
           connector->status == PW_OCPP16_STATUS_SUSPENDED_EV;
}

static bool has(const struct connector *connector, enum quantity quantity)
{
    return (connector->live.has & (1U << quantity)) != 0;
}

static bool is_fresh(const struct connector *connector, pw_unix_ms wall)
{
    return connector->updated_at != 0 && wall - connector->updated_at <= FRESH_MS;
}

// Which of the wired phases the vehicle uses: all, until it has drawn from fewer for a while.
static unsigned phases_used(struct group_member *member, const struct connector *connector,
                            struct pw_instant at)
{
    unsigned wired = (1U << member->phases) - 1;
    unsigned seen = 0;
    int32_t most = 0;
    for (unsigned p = 0; p < PW_LOAD_PHASES && connector->outlet != NULL; p++) {
        int32_t ma = connector->outlet->ma[p];
        seen |= ma >= FLOWS_MA ? 1U << p : 0;
        most = (int32_t)pw_max(most, ma);
    }
    if (connector->outlet == NULL || connector_kind(connector) == OUTLET_DC ||
        (seen & ~wired) != 0) {
        return wired;
    }
    if (most < TELLING_MA || !is_fresh(connector, at.wall)) {
        seen = most < FLOWS_MA ? member->seen_phases : seen | member->seen_phases;
    }
    if (seen != member->seen_phases) {
        member->seen_phases = (uint8_t)seen;
        member->seen_since = at.now;
    }
    bool sure = seen != 0 && pw_elapsed(member->seen_since, TELLING_MS, at.now);
    return sure ? seen : wired;
}

// Current drawn from the mains, highest phase; -1: not known. Of dc the power tells.
static int32_t drawn(const struct connector *connector, unsigned phases, pw_unix_ms wall)
{
    const int64_t *live = connector->live.value;
    if (connector->status == PW_OCPP16_STATUS_SUSPENDED_EV) {
        return 0;
    }
    if (!is_fresh(connector, wall)) {
        return -1;
    }
    bool dc = connector_kind(connector) == OUTLET_DC;
    if (dc && has(connector, POWER)) {
        return (int32_t)pw_clamp(live[POWER] / (MAINS_V * (int64_t)phases), 0, PW_LOAD_MAX_MA);
    }
    return !dc && has(connector, CURRENT) ? (int32_t)pw_clamp(live[CURRENT], 0, PW_LOAD_MAX_MA)
                                          : -1;
}

static void look_at_vehicle(struct group_member *member, struct pw_load_member *load,
                            const struct connector *connector, struct pw_instant at)
{
    bool now = connector != NULL && wants(connector);
    int64_t meter = connector != NULL && has(connector, ENERGY) ? connector->live.value[ENERGY] : 0;
    if (now && !load->wants) {
        load->plugged_at = at.now;
        member->register_at_plug = meter;
    }
    if (!now) {
        member->seen_phases = 0;
    }
    load->wants = now;
    load->phases = (uint8_t)(now ? phases_used(member, connector, at) : (1U << member->phases) - 1);
    load->energy_mwh = now ? pw_max(0, meter - member->register_at_plug) : 0;
    load->measured_ma = now ? drawn(connector, member->phases, at.wall) : -1;
}

static void look(struct pw_central *central, struct group *group, size_t m, struct pw_instant at)
{
    const struct pw_central_limiter *limiter = central->groups->limiter;
    struct group_member *member = &group->member[m];
    struct pw_load_member *load = &group->load_member[m];
    struct pw_str id = pw_str_of(member->station);
    const struct station *station = station_find(central, id);
    bool linked = limiter != NULL && limiter->reachable(limiter->context, id);
    if (linked && !member->linked) {
        pw_load_order_joined(&member->order, at.now);
    }
    member->linked = linked;
    // What an unreachable station's vehicle does is not known: the last picture stays.
    if (linked || !load->wants) {
        look_at_vehicle(member, load,
                        station != NULL ? station->connector[member->connector] : NULL, at);
    } else {
        load->measured_ma = -1;
        load->phases = (uint8_t)((1U << member->phases) - 1);
    }
    pw_load_order_step(&member->order, at.now);
    pw_load_order_tell(load, &member->order, linked, at.now);
}

// --- Sending.

static void log_refusal(const struct pw_central *central, const struct group *group,
                        const struct group_member *member, struct pw_str why)
{
    struct pw_line line;
    pw_line(&line, central->config.log, PW_LOG_WARN, "groups", "limit_refused");
    pw_line_s(&line, "group", group->id);
    pw_line_s(&line, "station", member->station);
    pw_line_int(&line, "connector", member->connector);
    pw_line_int(&line, "ma", member->order.told_ma);
    pw_line_str(&line, "why", why);
    pw_line_end(&line);
}

static void keep_known(struct pw_central *central, const struct group_member *member, pw_ms now)
{
    struct pw_db_value args[] = {pw_db_int(member->known_ma),
                                 pw_db_text(pw_str_of(member->station)),
                                 pw_db_int(member->connector)};
    (void)db_write(central,
                   "UPDATE load_member SET known_ma = $1 WHERE station_id = $2"
                   " AND connector_id = $3",
                   args, PW_COUNT(args), now);
}

// What a restart must reckon with, before anything is told. False when it could not be kept.
static bool keep_all_known(struct pw_central *central, struct group *group, struct pw_instant at)
{
    bool raised = false;
    for (size_t m = 0; m < group->load.members; m++) {
        struct group_member *member = &group->member[m];
        int32_t most = (int32_t)pw_max(group->load.share[m].send_ma, group->load_member[m].held_ma);
        raised = raised || most > member->known_ma;
        if (most != member->known_ma) {
            member->known_ma = most;
            keep_known(central, member, at.now);
        }
    }
    if (!raised || db_commit(central, at) == PW_OK) {
        return true;
    }
    for (size_t m = 0; m < group->load.members; m++) {
        group->member[m].known_ma = -1; // to be written again
    }
    return false;
}

static void send(struct pw_central *central, struct group *group, size_t m, int32_t ma,
                 struct pw_instant at)
{
    const struct pw_central_limiter *limiter = central->groups->limiter;
    struct group_member *member = &group->member[m];
    struct pw_load_order before = member->order;
    char reason[64];
    struct pw_out out = PW_OUT(reason);
    pw_put_s(&out, pw_load_reason_text(group->load.share[m].reason));
    struct pw_central_order order = {
        .station = pw_str_of(member->station),
        .connector = member->connector,
        .ma = ma,
        .lease_ms = pw_load_order_send(&member->order, ma, at.now),
        .fallback_ma = member->failsafe_ma,
        .reason = pw_out_str(&out),
        .ticket = ++central->groups->tickets,
    };
    if (limiter->set_limit(limiter->context, &order, at) == PW_OK) {
        member->ticket = order.ticket;
    } else {
        member->order = before; // it has not left
    }
}

void group_release(struct pw_central *central, const struct group_member *member,
                   struct pw_instant at)
{
    const struct pw_central_limiter *limiter = central->groups->limiter;
    struct pw_central_order order = {
        .station = pw_str_of(member->station),
        .connector = member->connector,
        .ma = PW_CENTRAL_LIMIT_MAX_MA,
        .lease_ms = PW_LOAD_LEASE_MS,
        .fallback_ma = PW_CENTRAL_LIMIT_MAX_MA,
        .reason = PW_STR("in no load group any more"),
        .ticket = ++central->groups->tickets,
    };
    if (limiter != NULL && limiter->reachable(limiter->context, order.station)) {
        (void)limiter->set_limit(limiter->context, &order, at);
    }
}

// --- One run.

static void tell_streams(struct pw_central *central, struct group *group, pw_ms now)
{
    if (!pw_elapsed(group->told_at, TELL_MS, now) || !events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "group");
    group_summary(central, &json, group);
    event_close(central, &out, NULL);
    group->told_at = now;
}

static void run(struct pw_central *central, struct group *group, struct pw_instant at)
{
    group->look = false;
    group->ran_at = at.now;
    for (size_t m = 0; m < group->load.members; m++) {
        look(central, group, m, at);
    }
    pw_ms next =
        pw_earlier(pw_load_allocate(&group->load, at.now), pw_after(at.now, GROUP_EVERY_MS));
    bool may_raise = keep_all_known(central, group, at);
    for (size_t m = 0; m < group->load.members; m++) {
        struct group_member *member = &group->member[m];
        int32_t ma = group->load.share[m].send_ma;
        ma = may_raise ? ma : (int32_t)pw_min(ma, member->order.told_ma);
        if (member->linked && pw_load_order_wanted(&member->order, ma, at.now)) {
            send(central, group, m, ma, at);
        }
        next = pw_earlier(next, pw_load_order_deadline(&member->order, at.now));
    }
    // A renewal that could not leave is not tried again at once.
    group->run_at = pw_after(at.now, GROUP_SPACING_MS);
    group->run_at = next > group->run_at ? next : group->run_at;
    group_history_keep(central, group, at);
    tell_streams(central, group, at.now);
}

pw_ms groups_step(struct pw_central *central, struct pw_instant at)
{
    pw_ms next = PW_NEVER;
    for (size_t i = 0; i < central->groups->count; i++) {
        struct group *group = central->groups->group[i];
        if (group->look) {
            group->run_at =
                pw_earlier(group->run_at,
                           group->ran_at == 0 ? at.now : pw_after(group->ran_at, GROUP_SPACING_MS));
        }
        if (at.now >= group->run_at) {
            run(central, group, at);
        }
        next = pw_earlier(next, group->run_at);
    }
    return next;
}

// --- From the way to the stations.

void pw_central_limit_by(struct pw_central *central, const struct pw_central_limiter *limiter)
{
    central->groups->limiter = limiter;
    for (size_t i = 0; i < central->groups->count; i++) {
        central->groups->group[i]->look = true;
    }
}

void pw_central_limit_look(struct pw_central *central, struct pw_str station)
{
    for (size_t i = 0; i < central->groups->count; i++) {
        struct group *group = central->groups->group[i];
        for (size_t m = 0; !group->look && m < group->load.members; m++) {
            group->look = pw_str_is(station, group->member[m].station);
        }
    }
}

static struct group_member *by_ticket(struct pw_central *central, uint64_t ticket,
                                      struct group **group)
{
    for (size_t i = 0; i < central->groups->count; i++) {
        *group = central->groups->group[i];
        for (size_t m = 0; m < (*group)->load.members; m++) {
            if ((*group)->member[m].ticket == ticket) {
                return &(*group)->member[m];
            }
        }
    }
    return NULL;
}

void pw_central_limit_answered(struct pw_central *central, uint64_t ticket, bool accepted,
                               struct pw_str why, struct pw_instant at)
{
    struct group *group = NULL;
    struct group_member *member = ticket != 0 ? by_ticket(central, ticket, &group) : NULL;
    if (member == NULL) {
        return; // answered an order that a newer one has replaced, or of a member that left
    }
    member->ticket = 0;
    group->look = true;
    member->refusal[0] = '\0';
    if (accepted) {
        pw_load_order_ack(&member->order, at.now);
        return;
    }
    log_refusal(central, group, member, why);
    struct pw_out out = PW_OUT(member->refusal);
    pw_put(&out, pw_json_head(why, sizeof(member->refusal) / 4));
    pw_load_order_refused(&member->order, at.now);
}

// --- Sums.

int32_t group_used(const struct group *group, size_t member)
{
    const struct pw_load_member *load = &group->load_member[member];
    return load->wants || !load->reachable ? load->measured_ma : 0;
}

int32_t group_offer(const struct group *group, size_t member)
{
    const struct pw_load_member *load = &group->load_member[member];
    return load->reachable ? group->member[member].order.told_ma : load->held_ma;
}

struct group_sum group_sum(const struct group *group, size_t circuit)
{
    struct group_sum sum = {.known = true};
    for (size_t m = 0; m < group->load.members; m++) {
        const struct pw_load_member *load = &group->load_member[m];
        size_t c = load->circuit;
        while (c != PW_LOAD_NONE && c != circuit) {
            c = group->load_circuit[c].parent;
        }
        unsigned mains = c == circuit ? pw_load_mains(load->phases, load->rotation) : 0;
        int32_t used = group_used(group, m);
        sum.known = sum.known && (mains == 0 || used >= 0);
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            bool on = ((mains >> p) & 1U) != 0;
            sum.offer_ma[p] += on ? group_offer(group, m) : 0;
            sum.used_ma[p] += on ? pw_max(0, used) : 0;
        }
    }
    return sum;
}
