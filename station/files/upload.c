// An upload: its text is made in pieces, the port sends it, and what becomes of it is a notice.
#include "files/parts.h"

#include <string.h>

enum { POLL_MS = 250 }; // the port wakes its loop; this is the net below it

static void enter(struct pw_files *files, enum pw_upload_status status, const char *why)
{
    struct pw_upload *upload = &files->upload;
    struct pw_line line;
    char shown[PW_TRANSFER_URL_MAX + 1] = "";
    struct pw_out out = PW_OUT(shown);
    pw_transfer_put_url(&out, pw_str_of(upload->url));
    pw_line(&line, files->parts.log, status <= PW_UPLOAD_UPLOADED ? PW_LOG_INFO : PW_LOG_WARN,
            "files", "upload");
    pw_line_s(&line, "from", pw_upload_status_name(upload->status));
    pw_line_s(&line, "to", pw_upload_status_name(status));
    pw_line_s(&line, "why", why);
    pw_line_s(&line, "url", shown);
    pw_line_end(&line);
    upload->status = status;
    pw_notices_push(&upload->notices, (struct pw_files_notice){.status = (uint8_t)status,
                                                               .numbered = upload->numbered,
                                                               .request_id = upload->request_id});
}

// The status that says best why it failed (N01.FR.10).
static enum pw_upload_status failure(enum pw_transfer_end end)
{
    static const enum pw_upload_status best[PW_TRANSFER_END_ROWS] = {
        [PW_TRANSFER_DENIED] = PW_UPLOAD_DENIED,
        [PW_TRANSFER_UNSUPPORTED] = PW_UPLOAD_UNSUPPORTED,
        [PW_TRANSFER_STRANGE] = PW_UPLOAD_BAD_MESSAGE,
    };
    return best[end] == PW_UPLOAD_IDLE ? PW_UPLOAD_FAILED : best[end];
}

// Trying again does not help where the place itself is wrong.
static bool is_final(enum pw_transfer_end end)
{
    return end == PW_TRANSFER_UNSUPPORTED || end == PW_TRANSFER_FORBIDDEN;
}

static void fail(struct pw_files *files, enum pw_transfer_end end, const char *why, pw_ms now)
{
    struct pw_upload *upload = &files->upload;
    struct pw_out out = PW_OUT(upload->why);
    pw_put_s(&out, why);
    if (upload->retries > 0 && !is_final(end)) {
        struct pw_line line;
        upload->retries--;
        upload->stage = PW_UPLOAD_WAITS;
        upload->try_at = pw_after(now, (pw_ms)upload->retry_s * 1000);
        pw_line(&line, files->parts.log, PW_LOG_WARN, "files", "upload-again");
        pw_line_s(&line, "why", why);
        pw_line_int(&line, "retries_left", upload->retries);
        pw_line_int(&line, "in_s", upload->retry_s);
        pw_line_end(&line);
    } else {
        upload->stage = PW_UPLOAD_NONE;
        enter(files, failure(end), why);
    }
    (void)pw_files_save(files, PW_TRANSFER_UP);
}

static void begin(struct pw_files *files, pw_ms now)
{
    struct pw_upload *upload = &files->upload;
    const struct pw_transfer *port = files->parts.transfer;
    const struct pw_transfer_job job = {
        .url = pw_str_of(upload->url),
        .name = pw_str_of(upload->name),
        .most_bytes = PW_FILES_UP_MAX,
        .most_s = PW_FILES_UP_S,
        .patience_s = PW_FILES_PATIENCE_S,
    };
    char why[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    upload->stage = PW_UPLOAD_RUNS;
    if (upload->status != PW_UPLOAD_UPLOADING) {
        enter(files, PW_UPLOAD_UPLOADING, "begun");
    }
    upload->given = false;
    upload->piece_len = 0;
    upload->piece_at = 0;
    upload->reading =
        (struct pw_files_reading){.kind = upload->kind, .from = upload->from, .to = upload->to};
    (void)pw_files_save(files, PW_TRANSFER_UP);
    int err = port->begin(port->context, PW_TRANSFER_UP, &job, &out);
    if (err != PW_OK) {
        fail(files, err == PW_ERR_RANGE ? PW_TRANSFER_UNSUPPORTED : PW_TRANSFER_FULL, why, now);
    }
}

// Gives the port what it takes, a bounded number of pieces a turn. True: there is more to give.
static bool feed(struct pw_files *files, pw_ms now)
{
    enum { PIECES_A_TURN = 4 };
    struct pw_upload *upload = &files->upload;
    const struct pw_transfer *port = files->parts.transfer;
    for (unsigned i = 0; i < PIECES_A_TURN && !upload->given; i++) {
        if (upload->piece_at == upload->piece_len && !upload->reading.over) {
            struct pw_out out = PW_OUT(upload->piece);
            files->parts.host->piece(files->parts.host->context, &upload->reading, &out, now);
            upload->piece_len = out.len;
            upload->piece_at = 0;
        }
        struct pw_str rest = {.at = upload->piece + upload->piece_at,
                              .len = upload->piece_len - upload->piece_at};
        size_t taken = rest.len == 0 ? 0 : port->give(port->context, rest);
        upload->piece_at += taken;
        if (taken < rest.len) {
            return false; // it wakes us
        }
        if (upload->reading.over) {
            upload->given = true;
            port->given(port->context);
        }
    }
    return !upload->given;
}

static void settle(struct pw_files *files, pw_ms now)
{
    struct pw_upload *upload = &files->upload;
    if (upload->state.end == PW_TRANSFER_DONE) {
        upload->stage = PW_UPLOAD_NONE;
        upload->why[0] = '\0';
        enter(files, PW_UPLOAD_UPLOADED, "whole");
        (void)pw_files_save(files, PW_TRANSFER_UP);
    } else {
        fail(files, upload->state.end, upload->state.why, now);
    }
    files->parts.transfer->end(files->parts.transfer->context, PW_TRANSFER_UP);
}

pw_ms pw_upload_step(struct pw_files *files, pw_ms now)
{
    struct pw_upload *upload = &files->upload;
    const struct pw_transfer *port = files->parts.transfer;
    if (upload->stage == PW_UPLOAD_WAITS && now >= upload->try_at) {
        begin(files, now);
    }
    if (upload->stage == PW_UPLOAD_RUNS) {
        bool more = feed(files, now);
        port->state(port->context, PW_TRANSFER_UP, &upload->state);
        if (upload->state.end != PW_TRANSFER_RUNNING) {
            settle(files, now);
        } else {
            return more ? now : pw_after(now, POLL_MS);
        }
    }
    return upload->stage == PW_UPLOAD_WAITS ? upload->try_at : PW_NEVER;
}

void pw_upload_init(struct pw_files *files, pw_ms now)
{
    struct pw_upload *upload = &files->upload;
    if (upload->stage != PW_UPLOAD_NONE) {
        upload->stage = PW_UPLOAD_WAITS; // a restart cut it: again from the start
        upload->try_at = now;
    }
}

// ---------------------------------------------------------------------------------------------
// A request.

// The station's id and the time, in letters that every file system takes.
static void put_name(struct pw_files *files, const struct pw_upload_request *request)
{
    struct pw_out out = PW_OUT(files->upload.name);
    char time[PW_TIME_TEXT_MAX] = "";
    struct pw_out stamp = PW_OUT(time);
    const char *id = pw_settings_text(files->parts.settings, PW_SET_STATION_ID);
    for (size_t i = 0; id[i] != '\0'; i++) {
        bool plain = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'A' && id[i] <= 'Z') ||
                     (id[i] >= 'a' && id[i] <= 'z') || id[i] == '-' || id[i] == '_';
        pw_put_c(&out, plain ? id[i] : '_');
    }
    pw_put_s(&out, request->kind == PW_UPLOAD_SECURITY ? "-security" : "-diagnostics");
    if (files->wall > 0) {
        pw_put_time(&stamp, files->wall);
        pw_put_c(&out, '-');
        for (size_t i = 0; time[i] != '\0' && time[i] != '.'; i++) {
            if (time[i] != '-' && time[i] != ':') {
                pw_put_c(&out, time[i]);
            }
        }
        pw_put_c(&out, 'Z');
    }
    pw_put_s(&out, ".txt");
}

int pw_files_upload(struct pw_files *files, const struct pw_upload_request *request,
                    struct pw_out *why, pw_ms now)
{
    struct pw_upload *upload = &files->upload;
    bool canceled = upload->stage != PW_UPLOAD_NONE;
    if (files->parts.transfer == NULL) {
        pw_put_s(why, "this station uploads nothing");
        return PW_ERR_UNKNOWN;
    }
    if (request->url.len == 0 || request->url.len > PW_TRANSFER_URL_MAX) {
        pw_put_s(why, "the location must have 1 to 512 bytes");
        return PW_ERR_RANGE;
    }
    files->parts.transfer->end(files->parts.transfer->context, PW_TRANSFER_UP);
    int err = pw_str_copy(upload->url, sizeof(upload->url), request->url);
    PW_ASSERT(err == PW_OK);
    upload->kind = request->kind;
    upload->numbered = request->numbered;
    upload->request_id = request->request_id;
    upload->retries = pw_files_retries(request->retries);
    upload->retry_s = pw_files_retry_s(request->retry_s);
    upload->from = request->from;
    upload->to = request->to;
    upload->why[0] = '\0';
    upload->status = PW_UPLOAD_IDLE;
    memset(&upload->state, 0, sizeof(upload->state));
    put_name(files, request);
    upload->stage = PW_UPLOAD_WAITS;
    upload->try_at = now;
    return pw_files_save(files, PW_TRANSFER_UP) < 0 ? PW_ERR_STORE : (canceled ? 1 : PW_OK);
}
