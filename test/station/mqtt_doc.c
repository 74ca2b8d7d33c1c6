// doc/mqtt.md against the rows: its three tables are made from them. `mqtt_doc --write` makes them.
#include "doc_tables.h"
#include "mqtt/topics.h"

static void put_commands(struct pw_out *out)
{
    pw_put_s(out, "| topic | value | then | setting | key | what it does |\n"
                  "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        pw_put_s(out, "| ");
        doc_code(out, row->topic);
        pw_put_s(out, row->scope == PW_MQTT_OF_CONNECTOR ? " ×2 | " : " | ");
        pw_mqtt_print_range(row, out);
        pw_put_s(out, " | ");
        doc_code(out, row->echo);
        pw_put_s(out, " | ");
        doc_code(out, row->setting == PW_SETTING_ROWS ? "" : pw_setting_rows[row->setting].path);
        pw_put_s(out, " | ");
        doc_code(out, row->json);
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
        doc_code(out, row->topic);
        pw_put_s(out, row->scope == PW_MQTT_OF_CONNECTOR ? " ×2 | " : " | ");
        pw_put_s(out, row->form == PW_MQTT_JSON ? "JSON" : row->unit);
        pw_put_s(out, " | ");
        pw_put_s(out, when[row->when]);
        pw_put_s(out, row->retain ? " | yes | " : " | no | ");
        doc_code(out, row->shown_by);
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

static const struct doc_table tables[] = {{"<!-- commands -->\n", put_commands},
                                          {"<!-- values -->\n", put_values},
                                          {"<!-- areas -->\n", put_areas}};

int main(int argc, char **argv)
{
    return doc_tables(MQTT_DOC, tables, PW_COUNT(tables), argc, argv);
}
