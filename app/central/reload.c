#include "reload.h"

#include "peer/authorities.h"

void reload_watch(struct reload *reload, const char *path, bool lists)
{
    if (path != NULL && reload->files < RELOAD_FILES) {
        reload->file[reload->files].look.path = path;
        reload->file[reload->files].lists = lists;
        (void)pw_changed(&reload->file[reload->files++].look);
    }
}

void reload_lists(const struct reload *reload)
{
    for (size_t i = 0; i < reload->files; i++) {
        struct pw_line line;
        if (!reload->file[i].lists || !pw_authorities_stale(reload->file[i].look.path)) {
            continue;
        }
        pw_line(&line, reload->log, PW_LOG_WARN, "certificate", "list-out-of-date");
        pw_line_s(&line, "file", reload->file[i].look.path);
        pw_line_end(&line);
    }
}

static void say(const struct reload *reload, const char *what, int err, const char *why)
{
    struct pw_line line;
    pw_line(&line, reload->log, err == PW_OK ? PW_LOG_INFO : PW_LOG_ERROR, "certificate",
            err == PW_OK ? "read-again" : "kept");
    pw_line_s(&line, "of", what);
    if (err != PW_OK) {
        pw_line_s(&line, "why", why);
    }
    pw_line_end(&line);
}

void reload_now(struct reload *reload)
{
    char text[768] = "";
    struct pw_out why = PW_OUT(text);
    int err = pw_web_reload(reload->web, &why);
    say(reload, "https and wss", err, text);
    if (reload->links != NULL) {
        why = PW_OUT(text);
        err = pw_linkserver_reload(reload->links, &why);
        say(reload, "station links", err, text);
    }
    reload_lists(reload);
}

pw_ms reload_step(struct reload *reload, pw_ms now)
{
    bool any = false;
    if (reload->files == 0) {
        return PW_NEVER;
    }
    if (now < reload->look_at) {
        return reload->look_at;
    }
    for (size_t i = 0; i < reload->files; i++) {
        any = pw_changed(&reload->file[i].look) || any;
    }
    if (any) {
        reload_now(reload);
    }
    reload->look_at = pw_after(now, RELOAD_LOOK_MS);
    return reload->look_at;
}
