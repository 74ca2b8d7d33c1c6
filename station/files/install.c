// From a whole file that was judged to the restart: written to the slot that does not run while
// others charge, made the next when nobody does.
#include "files/parts.h"

enum {
    TELL_MS = 10000, // for InstallRebooting to leave before the restart
    WINDOW_MS = 60000,
};

static void install_failed(struct pw_files *files, const struct pw_install_state *state)
{
    enum pw_update_status status =
        state->altered ? PW_UPDATE_VERIFICATION_FAILED : PW_UPDATE_INSTALLATION_FAILED;
    files->parts.install->end(files->parts.install->context);
    pw_update_refuse(files, status, state->why);
}

static void wait_for_rest(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    // One that came by itself takes the rest that comes by itself.
    update->holds = update->by != PW_UPDATE_BY_AUTOMATIC;
    update->try_at = pw_after(now, PW_UPDATE_SETTLE_MS);
    pw_update_go_on(files, PW_UPDATE_WAITS_FOR_REST);
}

pw_ms pw_update_write(struct pw_files *files, pw_ms now)
{
    const struct pw_install *port = files->parts.install;
    struct pw_install_state state;
    port->state(port->context, &state);
    if (state.phase == PW_INSTALL_WRITING) {
        return pw_after(now, PW_UPDATE_POLL_MS);
    }
    if (state.phase != PW_INSTALL_READY) {
        install_failed(files, &state);
        return now;
    }
    files->update.slot = state.slot;
    if (pw_update_until(files, files->update.install_at) > 0) {
        pw_update_enter(files, PW_UPDATE_WAITS_TO_INSTALL, PW_UPDATE_INSTALL_SCHEDULED,
                        "at its date");
    } else {
        wait_for_rest(files, now);
    }
    return now;
}

pw_ms pw_update_wait_to_install(struct pw_files *files, pw_ms now)
{
    pw_ms wait = pw_update_until(files, files->update.install_at);
    if (wait > 0) {
        return pw_after(now, wait);
    }
    wait_for_rest(files, now);
    return now;
}

static bool may_end_charges(const struct pw_files *files)
{
    enum { ASKED, NEVER, ALWAYS };
    int32_t policy = pw_settings_int(files->parts.settings, PW_SET_UPDATE_NOW);
    return policy == ALWAYS || (policy == ASKED && files->update.now);
}

pw_ms pw_update_wait_for_rest(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_files_host *host = files->parts.host;
    bool rest = host->at_rest(host->context);
    if (update->by == PW_UPDATE_BY_AUTOMATIC && !update->holds) {
        if (!pw_update_in_window(files, now)) {
            return pw_after(now, WINDOW_MS);
        }
        if (!rest) {
            return pw_after(now, PW_UPDATE_SETTLE_MS);
        }
        update->holds = true;
        update->try_at = pw_after(now, PW_UPDATE_SETTLE_MS);
    }
    // Whoever plugs in now finds the connector out of service; only then is rest lasting.
    if (now < update->try_at) {
        return update->try_at;
    }
    if (!rest) {
        if (may_end_charges(files) && !update->ended) {
            update->ended = true;
            pw_update_say(files, PW_LOG_WARN, "charges-ended", "the installation does not wait");
            host->end_charges(host->context, now);
        }
        return pw_after(now, PW_UPDATE_SETTLE_MS);
    }
    update->starts++;
    update->reached =
        update->reached_at != PW_NEVER && !pw_elapsed(update->reached_at, PW_FILES_REACHED_MS, now);
    update->usable = host->usable(host->context, now);
    update->told_by = pw_after(now, TELL_MS);
    pw_update_enter(files, PW_UPDATE_SWITCHES, PW_UPDATE_INSTALLING, "nobody charges");
    pw_update_enter(files, PW_UPDATE_SWITCHES, PW_UPDATE_INSTALL_REBOOTING, "written, read back");
    return now;
}

// The record must be safe before the switch, so that whoever starts next knows what it is.
pw_ms pw_update_switch_over(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    if (!pw_update_is_kept(files) || (update->notices.count > 0 && now < update->told_by)) {
        return pw_after(now, PW_UPDATE_POLL_MS);
    }
    files->parts.install->activate(files->parts.install->context);
    update->stage = PW_UPDATE_RESTARTS;
    return now;
}

pw_ms pw_update_restart(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    struct pw_install_state state;
    files->parts.install->state(files->parts.install->context, &state);
    if (state.phase == PW_INSTALL_SWITCHING) {
        return pw_after(now, PW_UPDATE_POLL_MS);
    }
    if (state.phase != PW_INSTALL_SWITCHED) {
        install_failed(files, &state);
        return now;
    }
    if (!update->restarts) {
        update->restarts = true;
        pw_update_say(files, PW_LOG_INFO, "restart", "for the new program");
        files->parts.host->restart(files->parts.host->context, now);
    }
    return PW_NEVER;
}
