// Settings, and a new start.
#include "console/call.h"
#include "factory.h"

int pw_console_set(struct pw_console_call *call)
{
    struct pw_setting_at at;
    struct pw_str path = pw_console_word(call);
    struct pw_str value = pw_str_trim(call->rest);
    if (pw_settings_find(path, &at) != PW_OK && pw_settings_find_ocpp(path, &at) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_UNKNOWN, "there is no such setting: see get");
    }
    struct pw_out unsaid = *call->answer;
    pw_settings_print_path(at, call->answer);
    pw_put_s(call->answer, ": ");
    int err = pw_cp16_check_setting(at.id, value, call->answer);
    if (err == PW_OK) {
        err = pw_security_check_setting(&call->st->security, at.id, value, PW_BY_PERSON,
                                        call->answer, call->now);
    }
    if (err == PW_OK) {
        err = pw_rules_check_setting(call->st->rules.parts.zones, at.id, value, call->answer);
    }
    if (err == PW_OK && pw_journal_keeps(&call->st->journal) != PW_OK) {
        pw_put_s(call->answer, "it could not be kept, the disk is full or fails; nothing changed");
        err = PW_ERR_STORE;
    }
    if (err == PW_OK) {
        *call->answer = unsaid;
        err = pw_settings_set(&call->st->settings, at, value, PW_BY_PERSON, call->answer);
    }
    if (err != PW_OK) {
        pw_put_c(call->answer, '\n');
        return err;
    }
    call->st->host.setting(call->st, at, call->now);
    return pw_console_done(call, pw_setting_rows[at.id].when == PW_WHEN_RESTART
                                     ? "set, from the next start on"
                                     : "set");
}

static void put_setting(struct pw_console_call *call, struct pw_setting_at at)
{
    pw_settings_print_path(at, call->answer);
    pw_put_c(call->answer, '\t');
    pw_settings_print(&call->st->settings, at, call->answer);
    pw_put_c(call->answer, '\n');
}

int pw_console_get(struct pw_console_call *call)
{
    struct pw_setting_at at;
    struct pw_str path = pw_console_word(call);
    if (path.len > 0) {
        if (pw_settings_find(path, &at) != PW_OK && pw_settings_find_ocpp(path, &at) != PW_OK) {
            return pw_console_refuse(call, PW_ERR_UNKNOWN, "there is no such setting: see get");
        }
        put_setting(call, at);
        return PW_OK;
    }
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        bool connector = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
        for (unsigned i = 0; i < (connector ? call->st->connectors : 1); i++) {
            at = (struct pw_setting_at){.id = (enum pw_setting_id)id, .instance = (uint8_t)i};
            if (pw_settings_concerns(&call->st->settings, at)) {
                put_setting(call, at);
            }
        }
    }
    return PW_OK;
}

// What was set while running goes, but for the network: whoever asks may be at the other end of it.
// Whether a kept setting outlives "defaults": without its network or its key nobody reaches it.
static bool stays(struct pw_str path)
{
    struct pw_setting_at at;
    return pw_str_starts(path, "network.") ||
           (pw_settings_find(path, &at) == PW_OK && pw_security_outlives(at.id));
}

int pw_console_defaults(struct pw_console_call *call)
{
    char path[PW_STORE_KEY_MAX + 1] = "";
    char value[PW_SETTING_TEXT_MAX];
    struct pw_journal *journal = &call->st->journal;
    int err = PW_OK;
    while (err == PW_OK && pw_journal_next_setting(journal, path, value, sizeof(value)) == PW_OK) {
        if (!stays(pw_str_of(path))) {
            err = pw_journal_drop_setting(journal, pw_str_of(path));
        }
    }
    if (err != PW_OK) {
        return pw_console_refuse(call, err,
                                 "the settings cannot be forgotten: the store has failed");
    }
    return call->st->host.reset(call->st, false, call->now) == PW_CP16_ACCEPTED
               ? pw_console_done(call, "settings as in the file; restarting")
               : pw_console_refuse(call, PW_ERR_BUSY, "the station cannot restart now");
}

int pw_console_factory_reset(struct pw_console_call *call)
{
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_str name = pw_console_word(call);
    struct pw_str word = pw_console_word(call);
    if (word.len > 0 && !pw_str_is(word, "forget")) {
        return pw_console_refuse(call, PW_ERR_RANGE, "factory-reset NAME [forget]");
    }
    int err = pw_station_factory_reset(call->st, name, word.len > 0, &why, call->now);
    return err == PW_OK
               ? pw_console_done(call, "forgetting everything that is not the maker's; restarting")
               : pw_console_refuse(call, err, text);
}

int pw_console_restart(struct pw_console_call *call)
{
    return call->st->host.reset(call->st, false, call->now) == PW_CP16_ACCEPTED
               ? pw_console_done(call, "restarting")
               : pw_console_refuse(call, PW_ERR_BUSY, "the station cannot restart now");
}
