#include "uplink/facts.h"

#include <string.h>

enum { METER_STEP_MW = 250000 }; // power that changed by less, or by less than a tenth, is no news

void pw_uplink_look(const struct pw_connector *connector, struct pw_uplink_sight *sight, pw_ms now)
{
    struct pw_connector_fault one;
    pw_connector_view(connector, &sight->view, now);
    sight->faults = 0;
    for (unsigned row = 0; row < 32 && pw_connector_fault(connector, row, &one); row++) {
        sight->faults |= one.active ? UINT32_C(1) << row : 0;
    }
    sight->limit_ma = pw_connector_limits(connector)->effective_ma;
}

// ---------------------------------------------------------------------------------------------
// One function and one row a kind.

static void say(struct pw_uplink_fact *fact, int64_t value, const char *text)
{
    struct pw_out out = PW_OUT(fact->text);
    fact->value = value;
    pw_put_s(&out, text);
}

static void pilot(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, 0, sight->view.pilot);
}

static void cable(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, sight->view.cable_ma, "");
}

static void contactor(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, sight->view.live ? 1 : 0, "");
}

static void plug(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, sight->view.plugged ? 1 : 0, "");
}

static void fault(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, sight->faults, sight->view.vendor_code);
}

static void status(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, 0, pw_session_status_name(sight->view.status));
}

static void auth(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    bool given = sight->view.phase == PW_PHASE_AUTHORISED ||
                 sight->view.phase == PW_PHASE_BEGINNING || sight->view.phase == PW_PHASE_ACTIVE;
    say(fact, given ? 1 : 0, given ? sight->view.id_tag : "");
}

static void session(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, (int64_t)(sight->view.session_mwh & INT64_MAX),
        pw_session_phase_name(sight->view.phase));
}

static void meter(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, sight->view.power_mw, "");
}

static void offer(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, sight->view.offered_ma, "");
}

static void limit(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    struct pw_out out = PW_OUT(fact->text);
    fact->value = sight->limit_ma;
    pw_put_s(&out, pw_limit_source_name(sight->view.limit_who));
    pw_put_s(&out, ": ");
    pw_put_s(&out, sight->view.limit_why);
}

static void state(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact)
{
    say(fact, 0, sight->view.state);
}

enum news {
    BY_BOTH, // value or text changed
    BY_TEXT, // the value only goes along
    BY_STEP, // the value moved by a tenth and METER_STEP_MW, or to or from zero
};

static const struct {
    uint8_t kind;
    enum news by;
    pw_ms pace_ms; // least time between two, except to and from zero
    void (*read)(const struct pw_uplink_sight *sight, struct pw_uplink_fact *fact);
} rows[] = {
    {PW_LINK_EVENT_PILOT, BY_BOTH, 0, pilot},
    {PW_LINK_EVENT_PLUG, BY_BOTH, 0, plug},
    {PW_LINK_EVENT_CONTACTOR, BY_BOTH, 0, contactor},
    {PW_LINK_EVENT_FAULT, BY_BOTH, 0, fault},
    {PW_LINK_EVENT_CABLE, BY_BOTH, 0, cable},
    {PW_LINK_EVENT_STATE, BY_BOTH, 0, state},
    {PW_LINK_EVENT_STATUS, BY_BOTH, 0, status},
    {PW_LINK_EVENT_AUTH, BY_BOTH, 0, auth},
    {PW_LINK_EVENT_SESSION, BY_TEXT, 0, session},
    {PW_LINK_EVENT_METER, BY_STEP, PW_UPLINK_PACE_MS, meter},
    {PW_LINK_EVENT_OFFER, BY_BOTH, PW_UPLINK_PACE_MS, offer},
    {PW_LINK_EVENT_LIMIT, BY_BOTH, PW_UPLINK_PACE_MS, limit},
};

size_t pw_uplink_fact_rows(void)
{
    return PW_COUNT(rows);
}

uint8_t pw_uplink_fact_kind(size_t row)
{
    return rows[row].kind;
}

void pw_uplink_fact_read(size_t row, const struct pw_uplink_sight *sight,
                         struct pw_uplink_fact *fact)
{
    fact->text[0] = '\0';
    rows[row].read(sight, fact);
}

static int64_t size_of(int64_t value)
{
    return value < 0 ? -value : value;
}

static bool differs(enum news by, const struct pw_uplink_told *told,
                    const struct pw_uplink_fact *fact)
{
    bool other_text = strcmp(told->text, fact->text) != 0;
    int64_t moved = size_of(fact->value - told->value);
    switch (by) {
    case BY_BOTH: return other_text || moved != 0;
    case BY_TEXT: return other_text;
    case BY_STEP:
        return (moved >= METER_STEP_MW && moved >= size_of(told->value) / 10) ||
               (moved != 0 && (fact->value == 0 || told->value == 0));
    }
    PW_UNREACHABLE();
}

bool pw_uplink_fact_is_news(size_t row, const struct pw_uplink_told *told,
                            const struct pw_uplink_fact *fact, pw_ms now, pw_ms *wait)
{
    *wait = PW_NEVER;
    if (told->at == PW_NEVER) {
        return true;
    }
    if (!differs(rows[row].by, told, fact)) {
        return false;
    }
    bool edge = (fact->value == 0) != (told->value == 0);
    if (edge || pw_elapsed(told->at, rows[row].pace_ms, now)) {
        return true;
    }
    *wait = pw_after(told->at, rows[row].pace_ms);
    return false;
}

// ---------------------------------------------------------------------------------------------
// The snapshot.

static void describe_limits(const struct pw_uplink *up, unsigned index,
                            const struct pw_connector_view *view, struct pw_link_connector *to,
                            pw_ms now)
{
    const struct pw_uplink_connector *own = &up->of[index];
    const struct pw_limits *limits = pw_connector_limits(&up->parts.connector[index]);
    to->offered_ma = view->offered_ma;
    to->limit_ma = limits->effective_ma;
    to->limit_who = pw_str_of(pw_limit_source_name(view->limit_who));
    to->limit_why = pw_str_of(view->limit_why);
    to->limit_age_ms = now - view->limit_since;
    if (limits->row[PW_LIMIT_LOAD].set) {
        to->load_ma = limits->row[PW_LIMIT_LOAD].ma;
    }
    if (own->lease_until != PW_NEVER && own->lease_until > now) {
        to->lease_ms = (uint32_t)pw_min((int64_t)(own->lease_until - now), UINT32_MAX);
    }
}

static void describe_measured(const struct pw_uplink *up, unsigned index,
                              const struct pw_connector_view *view, struct pw_link_connector *to,
                              pw_ms now)
{
    const struct pw_outlet *outlet = pw_connector_outlet(&up->parts.connector[index]);
    to->phases = view->phases;
    to->rotation = pw_str_of(view->rotation);
    memcpy(to->mv, view->mv, sizeof(to->mv));
    memcpy(to->ma, view->ma, sizeof(to->ma));
    memcpy(to->mw, view->mw, sizeof(to->mw));
    to->power_mw = view->power_mw;
    to->cable_ma = view->cable_ma;
    to->energy_mwh = view->energy_mwh & INT64_MAX;
    to->session_mwh = view->session_mwh & INT64_MAX;
    to->session_ms = view->session_ms & INT64_MAX;
    to->soc_permille = view->vehicle.soc_permille;
    to->temp_dc = view->temp_dc;
    if (outlet != NULL && outlet->senses.at != PW_NEVER) {
        to->age_ms = (uint32_t)pw_min((int64_t)(now - outlet->senses.at), UINT32_MAX - 1);
    } else if (view->measured) {
        to->age_ms = 0;
    }
}

void pw_uplink_describe(const struct pw_uplink *up, unsigned index,
                        const struct pw_uplink_sight *sight, struct pw_link_connector *to,
                        pw_ms now)
{
    const struct pw_connector_view *view = &sight->view;
    pw_link_blank(&pw_link_connector_rows, to);
    to->id = view->connector_id;
    to->kind = pw_str_of(view->kind);
    to->status = pw_str_of(pw_session_status_name(view->status));
    to->error_code = pw_str_of(view->error_code);
    to->vendor_code = pw_str_of(view->vendor_code);
    to->info = pw_str_of(view->info);
    to->phase = pw_str_of(pw_session_phase_name(view->phase));
    to->id_tag = pw_str_of(view->id_tag);
    to->state = pw_str_of(view->state);
    to->state_why = pw_str_of(view->state_why);
    to->pilot = pw_str_of(view->pilot);
    to->plugged = view->plugged;
    to->energised = view->live;
    to->faults = sight->faults;
    describe_measured(up, index, view, to, now);
    describe_limits(up, index, view, to, now);
}

uint32_t pw_uplink_settings_hash(const struct pw_settings *settings)
{
    uint32_t hash = 2166136261U; // FNV-1a
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        bool each = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
        for (unsigned i = 0; i < (each ? settings->connectors : 1); i++) {
            char text[PW_SETTING_TEXT_MAX];
            struct pw_out out = PW_OUT(text);
            pw_settings_print(
                settings,
                (struct pw_setting_at){.id = (enum pw_setting_id)id, .instance = (uint8_t)i}, &out);
            pw_put_c(&out, '\n');
            for (size_t at = 0; at < out.len; at++) {
                hash = (hash ^ (unsigned char)text[at]) * 16777619U;
            }
        }
    }
    return hash;
}
