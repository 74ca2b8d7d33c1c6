// Commands. What is asked becomes a line of the console, so that there is one way to do a thing and
// one set of refusals; a refusal is published with its reason, and has changed nothing.
#include "mqtt/parts.h"

#include <string.h>

#define LINE_MAX   400
#define VALUE_SHOW 80  // bytes of a refused value that come back
#define ERROR_SHOW 160 // ... and of the reason

struct obeying {
    struct pw_mqtt *mqtt;
    const struct pw_mqtt_command_row *row;
    unsigned connector;
    struct pw_str value;
    struct pw_out why;
    pw_ms now;
};

void pw_mqtt_refuse(struct pw_mqtt *mqtt, const char *topic, struct pw_str value,
                    struct pw_str error)
{
    char text[700];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    value.len = value.len > VALUE_SHOW ? VALUE_SHOW : value.len;
    error.len = error.len > ERROR_SHOW ? ERROR_SHOW : error.len;
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "topic", topic);
    pw_json_say_text(&json, "value", value);
    pw_json_say_text(&json, "error", error);
    pw_json_close(&json, '}');
    if (!out.full) {
        pw_mqtt_event(mqtt, 0, "error", pw_out_str(&out));
    }
}

// One line of the console. Its sentence says why not.
static int run(struct obeying *at, struct pw_str line)
{
    char text[PW_SETTING_WHY_MAX + 60] = "";
    struct pw_out answer = PW_OUT(text);
    int err = pw_station_command(at->mqtt->config.station, line, &answer, at->now);
    if (err != PW_OK) {
        pw_put(&at->why, pw_str_trim(pw_out_str(&answer)));
    }
    return err;
}

static int set(struct obeying *at, enum pw_setting_id id, struct pw_str value)
{
    char line[LINE_MAX];
    struct pw_out out = PW_OUT(line);
    bool each = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
    pw_put_s(&out, "set ");
    pw_settings_print_path(
        (struct pw_setting_at){.id = id, .instance = (uint8_t)(each ? at->connector : 0)}, &out);
    pw_put_c(&out, ' ');
    pw_put(&out, value);
    return run(at, pw_out_str(&out));
}

// ---------------------------------------------------------------------------------------------
// Reading a payload

static int not_allowed(struct obeying *at)
{
    struct pw_str shown = at->value;
    shown.len = shown.len > 40 ? 40 : shown.len;
    pw_put_c(&at->why, '"');
    pw_put(&at->why, shown);
    pw_put_s(&at->why, "\" is not allowed; it must be ");
    pw_mqtt_print_range(at->row, &at->why);
    return PW_ERR_RANGE;
}

static int read_number(struct obeying *at, struct pw_out *ours)
{
    const struct pw_mqtt_command_row *row = at->row;
    int64_t number = 0;
    if (pw_parse_int(at->value, row->least, row->most, &number) != PW_OK ||
        number * row->times % row->over != 0) {
        return not_allowed(at);
    }
    pw_put_int(ours, number * row->times / row->over);
    return PW_OK;
}

static int read_digits(struct obeying *at, struct pw_out *ours)
{
    bool fits = at->value.len == (size_t)at->row->most;
    for (size_t i = 0; fits && i < at->value.len; i++) {
        fits = at->value.at[i] == '0' || at->value.at[i] == '1';
    }
    pw_put(ours, at->value);
    return fits ? PW_OK : not_allowed(at);
}

static int read_text(struct obeying *at, struct pw_out *ours)
{
    bool fits = at->value.len >= (size_t)at->row->least && at->value.len <= (size_t)at->row->most;
    for (size_t i = 0; fits && i < at->value.len; i++) {
        fits = at->value.at[i] >= ' ' && at->value.at[i] <= '~';
    }
    pw_put(ours, at->value);
    return fits ? PW_OK : not_allowed(at);
}

static int read_choice(struct obeying *at, struct pw_out *ours)
{
    struct pw_str word = pw_mqtt_ours(at->row->words, at->value);
    pw_put(ours, word);
    return word.len > 0 ? PW_OK : not_allowed(at);
}

// The payload as the setting has it.
static int read_value(struct obeying *at, struct pw_out *ours)
{
    switch (at->row->form) {
    case PW_MQTT_ONCE: return pw_str_is(at->value, "1") ? PW_OK : not_allowed(at);
    case PW_MQTT_NUMBER: return read_number(at, ours);
    case PW_MQTT_CHOICE: return read_choice(at, ours);
    case PW_MQTT_DIGITS: return read_digits(at, ours);
    case PW_MQTT_TEXT: return read_text(at, ours);
    case PW_MQTT_LCD:
        return pw_mqtt_ours(at->row->words, at->value).len > 0 ? read_choice(at, ours)
                                                               : read_text(at, ours);
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------
// Deeds

static int until(struct obeying *at, struct pw_str ours)
{
    char line[LINE_MAX];
    struct pw_out out = PW_OUT(line);
    struct pw_mqtt_look look;
    pw_mqtt_look(at->mqtt, at->connector, at->now, &look);
    if (look.view.phase != PW_PHASE_BEGINNING && look.view.phase != PW_PHASE_ACTIVE) {
        pw_put_s(&at->why, "nothing is charging: the limit counts for a running charge");
        return PW_ERR_BUSY;
    }
    pw_put_s(&out, "until ");
    pw_put_s(&out, at->row->argument);
    pw_put_c(&out, ' ');
    pw_put(&out, ours);
    pw_put_c(&out, ' ');
    pw_put_uint(&out, at->connector + 1U);
    return run(at, pw_out_str(&out));
}

static void show(struct obeying *at)
{
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        if (strcmp(pw_mqtt_values[i].shown_by, at->row->topic) == 0) {
            pw_mqtt_due(at->mqtt, i,
                        pw_mqtt_values[i].scope == PW_MQTT_OF_CONNECTOR ? at->connector : 0);
        }
    }
    if (at->row->scope == PW_MQTT_OF_CONNECTOR) {
        pw_mqtt_ask_status(at->mqtt, at->connector);
    }
}

// Every text whose path begins so.
static int clear(struct obeying *at)
{
    int err = PW_OK;
    for (size_t id = 0; err == PW_OK && id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_row *row = &pw_setting_rows[id];
        bool ours = row->when == PW_WHEN_LIVE || row->when == PW_WHEN_SECRET;
        if (ours && row->kind == PW_KIND_TEXT && row->least == 0 &&
            pw_str_starts(pw_str_of(row->path), at->row->argument)) {
            err = set(at, (enum pw_setting_id)id, PW_STR(""));
        }
    }
    return err;
}

static int do_it(struct obeying *at, struct pw_str ours)
{
    switch (at->row->deed) {
    case PW_MQTT_SET:
        return set(at,
                   at->row->form == PW_MQTT_LCD && pw_mqtt_ours(at->row->words, at->value).len
                       ? PW_SET_RAPI_LCD
                       : at->row->setting,
                   ours);
    case PW_MQTT_UNTIL: return until(at, ours);
    case PW_MQTT_SHOW: show(at); return PW_OK;
    case PW_MQTT_ASK: return pw_mqtt_ask(at->mqtt, at->connector, at->value, &at->why);
    case PW_MQTT_RUN: return run(at, pw_str_of(at->row->argument));
    case PW_MQTT_CLEAR: return clear(at);
    }
    PW_UNREACHABLE();
}

// What has been applied is published as it is now, also when nothing changed by it.
static void echo(struct obeying *at)
{
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        const struct pw_mqtt_value_row *value = &pw_mqtt_values[i];
        if (strcmp(value->topic, at->row->echo) != 0) {
            continue;
        }
        if (value->when == PW_MQTT_EVENT) {
            pw_mqtt_ask_reply(at->mqtt, at->connector, value->topic);
        } else {
            pw_mqtt_due(at->mqtt, i, value->scope == PW_MQTT_OF_CONNECTOR ? at->connector : 0);
        }
    }
}

static void say(const struct obeying *at, int err)
{
    struct pw_line line;
    if (at->row->deed == PW_MQTT_SHOW) {
        return;
    }
    pw_line(&line, at->mqtt->config.log, err == PW_OK ? PW_LOG_INFO : PW_LOG_WARN, "mqtt",
            err == PW_OK ? "command" : "command-refused");
    pw_line_s(&line, "topic", at->row->topic);
    pw_line_int(&line, "connector", at->connector + 1);
    if (err != PW_OK) {
        pw_line_str(&line, "why", pw_out_str(&at->why));
    }
    pw_line_end(&line);
}

void pw_mqtt_obey(struct pw_mqtt *mqtt, const struct pw_mqtt_command *command, pw_ms now)
{
    char why[PW_SETTING_WHY_MAX + 60] = "";
    char text[PW_MQTT_VALUE_MAX + 1] = "";
    struct pw_out ours = PW_OUT(text);
    struct obeying at = {.mqtt = mqtt,
                         .row = &pw_mqtt_commands[command->row],
                         .connector = command->connector,
                         .value = {.at = command->value, .len = command->len},
                         .why = PW_OUT(why),
                         .now = now};
    int err = PW_OK;
    if (command->too_long) {
        pw_put_s(&at.why, "the value is too long; it must be ");
        pw_mqtt_print_range(at.row, &at.why);
        err = PW_ERR_LIMIT;
    } else if (pw_elapsed(command->at, PW_MQTT_STALE_MS, now)) {
        pw_put_s(&at.why, "the command waited for more than 10 s and is not carried out");
        err = PW_ERR_BUSY;
    } else {
        err = read_value(&at, &ours);
    }
    if (err == PW_OK) {
        err = do_it(&at, pw_out_str(&ours));
    }
    say(&at, err);
    if (err != PW_OK) {
        pw_mqtt_refuse(mqtt, at.row->topic, at.value, pw_out_str(&at.why));
    } else {
        echo(&at);
    }
}
