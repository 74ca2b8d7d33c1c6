// The board, for people and for programs.
#include "openevse/openevse.h"

static void number(struct pw_json_writer *json, const char *key, int64_t value, unsigned decimals)
{
    pw_json_key(json, key);
    if (value == PW_RAPI_UNKNOWN || value == -1) {
        pw_json_put_null(json);
    } else {
        pw_json_put_fixed(json, value, decimals);
    }
}

static const char *heartbeat_name(enum pw_rapi_heartbeat heartbeat)
{
    static const char *const names[] = {"unknown", "none", "off", "armed", "missed"};
    return names[heartbeat];
}

static void put_counters(const struct pw_rapi_view *board, struct pw_json_writer *json)
{
    pw_json_say_s(json, "heartbeat", heartbeat_name(board->heartbeat));
    number(json, "heartbeat_s", board->heartbeat_s, 0);
    number(json, "heartbeat_a", board->heartbeat_ma, 3);
    number(json, "heartbeats_missed", board->heartbeats_missed, 0);
    number(json, "gfi_trips", board->gfi_trips, 0);
    number(json, "ground_trips", board->ground_trips, 0);
    number(json, "stuck_trips", board->stuck_trips, 0);
    number(json, "reboots", board->reboots, 0);
    number(json, "answers", board->answers, 0);
    number(json, "refusals", board->refusals, 0);
    number(json, "timeouts", board->timeouts, 0);
    number(json, "bad_lines", board->bad, 0);
}

void pw_openevse_put_json(const struct pw_openevse *oe, struct pw_json_writer *json)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool heard = board->state_at != PW_NEVER;
    pw_json_open(json, '{');
    pw_json_say_bool(json, "answers_now", board->ok);
    pw_json_say_s(json, "why", board->why);
    pw_json_say_s(json, "failed_command", board->failed);
    pw_json_say_s(json, "firmware", board->firmware);
    pw_json_say_s(json, "rapi", board->rapi);
    number(json, "state", heard ? board->state : -1, 0);
    pw_json_say_s(json, "state_text", heard ? pw_rapi_state_of(board->state)->text : "");
    number(json, "vflags", heard ? board->vflags : -1, 0);
    number(json, "offered_a", board->offered_ma, 3);
    number(json, "config_a", board->config_ma, 3);
    number(json, "hardware_a", board->hardware_ma, 3);
    number(json, "total_wh", board->total_wh, 0);
    number(json, "phases_in_use", oe->phases == 0 ? -1 : oe->phases, 0);
    pw_json_say_s(json, "last_event", board->event);
    put_counters(board, json);
    pw_json_close(json, '}');
}

// ---------------------------------------------------------------------------------------------

static void line(struct pw_out *out, const char *name, const char *value)
{
    pw_put_s(out, "  ");
    pw_put_s(out, name);
    pw_put_s(out, ": ");
    pw_put_s(out, value[0] == '\0' ? "-" : value);
    pw_put_c(out, '\n');
}

static void line_number(struct pw_out *out, const char *name, int64_t value, unsigned decimals,
                        const char *unit)
{
    pw_put_s(out, "  ");
    pw_put_s(out, name);
    pw_put_s(out, ": ");
    if (value == PW_RAPI_UNKNOWN || value == -1) {
        pw_put_s(out, "-");
    } else {
        pw_put_fixed(out, value, decimals);
        pw_put_s(out, unit);
    }
    pw_put_c(out, '\n');
}

void pw_openevse_put(const struct pw_openevse *oe, struct pw_out *out)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool heard = board->state_at != PW_NEVER;
    line(out, "answers", board->ok ? "yes" : board->why);
    line(out, "firmware", board->firmware);
    line(out, "RAPI", board->rapi);
    line(out, "state", heard ? pw_rapi_state_of(board->state)->text : "");
    line_number(out, "offered", board->offered_ma, 3, " A");
    line_number(out, "most by its settings", board->config_ma, 3, " A");
    line_number(out, "most by its build", board->hardware_ma, 3, " A");
    line_number(out, "delivered in its life, one phase", board->total_wh, 0, " Wh");
    line(out, "heartbeat", heartbeat_name(board->heartbeat));
    line_number(out, "heartbeats missed", board->heartbeats_missed, 0, "");
    line_number(out, "residual current trips", board->gfi_trips, 0, "");
    line_number(out, "earth trips", board->ground_trips, 0, "");
    line_number(out, "stuck relays", board->stuck_trips, 0, "");
    line_number(out, "restarts seen", board->reboots, 0, "");
    line_number(out, "time-outs", board->timeouts, 0, "");
    line(out, "last event", board->event);
}
