// doc/ocpp16.md against the rows: messages, and configuration keys. `ocpp16_doc --write` makes its
// tables.
#include "cp16/cp16.h"
#include "doc_tables.h"

static const char *const features[] = {
    [PW_OCPP16_FEATURE_CORE] = "Core",
    [PW_OCPP16_FEATURE_FIRMWARE] = "FirmwareManagement",
    [PW_OCPP16_FEATURE_LOCAL_LIST] = "LocalAuthListManagement",
    [PW_OCPP16_FEATURE_RESERVATION] = "Reservation",
    [PW_OCPP16_FEATURE_SMART] = "SmartCharging",
    [PW_OCPP16_FEATURE_TRIGGER] = "RemoteTrigger",
    [PW_OCPP16_FEATURE_SECURITY] = "security whitepaper",
};

static const char *const senders[] = {[PW_OCPP16_FROM_STATION] = "station",
                                      [PW_OCPP16_FROM_CENTRAL] = "central system",
                                      [PW_OCPP16_FROM_BOTH] = "both"};

static bool is_there(unsigned action)
{
    return (pw_ocpp16_actions[action].sender & PW_OCPP16_FROM_CENTRAL) == 0 ||
           pw_cp16_serves((enum pw_ocpp16_action)action);
}

static void put_messages(struct pw_out *out)
{
    pw_put_s(out, "| feature profile | message | asked by | in the station |\n"
                  "| --- | --- | --- | --- |\n");
    for (unsigned feature = 0; feature < PW_COUNT(features); feature++) {
        for (unsigned i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
            if (pw_ocpp16_actions[i].feature != feature) {
                continue;
            }
            pw_put_s(out, "| ");
            pw_put_s(out, features[feature]);
            pw_put_s(out, " | ");
            pw_put(out, pw_ocpp16_action_name((enum pw_ocpp16_action)i));
            pw_put_s(out, " | ");
            pw_put_s(out, senders[pw_ocpp16_actions[i].sender]);
            pw_put_s(out, is_there(i) ? " | yes |\n" : " | NotSupported |\n");
        }
    }
}

static const char *const changes[] = {[PW_WHEN_FILE] = "read-only (file)",
                                      [PW_WHEN_LIVE] = "at once",
                                      [PW_WHEN_RESTART] = "RebootRequired",
                                      [PW_WHEN_FIXED] = "read-only",
                                      [PW_WHEN_SECRET] = "write-only"};

static void put_keys(struct pw_out *out)
{
    pw_put_s(out, "| key | value | default | changes | setting | what it does |\n"
                  "| --- | --- | --- | --- | --- | --- |\n");
    for (unsigned i = 0; i < PW_SETTING_ROWS; i++) {
        const struct pw_setting_row *row = &pw_setting_rows[i];
        if (row->ocpp_key[0] == '\0') {
            continue;
        }
        struct pw_str initial = pw_str_of(row->initial);
        pw_put_s(out, "| ");
        doc_code(out, row->ocpp_key);
        pw_put_s(out, " | ");
        pw_settings_print_range(row, out);
        pw_put_s(out, " | ");
        pw_put(out, row->kind == PW_KIND_CHOICE ? pw_str_cut(&initial, '|') : initial);
        pw_put_s(out, " | ");
        pw_put_s(out, changes[row->when]);
        pw_put_s(out, " | ");
        doc_code(out, row->path);
        pw_put_s(out, " | ");
        pw_put_s(out, row->doc);
        pw_put_s(out, " |\n");
    }
}

static const struct doc_table tables[] = {{"<!-- messages -->\n", put_messages},
                                          {"<!-- keys -->\n", put_keys}};

int main(int argc, char **argv)
{
    return doc_tables(OCPP16_DOC, tables, PW_COUNT(tables), argc, argv);
}
