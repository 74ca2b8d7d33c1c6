// An update: what is asked for, what is said about it, and which stage does what. One `enter` for
// what is said; the stages are in load.c, install.c and trial.c.
#include "files/parts.h"

#include <string.h>

void pw_update_say(struct pw_files *files, enum pw_level level, const char *event, const char *why)
{
    struct pw_line line;
    char shown[PW_TRANSFER_URL_MAX + 1] = "";
    struct pw_out out = PW_OUT(shown);
    if (files->update.url[0] != '\0') {
        pw_transfer_put_url(&out, pw_str_of(files->update.url));
    }
    pw_line(&line, files->parts.log, level, "files", event);
    pw_line_s(&line, "status", pw_update_status_name(files->update.status));
    pw_line_s(&line, "why", why);
    pw_line_s(&line, "by", pw_update_asker_name(files->update.by));
    if (shown[0] != '\0') {
        pw_line_s(&line, "url", shown);
    }
    if (files->update.version[0] != '\0') {
        pw_line_s(&line, "version", files->update.version);
    }
    pw_line_end(&line);
}

bool pw_update_is_failure(enum pw_update_status status)
{
    return status == PW_UPDATE_DOWNLOAD_FAILED || status == PW_UPDATE_INVALID_SIGNATURE ||
           status == PW_UPDATE_INSTALLATION_FAILED || status == PW_UPDATE_VERIFICATION_FAILED;
}

void pw_update_enter(struct pw_files *files, enum pw_update_stage stage,
                     enum pw_update_status status, const char *why)
{
    struct pw_update *update = &files->update;
    bool failure = pw_update_is_failure(status);
    struct pw_out out = PW_OUT(update->why);
    char kept[PW_TRANSFER_WHY_MAX];
    struct pw_out copy = PW_OUT(kept);
    pw_put_s(&copy, failure ? why : ""); // `why` may be what is written over
    pw_put_s(&out, kept);
    update->stage = stage;
    update->status = status;
    update->ended_at = stage == PW_UPDATE_NONE ? files->wall : 0;
    if (update->by == PW_UPDATE_BY_OCPP) {
        pw_notices_push(&update->notices,
                        (struct pw_files_notice){.status = (uint8_t)status,
                                                 .numbered = update->numbered,
                                                 .request_id = update->request_id});
    }
    pw_update_say(files, failure ? PW_LOG_WARN : PW_LOG_INFO, "update", failure ? kept : why);
    update->ticket = pw_files_save(files, PW_TRANSFER_DOWN);
}

void pw_update_go_on(struct pw_files *files, enum pw_update_stage stage)
{
    struct pw_update *update = &files->update;
    update->stage = stage;
    // Whether there is something newer is not worth a record: the last one tells more.
    bool looks = update->newer && !update->judged && stage < PW_UPDATE_LOADED;
    update->ticket = looks ? update->ticket : pw_files_save(files, PW_TRANSFER_DOWN);
}

bool pw_update_is_kept(const struct pw_files *files)
{
    const struct pw_store *store = files->parts.store;
    return files->update.ticket <= 0 || store->durable(store->context) >= files->update.ticket;
}

void pw_update_refuse(struct pw_files *files, enum pw_update_status status, const char *why)
{
    files->parts.transfer->end(files->parts.transfer->context, PW_TRANSFER_DOWN);
    files->parts.transfer->forget(files->parts.transfer->context);
    pw_update_enter(files, PW_UPDATE_NONE, status, why);
}

pw_ms pw_update_until(const struct pw_files *files, pw_unix_ms date)
{
    if (date <= 0) {
        return 0;
    }
    if (files->wall <= 0) {
        return PW_UPDATE_SETTLE_MS;
    }
    return date > files->wall ? (pw_ms)(date - files->wall) : 0;
}

bool pw_files_on_trial(const struct pw_files *files)
{
    return files->update.stage == PW_UPDATE_ON_TRIAL;
}

bool pw_files_holds(const struct pw_files *files)
{
    const struct pw_update *update = &files->update;
    switch (update->stage) {
    case PW_UPDATE_WAITS_FOR_REST: return update->holds;
    case PW_UPDATE_SWITCHES:
    case PW_UPDATE_RESTARTS:
    case PW_UPDATE_RETURNS: return true;
    case PW_UPDATE_NONE:
    case PW_UPDATE_WAITS_TO_LOAD:
    case PW_UPDATE_LOADS_HEAD:
    case PW_UPDATE_LOADS:
    case PW_UPDATE_TAKES:
    case PW_UPDATE_LOADED:
    case PW_UPDATE_WRITES:
    case PW_UPDATE_WAITS_TO_INSTALL:
    case PW_UPDATE_ON_TRIAL: break;
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// The stages.

void pw_update_init(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    update->fresh = true;
    update->try_at = pw_after(now, PW_UPDATE_SETTLE_MS);
    update->started_at = now;
    update->reached_at = PW_NEVER;
    update->taken_at = now;
    pw_update_watch_init(files);
}

pw_ms pw_update_step(struct pw_files *files, pw_ms now)
{
    static pw_ms (*const stages[])(struct pw_files *, pw_ms) = {
        [PW_UPDATE_NONE] = NULL,
        [PW_UPDATE_WAITS_TO_LOAD] = pw_update_wait_to_load,
        [PW_UPDATE_LOADS_HEAD] = pw_update_load,
        [PW_UPDATE_LOADS] = pw_update_load,
        [PW_UPDATE_TAKES] = pw_update_take,
        [PW_UPDATE_LOADED] = pw_update_judge,
        [PW_UPDATE_WRITES] = pw_update_write,
        [PW_UPDATE_WAITS_TO_INSTALL] = pw_update_wait_to_install,
        [PW_UPDATE_WAITS_FOR_REST] = pw_update_wait_for_rest,
        [PW_UPDATE_SWITCHES] = pw_update_switch_over,
        [PW_UPDATE_RESTARTS] = pw_update_restart,
        [PW_UPDATE_ON_TRIAL] = pw_update_try,
        [PW_UPDATE_RETURNS] = pw_update_return,
    };
    struct pw_update *update = &files->update;
    if (files->parts.host->reached(files->parts.host->context)) {
        update->reached_at = now;
    }
    if (update->fresh) {
        update->fresh = !pw_update_settle(files, now);
        if (update->fresh) {
            return pw_after(now, PW_UPDATE_SETTLE_MS);
        }
    }
    pw_ms at = pw_update_watch(files, now);
    return stages[update->stage] == NULL ? at : pw_earlier(at, stages[update->stage](files, now));
}

// ---------------------------------------------------------------------------------------------
// Requests.

// Installing and judging a program that runs are not given up for another.
// NULL: there is none.
static const char *hindrance(const struct pw_files *files)
{
    if (files->update.stage >= PW_UPDATE_SWITCHES) {
        return "a release is being installed, or is on trial";
    }
    return files->update.fresh && pw_update_is_asking(files)
               ? "whether a release is on trial is not known yet"
               : NULL;
}

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

// Whatever was under way is given up; what it had loaded stays only for `keep`.
static void give_up(struct pw_files *files, bool keep)
{
    const struct pw_transfer *transfer = files->parts.transfer;
    const struct pw_install *install = files->parts.install;
    transfer->end(transfer->context, PW_TRANSFER_DOWN);
    if (!keep) {
        transfer->forget(transfer->context);
    }
    if (install != NULL) {
        install->end(install->context);
    }
}

// What every update begins with.
static void begin_anew(struct pw_files *files, enum pw_update_asker by, pw_ms now)
{
    struct pw_update *update = &files->update;
    update->by = by;
    update->numbered = false;
    update->request_id = 0;
    update->url[0] = '\0';
    update->retries = 0;
    update->retry_s = PW_FILES_RETRY_S;
    update->resume = false;
    update->force = false;
    update->now = false;
    update->newer = false;
    update->committed = true;
    update->hashed = false;
    update->reached = false;
    update->retrieve_at = 0;
    update->install_at = 0;
    update->ended_at = 0;
    update->size = 0;
    update->slot = 0;
    update->starts = 0;
    update->version[0] = '\0';
    update->why[0] = '\0';
    update->status = PW_UPDATE_IDLE;
    update->fresh = false;
    update->judged = false;
    update->holds = false;
    update->ended = false;
    update->restarts = false;
    update->try_at = now;
    update->head_len = 0;
    memset(update->sha256, 0, sizeof(update->sha256));
    memset(&update->state, 0, sizeof(update->state));
}

static void take_request(struct pw_files *files, const struct pw_update_request *request, pw_ms now)
{
    struct pw_update *update = &files->update;
    begin_anew(files, request->by, now);
    int err = pw_str_copy(update->url, sizeof(update->url), request->url);
    PW_ASSERT(err == PW_OK);
    update->numbered = request->numbered;
    update->request_id = request->request_id;
    update->force = request->force;
    update->now = request->now;
    update->newer = request->newer;
    update->retries = pw_files_retries(request->retries);
    update->retry_s = pw_files_retry_s(request->retry_s);
    update->retrieve_at = (pw_unix_ms)pw_max(request->retrieve_at, 0);
    update->install_at = (pw_unix_ms)pw_max(request->install_at, 0);
    pw_update_go_on(files, PW_UPDATE_WAITS_TO_LOAD);
}

enum pw_update_answer pw_files_update(struct pw_files *files,
                                      const struct pw_update_request *request, pw_ms now)
{
    bool canceled = files->update.stage != PW_UPDATE_NONE;
    if (!fits(request)) {
        return PW_UPDATE_TOO_LONG;
    }
    if (files->parts.transfer == NULL || hindrance(files) != NULL) {
        return PW_UPDATE_REJECTED;
    }
    enum pw_update_answer answer = judge_certificate(files, request, now);
    if (answer != PW_UPDATE_ACCEPTED) {
        return answer;
    }
    give_up(files, false);
    if (pw_update_keep_papers(files, request) < 0) {
        return PW_UPDATE_REJECTED;
    }
    take_request(files, request, now);
    return canceled ? PW_UPDATE_ACCEPTED_CANCELED : PW_UPDATE_ACCEPTED;
}

int pw_files_check_source(struct pw_files *files, enum pw_update_asker by, bool force,
                          struct pw_out *why, pw_ms now)
{
    const struct pw_update_request request = {
        .by = by,
        .force = force,
        .newer = !force,
        .url = pw_str_of(pw_settings_text(files->parts.settings, PW_SET_UPDATE_SOURCE)),
        .retries = by == PW_UPDATE_BY_AUTOMATIC ? PW_FILES_RETRIES : 0,
        .retry_s = PW_FILES_RETRY_S,
    };
    if (request.url.len == 0) {
        pw_put_s(why, "no update source is configured (update.source)");
        return PW_ERR_UNKNOWN;
    }
    if (files->update.stage != PW_UPDATE_NONE || !pw_update_is_kept(files)) {
        pw_put_s(why, "an update is under way");
        return PW_ERR_BUSY;
    }
    switch (pw_files_update(files, &request, now)) {
    case PW_UPDATE_ACCEPTED:
    case PW_UPDATE_ACCEPTED_CANCELED: return PW_OK;
    case PW_UPDATE_REJECTED:
    case PW_UPDATE_INVALID_CERTIFICATE:
    case PW_UPDATE_REVOKED_CERTIFICATE:
    case PW_UPDATE_TOO_LONG: break;
    }
    const char *in_the_way = hindrance(files);
    pw_put_s(why, in_the_way != NULL ? in_the_way : "no release can be taken now");
    return PW_ERR_BUSY;
}

// ---------------------------------------------------------------------------------------------
// A release that is handed in.

static bool is_same_part(const struct pw_update *update, const struct pw_update_offer *offer)
{
    return offer->resume && offer->hashed && update->hashed && update->url[0] == '\0' &&
           update->size == offer->size &&
           memcmp(update->sha256, offer->sha256, sizeof(offer->sha256)) == 0 &&
           update->stage == PW_UPDATE_TAKES;
}

static int judge_offer(const struct pw_files *files, const struct pw_update_offer *offer,
                       struct pw_out *why)
{
    if (files->parts.transfer == NULL) {
        pw_put_s(why, "this station moves no files");
        return PW_ERR_UNKNOWN;
    }
    if (offer->size < PW_RELEASE_FIXED || offer->size > PW_FILES_DOWN_MAX) {
        pw_put_s(why, "size: ");
        pw_put_uint(why, offer->size);
        pw_put_s(why, " is outside 20..268435456 bytes");
        return PW_ERR_RANGE;
    }
    const char *in_the_way = hindrance(files);
    if (in_the_way != NULL) {
        pw_put_s(why, in_the_way);
        return PW_ERR_BUSY;
    }
    return PW_OK;
}

int pw_files_offer(struct pw_files *files, const struct pw_update_offer *offer, struct pw_out *why,
                   pw_ms now)
{
    struct pw_update *update = &files->update;
    int err = judge_offer(files, offer, why);
    if (err != PW_OK) {
        return err;
    }
    const struct pw_transfer *transfer = files->parts.transfer;
    const struct pw_transfer_job job = {.most_bytes = PW_FILES_DOWN_MAX,
                                        .most_s = PW_FILES_DOWN_S,
                                        .patience_s = PW_FILES_PATIENCE_S,
                                        .resume = is_same_part(update, offer),
                                        .total = offer->size};
    give_up(files, job.resume);
    begin_anew(files, offer->by, now);
    err = transfer->begin(transfer->context, PW_TRANSFER_DOWN, &job, why);
    if (err != PW_OK) {
        update->stage = PW_UPDATE_NONE;
        return err;
    }
    update->force = offer->force;
    update->now = offer->now;
    update->committed = offer->commit;
    update->hashed = offer->hashed;
    update->size = offer->size;
    update->taken_at = now;
    memcpy(update->sha256, offer->sha256, sizeof(update->sha256));
    transfer->state(transfer->context, PW_TRANSFER_DOWN, &update->state);
    pw_update_enter(files, PW_UPDATE_TAKES, PW_UPDATE_DOWNLOADING, "it is handed in");
    return update->ticket < 0 ? PW_ERR_STORE : PW_OK;
}

static int put_no(struct pw_out *why, const char *text, int err)
{
    pw_put_s(why, text);
    return err;
}

int pw_files_deliver(struct pw_files *files, uint64_t offset, struct pw_str bytes,
                     struct pw_out *why, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_transfer *transfer = files->parts.transfer;
    if (update->stage != PW_UPDATE_TAKES || update->state.end == PW_TRANSFER_IDLE) {
        return put_no(why,
                      update->stage == PW_UPDATE_NONE && update->why[0] != '\0'
                          ? update->why
                          : "nothing is being handed in",
                      PW_ERR_BUSY);
    }
    int err = transfer->deliver(transfer->context, offset, bytes);
    transfer->state(transfer->context, PW_TRANSFER_DOWN, &update->state);
    update->taken_at = now;
    if (err == PW_ERR_RANGE) {
        pw_put_s(why, "offset: ");
        pw_put_uint(why, offset);
        pw_put_s(why, " does not go on at ");
        pw_put_uint(why, update->state.bytes);
        pw_put_s(why, " of ");
        pw_put_uint(why, update->size);
        return err;
    }
    if (err == PW_OK && !update->judged && pw_update_has_head(files)) {
        enum pw_release_verdict verdict = pw_update_read_head(files, why);
        if (verdict != PW_RELEASE_FINE) {
            pw_update_refuse_verdict(files, verdict, why->full ? "the release is refused" : why->at,
                                     now);
            return PW_ERR_BUSY;
        }
    }
    if (err != PW_OK && err != PW_ERR_BUSY) {
        pw_update_refuse(files, PW_UPDATE_DOWNLOAD_FAILED, update->state.why);
        return put_no(why, update->why, err);
    }
    return err;
}

int pw_files_commit(struct pw_files *files, bool at_once, struct pw_out *why, pw_ms now)
{
    struct pw_update *update = &files->update;
    bool whole = update->stage >= PW_UPDATE_LOADED ||
                 (update->stage == PW_UPDATE_TAKES && update->state.bytes == update->size &&
                  update->state.end != PW_TRANSFER_IDLE);
    (void)now;
    if (!whole || update->url[0] != '\0') {
        return put_no(why,
                      update->stage == PW_UPDATE_TAKES ? "not all of it is there"
                      : update->why[0] != '\0'         ? update->why
                                                       : "nothing was handed in",
                      PW_ERR_BUSY);
    }
    update->committed = true;
    update->now = update->now || at_once;
    update->ticket = pw_files_save(files, PW_TRANSFER_DOWN);
    return PW_OK;
}

int pw_files_cancel(struct pw_files *files, struct pw_str reason, struct pw_out *why, pw_ms now)
{
    struct pw_update *update = &files->update;
    char text[PW_TRANSFER_WHY_MAX];
    struct pw_out out = PW_OUT(text);
    (void)now;
    if (update->stage == PW_UPDATE_NONE) {
        return put_no(why, "no update is under way", PW_ERR_BUSY);
    }
    const char *in_the_way = hindrance(files);
    if (in_the_way != NULL) {
        return put_no(why, in_the_way, PW_ERR_BUSY);
    }
    pw_put(&out, reason);
    if (files->parts.install != NULL) {
        files->parts.install->end(files->parts.install->context);
    }
    pw_update_refuse(files,
                     update->stage < PW_UPDATE_LOADED ? PW_UPDATE_DOWNLOAD_FAILED
                                                      : PW_UPDATE_INSTALLATION_FAILED,
                     text);
    return PW_OK;
}
