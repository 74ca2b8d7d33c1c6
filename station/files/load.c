// From the first byte to a whole file: fetched from a URL, its head first, or handed in; then the
// signature that came beside it, where one did. Nothing has touched a slot yet.
#include "files/parts.h"

#include <string.h>

enum {
    CHUNK = 1000, // bytes of the certificate in one record
    CHUNKS = (PW_FILES_CERTIFICATE_MAX + CHUNK - 1) / CHUNK,
};

// ---------------------------------------------------------------------------------------------
// Certificate and signature, kept in pieces.

static void put_chunk_key(struct pw_out *out, unsigned chunk)
{
    pw_put_s(out, "fw/crt");
    pw_put_uint(out, chunk);
}

int64_t pw_update_keep_papers(struct pw_files *files, const struct pw_update_request *request)
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
// From a URL.

static void load_failed(struct pw_files *files, enum pw_transfer_end end, const char *why,
                        pw_ms now)
{
    struct pw_update *update = &files->update;
    bool again = update->retries > 0 && end != PW_TRANSFER_UNSUPPORTED &&
                 end != PW_TRANSFER_FORBIDDEN && end != PW_TRANSFER_LARGE;
    if (!again) {
        pw_update_refuse(files, PW_UPDATE_DOWNLOAD_FAILED, why);
        return;
    }
    if (end == PW_TRANSFER_FULL) {
        // What is there of it would keep the disk full until then.
        files->parts.transfer->end(files->parts.transfer->context, PW_TRANSFER_DOWN);
        files->parts.transfer->forget(files->parts.transfer->context);
        update->resume = false;
    }
    struct pw_out out = PW_OUT(update->why);
    pw_put_s(&out, why);
    update->retries--;
    update->try_at = pw_after(now, (pw_ms)update->retry_s * 1000);
    pw_update_go_on(files, PW_UPDATE_WAITS_TO_LOAD);
    pw_update_say(files, PW_LOG_WARN, "download-again", why);
}

// Its head, or all of it when the head is known and good.
static void begin_to_load(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_transfer *port = files->parts.transfer;
    enum pw_update_stage stage = update->judged ? PW_UPDATE_LOADS : PW_UPDATE_LOADS_HEAD;
    const struct pw_transfer_job job = {
        .url = pw_str_of(update->url),
        .most_bytes = update->judged ? update->release.file_size : PW_FILES_DOWN_MAX,
        .most_s = PW_FILES_DOWN_S,
        .patience_s = PW_FILES_PATIENCE_S,
        .resume = update->resume,
        .first_bytes = update->judged ? 0 : PW_RELEASE_HEAD_MAX,
    };
    char why[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    update->resume = true;
    // Whether there is something newer is nobody's download yet.
    if (update->status != PW_UPDATE_DOWNLOADING && (!update->newer || update->judged)) {
        pw_update_enter(files, stage, PW_UPDATE_DOWNLOADING, "begun");
    } else {
        pw_update_go_on(files, stage);
    }
    int err = port->begin(port->context, PW_TRANSFER_DOWN, &job, &out);
    if (err != PW_OK) {
        load_failed(files, err == PW_ERR_RANGE ? PW_TRANSFER_UNSUPPORTED : PW_TRANSFER_FULL, why,
                    now);
    }
}

pw_ms pw_update_wait_to_load(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    pw_ms wait = pw_update_until(files, update->retrieve_at);
    if (wait > 0) {
        if (files->wall > 0 && update->status != PW_UPDATE_DOWNLOAD_SCHEDULED) {
            pw_update_enter(files, PW_UPDATE_WAITS_TO_LOAD, PW_UPDATE_DOWNLOAD_SCHEDULED,
                            "at its date");
        }
        return pw_after(now, wait);
    }
    if (now < update->try_at) {
        return update->try_at;
    }
    begin_to_load(files, now);
    return now;
}

static void loaded(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    if (update->state.bytes != update->release.file_size) {
        update->judged = false; // another file lies there by now: from its head on
        update->resume = false;
        load_failed(files, PW_TRANSFER_STRANGE, "it has not the size that its head says", now);
        return;
    }
    if (update->hashed && memcmp(update->sha256, update->state.sha256, PW_SHA256_LEN) != 0) {
        pw_update_refuse(files, PW_UPDATE_DOWNLOAD_FAILED, "it is not the file that was announced");
        return;
    }
    memcpy(update->sha256, update->state.sha256, sizeof(update->sha256));
    update->size = update->state.bytes;
    pw_update_enter(files, PW_UPDATE_LOADED, PW_UPDATE_DOWNLOADED, "whole");
}

// T11: nothing more is loaded of a release that is refused.
static void head_loaded(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    enum pw_release_verdict verdict = pw_update_read_head(files, &why);
    if (verdict == PW_RELEASE_SAME && update->newer) {
        files->parts.transfer->forget(files->parts.transfer->context);
        pw_update_say(files, PW_LOG_INFO, "up-to-date", text);
        pw_files_read_update(files); // how the last one went
    } else if (verdict != PW_RELEASE_FINE) {
        pw_update_refuse_verdict(files, verdict, text, now);
    } else if (update->state.bytes >= update->release.file_size) {
        if (update->status != PW_UPDATE_DOWNLOADING) {
            pw_update_enter(files, PW_UPDATE_LOADS, PW_UPDATE_DOWNLOADING, "begun");
        }
        loaded(files, now);
    } else {
        begin_to_load(files, now);
    }
}

pw_ms pw_update_load(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_transfer *port = files->parts.transfer;
    port->state(port->context, PW_TRANSFER_DOWN, &update->state);
    if (update->state.end == PW_TRANSFER_RUNNING) {
        return pw_after(now, PW_UPDATE_POLL_MS);
    }
    port->end(port->context, PW_TRANSFER_DOWN);
    if (update->state.end != PW_TRANSFER_DONE) {
        load_failed(files, update->state.end, update->state.why, now);
    } else if (update->stage == PW_UPDATE_LOADS_HEAD) {
        head_loaded(files, now);
    } else {
        loaded(files, now);
    }
    return now;
}

// ---------------------------------------------------------------------------------------------
// Handed in.

pw_ms pw_update_take(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_transfer *port = files->parts.transfer;
    port->state(port->context, PW_TRANSFER_DOWN, &update->state);
    bool over = update->state.end > PW_TRANSFER_DONE;
    if (over || pw_elapsed(update->taken_at, PW_FILES_IDLE_MS, now)) {
        pw_update_refuse(files, PW_UPDATE_DOWNLOAD_FAILED,
                         over ? update->state.why : "whoever handed it in did not go on");
        return now;
    }
    if (update->state.end != PW_TRANSFER_DONE) {
        // Pieces wake us; being hashed does not take long.
        return update->state.bytes == update->size && update->state.end == PW_TRANSFER_RUNNING
                   ? pw_after(now, PW_UPDATE_POLL_MS)
                   : pw_after(update->taken_at, PW_FILES_IDLE_MS);
    }
    port->end(port->context, PW_TRANSFER_DOWN);
    if (!update->judged) {
        pw_update_refuse_verdict(files, PW_RELEASE_MALFORMED, "it is shorter than its head", now);
        return now;
    }
    loaded(files, now);
    return now;
}

// ---------------------------------------------------------------------------------------------
// Judging the whole.

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

// The head is judged once more: a restart may lie between, and the date has gone on.
static bool begin_to_write(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    const struct pw_install *install = files->parts.install;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    enum pw_release_verdict verdict = pw_update_read_head(files, &why);
    if (verdict != PW_RELEASE_FINE) {
        pw_update_refuse_verdict(files, verdict, text, now);
        return false;
    }
    const struct pw_str head = {.at = (const char *)update->head, .len = update->head_len};
    if (install->write(install->context, head, &update->release, &why) != PW_OK) {
        pw_update_refuse(files, PW_UPDATE_INSTALLATION_FAILED, text);
        return false;
    }
    struct pw_install_state state;
    install->state(install->context, &state);
    update->slot = state.slot;
    return true;
}

pw_ms pw_update_judge(struct pw_files *files, pw_ms now)
{
    struct pw_update *update = &files->update;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (!pw_update_is_kept(files)) {
        return pw_after(now, PW_UPDATE_POLL_MS);
    }
    if (!update->committed) {
        if (pw_elapsed(update->taken_at, PW_FILES_IDLE_MS, now)) {
            pw_update_refuse(files, PW_UPDATE_INSTALLATION_FAILED, "nobody asked to install it");
            return now;
        }
        return pw_after(update->taken_at, PW_FILES_IDLE_MS);
    }
    if (update->numbered && !has_good_signature(files, &why, now)) {
        pw_update_refuse(files, PW_UPDATE_INVALID_SIGNATURE, text);
        return now;
    }
    if (!is_able(files, &why)) {
        if (update->numbered) {
            pw_update_enter(files, PW_UPDATE_LOADED, PW_UPDATE_SIGNATURE_VERIFIED, "of both");
        }
        pw_update_refuse(files, PW_UPDATE_INSTALLATION_FAILED, text);
        return now;
    }
    if (begin_to_write(files, now)) {
        pw_update_enter(files, PW_UPDATE_WRITES, PW_UPDATE_SIGNATURE_VERIFIED,
                        update->numbered ? "of the certificate and of the maker" : "of the maker");
    }
    return now;
}
