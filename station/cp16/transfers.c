// How uploads and updates go on: notices of station/files, as the messages that belong to the
// request they answer; and how it stands now, when a trigger asks.
#include "cp16/parts.h"

enum { AGAIN_MS = 30000 }; // before a notice that nobody answered is said again

// What OCPP 1.6 has no word for is not said to it.
enum { NO_WORD = -1 };

// ---------------------------------------------------------------------------------------------
// Uploads.

static enum pw_ocpp16_diagnostics_status diagnostics_word(uint8_t status)
{
    static const enum pw_ocpp16_diagnostics_status words[PW_UPLOAD_STATUS_ROWS] = {
        [PW_UPLOAD_IDLE] = PW_OCPP16_DIAGNOSTICS_IDLE,
        [PW_UPLOAD_UPLOADING] = PW_OCPP16_DIAGNOSTICS_UPLOADING,
        [PW_UPLOAD_UPLOADED] = PW_OCPP16_DIAGNOSTICS_UPLOADED,
        [PW_UPLOAD_FAILED] = PW_OCPP16_DIAGNOSTICS_UPLOAD_FAILED,
        [PW_UPLOAD_BAD_MESSAGE] = PW_OCPP16_DIAGNOSTICS_UPLOAD_FAILED,
        [PW_UPLOAD_DENIED] = PW_OCPP16_DIAGNOSTICS_UPLOAD_FAILED,
        [PW_UPLOAD_UNSUPPORTED] = PW_OCPP16_DIAGNOSTICS_UPLOAD_FAILED,
    };
    return words[status];
}

static enum pw_ocpp16_upload_status log_word(uint8_t status)
{
    static const enum pw_ocpp16_upload_status words[PW_UPLOAD_STATUS_ROWS] = {
        [PW_UPLOAD_IDLE] = PW_OCPP16_UPLOAD_IDLE,
        [PW_UPLOAD_UPLOADING] = PW_OCPP16_UPLOAD_UPLOADING,
        [PW_UPLOAD_UPLOADED] = PW_OCPP16_UPLOAD_UPLOADED,
        [PW_UPLOAD_FAILED] = PW_OCPP16_UPLOAD_FAILURE,
        [PW_UPLOAD_BAD_MESSAGE] = PW_OCPP16_UPLOAD_BAD_MESSAGE,
        [PW_UPLOAD_DENIED] = PW_OCPP16_UPLOAD_PERMISSION_DENIED,
        [PW_UPLOAD_UNSUPPORTED] = PW_OCPP16_UPLOAD_NOT_SUPPORTED,
    };
    return words[status];
}

static void say_upload(struct pw_cp16 *cp, const struct pw_files_notice *notice, pw_ms now)
{
    if (!notice->numbered) {
        const struct pw_ocpp16_diagnostics_status_notification_req req = {
            .status = diagnostics_word(notice->status)};
        pw_cp16_send(cp, PW_OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION, &req, now);
        return;
    }
    // N01.FR.12: without a number only when a trigger asked and nothing goes on.
    bool idle = notice->status == PW_UPLOAD_IDLE;
    const struct pw_ocpp16_log_status_notification_req req = {
        .has = idle ? 0 : PW_OCPP16_HAS(log_status_notification_req, request_id),
        .status = log_word(notice->status),
        .request_id = notice->request_id};
    pw_cp16_send(cp, PW_OCPP16_LOG_STATUS_NOTIFICATION, &req, now);
}

// ---------------------------------------------------------------------------------------------
// Updates.

static int firmware_word(uint8_t status)
{
    static const int words[PW_UPDATE_STATUS_ROWS] = {
        [PW_UPDATE_IDLE] = PW_OCPP16_FIRMWARE_IDLE,
        [PW_UPDATE_DOWNLOAD_SCHEDULED] = NO_WORD,
        [PW_UPDATE_DOWNLOADING] = PW_OCPP16_FIRMWARE_DOWNLOADING,
        [PW_UPDATE_DOWNLOAD_PAUSED] = NO_WORD,
        [PW_UPDATE_DOWNLOADED] = PW_OCPP16_FIRMWARE_DOWNLOADED,
        [PW_UPDATE_DOWNLOAD_FAILED] = PW_OCPP16_FIRMWARE_DOWNLOAD_FAILED,
        [PW_UPDATE_SIGNATURE_VERIFIED] = NO_WORD,
        [PW_UPDATE_INVALID_SIGNATURE] = PW_OCPP16_FIRMWARE_INSTALLATION_FAILED,
        [PW_UPDATE_INSTALL_SCHEDULED] = NO_WORD,
        [PW_UPDATE_INSTALLING] = PW_OCPP16_FIRMWARE_INSTALLING,
        [PW_UPDATE_INSTALL_REBOOTING] = NO_WORD,
        [PW_UPDATE_INSTALLED] = PW_OCPP16_FIRMWARE_INSTALLED,
        [PW_UPDATE_INSTALLATION_FAILED] = PW_OCPP16_FIRMWARE_INSTALLATION_FAILED,
        [PW_UPDATE_VERIFICATION_FAILED] = PW_OCPP16_FIRMWARE_INSTALLATION_FAILED,
    };
    return words[status];
}

static void say_update(struct pw_cp16 *cp, const struct pw_files_notice *notice, pw_ms now)
{
    if (!notice->numbered) {
        const struct pw_ocpp16_firmware_status_notification_req req = {
            .status = (enum pw_ocpp16_firmware_status)firmware_word(notice->status)};
        pw_cp16_send(cp, PW_OCPP16_FIRMWARE_STATUS_NOTIFICATION, &req, now);
        return;
    }
    const char *name = pw_update_status_name((enum pw_update_status)notice->status);
    int word = pw_ocpp_code_find(&pw_ocpp16_signed_firmware_status, pw_str_of(name));
    PW_ASSERT(word >= 0);
    bool idle = notice->status == PW_UPDATE_IDLE; // L01.FR.21
    const struct pw_ocpp16_signed_firmware_status_notification_req req = {
        .has = idle ? 0 : PW_OCPP16_HAS(signed_firmware_status_notification_req, request_id),
        .status = (enum pw_ocpp16_signed_firmware_status)word,
        .request_id = notice->request_id};
    pw_cp16_send(cp, PW_OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION, &req, now);
}

// ---------------------------------------------------------------------------------------------
// Both lanes: what was triggered first, then the notices in their order.

static bool has_word(const struct pw_files_notice *notice, enum pw_transfer_lane lane)
{
    return lane == PW_TRANSFER_UP || notice->numbered || firmware_word(notice->status) != NO_WORD;
}

static void say_one(struct pw_cp16 *cp, enum pw_transfer_lane lane,
                    const struct pw_files_notice *notice, pw_ms now)
{
    if (lane == PW_TRANSFER_UP) {
        say_upload(cp, notice, now);
    } else {
        say_update(cp, notice, now);
    }
}

void pw_cp16_say_transfer(struct pw_cp16 *cp, enum pw_transfer_lane lane, bool numbered, pw_ms now)
{
    struct pw_files_notice state = {.status = 0, .numbered = numbered}; // Idle, of both
    _Static_assert(PW_UPLOAD_IDLE == 0, "zero is Idle");
    _Static_assert(PW_UPDATE_IDLE == 0, "here too");
    if (cp->files != NULL) {
        state = lane == PW_TRANSFER_UP ? pw_files_upload_now(cp->files, numbered)
                                       : pw_files_update_now(cp->files, numbered);
    }
    if (!has_word(&state, lane)) {
        state.status = PW_UPDATE_IDLE; // it waits for a date
    }
    say_one(cp, lane, &state, now);
}

static pw_ms due(const struct pw_cp16 *cp, enum pw_transfer_lane lane)
{
    bool any = cp->files != NULL && pw_files_notice(cp->files, lane) != NULL;
    return any ? cp->notice_at[lane] : PW_NEVER;
}

static void say(struct pw_cp16 *cp, enum pw_transfer_lane lane, pw_ms now)
{
    const struct pw_files_notice *notice = pw_files_notice(cp->files, lane);
    while (notice != NULL && !has_word(notice, lane)) {
        pw_files_noticed(cp->files, lane);
        notice = pw_files_notice(cp->files, lane);
    }
    if (notice != NULL) {
        const struct pw_files_notice copy = *notice;
        say_one(cp, lane, &copy, now);
    }
}

static bool answered(struct pw_cp16 *cp, enum pw_transfer_lane lane)
{
    cp->notice_at[lane] = 0;
    cp->failure_told = lane != PW_TRANSFER_DOWN && cp->failure_told;
    pw_files_noticed(cp->files, lane);
    return true;
}

// Who refuses a notice once will do so again: it leaves, or nothing behind it would ever be heard.
static void failed(struct pw_cp16 *cp, enum pw_transfer_lane lane, const char *code, pw_ms now)
{
    if (code != NULL) {
        (void)answered(cp, lane);
    } else {
        cp->notice_at[lane] = pw_after(now, AGAIN_MS);
    }
}

static pw_ms upload_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    return due(cp, PW_TRANSFER_UP);
}

static void upload_say(struct pw_cp16 *cp, pw_ms now)
{
    say(cp, PW_TRANSFER_UP, now);
}

static bool upload_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    (void)payload;
    (void)now;
    return answered(cp, PW_TRANSFER_UP);
}

static void upload_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    failed(cp, PW_TRANSFER_UP, code, now);
}

static pw_ms update_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    return due(cp, PW_TRANSFER_DOWN);
}

static void update_say(struct pw_cp16 *cp, pw_ms now)
{
    say(cp, PW_TRANSFER_DOWN, now);
}

static bool update_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    (void)payload;
    (void)now;
    return answered(cp, PW_TRANSFER_DOWN);
}

static void update_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    failed(cp, PW_TRANSFER_DOWN, code, now);
}

const struct pw_cp16_topic pw_cp16_upload_topic = {
    .name = "upload status",
    .due = upload_due,
    .say = upload_say,
    .answered = upload_answered,
    .failed = upload_failed,
};

const struct pw_cp16_topic pw_cp16_update_topic = {
    .name = "firmware status",
    .due = update_due,
    .say = update_say,
    .answered = update_answered,
    .failed = update_failed,
};

// ---------------------------------------------------------------------------------------------
// Why an update failed: OCPP 1.6 has a word for it and nothing else. A DataTransfer just before
// that word; a central system that does not know it hears no second one.

static pw_ms failure_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    const struct pw_files_notice *notice =
        cp->files != NULL ? pw_files_notice(cp->files, PW_TRANSFER_DOWN) : NULL;
    bool any = notice != NULL && !cp->failure_told && !cp->failure_unheard &&
               pw_update_is_failure((enum pw_update_status)notice->status) &&
               (uint8_t)cp->files->update.status == notice->status &&
               cp->files->update.why[0] != '\0';
    return any ? cp->notice_at[PW_TRANSFER_DOWN] : PW_NEVER;
}

static void failure_say(struct pw_cp16 *cp, pw_ms now)
{
    const struct pw_update *update = &cp->files->update;
    char data[PW_TRANSFER_WHY_MAX * 6 + 80]; // every character of it escaped
    struct pw_out out = PW_OUT(data);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "status", pw_update_status_name(update->status));
    pw_json_say_s(&json, "why", update->why);
    pw_json_close(&json, '}');
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    const struct pw_ocpp16_data_transfer_req req = {
        .has =
            PW_OCPP16_HAS(data_transfer_req, message_id) | PW_OCPP16_HAS(data_transfer_req, data),
        .vendor_id = pw_str_of(pw_settings_text(cp->settings, PW_SET_VEHICLE_VENDOR)),
        .message_id = PW_STR("UpdateFailed"),
        .data = pw_out_str(&out)};
    pw_cp16_send(cp, PW_OCPP16_DATA_TRANSFER, &req, now);
}

static bool failure_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_data_transfer_conf conf = {0};
    (void)now;
    cp->failure_told = true;
    cp->failure_unheard = !pw_cp16_decode(cp, PW_OCPP16_DATA_TRANSFER, payload, &conf) ||
                          conf.status != PW_OCPP16_DATA_TRANSFER_ACCEPTED;
    return true;
}

static void failure_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    (void)now;
    cp->failure_told = true;
    cp->failure_unheard = code != NULL;
}

const struct pw_cp16_topic pw_cp16_failure_topic = {
    .name = "DataTransfer",
    .due = failure_due,
    .say = failure_say,
    .answered = failure_answered,
    .failed = failure_failed,
};
