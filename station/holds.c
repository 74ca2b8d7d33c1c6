// What holds a charge back, until when, and what it may still use: for people, and for programs.
#include "parts.h"

static void put_clock(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    const struct pw_zone *zone = &st->rules.schedule.zone;
    pw_unix_ms wall = pw_station_wall(st, now);
    if (wall <= 0 || wall > PW_ZONE_LAST_MS) {
        pw_put_s(out, "not set");
        return;
    }
    pw_zone_print(zone, wall, 0, out); // with its day
    pw_put_c(out, ' ');
    pw_put_s(out, pw_zone_name(zone, wall));
}

static void put_setting(const struct pw_station *st, const char *label, enum pw_setting_id id,
                        const char *none, struct pw_out *out)
{
    const char *value = pw_settings_text(&st->settings, id);
    pw_put_s(out, label);
    pw_put_s(out, value[0] == '\0' ? none : value);
    pw_put_c(out, '\n');
}

static void put_left(const char *what, struct pw_rules_left left, unsigned decimals,
                     const char *unit, struct pw_out *out)
{
    if (left.limit == 0) {
        return;
    }
    pw_put_s(out, "; ");
    pw_put_s(out, what);
    pw_put_fixed(out, left.limit, decimals);
    pw_put_s(out, unit);
    if (left.left >= 0) {
        pw_put_s(out, ", ");
        pw_put_fixed(out, left.left, decimals);
        pw_put_s(out, " left");
    }
}

void pw_report_schedule(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    pw_put_s(out, "clock       ");
    put_clock(st, out, now);
    pw_put_c(out, '\n');
    put_setting(st, "zone        ", PW_SET_TIME_ZONE, "", out);
    put_setting(st, "timer       ", PW_SET_DELAY_TIMER, "none", out);
    put_setting(st, "plan        ", PW_SET_WEEKLY_PLAN, "none", out);
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_rules_view view;
        pw_rules_view(&st->rules, i, &view, now);
        pw_put_s(out, "connector ");
        pw_put_uint(out, i + 1);
        pw_put_c(out, ' ');
        pw_put_s(out, pw_rules_mode_text(view.mode));
        pw_put_s(out, view.text[0] == '\0' ? "" : "; ");
        pw_put_s(out, view.text);
        put_left("energy Wh ", view.energy, 0, "", out);
        put_left("time s ", view.time, 0, "", out);
        put_left("SOC % ", view.soc, 1, "", out);
        pw_put_s(out, view.over ? "; stopped: the vehicle drew more than was offered\n" : "\n");
    }
}

static void left(struct pw_json_writer *json, const char *key, struct pw_rules_left use,
                 unsigned decimals)
{
    pw_json_key(json, key);
    pw_json_open(json, '{');
    pw_json_say_known(json, "limit", use.limit > 0, use.limit, decimals);
    pw_json_say_known(json, "used", use.used >= 0, use.used, decimals);
    pw_json_say_known(json, "left", use.left >= 0, use.left, decimals);
    pw_json_close(json, '}');
}

static void json_connector(const struct pw_station *st, unsigned index, struct pw_json_writer *json,
                           pw_ms now)
{
    struct pw_rules_view view;
    pw_rules_view(&st->rules, index, &view, now);
    pw_json_open(json, '{');
    pw_json_say_int(json, "connector_id", index + 1);
    pw_json_say_s(json, "mode", pw_rules_mode_text(view.mode));
    pw_json_say_bool(json, "held", view.hold != PW_RULES_NOTHING);
    pw_json_say_s(json, "why", view.why);
    pw_json_say_s(json, "text", view.text);
    pw_json_say_bool(json, "charge_now", view.now);
    pw_json_say_known_time(json, "changes_at", view.changes_at);
    left(json, "energy_wh", view.energy, 0);
    left(json, "time_s", view.time, 0);
    left(json, "soc_percent", view.soc, 1);
    pw_json_say_bool(json, "drew_too_much", view.over);
    pw_json_close(json, '}');
}

void pw_report_schedule_json(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_unix_ms wall = pw_station_wall(st, now);
    bool known = wall > 0 && wall <= PW_ZONE_LAST_MS;
    const struct pw_zone *zone = &st->rules.schedule.zone;
    pw_json_open(&json, '{');
    pw_json_say_known_time(&json, "clock", known ? wall : 0);
    pw_json_say_known(&json, "offset_s", known, known ? pw_zone_offset_s(zone, wall) : 0, 0);
    pw_json_say_s(&json, "zone", known ? pw_zone_name(zone, wall) : zone->std);
    pw_json_say_s(&json, "time_zone", pw_settings_text(&st->settings, PW_SET_TIME_ZONE));
    pw_json_say_s(&json, "delay_timer", pw_settings_text(&st->settings, PW_SET_DELAY_TIMER));
    pw_json_say_s(&json, "weekly", pw_settings_text(&st->settings, PW_SET_WEEKLY_PLAN));
    pw_json_key(&json, "connectors");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < st->connectors; i++) {
        json_connector(st, i, &json, now);
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}
