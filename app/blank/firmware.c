#include "firmware.h"

// What a configuration file says on Linux.
static int configure(struct pw_settings *settings, struct pw_out *why)
{
    static const struct {
        const char *path;
        const char *value;
    } rows[] = {
        {"station.id", "blank"},
        {"session.free_id_tag", "FREE"},
        {"charging.plug_and_charge", "true"},
        {"connectors[0].kind", "pilot"},
        {"connectors[0].socket", "false"},
        {"connectors[0].board", "blank"},
    };
    int err = PW_OK;
    pw_settings_init(settings);
    for (size_t i = 0; i < PW_COUNT(rows) && err == PW_OK; i++) {
        struct pw_setting_at at;
        err = pw_settings_find(pw_str_of(rows[i].path), &at);
        if (err == PW_OK) {
            err = pw_settings_set(settings, at, pw_str_of(rows[i].value), PW_BY_FILE, why);
        }
    }
    return err == PW_OK ? pw_settings_check(settings, why) : err;
}

int pw_firmware_open(struct pw_firmware *firmware, const struct pw_blank_machine *machine,
                     const struct pw_board_traits *traits, struct pw_out *why)
{
    pw_blank_panic_machine(machine);
    pw_blank_board_init(&firmware->board, machine);
    pw_blank_clock_init(&firmware->clock, machine);
    pw_blank_log_init(&firmware->log, machine);
    pw_blank_store_init(&firmware->records, firmware->record, PW_FIRMWARE_RECORDS);
    firmware->store = pw_blank_store(&firmware->records);
    int err = configure(&firmware->settings, why);
    if (err != PW_OK) {
        return err;
    }
    const struct pw_station_start start = {
        .settings = &firmware->settings,
        .store = &firmware->store,
        .log = &firmware->log.log,
        .firmware = "blank",
        .seed = 1,
        .now = pw_blank_now(&firmware->clock),
    };
    err = pw_station_init(&firmware->station, &start);
    if (err != PW_OK) {
        pw_put_s(why, "the station cannot start: ");
        pw_put_s(why, pw_err_name(err));
        return err;
    }
    const struct pw_outlet_board board = {.traits = *traits};
    return pw_station_board(&firmware->station, 1, &board, why);
}

pw_ms pw_firmware_turn(struct pw_firmware *firmware)
{
    struct pw_board_senses senses;
    struct pw_board_drive wanted;
    const struct pw_board_drive *drive = NULL;
    unsigned connector = 0;
    pw_ms now = pw_blank_now(&firmware->clock);
    if (pw_blank_board_sense(&firmware->board, &senses, now)) {
        pw_station_senses(&firmware->station, 1, &senses, now);
    }
    pw_ms at = pw_station_step(&firmware->station, now);
    while (pw_station_take_drive(&firmware->station, &connector, &wanted)) {
        drive = &wanted;
    }
    return pw_earlier(at, pw_blank_board_drive(&firmware->board, drive, now));
}
