// What the rules say to people and programs, and the settings they are made of.
#include "rules/rules.h"

#include <string.h>

// A zone as a setting has it: a POSIX string, or a name that somebody else knows.
static int read_zone(const struct pw_rules_zones *zones, struct pw_str text, struct pw_zone *zone,
                     struct pw_out *why)
{
    enum { POSIX_MAX = 80 };
    char posix[POSIX_MAX] = "";
    struct pw_out out = PW_OUT(posix);
    const char *slash = memchr(text.at, '/', text.len);
    const char *comma = memchr(text.at, ',', text.len);
    bool is_name = slash != NULL && (comma == NULL || slash < comma);
    if (!is_name && pw_zone_parse(text, zone, NULL) == PW_OK) {
        return PW_OK;
    }
    if (zones == NULL) {
        return pw_zone_parse(text, zone, why);
    }
    int err = zones->find(zones->context, text, &out, is_name ? why : NULL);
    if (err != PW_OK) {
        return is_name ? err : pw_zone_parse(text, zone, why);
    }
    return pw_zone_parse(pw_out_str(&out), zone, why);
}

static int read_setting(const struct pw_rules_zones *zones, enum pw_setting_id id,
                        struct pw_str value, struct pw_schedule *schedule, struct pw_out *why)
{
    if (id == PW_SET_TIME_ZONE) {
        return read_zone(zones, value, &schedule->zone, why);
    }
    if (id == PW_SET_UPDATE_WINDOW) { // the same form, and read by station/files
        struct pw_plan window;
        return pw_plan_parse_timer(value, &window, why);
    }
    return id == PW_SET_DELAY_TIMER ? pw_plan_parse_timer(value, &schedule->timer, why)
                                    : pw_plan_parse_week(value, &schedule->week, why);
}

static const enum pw_setting_id ids[] = {PW_SET_TIME_ZONE, PW_SET_DELAY_TIMER, PW_SET_WEEKLY_PLAN,
                                         PW_SET_UPDATE_WINDOW};

static int read_all(const struct pw_rules_zones *zones, const struct pw_settings *settings,
                    struct pw_schedule *schedule, struct pw_out *why)
{
    char unheard[PW_SETTING_WHY_MAX] = "";
    struct pw_out nobody = PW_OUT(unheard);
    why = why == NULL ? &nobody : why;
    for (size_t i = 0; i < PW_COUNT(ids); i++) {
        struct pw_out before = *why;
        pw_put_s(why, pw_setting_rows[ids[i]].path);
        pw_put_s(why, ": ");
        if (read_setting(zones, ids[i], pw_str_of(pw_settings_text(settings, ids[i])), schedule,
                         why) != PW_OK) {
            return PW_ERR_RANGE;
        }
        *why = before;
    }
    return PW_OK;
}

int pw_rules_check_setting(const struct pw_rules_zones *zones, enum pw_setting_id id,
                           struct pw_str value, struct pw_out *why)
{
    struct pw_schedule schedule;
    for (size_t i = 0; i < PW_COUNT(ids); i++) {
        if (ids[i] == id) {
            return read_setting(zones, id, value, &schedule, why) == PW_OK ? PW_OK : PW_ERR_RANGE;
        }
    }
    return PW_OK;
}

int pw_rules_check(const struct pw_rules_zones *zones, const struct pw_settings *settings,
                   struct pw_out *why)
{
    struct pw_schedule schedule;
    return read_all(zones, settings, &schedule, why);
}

int pw_rules_configure(struct pw_rules *rules, struct pw_out *why)
{
    struct pw_schedule schedule = {.zone = pw_zone_utc()};
    int err = read_all(rules->parts.zones, rules->parts.settings, &schedule, why);
    if (err == PW_OK) {
        rules->schedule = schedule;
        rules->from_at = 0; // the old answer was another schedule's
    }
    return err;
}

bool pw_rules_fault(const struct pw_rules *rules, unsigned index, struct pw_connector_fault *fault)
{
    *fault = (struct pw_connector_fault){
        .vendor = "PW-DRAW",
        .ocpp16 = "OverCurrentFailure",
        .text = "the vehicle drew more than was offered",
        .active = rules->of[index].over,
    };
    return fault->active;
}

static struct pw_rules_left left_of(int64_t limit, int64_t used)
{
    bool counts = limit > 0 && used >= 0;
    return (struct pw_rules_left){
        .limit = limit, .used = used, .left = counts ? pw_max(limit - used, 0) : -1};
}

static void view_use(const struct pw_rules *rules, unsigned index, struct pw_rules_view *view,
                     pw_ms now)
{
    const struct pw_rules_connector *own = &rules->of[index];
    const struct pw_session *session = pw_connector_session(&rules->parts.connector[index]);
    uint64_t held_ms = own->held_ms + (own->held_since == PW_NEVER ? 0 : now - own->held_since);
    uint64_t time_ms = pw_session_time_ms(session, now);
    bool charge = pw_session_in_transaction(session);
    int32_t soc = session->in.soc_permille;
    view->energy = left_of(pw_rules_limit_of(rules, index, PW_RULES_ENERGY),
                           charge ? (int64_t)(pw_session_used_mwh(session) / 1000) : 0);
    view->time = left_of(pw_rules_limit_of(rules, index, PW_RULES_TIME),
                         (int64_t)((time_ms > held_ms ? time_ms - held_ms : 0) / 1000));
    view->soc = left_of(pw_rules_limit_of(rules, index, PW_RULES_SOC), soc);
}

static void put_text(const struct pw_rules *rules, struct pw_rules_view *view)
{
    struct pw_out out = PW_OUT(view->text);
    bool waits = view->hold == PW_RULES_SCHEDULE;
    if (waits && view->changes_at == 0) {
        pw_put_s(&out, "never: timer and plan leave no time");
    } else if (waits || (view->hold == PW_RULES_NOTHING && view->changes_at > 0 && !view->now)) {
        pw_put_s(&out, waits ? "waits for " : "until ");
        pw_zone_print(&rules->schedule.zone, view->changes_at, rules->wall, &out);
    } else if (view->now) {
        pw_put_s(&out, "charges now, until unplugged");
    } else if (view->hold == PW_RULES_NOTHING && view->held && !view->clock) {
        pw_put_s(&out, "clock not set: timer and plan do not count");
    } else {
        pw_put_s(&out, view->why);
    }
}

void pw_rules_view(const struct pw_rules *rules, unsigned index, struct pw_rules_view *view,
                   pw_ms now)
{
    const struct pw_rules_connector *own = &rules->of[index];
    bool holds = pw_schedule_holds(&rules->schedule);
    bool clock = rules->wall > 0 && rules->wall <= PW_ZONE_LAST_MS;
    bool known = holds && clock && rules->from_at > 0 && rules->answer.until < INT64_MAX;
    *view = (struct pw_rules_view){
        .mode = rules->mode,
        .hold = own->hold,
        .why = pw_rules_hold_text(own->hold),
        .held = holds,
        .now = own->now,
        .clock = clock,
        .changes_at = known ? rules->answer.until : 0,
        .over = own->over,
    };
    put_text(rules, view);
    view_use(rules, index, view, now);
}
