// doc/mqtt.md against the rows: its three tables are made from them. `mqtt_doc --write` makes them.
#include "mqtt/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOC_MAX 65536

static void put_code(struct pw_out *out, const char *text)
{
    pw_put_s(out, text[0] == '\0' ? "" : "`");
    pw_put_s(out, text);
    pw_put_s(out, text[0] == '\0' ? "" : "`");
}

static void put_commands(struct pw_out *out)
{
    pw_put_s(out, "| topic | value | then | setting | key | what it does |\n"
                  "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        pw_put_s(out, "| ");
        put_code(out, row->topic);
        pw_put_s(out, row->scope == PW_MQTT_OF_CONNECTOR ? " ×2 | " : " | ");
        pw_mqtt_print_range(row, out);
        pw_put_s(out, " | ");
        put_code(out, row->echo);
        pw_put_s(out, " | ");
        put_code(out, row->setting == PW_SETTING_ROWS ? "" : pw_setting_rows[row->setting].path);
        pw_put_s(out, " | ");
        put_code(out, row->json);
        pw_put_s(out, " | ");
        pw_put_s(out, row->doc);
        pw_put_s(out, " |\n");
    }
}

static void put_values(struct pw_out *out)
{
    static const char *const when[] = {[PW_MQTT_CHANGED] = "on change",
                                       [PW_MQTT_TIMED] = "each `mqtt.synctime_ms`",
                                       [PW_MQTT_EVENT] = "as it happens"};
    pw_put_s(out, "| topic | unit | when | kept | asked by | what it is |\n"
                  "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        const struct pw_mqtt_value_row *row = &pw_mqtt_values[i];
        pw_put_s(out, "| ");
        put_code(out, row->topic);
        pw_put_s(out, row->scope == PW_MQTT_OF_CONNECTOR ? " ×2 | " : " | ");
        pw_put_s(out, row->form == PW_MQTT_JSON ? "JSON" : row->unit);
        pw_put_s(out, " | ");
        pw_put_s(out, when[row->when]);
        pw_put_s(out, row->retain ? " | yes | " : " | no | ");
        put_code(out, row->shown_by);
        pw_put_s(out, " | ");
        pw_put_s(out, row->doc);
        pw_put_s(out, " |\n");
    }
}

static void put_areas(struct pw_out *out)
{
    pw_put_s(out, "| digits | area | rooms of the log |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < PW_MQTT_AREAS; i++) {
        pw_put_s(out, "| ");
        pw_put_uint(out, 2 * i + 1);
        pw_put_s(out, ", ");
        pw_put_uint(out, 2 * i + 2);
        pw_put_s(out, " | ");
        pw_put_s(out, pw_mqtt_areas[i].rooms[0] == '\0' ? "free" : pw_mqtt_areas[i].name);
        pw_put_s(out, " | ");
        pw_put_s(out, pw_mqtt_areas[i].rooms);
        pw_put_s(out, " |\n");
    }
}

static const struct {
    const char *mark;
    void (*put)(struct pw_out *out);
} tables[] = {{"<!-- commands -->\n", put_commands},
              {"<!-- values -->\n", put_values},
              {"<!-- areas -->\n", put_areas}};

// The document with its tables made anew.
static bool make(const char *doc, struct pw_out *out)
{
    for (size_t i = 0; i < PW_COUNT(tables); i++) {
        const char *mark = strstr(doc, tables[i].mark);
        const char *end = mark == NULL ? NULL : strstr(mark, "<!-- end -->");
        if (end == NULL) {
            return false;
        }
        pw_put(out,
               (struct pw_str){.at = doc, .len = (size_t)(mark - doc) + strlen(tables[i].mark)});
        pw_put_c(out, '\n');
        tables[i].put(out);
        pw_put_c(out, '\n');
        doc = end;
    }
    pw_put_s(out, doc);
    return !out->full;
}

int main(int argc, char **argv)
{
    static char doc[DOC_MAX];
    static char made[DOC_MAX];
    struct pw_out out = PW_OUT(made);
    FILE *file = fopen(MQTT_DOC, "re");
    size_t len = file == NULL ? 0 : fread(doc, 1, sizeof(doc) - 1, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    doc[len] = '\0';
    if (!make(doc, &out)) {
        (void)fputs("doc/mqtt.md: a mark of a table is missing\n", stderr);
        return EXIT_FAILURE;
    }
    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        file = fopen(MQTT_DOC, "we");
        bool done = file != NULL && fwrite(made, 1, out.len, file) == out.len;
        done = file != NULL && fclose(file) == 0 && done;
        return done ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (strcmp(doc, made) != 0) {
        (void)fputs("doc/mqtt.md is out of date: mqtt_doc --write makes its tables\n", stderr);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
