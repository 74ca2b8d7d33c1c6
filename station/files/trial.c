// What the program that starts next makes of an installation: it is on trial, and stays only when
// it is healthy; or it is the one before, and says what became of the new one.
#include "files/parts.h"

#include <string.h>

enum {
    STARTS_MAX = 3,       // an installation is begun so often
    CHECK_MS = 1000,      // between two looks at a program on trial
    REJECT_MS = 60000,    // for the boot record to take it: a disk that takes nothing is not waited
                          // for, as whoever starts programs tries none whose start it cannot count
    RETURN_MS = 43200000, // for the charges to end, before a program that is sound but cannot reach
                          // its central goes
};

#define PW_FILES_CHECK_NAME(name, word) word,
static const char *const check_names[PW_FILES_CHECK_ROWS] = {PW_FILES_CHECKS(PW_FILES_CHECK_NAME)};
#undef PW_FILES_CHECK_NAME

// ---------------------------------------------------------------------------------------------
// After a start.

static void look(const struct pw_files *files, struct pw_install_state *state)
{
    *state = (struct pw_install_state){.able = false};
    if (files->parts.install != NULL) {
        files->parts.install->state(files->parts.install->context, state);
    }
}

static void installed(struct pw_files *files, pw_ms now)
{
    const struct pw_files_host *host = files->parts.host;
    files->parts.transfer->forget(files->parts.transfer->context);
    pw_update_enter(files, PW_UPDATE_NONE, PW_UPDATE_INSTALLED, "the new program stays");
    host->event(host->context, PW_FILES_UPDATED, PW_STR(""), now);
}

static pw_ms give_it_up(struct pw_files *files, bool urgent, const char *why, pw_ms now)
{
    struct pw_update *update = &files->update;
    struct pw_out out = PW_OUT(update->why);
    pw_put_s(&out, why);
    update->urgent = urgent;
    update->try_at = pw_after(now, PW_UPDATE_SETTLE_MS);
    update->told_by = pw_after(now, RETURN_MS);
    pw_update_say(files, PW_LOG_ERROR, "trial-failed", update->why);
    pw_update_go_on(files, PW_UPDATE_RETURNS);
    return now;
}

static void begin_trial(struct pw_files *files, bool worn, pw_ms now)
{
    struct pw_update *update = &files->update;
    if (update->stage == PW_UPDATE_NONE) {
        // Somebody else installed it; there is no record, and nobody to tell.
        struct pw_out version = PW_OUT(update->version);
        update->by = PW_UPDATE_BY_NOBODY;
        update->url[0] = '\0';
        update->reached = false;
        update->usable = 0;
        pw_put_s(&version, files->parts.version);
        update->status = PW_UPDATE_INSTALL_REBOOTING;
    }
    pw_update_go_on(files, PW_UPDATE_ON_TRIAL);
    pw_update_say(files, PW_LOG_INFO, "trial", "this program is new, and stays when it is healthy");
    if (worn) {
        (void)give_it_up(files, true, "it was started 3 times and never confirmed", now);
    }
}

static void came_back(struct pw_files *files, const struct pw_install_state *state)
{
    char text[PW_TRANSFER_WHY_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "the new program was given up: ");
    pw_put_s(&out, state->returned_why);
    pw_update_refuse(files, PW_UPDATE_INSTALLATION_FAILED, text);
}

// A restart came between the order to switch and the start of the new program, or after it.
static void settle_switch(struct pw_files *files, const struct pw_install_state *state, pw_ms now)
{
    struct pw_update *update = &files->update;
    bool ours =
        update->version[0] != '\0' && pw_str_is(pw_str_of(files->parts.version), update->version);
    if (state->returned[0] != '\0' && strcmp(state->returned, update->version) == 0) {
        came_back(files, state);
    } else if (update->slot != 0 && state->running == update->slot && ours) {
        installed(files, now); // confirmed, and the record came too late
    } else if (update->stage >= PW_UPDATE_ON_TRIAL) {
        pw_update_refuse(files, PW_UPDATE_INSTALLATION_FAILED,
                         "the new program ran, but another one was started");
    } else if (update->starts >= STARTS_MAX) {
        pw_update_refuse(files, PW_UPDATE_INSTALLATION_FAILED, "it was cut off three times");
    } else {
        pw_update_say(files, PW_LOG_WARN, "install-again", "a restart came before the switch");
        pw_update_go_on(files, PW_UPDATE_LOADED);
    }
}

bool pw_update_is_asking(const struct pw_files *files)
{
    struct pw_install_state state;
    look(files, &state);
    return state.asks;
}

bool pw_update_settle(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    struct pw_install_state state;
    look(files, &state);
    if (state.asks) {
        return false;
    }
    if (state.trial) {
        begin_trial(files, state.worn, now);
    } else if (update->stage >= PW_UPDATE_SWITCHES) {
        settle_switch(files, &state, now);
    } else if (update->stage >= PW_UPDATE_LOADED) {
        // What was written to the slot is not known any more: once more from the file.
        pw_update_go_on(files, PW_UPDATE_LOADED);
    } else if (update->stage == PW_UPDATE_LOADS || update->stage == PW_UPDATE_LOADS_HEAD) {
        pw_update_go_on(files, PW_UPDATE_WAITS_TO_LOAD);
    } else if (update->stage == PW_UPDATE_TAKES && !update->hashed) {
        pw_update_refuse(files, PW_UPDATE_DOWNLOAD_FAILED, "a restart cut it off");
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// On trial.

// False with *why: one is not.
static bool is_well(const struct pw_files *files, struct pw_out *why, pw_ms now)
{
    const struct pw_files_host *host = files->parts.host;
    for (int check = 0; check < PW_FILES_CHECK_ROWS; check++) {
        char text[PW_TRANSFER_WHY_MAX] = "";
        struct pw_out reason = PW_OUT(text);
        if (host->check(host->context, (enum pw_files_check)check, &reason, now) != PW_OK) {
            pw_put_s(why, check_names[check]);
            pw_put_s(why, ": ");
            pw_put_s(why, text);
            return false;
        }
    }
    return true;
}

pw_ms pw_update_try(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_install *install = files->parts.install;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    bool well = is_well(files, &why, now);
    bool reached = update->reached_at != PW_NEVER;
    bool sound = pw_elapsed(update->started_at, PW_FILES_SOUND_MS, now);
    bool late = pw_elapsed(update->started_at, PW_FILES_TRIAL_MS, now);
    const struct pw_files_host *host = files->parts.host;
    // What was usable must be so again; a vehicle may have caused a fault, so that has time.
    bool tested = (update->usable & ~host->usable(host->context, now)) == 0;
    if (!well) {
        return give_it_up(files, true, text, now);
    }
    if (late && !tested) {
        return give_it_up(files, false, "self-tests: a connector that was usable is faulted", now);
    }
    if (late && !reached && update->reached) {
        return give_it_up(
            files, false,
            "central: not reached in 30 minutes, and the program before had reached it", now);
    }
    if (sound && tested && (reached || late) && install->confirm(install->context) == PW_OK) {
        installed(files, now);
        return now;
    }
    return pw_after(now, CHECK_MS);
}

pw_ms pw_update_return(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_files_host *host = files->parts.host;
    const struct pw_install *install = files->parts.install;
    bool may = update->urgent || host->at_rest(host->context) || now >= update->told_by;
    if (update->restarts) {
        return PW_NEVER;
    }
    if (now < update->try_at || !may) {
        return pw_after(now, PW_UPDATE_SETTLE_MS);
    }
    bool late = pw_elapsed(update->try_at, REJECT_MS, now);
    if (install->reject(install->context, update->why) != PW_OK && !update->urgent && !late) {
        return pw_after(now, CHECK_MS); // tried again; whoever starts programs counts tries, too
    }
    update->restarts = true;
    host->restart(host->context, now);
    return PW_NEVER;
}
