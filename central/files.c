// Firmware updates and the upload of diagnostics and logs: what was asked, and the statuses that
// came, in their order. Sources: OCPP 1.6 §4.4, §4.5, §5.9, §5.19; errata 3.12, 3.31, 3.47;
// whitepaper L01, N01.
#include "records.h"
#include "rollouts.h"

#include <string.h>

#define FIRMWARE        "firmware"
#define SIGNED_FIRMWARE "signed firmware"
#define DIAGNOSTICS     "diagnostics"
#define LOG             "log"
#define WHY_MAX         161  // bytes of the reason of a failure, and the NUL
#define WHY_DATA_MAX    1100 // of the message that tells it: each may be escaped

struct job {
    int64_t id;
    char state[48];
    bool over;
};

static void take_job(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct job *job = to;
    job->id = columns[0].number;
    job->over = columns[1].number != 0;
    db_take(job->state, sizeof(job->state), &columns[2]);
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

int64_t file_request_id(const struct pw_central *central)
{
    int64_t last = 0;
    (void)db_read(central, "SELECT COALESCE(MAX(id), 0) FROM file_job", NULL, 0, take_number,
                  &last);
    return last + 1;
}

// --- What was asked.

struct asked_job {
    const char *kind;
    int64_t request_id; // -1: none
    struct pw_str location;
    struct pw_str file_name;
};

static int64_t make_job(struct pw_central *central, const struct station *station,
                        const struct asked_job *asked, struct pw_instant at)
{
    struct pw_db_value id = pw_db_text(pw_str_of(station->id));
    struct pw_db_value args[] = {
        id,
        pw_db_text(pw_str_of(asked->kind)),
        asked->request_id >= 0 ? pw_db_int(asked->request_id) : pw_db_null(),
        pw_db_text(traffic_presentable(central, asked->location)),
        asked->file_name.len > 0 ? pw_db_text(asked->file_name) : pw_db_null(),
        pw_db_int(at.wall),
    };
    int64_t job = db_write_id(central,
                              "INSERT INTO file_job (station_id, kind, request_id, location,"
                              " file_name, state, over, made_at, changed_at)"
                              " VALUES ($1, $2, $3, $4, $5, 'asked', 0, $6, $6) RETURNING id",
                              args, PW_COUNT(args), at.now);
    struct pw_db_value kept[] = {id, pw_db_int(PW_CENTRAL_JOBS_KEPT)};
    (void)db_write(central,
                   "DELETE FROM file_job_status WHERE job_id IN (SELECT id FROM file_job"
                   " WHERE station_id = $1 ORDER BY id DESC LIMIT 1000 OFFSET $2)",
                   kept, PW_COUNT(kept), at.now);
    (void)db_write(central,
                   "DELETE FROM file_job WHERE station_id = $1 AND id <= (SELECT id FROM file_job"
                   " WHERE station_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
                   kept, PW_COUNT(kept), at.now);
    return job;
}

static enum expect begin(const struct answered *answered, const struct asked_job *asked)
{
    answered->watch->number = make_job(answered->central, answered->station, asked, answered->at);
    return EXPECT_EFFECT;
}

enum expect firmware_asked(const struct answered *answered)
{
    const struct pw_ocpp16_update_firmware_req *req = answered->req;
    const struct asked_job asked = {FIRMWARE, -1, req->location, {0}};
    member_answered(answered->central, answered->station, answered->watch->command, NULL,
                    answered->at);
    // A retrieveDate far off is waited for as well.
    answered->watch->wait_ms +=
        (pw_ms)pw_clamp(req->retrieve_date - answered->at.wall, 0, PW_CENTRAL_FILE_WAIT_MS);
    return begin(answered, &asked);
}

enum expect signed_firmware_asked(const struct answered *answered)
{
    const struct pw_ocpp16_signed_update_firmware_req *req = answered->req;
    const struct pw_ocpp16_signed_update_firmware_conf *conf = answered->conf;
    const struct asked_job asked = {SIGNED_FIRMWARE, req->request_id, req->firmware.location, {0}};
    bool agreed = conf->status == PW_OCPP16_SIGNED_UPDATE_ACCEPTED ||
                  conf->status == PW_OCPP16_SIGNED_UPDATE_ACCEPTED_CANCELED;
    char text[80];
    struct pw_out refusal = PW_OUT(text);
    pw_put_s(&refusal, "the station refused the signed update: ");
    pw_put(&refusal, pw_ocpp_code_text(&pw_ocpp16_signed_update_status, (int)conf->status));
    member_answered(answered->central, answered->station, answered->watch->command,
                    agreed ? NULL : text, answered->at);
    if (!agreed) {
        return EXPECT_NOTHING;
    }
    answered->watch->wait_ms += (pw_ms)pw_clamp(
        req->firmware.retrieve_date_time - answered->at.wall, 0, PW_CENTRAL_FILE_WAIT_MS);
    return begin(answered, &asked);
}

enum expect diagnostics_asked(const struct answered *answered)
{
    const struct pw_ocpp16_get_diagnostics_req *req = answered->req;
    const struct pw_ocpp16_get_diagnostics_conf *conf = answered->conf;
    const struct asked_job asked = {DIAGNOSTICS, -1, req->location, conf->file_name};
    if (conf->file_name.len == 0) {
        pw_put_s(answered->effect, "the station has no diagnostics to upload");
        return EXPECT_NOTHING;
    }
    return begin(answered, &asked);
}

enum expect log_asked(const struct answered *answered)
{
    const struct pw_ocpp16_get_log_req *req = answered->req;
    const struct pw_ocpp16_get_log_conf *conf = answered->conf;
    const struct asked_job asked = {LOG, req->request_id, req->log.remote_location, conf->filename};
    return conf->status == PW_OCPP16_LOG_REJECTED ? EXPECT_NOTHING : begin(answered, &asked);
}

// --- What is told.

struct told {
    const char *kind;
    const char *column; // of the station's row that shows the newest; NULL: none
    int64_t request_id; // -1: none
    struct pw_str status;
    bool over;
    bool idle;         // nothing goes on: no news of a job
    struct pw_str why; // of a failure; may be empty
};

// Which job a status belongs to: that of its number, else the newest of its kind that is not over,
// else a new one that nobody here has asked for.
static struct job job_of(const struct call *call, const struct told *told)
{
    struct job job = {0};
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(call->station->id)), pw_db_text(pw_str_of(told->kind)),
        told->request_id >= 0 ? pw_db_int(told->request_id) : pw_db_null()};
    (void)db_read(call->central,
                  "SELECT id, over, state FROM file_job WHERE station_id = $1 AND kind = $2"
                  " AND ($3 IS NULL OR request_id = $3) ORDER BY id DESC LIMIT 1",
                  args, PW_COUNT(args), take_job, &job);
    // The last status of a job may come again after a reconnection or a trigger.
    bool again = job.over && pw_str_is(told->status, job.state);
    if (job.id != 0 && (!job.over || again || told->request_id >= 0)) {
        return job;
    }
    const struct asked_job asked = {told->kind, told->request_id, PW_STR(""), {0}};
    job = (struct job){.id = make_job(call->central, call->station, &asked, call->at)};
    return job;
}

static void keep_status(const struct call *call, const struct told *told)
{
    if (told->idle) {
        return;
    }
    struct job job = job_of(call, told);
    if (job.id <= 0 || pw_str_is(told->status, job.state)) {
        return; // the same again is no news
    }
    struct pw_db_value args[] = {pw_db_int(job.id), pw_db_int(call->at.wall),
                                 pw_db_text(told->status), pw_db_int(PW_CENTRAL_STATUSES_KEPT)};
    struct pw_db_value state[] = {
        pw_db_text(told->status), pw_db_int(told->over ? 1 : 0), pw_db_int(call->at.wall),
        told->why.len > 0 ? pw_db_text(told->why) : pw_db_null(), pw_db_int(job.id)};
    (void)db_write(call->central,
                   "INSERT INTO file_job_status (job_id, n, at, status) SELECT $1,"
                   " (SELECT COUNT(*) FROM file_job_status WHERE job_id = $1), $2, $3"
                   " WHERE (SELECT COUNT(*) FROM file_job_status WHERE job_id = $1) < $4",
                   args, PW_COUNT(args), call->at.now);
    (void)db_write(call->central,
                   "UPDATE file_job SET state = $1, over = $2, changed_at = $3, why = $4"
                   " WHERE id = $5",
                   state, PW_COUNT(state), call->at.now);
    struct sight sight = {
        .kind = SIGHT_JOB, .number = job.id, .text = told->status, .over = told->over};
    sight_note(call->central, call->station, &sight, call->at);
}

static void keep_progress(const struct call *call, const char *sql, struct pw_str word)
{
    struct pw_db_value args[] = {pw_db_text(word), pw_db_text(pw_str_of(call->station->id))};
    (void)db_write(call->central, sql, args, PW_COUNT(args), call->at.now);
}

// --- Why an update failed. OCPP's statuses are words: our stations say it just before one.

bool files_take_why(const struct call *call, struct pw_str data)
{
    struct pw_json_node nodes[16];
    char spare[WHY_DATA_MAX];
    struct pw_json json = {
        .node = nodes, .cap = PW_COUNT(nodes), .spare = spare, .spare_cap = sizeof(spare)};
    struct pw_str why = {0};
    if (data.len >= WHY_DATA_MAX || pw_json_read(&json, data) != PW_OK ||
        !pw_json_is(&nodes[0], PW_JSON_OBJECT) ||
        pw_json_text(pw_json_member(&nodes[0], "why"), &why) != PW_OK || why.len == 0 ||
        why.len >= WHY_MAX) {
        return false;
    }
    struct pw_db_value args[] = {pw_db_text(traffic_presentable(call->central, why)),
                                 pw_db_text(pw_str_of(call->station->id))};
    return db_write(call->central, "UPDATE station SET firmware_why = $1 WHERE id = $2", args,
                    PW_COUNT(args), call->at.now) >= 0;
}

static void take_why(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    db_take(to, WHY_MAX, &columns[0]);
}

// A status of either message (`request` as member_told has it): what was said before it belongs to
// it if it is a failure.
static void firmware_told(const struct call *call, struct told *told, int64_t request, bool failed)
{
    char why[WHY_MAX] = "";
    struct pw_db_value args[] = {pw_db_text(pw_str_of(call->station->id))};
    if (failed) {
        (void)db_read(call->central, "SELECT firmware_why FROM station WHERE id = $1", args,
                      PW_COUNT(args), take_why, why);
    }
    told->why = pw_str_of(why);
    keep_progress(call,
                  "UPDATE station SET firmware_status = $1, firmware_why = NULL WHERE id = $2",
                  told->status);
    keep_status(call, told);
    member_told(call->central, call->station, told->status, told->why, request, call->at);
}

void files_serve_firmware(const struct call *call, const void *message)
{
    const struct pw_ocpp16_firmware_status_notification_req *req = message;
    struct told told = {
        .kind = FIRMWARE,
        .request_id = -1,
        .status = pw_ocpp_code_text(&pw_ocpp16_firmware_status, (int)req->status),
        .over = req->status == PW_OCPP16_FIRMWARE_INSTALLED ||
                req->status == PW_OCPP16_FIRMWARE_DOWNLOAD_FAILED ||
                req->status == PW_OCPP16_FIRMWARE_INSTALLATION_FAILED,
        .idle = req->status == PW_OCPP16_FIRMWARE_IDLE,
    };
    firmware_told(call, &told, 0, told.over && req->status != PW_OCPP16_FIRMWARE_INSTALLED);
    struct pw_ocpp16_firmware_status_notification_conf conf = {0};
    call_answer(call, &pw_ocpp16_firmware_status_notification_conf, &conf);
}

void files_serve_signed_firmware(const struct call *call, const void *message)
{
    static const uint32_t last =
        1U << PW_OCPP16_SIGNED_INSTALLED | 1U << PW_OCPP16_SIGNED_DOWNLOAD_FAILED |
        1U << PW_OCPP16_SIGNED_INSTALLATION_FAILED | 1U << PW_OCPP16_SIGNED_INVALID_SIGNATURE |
        1U << PW_OCPP16_SIGNED_INSTALL_VERIFICATION_FAILED;
    const struct pw_ocpp16_signed_firmware_status_notification_req *req = message;
    bool numbered =
        (req->has & PW_OCPP16_HAS(signed_firmware_status_notification_req, request_id)) != 0;
    struct told told = {
        .kind = SIGNED_FIRMWARE,
        .request_id = numbered ? req->request_id : -1,
        .status = pw_ocpp_code_text(&pw_ocpp16_signed_firmware_status, (int)req->status),
        .over = (last & (1U << (unsigned)req->status)) != 0,
        .idle = req->status == PW_OCPP16_SIGNED_IDLE,
    };
    firmware_told(call, &told, told.request_id,
                  told.over && req->status != PW_OCPP16_SIGNED_INSTALLED);
    struct pw_ocpp16_signed_firmware_status_notification_conf conf = {0};
    call_answer(call, &pw_ocpp16_signed_firmware_status_notification_conf, &conf);
}

void files_serve_diagnostics(const struct call *call, const void *message)
{
    const struct pw_ocpp16_diagnostics_status_notification_req *req = message;
    struct told told = {
        .kind = DIAGNOSTICS,
        .request_id = -1,
        .status = pw_ocpp_code_text(&pw_ocpp16_diagnostics_status, (int)req->status),
        .over = req->status == PW_OCPP16_DIAGNOSTICS_UPLOADED ||
                req->status == PW_OCPP16_DIAGNOSTICS_UPLOAD_FAILED,
        .idle = req->status == PW_OCPP16_DIAGNOSTICS_IDLE,
    };
    keep_progress(call, "UPDATE station SET diagnostics_status = $1 WHERE id = $2", told.status);
    keep_status(call, &told);
    struct pw_ocpp16_diagnostics_status_notification_conf conf = {0};
    call_answer(call, &pw_ocpp16_diagnostics_status_notification_conf, &conf);
}

void files_serve_log(const struct call *call, const void *message)
{
    const struct pw_ocpp16_log_status_notification_req *req = message;
    bool numbered = (req->has & PW_OCPP16_HAS(log_status_notification_req, request_id)) != 0;
    struct told told = {
        .kind = LOG,
        .request_id = numbered ? req->request_id : -1,
        .status = pw_ocpp_code_text(&pw_ocpp16_upload_status, (int)req->status),
        .over = req->status != PW_OCPP16_UPLOAD_UPLOADING && req->status != PW_OCPP16_UPLOAD_IDLE,
        .idle = req->status == PW_OCPP16_UPLOAD_IDLE,
    };
    keep_status(call, &told);
    struct pw_ocpp16_log_status_notification_conf conf = {0};
    call_answer(call, &pw_ocpp16_log_status_notification_conf, &conf);
}

// --- Reporting.

// One row a status, a job's rows together: objects are opened and closed as the id changes.
struct reporting {
    struct pw_json_writer *json;
    int64_t job;
};

static void close_job(struct reporting *reporting)
{
    if (reporting->job != 0) {
        pw_json_close(reporting->json, ']');
        pw_json_close(reporting->json, '}');
    }
}

static void put_job(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct reporting *reporting = to;
    struct pw_json_writer *json = reporting->json;
    if (columns[0].number != reporting->job) {
        close_job(reporting);
        reporting->job = columns[0].number;
        pw_json_open(json, '{');
        report_number_column(json, "id", &columns[0], 0);
        report_text_column(json, "kind", &columns[1]);
        report_number_column(json, "request_id", &columns[2], 0);
        report_text_column(json, "location", &columns[3]);
        report_text_column(json, "file_name", &columns[4]);
        report_text_column(json, "state", &columns[5]);
        report_text_column(json, "why", &columns[11]);
        pw_json_say_bool(json, "over", columns[6].number != 0);
        pw_json_say_known_time(json, "made_at", columns[7].number);
        pw_json_say_known_time(json, "changed_at", columns[8].number);
        pw_json_key(json, "statuses");
        pw_json_open(json, '[');
    }
    if (columns[9].kind == PW_DB_INT) {
        pw_json_open(json, '{');
        pw_json_say_known_time(json, "at", columns[9].number);
        report_text_column(json, "status", &columns[10]);
        pw_json_close(json, '}');
    }
}

void report_jobs(const struct pw_central *central, struct pw_json_writer *json,
                 const struct station *station, int64_t before, int64_t limit)
{
    struct reporting reporting = {.json = json};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(before),
                                 pw_db_int(limit)};
    (void)db_read(central,
                  "SELECT job.id, kind, request_id, location, file_name, state, over, made_at,"
                  " changed_at, told.at, told.status, why FROM (SELECT * FROM file_job WHERE"
                  " station_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3) job"
                  " LEFT JOIN file_job_status told ON told.job_id = job.id"
                  " ORDER BY job.id DESC, told.n",
                  args, PW_COUNT(args), put_job, &reporting);
    close_job(&reporting);
}
