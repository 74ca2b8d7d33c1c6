// An update: loaded when its date has come, judged, installed when nobody charges, and settled by
// the program that starts next. One `enter` for what is said, one function a stage.
#include "files/parts.h"

#include <string.h>

enum {
    POLL_MS = 250,    // the ports wake their loop; this is the net below it
    SETTLE_MS = 1000, // from holding charges back to looking whether one runs
    TELL_MS = 10000,  // for InstallRebooting to leave before the restart
    STARTS_MAX = 3,   // an installation is begun so often
    CHUNK = 1000,     // bytes of the certificate in one record
    CHUNKS = (PW_FILES_CERTIFICATE_MAX + CHUNK - 1) / CHUNK,
};

static void say(struct pw_files *files, enum pw_level level, const char *event, const char *why)
{
    struct pw_line line;
    char shown[PW_TRANSFER_URL_MAX + 1] = "";
    struct pw_out out = PW_OUT(shown);
    pw_transfer_put_url(&out, pw_str_of(files->update.url));
    pw_line(&line, files->parts.log, level, "files", event);
    pw_line_s(&line, "status", pw_update_status_name(files->update.status));
    pw_line_s(&line, "why", why);
    pw_line_s(&line, "url", shown);
    pw_line_end(&line);
}

static bool is_failure(enum pw_update_status status)
{
    return status == PW_UPDATE_DOWNLOAD_FAILED || status == PW_UPDATE_INVALID_SIGNATURE ||
           status == PW_UPDATE_INSTALLATION_FAILED || status == PW_UPDATE_VERIFICATION_FAILED;
}

// A new status with the stage it belongs to: said, kept, and told by whoever speaks to the
// operator.
static void enter(struct pw_files *files, enum pw_update_stage stage, enum pw_update_status status,
                  const char *why)
{
    struct pw_update *update = &files->update;
    struct pw_out out = PW_OUT(update->why);
    pw_put_s(&out, is_failure(status) ? why : "");
    update->stage = stage;
    update->status = status;
    pw_notices_push(&update->notices, (struct pw_files_notice){.status = (uint8_t)status,
                                                               .numbered = update->numbered,
                                                               .request_id = update->request_id});
    say(files, is_failure(status) ? PW_LOG_WARN : PW_LOG_INFO, "update", why);
    update->ticket = pw_files_save(files, PW_TRANSFER_DOWN);
}

// A stage without a status of its own.
static void go_on(struct pw_files *files, enum pw_update_stage stage)
{
    files->update.stage = stage;
    files->update.ticket = pw_files_save(files, PW_TRANSFER_DOWN);
}

static bool is_kept(const struct pw_files *files)
{
    const struct pw_store *store = files->parts.store;
    return files->update.ticket <= 0 || store->durable(store->context) >= files->update.ticket;
}

// ---------------------------------------------------------------------------------------------
// Certificate and signature, kept in pieces.

static void put_chunk_key(struct pw_out *out, unsigned chunk)
{
    pw_put_s(out, "fw/crt");
    pw_put_uint(out, chunk);
}

static int64_t keep_papers(struct pw_files *files, const struct pw_update_request *request)
{
    struct pw_store_change changes[CHUNKS + 1];
    char keys[CHUNKS][PW_STORE_KEY_MAX];
    _Static_assert(CHUNKS + 1 <= PW_STORE_BATCH_MAX, "one batch holds them");
    for (unsigned i = 0; i < CHUNKS; i++) {
        struct pw_out key = PW_OUT(keys[i]);
        size_t from = (size_t)pw_min((int64_t)i * CHUNK, (int64_t)request->certificate.len);
        size_t len = (size_t)pw_min(CHUNK, (int64_t)(request->certificate.len - from));
        put_chunk_key(&key, i);
        changes[i] = (struct pw_store_change){
            .key = pw_out_str(&key),
            .value = {.at = len > 0 ? request->certificate.at + from : "", .len = len},
            .remove = len == 0};
    }
    changes[CHUNKS] = (struct pw_store_change){.key = PW_STR("fw/sig"),
                                               .value = request->signature,
                                               .remove = request->signature.len == 0};
    return files->parts.store->write(files->parts.store->context, changes, CHUNKS + 1);
}

// The certificate comes to update->certificate, the signature to `signature`. False: they are gone.
static bool read_papers(struct pw_files *files, char *signature, size_t *signature_len)
{
    const struct pw_store *store = files->parts.store;
    char *to = files->update.certificate;
    size_t len = 0;
    for (unsigned i = 0; i < CHUNKS; i++) {
        char text[PW_STORE_KEY_MAX];
        struct pw_out key = PW_OUT(text);
        put_chunk_key(&key, i);
        int got =
            store->get(store->context, pw_out_str(&key), to + len, PW_FILES_CERTIFICATE_MAX - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    to[len] = '\0';
    int got = store->get(store->context, PW_STR("fw/sig"), signature, PW_FILES_SIGNATURE_MAX);
    *signature_len = got > 0 ? (size_t)got : 0;
    return len > 0 && got > 0;
}

// ---------------------------------------------------------------------------------------------
// Loading.

static void load_failed(struct pw_files *files, enum pw_transfer_end end, const char *why,
                        pw_ms now)
{
    struct pw_update *update = &files->update;
    bool again = update->retries > 0 && end != PW_TRANSFER_UNSUPPORTED &&
                 end != PW_TRANSFER_FORBIDDEN && end != PW_TRANSFER_LARGE;
    if (!again) {
        files->parts.transfer->forget(files->parts.transfer->context);
        enter(files, PW_UPDATE_NONE, PW_UPDATE_DOWNLOAD_FAILED, why);
        return;
    }
    struct pw_out out = PW_OUT(update->why);
    pw_put_s(&out, why);
    update->retries--;
    update->try_at = pw_after(now, (pw_ms)update->retry_s * 1000);
    go_on(files, PW_UPDATE_WAITS_TO_LOAD);
    say(files, PW_LOG_WARN, "download-again", why);
}

static void begin_to_load(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_transfer *port = files->parts.transfer;
    const struct pw_transfer_job job = {
        .url = pw_str_of(update->url),
        .most_bytes = PW_FILES_DOWN_MAX,
        .most_s = PW_FILES_DOWN_S,
        .patience_s = PW_FILES_PATIENCE_S,
        .resume = update->resume,
    };
    char why[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    update->resume = true;
    if (update->status != PW_UPDATE_DOWNLOADING) {
        enter(files, PW_UPDATE_LOADS, PW_UPDATE_DOWNLOADING, "begun");
    } else {
        go_on(files, PW_UPDATE_LOADS);
    }
    int err = port->begin(port->context, PW_TRANSFER_DOWN, &job, &out);
    if (err != PW_OK) {
        load_failed(files, err == PW_ERR_RANGE ? PW_TRANSFER_UNSUPPORTED : PW_TRANSFER_FULL, why,
                    now);
    }
}

// Milliseconds until a date; 0 when it has come. Nobody knows the date: look again in a second.
static pw_ms until(const struct pw_files *files, pw_unix_ms date)
{
    if (date <= 0) {
        return 0;
    }
    if (files->wall <= 0) {
        return SETTLE_MS;
    }
    return date > files->wall ? (pw_ms)(date - files->wall) : 0;
}

static pw_ms wait_to_load(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    pw_ms wait = until(files, update->retrieve_at);
    if (wait > 0) {
        if (files->wall > 0 && update->status != PW_UPDATE_DOWNLOAD_SCHEDULED) {
            enter(files, PW_UPDATE_WAITS_TO_LOAD, PW_UPDATE_DOWNLOAD_SCHEDULED, "at its date");
        }
        return pw_after(now, wait);
    }
    if (now < update->try_at) {
        return update->try_at;
    }
    begin_to_load(files, now);
    return now;
}

static pw_ms load(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_transfer *port = files->parts.transfer;
    port->state(port->context, PW_TRANSFER_DOWN, &update->state);
    if (update->state.end == PW_TRANSFER_RUNNING) {
        return pw_after(now, POLL_MS);
    }
    if (update->state.end == PW_TRANSFER_DONE) {
        memcpy(update->sha256, update->state.sha256, sizeof(update->sha256));
        update->bytes = update->state.bytes;
        enter(files, PW_UPDATE_LOADED, PW_UPDATE_DOWNLOADED, "whole");
    } else {
        load_failed(files, update->state.end, update->state.why, now);
    }
    port->end(port->context, PW_TRANSFER_DOWN);
    return now;
}

// ---------------------------------------------------------------------------------------------
// Judging: nothing has touched a slot yet.

// Ends it for good; what was downloaded goes.
static void refuse(struct pw_files *files, enum pw_update_status status, const char *why)
{
    files->parts.transfer->forget(files->parts.transfer->context);
    enter(files, PW_UPDATE_NONE, status, why);
}

static bool has_good_signature(struct pw_files *files, struct pw_out *why, pw_ms now)
{
    char signature[PW_FILES_SIGNATURE_MAX];
    size_t len = 0;
    const struct pw_files_host *host = files->parts.host;
    if (!read_papers(files, signature, &len)) {
        pw_put_s(why, "certificate or signature are no longer there");
        return false;
    }
    return host->signature(host->context, pw_str_of(files->update.certificate),
                           (struct pw_str){.at = signature, .len = len}, files->update.sha256, why,
                           now) == PW_OK;
}

static bool is_able(struct pw_files *files, struct pw_out *why)
{
    struct pw_install_state state = {.able = false};
    if (files->parts.install != NULL) {
        files->parts.install->state(files->parts.install->context, &state);
    }
    pw_put_s(why, state.able ? ""
                  : state.why[0] != '\0'
                      ? state.why
                      : "this station has no place to install a program (update.folder)");
    return state.able;
}

static pw_ms judge(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_files_host *host = files->parts.host;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (!is_kept(files)) {
        return pw_after(now, POLL_MS);
    }
    if (update->numbered) {
        if (!has_good_signature(files, &why, now)) {
            refuse(files, PW_UPDATE_INVALID_SIGNATURE, text);
            return now;
        }
        enter(files, PW_UPDATE_LOADED, PW_UPDATE_SIGNATURE_VERIFIED, "the certificate's");
    } else if (pw_settings_int(files->parts.settings, PW_SET_UPDATE_UNSIGNED) == 0) {
        pw_put_s(&why, "it carries no signature, and update.allow_unsigned is off");
        refuse(files, PW_UPDATE_INSTALLATION_FAILED, text);
        host->event(host->context, PW_FILES_UNSIGNED, pw_str_of(text), now);
        return now;
    }
    if (!is_able(files, &why)) {
        refuse(files, PW_UPDATE_INSTALLATION_FAILED, text);
        return now;
    }
    if (until(files, update->install_at) > 0) {
        enter(files, PW_UPDATE_WAITS_TO_INSTALL, PW_UPDATE_INSTALL_SCHEDULED, "at its date");
        return now;
    }
    update->try_at = pw_after(now, SETTLE_MS);
    go_on(files, PW_UPDATE_WAITS_FOR_REST);
    return now;
}

// ---------------------------------------------------------------------------------------------
// Installing.

static pw_ms wait_to_install(struct pw_files *files, pw_ms now)
{
    pw_ms wait = until(files, files->update.install_at);
    if (wait > 0) {
        return pw_after(now, wait);
    }
    files->update.try_at = pw_after(now, SETTLE_MS);
    go_on(files, PW_UPDATE_WAITS_FOR_REST);
    return now;
}

static pw_ms wait_for_rest(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_install *port = files->parts.install;
    struct pw_install_state state;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    // Whoever plugs in now finds the connector out of service; only then is rest lasting.
    if (now < update->try_at) {
        return update->try_at;
    }
    if (!files->parts.host->at_rest(files->parts.host->context)) {
        return pw_after(now, SETTLE_MS);
    }
    int err = port->begin(port->context, update->sha256, &why);
    if (err != PW_OK) {
        refuse(files, PW_UPDATE_INSTALLATION_FAILED, text);
        return now;
    }
    port->state(port->context, &state);
    update->slot = state.slot;
    update->starts++;
    enter(files, PW_UPDATE_INSTALLS, PW_UPDATE_INSTALLING, "nobody charges");
    return now;
}

static void install_failed(struct pw_files *files, const struct pw_install_state *state)
{
    bool verified = files->update.numbered && state->altered;
    files->parts.install->end(files->parts.install->context);
    refuse(files, verified ? PW_UPDATE_VERIFICATION_FAILED : PW_UPDATE_INSTALLATION_FAILED,
           state->why);
}

static pw_ms install(struct pw_files *files, pw_ms now)
{
    const struct pw_install *port = files->parts.install;
    struct pw_install_state state;
    port->state(port->context, &state);
    if (state.phase == PW_INSTALL_WRITING) {
        return pw_after(now, POLL_MS);
    }
    if (state.phase != PW_INSTALL_READY) {
        install_failed(files, &state);
        return now;
    }
    files->update.told_by = pw_after(now, TELL_MS);
    if (files->update.numbered) {
        enter(files, PW_UPDATE_SWITCHES, PW_UPDATE_INSTALL_REBOOTING, "written and read back");
    } else {
        go_on(files, PW_UPDATE_SWITCHES);
    }
    return now;
}

// The record must be safe before the switch, so that whoever starts next knows what it is.
static pw_ms switch_over(struct pw_files *files, pw_ms now)
{
    const struct pw_update *update = &files->update;
    if (!is_kept(files) || (update->notices.count > 0 && now < update->told_by)) {
        return pw_after(now, POLL_MS);
    }
    files->parts.install->activate(files->parts.install->context);
    files->update.stage = PW_UPDATE_RESTARTS;
    return now;
}

static pw_ms restart(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    struct pw_install_state state;
    files->parts.install->state(files->parts.install->context, &state);
    if (state.phase == PW_INSTALL_SWITCHING) {
        return pw_after(now, POLL_MS);
    }
    if (state.phase != PW_INSTALL_SWITCHED) {
        install_failed(files, &state);
        return now;
    }
    if (!update->restarts) {
        update->restarts = true;
        say(files, PW_LOG_INFO, "restart", "for the new program");
        files->parts.host->restart(files->parts.host->context, now);
    }
    return PW_NEVER;
}

// ---------------------------------------------------------------------------------------------
// After a start.

static void settle_installation(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    struct pw_install_state state = {.running = 0};
    if (files->parts.install != NULL) {
        files->parts.install->state(files->parts.install->context, &state);
    }
    if (update->slot != 0 && state.running == update->slot) {
        enter(files, PW_UPDATE_NONE, PW_UPDATE_INSTALLED, "this program runs from the new slot");
        files->parts.transfer->forget(files->parts.transfer->context);
        files->parts.host->event(files->parts.host->context, PW_FILES_UPDATED, PW_STR(""), now);
    } else if (update->slot != 0 && state.current == update->slot) {
        refuse(files, PW_UPDATE_INSTALLATION_FAILED,
               "the new program was chosen, but another one was started");
    } else if (update->starts >= STARTS_MAX) {
        refuse(files, PW_UPDATE_INSTALLATION_FAILED, "it was cut off three times");
    } else {
        say(files, PW_LOG_WARN, "install-again", "a restart came before the switch");
        update->try_at = pw_after(now, SETTLE_MS);
        go_on(files, PW_UPDATE_WAITS_FOR_REST);
    }
}

static void settle(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    update->fresh = false;
    if (update->stage >= PW_UPDATE_INSTALLS) {
        settle_installation(files, now);
    } else if (update->stage == PW_UPDATE_LOADS) {
        go_on(files, PW_UPDATE_WAITS_TO_LOAD);
    }
}

void pw_update_init(struct pw_files *files, pw_ms now)
{
    files->update.fresh = true;
    files->update.try_at = pw_after(now, SETTLE_MS);
}

pw_ms pw_update_step(struct pw_files *files, pw_ms now)
{
    static pw_ms (*const stages[])(struct pw_files *, pw_ms) = {
        [PW_UPDATE_NONE] = NULL,
        [PW_UPDATE_WAITS_TO_LOAD] = wait_to_load,
        [PW_UPDATE_LOADS] = load,
        [PW_UPDATE_LOADED] = judge,
        [PW_UPDATE_WAITS_TO_INSTALL] = wait_to_install,
        [PW_UPDATE_WAITS_FOR_REST] = wait_for_rest,
        [PW_UPDATE_INSTALLS] = install,
        [PW_UPDATE_SWITCHES] = switch_over,
        [PW_UPDATE_RESTARTS] = restart,
    };
    if (files->update.fresh) {
        settle(files, now);
    }
    return stages[files->update.stage] == NULL ? PW_NEVER : stages[files->update.stage](files, now);
}

// ---------------------------------------------------------------------------------------------
// A request.

static bool fits(const struct pw_update_request *request)
{
    return request->url.len > 0 && request->url.len <= PW_TRANSFER_URL_MAX &&
           request->certificate.len <= PW_FILES_CERTIFICATE_MAX &&
           request->signature.len <= PW_FILES_SIGNATURE_MAX;
}

// L01.FR.23–25: before it is accepted.
static enum pw_update_answer judge_certificate(struct pw_files *files,
                                               const struct pw_update_request *request, pw_ms now)
{
    const struct pw_files_host *host = files->parts.host;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (!request->numbered) {
        return PW_UPDATE_ACCEPTED;
    }
    int err = host->certificate(host->context, request->certificate, &why, now);
    if (err == PW_OK) {
        return PW_UPDATE_ACCEPTED;
    }
    return err == PW_ERR_UNKNOWN ? PW_UPDATE_REVOKED_CERTIFICATE : PW_UPDATE_INVALID_CERTIFICATE;
}

static void take_request(struct pw_files *files, const struct pw_update_request *request, pw_ms now)
{
    struct pw_update *update = &files->update;
    int err = pw_str_copy(update->url, sizeof(update->url), request->url);
    PW_ASSERT(err == PW_OK);
    update->numbered = request->numbered;
    update->request_id = request->request_id;
    update->retries = pw_files_retries(request->retries);
    update->retry_s = pw_files_retry_s(request->retry_s);
    update->retrieve_at = (pw_unix_ms)pw_max(request->retrieve_at, 0);
    update->install_at = (pw_unix_ms)pw_max(request->install_at, 0);
    update->resume = false;
    update->bytes = 0;
    update->slot = 0;
    update->starts = 0;
    update->why[0] = '\0';
    update->status = PW_UPDATE_IDLE;
    update->fresh = false;
    update->try_at = now;
    memset(&update->state, 0, sizeof(update->state));
    go_on(files, PW_UPDATE_WAITS_TO_LOAD);
}

enum pw_update_answer pw_files_update(struct pw_files *files,
                                      const struct pw_update_request *request, pw_ms now)
{
    bool canceled = files->update.stage != PW_UPDATE_NONE;
    if (!fits(request)) {
        return PW_UPDATE_TOO_LONG;
    }
    if (files->parts.transfer == NULL || files->update.stage >= PW_UPDATE_INSTALLS) {
        return PW_UPDATE_REJECTED;
    }
    enum pw_update_answer answer = judge_certificate(files, request, now);
    if (answer != PW_UPDATE_ACCEPTED) {
        return answer;
    }
    files->parts.transfer->end(files->parts.transfer->context, PW_TRANSFER_DOWN);
    files->parts.transfer->forget(files->parts.transfer->context);
    if (keep_papers(files, request) < 0) {
        return PW_UPDATE_REJECTED;
    }
    take_request(files, request, now);
    return canceled ? PW_UPDATE_ACCEPTED_CANCELED : PW_UPDATE_ACCEPTED;
}
