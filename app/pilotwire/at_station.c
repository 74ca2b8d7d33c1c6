// The commands at a station: rows of words, what is sent for them, and how the answer is shown.
#include "local.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>

enum show {
    SHOW_TEXT,    // the station's text as it is
    SHOW_OBJECT,  // the station's text, for programs its object
    SHOW_VALUES,  // lines of "setting<tab>value"
    SHOW_STREAM,  // one status object after another
    SHOW_LOG,     // log lines, then a stream of them
    SHOW_ANSWER,  // what a board says, which takes a while
    SHOW_NOTHING, // a sentence for people only
};

static const struct column status_columns[] = {
    {"connector", "connector_id", true},
    {"status", "status", false},
    {"info", "info", false},
    {"pilot", "pilot", false},
    {"power_w", "power_w", true},
    {"voltage_v", "voltage_v", true},
    {"current_a", "current_a", true},
    {"offered_a", "offered_a", true},
    {"limited_by", "limit_source", false},
    {"energy_wh", "energy_wh", true},
    {"soc_percent", "soc_percent", true},
    {"temperature_c", "temperature_c", true},
    {"vehicle", "vehicle_model", false},
    {"card", "id_tag", false},
    {"transaction", "transaction_id", true},
    {"central", "^central", false},
};

static const struct column fault_columns[] = {
    {"connector", "connector_id", true},
    {"status", "status", false},
    {"error_code", "error_code", false},
    {"vendor_code", "vendor_code", false},
    {"info", "info", false},
};

static const struct column can_columns[] = {
    {"connector", "connector_id", true},
    {"buses", "can", false},
};

static const struct column schedule_columns[] = {
    {"connector", "connector_id", true},
    {"mode", "mode", false},
    {"held", "held", false},
    {"why", "why", false},
    {"charge_now", "charge_now", false},
    {"changes_at", "changes_at", false},
    {"text", "text", false},
};

static const struct column watch_columns[] = {
    {"uptime_s", "^uptime_s", true},      {"connector", "connector_id", true},
    {"status", "status", false},          {"voltage_v", "voltage_v", true},
    {"current_a", "current_a", true},     {"energy_wh", "energy_wh", true},
    {"soc_percent", "soc_percent", true}, {"central", "^central", false},
};

// ---------------------------------------------------------------------------------------------
// Showing.

static const struct table status_table = {
    .column = status_columns, .columns = PW_COUNT(status_columns), .inner = "connectors"};
static const struct table fault_table = {
    .column = fault_columns, .columns = PW_COUNT(fault_columns), .inner = "connectors"};
static const struct table can_table = {
    .column = can_columns, .columns = PW_COUNT(can_columns), .inner = "connectors"};
static const struct table schedule_table = {
    .column = schedule_columns, .columns = PW_COUNT(schedule_columns), .inner = "connectors"};
static const struct table watch_table = {
    .column = watch_columns, .columns = PW_COUNT(watch_columns), .inner = "connectors"};

static const struct row {
    const char *word;
    const char *line; // sent to the station, before the arguments
    size_t least;     // arguments
    size_t most;
    enum show show;
    const char *object;        // OBJECT: sent where an object is wanted
    const struct table *table; // ... and its columns for scripts; NULL: its text
} rows[] = {
    {"status", "status", 0, 0, SHOW_OBJECT, "json status", &status_table},
    {"watch", "watch", 0, 0, SHOW_STREAM, NULL, NULL},
    {"start", "start", 0, 1, SHOW_NOTHING, NULL, NULL},
    {"stop", "stop", 0, 1, SHOW_NOTHING, NULL, NULL},
    {"card", "card", 1, 2, SHOW_NOTHING, NULL, NULL},
    {"get", "get", 0, 1, SHOW_VALUES, NULL, NULL},
    {"set", "set", 2, 2, SHOW_NOTHING, NULL, NULL},
    {"limits", "limits", 0, 0, SHOW_OBJECT, "json limits", NULL},
    {"limit", "limit", 1, 2, SHOW_NOTHING, NULL, NULL},
    {"house", "house", 0, 0, SHOW_OBJECT, "json house", NULL},
    {"schedule", "schedule", 0, 0, SHOW_OBJECT, "json schedule", &schedule_table},
    {"now", "now", 0, 2, SHOW_NOTHING, NULL, NULL},
    {"until", "until", 2, 3, SHOW_NOTHING, NULL, NULL},
    {"charges", "charges", 0, 0, SHOW_OBJECT, "json charges", NULL},
    {"cards", "cards", 0, 2, SHOW_OBJECT, "json cards", NULL},
    {"reservations", "reservations", 0, 0, SHOW_OBJECT, "json reservations", NULL},
    {"profiles", "profiles", 0, 0, SHOW_OBJECT, "json profiles", NULL},
    {"files", "files", 0, 0, SHOW_OBJECT, "json files", NULL},
    {"seclog", "seclog", 0, 1, SHOW_OBJECT, "json seclog", NULL},
    {"certificate", "certificate", 0, 1, SHOW_OBJECT, "json certificate", NULL},
    {"faults", "faults", 0, 0, SHOW_OBJECT, "json status", &fault_table},
    {"clear-fault", "clear", 0, 1, SHOW_TEXT, NULL, NULL},
    {"factory-reset", "factory-reset", 1, 2, SHOW_TEXT, NULL, NULL},
    {"enable", "enable", 0, 1, SHOW_NOTHING, NULL, NULL},
    {"disable", "disable", 0, 1, SHOW_NOTHING, NULL, NULL},
    {"can", "can", 0, 0, SHOW_OBJECT, "json status", &can_table},
    {"bms", "1", 0, 0, SHOW_TEXT, NULL, NULL},
    {"rectifier", "2", 0, 0, SHOW_TEXT, NULL, NULL},
    {"output", "3", 0, 0, SHOW_TEXT, NULL, NULL},
    {"pilot", "pilot", 0, 0, SHOW_TEXT, NULL, NULL},
    {"board", "board", 0, 0, SHOW_TEXT, NULL, NULL},
    {"rapi", "rapi", 1, ARGUMENTS_MAX, SHOW_ANSWER, NULL, NULL},
    {"network", "network", 0, 1, SHOW_OBJECT, "json network", NULL},
    {"unlock", "unlock", 0, 1, SHOW_NOTHING, NULL, NULL},
    {"log", "log", 0, 0, SHOW_LOG, NULL, NULL},
    {"version", "version", 0, 0, SHOW_TEXT, NULL, NULL},
};

// The status object stands alone: it is made the only row of an array for the table.
static int show_object(struct pw_str text, const struct table *columns, enum form form,
                       struct pw_out *why)
{
    char *wrapped = malloc(text.len + 3);
    struct document document;
    if (wrapped == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    struct pw_out out = {.at = wrapped, .cap = text.len + 3};
    pw_put_c(&out, '[');
    pw_put(&out, text);
    pw_put_c(&out, ']');
    int err = document_read(&document, pw_out_str(&out), why);
    if (err == PW_OK) {
        struct table table = *columns;
        table.rows = document_root(&document);
        table_print(&table, form, stdout);
        document_free(&document);
    }
    free(wrapped);
    return err;
}

static void show_values(struct pw_str text, enum form form)
{
    char json_text[65536] = "";
    struct pw_out out = PW_OUT(json_text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    while (text.len > 0) {
        char key[128];
        struct pw_str value = pw_str_cut(&text, '\n');
        struct pw_str path = pw_str_cut(&value, '\t');
        if (form == FORM_HUMAN) {
            (void)printf("%-44.*s %.*s\n", (int)path.len, path.at, (int)value.len, value.at);
        } else if (form == FORM_TSV) {
            (void)printf("%.*s\t%.*s\n", (int)path.len, path.at, (int)value.len, value.at);
        } else if (pw_str_copy(key, sizeof(key), path) == PW_OK) {
            pw_json_key(&json, key);
            pw_json_put_text(&json, value);
        }
    }
    pw_json_close(&json, '}');
    if (form == FORM_JSON) {
        (void)puts(json_text);
    }
}

static void show_text(struct pw_str text, enum form form)
{
    if (form == FORM_JSON) {
        char json_text[65536] = "";
        struct pw_out out = PW_OUT(json_text);
        struct pw_json_writer json = PW_JSON_WRITER(&out);
        pw_json_open(&json, '{');
        pw_json_key(&json, "text");
        pw_json_put_text(&json, pw_str_trim(text));
        pw_json_close(&json, '}');
        (void)puts(json_text);
        return;
    }
    (void)printf("%.*s", (int)text.len, text.at);
}

static int show(const struct row *row, struct pw_str text, enum form form, struct pw_out *why)
{
    switch (row->show) {
    case SHOW_OBJECT:
        if (form == FORM_TSV && row->table != NULL) {
            return show_object(text, row->table, form, why);
        }
        break;
    case SHOW_VALUES: show_values(text, form); return PW_OK;
    case SHOW_TEXT: show_text(text, form); return PW_OK;
    case SHOW_NOTHING:
        if (form == FORM_HUMAN) {
            break;
        }
        return PW_OK;
    case SHOW_STREAM:
    case SHOW_ANSWER:
    case SHOW_LOG: break;
    }
    (void)printf("%.*s", (int)text.len, text.at);
    return PW_OK;
}

// One of a stream of frames: a log line, or a status object.
static int show_next(const struct row *row, struct pw_str text, bool first,
                     const struct request *request, struct pw_out *why)
{
    if (row->show == SHOW_LOG) {
        (void)printf("%.*s\n", (int)text.len, text.at);
        return PW_OK;
    }
    if (request->form == FORM_JSON) {
        (void)printf("%.*s", (int)text.len, text.at);
        return PW_OK;
    }
    struct table table = watch_table;
    table.untitled = !first;
    return show_object(text, &table, request->form, why);
}

// ---------------------------------------------------------------------------------------------

static const struct row *find(const char *word)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(rows[i].word, word) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static void put_line(const struct request *request, const struct row *row, struct pw_out *line)
{
    bool object = row->show == SHOW_OBJECT &&
                  (request->form == FORM_JSON || (request->form == FORM_TSV && row->table != NULL));
    pw_put_s(line, object ? row->object : row->line);
    for (size_t i = 0; i < request->arguments; i++) {
        pw_put_c(line, ' ');
        pw_put_s(line, request->argument[i]);
    }
    if (request->card != NULL) {
        pw_put_s(line, request->arguments == 0 ? " 1 " : " ");
        pw_put_s(line, request->card);
    }
    if (row->show == SHOW_LOG && request->follow) {
        pw_put_s(line, " follow");
    }
}

static int hear_stream(struct local *local, const struct row *row, const struct request *request,
                       struct pw_out *why)
{
    bool first = true;
    for (;;) {
        struct frame frame;
        int err = local_hear(local, &frame, why);
        if (err == PW_OK) {
            struct pw_str text = {.at = frame.text, .len = frame.len};
            err = show_next(row, text, first, request, why);
            free(frame.text);
        }
        if (err != PW_OK || fflush(stdout) != 0) {
            return fail_with(EXIT_UNREACHABLE, why);
        }
        first = false;
    }
}

static int exchange(struct local *local, const struct row *row, const struct request *request,
                    struct pw_out *why)
{
    char text[1024] = "";
    struct pw_out line = PW_OUT(text);
    struct frame frame;
    put_line(request, row, &line);
    if (memchr(text, '\n', line.len) != NULL) {
        return fail_usage("COMMAND", "holds a line break");
    }
    if (line.full || local_ask(local, pw_out_str(&line), why) != PW_OK ||
        local_hear(local, &frame, why) != PW_OK) {
        return fail_with(EXIT_UNREACHABLE, why);
    }
    struct pw_str answer = {.at = frame.text, .len = frame.len};
    int code = EXIT_DONE;
    if (strcmp(frame.word, "ok") != 0) {
        struct pw_str sentence = pw_str_trim(answer);
        pw_put(why, sentence);
        code = fail_with(EXIT_REFUSED, why);
    } else if (row->show != SHOW_STREAM && show(row, answer, request->form, why) != PW_OK) {
        code = fail_with(EXIT_UNREACHABLE, why);
    }
    free(frame.text);
    bool streams = row->show == SHOW_STREAM || (row->show == SHOW_LOG && request->follow);
    (void)fflush(stdout);
    return code == EXIT_DONE && streams ? hear_stream(local, row, request, why) : code;
}

int run_station(const struct request *request)
{
    char text[2048] = "";
    struct pw_out why = PW_OUT(text);
    const struct row *row = find(request->word);
    struct local local;
    if (strcmp(request->word, "update") == 0) {
        return run_update(request);
    }
    if (row == NULL) {
        return fail_usage(request->word, "no such command at a station");
    }
    if (request->arguments < row->least || request->arguments > row->most) {
        return fail_usage(request->word, request->arguments < row->least
                                             ? "needs more arguments"
                                             : "has too many arguments");
    }
    if (request->card != NULL && strcmp(row->word, "start") != 0) {
        return fail_usage("--card", "belongs to start");
    }
    if (row->show == SHOW_ANSWER) {
        return run_board(request);
    }
    if (local_open(&local, request->station, &why) != PW_OK) {
        local_close(&local);
        return fail_with(EXIT_UNREACHABLE, &why);
    }
    int code = exchange(&local, row, request, &why);
    local_close(&local);
    return code;
}
