// Factory reset: asked for here, done by the program between two runs, when nothing holds the
// records. What goes and what stays: doc/security.md.
#include "factory.h"

#include "parts.h"
#include "seclog/seclog.h"

#include <string.h>

// What a person loses whom nobody else could tell any more. PW_OK when nothing, or when he said so.
static int check_unsent(const struct pw_journal *journal, bool forget, struct pw_out *why)
{
    unsigned open = 0;
    for (unsigned i = 1; i <= PW_CONNECTORS_MAX; i++) {
        open += pw_journal_open_on(journal, i) != NULL ? 1U : 0U;
    }
    uint64_t waiting = pw_journal_waiting(journal);
    if (forget || (waiting == 0 && open == 0 && journal->parked == 0)) {
        return PW_OK;
    }
    pw_put_uint(why, waiting);
    pw_put_s(why, " message(s) of charges wait for the central system, ");
    pw_put_uint(why, journal->parked);
    pw_put_s(why, " were refused by it, and ");
    pw_put_uint(why, open);
    pw_put_s(why, " charge(s) did not end: they would be lost");
    return PW_ERR_BUSY;
}

int pw_station_factory_reset(struct pw_station *st, struct pw_str name, bool forget,
                             struct pw_out *why, pw_ms now)
{
    enum { WAIT_MS = 5000 };
    if (!pw_str_is(name, pw_settings_text(&st->settings, PW_SET_STATION_ID))) {
        pw_put_s(why, "to forget everything, say the name of this station: factory-reset ");
        pw_put_s(why, pw_settings_text(&st->settings, PW_SET_STATION_ID));
        return PW_ERR_RANGE;
    }
    for (unsigned i = 0; i < st->connectors; i++) {
        if (pw_session_in_transaction(pw_connector_session(&st->connector[i]))) {
            pw_put_s(why, "connector ");
            pw_put_uint(why, i + 1);
            pw_put_s(why, " is charging: end it first");
            return PW_ERR_BUSY;
        }
    }
    if (pw_files_holds(&st->files)) {
        pw_put_s(why, "a program is being installed: wait for it");
        return PW_ERR_BUSY;
    }
    // A new key of the device would keep it from its central, and so from being confirmed.
    if (pw_files_on_trial(&st->files)) {
        pw_put_s(why, "a new program is on trial: wait until it is confirmed (update status)");
        return PW_ERR_BUSY;
    }
    int err = check_unsent(&st->journal, forget, why);
    if (err != PW_OK) {
        pw_put_s(why, "; factory-reset NAME forget");
        return err;
    }
    st->stopping = true;
    st->restart = PW_RESTART_FACTORY;
    st->restart_at = pw_after(now, WAIT_MS);
    pw_security_event(&st->security, PW_SECURITY_RESET, PW_STR("factory reset"), now);
    return PW_OK;
}

// Fault latches and energy registers belong to the hardware: who resets a station that welded must
// find it welded.
static int carry_connector(struct pw_journal *from, struct pw_journal *to, unsigned connector)
{
    struct pw_keep keep;
    struct pw_register reg;
    int err = pw_journal_read_keep(from, connector, &keep);
    if (err == PW_OK) {
        err = pw_journal_read_register(from, connector, &reg);
    }
    if (err == PW_OK && keep.latched != 0) {
        const struct pw_keep latched = {.latched = keep.latched};
        err = pw_journal_save_keep(to, connector, latched);
    }
    bool counted = reg.energy.energy_mwh > 0 || reg.energy.rest > 0;
    if (err == PW_OK && counted) {
        reg.at = (struct pw_stamp){0}; // by a clock that is forgotten
        err = pw_journal_save_register(to, connector, &reg);
    }
    return err;
}

int pw_factory_carry(struct pw_journal *from, struct pw_journal *to, bool forget,
                     const struct pw_log *log, struct pw_out *why)
{
    int err = check_unsent(from, forget, why);
    if (err != PW_OK) {
        pw_put_s(why, "; --discard-unsent forgets them");
        return err;
    }
    for (unsigned i = 1; err == PW_OK && i <= PW_CONNECTORS_MAX; i++) {
        err = carry_connector(from, to, i);
    }
    struct pw_seclog seclog;
    struct pw_seclog_record record = {.kind = PW_SECURITY_LOG_CLEARED, .boot = to->boot};
    struct pw_out detail = PW_OUT(record.detail);
    pw_put_s(&detail, "factory reset");
    pw_seclog_open(&seclog, to->store, log);
    if (err == PW_OK) {
        err = pw_seclog_add(&seclog, &record);
    }
    if (err != PW_OK) {
        pw_put_s(why, "the records that stay cannot be written");
    }
    return err;
}
