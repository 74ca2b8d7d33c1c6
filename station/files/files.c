// What uploads and updates have in common: notices, records, reports.
#include "files/parts.h"

#include <string.h>

#define PW_FILES_WORD(name, word) word,
static const char *const upload_names[PW_UPLOAD_STATUS_ROWS] = {PW_UPLOAD_STATUSES(PW_FILES_WORD)};
static const char *const update_names[PW_UPDATE_STATUS_ROWS] = {PW_UPDATE_STATUSES(PW_FILES_WORD)};
static const char *const asker_names[PW_UPDATE_ASKER_ROWS] = {PW_UPDATE_ASKERS(PW_FILES_WORD)};
#undef PW_FILES_WORD

const char *pw_update_asker_name(enum pw_update_asker by)
{
    PW_ASSERT((unsigned)by < PW_UPDATE_ASKER_ROWS);
    return asker_names[by];
}

const char *pw_upload_status_name(enum pw_upload_status status)
{
    PW_ASSERT((unsigned)status < PW_UPLOAD_STATUS_ROWS);
    return upload_names[status];
}

const char *pw_update_status_name(enum pw_update_status status)
{
    PW_ASSERT((unsigned)status < PW_UPDATE_STATUS_ROWS);
    return update_names[status];
}

uint16_t pw_files_retries(int32_t asked)
{
    return (uint16_t)(asked < 0 ? PW_FILES_RETRIES : pw_min(asked, PW_FILES_RETRIES_MAX));
}

uint32_t pw_files_retry_s(int32_t asked)
{
    return (uint32_t)(asked < 0 ? PW_FILES_RETRY_S : pw_min(asked, PW_FILES_RETRY_S_MAX));
}

// ---------------------------------------------------------------------------------------------
// Notices: said in order. After a long time without a link the first ones matter least.

void pw_notices_push(struct pw_files_notices *notices, struct pw_files_notice notice)
{
    if (notices->count == PW_FILES_NOTICES_MAX) {
        notices->count--;
        memmove(&notices->at[0], &notices->at[1], notices->count * sizeof(notices->at[0]));
    }
    notices->at[notices->count++] = notice;
}

static struct pw_files_notices *notices_of(struct pw_files *files, enum pw_transfer_lane lane)
{
    return lane == PW_TRANSFER_UP ? &files->upload.notices : &files->update.notices;
}

const struct pw_files_notice *pw_files_notice(const struct pw_files *files,
                                              enum pw_transfer_lane lane)
{
    const struct pw_files_notices *notices =
        lane == PW_TRANSFER_UP ? &files->upload.notices : &files->update.notices;
    return notices->count > 0 ? &notices->at[0] : NULL;
}

void pw_files_noticed(struct pw_files *files, enum pw_transfer_lane lane)
{
    struct pw_files_notices *notices = notices_of(files, lane);
    if (notices->count > 0) {
        notices->count--;
        memmove(&notices->at[0], &notices->at[1], notices->count * sizeof(notices->at[0]));
        (void)pw_files_save(files, lane);
    }
}

struct pw_files_notice pw_files_upload_now(const struct pw_files *files, bool numbered)
{
    const struct pw_upload *upload = &files->upload;
    bool busy = upload->stage != PW_UPLOAD_NONE && upload->numbered == numbered;
    return (struct pw_files_notice){.status =
                                        (uint8_t)(busy ? PW_UPLOAD_UPLOADING : PW_UPLOAD_IDLE),
                                    .numbered = numbered,
                                    .request_id = upload->request_id};
}

struct pw_files_notice pw_files_update_now(const struct pw_files *files, bool numbered)
{
    const struct pw_update *update = &files->update;
    struct pw_files_notice notice = {.status = PW_UPDATE_IDLE, .numbered = numbered};
    bool ocpp = update->by == PW_UPDATE_BY_OCPP;
    // OCPP 1.6 §4.5 says Idle whenever nothing goes on; whitepaper L01.FR.29 the last status.
    bool goes_on = update->stage != PW_UPDATE_NONE;
    bool told = numbered && update->status != PW_UPDATE_INSTALLED;
    if (ocpp && update->numbered == numbered && (goes_on || told)) {
        notice.status = (uint8_t)update->status;
        notice.request_id = update->request_id;
    }
    return notice;
}

// ---------------------------------------------------------------------------------------------
// Records.

static const char *key_of(enum pw_transfer_lane lane)
{
    return lane == PW_TRANSFER_UP ? "up" : "fw";
}

int64_t pw_files_save(struct pw_files *files, enum pw_transfer_lane lane)
{
    uint8_t record[PW_FILES_RECORD_MAX];
    size_t len = lane == PW_TRANSFER_UP ? pw_upload_pack(&files->upload, record)
                                        : pw_update_pack(&files->update, record);
    const struct pw_store_change change = {.key = pw_str_of(key_of(lane)),
                                           .value = {.at = (const char *)record, .len = len}};
    int64_t ticket = files->parts.store->write(files->parts.store->context, &change, 1);
    if (ticket < 0) {
        struct pw_line line;
        pw_line(&line, files->parts.log, PW_LOG_ERROR, "files", "not-kept");
        pw_line_s(&line, "record", key_of(lane));
        pw_line_end(&line);
    }
    return ticket;
}

static size_t read_record(const struct pw_files *files, enum pw_transfer_lane lane, uint8_t *to)
{
    int len = files->parts.store->get(files->parts.store->context, pw_str_of(key_of(lane)),
                                      (char *)to, PW_FILES_RECORD_MAX);
    return len < 0 ? 0 : (size_t)len;
}

static void say_damaged(const struct pw_files *files, enum pw_transfer_lane lane)
{
    struct pw_line line;
    pw_line(&line, files->parts.log, PW_LOG_WARN, "files", "record-ignored");
    pw_line_s(&line, "record", key_of(lane));
    pw_line_s(&line, "why", "it is damaged or of another version");
    pw_line_end(&line);
}

void pw_files_read_update(struct pw_files *files)
{
    struct pw_update *update = &files->update;
    uint8_t record[PW_FILES_RECORD_MAX];
    pw_ms reached_at = update->reached_at;
    pw_ms started_at = update->started_at;
    size_t len = read_record(files, PW_TRANSFER_DOWN, record);
    memset(update, 0, sizeof(*update));
    if (len > 0 && pw_update_unpack(update, record, len) != PW_OK) {
        memset(update, 0, sizeof(*update));
        say_damaged(files, PW_TRANSFER_DOWN);
    }
    update->reached_at = reached_at;
    update->started_at = started_at;
}

void pw_files_init(struct pw_files *files, const struct pw_files_parts *parts, pw_ms now)
{
    uint8_t record[PW_FILES_RECORD_MAX];
    memset(files, 0, sizeof(*files));
    files->parts = *parts;
    size_t len = read_record(files, PW_TRANSFER_UP, record);
    if (len > 0 && pw_upload_unpack(&files->upload, record, len) != PW_OK) {
        memset(&files->upload, 0, sizeof(files->upload));
        say_damaged(files, PW_TRANSFER_UP);
    }
    pw_files_read_update(files);
    pw_upload_init(files, now);
    pw_update_init(files, now);
}

pw_ms pw_files_step(struct pw_files *files, pw_unix_ms wall, pw_ms now)
{
    files->wall = wall;
    if (files->parts.transfer == NULL) {
        return PW_NEVER;
    }
    return pw_earlier(pw_upload_step(files, now), pw_update_step(files, now));
}

// ---------------------------------------------------------------------------------------------
// Reports.

static void put_progress(struct pw_out *out, const struct pw_transfer_state *state)
{
    pw_put_s(out, ", ");
    pw_put_uint(out, state->bytes);
    if (state->total > 0) {
        pw_put_s(out, " of ");
        pw_put_uint(out, state->total);
    }
    pw_put_s(out, " bytes");
}

static void put_when(struct pw_out *out, const char *what, pw_unix_ms at)
{
    if (at > 0) {
        pw_put_s(out, what);
        pw_put_time(out, at);
    }
}

void pw_files_report(const struct pw_files *files, struct pw_out *out)
{
    const struct pw_upload *upload = &files->upload;
    pw_put_s(out, "upload      ");
    pw_put_s(out, pw_upload_status_name(upload->status));
    if (upload->url[0] != '\0') {
        pw_put_s(out, upload->kind == PW_UPLOAD_SECURITY ? ", security log " : ", diagnostics ");
        pw_put_s(out, upload->name);
        pw_put_s(out, " to ");
        pw_transfer_put_url(out, pw_str_of(upload->url));
        put_progress(out, &upload->state);
    }
    pw_put_s(out, upload->why[0] == '\0' ? "" : "\n            last: ");
    pw_put_s(out, upload->why);
    pw_put_c(out, '\n');
    pw_files_update_report(files, out);
}

static void put_line(struct pw_out *out, const char *what, const char *text)
{
    if (text[0] != '\0') {
        pw_put_s(out, what);
        pw_put_s(out, text);
    }
}

void pw_files_update_report(const struct pw_files *files, struct pw_out *out)
{
    const struct pw_update *update = &files->update;
    struct pw_install_state state = {.able = false};
    if (files->parts.install != NULL) {
        files->parts.install->state(files->parts.install->context, &state);
    }
    pw_put_s(out, "update      ");
    pw_put_s(out, pw_update_status_name(update->status));
    put_line(out, ", version ", update->version);
    if (update->by != PW_UPDATE_BY_NOBODY) {
        put_line(out, ", asked for by ", pw_update_asker_name(update->by));
    }
    pw_put_s(out, update->numbered ? ", with a certificate" : "");
    if (update->url[0] != '\0') {
        pw_put_s(out, ", from ");
        pw_transfer_put_url(out, pw_str_of(update->url));
    }
    if (update->stage != PW_UPDATE_NONE && update->stage < PW_UPDATE_LOADED) {
        put_progress(out, &update->state);
    }
    put_when(out, ", not before ", update->retrieve_at);
    put_when(out, ", installs ", update->install_at);
    put_when(out, ", ended ", update->ended_at);
    pw_put_s(out, pw_files_holds(files) ? "\n            no charge begins until it is over" : "");
    put_line(out, "\n            last: ", update->why);
    pw_put_s(out, "\nrunning     ");
    pw_put_s(out, files->parts.version);
    pw_put_s(out, state.trial ? ", on trial" : "");
    put_line(out, ", not known whether on trial: ", state.asks ? state.why : "");
    put_line(out, "\nreturned    ", state.returned);
    put_line(out, ": ", state.returned[0] != '\0' ? state.returned_why : "");
    pw_put_c(out, '\n');
}

static void json_progress(struct pw_json_writer *json, const char *url,
                          const struct pw_transfer_state *state, const char *why)
{
    char shown[PW_TRANSFER_URL_MAX + 1] = "";
    struct pw_out out = PW_OUT(shown);
    if (url[0] != '\0') {
        pw_transfer_put_url(&out, pw_str_of(url));
    }
    pw_json_say_s(json, "url", shown);
    pw_json_say_int(json, "bytes", (int64_t)state->bytes);
    pw_json_say_int(json, "total", (int64_t)state->total);
    pw_json_say_s(json, "why", why);
}

// What an update has beside what an upload has, too.
static void json_update(const struct pw_files *files, struct pw_json_writer *json)
{
    const struct pw_update *update = &files->update;
    struct pw_install_state state = {.able = false};
    if (files->parts.install != NULL) {
        files->parts.install->state(files->parts.install->context, &state);
    }
    pw_json_say_s(json, "by", pw_update_asker_name(update->by));
    pw_json_say_s(json, "version", update->version);
    pw_json_say_s(json, "running", files->parts.version);
    pw_json_say_bool(json, "under_way", update->stage != PW_UPDATE_NONE);
    pw_json_say_known_time(json, "ended_at", update->ended_at);
    pw_json_say_bool(json, "able", state.able);
    pw_json_say_bool(json, "trial", state.trial);
    pw_json_say_s(json, "returned", state.returned);
    pw_json_say_s(json, "returned_why", state.returned_why);
}

void pw_files_put_json(const struct pw_files *files, struct pw_json_writer *json)
{
    const struct pw_upload *upload = &files->upload;
    const struct pw_update *update = &files->update;
    pw_json_open(json, '{');
    pw_json_key(json, "upload");
    pw_json_open(json, '{');
    pw_json_say_s(json, "status", pw_upload_status_name(upload->status));
    pw_json_say_s(json, "log", upload->kind == PW_UPLOAD_SECURITY ? "security" : "diagnostics");
    pw_json_say_s(json, "name", upload->name);
    json_progress(json, upload->url, &upload->state, upload->why);
    pw_json_close(json, '}');
    pw_json_key(json, "update");
    pw_json_open(json, '{');
    pw_json_say_s(json, "status", pw_update_status_name(update->status));
    pw_json_say_bool(json, "signed", update->numbered);
    json_progress(json, update->url, &update->state, update->why);
    pw_json_say_known_time(json, "retrieve_at", update->retrieve_at);
    pw_json_say_known_time(json, "install_at", update->install_at);
    json_update(files, json);
    pw_json_say_bool(json, "holds_charges", pw_files_holds(files));
    pw_json_close(json, '}');
    pw_json_close(json, '}');
}
