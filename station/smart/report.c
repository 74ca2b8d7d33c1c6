// The installed profiles, for people and for programs.
#include "json/json.h"
#include "smart/smart.h"

static const char *unit_name(unsigned unit)
{
    return unit == PW_PROFILE_WATT ? "W" : "A";
}

// Whether it is the one that counts on its connector, or anywhere.
static bool rules(const struct pw_smart *smart, const struct pw_profile_slot *slot)
{
    for (unsigned i = 0; i < smart->parts.connectors; i++) {
        const struct pw_profile_value *value =
            slot->profile.purpose == PW_PROFILE_STATION ? &smart->of[i].station : &smart->of[i].own;
        bool here = slot->connector == 0 || slot->connector == i + 1;
        if (here && value->any && value->id == slot->profile.id &&
            value->purpose == slot->profile.purpose) {
            return true;
        }
    }
    return false;
}

static void put_slot(const struct pw_smart *smart, const struct pw_profile_slot *slot,
                     struct pw_out *out)
{
    const struct pw_profile *p = &slot->profile;
    pw_put_s(out, rules(smart, slot) ? "* " : "  ");
    pw_put_int(out, p->id);
    pw_put_s(out, " ");
    pw_put_s(out, pw_profile_purpose_name((enum pw_profile_purpose)p->purpose));
    pw_put_s(out, ", level ");
    pw_put_int(out, p->level);
    pw_put_s(out, slot->connector == 0 ? ", station" : ", connector ");
    if (slot->connector != 0) {
        pw_put_uint(out, slot->connector);
    }
    if (slot->transaction == PW_PROFILE_PENDING) {
        pw_put_s(out, ", for the start that is awaited");
    }
    pw_put_s(out, ", ");
    pw_put_s(out, pw_profile_kind_name((enum pw_profile_kind)p->kind));
    if (p->has_start) {
        pw_put_s(out, " from ");
        pw_put_time(out, p->start);
    }
    if (p->duration_s > 0) {
        pw_put_s(out, " for ");
        pw_put_int(out, p->duration_s);
        pw_put_s(out, " s");
    }
    if (p->valid_from != PW_PROFILE_ALWAYS) {
        pw_put_s(out, ", valid from ");
        pw_put_time(out, p->valid_from);
    }
    if (p->valid_to != PW_PROFILE_EVER) {
        pw_put_s(out, ", valid to ");
        pw_put_time(out, p->valid_to);
    }
    pw_put_c(out, '\n');
}

static void put_periods(const struct pw_profile *p, struct pw_out *out)
{
    enum { SHOWN = 8 };
    pw_put_s(out, "    ");
    for (unsigned i = 0; i < p->periods && i < SHOWN; i++) {
        pw_put_s(out, i == 0 ? "" : ", ");
        pw_put_uint(out, p->start_s[i]);
        pw_put_s(out, " s: ");
        pw_put_fixed(out, p->limit_tenths[i], 1);
        pw_put_s(out, " ");
        pw_put_s(out, unit_name(p->unit));
    }
    if (p->periods > SHOWN) {
        pw_put_s(out, ", and ");
        pw_put_int(out, p->periods - SHOWN);
        pw_put_s(out, " more");
    }
    pw_put_c(out, '\n');
}

static void put_now(const struct pw_smart *smart, unsigned index, struct pw_out *out, pw_ms now)
{
    const struct pw_smart_connector *c = &smart->of[index];
    const struct pw_limit *limit =
        &pw_connector_limits(&smart->parts.connector[index])->row[PW_LIMIT_OCPP];
    pw_unix_ms until = pw_min(c->own.until, c->station.until);
    pw_put_s(out, "connector ");
    pw_put_uint(out, index + 1);
    if (!limit->set) {
        pw_put_s(out, " no limit by profiles\n");
        return;
    }
    pw_put_s(out, " may take ");
    pw_put_fixed(out, limit->ma, 3);
    pw_put_s(out, " A: ");
    pw_put_s(out, limit->why);
    pw_put_s(out, ", for ");
    pw_put_fixed(out, (int64_t)(now - limit->since), 3);
    pw_put_s(out, " s");
    if ((c->own.any || c->station.any) && until != PW_PROFILE_EVER && smart->in.wall > 0) {
        pw_put_s(out, ", changes at ");
        pw_put_time(out, until);
    }
    pw_put_c(out, '\n');
}

void pw_smart_report(const struct pw_smart *smart, struct pw_out *out, pw_ms now)
{
    bool any = false;
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        if (smart->set.slot[i].used) {
            any = true;
            put_slot(smart, &smart->set.slot[i], out);
            put_periods(&smart->set.slot[i].profile, out);
        }
    }
    pw_put_s(out, any ? "" : "no charging profiles\n");
    for (unsigned i = 0; any && i < smart->parts.connectors; i++) {
        put_now(smart, i, out, now);
    }
}

// ---------------------------------------------------------------------------------------------

static void json_periods(const struct pw_profile *p, struct pw_json_writer *json)
{
    pw_json_key(json, "periods");
    pw_json_open(json, '[');
    for (unsigned i = 0; i < p->periods; i++) {
        pw_json_open(json, '{');
        pw_json_say_int(json, "start_s", p->start_s[i]);
        pw_json_say_fixed(json, "limit", p->limit_tenths[i], 1);
        pw_json_say_known(json, "phases", p->phases[i] > 0, p->phases[i], 0);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}

static void json_slot(const struct pw_smart *smart, const struct pw_profile_slot *slot,
                      struct pw_json_writer *json)
{
    const struct pw_profile *p = &slot->profile;
    bool waits = slot->transaction == PW_PROFILE_PENDING;
    pw_json_open(json, '{');
    pw_json_say_int(json, "profile_id", p->id);
    pw_json_say_s(json, "purpose", pw_profile_purpose_name((enum pw_profile_purpose)p->purpose));
    pw_json_say_int(json, "stack_level", p->level);
    pw_json_say_int(json, "connector_id", slot->connector);
    pw_json_say_known(json, "transaction", slot->transaction != 0 && !waits, slot->transaction, 0);
    pw_json_say_s(json, "kind", pw_profile_kind_name((enum pw_profile_kind)p->kind));
    pw_json_say_s(json, "unit", unit_name(p->unit));
    pw_json_say_known_time(json, "start", p->has_start ? p->start : 0);
    pw_json_say_known(json, "duration_s", p->duration_s > 0, p->duration_s, 0);
    pw_json_say_known_time(json, "valid_from",
                           p->valid_from != PW_PROFILE_ALWAYS ? p->valid_from : 0);
    pw_json_say_known_time(json, "valid_to", p->valid_to != PW_PROFILE_EVER ? p->valid_to : 0);
    pw_json_say_bool(json, "counts", rules(smart, slot));
    json_periods(p, json);
    pw_json_close(json, '}');
}

void pw_smart_report_json(const struct pw_smart *smart, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_key(&json, "profiles");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        if (smart->set.slot[i].used) {
            json_slot(smart, &smart->set.slot[i], &json);
        }
    }
    pw_json_close(&json, ']');
    pw_json_key(&json, "connectors");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < smart->parts.connectors; i++) {
        const struct pw_limit *limit =
            &pw_connector_limits(&smart->parts.connector[i])->row[PW_LIMIT_OCPP];
        pw_json_open(&json, '{');
        pw_json_say_int(&json, "connector_id", i + 1);
        pw_json_say_known(&json, "limit_a", limit->set, limit->ma, 3);
        pw_json_say_s(&json, "why", limit->why);
        pw_json_say_known(&json, "age_s", limit->set, (int64_t)(now - limit->since), 3);
        pw_json_close(&json, '}');
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}
